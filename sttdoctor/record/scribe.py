"""The recorder's process that reads along and writes the files, so that nothing that passes waits for it.

It reads slips (`slips.py`) from standard input and tells what the recorder should know on standard output, a line of
JSON each. It ends with its standard input: when the recorder is killed, what has passed is still written.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sttdoctor.errors import UsageError
from sttdoctor.readers.wire.tap import Room
from sttdoctor.record.journal import Journal, free_names
from sttdoctor.record.recording import Heading
from sttdoctor.record.session_writer import SessionWriter
from sttdoctor.record.slips import Kind, Slip, read_slips

STEP_BYTES, STEP_S = 64 << 10, 0.02
"""Of all connections, after which the recorder is told what is read and what that cost."""

Tell = Callable[[dict[str, Any]], None]


class _Connection:
    """One connection: its file, and who reads along."""

    def __init__(self, journal: Journal, along: SessionWriter) -> None:
        self.journal = journal
        self.along = along

    def close(self) -> None:
        """Nothing more comes."""
        self.along.close()
        self.journal.end()


class Scribe:
    """Reads along with all connections and writes a file for each.

    Args:
        free: Names for the files, from `free_names`.
        tell: Takes what the recorder should know.
    """

    def __init__(self, free: Iterator[Path], tell: Tell) -> None:
        self._free = free
        self._tell = tell
        self._room = Room()
        self._connections: dict[int, _Connection] = {}
        self._read: dict[int, tuple[int, float]] = {}  # bytes and seconds, of which the recorder does not know
        self._unsaid = 0, 0.0  # the sums of them

    def take(self, slip: Slip) -> None:
        """Take the next slip; what cannot be read along costs its own connection the recording."""
        began = time.perf_counter()
        self._take(slip)
        self._count(slip, time.perf_counter() - began)

    def _take(self, slip: Slip) -> None:
        if slip.kind == Kind.LOOK:
            for number, known in self._connections.items():
                self._tell({"seen": number, **_look(known.journal)})
            return
        try:
            if slip.kind == Kind.BEGUN:
                self._begin(slip)
            elif slip.number in self._connections:
                self._note(self._connections[slip.number], slip)
        except Exception as error:  # a defect, or no memory: it must not end the recording of the others
            self._give_up(slip, error)
        if slip.kind == Kind.ENDED:
            self._end(slip.number)

    def _begin(self, slip: Slip) -> None:
        journal = Journal(Heading(**json.loads(slip.data)), self._free, self._say, slip.at)
        self._connections[slip.number] = _Connection(journal, SessionWriter(journal, self._say, self._room))
        self._tell({"begun": slip.number, "path": None if journal.path is None else str(journal.path)})

    def _note(self, found: _Connection, slip: Slip) -> None:
        if slip.kind == Kind.CLIENT:
            found.along.from_client(slip.data, slip.at)
        elif slip.kind == Kind.SERVER:
            found.along.from_server(slip.data, slip.at)
        elif slip.kind == Kind.REFUSED:
            refusal = json.loads(slip.data)
            found.journal.recording.opened(refusal["status"], None, refusal["body"], slip.at)
        elif slip.kind == Kind.ENDED:
            found.along.end(slip.data.decode("ascii") or None, slip.at)

    def _count(self, slip: Slip, took_s: float) -> None:
        size, cost_s = self._read.get(slip.number, (0, 0.0))
        self._read[slip.number] = size + slip.size, cost_s + took_s
        self._unsaid = self._unsaid[0] + slip.size, self._unsaid[1] + took_s
        if self._unsaid[0] >= STEP_BYTES or self._unsaid[1] >= STEP_S:
            self._tell({"read": [[number, *read] for number, read in self._read.items()]})
            self._read, self._unsaid = {}, (0, 0.0)

    def _give_up(self, slip: Slip, error: Exception) -> None:
        found = self._connections.pop(slip.number, None)
        name = "a connection" if found is None else found.journal.path
        self._say(f"{name}: {type(error).__name__}: {error}; from here on it is not recorded")
        if found is None:
            self._tell({"begun": slip.number, "path": None})
        else:
            found.close()

    def _end(self, number: int) -> None:
        found = self._connections.pop(number, None)
        if found is not None:
            found.close()
        self._tell({"ended": number, **(_look(found.journal) if found is not None else {})})

    def _say(self, sentence: str) -> None:
        self._tell({"told": sentence})


def _look(journal: Journal) -> dict[str, Any]:
    return {"status": journal.status, "close": journal.close, "glance": asdict(journal.meter.glance())}


def main() -> None:
    """Serve until standard input ends; the argument is where to write, empty for the current directory."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the recorder, which then closes standard input
        signal.signal(number, signal.SIG_IGN)
    try:
        free = free_names(sys.argv[1] or None)
    except UsageError as error:  # somebody else was quicker
        _tell({"told": str(error)})
        return
    scribe = Scribe(free, _tell)
    _tell({"reads": True})
    with open(sys.stdin.fileno(), "rb", buffering=1 << 20, closefd=False) as file:
        for slip in read_slips(file):
            scribe.take(slip)


def _tell(said: dict[str, Any]) -> None:
    data = json.dumps(said).encode("ascii") + b"\n"
    with contextlib.suppress(OSError):  # the recorder was killed; what it handed over is still written
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]

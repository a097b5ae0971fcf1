"""The recorder's process that reads along and writes the files, so that nothing that passes waits for it.

It reads slips (`slips.py`) from standard input and tells what the recorder should know on standard output, a line of
JSON each. It ends with its standard input: when the recorder is killed, what has passed is still written.
"""

import contextlib
import io
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sttdoctor.errors import UsageError
from sttdoctor.readers.wire.tap import Room
from sttdoctor.record.journal import Journal
from sttdoctor.record.recording import Heading
from sttdoctor.record.session_writer import SessionWriter
from sttdoctor.record.shelf import Keeping, Shelf
from sttdoctor.record.slips import Kind, Slip, read_slips

STEP_BYTES, STEP_S = 64 << 10, 0.02
"""Of all connections, after which the recorder is told what is read and what that cost."""

PAUSE_S = 0.04
"""For what the recorder hands over to gather, where it is little."""

TIDY_S = 0.5
"""After so long the bounds of what is kept are looked at again."""

Tell = Callable[[dict[str, Any]], None]


class _Connection:
    """One connection: its file, and who reads along."""

    def __init__(self, journal: Journal, along: SessionWriter) -> None:
        self.journal = journal
        self.along = along


class Scribe:
    """Reads along with all connections and writes a file for each.

    Args:
        keeping: Where the files stand.
        tell: Takes what the recorder should know.

    Raises:
        UsageError: Nothing can be written there.
    """

    def __init__(self, keeping: Keeping, tell: Tell) -> None:
        self._tell = tell
        self._shelf = Shelf(keeping, self._say)
        self._tidied = 0.0
        self._room = Room()
        self._connections: dict[int, _Connection] = {}
        self._read: dict[int, tuple[int, float]] = {}  # bytes and seconds, of which the recorder does not know
        self._unsaid = 0, 0.0  # the sums of them

    def take(self, slip: Slip) -> None:
        """Take the next slip; what cannot be read along costs its own connection the recording."""
        began = time.perf_counter()
        self._take(slip)
        if slip.at > self._tidied + TIDY_S:
            self._tidied = slip.at
            self._shelf.tidy(slip.at)
        self._count(slip, time.perf_counter() - began)

    def end(self) -> None:
        """Nothing more comes."""
        self._shelf.tidy(math.inf)

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
            self._end(slip.number, slip.at)

    def _begin(self, slip: Slip) -> None:
        journal = self._shelf.open(Heading(**json.loads(slip.data)), slip.at)
        self._connections[slip.number] = _Connection(journal, SessionWriter(journal, self._say, self._room))
        self._tell({"begun": slip.number, "path": None if journal.path is None else str(journal.path)})

    def _note(self, found: _Connection, slip: Slip) -> None:
        if slip.kind == Kind.CLIENT:
            found.along.from_client(slip.data, slip.at)
        elif slip.kind == Kind.SERVER:
            found.along.from_server(slip.data, slip.at)
        elif slip.kind == Kind.GOING:
            self._shelf.leave(found.journal, slip.at)
        elif slip.kind == Kind.REFUSED:
            refusal = json.loads(slip.data)
            found.journal.recording.opened(refusal["status"], None, refusal["body"], slip.at)
        elif slip.kind == Kind.ENDED:
            found.along.end(slip.data.decode("ascii") or None, slip.at)
        if found.along.is_closing:
            self._shelf.leave(found.journal, slip.at)

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
            self._close(found, slip.at)

    def _end(self, number: int, at: float) -> None:
        found = self._connections.pop(number, None)
        if found is not None:
            self._close(found, at)
        self._tell({"ended": number, **(_look(found.journal) if found is not None else {})})

    def _close(self, found: _Connection, at: float) -> None:
        found.along.close()
        self._shelf.close(found.journal, at)

    def _say(self, sentence: str) -> None:
        self._tell({"told": sentence})


def _look(journal: Journal) -> dict[str, Any]:
    return {"status": journal.status, "close": journal.close, "glance": asdict(journal.meter.glance())}


class _Gathered(io.FileIO):
    """A pipe that is read after a pause, so that much of what little connections say is read at once.

    To wake up for each message costs as much again as to read it. Where more waits than the recorder likes there is no
    pause.
    """

    _much = True

    def readinto(self, buffer: Any) -> int | None:
        if not self._much:
            time.sleep(PAUSE_S)
        size = super().readinto(buffer)
        self._much = size is not None and size >= STEP_BYTES
        return size


def main() -> None:
    """Serve until standard input ends; the argument is what to keep and where, from `Keeping.pack`."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the recorder, which then closes standard input
        signal.signal(number, signal.SIG_IGN)
    try:
        scribe = Scribe(Keeping.unpack(sys.argv[1]), _tell)
    except UsageError as error:  # somebody else was quicker
        _tell({"told": str(error)})
        return
    _tell({"reads": True})
    with io.BufferedReader(_Gathered(sys.stdin.fileno(), closefd=False), 1 << 20) as file:
        for slip in read_slips(file):
            scribe.take(slip)
    scribe.end()


def _tell(said: dict[str, Any]) -> None:
    data = json.dumps(said).encode("ascii") + b"\n"
    with contextlib.suppress(OSError):  # the recorder was killed; what it handed over is still written
        while data:
            data = data[os.write(sys.stdout.fileno(), data) :]

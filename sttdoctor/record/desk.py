"""Where the relay hands over what passes: the other end of the process that reads along and writes (`scribe.py`)."""

import asyncio
import contextlib
import json
import os
import socket
import stat
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from sttdoctor.errors import InputError
from sttdoctor.program import build_command
from sttdoctor.record.meter import Glance
from sttdoctor.record.recording import Heading
from sttdoctor.record.shelf import Keeping
from sttdoctor.record.slips import Fair, Kind, Slip, pack

MOST_BYTES = 1 << 20
"""Of one connection that are not read yet, before its client and its service are held back."""

ALL_BYTES, LEAST_BYTES = 64 << 20, 64 << 10
"""Of all connections that are not read yet, before each may have no more than the least."""

AHEAD_BYTES = 256 << 10
"""That the scribe is handed before it has read them. What is beyond waits here, and who is hard to read waits longest;
what it was handed is written even where the recorder is killed."""

REST_S, PATIENCE_S = 10.0, 30.0
"""For the reading of what waits when the recorder ends, and for the end of the scribe."""

_MAX_LINE = 1 << 20  # bytes of what the scribe tells
_IN_A_ROW = 16  # lines of it that are taken before it is the turn of the connections


@dataclass(eq=False)
class Entry:
    """One recorded connection, as far as its scribe has told.

    Attributes:
        path: Of its file, None where there is none.
        status: Of the handshake, None before it.
        close: The row of the close, None before it.
        glance: What the session looks like.
    """

    path: Path | None = None
    status: int | None = None
    close: dict[str, Any] | None = None
    glance: Glance = field(default_factory=Glance)


class Watcher(Protocol):
    """What the recorder tells while it runs."""

    def began(self, entry: Entry) -> None:
        """A client asked for a WebSocket."""

    def ended(self, entry: Entry) -> None:
        """Its connection is over, or the handshake was refused."""

    def tell(self, sentence: str) -> None:
        """Something went wrong."""


class Line:
    """One connection's way to the desk.

    Args:
        desk: Where it goes to.
        number: Of the connection.
        hold: Is called with True when the connection is to be held back, with False when it may go on.
    """

    def __init__(self, desk: "Desk", number: int, hold: Callable[[bool], None]) -> None:
        self._desk = desk
        self._number = number
        self._hold = hold
        self._held = False
        self._waiting = 0

    def note(self, kind: Kind, data: bytes = b"") -> None:
        """Hand over what happened just now."""
        slip = Slip(kind, self._number, time.monotonic(), data)
        if self._desk.hand(slip):
            self._wait(slip.size)

    def refused(self, status: int, body: str) -> None:
        """Hand over that the recorder answered in place of the service."""
        self.note(Kind.REFUSED, json.dumps({"status": status, "body": body}).encode("ascii"))

    def end(self, gone: str) -> None:
        """Hand over that the connection is over."""
        self.note(Kind.ENDED, gone.encode("ascii"))
        self._desk.leave(self._number)

    def read(self, size: int) -> None:
        """So many bytes are read."""
        self._wait(-size)

    def release(self) -> None:
        """Nothing is read any more, so nothing has to wait."""
        self._wait(-self._waiting)

    def _wait(self, size: int) -> None:
        self._waiting += size
        self._desk.waiting += size
        window = MOST_BYTES if self._desk.waiting <= ALL_BYTES else LEAST_BYTES
        if self._held != (self._waiting > (window // 2 if self._held else window)):
            self._held = not self._held
            self._hold(self._held)


class Desk:
    """The recorder's end of the process that writes. Made by `desk`.

    Attributes:
        waiting: Bytes of all connections that are not read yet.
    """

    def __init__(self, process: Process, watcher: Watcher) -> None:
        assert process.stdin is not None
        self.waiting = 0
        self._process = process
        self._pipe = process.stdin
        self._watcher = watcher
        self._numbers = count(1)
        self._lines: dict[int, Line] = {}
        self._entries: dict[int, Entry] = {}
        self._unseen: set[int] = set()  # connections that the watcher does not know of
        self._fair = Fair()  # what the scribe is not handed yet
        self._ahead = 0  # bytes that it was handed and has not read
        self._handed = asyncio.Event()  # nothing waits here
        self._handed.set()
        self._begun = asyncio.Event()
        self._works, self._leaving = True, False

    async def ready(self) -> None:
        """Wait until the scribe reads, or has ended."""
        await self._begun.wait()

    async def finish(self) -> None:
        """Hand over what waits, as far as there is time for it."""
        self._leaving = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_S):
                await self._handed.wait()
        if self._fair and self._works:
            self._watcher.tell("what passed last takes too long to read; recordings that are behind are not complete")
            while self._fair:
                slip = self._fair.take()
                if slip.kind not in (Kind.CLIENT, Kind.SERVER):
                    self._pipe.write(pack(slip))
        self._pipe.close()

    def begin(self, heading: Heading, hold: Callable[[bool], None]) -> Line:
        """Begin to record a connection; see `Line`."""
        number = next(self._numbers)
        line = self._lines[number] = Line(self, number, hold)
        self._entries[number] = Entry()
        self._unseen.add(number)
        line.note(Kind.BEGUN, json.dumps(asdict(heading)).encode("ascii"))
        if not self._works:
            self._show(number, None)
        return line

    def look(self) -> None:
        """Ask for how the connections look; it is told in their entries."""
        self.hand(Slip(Kind.LOOK, 0, 0.0, b""))

    def hand(self, slip: Slip) -> bool:
        """Hand a slip over, now or when it is its turn; False when nobody takes it any more."""
        if not self._works or self._pipe.is_closing():
            return False
        if self._fair or self._ahead >= AHEAD_BYTES:
            self._fair.add(slip)
            self._handed.clear()
        else:
            self._write(slip)
        return True

    def _go_on(self) -> None:
        while self._fair and self._ahead < AHEAD_BYTES:
            self._write(self._fair.take())
        if not self._fair:
            self._handed.set()

    def _write(self, slip: Slip) -> None:
        self._ahead += slip.size
        self._pipe.write(pack(slip))

    def leave(self, number: int) -> None:
        """A connection is over; what is still to be written is told when it is."""
        self._lines.pop(number).release()
        if not self._works:
            self._watcher.ended(self._entries.pop(number))

    async def listen(self) -> None:
        """Take what the scribe tells, until it ends."""
        assert self._process.stdout is not None
        heard = count(1)
        with contextlib.suppress(ValueError):  # a line beyond all bounds: nothing after it can be trusted
            async for line in self._process.stdout:
                self._hear(json.loads(line))
                if next(heard) % _IN_A_ROW == 0:
                    await asyncio.sleep(0)
        self._works = False
        self._begun.set()
        self._handed.set()
        if not self._leaving or self._entries:
            self._watcher.tell("the process that writes the recordings has ended; connections go on unrecorded")
        for number in list(self._unseen):
            self._show(number, None)
        for held in self._lines.values():
            held.release()
        for number in self._entries.keys() - self._lines.keys():
            self._watcher.ended(self._entries.pop(number))

    def _hear(self, said: dict[str, Any]) -> None:
        if "read" in said:
            for number, size, seconds in said["read"]:
                self._count(number, size, seconds)
            self._go_on()
        elif "reads" in said:
            self._begun.set()
        elif "told" in said:
            self._watcher.tell(said["told"])
        elif "begun" in said:
            self._show(said["begun"], said["path"])
        elif "seen" in said:
            self._see(self._entries[said["seen"]], said)
        elif "ended" in said:
            self._fair.forget(said["ended"])
            entry = self._entries.pop(said["ended"])
            if "status" in said:  # else its recording was given up
                self._see(entry, said)
            self._watcher.ended(entry)

    def _count(self, number: int, size: int, seconds: float) -> None:
        self._ahead -= size
        if number in self._entries:  # else it is over
            self._fair.charge(number, seconds)
        if (line := self._lines.get(number)) is not None:
            line.read(size)

    def _show(self, number: int, path: str | None) -> None:
        self._unseen.discard(number)
        entry = self._entries[number]
        entry.path = Path(path) if path is not None else None
        self._watcher.began(entry)

    @staticmethod
    def _see(entry: Entry, said: dict[str, Any]) -> None:
        entry.status, entry.close, entry.glance = said["status"], said["close"], Glance(**said["glance"])


async def _start(keeping: Keeping) -> Process:
    command = build_command("sttdoctor.record.scribe", keeping.pack())
    try:  # in a session of its own: Ctrl-C is for the recorder
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, limit=_MAX_LINE, start_new_session=True
        )
    except OSError as error:
        raise InputError(f"cannot start the process that writes the recordings: {error.strerror or error}") from None


def _widen(process: Process) -> None:
    """Let the pipe hold what is handed over: a pipe, or a pair of sockets, as the version of Python has it."""
    assert process.stdin is not None
    number = process.stdin.transport.get_extra_info("pipe").fileno()
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        if stat.S_ISSOCK(os.fstat(number).st_mode):
            with socket.socket(fileno=os.dup(number)) as pair:
                pair.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * AHEAD_BYTES)
        else:
            fcntl.fcntl(number, fcntl.F_SETPIPE_SZ, 4 * AHEAD_BYTES)


@contextlib.asynccontextmanager
async def desk(keeping: Keeping, watcher: Watcher) -> AsyncIterator[Desk]:
    """Run the process that writes; leaving the context waits until everything is written.

    Args:
        keeping: What is kept and where, which is checked.
        watcher: Is told what happens.

    Raises:
        InputError: The system does not start it.
    """
    process = await _start(keeping)
    _widen(process)
    running = Desk(process, watcher)
    listening = asyncio.create_task(running.listen())
    try:
        await running.ready()
        yield running
    finally:
        await running.finish()
        _, late = await asyncio.wait([listening], timeout=PATIENCE_S)
        if late:
            process.kill()
            watcher.tell("writing took too long and was stopped; the ends of the recordings are missing")
        await listening
        await process.wait()

"""Debug logs of any library that is known, out of whatever stands round their lines."""

import re
from io import BufferedReader

from sttdoctor.errors import InputError, NoCaptureError
from sttdoctor.evidence import Session
from sttdoctor.readers.collector import FullError, Loss
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs import marks as log_marks
from sttdoctor.readers.logs.base import Log
from sttdoctor.readers.logs.library import LibraryLog
from sttdoctor.readers.logs.pipecat import PipecatLog
from sttdoctor.readers.logs.program import MARKS, ProgramLog
from sttdoctor.readers.logs.trace import TraceLog
from sttdoctor.readers.logs.tungstenite import TungsteniteLog
from sttdoctor.readers.logs.wrapping import HEAD_BYTES, Wrapping, lines_of, wrapping_of
from sttdoctor.readers.no_capture import describe_other
from sttdoctor.readers.sockets import Wanted, and_more, choose
from sttdoctor.readers.stream import StreamError

_LOOKED_AT = 256
"""Bytes of the first line, in which what is no text has a NUL; a log that was truncated begins with some."""
_EITHER = re.compile(log_marks.LIBRARIES.pattern + b"|" + MARKS.pattern, re.MULTILINE)

KINDS: tuple[type[Log], ...] = (LibraryLog, TraceLog, TungsteniteLog, PipecatLog, ProgramLog)
"""The richest first, where the lines of several stand in one log."""


def read_log(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one connection of a log.

    Args:
        stream: Binary, unpacked.
        path: Where it came from.
        connection: Which connection, from 1; None where there is one that can be meant.

    Raises:
        InputError: No line of a known library, what a tool printed of packets or calls, or several connections without
            a choice.
        OSError: The file cannot be read.
    """
    name = path or "the capture"
    head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
    if _is_binary(head):
        raise NoCaptureError(f"{name} is not a session capture")
    wrapping = wrapping_of(head)
    kind = _kind_of(head, wrapping)
    if kind in (None, ProgramLog) and (other := describe_other(head)) is not None:
        raise InputError(f"{name} is {other}")
    log = kind(connection) if kind not in (None, ProgramLog) else _Undecided(connection)
    loss: Loss | None = None
    try:
        for number, line in lines_of(stream, wrapping, log):
            log.take(number, line)
        log.end()
    except FullError as error:
        loss = Loss(log.last_line + 1, str(error))
    except StreamError as error:
        loss = Loss(error.line, str(error))
    if not log.connections:
        raise NoCaptureError(f"{name} is not a session capture{and_more(loss)}")
    sockets = [item.socket(path, loss or log.long_line) for item in log.connections]
    return choose(sockets, connection, name, loss)


def holds_log(head: bytes) -> bool:
    """Whether a line of the first bytes of a capture (unpacked) is one that a library wrote."""
    return not _is_binary(head) and _kind_of(head, wrapping_of(head)) is not None


def holds_records(head: bytes) -> bool:
    """Whether the first bytes are records that hold a line each, which may come to those of a library later."""
    return wrapping_of(head) is not None


def _is_binary(head: bytes) -> bool:
    """Whether these are the first bytes of a file that is no text, though it may hold messages as they were sent."""
    return b"\0" in head.lstrip(b"\0")[:_LOOKED_AT].partition(b"\n")[0]


def _kind_of(head: bytes, wrapping: Wrapping | None) -> type[Log] | None:
    lines = (head if wrapping is None else wrapping.head).splitlines()
    texts = [log_line.plain(line) for line in lines if log_marks.ANY.search(line)]
    if not texts:
        return None
    every = [log_line.plain(line) for line in lines if line.strip()]
    return next((kind for kind in KINDS if kind.holds(every if kind is ProgramLog else texts)), None)


class _Undecided(Log):
    """A log whose first lines are of no library: the first line that is one decides, else what the program prints."""

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self._program = ProgramLog(wanted)
        self._log: Log | None = None
        self._asked_for = wanted
        self.connections = self._program.connections

    @property
    def marks(self) -> re.Pattern[bytes]:  # type: ignore[override]
        """What to look for in the next line."""
        if self._log is not None:
            return self._log.marks
        return _EITHER if self._program.marks is MARKS else self._program.marks

    def take(self, line: int, content: bytes | None) -> None:
        """Take a line in."""
        self.last_line = line
        if self._log is None and content is not None and not self.connections and log_marks.LIBRARIES.search(content):
            text = log_line.plain(content)
            kind = next((kind for kind in KINDS if kind is not ProgramLog and kind.knows(text)), None)
            if kind is not None:
                self._log = kind(self._asked_for)
                self.connections = self._log.connections
        (self._log or self._program).take(line, content)

    def end(self) -> None:
        """Take in that there are no more lines."""
        (self._log or self._program).end()

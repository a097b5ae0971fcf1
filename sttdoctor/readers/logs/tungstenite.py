"""The log of tungstenite (Rust) at TRACE: each frame in full, in lines of its own.

    TRACE tungstenite::protocol::frame: writing frame
    <FRAME>
    final: true
    reserved: false false false
    opcode: TEXT
    length: 19
    payload length: 17
    payload: 0x7b2274797065223a22636c6f7365227d

Older versions write a byte below 16 with one digit, so of most binary frames only the length is told. There is no URL
and no header.
Source: https://github.com/snapview/tungstenite-rs/blob/master/src/protocol/frame/frame.rs
"""

import re
from dataclasses import dataclass, field

from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs.base import Log
from sttdoctor.readers.logs.connection import LogConnection

SOURCE = "tungstenite log"
CLIENT = "tungstenite"

_MARKS = re.compile(rb"(?:writing|received) frame\b|(?:Client|Server) handshake done")
_ANY_LINE = re.compile(rb"\S")  # a mark is never empty
_FRAME = re.compile(r"\b(writing|received) frame\s*$")
_HANDSHAKE = re.compile(r"\b(Client|Server) handshake done\b")
_FIELD = re.compile(r"\s*(final|opcode|payload length|payload): (\S{1,20}|0x[0-9a-f]*)\s*$")
_MAX_LINES = 10  # of a frame
_LONGEST_SIZE = 12  # digits
_MAX_FRAME_BYTES = 32 << 20


@dataclass(slots=True)
class _Frame:
    """A frame whose lines are coming in."""

    line: int
    time: log_line.Time
    written: bool
    fields: dict[str, str] = field(default_factory=dict)
    lines: int = 0


class TungsteniteLog(Log):
    """Follows the frames that a log of tungstenite tells of."""

    label = "tungstenite at TRACE"

    def __init__(self, wanted: int | None) -> None:
        super().__init__(wanted)
        self.marks = _MARKS
        self._current: LogConnection | None = None
        self._frame: _Frame | None = None
        self._begun: dict[bool, tuple[str, list[bytes | None], int]] = {}  # fragments, by whether they are written

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a line is the first of a frame."""
        return text.endswith("<FRAME>")

    def _add(self, line: int, content: bytes) -> None:
        text = log_line.plain(content)
        if (found := _FRAME.search(text)) is not None:
            self._frame = _Frame(line, self._time(log_line.prefix_of(found)), found[1] == "writing")
            self.marks = _ANY_LINE
        elif (done := _HANDSHAKE.search(text)) is not None:
            self._begin(self._time(log_line.prefix_of(done)), done[1].lower())
        elif self._frame is not None:
            self._add_field(self._frame, text)

    def _begin(self, time: log_line.Time, side: str) -> LogConnection:
        self._begun.clear()
        self._current = LogConnection(side, time, None, None, self._collector(0), source=SOURCE, client=CLIENT)
        self.connections.append(self._current)
        return self._current

    def _add_field(self, frame: _Frame, text: str) -> None:
        frame.lines += 1
        found = _FIELD.match(text)
        if found is not None:
            frame.fields[found[1]] = found[2]
        if (found is not None and found[1] == "payload") or frame.lines > _MAX_LINES:
            self._frame, self.marks = None, _MARKS
            self._take_frame(frame)

    def _take_frame(self, frame: _Frame) -> None:
        current = self._current or self._begin(frame.time, "client")
        size, digits = frame.fields.get("payload length", ""), frame.fields.get("payload", "")
        opcode = frame.fields.get("opcode", "")
        if not (size.isdigit() and len(size) < _LONGEST_SIZE and digits.startswith("0x") and opcode):
            current.found.damage(frame.line, "a frame that is not complete")
            return
        payload = _bytes_of(digits[2:], int(size), opcode)
        sent = frame.written == (current.side == "client")
        if opcode in ("CLOSE", "PING", "PONG"):
            self._take_control(current, frame, sent, opcode, payload)
        elif frame.fields.get("final") == "true" and opcode != "CONTINUE":
            _take_message(current, frame, sent, opcode, payload, int(size))
        else:
            self._take_fragment(current, frame, sent, opcode, payload, int(size))

    def _take_control(
        self, current: LogConnection, frame: _Frame, sent: bool, opcode: str, payload: bytes | None
    ) -> None:
        if opcode != "CLOSE":
            current.control(frame.line, frame.time, sent, opcode.lower())
            return
        code = int.from_bytes(payload[:2], "big") if payload is not None and len(payload) > 1 else None
        reason = (payload or b"")[2:].decode("utf-8", errors="replace")
        current.close(frame.line, frame.time, "client" if sent else "server", code, reason)

    def _take_fragment(
        self, current: LogConnection, frame: _Frame, sent: bool, opcode: str, payload: bytes | None, size: int
    ) -> None:
        kind, parts, whole = self._begun.pop(sent, (opcode, [], 0))
        parts.append(payload)
        whole += size
        if frame.fields.get("final") == "true":
            known = [part for part in parts if part is not None]
            _take_message(current, frame, sent, kind, b"".join(known) if len(known) == len(parts) else None, whole)
        elif whole > _MAX_FRAME_BYTES or len(parts) > _MAX_FRAME_BYTES // 1000:
            current.found.damage(frame.line, "a message of too many fragments")
        else:
            self._begun[sent] = kind, parts, whole


def _take_message(
    current: LogConnection, frame: _Frame, sent: bool, opcode: str, payload: bytes | None, size: int
) -> None:
    if opcode == "TEXT":
        text = "..." if payload is None else payload.decode("utf-8", errors="replace")
        current.text(frame.line, frame.time, sent, text, size if payload is None else len(text.encode()))
    else:
        current.binary(frame.line, frame.time, sent, size, payload)


def _bytes_of(digits: str, size: int, opcode: str) -> bytes | None:
    """The content of a frame; None where a byte may be one digit or two."""
    if opcode == "CLOSE" and size == 2:  # a code is below 16 times 256
        digits = digits.zfill(4)
    try:
        return bytes.fromhex(digits) if len(digits) == 2 * size else None
    except ValueError:
        return None

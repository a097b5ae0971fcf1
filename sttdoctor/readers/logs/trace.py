"""The trace of `websocket-client` (`websocket.enableTrace(True)`): the handshake, and each frame in full.

A frame stands in it twice, as it went over the wire and decoded; the second is read. Its content is a Python literal of
bytes. There is no time in a line unless a handler with a format puts one there. Before version 1.0 there were only the
frames that were sent, as they went over the wire, and nothing of what was received.
Source: https://github.com/websocket-client/websocket-client/blob/master/websocket/_logging.py
"""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs import marks as log_marks
from sttdoctor.readers.logs.base import Log
from sttdoctor.readers.logs.connection import LogConnection
from sttdoctor.readers.sockets import Wanted

if TYPE_CHECKING:
    from sttdoctor.readers.wire.tap import Tap

SOURCE = "websocket-client trace"
CLIENT = "websocket-client"

_MARKS = re.compile(log_marks.TRACE % rb"|- (?:goodbye|reconnect)\b|end: b['\"]")
_ANY_LINE = re.compile(rb"\S")  # a mark is never empty
_FRAME = re.compile(rb"\+\+(Sent|Rcv) decoded: fin=([01]) opcode=(\d{1,2}) data=(?=b['\"])")
_ON_WIRE = re.compile(rb"(?:^|[\s:|\]])send: (?=b['\"])")
_DUMP = re.compile(r"--- (request|response) header ---")
_END = "-----------------------"
_GET = re.compile(r"(?:^|[\s:|\]])GET (\S+) HTTP/1\.1(?!\S)")
_STATUS = re.compile(r"(?:^|[\s:|\]])HTTP/1\.[01] (\d{3})\b")
_HEADER = re.compile(r"[\s:|\]]([A-Za-z0-9!#$%&'*+.^_`~-]+): ")
_LOST = re.compile(r" - (goodbye|reconnect)(?!\S)")
_LITERAL = re.compile(rb"b(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\")")
_STRANGE = re.compile(rb"\\[^x'\"nrt]")  # an escape that `repr` does not write, where no backslash is escaped
_CONTINUATION, _TEXT, _BINARY, _CLOSE_OPCODE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_MAX_MESSAGE_BYTES = 32 << 20
_MAX_HEAD_LINES = 400


class NoLiteralError(ValueError):
    """What stands where a literal of bytes should is none that Python writes."""


def bytes_of(text: bytes) -> bytes:
    """Return what a literal of bytes, as `repr` writes it, stands for; words may stand behind it.

    Raises:
        NoLiteralError: There is none.
    """
    value = _decode(text[2:-1])
    if value is not None and repr(value).encode() == text:  # the usual case, and the quick way
        return value
    whole = _LITERAL.match(text)
    value = _decode(whole[0][2:-1]) if whole is not None else None
    if value is None:
        raise NoLiteralError("a frame that is no literal of bytes")
    return value


def _decode(inside: bytes) -> bytes | None:
    """The bytes of a literal without its quotes; None where an escape is cut or none that `repr` writes."""
    if not inside.isascii() or _STRANGE.search(inside.replace(rb"\\", b"")):
        return None
    try:
        return inside.decode("unicode_escape").encode("latin-1")
    except ValueError:
        return None


@dataclass(slots=True)
class _Fragments:
    """A message whose last fragment has not come."""

    opcode: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0


class TraceLog(Log):
    """Follows the connections that a trace tells of."""

    label = "websocket-client with enableTrace(True)"

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.marks = _MARKS
        self._current: LogConnection | None = None
        self._begun: dict[bool, _Fragments] = {}  # by whether it is sent
        self._again = False
        self._head = ""  # `request` or `response` while its lines come
        self._head_lines = 0
        self._before: re.Pattern[str] | None = None
        self._behind: re.Pattern[str] | None = None
        self._wire: Tap | None = None  # of the current connection, in a trace that has what went over the wire alone

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a line is one of a trace."""
        return _FRAME.search(text.encode(errors="replace")) is not None or _DUMP.search(text) is not None

    def _add(self, line: int, content: bytes) -> None:
        found = _FRAME.search(content)
        if found is not None:
            self._end_head()
            self._add_frame(line, content, found)
            return
        on_wire = _ON_WIRE.search(content) if self._current is not None else None
        if on_wire is not None and self._current is not None:
            self._end_head()
            self._add_on_wire(self._current, line, content, on_wire)
            return
        text = log_line.plain(content)
        dump = _DUMP.search(text)
        if dump is not None:
            self._begin_head(dump)
        elif self._head:
            self._add_head(line, text)
        elif (lost := _LOST.search(text)) is not None and self._current is not None:
            self._current.lost(line, self._time(text[: log_line.USUAL_PREFIX]))
            self._again = lost[1] == "reconnect"

    def _begin_head(self, dump: re.Match[str]) -> None:
        prefix = dump.string[: dump.start()]
        self._before = re.compile(re.sub(r"\d", r"\\d", re.escape(prefix))) if len(prefix) < 300 else None
        self._behind = log_line.tail_of(dump.string[dump.end() :])
        self._head, self._head_lines = dump[1], 0
        self.marks = _ANY_LINE

    def _end_head(self) -> None:
        self._head = ""
        self.marks = _MARKS
        if self._current is not None:
            self._current.end_headers()

    def _add_head(self, line: int, text: str) -> None:
        self._head_lines += 1
        before = self._before.match(text) if self._before is not None else None
        bare = log_line.without_tail(text[before.end() :] if before is not None else text, self._behind)
        if bare.startswith(_END) or self._head_lines > _MAX_HEAD_LINES:
            if self._head == "response" or self._head_lines > _MAX_HEAD_LINES:
                self._end_head()
        elif self._head == "request" and (asked := _GET.search(text)) is not None:
            self._begin(asked)
        elif self._head == "response" and (answered := _STATUS.search(text)) is not None:
            if self._current is not None:
                self._current.answer(line, self._time(log_line.prefix_of(answered)), int(answered[1]))
        elif self._current is not None and (header := _HEADER.search(f" {bare}")) is not None:
            self._current.header(line, header[1], header.string[header.end() :])

    def _begin(self, asked: re.Match[str]) -> None:
        self._begun.clear()
        self._wire = None
        if self._again and self._current is not None:
            self._again = False
            self._current.again()
            return
        self._current = self._new(self._time(log_line.prefix_of(asked)), asked[1])

    def _new(self, time: log_line.Time, path: str | None) -> LogConnection:
        found = self._collector(len(path or ""))
        connection = LogConnection("client", time, path, None, found, source=SOURCE, client=CLIENT)
        self.connections.append(connection)
        return connection

    def _add_frame(self, line: int, content: bytes, found: re.Match[bytes]) -> None:
        prefix = content[: found.start()][: log_line.USUAL_PREFIX].decode(errors="replace")
        time = self._time(prefix) if prefix else None
        if self._current is None:  # the log begins later than the connection
            self._current = self._new(time, None)
        sent, opcode = found[1] == b"Sent", int(found[3])
        try:
            payload = bytes_of(content[found.end() :].rstrip())
        except NoLiteralError as error:
            self._current.found.damage(line, str(error))
            return
        if opcode >= _CLOSE_OPCODE:
            self._add_control(line, time, sent, opcode, payload)
            return
        begun = self._begun.pop(sent, None) if opcode == _CONTINUATION else None
        if found[2] == b"1" and begun is None:
            self._add_message(line, time, sent, opcode, payload)
            return
        begun = begun or _Fragments(opcode)
        begun.size += len(payload)
        begun.parts.append(payload)
        if found[2] == b"1":
            self._add_message(line, time, sent, begun.opcode, b"".join(begun.parts))
        elif begun.size > _MAX_MESSAGE_BYTES or len(begun.parts) > _MAX_MESSAGE_BYTES // 1000:
            self._current.found.damage(line, "a message of too many fragments")
        else:
            self._begun[sent] = begun

    def _add_on_wire(self, current: LogConnection, line: int, content: bytes, found: re.Match[bytes]) -> None:
        from sttdoctor.readers.wire.tap import Beat, Closing, Tap

        if self._wire is None:
            self._wire = Tap(beats=True)
            current.lacks |= {"receive", "close"}
        prefix = content[: found.start()][: log_line.USUAL_PREFIX].decode(errors="replace")
        time = self._time(prefix) if prefix else None
        try:
            items = self._wire.feed(bytes_of(content[found.end() :].rstrip()))
        except NoLiteralError as error:
            current.found.damage(line, str(error))
            return
        for item in items:
            if isinstance(item, Closing):
                continue  # it may answer one that was received, so who closed is not known
            if isinstance(item, Beat):
                current.control(line, time, True, item.kind)
            elif item.binary:
                current.binary(line, time, True, item.size, item.content)
            else:
                text = "..." if item.content is None else item.content.decode("utf-8", errors="replace")
                current.text(line, time, True, text, item.size)

    def _add_message(self, line: int, time: log_line.Time, sent: bool, opcode: int, payload: bytes) -> None:
        if self._current is None:
            return
        if opcode == _TEXT:
            text = payload.decode("utf-8", errors="replace")
            self._current.text(line, time, sent, text, len(text.encode()))
        else:
            self._current.binary(line, time, sent, len(payload), payload)

    def _add_control(self, line: int, time: log_line.Time, sent: bool, opcode: int, payload: bytes) -> None:
        if self._current is None:
            return
        if opcode == _CLOSE_OPCODE:
            code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else None
            reason = payload[2:].decode("utf-8", errors="replace")
            self._current.close(line, time, "client" if sent else "server", code, reason)
        else:
            self._current.control(line, time, sent, "ping" if opcode == _PING else "pong")

"""Flow files of mitmproxy (`mitmdump -w FILE`), one flow behind the other, each a tnetstring.

A flow of a WebSocket holds the handshake, every message with its bytes and time, and the close: `websocket` has
`messages` as [opcode, from the client, content, time, dropped, injected], `close_code`, `close_reason`,
`closed_by_client` and `timestamp_end`. A flow is written when it ends.
A tnetstring is `LENGTH:DATA` and a letter for the type; only one value of the file is in memory at a time.
Sources: https://github.com/mitmproxy/mitmproxy/blob/main/mitmproxy/websocket.py and
https://github.com/mitmproxy/mitmproxy/blob/main/mitmproxy/io/tnetstring.py
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Any

from sttdoctor.evidence import Frame, Session
from sttdoctor.readers.collector import CONNECTION_BYTES, Budget, Collector, FullError, Loss, json_cost
from sttdoctor.readers.conversation import Conversation
from sttdoctor.readers.frames import number, text_frame
from sttdoctor.readers.sockets import Wanted, choose, is_wanted
from sttdoctor.readers.stream import StreamError
from sttdoctor.values import immutable

MAX_VALUE_BYTES = 32 << 20
"""A longer value is not built: it is a frame of several minutes of audio, or no frame at all."""

_MAX_DIGITS = 12
_MAX_DEPTH = 20
_MAX_NUMBER = 60  # characters
_BLOCK = 1 << 16


class DamagedError(ValueError):
    """What follows is no tnetstring, or ends too early."""


class OddValueError(ValueError):
    """A whole value that cannot be used: too large, too deep, of too many parts; it has been passed."""


class Tnetstrings:
    """Walks through tnetstrings that stand one behind the other.

    Args:
        stream: Binary, read to its end.
    """

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._position = 0
        self._block = b""
        self._at = 0  # in the block

    @property
    def is_done(self) -> bool:
        """Whether nothing follows."""
        return self._at >= len(self._block) and not self._more()

    def members(self) -> Iterator[Any]:
        """Yield the keys of the dictionary that begins here, none of a null; the caller takes or skips each value.

        Raises:
            DamagedError: It is none.
        """
        begin, end = self._span()
        while self._position < end:
            yield self.value()
        self._leave(begin, end, b"}")

    def elements(self) -> Iterator[None]:
        """Yield for each item of the list that begins here; the caller takes or skips it.

        Raises:
            DamagedError: It is none.
        """
        begin, end = self._span()
        while self._position < end:
            yield
        self._leave(begin, end, b"]")

    def value(self, parts: int = 20_000) -> Any:
        """Take the next value.

        Args:
            parts: How many values it may consist of.

        Raises:
            DamagedError: It is none.
            OddValueError: It cannot be built.
        """
        length = self._length()
        if length > MAX_VALUE_BYTES:
            self._pass(length + 1)
            raise OddValueError(f"longer than {MAX_VALUE_BYTES >> 20} MiB")
        content = self._take(length)
        return _Value(parts).of(content, self._take(1), 0)

    def skip(self) -> None:
        """Pass over the next value.

        Raises:
            DamagedError: It ends too early.
        """
        self._pass(self._length() + 1)

    def _span(self) -> tuple[int, int]:
        length = self._length()
        return self._position, self._position + length

    def _length(self) -> int:
        while (colon := self._block.find(b":", self._at, self._at + _MAX_DIGITS + 1)) < 0:
            if len(self._block) - self._at > _MAX_DIGITS or not self._more():
                raise DamagedError("no tnetstring" if len(self._block) > self._at else "the file ends too early")
        return _length_of(self._take(colon + 1 - self._at)[:-1])

    def _more(self) -> bool:
        """Read on; what was passed is forgotten."""
        content = self._stream.read1(_BLOCK)  # unlike read, it gives what stands before damage
        self._block, self._at = self._block[self._at :] + content, 0
        return bool(content)

    def _leave(self, begin: int, end: int, letter: bytes) -> None:
        if self._position != end or self._take(1) not in (letter, b"~" if begin == end else letter):
            raise DamagedError("no tnetstring")

    def _take(self, size: int) -> bytes:
        content = self._block[self._at : self._at + size]
        self._at += size
        if len(content) < size:
            content += self._stream.read(size - len(content))
            self._block, self._at = b"", 0
            if len(content) < size:
                raise DamagedError("the file ends too early")
        self._position += size
        return content

    def _pass(self, size: int) -> None:
        while size > 0:
            size -= len(self._take(min(size, _BLOCK)))


class _Value:
    """Builds one value of so many parts at most."""

    def __init__(self, parts: int) -> None:
        self._left = parts

    def of(self, content: bytes, letter: bytes, depth: int) -> Any:
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise OddValueError("of too many parts, or nested too deep")
        if letter == b",":
            return content
        if letter == b";":
            return content.decode(errors="replace")
        if letter in (b"]", b"}"):
            items = self._items(content, depth + 1)
            return items if letter == b"]" else _dictionary(items)
        if letter == b"!":
            return content == b"true"
        if letter == b"~":
            return None
        return _number(content, letter)

    def _items(self, content: bytes, depth: int) -> list[Any]:
        items, at = [], 0
        while at < len(content):
            colon = content.find(b":", at, at + _MAX_DIGITS + 1)
            begin = colon + 1
            end = begin + _length_of(content[at:colon] if colon >= 0 else b"")
            if end >= len(content):
                raise OddValueError("an item is longer than its list")
            items.append(self.of(content[begin:end], content[end : end + 1], depth))
            at = end + 1
        return items


def _dictionary(items: list[Any]) -> dict[Any, Any]:
    return {key: value for key, value in zip(items[::2], items[1::2], strict=False) if isinstance(key, str | bytes)}


def _length_of(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > _MAX_DIGITS:
        raise DamagedError("no tnetstring")
    return int(digits)


def _number(content: bytes, letter: bytes) -> float | int:
    try:
        found = (int if letter == b"#" else float)(content[:_MAX_NUMBER])
    except ValueError:
        raise OddValueError("a number that is none") from None
    if letter not in (b"#", b"^") or not math.isfinite(found):
        raise OddValueError("a value of unknown type")
    return found


NO_SOCKET = (
    "the mitmproxy flow file holds no WebSocket; let the client connect to mitmdump and write the flows with "
    "mitmdump --mode reverse:https://api.cartesia.ai -w FILE.mitm"
)
_KEYS = (
    rb"websocket|response|request|client_conn|server_conn|error|version|type|id|intercepted|is_replay|marked|metadata"
    rb"|comment|timestamp_created|backup|mode"
)
_HEAD = rb"\d{1,12}:\d{1,2}:(?:" + _KEYS + rb")[;,]\d{1,12}:"
_TEXT, _BINARY = 1, 2
_RESOLUTION_S = 1e-6
_MESSAGE_PARTS = 20
_MAX_HEADERS, _MAX_HEADER = 200, 1 << 16
_MAX_BODY = 10_000
_LOST = 1006


def holds_flows(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are those of a mitmproxy flow file."""
    return head[:1].isdigit() and re.match(_HEAD, head) is not None


def read_flows(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one socket of a flow file.

    Args:
        stream: Binary; large files are read piece by piece.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket, or several without a choice.
        OSError: The file cannot be read.
    """
    file = _File(connection)
    flows, loss = Tnetstrings(stream), None
    try:
        while not flows.is_done:
            file.read_flow(flows)
    except (FullError, StreamError) as error:
        loss = Loss(file.line, str(error))
    except (DamagedError, OddValueError) as error:
        loss = Loss(file.line, f"damaged from here on: {error}")
    last = file.sockets[-1] if file.sockets else None
    sockets = [
        item.socket("mitmproxy flow", _RESOLUTION_S, path, loss if item is last or loss is None else None)
        for item in file.sockets
    ]
    return choose(sockets, connection, path or "the capture", loss, NO_SOCKET)


@dataclass(slots=True)
class _File:
    """What was read so far; `line` counts flows and messages from 1, since such a file has no lines."""

    wanted: Wanted
    line: int = 0
    budget: Budget = field(default_factory=Budget)
    sockets: list[Conversation] = field(default_factory=list)

    def read_flow(self, flows: Tnetstrings) -> None:
        """Take the next flow in; of one that is no socket nothing is kept.

        Raises:
            DamagedError: What follows is no flow.
            FullError: Nothing more can be held.
        """
        self.line += 1
        socket: Conversation | None = None
        parts: dict[str, Any] = {}
        for key in flows.members():
            if key == "websocket":
                socket = self._read_socket(flows, parts)
            elif key in ("request", "response"):
                parts[key] = _small(flows)
            else:
                flows.skip()
        request = _Part(parts.get("request"))
        if socket is None and request.headers.get("upgrade", "").lower() == "websocket":
            socket = self._add()
        if socket is not None:
            _learn(socket, request, _Part(parts.get("response")))
            self.budget.take(sum(len(k) + len(v) for k, v in request.headers.items()))

    def _add(self) -> Conversation:
        self.budget.take(CONNECTION_BYTES)
        found = Collector(self.budget, is_wanted(self.wanted, len(self.sockets) + 1))
        self.sockets.append(Conversation(found, self.line, clock="proxy"))
        return self.sockets[-1]

    def _read_socket(self, flows: Tnetstrings, parts: dict[str, Any]) -> Conversation | None:
        """Take the member `websocket` in, which is a null where the flow is no socket."""
        socket: Conversation | None = None
        for key in flows.members():
            socket = socket or self._add()  # now, so that a file that ends within keeps what there is
            if key == "messages":
                self._read_messages(flows, socket)
            else:
                parts[f"socket {key}"] = _small(flows)
        if socket is not None:
            _close(socket, self.line, lambda key: parts.get(f"socket {key}"))
        return socket

    def _read_messages(self, flows: Tnetstrings, socket: Conversation) -> None:
        for _ in flows.elements():
            self.line += 1
            try:
                self._add_message(socket, flows.value(_MESSAGE_PARTS))
            except (DamagedError, FullError, StreamError):
                raise
            except ValueError as error:
                socket.found.damage(self.line, str(error))

    def _add_message(self, socket: Conversation, message: Any) -> None:
        if not isinstance(message, list) or len(message) < 4 or not isinstance(message[2], bytes | str):
            raise OddValueError("a message that is no list with content")
        opcode, sent, content = message[0], message[1] is True, message[2]
        raw = content if isinstance(content, bytes) else content.encode(errors="replace")
        t = _time(socket, self.line, message[3])
        if opcode == _BINARY:
            socket.found.add(Frame(self.line, t, sent, len(raw), binary=True, content=raw if sent else None))
        elif opcode == _TEXT:
            frame = text_frame(self.line, t, sent, raw.decode(errors="replace"))
            socket.found.add(frame, json_cost(raw))


@immutable
class _Part:
    """A request or a response as the flow has it; anything in it may be missing or of a wrong type."""

    value: Any

    def text(self, key: str) -> str:
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return found.decode("latin-1") if isinstance(found, bytes) else found if isinstance(found, str) else ""

    def number(self, key: str) -> float | None:
        return number(self.value.get(key)) if isinstance(self.value, dict) else None

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case, secrets and all."""
        items = self.value.get("headers") if isinstance(self.value, dict) else None
        pairs = [item for item in items[:_MAX_HEADERS] if _is_pair(item)] if isinstance(items, list) else []
        return {
            name.decode("latin-1").lower()[:_MAX_HEADER]: value.decode("latin-1")[:_MAX_HEADER] for name, value in pairs
        }

    @property
    def url(self) -> str:
        host = self.text("authority") or self.headers.get("host") or f"{self.text('host')}:{self.value.get('port')}"
        return f"{'wss' if self.text('scheme') == 'https' else 'ws'}://{host}{self.text('path')}"


def _is_pair(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and all(isinstance(part, bytes) for part in item)


def _learn(socket: Conversation, request: _Part, response: _Part) -> None:
    """Take the handshake in."""
    if isinstance(request.value, dict):
        socket.ask(request.url, request.headers, _time(socket, socket.line, request.number("timestamp_start")))
    status = response.number("status_code")
    if status is not None and 100 <= status < 600:
        t = _time(socket, socket.line, response.number("timestamp_end"))
        body = response.text("content")[:_MAX_BODY] if status != 101 else None
        socket.answer(socket.line, t, int(status), response.headers, body)


def _close(socket: Conversation, line: int, value: Callable[[str], Any]) -> None:
    code, t = number(value("close_code")), value("timestamp_end")
    if code is not None and 0 <= code < 5000:
        by = {True: "client", False: "server"}.get(value("closed_by_client"), "unknown")
        reason = value("close_reason")
        socket.close(line, _time(socket, line, t), by, int(code), reason if isinstance(reason, str) else "")
    elif t is not None:
        socket.close(line, _time(socket, line, t), "unknown", _LOST)


def _time(socket: Conversation, line: int, value: Any) -> float | None:
    t = number(value)
    if t is not None and t >= 0 and socket.found.is_time(t):
        return t
    if value is not None:
        socket.found.damage(line, "a time that is none, or out of range")
    return None


def _small(flows: Tnetstrings) -> Any:
    try:
        return flows.value()
    except OddValueError:
        return None

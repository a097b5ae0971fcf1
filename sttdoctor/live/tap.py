"""Messages out of the bytes of one direction of a WebSocket, read along and never changed. No I/O.

Frames are laid out as in RFC 6455, section 5.2; compressed messages as in RFC 7692, section 7.2.2. A recorder that
looks on must survive what it cannot read, so nothing raises: what is too large or not understood keeps its size only.
"""

import zlib
from collections.abc import Callable
from typing import NamedTuple

from websockets.frames import Close, Opcode, apply_mask  # type: ignore[attr-defined]  # the fast one where it is built

MAX_CONTENT_BYTES = 20 << 20
"""Of one message that is kept: as base64 it still fits into a line that sttdoctor reads."""

_DEFLATE_TAIL = b"\x00\x00\xff\xff"
_CONTINUATION, _TEXT, _BINARY, _CLOSE = Opcode.CONT, Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE

Inflate = Callable[[bytes], bytes | None]


class Message(NamedTuple):
    """One whole message.

    Attributes:
        binary: Whether it came in binary frames.
        content: What it carries, unpacked; None where that was too large or is not understood.
        size: Bytes of its payload, on the wire where `content` is None.
    """

    binary: bool
    content: bytes | None
    size: int


class Closing(NamedTuple):
    """A close frame; code 1005 stands for one without a code."""

    code: int
    reason: str


class Tap:
    """Reads along with one direction.

    Args:
        inflate: Unpacks a compressed message; None where no compression was agreed.
        limit: Bytes of a message above which only its size is kept.
    """

    def __init__(self, inflate: Inflate | None = None, limit: int = MAX_CONTENT_BYTES) -> None:
        self._inflate = inflate
        self._limit = limit
        self._held = bytearray()
        self._wanted = 2  # bytes without which nothing more can be read
        self._skipped = 0  # bytes of a payload that still come and are not kept
        self._message: _Message | None = None

    def feed(self, data: bytes) -> list[Message | Closing]:
        """Return what is complete with these bytes."""
        found: list[Message | Closing] = []
        if not self._held and not self._skipped:
            content = _audio_alone(data) if len(data) <= self._limit else None
            if content is not None:
                return [Message(True, content, len(content))]
            used = self._read(data, found)
            self._held += data[used:]
            return found
        if self._skipped:
            step = min(self._skipped, len(data))
            self._skipped -= step
            data = data[step:]
            if self._skipped:
                return found
        self._held += data
        if len(self._held) >= self._wanted:
            del self._held[: self._read(self._held, found)]
        return found

    def _read(self, data: bytes | bytearray, found: list[Message | Closing]) -> int:
        """Read whole frames from the start of some bytes; returns how many bytes are done with."""
        at, end = 0, len(data)
        self._wanted = 2
        while end - at >= 2:
            first, second = data[at], data[at + 1]
            length, header = second & 0x7F, 2
            if length >= 126:
                header = 4 if length == 126 else 10
                length = int.from_bytes(data[at + 2 : at + header]) if end - at >= header else 0
            body = at + header + (4 if second & 0x80 else 0)
            too_large = self._is_too_large(first & 0x0F, length)
            if end < (body if too_large else body + length):
                self._wanted = (body if too_large else body + length) - at
                return at
            if too_large:
                self._skipped = max(0, body + length - end)
                self._take(first, None, length, found)
                at = min(end, body + length)
                continue
            with memoryview(data) as view:
                payload = bytes(view[body : body + length])
            if second & 0x80:
                payload = apply_mask(payload, bytes(data[body - 4 : body]))
            self._take(first, payload, length, found)
            at = body + length
        return at

    def _is_too_large(self, opcode: int, length: int) -> bool:
        before = self._message.size if self._message is not None and opcode == _CONTINUATION else 0
        return before + length > self._limit

    def _take(self, first: int, payload: bytes | None, size: int, found: list[Message | Closing]) -> None:
        opcode = first & 0x0F
        if opcode in (_TEXT, _BINARY):
            if first == 0x82 and payload is not None:  # whole, binary, not packed: audio
                found.append(Message(True, payload, size))
                return
            self._message = _Message(opcode == _BINARY, bool(first & 0x40), bool(first & 0x30))
        elif opcode == _CLOSE:
            found.append(_closing(payload or b""))
            return
        elif opcode != _CONTINUATION:
            return  # pings and pongs
        if self._message is not None:
            self._message.add(payload, size)
            if first & 0x80:
                found.append(self._message.whole(self._inflate))
                self._message = None


def _audio_alone(data: bytes) -> bytes | None:
    """Return the payload if the bytes are just one frame as nearly all of a client are: whole, binary, masked.

    It has 126 to 65535 bytes and is not packed. None: they are something else, to be read in general.
    """
    if data[:2] != b"\x82\xfe" or len(data) < 8 or len(data) != 8 + (data[2] << 8 | data[3]):
        return None
    return apply_mask(data[8:], data[4:8])


class _Message:
    """A message whose frames are still coming."""

    def __init__(self, binary: bool, packed: bool, foreign: bool) -> None:
        self.size = 0
        self._binary = binary
        self._packed = packed
        self._parts: list[bytes] | None = None if foreign else []

    def add(self, payload: bytes | None, size: int) -> None:
        self.size += size
        if payload is None:
            self._parts = None
        elif self._parts is not None:
            self._parts.append(payload)

    def whole(self, inflate: Inflate | None) -> Message:
        content = b"".join(self._parts) if self._parts is not None else None
        if self._packed:
            content = inflate(content) if inflate is not None and content is not None else None
        return Message(self._binary, content, self.size if content is None else len(content))


def _closing(payload: bytes) -> Closing:
    try:
        close = Close.parse(payload)
    except Exception:  # a peer's mistake (one byte, a bad code, no UTF-8) is nothing to fail for
        code = int.from_bytes(payload[:2]) if len(payload) >= 2 else 1005
        return Closing(code, payload[2:].decode(errors="replace"))
    return Closing(close.code, close.reason)


def inflater(keeps_context: bool, limit: int = MAX_CONTENT_BYTES) -> Inflate:
    """Return what unpacks the compressed messages of one direction.

    Args:
        keeps_context: Whether a message may refer to those before it.
        limit: Bytes above which a message is not kept; of a direction with context nothing is, from there on.
    """
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    broken = False

    def inflate(packed: bytes) -> bytes | None:
        nonlocal decoder, broken
        if broken:
            return None
        if not keeps_context:
            decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = decoder.decompress(packed + _DEFLATE_TAIL, limit)
        except zlib.error:
            content = None
        if content is None or decoder.unconsumed_tail:
            broken = keeps_context
            return None
        return content

    return inflate

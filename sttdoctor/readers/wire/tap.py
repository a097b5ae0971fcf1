"""Messages out of the bytes of one direction of a WebSocket, read along and never changed. No I/O.

Frames are laid out as in RFC 6455, section 5.2; compressed messages as in RFC 7692, section 7.2.2. A recorder that
looks on must survive what it cannot read, so nothing raises: what is too large or not understood keeps its size only.
"""

import zlib
from collections.abc import Callable
from typing import NamedTuple

from websockets.frames import Close, Opcode, apply_mask  # type: ignore[attr-defined]  # the fast one where it is built

from sttdoctor.readers.frames import MAX_FRAME_BYTES

MAX_AUDIO_BYTES = 20 << 20
"""Of a binary message that is kept: as base64 it still fits into a line that sttdoctor reads."""

MAX_TEXT_BYTES = 1 << 20
"""Of a text that is kept: what a peer can make of one costs up to half a second to read and to look through."""

ROOM_BYTES = 64 << 20
"""What all messages that are still coming may hold together."""

_EACH_BYTES = 1 << 20  # that every direction may hold, however crowded it is
_MAX_CONTROL = 64 << 10  # bytes of a ping, a pong, a close frame, a frame out of order
_LONGEST_CLOSE = 125  # bytes that a close frame may carry
_PACKED, _FOREIGN = 0x40, 0x30  # marks of compression and of what is not understood, in a frame's first byte
_DEFLATE_TAIL = b"\x00\x00\xff\xff"
_CONTINUATION, _TEXT, _BINARY, _CLOSE = Opcode.CONT, Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE
_BEATS = {Opcode.PING: "ping", Opcode.PONG: "pong"}

Inflate = Callable[[bytes | None], bytes | None]
"""Unpacks a message; None, one that was not kept, and one that cannot be unpacked, give None."""


class Message(NamedTuple):
    """One whole message.

    Attributes:
        binary: Whether it came in binary frames.
        content: What it carries, unpacked; None where that was too large or is not understood.
        size: Bytes of what it carries, of its payload on the wire where that was not unpacked.
    """

    binary: bool
    content: bytes | None
    size: int


class Closing(NamedTuple):
    """A close frame; code 1005 stands for one without a code."""

    code: int
    reason: str


class Beat(NamedTuple):
    """A `ping` or a `pong`."""

    kind: str


Item = Message | Closing | Beat
"""What is found in the bytes of one direction."""


class Room:
    """What the taps of all connections may hold together.

    Attributes:
        free: Bytes; below 0 each gives up the message that it holds.
    """

    def __init__(self, size: int = ROOM_BYTES) -> None:
        self.free = size


class Tap:
    """Reads along with one direction.

    Args:
        inflate: Unpacks a compressed message; None where no compression was agreed.
        limit: Bytes of a binary message above which only its size is kept.
        text_limit: The same of a text.
        room: Shared with others; a message for which there is none keeps its size only.
        beats: Whether pings and pongs are told.
    """

    def __init__(
        self,
        inflate: Inflate | None = None,
        limit: int = MAX_AUDIO_BYTES,
        text_limit: int = MAX_TEXT_BYTES,
        room: Room | None = None,
        beats: bool = False,
    ) -> None:
        self._inflate = inflate
        self._beats = beats
        self._limit = limit
        self._text_limit = text_limit
        self._room = Room() if room is None else room
        self._counted = 0  # bytes of the room that this one holds
        self._crowded = False
        self._held = bytearray()
        self._wanted = 2  # bytes without which nothing more can be read
        self._skipped = 0  # bytes of a payload that still come and are not kept
        self._message: _Message | None = None

    def feed(self, data: bytes) -> list[Item]:
        """Return what is complete with these bytes."""
        found: list[Item] = []
        if not self._held and not self._skipped:
            content = _audio_alone(data) if len(data) <= self._limit else None
            if content is not None:
                return [Message(True, content, len(content))]
            used = self._read(data, found)
            self._held += data[used:]
        else:
            self._read_on(data, found)
        if self._held or self._message is not None or self._counted:
            self._count()
            if self._room.free < 0 and self._counted > _EACH_BYTES:
                self._give_up(found)
        return found

    def close(self) -> None:
        """Nothing more comes: leave the room to others."""
        self._held, self._message = bytearray(), None
        self._count()

    def _count(self) -> None:
        holds = len(self._held) + (len(self._message.content or b"") if self._message is not None else 0)
        self._room.free -= holds - self._counted
        self._counted = holds

    def _give_up(self, found: list[Item]) -> None:
        """Keep the size only of the message that is still coming."""
        if self._message is not None:
            self._message.content = None
        self._crowded = True
        del self._held[: self._read(self._held, found)]
        self._crowded = False
        self._count()

    def _read_on(self, data: bytes, found: list[Item]) -> None:
        """Read where something is held, or a payload is skipped."""
        if self._skipped:
            step = min(self._skipped, len(data))
            self._skipped -= step
            data = data[step:]
            if self._skipped:
                return
        self._held += data
        if len(self._held) >= self._wanted:
            del self._held[: self._read(self._held, found)]

    def _read(self, data: bytes | bytearray, found: list[Item]) -> int:
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
            too_large = self._is_too_large(first, length)
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

    def _is_too_large(self, first: int, length: int) -> bool:
        """Whether the payload of a frame is not to be kept."""
        opcode, message = first & 0x0F, self._message
        if opcode == _CONTINUATION and message is not None:
            limit = self._limit_of(message.binary, message.packed) - message.size if message.content is not None else -1
        elif opcode in (_TEXT, _BINARY):
            limit = self._limit_of(opcode == _BINARY, bool(first & _PACKED))
        else:
            limit = _MAX_CONTROL
        return length > (min(limit, _EACH_BYTES) if self._crowded else limit)

    def _limit_of(self, binary: bool, packed: bool) -> int:
        return self._limit if binary or packed else self._text_limit

    def _take(self, first: int, payload: bytes | None, size: int, found: list[Item]) -> None:
        opcode, size = first & 0x0F, min(size, MAX_FRAME_BYTES)
        if opcode in (_TEXT, _BINARY):
            if first == 0x82 and payload is not None:  # whole, binary, not packed: audio
                found.append(Message(True, payload, size))
                return
            self._message = _Message(opcode == _BINARY, bool(first & _PACKED), bool(first & _FOREIGN))
        elif opcode == _CLOSE:
            found.append(_closing(payload or b""))
            return
        elif opcode != _CONTINUATION:
            if self._beats and opcode in _BEATS:
                found.append(Beat(_BEATS[Opcode(opcode)]))
            return
        if self._message is not None:
            self._message.add(payload, size)
            if first & 0x80:
                found.append(self._message.whole(self._inflate, self._text_limit))
                self._message = None


def _audio_alone(data: bytes) -> bytes | None:
    """Return the payload if the bytes are just one frame as nearly all of a client are: whole, binary, masked.

    It has 126 to 65535 bytes and is not packed. None: they are something else, to be read in general.
    """
    if data[:2] != b"\x82\xfe" or len(data) < 8 or len(data) != 8 + (data[2] << 8 | data[3]):
        return None
    return apply_mask(data[8:], data[4:8])


class _Message:
    """A message whose frames are still coming; `content` None: it is not kept."""

    def __init__(self, binary: bool, packed: bool, foreign: bool) -> None:
        self.binary = binary
        self.packed = packed
        self.size = 0
        self.content: bytearray | None = None if foreign else bytearray()

    def add(self, payload: bytes | None, size: int) -> None:
        self.size = min(self.size + size, MAX_FRAME_BYTES)
        if payload is None:
            self.content = None
        elif self.content is not None:
            self.content += payload

    def whole(self, inflate: Inflate | None, text_limit: int) -> Message:
        content = bytes(self.content) if self.content is not None else None
        if self.packed:
            content = inflate(content) if inflate is not None else None
        size = self.size if content is None else len(content)
        return Message(self.binary, content if self.binary or size <= text_limit else None, size)


def _closing(payload: bytes) -> Closing:
    payload = payload[:_LONGEST_CLOSE]
    try:
        close = Close.parse(payload)
    except Exception:  # a peer's mistake (one byte, a bad code, no UTF-8) is nothing to fail for
        code = int.from_bytes(payload[:2]) if len(payload) >= 2 else 1005
        return Closing(code, payload[2:].decode(errors="replace"))
    return Closing(close.code, close.reason)


def inflater(keeps_context: bool, limit: int = MAX_AUDIO_BYTES) -> Inflate:
    """Return what unpacks the compressed messages of one direction.

    Args:
        keeps_context: Whether a message may refer to those before it.
        limit: Bytes above which a message is not kept; of a direction with context nothing is, from there on.
    """
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    broken = False

    def inflate(packed: bytes | None) -> bytes | None:
        nonlocal decoder, broken
        if broken:
            return None
        if not keeps_context:
            decoder = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = decoder.decompress(packed + _DEFLATE_TAIL, limit) if packed is not None else None
        except zlib.error:
            content = None
        if content is None or decoder.unconsumed_tail:
            broken = keeps_context
            return None
        return content

    return inflate

"""What was captured, as immutable values: audio bytes, a session, the text that the application ended up with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from sttdoctor.encodings import ENCODINGS, meant_by
from sttdoctor.values import immutable

SESSION_SCHEMA = "sttdoctor.session/1"


@immutable
class Declared:
    """What the client told the service about its audio; None where it told nothing.

    Attributes:
        encoding: The name as the client wrote it, which need not be one that the service knows.
        sample_rate: Hz.
    """

    encoding: str | None = None
    sample_rate: int | None = None

    @property
    def meant(self) -> str | None:
        """The encoding of the six that the declared name means, None where it means none."""
        return meant_by(self.encoding)

    @property
    def bytes_per_s(self) -> float | None:
        """Byte rate of one channel that the declaration promises, None where it is not complete."""
        name = self.meant
        return float(ENCODINGS[name].width * self.sample_rate) if name and self.sample_rate else None


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """Headerless audio.

    Attributes:
        data: Shape (n,) of uint8, the bytes as sent; it may be a memory map of a file.
        path: Where it came from, None for bytes in memory.
    """

    data: NDArray[np.uint8]
    path: str | None = None


@immutable
class Open:
    """The handshake was answered.

    Attributes:
        line: Line in the capture, from 1.
        t: Seconds since the session began, None where no clock was kept.
        status: HTTP status, 101 where the handshake was accepted; None where the capture does not tell.
        headers: Of the answer, names in lower case.
        body: Text of a refusal.
    """

    line: int
    t: float | None
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


class Piece:
    """The content of one frame, put behind that of others: so the audio of a session is in memory once.

    Args:
        content: The bytes.
        store: Takes them.
    """

    __slots__ = ("first", "size", "store")

    def __init__(self, content: bytes, store: bytearray) -> None:
        self.store, self.first, self.size = store, len(store), len(content)
        store += content

    def view(self) -> memoryview:
        """It where it lies; as long as the view is there, the store cannot grow."""
        return memoryview(self.store)[self.first : self.first + self.size]

    def read(self) -> bytes:
        """Return a copy of it."""
        return self.view().tobytes()

    def __eq__(self, other: object) -> bool:
        """Whether it is the same bytes, however they are held."""
        if isinstance(other, Piece):
            other = other.read()
        return self.read() == other

    def __hash__(self) -> int:
        """As of the bytes."""
        return hash(self.read())

    def __repr__(self) -> str:
        """As of the bytes."""
        return repr(self.read())


def join_contents(contents: Sequence[bytes | Piece]) -> memoryview:
    """The bytes of all contents, in order; without a copy where they lie one behind the other. Not to be written to."""
    pieces = [content for content in contents if isinstance(content, Piece)]
    if pieces and len(pieces) == len(contents):
        store, first, size = pieces[0].store, pieces[0].first, 0
        for piece in pieces:
            if piece.store is not store or piece.first != first + size:
                break
            size += piece.size
        else:
            return memoryview(store).toreadonly()[first : first + size]
    views = (content.view() if isinstance(content, Piece) else content for content in contents)
    return memoryview(b"".join(views))


@immutable
class Frame:
    """One WebSocket message in either direction.

    Attributes:
        line: Line in the capture, from 1.
        t: Seconds since the session began, None where no clock was kept.
        sent: True from client to server.
        size: Bytes of the payload.
        binary: Whether it was a binary frame (audio, from a client).
        content: Of a binary frame; None where the capture kept the size only.
        message: The parsed JSON of a text frame, None where it is not JSON.
        text: A text frame that is not JSON.
        elided: The capture dropped the middle of the text.
    """

    line: int
    t: float | None
    sent: bool
    size: int
    binary: bool = False
    content: bytes | Piece | None = None
    message: Any = None
    text: str | None = None
    elided: bool = False

    @property
    def audio(self) -> bytes | None:
        """Content of a binary frame, None where the capture kept the size only; a copy of what is held elsewhere."""
        content = self.content
        return content.read() if isinstance(content, Piece) else content

    @property
    def first_byte(self) -> int | None:
        """Of the content; None where it is empty, or was not kept."""
        content = self.content
        if isinstance(content, Piece):
            return content.store[content.first] if content.size else None
        return content[0] if content else None

    @property
    def type(self) -> str | None:
        """The `type` of a JSON message, None for anything else."""
        if isinstance(self.message, dict):
            kind = self.message.get("type")
            return kind if isinstance(kind, str) else None
        return None


_HELD_BYTES = 16 << 20


class FrameContents(Sequence[bytes]):
    """What some frames carry, each read when it is asked for; empty where the capture did not keep it.

    Args:
        frames: The frames, in order.
    """

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self._frames)

    @overload
    def __getitem__(self, place: int) -> bytes: ...
    @overload
    def __getitem__(self, place: slice) -> "FrameContents": ...
    def __getitem__(self, place: int | slice) -> "bytes | FrameContents":
        """The content of one frame, or those of several."""
        if isinstance(place, slice):
            return FrameContents(self._frames[place])
        return self._frames[place].audio or b""

    def __iter__(self) -> Iterator[bytes]:
        """The content of each."""
        return (frame.audio or b"" for frame in self._frames)

    def hold(self) -> Sequence[bytes]:
        """The same, read once where that takes little memory: for who looks at each several times."""
        return list(self) if sum(self.sizes) <= _HELD_BYTES else self

    def join(self, most: int) -> memoryview:
        """Their first bytes, at most so many; without a copy where they lie one behind the other."""
        chosen, size = [], 0
        for frame in self._frames:
            if size >= most:
                break
            if frame.content is not None:
                chosen.append(frame.content)
                size += frame.size
        return join_contents(chosen)[:most]

    @property
    def sizes(self) -> list[int]:
        """Bytes of each."""
        return [0 if frame.content is None else frame.size for frame in self._frames]


@immutable
class Close:
    """The WebSocket closed.

    Attributes:
        line: Line in the capture, from 1.
        t: Seconds since the session began, None where no clock was kept.
        by: `client`, `server` or `unknown`.
        code: 1006 when the connection was lost without a closing handshake; None where the capture does not tell.
        reason: As it was sent, at most 123 bytes on the wire.
    """

    line: int
    t: float | None
    by: str
    code: int | None
    reason: str = ""


@immutable
class Control:
    """A ping or a pong, where the capture shows them.

    Attributes:
        line: Line in the capture, from 1.
        t: Seconds since the session began, None where no clock was kept.
        sent: True from client to server.
        kind: `ping` or `pong`.
    """

    line: int
    t: float | None
    sent: bool
    kind: str


Event = Open | Frame | Close | Control


@immutable
class Transcript:
    """The final text as the client's application built it; `line` (from 1) where it stands in the capture."""

    text: str
    line: int | None = None


@immutable
class Damage:
    """What of a capture could not be read.

    Attributes:
        lines: Number of lines that were left out or only partly understood.
        examples: (line, what was wrong), the first few of them.
    """

    lines: int = 0
    examples: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A recorded session; secrets are already redacted.

    Attributes:
        events: In the order in which things happened.
        url: Of the connection, None where the capture has none.
        headers: Of the handshake request, names in lower case.
        started_at: ISO 8601, as the capture says it.
        client: Who sent, as the capture or the headers name it.
        source: What recorded it.
        clock: Where the times were taken: `client`, `proxy`, `server` or `none`.
        resolution: Seconds between two times that the clock can tell apart; 0 for an exact clock.
        lacks: What this capture cannot hold, of `send`, `receive`, `audio`, `text`, `headers`, `close`, `commands`
            (what the client sent beside audio), `events` (some kinds of them, the others are complete).
        transcript: The text that the application ended up with, None where the capture does not have it.
        damage: What of the capture could not be read.
        path: Of the capture, None for bytes in memory.
        more: Paths of further captures that it was joined from.
        beside: Other connections of the client that carried the same audio at the same time.
    """

    events: tuple[Event, ...]
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    started_at: str | None = None
    client: str | None = None
    source: str | None = None
    clock: str = "client"
    resolution: float = 0.0
    lacks: frozenset[str] = frozenset()
    transcript: Transcript | None = None
    damage: Damage = field(default_factory=Damage)
    path: str | None = None
    more: tuple[str, ...] = ()
    beside: tuple["Session", ...] = ()

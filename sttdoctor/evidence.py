"""What was captured, as immutable values: audio bytes, a session, the text that the application ended up with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, dataclass_transform

import numpy as np
from numpy.typing import NDArray

from sttdoctor.encodings import ENCODINGS, meant_by

SESSION_SCHEMA = "sttdoctor.session/1"


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass_transform(frozen_default=True)
def _frozen_for_the_type_checker(cls: type[Any]) -> Any:
    """Make a dataclass that is immutable to the type checker only.

    A capture may have a million frames, and to set the attributes of a frozen one takes longer than to read it.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@_frozen_for_the_type_checker
class Frame:
    """One WebSocket message in either direction.

    Attributes:
        line: Line in the capture, from 1.
        t: Seconds since the session began, None where no clock was kept.
        sent: True from client to server.
        size: Bytes of the payload.
        binary: Whether it was a binary frame (audio, from a client).
        audio: Content of a binary frame, None where the capture kept the size only.
        message: The parsed JSON of a text frame, None where it is not JSON.
        text: A text frame that is not JSON.
        elided: The capture dropped the middle of the text.
    """

    line: int
    t: float | None
    sent: bool
    size: int
    binary: bool = False
    audio: bytes | None = None
    message: Any = None
    text: str | None = None
    elided: bool = False

    @property
    def type(self) -> str | None:
        """The `type` of a JSON message, None for anything else."""
        if isinstance(self.message, dict):
            kind = self.message.get("type")
            return kind if isinstance(kind, str) else None
        return None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Transcript:
    """The final text as the client's application built it; `line` (from 1) where it stands in the capture."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
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

"""When which audio was sent on one connection: the arrays that pacing, chunking and continuity are judged from."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.session.commands import Command, find_audio_texts, is_audio, list_commands
from sttdoctor.analysis.session.turns import TURN_EVENTS, Turn, collect_turns
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.endpoints.cartesia import CLOSE_WORDS
from sttdoctor.evidence import Close, Control, Event, Frame, Open, Session

_ON_PURPOSE = (None, 1000, 1001, 1005)


@dataclass(frozen=True)
class Connection:
    """The events between one handshake and the next.

    Attributes:
        open: The answer to the handshake, None where the capture has none.
        frames: All messages in both directions, in order.
        close: The end of the connection, None where the capture has none.
        controls: Pings and pongs in both directions, in order; most captures show none.
    """

    open: Open | None
    frames: tuple[Frame, ...]
    close: Close | None
    controls: tuple[Control, ...] = ()

    @cached_property
    def audio_frames(self) -> list[Frame]:
        """Binary frames from the client, without commands that went out in one by mistake."""
        return [self.frames[place] for place in self._audio_places]

    @cached_property
    def _audio_places(self) -> list[int]:
        """Of `audio_frames` in `frames`: whether a frame is one is looked up once."""
        return [place for place, frame in enumerate(self.frames) if is_audio(frame)]

    @cached_property
    def texts(self) -> list[Frame]:
        """All messages in both directions but the binary ones, of which a session has many more."""
        return [frame for frame in self.frames if not frame.binary]

    @cached_property
    def commands(self) -> list[Command]:
        """What the client sent beside audio."""
        return list_commands(self.frames, {*self._audio_places, *self.audio_texts})

    @cached_property
    def audio_texts(self) -> dict[int, str]:
        """The forms of text messages of the client's that carry audio, by the place in `frames`."""
        return find_audio_texts(self.frames)

    @cached_property
    def received(self) -> list[Frame]:
        """Messages from the server."""
        return [frame for frame in self.frames if not frame.sent]

    @property
    def shows_begin(self) -> bool:
        """Whether the capture holds its beginning: the handshake, or the event that confirms it."""
        return self.open is not None or any(frame.type == "connected" for frame in self.received)

    @property
    def was_left(self) -> bool:
        """Whether the client closed it, with a code that says that it is done with it, or with none."""
        return self.close is not None and self.close.by == "client" and self.close.code in _ON_PURPOSE

    @cached_property
    def turns(self) -> list[Turn]:
        """The turns that the service reported."""
        return collect_turns(self.received)


def split_connections(session: Session) -> list[Connection]:
    """Split a session at each further `open` row; rows before the first one belong to it.

    Unless they show a connection that had been there when the capture began: it ended, or the service heard something.
    """
    parts: list[list[Event]] = [[]]
    is_used = False
    for event in session.events:
        if isinstance(event, Open):
            if is_used:
                parts.append([])
            is_used = True
        elif isinstance(event, Close) or (isinstance(event, Frame) and not event.sent and event.type in TURN_EVENTS):
            is_used = True
        parts[-1].append(event)
    return [_make_connection(part) for part in parts]


def _make_connection(events: Sequence[Event]) -> Connection:
    opens = [event for event in events if isinstance(event, Open)]
    closes = [event for event in events if isinstance(event, Close)]
    frames = tuple(event for event in events if isinstance(event, Frame))
    controls = tuple(event for event in events if isinstance(event, Control))
    return Connection(opens[0] if opens else None, frames, closes[0] if closes else None, controls)


def is_close_command(frame: Frame, endpoint: Endpoint | None = None) -> bool:
    """Whether a sent frame is the close command: JSON on the turns endpoint, a bare word on the manual one.

    `done` is its older name; both endpoints still take it.

    Args:
        frame: The frame.
        endpoint: `auto` or `manual`; None where it is not known, then either form counts.
    """
    if not frame.sent or frame.binary:
        return False
    word = frame.message if frame.text is None else frame.text
    bare = isinstance(word, str) and word in CLOSE_WORDS
    form = None if endpoint is None else endpoint.command_form
    return (form != "word" and frame.type in CLOSE_WORDS) or (form != "json" and bare)


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """The audio frames of one connection that carry a time.

    Attributes:
        t_s: Shape (n,), seconds of each frame; never falling (a clock that jumps back is held).
        audio_s: Shape (n,), seconds of audio in each frame, as declared.
        size: Shape (n,), bytes of each frame.
        line: Shape (n,), line of each frame in the capture.
    """

    t_s: NDArray[np.float64]
    audio_s: NDArray[np.float64]
    size: NDArray[np.int64]
    line: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.t_s)

    def part(self, first: int, stop: int) -> "Timeline":
        """Return the frames from one index to before another."""
        chosen = slice(first, stop)
        return Timeline(self.t_s[chosen], self.audio_s[chosen], self.size[chosen], self.line[chosen])


def make_timeline(connection: Connection, bytes_per_s: float) -> Timeline:
    """Lay out the audio of a connection.

    Args:
        connection: The connection.
        bytes_per_s: The declared byte rate.
    """
    frames = [frame for frame in connection.audio_frames if frame.t is not None]
    size = np.array([frame.size for frame in frames], dtype=np.int64)
    # no session lasts for thirty thousand years; beyond that squares would overflow
    t_s = np.clip(np.array([frame.t for frame in frames], dtype=np.float64), -1e12, 1e12)
    return Timeline(
        np.maximum.accumulate(t_s) if len(t_s) else t_s,
        size / bytes_per_s,
        size,
        np.array([frame.line for frame in frames], dtype=np.int64),
    )

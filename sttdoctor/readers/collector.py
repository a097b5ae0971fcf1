"""What a reader has found so far, within a stated amount of memory."""

import re
from dataclasses import dataclass, field, replace

from sttdoctor.evidence import Damage, Event, Frame, Piece
from sttdoctor.redact import redact_bytes
from sttdoctor.values import immutable

MAX_HELD_BYTES = 256 << 20
"""Estimated memory of one capture. Audio counts twice, since it may be joined later: seventy minutes of 16-bit audio at
16 kHz, or eleven of 32-bit audio at 48 kHz."""

MAX_DAMAGED = 100_000
"""Lines or messages of one capture that cannot be read; it is no capture that has more of them."""

LONGEST_S = 365.25 * 86_400
"""No session lasts for more than a year: a time that is further from the first one is damage."""

LATEST_S = 100 * LONGEST_S
"""Seconds since the session began, or since 1970 where a recorder wrote that."""

EVENT_BYTES = 400
"""What an event takes, however small its content."""

CONNECTION_BYTES = 4096
"""What a connection takes, however little it holds."""

UNREAD = "from here on the capture was not read"
"""How a reader that stops says so."""

_VALUE_BYTES = 80  # of memory for one value of a JSON list or object
_OBJECT_BYTES = 240  # for an object with few keys
_EXAMPLES = 5
_ASTRAL = re.compile(rb"[\xf0-\xf7]|\\u[dD][89abAB]")


class FullError(ValueError):
    """More would be held than `MAX_HELD_BYTES`, or the capture is not worth reading further."""


class CostlyError(ValueError):
    """A value would take too much of what can be held."""


def json_cost(content: bytes) -> int:
    """Estimate the memory that a line of JSON takes when it is parsed, in bytes."""
    parts = content.count(b"[") + content.count(b",")
    return _width(content) * len(content) + _VALUE_BYTES * parts + _OBJECT_BYTES * content.count(b"{")


def _width(content: bytes) -> int:
    """Bytes of memory for a character at most: a text takes as much for each as its widest one does."""
    if content.isascii() and b"\\u" not in content:
        return 1
    return 4 if _ASTRAL.search(content) else 2


def refuse_costly(cost: int) -> None:
    """Refuse to build what alone would take half of what can be held.

    Raises:
        CostlyError: It does.
    """
    if cost > MAX_HELD_BYTES // 2:
        raise CostlyError("more values than can be held")


@immutable
class Loss:
    """What of a capture could not be read.

    Attributes:
        line: Where.
        what: Why.
        is_end: Nothing that stands behind it was read either.
    """

    line: int
    what: str
    is_end: bool = True

    def __str__(self) -> str:
        return f"from line {self.line} on: {self.what}" if self.is_end else f"line {self.line}: {self.what}"


@dataclass(slots=True)
class Budget:
    """What the connections of one capture hold together.

    Attributes:
        held: Estimated bytes of memory.
        audio: How many of them are audio.
        drops_audio: There was too much audio: its content is gone, its lengths and times are kept.
        damaged: Lines or messages that could not be read.
        collectors: Of all connections.
    """

    held: int = 0
    audio: int = 0
    drops_audio: bool = False
    damaged: int = 0
    collectors: "list[Collector]" = field(default_factory=list)

    def take(self, cost: int) -> None:
        """Count what is held beside events.

        Raises:
            FullError: Nothing more can be held.
        """
        self.held += cost
        if self.held > MAX_HELD_BYTES:
            self.make_room()

    def make_room(self) -> None:
        """Give audio up, where that makes room.

        Raises:
            FullError: Nothing more can be held.
        """
        if self.audio < self.held // 2:
            several = " with all its connections (--connection N reads one)" if self._several else ""
            raise FullError(f"longer than {MAX_HELD_BYTES >> 20} MiB in memory{several}; {UNREAD}")
        self.drops_audio = True
        self.held -= self.audio
        self.audio = 0
        for collector in self.collectors:
            collector.drop_audio()

    @property
    def _several(self) -> bool:
        return sum(collector.wanted for collector in self.collectors) > 1


@dataclass(slots=True)
class Collector:
    """Events and damage of one connection.

    Attributes:
        budget: Of the capture, shared by its connections.
        wanted: Whether events are kept; of a connection that nobody asked for they are counted.
        events: In the order of the capture.
        lost_audio: There was too much of it, so its content is gone.
        cut: Reading ended before the connection did.
    """

    budget: Budget = field(default_factory=Budget)
    wanted: bool = True
    events: list[Event] = field(default_factory=list)
    lost_audio: bool = False
    cut: bool = False
    damaged: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    _audio: bytearray = field(default_factory=bytearray)
    _frames: int = 0  # of a connection that is not wanted; its first and last time
    _span: tuple[float, float] | None = None
    _first_s: float | None = None

    def __post_init__(self) -> None:
        """Take the place of a connection."""
        self.budget.collectors.append(self)

    def add(self, event: Event, cost: int = 0) -> None:
        """Keep an event.

        Args:
            event: The event.
            cost: Bytes that it takes beside its audio.

        Raises:
            FullError: Nothing more can be held.
        """
        if isinstance(event, Frame) and (content := event.audio) is not None:
            self.add_audio(event.line, event.t, event.sent, content)
        elif self.wanted:
            self._keep(event, cost)
        else:
            self._count(event)

    def add_audio(self, line: int, t: float | None, sent: bool, content: bytes) -> None:
        """Keep a binary frame with its content, without the secrets of any text in it.

        Raises:
            FullError: Nothing more can be held.
        """
        if not self.wanted:
            self._count(Frame(line, t, sent, len(content), True))
            return
        content = redact_bytes(content)  # a client may send its configuration so
        size = len(content)
        if self.budget.drops_audio:
            self._lose_audio(line)
            self._keep(Frame(line, t, sent, size, True), 0)
        else:
            self.budget.audio += 2 * size
            self._keep(Frame(line, t, sent, size, True, Piece(content, self._audio)), 2 * size)

    def _keep(self, event: Event, cost: int) -> None:
        self.events.append(event)
        budget = self.budget
        budget.held += EVENT_BYTES + cost
        if budget.held > MAX_HELD_BYTES:
            budget.make_room()

    def _count(self, event: Event) -> None:
        self._frames += isinstance(event, Frame)
        if event.t is not None:
            low, high = self._span or (event.t, event.t)
            self._span = min(low, event.t), max(high, event.t)

    def drop_audio(self) -> None:
        """Keep only lengths and times of the audio so far."""
        for place, event in enumerate(self.events):
            if isinstance(event, Frame) and event.content is not None:
                self.events[place] = replace(event, content=None)
                self._lose_audio(event.line)
        self._audio = bytearray()

    def _lose_audio(self, line: int) -> None:
        if not self.lost_audio:
            self.lost_audio = True
            self._note(line, f"more audio than {MAX_HELD_BYTES >> 21} MiB; only lengths and times of it are kept")

    def damage(self, line: int, what: str) -> None:
        """Count something that could not be read.

        Raises:
            FullError: There was too much of it.
        """
        self._note(line, what)
        self.budget.damaged += 1
        if self.budget.damaged > MAX_DAMAGED:
            raise FullError(f"more than {MAX_DAMAGED} lines or messages cannot be read; {UNREAD}")

    def lose(self, loss: Loss, is_complete: bool = False) -> None:
        """Take in what of the capture could not be read, which cuts a connection that was not complete."""
        self.damaged += 1
        self.examples[_EXAMPLES - 1 :] = [(loss.line, loss.what)]  # whatever else was damaged
        self.cut = loss.is_end and not is_complete

    def _note(self, line: int, what: str) -> None:
        self.damaged += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((line, what))

    def is_time(self, seconds: float) -> bool:
        """Whether seconds can be a time of this connection: none of centuries ago, and within a year of the first."""
        if self._first_s is None and abs(seconds) <= LATEST_S:
            self._first_s = seconds
        return self._first_s is not None and abs(seconds - self._first_s) <= LONGEST_S

    @property
    def extent(self) -> tuple[int, float | None]:
        """Number of messages, and seconds from the first to the last event; None without times."""
        if not self.wanted:
            return self._frames, None if self._span is None else self._span[1] - self._span[0]
        times = [event.t for event in self.events if event.t is not None]
        frames = sum(isinstance(event, Frame) for event in self.events)
        return frames, max(times) - min(times) if times else None

    @property
    def losses(self) -> Damage:
        """The damage so far."""
        return Damage(self.damaged, tuple(self.examples))

    @property
    def lacks(self) -> frozenset[str]:
        """What is missing because it could not be held."""
        return frozenset({"audio"} if self.lost_audio else ()) | frozenset({"close", "text"} if self.cut else ())

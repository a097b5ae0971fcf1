"""What a reader has found so far, within a stated amount of memory."""

from dataclasses import dataclass, field, replace

from sttdoctor.evidence import Damage, Event, Frame

MAX_HELD_BYTES = 256 << 20
"""Estimated memory of one capture. Audio counts twice, since it is joined later: seventy minutes of 16-bit audio at
16 kHz, or eleven of 32-bit audio at 48 kHz."""

EVENT_BYTES = 400
"""What an event takes, however small its content."""

_VALUE_BYTES = 80  # of memory for one value of a JSON list or object
_EXAMPLES = 5


class FullError(ValueError):
    """More would be held than `MAX_HELD_BYTES`."""


def json_cost(content: bytes) -> int:
    """Estimate the memory that a parsed line of JSON takes at most, in bytes."""
    return len(content) + _VALUE_BYTES * sum(map(content.count, (b"[", b"{", b",")))


@dataclass(slots=True)
class Collector:
    """Events and damage of one capture.

    Attributes:
        events: In the order of the capture.
        held: Estimated bytes of memory.
        drops_audio: There was too much audio: its content is gone, its lengths and times are kept.
        cut: Reading ended before the capture did.
    """

    events: list[Event] = field(default_factory=list)
    held: int = 0
    drops_audio: bool = False
    cut: bool = False
    damaged: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    _audio: int = 0

    def add(self, event: Event, cost: int = 0) -> None:
        """Keep an event.

        Args:
            event: The event.
            cost: Bytes that it takes beside its audio.

        Raises:
            FullError: Nothing more can be held.
        """
        if isinstance(event, Frame) and event.audio is not None:
            if self.drops_audio:
                event = replace(event, audio=None)
            else:
                self._audio += 2 * event.size
                cost += 2 * event.size
        self.held += EVENT_BYTES + cost
        self.events.append(event)
        if self.held > MAX_HELD_BYTES:
            self._make_room(event.line)

    def _make_room(self, line: int) -> None:
        if self._audio < self.held // 2:
            self.cut = True
            raise FullError(f"longer than {MAX_HELD_BYTES >> 20} MiB in memory; from here on the capture was not read")
        self.damage(line, f"more audio than {MAX_HELD_BYTES >> 21} MiB; only lengths and times of it are kept")
        self.drops_audio = True
        self.held -= self._audio
        self._audio = 0
        self.events = [
            replace(event, audio=None) if isinstance(event, Frame) and event.audio is not None else event
            for event in self.events
        ]

    def damage(self, line: int, what: str) -> None:
        """Count something that could not be read."""
        self.damaged += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append((line, what))

    @property
    def losses(self) -> Damage:
        """The damage so far."""
        return Damage(self.damaged, tuple(self.examples))

    @property
    def lacks(self) -> frozenset[str]:
        """What is missing because it could not be held."""
        return frozenset({"audio"} if self.drops_audio else ()) | frozenset({"close", "text"} if self.cut else ())

"""The turns that the service reported, and the text that they give.

On `/stt/turns/websocket` the text of a turn is cumulative: each update replaces the one before, and the `turn.end`
holds the turn's final text. On `/stt/websocket` each final `transcript` is a piece of its own, and what is not final
replaces itself until the next final; a final and what led to it count as one turn here. On both the text of a session
is every final piece joined as it is, without a separator.
Sources: https://docs.cartesia.ai/use-the-api/stt/turns, https://docs.cartesia.ai/use-the-api/stt/troubleshooting/auto
and https://docs.cartesia.ai/use-the-api/stt/troubleshooting/manual
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sttdoctor.evidence import Frame

Piece = tuple[str, str]
"""(kind, text) of one event with a transcript; kind is `update`, `eager_end` or `end`."""


@dataclass(slots=True)
class Turn:
    """One turn.

    Attributes:
        start_t: Seconds of its first event, None without a clock.
        end_t: Seconds of its `turn.end`.
        pieces: Every event of it with a transcript, in order.
        end: Text of its `turn.end`, None while it is open.
        line: Line of its first event.
        end_line: Line of its `turn.end`.
        elided: Some text of it is not complete in the capture.
    """

    line: int
    start_t: float | None = None
    end_t: float | None = None
    end_line: int | None = None
    end: str | None = None
    elided: bool = False
    pieces: list[Piece] = field(default_factory=list)

    @property
    def partial(self) -> str | None:
        """The last text before the end, None where there was none."""
        texts = [text for kind, text in self.pieces if kind != "end"]
        return texts[-1] if texts else None


TURN_EVENTS = frozenset({"turn.start", "turn.update", "turn.eager_end", "turn.resume", "turn.end"})

_KINDS = {"turn.update": "update", "turn.eager_end": "eager_end", "turn.end": "end"}


def turns(frames: Iterable[Frame]) -> list[Turn]:
    """Group the received events of one connection into turns, tolerant of lost or repeated events."""
    found: list[Turn] = []
    for frame in frames:
        kind = frame.type or ""
        if not frame.sent and kind == "transcript":
            _add_piece(found, frame)
        if frame.sent or kind not in TURN_EVENTS:
            continue
        if kind == "turn.start" or not found or found[-1].end is not None:
            found.append(Turn(frame.line, start_t=frame.t))
        if kind in _KINDS:
            _add(found[-1], _KINDS[kind], frame)
    return found


def _add_piece(found: list[Turn], frame: Frame) -> None:
    """Add a `transcript` of the manual endpoint: final pieces end a turn, others are updates of the next one."""
    if not found or found[-1].end is not None:
        found.append(Turn(frame.line, start_t=frame.t))
    final = frame.message.get("is_final") is True
    _add(found[-1], "end" if final else "update", frame, key="text")


def _add(turn: Turn, kind: str, frame: Frame, key: str = "transcript") -> None:
    text = frame.message.get(key)
    text = text if isinstance(text, str) else ""
    turn.pieces.append((kind, text))
    turn.elided |= frame.elided
    if kind == "end":
        turn.end, turn.end_t, turn.end_line = text, frame.t, frame.line


def expected_text(all_turns: Iterable[Turn]) -> str:
    """Return the session's text: every `turn.end` as it is."""
    return "".join(turn.end for turn in all_turns if turn.end is not None)

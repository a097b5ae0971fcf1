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

from sttdoctor.endpoints.base import Piece
from sttdoctor.endpoints.cartesia import ENDPOINTS
from sttdoctor.evidence import Frame


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


TURN_EVENTS = frozenset[str]().union(*(endpoint.turn_events for endpoint in ENDPOINTS))
_STARTS = frozenset(endpoint.turn_start for endpoint in ENDPOINTS)


def collect_turns(frames: Iterable[Frame]) -> list[Turn]:
    """Group the received events of one connection into turns, tolerant of lost or repeated events."""
    found: list[Turn] = []
    for frame in frames:
        if frame.sent or frame.type is None:
            continue
        piece = _get_piece(frame)
        if piece is None and frame.type not in TURN_EVENTS:
            continue
        if frame.type in _STARTS or not found or found[-1].end is not None:
            found.append(Turn(frame.line, start_t=frame.t))
        if piece is not None:
            _add(found[-1], piece, frame)
    return found


def _get_piece(frame: Frame) -> Piece | None:
    return next((piece for endpoint in ENDPOINTS if (piece := endpoint.piece_of(frame.message)) is not None), None)


def _add(turn: Turn, piece: Piece, frame: Frame) -> None:
    turn.pieces.append(piece)
    turn.elided |= frame.elided
    if piece[0] == "end":
        turn.end, turn.end_t, turn.end_line = piece[1], frame.t, frame.line


def join_expected(all_turns: Iterable[Turn]) -> str:
    """Return the session's text: every `turn.end` as it is."""
    return "".join(turn.end for turn in all_turns if turn.end is not None)


def join_updates(all_turns: Iterable[Turn]) -> str:
    """Return what appending every update and every end gives."""
    return "".join(collect_texts(all_turns, ("update", "end")))


def collect_texts(all_turns: Iterable[Turn], kinds: Iterable[str]) -> list[str]:
    """Return the texts of the pieces of some kinds, in order."""
    wanted = set(kinds)
    return [text for turn in all_turns for kind, text in turn.pieces if kind in wanted]

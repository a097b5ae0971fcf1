"""Turns that ended but are not in the application's text: whether the client was still there to read their end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.analysis.session.turns import Turn
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.evidence import Close, Frame

_RACE_S = 0.3
"""A `turn.end` that came so shortly before the client left may not have been read."""


@dataclass(frozen=True, slots=True)
class UnusedEnd:
    """A finished turn that the application does not have.

    Attributes:
        number: Of the turn in the session, from 1.
        turn: The turn.
        left_after_s: Seconds from its `turn.end` to the client's leaving: to its close command, else to its close;
            None where the capture has no times, or the client did not leave.
        readable: It came while the client was still there, so not its leaving is why it is missing.
    """

    number: int
    turn: Turn
    left_after_s: float | None
    readable: bool


def unused_ends(
    connections: Sequence[Connection], lacking: Sequence[int], endpoint: Endpoint | None
) -> Iterator[UnusedEnd]:
    """Tell of each turn that is missing whether its end could have been read.

    Args:
        connections: Of the session, in order.
        lacking: Indices of the missing turns among all turns of the session.
        endpoint: `auto` or `manual`, None where it is not known.
    """
    owners = [(number, turn) for number, connection in enumerate(connections) for turn in connection.turns]
    left = [_left(connection, endpoint) for connection in connections] if lacking else []
    for index in lacking:
        number, turn = owners[index]
        yield _unused(index + 1, turn, left[number])


def _left(connection: Connection, endpoint: Endpoint | None) -> Frame | Close | None:
    """With what the client left: its close command, else the close."""
    command = next((frame for frame in connection.frames if is_close_command(frame, endpoint)), None)
    return command or connection.close


def _unused(number: int, turn: Turn, left: Frame | Close | None) -> UnusedEnd:
    if left is None or turn.end_line is None:
        return UnusedEnd(number, turn, None, True)
    if left.t is None or turn.end_t is None:
        return UnusedEnd(number, turn, None, turn.end_line < left.line)
    after_s = left.t - turn.end_t
    return UnusedEnd(number, turn, after_s, after_s > _RACE_S)

"""How long the service takes to answer, and how much of it the client caused.

Definitions, after the vendor's and the field's use: time to first text is from the moment at which the first active
audio was sent to the first event with a text; end of turn is from the moment at which the last active audio before it
was sent to `turn.end`. Audio that still waits at the service at that moment (sent faster than realtime) and clock time
without audio after it are the client's share.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sttdoctor.analysis.session.timeline import Timeline
from sttdoctor.analysis.session.turns import Turn
from sttdoctor.values import immutable

_FADING_S = 0.5
_APART_S = 1.0
"""A pause in which most turns end: what is active behind it is new speech."""


@immutable
class TurnLatency:
    """The answer to one turn.

    Attributes:
        line: Of the `turn.end`.
        t: Seconds of the `turn.end`.
        total_s: From the sending of the last active audio to the `turn.end`.
        waiting_s: Audio that waited at the service when that was sent: by the clock, the service may have been faster.
        silent_s: Clock time without audio between the two, also where it was made up for.
    """

    line: int
    t: float
    total_s: float
    waiting_s: float
    silent_s: float

    @property
    def shares_s(self) -> tuple[float, float, float]:
        """What `total_s` is made of: waiting audio, clock time without audio, turn detection and the service."""
        waiting = min(self.waiting_s, self.total_s)
        silent = min(self.silent_s, self.total_s - waiting)
        return waiting, silent, self.total_s - waiting - silent

    @property
    def service_s(self) -> float:
        """What turn detection and the service cost, without the client's share."""
        return self.shares_s[2]


def find_sent(timeline: Timeline, audio_s: float) -> tuple[float, int]:
    """Return (seconds on the clock, index) of the frame that holds a position in the audio (seconds)."""
    ends = np.cumsum(timeline.audio_s)
    index = min(int(np.searchsorted(ends, audio_s, side="left")), len(ends) - 1)
    return float(timeline.t_s[index]), index


def measure_spoken(
    timeline: Timeline, active: Sequence[tuple[float, float]], after_s: ArrayLike, until_s: ArrayLike
) -> NDArray[np.float64]:
    """Return the seconds of active audio that were sent between two moments on the clock.

    Args:
        timeline: The audio frames.
        active: (start, end) in seconds of audio of each active stretch, in order.
        after_s: Seconds on the clock, shape (n,); what was sent at that very moment does not count.
        until_s: Seconds on the clock, shape (n,).

    Returns:
        Shape (n,).
    """
    sent = np.concatenate([[0.0], np.cumsum(timeline.audio_s)])
    spans = np.array(active, dtype=np.float64).reshape(-1, 2)
    # active audio up to each edge of a stretch; between two edges it grows evenly or not at all
    edges = np.concatenate([[0.0], spans.reshape(-1)])
    lengths = np.cumsum(spans[:, 1] - spans[:, 0])
    spoken = np.concatenate([[0.0, 0.0], np.repeat(lengths, 2)[:-1]]) if len(spans) else np.zeros(1)
    after, until = (
        np.interp(sent[np.searchsorted(timeline.t_s, at, side="right")], edges, spoken) for at in (after_s, until_s)
    )
    seconds: NDArray[np.float64] = np.maximum(until - after, 0.0)
    return seconds


def measure_latencies(
    timeline: Timeline, waiting_s: NDArray[np.float64], active: Sequence[tuple[float, float]], turns: Sequence[Turn]
) -> list[TurnLatency]:
    """Measure each finished turn.

    Args:
        timeline: The audio frames of the connection.
        waiting_s: Shape (n,), audio that waits after each frame.
        active: (start, end) in seconds of audio of each active stretch, in order.
        turns: The turns of the connection.
    """
    if not len(timeline) or not active:
        return []
    sent = np.cumsum(timeline.audio_s)
    spans = np.array(active, dtype=np.float64)
    first, last = (np.minimum(np.searchsorted(sent, spans[:, i] - 1e-6, side="left"), len(sent) - 1) for i in (0, 1))
    starts, ends = timeline.t_s[first], timeline.t_s[last]
    found = []
    for turn in turns:
        if turn.end is None or turn.end_t is None or turn.end_line is None or turn.start_t is None:
            continue
        # speech that began after the turn had ended, or that goes on for long, belongs to the next turn; what fades
        # away as it ends, in a room with echoes, is the end of this one
        fading = (starts <= turn.end_t - _FADING_S) & (ends <= turn.end_t + _FADING_S)
        # the last active stretch that was sent before the turn ended
        before = np.flatnonzero((ends <= turn.end_t) | fading)
        if not len(before):
            continue
        across = np.flatnonzero((starts <= turn.end_t) & (ends > turn.end_t) & ~fading)
        if len(across) and _is_own(float(starts[across[-1]]), float(ends[before[-1]]), turn.start_t):
            continue
        heard = int(np.searchsorted(timeline.t_s, turn.end_t, side="right")) - 1
        index = min(int(last[before[-1]]), heard)
        t = float(timeline.t_s[index])
        silent = _measure_silence(timeline, index, turn.end_t)
        found.append(TurnLatency(turn.end_line, turn.end_t, turn.end_t - t, float(waiting_s[index]), silent))
    return found


def _is_own(start_t: float, ended_t: float, turn_t: float) -> bool:
    """Whether sound that goes on across the end of a turn is the turn's, so that its speech ended unseen within it.

    As with music, or other voices, behind the speaker.

    Args:
        start_t: When the sound began.
        ended_t: When what is active before it ended.
        turn_t: When the turn began.
    """
    return start_t <= turn_t or start_t - ended_t < _APART_S


def read_timeout_ms(latency: TurnLatency, declared_ms: float, changes: Sequence[tuple[float, float]]) -> float:
    """Return the longest timeout that was in force while a turn waited for its end.

    Args:
        latency: The turn.
        declared_ms: The timeout that the connection began with.
        changes: (seconds on the clock, milliseconds) of each change, in order.
    """
    since = latency.t - latency.total_s
    known = [declared_ms, *(value for at, value in changes if at <= since)]
    return max(known[-1], *(value for at, value in changes if since < at <= latency.t), 0.0)


def _measure_silence(timeline: Timeline, index: int, until_s: float) -> float:
    """Clock time without audio from a frame to a moment: how far the audio was behind where it was furthest.

    What fills a pause afterwards, in one block or in a hurry, came too late all the same.
    """
    stop = int(np.searchsorted(timeline.t_s, until_s, side="right"))
    sent = np.cumsum(timeline.audio_s[index:stop])
    # right before each later frame, and at the moment itself: clock time less audio is what was missing
    until = np.append(timeline.t_s[index + 1 : stop], until_s)
    return max(0.0, float((until - timeline.t_s[index] - sent).max()))


def measure_first_text_s(
    timeline: Timeline, active: Sequence[tuple[float, float]], texts_t: Sequence[float]
) -> float | None:
    """Seconds from the first active audio to the first event with a text, None without one of them."""
    if not len(timeline) or not active or not texts_t:
        return None
    return max(0.0, min(texts_t) - find_sent(timeline, active[0][0] + 1e-6)[0])

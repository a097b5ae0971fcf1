"""The beat of a client that sends by a slow timer: how often it comes, since when, and what each beat brings."""

from dataclasses import dataclass

import numpy as np

from sttdoctor.analysis.session.timeline import Timeline

_LEAST_BEATS = 5
_LEAST_S = 0.4  # timers that are held back fire once a second or a minute; audio devices are far below
_STEADY = 0.06  # of the period, and at least
_STEADY_S = 0.05


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Frames that come in steady beats, each of them late.

    Attributes:
        period_s: Seconds from one beat to the next.
        count: How many beats were seen, at least five.
        since_s: Time of the first one.
        line: Of its first frame in the capture.
        frames: How many frames a beat usually brings.
    """

    period_s: float
    count: int
    since_s: float
    line: int
    frames: int


def find_rhythm(timeline: Timeline) -> Rhythm | None:
    """Return the beat of the frames that end a pause; None where there is none, or it is the pace of the frames itself.

    Args:
        timeline: The audio frames of one connection, or a part of them.
    """
    if len(timeline) <= _LEAST_BEATS:
        return None
    own_s = float(np.median(timeline.audio_s))
    starts = np.flatnonzero(np.diff(timeline.t_s) > max(_LEAST_S, 1.5 * own_s)) + 1
    if len(starts) < _LEAST_BEATS:
        return None
    apart = np.diff(timeline.t_s[starts])
    period_s = float(np.median(apart))
    steady = np.abs(apart - period_s) <= max(_STEADY_S, _STEADY * period_s)
    if steady.sum() < _LEAST_BEATS - 1 or steady.mean() < 0.8:
        return None
    first = int(np.flatnonzero(steady)[0])
    beats = starts[first:]
    frames = int(np.median(np.diff(beats)))
    return Rhythm(
        float(apart[steady].mean()),
        len(beats),
        float(timeline.t_s[beats[0]]),
        int(timeline.line[beats[0]]),
        frames,
    )

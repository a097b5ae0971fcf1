"""What the byte rate of a live session says about the true sample rate.

A microphone or a phone line gives its bytes at the true byte rate whatever the client declares, so a steady ratio
between the two names the true rate. A file that is paced by its declaration always shows a ratio of 1, and a client
may send at 1.5 or 2 times realtime on purpose; both stay possible at the odds below.
"""

import math
from collections.abc import Sequence

import numpy as np

from sttdoctor.analysis.pacing import Speed, speed
from sttdoctor.analysis.send_timeline import Timeline

_LIVE, _PACED_BY_DECLARATION, _ON_PURPOSE, _ANY = 0.60, 0.30, 0.02, 0.08
"""Prior shares of clients by what sets their pace: the source, the declaration, a round factor, something else.

Judgement, not measurement: most reports of wrong rates come from live sources (fact sheet of public threads), files
are common in tests, and a deliberate factor is rare.
"""

_RANGE = 2 * math.log(4)


FORMAT_RATIOS = (
    0.25,
    1 / 3,
    16 / 44.1,
    0.5,
    2 / 3,
    8 / 11.025,
    22.05 / 24,
    24 / 22.05,
    4 / 3,
    44.1 / 32,
    1.5,
    2.0,
    2.75625,
    3.0,
)
"""Ratios of real to declared byte rate that two common formats make."""


def format_ratio(measured: Speed) -> float | None:
    """Return the ratio of two formats that a steady pace sits on, within 2 % (1 % near realtime), else None."""
    if not is_steady(measured):
        return None
    near = 0.01 if abs(measured.ratio - 1) <= 0.1 else 0.02
    return next((ratio for ratio in FORMAT_RATIOS if abs(measured.ratio / ratio - 1) <= near), None)


def is_steady(measured: Speed) -> bool:
    """Whether the ratio is measured well enough to be evidence: 2 %, or 1 % over 8 s near realtime."""
    if abs(measured.ratio - 1) <= 0.1:
        return measured.seconds >= 8 and measured.spread <= 0.01
    return measured.seconds >= 3 and measured.spread <= 0.04


def rate_likelihood(
    measured: Speed, candidates: Sequence[int], declared_bytes_per_s: float, bytes_per_frame: int
) -> dict[int, float]:
    """Return how well each true sample rate explains the measured pace, up to a common factor.

    Args:
        measured: Pace of the client, audio seconds as declared per clock second.
        candidates: Sample rates in Hz.
        declared_bytes_per_s: Bytes a second that the declaration promises.
        bytes_per_frame: Bytes of one sample of all channels as the bytes really are.
    """
    if not is_steady(measured):
        return dict.fromkeys(candidates, 1.0)
    width = 0.005 if abs(measured.ratio - 1) <= 0.1 else 0.01
    log_ratio = math.log(measured.ratio)

    def bell(expected: float) -> float:
        return math.exp(-0.5 * ((log_ratio - math.log(expected)) / width) ** 2) / (width * math.sqrt(2 * math.pi))

    other = _PACED_BY_DECLARATION * bell(1.0) + _ON_PURPOSE * bell(measured.ratio) + _ANY / _RANGE
    return {rate: _LIVE * bell(rate * bytes_per_frame / declared_bytes_per_s) + other for rate in candidates}


def pace_change(timeline: Timeline) -> tuple[int, float, float] | None:
    """Find where the steady pace of a client changes for good, as when a headset switches its profile.

    Both sides must be steady for 3 s or more and differ by a factor of 1.25 or more.

    Returns:
        (index of the first frame of the new pace, pace before, pace after), or None.
    """
    if len(timeline) < 20:
        return None
    index = _size_split(timeline) or _best_split(timeline.t_s, np.cumsum(timeline.audio_s))
    before, after = _part(timeline, 0, index), _part(timeline, index, len(timeline))
    if before is None or after is None:
        return None
    if min(before.seconds, after.seconds) < 2 or max(before.spread, after.spread) > 0.1:
        return None
    if abs(math.log(after.ratio / before.ratio)) < math.log(1.25):
        return None
    return index, before.ratio, after.ratio


def _part(timeline: Timeline, first: int, stop: int) -> Speed | None:
    chosen = slice(first, stop)
    part = Timeline(timeline.t_s[chosen], timeline.audio_s[chosen], timeline.size[chosen], timeline.line[chosen])
    return speed(part) if stop - first >= 10 and part.t_s[-1] - part.t_s[0] >= 3 else None


def _size_split(timeline: Timeline) -> int | None:
    """Index at which the usual length of a frame changes for good, as it does with a new capture device."""
    size, quarter = timeline.size, len(timeline) // 4
    old, new = float(np.median(size[:quarter])), float(np.median(size[-quarter:]))
    if min(old, new) <= 0 or abs(np.log(new / old)) < np.log(1.25):
        return None
    is_old = np.flatnonzero(np.abs(size - old) < np.abs(size - new))
    return int(is_old[-1]) + 1 if len(is_old) else None


def _best_split(t: "np.typing.NDArray[np.float64]", total: "np.typing.NDArray[np.float64]") -> int:
    """Index at which two straight lines explain audio over clock best (continuous broken line)."""
    slope = (total[-1] - total[0]) / max(t[-1] - t[0], 1e-9)
    return int(np.argmax(np.abs(total - total[0] - slope * (t - t[0]))))

"""What the byte rate of a live session says about the true sample rate.

A microphone or a phone line gives its bytes at the true byte rate whatever the client declares, so a steady ratio
between the two names the true rate. A file that is paced by its declaration always shows a ratio of 1, and a client
may send at 1.5 or 2 times realtime on purpose; both stay possible at the odds below.
"""

import math
from collections.abc import Sequence

from sttdoctor.analysis.session.pacing import Speed

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

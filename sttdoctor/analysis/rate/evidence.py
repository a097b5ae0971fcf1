"""What sound and wire say together about the sample rate of a session.

A microphone or a phone line gives its bytes at the true byte rate whatever the client declares, so a steady ratio
between the two names the true rate. A file that is paced by its declaration always shows a ratio of 1, and a client
may send at 1.5 or 2 times realtime on purpose; both stay possible at the odds below.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from sttdoctor.analysis.rate.changes import find_nearest_rate
from sttdoctor.analysis.session.pacing import Speed
from sttdoctor.values import immutable

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


def weigh_byte_rate(
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
    # on a log scale a factor of 2 and one of 1/2 are as far from realtime
    log_ratio = math.log(measured.ratio)

    def bell(expected: float) -> float:
        return math.exp(-0.5 * ((log_ratio - math.log(expected)) / width) ** 2) / (width * math.sqrt(2 * math.pi))

    # what does not depend on the candidate: it keeps a steady pace from excluding any
    other = _PACED_BY_DECLARATION * bell(1.0) + _ON_PURPOSE * bell(measured.ratio) + _ANY / _RANGE
    return {rate: _LIVE * bell(rate * bytes_per_frame / declared_bytes_per_s) + other for rate in candidates}


@immutable
class Flow:
    """The byte rate of a session.

    Attributes:
        speed: Seconds of audio as declared per clock second, measured.
        promised: Bytes per second as declared.
        frame_bytes: Bytes of one sample of all channels, as the bytes are best read.
    """

    speed: Speed
    promised: float
    frame_bytes: int

    def find_implied_rate(self, candidates: Sequence[int]) -> int | None:
        """The candidate (Hz) that a steady byte rate fits, None where it is not steady or fits none."""
        if not is_steady(self.speed):
            return None
        near = 0.01 if abs(self.speed.ratio - 1) <= 0.1 else 0.02
        return find_nearest_rate(self.speed.ratio * self.promised / self.frame_bytes, candidates, near)

    def find_true_speed(self, rates: Iterable[int]) -> float | None:
        """Seconds of audio per clock second by the rate (Hz) that comes nearest to realtime, None without a rate."""
        ratios = [self.speed.ratio * self.promised / (rate * self.frame_bytes) for rate in rates if rate]
        return min(ratios, key=lambda ratio: abs(math.log(ratio)), default=None)


def weigh_evidence(
    heard: Mapping[int, float] | None, flow: Flow | None, candidates: Sequence[int]
) -> dict[int, float] | None:
    """Multiply what the sound says by what a steady byte rate says.

    Args:
        heard: Probability of each candidate by its sound, None without sound.
        flow: The byte rate, None where it is not known.
        candidates: Rates in Hz.

    Returns:
        Probability of each candidate, flat prior; None without either.
    """
    if flow is None or not is_steady(flow.speed):
        return dict(heard) if heard is not None else None
    seen = weigh_byte_rate(flow.speed, candidates, flow.promised, flow.frame_bytes)
    weights = {rate: (heard[rate] if heard else 1.0) * seen[rate] for rate in candidates}
    total = sum(weights.values())
    if total > 0:
        return {rate: weight / total for rate, weight in weights.items()}
    return dict(heard) if heard is not None else None


def list_most_probable(probabilities: Mapping[int, float], mass: float = 0.95) -> list[int]:
    """The smallest list of rates (Hz), most probable first, that holds `mass` of the probability.

    >>> list_most_probable({16000: 0.01, 22050: 0.44, 24000: 0.55})
    [24000, 22050]
    """
    chosen: list[int] = []
    held = 0.0
    for rate, probability in sorted(probabilities.items(), key=lambda item: -item[1]):
        if held >= mass:
            break
        chosen.append(rate)
        held += probability
    return chosen

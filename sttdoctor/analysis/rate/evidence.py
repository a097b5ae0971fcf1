"""What sound and wire say together about the sample rate of a session."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sttdoctor.analysis.rate import byte_rate
from sttdoctor.analysis.rate.changes import nearest_rate
from sttdoctor.analysis.session.pacing import Speed


@dataclass(frozen=True, slots=True)
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

    def implied_rate(self, candidates: Sequence[int]) -> int | None:
        """The candidate (Hz) that a steady byte rate fits, None where it is not steady or fits none."""
        if not byte_rate.is_steady(self.speed):
            return None
        near = 0.01 if abs(self.speed.ratio - 1) <= 0.1 else 0.02
        return nearest_rate(self.speed.ratio * self.promised / self.frame_bytes, candidates, near)

    def true_speed(self, rates: Iterable[int]) -> float | None:
        """Seconds of audio per clock second by the rate (Hz) that comes nearest to realtime, None without a rate."""
        ratios = [self.speed.ratio * self.promised / (rate * self.frame_bytes) for rate in rates if rate]
        return min(ratios, key=lambda ratio: abs(math.log(ratio)), default=None)


def weighed(heard: Mapping[int, float] | None, flow: Flow | None, candidates: Sequence[int]) -> dict[int, float] | None:
    """Multiply what the sound says by what a steady byte rate says.

    Args:
        heard: Probability of each candidate by its sound, None without sound.
        flow: The byte rate, None where it is not known.
        candidates: Rates in Hz.

    Returns:
        Probability of each candidate, flat prior; None without either.
    """
    if flow is None or not byte_rate.is_steady(flow.speed):
        return dict(heard) if heard is not None else None
    seen = byte_rate.rate_likelihood(flow.speed, candidates, flow.promised, flow.frame_bytes)
    weights = {rate: (heard[rate] if heard else 1.0) * seen[rate] for rate in candidates}
    total = sum(weights.values())
    if total > 0:
        return {rate: weight / total for rate, weight in weights.items()}
    return dict(heard) if heard is not None else None


def most_probable(probabilities: Mapping[int, float], mass: float = 0.95) -> list[int]:
    """The smallest list of rates (Hz), most probable first, that holds `mass` of the probability."""
    chosen: list[int] = []
    held = 0.0
    for rate, probability in sorted(probabilities.items(), key=lambda item: -item[1]):
        if held >= mass:
            break
        chosen.append(rate)
        held += probability
    return chosen

"""Sounds whose frequencies are known, and what they say about the sample rate: telephone tones and mains hum.

A wrong rate moves them like everything else, but where they belong is known to a percent. So each is a likelihood
ratio: how much more often such a sound stands there when a rate is true than when its place says nothing. The ratios
are bounded by how often speech and music hold what looks like it (`docs/methods/rate-model.md`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.rate.hum import find_comb, weigh_hum
from sttdoctor.analysis.rate.tones import find_tones, weigh_keys, weigh_progress, weigh_rhythm
from sttdoctor.values import immutable

_MOST = {"keys": 1e5, "progress": 1e3, "rhythm": 100.0, "hum": 60.0}
_LEAST = {"hum": 20.0}
"""A ratio that is worth telling, where that is more than `_PLAIN`: weak combs are seldom of the mains."""
_SUFFICIENT = 500.0
"""Ratio from which on one alone tells the rate to a percent: two keys, or a tone of two frequencies; hum does not."""
LONGEST = 1_000_000
"""Samples that are looked at: 20 s at 48 kHz, two minutes at 8 kHz."""
_PLAIN = 3.0
"""A likelihood ratio that speaks for a rate."""
_FLOOR = 1e-4  # no voice alone excludes a rate for good that such a sound speaks for


@immutable
class Anchor:
    """A sound of known frequencies.

    Attributes:
        weights: Likelihood ratio of each candidate rate (Hz), 1 where its place says nothing.
        names: What it is at each candidate that it speaks for, in the plural.
    """

    weights: Mapping[int, float]
    names: Mapping[int, str]

    @property
    def rate(self) -> int:
        """The candidate (Hz) that it speaks for most."""
        return max(self.weights, key=self.weights.__getitem__)

    @property
    def is_sufficient(self) -> bool:
        """Whether it tells the rate by itself, without any speech."""
        return self.weights[self.rate] >= _SUFFICIENT

    def speaks_for(self, rate: int) -> bool:
        """Whether it is more than a little more likely at a rate (Hz) than anywhere."""
        return self.weights.get(rate, 0.0) >= _PLAIN

    @property
    def name(self) -> str:
        """What it is at that rate."""
        return self.names[self.rate]


def find_anchors(samples: NDArray[np.float32], candidates: Sequence[int]) -> list[Anchor]:
    """Find the sounds of known frequencies.

    Args:
        samples: Shape (n,), finite, without offset; at most `LONGEST` of them are looked at.
        candidates: Rates in Hz.
    """
    part = samples[:LONGEST]
    if not len(part) or not part.any():
        return []
    pairs, singles = find_tones(part)
    comb = find_comb(part)
    found = [
        _weigh("keys", {rate: weigh_keys(pairs, rate) for rate in candidates}),
        _weigh("progress", {rate: weigh_progress(pairs, rate) for rate in candidates}),
        _weigh("rhythm", {rate: weigh_rhythm(singles, rate) for rate in candidates}),
    ]
    if comb is not None:
        found.append(_weigh("hum", {rate: weigh_hum(comb, rate) for rate in candidates}))
    return [anchor for anchor in found if anchor is not None]


def _weigh(kind: str, found: Mapping[int, tuple[float, str]]) -> Anchor | None:
    best = max((ratio for ratio, _ in found.values()), default=1.0)
    if best < _LEAST.get(kind, _PLAIN):
        return None
    # all above 1 alike, so that what is likelier than the rest stays so
    scale = min(1.0, (_MOST[kind] - 1) / (best - 1))
    weights = {rate: 1 + (ratio - 1) * scale if ratio > 1 else ratio for rate, (ratio, _) in found.items()}
    return Anchor(weights, {rate: name for rate, (_, name) in found.items() if name})


def weigh_anchors(probabilities: Mapping[int, float], anchors: Sequence[Anchor]) -> dict[int, float]:
    """Multiply probabilities (Hz to share, sum 1) by what the anchors say; the result sums to 1 again."""
    if not anchors:
        return dict(probabilities)
    weights = {rate: max(p, _FLOOR) for rate, p in probabilities.items()}
    for anchor in anchors:
        weights = {rate: weight * anchor.weights[rate] for rate, weight in weights.items()}
    total = sum(weights.values())
    return {rate: weight / total for rate, weight in weights.items()}

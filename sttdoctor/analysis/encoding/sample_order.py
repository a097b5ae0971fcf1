"""Samples of one channel in an order that no source has: neighbours swapped, or each one twice.

Both read as two interleaved channels. Swapped ones give themselves away by the way from sample to sample, which becomes
shorter when each pair is swapped back: of two true channels neither order is shorter.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["swapped", "twice"]

_SHORTER = 0.8  # way after swapping back to way before: swapped speech has 0.5 to 0.7, two channels and noise 1
_ALIKE = 0.999  # pairs of which both samples are the same; the rest may be lost bytes
_FEWEST = 4000  # pairs that are not silent


def find_order(samples: NDArray[np.floating]) -> Order | None:
    """Tell in which wrong order the samples of one channel stand.

    Args:
        samples: Shape (n,), from the first sample of a pair on, finite.

    Returns:
        "swapped" where each pair is the wrong way round, "twice" where the two of each pair are the same, else None.
    """
    pairs = samples[: len(samples) // 2 * 2].reshape(-1, 2)
    moving = np.append(np.any(np.diff(pairs, axis=0) != 0, axis=1), False)
    if np.count_nonzero(moving) < _FEWEST:
        return None
    if np.mean(pairs[moving, 0] == pairs[moving, 1]) >= _ALIKE:
        return "twice"
    way, back = (np.abs(np.diff(order.reshape(-1))).sum() for order in (pairs, pairs[:, ::-1]))
    return "swapped" if back < _SHORTER * way else None

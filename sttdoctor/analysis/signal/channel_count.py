"""How many channels are interleaved: sound goes on from a sample to the one that many places later.

One channel changes least from one sample to the next, and more the further they are apart; interleaved ones change
least over their number of samples, and little again over twice that.
"""

import numpy as np
from numpy.typing import NDArray

MOST = 8
_CLEARLY = 0.9  # of the change over any distance that is shorter: microphones side by side hear nearly the same
_FEWEST = 4000  # samples
_STEP = 960  # samples of which the level is one
_LOUD = 0.1  # of the level of loud parts


def count_channels(samples: NDArray[np.float64]) -> int:
    """Count interleaved channels of speech; tones may change least over their period.

    Args:
        samples: Shape (n,), as they follow one another in the bytes; numbers that are none count as 0.

    Returns:
        1 to `MOST`; 1 also where nothing tells.
    """
    rows = np.clip(np.nan_to_num(samples[: len(samples) // _STEP * _STEP]), -1e6, 1e6).reshape(-1, _STEP)
    level = rows.std(axis=1)
    loud = rows[level > max(_LOUD * float(np.percentile(level, 95)), 1e-9)] if len(rows) else rows
    if loud.size < _FEWEST:
        return 1
    changes = [_change(loud, lag) for lag in range(1, MOST + 1)]
    number = int(np.argmin(changes)) + 1
    if number == 1 or changes[number - 1] > _CLEARLY * min(changes[: number - 1]):
        return 1
    before, twice, behind = (_change(loud, lag) for lag in (2 * number - 1, 2 * number, 2 * number + 1))
    return number if twice < min(before, behind) else 1


def _change(rows: NDArray[np.float64], lag: int) -> float:
    """The usual change over some samples in loud parts, each part by its own level."""
    apart = np.abs(rows[:, lag:] - rows[:, :-lag]).mean(axis=1)
    return float(np.median(apart / rows.std(axis=1)))

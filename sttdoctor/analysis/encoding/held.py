"""Samples that are held: repeated to reach a higher rate, each as often, or by turns once more and once less.

A held sample equals the one before it, and which ones do follows from the two rates alone: the places are predicted for
each pair of rates and each phase, and both must hold, that samples are equal where they should be and differ elsewhere.
"""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

_WINDOW = 2048  # samples that are looked at together
_WINDOWS = 6  # the loudest ones
_AGREE = 4  # of them
_NEAR = 0.04  # share of equal neighbours, off what a pair of rates makes, at which it is looked at closely
_HELD, _MOVED = 0.99, 0.5  # shares of equal neighbours where a sample is held, and where the next one comes
_MOST_OFTEN = 8


def find_held(samples: NDArray[np.number], rate: int | None, rates: Iterable[int]) -> Fraction | None:
    """Return by how much samples were drawn out by repeating them, 3/2 from 32000 to 48000 Hz, or None.

    Args:
        samples: Shape (n,), as they stand.
        rate: What is declared, Hz.
        rates: From which they may come, Hz.
    """
    windows = samples[: len(samples) // _WINDOW * _WINDOW].reshape(-1, _WINDOW)
    if len(windows) < _AGREE:
        return None
    with np.errstate(all="ignore"):
        spread = np.nan_to_num(windows.astype(np.float64).std(axis=1), posinf=0.0)
    loud = windows[np.argsort(spread)[-_WINDOWS:]]
    same = loud[:, 1:] == loud[:, :-1]
    usual = float(np.median(same.mean(axis=1)))
    found = {Fraction(rate, source) for source in rates if rate and source < rate}
    found |= {Fraction(times) for times in range(2, _MOST_OFTEN + 1)}
    for ratio in sorted(found):
        if abs(usual - (1 - 1 / ratio)) < _NEAR and sum(_is_held(row, ratio) for row in same) >= _AGREE:
            return ratio
    return None


def _is_held(same: NDArray[np.bool_], ratio: Fraction) -> bool:
    """Whether neighbours are the same just where this ratio holds a sample, in some phase."""
    over, under = ratio.as_integer_ratio()
    source = (np.arange(len(same) + 1) * under + np.arange(over)[:, None]) // over
    held = np.diff(source, axis=1) == 0
    where = (held & same).sum(axis=1) / held.sum(axis=1)
    elsewhere = (~held & same).sum(axis=1) / (~held).sum(axis=1)
    return bool(((where >= _HELD) & (elsewhere <= _MOVED)).any())

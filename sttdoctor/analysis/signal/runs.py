"""Stretches of equal samples: silence that was filled in, holes, a stuck converter."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHORTEST_HOLE_S = 0.005
EDGE_S = 0.002
"""Length of the sound right beside a constant stretch."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Stretches of 5 ms or more in which all samples are equal, in their order.

    Attributes:
        start: Shape (n,), first sample.
        length: Shape (n,), samples.
        value: Shape (n,), their value.
        before: Shape (n,), RMS of the 2 ms before it about its value; 0 where the stream begins there.
        after: The same behind it.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    value: Floats
    before: Floats
    after: Floats


def constant_runs(x: NDArray[Any], first: int, rate: float) -> Floats:
    """Find the constant stretches of a block.

    Args:
        x: Shape (n,), numbers in any unit.
        first: Place of the block in the stream, samples.
        rate: Hz.

    Returns:
        Rows of (start, length, value, level before, level behind) in the unit of `x`. Stretches at the border of the
        block come however short they are: the next block may hold their rest.
    """
    shortest, edge = round(SHORTEST_HOLE_S * rate), max(2, round(EDGE_S * rate))
    part = max(2, shortest // 2)  # a stretch of `shortest` samples covers one whole part of about half its length
    count = len(x) // part
    if count and x[0] == x[-1] and (x == x[0]).all():
        return np.array([[first, len(x), x[0], 0.0, 0.0]])
    rows = x[: count * part].reshape(-1, part)
    maybe = np.flatnonzero((rows[:, 0] == rows[:, -1]) & (rows[:, 0] == rows[:, part // 2]))
    full = maybe[(rows[maybe] == rows[maybe, :1]).all(axis=1)]
    if not len(full):
        return np.empty((0, 5))
    new = np.concatenate([[True], (np.diff(full) > 1) | (rows[full[1:], 0] != rows[full[:-1], 0])])
    ends = np.concatenate([np.flatnonzero(new)[1:] - 1, [len(full) - 1]])
    value = rows[full[new], 0]
    start, stop = full[new] * part, (full[ends] + 1) * part
    beside = np.arange(1, part + 1)
    left = x[np.maximum(start[:, None] - beside, 0)]
    same = (left == value[:, None]) & (start[:, None] - beside >= 0)
    start = start - np.logical_and.accumulate(same, axis=1).sum(axis=1)
    right = x[np.minimum(stop[:, None] + beside - 1, len(x) - 1)]
    same = (right == value[:, None]) & (stop[:, None] + beside - 1 < len(x))
    stop = stop + np.logical_and.accumulate(same, axis=1).sum(axis=1)
    near = np.arange(1, edge + 1)
    middle = value[:, None].astype(np.float64)
    before = x[np.maximum(start[:, None] - near, 0)] - middle
    after = x[np.minimum(stop[:, None] + near - 1, len(x) - 1)] - middle
    levels = [np.sqrt((side**2).mean(axis=1)) for side in (before, after)]
    at_edge = (start == 0) | (stop == len(x))
    found = np.stack([start + first, stop - start, value, *levels], axis=1)
    chosen: Floats = found[(stop - start >= shortest) | at_edge]
    return chosen


def joined(found: Floats, scale: float) -> Runs:
    """Join stretches that a block border cut, and bring their values to full scale.

    Args:
        found: Shape (n, 5), rows from `constant_runs` of all blocks, in order.
        scale: What one unit of the values is of full scale.
    """
    if len(found) > 1:
        goes_on = (found[1:, 0] == found[:-1, 0] + found[:-1, 1]) & (found[1:, 2] == found[:-1, 2])
        group = np.concatenate([[0], np.cumsum(~goes_on)])
        heads = np.concatenate([[True], ~goes_on])
        tails = np.concatenate([~goes_on, [True]])
        lengths = np.bincount(group, weights=found[:, 1])
        found = np.column_stack([found[heads, 0], lengths, found[heads, 2], found[heads, 3], found[tails, 4]])
    start, length, value, before, after = found.T if len(found) else np.empty((5, 0))
    return Runs(start.astype(np.int64), length.astype(np.int64), scale * value, scale * before, scale * after)

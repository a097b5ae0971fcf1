"""Samples that stand still or jump from one end to the other: what a pass over blocks finds of each.

Stretches of equal samples are silence that was filled in, holes, or a stuck converter. Samples that wrapped were louder
than full scale and cast to integers without a limit: they come out at the other end. A wrap throws the waveform by most
of the range from one sample to the next. Sound that is cut off may swing as far, but then stands at the top or bottom
itself; noise swings half as far more often still.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SHORTEST_HOLE_S = 0.005
EDGE_S = 0.002
"""Length of the sound right beside a constant stretch."""

_JUMP_S = 0.000125
NO_ROWS: Floats = np.empty((0, 7))

WRAPPING = ("pcm_s16le", "pcm_s32le")
_WRAP, _STEEP = 1.4, 1.0  # of full scale, of a range of 2: of a wrap; of steps that the range does not explain
_NEAR = 0.995  # of full scale: what wraps passes both ends; sound that was cut off and made softer reaches neither
_MOVING = 0.01  # of full scale: the way to a wrap goes on outwards; a flat top was cut off
_ONE_END = 0.05  # sound that was cut off stands at both ends; here only at the one to which the top wraps
_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Stretches of 5 ms or more in which all samples are equal, in their order.

    Attributes:
        start: Shape (n,), first sample.
        length: Shape (n,), samples.
        value: Shape (n,), their value.
        before: Shape (n,), RMS of the 2 ms before it about its value; 0 where the stream begins there.
        after: The same behind it.
        jump: Shape (n,), how far the sound moves within 1/8 ms where it comes to the value or leaves it, the smaller of
            both, each the most there is in 2 ms; infinite where the stream begins and ends there.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    value: Floats
    before: Floats
    after: Floats
    jump: Floats


def find_constant_runs(x: NDArray[Any], first: int, rate: float) -> Floats:
    """Find the constant stretches of a block.

    Args:
        x: Shape (n,), numbers in any unit.
        first: Place of the block in the stream, samples.
        rate: Hz.

    Returns:
        Rows of (start, length, value, level before, level behind, jump before, jump behind) in the unit of `x`.
        Stretches at the border of the block come however short they are: the next block may hold their rest.
    """
    shortest, edge = round(SHORTEST_HOLE_S * rate), max(2, round(EDGE_S * rate))
    part = max(2, shortest // 2)  # a stretch of `shortest` samples covers one whole part of about half its length
    count = len(x) // part
    if count and x[0] == x[-1] and (x == x[0]).all():
        return np.array([[first, len(x), x[0], 0.0, 0.0, 0.0, 0.0]])
    # three samples of each part rule out nearly all of them, at a fraction of the cost
    rows = x[: count * part].reshape(-1, part)
    maybe = np.flatnonzero((rows[:, 0] == rows[:, -1]) & (rows[:, 0] == rows[:, part // 2]))
    full = maybe[(rows[maybe] == rows[maybe, :1]).all(axis=1)]
    if not len(full):
        return NO_ROWS
    new = np.concatenate([[True], (np.diff(full) > 1) | (rows[full[1:], 0] != rows[full[:-1], 0])])
    ends = np.concatenate([np.flatnonzero(new)[1:] - 1, [len(full) - 1]])
    value = rows[full[new], 0]
    start, stop = full[new] * part, (full[ends] + 1) * part
    beside = np.arange(1, part + 1)
    left = x[np.maximum(start[:, None] - beside, 0)]
    same = (left == value[:, None]) & (start[:, None] - beside >= 0)
    # counts the equal samples up to the first other one
    start = start - np.logical_and.accumulate(same, axis=1).sum(axis=1)
    right = x[np.minimum(stop[:, None] + beside - 1, len(x) - 1)]
    same = (right == value[:, None]) & (stop[:, None] + beside - 1 < len(x))
    stop = stop + np.logical_and.accumulate(same, axis=1).sum(axis=1)
    near, lag = np.arange(edge + 1), max(1, round(_JUMP_S * rate))
    middle = value[:, None].astype(np.float64)
    before = x[np.maximum(start[:, None] - near, 0)] - middle  # from the first sample of the stretch on
    after = x[np.minimum(stop[:, None] - 1 + near, len(x) - 1)] - middle
    levels = [np.sqrt((side[:, 1:] ** 2).mean(axis=1)) for side in (before, after)]
    jumps = [np.abs(side[:, lag:] - side[:, :-lag]).max(axis=1) for side in (before, after)]
    at_edge = (start == 0) | (stop == len(x))
    found = np.stack([start + first, stop - start, value, *levels, *jumps], axis=1)
    chosen: Floats = found[(stop - start >= shortest) | at_edge]
    return chosen


def join_runs(found: Floats, scale: float) -> Runs:
    """Join stretches that a block border cut, and bring their values to full scale.

    Args:
        found: Shape (n, 7), rows from `find_constant_runs` of all blocks, in order.
        scale: What one unit of the values is of full scale.
    """
    if len(found) > 1:
        # a stretch that begins where the one before ends, with the same value, is its rest
        goes_on = (found[1:, 0] == found[:-1, 0] + found[:-1, 1]) & (found[1:, 2] == found[:-1, 2])
        group = np.concatenate([[0], np.cumsum(~goes_on)])
        heads = np.concatenate([[True], ~goes_on])
        tails = np.concatenate([~goes_on, [True]])
        lengths = np.bincount(group, weights=found[:, 1])
        head, tail = found[heads], found[tails]
        found = np.column_stack([head[:, 0], lengths, head[:, 2], head[:, 3], tail[:, 4], head[:, 5], tail[:, 6]])
    start, length, value, before, after, *jumps = found.T
    jump = np.minimum(*(np.where(side > 0, side, np.inf) for side in jumps))
    samples = start.astype(np.int64), length.astype(np.int64)
    return Runs(*samples, scale * value, scale * before, scale * after, scale * jump)


@dataclass(slots=True)
class Wraps:
    """What was found so far.

    Attributes:
        count: Steps of most of the range from a moving waveform, neither end at the very top or bottom.
        steep: Steps of more than half of the range that are none of these.
        places: The samples behind the first few wraps.
    """

    count: int = 0
    steep: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, x: NDArray[np.signedinteger], first: int, bottom: float, top: float) -> None:
        """Look at a block: integers of 16 or 32 bits, shape (n,), from sample `first` on, and its extremes."""
        full = float(np.iinfo(x.dtype).max) + 1
        if top < _NEAR * full or bottom > -_NEAR * full:
            return
        # as doubles: the difference of two int16 does not fit into one
        step = np.abs(np.diff(x.astype(np.float64)))
        at_limit = (x >= top - full // 4096) | (x <= bottom + full // 4096)
        limits = np.iinfo(x.dtype)
        if (x == limits.max).sum() <= _ONE_END * (x == limits.min).sum():  # cut off at 1.0, which is one step too many
            at_limit = x > top - full // 4096
        moving = np.append(False, step[:-1] > _MOVING * full)
        wide = np.flatnonzero((step > _WRAP * full) & moving & ~(at_limit[1:] | at_limit[:-1]))
        self.count += len(wide)
        self.steep += int((step > _STEEP * full).sum()) - len(wide)
        self.places += [first + 1 + int(place) for place in wide[: _SHOWN - len(self.places)]]

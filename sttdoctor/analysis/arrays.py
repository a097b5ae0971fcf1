"""What several analyses do with arrays of numbers, whatever these stand for."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_AT_ONCE = 4096  # places that are looked at at once, so that few numbers are held


@lru_cache(maxsize=256)
def fast_length(least: int) -> int:
    """The smallest product of powers of 2, 3 and 5 that is at least `least` (1 or more): a transform is fast there.

    >>> [fast_length(least) for least in (1, 7, 11, 97, 1025)]
    [1, 8, 12, 100, 1080]
    """
    best = 1 << (least - 1).bit_length()
    fives = 1
    while fives < best:
        threes = fives
        while threes < best:
            twos = threes << max(0, (-(-least // threes) - 1).bit_length())
            best = min(best, twos)
            threes *= 3
        fives *= 5
    return best


def autocorrelate(values: Floats, count: int) -> Floats:
    """How values of shape (n,) agree with themselves, moved by 0 to `count` - 1 places (Wiener-Khinchin, no wrap).

    >>> autocorrelate(np.array([1.0, 0.0, 2.0]), 3).round(9).tolist()
    [5.0, 0.0, 2.0]
    """
    size = fast_length(len(values) + count)
    agreement: Floats = np.fft.irfft(measure_power(np.fft.rfft(values, size)), size)[:count]
    return agreement


def measure_power(spectrum: NDArray[np.complexfloating]) -> Floats:
    """Squared magnitudes, same shape; the root that `abs` takes would be squared again.

    >>> measure_power(np.array([3 + 4j, 2j])).tolist()
    [25.0, 4.0]
    """
    power: Floats = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    return power


def measure_quantile(values: Floats, share: float) -> float:
    """`numpy.quantile` of a few values of shape (n,), at least one: that one takes longer to begin than to sort them.

    >>> measure_quantile(np.array([4.0, 1.0, 3.0]), 0.25), float(np.quantile([4.0, 1.0, 3.0], 0.25))
    (2.0, 2.0)
    """
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)


def find_stretches(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where flags of shape (n,) are set without a break: shape (stretches, 2), the first of each and the one behind it.

    >>> find_stretches(np.array([True, False, True, True])).tolist()
    [[0, 1], [2, 4]]
    """
    bounded = np.zeros(len(flags) + 2, dtype=bool)
    bounded[1:-1] = flags
    return np.flatnonzero(bounded[1:] != bounded[:-1]).reshape(-1, 2)


def find_long_stretches(data: NDArray[np.uint8], table: NDArray[np.bool_], least: int) -> NDArray[np.int64]:
    """`find_stretches` of `table[data]`, but only those of `least` or more; faster where there are few.

    Args:
        data: Shape (n,).
        table: Shape (256,), which values count.
        least: 1 or more.

    >>> find_long_stretches(np.frombuffer(b"--123456789--12345", np.uint8), np.arange(256) >= ord("0"), 8).tolist()
    [[2, 11]]
    """
    # every stretch that is long enough holds as many values of a grid in a row
    step = max(1, least // 5)
    in_a_row = least // step
    grid = table[data[::step]]
    count = max(0, len(grid) - in_a_row + 1)
    likely = find_stretches(np.logical_and.reduce([grid[at : at + count] for at in range(in_a_row)]))
    likely[:, 1] += in_a_row - 1
    # from the value before it, which does not count, to the one behind it
    starts, stops = np.maximum((likely[:, 0] - 1) * step, 0), np.minimum(likely[:, 1] * step + 1, len(data))
    if (stops - starts).sum() > len(data) // 8:
        found = find_stretches(table[data])
        return found[found[:, 1] - found[:, 0] >= least]
    parts = [np.empty((0, 2), np.int64)]
    for at in range(0, len(starts), _AT_ONCE):
        chosen = slice(at, at + _AT_ONCE)
        ends = np.cumsum(stops[chosen] - starts[chosen])
        places = np.repeat(stops[chosen] - ends, stops[chosen] - starts[chosen]) + np.arange(ends[-1])
        some = find_stretches(table[data[places]])
        some = some[some[:, 1] - some[:, 0] >= least]
        parts.append(np.stack([places[some[:, 0]], places[some[:, 1] - 1] + 1], axis=1))
    return np.concatenate(parts)


def subtract_prediction(samples: Floats, lags: Floats, ridge: float) -> Floats:
    """What one linear predictor for all of the samples leaves over (the autocorrelation method, Makhoul 1975).

    Args:
        samples: Shape (n,), more than `order`.
        lags: Autocorrelation at 0 to `order` samples, shape (order + 1,).
        ridge: Share of the power that is added to the diagonal, so that pure tones do not make it singular.

    Returns:
        Shape (n,); 0 for the first `order` samples, which have no past.
    """
    order = len(lags) - 1
    normal = lags[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    normal += (ridge * lags[0] + 1e-30) * np.eye(order)
    error = samples.copy()
    for lag, weight in enumerate(np.linalg.solve(normal, lags[1:]), start=1):
        error[lag:] -= weight * samples[:-lag]
    error[:order] = 0.0
    return error


def weigh_difference(off: float, width: float, most: float) -> float:
    """Density of a normal distribution of a standard deviation at a difference, 0 farther than `most` deviations.

    >>> round(weigh_difference(0.0, 0.5, 3.0), 3), weigh_difference(-2.0, 0.5, 3.0)
    (0.798, 0.0)
    """
    if abs(off) > most * width:
        return 0.0
    return math.exp(-0.5 * (off / width) ** 2) / (width * math.sqrt(2 * math.pi))


def average_neighbours(samples: NDArray[np.float32], fold: int) -> NDArray[np.float32]:
    """Mean of each `fold` samples in a row, shape (n // fold,); a rest is left out."""
    if fold == 1:
        return samples
    rows = samples[: len(samples) // fold * fold].reshape(-1, fold)
    # column by column, as the rows are too short to be added up one by one
    total = rows[:, 0].copy()
    for i in range(1, fold):
        total += rows[:, i]
    return total / np.float32(fold)

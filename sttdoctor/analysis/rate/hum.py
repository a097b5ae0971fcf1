"""Mains hum: lines at multiples of 50 or 60 Hz that stand through speech and pauses.

A line of the mains keeps its frequency and its phase, a voice does neither. So the sound is first brought to about the
same power in each cell of time and frequency: then all the seconds count in which the voice is elsewhere or silent, and
the loud ones hide nothing. One long transform of what is left shows steady lines to a tenth of a hertz, far below the
voice. How many lines stand at the multiples of each spacing says how likely that spacing is, beside all others: a comb
of another origin (a fan, an engine, a robot's flat voice) gets its share, and where nothing stands out, all are alike.
The mains' spacing is 50 or 60 Hz, or, where a rectifier doubles it, 100 or 120.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import average_neighbours, measure_power
from sttdoctor.values import immutable

_FOLD = 8
"""Samples that are averaged to one: hum and its first harmonics stand below half of what is left at all rates."""
_CELL = 124  # averages of a window of the cells: four times a prime, so that their rate is no multiple of a line
_SMOOTHED = (0, 0, 1, 1)
"""Axes of the cells along which their power is averaged, one after the other: lines that beat must not modulate it."""
_EVENED = 0.65  # power of a cell's power by which it is divided: 0.5 is equal power, 1 the weight of a known noise
_LEAST_SHARE = 1e-7  # of the mean power: less than that is no quieter
_SHORTEST, _LONGEST = 12 * _CELL, 1 << 16  # averages that are transformed at once
_ROUND = 512  # their number is a multiple, which transforms fast
_OVERLAP = 4  # windows of the cells that hold a sample
_BLOCK = 32  # bins whose median a line is measured against

_PLAIN, _MOST = 0.9, 5.0  # a line's weight is what its power is above the first, in e-folds, up to the second
_HARMONICS = 8
_ABSENT = 2.0  # what the first line costs where it is absent, the second half of it, and so on: hum has its lowest ones
_LEAST = 6.0  # weight of a comb: noise and speech have as much by chance

_LOWEST, _HIGHEST = 45 / 100_000, 130 / 8000  # cycles a sample: the mains at any rate that is in use
_STEP = 0.0004  # of a spacing's logarithm
_RANGE = math.log(_HIGHEST / _LOWEST)

_MAINS = ((50.0, 0.35), (60.0, 0.35), (100.0, 0.15), (120.0, 0.15))
"""Hz, and share of the hum that has this distance of lines."""
_OFF = 0.002  # standard deviation of a mains frequency and a sound card's clock, relative
_MOST_OFF = 3.0  # standard deviations that still count
_IS_HUM = 0.5
"""Share of such combs, in the sound of a client, that come from the mains."""
_STANDS_S = 4.0
"""Seconds that hum lasts at least: in less a line is too broad to be told from a hum of another kind."""


@immutable
class Comb:
    """Steady lines at multiples of one frequency.

    Attributes:
        likely: How likely each spacing is, which sums to 1, shape (spacings,); `SPACINGS` are those in cycles a sample.
        samples: How many they stand through.
    """

    likely: NDArray[np.float64]
    samples: int


SPACINGS: NDArray[np.float64] = np.exp(np.arange(math.log(_LOWEST), math.log(_HIGHEST), _STEP))
"""Cycles a sample, of a comb's lines."""


def find_comb(samples: NDArray[np.float32]) -> Comb | None:
    """Find the comb of steady lines in a sound; None where there is none, or the sound is too short.

    Args:
        samples: Shape (n,), finite, any scale.
    """
    folded = average_neighbours(samples, _FOLD)
    if len(folded) < _SHORTEST:
        return None
    weights = _weigh_spacings(*_measure_lines(_even_out(folded)))
    if weights.max() < _LEAST:
        return None
    likely = np.exp(weights - weights.max())
    return Comb(likely / likely.sum(), len(samples))


def _even_out(folded: NDArray[np.float32]) -> NDArray[np.float64]:
    """The sound with about the same power in all cells of time and frequency, about as long, at any scale."""
    step = _CELL // _OVERLAP
    window = np.hanning(_CELL + 1)[:-1]
    cells = np.fft.rfft(sliding_window_view(folded, _CELL)[::step] * window, axis=1)
    power = measure_power(cells)
    for axis in _SMOOTHED:
        power = _sum_neighbours(power, axis)
    cells *= (power + _LEAST_SHARE * float(power.mean()) + 1e-20) ** -_EVENED
    parts = np.fft.irfft(cells, _CELL, axis=1) * window
    even = np.zeros((len(parts) + _OVERLAP - 1, step))
    for i in range(_OVERLAP):
        even[i : i + len(parts)] += parts[:, i * step : (i + 1) * step]
    return even.ravel()


def _sum_neighbours(power: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Each with what is before and behind it along an axis of a table; at the ends it counts twice."""
    rows = power.T if axis else power
    total = rows.copy()
    total[1:] += rows[:-1]
    total[:-1] += rows[1:]
    total[[0, -1]] += rows[[0, -1]]
    return total.T if axis else total


def _measure_lines(even: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Weight of a line at each frequency, and how many bins are one cycle a sample."""
    size = min(_LONGEST, len(even) - len(even) % _ROUND)
    window = np.hanning(size)
    power = np.zeros(size // 2 + 1)
    for start in range(0, len(even) - size + 1, size // 2):
        power += measure_power(np.fft.rfft(even[start : start + size] * window))
    level = np.log(power[: len(power) // _BLOCK * _BLOCK] + 1e-30)
    medians = np.median(level.reshape(-1, _BLOCK), axis=1)
    bins = np.arange(len(level))
    around = np.interp(bins, _BLOCK * (np.arange(len(medians)) + 0.5), medians)
    return np.clip(level - around - _PLAIN, 0.0, _MOST), float(size * _FOLD)


def _weigh_spacings(lines: NDArray[np.float64], bins: float) -> NDArray[np.float64]:
    """Sum of the weights of the lines at the multiples of each of `SPACINGS`."""
    count, last = len(SPACINGS), len(lines)
    steps = np.arange(count + round(math.log(_HARMONICS) / _STEP) + 2)
    at = np.minimum(np.rint(_LOWEST * bins * np.exp(_STEP * steps)).astype(int), last)
    # the strongest bin of each step; nothing is known beyond the last
    strongest = np.maximum.reduceat(np.append(lines, 0.0), at)[:-1]
    near = np.pad(strongest, 1)
    near = np.maximum(np.maximum(near[:-2], near[2:]), strongest)
    firsts = [round(math.log(number) / _STEP) for number in range(1, _HARMONICS + 1)]
    found = [near[first : first + count] for first in firsts]
    absent = [_ABSENT / number * np.maximum(0.0, 1 - weight) for number, weight in enumerate(found, 1)]
    return np.asarray(sum(found) - sum(absent))


def weigh_hum(comb: Comb, rate: int) -> tuple[float, str]:
    """How much more likely a comb is hum of the mains at a rate (Hz) than another sound; and what it is then."""
    if comb.samples < _STANDS_S * rate:
        return 1.0, ""
    ratio, best, name = 1 - _IS_HUM, 0.0, ""
    for hz, share in _MAINS:
        inside = slice(*np.searchsorted(SPACINGS, hz / rate * np.exp([-_MOST_OFF * _OFF, _MOST_OFF * _OFF])))
        off = np.log(SPACINGS[inside] * rate / hz) / _OFF
        density = float(comb.likely[inside] @ np.exp(-0.5 * off**2)) / (_OFF * math.sqrt(2 * math.pi))
        part = _IS_HUM * share * density * _RANGE
        ratio += part
        if part > best:
            best, name = part, f"lines of {hz if hz < 100 else hz / 2:.0f} Hz mains hum"
    return (ratio, name) if ratio > 1.0 else (1.0, "")

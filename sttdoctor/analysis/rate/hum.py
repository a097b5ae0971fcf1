"""Mains hum: lines at multiples of 50 or 60 Hz that stand through speech and pauses.

Unlike a voice a line of the mains never moves, so in each frequency the weaker windows are looked at. What stands out
of their spectrum as sharp lines, all at multiples of one frequency, is a comb; the mains' is at 50 or 60 Hz, or, where
a rectifier doubles it, at 100 or 120. That another comb (a fan, an engine, a robot's flat voice) lies so near is
possible; the likelihood ratio says how seldom.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import average_neighbours, weigh_difference
from sttdoctor.values import immutable

_FOLD = 8
"""Samples that are averaged to one: hum and its first harmonics stand below half of what is left at all rates."""
_WINDOWS = (512, 8192)  # shortest and longest, in averages of `_FOLD` samples
_WEAK, _WEAKER = 25.0, 12.0  # percentile of the windows: voices are gone there, hum is not
_BESIDE = 12  # bins to both sides whose median a line is measured against
_LINE_DB, _SHARP_DB = 9.0, 6.0
_PLAIN_DB, _MOST_DB = 6.0, 20.0  # a line's weight is what is above the first, up to the second
_EXPLAINED = 0.8  # of the lines, by weight
_HARMONICS = 16
_STRONGEST = 6  # lines that are tried as a harmonic
_LOWEST_BINS = 4.0
_LEAST = 10.0  # dB of weight that a comb has in all

_MAINS = ((50.0, 0.35), (60.0, 0.35), (100.0, 0.15), (120.0, 0.15))
"""Hz, and share of the hum that has this distance of lines."""
_OFF = 0.002  # standard deviation of a mains frequency and a sound card's clock, relative
_MOST_OFF = 3.0  # standard deviations that still count
_RANGE = 2.0  # e-folds in which another comb may be
_IS_HUM = 0.5
"""Share of such combs, in the sound of a client, that come from the mains."""


@immutable
class Comb:
    """Steady lines at multiples of one frequency.

    Attributes:
        spacing: That frequency in cycles a sample.
        off: Standard deviation of it, relative.
        harmonics: Which multiples there are.
    """

    spacing: float
    off: float
    harmonics: tuple[int, ...]


def find_comb(samples: NDArray[np.float32]) -> Comb | None:
    """Find the comb of steady lines in a sound; None where there is none, or the sound is too short.

    Args:
        samples: Shape (n,), finite, any scale.
    """
    folded = average_neighbours(samples, _FOLD)
    count = len(folded)
    shortest, longest = _WINDOWS
    if count < 3 * shortest:
        return None
    # long windows are exact, short ones fit into pauses
    size = int(min(longest, max(shortest, 1 << int(math.log2(count / 4)))))
    for part in (size, size // 4):
        if part >= shortest:
            bins, weights = _find_lines(_measure_weak(folded, part))
            comb = _find_spacing(bins, weights, 1 / (part * _FOLD))
            if comb is not None:
                return comb
    return None


def _measure_weak(folded: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """Power of the weaker windows at each frequency in dB, shape (size // 2 + 1,)."""
    frames = sliding_window_view(folded, size)[:: size // 2]
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * window, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    weak = np.percentile(power, _WEAK if len(power) < 20 else _WEAKER, axis=0)
    return np.asarray(10 * np.log10(weak + 1e-12 * float(power.mean()) + 1e-30))


def _find_lines(level: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places (bins) and weights (dB) of the sharp lines of a spectrum in dB, shape (bins,)."""
    windows = sliding_window_view(np.pad(level, _BESIDE, mode="edge"), 2 * _BESIDE + 1)

    def measure_above(at: NDArray[np.int64]) -> NDArray[np.float64]:
        around: NDArray[np.float64] = np.median(windows[at], axis=1)
        return level[at] - around

    k = np.arange(_BESIDE // 2, len(level) - 3)
    k = k[(level[k] > level[k - 1]) & (level[k] >= level[k + 1])]
    above = measure_above(k)
    k, above = k[above > _LINE_DB], above[above > _LINE_DB]
    sharp = above - np.maximum(measure_above(k - 3), measure_above(k + 3)) > _SHARP_DB
    k, above = k[sharp], above[sharp]
    left, middle, right = level[k - 1], level[k], level[k + 1]
    shift = 0.5 * (left - right) / (left - 2 * middle + right)
    return k + shift, np.clip(above - _PLAIN_DB, 0.0, _MOST_DB)


def _find_spacing(bins: NDArray[np.float64], weights: NDArray[np.float64], width: float) -> Comb | None:
    """The widest spacing that explains the lines, with a first or second harmonic; `width` is that of a bin."""
    best: Comb | None = None
    for line in np.argsort(-weights, kind="stable")[:_STRONGEST]:
        for part in range(1, 9):
            spacing = float(bins[line]) / part
            fits = np.zeros(len(bins), bool)
            for _ in range(2):  # once by the line alone, then by all that fit
                number = np.round(bins / spacing)
                inside = (number >= 1) & (number <= _HARMONICS)
                fits = inside & (np.abs(bins - number * spacing) < 0.35 + 0.0008 * bins)
                if fits.sum() >= 2:
                    spacing = float((weights * number * bins)[fits].sum() / (weights * number**2)[fits].sum())
            explained = float(weights[fits].sum())
            if fits.sum() < 2 or spacing < _LOWEST_BINS or number[fits].min() > 2:
                continue
            if explained < max(_LEAST, _EXPLAINED * float(weights.sum())):
                continue
            off = 0.15 / (float(np.sqrt((number[fits] ** 2).sum())) * spacing)
            if best is None or spacing * width > 1.02 * best.spacing:
                best = Comb(spacing * width, off, tuple(number[fits].astype(int).tolist()))
    return best


def weigh_hum(comb: Comb, rate: int) -> tuple[float, str]:
    """How much more likely a comb is hum of the mains at a rate (Hz) than another sound; and what it is then."""
    width = math.hypot(_OFF, comb.off)
    best = (1.0, "")
    for hz, share in _MAINS:
        density = weigh_difference(math.log(comb.spacing * rate / hz), width, _MOST_OFF)
        if density > 0:
            mains = hz if hz < 100 else hz / 2
            name = f"lines of {mains:.0f} Hz mains hum"
            best = max(best, (_IS_HUM * share * density * _RANGE + 1 - _IS_HUM, name))
    return best

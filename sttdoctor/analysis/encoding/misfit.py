"""Integers that were put into an encoding without the shift or factor that it asks for.

Floats that are cast as they are leave -1, 0 and 1; a converter counts from 0; the low bits of wider samples wrap
around so often that loud sound looks like noise, and only its quiet parts, followed modulo the range, go on smoothly.
All of it is told from the codes themselves, before a description length is asked, for as sound they are anything.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Kind = Literal["cast", "converter", "low bits"]

_STEP = 320  # samples, 7 to 40 ms
_FEWEST = 50  # codes that are not zero
_BURSTS = 5.0  # variance to mean of the counts of a step: 1 of hiss, below it of hum, far above of syllables
_ON, _FLIP, _LONGEST = 0.4, 0.1, 48  # shares of codes that the next one equals or negates; samples of a usual stretch
_CONVERTERS = ((10, 0.04), (12, 0.15))  # bits, and how far the rest position may be off the middle of their range
_SWING = 0.02  # of the range, at least
_SMOOTH = 12  # samples in a row that must go on smoothly, modulo the range: by chance 1 in 4 each does
_BENDS = 1 / 8  # of the range
_LAPS = 4  # ranges that they go through meanwhile: sound that is merely too loud has two
_STRETCHES = 6
_FLAT = (0.54, 0.61)  # RMS of full scale where all codes are as frequent: 0.577
_RELATED = 0.2  # correlation with the next sample, in sound


@dataclass(frozen=True, slots=True)
class Misfit:
    """What the codes are, and how many bits of the encoding (`converter`) or of the sample (`low bits`) they fill."""

    kind: Kind
    bits: int


def find_misfit(codes: Codes, bits: int) -> Misfit | None:
    """Tell what codes are that fit their encoding's bits but not its scale.

    Args:
        codes: Shape (n,): signed integers as they stand; the active parts of a recording.
        bits: Of a code.

    Returns:
        None where nothing tells, also of sound that is only quiet, off centre, or too loud now and then.
    """
    if len(codes) < 4 * _STEP:
        return None
    if bits > 8 and _is_cast(codes):
        return Misfit("cast", 1)
    if bits == 16:
        for size, off in _CONVERTERS:
            if _is_converter(codes, 1 << size, off):
                return Misfit("converter", size)
    if bits == 16 and (_laps(codes, 1 << bits) or _is_empty_noise(codes)):
        return Misfit("low bits", bits)
    return None


def _is_cast(codes: Codes) -> bool:
    """Whether the codes are what is left of floats: -1, 0 and 1, in bursts and of some length, as no hiss has them."""
    sounding = codes != 0
    count = int(np.count_nonzero(sounding))
    if not _FEWEST <= count <= 0.7 * len(codes) or np.abs(codes).max() > 1:
        return False
    steps = np.add.reduceat(sounding, np.arange(0, len(codes) - _STEP + 1, _STEP)).astype(np.float64)
    before, after = codes[:-1][sounding[:-1]], codes[1:][sounding[:-1]]
    on, flips = float((before == after).mean()), float((before == -after).mean())
    is_long = on > 1.0 - 1.0 / _LONGEST
    return bool(steps.var() >= _BURSTS * steps.mean()) and on >= _ON and flips <= _FLIP and not is_long


def _is_converter(codes: Codes, size: int, off: float) -> bool:
    """Whether all codes lie within 0 and a converter's range, around its middle, and move."""
    if codes.min() < 0 or codes.max() >= size:
        return False
    moving = codes[codes != 0]
    if len(moving) < len(codes) // 2 or np.ptp(np.quantile(moving, [0.001, 0.999])) < _SWING * size:
        return False
    return abs(float(np.median(moving)) / size - 0.5) <= off


def _laps(codes: Codes, size: int) -> bool:
    """Whether the codes go on smoothly modulo their range while they pass its end again and again."""
    way = np.diff(codes)
    bends = (np.diff(way) + size // 2) % size - size // 2
    smooth = np.concatenate([[False], np.abs(bends) < _BENDS * size, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(smooth)).reshape(-1, 2)
    long = edges[edges[:, 1] - edges[:, 0] >= _SMOOTH]
    return sum(_reach(way[first], bends[first:stop], size) >= _LAPS * size for first, stop in long) >= _STRETCHES


def _reach(way: np.int64, bends: Codes, size: int) -> int:
    """How far sound goes that sets out by `way` and bends so, of which codes tell `way` only modulo their range."""
    first = (int(way) + size // 2) % size - size // 2
    return int(np.ptp(np.cumsum(first + np.cumsum(bends))))


def _is_empty_noise(codes: Codes) -> bool:
    """Whether the low byte of 16 bits is empty and the high one full noise: the lowest byte of 24 bits in 32."""
    if (codes % 256 != 0).mean() > 1e-3:
        return False
    loud = codes[: len(codes) // _STEP * _STEP].reshape(-1, _STEP) / 32768.0
    loud = loud[np.argsort(loud.var(axis=1))[len(loud) // 2 :]].reshape(-1)
    level = float(np.sqrt((loud**2).mean()))
    return _FLAT[0] <= level <= _FLAT[1] and abs(float((loud[1:] * loud[:-1]).mean())) < _RELATED * level**2

"""Tones of telephones, whose frequencies are known: keys (DTMF), ringing, busy and dial tones, the call of a fax.

A sound of one or two steady lines is looked for without knowing the sample rate, in windows of several lengths. Two
lines at once say which tone it is by their ratio, and by their place at which rate it was sampled. One line alone could
be any beep: there the rhythm has to fit as well.

Sources: ITU-T Q.23 (DTMF, 1.5 %), ITU-T E.180 and its supplement 2 (call progress), ITU-T T.30 (fax).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import average_neighbours, find_stretches, measure_power, weigh_difference
from sttdoctor.values import immutable

SIZES = ((384, 1), (1024, 1), (4096, 4), (8192, 4))
"""Samples of a window, and how many of them are averaged to one.

Keys of 60 ms at 8 kHz need the shortest. Tones 40 Hz apart at 48 kHz need the longest; such lie below 1000 Hz.
"""

_SHARE = 0.85  # of the power that the lines hold
_TWIST_DB = 12.0  # between two lines of one tone
_FAINT_DB = 30.0  # below the loudest windows nothing is looked at
_STEADY = 0.006  # relative change of a line from window to window
_WINDOWS = 3  # of half a step, at least, in which a tone stands
_SHORT = 1024  # longest window in which the rhythm of one line is looked for
_LOWEST_BIN = 4  # below that a line is mixed with its own mirror image
_BATCH = 1 << 18  # samples of windows that are transformed at a time: they stay in the cache

_OFF = 0.004  # standard deviation of a tone's frequency, relative: of its maker and of the measurement
_OFF_PERIOD, _OFF_DUTY = 0.015, 0.05
_MOST_SINGLES = 50  # that are tried as the first of a rhythm
_EDGE = 600.0  # samples that the edge of a tone may be off
_MOST_OFF = 3.0  # standard deviations that still count
_IS_KNOWN = 0.5
"""Share of such steady tones, in the sound of a client, that are these tones and not a beep of another kind."""

_KEYS = {
    key: (row, column)
    for row, keys in zip((697.0, 770.0, 852.0, 941.0), ("123A", "456B", "789C", "*0#D"), strict=True)
    for column, key in zip((1209.0, 1336.0, 1477.0, 1633.0), keys, strict=True)
}
_SHORTEST_KEY_S = 0.035

_PAIRS = {
    "dial tones": (350.0, 440.0, 1.0),
    "ringing tones": (440.0, 480.0, 0.3),
    "busy tones": (480.0, 620.0, 0.15),
    "British ringing tones": (400.0, 450.0, 0.3),
}
"""Two frequencies in Hz, and seconds that the tone lasts at least."""

_RHYTHMS = (
    *(("ringing tones", 425.0, on, off) for on, off in ((1.0, 4.0), (1.0, 3.0), (1.5, 3.0), (1.0, 5.0), (1.2, 4.65))),
    *(("ringing tones", 450.0, on, off) for on, off in ((1.0, 4.0),)),
    *(("ringing tones", 440.0, on, off) for on, off in ((1.5, 3.5),)),
    *(("busy tones", 425.0, on, on) for on in (0.5, 0.48, 0.375, 0.3, 0.25, 0.24, 0.2)),
    *(("busy tones", 400.0, on, on) for on in (0.5, 0.375)),
    *(("busy tones", hz, on, on) for hz, on in ((440.0, 0.5), (450.0, 0.35))),
    ("calling tones of a fax", 1100.0, 0.5, 3.0),
)
"""Name, Hz, seconds on, seconds off."""


@immutable
class Tone:
    """A steady sound of one or two lines.

    Attributes:
        start: First sample, give or take half a window.
        stop: Behind its last.
        low: Frequency of its lower line in cycles a sample.
        high: Of its upper line; equal to `low` for one line.
    """

    start: int
    stop: int
    low: float
    high: float


def find_tones(samples: NDArray[np.float32]) -> tuple[list[Tone], list[Tone]]:
    """Find what sounds of two lines and of one line there are.

    Args:
        samples: Shape (n,), finite, any scale.

    Returns:
        The sounds of two lines and those of one, each in order; of those that overlap the longest.
    """
    pairs: list[Tone] = []
    singles: list[Tone] = []
    for size, fold in SIZES:
        if len(samples) < 3 * size:
            break
        lines = _measure_lines(average_neighbours(samples, fold), size // fold)
        pairs += _join_steady(lines, lines.is_pair, size, fold)
        if size <= _SHORT:  # longer ones hide the rhythm
            singles += _join_steady(lines, lines.is_single, size, fold)
    return _keep_longest(pairs), _keep_longest(singles)


def _keep_longest(tones: list[Tone]) -> list[Tone]:
    """Of those that overlap the longest, in order."""
    kept: list[Tone] = []
    for tone in sorted(tones, key=lambda tone: (tone.start - tone.stop, tone.start)):
        at = bisect_left(kept, tone.start, key=lambda other: other.start)
        if (at == 0 or kept[at - 1].stop <= tone.start) and (at == len(kept) or tone.stop <= kept[at].start):
            kept.insert(at, tone)
    return kept


@immutable
class _Lines:
    """Of each window, shape (windows,): its one or two strongest lines in cycles a sample, and what it is."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    is_pair: NDArray[np.bool_]
    is_single: NDArray[np.bool_]


def _measure_lines(samples: NDArray[np.float32], size: int) -> _Lines:
    frames = sliding_window_view(samples, size)[:: size // 2]
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    step = max(1, _BATCH // size)
    # doubles: numpy transforms single precision far slower
    parts = [
        _find_two_lines(np.multiply(frames[i : i + step], window, dtype=np.float64))
        for i in range(0, len(frames), step)
    ]
    first, second, one, two, total = (np.concatenate([part[k] for part in parts]) for k in range(5))
    total = np.maximum(total, 1e-20)
    heard = total > np.percentile(total, 95) * 10 ** (-_FAINT_DB / 10)
    is_single = heard & (one > _SHARE * total)
    is_pair = heard & (one + two > _SHARE * total) & (two > one * 10 ** (-_TWIST_DB / 10))
    is_single &= ~is_pair
    low = np.where(is_pair, np.minimum(first, second), first)
    return _Lines(low / size, np.where(is_pair, np.maximum(first, second), first) / size, is_pair, is_single)


def _find_two_lines(frames: NDArray[np.float64]) -> tuple[NDArray[Any], ...]:
    """Places (bins) and powers of the two strongest lines of each frame, and the power of all."""
    power = measure_power(np.fft.rfft(frames, axis=1))
    power[:, :2] = 0.0  # no offset, and what a window makes of it
    rows, last = np.arange(len(power))[:, None], power.shape[1] - 3
    total = power.sum(axis=1)
    found = []
    for _ in range(2):
        peak = power[:, _LOWEST_BIN : last + 1].argmax(axis=1) + _LOWEST_BIN
        near = power[rows, peak[:, None] + np.arange(-2, 3)].T
        left, middle, right = np.log(near[1:4] + 1e-20)
        bend = left - 2 * middle + right
        shift = np.where(bend < 0, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
        # what rises towards the offset has no top here
        found += [peak + np.clip(shift, -0.6, 0.6), np.where(near[1] > near[2], 0.0, near.sum(axis=0))]
        if len(found) == 2:  # the second line is looked for without the first one
            power[rows, np.clip(peak[:, None] + np.arange(-3, 4), 0, last + 2)] = 0.0
    return found[0], found[2], found[1], found[3], total


def _join_steady(lines: _Lines, is_tone: NDArray[np.bool_], size: int, fold: int) -> list[Tone]:
    """Neighbouring windows of `size` samples with the same lines, which were measured in averages of `fold`."""
    change = np.maximum(np.abs(np.diff(np.log(lines.low))), np.abs(np.diff(np.log(lines.high))))
    tones = []
    for first, last in find_stretches(is_tone[1:] & is_tone[:-1] & (change < _STEADY)):
        if last - first + 1 >= _WINDOWS:
            low, high = (float(np.median(part[first : last + 1])) / fold for part in (lines.low, lines.high))
            tones.append(Tone(int(first) * size // 2, int(last) * size // 2 + size, low, high))
    return tones


def _density(off: float, width: float) -> float:
    """How likely a difference of logarithms is."""
    return weigh_difference(off, width, _MOST_OFF)


def _list_distinct(tones: Sequence[Tone]) -> list[Tone]:
    """The first of those that sound alike: what repeats itself says nothing new."""
    kept: list[Tone] = []
    for tone in tones:
        if not any(_are_alike(tone, other) for other in kept):
            kept.append(tone)
    return kept


def _are_alike(one: Tone, other: Tone) -> bool:
    apart = max(abs(math.log(one.low / other.low)), abs(math.log(one.high / other.high)))
    return apart <= 2 * _MOST_OFF * _OFF


def weigh_keys(pairs: Sequence[Tone], rate: int) -> tuple[float, str]:
    """How much more likely two lines at once are keys of a telephone at a rate (Hz) than other tones; and which keys.

    The likelihood ratio of all that are distinct, 1 where none is a key, and their names in order.
    """
    ratio, names = 1.0, []
    for tone in _list_distinct([pair for pair in pairs if (pair.stop - pair.start) / rate >= _SHORTEST_KEY_S]):
        found = {
            key: _density(math.log(tone.low * rate / row), _OFF) * _density(math.log(tone.high * rate / column), _OFF)
            for key, (row, column) in _KEYS.items()
        }
        key = max(found, key=found.__getitem__)
        if found[key] > 0.0:
            names.append(key)
        # beside another tone, which is anywhere in about an e-fold of each frequency
        ratio *= _IS_KNOWN * found[key] / len(_KEYS) + 1 - _IS_KNOWN
    if not names:
        return 1.0, ""
    return ratio, f"DTMF digits {' '.join(names)}" if len(names) > 1 else f"the tones of DTMF digit {names[0]}"


def weigh_progress(pairs: Sequence[Tone], rate: int) -> tuple[float, str]:
    """The same for the tones of the telephone network that have two frequencies."""
    best = (1.0, "")
    for name, (low, high, shortest_s) in _PAIRS.items():
        for tone in pairs:
            if (tone.stop - tone.start) / rate >= shortest_s:
                near = _density(math.log(tone.low * rate / low), _OFF)
                near *= _density(math.log(tone.high * rate / high), _OFF)
                if near > 0:
                    best = max(best, (_IS_KNOWN * near / len(_PAIRS) + 1 - _IS_KNOWN, name))
    return best


def weigh_rhythm(singles: Sequence[Tone], rate: int) -> tuple[float, str]:
    """The same for tones of one frequency that come again and again: frequency, period and share must all fit."""
    best = (1.0, "")
    for low, period, duty in _find_rhythms(singles):
        for name, hz, on_s, off_s in _RHYTHMS:
            near = _density(math.log(low * rate / hz), _OFF)
            near *= _density(math.log(period / rate / (on_s + off_s)), _OFF_PERIOD)
            near *= float(abs(duty - on_s / (on_s + off_s)) <= _OFF_DUTY + _EDGE / period)
            if near > 0:
                best = max(best, (_IS_KNOWN * near / len(_RHYTHMS) + 1 - _IS_KNOWN, name))
    return best


def _sounds_again(tone: Tone, other: Tone) -> bool:
    length, other_length = tone.stop - tone.start, other.stop - other.start
    return abs(math.log(other.low / tone.low)) <= _OFF and abs(other_length - length) < max(0.1 * length, _EDGE)


def _find_rhythms(singles: Sequence[Tone]) -> list[tuple[float, float, float]]:
    """(cycles a sample, samples of a period, share of it that sounds) of each three or more alike at one distance."""
    found = []
    for i, tone in enumerate(singles[:_MOST_SINGLES]):
        same = [other for other in singles[i:] if _sounds_again(tone, other)]
        if len(same) < 3:
            continue
        starts = np.array([other.start for other in same], float)
        periods = np.diff(starts)
        usual = float(np.median(periods))
        regular = periods[np.abs(periods - usual) < max(0.03 * usual, _EDGE)]
        if len(regular) >= 0.6 * len(periods):
            length = float(np.median([other.stop - other.start for other in same]))
            found.append((tone.low, float(regular.mean()), length / usual))
    return found

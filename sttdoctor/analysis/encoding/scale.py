"""The regular scale that coarse samples lie on in a finer encoding, whatever factor brought them there.

8-bit speech in 16-bit samples is k * 256 where it was shifted, about k * 255.99 where it went through floats, k * 94.7
after a volume control, with a step of its own below zero in the idiom of browsers (`x < 0 ? x * 0x8000 : x * 0x7fff`),
and off by one here and there where it was truncated or dithered. All of these are a straight line for each sign, and a
remainder of a few cells. What the line leaves over is charged: for each value of the scale once where it is always the
same, else for each sample.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.non_pcm import adaptive_bits

Floats = NDArray[np.float64]
Line = tuple[float, float]
"""Step and offset."""

_COARSE = 8.0  # cells: a finer scale than that saves too little to look for
_NEAR = 4.0  # cells: values so close together are one of the scale and its dither
_LEFT = 3  # cells at most that a value may lie beside the scale
_APART = 0.05  # steps that the lines of both signs may lie apart where they meet
_ON_SCALE = 0.995  # share of samples that must lie on it
_QUANTILES = (0.0, 0.05, 0.25)  # of the distances of neighbours: one of them is one step, whatever clicks add
_FLOAT = 2.0**-23  # of a value: how exact it is at best where it went through 32-bit floats
_LINE_BITS = 24.0  # the offsets of two lines, and the difference of their steps
_ANY_STEP_BITS = 24.0  # a step that is not that of a plain conversion
_DEPTHS = (8, 10, 12, 14, 16, 20, 24)  # bits of sources


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """A scale and what it costs to tell it.

    Attributes:
        step: Distance of its values.
        bits: To describe it, and what it leaves over of all samples.
        on: Which of the values lie on it, shape as they were given.
        same: Whether what is left over follows from the value of the scale, as it does without dither.
    """

    step: float
    bits: float
    on: NDArray[np.bool_]
    same: bool


def find_scale(values: Floats, cells: Floats, full: float) -> Scale | None:
    """Find the scale that nearly all values lie on.

    Args:
        values: Shape (n,), finite.
        cells: To how much each is rounded, shape (n,), above 0.
        full: Full scale in their unit.

    Returns:
        A scale of at least 8 cells a step; None where there is none.
    """
    known, widths = _known(values, cells)
    if len(known) < 4:
        return None
    with np.errstate(all="ignore"):  # what overflows lies on no line
        lines = _lines(known, widths)
        return _described(values, known, widths, lines, full) if lines is not None else None


def _lines(known: Floats, widths: Floats) -> list[Line] | None:
    """The lines of the values below zero and of the others; None where they lie on none."""
    below = known < 0.0
    sides = [below, ~below]
    sides.sort(key=np.count_nonzero, reverse=True)
    main = _line(known[sides[0]], widths[sides[0]], None)
    if main is None:
        return None
    other = _line(known[sides[1]], widths[sides[1]], main[0]) or main
    apart = (main[1] - other[1]) / main[0]
    if not abs(apart - np.rint(apart)) <= max(_APART, 2 * _LEFT * float(widths.min()) / main[0]):
        return None  # as of bytes that were swapped: the values of both signs are no one scale
    other = (other[0], other[1] + float(np.rint(apart)) * other[0])  # now both count from the same place
    return [main, other] if sides[0] is below else [other, main]


def _described(values: Floats, known: Floats, widths: Floats, lines: list[Line], full: float) -> Scale | None:
    """The scale with its lines as most samples have them; None where too many lie beside it."""
    place = np.searchsorted(known, values)
    counts = np.bincount(place, minlength=len(known))
    at, line = np.empty(len(known)), np.empty(len(known))
    below = known < 0.0
    for side, (step, offset) in zip((below, ~below), lines, strict=True):
        at[side] = np.rint((known[side] - offset) / step)
        if len(np.unique(at[side])) > 1:
            step, offset = _straight(at[side], known[side], counts[side] / widths[side] ** 2)
        line[side] = step * at[side] + offset
    first = int(np.count_nonzero(below))
    if 0 < first < len(known) and at[first - 1] == at[first]:
        line[below & (at == at[first])] = line[first]  # where both signs meet in one place, one line tells them apart
    left = np.rint((known - line) / widths)
    step = max(line[0] for line in lines)
    on = np.abs(left) <= np.minimum(_LEFT, step / _COARSE / widths)
    if counts[on].sum() < _ON_SCALE * len(values):
        return None
    same = len(np.unique(at[on])) == np.count_nonzero(on)
    table = np.bincount(
        left[on].astype(np.int64) + _LEFT, weights=None if same else counts[on], minlength=2 * _LEFT + 1
    )
    bits = _LINE_BITS + float(adaptive_bits(table.astype(np.int64)[None, :])[0])
    bits += 0.0 if _is_plain(step, full) else _ANY_STEP_BITS
    return Scale(step, bits, on[place], same)


def _is_plain(step: float, full: float) -> bool:
    """Whether it is the step of a source of some bits at full volume, whatever either side takes for full scale."""
    codes = [2.0 ** (bits - 1) for bits in _DEPTHS]
    return any(abs(full / step - count) <= 1.1 for count in codes)


def _known(values: Floats, cells: Floats) -> tuple[Floats, Floats]:
    """The different values in ascending order, and to how much each is rounded at best."""
    if len(cells) and cells.min() == cells.max():
        known = np.unique(values)
        widths: Floats = np.full(len(known), cells[0])
    else:
        known, first = np.unique(values, return_index=True)
        widths = cells[first]
    return known, np.maximum(widths, _FLOAT * np.abs(known))


def _line(known: Floats, widths: Floats, step: float | None) -> Line | None:
    """Step and offset of the line on which the values of one sign lie, None where there is none.

    Args:
        known: The values in ascending order, shape (n,).
        widths: To how much each is rounded.
        step: As known from the other sign.
    """
    if len(known) < 3:
        return None
    first = np.concatenate([[0], np.flatnonzero(np.diff(known) > _NEAR * np.maximum(widths[1:], widths[:-1])) + 1])
    if len(first) < 3:
        return None
    middles = np.add.reduceat(known, first) / np.diff(first, append=len(known))
    widest = np.maximum.reduceat(widths, first)
    gaps = np.diff(middles)
    wide = gaps > _COARSE * np.maximum(widest[1:], widest[:-1])
    if wide.mean() < 0.9:
        return None
    guesses = [step or 0.0, *np.quantile(gaps[wide], _QUANTILES, method="lower").tolist()]
    between = np.diff(np.sort(gaps[wide]))  # where no neighbours occur, as at a volume above 1, two distances tell
    between = between[between > _COARSE * widest.min()]
    guesses += np.quantile(between, _QUANTILES[:2], method="lower").tolist() if len(between) else []
    found = (_grown(middles, widest, guess) for guess in dict.fromkeys(guesses) if guess)
    return next((line for line in found if line is not None), None)


def _grown(middles: Floats, widths: Floats, step: float) -> Line | None:
    """The line through values of one sign, grown from those near zero outwards; None where they leave it."""
    if middles[-1] <= 0.0:
        middles, widths = middles[::-1], widths[::-1]
    away = middles - middles[0]
    far = np.abs(away)
    offset, count = 0.0, 3
    while True:
        count = min(len(away), max(count, int(np.searchsorted(far, 4.0 * step, side="right"))))
        some, tight = away[:count], widths[:count]
        places = np.rint((some - offset) / step)
        good = np.abs(some - offset - step * places) <= np.maximum(_LEFT * tight, 0.02 * step)
        if good.mean() < 0.9 or np.ptp(places[good]) < 1:
            return None
        step, offset = _straight(places[good], some[good], 1.0 / tight[good] ** 2)
        if count == len(away):
            return step, offset + float(middles[0])
        count = max(count + 1, int(np.searchsorted(far, 4.0 * far[count - 1], side="right")))


def _straight(places: Floats, values: Floats, weights: Floats) -> Line:
    """The line that fits best by weighted least squares."""
    shares = weights / weights.max()
    shares /= shares.sum()
    middle, mean = float(shares @ places), float(shares @ values)
    aside = shares * (places - middle)
    step = float(aside @ (values - mean) / (aside @ (places - middle)))
    return step, mean - step * middle

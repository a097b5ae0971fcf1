"""Bytes to samples with the width of each sample's quantiser cell: what a description length needs of an encoding.

A cell is the interval of values that one code stands for: one step for linear PCM, a segment's step for G.711, one
unit in the last place for floats. Samples often lie on a coarser grid than their encoding offers (16-bit audio in the
upper half of 32-bit words, floats that are k/32768 or k, 8 bits at any volume): the grid is found and widens the cells.

Coarse samples lie on a regular scale whatever factor brought them there: 8-bit speech in 16-bit samples is k * 256
where it was shifted, about k * 255.99 where it went through floats, k * 94.7 after a volume control, with a step of its
own below zero in the idiom of browsers (`x < 0 ? x * 0x8000 : x * 0x7fff`), and off by one here and there where it was
truncated or dithered. All of these are a straight line for each sign, and a remainder of a few cells. What the line
leaves over is charged: for each value of the scale once where it is always the same, else for each sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE, decode
from sttdoctor.analysis.encoding.non_pcm import count_adaptive_bits
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

Floats = NDArray[np.float64]
Line = tuple[float, float]
"""Step and offset."""

_COARSE = 8.0  # cells: a finer scale than that saves too little to look for
_NEAR = 4.0  # cells: values so close together are one of the scale and its dither
_LEFT = 3  # cells at most that a value may lie beside the scale
_FARTHER = 2.0  # rounding by one cell over a distance turns a fit by at most 1.5 cells there, by 3 at twice of it
_APART = 0.05  # steps that the lines of both signs may lie apart where they meet
_ON_SCALE = 0.995  # share of samples that must lie on it
_QUANTILES = (0.0, 0.05, 0.25)  # of the distances of neighbours: one of them is one step, whatever clicks add
_FLOAT = 2.0**-23  # of a value: how exact it is at best where it went through 32-bit floats
_LINE_BITS = 24.0  # the offsets of two lines, and the difference of their steps
_ANY_STEP_BITS = 24.0  # a step that is not that of a plain conversion
_DEPTHS = (8, 10, 12, 14, 16, 20, 24)  # bits of sources

_ON_GRID = 0.995
"""Share of samples that must lie on a grid: the rest are clicks and the like, and pay for a raw code."""

_HIGH = 2000  # beyond every exponent of a float
_FEW = 512  # samples looked at first: when half of them are different, there is no codebook
_VALUE_BITS = 12.0  # to tell one value of a codebook: its place on a scale of a coarse source

_TWO_IN_ONE = ("pcm_s32le", "s32be")
"""Words that two samples of 16 bits may look like."""
_SAME = 0.98  # correlation of two channels of one source

_LOUDEST = 2.0**32  # floats and 64-bit integers beyond it are samples in no scale that clients use: at most +-2**31


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
    known, widths = _list_known(values, cells)
    if len(known) < 4:
        return None
    with np.errstate(all="ignore"):  # what overflows lies on no line
        lines = _find_lines(known, widths)
        return _describe_scale(values, known, widths, lines, full) if lines is not None else None


def _find_lines(known: Floats, widths: Floats) -> list[Line] | None:
    """The lines of the values below zero and of the others; None where they lie on none."""
    below = known < 0.0
    sides = [below, ~below]
    # the sign with more values has the surer step, which the other one starts from
    sides.sort(key=np.count_nonzero, reverse=True)
    main = _find_line(known[sides[0]], widths[sides[0]], None)
    if main is None:
        return None
    other = _find_line(known[sides[1]], widths[sides[1]], main[0]) or main
    apart = (main[1] - other[1]) / main[0]
    if not abs(apart - np.rint(apart)) <= max(_APART, 2 * _LEFT * float(widths.min()) / main[0]):
        return None  # as of bytes that were swapped: the values of both signs are no one scale
    other = (other[0], other[1] + float(np.rint(apart)) * other[0])  # now both count from the same place
    return [main, other] if sides[0] is below else [other, main]


def _describe_scale(values: Floats, known: Floats, widths: Floats, lines: list[Line], full: float) -> Scale | None:
    """The scale with its lines as most samples have them; None where too many lie beside it."""
    # all below is done on the different values, of which there are few, and weighted by how often each occurs
    place = np.searchsorted(known, values)
    counts = np.bincount(place, minlength=len(known))
    at, line = np.empty(len(known)), np.empty(len(known))
    below = known < 0.0
    for side, (step, offset) in zip((below, ~below), lines, strict=True):
        at[side] = np.rint((known[side] - offset) / step)
        if len(np.unique(at[side])) > 1:
            step, offset = _fit_line(at[side], known[side], counts[side] / widths[side] ** 2)
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
    # what is left over without dither is charged once a value, else once a sample
    table = np.bincount(
        left[on].astype(np.int64) + _LEFT, weights=None if same else counts[on], minlength=2 * _LEFT + 1
    )
    bits = _LINE_BITS + float(count_adaptive_bits(table.astype(np.int64)[None, :])[0])
    bits += 0.0 if _is_plain(step, full) else _ANY_STEP_BITS
    return Scale(step, bits, on[place], same)


def _is_plain(step: float, full: float) -> bool:
    """Whether it is the step of a source of some bits at full volume, whatever either side takes for full scale."""
    codes = [2.0 ** (bits - 1) for bits in _DEPTHS]
    return any(abs(full / step - count) <= 1.1 for count in codes)


def _list_known(values: Floats, cells: Floats) -> tuple[Floats, Floats]:
    """The different values in ascending order, and to how much each is rounded at best."""
    if len(cells) and cells.min() == cells.max():
        known = np.unique(values)
        widths: Floats = np.full(len(known), cells[0])
    else:
        known, first = np.unique(values, return_index=True)
        widths = cells[first]
    return known, np.maximum(widths, _FLOAT * np.abs(known))


def _find_line(known: Floats, widths: Floats, step: float | None) -> Line | None:
    """Step and offset of the line on which the values of one sign lie, None where there is none.

    Args:
        known: The values in ascending order, shape (n,).
        widths: To how much each is rounded.
        step: As known from the other sign.
    """
    if len(known) < 3:
        return None
    # values that dither or rounding spread over a few cells are one: their mean is a point of the line
    first = np.concatenate([[0], np.flatnonzero(np.diff(known) > _NEAR * np.maximum(widths[1:], widths[:-1])) + 1])
    if len(first) < 3:
        return None
    middles = np.add.reduceat(known, first) / np.diff(first, append=len(known))
    widest = np.maximum.reduceat(widths, first)
    gaps = np.diff(middles)
    wide = gaps > _COARSE * np.maximum(widest[1:], widest[:-1])
    if wide.mean() < 0.9:
        return None
    ordered = np.sort(gaps[wide])
    between = np.diff(ordered)  # where no neighbours occur, as at a volume above 1, two distances tell
    between = np.sort(between[between > _COARSE * widest.min()])
    guesses = [step or 0.0, *_pick_quantiles(ordered, _QUANTILES), *_pick_quantiles(between, _QUANTILES[:2])]
    found = (_grow_line(middles, widest, guess) for guess in dict.fromkeys(guesses) if guess)
    return next((line for line in found if line is not None), None)


def _pick_quantiles(ordered: Floats, shares: Sequence[float]) -> list[float]:
    """`numpy.quantile` by the lower of two neighbours, of values that are in order; none of none."""
    return [float(ordered[int(share * (len(ordered) - 1))]) for share in shares if len(ordered)]


def _grow_line(middles: Floats, widths: Floats, step: float) -> Line | None:
    """The line through values of one sign, grown from those near zero outwards; None where they leave it."""
    if middles[-1] <= 0.0:
        middles, widths = middles[::-1], widths[::-1]
    away = middles - middles[0]
    far = np.abs(away)
    offset, count = 0.0, 3
    while True:
        # near zero a step that is a little off still counts right; each fit is good for `_FARTHER` times the distance
        count = min(len(away), max(count, int(np.searchsorted(far, _FARTHER * step, side="right"))))
        some, tight = away[:count], widths[:count]
        places = np.rint((some - offset) / step)
        good = np.abs(some - offset - step * places) <= np.maximum(_LEFT * tight, 0.02 * step)
        if np.count_nonzero(good) < 0.9 * count:
            return None
        places = places[good]
        if places.max() - places.min() < 1:
            return None
        step, offset = _fit_line(places, some[good], 1.0 / tight[good] ** 2)
        if count == len(away):
            return step, offset + float(middles[0])
        count = max(count + 1, int(np.searchsorted(far, _FARTHER * far[count - 1], side="right")))


def _fit_line(places: Floats, values: Floats, weights: Floats) -> Line:
    """The line that fits best by weighted least squares."""
    # weights are brought to sum 1 first: squares of tiny cells would overflow
    shares = weights / weights.max()
    shares /= shares.sum()
    middle, mean = float(shares @ places), float(shares @ values)
    aside = shares * (places - middle)
    step = float(aside @ (values - mean) / (aside @ (places - middle)))
    return step, mean - step * middle


@immutable
class Reading:
    """Samples of several excerpts read in one way.

    Attributes:
        values: Shape (excerpts, n); 0 where a code is no usable number.
        cells: Shape (excerpts, n); the width of each value's cell, above 0.
        valid: Shape (excerpts, n), bool; False for codes that are no usable number or lie off the grid.
        code_bits: Bits of one code.
        header_bits: What it costs to tell the grid.
    """

    values: Floats
    cells: Floats
    valid: NDArray[np.bool_]
    code_bits: int
    header_bits: float = 0.0


def _measure_segment_steps(table: Floats) -> Floats:
    """Width of the cell of each of the 256 codes of a G.711 table: the distance to the nearest other magnitude."""
    order = np.argsort(table, kind="stable")
    gaps = np.diff(table[order])
    # the wider of both sides: at a segment's border the step of the outer segment counts
    wide = np.maximum(np.concatenate([gaps[:1], gaps]), np.concatenate([gaps, gaps[-1:]]))
    steps = np.empty(256)
    steps[order] = wide
    return steps


_STEPS = {"pcm_mulaw": _measure_segment_steps(MULAW_TABLE), "pcm_alaw": _measure_segment_steps(ALAW_TABLE)}


def read_samples(
    excerpts: NDArray[np.uint8], encoding: str, offset: int, scale: bool = True, codebook: bool = True
) -> Reading:
    """Read excerpts as one encoding.

    Args:
        excerpts: Shape (excerpts, bytes); each row starts at a whole sample when `offset` is 0.
        encoding: A name of `sttdoctor.encodings.ENCODINGS`.
        offset: Bytes left out at the start of each row, 0..width - 1.
        scale: Whether to look for a scale that the samples of all excerpts lie on (they must be of one recording).
        codebook: Whether to look for a codebook that all excerpts share.

    Returns:
        The samples with their cells; bytes of a partial sample are left out.
    """
    width = ENCODINGS[encoding].width
    count = (excerpts.shape[1] - offset) // width
    rows = np.ascontiguousarray(excerpts[:, offset : offset + count * width])
    if encoding in _STEPS:
        values: Floats = decode(rows.reshape(-1), encoding).reshape(rows.shape)
        samples = Reading(values, _STEPS[encoding][rows], np.ones(rows.shape, dtype=bool), 8)
        return _widen_to_codebook(samples) if codebook else samples
    values = decode(rows.reshape(-1), encoding).reshape(len(rows), count)
    if not ENCODINGS[encoding].is_float:
        values *= 1.0 / ENCODINGS[encoding].quantum  # a power of two
        cells: Floats = np.ones(values.shape)
        valid = (np.abs(values) < _LOUDEST) | (width < 8)
        values[~valid] = 0.0
    else:
        valid = np.abs(values) < _LOUDEST  # False for NaN too
        values[~valid] = 0.0
        cells = _measure_float_cells(values, encoding)
    raw = Reading(values, cells, valid, 8 * width)
    samples = _widen_to_grid(raw)
    samples = _widen_to_scale(raw, samples, encoding) if scale and width > 1 else samples
    return _widen_to_codebook(samples) if codebook else samples


def _measure_float_cells(values: Floats, encoding: str) -> Floats:
    _, exponents = np.frexp(values)
    ulps: Floats = np.ldexp(1.0, exponents - ENCODINGS[encoding].mantissa_bits)
    return np.maximum(ulps, ENCODINGS[encoding].smallest)


def _widen_to_grid(samples: Reading) -> Reading:
    """Widen the cells to the grid that nearly all samples of an excerpt lie on; samples off it become invalid."""
    count = samples.values.shape[1]
    chosen = samples.valid & (samples.values != 0.0)
    if count < 8:
        return samples
    mantissas, exponents = np.frexp(samples.values)
    # a double has 53 bits: the mantissa as a whole number, whose lowest set bit says how coarse the sample is
    whole = (mantissas * 2.0**53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] + exponents - 54  # exponent of the lowest bit that is set
    few = int((1.0 - _ON_GRID) * count)
    # the finest bit that all but the few samples off the grid respect
    step = np.partition(np.where(chosen, lowest, _HIGH), few, axis=1)[:, few : few + 1]
    step = np.where(step == _HIGH, -_HIGH, step)
    digits = np.where(chosen, exponents - lowest, 0).max(axis=1, keepdims=True)  # the most that any sample has
    # loud floats have fewer bits below the point: the grid of a sample is no finer than its own mantissa
    grid = np.ldexp(1.0, np.maximum(step, np.where(chosen, exponents - digits, step)))
    cells = np.maximum(samples.cells, grid)
    valid = samples.valid & (~chosen | (np.ldexp(1.0, lowest) >= cells))
    return Reading(samples.values, cells, valid, samples.code_bits)


def _widen_to_scale(raw: Reading, gridded: Reading, encoding: str) -> Reading:
    """Widen the cells to the scale that coarse samples were brought to by any factor, where that pays.

    Args:
        raw: As the encoding has them.
        gridded: On the grid of each excerpt, which is returned where no scale is better.
        encoding: Of both.
    """
    used, values = raw.valid, raw.values[raw.valid]
    full = 1.0 if ENCODINGS[encoding].is_float else 2.0 ** (raw.code_bits - 1)
    scale = find_scale(values, np.maximum(raw.cells, gridded.cells.min())[used], full)
    if scale is None or (encoding in _TWO_IN_ONE and (not scale.same or _is_pair(values))):
        return gridded  # nobody dithers to 32 bits: what varies in their low half is a channel of its own
    cells, valid = np.maximum(raw.cells, scale.step), used.copy()
    valid[used] = scale.on
    both = valid & gridded.valid
    # a cell twice as wide saves one bit a sample
    saved = float(np.log2(cells[both] / gridded.cells[both]).sum())
    saved += raw.code_bits * (int(valid.sum()) - int(gridded.valid.sum()))
    return Reading(raw.values, cells, valid, raw.code_bits, scale.bits) if saved > scale.bits else gridded


def _is_pair(words: Floats) -> bool:
    """Whether the low half of 32-bit words is their high half once more, or less loud: two channels of one source."""
    high = np.floor(words / 65536.0)
    low = words - 65536.0 * high
    low -= 65536.0 * (low >= 32768.0)
    apart = np.stack([high - high.mean(), low - low.mean()])
    powers = (apart**2).sum(axis=1)
    related = abs(float((apart[0] * apart[1]).sum()))
    return bool(powers[1] <= 1.1 * powers[0] and related > _SAME * np.sqrt(powers.prod()) > 0.0)


def _widen_to_codebook(samples: Reading) -> Reading:
    """Widen the cells to the gaps between the few values that occur, where that pays.

    Audio that was once 8-bit or G.711 and then scaled lies on no regular grid, but has at most 256 values.
    """
    used = samples.valid & (samples.values != 0.0)
    values = samples.values[used]
    if len(values) < 2 or len(np.unique(values[:: len(values) // _FEW | 1])) > _FEW // 2:
        return samples
    known, place = np.unique(samples.values, return_inverse=True)
    if len(known) < 2:
        return samples
    gaps = np.diff(known)
    # the cell of a value reaches half way to each of its neighbours
    widths = 0.5 * (np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]]))
    cells = np.maximum(widths[place.reshape(samples.values.shape)], samples.cells)
    each = samples.code_bits - np.log2(
        len(known) / np.e
    )  # their order need not be told: log2 of the factorial is saved
    header = len(known) * (_VALUE_BITS if _is_regular(gaps, float(samples.cells.max())) else float(each))
    if (np.log2(cells[used]) - np.log2(samples.cells[used])).sum() <= header:
        return samples
    return Reading(samples.values, cells, samples.valid, samples.code_bits, header + samples.header_bits)


def _is_regular(gaps: Floats, cell: float) -> bool:
    """Whether most gaps are whole multiples of a small one, as between the values of a scaled coarse source.

    Args:
        gaps: Distances of neighbouring values, above 0.
        cell: To how much a value is rounded.
    """
    unit = float(np.quantile(gaps, 0.2, method="lower"))
    if unit < 10.0 * cell:
        return False
    multiples = np.rint(np.minimum(gaps / unit, 1e9))
    exact = np.abs(gaps - multiples * unit) <= (2.0 + 2.0 * multiples) * cell
    return bool(exact.mean() > 0.9)

"""Bytes to samples with the width of each sample's quantiser cell: what a description length needs of an encoding.

A cell is the interval of values that one code stands for: one step for linear PCM, a segment's step for G.711, one
unit in the last place for floats. Samples often lie on a coarser grid than their encoding offers (16-bit audio in the
upper half of 32-bit words, floats that are k/32768 or k, 8 bits at any volume): the grid is found and widens the cells.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE, decode
from sttdoctor.analysis.encoding.scale import find_scale
from sttdoctor.encodings import ENCODINGS

Floats = NDArray[np.float64]

_ON_GRID = 0.995
"""Share of samples that must lie on a grid: the rest are clicks and the like, and pay for a raw code."""

_HIGH = 2000  # beyond every exponent of a float
_FEW = 512  # samples looked at first: when half of them are different, there is no codebook
_VALUE_BITS = 12.0  # to tell one value of a codebook: its place on a scale of a coarse source

_TWO_IN_ONE = ("pcm_s32le", "s32be")
"""Words that two samples of 16 bits may look like."""
_SAME = 0.98  # correlation of two channels of one source

_LOUDEST = 2.0**20  # floats beyond it cannot be samples in any scale that clients use (the widest is +-32768)


@dataclass(frozen=True, slots=True)
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


def _segment_steps(table: Floats) -> Floats:
    """Width of the cell of each of the 256 codes of a G.711 table: the distance to the nearest other magnitude."""
    order = np.argsort(table, kind="stable")
    gaps = np.diff(table[order])
    wide = np.maximum(np.concatenate([gaps[:1], gaps]), np.concatenate([gaps, gaps[-1:]]))
    steps = np.empty(256)
    steps[order] = wide
    return steps


_STEPS = {"pcm_mulaw": _segment_steps(MULAW_TABLE), "pcm_alaw": _segment_steps(ALAW_TABLE)}


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
        return _in_codebook(samples) if codebook else samples
    values = decode(rows.reshape(-1), encoding).reshape(len(rows), count)
    if not ENCODINGS[encoding].is_float:
        values *= 2.0 ** (8 * width - 1)
        cells: Floats = np.ones(values.shape)
        valid = np.ones(values.shape, dtype=bool)
    else:
        valid = np.abs(values) < _LOUDEST  # False for NaN too
        values[~valid] = 0.0
        cells = _float_cells(values, encoding)
    raw = Reading(values, cells, valid, 8 * width)
    samples = _on_grid(raw)
    samples = _on_scale(raw, samples, encoding) if scale and width > 1 else samples
    return _in_codebook(samples) if codebook else samples


def _float_cells(values: Floats, encoding: str) -> Floats:
    _, exponents = np.frexp(values)
    ulps: Floats = np.ldexp(1.0, exponents - ENCODINGS[encoding].mantissa_bits)
    return np.maximum(ulps, ENCODINGS[encoding].smallest)


def _on_grid(samples: Reading) -> Reading:
    """Widen the cells to the grid that nearly all samples of an excerpt lie on; samples off it become invalid."""
    count = samples.values.shape[1]
    chosen = samples.valid & (samples.values != 0.0)
    if count < 8:
        return samples
    mantissas, exponents = np.frexp(samples.values)
    whole = (mantissas * 2.0**53).astype(np.int64)
    lowest = np.frexp((whole & -whole).astype(np.float64))[1] + exponents - 54  # exponent of the lowest bit that is set
    few = int((1.0 - _ON_GRID) * count)
    step = np.partition(np.where(chosen, lowest, _HIGH), few, axis=1)[:, few : few + 1]
    step = np.where(step == _HIGH, -_HIGH, step)
    digits = np.where(chosen, exponents - lowest, 0).max(axis=1, keepdims=True)  # the most that any sample has
    grid = np.ldexp(1.0, np.maximum(step, np.where(chosen, exponents - digits, step)))
    cells = np.maximum(samples.cells, grid)
    valid = samples.valid & (~chosen | (np.ldexp(1.0, lowest) >= cells))
    return Reading(samples.values, cells, valid, samples.code_bits)


def _on_scale(raw: Reading, gridded: Reading, encoding: str) -> Reading:
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


def _in_codebook(samples: Reading) -> Reading:
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
    widths = 0.5 * (np.concatenate([gaps[:1], gaps]) + np.concatenate([gaps, gaps[-1:]]))
    cells = np.maximum(widths[place.reshape(samples.values.shape)], samples.cells)
    each = samples.code_bits - np.log2(
        len(known) / np.e
    )  # their order need not be told: log2 of the factorial is saved
    header = len(known) * (_VALUE_BITS if _regular(gaps, float(samples.cells.max())) else float(each))
    if (np.log2(cells[used]) - np.log2(samples.cells[used])).sum() <= header:
        return samples
    return Reading(samples.values, cells, samples.valid, samples.code_bits, header + samples.header_bits)


def _regular(gaps: Floats, cell: float) -> bool:
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

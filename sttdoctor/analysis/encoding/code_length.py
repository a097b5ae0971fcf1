"""The description length of samples: how many bits a predictive coder would spend on them.

Every block of samples is predicted by the cheapest of a few predictors (none, differences, linear prediction fitted
to the block) and each code is charged -log2 of the probability mass that a Laplace law of the residual, scaled
to its neighbourhood, puts on the code's quantiser cell. A little mass is kept for any code at all, so that a click or
a number that is none costs a raw code and a few bits, and never more. Predictor coefficients and scales are charged
as in Rissanen's minimum description length: half the log2 of the number of samples that each is fitted to.

Source of the idea: J. Rissanen, "Modeling by shortest data description", Automatica 14 (1978); the choice of
predictor and law follows lossless audio coders (T. Robinson, "SHORTEN", CUED/F-INFENG/TR.156, 1994).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.quantization import Floats, Reading
from sttdoctor.values import immutable

BLOCK = 512
"""Samples that share one fitted predictor."""
SCALE = 32
"""Samples that share one scale of the residual."""
ORDER = 16
"""Past samples a fitted predictor may use."""

_ESCAPE = 1 / 128
_SCALE_BITS = 2.5  # a scale coded as the difference to the one before it
_MEAN_BITS = 2.0  # for each octave by which the squared mean exceeds the variance
_CHOICE_BITS = 2.0  # which of the predictors a block uses


def count_cheap_bits(readings: Sequence[Reading]) -> Floats:
    """Description length with fixed predictors only.

    Args:
        readings: Of one shape and one width of codes, which are described at once.

    Returns:
        Bits of each excerpt of each reading, shape (readings, excerpts), by the best of: none, first and second
        difference, and the difference to the sample before the last (which suits interleaved channels).
    """
    padded = _prepend_history(np.concatenate([samples.values for samples in readings]), 2)
    now, last, before = padded[:, 2:], padded[:, 1:-1], padded[:, :-2]
    bits = _count_best_bits(readings, [now, now - last, now - 2 * last + before, now - before], [0.0] * 4)
    return bits.reshape(len(readings), -1)


def count_mono_bits(samples: Reading, rounds: int = 1) -> Floats:
    """Description length as one channel.

    Args:
        samples: What to describe.
        rounds: Of fitting the predictors; 2 compares channels fairly, 1 is enough for encodings.

    Returns:
        Bits of each excerpt, shape (excerpts,), with predictors fitted to blocks of about `BLOCK` samples.
    """
    padded = _prepend_history(samples.values, ORDER)
    now, last, before = padded[:, ORDER:], padded[:, ORDER - 1 : -1], padded[:, ORDER - 2 : -2]
    lags = sliding_window_view(padded, ORDER + 1, axis=1)[..., ::-1]
    errors = [now, now - last, now - 2 * last + before]
    costs = [0.0, 0.0, 0.0]
    # column 0 is the sample itself, the others its past: all 16 samples, then every other one
    for columns in (slice(None), slice(None, None, 2))[:rounds]:  # every other one suits oversampled sound
        error, cost = _fit_predictor(lags[..., columns], BLOCK, rounds)
        errors.append(error)
        costs.append(cost)
    return _count_best_bits([samples], errors, costs)


def count_stereo_bits(samples: Reading, rounds: int = 1) -> Floats:
    """Description length as two interleaved channels.

    One channel is predicted from its own past, the other also from the first: this covers channels that are equal,
    panned, delayed or unrelated. Not each from the other: one channel that was upsampled by a short filter would look
    like two, as its every other sample is made from its neighbours.

    Args:
        samples: What to describe, the channels in turn.
        rounds: As in `count_mono_bits`.

    Returns:
        Bits of each excerpt, shape (excerpts,); an odd last sample is charged as a raw code.
    """
    count = samples.values.shape[1] // 2 * 2
    odd = (samples.values.shape[1] - count) * samples.code_bits
    padded = _prepend_history(samples.values[:, :count], ORDER)
    lags = sliding_window_view(padded, ORDER + 1, axis=1)[..., ::-1]
    # Blocks as long in time as those of one channel: stereo pays for twice the coefficients and must be worth it.
    own, joint = [], []
    for channel in (0, 1):
        part = Reading(
            samples.values[:, channel:count:2],
            samples.cells[:, channel:count:2],
            samples.valid[:, channel:count:2],
            samples.code_bits,
            0.5 * samples.header_bits,
        )
        mine = lags[:, channel::2]
        errors = [mine[..., 0], mine[..., 0] - mine[..., 2]]
        alone, cost = _fit_predictor(mine[..., ::2], BLOCK // 2, rounds)
        own.append(_count_best_bits([part], [*errors, alone], [0.0, 0.0, cost], BLOCK // 2))
        errors = [*errors, mine[..., 0] - mine[..., 1], alone]
        both, more = _fit_predictor(mine, BLOCK // 2, rounds)
        joint.append(_count_best_bits([part], [*errors, both], [0.0, 0.0, 0.0, cost, more], BLOCK // 2))
    bits: Floats = odd + np.minimum(own[0] + joint[1], joint[0] + own[1])
    return bits


def _prepend_history(values: Floats, order: int) -> Floats:
    return np.concatenate([np.repeat(values[:, :1], order, axis=1), values], axis=1)


def _size_blocks(count: int, block: int) -> tuple[int, int]:
    """Number and length of the blocks of about `block` for `count` samples; the length is a multiple of `SCALE`."""
    number = max(1, round(count / block))
    return number, -(-count // (number * SCALE)) * SCALE


def _fit_predictor(lags: Floats, block: int = BLOCK, rounds: int = 1) -> tuple[Floats, float]:
    """Residual of a predictor fitted to each block by least squares, and the bits for the coefficients of one block.

    Args:
        lags: Shape (excerpts, n, order + 1): each sample and those before it, newest first.
        block: Samples of a block.
        rounds: From the second on, each sample counts by the inverse of the residual round it, so that a few strong
            pulses do not rule the fit.
    """
    rows, count, columns = lags.shape
    number, length = _size_blocks(count, block)
    known = np.zeros((rows, number * length, columns + 1))
    known[:, :count, :columns] = lags
    # rows that pad the last block are all zero, the constant too, so they pull on nothing
    known[:, :count, columns] = 1.0  # the constant: DC offset
    known = known.reshape(rows * number, length, columns + 1)
    # the constant gets the size of the samples, else the ridge below would rule it or be nothing to it
    level = np.sqrt(np.mean(known[..., :columns] ** 2, axis=(1, 2))) + 1e-150
    known[..., columns] *= level[:, None]
    weighted = known
    for _ in range(rounds):
        # normal equations of all blocks at once: far cheaper than a least-squares call for each
        gram = weighted.transpose(0, 2, 1) @ weighted
        trace = np.trace(gram, axis1=1, axis2=2)
        # a ridge of 1e-11 of the trace keeps pure tones and silence solvable and hardly moves any other fit
        normal = gram[:, 1:, 1:] + (1e-11 * trace + 1e-290)[:, None, None] * np.eye(columns)
        coefficients = np.linalg.solve(normal, gram[:, 1:, :1])
        error = known[..., 0] - (known[..., 1:] @ coefficients)[..., 0]
        if rounds > 1:
            # weighted least squares: each row counts by the level of the residual round it, as of unequal variances
            size = np.abs(error).reshape(len(error), -1, SCALE // 2).mean(axis=2)
            size = np.maximum(size, 0.01 * size.mean(axis=1, keepdims=True) + 1e-9 * level[:, None])
            weighted = known / np.repeat(size, SCALE // 2, axis=1)[..., None]
    # half the log2 of the samples for each coefficient (Rissanen 1978), and a bit
    bits = columns * (0.5 * np.log2(length) + 1.0)
    return error.reshape(rows, -1)[:, :count], float(bits)


def _count_best_bits(
    readings: Sequence[Reading], errors: Sequence[Floats], costs: Sequence[float], block: int = BLOCK
) -> Floats:
    """Bits of each excerpt of some readings with the best of several residuals chosen for each block."""
    values, cells, valid = (
        np.concatenate([getattr(samples, name) for samples in readings]) for name in ("values", "cells", "valid")
    )
    rows, count = values.shape
    number, length = _size_blocks(count, block)
    blocks, padded = rows * number, number * length
    limits = _find_limits(values, padded, length)
    # what pads a block is invalid: it has no part in scales, and no bits
    weight, whole_cells = _pad(valid, padded, 0.0), _pad(cells, padded, 1.0)
    # at such a scale nearly all of a law's mass lies in one cell: a narrower one says no more
    floor = 0.15 * _sum_scales(whole_cells * weight) / (_sum_scales(weight) + 1e-9) + 1e-280
    magnitudes = np.zeros((len(errors), rows, padded))
    for error, size in zip(errors, magnitudes, strict=True):
        np.abs(error, out=size[:, :count])
        # a sample that stops at a limit is as expected where the prediction lies beyond it
        beyond = limits.signs * error[np.divmod(limits.places, padded)] < 0.0
        size.reshape(-1)[limits.places[beyond]] = 0.0
    # clipped plateaus do not follow the law, and what is no number has no part in it
    counted = weight.reshape(-1).copy()
    counted[limits.plateaus] = 0.0
    some = _sum_scales(counted).reshape(blocks, -1) + 1e-9
    # the mean magnitude is the most likely scale of a Laplace law
    sums = _sum_scales(magnitudes * counted.reshape(rows, padded)).reshape(len(errors), blocks, -1)
    scales = np.maximum(sums / some, floor.reshape(blocks, -1))
    # the log of the scale ranks the predictors; the law itself is integrated for the best one only
    guesses = (np.log2(scales) * some).sum(axis=2) + np.array(costs)[:, None]
    choice, every = guesses.argmin(axis=0), np.arange(blocks)
    chosen = magnitudes.reshape(len(errors), -1, length // SCALE, SCALE)[choice, every]
    units = (1.0 / scales[choice, every])[..., None]
    halves = whole_cells.reshape(chosen.shape) * (0.5 * units)
    law = _integrate_law(chosen * units, halves, limits, len(readings)).reshape(rows, padded)
    # mixed with a flat law over all codes: no sample costs more than a raw code and 7 bits
    bits = np.log2((1 - _ESCAPE) * (law * weight) + _ESCAPE * 2.0 ** -readings[0].code_bits)[:, :count].sum(axis=1)
    charged = (some > 0.5).sum(axis=1) * _SCALE_BITS + np.asarray(costs)[choice] + _CHOICE_BITS
    headers = np.array([samples.header_bits / len(samples.values) for samples in readings])  # the codebooks
    heads = np.repeat(headers, rows // len(readings)) + 2.0 * readings[0].code_bits  # and the two limits
    total: Floats = charged.reshape(rows, number).sum(axis=1) - bits + heads + _count_offset_bits(values, cells)
    return total


def _pad(array: NDArray[Any], padded: int, fill: float) -> Floats:
    """Rows as doubles that are filled up to a length."""
    if array.shape[1] == padded:
        return array.astype(np.float64, copy=False)
    whole = np.full((len(array), padded), fill)
    whole[:, : array.shape[1]] = array
    return whole


def _sum_scales(values: Floats) -> Floats:
    """Sum of each `SCALE` values in a row, shape (n,)."""
    return np.asarray(values.reshape(-1, SCALE) @ np.ones(SCALE))


@immutable
class _Limits:
    """Where samples are the largest or the smallest of their excerpt.

    The cells of the extreme values reach to infinity: so a clipped sample costs little where sound is expected beyond.

    Attributes:
        places: Of the samples in the padded rows, one after the other.
        signs: 1 for the largest, -1 for the smallest.
        plateaus: The places that the same limit comes before, in their block.
        after: The places that any limit comes before, in their block.
    """

    places: NDArray[np.int64]
    signs: Floats
    plateaus: NDArray[np.int64]
    after: NDArray[np.int64]


def _find_limits(values: Floats, padded: int, length: int) -> _Limits:
    highest, lowest = values.max(axis=1, keepdims=True), values.min(axis=1, keepdims=True)
    row, column = np.nonzero(((values == highest) | (values == lowest)) & (highest > lowest))
    places = row * padded + column
    signs = np.where(values[row, column] == highest[row, 0], 1.0, -1.0)
    follows = (np.diff(places) == 1) & (places[1:] % length > 0)
    plateaus = places[1:][follows & (signs[1:] == signs[:-1])]
    after = places + 1
    return _Limits(places, signs, plateaus, after[after % length > 0])


def _count_offset_bits(values: Floats, cells: Floats) -> Floats:
    """Bits for the mean of each excerpt under a heavy-tailed law round zero, where sound mostly swings."""
    spread = np.var(values, axis=1) + np.mean(cells, axis=1) ** 2 + 1e-300
    octaves: Floats = np.log2(1.0 + np.mean(values, axis=1) ** 2 / spread)
    return _MEAN_BITS * octaves


def _integrate_law(distance: Floats, half_cell: Floats, limits: _Limits, readings: int) -> Floats:
    """Probability of each code: the law's mass on its cell, and where sound is clipped, that it stays so."""
    mass = laplace_mass(distance, half_cell).reshape(-1)
    # of the cells at a limit only their near edge counts
    edge = distance.reshape(-1)[limits.places] - half_cell.reshape(-1)[limits.places]
    # the mass of a half line: all that would have been beyond the limit was cut off to it
    near = 0.5 * np.exp(-np.abs(edge))
    mass[limits.places] = np.where(edge > 0.0, near, 1.0 - near)
    # how often a clipped sample is followed by one, by the estimate of Krichevsky and Trofimov, in each reading
    size = len(mass) // readings
    stays, either = (np.bincount(at // size, minlength=readings) for at in (limits.plateaus, limits.after))
    stay = np.minimum(0.995, (stays + 0.5) / (either + 1.0))
    mass[limits.after] *= 1.0 - stay[limits.after // size]
    mass[limits.plateaus] += stay[limits.plateaus // size]
    return mass


def laplace_mass(distance: Floats, half_cell: Floats) -> NDArray[np.float64]:
    """Probability that a Laplace law of scale 1 puts on a cell.

    Args:
        distance: Absolute distance of the cell's middle from the law's, any shape.
        half_cell: Half of the cell's width, same shape, above 0.

    Returns:
        Probabilities, 0..1; exact in both tails.
    """
    gap = distance - half_cell
    # differences of exponentials in a form that loses no digits: expm1 in the tail, complements round the middle
    mass: NDArray[np.float64] = np.exp(-np.abs(gap))
    inside = gap <= 0.0
    complements = 1.0 - 0.5 * (mass[inside] + np.exp(-(half_cell[inside] + distance[inside])))
    mass *= -0.5 * np.expm1(-2.0 * half_cell)
    mass[inside] = complements
    return mass

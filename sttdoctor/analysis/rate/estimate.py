"""The sample rate of speech, told from its sound alone.

Every candidate rate is tried: the features of `sttdoctor.analysis.rate.net` are computed as if it were true, and its
net says how much the result sounds like speech at its natural pitch, formants and tempo. The scores of the
candidates, sharpened by the amount of speech, are the probabilities; where it does not sound like speech they are flat.

Where a signal is active is decided without knowing its sample rate: in blocks of samples, not of seconds.

Above some frequency a recording is empty that was upsampled from a lower rate. Speech itself falls off gently with
frequency, and where a voice or a tape falls faster something is left above; a resampler cuts, and leaves nothing but
its images. So an edge is told by its steepness, the level just below it against everything from just above it on, and
by what is left a third of an octave higher.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.rate.net import Floats, Model, extract_features, load_model, score_rates
from sttdoctor.encodings import STANDARD_RATES
from sttdoctor.values import immutable

STEP = 256
"""Samples of one level measurement: 5 ms at 48 kHz, 32 ms at 8 kHz."""
BLOCK = 32
"""Steps of one block (8192 samples): long pauses are left out block by block."""
ACTIVE_DB = 30.0
"""A step is active within this distance of the loud steps (their 95th percentile)."""

JUDGED_S = 8.0
"""Seconds, at each candidate rate, of the most active parts that are judged."""
TOLERANCE = 0.10
"""Rates this close can hardly be told apart by sound: a declaration is judged by their joint probability."""

_ASTRAY, _INDEPENDENT = 0.05, 0.3
"""Of `pool_estimates`, chosen on calls of held-out speakers (`benchmarks/accuracy/calls.py`)."""

_LOWEST_HZ, _HIGHEST_HZ = 4000, 192_000
"""No client sends speech outside of this: such a candidate gets the lowest score of all, and no analysis."""

_SIZE = 1024
_PIECE = 1 << 16
_AT_ONCE = 128  # frames that are transformed at once, so that they stay in the cache
_DROP_DB = 23.0
"""Speech falls by 10 dB at most so fast, synthetic voices and old tapes by 22; a resampler by 40 dB and more."""
_REST_DB = 26.0
"""Further above: below the noise of a synthetic voice."""
_IMAGE = 0.15  # of the lower rate, to both sides of its multiples, of which the loud sound below half of it has images


def finite_mono(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """The samples, shape (n,), without offset, NaN and infinity (they become 0), at an RMS of 1; all zero stays so."""
    values = np.asarray(samples).ravel()
    result = np.zeros(values.size, np.float32)
    # in pieces, which are views of finite doubles: an excerpt may be of minutes
    parts = [slice(at, at + _PIECE) for at in range(0, values.size, _PIECE)]
    pieces = [_read_finite(values[part]) for part in parts]
    peak = max((max(float(piece.max()), -float(piece.min())) for piece in pieces), default=0.0)
    if peak == 0.0:
        return result
    # by the peak first: the squares of floats in odd units would overflow
    mean = sum(float((piece / peak).sum()) for piece in pieces) / values.size
    power = 0.0
    for piece in pieces:
        centred = piece / peak - mean
        power += float(centred @ centred)
    rms = math.sqrt(power / values.size)
    for part, piece in zip(parts, pieces, strict=True) if rms > 1e-9 else ():
        result[part] = (piece / peak - mean) / rms
    return result


def _read_finite(values: NDArray[np.floating]) -> NDArray[np.float64]:
    clean = np.asarray(values, dtype=np.float64)
    good = np.isfinite(clean)
    return clean if good.all() else np.where(good, clean, 0.0)


def find_active_steps(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which whole steps of `STEP` samples are active; shape (n // STEP,)."""
    count = len(samples) // STEP
    steps = samples[: count * STEP].reshape(count, STEP)
    power = np.einsum("ij,ij->i", steps, steps) / STEP
    if not count or power.max() <= 0.0:
        return np.zeros(count, bool)
    # digital silence would pull the percentile down with every pause
    loud = np.percentile(power[power > 0.0], 95)
    return np.asarray(power > loud * 10.0 ** (-ACTIVE_DB / 10.0))


def cut_active(samples: NDArray[np.float32], active: NDArray[np.bool_], limit: int) -> NDArray[np.float32]:
    """The most active blocks in their order, at most about `limit` samples; blocks deep inside a pause are left out.

    Args:
        samples: Shape (n,).
        active: From `find_active_steps`.
        limit: Samples wanted; at least one block is returned.
    """
    size = STEP * BLOCK
    blocks = len(active) // BLOCK
    if blocks < 2:
        return samples[: max(limit, size)]
    share = active[: blocks * BLOCK].reshape(blocks, BLOCK).mean(axis=1)
    near = share.copy()  # the most of a block and those beside it
    near[1:] = np.maximum(near[1:], share[:-1])
    near[:-1] = np.maximum(near[:-1], share[1:])
    wanted = np.flatnonzero(near > 0.0)
    keep = max(1, -(-limit // size))
    if len(wanted) > keep:
        best = np.argsort(-share[wanted], kind="stable")[:keep]
        wanted = np.sort(wanted[best])
    if len(wanted) == blocks:
        return samples[:limit]
    return samples[: blocks * size].reshape(blocks, size)[wanted].ravel()[: max(limit, size)]


@immutable
class RateEstimate:
    """What the sound says about the sample rate.

    Attributes:
        probabilities: Candidate rate in Hz to probability; sums to 1, flat prior, flat when nothing can be told.
        speech_s: Seconds of active speech-like sound judged, counted at the most probable rate.
        speech_like: 0 to 1, how sure that this is speech at some rate.
    """

    probabilities: dict[int, float]
    speech_s: float
    speech_like: float

    @property
    def best(self) -> int:
        """The most probable rate in Hz; the lowest of equals."""
        return max(self.probabilities, key=lambda rate: (self.probabilities[rate], -rate))

    def is_speech(self, least_s: float) -> bool:
        """Whether there is so much sound, in seconds, that is like speech."""
        return self.speech_s >= least_s and self.speech_like >= 0.5

    def sum_near(self, rate: float) -> float:
        """Probability of all candidates within `TOLERANCE` of a rate in Hz."""
        return sum(p for other, p in self.probabilities.items() if abs(other / rate - 1.0) <= TOLERANCE)


def estimate_rate(samples: NDArray[np.float64], candidates: Sequence[int] = STANDARD_RATES) -> RateEstimate:
    """Judge the sample rate of speech from its sound.

    Args:
        samples: Mono, shape (n,), any scale; NaN and infinity count as 0. Only the most active parts are judged,
            `JUDGED_S` seconds at each candidate rate.
        candidates: Rates in Hz to choose from, at least one; all are equally likely beforehand.

    Returns:
        The estimate. Probabilities are flat where there is no speech, or too little of it.

    Raises:
        ValueError: No candidate was given.
    """
    return estimate_with(load_model(), samples, candidates)


def pool_estimates(whole: RateEstimate, parts: Sequence[RateEstimate]) -> RateEstimate:
    """Join what a recording says with what its parts say.

    The mean of the logarithms lets no part decide alone, and a part may be of another voice, or none, in `_ASTRAY` of
    the cases, so that it excludes nothing for good. The mean grows with a small power of the number of parts: those of
    one voice err together.

    Args:
        whole: Of the most active sound; it counts for two parts.
        parts: Over the same candidates; those that hold no second of speech do not count.

    Returns:
        `whole` with other probabilities; the same where no part counts.
    """
    heard = [part for part in parts if part.is_speech(1.0)]
    if not heard or not whole.is_speech(1.0):
        return whole
    rates = list(whole.probabilities)
    rows = np.array([[part.probabilities[rate] for rate in rates] for part in (whole, whole, *heard)])
    means = np.log((1 - _ASTRAY) * rows + _ASTRAY / len(rates)).mean(axis=0)
    pooled = softmax(means * len(rows) ** _INDEPENDENT)
    return replace(whole, probabilities=dict(zip(rates, pooled.tolist(), strict=True)))


def estimate_with(
    model: Model, samples: NDArray[np.float64], candidates: Sequence[int] = STANDARD_RATES
) -> RateEstimate:
    """`estimate_rate` with a model of the caller's choice: benchmarks measure nets that have not heard a speaker.

    Raises:
        ValueError: There is no candidate.
    """
    rates = sorted({int(rate) for rate in candidates})
    if not rates:
        raise ValueError("no candidate sample rate")
    clean = finite_mono(samples)
    judged = judge(model, clean, rates)
    if judged is None:
        return RateEstimate({rate: 1.0 / len(rates) for rate in rates}, 0.0, 0.0)
    logits, speech_logits, active = judged
    seconds = np.minimum(active / np.array(rates), JUDGED_S)
    # the seconds depend on the candidate: their mean under the first, unsharpened guess
    told = softmax(logits * get_sharpness(model, float(softmax(logits) @ seconds)))
    gain, offset = model["speech"]
    speech_like = float(told @ (1.0 / (1.0 + np.exp(-np.clip(gain * speech_logits + offset, -50, 50)))))
    # what is not speech says nothing: so much of the probability is spread evenly
    mixed = speech_like * told + (1.0 - speech_like) / len(rates)
    estimate = RateEstimate(dict(zip(rates, mixed.tolist(), strict=True)), 0.0, speech_like)
    speech_s = float(seconds[rates.index(estimate.best)]) if speech_like >= 0.5 else 0.0
    return RateEstimate(estimate.probabilities, speech_s, speech_like)


def judge(
    model: Model, clean: Floats, rates: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int] | None:
    """Raw scores of the rates and of being speech, each shape (rates,), and the active samples; None without sound.

    Args:
        model: See `load_model`.
        clean: Shape (n,), from `speech.finite_mono`.
        rates: Hz.
    """
    active = find_active_steps(clean)
    sound = [rate for rate in rates if _LOWEST_HZ <= rate <= _HIGHEST_HZ]
    hearings = [extract_features(cut_active(clean, active, int(JUDGED_S * rate)), rate) for rate in sound]
    if not hearings or not active.any() or min(len(frames) for frames in hearings) == 0:
        return None
    found = score_rates(hearings, model)
    lowest = found.min(axis=0)
    rows = np.array([found[sound.index(rate)] if rate in sound else lowest for rate in rates])
    return rows[:, 0], rows[:, 1], int(active.sum()) * STEP


def get_sharpness(model: Model, seconds: float) -> float:
    """Factor on the scores for an amount of speech: a power of it, fitted on speakers that the nets had not heard."""
    slope, offset = model["sharpness"]
    return float(np.exp(offset + slope * np.log(np.clip(seconds, 0.3, JUDGED_S))))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn scores of shape (n,) into probabilities of the same shape, which sum to 1."""
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def measure_spectrum(samples: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the mean power spectrum of the louder half of a recording in dB, None where there is too little.

    Args:
        samples: Shape (n,), any scale; NaN and infinity count as 0.

    Returns:
        Shape (513,), from 0 to half the sample rate.
    """
    count = len(samples) // _SIZE
    if count < 4:
        return None
    # a thousand frames are enough for a mean
    frames = samples[: count * _SIZE].reshape(count, _SIZE)[:: max(1, count // 1000)]
    parts = [frames[at : at + _AT_ONCE] for at in range(0, len(frames), _AT_ONCE)]
    energies = [_read_finite(part).var(axis=1) for part in parts]
    least = max(float(np.median(np.concatenate(energies))), 1e-20)
    window = np.blackman(_SIZE)  # side lobes at -58 dB hide no edge
    power, number = np.zeros(_SIZE // 2 + 1), 0
    for part, energy in zip(parts, energies, strict=True):
        loud = _read_finite(part)[energy >= least]
        spectra = np.fft.rfft((loud - loud.mean(axis=1, keepdims=True)) * window, axis=1)
        power += np.einsum("ij,ij->j", spectra.real, spectra.real) + np.einsum("ij,ij->j", spectra.imag, spectra.imag)
        number += len(loud)
    return 10 * np.log10(power / number + 1e-30) if number else None


def find_steep_edge(samples: NDArray[np.float64]) -> float | None:
    """Find the frequency above which nothing stands.

    Args:
        samples: Shape (n,), at any scale.

    Returns:
        The edge as a share of the sample rate (0.05 to 0.45), None where there is no steep one.
    """
    level = measure_spectrum(samples)
    if level is None:
        return None
    # seven bins of 1024: single lines are no edge
    smooth = np.convolve(level, np.ones(7) / 7, mode="same")[: _SIZE // 2 - 8]  # above is the recording's own resampler
    above = np.maximum.accumulate(smooth[::-1])[::-1]
    bins = np.arange(int(0.05 * _SIZE), int(0.45 * _SIZE))
    # just below the edge, in ratios of frequency, as filters fall off by the octave
    firsts = [np.minimum((far * bins).astype(int) + 3, len(above) - 1) for far in (1.08, 1.3)]
    if (above - smooth)[bins[0] :].max() >= _REST_DB:  # something stands behind a gap
        found = _find_edge(level, bins, *(_measure_between_images(smooth, bins, first) for first in firsts))
        if found is not None:
            return found
    return _find_edge(level, bins, above[firsts[0]], above[firsts[1]])


def _measure_between_images(
    smooth: NDArray[np.float64], bins: NDArray[np.int_], firsts: NDArray[np.int_]
) -> NDArray[np.float64]:
    """The loudest bin from each of `firsts` on that is no image of a band that ends at the same place of `bins`.

    A resampler with a soft filter leaves images of the low, loud frequencies around the multiples of the lower rate.
    """
    places = np.arange(len(smooth))
    rates = 2 * bins[:, None]
    apart = np.abs(places - np.maximum(np.rint(places / rates), 1) * rates)
    kept = (places >= firsts[:, None]) & (apart > _IMAGE * rates)
    return np.asarray(np.where(kept, smooth, -np.inf).max(axis=1))


def _find_edge(
    level: NDArray[np.float64], bins: NDArray[np.int_], beyond: NDArray[np.float64], rest: NDArray[np.float64]
) -> float | None:
    """The lowest steep edge, as a share of the sample rate, by what is left just above each bin and farther on."""
    least = np.maximum(beyond + _DROP_DB, rest + _REST_DB)
    starts, stops = (0.80 * bins).astype(int), (0.96 * bins).astype(int)
    # a median is no more than the largest, which excludes most places at little cost
    largest = np.maximum.reduceat(level, np.stack([starts, stops], axis=1).ravel())[::2]
    below = np.full(len(bins), -np.inf)
    for place in np.flatnonzero(largest > least):
        below[place] = np.median(level[starts[place] : stops[place]])
    steep = np.flatnonzero(below > least)
    if not len(steep):
        return None
    drops = below - beyond
    # a simple resampler leaves an image of the band above the edge, with an edge of its own: the lowest one counts
    apart = np.flatnonzero(np.diff(steep) > 8)
    first = steep[: apart[0] + 1] if len(apart) else steep
    return float(bins[first[np.argmax(drops[first])]] / _SIZE)

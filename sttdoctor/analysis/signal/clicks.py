"""Clicks at a steady period, as a resampler makes them that forgets its state at the end of every chunk.

Such a click departs from the prediction far more than the samples round it, and it stands on the grid of the chunks.
Speech departs from it too (glottal closures, plosives), but on no grid of samples for long; and where sound is switched
off and on, as tones are, it stands still between. So the errors, in units of
their neighbourhood, are searched for a period by the spectrum of their train (its harmonics add up), and averaged over
all periods at each place of the grid. Where it is known at which places the chunks end, no period needs to be searched;
where it is not, those of usual lengths are tried from the first sample on.

Pulses that something adds at a period (a phone near the microphone, a dimmer, a synthesizer under the voice) are as
strong in a pause as in a word, while what a cut does grows with the sound that is cut; only single samples that are
wrong are as strong, too. Bursts and strokes begin louder than what was before them; a cut is as often followed by
softer sound.
"""

from collections.abc import Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import (
    fast_length,
    find_stretches,
    measure_power,
    measure_quantile,
    subtract_prediction,
)
from sttdoctor.analysis.signal.runs import SHORTEST_HOLE_S
from sttdoctor.values import immutable

Floats = NDArray[np.float64]

SHORTEST_PERIOD_S = 0.008
LONGEST_PERIOD_S = 0.260

_ORDER = 8
_FEWEST_SAMPLES = 2 * _ORDER  # of a period: in a shorter one there is nothing that could be predicted
_FITTED = 1 << 16  # samples that the predictor is fitted to
_NEIGHBOURHOOD = 32  # samples that an error is compared with
_CAP = 10.0  # an error counts for so much at most, so that no single one decides
_SPIKE = 3.0  # errors below it say nothing about a period
_HARMONICS = 12
_TRIED = 5
_AS_STRONG, _PLAINER = 0.7, 1.02  # of the strongest period; by how much less strong the shortest one may be
_AGAIN = 0.02  # of the energy that changes from one period to the next; of speech, nearly all
_BESIDE_S, _APART_S = 0.008, 0.0015  # what is compared before and behind a click, and how far from it
_ALIKE, _MOST = 0.6, 0.8  # at least so alike; of cuts in speech 0.85 to 1 are, of struck notes up to 0.7
_UPWARD, _BY_CHANCE = 0.15, 1.0  # off half is the share behind which it is louder; standard deviations beyond
_OUT = 2.0  # times as far from both neighbours as these are from each other; of a step it is half as far
_GROWS = 0.7  # power of the level: cuts grow with 0.75 to 1.1, pulses that are added with 0 to 0.67
_USUAL_MS = (*range(5, 65, 5), *range(70, 261, 10), 8, 12, 16, 32, 64, 96, 128, 256)
_USUAL_BUFFERS, _USUAL_RATES = (128, 256, 512, 1024, 2048, 4096, 8192), (8000, 16000, 24000, 44100, 48000)
_WORTH = (1.25, 5.0)  # times the error elsewhere, standard deviations beyond it: worth a closer look
_SMEARED = 4  # samples whose errors show one bend
_BORDERS = ((1.3, 6.0), (1.25, 11.0))
"""Times the error elsewhere, standard deviations beyond it. Where frames end speech has up to 1.1 and 2, codecs with
frames up to 1.2 and 6 at their worst place (Codec 2: 1.3 and 8), resamplers without state 1.4 to 5 and 8 to 30."""
_SPREAD_S = np.array([-1.75, -1.5, -1.25, 1.25, 1.5, 1.75]) / 1000
_SPREAD = 0.3
"""Of the excess at a border, so far from it: of resamplers up to 0.1, of codecs that fade between frames 0.4 to 0.6."""
_NOTHING = 1e-9
_COARSE, _REGULAR = 0.0005, 0.5  # of full scale: 16 steps of 16 bits; share of distances that are whole pieces
_GOES_ON = 0.8  # of speech with zeros put in the better curve is off by 0.3 to 1 of the other one
_FEWEST = 20  # periods that must hold sound at the place of the click


@immutable
class Clicks:
    """Clicks at a period.

    Attributes:
        period: Samples from one click to the next.
        first: The first place of the grid, 0..period - 1.
        ratio: Mean prediction error at the grid in units of the errors beside it; 1 for none.
        share: Part (0..1) of the grid places with sound that hold a click.
        places: Samples of the clicks themselves, the first few.
        heard: How many grid places with sound there are.
    """

    period: int
    first: int
    ratio: float
    share: float
    places: tuple[int, ...]
    heard: int


def measure_jumps(samples: Floats, rate: float, floor: float) -> Floats:
    """How much more each sample departs from its prediction than its neighbourhood does.

    Args:
        samples: Shape (n,), finite.
        rate: Hz.
        floor: Departures smaller than this are nothing.

    Returns:
        Shape (n,): 0.._CAP, about 1 where nothing stands out, and -1 where there is no sound to judge by, or it
        is switched off or on.
    """
    if len(samples) < _NEIGHBOURHOOD:
        return np.full(len(samples), -1.0)
    error, local = _predict(samples)
    ratio = np.full(len(error), -1.0)
    inside = ratio[: len(local)]
    audible = local > floor
    inside[audible] = np.minimum(error[: len(local)][audible] / local[audible], _CAP)
    ratio[_find_switched(samples, round(SHORTEST_HOLE_S * rate))] = -1.0
    return ratio


def _predict(samples: Floats) -> tuple[Floats, Floats]:
    """How far each sample departs from its prediction, and how far those round it do, in whole neighbourhoods."""
    part = samples[:_FITTED]
    lags = np.array([np.einsum("i,i", part[: len(part) - lag], part[lag:]) for lag in range(_ORDER + 1)])
    error = np.abs(subtract_prediction(samples, lags, ridge=1e-5))
    count = len(error) // _NEIGHBOURHOOD
    blocks = error[: count * _NEIGHBOURHOOD].reshape(count, _NEIGHBOURHOOD)
    upper = _NEIGHBOURHOOD * 3 // 4  # a quantile and no mean: a click must not hide itself
    usual = np.partition(blocks, upper, axis=1)[:, upper]
    beside = np.pad(usual, 1, mode="edge")
    # the loudest of a block and both beside it, so that the onset of a word is no click
    return error, np.repeat(np.maximum(np.maximum(beside[:-2], beside[2:]), usual), _NEIGHBOURHOOD)


@immutable
class SingleZeros:
    """Samples that are exactly zero between two that are alike and loud.

    Attributes:
        places: Shape (n,), rising.
        period: Samples; the distance from one to the next is it or a multiple.
        inserted: Whether the sound goes on as if they were not there; False where each stands for a sample that is
            lost, None where that cannot be told.
    """

    places: NDArray[np.int64]
    period: int
    inserted: bool | None


def find_single_zeros(samples: Floats, floor: float) -> SingleZeros | None:
    """Find samples that are exactly zero between two that are alike and loud, at one distance from each other.

    Sound crosses zero from one side to the other; in noise and coarse samples such zeros stand anywhere.

    Args:
        samples: Shape (n,), of one channel.
        floor: How far from zero both neighbours must be.

    Returns:
        None where there are few or no such distance.
    """
    before, after = samples[:-2], samples[2:]
    beside = np.minimum(np.abs(before), np.abs(after))
    alike = (before * after > 0) & (np.abs(before - after) < beside) & (beside > max(floor, _COARSE))
    places = np.flatnonzero((samples[1:-1] == 0) & alike) + 1
    if len(places) < _FEWEST:
        return None
    apart = np.diff(places)
    lengths, counts = np.unique(apart, return_counts=True)
    usual = int(lengths[np.argmax(counts)])
    if usual < _FEWEST_SAMPLES or np.mean(apart % usual == 0) < _REGULAR:
        return None
    inside = places[(places >= 2) & (places < len(samples) - 2)]
    far_before, near_before, near_after, far_after = (samples[inside + step] for step in (-2, -1, 1, 2))
    # how far the four samples beside it are off a curve of the second degree, each by the norm of its weights
    moved = np.abs(far_after - 3 * near_after + 3 * near_before - far_before).sum() / np.sqrt(20)
    kept = np.abs(far_after - 2 * near_after + 2 * near_before - far_before).sum() / np.sqrt(10)
    inserted = True if moved < _GOES_ON * kept else False if kept < _GOES_ON * moved else None
    return SingleZeros(places, usual, inserted)


def find_clicks(samples: Floats, rate: float, jumps: Floats, goes_on: bool = True) -> Clicks | None:
    """Find the period at which the waveform bends most.

    Args:
        samples: Shape (n,), finite: a few seconds with sound.
        rate: Hz.
        jumps: Of these samples, by `measure_jumps`.
        goes_on: Only clicks count that break into sound that goes on; where not, jumps to other sound as well.

    Returns:
        The strongest period with its ratio, None where no grid has enough sound to judge.
    """
    if len(samples) < _get_shortest(rate) * _FEWEST:
        return None
    spikes = np.where(jumps > _SPIKE, jumps, 0.0)
    if np.count_nonzero(spikes) < _FEWEST:
        return None
    periods = _list_likely_periods(spikes, rate)
    jumps = _leave_out_loops(samples, jumps, periods)
    known, errors = (jumps >= 0).astype(np.float64), np.maximum(jumps, 0.0)
    judged = [_judge_grid(known, errors, period) for period in periods if not _repeats(samples, period)]
    found = [clicks for clicks in judged if clicks is not None]
    strongest = max((clicks.ratio for clicks in found), default=0.0)
    alike = [clicks for clicks in found if clicks.ratio >= _AS_STRONG * strongest]  # one train has several periods
    if not alike:
        return None
    places = np.unique(np.concatenate([np.arange(clicks.first, len(jumps), clicks.period) for clicks in alike]))
    if goes_on and not _goes_on(samples, rate, places, jumps):
        return None
    return next(clicks for clicks in alike if clicks.ratio * _PLAINER >= strongest)


def find_border_clicks(samples: Floats, rate: float, jumps: Floats, borders: NDArray[np.int64]) -> Clicks | None:
    """Find clicks where the chunks of a stream are known to end.

    No period has to be searched, so far smaller ones are found than by `find_clicks`: the errors at the borders are
    compared with those everywhere else in the chunks.

    Args:
        samples: Shape (n,), finite: a few seconds with sound.
        rate: Hz.
        jumps: Of these samples, by `measure_jumps`.
        borders: First sample of each chunk, rising.

    Returns:
        The clicks, with the usual length of a chunk as their period and a ratio to the error elsewhere; None without.
    """
    inside = borders[(borders >= _SMEARED) & (borders < len(samples) - _SMEARED)]
    if len(inside) < _FEWEST:
        return None
    size = int(np.median(np.diff(inside)))
    if size < _FEWEST_SAMPLES:
        return None
    jumps = _leave_out_loops(samples, jumps, [size])
    errors = {first: _measure_bends(jumps, inside + first) for first in range(1 - _SMEARED, 2)}
    at = max(errors, key=lambda first: float(errors[first].mean()) if len(errors[first]) >= _FEWEST else 0.0)
    found = errors[at]
    beside = _measure_bends(jumps, (inside[:, None] + (size * np.linspace(0.15, 0.85, 24)).astype(np.int64)).ravel())
    if len(found) < _FEWEST or len(beside) < _FEWEST:
        return None
    times = float(found.mean() / max(float(beside.mean()), 1e-9))
    sure = float((found.mean() - beside.mean()) / max(float(found.std()), 1e-9) * np.sqrt(len(found)))
    if not any(times >= ratio and sure >= deviations for ratio, deviations in _BORDERS):
        return None
    near = _measure_bends(jumps, (inside[:, None] + np.rint(_SPREAD_S * rate).astype(np.int64)).ravel())
    if len(near) and near.mean() - beside.mean() > _SPREAD * (found.mean() - beside.mean()):
        return None  # a codec fades from frame to frame
    places = inside + at
    places = places[jumps[places] >= _SPIKE]
    if len(places) >= _FEWEST and not _goes_on(samples, rate, places, jumps):
        return None
    share = len(places) / len(found)
    return Clicks(size, int(inside[0] + at) % size, times, share, tuple(map(int, places[:5])), len(found))


def find_chunk_clicks(samples: Floats, rate: float, jumps: Floats, first: int) -> Clicks | None:
    """Find clicks where chunks of a usual length end, counted from the first sample of a stream.

    Args:
        samples: Shape (n,), finite: a few seconds with sound.
        rate: Hz.
        jumps: Of these samples, by `measure_jumps`.
        first: Number of the first of them in the stream.

    Returns:
        As `find_border_clicks`.
    """
    if len(jumps) < _FEWEST * _FEWEST_SAMPLES:
        return None
    windows = sliding_window_view(jumps, _SMEARED)
    bends, heard = windows.mean(axis=1), windows.min(axis=1) >= 0
    usual = float(bends[heard].mean()) if heard.any() else 0.0
    best, sure = 0, 0.0
    for size in _list_usual_sizes(rate):
        for away in range(1 - _SMEARED, 2):
            start = (away - first) % size
            at = bends[start::size][heard[start::size]]
            beyond = float(at.mean()) - usual if len(at) >= _FEWEST else 0.0
            if beyond <= (_WORTH[0] - 1) * usual:
                continue
            deviations = beyond / max(float(at.std()), 1e-9) * np.sqrt(len(at))
            if deviations >= _WORTH[1] and deviations > sure:
                best, sure = size, float(deviations)
    return find_border_clicks(samples, rate, jumps, np.arange(-first % best, len(samples), best)) if best else None


def _list_usual_sizes(rate: float) -> list[int]:
    """Samples of a chunk: whole milliseconds, and what a device's buffer becomes at this rate."""
    sizes = {int(ms * rate / 1000) for ms in _USUAL_MS if ms * rate % 1000 == 0}
    sizes |= {int(buffer * rate / other) for buffer in _USUAL_BUFFERS for other in _USUAL_RATES}
    return sorted(size for size in sizes if _get_shortest(rate) <= size <= LONGEST_PERIOD_S * rate)


def _measure_bends(jumps: Floats, places: NDArray[np.int64]) -> Floats:
    """Mean error of each place that can be judged and the next ones: a bend is in the prediction of all."""
    inside = places[(places >= 0) & (places <= len(jumps) - _SMEARED)]
    errors = jumps[inside[:, None] + np.arange(_SMEARED)]
    return np.asarray(errors[errors.min(axis=1) >= 0].mean(axis=1))


def _get_shortest(rate: float) -> int:
    return max(int(SHORTEST_PERIOD_S * rate), _FEWEST_SAMPLES)


def _find_switched(samples: Floats, shortest: int) -> NDArray[np.bool_]:
    """Which samples stand where a constant stretch begins or ends: sound is switched off and on there."""
    edges = find_stretches(samples[1:] == samples[:-1])
    edges = edges[edges[:, 1] - edges[:, 0] >= shortest - 1]
    near = np.zeros(len(samples), dtype=bool)
    for away in range(-1, _ORDER + 2):
        near[np.clip(edges + away, 0, len(samples) - 1)] = True
    return near


def _list_likely_periods(spikes: Floats, rate: float) -> list[int]:
    size = fast_length(len(spikes))
    power = measure_power(np.fft.rfft(spikes - spikes.mean(), size))
    shortest, longest = _get_shortest(rate), min(int(LONGEST_PERIOD_S * rate), len(spikes) // _FEWEST)
    periods = np.arange(shortest, longest + 1)
    if not len(periods):
        return []
    lines = np.rint(np.outer(np.arange(1, _HARMONICS + 1), size / periods)).astype(np.int64)
    # a train of clicks has a line at each harmonic; one strong line alone is capped, as it is a hum
    score = np.minimum(power[np.minimum(lines, len(power) - 1)], power.mean() * 200).sum(axis=0)
    order = np.argsort(score)[::-1]
    # near a peak all periods score well: of these the best, and its neighbours to be exact
    chosen: list[int] = []
    for period in periods[order[:200]]:
        if all(abs(int(period) - other) > 2 for other in chosen):
            chosen.append(int(period))
        if len(chosen) == _TRIED:
            break
    return sorted({near for period in chosen for near in (period - 1, period, period + 1) if near >= shortest})


def _repeats(samples: Floats, period: int) -> bool:
    """Whether all of the sound comes again with the period, as of tones that beat: its jumps are its own."""
    rows = samples[: len(samples) // period * period].reshape(-1, period)
    energy = np.einsum("ij,ij->i", rows, rows)
    both = energy[1:] + energy[:-1]
    loud = np.minimum(energy[1:], energy[:-1]) > 0.1 * energy.max(initial=0.0)
    if not loud.any():
        return False
    apart = both - 2 * np.einsum("ij,ij->i", rows[1:], rows[:-1])
    return measure_quantile(apart[loud] / both[loud], 0.25) < _AGAIN  # some are switched off


def _leave_out_loops(samples: Floats, jumps: Floats, periods: Iterable[int]) -> Floats:
    """The jumps without those where a piece comes again exactly, as a gate or a codec fills pauses with noise."""
    left = jumps.copy()
    for period in periods:
        count = len(samples) // period
        rows = samples[: count * period].reshape(count, period)
        same = (rows[1:] == rows[:-1]).all(axis=1)
        again = np.concatenate([[False], same]) | np.concatenate([same, [False]])
        left[: count * period].reshape(count, period)[again] = -1.0
    return left


def _goes_on(samples: Floats, rate: float, grid: NDArray[np.int64], ratio: Floats) -> bool:
    """Whether the sound behind most clicks of a grid is the one before them, and the clicks grow with it.

    A click breaks into sound that goes on. Where a tone begins or ends, or a note is struck, spectrum or level change.
    """
    size, apart = max(32, round(_BESIDE_S * rate)), round(_APART_S * rate)
    at = grid[(ratio[grid] >= _SPIKE) & (grid >= size + apart) & (grid < len(samples) - size - apart)]
    if not len(at):
        return False
    inside, window = np.arange(size), np.hanning(size)
    before, behind = (
        np.abs(np.fft.rfft(samples[start[:, None] + inside] * window)) for start in (at - apart - size, at + apart)
    )
    energy = [np.einsum("ij,ij->i", part, part) + 1e-20 for part in (before, behind)]
    alike = np.einsum("ij,ij->i", before, behind) / np.sqrt(energy[0] * energy[1])
    louder = float((energy[1] > energy[0]).mean())
    are_even = abs(louder - 0.5) <= _UPWARD + _BY_CHANCE / np.sqrt(len(at))
    is_cut = _grow(samples, at) or _are_single(samples, at)
    return float((alike > _ALIKE).mean()) >= _MOST and are_even and is_cut


def _grow(samples: Floats, at: NDArray[np.int64]) -> bool:
    """Whether clicks in louder sound are larger: how far they depart, against how far the sound round them does."""
    error, local = _predict(samples)
    at = at[at < len(local)]
    size, level = (np.log(of[at] + _NOTHING) for of in (error, local))
    size, level = size - size.mean(), level - level.mean()
    return float(size @ level) >= _GROWS * float(level @ level)


def _are_single(samples: Floats, at: NDArray[np.int64]) -> bool:
    """Whether clicks are one wrong sample each: what is picked up by a wire or a microphone lasts longer."""
    steps = samples[at[:, None] + np.arange(-3, 3)]  # a capped error may be that of the sample behind
    out = np.abs(steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2) > _OUT * np.abs(steps[:, 2:] - steps[:, :-2])
    return bool(out.mean(axis=0).max() >= _MOST)


def _judge_grid(known: Floats, errors: Floats, period: int) -> Clicks | None:
    """The place of a grid with the largest mean error; `known` is 1 for samples that can be judged, else both are 0."""
    count = len(errors) // period
    rows = errors[: count * period].reshape(count, period)
    each = np.ones(count)  # products with it add up rows
    heard = each @ known[: count * period].reshape(count, period)
    means = each @ rows / np.maximum(heard, 1)
    # of few periods the largest mean is chance
    means = np.where(heard >= _FEWEST, means, 0.0)
    first = int(np.argmax(means))
    if means[first] == 0.0:
        return None
    at = np.flatnonzero(rows[:, first] >= _SPIKE)
    count = int(heard[first])
    places = tuple(int(row) * period + first for row in at[:5])
    return Clicks(period, first, float(means[first]), len(at) / count, places, count)

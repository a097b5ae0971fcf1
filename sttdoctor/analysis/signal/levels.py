"""Level, offset, clipping, and constant stretches of audio, in one pass over blocks of bounded memory.

The task: given bytes and how to read them, measure what says whether there is a usable sound in them. Levels are of
full scale (1.0); a step is 20 ms. Samples that stand at another scale are brought to full scale first.

Integers are compared as they stand and summed as 32-bit floats about the mean of their step: every sample is touched,
so this pass decides how fast long audio is read.

What they add up to (modulation, clipping, the loudest stretch) are plain functions of the `Levels` that `measure`
returns; nothing here knows a limit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import autocorrelate, find_stretches
from sttdoctor.analysis.decoding import Layout, decode, find_loudest_channel, read_numbers
from sttdoctor.analysis.excerpt import read_blocks
from sttdoctor.analysis.signal.runs import NO_ROWS, WRAPPING, Floats, Runs, Wraps, find_constant_runs, join_runs
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

Steps = NDArray[np.float32]

STEP_S = 0.020
LONGEST_HOLE_S = 0.400

_BLOCK_SAMPLES = 1 << 18  # a block and its copy as floats are near the processor, and calls of numpy are few
_MOST_RUNS = 100_000
_AT_ONCE = 1 << 16  # windows of steps

WORST_S = 2.0
"""Length of the part of which `find_worst_clipping` tells."""

_LOUD = 0.1  # of the level of the loud parts, -20 dB
_FEWEST_CUT = 5  # samples: in G.711 a single peak may well stay on one code for three or four
_FLAT_MODULATION = 2.0  # 6 dB: speech moves by 15 dB and more between its loud and quiet parts, steady noise by 1 to 3


@dataclass(frozen=True, eq=False)
class Levels:
    """What one pass over the samples measured; each array has one entry a step of `STEP_S`, and there are few of them.

    Attributes:
        rate: Hz that times are counted at.
        samples: Number of samples read.
        channel: Which of the channels was measured: the loudest.
        factor: What decoded samples were multiplied by, to stand at full scale.
        step: Samples of a step.
        rms: RMS about the step's own mean.
        clipped: Shape (n,), samples that are cut off: at `high` or `low` and the third or later of equal ones in a
            row, constant stretches left out, or floats beyond +-1.
        dc_offset: The usual mean of a step; constant stretches (a fill, false silence) have none of the sound's offset.
        sounding: How many steps reach the silent peak, by half the distance of their extremes: the offset left out.
        quiet_peak: Of the other steps, offset included; 0 without any.
        high: The largest value of all; `low` the smallest.
        flat: Samples at `high` or `low` that are the third or later of equal ones in a row.
        beyond: Samples of float audio beyond +-1.
        broken: Samples of float audio that are no numbers, or infinite, and the first of them.
        runs: Constant stretches.
        wraps: Samples that wrapped around, of 16- and 32-bit integers.
    """

    rate: float
    samples: int
    channel: int
    factor: float
    step: int
    rms: Steps
    clipped: NDArray[np.int32]
    dc_offset: float
    sounding: int
    quiet_peak: float
    high: float
    low: float
    flat: int
    beyond: int
    broken: tuple[int, int]
    runs: Runs
    wraps: Wraps

    @cached_property
    def loud(self) -> float:
        """RMS of the loud parts: the 95th percentile of the steps that are not constant; 0 without any."""
        return self.active_rms(95)

    def active_rms(self, percentile: float) -> float:
        """RMS, of full scale, that this percentage of the steps with sound stay below; 0 without any."""
        active = self.rms[self.rms > 0]
        return float(np.percentile(active, percentile, overwrite_input=True)) if len(active) else 0.0


_Counts = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Steps, and how many samples of each; those without any are left out."""


@dataclass(slots=True)
class _Extreme:
    """The outermost value so far on one side, and how many samples are flat at it."""

    sign: int
    value: float = -np.inf
    flat: list[_Counts] = field(default_factory=list)

    def add(self, x: NDArray[Any], outermost: float, first_step: int, step: int) -> None:
        value = self.sign * outermost
        if value < self.value:
            return
        if value > self.value:
            self.value, self.flat = value, []
        at = x == outermost
        third = at[2:] & at[1:-1] & at[:-2]
        if third.any():  # of silence they are most samples, and their places would take more room than the block
            steps = np.append(third, np.zeros(-len(third) % step, dtype=np.bool_)).reshape(-1, step)
            self.flat.append(_count_some(np.count_nonzero(steps, axis=1), first_step))


def _count_some(counts: NDArray[np.intp], first_step: int) -> _Counts:
    some = np.flatnonzero(counts)
    return some + first_step, counts[some].astype(np.int64)


@dataclass(slots=True)
class _Tally:
    scale: float  # of the samples, to full scale
    silent_peak: float
    # made once, and each by itself, which finds room among what was freed
    rms: Steps
    offset: Steps
    known: int = 0
    sounding: int = 0
    quiet_peak: float = 0.0
    high: _Extreme = field(default_factory=lambda: _Extreme(1))
    low: _Extreme = field(default_factory=lambda: _Extreme(-1))
    beyond: list[_Counts] = field(default_factory=list)
    broken: tuple[int, int] = (0, 0)
    runs: list[Floats] = field(default_factory=list)
    wraps: Wraps = field(default_factory=Wraps)


def measure(
    data: NDArray[np.uint8],
    encoding: str,
    channels: int,
    rate: float,
    factor: float = 1.0,
    silent_peak: float = 0.0,
) -> Levels:
    """Measure audio.

    Args:
        data: Bytes from the first whole sample on, shape (n,); may be a memory map of any size.
        encoding: A name of `sttdoctor.encodings.ENCODINGS`.
        channels: 1 or 2; of two the louder one is measured.
        rate: Sample rate in Hz for the length of steps and holes.
        factor: What the samples are multiplied by where they stand at another scale of their encoding.
        silent_peak: Of full scale: a step that does not reach it is silent.

    Returns:
        The measurements. NaN and infinity count as 0.
    """
    step = max(8, round(STEP_S * rate))
    frame = ENCODINGS[encoding].width * channels
    size = max(1, _BLOCK_SAMPLES // step) * step
    count = len(data) // frame
    channel = _pick_channel(data, encoding, channels)
    floats = ENCODINGS[encoding].is_float
    scale = 1.0 if floats else factor / ENCODINGS[encoding].full_scale
    rms, offset = (np.empty(-(-count // step), dtype=np.float32) for _ in range(2))
    tally = _Tally(scale, silent_peak, rms, offset)
    first = known = 0
    for block in read_blocks(data[: count * frame], size * frame):
        x = read_numbers(block, encoding)[channel::channels]
        if floats:
            tally.broken = _count_broken(tally.broken, x, first)
            x = _tame(x, factor)
        if len(x):
            low, high = _add(tally, x, step, first)
            if encoding in WRAPPING:
                tally.wraps.add(x, first, low, high)
        if known < _MOST_RUNS:
            runs = find_constant_runs(x, first, rate)
            known += len(runs)
            tally.runs.append(runs)
        first += len(x)
    return _finish(tally, rate, step, count, channel, factor)


def _pick_channel(data: NDArray[np.uint8], encoding: str, channels: int) -> int:
    """The louder channel, by probes."""
    if channels == 1:
        return 0
    frame = ENCODINGS[encoding].width * channels
    count = len(data) // frame
    probes = [
        data[place * frame : (place + 2048) * frame] for place in np.linspace(0, max(0, count - 2048), 64, dtype=int)
    ]
    parts = [_tame(decode(np.asarray(probe), encoding), 1.0) for probe in probes]
    x = np.concatenate(parts) if parts else np.empty(0)
    x = x[: len(x) // channels * channels].reshape(-1, channels)
    return find_loudest_channel(x)


def _count_broken(so_far: tuple[int, int], x: NDArray[Any], first: int) -> tuple[int, int]:
    """How many samples are no numbers, or infinite, and which one is the first."""
    places = np.flatnonzero(~np.isfinite(x))
    count, place = so_far
    return (count + len(places), place if count else first + int(places[0])) if len(places) else so_far


def _tame(x: NDArray[Any], scale: float) -> NDArray[Any]:
    """Floats at full scale, at least 32 bits wide, without numbers that are none."""
    with np.errstate(invalid="ignore"):
        wide = x.astype(np.result_type(x.dtype.newbyteorder("="), np.float32)) * np.float32(scale)
    return np.clip(np.nan_to_num(wide, copy=False, nan=0.0, posinf=0.0, neginf=0.0), -1e6, 1e6, out=wide)


def _add(tally: _Tally, x: NDArray[Any], step: int, first: int) -> tuple[float, float]:
    """Take a block in, and tell its lowest and its highest value."""
    whole = len(x) // step * step
    rows = x[:whole].reshape(-1, step) if whole else x[None, :]  # all of it may be shorter than a step
    # faster than `max` of rows as short as these
    starts = np.arange(0, rows.size, rows.shape[1])
    high, low = np.maximum.reduceat(x[: rows.size], starts), np.minimum.reduceat(x[: rows.size], starts)
    centred = rows.astype(np.result_type(rows.dtype.newbyteorder("="), np.float32))
    mean = centred @ np.full(rows.shape[1], 1 / rows.shape[1], dtype=centred.dtype)
    # about the mean of the step: squares about zero would lose quiet sound on a large offset in 32 bits
    centred -= mean[:, None]
    # sums the squares of each row without an array of them
    power = np.einsum("ij,ij->i", centred, centred) / rows.shape[1]
    rms = np.where(high == low, 0.0, np.sqrt(power))
    top, bottom = high.max(), low.min()
    scale = np.float32(tally.scale)
    for values, kept in ((rms, tally.rms), (mean, tally.offset)):
        np.multiply(values, scale, out=kept[tally.known : tally.known + len(rows)], dtype=np.float32)
    tally.known += len(rows)
    high, low = high.astype(np.float64), low.astype(np.float64)
    silent = (0.5 * (high - low)).astype(np.float32) * scale < tally.silent_peak
    tally.sounding += len(rows) - int(np.count_nonzero(silent))
    if silent.any():
        peak = float(np.maximum(np.abs(high), np.abs(low))[silent].max())
        tally.quiet_peak = max(tally.quiet_peak, float(np.float32(peak) * scale))
    if x.dtype.kind == "f" and (top > 1.0 or bottom < -1.0):
        tally.beyond.append(_count_some(np.bincount(np.flatnonzero(np.abs(x) > 1.0) // step), first // step))
    tally.high.add(x, top.item(), first // step, step)
    tally.low.add(x, bottom.item(), first // step, step)
    return float(bottom), float(top)


def _finish(tally: _Tally, rate: float, step: int, count: int, channel: int, factor: float) -> Levels:
    rms, scale = tally.rms[: tally.known], tally.scale  # the rest was never written
    dc_offset = _find_usual(tally.offset[: tally.known], rms > 0)
    runs = join_runs(np.concatenate([NO_ROWS, *tally.runs]), scale)
    high, low = (scale * tally.high.value, -scale * tally.low.value) if tally.known else (0.0, 0.0)
    # the first two samples of a run are not counted as flat either
    held = runs.length - 2  # a constant stretch is no clipping
    clipped = np.zeros(len(rms), dtype=np.int32)
    steps, counts = _join_counts(tally.beyond)
    _add_counts(clipped, steps, counts)
    beyond, flat = int(counts.sum()), 0
    for side, value in ((tally.high, high), (tally.low, low)):
        steps, counts = _join_counts(side.flat)
        own = runs.value == value
        flat += max(0, int(counts.sum()) - int(held[own].sum()))
        free = ~_find_covered(runs, own, step, steps)
        _add_counts(clipped, steps[free], counts[free])
    return Levels(
        rate,
        count,
        channel,
        factor,
        step,
        rms,
        clipped,
        dc_offset,
        tally.sounding,
        tally.quiet_peak,
        high,
        low,
        flat,
        beyond,
        tally.broken,
        runs,
        tally.wraps,
    )


def _find_usual(values: Steps, chosen: NDArray[np.bool_]) -> float:
    """The median of the chosen values, 0 of none; it puts them in another order, which spares a copy of a day."""
    count = int(np.count_nonzero(chosen))
    if count < len(values):
        values[~chosen] = np.inf
        values.partition(count)
    return float(np.median(values[:count], overwrite_input=True)) if count else 0.0


def _join_counts(parts: list[_Counts]) -> _Counts:
    steps, counts = zip(*parts, strict=True) if parts else ((), ())
    return np.concatenate([_NONE, *steps]), np.concatenate([_NONE, *counts])


_NONE = np.empty(0, dtype=np.int64)


def _add_counts(total: NDArray[np.int32], steps: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Add counts to the total of their steps; what lies behind the last whole step counts for it."""
    if len(total):
        np.add.at(total, np.minimum(steps, len(total) - 1), counts.astype(np.int32))


def _find_covered(runs: Runs, chosen: NDArray[np.bool_], step: int, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of some steps hold a part of the chosen stretches, which are in order and apart."""
    if not chosen.any():
        return np.zeros(len(steps), dtype=bool)
    first, last = runs.start[chosen] // step, (runs.start + runs.length - 1)[chosen] // step
    before = np.searchsorted(first, steps, side="right") - 1
    return (before >= 0) & (last[np.maximum(before, 0)] >= steps)


def is_modulated(levels: Levels) -> bool:
    """Whether there is sound that moves between loud and quiet, as speech does and steady noise does not."""
    return bool((levels.rms > 0).any()) and levels.loud > _FLAT_MODULATION * levels.active_rms(20)


def is_switched(levels: Levels) -> bool:
    """Whether sound is switched off and on, with exact silence between, as generated tones are."""
    sounding = np.flatnonzero(levels.rms)
    return len(sounding) > 0 and len(sounding) < _SWITCHED * (sounding[-1] - sounding[0] + 1)


def is_drowned(levels: Levels, least: float) -> bool:
    """Whether sound that moves hardly stands out of steady noise of at least this level, of full scale."""
    floor, middle, top = (levels.active_rms(percentile) for percentile in (10, 35, 90))
    return floor >= least and middle <= _STEADY * floor and _MOVES * floor <= top <= _STANDS_OUT * floor


_SWITCHED = 0.9  # share of the steps from the first to the last with sound
_STEADY, _MOVES, _STANDS_OUT = 1.3, 1.4, 2.5  # noise varies by 1 dB, speech rises out of a usual room by 15 dB or more


@immutable
class Swells:
    """Stretches of steady sound as loud as the loud parts, while other moments are far softer.

    Attributes:
        count: How many.
        seconds: In all.
        level: Their RMS, of full scale.
        first: Where the longest one begins, in samples; it has `length`.
        length: Samples of it.
    """

    count: int
    seconds: float
    level: float
    first: int
    length: int


def find_swells(levels: Levels) -> Swells | None:
    """Find where noise has become as loud as speech, as automatic gain makes it in pauses; None where it has not."""
    loud = levels.loud
    if loud <= 0.0 or len(levels.rms) < 2 * _SWELL:
        return None
    steady = np.empty(len(levels.rms) - 1, dtype=np.bool_)
    for at in range(0, len(steady), _AT_ONCE):
        rms = _smooth(levels.rms, at, min(len(steady), at + _AT_ONCE) + 1)
        still = np.abs(np.diff(np.log10(rms))) < _SWELL_STEP
        steady[at : at + _AT_ONCE] = still & (rms[1:] > _SWELL_LEVEL * loud)
    edges = find_stretches(steady)
    long = edges[edges[:, 1] - edges[:, 0] >= _SWELL]
    if len(long) < _FEWEST_SWELLS:
        return None
    inside = np.concatenate([_smooth(levels.rms, first, stop) for first, stop in long.tolist()])
    level = float(np.sqrt(np.mean(inside**2)))
    softer = levels.active_rms(5)
    longest = long[np.argmax(long[:, 1] - long[:, 0])]
    if softer > _SOFTER * level:
        return None
    seconds = len(inside) * levels.step / levels.rate
    first, stop = (int(edge) * levels.step for edge in longest)
    return Swells(len(long), seconds, level, first, stop - first)


def _smooth(rms: Steps, first: int, stop: int) -> Floats:
    """Some steps, each the RMS of `_SMOOTHED` about it, at least 1e-9."""
    before = max(0, first - _SMOOTHED)
    near = np.square(rms[before : stop + _SMOOTHED].astype(np.float64))
    power = np.convolve(near, np.ones(_SMOOTHED) / _SMOOTHED, "same")[first - before : stop - before]
    smooth: Floats = np.sqrt(np.maximum(power, 1e-18))
    return smooth


def is_noise(samples: Floats, rate: float) -> bool:
    """Whether sound repeats itself at no pitch, as a voice, a tone and music do; shape (n,), 0.1 s or more."""
    again = autocorrelate(samples[: round(0.5 * rate)] - samples.mean(), round(_LOWEST_PITCH_S * rate))
    return bool(again[0] > 0 and np.abs(again[round(_HIGHEST_PITCH_S * rate) :]).max(initial=0.0) < _PITCHED * again[0])


_HIGHEST_PITCH_S, _LOWEST_PITCH_S, _PITCHED = 0.0015, 0.02, 0.35
_SMOOTHED, _SWELL, _FEWEST_SWELLS = 5, 30, 2  # steps, 0.1 and 0.6 s; stretches
_SWELL_STEP = 0.03  # of a decade, 0.6 dB: noise keeps to it from step to step, speech does not
_SWELL_LEVEL, _SOFTER = 0.5, 0.25  # of the loud parts; of the swells


def measure_clipping(levels: Levels) -> float:
    """The share of the loud samples (0..) that is cut off; 0 where so few are that coarse codes explain it."""
    if levels.flat + levels.beyond < _FEWEST_CUT:
        return 0.0
    loud = int((levels.rms > _LOUD * levels.loud).sum()) * STEP_S * levels.rate
    return (levels.flat + levels.beyond) / loud if loud else 0.0


def find_worst_clipping(levels: Levels) -> tuple[float, float]:
    """The share of the loud samples that is cut off in the worst `WORST_S`, and where that begins in seconds."""
    steps = round(WORST_S / STEP_S)
    if len(levels.rms) <= steps or not levels.clipped.any():
        return 0.0, 0.0
    least = _LOUD * levels.loud

    def measure_shares(part: slice) -> Floats:
        clipped, loud = (_sum_windows(values[part], steps) for values in (levels.clipped, levels.rms > least))
        return np.asarray(clipped / (np.maximum(loud, steps // 4) * levels.step))

    share, worst_at = _find_highest(measure_shares, len(levels.rms), steps)
    return share, worst_at * STEP_S


def _sum_windows(values: NDArray[Any], length: int) -> Floats:
    """The sum of each `length` values in a row, shape (n - length + 1,)."""
    sums: Floats = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    return sums[length:] - sums[:-length]


def _find_highest(measure_windows: Callable[[slice], Floats], count: int, length: int) -> tuple[float, int]:
    """The highest value of all windows and the first of that, of which a part is held at a time.

    Args:
        measure_windows: From some steps to the values of the windows of `length` steps in them.
        count: Of all steps, more than `length`.
        length: Steps of a window.
    """
    best, best_at = -np.inf, 0
    for at in range(0, count - length + 1, _AT_ONCE):
        values = measure_windows(slice(at, min(count, at + _AT_ONCE + length - 1)))
        highest = int(np.argmax(values))
        if values[highest] > best:
            best, best_at = float(values[highest]), at + highest
    return best, best_at


def find_zero_runs(levels: Levels, encoding: str) -> tuple[str, NDArray[np.bool_]]:
    """Find constant stretches that are zero bytes of an encoding in which those are loud, or what became of them.

    Returns:
        That encoding, and which stretches, shape (runs,): the same one in G.711, and where samples are converted from
        another the one of which there is most. None of them where the other limit is held as well, or where nothing
        is beyond them and sound glides into most of them or out again, as it does where it is cut off.
    """
    values = {name: decode(b"\0", name)[0] for name in _LOUD_ZEROS if encoding == name or encoding not in _LOUD_ZEROS}
    lengths = {name: _measure_held(levels.runs, value) for name, value in values.items()}
    name = max(lengths, key=lambda each: lengths[each])
    clipped = _measure_held(levels.runs, -values[name]) > _MIRRORED * lengths[name]
    held = _is_held(levels.runs, values[name])
    if max(-levels.low, levels.high) < abs(values[name]) + _SAME:
        gliding = levels.runs.jump[held] < _JUMPING * abs(values[name])
        clipped = clipped or 2 * int(np.count_nonzero(gliding)) > len(gliding)
    return name, held & (not clipped)


def _measure_held(runs: Runs, value: float) -> int:
    return int(runs.length[_is_held(runs, value)].sum())


def _is_held(runs: Runs, value: float) -> NDArray[np.bool_]:
    return np.asarray(np.abs(runs.value - value) < _SAME)


_LOUD_ZEROS = ("u8", "pcm_mulaw", "pcm_alaw")
_SAME = 1e-4  # three steps of 16 bits: full scale is 32767 or 32768
_JUMPING = 0.4  # of the value: a filled pause begins and ends with all of it, sound that is cut off glides there
_MIRRORED = 0.1  # of the length at one limit: of sound that is cut off as much is at the other


def decode_loudest(data: NDArray[np.uint8], layout: Layout, levels: Levels, most: int) -> tuple[Floats, int]:
    """Decode the stretch with most sound.

    Args:
        data: Bytes from the first whole sample on, of which `levels` were measured.
        layout: How they are read; its offset does not count.
        levels: Of all of it.
        most: Samples of the stretch.

    Returns:
        Its samples, shape (n,), of the louder channel, finite and within +-1e6, and their place in samples.
    """
    step = levels.step
    wanted = max(1, most // step)
    loud = levels.loud

    def measure_sound(part: slice) -> Floats:
        return _sum_windows(np.minimum(levels.rms[part], loud), wanted)

    first = _find_highest(measure_sound, len(levels.rms), wanted)[1] * step if len(levels.rms) > wanted else 0
    frame = layout.frame_bytes
    part = data[first * frame : (first + wanted * step) * frame]
    samples = np.clip(np.nan_to_num(layout.decode(np.asarray(part))), -1e6, 1e6)
    return np.ascontiguousarray(samples[:, find_loudest_channel(samples)]), first

"""Holes that are torn into sound, told from pauses: digital silence between phonemes, words or tones is no hole.

A pause ends what it follows: speech (natural, synthesised or gated) fades into it and starts softly behind it, if only
over a millisecond, and a tone is switched off. A hole breaks off in full voice. So at its edges the waveform jumps
farther than it moves beside them, at the start of holes as at their end; and between two pure tones there is a cadence,
not a hole. What lies within a few steps of the quantiser jumps by itself: coarse samples stay on one value and
leave it by a whole step.

Sound that turns to exact silence in full voice and stays so is a microphone that something mutes. A client that sends
silence between turns does so after the words, behind a pause or a gate that closes softly.
"""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Layout, decode
from sttdoctor.analysis.signal.levels import LONGEST_HOLE_S, Levels, find_zero_runs
from sttdoctor.analysis.signal.runs import EDGE_S, Floats
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

_VOICE = 0.1  # of the level of loud parts, -20 dB: sound goes on right up to a hole
_STEPS = 4.0  # of the quantiser: sound of fewer stays on one value by itself
_JUMP, _MOVES = 1.6, 90  # times this percentile of the moves beside it: half of the cuts through speech, few pauses
_STILL = 0.5  # share of moves that are none: a stair of the quantiser leads there, no full voice
_BOTH = 0.2  # share of the starts, and of the ends, that must jump: a pause does at one of them at most
_BESIDE_S = 0.030  # sound beside a hole that is searched for tones
_TONES, _PURE = 2, 0.98  # share of the power in so many lines
_MOST = 4000  # stretches that are looked at
_AT_ONCE = 500

_STEPS_BEFORE = 3  # 60 ms of sound before the silence
FULL_VOICE, SOME_VOICE = 0.35, 0.2  # of the level of loud parts: theirs; the lower one says something often only
_EDGE_BEFORE = 0.2  # likewise, of the last 2 ms
_MOST_SILENCES = 500  # silences that are looked at
_SILENT_VALUE = 0.001  # of full scale: value of silence, also in A-law


def find_torn_holes(data: NDArray[np.uint8], layout: Layout, levels: Levels) -> NDArray[np.int64]:
    """Which constant stretches are holes.

    Args:
        data: Bytes from the first whole sample on, of which `levels` were measured; may be a memory map.
        layout: How they are read; its offset does not count.
        levels: Of all of it.

    Returns:
        Indices into `levels.runs`, shape (holes,), in order. Of more than `_MOST` stretches that come into question as
        many, evenly spread, are looked at.
    """
    runs = levels.runs
    extreme = (runs.value == levels.high) | (runs.value == levels.low)
    inside = np.minimum(runs.before, runs.after) > _VOICE * levels.loud
    inside &= (runs.length <= LONGEST_HOLE_S * levels.rate) & ~find_zero_runs(levels, layout.encoding)[1] & ~extreme
    found = np.flatnonzero(inside)
    if len(found) > _MOST:
        found = found[np.linspace(0, len(found) - 1, _MOST).astype(np.int64)]
    if not len(found):
        return found
    sides = [read_beside(data, layout, levels, found[i : i + _AT_ONCE]) for i in range(0, len(found), _AT_ONCE)]
    before, after = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    step = _measure_step(np.concatenate([before, after]))
    edge = max(2, round(EDGE_S * levels.rate))
    loud = np.minimum(runs.before[found], runs.after[found]) > _STEPS * step
    chosen = loud & ~(is_tonal(before) & is_tonal(after))
    starts, ends = (_jumps(side[:, : 1 + max(8, edge)], step) & chosen for side in (before, after))
    if min(starts.sum(), ends.sum()) < _BOTH * chosen.sum():
        return found[:0]
    return found[starts | ends]


def read_beside(
    data: NDArray[np.uint8], layout: Layout, levels: Levels, chosen: NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """The sound before some stretches, counted backwards, and behind them, about the value between; (stretches, n)."""
    runs, width = levels.runs, ENCODINGS[layout.encoding].width
    frames = data[: len(data) // layout.frame_bytes * layout.frame_bytes].reshape(-1, layout.frame_bytes)
    steps = np.arange(max(16, round(_BESIDE_S * levels.rate)))
    first = levels.channel * width

    def heard(places: NDArray[np.int64]) -> Floats:
        codes = frames[np.clip(places, 0, len(frames) - 1), first : first + width]
        samples = decode(np.ascontiguousarray(codes).reshape(-1), layout.encoding)
        tame = np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0) * levels.factor, -1e6, 1e6)
        return tame.reshape(places.shape) - runs.value[chosen, None]

    start, end = runs.start[chosen, None], (runs.start + runs.length)[chosen, None]
    return heard(start - 1 - steps), heard(end + steps)


def _measure_step(samples: Floats) -> float:
    """Distance of neighbouring values that occur: the step of the source, not of the encoding that it is written in."""
    # few distances are less than a step, by rounding: the first decile is one
    gaps = np.diff(np.unique(samples[:, : _AT_ONCE // 4]))
    return float(np.quantile(gaps, 0.1)) if len(gaps) else 0.0


def _jumps(near: Floats, step: float) -> NDArray[np.bool_]:
    """Whether the edge lies farther from the value of the stretch than the sound beside it moves in one sample."""
    jump, each = np.abs(near[:, 0]), np.abs(np.diff(near, axis=1))
    moves, still = np.percentile(each, _MOVES, axis=1), (each == 0.0).mean(axis=1)
    return np.asarray((jump > _JUMP * moves) & (jump > (_STEPS - 1) * step) & (still < _STILL))


def is_tonal(sound: Floats) -> NDArray[np.bool_]:
    """Whether nearly all power of each row stands in two lines, as of the tones of a telephone."""
    power = np.abs(np.fft.rfft((sound - sound.mean(axis=1, keepdims=True)) * np.hanning(sound.shape[1]))) ** 2
    total = power.sum(axis=1) + 1e-30
    lines = np.zeros(len(power))
    every = np.arange(len(power))
    for _ in range(_TONES):
        peak = power.argmax(axis=1)
        for near in range(-2, 3):
            place = np.clip(peak + near, 0, power.shape[1] - 1)
            lines += power[every, place]
            power[every, place] = 0.0
    return np.asarray(lines > _PURE * total)


@immutable
class Muted:
    """The longest silence that cuts speech off.

    Attributes:
        start: Its first sample.
        length: Samples.
        to_end: Whether it lasts to the end of the audio.
        count: How many such silences there are.
    """

    start: int
    length: int
    to_end: bool
    count: int


def find_muted(
    data: NDArray[np.uint8], layout: Layout, levels: Levels, least_s: float, voice: float = FULL_VOICE
) -> Muted | None:
    """Find silence of `least_s` seconds or more that begins in full voice, and not where a tone is switched off.

    Args:
        data: Bytes from the first whole sample on, of which `levels` were measured; may be a memory map.
        layout: How they are read; its offset does not count.
        levels: Of all of it.
        least_s: Seconds.
        voice: How loud the 60 ms before it must be, of the level of loud parts.

    Returns:
        None where there is none, or where most long silences begin behind the words: then pauses are sent as silence.
    """
    runs = levels.runs
    long = (
        (runs.length >= least_s * levels.rate)
        & (np.abs(runs.value) <= _SILENT_VALUE)
        & ~find_zero_runs(levels, layout.encoding)[1]
    )
    place = runs.start // levels.step
    long &= place >= _STEPS_BEFORE
    chosen = np.flatnonzero(long)
    before = np.array([levels.rms[at - _STEPS_BEFORE : at].mean() for at in place[chosen]])
    cut = chosen[(before >= voice * levels.loud) & (runs.before[chosen] >= _EDGE_BEFORE * levels.loud)]
    cut = cut[:_MOST_SILENCES]
    if len(cut):
        cut = cut[~is_tonal(read_beside(data, layout, levels, cut)[0])]
    if not len(cut) or 2 * len(cut) < min(len(chosen), _MOST_SILENCES):
        return None
    first = int(cut[np.argmax(runs.length[cut])])
    stop = int(runs.start[first] + runs.length[first])
    return Muted(int(runs.start[first]), int(runs.length[first]), stop >= levels.samples - levels.step, len(cut))

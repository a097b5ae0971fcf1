"""Level, offset, clipping, and constant stretches of audio, in one pass over blocks of bounded memory.

The task: given bytes and how to read them, measure what says whether there is a usable sound in them. Levels are of
full scale (1.0); a step is 20 ms. Float samples in 16-bit units are brought to full scale first.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import decode
from sttdoctor.encodings import ENCODINGS

Floats = NDArray[np.float64]

STEP_S = 0.020
SHORTEST_HOLE_S = 0.005
LONGEST_HOLE_S = 0.400

_BLOCK_STEPS = 512  # steps in a block: 10 s of audio, 1.3 MB of float64 at 16 kHz
_EDGE_S = 0.002  # sound right beside a constant stretch
_MOST_RUNS = 100_000
_WILD = 8.0  # floats beyond it are in 16-bit units


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Stretches of 5 ms or more in which all samples are equal, in their order.

    Attributes:
        start: Shape (n,), first sample.
        length: Shape (n,), samples.
        value: Shape (n,), their value.
        before: Shape (n,), RMS of the 2 ms before it about its value; 0 where the stream begins there.
        after: The same behind it.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    value: Floats
    before: Floats
    after: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What one pass over the samples measured; each array has one entry a step of `STEP_S`.

    Attributes:
        rate: Hz that times are counted at.
        samples: Number of samples read.
        rms: RMS about the step's own mean.
        swing: Half the distance of the step's extremes: its peak without offset.
        offset: Mean.
        high: The largest value of all; `low` the smallest.
        flat: Samples at `high` or `low` that are the third or later of equal ones in a row.
        beyond: Samples of float audio beyond +-1.
        runs: Constant stretches.
    """

    rate: float
    samples: int
    rms: Floats
    swing: Floats
    offset: Floats
    high: float
    low: float
    flat: int
    beyond: int
    runs: Runs

    @property
    def loud(self) -> float:
        """RMS of the loud parts: the 95th percentile of the steps that are not constant; 0 without any."""
        active = self.rms[self.rms > 0]
        return float(np.percentile(active, 95)) if len(active) else 0.0


@dataclass(slots=True)
class _Tally:
    """Extremes so far and the flat samples at them."""

    high: float = -np.inf
    low: float = np.inf
    flat_high: int = 0
    flat_low: int = 0
    beyond: int = 0
    parts: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)
    runs: list[Floats] = field(default_factory=list)


def measure(data: NDArray[np.uint8], encoding: str, channels: int, rate: float) -> Levels:
    """Measure audio.

    Args:
        data: Bytes from the first whole sample on, shape (n,); may be a memory map of any size.
        encoding: A name of `sttdoctor.encodings.ENCODINGS`.
        channels: 1 or 2; of two the louder one is measured.
        rate: Sample rate in Hz for the length of steps and holes.

    Returns:
        The measurements. NaN and infinity count as 0.
    """
    step = max(8, round(STEP_S * rate))
    frame = ENCODINGS[encoding].width * channels
    size = _BLOCK_STEPS * step
    count = len(data) // frame
    channel, scale = _plan(data, encoding, channels)
    tally = _Tally()
    known = 0
    for first in range(0, count, size):
        block = np.asarray(data[first * frame : min(first + size, count) * frame])
        x = decode(block, encoding)[channel::channels]
        x = x if scale == 1.0 and encoding not in _FLOATS else _tamed(x, scale)
        _add(tally, x, step)
        if known < _MOST_RUNS:
            runs = _constant_runs(x, first, round(SHORTEST_HOLE_S * rate), max(2, round(_EDGE_S * rate)))
            known += len(runs)
            tally.runs.append(runs)
    return _finished(tally, rate, count)


_FLOATS = ("pcm_f16le", "pcm_f32le", "f32be", "f64le")


def _plan(data: NDArray[np.uint8], encoding: str, channels: int) -> tuple[int, float]:
    """The louder channel, and the factor that brings floats in 16-bit units to full scale."""
    frame = ENCODINGS[encoding].width * channels
    if channels == 1 and encoding not in _FLOATS:
        return 0, 1.0
    count = len(data) // frame
    probes = [
        data[place * frame : (place + 2048) * frame] for place in np.linspace(0, max(0, count - 2048), 64, dtype=int)
    ]
    parts = [_tamed(decode(np.asarray(probe), encoding), 1.0) for probe in probes]
    x = np.concatenate(parts) if parts else np.empty(0)
    x = x[: len(x) // channels * channels].reshape(-1, channels)
    if not len(x):
        return 0, 1.0
    peak = float(np.percentile(np.abs(x), 99))
    return int(np.argmax(x.var(axis=0))), 1 / 32768 if encoding in _FLOATS and peak > _WILD else 1.0


def _tamed(x: Floats, scale: float) -> Floats:
    tame: Floats = np.clip(np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0) * scale, -1e6, 1e6)
    return tame


def _add(tally: _Tally, x: Floats, step: int) -> None:
    whole = len(x) // step * step
    if not len(x):
        return
    rows = x[:whole].reshape(-1, step)
    if not whole:  # shorter than a step
        rows = x[None, :]
    high, low, mean = rows.max(axis=1), rows.min(axis=1), rows.mean(axis=1)
    power = np.einsum("ij,ij->i", rows, rows) / rows.shape[1] - mean**2
    constant = high == low
    rms = np.where(constant, 0.0, np.sqrt(np.maximum(power, 0.0)))
    tally.parts.append((rms, 0.5 * (high - low), mean))
    top, bottom = float(high.max()), float(low.min())
    if top > 1.0 or bottom < -1.0:
        tally.beyond += int((np.abs(x) > 1.0).sum())
    if top >= tally.high:
        tally.flat_high = _flat(x, top) + (tally.flat_high if top == tally.high else 0)
        tally.high = top
    if bottom <= tally.low:
        tally.flat_low = _flat(x, bottom) + (tally.flat_low if bottom == tally.low else 0)
        tally.low = bottom


def _flat(x: Floats, level: float) -> int:
    at = x == level
    return int((at[2:] & at[1:-1] & at[:-2]).sum())


def _finished(tally: _Tally, rate: float, count: int) -> Levels:
    rms, swing, offset = (
        (np.concatenate(parts) for parts in zip(*tally.parts, strict=True)) if tally.parts else _NOTHING
    )
    found = np.concatenate(tally.runs) if tally.runs else np.empty((0, 5))
    runs = _joined(found)
    held = runs.length - 2  # a constant stretch is no clipping
    flat_high = tally.flat_high - int(held[runs.value == tally.high].sum())
    flat_low = tally.flat_low - int(held[runs.value == tally.low].sum())
    flat = max(0, flat_high) + max(0, flat_low)
    high, low = (tally.high, tally.low) if tally.parts else (0.0, 0.0)
    return Levels(rate, count, rms, swing, offset, high, low, flat, tally.beyond, runs)


_NOTHING = (np.empty(0), np.empty(0), np.empty(0))


def _constant_runs(x: Floats, first: int, shortest: int, edge: int) -> Floats:
    """Rows of (start, length, value, level before, level behind) of constant stretches of a block."""
    part = max(2, shortest // 2)  # a stretch of `shortest` samples covers one whole part of about half its length
    count = len(x) // part
    rows = x[: count * part].reshape(-1, part)
    maybe = np.flatnonzero((rows[:, 0] == rows[:, -1]) & (rows[:, 0] == rows[:, part // 2]))
    full = maybe[(rows[maybe] == rows[maybe, :1]).all(axis=1)]
    if not len(full):
        return np.empty((0, 5))
    new = np.concatenate([[True], (np.diff(full) > 1) | (rows[full[1:], 0] != rows[full[:-1], 0])])
    ends = np.concatenate([np.flatnonzero(new)[1:] - 1, [len(full) - 1]])
    value = rows[full[new], 0]
    start, stop = full[new] * part, (full[ends] + 1) * part
    beside = np.arange(1, part + 1)
    left = x[np.maximum(start[:, None] - beside, 0)]
    same = (left == value[:, None]) & (start[:, None] - beside >= 0)
    start = start - np.logical_and.accumulate(same, axis=1).sum(axis=1)
    right = x[np.minimum(stop[:, None] + beside - 1, len(x) - 1)]
    same = (right == value[:, None]) & (stop[:, None] + beside - 1 < len(x))
    stop = stop + np.logical_and.accumulate(same, axis=1).sum(axis=1)
    near = np.arange(1, edge + 1)
    before = x[np.maximum(start[:, None] - near, 0)] - value[:, None]
    after = x[np.minimum(stop[:, None] + near - 1, len(x) - 1)] - value[:, None]
    levels = [np.sqrt((side**2).mean(axis=1)) for side in (before, after)]
    at_edge = (start == 0) | (stop == len(x))
    found = np.stack([start + first, stop - start, value, *levels], axis=1)
    chosen: Floats = found[(stop - start >= shortest) | at_edge]
    return chosen


def _joined(found: Floats) -> Runs:
    """Join stretches that a block border cut."""
    if len(found) > 1:
        goes_on = (found[1:, 0] == found[:-1, 0] + found[:-1, 1]) & (found[1:, 2] == found[:-1, 2])
        group = np.concatenate([[0], np.cumsum(~goes_on)])
        heads = np.concatenate([[True], ~goes_on])
        tails = np.concatenate([~goes_on, [True]])
        lengths = np.bincount(group, weights=found[:, 1])
        found = np.column_stack([found[heads, 0], lengths, found[heads, 2], found[heads, 3], found[tails, 4]])
    start, length, value, before, after = found.T if len(found) else np.empty((5, 0))
    return Runs(start.astype(np.int64), length.astype(np.int64), value, before, after)

"""Where sound is active in decoded audio: what latency and server checks take for speech.

Energy of 20 ms blocks against the quiet and the loud parts of the same recording. It knows nothing of words: music or
a door count as active, so it only says where the service had something to hear.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import find_stretches
from sttdoctor.analysis.excerpt import decode_mono
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

BLOCK_S = 0.02
_FLOOR = 10 ** (-55 / 20)
"""Root mean square below which a block is silence whatever surrounds it (full scale is 1)."""
_LOUD, _NEAR_LOUD = 95, 0.25
"""Percentile of the loud blocks, and the share of their level above which a block is active whatever surrounds it."""


@immutable
class Activity:
    """Where sound is active.

    Attributes:
        spans: (start, end) of each active stretch in seconds.
        is_faint: Whether the loud parts are so near the level below which all is silence that the ends of words fall
            under it, so that the spans end too early.
    """

    spans: Sequence[tuple[float, float]] = ()
    is_faint: bool = False


def find_activity(data: NDArray[np.uint8], encoding: str, channels: int, sample_rate: float) -> Activity:
    """Find the active stretches of audio.

    Args:
        data: Bytes from a whole sample on, shape (n,); may be a memory map of any size.
        encoding: How they are read.
        channels: 1 or 2; of two the louder one is judged.
        sample_rate: Hz, at which seconds are counted.
    """
    frame = ENCODINGS[encoding].width * channels
    size = get_block_size(sample_rate)
    # one channel in blocks that stay in a processor's cache; which of two is louder is told from more
    step = max(1, (1 << (16 if channels == 1 else 20)) // size) * size * frame
    rows = (data[start : start + step] for start in range(0, len(data), step))
    levels = [
        measure_block_levels(
            decode_mono(row[: len(row) // frame * frame].reshape(-1, frame), encoding, channels), sample_rate
        )
        for row in rows
    ]
    return judge_levels(np.concatenate(levels) if levels else np.zeros(0), sample_rate)


def judge_levels(levels: NDArray[np.floating], sample_rate: float) -> Activity:
    """Find the active stretches by the levels of all blocks.

    Args:
        levels: Root mean squares, of full scale, of blocks of `get_block_size(sample_rate)` samples; shape (n,).
        sample_rate: Hz, at which seconds are counted.
    """
    if not len(levels):
        return Activity()
    # blocks are whole samples, so a block is not exactly as long as asked for
    exact = get_block_size(sample_rate) / sample_rate / BLOCK_S
    spans = [(start * exact, end * exact) for start, end in list_spans_s(find_active_blocks(levels))]
    return Activity(spans, float(np.percentile(levels, _LOUD)) * _NEAR_LOUD < _FLOOR)


def measure_block_levels(samples: NDArray[np.float64], sample_rate: float) -> NDArray[np.float64]:
    """Return the root mean square of each whole block of `BLOCK_S`, its mean taken off.

    Args:
        samples: Shape (n,); NaN and infinity count as 0.
        sample_rate: Hz.

    Returns:
        Shape (n // block,), where a block is `block_size(sample_rate)` samples.
    """
    size = get_block_size(sample_rate)
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    variance = _measure_variance(blocks)
    if not np.isfinite(variance).all():
        variance = _measure_variance(np.nan_to_num(blocks, nan=0.0, posinf=0.0, neginf=0.0))
    levels: NDArray[np.float64] = np.sqrt(np.maximum(variance, 0.0))
    return levels


def _measure_variance(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row, without a copy of the rows: this is done for every sample of an hour."""
    size = blocks.shape[1]
    with np.errstate(all="ignore"):
        mean = np.einsum("ij->i", blocks) / size
        variance: NDArray[np.float64] = np.einsum("ij,ij->i", blocks, blocks) / size - mean * mean
    return variance


def get_block_size(sample_rate: float) -> int:
    """Return the samples of one block of `BLOCK_S`."""
    return max(1, round(sample_rate * BLOCK_S))


def find_active_blocks(levels: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which blocks are active.

    A block is active when it lies 12 dB above the quiet level (10th percentile) or within 12 dB of the loud level
    (95th percentile), whichever is lower, yet within 25 dB of the loud level and above -55 dBFS; gaps of up to 0.2 s
    inside are closed, runs of fewer than three blocks are dropped.

    Args:
        levels: Shape (n,), from `measure_block_levels`.

    Returns:
        Shape (n,).
    """
    if not len(levels):
        return np.zeros(0, dtype=np.bool_)
    quiet, loud = (float(value) for value in np.percentile(levels, [10, _LOUD]))
    return _tidy(levels > max(_FLOOR, min(quiet * 4.0, loud * _NEAR_LOUD), loud * 0.056))


def _tidy(active: NDArray[np.bool_], closed: int = 10) -> NDArray[np.bool_]:
    """Close gaps of up to `closed` blocks and drop runs of fewer than three."""
    tidy = active.copy()
    for (_, start), (stop, _) in pairwise(find_stretches(active).tolist()):
        tidy[start:stop] |= stop - start <= closed
    for start, stop in find_stretches(tidy).tolist():
        tidy[start:stop] = stop - start >= 3
    return tidy


def is_broken_off(before: NDArray[np.float64], after: NDArray[np.float64], sample_rate: float) -> tuple[bool, bool]:
    """Whether sound breaks off at full level, as no pause does, and whether it goes on at full level as well.

    Args:
        before: What came before the place, shape (n,).
        after: What came behind it.
        sample_rate: Hz.
    """
    # whole blocks that end, and that begin, at the place
    last = measure_block_levels(before[len(before) % get_block_size(sample_rate) :], sample_rate)
    first = measure_block_levels(after, sample_rate)
    if len(last) < _TORN or len(first) < _TORN:
        return False, False
    least = max(_FLOOR, _NEAR_LOUD * float(np.percentile(np.concatenate([last, first]), 90)))
    is_loud = bool(last[-_TORN:].min() > least)
    return is_loud, is_loud and bool(first[:_TORN].min() > least)


_TORN = 2  # blocks


@immutable
class LateStart:
    """Sound that is there at full level from the first moment on, or behind silence that is no pause.

    Attributes:
        zeros_s: Seconds of exact zeros before it, 0 without.
        level: Of its first moment, as a share of the loud parts.
    """

    zeros_s: float
    level: float


def find_late_start(samples: NDArray[np.float64], sample_rate: float) -> LateStart | None:
    """Tell whether sound begins within a word: every microphone that is there in time has the room first.

    Args:
        samples: The beginning of a recording, some seconds, shape (n,).
        sample_rate: Hz.
    """
    sounding = np.flatnonzero(np.abs(samples) > _NOTHING)
    if not len(sounding):
        return None
    first = int(sounding[0])
    levels = measure_block_levels(samples[first:], sample_rate)
    quiet, loud = np.percentile(levels, [10, _LOUD]) if len(levels) >= _HEARD else (0.0, 0.0)
    if loud < _FLOOR or levels[:_TORN].min() < _OVER_ROOM * quiet:
        return None
    steps = measure_block_levels(np.diff(samples[first:]), sample_rate)  # a microphone that settles moves slowly
    start = min(float(every[:_TORN].min() / max(np.percentile(every, _LOUD), 1e-12)) for every in (levels, steps))
    zeros_s = first / sample_rate
    if zeros_s < _AT_ONCE_S:
        return LateStart(0.0, start) if start >= _WITHIN else None
    # a gate and a generator have zeros in every pause; a room is never that silent
    is_digital = bool((levels[_TORN:] < _NOTHING).mean() > _ZEROS)
    if zeros_s < _ASLEEP_S or is_digital or start < _BEHIND_ZEROS:
        return None
    return LateStart(zeros_s, start)


def ends_in_room(samples: NDArray[np.float64], sample_rate: float) -> bool:
    """Tell whether sound ends with a second of a quiet room, as a session does in which somebody was waited for.

    A recording that was cut to a length, or trimmed to its words, seldom does; one that was padded ends in zeros.

    Args:
        samples: The end of a recording, some seconds, shape (n,).
        sample_rate: Hz.
    """
    levels = measure_block_levels(samples, sample_rate)
    last, room = levels[-_ROOM:], levels[-_ROOM:] > _NOTHING
    if len(levels) < _HEARD:
        return False
    return bool(last.max() < _QUIET * np.percentile(levels, _LOUD) and room.mean() > 1 - _ZEROS * 5)


_NOTHING = 1e-4  # of full scale: below it are zeros, and the least codes of G.711
_HEARD = 100  # blocks: 2 s
_ROOM, _QUIET = 50, 0.1  # blocks: 1 s; of the loud level
_AT_ONCE_S, _WITHIN = 0.03, 0.16  # of the loud level: healthy recordings begin with 0.02, within words 0.2 to 1
_OVER_ROOM = 2.5  # of the quiet parts: below it the sound begins as loud as the room, or the music, behind it
_ASLEEP_S, _BEHIND_ZEROS, _ZEROS = 0.25, 0.1, 0.02


def list_spans_s(active: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Return (start, end) in seconds of audio of each active stretch; `active` has shape (blocks of `BLOCK_S`,)."""
    return [(start * BLOCK_S, stop * BLOCK_S) for start, stop in find_stretches(active).tolist()]

"""The whole audio at a glance: its waveform in columns, and where in it somebody speaks loudest."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.excerpt import decode_mono
from sttdoctor.analysis.signal.activity import BLOCK_S, find_active_blocks, get_block_size, list_spans_s
from sttdoctor.encodings import ENCODINGS
from sttdoctor.reporting.data.values import Floats, Span, Waveform

COLUMNS = 800
"""Of a waveform; more cannot be told apart on a page."""
EXCERPT_S = 6.0
_PIECE = 1 << 20  # bytes decoded at once


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The audio in blocks of about 20 ms.

    Attributes:
        low: Shape (n,), the least sample of each block.
        high: Shape (n,), the greatest one.
        level: Shape (n,), root mean square.
        active: Shape (n,), whether a block belongs to sound that may be speech.
        block_s: Seconds of a block.
        block_bytes: Bytes of a block.
        first_byte: Of the first block.
    """

    low: Floats
    high: Floats
    level: Floats
    active: NDArray[np.bool_]
    block_s: float
    block_bytes: int
    first_byte: int


def name_reading(layout: Layout, rate: int) -> str:
    """Return how bytes are read, for a reader."""
    words = f"{layout.encoding} at {rate} Hz"
    words += f", {'two' if layout.channels == 2 else layout.channels} channels" if layout.channels > 1 else ""
    return words + (f", from byte {layout.offset} on" if layout.offset else "")


def measure_profile(data: NDArray[np.uint8], layout: Layout, rate: int) -> Profile | None:
    """Measure all of the audio block by block; None where there is less than a block.

    Args:
        data: Shape (n,) of uint8.
        layout: How it is read.
        rate: Hz.
    """
    frame = layout.frame_bytes
    size = get_block_size(rate)
    parts = [
        _measure_pieces(samples.reshape(-1, size))
        for samples in _cut_pieces(data[layout.offset :], layout, frame, size)
    ]
    if not parts:
        return None
    low, high, level = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Profile(low, high, level, find_active_blocks(level), size / rate, size * frame, layout.offset)


def _cut_pieces(data: NDArray[np.uint8], layout: Layout, frame: int, size: int) -> Iterator[Floats]:
    step = max(1, _PIECE // (size * frame)) * size * frame
    floats = ENCODINGS[layout.encoding].is_float
    whole = len(data) // (size * frame) * size * frame
    for start in range(0, whole, step):
        samples = decode_mono(
            data[start : min(start + step, whole)].reshape(-1, frame), layout.encoding, layout.channels
        )
        # integers are finite as they are
        yield samples if not floats else np.nan_to_num(samples, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _measure_pieces(blocks: Floats) -> tuple[Floats, Floats, Floats]:
    with np.errstate(over="ignore", invalid="ignore"):
        level = np.nan_to_num(blocks.std(axis=1), nan=0.0, posinf=0.0)
    return blocks.min(axis=1), blocks.max(axis=1), level


def find_full_scale(high: float) -> float:
    """Return what full scale is: 1, or 32768 for floats written in 16-bit units, or the peak of what is neither."""
    return 1.0 if high <= 2 else max(32768.0, high) if high > 8 else high


def make_waveform(sound: Profile, excerpt: Span, words: str) -> Waveform:
    """Bring a profile to at most `COLUMNS` columns.

    Args:
        sound: The profile.
        excerpt: The stretch that the players play, seconds of audio.
        words: How the bytes are read.
    """
    count = len(sound.level)
    starts = np.unique(np.linspace(0, count, min(count, COLUMNS) + 1).astype(np.int64))[:-1]
    peaks = np.maximum(np.abs(sound.low), np.abs(sound.high))
    scale = find_full_scale(float(np.percentile(peaks, 99.5)))
    exact = sound.block_s / BLOCK_S
    column_s = count * sound.block_s / len(starts)
    spans = [(start * exact, end * exact) for start, end in list_spans_s(sound.active)]
    return Waveform(
        column_s,
        np.clip(np.minimum.reduceat(sound.low, starts) / scale, -1, 1),
        np.clip(np.maximum.reduceat(sound.high, starts) / scale, -1, 1),
        _merge(spans, column_s),
        float(sound.active.sum()) * sound.block_s,
        excerpt,
        count * sound.block_s,
        words,
    )


def _merge(spans: list[Span], gap_s: float) -> tuple[Span, ...]:
    """Join spans that stand closer than a column."""
    merged: list[Span] = []
    for start, end in spans:
        if merged and start - merged[-1][1] < gap_s:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def find_loudest(sound: Profile, seconds: float = EXCERPT_S) -> tuple[int, int]:
    """Return (first block, blocks) of the stretch with the most speech, by level; single clicks do not count."""
    count = len(sound.level)
    length = min(count, max(1, round(seconds / sound.block_s)))
    capped = np.minimum(sound.level, np.percentile(sound.level, 95))
    worth = np.concatenate([[0.0], np.cumsum(capped * sound.active if sound.active.any() else capped)])
    first = int(np.argmax(worth[length:] - worth[:-length]))
    return first, length

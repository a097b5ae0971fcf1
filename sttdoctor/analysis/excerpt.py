"""Long audio in bounded memory: reading it once from start to end, decoding the part that is judged."""

import mmap
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Samples, decode, find_loudest_channel, read_numbers
from sttdoctor.encodings import ENCODINGS

_KEPT = 4 << 20  # bytes of a mapped file that may stay in memory

MAX_SAMPLES = 1_500_000
"""Samples that the rate is judged from: half a minute at 48 kHz, three minutes at 8 kHz."""
_STRETCHES = 6
_LOOKED_AT = 32  # stretches at most that are compared
_PROBES, _PROBE = 16, 512  # looks at each stretch, and their samples


def read_blocks(data: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the bytes in order in blocks of `size`, the last one shorter; what was read of a mapped file is let go.

    Args:
        data: Shape (n,); may be a memory map of any size.
        size: Bytes of a block, at least 1.
    """
    held = 0
    for start in range(0, len(data), size):
        block = np.asarray(data[start : start + size])
        yield block
        held += len(block)
        if held >= _KEPT:
            release(data)
            held = 0
    if held:
        release(data)


def release(data: NDArray[np.uint8]) -> None:
    """Let go of the pages of a mapped file: they count as memory of the process, and are read again when needed.

    Args:
        data: Shape (n,) of uint8, a view of the map or of bytes in memory, of which nothing is let go.
    """
    base: object = data
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def decode_active(data: NDArray[np.uint8], encoding: str, channels: int, most: int = MAX_SAMPLES) -> Samples:
    """Decode the most active stretches of a part to one channel.

    Args:
        data: Bytes from a whole sample on, shape (n,); may be a memory map of any size.
        encoding: How they are read.
        channels: 1 to 8.
        most: Samples that are wanted at most.

    Returns:
        Shape (n,), at most `most` samples.
    """
    width = ENCODINGS[encoding].width * channels
    frames = data[: len(data) // width * width].reshape(-1, width)
    chosen = pick_stretches(frames, encoding, channels, most)
    samples = np.concatenate([decode_mono(piece, encoding, channels) for piece in chosen]) if chosen else np.empty(0)
    release(data)
    return samples


def probe_levels(data: NDArray[np.uint8], encoding: str) -> tuple[float, float]:
    """The largest value and the 99th percentile, of full scale, of probes spread over all of the data.

    Args:
        data: Bytes from a whole sample on, shape (n,); may be a memory map of any size.
        encoding: How they are read; what is no number counts as 1.

    Returns:
        (0, 0) where there is no sample.
    """
    width = ENCODINGS[encoding].width
    count = len(data) // width
    starts = np.unique(np.linspace(0, max(0, count - 4096), 64).astype(np.int64))
    probes = [decode(np.asarray(data[s * width : (s + 4096) * width]), encoding) for s in starts]
    with np.errstate(all="ignore"):
        levels = np.abs(np.nan_to_num(np.concatenate(probes), nan=1.0))
    release(data)
    return (float(levels.max()), float(np.percentile(levels, 99))) if len(levels) else (0.0, 0.0)


def pick_stretches(
    frames: NDArray[np.uint8], encoding: str, channels: int, most: int = MAX_SAMPLES
) -> list[NDArray[np.uint8]]:
    """Choose what to judge from a long part.

    Args:
        frames: Shape (n, bytes of one sample of all channels).
        encoding: How they are read.
        channels: 1 to 8.
        most: Rows that are wanted at most.

    Returns:
        The whole when it has at most `most` rows, else as many of its loudest stretches, in order. Of very long parts
        `_LOOKED_AT` stretches, evenly spread, come into question.
    """
    if len(frames) <= most:
        return [frames] if len(frames) else []
    length = most // _STRETCHES
    starts = np.arange(0, len(frames) - length + 1, length)
    # evenly spread, so that the cost does not grow with the length
    starts = starts[np.unique(np.linspace(0, len(starts) - 1, _LOOKED_AT).astype(np.int64))]
    loudest = np.sort(np.argsort(_measure_powers(frames, starts, length, encoding, channels))[::-1][:_STRETCHES])
    return [frames[starts[i] : starts[i] + length] for i in loudest]


def _measure_powers(
    frames: NDArray[np.uint8], starts: NDArray[np.int64], length: int, encoding: str, channels: int
) -> Samples:
    """Median power of short probes of each stretch, so that a single click does not make one look active."""
    places = starts[:, None] + np.arange(0, length - _PROBE, length // _PROBES)
    probes = np.stack([frames[place : place + _PROBE] for place in places.reshape(-1).tolist()])
    release(frames)  # a look at a mapped file brings the 64 KiB round it
    samples = read_numbers(probes.reshape(-1), encoding).reshape(*places.shape, _PROBE, channels)
    if samples.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            samples = np.clip(np.nan_to_num(samples.astype(np.float64), copy=False), -1e6, 1e6)
    powers: Samples = np.median(samples.var(axis=2, dtype=np.float64).max(axis=2), axis=1)
    return powers


def decode_mono(frames: NDArray[np.uint8], encoding: str, channels: int) -> Samples:
    """Decode rows of bytes; of several channels the loudest is taken, so that two voices are not mixed.

    Args:
        frames: Shape (n, bytes of one sample of all channels) of uint8.
        encoding: How they are read.
        channels: 1 to 8.

    Returns:
        Shape (n,).
    """
    samples = decode(np.ascontiguousarray(frames).reshape(-1), encoding)
    if channels == 1:
        return samples
    apart = samples.reshape(-1, channels)
    return apart[:, find_loudest_channel(apart)]

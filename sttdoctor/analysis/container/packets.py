"""Packets of a codec without a container around them, one in each frame.

A coder with a variable bit rate gives packets of many sizes whose bytes are as good as random, but for the first, which
tells the mode (RFC 6716, section 3.1, for Opus) and stays the same for long. Samples come in frames of few sizes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_LEAST = 25  # packets
_MOST = 600  # that are looked at
_LONGEST = 1500  # bytes; RFC 6716 allows 1275 a frame
_SIZES = 8  # different ones
_ENTROPY = 7.3  # bits a byte, of 8 in random bytes; of samples of 16 bits less than 7, of G.711 less still
_RANDOM = 7.8  # where the sizes tell nothing (a constant bit rate)
_SAME_MODE = 0.8
_OPUS_MS = (10, 20, 40, 60) * 3 + (10, 20) * 2 + (2.5, 5, 10, 20) * 4
"""By the five bits of the configuration: how long one frame of a packet lasts."""


@dataclass(frozen=True, slots=True)
class Packets:
    """A run of packets to the end: number of the first, from 0, fewest and most bytes, and what they look like."""

    first: int
    least: int
    most: int
    name: str


def find_packets(frames: Sequence[bytes]) -> Packets | None:
    """Find packets of a codec from some frame on to the end; None where there are none.

    Args:
        frames: The content of each binary frame, in order.
    """
    first = _find_start(frames)
    chosen = [frame for frame in frames[first : first + _MOST] if len(frame) > 3]
    if len(chosen) < _LEAST:
        return None
    sizes = [len(frame) for frame in chosen]
    if max(sizes) > _LONGEST:
        return None
    is_even = len(set(sizes)) < _SIZES or Counter(sizes).most_common(1)[0][1] > 0.5 * len(sizes)
    rest = np.frombuffer(b"".join(frame[1:] for frame in chosen), dtype=np.uint8)
    shares = np.bincount(rest, minlength=256) / len(rest)
    entropy = float(-(shares[shares > 0] * np.log2(shares[shares > 0])).sum())
    if entropy < (_RANDOM if is_even else _ENTROPY) or len(rest) < 1000:
        return None
    mode, count = Counter(frame[0] for frame in chosen).most_common(1)[0]
    if count < _SAME_MODE * len(chosen):
        return None
    name = f"Opus, {_OPUS_MS[mode >> 3]:g} ms a packet (first byte 0x{mode:02X})"
    return Packets(first, min(sizes), max(sizes), name)


def _find_start(frames: Sequence[bytes]) -> int:
    """Number of the frame from which on frames are shorter than what came before: a codec after samples."""
    sizes = np.array([len(frame) for frame in frames], dtype=np.float64)
    if len(sizes) < 2 * _LEAST:
        return 0
    usual = float(np.median(sizes[: len(sizes) // 4]))
    long = np.flatnonzero(sizes >= 0.9 * usual)
    last = int(long[-1]) + 1 if len(long) else 0
    return last if last <= len(sizes) - _LEAST and float(np.std(sizes[:last])) < 0.05 * usual else 0

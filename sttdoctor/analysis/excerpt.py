"""Which part of long audio is judged, and its decoding to one channel."""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Samples, decode

MAX_SAMPLES = 1_500_000
"""Samples that the rate is judged from: half a minute at 48 kHz, three minutes at 8 kHz."""


def active_stretches(frames: NDArray[np.uint8], encoding: str, channels: int) -> list[NDArray[np.uint8]]:
    """Choose what to judge from a long part.

    Args:
        frames: Shape (n, bytes of one sample of all channels).
        encoding: How they are read.
        channels: 1 or 2.

    Returns:
        The whole when it has at most `MAX_SAMPLES` rows, else as many of its loudest stretches, in order.
    """
    if len(frames) <= MAX_SAMPLES:
        return [frames] if len(frames) else []
    length = MAX_SAMPLES // 6
    starts = np.arange(0, len(frames) - length + 1, length)
    energies = [_energy(frames[start : start + length], encoding, channels) for start in starts]
    loudest = np.sort(np.argsort(energies)[::-1][:6])
    return [frames[starts[i] : starts[i] + length] for i in loudest]


def _energy(frames: NDArray[np.uint8], encoding: str, channels: int) -> float:
    """Median power of short probes, so that a single click does not make a stretch look active."""
    probes = [mono(frames[i : i + 512], encoding, channels) for i in range(0, len(frames) - 512, len(frames) // 16)]
    with np.errstate(all="ignore"):
        powers = [float(np.nanvar(np.clip(probe, -1e6, 1e6))) for probe in probes]
    return float(np.median(powers))


def mono(frames: NDArray[np.uint8], encoding: str, channels: int) -> Samples:
    """Decode rows of bytes; of several channels the loudest is taken, so that two voices are not mixed.

    Args:
        frames: Shape (n, bytes of one sample of all channels) of uint8.
        encoding: How they are read.
        channels: 1 or 2.

    Returns:
        Shape (n,).
    """
    samples = decode(np.ascontiguousarray(frames).reshape(-1), encoding)
    if channels == 1:
        return samples
    apart = samples.reshape(-1, channels)
    with np.errstate(all="ignore"):
        loudest = int(np.argmax(np.nanvar(apart, axis=0)))
    return apart[:, loudest]

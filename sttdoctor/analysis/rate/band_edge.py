"""The frequency above which a recording is empty, as upsampling from a lower rate leaves it.

Speech itself falls off gently with frequency, and where a voice or a tape falls faster something is left above; a
resampler cuts, and leaves nothing but its images. So an edge is told by its steepness, the level just below it against
everything from just above it on, and by what is left a third of an octave higher.
"""

import numpy as np
from numpy.typing import NDArray

_SIZE = 1024
_DROP_DB = 23.0
"""Speech falls by 10 dB at most so fast, synthetic voices and old tapes by 22; a resampler by 40 dB and more."""
_REST_DB = 26.0
"""Further above: below the noise of a synthetic voice."""


def long_term_spectrum(samples: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the mean power spectrum of the louder half of a recording in dB, None where there is too little.

    Args:
        samples: Shape (n,), any scale; NaN and infinity count as 0.

    Returns:
        Shape (513,), from 0 to half the sample rate.
    """
    count = len(samples) // _SIZE
    if count < 4:
        return None
    frames = np.nan_to_num(samples[: count * _SIZE], nan=0.0, posinf=0.0, neginf=0.0).reshape(count, _SIZE)
    frames = frames[:: max(1, count // 1000)]
    energy = frames.var(axis=1)
    loud = frames[energy >= max(float(np.median(energy)), 1e-20)]
    if not len(loud):
        return None
    window = np.blackman(_SIZE)  # side lobes at -58 dB hide no edge
    power = (np.abs(np.fft.rfft((loud - loud.mean(axis=1, keepdims=True)) * window, axis=1)) ** 2).mean(axis=0)
    level: NDArray[np.float64] = 10 * np.log10(power + 1e-30)
    return level


def steep_edge(samples: NDArray[np.float64]) -> float | None:
    """Find the frequency above which nothing stands.

    Args:
        samples: Shape (n,), at any scale.

    Returns:
        The edge as a share of the sample rate (0.05 to 0.45), None where there is no steep one.
    """
    level = long_term_spectrum(samples)
    if level is None:
        return None
    smooth = np.convolve(level, np.ones(7) / 7, mode="same")
    # the last bins hold the resampler of the recording itself
    above = np.maximum.accumulate(smooth[: _SIZE // 2 - 8][::-1])[::-1]
    bins = np.arange(int(0.05 * _SIZE), int(0.45 * _SIZE))
    below = np.array([np.median(level[int(0.80 * k) : int(0.96 * k)]) for k in bins])
    drops, rest = (below - above[np.minimum((far * bins).astype(int) + 3, len(above) - 1)] for far in (1.08, 1.3))
    steep = np.flatnonzero((drops > _DROP_DB) & (rest > _REST_DB))
    if not len(steep):
        return None
    # a simple resampler leaves an image of the band above the edge, with an edge of its own: the lowest one counts
    apart = np.flatnonzero(np.diff(steep) > 8)
    first = steep[: apart[0] + 1] if len(apart) else steep
    return float(bins[first[np.argmax(drops[first])]] / _SIZE)

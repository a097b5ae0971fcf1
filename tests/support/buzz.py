"""A buzz that is as hard to predict as speech, and its levels."""

import numpy as np

from sttdoctor.analysis.signal.levels import measure

RATE = 16000


def voice(seconds=4.0, rate=RATE, rng=None):
    """A buzz with a wandering pitch and syllables: no speech, but as hard to predict."""
    rng = rng or np.random.default_rng(1)
    t = np.arange(int(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(120 + 25 * np.sin(1.7 * t) + 9 * np.sin(5.3 * t)) / rate
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    x = (0.55 + 0.45 * np.sin(2 * np.pi * 4 * t)) * buzz + 0.02 * rng.normal(size=len(t))
    return x / np.abs(x).max()


def levels(x, encoding="pcm_s16le", channels=1, rate=RATE, factor=1.0):
    data = (np.rint(x * 32767)).astype("<i2") if encoding == "pcm_s16le" else x.astype("<f4")
    return measure(np.ascontiguousarray(data).view(np.uint8), encoding, channels, rate, factor)

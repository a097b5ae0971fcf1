"""A voice of moving resonances, in any encoding, and what an estimate holds for most probable."""

import numpy as np

from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE
from sttdoctor.encodings import ENCODINGS

RATE = 16000


def voice(seconds, seed=0, peak=0.3):
    """A buzz through three moving resonances with breath and pauses: as predictable as speech, and as changeable."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    times = np.arange(count) / RATE
    pitch = 120 * (1 + 0.2 * np.sin(2 * np.pi * 0.7 * times + seed))
    phase = np.cumsum(pitch) / RATE
    source = (np.diff(np.floor(phase), prepend=0.0) > 0) * 1.0 + rng.normal(0, 0.02, count)
    sound = source
    for hz, width in ((500, 80), (1500, 120), (2500, 200)):
        impulse = np.exp(-np.pi * width * times[:800]) * np.sin(2 * np.pi * hz * (1 + 0.05 * seed) * times[:800])
        sound = np.convolve(sound, impulse)[:count]
    sound *= 0.6 + 0.4 * np.sin(2 * np.pi * 3 * times) + rng.normal(0, 1e-3, count)
    return sound / np.abs(sound).max() * peak


def encoded(samples, name):
    if name in ("pcm_mulaw", "pcm_alaw"):
        table = MULAW_TABLE if name == "pcm_mulaw" else ALAW_TABLE
        order = np.argsort(table, kind="stable")
        levels = table[order]
        return order[np.searchsorted((levels[1:] + levels[:-1]) / 2, samples)].astype(np.uint8)
    floats = {"pcm_f16le": "<f2", "pcm_f32le": "<f4", "f32be": ">f4", "f64le": "<f8"}
    if name in floats:
        return samples.astype(floats[name]).view(np.uint8)
    width = ENCODINGS[name].width
    bits = 16 if name == "s64le" else 8 * width
    whole = np.clip(np.rint(samples * 2.0 ** (bits - 1)), -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1).astype(np.int64)
    whole += 128 if name == "u8" else 0
    little = whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width]
    return np.ascontiguousarray(little[:, ::-1] if name.endswith("be") else little).reshape(-1)


def interleaved(left, right):
    return np.stack([left, right], axis=1).reshape(-1)


def best(estimate):
    assert estimate.decidable, estimate.reason
    return max(estimate.probabilities, key=lambda key: estimate.probabilities[key])

"""The baseline: how Audacity's raw import guesses a format, from its published description and our own reading of it.

The method (FormatClassifier, P. Sibler): skip 1024 bytes, read up to 32 frames of 512 samples with growing gaps, add
them up in the time domain, remove the mean, divide by the peak, transform; the format with the largest ratio of the
power in 0..0.30 to that in 0.40..0.50 of the sample rate wins. Stereo reads every second sample. It knows linear
integers and floats in both byte orders, and neither G.711, 24 bits, half floats, shifts nor "none of these".
https://github.com/audacity/audacity/blob/07ff4d3d020a2da89c15d06b1c9fea6c54cae4ff/src/import/FormatClassifier.cpp
"""

import numpy as np
from numpy.typing import NDArray

_FORMATS = {
    "s8": "i1",
    "u8": "u1",
    "pcm_s16le": "<i2",
    "s16be": ">i2",
    "pcm_s32le": "<i4",
    "s32be": ">i4",
    "pcm_f32le": "<f4",
    "f32be": ">f4",
    "f64le": "<f8",
    "f64be": ">f8",
}


def audacity_guess(data: NDArray[np.uint8]) -> tuple[str, int]:
    """Name of the format and number of channels."""
    data = data[1024:] if len(data) > 2048 else data
    ratios = {}
    for name, dtype in _FORMATS.items():
        width = np.dtype(dtype).itemsize
        with np.errstate(invalid="ignore"):
            samples = np.frombuffer(data[: len(data) // width * width].tobytes(), dtype=dtype).astype(np.float64)
        for channels in (1, 2):
            ratios[name, channels] = _low_to_high(samples[::channels])
    return max(ratios, key=lambda key: ratios[key])


def _low_to_high(samples: NDArray[np.float64]) -> float:
    frame = np.zeros(512)
    place = 0
    for number in range(32):
        part = samples[place : place + 512]
        if len(part) < 512 and number:
            break
        with np.errstate(all="ignore"):
            frame[: len(part)] += part
        place += 512 + number + 1
    with np.errstate(all="ignore"):
        frame -= frame.mean()
        frame /= np.abs(frame).max()
        power = np.abs(np.fft.rfft(frame)) ** 2
        ratio = power[: int(0.3 * 512)].sum() / power[int(0.4 * 512) :].sum()
    return float(ratio) if np.isfinite(ratio) else 0.0

"""What speech looks like if its sample rate were a given number of hertz.

A wrong rate multiplies every frequency and every tempo by one factor. So the features of a candidate rate are anchored
in hertz and seconds: a log spectrum in mel bands (formants, sibilants, long-term spectrum) and a spectral
autocorrelation over log lag (pitch), every 20 ms. Their joint course over time is what `rate` judges.

Everything is measured below 3800 Hz, which all candidates from 8 kHz up can hold, and in some more bands up to 7600 Hz
that are left at the floor where the candidate has no such frequencies.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.fast_length import fast_length

Floats = NDArray[np.float32]

HOP_S = 0.020
WINDOW_S = 0.040
FFT_S = 0.064
SHARED_BANDS = 32
BANDS = 43
LAGS = 54
FEATURES = BANDS + LAGS
FLOOR = 1e-5
"""Band power below this part of the mean (-50 dB) is lifted to it: what lies there is the recorder, not the voice."""

_LOWEST_HZ, _SHARED_HZ, _HIGHEST_HZ = 60.0, 3800.0, 7600.0
_SHORTEST_LAG_S, _LONGEST_LAG_S = 1 / 500, 1 / 50


def _mel(hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def _band_edges_hz() -> NDArray[np.float64]:
    """Edges of triangular bands on the mel scale (O'Shaughnessy 1987): `SHARED_BANDS` of them up to 3800 Hz."""
    step = (_mel(_SHARED_HZ) - _mel(_LOWEST_HZ)) / (SHARED_BANDS + 1)
    mels = _mel(_LOWEST_HZ) + step * np.arange(BANDS + 2)
    return np.asarray(700.0 * (10.0 ** (mels / 2595.0) - 1.0), dtype=np.float64)


@lru_cache(maxsize=32)
def _plan(rate: float) -> tuple[int, int, Floats, Floats, Floats]:
    """Window length, FFT length, window, band weights (bins, BANDS) and lag cosines (bins, LAGS) for a rate in Hz."""
    length = max(8, round(WINDOW_S * rate))
    n_fft = fast_length(max(length, round(FFT_S * rate)))
    hz = np.arange(n_fft // 2 + 1) * rate / n_fft
    hz = hz[hz <= _HIGHEST_HZ]
    edges = _band_edges_hz()
    up = (hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hz[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(up, down))
    weights /= np.maximum(weights.sum(axis=0), 1e-9)
    weights[:, edges[2:] > 0.49 * rate] = 0.0
    lags = np.geomspace(_SHORTEST_LAG_S, _LONGEST_LAG_S, LAGS)
    voiced = (hz >= _LOWEST_HZ) & (hz <= _SHARED_HZ)
    taper = np.where(voiced, np.cos(0.5 * np.pi * hz / _SHARED_HZ) ** 2, 0.0)
    cosines = taper[:, None] * np.cos(2.0 * np.pi * hz[:, None] * lags)
    window = np.hanning(length + 2)[1:-1]
    return length, n_fft, window.astype(np.float32), weights.astype(np.float32), cosines.astype(np.float32)


def frame_features(samples: Floats, rate: float) -> Floats:
    """Features of every frame, as if the samples had been taken at `rate`.

    Args:
        samples: Shape (n,), finite, any scale.
        rate: Hz.

    Returns:
        Shape (frames, FEATURES): natural log of the band powers relative to the mean power of all frames and bands
        (`BANDS` columns, at least ``log(FLOOR)``), then the autocorrelation at `LAGS` lags from 2 to 20 ms, computed
        from the compressed spectrum (power to the 0.3) without its mean. No frame for less than one window.
    """
    length, n_fft, window, weights, cosines = _plan(rate)
    if len(samples) < length:
        return np.zeros((0, FEATURES), np.float32)
    count = int((len(samples) - length) / (HOP_S * rate)) + 1
    starts = np.round(np.arange(count) * HOP_S * rate).astype(np.int64)
    starts = starts[starts + length <= len(samples)]
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[starts] * window
    spectrum = np.fft.rfft(frames, n_fft, axis=1)[:, : len(weights)]
    power = spectrum.real**2 + spectrum.imag**2
    bands = power @ weights
    level = max(float(bands[:, :SHARED_BANDS].mean()), 1e-30)
    bands = np.log(np.maximum(bands / level, FLOOR))
    compressed = (power + FLOOR * level) ** 0.3
    inside = (np.abs(cosines[:, :1]) > 0).ravel()
    compressed -= compressed[:, inside].mean(axis=1, keepdims=True)
    lagged = compressed @ cosines
    energy = np.sqrt((compressed[:, inside] ** 2).mean(axis=1, keepdims=True)) * np.float32(inside.sum())
    result = np.concatenate([bands, lagged / np.maximum(energy, 1e-20)], axis=1)
    return result.astype(np.float32)

"""The model of the sample rate: what speech looks like at a rate, and the net that judges it, in numpy.

The net is small: three convolutions over the frames, pooled to an attentive mean and spread, beside the plain mean and
spread of the features, then two dense layers. ``benchmarks/training/train_rate.py`` trains it, and
``docs/methods/rate-model.md`` describes it.

A wrong rate multiplies every frequency and every tempo by one factor. So the features of a candidate rate are anchored
in hertz and seconds: a log spectrum in mel bands (formants, sibilants, long-term spectrum) and a spectral
autocorrelation over log lag (pitch), every 20 ms. Their joint course over time is what the net judges.

Everything is measured below 3800 Hz, which all candidates from 8 kHz up can hold, and in some more bands up to 7600 Hz
that are left at the floor where the candidate has no such frequencies.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import fast_length

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

Model = Mapping[str, Floats]
"""Arrays by name; weights are (inputs, outputs), those of the convolutions (frames, inputs, outputs)."""

_MIN_FRAMES = 17
_TOGETHER = 32  # frames that are transformed at once
_SEEN = 13
"""Frames that one output of the convolutions sees; it moves by two frames."""


def _convert_to_mel(hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


def _place_band_edges_hz() -> NDArray[np.float64]:
    """Edges of triangular bands on the mel scale (O'Shaughnessy 1987): `SHARED_BANDS` of them up to 3800 Hz."""
    step = (_convert_to_mel(_SHARED_HZ) - _convert_to_mel(_LOWEST_HZ)) / (SHARED_BANDS + 1)
    mels = _convert_to_mel(_LOWEST_HZ) + step * np.arange(BANDS + 2)
    return np.asarray(700.0 * (10.0 ** (mels / 2595.0) - 1.0), dtype=np.float64)


@lru_cache(maxsize=32)
def _plan(rate: float) -> tuple[int, Floats, Floats, slice, Floats]:
    """FFT length, window, band weights (bins, BANDS), bins of the voice and their lag cosines (voiced bins, LAGS).

    Args:
        rate: Hz.
    """
    length = max(8, round(WINDOW_S * rate))
    n_fft = fast_length(max(length, round(FFT_S * rate)))
    hz = np.arange(n_fft // 2 + 1) * rate / n_fft
    hz = hz[hz <= _HIGHEST_HZ]
    edges = _place_band_edges_hz()
    up = (hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hz[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(up, down))
    # each band is a mean over its bins, so that longer transforms of higher rates do not count more
    weights /= np.maximum(weights.sum(axis=0), 1e-9)
    # bands that the rate cannot hold stay at the floor
    weights[:, edges[2:] > 0.49 * rate] = 0.0
    lags = np.geomspace(_SHORTEST_LAG_S, _LONGEST_LAG_S, LAGS)
    voiced = slice(*np.searchsorted(hz, [_LOWEST_HZ, _SHARED_HZ]).tolist())
    inside = hz[voiced, None]
    # a smooth end at 3800 Hz: a sharp one would ring over all lags
    cosines = np.cos(0.5 * np.pi * inside / _SHARED_HZ) ** 2 * np.cos(2.0 * np.pi * inside * lags)
    window = np.hanning(length + 2)[1:-1]
    return n_fft, window.astype(np.float32), weights.astype(np.float32), voiced, cosines.astype(np.float32)


def extract_features(samples: Floats, rate: float) -> Floats:
    """Features of every frame, as if the samples had been taken at `rate`.

    Args:
        samples: Shape (n,), finite, any scale.
        rate: Hz.

    Returns:
        Shape (frames, FEATURES): natural log of the band powers relative to the mean power of all frames and bands
        (`BANDS` columns, at least ``log(FLOOR)``), then the autocorrelation at `LAGS` lags from 2 to 20 ms, computed
        from the compressed spectrum (power to the 0.3) without its mean. No frame for less than one window.
    """
    n_fft, window, weights, voiced, cosines = _plan(rate)
    length = len(window)
    if len(samples) < length:
        return np.zeros((0, FEATURES), np.float32)
    count = int((len(samples) - length) / (HOP_S * rate)) + 1
    # rounded one by one: the hop stays 20 ms on average at rates such as 11025 Hz
    starts = np.round(np.arange(count) * HOP_S * rate).astype(np.int64)
    power = _measure_power(samples, starts[starts + length <= len(samples)], window, n_fft, len(weights))
    bands = power @ weights
    # the level of a recording says nothing of its rate
    level = max(float(bands[:, :SHARED_BANDS].mean()), 1e-30)
    bands = np.log(np.maximum(bands / level, FLOOR))
    # compressed as loudness is, so that the autocorrelation follows pitch and not the strongest formant
    compressed = np.exp(np.float32(0.3) * np.log(power[:, voiced] + FLOOR * level))  # faster than a power
    compressed -= compressed.mean(axis=1, keepdims=True)
    energy = np.sqrt(np.einsum("ij,ij->i", compressed, compressed) * np.float32(compressed.shape[1]))
    result = np.concatenate([bands, compressed @ cosines / np.maximum(energy, 1e-20)[:, None]], axis=1)
    return result.astype(np.float32)


def _measure_power(samples: Floats, starts: NDArray[np.int64], window: Floats, n_fft: int, bins: int) -> Floats:
    """Power of the frames that begin at `starts`, shape (frames, bins)."""
    views = np.lib.stride_tricks.sliding_window_view(samples, len(window))
    power = np.empty((len(starts), bins), np.float32)
    # a few frames at a time, which stay in the processor's cache; doubles, as numpy transforms singles far slower
    padded = np.zeros((_TOGETHER, n_fft))
    for first in range(0, len(starts), _TOGETHER):
        some = starts[first : first + _TOGETHER]
        np.multiply(views[some], window, out=padded[: len(some), : len(window)])
        spectrum = np.fft.rfft(padded[: len(some)], axis=1)[:, :bins]
        power[first : first + _TOGETHER] = spectrum.real**2 + spectrum.imag**2
    return power


@lru_cache(maxsize=1)
def load_model() -> Model:
    """The model that comes with the package."""
    return read_model(Path(__file__).with_name("rate_model.npz"))


def read_model(path: Path) -> Model:
    """A model as training stores it, with the scaling of the features moved into the first layer."""
    with np.load(path) as stored:
        model = {name: stored[name].astype(np.float32) for name in stored.files}
    width = len(model["frame1_weight"]) // len(model["feature_scale"])
    model["frame1_weight"] *= np.repeat(model["feature_scale"], width)[:, None]
    model["frame1_bias"] -= np.repeat(model["feature_mean"], width) @ model["frame1_weight"]
    inputs = len(model["feature_mean"])
    for name in ("frame1_weight", "frame2_weight", "frame3_weight"):
        weight = model[name]  # the frames of one input stand side by side
        model[name] = np.ascontiguousarray(weight.reshape(inputs, -1, weight.shape[1]).swapaxes(0, 1))
        inputs = weight.shape[1]
    return model


def score_rates(hearings: Sequence[Floats], model: Model) -> NDArray[np.float64]:
    """Judge the features of some audio at several rates.

    Args:
        hearings: For each rate, features of shape (frames, FEATURES), at least one frame.
        model: See `load_model`.

    Returns:
        Shape (rates, 2), logits: "this is the right rate" (comparable within these hearings) and "this is speech".
    """
    return np.array([_judge(features, model) for features in hearings], dtype=np.float64)


def _judge(features: Floats, net: Model) -> Floats:
    count = len(features)
    overall = _pool(
        (features - net["feature_mean"]) * net["feature_scale"], np.full(count, 1.0 / count, dtype=np.float32)
    )
    if count < _MIN_FRAMES:  # up to what the convolutions need, by frames that are usual
        features = np.concatenate([features, np.tile(net["feature_mean"], (_MIN_FRAMES - count, 1))])
    hidden = _convolve(features, net, "frame1")
    hidden = _convolve(hidden, net, "frame2", stride=2)
    hidden = _convolve(hidden, net, "frame3")
    # outputs that saw padding are left out
    hidden = hidden[: max(1, (count - _SEEN + 2) // 2)]
    attention = (hidden @ net["attention_weight"] + net["attention_bias"])[:, 0]
    # softmax: the largest is taken off first, so that nothing overflows
    attention = np.exp(attention - attention.max())
    overall = np.maximum(overall @ net["overall_weight"] + net["overall_bias"], 0.0)
    vector = np.concatenate([_pool(hidden, attention / attention.sum()), overall])
    for name in ("dense1", "dense2"):
        vector = np.maximum(vector @ net[f"{name}_weight"] + net[f"{name}_bias"], 0.0)
    return np.asarray(vector @ net["output_weight"] + net["output_bias"])


def _convolve(x: Floats, net: Model, name: str, stride: int = 1) -> Floats:
    """Rectified valid convolution over time of (frames, inputs)."""
    weights, bias = net[f"{name}_weight"], net[f"{name}_bias"]
    last = len(x) - len(weights)
    result = np.tile(bias, (last // stride + 1, 1))
    # a product for each frame that is seen: all at once would need a copy of every window
    for place, weight in enumerate(weights):
        result += x[place : place + last + 1 : stride] @ weight
    return np.asarray(np.maximum(result, 0.0, out=result))


def _pool(x: Floats, weight: Floats) -> Floats:
    """Weighted mean and standard deviation over the frames, one after the other."""
    mean = weight @ x
    # may be a little below 0 by rounding
    variance = weight @ (x * x) - mean * mean
    return np.concatenate([mean, np.sqrt(np.maximum(variance, np.float32(1e-4)))])

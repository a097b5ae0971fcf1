"""The forward pass of the sample rate net, in numpy.

A member of the model is one small net: three convolutions over the frames, pooled to an attentive mean and spread,
beside the plain mean and spread of the features, then two dense layers. ``benchmarks/train_rate.py`` trains one member
for each of five folds of the speakers; the model is their average. ``docs/rate-model.md`` describes it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.rate.features import Floats

Model = Mapping[str, Floats]
"""Arrays by name, the first axis counting the members; weights are (inputs, outputs)."""

_MIN_FRAMES = 17
_SEEN = 13
"""Frames that one output of the convolutions sees; it moves by two frames."""


@lru_cache(maxsize=1)
def shipped_model() -> Model:
    """The model that comes with the package."""
    with np.load(Path(__file__).with_name("rate_model.npz")) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def member(model: Model, number: int) -> Model:
    """One member of a model as a model of its own; what belongs to all members stays."""
    return {name: array if name.startswith("all_") else array[number : number + 1] for name, array in model.items()}


def scores(hearings: Sequence[Floats], model: Model) -> NDArray[np.float64]:
    """Judge the features of some audio at several rates.

    Args:
        hearings: For each rate, features of shape (frames, FEATURES), at least one frame.
        model: Its members are averaged.

    Returns:
        Shape (rates, 2), logits: "this is the right rate" (comparable within these hearings) and "this is speech".
    """
    members = [_member_arrays(model, number) for number in range(len(model["feature_mean"]))]
    return np.array([_judged(features, members) for features in hearings], dtype=np.float64)


def _member_arrays(model: Model, number: int) -> dict[str, Floats]:
    """Arrays of one member, with the scaling of the features moved into the first layer."""
    net = {name: array[number] for name, array in model.items() if not name.startswith("all_")}
    width = len(net["frame1_weight"]) // len(net["feature_scale"])
    net["frame1_weight"] = net["frame1_weight"] * np.repeat(net["feature_scale"], width)[:, None]
    net["frame1_bias"] = net["frame1_bias"] - np.repeat(net["feature_mean"], width) @ net["frame1_weight"]
    return net


def _judged(features: Floats, members: Sequence[Mapping[str, Floats]]) -> Floats:
    """Mean of the members' scores; what they share is computed once."""
    count = len(features)
    weight = np.full(count, 1.0 / count, np.float32)
    if count < _MIN_FRAMES:  # up to what the convolutions need, by frames that are usual
        usual = np.mean([net["feature_mean"] for net in members], axis=0)
        padded = np.concatenate([features, np.tile(usual, (_MIN_FRAMES - count, 1))])
    else:
        padded = features
    width = len(members[0]["frame1_weight"]) // features.shape[1]
    windows = _windows(padded, width)
    return np.asarray(np.mean([_judge(features, weight, windows, net) for net in members], axis=0))


def _judge(features: Floats, weight: Floats, windows: Floats, net: Mapping[str, Floats]) -> Floats:
    overall = _spread((features - net["feature_mean"]) * net["feature_scale"], weight)
    hidden = _rectified(windows, net, "frame1")
    hidden = _convolved(hidden, net, "frame2", stride=2)
    hidden = _convolved(hidden, net, "frame3")
    hidden = hidden[: max(1, (len(features) - _SEEN + 2) // 2)]
    attention = (hidden @ net["attention_weight"] + net["attention_bias"])[:, 0]
    attention = np.exp(attention - attention.max())
    overall = np.maximum(overall @ net["overall_weight"] + net["overall_bias"], 0.0)
    vector = np.concatenate([_spread(hidden, attention / attention.sum()), overall])
    for name in ("dense1", "dense2"):
        vector = np.maximum(vector @ net[f"{name}_weight"] + net[f"{name}_bias"], 0.0)
    return np.asarray(vector @ net["output_weight"] + net["output_bias"])


def _convolved(x: Floats, net: Mapping[str, Floats], name: str, stride: int = 1) -> Floats:
    """Rectified valid convolution over time of (frames, inputs)."""
    return _rectified(_windows(x, len(net[f"{name}_weight"]) // x.shape[1], stride), net, name)


def _windows(x: Floats, width: int, stride: int = 1) -> Floats:
    """Every `width` frames in a row as one row: (windows, inputs * width), the frames of one input side by side."""
    views = np.lib.stride_tricks.sliding_window_view(x, width, axis=0)[::stride]
    return views.reshape(len(views), -1)


def _rectified(x: Floats, net: Mapping[str, Floats], name: str) -> Floats:
    result = x @ net[f"{name}_weight"]
    result += net[f"{name}_bias"]
    return np.asarray(np.maximum(result, 0.0, out=result))


def _spread(x: Floats, weight: Floats) -> Floats:
    """Weighted mean and standard deviation over the frames, one after the other."""
    mean = weight @ x
    variance = weight @ (x * x) - mean * mean
    return np.concatenate([mean, np.sqrt(np.maximum(variance, np.float32(1e-4)))])

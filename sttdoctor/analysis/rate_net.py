"""The forward pass of the sample rate net, in numpy.

A member of the model is one small net: three convolutions over the frames, pooled to an attentive mean and spread,
beside the plain mean and spread of the features, then two dense layers. ``benchmarks/train_rate.py`` trains one member
for each of five folds of the speakers; the model is their average. ``docs/rate-model.md`` describes it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.rate_features import Floats

Model = Mapping[str, Floats]
"""Arrays by name, the first axis counting the members; weights are (inputs, outputs)."""

_MIN_FRAMES = 17
_SEEN = 13
"""Frames that one output of the convolutions sees; it moves by two frames."""


@lru_cache(maxsize=1)
def shipped_model() -> Model:
    """The model that comes with the package."""
    with files("sttdoctor.analysis").joinpath("rate_model.npz").open("rb") as file, np.load(file) as stored:
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
    each = np.array([[_judge(features, arrays) for features in hearings] for arrays in members], dtype=np.float64)
    return np.asarray(each.mean(axis=0))


def _member_arrays(model: Model, number: int) -> dict[str, Floats]:
    return {name: array[number] for name, array in model.items() if not name.startswith("all_")}


def _judge(features: Floats, net: Mapping[str, Floats]) -> Floats:
    count = len(features)
    x = (features - net["feature_mean"]) * net["feature_scale"]
    overall = _spread(x, np.full(count, 1.0 / count, np.float32))
    if count < _MIN_FRAMES:
        x = np.concatenate([x, np.zeros((_MIN_FRAMES - count, x.shape[1]), np.float32)])
    hidden = _convolved(x, net, "frame1")
    hidden = _convolved(hidden, net, "frame2", stride=2)
    hidden = _convolved(hidden, net, "frame3")
    hidden = hidden[: max(1, (count - _SEEN + 2) // 2)]
    attention = (hidden @ net["attention_weight"] + net["attention_bias"])[:, 0]
    attention = np.exp(attention - attention.max())
    overall = np.maximum(overall @ net["overall_weight"] + net["overall_bias"], 0.0)
    vector = np.concatenate([_spread(hidden, attention / attention.sum()), overall])
    for name in ("dense1", "dense2"):
        vector = np.maximum(vector @ net[f"{name}_weight"] + net[f"{name}_bias"], 0.0)
    return np.asarray(vector @ net["output_weight"] + net["output_bias"])


def _convolved(x: Floats, net: Mapping[str, Floats], name: str, stride: int = 1) -> Floats:
    """Rectified valid convolution over time of (frames, inputs)."""
    weight = net[f"{name}_weight"]
    width = len(weight) // x.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=0)[::stride]
    result = windows.reshape(len(windows), -1) @ weight
    result += net[f"{name}_bias"]
    return np.asarray(np.maximum(result, 0.0, out=result))


def _spread(x: Floats, weight: Floats) -> Floats:
    """Weighted mean and standard deviation over the frames, one after the other."""
    mean = weight @ x
    variance = weight @ (x * x) - mean * mean
    return np.concatenate([mean, np.sqrt(np.maximum(variance, np.float32(1e-4)))])

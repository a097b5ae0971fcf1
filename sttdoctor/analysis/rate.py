"""The sample rate of speech, told from its sound alone.

Every candidate rate is tried: the features of `rate_features` are computed as if it were true, and a small neural net
(weights in ``rate_model.npz``, trained by ``benchmarks/train_rate.py``, described in ``docs/rate-model.md``) says how
much the result sounds like speech at its natural pitch, formants and tempo. The scores of the candidates, softened by a
temperature that depends on the amount of speech, are the probabilities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.rate_features import HOP_S, Floats, frame_features
from sttdoctor.analysis.speech import STEP, active_excerpt, active_steps, finite_mono
from sttdoctor.encodings import STANDARD_RATES

JUDGED_S = 8.0
"""Seconds, at each candidate rate, of the most active parts that are judged; more adds time but hardly accuracy."""
TOLERANCE = 0.10
"""Rates this close (relative) can hardly be told apart by sound, so a declaration is judged by their joint probability."""
RATE_FAIL_BELOW = 0.01
RATE_WARN_BELOW = 0.05

_MIN_FRAMES = 17
_MIN_SPEECH_S = 0.1


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """What the sound says about the sample rate.

    Attributes:
        probabilities: Candidate rate in Hz to probability; sums to 1, flat prior, flat when nothing can be told.
        speech_s: Seconds of active speech-like sound judged, counted at the most probable rate.
        bandwidth: Highest frequency with content as a part of the sample rate, 0 to 0.5; NaN when unknown.
        speech_like: 0 to 1, how sure that this is speech at some rate.
    """

    probabilities: dict[int, float]
    speech_s: float
    bandwidth: float
    speech_like: float

    @property
    def best(self) -> int:
        """The most probable rate in Hz; the first of equals."""
        return max(self.probabilities, key=lambda rate: self.probabilities[rate])

    def smallest_set(self, mass: float = 0.95) -> list[int]:
        """The fewest rates (Hz, ascending) that hold at least `mass` of the probability."""
        chosen: list[int] = []
        total = 0.0
        for rate in sorted(self.probabilities, key=lambda rate: -self.probabilities[rate]):
            chosen.append(rate)
            total += self.probabilities[rate]
            if total >= mass - 1e-9:
                break
        return sorted(chosen)

    def mass_near(self, rate: float) -> float:
        """Probability of all candidates within `TOLERANCE` of a rate in Hz."""
        return sum(
            value
            for other, value in self.probabilities.items()
            if max(other, rate) <= (1 + TOLERANCE) * min(other, rate)
        )


@lru_cache(maxsize=1)
def _model() -> Mapping[str, Floats]:
    with files("sttdoctor.analysis").joinpath("rate_model.npz").open("rb") as file, np.load(file) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def _convolved(x: Floats, weight: Floats, bias: Floats, stride: int = 1) -> Floats:
    """Rectified valid convolution over time: (frames, inputs) with a weight of (width * inputs, outputs)."""
    width = len(weight) // x.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(x, width, axis=0)[::stride]
    flat = windows.reshape(len(windows), -1)
    return np.asarray(np.maximum(flat @ weight + bias, 0.0), dtype=np.float32)


def _mean_and_spread(x: Floats, weight: Floats) -> list[Floats]:
    mean = weight @ x
    variance = weight @ (x * x) - mean * mean
    return [mean, np.sqrt(np.maximum(variance, 1e-4))]


def _judge(features: Floats, model: Mapping[str, Floats], member: int) -> tuple[float, float]:
    """Score of "this is the right rate" and score of "this is speech", both as logits."""

    def layer(name: str) -> tuple[Floats, Floats]:
        return model[f"{name}_weight"][member], model[f"{name}_bias"][member]

    count = len(features)
    x = (features - model["feature_mean"][member]) * model["feature_scale"][member]
    overall = _mean_and_spread(x, np.full(count, 1.0 / count, np.float32))
    if count < _MIN_FRAMES:
        x = np.concatenate([x, np.zeros((_MIN_FRAMES - count, x.shape[1]), np.float32)])
    hidden = _convolved(x, *layer("frame1"))
    hidden = _convolved(hidden, *layer("frame2"), stride=2)
    hidden = _convolved(hidden, *layer("frame3"))
    hidden = hidden[: max(1, (count - 11) // 2)]
    weight, bias = layer("attention")
    attention = (hidden @ weight + bias)[:, 0]
    attention = np.exp(attention - attention.max())
    pooled = _mean_and_spread(hidden, attention / attention.sum())
    weight, bias = layer("overall")
    pooled.append(np.maximum(np.concatenate(overall) @ weight + bias, 0.0))
    vector = np.concatenate(pooled)
    for name in ("dense1", "dense2"):
        weight, bias = layer(name)
        vector = np.maximum(vector @ weight + bias, 0.0)
    weight, bias = layer("output")
    scores = vector @ weight + bias
    return float(scores[0]), float(scores[1])


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def _sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -50, 50))))


def bandwidth_of(samples: Floats) -> float:
    """Highest frequency with content, as a part of the sample rate (0 to 0.5); NaN when there are too few samples.

    A band counts as empty above a steep edge (15 dB within 3 % of the rate, and nothing louder above it), as
    resamplers and codecs leave it, and below -80 dB of the loudest band.
    """
    size = 1024
    count = len(samples) // size
    if count < 2 or not samples.any():
        return float("nan")
    frames = samples[: count * size].reshape(count, size) * np.hanning(size).astype(np.float32)
    power = (np.abs(np.fft.rfft(frames, axis=1)) ** 2).mean(axis=0)
    level = 10.0 * np.log10(power + 1e-20)
    smooth = np.convolve(level, np.ones(9) / 9, mode="same")[4:-8]
    reach = round(0.03 * size)
    above = np.maximum.accumulate(smooth[::-1])[::-1]
    for k in range(len(smooth) - reach - 1, reach, -1):
        if smooth[k - reach : k - reach // 2].min() > above[k + reach // 2] + 15.0:
            return float((k + 4) / size)
    return float(min(0.5, (np.flatnonzero(smooth > smooth.max() - 80.0)[-1] + 9) / size))


def estimate_rate(samples: NDArray[np.float64], candidates: Sequence[int] = STANDARD_RATES) -> RateEstimate:
    """Judge the sample rate of speech from its sound.

    Args:
        samples: Mono, shape (n,), any scale; NaN and infinity count as 0. Only the most active parts are judged,
            `JUDGED_S` seconds at each candidate rate.
        candidates: Rates in Hz to choose from; all are equally likely beforehand.

    Returns:
        The estimate. Probabilities are flat where there is no speech, or too little of it.
    """
    rates = sorted({int(rate) for rate in candidates})
    flat = np.full(len(rates), 1.0 / len(rates))
    clean = finite_mono(samples)
    active = active_steps(clean)
    bandwidth = bandwidth_of(clean[: 1 << 20])
    features = [frame_features(active_excerpt(clean, active, int(JUDGED_S * rate)), rate) for rate in rates]
    if not active.any() or min(len(frames) for frames in features) < 1:
        return RateEstimate(dict(zip(rates, flat.tolist(), strict=True)), 0.0, bandwidth, 0.0)
    model = _model()
    members = len(model["feature_mean"])
    scores = np.array([[_judge(frames, model, m) for frames in features] for m in range(members)])
    logits, speech_logits = scores.mean(axis=0).T
    raw = _softmax(logits)
    seconds = float(min(raw @ [active.sum() * STEP / rate for rate in rates], JUDGED_S))
    slope, offset = model["temperature"]
    temperature = float(np.exp(offset + slope * np.log(max(seconds, _MIN_SPEECH_S))))
    told = _softmax(logits / temperature)
    speech_like = float(told @ _sigmoid(speech_logits * model["speech_gain"][0] + model["speech_gain"][1]))
    mixed = speech_like * told + (1.0 - speech_like) * flat
    probabilities = dict(zip(rates, mixed.tolist(), strict=True))
    best = rates[int(np.argmax(mixed))]
    speech_s = min(float(active.sum()) * STEP / best, JUDGED_S) if speech_like >= 0.5 else 0.0
    return RateEstimate(probabilities, speech_s, bandwidth, speech_like)

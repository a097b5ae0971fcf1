"""The sample rate of speech, told from its sound alone.

Every candidate rate is tried: the features of `rate_features` are computed as if it were true, and the net of
`rate_net` says how much the result sounds like speech at its natural pitch, formants and tempo. The scores of the
candidates, sharpened by the amount of speech, are the probabilities; where it does not sound like speech they are flat.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.rate.features import Floats, frame_features
from sttdoctor.analysis.rate.net import Model, scores, shipped_model
from sttdoctor.analysis.signal.speech import STEP, active_excerpt, active_steps, finite_mono
from sttdoctor.encodings import STANDARD_RATES

JUDGED_S = 8.0
"""Seconds, at each candidate rate, of the most active parts that are judged."""
TOLERANCE = 0.10
"""Rates this close can hardly be told apart by sound: a declaration is judged by their joint probability."""

_LOWEST_HZ, _HIGHEST_HZ = 4000, 192_000
"""No client sends speech outside of this: such a candidate gets the lowest score of all, and no analysis."""


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """What the sound says about the sample rate.

    Attributes:
        probabilities: Candidate rate in Hz to probability; sums to 1, flat prior, flat when nothing can be told.
        speech_s: Seconds of active speech-like sound judged, counted at the most probable rate.
        speech_like: 0 to 1, how sure that this is speech at some rate.
    """

    probabilities: dict[int, float]
    speech_s: float
    speech_like: float

    @property
    def best(self) -> int:
        """The most probable rate in Hz; the lowest of equals."""
        return max(self.probabilities, key=lambda rate: (self.probabilities[rate], -rate))

    def is_speech(self, least_s: float) -> bool:
        """Whether there is so much sound, in seconds, that is like speech."""
        return self.speech_s >= least_s and self.speech_like >= 0.5

    def mass_near(self, rate: float) -> float:
        """Probability of all candidates within `TOLERANCE` of a rate in Hz."""
        return sum(p for other, p in self.probabilities.items() if abs(other / rate - 1.0) <= TOLERANCE)


def estimate_rate(samples: NDArray[np.float64], candidates: Sequence[int] = STANDARD_RATES) -> RateEstimate:
    """Judge the sample rate of speech from its sound.

    Args:
        samples: Mono, shape (n,), any scale; NaN and infinity count as 0. Only the most active parts are judged,
            `JUDGED_S` seconds at each candidate rate.
        candidates: Rates in Hz to choose from, at least one; all are equally likely beforehand.

    Returns:
        The estimate. Probabilities are flat where there is no speech, or too little of it.

    Raises:
        ValueError: No candidate was given.
    """
    return estimate_with(shipped_model(), samples, candidates)


def estimate_with(
    model: Model, samples: NDArray[np.float64], candidates: Sequence[int] = STANDARD_RATES
) -> RateEstimate:
    """`estimate_rate` with a model of the caller's choice; benchmarks measure single members of the model with it.

    Raises:
        ValueError: There is no candidate.
    """
    rates = sorted({int(rate) for rate in candidates})
    if not rates:
        raise ValueError("no candidate sample rate")
    clean = finite_mono(samples)
    judged = judge(model, clean, rates)
    if judged is None:
        return RateEstimate({rate: 1.0 / len(rates) for rate in rates}, 0.0, 0.0)
    logits, speech_logits, active = judged
    seconds = np.minimum(active / np.array(rates), JUDGED_S)
    told = softmax(logits * sharpness(model, float(softmax(logits) @ seconds)))
    gain, offset = model["all_speech"]
    speech_like = float(told @ (1.0 / (1.0 + np.exp(-np.clip(gain * speech_logits + offset, -50, 50)))))
    mixed = speech_like * told + (1.0 - speech_like) / len(rates)
    estimate = RateEstimate(dict(zip(rates, mixed.tolist(), strict=True)), 0.0, speech_like)
    speech_s = float(seconds[rates.index(estimate.best)]) if speech_like >= 0.5 else 0.0
    return RateEstimate(estimate.probabilities, speech_s, speech_like)


def judge(
    model: Model, clean: Floats, rates: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int] | None:
    """Raw scores of the rates and of being speech, each shape (rates,), and the active samples; None without sound.

    Args:
        model: See `rate_net`.
        clean: Shape (n,), from `speech.finite_mono`.
        rates: Hz.
    """
    active = active_steps(clean)
    sound = [rate for rate in rates if _LOWEST_HZ <= rate <= _HIGHEST_HZ]
    hearings = [frame_features(active_excerpt(clean, active, int(JUDGED_S * rate)), rate) for rate in sound]
    if not hearings or not active.any() or min(len(frames) for frames in hearings) == 0:
        return None
    found = scores(hearings, model)
    lowest = found.min(axis=0)
    rows = np.array([found[sound.index(rate)] if rate in sound else lowest for rate in rates])
    return rows[:, 0], rows[:, 1], int(active.sum()) * STEP


def sharpness(model: Model, seconds: float) -> float:
    """Factor on the scores for an amount of speech: a power of it, fitted on speakers that the nets had not heard."""
    slope, offset = model["all_sharpness"]
    return float(np.exp(offset + slope * np.log(np.clip(seconds, 0.3, JUDGED_S))))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn scores of shape (n,) into probabilities of the same shape, which sum to 1."""
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())

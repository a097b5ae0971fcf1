"""Sound that holds itself again, later and softer: it reaches the stream by two routes.

A second route adds the same waveform, so the whitened sound agrees with itself at one lag, to the sample, all along.
Words and phrases that are said again agree in no sample. What is played again agrees for no longer than it is, and
there more than the whole does, while a second route is mixed in everywhere alike. A room spreads its echo over many
lags; hum and loops agree at every multiple of their period.
"""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import autocorrelate, subtract_prediction
from sttdoctor.values import immutable

Floats = NDArray[np.float64]

SHORTEST_S, LONGEST_S = 0.150, 3.0
"""Delays that are looked for: a shorter one is a room, or an effect of a synthetic voice."""
_ORDER = 24  # of the predictor that takes the voice away
_LEAST_S = 4.0  # of sound: what is shorter agrees with itself by chance
_DELAYS = 3  # that the sound is long: two are a clip that is played again, three such clips agree as a comb
_LEVELLED, _SOFT = 512, 0.3  # samples of which the level is one; level below which, of the usual one, it stays
_PEAK = 0.1  # of the energy: voices and chance reach 0.09
_USUAL, _ABOVE = 0.99, 3.0  # what other lags reach, and how far a second route stands out from it
_ALONE = 0.5  # what the neighbours in a comb may have of it
_NEAR_S = 0.004  # lags that belong to one peak
_BLOCK_S = 0.25
_AUDIBLE, _BEYOND_CHANCE = 0.25, 3.0  # level of a block that has sound; what agrees by chance, in standard deviations
_ALIKE = 1.4  # of the whole's is what a block agrees: a second route is in all of it alike
_ALONG = 0.9  # share of the sound that must hold the echo; where a phrase only comes again, much of it does not


@immutable
class Echo:
    """A second route: its delay, its strength (0..1) beside the first, the share (0..1) of the sound that has it."""

    delay_s: float
    strength: float
    share: float


def find_echo(samples: Floats, rate: float) -> Echo | None:
    """Find the lag at which sound holds itself again.

    Args:
        samples: Shape (n,), finite: a continuous stretch with sound.
        rate: Hz.

    Returns:
        None where there is no such lag between `SHORTEST_S` and `LONGEST_S`, and a third of the stretch at most.
    """
    if len(samples) < max(_LEAST_S * rate, 8 * _ORDER) or not samples.any():
        return None
    flat = _whiten(samples)
    first, last = round(SHORTEST_S * rate), min(round(LONGEST_S * rate), len(samples) // _DELAYS)
    agreement = autocorrelate(flat, 2 * last)
    near, block = max(1, round(_NEAR_S * rate)), max(1, round(_BLOCK_S * rate))
    heard = agreement / agreement[0] if agreement[0] > 0 else agreement
    lag = first + int(np.argmax(heard[first:last]))
    peak = float(heard[lag])
    if peak < _PEAK or peak < _ABOVE * np.quantile(np.abs(heard[first:]), _USUAL):
        return None
    if _is_of_comb(heard, lag, first, near) or _is_of_loop(heard, lag, near):
        return None
    share, agreeing = _measure_share(flat, lag, block)
    if agreeing > _ALIKE * peak:
        return None
    strength = 2 * peak / (1 + np.sqrt(max(0.0, 1 - 4 * peak**2)))  # a copy of strength g agrees by g / (1 + g * g)
    return Echo(lag / rate, min(1.0, float(strength)), share) if share >= _ALONG else None


def _is_of_comb(heard: Floats, lag: int, first: int, near: int) -> bool:
    """Whether the next strongest lag is a neighbour in a comb: the lag as far on the other side is strong, too."""
    others = heard.copy()
    others[:first] = 0.0
    others[max(0, lag - near) : lag + near + 1] = 0.0
    apart = abs(lag - int(np.argmax(others)))
    across = abs(lag - apart) if others[min(lag + apart, len(others) - 1)] == others.max() else lag + apart
    there = heard[max(0, across - near) : across + near + 1].max(initial=0.0)
    least = _ALONE * heard[lag]
    return bool(others.max() > least and there > least)


def _is_of_loop(heard: Floats, lag: int, near: int) -> bool:
    """Whether the sound agrees as well at twice the lag: a loop that plays behind a voice.

    The lag's neighbours may be a phrase that comes again, so that it is no comb at first sight.
    """
    return bool(heard[2 * lag - near : 2 * lag + near + 1].max(initial=0.0) > _ALONE * heard[lag])


def _whiten(samples: Floats) -> Floats:
    """What one linear predictor leaves over, with loud parts brought down to the level of the others."""
    centred = samples - samples.mean()
    lags = np.array([centred[lag:] @ centred[: len(centred) - lag] for lag in range(_ORDER + 1)])
    error = subtract_prediction(centred, lags, ridge=1e-9)
    count = -(-len(error) // _LEVELLED)
    # every part counts alike, so that one loud word does not decide
    rows = np.pad(error, (0, count * _LEVELLED - len(error))).reshape(count, _LEVELLED)
    level = np.sqrt((rows**2).mean(axis=1))
    usual = float(np.median(level[level > 0])) if (level > 0).any() else 1.0
    flat: Floats = (rows / np.maximum(level, _SOFT * usual)[:, None]).reshape(-1)[: len(error)]
    return flat


def _measure_share(flat: Floats, lag: int, block: int) -> tuple[float, float]:
    """The share of blocks with sound of which the sound a lag before is a part, and how much of the usual one it is."""
    now, then = flat[lag:], flat[:-lag]
    count = len(now) // block
    if not count:
        return 0.0, 0.0
    now, then = (part[: count * block].reshape(count, block) for part in (now, then))
    common, power = (now * then).sum(axis=1), np.sqrt((now**2).sum(axis=1) * (then**2).sum(axis=1))
    audible = power > _AUDIBLE * block
    if not audible.any():
        return 0.0, 0.0
    share = float((common[audible] > _BEYOND_CHANCE * np.sqrt(block)).mean())
    return share, float(np.median(common[audible] / power[audible]))

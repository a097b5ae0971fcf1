"""What would fool a description length: bytes that cannot tell their encoding, and one channel that looks like two."""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.quantization import Reading

SHORTEST = 96  # bytes: 3 ms of 16-bit audio at 16 kHz
_LINE = 0.995  # share of the power that a pure tone has in one line
_FOLLOWS = 1.0  # cells: rounding leaves at most sqrt(6 / 12) when a pure tone is predicted from two samples
_TONES, _LINES = 2, 0.85  # tones at a time; share of the power in twice as many lines, where pauses widen them
_STRETCH = 96  # samples in which the tones stay the same
_SOUNDING = 32.0  # cells: quieter than that the quantiser is most of what is heard
_FOLLOWS_FOUR = 4.0  # cells: what rounding leaves, at 0.3 each, when two tones are predicted from four samples
_REACH = 5  # samples to each side from which an interpolation makes a new one
_ROUNDED = 3.0  # cells: rounding of the sample and of its neighbours, and dither
_GAIN = 0.1
_CONTRAST = 0.5  # of what is left over: the samples between which others were made follow less well


def nothing_to_tell(excerpts: NDArray[np.uint8]) -> str:
    """Why these bytes, shape (excerpts, bytes), cannot tell their encoding: a clause; empty where they can."""
    counts = np.bincount(excerpts.reshape(-1), minlength=256)
    common = np.argsort(counts)[::-1][:2]  # silence: zero, or the codes of plus and minus zero
    if counts[common[0]] == excerpts.size:
        return "every byte is the same"
    active = (excerpts != common[0]) & (excerpts != common[1])
    if active.sum() < min(SHORTEST, excerpts.size // 2):
        return "nearly every byte is silence"
    if _repeats(excerpts, active):
        return "the bytes repeat exactly, like a generated tone"
    return ""


def _repeats(excerpts: NDArray[np.uint8], active: NDArray[np.bool_]) -> bool:
    """Whether the active bytes repeat exactly after at most a quarter of an excerpt."""
    most = int(np.argmax(active.sum(axis=1)))
    row, length = excerpts[most], excerpts.shape[1]
    for lag in range(1, 17):  # the period of the probe itself may be short
        both = active[:, lag:] & active[:, :-lag]
        if both.sum() > active.sum() // 2 and (excerpts[:, lag:] == excerpts[:, :-lag])[both].mean() > 0.97:
            return True
    start = int(np.argmax(active[most]))
    probe = row[start : start + 32].tobytes()
    lag = row.tobytes().find(probe, start + 1, start + length // 4 + 32) - start
    if lag <= 0:
        return False
    both = active[:, lag:] & active[:, :-lag]
    return bool(both.sum() > active.sum() // 2 and (excerpts[:, lag:] == excerpts[:, :-lag])[both].mean() > 0.97)


def is_tone(samples: Reading) -> bool:
    """Whether one steady line holds nearly all power and each sample follows from two, but for the quantiser."""
    values = samples.values - samples.values.mean(axis=1, keepdims=True)
    eighths = values[:, : values.shape[1] // 8 * 8].reshape(8 * len(values), -1).var(axis=1)
    if eighths.min() < 1e-3 * eighths.mean():  # it pauses
        return False
    power = np.abs(np.fft.rfft(values * np.hanning(values.shape[1]))) ** 2
    lines = power.argmax(axis=1)
    near = np.abs(np.arange(power.shape[1]) - lines[:, None]) <= 3
    if (power * near).sum() < _LINE * power.sum() or np.ptp(lines) > 2:
        return False
    now, last, before = (samples.values[:, 2 - lag : values.shape[1] - lag].reshape(-1) for lag in range(3))
    pair = np.stack([last, before, np.full(len(now), np.abs(now).mean())], axis=1)
    error = now - pair @ np.linalg.lstsq(pair, now, rcond=None)[0]
    step = np.sqrt(np.mean(samples.cells**2)) + 1e-12 * np.abs(now).max()  # doubles compute no better
    return bool(np.sqrt(np.mean(error**2)) < _FOLLOWS * step)


def has_few_lines(samples: Reading) -> bool:
    """Whether a few lines hold nearly all power of every excerpt, as of generated tones with or without pauses."""
    values = samples.values - samples.values.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(values * np.hanning(values.shape[1]))) ** 2
    total, lines, every = power.sum(axis=1), np.zeros(len(power)), np.arange(len(power))
    for _ in range(2 * _TONES):
        places = np.clip(power.argmax(axis=1)[:, None] + np.arange(-4, 5), 0, power.shape[1] - 1)
        for place in places.T:
            lines += power[every, place]
            power[every, place] = 0.0
    return bool((lines >= _LINES * total).all())


def follows_from_four(samples: Reading) -> bool:
    """Whether each sample follows from the four before it but for the quantiser, as two tones at a time do."""
    count = samples.values.shape[1] // _STRETCH * _STRETCH
    stretches, cells = (a[:, :count].reshape(-1, _STRETCH) for a in (samples.values, samples.cells))
    sounding = stretches.std(axis=1) > _SOUNDING * np.sqrt(np.mean(cells**2, axis=1))
    if not sounding.any():
        return False
    level = np.abs(stretches[sounding]).mean(axis=1, keepdims=True)
    scaled, order = stretches[sounding] / level, 2 * _TONES
    past = np.stack([scaled[:, order - lag : _STRETCH - lag] for lag in range(order + 1)], axis=2)
    now, past = past[..., :1].copy(), np.concatenate([past[..., 1:], np.ones_like(past[..., :1])], axis=2)
    error = now - past @ (np.linalg.pinv(past) @ now)
    left = np.sqrt(np.mean(error[..., 0] ** 2, axis=1))
    steps = np.sqrt(np.mean(cells[sounding] ** 2, axis=1)) / level[:, 0]
    return bool((left < _FOLLOWS_FOUR * steps + 1e-12).mean() > 0.5)


def sign_extended(samples: Reading) -> bool:
    """Whether one "channel" is only the sign of the other: quiet samples of twice the width, read by halves."""
    values = samples.values[:, : samples.values.shape[1] // 2 * 2]
    for sign, other in ((values[:, 1::2], values[:, ::2]), (values[:, ::2], values[:, 1::2])):
        only = ((sign == 0.0) | (sign == -1.0)).mean() > 0.99
        if only and sign.any() and ((sign < 0.0) == (other < 0.0)).mean() > 0.98:
            return True
    return False


def interpolated(samples: Reading) -> bool:
    """Whether every other sample follows from its neighbours: one channel, upsampled by a short interpolation.

    The filter (linear, cubic, any symmetric one of six taps) is fitted; what it leaves over is rounding and dither.
    """
    count = samples.values.shape[1] // 2 * 2
    if count < 8 * _REACH:
        return False
    values = samples.values[:, :count]
    inner, cells = values[:, _REACH:-_REACH], samples.cells[:, _REACH : count - _REACH]
    pairs = [
        values[:, _REACH - away : count - _REACH - away] + values[:, _REACH + away : count - _REACH + away]
        for away in range(1, _REACH + 1, 2)
    ]
    moves = values[:, _REACH + 1 : count - _REACH + 1] != values[:, _REACH - 1 : count - _REACH - 1]
    shares, left = [], []
    for phase in (0, 1):
        past = np.stack([pair[:, phase::2].reshape(-1) for pair in pairs], axis=1)
        now = inner[:, phase::2].reshape(-1)
        taps = np.linalg.lstsq(past, now, rcond=None)[0]
        rest = np.abs(now - past @ taps) / cells[:, phase::2].reshape(-1)
        gain = 2.0 * float(taps.sum())  # of a constant: 1, unless one channel has nothing to do with the other
        moving = moves[:, phase::2].reshape(-1)
        follows = rest[moving] <= _ROUNDED
        shares.append(float(follows.mean()) if abs(gain - 1.0) < _GAIN and moving.any() else 0.0)
        left.append(float((rest[moving] ** 2).sum()))
    return max(shares) > 0.95 and min(left) < _CONTRAST * max(left)

"""What would fool a description length: bytes that cannot tell their encoding, and one channel that looks like two."""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding_cells import Reading

SHORTEST = 96  # bytes: 3 ms of 16-bit audio at 16 kHz
_LINE = 0.995  # share of the power that a pure tone has in one line
_FOLLOWS = 1.0  # cells: rounding leaves at most sqrt(6 / 12) when a pure tone is predicted from two samples


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
    row = excerpts[int(np.argmax(active.sum(axis=1)))]
    length = len(row)
    for lag in range(1, 17):  # the period of the probe itself may be short
        if (excerpts[:, lag:] == excerpts[:, :-lag])[active[:, lag:]].mean() > 0.97:
            return True
    found = row.tobytes().find(row[:32].tobytes(), 1, length // 4 + 32)
    if found < 0:
        return False
    repeated = (excerpts[:, found:] == excerpts[:, :-found])[active[:, found:]]
    return bool(repeated.mean() > 0.97)


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


def sign_extended(samples: Reading) -> bool:
    """Whether one "channel" is only the sign of the other: quiet samples of twice the width, read by halves."""
    values = samples.values[:, : samples.values.shape[1] // 2 * 2]
    for sign, other in ((values[:, 1::2], values[:, ::2]), (values[:, ::2], values[:, 1::2])):
        only = ((sign == 0.0) | (sign == -1.0)).mean() > 0.99
        if only and sign.any() and ((sign < 0.0) == (other < 0.0)).mean() > 0.98:
            return True
    return False


def interpolated(samples: Reading) -> bool:
    """Whether every other sample is the mean of its neighbours: one channel, upsampled by linear interpolation."""
    values = samples.values[:, : samples.values.shape[1] // 2 * 2]
    bends = np.abs(2 * values[:, 1:-1] - values[:, :-2] - values[:, 2:])
    straight = bends <= 2.0 * samples.cells[:, 1 : values.shape[1] - 1]
    moves = values[:, 2:] != values[:, :-2]
    shares = [float(straight[:, phase::2][moves[:, phase::2]].sum() / max(1, moves.sum())) for phase in (0, 1)]
    return 2 * max(shares) > 0.95 and min(shares) < 0.8 * max(shares)

"""How coarse samples get into a finer encoding: the lines of code that clients and libraries really have.

Each idiom takes the integers of the coarse source and gives the numbers of the finer encoding. All of them are right:
what they write is what is declared.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator
Idiom = Callable[[Floats, int, Rng], Floats]
"""From whole numbers of `bits` bits (around zero) to samples of full scale; the last argument is the source of scales."""


def _split(x: Floats) -> Floats:
    """`x < 0 ? x * 0x8000 : x * 0x7fff`, the idiom of browsers, not yet rounded."""
    return np.where(x < 0, x * 0x8000, x * 0x7FFF)


def _scale(rng: Rng) -> float:
    """Any volume between -34 dB and +0 dB."""
    return float(np.exp(rng.uniform(np.log(0.02), 0.0)))


def _tpdf(rng: Rng, count: int) -> Floats:
    return rng.random(count) - rng.random(count)


def _unit(k: Floats, bits: int) -> Floats:
    return k / 2.0 ** (bits - 1)


def _centred(k: Floats, bits: int) -> Floats:
    """Unsigned codes brought to -1..1 about the middle of their range, as `code / 127.5 - 1` does."""
    middle = 2.0 ** (bits - 1) - 0.5
    return (k + 0.5) / middle


S16: dict[str, Idiom] = {
    "shifted left": lambda k, b, r: k * 2.0 ** (16 - b),
    "bits repeated (k * 257 - 32768)": lambda k, b, r: np.rint((k + 2 ** (b - 1)) * 65535 / (2**b - 1)) - 32768,
    "round(x * 32767)": lambda k, b, r: np.rint(_unit(k, b) * 32767),
    "trunc(x * 32767)": lambda k, b, r: np.trunc(_unit(k, b) * 32767),
    "floor(x * 32767)": lambda k, b, r: np.floor(_unit(k, b) * 32767),
    "round(x * 32768), clipped": lambda k, b, r: np.clip(np.rint(_unit(k, b) * 32768), -32768, 32767),
    "x < 0 ? 0x8000 : 0x7fff, truncated": lambda k, b, r: np.trunc(_split(_unit(k, b))),
    "x < 0 ? 0x8000 : 0x7fff, rounded": lambda k, b, r: np.rint(_split(_unit(k, b))),
    "code / 127.5 - 1, round(x * 32767)": lambda k, b, r: np.rint(_centred(k, b) * 32767),
    "code / 127.5 - 1, trunc(x * 32767)": lambda k, b, r: np.trunc(_centred(k, b) * 32767),
    "k / 127, round(x * 32767)": lambda k, b, r: np.clip(np.rint(k / (2 ** (b - 1) - 1) * 32767), -32768, 32767),
    "any volume, rounded": lambda k, b, r: np.rint(_unit(k, b) * 32768 * _scale(r)),
    "any volume, truncated": lambda k, b, r: np.trunc(_unit(k, b) * 32767 * _scale(r)),
    "triangular dither": lambda k, b, r: np.clip(np.rint(_unit(k, b) * 32767 + _tpdf(r, len(k))), -32768, 32767),
    "any volume, triangular dither": lambda k, b, r: np.rint(_unit(k, b) * 32767 * _scale(r) + _tpdf(r, len(k))),
    "rectangular dither": lambda k, b, r: np.clip(np.rint(_unit(k, b) * 32767 + r.random(len(k)) - 0.5), -32768, 32767),
    "volume in steps": lambda k, b, r: np.rint(_unit(k, b) * 32768 * np.repeat(_scale(r) * r.uniform(0.5, 1, 8), -(-len(k) // 8))[: len(k)]),
}  # fmt: skip
"""For 8 bits (or so) in 16: the numbers of 16-bit samples."""

S32: dict[str, Idiom] = {
    "shifted left": lambda k, b, r: k * 2.0 ** (32 - b),
    "round(x * 2147483647)": lambda k, b, r: np.rint(_unit(k, b) * 2147483647),
    "trunc(x * 2147483647)": lambda k, b, r: np.trunc(_unit(k, b) * 2147483647),
    "floor(x * 2147483647)": lambda k, b, r: np.floor(_unit(k, b) * 2147483647),
    "x of 32-bit floats, * 2147483647": lambda k, b, r: _f32(_f32(_unit(k, b)) * np.float32(2147483647)),
    "k / 32767, round(x * 2147483647)": lambda k, b, r: np.rint(k / (2 ** (b - 1) - 1) * 2147483647),
    "x < 0 ? 0x80000000 : 0x7fffffff": lambda k, b, r: np.trunc(np.where(k < 0, _unit(k, b) * 2.0**31, _unit(k, b) * (2.0**31 - 1))),
    "bits repeated (k * 65537)": lambda k, b, r: np.rint((k + 2 ** (b - 1)) * (2.0**32 - 1) / (2**b - 1)) - 2.0**31,
    "any volume, rounded": lambda k, b, r: np.rint(_unit(k, b) * 2.0**31 * _scale(r)),
    "any volume, as 32-bit floats": lambda k, b, r: _f32(_f32(_unit(k, b)) * np.float32(_scale(r)) * np.float32(2.0**31)),
    "round(x * 8388607) << 8": lambda k, b, r: np.rint(_unit(k, b) * 8388607) * 256,
}  # fmt: skip
"""For 8 or 16 bits (or 24) in 32: the numbers of 32-bit samples, to be clipped."""

FLOAT: dict[str, Idiom] = {
    "x / 32768": lambda k, b, r: _f32(_unit(k, b)),
    "x / 32767": lambda k, b, r: _f32(k / (2.0 ** (b - 1) - 1)),
    "x / 32767.5": lambda k, b, r: _f32(_centred(k, b)),
    "x < 0 ? x / 0x8000 : x / 0x7fff": lambda k, b, r: _f32(np.where(k < 0, _unit(k, b), k / (2.0 ** (b - 1) - 1))),
    "any volume": lambda k, b, r: _f32(_f32(_unit(k, b)) * np.float32(_scale(r))),
    "any volume in 64 bits": lambda k, b, r: _f32(_unit(k, b) * _scale(r)),
    "two volumes": lambda k, b, r: _f32(_f32(_f32(_unit(k, b)) * np.float32(_scale(r))) * np.float32(r.uniform(1, 3))),
    "any volume, dithered": lambda k, b, r: _f32(_unit(k, b) * _scale(r) + _tpdf(r, len(k)) / 2.0**b),
}  # fmt: skip
"""For integers in 32-bit or half floats."""


def _f32(x: Floats) -> Floats:
    return x.astype(np.float32).astype(np.float64)

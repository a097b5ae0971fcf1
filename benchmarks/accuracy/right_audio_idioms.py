"""How coarse samples get into a finer encoding: the lines of code that clients and libraries really have.

Each idiom takes the integers of the coarse source and gives the numbers of the finer encoding. All of them are right:
what they write is what is declared.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Coarse:
    """Whole numbers `k` of `bits` bits around zero, shape (n,), and where random scales come from."""

    k: Floats
    bits: int
    rng: Rng

    @property
    def unit(self) -> Floats:
        """Brought to -1..1 by a power of two."""
        return self.k / 2.0 ** (self.bits - 1)

    @property
    def code(self) -> Floats:
        """Unsigned, from 0 on."""
        return self.k + 2.0 ** (self.bits - 1)

    @property
    def centred(self) -> Floats:
        """Unsigned codes brought to -1..1 about the middle of their range, as `code / 127.5 - 1` does."""
        return (self.k + 0.5) / (2.0 ** (self.bits - 1) - 0.5)

    @property
    def odd(self) -> Floats:
        """Divided by 127 or 32767."""
        return self.k / (2.0 ** (self.bits - 1) - 1)

    @property
    def split(self) -> Floats:
        """`x < 0 ? x * 0x8000 : x * 0x7fff`, the idiom of browsers, not yet rounded."""
        return np.where(self.k < 0, self.unit * 0x8000, self.unit * 0x7FFF)

    @property
    def volume(self) -> float:
        """Any between -34 dB and 0 dB; another one each time."""
        return float(np.exp(self.rng.uniform(np.log(0.02), 0.0)))

    @property
    def triangle(self) -> Floats:
        """Triangular dither of two steps."""
        return self.rng.random(len(self.k)) - self.rng.random(len(self.k))

    @property
    def steps(self) -> Floats:
        """A volume that changes eight times."""
        volumes = self.volume * self.rng.uniform(0.5, 1, 8)
        return np.repeat(volumes, -(-len(self.k) // 8))[: len(self.k)]


Idiom = Callable[[Coarse], Floats]


def _s16(x: Floats) -> Floats:
    return np.clip(np.rint(x), -32768, 32767)


def _f32(x: Floats) -> Floats:
    return x.astype(np.float32).astype(np.float64)


S16: dict[str, Idiom] = {
    "shifted left": lambda c: c.unit * 32768,
    "bits repeated (code * 257)": lambda c: np.rint(c.code * 65535 / (2**c.bits - 1)) - 32768,
    "round(x * 32767)": lambda c: np.rint(c.unit * 32767),
    "trunc(x * 32767)": lambda c: np.trunc(c.unit * 32767),
    "floor(x * 32767)": lambda c: np.floor(c.unit * 32767),
    "round(x * 32768), clipped": lambda c: _s16(c.unit * 32768),
    "x < 0 ? 0x8000 : 0x7fff, truncated": lambda c: np.trunc(c.split),
    "x < 0 ? 0x8000 : 0x7fff, rounded": lambda c: np.rint(c.split),
    "code / 127.5 - 1, round(x * 32767)": lambda c: np.rint(c.centred * 32767),
    "code / 127.5 - 1, trunc(x * 32767)": lambda c: np.trunc(c.centred * 32767),
    "k / 127, round(x * 32767)": lambda c: _s16(c.odd * 32767),
    "any volume, rounded": lambda c: np.rint(c.unit * 32768 * c.volume),
    "any volume, truncated": lambda c: np.trunc(c.unit * 32767 * c.volume),
    "triangular dither": lambda c: _s16(c.unit * 32767 + c.triangle),
    "any volume, triangular dither": lambda c: np.rint(c.unit * 32767 * c.volume + c.triangle),
    "rectangular dither": lambda c: _s16(c.unit * 32767 + c.rng.random(len(c.k)) - 0.5),
    "volume in steps": lambda c: np.rint(c.unit * 32768 * c.steps),
}
"""For 8 bits (or so) in 16: the numbers of 16-bit samples."""

S32: dict[str, Idiom] = {
    "shifted left": lambda c: c.unit * 2.0**31,
    "round(x * 2147483647)": lambda c: np.rint(c.unit * 2147483647),
    "trunc(x * 2147483647)": lambda c: np.trunc(c.unit * 2147483647),
    "floor(x * 2147483647)": lambda c: np.floor(c.unit * 2147483647),
    "32-bit floats * 2147483647": lambda c: _f32(_f32(c.unit) * np.float32(2147483647)),
    "k / 32767, round(x * 2147483647)": lambda c: np.rint(c.odd * 2147483647),
    "x < 0 ? 0x80000000 : 0x7fffffff": lambda c: np.trunc(c.unit * np.where(c.k < 0, 2.0**31, 2.0**31 - 1)),
    "bits repeated (code * 65537)": lambda c: np.rint(c.code * (2.0**32 - 1) / (2**c.bits - 1)) - 2.0**31,
    "any volume, rounded": lambda c: np.rint(c.unit * 2.0**31 * c.volume),
    "any volume, as 32-bit floats": lambda c: _f32(_f32(c.unit) * np.float32(c.volume) * np.float32(2.0**31)),
    "round(x * 8388607) << 8": lambda c: np.rint(c.unit * 8388607) * 256,
}
"""For 8, 16 or 24 bits in 32: the numbers of 32-bit samples, to be clipped."""

FLOAT: dict[str, Idiom] = {
    "x / 32768": lambda c: _f32(c.unit),
    "x / 32767": lambda c: _f32(c.odd),
    "x / 32767.5": lambda c: _f32(c.centred),
    "x < 0 ? x / 0x8000 : x / 0x7fff": lambda c: _f32(np.where(c.k < 0, c.unit, c.odd)),
    "any volume": lambda c: _f32(_f32(c.unit) * np.float32(c.volume)),
    "any volume in 64 bits": lambda c: _f32(c.unit * c.volume),
    "two volumes": lambda c: _f32(_f32(_f32(c.unit) * np.float32(c.volume)) * np.float32(c.rng.uniform(0.3, 1))),
    "any volume, dithered": lambda c: _f32(c.unit * c.volume + c.triangle / 2.0**c.bits),
}
"""For integers in 32-bit or half floats."""

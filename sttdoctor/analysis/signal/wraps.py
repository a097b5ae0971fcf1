"""Samples that wrapped: louder than full scale, cast to integers without a limit, they come out at the other end.

A wrap throws the waveform by most of the range from one sample to the next. Sound that is cut off may swing as far, but
then stands at the top or bottom itself; noise swings half as far more often still.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

WRAPPING = ("pcm_s16le", "pcm_s32le")
_WRAP, _STEEP = 1.4, 1.0  # of full scale, of a range of 2: of a wrap; of steps that the range does not explain
_NEAR = 0.995  # of full scale: what wraps passes both ends; sound that was cut off and made softer reaches neither
_MOVING = 0.01  # of full scale: the way to a wrap goes on outwards; a flat top was cut off
_ONE_END = 0.05  # sound that was cut off stands at both ends; here only at the one to which the top wraps
_SHOWN = 5


@dataclass(slots=True)
class Wraps:
    """What was found so far.

    Attributes:
        count: Steps of most of the range from a moving waveform, neither end at the very top or bottom.
        steep: Steps of more than half of the range that are none of these.
        places: The samples behind the first few wraps.
    """

    count: int = 0
    steep: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, x: NDArray[np.signedinteger], first: int) -> None:
        """Look at a block: integers of 16 or 32 bits, shape (n,), of which the first is sample `first`."""
        full = float(np.iinfo(x.dtype).max) + 1
        top, bottom = float(x.max()), float(x.min())
        if top < _NEAR * full or bottom > -_NEAR * full:
            return
        step = np.abs(np.diff(x.astype(np.float64)))
        at_limit = (x >= top - full // 4096) | (x <= bottom + full // 4096)
        limits = np.iinfo(x.dtype)
        if (x == limits.max).sum() <= _ONE_END * (x == limits.min).sum():  # cut off at 1.0, which is one step too many
            at_limit = x > top - full // 4096
        moving = np.append(False, step[:-1] > _MOVING * full)
        wide = np.flatnonzero((step > _WRAP * full) & moving & ~(at_limit[1:] | at_limit[:-1]))
        self.count += len(wide)
        self.steep += int((step > _STEEP * full).sum()) - len(wide)
        self.places += [first + 1 + int(place) for place in wide[: _SHOWN - len(self.places)]]

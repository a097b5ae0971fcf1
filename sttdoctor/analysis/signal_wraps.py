"""Samples that wrapped: louder than full scale, cast to integers without a limit, they come out at the other end.

A wrap throws the waveform by nearly the whole range from one sample to the next, and the step is small again once the
range is added. Sound that is cut off may swing as far, but then stands at the limit itself; noise swings half as far
more often still.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

WRAPPING = ("pcm_s16le", "pcm_s32le")
_WRAP, _STEEP = 1.7, 1.3  # of full scale, of a range of 2: of a wrap; of steps that the range does not explain
_NEAR = 0.9  # of full scale: both ends must be nearly reached
_SHOWN = 5


@dataclass(slots=True)
class Wraps:
    """What was found so far.

    Attributes:
        count: Steps to the next sample that are nearly the whole range, neither end at the very limit.
        steep: Steps of more than half of the range that are not so wide.
        places: The samples behind the first few wraps.
    """

    count: int = 0
    steep: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, x: NDArray[np.signedinteger], first: int) -> None:
        """Look at a block: integers of 16 or 32 bits, shape (n,), of which the first is sample `first`."""
        limits = np.iinfo(x.dtype)
        full = float(limits.max) + 1
        if x.max() < _NEAR * full or x.min() > -_NEAR * full:
            return
        step = np.abs(np.diff(x.astype(np.float64)))
        at_limit = (x >= limits.max - (full // 4096)) | (x <= limits.min + (full // 4096))
        wide = np.flatnonzero((step > _WRAP * full) & ~(at_limit[1:] | at_limit[:-1]))
        self.count += len(wide)
        self.steep += int((step > _STEEP * full).sum()) - len(wide)
        self.places += [first + 1 + int(place) for place in wide[: _SHOWN - len(self.places)]]

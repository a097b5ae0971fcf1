"""How likely it is that somebody is speaking, 20 ms at a time: loudness, smoothed. No I/O.

The service compares such a likelihood with the thresholds of its turn options; how it computes it is not published.
This one rises within a few frames of sound and falls with a time constant that, at the default thresholds, gives
`turn.eager_end` after 0.4 s and `turn.end` after 0.7 s of silence (documented is "about half a second").
"""

import math
from collections.abc import Iterator

import numpy as np

from sttdoctor.analysis.decoding import Samples

FRAME_S = 0.02
LOUD = 0.012  # RMS of a frame, without its offset, that counts as sound; a quiet room has less than a tenth of it
RISE = 0.58  # what a loud frame leaves of the distance to 1: three in a row cross the default start threshold of 0.8
FALL = math.exp(-FRAME_S / 0.43)


class Activity:
    """The likelihood of speech in one stream of samples.

    Args:
        rate: Declared sample rate in Hz.
    """

    def __init__(self, rate: int) -> None:
        self._frame = max(1, round(rate * FRAME_S))
        self._rest: Samples = np.zeros(0)
        self._likelihood = 0.0

    def frames(self, samples: Samples) -> Iterator[tuple[Samples, bool, float]]:
        """Yield (samples, loud, likelihood) of each frame that these samples complete.

        Args:
            samples: Shape (n,). Values beyond +-1 and NaN do occur in bytes that are not what they are said to be.
        """
        known = np.clip(np.nan_to_num(np.concatenate([self._rest, samples])), -1, 1)
        whole = len(known) // self._frame * self._frame
        self._rest = known[whole:]
        frames = known[:whole].reshape(-1, self._frame)
        for frame, loud in zip(frames, frames.std(axis=1) > LOUD, strict=True):
            self._likelihood = 1 - (1 - self._likelihood) * RISE if loud else self._likelihood * FALL
            yield frame, bool(loud), self._likelihood

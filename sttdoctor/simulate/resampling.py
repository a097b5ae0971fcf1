"""A stream of samples at one rate to a stream at 16 kHz, which is what the recogniser hears; needs SciPy."""

from fractions import Fraction

import numpy as np

from sttdoctor.analysis.decoding import Samples

TARGET = 16000
BLOCK_S, MARGIN_S = 0.2, 0.02


class Resampler:
    """Resamples block by block; margins on both sides of a block keep its borders free of the filter's ends.

    Args:
        rate: Of what comes in, Hz. An odd rate is taken as the nearest ratio of small numbers.
    """

    def __init__(self, rate: int) -> None:
        self._ratio = Fraction(TARGET, rate).limit_denominator(1000) or Fraction(1, 1000)
        step = self._ratio.denominator  # whole steps give whole samples
        self._block = step * max(1, round(BLOCK_S * rate / step))
        self._margin = step * max(1, round(MARGIN_S * rate / step))
        self._kept: Samples = np.zeros(self._margin)

    def add(self, samples: Samples) -> Samples:
        """Take samples of shape (n,); returns what is complete."""
        self._kept = np.concatenate([self._kept, samples])
        done = []
        while len(self._kept) >= self._block + 2 * self._margin:
            done.append(self._resampled(self._kept[: self._block + 2 * self._margin]))
            self._kept = self._kept[self._block :]
        return np.concatenate(done) if done else np.zeros(0)

    def end(self) -> Samples:
        """Return the rest, shape (n,), and begin anew."""
        rest = len(self._kept) - self._margin
        missing = -rest % self._ratio.denominator + self._margin
        samples = self._resampled(np.concatenate([self._kept, np.zeros(missing)])) if rest else np.zeros(0)
        self._kept = np.zeros(self._margin)
        return samples

    def _resampled(self, samples: Samples) -> Samples:
        if self._ratio == 1:
            return samples[self._margin : len(samples) - self._margin]
        from scipy.signal import resample_poly

        ratio = self._ratio
        whole = resample_poly(samples, ratio.numerator, ratio.denominator)
        margin = self._margin * ratio.numerator // ratio.denominator
        return np.asarray(whole[margin : len(whole) - margin], dtype=np.float64)

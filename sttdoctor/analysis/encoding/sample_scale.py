"""Samples that stand at another scale than their encoding has: floats in 16-bit units, 16 bits at the low end of 32."""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.scale import find_scale
from sttdoctor.encodings import ENCODINGS

_WIDE = ("pcm_s32le", "s32be")
_WILD = 8.0  # floats beyond it are in 16-bit units
_FEW = 64.0  # of the lowest codes: sound of fewer says nothing
_SHIFTS = (16, 8)  # of 16 bits and of 24 bits at the low end of 32
LOW_END = 2.0**-8
"""Peak of 24-bit samples at the low end of 32 bits, of full scale."""
_FINE = 0.5  # share of samples that use the lowest byte: at full scale converters, and coarser sources, leave it empty
_TWICE = 32768.0  # what floats were divided by once too often


def has_few_codes(peak: float, encoding: str) -> bool:
    """Whether sound of this peak, of full scale, takes so few codes of its encoding that they fit any other as well."""
    return peak < _FEW * ENCODINGS[encoding].quantum


def loud_factor(level: float, encoding: str) -> float:
    """What brings floats far beyond full scale to it: 1/32768 for those in 16-bit units, 1 where nothing has to.

    Args:
        level: What 99 % of the samples stay below, of full scale.
        encoding: Their encoding.
    """
    return 1.0 / 32768.0 if ENCODINGS[encoding].is_float and level > _WILD else 1.0


def is_low_end(samples: NDArray[np.float64], encoding: str) -> bool:
    """Whether quiet 32-bit samples are exact to the last bit, as 24-bit ones at the low end are.

    Args:
        samples: Of full scale, shape (n,).
        encoding: Theirs.
    """
    whole = np.rint(samples * 2.0**31)
    sounding = whole[whole != 0.0]
    if encoding not in _WIDE or not len(sounding) or (sounding % 256.0 != 0.0).mean() < _FINE:
        return False
    return find_scale(whole, np.ones(len(whole)), 2.0**31) is None


def faint_factor(peak: float, encoding: str) -> float:
    """What brings speech that would be silent to the scale at which it was recorded; 1 where it was that faint.

    Args:
        peak: Of the samples, of full scale.
        encoding: Their encoding.
    """
    if encoding in _WIDE:
        return next((2.0**shift for shift in _SHIFTS if peak <= 2.0**-shift), 1.0)
    return _TWICE if ENCODINGS[encoding].is_float and peak * _TWICE <= 1.0 else 1.0

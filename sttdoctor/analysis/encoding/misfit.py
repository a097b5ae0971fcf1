"""Samples that stand at another place, scale or order than their encoding has.

Floats that are cast as they are leave -1, 0 and 1; a converter counts from 0; the low bits of wider samples wrap
around so often that loud sound looks like noise, and only its quiet parts, followed modulo the range, go on smoothly.
All of it is told from the codes themselves, before a description length is asked, for as sound they are anything.

Floats in the units of integers and 16 bits at the low end of 32 are told by their level. Neighbours that are swapped,
and samples that stand twice, read as two interleaved channels. Swapped ones give themselves away by the way from sample
to sample, which becomes shorter when each pair is swapped back: of two true channels neither order is shorter.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import find_stretches
from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE
from sttdoctor.analysis.encoding.estimate import estimate_encoding
from sttdoctor.analysis.encoding.quantization import find_scale
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

Codes = NDArray[np.int64]
Kind = Literal["cast", "converter", "low bits", "signed byte", "signed sum", "other law", "single bytes", "gap"]

_STEP = 320  # samples, 7 to 40 ms
_FEWEST = 50  # codes that are not zero
_BURSTS = 5.0  # variance to mean of the counts of a step: 1 of hiss, below it of hum, far above of syllables
_ON, _FLIP, _LONGEST = 0.4, 0.1, 48  # shares of codes that the next one equals or negates; samples of a usual stretch
_CONVERTERS = ((10, 0.04), (12, 0.15))  # bits, and how far the rest position may be off the middle of their range
_SWING = 0.02  # of the range, at least
_SMOOTH = 12  # samples in a row that must go on smoothly, modulo the range: by chance 1 in 4 each does
_BENDS = 1 / 8  # of the range
_LAPS = 4  # ranges that they go through meanwhile: sound that is merely too loud has two
_STRETCHES = 6
_FLAT = (0.54, 0.61)  # RMS of full scale where all codes are as frequent: 0.577
_RELATED = 0.2  # correlation with the next sample, in sound

_FEWEST_LOUD, _FEWEST_SMALL = 400, 50  # codes of which half would have such a low byte; different ones of the others
_FEWEST_SUMS, _SOFT_STEPS, _SMOOTHER = 8, 8, 0.3  # steps of half a byte in a stretch; stretches; roughness that is left
_GAP, _UNUSED, _BESIDE_GAP = 8, 0.03, 4  # sizes in a row; share of the others that may be unused; sizes below, above
_SURE_LAW = 0.99
_WIDE = ("pcm_s32le", "s32be")
_WILD = 8.0  # floats beyond it are in the units of integers
_BITS = (8, 16, 24, 32)  # of these integers
_OVER = 2.0  # what arithmetic may add to their full scale
_FEW = 64.0  # of the lowest codes: sound of fewer says nothing
_SHIFTS = (16, 8)  # of 16 bits and of 24 bits at the low end of 32
LOW_END = 2.0**-8
"""Peak of 24-bit samples at the low end of 32 bits, of full scale."""
_FINE = 0.5  # share of samples that use the lowest byte: at full scale converters, and coarser sources, leave it empty
_TWICE = 32768.0  # what floats were divided by once too often

Order = Literal["swapped", "twice"]

_SHORTER = 0.8  # way after swapping back to way before: swapped speech has 0.5 to 0.7, two channels and noise 1
_ALIKE = 0.999  # pairs of which both samples are the same; the rest may be lost bytes
_FEWEST_PAIRS = 4000  # pairs that are not silent


@immutable
class Misfit:
    """Integers that miss the scale of their encoding.

    Attributes:
        kind: What the codes are.
        bits: How many of the encoding (`converter`) or of the sample (`low bits`) they fill.
        centre: Where they rest (`converter`).
        law: Of G.711, what they were before they were decoded with the table of the other one (`other law`).
        encoding: What the bytes are of which each became a sample (`single bytes`).
        gap: Sizes between which no sample lies, of 32768 (`gap`).
    """

    kind: Kind
    bits: int
    centre: float = 0.0
    law: str = ""
    encoding: str = ""
    gap: tuple[int, int] = (0, 0)


def find_misfit(codes: Codes, bits: int) -> Misfit | None:
    """Tell what codes are that fit their encoding's bits but not its scale.

    Args:
        codes: Shape (n,): signed integers as they stand; the active parts of a recording.
        bits: Of a code.

    Returns:
        None where nothing tells, also of sound that is only quiet, off centre, or too loud now and then.
    """
    if len(codes) < 4 * _STEP:
        return None
    if bits > 8 and _is_cast(codes):
        return Misfit("cast", 1)
    if bits == 16:
        for size, off in _CONVERTERS:
            if _is_converter(codes, 1 << size, off):
                return Misfit("converter", size, float(np.median(codes[codes != 0])))
    if bits == 16 and _has_signed_bytes(codes):
        return Misfit("signed byte", bits)
    if bits == 16 and _has_signed_sums(codes):
        return Misfit("signed sum", bits)
    law = _find_other_law(codes) if bits == 16 else ""
    if law:
        return Misfit("other law", bits, law=law)
    if bits == 16 and (_goes_in_laps(codes, 1 << bits) or _is_empty_noise(codes)):
        return Misfit("low bits", bits)
    return None


def find_gap(codes: Codes, encoding: str) -> Misfit | None:
    """Tell an encoder of G.711 whose table leaves out sizes between others that it has; None where none are left out.

    Sound that had 8 bits before has many gaps, sound of the other law single codes that it never uses: neither has one.

    Args:
        codes: Shape (n,): the active parts of a recording, decoded to 16 bits.
        encoding: `pcm_mulaw` or `pcm_alaw`.
    """
    table = ALAW_TABLE if encoding == "pcm_alaw" else MULAW_TABLE
    sizes = np.unique(np.abs(np.rint(table * 32768).astype(np.int64)))
    counts = np.bincount(np.searchsorted(sizes, np.abs(codes)), minlength=len(sizes))
    many = np.flatnonzero(np.cumsum(counts[::-1])[::-1] >= _FEWEST_LOUD)
    top = int(many[-1]) if len(many) else 0
    unused = find_stretches(counts[:top] == 0)
    if not len(unused):
        return None
    lengths = unused[:, 1] - unused[:, 0]
    first, stop = unused[lengths.argmax()].tolist()
    others = int(lengths.sum()) - (stop - first)
    above = np.count_nonzero(counts[stop:])  # one alone is not of the sound: bytes of 0 for silence, and clipping
    if stop - first < _GAP or others > _UNUSED * top or counts[:first].sum() < _FEWEST_LOUD:
        return None
    if min(first, above) < _BESIDE_GAP:
        return None
    return Misfit("gap", 8, law=encoding, gap=(int(sizes[first - 1]), int(sizes[stop])))


def find_single_bytes(numbers: NDArray[np.number]) -> str:
    """The encoding of bytes of which each became a number of its own, in order; empty where the numbers are none.

    Args:
        numbers: Shape (n,): integers or floats as they stand.
    """
    with np.errstate(invalid="ignore"):
        least, most = float(numbers.min()), float(numbers.max())
        if not (least >= 0 and 128 <= most <= 255) and not (-128 <= least < -1 and most <= 127):
            return ""
        whole = numbers.astype(np.int64)
    if (whole != numbers).any():
        return ""
    estimate = estimate_encoding((whole & 255).astype(np.uint8))
    name = max(estimate.probabilities, key=lambda key: estimate.probabilities[key])
    is_sure = estimate.decidable and estimate.probabilities[name] > _SURE_LAW
    return name if is_sure and name in ENCODINGS and ENCODINGS[name].width > 1 else ""


def _is_cast(codes: Codes) -> bool:
    """Whether the codes are what is left of floats: -1, 0 and 1, in bursts and of some length, as no hiss has them."""
    sounding = codes != 0
    count = int(np.count_nonzero(sounding))
    if not _FEWEST <= count <= 0.7 * len(codes) or np.abs(codes).max() > 1:
        return False
    # syllables come in bursts: their counts vary far more than those of hiss, which are Poisson's
    steps = np.add.reduceat(sounding, np.arange(0, len(codes) - _STEP + 1, _STEP)).astype(np.float64)
    before, after = codes[:-1][sounding[:-1]], codes[1:][sounding[:-1]]
    on, flips = float((before == after).mean()), float((before == -after).mean())
    is_long = on > 1.0 - 1.0 / _LONGEST
    return bool(steps.var() >= _BURSTS * steps.mean()) and on >= _ON and flips <= _FLIP and not is_long


def _is_converter(codes: Codes, size: int, off: float) -> bool:
    """Whether all codes lie within 0 and a converter's range, around its middle, and move."""
    if codes.min() < 0 or codes.max() >= size:
        return False
    moving = codes[codes != 0]
    if len(moving) < len(codes) // 2 or np.ptp(np.quantile(moving, [0.001, 0.999])) < _SWING * size:
        return False
    return abs(float(np.median(moving)) / size - 0.5) <= off


def _has_signed_bytes(codes: Codes) -> bool:
    """Whether a low byte with its top bit set has set all bits above it, as where bytes with a sign are put together.

    Then the codes are -128 to -1 whenever their low byte is 128 or more, which of 16-bit sound is so by no chance.
    """
    loud, small = codes[(codes < -128) | (codes >= 128)], codes[(codes >= -128) & (codes < 0)]
    if len(loud) < _FEWEST_LOUD or len(small) < len(loud) // 2:
        return False
    return not bool(((loud & 255) >= 128).any()) and len(np.unique(small)) >= _FEWEST_SMALL


def _has_signed_sums(codes: Codes) -> bool:
    """Whether the softest quarter of the sound is far smoother with 256 added where the top bit of a low byte is set.

    That is so where bytes with a sign were added up. Of any other sound it makes steps of 256.
    """
    mended = codes + 256 * ((codes & 255) >= 128)
    steps = len(codes) // _STEP
    way, other = (
        np.square(np.diff(part[: steps * _STEP].reshape(steps, _STEP), 2, axis=1)).sum(axis=1)
        for part in (codes, mended)
    )
    softer = np.argsort(way)[: steps // 4]
    crossed = (np.abs(np.diff(codes[: steps * _STEP].reshape(steps, _STEP), axis=1)) >= 128).sum(axis=1)
    soft = softer[crossed[softer] >= _FEWEST_SUMS]
    return len(soft) >= _SOFT_STEPS and float(np.median(other[soft] / way[soft])) < _SMOOTHER


def _find_other_law(codes: Codes) -> str:
    """The law of G.711 of codes that were decoded with the table of the other one; empty where they were not."""
    for table, other in ((MULAW_TABLE, "pcm_alaw"), (ALAW_TABLE, "pcm_mulaw")):
        values = np.rint(table * 32768).astype(np.int64)
        if not np.isin(codes[:_STEP], values).all() or not np.isin(codes, values).all():
            continue
        order = np.argsort(values, kind="stable")
        place = np.searchsorted(values[order], codes)
        estimate = estimate_encoding(order[place].astype(np.uint8))
        if estimate.decidable and estimate.probabilities[other] > _SURE_LAW:
            return other
    return ""


def _goes_in_laps(codes: Codes, size: int) -> bool:
    """Whether the codes go on smoothly modulo their range while they pass its end again and again."""
    way = np.diff(codes)
    # second differences modulo the range: of sound that wraps they stay small, whatever the codes do
    bends = (np.diff(way) + size // 2) % size - size // 2
    edges = find_stretches(np.abs(bends) < _BENDS * size)
    long = edges[edges[:, 1] - edges[:, 0] >= _SMOOTH]
    return sum(_reach(way[first], bends[first:stop], size) >= _LAPS * size for first, stop in long) >= _STRETCHES


def _reach(way: np.int64, bends: Codes, size: int) -> int:
    """How far sound goes that sets out by `way` and bends so, of which codes tell `way` only modulo their range."""
    first = (int(way) + size // 2) % size - size // 2
    return int(np.ptp(np.cumsum(first + np.cumsum(bends))))


def _is_empty_noise(codes: Codes) -> bool:
    """Whether the low byte of 16 bits is empty and the high one full noise: the lowest byte of 24 bits in 32."""
    if (codes % 256 != 0).mean() > 1e-3:
        return False
    loud = codes[: len(codes) // _STEP * _STEP].reshape(-1, _STEP) / 32768.0
    loud = loud[np.argsort(loud.var(axis=1))[len(loud) // 2 :]].reshape(-1)
    level = float(np.sqrt((loud**2).mean()))
    return _FLAT[0] <= level <= _FLAT[1] and abs(float((loud[1:] * loud[:-1]).mean())) < _RELATED * level**2


def has_few_codes(peak: float, encoding: str) -> bool:
    """Whether sound of this peak, of full scale, takes so few codes of its encoding that they fit any other as well."""
    return peak < _FEW * ENCODINGS[encoding].quantum


def find_loud_factor(level: float, peak: float, encoding: str) -> float:
    """What brings floats far beyond full scale to it: 1/32768 for those in 16-bit units, 1 where nothing has to.

    Args:
        level: What 99 % of the samples stay below, of full scale.
        peak: What all of them stay below.
        encoding: Their encoding.
    """
    if not ENCODINGS[encoding].is_float or level <= _WILD:
        return 1.0
    return next((2.0 ** (1 - bits) for bits in _BITS if peak <= _OVER * 2.0 ** (bits - 1)), 2.0 ** (1 - _BITS[-1]))


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


def find_faint_factor(peak: float, encoding: str) -> float:
    """What brings speech that would be silent to the scale at which it was recorded; 1 where it was that faint.

    Args:
        peak: Of the samples, of full scale.
        encoding: Their encoding.
    """
    if encoding in _WIDE:
        return next((2.0**shift for shift in _SHIFTS if peak <= 2.0**-shift), 1.0)
    return _TWICE if ENCODINGS[encoding].is_float and peak * _TWICE <= 1.0 else 1.0


def find_order(samples: NDArray[np.floating]) -> Order | None:
    """Tell in which wrong order the samples of one channel stand.

    Args:
        samples: Shape (n,), from the first sample of a pair on, finite.

    Returns:
        "swapped" where each pair is the wrong way round, "twice" where the two of each pair are the same, else None.
    """
    pairs = samples[: len(samples) // 2 * 2].reshape(-1, 2)
    # pairs in silence are alike in any order
    moving = np.append(np.any(np.diff(pairs, axis=0) != 0, axis=1), False)
    if np.count_nonzero(moving) < _FEWEST_PAIRS:
        return None
    if np.mean(pairs[moving, 0] == pairs[moving, 1]) >= _ALIKE:
        return "twice"
    way, back = (np.abs(np.diff(order.reshape(-1))).sum() for order in (pairs, pairs[:, ::-1]))
    return "swapped" if back < _SHORTER * way else None

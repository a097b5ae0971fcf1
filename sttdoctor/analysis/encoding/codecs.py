"""Codes of telephone and game codecs without a file round them, by what their encoders cannot write.

Asked only of bytes that are not what was declared. Adaptive codecs keep their step where the sound is: IMA's takes one
step down for a small code of 4 bits and up to eight up for a large one, so that over any stretch both balance, where
codes of anything else would drive it to its end. Dialogic's and Yamaha's adapt in the same way, by other steps, and
cannot be told from it. Microsoft's adapts by factors, and begins each block with one of seven predictors. G.722 and
G.726 leave out codes (ITU-T G.722, table 4; G.726, table 4-1), GSM 06.10 marks each frame (RFC 3551, section 4.5.8.1)
but for Microsoft's WAV files, in which two frames share 65 bytes: there the level, which each quarter of a frame has at
a place of its own, changes little from one to the next. G.711 is an encoding, and a codec only where a reader took its
codes for samples of 8 bits and widened them.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.estimate import estimate_encoding

Codec = Literal["", "ADPCM", "IMA ADPCM", "Microsoft ADPCM", "G.711", "G.722", "G.726", "GSM", "Microsoft GSM"]

_LOOKED_AT = 1 << 18  # bytes
_FEWEST, _VALUES = 2000, 128  # bytes; different ones of them
_IMA_STEPS = np.array([-1, -1, -1, -1, 2, 4, 6, 8])  # by the size of a code, without its sign
_IMA_DRIFT = (-0.6, 0.12)  # steps a code; below zero where the lowest step is held in silence; +2 of bytes by chance
_MS_FACTORS = np.array([230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230])
_MS_DRIFT = 0.04  # octaves a code, to either side; 0.43 by chance
_MS_PREDICTORS, _IMA_INDICES = 7, 89
_BLOCKS = (256, 512, 1024, 2048, 4096)  # bytes, of one or two channels at 8 to 48 kHz
_FEWEST_BLOCKS = 5
_FREQUENT, _RARE = 0.02, 0.4  # share of codes of the middle size, at least; of the smallest, at most half a pair
_LEVEL = 0.01  # of codes: larger ones are rarer, or as frequent, but for the last, which stands for all beyond it
_RESERVED = 4  # of the six lower bits of G.722
_SURE_LAW = 0.99
_GSM_BYTES, _GSM_MARK = 33, 0xD
_PAIR_BYTES, _LEVEL_BITS, _PAIRS_LOOKED_AT = 65, 6, 1 << 15
_LEVEL_PLACES = (260 * np.arange(2)[:, None] + 47 + 56 * np.arange(4)).ravel()
_STEADY, _ALONE = 0.55, 0.8  # of what chance makes: steps of the level; of those at the next best place in a pair


def name_codec(data: NDArray[np.uint8], are_dense: bool) -> Codec:
    """Name the codec that wrote bytes; empty where none of those that can be told.

    Args:
        data: Shape (n,), from the first byte on.
        are_dense: Whether they read best as no samples at all; where not, only marks of frames and codes that were
            widened are looked for.
    """
    head = np.asarray(data[:_LOOKED_AT])
    if len(head) < _FEWEST or len(np.unique(head)) < _VALUES:
        return ""
    if (head[: len(head) // _GSM_BYTES * _GSM_BYTES : _GSM_BYTES] >> 4 == _GSM_MARK).all():
        return "GSM"
    if _is_gsm_of_wav(head):
        return "Microsoft GSM"
    narrow = _narrow(head)
    if _is_g722(narrow):
        return "G.722"
    if _is_g711(narrow):
        return "G.711"
    if not are_dense:
        return ""
    if _is_g722(head):
        return "G.722"
    shares = np.stack([np.bincount(codes, minlength=16) for codes in (head >> 4, head & 0x0F)]) / len(head)
    if not shares[:, 0].any():
        return "G.726"
    if (np.abs(shares @ np.log2(_MS_FACTORS / 256)) < _MS_DRIFT).all() and _has_blocks(head, 0, _MS_PREDICTORS):
        return "Microsoft ADPCM"
    sizes = shares[:, :8] + shares[:, 8:]
    drift = sizes @ _IMA_STEPS
    falls = bool((np.diff(sizes[:, 3:7], axis=1) <= _LEVEL).all() and (sizes[:, 7] <= sizes[:, 4]).all())
    falls = falls and sizes[:, 4].min() >= _FREQUENT
    if falls and sizes[:, 0].max() <= _RARE and drift.min() >= _IMA_DRIFT[0] and drift.max() <= _IMA_DRIFT[1]:
        return "IMA ADPCM" if _has_blocks(head, 2, _IMA_INDICES) and _has_blocks(head, 3, 1) else "ADPCM"
    return ""


def _is_gsm_of_wav(head: NDArray[np.uint8]) -> bool:
    """Whether bytes, from some place on, are pairs of GSM frames of Microsoft, by the levels of their parts."""
    head, steps = head[:_PAIRS_LOOKED_AT], []
    for first in range(_PAIR_BYTES):
        count = (len(head) - first) // _PAIR_BYTES
        bits = np.unpackbits(head[first : first + count * _PAIR_BYTES].reshape(count, -1), axis=1, bitorder="little")
        codes = bits[:, _LEVEL_PLACES[:, None] + np.arange(_LEVEL_BITS)] @ (1 << np.arange(_LEVEL_BITS))
        levels = codes.ravel().astype(np.float64)
        by_chance = np.abs(levels - np.roll(levels, len(levels) // 3)).mean()
        steps.append(np.abs(np.diff(levels)).mean() / max(by_chance, 1e-9))
    best, second = np.partition(steps, 1)[:2]
    return bool(0.0 < best < _STEADY and best < _ALONE * second)


def _is_g722(codes: NDArray[np.uint8]) -> bool:
    return len(np.unique(codes)) >= _VALUES and not ((codes & 0x3F) < _RESERVED).any()


def _is_g711(codes: NDArray[np.uint8]) -> bool:
    """Whether bytes are codes of one of the laws, whichever way up: unsigned samples change their sign when widened."""
    estimate = estimate_encoding(codes)
    return estimate.decidable and max(estimate.probabilities[law] for law in ("pcm_mulaw", "pcm_alaw")) > _SURE_LAW


def _narrow(head: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes that were taken for samples of 8 bits and widened to 16, of which one byte is empty; none where none is."""
    words = head[: len(head) // 2 * 2].reshape(-1, 2)
    low, high = bool(words[:, 0].any()), bool(words[:, 1].any())
    return words[:, int(high)] if low != high else head[:0]


def _has_blocks(head: NDArray[np.uint8], place: int, values: int) -> bool:
    """Whether each block of a usual length has at one place a byte below some value."""
    return any(
        len(head) >= _FEWEST_BLOCKS * size and bool((head[place : len(head) - size : size] < values).all())
        for size in _BLOCKS
    )

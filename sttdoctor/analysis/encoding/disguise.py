"""Samples whose bits were changed on the way: counted without a sign, turned round in each byte, inverted, padded.

Such bytes fit no encoding, or now one and now another. Undone, they are plain samples: every change that drivers and
bridges make is tried, and one is believed where the description becomes clearly shorter than in any reading of the
bytes as they are. One-bit sound (PDM) has no samples at all: the density of its bits is smoother than chance allows.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Bytes, Layout
from sttdoctor.analysis.encoding.code_length import count_mono_bits
from sttdoctor.analysis.encoding.estimate import CHEAP, EncodingEstimate, count_layout_bits
from sttdoctor.analysis.encoding.excerpts import pick_busiest_parts, pick_excerpts
from sttdoctor.analysis.encoding.quantization import read_samples
from sttdoctor.values import immutable

Kind = Literal["unsigned", "reversed", "inverted", "even bits", "padded", "one bit"]

_SHORTER = 0.25  # bits a byte: what an undone change has to save; a true one saves 0.6 to 3
_TURNED = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)

_DENSITY = 8  # bytes: 64 bits, about as many as make one sample
_SMOOTH = 4.0  # mean square of steps of their density, in bits: 32 by chance, 1 to 2 of a modulator
_REST = (16.0, 48.0)  # of 64 bits set: a modulator at rest sets half of them
_EARLY = ("pcm_s32le", 3)  # how such bytes are best read
_WORDS = 1 << 18  # bytes that are looked at

_FEWEST = 12  # different bytes: fewer are a code for silence, or a pattern


@immutable
class Disguise:
    """What was done to the bits of samples.

    Attributes:
        kind: `unsigned` (full scale begins at 0), `reversed` (the lowest bit of each byte stands first), `inverted`,
            `even bits` (of A-law, which are inverted on a line, are not), `padded` (24 bits stand in the low bytes of
            32, and the top byte is empty), or `one bit` (a stream of PDM).
        encoding: What the samples are once that is undone; empty for `one bit`.
        mask: What undoes it, to be XORed over each sample; empty where something else does.
    """

    kind: Kind
    encoding: str
    mask: bytes = b""


_TRIED = (
    Disguise("unsigned", "pcm_s16le", b"\0\x80"),
    Disguise("unsigned", "s16be", b"\x80\0"),
    Disguise("unsigned", "s24le", b"\0\0\x80"),
    Disguise("unsigned", "pcm_s32le", b"\0\0\0\x80"),
    *(Disguise("reversed", name) for name in ("pcm_mulaw", "pcm_alaw", "pcm_s16le", "s16be")),
    *(Disguise("inverted", name, b"\xff") for name in ("pcm_mulaw", "pcm_alaw")),
    Disguise("even bits", "pcm_alaw", b"\x55"),
)


def find_disguise(data: Bytes, estimate: EncodingEstimate) -> Disguise | None:
    """Tell what was done to the bits of samples, None where nothing was.

    Args:
        data: Shape (n,), from the first sample on; may be a memory map.
        estimate: Of these bytes as they are.
    """
    if not estimate.decidable or estimate.tones:
        return None
    excerpts = pick_excerpts(data)
    if _is_one_bit(excerpts):
        return Disguise("one bit", "")
    if _is_padded(data, estimate.layout):
        return Disguise("padded", "pcm_s32le")
    few = pick_busiest_parts(excerpts, CHEAP)
    scores = [float(count_layout_bits(undo(few, one), Layout(one.encoding)).sum()) for one in _TRIED]
    best, plain = _TRIED[int(np.argmin(scores))], float(count_layout_bits(few, estimate.layout).sum())
    if min(scores) > plain - _SHORTER * few.size:
        return None
    length = float(count_mono_bits(read_samples(undo(excerpts, best), best.encoding, 0)).sum()) / excerpts.size
    return best if length < min(estimate.bits_per_byte.values()) - _SHORTER else None


def undo(data: NDArray[np.uint8], disguise: Disguise) -> NDArray[np.uint8]:
    """Return the bytes as they would be without it.

    Args:
        data: Shape (..., n), whole samples along the last axis.
        disguise: Any kind but `one bit`.
    """
    if disguise.kind == "reversed":
        return _TURNED[data]
    if disguise.kind == "padded":
        return np.roll(data.reshape(*data.shape[:-1], -1, 4), 1, axis=-1).reshape(data.shape)
    mask = np.frombuffer(disguise.mask, np.uint8)
    return np.asarray(data ^ np.resize(mask, data.shape[-1]), np.uint8)


def _is_padded(data: Bytes, layout: Layout) -> bool:
    """Whether each fourth byte is empty, and the three before it make the 32-bit samples that fit one byte early."""
    words = np.asarray(data[: min(len(data), _WORDS) // 4 * 4]).reshape(-1, 4)
    return (layout.encoding, layout.offset) == _EARLY and not words[:, 3].any()


def _is_one_bit(excerpts: NDArray[np.uint8]) -> bool:
    """Whether the bytes are a modulator's bits: many patterns, each with as many bits set as those beside it."""
    rows = excerpts[:, : excerpts.shape[1] // _DENSITY * _DENSITY]
    if rows.shape[1] < 4 * _DENSITY or len(np.unique(rows)) < _FEWEST:
        return False
    density = np.unpackbits(rows, axis=1).reshape(len(rows), -1, 8 * _DENSITY).sum(axis=2).astype(np.float64)
    steps = float(np.mean(np.diff(density, axis=1) ** 2))
    return 0.0 < steps < _SMOOTH and _REST[0] < float(density.mean()) < _REST[1]

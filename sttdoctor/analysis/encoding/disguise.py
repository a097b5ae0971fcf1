"""Samples whose bits were changed on the way: counted without a sign, turned round in each byte, inverted, padded.

Such bytes fit no encoding, or now one and now another. Undone, they are plain samples: every change that drivers and
bridges make is tried, and one is believed where the description becomes clearly shorter than in any reading of the
bytes as they are. Number formats that no client writes on purpose (bfloat16, a sign and a size, big endian ones that
are rare) are tried only where the bytes read best as what such samples are mistaken for. One-bit sound (PDM) has no
samples at all: the density of its bits is smoother than chance allows.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import MULAW_TABLE, Bytes, Layout
from sttdoctor.analysis.encoding.code_length import count_mono_bits
from sttdoctor.analysis.encoding.estimate import CHEAP, EncodingEstimate, count_layouts_bits, have_exponents
from sttdoctor.analysis.encoding.excerpts import pick_busiest_parts, pick_excerpts
from sttdoctor.analysis.encoding.quantization import read_samples
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

Kind = Literal[
    "unsigned",
    "reversed",
    "inverted",
    "even bits",
    "padded",
    "one bit",
    "half of a float",
    "big endian",
    "sign and size",
    "shifted down",
    "in order",
    "encoded twice",
    "scaled twice",
]

_SHORTER = 0.25  # bits a byte: what an undone change has to save; a true one saves 0.6 to 3
_SHORTER_TURNED = 0.1  # the same of half floats in the other order, whose twin is a shift by one byte: 0.25 to 0.45
_TURNED = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)

_DENSITY = 8  # bytes: 64 bits, about as many as make one sample
_SMOOTH = 4.0  # mean square of steps of their density, in bits: 32 by chance, 1 to 2 of a modulator
_REST = (16.0, 48.0)  # of 64 bits set: a modulator at rest sets half of them
_EARLY = ("pcm_s32le", 3)  # how such bytes are best read
_WORDS = 1 << 18  # bytes that are looked at

_FEWEST = 12  # different bytes: fewer are a code for silence, or a pattern

_EVEN_AND_ODD, _SMOOTHER = 0.2, 0.5  # share of each; of the steps from sample to sample
_SAME = 1  # codes that may share a value with another: plus and minus zero
_ONE_LAW = np.concatenate([np.arange(128), np.arange(255, 127, -1)]).astype(np.uint8)
_TABLES = {
    "reversed": _TURNED,
    "in order": _ONE_LAW,
    "encoded twice": (np.rint(MULAW_TABLE * 128).astype(np.int64) & 255).astype(np.uint8),
}
"""What undoes a change of single codes, shape (256,) each."""


@immutable
class Disguise:
    """What was done to the bits of samples.

    Attributes:
        kind: `unsigned` (full scale begins at 0), `reversed` (the lowest bit of each byte stands first), `inverted`,
            `even bits` (of A-law, which are inverted on a line, are not), `padded` (24 bits stand in the low bytes of
            32, and the top byte is empty), `one bit` (a stream of PDM), `half of a float` (bfloat16: the upper half
            of 32-bit floats), `big endian` (of encodings that have no name for it), `sign and size` (no two's
            complement), `shifted down` (by one bit, so that the sign is none), `in order` (codes of mu-law that
            count from the lowest value to the highest, which a line does not do), `encoded twice` (codes of mu-law
            were taken for samples of 8 bits and encoded once more), or `scaled twice` (integers were multiplied by
            32767 as if they were floats, and only their lower half was kept).
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
_SCALED_TWICE = Disguise("scaled twice", "pcm_s16le")
_HALF_FLOATS = (Disguise("half of a float", "pcm_f32le"), Disguise("half of a float", "f32be"))
_TURNED_HALVES = Disguise("big endian", "pcm_f16le")
_SUSPECTS = {
    "pcm_f16le": (_HALF_FLOATS[0], Disguise("sign and size", "pcm_s16le")),
    "pcm_f16le+1": (_HALF_FLOATS[1], Disguise("sign and size", "s16be"), _TURNED_HALVES),
    "pcm_s16le": (Disguise("shifted down", "pcm_s16le"),),
    "pcm_s32le": (Disguise("shifted down", "pcm_s32le"),),
    **dict.fromkeys(
        ("s32be", "pcm_s32le+1", "pcm_s32le+2"),
        (
            Disguise("unsigned", "s32be", b"\x80\0\0\0"),
            Disguise("big endian", "f64le"),
            Disguise("big endian", "s64le"),
        ),
    ),
    "not-pcm": (Disguise("big endian", "s24le"), Disguise("big endian", "f64le")),
    "pcm_mulaw": (Disguise("encoded twice", "pcm_mulaw"),),
    "u8": (Disguise("in order", "pcm_mulaw"),),
}
"""By what bytes read best as, what else they may be, too rare to be tried each time."""


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
    tried = [*_TRIED, *_list_suspects(excerpts, estimate)]
    if _is_scaled_twice(excerpts):
        tried.append(_SCALED_TWICE)
    readings = [(undo(few, one), Layout(one.encoding)) for one in tried]
    plain, *scores = (float(bits.sum()) for bits in count_layouts_bits([(few, estimate.layout), *readings]))
    best = tried[int(np.argmin(scores))]
    saved = _SHORTER_TURNED if best == _TURNED_HALVES else _SHORTER
    if min(scores) > plain - saved * few.size:
        return None
    undone = undo(excerpts, best)
    length = float(count_mono_bits(read_samples(undone, best.encoding, 0)).sum()) / excerpts.size
    return best if length < min(estimate.bits_per_byte.values()) - saved else None


def _list_suspects(excerpts: NDArray[np.uint8], estimate: EncodingEstimate) -> list[Disguise]:
    """Changes that are rare, of which the bytes have the look."""
    best = min(estimate.bits_per_byte, key=lambda key: estimate.bits_per_byte[key], default="")
    return [one for one in _SUSPECTS.get(best, ()) if _has_the_look(excerpts, one)]


def _has_the_look(excerpts: NDArray[np.uint8], one: Disguise) -> bool:
    if one.kind == "half of a float":
        return have_exponents(excerpts, 2, ENCODINGS[one.encoding].is_big_endian)
    if one.kind == "encoded twice":  # what was encoded again has a code of its own for each
        used = np.unique(excerpts)
        return len(np.unique(_TABLES[one.kind][used])) >= len(used) - _SAME
    if one.kind == "shifted down":
        width = ENCODINGS[one.encoding].width
        top = excerpts[:, : excerpts.shape[1] // width * width].reshape(-1, width)[:, -1]
        return bool((top < 128).all() and (top >= 64).any())
    return True


def _is_scaled_twice(excerpts: NDArray[np.uint8]) -> bool:
    """Whether odd samples lie half a range from even ones: of twice scaled ones each odd one is moved so far."""
    codes = np.ascontiguousarray(excerpts[:, : excerpts.shape[1] // 2 * 2]).view("<u2")
    odd = float(np.mean(codes & 1))
    moved = (codes * _FACTOR).view("<i2").astype(np.float64)
    plain = codes.view("<i2").astype(np.float64)
    steps, back = (float(np.mean(np.abs(np.diff(values, axis=1)))) for values in (plain, moved))
    return min(odd, 1 - odd) > _EVEN_AND_ODD and back < _SMOOTHER * steps


def undo(data: NDArray[np.uint8], disguise: Disguise) -> NDArray[np.uint8]:
    """Return the bytes as they would be without it.

    Args:
        data: Shape (..., n), along the last axis samples, of which one that is cut at the end is left out where the
            change is not one of single bytes.
        disguise: Any kind but `one bit`.

    Returns:
        Shape (..., n), of `half of a float` (..., 2 n).
    """
    if disguise.kind in _TABLES:
        return _TABLES[disguise.kind][data]
    if disguise.kind == "padded":
        return np.roll(data.reshape(*data.shape[:-1], -1, 4), 1, axis=-1).reshape(data.shape)
    if disguise.kind in _BY_SAMPLES:
        return _undo_by_samples(data, disguise)
    mask = np.frombuffer(disguise.mask, np.uint8)
    return np.asarray(data ^ np.resize(mask, data.shape[-1]), np.uint8)


_BY_SAMPLES = ("half of a float", "big endian", "sign and size", "shifted down", "scaled twice")
_FACTOR = np.uint16(32767)  # its own inverse, of 16 bits


def _undo_by_samples(data: NDArray[np.uint8], disguise: Disguise) -> NDArray[np.uint8]:
    how = ENCODINGS[disguise.encoding]
    width = how.width // 2 if disguise.kind == "half of a float" else how.width
    whole = data[..., : data.shape[-1] // width * width]
    rows: NDArray[np.uint8] = np.ascontiguousarray(whole).reshape(*data.shape[:-1], -1, width)
    if disguise.kind == "half of a float":
        empty = np.zeros_like(rows)
        rows = np.concatenate([rows, empty] if how.is_big_endian else [empty, rows], axis=-1)
    elif disguise.kind == "big endian":
        rows = rows[..., ::-1]
    elif disguise.kind == "scaled twice":
        rows = np.asarray(rows.view("<u2") * _FACTOR, "<u2").view(np.uint8)
    else:
        codes = rows.view(how.dtype)
        least = np.iinfo(codes.dtype).min
        undone = np.where(codes < 0, least - codes, codes) if disguise.kind == "sign and size" else codes << 1
        rows = np.asarray(undone, codes.dtype).view(np.uint8)
    return np.asarray(rows.reshape(*data.shape[:-1], -1), np.uint8)


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

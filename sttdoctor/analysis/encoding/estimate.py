"""Which encoding wrote these bytes, by the shortest description: the estimate behind `sttdoctor.analysis.encoding`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.code_length import cheap_bits, mono_bits, stereo_bits
from sttdoctor.analysis.encoding.excerpts import active_excerpts, busiest_parts
from sttdoctor.analysis.encoding.non_pcm import byte_entropy, not_pcm_bits, text_bits
from sttdoctor.analysis.encoding.pitfalls import (
    SHORTEST,
    follows_from_four,
    has_few_lines,
    interpolated,
    is_tone,
    nothing_to_tell,
    sign_extended,
)
from sttdoctor.analysis.encoding.quantization import Floats, Reading, read_samples
from sttdoctor.encodings import ENCODINGS, SUPPORTED


@dataclass(frozen=True, slots=True)
class Layout:
    """One way of reading the bytes.

    Attributes:
        encoding: A name of `sttdoctor.encodings.ENCODINGS`.
        offset: Bytes skipped at the start so that samples are whole, 0..width - 1.
        channels: 1 or 2.
    """

    encoding: str
    offset: int = 0
    channels: int = 1

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return ENCODINGS[self.encoding].width * self.channels

    def whole_from(self, place: int) -> int:
        """The first byte at or behind a place at which a sample of all channels begins."""
        start = max(place, self.offset)
        return start + (self.offset - start) % self.frame_bytes


@dataclass(frozen=True, slots=True)
class EncodingEstimate:
    """What the bytes say about their encoding.

    Attributes:
        probabilities: Sums to 1, flat prior. Keys: every name of `ENCODINGS`, ``NAME+k`` for the service's six shifted
            by k bytes, ``not-pcm`` and ``text``. Channels are summed over: stereo s16 counts for ``pcm_s16le``.
        layout: The most probable layout among the readings as samples; meaningless when `decidable` is False.
        stereo: Probability (0..1) that two channels are interleaved, given the best encoding; 0 when undecidable.
        decidable: False when the bytes cannot tell: too short, silent, constant, or a pure tone.
        reason: One clause that says why it is not decidable, else empty.
        bits_per_byte: Description length for each key of `probabilities`.
        judged_bytes: How many bytes were looked at in earnest.
        tones: Whether the sound is nothing but generated tones.
    """

    probabilities: dict[str, float]
    layout: Layout
    stereo: float
    decidable: bool
    reason: str
    bits_per_byte: dict[str, float]
    judged_bytes: int
    tones: bool = False


NOT_PCM, TEXT = "not-pcm", "text"
LAYOUTS = {name: Layout(name) for name in ENCODINGS} | {
    f"{name}+{offset}": Layout(name, offset) for name in SUPPORTED for offset in range(1, ENCODINGS[name].width)
}
"""How to read the bytes by each key of `EncodingEstimate.probabilities` that names samples."""
KEYS = (*LAYOUTS, NOT_PCM, TEXT)

_SURVIVORS = 6  # readings judged in full, by one channel
_STEREO_SURVIVORS = 3  # and of these by two
_CHANNEL_EXCERPTS = 3
_CHEAP = 1344  # bytes of each excerpt for the first pass


_SIMPLER = 100.0  # bits by which a reading as generated tones is better than any other

# Calibration: the weight of a key whose description is longer by some bits than the shortest is
# (1 + bits / _HALF) ** -_POWER. Fitted by `benchmarks/encoding.py --fit`, measured on other speakers.
_HALF = 4.0
_POWER = 1.5

# Pairs of readings of the very same bytes, and the share of the probability that the first of them gets: (wide
# samples whose low half is empty, narrow ones with one digitally silent channel). Widening 16-bit audio to 32 bits is
# common, one dead channel is rarer, one dead channel and a lost half sample rarer still.
_TWINS = (("pcm_s32le", "pcm_s16le", 0.8), ("s32be", "s16be", 0.8), ("pcm_s32le+2", "pcm_s16le", 0.2))


def estimate_encoding(data: NDArray[np.uint8]) -> EncodingEstimate:
    """Tell the encoding of headerless audio bytes.

    Every hypothesis explains the same bytes, and the one with the shortest description is the best. At most about 24 kB
    from the most active parts are read in earnest.

    Args:
        data: Bytes, shape (n,) of uint8; may be a memory map of any size. Its first byte is where offsets count from.

    Returns:
        The estimate; never raises whatever the bytes.
    """
    if len(data) < SHORTEST:
        return _undecidable("they are too few", {}, len(data))
    excerpts = active_excerpts(data)
    reason = nothing_to_tell(excerpts)
    if reason:
        return _undecidable(reason, {}, excerpts.size)
    cheap = first_pass(excerpts)
    if ENCODINGS[LAYOUTS[min(cheap, key=lambda key: cheap[key])].encoding].width == 1:
        busiest = np.argsort(byte_entropy(excerpts), kind="stable")[len(excerpts) // 2 :]
        excerpts = excerpts[np.sort(busiest)]  # one byte is one sample: half of them say enough
    bits, readings = _description_lengths(excerpts, cheap)
    per_byte = {key: value / excerpts.size for key, value in bits.items()}
    if any(is_tone(samples) for samples in readings.values()):
        return _undecidable("a pure tone", per_byte, excerpts.size)
    dialled = [key for key, samples in readings.items() if has_few_lines(samples) and _is_dialled(excerpts, key)]
    if dialled:  # no misreading is as simple as that, however few bits it takes
        least = max(bits[key] for key in dialled) + _SIMPLER
        bits = {key: value if key in dialled else max(value, least) for key, value in bits.items()}
    lengths = np.array([bits[key] for key in KEYS])
    weights = weight(lengths - lengths.min())
    shares = weights / weights.sum()
    probabilities = _share_twins(dict(zip(KEYS, shares.tolist(), strict=True)), excerpts)
    best = max(LAYOUTS, key=lambda key: probabilities[key])
    layout = LAYOUTS[best]
    found = readings.get(best) or read_samples(excerpts, layout.encoding, layout.offset)
    stereo = 0.0 if best in dialled else _two_channels(found)
    layout = Layout(layout.encoding, layout.offset, 2 if stereo > 0.5 else 1)
    return EncodingEstimate(probabilities, layout, stereo, True, "", per_byte, excerpts.size, best in dialled)


def _undecidable(reason: str, per_byte: dict[str, float], judged: int) -> EncodingEstimate:
    flat = dict.fromkeys(KEYS, 1.0 / len(KEYS))
    return EncodingEstimate(flat, Layout("pcm_s16le"), 0.0, False, reason, per_byte, judged)


def first_pass(excerpts: NDArray[np.uint8]) -> dict[str, float]:
    """Bits a byte by key of `LAYOUTS`, by the cheap score on the busiest part of each excerpt.

    Args:
        excerpts: Shape (excerpts, bytes).
    """
    few = busiest_parts(excerpts, _CHEAP)
    return {key: float(cheap_layout_bits(few, layout).sum()) / few.size for key, layout in LAYOUTS.items()}


def _description_lengths(
    excerpts: NDArray[np.uint8], cheap: dict[str, float]
) -> tuple[dict[str, float], dict[str, Reading]]:
    """Bits of every key, and the samples of the readings judged in full."""
    bits = {key: excerpts.size * value for key, value in cheap.items()}
    full, readings = {}, {}
    for key in sorted(bits, key=lambda key: bits[key])[:_SURVIVORS]:
        samples = read_samples(excerpts, LAYOUTS[key].encoding, LAYOUTS[key].offset)
        unread = 8.0 * (excerpts.size - samples.values.size * samples.code_bits // 8)
        readings[key] = samples
        full[key] = unread + 1.0 + float(mono_bits(samples).sum())
    for key in sorted(full, key=lambda key: full[key])[:_STEREO_SURVIVORS]:
        if sign_extended(readings[key]):
            continue
        unread = 8.0 * (excerpts.size - readings[key].values.size * readings[key].code_bits // 8)
        full[key] = min(full[key], unread + 1.0 + float(stereo_bits(readings[key]).sum()))
    bits = {key: max(value, max(full.values())) for key, value in bits.items()} | full
    bits[NOT_PCM] = float(not_pcm_bits(excerpts.reshape(1, -1))[0])
    bits[TEXT] = float(text_bits(excerpts.reshape(1, -1))[0])
    return bits, readings


def _is_dialled(excerpts: NDArray[np.uint8], key: str) -> bool:
    """Whether a reading is generated tones, by the cells that its encoding has; 8 bits are too coarse to tell."""
    layout = LAYOUTS[key]
    if ENCODINGS[layout.encoding].width == 1:
        return False
    return follows_from_four(read_samples(excerpts, layout.encoding, layout.offset, codebook=False))


def _two_channels(samples: Reading) -> float:
    """Probability that the samples are two interleaved channels."""
    if interpolated(samples):
        return 0.0
    if len(samples.values) > _CHANNEL_EXCERPTS:  # the costliest fit of all, and half of the excerpts say enough
        samples = Reading(
            samples.values[::2], samples.cells[::2], samples.valid[::2], samples.code_bits, samples.header_bits
        )
    saved = mono_bits(samples, 2) - stereo_bits(samples, 2)
    total = float(saved.sum()) if np.median(saved) > 0.0 else min(0.0, float(saved.sum()))  # not for one part alone
    one, two = weight(np.maximum([total, -total], 0.0))
    return float(two / (one + two))


def cheap_layout_bits(excerpts: NDArray[np.uint8], layout: Layout, scale: bool = True) -> Floats:
    """Description length of each excerpt in a layout, with fixed predictors only.

    Args:
        excerpts: Shape (excerpts, bytes), at least one whole sample each.
        layout: How to read them; its channels are not used.
        scale: As in `read_samples`.

    Returns:
        Bits of each excerpt, bytes outside whole samples included.
    """
    samples = read_samples(excerpts, layout.encoding, layout.offset, scale, codebook=False)
    unread = excerpts.shape[1] - samples.values.shape[1] * samples.code_bits // 8
    bits: Floats = cheap_bits(samples) + 8.0 * unread
    return bits


def weight(excess_bits: Floats) -> Floats:
    """Relative probability of a key whose description is longer than the best by some bits, 0..1.

    Args:
        excess_bits: At least 0, any shape.
    """
    weights: Floats = (1.0 + excess_bits / _HALF) ** -_POWER
    return weights


def _share_twins(probabilities: dict[str, float], excerpts: NDArray[np.uint8]) -> dict[str, float]:
    """Give both readings of bytes that are twins their share."""
    for wide, narrow, share in _TWINS:
        layout = LAYOUTS[wide]
        best = max(probabilities, key=lambda key: probabilities[key])
        if best not in (wide, narrow):
            continue
        low = 0 if layout.encoding == "pcm_s32le" else 2
        quads = excerpts[:, layout.offset :]
        quads = quads[:, : quads.shape[1] // 4 * 4].reshape(-1, 4)
        if not quads[:, low : low + 2].any():
            both = probabilities[wide] + probabilities[narrow]
            return probabilities | {wide: share * both, narrow: (1.0 - share) * both}
    return probabilities

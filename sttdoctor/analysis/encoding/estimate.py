"""Which encoding wrote these bytes, by the shortest description: the method is in `docs/methods/encoding-estimate.md`.

Two things would fool it: bytes that cannot tell their encoding, and one channel that looks like two.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.encoding.code_length import count_cheap_bits, count_mono_bits, count_stereo_bits
from sttdoctor.analysis.encoding.excerpts import pick_busiest_parts, pick_excerpts
from sttdoctor.analysis.encoding.non_pcm import count_non_pcm_bits, count_text_bits, measure_byte_entropy
from sttdoctor.analysis.encoding.quantization import Floats, Reading, read_samples
from sttdoctor.encodings import ENCODINGS, SUPPORTED
from sttdoctor.values import immutable

SHORTEST = 96  # bytes: 3 ms of 16-bit audio at 16 kHz
_LINE = 0.995  # share of the power that a pure tone has in one line
_FOLLOWS = 1.0  # cells: rounding leaves at most sqrt(6 / 12) when a pure tone is predicted from two samples
_TONES, _LINES = 2, 0.85  # tones at a time; share of the power in twice as many lines, where pauses widen them
_WEAK_LINE, _THINNED = 0.001, 0.7  # of the power, of a line; where the highest line lies of half a lower rate
_STRETCH, _THIN_STRETCH = 96, 48  # samples in which the tones stay the same, and as many of those that are left
_SOUNDING = 32.0  # cells: quieter than that the quantiser is most of what is heard
_FOLLOWS_FOUR = 4.0  # cells: what rounding leaves, at 0.3 each, when two tones are predicted from four samples
_RANK = 1e-8  # what floats of 32 bits round: tones that repeat every fourth sample follow from two already
_REACH = 5  # samples to each side from which an interpolation makes a new one
_ROUNDED = 3.0  # cells: rounding of the sample and of its neighbours, and dither
_GAIN = 0.1
_CONTRAST = 0.5  # of what is left over: the samples between which others were made follow less well


@immutable
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
_SAVED = 1.5  # bits a byte that the full score saves beside the cheap one at most; where two channels are equal, more
_STEREO_SURVIVORS = 3  # and of these by two
_CHANNEL_EXCERPTS = 3
_PLAINLY = 0.2  # bits a sample by which two channels are longer than one, to be none: stereo saves 0.1 and more
CHEAP = 1344
"""Bytes of each excerpt for a first pass."""


_SIMPLER = 100.0  # bits by which a reading as generated tones is better than any other

_FLOATS = {"pcm_s32le": "pcm_f32le", "s32be": "f32be"}
_TINY, _LARGE = 0x33, 0x40  # the upper byte of floats, without its sign: from 2 ** -25 on, and below 4
_FAINT, _WIDE = 0x20, 4  # the same of floats below 2 ** -64; a half float is never so small
_NEARLY = 0.98  # share of the words that are zero or lie between them

# Calibration: the weight of a key whose description is longer by some bits than the shortest is
# (1 + bits / _HALF) ** -_POWER. Fitted by `benchmarks/accuracy/encoding.py --fit`, measured on other speakers.
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
        return _leave_open("they are too few", {}, len(data))
    excerpts = pick_excerpts(data)
    reason = tell_why_open(excerpts)
    if reason:
        return _leave_open(reason, {}, excerpts.size)
    cheap = score_cheaply(excerpts)
    if ENCODINGS[LAYOUTS[min(cheap, key=lambda key: cheap[key])].encoding].width == 1:
        busiest = np.argsort(measure_byte_entropy(excerpts), kind="stable")[len(excerpts) // 2 :]
        excerpts = excerpts[np.sort(busiest)]  # one byte is one sample: half of them say enough
    bits, readings, apart = _measure_lengths(excerpts, cheap)
    per_byte = {key: value / excerpts.size for key, value in bits.items()}
    if any(is_tone(samples) for samples in readings.values()):
        return _leave_open("a pure tone", per_byte, excerpts.size)
    dialled = [key for key, samples in readings.items() if _is_dialled(excerpts, key, samples)]
    if dialled:  # no misreading is as simple as that, however few bits it takes
        least = max(bits[key] for key in dialled) + _SIMPLER
        bits = {key: value if key in dialled else max(value, least) for key, value in bits.items()}
    faint = [key for key, layout in LAYOUTS.items() if _is_faint(excerpts, layout)]
    if faint:
        least = min(value for key, value in bits.items() if key not in faint) + _SIMPLER
        bits |= {key: max(bits[key], least) for key in faint}
    fewest = min(bits, key=lambda key: bits[key])
    if fewest in _FLOATS and never_rests(excerpts, ENCODINGS[fewest].is_big_endian):
        bits[fewest] = max(bits[fewest], bits[_FLOATS[fewest]] + _SIMPLER)
    lengths = np.array([bits[key] for key in KEYS])
    weights = weight(lengths - lengths.min())
    shares = weights / weights.sum()
    probabilities = _share_twins(dict(zip(KEYS, shares.tolist(), strict=True)), excerpts)
    best = max(LAYOUTS, key=lambda key: probabilities[key])
    layout = LAYOUTS[best]
    found = readings.get(best) or read_samples(excerpts, layout.encoding, layout.offset)
    stereo = 0.0 if best in dialled else _weigh_two_channels(found, apart.get(best, 0.0))
    layout = Layout(layout.encoding, layout.offset, 2 if stereo > 0.5 else 1)
    return EncodingEstimate(probabilities, layout, stereo, True, "", per_byte, excerpts.size, best in dialled)


def _is_faint(excerpts: NDArray[np.uint8], layout: Layout) -> bool:
    """Whether a reading is floats far below any sound, as bytes are of which every other one is zero."""
    encoding = ENCODINGS[layout.encoding]
    if not encoding.is_float or encoding.width < _WIDE:
        return False
    upper = excerpts[:, layout.offset + (0 if encoding.is_big_endian else encoding.width - 1) :: encoding.width] & 0x7F
    return bool(upper.max(initial=0) < _FAINT)


def never_rests(excerpts: NDArray[np.uint8], is_big_endian: bool) -> bool:
    """Whether 32-bit words are floats by their upper bytes: as integers they would never come near zero.

    Loud floats, such as those of chunks that were each brought to full scale, may take fewer bits as integers, which
    are their logarithms.
    """
    return have_exponents(excerpts, 4, is_big_endian)


def have_exponents(excerpts: NDArray[np.uint8], width: int, is_big_endian: bool) -> bool:
    """Whether the upper bytes of words, `width` bytes each, are those of floats between -4 and 4, or the words zero.

    Args:
        excerpts: Shape (excerpts, bytes).
        width: 4 of floats, 2 of their upper halves (bfloat16).
        is_big_endian: Whether the upper byte stands first.
    """
    words = excerpts[:, : excerpts.shape[1] // width * width].reshape(-1, width)
    upper = words[:, 0 if is_big_endian else -1] & 0x7F
    return bool(((upper >= _TINY) & (upper < _LARGE) | ~words.any(axis=1)).mean() >= _NEARLY)


def _leave_open(reason: str, per_byte: dict[str, float], judged: int) -> EncodingEstimate:
    flat = dict.fromkeys(KEYS, 1.0 / len(KEYS))
    return EncodingEstimate(flat, Layout("pcm_s16le"), 0.0, False, reason, per_byte, judged)


def score_cheaply(excerpts: NDArray[np.uint8]) -> dict[str, float]:
    """Bits a byte by key of `LAYOUTS`, by the cheap score on the busiest part of each excerpt.

    Args:
        excerpts: Shape (excerpts, bytes).
    """
    few = pick_busiest_parts(excerpts, CHEAP)
    bits = count_layouts_bits([(few, layout) for layout in LAYOUTS.values()])
    return {key: float(row.sum()) / few.size for key, row in zip(LAYOUTS, bits, strict=True)}


def _measure_lengths(
    excerpts: NDArray[np.uint8], cheap: dict[str, float]
) -> tuple[dict[str, float], dict[str, Reading], dict[str, float]]:
    """Bits of every key, the samples of the readings judged in full, and the bits by which two channels are longer."""
    bits = {key: excerpts.size * value for key, value in cheap.items()}
    full: dict[str, float] = {}
    readings: dict[str, Reading] = {}
    apart: dict[str, float] = {}
    for key in sorted(bits, key=lambda key: bits[key])[:_SURVIVORS]:
        if len(full) > 1 and bits[key] > min(full.values()) + _SAVED * excerpts.size:
            break
        samples = read_samples(excerpts, LAYOUTS[key].encoding, LAYOUTS[key].offset)
        unread = 8.0 * (excerpts.size - samples.values.size * samples.code_bits // 8)
        readings[key] = samples
        full[key] = unread + 1.0 + float(count_mono_bits(samples).sum())
    for key in sorted(full, key=lambda key: full[key])[:_STEREO_SURVIVORS]:
        if is_sign_extended(readings[key]):
            continue
        unread = 8.0 * (excerpts.size - readings[key].values.size * readings[key].code_bits // 8)
        two = unread + 1.0 + float(count_stereo_bits(readings[key]).sum())
        apart[key], full[key] = two - full[key], min(full[key], two)
    # a cheap score is no better than the worst full one: the first pass had ruled it out
    bits = {key: max(value, max(full.values())) for key, value in bits.items()} | full
    bits[NOT_PCM] = float(count_non_pcm_bits(excerpts.reshape(1, -1))[0])
    bits[TEXT] = float(count_text_bits(excerpts.reshape(1, -1))[0])
    return bits, readings, apart


def _is_dialled(excerpts: NDArray[np.uint8], key: str, reading: Reading) -> bool:
    """Whether a reading is generated tones, by the cells that its encoding has; 8 bits are too coarse to tell."""
    layout, highest = LAYOUTS[key], find_highest_line(reading)
    if highest is None or ENCODINGS[layout.encoding].width == 1:
        return False
    samples = read_samples(excerpts, layout.encoding, layout.offset, codebook=False)
    if not follows_from_four(samples):
        return False
    # any sound follows at so high a rate that it hardly changes from sample to sample; tones do at every rate
    step = min(int(_THINNED / max(highest, 1e-3)), samples.values.shape[1] // _THIN_STRETCH)
    return step < 2 or follows_from_four(samples, step)


def _weigh_two_channels(samples: Reading, apart: float) -> float:
    """Probability that the samples are two interleaved channels, which at first sight take so many bits more."""
    if is_interpolated(samples):
        return 0.0
    if apart > _PLAINLY * samples.values.size:
        return _weigh_saved(-apart)
    if len(samples.values) > _CHANNEL_EXCERPTS:  # the costliest fit of all, and half of the excerpts say enough
        samples = Reading(
            samples.values[::2], samples.cells[::2], samples.valid[::2], samples.code_bits, samples.header_bits
        )
    # two rounds of fitting compare channels fairly, see `count_mono_bits`
    saved = count_mono_bits(samples, 2) - count_stereo_bits(samples, 2)
    total = float(saved.sum()) if np.median(saved) > 0.0 else min(0.0, float(saved.sum()))  # not for one part alone
    return _weigh_saved(total)


def _weigh_saved(bits: float) -> float:
    """Probability of what saves some bits beside its alternative."""
    one, two = weight(np.maximum([bits, -bits], 0.0))
    return float(two / (one + two))


def count_layouts_bits(readings: Sequence[tuple[NDArray[np.uint8], Layout]], scale: bool = True) -> list[Floats]:
    """Description length of each excerpt in some layouts, with fixed predictors only.

    Args:
        readings: Excerpts, shape (excerpts, bytes), at least one whole sample each, and how to read them; the channels
            of a layout are not used.
        scale: As in `read_samples`.

    Returns:
        Of each reading the bits of each excerpt, bytes outside whole samples included.
    """
    read = [read_samples(rows, layout.encoding, layout.offset, scale, codebook=False) for rows, layout in readings]
    alike: dict[tuple[Any, ...], list[int]] = {}
    for at, samples in enumerate(read):
        alike.setdefault((samples.values.shape, samples.code_bits), []).append(at)
    bits: list[Floats] = [np.empty(0)] * len(read)
    for some in alike.values():  # what has one shape is counted at once
        for at, row in zip(some, count_cheap_bits([read[at] for at in some]), strict=True):
            unread = readings[at][0].shape[1] - read[at].values.shape[1] * read[at].code_bits // 8
            bits[at] = row + 8.0 * unread
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


def tell_why_open(excerpts: NDArray[np.uint8]) -> str:
    """Why these bytes, shape (excerpts, bytes), cannot tell their encoding: a clause; empty where they can."""
    counts = np.bincount(excerpts.reshape(-1), minlength=256)
    common = np.argsort(counts)[::-1][:2]  # silence: zero, or the codes of plus and minus zero
    if counts[common[0]] == excerpts.size:
        return "every byte is the same"
    active = (excerpts != common[0]) & (excerpts != common[1])
    if active.sum() < min(SHORTEST, excerpts.size // 2):
        return "nearly every byte is silence"
    if _repeats(excerpts, active):
        return "the bytes repeat exactly, like a generated tone"
    return ""


def _repeats(excerpts: NDArray[np.uint8], active: NDArray[np.bool_]) -> bool:
    """Whether the active bytes repeat exactly after at most a quarter of an excerpt."""
    most = int(np.argmax(active.sum(axis=1)))
    row, length = excerpts[most], excerpts.shape[1]
    # the period of the probe itself may be short
    if any(_repeat_after(excerpts, active, lag) for lag in range(1, 17)):
        return True
    start = int(np.argmax(active[most]))
    probe = row[start : start + 32].tobytes()
    lag = row.tobytes().find(probe, start + 1, start + length // 4 + 32) - start
    return lag > 0 and _repeat_after(excerpts, active, lag)


def _repeat_after(excerpts: NDArray[np.uint8], active: NDArray[np.bool_], lag: int) -> bool:
    both = active[:, lag:] & active[:, :-lag]
    count = np.count_nonzero(both)
    if count <= np.count_nonzero(active) // 2:
        return False
    both &= excerpts[:, lag:] == excerpts[:, :-lag]
    return bool(np.count_nonzero(both) > 0.97 * count)


def is_tone(samples: Reading) -> bool:
    """Whether one steady line holds nearly all power and each sample follows from two, but for the quantiser."""
    values = samples.values - samples.values.mean(axis=1, keepdims=True)
    eighths = values[:, : values.shape[1] // 8 * 8].reshape(8 * len(values), -1).var(axis=1)
    if eighths.min() < 1e-3 * eighths.mean():  # it pauses
        return False
    power = np.abs(np.fft.rfft(values * np.hanning(values.shape[1]))) ** 2
    lines = power.argmax(axis=1)
    # the main lobe of a Hann window is four bins wide; pauses widen it
    near = np.abs(np.arange(power.shape[1]) - lines[:, None]) <= 3
    if (power * near).sum() < _LINE * power.sum() or np.ptp(lines) > 2:
        return False
    # a sine follows from two samples: x[n] = 2 cos(w) x[n-1] - x[n-2]
    now, last, before = (samples.values[:, 2 - lag : values.shape[1] - lag].reshape(-1) for lag in range(3))
    pair = np.stack([last, before, np.full(len(now), np.abs(now).mean())], axis=1)
    error = now - pair @ np.linalg.lstsq(pair, now, rcond=None)[0]
    step = np.sqrt(np.mean(samples.cells**2)) + 1e-12 * np.abs(now).max()  # doubles compute no better
    return bool(np.sqrt(np.mean(error**2)) < _FOLLOWS * step)


def find_highest_line(samples: Reading) -> float | None:
    """Where the highest of a few lines lies, of half the sample rate, that hold nearly all power of every excerpt.

    Generated tones with or without pauses have such lines, and so have vowels at a high rate; None where there are
    more.
    """
    values = samples.values - samples.values.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(values * np.hanning(values.shape[1]))) ** 2
    total, lines, every = power.sum(axis=1), np.zeros(len(power)), np.arange(len(power))
    highest = 0
    for _ in range(2 * _TONES):
        tops = power.argmax(axis=1)
        highest = max(highest, int(tops[power[every, tops] > _WEAK_LINE * total].max(initial=0)))
        places = np.clip(tops[:, None] + np.arange(-4, 5), 0, power.shape[1] - 1)
        for place in places.T:
            lines += power[every, place]
            power[every, place] = 0.0
    return highest / (power.shape[1] - 1) if (lines >= _LINES * total).all() else None


def follows_from_four(samples: Reading, step: int = 1) -> bool:
    """Whether each `step`-th sample follows from four before it but for the quantiser, as two tones at a time do."""
    values, cells = samples.values[:, ::step], samples.cells[:, ::step]
    length = _STRETCH if step == 1 else _THIN_STRETCH
    count = values.shape[1] // length * length
    stretches, cells = (a[:, :count].reshape(-1, length) for a in (values, cells))
    sounding = stretches.std(axis=1) > _SOUNDING * np.sqrt(np.mean(cells**2, axis=1))
    if not sounding.any():
        return False
    # by the level of the stretch, so that the column of ones is as large as the samples
    level = np.abs(stretches[sounding]).mean(axis=1, keepdims=True)
    scaled, order = stretches[sounding] / level, 2 * _TONES
    past = np.stack([scaled[:, order - lag : length - lag] for lag in range(order + 1)], axis=2)
    now, past = past[..., :1].copy(), np.concatenate([past[..., 1:], np.ones_like(past[..., :1])], axis=2)
    error = now - past @ (np.linalg.pinv(past, rcond=_RANK) @ now)
    left = np.sqrt(np.mean(error[..., 0] ** 2, axis=1))
    steps = np.sqrt(np.mean(cells[sounding] ** 2, axis=1)) / level[:, 0]
    return bool((left < _FOLLOWS_FOUR * steps + 1e-12).mean() > 0.5)


def is_sign_extended(samples: Reading) -> bool:
    """Whether one "channel" is only the sign of the other: quiet samples of twice the width, read by halves."""
    values = samples.values[:, : samples.values.shape[1] // 2 * 2]
    for sign, other in ((values[:, 1::2], values[:, ::2]), (values[:, ::2], values[:, 1::2])):
        only = ((sign == 0.0) | (sign == -1.0)).mean() > 0.99
        if only and sign.any() and ((sign < 0.0) == (other < 0.0)).mean() > 0.98:
            return True
    return False


_HUGE = 1e100  # cells


def is_interpolated(samples: Reading) -> bool:
    """Whether every other sample follows from its neighbours: one channel, upsampled by a short interpolation.

    The filter (linear, cubic, any symmetric one of six taps) is fitted; what it leaves over is rounding and dither.
    """
    count = samples.values.shape[1] // 2 * 2
    if count < 8 * _REACH:
        return False
    values = samples.values[:, :count]
    inner, cells = values[:, _REACH:-_REACH], samples.cells[:, _REACH : count - _REACH]
    # an even filter at half a sample: taps at the same distance on both sides are one unknown
    pairs = [
        values[:, _REACH - away : count - _REACH - away] + values[:, _REACH + away : count - _REACH + away]
        for away in range(1, _REACH + 1, 2)
    ]
    moves = values[:, _REACH + 1 : count - _REACH + 1] != values[:, _REACH - 1 : count - _REACH - 1]
    shares, left = [], []
    for phase in (0, 1):
        past = np.stack([pair[:, phase::2].reshape(-1) for pair in pairs], axis=1)
        now = inner[:, phase::2].reshape(-1)
        taps = np.linalg.lstsq(past, now, rcond=None)[0]
        # what no sound leaves is bounded: floats of any bits may stand here, and squares of theirs overflow
        rest = np.minimum(np.abs(now - past @ taps) / cells[:, phase::2].reshape(-1), _HUGE)
        gain = 2.0 * float(taps.sum())  # of a constant: 1, unless one channel has nothing to do with the other
        moving = moves[:, phase::2].reshape(-1)
        follows = rest[moving] <= _ROUNDED
        shares.append(float(follows.mean()) if abs(gain - 1.0) < _GAIN and moving.any() else 0.0)
        left.append(float((rest[moving] ** 2).sum()))
    return max(shares) > 0.95 and min(left) < _CONTRAST * max(left)

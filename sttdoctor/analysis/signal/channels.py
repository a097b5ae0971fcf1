"""How many channels are interleaved, and which one holds all the sound.

Sound goes on from a sample to the one that many places later: one channel changes least from one sample to the next,
and more the further they are apart; interleaved ones change least over their number of samples, and little again over
twice that.

Where only one of them holds sound, all other samples are one and the same silent code. Such bytes are easily taken for
something else: 16-bit stereo for 32-bit samples with an empty low half (they are the same bytes), G.711 stereo for
16-bit samples.
"""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.values import immutable

MOST = 8
_STRIDES = (16, 12, 8, 7, 6, 5, 4, 3, 2)
_CLEARLY = 0.9  # of the change over any distance that is shorter: microphones side by side hear nearly the same
_FEWEST = 4000  # samples
_STEP = 960  # samples of which the level is one
_LOUD = 0.1  # of the level of loud parts

_SILENT_CODES = {"pcm_s16le": (0,), "pcm_mulaw": (0xFF, 0x7F), "pcm_alaw": (0xD5, 0x55)}
_LOOKED_AT = 1 << 22  # bytes
_FEWEST_FRAMES = 1000  # samples of the other side
_DIFFERENT = 10  # values that a side with sound has at least


def count_channels(samples: NDArray[np.float64]) -> int:
    """Count interleaved channels of speech; tones may change least over their period.

    Args:
        samples: Shape (n,), as they follow one another in the bytes; numbers that are none count as 0.

    Returns:
        1 to `MOST`; 1 also where nothing tells.
    """
    rows = np.clip(np.nan_to_num(samples[: len(samples) // _STEP * _STEP]), -1e6, 1e6).reshape(-1, _STEP)
    level = rows.std(axis=1)
    is_loud = level > max(_LOUD * float(np.percentile(level, 95)), 1e-9) if len(rows) else np.empty(0, bool)
    loud, level = rows[is_loud], level[is_loud]
    if loud.size < _FEWEST:
        return 1
    # the mean change over 1 to 8 places: least over the number of channels
    changes = [_measure_change(loud, level, lag) for lag in range(1, MOST + 1)]
    number = int(np.argmin(changes)) + 1
    if number == 1 or changes[number - 1] > _CLEARLY * min(changes[: number - 1]):
        return 1
    # a tone may change least over its period too, but channels do again over twice their number
    before, twice, behind = (_measure_change(loud, level, lag) for lag in (2 * number - 1, 2 * number, 2 * number + 1))
    return number if twice < min(before, behind) else 1


def _measure_change(rows: NDArray[np.float64], level: NDArray[np.float64], lag: int) -> float:
    """The usual change over some samples in loud parts, each part by its own level."""
    apart = rows[:, lag:] - rows[:, :-lag]
    return float(np.median(np.abs(apart, out=apart).mean(axis=1) / level))


@immutable
class Slot:
    """The one of several interleaved channels that holds sound, where all others are silent.

    Attributes:
        channels: How many there are, 2 to 16.
        channel: Which one holds the sound, from 0.
    """

    channels: int
    channel: int


def find_slot(data: NDArray[np.uint8], encoding: str | None) -> Slot | None:
    """Find the one of several interleaved channels that holds sound, where all others are the code for silence.

    Samples between which a resampler or a driver put zeros are the same bytes.

    Args:
        data: Bytes, shape (n,) of uint8; of long data the first 4 MiB are read.
        encoding: The declared one; the question arises for 16-bit PCM and G.711 only.

    Returns:
        The most channels that hold; None where the bytes are anything else.
    """
    if encoding is None or encoding not in _SILENT_CODES:
        return None
    head = np.ascontiguousarray(data[: min(len(data), _LOOKED_AT) // 4 * 4])
    samples = head.view("<i2") if encoding == "pcm_s16le" else head
    for code in _SILENT_CODES[encoding]:
        places = np.flatnonzero(samples != code)
        channels = _find_stride(places, len(samples))
        if not channels or len(samples) < channels * _FEWEST_FRAMES:
            continue
        channel = int(places[0]) % channels
        if len(np.unique(samples[channel::channels])) >= _DIFFERENT:
            return Slot(channels, channel)
    return None


def _find_stride(places: NDArray[np.intp], count: int) -> int:
    """The most channels of `count` samples of which all places are in one; 0 where they are in several."""
    if not len(places) or (np.diff(places[:_DIFFERENT]) == 1).any():
        return 0
    for number in _STRIDES:
        whole = places[: np.searchsorted(places, count // number * number)]  # the last row may be cut
        if len(whole) and not ((whole - whole[0]) % number).any():
            return number
    return 0


def find_empty_slot(data: NDArray[np.uint8]) -> int | None:
    """Which half of each eight bytes is empty: of two channels of 32 bits the one that nothing is connected to.

    Where only the upper 16 bits of the others are used, the bytes may be two channels of 16 bits as well.

    Args:
        data: Bytes, shape (n,) of uint8; of long data the first 4 MiB are read.

    Returns:
        0 for the first, 1 for the second, None where the bytes are anything else.
    """
    head = np.ascontiguousarray(data[: min(len(data), _LOOKED_AT) // 8 * 8])
    words, rows = head.view("<u4").reshape(-1, 2), head.reshape(-1, 2, 4)
    if len(rows) < _FEWEST_FRAMES:
        return None
    for side in (0, 1):
        other = rows[:, 1 - side]
        if not words[:, side].any() and other[:, :2].any() and len(set(other[:, 2].tolist())) >= _DIFFERENT:
            return side
    return None

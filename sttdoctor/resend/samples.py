"""Bytes of any encoding to bytes of one that the service takes, without loss but for 64-bit floats. No I/O."""

from collections.abc import Callable

import numpy as np

from sttdoctor.analysis.decoding import Bytes, decode
from sttdoctor.analysis.excerpt import loudest_channel
from sttdoctor.encodings import ENCODINGS, SUPPORTED


def _reversed(samples: Bytes) -> Bytes:
    return samples[:, ::-1]


def _padded(samples: Bytes) -> Bytes:
    """Put a lowest byte of zero below each sample."""
    return np.concatenate([np.zeros((len(samples), 1), np.uint8), samples], axis=1)


def _as_float32(samples: Bytes) -> Bytes:
    with np.errstate(over="ignore", invalid="ignore"):
        floats = np.ascontiguousarray(samples).view("<f8").astype("<f4")
    return floats.view(np.uint8).reshape(-1, 4)


_CONVERSIONS: dict[str, tuple[str, Callable[[Bytes], Bytes]]] = {
    "s16be": ("pcm_s16le", _reversed),
    "s32be": ("pcm_s32le", _reversed),
    "f32be": ("pcm_f32le", _reversed),
    "s8": ("pcm_s16le", _padded),
    "u8": ("pcm_s16le", lambda samples: _padded(samples ^ np.uint8(0x80))),
    "s24le": ("pcm_s32le", _padded),
    "f64le": ("pcm_f32le", _as_float32),
}


def target_of(encoding: str) -> str:
    """Return the encoding of the six that an encoding is sent as."""
    return encoding if encoding in SUPPORTED else _CONVERSIONS[encoding][0]


def converted(data: Bytes, encoding: str, channel: int = 0, channels: int = 1) -> bytes:
    """Convert to `target_of(encoding)`.

    Args:
        data: Shape (n,); a partial sample at the end is left out.
        encoding: A name in `sttdoctor.encodings.ENCODINGS`.
        channel: Which one to keep.
        channels: Interleaved in the data.
    """
    width = ENCODINGS[encoding].width
    whole = data[: len(data) // (width * channels) * (width * channels)]
    samples = whole.reshape(-1, channels, width)[:, channel, :]
    return (samples if encoding in SUPPORTED else _CONVERSIONS[encoding][1](samples)).tobytes()


def loudest(data: Bytes, encoding: str, channels: int) -> int:
    """Return which of the interleaved channels is the loudest, so that two voices are not mixed.

    Args:
        data: Bytes, shape (n,), from the first whole sample on.
        encoding: A name of `sttdoctor.encodings.ENCODINGS`.
        channels: Their number.
    """
    if channels == 1:
        return 0
    frame = ENCODINGS[encoding].width * channels
    samples = decode(np.ascontiguousarray(data[: min(len(data), frame << 20) // frame * frame]), encoding)
    return loudest_channel(samples.reshape(-1, channels))


def silence(encoding: str, samples: int) -> bytes:
    """Return silence in one of the six; in G.711 a zero byte would be near full scale."""
    return ENCODINGS[encoding].silence * samples

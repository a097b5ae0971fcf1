"""Bytes to samples, for each encoding in `sttdoctor.encodings`.

Samples are float64 with full scale at +-1, scaled as libsndfile and FFmpeg scale them: integers are divided by
2**(bits - 1), floats are taken as they are. G.711 follows ITU-T Recommendation G.711 (11/88), tables 1a and 2a.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

Bytes = NDArray[np.uint8]
Samples = NDArray[np.float64]


@immutable
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

    def find_whole(self, place: int) -> int:
        """The first byte at or behind a place at which a sample of all channels begins.

        >>> Layout("pcm_s16le", offset=1, channels=2).find_whole(6)
        9
        """
        start = max(place, self.offset)
        return start + (self.offset - start) % self.frame_bytes

    def decode(self, data: Bytes | bytes) -> Samples:
        """Decode bytes that begin with a whole sample.

        Args:
            data: Shape (n,) of uint8, or bytes; what is no whole sample of all channels at the end is left out.

        Returns:
            Shape (n // frame_bytes, channels), as `decode` reads them.
        """
        whole = len(data) // self.frame_bytes * self.frame_bytes
        return decode(data[:whole], self.encoding).reshape(-1, self.channels)


def _make_mulaw_table() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    mantissa = (code & 0x0F).astype(np.int64)
    segment = ((code >> 4) & 0x07).astype(np.int64)
    magnitude = (((mantissa << 3) + 0x84) << segment) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude) / 32768.0


def _make_alaw_table() -> Samples:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    mantissa = (code & 0x0F).astype(np.int64) << 4
    segment = ((code >> 4) & 0x07).astype(np.int64)
    magnitude = np.where(segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude) / 32768.0


MULAW_TABLE = _make_mulaw_table()
ALAW_TABLE = _make_alaw_table()


_G711 = {
    name: (table * 32768).astype(np.int16) for name, table in (("pcm_mulaw", MULAW_TABLE), ("pcm_alaw", ALAW_TABLE))
}


def read_numbers(data: Bytes | bytes, encoding: str) -> NDArray[Any]:
    """Read raw bytes as the numbers that they stand for, without a change of scale, and without a copy where it goes.

    Args:
        data: Shape (n,) of uint8, or bytes. A partial sample at the end is left out.
        encoding: A name in `sttdoctor.encodings.ENCODINGS`.

    Returns:
        Shape (n // width,): integers of 8, 16 or 32 bits (24-bit ones in the upper part of 32), or floats.

    Raises:
        KeyError: The encoding is unknown.
    """
    how = ENCODINGS[encoding]
    raw = np.frombuffer(data, dtype=np.uint8) if isinstance(data, bytes) else data
    whole = np.ascontiguousarray(raw[: len(raw) // how.width * how.width])
    if how.is_g711:
        return _G711[encoding][whole]
    if encoding == "u8":
        return (whole ^ 0x80).view(np.int8)
    if encoding == "s24le":
        words = np.zeros((len(whole) // 3, 4), dtype=np.uint8)
        words[:, 1:] = whole.reshape(-1, 3)
        return words.view("<i4")[:, 0]
    return whole.view(how.dtype)


def decode(data: Bytes | bytes, encoding: str) -> Samples:
    """Decode raw bytes.

    Args:
        data: Shape (n,) of uint8, or bytes. A partial sample at the end is left out.
        encoding: A name in `sttdoctor.encodings.ENCODINGS`.

    Returns:
        Float64 of shape (n // width,), full scale at +-1. Float encodings may hold values beyond it, and NaN or
        infinity where the bytes say so.

    Raises:
        KeyError: The encoding is unknown.

    >>> decode(bytes.fromhex("0080 0000 0040"), "pcm_s16le").tolist()
    [-1.0, 0.0, 0.5]
    >>> decode(bytes.fromhex("ff 80"), "pcm_mulaw").round(3).tolist()
    [0.0, 0.98]
    """
    values = read_numbers(data, encoding)
    with np.errstate(invalid="ignore"):  # a signalling NaN in hostile bytes is still only a NaN
        samples = values.astype(np.float64)
    if encoding in ("pcm_f16le", "f64le"):
        samples[np.isnan(samples)] = np.nan  # theirs may stay a signalling one, which later arithmetic warns of
    if values.dtype.kind == "i":
        samples *= 1 / ENCODINGS[encoding].full_scale  # exact, as it is a power of two, and faster
    return samples


def find_loudest_channel(samples: Samples) -> int:
    """Return which of several channels is the loudest; numbers that are none are silent.

    Args:
        samples: Shape (n, channels).
    """
    if not len(samples) or samples.shape[1] == 1:
        return 0
    with np.errstate(all="ignore"):
        spread = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).var(axis=0)
    return int(np.argmax(np.nan_to_num(spread, nan=np.inf)))  # what is too large to be squared is loud

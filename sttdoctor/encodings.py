"""The sample encodings: the six that the service takes, and those that clients send by mistake.

Source of the six: https://docs.cartesia.ai/build-with-cartesia/stt/audio-input
"""

from typing import Literal

from sttdoctor.values import immutable


@immutable
class Encoding:
    """How one sample is written in bytes.

    Attributes:
        name: The service's name for the six it takes (``pcm_s16le``), else the common short one (``u8``).
        width: Bytes a sample.
        kind: What a sample is: a signed or unsigned integer, a float, or a code of G.711.
        dtype: NumPy's name for it, "" where NumPy has none (24 bits, G.711).
        ffmpeg: The name of the raw demuxer in FFmpeg, or None where FFmpeg has none.
        supported: Whether the service takes it.
        label: Words for a reader of a report.
        silence: The bytes of a silent sample.
        mantissa_bits: Of a float, with the one that is not written; 0 otherwise.
        smallest: The smallest positive number of a float; 0 otherwise.
    """

    name: str
    width: int
    kind: Literal["integer", "float", "g711"]
    dtype: str
    ffmpeg: str | None
    supported: bool
    label: str
    silence: bytes
    mantissa_bits: int = 0
    smallest: float = 0.0

    @property
    def is_float(self) -> bool:
        """Whether a sample is a float, whose full scale is 1."""
        return self.kind == "float"

    @property
    def is_g711(self) -> bool:
        """Whether a sample is a code of mu-law or A-law."""
        return self.kind == "g711"

    @property
    def is_big_endian(self) -> bool:
        """Whether the highest byte comes first, of more than one."""
        return self.dtype.startswith(">")

    @property
    def full_scale(self) -> float:
        """What full scale is in the numbers that `decoding.read_numbers` reads: a power of two, 1 for floats."""
        if self.is_float:
            return 1.0
        return 2.0**31 if self.width == 3 else 1.0 / self.quantum

    @property
    def quantum(self) -> float:
        """The smallest step between two samples, of full scale; of G.711 that of its linear codes.

        Integers of 64 bits come of arithmetic with samples of 16: no converter has as many.
        """
        if self.is_float:
            return self.smallest
        return 2.0 ** -(15 if self.is_g711 or self.width == 8 else 8 * self.width - 1)


_ALL = (
    Encoding("pcm_s16le", 2, "integer", "<i2", "s16le", True, "signed 16-bit, little endian", bytes(2)),
    Encoding("pcm_s32le", 4, "integer", "<i4", "s32le", True, "signed 32-bit, little endian", bytes(4)),
    Encoding("pcm_f16le", 2, "float", "<f2", None, True, "half-precision float, little endian", bytes(2), 11, 2.0**-24),
    Encoding("pcm_f32le", 4, "float", "<f4", "f32le", True, "32-bit float, little endian", bytes(4), 24, 2.0**-149),
    Encoding("pcm_mulaw", 1, "g711", "", "mulaw", True, "G.711 mu-law", b"\xff"),
    Encoding("pcm_alaw", 1, "g711", "", "alaw", True, "G.711 A-law", b"\xd5"),
    Encoding("u8", 1, "integer", "u1", "u8", False, "unsigned 8-bit", b"\x80"),
    Encoding("s8", 1, "integer", "i1", "s8", False, "signed 8-bit", bytes(1)),
    Encoding("s16be", 2, "integer", ">i2", "s16be", False, "signed 16-bit, big endian", bytes(2)),
    Encoding("s24le", 3, "integer", "", "s24le", False, "signed 24-bit, little endian", bytes(3)),
    Encoding("s32be", 4, "integer", ">i4", "s32be", False, "signed 32-bit, big endian", bytes(4)),
    Encoding("f32be", 4, "float", ">f4", "f32be", False, "32-bit float, big endian", bytes(4), 24, 2.0**-149),
    Encoding("s64le", 8, "integer", "<i8", None, False, "signed 64-bit, little endian", bytes(8)),
    Encoding("f64le", 8, "float", "<f8", "f64le", False, "64-bit float, little endian", bytes(8), 53, 2.0**-1074),
)

ENCODINGS = {encoding.name: encoding for encoding in _ALL}
SUPPORTED = tuple(encoding.name for encoding in _ALL if encoding.supported)

STANDARD_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Sample rates (Hz) that speech clients use; a declared rate outside the list joins it as a candidate."""

ALIASES = {
    "linear16": "pcm_s16le",
    "s16le": "pcm_s16le",
    "pcm16": "pcm_s16le",
    "pcm_16": "pcm_s16le",
    "s16": "pcm_s16le",
    "linear32": "pcm_s32le",
    "s32le": "pcm_s32le",
    "f16le": "pcm_f16le",
    "f32le": "pcm_f32le",
    "float32": "pcm_f32le",
    "mulaw": "pcm_mulaw",
    "ulaw": "pcm_mulaw",
    "g711_ulaw": "pcm_mulaw",
    "pcmu": "pcm_mulaw",
    "alaw": "pcm_alaw",
    "g711_alaw": "pcm_alaw",
    "pcma": "pcm_alaw",
}
"""Names that other services and tools use, and what they mean here.

Source: https://docs.cartesia.ai/use-the-api/stt/turns/migrate-from-deepgram-flux and the raw format names of FFmpeg.
"""


def meant_by(name: str | None) -> str | None:
    """Return the encoding that a declared name stands for, None where it is unknown."""
    if name is None:
        return None
    plain = name.strip().lower()
    return plain if plain in SUPPORTED else ALIASES.get(plain)

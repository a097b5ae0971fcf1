"""The sample encodings: the six that the service takes, and those that clients send by mistake.

Source of the six: https://docs.cartesia.ai/build-with-cartesia/stt/audio-input
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one sample is written in bytes.

    Attributes:
        name: The service's name for the six it takes (``pcm_s16le``), else the common short one (``u8``).
        width: Bytes a sample.
        ffmpeg: The name of the raw demuxer in FFmpeg, or None where FFmpeg has none.
        supported: Whether the service takes it.
        label: Words for a reader of a report.
    """

    name: str
    width: int
    ffmpeg: str | None
    supported: bool
    label: str


_ALL = (
    Encoding("pcm_s16le", 2, "s16le", True, "signed 16-bit, little endian"),
    Encoding("pcm_s32le", 4, "s32le", True, "signed 32-bit, little endian"),
    Encoding("pcm_f16le", 2, None, True, "half-precision float, little endian"),
    Encoding("pcm_f32le", 4, "f32le", True, "32-bit float, little endian"),
    Encoding("pcm_mulaw", 1, "mulaw", True, "G.711 mu-law"),
    Encoding("pcm_alaw", 1, "alaw", True, "G.711 A-law"),
    Encoding("u8", 1, "u8", False, "unsigned 8-bit"),
    Encoding("s8", 1, "s8", False, "signed 8-bit"),
    Encoding("s16be", 2, "s16be", False, "signed 16-bit, big endian"),
    Encoding("s24le", 3, "s24le", False, "signed 24-bit, little endian"),
    Encoding("s32be", 4, "s32be", False, "signed 32-bit, big endian"),
    Encoding("f32be", 4, "f32be", False, "32-bit float, big endian"),
    Encoding("f64le", 8, "f64le", False, "64-bit float, little endian"),
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

"""What the header of a WAV, AIFF, AU or CAF file says about the samples behind it, however damaged it is.

Sources: RIFF WAVE after "Multimedia Programming Interface and Data Specifications 1.0" (1991) and the layout of
WAVEFORMATEXTENSIBLE in mmreg.h; RF64 after EBU Tech 3306; AIFF-C after Apple's draft of 1991; AU after the
Sun header; CAF after the Core Audio Format specification 1.0.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SCANNED = 1 << 16  # bytes in which the chunks before the samples must lie
_EXTENSIBLE = 0xFFFE
_WAV_CODECS = {
    (1, 8): "u8",
    (1, 16): "pcm_s16le",
    (1, 24): "s24le",
    (1, 32): "pcm_s32le",
    (3, 16): "pcm_f16le",
    (3, 32): "pcm_f32le",
    (3, 64): "f64le",
    (6, 8): "pcm_alaw",
    (7, 8): "pcm_mulaw",
}
_WAV_NAMES = {
    0x02: "MS ADPCM",
    0x11: "IMA ADPCM",
    0x31: "GSM 6.10",
    0x50: "MPEG audio",
    0x55: "MP3",
    0x64: "G.726",
    0x65: "G.722",
    0xFF: "AAC",
    0x161: "WMA",
}
_AU_CODECS = {1: "pcm_mulaw", 2: "s8", 3: "s16be", 5: "s32be", 6: "f32be", 27: "pcm_alaw"}
_BIG = {"pcm_s16le": "s16be", "pcm_s32le": "s32be", "pcm_f32le": "f32be"}


@dataclass(frozen=True, slots=True)
class Header:
    """A file header in front of samples.

    Attributes:
        payload: Offset of the first byte behind the header, counted from the header's own first byte.
        size: Bytes of samples that it promises, None where it leaves that open or was cut off.
        encoding: A name of `sttdoctor.encodings.ENCODINGS`, None where the samples are coded or the header is cut off.
        codec: Words for what the samples are.
        sample_rate: Hz, None where the header is cut off.
        channels: Number of channels, None where the header is cut off.
    """

    payload: int
    size: int | None = None
    encoding: str | None = None
    codec: str = "an unknown format"
    sample_rate: int | None = None
    channels: int | None = None


def is_plausible(rate: int, channels: int) -> bool:
    """Whether a header's numbers can be those of audio."""
    return 1000 <= rate <= 768_000 and 1 <= channels <= 64


def _list_chunks(head: bytes, first: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """(name, first byte of the content, promised length) of each chunk; chunks are padded to even lengths."""
    place = first
    while place + 8 <= len(head):
        name, (length,) = head[place : place + 4], struct.unpack_from(order + "I", head, place + 4)
        yield name, place + 8, length
        place += 8 + length + length % 2


def _read_wav_format(head: bytes, place: int, length: int, order: str) -> tuple[str | None, str, int, int] | None:
    """(encoding, codec, rate, channels) of a `fmt ` chunk, None where it is cut off or absurd."""
    if place + 16 > len(head):
        return None
    tag, channels, rate, _, _, bits = struct.unpack_from(order + "HHIIHH", head, place)
    if tag == _EXTENSIBLE and length >= 26 and place + 26 <= len(head):
        (tag,) = struct.unpack_from(order + "H", head, place + 24)
    if not is_plausible(rate, channels):
        return None
    encoding = _WAV_CODECS.get((tag, bits))
    codec = encoding or _WAV_NAMES.get(tag, f"format tag {tag} with {bits} bits")
    if order == ">" and encoding is not None:
        encoding = _BIG.get(encoding, encoding if bits == 8 else None)
    return encoding, encoding or codec, rate, channels


def read_wav_header(head: bytes, first_chunk: int = 12) -> Header:
    """Read a WAV header: chunks in any order before the samples, any of the three kinds, cut off or lying.

    Args:
        head: From the header's first byte on.
        first_chunk: Where the first chunk starts: 12, or 0 where the first twelve bytes are missing.
    """
    head = head[:_SCANNED]
    order = ">" if head.startswith(b"RIFX") else "<"
    found: tuple[str | None, str, int, int] | None = None
    size, long_size, payload = None, None, min(len(head), 44)
    for name, place, length in _list_chunks(head, first_chunk, order):
        if name == b"fmt ":
            found = _read_wav_format(head, place, length, order)
        elif name == b"ds64" and place + 16 <= len(head):
            (long_size,) = struct.unpack_from("<Q", head, place + 8)
        elif name == b"data":
            size, payload = (long_size if length == 0xFFFFFFFF else length), place
            break
        elif not name.isascii() or length > _SCANNED:  # a lying length: what follows is not known
            payload = max(payload, head.find(b"data", place) + 8) if b"data" in head[place:] else payload
            break
    return Header(payload, size or None, *found) if found else Header(payload, size or None)


def read_au_header(head: bytes) -> Header:
    """Read a Sun/NeXT AU header."""
    if len(head) < 24:
        return Header(len(head))
    payload, size, code, rate, channels = struct.unpack_from(">5I", head, 4)
    encoding = _AU_CODECS.get(code)
    known = size if size != 0xFFFFFFFF else None
    return Header(payload, known, encoding, encoding or f"AU encoding {code}", rate, channels)


def _read_extended(ten: bytes) -> float:
    """An 80-bit IEEE 754 extended number, as AIFF writes its rate."""
    exponent, mantissa = struct.unpack(">HQ", ten)
    return math.ldexp(mantissa, (exponent & 0x7FFF) - 16383 - 63) if exponent & 0x7FFF != 0x7FFF else 0.0


def read_aiff_header(head: bytes) -> Header:
    """Read an AIFF or AIFF-C header."""
    head = head[:_SCANNED]
    common: tuple[str | None, str, int, int] | None = None
    for name, place, length in _list_chunks(head, 12, ">"):
        if name == b"COMM" and place + 18 <= len(head):
            channels, _, bits = struct.unpack_from(">hIh", head, place)
            kind = head[place + 18 : place + 22] if length >= 22 else b"NONE"
            rate = _read_extended(head[place + 8 : place + 18])
            encoding = _name_apple_encoding(kind, bits)
            if 1000 <= rate <= 768_000:
                common = encoding, encoding or f"{bits}-bit {kind.decode('latin-1')}", round(rate), channels
        elif name == b"SSND" and place + 8 <= len(head):
            (skipped,) = struct.unpack_from(">I", head, place)
            payload = place + 8 + (skipped if skipped < _SCANNED else 0)
            return Header(payload, max(length - 8, 0) or None, *common) if common else Header(payload)
    return Header(min(len(head), 54), None, *common) if common else Header(min(len(head), 54))


def _name_apple_encoding(kind: bytes, bits: int) -> str | None:
    codes = {b"sowt": "pcm_s16le", b"ulaw": "pcm_mulaw", b"ULAW": "pcm_mulaw", b"alaw": "pcm_alaw", b"ALAW": "pcm_alaw"}
    if kind in (b"NONE", b"twos"):
        return {8: "s8", 16: "s16be", 32: "s32be"}.get(bits)
    if kind in (b"fl32", b"FL32"):
        return "f32be"
    return codes.get(kind) if kind != b"sowt" or bits == 16 else None


def read_caf_header(head: bytes) -> Header:
    """Read a Core Audio Format header."""
    head = head[:_SCANNED]
    found: tuple[str | None, str, int, int] | None = None
    place = 8
    while place + 12 <= len(head):
        name, (length,) = head[place : place + 4], struct.unpack_from(">q", head, place + 4)
        place += 12
        if name == b"desc" and place + 32 <= len(head):
            rate, kind, flags, _, _, channels, bits = struct.unpack_from(">d4s5I", head, place)
            encoding = _name_caf_encoding(kind, flags, bits)
            if 1000 <= rate <= 768_000:
                found = encoding, encoding or f"{bits}-bit {kind.decode('latin-1')}", round(rate), channels
        elif name == b"data":
            size = length - 4 if length > 4 else None
            return Header(place + 4, size, *found) if found else Header(place + 4)
        if length < 0 or length > _SCANNED:
            break
        place += length
    return Header(min(len(head), 52), None, *found) if found else Header(min(len(head), 52))


def _name_caf_encoding(kind: bytes, flags: int, bits: int) -> str | None:
    if kind == b"lpcm":
        little, floats = bool(flags & 2), bool(flags & 1)
        names = {32: "pcm_f32le", 64: "f64le"} if floats else {16: "pcm_s16le", 24: "s24le", 32: "pcm_s32le"}
        name = "s8" if bits == 8 and not floats else names.get(bits)
        return name if little or name in (None, "s8") else _BIG.get(str(name))
    return {b"ulaw": "pcm_mulaw", b"alaw": "pcm_alaw"}.get(kind)

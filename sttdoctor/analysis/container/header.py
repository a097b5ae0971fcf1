"""What the header of a file of bare samples says about the samples behind it, however damaged it is.

Sources: RIFF WAVE after "Multimedia Programming Interface and Data Specifications 1.0" (1991) and the layout of
WAVEFORMATEXTENSIBLE in mmreg.h; RF64 after EBU Tech 3306; Wave64 after Sony Pictures Digital's description; AIFF-C
after Apple's draft of 1991; 8SVX after Electronic Arts (1985); AU after the Sun header, in the other order as PipeWire
and DEC write it; CAF after the Core Audio Format specification 1.0; SPHERE after NIST's manual of release 2.6; IRCAM,
VOC and SoX's own after SoX 14.4.2; npy after `numpy.lib.format` 1.0 to 3.0.
"""

import math
import re
import struct
from collections.abc import Iterator

from sttdoctor.values import immutable

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
_LITTLE_AU_CODECS = {3: "pcm_s16le", 4: "s24le", 5: "pcm_s32le", 6: "pcm_f32le", 7: "f64le"}
_BIG = {"pcm_s16le": "s16be", "pcm_s32le": "s32be", "pcm_f32le": "f32be"}


@immutable
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


_GUID_END = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # of each name in Wave64; four letters stand in front of it


def read_w64_header(head: bytes) -> Header:
    """Read a Wave64 header: chunks with names of 16 bytes, and sizes of 8 that count the 24 of both."""
    head = head[:_SCANNED]
    found: tuple[str | None, str, int, int] | None = None
    place = 40
    while place + 24 <= len(head) and head[place + 4 : place + 16] == _GUID_END:
        (length,) = struct.unpack_from("<Q", head, place + 16)
        if head[place : place + 4] == b"fmt ":
            found = _read_wav_format(head, place + 24, max(length - 24, 0), "<")
        elif head[place : place + 4] == b"data":
            size = max(length - 24, 0) or None
            return Header(place + 24, size, *found) if found else Header(place + 24, size)
        place += max(length + -length % 8, 24)
    payload = min(len(head), 104)
    return Header(payload, None, *found) if found else Header(payload)


def read_sphere_header(head: bytes) -> Header:
    """Read a NIST SPHERE header: text of a length that its second line tells."""
    begin = re.match(rb"NIST_1A\n *(\d{1,6})\n", head)
    payload = int(begin[1]) if begin else 1024
    said = {name: value.strip() for name, value in _SPHERE_FIELD.findall(head[: min(payload, 1 << 14)])}
    rate, channels = _read_whole(said.get(b"sample_rate")), _read_whole(said.get(b"channel_count")) or 1
    coding, width = said.get(b"sample_coding", b"pcm"), _read_whole(said.get(b"sample_n_bytes")) or 2
    encoding = {b"ulaw": "pcm_mulaw", b"mu-law": "pcm_mulaw", b"alaw": "pcm_alaw"}.get(coding)
    if coding == b"pcm":
        little = said.get(b"sample_byte_format", b"01") != b"10"
        encoding = {1: "u8", 2: "pcm_s16le" if little else "s16be", 4: "pcm_s32le" if little else "s32be"}.get(width)
    if not is_plausible(rate or 0, channels):
        return Header(payload)
    return Header(payload, None, encoding, encoding or coding[:40].decode("latin-1"), rate, channels)


_SPHERE_FIELD = re.compile(rb"^([a-z_]{1,40}) -(?:i|r|s\d{1,3}) ([^\n]{0,80})$", re.M)


def _read_whole(digits: bytes | None) -> int | None:
    return int(digits) if digits and digits.isdigit() and len(digits) < 10 else None


_IRCAM_CODECS = {1: "s8", 2: "pcm_s16le", 3: "s24le", 4: "pcm_f32le", 8: "f64le"}
_IRCAM_OTHERS = {0x10001: "pcm_alaw", 0x20001: "pcm_mulaw", 0x40004: "pcm_s32le"}


def read_ircam_header(head: bytes) -> Header:
    """Read an IRCAM (BICSF) header, of either order: 1024 bytes, whatever stands in them."""
    if len(head) < 16:
        return Header(len(head))
    order = ">" if head[2] in (2, 4) else "<"  # of a Sun or a NeXT; 1 and 3 are a VAX and MIPS
    rate, channels, code = struct.unpack_from(order + "fII", head, 4)
    encoding = _IRCAM_CODECS.get(code) or _IRCAM_OTHERS.get(code)
    if order == ">" and encoding is not None:
        encoding = _BIG.get(encoding, encoding if code in (1, 0x10001, 0x20001) else None)
    if not (1000 <= rate <= 768_000 and is_plausible(round(rate), channels)):
        return Header(1024)
    return Header(1024, None, encoding, encoding or f"IRCAM encoding {code}", round(rate), channels)


def read_sox_header(head: bytes) -> Header:
    """Read the header of SoX's own format, of either order: what `sox -p` and `-t sox` write."""
    if len(head) < 28:
        return Header(len(head))
    order = ">" if head[:1] == b"X" else "<"
    size, samples, rate, channels = struct.unpack_from(order + "IQdI", head, 4)
    if not (28 <= size <= _SCANNED and 1000 <= rate <= 768_000 and is_plausible(round(rate), channels)):
        return Header(28)
    encoding = "s32be" if order == ">" else "pcm_s32le"
    return Header(size + 4, 4 * samples or None, encoding, encoding, round(rate), channels)


_NPY = re.compile(rb"'descr': *'([<>|=])([a-z]\d{1,2})'[^}]{0,200}'shape': *\((\d{0,18}),? ?(\d{0,18})")
_NPY_CODECS = {"i2": "pcm_s16le", "i4": "pcm_s32le", "i8": "s64le", "f2": "pcm_f16le", "f4": "pcm_f32le", "f8": "f64le"}


def read_npy_header(head: bytes) -> Header:
    """Read the header of an array that NumPy saved; it knows no sample rate."""
    width = 2 if head[6:7] == b"\x01" else 4
    payload = 8 + width + int.from_bytes(head[8 : 8 + width], "little")
    said = _NPY.search(head[:_SCANNED])
    if said is None:
        return Header(min(payload, _SCANNED))
    order, kind = said[1].decode(), said[2].decode()
    encoding = {"u1": "u8", "i1": "s8"}.get(kind) or _NPY_CODECS.get(kind)
    if order == ">" and encoding is not None:
        encoding = _BIG.get(encoding)
    channels = min(int(said[3] or 1), int(said[4])) if said[4] else 1
    return Header(payload, None, encoding, encoding or f"an array of {order}{kind}", None, min(max(channels, 1), 64))


def read_voc_header(head: bytes) -> Header:
    """Read the header of a Creative Voice file and of its first block of sound."""
    place = int.from_bytes(head[20:22], "little") or 26
    while place + 4 <= min(len(head), _SCANNED):
        kind, length = head[place], int.from_bytes(head[place + 1 : place + 4], "little")
        if kind == 1 and place + 6 <= len(head):
            divisor, code = head[place + 4], head[place + 5]
            encoding = "u8" if code == 0 else None
            return Header(
                place + 6, length - 2, encoding, encoding or f"VOC codec {code}", 1_000_000 // (256 - divisor), 1
            )
        if kind == 9 and place + 16 <= len(head):
            rate, bits, channels, code = struct.unpack_from("<IBBH", head, place + 4)
            encoding = {(0, 8): "u8", (4, 16): "pcm_s16le", (6, 8): "pcm_alaw", (7, 8): "pcm_mulaw"}.get((code, bits))
            if is_plausible(rate, channels):
                return Header(place + 16, length - 12, encoding, encoding or f"VOC codec {code}", rate, channels)
            return Header(place + 16)
        place += 4 + length
    return Header(min(len(head), 26))


def read_svx_header(head: bytes) -> Header:
    """Read the header of an 8SVX file."""
    rate, code = None, 0
    for name, place, length in _list_chunks(head[:_SCANNED], 12, ">"):
        if name == b"VHDR" and place + 16 <= len(head):
            rate, code = int.from_bytes(head[place + 12 : place + 14]), head[place + 15]
        elif name == b"BODY":
            encoding = "s8" if code == 0 else None
            return Header(place, length or None, encoding, encoding or "Fibonacci delta", rate, 1)
    return Header(min(len(head), 48))


def read_au_header(head: bytes) -> Header:
    """Read a Sun/NeXT AU header, of either order."""
    if len(head) < 24:
        return Header(len(head))
    order = ">" if head[:1] == b"." else "<"
    payload, size, code, rate, channels = struct.unpack_from(order + "5I", head, 4)
    encoding = _AU_CODECS.get(code)
    if order == "<":
        encoding = _LITTLE_AU_CODECS.get(code, encoding)
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

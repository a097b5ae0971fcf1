"""Is there a file, or text, where bare samples should be?

The task: given bytes that a client sent as audio, find the starts of media files in them (at the start, some bytes in,
or repeated in mid-stream when files or chunks with headers of their own were joined), and tell text. Every signature is
checked beyond its magic number, so that samples do not hit by chance: together 40 bits or more for each. A frame of MP3
or AAC begins with a sync word of 11 or 12 bits only, which small negative 16-bit samples are full of; but its header
tells its length, so the next one must stand exactly there with the same version, layer and sample rate. What a general
compressor wrote is looked for at the very start only, where a signature of 33 bits (zstd has no more) hits samples less
than once in a thousand million files. Sources: the format specifications, as collected in
https://github.com/sindresorhus/file-type; ISO/IEC 11172-3, 13818-3 and 13818-7; RFC 1952, PKWARE's APPNOTE 4.3.7, the
bzip2 and xz file formats, RFC 8878.

Some services want each message compressed, behind a header: a stream of gzip or zlib that begins at one place of
several messages, and ends with them by its checksum, is no chance.

Packets of a codec may come without a container, one in each frame. A coder with a variable bit rate gives packets of
many sizes whose bytes are as good as random, but for the first, which tells the mode (RFC 6716, section 3.1, for Opus)
and stays the same for long. Samples come in frames of few sizes.
"""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.container.header import (
    Header,
    is_plausible,
    read_aiff_header,
    read_au_header,
    read_caf_header,
    read_ircam_header,
    read_npy_header,
    read_sox_header,
    read_sphere_header,
    read_svx_header,
    read_voc_header,
    read_w64_header,
    read_wav_header,
)
from sttdoctor.analysis.container.text import Note, decode_text, find_notes, find_text
from sttdoctor.analysis.excerpt import release
from sttdoctor.evidence import FrameContents
from sttdoctor.values import immutable

LABELS = {
    "wav": "a WAV file",
    "aiff": "an AIFF file",
    "au": "an AU file",
    "caf": "a CAF file",
    "w64": "a Wave64 file",
    "sphere": "a NIST SPHERE file",
    "ircam": "an IRCAM file",
    "npy": "a NumPy file",
    "voc": "a VOC file",
    "8svx": "an 8SVX file",
    "sox": "a SoX file",
    "ogg": "Ogg",
    "webm": "WebM/Matroska",
    "mp4": "MP4/M4A",
    "avi": "AVI",
    "flv": "Flash video",
    "flac": "FLAC",
    "tta": "True Audio",
    "wavpack": "WavPack",
    "mp3": "MP3",
    "mp2": "MPEG layer II (MP2)",
    "aac": "AAC (ADTS)",
    "sbc": "SBC, the codec of Bluetooth",
    "iec61937": "compressed sound for S/PDIF or HDMI (IEC 61937)",
    "amr": "AMR",
    "amr-wb": "AMR-WB",
    "asf": "WMA (ASF)",
    "ts": "an MPEG transport stream",
    "pickle": "a Python pickle",
    "java": "a serialized object of Java",
    "mat": "a MATLAB file",
    "hdf5": "an HDF5 file",
    "parquet": "a Parquet file",
    "arrow": "an Arrow file",
    "dsd": "a DSD file",
    "ape": "Monkey's Audio",
    "musepack": "Musepack",
    "png": "a picture (PNG)",
    "jpeg": "a picture (JPEG)",
    "gif": "a picture (GIF)",
    "pdf": "a PDF file",
    "gzip": "gzip",
    "zip": "a zip archive",
    "bzip2": "bzip2",
    "xz": "xz",
    "zstd": "zstd",
}

_NEAR_START = 1 << 16  # bytes that are searched for everything
_SEARCHED = 1 << 24  # bytes that are searched for what is joined or repeated in mid-stream
_LONG = 1 << 18
_HEAD = 1 << 16
_MOST = 1000  # starts that are counted
_NEAR = 4096  # bytes: a file that starts so early is what the stream is, not something in it

_CHAIN_AT_START = 3
_CHAIN_FURTHER_IN = 6
_LOOKED_AT = 4096  # bytes: more than the longest MP3 frame (2881) and most of ADTS, so that a cut stream is seen too

_KBPS_V1 = {
    2: (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBPS_V2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = (44100, 48000, 32000)

_ZIP_METHODS = (0, 8, 9, 12, 14, 93, 95)  # stored, deflate, deflate64, bzip2, lzma, zstd, xz
_BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")  # of content; the end of an empty file

_FEWEST_PACKETS = 25  # packets
_MOST_PACKETS = 600  # that are looked at
_LONGEST_PACKET = 1500  # bytes; RFC 6716 allows 1275 a frame
_FEW_SIZES = 8  # different ones
_ENTROPY = 7.3  # bits a byte, of 8 in random bytes; of samples of 16 bits less than 7, of G.711 less still
_RANDOM_ENTROPY = 7.8  # where the sizes tell nothing (a constant bit rate)
_SAME_MODE = 0.8
_OPUS_MS = (10, 20, 40, 60) * 3 + (10, 20) * 2 + (2.5, 5, 10, 20) * 4
"""By the five bits of the configuration: how long one frame of a packet lasts."""


_CODECS = {
    "ogg": ((b"OpusHead", "Opus"), (b"\x01vorbis", "Vorbis"), (b"Speex   ", "Speex"), (b"\x7fFLAC", "FLAC")),
    "webm": (
        (b"A_OPUS", "Opus"),
        (b"A_VORBIS", "Vorbis"),
        (b"A_PCM/FLOAT", "float samples"),
        (b"A_PCM/INT", "integer samples"),
        (b"A_AAC", "AAC"),
        (b"A_FLAC", "FLAC"),
        (b"A_MPEG/L3", "MP3"),
    ),
    "mp4": ((b"Opus", "Opus"), (b"alac", "ALAC"), (b"fLaC", "FLAC"), (b"ac-3", "AC-3"), (b"mp4a", "AAC")),
}
"""By kind, what stands in the head of a file whose sound is coded so. Sources: RFC 7845, RFC 9559, ISO/IEC 14496-12."""


@immutable
class Start:
    """Where a media file begins.

    Attributes:
        offset: Byte.
        kind: A key of `LABELS`.
        header: For files of bare samples what the header says.
        codec: Of the sound in a container that may hold several; empty where its head does not say.
    """

    offset: int
    kind: str
    header: Header | None = None
    codec: str = ""

    @property
    def label(self) -> str:
        """What a reader calls it."""
        return f"{LABELS[self.kind]} ({self.codec})" if self.codec else LABELS[self.kind]


@immutable
class Contents:
    """What was found.

    Attributes:
        starts: Beginnings of media files in their order, at most `_MOST`; of Ogg each page counts.
        text: Kind of text as in `sttdoctor.analysis.container.text.find_text`, None where the bytes are none.
        inside: The file that text of base64 or hex holds, None where it holds none.
        trailers: Offsets of the chunks that stand behind the samples of a WAV file (LIST, id3).
        notes: Text among samples that are no file.
    """

    starts: tuple[Start, ...] = ()
    text: str | None = None
    inside: Start | None = None
    trailers: tuple[int, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def first(self) -> Start | None:
        """The file that the stream begins with, None where it begins with none."""
        return self.starts[0] if self.starts and self.starts[0].offset < _NEAR else None

    @property
    def holds_samples(self) -> bool:
        """Whether the bytes behind any header may be samples: no text, no compressed file at the start or repeated."""
        compressed = sum(start.header is None for start in self.starts)
        return self.text is None and compressed < 2 and (self.first is None or self.first.header is not None)

    @property
    def payload(self) -> int:
        """Offset of the first byte behind the header that the samples begin with, 0 without one."""
        first = self.first
        return first.offset + first.header.payload if first is not None and first.header is not None else 0


def _is_au(head: bytes) -> bool:
    header = read_au_header(head)
    return (
        len(head) >= 24 and 24 <= header.payload <= 4096 and is_plausible(header.sample_rate or 0, header.channels or 0)
    )


def _is_wave64(head: bytes) -> bool:
    return head[4:16] == b"\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0" and head[24:28] == b"wave"


def _is_ircam(head: bytes) -> bool:
    return head[2:3] in b"\1\2\3\4" and head[3:4] == b"\0" and read_ircam_header(head).sample_rate is not None


def _is_id3(head: bytes) -> bool:
    return len(head) >= 10 and 2 <= head[3] <= 4 and head[4] == 0 and not head[5] & 15 and max(head[6:10]) < 0x80


def _is_burst(head: bytes) -> bool:
    """A kind of data that is neither empty nor reserved, without an error, and at least 64 bits of it."""
    return (
        len(head) >= 8 and 1 <= head[4] & 0x1F <= 22 and not head[5] & 0x80 and int.from_bytes(head[6:8], "little") > 64
    )


def _is_pickle(head: bytes) -> bool:
    """Protocol 4 or 5, whose first opcode tells the length of a frame."""
    return head[:1] == b"\x80" and head[1:2] in b"\4\5" and head[7:11] == bytes(4)


def _is_box(head: bytes) -> bool:
    return len(head) >= 12 and head[:2] == b"\0\0" and head[2:4] >= b"\0\x08" and head[8:12].isascii()


def _is_bare_format(head: bytes) -> bool:
    return (
        len(head) >= 24
        and head[4:8] in (b"\x10\0\0\0", b"\x12\0\0\0", b"\x28\0\0\0")
        and bool(read_wav_header(head, 0).sample_rate)
    )


_Content = bytes | memoryview
_Signature = tuple[bytes, int, Callable[[bytes], bool], str]

# magic number, bytes before it, what else must hold, kind
_MID_STREAM: tuple[_Signature, ...] = (
    (b"RIFF", 0, lambda head: head[8:12] == b"WAVE", "wav"),
    (b"OggS", 0, lambda head: len(head) >= 27 and head[4] == 0 and head[5] < 8 and head[26] > 0, "ogg"),
    (b"fLaC", 0, lambda head: head[4:5] in (b"\0", b"\x80") and head[5:8] == b"\0\0\x22", "flac"),
    (b"\x1a\x45\xdf\xa3", 0, lambda head: b"webm" in head[:64] or b"matroska" in head[:64], "webm"),
    (b"\x1f\x43\xb6\x75", 0, lambda head: b"\xe7" in head[4:14] and b"\xa3" in head[8:40], "webm"),
)
_AT_START: tuple[_Signature, ...] = (
    (b"RIFX", 0, lambda head: head[8:12] == b"WAVE", "wav"),
    (b"RF64", 0, lambda head: head[8:12] == b"WAVE", "wav"),
    (b"BW64", 0, lambda head: head[8:12] == b"WAVE", "wav"),
    (b"FORM", 0, lambda head: head[8:12] in (b"AIFF", b"AIFC"), "aiff"),
    (b"caff", 0, lambda head: head[4:12] == b"\0\x01\0\0desc", "caf"),
    (b".snd", 0, _is_au, "au"),
    (b"dns.", 0, _is_au, "au"),
    (b"\0ds.", 0, _is_au, "au"),
    (b"FORM", 0, lambda head: head[8:16] == b"8SVXVHDR", "8svx"),
    (b"riff", 0, _is_wave64, "w64"),
    (b"NIST_1A\n", 0, lambda head: head[15:16] == b"\n", "sphere"),
    (b"\x64\xa3", 0, _is_ircam, "ircam"),
    (b"\x93NUMPY", 0, lambda head: head[6:7] in (b"\1", b"\2", b"\3") and b"{'" in head[:16], "npy"),
    (b"Creative Voice File\x1a", 0, lambda _: True, "voc"),
    (b".SoX", 0, lambda head: read_sox_header(head).sample_rate is not None, "sox"),
    (b"XoS.", 0, lambda head: read_sox_header(head).sample_rate is not None, "sox"),
    (b"\x95", 2, _is_pickle, "pickle"),
    (b"\xac\xed\0\x05", 0, lambda head: head[4:5] in (b"u", b"s", b"t", b"w", b"z"), "java"),
    (b"MATLAB 5.0 MAT-file", 0, lambda _: True, "mat"),
    (b"\x89HDF\r\n\x1a\n", 0, lambda _: True, "hdf5"),
    (b"PAR1\x15", 0, lambda head: len(head) >= 8, "parquet"),
    (b"ARROW1\0\0", 0, lambda _: True, "arrow"),
    (b"DSD \x1c\0\0\0\0\0\0\0", 0, lambda _: True, "dsd"),
    (b"FRM8", 0, lambda head: head[12:16] == b"DSD ", "dsd"),
    (b"MAC ", 0, lambda head: 3000 <= int.from_bytes(head[4:6], "little") < 5000, "ape"),
    (b"MPCKSH", 0, lambda _: True, "musepack"),
    (b"\x89PNG\r\n\x1a\n", 0, lambda head: head[12:16] == b"IHDR", "png"),
    (b"\xff\xd8\xff", 0, lambda head: head[6:10] in (b"JFIF", b"Exif"), "jpeg"),
    (b"GIF8", 0, lambda head: head[4:6] in (b"7a", b"9a"), "gif"),
    (b"%PDF-", 0, lambda head: head[6:7] == b".", "pdf"),
    (b"RIFF", 0, lambda head: head[8:16] == b"AVI LIST", "avi"),
    (b"FLV\x01", 0, lambda head: head[5:9] == b"\0\0\0\x09", "flv"),
    (b"TTA1", 0, lambda head: head[4:6] in (b"\1\0", b"\2\0") and len(head) >= 22, "tta"),
    (b"wvpk", 0, lambda head: head[9:10] == b"\x04" and len(head) >= 32, "wavpack"),
    (b"ftyp", 4, _is_box, "mp4"),
    (b"styp", 4, _is_box, "mp4"),
    (b"moof", 4, lambda head: _is_box(head) and head[12:16] == b"mfhd", "mp4"),
    (b"ID3", 0, _is_id3, "mp3"),
    (b"\x72\xf8\x1f\x4e", 0, _is_burst, "iec61937"),
    (b"#!AMR\n", 0, lambda _: True, "amr"),
    (b"#!AMR-WB\n", 0, lambda _: True, "amr-wb"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0, lambda _: True, "asf"),
)
_READERS: dict[str, Callable[[bytes], Header]] = {
    "wav": read_wav_header,
    "aiff": read_aiff_header,
    "au": read_au_header,
    "caf": read_caf_header,
    "w64": read_w64_header,
    "sphere": read_sphere_header,
    "ircam": read_ircam_header,
    "npy": read_npy_header,
    "voc": read_voc_header,
    "8svx": read_svx_header,
    "sox": read_sox_header,
}


def find_containers(data: NDArray[np.uint8]) -> Contents:
    """Look for media files and text.

    Args:
        data: Bytes as sent, shape (n,) of uint8; may be a memory map of any size. The first 64 KiB are searched for
            everything, the first 16 MiB for headers that repeat.

    Returns:
        What was found; never raises whatever the bytes.
    """
    text = find_text(data)
    if text is not None:
        inside = _find_starts(decode_text(data[: 4 * _NEAR].tobytes(), text))
        return Contents(text=text, inside=inside[0] if inside else None)
    content = data[:_SEARCHED].data if len(data) > _LONG else data.tobytes()
    starts = _find_starts(content)
    trailers = [at for at in _find_all(content, b"LIST") if bytes(content[at + 8 : at + 12]) in (b"INFO", b"adtl")]
    trailers += [at for at in _find_all(content, b"id3 ") if bytes(content[at + 8 : at + 11]) == b"ID3"]
    outside = [place for place in trailers if not _is_in_header(place, starts)]
    notes = () if starts or outside else tuple(find_notes(data[:_SEARCHED]))
    release(data)
    return Contents(tuple(starts), trailers=tuple(sorted(outside)), notes=notes)


def _find_starts(content: _Content) -> list[Start]:
    near = bytes(content[:_NEAR_START])
    packed = name_compressor(near[:_NEAR])
    if packed is not None:
        return [Start(0, packed)]
    found = [start for signature in _MID_STREAM for start in _find_signature(content, signature)]
    found += [start for signature in _AT_START for start in _find_signature(near, signature)]
    if not found:
        found = [
            Start(place, "wav", read_wav_header(near[place:], 0))
            for place in _find_all(near, b"fmt ")
            if _is_bare_format(near[place : place + 64])
        ]
    frames = None if found else find_frames(near)
    if frames is not None:
        found.append(Start(*frames))
    found.sort(key=lambda start: start.offset)
    kept: list[Start] = []
    for start in found:
        if not _is_in_header(start.offset, kept[-1:]):
            kept.append(start)
    return kept[:_MOST]


def _find_signature(content: _Content, signature: _Signature) -> list[Start]:
    magic, before, holds, kind = signature
    places = [place - before for place in _find_all(content, magic) if place >= before]
    good = [place for place in places if holds(bytes(content[place : place + 64]))]
    return [_read_start(kind, place, bytes(content[place : place + _HEAD])) for place in good]


def _read_start(kind: str, place: int, head: bytes) -> Start:
    reader = _READERS.get(kind)
    return Start(place, kind, reader(head) if reader else None, _find_codec(kind, head))


def _find_codec(kind: str, head: bytes) -> str:
    """What codes the sound of a file that may hold several codecs, as far as its head says."""
    place = head.find(b"stsd") if kind == "mp4" else 0  # of the table of tracks, which may stand at the very end
    end = place + (64 if kind == "mp4" else _NEAR)
    return next((name for mark, name in _CODECS.get(kind, ()) if 0 <= place <= head.find(mark, place, end)), "")


def _find_all(content: _Content, magic: bytes) -> list[int]:
    if isinstance(content, memoryview):  # is long, so that it is worth compiling an expression, which is faster
        return [found.start() for found in islice(re.finditer(re.escape(magic), content), _MOST)]
    places: list[int] = []
    place = content.find(magic)
    while place >= 0 and len(places) < _MOST:
        places.append(place)
        place = content.find(magic, place + 1)
    return places


def _is_in_header(place: int, starts: list[Start]) -> bool:
    return any(start.header and start.offset < place < start.offset + start.header.payload for start in starts)


def _read_mp3_frame(head: bytes) -> tuple[int, int] | None:
    """(length, what all frames of a stream share) of the frame that begins here, None where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    kbps, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer not in (2, 3) or kbps in (0, 15) or rate == 3 or head[3] & 3 == 2:
        return None
    hz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    bits = 1000 * (_KBPS_V1[layer] if version == 3 else _KBPS_V2)[kbps - 1]
    samples = 576 if layer == 3 and version != 3 else 1152
    length = samples // 8 * bits // hz + (head[2] >> 1 & 1)
    return length, (head[1] & 0xFE) << 8 | head[2] & 0x0C


def _read_block(data: bytes) -> tuple[int, int] | None:
    """(length, what all share) of a SimpleBlock of Matroska with one frame of sound."""
    if len(data) < 7 or data[0] != 0xA3 or data[1] < 0x40:
        return None
    size, width = (data[1] & 0x7F, 1) if data[1] & 0x80 else ((data[1] & 0x3F) << 8 | data[2], 2)
    track, flags = data[1 + width], data[4 + width]
    return (1 + width + size, track) if 0x81 <= track <= 0x84 and flags in (0, 0x80) and size > 4 else None


def _read_adts_frame(head: bytes) -> tuple[int, int] | None:
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (length, head[1] << 16 | (head[2] & 0xFD) << 8 | head[3] & 0xC0) if length > 16 else None


def _read_sbc_frame(head: bytes) -> tuple[int, int] | None:
    """Bluetooth A2DP, 12.9; frames of mSBC (HFP 1.7, 5.7.4) have 57 bytes, and a packet's 60."""
    if len(head) < 4:
        return None
    if head[:3] == b"\xad\0\0":
        return (57, 0) if _has_sbc_checksum(head, 16 + 4 * 8) else None
    if head[:1] == b"\x01":
        found = _read_sbc_frame(head[2:]) if head[1] in _H2_NUMBERS and head[2:5] == b"\xad\0\0" else None
        return found and (60, 1)
    blocks, mode, bands, pool = 4 * (head[1] >> 4 & 3) + 4, head[1] >> 2 & 3, 4 + 4 * (head[1] & 1), head[2]
    if head[0] != 0x9C or not 2 <= pool <= 250:
        return None
    channels = 1 if mode == 0 else 2
    joined = bands if mode == 3 else 0
    if not _has_sbc_checksum(head, 16 + joined + 4 * bands * channels):
        return None
    bits = blocks * pool * (channels if mode < 2 else 1) + joined
    return 4 + bands * channels // 2 + -(-bits // 8), head[1] << 8 | pool


def _has_sbc_checksum(head: bytes, bits: int) -> bool:
    """A2DP, 12.6.1.7: CRC-8 of so many bits: bytes 1 and 2, and behind the checksum the joined bands and the factors.

    Samples that stand still, of up to 12 bytes, are none, whatever their checksum: they would chain by themselves.
    """
    if head[:12] == head[12:24]:
        return False
    covered = int.from_bytes(head[1:3] + head[4:], "big") >> max(0, 8 * (len(head) - 2) - bits)
    crc = 0x0F
    for place in reversed(range(bits)):
        crc = (crc << 1 ^ (0x1D if (crc >> 7 ^ covered >> place) & 1 else 0)) & 0xFF
    return crc == head[3]


_H2_NUMBERS = b"\x08\x38\xc8\xf8"


_FRAME_HEAD = 26  # bytes: of SBC up to 13 are checked, and whether they come again; two more where a packet begins


def _chains(data: bytes, place: int, frame: Callable[[bytes], tuple[int, int] | None], wanted: int) -> bool:
    shared = None
    for _ in range(wanted):
        found = frame(data[place : place + _FRAME_HEAD])
        if found is None or (shared is not None and found[1] != shared):
            return False
        shared = found[1]
        place += found[0]
    return True


def find_frames(data: bytes) -> tuple[int, str] | None:
    """Find a stream of frames or blocks that chain, at the start of bytes or a little way in.

    Returns:
        (offset of the first, `mp3`, `mp2`, `aac`, `webm`, `sbc` or `ts`), None where none chain.
    """
    for start in _CHAINED_START.finditer(data, 0, _LOOKED_AT):
        place = start.start()
        for kind, frame, at_start, further_in in _CHAINED[start[0]]:
            if _chains(data, place, frame, further_in if place else at_start):
                return place, "mp2" if kind == "mp3" and data[place + 1] >> 1 & 3 == 2 else kind
    return None


def _read_transport_packet(head: bytes) -> tuple[int, int] | None:
    """ISO/IEC 13818-1: the sync byte, no error, and a payload or an adaptation field."""
    is_one = len(head) >= 4 and head[0] == 0x47 and not head[1] & 0x80 and bool(head[3] & 0x30)
    return (188, 0) if is_one else None


_CHAINED: dict[bytes, tuple[tuple[str, Callable[[bytes], tuple[int, int] | None], int, int], ...]] = {
    b"\xff": (
        ("mp3", _read_mp3_frame, _CHAIN_AT_START, _CHAIN_FURTHER_IN),
        ("aac", _read_adts_frame, _CHAIN_AT_START, _CHAIN_FURTHER_IN),
    ),
    b"\xa3": (("webm", _read_block, 4, 5),),
    **dict.fromkeys((b"\x9c", b"\xad", b"\x01"), (("sbc", _read_sbc_frame, 5, 7),)),
    b"\x47": (("ts", _read_transport_packet, 8, 10),),
}
"""By the first byte: kind, what reads one, and how many in a row are no chance, at the start and further in."""

_CHAINED_START = re.compile(
    rb"""
    \xff (?=[\xe2-\xe5\xf0-\xf5\xf8-\xfd])  # layers 2 and 3 of MPEG audio, ADTS
    | \xa3 (?=[\x80-\xff][\x81-\x84]..[\x00\x80] | [\x40-\x7f].[\x81-\x84]..[\x00\x80])
    | \x9c (?=[\x00-\xff][\x02-\xfa]) | \xad (?=\x00\x00) | \x01 (?=[\x08\x38\xc8\xf8]\xad\x00\x00)
    | \x47 (?=[\x00-\x7f].[\x10-\x3f\x50-\x7f\x90-\xbf\xd0-\xff])
    """,
    re.DOTALL | re.VERBOSE,
)
"""What no frame of these kinds begins with is not read any further: sound has many of the first bytes."""


def name_compressor(head: bytes) -> str | None:
    """Tell which compressor wrote bytes.

    Args:
        head: The first bytes of the stream; 64 are enough for all but gzip, whose first KiB is unpacked as a trial.

    Returns:
        `gzip`, `zip`, `bzip2`, `xz` or `zstd`; None for anything else.
    """
    if head[:3] == b"\x1f\x8b\x08" and _unpacks(head[:1024]):
        return "gzip"
    if head[:4] == b"PK\x03\x04" and len(head) >= 30 and head[4] <= 63 and _read_word(head, 8) in _ZIP_METHODS:
        return "zip"
    if head[:3] == b"BZh" and head[3:4] in b"123456789" and head[4:10] in _BZIP2_BLOCKS:
        return "bzip2"
    if head[:6] == b"\xfd7zXZ\x00":
        return "xz"
    if head[:4] == b"\x28\xb5\x2f\xfd" and len(head) >= 5 and not head[4] & 8:  # a reserved bit
        return "zstd"
    return None


def _read_word(head: bytes, place: int) -> int:
    return int.from_bytes(head[place : place + 2], "little")


def _unpacks(head: bytes) -> bool:
    try:
        zlib.decompressobj(wbits=31).decompress(head, 1 << 16)
    except zlib.error:
        return False
    return True


@immutable
class Packed:
    """Messages that are compressed each by itself: `gzip` or `zlib`, and bytes in front of what is compressed."""

    kind: str
    offset: int


def find_packed(frames: Sequence[bytes]) -> Packed | None:
    """Find what each message holds compressed, with a header in front or without; None where not all of them do.

    Args:
        frames: The content of binary frames with audio, in order; a few of them are enough.
    """
    found = {_find_deflated(frame) for frame in frames[:_PACKED_TRIED]}
    return found.pop() if len(found) == 1 and len(frames) >= _FEWEST_PACKED else None


def _find_deflated(frame: bytes) -> Packed | None:
    """Where in the beginning of a message a stream of gzip or zlib begins that ends with the message."""
    for start in islice(_DEFLATED.finditer(frame, 0, _LONGEST_ENVELOPE), 4):
        unpacker = zlib.decompressobj(wbits=47)  # either of the two, by its header
        try:
            unpacker.decompress(memoryview(frame)[start.start() :], 1 << 20)
        except zlib.error:
            continue
        if unpacker.eof and len(unpacker.unused_data) <= _LONGEST_ENVELOPE:
            return Packed("gzip" if start[0][0] == 0x1F else "zlib", start.start())
    return None


_DEFLATED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_PACKED_TRIED, _FEWEST_PACKED, _LONGEST_ENVELOPE = 8, 3, 64  # messages, and bytes


@immutable
class Packets:
    """A run of packets to the end: number of the first, from 0, fewest and most bytes, and what they look like."""

    first: int
    least: int
    most: int
    name: str


def find_packets(frames: FrameContents) -> Packets | None:
    """Find packets of a codec from some frame on to the end; None where there are none.

    Args:
        frames: The content of each binary frame, in order.
    """
    lengths = frames.sizes
    gsm = [size for size in lengths[:_MOST_PACKETS] if size]
    if (
        len(gsm) >= _FEWEST_PACKETS
        and not any(size % _GSM_BYTES for size in gsm)
        and all(map(_is_gsm, frames[:_MOST_PACKETS]))
    ):
        return Packets(0, min(gsm), max(gsm), "GSM 06.10, 20 ms in each 33 bytes")
    first = _find_start(lengths)
    sizes = [size for size in lengths[first : first + _MOST_PACKETS] if size > 3]
    if len(sizes) < _FEWEST_PACKETS or max(sizes) > _LONGEST_PACKET:
        return None
    chosen = [frame for frame in frames[first : first + _MOST_PACKETS] if len(frame) > 3]
    is_even = len(set(sizes)) < _FEW_SIZES or Counter(sizes).most_common(1)[0][1] > 0.5 * len(sizes)
    rest = np.frombuffer(b"".join(frame[1:] for frame in chosen), dtype=np.uint8)
    shares = np.bincount(rest, minlength=256) / len(rest)
    entropy = float(-(shares[shares > 0] * np.log2(shares[shares > 0])).sum())
    if entropy < (_RANDOM_ENTROPY if is_even else _ENTROPY) or len(rest) < 1000:
        return None
    mode, count = Counter(frame[0] for frame in chosen).most_common(1)[0]
    if count < _SAME_MODE * len(chosen):
        return None
    name = f"Opus, {_OPUS_MS[mode >> 3]:g} ms a packet (first byte 0x{mode:02X})"
    return Packets(first, min(sizes), max(sizes), name)


def _is_gsm(frame: bytes) -> bool:
    """Whether a frame is packets of GSM full rate: each of 33 bytes, whose first four bits are a mark (RFC 3551)."""
    return len(frame) % _GSM_BYTES == 0 and all(first >> 4 == _GSM_MARK for first in frame[::_GSM_BYTES])


_GSM_BYTES, _GSM_MARK = 33, 0xD


def _find_start(lengths: Sequence[int]) -> int:
    """Number of the frame from which on frames are shorter than what came before: a codec after samples."""
    sizes = np.array(lengths, dtype=np.float64)
    if len(sizes) < 2 * _FEWEST_PACKETS:
        return 0
    usual = float(np.median(sizes[: len(sizes) // 4]))
    long = np.flatnonzero(sizes >= 0.9 * usual)
    last = int(long[-1]) + 1 if len(long) else 0
    return last if last <= len(sizes) - _FEWEST_PACKETS and float(np.std(sizes[:last])) < 0.05 * usual else 0

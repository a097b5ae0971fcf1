"""Is there a file, or text, where bare samples should be?

The task: given bytes that a client sent as audio, find the starts of media files in them (at the start, some bytes in,
or repeated in mid-stream when files or chunks with headers of their own were joined), and tell text. Every signature is
checked beyond its magic number, so that samples do not hit by chance: together 40 bits or more for each. What a general
compressor wrote is told at the very start (`container_packed`).
Source of the signatures: the format specifications, as collected in https://github.com/sindresorhus/file-type.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.container.header import Header, aiff_header, au_header, caf_header, plausible, wav_header
from sttdoctor.analysis.container.mpeg import find_frames
from sttdoctor.analysis.container.packed import packed_as
from sttdoctor.analysis.container.text import decoded, find_text

LABELS = {
    "wav": "a WAV file",
    "aiff": "an AIFF file",
    "au": "an AU file",
    "caf": "a CAF file",
    "ogg": "Ogg (Opus or Vorbis)",
    "webm": "WebM/Matroska (Opus)",
    "mp4": "MP4/M4A (AAC)",
    "flac": "FLAC",
    "mp3": "MP3",
    "aac": "AAC (ADTS)",
    "amr": "AMR",
    "amr-wb": "AMR-WB",
    "asf": "WMA (ASF)",
    "gzip": "gzip",
    "zip": "a zip archive",
    "bzip2": "bzip2",
    "xz": "xz",
    "zstd": "zstd",
}

_NEAR_START = 1 << 16  # bytes that are searched for everything
_SEARCHED = 1 << 24  # bytes that are searched for what is joined or repeated in mid-stream
_HEAD = 1 << 16
_MOST = 1000  # starts that are counted
_NEAR = 4096  # bytes: a file that starts so early is what the stream is, not something in it


@dataclass(frozen=True, slots=True)
class Start:
    """Where a media file begins: byte offset, a key of `LABELS`, and for files of bare samples what the header says."""

    offset: int
    kind: str
    header: Header | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What was found.

    Attributes:
        starts: Beginnings of media files in their order, at most `_MOST`; of Ogg each page counts.
        text: Kind of text as in `container_text.find_text`, None where the bytes are none.
        inside: Key of `LABELS` for the file that text of base64 or hex holds, None where it holds none.
        trailers: Offsets of the chunks that stand behind the samples of a WAV file (LIST, id3).
    """

    starts: tuple[Start, ...] = ()
    text: str | None = None
    inside: str | None = None
    trailers: tuple[int, ...] = ()

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
    header = au_header(head)
    return len(head) >= 24 and 24 <= header.payload <= 4096 and plausible(header.sample_rate or 0, header.channels or 0)


def _is_id3(head: bytes) -> bool:
    return len(head) >= 10 and 2 <= head[3] <= 4 and head[4] == 0 and not head[5] & 15 and max(head[6:10]) < 0x80


def _is_box(head: bytes) -> bool:
    return len(head) >= 12 and head[:2] == b"\0\0" and head[2:4] >= b"\0\x08" and head[8:12].isascii()


def _is_bare_format(head: bytes) -> bool:
    return (
        len(head) >= 24
        and head[4:8] in (b"\x10\0\0\0", b"\x12\0\0\0", b"\x28\0\0\0")
        and bool(wav_header(head, 0).sample_rate)
    )


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
    (b"ftyp", 4, _is_box, "mp4"),
    (b"styp", 4, _is_box, "mp4"),
    (b"ID3", 0, _is_id3, "mp3"),
    (b"#!AMR\n", 0, lambda _: True, "amr"),
    (b"#!AMR-WB\n", 0, lambda _: True, "amr-wb"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0, lambda _: True, "asf"),
)
_READERS: dict[str, Callable[[bytes], Header]] = {
    "wav": wav_header,
    "aiff": aiff_header,
    "au": au_header,
    "caf": caf_header,
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
        inside = _starts(decoded(data[: 4 * _NEAR].tobytes(), text))
        return Contents(text=text, inside=inside[0].kind if inside else None)
    content = data[:_SEARCHED].tobytes()
    starts = _starts(content)
    trailers = [place for place in _all(content, b"LIST") if content[place + 8 : place + 12] in (b"INFO", b"adtl")]
    trailers += [place for place in _all(content, b"id3 ") if content[place + 8 : place + 11] == b"ID3"]
    outside = [place for place in trailers if not _in_header(place, starts)]
    return Contents(tuple(starts), trailers=tuple(sorted(outside)))


def _starts(content: bytes) -> list[Start]:
    packed = packed_as(content[:_NEAR])
    if packed is not None:
        return [Start(0, packed)]
    near = content[:_NEAR_START]
    found = [start for signature in _MID_STREAM for start in _matches(content, signature)]
    found += [start for signature in _AT_START for start in _matches(near, signature)]
    if not found:
        found = [
            Start(place, "wav", wav_header(near[place:], 0))
            for place in _all(near, b"fmt ")
            if _is_bare_format(near[place : place + 64])
        ]
    frames = None if found else find_frames(near)
    if frames is not None:
        found.append(Start(*frames))
    found.sort(key=lambda start: start.offset)
    kept: list[Start] = []
    for start in found:
        if not _in_header(start.offset, kept[-1:]):
            kept.append(start)
    return kept[:_MOST]


def _matches(content: bytes, signature: _Signature) -> list[Start]:
    magic, before, holds, kind = signature
    places = [place - before for place in _all(content, magic) if place >= before]
    good = [place for place in places if holds(content[place : place + 64])]
    reader = _READERS.get(kind)
    return [Start(place, kind, reader(content[place : place + _HEAD]) if reader else None) for place in good]


def _all(content: bytes, magic: bytes) -> list[int]:
    places: list[int] = []
    place = content.find(magic)
    while place >= 0 and len(places) < _MOST:
        places.append(place)
        place = content.find(magic, place + 1)
    return places


def _in_header(place: int, starts: list[Start]) -> bool:
    return any(start.header and start.offset < place < start.offset + start.header.payload for start in starts)

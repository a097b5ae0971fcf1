"""Lines of a capture from a path, bytes or a file, plain or packed, in UTF-8 or UTF-16, with bounds on memory."""

import codecs
import io
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from gzip import BadGzipFile, GzipFile
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from sttdoctor.errors import InputError

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

MAX_LINE_BYTES = 32 << 20
"""A longer line is skipped and counted: 32 MiB of base64 is twelve minutes of 16 kHz audio in one frame."""

MAX_OBJECT_BYTES = 256 << 20
"""Of a file object that cannot be looked into before it is read (no `peek`): it is held in memory as a whole."""

MAX_UNPACKED_BYTES = 500 << 20
"""Of what is packed; more is not read."""

FREE_BYTES, MAX_RATIO = 64 << 20, 100
"""Beyond the first so many bytes, what is packed is read to so many times its size: nothing that was recorded packs
better than a session of silence, a thousandfold, and 64 MiB of that are half an hour."""

_REST = "from here on it was not read; unpack it to read all of it"
_BLOCK_BYTES = 1 << 18
_BZIP2, _XZ, _LONGEST_MARK = re.compile(rb"BZh[1-9]1AY&SY"), b"\xfd7zXZ\0", 10
_MAX_DICTIONARY_BYTES = 128 << 20  # of xz, whose densest preset takes half of it


class StreamError(ValueError):
    """The capture cannot be read from here on; the message says why.

    Attributes:
        line: From which on, where it is read by lines.
    """

    line = 1


@contextmanager
def open_stream(source: Source) -> Iterator[BufferedIOBase]:
    """Open a capture; a path is closed again, a file object of the caller stays open.

    Raises:
        InputError: A directory, or a file object in text mode.
        OSError: The file cannot be opened.
    """
    if isinstance(source, str | os.PathLike):
        if Path(source).is_dir():
            raise InputError(
                f"{source} is a directory; sttdoctor replay reads one capture, sttdoctor triage reads folders"
            )
        with open(source, "rb") as file:
            yield _unpack(file)
    elif hasattr(source, "peek"):
        yield _unpack(source)
    else:
        content = source if isinstance(source, bytes | bytearray | memoryview) else source.read(MAX_OBJECT_BYTES + 1)
        if isinstance(content, str):
            raise InputError("the file object is not opened in binary mode")
        if not isinstance(source, bytes | bytearray | memoryview) and len(content) > MAX_OBJECT_BYTES:
            raise InputError(f"the file object holds more than {MAX_OBJECT_BYTES >> 20} MiB; save it and give the path")
        yield _unpack(io.BufferedReader(io.BytesIO(content)))


def _unpack(stream: Any) -> BufferedIOBase:
    head = stream.peek(_LONGEST_MARK)[:_LONGEST_MARK]
    if head.startswith(b"\x1f\x8b"):
        return cast(BufferedIOBase, unpack_gzip(stream))
    if _BZIP2.match(head):
        from bz2 import BZ2Decompressor

        return cast(BufferedIOBase, _unpack_blocks(stream, BZ2Decompressor, "bzip2 stream", OSError))
    if head.startswith(_XZ):
        from lzma import LZMADecompressor, LZMAError

        begin = partial(LZMADecompressor, memlimit=_MAX_DICTIONARY_BYTES)
        return cast(BufferedIOBase, _unpack_blocks(stream, begin, "xz stream", LZMAError))
    return cast(BufferedIOBase, stream)


def _unpack_blocks(stream: Any, begin: Callable[[], Any], name: str, damage: type[Exception]) -> "Unpacked":
    counted = _Counted(stream)
    return Unpacked(_Decompressed(counted, begin), lambda: counted.size, name, (EOFError, damage))


def unpack_gzip(stream: Any) -> "Unpacked":
    """Return what a gzip stream holds."""
    counted = _Counted(stream)
    return Unpacked(GzipFile(fileobj=cast(BinaryIO, counted)), lambda: counted.size)


class _Counted:
    """A stream whose bytes are counted as they are read."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.size = 0

    def read(self, size: int) -> bytes:
        content: bytes = self._stream.read(size)
        self.size += len(content)
        return content


class _Decompressed:
    """What streams hold that are packed one after the other.

    Args:
        stream: Packed.
        begin: Makes what unpacks one of them.
    """

    def __init__(self, stream: _Counted, begin: Callable[[], Any]) -> None:
        self._stream = stream
        self._begin = begin
        self._current = begin()

    def read1(self, size: int) -> bytes:
        """Return what comes next, at most so many bytes; empty at the end.

        Raises:
            EOFError: The last stream is cut.
        """
        while True:
            data = b""
            if self._current.eof:
                data = self._current.unused_data or self._stream.read(_BLOCK_BYTES)
                if not data.strip(b"\0"):  # filled up
                    return b""
                self._current = self._begin()
            elif self._current.needs_input:
                data = self._stream.read(_BLOCK_BYTES)
                if not data:
                    raise EOFError("it ends too early")
            content: bytes = self._current.decompress(data, size)
            if content:
                return content


class Unpacked(io.RawIOBase):
    """What something packed holds, within bounds.

    Args:
        stream: Unpacks.
        packed: Gives how many packed bytes it has read.
        name: Of what is packed, for a reader.
        damage: What the stream raises where it is damaged.

    Raises:
        StreamError: When it is read: it is damaged, or unpacks to more than it may.
    """

    def __init__(
        self,
        stream: Any,
        packed: Callable[[], int],
        name: str = "gzip stream",
        damage: tuple[type[Exception], ...] = (EOFError, zlib.error, BadGzipFile),
    ) -> None:
        self._stream = stream
        self._packed = packed
        self._name = name
        self._damage = damage
        self._size = 0

    def readable(self) -> bool:
        """True."""
        return True

    def read1(self, size: int) -> bytes:
        """Return what is there, at most so many bytes; empty at the end."""
        try:
            content: bytes = self._stream.read1(size)  # unlike read, it gives what stands before damage
        except self._damage as error:
            raise StreamError(f"the {self._name} is damaged: {error}") from None
        self._size += len(content)
        if self._size > min(MAX_UNPACKED_BYTES, FREE_BYTES + MAX_RATIO * self._packed()):
            raise StreamError(f"the {self._name} unpacks to more than {self._limit}; {_REST}")
        return content

    @property
    def _limit(self) -> str:
        return f"{MAX_UNPACKED_BYTES >> 20} MiB" if self._size > MAX_UNPACKED_BYTES else f"{MAX_RATIO} times its size"

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, or the beginning of it."""
        content = self.read1(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def numbered_lines(stream: BufferedIOBase) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line without its end, with its number from 1; None stands for one longer than `MAX_LINE_BYTES`.

    Raises:
        StreamError: The stream is damaged; the lines before that have been yielded.
    """
    number = 1
    try:
        for first, others in _blocks_of_lines(stream):
            yield number, first
            number += 1
            if others:
                lines = others.split(b"\n")
                lines.pop()  # behind the last end
                yield from enumerate(lines, number)
                number += len(lines)
    except StreamError as error:
        error.line = number
        raise


class Reader(Protocol):
    """Takes lines with marks.

    Attributes:
        marks: What to look for in the next line; it matches within a line, and never nothing.
    """

    marks: re.Pattern[bytes]


def marked_lines(stream: BufferedIOBase, reader: Reader) -> Iterator[tuple[int, bytes | None]]:
    """Yield what `numbered_lines` does, but of the lines only those in which a mark is found.

    Args:
        stream: The stream.
        reader: Says what to look for, anew for each line.

    Raises:
        StreamError: The stream is damaged; the lines before that have been yielded.
    """
    number = 1
    try:
        for first, others in _blocks_of_lines(stream):
            if first is None or reader.marks.search(first):
                yield number, first
            number += 1
            begin = 0
            while (mark := reader.marks.search(others, begin)) is not None:
                place = mark.start()
                start = others.rfind(b"\n", begin, place) + 1
                if start:  # lines without a mark are between
                    number += others.count(b"\n", begin, start)
                    begin = start
                end = others.find(b"\n", place)
                yield number, others[begin:end]
                number += 1
                begin = end + 1
            number += others.count(b"\n", begin)
    except StreamError as error:
        error.line = number
        raise


def _blocks_of_lines(stream: BufferedIOBase) -> Iterator[tuple[bytes | None, bytes]]:
    """Yield a line without its end, None if it is too long, and the whole lines that follow it, with their ends."""
    begun: list[bytes] = []  # pieces of a line that is not complete yet
    length = 0
    size = min(_BLOCK_BYTES, MAX_LINE_BYTES)  # so that only a line of several blocks can be too long
    while block := stream.read1(size):
        first = block.find(b"\n")
        piece = block if first < 0 else block[:first]
        if length <= MAX_LINE_BYTES:
            begun.append(piece)
            length += len(piece)
        if first >= 0:
            last = block.rfind(b"\n") + 1
            yield _whole(begun, length), block[first + 1 : last]
            begun, length = [block[last:]], len(block) - last
    if length:
        yield _whole(begun, length), b""


def _whole(pieces: list[bytes], length: int) -> bytes | None:
    """Return the line of some pieces, which are given up so that it is in memory once."""
    line = b"".join(pieces) if length <= MAX_LINE_BYTES else None
    pieces.clear()
    return line


_BOMS = ((b"\xff\xfe\0\0", "utf-32-le"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOKED_AT = 64  # bytes, from which text without a byte order mark is told


def utf16_of(head: bytes) -> str | None:
    """Return `utf-16-le` or `utf-16-be` where the first bytes are such text, None where they are none.

    Without a byte order mark it is told by zeros in every second byte alone, as Latin letters have them.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    low, high = head[:_LOOKED_AT:2], head[1:_LOOKED_AT:2]
    if len(low) != _LOOKED_AT // 2 or len(high) != len(low):
        return None
    for text, zeros, name in ((low, high, "utf-16-le"), (high, low, "utf-16-be")):
        if not zeros.strip(b"\0") and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in text):
            return name
    return None


def utf8_of(head: bytes, name: str) -> bytes:
    """Return the first bytes in UTF-8, without a byte order mark; what is cut at the end is left out."""
    text = codecs.getincrementaldecoder(name)("replace").decode(head)
    return text.removeprefix("\ufeff").encode(errors="replace")


class Transcoded(io.RawIOBase):
    """A stream of UTF-16 as UTF-8; what is no character becomes U+FFFD.

    Args:
        stream: Binary, has `read1`.
        name: Of the encoding, as `utf16_of` gives it.
    """

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(name)("replace")
        self._begun = False
        self._ready = b""

    def readable(self) -> bool:
        """True."""
        return True

    def read1(self, size: int) -> bytes:
        """Return what is there, at most so many bytes; empty at the end."""
        while not self._ready:
            block = self._stream.read1(max(size, 2))
            text = self._decoder.decode(block, final=not block)
            if text and not self._begun:
                self._begun, text = True, text.removeprefix("\ufeff")
            self._ready = text.encode(errors="replace")
            if not block:
                break
        content, self._ready = self._ready[:size], self._ready[size:]
        return content

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, or the beginning of it."""
        content = self.read1(len(buffer))
        buffer[: len(content)] = content
        return len(content)

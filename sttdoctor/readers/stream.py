"""Lines of a capture from a path, bytes or a file object, plain or gzip, with bounds on what is held in memory."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import GzipFile
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

from sttdoctor.errors import InputError

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

MAX_LINE_BYTES = 32 << 20
"""A longer line is skipped and counted: 32 MiB of base64 is twelve minutes of 16 kHz audio in one frame."""

MAX_OBJECT_BYTES = 256 << 20
"""Of a file object that cannot be looked into before it is read (no `peek`): it is held in memory as a whole."""

_BLOCK_BYTES = 1 << 18


@contextmanager
def opened(source: Source) -> Iterator[BufferedIOBase]:
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
            yield _unpacked(file)
    elif hasattr(source, "peek"):
        yield _unpacked(source)
    else:
        content = source if isinstance(source, bytes | bytearray | memoryview) else source.read(MAX_OBJECT_BYTES + 1)
        if isinstance(content, str):
            raise InputError("the file object is not opened in binary mode")
        if not isinstance(source, bytes | bytearray | memoryview) and len(content) > MAX_OBJECT_BYTES:
            raise InputError(f"the file object holds more than {MAX_OBJECT_BYTES >> 20} MiB; save it and give the path")
        yield _unpacked(io.BufferedReader(io.BytesIO(content)))


def _unpacked(stream: Any) -> BufferedIOBase:
    packed = stream.peek(2)[:2] == b"\x1f\x8b"
    return cast(BufferedIOBase, GzipFile(fileobj=stream) if packed else stream)


def numbered_lines(stream: BufferedIOBase) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line without its end, with its number from 1; None stands for one longer than `MAX_LINE_BYTES`."""
    number = 1
    for lines in _blocks_of_lines(stream):
        yield from enumerate(lines, number)
        number += len(lines)


def _blocks_of_lines(stream: BufferedIOBase) -> Iterator[list[bytes | None]]:
    begun: list[bytes] = []  # pieces of a line that is not complete yet
    length = 0
    size = min(_BLOCK_BYTES, MAX_LINE_BYTES)  # so that only a line of several blocks can be too long
    while block := stream.read1(size):  # unlike read, it gives what stands before damage
        first, *others = block.split(b"\n")
        if length <= MAX_LINE_BYTES:
            begun.append(first)
            length += len(first)
        if not others:
            continue
        last = others.pop()
        yield [_whole(begun, length), *others]
        begun, length = [last], len(last)
    if length:
        yield [_whole(begun, length)]


def _whole(pieces: list[bytes], length: int) -> bytes | None:
    return b"".join(pieces) if length <= MAX_LINE_BYTES else None

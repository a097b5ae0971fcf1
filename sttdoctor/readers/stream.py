"""Lines of a capture from a path, bytes or a file object, plain or gzip, with bounds on what is held in memory."""

import gzip
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from sttdoctor.errors import InputError

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

MAX_LINE_BYTES = 32 << 20
"""A longer line is skipped and counted: 32 MiB of base64 is twelve minutes of 16 kHz audio in one frame."""


MAX_OBJECT_BYTES = 256 << 20
"""Of a file object that cannot be looked into before it is read (no `peek`): it is held in memory as a whole."""


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """Open a capture; a path is closed again, a file object of the caller stays open.

    Raises:
        InputError: A directory, or a file object in text mode.
        OSError: The file cannot be opened.
    """
    if isinstance(source, str | os.PathLike):
        if Path(source).is_dir():
            raise InputError(f"{source} is a directory; sttdoctor replay reads one capture")
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


def _unpacked(stream: Any) -> BinaryIO:
    packed = stream.peek(2)[:2] == b"\x1f\x8b"
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream) if packed else stream)


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number, from 1; None stands for one that is longer than `MAX_LINE_BYTES`."""
    return enumerate(_lines(stream), start=1)


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    while line := stream.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 20)
        yield None

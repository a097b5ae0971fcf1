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

MAX_LINE_BYTES = 64 << 20
"""A longer line is skipped and counted: 64 MiB of base64 is half an hour of 16 kHz audio in one frame."""

MAX_BYTES = 2 << 30
"""Reading stops there, so that a small gzip file cannot fill the memory: two hours of 32-bit audio at 48 kHz."""

_LINE_COST = 400  # bytes of memory that the row of a line takes, however short the line is


class TooLongError(ValueError):
    """The capture is longer than `MAX_BYTES`."""


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
        content = source if isinstance(source, bytes | bytearray | memoryview) else source.read(MAX_BYTES)
        if isinstance(content, str):
            raise InputError("the file object is not opened in binary mode")
        yield _unpacked(io.BufferedReader(io.BytesIO(content)))


def _unpacked(stream: Any) -> BinaryIO:
    packed = stream.peek(2)[:2] == b"\x1f\x8b"
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream) if packed else stream)


def numbered_lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line with its number, from 1; None stands for one that is longer than `MAX_LINE_BYTES`.

    Raises:
        TooLongError: More would be held in memory than `MAX_BYTES`.
    """
    held = 0
    for number, line in enumerate(_lines(stream), start=1):
        held += max(len(line or b""), _LINE_COST)
        if held > MAX_BYTES:
            raise TooLongError(f"longer than {MAX_BYTES >> 20} MiB; from here on the capture was not read")
        yield number, line


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    while line := stream.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(1 << 20)
        yield None

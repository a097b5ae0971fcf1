"""Headerless audio from a path, bytes or a file object."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sttdoctor.errors import InputError
from sttdoctor.evidence import Audio

MAX_STREAM_BYTES = 1 << 30
"""A pipe or file object holds its bytes in memory; three hours of 16-bit audio at 48 kHz fit."""

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def read_audio(source: Source) -> Audio:
    """Read raw audio; a regular file is mapped into memory and not copied.

    Args:
        source: A path, the bytes themselves, or a binary file object, which is read to its end.

    Raises:
        InputError: The file is missing, unreadable, a directory or empty, or a stream is longer than
            `MAX_STREAM_BYTES`.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _audio(np.frombuffer(source, dtype=np.uint8), None)
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source))
    return _audio(_read_stream(source), None)


def _read_path(path: Path) -> Audio:
    try:
        if path.is_dir():
            raise InputError(
                f"{path} is a directory; sttdoctor check reads one audio file, sttdoctor triage reads folders"
            )
        if path.is_file():
            size = path.stat().st_size
            # as a plain array: slices of a memmap object cost ten times as much
            data = np.asarray(np.memmap(path, dtype=np.uint8, mode="r")) if size else np.empty(0, dtype=np.uint8)
        else:  # a pipe or device has no size to map
            with path.open("rb") as stream:
                data = _read_stream(stream)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return _audio(data, str(path))


def _read_stream(stream: BinaryIO) -> NDArray[np.uint8]:
    try:
        content = stream.read(MAX_STREAM_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read the audio: {error.strerror or error}") from None
    if not isinstance(content, bytes | bytearray):
        raise InputError("the file object is not opened in binary mode")
    if len(content) > MAX_STREAM_BYTES:
        raise InputError(f"the stream is longer than {MAX_STREAM_BYTES >> 20} MiB; save it to a file and check that")
    return np.frombuffer(content, dtype=np.uint8)


def _audio(data: NDArray[np.uint8], path: str | None) -> Audio:
    if len(data) == 0:
        raise InputError(f"{path or 'the audio'} is empty")
    return Audio(data, path)

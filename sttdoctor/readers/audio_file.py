"""Headerless audio from a path, bytes or a file object."""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sttdoctor.errors import InputError
from sttdoctor.evidence import Audio

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def read_audio(source: Source) -> Audio:
    """Read raw audio; a regular file is mapped into memory and not copied.

    Args:
        source: A path, the bytes themselves, or a binary file object, which is read to its end.

    Raises:
        InputError: The file is missing, unreadable, a directory or empty.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _audio(np.frombuffer(source, dtype=np.uint8), None)
    if isinstance(source, str | os.PathLike):
        return _read_path(Path(source))
    content = source.read()
    if not isinstance(content, bytes | bytearray):
        raise InputError("the file object is not opened in binary mode")
    return _audio(np.frombuffer(content, dtype=np.uint8), None)


def _read_path(path: Path) -> Audio:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory; sttdoctor check reads one audio file")
        if path.is_file():
            size = path.stat().st_size
            data = np.memmap(path, dtype=np.uint8, mode="r") if size else np.empty(0, dtype=np.uint8)
        else:  # a pipe or device has no size to map
            data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"cannot read {path}: {error}") from None
    return _audio(data, str(path))


def _audio(data: "np.typing.NDArray[np.uint8]", path: str | None) -> Audio:
    if len(data) == 0:
        raise InputError(f"{path or 'the audio'} is empty")
    return Audio(data, path)

"""Names for the files of a recorder: one a connection, and none that is there already."""

import os
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

from sttdoctor.errors import UsageError


def names(output: str | None) -> Iterator[Path]:
    """Yield the name for each connection.

    Args:
        output: A file for the first connection (`session.jsonl`, then `session-2.jsonl`), or a directory, in which
            names are made of time and number; None is the current directory. A device (`/dev/null`) is one for all.

    Raises:
        UsageError: The file is there already, or there is no such directory.
    """
    path = Path(output or ".")
    if path.is_dir() or (output or "").endswith(os.sep):
        return _in_directory(path)
    if path.exists() and not path.is_file():
        return (path for _ in count())
    if path.exists():
        raise UsageError(f"{path} is there already; give another name, or a directory")
    if not path.parent.is_dir():
        raise UsageError(f"there is no directory {path.parent}")
    return numbered(path)


def _in_directory(path: Path) -> Iterator[Path]:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the directory {path}: {error.strerror or error}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write into the directory {path}")
    return (path / time.strftime(f"session-%Y%m%d-%H%M%S-{number}.jsonl") for number in count(1))


def numbered(path: Path) -> Iterator[Path]:
    """Yield `session.jsonl`, `session-2.jsonl`, `session-3.jsonl` and so on."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def create(free: Iterator[Path]) -> tuple[Path, BinaryIO]:
    """Open a new file under the next free name, without a buffer; a file that is there is never written over.

    Raises:
        OSError: It cannot be made.
    """
    for path in free:
        try:
            return path, path.open("wb" if path.exists() and not path.is_file() else "xb", buffering=0)
        except FileExistsError:
            continue
    raise AssertionError("names never end")

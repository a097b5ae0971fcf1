"""The file of one recorded connection, and its name: one that is free.

When the file cannot be written the recording ends, the connection does not.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

from sttdoctor.errors import UsageError
from sttdoctor.record.meter import Meter
from sttdoctor.record.recording import Heading, Recording, Row, to_file


def free_names(output: str | None) -> Iterator[Path]:
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
    return number_names(path)


def _in_directory(path: Path) -> Iterator[Path]:
    try:
        make_folder(path)
    except OSError as error:
        raise UsageError(f"cannot make the directory {path}: {error.strerror or error}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise UsageError(f"cannot write into the directory {path}")
    return stamp_names(path, "session", ".jsonl")


def stamp_names(folder: Path, what: str, suffix: str = "") -> Iterator[Path]:
    """Yield names of the time and a number: `session-20260301-101500-1.jsonl` and so on."""
    return (folder / time.strftime(f"{what}-%Y%m%d-%H%M%S-{number}{suffix}") for number in count(1))


def make_folder(folder: Path, is_new: bool = False) -> None:
    """Make a folder and those above it that are missing, for their owner alone: recordings hold what people said.

    Raises:
        OSError: It cannot be made; `FileExistsError` where a file has its name, or where it is to be a new one.
    """
    missing = [above for above in folder.parents if not above.exists()]
    for above in reversed(missing):
        above.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=not is_new)


def number_names(path: Path) -> Iterator[Path]:
    """Yield `session.jsonl`, `session-2.jsonl`, `session-3.jsonl` and so on."""
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def create_file(free: Iterator[Path]) -> tuple[Path, BinaryIO]:
    """Open a new file under the next free name, for its owner alone and without a buffer.

    A file that is there, or a link, is never written over.

    Raises:
        OSError: It cannot be made.
    """
    for path in free:
        try:
            if path.exists() and not path.is_file():
                return path, path.open("wb", buffering=0)
            return path, open(path, "xb", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600))
        except FileExistsError:
            continue
    raise AssertionError("names never end")


class Journal:
    """One connection on its way into a file.

    Args:
        heading: For the first row.
        names: Free names, from `free_names`.
        tell: Takes a sentence about what went wrong.
        began: When the session began, on the clock of `time.monotonic`; None is now.
        ends: Takes the final texts.

    Attributes:
        path: Of the file, None where none could be made.
        recording: Takes what happens.
        meter: What the session looks like so far.
        status: Of the handshake, None before it.
        close: The row of the close, None before it.
    """

    def __init__(
        self,
        heading: Heading,
        names: Iterator[Path],
        tell: Callable[[str], None],
        began: float | None = None,
        ends: list[str] | None = None,
    ) -> None:
        self.path: Path | None = None
        self.meter = Meter(heading.url, ends)
        self.status: int | None = None
        self.close: Row | None = None
        self._tell = tell
        self._file: BinaryIO | None = None
        try:
            self.path, self._file = create_file(names)
            self._write = to_file(self._file)
        except OSError as error:
            self._fail(error)
        self.recording = Recording(heading, self._take, began)

    @property
    def size(self) -> int:
        """Bytes that are written, 0 where nothing is any more."""
        return 0 if self._file is None else os.fstat(self._file.fileno()).st_size

    def end(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):  # what could not be written has been told
                file.close()

    def _take(self, row: Row) -> None:
        self.meter.see(row)
        if row["type"] == "open":
            self.status = row["status"]
        elif row["type"] == "close":
            self.close = row
        if self._file is not None:
            try:
                self._write(row)
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        where = f"cannot write {self.path or error.filename}: {error.strerror or error}"
        self._tell(f"{where}; what was captured is kept, the connection goes on without being recorded")
        self.end()

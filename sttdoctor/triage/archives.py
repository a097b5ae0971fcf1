"""Members of zip and tar archives, read where they lie: nothing is unpacked to disk, no link is followed.

A task names the archive and the member, so a worker that sees the same files can read it. A packed tar archive can only
be read forwards: each worker keeps its place in it, and members come in the order of the archive.
"""

import gzip
import io
import re
import stat
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from sttdoctor.errors import InputError
from sttdoctor.readers.har.files import list_recorded
from sttdoctor.readers.har.zip_file import DAMAGE, Zip, open_unchecked
from sttdoctor.redact import redact_text
from sttdoctor.triage.task import Task

MAX_UNPACKED_BYTES = 64 << 30
"""Of a packed tar archive: reading its list of members unpacks it once. 75,000 sessions of 20 s fit."""

MAX_HEADER_BYTES = 1 << 16
"""Of what describes one member of a tar archive: a name that is longer is an attack."""

MAX_LIST_BYTES = 192 << 20
"""Estimated memory for the members of all archives of a run: half a million with usual names."""

_MOST_DIGITS = 300
"""In a row, in what describes a member: no file system takes a longer name, and before Python 3.11.10 and 3.12.6
`tarfile` takes time by the square of them (https://nvd.nist.gov/vuln/detail/CVE-2024-6232)."""

_DIGITS = re.compile(rb"\d+")
_TASK_BYTES = 300  # without the name
_BLOCK = 1 << 20
_open: dict[str, Any] = {}


class Room:
    """Memory for the members of archives; what is beyond it is not listed."""

    def __init__(self) -> None:
        self._left = MAX_LIST_BYTES

    def take(self, name: str) -> None:
        """Take the place of a member.

        Raises:
            ValueError: There is none left.
        """
        self._left -= _TASK_BYTES + sys.getsizeof(name)
        if self._left < 0:
            raise ValueError(f"the names of more files would take more than {MAX_LIST_BYTES >> 20} MiB")


def is_archive(path: str) -> bool:
    """Whether a name is that of an archive that `members` reads."""
    return path.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz"))


def members(path: str, room: Room) -> Iterator[Task]:
    """Yield the regular files of an archive, in its order; of several with one name the last one counts.

    What is damaged, or beyond the room, is told by a last task with an `error`; links, folders and devices are left
    out.
    """
    found = False
    error = ""
    try:
        for task in _zip_members(path) if path.lower().endswith(".zip") else _tar_members(path):
            room.take(task.member)
            found = True
            if task.member or task.size < 0:
                yield task
            else:
                error = "a file in the archive has no name, so it cannot be read"
    except DAMAGE as problem:
        error = f"the archive cannot be read{' to its end' if found else ''}: {problem or type(problem).__name__}"
    except MemoryError:
        error = "the list of the archive's members needs more memory than there is"
    if error or not found:
        yield Task(path, error=error or "the archive holds no files")


def _zip_members(path: str) -> Iterator[Task]:
    with Zip(path) as archive:
        if any(list_recorded(archive)):  # one capture in several files
            yield Task(path)
            return
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if not info.filename.endswith("/") and kind in (0, stat.S_IFREG):
                yield Task(path, info.filename, size=info.file_size)


def _tar_members(path: str) -> Iterator[Task]:
    with _unpack(path) as file:
        bounded = _Bounded(file)
        with tarfile.open(fileobj=cast(BinaryIO, bounded), mode="r:") as t:
            while (info := t.next()) is not None:
                t.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header
                cast(dict[str, str], t.pax_headers).clear()  # and give every member all that stood in global ones
                bounded.left = MAX_HEADER_BYTES
                if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not info.issparse():
                    yield Task(path, info.name, info.offset_data, info.size)


def _unpack(path: str) -> BinaryIO:
    return cast(BinaryIO, open(path, "rb") if path.lower().endswith(".tar") else gzip.open(path, "rb"))


class _Bounded:
    """A tar archive that refuses to be read long for one member, or far: what a hostile archive asks for.

    Attributes:
        left: Bytes that may be read until the next member is found.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell = file.tell
        self.left = MAX_HEADER_BYTES

    def read(self, size: int) -> bytes:
        self.left -= size
        if self.left < 0:
            raise ValueError("the header of a member is too long")
        content = self._file.read(size)
        if max(map(len, _DIGITS.findall(content)), default=0) > _MOST_DIGITS:
            raise ValueError(f"the header of a member holds a number of more than {_MOST_DIGITS} digits")
        return content

    def seek(self, position: int) -> int:
        if position > MAX_UNPACKED_BYTES:
            raise ValueError(f"it holds more than {MAX_UNPACKED_BYTES >> 30} GiB")
        return self._file.seek(position)


@contextmanager
def open_task(task: Task) -> Iterator[io.BufferedReader]:
    """Open a member for reading.

    Raises:
        InputError: It cannot be read.
    """
    try:
        if task.offset >= 0:
            yield io.BufferedReader(_Part(_keep_open(task.path), task.offset, task.size), _BLOCK)
        else:
            archive = _keep_open(task.path)
            with open_unchecked(archive, task.member) as stream:
                yield stream
    except RuntimeError as error:  # zipfile says so of what is encrypted
        raise InputError(f"cannot read {task.member}: {error}") from None
    except DAMAGE as error:
        raise InputError(f"cannot read {task.member} in {task.path}: {redact_text(str(error))}") from None


def _keep_open(path: str) -> Any:
    """Return an archive that stays open for its next member; there is one at a time."""
    if path not in _open:
        close()
        _open[path] = Zip(path) if path.lower().endswith(".zip") else _unpack(path)
    return _open[path]


def close() -> None:
    """Close the archive that was read last."""
    while _open:
        _open.popitem()[1].close()


class _Part(io.RawIOBase):
    """A member of a tar archive as a file of its own."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        self._file = file
        self._left = size
        file.seek(offset)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._file.read(min(len(buffer), self._left))
        self._left -= len(content)
        buffer[: len(content)] = content
        return len(content)

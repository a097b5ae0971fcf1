"""Members of zip archives, read where they lie: nothing is unpacked to disk, and no stated size is trusted."""

import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from sttdoctor.readers.stream import Unpacked

MAX_DIRECTORY_BYTES = 24 << 20
"""Of the list of members in a zip archive: 300,000 with usual names, which take ten times as much memory."""

DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, OSError, ValueError, NotImplementedError),
    *(LookupError, ArithmeticError, struct.error, RecursionError),  # of a library that meets what it does not expect
)
"""What a damaged archive raises."""

_BLOCK = 1 << 20


class Zip(zipfile.ZipFile):
    """A zip archive whose list of members, which is read in one piece, is not too long.

    Args:
        source: Path, or a file object that is open for reading and can seek.
    """

    _source: "_Source | None" = None

    def __init__(self, source: str | os.PathLike[str] | BinaryIO) -> None:
        if isinstance(source, str | os.PathLike):
            self._source = _Source(open(source, "rb"), is_own=True)  # noqa: SIM115  # closed with the archive
        else:
            self._source = _Source(source, is_own=False)
        super().__init__(cast(BinaryIO, self._source))
        self._source.is_listed = True

    def close(self) -> None:
        """Close it, and the file where a path was given."""
        super().close()
        if self._source is not None:
            self._source.close()


class _Source:
    is_listed = False

    def __init__(self, file: BinaryIO, is_own: bool) -> None:
        self._file = file
        self._is_own = is_own
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int | None = -1) -> bytes:
        if not self.is_listed and size is not None and size > MAX_DIRECTORY_BYTES:
            raise ValueError(f"its list of files is longer than {MAX_DIRECTORY_BYTES >> 20} MiB")
        return self._file.read(-1 if size is None else size) or b""

    def close(self) -> None:
        if self._is_own:
            self._file.close()


@contextmanager
def open_unchecked(archive: Zip, name: str) -> Iterator[io.BufferedReader]:
    """Open a member for reading.

    Raises:
        RuntimeError: It is encrypted.
        Exception: One of `DAMAGE`, here or when it is read.
    """
    with archive.open(name) as stream:
        packed = archive.getinfo(name).compress_size
        yield io.BufferedReader(Unpacked(stream, lambda: packed, "member of the archive", DAMAGE), _BLOCK)

"""Files that a command writes: whole or not at all, and over nothing else unless that is asked for.

The rule, for all commands but `record`, which numbers its files: a file that is there already is written over only with
`--force`, unless it is empty or holds the same. A link is followed only with `--force`. An input is never written over.
Devices and pipes (`/dev/stdout`, `>(...)`) are written to as they are.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from sttdoctor.errors import UsageError, make_unwritable


def check_spared(outputs: Iterable[str | None], inputs: Iterable[str | None], force: bool) -> None:
    """Refuse outputs that cannot be meant, before any work is done.

    Args:
        outputs: Files to be written; None is none.
        inputs: Files that are read; `-` is standard input.
        force: Whether links may be followed.

    Raises:
        UsageError: An output is an input or another output, or a link without `force`.
        InputError: It is a directory, or stands in none.
    """
    taken = [path for path in inputs if path and os.path.exists(path)]
    written: list[str] = []
    for output in filter(None, outputs):
        if any(os.path.exists(output) and os.path.samefile(output, path) for path in taken):
            raise UsageError(f"{output} is an input; choose another file to write")
        if not _is_stream(output):
            target = _target(output, force)
            if target in written:
                raise UsageError(f"{output} is to be written twice; choose two files")
            written.append(target)


@contextmanager
def write_whole(path: str | os.PathLike[str], force: bool = False, private: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that stands under its name when the body is through, and not before.

    Args:
        path: Where to; a file that was there keeps its permissions.
        force: Whether to write over a file that holds something else, and where a link leads.
        private: Whether only its owner may read it.

    Raises:
        UsageError: It is there already and may not be written over.
        InputError: It cannot be written, as on a full disk; what was there stays.
    """
    name = os.fspath(path)
    try:
        if _is_stream(name):
            with open(name, "wb") as file:
                yield file
            return
        target = _target(name, force)
        beside = os.path.join(os.path.dirname(target), f".sttdoctor-{os.urandom(6).hex()}.part")
        mode = 0o600 if private else 0o666
        try:
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode), "wb") as file:
                yield file
            _put(beside, target, force, private)
        except FileExistsError:
            raise UsageError(f"{name} exists; --force writes over it") from None
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside)
    except OSError as error:
        raise make_unwritable(name, error) from None


_BINARY = getattr(os, "O_BINARY", 0)


def _put(made: str, target: str, force: bool, private: bool) -> None:
    """Give a file its name.

    Raises:
        FileExistsError: Another one has it.
    """
    if os.path.exists(target):
        import filecmp

        if not (force or os.path.getsize(target) == 0 or filecmp.cmp(made, target, shallow=False)):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        if not private:
            os.chmod(made, stat.S_IMODE(os.stat(target).st_mode))
    os.replace(made, target)


def _is_stream(path: str) -> bool:
    """Whether what is written goes somewhere else: a device or a pipe, or standard output by its name."""
    if path in ("/dev/stdout", "/dev/stderr") or path.startswith(("/dev/fd/", "/proc/self/fd/")):
        return True
    return os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))


def _target(path: str, force: bool) -> str:
    """Where a file will stand, links followed.

    Raises:
        UsageError: It is a link, and `force` does not allow it.
        InputError: It is a directory, or stands in none.
    """
    target = os.path.realpath(path)
    if os.path.isdir(target):
        raise make_unwritable(path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    if os.path.islink(path) and not force:
        raise UsageError(f"{path} is a link to {target}; --force writes there")
    if not os.path.isdir(os.path.dirname(target)):
        raise make_unwritable(path, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    return target

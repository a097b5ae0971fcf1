"""Which captures a command line means: files, folders with all below them, patterns, archives."""

import glob
import os
from collections.abc import Iterable, Iterator

from sttdoctor.errors import InputError, UsageError
from sttdoctor.triage.archives import Room, is_archive, members
from sttdoctor.triage.task import Task


def collect(paths: Iterable[str], leave_out: Iterable[str] = ()) -> list[Task]:
    """Return one task a capture, in the order of the paths and by name inside a folder; each capture once.

    Folders are searched with all that is below them; links to folders are not followed, hidden files and what is no
    regular file are left out. A pattern (`*`, `?`, `[`, `**`) is matched where no file has that name.

    Args:
        paths: Of files, folders and archives, or patterns.
        leave_out: Files that are no captures whatever folder they stand in: the tables to be written.

    Raises:
        InputError: A path does not exist or a pattern matches nothing, or there is no capture at all.
        UsageError: A path is one of `leave_out`.
    """
    unwanted = {os.path.realpath(path) for path in leave_out}
    found: dict[tuple[str, str], Task] = {}
    room = Room()
    for path in paths:
        for name in _matches(path):
            if os.path.realpath(name) in unwanted:
                raise UsageError(f"{name} is an input; choose another file to write")
            for file in _files(name):
                if os.path.realpath(file) not in unwanted:
                    for task in _tasks(os.path.normpath(file), room):
                        if task.member:  # the last of one name, at its own place: a packed archive is read forwards
                            found.pop(task.key, None)
                        found[task.key] = task
    if not found:
        raise InputError(f"there are no captures in {', '.join(paths)}")
    return list(found.values())


def _matches(path: str) -> list[str]:
    if os.path.lexists(path):
        return [path]
    names = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
    if not names:
        what = "no file matches" if glob.has_magic(path) else "there is no"
        raise InputError(f"{what} {path}")
    return names


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = os.path.join(folder, name)
            if not name.startswith(".") and os.path.isfile(file):
                yield file


def _tasks(path: str, room: Room) -> Iterator[Task]:
    if is_archive(path) and os.path.isfile(path):
        yield from members(path, room)
    else:
        yield Task(path)

"""What Playwright writes around a HAR: archives, traces, and files beside it that hold the messages of a socket.

With `content: "attach"` an entry holds no messages, but `response.content._file` names a file with one of them a line.
A `.har.zip` holds `har.har` and such files; the archive of a trace holds `trace.network`, each line of which has an
entry as `snapshot`, and such files below `resources/`.
"""

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from io import BufferedReader
from typing import TYPE_CHECKING, NoReturn

from sttdoctor.errors import InputError
from sttdoctor.readers.sockets import Wanted
from sttdoctor.readers.stream import MAX_OBJECT_BYTES, StreamError

if TYPE_CHECKING:
    from sttdoctor.readers.har.zip_file import Zip

Attached = Callable[[str], AbstractContextManager[BufferedReader | None]]
"""Opens a file by the name that a HAR gives it; None where it is not there."""

FILE_NAME = re.compile(r"(?:resources/)?[0-9A-Za-z_-][0-9A-Za-z_.-]{0,120}")
"""Of a file beside a HAR: in no other folder, and not hidden."""

_HAR = "har.har"
_TRACE = re.compile(r"(?:[^/]*-)?trace\.network|test\.network")
_MESSAGE = re.compile(rb'\{"type":"(?:send|receive)","time":-?[\d.]+,"opcode":')
_HEAD = b"PK\x03\x04"


def holds_messages(head: bytes) -> bool:
    """Whether the first bytes of a capture are those of a file of messages, without the HAR that names it."""
    return bool(_MESSAGE.match(head))


def read_messages(_stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> NoReturn:
    """Refuse a file of messages.

    Raises:
        InputError: Always.
    """
    del connection
    raise InputError(
        f"{path or 'the capture'} holds messages of a HAR or a trace by Playwright; give the .har, or trace.network, "
        "that names this file, and keep them together"
    )


def holds_zip(head: bytes) -> bool:
    """Whether the first bytes of a capture are those of a zip archive."""
    return head.startswith(_HEAD)


def look_beside(path: str | None) -> Attached:
    """Return what opens files beside a HAR; they are regular ones, and no links."""
    folder = os.path.dirname(path) if path is not None else None

    @contextmanager
    def attached(name: str) -> Iterator[BufferedReader | None]:
        file = os.path.join(folder, *name.split("/")) if folder is not None and FILE_NAME.fullmatch(name) else None
        if file is None or os.path.islink(file) or not os.path.isfile(file):
            yield None
            return
        with open(file, "rb") as stream:
            yield stream

    return attached


@contextmanager
def open_archive(stream: BufferedReader, path: str | None) -> Iterator["Zip"]:
    """Open a zip archive: where it lies, or held in memory where it is no file.

    Raises:
        InputError: It is damaged, or too large to be held.
    """
    from sttdoctor.readers.har.zip_file import DAMAGE, Zip

    name = path or "the capture"
    try:
        archive = Zip(path if path is not None and _is_archive(path) else io.BytesIO(_hold(stream, name)))
    except DAMAGE:
        raise InputError(f"{name} is a damaged zip archive") from None
    with archive:
        yield archive


def _is_archive(path: str) -> bool:
    with open(path, "rb") as file:
        return holds_zip(file.read(len(_HEAD)))


def _hold(stream: BufferedReader, name: str) -> bytes:
    content = stream.read(MAX_OBJECT_BYTES + 1)
    if len(content) > MAX_OBJECT_BYTES:
        raise InputError(f"{name} is an archive of more than {MAX_OBJECT_BYTES >> 20} MiB; save it and give the path")
    return content


def list_recorded(archive: "Zip") -> tuple[list[str], list[str]]:
    """Return the names of HARs and of the network parts of traces that Playwright packed into an archive."""
    names = archive.namelist()
    return [name for name in names if name == _HAR], sorted(name for name in names if _TRACE.fullmatch(name))


def look_inside(archive: "Zip") -> Attached:
    """Return what opens files of an archive."""
    names = set(archive.namelist())
    return lambda name: open_member(archive, name) if name in names else nullcontext(None)


@contextmanager
def open_member(archive: "Zip", name: str) -> Iterator[BufferedReader]:
    """Open a file of an archive.

    Raises:
        StreamError: It is damaged or encrypted.
    """
    from sttdoctor.readers.har.zip_file import DAMAGE, open_unchecked

    with ExitStack() as stack:
        try:
            stream = stack.enter_context(open_unchecked(archive, name))
        except RuntimeError:  # zipfile says so
            raise StreamError("the archive is encrypted") from None
        except DAMAGE:  # whose words may hold what stands in the file
            raise StreamError("a file in the archive is damaged") from None
        yield stream

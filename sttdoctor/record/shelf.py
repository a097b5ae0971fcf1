"""Where recordings stand: the connections of one call together, and no more of what is over than there is room for."""

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from sttdoctor.errors import UsageError
from sttdoctor.readers.joining import FORMAT, MOST_BETWEEN_S
from sttdoctor.record.journal import Journal, free_names, make_folder, stamp_names
from sttdoctor.record.recording import Heading
from sttdoctor.values import immutable

_OWN = re.compile(r"(?:session-(\d{8}-\d{6})-(\d+)\.jsonl|call-(\d{8}-\d{6})-(\d+))", re.ASCII)
_PART = "connection-*.jsonl"
_WHO = ("user-agent", "x-cartesia-client", "origin", "authorization", "x-api-key", "x-forwarded-for")


@immutable
class Keeping:
    """What is kept, and where.

    Attributes:
        output: As `free_names` has it.
        calls: Whether a call has a folder, with its connections.
        most_bytes: Of all recordings in the directory; None for any number.
        most_connections: Likewise.
    """

    output: str | None = None
    calls: bool = False
    most_bytes: int | None = None
    most_connections: int | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether old recordings make room for new ones."""
        return self.most_bytes is not None or self.most_connections is not None

    def check(self) -> None:
        """Look whether it can be written to; makes the directory.

        Raises:
            UsageError: It cannot.
        """
        free_names(self.output)
        if (self.calls or self.is_bounded) and not self.folder.is_dir():
            raise UsageError(
                f"{self.output} is a file; folders for calls and bounds want a directory (-o {self.output}/)"
            )

    @property
    def folder(self) -> Path:
        """The directory, where it is one."""
        return Path(self.output or ".")

    def pack(self) -> str:
        """Return it as one argument of a command."""
        return json.dumps(asdict(self))

    @classmethod
    def unpack(cls, text: str) -> Self:
        """Take it from such an argument."""
        return cls(**json.loads(text))


@dataclass(eq=False, slots=True)
class _Kept:
    """One recording: the file of a connection, or the folder of a call.

    Attributes:
        path: Of it.
        size: Bytes of the connections that are over.
        connections: How many it holds.
        running: So many of them are not over.
        speaking: The one that neither side has begun to end.
        until: The next connection of the call may begin up to here; the clock is `time.monotonic`.
    """

    path: Path
    size: int = 0
    connections: int = 0
    running: int = 0
    speaking: Journal | None = None
    until: float = 0.0

    def is_over(self, at: float) -> bool:
        return not self.running and at > self.until

    def remove(self) -> None:
        """Delete its files; what somebody else laid into the folder stays.

        Raises:
            OSError: They cannot be.
        """
        if self.path.suffix:
            self.path.unlink(missing_ok=True)
            return
        for part in self.path.glob(_PART):
            part.unlink()
        with contextlib.suppress(OSError):
            self.path.rmdir()


class Shelf:
    """All recordings of a run, and those of earlier ones in the same directory where bounds are given.

    Args:
        keeping: What is kept.
        tell: Takes a sentence about what went wrong.

    Raises:
        UsageError: It cannot be written to.
    """

    def __init__(self, keeping: Keeping, tell: Callable[[str], None]) -> None:
        self._keeping = keeping
        self._tell = tell
        self._free = free_names(keeping.output)
        self._folders = stamp_names(keeping.folder, "call")
        self._kept: dict[Path, _Kept] = {}  # in the order in which they began
        self._of: dict[Journal, _Kept] = {}
        self._calls: dict[int, list[_Kept]] = {}  # that may go on
        self._size = self._connections = 0  # of what is kept, without what the running ones have written
        if keeping.is_bounded:
            for found in _find_earlier(keeping.folder):
                self._add(found)

    def open(self, heading: Heading, at: float) -> Journal:
        """Begin to record a connection, beside those that belong to it."""
        names, call = self._free, None
        try:
            if self._keeping.calls:
                call = self._find_call(heading, at)
                names = _name_parts(call.path, call.connections)
        except OSError as error:
            self._tell(f"cannot make {error.filename}: {error.strerror or error}; the connection stands by itself")
        journal = Journal(heading, names, self._tell, at)
        if journal.path is not None and journal.path.is_file():
            kept = call or self._add(_Kept(journal.path))
            kept.connections, kept.running, kept.speaking = kept.connections + 1, kept.running + 1, journal
            self._connections += 1
            self._of[journal] = kept
        return journal

    def leave(self, journal: Journal, at: float) -> None:
        """A side of a connection begins to end it: the client may connect anew before it is over."""
        kept = self._of.get(journal)
        if kept is not None and kept.speaking is journal and self._keeping.calls:
            kept.speaking, kept.until = None, at + MOST_BETWEEN_S

    def close(self, journal: Journal, at: float) -> None:
        """A connection is over."""
        self.leave(journal, at)
        size = journal.size
        journal.end()
        kept = self._of.pop(journal, None)
        if kept is None:
            return
        kept.running -= 1
        kept.size += size
        self._size += size
        if not (self._keeping.calls or self._keeping.is_bounded):
            self._drop(kept)

    def tidy(self, at: float) -> None:
        """Delete the oldest recordings that are over until the bounds hold; nothing of one that runs."""
        for who, calls in list(self._calls.items()):
            going = [call for call in calls if not call.is_over(at)]
            for call in calls if not self._keeping.is_bounded else []:
                if call.is_over(at):
                    self._drop(call)
            if going:
                self._calls[who] = going
            else:
                del self._calls[who]
        if not self._is_over_full():
            return
        for kept in [kept for kept in self._kept.values() if kept.is_over(at)]:
            try:
                kept.remove()
            except OSError as error:
                self._tell(f"cannot delete {error.filename}: {error.strerror or error}")
            self._drop(kept)
            if not self._is_over_full():
                return

    def _is_over_full(self) -> bool:
        most_bytes, most_connections = self._keeping.most_bytes, self._keeping.most_connections
        if most_connections is not None and self._connections > most_connections:
            return True
        return most_bytes is not None and self._size + sum(journal.size for journal in self._of) > most_bytes

    def _find_call(self, heading: Heading, at: float) -> _Kept:
        """Return the call that a connection goes on with, or a new one.

        Raises:
            OSError: Its folder cannot be made.
        """
        calls = self._calls.setdefault(_client(heading), [])
        ended = [call for call in calls if call.speaking is None and at <= call.until]
        if ended:
            return max(ended, key=lambda call: call.until)
        for path in self._folders:
            with contextlib.suppress(FileExistsError):
                make_folder(path, is_new=True)
                break
        call = self._add(_Kept(path))
        calls.append(call)
        return call

    def _add(self, kept: _Kept) -> _Kept:
        self._kept[kept.path] = kept
        self._size += kept.size
        self._connections += kept.connections
        return kept

    def _drop(self, kept: _Kept) -> None:
        if self._kept.pop(kept.path, None) is not None:
            self._size -= kept.size
            self._connections -= kept.connections


def _client(heading: Heading) -> int:
    """The hash of what the connections of one client have in common, which may be long."""
    headers = {name.lower(): value for name, value in heading.headers.items()}
    url = urlsplit(heading.url)
    query = parse_qs(url.query, max_num_fields=1000)
    declared = tuple(tuple(query.get(name, ())) for name in FORMAT)
    return hash((heading.peer, url.path, declared, *(headers.get(name) for name in _WHO)))


def _name_parts(folder: Path, known: int) -> Iterator[Path]:
    return (folder / f"connection-{number}.jsonl" for number in count(known + 1))


def _find_earlier(folder: Path) -> list[_Kept]:
    """Return the recordings that are in a directory, by the names that the recorder gives, in their order."""
    found: list[tuple[str, int, _Kept]] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            named = _OWN.fullmatch(entry.name)
            if named is None:
                continue
            session, number, call, of_call = named.groups()
            if session and entry.is_file(follow_symlinks=False):
                kept = _Kept(Path(entry.path), entry.stat(follow_symlinks=False).st_size, 1)
                found.append((session, int(number), kept))
            elif call and entry.is_dir(follow_symlinks=False):
                sizes = [part.lstat().st_size for part in Path(entry.path).glob(_PART)]
                found.append((call, int(of_call), _Kept(Path(entry.path), sum(sizes), len(sizes))))
    return [kept for _, _, kept in sorted(found, key=lambda item: item[:2])]

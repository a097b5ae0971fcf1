"""HTTP Archive (HAR) with `_webSocketMessages`, as Chrome, mitmproxy, Playwright and others write it.

Each entry of a socket holds its messages with `type` (`send`, `receive`, `error`), `time`, `opcode` (1 text, 2 binary,
then `data` is base64) and `data`. Times are seconds since the epoch in Chrome and mitmproxy, milliseconds in
Playwright. Only HTTP Toolkit writes the close, as `_webSocketClose`. What Playwright writes into files of their own,
`files` opens.
Sources: https://chromedevtools.github.io/devtools-protocol/tot/Network/#type-WebSocketFrame and
https://github.com/mitmproxy/mitmproxy/blob/main/mitmproxy/addons/savehar.py
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader

from sttdoctor.errors import InputError
from sttdoctor.evidence import Session
from sttdoctor.readers.collector import CONNECTION_BYTES, Budget, Collector, FullError, Loss
from sttdoctor.readers.har.files import Attached, list_recorded, look_beside, look_inside, open_archive, open_member
from sttdoctor.readers.har.socket import MEMBERS, Entry, HarSocket, no_frames
from sttdoctor.readers.json_stream import ENDS, DamagedError, JsonStream, TooLargeError
from sttdoctor.readers.no_capture import describe_archive
from sttdoctor.readers.sockets import Wanted, and_more, choose, is_wanted
from sttdoctor.readers.stream import StreamError

# The log of a record in the schema of Elastic has other members.
# Nothing in it is tried twice: a head of quotes and braces would be costly otherwise.
_HEAD = re.compile(
    rb'\s*+\{\s*+(?:"(?!type"|log")[^"]*+"\s*+:\s*+(?:"[^"]*+"|\d++|null)\s*+,\s*+)*+"log"\s*+:\s*+\{'
    rb'(?!\s*+"(?:logger|level|origin|original|file|syslog)")'
)
_TRACE = re.compile(rb'\s*+\{"type":"resource-snapshot","snapshot":\{')
_MAX_NAME = 100
_OTHER_ARCHIVE = (
    "a zip archive and no capture; give the capture in it, or run sttdoctor triage, which reads all captures of an "
    "archive"
)


@dataclass(slots=True)
class _Archive:
    """What was read so far."""

    wanted: Wanted
    attached: Attached
    creator: str = ""
    budget: Budget = field(default_factory=Budget)
    sockets: list[HarSocket] = field(default_factory=list)
    loss: Loss | None = None

    def add(self, entry: Entry) -> HarSocket:
        """Take a socket in; the messages of one that is not asked for are only counted.

        Raises:
            FullError: Nothing more can be held.
        """
        self.budget.take(CONNECTION_BYTES)
        found = Collector(self.budget, is_wanted(self.wanted, len(self.sockets) + 1))
        self.sockets.append(HarSocket(entry, found))
        return self.sockets[-1]


def holds_har(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked, without a byte order mark) are those of a HAR."""
    return bool(_HEAD.match(head))


def read_har(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one socket of a HAR.

    Args:
        stream: Binary; large archives are read piece by piece.
        path: Where it came from; files that it names are looked for beside it.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket, several without a choice, or none with messages.
        OSError: The file cannot be read.
    """
    archive = _Archive(connection, look_beside(path))
    _fill(archive, stream, _read)
    return _choose(archive, path, connection)


def holds_trace(head: bytes) -> bool:
    """Whether the first bytes of a capture are those of the network part of a Playwright trace."""
    return bool(_TRACE.match(head))


def read_trace(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one socket of the network part of a Playwright trace; arguments and errors as for `read_har`."""
    archive = _Archive(connection, look_beside(path), "Playwright")
    _fill(archive, stream, _read_trace)
    return _choose(archive, path, connection)


def read_zip(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one socket of a HAR or a trace that Playwright packed; arguments and errors as for `read_har`."""
    with open_archive(stream, path) as packed:
        hars, traces = list_recorded(packed)
        archive = _Archive(connection, look_inside(packed), "Playwright" if traces else "")
        for name in hars or traces:
            try:
                with open_member(packed, name) as file:
                    _fill(archive, file, _read if hars else _read_trace)
            except StreamError as error:
                archive.loss = Loss(1, str(error))
        if not hars and not traces:
            what = describe_archive(packed.namelist()) or _OTHER_ARCHIVE
            raise InputError(f"{path or 'the capture'} is {what}")
        return _choose(archive, path, connection)


def _fill(archive: _Archive, stream: BufferedReader, read: Callable[[JsonStream, _Archive], None]) -> None:
    """Read what there is; what could not be read is noted."""
    har = JsonStream(stream)
    try:
        read(har, archive)
    except ENDS as error:
        archive.loss = har.lost(error)


def _choose(archive: _Archive, path: str | None, connection: Wanted) -> Session:
    name = path or "the capture"
    last = archive.sockets[-1] if archive.sockets else None
    sockets = [item.socket(archive.creator, path, archive.loss, item is last) for item in archive.sockets]
    if all(socket.note for socket in sockets):
        why = sockets[0].note if sockets else no_frames(archive.creator)
        raise InputError(f"{name}: {why}{and_more(archive.loss)}")
    return choose(sockets, connection, name, archive.loss)


def _read_trace(trace: JsonStream, archive: _Archive) -> None:
    while trace.peek():
        line, row = trace.line, trace.value_or_none()
        snapshot = row.get("snapshot") if isinstance(row, dict) else None
        if isinstance(snapshot, dict):
            entry = Entry(line)
            for key in MEMBERS:
                entry.learn(key, snapshot.get(key))
            if entry.is_socket:
                _add_attached(archive, entry)


def _read(har: JsonStream, archive: _Archive) -> None:
    for key in har.members():
        if key == "log" and har.peek() == "{":
            _read_log(har, archive)
        else:
            har.skip()


def _read_log(har: JsonStream, archive: _Archive) -> None:
    for key in har.members():
        if key == "entries" and har.peek() == "[":
            for line in har.elements():
                if har.peek() == "{":
                    _read_entry(har, archive, line)
                else:
                    har.skip()
        elif key == "creator":
            creator = har.value_or_none()
            archive.creator = str(creator.get("name", ""))[:_MAX_NAME] if isinstance(creator, dict) else ""
        else:
            har.skip()


def _read_entry(har: JsonStream, archive: _Archive, line: int) -> None:
    entry, socket = Entry(line), None
    for key in har.members():
        if key == "_webSocketMessages" and har.peek() == "[":
            socket = socket or archive.add(entry)  # now, so that a file that ends within keeps what there is
            socket.has_messages = True
            _read_messages(har, socket)
        elif key in MEMBERS:
            entry.learn(key, har.value_or_none())
        else:
            har.skip()
    if socket is not None:
        archive.budget.take(entry.request.length + entry.response.length)
    elif entry.is_socket:
        _add_attached(archive, entry)


def _add_attached(archive: _Archive, entry: Entry) -> None:
    """Add a socket whose messages lie in a file of their own, one a line, or nowhere."""
    archive.budget.take(entry.request.length + entry.response.length)
    socket, name = archive.add(entry), entry.response.file
    if name is None:
        return
    with archive.attached(name) as stream:
        if stream is None:
            socket.missing = name
            return
        socket.has_messages = True
        messages = JsonStream(stream)
        try:
            while messages.peek():
                _read_message(messages, messages.line, socket)
        except DamagedError as error:
            socket.found.lose(Loss(messages.line, f"{name} is damaged from here on: {error}"))


def _read_messages(har: JsonStream, socket: HarSocket) -> None:
    for line in har.elements():
        _read_message(har, line, socket)


def _read_message(har: JsonStream, line: int, socket: HarSocket) -> None:
    try:
        socket.add(line, har.value())
    except TooLargeError as error:
        har.skip()
        socket.found.damage(line, f"a message {error}")
    except (DamagedError, FullError, StreamError):
        raise
    except (ValueError, RecursionError) as error:
        socket.found.damage(line, str(error))

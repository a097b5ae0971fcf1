"""HTTP Archive (HAR) with `_webSocketMessages`, as Chrome, mitmproxy, Playwright and others write it.

Each entry of a socket holds its messages with `type` (`send`, `receive`, `error`), `time`, `opcode` (1 text, 2 binary,
then `data` is base64) and `data`. Times are seconds since the epoch in Chrome and mitmproxy, milliseconds in
Playwright. A HAR holds no close frame.
Sources: https://chromedevtools.github.io/devtools-protocol/tot/Network/#type-WebSocketFrame and
https://github.com/mitmproxy/mitmproxy/blob/main/mitmproxy/addons/savehar.py
"""

import re
from dataclasses import dataclass, field
from io import BufferedReader
from typing import Any

from sttdoctor.errors import InputError
from sttdoctor.evidence import Session
from sttdoctor.readers.collector import CONNECTION_BYTES, Budget, Collector, FullError, Loss
from sttdoctor.readers.har_socket import MEMBERS, NO_FRAMES, Entry, HarSocket
from sttdoctor.readers.json_stream import DamagedError, JsonStream, TooLargeError
from sttdoctor.readers.sockets import choose
from sttdoctor.readers.stream import StreamError

# Nothing in it is tried twice: a head of quotes and braces would be costly otherwise.
_HEAD = re.compile(rb'\s*+\{\s*+(?:"(?!type"|log")[^"]*+"\s*+:\s*+(?:"[^"]*+"|\d++|null)\s*+,\s*+)*+"log"\s*+:\s*+\{')
_MAX_NAME = 100


@dataclass(slots=True)
class _Archive:
    """What was read so far."""

    wanted: int | None
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
        found = Collector(self.budget, self.wanted in (None, len(self.sockets) + 1))
        self.sockets.append(HarSocket(entry, found))
        return self.sockets[-1]


def holds_har(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked, without a byte order mark) are those of a HAR."""
    return bool(_HEAD.match(head))


def read_har(stream: BufferedReader, path: str | None = None, connection: int | None = None) -> Session:
    """Read one socket of a HAR.

    Args:
        stream: Binary; large archives are read piece by piece.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket, several without a choice, or none with messages.
        OSError: The file cannot be read.
    """
    archive = _Archive(connection)
    har = JsonStream(stream)
    try:
        _read(har, archive)
    except (FullError, StreamError) as error:
        archive.loss = Loss(har.line, str(error))
    except DamagedError as error:
        archive.loss = Loss(har.line, f"damaged from here on: {error}")
    name = path or "the capture"
    last = archive.sockets[-1] if archive.sockets else None
    sockets = [item.socket(archive.creator, path, archive.loss, item is last) for item in archive.sockets]
    if all(socket.note for socket in sockets):
        raise InputError(f"{name}: {NO_FRAMES}{f'; more may stand {archive.loss}' if archive.loss else ''}")
    return choose(sockets, connection, name, archive.loss)


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
            creator = _small(har)
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
            entry.learn(key, _small(har))
        else:
            har.skip()
    if socket is not None or entry.is_socket:
        archive.budget.take(entry.request.length + entry.response.length)
        socket = socket or archive.add(entry)


def _small(har: JsonStream) -> Any:
    try:
        return har.value()
    except TooLargeError:
        har.skip()
        return None


def _read_messages(har: JsonStream, socket: HarSocket) -> None:
    for line in har.elements():
        try:
            socket.add(line, har.value())
        except TooLargeError as error:
            har.skip()
            socket.found.damage(line, f"a message {error}")
        except (DamagedError, FullError, StreamError):
            raise
        except (ValueError, RecursionError) as error:
            socket.found.damage(line, str(error))

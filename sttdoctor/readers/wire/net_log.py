"""Net logs of Chromium (`--log-net-log=FILE`, chrome://net-export): frames out of the bytes of its sockets.

The log is one JSON object: `constants` names the numbers that `events` use, and each event has a source (a socket), a
time in milliseconds of a clock that `timeTickOffset` ties to the epoch, and parameters. The events about WebSocket
frames hold lengths only. With the capture mode Everything the events about sockets hold the bytes: those of TCP, and
for TLS what was decrypted.
Source: https://www.chromium.org/developers/design-documents/network-stack/netlog/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from typing import TYPE_CHECKING, Any

from pybase64 import b64decode

from sttdoctor.evidence import Session
from sttdoctor.readers.collector import FullError
from sttdoctor.readers.frames import number
from sttdoctor.readers.json_stream import ENDS, JsonStream, TooLargeError
from sttdoctor.readers.sockets import Wanted, choose

if TYPE_CHECKING:
    from sttdoctor.readers.wire.websocket import Wire, Wires

NO_BYTES = (
    "the net log holds no bytes of a WebSocket; start the browser with --log-net-log=FILE "
    "--net-log-capture-mode=Everything (or choose 'Include raw bytes' in chrome://net-export) before the page connects"
)
_HEAD = re.compile(rb'\s*+\{\s*+"constants"\s*+:\s*+\{')
_BYTES = {
    "SOCKET_BYTES_SENT": (False, True),
    "SOCKET_BYTES_RECEIVED": (False, False),
    "SSL_SOCKET_BYTES_SENT": (True, True),
    "SSL_SOCKET_BYTES_RECEIVED": (True, False),
}
"""Of an event: whether its bytes were decrypted, and whether they were sent."""

_ENDS = ("SOCKET_ALIVE", "SOCKET_CLOSED")
_PHASE_END = 2
_RESOLUTION_S = 0.001
_MAX_SOCKETS = 10_000  # that are open at a time
_MAX_NAMES = 20_000

Key = tuple[float, bool]


@dataclass(slots=True)
class _Log:
    """What was read so far."""

    wires: "Wires"
    names: dict[float, str] = field(default_factory=dict)
    phase_end: float = _PHASE_END
    offset: float = 0.0
    open: dict[Key, "Wire"] = field(default_factory=dict)

    def learn(self, constants: Any) -> None:
        """Take the constants in."""
        if not isinstance(constants, dict):
            return
        types, phases = constants.get("logEventTypes"), constants.get("logEventPhase")
        items = list(types.items())[:_MAX_NAMES] if isinstance(types, dict) else []
        self.names = {value: name for name, code in items if (value := number(code)) is not None}
        self.phase_end = (number(phases.get("PHASE_END")) if isinstance(phases, dict) else None) or _PHASE_END
        self.offset = number(constants.get("timeTickOffset")) or 0.0

    def add(self, line: int, event: Any) -> None:
        """Take an event in."""
        if not isinstance(event, dict):
            return
        name = self.names.get(number(event.get("type")) or 0.0, "")
        if name in _BYTES:
            self._add_bytes(line, event, *_BYTES[name])
        elif name in _ENDS and (name != "SOCKET_ALIVE" or number(event.get("phase")) == self.phase_end):
            for is_secure in (False, True):
                wire = self.open.pop((_source(event), is_secure), None)
                if wire is not None:
                    wire.end("unknown", line, self._seconds(event))
                    wire.finish()

    def _add_bytes(self, line: int, event: Mapping[str, Any], is_secure: bool, sent: bool) -> None:
        parameters = event.get("params")
        content = parameters.get("bytes") if isinstance(parameters, dict) else None
        if not isinstance(content, str):
            return
        key, t = (_source(event), is_secure), self._seconds(event)
        wire = self.open.get(key)
        if wire is None:
            if len(self.open) >= _MAX_SOCKETS:
                raise FullError(f"more than {_MAX_SOCKETS} sockets at a time")
            wire = self.open[key] = self.wires.begin(is_secure)
        try:
            data = b64decode(content, validate=True)
        except ValueError:
            wire.lose(line, "bytes that are not base64")
            return
        if data:
            wire.feed(sent, data, line, t)
        elif not sent:
            wire.end("server", line, t)

    def _seconds(self, event: Mapping[str, Any]) -> float | None:
        value = event.get("time")
        time = number(value)
        if time is None and isinstance(value, str) and value.isdigit():
            time = float(value[:15])
        return None if time is None else (self.offset + time) / 1000.0

    def finish(self) -> None:
        """Nothing more comes."""
        for wire in self.open.values():
            wire.finish()


def holds_net_log(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are those of a net log."""
    return bool(_HEAD.match(head))


def read_net_log(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one socket of a net log.

    Args:
        stream: Binary; large logs are read piece by piece.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket with bytes, or several without a choice.
        OSError: The file cannot be read.
    """
    from sttdoctor.readers.wire.websocket import Wires

    wires = Wires(connection)
    log, document, loss = _Log(wires), JsonStream(stream), None
    try:
        for key in document.members():
            _read_member(document, key, log)
    except ENDS as error:
        loss = document.lost(error)
    log.finish()
    sockets = [item.socket("Chromium net log", _RESOLUTION_S, path, loss) for item in wires.conversations]
    return choose(sockets, connection, path or "the capture", loss, NO_BYTES)


def _read_member(document: JsonStream, key: str, log: _Log) -> None:
    if key == "events" and document.peek() == "[":
        for line in document.elements():
            try:
                log.add(line, document.value())
            except TooLargeError:
                document.skip()
    elif key == "constants":
        try:
            log.learn(document.value())
        except TooLargeError:
            document.skip()
    else:
        document.skip()


def _source(event: Mapping[str, Any]) -> float:
    source = event.get("source")
    return (number(source.get("id")) if isinstance(source, dict) else None) or -1.0

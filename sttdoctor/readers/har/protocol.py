"""Events of the Chrome DevTools protocol: frames as a browser reports them to the program that drives it.

Selenium's performance log, what a CDP session delivered, and the protocol logs of Playwright and Puppeteer
(`DEBUG=pw:protocol`, `DEBUG=puppeteer:protocol*`) hold them: in a JSON document, one a line, or at the end of a line of
text. An event of a socket names it by `requestId`; its `timestamp` is of a clock that `wallTime` of the handshake ties
to the epoch. The close has no code.
Source: https://chromedevtools.github.io/devtools-protocol/tot/Network/
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import BufferedReader
from typing import Any

from sttdoctor.evidence import Session
from sttdoctor.readers.collector import (
    CONNECTION_BYTES,
    LATEST_S,
    Budget,
    Collector,
    CostlyError,
    FullError,
    Loss,
    json_cost,
    refuse_costly,
)
from sttdoctor.readers.frames import number
from sttdoctor.readers.har.socket import BadMessageError, Ending, Entry, HarSocket, Part
from sttdoctor.readers.json_stream import ENDS, JsonStream, TooLargeError
from sttdoctor.readers.sockets import Wanted, choose, is_wanted
from sttdoctor.readers.stream import StreamError, numbered_lines

SOURCE = "events of the DevTools protocol"
NO_SOCKET = (
    "the events of the DevTools protocol are of no WebSocket; enable those of the network before the page connects "
    "(Network.enable; Selenium: goog:loggingPrefs with performance: ALL)"
)
_METHOD = re.compile(
    rb'"method\\?":\s?\\?"(?:Network|Page|Target|Runtime|Browser|Log|Fetch|Security|DOM)\.[a-z]\w{2,60}\\?"'
)
_DOCUMENT = re.compile(rb"\s*+[\[{]")
_TEXT = re.compile(rb"\b(?:pw|puppeteer):protocol\b")
_IN_TEXT = re.compile(rb"(['\"`]?)(\{\"method\":\"Network\.webSocket)")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_PREFIX = "Network.webSocket"
_WAYS = {"FrameSent": "send", "FrameReceived": "receive", "FrameError": "error"}
_DECODER = json.JSONDecoder(strict=False)
_LONGEST_ID = 100
_CUT = "an event that is cut or no JSON"


def holds_protocol(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are those of events of the DevTools protocol."""
    return bool(_TEXT.search(head) or (_DOCUMENT.match(head) and _METHOD.search(head)))


def read_protocol(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one socket of events of the DevTools protocol.

    Args:
        stream: Binary; read event by event.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket, or several without a choice.
        OSError: The file cannot be read.
    """
    events = _Events(connection)
    is_document = _DOCUMENT.match(stream.peek(64)[:64]) is not None
    loss = (_walk_document if is_document else _walk_lines)(stream, events)
    found = [item.socket("", path, loss, item is events.last) for item in events.sockets.values()]
    return choose(found, connection, path or "the capture", loss, NO_SOCKET)


def _walk_document(stream: BufferedReader, events: "_Events") -> Loss | None:
    """Take the events of a list, or of one value after the other, in; return what could not be read."""
    document = JsonStream(stream)
    try:
        while document.peek():
            for line in document.elements() if document.peek() == "[" else (document.line,):
                try:
                    events.add(line, document.value())
                except TooLargeError:
                    document.skip()
                    events.lose(line)
    except ENDS as error:
        return document.lost(error)
    return None


def _walk_lines(stream: BufferedReader, events: "_Events") -> Loss | None:
    """Take the events that lines of text end with in; return what could not be read."""
    line = 0
    try:
        for line, text in numbered_lines(stream):
            found = _IN_TEXT.search(text) if text is not None else None
            if found is not None and text is not None:
                content = text[found.start(2) :]
                # between quotes it is a literal of JavaScript
                events.add_text(line, _ESCAPE.sub(rb"\1", content) if found[1] else content)
    except FullError as error:
        return Loss(line + 1, str(error))
    except StreamError as error:
        return Loss(error.line, str(error))
    return None


class _Events:
    """Collects the events of sockets.

    Args:
        wanted: Which socket is asked for.

    Attributes:
        sockets: By the id that the browser gave.
        last: The one that an event was of last.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.sockets: dict[str, HarSocket] = {}
        self.last: HarSocket | None = None
        self._wanted = wanted
        self._budget = Budget()
        self._offsets: dict[str, float] = {}  # from a socket's clock to the epoch
        self._failed: set[str] = set()

    def add(self, line: int, value: Any) -> None:
        """Take a value in: an event, or what holds one as `message`, which Selenium writes as text.

        Raises:
            FullError: Nothing more can be held.
        """
        message = value.get("message") if isinstance(value, dict) else None
        if isinstance(message, str):
            if _PREFIX in message:
                self.add_text(line, message.encode(errors="replace"))
            return
        event = message if isinstance(message, dict) else value
        method, parameters = (event.get("method"), event.get("params")) if isinstance(event, dict) else (None, None)
        if isinstance(method, str) and method.startswith(_PREFIX) and isinstance(parameters, dict):
            self._take(line, method.removeprefix(_PREFIX), parameters)

    def add_text(self, line: int, text: bytes) -> None:
        """Take the event in that a text begins with.

        Raises:
            FullError: Nothing more can be held.
        """
        try:
            refuse_costly(json_cost(text))
            value = _DECODER.raw_decode(text.decode("utf-8", errors="replace"))[0]
        except (CostlyError, ValueError, RecursionError):
            self.lose(line)
            return
        inner = value.get("message") if isinstance(value, dict) else None
        self.add(line, inner if isinstance(inner, dict) else value)

    def lose(self, line: int) -> None:
        """An event could not be read; which socket's it was is not known."""
        if self.last is not None:
            self.last.found.damage(line, _CUT)

    def _take(self, line: int, kind: str, parameters: Mapping[str, Any]) -> None:
        name = str(parameters.get("requestId"))[:_LONGEST_ID]
        socket = self.sockets.get(name) or self._begin(line, name)
        self.last = socket
        time = self._epoch(name, parameters.get("timestamp"))
        entry, content = socket.entry, parameters.get("response")
        if kind in _WAYS:
            self._take_frame(socket, line, name, _WAYS[kind], time, parameters)
        elif kind == "Created":
            entry.request = self._part({"url": parameters.get("url")}, entry.request)
        elif kind == "WillSendHandshakeRequest":
            self._begin_clock(name, entry, parameters)
            entry.request = self._part(parameters.get("request"), entry.request)
        elif kind == "HandshakeResponseReceived":
            entry.response = self._part(content, entry.response)
        elif kind == "Closed" and name not in self._failed:
            entry.close = Ending(None, "", time)

    def _begin(self, line: int, name: str) -> HarSocket:
        self._budget.take(CONNECTION_BYTES)
        found = Collector(self._budget, is_wanted(self._wanted, len(self.sockets) + 1))
        socket = self.sockets[name] = HarSocket(Entry(line), found, SOURCE)
        socket.has_messages = True
        return socket

    def _begin_clock(self, name: str, entry: Entry, parameters: Mapping[str, Any]) -> None:
        wall, clock = number(parameters.get("wallTime")), number(parameters.get("timestamp"))
        if wall is not None and clock is not None and 0 < wall < LATEST_S and name not in self._offsets:
            self._offsets[name] = wall - clock
            entry.started = datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds")

    def _epoch(self, name: str, value: Any) -> float | None:
        clock = number(value)
        return None if clock is None else clock + self._offsets.get(name, 0.0)

    def _part(self, value: Any, before: Part) -> Part:
        """What an event tells of a request or a response; what it does not tell stays."""
        told = value if isinstance(value, dict) else {}
        headers = told.get("headers")
        items = headers.items() if isinstance(headers, dict) else ()
        part = Part.of({**told, "headers": [{"name": name, "value": text} for name, text in items]})
        self._budget.take(part.length)
        return replace(part, url=before.url) if part.url is None else part

    def _take_frame(
        self, socket: HarSocket, line: int, name: str, way: str, time: float | None, parameters: Mapping[str, Any]
    ) -> None:
        frame = parameters.get("response")
        told = {"data": parameters.get("errorMessage")}
        if way == "error":
            self._failed.add(name)
        elif isinstance(frame, dict):
            told = {"data": frame.get("payloadData"), "opcode": frame.get("opcode")}
        try:
            socket.add(line, {"type": way, "time": time, **told})
        except (BadMessageError, CostlyError) as error:
            socket.found.damage(line, str(error))

r"""Messages with their ways, as a program's own recorder, a database or a client for trying things out keeps them.

    {"ts": 1790000000.1, "dir": "out", "type": "binary", "size": 3200}
    {"ts": 1790000000.9, "dir": "in", "type": "text", "data": "{\"type\": ...}"}

`layouts` gives the records, `message_record` tells what their members are. It is such a file where messages go both
ways and one that came in is an event of the service.
"""

import re
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from itertools import islice
from typing import Any

from sttdoctor.evidence import Control, Event, Frame, Open, Session
from sttdoctor.readers.collector import (
    CONNECTION_BYTES,
    Budget,
    Collector,
    CostlyError,
    FullError,
    Loss,
    json_cost,
)
from sttdoctor.readers.conversation import Conversation
from sttdoctor.readers.frames import DECODER, elided_frame, frame_size, number, text_frame
from sttdoctor.readers.layouts import plain_of, records_in
from sttdoctor.readers.logs.said import time_in
from sttdoctor.readers.message_record import (
    Record,
    bytes_of,
    content_of,
    is_event,
    is_size,
    kind_of,
    naming_of,
    said_size,
    size_of,
    text_of,
    way_of,
)
from sttdoctor.readers.sockets import Socket, Wanted, choose, is_wanted
from sttdoctor.readers.stream import StreamError

SOURCE = "messages that a program recorded"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_URLS = ("url", "uri", "endpoint", "address", "ws_url", "websocket_url")
_ASKS = _names("connect connecting")
_OPENS = _names("open opened connected upgrade handshake")
_CLOSES = _names("close closed disconnect disconnected onclose")
_IDS = _names("connection connection_id connectionid conn conn_id socket socket_id socketid ws_id wsid requestid")
_OF_LOGGERS = _names("level severity lvl levelname loglevel log_level log.level logger")
_ADDRESS = re.compile(r"wss?://", re.IGNORECASE)
_LEAST_AUDIO, _ENOUGH = 160, 5  # bytes of a message, and messages
_CODES = ("code", "status_code", "statusCode", "data")
_CLOSE_OPCODE = 8
_BEATS = {9: "ping", 10: "pong"}  # by their opcode
_LOOKED_AT = 200
_LONGEST_ID, _MOST_SOCKETS = 100, 1000
_RESOLUTION_S = 0.001
_NOTHING = "it holds no message of a WebSocket"


def holds_exchange(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are messages of both ways, with an event of the service.

    Audio that goes out before anybody speaks may fill them: enough of it is a sign as well, where no bytes came in,
    which the service never sends.
    """
    sent, heard, audio, is_others = False, False, 0, False
    for _, record in islice(_as_far(head), _LOOKED_AT):
        if not isinstance(record, dict) or _OF_LOGGERS & {key.lower() for key in record}:
            continue
        way = way_of(record)
        sent |= way is True and content_of(record) is not None
        content = bytes_of(content_of(record), kind_of(record)) if way is not None else None
        audio += way is True and len(content or b"") >= _LEAST_AUDIO
        heard |= way is False and is_event(content_of(record))
        is_others |= way is False and content is not None and not heard
        if sent and heard:
            return True
    return audio >= _ENOUGH and not is_others


def read_exchange(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one socket of messages with their ways.

    Args:
        stream: Binary, unpacked; read record by record.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket, or several without a choice.
        OSError: The file cannot be read.
    """
    found, loss, line = _Exchange(connection), None, 0
    try:
        for line, record in _records(stream):
            found.add(line, record)
    except FullError as error:
        loss = Loss(line + 1, str(error))
    except StreamError as error:
        loss = Loss(error.line, str(error))
    return choose(found.sockets(path, loss), connection, path or "the capture", loss, _NOTHING)


def _as_far(head: bytes) -> Iterator[tuple[int, Any]]:
    try:
        yield from _records(BufferedReader(BytesIO(head), len(head) or 1))
    except (StreamError, FullError):  # it is cut
        return


def _records(stream: BufferedReader) -> Iterator[tuple[int, Any]]:
    """Yield the line and the value of each record, with the usual names; None stands for one that cannot be read."""
    records = ((line, _inner(value)) for line, value in records_in(stream, lambda value: way_of(value) is not None))
    first, loss = list[tuple[int, Any]](), None
    try:
        first.extend(islice(records, _LOOKED_AT))
    except (StreamError, FullError) as error:
        loss = error
    naming = naming_of([record for _, record in first])
    yield from ((line, naming.of(record)) for line, record in first)
    if loss is not None:
        raise loss
    yield from ((line, naming.of(record)) for line, record in records)


def _inner(record: Any) -> Any:
    """A record with the members of the object in it that is the message (`_source`, `fields`, `Item`)."""
    if not isinstance(record, dict) or way_of(record) is not None:
        return record
    inner = (plain_of(value) for value in record.values() if isinstance(value, dict))
    message = next((value for value in inner if way_of(value) is not None), None)
    return record if message is None else record | message


class _Exchange:
    """Collects the messages of the sockets of a capture.

    Args:
        wanted: Which of them is asked for.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._budget = Budget()
        self._all: dict[str, _Recorded] = {}
        self._url: str | None = None

    def add(self, line: int, record: Any) -> None:
        """Take a record in.

        Raises:
            FullError: Nothing more can be held.
        """
        if not isinstance(record, dict):
            for one in islice(self._all.values(), 1):
                one.found.damage(line, "a line that is no JSON object")
            return
        names = (*_URLS, "data") if _says(record, _ASKS | _OPENS) else _URLS
        url = next((record[name] for name in names if isinstance(record.get(name), str)), None)
        url = url if url is not None and _ADDRESS.match(url) else None
        way, content = way_of(record), content_of(record)
        ids = (value for key, value in record.items() if key.lower() in _IDS)
        name = next((str(value)[:_LONGEST_ID] for value in ids if isinstance(value, str | int)), "")
        if way is None and content is None and not _says(record, _ASKS | _OPENS | _CLOSES):
            self._url = self._url or url
            return
        one = self._all.get(name) or self._begin(name, line)
        if one.conversation.url is None and (url or self._url):
            headers = record.get("headers")
            one.conversation.ask(url or self._url or "", _headers(headers), None)
        one.add(line, record, way, content)

    def _begin(self, name: str, line: int) -> "_Recorded":
        if len(self._all) >= _MOST_SOCKETS:
            raise FullError(f"more than {_MOST_SOCKETS} connections")
        self._budget.take(CONNECTION_BYTES)
        self._all[name] = _Recorded(Collector(self._budget, is_wanted(self._wanted, len(self._all) + 1)), line)
        return self._all[name]

    def sockets(self, path: str | None, loss: Loss | None) -> list[Socket]:
        """Return the sockets in the order of their first records."""
        for one in self._all.values():
            if one.conversation.url is None and self._url is not None:
                one.conversation.ask(self._url, {}, None)
        return [one.socket(path, loss) for one in self._all.values()]


class _Recorded:
    """The messages of one socket.

    Args:
        found: Takes them.
        line: Of the first.
    """

    def __init__(self, found: Collector, line: int) -> None:
        self.found = found
        self.conversation = Conversation(found, line)
        self._unseen: set[str] = set()
        self._commands = self._sends = False

    def add(self, line: int, record: Record, way: bool | None, content: Any) -> None:
        """Take a record of it in."""
        t = self._time(line, record)
        opcode = record.get("opcode")
        beat = _BEATS.get(opcode) if isinstance(opcode, int) else None
        if _says(record, _CLOSES) or opcode == _CLOSE_OPCODE:
            self._add_close(line, t, record, way)
        elif way is not None and beat is not None:
            self.found.add(Control(line, t, way, beat))
        elif way is not None and content is not None:
            try:
                self._add_message(line, t, way, record, content)
            except CostlyError as error:
                self.found.damage(line, str(error))
        elif _says(record, _OPENS) and self.conversation.opened is None:
            status = number(record.get("status", record.get("statusCode")))
            self.conversation.opened = Open(line, t, 101 if status is None else int(status), {}, None)
        elif way is not None:
            self.found.damage(line, "a message without its content and its size")

    def _add_message(self, line: int, t: float | None, sent: bool, record: Record, content: Any) -> None:
        kind, size = kind_of(record), size_of(record)
        audio = bytes_of(content, kind)
        self._sends |= sent
        if audio is not None:
            self.found.add(Frame(line, t, sent, len(audio), binary=True, content=audio if sent else None))
        elif kind is True or isinstance(content, int) or is_size(content):
            told = content if isinstance(content, int) else size
            told = told if told is not None else said_size(content)
            self._unseen |= {"audio"} if sent else set()
            if told is None:
                self.found.damage(line, "a binary message of which neither the bytes nor the size were kept")
            else:
                self.found.add(Frame(line, t, sent, frame_size(told) or 0, binary=True))
        else:
            text = text_of(content)
            self._commands |= sent
            is_cut = text.endswith(("\u2026", "...")) and not _is_json(text)
            frame = elided_frame(line, t, sent, text, size) if is_cut else text_frame(line, t, sent, text)
            self.found.add(frame, json_cost(text.encode(errors="replace")))

    def _add_close(self, line: int, t: float | None, record: Record, way: bool | None) -> None:
        code = next((found for name in _CODES if (found := number(record.get(name))) is not None), None)
        reason = record.get("reason")
        by = {True: "client", False: "server", None: "unknown"}[way]
        by = "unknown" if by == "server" and not record.get("wasClean", True) else by
        if code is not None and 1000 <= code < 5000:
            self.conversation.close(line, t, by, int(code), reason if isinstance(reason, str) else "")

    def _time(self, line: int, record: Record) -> float | None:
        told = time_in(record)
        if told is None:
            return None
        seconds = told[0].seconds
        if seconds < 0 or not self.found.is_time(seconds):
            self.found.damage(line, "a time out of range")
            return None
        return seconds

    def socket(self, path: str | None, loss: Loss | None) -> Socket:
        """Return it as one of the sockets of a capture."""
        self.conversation.lacks |= self._unseen | (set() if self._commands else {"commands"})
        self.conversation.lacks |= set() if self._sends else {"send", "audio"}
        self.found.events[:] = _in_order(self.found.events)
        return self.conversation.socket(SOURCE, _RESOLUTION_S, path, loss)


def _in_order(events: list[Event]) -> list[Event]:
    """Events by their times, where all have one: the newest may stand first, or what was sent before what came in."""
    times = [event.t for event in events]
    if len(events) < 2 or any(t is None for t in times):
        return events
    newest_first = (times[0] or 0.0) > (times[-1] or 0.0)
    return sorted(reversed(events) if newest_first else events, key=lambda event: event.t or 0.0)


def _is_json(text: str) -> bool:
    try:
        return isinstance(DECODER.decode(text), dict)
    except (ValueError, RecursionError):
        return False


def _says(record: Record, words: frozenset[str]) -> bool:
    """Whether a record is of something that happened to the connection."""
    said = (record.get(name) for name in ("type", "event", "kind", "op", "action", "method", "direction"))
    return any(isinstance(value, str) and value.lower() in words for value in said)


def _headers(value: Any) -> dict[str, str]:
    return {str(name).lower(): str(item) for name, item in value.items()} if isinstance(value, dict) else {}

r"""Messages with their ways, as a program's own recorder or a client for trying things out keeps them in JSON.

    {"ts": 1790000000.1, "dir": "out", "type": "binary", "size": 3200}
    {"ts": 1790000000.9, "dir": "in", "type": "text", "data": "{\"type\": ...}"}

One object a line, a list of them, or a list in an object that may name the address. Names differ from program to
program, so each member is told by any of the names that are usual for it. It is such a file where messages go both ways
and one that came in is an event of the service.
"""

import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BufferedReader, BytesIO
from itertools import islice
from typing import Any

from pybase64 import b64decode

from sttdoctor.endpoints.cartesia import AUTO, MANUAL
from sttdoctor.evidence import Control, Frame, Open, Session
from sttdoctor.readers.collector import (
    CONNECTION_BYTES,
    Budget,
    Collector,
    CostlyError,
    FullError,
    Loss,
    json_cost,
    refuse_costly,
)
from sttdoctor.readers.conversation import Conversation
from sttdoctor.readers.frames import DECODER, elided_frame, frame_size, number, text_frame
from sttdoctor.readers.logs.records import records_of_document
from sttdoctor.readers.logs.said import time_in
from sttdoctor.readers.sockets import Socket, Wanted, choose, is_wanted
from sttdoctor.readers.stream import StreamError, numbered_lines

SOURCE = "messages that a program recorded"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WAYS = _names("dir direction way flow side from sender origin op action type event kind method")
_SENT = _names(
    "out outgoing outbound send sent tx client up upload upstream c2s client-to-server client->server client_to_server "
    "to_server egress > >> -> => \u2192 \u2191 framesent"
)
_RECEIVED = _names(
    "in incoming inbound receive received recv rx server down download downstream s2c server-to-client server->client "
    "server_to_client from_server ingress < << <- <= \u2190 \u2193 framereceived"
)
_FLAGS = dict.fromkeys(_names("outgoing isoutgoing is_outgoing sent is_sent from_client fromclient masked"), True) | (
    dict.fromkeys(_names("incoming isincoming is_incoming received from_server fromserver"), False)
)
_CONTENTS = ("data", "payload", "message", "msg", "body", "content", "text", "frame", "raw", "json", "audio", "value")
_SIZES = _names("size bytes len length bytelength byte_length payload_length payloadlength nbytes num_bytes n_bytes")
_KINDS = ("opcode", "type", "kind", "format", "frame_type", "frametype", "payload_type", "encoding", "event")
_BINARY = _names("2 binary bin audio bytes blob arraybuffer buffer base64 b64 hex")
_TEXT = _names("1 text json string utf8 utf-8")
_BINARY_FLAGS = _names("binary isbinary is_binary")
_URLS = ("url", "uri", "endpoint", "address", "ws_url", "websocket_url")
_ASKS = _names("connect connecting")
_OPENS = _names("open opened connected upgrade handshake")
_CLOSES = _names("close closed disconnect disconnected onclose")
_IDS = _names("connection connection_id connectionid conn conn_id socket socket_id socketid ws_id wsid requestid")
_OF_LOGGERS = _names("level severity lvl levelname loglevel log_level log.level logger")
_ADDRESS = re.compile(r"wss?://", re.IGNORECASE)
_LIST = re.compile(rb"\s*+(?:\[|\{[^{}\[]*+(?:\{[^{}\[]*+\}[^{}\[]*+)*+\[\s*+\{)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}")
_HEX = re.compile(r"[0-9a-fA-F]{16,}")
_SAID_SIZE = re.compile(r"\b(\d{1,9}) ?(?:bytes?|B)\b", re.IGNORECASE)
_LEAST_AUDIO, _ENOUGH = 160, 5  # bytes of a message, and messages
_CLOSE_OPCODE = 8
_BEATS = {9: "ping", 10: "pong"}  # by their opcode
_LOOKED_AT = 200
_LONGEST_ID, _MOST_SOCKETS = 100, 1000
_RESOLUTION_S = 0.001
_NOTHING = "it holds no message of a WebSocket"

Record = Mapping[str, Any]


def holds_exchange(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are messages of both ways, with an event of the service.

    Audio that goes out before anybody speaks may fill them: enough of it is a sign as well.
    """
    sent, heard, audio = False, False, 0
    for _, record in islice(_as_far(head), _LOOKED_AT):
        if not isinstance(record, dict) or _OF_LOGGERS & {key.lower() for key in record}:
            continue
        way = _way_of(record)
        sent |= way is True and _content_of(record) is not None
        audio += way is True and len(_bytes_of(_content_of(record), _kind_of(record)) or b"") >= _LEAST_AUDIO
        heard |= way is False and _is_event(_content_of(record))
        if (sent and heard) or audio >= _ENOUGH:
            return True
    return False


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
        yield from _records(BufferedReader(BytesIO(head)))
    except (StreamError, FullError):  # it is cut
        return


def _records(stream: BufferedReader) -> Iterator[tuple[int, Any]]:
    """Yield the line and the value of each record; None stands for one that cannot be read."""
    if _LIST.match(stream.peek(1 << 12)[: 1 << 12]) is not None:
        yield from records_of_document(stream)
        return
    for line, text in numbered_lines(stream):
        if text is not None and text.strip():
            yield line, _parse(text)


def _parse(text: bytes) -> Any:
    if not text.lstrip().startswith(b"{"):
        return None
    try:
        refuse_costly(json_cost(text))
        return DECODER.decode(text.decode("utf-8", errors="replace"))
    except (CostlyError, ValueError, RecursionError):
        return None


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
        url = next((record[name] for name in _URLS if isinstance(record.get(name), str)), None)
        url = url if url is not None and _ADDRESS.match(url) else None
        way, content = _way_of(record), _content_of(record)
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
        self._lacks: set[str] = set()
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
        kind, size = _kind_of(record), _size_of(record)
        audio = _bytes_of(content, kind)
        self._sends |= sent
        if audio is not None:
            self.found.add(Frame(line, t, sent, len(audio), binary=True, content=audio if sent else None))
        elif kind is True or isinstance(content, int):
            told = content if isinstance(content, int) else size
            told = told if told is not None else _said_size(content)
            self._lacks |= {"audio"} if sent else set()
            if told is None:
                self.found.damage(line, "a binary message of which neither the bytes nor the size were kept")
            else:
                self.found.add(Frame(line, t, sent, frame_size(told) or 0, binary=True))
        else:
            text = content if isinstance(content, str) else json.dumps(content)
            self._commands |= sent
            is_cut = text.endswith(("\u2026", "...")) and not _is_json(text)
            frame = elided_frame(line, t, sent, text, size) if is_cut else text_frame(line, t, sent, text)
            self.found.add(frame, json_cost(text.encode(errors="replace")))

    def _add_close(self, line: int, t: float | None, record: Record, way: bool | None) -> None:
        code = number(record.get("code", record.get("status_code", record.get("statusCode"))))
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
        made = self.conversation.socket(SOURCE, _RESOLUTION_S, path, loss)
        return replace(made, session=lambda: self._session(made.session()))

    def _session(self, session: Session) -> Session:
        lacks = session.lacks | self._lacks | (set() if self._commands else {"commands"})
        lacks |= set() if self._sends else {"send", "audio"}
        return replace(session, lacks=frozenset(lacks))


def _way_of(record: Record) -> bool | None:
    """Whether a record is of a message that was sent; None where it does not tell."""
    for key, value in record.items():
        name = key.lower()
        if name in _FLAGS and isinstance(value, bool):
            return _FLAGS[name] == value
        if name in _WAYS and isinstance(value, str):
            said = value.lower()
            if said in _SENT or said in _RECEIVED:
                return said in _SENT
    return None


def _content_of(record: Record) -> Any:
    """What a message carries, or its size where the record tells only that; None where it tells neither."""
    for name in _CONTENTS:
        value = record.get(name)
        if isinstance(value, str | dict) or (isinstance(value, list) and value):
            return value
    return _size_of(record)


def _size_of(record: Record) -> int | None:
    found = (value for key, value in record.items() if key.lower() in _SIZES and isinstance(value, int))
    return next((value for value in found if not isinstance(value, bool)), None)


def _kind_of(record: Record) -> bool | None:
    """Whether a message is binary; None where its record does not tell."""
    for key, value in record.items():
        if key.lower() in _BINARY_FLAGS and isinstance(value, bool):
            return value
    for name in _KINDS:
        value = record.get(name)
        said = str(value).lower() if isinstance(value, str | int) else ""
        if said in _BINARY or said in _TEXT:
            return said in _BINARY
    return None


def _bytes_of(content: Any, is_binary: bool | None) -> bytes | None:
    """The bytes of a binary message; None where it is a text, or they were not kept."""
    if isinstance(content, dict):
        inner = content.get("data") if content.get("type") == "Buffer" else None
        return _bytes_of(inner, True) if isinstance(inner, list) else None
    if isinstance(content, list):
        is_bytes = all(isinstance(item, int) and 0 <= item < 256 for item in content)
        return bytes(content) if is_bytes and is_binary is not False else None
    if not isinstance(content, str) or is_binary is False:
        return None
    if len(content) % 2 == 0 and _HEX.fullmatch(content) is not None:
        return bytes.fromhex(content)
    if is_binary is None and _BASE64.fullmatch(content) is None:
        return None
    plain = content.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


def _said_size(content: Any) -> int | None:
    found = _SAID_SIZE.search(content) if isinstance(content, str) else None
    return int(found[1]) if found is not None else None


def _is_event(content: Any) -> bool:
    """Whether a message is an event of the service."""
    if isinstance(content, str):
        content = _parse(content.encode(errors="replace"))
    kind = content.get("type") if isinstance(content, dict) else None
    return isinstance(kind, str) and kind in AUTO.turn_events | MANUAL.events


def _is_json(text: str) -> bool:
    return _parse(text.encode(errors="replace")) is not None


def _says(record: Record, words: frozenset[str]) -> bool:
    """Whether a record is of something that happened to the connection."""
    said = (record.get(name) for name in ("type", "event", "kind", "op", "action", "method"))
    return any(isinstance(value, str) and value.lower() in words for value in said)


def _headers(value: Any) -> dict[str, str]:
    return {str(name).lower(): str(item) for name, item in value.items()} if isinstance(value, dict) else {}

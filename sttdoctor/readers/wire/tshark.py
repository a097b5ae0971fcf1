"""What tshark prints of packets: how a packet capture of an encrypted connection is read, once decrypted.

Each packet has layers. `websocket` tells the frame; what it carries, unmasked and unpacked, stands in it (a text) or in
the layer `data` behind it (bytes in hexadecimal). A packet with several frames has these layers several times, under
the same names. Of a message in fragments tshark gives the content with the last one, where that is not empty.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from io import BufferedReader
from typing import Any

from sttdoctor.evidence import Control, Frame, Session
from sttdoctor.readers.collector import CONNECTION_BYTES, Budget, Collector, FullError, json_cost
from sttdoctor.readers.conversation import Conversation, without_relayed
from sttdoctor.readers.frames import frame_size, text_frame
from sttdoctor.readers.json_stream import ENDS, JsonStream
from sttdoctor.readers.sockets import Wanted, choose, is_wanted
from sttdoctor.readers.wire.packet_lists import Layers, Members, holds_list, read_list

_NOTHING = (
    "what tshark printed holds no WebSocket; print it with tshark -r FILE -Y 'http or websocket' -T json, and for an "
    "encrypted connection with -o tls.keylog_file:keys.log"
)
_HALF = "tshark did not put the fragments of a compressed message together; give the packet capture itself"
_RESOLUTION_S = 1e-6
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_NO_CODE = 1005
_PACKED = 0x4  # of the bits that tshark calls rsv


def holds_packet_list(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are those of packets that tshark prints."""
    return holds_list(head)


def read_packet_list(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one WebSocket of packets that tshark prints.

    Args:
        stream: Binary; large files are read piece by piece.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket, or several without a choice.
        OSError: The file cannot be read.
    """
    document, listed, loss, line = JsonStream(stream), _List(connection), None, 1
    try:
        for line, layers in read_list(stream, document):
            listed.add(line, layers)
    except ENDS as error:
        told = document.lost(error)
        loss = replace(told, line=max(told.line, line, getattr(error, "line", 1)))
    found = [item.conversation for item in listed.streams.values()]
    meant = found if isinstance(connection, int) else without_relayed(found)
    sockets = [item.socket("packets by tshark", _RESOLUTION_S, path, loss) for item in meant]
    return choose(sockets, connection, path or "the capture", loss, _NOTHING)


def _fields(value: Any) -> dict[str, Any]:
    """Return a value as a dictionary, empty where it is no object."""
    return dict(value) if isinstance(value, Members) else {}


@dataclass(slots=True)
class _Stream:
    """One TCP connection; of a message in fragments its type, whether it is packed, and its bytes so far, by sender."""

    conversation: Conversation
    begun: dict[bool, tuple[int, bool, int]] = field(default_factory=dict)


@dataclass(slots=True)
class _List:
    """What was read so far."""

    wanted: Wanted
    budget: Budget = field(default_factory=Budget)
    streams: dict[str, _Stream] = field(default_factory=dict)

    def add(self, line: int, layers: Layers) -> None:
        """Take a packet in.

        Raises:
            FullError: Nothing more can be held.
        """
        if not any(name in ("http", "websocket") for name, _ in layers):
            return
        frame, tcp = (_of(layers, name) for name in ("frame", "tcp"))
        key, t = _text(tcp, "tcp.stream"), _number(_text(frame, "frame.time_epoch"))
        for place, (name, content) in enumerate(layers):
            if name == "http":
                self._add_head(key, line, t, content)
                self._note_client(key, layers)
            elif name == "websocket":
                stream = self.streams.get(key) or self._begin(key, line)
                following = next((item for item in layers[place + 1 :] if item[0] in ("data", "websocket")), ("", None))
                data = _bytes(following[1]) if following[0] == "data" else None
                _add_frame(stream, line, _time(stream.conversation, line, t), _fields(content), data)

    def _begin(self, key: str, line: int) -> _Stream:
        self.budget.take(CONNECTION_BYTES)
        found = Collector(self.budget, is_wanted(self.wanted, len(self.streams) + 1))
        self.streams[key] = _Stream(Conversation(found, line))
        return self.streams[key]

    def _note_client(self, key: str, layers: Layers) -> None:
        stream, network = self.streams.get(key), _of(layers, "ip") or _of(layers, "ipv6")
        if stream is not None and stream.conversation.opened is None:  # so this is the request
            stream.conversation.who = _text(network, "ip.src") or _text(network, "ipv6.src") or None

    def _add_head(self, key: str, line: int, t: float | None, fields: Any) -> None:
        """Take a request for a WebSocket in, or the answer to one."""
        known = _fields(fields)
        if "http.request" in known and str(known.get("http.upgrade", "")).lower() == "websocket":
            conversation = self._begin(key, line).conversation
            url = str(known.get("http.request.full_uri", ""))
            url = "ws" + url[4:] if url.startswith("http") else url
            conversation.ask(url, _headers(fields, "http.request.line"), _time(conversation, line, t))
        elif "http.response" in known and key in self.streams:
            start = next((_fields(value) for name, value in known.items() if name.startswith("HTTP/")), {})
            status = _number(_text(start, "http.response.code") or _text(known, "http.response.code"))
            body = known.get("http.file_data")
            if status is not None and self.streams[key].conversation.opened is None:
                self.streams[key].conversation.answer(
                    line,
                    _time(self.streams[key].conversation, line, t),
                    int(status),
                    _headers(fields, "http.response.line"),
                    body if isinstance(body, str) else None,
                )


def _add_frame(stream: _Stream, line: int, t: float | None, frame: dict[str, Any], data: bytes | None) -> None:
    conversation, sent = stream.conversation, _text(frame, "websocket.mask") in ("1", "True")
    opcode, size = int(_number(_text(frame, "websocket.opcode")) or 0), _length(frame)
    if conversation.loss is not None:
        return
    if opcode == _CLOSE:
        _close(conversation, line, t, sent, frame)
    elif opcode in (_PING, _PONG):
        conversation.found.add(Control(line, t, sent, "ping" if opcode == _PING else "pong"))
    elif opcode in (_TEXT, _BINARY, _CONTINUATION):
        is_packed = bool(_bits(_text(frame, "websocket.rsv")) & _PACKED)
        begun = stream.begun.pop(sent, None) if opcode == _CONTINUATION else (opcode, is_packed, 0)
        if begun is None:
            return
        kind, packed, length = begun
        if _text(frame, "websocket.fin") in ("0", "False"):
            stream.begun[sent] = kind, packed, length + size
        elif packed and opcode == _CONTINUATION:
            conversation.lose(line, _HALF)
        else:
            _add_message(conversation, line, t, sent, (kind, length + size, _payload_text(frame), data))


def _add_message(
    conversation: Conversation,
    line: int,
    t: float | None,
    sent: bool,
    message: tuple[int, int, str | None, bytes | None],
) -> None:
    """Keep a message: its type, its length on the wire, and what it carries, where tshark gives that."""
    kind, size, text, data = message
    if kind == _BINARY:
        content = data if data is not None or size else b""
        length = size if content is None else len(content)
        conversation.found.add(Frame(line, t, sent, length, binary=True, content=content if sent else None))
        return
    if text is None and data is not None:
        text = data.decode(errors="replace")
    if text is None:
        conversation.found.add(Frame(line, t, sent, size, text="", elided=True))
        return
    try:
        conversation.found.add(text_frame(line, t, sent, text), json_cost(text.encode(errors="replace")))
    except FullError:
        raise
    except ValueError as error:
        conversation.found.damage(line, str(error))


def _close(conversation: Conversation, line: int, t: float | None, sent: bool, frame: dict[str, Any]) -> None:
    payload = _fields(frame.get("websocket.payload"))
    known = payload | _fields(payload.get("websocket.payload.close"))
    code = _number(_text(known, "websocket.payload.close.status_code"))
    reason = _text(known, "websocket.payload.close.reason")
    conversation.close(line, t, "client" if sent else "server", _NO_CODE if code is None else int(code), reason)


def _payload_text(frame: dict[str, Any]) -> str | None:
    text = _fields(frame.get("websocket.payload")).get("websocket.payload.text")
    return text if isinstance(text, str) else None


def _length(frame: dict[str, Any]) -> int:
    names = ("websocket.payload_length_ext_64", "websocket.payload_length_ext_16", "websocket.payload_length")
    told = (_text(frame, name) for name in names)
    return frame_size(_number(next((text for text in told if text), ""))) or 0


def _headers(fields: Any, name: str) -> dict[str, str]:
    lines = [
        str(item) for key, value in fields if key == name for item in (value if isinstance(value, list) else [value])
    ]
    pairs = [line.partition(":") for line in lines]
    return {key.strip().lower(): value.strip() for key, colon, value in pairs if colon and key.strip()}


def _bytes(layer: Any) -> bytes | None:
    content = _text(layer, "data.data")
    try:
        return bytes.fromhex(content.replace(":", "")) if content else None
    except ValueError:
        return None


def _of(layers: Iterable[tuple[str, Any]], name: str) -> Any:
    return next((content for key, content in layers if key == name), None)


def _text(layer: Any, name: str) -> str:
    value = layer.get(name) if isinstance(layer, Members | dict) else None
    return value if isinstance(value, str) else ""


def _bits(text: str) -> int:
    try:
        return int(text[:10], 0)
    except ValueError:
        return 0


def _number(text: str) -> float | None:
    try:
        number = float(text[:40])
    except ValueError:
        return None
    return number if abs(number) < 1e18 else None


def _time(conversation: Conversation, line: int, t: float | None) -> float | None:
    if t is not None and t >= 0 and conversation.found.is_time(t):
        return t
    conversation.found.damage(line, "a time that is none, or out of range")
    return None

"""Lists of packets as tshark prints them: JSON (`-T json`), bulk data of Elasticsearch (`-T ek`), XML (`-T pdml`).

All three have the same layers and fields. The bulk data put the layer before the name of each field and a line between
its dots, the XML gives each a value to be shown.
"""

import json
import re
from collections.abc import Iterator
from io import BufferedReader
from typing import Any
from xml.parsers import expat

from sttdoctor.readers.collector import CostlyError, json_cost, refuse_costly
from sttdoctor.readers.json_stream import JsonStream, TooLargeError
from sttdoctor.readers.stream import MAX_LINE_BYTES, StreamError, numbered_lines

_JSON = re.compile(rb'\s*+\[\s*+\{\s*+"_index"\s*+:\s*+"packets-')
_RAW, _FRAME = re.compile(rb'"frame_raw"\s*:'), re.compile(rb'"frame\.time_epoch"\s*:')
_BULK = re.compile(rb'\s*+\{"index":\s?\{"_index":\s?"packets-')
_XML = re.compile(rb"\s*+<\?xml [^>]{0,200}>(?:\s|<\?[^>]{0,200}>|<!--[^>]{0,400}+(?<=--)>){0,40}<pdml\b")
_KNOWN = frozenset({"frame", "ip", "ipv6", "tcp", "http", "websocket", "data"})
_MAX_LAYERS = 1000  # of one packet
_MAX_FIELDS = 20_000  # of one packet
_BLOCK_BYTES = 1 << 18
_PAYLOAD = "websocket.payload"
_FIELDS = (
    *("frame.time_epoch", "ip.src", "ipv6.src", "tcp.stream", "data.data"),
    *("http.request", "http.response", "http.upgrade", "http.request.full_uri", "http.request.line"),
    *("http.response.code", "http.response.line", "http.file_data"),
    *("websocket.fin", "websocket.rsv", "websocket.opcode", "websocket.mask", "websocket.payload_length"),
    *("websocket.payload_length_ext_16", "websocket.payload_length_ext_64", "websocket.payload.text"),
    *("websocket.payload.close.status_code", "websocket.payload.close.reason"),
)
_OF_BULK = {f"{name.partition('.')[0]}_{name.replace('.', '_')}": name for name in _FIELDS}
_OF_XML = frozenset(_FIELDS)


class Members(list[tuple[str, Any]]):
    """An object of JSON with all its members, those of one name too."""

    def get(self, name: str) -> Any:
        """Return the value of the first member of a name, None where there is none."""
        return next((value for key, value in self if key == name), None)


Layers = list[tuple[str, Any]]
"""Of one packet: the name of each and its fields."""

_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=Members)


def holds_list(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are those of a list of packets by tshark."""
    is_raw = _RAW.search(head) is not None and _FRAME.search(head) is None  # bytes of layers alone
    return not is_raw and (_JSON.match(head) or _BULK.match(head) or _XML.match(head)) is not None


def read_list(stream: BufferedReader, document: JsonStream) -> Iterator[tuple[int, Layers]]:
    """Yield the line and the layers of each packet that count.

    Args:
        stream: Binary.
        document: Reads the same stream where it is JSON.

    Raises:
        DamagedError: It is not what its beginning promised from here on.
        FullError: There is more than can be walked through.
        StreamError: The stream is damaged.
    """
    head = stream.peek(1 << 12)[: 1 << 12]
    if _BULK.match(head) is not None:
        yield from _read_bulk(stream)
    elif _XML.match(head) is not None:
        yield from _read_xml(stream)
    else:
        for line in document.elements():
            yield line, _layers_of_json(document)


def _layers_of_json(document: JsonStream) -> Layers:
    try:
        packet = document.value(_DECODER)
    except TooLargeError:
        document.skip()
        return []
    source = packet.get("_source") if isinstance(packet, Members) else None
    layers = source.get("layers") if isinstance(source, Members) else None
    known = layers if isinstance(layers, Members) else ()
    return [(name, fields) for name, fields in known if name in _KNOWN][:_MAX_LAYERS]


def _read_bulk(stream: BufferedReader) -> Iterator[tuple[int, Layers]]:
    for line, text in numbered_lines(stream):
        packet = _parse(text) if text is not None else None
        layers = packet.get("layers") if isinstance(packet, Members) else None
        if isinstance(layers, Members):
            yield line, list(_layers_of_bulk(layers))[:_MAX_LAYERS]


def _parse(text: bytes) -> Any:
    try:
        refuse_costly(json_cost(text))
        return _DECODER.decode(text.decode("utf-8", errors="replace"))
    except (CostlyError, ValueError, RecursionError):
        return None


def _layers_of_bulk(layers: Members) -> Iterator[tuple[str, Members]]:
    """Yield the layers; several of one name are a list, of which each binary frame takes the next one of its data."""
    parts = {
        name: value if isinstance(value, list) and not isinstance(value, Members) else [value] for name, value in layers
    }
    data = iter(parts.pop("data", ()))
    for name, values in parts.items():
        for value in values if name in _KNOWN else ():
            fields = (
                [(_OF_BULK[key], item) for key, item in value if key in _OF_BULK] if isinstance(value, Members) else []
            )
            yield name, _gather(name, [(key, _shown(item)) for key, item in fields])
            is_binary = ("websocket.opcode", "2") in fields or ("websocket.opcode", "0") in fields
            following = next(data, None) if name == "websocket" and is_binary else None
            if isinstance(following, Members):
                yield "data", Members((_OF_BULK[key], item) for key, item in following if key in _OF_BULK)


def _shown(value: Any) -> Any:
    return str(int(value)) if isinstance(value, bool) else value


def _gather(name: str, fields: list[tuple[str, Any]]) -> Members:
    """The fields of a layer, those of a payload in an object of their own, as in JSON."""
    if name != "websocket":
        return Members(fields)
    inner, outer = Members(), Members()
    for item in fields:
        (inner if item[0].startswith(f"{_PAYLOAD}.") else outer).append(item)
    return Members([*outer, (_PAYLOAD, inner)])


def _read_xml(stream: BufferedReader) -> Iterator[tuple[int, Layers]]:
    walk = _Packets()
    while not walk.is_over:
        block = stream.read(_BLOCK_BYTES)  # small pieces of a long value would each be looked at from its start
        walk.feed(block)
        yield from walk.take()
        if not block:
            return


class _Packets:
    """Collects the packets of XML as it comes.

    No entities are expanded but those of XML itself: what declares others is no list of packets.

    Attributes:
        is_over: The list has ended.
    """

    def __init__(self) -> None:
        self.is_over = False
        self._parser = expat.ParserCreate("utf-8")  # whatever the document says of itself
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._done: list[tuple[int, Layers]] = []
        self._line = 1
        self._layers: list[tuple[str, list[tuple[str, str]]]] = []
        self._fields = self._fed = 0

    def feed(self, block: bytes) -> None:
        """Take bytes in; none are the end.

        Raises:
            StreamError: They are no XML, or hold a value that is too long.
        """
        self._fed += len(block)
        try:
            self._parser.Parse(block, not block)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise self._lost("damaged from here on: not XML") from error
        if self._fed - self._parser.CurrentByteIndex > MAX_LINE_BYTES:
            raise self._lost(f"a value of more than {MAX_LINE_BYTES >> 20} MiB; from here on it was not read")

    def take(self) -> list[tuple[int, Layers]]:
        """Return the packets that are whole, and forget them."""
        done, self._done = self._done, []
        return done

    def _lost(self, why: str) -> StreamError:
        error = StreamError(why)
        error.line = self._parser.CurrentLineNumber
        return error

    def _refuse(self, *_: Any) -> None:
        raise ValueError("a document type, which may declare entities")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "packet":
            self._line, self._layers, self._fields = self._parser.CurrentLineNumber, [], 0
        elif tag == "proto" and len(self._layers) < _MAX_LAYERS:
            name = "data" if attributes.get("name") == "fake-field-wrapper" else attributes.get("name", "")
            self._layers.append((name if name in _KNOWN else "", []))
        elif tag == "field" and self._layers and self._fields < _MAX_FIELDS:
            self._fields += 1
            name, layer = attributes.get("name", ""), self._layers[-1]
            if name in _OF_XML and (layer[0] == name.partition(".")[0] or name == "data.data"):
                layer[1].append((name, attributes.get("show", "")))

    def _end(self, tag: str) -> None:
        if tag == "packet":
            whole = [(name, _gather(name, fields)) for name, fields in self._layers if name]
            self._done.append((self._line, whole))
            self._layers = []
        self.is_over |= tag == "pdml"

"""One message as a program or a database keeps it: its way, its time, its content, by whatever names.

Each member is told by any of the names that are usual for it; where none is, by what stands in it in the first records.
"""

import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

from pybase64 import b64decode

from sttdoctor.endpoints.cartesia import AUTO, MANUAL
from sttdoctor.literals import read_literal
from sttdoctor.readers.collector import CostlyError, json_cost, refuse_costly
from sttdoctor.readers.frames import DECODER
from sttdoctor.readers.logs.said import time_in
from sttdoctor.values import immutable

Record = Mapping[str, Any]


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
_CONTENTS = (
    *(
        "data",
        "payload",
        "message",
        "msg",
        "body",
        "content",
        "text",
        "frame",
        "raw",
        "json",
        "audio",
        "value",
        "bytes",
    ),
)
_SIZES = _names("size bytes len length bytelength byte_length payload_length payloadlength nbytes num_bytes n_bytes")
_KINDS = ("opcode", "type", "kind", "format", "frame_type", "frametype", "payload_type", "encoding", "event")
_BINARY = _names("2 binary bin audio bytes blob arraybuffer buffer base64 b64 hex")
_TEXT = _names("1 text json string utf8 utf-8")
_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_BY_WAY = _names("send sent outgoing outbound tx recv received receive incoming inbound rx")
_SMALLEST_EPOCH = 1_000_000_000
_BINARY_FLAGS = _names("binary isbinary is_binary")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{32,}={0,2}|ey[JA][A-Za-z0-9+/_-]{8,29}={0,2}")
_HEX = re.compile(r"(?:0[xX]|\\{1,2}x|[xX](?='.*'$)'?)?([0-9a-fA-F]{16,})'?")
_LITERAL = re.compile(r"b(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\")", re.DOTALL)
_SAID_SIZE = re.compile(r"\b(\d{1,9}) ?(?:bytes?|B)\b", re.IGNORECASE)
_ONLY_SIZE = re.compile(r"[<\[(]?(?:binary |Buffer |Blob )?\d{1,9} ?(?:bytes?|B)[>\])]?", re.IGNORECASE)
_NUMBERED = re.compile(r"\d ?[=:] ?(?=[A-Za-z])")
_SHORTEST_MESSAGE = 12  # characters
_LEAST_NAMED = 3  # records that show what a member is
_MOST_NAMES = 50
_MOST_ARE = 0.8  # of the values of a member
_WAY, _TIME, _CONTENT = "direction", "time", "data"


@immutable
class Naming:
    """Which members of records are the way, the time and the content, where their names do not tell.

    Attributes:
        names: The name that is told, by the usual one that it stands for.
    """

    names: Mapping[str, str]

    def of(self, record: Any) -> Any:
        """Return a record with the usual names for what it has by others."""
        if not self.names or not isinstance(record, dict):
            return record
        return record | {usual: record[own] for usual, own in self.names.items() if own in record}


def naming_of(records: Sequence[Any]) -> Naming:
    """Tell from the first records of a capture which of their members are what."""
    known = [record for record in records if isinstance(record, dict)]
    names: dict[str, str] = {}
    if not any(way_of(record) is not None for record in known):
        way = _member_with(known, _are_ways)
        if way is None:
            return Naming({})
        names[_WAY] = way
    messages = [record for record in known if way_of(Naming(names).of(record)) is not None]
    if not any(isinstance(content_of(record), str | dict | list) for record in messages):
        taken = frozenset(names.values())
        content = _member_with(messages, _hold_events, taken) or _member_with(messages, _are_contents, taken)
        names |= {_CONTENT: content} if content is not None else {}
    if not any(time_in(record) for record in messages):
        time = _member_with(messages, _are_times, frozenset(names.values()))
        names |= {_TIME: time} if time is not None else {}
    return Naming(names)


def _member_with(
    records: Sequence[Record], are: Callable[[Sequence[Any]], bool], taken: frozenset[str] = frozenset()
) -> str | None:
    names = dict.fromkeys(name for record in records for name in islice(record, _MOST_NAMES))
    for name in islice(names, _MOST_NAMES):
        values = [record[name] for record in records if record.get(name) is not None]
        if name not in taken and len(values) >= min(_LEAST_NAMED, len(records)) and are(values):
            return name
    return None


def _are_ways(values: Sequence[Any]) -> bool:
    """Whether values are ways, but for a few that tell of the connection."""
    said = {value.strip().lower() for value in values if isinstance(value, str)}
    are_most = sum(map(_is_way, values)) >= _MOST_ARE * len(values)
    return are_most and bool(said & _SENT) and bool(said & _RECEIVED)


def _is_way(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() in _SENT | _RECEIVED


def _hold_events(values: Sequence[Any]) -> bool:
    return any(map(is_event, values))


def _are_contents(values: Sequence[Any]) -> bool:
    """Whether all of the values are long, and no dates."""
    is_long = all(isinstance(item, str) and len(item) >= _SHORTEST_MESSAGE for item in values)
    return is_long and any(time_in({_TIME: value}) is None for value in values)


def _are_times(values: Sequence[Any]) -> bool:
    """Whether values are dates, or numbers that grow and count no records."""
    times = [stamp[0].seconds for value in values if (stamp := time_in({_TIME: value})) is not None]
    counts = all(isinstance(value, int) and value < _SMALLEST_EPOCH for value in values)
    grows = all(before <= after for before, after in pairwise(times)) or all(a >= b for a, b in pairwise(times))
    return len(times) == len(values) and grows and not counts and (len(times) < 2 or times[0] != times[-1])


def way_of(record: Record) -> bool | None:
    """Whether a record is of a message that was sent; None where it does not tell."""
    for key, value in record.items():
        name = key.lower()
        if name in _FLAGS and isinstance(value, bool):
            return _FLAGS[name] == value
        if name in _WAYS and isinstance(value, str):
            said = value.strip().lower()
            if said in _SENT or said in _RECEIVED:
                return said in _SENT
    return next((key in _SENT for key, _ in _by_way(record)), None)


def _by_way(record: Record) -> Iterator[tuple[str, Any]]:
    """Yield the contents whose names are ways."""
    for key, value in record.items():
        name = key.lower()
        if name in _BY_WAY and isinstance(value, str | dict | list):
            yield name, value


def content_of(record: Record) -> Any:
    """What a message carries, or its size where the record tells only that; None where it tells neither."""
    members = {key.lower(): value for key, value in record.items()}
    for name in _CONTENTS:
        value = members.get(name)
        if isinstance(value, str | dict) or (isinstance(value, list) and value):
            return value
    return next((value for _, value in _by_way(record)), size_of(record))


def size_of(record: Record) -> int | None:
    """The number of bytes that a record tells, None where it tells none."""
    found = (value for key, value in record.items() if key.lower() in _SIZES and isinstance(value, int))
    return next((value for value in found if not isinstance(value, bool)), None)


def kind_of(record: Record) -> bool | None:
    """Whether a message is binary; None where its record does not tell."""
    for key, value in record.items():
        if key.lower() in _BINARY_FLAGS and str(value).lower() in _TRUTH:
            return _TRUTH[str(value).lower()]
    members = {key.lower(): value for key, value in record.items()}
    for name in _KINDS:
        value = members.get(name)
        said = _NUMBERED.sub("", str(value).lower()) if isinstance(value, str | int) else ""
        if said in _BINARY or said in _TEXT:
            return said in _BINARY
    return None


def bytes_of(content: Any, is_binary: bool | None) -> bytes | None:
    """The bytes of a binary message; None where it is a text, or they were not kept."""
    found = _decoded(content, is_binary)
    # what is not said to be binary may be a text that was packed like one
    return None if found is not None and is_binary is None and _object_in(found) is not None else found


def _decoded(content: Any, is_binary: bool | None) -> bytes | None:
    if isinstance(content, dict):
        inner = content.get("data") if content.get("type") == "Buffer" else None
        return _decoded(inner, True) if isinstance(inner, list) else None
    if isinstance(content, list):
        is_bytes = all(isinstance(item, int) and 0 <= item < 256 for item in content)
        return bytes(content) if is_bytes and is_binary is not False else None
    if not isinstance(content, str) or is_binary is False:
        return None
    if (found := _HEX.fullmatch(content)) is not None and len(found[1]) % 2 == 0:
        return bytes.fromhex(found[1])
    if content[:2] in ("b'", 'b"') and _LITERAL.fullmatch(content) is not None:
        return _literal(content)
    if is_binary is None and _BASE64.fullmatch(content) is None:
        return None
    plain = content.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None


def _literal(text: str) -> bytes | None:
    value = read_literal(text)
    return value if isinstance(value, bytes) else None


def text_of(content: Any) -> str:
    """The text of a message, JSON where it is an object, unpacked where it was packed like a binary one."""
    if isinstance(content, str):
        packed = _decoded(content, None)
        return packed.decode() if packed is not None and _object_in(packed) is not None else content
    return json.dumps(content)


def is_size(content: Any) -> bool:
    """Whether nothing but a number of bytes stands in place of a content."""
    return isinstance(content, str) and _ONLY_SIZE.fullmatch(content) is not None


def said_size(content: Any) -> int | None:
    """The number of bytes that words in place of a content tell."""
    found = _SAID_SIZE.search(content) if isinstance(content, str) else None
    return int(found[1]) if found is not None else None


def is_event(content: Any) -> bool:
    """Whether a message is an event of the service."""
    if isinstance(content, str):
        packed = None if content.lstrip()[:1] == "{" else _decoded(content, None)
        content = packed if packed is not None else content.encode(errors="replace")
    if isinstance(content, bytes):
        content = _object_in(content)
    kind = content.get("type") if isinstance(content, dict) else None
    is_first = kind == "connected" and isinstance(content, dict) and isinstance(content.get("request_id"), str)
    return is_first or (isinstance(kind, str) and kind in AUTO.turn_events | MANUAL.events)


def _object_in(content: bytes) -> Any:
    if not content.lstrip().startswith(b"{"):
        return None
    try:
        refuse_costly(json_cost(content))
        return DECODER.decode(content.decode())
    except (CostlyError, ValueError, RecursionError):
        return None

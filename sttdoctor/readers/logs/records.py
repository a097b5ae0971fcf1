"""Records of JSON or CSV that hold a line of a log each: docker's json-file, JSON formatters, exports of log services.

Which value is the message is told by what stands in it, then by its name; which one is the time by its name.
Sources: https://docs.docker.com/engine/logging/drivers/json-file/ and
https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html and
https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from io import BufferedIOBase, BufferedReader, BytesIO
from itertools import islice, pairwise
from typing import Any

from sttdoctor.literals import LONGEST_RECORD, read_literal
from sttdoctor.readers.collector import MAX_HELD_BYTES, CostlyError, FullError, json_cost, refuse_costly
from sttdoctor.readers.json_stream import DamagedError, JsonStream
from sttdoctor.readers.logs.marks import ANY, EVENTS, LIBRARIES, TYPE
from sttdoctor.readers.logs.pieces import Joining, Layer, Piece, finer, tells_close, time_of
from sttdoctor.readers.stream import StreamError, numbered_lines
from sttdoctor.values import immutable

Path = tuple[str, ...]

_MESSAGES = (
    *("message", "msg", "log", "event", "text", "textpayload", "content", "line", "body"),
    *("@message", "_raw", "payload", "data", "raw", "logentry", "log_entry", "short_message", "@m", "@mt"),
)
_TIMES = (
    *("time", "timestamp", "@timestamp", "ts", "asctime", "datetime", "date", "eventtime", "created", "t", "_time"),
    *("_ts", "timestamp_ms"),
    *("_source_realtime_timestamp", "__realtime_timestamp", "timeunixnano", "observedtimeunixnano"),
)
_WHOLE_SECONDS = ("epochsecond", "seconds")
_CONNECTIONS = ("connection_id", "conn_id", "websocket_id", "websocket", "connection")
_LISTS = ("MESSAGE", "labels", "tags")  # members of a record that are lists
_CONTAINERS = ("hits", "data", "response")  # members of an answer that hold the list of the records
_MOST_CONTAINERS = 3  # one in another
_STREAM = ("timestamp", "line")
_COLUMNS = "columns"  # names of the values of each row of a table beside it
_EACH = ""  # in the path of a list: any of its items
_VALUE = "value"  # of a record as a list of names and values
_NAMES = ("key", "field", "name")  # of what it is
_COLUMN = re.compile(r"[\w@. \[\]()/-]{1,80}")
_DATED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_DECIMAL_COMMA = re.compile(r"(?<=\d\d:\d\d:\d\d),(?=\d{3})")  # of a time; it divides no columns
_CODES = frozenset({"code", "closecode", "close_code", "status", "statuscode", "status_code"})
_LOGGER = re.compile(r"websockets\.(?:client|server)")
_DECODER = json.JSONDecoder(strict=False)
_NEVER_COSTLY = MAX_HELD_BYTES // 1000  # bytes of JSON whose values take no more than can be held, whatever they are
_LONGEST_PREFIX = 300  # words before the object of a line
_DEEPEST, _MOST_LEAVES = 4, 200
_DEEPEST_LIST = 16
_WEIGHT = 1000  # of a line that is read, beside one that has the name of a message
_LOOKED_AT = 2000  # records of the first bytes
_LEAST_TIMES = 3
_MAX_REVERSED_BYTES = 64 << 20


@immutable
class Fields:
    """Where the records of a log keep what is read of them.

    Attributes:
        message: Path of the line; empty where the record is an event itself.
        times: Paths of its time, the first that has one counts.
        loggers: Paths of what names its logger or its connection.
        is_docker: A line without an end goes on in the next record.
    """

    message: Path
    times: tuple[Path, ...]
    loggers: tuple[Path, ...]
    is_docker: bool

    def piece(self, number: int, record: Any, outer: Piece) -> Piece | None:
        """Return the line of a record; None where it has none."""
        value = _at(record, self.message)
        text = value.encode(errors="replace") if isinstance(value, str) else _text(value)
        if text is None:
            return None
        if tells_close(text, partial(_shown_close, record)):
            text = json.dumps(record).encode()
        time = b""
        for path in self.times:
            time = time_of(_at(record, path))
            if time:
                break
        logger = outer.logger
        if self.loggers:
            named = " ".join(str(_at(record, path) or "")[:100] for path in self.loggers)
            logger = named.encode(errors="replace") or logger
        if text.endswith(b"\n"):
            text = text[:-1]
        return Piece(number, text, finer(time, outer.time) if outer.time else time, logger)


def _text(value: Any) -> bytes | None:
    """A message as bytes: an event as JSON; journald writes one that is no plain text as a list of them.

    A list holds what was printed in one call, or lines, each with its end.
    """
    if isinstance(value, str):
        return value.encode(errors="replace")
    if isinstance(value, dict):
        return json.dumps(value).encode()
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(item, int) and 0 <= item < 256 for item in value):
        return bytes(value)
    if not isinstance(value[0], str):
        return None
    parts = [item if isinstance(item, str) else json.dumps(item) for item in value]
    is_lines = all(part.endswith("\n") for part in parts[:-1])
    return ("" if is_lines else " ").join(parts).encode(errors="replace")


def _shown_close(record: Any) -> bytes:
    """A record as bytes where one of its members may be the code of a close, else nothing."""
    leaves = islice(_leaves(record), _MOST_LEAVES)
    return json.dumps(record).encode() if any(path[-1].lower() in _CODES for path, _ in leaves) else b""


def _at(record: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record


def _leaves(record: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the path and the value of everything in a record that is no object."""
    for key, value in record.items():
        if not isinstance(value, dict):
            yield (*path, key), value
        elif len(path) < _DEEPEST:
            yield from _leaves(value, (*path, key))


def _fields_of(records: list[Any]) -> Fields | None:
    """Tell where records keep their lines; None where nothing in them is one."""
    kept = [list(islice(_leaves(record), _MOST_LEAVES)) for record in records]
    message = _marked_path(kept)
    if message is None:
        message = _named_path(kept)
    if message is None:
        return None
    times: dict[Path, None] = {}
    loggers: dict[Path, None] = {}
    for leaves in kept:
        for path, value in leaves:
            if path == message:
                continue
            if len(path) > 1 and path[-1].lower() in _WHOLE_SECONDS:  # the rest of it stands beside them
                times[path[:-1]] = None
            elif any(key.lower() in _TIMES for key in path) and time_of(value):
                times[path] = None
            if isinstance(value, str) and (_LOGGER.fullmatch(value) or path[-1].lower() in _CONNECTIONS):
                loggers[path] = None
    if not times:
        times = _dated_path(kept, message)
    if not times and any(map(_has_short_time, kept)) and not _is_of_library(kept, message):
        message = ()
    is_docker = message == ("log",) and any(set(record) >= {"log", "stream"} for record in records)
    return Fields(message, tuple(times)[:4], tuple(loggers)[:4], is_docker)


def _has_short_time(leaves: list[tuple[Path, Any]]) -> bool:
    """Whether a record has seconds since the program began, which are no time of a log."""
    return any(path[-1].lower() in _TIMES and isinstance(value, int | float) for path, value in leaves)


def _is_of_library(kept: list[list[tuple[Path, Any]]], message: Path) -> bool:
    lines = (_text(value) for leaves in kept for path, value in leaves if path == message)
    return not any(text is not None and EVENTS.search(text) and not LIBRARIES.search(text) for text in lines)


def _marked_path(kept: list[list[tuple[Path, Any]]]) -> Path | None:
    """Where the first record has a line that is read; the record itself where its members are those of an event."""
    for leaves in kept:
        names = {path[-1] for path, _ in leaves}
        for path, value in leaves:
            if path[-1] == "type" and value == "error" and {"title", "status_code"} <= names:
                return ()
            text = _text(value)
            is_final = path[-1] == "is_final" and isinstance(value, bool)
            if is_final or (text is not None and TYPE.fullmatch(text)):
                return ()
            if text is not None and ANY.search(text):
                return path
    return None


def _named_path(kept: list[list[tuple[Path, Any]]]) -> Path | None:
    """The message of the first record by its name: the log may come to the lines that are read only later."""
    texts = [path for path, value in kept[0] if _text(value) is not None] if kept else []
    found = {
        key.lower(): path for path in reversed(texts) for key in path[:-1]
    }  # the text in an object that is named so
    found.update({path[-1].lower(): path for path in reversed(texts)})
    return next((found[name] for name in _MESSAGES if name in found), None)


def _dated_path(kept: list[list[tuple[Path, Any]]], message: Path) -> dict[Path, None]:
    """The first value, whatever its name, that is a date with a time in every record."""
    dated = [
        [path for path, value in leaves if isinstance(value, str) and _DATED.match(value) and path != message]
        for leaves in kept
    ]
    alike = set(dated[0]).intersection(*dated[1:]) if dated else set()
    return dict.fromkeys([path for path in dated[0] if path in alike][:1]) if dated else {}


def _parse(text: bytes) -> Any:
    """The object of a line, with or without words before it; None where there is none."""
    begin = text.find(b"{", 0, _LONGEST_PREFIX)
    content = (text[begin:] if begin else text).rstrip()
    if begin < 0 or not content.endswith(b"}"):
        return None
    if content.startswith(b"{'"):
        return _of_python(content) if not begin else None
    try:
        if len(content) > _NEVER_COSTLY:
            refuse_costly(json_cost(content))
        characters = content.decode("utf-8", errors="replace")
        value, end = _DECODER.raw_decode(characters)
    except (CostlyError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value and end == len(characters) else None


def _of_python(text: bytes) -> dict[str, Any] | None:
    """The dictionary that Python printed, as `print(record)` does; None where it is none, or too long."""
    if len(text) > LONGEST_RECORD:
        return None
    value = read_literal(text.decode("utf-8", errors="replace"))
    is_record = isinstance(value, dict) and bool(value) and all(isinstance(name, str) for name in value)
    return value if is_record else None


def lines_of_json_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of a JSON object a line; None where the lines have none that holds a line of a log."""
    records = [value for piece in pieces[:_LOOKED_AT] if piece.text and (value := _parse(piece.text)) is not None]
    plain = sum(
        piece.text is not None and _parse(piece.text) is None and ANY.search(piece.text) is not None for piece in pieces
    )
    if plain >= len(records):
        return None  # nothing, or JSON that an application prints beside the lines that are read
    fields = _fields_of(records)
    if fields is None or not fields.message:
        return None
    layer: Layer = partial(_out_of_lines, fields=fields)
    if falls(list(layer(iter(pieces)))):
        return lambda inner: turn_round(layer(inner))
    return layer


def _out_of_lines(pieces: Iterator[Piece], fields: Fields) -> Iterator[Piece]:
    joining = Joining()
    for piece in pieces:
        record = _parse(piece.text) if piece.text is not None else None
        inner = fields.piece(piece.number, record, piece) if record is not None else None
        if record is None or inner is None:
            yield piece
        elif fields.is_docker:
            line = record["log"]
            goes_on = isinstance(line, str) and not line.endswith("\n")
            whole = joining.take(str(record.get("stream")), inner, goes_on)
            if whole is not None:
                yield whole
        else:
            yield inner
    yield from joining.rest()


def records_of_document(stream: BufferedReader) -> Iterator[tuple[int, Any]]:
    """Yield the line and the value of each record of an export: a list, one in an object, or one object after another.

    Raises:
        FullError: It has too many items.
        StreamError: The stream is damaged, or it is not JSON from here on.
    """
    document = JsonStream(stream)
    try:
        yield from _records(document)
    except DamagedError as error:
        loss = StreamError(f"damaged from here on: {error}")
        loss.line = document.line
        raise loss from None


def _records(document: JsonStream) -> Iterator[tuple[int, Any]]:
    while document.peek() in ("[", "{"):
        if document.peek() == "[":
            yield from _items(document)
            continue
        line = document.line
        record = yield from _members(document, 0)
        yield line, record


def _members(document: JsonStream, depth: int) -> Generator[tuple[int, Any], None, dict[str, Any]]:
    """Yield the records that an object lists, and return what else it has."""
    record: dict[str, Any] = {}
    for key in document.members():
        if document.peek() == "[" and key not in _LISTS:
            yield from (_streams if depth and key == "result" else _items)(document)
        elif document.peek() == "{" and key in _CONTAINERS and depth < _MOST_CONTAINERS:
            record[key] = yield from _members(document, depth + 1)
        else:
            record[key] = document.value_or_none()
    return record


def _items(document: JsonStream) -> Iterator[tuple[int, Any]]:
    for line in document.elements():
        yield line, _record(document.value_or_none(), ())


def _record(value: Any, columns: Sequence[str]) -> Any:
    """An item of a list as a record: a row of a table and lists of names and values become objects."""
    if isinstance(value, list):
        return _pairs(value) if _are_pairs(value) else dict(zip(columns, value, strict=False))
    if isinstance(value, dict) and any(map(_are_pairs, value.values())):
        return {key: _pairs(item) if _are_pairs(item) else item for key, item in value.items()}
    return value


def _streams(document: JsonStream) -> Iterator[tuple[int, Any]]:
    """Yield the records of Loki's answer, whose streams list pairs of a time and a line."""
    for _ in document.elements():
        if document.peek() != "{":
            document.skip()
            continue
        for key in document.members():
            if key != "values" or document.peek() != "[":
                document.skip()
                continue
            for line in document.elements():
                value = document.value_or_none()
                yield line, dict(zip(_STREAM, value, strict=False)) if isinstance(value, list) else value


def _are_pairs(value: Any) -> bool:
    """Whether a list gives names and values."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict) and _name_of(value[0]) is not None


def _pairs(items: list[Any]) -> dict[str, Any]:
    """A record as a list of a name and its value each."""
    pairs = ((_name_of(item), item.get(_VALUE)) for item in items if isinstance(item, dict))
    return {name: value for name, value in pairs if name is not None}


def _name_of(pair: dict[str, Any]) -> str | None:
    if _VALUE not in pair:
        return None
    return next((pair[name] for name in _NAMES if isinstance(pair.get(name), str)), None)


def path_in(head: bytes) -> Path | None:
    """Return the way to the records of a document, of which the first bytes are given; None where there are none.

    It names the members on the way, and `_EACH` stands for each item of a list. Where no record holds a line that is
    read, they are those that have a message by its name.
    """
    document, found = JsonStream(BufferedReader(BytesIO(head))), Counter[Path]()
    with suppress(StreamError, FullError, DamagedError):  # it may be cut
        while document.peek() in ("[", "{"):
            _count_lines(document, (), found)
    return max(filter(found.get, found), key=lambda path: found[path], default=None)


def is_near(path: Path) -> bool:
    """Whether `records_of_document` comes to the records at the end of a path."""
    return path.count(_EACH) == 1 and all(key in _CONTAINERS for key in path[:-2])


def _count_lines(document: JsonStream, path: Path, found: Counter[Path]) -> None:
    """Count the lines that are read by the records in which they stand."""
    if len(path) > _DEEPEST_LIST:
        document.skip()
    elif document.peek() == "{":
        for key in document.members():
            _count_lines(document, (*path, key), found)
    elif document.peek() == "[":
        for _ in document.elements():
            _count_lines(document, (*path, _EACH), found)
    else:
        value = document.value_or_none()
        is_pair = path[-2:] == (_EACH, _VALUE)
        inner = path[:-2] if is_pair else path[:-1]
        while inner and inner[-1] != _EACH:
            inner = inner[:-1]
        if isinstance(value, str) and inner:
            is_read = ANY.search(value.encode(errors="replace")) is not None
            is_cell = path[-2:] == (_EACH, _EACH)
            is_named = is_pair or is_cell or any(key.lower() in _MESSAGES for key in path[len(inner) :])
            found[inner] += _WEIGHT if is_read else is_named


def records_along(path: Path, stream: BufferedReader) -> Iterator[tuple[int, Any]]:
    """Yield the line and the value of each record of a document to which a path leads, as `path_in` gives it.

    Raises:
        FullError: It has too many items.
        StreamError: The stream is damaged, or it is not JSON from here on.
    """
    document = JsonStream(stream)
    try:
        while document.peek() in ("[", "{"):
            yield from _along(document, path, ())
    except DamagedError as error:
        loss = StreamError(f"damaged from here on: {error}")
        loss.line = document.line
        raise loss from None


def _along(document: JsonStream, path: Path, columns: Sequence[str]) -> Iterator[tuple[int, Any]]:
    following = document.peek()
    if not path:
        line = document.line
        yield line, _record(document.value_or_none(), columns)
    elif path[0] == _EACH and following == "[":
        for _ in document.elements():
            yield from _along(document, path[1:], columns)
    elif path[0] != _EACH and following == "{":
        for key in document.members():
            if key == path[0]:
                yield from _along(document, path[1:], columns)
            elif key == _COLUMNS:
                columns = _columns_of(document.value_or_none())
            else:
                document.skip()
    else:
        document.skip()


def _columns_of(value: Any) -> list[str]:
    named = value if isinstance(value, list) else []
    return [str(item.get("name")) if isinstance(item, dict) else str(item) for item in named]


def records_of_csv(stream: BufferedIOBase) -> Iterator[tuple[int, Any]]:
    """Yield the line and the row of each record of a table, by the names of its first line.

    Raises:
        StreamError: The stream is damaged.
    """
    lines = (((line or b"") + b"\n").decode(errors="replace") for _, line in numbered_lines(stream))
    reader = csv.reader(lines)
    try:
        names = next(reader, [])
    except csv.Error:  # no table after all
        return
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        yield reader.line_num, dict(zip(names, row, strict=False))


def is_document(head: bytes) -> bool:
    """Whether the first bytes are a JSON document of several lines, or of one that is a list."""
    text = head.lstrip()
    first = text.partition(b"\n")[0].strip()
    if text[:1] == b"[":
        return text[1:].lstrip()[:1] in (b"{", b"[")
    if text[:1] != b"{":
        return False
    record = _parse(first)
    is_alone = len(first) == len(text.strip())
    return record is None or _lists_records(record, (dict, list) if is_alone else (dict,))


def _lists_records(value: Any, kinds: tuple[type, ...], depth: int = 0) -> bool:
    """Whether an object has a list of records, or a container that has one."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], kinds)
    if not isinstance(value, dict) or depth > _MOST_CONTAINERS:
        return False
    return any(
        _lists_records(item, kinds, depth + 1)
        for key, item in value.items()
        if isinstance(item, list) or key in _CONTAINERS
    )


def is_table(head: bytes) -> bool:
    """Whether the first line names columns: one of them that of a message, or as many as the lines behind it have."""
    try:
        lines = _DECIMAL_COMMA.sub(".", head.decode(errors="replace")).splitlines()
        names, *rows = list(islice(csv.reader(lines), 4)) or [[]]
    except csv.Error:
        return False
    if len(names) < 2:
        return False
    if any(name.strip().lower() in _MESSAGES for name in names):
        return True
    alike = bool(rows) and all(len(row) == len(names) for row in rows)
    return alike and all(_COLUMN.fullmatch(name) for name in names)


def fields_of_records(records: list[Any]) -> Fields | None:
    """Tell where the first records of an export keep their lines; None where none holds one that is read."""
    return _fields_of([record for record in records[:_LOOKED_AT] if isinstance(record, dict) and record])


def pieces_of(records: Iterator[tuple[int, Any]], fields: Fields) -> Iterator[Piece]:
    """Yield the line of each record."""
    for number, record in records:
        piece = fields.piece(number, record, Piece(number, b"")) if isinstance(record, dict) else None
        if piece is not None:
            yield piece


def falls(pieces: list[Piece]) -> bool:
    """Whether the newest of some lines comes first."""
    times = [piece.time for piece in pieces if piece.time]
    if len(times) < _LEAST_TIMES or times[0] <= times[-1]:
        return False
    steps = list(pairwise(times))
    return sum(a > b for a, b in steps) > sum(a < b for a, b in steps)


def turn_round(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield the last piece first.

    Raises:
        FullError: There is more than can be held.
    """
    held: list[Piece] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece.text or b"") + 200
        if size > _MAX_REVERSED_BYTES:
            raise FullError(
                f"the newest line first and longer than {_MAX_REVERSED_BYTES >> 20} MiB; export it oldest first"
            )
    yield from reversed(held)

r"""Records of messages in whatever layout a program or a database wrote them.

    ts,direction,payload                                         a table: commas, semicolons, tabs, bars, or drawn
    INSERT INTO ws VALUES (1, '2026-11-30 19:07:12.5', 'in', X'7b7d');   statements, or COPY
    {"columns": ["ts", "direction"], "data": [[1.5, "in"]]}      JSON: rows, columns, lists in objects, objects
    {'type': 'send', 'ts': 1.5, 'bytes': b'\x00\x01'}             values as Python prints them, one a line or by pprint
    - ts: 1.5                                                    blocks of names and values: YAML, psql's \x, MySQL's \G
      direction: in

Whatever it is, a record is an object; what has no names is named by its place.
"""

import csv
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from io import BufferedReader
from itertools import islice
from typing import Any

from sttdoctor.literals import LONGEST_RECORD, read_literal
from sttdoctor.readers.collector import MAX_HELD_BYTES, CostlyError, FullError, json_cost, refuse_costly
from sttdoctor.readers.frames import DECODER
from sttdoctor.readers.json_stream import MAX_VALUE_CHARACTERS, DamagedError, JsonStream
from sttdoctor.readers.stream import StreamError, numbered_lines

WAY_OF_LIST = "direction"
"""The member that a record gets from a list that is named `sent` or `received`."""

Records = Iterator[tuple[int, Any]]
"""The line and the value of each record; None stands for one that cannot be read."""

IsMessage = Callable[[Mapping[str, Any]], bool]

_HEAD_BYTES = 1 << 16
_BETWEEN = b" \t\r\n\x1e"  # records of JSON
_ASSIGNED = re.compile(
    rb"\s*+(?![\[{])(?:\s|//[^\n]*+\n|/\*[^*]*+(?:\*(?!/)[^*]*+)*+\*/)*+"
    rb"(?:export default\s|(?:export )?(?:const|let|var) [\w$]{1,80}+[^=\n\"']{0,80}+=|"
    rb"(?:window|self|module|globalThis)[\w.$]{1,80}+\s?=)?+\s*+(?=[\[{])"
)
"""What a script or somebody has before a value of JSON."""
_JOINED = re.compile(rb"\}[ \t\x1e]{0,8}\{")  # objects without an end of the line between them
_DEEPEST = 6
_LEAST_COLUMNS = 2
_COLUMNS = ("columns", "fields", "header")
_LISTS = frozenset({"sent", "outgoing", "send", "received", "incoming", "receive", "recv"})
_TYPED = frozenset({"$date", "$oid", "$numberLong", "$numberInt", "$numberDouble", "S", "N", "B", "BOOL", "base64"}) | {
    f"{kind}Value" for kind in ("string", "timestamp", "integer", "double", "bytes", "boolean")
}
_TYPED_BINARY = "$binary"
_MOST_HELD_BYTES = MAX_HELD_BYTES // 4  # of columns, which stand one behind the other
_VALUE_BYTES = 100
_LOOKED_AT = 20  # lines
_PYTHON = re.compile(rb"\s{0,8}\[?\s{0,8}\{'")
_BEGINS = re.compile(rb"\[? ?\{")
_NAME = re.compile(r"[\w@. \[\]()/$#-]{1,60}")
_DRAWN = re.compile(r"[\s|+:=\u2500-\u257f-]{3,}")
_BARS = re.compile(r"[|\u2502\u2503]")
_MEMBER = re.compile(
    r" {0,40}(?P<dash>- )?(?P<name>[A-Za-z_@][\w@.$-]{0,60})"
    r"(?: {0,40}: | {0,40} = | {0,40} \| |:(?= *$))(?P<value>.*)"
)
_COUNTED = re.compile(
    r"\*{5,40} \d{1,9}\. row \*{5,40}|-\[ RECORD \d{1,9} \][-+]{0,400}|Row \d{1,9}:|\u2500{3,20}|@ Row \d{1,9}|---"
)
"""A line that counts a record: of MySQL, psql, ClickHouse, Cassandra; or ends one of YAML."""
_OPEN_VALUE = re.compile(r"(?:!!?\w{1,20} ?)?[|>][+-]?\d?")
_WORDS = {"true": True, "false": False, "null": None, "NULL": None, "~": None}
_INSERT = re.compile(rb"\s{0,20}(?:INSERT|REPLACE)\s", re.IGNORECASE)
_INTO = re.compile(
    r"\s{0,20}(?:INSERT|REPLACE)\s{1,8}(?:IGNORE\s{1,8})?(?:INTO\s{1,8})?([^\s(']{1,200})\s{0,8}"
    r"(?:\(([^()']{1,4000})\))?\s{0,8}VALUES\s{0,8}",
    re.IGNORECASE,
)
_CREATE = re.compile(
    r"CREATE TABLE\s{1,8}(?:IF NOT EXISTS\s{1,8})?([^\s(]{1,200})\s{0,8}\(([^;]{1,8000})\)[^;()]{0,300};", re.IGNORECASE
)
_IN_BRACKETS = re.compile(r"\([^()]*+\)")
_COPY = re.compile(r"COPY\s{1,8}\S{1,200}\s{0,8}\(([^()]{1,4000})\)\s{1,8}FROM stdin;", re.IGNORECASE)
_VALUE = (
    r"\s*+(?:CAST\()?(?:([xXeEbBnN]|_binary )?'((?:%s|'')*+)'|(0[xX][0-9a-fA-F]*+|[^\s,()']{1,200}))"
    r"(?:::[\w ]{1,40}| AS \w{1,40}(?:\(\d{1,4}\))?\))?\s*+([,)])"
)
_TOKEN, _TOKEN_OF_MYSQL = (re.compile(_VALUE % sign, re.DOTALL) for sign in (r"[^']", r"[^'\\]|\\."))
_COPIED, _ESCAPED = re.compile(r"\\([bfnrtv\\])"), re.compile(r"\\(.)", re.DOTALL)
_OF_COPIED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
_OF_MYSQL = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "0": "\0", "Z": "\x1a"}


def records_in(stream: BufferedReader, is_message: IsMessage) -> Records:
    """Yield the records of a stream.

    Args:
        stream: Binary, unpacked.
        is_message: Whether an object is a record, whatever it has in it.

    Raises:
        FullError: There are too many.
        StreamError: The stream is damaged, or it is not JSON from here on.
    """
    head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    assigned = _ASSIGNED.match(head)
    if assigned is not None:
        return _of_document(stream, is_message, stream.read(assigned.end()).count(b"\n") + 1)
    read = _layout_of(head)
    return _of_document(stream, is_message) if read is None else read(stream)


def _layout_of(head: bytes) -> Callable[[BufferedReader], Records] | None:
    """Return what reads a stream that begins so, None for a document of JSON."""
    if _PYTHON.match(head) is not None:
        return _of_python
    text = head.lstrip(_BETWEEN)
    line, _, rest = text.partition(b"\n")
    if text[:1] == b"[":
        return None
    if text[:1] == b"{":
        first = _parse(line)
        if first is None and _JOINED.search(line) is not None:
            return None
        goes_on = first is None and (line.rstrip()[-1:] in (b"{", b"[", b",") or not rest)
        return None if goes_on or (not rest.strip() and _has_parts(first)) else _of_lines
    lines = head.decode(errors="replace").splitlines()
    return _of_statements if _holds_statements(lines) else _of_blocks(lines) or _of_table(lines) or _of_lines


def _has_parts(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(item, list | dict) for item in value.values())


def _of_lines(stream: BufferedReader) -> Records:
    for line, text in numbered_lines(stream):
        if text is not None and text.strip():
            yield line, plain_of(_parse(text))


def _parse(text: bytes) -> Any:
    text = text.strip(_BETWEEN).removesuffix(b",")
    if not text.startswith(b"{"):
        return None
    try:
        refuse_costly(json_cost(text))
        return DECODER.decode(text.decode("utf-8", errors="replace"))
    except (CostlyError, ValueError, RecursionError):
        return None


def plain_of(value: Any) -> Any:
    """A record without the types that a database puts round its values."""
    if not isinstance(value, dict):
        return value
    return {key: _untyped(item) if isinstance(item, dict) and len(item) <= 2 else item for key, item in value.items()}


def _untyped(value: Mapping[str, Any]) -> Any:
    inner = value.get(_TYPED_BINARY)
    if isinstance(inner, dict | str):
        return inner.get("base64") if isinstance(inner, dict) else inner
    name = next(iter(value), "") if len(value) == 1 else ""
    return _number_of(value[name]) if name in _TYPED and isinstance(value[name], str | int | float) else value


def _number_of(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}(?:\.\d{1,18})?", value):
        return float(value) if "." in value else int(value)
    return value


# --- documents


def _of_document(stream: BufferedReader, is_message: IsMessage, line: int = 1) -> Records:
    document = JsonStream(stream, line)
    walk = _Walk(document, is_message)
    try:
        while document.peek() in ("[", "{") and walk.damage is None:
            if document.peek() == "[":
                yield from walk.items(None, ())
            else:
                record = yield from walk.members(0)
                if record:
                    yield document.line, plain_of(record)
    except DamagedError as error:
        walk.damage = error
    if walk.damage is not None:
        loss = StreamError(f"damaged from here on: {walk.damage}")
        loss.line = document.line
        raise loss


class _Walk:
    """Walks through a document; where it is damaged, it ends, and what was complete is there.

    Args:
        document: Of JSON.
        is_message: Whether an object is a record, whatever it has in it.

    Attributes:
        damage: What ended it.
    """

    def __init__(self, document: JsonStream, is_message: IsMessage) -> None:
        self.damage: DamagedError | None = None
        self._document = document
        self._is_message = is_message
        self._held = 0

    def members(self, depth: int) -> Generator[tuple[int, Any], None, dict[str, Any]]:
        """Yield the records in an object, and return what it has itself.

        Raises:
            FullError: There are too many.
        """
        document, record, columns = self._document, dict[str, Any](), dict[str, list[Any]]()
        names: Sequence[str] = ()
        try:
            for key in document.members():
                following = document.peek()
                if following == "[" and key in _COLUMNS:
                    names = _columns_of(document.value_or_none())
                elif following == "[":
                    columns[key] = yield from self.items(key, names)
                elif following == "{" and depth < _DEEPEST:
                    inner = yield from self.members(depth + 1)
                    if len(inner) > 1 and all(name.isdigit() for name in inner):
                        columns[key] = list(inner.values())
                    elif inner and key != "schema":
                        record[key] = inner
                else:
                    record[key] = self._take()
                if self.damage is not None:
                    break
        except DamagedError as error:
            self.damage = error
        return (yield from _rows_in(document.line, record, columns, self.damage is not None))

    def items(self, key: str | None, names: Sequence[str]) -> Generator[tuple[int, Any], None, list[Any]]:
        """Yield the records of a list, and return the items that are none.

        Raises:
            FullError: There are too many.
        """
        column: list[Any] = []
        way = key if key is not None and key.lower() in _LISTS else None
        try:
            for line in self._document.elements():
                if self._document.peek() in ("[", "{"):
                    yield from self._flat(line, self._document.value_or_none(), way, names, 0)
                else:
                    column.append(self._take())
        except DamagedError as error:
            self.damage = error
        return column

    def _take(self) -> Any:
        item = self._document.value_or_none()
        self._held += _VALUE_BYTES + (len(item) if isinstance(item, str) else 0)
        if self._held > _MOST_HELD_BYTES:
            raise FullError(f"columns of more than {_MOST_HELD_BYTES >> 20} MiB")
        return item

    def _flat(self, line: int, value: Any, way: str | None, names: Sequence[str], depth: int) -> Records:
        """Yield a value as a record, or those that are lists in it."""
        if isinstance(value, list):
            yield line, plain_of(dict(zip(names or map(str, range(len(value))), value, strict=False)))
            return
        is_whole = not isinstance(value, dict) or depth >= _DEEPEST or self._is_message(value)
        lists = {} if is_whole else _lists_in(value)
        if not lists:
            is_bare = isinstance(value, dict) and way is not None and WAY_OF_LIST not in value
            yield line, plain_of({WAY_OF_LIST: way, **value} if is_bare else value)
            return
        yield line, plain_of({key: item for key, item in value.items() if key not in lists})
        for key, item in lists.items():
            inner = key if key.lower() in _LISTS else way
            for part in item if isinstance(item, list) else (item,):
                yield from self._flat(line, part, inner, (), depth + 1)


def _rows_in(
    line: int, record: dict[str, Any], columns: Mapping[str, list[Any]], is_cut: bool
) -> Generator[tuple[int, Any], None, dict[str, Any]]:
    """Yield the rows of columns that are alike, and return what the object has beside them."""
    lengths = {len(items) for items in columns.values() if items}
    if len(columns) < _LEAST_COLUMNS or not (len(lengths) == 1 or (is_cut and lengths)):
        return record
    if record:
        yield line, plain_of(record)
    for row in zip(*columns.values(), strict=False):
        yield line, plain_of(dict(zip(columns, row, strict=True)))
    return {}


def _columns_of(value: Any) -> list[str]:
    named = value if isinstance(value, list) else []
    return [str(item.get("name")) if isinstance(item, dict) else str(item) for item in named]


def _lists_in(value: Mapping[str, Any]) -> dict[str, Any]:
    """The members that hold records: lists of objects, and objects with such a list."""
    return {
        key: item
        for key, item in value.items()
        if (isinstance(item, list) and item and isinstance(item[0], dict))
        or (
            isinstance(item, dict)
            and any(isinstance(part, list) and part and isinstance(part[0], dict) for part in item.values())
        )
    }


# --- values as Python prints them


def _of_python(stream: BufferedReader) -> Records:
    """Yield the records of a stream of dictionaries, or of a list of them, each on a line or on several."""
    begun, parts, length = 0, list[bytes](), 0
    for number, line in numbered_lines(stream):
        if line is not None and _BEGINS.match(line) is not None and length:
            yield from ((begun, value) for value in _values_of(parts, length))
            parts, length = [], 0
        begun = begun if length else number
        length += len(line) if line is not None else LONGEST_RECORD
        if line and length < LONGEST_RECORD:
            parts.append(line)
    if length:
        yield from ((begun, value) for value in _values_of(parts, length))


def _values_of(parts: Sequence[bytes], length: int) -> Iterator[Any]:
    text = b"\n".join(parts).strip().removesuffix(b",")
    if text[:1] == b"[" and text[-1:] != b"]":
        text = text[1:]
    elif text[-1:] == b"]" and text[:1] != b"[":
        text = text[:-1]
    value = read_literal(text.decode(errors="replace")) if length < LONGEST_RECORD else None
    for item in value if isinstance(value, list) else (value,):
        yield _with_shown_bytes(item) if isinstance(item, dict) else None


def _with_shown_bytes(record: Mapping[Any, Any]) -> dict[str, Any]:
    """A record with its bytes as Python prints them."""
    return {str(key): repr(item) if isinstance(item, bytes) else item for key, item in record.items()}


# --- blocks: a name and its value a line


def _of_blocks(lines: Sequence[str]) -> Callable[[BufferedReader], Records] | None:
    """Return what reads records that have a name and its value on each line; None where the first lines are none.

    They are several, and begin alike: below a line that counts them, behind an empty line, or with a dash as in YAML.
    """
    begun = list(islice(_beginnings(lines), 3))
    names = [found["name"] for found in begun]
    has_marks = any(_COUNTED.fullmatch(line) for line in lines[:_LOOKED_AT])
    has_dashes = any(found["dash"] for found in begun)
    is_several = len(names) > 1 and len(set(names[-2:])) == 1
    return _of_names if is_several and (has_marks or has_dashes or len(set(names)) == 1) else None


def _beginnings(lines: Sequence[str]) -> Iterator[re.Match[str]]:
    is_new = True
    for line in lines:
        found = _MEMBER.match(line)
        if found is not None and (is_new or found["dash"]) and found["value"].strip():
            yield found
        is_new = not line.strip() or _COUNTED.fullmatch(line) is not None or (is_new and found is None)


def _of_names(stream: BufferedReader) -> Records:
    record, begun, name, indent, size = dict[str, list[str]](), 0, "", 0, 0
    for number, line in numbered_lines(stream):
        text = (line or b"").decode(errors="replace").rstrip()
        found = _MEMBER.match(text)
        is_more = name and record and len(text) - len(text.lstrip()) > indent and not _is_whole(record[name])
        is_end = not text or _COUNTED.fullmatch(text) is not None or (found is not None and bool(found["dash"]))
        if record and is_end and not is_more:
            yield begun, _of_block(record)
            record, name, size = {}, "", 0
        if is_more:
            size += _VALUE_BYTES + len(text)
            if size <= MAX_VALUE_CHARACTERS:
                record[name].append(text.strip())
        elif found is not None:
            begun = begun if record else number
            name, indent = found["name"], found.start("name")
            record[name] = [found["value"].strip()]
    if record:
        yield begun, _of_block(record)


def _is_whole(parts: Sequence[str]) -> bool:
    """Whether no line below can belong to a value: only values of YAML go on."""
    first, last = parts[0], parts[-1]
    if first[:1] == "'":
        return len(parts) + len(last) > 2 and last.endswith("'") and (len(last) - len(last.rstrip("'"))) % 2 == 1
    if first[:1] == '"':
        return len(parts) + len(last) > 2 and last.endswith('"') and not last.endswith('\\"')
    return _OPEN_VALUE.fullmatch(first) is None


def _of_block(record: Mapping[str, list[str]]) -> dict[str, Any]:
    return {name: _of_parts(parts) for name, parts in record.items()}


def _of_parts(parts: Sequence[str]) -> Any:
    first = parts[0]
    if _OPEN_VALUE.fullmatch(first) is not None:
        return ("" if "binary" in first else "\n" if "|" in first else " ").join(parts[1:])
    text = " ".join(parts)
    if len(text) > 1 and first[:1] == text[-1:] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and first[:1] == text[-1:] == '"':
        with suppress(ValueError, RecursionError):
            return json.loads(text)
    return _WORDS.get(text, _number_of(text))


# --- tables


def _of_table(lines: Sequence[str]) -> Callable[[BufferedReader], Records] | None:
    """Return what reads a table of which the first lines are given; None where they are none."""
    shown = [line for line in lines[:_LOOKED_AT] if line.strip()]
    drawn = next((place for place, line in enumerate(shown) if _BARS.search(line) and not _DRAWN.fullmatch(line)), None)
    if drawn is not None and drawn < 2 and any(_DRAWN.fullmatch(line) for line in shown[: drawn + 2]):
        return partial(_of_drawn, names=_cells(shown[drawn], None))
    for mark in ("\t", ";", ",", "|"):
        with suppress(csv.Error):
            quote = "'" if shown and shown[0][:1] == "'" else '"'
            rows = list(islice(csv.reader(shown, delimiter=mark, quotechar=quote), 4))
            if len(rows) > 1 and len(rows[0]) > 2 and all(len(row) == len(rows[0]) for row in rows[:-1]):
                is_named = all(_NAME.fullmatch(name.strip()) or not name for name in rows[0]) and not any(
                    name[:1].isdigit() for name in rows[0]
                )
                names = [name.strip() for name in rows[0]] if is_named else None
                return partial(_of_rows, mark=mark, quote=quote, names=names)
    return None


def _of_rows(stream: BufferedReader, mark: str, quote: str, names: Sequence[str] | None) -> Records:
    lines = (((line or b"") + b"\n").decode(errors="replace") for _, line in numbered_lines(stream))
    reader = csv.reader(lines, delimiter=mark, quotechar=quote)
    if names is not None:
        next(reader, None)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, None
            continue
        if row:
            yield reader.line_num, dict(zip(names or map(str, range(len(row))), map(_number_of, row), strict=False))


def _cells(line: str, most: int | None) -> list[str]:
    return [_unquoted(cell.strip()) for cell in _raw_cells(line, most)]


def _raw_cells(line: str, most: int | None) -> list[str]:
    """The cells of a line, each with the space that fills its column."""
    text = line.strip()
    text = text[1:] if _BARS.match(text) else text
    cells = _BARS.split(text, (most or 0) - 1 if most else 0)
    if cells and _BARS.search(text[-1:]):
        cells[-1] = cells[-1][:-1] if cells[-1] else cells[-1]
    return cells if cells and (cells[-1].strip() or most) else cells[:-1]


def _unquoted(cell: str) -> str:
    return cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == "'" else cell


def _of_drawn(stream: BufferedReader, names: Sequence[str]) -> Records:
    rows = _rows_drawn(stream, len(names))
    next(rows, None)  # the names
    begun, parts, size = 0, list[list[str]](), 0
    for number, row in rows:
        if parts and not row[0].strip() and parts[0][0].strip():  # what was too wide for its column goes on below
            size += sum(map(len, row)) + _VALUE_BYTES * len(row)
            if size <= MAX_VALUE_CHARACTERS:
                for cell, more in zip(parts, row, strict=False):
                    cell.append(more)
            continue
        if parts:
            yield begun, _of_cells(names, parts)
        begun, parts, size = number, [[cell] for cell in row], 0
    if parts:
        yield begun, _of_cells(names, parts)


def _rows_drawn(stream: BufferedReader, columns: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in numbered_lines(stream):
        text = (line or b"").decode(errors="replace")
        if _DRAWN.fullmatch(text) is None and _BARS.search(text) is not None:
            yield number, _raw_cells(text, columns)


def _of_cells(names: Sequence[str], parts: Sequence[Sequence[str]]) -> dict[str, Any]:
    whole = ("".join(cell[1:-1] for cell in cells[:-1]) + cells[-1][len(cells) > 1 :] for cells in parts)
    return dict(zip(names, (_number_of(_unquoted(cell.strip())) for cell in whole), strict=False))


# --- statements


def _holds_statements(lines: Sequence[str]) -> bool:
    return any(_INTO.match(line) or _COPY.match(line) for line in lines)


def _of_statements(stream: BufferedReader) -> Records:
    head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES].decode(errors="replace")
    created = {
        found[1].strip('"`'): _names_of(_IN_BRACKETS.sub("", _IN_BRACKETS.sub("", found[2])))
        for found in islice(_CREATE.finditer(head), 100)
    }
    copied: list[str] | None = None
    begun: tuple[list[str], bool] | None = None  # of a statement whose rows stand below it
    for number, line in numbered_lines(stream):
        if line is None:
            continue
        if copied is not None:
            text = line.decode(errors="replace")
            if text.startswith("\\."):
                copied = None
            else:
                yield number, dict(zip(copied, map(_uncopied, text.split("\t")), strict=False))
            continue
        text, place = "", 0
        if _INSERT.match(line):
            text = line.decode(errors="surrogateescape")
            into = _INTO.match(text)
            names = created.get(into[1].strip('"`'), []) if into is not None else []
            begun = (_names_of(into[2]) if into[2] else names, "`" in into[1]) if into is not None else None
            place = into.end() if into is not None else 0
        elif begun is not None and line.lstrip()[:1] == b"(":
            text = line.decode(errors="surrogateescape").lstrip()
        elif (copy := _COPY.match(line[:5000].decode(errors="replace"))) is not None:
            copied = _names_of(copy[1])
        if begun is not None:
            yield from ((number, row) for row in _rows_of(text, place, *begun))
            begun = None if line.rstrip().endswith(b";") else begun


def _names_of(text: str) -> list[str]:
    return [part.split()[0].strip('"`[]') for part in text.split(",") if part.strip()]


def _uncopied(text: str) -> str:
    return _COPIED.sub(lambda found: _OF_COPIED.get(found[1], found[1]), text)


def _rows_of(text: str, begin: int, names: Sequence[str], is_mysql: bool) -> Iterator[dict[str, Any] | None]:
    """Yield the rows that a statement inserts, None where one cannot be read, which ends them."""
    place, match = begin, _TOKEN_OF_MYSQL.match if is_mysql else _TOKEN.match
    while text[place : place + 1] == "(":
        values: list[Any] = []
        place += 1
        while (found := match(text, place)) is not None:
            kind, inside, plain, end = found.groups()
            values.append(_of_sql(kind, inside, plain, is_mysql))
            place = found.end()
            if end == ")":
                break
        else:
            yield None
            return
        yield dict(zip(names or map(str, range(len(values))), values, strict=False))
        while text[place : place + 1] in (",", " ", "\n"):
            place += 1


def _of_sql(kind: str | None, inside: str | None, plain: str | None, is_mysql: bool) -> Any:
    if inside is None:
        with suppress(ValueError):
            return json.loads(plain or "")
        return None if (plain or "").upper() == "NULL" else plain
    text = inside.replace("''", "'")
    if is_mysql:
        text = _ESCAPED.sub(lambda found: _OF_MYSQL.get(found[1], found[1]), text)
    if kind == "_binary ":
        return f"0x{text.encode(errors='surrogateescape').hex()}"
    text = text if text.isascii() else text.encode(errors="surrogateescape").decode(errors="replace")
    if kind in ("e", "E"):
        return text.replace("\\\\", "\\")
    return f"0x{text}" if kind in ("x", "X") else text

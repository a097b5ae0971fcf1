"""Records of messages are the same in whatever layout a program or a database wrote them."""

import contextlib
import csv
import io
import json
import pprint
from datetime import UTC, datetime

import pytest
from common import FIXTURES
from hypothesis import given
from hypothesis import strategies as st
from pybase64 import b64encode_as_string

from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame
from sttdoctor.readers.capture import read_capture

EPOCH = 1_790_000_000
SESSION = read_capture(FIXTURES / "sessions" / "healthy-several-turns.jsonl")
FRAMES = [event for event in SESSION.events if isinstance(event, Frame)]
NAMES = ["n", "ts", "direction", "payload"]
ROWS = [
    [
        number,
        EPOCH + frame.t,
        "out" if frame.sent else "in",
        json.dumps(frame.message) if frame.audio is None else b64encode_as_string(frame.audio),
    ]
    for number, frame in enumerate(FRAMES)
]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]


def table(mark, rows=(NAMES, *ROWS)):
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\n").writerows(rows)
    return text.getvalue()


def drawn(bar, corner, edge):
    wide = [[str(cell) for cell in row] for row in (NAMES, *ROWS)]
    line = corner.join("-" * 9 for _ in NAMES)
    shown = [f"{edge} {f' {bar} '.join(row)} {edge}".rstrip(" ") for row in wide]
    return "\n".join([shown[0], line, *shown[1:], f"({len(ROWS)} rows)"])


def quoted(value):
    return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else str(value)


def inserts(names="", hexadecimal=False):
    rows = [
        [*row[:3], f"X'{frame.audio.hex()}'" if hexadecimal and frame.audio is not None else quoted(row[3])]
        for row, frame in zip(ROWS, FRAMES, strict=True)
    ]
    return "".join(f"INSERT INTO ws{names} VALUES({row[0]},{row[1]},'{row[2]}',{row[3]});\n" for row in rows)


OF_MYSQL = {0: b"\\0", 10: b"\\n", 13: b"\\r", 26: b"\\Z", 34: b'\\"', 39: b"\\'", 92: b"\\\\"}
TABLE_OF_MYSQL = (
    "CREATE TABLE `ws` (\n  `n` int(11) NOT NULL,\n  `price` decimal(10,2),\n  `ts` double NOT NULL,\n"
    "  `direction` enum('in','out') NOT NULL,\n  `payload` longblob\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n"
)


def rows_of_sql(dress, text="'{}'", join=","):
    """Rows of n, ts, direction and payload, as a statement has them."""
    return join.join(
        f"({row[0]}, {row[1]}, {text.format(row[2])}, " + dress(frame.audio or row[3].encode()) + ")"
        for row, frame in zip(ROWS, FRAMES, strict=True)
    )


def literal_of_mysql(content):
    """As mysqldump writes it; what is no UTF-8 stands for its bytes."""
    inside = b"".join(OF_MYSQL.get(byte, bytes([byte])) for byte in content)
    return f"_binary '{inside.decode(errors='surrogateescape')}'"


def in_hexadecimal(content):
    return f"0x{content.hex().upper()}"


IN_PYTHON = [
    {"ts": row[1], "type": {"out": "send", "in": "receive"}[row[2]]}
    | ({"text": row[3]} if frame.audio is None else {"bytes": frame.audio})
    for row, frame in zip(ROWS, FRAMES, strict=True)
]
COPIED = "".join("\t".join(map(str, row)) + "\n" for row in ROWS)


def table_of_sqlite():
    text = io.StringIO()
    csv.writer(text, quotechar="'", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerows((NAMES, *ROWS))
    return text.getvalue()


def typed(record):
    kinds = {"n": "integerValue", "ts": "doubleValue", "direction": "stringValue", "payload": "stringValue"}
    return {name: {kinds[name]: value} for name, value in record.items()}


def block(row, line):
    return "".join(line.format(name, value) + "\n" for name, value in zip(NAMES, row, strict=True))


def in_yaml(binary):
    """As PyYAML writes records: texts in quotes, long ones folded, bytes in base64 on lines."""
    shown = ""
    for (n, ts, direction, payload), frame in zip(ROWS, FRAMES, strict=True):
        if frame.binary:
            rows = "".join(f"    {payload[at : at + 76]}\n" for at in range(0, len(payload), 76))
            content = f"{binary}\n{rows}" if "binary" in binary else f"payload: {payload}\n"
        else:
            text = payload.replace("'", "''")
            begin, space, end = text.partition(" ")
            content = f"payload: '{begin}" + (f"\n    {end}'\n" if space else f"{end}'\n")
        shown += f"- n: {n}\n  ts: {ts}\n  direction: {direction}\n  {content}"
    return shown


def wrapped_table(width):
    """As SQLite's box has them: what is wider than its column goes on below."""
    edge, line = "\u2502", "\u2500" * 9
    shown = [f"{edge} {f' {edge} '.join(NAMES)} {edge}", f"\u251c{line}"]
    for n, ts, direction, payload in ROWS:
        for at in range(0, len(payload), width):
            first = (f"{n}", f"{ts}", f"{direction}") if not at else ("", "", "")
            cells = [*first, f"{payload[at : at + width]:{width}}"]
            shown.append(f"{edge} {f' {edge} '.join(cells)} {edge}")
    return "\n".join([f"\u250c{line}", *shown, f"\u2514{line}"])


LAYOUTS = {
    "commas": table(","),
    "all in base64": table(
        ",",
        (
            NAMES,
            *(
                [*row[:3], b64encode_as_string(frame.audio or row[3].encode())]
                for row, frame in zip(ROWS, FRAMES, strict=True)
            ),
        ),
    ),
    "semicolons": table(";"),
    "tabs": table("\t"),
    "no names": table(",", ROWS),
    "newest first": table(",", (NAMES, *reversed(ROWS))),
    "drawn by psql": drawn("|", "+", ""),
    "drawn by MySQL": drawn("|", "+", "|"),
    "drawn with lines": drawn("│", "┼", "│"),
    "statements": "CREATE TABLE ws (n INTEGER, ts REAL, direction TEXT, payload BLOB);\n" + inserts(),
    "statements with names": inserts(" (n, ts, direction, payload)", hexadecimal=True),
    "statements of SQLite's shell": inserts("(n,ts,direction,payload)", hexadecimal=True),
    "statements without names": "".join(
        f"INSERT INTO public.ws VALUES ('6f1c0b0e-0000-4000-8000-{row[0]:012}', "
        f"'{datetime.fromtimestamp(row[1], UTC)}', '{row[2]}', '\\x{(frame.audio or row[3].encode()).hex()}');\n"
        for row, frame in zip(ROWS, FRAMES, strict=True)
    ),
    "mysqldump": TABLE_OF_MYSQL
    + "INSERT INTO `ws` VALUES "
    + rows_of_sql(literal_of_mysql).replace(", 1790", ", 1.50, 1790")
    + ";\n",
    "phpMyAdmin": "INSERT INTO `ws` (`n`, `ts`, `direction`, `payload`) VALUES\n"
    + rows_of_sql(in_hexadecimal, join=",\n")
    + ";\n",
    "SQL Server": "".join(
        f"INSERT [dbo].[ws] ([n], [ts], [direction], [payload]) VALUES {row}\nGO\n"
        for row in rows_of_sql(in_hexadecimal, "CAST(N'{}' AS NVarChar(8))", "\n").split("\n")
    ),
    "copy": f"COPY public.ws (n, ts, direction, payload) FROM stdin;\n{COPIED}\\.\n",
    "quoted as SQLite does": table_of_sqlite(),
    "JSON behind a name of a script": f"export const frames = {json.dumps(RECORDS, indent=2)};\n",
    "JSON behind many comments": "/* a * b **/\n" * 60 + f"// of 5\nlet frames = {json.dumps(RECORDS)}",
    "JSON with comments": "// of the bench\n[\n" + ",  // one\n".join(map(json.dumps, RECORDS)) + ",\n]\n",
    "JSON with a comma behind each line": "".join(json.dumps(record) + ",\n" for record in RECORDS),
    "JSON without ends of lines": "".join(map(json.dumps, RECORDS)),
    "JSON text sequence": "".join(f"\x1e{json.dumps(record)}\n" for record in RECORDS),
    "objects on several lines": "\n".join(json.dumps(record, indent=2) for record in RECORDS),
    "records of Elastic": "".join(json.dumps({"_index": "ws", "_source": r}) + "\n" for r in RECORDS),
    "Firestore": json.dumps({"documents": [{"name": "x", "fields": typed(record)} for record in RECORDS]}),
    "MySQL's \\G": "".join(
        f"{'*' * 27} {n}. row {'*' * 27}\n{block(row, '{:>9}: {}')}" for n, row in enumerate(ROWS, start=1)
    ),
    "psql's \\x": "".join(f"-[ RECORD {n} ]{'-' * 40}\n{block(row, '{:9} | {}')}" for n, row in enumerate(ROWS, 1)),
    "SQLite's lines": "\n".join(block(row, "{:>9} = {}") for row in ROWS),
    "ClickHouse's blocks": "\n".join(
        f"Row {n}:\n\u2500\u2500\u2500\n{block(row, '{}: {}')}" for n, row in enumerate(ROWS, 1)
    ),
    "YAML": in_yaml("payload: !!binary |"),
    "YAML in an object": f"url: {SESSION.url}\nmessages:\n{in_yaml('payload: |-')}",
    "a drawn table whose cells go on below": wrapped_table(400),
    "Python": "".join(f"{record}\n" for record in RECORDS),
    "Python with bytes": "".join(f"{record}\n" for record in IN_PYTHON),
    "pprint": "".join(f"{pprint.pformat(record)}\n" for record in IN_PYTHON),
    "pprint of a list": pprint.pformat(IN_PYTHON),
    "rows": json.dumps({"columns": NAMES, "data": ROWS}),
    "rows with a schema": json.dumps({"schema": {"fields": [{"name": "n", "type": "integer"}]}, "data": RECORDS}),
    "lists": json.dumps(ROWS),
    "columns": json.dumps({name: [record[name] for record in RECORDS] for name in NAMES}),
    "columns by number": json.dumps({name: {str(n): row[name] for n, row in enumerate(RECORDS)} for name in NAMES}),
    "names of its own": "".join(json.dumps({"T": r[1], "W": r[2], "P": r[3]}) + "\n" for r in ROWS),
    "the way as a name": "".join(
        json.dumps({"ts": r[1], {"out": "send", "in": "recv"}[r[2]]: r[3]}) + "\n" for r in ROWS
    ),
    "two lists": json.dumps(
        {
            "sent": [record | {"direction": None} for record in RECORDS if record["direction"] == "out"],
            "received": [record | {"direction": None} for record in RECORDS if record["direction"] == "in"],
        }
    ).replace('"direction": null, ', ""),
    "MongoDB": "".join(
        json.dumps(
            r | {"ts": {"$numberDouble": str(r["ts"])}, "payload": {"$binary": {"base64": r["payload"]}}}
            if f.binary
            else r
        )
        + "\n"
        for r, f in zip(RECORDS, FRAMES, strict=True)
    ),
    "DynamoDB": json.dumps(
        {
            "Items": [
                {"ts": {"N": str(r["ts"])}, "direction": {"S": r["direction"]}, "payload": {"S": r["payload"]}}
                for r in RECORDS
            ]
        }
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_messages_are_the_same_in_every_layout(layout):
    session = read_capture(LAYOUTS[layout].encode(errors="surrogateescape"))
    frames = [event for event in session.events if isinstance(event, Frame)]
    assert [(f.sent, f.size, f.message, f.audio) for f in frames] == [
        (f.sent, f.size if f.binary else len(json.dumps(f.message)), f.message, f.audio) for f in FRAMES
    ]
    assert [f.t - frames[0].t for f in frames] == pytest.approx([f.t - FRAMES[0].t for f in FRAMES], abs=0.002)


def test_a_table_of_the_console_tells_sizes_and_the_close():
    head = [["0", "1790000000000", "'connecting'", f"'{SESSION.url}'"], ["1", "1790000000001", "'open'", "''"]]
    words = {"out": "send", "in": "recv"}
    contents = [
        row[3] if frame.audio is None else f"<{frame.size} bytes>" for row, frame in zip(ROWS, FRAMES, strict=True)
    ]
    rows = [
        [str(row[0] + 2), str(round(row[1] * 1000)), f"'{words[row[2]]}'", f"'{content}'"]
        for row, content in zip(ROWS, contents, strict=True)
    ]
    last = [["999", "1790000010000", "'close'", "1006"]]
    shown = "\n".join(f"│ {' │ '.join(row)} │" for row in [*head, *rows, *last])
    session = read_capture(f"┌───┬───┐\n│ (index) │ t │ k │ v │\n├───┼───┤\n{shown}\n└───┴───┘\n".encode())
    frames = [event for event in session.events if isinstance(event, Frame)]
    assert [(f.sent, f.message, f.binary) for f in frames] == [(f.sent, f.message, f.binary) for f in FRAMES]
    assert sum(f.size for f in frames if f.binary) == sum(f.size for f in FRAMES if f.binary)
    assert session.events[-1].code == 1006


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_that_is_cut_is_read_up_to_there_or_refused(layout):
    content = LAYOUTS[layout].encode(errors="surrogateescape")
    with contextlib.suppress(InputError):
        session = read_capture(content[: len(content) * 3 // 4])
        assert len(session.events) <= len(SESSION.events)


def test_a_binary_column_with_texts_in_it_keeps_them_as_texts():
    rows = [
        [row[1], row[2], "t" if f.binary else "f", f"\\x{(f.audio or row[3].encode()).hex()}"]
        for row, f in zip(ROWS, FRAMES, strict=True)
    ]
    session = read_capture(table(",", (["ts", "direction", "is_binary", "payload"], *rows)).encode())
    frames = [event for event in session.events if isinstance(event, Frame)]
    assert [(f.sent, f.message, f.audio) for f in frames] == [(f.sent, f.message, f.audio) for f in FRAMES]


def test_a_row_of_a_statement_that_cannot_be_read_is_damage():
    content = inserts().replace("VALUES(5,", "VALUES(now(),")
    session = read_capture(content.encode())
    assert len(session.events) == len(FRAMES) - 1
    assert session.damage.lines == 1


CELLS = st.sampled_from(
    ["in", "out", "1.5", '{"type": "turn.end"}', "X'00'", "|", "'", '"', "(", "INSERT INTO a VALUES(", "\n", "[", "{"]
)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=6), max_size=12), st.sampled_from([",", "\t", " | ", "', "]))
def test_any_cells_are_read_or_refused(rows, mark):
    content = "\n".join(mark.join(row) for row in rows).encode() + b"x"
    with contextlib.suppress(InputError):
        read_capture(content)


@given(st.text(alphabet="{}[]()'\"\\,: bu01xn\n", max_size=300))
def test_whatever_begins_as_a_value_of_python_is_read_or_refused(text):
    with contextlib.suppress(InputError):
        read_capture(("{'type': 'send', 'text': '" + text).encode())


@pytest.mark.parametrize(
    "hostile",
    [
        f"{{'type': 'send', 'text': {'[' * 100_000}",
        "{'type': 'send', 'text': open('x')}",
        "{'type': 'send', 'text': {[1]}}",
        f"{{'type': 'send', 'text': {'9' * 400} + 1j}}",
        f"{{'a': '{'x' * (1 << 18)}'}}",
    ],
    ids=["brackets", "a call", "a list in a set", "a number too large", "too long"],
)
def test_a_record_of_python_that_is_too_long_or_no_value_is_damage_and_the_others_are_read(hostile):
    records = LAYOUTS["Python"].splitlines()
    session = read_capture("\n".join([*records[:60], hostile, *records[60:]]).encode())
    assert sum(isinstance(event, Frame) for event in session.events) == len(FRAMES)
    assert session.damage


def test_a_key_in_a_record_of_python_never_comes_out():
    error = {"type": "error", "message": "bad key sk_car_abcdefghijklmnop1234", "title": "x", "status_code": 401}
    row = {"ts": EPOCH + 99.0, "type": "receive", "text": json.dumps(error)}
    session = read_capture((LAYOUTS["pprint"] + pprint.pformat(row)).encode())
    assert "abcdefghijklmnop1234" not in repr(session)

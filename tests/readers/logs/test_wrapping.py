"""A log says the same, whatever stands round its lines."""

import gzip
import json

import pytest
from captures import CHUNK, HEADERS, URL, steps, websockets_log
from common import FIXTURES
from dresses import DRESSES, docker, each, iso, runtime, trace_lines

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Control, Frame, Open
from sttdoctor.readers.capture import holds_session, read_capture
from sttdoctor.readers.logs import rich_table, wrapping

PATH = "/" + URL.partition("://")[2].partition("/")[2]


def plain_lines():
    clocked = websockets_log("{clock}|").decode().splitlines()
    began = 14 * 3600 + 13 * 60 + 20
    found = []
    for line in clocked:
        clock, _, message = line.partition("|")
        hours, minutes, seconds = clock.replace(",", ".").split(":")
        found.append((int(hours) * 3600 + int(minutes) * 60 + float(seconds) - began, message))
    return found


def told(session):
    return [(type(item).__name__, item) for item in map(_bare, session.events)]


def _bare(event):
    t = None if event.t is None else round(event.t, 2)
    if isinstance(event, Frame):
        return t, event.sent, event.size, event.binary, event.audio, json.dumps(event.message), event.text, event.elided
    if isinstance(event, Open):
        return t, event.status, dict(event.headers)
    if isinstance(event, Close):
        return t, event.by, event.code
    assert isinstance(event, Control)
    return t, event.kind


@pytest.mark.parametrize("name", DRESSES)
def test_a_log_of_websockets_says_the_same_in_every_dress(name):
    lines = plain_lines()
    session, bare = read_capture(DRESSES[name](lines)), read_capture(websockets_log())
    assert told(session) == told(bare)
    assert (session.url, session.headers, session.lacks, session.clock) == (
        bare.url,
        bare.headers,
        bare.lacks,
        "client",
    )
    assert session.damage.lines == 0 and session.resolution <= 0.001
    if name != "journal-short":
        assert session.started_at == bare.started_at


@pytest.mark.parametrize("name", DRESSES)
def test_a_trace_says_the_same_in_every_dress(name):
    lines = trace_lines(steps(), PATH, HEADERS)
    session, bare = read_capture(DRESSES[name](lines)), read_capture(each(lambda t, m: f"{iso(t)} {m}")(lines))
    assert told(session) == told(bare)
    assert (session.url, session.headers, session.lacks, session.damage.lines) == (URL, bare.headers, frozenset(), 0)
    assert [event.audio for event in session.events if isinstance(event, Frame) and event.binary] == [CHUNK] * 30


@pytest.mark.parametrize("name", DRESSES)
def test_every_dress_is_recognised_by_its_first_bytes(name):
    assert holds_session(DRESSES[name](plain_lines())[: wrapping.HEAD_BYTES])


@pytest.mark.parametrize("name", DRESSES)
def test_lines_of_the_application_before_and_between_do_not_disturb(name):
    many = [(0.0, "handled a request")] * 900
    lines = [line for pair in ((line, (line[0], "handled a request")) for line in plain_lines()) for line in pair]
    assert told(read_capture(DRESSES[name](many + lines))) == told(read_capture(websockets_log()))


def test_a_dress_in_gzip():
    assert told(read_capture(gzip.compress(docker(plain_lines())))) == told(read_capture(websockets_log()))


@pytest.mark.parametrize("dress", [docker, runtime])
def test_a_line_that_a_container_runtime_cut_is_joined(dress):
    audio = bytes(range(256)) * 40
    lines = trace_lines([(0.1, True, audio), (0.2, True, b"x" * 100_000)], PATH, HEADERS)
    session = read_capture(dress(lines))
    assert [event.audio for event in session.events if isinstance(event, Frame)] == [audio, b"x" * 100_000]


@pytest.mark.parametrize("dress", [docker, runtime])
def test_a_cut_line_without_its_end_is_told(dress):
    lines = trace_lines([(0.1, True, CHUNK), (0.2, True, b"\x00" * 9000)], PATH, HEADERS)[:-3]
    whole = dress(lines).decode().splitlines()
    session = read_capture("".join(f"{line}\n" for line in whole[:-1]).encode())
    assert sum(isinstance(event, Frame) for event in session.events) >= 1


def test_the_time_of_the_program_counts_before_that_of_its_container():
    lines = [(t + 5.0, f"{iso(t)} {message}") for t, message in plain_lines()]
    assert read_capture(docker(lines)).started_at == read_capture(websockets_log()).started_at


def test_the_container_tells_the_time_where_the_program_tells_whole_seconds():
    lines = [(t, f"{iso(t)[:19]} {message}") for t, message in plain_lines()]
    assert read_capture(runtime(lines)).resolution < 0.001


def test_json_that_an_application_prints_beside_a_log_is_no_wrapping():
    noise = b'{"message": "request"}\n{"message": "> TEXT \'x\' [1 byte]"}\n'
    assert told(read_capture(noise + websockets_log())) == told(read_capture(websockets_log()))


def test_records_without_a_line_of_a_library_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="is not a session capture"):
        read_capture(each(lambda t, m: {"time": iso(t), "message": m})([(0.0, "hello")] * 5))


def test_a_cut_export_gives_what_it_holds():
    whole = DRESSES["cloudwatch"](plain_lines())
    session = read_capture(whole[: len(whole) * 2 // 3])
    assert session.events and "damaged from here on" in session.damage.examples[-1][1]


def test_a_long_export_with_the_newest_line_first_says_how_to_export_it(monkeypatch):
    monkeypatch.setattr("sttdoctor.readers.logs.records._MAX_REVERSED_BYTES", 5000)
    with pytest.raises(InputError, match="oldest first"):
        read_capture(DRESSES["google"](plain_lines()))


@pytest.mark.parametrize("name", DRESSES)
def test_no_key_comes_out_of_a_dress(name):
    secret = [(0.0, "> X-API-Key: sk_car_canary"), (0.0, "> Cookie: a=canary")]
    lines = plain_lines()
    session = read_capture(DRESSES[name](lines[:3] + secret + lines[3:]))
    assert "canary" not in repr(session) and "sk_car_secret" not in repr(session)


def rich_lines(lines, width=80, time="[{}]", level="DEBUG    ", place="protocol.py:757"):
    rows, before = [], ""
    for t, message in lines:
        clock = time.format(iso(t)[11:19]) + " " if time else ""
        begin = len(clock) + len(level)
        room = width - begin - len(place) - bool(place)
        chunks, row = [], ""
        for word in message.split(" "):
            if len(row) + len(word) + bool(row) <= room:
                row = f"{row} {word}" if row else word
                continue
            chunks += [row] if row else []
            while len(word) > room:
                chunks.append(word[:room])
                word = word[room:]
            row = word
        chunks.append(row)
        shown = clock if clock != before else " " * len(clock)
        rows.append(f"{shown}{level}{chunks[0]:<{room}}{' ' if place else ''}{place}")
        rows += [f"{'':{begin}}{chunk:<{width - begin}}" for chunk in chunks[1:]]
        before = clock
    return "".join(f"{row}\n" for row in rows).encode()


def test_lines_that_are_indented_under_a_log_make_no_table_of_it():
    log = websockets_log().replace(b"= connection is OPEN", b"= connection is OPEN\n" + b" " * 24 + b"more", 1)
    assert told(read_capture(b"2026-09-21 14:13:19,000 a: 1\n" + b" " * 24 + b"b: 2\nc\n" + log)) == told(
        read_capture(websockets_log())
    )


RICH = {
    "usual": {},
    "120 columns": {"width": 120},
    "200 columns": {"width": 200},
    "no place": {"place": ""},
    "no level": {"level": ""},
    "no time": {"time": ""},
    "no brackets": {"time": "{}"},
    "coloured": {"time": "\x1b[2;36m[{}]\x1b[0m"},
}


@pytest.mark.parametrize("name", RICH)
def test_rows_of_a_rich_table_are_joined(name):
    rows = rich_lines(plain_lines(), **{key: value for key, value in RICH[name].items() if name != "coloured"})
    if name == "coloured":
        rows = rows.replace(b" DEBUG    ", b"\x1b[0m \x1b[32mDEBUG   \x1b[0m ")
    session, bare = read_capture(rows), read_capture(websockets_log())
    assert [item[1][1:] for item in told(session)] == [item[1][1:] for item in told(bare)]
    assert (session.url, session.headers) == (bare.url, bare.headers)
    assert session.resolution == (0.0 if name == "no time" else 1.0)


def test_many_rows_that_may_begin_a_table_are_looked_at_a_few_times(monkeypatch):
    looked = []
    monkeypatch.setattr(rich_table, "_is_table", lambda *given: looked.append(given))
    rows = b"".join(b"[%s] INFO     x\n" % (b"1" * (number % 36 + 4)) for number in range(3000))
    assert wrapping.wrapping_of(rows) is None and len(looked) == rich_table._MAX_LAYOUTS


SESSION = read_capture(FIXTURES / "sessions" / "healthy-several-turns.jsonl")
CLOSES = {
    "a code beside the message": {"msg": "close", "code": 1000, "reason": "done"},
    "a code with its name": {"msg": "done", "closeCode": 1000},
    "a code in the message": {"msg": "close 1000"},
    "a code in an object": {"msg": "socket", "close": {"code": 1000, "reason": "done"}},
    "a code in the message of bunyan": {"msg": "websocket closed", "code": 1000, "v": 0},
}


def rows_of_pino(close):
    rows = []
    for event in SESSION.events:
        base = {"level": 30, "time": round(1_790_000_000_000 + 1000 * (event.t or 0)), "pid": 1, "hostname": "h"}
        if isinstance(event, Close):
            rows.append(base | close)
        elif isinstance(event, Frame):
            sent = f"sent {event.size} bytes" if event.binary else f"sent {json.dumps(event.message)}"
            rows.append(base | {"msg": sent if event.sent else f"recv {json.dumps(event.message)}"})
    return rows


@pytest.mark.parametrize("close", CLOSES)
def test_a_close_is_found_whose_code_is_a_number_beside_the_message(close):
    session = read_capture("\n".join(map(json.dumps, rows_of_pino(CLOSES[close]))).encode())
    assert [event.code for event in session.events if isinstance(event, Close)] == [1000]


def test_a_close_is_found_in_keys_and_values_too():
    rows = [f"time={row['time']} msg={json.dumps(row['msg'])}" for row in rows_of_pino({"msg": "closed"})]
    session = read_capture("\n".join([*rows[:-1], f"{rows[-1]} code=1000"]).encode())
    assert [event.code for event in session.events if isinstance(event, Close)] == [1000]


@pytest.mark.parametrize("row", [{"msg": "twilio closed", "code": 1006}, {"msg": "exited", "code": 1000}])
def test_a_code_of_something_else_is_no_close_of_the_service(row):
    session = read_capture("\n".join(map(json.dumps, rows_of_pino(row))).encode())
    assert not [event for event in session.events if isinstance(event, Close)] and "close" in session.lacks

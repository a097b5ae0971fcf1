"""Captures that want to crash, to fill the memory, or to write on the terminal."""

import gzip
import io
import json
import os
import threading
import tracemalloc
import warnings

import captures
import pytest
from captures import FORMATS, URL, har, websockets_log
from common import one_sentence
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame
from sttdoctor.readers import collector, json_stream, session_jsonl, stream
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.frames import beginning
from sttdoctor.readers.logs import base as log_base
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.session_jsonl import write_rows

SMALL = {name: FORMATS[name] for name in ("session", "compact", "websockets", "sdk", "both", "gzip")}


def survives(data: bytes) -> None:
    """Either a session that can be written and read, or one sentence."""
    try:
        session = read_capture(data)
    except InputError:
        return
    rows = list(write_rows(session))
    for row in rows:
        json.loads(row, parse_constant=pytest.fail)
    again = read_capture("".join(f"{row}\n" for row in rows).encode())
    assert again.damage.lines == 0 and list(write_rows(again)) == rows


@given(st.binary(max_size=400))
def test_arbitrary_bytes(data):
    for start in (b"", b'{"log":{"entries":[{"_webSocketMessages":[', b"> GET / HTTP/1.1\n> ", b'{"type":"send",'):
        survives(start + data)


@settings(max_examples=60)
@given(st.sampled_from(sorted(SMALL)), st.integers(0, 1 << 20), st.binary(max_size=12), st.integers(0, 40))
def test_damaged_captures(name, place, junk, lost):
    data = SMALL[name]
    place %= len(data)
    survives(data[:place] + junk + data[place + lost :])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("name", ["chrome", "compact", "gzip"])
def test_a_cut_har_gives_what_it_holds(name, share):
    data = FORMATS[name][: int(share * len(FORMATS[name]))]
    try:
        session = read_capture(data)
    except InputError:
        assert share < 0.5
        return
    assert (
        session.damage.lines >= 1
        and "text" in session.lacks
        and len(session.events) >= (1 if name == "gzip" else 30 * share - 8)
    )


@pytest.mark.parametrize("time", ["1e999", "-1e999", "NaN", "-5", "1e17", "5", "true", '"1"', "null", "9" * 400, "[]"])
def test_times_that_are_none(time):
    data = FORMATS["compact"].replace(b'"time": 1790000000.2', b'"time": ' + time.encode())
    assert data != FORMATS["compact"]
    session = read_capture(data)
    assert len(session.events) == len(read_capture(FORMATS["compact"]).events)
    assert session.damage.lines == (time != "null") and sum(event.t is None for event in session.events) == 2
    survives(data)


def test_unordered_times_are_kept_in_the_order_of_the_capture():
    archive = har()
    archive["log"]["entries"][0]["_webSocketMessages"].reverse()
    times = [event.t for event in read_capture(json.dumps(archive).encode()).events if event.t is not None]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    "value",
    [
        "[" * 100_000,
        "[" * 600 + "]" * 600,
        '"' + "x" * 3_000_000 + '"',
        '{"a":' * 3000 + "1" + "}" * 3000,
        '"\\ud800\\u0000"',
    ],
)
def test_deep_and_long_values_are_passed_over(value):
    data = FORMATS["compact"].replace(b'"version": "1.2"', b'"version": ' + value.encode())
    if value.count("[") > value.count("]"):
        with pytest.raises(InputError, match="no WebSocket messages"):
            read_capture(data)
        return
    assert len(read_capture(data).events) == len(read_capture(FORMATS["compact"]).events)


def test_a_message_over_the_limit_is_left_out_and_told(monkeypatch):
    monkeypatch.setattr(json_stream, "MAX_VALUE_CHARACTERS", 1 << 21)
    archive = har()
    archive["log"]["entries"][0]["_webSocketMessages"][3]["data"] = "A" * (5 << 20)
    session = read_capture(json.dumps(archive).encode())
    assert session.damage.lines == 1 and "longer than" in session.damage.examples[0][1]
    assert len(session.events) == len(read_capture(FORMATS["compact"]).events) - 1


@pytest.mark.long
def test_a_message_of_a_million_values_is_not_built():
    data = FORMATS["compact"].replace(b'"opcode": 1', b'"x": [' + b"[]," * 2_000_000 + b"[]]", 1)
    session = read_capture(data)
    assert session.damage.lines == 1 and "values in one" in session.damage.examples[0][1]


def test_more_audio_than_can_be_held_keeps_lengths_and_times(monkeypatch):
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 60_000)
    session = read_capture(FORMATS["compact"])
    assert {"audio", "close"} == session.lacks and "lengths and times" in session.damage.examples[0][1]
    frames = [event for event in session.events if isinstance(event, Frame) and event.binary]
    assert len(frames) == 30 and all(frame.audio is None and frame.t is not None for frame in frames)


@pytest.mark.parametrize("name", ["session", "compact", "websockets", "sdk"])
def test_more_than_can_be_held_is_read_up_to_the_limit(monkeypatch, name):
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 3000 + collector.CONNECTION_BYTES)
    session = read_capture(FORMATS[name])
    assert 0 < len(session.events) < 30 and {"close", "text"} <= session.lacks
    assert "was not read" in session.damage.examples[-1][1]


def test_a_line_over_the_limit(monkeypatch):
    monkeypatch.setattr(stream, "MAX_LINE_BYTES", 1000)
    session = read_capture(websockets_log() + b"x" * 5000 + b"\n")
    assert session.damage.lines == 1 and len(session.events) > 30


def test_a_gzip_bomb_of_lines_is_read_to_its_end():
    bomb = gzip.compress(b"x\n" * 1_000_000 + b"> BINARY 00 [1 bytes]\n")
    assert len(read_capture(bomb).events) == 1


def test_wrong_utf_8_and_nul():
    data = FORMATS["compact"].replace(b"Hello there", b"He\xffllo\x00 there")
    assert len(read_capture(data).events) == len(read_capture(FORMATS["compact"]).events)


def test_a_file_that_grows_while_it_is_read(tmp_path):
    path = tmp_path / "growing.log"
    path.write_bytes(websockets_log())
    stop = threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not stop.wait(0.001):
                file.write(b"2026-09-21 14:13:24,000 app INFO hello\n")

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert len(read_capture(path).events) == len(read_capture(websockets_log()).events)
    finally:
        stop.set()
        writer.join()


def test_a_symbolic_link_to_itself(run, tmp_path):
    link = tmp_path / "loop"
    os.symlink(link, link)
    assert "cannot read" in one_sentence(run("replay", link))


def test_terminal_codes_and_html_reach_no_terminal(run):
    text = "\x1b[2J\x1b]0;owned\x07\u202e\u2066<script>alert(1)</script>\x9b31m"
    archive = har()
    archive["log"]["entries"][0]["_webSocketMessages"] += [
        {
            "type": "receive",
            "time": captures.EPOCH + 5,
            "opcode": 1,
            "data": json.dumps({"type": "error", "message": text}),
        },
        {"type": "send", "time": captures.EPOCH + 5, "opcode": 1, "data": text},
    ]
    for command in ("replay", "convert"):
        done = run(command, "-", stdin=json.dumps(archive).encode())
        assert not set("\x1b\x07\u202e\u2066\x9b") & set(done.out + done.err)


def test_an_endless_file_object_is_refused(monkeypatch):
    class Endless:
        def read(self, size):
            return bytes(size)

    monkeypatch.setattr(stream, "MAX_OBJECT_BYTES", 1000)
    with pytest.raises(InputError, match="save it and give the path"):
        read_capture(Endless())


def test_a_large_value_that_comes_in_small_pieces_is_not_read_again_and_again(monkeypatch):
    """A pipe gives 64 KiB at a time; each try to decode a value begins anew, so the tries must stay few."""
    tries = []

    class Decoder(json.JSONDecoder):
        def raw_decode(self, text, position=0):
            tries.append(len(text) - position)
            return super().raw_decode(text, position)

    class Pipe(io.RawIOBase):
        def __init__(self, content):
            self.rest = memoryview(content)

        def readable(self):
            return True

        def readinto(self, buffer):
            piece, self.rest = self.rest[: min(len(buffer), 1 << 16)], self.rest[1 << 16 :]
            buffer[: len(piece)] = piece
            return len(piece)

    monkeypatch.setattr(json_stream, "_DECODER", Decoder(strict=False))
    data = FORMATS["compact"].replace(b'"version": "1.2"', b'"version": "' + b"x" * (8 << 20) + b'"')
    assert len(read_capture(io.BufferedReader(Pipe(data))).events) == len(read_capture(FORMATS["compact"]).events)
    assert sum(size for size in tries if size > 1 << 17) < 40 << 20


@pytest.mark.parametrize("rest", ['"transcript":"' + "a" * 500_000 + "...b", '"a":1,' * 80_000])
def test_an_elided_text_takes_little_more_memory_than_its_length(rest):
    text = '{"type":"turn.end",' + rest
    row = json.dumps({"type": "receive", "t": 1, "text": text, "elided": True}).encode()
    tracemalloc.start()
    session = read_capture(row)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert session.events[0].type == "turn.end" and peak < 8 * len(text)


def test_what_stands_before_the_gap_of_an_elided_text_is_read():
    assert beginning('{"type": "a", "x" : -1.5 , "y":null,"z":"q...') == {"type": "a", "x": -1.5, "y": None}
    assert beginning('{ "type":"a","x":{"y":1},') == {"type": "a"}
    assert beginning('{"type":"a","x":"say \\"...\\"","y":1,') == {"type": "a"}
    assert beginning('{"type":"a"') is None and beginning('{"x":1,"y":2,') is None and beginning("{") is None
    assert len(beginning('{"type":"a",' + "".join(f'"k{i}":1,' for i in range(500))) or {}) == 100


@pytest.mark.parametrize("kind", ["text", "json"])
def test_json_of_too_many_values_is_not_built(monkeypatch, kind):
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 1 << 20)
    lists = "[" + "[]," * 10_000 + "[]]"
    rows = [f'{{"type":"receive","text":{json.dumps(lists)}}}', f'{{"type":"receive","json":{lists}}}']
    session = read_capture((rows[kind == "json"] + '\n{"type":"open","t":1,"status":101}\n').encode())
    assert len(session.events) == 1 and "more values than can be held" in session.damage.examples[0][1]


def test_json_of_too_many_values_in_a_message_of_a_har_or_a_log_is_not_built(monkeypatch):
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 1 << 20)
    lists = "[" + "[]," * 10_000 + "[]]"
    archive = har()
    archive["log"]["entries"][0]["_webSocketMessages"][1]["data"] = lists
    archive["log"]["entries"][0]["_webSocketMessages"][1]["opcode"] = 1
    log = f"> TEXT '{lists}' [{len(lists)} bytes]\n> TEXT '{{}}' [2 bytes]\n".encode()
    sdk = f"Connecting to {URL}\nReceived WebSocket message: '{lists}'\nReceived WebSocket message: '{{}}'\n".encode()
    for capture in (json.dumps(archive).encode(), log, sdk):
        session = read_capture(capture)
        assert session.damage.lines == 1 and "more values than can be held" in session.damage.examples[0][1]
        assert session.events


def packed(content: bytes, times: int) -> bytes:
    return gzip.compress(content, mtime=0) * times


@pytest.mark.parametrize("name", ["session", "compact", "websockets"])
def test_what_unpacks_to_far_more_than_its_size_is_read_so_far_and_told(monkeypatch, name):
    monkeypatch.setattr(stream, "FREE_BYTES", 1 << 20)
    filler = {"session": b"\n", "compact": b" ", "websockets": b"x\n"}[name] * (1 << 20)
    session = read_capture(gzip.compress(FORMATS[name][:-20], mtime=0) + packed(filler, 9))
    assert "100 times its size" in session.damage.examples[-1][1] and len(session.events) >= 35
    assert ("close" in session.lacks) == (name != "websockets")  # the log has it before the damage


def test_more_than_can_be_unpacked_is_read_so_far_and_told(monkeypatch):
    monkeypatch.setattr(stream, "MAX_UNPACKED_BYTES", 2 << 20)
    session = read_capture(gzip.compress(FORMATS["session"] + os.urandom(3 << 20), mtime=0))
    assert "more than 2 MiB" in session.damage.examples[-1][1] and len(session.events) >= 35


def test_a_long_silence_unpacks_whole():
    row = json.dumps({"type": "send", "t": 1.0, "audio": "A" * 4268}).encode() + b"\n"
    count = (32 << 20) // len(row)
    session = read_capture(gzip.compress(row * count, mtime=0))
    assert len(session.events) == count and session.damage.lines == 0


@pytest.mark.parametrize("name", ["session", "compact"])
def test_reading_stops_after_too_much_damage(monkeypatch, name):
    monkeypatch.setattr(collector, "MAX_DAMAGED", 50)
    if name == "session":
        data = FORMATS[name] + b"x\n" * 100 + FORMATS[name]
    else:
        data = FORMATS[name].replace(b'"_webSocketMessages": [', b'"_webSocketMessages": [' + b"1," * 100)
    session = read_capture(data)
    assert session.damage.lines == 52 and "cannot be read" not in session.damage.examples[0][1]
    assert {"close", "text"} <= session.lacks


def test_blank_lines_and_items_without_end_are_left(monkeypatch):
    monkeypatch.setattr(session_jsonl, "_MAX_LINES", 500)
    session = read_capture(FORMATS["session"] + b"\n" * 1000 + FORMATS["session"])
    assert "more than 500 lines" in session.damage.examples[-1][1] and len(session.events) == 37
    monkeypatch.setattr(json_stream, "MAX_ITEMS", 500)
    session = read_capture(FORMATS["compact"].replace(b'"entries": [', b'"entries": [' + b"1," * 100))
    assert session.damage.lines == 0
    session = read_capture(FORMATS["compact"].replace(b"}]}]}}", b'}]},{"x":[]' + b',"y":1' * 600 + b"}]}}"))
    assert "more than 500 items" in session.damage.examples[-1][1] and len(session.events) == 36
    with pytest.raises(InputError, match=r"no WebSocket messages.*more may stand from line 1 on: more than 500 items"):
        read_capture(FORMATS["compact"].replace(b'"entries": [{', b'"entries": [{"x":[],' + b'"y":1,' * 600))


def test_too_many_lines_of_a_library_are_left(monkeypatch):
    monkeypatch.setattr(log_base, "MAX_LINES", 60)
    session = read_capture(websockets_log() + b"> TEXT x\n" * 100)
    assert "more than 60 lines" in session.damage.examples[-1][1] and len(session.events) == 37


@pytest.mark.long
def test_brackets_to_pass_over_are_counted(monkeypatch):
    monkeypatch.setattr(json_stream, "_MAX_PARTS", 1000)
    monkeypatch.setattr(json_stream, "MAX_SKIPPED", 3_000_000)
    whole = FORMATS["compact"]
    lists = b"[" + b"[]," * 1_000_000 + b"[]]"
    for place, data in enumerate((b'"x":' + lists, b'"x":' + lists + b',"y":' + lists)):
        capture = whole.replace(b'"_resourceType"', data + b',"_resourceType"')
        if place == 0:
            assert len(read_capture(capture).events) == len(read_capture(whole).events)
        else:
            with pytest.raises(InputError, match="no WebSocket messages"):
                read_capture(capture)


@pytest.mark.parametrize("value", ["[]]", "[[]]]", "[{}]}", '[["]"]]}', "[[[]],[[[]]]]}"])
def test_a_value_that_is_passed_over_ends_where_it_ends(monkeypatch, value):
    monkeypatch.setattr(json_stream, "_DECODER", Refusing())
    har_stream = json_stream.JsonStream(io.BufferedReader(io.BytesIO(value.encode())))
    har_stream.skip()
    assert har_stream.peek() == value[-1] and har_stream._position == len(value) - 1


class Refusing(json.JSONDecoder):
    def raw_decode(self, *_):
        raise RecursionError


@pytest.mark.parametrize("t", [1e308, -1e308, 1e300, 1e12, -3e7 - 1e9, 1e10])
def test_a_time_that_is_absurd_is_damage_and_never_infinite(run, tmp_path, t):
    rows = [
        {"type": "session", "url": URL},
        {"type": "open", "t": 0.0, "status": 101},
        {"type": "send", "t": t, "bytes": 640},
        {"type": "send", "t": t, "audio": "AAAA"},
        {"type": "send", "t": 1.0, "bytes": 640},
        {"type": "close", "t": -t, "by": "server", "code": 1000},
    ]
    path = tmp_path / "absurd.jsonl"
    path.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    session = read_capture(path)
    assert len(session.events) == 5 and [event.t for event in session.events] == [0.0, None, None, 1.0, None]
    assert session.damage.lines == 3 and all("out of range" in note for _, note in session.damage.examples)
    for form in ("json", "text", "markdown", "junit", "html"):
        done = run("replay", path, "--format", form, "--fail-on", "never")
        assert done.code == 0 and done.err == "" and "inf" not in done.out.split("<script")[0].lower().split()
    done = run("replay", path, "--format", "json", "--fail-on", "never")
    assert json.loads(done.out, parse_constant=pytest.fail)["subject"]["duration_s"] == 1.0


def test_two_absurd_times_are_not_taken_for_a_session(run):
    rows = b'{"type":"open","t":-1e308,"status":101}\n{"type":"send","t":1e308,"bytes":640}\n'
    done = run("replay", "-", "--format", "json", "--fail-on", "never", stdin=rows)
    assert done.code == 0 and json.loads(done.out)["subject"]["duration_s"] is None


def test_times_since_1970_are_times():
    rows = b"".join(b'{"type":"send","t":%d.5,"bytes":640}\n' % (1_790_000_000 + number) for number in range(5))
    session = read_capture(rows)
    assert session.damage.lines == 0 and session.events[4].t == 1_790_000_004.5


def test_a_har_whose_messages_have_no_times_has_no_clock():
    archive = har("Playwright")
    for message in archive["log"]["entries"][0]["_webSocketMessages"]:
        message["time"] = -1
    session = read_capture(json.dumps(archive).encode())
    assert session.clock == "none" and session.damage.lines == 0 and all(event.t is None for event in session.events)


@pytest.mark.parametrize("size", [-1, 1 << 41, 1e300, True, "5"])
def test_a_frame_of_an_absurd_length_is_damage(size):
    session = read_capture(json.dumps({"type": "send", "t": 1, "bytes": size}).encode() + b'\n{"type":"open","t":2}\n')
    assert len(session.events) == 1 and session.damage.lines == 1


def test_a_log_whose_dates_jump_for_years_keeps_the_times_of_the_first():
    data = websockets_log() + b"1999-01-01 00:00:00,000 websockets.client DEBUG > TEXT '{}' [2 bytes]\n"
    session = read_capture(data)
    assert session.events[-1].t is None and session.damage.examples[0][1] == "a time out of range"
    survives(data)


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (r"'a\d'", r"a\d"),
        (r"'a\x41\n'", "aA\n"),
        (r"b'\xc3\xa4'", "ä"),
        (r"'a\\d\\'", "a\\d\\"),
        (r"'\u00e4\U0001f600\''", "ä\U0001f600'"),
        (r"'\N{BULLET}'", r"\N{BULLET}"),
        (r"'a\x4'", r"a\x4"),
        (r"'a\"'", 'a"'),
    ],
)
def test_an_escape_that_python_does_not_write_is_none(literal, text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert log_line.literal(literal) == text


@pytest.mark.parametrize("end", ["x", "{", "import x from 'y'\n", "/*"])
def test_many_comments_before_no_json_are_passed_over_once(end):
    row = json.dumps({"ts": 1.5, "direction": "in", "data": '{"type": "turn.start"}'})
    survives(f"{'/**/' * 10_000}{end}\n{row}\n".encode())


def test_lines_of_dictionaries_that_python_cannot_make_are_passed_over():
    for line in ("{'a': {[1]}}", "{'msg': 'DEBUG:websockets.client:> TEXT x', 'extra': {[]: 1}}"):
        survives(f"{line}\n{line}\n2026-11-30 10:00:00,1 DEBUG > GET /stt/turns/websocket HTTP/1.1\n{line}\n".encode())

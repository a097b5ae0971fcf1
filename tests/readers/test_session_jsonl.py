import gzip
import io
import json
from dataclasses import replace

import pytest
from common import AUDIO, FIXTURES, HEADER, OPEN, URL, jsonl
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import EVERY_ROW, same, written

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame, Open, Session, Transcript
from sttdoctor.readers import collector, stream
from sttdoctor.readers import session_jsonl as reader
from sttdoctor.readers.capture import keep_real_times, read_capture
from sttdoctor.readers.session_jsonl import write_rows


def test_every_row_and_key():
    session = read_capture(jsonl(*EVERY_ROW))
    assert session.events == (
        Open(2, 0.1, 101, {"server": "x"}, "hello"),
        Frame(3, 0.2, False, 41, message={"type": "connected", "request_id": "r1"}),
        Frame(4, 1.0, True, 3, binary=True, content=b"\x01\x02\xff"),
        Frame(5, 1.5, True, 320, binary=True),
        Frame(6, 2.0, True, 8, text="finalize"),
        Frame(7, 2.1, True, 17, message={"type": "close"}),
        Frame(8, 2.2, False, 3, text="Zü", elided=True),
        Frame(9, None, False, 7, binary=True),
        Close(10, 3.0, "server", 1000, "bye"),
    )
    assert session.transcript == Transcript("Hello there.", 11)
    assert (session.url, session.headers) == (URL, {"cartesia-version": "2026-03-01"})
    assert (session.started_at, session.client, session.source) == (
        "2026-11-22T10:00:00Z",
        "cartesia-python/4.2.0",
        "a proxy",
    )
    assert (session.clock, session.resolution, session.lacks) == ("proxy", 0.001, {"close", "headers"})
    assert session.damage.lines == 0 and session.path is None


def test_defaults():
    session = read_capture(jsonl({"type": "session"}, {"type": "open"}, {"type": "close"}))
    assert session.events == (Open(2, None, None), Close(3, None, "unknown", None))
    assert (session.clock, session.resolution, session.lacks, session.headers) == ("client", 0.0, frozenset(), {})
    assert (session.url, session.transcript, session.damage.lines) == (None, None, 0)


def test_a_second_open_row_stays_where_it_is():
    session = read_capture(jsonl(HEADER, OPEN, AUDIO, {**OPEN, "t": 9.0}, AUDIO))
    assert [type(event) for event in session.events] == [Open, Frame, Open, Frame]


def test_unknown_keys_are_ignored_and_unknown_rows_counted():
    session = read_capture(jsonl(HEADER, {**AUDIO, "extra": [1]}, {"type": "note"}, {"t": 1}))
    assert len(session.events) == 1
    assert session.damage.examples == ((3, "a row of unknown type"), (4, "a row of unknown type"))


@pytest.mark.parametrize(
    ("row", "frame"),
    [
        ({"audio": None, "bytes": None, "json": None, "text": "x"}, Frame(2, None, True, 1, text="x")),
        ({"audio": None, "json": {"a": 1}, "text": None, "bytes": 9}, Frame(2, None, True, 8, message={"a": 1})),
        ({"audio": "", "bytes": 0}, Frame(2, None, True, 0, binary=True, content=b"")),
        ({"json": None, "bytes": 5}, Frame(2, None, True, 5, binary=True)),
        ({"json": None}, Frame(2, None, True, 4)),
    ],
)
def test_a_null_stands_for_no_value(row, frame):
    session = read_capture(jsonl(HEADER, {"type": "send", **row}))
    assert session.events == (frame,) and session.damage.lines == 0


@pytest.mark.parametrize(
    "wrap",
    [
        gzip.compress,
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.removesuffix(b"\n"),
        lambda data: gzip.compress(data[:300]) + gzip.compress(data[300:]),
        io.BytesIO,
        bytearray,
    ],
)
def test_any_wrapping_reads_the_same(wrap):
    data = jsonl(*EVERY_ROW)
    session = read_capture(wrap(data))
    assert same(session, read_capture(data)) and session.damage.lines == 0


def test_the_path_is_kept_and_a_file_object_stays_open(tmp_path):
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(jsonl(HEADER, AUDIO)))
    assert read_capture(path).path == str(path)
    with path.open("rb") as file:
        assert read_capture(file).path is None
        assert not file.closed


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"type":"send","t":1,"audio":"AA*="}', "audio that is not base64"),
        (b'{"type":"send","t":1,"audio":"AAA"}', "audio that is not base64"),
        (b'{"type":"send","t":1,"audio":7}', "audio that is not a base64 string"),
        (b'{"type":"send","t":1,"text":7}', "text is not a string"),
        (b'{"type":"send","t":1,"bytes":-1}', "a frame without content or length"),
        (b'{"type":"receive","t":1}', "a frame without content or length"),
        (b'{"type":"transcript"}', "text is not a string"),
        (b'{"type":"receive","t":1,"text":"\xff"}', "not UTF-8"),
        (b'{"type":"receive","t":1,"te', "not JSON"),
        (b"\0\0\0\0", "not JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"type":["open"]}', "a row of unknown type"),
        (b'{"a":' + b"[" * 100_000, "JSON that is nested too deep"),
        (b'{"type":"receive","json":' + b"[" * 1200 + b"]" * 1200 + b"}", "JSON that is nested too deep"),
        (b'{"type":"open","t":NaN}', "NaN is not a number of JSON, or too large for one"),
        (b'{"type":"open","t":1e999}', "1e999 is not a number of JSON, or too large for one"),
        (b'{"type":"open","t":' + b"9" * 5000 + b"}", "not JSON"),
        (json.dumps(HEADER).encode(), "a second session row"),
    ],
)
def test_a_line_that_cannot_be_read_is_left_out_and_told(line, says):
    session = read_capture(jsonl(HEADER, line, AUDIO))
    assert session.damage.lines == 1 and session.damage.examples == ((2, says),)
    assert [event.line for event in session.events] == [3]


@pytest.mark.parametrize("t", ["0.5", True, [], 10**400])
def test_a_row_whose_time_is_no_number_is_kept_without_one(t):
    session = read_capture(jsonl(HEADER, {**OPEN, "t": t}))
    assert session.events == (Open(2, None, 101),)
    assert session.damage.examples == ((2, "t is not a number of seconds, so the row has no time"),)


def test_a_foreign_schema_is_told_and_read():
    session = read_capture(jsonl({**HEADER, "schema": "sttdoctor.session/2"}, AUDIO))
    assert session.url == URL and session.damage.lines == 1


def test_all_damage_is_counted_and_the_first_is_shown():
    session = read_capture(jsonl(HEADER, *[b"junk"] * 9))
    assert session.damage.lines == 9
    assert [line for line, _ in session.damage.examples] == [2, 3, 4, 5, 6]


def test_a_line_over_the_limit_is_skipped(monkeypatch):
    monkeypatch.setattr(stream, "MAX_LINE_BYTES", 200)
    session = read_capture(jsonl(HEADER, {**AUDIO, "audio": "A" * 4000}, AUDIO))
    assert session.damage.lines == 1 and session.damage.examples[0][0] == 2
    assert [event.line for event in session.events] == [3]


def test_a_capture_over_the_limit_is_read_up_to_it(monkeypatch):
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 1 << 20)
    session = read_capture(gzip.compress(jsonl(HEADER, *[AUDIO] * 10_000)))
    assert 1000 < len(session.events) < 10_000
    assert session.damage.examples == ((len(session.events) + 2, session.damage.examples[0][1]),)
    assert "longer than 1 MiB" in session.damage.examples[0][1]


@pytest.mark.parametrize("cut", [0.9, 0.5])
def test_a_truncated_gzip_gives_what_it_holds(cut):
    data = gzip.compress((FIXTURES / "sessions" / "healthy-mulaw-20ms.jsonl").read_bytes())
    session = read_capture(data[: int(cut * len(data))])
    assert len(session.events) > 100 * cut
    assert session.damage.lines >= 1 and "gzip" in session.damage.examples[-1][1]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "the capture is empty"),
        (b"\n\n", "is not a session capture"),
        (b"junk\nmore\n", "is not a session capture"),
        (bytes(range(256)) * 40, "is not a session capture"),
        (b"[]\n", "is not a session capture"),
        (b"\x1f\x8bjunk", "gzip stream is damaged"),
        (gzip.compress(b"", mtime=0), "the capture is empty"),
        (io.StringIO("text"), "not opened in binary mode"),
        ("a\0b", "cannot read"),
        ("missing.jsonl", "cannot read missing.jsonl: No such file"),
        (FIXTURES, "is a directory"),
    ],
)
def test_what_is_no_session_is_refused_in_a_sentence(source, says):
    with pytest.raises(InputError, match=says):
        read_capture(source)


def test_without_a_session_row_the_rest_is_still_read():
    session = read_capture(jsonl(OPEN, AUDIO))
    assert len(session.events) == 2 and session.url is None


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(data):
    for content in (data, b"\x1f\x8b" + data, jsonl(HEADER) + data):
        try:
            read_capture(content)
        except InputError:
            assert not content.startswith(jsonl(HEADER))


VALID = jsonl(*EVERY_ROW)
edits = st.lists(
    st.tuples(st.integers(0, len(VALID)), st.integers(0, 9), st.binary(max_size=4)), min_size=1, max_size=6
)


@settings(max_examples=200)
@given(edits, st.booleans())
def test_a_mutated_session_is_read_or_refused(edits, packed):
    data = gzip.compress(VALID) if packed else VALID
    for at, removed, added in edits:
        data = data[:at] + added + data[at + removed :]
    try:
        session = read_capture(data)
    except InputError:
        return
    assert written(session)


@pytest.mark.parametrize(
    "row",
    [
        b'{"type":"send","t":1.5,"audio":"AAABAP//"}',
        b'{"type": "send", "t": 2, "audio": "AAABAP//"}\r',
        b'{"type":"send","t":0,"audio":""}',
        b'{"type":"send","t":1.5,"audio":"}',
        b'{"type":"send","t":1.5,"audio":"AAA"}',
        b'{"type":"send","t":1.5,"audio":"AA\\/="}',
        b'{"type":"send","t":1.5,"audio":"AAAA","audio":"BBBB"}',
        b'{"type":"send","t":1.5,"audio":"AAAA","text":"x"}',
        b'{"type":"send","t":01.5,"audio":"AAAA"}',
        b'{"type":"send","t":1.5e2,"audio":"AAAA"}',
        b'{"type":"send","t":-1.5,"audio":"AAAA"}',
        b'{"type":"send","t":99999999999,"audio":"AAAA"}',
    ],
)
def test_the_quick_way_of_an_audio_row_reads_what_json_reads(monkeypatch, row):
    def read():
        session = read_capture(jsonl(HEADER, row, AUDIO))
        return session.events, session.damage

    quick = read()
    monkeypatch.setattr(reader, "_AUDIO_END", b"\n")
    assert quick == read()


def test_json_in_a_text_row_is_a_message():
    session = read_capture(jsonl({"type": "receive", "text": '{"type":"turn.start","token":"geheim"}'}))
    assert session.events == (Frame(1, None, False, 38, message={"type": "turn.start", "token": "REDACTED"}),)
    assert read_capture(jsonl({"type": "send", "text": "{no"})).events[0].text == "{no"


def test_what_is_written_reads_the_same():
    session = read_capture(jsonl(*EVERY_ROW))
    again = read_capture(written(session))
    assert same(again, session) and again.damage.lines == 0


@pytest.mark.parametrize("name", ["healthy-mulaw-20ms.jsonl", "healthy-f32-48k.jsonl.gz", "stream-keepalive.jsonl"])
def test_a_recorded_session_survives_the_way_back(name):
    session = read_capture(FIXTURES / "sessions" / name)
    assert same(read_capture(written(session)), session)


def test_each_written_row_is_one_line_of_strict_json():
    session = read_capture(jsonl(HEADER, {"type": "receive", "json": {"a\n": ["\u2028", "\ud800"]}, "t": 1}))
    for row in write_rows(session):
        assert row.isascii() and "\n" not in row
        json.loads(row, parse_constant=pytest.fail)


@pytest.mark.parametrize("depth", [100, 300, 450])
def test_deep_messages_are_written_if_they_were_read(depth):
    session = read_capture(jsonl(HEADER, AUDIO, b'{"type":"receive","json":' + b"[" * depth + b"]" * depth + b"}"))
    assert same(read_capture(written(session)), session)


times = st.none() | st.floats(-1.5e7, 1.5e7)
# words that look like secrets are left to test_redact.py
words = st.text(st.characters(codec=None), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=6,
)
contents = st.one_of(
    st.binary(max_size=9).map(lambda data: {"binary": True, "content": data, "size": len(data)}),
    st.integers(0, 2**40).map(lambda size: {"binary": True, "size": size}),
    words.filter(lambda text: not text.startswith(("{", "<", "[", "("))).map(
        lambda text: {"text": text, "size": len(text.encode(errors="replace"))}
    ),
    values.map(lambda value: {"message": value, "size": len(json.dumps(value))}),
)
events = st.one_of(
    st.builds(Open, st.just(0), times, st.none() | st.integers(100, 599), st.just({}), st.none() | words),
    st.builds(lambda t, content: Frame(0, t, True, **content), times, contents),
    st.builds(Close, st.just(0), times, st.sampled_from(["client", "server", "unknown"]), st.just(1006), words),
)


@given(st.lists(events, max_size=5), st.none() | words)
def test_any_session_survives_the_way_to_a_file_and_back(happened, text):
    lines = tuple(replace(event, line=line) for line, event in enumerate(happened, start=2))
    transcript = None if text is None else Transcript(text, len(lines) + 2)
    session = keep_real_times(Session(lines, url=URL, lacks=frozenset({"audio"}), transcript=transcript))
    again = read_capture(written(session))
    assert same(again, session) and again.damage.lines == 0


@pytest.mark.parametrize(
    ("text", "size"), [("<1280 bytes>", 1280), ("[binary 640 bytes]", 640), ("<Buffer 4 B>", 4), ("1280 bytes", None)]
)
def test_a_size_in_place_of_a_binary_message_is_its_length(text, size):
    row = json.dumps({"type": "send", "t": 0.1, "text": text})
    (frame,) = read_capture((row + "\n").encode()).events
    assert (frame.binary, frame.text) == ((True, None) if size is not None else (False, text))
    assert frame.size == (size if size is not None else len(text))
    (event,) = read_capture(row.replace("send", "receive").encode()).events
    assert event.text == text

import json
from dataclasses import replace

import pytest
from common import AUDIO, FIXTURES, HEADER, URL, jsonl
from hypothesis import given
from hypothesis import strategies as st
from rows import EVERY_ROW, same, written

from sttdoctor.evidence import Close, Frame, Open, Session, Transcript
from sttdoctor.readers import read_capture
from sttdoctor.readers.capture import keep_real_times
from sttdoctor.session_jsonl import write_rows


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
    st.binary(max_size=9).map(lambda data: {"binary": True, "audio": data, "size": len(data)}),
    st.integers(0, 2**40).map(lambda size: {"binary": True, "size": size}),
    words.filter(lambda text: not text.startswith("{")).map(
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

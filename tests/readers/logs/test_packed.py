"""Bytes that a line of a program shows are what was sent, and texts that it shows as bytes are read."""

import base64
import json
import re

import pytest
from common import FIXTURES
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.evidence import Frame
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.logs.packed import audio_in, blob_in, unpacked

SESSION = read_capture(FIXTURES / "sessions" / "healthy-several-turns.jsonl")
FRAMES = [event for event in SESSION.events if isinstance(event, Frame)]


def node(content):
    more = f" ... {len(content) - 50} more byte{'s' * (len(content) > 51)}" if len(content) > 50 else ""
    return f"<Buffer {content[:50].hex(' ')}{more}>"


def go(content):
    return '"' + "".join(chr(c) if 32 <= c < 127 and chr(c) not in '"\\' else f"\\x{c:02x}" for c in content) + '"'


WHOLE = {
    "hexadecimal": bytes.hex,
    "with spaces": lambda content: content.hex(" "),
    "base64": lambda content: base64.b64encode(content).decode(),
    "Go's numbers": lambda content: f"[{' '.join(map(str, content))}]",
    "Rust's numbers": lambda content: f"Binary({list(content)})",
    "Java's numbers": lambda content: str([code - 256 * (code > 127) for code in content]),
    "Go's literal": go,
}


def log_of(show, show_text=None):
    lines = [f"2026-11-30 19:00:00.000 connecting to {SESSION.url.replace('ws://127.0.0.1', 'wss://api.cartesia.ai')}"]
    for frame in FRAMES:
        text = json.dumps(frame.message)
        shown = show(frame.audio) if frame.audio is not None else show_text(text.encode()) if show_text else text
        lines.append(f"2026-11-30 19:00:{frame.t:06.3f} {'send' if frame.sent else 'recv'} {shown}")
    return "\n".join([*lines, "2026-11-30 19:00:09.900 closed code=1000"]).encode()


def audio(session):
    return [(event.size, event.audio) for event in session.events if isinstance(event, Frame) and event.binary]


@pytest.mark.parametrize("style", WHOLE)
def test_bytes_that_a_program_shows_are_the_audio(style):
    session = read_capture(log_of(WHOLE[style]))
    assert audio(session) == audio(SESSION)
    assert "audio" not in session.lacks


def test_bytes_of_which_the_end_is_left_out_tell_their_size():
    session = read_capture(log_of(node))
    assert [size for size, _ in audio(session)] == [size for size, _ in audio(SESSION)]
    assert "audio" in session.lacks


@pytest.mark.parametrize("style", [style for style in WHOLE if style not in ("Go's literal", "Rust's numbers")])
def test_texts_that_are_shown_as_bytes_are_read(style):
    session = read_capture(log_of(WHOLE[style], WHOLE[style]))
    assert [event.message for event in session.events if isinstance(event, Frame) and not event.binary] == [
        frame.message for frame in FRAMES if not frame.binary
    ]


@given(st.binary(min_size=64, max_size=400), st.sampled_from(sorted(WHOLE)))
def test_any_bytes_are_found_whole(content, style):
    blob = blob_in(f"12:00:00.000 send {WHOLE[style](content)} x")
    if style in ("base64", "Go's literal"):  # which may look like words
        assert blob is None or blob.content == content or style == "Go's literal"
    else:
        assert blob is not None
        assert (blob.content, blob.size) == (content, len(content))


@given(st.text(max_size=200))
def test_any_text_is_left_as_it_is_where_it_shows_no_object(text):
    assert unpacked(text) == text or '{"type' in unpacked(text)
    audio_in(text)


def test_a_secret_in_bytes_is_not_told():
    secret = b'{"type": "error", "title": "x", "message": "bad key sk_car_abcdefghijklmnop1234", "status_code": 401}'
    session = read_capture(log_of(bytes.hex) + f"\n2026-11-30 19:00:09.950 recv {secret.hex()}".encode())
    assert "abcdefghijklmnop1234" not in repr(session)


@pytest.mark.parametrize("version", [2, 3])
def test_what_asciinema_recorded_has_the_times_at_which_lines_were_shown(version):
    plain, before = log_of(bytes.hex).decode().replace("2026-11-30 ", "").splitlines(), 0.0
    rows = [json.dumps({"version": version, "width": 80, "timestamp": 1_790_000_000})]
    for line in plain:
        t = float(line[6:12])
        rows.append(json.dumps([round(t - before if version == 3 else t, 6), "o", line[13:] + "\r\n"]))
        before = t
    session = read_capture("\n".join(rows).encode())
    assert audio(session) == audio(SESSION)
    assert [event.t for event in session.events if isinstance(event, Frame)] == pytest.approx(
        [frame.t for frame in FRAMES], abs=0.002
    )


def test_round_quotes_are_those_of_json():
    curly = re.sub(r'"([^"]*)"', "\u201c\\1\u201d", log_of(bytes.hex).decode()).encode()
    session = read_capture(curly)
    assert [event.message for event in session.events if isinstance(event, Frame) and not event.binary] == [
        frame.message for frame in FRAMES if not frame.binary
    ]


@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_hash_is_no_audio(size):
    assert audio_in(f"12:00:00.000 sent chunk {'0a1b' * (size // 2)} ok") is None

"""Captures that want to crash, to fill the memory, or to write on the terminal."""

import gzip
import io
import json
import os
import threading

import captures
import pytest
from captures import FORMATS, har, websockets_log
from conftest import one_sentence
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame
from sttdoctor.readers import collector, json_stream, read_capture, stream
from sttdoctor.session_jsonl import write_rows

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


@pytest.mark.parametrize("time", ["1e999", "-1e999", "NaN", "-5", "true", '"1"', "null", "9" * 400, "[]"])
def test_times_that_are_none(time):
    data = FORMATS["compact"].replace(b'"time": 1790000000.2', b'"time": ' + time.encode())
    assert data != FORMATS["compact"]
    session = read_capture(data)
    assert len(session.events) + session.damage.lines == len(read_capture(FORMATS["compact"]).events)
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
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 3000)
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

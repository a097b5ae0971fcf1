"""Captures of many connections: each is judged as if it stood alone, and what is cut is told."""

import json

import pytest
from captures import EVENTS, FORMATS, URL, har, sdk_log, websockets_log
from common import one_sentence

from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame
from sttdoctor.readers import collector
from sttdoctor.readers.capture import read_capture


def small_har(count: int) -> bytes:
    """Sockets of two messages; the second one names the socket."""
    entry = har()["log"]["entries"][0]
    entries = []
    for number in range(1, count + 1):
        messages = [
            {"type": "receive", "time": 1.79e9 + number, "opcode": 1, "data": json.dumps(EVENTS[0])},
            {"type": "send", "time": 1.79e9 + number + 0.5, "opcode": 1, "data": json.dumps({"number": number})},
        ]
        entries.append(entry | {"_webSocketMessages": messages})
    return json.dumps({"log": {"entries": entries}}).encode()


def small_log(count: int) -> bytes:
    lines = []
    for number in range(1, count + 1):
        stamp = f"2026-09-21 {number // 3600:02}:{number // 60 % 60:02}:{number % 60:02},000 websockets.client DEBUG "
        texts = (
            "> GET /stt/turns/websocket HTTP/1.1",
            "> Host: api.cartesia.ai",
            "< HTTP/1.1 101 Switching Protocols",
            "= connection is OPEN",
            f"> TEXT '{{\"number\":{number}}}' [{11 + len(str(number))} bytes]",
            "< CLOSE 1000 (OK) [2 bytes]",
            "= connection is CLOSED",
        )
        lines += [stamp + text + "\n" for text in texts]
    return "".join(lines).encode()


def number_of(session) -> int:
    (sent,) = [event.message for event in session.events if isinstance(event, Frame) and event.sent]
    return sent["number"]


@pytest.mark.parametrize("count", [16, 200, 1000])
@pytest.mark.parametrize("make", [small_har, small_log])
def test_each_of_many_connections_is_read_as_if_it_stood_alone(make, count):
    capture = make(count)
    for wanted in {1, 2, 12, count // 2, count - 1, count}:
        session = read_capture(capture, wanted)
        assert number_of(session) == wanted and session.damage.lines == 0
        assert not session.lacks & {"text", "audio"}
    with pytest.raises(InputError, match=f"holds {count} connections") as refused:
        read_capture(capture)
    assert "more may stand" not in str(refused.value)
    with pytest.raises(InputError, match=f"no connection {count + 1}"):
        read_capture(capture, count + 1)


@pytest.mark.parametrize("make", [small_har, small_log])
def test_a_connection_is_judged_from_the_command_line(run, tmp_path, make):
    path = tmp_path / "many"
    path.write_bytes(make(40))
    done = run("replay", path, "--connection", 40, "--format", "json", "--fail-on", "never")
    assert done.code == 0 and json.loads(done.out)["subject"]["capture"]["damaged_lines"] == 0
    assert "and 20 more" in one_sentence(run("replay", path))


def repeated_har(count: int) -> bytes:
    archive = har()
    archive["log"]["entries"] *= count
    return json.dumps(archive).encode()


@pytest.mark.parametrize("make", [repeated_har, lambda count: websockets_log(limit=10_000) * count])
def test_what_one_connection_holds_is_counted_once_and_that_of_others_not_at_all(monkeypatch, make):
    whole = read_capture(make(1))
    # nearly twice what the connection takes by itself
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 150_000)
    for wanted in (1, 9, 16):
        session = read_capture(make(16), wanted)
        assert len(session.events) == len(whole.events) and session.damage.lines == 0
        assert sum(frame.audio is not None for frame in session.events if isinstance(frame, Frame)) == 30


@pytest.mark.parametrize(
    "make", [repeated_har, lambda count: websockets_log() * count, lambda count: sdk_log() * count]
)
def test_where_the_capture_was_cut_the_refusal_says_so(monkeypatch, make):
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 60_000)
    with pytest.raises(InputError, match=r"at least \d+ connections.*more may stand from line \d+ on.*--connection N"):
        read_capture(make(30))
    monkeypatch.setattr(collector, "CONNECTION_BYTES", 10_000)
    with pytest.raises(InputError, match=r"no connection 29;.*more may stand from line \d+ on: longer than"):
        read_capture(make(30), 29)


def test_too_much_audio_is_dropped_from_every_connection_and_told_where_it_was(monkeypatch):
    other = har(url="wss://example.com/other")["log"]["entries"] * 2
    archive = har()
    archive["log"]["entries"] += other
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 150_000)
    session = read_capture(json.dumps(archive).encode())
    assert session.url == URL and "audio" in session.lacks and session.damage.lines == 1
    assert "lengths and times" in session.damage.examples[0][1]
    assert len(session.events) == len(read_capture(FORMATS["chrome"]).events)
    assert "audio" not in read_capture(json.dumps(archive).encode(), 1).lacks


def test_a_connection_that_closed_before_the_cut_is_complete(monkeypatch):
    log = websockets_log()
    monkeypatch.setattr(collector, "MAX_HELD_BYTES", 60_000)
    noise = b"".join(b"2026-09-21 15:00:00,%03d websockets.server DEBUG < PING '' [0 bytes]\n" % i for i in range(200))
    session = read_capture(log + noise, 1)
    assert "close" not in session.lacks and session.damage.lines == 0


def test_headers_of_a_log_are_bounded():
    log = websockets_log()
    head, rest = log.split(b"HTTP/1.1\n", 1)
    line = b"2026-09-21 14:13:20,000 websockets.client DEBUG > X-Note: "
    session = read_capture(head + b"HTTP/1.1\n" + line + b"x" * 70_000 + b"\n" + (line + b"y\n") + rest)
    assert session.headers["x-note"] == "y" and session.damage.lines == 1
    many = b"".join(line.replace(b"X-Note", b"X-%d" % number) + b"y\n" for number in range(300))
    session = read_capture(head + b"HTTP/1.1\n" + many + rest)
    assert len(session.headers) == 200 and session.damage.lines > 90

"""The trace of websocket-client: whole frames as Python writes bytes, the handshake, the end."""

import contextlib

import pytest
import wires
from captures import HEADERS, URL, steps
from dresses import each, iso, trace_lines
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Control, Frame, Open
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.logs import base as log_base
from sttdoctor.readers.logs.trace import NoLiteralError, bytes_of

PATH = "/" + URL.partition("://")[2].partition("/")[2]
HEAD = trace_lines([], PATH, HEADERS)[:7]
AUDIO = bytes(range(256))


def trace(*lines, prefix=lambda t: f"{iso(t)} DEBUG websocket "):
    return each(lambda t, message: f"{prefix(t)}{message}")([*HEAD, *lines])


def bare(*lines):
    return trace(*lines, prefix=lambda _: "")


def sent(data, t=1.0, opcode=2, fin=1):
    return t, f"++Sent decoded: fin={fin} opcode={opcode} data={data!r}"


def received(data, t=1.0, opcode=1, fin=1):
    return t, f"++Rcv decoded: fin={fin} opcode={opcode} data={data!r}"


def frames(session):
    return [event for event in session.events if isinstance(event, Frame)]


@given(st.binary(max_size=400))
def test_a_literal_of_any_bytes_is_read(data):
    assert bytes_of(repr(data).encode()) == data
    assert bytes_of(repr(data).encode() + b" [websocket] lineno=4") == data


@given(st.binary(max_size=60))
def test_what_is_no_literal_is_refused_or_read_without_a_warning(data):
    with contextlib.suppress(NoLiteralError):
        assert isinstance(bytes_of(b"b'" + data + b"'"), bytes)


@pytest.mark.parametrize(
    "text", [rb"b'\d'", rb"b'\x4'", rb"b'\xZZ'", rb"b'\u1234'", b"b'\xc3'", b"b'abc", rb"b'\N{DIGIT ONE}'"]
)
def test_an_escape_that_repr_does_not_write_is_refused(text):
    with pytest.raises(NoLiteralError):
        bytes_of(text)


def test_audio_texts_and_close_are_complete():
    session = read_capture(trace(sent(AUDIO), received(b'{"type": "connected"}'), received(b"\x03\xe8bye", 2.0, 8)))
    assert session.url == URL and session.headers["authorization"] == "Bearer REDACTED" and not session.lacks
    assert isinstance(session.events[0], Open) and session.events[0].status == 101
    assert [frame.audio or frame.message for frame in frames(session)] == [AUDIO, {"type": "connected"}]
    assert session.events[-1] == Close(session.events[-1].line, 2.0, "server", 1000, "bye")
    assert (session.clock, session.resolution, session.source) == ("client", 0.001, "websocket-client trace")


def test_without_a_format_there_are_no_times():
    session = read_capture(bare(sent(AUDIO), received(b"{}"), sent(b"\x03\xe8", opcode=8)))
    assert session.clock == "none" and all(event.t is None for event in session.events)
    assert session.url == URL and session.events[-1].by == "client"


def test_fragments_are_one_message_and_pings_are_none():
    lines = (
        sent(b"ab", fin=0),
        sent(b"", opcode=9),
        sent(b"cd", opcode=0, fin=0),
        sent(b"", opcode=0),
        received(b"", opcode=10),
    )
    session = read_capture(trace(*lines))
    assert [frame.audio for frame in frames(session)] == [b"abcd"]
    assert [(event.sent, event.kind) for event in session.events if isinstance(event, Control)] == [
        (True, "ping"),
        (False, "pong"),
    ]


def test_the_raw_frame_counts_for_nothing():
    session = read_capture(trace((1.0, f"++Sent raw: {AUDIO!r}"), sent(AUDIO)))
    assert len(frames(session)) == 1


def test_a_connection_that_is_lost_and_made_again_is_one_session():
    lost = (2.0, "Connection to remote host was lost. - reconnect")
    session = read_capture(trace(sent(AUDIO), lost, *((t + 3.0, line) for t, line in HEAD), sent(AUDIO, 4.0)))
    kinds = [type(event) for event in session.events]
    assert kinds == [Open, Frame, Close, Open, Frame] and session.events[2].code == 1006


def test_a_connection_that_is_given_up_was_lost():
    session = read_capture(trace(sent(AUDIO), (2.0, "Connection to remote host was lost. - goodbye")))
    assert isinstance(session.events[-1], Close) and session.events[-1].code == 1006


def test_two_handshakes_are_two_connections():
    both = trace(sent(AUDIO), received(b"\x03\xe8", opcode=8), *HEAD, sent(AUDIO), sent(AUDIO))
    assert [len(frames(read_capture(both, number))) for number in (1, 2)] == [1, 2]
    with pytest.raises(InputError, match="no connection 3"):
        read_capture(both, 3)


def test_the_handshake_of_a_proxy_is_no_connection():
    connect = [HEAD[0], (0.0, "CONNECT api.cartesia.ai:443 HTTP/1.1\r\nProxy-Authorization: Basic abc\r\n"), HEAD[2]]
    answer = [(0.0, "--- response header ---"), (0.0, "HTTP/1.1 200 OK"), HEAD[2]]
    session = read_capture(each(lambda _, message: message)([*connect, *answer, *HEAD, sent(AUDIO)]))
    assert session.url == URL and "proxy-authorization" not in session.headers
    assert session.events[0].status == 101


def test_a_refused_handshake():
    lines = [(t, line.replace("101 Switching Protocols", "401 Unauthorized")) for t, line in HEAD]
    session = read_capture(each(lambda t, message: f"{iso(t)} {message}")(lines))
    assert [event.status for event in session.events] == [401]


def test_a_trace_that_begins_later():
    session = read_capture(each(lambda t, message: f"{iso(t)} {message}")([sent(AUDIO), received(b"{}", 2.0)]))
    assert len(frames(session)) == 2 and "headers" in session.lacks and session.url is None


def test_a_frame_that_cannot_be_read_is_counted():
    session = read_capture(trace(sent(AUDIO), (1.0, "++Sent decoded: fin=1 opcode=2 data=b'\\x0"), sent(AUDIO)))
    assert len(frames(session)) == 2 and session.damage.lines == 1


def test_a_head_without_an_end_takes_no_more_than_it_may():
    session = read_capture(bare(sent(AUDIO)).replace(b"-----------------------", b"") + b"X-A: b\n" * 2000)
    assert len(session.headers) < 300 and len(frames(session)) == 1


def test_no_key_comes_out():
    url = PATH + "&access_token=canary"
    lines = trace_lines(
        [(1.0, True, b'{"api_key": "sk_car_canary"}'), *steps()], url, HEADERS | {"X-API-Key": "canary"}
    )
    assert "canary" not in repr(read_capture(each(lambda _, message: message)(lines)))


def test_a_head_at_the_end_of_a_log_is_read_once(monkeypatch):
    monkeypatch.setattr(log_base, "MAX_LINES", 100)
    session = read_capture(bare(sent(AUDIO), received(b"\x03\xe8", opcode=8)) + b"--- request header ---\nX-A: b\n\n")
    assert session.damage.lines == 0


def on_wire(data, opcode=Opcode.BINARY, t=1.0, fin=True):
    return t, f"send: {wires.frame(True, opcode, data, fin)!r}"


def test_a_trace_of_before_1_0_has_what_was_sent_as_it_went_over_the_wire():
    session = read_capture(
        trace(
            on_wire(AUDIO),
            on_wire(AUDIO[:100], fin=False),
            on_wire(AUDIO[100:], Opcode.CONT, 1.2),
            on_wire(b'{"type":"close"}', Opcode.TEXT, 1.3),
            on_wire(b"", Opcode.PING, 1.4),
            on_wire(b"\x03\xe8", Opcode.CLOSE, 1.5),
        )
    )
    assert [frame.audio or frame.message for frame in frames(session)] == [AUDIO, AUDIO, {"type": "close"}]
    assert {"receive", "close"} <= session.lacks and session.damage.lines == 0
    assert [round(event.t, 1) for event in frames(session)] == [1.0, 1.2, 1.3]
    assert sum(isinstance(event, Control) for event in session.events) == 1


def test_such_a_frame_that_is_cut_is_damage():
    session = read_capture(trace(on_wire(AUDIO), (1.1, "send: b'\\x82\\xfe"), on_wire(AUDIO, t=1.2)))
    assert len(frames(session)) == 2 and session.damage.lines == 1


def test_words_like_these_before_any_handshake_are_none():
    with pytest.raises(InputError):
        read_capture(each(lambda _, message: message)([on_wire(AUDIO)]))

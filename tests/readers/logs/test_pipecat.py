"""The log of pipecat's service for turns."""

import pytest
from dresses import each, iso

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame, Open
from sttdoctor.readers.capture import read_capture

URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
PLACE = "pipecat.services.cartesia.turns.stt:_handle:1 - "
CONNECT = (0.0, f"DEBUG    | {PLACE}Connecting to Cartesia Ink-2 ASR: {URL}")
CONNECTED = (0.1, f"INFO     | {PLACE}Cartesia Ink-2 ASR connected (request_id=r1)")
START = (1.0, f"DEBUG    | {PLACE}Cartesia Ink-2 ASR turn.start")
UPDATE = (1.5, f"TRACE    | {PLACE}Cartesia Ink-2 ASR turn.update: Hello:")
END = (2.0, f"DEBUG    | {PLACE}Cartesia Ink-2 ASR turn.end: Hello: there.")
CLOSE = (2.1, f"DEBUG    | {PLACE}Sending close command to Cartesia Ink-2 ASR")
SILENCE = (
    1.8,
    f"WARNING  | {PLACE}No audio received for 500 ms. Sending silence to Cartesia to prevent a dangling turn",
)


def pushed(t, to="CartesiaTurnsSTTService#0", size=640):
    frame = f"InputAudioRawFrame#7(pts: None, source: None, size: {size}, frames: 320, sample_rate: 16000, channels: 1)"
    return (
        t,
        f"TRACE    | pipecat.processors.frame_processor:push:1 - Pushing {frame} downstream from A#0::Source to {to}",
    )


def log(*lines):
    return each(lambda t, message: f"{iso(t).replace('T', ' ')} | {message}")(list(lines))


def frames(session):
    return [event for event in session.events if isinstance(event, Frame)]


def test_what_a_log_at_debug_proves():
    session = read_capture(log(CONNECT, CONNECTED, START, END, CLOSE))
    assert session.url == URL and session.lacks == {"send", "audio", "headers", "close"}
    assert [frame.message for frame in frames(session)] == [
        {"type": "connected", "request_id": "r1"},
        {"type": "turn.start", "request_id": "r1"},
        {"type": "turn.end", "request_id": "r1", "transcript": "Hello: there."},
        {"type": "close"},
    ]
    assert (session.clock, session.resolution, session.source) == ("client", 0.001, "pipecat log")


def test_a_log_at_trace_has_updates_and_the_sizes_of_what_was_sent():
    lines = CONNECT, pushed(0.05), CONNECTED, pushed(0.5), pushed(0.5, "B#0"), START, UPDATE, SILENCE, END
    session = read_capture(log(*lines))
    assert session.lacks == {"audio", "headers", "close"}
    assert [(frame.t, frame.size) for frame in frames(session) if frame.sent] == [(0.5, 640), (1.8, 16000)]
    assert {"type": "turn.update", "request_id": "r1", "transcript": "Hello:"} in [f.message for f in frames(session)]


def test_an_error_of_the_server_and_a_refused_handshake():
    error = (0.5, f"ERROR    | {PLACE}Cartesia Ink-2 ASR error [invalid]: no such model")
    assert frames(read_capture(log(CONNECT, CONNECTED, error)))[-1].message["error_code"] == "invalid"
    refused = (0.5, f"ERROR    | {PLACE}Unknown error occurred: server rejected WebSocket connection: HTTP 401")
    assert [event.status for event in read_capture(log(CONNECT, refused)).events] == [401]


def test_a_reconnect_is_one_session():
    again = (
        3.0,
        "WARNING  | pipecat.services.websocket_service:try:283 - CartesiaTurnsSTTService#0 reconnecting, attempt 1",
    )
    session = read_capture(log(CONNECT, CONNECTED, again, CONNECT, CONNECTED, START))
    assert [type(event) for event in session.events] == [Open, Frame, Open, Frame, Frame]


def test_two_services_are_two_connections():
    both = log(CONNECT, CONNECTED, CONNECT, CONNECTED, START)
    assert [len(frames(read_capture(both, number))) for number in (1, 2)] == [1, 2]
    with pytest.raises(InputError, match="no connection 3"):
        read_capture(both, 3)


def test_no_close_is_made_up():
    assert not any(isinstance(event, Close) for event in read_capture(log(CONNECT, CONNECTED, START, END)).events)

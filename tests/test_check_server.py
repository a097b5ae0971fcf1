from pathlib import Path

import pytest
from builders import causes, drained, report, session, status, steady, turn, with_audio

SPEECH = (Path(__file__).parent.parent / "fixtures" / "audio" / "mulaw-8k.raw").read_bytes()
OPEN = turn(1.0, "Hello")
SHUT = turn(1.0, "Hello.", end=2.0)


def error(**fields):
    message = {"type": "error", "title": "Oops", "message": "It broke", "status_code": 500, **fields}
    subject = drained()
    events = list(subject.events)
    index = next(i for i, e in enumerate(events) if getattr(e, "type", None) == "turn.end")
    events[index] = type(events[index])(900, 8.2, False, 0, message=message)
    return type(subject)(tuple(events), url=subject.url)


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({}, "server.error-event"),
        ({"status_code": 400, "error_code": "model_not_found"}, "server.error-event"),
        ({"status_code": 429}, "server.concurrency"),
        ({"status_code": 400, "error_code": "concurrency_limited"}, "server.concurrency"),
        ({"status_code": "x", "title": None, "message": ["?"]}, "server.error-event"),
    ],
)
def test_an_error_event(fields, cause):
    assert causes(error(**fields), "server") == {cause: "fail"}


def test_a_client_error_asks_for_another_fix():
    assert "request is at fault" in report(error(status_code=400), "server").checks[0].findings[0].fix


@pytest.mark.parametrize(
    ("close", "events", "expected"),
    [
        ((5.0, "server", 1011), SHUT, {"server.closed-abnormally": "fail"}),
        ((5.0, "server", 1008, "policy"), SHUT, {"server.closed-abnormally": "fail"}),
        ((5.0, "server", 1001), OPEN, {"server.closed-abnormally": "fail"}),
        ((5.0, "server", 1001), SHUT, {"server.closed-abnormally": "warn"}),
        ((5.0, "server", 1000), OPEN, {"server.closed-abnormally": "fail"}),
        ((5.0, "server", 1000), SHUT, {}),
        ((5.0, "client", 1011, "keepalive ping timeout"), OPEN, {}),
        ((5.0, "unknown", 1006), OPEN, {}),
        ((185.0, "server", 1001), SHUT, {}),
    ],
)
def test_how_the_server_closed(close, events, expected):
    assert causes(session(steady(5), events=events, close=close), "server") == expected


def test_silence_after_the_close_command():
    subject = session(steady(5), events=OPEN, command=5.0, close=(11.0, "client", 1000))
    assert causes(subject, "server") == {"server.stopped-answering": "fail"}
    assert report(subject).diagnoses[0].cause == "server.stopped-answering"


def test_silence_while_speech_is_sent():
    speech = (SPEECH * 4)[: 16 * 8000]
    silent = with_audio(session(steady(16), events=turn(0.8, "And so"), close=(16.1, "server", 1011)), speech)
    assert "server.stopped-answering" in causes(silent, "server")
    answered = with_audio(session(steady(16), events=turn(0.8, *["And so"] * 60, end=16.4)), speech)
    assert causes(answered, "server") == {}


def test_a_hole_in_the_audio_is_no_speech():
    t = steady(8)
    t[20:] += 6.0
    subject = session(t, events=turn(0.8, *["And so"] * 3), close=(14.0, "server", 1000))
    assert "server.stopped-answering" not in causes(with_audio(subject, SPEECH * 4), "server")


def test_on_the_manual_endpoint_nothing_is_promised_before_finalize():
    manual = session(steady(16), url="wss://x/stt/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000")
    assert causes(with_audio(manual, (SPEECH * 4)[: 16 * 8000]), "server") == {}


def test_a_burst_before_an_error_is_the_root():
    t = steady(12)
    t[50:100] = t[50]
    subject = session(t, events=SHUT, close=(12.0, "server", 1011))
    first = report(subject).diagnoses[0]
    assert (first.cause, first.explains) == ("pacing.burst", ("server.closed-abnormally",))


def test_a_capture_without_events_is_unknown():
    assert status(drained(lacks=frozenset({"receive"})), "server") == "unknown"

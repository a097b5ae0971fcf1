from dataclasses import replace

import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady, turn, with_audio
from common import FIXTURES
from resonances import encoded

from sttdoctor.evidence import Close, Frame

SPEECH = (FIXTURES / "audio" / "mulaw-8k.raw").read_bytes()
OPEN = turn(1.0, "Hello")
SHUT = turn(1.0, "Hello.", end=2.0)
SHUT_AFTER_4 = turn(0.8, *["And so"] * 8, end=4.3)
RNG = np.random.default_rng(8)


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
    assert "Correct what the message names" in report(error(status_code=400), "server").checks[0].findings[0].fix


def test_an_error_of_the_service_asks_for_the_pace_where_that_is_not_seen():
    seen = error()
    unseen = replace(seen, lacks=frozenset({"send"}), events=tuple(e for e in seen.events if not getattr(e, "sent", 0)))
    fixes = [report(subject, "server").checks[0].findings[0].fix for subject in (seen, unseen)]
    assert ["as it is spoken" in fix for fix in fixes] == [False, True]


@pytest.mark.parametrize(
    ("close", "events", "expected"),
    [
        ((5.0, "server", 1011), SHUT, {"server.closed-abnormally": "fail"}),
        ((5.0, "server", 1008, "policy"), SHUT, {"server.closed-abnormally": "fail"}),
        ((5.0, "server", 1001), OPEN, {"server.session-limit": "fail"}),
        ((5.0, "server", 1001), SHUT, {"server.session-limit": "warn"}),
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


@pytest.mark.parametrize("name", ["tone", "noise"])
def test_a_pause_filled_with_sound_that_is_no_speech_wants_no_event(name):
    pick = {"tone": 0.3 * np.sin(2 * np.pi * 440 * np.arange(72_000) / 8000), "noise": RNG.normal(0, 0.03, 72_000)}
    filled = SPEECH[: 4 * 8000] + encoded(pick[name], "pcm_mulaw").tobytes()
    subject = session(steady(13), events=SHUT_AFTER_4, command=13.0, close=(13.2, "server", 1000))
    assert causes(with_audio(subject, filled), "server") == {}


@pytest.mark.parametrize(
    ("until_then", "expected"),
    [
        (turn(0.8, "And so.", end=2.0), {}),  # what was sent meanwhile was no turn to the service
        (turn(0.8, "And so"), {"server.stopped-answering": "fail"}),  # the turn is still open
    ],
)
def test_a_service_that_goes_on_with_a_new_turn_had_not_stopped(until_then, expected):
    events = [*until_then, *turn(13.0, "And so.", end=14.5)]
    subject = session(steady(16), events=events, command=16.0, close=(16.1, "server", 1000))
    found = causes(with_audio(subject, (SPEECH * 4)[: 16 * 8000]), "server")
    assert found == expected


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


def found(subject):
    return report(subject, "server").checks[0].findings


@pytest.mark.parametrize(("status", "expected"), [(429, ["server.concurrency"]), (428, []), (430, []), (101, [])])
def test_a_refusal_for_too_many_streams(status, expected):
    (opened, *rest) = drained().events
    subject = type(drained())((replace(opened, status=status), *rest), url=drained().url)
    findings = found(subject)
    assert [f.cause for f in findings] == expected
    assert [(f.confidence, f.evidence[0].line) for f in findings] == [(0.95, 2)] * len(expected)


@pytest.mark.parametrize(
    ("fields", "summary"),
    [
        ({}, "The server reported an error (500): Oops: It broke."),
        ({"error_code": "broken", "message": None}, "The server reported an error (500, broken): Oops."),
        ({"title": "x" * 201, "message": ""}, f"The server reported an error (500): {'x' * 200}."),
        ({"title": None, "message": " "}, "The server reported an error (500); the capture does not show its message."),
        (
            {"status_code": None, "title": "Wait", "message": "why?"},
            "The server reported an error: Wait: why?",
        ),
        ({"status_code": 429}, "Too many streams at once: Oops."),
        ({"status_code": 429, "title": None, "message": ""}, "Too many streams at once."),
        ({"status_code": 429, "title": None}, "Too many streams at once: It broke."),
    ],
)
def test_the_words_of_an_error(fields, summary):
    (finding,) = found(error(**fields))
    assert (finding.summary, finding.confidence) == (summary, 0.97)
    assert (finding.evidence[0].line, finding.evidence[0].t) == (900, 8.2)


@pytest.mark.parametrize(("status", "at_fault"), [(399, False), (400, True), (499, True), (500, False), ("400", False)])
def test_whose_fault_an_error_is(status, at_fault):
    assert ("Correct what the message names" in found(error(status_code=status))[0].fix) == at_fault


@pytest.mark.parametrize(
    ("close", "events", "summary", "asked"),
    [
        ((5.0, "server", 1011), SHUT, "code 1011 (an internal error).", False),
        ((5.0, "server", 1011), OPEN, "code 1011 (an internal error) while a turn was open.", False),
        ((5.0, "server", 1008, "no"), SHUT, "code 1008 (a policy), reason 'no'.", False),
        (
            (5.0, "server", 1010, "x" * 101),
            SHUT,
            f"code 1010 (an extension that was not agreed on), reason '{'x' * 100}'.",
            False,
        ),
        ((5.0, "server", 4000), SHUT, "code 4000.", False),
        ((5.0, "server", 1001), OPEN, "code 1001 (going away) after 5 s while a turn was open.", False),
        ((5.0, "server", 1000), OPEN, "code 1000 while a turn was open.", True),
    ],
)
def test_how_the_server_closed_in_words(close, events, summary, asked):
    (finding,) = found(session(steady(5), events=events, close=close))
    assert (finding.summary, finding.confidence) == (f"The server closed with {summary}", 0.95)
    assert finding.fix.startswith("Treat a close") == asked
    assert (finding.evidence[0].line, finding.evidence[0].t) == (53 + len(events), 5.0)


@pytest.mark.parametrize(("code", "expected"), [(1012, "warn"), (1013, "fail"), (1001, "warn")])
def test_a_restart_between_turns_is_a_warning(code, expected):
    subject = session(steady(5), events=SHUT, close=(5.0, "server", code))
    assert causes(subject, "server") == {"server.session-limit": expected}


@pytest.mark.parametrize(
    "close", [(5.0, "unknown", 1000), (5.0, "server", 1005), (5.0, "server", 1011, "keepalive ping timeout")]
)
def test_closes_that_say_nothing_of_the_server(close):
    assert causes(session(steady(5), events=OPEN, close=close), "server") == {}


def test_a_close_that_was_asked_for_is_right_with_a_turn_open():
    assert causes(session(steady(5), events=OPEN, command=5.0, close=(5.2, "server", 1000)), "server") == {}


@pytest.mark.parametrize(("end", "expected"), [(166.8, {}), (166.65, {"server.session-limit": "warn"})])
def test_idle_counts_from_the_last_audio(end, expected):
    """Nine tenths of three minutes after 4.9 s."""
    assert causes(session(steady(5), events=SHUT, close=(end + 0.2, "server", 1001)), "server") == expected


@pytest.mark.parametrize(
    ("events", "close", "words"),
    [
        ([], (11.0, "client", 1000), "6.0 s"),
        ([], (9.9, "client", 1000), None),
        (turn(5.5, "Hello"), (11.0, "client", 1000), "5.2 s"),
        (turn(5.8, "Hello"), (11.0, "client", 1000), None),
        ([], (9.9, "server", 1000), None),
        ([], (10.0, "server", 1000), "5.0 s"),
        ([], None, None),
    ],
)
def test_five_seconds_after_the_close_command_are_silence(events, close, words):
    findings = found(session(steady(5), events=[*OPEN, *events], command=5.0, close=close))
    assert [f.summary for f in findings] == ([f"After the close command nothing came for {words}."] if words else [])
    assert [(f.confidence, f.evidence[0].t) for f in findings] == [(0.85, 5.0)] * len(findings)


def test_silence_counts_from_the_handshake_or_the_last_event():
    speech = (SPEECH * 4)[: 16 * 8000]
    (finding,) = found(with_audio(session(steady(16) + 2), speech))
    assert finding.summary.startswith("No event came for 17.9 s, in which ")
    assert (finding.evidence[0].t, finding.confidence) == (0.0, 0.8)
    (finding,) = found(with_audio(session(steady(16) + 2, events=turn(2.8, "And so")), speech))
    assert finding.summary.startswith("No event came for 14.8 s, in which ")
    assert finding.evidence[0].t == pytest.approx(3.1)
    without = with_audio(session(steady(16) + 2), speech)
    (finding,) = found(type(without)(without.events[1:], url=without.url))
    assert finding.summary.startswith("No event came for 15.9 s, in which ") and finding.evidence[0].t == 2.0


def test_findings_come_in_the_order_of_the_questions():
    subject = error()
    events = (*subject.events[:-1], Close(960, 20.0, "server", 1011))
    assert [f.cause.split(".")[1] for f in found(type(subject)(events, url=subject.url))] == [
        "error-event",
        "closed-abnormally",
        "stopped-answering",
    ]


def test_of_two_errors_the_first_is_told():
    subject = error()
    second = Frame(950, 9.0, False, 0, message={"type": "error", "title": "Again", "status_code": 500})
    (finding,) = found(type(subject)((*subject.events, second), url=subject.url))
    assert "Oops" in finding.summary


def pressed(status=400, message="Bad audio", seconds=0.4, events=(), at=None, content=None, end=(5.2, "server", 1011)):
    """A button that was pressed for a while: the close command is answered with an error."""
    at = seconds + 0.1 if at is None else at
    subject = session(steady(seconds), events=events, command=seconds, close=end)
    error = Frame(900, at, False, 9, message={"type": "error", "message": message, "status_code": status})
    before = [event for event in subject.events if event.t <= at]
    subject = replace(subject, events=(*before, error, *subject.events[len(before) :]))
    return with_audio(subject, content) if content is not None else subject


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("end", [(0.7, "server", 1000), (0.7, "server", 1011), (0.6, "client", 1001), None])
def test_a_press_without_speech_ends_in_an_error_that_is_none(status, end):
    assert causes(pressed(status, end=end), "server") == {}
    assert causes(pressed(status, seconds=0.0, end=end), "server") == {}
    assert causes(pressed(status, seconds=4.0, content=b"\xff" * 32_000, end=None), "server") == {}


def test_the_words_of_the_error_may_say_that_nothing_was_spoken():
    assert causes(pressed(message="No speech in the audio", seconds=4.0, content=SPEECH), "server") == {}


@pytest.mark.parametrize(
    "subject",
    [
        pressed(403),
        pressed(503),
        pressed(seconds=4.0),  # without its content nobody knows
        pressed(seconds=4.0, content=SPEECH),
        pressed(events=turn(0.1, "Hello")),
        pressed(at=0.2),  # before the close command
    ],
)
def test_any_other_error_stays_one(subject):
    assert "server.error-event" in causes(subject, "server")


@pytest.mark.parametrize(
    ("audio", "events", "expected"),
    [
        (b"\xff" * 64000, turn(1.0, "Hello there.", end=3.0), {}),
        (b"\xff" * 64000, [(0.1, "connected", None)], {}),
        (b"\xff" * 64000, [], {"server.stopped-answering": "fail"}),
        (b"\xff" * 64000, turn(1.0, "Hello there"), {"server.stopped-answering": "fail"}),
        ((SPEECH * 2)[:64000], turn(1.0, "Hello there.", end=3.0), {"server.stopped-answering": "fail"}),
        (None, turn(1.0, "Hello there.", end=3.0), {}),
        (None, turn(1.0, "Hello there"), {"server.stopped-answering": "fail"}),
    ],
)
def test_a_socket_that_stays_open_after_everything_was_answered_loses_nothing(audio, events, expected):
    subject = session(steady(8), events=events, command=8.0, close=(14.5, "client", 1000))
    assert causes(subject if audio is None else with_audio(subject, audio), "server") == expected


def test_an_error_whose_words_the_log_does_not_show_asks_for_them():
    (found,) = report(error(status_code=None, title=None, message=None), "server").checks[0].findings
    assert "does not show its message" in found.summary and found.fix.startswith("Print the whole error event")


@pytest.mark.parametrize(("shown", "expected"), [(["And so my fellow Americans"], True), (["Yes."], True), ([], False)])
def test_a_capture_without_the_updates_of_long_turns_shows_no_silence(shown, expected):
    """A long turn has updates; where none is there, the capture keeps some kinds of events only."""
    texts = [*shown, "And so my fellow Americans ask not."] if shown != ["Yes."] else shown
    events = turn(1.0, *texts, end=3.5)
    if not shown:
        events = [event for event in turn(1.0, *texts, end=3.5) if event[1] != "turn.update"]
    subject = with_audio(session(steady(16), events=events), (SPEECH * 4)[: 16 * 8000])
    assert ("server.stopped-answering" in causes(subject, "server")) == expected

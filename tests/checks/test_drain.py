from dataclasses import replace

import numpy as np
import pytest
from builders import causes, drained, report, session, status, steady, turn, with_audio
from common import FIXTURES

from sttdoctor.evidence import Frame

OPEN = turn(1.0, "Hello", "Hello there")
SHUT = turn(1.0, "Hello", "Hello there.", end=4.5)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"close": (5.0, "client", 1000)}, {"drain.no-close": "fail"}),
        ({"command": 5.0, "close": (5.1, "client", 1000)}, {"drain.hung-up": "fail"}),
        ({"command": 5.0, "close": (5.1, "client", 1000), "events": SHUT}, {"drain.hung-up": "warn"}),
        ({"command": 5.0, "close": (11.0, "client", 1000)}, {}),
        ({"command": 5.0, "close": (5.3, "server", 1000)}, {}),
        ({"command": 5.0, "close": (5.3, "unknown", 1000)}, {}),
        ({"close": (5.0, "client", 1011, "keepalive ping timeout")}, {"drain.stopped-reading": "fail"}),
        ({"close": (5.0, "unknown", 1006)}, {"drain.connection-lost": "fail"}),
        ({"command": 5.0, "close": (5.4, "unknown", 1006), "events": SHUT}, {"drain.connection-lost": "warn"}),
    ],
)
def test_the_end_of_a_connection(fields, expected):
    assert causes(session(steady(5), **{"events": OPEN, **fields}), "drain") == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"close": (5.0, "server", 1011)}, "not_applicable"),
        ({"close": (5.0, "unknown", 1000)}, "unknown"),
        ({}, "unknown"),
        ({"lacks": frozenset({"send"})}, "unknown"),
        ({"lacks": frozenset({"close"})}, "unknown"),
    ],
)
def test_what_cannot_be_judged(fields, expected):
    assert status(session(steady(5), **fields), "drain") == expected


def test_without_audio_there_is_nothing_to_drain():
    assert status(session([], close=(5.0, "client", 1000)), "drain") == "not_applicable"


def test_lost_words_are_explained_by_the_missing_drain():
    events = [*SHUT, *turn(6.0, " More.", end=7.0)]
    subject = session(steady(7), events=events, close=(7.1, "client", 1000), transcript="Hello there.")
    (diagnosis,) = report(subject).diagnoses
    assert (diagnosis.cause, diagnosis.explains) == ("drain.no-close", ("joining.turns-missing",))


def test_a_connection_that_just_stops_before_a_reconnect_was_lost():
    first = session(steady(3), events=OPEN)
    second = drained()
    shifted = tuple(second.events)
    both = type(first)((*first.events, *shifted), url=first.url)
    assert causes(both, "drain") == {"drain.connection-lost": "fail"}


@pytest.mark.parametrize(("url", "expected"), [("wss://x/stt/websocket", "pass"), (None, "not_applicable")])
def test_a_bare_close_word_is_the_close_command_of_the_manual_endpoint_alone(url, expected):
    subject = session(steady(5), events=SHUT)
    bare = Frame(900, 5.0, True, 5, text="close")
    done = session([], close=(5.3, "server", 1000)).events[-1]
    assert status(type(subject)((*subject.events, bare, done), url=url), "drain") == expected


def test_healthy():
    assert status(drained(), "drain") == "pass"


def told(**fields):
    """Summary and places of the only finding."""
    (finding,) = report(session(steady(5), **{"events": OPEN, **fields}), "drain").checks[0].findings
    return finding.summary, [(e.line, e.t) for e in finding.evidence]


def test_a_client_that_stopped_reading_is_shown_its_last_event():
    summary, places = told(close=(5.0, "client", 1011, "keepalive ping timeout"))
    assert "ping timeout" in summary and places == [(22, 1.6), (56, 5.0)]


def test_the_time_that_the_client_waited_is_told():
    assert told(command=5.0, close=(5.1, "client", 1000))[0].startswith("The client left 0.10 s after")
    # an event loop may stamp the close before the command
    assert told(command=5.0, close=(4.9, "client", 1000))[0].startswith("The client left 0.00 s after")
    patient = session(steady(5), events=OPEN, command=5.0, close=(11.0, "client", 1000))
    assert report(patient, "drain").checks[0].measurements == {"waited_s": 6.0}


def test_where_the_close_is_not_captured_the_last_frame_is_the_place():
    first = session(steady(3), events=OPEN)
    both = type(first)((*first.events, *drained().events), url=first.url)
    (finding,) = report(both, "drain").checks[0].findings
    last = first.events[-1]
    assert [(e.line, e.t) for e in finding.evidence] == [(last.line, last.t)]


def test_a_connection_that_a_too_big_message_ended_was_not_left():
    for by in ("client", "server", "unknown"):
        assert status(session(steady(5), events=OPEN, close=(5.0, by, 1009)), "drain") == "not_applicable"


def without_times(subject):
    events = tuple(replace(event, t=None) for event in subject.events)
    return type(subject)(events, url=subject.url, clock="none")


def test_without_times_a_client_that_closed_first_hung_up_where_a_turn_was_open():
    subject = without_times(session(steady(5), events=OPEN, command=5.0, close=(5.1, "client", 1000)))
    (finding,) = report(subject, "drain").checks[0].findings
    assert (finding.cause, finding.status, finding.confidence) == ("drain.hung-up", "fail", 0.7)
    assert finding.summary == "The client closed before the server did while a turn was open."


def test_without_times_nobody_knows_how_long_a_client_waited():
    subject = session(steady(5), events=SHUT, command=5.0, close=(5.1, "client", 1000))
    assert status(without_times(subject), "drain") == "unknown"


@pytest.mark.parametrize(
    ("fields", "cause", "confidence"),
    [
        ({"close": (5.0, "client", 1011, "keepalive ping timeout")}, "stopped-reading", 0.75),
        ({"close": (5.0, "unknown", 1006)}, "connection-lost", 0.9),
        ({"close": (5.0, "client", 1000)}, "no-close", 0.97),
    ],
)
def test_how_sure_each_end_is(fields, cause, confidence):
    (finding,) = report(session(steady(5), events=OPEN, **fields), "drain").checks[0].findings
    assert (finding.cause, finding.confidence) == (f"drain.{cause}", confidence)


def test_the_time_that_a_patient_client_waited_has_three_digits():
    patient = session(steady(5), events=OPEN, command=5.0, close=(10.1237, "client", 1000))
    assert report(patient, "drain").checks[0].measurements == {"waited_s": 5.124}


@pytest.mark.parametrize(("end", "expected"), [(9.99, {"drain.hung-up": "fail"}), (10.0, {})])
def test_five_seconds_are_long_enough_to_wait(end, expected):
    assert causes(session(steady(5), events=OPEN, command=5.0, close=(end, "client", 1000)), "drain") == expected


SPEECH = np.frombuffer((FIXTURES / "audio" / "mulaw-8k.raw").read_bytes(), np.uint8)


def sounding(*spoken, seconds=8.0):
    """Mu-law at 8 kHz: speech in the given stretches of seconds, digital silence elsewhere."""
    sound = np.full(round(seconds * 8000), 0xFF, np.uint8)
    for start, stop in spoken:
        part = slice(round(start * 8000), round(stop * 8000))
        sound[part] = SPEECH[4000:][: part.stop - part.start]
    return sound.tobytes()


def leaving(*spoken, events=SHUT, command=None, close=(8.0, "client", 1000), **fields):
    return with_audio(session(steady(8), events=events, command=command, close=close, **fields), sounding(*spoken))


@pytest.mark.parametrize(
    ("spoken", "events", "expected"),
    [
        ([(1.0, 4.0)], SHUT, "warn"),
        ([(1.0, 4.0), (7.2, 8.0)], SHUT, "fail"),
        ([(1.0, 4.0), (7.9, 8.0)], SHUT, "warn"),  # too short for a word
        ([(1.0, 4.0), (5.0, 6.0)], SHUT, "warn"),  # no speech: it would have begun a turn
        ([(2.0, 8.0)], OPEN, "fail"),
        ([(1.0, 4.0)], OPEN, "fail"),
        ([], [], "warn"),
        ([(7.0, 8.0)], [], "fail"),
    ],
)
def test_leaving_costs_words_only_where_some_were_on_their_way(spoken, events, expected):
    assert causes(leaving(*spoken, events=events), "drain") == {"drain.no-close": expected}
    hung_up = leaving(*spoken, events=events, command=8.0, close=(8.1, "client", 1000))
    assert causes(hung_up, "drain") == {"drain.hung-up": expected}


def test_what_was_on_its_way_is_told():
    def summary(*spoken, **fields):
        return report(leaving(*spoken, **fields), "drain").checks[0].findings[0].summary

    assert summary((1.0, 4.0)).endswith("no turn was open, and what it sent last was silence.")
    assert summary((1.0, 4.0), (7.0, 8.0)).endswith("it had just sent speech that is in no turn.")
    assert summary((2.0, 8.0), events=OPEN).endswith("while a turn was open.")


def test_of_lengths_alone_nothing_is_said_about_silence():
    (finding,) = report(session(steady(8), events=SHUT, close=(8.0, "client", 1000)), "drain").checks[0].findings
    assert (finding.status, finding.summary) == ("warn", "The client closed the socket without the close command.")


def test_what_lost_words_comes_before_a_close_that_lost_none():
    t = steady(8)
    t[30:] += 3.0
    events = turn(1.0, "Hello", "Hello there.", end=8.0)
    subject = with_audio(session(t, events=events, close=(11.0, "client", 1000)), sounding((1.0, 4.0)))
    found = [(d.cause, d.status) for d in report(subject).diagnoses if d.cause.startswith(("drain", "continuity"))]
    assert found == [("continuity.muted", "fail"), ("drain.no-close", "warn")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"close": (5.0, "client", 1006)}, {"drain.no-close": "fail"}),
        ({"command": 5.0, "close": (5.01, "client", 1006)}, {"drain.hung-up": "fail"}),
        ({"command": 5.0, "close": (5.01, "client", 1006), "events": SHUT}, {"drain.hung-up": "warn"}),
        ({"command": 5.0, "close": (11.0, "client", 1006)}, {}),
        ({"close": (5.0, "server", 1006)}, {"drain.connection-lost": "fail"}),
    ],
)
def test_a_client_that_drops_the_connection_has_left(fields, expected):
    assert causes(session(steady(5), **{"events": OPEN, **fields}), "drain") == expected


def test_a_dropped_connection_is_told_as_such():
    summary, places = told(close=(5.0, "client", 1006))
    assert summary == "The client dropped the connection without the close command while a turn was open."
    assert places == [(56, 5.0)]


def test_a_done_command_is_a_close_command():
    subject = session(steady(5), events=SHUT, sends=[(5.0, {"type": "done"})], close=(5.3, "server", 1000))
    assert status(subject, "drain") == "pass"
    waits = session(steady(5), events=OPEN, sends=[(5.0, {"type": "done"})], close=(5.3, "client", 1000))
    assert causes(waits, "drain") == {"drain.hung-up": "fail"}


def test_one_connection_a_turn_is_one_finding():
    """A client that opens a connection for each turn and closes it at the turn.end."""
    parts = [session(steady(4), events=turn(0.5, "Hi", end=3.8), close=(4.0, "client", 1000)) for _ in range(4)]
    events = tuple(replace(e, t=e.t + 10 * i) for i, part in enumerate(parts) for e in part.events)
    (finding,) = report(type(parts[0])(events, url=parts[0].url), "drain").checks[0].findings
    assert (finding.cause, finding.status, len(finding.evidence)) == ("drain.no-close", "warn", 4)
    assert "on 4 of 4 connections" in finding.summary


def test_the_worst_end_of_several_connections_is_told():
    gentle = session(steady(4), events=turn(0.5, "Hi", end=3.8), close=(4.0, "client", 1000))
    rough = session(steady(4), events=OPEN, close=(4.0, "client", 1000))
    events = (*gentle.events, *(replace(e, t=e.t + 10) for e in rough.events))
    (finding,) = report(type(gentle)(events, url=gentle.url), "drain").checks[0].findings
    assert finding.status == "fail" and finding.evidence[0].t == 14.0


@pytest.mark.parametrize(
    ("text", "expected"), [("Hello there.", "fail"), ("Hello there. More.", "warn"), (None, "warn")]
)
def test_a_turn_that_ended_as_the_client_left_is_lost_where_its_text_is_missing(text, expected):
    events = [*SHUT, *turn(6.0, " More.", end=7.0)]
    subject = session(steady(7), events=events, command=6.9, close=(7.1, "client", 1000), transcript=text)
    (finding,) = report(subject, "drain").checks[0].findings
    assert (finding.cause, finding.status) == ("drain.hung-up", expected)
    assert ("the end of turn 2" in finding.summary) is (expected == "fail")


def leaving_after(after_s, speaks):
    """A client that leaves so long after the end of its only turn, with or without speech in its last second."""
    subject = session(
        steady(6.0),
        events=turn(1.0, "Hello", "Hello there.", end=6.0 - after_s),
        close=(6.0, "client", 1000),
    )
    quiet = bytes([0xFF]) * 48_000
    return with_audio(subject, quiet[:36_000] + (SPEECH.tobytes()[8000:20_000] if speaks else quiet[:12_000]))


def test_who_takes_the_end_of_a_turn_for_the_end_of_all_is_told_so():
    (found,) = report(leaving_after(0.4, speaks=True), "drain").checks[0].findings
    assert (found.cause, found.status) == ("drain.left-at-turn-end", "fail")
    assert found.evidence[0].t == pytest.approx(5.6) and "Keep sending" in found.fix


@pytest.mark.parametrize(("after_s", "speaks"), [(0.4, False), (3.0, True)])
def test_another_leaving_is_no_leaving_at_the_end_of_a_turn(after_s, speaks):
    assert "drain.left-at-turn-end" not in causes(leaving_after(after_s, speaks), "drain")


@pytest.mark.parametrize(("at", "minutes"), [(300.2, "5 minutes"), (899.9, "15 minutes")])
def test_a_connection_that_lived_for_a_usual_longest_duration_is_told_so(at, minutes):
    subject = session(steady(at - 0.1, 0.2), 0.2, events=turn(at - 3, "Hello"), close=(at, "unknown", 1006))
    found = report(subject, "drain").diagnoses[0]
    assert found.cause == "drain.connection-lost"
    assert minutes in found.summary and "time limit" in found.fix


@pytest.mark.parametrize(("at", "until"), [(302.0, 301.9), (300.0, 290.0)])
def test_another_age_or_a_silent_end_shows_no_longest_duration(at, until):
    subject = session(steady(until, 0.2), 0.2, events=turn(until - 3, "Hello"), close=(at, "unknown", 1006))
    (finding,) = report(subject, "drain").checks[0].findings
    assert "minutes" not in finding.summary


def test_who_sees_it_from_elsewhere_does_not_take_a_moment_for_a_client_that_read_nothing():
    """Events went out until 0.1 s before the close: only the client itself knows what it took in."""
    late = [*OPEN[:-1], (4.9, *OPEN[-1][1:])]
    subject = session(steady(5), events=late, close=(5.0, "client", 1011, "keepalive ping timeout"))
    (finding,) = report(replace(subject, clock="server"), "drain").checks[0].findings
    assert finding.cause == "drain.stopped-reading"
    assert "took in no pong" in finding.summary and "took nothing in" not in finding.summary


@pytest.mark.parametrize(("events", "expected"), [(turn(1.0, "Hello", end=2.0), "warn"), (turn(1.0, "Hello"), "fail")])
def test_a_lost_connection_is_as_bad_as_what_was_on_its_way(events, expected):
    subject = session(steady(4), events=events, close=(4.0, "unknown", 1006))
    assert causes(subject, "drain") == {"drain.connection-lost": expected}

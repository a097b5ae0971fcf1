"""What a close was about: its reason first, then its code."""

from dataclasses import replace

import pytest
from builders import causes, drained, report, session, steady, turn
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.endings import CODES, find_ending, find_ping_timeout, is_ping_timeout
from sttdoctor.analysis.session.timeline import Connection, split_connections
from sttdoctor.evidence import Close, Control

OPEN = [*turn(1.0, "Hello")[:2]]

GAVE_UP = (40.0, "client", 1011, "keepalive ping timeout")
TALK = [event for start in range(1, 40, 3) for event in turn(start, "Yes", "Yes.", end=start + 2.5)]
"""Turns until just before 40 s."""


def first(code, reason, **fields):
    return report(session(steady(5), events=fields.pop("events", OPEN), close=(5.0, "server", code, reason))).diagnoses[
        0
    ]


@pytest.mark.parametrize(
    ("code", "reason", "cause"),
    [
        (1002, "Invalid WebSocket frame: RSV2 and RSV3 must be clear", "messages.broken-frame"),
        (1002, "", "messages.broken-frame"),
        (1003, "", "messages.broken-frame"),
        (1007, "invalid UTF-8 in a text frame", "messages.broken-frame"),
        (1008, "access token expired", "connection.expired"),
        (4401, "jwt expired", "connection.expired"),
        (4001, "Token has expired", "connection.expired"),
        (1011, "token expired", "connection.expired"),
        (1008, "monthly quota exceeded", "server.quota"),
        (4402, "", "server.quota"),
        (4029, "", "server.quota"),
        (1008, "Insufficient credits", "server.quota"),
        (1008, "too many concurrent streams", "server.concurrency"),
        (1000, "maximum session duration reached", "server.session-limit"),
        (1001, "", "server.session-limit"),
        (1012, "", "server.session-limit"),
        (1013, "", "server.session-limit"),
        (1011, "server is shutting down", "server.session-limit"),
        (1014, "", "connection.intermediary"),
        (1015, "", "connection.intermediary"),
        (1011, "", "server.closed-abnormally"),
        (1008, "policy", "server.closed-abnormally"),
        (1000, "", "server.closed-abnormally"),
        (4000, "", "server.closed-abnormally"),
    ],
)
def test_the_reason_outweighs_the_code(code, reason, cause):
    diagnosis = first(code, reason)
    assert (diagnosis.cause, diagnosis.status) == (cause, "fail")
    assert "request_id" not in diagnosis.fix or cause == "server.closed-abnormally"


def test_a_session_that_ended_as_asked_is_no_finding():
    assert not {"messages.broken-frame", "server.session-limit", "connection.expired"} & causes(drained()).keys()


def test_a_handshake_that_was_accepted_by_something_that_passes_nothing_on_is_between():
    silent = session(steady(6), command=6.0, close=(11.9, "client", 1000))
    diagnosis = report(silent).diagnoses[0]
    assert diagnosis.cause == "connection.intermediary"
    assert "request_id" not in diagnosis.fix and "nothing at all was received" in diagnosis.summary


def test_a_short_session_without_an_event_is_left_alone():
    assert "connection.intermediary" not in causes(session(steady(1), close=(1.2, "client", 1000)))


@given(st.integers(0, 4999), st.text(max_size=123), st.sampled_from(["client", "server", "unknown"]))
def test_any_close_of_the_other_side_has_an_ending(code, reason, by):
    ending = find_ending(Connection(None, (), Close(1, 1.0, by, code, reason)))
    assert (ending is None) == (
        by == "client" or code in (1005, 1006, 1009) or is_ping_timeout(Close(1, 1.0, by, code, reason))
    )
    assert ending is None or ending.meaning == CODES.get(code, ("", ""))[1]


def until(seconds):
    return [event for event in TALK if event[0] <= seconds]


def talk(sent_until=40.0, heard_until=40.0, pings=(), clock="client", by="client", events=None):
    """A session of 40 s that a ping timeout ends; `pings` are (t, sent, kind)."""
    events = until(heard_until) if events is None else events
    subject = session(steady(sent_until), events=events, close=(40.0, by, *GAVE_UP[2:]), clock=clock)
    controls = tuple(Control(900 + n, *ping) for n, ping in enumerate(pings))
    return replace(subject, events=(*subject.events[:-1], *controls, subject.events[-1]))


def who(subject):
    (connection,) = split_connections(subject)
    found = find_ping_timeout(connection, subject.clock)
    return None if found is None else found.who


PING = (20.0, True, "ping")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # the client read until the end, so it is not the client
        ({}, "peer"),
        ({"pings": [PING]}, "peer"),
        ({"pings": [PING], "heard_until": 30.0}, "peer"),
        ({"pings": [PING, (39.0, False, "ping")], "heard_until": 10.0}, "peer"),
        # it took nothing in any more, but sent
        ({"heard_until": 12.0}, "reader"),
        ({"heard_until": 12.0, "pings": [PING]}, "reader"),
        ({"pings": [PING], "heard_until": 20.5}, "reader"),
        ({"heard_until": 12.9}, "reader"),  # it was never that quiet before
        ({"heard_until": 31.5}, "reader"),  # a turn is open, so something should have come
        ({"heard_until": 30.6, "events": turn(1.0, "Yes.", end=30.5)}, "unknown"),  # nobody speaks
        # neither
        ({"sent_until": 12.0, "heard_until": 12.0}, "process"),
        ({"sent_until": 12.0, "heard_until": 12.0, "pings": [(12.5, True, "ping")]}, "process"),
        (
            {"sent_until": 12.0, "heard_until": 12.0, "pings": [PING]},
            "link",
        ),  # a process that stands still sends no ping
        ({"sent_until": 4.0, "heard_until": 20.0}, "link"),
        # what passed a proxy need not have been read
        ({"clock": "proxy"}, "reader"),
        ({"clock": "server"}, "reader"),
        ({"clock": "proxy", "sent_until": 12.0}, "process"),
        ({"clock": "proxy", "heard_until": 13.5}, "link"),
        ({"clock": "proxy", "heard_until": 12.9}, "link"),  # it was never that quiet before
        ({"clock": "proxy", "events": turn(1.0, "Yes.", end=20.5)}, "unknown"),
        # the server gave up
        ({"by": "server"}, "reader"),
        ({"by": "server", "sent_until": 12.0}, "process"),
        ({"by": "server", "pings": [(20.0, False, "ping"), (20.0, True, "pong")]}, "link"),
    ],
)
def test_who_is_at_fault(fields, expected):
    assert who(talk(**fields)) == expected


def test_a_client_that_sent_once_in_a_while_was_not_blocked():
    subject = session([1.0, 4.0, 9.0], events=turn(5.0, "Yes.", end=10.0), close=GAVE_UP)
    assert who(subject) == "link"


def test_without_times_nobody_is_accused():
    subject = talk()
    untimed = replace(subject, events=tuple(replace(event, t=None) for event in subject.events), clock="none")
    assert who(untimed) == "unknown"
    assert who(session([], close=GAVE_UP)) == "unknown"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("keepalive ping timeout", True),
        ("sent 1011 (internal error) keepalive ping timeout; no close frame received", True),
        ("ping/pong timed out", True),
        ("No PONG received after 10.0 seconds", True),
        ("heartbeat", True),
        ("", False),
        ("idle timeout", False),
        ("shopping list timed out", False),
    ],
)
def test_a_reason_that_is_a_ping_timeout(reason, expected):
    assert is_ping_timeout(Close(1, 1.0, "client", 1011, reason)) is expected
    subject = talk()
    close = replace(subject.events[-1], reason=reason)
    assert (who(replace(subject, events=(*subject.events[:-1], close))) is None) is not expected


@pytest.mark.parametrize(
    ("fields", "cause", "words", "fix"),
    [
        ({}, "drain.connection-lost", "events came until 0.5 s before", "ping_timeout=None"),
        ({"heard_until": 12.0}, "drain.stopped-reading", "took nothing in for 29.4 s", "a separate task"),
        ({"sent_until": 12.0, "heard_until": 12.0}, "drain.stopped-reading", "for 28.1 s it neither", "to_thread"),
        ({"sent_until": 4.0, "heard_until": 20.0}, "drain.connection-lost", "nothing came for", "Reconnect"),
        ({"by": "server"}, "drain.stopped-reading", "answered no ping", "a separate task"),
    ],
)
def test_what_is_said_of_it(fields, cause, words, fix):
    (finding,) = report(talk(**fields), "drain").checks[0].findings
    assert (finding.cause, finding.status) == (cause, "fail")
    assert words in finding.summary and fix in finding.fix
    assert "closed with a ping timeout" in finding.summary


def test_a_session_that_was_drained_lost_nothing():
    events = turn(1.0, "Yes.", end=39.5)
    subject = session(steady(39), events=events, command=39.0, close=GAVE_UP)
    (finding,) = report(subject, "drain").checks[0].findings
    assert (finding.cause, finding.status) == ("drain.connection-lost", "warn")


def test_a_blocked_process_explains_that_it_sent_nothing():
    (first, *_) = report(talk(sent_until=12.0, heard_until=11.2)).diagnoses
    assert first.cause == "drain.stopped-reading" and "continuity.stopped" in first.explains
    (first, *_) = report(talk(sent_until=4.0, heard_until=20.0)).diagnoses
    assert first.cause == "drain.connection-lost" and "continuity.stopped" in first.explains


def test_who_is_at_fault_for_a_ping_timeout_is_unknown_where_nothing_is_seen_of_what_came():
    finding = report(session(steady(40), close=GAVE_UP, lacks=frozenset({"receive"}))).diagnoses[0]
    assert (finding.cause, finding.confidence) == ("drain.connection-lost", 0.6)

"""What a close was about: its reason first, then its code."""

import pytest
from builders import causes, drained, report, session, steady, turn
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.endings import CODES, find_ending
from sttdoctor.analysis.session.ping_timeout import is_ping_timeout
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.evidence import Close

OPEN = [*turn(1.0, "Hello")[:2]]


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

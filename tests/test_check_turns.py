import pytest
from builders import causes, drained, report, session, status, steady, turn

from sttdoctor.evidence import Frame


def judged(events, **fields):
    return causes(session(steady(8), events=events, **fields), "turns")


CLOSED = {"command": 8.0, "close": (8.4, "server", 1000)}


def test_turns_in_order_pass():
    events = [
        *turn(0.5, "A", end=2.0),
        (3.0, "turn.start", None),
        (3.5, "turn.eager_end", " B"),
        (3.6, "turn.resume", None),
    ]
    events += [(3.8, "turn.update", " B c"), (4.0, "turn.eager_end", " B c"), (4.2, "turn.end", " B c.")]
    assert judged(events, **CLOSED) == {}


@pytest.mark.parametrize(
    "events",
    [
        [(1.0, "turn.update", "A"), (2.0, "turn.end", "A")],
        [(1.0, "turn.start", None), (1.5, "turn.resume", None), (2.0, "turn.end", "A")],
        [
            (1.0, "turn.start", None),
            (1.5, "turn.eager_end", "A"),
            (1.6, "turn.update", "A b"),
            (2.0, "turn.end", "A b"),
        ],
        [*turn(1.0, "A", end=2.0), (2.5, "turn.end", "A")],
        [(1.0, "turn.start", None), (1.1, "turn.start", None), (2.0, "turn.end", "A")],
    ],
)
def test_events_out_of_order_are_a_warning(events):
    assert judged(events, **CLOSED) == {"turns.out-of-order": "warn"}


def test_unknown_events_are_ignored():
    assert judged([*turn(0.5, "A", end=2.0), (3.0, "turn.mood", None), (4.0, "news", None)], **CLOSED) == {}


def test_a_text_that_does_not_grow():
    assert judged(turn(0.5, "Hello there", "Hi there", end=3.0), **CLOSED) == {"turns.not-cumulative": "warn"}


def test_an_empty_text_revises_nothing():
    assert judged(turn(0.5, "Hello", "", end=3.0), **CLOSED) == {}


def test_a_turn_that_never_ends():
    assert judged(turn(0.5, "Hello"), **CLOSED) == {"turns.left-open": "fail"}


def test_a_capture_that_ends_in_mid_session_says_nothing_about_the_turn():
    assert judged(turn(0.5, "Hello")) == {}


def test_events_of_two_connections():
    subject = drained()
    other = Frame(800, 4.0, False, 9, message={"type": "turn.start", "request_id": "r2"})
    diagnoses = report(type(subject)((*subject.events, other), url=subject.url), "turns").diagnoses
    assert [d.cause for d in diagnoses] == ["turns.mixed-connections"]


def test_without_events_it_is_unknown_and_on_the_manual_endpoint_it_does_not_apply():
    assert status(session(steady(3)), "turns") == "unknown"
    assert status(session(steady(3), url="wss://x/stt/websocket"), "turns") == "not_applicable"
    assert status(drained(lacks=frozenset({"receive"})), "turns") == "unknown"

from dataclasses import replace

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


def found(events, **fields):
    """The findings, in order."""
    return report(session(steady(8), events=events, **(fields or CLOSED)), "turns").checks[0].findings


def test_a_turn_left_open_in_any_connection_is_told():
    """The first connection ended without a close; only the end of the capture says nothing."""
    first = session(steady(3), events=turn(0.5, "Hello"))
    both = type(first)((*first.events, *drained().events, *drained().events), url=first.url)
    assert causes(both, "turns") == {"turns.left-open": "fail"}


def test_the_last_words_of_an_open_turn_are_shown():
    (finding,) = found(turn(0.5, "x" * 30 + "y" * 80))
    assert finding.summary == f"The last turn never ended; its last text is '{'y' * 80}'."
    (finding,) = found([(0.5, "turn.start", None)])
    assert finding.summary == "The last turn never ended."


def test_findings_come_in_the_order_of_the_questions():
    events = [*turn(0.5, "Hello there", "Hi there", end=3.0), (3.5, "turn.end", "Hi"), (4.0, "turn.start", None)]
    assert [f.cause for f in found(events)] == ["turns.out-of-order", "turns.not-cumulative", "turns.left-open"]


def test_places_of_broken_order_are_the_first_five():
    events = [(1.0 + i / 2, "turn.end", "A") for i in range(7)]
    (finding,) = found(events)
    assert finding.summary == "7 turn events are out of order; the first is turn.end while the turn is idle."
    assert [e.t for e in finding.evidence] == [1.0, 1.5, 2.0, 2.5, 3.0]


def test_a_text_that_was_revised_is_shown_by_its_ends():
    (finding,) = found(turn(0.5, "b" * 5 + "c" * 60, "d" * 5 + "e" * 60, end=3.0))
    assert finding.evidence[0].note == f"'{'c' * 60}' is followed by '{'e' * 60}'"


def test_the_first_event_of_another_connection_is_the_place():
    subject = drained()
    other = Frame(800, 4.0, False, 9, message={"type": "turn.start", "request_id": "r2"})
    (finding, *_) = report(type(subject)((*subject.events, other), url=subject.url), "turns").checks[0].findings
    assert (finding.evidence[0].line, finding.summary) == (
        800,
        "Events of 2 connections (r1, r2) are mixed in one log.",
    )


def test_the_manual_endpoint_has_no_turns_though_events_are_there():
    subject = session(steady(3), events=turn(0.5, "Hello", end=2.0), url="wss://x/stt/websocket")
    assert status(subject, "turns") == "not_applicable"


def test_the_first_event_out_of_order_is_the_one_in_the_sentence():
    (finding,) = found(
        [(1.0, "turn.end", "A"), *turn(2.0, "Hi", end=3.0), (4.0, "turn.update", "B"), (4.5, "turn.end", "B")]
    )
    assert finding.summary == "2 turn events are out of order; the first is turn.end while the turn is idle."
    assert finding.confidence == 0.9


def test_turns_that_pass_are_counted():
    one, two = turn(0.5, "Hi.", end=2.0), [*turn(0.5, "Hi.", end=2.0), *turn(3.0, "Bye.", end=4.0)]
    for events, words in ((one, "1 turn began"), (two, "2 turns began")):
        (result,) = report(session(steady(8), events=events, **CLOSED), "turns").checks
        assert result.answer == f"{words}, grew and ended in order."


def test_the_open_turn_is_the_last_one():
    (finding,) = found([*turn(0.5, "Hi.", end=2.0), *turn(3.0, "Bye")])
    assert finding.summary == "The last turn never ended; its last text is 'Bye'."
    assert (finding.evidence[0].t, finding.confidence) == (3.0, 0.9)


def test_of_texts_that_do_not_grow_five_are_shown():
    events = [event for i in range(7) for event in turn(i, "Hello there", "Hi there", end=i + 0.9)]
    (finding,) = found(events)
    assert finding.summary.startswith("In 7 turns a text does not continue the one before it")
    assert ([e.t for e in finding.evidence], finding.confidence) == ([0, 1, 2, 3, 4], 0.9)


@pytest.mark.parametrize("cut", range(1, 6))
def test_a_capture_that_begins_inside_a_turn_is_in_order(cut):
    whole = session(steady(8), events=[*turn(1.0, "A", "A b", "A b c", end=3.0), *turn(4.0, "D", end=6.0)])
    events = [event for event in whole.events if isinstance(event, Frame) and not event.sent]
    assert "turns.out-of-order" not in causes(replace(whole, events=tuple(events[cut:])), "turns")
    begun = replace(whole, events=(whole.events[0], *events[cut:]))
    assert ("turns.out-of-order" in causes(begun, "turns")) == (cut < 5)

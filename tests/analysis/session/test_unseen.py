"""What a capture left out without saying so."""

from dataclasses import replace

import pytest
from builders import causes, drained, session, turn

from sttdoctor.analysis.session.unseen import state_unseen
from sttdoctor.evidence import Close, Frame, Transcript

HEALTHY = drained(transcript="Hello there.")


def keep(subject, wanted):
    """The session without the frames that are not wanted."""
    events = tuple(event for event in subject.events if not isinstance(event, Frame) or wanted(event))
    return replace(subject, events=events)


@pytest.mark.parametrize(
    ("wanted", "unseen"),
    [
        (lambda _frame: True, set()),
        (lambda frame: not frame.sent, {"send", "audio"}),
        (lambda frame: not frame.binary, {"audio"}),
        (lambda frame: frame.sent, {"receive", "text"}),
    ],
)
def test_the_answers_tell_what_a_recorder_left_out(wanted, unseen):
    subject = keep(HEALTHY, wanted)
    assert state_unseen(subject).lacks == unseen
    assert not causes(replace(subject, transcript=None)) or not unseen


def test_a_text_of_the_application_shows_that_something_was_received():
    sent = keep(HEALTHY, lambda frame: frame.sent and frame.binary)
    assert state_unseen(sent).lacks == {"receive", "text"}
    assert state_unseen(replace(sent, transcript=None)).lacks == set()


def test_who_is_heard_has_sent_audio_and_who_is_not_may_have_sent_none():
    one_way = session((), events=turn(1.0, "Hello", "Hello there.", end=3.0), close=(9.0, "server", 1000))
    assert "continuity.nothing-sent" not in causes(one_way)
    silent = session((), events=[(0.1, "connected", None)], close=(9.0, "client", 1000))
    assert "continuity.nothing-sent" in causes(silent)


def test_a_connection_on_which_nothing_came_back_is_one_unless_the_server_ended_it_when_asked():
    sent = keep(HEALTHY, lambda frame: frame.sent)
    assert causes(sent) == {}
    left = replace(sent, transcript=None, events=(*sent.events[:-1], replace(sent.events[-1], by="client")))
    assert isinstance(left.events[-1], Close)
    assert "connection.intermediary" in causes(left)


@pytest.mark.parametrize(
    "shown",
    ["Listening...", "(no speech detected)", "Error: could not transcribe", "Press the button to talk"],
)
def test_what_an_application_shows_instead_of_a_text_hides_no_swallowed_connection(shown):
    sent = keep(HEALTHY, lambda frame: frame.sent and frame.binary)
    events = (*sent.events[:-1], replace(sent.events[-1], by="client"))
    subject = replace(sent, events=events, transcript=Transcript(shown))
    assert state_unseen(subject).lacks == set() and "connection.intermediary" in causes(subject)


def test_a_text_of_words_was_received():
    sent = keep(HEALTHY, lambda frame: frame.sent and frame.binary)
    for shown in ("Hello.", "Is it not there?", "\u4eca\u65e5\u306f\u3044\u3044\u5929\u6c17\u3067\u3059\u306d"):
        assert state_unseen(replace(sent, transcript=Transcript(shown))).lacks == {"receive", "text"}

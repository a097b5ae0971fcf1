import numpy as np
import pytest
from builders import drained, report, session, steady, turn
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.loss import LIMITS_S, find_loss
from sttdoctor.analysis.session.timeline import connections
from sttdoctor.endpoints.cartesia import AUTO
from sttdoctor.evidence import Control

SAID = turn(1.0, "Hello", "Hello there.", end=6.5)
OPEN = turn(1.0, "Hello", "Hello there.")


def lost(seconds=7.0, at=67.0, events=SAID, by="unknown", code=1006, **fields):
    """Audio for some seconds, and an end that nobody asked for."""
    return session(steady(seconds), events=events, close=(at, by, code), **fields)


def loss_of(subject):
    return find_loss(connections(subject)[0], AUTO, subject.resolution)


def first(subject):
    return report(subject).diagnoses[0]


@pytest.mark.parametrize(
    ("idle_s", "limit_s"), [(59.7, 60), (50.01, 50), (61.2, 60), (300.1, 300), (600.1, 600), (899.5, 900)]
)
def test_what_lay_idle_for_a_usual_limit_was_cut_in_between(idle_s, limit_s):
    subject = lost(at=6.9 + idle_s)
    loss = loss_of(subject)
    assert (loss.how, loss.limit_s) == ("idle", limit_s)
    found = first(subject)
    assert (found.cause, found.status) == ("connection.idle-cut", "fail")
    assert "drain.connection-lost" in found.explains
    assert f"{idle_s:.1f} s" in found.summary and "silence" in found.fix and "ping every 20 s" in found.fix


def test_a_time_that_is_no_usual_limit_is_none():
    assert loss_of(lost(at=6.9 + 20.1)) is None
    assert loss_of(lost(at=6.9 + 26.0)) is None


def test_an_open_turn_that_waits_for_silence_is_explained_by_the_cut():
    found = first(lost(events=OPEN, seconds=2.0, at=62.0))
    assert found.cause == "connection.idle-cut" and "continuity.stopped" in found.explains


def test_where_audio_flowed_to_the_end_the_limit_is_one_of_each_direction_and_only_pings_help():
    found = first(lost(seconds=66.5, at=66.51))
    assert found.cause == "connection.idle-cut" and "each direction" in found.summary
    assert "Silence is not enough" in found.fix


@pytest.mark.parametrize("seconds", [7.0, 12.0])
@pytest.mark.parametrize("waited_s", [0.01, 1.0, 61.4, 900.0])
def test_a_connection_that_was_sent_to_and_gave_nothing_back_was_dead(seconds, waited_s):
    found = first(lost(seconds=seconds, at=seconds - 0.1 + waited_s, events=OPEN))
    assert (found.cause, found.status) == ("connection.dead", "fail")
    assert f"{seconds - 0.1 + waited_s - 1.6:.0f} s with a turn open" in found.summary
    assert "close command" not in found.fix and "ping" in found.fix


@pytest.mark.parametrize(
    "subject",
    [
        drained(),
        drained(70.0),
        lost(code=1000, by="client"),
        lost(code=1001, by="server"),
        lost(code=None, by="client"),
        lost(command=7.1),
        lost(at=6.9 + 26.0),
        lost(at=6.9 + 181.0),
        lost(seconds=5.0, at=5.0, events=OPEN),
        lost(seconds=0.0, events=SAID),
        session(steady(7), events=SAID),
    ],
)
def test_other_ends_are_neither_a_cut_nor_dead(subject):
    assert loss_of(subject) is None
    assert not {"connection.idle-cut", "connection.dead"} & {d.cause for d in report(subject).diagnoses}


def test_pings_count_as_traffic():
    subject = lost()
    pings = tuple(Control(100 + n, 7.0 + 17 * n, True, "ping") for n in range(3))
    connection = connections(subject)[0]
    alive = type(connection)(connection.open, connection.frames, connection.close, pings)
    assert loss_of(subject) is not None and find_loss(alive, AUTO) is None


@given(
    st.floats(0, 2000),
    st.sampled_from(["client", "server", "unknown"]),
    st.sampled_from([None, 1000, 1001, 1006, 1011]),
)
def test_a_limit_is_near_the_time_that_passed(idle_s, by, code):
    loss = loss_of(lost(at=6.9 + idle_s, by=by, code=code))
    if loss is not None:
        assert code in (None, 1006) and loss.how == "idle"
        assert loss.limit_s in LIMITS_S or loss.limit_s % 10 == 0
        assert -0.6 <= loss.silent_s - loss.limit_s <= 1.7
        assert np.isclose(loss.silent_s, idle_s)

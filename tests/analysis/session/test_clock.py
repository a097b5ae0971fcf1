"""Clocks that were set while a session ran."""

from dataclasses import replace

import pytest
from builders import causes, drained
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.clock import mend_clock
from sttdoctor.evidence import Open

HEALTHY = drained(transcript="Hello there.")


def set_at(subject, at, by):
    """The session as a clock shows it that was set by some seconds."""
    events = [event if event.t < at else replace(event, t=event.t + by) for event in subject.events]
    return replace(subject, events=tuple(events))


@pytest.mark.parametrize("by", [-0.4, -2.0, -3600.0, -86400.0, 3600.0, 1800.3])
@pytest.mark.parametrize("at", [0.5, 4.05, 8.1])
def test_a_clock_that_was_set_accuses_nobody(at, by):
    assert causes(set_at(HEALTHY, at, by)) == causes(HEALTHY) == {}


@given(st.floats(0.5, 7.5), st.sampled_from([-86400.0, -3600.0, -10.0, -1.0, 3600.0]))
def test_times_go_on_as_if_nobody_had_set_the_clock(at, by):
    mended = mend_clock(set_at(HEALTHY, at, by))
    assert [event.t for event in mended.events] == pytest.approx([event.t for event in HEALTHY.events], abs=0.11)


@pytest.mark.parametrize("by", [0.0, -0.2, 2.0, 60.0, 600.0])
def test_what_a_client_may_have_done_stays_as_it_is(by):
    subject = set_at(HEALTHY, 4.05, by)
    assert mend_clock(subject) is subject


def test_a_further_connection_may_have_a_clock_of_its_own():
    again = [replace(event, line=event.line + 200) for event in HEALTHY.events]
    assert isinstance(again[0], Open)
    subject = replace(HEALTHY, events=(*HEALTHY.events, *again))
    assert mend_clock(subject) is subject


@pytest.mark.parametrize(("times", "is_mended"), [(3, True), (4, False)])
def test_times_that_fall_back_again_and_again_are_no_clock_that_was_set(times, is_mended):
    subject = HEALTHY
    for number in range(times):
        subject = set_at(subject, 1.05 + number - 0.4 * number, -0.4)
    assert (mend_clock(subject) != subject) is is_mended


def test_a_date_that_is_wrong_by_more_than_days_is_left_as_it_is():
    subject = set_at(HEALTHY, 4.05, -1e9)
    assert mend_clock(subject) == subject

"""How captures are spread over time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.triage.timeline import STEPS, Timeline

TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1)).map(lambda t: t.isoformat() + "Z")


def filled(times):
    timeline = Timeline()
    for t in times:
        timeline.add(t, "pacing.burst", "fail")
    return timeline


@pytest.mark.parametrize(
    ("spread", "step", "first", "bars"),
    [
        (timedelta(0), "hour", "2026-11-22 10:00", 1),
        (timedelta(hours=5), "hour", "2026-11-22 10:00", 6),
        (timedelta(days=10), "day", "2026-11-22", 11),
        (timedelta(days=200), "month", "2026-11", 8),
        (timedelta(days=4000), "year", "2026", 12),
    ],
)
def test_the_span_asks_for_hours_days_months_or_years(spread, step, first, bars):
    began = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    timeline = filled([began.isoformat(), (began + spread).isoformat()])
    shown = list(timeline.bars())
    assert (timeline.step, shown[0][0], len(shown)) == (step, first, bars)
    assert sum(counts.total() for _, counts in shown) == timeline.count == 2


def test_times_of_other_zones_are_brought_to_one():
    timeline = filled(["2026-11-22T23:30:00-05:00", "2026-11-23T04:10:00Z"])
    assert [label for label, _ in timeline.bars()] == ["2026-11-23 04:00"]


@pytest.mark.parametrize(
    "t", [None, "", "soon", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31", "2026-13-01"]
)
def test_a_time_that_cannot_be_meant_is_left_out(t):
    assert filled([t]).count == 0 and list(filled([t]).bars()) == []


@given(st.lists(TIMES, max_size=40))
def test_the_order_changes_nothing_and_no_capture_is_lost(times):
    there, back = filled(times), filled(times[::-1])
    assert list(there.bars()) == list(back.bars()) and there.step in STEPS
    bars = [counts.total() for _, counts in there.bars()]
    assert sum(bars) == there.count and len(bars) <= 101

import pytest
from common import HEADER, jsonl

from sttdoctor.api import replay
from sttdoctor.readers import read_capture


def capture(times, **header):
    """Messages in both directions at the given times; every second one is 0.1 s of audio."""
    rows = [
        {"type": "send", "t": t, "bytes": 3200}
        if i % 2
        else {"type": "receive", "t": t, "json": {"type": "turn.start"}}
        for i, t in enumerate(times)
    ]
    return jsonl({**HEADER, **header}, {"type": "open", "t": times[0], "status": 101}, *rows)


@pytest.mark.parametrize("moment", [-1, 0, 1234.5])
def test_one_time_for_all_messages_is_none(moment):
    session = read_capture(capture([moment] * 200))
    assert session.clock == "none" and {event.t for event in session.events} == {None}
    report = replay(capture([moment] * 200))
    assert {c.id: c.status for c in report.checks if c.id in ("pacing", "continuity", "latency")} == {
        "pacing": "unknown",
        "continuity": "unknown",
        "latency": "unknown",
    }


@pytest.mark.parametrize("times", [[0.0, 0.0], [0.0, 0.0, 0.001], [i / 20 for i in range(200)], [-2.0, -1.5, -1.0]])
def test_times_that_differ_stay(times):
    session = read_capture(capture(times))
    assert session.clock == "client" and [event.t for event in session.events][1:] == times


def test_whole_seconds_that_messages_share_are_a_coarse_clock():
    assert read_capture(capture([i // 20 for i in range(200)])).resolution == 1.0
    assert {c.status for c in replay(capture([i // 20 for i in range(200)])).checks if c.id == "pacing"} == {"unknown"}
    assert read_capture(capture([float(i) for i in range(200)])).resolution == 0.0
    assert read_capture(capture([i // 20 + (i == 150) / 10 for i in range(200)])).resolution == 0.0

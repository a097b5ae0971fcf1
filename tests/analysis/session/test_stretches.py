from itertools import pairwise

import numpy as np
import pytest
from builders import causes, report, session, steady, timeline, turn
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.analysis.session.stretches import split_stretches


def paced(*parts, interval=0.1, jitter=0.0):
    """Frames at one interval whose length is that times the pace of each part: (seconds, pace)."""
    counts = [round(seconds / interval) for seconds, _ in parts]
    lengths = np.concatenate([np.full(n, interval * pace) for n, (_, pace) in zip(counts, parts, strict=True)])
    t = np.arange(len(lengths)) * interval
    if jitter:
        t = np.maximum.accumulate(t + np.random.default_rng(len(t)).uniform(0, jitter, len(t)))
    return t, lengths


def borders(t, lengths):
    return [part.first for part in split_stretches(timeline(t, lengths))[1:]]


@pytest.mark.parametrize("jitter", [0.0, 0.08])
@pytest.mark.parametrize("interval", [0.02, 0.1, 0.16])
def test_each_change_is_found_at_its_frame(interval, jitter):
    t, lengths = paced((6, 1), (6, 1 / 3), (9, 1), (8, 0.5), interval=interval, jitter=jitter)
    found = split_stretches(timeline(t, lengths))
    assert [part.first for part in found[1:]] == np.cumsum([round(s / interval) for s in (6, 6, 9)]).tolist()
    assert [part.speed.ratio for part in found] == pytest.approx([1, 1 / 3, 1, 0.5], rel=0.03)
    assert [part.frame_s for part in found] == pytest.approx([interval * r for r in (1, 1 / 3, 1, 0.5)])
    assert (found[0].first, found[-1].stop) == (0, len(t))


@given(
    st.lists(st.sampled_from([1.0, 0.33, 0.5, 2.0, 0.66]), min_size=1, max_size=5),
    st.sampled_from([0.02, 0.05, 0.1]),
    st.integers(4, 12),
)
@settings(max_examples=40)
def test_stretches_are_a_partition_with_steps_of_a_quarter(paces, interval, seconds):
    t, lengths = paced(*((seconds, pace) for pace in paces), interval=interval)
    found = split_stretches(timeline(t, lengths))
    assert [part.first for part in found[1:]] == [part.stop for part in found[:-1]]
    assert (found[0].first, found[-1].stop) == (0, len(t))
    assert len(found) <= 1 + sum(a != b for a, b in pairwise(paces))
    for left, right in pairwise(found):
        assert abs(np.log(left.speed.ratio / right.speed.ratio)) >= np.log(1.25)


def muted(t, *gaps):
    t = t.copy()
    for at, length in gaps:
        t[t >= at] += length
    return t


RNG = np.random.default_rng(5)
STEADY = {
    "plain": (steady(60), 0.1),
    "jitter": (np.sort(steady(60) + RNG.uniform(0, 0.2, 600)), 0.1),
    "frames of any length": (np.cumsum(lengths := RNG.uniform(0.02, 0.2, 400)), lengths),
    "frames that become longer at one pace": (np.concatenate([steady(20, 0.02), 20 + steady(20, 0.2)]),
                                              np.r_[np.full(1000, 0.02), np.full(100, 0.2)]),
    "mutes": (muted(steady(60), (10, 5), (20, 30), (41, 2)), 0.1),
    "a pause after every word": (muted(steady(60), *((2 * i, 1.5) for i in range(30, 0, -1))), 0.1),
    "a stall that is caught up": (np.where((steady(60) > 20) & (steady(60) < 24), 24, steady(60)), 0.1),
    "a start burst": (np.where(steady(60) < 2, steady(60) / 10, steady(60)), 0.1),
    "a block of silence": (muted(steady(60), (30, 5)), np.where(np.arange(600) == 300, 5.1, 0.1)),
    "zeros every 5 s while muted": (
        np.sort(np.r_[steady(20), 25 + 5 * np.arange(6).repeat(5) + np.tile(np.arange(5) * 0.02, 6), 56 + steady(20)]),
        0.1,
    ),
    "batches": (np.repeat(steady(60, 1.0), 10), 0.1),
    "ten times realtime": (steady(60) / 10, 0.1),
    "few": (steady(1.5), 0.1),
}  # fmt: skip


@pytest.mark.parametrize("name", STEADY)
def test_a_client_of_one_pace_has_one_stretch(name):
    assert len(split_stretches(timeline(*STEADY[name]))) == 1


def test_without_frames_there_is_none():
    assert split_stretches(timeline([])) == []


OPEN_TURN = turn(1.0, *["And so"] * 30)
S48 = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=48000"


def changing(*parts):
    t, lengths = paced(*parts)
    return session(t, lengths * 6, events=OPEN_TURN, url=S48)  # the builder counts 8000 bytes a second


def test_pace_chunks_and_delay_are_told_by_stretch():
    found = {check.id: check for check in report(changing((6, 1), (9, 1 / 3))).checks}
    assert found["pacing"].findings[0].cause == "pacing.too-slow"
    assert "1.00 times realtime at first, 0.33 from 6.0 s on" in found["pacing"].answer
    assert [(s["from_s"], s["speed"], s["chunk_ms"]) for s in found["pacing"].measurements["stretches"]] == [
        (0.0, pytest.approx(1, rel=0.01), 100.0),
        (6.0, pytest.approx(1 / 3, rel=0.01), pytest.approx(33.333, abs=0.05)),
    ]
    assert found["pacing"].findings[0].evidence[0].t == 6.0
    assert found["chunking"].answer == "Chunks last 100 ms at first, 33.3 ms from 6.0 s on."
    assert "from 6.0 s on" in found["latency"].findings[0].summary


def test_without_sound_the_pace_alone_tells_that_the_rate_changes():
    (first, *rest) = report(changing((6, 1), (9, 1 / 3))).diagnoses
    assert (first.cause, first.status, first.confidence) == ("sample-rate.changed", "fail", 0.65)
    assert "48000 Hz at first and 16000 Hz" in first.summary and "6.0 s" in first.summary
    assert {"pacing.too-slow", "latency.backlog"} <= set(first.explains)
    assert [d for d in rest if d.cause.startswith(("pacing", "latency", "chunking"))] == []


def test_a_rate_that_changes_back_is_shown_at_both_places():
    (finding,) = report(changing((6, 1), (6, 1 / 3), (8, 1)), "sample-rate").checks[0].findings
    assert [e.t for e in finding.evidence] == [6.0, 12.0]


def test_a_pace_of_no_rate_is_a_matter_of_pacing():
    t, lengths = paced((20, 1), (20, 0.7))
    found = causes(session(t, lengths * 6, url=S48))
    assert found["pacing.too-slow"] == "fail" and "sample-rate.changed" not in found


def test_long_chunks_in_one_stretch_are_told_with_their_time():
    t, lengths = paced((6, 1), (9, 4))
    (result,) = report(session(t, lengths * 6, url=S48), "chunking").checks
    assert result.findings[0].cause == "chunking.too-large" and "400 ms from 6.0 s on" in result.answer

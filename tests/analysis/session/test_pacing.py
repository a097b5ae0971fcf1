import numpy as np
import pytest
from builders import steady, timeline
from hypothesis import example, given
from hypothesis import strategies as st

from sttdoctor.analysis.session import pacing
from sttdoctor.analysis.session.pacing import find_pauses, find_rhythm
from sttdoctor.analysis.session.timeline import Timeline

LIMITS = (1.1, 2.0, 1.5)


def waiting(line):
    return pacing.measure_waiting(line, *LIMITS)


@pytest.mark.parametrize("ratio", [0.5, 0.75, 1.0, 1.25, 1.6, 2.756])
def test_speed_of_a_steady_client_is_exact(ratio):
    found = pacing.measure_speed(timeline(steady(12) / ratio))
    assert found is not None
    assert found.ratio == pytest.approx(ratio, rel=1e-3)
    assert found.spread < 0.01


@pytest.mark.parametrize("chunk_s", [0.02, 0.1, 0.2])
def test_jitter_hardly_moves_the_speed_and_makes_no_backlog(chunk_s):
    rng = np.random.default_rng(1)
    t = steady(20, chunk_s)
    line = timeline(np.sort(t + rng.uniform(-0.08, 0.08, len(t))), chunk_s)
    assert pacing.measure_speed(line).ratio == pytest.approx(1.0, rel=0.01)
    assert waiting(line).max() < 0.6
    assert pacing.find_holes(line) == []


@pytest.mark.parametrize(("seconds", "measured_s"), [(3.0, 2.9), (4.6, 4.5), (4.7, 3.0), (10.0, 8.3)])
def test_the_start_is_left_out_where_three_times_as_much_is_there(seconds, measured_s):
    """The frames of the first 1.5 s; that at 1.5 s is the last of them."""
    assert pacing.measure_speed(timeline(steady(seconds))).seconds == pytest.approx(measured_s)


def test_speed_ignores_holes_bursts_and_catching_up():
    t = steady(20)
    t[50:] += 3  # a hole
    t[120:] = np.maximum(t[120:], t[120] + 2.5)  # a stall that catches up
    assert pacing.measure_speed(timeline(t)).ratio == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize("seconds", [4.0, 4.8, 6.0])
@pytest.mark.parametrize("at", [0.3, 1.3, 1.8])
@pytest.mark.parametrize("missing", [1.3, 1.6])
@pytest.mark.parametrize("chunk_s", [0.02, 0.1, 0.25])
def test_what_makes_up_for_a_stall_in_a_short_session_is_no_pace(seconds, at, missing, chunk_s):
    t = steady(seconds, chunk_s)
    line = timeline(np.where((t > at) & (t < at + missing), at + missing, t), chunk_s)
    found = pacing.measure_speed(line)
    assert found is not None and found.ratio == pytest.approx(1.0, abs=0.06)
    assert [hole.filled for hole in pacing.find_holes(line, found.ratio)] == [True]


def test_speed_of_a_client_that_sends_in_batches():
    t = np.repeat(np.arange(12.0), 10) + np.tile(np.arange(10) * 0.001, 12)
    assert pacing.measure_speed(timeline(t)).ratio == pytest.approx(1.0, rel=0.02)


@pytest.mark.parametrize("t", [[], [0.0], [0.0, 0.1, 0.2], [1.0] * 50])
def test_speed_of_too_little_is_none(t):
    assert pacing.measure_speed(timeline(t)) is None


@pytest.mark.parametrize(("frames", "expected"), [(10, None), (11, 1.0)])
def test_a_second_shows_a_speed(frames, expected):
    found = pacing.measure_speed(timeline(steady(frames / 10)))
    assert (found and found.ratio) == (expected and pytest.approx(expected))


def test_a_hole_that_is_never_filled():
    t = steady(10)
    t[50:] += 3
    (hole,) = pacing.find_holes(timeline(t))
    assert hole.length_s == pytest.approx(3.0)
    assert (hole.filled, hole.index) == (False, 50)


def test_a_hole_that_is_caught_up():
    t = np.maximum(steady(10), np.where((steady(10) > 4) & (steady(10) < 6.5), 6.5, 0))
    (hole,) = pacing.find_holes(timeline(t))
    assert hole.filled
    assert hole.length_s == pytest.approx(2.4, abs=0.11)


def test_a_hole_that_is_filled_by_one_block_of_silence():
    t, audio_s = steady(10), np.full(100, 0.1)
    t[50:] += 3
    audio_s[50] = 3.0
    (hole,) = pacing.find_holes(timeline(t, audio_s))
    assert hole.filled and hole.length_s == pytest.approx(3.0)


def test_a_hole_that_the_last_block_fills():
    t = np.append(steady(5), 8.0)
    (hole,) = pacing.find_holes(timeline(t, [*[0.1] * 50, 3.1]))
    assert (hole.filled, hole.caught_up) == (True, 50)


@pytest.mark.parametrize(("later", "filled"), [(8.5, True), (9.5, False)])
def test_what_comes_long_after_a_hole_does_not_fill_it(later, filled):
    """Twice its length and five seconds."""
    t = steady(30)
    t[50:] += 2
    first = round((5 + later) * 10)
    t[first : first + 25] = t[first]
    t[first + 25 :] -= 2.4
    (hole,) = pacing.find_holes(timeline(t))
    assert (hole.length_s, hole.filled) == (pytest.approx(2.0), filled)


def test_a_steady_client_with_a_wrong_declaration_has_no_holes():
    assert pacing.find_holes(timeline(steady(10), 0.025), speed=0.25) == []
    assert pacing.find_holes(timeline(steady(10), 0.025)) == []


def test_a_start_burst_never_counts():
    t = np.concatenate([np.zeros(20), np.arange(1, 81) * 0.1])
    assert waiting(timeline(t)).max() <= 0.2


def test_a_start_burst_beyond_the_allowance_counts_for_the_rest():
    assert waiting(timeline(np.zeros(100))).max() == pytest.approx(8.0)


def test_a_second_burst_counts_after_a_start_burst():
    t = np.concatenate([np.zeros(20), np.arange(1, 41) * 0.1, np.full(50, 4.0)])
    assert waiting(timeline(t)).max() == pytest.approx(4.8, abs=0.3)


def test_clock_drift_never_fills_the_bucket():
    assert waiting(timeline(steady(3600) / 1.001)).max() < 0.2


def test_long_chunks_at_realtime_do_not_wait():
    assert waiting(timeline(np.arange(6) * 2.0, 2.0)).max() == 0


def test_a_burst_is_sudden_and_a_fast_client_is_not():
    t = steady(10)
    t[50:] = t[50] + np.arange(50) * 0.01
    line = timeline(t)
    (backlog,) = pacing.find_backlogs(line, waiting(line), 1.0)
    assert backlog.sudden
    assert backlog.seconds == pytest.approx(4.4, abs=0.3)
    line = timeline(steady(30) / 1.6)
    (backlog,) = pacing.find_backlogs(line, waiting(line), 1.0)
    assert not backlog.sudden


@given(st.lists(st.tuples(st.floats(0, 5) | st.just(1e11), st.floats(0, 5)), max_size=60))
def test_nothing_raises_and_waiting_audio_is_never_negative_nor_more_than_was_sent(steps):
    t = np.cumsum([gap for gap, _ in steps])
    audio_s = [length for _, length in steps]
    line = timeline(t, audio_s)
    level = waiting(line)
    assert (level >= 0).all()
    digit_s = np.spacing(t.max(initial=1.0))  # the last one of a time: a clock may count from anywhere
    assert (level <= np.cumsum(audio_s) + 1e-9 + 4 * digit_s).all()
    pacing.measure_speed(line)
    pacing.find_holes(line)
    for backlog in pacing.find_backlogs(line, level, 1.0):
        sent = sum(audio_s[backlog.first : backlog.peak + 1])
        assert backlog.first <= backlog.peak and sent + backlog.before_s >= backlog.seconds - 1e-3


@pytest.mark.parametrize("chunk_s", [0.02, 0.1, 0.3])
def test_a_backlog_begins_with_the_first_frame_of_the_burst(chunk_s):
    t = steady(12, chunk_s)
    start = round(6 / chunk_s)
    burst = round(4.5 / chunk_s)
    t[start : start + burst] = t[start]
    t[start + burst :] -= (burst - 1) * chunk_s
    line = timeline(t, chunk_s)
    (backlog,) = pacing.find_backlogs(line, waiting(line), 1.0)
    assert (backlog.first, backlog.peak) == (start, start + burst - 1)
    assert backlog.before_s == pytest.approx(0, abs=1e-6) and backlog.seconds == pytest.approx(burst * chunk_s)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [([0, 9, 1, 2, 9, 3, 2, 2, 9], 7), ([0, 0, 1, 9], 1), ([0, 9, 1, 9, 5, 9], 4), ([0, 9, 9, 6], 0)],
)
def test_a_backlog_begins_at_the_lowest_place_after_the_last_one(ahead, expected):
    assert pacing._find_last_lowest(np.array(ahead, dtype=float), 5.0) == expected


def test_nothing_waits_where_nothing_was_sent():
    assert waiting(timeline([])).shape == (0,)
    assert pacing.find_backlogs(timeline([]), np.empty(0), 1.0) == []


def test_what_waited_before_a_second_burst_is_told_apart():
    t = steady(30)
    t[50:70] = t[50]
    t[70:] -= 2
    t[200:240] = t[200]
    t[240:] -= 4
    line = timeline(t)
    first, second = pacing.find_backlogs(line, waiting(line), 1.0)
    assert (first.first, second.first) == (50, 200)
    assert second.before_s == pytest.approx(0.7, abs=0.3)
    assert second.seconds == pytest.approx(4 + second.before_s, abs=0.11)


@example(0.7)
@given(st.floats(-1e6, 1e6))
def test_a_shift_in_time_changes_nothing(shift):
    t = steady(8)
    t[40:] += 2
    assert [h.filled for h in pacing.find_holes(timeline(t + shift))] == [False]
    assert waiting(timeline(t + shift)) == pytest.approx(waiting(timeline(t)), abs=1e-6)


def line(t, audio_s=0.1):
    count = len(t)
    return Timeline(np.array(t, float), np.full(count, audio_s), np.full(count, 3200), np.arange(count) + 1)


def beats(period, count, frames=1, start=8.0):
    return [start + period * beat + 0.001 * i for beat in range(count) for i in range(frames)]


def test_a_timer_that_fires_once_a_second_is_told_with_its_beginning_and_count():
    found = find_rhythm(line([0.1 * i for i in range(80)] + beats(1.0, 20, start=9.0)))
    assert (found.period_s, found.count, found.frames) == (pytest.approx(1.0), 20, 1)
    assert (found.since_s, found.line) == (9.0, 81)


@given(st.floats(0.5, 70), st.integers(6, 40), st.integers(1, 12))
def test_any_steady_beat_is_found_whatever_it_brings(period, count, frames):
    found = find_rhythm(line(beats(period, count, frames)))
    assert found.period_s == pytest.approx(period, rel=0.05) and found.frames == frames
    assert found.count in (count, count - 1)  # the first one ends no pause


@pytest.mark.parametrize(
    "t",
    [
        [0.1 * i for i in range(200)],  # its own pace
        [0.1 * i + 3 * (i > 50) + 5 * (i > 90) + 2 * (i > 120) for i in range(200)],  # a few pauses
        np.cumsum(np.random.default_rng(4).uniform(0.5, 0.9, 60)),  # a starved sender: no timer
        [1.0, 2.0, 3.0],
        [],
    ],
)
def test_without_a_steady_beat_there_is_none(t):
    assert find_rhythm(line(t)) is None


def test_long_frames_have_their_own_pace():
    assert find_rhythm(line([0.5 * i for i in range(60)], audio_s=0.5)) is None


def paused(count=8, every=25, length_s=0.16):
    """Frames of 20 ms with a pause behind every so many of them."""
    t = steady(count * every * 0.02, 0.02)
    return timeline(t + length_s * (np.arange(len(t)) // every), 0.02)


def test_pauses_that_nothing_makes_up_for_explain_slow_audio():
    found = find_pauses(paused())
    assert found is not None
    assert found.after == tuple(range(24, 199, 25))[: len(found.after)] and len(found.after) == 7
    assert found.usual_s == pytest.approx(0.16, abs=0.005)


@pytest.mark.parametrize(
    "line",
    [
        timeline(steady(8, 0.02) / 0.8, 0.02),  # slow everywhere
        timeline(np.floor(steady(8, 0.02) / 0.2) * 0.2, 0.02),  # sent in lumps
        paused(count=3),
        timeline(steady(8, 0.02), 0.02),
    ],
)
def test_slow_everywhere_made_up_for_or_rare_is_no_pause(line):
    assert find_pauses(line) is None


@given(st.lists(st.floats(0, 5), min_size=0, max_size=60), st.floats(0.005, 0.3))
def test_pauses_stand_between_frames_and_last_longer_than_one(steps, chunk_s):
    line = timeline(np.cumsum(steps), chunk_s)
    found = find_pauses(line)
    if found is not None:
        assert all(0 <= i < len(line) - 1 for i in found.after)
        assert found.usual_s > 1.5 * chunk_s

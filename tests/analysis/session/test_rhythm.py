import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.session.rhythm import find_rhythm
from sttdoctor.analysis.session.timeline import Timeline


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

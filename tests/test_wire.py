import numpy as np
import pytest
from builders import steady, timeline

from sttdoctor.analysis import wire
from sttdoctor.analysis.pacing import Speed
from sttdoctor.encodings import STANDARD_RATES


def likelihood(ratio, declared_rate=16000, seconds=10.0, spread=0.005):
    return wire.rate_likelihood(Speed(ratio, seconds, spread), STANDARD_RATES, declared_rate * 2, 2)


@pytest.mark.parametrize(("true", "declared"), [(24000, 16000), (48000, 16000), (8000, 16000), (16000, 24000)])
def test_a_ratio_of_two_rates_names_the_true_one(true, declared):
    seen = likelihood(true / declared, declared)
    assert max(seen, key=seen.get) == true
    assert seen[true] > 20 * seen[declared]


def test_realtime_speaks_for_the_declared_rate_but_only_a_little():
    seen = likelihood(1.0)
    assert max(seen, key=seen.get) == 16000
    assert seen[16000] < 4 * seen[24000]  # a file paced by its declaration looks the same


def test_neighbours_are_told_apart_by_a_long_steady_stream_only():
    seen = likelihood(24000 / 22050, 22050)
    assert seen[24000] > 20 * seen[22050]
    assert set(likelihood(24000 / 22050, 22050, seconds=4.0).values()) == {1.0}


def test_an_unsteady_pace_says_nothing():
    assert set(likelihood(1.5, spread=0.3).values()) == {1.0}


@pytest.mark.parametrize(("ratio", "expected"), [(1.505, 1.5), (2.0, 2.0), (1.6, None), (1.0, None), (0.333, 1 / 3)])
def test_format_ratio(ratio, expected):
    assert wire.format_ratio(Speed(ratio, 10, 0.005)) == (pytest.approx(expected) if expected else None)


def test_a_change_of_pace_is_located():
    t = steady(12)
    line = timeline(t, np.where(t < 6, 0.3, 0.1))
    index, before, after = wire.pace_change(line)
    assert abs(index - 60) <= 1
    assert (before, after) == (pytest.approx(3, rel=0.02), pytest.approx(1, rel=0.02))


def test_a_change_of_pace_is_located_by_the_length_of_frames_even_when_times_are_rough():
    rng = np.random.default_rng(3)
    t = np.sort(steady(20) + rng.exponential(0.05, 200))
    t[100:] += 0.4  # the switch takes a moment
    line = timeline(t, np.where(np.arange(200) < 100, 0.3, 0.1))
    index, before, after = wire.pace_change(line)
    assert index == 100
    assert before / after == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("hole", [0, 3])
def test_a_steady_client_with_or_without_a_hole_has_no_change(hole):
    t = steady(12)
    t[60:] += hole
    assert wire.pace_change(timeline(t)) is None

import numpy as np
import pytest
from builders import steady, timeline

from sttdoctor.analysis.rate import byte_rate
from sttdoctor.analysis.session.pacing import Speed
from sttdoctor.analysis.session.stretches import stretches
from sttdoctor.encodings import STANDARD_RATES


def pace_change(line):
    """(index, pace before, pace after) of the only change of pace, None where there is none."""
    parts = stretches(line)
    if len(parts) == 1:
        return None
    before, after = parts
    return after.first, before.speed.ratio, after.speed.ratio


def likelihood(ratio, declared_rate=16000, seconds=10.0, spread=0.005):
    return byte_rate.rate_likelihood(Speed(ratio, seconds, spread), STANDARD_RATES, declared_rate * 2, 2)


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
    assert byte_rate.format_ratio(Speed(ratio, 10, 0.005)) == (pytest.approx(expected) if expected else None)


def test_a_change_of_pace_is_located():
    t = steady(12)
    line = timeline(t, np.where(t < 6, 0.3, 0.1))
    index, before, after = pace_change(line)
    assert abs(index - 60) <= 1
    assert (before, after) == (pytest.approx(3, rel=0.02), pytest.approx(1, rel=0.02))


def test_a_change_of_pace_is_located_by_the_length_of_frames_even_when_times_are_rough():
    rng = np.random.default_rng(3)
    t = np.sort(steady(20) + rng.exponential(0.05, 200))
    t[100:] += 0.4  # the switch takes a moment
    line = timeline(t, np.where(np.arange(200) < 100, 0.3, 0.1))
    index, before, after = pace_change(line)
    assert index == 100
    assert before / after == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("hole", [0, 3])
def test_a_steady_client_with_or_without_a_hole_has_no_change(hole):
    t = steady(12)
    t[60:] += hole
    assert pace_change(timeline(t)) is None


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Speed(1.0, 8.0, 0.01), True),
        (Speed(1.0, 7.9, 0.01), False),
        (Speed(1.0, 8.0, 0.011), False),
        (Speed(0.92, 3.0, 0.04), False),
        (Speed(1.09, 3.0, 0.04), False),
        (Speed(1.5, 3.0, 0.04), True),
        (Speed(0.5, 3.0, 0.04), True),
        (Speed(1.5, 2.9, 0.04), False),
        (Speed(1.5, 3.0, 0.041), False),
    ],
)
def test_when_a_pace_is_steady(measured, expected):
    assert byte_rate.is_steady(measured) is expected


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (1.5 * 1.019, 1.5),
        (1.5 * 0.981, 1.5),
        (1.5 * 1.021, None),
        (24 / 22.05 * 1.009, 24 / 22.05),
        (24 / 22.05 * 0.985, None),
        (44.1 / 16, 44.1 / 16),
        (16 / 44.1, 16 / 44.1),
        (0.25, 0.25),
        (3.0, 3.0),
    ],
)
def test_how_near_a_ratio_of_two_formats_must_be(ratio, expected):
    assert byte_rate.format_ratio(Speed(ratio, 10, 0.005)) == expected


@pytest.mark.parametrize(
    "ratio",
    [
        *(8 / 32, 16 / 48, 16 / 44.1, 8 / 16, 16 / 24, 8 / 11.025, 22.05 / 24),
        *(24 / 22.05, 32 / 24, 44.1 / 32, 24 / 16, 16 / 8, 44.1 / 16, 48 / 16),
    ],
)
def test_each_ratio_of_two_common_rates_is_known(ratio):
    assert byte_rate.format_ratio(Speed(ratio, 10, 0.005)) == pytest.approx(ratio, rel=1e-9)


def test_the_likelihood_is_a_mixture_of_what_sets_the_pace():
    """The live bell at its top is 0.6 / (width sqrt(2 pi)); what is left for every other rate is the rest."""
    top = 1 / (0.01 * np.sqrt(2 * np.pi))
    rest = 0.02 * top + 0.08 / (2 * np.log(4))
    seen = likelihood(1.5)
    assert seen[24000] == pytest.approx(0.6 * top + rest)
    assert seen[8000] == pytest.approx(rest)
    narrow = likelihood(1.0)
    assert narrow[16000] == pytest.approx(0.92 * 2 * top + 0.08 / (2 * np.log(4)))
    assert narrow[8000] == pytest.approx(0.32 * 2 * top + 0.08 / (2 * np.log(4)))
    # one width off the top the bell has exp(-0.5) of its height
    off = likelihood(1.5 * np.exp(0.01))
    assert off[24000] == pytest.approx(0.6 * top * np.exp(-0.5) + rest)


def test_the_bytes_of_a_sample_count():
    seen = byte_rate.rate_likelihood(Speed(2.0, 10, 0.005), STANDARD_RATES, 32000, 4)
    assert max(seen, key=seen.get) == 16000


def paced(first, second, factor):
    """A pace of 1 for some seconds, then another, by the length of frames."""
    t = steady(first + second)
    return timeline(t, np.where(t < first - 1e-9, 0.1, 0.1 * factor))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (paced(6, 6, 1.24), None),
        (paced(6, 6, 1.26), 60),
        (paced(6, 6, 1 / 1.26), 60),
        (paced(6, 6, 1 / 1.24), None),
        (paced(6, 2.9, 2.0), None),
        (paced(6, 3.2, 2.0), 60),
        (paced(2.9, 6, 2.0), None),
        (paced(3.2, 6, 2.0), 32),
    ],
)
def test_both_paces_last_three_seconds_and_differ_by_a_quarter(line, expected):
    found = pace_change(line)
    assert (found[0] if found else None) == expected


def test_few_frames_have_no_change():
    t = np.arange(19) * 0.6
    assert pace_change(timeline(t, np.where(t < 5, 0.6, 1.8))) is None
    t = np.arange(40) * 0.6
    assert pace_change(timeline(t, np.where(t < 12, 0.6, 1.8)))[0] == 20


@pytest.mark.parametrize("start", [0.0, 1000.0])
def test_a_change_of_pace_with_frames_of_one_length_is_located_by_the_clock(start):
    t = start + np.concatenate([steady(8), 8 + np.arange(100) * 0.05])
    index, before, after = pace_change(timeline(t))
    assert abs(index - 80) <= 1
    assert (before, after) == (pytest.approx(1, rel=0.02), pytest.approx(2, rel=0.02))

import numpy as np
import pytest
from builders import steady, timeline
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.rate import evidence
from sttdoctor.analysis.rate.changes import MOST_PARTS, find_change_by_sound, have_same_rate, hear_parts
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.analysis.rate.evidence import Flow, list_most_probable, weigh_evidence
from sttdoctor.analysis.session.pacing import Speed
from sttdoctor.analysis.session.stretches import split_stretches
from sttdoctor.encodings import STANDARD_RATES

FLOW = Flow(Speed(1.5, 30.0, 0.001), 32000.0, 2)


def heard(rate, sure=0.97, speech_s=8.0):
    rest = (1 - sure) / (len(STANDARD_RATES) - 1)
    return RateEstimate({other: sure if other == rate else rest for other in STANDARD_RATES}, speech_s, 0.99)


def test_a_steady_byte_rate_implies_a_rate_and_a_speed():
    assert FLOW.find_implied_rate(STANDARD_RATES) == 24000
    assert FLOW.find_true_speed([24000, 16000]) == pytest.approx(1.0)
    assert FLOW.find_true_speed([0]) is None
    assert Flow(Speed(1.5, 30.0, 0.5), 32000.0, 2).find_implied_rate(STANDARD_RATES) is None


def test_sound_and_wire_are_multiplied():
    flat = dict.fromkeys(STANDARD_RATES, 1 / len(STANDARD_RATES))
    assert weigh_evidence(None, None, STANDARD_RATES) is None
    assert weigh_evidence(flat, None, STANDARD_RATES) == flat
    both = weigh_evidence(flat, FLOW, STANDARD_RATES)
    assert sum(both.values()) == pytest.approx(1) and max(both, key=both.get) == 24000
    assert weigh_evidence(heard(16000).probabilities, FLOW, STANDARD_RATES)[16000] > both[16000]


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=9), st.floats(0.1, 0.99))
def test_the_most_probable_hold_the_mass_and_no_fewer_do(weights, mass):
    shares = dict(enumerate(np.array(weights) / sum(weights)))
    chosen = list_most_probable(shares, mass)
    assert sum(shares[rate] for rate in chosen) >= mass - 1e-9
    assert sum(shares[rate] for rate in chosen[:-1]) < mass


def test_the_most_probable_come_first():
    shares = {8000: 0.02, 22050: 0.40, 24000: 0.56, 48000: 0.02}
    assert list_most_probable(shares) == [24000, 22050]
    assert list_most_probable(shares, 0.5) == [24000]


def test_one_rate_is_one_that_all_parts_are_sure_of():
    assert have_same_rate([heard(16000)] * 4)
    assert not have_same_rate([heard(16000), heard(16000, 0.6)])
    assert not have_same_rate([heard(16000), heard(16000, speech_s=0.2)])
    assert not have_same_rate([])


def listened(sounds):
    """What is heard of parts of 100 bytes each, and which of them were listened to, and which of these quickly."""
    full, quick = [], []

    def listener(asked):
        def sound_of(first, _):
            asked.append(first // 100)
            return sounds[first // 100]

        return sound_of

    parts = [(100 * i, 100 * i + 100) for i in range(len(sounds))]
    return hear_parts(parts, listener(full), listener(quick)), full, quick


@pytest.mark.parametrize("count", range(2, MOST_PARTS + 1))
def test_of_one_rate_a_few_parts_are_heard(count):
    parts, full, quick = listened([heard(16000)] * count)
    chosen = [0, 2, 5, 7] if count == MOST_PARTS else [0, count - 1]
    assert [first for first, _ in parts] == [100 * i for i in chosen]
    assert (full, sorted(quick)) == ([], chosen)


def test_a_silent_part_hands_on_to_its_neighbour():
    silent = heard(16000, speech_s=0.2)
    parts, full, quick = listened([silent, heard(16000), heard(16000), heard(16000), silent, silent])
    assert (full, quick) == ([], [0, 1, 5, 4, 3])
    assert [first for first, _ in parts] == [0, 100, 300, 400, 500]
    assert listened([silent]) == ([], [], [])


def test_parts_that_are_not_sure_of_one_rate_are_all_heard_in_full():
    parts, full, _ = listened([heard(16000), heard(16000), heard(48000)])
    assert len(parts) == 3 and full == [0, 1, 2]
    parts, full, _ = listened([heard(16000, 0.5)] * MOST_PARTS)
    assert len(parts) == MOST_PARTS and full == list(range(MOST_PARTS))


@given(
    st.integers(2, MOST_PARTS).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.lists(st.sampled_from([0.2, 8.0]), min_size=n, max_size=n))
    )
)
def test_few_parts_never_hide_a_change_for_good(change):
    border, speech = change
    sounds = [heard(48000 if i >= border else 16000, speech_s=s) for i, s in enumerate(speech)]
    told = find_change_by_sound([(100 * i, sound) for i, sound in enumerate(sounds)])
    assert find_change_by_sound(listened(sounds)[0]) == told


def test_few_of_eight_parts_never_hide_a_change_for_a_while():
    for first in range(8):
        for last in range(first + 1, 9):
            sounds = [heard(48000 if first <= i < last else 16000) for i in range(8)]
            told = find_change_by_sound([(100 * i, sound) for i, sound in enumerate(sounds)])
            assert find_change_by_sound(listened(sounds)[0]) == told


def pace_change(line):
    """(index, pace before, pace after) of the only change of pace, None where there is none."""
    parts = split_stretches(line)
    if len(parts) == 1:
        return None
    before, after = parts
    return after.first, before.speed.ratio, after.speed.ratio


def likelihood(ratio, declared_rate=16000, seconds=10.0, spread=0.005):
    return evidence.weigh_byte_rate(Speed(ratio, seconds, spread), STANDARD_RATES, declared_rate * 2, 2)


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
    assert evidence.format_ratio(Speed(ratio, 10, 0.005)) == (pytest.approx(expected) if expected else None)


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
    assert evidence.is_steady(measured) is expected


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
    assert evidence.format_ratio(Speed(ratio, 10, 0.005)) == expected


@pytest.mark.parametrize(
    "ratio",
    [
        *(8 / 32, 16 / 48, 16 / 44.1, 8 / 16, 16 / 24, 8 / 11.025, 22.05 / 24),
        *(24 / 22.05, 32 / 24, 44.1 / 32, 24 / 16, 16 / 8, 44.1 / 16, 48 / 16),
    ],
)
def test_each_ratio_of_two_common_rates_is_known(ratio):
    assert evidence.format_ratio(Speed(ratio, 10, 0.005)) == pytest.approx(ratio, rel=1e-9)


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
    seen = evidence.weigh_byte_rate(Speed(2.0, 10, 0.005), STANDARD_RATES, 32000, 4)
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

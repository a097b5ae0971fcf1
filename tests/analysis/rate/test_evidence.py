import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.rate.changes import MOST_PARTS, change_by_sound, hear_parts, same_rate
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.analysis.rate.evidence import Flow, most_probable, weighed
from sttdoctor.analysis.session.pacing import Speed
from sttdoctor.encodings import STANDARD_RATES

FLOW = Flow(Speed(1.5, 30.0, 0.001), 32000.0, 2)


def heard(rate, sure=0.97, speech_s=8.0):
    rest = (1 - sure) / (len(STANDARD_RATES) - 1)
    return RateEstimate({other: sure if other == rate else rest for other in STANDARD_RATES}, speech_s, 0.99)


def test_a_steady_byte_rate_implies_a_rate_and_a_speed():
    assert FLOW.implied_rate(STANDARD_RATES) == 24000
    assert FLOW.true_speed([24000, 16000]) == pytest.approx(1.0)
    assert FLOW.true_speed([0]) is None
    assert Flow(Speed(1.5, 30.0, 0.5), 32000.0, 2).implied_rate(STANDARD_RATES) is None


def test_sound_and_wire_are_multiplied():
    flat = dict.fromkeys(STANDARD_RATES, 1 / len(STANDARD_RATES))
    assert weighed(None, None, STANDARD_RATES) is None
    assert weighed(flat, None, STANDARD_RATES) == flat
    both = weighed(flat, FLOW, STANDARD_RATES)
    assert sum(both.values()) == pytest.approx(1) and max(both, key=both.get) == 24000
    assert weighed(heard(16000).probabilities, FLOW, STANDARD_RATES)[16000] > both[16000]


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=9), st.floats(0.1, 0.99))
def test_the_most_probable_hold_the_mass_and_no_fewer_do(weights, mass):
    shares = dict(enumerate(np.array(weights) / sum(weights)))
    chosen = most_probable(shares, mass)
    assert sum(shares[rate] for rate in chosen) >= mass - 1e-9
    assert sum(shares[rate] for rate in chosen[:-1]) < mass


def test_the_most_probable_come_first():
    shares = {8000: 0.02, 22050: 0.40, 24000: 0.56, 48000: 0.02}
    assert most_probable(shares) == [24000, 22050]
    assert most_probable(shares, 0.5) == [24000]


def test_one_rate_is_one_that_all_parts_are_sure_of():
    assert same_rate([heard(16000)] * 4)
    assert not same_rate([heard(16000), heard(16000, 0.6)])
    assert not same_rate([heard(16000), heard(16000, speech_s=0.2)])
    assert not same_rate([])


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
    told = change_by_sound([(100 * i, sound) for i, sound in enumerate(sounds)])
    assert change_by_sound(listened(sounds)[0]) == told


def test_few_of_eight_parts_never_hide_a_change_for_a_while():
    for first in range(8):
        for last in range(first + 1, 9):
            sounds = [heard(48000 if first <= i < last else 16000) for i in range(8)]
            told = change_by_sound([(100 * i, sound) for i, sound in enumerate(sounds)])
            assert change_by_sound(listened(sounds)[0]) == told

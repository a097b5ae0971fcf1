import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.pacing import Speed
from sttdoctor.analysis.rate import RateEstimate
from sttdoctor.analysis.rate_changes import change_by_sound, same_rate
from sttdoctor.analysis.rate_evidence import Flow, most_probable, weighed
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


def test_four_of_eight_parts_that_agree_stand_for_all():
    """A change that eight parts tell lasts for three of them, and then one of the four lies in it."""
    assert same_rate([heard(16000)] * 4)
    assert not same_rate([heard(16000), heard(16000, 0.6)])
    assert not same_rate([heard(16000), heard(16000, speech_s=0.2)])
    for first in range(8):
        for last in range(first + 1, 9):
            parts = [heard(48000 if first <= i < last else 16000) for i in range(8)]
            if change_by_sound(list(enumerate(parts))) is not None:
                assert not same_rate([parts[i] for i in (0, 2, 5, 7)])

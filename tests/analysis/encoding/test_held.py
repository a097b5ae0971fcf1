from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resonances import voice

from sttdoctor.analysis.encoding.held import find_held
from sttdoctor.encodings import STANDARD_RATES

SOUND = np.rint(voice(3.0) * 8000).astype(np.int16)


def held(over, under, phase=0):
    """Drawn out by `over / under`, each new sample the nearest one before it."""
    return SOUND[(np.arange(len(SOUND) * over // under - over) * under + phase) // over]


@pytest.mark.parametrize("times", [2, 3, 4, 6])
@pytest.mark.parametrize("phase", [0, 1])
def test_samples_that_stand_several_times_are_told(times, phase):
    assert find_held(held(times, 1, phase), 48000, STANDARD_RATES) == times


@pytest.mark.parametrize(("rate", "source"), [(48000, 32000), (24000, 16000), (44100, 16000), (16000, 11025)])
def test_rates_that_are_no_multiples_are_told(rate, source):
    ratio = Fraction(rate, source)
    assert find_held(held(*ratio.as_integer_ratio(), phase=5), rate, STANDARD_RATES) == ratio


@pytest.mark.parametrize("sound", [SOUND, np.rint(voice(3.0) * 3).astype(np.int16), np.repeat(SOUND[:40], 50)])
def test_sound_that_has_equal_neighbours_by_chance_is_left_alone(sound):
    assert find_held(sound, 16000, STANDARD_RATES) is None


@given(st.lists(st.integers(-3, 3), max_size=9000), st.sampled_from([None, 8000, 16000, 48000]))
def test_any_samples_are_answered(samples, rate):
    assert find_held(np.array(samples, np.int16), rate, STANDARD_RATES) is None or len(samples) > 8000

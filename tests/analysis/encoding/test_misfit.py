import numpy as np
import pytest
from buzz import RATE, voice
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.encoding.misfit import Misfit, find_misfit

VOICE = voice(4.0, rng=np.random.default_rng(7))
FINE = np.rint(VOICE * 0.5 * 2**23).astype(np.int64)
TIMES = np.arange(len(VOICE)) / RATE
HUMMED = np.rint(np.sin(2 * np.pi * 3 * TIMES) * np.sin(2 * np.pi * 500 * TIMES) * 2**20).astype(np.int64)
RNG = np.random.default_rng(2)


def codes(x):
    return np.rint(x).astype(np.int64)


def wrapped(x, bits=16):
    return (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


@pytest.mark.parametrize("bits", [16, 32])
def test_floats_that_are_cast_leave_nothing_but_their_peaks(bits):
    assert find_misfit(codes(VOICE), bits) == Misfit("cast", 1)


@pytest.mark.parametrize(("bits", "rest"), [(12, 1870), (12, 2048), (10, 512)])
def test_values_of_a_converter_count_from_zero(bits, rest):
    assert find_misfit(codes(VOICE * rest * 0.9 + rest), 16) == Misfit("converter", bits)


@pytest.mark.parametrize("low", [wrapped(HUMMED), wrapped(FINE << 8)])
def test_the_low_bits_of_wider_samples_are_told(low):
    assert find_misfit(low, 16) == Misfit("low bits", 16)


HISS = np.random.default_rng(5).normal(size=len(VOICE))
HUM = np.sin(2 * np.pi * 50 * TIMES)


@pytest.mark.parametrize(
    "healthy",
    [
        codes(30000 * VOICE),
        codes(200 * VOICE),
        codes(0.4 * HISS),  # a muted line
        codes(0.8 * HUM),
        codes(0.7 * HUM + 0.3 * HISS),
        codes(1500 * VOICE),  # quiet, and of few codes
        codes(4000 * VOICE + 2500),  # quiet, and off centre
        codes(100 * VOICE + 300),
        wrapped(codes(1.8 * 32767 * VOICE)),  # too loud, which is another fault
        codes(9000 * HISS).clip(-32768, 32767),
        RNG.integers(-32768, 32768, len(VOICE)),
        256 * codes(100 * VOICE),  # 8 bits at full scale
        np.zeros(len(VOICE), np.int64),
        np.full(len(VOICE), 2048),
        codes(VOICE[:300]),
    ],
)
def test_what_is_only_quiet_loud_off_centre_or_noise_is_no_misfit(healthy):
    assert find_misfit(healthy, 16) is None


@given(st.binary(max_size=8000))
def test_any_codes_are_answered(data):
    words = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int64)
    assert find_misfit(words, 16) is None or np.ptp(words) > 0

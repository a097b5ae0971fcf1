import numpy as np
import pytest

from sttdoctor.analysis.encoding.sample_scale import faint_factor, has_few_codes, is_low_end, loud_factor

FINE = np.rint(np.random.default_rng(1).laplace(0, 2e5, 9000))


@pytest.mark.parametrize(
    ("encoding", "codes"),
    [("pcm_s16le", 2.0**-15), ("pcm_s32le", 2.0**-31), ("pcm_f16le", 2.0**-24), ("pcm_f32le", 2.0**-149)],
)
def test_sound_of_fewer_than_64_codes_says_nothing(encoding, codes):
    assert has_few_codes(63 * codes, encoding) and not has_few_codes(65 * codes, encoding)


def test_floats_in_16_bit_units_are_far_beyond_full_scale():
    assert loud_factor(9.0, "pcm_f32le") == 1 / 32768
    assert loud_factor(7.0, "pcm_f32le") == loud_factor(9.0, "pcm_s16le") == 1.0


@pytest.mark.parametrize(
    ("peak", "encoding", "factor"),
    [
        (0.9 * 2**-16, "pcm_s32le", 2.0**16),
        (1.1 * 2**-16, "pcm_s32le", 2.0**8),
        (0.9 * 2**-8, "s32be", 2.0**8),
        (1.1 * 2**-8, "pcm_s32le", 1.0),
        (0.9 * 2**-15, "pcm_f32le", 2.0**15),
        (1.1 * 2**-15, "pcm_f32le", 1.0),
        (1e-6, "pcm_s16le", 1.0),
    ],
)
def test_how_faint_speech_came_to_be(peak, encoding, factor):
    assert faint_factor(peak, encoding) == factor


@pytest.mark.parametrize(
    ("samples", "encoding", "expected"),
    [
        (FINE, "pcm_s32le", True),
        (FINE, "pcm_s16le", False),
        (256 * np.rint(FINE / 256), "pcm_s32le", False),
        (np.rint(3276.7 * np.rint(FINE / 3276.7)), "pcm_s32le", False),
        (0 * FINE, "pcm_s32le", False),
    ],
)
def test_only_what_is_exact_to_the_last_bit_stands_at_the_low_end(samples, encoding, expected):
    assert is_low_end(samples / 2.0**31, encoding) == expected

import numpy as np
import pytest
from buzz import RATE, voice
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE
from sttdoctor.analysis.encoding.misfit import (
    Misfit,
    find_faint_factor,
    find_gap,
    find_loud_factor,
    find_misfit,
    has_few_codes,
    is_low_end,
)

VOICE = voice(4.0, rng=np.random.default_rng(7))
FINE = np.rint(VOICE * 0.5 * 2**23).astype(np.int64)
TIMES = np.arange(len(VOICE)) / RATE
HUMMED = np.rint(np.sin(2 * np.pi * 3 * TIMES) * np.sin(2 * np.pi * 500 * TIMES) * 2**20).astype(np.int64)
RNG = np.random.default_rng(2)

FAINT = np.rint(np.random.default_rng(1).laplace(0, 2e5, 9000))


def codes(x):
    return np.rint(x).astype(np.int64)


def wrapped(x, bits=16):
    return (x + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


@pytest.mark.parametrize("bits", [16, 32])
def test_floats_that_are_cast_leave_nothing_but_their_peaks(bits):
    assert find_misfit(codes(VOICE), bits) == Misfit("cast", 1)


@pytest.mark.parametrize(("bits", "rest"), [(12, 1870), (12, 2048), (10, 512)])
def test_values_of_a_converter_count_from_zero(bits, rest):
    found = find_misfit(codes(VOICE * rest * 0.9 + rest), 16)
    assert (found.kind, found.bits) == ("converter", bits) and abs(found.centre - rest) <= 1


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


@pytest.mark.parametrize(
    ("encoding", "codes"),
    [("pcm_s16le", 2.0**-15), ("pcm_s32le", 2.0**-31), ("pcm_f16le", 2.0**-24), ("pcm_f32le", 2.0**-149)],
)
def test_sound_of_fewer_than_64_codes_says_nothing(encoding, codes):
    assert has_few_codes(63 * codes, encoding) and not has_few_codes(65 * codes, encoding)


@pytest.mark.parametrize(("peak", "full"), [(100, 128), (300, 32768), (40000, 32768), (6e6, 2**23), (2e9, 2**31)])
def test_floats_in_the_units_of_integers_are_far_beyond_full_scale(peak, full):
    assert find_loud_factor(9.0, peak, "pcm_f32le") == 1 / full
    assert find_loud_factor(7.0, peak, "pcm_f32le") == find_loud_factor(9.0, peak, "pcm_s16le") == 1.0


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
    assert find_faint_factor(peak, encoding) == factor


@pytest.mark.parametrize(
    ("samples", "encoding", "expected"),
    [
        (FAINT, "pcm_s32le", True),
        (FAINT, "pcm_s16le", False),
        (256 * np.rint(FAINT / 256), "pcm_s32le", False),
        (np.rint(3276.7 * np.rint(FAINT / 3276.7)), "pcm_s32le", False),
        (0 * FAINT, "pcm_s32le", False),
    ],
)
def test_only_what_is_exact_to_the_last_bit_stands_at_the_low_end(samples, encoding, expected):
    assert is_low_end(samples / 2.0**31, encoding) == expected


def signed_sums(x):
    return x - 256 * ((x & 255) >= 128)


@pytest.mark.parametrize("level", [1500, 5000])
def test_low_bytes_that_were_added_with_a_sign_are_told(level):
    sound = codes(level * VOICE + 3 * HISS)
    assert find_misfit(sound, 16) is None
    assert find_misfit(signed_sums(sound), 16) == Misfit("signed sum", 16)


def in_law(x, table):
    """Sound as the codes of a law, decoded."""
    values = np.sort(np.rint(table * 32768).astype(np.int64))
    place = np.searchsorted((values[1:] + values[:-1]) / 2, x)
    return values[place]


@pytest.mark.parametrize(("table", "law"), [(ALAW_TABLE, "pcm_alaw"), (MULAW_TABLE, "pcm_mulaw")])
def test_a_table_that_leaves_out_a_segment_has_a_gap(table, law):
    sound = codes(9000 * VOICE + 30 * HISS)
    hot = np.where(np.abs(sound) < 256, sound, np.sign(sound) * np.maximum(2 * np.abs(sound), 768))
    assert find_gap(in_law(sound, table), law) is None
    found = find_gap(in_law(hot, table), law)
    assert found.kind == "gap" and 200 <= found.gap[0] <= 270 and 700 <= found.gap[1] <= 800


@pytest.mark.parametrize(
    "sound",
    [
        256 * codes(60 * VOICE),  # 8 bits before: gaps everywhere
        np.append(codes(4000 * VOICE), np.full(4000, -32124)),  # bytes of 0 for silence, which are full scale
        codes(9000 * VOICE) * (np.abs(VOICE) > 0.2),  # nothing but loud parts
        codes(50 * VOICE),
        codes(20000 * HUM),
        in_law(codes(9000 * VOICE + 30 * HISS), MULAW_TABLE),  # the other law's sizes
    ],
)
def test_sound_of_few_sizes_has_no_single_gap(sound):
    assert find_gap(in_law(sound, ALAW_TABLE), "pcm_alaw") is None

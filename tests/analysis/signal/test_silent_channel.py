import numpy as np
import pytest

from sttdoctor.analysis.signal.silent_channel import silent_side

SILENT = {"pcm_s16le": (0,), "pcm_mulaw": (0xFF, 0x7F), "pcm_alaw": (0xD5, 0x55)}
CASES = [(encoding, code) for encoding, codes in SILENT.items() for code in codes]


def stereo(encoding, code, side, count=1000, values=10):
    kind = "<i2" if encoding == "pcm_s16le" else "u1"
    pair = np.full((count, 2), code, dtype=kind)
    pair[:, 1 - side] = np.resize(np.arange(1, values + 1), count)
    return pair.reshape(-1).view(np.uint8)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("encoding", "code"), CASES)
def test_the_silent_side_is_named(encoding, code, side):
    assert silent_side(stereo(encoding, code, side), encoding) == side


@pytest.mark.parametrize(("encoding", "code"), CASES)
def test_one_sample_that_is_not_silent_is_enough(encoding, code):
    for place in (0, -4):  # the silent side of the first and of the last pair
        data = stereo(encoding, code, 0, count=1002)
        data[place if encoding == "pcm_s16le" or not place else -2] ^= 1
        assert silent_side(data, encoding) is None


@pytest.mark.parametrize(
    ("count", "values", "expected"), [(1000, 10, 1), (1000, 99, 1), (998, 10, None), (1000, 9, None)]
)
@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw"])
def test_enough_samples_and_enough_values(encoding, count, values, expected):
    assert silent_side(stereo(encoding, SILENT[encoding][0], 1, count, values), encoding) == expected


def test_the_two_silences_of_g711_do_not_mix_and_both_sides_silent_are_no_answer():
    data = stereo("pcm_mulaw", 0xFF, 0)
    data[0] = 0x7F
    assert silent_side(data, "pcm_mulaw") is None
    assert silent_side(np.full(4000, 0xFF, np.uint8), "pcm_mulaw") is None


@pytest.mark.parametrize("encoding", [None, "pcm_f32le", "pcm_s32le", "pcm_f16le"])
def test_for_other_encodings_the_question_does_not_arise(encoding):
    assert silent_side(stereo("pcm_s16le", 0, 1), encoding) is None


@pytest.mark.parametrize("rest", [1, 2, 3])
@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw"])
def test_a_rest_at_the_end_is_left_out(encoding, rest):
    data = stereo(encoding, SILENT[encoding][0], 1, count=1000)
    assert silent_side(np.concatenate([data, np.full(rest, 3, np.uint8)]), encoding) == 1


def test_four_mebibytes_are_read_and_no_more():
    data = np.zeros(4 << 20, np.uint8)
    data[2::4] = np.resize(np.arange(1, 11), 1 << 20)
    assert silent_side(np.concatenate([data, np.ones(64, np.uint8)]), "pcm_s16le") == 0
    data[-4] = 1
    assert silent_side(data, "pcm_s16le") is None

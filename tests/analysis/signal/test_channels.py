import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resonances import RATE, voice

from sttdoctor.analysis.signal.channels import MOST, Slot, count_channels, find_slot

VOICE = voice(3.0)
RNG = np.random.default_rng(3)


GAINS = (1.0, 0.5, 0.35, 0.45, 0.3, 0.4, 0.55, 0.25)

SILENT = {"pcm_s16le": (0,), "pcm_mulaw": (0xFF, 0x7F), "pcm_alaw": (0xD5, 0x55)}
CASES = [(encoding, code) for encoding, codes in SILENT.items() for code in codes]


def array(many):
    """An array of microphones: what the device made of it, then each, later by some samples, with noise of its own."""
    heard = [gain * np.roll(VOICE, k % 4) + RNG.normal(0, 3e-4, len(VOICE)) for k, gain in enumerate(GAINS[:many])]
    return np.stack(heard, axis=1).reshape(-1)


@pytest.mark.parametrize("many", range(1, MOST + 1))
def test_channels_of_an_array_are_counted(many):
    assert count_channels(array(many)) == many


@pytest.mark.parametrize("many", [2, 3, 6, 8])
def test_channels_of_other_speakers_and_dead_ones_are_counted(many):
    speakers = np.stack([voice(3.0, seed=k) for k in range(many)], axis=1)
    dead = np.zeros((len(VOICE), many))
    dead[:, 0] = VOICE
    assert count_channels(speakers.reshape(-1)) == count_channels(dead.reshape(-1)) == many


@pytest.mark.parametrize(
    "one",
    [
        VOICE,
        np.repeat(VOICE, 3),  # held from a lower rate
        np.interp(np.arange(2 * len(VOICE)) / 2, np.arange(len(VOICE)), VOICE),
        VOICE + RNG.normal(0, 0.02, len(VOICE)),
        RNG.normal(size=3 * RATE),
        np.sin(2 * np.pi * 300 * np.arange(3 * RATE) / RATE),
        np.zeros(3 * RATE),
        np.full(3 * RATE, np.nan),
        VOICE[:2000],
        np.zeros(0),
    ],
)
def test_one_channel_is_one(one):
    assert count_channels(one) == 1


@settings(max_examples=40)
@given(st.binary(max_size=6000))
def test_any_samples_are_counted(data):
    assert 1 <= count_channels(np.frombuffer(data, np.int8).astype(np.float64)) <= MOST


def find_silent_side(data, encoding):
    slot = find_slot(data, encoding)
    assert slot is None or slot.channels == 2
    return None if slot is None else 1 - slot.channel


def stereo(encoding, code, side, count=1000, values=10):
    kind = "<i2" if encoding == "pcm_s16le" else "u1"
    pair = np.full((count, 2), code, dtype=kind)
    pair[:, 1 - side] = np.resize(np.arange(1, values + 1), count)
    return pair.reshape(-1).view(np.uint8)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("encoding", "code"), CASES)
def test_the_silent_side_is_named(encoding, code, side):
    assert find_silent_side(stereo(encoding, code, side), encoding) == side


@pytest.mark.parametrize(("encoding", "code"), CASES)
def test_one_sample_that_is_not_silent_is_enough(encoding, code):
    for place in (0, -4):  # the silent side of the first and of the last pair
        data = stereo(encoding, code, 0, count=1002)
        data[place if encoding == "pcm_s16le" or not place else -2] ^= 1
        assert find_silent_side(data, encoding) is None


@pytest.mark.parametrize(
    ("count", "values", "expected"), [(1000, 10, 1), (1000, 99, 1), (998, 10, None), (1000, 9, None)]
)
@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw"])
def test_enough_samples_and_enough_values(encoding, count, values, expected):
    assert find_silent_side(stereo(encoding, SILENT[encoding][0], 1, count, values), encoding) == expected


def test_the_two_silences_of_g711_do_not_mix_and_both_sides_silent_are_no_answer():
    data = stereo("pcm_mulaw", 0xFF, 0)
    data[0] = 0x7F
    assert find_silent_side(data, "pcm_mulaw") is None
    assert find_silent_side(np.full(4000, 0xFF, np.uint8), "pcm_mulaw") is None


@pytest.mark.parametrize("encoding", [None, "pcm_f32le", "pcm_s32le", "pcm_f16le"])
def test_for_other_encodings_the_question_does_not_arise(encoding):
    assert find_silent_side(stereo("pcm_s16le", 0, 1), encoding) is None


@pytest.mark.parametrize("rest", [1, 2, 3])
@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw"])
def test_a_rest_at_the_end_is_left_out(encoding, rest):
    data = stereo(encoding, SILENT[encoding][0], 1, count=1000)
    assert find_silent_side(np.concatenate([data, np.full(rest, 3, np.uint8)]), encoding) == 1


def test_four_mebibytes_are_read_and_no_more():
    data = np.zeros(4 << 20, np.uint8)
    data[2::4] = np.resize(np.arange(1, 11), 1 << 20)
    assert find_silent_side(np.concatenate([data, np.ones(64, np.uint8)]), "pcm_s16le") == 0
    data[-4] = 1
    assert find_silent_side(data, "pcm_s16le") is None


@pytest.mark.parametrize(("channels", "channel"), [(3, 0), (4, 3), (6, 2), (8, 7), (16, 1)])
@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_mulaw"])
def test_the_slot_that_is_in_use_is_named(encoding, channels, channel):
    kind, code = ("<i2", 0) if encoding == "pcm_s16le" else ("u1", 0xFF)
    rows = np.full((1000, channels), code, kind)
    rows[:, channel] = np.resize(np.arange(1, 60), 1000)
    data = rows.reshape(-1).view(np.uint8)
    assert find_slot(data, encoding) == Slot(channels, channel)
    rows[500, (channel + 1) % channels] ^= 1
    assert find_slot(data, encoding) is None

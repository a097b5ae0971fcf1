import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resonances import RATE, voice

from sttdoctor.analysis.signal.channel_count import MOST, count_channels

VOICE = voice(3.0)
RNG = np.random.default_rng(3)


GAINS = (1.0, 0.5, 0.35, 0.45, 0.3, 0.4, 0.55, 0.25)


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

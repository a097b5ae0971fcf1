import numpy as np
import pytest
import soundfile
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from resonances import encoded, voice

from sttdoctor.analysis.decoding import MULAW_TABLE
from sttdoctor.analysis.signal.echo import find_echo

RATE = 16000
VOICE = voice(10.0)
RNG = np.random.default_rng(6)


def later(x, delay_s, gain, rate=RATE):
    lag = round(delay_s * rate)
    return x + gain * np.concatenate([np.zeros(lag), x[:-lag]])


@pytest.mark.parametrize("delay_s", [0.16, 0.42, 1.3, 2.5])
@pytest.mark.parametrize("gain", [0.3, 0.6, 1.0])
def test_a_second_route_is_told_with_delay_and_strength(delay_s, gain):
    found = find_echo(later(VOICE, delay_s, gain), RATE)
    assert found.delay_s == pytest.approx(delay_s, abs=1e-3)
    assert found.strength == pytest.approx(gain, rel=0.5)


def test_a_second_route_of_a_phrase_that_comes_again_is_told():
    assert find_echo(later(AGAIN, 1.2, 0.5), RATE).delay_s == pytest.approx(1.2, abs=1e-3)


def test_an_echo_in_noise_and_by_telephone_is_told():
    noisy = later(VOICE, 0.42, 0.6) + RNG.normal(0, 0.001, len(VOICE))
    assert find_echo(MULAW_TABLE[encoded(noisy, "pcm_mulaw")], RATE).delay_s == pytest.approx(0.42, abs=1e-3)


def room(seconds):
    tail = RNG.normal(size=round(seconds * RATE)) * 10 ** np.linspace(0, -3, round(seconds * RATE))
    tail *= 0.7 / np.sqrt((tail**2).sum())
    tail[0] += 1.0
    return np.convolve(VOICE, tail)[: len(VOICE)]


BEAT = np.tile(RNG.normal(size=RATE // 2) * np.exp(-np.arange(RATE // 2) / 900), 20)
BAR = np.arange(round(1.2 * RATE))
RHYTHM = np.tile(np.random.default_rng(7).normal(size=len(BAR)) * np.exp(-(BAR % (len(BAR) // 8)) / 900), 9)[
    : 10 * RATE
]
AGAIN = np.concatenate([VOICE[: round(4.9 * RATE)], VOICE])[: 10 * RATE]
HUM = sum(np.sin(2 * np.pi * 50 * k * np.arange(len(VOICE)) / RATE) / k for k in range(1, 40))


@pytest.mark.parametrize(
    "healthy",
    [
        VOICE,
        room(0.3),
        room(1.2),
        VOICE + 0.2 * HUM,
        HUM,
        BEAT,  # a loop of a drum machine, the same to the sample
        VOICE + 0.1 * BEAT,
        AGAIN + 0.0003 * RHYTHM,  # a loop behind a phrase that comes again
        np.concatenate(
            [VOICE[: 2 * RATE], 0.01 * VOICE[: 2 * RATE], VOICE[5 * RATE :], VOICE[: 2 * RATE]]
        ),  # once more
        np.tile(VOICE[: 2 * RATE], 2) + RNG.normal(0, 0.01, 4 * RATE),  # played again
        RNG.normal(size=10 * RATE),
        np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE),
        np.zeros(10 * RATE),
        np.ones(10 * RATE),
        later(VOICE, 0.42, 0.6)[: 3 * RATE],  # too short to tell
        later(VOICE, 0.08, 0.6),  # a wall nearby
    ],
)
def test_voices_rooms_hum_loops_and_noise_have_no_second_route(healthy):
    assert find_echo(healthy, RATE) is None


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=4000), st.sampled_from([1.0, 50.0, 8000.0]))
def test_any_samples_are_answered(data, rate):
    samples = np.frombuffer(data, np.int8).astype(np.float64)
    found = find_echo(samples, rate)
    assert found is None or (found.delay_s > 0 and 0 <= found.strength <= 1)


def test_phrases_that_are_said_again_to_the_sample_are_no_echo():
    gap, parts = np.zeros(round(0.15 * RATE)), [VOICE[i * 22_400 : (i + 1) * 22_400] for i in range(3)]
    again = np.concatenate([piece for part in parts for piece in (part, gap, part, gap)])
    assert find_echo(again + RNG.normal(0, 0.001, len(again)), RATE) is None


def test_a_clip_that_is_played_again_and_again_is_no_echo():
    clip, rate = soundfile.read(FIXTURES / "source" / "arctic-a0007.flac")
    clip = clip[: round(2.72 * rate)] / (2 * np.abs(clip).max())
    again = np.tile(np.concatenate([clip, np.zeros(round(0.06 * rate))]), 3)
    assert find_echo(again + np.random.default_rng(1).normal(0, 3e-4, len(again)), rate) is None

import numpy as np
import pytest
from resonances import encoded
from resonances import voice as speech

from sttdoctor.analysis.encoding import Layout
from sttdoctor.analysis.signal.damage import measure
from sttdoctor.analysis.signal.muted import find_muted

RATE = 16000
VOICE = speech(12.0, peak=0.5)
LEVELS = np.sqrt((VOICE[: len(VOICE) // 320 * 320].reshape(-1, 320) ** 2).mean(axis=1))
SPAN = np.convolve(LEVELS, np.ones(5) / 5, "same")
LOUD = [int(np.argmax(SPAN[at : at + 100]) + at + 3) * 320 for at in (50, 200, 350)]


def found(x, encoding="pcm_s16le"):
    data = encoded(np.asarray(x), encoding)
    return find_muted(data, Layout(encoding), measure(data, encoding, 1, RATE), 3.0)


def muted(*spans, x=VOICE):
    out = x.copy()
    for start, stop in spans:
        out[start:stop] = 0.0
    return out


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw"])
def test_silence_from_the_middle_of_speech_to_the_end_is_told(encoding):
    mute = found(muted((LOUD[1], len(VOICE))), encoding)
    assert mute.start == pytest.approx(LOUD[1], abs=20) and mute.to_end and mute.count == 1


def test_silence_that_speech_follows_is_told_too():
    mute = found(muted((LOUD[0], LOUD[0] + 4 * RATE)))
    assert not mute.to_end and mute.length == pytest.approx(4 * RATE, abs=20)


def faded(start, stop):
    x = muted((start, stop))
    x[start - 2000 : start] *= np.linspace(1, 0, 2000) ** 2
    return x


def test_silence_behind_the_words_is_a_pause():
    assert found(faded(LOUD[1], len(VOICE))) is None
    quiet = VOICE.copy()
    quiet[LOUD[1] - RATE : LOUD[1]] *= 0.01  # room noise, then a gate closes
    assert found(muted((LOUD[1], len(VOICE)), x=quiet)) is None


def test_shorter_silence_is_none_of_it():
    assert found(muted((LOUD[1], LOUD[1] + 2 * RATE))) is None


def test_a_client_that_sends_silence_in_its_pauses_is_healthy_though_one_of_them_cuts_a_word():
    x = np.concatenate([faded(LOUD[1], len(VOICE)), faded(LOUD[1], len(VOICE)), muted((LOUD[1], len(VOICE)))])
    assert found(x) is None


@pytest.mark.parametrize("x", [np.zeros(5 * RATE), np.zeros(0), VOICE, np.full(5 * RATE, 0.5)])
def test_silence_alone_and_speech_alone_are_not_muted(x):
    assert found(x) is None


def test_a_tone_that_is_switched_off_is_not_muted():
    times = np.arange(2 * RATE) / RATE
    ring = 0.2 * (np.sin(2 * np.pi * 440 * times) + np.sin(2 * np.pi * 480 * times))
    assert found(np.concatenate([VOICE, np.tile(np.concatenate([ring, np.zeros(4 * RATE)]), 3), VOICE])) is None

"""The waveform of all of the audio, and where in it somebody speaks loudest."""

import numpy as np
import pytest

from sttdoctor.analysis.decoding import Layout
from sttdoctor.reporting.data.sound import COLUMNS, find_loudest, make_waveform, measure_profile, name_reading

RATE = 16000
S16 = Layout("pcm_s16le")


def bursts(seconds, loud, rate=RATE):
    """A quiet room with a loud stretch of noise from second `loud[0]` to `loud[1]`."""
    noise = np.random.default_rng(1).standard_normal(int(seconds * rate))
    t = np.arange(len(noise)) / rate
    return noise * np.where((t >= loud[0]) & (t < loud[1]), 0.1, 0.0005)


def encoded(samples):
    return np.frombuffer((samples * 32767).astype("<i2").tobytes(), dtype=np.uint8)


def test_the_stretch_with_the_most_speech_is_found():
    sound = measure_profile(encoded(bursts(30, (17, 21))), S16, RATE)
    first, count = find_loudest(sound)
    assert count * sound.block_s == pytest.approx(6.0)
    assert first * sound.block_s <= 17 and (first + count) * sound.block_s >= 21


def test_a_single_click_is_not_the_loudest_speech():
    samples = bursts(30, (17, 21))
    samples[:40] = 0.99
    first, _ = find_loudest(measure_profile(encoded(samples), S16, RATE))
    assert 14 <= first * 0.02 <= 17


def test_speech_and_silence_are_told_apart_in_seconds():
    wave = make_waveform(measure_profile(encoded(bursts(30, (17, 21))), S16, RATE), (17.0, 21.0), "x")
    assert wave.speech_s == pytest.approx(4.0, abs=0.1) and wave.duration_s == pytest.approx(30.0)
    assert [(round(a, 1), round(b, 1)) for a, b in wave.speech] == [(17.0, 21.0)]


@pytest.mark.parametrize("seconds", [0.1, 3.0, 400.0])
def test_a_waveform_never_has_more_columns_than_a_page(seconds):
    samples = bursts(seconds, (0.0, 0.05), rate=8000)
    wave = make_waveform(measure_profile(encoded(samples), S16, 8000), (0.0, 1.0), "x")
    assert len(wave.low) == len(wave.high) <= COLUMNS
    assert len(wave.low) * wave.column_s == pytest.approx(wave.duration_s)
    assert wave.high.max() == pytest.approx(samples.max(), abs=1e-3)
    assert (wave.low <= wave.high).all() and np.abs(wave.low).max() <= 1


def test_floats_that_are_no_numbers_or_far_too_large_do_no_harm():
    raw = np.full(RATE, 3e38, dtype="<f4")
    raw[::7] = np.nan
    raw[::11] = np.inf
    sound = measure_profile(raw.view(np.uint8), Layout("pcm_f32le"), RATE)
    wave = make_waveform(sound, (0.0, 1.0), "x")
    assert np.isfinite(wave.low).all() and np.abs(wave.high).max() <= 1
    assert find_loudest(sound)[1] == len(sound.level)


def test_less_than_a_block_is_nothing():
    assert measure_profile(np.zeros(100, dtype=np.uint8), S16, RATE) is None


def test_a_reading_says_all_that_matters():
    assert name_reading(Layout("pcm_s16le", 1, 2), 8000) == "pcm_s16le at 8000 Hz, two channels, from byte 1 on"

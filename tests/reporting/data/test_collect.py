"""One stretch of bytes, read in one way: what is heard and what is seen of it."""

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.decoding import Layout
from sttdoctor.encodings import ENCODINGS
from sttdoctor.reporting.data.collect import MAX_PLAYED_S, MAX_RATE, make_spectrogram, read_version


def heard(wav):
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768
        return file.getframerate(), samples


def tone(hz, seconds, rate, level=0.3):
    samples = level * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)
    return np.frombuffer((samples * 32767).astype("<i2").tobytes(), dtype=np.uint8)


def loudest_hz(rate, samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * rate / len(samples)


def test_a_wrong_rate_is_heard_as_another_pitch_and_length():
    data = tone(440, 3, 24000)
    right, wrong = read_version(data, Layout("pcm_s16le"), 24000), read_version(data, Layout("pcm_s16le"), 16000)
    assert loudest_hz(*heard(right.wav)) == pytest.approx(440, abs=1)
    assert loudest_hz(*heard(wrong.wav)) == pytest.approx(440 * 2 / 3, abs=1)
    assert (right.seconds, wrong.seconds) == (3.0, 4.5)


def test_high_rates_are_brought_down_and_sound_the_same():
    rate, samples = heard(read_version(tone(440, 2, 48000), Layout("pcm_s16le"), 48000).wav)
    assert rate == MAX_RATE and len(samples) / rate == pytest.approx(2.0)
    assert loudest_hz(rate, samples) == pytest.approx(440, abs=1)


def test_noise_and_clipping_are_made_bearable_while_quiet_sound_stays_quiet():
    noise = np.random.default_rng(2).integers(0, 256, 64000, dtype=np.uint8)
    _, loud = heard(read_version(noise, Layout("pcm_s16le"), 16000).wav)
    assert np.sqrt(np.mean(loud**2)) <= 0.081 and np.abs(loud).max() <= 0.501
    _, quiet = heard(read_version(tone(440, 2, 16000, level=0.01), Layout("pcm_s16le"), 16000).wav)
    assert np.abs(quiet).max() == pytest.approx(0.01, rel=0.05)


def test_floats_in_16_bit_units_are_brought_to_full_scale():
    samples = (np.frombuffer(tone(440, 2, 16000), dtype="<i2")).astype("<f4")
    _, played = heard(read_version(samples.view(np.uint8), Layout("pcm_f32le"), 16000).wav)
    assert 0.1 < np.abs(played).max() <= 0.501


def test_long_readings_are_cut_and_say_so():
    cut = read_version(tone(440, 6, 24000), Layout("pcm_mulaw"), 8000)
    assert cut.seconds == MAX_PLAYED_S and "longer" in cut.remark


@pytest.mark.parametrize(("rate", "says"), [(1, "Nothing plays"), (1_000_000, "Nothing plays"), (16000, "Too short")])
def test_what_cannot_be_played_says_why(rate, says):
    found = read_version(np.zeros(40, dtype=np.uint8), Layout("pcm_s16le"), rate)
    assert found.wav is None and says in found.remark


@given(
    st.binary(min_size=4000, max_size=8000),
    st.sampled_from(sorted(ENCODINGS)),
    st.sampled_from([3000, 8000, 44100, 768000]),
)
def test_any_bytes_in_any_reading_make_sound_that_can_be_played(data, encoding, rate):
    found = read_version(np.frombuffer(data, dtype=np.uint8), Layout(encoding), rate)
    if found.wav is not None:
        shown_rate, samples = heard(found.wav)
        assert 3000 <= shown_rate <= MAX_RATE and np.abs(samples).max() <= 0.51
        assert found.spectrogram.level_db.shape[0] <= 128 and found.spectrogram.level_db.shape[1] == 320
        assert np.isfinite(found.spectrogram.level_db).all()


def test_a_spectrogram_shows_a_tone_at_its_frequency():
    samples = np.sin(2 * np.pi * 1000 * np.arange(32000) / 16000)
    picture = make_spectrogram(samples, 16000)
    row = int(np.argmax(picture.level_db.mean(axis=1)))
    assert (picture.top_hz, picture.duration_s) == (8000, 2.0)
    assert row / len(picture.level_db) * 8000 == pytest.approx(1000, abs=70)

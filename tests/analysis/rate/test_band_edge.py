import numpy as np
import pytest
from common import FIXTURES
from scipy.signal import resample_poly

from sttdoctor.analysis.decoding import decode
from sttdoctor.analysis.rate.band_edge import steep_edge

AUDIO = FIXTURES / "audio"
WIDE = decode((AUDIO / "s16-48k.raw").read_bytes(), "pcm_s16le")
NARROW = decode((AUDIO / "s16-16k.raw").read_bytes(), "pcm_s16le")


@pytest.mark.parametrize("samples", [WIDE, NARROW], ids=["48k", "16k"])
def test_speech_as_recorded_has_no_steep_edge_in_the_middle_of_its_band(samples):
    edge = steep_edge(samples)
    assert edge is None or edge > 0.31


@pytest.mark.parametrize(("low", "high"), [(8000, 16000), (8000, 48000), (16000, 48000)])
def test_upsampled_speech_has_its_edge_at_the_lower_nyquist(low, high):
    narrow = resample_poly(NARROW, low // 8000, 2) if low != 16000 else NARROW
    edge = steep_edge(resample_poly(narrow, high // low, 1))
    assert edge * high == pytest.approx(low / 2, rel=0.15)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(9000), np.full(9000, np.nan), np.ones(100)])
def test_too_little_or_no_sound_has_no_edge(samples):
    assert steep_edge(samples) is None


def test_white_noise_has_no_edge():
    assert steep_edge(np.random.default_rng(0).normal(size=48000)) is None


def shaped(gain_db, count=200_000, rate=22050):
    """Noise whose spectrum follows a gain in dB over frequency in Hz."""
    noise = np.fft.rfft(np.random.default_rng(3).normal(size=count))
    samples = np.fft.irfft(noise * 10 ** (gain_db(np.fft.rfftfreq(count, 1 / rate)) / 20))
    return np.rint(samples / np.abs(samples).max() * 16000) / 32768


@pytest.mark.parametrize(
    "gain_db",
    [
        lambda hz: -24 * np.clip((hz - 3600) / 500, 0, 1),  # a synthetic voice: its band ends, its noise goes on
        lambda hz: -48 * np.log2(np.maximum(hz, 3800) / 3800),  # an old tape: a slope of 48 dB an octave
    ],
)
def test_a_slope_is_no_edge(gain_db):
    assert steep_edge(shaped(gain_db)) is None


def test_a_cut_is_an_edge():
    assert steep_edge(shaped(lambda hz: -60.0 * (hz > 4000))) * 22050 == pytest.approx(4000, rel=0.1)

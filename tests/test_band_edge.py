from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from sttdoctor.analysis.decoding import decode
from sttdoctor.analysis.rate.band_edge import steep_edge

AUDIO = Path(__file__).parent.parent / "fixtures" / "audio"
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

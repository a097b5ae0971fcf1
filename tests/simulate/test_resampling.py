import numpy as np
import pytest
from scipy.signal import resample_poly

from sttdoctor.simulate.resampling import TARGET, Resampler


def streamed(samples, rate, cut):
    resampler = Resampler(rate)
    parts = [resampler.add(samples[i : i + cut]) for i in range(0, len(samples), cut)]
    return np.concatenate([*parts, resampler.end()]), resampler


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 44100, 48000])
@pytest.mark.parametrize("cut", [160, 999, 100_000])
def test_a_stream_is_resampled_as_a_whole_would_be(rate, cut):
    t = np.arange(round(rate * 1.3)) / rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * t) * np.hanning(len(t))
    found, _ = streamed(tone, rate, cut)
    ratio = np.gcd(rate, TARGET)
    expected = resample_poly(tone, TARGET // ratio, rate // ratio)
    assert 0 <= len(found) - len(expected) <= 200  # the end is filled up to a whole step
    assert np.max(np.abs(found[: len(expected)] - expected)) < 2e-3


@pytest.mark.parametrize("rate", [1, 7, 16001, 999_983, 1_000_000])
def test_odd_rates_keep_the_length(rate):
    found, _ = streamed(np.zeros(max(2, rate // 2)), rate, max(1, rate // 7))
    assert len(found) >= 0.9 * TARGET * max(2, rate // 2) / rate


def test_it_begins_anew_after_the_end():
    found, resampler = streamed(np.ones(4000), 8000, 800)
    assert len(resampler.end()) == 0
    again = np.concatenate([resampler.add(np.ones(4000)), resampler.end()])
    assert np.array_equal(found, again)

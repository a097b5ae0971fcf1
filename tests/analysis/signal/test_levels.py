import numpy as np
import pytest
from buzz import RATE, levels, voice

from sttdoctor.analysis.encoding import Layout
from sttdoctor.analysis.signal.damage import measure
from sttdoctor.analysis.signal.levels import clipped_share, dc_offset, is_modulated, loudest, worst_clipping, zero_runs

NOTHING = measure(np.zeros(0, np.uint8), "pcm_s16le", 1, RATE)


def test_of_no_samples_there_is_nothing():
    assert (dc_offset(NOTHING), NOTHING.active_rms(10), clipped_share(NOTHING)) == (0.0, 0.0, 0.0)
    assert worst_clipping(NOTHING) == (0.0, 0.0)
    assert not is_modulated(NOTHING)
    samples, first = loudest(np.zeros(0, np.uint8), Layout("pcm_s16le"), NOTHING, 1000)
    assert not len(samples) and first == 0


def test_a_fill_has_no_part_in_the_offset():
    x = 0.5 * voice() + 0.1
    x[: len(x) * 2 // 3] = 0.0
    assert dc_offset(levels(x)) == pytest.approx(0.1, abs=0.02)


def test_speech_is_modulated_and_noise_is_not():
    noise = np.random.default_rng(4).normal(size=4 * RATE) * 0.1
    assert is_modulated(levels(0.9 * voice())) and not is_modulated(levels(noise))


def test_clipping_of_a_part_shows_where_it_is():
    x = 0.4 * voice(12)
    start = 6 * RATE
    x[start : start + 2 * RATE] = np.clip(8 * x[start : start + 2 * RATE], -0.95, 0.95)
    found = levels(x)
    share, begins_s = worst_clipping(found)
    assert begins_s == pytest.approx(6.0, abs=0.5)
    assert share > 2 * clipped_share(found) > 0


def test_zero_bytes_are_runs_in_g711_only():
    data = np.random.default_rng(6).integers(1, 256, 8000, dtype=np.uint8)
    data[2000:4000] = 0
    found = measure(data, "pcm_mulaw", 1, 8000)
    assert found.runs.length[zero_runs(found, "pcm_mulaw")].tolist() == [2000]
    assert not zero_runs(found, "pcm_s16le").any()


@pytest.mark.parametrize("channels", [1, 2])
def test_the_loudest_stretch_is_found_in_the_louder_channel(channels):
    rng = np.random.default_rng(7)
    x = rng.normal(size=8 * RATE) * 0.001
    x[5 * RATE : 6 * RATE] = 0.3 * voice(1)
    both = np.stack([rng.normal(size=len(x)) * 0.0005, x], axis=1) if channels == 2 else x[:, None]
    data = np.rint(both * 32767).astype("<i2").view(np.uint8).reshape(-1)
    layout = Layout("pcm_s16le", 0, channels)
    samples, first = loudest(data, layout, measure(data, "pcm_s16le", channels, RATE), RATE)
    assert first == pytest.approx(5 * RATE, abs=0.05 * RATE) and len(samples) == RATE
    assert samples == pytest.approx(x[first : first + RATE], abs=1e-4)

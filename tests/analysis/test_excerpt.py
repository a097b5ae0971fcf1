import numpy as np
import pytest

from sttdoctor.analysis.excerpt import MAX_SAMPLES, active_stretches, loudest_channel, mono


def test_of_long_audio_the_loudest_stretches_are_judged():
    frames = np.full((4 * MAX_SAMPLES, 1), 0xFF, dtype=np.uint8)
    loud = np.random.default_rng(0).integers(0, 256, MAX_SAMPLES // 2, dtype=np.uint8)
    frames[2 * MAX_SAMPLES : 2 * MAX_SAMPLES + len(loud), 0] = loud
    chosen = np.concatenate(active_stretches(frames, "pcm_mulaw", 1))
    assert len(chosen) <= MAX_SAMPLES
    assert (chosen != 0xFF).sum() > 0.8 * (loud != 0xFF).sum()


def test_short_audio_is_judged_whole():
    assert active_stretches(np.zeros((0, 2), np.uint8), "pcm_s16le", 1) == []
    assert len(active_stretches(np.zeros((5, 2), np.uint8), "pcm_s16le", 1)[0]) == 5


def test_of_two_channels_the_louder_one_is_taken():
    apart = np.array([[1, 0, 0, 32], [255, 255, 0, 224]] * 50, dtype=np.uint8)
    assert np.abs(mono(apart, "pcm_s16le", 2)).min() == 0.25


@pytest.mark.parametrize(
    ("rows", "loudest"),
    [
        ([[np.nan, 0.1], [np.nan, -0.1]], 1),
        ([[np.inf, 0.1], [-np.inf, -0.1]], 1),
        ([[1e300, 0.1], [-1e300, -0.1]], 0),
        ([[np.nan, np.nan]], 0),
        (np.empty((0, 2)), 0),
    ],
)
def test_a_channel_of_numbers_that_are_none_is_not_the_louder_one(rows, loudest):
    assert loudest_channel(np.array(rows)) == loudest


def test_no_audio_of_two_channels_is_no_audio():
    assert len(mono(np.empty((0, 4), np.uint8), "pcm_s16le", 2)) == 0

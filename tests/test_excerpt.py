import numpy as np

from sttdoctor.analysis.excerpt import MAX_SAMPLES, active_stretches, mono


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

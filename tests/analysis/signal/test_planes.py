import numpy as np
import pytest
from common import FIXTURES

from sttdoctor.analysis.signal.planes import find_planes, take_plane

SPEECH = np.frombuffer((FIXTURES / "audio" / "s16-16k.raw").read_bytes(), "<i2")[: 16000 * 8]
ROOM = np.random.default_rng(3).normal(0, 12, len(SPEECH)).astype("<i2")
LATER = np.roll(SPEECH, len(SPEECH) // 3)
NEAR = (np.roll(SPEECH, 3) * 0.6).astype("<i2") + ROOM


def planes_of(channels, samples):
    """Each frame holds so many samples of each channel, one channel after the other."""
    count = len(channels[0]) // samples
    rows = np.stack([channel[: count * samples].reshape(count, samples) for channel in channels], axis=1)
    data = np.frombuffer(rows.astype("<i2").tobytes(), np.uint8)
    return data, [2 * samples * len(channels)] * count


@pytest.mark.parametrize("samples", [160, 320, 960, 1600])
@pytest.mark.parametrize(
    "channels", [[SPEECH, SPEECH], [SPEECH, NEAR], [SPEECH, LATER], [ROOM, SPEECH], [SPEECH, NEAR, LATER, ROOM]]
)
def test_planes_are_told_with_their_number_and_length(channels, samples):
    found = find_planes(*planes_of(channels, samples), "pcm_s16le")
    assert (found.channels, found.samples) == (len(channels), samples)
    assert np.std(channels[found.loudest]) == max(map(np.std, channels))


@pytest.mark.parametrize("samples", [160, 320, 1024, 1600])
@pytest.mark.parametrize(
    "channel", [SPEECH, LATER, ROOM, np.tile(SPEECH[:24000], 5)], ids=["speech", "later", "room", "loop"]
)
def test_one_channel_is_one_however_it_is_cut(channel, samples):
    assert find_planes(*planes_of([channel], samples), "pcm_s16le") is None


def test_interleaved_channels_are_no_planes():
    both = np.stack([SPEECH, NEAR], axis=1).reshape(-1)
    assert find_planes(*planes_of([both], 640), "pcm_s16le") is None


def test_tones_and_frames_that_overlap_or_end_in_zeros_are_no_planes():
    tone = (9000 * np.sin(np.arange(64000) * 2 * np.pi * 400 / 16000)).astype("<i2")
    frames = SPEECH[: 320 * 300].reshape(-1, 320)
    overlapping = np.concatenate([frames[:-1], frames[1:]], axis=1).reshape(-1)
    padded = np.concatenate([frames, np.zeros_like(frames)], axis=1).reshape(-1)
    for channel in (tone, overlapping, padded):
        assert find_planes(*planes_of([channel], 640), "pcm_s16le") is None


def test_frames_of_other_lengths_are_divided_each_by_itself():
    lengths = [320, 480, 320, 640] * 40
    pieces, at = [], 0
    for length in lengths:
        pieces += [SPEECH[at : at + length], NEAR[at : at + length]]
        at += length
    data, sizes = np.frombuffer(np.concatenate(pieces).tobytes(), np.uint8), [4 * length for length in lengths]
    assert find_planes(data, sizes, "pcm_s16le").channels == 2
    assert np.concatenate(take_plane(data, sizes, 2, 0, 2)).tobytes() == SPEECH[:at].tobytes()


@pytest.mark.parametrize("sizes", [[], [640] * 5, [3] * 400, [64] * 400])
def test_too_little_tells_nothing(sizes):
    data = np.frombuffer(SPEECH.tobytes(), np.uint8)[: sum(sizes)]
    assert find_planes(data, sizes, "pcm_s16le") is None

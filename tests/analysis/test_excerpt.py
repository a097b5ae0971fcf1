import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.decoding import find_loudest_channel
from sttdoctor.analysis.excerpt import MAX_SAMPLES, decode_mono, pick_stretches, read_blocks, release


def test_of_long_audio_the_loudest_stretches_are_judged():
    frames = np.full((4 * MAX_SAMPLES, 1), 0xFF, dtype=np.uint8)
    loud = np.random.default_rng(0).integers(0, 256, MAX_SAMPLES // 2, dtype=np.uint8)
    frames[2 * MAX_SAMPLES : 2 * MAX_SAMPLES + len(loud), 0] = loud
    chosen = np.concatenate(pick_stretches(frames, "pcm_mulaw", 1))
    assert len(chosen) <= MAX_SAMPLES
    assert (chosen != 0xFF).sum() > 0.8 * (loud != 0xFF).sum()


def test_short_audio_is_judged_whole():
    assert pick_stretches(np.zeros((0, 2), np.uint8), "pcm_s16le", 1) == []
    assert len(pick_stretches(np.zeros((5, 2), np.uint8), "pcm_s16le", 1)[0]) == 5


def test_of_two_channels_the_louder_one_is_taken():
    apart = np.array([[1, 0, 0, 32], [255, 255, 0, 224]] * 50, dtype=np.uint8)
    assert np.abs(decode_mono(apart, "pcm_s16le", 2)).min() == 0.25


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
    assert find_loudest_channel(np.array(rows)) == loudest


def test_no_audio_of_two_channels_is_no_audio():
    assert len(decode_mono(np.empty((0, 4), np.uint8), "pcm_s16le", 2)) == 0


@given(st.integers(0, 300), st.integers(1, 120))
def test_blocks_hold_every_byte_in_order(count, size):
    data = np.arange(count, dtype=np.uint8) if count < 256 else np.zeros(count, dtype=np.uint8)
    parts = list(read_blocks(data, size))
    assert all(len(part) == size for part in parts[:-1])
    assert np.concatenate([np.empty(0, np.uint8), *parts]).tolist() == data.tolist()


def resident_kb() -> int:
    try:
        with open("/proc/self/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Rss:"))
    except OSError:
        pytest.skip("this system does not tell the resident memory")


def test_a_mapped_file_does_not_stay_in_memory(tmp_path):
    path = tmp_path / "long.raw"
    path.write_bytes(b"\1" * (96 << 20))
    data = np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))
    before = resident_kb()
    most = 0
    for block in read_blocks(data, 8 << 20):
        assert block[::4096].all()
        most = max(most, resident_kb() - before)
    assert most < 64 << 10
    assert resident_kb() - before < 16 << 10
    assert int(data[-1]) == 1


def test_what_is_not_mapped_is_left_alone():
    release(np.zeros(10, np.uint8))

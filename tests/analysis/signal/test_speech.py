"""Active steps and the excerpt of the most active blocks: a step is 256 samples, a block 32 steps."""

import numpy as np
import pytest

from sttdoctor.analysis.signal.speech import active_excerpt, active_steps, finite_mono

STEP, SIZE = 256, 8192


def test_offset_and_scale_are_taken_off():
    clean = finite_mono(np.tile([1.0, 3.0], 50))
    assert clean.dtype == np.float32 and clean.tolist() == [-1.0, 1.0] * 50


def test_what_is_no_number_becomes_zero_before_the_mean_is_taken():
    clean = finite_mono(np.array([np.nan, 4.0, np.inf, -4.0, -np.inf, 0.0]))
    assert clean == pytest.approx(np.array([0, 3**0.5, 0, -(3**0.5), 0, 0]))


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(9), np.full(9, 5.0), np.full(9, np.nan)])
def test_nothing_stays_zero(samples):
    clean = finite_mono(samples)
    assert clean.dtype == np.float32 and clean.tolist() == [0.0] * len(samples)


def test_huge_and_tiny_values_are_scaled_alike():
    wave = np.sin(np.arange(1000.0))
    for scale in (1e-30, 1e150):
        assert finite_mono(wave * scale) == pytest.approx(finite_mono(wave), abs=1e-6)


def steps(*levels):
    return np.concatenate([np.resize([level, -level], STEP) for level in levels]).astype(np.float32)


def test_a_step_is_active_within_30_db_of_the_loud_ones():
    # 30 dB are a ratio of 31.6
    assert active_steps(steps(*[1.0] * 20, 1 / 31, 1 / 32, 0.0)).tolist() == [True] * 21 + [False] * 2


def test_the_loud_steps_are_the_95th_percentile_of_those_with_sound():
    # one step in fifty that is 100 times louder does not hide the others, nor does silence count
    assert active_steps(steps(100.0, *[1.0] * 49, *[0.0] * 50)).tolist() == [True] * 50 + [False] * 50
    assert active_steps(steps(1.0, 1.0, 1 / 40, *[0.0] * 60)).tolist() == [True] * 2 + [False] * 61


def test_whole_steps_only():
    assert active_steps(np.ones(STEP * 3 - 1, np.float32)).tolist() == [True, True]
    assert active_steps(np.zeros(STEP * 3, np.float32)).tolist() == [False] * 3
    assert active_steps(np.ones(STEP - 1, np.float32)).tolist() == []


def excerpt(shares, limit):
    """Numbers of the blocks in the excerpt of a stream whose blocks have this many active steps of 32."""
    active = np.concatenate([np.arange(32) < share for share in shares])
    samples = np.repeat(np.arange(len(shares)), SIZE).astype(np.float32)
    kept = active_excerpt(samples, active, limit)
    numbers = kept[::SIZE].astype(int).tolist()
    assert len(kept) <= max(limit, SIZE) and np.array_equal(kept, np.repeat(numbers, SIZE)[: len(kept)])
    return numbers


@pytest.mark.parametrize(
    ("shares", "limit", "expected"),
    [
        ([8, 0, 0, 0, 8], 5 * SIZE, [0, 1, 3, 4]),  # the block deep inside the pause is left out
        ([8, 0, 0, 8, 8], 5 * SIZE, [0, 1, 2, 3, 4]),
        ([8, 9, 10, 11, 12], 2 * SIZE, [3, 4]),  # the most active, in their order
        ([12, 9, 10, 11, 8], 2 * SIZE, [0, 3]),
        ([12, 9, 10, 11, 8], 2 * SIZE + 1, [0, 2, 3]),  # a last block that is cut
        ([8, 8, 8, 8, 8], 2 * SIZE, [0, 1]),  # of equals the first
        ([8, 9, 10, 11, 12], 1, [4]),  # at least one block
        ([0, 0, 0], 3 * SIZE, []),
        ([8, 8], SIZE, [0]),
    ],
)
def test_the_excerpt_holds_the_most_active_blocks(shares, limit, expected):
    assert excerpt(shares, limit) == expected


def test_of_less_than_two_blocks_the_beginning_is_taken():
    samples = np.arange(SIZE + 100, dtype=np.float32)
    active = np.ones(32, bool)
    assert np.array_equal(active_excerpt(samples, active, 10), samples[:SIZE])
    assert np.array_equal(active_excerpt(samples, active, SIZE + 50), samples[: SIZE + 50])
    assert np.array_equal(active_excerpt(samples, active, 10 * SIZE), samples)


def test_where_every_block_is_wanted_the_rest_of_the_last_one_stays():
    samples = np.arange(2 * SIZE + 100, dtype=np.float32)
    assert np.array_equal(active_excerpt(samples, np.ones(64, bool), 10 * SIZE), samples)
    assert np.array_equal(active_excerpt(samples, np.ones(64, bool), 2 * SIZE), samples[: 2 * SIZE])

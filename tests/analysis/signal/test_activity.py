"""Where sound is active, in levels and blocks that can be counted: a block is 20 ms, 160 samples at 8 kHz."""

import numpy as np
import pytest

from sttdoctor.analysis.signal.activity import (
    Activity,
    LateStart,
    ends_in_room,
    find_active_blocks,
    find_activity,
    find_late_start,
    get_block_size,
    is_broken_off,
    list_spans_s,
    measure_block_levels,
)


def levels(*parts):
    return np.concatenate([np.full(count, level, dtype=float) for count, level in parts])


def runs(active):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], active.astype(int), [0]])))
    return [tuple(edge) for edge in edges.reshape(-1, 2).tolist()]


@pytest.mark.parametrize(("rate", "expected"), [(8000, 160), (16000, 320), (44100, 882), (11025, 220), (10, 1), (1, 1)])
def test_the_size_of_a_block(rate, expected):
    assert get_block_size(rate) == expected


def test_the_level_of_a_block_is_its_rms_about_its_mean():
    samples = np.tile([0.25, 0.75], 200)  # 400 samples are two whole blocks of 160
    assert measure_block_levels(samples, 8000).tolist() == [0.25, 0.25]
    assert len(measure_block_levels(samples[:319], 8000)) == 1


def test_what_is_no_number_counts_as_zero():
    samples = np.tile([0.5, -0.5], 80)
    samples[:80] = np.resize([np.nan, np.inf, -np.inf], 80)
    assert measure_block_levels(samples, 8000) == pytest.approx([np.sqrt(0.125)])


def test_no_blocks():
    assert find_active_blocks(np.zeros(0)).tolist() == []
    assert list_spans_s(np.zeros(0, bool)) == []


def test_between_silence_sound_is_active_to_the_block():
    assert runs(find_active_blocks(levels((50, 0.0), (40, 0.1), (30, 0.0), (20, 0.1), (10, 0.0)))) == [
        (50, 90),
        (120, 140),
    ]


@pytest.mark.parametrize(("gap", "expected"), [(10, [(20, 60)]), (11, [(20, 35), (46, 61)])])
def test_gaps_of_up_to_ten_blocks_are_closed(gap, expected):
    assert runs(find_active_blocks(levels((20, 0.0), (15, 0.1), (gap, 0.0), (15, 0.1), (20, 0.0)))) == expected


@pytest.mark.parametrize(("length", "expected"), [(2, []), (3, [(60, 63)])])
def test_runs_of_fewer_than_three_blocks_are_dropped(length, expected):
    sound = levels((20, 0.0), (20, 0.1), (20, 0.0), (length, 0.1), (20, 0.0))
    assert runs(find_active_blocks(sound))[1:] == expected


@pytest.mark.parametrize(("level", "expected"), [(0.0019, True), (0.0017, False)])
def test_below_55_db_under_full_scale_nothing_is_active(level, expected):
    assert find_active_blocks(levels((50, 0.0), (50, level))).any() == expected


@pytest.mark.parametrize(
    ("quiet", "level", "expected"),
    [
        (0.02, 0.081, True),  # more than 12 dB above a quiet room
        (0.02, 0.079, False),
        (0.09, 0.26, True),  # within 12 dB of the loud parts, where the room is loud
        (0.09, 0.24, False),
        (0.002, 0.057, True),  # within 25 dB of the loud parts, where the room is silent
        (0.002, 0.055, False),
    ],
)
def test_what_is_active_lies_above_the_quiet_and_near_the_loud_parts(quiet, level, expected):
    sound = levels((30, quiet), (20, 1.0), (30, quiet), (10, level), (30, quiet))
    assert ((80, 90) in runs(find_active_blocks(sound))) == expected


def test_quiet_is_the_10th_percentile_and_loud_the_95th():
    # of 101 blocks the 11th and the 96th: the threshold is 4 times 0.02
    sound = levels((11, 0.02), (1, 0.1), (20, 0.2), (64, 1.0), (5, 5.0))
    assert runs(find_active_blocks(sound)) == [(11, 101)]


def test_spans_are_seconds_of_blocks():
    active = np.array([False, True, True, True, False, False, True])
    assert np.array(list_spans_s(active)) == pytest.approx(np.array([(0.02, 0.08), (0.12, 0.14)]))
    assert list_spans_s(np.ones(5, bool)) == [(0.0, 0.1)]


def tone(seconds, rate):
    return (8000 * np.sin(np.arange(round(seconds * rate)) * 0.3)).astype("<i2")


@pytest.mark.parametrize("rate", [8000, 11025, 16000])
def test_spans_of_bytes_are_counted_in_whole_samples(rate):
    hiss = np.random.default_rng(4).integers(-100, 100, rate).astype("<i2")  # loud, were it read a byte off
    samples = np.concatenate([hiss, tone(2, rate), hiss])
    (span,) = find_activity(samples.view(np.uint8), "pcm_s16le", 1, rate).spans
    size = get_block_size(rate)
    first, last = rate // size, -(-3 * rate // size)  # blocks that hold the first and the last of the tone
    assert span == pytest.approx((first * size / rate, last * size / rate))


@pytest.mark.parametrize("side", [0, 1])
def test_of_two_channels_the_louder_one_is_judged(side):
    frames = np.zeros((32000, 2), dtype="<i2")
    frames[8000:24000, side] = tone(2, 8000)
    (span,) = find_activity(frames.reshape(-1).view(np.uint8), "pcm_s16le", 2, 8000).spans
    assert span == pytest.approx((1.0, 3.0))


def test_long_audio_is_read_in_parts_without_a_seam():
    samples = np.concatenate([np.zeros(60_000, dtype="<i2"), tone(20, 8000), np.zeros(20_000, dtype="<i2")])
    (span,) = find_activity(samples.view(np.uint8), "pcm_s16le", 1, 8000).spans
    assert span == pytest.approx((7.5, 27.5))
    assert find_activity(samples.view(np.uint8)[:1], "pcm_s16le", 1, 8000) == Activity()
    assert find_activity(samples.view(np.uint8)[:0], "pcm_s16le", 1, 8000) == Activity()


@pytest.mark.parametrize(("peak_db", "expected"), [(-20, False), (-36, False), (-46, True), (-60, True)])
def test_sound_near_the_level_of_silence_is_faint(peak_db, expected):
    samples = np.concatenate([np.zeros(8000), np.sin(np.arange(16000) * 0.3) * 10 ** (peak_db / 20), np.zeros(8000)])
    assert find_activity(samples.astype("<f4").view(np.uint8), "pcm_f32le", 1, 8000).is_faint == expected


def sound(*parts):
    """Noise of these levels, each for so many seconds at 8 kHz."""
    rng = np.random.default_rng(3)
    return np.concatenate([level * rng.standard_normal(round(8000 * seconds)) for seconds, level in parts])


ROOM, VOICE = 1e-3, 0.1


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (((3, VOICE), (1, ROOM)), LateStart(0.0, 1.0)),
        (((1, 0.0), (3, VOICE), (1, ROOM)), LateStart(1.0, 1.0)),
        (((0.2, ROOM), (3, VOICE)), None),  # a room comes first
        (((0.1, 0.0), (3, VOICE), (1, ROOM)), None),  # a device needs a moment
        (((1, 0.0), (1, VOICE), (1, 0.0), (1, VOICE)), None),  # a gate has zeros in every pause
        (((1, 0.0), (0.1, 0.005), (3, VOICE), (1, ROOM)), None),  # a word begins softly
        (((4, 0.02), (1, VOICE), (3, 0.02)), None),  # behind a loud room, or music, no louder than in a pause
        (((3, ROOM), (1, 2 * ROOM)), None),
        (((0.5, VOICE),), None),
        (((3, 0.0),), None),
    ],
)
def test_sound_that_begins_within_a_word(parts, expected):
    found = find_late_start(sound(*parts), 8000)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert found.zeros_s == pytest.approx(expected.zeros_s, abs=0.01) and 0.6 < found.level < 1.2


def test_a_microphone_that_settles_begins_with_no_word():
    settling = sound((0.3, ROOM), (3, VOICE)) + 0.9 * np.exp(-np.arange(26400) / 400)
    assert find_late_start(settling, 8000) is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (((3, VOICE), (1, ROOM)), True),
        (((3, VOICE), (0.7, ROOM)), False),  # a pause of a recording that was cut
        (((3, VOICE),), False),
        (((3, VOICE), (1, 0.0)), False),  # a recording that was padded
        (((1, VOICE), (0.5, ROOM)), False),
    ],
)
def test_live_sound_ends_in_a_room(parts, expected):
    assert ends_in_room(sound(*parts), 8000) == expected


def test_sound_that_breaks_off_may_go_on_at_full_level_or_not():
    assert is_broken_off(sound((1, VOICE)), sound((1, VOICE)), 8000) == (True, True)
    assert is_broken_off(sound((1, VOICE)), sound((0.1, ROOM), (1, VOICE)), 8000) == (True, False)
    assert is_broken_off(sound((1, VOICE), (0.1, ROOM)), sound((1, VOICE)), 8000) == (False, False)
    assert is_broken_off(sound((1, VOICE)), sound((0.01, VOICE)), 8000) == (False, False)

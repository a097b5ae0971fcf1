"""Long streams: a fault of two seconds is found although most windows are judged by others that look alike."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from common import FIXTURES

from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE
from sttdoctor.analysis.encoding.changes import (
    EncodingChange,
    _score_probes,
    are_credible,
    find_changes,
    score_screened,
)

RATE, MINUTES = 16000, 4
SPAN = 2 * RATE


@pytest.fixture(scope="module")
def voice():
    """Four minutes of speech at changing levels, with pauses."""
    rng = np.random.default_rng(3)
    clips = [soundfile.read(path)[0] for path in sorted((FIXTURES / "source").glob("austen-*.flac"))]
    pieces, count = [], 0
    while count < MINUTES * 60 * RATE:
        clip = clips[int(rng.integers(len(clips)))]
        piece = np.concatenate([clip / np.abs(clip).max() * 10 ** (-rng.uniform(3, 20) / 20), np.zeros(RATE // 2)])
        pieces.append(piece + rng.normal(size=len(piece)) * 3e-4)
        count += len(piece)
    return np.clip(np.concatenate(pieces), -1, 1)


def s16(samples):
    return np.rint(samples * 32767).astype("<i2").view(np.uint8)


def g711(samples, table):
    order = np.argsort(table, kind="stable")
    return order[np.searchsorted((table[order][1:] + table[order][:-1]) / 2, samples)].astype(np.uint8)


FAULTS = {
    "pcm_mulaw": lambda part: g711(part, MULAW_TABLE),
    "pcm_alaw": lambda part: g711(part, ALAW_TABLE),
    "pcm_f32le": lambda part: part.astype("<f4").view(np.uint8),
    "pcm_f16le": lambda part: part.astype("<f2").view(np.uint8),
    "s16be": lambda part: np.ascontiguousarray(np.rint(part * 32767).astype(">i2")).view(np.uint8),
    "pcm_s16le+1": lambda part: s16(part)[1:],
}


def loud_place(voice, share):
    """The loudest two seconds behind a share of the stream."""
    first = int(share * len(voice))
    power = np.cumsum(voice[first : first + 20 * RATE] ** 2)
    return first + int(np.argmax(power[SPAN:] - power[:-SPAN]))


@pytest.mark.parametrize("name", FAULTS)
def test_two_seconds_of_another_format_are_found(voice, name):
    at = loud_place(voice, 0.6)
    bad, healthy = FAULTS[name](voice[at : at + SPAN]), s16(voice)
    behind = 2 * (at + SPAN) + (name == "pcm_s16le+1")
    found = find_changes(np.concatenate([healthy[: 2 * at], bad, healthy[behind:]]))
    assert [change.before for change in found][:1] == ["pcm_s16le"]
    assert abs(found[0].offset - 2 * at) < RATE
    assert found[0].after.startswith(name.partition("+")[0])


def test_a_healthy_stream_has_no_change_and_few_windows_are_score_probes(voice):
    data = s16(voice)
    assert find_changes(data) == []
    scores, judged = score_screened(data, 12240, 480, "pcm_s16le", partial(_score_probes, coarse=False))
    assert len(judged) == len(scores) == len(data) // 12240
    assert judged.mean() < 0.35
    assert (np.argmax(scores[judged], axis=1) == 0).mean() > 0.95


def without_each(data, size, lost):
    """Every block of `size` bytes without its last `lost` ones."""
    return data[: len(data) // size * size].reshape(-1, size)[:, :-lost].reshape(-1)


@pytest.mark.parametrize(("size", "lost"), [(1023, 1), (2048, 3), (6400, 1)])
def test_frames_that_each_lose_a_part_of_a_sample_are_out_of_step_and_no_other_format(voice, size, lost):
    found = find_changes(without_each(s16(voice[: 40 * RATE]), size, lost))
    assert {(one.before, one.after) for one in found} == {("pcm_s16le", "pcm_s16le+1"), ("pcm_s16le+1", "pcm_s16le")}
    assert all(one.offset < other.offset for one, other in pairwise(found))


@pytest.mark.parametrize("places", [[0, 1, 2], [0, 1], [1, 2]])
def test_the_low_bytes_of_words_are_never_a_change_from_one_format_to_another(voice, places):
    words = np.rint(voice[: 30 * RATE] * (2**31 - 1)).astype("<i4").view(np.uint8).reshape(-1, 4)
    found = find_changes(words[:, places].reshape(-1))
    assert not found or not are_credible(found, "pcm_s16le")


def change(before, after):
    return EncodingChange(0, before, after, 0.99)


@pytest.mark.parametrize(
    ("changes", "declared", "expected"),
    [
        ([change("pcm_s16le", "pcm_f32le")], "pcm_mulaw", True),
        ([change("pcm_s16le", "not-pcm")], "pcm_s16le", True),
        ([change("pcm_s16le", "u8"), change("u8", "pcm_s16le")], None, True),
        ([change("s24le", "not-pcm")], "pcm_s16le", False),
        ([change("pcm_s16le+1", "u8")], "pcm_s16le", False),
        ([change("pcm_s16le", "u8"), change("u8", "not-pcm"), change("not-pcm", "pcm_s16le")], "pcm_s16le", False),
        ([change("u8", "pcm_s16le"), change("pcm_s16le", "u8")] * 3, None, False),
        ([change("s24le", "s24le+1")] * 9, "pcm_s16le", True),
    ],
)
def test_who_sends_what_is_not_taken_does_so_once_and_the_rest_is_as_declared(changes, declared, expected):
    assert are_credible(changes, declared) == expected


@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_plateaus_that_a_hum_moves_are_no_samples_of_8_bits(seed):
    rng = np.random.default_rng(seed)
    slow = np.cumsum(rng.normal(size=40_000))
    slow -= np.convolve(slow, np.ones(400) / 400, "same")
    hum = 400 * np.sin(2 * np.pi * 50 / 44_100 * np.arange(40_000))
    soft = np.convolve(rng.normal(size=120_000), np.hanning(30), "same") * 900
    sound = np.concatenate([soft, np.where(slow > 0, 12_000, -12_000) + hum])
    assert find_changes(s16(sound / 32767)) == []


def test_what_a_gate_leaves_of_floats_is_silence_and_the_sound_of_another_encoding_is_none(voice):
    sound = voice[: 40 * RATE].astype("<f2")
    sound[20 * RATE : 20 * RATE + SPAN] = np.random.default_rng(1).normal(0.0, 1e-7, SPAN)
    assert find_changes(sound.view(np.uint8)) == []
    sound[20 * RATE : 20 * RATE + SPAN] = s16(voice[20 * RATE : 20 * RATE + SPAN]).view("<f2")
    assert [change.after for change in find_changes(sound.view(np.uint8))] == ["pcm_s16le", "pcm_f16le"]


def test_what_a_gate_leaves_of_coarse_samples_is_no_other_encoding(voice):
    sound = (np.round(voice[: 40 * RATE] * 512) * 64).astype("<i2")
    rng, left = np.random.default_rng(1), np.zeros(SPAN)
    for at in range(500, SPAN - 300, 3000):  # it opens for moments, and one step is heard
        steps = np.round(0.5 * np.sin(np.arange(300) * rng.uniform(0.02, 0.2)) + rng.normal(0, 0.2, 300))
        left[at : at + 300] = 64 * steps * np.hanning(300)
    sound[20 * RATE : 20 * RATE + SPAN] = np.rint(left)
    assert find_changes(sound.view(np.uint8)) == []


def test_a_sweep_is_one_encoding():
    t = np.arange(160_000) / 16_000
    sweep = 0.4 * np.sin(2 * np.pi * (100 * t + 345 * t**2))
    assert find_changes(s16(sweep)) == []

import base64

import numpy as np
import pytest
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from resonances import RATE, best, encoded, interleaved, voice
from scipy.signal import resample_poly

from sttdoctor.analysis.decoding import MULAW_TABLE, Layout, decode
from sttdoctor.analysis.encoding.changes import find_changes
from sttdoctor.analysis.encoding.code_length import count_mono_bits, laplace_mass
from sttdoctor.analysis.encoding.estimate import (
    KEYS,
    LAYOUTS,
    EncodingEstimate,
    count_layouts_bits,
    estimate_encoding,
    is_interpolated,
    never_rests,
)
from sttdoctor.analysis.encoding.non_pcm import count_adaptive_bits
from sttdoctor.analysis.encoding.quantization import Reading, read_samples
from sttdoctor.encodings import ENCODINGS, SUPPORTED

WIDE = decode((FIXTURES / "audio" / "s16-48k.raw").read_bytes(), "pcm_s16le")


def assert_sound(estimate: EncodingEstimate):
    assert set(estimate.probabilities) == set(KEYS)
    assert sum(estimate.probabilities.values()) == pytest.approx(1.0)
    assert min(estimate.probabilities.values()) >= 0.0 and 0.0 <= estimate.stereo <= 1.0
    assert bool(estimate.reason) != estimate.decidable


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("seconds", [0.1, 2.0])
def test_every_encoding_is_told(name, seconds):
    estimate = estimate_encoding(encoded(voice(seconds), name))
    assert_sound(estimate)
    assert best(estimate) == name
    assert estimate.probabilities[name] > 0.9
    assert estimate.layout == Layout(name)


@pytest.mark.parametrize("name", [name for name in SUPPORTED if ENCODINGS[name].width > 1])
def test_a_stream_that_starts_within_a_sample_is_told_with_its_offset(name):
    width = ENCODINGS[name].width
    for lost in range(1, width):
        estimate = estimate_encoding(encoded(voice(0.5), name)[lost:])
        assert best(estimate) == f"{name}+{width - lost}"
        assert (estimate.layout.encoding, estimate.layout.offset) == (name, width - lost)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("pcm_s16le", lambda x: x * 0.001 / 0.3),
        ("pcm_s16le", lambda x: 0.5 * x + 0.4),
        ("pcm_s16le", lambda x: np.clip(x * 8, -1, 1)),
        ("pcm_s32le", lambda x: np.rint(x * 2**15) / 2**15),
        ("pcm_s32le", lambda x: np.rint(x * 2**23) / 2**23),
        ("pcm_s32le", lambda x: np.rint(x * 2**15) / 2**31),
        ("pcm_f32le", lambda x: np.rint(x * 32768) / 32768),
        ("pcm_f32le", lambda x: np.rint(x * 32767) / 32767),
        ("pcm_f32le", lambda x: np.rint(x * 32768)),
        ("pcm_f16le", lambda x: np.rint(x * 32768) / 32768),
        ("f64le", lambda x: x.astype(np.float32).astype(np.float64)),
        ("pcm_s16le", lambda x: MULAW_TABLE[encoded(x, "pcm_mulaw")]),
        ("pcm_s16le", lambda x: np.rint(x * 128) / 128 * 0.37),
        ("pcm_mulaw", lambda x: np.concatenate([np.zeros(60000), x])),
        ("pcm_alaw", lambda x: np.concatenate([x, np.zeros(60000)])),
        ("pcm_f32le", lambda x: np.concatenate([x, np.zeros(60000)])),
    ],
)
def test_right_audio_in_unusual_form_does_not_fool_it(name, change):
    assert best(estimate_encoding(encoded(change(voice(0.5)), name))) == name


@pytest.mark.parametrize("kind", ["<i2", ">i2"])
def test_wide_samples_that_hold_one_byte_each_are_no_floats_below_any_sound(kind):
    noise = np.random.default_rng(5).integers(-128, 128, RATE)
    data = (np.repeat(noise, 2).astype(kind) << 8).astype(kind).tobytes()
    assert not best(estimate_encoding(np.frombuffer(data, np.uint8))).startswith(("f", "pcm_f"))


@pytest.mark.parametrize("name", SUPPORTED)
@pytest.mark.parametrize(
    "right",
    [
        lambda x: x,
        lambda x: 0.5 * x + np.random.default_rng(1).normal(0, 0.002, len(x)),
        lambda x: np.roll(x, 4) * 0.8,
        lambda x: np.roll(x, -4) * 0.8,
        lambda x: voice(len(x) / RATE, seed=6),
    ],
    ids=["identical", "panned", "late", "early", "two voices"],
)
def test_two_channels_are_told(name, right):
    left = voice(1.0)
    estimate = estimate_encoding(encoded(interleaved(left, right(left)), name))
    assert best(estimate) == name
    assert estimate.stereo > 0.9 and estimate.layout.channels == 2


@pytest.mark.parametrize("name", SUPPORTED)
def test_one_channel_is_not_two_even_when_upsampled(name):
    slow = voice(0.5)
    spectrum = np.fft.rfft(slow)
    smooth = np.fft.irfft(spectrum, 3 * len(slow)) * 3
    linear = np.interp(np.arange(2 * len(slow) - 1) / 2, np.arange(len(slow)), slow)
    doubled = np.zeros(2 * len(slow))
    doubled[::2] = slow
    places = np.arange(-10, 11)
    short_filter = np.convolve(doubled, np.sinc(places / 2) * np.kaiser(21, 5.0), "same")
    assert estimate_encoding(encoded(slow, name)).stereo < 0.1
    assert estimate_encoding(encoded(short_filter, name)).stereo < 0.1
    assert estimate_encoding(encoded(smooth, name)).stereo < 0.1
    assert estimate_encoding(encoded(linear, "pcm_s16le")).stereo < 0.1


def test_bytes_with_two_names_give_both_a_real_share():
    stereo = encoded(interleaved(np.zeros(8000), voice(0.5)), "pcm_s16le")
    wide = estimate_encoding(stereo)
    assert wide.probabilities["pcm_s32le"] == pytest.approx(0.8, abs=0.05)
    assert wide.probabilities["pcm_s16le"] == pytest.approx(0.2, abs=0.05)
    right_silent = estimate_encoding(encoded(interleaved(voice(0.5), np.zeros(8000)), "pcm_s16le"))
    assert best(right_silent) == "pcm_s16le" and right_silent.layout.channels == 2
    assert right_silent.probabilities["pcm_s32le+2"] > 0.1


@pytest.mark.parametrize("size", [400, 4000, 100_000])
def test_bytes_without_structure_are_no_samples(size):
    noise = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    assert best(estimate_encoding(noise)) == "not-pcm"


@pytest.mark.parametrize(
    "content",
    [
        base64.b64encode(encoded(voice(0.3, peak=0.01), "pcm_s16le").tobytes()),
        encoded(voice(0.3), "pcm_s16le").tobytes().hex().encode(),
        str([round(float(value), 5) for value in voice(0.1)]).encode(),
        b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502</h1>try again</body></html>",
        '{"type": "error", "message": "Schlüssel ungültig", "code": 401, "request": "b7c1d2"}\n'.encode() * 3,
    ],
)
def test_text_is_told(content):
    assert best(estimate_encoding(np.frombuffer(content, dtype=np.uint8))) == "text"


@pytest.mark.parametrize(
    "data",
    [
        np.zeros(0, dtype=np.uint8),
        np.arange(90, dtype=np.uint8),
        *(np.full(50_000, value, dtype=np.uint8) for value in (0x00, 0xFF, 0xD5, 0x7F)),
        np.concatenate([np.zeros(50_000, dtype=np.uint8), np.ones(50, dtype=np.uint8)]),
        encoded(0.3 * np.sin(2 * np.pi * 1000 * np.arange(32000) / RATE), "pcm_s16le"),
        encoded(0.3 * np.sin(2 * np.pi * 443.7 * np.arange(32000) / RATE), "pcm_f32le"),
        encoded(0.3 * np.sin(2 * np.pi * 443.7 * np.arange(32000) / RATE), "pcm_mulaw"),
    ],
)
def test_what_cannot_tell_is_undecided_with_a_reason(data):
    estimate = estimate_encoding(data)
    assert_sound(estimate)
    assert not estimate.decidable
    assert max(estimate.probabilities.values()) < 0.1 and estimate.stereo == 0.0


@pytest.mark.parametrize(
    ("before", "after"), [("pcm_s16le", "pcm_mulaw"), ("pcm_f32le", "pcm_s16le"), ("pcm_alaw", "s8")]
)
def test_a_change_of_format_is_found_and_placed(before, after):
    sound = voice(6.0)
    cut = int(2.7 * RATE)
    start = encoded(sound[:cut], before)
    found = find_changes(np.concatenate([start, encoded(sound[cut:], after)]))
    assert len(found) == 1
    assert found[0].before == before and found[0].after.startswith(after)
    assert abs(found[0].offset - len(start)) <= 0.2 * RATE * ENCODINGS[before].width
    assert found[0].confidence > 0.9


def test_alignment_lost_and_found_again_are_two_changes():
    data = encoded(voice(9.0), "pcm_s16le")
    found = find_changes(np.concatenate([data[:96_000], data[96_001:192_001], data[192_002:]]))
    assert [(one.before, one.after) for one in found] == [("pcm_s16le", "pcm_s16le+1"), ("pcm_s16le+1", "pcm_s16le")]
    assert abs(found[0].offset - 96_000) < 6400 and abs(found[1].offset - 192_000) < 6400


@pytest.mark.parametrize("name", SUPPORTED)
def test_a_healthy_stream_has_no_change(name):
    sound = np.concatenate([voice(2.0), np.zeros(3 * RATE), voice(2.0, 3, 0.01), voice(2.0, 4, 0.9), np.zeros(RATE)])
    assert find_changes(encoded(sound, name)) == []


def test_much_noise_of_floats_behind_speech_is_no_change():
    rate, rng = 48_000, np.random.default_rng(2)
    sound = np.repeat(voice(6.0), 3) + rng.normal(0, 1e-4, 18 * RATE)
    noise = rng.normal(0, 6e-4, 18 * rate)
    data = np.concatenate([sound, np.zeros(15 * rate), sound, noise]).astype("<f4").view(np.uint8)
    assert find_changes(data) == []


@settings(max_examples=40)
@given(st.binary(max_size=3000), st.integers(1, 8))
def test_any_bytes_give_an_answer(content, times):
    data = np.frombuffer(content * times, dtype=np.uint8)
    assert_sound(estimate_encoding(data))
    find_changes(data)


@pytest.mark.parametrize(
    "word", [b"\x00\x00\xc0\x7f", b"\xff\xff\xff\xff\xff\xff\xef\x7f", b"\x01\x00\x00\x00\x00\x00\x00\x80"]
)
def test_extreme_numbers_are_survived(word):
    data = np.frombuffer(word * 2000, dtype=np.uint8).copy()
    data[::37] = np.random.default_rng(0).integers(0, 256, len(data[::37]))
    assert_sound(estimate_encoding(data))


def test_a_large_memory_map_is_read_in_parts_only(tmp_path):
    sound = encoded(voice(2.0), "pcm_s16le")
    path = tmp_path / "long.raw"
    with path.open("wb") as file:
        file.truncate(1 << 28)
        file.seek(1 << 20)
        file.write(sound.tobytes() * 60)
    estimate = estimate_encoding(np.memmap(path, dtype=np.uint8, mode="r"))
    assert best(estimate) == "pcm_s16le"
    assert estimate.judged_bytes < 100_000


@given(st.floats(0.0, 50.0), st.floats(1e-9, 100.0))
def test_the_law_of_all_cells_sums_to_one(middle, half):
    steps = np.arange(-4000, 4001) * 2 * half
    total = laplace_mass(np.abs(steps - middle), np.full(len(steps), half)).sum()
    covered = (
        1.0 - 0.5 * np.exp(-(8001 * half - middle)) - 0.5 * np.exp(-(8001 * half + middle))
        if 8001 * half > middle
        else 0
    )
    assert total <= 1.0 + 1e-9
    assert total >= covered - 1e-6


def test_a_code_of_counts_is_as_long_as_its_entropy():
    counts = np.array([[500, 500], [1000, 0]])
    fair, constant = count_adaptive_bits(counts)
    assert 1000 < fair < 1010
    assert constant < 8


def test_cells_widen_to_the_grid_that_samples_lie_on():
    wide = read_samples(encoded(np.rint(voice(0.2) * 2**15) / 2**15, "pcm_s32le")[None, :], "pcm_s32le", 0)
    assert wide.valid.all() and wide.cells.min() == 2.0**16
    scaled = read_samples(encoded(np.rint(voice(0.2) * 32767) / 32767, "pcm_f32le")[None, :], "pcm_f32le", 0)
    assert scaled.cells.max() == pytest.approx(1 / 32767)


def test_floats_that_no_sound_has_are_no_interpolation_and_overflow_nowhere():
    values = np.random.default_rng(3).normal(size=(1, 400)) * 1e200
    assert not is_interpolated(Reading(values, np.ones_like(values), np.ones_like(values, dtype=bool), 64))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 3), st.integers(100, 700))
def test_layouts_cost_the_same_one_by_one_and_at_once(seed, clipped, size):
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 256, 4 * size, dtype=np.uint8)
    data[: clipped * size] = np.clip(data[: clipped * size], 100, 140)  # plateaus are counted for each reading alone
    readings = [(data.reshape(4, size), layout) for layout in LAYOUTS.values()]
    together = count_layouts_bits(readings)
    for reading, bits in zip(readings, together, strict=True):
        assert count_layouts_bits([reading])[0] == pytest.approx(bits)


def test_what_no_score_can_win_is_not_judged_in_full(monkeypatch):
    judged = []
    monkeypatch.setattr(
        "sttdoctor.analysis.encoding.estimate.count_mono_bits",
        lambda samples, rounds=1: judged.append(rounds) or count_mono_bits(samples, rounds),
    )
    assert best(estimate_encoding(encoded(voice(2.0), "pcm_s16le"))) == "pcm_s16le"
    assert judged.count(1) < 6


@pytest.mark.parametrize("hertz", [425, 440, 800, 1000, 1400])
@pytest.mark.parametrize(("on_s", "period_s"), [(0.2, 1.0), (0.4, 0.8), (0.1, 0.3)])
def test_beeps_in_floats_are_no_doubles(hertz, on_s, period_s):
    """Two samples of a tone that repeats every eighth one are the same double again and again."""
    t = np.arange(80_000) / 8000
    beeps = 0.5 * np.sin(2 * np.pi * hertz * t) * (t % period_s < on_s)
    estimate = estimate_encoding(encoded(beeps, "pcm_f32le"))
    assert not estimate.decidable or best(estimate) == "pcm_f32le"


@pytest.mark.parametrize("order", ["<f4", ">f4"])
@pytest.mark.parametrize("chunk", [480, 960])
def test_floats_of_chunks_that_were_each_brought_to_full_scale_are_floats(order, chunk):
    speech = np.concatenate([voice(1.0), voice(1.0) * 0.01])
    samples = np.rint(speech * 32767 + np.random.default_rng(3).normal(0, 3, len(speech)))
    rows = samples[: len(samples) // chunk * chunk].reshape(-1, chunk)
    floats = (rows / np.abs(rows).max(axis=1, keepdims=True)).astype(order)
    assert best(estimate_encoding(floats.reshape(-1).view(np.uint8))) == ("pcm_f32le" if order == "<f4" else "f32be")


def test_words_near_zero_are_integers():
    for order in ("<i4", ">i4"):
        loud = np.clip(voice(1.0) * 8, -1, 1) * (2**31 - 1)
        assert not never_rests(loud.astype(order).view(np.uint8).reshape(1, -1), order == ">i4")
    assert never_rests((0.5 * voice(1.0) + 0.01).astype("<f4").view(np.uint8).reshape(1, -1), False)


@pytest.mark.parametrize("level", [0.2, 0.004])
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("pair", [(350.0, 440.0), (770.0, 1336.0)])
def test_two_generated_tones_are_told_at_any_rate_and_level(pair, rate, level):
    time = np.arange(2 * rate) / rate
    sounding = time % 0.2 < 0.1 if pair[0] > 500 else time < 1.5
    samples = level * sounding * sum(np.sin(2 * np.pi * hertz * time) for hertz in pair)
    assert estimate_encoding(encoded(samples, "pcm_s16le")).tones


@pytest.mark.parametrize("level", [10 ** (db / 20) for db in (-36, -48, -54, -60)])
@pytest.mark.parametrize("samples", [WIDE, resample_poly(WIDE, 147, 160)], ids=["48 kHz", "44.1 kHz"])
def test_quiet_speech_at_a_high_rate_is_no_tones(samples, level):
    loud = np.sqrt(np.mean(samples**2))
    assert not estimate_encoding(encoded(samples * level / loud, "pcm_s16le")).tones

import numpy as np
import pytest
from buzz import RATE, levels, voice
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample, resample_poly

from sttdoctor.analysis.decoding import MULAW_TABLE, Layout, decode
from sttdoctor.analysis.signal.clicks import find_border_clicks, find_clicks, measure_jumps
from sttdoctor.analysis.signal.levels import (
    decode_loudest,
    find_worst_clipping,
    find_zero_runs,
    is_modulated,
    measure,
    measure_clipping,
)

NOTHING = measure(np.zeros(0, np.uint8), "pcm_s16le", 1, RATE)

RNG = np.random.default_rng(3)


def test_of_no_samples_there_is_nothing():
    assert (NOTHING.dc_offset, NOTHING.active_rms(10), measure_clipping(NOTHING)) == (0.0, 0.0, 0.0)
    assert find_worst_clipping(NOTHING) == (0.0, 0.0)
    assert not is_modulated(NOTHING)
    samples, first = decode_loudest(np.zeros(0, np.uint8), Layout("pcm_s16le"), NOTHING, 1000)
    assert not len(samples) and first == 0


def test_a_fill_has_no_part_in_the_offset():
    x = 0.5 * voice() + 0.1
    x[: len(x) * 2 // 3] = 0.0
    assert levels(x).dc_offset == pytest.approx(0.1, abs=0.02)


def test_speech_is_modulated_and_noise_is_not():
    noise = np.random.default_rng(4).normal(size=4 * RATE) * 0.1
    assert is_modulated(levels(0.9 * voice())) and not is_modulated(levels(noise))


def test_clipping_of_a_part_shows_where_it_is():
    x = 0.4 * voice(12)
    start = 6 * RATE
    x[start : start + 2 * RATE] = np.clip(8 * x[start : start + 2 * RATE], -0.95, 0.95)
    found = levels(x)
    share, begins_s = find_worst_clipping(found)
    assert begins_s == pytest.approx(6.0, abs=0.5)
    assert share > 2 * measure_clipping(found) > 0


@pytest.mark.parametrize("source", ["u8", "pcm_mulaw", "pcm_alaw"])
def test_zero_bytes_are_false_silence_where_they_are_loud_and_in_what_they_are_converted_to(source):
    data = np.random.default_rng(6).integers(1, 256, 8000, dtype=np.uint8)
    data[2000:4000] = 0
    found = measure(data, source, 1, 8000)
    converted = levels(decode(data.tobytes(), source), rate=8000)
    for one, encoding in ((found, source), (converted, "pcm_s16le")):
        name, zeros = find_zero_runs(one, encoding)
        assert (name, one.runs.length[zeros].tolist()) == (source, [2000])


def test_zero_bytes_of_linear_samples_are_silence():
    x = 0.4 * voice()
    x[20_000:22_000] = 0.0
    assert not find_zero_runs(levels(x), "pcm_s16le")[1].any()


@pytest.mark.parametrize("hz", [12, 20, 40])
def test_thumps_that_are_cut_off_at_one_end_are_no_false_silence(hz):
    x = 0.3 * voice(6)
    t = np.arange(RATE // 4) / RATE
    thump = -3 * np.exp(-2 * hz * t) * np.sin(2 * np.pi * hz * t)
    for start in range(5000, len(x) - len(t), 20_000):
        x[start : start + len(t)] += thump
    found = levels(np.clip(x, -1, 1))
    assert (found.runs.value < -0.999).sum() >= 4
    assert not find_zero_runs(found, "pcm_s16le")[1].any()


def test_false_silence_that_was_resampled_still_jumps():
    x = 0.3 * voice(6)[: 6 * RATE]
    for start in range(5000, 90_000, 9000):
        x[start : start + 2000] = -1.0
    wide = np.interp(np.arange(3 * len(x)) / 3, np.arange(len(x)), x)
    found = levels(wide, rate=3 * RATE)
    assert find_zero_runs(found, "pcm_s16le")[1].sum() >= 5


@pytest.mark.parametrize("channels", [1, 2])
def test_the_loudest_stretch_is_found_in_the_louder_channel(channels):
    rng = np.random.default_rng(7)
    x = rng.normal(size=8 * RATE) * 0.001
    x[5 * RATE : 6 * RATE] = 0.3 * voice(1)
    both = np.stack([rng.normal(size=len(x)) * 0.0005, x], axis=1) if channels == 2 else x[:, None]
    data = np.rint(both * 32767).astype("<i2").view(np.uint8).reshape(-1)
    layout = Layout("pcm_s16le", 0, channels)
    samples, first = decode_loudest(data, layout, measure(data, "pcm_s16le", channels, RATE), RATE)
    assert first == pytest.approx(5 * RATE, abs=0.05 * RATE) and len(samples) == RATE
    assert samples == pytest.approx(x[first : first + RATE], abs=1e-4)


def test_level_and_offset():
    t = np.arange(RATE) / RATE
    found = levels(0.5 * np.sin(2 * np.pi * 200 * t) + 0.1)
    assert found.loud == pytest.approx(0.5 / np.sqrt(2), rel=0.01)
    assert found.dc_offset == pytest.approx(0.1, abs=1e-3)
    assert found.samples == RATE


def test_steps_that_sound_are_told_from_silent_ones_whatever_their_offset():
    x = np.full(RATE, 0.1)
    x[: RATE // 4] += 0.5 * np.sin(2 * np.pi * 200 * np.arange(RATE // 4) / RATE)
    x[RATE // 2] += 0.01
    data = np.rint(32768 * x).astype("<i2").view(np.uint8)
    found, all_of_it = measure(data, "pcm_s16le", 1, RATE, silent_peak=0.1), measure(data, "pcm_s16le", 1, RATE)
    assert found.sounding * found.step == pytest.approx(RATE / 4, abs=found.step)
    assert found.quiet_peak == pytest.approx(0.11, abs=1e-3)
    assert (all_of_it.sounding * found.step, all_of_it.quiet_peak) == (RATE, 0.0)


def test_samples_at_another_scale_are_brought_to_full_scale():
    right = levels(0.5 * voice())
    floats = levels(0.5 * 32768 * voice(), "pcm_f32le", factor=1 / 32768)
    faint = measure(np.rint(0.5 * 32768 * voice()).astype("<i4").view(np.uint8), "pcm_s32le", 1, RATE, 65536.0)
    for found in (floats, faint):
        assert (found.loud, found.high, found.low) == pytest.approx((right.loud, right.high, right.low), rel=0.01)


def test_of_two_channels_the_louder_one_is_measured():
    both = np.stack([0.01 * voice(), voice()], axis=1).reshape(-1)
    assert levels(both, channels=2).loud == pytest.approx(levels(voice()).loud, rel=0.01)


def test_flat_tops():
    assert levels(0.9 * voice()).flat == 0
    clipped = np.clip(2 * voice(), -1, 1)
    at_limit = int((np.abs(clipped) == 1).sum())
    assert 0.3 * at_limit < levels(clipped).flat < at_limit
    assert levels(1.5 * voice(), "pcm_f32le").beyond == int((np.abs((1.5 * voice()).astype("<f4")) > 1).sum())


@pytest.mark.parametrize("length", [40, 400, 65_536, 70_003, 200_000])
def test_samples_that_are_all_the_same(length):
    found = levels(np.full(length, 0.25))
    assert (found.flat, found.clipped.sum(), found.samples) == (0, 0, length)
    assert found.runs.length.tolist() == [length]
    assert (found.runs.before[0], found.runs.after[0]) == (0, 0)


@pytest.mark.parametrize("length", [80, 81, 160, 1000, 400_000])
@pytest.mark.parametrize("start", [1000, 163_840 - 40])
def test_a_constant_stretch_is_found_to_the_sample(start, length):
    x = np.where(np.arange(600_000) % 2, 0.3, -0.3) + RNG.normal(size=600_000) * 0.01
    x[start : start + length] = 0.25
    runs = levels(x).runs
    cut = start < 163_840 < start + length < 163_840 + 80  # what a border leaves over may be too short to be seen
    assert len(runs.start) == 1
    assert runs.start[0] == pytest.approx(start, abs=0)
    assert runs.length[0] == length or cut
    assert runs.before[0] > 0.1


def test_shorter_stretches_do_not_count():
    x = RNG.normal(size=RATE) * 0.1
    x[500:570] = 0
    assert len(levels(x).runs.start) == 0


@given(
    st.binary(max_size=2000), st.sampled_from(["pcm_s16le", "pcm_f32le", "pcm_f16le", "pcm_mulaw", "f64le", "s24le"])
)
@settings(max_examples=60)
def test_any_bytes_can_be_measured(data, encoding):
    found = measure(np.frombuffer(data, np.uint8), encoding, 1, 8000)
    assert np.isfinite([found.loud, found.high, found.low]).all()
    assert (found.runs.length >= 0).all()


@pytest.mark.parametrize("period", [160, 371, 1600])
def test_clicks_on_a_grid(period):
    x = voice(6)
    at = np.arange(57, len(x), period)
    x[at] += 0.3 * np.where(RNG.random(len(at)) < 0.5, 1, -1)
    found = find_clicks(x, RATE, measure_jumps(x, RATE, 1e-4))
    assert found.period == period
    assert found.first == pytest.approx(57 % period, abs=2)
    assert found.ratio > 3 and found.share > 0.5


def test_as_many_clicks_off_any_grid_have_no_period():
    x = voice(6)
    at = RNG.choice(len(x), 100, replace=False)
    x[at] += 0.3
    found = find_clicks(x, RATE, measure_jumps(x, RATE, 1e-4))
    assert found is None or found.ratio < 3


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros(50_000), np.ones(50_000), voice(0.1), voice(5)])
def test_no_clicks(x):
    found = find_clicks(x, RATE, measure_jumps(x, RATE, 1e-4))
    assert found is None or found.ratio < 3


@pytest.mark.parametrize("on_s", [0.25, 0.5])
def test_tones_that_beat_bend_by_themselves(on_s):
    """Call progress tones in G.711, switched on and off: every 100 ms the beat is where it was."""
    times = np.arange(round(on_s * 8000)) / 8000
    tone = 0.3 * (np.sin(2 * np.pi * 480 * times) + np.sin(2 * np.pi * 620 * times))
    x = np.tile(np.concatenate([tone, 0 * tone]), round(6 / on_s))
    table = np.sort(MULAW_TABLE)
    coded = table[np.searchsorted((table[1:] + table[:-1]) / 2, x)]
    found = find_clicks(coded, 8000, measure_jumps(coded, 8000, 1e-4))
    assert found is None or found.ratio < 3


@pytest.mark.parametrize("rate", [1, 2, 8, 50, 1000])
@pytest.mark.parametrize("count", [0, 1, 12, 24, 32, 100, 5000])
def test_clicks_are_looked_for_only_where_a_period_has_samples(rate, count):
    x = RNG.normal(size=count)
    x[::16] += 100.0
    found = find_clicks(x, rate, measure_jumps(x, rate, 1e-6))
    assert found is None or found.period >= 16


CHUNK = 320


@pytest.fixture(scope="module")
def spoken():
    wide = decode((FIXTURES / "audio/s16-48k.raw").read_bytes(), "pcm_s16le")
    return wide[: len(wide) // (3 * CHUNK) * 3 * CHUNK]


def cut(x, size):
    return [x[i : i + size] for i in range(0, len(x), size)]


@pytest.mark.parametrize(
    "change",
    [
        lambda part: resample_poly(part, 1, 3),
        lambda part: resample(part, len(part) // 3),
        lambda part: np.interp(np.linspace(0, len(part) - 1, len(part) // 3), np.arange(len(part)), part),
    ],
    ids=["polyphase", "by Fourier transform", "linear to the last sample"],
)
def test_frames_that_were_resampled_by_themselves_bend_at_their_borders(spoken, change):
    x = np.concatenate([change(part) for part in cut(spoken, 3 * CHUNK)])
    found = find_border_clicks(x, 16_000, measure_jumps(x, 16_000, 1e-4), np.arange(CHUNK, len(x), CHUNK))
    assert found is not None
    assert (found.period, found.ratio > 1.3) == (CHUNK, True)


@pytest.mark.parametrize("size", [128, 320, 321, 1600])
def test_frames_of_one_stream_do_not_bend_at_their_borders(spoken, size):
    x = resample_poly(spoken, 1, 3)
    jumps = measure_jumps(x, 16_000, 1e-4)
    assert find_border_clicks(x, 16_000, jumps, np.arange(size, len(x), size)) is None


def test_a_codec_that_fades_from_frame_to_frame_does_not_bend_at_their_borders(spoken):
    x = resample_poly(spoken, 1, 3)
    fading = np.cos(np.pi * np.arange(len(x)) / CHUNK) ** 2  # 1 where one frame fades into the next
    # an error of one size everywhere would be pulses that are added: what a codec does follows the sound
    level = np.sqrt(np.convolve(x**2, np.ones(CHUNK) / CHUNK, "same"))
    error = np.random.default_rng(4).normal(0.0, 0.1, len(x)) * level

    def find(shape):
        y = x + error * shape
        return find_border_clicks(y, 16_000, measure_jumps(y, 16_000, 1e-4), np.arange(CHUNK, len(y), CHUNK))

    assert find(fading) is None
    assert find(fading > 0.999) is not None


@pytest.mark.parametrize("step_db", [1.0, 2.0, 6.0])
def test_gain_that_steps_at_each_border_bends_there(spoken, step_db):
    x = resample_poly(spoken, 1, 3)
    gain_db = np.random.default_rng(4).uniform(-step_db, step_db, len(x) // CHUNK)
    x *= np.repeat(10 ** (gain_db / 20), CHUNK)
    found = find_border_clicks(x, 16_000, measure_jumps(x, 16_000, 1e-4), np.arange(CHUNK, len(x), CHUNK))
    assert found is not None and found.period == CHUNK


def test_borders_that_are_few_or_close_are_not_judged(spoken):
    x = np.concatenate([resample_poly(part, 1, 3) for part in cut(spoken, 3 * CHUNK)])
    jumps = measure_jumps(x, 16_000, 1e-4)
    for borders in (np.zeros(0, np.int64), np.arange(CHUNK, 10 * CHUNK, CHUNK), np.arange(0, len(x), 4)):
        assert find_border_clicks(x, 16_000, jumps, borders) is None

"""

Active steps and the excerpt of the most active blocks: a step is 256 samples, a block 32 steps.
"""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.signal import resample_poly

from sttdoctor.analysis.decoding import decode
from sttdoctor.analysis.rate import net as rate_net
from sttdoctor.analysis.rate.estimate import (
    RateEstimate,
    cut_active,
    estimate_rate,
    find_active_steps,
    find_steep_edge,
    finite_mono,
    get_sharpness,
    pool_estimates,
)
from sttdoctor.analysis.rate.evidence import list_most_probable
from sttdoctor.encodings import STANDARD_RATES

SOURCES = FIXTURES / "source"

STEP, SIZE = 256, 8192

AUDIO = FIXTURES / "audio"
WIDE = decode((AUDIO / "s16-48k.raw").read_bytes(), "pcm_s16le")
NARROW = decode((AUDIO / "s16-16k.raw").read_bytes(), "pcm_s16le")


def recorded(name: str, rate: int) -> np.ndarray:
    """A recording as it would be at another rate, by band-limited resampling."""
    samples, own = soundfile.read(SOURCES / f"{name}.flac")
    count = round(len(samples) * rate / own)
    spectrum = np.fft.rfft(samples)
    size = count // 2 + 1
    kept = np.zeros(size, complex)
    kept[: min(size, len(spectrum))] = spectrum[: min(size, len(spectrum))]
    return np.fft.irfft(kept, count) * count / len(samples)


def babble(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=int(seconds * rate))


@pytest.mark.parametrize("true", [8000, 16000, 24000, 48000])
@pytest.mark.parametrize("name", ["kennedy", "austen-0870"])
def test_speech_is_told_within_ten_percent_and_clearly_wrong_rates_are_excluded(name: str, true: int) -> None:
    estimate = estimate_rate(recorded(name, true))
    assert estimate.speech_like > 0.9
    assert abs(estimate.best / true - 1) < 0.1
    assert true in list_most_probable(estimate.probabilities)
    assert estimate.sum_near(true) > 0.09
    for declared in (rate for rate in STANDARD_RATES if max(rate / true, true / rate) > 1.9):
        assert estimate.sum_near(declared) < 0.015


def test_telephone_speech_in_a_wider_container_is_not_a_wrong_rate() -> None:
    narrow = recorded("kennedy", 8000)
    spectrum = np.fft.rfft(narrow)
    wide = np.fft.irfft(np.pad(spectrum, (0, 2 * len(spectrum))), 3 * len(narrow)) * 3
    estimate = estimate_rate(wide)
    assert estimate.sum_near(24000) > 0.5


def test_level_offset_and_broken_samples_do_not_matter() -> None:
    samples = recorded("kennedy", 16000)
    plain = estimate_rate(samples)
    moved = samples * 1e-4 + 0.3e-4
    moved[::5001] = np.nan
    moved[7::9001] = np.inf
    for rate, p in estimate_rate(moved).probabilities.items():
        assert p == pytest.approx(plain.probabilities[rate], abs=0.1)
    assert estimate_rate(np.clip(samples * 1e300, -1e308, 1e308)).best == plain.best


def test_it_is_deterministic_and_leaves_its_input_alone() -> None:
    samples = recorded("kennedy", 16000)
    before = samples.copy()
    assert estimate_rate(samples) == estimate_rate(samples)
    assert np.array_equal(samples, before)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0),
        np.zeros(80000),
        np.full(80000, 0.25),
        np.full(80000, np.nan),
        np.full(80000, np.inf),
        np.array([1.0]),
        np.sin(np.arange(160000) * 0.3),
        babble(10, 16000),
        np.cumsum(babble(10, 16000)),
    ],
    ids=["empty", "silence", "constant", "nan", "inf", "one sample", "tone", "white noise", "brown noise"],
)
def test_without_speech_nothing_is_excluded(samples: np.ndarray) -> None:
    estimate = estimate_rate(samples)
    assert estimate.speech_like < 0.5
    assert estimate.speech_s == 0.0
    assert min(estimate.probabilities.values()) > 0.09
    assert len(list_most_probable(estimate.probabilities)) > 5


def test_a_little_speech_says_less_than_much() -> None:
    samples = recorded("kennedy", 16000)
    entropy = [
        -sum(p * np.log(p) for p in estimate_rate(part).probabilities.values() if p > 0)
        for part in (samples[20000:24000], samples)
    ]
    assert entropy[0] > entropy[1]


@settings(max_examples=40)
@given(
    hnp.arrays(np.float64, st.integers(0, 6000), elements=st.floats(width=64)),
    st.lists(st.integers(1, 10**9), min_size=1, max_size=3),
)
def test_any_samples_and_candidates_give_probabilities(samples: np.ndarray, candidates: list[int]) -> None:
    estimate = estimate_rate(samples, candidates)
    assert set(estimate.probabilities) == set(candidates)
    assert sum(estimate.probabilities.values()) == pytest.approx(1.0)
    assert all(0.0 <= p <= 1.0 for p in estimate.probabilities.values())
    assert 0.0 <= estimate.speech_like <= 1.0
    assert estimate.best in list_most_probable(estimate.probabilities)


def test_declared_rates_outside_the_standard_join_the_candidates() -> None:
    candidates = [*STANDARD_RATES, 15000, 96000, 1, 10**9]
    estimate = estimate_rate(recorded("kennedy", 16000), candidates)
    assert set(estimate.probabilities) == set(candidates)
    assert estimate.probabilities[15000] > 0.05
    assert estimate.probabilities[96000] < 0.01


def test_no_candidate_is_an_error() -> None:
    with pytest.raises(ValueError, match="candidate"):
        estimate_rate(np.zeros(9000), [])


def test_mass_near() -> None:
    estimate = RateEstimate({8000: 0.02, 22050: 0.40, 24000: 0.56, 48000: 0.02}, 5.0, 1.0)
    assert estimate.best == 24000
    assert estimate.sum_near(22050) == pytest.approx(0.96)
    assert estimate.sum_near(23000) == pytest.approx(0.96)
    assert estimate.sum_near(16000) == 0


def test_features_are_anchored_in_hertz_and_seconds() -> None:
    def features(rate: int) -> np.ndarray:
        times = np.arange(rate) / rate
        voice = sum(np.sin(2 * np.pi * 125 * k * times) / k for k in range(1, 25))
        return rate_net.extract_features((voice * (1 + np.sin(2 * np.pi * 4 * times))).astype(np.float32), rate)

    low, high = features(16000), features(44100)
    assert low.shape == high.shape == (49, rate_net.FEATURES)
    loud = low[:, : rate_net.SHARED_BANDS].max(axis=1) > -3
    assert np.abs(low - high)[loud][:, : rate_net.SHARED_BANDS].mean() < 0.2
    lags = np.geomspace(1 / 500, 1 / 50, rate_net.LAGS)
    peak = lags[low[loud, rate_net.BANDS :].mean(axis=0)[: rate_net.LAGS * 3 // 4].argmax()]
    assert peak == pytest.approx(1 / 125, rel=0.05)


def test_convolutions_and_pooling_are_what_they_say() -> None:
    rng = np.random.default_rng(1)
    net = {"a_weight": rng.normal(size=(3, 4, 2)).astype("f4"), "a_bias": rng.normal(size=2).astype("f4")}
    x = rng.normal(size=(9, 4)).astype("f4")
    expected = [
        [
            sum(x[t + k, i] * net["a_weight"][k, i, o] for k in range(3) for i in range(4)) + net["a_bias"][o]
            for o in range(2)
        ]
        for t in (0, 2, 4, 6)
    ]
    assert rate_net._convolve(x, net, "a", stride=2) == pytest.approx(np.maximum(expected, 0), abs=1e-5)
    spread = rate_net._pool(x, np.full(9, 1 / 9, np.float32))
    assert spread == pytest.approx(np.concatenate([x.mean(axis=0), x.std(axis=0)]), abs=1e-4)


def test_scaled_features_score_as_plain_ones_of_a_model_that_scales_them(tmp_path: Path) -> None:
    with np.load(Path(rate_net.__file__).with_name("rate_model.npz")) as stored:
        scaling = dict(stored)
    plain = {**scaling, "feature_mean": np.zeros(rate_net.FEATURES), "feature_scale": np.ones(rate_net.FEATURES)}
    np.savez(tmp_path / "plain.npz", **plain)
    rng = np.random.default_rng(3)
    for count in (1, 20, 60):  # fewer frames than the convolutions need, and more
        features = rng.normal(size=(count, rate_net.FEATURES)).astype("f4")
        scaled = (features - scaling["feature_mean"]) * scaling["feature_scale"]
        scores = rate_net.score_rates([features, features[::-1]], rate_net.load_model())
        assert rate_net.score_rates([scaled, scaled[::-1]], rate_net.read_model(tmp_path / "plain.npz")) == (
            pytest.approx(scores, rel=1e-3, abs=1e-3)
        )
        assert count == 1 or scores[0] != pytest.approx(scores[1], rel=1e-2)  # the order in time counts


def test_more_speech_never_makes_the_scores_softer() -> None:
    model = rate_net.load_model()
    values = [get_sharpness(model, seconds) for seconds in (0.0, 0.5, 1.0, 3.0, 8.0, 1e6)]
    assert values == sorted(values)
    assert values[-1] == values[-2]


def test_the_excerpt_is_bounded_and_takes_the_active_parts() -> None:
    quiet = np.random.default_rng(0).normal(size=2_000_000).astype("f4") * 1e-4
    loud = slice(1_200_000, 1_300_000)
    quiet[loud] *= 1e4
    active = find_active_steps(quiet)
    excerpt = cut_active(quiet, active, 64_000)
    assert 64_000 <= len(excerpt) < 64_000 + SIZE
    assert np.abs(excerpt).mean() > 0.5
    whole = cut_active(quiet, active, 10**7)
    assert 100_000 <= len(whole) <= 100_000 + 4 * SIZE


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
    assert find_active_steps(steps(*[1.0] * 20, 1 / 31, 1 / 32, 0.0)).tolist() == [True] * 21 + [False] * 2


def test_the_loud_steps_are_the_95th_percentile_of_those_with_sound():
    # one step in fifty that is 100 times louder does not hide the others, nor does silence count
    assert find_active_steps(steps(100.0, *[1.0] * 49, *[0.0] * 50)).tolist() == [True] * 50 + [False] * 50
    assert find_active_steps(steps(1.0, 1.0, 1 / 40, *[0.0] * 60)).tolist() == [True] * 2 + [False] * 61


def test_whole_steps_only():
    assert find_active_steps(np.ones(STEP * 3 - 1, np.float32)).tolist() == [True, True]
    assert find_active_steps(np.zeros(STEP * 3, np.float32)).tolist() == [False] * 3
    assert find_active_steps(np.ones(STEP - 1, np.float32)).tolist() == []


def excerpt(shares, limit):
    """Numbers of the blocks in the excerpt of a stream whose blocks have this many active steps of 32."""
    active = np.concatenate([np.arange(32) < share for share in shares])
    samples = np.repeat(np.arange(len(shares)), SIZE).astype(np.float32)
    kept = cut_active(samples, active, limit)
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
    assert np.array_equal(cut_active(samples, active, 10), samples[:SIZE])
    assert np.array_equal(cut_active(samples, active, SIZE + 50), samples[: SIZE + 50])
    assert np.array_equal(cut_active(samples, active, 10 * SIZE), samples)


def test_where_every_block_is_wanted_the_rest_of_the_last_one_stays():
    samples = np.arange(2 * SIZE + 100, dtype=np.float32)
    assert np.array_equal(cut_active(samples, np.ones(64, bool), 10 * SIZE), samples)
    assert np.array_equal(cut_active(samples, np.ones(64, bool), 2 * SIZE), samples[: 2 * SIZE])


@pytest.mark.parametrize("samples", [WIDE, NARROW], ids=["48k", "16k"])
def test_speech_as_recorded_has_no_steep_edge_in_the_middle_of_its_band(samples):
    edge = find_steep_edge(samples)
    assert edge is None or edge > 0.31


@pytest.mark.parametrize(("low", "high"), [(8000, 16000), (8000, 48000), (16000, 48000)])
def test_upsampled_speech_has_its_edge_at_the_lower_nyquist(low, high):
    narrow = resample_poly(NARROW, low // 8000, 2) if low != 16000 else NARROW
    edge = find_steep_edge(resample_poly(narrow, high // low, 1))
    assert edge * high == pytest.approx(low / 2, rel=0.15)


@pytest.mark.parametrize(("low", "factor"), [(16000, 3), (8000, 3), (22050, 2)])
def test_images_of_loud_low_sound_that_a_soft_filter_leaves_do_not_hide_the_edge(low, factor):
    dark = shaped(lambda hz: -60.0 * hz / (low / 2), rate=low)
    edge = find_steep_edge(resample_poly(dark, factor, 1))
    assert edge * factor == pytest.approx(0.5, rel=0.15)


def test_sound_behind_a_gap_that_is_no_image_is_no_end_of_a_band():
    def gain_db(hz):
        return np.where(hz < 4000, 0.0, np.where((hz > 10200) & (hz < 10700), -20.0, -60.0))

    assert find_steep_edge(shaped(gain_db)) is None


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(9000), np.full(9000, np.nan), np.ones(100)])
def test_too_little_or_no_sound_has_no_edge(samples):
    assert find_steep_edge(samples) is None


def test_white_noise_has_no_edge():
    assert find_steep_edge(np.random.default_rng(0).normal(size=48000)) is None


def shaped(gain_db, count=200_000, rate=22050):
    """Noise whose spectrum follows a gain in dB over frequency in Hz."""
    noise = np.fft.rfft(np.random.default_rng(3).normal(size=count))
    samples = np.fft.irfft(noise * 10 ** (gain_db(np.fft.rfftfreq(count, 1 / rate)) / 20))
    return np.rint(samples / np.abs(samples).max() * 16000) / 32768


@pytest.mark.parametrize(
    "gain_db",
    [
        lambda hz: -24 * np.clip((hz - 3600) / 500, 0, 1),  # a synthetic voice: its band ends, its noise goes on
        lambda hz: -48 * np.log2(np.maximum(hz, 3800) / 3800),  # an old tape: a slope of 48 dB an octave
    ],
)
def test_a_slope_is_no_edge(gain_db):
    assert find_steep_edge(shaped(gain_db)) is None


def test_a_cut_is_an_edge():
    assert find_steep_edge(shaped(lambda hz: -60.0 * (hz > 4000))) * 22050 == pytest.approx(4000, rel=0.1)


def heard(speech_s=5.0, **likely):
    """An estimate with the given probabilities (r16000=0.9); the rest is shared by the other rates."""
    known = {int(name[1:]): value for name, value in likely.items()}
    rest = (1 - sum(known.values())) / (len(STANDARD_RATES) - len(known))
    return RateEstimate({rate: known.get(rate, rest) for rate in STANDARD_RATES}, speech_s, 1.0)


def test_parts_that_agree_make_the_whole_surer():
    whole = heard(r16000=0.8, r22050=0.15)
    pooled = pool_estimates(whole, [heard(r16000=0.8)] * 4)
    assert pooled.probabilities[16_000] > whole.probabilities[16_000]
    assert sum(pooled.probabilities.values()) == pytest.approx(1.0)
    assert (pooled.speech_s, pooled.speech_like) == (whole.speech_s, whole.speech_like)


def test_a_voice_of_the_minority_accuses_no_call():
    astray, usual = heard(r24000=0.999), heard(r16000=0.9, r22050=0.05)
    assert pool_estimates(usual, [usual, usual, astray, usual]).best == 16_000
    loudest = pool_estimates(astray, [usual] * 4)
    assert loudest.best == 16_000
    assert loudest.probabilities[24_000] < 0.5


def test_parts_without_speech_say_nothing():
    whole = heard(r16000=0.8)
    assert pool_estimates(whole, [heard(0.4, r24000=0.9)]) is whole
    assert pool_estimates(heard(0.4, r16000=0.8), [whole]).probabilities[16_000] == 0.8

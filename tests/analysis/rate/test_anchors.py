import math

import numpy as np
import pytest
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sttdoctor.analysis.decoding import decode
from sttdoctor.analysis.rate.anchors import Anchor, find_anchors, weigh_anchors
from sttdoctor.analysis.rate.estimate import finite_mono
from sttdoctor.analysis.rate.hum import SPACINGS, find_comb, weigh_hum
from sttdoctor.analysis.rate.tones import find_tones
from sttdoctor.encodings import STANDARD_RATES

SPEECH = decode((FIXTURES / "audio/s16-16k.raw").read_bytes(), "pcm_s16le")


def play(hertz: tuple[float, ...], seconds: float, rate: int) -> np.ndarray:
    times = np.arange(round(seconds * rate)) / rate
    return sum((0.1 * np.sin(2 * np.pi * f * times) for f in hertz), np.zeros(len(times)))


def dial(rate: int, *pairs: tuple[float, float], on_s: float = 0.1, off_s: float = 0.1) -> np.ndarray:
    return np.concatenate([np.concatenate([play(pair, on_s, rate), np.zeros(round(off_s * rate))]) for pair in pairs])


ONE, FIVE, NINE = (697.0, 1209.0), (770.0, 1336.0), (852.0, 1477.0)


def find(samples: np.ndarray) -> list[Anchor]:
    return find_anchors(finite_mono(samples), STANDARD_RATES)


@pytest.mark.parametrize("rate", STANDARD_RATES)
def test_keys_tell_their_rate_and_their_names(rate):
    (anchor,) = find(np.concatenate([dial(rate, ONE, FIVE, NINE), np.zeros(rate)]))
    assert (anchor.rate, anchor.name, anchor.is_sufficient) == (rate, "DTMF digits 1 5 9", True)
    assert all(anchor.weights[other] <= 1 for other in STANDARD_RATES if other != rate)


def test_one_key_speaks_for_its_rate_and_is_not_sufficient():
    (anchor,) = find(np.concatenate([dial(8000, FIVE), np.zeros(8000)]))
    assert anchor.rate == 8000
    assert anchor.speaks_for(8000)
    assert not anchor.is_sufficient


def test_a_key_that_is_pressed_again_says_nothing_new():
    once, often = (find(np.concatenate([dial(8000, *[ONE] * n), np.zeros(8000)]))[0] for n in (1, 8))
    assert often.weights[8000] == pytest.approx(once.weights[8000], rel=0.05)


@pytest.mark.parametrize(
    ("hertz", "on_s", "off_s", "times", "name"),
    [
        ((440.0, 480.0), 2.0, 4.0, 1, "ringing tones"),
        ((480.0, 620.0), 0.5, 0.5, 3, "busy tones"),
        ((350.0, 440.0), 2.0, 0.5, 1, "dial tones"),
        ((425.0,), 1.0, 4.0, 3, "ringing tones"),
        ((425.0,), 0.48, 0.48, 5, "busy tones"),
        ((1100.0,), 0.5, 3.0, 3, "calling tones of a fax"),
    ],
)
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_tones_of_the_network_tell_their_rate(hertz, on_s, off_s, times, name, rate):
    sound = np.tile(np.concatenate([play(hertz, on_s, rate), np.zeros(round(off_s * rate))]), times)
    found = find(np.concatenate([sound, np.zeros(rate)]))
    assert [(anchor.rate, anchor.name) for anchor in found] == [(rate, name)]


@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("rate", [8000, 24000, 48000])
def test_hum_tells_its_rate_and_which_mains(mains, rate):
    rng = np.random.default_rng(4)
    noise = rng.normal(size=6 * rate) * 0.003
    (anchor,) = find(noise + play((mains, 2 * mains, 3 * mains), 6, rate))
    assert (anchor.rate, anchor.name) == (rate, f"lines of {mains} Hz mains hum")
    assert not anchor.is_sufficient


@pytest.mark.parametrize("harmonics", [(1, 2), (1, 3, 5), (1, 2, 3)])
@pytest.mark.parametrize("mains", [50, 60])
def test_few_lines_are_hum_of_the_lowest_and_not_of_half_of_it(mains, harmonics):
    noise = np.random.default_rng(4).normal(size=6 * 16_000) * 0.003
    (anchor,) = find(noise + play(tuple(float(mains * number) for number in harmonics), 6, 16_000))
    assert (anchor.rate, anchor.name) == (16_000, f"lines of {mains} Hz mains hum")


@pytest.mark.parametrize("mains", [50.03, 59.95])
def test_hum_far_below_a_voice_is_found(mains):
    lines = play(tuple(mains * number for number in range(1, 8)), len(SPEECH) / 16_000, 16_000)
    noise = np.random.default_rng(4).normal(size=len(SPEECH)) * SPEECH.std() * 0.01
    (anchor,) = find(SPEECH + noise + lines * (SPEECH.std() / lines.std() * 10 ** (-30 / 20)))
    assert (anchor.rate, anchor.name) == (16_000, f"lines of {mains:.0f} Hz mains hum")


def test_hum_at_24000_hz_is_told_from_hum_at_22050_hz():
    noise = np.random.default_rng(4).normal(size=8 * 24_000) * 0.01
    (anchor,) = find(noise + play((50.0, 100.0, 150.0), 8, 24_000))
    assert anchor.weights[24_000] > 20 * anchor.weights[22_050]


def test_hum_of_too_few_seconds_says_nothing():
    noise = np.random.default_rng(4).normal(size=3 * 48_000) * 0.003
    assert find(noise + play((50.0, 100.0, 150.0), 3, 48_000)) == []


def test_what_is_likelier_than_another_rate_stays_so_at_the_bound():
    noise = np.random.default_rng(4).normal(size=8 * 8000) * 0.003
    (anchor,) = find(noise + play(tuple(50.0 * number for number in range(1, 8)), 8, 8000))
    assert anchor.weights[8000] > 1.5 * max(weight for rate, weight in anchor.weights.items() if rate != 8000)


def test_a_comb_beside_the_mains_is_no_hum_at_its_rate():
    noise = np.random.default_rng(4).normal(size=6 * 16_000) * 0.003
    comb = find_comb((noise + play((54.0, 108.0, 162.0), 6, 16_000)).astype(np.float32))
    assert comb is not None
    assert SPACINGS[comb.likely.argmax()] * 16_000 == pytest.approx(54.0, rel=0.005)
    assert weigh_hum(comb, 16_000) == (1.0, "")


@pytest.mark.parametrize(
    "sound",
    [
        SPEECH,
        np.random.default_rng(1).normal(size=80_000),
        np.concatenate([play((1000.0,), 0.2, 16_000), np.zeros(80_000)]),
        np.concatenate([play((440.0, 554.37), 0.5, 16_000), play((523.25, 659.26), 0.5, 16_000)]),
        np.zeros(80_000),
        np.zeros(0),
    ],
    ids=["speech", "noise", "a beep", "chords", "silence", "nothing"],
)
def test_other_sounds_say_nothing(sound):
    assert find(sound) == []


def test_tones_amid_speech_are_found_where_they_are():
    mixed = finite_mono(np.concatenate([SPEECH[:32_000], dial(16_000, ONE, NINE), SPEECH[32_000:64_000]]))
    found = find_tones(mixed)[0]
    keys = [
        tone for tone in found if abs(tone.low * 16_000 / 697 - 1) < 0.01 or abs(tone.low * 16_000 / 852 - 1) < 0.01
    ]
    assert [round(tone.start / 16_000, 1) for tone in keys] == [2.0, 2.2]


def test_what_is_known_moves_the_probability_and_keeps_its_sum():
    heard = {8000: 0.0, 16_000: 0.999, 24_000: 0.001}
    anchor = Anchor({8000: 1.0, 16_000: 0.5, 24_000: 1e5}, {24_000: "DTMF digits 1 5 9"})
    told = weigh_anchors(heard, [anchor])
    assert sum(told.values()) == pytest.approx(1.0)
    assert max(told, key=told.__getitem__) == 24_000
    assert weigh_anchors(heard, []) == heard


@settings(max_examples=25, deadline=None)
@given(hnp.arrays(np.float32, st.integers(0, 30_000), elements=st.floats(-1, 1, width=32), fill=st.just(np.float32(0))))
def test_any_samples_give_finite_weights(samples):
    for anchor in find(samples):
        assert all(math.isfinite(weight) and weight >= 0 for weight in anchor.weights.values())
        assert anchor.name

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resonances import encoded
from resonances import voice as speech

from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.signal.holes import find_muted, find_torn_holes
from sttdoctor.analysis.signal.levels import measure

RATE = 16000
VOICE = speech(8.0, peak=0.5)
STARTS = np.arange(0.3, 7.6, 0.37)

RATE = 16000
TALK = speech(12.0, peak=0.5)
LEVELS = np.sqrt((TALK[: len(TALK) // 320 * 320].reshape(-1, 320) ** 2).mean(axis=1))
SPAN = np.convolve(LEVELS, np.ones(5) / 5, "same")
LOUD = [int(np.argmax(SPAN[at : at + 100]) + at + 3) * 320 for at in (50, 200, 350)]


def found(x, encoding="pcm_s16le", rate=RATE, channels=1, factor=1.0):
    data = encoded(np.asarray(x), encoding)
    levels = measure(data, encoding, channels, rate, factor)
    return levels.runs.start[find_torn_holes(data, Layout(encoding, 0, channels), levels)] / rate


def torn(x, length_s=0.02, rate=RATE):
    holed = x.copy()
    for start in STARTS:
        holed[int(start * rate) : int((start + length_s) * rate)] = 0.0
    return holed


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_s32le", "pcm_f16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw"])
@pytest.mark.parametrize("length_s", [0.006, 0.02, 0.1])
def test_holes_in_full_voice_are_found_at_their_places(encoding, length_s):
    places = found(torn(VOICE, length_s), encoding)
    assert len(places) >= 0.4 * len(STARTS)
    assert np.abs(places[:, None] - STARTS).min(axis=1).max() < 0.001


def test_holes_are_found_in_the_louder_of_two_channels():
    both = np.stack([0.01 * VOICE, torn(VOICE)], axis=1).reshape(-1)
    assert len(found(both, channels=2)) == len(found(torn(VOICE)))


def test_holes_in_floats_of_16_bit_units_are_found():
    assert len(found(32768 * torn(VOICE), "pcm_f32le", factor=1 / 32768)) == len(found(torn(VOICE), "pcm_f32le"))


def test_speech_without_holes_has_none():
    assert not len(found(VOICE)) and not len(found(np.zeros(0))) and not len(found(np.zeros(8000)))


def faded(x, length_s, fade_s, rate=RATE):
    """Pauses of zeros amid loud speech, into which it fades, as a synthesiser or a gate makes them."""
    gate = torn(np.ones(len(x)), length_s, rate)
    fade = round(fade_s * rate)
    return (
        x
        * np.minimum(1, np.convolve(gate, np.hanning(fade) / np.hanning(fade).sum(), "same"))
        * (np.convolve(1 - gate, np.ones(3), "same") < 3)
    )


@pytest.mark.parametrize("length_s", [0.02, 0.06, 0.3])
def test_digital_silence_that_sound_fades_into_is_a_pause(length_s):
    assert not len(found(faded(VOICE, length_s, 0.006)))


def test_a_pause_that_sound_falls_into_but_leaves_softly_is_none():
    x, soft = torn(VOICE, 0.04), np.linspace(0, 1, round(0.003 * RATE))
    for start in STARTS:
        end = int((start + 0.04) * RATE)
        x[end : end + len(soft)] *= soft
    assert not len(found(x))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.03, 0.3), st.floats(0.02, 0.3), st.sampled_from([8000, 16000, 48000]), st.booleans(), st.booleans())
def test_tones_with_gaps_are_a_cadence(on_s, off_s, rate, two, free_running):
    """Digits and call progress tones, also of generators that run on while they are switched off."""
    rng = np.random.default_rng(3)
    count, parts = round(on_s * rate), []
    for i in range(12):
        t = (np.arange(count) + (i * 7919 if free_running else 0)) / rate
        low, high = rng.choice([697, 770, 852, 941]), rng.choice([1209, 1336, 1477])
        parts += [0.3 * np.sin(2 * np.pi * low * t) + 0.3 * two * np.sin(2 * np.pi * high * t)]
        parts += [np.zeros(round(off_s * rate))]
    assert not len(found(np.concatenate(parts), rate=rate))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1.0), st.sampled_from([4, 5, 6, 8]), st.sampled_from(["pcm_s16le", "pcm_f32le", "pcm_s32le"]))
def test_coarse_samples_stay_on_one_value_without_a_hole(peak, bits, encoding):
    coarse = np.rint(peak * VOICE / np.abs(VOICE).max() * (2.0 ** (bits - 1) - 1)) / 2.0 ** (bits - 1)
    assert not len(found(coarse, encoding))


@pytest.mark.parametrize("bits", [8, 10, 16])
def test_holes_in_coarse_samples_are_found(bits):
    coarse = np.rint(torn(VOICE) * 2.0 ** (bits - 1)) / 2.0 ** (bits - 1)
    assert len(found(coarse)) >= 0.3 * len(STARTS)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan, 3e38])
def test_numbers_that_are_none_stand_beside_a_hole_without_a_warning(odd):
    x = torn(speech(2.0)).astype("<f4")
    x[::7] = odd
    data = np.ascontiguousarray(x).view(np.uint8)
    find_torn_holes(data, Layout("pcm_f32le"), measure(data, "pcm_f32le", 1, RATE))


@pytest.mark.parametrize("idiom", [np.floor, np.trunc])
def test_the_stairs_of_quiet_8_bit_sound_are_no_holes(idiom):
    """One step is far more than the sound moves beside it, and 255, 256 or 257 codes of 16 bits."""
    stairs = np.rint(4 * np.sin(2 * np.pi * 3 * np.arange(8 * RATE) / RATE))
    assert len(found(idiom(stairs / 128 * 32767) / 32768)) == 0


def found_mute(x, encoding="pcm_s16le"):
    data = encoded(np.asarray(x), encoding)
    return find_muted(data, Layout(encoding), measure(data, encoding, 1, RATE), 3.0)


def muted_between(*spans, x=TALK):
    out = x.copy()
    for start, stop in spans:
        out[start:stop] = 0.0
    return out


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw"])
def test_silence_from_the_middle_of_speech_to_the_end_is_told(encoding):
    mute = found_mute(muted_between((LOUD[1], len(TALK))), encoding)
    assert mute.start == pytest.approx(LOUD[1], abs=20) and mute.to_end and mute.count == 1


def test_silence_that_speech_follows_is_told_too():
    mute = found_mute(muted_between((LOUD[0], LOUD[0] + 4 * RATE)))
    assert not mute.to_end and mute.length == pytest.approx(4 * RATE, abs=20)


def faded_out(start, stop):
    x = muted_between((start, stop))
    x[start - 2000 : start] *= np.linspace(1, 0, 2000) ** 2
    return x


def test_silence_behind_the_words_is_a_pause():
    assert found_mute(faded_out(LOUD[1], len(TALK))) is None
    quiet = TALK.copy()
    quiet[LOUD[1] - RATE : LOUD[1]] *= 0.01  # room noise, then a gate closes
    assert found_mute(muted_between((LOUD[1], len(TALK)), x=quiet)) is None


def test_shorter_silence_is_none_of_it():
    assert found_mute(muted_between((LOUD[1], LOUD[1] + 2 * RATE))) is None


def test_a_client_that_sends_silence_in_its_pauses_is_healthy_though_one_of_them_cuts_a_word():
    x = np.concatenate(
        [faded_out(LOUD[1], len(TALK)), faded_out(LOUD[1], len(TALK)), muted_between((LOUD[1], len(TALK)))]
    )
    assert found_mute(x) is None


@pytest.mark.parametrize("x", [np.zeros(5 * RATE), np.zeros(0), TALK, np.full(5 * RATE, 0.5)])
def test_silence_alone_and_speech_alone_are_not_muted(x):
    assert found_mute(x) is None


def test_a_tone_that_is_switched_off_is_not_muted():
    times = np.arange(2 * RATE) / RATE
    ring = 0.2 * (np.sin(2 * np.pi * 440 * times) + np.sin(2 * np.pi * 480 * times))
    assert found_mute(np.concatenate([TALK, np.tile(np.concatenate([ring, np.zeros(4 * RATE)]), 3), TALK])) is None

from dataclasses import replace

import numpy as np
import pytest
from builders import session
from buzz import RATE, voice
from common import FIXTURES
from scipy.signal import resample_poly

import sttdoctor
from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE, decode
from sttdoctor.analysis.facts import Facts
from sttdoctor.api import examine
from sttdoctor.evidence import Audio, Declared, Frame
from sttdoctor.thresholds import DEFAULTS

RNG = np.random.default_rng(8)
NOISE = np.random.default_rng(9)
VOICE = voice(5)
SPEECH = decode((FIXTURES / "audio" / "s16-16k.raw").read_bytes(), "pcm_s16le")
SPEECH /= np.abs(SPEECH).max()
LOUD = SPEECH[max(0, int(np.abs(SPEECH).argmax()) - RATE // 4) :]


def s16(x):
    return np.rint(np.clip(x, -1, 1) * 32767).astype("<i2").tobytes()


def judged(data, encoding="pcm_s16le", rate=RATE, select=("signal",), **limits):
    changed = DEFAULTS | {name.replace("__", "."): value for name, value in limits.items()}
    facts = Facts(changed, audio=Audio(np.frombuffer(data, np.uint8)), declared=Declared(encoding, rate))
    return examine(facts, select)


def causes(data, **declared):
    return {found.cause: found.status for found in judged(data, **declared).checks[0].findings}


def with_holes(count, length_s=0.03, fill=0.0):
    x = 0.5 * VOICE.copy()
    for start in np.random.default_rng(8).choice(np.arange(5, 70, 2), count, replace=False) * (len(x) // 80):
        x[start : start + int(length_s * RATE)] = fill
    return x


@pytest.mark.parametrize("peak", [1.0, 0.3, 0.1, 0.03])
def test_sound_at_any_usual_level_is_not_accused(peak):
    assert causes(s16(peak * 0.99 * VOICE)) == {}


@pytest.mark.parametrize(
    "x", [np.zeros(RATE), RNG.normal(size=RATE) * 1e-4, np.full(RATE, 0.01), 1e-3 * 0.9 * VOICE[:RATE]]
)
def test_a_muted_line_is_silent(x):
    (found,) = (f for f in judged(s16(x)).checks[0].findings if f.cause == "signal.silent")
    digital = float(np.ptp(x)) == 0
    assert (found.status, "digital silence" in found.summary, "it peaks at -" in found.summary) == (
        "fail",
        digital,
        not digital,
    )


@pytest.mark.parametrize("gain", [1.2, 1.5, 1.8])
def test_loud_samples_that_wrap_around_are_told_with_their_count(gain):
    scaled = np.rint(gain * 32767 * VOICE).astype(np.int64)
    over = scaled != np.clip(scaled, -32768, 32767)
    assert np.count_nonzero(np.diff(over.astype(int))) >= 10
    report = judged(((scaled + 32768) % 65536 - 32768).astype("<i2").tobytes())
    assert report.diagnoses[0].cause == "signal.wrapped"
    (found,) = (f for f in report.checks[0].findings if f.cause == "signal.wrapped")
    assert (found.status, "np.clip" in found.fix) == ("fail", True)


@pytest.mark.parametrize(
    "x",
    [
        1.8 * VOICE,
        30 * VOICE,
        3000 * VOICE,
        np.repeat(NOISE.choice([-1.0, 1.0], len(VOICE) // 4), 4) * (VOICE[: len(VOICE) // 4 * 4] != 0),
        NOISE.normal(size=4 * RATE),
        NOISE.uniform(-1, 1, 4 * RATE),
        0.95 * np.sign(VOICE) * (np.arange(len(VOICE)) > RATE),
        0.997 * np.clip(3000 * VOICE, -1, 1) * np.where(np.arange(len(VOICE)) > RATE, 1, 0.01),
        NOISE.uniform(-1, 1, 4 * RATE) * np.where(np.arange(4 * RATE) % 8000 > 4000, 1, 0.1),
        np.clip(50 * VOICE, -1, 1) * 0.97 + 0.01 * NOISE.normal(size=len(VOICE)),
    ],
    ids=[
        "clipped",
        "clipped hard",
        "square",
        "square noise",
        "normal",
        "uniform",
        "softer square",
        "clipped and softer",
        "bursts",
        "clipped with noise",
    ],
)
def test_sound_that_is_clipped_or_noise_does_not_wrap(x):
    assert "signal.wrapped" not in causes(s16(x))


def test_silence_with_a_click_is_silent_but_silence_with_a_word_is_not():
    quiet = np.zeros(60 * RATE)
    quiet[7000:7010] = 0.5
    assert "signal.silent" in causes(s16(quiet))
    quiet[100_000 : 100_000 + RATE // 2] = 0.3 * VOICE[: RATE // 2]
    assert causes(s16(quiet)) == {}


def test_constant_bytes_without_a_declaration_are_silent():
    assert causes(bytes(9000), encoding=None, rate=None) == {"signal.silent": "fail"}


def test_quiet_speech_is_a_warning_and_its_level_is_that_of_a_meter():
    (found,) = judged(s16(0.003 * SPEECH)).checks[0].findings
    assert (found.cause, found.status) == ("signal.too-quiet", "warn")
    assert f"its peak is {round(20 * np.log10(0.003))} dBFS" in found.summary
    assert causes(s16(0.0008 * SPEECH)) == {"signal.too-quiet": "warn"}  # hardly heard, but no muted line


@pytest.mark.parametrize(
    "x",
    [
        RNG.normal(size=2 * RATE) * 0.001,  # steady noise
        RNG.normal(size=2 * RATE) * 0.002 * (1 + np.sin(np.arange(2 * RATE) ** 1.1 / 2e4)) ** 3 / 8,  # steps, a chair
        0.004 * LOUD[: RATE // 2],  # half a second of a voice
        0.003 * VOICE,
    ],
)
def test_faint_sound_that_is_not_clearly_speech_is_an_open_question_and_no_good_level(x):
    check = judged(s16(x)).checks[0]
    assert (check.status, check.findings) == ("unknown", ())
    assert "good level" not in check.answer


def test_levels_in_sentences_and_measurements_are_those_of_a_meter():
    x = 0.25 * SPEECH
    check = judged(s16(x)).checks[0]
    assert check.status == "pass" and "its peak is -12 dBFS" in check.answer
    assert check.measurements["peak"] == pytest.approx(0.25, rel=0.01)
    rms = 20 * np.log10(check.measurements["loud_rms"])
    assert f"have an RMS of {round(rms)} dBFS" in check.answer


def test_what_silence_holds_is_told_as_a_meter_shows_it():
    hiss = RNG.normal(size=4 * RATE) * 1e-4
    peak = round(20 * np.log10(np.abs(np.rint(hiss * 32767) / 32768).max()))
    (found,) = judged(s16(hiss)).checks[0].findings
    assert f"it peaks at {peak} dBFS)" in found.summary
    (found,) = judged(s16(hiss + 0.02)).checks[0].findings
    assert f"it peaks at {peak} dBFS, apart from an offset of 2.0 % of full scale" in found.summary
    hiss[9000:9010] += 0.5
    (found,) = judged(s16(hiss)).checks[0].findings
    rest = int(found.summary.split("peaks at ")[1].split(" dBFS")[0])
    assert abs(rest - peak) <= 1 and "apart from a click of -6 dBFS" in found.summary


@pytest.mark.parametrize("encoding", ["pcm_s32le", "pcm_f32le"])
def test_speech_at_the_wrong_scale_is_judged_at_the_right_one(encoding):
    whole = np.rint(8000 * SPEECH)
    data = whole.astype("<i4") if encoding == "pcm_s32le" else whole.astype("<f4")
    check = judged(data.tobytes(), encoding=encoding).checks[0]
    assert check.status == "pass" and "its peak is -12 dBFS" in check.answer


def test_silence_from_the_middle_of_speech_to_the_end_is_told_with_its_time():
    x = np.concatenate([0.5 * LOUD[: RATE // 4], np.zeros(4 * RATE)])
    x = np.concatenate([0.5 * SPEECH, x])
    (found,) = judged(s16(x)).checks[0].findings
    assert (found.cause, found.status) == ("signal.muted", "warn")
    assert f"At {len(SPEECH) / RATE + 0.25:.1f} s" in found.summary and "to the end" in found.summary


def test_a_second_route_is_told_with_its_delay_and_only_of_speech():
    lag = round(0.42 * RATE)
    twice = np.concatenate([SPEECH, np.zeros(lag)]) + 0.6 * np.concatenate([np.zeros(lag), SPEECH])
    (found,) = judged(s16(0.4 * twice)).checks[0].findings
    assert (found.cause, found.status) == ("signal.echoed", "warn")
    assert "0.42 s later" in found.summary


def test_clipping():
    (found,) = judged(s16(4 * VOICE)).checks[0].findings
    share = float(found.summary.split("clipped: ")[1].split(" %")[0]) / 100
    assert (found.cause, found.status, found.confidence) == ("signal.clipped", "warn", 0.99) and share > 0.03
    (found,) = judged(s16(1.1 * VOICE), signal__clipped_share=1e-5).checks[0].findings
    share = float(found.summary.split("clipped: ")[1].split(" %")[0]) / 100
    assert found.confidence == pytest.approx(0.7 + 10 * share, abs=0.01) and share < 0.02
    assert causes(s16(0.5 * np.clip(4 * VOICE, -1, 1))) == {"signal.clipped": "warn"}
    loud = judged((1.8 * VOICE).astype("<f4").tobytes(), encoding="pcm_f32le").checks[0].findings[0]
    assert loud.cause == "signal.clipped" and "beyond full scale" in loud.summary


def test_offset():
    (found,) = judged(s16(0.3 * VOICE + 0.2)).checks[0].findings
    assert (found.cause, found.status, found.confidence) == ("signal.dc-offset", "warn", 0.95)
    assert float(found.summary.split("by ")[1].split(" %")[0]) == pytest.approx(20, abs=0.5)
    assert causes(s16(0.3 * VOICE + 0.01)) == {}


@pytest.mark.parametrize(("length_s", "fill"), [(0.006, 0.0), (0.02, 0.0), (0.1, 0.0), (0.02, 0.05)])
def test_repeated_holes_in_the_sound_are_dropouts(length_s, fill):
    (found,) = judged(s16(with_holes(12, length_s, fill))).checks[0].findings
    assert (found.cause, found.status) == ("signal.dropouts", "fail")
    ms = round(1000 * length_s)
    count = int(found.summary.split(" ")[0])  # those that fall into a quiet part are no holes
    assert 6 <= count <= 12 and f" holes of {ms} ms are torn into the sound" in found.summary


def test_sound_of_a_few_quantiser_steps_has_no_holes():
    t = np.arange(5 * RATE) / RATE
    quiet = 0.004 * np.sin(2 * np.pi * 20 * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t))
    assert "signal.dropouts" not in causes(g711(quiet, ALAW_TABLE).tobytes(), encoding="pcm_alaw")


def test_one_hole_pauses_and_a_gate_are_not():
    assert causes(s16(with_holes(1))) == {}
    gate = np.repeat(np.arange(len(VOICE) // 400) % 20 > 3, 400)[:, None].ravel()
    shape = np.convolve(gate, np.hanning(800) / 400, "same")
    shape[shape < 0.001] = 0
    assert causes(s16(0.5 * VOICE[: len(shape)] * shape)) == {}


def test_rare_holes_are_a_warning():
    assert causes(s16(with_holes(8)), signal__dropouts_per_min=200) == {"signal.dropouts": "warn"}


def g711(x, table):
    order = np.argsort(table, kind="stable")
    values = table[order]
    return order[np.searchsorted((values[1:] + values[:-1]) / 2, x)].astype(np.uint8)


@pytest.mark.parametrize(
    ("encoding", "table", "fill"), [("pcm_mulaw", MULAW_TABLE, 0xFF), ("pcm_alaw", ALAW_TABLE, 0xD5)]
)
def test_holes_filled_with_the_silence_of_g711(encoding, table, fill):
    data = g711(0.5 * VOICE, table)
    assert causes(data.tobytes(), encoding=encoding) == {}
    for start in range(4000, 70_000, 3000):
        data[start : start + 400] = fill
    assert causes(data.tobytes(), encoding=encoding) == {"signal.dropouts": "fail"}


@pytest.mark.parametrize(
    ("encoding", "table", "level", "code"),
    [("pcm_mulaw", MULAW_TABLE, "0 dBFS", "0xFF"), ("pcm_alaw", ALAW_TABLE, "-15 dBFS", "0xD5")],
)
def test_zero_bytes_in_g711_are_false_silence(encoding, table, level, code):
    data = g711(0.5 * VOICE, table)
    data[10_000:14_800] = 0
    (found,) = judged(data.tobytes(), encoding=encoding).checks[0].findings
    assert (found.cause, found.status) == ("signal.false-silence", "fail")
    assert found.summary.startswith("0.3 s of zero bytes") and found.fix == f"Fill pauses with {code} instead of 0x00."
    assert found.summary.endswith(f"byte 0x00 stands for {level}, silence is {code}.")


@pytest.mark.parametrize(
    ("encoding", "zero", "code"),
    [("pcm_s16le", -1.0, "0x80"), ("pcm_f32le", -1.0, "0x80"), ("pcm_s16le", -32124 / 32768, "0xFF")],
)
def test_zero_bytes_of_samples_that_were_converted_are_false_silence(encoding, zero, code):
    x = 0.4 * VOICE
    lost = [slice(start, start + 320) for start in range(4000, 40_000, 6000)]
    for frame in lost:
        x[frame] = zero
    data = s16(x) if encoding == "pcm_s16le" else x.astype("<f4").tobytes()
    (found,) = judged(data, encoding=encoding).checks[0].findings
    assert (found.cause, found.status) == ("signal.false-silence", "fail")
    assert f"at {len(lost)} places" in found.summary and code in found.fix
    mended = b"".join(found.remedy.apply([data]))
    for frame in lost:
        x[frame] = 0.0
    assert mended == (s16(x) if encoding == "pcm_s16le" else x.astype("<f4").tobytes())


def test_sound_that_is_cut_off_at_both_ends_is_no_false_silence():
    loud = np.clip(20 * np.sin(2 * np.pi * 60 * np.arange(RATE) / RATE), -1, 32767 / 32768)
    assert "signal.false-silence" not in causes(s16(loud))


def test_all_zero_bytes_in_mulaw_are_silence_and_false():
    report = judged(bytes(16_000), encoding="pcm_mulaw", rate=8000)
    assert [(d.cause, d.explains) for d in report.diagnoses] == [("signal.silent", ("signal.false-silence",))]


def test_clicks_at_a_period_tell_the_period():
    x = 0.5 * VOICE
    x[40::320] += 0.2
    (found,) = judged(s16(x)).checks[0].findings
    assert (found.cause, found.status) == ("signal.discontinuities", "warn")
    assert "20.0 ms" in found.summary


@pytest.mark.parametrize("size", [0.4, 0.8])
def test_a_square_wave_is_flat_and_not_clipped(size):
    t = np.arange(5 * RATE) / RATE
    beeps = size * np.sign(np.sin(2 * np.pi * 930 * t)) * (t % 1 < 0.5)
    assert "signal.clipped" not in causes(s16(beeps))
    assert "signal.clipped" in causes(s16(np.clip(8 * SPEECH, -size, size)))


def test_places_are_told_by_line_and_time():
    data = s16(with_holes(12))
    size = 3200
    frames = tuple(
        Frame(3 + i, 0.1 * i, True, size, binary=True, content=data[i * size : (i + 1) * size])
        for i in range(len(data) // size)
    )
    base = session([], url="wss://x/?encoding=pcm_s16le&sample_rate=16000")
    report = examine(Facts(DEFAULTS, session=type(base)((*base.events, *frames), url=base.url)), ["signal"])
    (found,) = report.checks[0].findings
    for place in found.evidence:
        assert place.line == 3 + place.offset // size
        assert place.t == pytest.approx(0.1 * (place.offset // size))
        assert place.note == f"hole at {place.offset / 2 / RATE:.3f} s of the audio"
        assert data[place.offset : place.offset + 2] == bytes(2) != data[place.offset - 2 : place.offset]


def sent(x, size):
    """The findings of a session whose frames hold `size` samples."""
    data = s16(x)
    parts = [data[i : i + 2 * size] for i in range(0, len(data), 2 * size)]
    frames = tuple(
        Frame(3 + i, i * size / RATE, True, len(part), binary=True, content=part) for i, part in enumerate(parts)
    )
    base = session([], url="wss://x/?encoding=pcm_s16le&sample_rate=16000")
    facts = Facts(DEFAULTS, session=type(base)((*base.events, *frames), url=base.url))
    return examine(facts, ["signal"]).checks[0].findings


def test_small_bends_count_where_frames_end():
    """Linear interpolation in blocks that do not divide: too small for a period to be found by itself."""
    high = resample_poly(SPEECH, 441, 160)
    at = np.arange(371) * 2.75625
    x = 0.8 * np.concatenate(
        [np.interp(at, np.arange(1024), high[i : i + 1024]) for i in range(0, len(high) - 1024, 1024)]
    )
    (found,) = sent(x, 371)
    assert (found.cause, found.status) == ("signal.discontinuities", "warn")
    assert "each was resampled" in found.summary
    assert sent(x, 400) == sent(0.8 * SPEECH, 371) == ()


def test_small_bends_count_where_chunks_of_a_usual_length_end():
    """Too few and too small for a period to be found; the audio begins with a chunk."""
    high = resample_poly(SPEECH, 3, 1)
    parts = [resample_poly(high[i : i + 4800], 1, 3) for i in range(0, len(high) - 4800, 4800)]
    whole = resample_poly(high, 1, 3)[: 1600 * len(parts)]
    for share, count in ((0.4, 1), (0.0, 0)):
        x = 0.8 * (share * np.concatenate(parts) + (1 - share) * whole)
        found = judged(s16(x)).checks[0].findings
        assert [one.cause for one in found] == count * ["signal.discontinuities"]
        assert all("100 ms" in one.summary for one in found)


PULSE = np.convolve(np.arange(len(SPEECH)) % 160 < 1, np.exp(-np.arange(40) / 6) * np.cos(np.arange(40)))[: len(SPEECH)]
TURN = np.where(np.arange(len(SPEECH)) // 320 % 2, 0.8, -0.8)


@pytest.mark.parametrize(
    ("x", "is_cut"),
    [
        (TURN * SPEECH, True),  # each second chunk with the other sign
        (0.5 * SPEECH + 0.05 * PULSE, False),  # a dimmer, as strong in pauses as in words
        (0.8 * SPEECH * np.exp(-(np.arange(len(SPEECH)) % 400) / 150), False),  # strokes, each louder than what was
    ],
)
def test_jumps_that_grow_with_the_sound_and_go_either_way_are_cuts(x, is_cut):
    assert ("signal.discontinuities" in {found.cause for found in judged(s16(x)).checks[0].findings}) == is_cut


def test_what_is_no_sound_is_not_judged():
    assert judged(b"0.12, 0.13, -0.5, 0.7\n" * 400).checks[0].status == "unknown"


def long_voice(minutes=10):
    return np.tile(0.5 * VOICE, minutes * 12)


@pytest.mark.long
def test_two_seconds_of_clipping_in_a_long_recording_are_found_and_placed():
    x = long_voice()
    assert causes(s16(x)) == {}
    x[4_000_000 : 4_000_000 + 2 * RATE] = np.clip(8 * x[4_000_000 : 4_000_000 + 2 * RATE], -1, 1)
    found = judged(s16(x)).checks[0].findings
    assert [finding.cause for finding in found] == ["signal.clipped"]
    share = float(found[0].summary.split("clipped: ")[1].split(" %")[0]) / 100
    assert found[0].confidence == pytest.approx(min(0.95, 0.7 + 2 * share), abs=0.01)
    assert float(found[0].summary.split("from ")[1].split(" s ")[0]) == pytest.approx(250, abs=2)


def holed(starts_s, minutes=40):
    """Forty minutes as 16-bit samples, with a hole of 20 ms in full voice near each of some seconds."""
    x = np.tile(np.frombuffer(s16(0.5 * VOICE), "<i2"), minutes * 12)
    for start in starts_s:
        first = int(start * RATE)
        first += int(np.argmax(np.abs(x[first : first + RATE // 4])))
        x[first : first + RATE // 50] = 0
    return x.view(np.uint8)


def test_three_holes_within_two_seconds_count_and_three_far_apart_do_not():
    assert "signal.dropouts" in causes(holed((1800.2, 1800.9, 1801.5)))
    assert causes(holed((300.2, 1200.9, 2301.5))) == {}


@pytest.mark.parametrize("x", [VOICE[2000:2400], np.zeros(1599), VOICE[:3]])
def test_less_than_a_tenth_of_a_second_is_too_short_to_judge(x):
    check = judged(s16(x)).checks[0]
    assert check.status == "unknown" and "ms of audio are too short to judge" in check.answer


def test_a_moment_of_silence_is_no_sign_of_a_muted_microphone():
    assert judged(s16(np.zeros(7000))).checks[0].status == "unknown"
    assert judged(s16(np.zeros(8000))).checks[0].status == "fail"


def test_no_limit_for_false_silence_finds_none_in_other_encodings():
    (check,) = judged((8000 * voice()).astype("<i2").tobytes(), signal__false_silence_s=0).checks
    assert "crashed" not in check.answer and check.findings == ()


@pytest.mark.parametrize("encoding", ["pcm_mulaw", "pcm_alaw"])
def test_a_peak_that_stays_on_one_coarse_code_is_not_clipped(encoding):
    piece = 0.9 * np.sin(2 * np.pi * 150 * np.arange(800) / 8000) * np.exp(-np.arange(800) / 60)
    values = decode(bytes(range(256)), encoding)
    data = np.abs(np.subtract.outer(piece, values)).argmin(axis=1).astype(np.uint8).tobytes()
    assert judged(data, encoding=encoding, rate=8000).checks[0].findings == ()


def tones(rate, on_s, level):
    """Two tones at once, switched on and off, as a telephone's keys sound."""
    t = np.arange(round(on_s * rate)) / rate
    pairs = [(697, 1209), (770, 1336), (852, 1477), (941, 1209)] * 10
    rest = np.zeros(len(t))
    return level * np.concatenate(
        [part for low, high in pairs for part in (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t), rest)]
    )


def notes(rate, length_s, level):
    """Notes that are struck on a beat and fade away, as hold music has them."""
    t = np.arange(round(length_s * rate)) / rate
    scale = 220 * 2 ** (np.array([0, 4, 7, 12, 9, 5, 2, 11]) / 12)
    return level * np.concatenate(
        [sum(np.sin(2 * np.pi * f * k * t) / k for k in range(1, 6)) * np.exp(-10 * t) for f in np.tile(scale, 8)]
    )


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("sound", [lambda rate: tones(rate, 0.1, 0.2), lambda rate: notes(rate, 0.2, 0.2)])
def test_tones_and_notes_that_begin_on_a_beat_are_no_clicks(sound, rate):
    x = sound(rate)
    x += 0.001 * np.random.default_rng(2).standard_normal(len(x))
    assert "signal.discontinuities" not in {finding.cause for finding in judged(s16(x), rate=rate).checks[0].findings}


@pytest.mark.parametrize("period", [160, 320, 640])
def test_a_resampler_that_forgets_its_state_is_heard_in_real_speech(period):
    high = resample_poly(SPEECH, 3, 1)
    blocks = (high[at : at + 3 * period] for at in range(0, len(high), 3 * period))
    x = np.concatenate([resample_poly(block, 1, 3) for block in blocks])
    (found,) = judged(s16(0.8 * x)).checks[0].findings
    assert found.cause == "signal.discontinuities"
    assert judged(s16(0.8 * resample_poly(high, 1, 3))).checks[0].findings == ()


def test_loud_steady_noise_alone_is_a_warning_and_a_room_or_a_voice_is_none():
    hiss = np.random.default_rng(3).standard_normal(RATE * 6)
    assert "signal.noise" in causes(s16(0.1 * hiss))
    assert "signal.noise" not in causes(s16(0.01 * hiss))
    assert "signal.noise" not in causes(s16(0.1 * hiss[: 4 * RATE]))


@pytest.mark.parametrize("pair", [(480, 620), (697, 1209)])
def test_tones_that_are_switched_on_and_off_are_no_noise(pair):
    time = np.arange(12 * RATE) / RATE
    tone = 0.15 * sum(np.sin(2 * np.pi * hertz * time) for hertz in pair)
    assert "signal.noise" not in causes(s16(tone * (time % 1.0 < 0.5)))
    assert "signal.noise" in causes(s16(tone))


def cut_to_silence(count):
    """Speech of which, so many times, 0.6 s are silence from a loud moment on."""
    x = np.tile(0.5 * SPEECH, 3)
    moment = int(np.convolve(np.abs(SPEECH), np.ones(RATE // 20), "same")[: len(SPEECH) - RATE].argmax())
    for n in range(count):
        x[n * len(SPEECH) + moment :][: int(0.6 * RATE)] = 0
    return s16(x)


def test_speech_that_is_cut_to_silence_again_and_again_is_muted():
    found = {finding.cause: finding for finding in judged(cut_to_silence(3)).checks[0].findings}
    assert found["signal.muted"].status == "warn" and "half-duplex" in found["signal.muted"].fix
    assert "signal.muted" not in causes(cut_to_silence(2))


def test_bytes_that_were_cast_one_by_one_are_told_by_their_pace():
    url = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_f32le&sample_rate=16000"
    quarter = session(np.arange(100) * 0.1, 0.2, url=url)  # 1600 bytes each 0.1 s
    zeros = [replace(e, content=bytes(e.size)) if isinstance(e, Frame) else e for e in quarter.events]
    (found,) = examine(Facts(DEFAULTS, session=replace(quarter, events=tuple(zeros))), ["signal"]).checks[0].findings
    assert found.cause == "signal.silent" and "One byte a sample" in found.summary and "cast" in found.fix


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("every", [5000, 400])
def test_floats_that_are_no_numbers_are_counted_and_explain_the_clicks_they_make(value, every):
    x = (0.5 * SPEECH).astype("<f4")
    x[::every] = value
    found = sttdoctor.check(x.tobytes(), encoding="pcm_f32le", sample_rate=RATE).diagnoses
    assert [one.cause for one in found if one.cause.startswith("signal.")] == ["signal.not-numbers"]
    assert f"{len(x[::every])} samples" in found[0].summary


def test_bytes_of_another_encoding_are_not_accused_of_holding_no_numbers():
    noise = np.random.default_rng(4).bytes(200_000)
    for data in (noise, s16(SPEECH), bytes(100_000)):
        assert "signal.not-numbers" not in [
            one.cause for one in sttdoctor.check(data, encoding="pcm_f32le", sample_rate=RATE).diagnoses
        ]


def test_holes_that_take_much_of_the_speech_come_of_what_processes_it():
    steps = SPEECH[: len(SPEECH) // 64 * 64].reshape(-1, 64).copy()
    rng = np.random.default_rng(6)
    levels = steps.std(axis=1) * np.exp(rng.normal(0, 0.7, len(steps)))
    steps[levels < np.quantile(levels, 0.65)] = 0
    (found, *_) = judged(s16(0.1 * steps.reshape(-1))).checks[0].findings
    assert found.cause == "signal.dropouts" and "echo canceller" in found.fix
    (few,) = judged(s16(with_holes(12))).checks[0].findings
    assert few.cause == "signal.dropouts" and "echo canceller" not in few.fix


@pytest.mark.parametrize(
    ("encoding", "table", "wrong", "right"),
    [("pcm_alaw", ALAW_TABLE, 0xFF, 0xD5), ("pcm_mulaw", MULAW_TABLE, 0xD5, 0xFF)],
)
def test_the_silence_of_the_other_law_is_a_level_of_its_own(encoding, table, wrong, right):
    speech = g711(0.5 * VOICE[:: RATE // 8000], table)
    pause = np.full(8000, wrong, np.uint8)
    (found,) = judged(np.concatenate([speech, pause, speech]).tobytes(), encoding, 8000).checks[0].findings
    assert (found.cause, found.status) == ("signal.false-silence", "warn")
    assert f"0x{right:X} instead of 0x{wrong:X}" in found.fix
    pause[:] = right
    assert causes(np.concatenate([speech, pause, speech]).tobytes(), encoding=encoding, rate=8000) == {}

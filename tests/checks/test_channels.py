import numpy as np
import pytest
from builders import session, with_audio
from common import FIXTURES

import sttdoctor
from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE, decode
from sttdoctor.analysis.facts import Facts
from sttdoctor.api import examine
from sttdoctor.evidence import Audio, Declared
from sttdoctor.thresholds import DEFAULTS

RATE = 16000
SPEECH = decode((FIXTURES / "audio" / "s16-16k.raw").read_bytes(), "pcm_s16le")


def coloured(seed):
    x = np.random.default_rng(seed).normal(size=2 * RATE)
    return 0.1 * np.convolve(x, 0.93 ** np.arange(60), "same") * (0.6 + 0.4 * np.sin(np.arange(2 * RATE) / 900))


LEFT, RIGHT = coloured(1), coloured(2)
SIDES = {
    "same sound": (LEFT, LEFT),
    "panned differently": (LEFT, 0.5 * LEFT + 0.1 * RIGHT),
    "two speakers": (LEFT, RIGHT),
}


def encoded(x, encoding):
    if encoding == "pcm_f32le":
        return x.astype("<f4").tobytes()
    bits = int(encoding[5:7])
    return np.rint(np.clip(x, -0.99, 0.99) * 2 ** (bits - 1)).astype(f"<i{bits // 8}").tobytes()


def two_channels(left, right):
    return encoded(np.stack([left, right], axis=1)[: RATE // 2].reshape(-1), "pcm_s16le")


def judged(data, encoding="pcm_s16le", select=("channels",)):
    facts = Facts(DEFAULTS, audio=Audio(np.frombuffer(data, np.uint8)), declared=Declared(encoding, RATE))
    return examine(facts, select)


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_s32le", "pcm_f32le"])
@pytest.mark.parametrize("sides", SIDES)
def test_two_channels_and_what_they_are_to_each_other(encoding, sides):
    both = np.stack(SIDES[sides], axis=1).reshape(-1)
    (found,) = judged(encoded(both, encoding), encoding).checks[0].findings
    assert (found.cause, found.status) == ("channels.interleaved", "fail")
    assert sides in found.summary
    assert "::2]" in found.fix


def test_equal_pairs_without_a_declaration_may_be_one_channel_and_are_told_less_surely():
    data = encoded(np.repeat(LEFT, 2), "pcm_s16le")
    (found,) = sttdoctor.check(data).diagnoses
    assert (found.cause, found.status) == ("channels.interleaved", "fail")
    assert found.confidence < 0.9 and "stands twice" in found.summary


@pytest.mark.parametrize("many", [3, 6])
def test_the_channels_of_an_array_are_counted_and_everything_else_is_judged_by_one(many):
    rng = np.random.default_rng(many)
    heard = [np.roll(SPEECH, k % 3) / (1 + k) + rng.normal(0, 3e-4, len(SPEECH)) for k in range(many)]
    data = encoded(0.9 * np.stack(heard, axis=1).reshape(-1), "pcm_s16le")
    report = sttdoctor.check(data, encoding="pcm_s16le", sample_rate=RATE)
    (found,) = report.diagnoses
    assert (found.cause, found.status) == ("channels.interleaved", "fail")
    assert f"[0::{many}]" in found.fix and {3: "Three", 6: "Six"}[many] in found.summary


def test_a_tone_that_repeats_after_some_samples_is_one_channel():
    tone = 0.3 * np.sin(2 * np.pi * 2650 * np.arange(4 * RATE) / RATE)
    noise = np.random.default_rng(1).normal(0, 0.01, len(tone))
    report = sttdoctor.check(encoded(tone + noise, "pcm_s16le"), encoding="pcm_s16le", sample_rate=RATE)
    assert "channels.interleaved" not in [d.cause for d in report.diagnoses]


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_s32le", "pcm_f32le"])
def test_one_channel(encoding):
    result = judged(encoded(LEFT, encoding), encoding).checks[0]
    assert (result.status, result.measurements["channels"]) == ("pass", 1)


@pytest.mark.parametrize("factor", [2, 3, 6])
def test_upsampled_sound_is_one_channel(factor):
    fine = np.interp(np.arange(0, len(LEFT) - 1, 1 / factor), np.arange(len(LEFT)), LEFT)
    assert judged(encoded(fine, "pcm_s16le")).checks[0].status == "pass"


def test_a_silent_side_in_16_bits_is_told_with_both_readings():
    both = np.stack([0 * LEFT, LEFT], axis=1).reshape(-1)
    data = encoded(both, "pcm_s16le")
    report = judged(data, select=("channels", "encoding"))
    assert [d.cause for d in report.diagnoses] == ["channels.interleaved"]
    assert "low half is empty" in report.diagnoses[0].summary
    assert judged(data, "pcm_s32le").checks[0].status == "pass"


def test_a_silent_second_side_in_16_bits_is_no_32_bit_audio():
    (found,) = judged(two_channels(LEFT, 0 * LEFT)).checks[0].findings
    assert (found.status, found.confidence) == ("fail", 0.99)
    assert "samples[0::2]" in found.fix and "32-bit" not in found.summary + found.fix


def test_32_bit_samples_scaled_up_by_another_factor_than_65536_are_one_channel():
    samples = np.rint(np.rint(LEFT * 32767) / 32767 * (2**31 - 1)).astype("<i4")
    assert judged(samples.tobytes(), "pcm_s32le").checks[0].status == "pass"


def test_32_bit_samples_with_an_empty_low_half_but_for_clipped_ones_are_one_channel():
    samples = np.rint(LEFT / np.abs(LEFT).max() * 32767).astype("<i4") << 16
    samples[np.argsort(samples)[-3:]] = 2**31 - 1
    assert judged(samples.tobytes(), "pcm_s32le").checks[0].status == "pass"


@pytest.mark.parametrize(
    ("encoding", "table", "code"), [("pcm_mulaw", MULAW_TABLE, 0xFF), ("pcm_alaw", ALAW_TABLE, 0xD5)]
)
@pytest.mark.parametrize("side", [0, 1])
def test_a_silent_side_in_g711(encoding, table, code, side):
    order = np.argsort(table, kind="stable")
    data = np.full(2 * len(LEFT), code, np.uint8)
    data[1 - side :: 2] = order[np.searchsorted(table[order][1:], LEFT)]
    report = judged(data.tobytes(), encoding, select=("channels", "encoding"))
    (found,) = report.diagnoses
    assert (found.cause, found.confidence) == ("channels.interleaved", 0.99)
    assert f"samples[{1 - side}::2]" in found.fix
    assert "32-bit" not in found.summary + found.fix
    assert report.subject["estimated"] | {"encoding": encoding, "channels": 2} == report.subject["estimated"]


@pytest.mark.parametrize(
    ("left", "right", "level_db", "correlation", "loud"),
    [
        (0.5 * LEFT, LEFT, -6.0, 1.0, 1),
        (LEFT + 0.2, 0.5 * LEFT - 0.3, -6.0, 1.0, 0),  # an offset is no sound
        (LEFT, -LEFT, 0.0, -1.0, None),
    ],
)
def test_level_and_correlation_of_the_two(left, right, level_db, correlation, loud):
    result = judged(two_channels(left, right)).checks[0]
    measured = result.measurements
    assert (measured["quieter_db"], measured["correlation"]) == pytest.approx((level_db, correlation), abs=0.05)
    (found,) = result.findings
    assert "both carry the same sound" in found.summary
    assert loud is None or f"Send one channel only: samples[{loud}::2]." in found.fix


def test_twice_the_byte_rate_agrees():
    sound = np.tile(np.frombuffer(two_channels(LEFT, RIGHT), np.uint8), 9).tobytes()
    subject = session(np.arange(len(sound) // 800) * 0.0125, url="wss://x/?encoding=pcm_s16le&sample_rate=16000")
    (found,) = examine(Facts(DEFAULTS, session=with_audio(subject, sound)), ["channels"]).checks[0].findings
    assert found.summary.endswith(" The byte rate, 2.00 times the declared one, agrees.")
    assert 0.99 <= found.confidence <= 1


def test_silence_and_text_cannot_tell():
    assert judged(bytes(20000)).checks[0].status == "unknown"
    assert judged(b"0.12, 0.13, -0.5, 0.7\n" * 400).checks[0].status == "unknown"


@pytest.mark.parametrize("samples", [320, 1024])
def test_planes_are_told_by_the_frames_or_by_the_jumps_between_them(samples):
    speech = np.frombuffer((FIXTURES / "audio" / "s16-16k.raw").read_bytes(), "<i2")
    other = np.roll(speech, len(speech) // 3)
    count = len(speech) // samples
    rows = np.stack([c[: count * samples].reshape(count, samples) for c in (speech, other)], axis=1)
    found = sttdoctor.check(rows.tobytes(), encoding="pcm_s16le", sample_rate=16000).diagnoses[0]
    assert (found.cause, found.status) == ("channels.interleaved", "fail")
    assert f"{samples} samples" in found.summary and f"reshape(-1, 2, {samples})" in found.fix
    mended = np.ascontiguousarray(rows[:, found.root.remedy.channel]).tobytes()
    assert sttdoctor.check(mended, encoding="pcm_s16le", sample_rate=16000).diagnoses == ()


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("encoding", "bits"), [("pcm_s32le", 24), ("pcm_s32le", 32), ("pcm_f32le", 24)])
@pytest.mark.parametrize("declared", ["pcm_s16le", "pcm_s32le", "pcm_f32le"])
def test_a_slot_of_32_bits_that_nothing_is_connected_to_is_a_silent_channel(side, encoding, bits, declared):
    hiss = np.random.default_rng(4).normal(0, 3e-5, len(SPEECH))  # of a converter with 24 bits
    words = np.rint((0.5 * SPEECH + hiss) * 2.0 ** (bits - 1)).astype("<i8") << 32 - bits
    samples = words.astype("<i4") if encoding == "pcm_s32le" else (0.5 * SPEECH + hiss).astype("<f4")
    both = np.zeros((len(samples), 2), samples.dtype)
    both[:, side] = samples
    found = {one.cause: one for one in sttdoctor.check(both.tobytes(), encoding=declared, sample_rate=RATE).diagnoses}
    assert set(found) == {"channels.interleaved"} | ({"encoding.mismatch"} if declared != encoding else set())
    assert f"samples[{side}::2]" in found["channels.interleaved"].fix

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from common import FIXTURES
from scipy.signal import resample_poly

import sttdoctor
from sttdoctor.analysis.decoding import MULAW_TABLE, Layout, decode
from sttdoctor.analysis.encoding.changes import EncodingChange
from sttdoctor.analysis.encoding.estimate import EncodingEstimate
from sttdoctor.analysis.facts import Facts
from sttdoctor.checks.encoding import CHECK
from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import Declared
from sttdoctor.thresholds import DEFAULTS

AUDIO = FIXTURES / "audio"
SPEECH = decode((AUDIO / "s16-16k.raw").read_bytes(), "pcm_s16le")[: 3 * 16000]


def result(data, encoding):
    return sttdoctor.check(data, encoding=encoding, sample_rate=16000, select=["encoding"]).checks[0]


NOISE = np.random.default_rng(5).normal(0, 90, len(SPEECH))  # of the last bits of 24
S16 = (SPEECH * 32767).astype("<i2")
HALVES = (SPEECH.astype("<f4").view("<u4") >> 16).astype("<u2")  # bfloat16


@pytest.mark.parametrize(
    ("data", "encoding", "cause"),
    [
        (S16.tobytes(), "pcm_s16le", None),
        (S16.tobytes(), "linear16", None),
        (S16.tobytes(), None, None),
        (S16.tobytes(), "pcm_alaw", "mismatch"),
        (SPEECH.astype("<f4").tobytes(), "pcm_s16le", "mismatch"),
        (SPEECH.astype("<f4").tobytes(), "pcm_f32le", None),
        (S16.byteswap().tobytes(), "pcm_s16le", "byte-order"),
        ((SPEECH * 127 + 128).astype("u1").tobytes(), "pcm_s16le", "unsupported"),
        (SPEECH.astype("<f8").tobytes(), "pcm_f32le", "unsupported"),
        (SPEECH.astype("<f8").tobytes(), "pcm_s16le", "unsupported"),
        ((S16 / 32768).astype("<f8").tobytes(), "pcm_s16le", "unsupported"),
        ((S16 / 32768 * 0.7).astype("<f8").tobytes(), "pcm_s16le", "unsupported"),
        *(((SPEECH * 2.0**bits).astype("<f4").tobytes(), "pcm_f32le", "scaled") for bits in (7, 15, 23, 31)),
        *((HALVES.tobytes(), name, "unsupported") for name in ("pcm_s16le", "pcm_f16le", "pcm_f32le")),
        (SPEECH.astype(">f2").tobytes(), "pcm_f16le", "byte-order"),
        (b"\0" + S16.tobytes(), "pcm_s16le", "misaligned"),
        (S16.tobytes()[:40001] + S16.tobytes()[40002:], "pcm_s16le", "misaligned"),
        (S16.tobytes()[:48000] + SPEECH[24000:].astype("<f4").tobytes(), "pcm_s16le", "changed"),
        (np.random.default_rng(0).bytes(40000), "pcm_s16le", "unsupported"),
    ],
)
def test_what_the_bytes_are(data, encoding, cause):
    found = result(data, encoding)
    assert [f.cause for f in found.findings] == ([f"encoding.{cause}"] if cause else [])
    assert found.status == ("fail" if cause else "pass")


def test_the_place_of_a_lost_byte_is_told():
    found = result(S16.tobytes()[:40001] + S16.tobytes()[40002:], "pcm_s16le")
    assert found.findings[0].evidence[0].offset == pytest.approx(40001, abs=0.2 * 32000)


@pytest.mark.parametrize("data", [bytes(5000), b"\x80" * 5000, b"x", b"\xff\xd5" * 20])
def test_what_cannot_tell_is_unknown(data):
    assert result(data, "pcm_s16le").status == "unknown"


def test_the_hiss_of_a_muted_line_fits_any_reading():
    hiss = np.random.default_rng(1).integers(-2, 3, 48000).astype("<i2")
    assert result(hiss.tobytes(), "pcm_s16le").status == "unknown"


@pytest.mark.parametrize("bits", [8, 16, 24])
@pytest.mark.parametrize(("form", "encoding"), [(">f4", "pcm_f32le"), (">i4", "pcm_s32le"), ("<f2", "pcm_f32le")])
def test_silence_as_declared_does_not_hide_what_the_bytes_are(form, encoding, bits):
    """Big endian, or half as wide: as declared they are numbers next to nothing."""
    x = np.rint(SPEECH * 2.0 ** (bits - 1)) / 2.0 ** (bits - 1)
    data = (x if "f" in form else x * 2**31).astype(form).tobytes()
    report = sttdoctor.check(data, encoding=encoding, sample_rate=16000)
    cause = "encoding.byte-order" if form[0] == ">" else "encoding.mismatch"
    assert [(d.cause, d.status) for d in report.diagnoses] == [(cause, "fail")]


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (S16.astype("<i4"), "pcm_s32le", "x << 16"),
        (np.rint(SPEECH * 2**23 + NOISE).astype("<i4"), "pcm_s32le", "x << 8"),
        (S16.astype("<f4"), "pcm_f32le", "Divide the samples by 32768"),
        ((S16 / 2.0**30).astype("<f4"), "pcm_f32le", "by 32768 once"),
        (np.rint(1500 * SPEECH + 1900).astype("<i2"), "pcm_s16le", "(x - mean) * 16"),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_samples_at_another_scale_are_told_with_what_mends_them(data, encoding, words, declared):
    report = sttdoctor.check(data.tobytes(), encoding=encoding if declared else None, sample_rate=16000)
    assert [d.cause for d in report.diagnoses] == ["encoding.scaled"]
    assert report.diagnoses[0].status == "fail" and words in report.diagnoses[0].fix


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.rint(SPEECH / np.abs(SPEECH).max()).astype("<i2"), "np.clip(x * 32767"),
        ((np.rint(SPEECH * 2**22 + NOISE).astype(np.int64) << 8 & 0xFFFF).astype("<u2"), "x >> 16"),
    ],
)
def test_what_is_left_of_wider_samples_is_told_where_an_encoding_is_declared(data, words):
    report = sttdoctor.check(data.tobytes(), encoding="pcm_s16le", sample_rate=16000)
    assert [d.cause for d in report.diagnoses] == ["encoding.scaled"]
    assert words in report.diagnoses[0].fix


def test_probabilities_sum_to_one_and_know_every_encoding():
    measured = result(S16.tobytes(), "pcm_s16le").measurements
    assert sum(measured["probabilities"].values()) == pytest.approx(1.0, abs=1e-9)
    assert set(ENCODINGS) <= set(measured["probabilities"])
    json.dumps(dict(measured), allow_nan=False)


class _Told(Facts):
    """A case whose bytes say what the test wants."""

    def __init__(self, declared, changes=(), decidable=True, **probabilities):
        super().__init__(DEFAULTS, audio=None, declared=Declared(declared, 16000))
        named = {name.replace("_plus_", "+").replace("not_pcm", "not-pcm"): p for name, p in probabilities.items()}
        rest = (1 - sum(named.values())) / 40
        every = {name: rest for name in (*ENCODINGS, "text", "not-pcm") if name not in named} | named
        self.sound.__dict__ |= {
            "encoding": EncodingEstimate(every, Layout("pcm_s16le"), 0.0, decidable, "it is silent", every, 9000),
            "encoding_changes": list(changes),
        }


def told(*args, **kwargs):
    return CHECK.judge(_Told(*args, **kwargs))


@pytest.mark.parametrize(
    ("right", "expected"), [(0.2, "pass"), (0.19, "warn"), (0.02, "warn"), (0.019, "fail"), (0.0, "fail")]
)
def test_how_probable_the_declared_encoding_must_be(right, expected):
    result = told("pcm_s16le", pcm_f32le=0.75, pcm_s16le=right)
    assert result.status == expected
    assert [f.confidence for f in result.findings] == ([0.75] if expected != "pass" else [])


def test_the_most_probable_encoding_passes_however_improbable_it_is():
    result = told("pcm_s16le", pcm_s16le=0.15, pcm_f32le=0.14)
    assert result == replace(
        result, status="pass", text="The bytes are pcm_s16le (signed 16-bit, little endian), as declared."
    )


@pytest.mark.parametrize(
    ("declared", "best", "cause", "words"),
    [
        ("pcm_s16le", "not_pcm", "unsupported", "not plain samples of any known kind"),
        ("pcm_s16le", "text", "unsupported", "The bytes are text (base64, hex, JSON), not samples"),
        ("pcm_s16le", "u8", "unsupported", "; declared is pcm_s16le."),
        (None, "u8", "unsupported", "; no encoding was declared."),
        ("pcm_s16le", "s32be", "byte-order", "The bytes are s32be"),
        ("pcm_s16le", "pcm_s16le_plus_1", "misaligned", "pcm_s16le fits from byte 1 on."),
        (None, "pcm_s32le_plus_3", "misaligned", "pcm_s32le fits from byte 3 on."),
        ("pcm_s16le", "pcm_s32le_plus_1", "mismatch", ", 1 byte out of step; declared is pcm_s16le."),
        ("pcm_s16le", "pcm_s32le_plus_2", "mismatch", ", 2 bytes out of step; declared is pcm_s16le."),
        ("pcm_s16le", "pcm_alaw", "mismatch", "The bytes are pcm_alaw (G.711 A-law); declared is pcm_s16le."),
    ],
)
def test_what_the_bytes_are_in_words(declared, best, cause, words):
    result = told(declared, **{best: 0.95})
    (finding,) = result.findings
    assert (finding.cause, finding.status, finding.confidence) == (f"encoding.{cause}", "fail", 0.95)
    assert words in finding.summary and result.text == finding.summary
    assert ("Decode to bare samples before sending" in finding.fix) == (best in ("not_pcm", "text"))


def test_what_cannot_tell_says_why():
    result = told("pcm_s16le", decidable=False)
    assert (result.status, result.text) == (
        "unknown",
        "The bytes cannot tell: it is silent. Capture a few seconds of speech.",
    )


def change(offset, before, after, confidence=0.9):
    return EncodingChange(offset, before, after, confidence)


def test_of_several_changes_the_first_is_told_and_five_are_shown():
    names = ["pcm_s16le", "pcm_f32le"] * 4
    changes = [change(1000 * i, names[i], names[i + 1], 0.9 - i / 100) for i in range(7)]
    (finding,) = told("pcm_s16le", changes).findings
    assert (finding.cause, finding.confidence) == ("encoding.changed", 0.9)
    assert finding.summary.startswith("The bytes are pcm_s16le") and "from byte 0 on." in finding.summary
    assert [e.offset for e in finding.evidence] == [0, 1000, 2000, 3000, 4000]


def test_shifts_of_one_encoding_are_a_part_of_a_sample_that_was_lost():
    shifts = [change(1001, "pcm_s16le", "pcm_s16le+1"), change(5000, "pcm_s16le+1", "pcm_s16le")]
    (finding,) = told("pcm_s16le", shifts).findings
    assert finding.cause == "encoding.misaligned" and "From byte 1001 on" in finding.summary
    assert [(e.note, e.offset) for e in finding.evidence] == [
        ("the samples are out of step from here on", 1001),
        ("the samples are in step again from here on", 5000),
    ]
    (finding,) = told("pcm_s16le", [*shifts, change(9000, "pcm_s16le", "pcm_alaw")]).findings
    assert finding.cause == "encoding.changed"


@pytest.mark.parametrize(("clip", "faint"), [("austen-0930", 0.015), ("austen-0930", 0.05), ("arctic-a0007", 0.03)])
def test_faint_speech_of_8_bits_in_mulaw_is_no_other_encoding(clip, faint):
    sound = resample_poly(soundfile.read(FIXTURES / "source" / f"{clip}.flac")[0], 1, 2)
    sound *= 0.6 / np.abs(sound).max()
    coarse = np.rint(np.concatenate([sound[:36000], faint * sound[4000:11000]]) * 127) / 128
    codes = encode_mulaw(coarse)
    faint_codes, counts = np.unique(codes[-7000:], return_counts=True)
    assert len(faint_codes) < 20 and faint_codes[counts.argmax()] == 255
    assert sttdoctor.check(codes.tobytes(), encoding="pcm_mulaw", sample_rate=8000).diagnoses == ()


def encode_mulaw(samples):
    order = np.argsort(MULAW_TABLE, kind="stable")
    edges = (MULAW_TABLE[order][1:] + MULAW_TABLE[order][:-1]) / 2
    return order[np.searchsorted(edges, samples, side="right")].astype(np.uint8)  # zero is 255, not 127


def test_samples_that_get_out_of_step_all_the_time_are_told_as_that():
    (finding,) = told("pcm_s16le", [change(9 * i, "pcm_s16le", "pcm_s16le+1") for i in range(20)]).findings
    assert finding.cause == "encoding.misaligned" and "again and again" in finding.summary
    assert len(finding.evidence) == 5


LONG = decode((AUDIO / "s16-16k.raw").read_bytes(), "pcm_s16le")
SWAPPED = LONG[: len(LONG) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
TWICE = np.repeat(resample_poly(LONG, 1, 2), 2)


def judged(samples):
    data = np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return sttdoctor.check(data, encoding="pcm_s16le", sample_rate=16000)


def test_samples_in_swapped_order_are_one_channel_to_be_swapped_back():
    first = judged(SWAPPED).diagnoses[0]
    assert (first.cause, first.status, "numpy.flip" in first.fix) == ("encoding.swapped", "fail", True)
    assert judged(SWAPPED.reshape(-1, 2)[:, ::-1].reshape(-1)).diagnoses == ()


def test_samples_that_are_sent_twice_are_one_channel_of_half_the_rate():
    first = judged(TWICE).diagnoses[0]
    assert (first.cause, first.status) == ("encoding.doubled", "warn")
    assert "samples[0::2]" in first.fix and "sample_rate=8000" in first.fix
    assert "sample-rate.mismatch" not in {cause for found in judged(TWICE).diagnoses for cause in found.explains}
    assert {check.id: check.status for check in judged(TWICE).checks}["sample-rate"] == "pass"
    mended = np.rint(np.clip(TWICE[::2], -1, 1) * 32767).astype("<i2").tobytes()
    assert sttdoctor.check(mended, encoding="pcm_s16le", sample_rate=8000).diagnoses == ()


@pytest.mark.parametrize(("times", "first"), [(2, 0), (3, 1), (6, 5)])
def test_zeros_between_samples_are_told_and_taken_out(times, first):
    once = np.rint(resample_poly(LONG, 1, 2) * 32767).astype("<i2")
    rows = np.zeros((len(once), times), "<i2")
    rows[:, first] = once
    report = sttdoctor.check(rows.tobytes(), encoding="pcm_s16le", sample_rate=8000 * times)
    (found,) = report.diagnoses
    assert (found.cause, found.status) == ("encoding.doubled", "warn")
    assert f"samples[{first}::{times}]" in found.fix and "sample_rate=8000" in found.fix
    alone = sttdoctor.check(rows.tobytes(), encoding="pcm_s16le", sample_rate=8000)  # each slot has the declared rate
    assert [d.cause for d in alone.diagnoses] == ["channels.interleaved"]
    assert f"samples[{first}::{times}]" in alone.diagnoses[0].fix


def test_samples_that_stand_three_times_are_no_wider_ones():
    data = np.repeat(np.rint(LONG * 32767).astype("<i2"), 3).tobytes()
    first = sttdoctor.check(data, encoding="pcm_s16le", sample_rate=48000).diagnoses[0]
    assert (first.cause, "sample_rate=16000" in first.fix) == ("encoding.doubled", True)


@pytest.mark.parametrize("delay", [-1, 0, 1])
def test_two_true_channels_are_in_no_wrong_order(delay):
    both = np.stack([LONG, np.roll(LONG, delay)], axis=1).reshape(-1)
    causes = {cause for found in judged(both).diagnoses for cause in (found.cause, *found.explains)}
    assert "channels.interleaved" in causes
    assert not causes & {"encoding.swapped", "encoding.doubled"}


@pytest.mark.parametrize("seed", range(8))
def test_faint_noise_in_floats_is_no_loud_noise_in_whole_numbers(seed):
    noise = np.random.default_rng(seed).normal(0, 3e-4, 3600).astype("<f4").tobytes()
    assert result(noise, "pcm_f32le").status in ("pass", "unknown")


def test_no_source_is_blamed_for_samples_that_are_out_of_step():
    floats = SPEECH.astype("<f4").tobytes()
    (shifted,) = result(b"\0" + floats, "pcm_f32le").findings
    (other,) = result(floats, "pcm_s16le").findings
    assert shifted.cause == "encoding.misaligned"
    assert ["librosa" in found.fix for found in (shifted, other)] == [False, True]


def test_levels_that_hold_are_no_single_bytes():
    """Sound of a game: each level of 16 bits holds for a while, and both of its bytes change together."""
    rng, t = np.random.default_rng(3), np.arange(5 * 16000)
    note = np.repeat(rng.choice([262, 330, 392, 523, 659], 40), 2000)
    steps = 0.15 * np.where(np.cumsum(note) / 16000 % 1 < 0.25, 1, -1) + 0.15 * np.where(
        t * 131 / 16000 % 1 < 0.5, 1, -1
    )
    steps += 0.05 * np.repeat(rng.choice([-1, 1], 5000), 16) * np.repeat(np.exp(-(np.arange(5000) % 250) / 20), 16)
    data = (steps * 32767).astype("<i2").tobytes()
    assert result(data, "pcm_s16le").status != "fail"
    eight = (SPEECH * 127).astype("i1").tobytes()
    assert {finding.cause for finding in result(eight, "pcm_s16le").findings} == {"encoding.unsupported"}

import json
from pathlib import Path

import numpy as np
import pytest

import sttdoctor
from sttdoctor.analysis.decoding import decode
from sttdoctor.encodings import ENCODINGS

AUDIO = Path(__file__).parent.parent / "fixtures" / "audio"
SPEECH = decode((AUDIO / "s16-16k.raw").read_bytes(), "pcm_s16le")[: 3 * 16000]


def result(data, encoding):
    return sttdoctor.check(data, encoding=encoding, sample_rate=16000, select=["encoding"]).checks[0]


S16 = (SPEECH * 32767).astype("<i2")


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


def test_probabilities_sum_to_one_and_know_every_encoding():
    measured = result(S16.tobytes(), "pcm_s16le").measurements
    assert sum(measured["probabilities"].values()) == pytest.approx(1.0, abs=1e-9)
    assert set(ENCODINGS) <= set(measured["probabilities"])
    json.dumps(dict(measured), allow_nan=False)

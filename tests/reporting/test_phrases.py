"""What several renderers say in the same words."""

import io
import wave

import pytest
from common import FIXTURES

import sttdoctor
from sttdoctor.checks.base import Evidence
from sttdoctor.reporting.phrases import answer, describe_sureness, place, shorten


@pytest.mark.parametrize("confidence", [0.0, 0.001, 0.5, 0.999, 1.0])
def test_nothing_is_ever_certain(confidence):
    assert 1 <= int(describe_sureness(confidence).split()[0]) <= 99


def test_a_place_names_what_is_known():
    assert place(Evidence("n", 1, 2.345, 6)) == "line 1, 2.35 s, byte 6: n"
    assert place(Evidence("n")) == "n"


def test_long_words_are_shortened():
    assert shorten("a" * 600) == "a" * 600
    assert shorten("a" * 1_000_000) == "a" * 597 + "..."


def test_of_a_file_its_own_rate_is_to_be_declared_and_its_header_left_out():
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes((FIXTURES / "audio" / "s16-24k.raw").read_bytes())
    told = answer(sttdoctor.check(held.getvalue()))
    assert "sample_rate=24000" in told and "22050" not in told and "begin at byte 44" in told

"""What may be meant by a name that is none of the known ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.errors import InputError, UsageError, suggest

KEY = "sk_car_aBcDeFgHiJkLmNoPqRsTuVwX"
KNOWN = ("sample-rate", "pacing.too-fast", "pcm_s16le", "signal.dc_offset")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sample_rate", "sample-rate"),
        ("Sample-Rte", "sample-rate"),
        ("too-fast", "pacing.too-fast"),
        ("pcm_s16el", "pcm_s16le"),
        ("PCM-S16LE", "pcm_s16le"),
        ("signal.dc-ofset", "signal.dc_offset"),
    ],
)
def test_a_name_with_a_slip_is_told(typed, meant):
    assert suggest(typed, KNOWN, "no") == f"did you mean {meant}?"


@pytest.mark.parametrize("typed", ["", "x", ".", "zzzzzz" * 1000])
def test_what_is_like_nothing_is_answered_with_what_there_is(typed):
    assert suggest(typed, KNOWN, "there are four") == "there are four"


@given(st.text())
def test_an_answer_is_a_known_name_or_the_other_sentence(typed):
    assert suggest(typed, KNOWN, "no") in {"no", *(f"did you mean {name}?" for name in KNOWN)}


@pytest.mark.parametrize("kind", [InputError, UsageError])
def test_a_key_in_an_argument_is_not_repeated(kind):
    assert KEY not in str(kind(f"there is no check {KEY!r}; there are encoding, pacing"))
    assert str(kind("there is no check 'encodng'")) == "there is no check 'encodng'"


def test_how_a_name_begins_tells_it():
    assert suggest("pcm_s16", ("pcm16", "pcm_s16le"), "no") == "did you mean pcm_s16le?"

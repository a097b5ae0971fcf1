"""Which source gives what the bytes are."""

import pytest
from common import FIXTURES

import sttdoctor
from sttdoctor.encodings import ENCODINGS
from sttdoctor.sources import SOURCES, describe, match_sources, name_sources, write_change


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_source_is_told_by_what_it_gives(source):
    assert source.encoding in ENCODINGS and source.change and source.seen
    assert describe(source).startswith(source.encoding)
    rates, channels = source.sample_rates or (32000,), source.channels or 1
    found = match_sources(source.encoding, rates, channels, source.kind == "browser" or None)
    assert (source in found) == bool(source.sample_rates or not ENCODINGS[source.encoding].supported)
    assert all(other.encoding == source.encoding for other in found)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (("u8", [8000], 1), "arecord"),
        (("pcm_f32le", [22050], 1), "librosa"),
        (("pcm_f32le", [48000, 44100], 1, True), "AudioWorklet"),
        (("f64le", [16000], 1), "soundfile"),
    ],
)
def test_where_one_or_two_give_it_they_are_named_with_what_to_write(given, name):
    told = name_sources(*given)
    assert name in told and any(write_change(source) in told for source in match_sources(*given))


def test_the_rate_that_is_wanted_stands_where_a_rate_is_set_and_nowhere_else():
    told = name_sources("u8", [8000], 1, declared_hz=24000)
    assert "-r 24000" in told and "{" not in told
    told = name_sources("pcm_s16le", [16000], 1, declared_hz=24000)
    assert "declare 16000, whatever" in told and "24000" not in told


@pytest.mark.parametrize("given", [("pcm_s16le", [48000], 1), ("pcm_s16le", [11025], 1), ("pcm_alaw", [], 1)])
def test_what_many_give_or_none_is_not_told(given):
    assert name_sources(*given) == ""


def test_a_client_that_is_no_browser_is_not_sent_to_the_browser():
    assert all(source.kind != "browser" for source in match_sources("pcm_f32le", [48000], 1, False))


def test_the_fix_of_a_wrong_encoding_names_the_source_once():
    told = sttdoctor.check(FIXTURES / "audio" / "f32-44k1.raw", encoding="pcm_s16le", sample_rate=16000)
    fixes = {found.cause: found.fix for check in told.checks for found in check.findings}
    assert "sounddevice" in fixes["encoding.mismatch"] and "sounddevice" not in fixes["sample-rate.mismatch"]
    (wrong,) = sttdoctor.check(FIXTURES / "audio" / "u8.raw", encoding="pcm_s16le", sample_rate=8000).diagnoses
    assert wrong.cause == "encoding.unsupported" and "arecord" in wrong.fix

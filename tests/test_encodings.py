import pytest

from sttdoctor.encodings import ALIASES, ENCODINGS, SUPPORTED, meant_by


def test_the_service_takes_six():
    assert SUPPORTED == ("pcm_s16le", "pcm_s32le", "pcm_f16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw")
    assert all(ENCODINGS[name].name == name for name in ENCODINGS)


def test_each_alias_means_one_of_the_six_and_hides_none():
    assert set(ALIASES.values()) <= set(SUPPORTED)
    assert not set(ALIASES) & set(ENCODINGS)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("pcm_s16le", "pcm_s16le"),
        ("PCM_S16LE", "pcm_s16le"),
        (" linear16 ", "pcm_s16le"),
        ("MuLaw", "pcm_mulaw"),
        ("opus", None),
        ("u8", None),  # known to the tool, but not to the service
        ("", None),
        (None, None),
    ],
)
def test_what_a_declared_name_means(name, meant):
    assert meant_by(name) == meant

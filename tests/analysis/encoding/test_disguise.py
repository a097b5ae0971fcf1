import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resonances import encoded, voice

from sttdoctor.analysis.decoding import MULAW_TABLE
from sttdoctor.analysis.encoding.disguise import Disguise, find_disguise, undo
from sttdoctor.analysis.encoding.estimate import estimate_encoding
from sttdoctor.encodings import ENCODINGS

CHANGES = [
    Disguise("unsigned", "pcm_s16le", b"\0\x80"),
    Disguise("unsigned", "s16be", b"\x80\0"),
    Disguise("unsigned", "pcm_s32le", b"\0\0\0\x80"),
    Disguise("reversed", "pcm_mulaw"),
    Disguise("reversed", "pcm_alaw"),
    Disguise("inverted", "pcm_mulaw", b"\xff"),
    Disguise("inverted", "pcm_alaw", b"\xff"),
    Disguise("even bits", "pcm_alaw", b"\x55"),
    Disguise("unsigned", "s32be", b"\x80\0\0\0"),
]
RARE = [
    *(Disguise("big endian", name) for name in ("pcm_f16le", "f64le", "s64le", "s24le")),
    *(Disguise("sign and size", name) for name in ("pcm_s16le", "s16be")),
    Disguise("in order", "pcm_mulaw"),
]


def found(data):
    data = np.frombuffer(data, np.uint8)
    return find_disguise(data, estimate_encoding(data))


def one_bit(sound):
    """What a modulator of the first order makes of sound, 64 bits a sample."""
    bits, held = [], 0.0
    for value in np.repeat(sound, 64).tolist():
        held += value
        bits.append(held >= 0)
        held -= 1.0 if bits[-1] else -1.0
    return np.packbits(bits).tobytes()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change.kind} {change.encoding}")
def test_what_was_done_to_the_bits_is_told(change):
    right = encoded(voice(3.0), change.encoding)
    assert found(undo(right, change).tobytes()) == change


@pytest.mark.parametrize("change", RARE, ids=lambda change: f"{change.kind} {change.encoding}")
def test_formats_that_no_client_writes_on_purpose_are_told(change):
    right = encoded(voice(3.0), change.encoding)
    assert found(undo(right, change).tobytes()) == change


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize(("order", "encoding"), [("<u2", "pcm_f32le"), (">u2", "f32be")])
@pytest.mark.parametrize("level", [1.0, 0.01])
def test_bfloat16_is_told_from_half_floats(order, encoding, level, rounded):
    words = (level * voice(3.0)).astype("<f4").view("<u4").astype(np.int64) + 0x8000 * rounded
    upper = (words >> 16).astype(order).tobytes()
    one = Disguise("half of a float", encoding)
    assert found(upper) == one
    undone = undo(np.frombuffer(upper, np.uint8), one).view("<f4" if order == "<u2" else ">f4")
    np.testing.assert_allclose(undone, level * voice(3.0), rtol=0.01)


@pytest.mark.parametrize("encoding", ["pcm_s16le", "pcm_s32le"])
def test_samples_that_lost_their_sign_to_a_shift_are_told(encoding):
    right = encoded(voice(3.0), encoding)
    codes = right.view(ENCODINGS[encoding].dtype.replace("i", "u"))
    one = Disguise("shifted down", encoding)
    assert found((codes >> 1).tobytes()) == one
    assert np.array_equal(undo((codes >> 1).view(np.uint8), one).view(codes.dtype), codes & ~codes.dtype.type(1))


def test_integers_that_were_scaled_as_if_they_were_floats_are_told():
    right = encoded(voice(3.0), "pcm_s16le").view("<i2")
    wrapped = (right.astype(np.int64) * 32767).astype("<i2")  # as numpy casts
    one = Disguise("scaled twice", "pcm_s16le")
    assert found(wrapped.tobytes()) == one
    assert np.array_equal(undo(wrapped.view(np.uint8), one).view("<i2"), right)


def as_mulaw(values):
    """The nearest code of mu-law of each value of 16 bits."""
    table = np.rint(MULAW_TABLE * 32768)
    return np.abs(values[:, None] - table).argmin(axis=1).astype(np.uint8)


def test_mulaw_that_was_encoded_again_is_told():
    right = np.frombuffer(encoded(voice(2.0), "pcm_mulaw"), np.uint8)
    again = as_mulaw(right.view(np.int8).astype(np.int64) << 8)
    assert found(again.tobytes()) == Disguise("encoded twice", "pcm_mulaw")


@pytest.mark.parametrize("level", [1.0, 0.05, 0.003])
def test_mulaw_that_was_encoded_once_is_left_alone(level):
    assert found(encoded(level * voice(3.0), "pcm_mulaw").tobytes()) is None


@pytest.mark.parametrize("bits", [16, 24])
def test_24_bits_in_32_without_a_sign_are_told(bits):
    codes = np.rint(voice(3.0) * (2**bits // 2 - 1)).astype("<i4") << 24 - bits
    padded = found((codes & 0xFFFFFF).astype("<u4").tobytes())
    assert padded == Disguise("padded", "pcm_s32le")
    assert (
        undo(np.frombuffer((codes & 0xFFFFFF).astype("<u4").tobytes(), np.uint8), padded).tobytes()
        == (codes << 8).tobytes()
    )


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_samples_as_they_should_be_are_left_alone(encoding):
    assert found(encoded(voice(3.0), encoding).tobytes()) is None


def test_samples_of_a_converter_that_never_cross_zero_are_left_alone():
    assert found(np.rint(voice(3.0) * 900 + 2000).astype("<i2").tobytes()) is None


def test_the_bits_of_a_modulator_are_told():
    assert found(one_bit(0.5 * voice(0.5))) == Disguise("one bit", "")


@pytest.mark.parametrize("data", [b"\xff\x7f" * 4000, bytes(range(256)) * 40, b"The bits of a text. " * 400])
def test_patterns_and_text_are_no_modulator(data):
    assert found(data) is None


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=6000))
def test_any_bytes_are_answered(data):
    assert found(data) is None or len(data) > 90


@given(st.binary(min_size=24, max_size=400), st.sampled_from([*CHANGES, *RARE]))
def test_what_is_done_twice_is_undone(data, change):
    data = np.frombuffer(data[: len(data) // 24 * 24], np.uint8)
    assert np.array_equal(undo(undo(data, change), change), data)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resonances import encoded, voice

from sttdoctor.analysis.encoding.codecs import name_codec
from sttdoctor.encodings import ENCODINGS

FACTORS = [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230]


def array(data):
    return np.frombuffer(data, np.uint8)


def ima_codes(sound):
    """Codes of 4 bits of an encoder whose step grows and falls by a tenth for each step of the table."""
    codes, place, guess = [], 0, 0.0
    for value in sound:
        step = 7 * 1.1**place / 32768
        size = min(7, int(abs(value - guess) * 4 / step))
        sign = -1 if value < guess else 1
        guess += sign * (size + 0.5) * step / 4
        place = min(88, max(0, place + (-1, -1, -1, -1, 2, 4, 6, 8)[size]))
        codes.append(size + 8 * (sign < 0))
    return np.array(codes[: len(codes) // 2 * 2], np.uint8)


def ms_codes(sound):
    """The same by factors, of differences with a sign."""
    codes, step, guess = [], 16.0, 0.0
    for value in sound * 32768:
        size = int(np.clip(round((value - guess) / step), -8, 7))
        guess += size * step
        codes.append(size & 15)
        step = max(16.0, step * FACTORS[size & 15] / 256)
    return np.array(codes[: len(codes) // 2 * 2], np.uint8)


def in_blocks(codes, head, size):
    data = (codes[::2] << 4 | codes[1::2]).tobytes()
    body = size - len(head)
    return b"".join(head + data[at : at + body] for at in range(0, len(data) - body, body))


def gsm_pairs(levels):
    """Two frames in 65 bytes, of any bits but for the levels of their quarters, 6 bits each, the lowest first."""
    rows = np.random.default_rng(7).integers(0, 2, (len(levels) // 8, 520), dtype=np.uint8)
    places = [260 * frame + 47 + 56 * quarter for frame in (0, 1) for quarter in range(4)]
    for row, eight in zip(rows, levels.reshape(-1, 8), strict=True):
        for place, level in zip(places, eight.tolist(), strict=True):
            row[place : place + 6] = [level >> bit & 1 for bit in range(6)]
    return np.packbits(rows, axis=1, bitorder="little").tobytes()


RNG = np.random.default_rng(4)
LEVELS = np.rint(30 + 25 * np.sin(np.arange(1600) / 9)).astype(int)
SPEECH = voice(3.0) + RNG.normal(0, 0.003, len(voice(3.0)))
IMA, MS = ima_codes(SPEECH), ms_codes(SPEECH)
USED = np.array([code for code in range(256) if code & 63 >= 4], np.uint8)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (in_blocks(IMA, b"", 256), "ADPCM"),
        (in_blocks(IMA, b"\x12\xf0\x20\0", 512), "IMA ADPCM"),
        (in_blocks(MS, bytes(7), 256), "Microsoft ADPCM"),
        (b"".join(b"\xd4" + RNG.bytes(32) for _ in range(200)), "GSM"),
        (gsm_pairs(LEVELS), "Microsoft GSM"),
        (gsm_pairs(LEVELS)[17:], "Microsoft GSM"),
        (gsm_pairs(RNG.permutation(LEVELS)), ""),
        (RNG.choice(USED, 9000).tobytes(), "G.722"),
        ((RNG.integers(1, 16, 9000) * 16 + RNG.integers(1, 16, 9000)).astype(np.uint8).tobytes(), "G.726"),
        (RNG.bytes(9000), ""),
        (b"\xd5" * 9000, ""),
    ],
)
def test_a_codec_is_named_by_what_its_encoder_cannot_write(data, name):
    assert name_codec(array(data), are_dense=True) == name


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
@pytest.mark.parametrize("level", [1.0, 0.02])
def test_samples_are_no_codec(encoding, level):
    data = array(encoded(level * SPEECH, encoding))
    assert name_codec(data, are_dense=False) == ""
    assert name_codec(data, are_dense=True) in ("", "G.722", "G.726")  # quiet codes of G.711 leave out as many


@pytest.mark.parametrize("times", [1, 2])
def test_codes_that_were_widened_as_samples_of_8_bits_are_named(times):
    def widen(codes):
        return array((np.repeat(array(codes).view(np.int8), times).astype("<i2") << 8).tobytes())

    assert name_codec(widen(RNG.choice(USED, 9000).tobytes()), are_dense=False) == "G.722"
    for encoding, name in (("s8", ""), ("pcm_mulaw", "G.711"), ("pcm_alaw", "G.711")):
        assert name_codec(widen(encoded(SPEECH, encoding)), are_dense=False) == name


@given(st.binary(max_size=3000), st.booleans())
def test_any_bytes_are_answered(data, are_dense):
    assert len(data) >= 2000 or name_codec(array(data), are_dense) == ""

import io
import struct
import warnings

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.decoding import decode
from sttdoctor.encodings import ENCODINGS

LIBSNDFILE = {
    "pcm_s16le": ("PCM_16", "LITTLE"),
    "pcm_s32le": ("PCM_32", "LITTLE"),
    "pcm_f32le": ("FLOAT", "LITTLE"),
    "pcm_mulaw": ("ULAW", "FILE"),
    "pcm_alaw": ("ALAW", "FILE"),
    "u8": ("PCM_U8", "FILE"),
    "s8": ("PCM_S8", "FILE"),
    "s16be": ("PCM_16", "BIG"),
    "s24le": ("PCM_24", "LITTLE"),
    "s32be": ("PCM_32", "BIG"),
    "f32be": ("FLOAT", "BIG"),
    "f64le": ("DOUBLE", "LITTLE"),
}


def by_libsndfile(data: bytes, encoding: str) -> np.ndarray:
    subtype, endian = LIBSNDFILE[encoding]
    raw = {"samplerate": 8000, "channels": 1, "format": "RAW", "subtype": subtype, "endian": endian}
    return soundfile.read(io.BytesIO(data), dtype="float64", **raw)[0]


@pytest.mark.parametrize("encoding", ["pcm_mulaw", "pcm_alaw", "u8", "s8"])
def test_all_codes_of_one_byte_are_exact(encoding):
    codes = bytes(range(256))
    np.testing.assert_array_equal(decode(codes, encoding), by_libsndfile(codes, encoding))


@pytest.mark.parametrize("encoding", LIBSNDFILE)
def test_random_samples_are_exact(encoding):
    rng = np.random.default_rng(5)
    if encoding in ("pcm_f32le", "f32be", "f64le"):
        dtype = {"pcm_f32le": "<f4", "f32be": ">f4", "f64le": "<f8"}[encoding]
        data = np.concatenate([rng.normal(0, 0.3, 5000), [0.0, -0.0, 1.0, -1.0, 3.5, 32767.0, 1e-30]]).astype(dtype)
        data = data.tobytes()
    else:
        data = rng.bytes(ENCODINGS[encoding].width * 5000)
    np.testing.assert_array_equal(decode(data, encoding), by_libsndfile(data, encoding))


def test_every_half_float_is_exact():
    codes = np.arange(1 << 16, dtype="<u2").tobytes()
    np.testing.assert_array_equal(decode(codes, "pcm_f16le"), np.array(struct.unpack("<65536e", codes)))


def test_extremes_reach_full_scale():
    assert decode(b"\x00\x80\xff\x7f", "pcm_s16le").tolist() == [-1.0, 32767 / 32768]
    assert decode(b"\x00\x00\x80", "s24le").tolist() == [-1.0]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_partial_sample_at_the_end_is_left_out(encoding):
    width = ENCODINGS[encoding].width
    data = bytes(range(1, 3 * width + 1))
    whole = decode(data, encoding)
    assert whole.shape == (3,) and whole.dtype == np.float64
    for missing in range(1, width):
        np.testing.assert_array_equal(decode(data[:-missing], encoding), whole[:2])


def test_an_array_decodes_as_its_bytes_even_when_its_parts_lie_apart():
    data = np.arange(1, 21, dtype=np.uint8)
    np.testing.assert_array_equal(decode(data[::2], "pcm_s16le"), decode(data[::2].tobytes(), "pcm_s16le"))


@pytest.mark.parametrize(
    ("encoding", "code"),
    [("pcm_f16le", "017d"), ("pcm_f32le", "0100a07f"), ("f32be", "7fa00001"), ("f64le", "010000000000f47f")],
)
def test_no_nan_makes_later_arithmetic_warn(encoding, code):
    """A signalling NaN of each width."""
    samples = decode(bytes.fromhex(code) * 4, encoding)
    with np.errstate(all="raise"):
        assert np.isnan(samples * 2).all() and np.isnan(samples.mean())


def test_an_unknown_encoding_is_refused():
    with pytest.raises(KeyError):
        decode(b"\0\0", "mp3")


@given(st.binary(max_size=64), st.sampled_from(sorted(ENCODINGS)))
def test_any_bytes_decode_without_exception_or_warning(data, encoding):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(data, encoding).shape == (len(data) // ENCODINGS[encoding].width,)

"""Headers against libsndfile: what it writes is read back to the sample from what our reader says of the header."""

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.container.header import (
    Header,
    read_aiff_header,
    read_au_header,
    read_caf_header,
    read_ircam_header,
    read_npy_header,
    read_sphere_header,
    read_svx_header,
    read_voc_header,
    read_w64_header,
    read_wav_header,
)
from sttdoctor.analysis.decoding import decode
from sttdoctor.encodings import ENCODINGS

READ = {"WAV": read_wav_header, "WAVEX": read_wav_header, "RF64": read_wav_header}
READ |= {
    "AIFF": read_aiff_header,
    "AU": read_au_header,
    "CAF": read_caf_header,
    "W64": read_w64_header,
    "NIST": read_sphere_header,
}
READ |= {"IRCAM": read_ircam_header, "VOC": read_voc_header, "SVX": read_svx_header}
SOUND = np.random.default_rng(5).uniform(-0.9, 0.9, (500, 2))
LITTLE = {"PCM_16": "pcm_s16le", "PCM_24": "s24le", "PCM_32": "pcm_s32le", "FLOAT": "pcm_f32le", "DOUBLE": "f64le"}
BIG = {"PCM_16": "s16be", "PCM_24": None, "PCM_32": "s32be", "FLOAT": "f32be", "DOUBLE": None}
G711 = {"ULAW": "pcm_mulaw", "ALAW": "pcm_alaw"}
KINDS = {
    ("WAV", "LITTLE"): LITTLE | G711 | {"PCM_U8": "u8"},
    ("WAV", "BIG"): BIG | G711 | {"PCM_U8": "u8"},
    ("WAVEX", "LITTLE"): LITTLE | G711 | {"PCM_U8": "u8"},
    ("RF64", "LITTLE"): LITTLE | G711 | {"PCM_U8": "u8"},
    ("AIFF", "FILE"): BIG | G711 | {"PCM_S8": "s8"},
    ("AIFF", "LITTLE"): {"PCM_16": "pcm_s16le", "PCM_24": None, "PCM_32": None},
    ("AU", "BIG"): BIG | G711 | {"PCM_S8": "s8"},
    ("CAF", "BIG"): BIG | G711 | {"PCM_S8": "s8"},
    ("CAF", "LITTLE"): LITTLE,
    ("AU", "LITTLE"): LITTLE | G711 | {"PCM_S8": "s8"},
    ("W64", "LITTLE"): LITTLE | G711 | {"PCM_U8": "u8"},
    ("NIST", "LITTLE"): {"PCM_16": "pcm_s16le", "PCM_32": "pcm_s32le"} | G711,
    ("NIST", "BIG"): {"PCM_16": "s16be", "PCM_24": None, "PCM_32": "s32be"},
    ("IRCAM", "LITTLE"): {"PCM_16": "pcm_s16le", "PCM_32": "pcm_s32le", "FLOAT": "pcm_f32le"} | G711,
    ("IRCAM", "BIG"): {"PCM_16": "s16be", "PCM_32": "s32be", "FLOAT": "f32be"} | G711,
    ("VOC", "LITTLE"): {"PCM_16": "pcm_s16le"} | G711,
}
CASES = [(*kind, subtype, encoding) for kind, known in KINDS.items() for subtype, encoding in known.items()]


def written(form, endian, subtype, rate=24000):
    file = io.BytesIO()
    soundfile.write(file, SOUND, rate, format=form, subtype=subtype, endian=endian)
    return file.getvalue()


@pytest.mark.parametrize(("form", "endian", "subtype", "encoding"), CASES)
def test_a_header_leads_to_the_samples(form, endian, subtype, encoding):
    data = written(form, endian, subtype)
    header = READ[form](data)
    assert (header.encoding, header.sample_rate, header.channels) == (encoding, 24000, 2)
    if encoding is None:
        return
    assert header.codec == encoding
    end = header.payload + header.size if header.size else len(data)
    whole = (end - header.payload) // (2 * ENCODINGS[encoding].width) * 2 * ENCODINGS[encoding].width
    samples = decode(data[header.payload : header.payload + whole], encoding).reshape(-1, 2)
    np.testing.assert_array_equal(samples, soundfile.read(io.BytesIO(data))[0])


def test_the_header_of_an_old_voice_file_and_of_one_for_the_amiga():
    old = b"Creative Voice File\x1a\x1a\0\x0a\1\x29\x11\1" + (102).to_bytes(3, "little") + bytes([131, 0]) + bytes(100)
    assert read_voc_header(old) == Header(32, 100, "u8", "u8", 8000, 1)
    file = io.BytesIO()
    soundfile.write(file, SOUND[:, 0], 16000, format="SVX", subtype="PCM_S8")
    header = read_svx_header(file.getvalue())
    assert (header.encoding, header.sample_rate, header.channels) == ("s8", 16000, 1)
    samples = decode(file.getvalue()[header.payload : header.payload + header.size], "s8")
    np.testing.assert_array_equal(samples, soundfile.read(io.BytesIO(file.getvalue()))[0])


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize(
    ("kind", "encoding"),
    [("<i2", "pcm_s16le"), (">i2", "s16be"), ("<f4", "pcm_f32le"), ("|u1", "u8"), ("<i8", "s64le"), ("<f8", "f64le")],
)
def test_the_header_of_an_array(version, kind, encoding):
    for shape, channels in (((500,), 1), ((500, 2), 2), ((2, 500), 2)):
        file = io.BytesIO()
        array = np.zeros(shape, kind)
        np.lib.format.write_array(file, array, version)
        header = read_npy_header(file.getvalue())
        assert (header.encoding, header.sample_rate, header.channels) == (encoding, None, channels)
        assert len(file.getvalue()) - header.payload == array.nbytes


@given(st.sampled_from(CASES), st.integers(0, 200), st.binary(max_size=300))
def test_a_header_that_is_cut_and_goes_on_otherwise_makes_no_reader_fail(case, cut, rest):
    form, endian, subtype, _ = case
    header = READ[form](written(form, endian, subtype)[:cut] + rest)
    assert header.payload >= 0 and (header.channels is None or header.channels >= 0)


def wav(*chunks, magic=b"RIFF"):
    return magic + bytes(4) + b"WAVE" + b"".join(name + struct.pack("<I", size) + body for name, size, body in chunks)


def form_chunk(tag=1, bits=16, rate=8000, channels=1):
    return b"fmt ", 16, struct.pack("<HHIIHH", tag, channels, rate, 0, 0, bits)


@pytest.mark.parametrize(
    ("tag", "bits", "words"),
    [
        (0x02, 4, "MS ADPCM"),
        (0x11, 4, "IMA ADPCM"),
        (0x31, 0, "GSM 6.10"),
        (0x50, 0, "MPEG audio"),
        (0x55, 0, "MP3"),
        (0x64, 4, "G.726"),
        (0x65, 8, "G.722"),
        (0xFF, 0, "AAC"),
        (0x161, 16, "WMA"),
        (1, 12, "format tag 1 with 12 bits"),
    ],
)
def test_coded_samples_have_a_name(tag, bits, words):
    header = read_wav_header(wav(form_chunk(tag, bits), (b"data", 9, bytes(9))))
    assert (header.encoding, header.codec, header.payload, header.size) == (None, words, 44, 9)


@pytest.mark.parametrize(
    ("tag", "bits", "encoding"),
    [
        *((1, 8, "u8"), (1, 16, "pcm_s16le"), (1, 24, "s24le"), (1, 32, "pcm_s32le"), (3, 16, "pcm_f16le")),
        *((3, 32, "pcm_f32le"), (3, 64, "f64le"), (6, 8, "pcm_alaw"), (7, 8, "pcm_mulaw")),
    ],
)
def test_bare_samples_in_a_wav_file(tag, bits, encoding):
    header = read_wav_header(wav((b"LIST", 5, b"INFOx\0"), form_chunk(tag, bits, 44100, 2), (b"data", 8, bytes(8))))
    assert header == Header(58, 8, encoding, encoding, 44100, 2)


def test_a_long_form_chunk_is_only_read_on_where_its_tag_says_so():
    assert read_wav_header(written("WAV", "LITTLE", "MS_ADPCM")).codec == "MS ADPCM"


@pytest.mark.parametrize(
    ("rate", "channels", "detected"),
    [
        (1000, 1, True),
        (999, 1, False),
        (768_000, 1, True),
        (768_001, 1, False),
        (8000, 64, True),
        (8000, 65, False),
        (8000, 0, False),
    ],
)
def test_absurd_numbers_are_not_told(rate, channels, detected):
    header = read_wav_header(wav(form_chunk(rate=rate, channels=channels), (b"data", 2, bytes(2))))
    assert (header.sample_rate, header.channels) == ((rate, channels) if detected else (None, None))
    assert (header.payload, header.size) == (44, 2)


@pytest.mark.parametrize("name", [b"junk", b"\xffunk"])
@pytest.mark.parametrize("length", [4, 1 << 16, (1 << 16) + 1, 1 << 31])
def test_behind_a_chunk_that_lies_the_samples_are_looked_for(name, length):
    body = b"junk" + bytes(3) + b"data" + struct.pack("<I", 2) + b"\1\2"
    header = read_wav_header(wav(form_chunk(), (name, length, body)))
    lies = name != b"junk" or length > 1 << 16
    # a chunk of four bytes is followed by three zero bytes where a name should be: no chunk up to the end
    assert header.payload == (44 + 8 + 7 if lies else 44)


@pytest.mark.parametrize(("length", "size"), [(4, 4), (0xFFFFFFFF, 6_000_000_000)])
def test_a_long_file_says_its_size_in_another_chunk(length, size):
    sizes = struct.pack("<QQQI", 7_000_000_000, 6_000_000_000, 3_000_000_000, 0)
    header = read_wav_header(wav((b"ds64", 28, sizes), form_chunk(), (b"data", length, bytes(4)), magic=b"RF64"))
    assert (header.payload, header.size, header.encoding) == (80, size, "pcm_s16le")


def test_what_stands_behind_the_samples_does_not_count():
    header = read_wav_header(wav(form_chunk(), (b"data", 4, bytes(4)), form_chunk(rate=16000), (b"data", 2, bytes(2))))
    assert (header.payload, header.size, header.sample_rate) == (44, 4, 8000)


def extended(exponent, mantissa):
    return struct.pack(">HQ", exponent, mantissa)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (extended(16383 + 13, 16000 << 50), 16000),
        (extended(16383 + 15, 44100 << 48), 44100),
        (extended(0x7FFF, 1 << 63), None),  # infinity
        (extended(0xFFFF, 0), None),
        (extended(16383 + 9, 999 << 54), None),
        (extended(16383 + 9, 1000 << 54), 1000),
        (extended(16383 + 19, 768_000 << 44), 768_000),
        (extended(16383 + 19, 768_001 << 44), None),
    ],
)
def test_the_rate_of_an_aiff_file(rate, expected):
    common = struct.pack(">hIh", 1, 0, 16) + rate
    skipped = struct.pack(">II", 6, 0)
    data = b"FORM" + bytes(4) + b"AIFFCOMM" + struct.pack(">I", 18) + common + b"SSND" + struct.pack(">I", 24) + skipped
    header = read_aiff_header(data + bytes(16))
    assert (header.sample_rate, header.payload) == (expected, len(data) + 6)
    assert header.size == (16 if expected else None)


@pytest.mark.parametrize(("length", "size"), [(0, None), (8, None), (9, 1)])
def test_the_size_of_an_aiff_file(length, size):
    common = struct.pack(">hIh", 1, 0, 16) + extended(16383 + 13, 16000 << 50)
    samples = b"SSND" + struct.pack(">III", length, 0, 0) + bytes(4)
    data = b"FORM" + bytes(4) + b"AIFFCOMM" + struct.pack(">I", 18) + common + samples
    assert read_aiff_header(data) == Header(54, size, "s16be", "s16be", 16000, 1)


@pytest.mark.parametrize(
    ("kind", "bits", "encoding", "codec"),
    [
        (b"sowt", 16, "pcm_s16le", "pcm_s16le"),
        (b"sowt", 8, None, "8-bit sowt"),
        (b"sowt", 24, None, "24-bit sowt"),
        (b"twos", 16, "s16be", "s16be"),
        (b"ima4", 16, None, "16-bit ima4"),
    ],
)
def test_the_kinds_of_aiff_c(kind, bits, encoding, codec):
    common = struct.pack(">hIh", 1, 0, bits) + extended(16383 + 13, 16000 << 50) + kind + b"\0\0"
    data = b"FORM" + bytes(4) + b"AIFCCOMM" + struct.pack(">I", 24) + common + b"SSND" + struct.pack(">III", 8, 0, 0)
    header = read_aiff_header(data)
    assert (header.encoding, header.codec, header.sample_rate) == (encoding, codec, 16000)


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (0xFFFFFFFE, 0xFFFFFFFE), (0xFFFFFFFF, None)])
def test_the_size_of_an_au_file(size, expected):
    header = read_au_header(b".snd" + struct.pack(">5I", 28, size, 3, 8000, 1))
    assert (header.payload, header.size, header.encoding) == (28, expected, "s16be")
    assert read_au_header(b".snd" + bytes(19)).payload == 23


def caf(*chunks, rate=8000.0):
    desc = struct.pack(">d4s5I", rate, b"lpcm", 2, 2, 1, 1, 16)
    parts = [(b"desc", 32, desc), *chunks]
    return b"caff" + bytes(4) + b"".join(name + struct.pack(">q", size) + body for name, size, body in parts)


@pytest.mark.parametrize(
    ("chunks", "payload", "size"),
    [
        ([(b"data", 14, bytes(14))], 68, 10),
        ([(b"data", -1, bytes(14))], 68, None),
        ([(b"data", 4, bytes(14))], 68, None),
        ([(b"free", 3, bytes(3)), (b"data", 14, bytes(14))], 83, 10),
        ([(b"data", 14, b"")], 68, 10),
        ([(b"free", 1 << 40, b""), (b"data", 14, bytes(14))], 52, None),  # what follows a lying length is not known
        ([(b"free", -5, b""), (b"data", 14, bytes(14))], 52, None),
        ([], 52, None),
    ],
)
def test_the_chunks_of_a_caf_file(chunks, payload, size):
    header = read_caf_header(caf(*chunks))
    assert (header.payload, header.size, header.encoding, header.sample_rate) == (payload, size, "pcm_s16le", 8000)
    assert read_caf_header(caf(*chunks, rate=float("nan"))) == Header(payload)

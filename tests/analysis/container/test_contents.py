import base64
import binascii
import bz2
import gzip
import io
import json
import lzma
import pickle
import quopri
import struct
import zipfile

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.container.contents import find_containers, name_compressor
from sttdoctor.analysis.container.header import read_wav_header
from sttdoctor.analysis.decoding import MULAW_TABLE

RNG = np.random.default_rng(5)
NOISE = np.cumsum(RNG.normal(size=8000)) * 1e-3

SAMPLES = np.random.default_rng(6).integers(-9000, 9000, 4000).astype("<i2").tobytes()
ZSTD = b"\x28\xb5\x2f\xfd\x24\x05\x29\x00\x00hello\x42\x7e\x36\x9a"  # `printf hello | zstd`


def found(data):
    return find_containers(np.frombuffer(data, np.uint8))


def written(form, subtype, channels=1, rate=24000):
    file = io.BytesIO()
    soundfile.write(file, np.stack([NOISE] * channels, axis=1), rate, format=form, subtype=subtype)
    return file.getvalue()


@pytest.mark.parametrize(
    ("form", "subtype", "kind", "encoding"),
    [
        ("WAV", "PCM_16", "wav", "pcm_s16le"),
        ("WAV", "PCM_24", "wav", "s24le"),
        ("WAV", "PCM_U8", "wav", "u8"),
        ("WAV", "FLOAT", "wav", "pcm_f32le"),
        ("WAV", "ULAW", "wav", "pcm_mulaw"),
        ("WAV", "ALAW", "wav", "pcm_alaw"),
        ("WAV", "IMA_ADPCM", "wav", None),
        ("WAVEX", "PCM_16", "wav", "pcm_s16le"),
        ("RF64", "PCM_16", "wav", "pcm_s16le"),
        ("AIFF", "PCM_16", "aiff", "s16be"),
        ("AIFF", "FLOAT", "aiff", "f32be"),
        ("AIFF", "ULAW", "aiff", "pcm_mulaw"),
        ("AU", "PCM_16", "au", "s16be"),
        ("CAF", "PCM_16", "caf", "s16be"),
        ("CAF", "ALAW", "caf", "pcm_alaw"),
    ],
)
def test_a_file_of_samples_and_what_its_header_says(form, subtype, kind, encoding):
    data = written(form, subtype)
    first = found(data).first
    assert (first.kind, first.offset) == (kind, 0)
    assert (first.header.encoding, first.header.sample_rate, first.header.channels) == (encoding, 24000, 1)
    if encoding == "pcm_s16le":
        samples = np.frombuffer(data[first.header.payload :][:16000], "<i2") / 32768
        assert np.abs(samples - NOISE).max() < 2 / 32768


@pytest.mark.parametrize(("form", "subtype", "kind"), [("FLAC", "PCM_16", "flac"), ("OGG", "VORBIS", "ogg")])
def test_compressed_files(form, subtype, kind):
    contents = found(written(form, subtype))
    assert contents.first.kind == kind
    assert not contents.holds_samples


def mp3_frame():
    return b"\xff\xfb\x90\x64" + b"\x55" * 413  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes


def adts_frame(length=200):
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 255, (length & 7) << 5 | 0x1F, 0xFC])
    return head + b"\x33" * (length - 7)


# from `ffmpeg -c:a sbc`: mono, 16 blocks of 8 bands, 60 bits each; joint stereo with 17; a phone call's
SBC = bytes.fromhex("9c313c6fb7643311")
JOINT_SBC = bytes.fromhex("9cbd11f3feb542221100000001")
MSBC = bytes.fromhex("ad0000f8b7643311")


@pytest.mark.parametrize(
    ("data", "kind", "offset"),
    [
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(200), "webm", 0),
        (b"\0\0\0\x18ftypM4A \0\0\0\0" + bytes(200), "mp4", 0),
        (b"ID3\x04\0\0\0\0\x02\x01" + bytes(300), "mp3", 0),
        (b"#!AMR\n" + bytes(100), "amr", 0),
        (b"#!AMR-WB\n" + bytes(100), "amr-wb", 0),
        (b"RIFX" + bytes(4) + b"WAVEfmt \0\0\0\x10\0\1\0\1\0\0\x3e\x80\0\0\x7d\0\0\2\0\x10data" + bytes(40), "wav", 0),
        (3 * mp3_frame() + b"\xff\xfb", "mp3", 0),
        (b"\1\2\3" * 50 + 7 * mp3_frame(), "mp3", 150),
        (3 * adts_frame() + bytes(9), "aac", 0),
        (adts_frame(200)[77:] + adts_frame(300) * 7, "aac", 123),
        (6 * (SBC + b"\x5a" * 120), "sbc", 0),
        (6 * (JOINT_SBC + b"\x5a" * 34), "sbc", 0),
        (b"\5" * 50 + 8 * (MSBC + b"\x5a" * 49), "sbc", 50),
        (6 * (b"\x01\x38" + MSBC + b"\x5a" * 50), "sbc", 0),
        (b"\x72\xf8\x1f\x4e\x01\0\0\x18" + b"\x5a" * 900, "iec61937", 0),
    ],
)
def test_signatures(data, kind, offset):
    first = found(data).first
    assert (first.kind, first.offset) == (kind, offset)


@pytest.mark.parametrize(("head", "length"), [(SBC, 128), (JOINT_SBC, 47), (MSBC, 57)])
@pytest.mark.parametrize("changed", [3, 4, 7])
def test_frames_of_sbc_with_a_wrong_checksum_are_none(head, length, changed):
    head = head[:changed] + bytes([head[changed] ^ 1]) + head[changed + 1 :]
    assert found(8 * head.ljust(length, b"\x5a")).starts == ()


@pytest.mark.parametrize("first", [0x9C, 0xAD, 0x01])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 6])
@given(data=st.data())
def test_samples_that_stand_still_are_no_sbc(first, width, data):
    sample = bytes([first, *data.draw(st.lists(st.integers(0, 255), min_size=width - 1, max_size=width - 1))])
    assert "sbc" not in [start.kind for start in found(sample * 2000).starts]


@pytest.mark.parametrize("low", [0x9C, 0xAD])
def test_silence_with_an_offset_is_no_sbc(low):
    for high in range(256):
        assert "sbc" not in [start.kind for start in found(bytes([low, high]) * 2000 + SAMPLES).starts]


def block(size=300):
    return b"\xa3" + (0x4000 | size + 4).to_bytes(2, "big") + b"\x81\x00\x14\x80" + b"\x5a" * size


@pytest.mark.parametrize(
    ("data", "kind", "offset", "label"),
    [
        (
            block()[1:] + b"".join(map(block, (200, 310, 90, 250, 130))),
            "webm",
            306,
            "WebM/Matroska",
        ),  # as Chromium cuts
        (b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm" + bytes(99) + b"A_OPUS" + bytes(99), "webm", 0, "WebM/Matroska (Opus)"),
        (b"\0\0\0\x18moof\0\0\0\x10mfhd" + bytes(200), "mp4", 0, "MP4/M4A"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0" + bytes(5000) + b"stsd" + bytes(12) + b"alac", "mp4", 0, "MP4/M4A (ALAC)"),
        (b"OggS\0\2" + bytes(20) + b"\1\x13OpusHead" + bytes(99), "ogg", 0, "Ogg (Opus)"),
        (3 * (b"\xff\xfd\x90\x64" + bytes(518)) + bytes(4), "mp2", 0, "MPEG layer II"),
        (b"RIFF\0\0\0\0AVI LIST" + bytes(99), "avi", 0, "AVI"),
        (b"FLV\1\4\0\0\0\x09" + bytes(99), "flv", 0, "Flash video"),
        (b"TTA1\1\0" + bytes(99), "tta", 0, "True Audio"),
        (b"wvpk" + bytes(4) + b"\x10\4" + bytes(99), "wavpack", 0, "WavPack"),
    ],
)
def test_what_is_compressed_is_named_with_the_codec_that_is_inside(data, kind, offset, label):
    first = found(data).first
    assert (first.kind, first.offset) == (kind, offset) and first.label.startswith(label)
    assert first.header is None


def test_a_few_blocks_may_be_chance():
    assert found(block(200) + block(310) + bytes(3000)).starts == ()


@pytest.mark.parametrize("data", [2 * mp3_frame(), b"\1" * 150 + 4 * mp3_frame(), 2 * adts_frame()])
def test_a_short_chain_of_frames_may_be_chance(data):
    assert found(data + bytes(2000)).starts == ()


def test_a_header_some_bytes_in_and_in_every_chunk():
    chunk = written("WAV", "PCM_16")[:3244]
    assert found(b"\7" * 300 + chunk).first.offset == 300
    assert [start.offset for start in found(chunk * 4).starts] == [0, 3244, 6488, 9732]
    assert found(chunk).payload == 44


def test_a_header_whose_beginning_is_lost():
    assert found(written("WAV", "PCM_16")[12:]).first.header.payload == 32


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 16000])
def test_the_promised_size(size):
    data = bytearray(written("WAV", "PCM_16"))
    data[40:44] = struct.pack("<I", size)
    assert read_wav_header(bytes(data)).size == (16000 if size == 16000 else None)
    assert read_wav_header(bytes(data)).payload == 44


def test_chunks_in_odd_order_and_a_cut_header():
    data = written("WAV", "PCM_16")
    odd = data[:12] + b"LIST" + struct.pack("<I", 5) + b"INFOx\0" + data[12:]
    assert read_wav_header(odd).payload == 58
    assert found(odd).trailers == ()
    cut = read_wav_header(data[:30])
    assert (cut.sample_rate, cut.encoding, cut.payload) == (None, None, 30)


def test_chunks_behind_the_samples():
    tail = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf60.16.100\0"
    assert found(NOISE.astype("<f4").tobytes() + tail).trailers == (32000,)


RAW = (RNG.normal(size=6000) * 3000).astype("<i2").tobytes()
TEXTS = {
    "base64": base64.b64encode(RAW),
    "hex": RAW.hex().encode(),
    "json": json.dumps({"audio": base64.b64encode(RAW).decode()}).encode(),
    "html": b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>",
    "http": b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n\x01\x02\x03",
    "data-url": b"data:audio/wav;base64," + base64.b64encode(RAW),
    "text": b"It was a bright cold day in April, and the clocks were striking thirteen. " * 60,
    "numbers": b"0.0012, -0.0031, 0.0044, 0.0102, -0.98, " * 60,
    "literal": repr(RAW).encode(),
    "string": RAW.decode("latin-1").encode(),
    "lossy-string": RAW.decode("utf-8", "replace").encode(),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_text(kind):
    assert found(TEXTS[kind]).text == kind
    assert not found(TEXTS[kind]).holds_samples


@pytest.mark.parametrize("encode", [base64.urlsafe_b64encode, base64.encodebytes])
def test_kinds_of_base64(encode):
    assert found(encode(RAW)).text == "base64"


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(list(RAW[:500])),
        json.dumps({str(number): value for number, value in enumerate(RAW[:500])}),
        json.dumps({"type": "Buffer", "data": list(RAW[:500])}),
        "[0.25, -0.5, 0.125, " + "0, " * 99,
    ],
)
def test_kinds_of_numbers(data):
    assert found(data.encode()).text == "numbers"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (base64.b85encode(RAW), "escapes"),
        (base64.a85encode(RAW), "escapes"),
        (quopri.encodestring(RAW), "escapes"),
        (b"begin 644 a\n" + b"".join(binascii.b2a_uu(RAW[at : at + 45]) for at in range(0, len(RAW), 45)), "escapes"),
        (json.dumps(RAW.decode("latin-1")).encode(), "escapes"),
        ("".join(f"{byte:08b}" for byte in RAW[:3000]).encode(), "bits"),
        (RAW.decode("latin-1").encode().replace(b"\0", b"\xc0\x80"), "string"),
        (RAW.decode("ascii", "ignore").encode(), "lossy-string"),
        (RAW.decode("latin-1").encode("ascii", "replace"), "lossy-string"),
        (("\ufeff" + RAW.decode("latin-1")).encode("utf-16-le"), "utf-16"),
    ],
)
def test_text_that_stands_for_bytes_or_was_made_of_them(data, kind):
    assert found(data).text == kind and not found(data).holds_samples


def test_8_bit_sound_off_centre_is_no_text():
    sine = 80 + 40 * np.sin(np.arange(40_000) / 7) + RNG.normal(0, 1, 40_000)
    assert find_containers(sine.astype(np.uint8)).text is None


def test_samples_are_no_string_and_text_of_any_language_is_none_made_of_bytes():
    assert found("Ein schöner Tag für Müßiggänger. ".encode() * 200).text != "string"
    assert found(bytes(9000) + b"\xc3\xa4" * 50).text is None


def test_what_is_inside_base64():
    assert found(base64.b64encode(written("WAV", "PCM_16"))).inside.kind == "wav"
    assert found(b"data:audio/ogg;base64," + base64.b64encode(written("OGG", "VORBIS"))).inside.kind == "ogg"
    assert found(written("WAV", "PCM_16").decode("latin-1").encode()).inside.kind == "wav"
    assert found(TEXTS["base64"]).inside is None


def test_quiet_lines_and_offsets_are_no_text():
    alaw = RNG.choice([0x55, 0xD5, 0x54, 0x57, 0x56], size=8000).astype(np.uint8)
    biased = (64 + 15 * np.sin(np.arange(8000) / 9) + RNG.normal(size=8000)).astype(np.uint8)
    for data in (alaw, biased, np.full(8000, 0x55, np.uint8), np.full(8000, 0x41, np.uint8)):
        assert find_containers(data).text is None


@pytest.mark.parametrize("scale", [3, 30, 300, 3000])
def test_noise_in_any_encoding_holds_no_file(scale):
    x = RNG.normal(size=60000) * scale
    codes = np.argsort(MULAW_TABLE)[np.searchsorted(np.sort(MULAW_TABLE), np.clip(x / 32768, -0.97, 0.97))]
    for data in (
        x.astype("<i2"),
        x.astype("<i4"),
        (x / 32768).astype("<f4"),
        (x / 99).astype("i1"),
        codes.astype("u1"),
    ):
        contents = find_containers(np.ascontiguousarray(data).view(np.uint8))
        assert (contents.starts, contents.text, contents.trailers) == ((), None, ())


MAGICS = st.sampled_from([b"RIFF", b"WAVE", b"fmt ", b"data", b"FORM", b"AIFF", b"SSND", b"COMM", b"caff", b".snd"])
PARTS = st.lists(st.one_of(st.binary(max_size=20), MAGICS, st.just(b"OggS"), st.just(b"\xff\xfb\x90\x64")), max_size=20)


@given(PARTS)
def test_hostile_bytes_never_raise(parts):
    data = b"".join(parts)
    contents = found(data) if data else found(b"\0")
    assert all(0 <= start.offset < len(data) for start in contents.starts)


def zipped(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(zipfile.ZipInfo("audio.raw"), SAMPLES, method)
    return file.getvalue()


PACKED = [
    ("gzip", gzip.compress(SAMPLES, mtime=0)),
    ("gzip", gzip.compress(b"", mtime=0)),
    ("zip", zipped(zipfile.ZIP_STORED)),
    ("zip", zipped(zipfile.ZIP_DEFLATED)),
    ("bzip2", bz2.compress(SAMPLES)),
    ("bzip2", bz2.compress(b"")),
    ("xz", lzma.compress(SAMPLES)),
    ("zstd", ZSTD),
]


@pytest.mark.parametrize(("kind", "data"), PACKED, ids=[kind for kind, _ in PACKED])
def test_what_a_compressor_wrote_is_told_from_its_first_bytes(kind, data):
    assert name_compressor(data) == name_compressor(data[:4096]) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1f\x8b\x08" + b"\xe0" * 60,  # reserved flags
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 60,  # no deflate behind the header
        b"PK\x03\x04" + b"\x14\0\0\0\x63\0" + bytes(30),  # no such method
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"BZh0" + bz2.compress(SAMPLES)[4:],
        b"BZh9" + SAMPLES,
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd\x08" + SAMPLES,
        SAMPLES,
    ],
)
def test_a_magic_number_alone_is_not_enough(data):
    assert name_compressor(data) is None


@given(st.binary(max_size=80), st.sampled_from([data[:6] for _, data in PACKED]))
def test_no_bytes_make_it_fail(data, magic):
    assert name_compressor(data) in (None, "gzip", "zip", "bzip2", "xz", "zstd")
    assert name_compressor(magic + data) in (None, "gzip", "zip", "bzip2", "xz", "zstd")


def test_line_ends_of_a_text_mode_are_told_by_what_stands_before_each_newline():
    sent = SAMPLES * 20
    notes = found(sent.replace(b"\n", b"\r\n")).notes
    assert {note.kind for note in notes} == {"newlines"} and notes[0].start == sent.index(b"\n")
    assert not found(sent).notes


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
def test_text_with_two_bytes_a_letter_is_text(coding):
    assert found(base64.b64encode(SAMPLES).decode().encode(coding)).text == "utf-16"
    assert found(np.arange(256, dtype="<u2").repeat(20).tobytes()).text is None


@pytest.mark.parametrize("spread", [2, 5, 8])
def test_a_pause_or_a_whole_recording_off_centre_is_no_text_in_utf_16(spread):
    hiss = np.random.default_rng(3).normal(73, spread, 60_000).clip(33, 125).astype("<i2").tobytes()
    assert found(hiss).text is None and found(hiss[:4000] + SAMPLES * 10).text is None


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_pickle_is_named(protocol):
    (start,) = found(pickle.dumps(np.frombuffer(SAMPLES, "<i2"), protocol)).starts
    assert (start.offset, start.kind, start.header) == (0, "pickle", None)


def test_a_transport_stream_is_named_by_its_sync_bytes():
    packets = [b"\x47\x01\x00\x10" + RNG.bytes(184) for _ in range(12)]
    assert [start.kind for start in found(b"".join(packets)).starts] == ["ts"]
    assert not found(b"".join(packet[1:] for packet in packets)).starts


@pytest.mark.parametrize(("order", "encoding"), [("<", "pcm_s32le"), (">", "s32be")])
def test_the_format_of_sox_itself_is_a_header(order, encoding):
    magic = b".SoX" if order == "<" else b"XoS."
    head = magic + struct.pack(order + "IQdII", 28, 1000, 22050.0, 1, 0)
    (start,) = found(head + bytes(4000)).starts
    header = start.header
    assert (header.payload, header.size, header.encoding, header.sample_rate) == (32, 4000, encoding, 22050)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xac\xed\0\x05ur\0\x02[S\xef\x83.\x06\xe5\xdb\xb0\xfa\x02\0\0xp\0\0\x10\0", "java"),
        (b"MATLAB 5.0 MAT-file, Platform: posix".ljust(124) + b"\0\x01IM", "mat"),
        (b"\x89HDF\r\n\x1a\n\0\0\0", "hdf5"),
        (b"PAR1\x15\x04\x15\x80", "parquet"),
        (b"ARROW1\0\0\xff\xff\xff\xff", "arrow"),
        (b"DSD \x1c\0\0\0\0\0\0\0" + bytes(16) + b"fmt ", "dsd"),
        (b"FRM8\0\0\0\0\0\x10\0\0DSD FVER", "dsd"),
        (b"MAC \x96\x0f\0\0", "ape"),
        (b"MPCKSH\x0e", "musepack"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"%PDF-1.7\n", "pdf"),
    ],
)
def test_files_of_arrays_of_rare_codecs_and_without_sound_are_named(head, kind):
    (start,) = found(head + SAMPLES).starts
    assert (start.offset, start.kind, start.header) == (0, kind, None)

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.analysis.container.packed import packed_as

SAMPLES = np.random.default_rng(6).integers(-9000, 9000, 4000).astype("<i2").tobytes()
ZSTD = b"\x28\xb5\x2f\xfd\x24\x05\x29\x00\x00hello\x42\x7e\x36\x9a"  # `printf hello | zstd`


def zipped(method):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("audio.raw", SAMPLES)
    return file.getvalue()


PACKED = [
    ("gzip", gzip.compress(SAMPLES)),
    ("gzip", gzip.compress(b"")),
    ("zip", zipped(zipfile.ZIP_STORED)),
    ("zip", zipped(zipfile.ZIP_DEFLATED)),
    ("bzip2", bz2.compress(SAMPLES)),
    ("bzip2", bz2.compress(b"")),
    ("xz", lzma.compress(SAMPLES)),
    ("zstd", ZSTD),
]


@pytest.mark.parametrize(("kind", "data"), PACKED, ids=[kind for kind, _ in PACKED])
def test_what_a_compressor_wrote_is_told_from_its_first_bytes(kind, data):
    assert packed_as(data) == packed_as(data[:4096]) == kind


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
    assert packed_as(data) is None


@given(st.binary(max_size=80), st.sampled_from([data[:6] for _, data in PACKED]))
def test_no_bytes_make_it_fail(data, magic):
    assert packed_as(data) in (None, "gzip", "zip", "bzip2", "xz", "zstd")
    assert packed_as(magic + data) in (None, "gzip", "zip", "bzip2", "xz", "zstd")

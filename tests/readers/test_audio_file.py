import io
import os
import threading

import numpy as np
import pytest

from sttdoctor.errors import InputError
from sttdoctor.readers import audio_file
from sttdoctor.readers.audio_file import read_audio


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_and_file_objects_have_no_path(wrap):
    audio = read_audio(wrap(b"\x01\x02\x03"))
    assert audio.data.tolist() == [1, 2, 3] and audio.path is None


@pytest.mark.parametrize("as_type", [str, lambda path: path])
def test_a_file_is_mapped_and_not_copied(tmp_path, as_type):
    path = tmp_path / "a.raw"
    path.write_bytes(b"\x01\x02\x03")
    audio = read_audio(as_type(path))
    assert isinstance(audio.data.base, np.memmap)
    assert audio.data.tolist() == [1, 2, 3] and audio.path == str(path)


def test_a_file_of_100_mb_of_zeros_takes_no_time(tmp_path):
    path = tmp_path / "zeros.raw"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    assert len(read_audio(path).data) == 100_000_000


def test_a_named_pipe_is_read_to_its_end(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"\x01\x02\x03",))
    writer.start()
    audio = read_audio(path)
    writer.join()
    assert audio.data.tolist() == [1, 2, 3]


@pytest.mark.parametrize("source", ["/dev/zero", "stream"])
def test_an_endless_stream_is_refused_in_bounded_memory(monkeypatch, source):
    monkeypatch.setattr(audio_file, "MAX_STREAM_BYTES", 1 << 20)
    with pytest.raises(InputError, match="longer than 1 MiB"):
        read_audio(source if source != "stream" else io.BytesIO(bytes((1 << 20) + 1)))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path / "missing.raw", "cannot read .*missing.raw: No such file"),
        (lambda path: path, "is a directory"),
        (lambda _path: "a\0b", "cannot read"),
        (lambda _path: b"", "the audio is empty"),
        (lambda _path: io.BytesIO(), "the audio is empty"),
        (lambda _path: io.StringIO("text"), "not opened in binary mode"),
        (lambda path: (path / "empty.raw").touch() or path / "empty.raw", "empty.raw is empty"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path, make, says):
    with pytest.raises(InputError, match=says):
        read_audio(make(tmp_path))

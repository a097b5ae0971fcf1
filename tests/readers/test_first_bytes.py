import codecs
import gzip

import pytest
from common import FIXTURES

from sttdoctor.readers.capture import is_session_file
from sttdoctor.readers.first_bytes import may_be_session_file

CAPTURES = [*sorted((FIXTURES / "sessions").iterdir()), *sorted((FIXTURES / "captures").iterdir())]
ROW = '{"type":"session","schema":"sttdoctor.session/1"}\n{"type":"open","t":0.1,"status":101}\n'


def test_no_capture_is_taken_for_audio():
    captures = [str(path) for path in CAPTURES if is_session_file(str(path))]
    assert len(captures) > 50
    assert all(map(may_be_session_file, captures))


@pytest.mark.parametrize(
    "content",
    [
        ROW.encode(),
        b"\n \r\n" + ROW.encode(),
        b"\n" * 500 + ROW.encode(),
        codecs.BOM_UTF8 + ROW.encode(),
        gzip.compress(ROW.encode(), mtime=0),
        *(ROW.encode(name) for name in ("utf-16", "utf-16-le", "utf-16-be")),
        *(("\n " + ROW).encode(name) for name in ("utf-16-le", "utf-16-be")),
    ],
)
def test_however_a_capture_is_written_it_may_be_one(tmp_path, content):
    path = tmp_path / "session.jsonl"
    path.write_bytes(content)
    assert is_session_file(str(path))
    assert may_be_session_file(str(path))


def test_audio_needs_no_reader(tmp_path):
    names = ("s16-16k", "s16-48k", "mulaw-8k", "f32-44k1", "silence", "room-noise", "u8", "big-endian")
    assert not any(may_be_session_file(str(FIXTURES / "audio" / f"{name}.raw")) for name in names)
    assert not may_be_session_file(str(tmp_path))
    assert not may_be_session_file(str(tmp_path / "missing"))

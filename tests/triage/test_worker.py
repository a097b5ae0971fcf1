import gzip
import zipfile

import pytest
from common import FIXTURES
from triaged import capture

from sttdoctor.errors import InputError
from sttdoctor.triage.archives import Room, close, members
from sttdoctor.triage.row import COLUMNS, error_row, row_of
from sttdoctor.triage.task import Settings, Task
from sttdoctor.triage.worker import judge

AUDIO = FIXTURES / "audio" / "mulaw-declared-s16.raw"
CHEAP = Settings(select=("container", "drain"))


def row(path, settings=CHEAP, **task):
    made = Task(str(path), **task)
    return row_of(made, *judge(made, settings))


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("call.jsonl", capture(), "session"),
        ("call.raw", capture(), "session"),
        ("call", gzip.compress(capture(), mtime=0), "session"),
        ("audio.raw", AUDIO.read_bytes(), "audio"),
        ("audio", AUDIO.read_bytes(), "audio"),
        ("audio.jsonl", AUDIO.read_bytes(), "audio"),
        ("audio.raw.gz", gzip.compress(AUDIO.read_bytes(), mtime=0), "audio"),
        ("text.pcm", b"AAAABAP//" * 500, "audio"),
        ("bom.jsonl", b"\xef\xbb\xbf" + capture(), "session"),
    ],
)
def test_sessions_and_audio_are_told_apart_by_content_then_by_name(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    assert row(tmp_path / name)["kind"] == kind
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(name, content)
    (task,) = members(str(tmp_path / "x.zip"), Room())
    assert row_of(task, *judge(task, CHEAP))["kind"] == kind
    close()


@pytest.mark.parametrize("path", sorted((FIXTURES / "captures").iterdir()), ids=lambda path: path.name)
def test_every_kind_of_session_capture_is_seen_by_its_content(tmp_path, path):
    (tmp_path / "x.raw").write_bytes(path.read_bytes())
    assert row(tmp_path / "x.raw")["kind"] == "session"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("README", b"What these calls are\n", "is not a session capture"),
        ("empty.raw", b"", "is empty"),
        ("empty.jsonl", b"", "is empty"),
        ("cut.raw.gz", gzip.compress(AUDIO.read_bytes(), mtime=0)[:500], "gzip stream is damaged"),
    ],
)
def test_what_cannot_be_judged_is_told(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says):
        row(tmp_path / name)


def test_a_missing_file_and_an_archive_in_an_archive_are_told(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        row(tmp_path / "nope")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("inner.zip", b"PK\x03\x04" + bytes(100))
    (task,) = members(str(tmp_path / "x.zip"), Room())
    with pytest.raises(InputError, match="inside an archive"):
        judge(task, CHEAP)
    close()


def test_the_options_declare_what_audio_is_and_leave_sessions_alone(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(capture(encoding="pcm_mulaw"))
    settings = Settings("pcm_s16le", 8000, select=("encoding", "drain"))
    assert row(tmp_path / "a.jsonl", settings)["encoding"] == "pcm_mulaw"
    heard = row(AUDIO, settings)
    assert (heard["encoding"], heard["cause"], heard["status"]) == ("pcm_s16le", "encoding.mismatch", "fail")


def test_a_row_holds_the_key_measurements():
    made = row(FIXTURES / "sessions" / "format-24k-declared-16k.jsonl.gz", Settings())
    assert list(made) == list(COLUMNS)
    assert (made["status"], made["cause"]) == ("fail", "sample-rate.mismatch") and made["confidence"] > 0.9
    assert (made["encoding"], made["sample_rate"]) == ("pcm_s16le", 16000)
    assert (made["estimated_encoding"], made["estimated_sample_rate"], made["channels"]) == ("pcm_s16le", 24000, 1)
    assert made["speed"] == pytest.approx(1.5, abs=0.01) and made["chunk_ms"] == 150 and made["turns"] == 3
    assert made["client"] == "cartesia-python/4.2.0" and made["endpoint"] == "auto" and made["unjudged"] == "language"
    assert made["max_backlog_s"] > 1 and made["end_of_turn_s"] > 0.3 and -30 < made["loud_dbfs"] < 0
    assert made["error"] is None and made["duration_s"] == pytest.approx(5.94, abs=0.01)


@pytest.mark.parametrize(
    ("client", "told"), [(" sdk\n\t 1  x ", "sdk 1 x"), ("", None), ("y" * 500, "y" * 120), ("=cmd()", "=cmd()")]
)
def test_a_client_is_named_on_one_line_as_it_names_itself(tmp_path, client, told):
    (tmp_path / "a.jsonl").write_bytes(capture(client))
    assert row(tmp_path / "a.jsonl")["client"] == told


def test_an_error_does_not_repeat_the_name_and_has_a_bound():
    assert error_row(Task("a b"), "a b is empty")["error"] == "is empty"
    assert error_row(Task("a b"), "cannot read a b: gone")["error"] == "cannot read: gone"
    assert len(error_row(Task("a"), "x" * 9999)["error"]) == 500

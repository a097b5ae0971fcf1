import contextlib
import gzip
import io
import os
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import CONTENTS, as_tar, as_zip

from sttdoctor.errors import InputError
from sttdoctor.readers import stream
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.har import zip_file
from sttdoctor.triage import archives
from sttdoctor.triage.archives import Room, open_task
from sttdoctor.triage.batch import collect
from sttdoctor.triage.task import Settings, Task
from sttdoctor.triage.worker import judge


@pytest.fixture(autouse=True)
def closed():
    yield
    archives.close()


def members(path: str, room: Room | None = None) -> list[Task]:
    return list(archives.members(path, room or Room()))


def read(task):
    with open_task(task) as stream:
        return stream.read()


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "X.TGZ"])
def test_members_are_listed_and_read_in_any_order(tmp_path, name):
    path = (as_zip if name.endswith("zip") else as_tar)(tmp_path / name)
    tasks = members(path)
    assert {task.member: task.size for task in tasks} == {name: len(content) for name, content in CONTENTS.items()}
    random.Random(1).shuffle(tasks)
    assert {task.member: read(task) for task in tasks + tasks} == CONTENTS


def test_links_folders_and_devices_are_no_members(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"m{kind!r}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert [task.error for task in members(str(path))] == ["the archive holds no files"]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("folder/", "")
    assert [task.error for task in members(str(tmp_path / "x.zip"))] == ["the archive holds no files"]


def test_names_that_lead_outside_are_only_names(tmp_path):
    hostile = {"../../up.raw": b"1", "/abs.raw": b"2"}
    before = set(os.listdir(tmp_path.parent))
    for path in (as_zip(tmp_path / "x.zip", hostile), as_tar(tmp_path / "x.tar.gz", hostile)):
        assert {task.member: read(task) for task in members(path)} == hostile
    assert set(os.listdir(tmp_path.parent)) == before and not os.path.exists("/abs.raw")


def test_of_several_members_of_one_name_the_last_counts(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for content in (b"old", b"newer", b"newest"):
            info = tarfile.TarInfo("a")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        archive.addfile(tarfile.TarInfo("b"))
    tasks = collect([str(path)])
    assert {task.member: read(task) for task in tasks} == {"a": b"newest", "b": b""}
    assert [task.offset for task in tasks] == sorted(task.offset for task in tasks)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b", os.urandom(2000), b"\0" * 512])
def test_what_is_no_archive_is_told(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    (task,) = members(str(path))
    assert task.member == "" and "archive" in task.error


def test_the_members_before_a_damage_are_kept(tmp_path):
    noise = {f"{i}.raw": random.Random(i).randbytes(50_000) for i in range(5)}
    path = tmp_path / "x.tar.gz"
    whole = Path(as_tar(path, noise)).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    *kept, last = members(str(path))
    assert kept and "to its end" in last.error
    assert read(kept[0]) == noise["0.raw"]
    with pytest.raises(InputError, match=r"cannot read .\.raw in"):
        read(kept[-1])


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_a_member_without_a_name_is_told_and_the_others_are_read(tmp_path, name):
    if name == "x.zip":
        path = as_zip(tmp_path / name, {"a": b"1", "b": b"2"})
        content = Path(path).read_bytes()
        at = content.index(b"PK\x01\x02")
        size = content.index(b"PK\x05\x06") - at
        listed = bytearray(content[at : at + size])
        listed[28:30] = b"\0\0"  # the length of its name, which stands at 46
        end = bytearray(content[at + size :])
        end[12:16] = struct.pack("<L", size - 1)
        Path(path).write_bytes(content[:at] + listed[:46] + listed[47:] + end)
    else:
        path = as_tar(tmp_path / name, {"": b"1", "b": b"2"})
    *kept, last = members(path)
    assert [task.member for task in kept] == ["b"] and read(kept[0]) == b"2"
    assert last.error == "a file in the archive has no name, so it cannot be read"


def test_an_encrypted_member_is_told(tmp_path):
    path = tmp_path / "x.zip"
    content = bytearray(Path(as_zip(path, {"a": b"secret"})).read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    (task,) = members(str(path))
    with pytest.raises(InputError, match="encrypted"):
        read(task)


def test_a_bomb_is_left_before_it_goes_off(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1 << 20)
    path = as_tar(tmp_path / "x.tgz", {"big": bytes(3 << 20), "more": b"1"})
    (task,) = [task for task in members(path) if task.error]
    assert "more than" in task.error


def test_a_header_that_asks_for_memory_is_refused(tmp_path):
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 32
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf() + bytes(10_000)))
    (task,) = members(str(path))
    assert "too long" in task.error


@pytest.mark.parametrize("make", [as_zip, as_tar])
def test_more_names_than_can_be_held_are_not_collected(tmp_path, monkeypatch, make):
    monkeypatch.setattr(archives, "MAX_LIST_BYTES", 1 << 20)
    members = {f"{i:03}" + "n" * 15_000: b"" for i in range(50)}
    paths = [make(tmp_path / f"{i}.{make.__name__[3:]}", members) for i in range(2)]
    tasks = collect(paths)
    errors = [task for task in tasks if task.error]
    assert 50 < len(tasks) - len(errors) < 90 and errors[-1].path == paths[-1]
    assert "cannot be read to its end: the names of more files would take more than 1 MiB" in errors[0].error


def test_a_name_of_thousands_of_digits_is_left(tmp_path):
    (_, task) = members(as_tar(tmp_path / "x.tar", {"a" * 150: b"", "1" * 400: b"", "b": b""}))
    assert "more than 300 digits" in task.error


def test_a_list_of_files_of_a_zip_archive_that_is_too_long_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zip_file, "MAX_DIRECTORY_BYTES", 1000)
    (task,) = members(as_zip(tmp_path / "x.zip", {f"{i:05}": b"" for i in range(100)}))
    assert "its list of files is longer than" in task.error


def header(kind: bytes, content: bytes) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, len(content)
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


@pytest.mark.parametrize(
    "content",
    [
        header(tarfile.GNUTYPE_LONGNAME, b"name") * 5000,
        header(tarfile.XGLTYPE, b"12 path=abc\n") * 5000,
        header(tarfile.XHDTYPE, b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n")
        + header(tarfile.REGTYPE, b"9999999999\n" + b"1\n" * 500_000),
    ],
)
def test_headers_without_end_are_left(tmp_path, content):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(content + bytes(1024)))
    (task,) = members(str(path))
    assert "the header of a member is too long" in task.error


def test_what_global_headers_hold_is_not_kept(tmp_path):
    record = "".join(f"{20:02} k{i:06}=aaaaaaaa\n" for i in range(100)).encode()
    many = b"".join(header(tarfile.XGLTYPE, record.replace(b"k0", b"%02d" % i)) + header(b"0", b"") for i in range(60))
    path = tmp_path / "x.tar"
    path.write_bytes(many + bytes(1024))
    with tarfile.open(path) as kept:
        kept.getmembers()
        assert len(kept.pax_headers) > 5000
    tracemalloc.start()
    tasks = members(str(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(tasks) == 60 and peak < 200_000


def test_a_member_that_unpacks_to_far_more_than_its_size_is_read_so_far_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "FREE_BYTES", 2 << 20)
    rows = b'{"type":"open","t":0,"status":101}\n'
    path = as_zip(tmp_path / "x.zip", {"a.jsonl": rows + b"\n" * (8 << 20), "b.raw": bytes(8 << 20)})
    session, audio = members(path)
    with open_task(session) as file:
        damage = read_capture(file).damage
    assert "the member of the archive unpacks to more than 100 times its size" in damage.examples[0][1]
    with pytest.raises(InputError, match="unpacks to more than 100 times its size"):
        judge(audio, Settings(select=("signal",)))


@settings(max_examples=60)
@given(data=st.binary(max_size=300), at=st.integers(0, 2000), name=st.sampled_from(["x.zip", "x.tar", "x.tgz"]))
def test_damage_anywhere_is_a_task_with_an_error_or_an_input_error(tmp_path_factory, data, at, name):
    path = tmp_path_factory.mktemp("damage") / name
    whole = bytearray(Path((as_zip if name == "x.zip" else as_tar)(path)).read_bytes())
    whole[at : at + len(data)] = data
    path.write_bytes(whole)
    for task in members(str(path)):
        if not task.error:
            with contextlib.suppress(InputError):
                assert len(read(task)) <= 80_000

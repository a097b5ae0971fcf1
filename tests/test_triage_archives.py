import contextlib
import gzip
import io
import os
import random
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.errors import InputError
from sttdoctor.triage import archives
from sttdoctor.triage.archives import members, opened

CONTENTS = {"a/1.raw": b"one" * 100, "2.jsonl": b"two", "ü ;=x": b"\0" * 70_000}


@pytest.fixture(autouse=True)
def closed():
    yield
    archives.close()


def as_zip(path, contents=CONTENTS):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return str(path)


def as_tar(path, contents=CONTENTS):
    with tarfile.open(path, "w:gz" if path.suffix.lower().endswith("gz") else "w") as archive:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)


def read(task):
    with opened(task) as stream:
        return stream.read()


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "X.TGZ"])
def test_members_are_listed_and_read_in_any_order(tmp_path, name):
    path = (as_zip if name.endswith("zip") else as_tar)(tmp_path / name)
    tasks = list(members(path))
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
        for content in (b"old", b"newer"):
            info = tarfile.TarInfo("a")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert [read(task) for task in members(str(path))] == [b"newer"]


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


def test_too_many_members_are_not_collected(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    *kept, last = members(as_zip(tmp_path / "x.zip", {str(i): b"" for i in range(9)}))
    assert len(kept) == 3 and "more than 3 files" in last.error


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

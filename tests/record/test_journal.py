import os

import pytest

from sttdoctor.errors import UsageError
from sttdoctor.record.journal import create_file, free_names


def made(output, count):
    free = free_names(str(output))
    paths = []
    for _ in range(count):
        path, file = create_file(free)
        file.close()
        paths.append(path.name)
    return paths


def test_a_file_and_numbers_after_it(tmp_path):
    (tmp_path / "a.b-2.jsonl").write_text("mine")
    assert made(tmp_path / "a.b.jsonl", 3) == ["a.b.jsonl", "a.b-3.jsonl", "a.b-4.jsonl"]
    assert (tmp_path / "a.b-2.jsonl").read_text() == "mine"


def test_a_directory_is_made_and_gets_names_by_time(tmp_path):
    first, second = made(f"{tmp_path}/new/", 2)
    assert first.startswith("session-2") and first.endswith("-1.jsonl") and second.endswith("-2.jsonl")
    assert {path.name for path in (tmp_path / "new").iterdir()} == {first, second}


def test_what_people_said_is_for_the_owner_alone(tmp_path):
    before = os.umask(0o022)
    try:
        made(f"{tmp_path}/new/deep/", 1)
        made(tmp_path / "one.jsonl", 1)
    finally:
        os.umask(before)
    modes = {path.name.partition("-")[0]: oct(path.stat().st_mode & 0o777) for path in tmp_path.rglob("*")}
    assert modes == {"new": "0o700", "deep": "0o700", "session": "0o600", "one.jsonl": "0o600"}


def test_a_link_is_not_followed(tmp_path):
    target = tmp_path / "target"
    (tmp_path / "s.jsonl").symlink_to(target)
    assert made(tmp_path / "s.jsonl", 1) == ["s-2.jsonl"] and not target.exists()


def test_a_device_is_one_for_all():
    assert made("/dev/null", 2) == ["null", "null"]


@pytest.mark.parametrize(
    ("name", "sentence"), [("there", "is there already"), ("none/x", "no directory"), ("there/", "cannot make")]
)
def test_what_cannot_be_used_is_refused(name, sentence, tmp_path):
    (tmp_path / "there").write_text("")
    with pytest.raises(UsageError, match=sentence):
        free_names(f"{tmp_path}/{name}")

import os

import pytest

from sttdoctor.errors import InputError, UsageError
from sttdoctor.triage.collect import collect


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.raw", "a.jsonl", "deep/er/c.har", ".hidden/x.raw", ".DS_Store", "deep/[odd].log"):
        path = tmp_path / "calls" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def names(*paths, leave_out=()):
    return [task.path for task in collect(paths, leave_out)]


@pytest.mark.usefixtures("tree")
def test_a_folder_is_searched_with_all_below_it_in_order_and_without_hidden_files():
    found = ["calls/a.jsonl", "calls/b.raw", "calls/deep/[odd].log", "calls/deep/er/c.har"]
    assert names("calls") == names("./calls/") == found


@pytest.mark.usefixtures("tree")
def test_patterns_are_matched_where_no_file_has_the_name():
    assert names("calls/*.raw", "calls/**/c.*") == ["calls/b.raw", "calls/deep/er/c.har"]
    assert names("calls/deep/[odd].log") == ["calls/deep/[odd].log"]


@pytest.mark.usefixtures("tree")
def test_a_capture_that_is_named_twice_is_judged_once():
    assert names("calls/b.raw", "calls", "calls/deep/../b.raw").count("calls/b.raw") == 1


def test_links_to_folders_are_not_followed_and_pipes_not_opened(tree):
    os.symlink("..", tree / "calls" / "deep" / "loop")
    os.symlink("nowhere", tree / "calls" / "broken")
    os.mkfifo(tree / "calls" / "pipe")
    assert len(names("calls")) == 4


@pytest.mark.usefixtures("tree")
def test_the_tables_are_no_captures():
    assert "calls/a.jsonl" not in names("calls", leave_out=["./calls/a.jsonl"])
    with pytest.raises(UsageError, match="is an input"):
        collect(["calls/a.jsonl"], ["calls/a.jsonl"])


@pytest.mark.parametrize(
    ("path", "says"),
    [("nope", "there is no nope"), ("calls/*.x", "no file matches"), ("empty", "there are no captures")],
)
def test_what_is_not_there_is_told(tree, path, says):
    (tree / "empty").mkdir()
    with pytest.raises(InputError, match=says):
        collect([path])

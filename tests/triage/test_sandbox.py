import gzip
import os
import subprocess
import sys
import time

import pytest
from triaged import break_by_name, capture

from sttdoctor.triage import sandbox
from sttdoctor.triage.sandbox import judge_apart
from sttdoctor.triage.task import Settings, Task


@pytest.fixture(autouse=True)
def closed():
    yield
    sandbox.close_all()
    assert not sandbox._all


def write(path, content):
    path.write_bytes(content)
    return Task(str(path))


def test_one_process_judges_capture_after_capture(tmp_path):
    task = write(tmp_path / "a.jsonl", capture())
    rows = [judge_apart(task, Settings())[0] for _ in range(3)]
    assert {row["status"] for row in rows} == {"pass"}
    assert rows[2]["seconds"] < rows[0]["seconds"] / 2  # what is imported stays


@pytest.mark.parametrize(
    ("name", "says"),
    [("segfault", "died of SIGSEGV"), ("exit", "ended with code 3"), ("killed", "SIGKILL (the system")],
)
def test_a_capture_that_ends_its_process_costs_its_own_row(tmp_path, monkeypatch, name, says):
    break_by_name(tmp_path / "breaker", monkeypatch)
    row, page = judge_apart(write(tmp_path / f"{name}.jsonl", capture()), Settings(), wants_page=True)
    assert (row["status"], page) == ("error", None) and says in row["error"]
    assert judge_apart(write(tmp_path / "next.jsonl", capture()), Settings())[0]["status"] == "pass"


@pytest.mark.long
@pytest.mark.parametrize("hang", ["loop", "pipe"])
def test_a_capture_that_hangs_is_left_at_the_time_limit(tmp_path, monkeypatch, hang):
    break_by_name(tmp_path / "breaker", monkeypatch)
    assert judge_apart(write(tmp_path / "first.jsonl", capture()), Settings())[0]["status"] == "pass"
    if hang == "pipe":
        os.mkfifo(tmp_path / "pipe")
        task = Task(str(tmp_path / "pipe"))
    else:
        task = write(tmp_path / "hang.jsonl", capture())
    began = time.monotonic()
    row, _ = judge_apart(task, Settings(time_limit_s=0.5))
    assert row["error"] == "took longer than the time limit of 0.5 s" and time.monotonic() - began < 5
    assert judge_apart(Task(str(tmp_path / "first.jsonl")), Settings())[0]["status"] == "pass"


@pytest.mark.long
def test_a_capture_that_eats_memory_is_left_at_the_memory_limit(tmp_path):
    bomb = write(tmp_path / "bomb.raw.gz", gzip.compress(bytes(600 << 20), 1))
    row, _ = judge_apart(bomb, Settings(memory_limit_bytes=400 << 20))
    assert (row["status"], row["error"]) == ("error", "needs more memory than the limit")
    assert judge_apart(write(tmp_path / "next.jsonl", capture()), Settings())[0]["status"] == "pass"


@pytest.mark.long
def test_the_memory_limit_is_not_that_of_files_which_are_mapped(tmp_path):
    path = tmp_path / "zeros.raw"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    program = (
        "import sys, numpy\nfrom sttdoctor.triage.worker import limit_memory\nlimit_memory(400 << 20)\n"
        "print(int(numpy.memmap(sys.argv[1], mode='r')[::4096].sum()))\n"
        "try: numpy.ones(500 << 20, dtype='u1')\nexcept MemoryError: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "refused"]


def test_a_file_in_the_current_folder_is_never_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("json.py", "numpy.py", "click.py"):
        (tmp_path / name).write_text("raise SystemExit(9)")
    assert judge_apart(write(tmp_path / "a.jsonl", capture()), Settings())[0]["status"] == "pass"


def test_a_task_that_cannot_be_read_needs_no_process():
    row, page = judge_apart(Task("x.zip", error="the archive holds no files"), Settings())
    assert (row["path"], row["error"], row["seconds"], page) == ("x.zip", "the archive holds no files", 0.0, None)
    assert not sandbox._all


def test_a_page_comes_with_the_row_where_it_is_wanted(tmp_path):
    _, page = judge_apart(write(tmp_path / "a.jsonl", capture()), Settings(), wants_page=True)
    assert page is not None and "a.jsonl" in page

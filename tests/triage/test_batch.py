import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from triaged import break_by_name, fleet

from sttdoctor.errors import InputError, SttdoctorError, UsageError
from sttdoctor.triage import batch, sandbox
from sttdoctor.triage.batch import Batch, collect, run
from sttdoctor.triage.row import COLUMNS
from sttdoctor.triage.summary import Summary
from sttdoctor.triage.task import Settings, Task


def tasks_of(folder, count, name="call"):
    return [Task(path) for path in fleet(folder, count, name)]


def compared(rows):
    """What must not depend on where a row was made."""
    return sorted(tuple(row[name] for name in COLUMNS if name != "seconds") for row, _ in rows)


def test_each_capture_has_one_row_whatever_the_number_of_workers(tmp_path):
    tasks = tasks_of(tmp_path, 9)
    one, three = (compared(run(tasks, Settings(), jobs)) for jobs in (1, 3))
    assert one == three and [row[0] for row in one] == [task.path for task in tasks]
    assert not sandbox._all


def test_rows_come_while_others_are_still_judged(tmp_path, monkeypatch):
    break_by_name(tmp_path / "breaker", monkeypatch)
    tasks = [*tasks_of(tmp_path, 1, "hang"), *tasks_of(tmp_path, 3)]
    rows = run(tasks, Settings(time_limit_s=60), jobs=2)
    began = time.monotonic()
    assert [next(rows)[0]["status"] for _ in range(3)] == ["fail", "pass", "pass"]
    rows.close()
    assert time.monotonic() - began < 30 and not sandbox._all


def test_tasks_are_taken_as_workers_become_free(tmp_path):
    taken = 0

    def counted():
        nonlocal taken
        for task in tasks_of(tmp_path, 40):
            taken += 1
            yield task

    rows = run(counted(), Settings(), jobs=2)
    next(rows)
    assert taken < 20
    rows.close()


def test_a_scheduler_that_is_not_there_and_a_missing_package_are_told(monkeypatch):
    with pytest.raises(SttdoctorError, match="cannot reach a Dask scheduler at nonsense://x"):
        next(run([Task("x")], Settings(), dask="nonsense://x"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="pip install distributed"):
        next(run([Task("x")], Settings(), dask="tcp://127.0.0.1:1"))


class Cluster:
    """A scheduler and two workers of one thread each, as processes of their own on loopback."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "scheduler.json"
        self.scheduler = self._started("scheduler", "--port", "0", "--scheduler-file", str(self.file), "--no-dashboard")
        wait_until(lambda: self.file.exists() and self.file.read_text().endswith("}"))
        self.address = json.loads(self.file.read_text())["address"]
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
        self.workers = [self._started("worker", self.address, *options) for _ in range(2)]

    @staticmethod
    def _started(what: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_for_workers(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    break_by_name(tmp_path / "breaker", monkeypatch)
    made = Cluster(tmp_path)
    try:
        wait_for_workers(made.address, 2)
        yield made
    finally:
        made.close()


@pytest.mark.dask
def test_a_dask_cluster_gives_the_same_rows_though_a_worker_is_killed_in_the_middle(tmp_path, cluster):
    tasks = [*tasks_of(tmp_path, 12, "slow"), *tasks_of(tmp_path, 1, "exit")]
    rows = run(tasks, Settings(), dask=cluster.address)
    found = [next(rows) for _ in range(3)]
    cluster.workers[0].kill()
    found += rows
    assert len(found) == len(tasks)
    assert compared(found) == compared(run(tasks, Settings(), jobs=2))


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


@pytest.mark.parametrize(("jobs", "asked"), [(1000, 2), (1, 1), (-1, -1)])
def test_no_more_processes_are_started_than_there_are_captures(tmp_path, monkeypatch, jobs, asked):
    numbers = []
    monkeypatch.setattr(batch, "run", lambda _tasks, _settings, jobs, *_: numbers.append(jobs) or iter(()))
    fleet(tmp_path, 2, "call")
    Batch(jobs=jobs).triage([str(tmp_path)], Summary(), lambda **_: contextlib.nullcontext(Bar()))
    assert numbers == [asked]


class Bar:
    def update(self, _rows):
        pass

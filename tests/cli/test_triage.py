import csv
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from common import one_sentence
from packing import as_tar, as_zip
from triaged import break_by_name, capture, fleet

from sttdoctor.triage.row import COLUMNS

TOOL = [sys.executable, "-m", "sttdoctor", "triage"]


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Six captures, two of them with a fault."""
    monkeypatch.chdir(tmp_path)
    fleet(tmp_path / "calls", 6)
    return "calls"


def table(path):
    if str(path).endswith(".csv"):
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def paths(path):
    return sorted((row["path"], row["member"]) for row in table(path))


def test_a_folder_becomes_a_table_and_a_summary(run, calls):
    done = run("triage", calls, "-o", "t.csv", "-o", "t.jsonl", "--group-by", "client,encoding", "--jobs", 2)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert lines[0] == "6 captures: 2 fail, 4 pass" and lines[3].startswith("drain.no-close ")
    groups = [" ".join(line.split()) for line in lines[lines.index("By client, encoding") + 1 :]]
    assert "sdk/0, pcm_s16le 2 drain.no-close 100 %" in groups
    rows = table("t.jsonl")
    assert sorted(row["cause"] or row["status"] for row in rows) == ["drain.no-close"] * 2 + ["pass"] * 4
    assert [list(row) for row in rows] == [list(COLUMNS)] * 6
    assert [row["path"] for row in table("t.csv")] == [row["path"] for row in rows]


def test_archives_and_files_are_mixed_and_what_cannot_be_read_has_a_row(run, calls):
    contents = {"in/a.jsonl": capture(), "b.jsonl": capture(close=False)}
    as_zip(Path("calls/x.zip"), contents)
    as_tar(Path("calls/x.tar.gz"), contents)
    Path("calls/broken.zip").write_bytes(b"PK")
    Path("calls/notes.txt").write_text("nothing of interest")
    done = run("triage", calls, "-o", "t.jsonl", "--jobs", 2)
    rows = {(row["path"], row["member"]): row for row in table("t.jsonl")}
    assert done.code == 1 and len(rows) == 12
    assert rows["calls/x.zip", "b.jsonl"]["cause"] == rows["calls/x.tar.gz", "b.jsonl"]["cause"] == "drain.no-close"
    assert rows["calls/x.tar.gz", "in/a.jsonl"]["status"] == "pass"
    assert rows["calls/notes.txt", ""]["error"].startswith("is not a session capture")
    assert "the archive cannot be read" in rows["calls/broken.zip", ""]["error"]


def test_a_run_that_is_complete_is_not_done_again(run, calls):
    run("triage", calls, "-o", "t.csv")
    before = Path("t.csv").read_bytes()
    assert "t.csv exists; --resume goes on with it" in one_sentence(run("triage", calls, "-o", "t.csv"))
    again = run("triage", calls, "-o", "t.csv", "--resume")
    assert again.code == 1 and again.out.startswith("6 captures: 2 fail, 4 pass\n")
    assert Path("t.csv").read_bytes() == before
    both = run("triage", calls, "-o", "t.csv", "-o", "t.jsonl", "--resume")
    assert both.out == again.out and Path("t.csv").read_bytes() == before and len(table("t.jsonl")) == 6


def test_the_overview_links_to_a_report_of_each_example(run, calls):
    Path("calls/notes.txt").write_text("nothing of interest")
    assert run("triage", calls, "--html", "out", "--examples", 1).code == 1
    index = Path("out/index.html").read_text()
    reports = sorted(Path("out/reports").iterdir())
    assert len(reports) == 1 and f'href="reports/{reports[0].name}"' in index
    assert "calls/call-000.jsonl" in reports[0].read_text() and "7 captures" in index


def test_an_overview_of_a_run_that_was_resumed_leaves_out_what_is_gone(run, calls):
    run("triage", calls, "-o", "t.jsonl")
    for number in (0, 1, 2):
        Path(f"calls/call-00{number}.jsonl").unlink()
    assert run("triage", calls, "-o", "t.jsonl", "--resume", "--html", "out").code == 1
    assert len(list(Path("out/reports").iterdir())) == 1
    assert "call-000.jsonl" in Path("out/index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 1), (["--fail-on", "never"], 0), (["--ignore", "drain,turns"], 0), (["--select", "drain"], 1)],
)
def test_the_exit_code_follows_fail_on_and_the_checks(run, calls, arguments, code):
    assert run("triage", calls, *arguments).code == code


def test_when_nothing_could_be_judged_the_input_is_told_to_be_unusable(run, tmp_path):
    (tmp_path / "a.txt").write_text("nothing")
    done = run("triage", tmp_path)
    assert (done.code, done.err) == (2, "sttdoctor: none of the captures could be judged\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nope"], "there is no nope"),
        (["calls", "--resume"], "name it with -o"),
        (["calls", "-o", "t.xlsx"], "ends in .csv or .jsonl"),
        (["calls", "--group-by", "sdk"], "there is no column 'sdk'"),
        (["calls", "--encoding", "mp3"], "unknown encoding 'mp3'"),
        (["calls", "--select", "pacign"], "there is no check 'pacign'"),
        (["calls", "--set", "pacing.min_x=1"], "pacing.min_x"),
        (["calls", "--jobs", "0"], "not in the range"),
        (["calls", "--time-limit", "0"], "not in the range"),
        (["calls", "--memory-limit", "1"], "not in the range"),
        (["calls", "--dask", "tcp://127.0.0.1:1", "--jobs", "2"], "a Dask cluster has its own"),
        (["calls/call-000.jsonl", "-o", "calls/call-000.jsonl"], "is an input"),
        (["calls", "--html", "calls/call-000.jsonl"], "cannot write calls/call-000.jsonl"),
        ([], "Missing argument"),
    ],
)
@pytest.mark.usefixtures("calls")
def test_what_cannot_be_used_is_told_in_one_sentence(run, arguments, says):
    assert says in one_sentence(run("triage", *arguments))
    assert not list(Path().glob("t.*"))


@pytest.mark.long
def test_one_bad_capture_costs_its_own_row_only(run, calls, tmp_path, monkeypatch):
    break_by_name(tmp_path / "breaker", monkeypatch)
    for name in ("segfault", "exit", "killed", "hang"):
        Path(f"calls/{name}.jsonl").write_bytes(capture())
    done = run("triage", calls, "-o", "t.jsonl", "--time-limit", 3, "--jobs", 2)
    errors = {row["path"]: row["error"] for row in table("t.jsonl") if row["error"]}
    assert done.code == 1 and len(table("t.jsonl")) == 10 and len(errors) == 4
    assert errors["calls/hang.jsonl"] == "took longer than the time limit of 3 s"
    assert "SIGSEGV" in errors["calls/segfault.jsonl"]


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*TOOL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_rows(process: subprocess.Popen[str], path: Path, count: int) -> None:
    """Until the table has grown to this many lines, or the process has ended."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if path.exists() and path.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.01)


@pytest.mark.long
@pytest.mark.parametrize(("name", "kills"), [("t.csv", (3,)), ("t.jsonl", (2, 6))])
def test_killed_again_and_again_no_capture_is_lost_or_done_twice(tmp_path, monkeypatch, name, kills):
    monkeypatch.chdir(tmp_path)
    break_by_name(tmp_path / "breaker", monkeypatch)
    expected = sorted((path, "") for path in fleet(Path("calls"), 12, "slow"))
    for lines in kills:
        process = started("calls", "-o", name, "--resume", "--jobs", "2")
        wait_for_rows(process, Path(name), lines)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        process.communicate()
        before = Path(name).read_bytes()
        assert 0 < len(paths(name)) < len(expected)
        with open(name, "ab") as file:
            file.write(b"calls/slow-011.jsonl,,torn")
    process = started("calls", "-o", name, "--resume", "--jobs", "2")
    assert process.wait(timeout=60) == 1
    process.communicate()
    assert Path(name).read_bytes().startswith(before)
    assert paths(name) == expected


@pytest.mark.long
def test_an_interrupt_ends_quickly_and_leaves_a_table_to_go_on_with(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    break_by_name(tmp_path / "breaker", monkeypatch)
    fleet(Path("calls"), 3, "slow")
    Path("calls/hang.jsonl").write_bytes(capture())
    process = started("calls", "-o", "t.jsonl", "--jobs", "2")
    wait_for_rows(process, Path("t.jsonl"), 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, "")
    assert err.strip() == "sttdoctor: interrupted after 3 of 4 captures; the same command with --resume goes on"
    assert len(paths("t.jsonl")) == 3


@pytest.mark.long
def test_the_judging_processes_end_with_the_one_that_asks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    break_by_name(tmp_path / "breaker", monkeypatch)
    fleet(Path("calls"), 30, "slow")
    process = started("calls", "-o", "t.jsonl", "--jobs", "2")
    wait_for_rows(process, Path("t.jsonl"), 2)
    children = subprocess.run(["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True)
    pids = [int(pid) for pid in children.stdout.split()]
    process.kill()
    process.communicate()
    assert len(pids) == 2
    deadline = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{pid}/cmdline") and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_progress_bar_is_for_terminals(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fleet(Path("calls"), 3)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (25, 80))
    process = subprocess.Popen([*TOOL, "calls"], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(timeout=60)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "3/3" in shown and "captures" in shown
    assert out.startswith(b"3 captures")

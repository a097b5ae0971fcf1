"""The progress bar, on a real pseudo-terminal and off it."""

import contextlib
import io
import os
import pty
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from common import FIXTURES

from sttdoctor.cli import progress as module
from sttdoctor.cli.progress import progress

SLOW = """
import sys, time
from sttdoctor import cli
import sttdoctor.api as api
run = api._run
def slow(check, case):
    time.sleep(1.5 if check.id == "signal" else 0)
    return run(check, case)
api._run = slow
sys.argv = ["sttdoctor", "check", *sys.argv[1:]]
cli.main()
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(module, "_EVERY_S", 0.01)
    shown = Terminal()
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=shown))
    return shown


def wait_for(terminal, text):
    for _ in range(500):
        if text in terminal.getvalue():
            return
        time.sleep(0.01)
    pytest.fail(f"{text!r} is not in {terminal.getvalue()!r}")


def test_a_bar_shows_how_far_the_work_is_and_goes(terminal):
    with progress(None) as told:
        wait_for(terminal, "reading the capture")
        told(3, 6, "signal")
        wait_for(terminal, "[##########..........] 3 of 6 checks, signal")
    shown = terminal.getvalue()
    assert shown.endswith("\r" + " " * 60 + "\r") and shown.isascii() and "\x1b" not in shown
    assert all(len(line) == 60 for line in shown.split("\r") if line)


def test_quick_work_shows_nothing(terminal, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 60)
    with progress(None) as told:
        told(0, 6, "signal")
    assert terminal.getvalue() == ""


def test_an_error_leaves_a_clean_line(terminal):
    with contextlib.suppress(ZeroDivisionError), progress("text"):
        wait_for(terminal, "reading")
        raise ZeroDivisionError
    assert terminal.getvalue().endswith("\r")


@pytest.mark.parametrize(("form", "is_terminal"), [("json", True), (None, False)])
def test_programs_get_no_bar(terminal, monkeypatch, form, is_terminal):
    monkeypatch.setattr(Terminal, "isatty", lambda _self: is_terminal)
    before = threading.active_count()
    with progress(form) as told:
        told(0, 6, "signal")
        assert threading.active_count() == before  # nobody is there who could show anything later
    assert terminal.getvalue() == ""


def on_a_terminal(*arguments):
    """Standard error of a slow `sttdoctor check` that has a terminal there, and its standard output."""
    main, side = pty.openpty()
    command = [sys.executable, "-c", SLOW, FIXTURES / "audio" / "mulaw-8k.raw", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=side, timeout=60, check=False)
    os.close(side)
    shown = b""
    while part := _read(main):
        shown += part
    os.close(main)
    return shown.decode(), done.stdout.decode()


def _read(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # nobody holds the other side any more
        return b""


def test_a_person_sees_the_bar_beside_the_report():
    shown, report = on_a_terminal()
    assert "4 of 6 checks, signal" in shown and report.startswith("PASS")


def test_json_stands_alone():
    shown, report = on_a_terminal("--format", "json")
    assert shown == "" and report.startswith("{")

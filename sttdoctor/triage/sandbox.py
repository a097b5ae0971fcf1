"""A process that judges one capture after the other, and may die of any of them.

Each thread that judges has one. It is started when it is first needed, and again after it has died.
"""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import threading
import time
from typing import Any

from sttdoctor.program import build_command
from sttdoctor.triage.row import Row, error_row
from sttdoctor.triage.task import Settings, Task

_own = threading.local()
_all: "set[Sandbox]" = set()


def judge_apart(task: Task, settings: Settings, wants_page: bool = False) -> tuple[Row, str | None]:
    """Return the row of a capture, whatever happens to the process that judges it, and its page.

    Args:
        task: The capture.
        settings: How to judge it.
        wants_page: Whether a page is wanted; it is None where the capture cannot be judged.
    """
    if task.error:
        return error_row(task, task.error) | {"seconds": 0.0}, None
    began = time.monotonic()
    asked = {"task": dataclasses.asdict(task), "settings": dataclasses.asdict(settings), "page": wants_page}
    sandbox = _sandbox()
    reply = sandbox.ask(json.dumps(asked).encode("ascii") + b"\n")
    seconds = time.monotonic() - began
    row = reply["row"] if reply else error_row(task, describe_death(sandbox.code, seconds, settings.time_limit_s))
    return row | {"seconds": round(seconds, 3)}, reply.get("page") if reply else None


def close_all() -> None:
    """End the judging processes of all threads, whatever they are at."""
    for sandbox in list(_all):
        sandbox.close()


def _sandbox() -> "Sandbox":
    if not hasattr(_own, "sandbox"):
        _own.sandbox = Sandbox()
    found: Sandbox = _own.sandbox
    _all.add(found)
    return found


class Sandbox:
    """A judging process.

    Attributes:
        code: Its exit code when it last died; negative is the number of a signal.
    """

    def __init__(self) -> None:
        self.code: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, question: bytes) -> dict[str, Any] | None:
        """Return the answer, None where the process died over the question."""
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = _start()
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(question)
            process.stdin.flush()
            line = process.stdout.readline()
        except (OSError, ValueError):  # it has died, or was closed by another thread
            line = b""
        reply: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        if reply is None or reply.get("last"):
            self.close(patience_s=0.0 if reply else 1.0)  # one that is dying by itself tells by its code why
        return reply

    def close(self, patience_s: float = 0.0) -> None:
        """End the process, by force where it has not ended after this time."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_s)
        process.kill()
        self.code = process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        _all.discard(self)


def _start() -> subprocess.Popen[bytes]:
    """Start a process, in a session of its own: the interrupt key is for the one that asks."""
    # the products here are small: threads that wait for each other cost more than they save
    environment = {"OPENBLAS_NUM_THREADS": "1", **os.environ}
    return subprocess.Popen(
        build_command("sttdoctor.triage.worker"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


def describe_death(code: int | None, seconds: float, time_limit_s: float) -> str:
    """Return how a process ended that judged, without what it judged; negative codes are signals."""
    if code == 1 and seconds >= time_limit_s:  # the code of the watchdog
        return f"took longer than the time limit of {time_limit_s:g} s"
    if code is None or code >= 0:
        return f"the process that judged it ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " (the system does that when memory runs out)" if name == "SIGKILL" else ""
    return f"the process that judged it died of {name}{hint}"

"""The process that judges one capture, started by `sttdoctor.serve.judging`: one line of JSON in, several out.

Out come the steps of the work as they begin, then one line with the reports, or with the reason why there are none.
"""

import faulthandler
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

from sttdoctor.errors import SttdoctorError
from sttdoctor.outputs import write_whole
from sttdoctor.program import keep_memory
from sttdoctor.reporting import FORMATS
from sttdoctor.reporting.data.collect import collect
from sttdoctor.reporting.escape import cut, for_terminal
from sttdoctor.reporting.phrases import answer
from sttdoctor.triage.task import Settings, Task
from sttdoctor.triage.worker import OUT_OF_MEMORY, judge, limit_memory

FORMS = ("html", "json", "markdown")
"""Formats of a report that the page offers."""


def work(question: dict[str, Any], out: BinaryIO) -> None:
    """Judge a capture and write lines of JSON.

    Args:
        question: `path` and `name` of the capture, `settings`, `text` of the application or None, and `keep`: whether
            to write the reports beside the capture.
        out: Takes `{"done", "of", "what"}` for each step; at the end `{"status", "answer", "reports"}`, or `{"error"}`
            with one sentence.
    """

    def tell(**line: Any) -> None:
        out.write(json.dumps(line).encode("ascii") + b"\n")
        out.flush()

    task = Task(question["path"], name=question["name"])
    try:
        reports = _judge(task, question, tell)
    except SttdoctorError as error:
        tell(error=for_terminal(cut(str(error).replace(task.path, task.name))))
    except MemoryError:
        tell(error=for_terminal(f"{task.name} {OUT_OF_MEMORY}"))
    except Exception as error:
        tell(error=for_terminal(cut(f"{task.name}: {type(error).__name__}: {error}; please report this")))
    else:
        tell(**reports)


def _judge(task: Task, question: dict[str, Any], tell: Any) -> dict[str, Any]:
    tell(done=0, of=1, what="reading the capture")
    facts, report = judge(
        task,
        Settings(**question["settings"]),
        question["text"],
        lambda done, total, what: tell(done=done, of=total, what=what),
    )
    tell(done=1, of=1, what="drawing the figures")
    exhibits = collect(facts, report)
    reports = {name: FORMATS[name].render(report, exhibits=exhibits) for name in FORMS}
    if question["keep"]:
        for name, content in reports.items():
            with write_whole(Path(task.path).with_name(f"report{FORMATS[name].suffixes[0]}"), private=True) as file:
                file.write(content.encode("utf-8", "backslashreplace"))
    return {"status": report.status, "answer": for_terminal(answer(report)), "reports": reports}


def main() -> None:
    """Work on the standard streams; nothing else may write to standard output."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    keep_memory()
    question = json.loads(sys.stdin.buffer.readline())
    limit_memory(question["settings"]["memory_limit_bytes"])
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    with open(os.devnull, "wb") as nowhere:
        # a thread in C that needs nothing of the interpreter, so it ends a process that hangs in C as well
        faulthandler.dump_traceback_later(question["settings"]["time_limit_s"], exit=True, file=nowhere)
        work(question, out)


def _end_with_the_server() -> None:
    """End when standard input does: the server that holds it was killed, and nobody waits for the answer."""
    os.read(0, 1)
    os._exit(1)

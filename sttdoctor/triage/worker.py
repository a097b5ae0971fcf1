"""The process that judges, started by `sttdoctor.triage.sandbox`: one line of JSON in, one out.

It is a process of its own because a capture may break it: whatever it does, the one that asked lives on and knows which
capture it was. What is imported stays imported from one capture to the next.
"""

import contextlib
import faulthandler
import json
import os
import sys
from typing import Any, BinaryIO

from sttdoctor.errors import SttdoctorError
from sttdoctor.triage.judge import judge
from sttdoctor.triage.row import error_row, row_of
from sttdoctor.triage.single import page
from sttdoctor.triage.task import Settings, Task

OUT_OF_MEMORY = "needs more memory than the limit"


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Judge one capture.

    Args:
        question: `task` and `settings`, and with `page` that a report is wanted.

    Returns:
        `row`; `page` where it was wanted; `last` where the process should not be asked again.
    """
    task, settings = Task(**question["task"]), Settings(**question["settings"])
    try:
        facts, report = judge(task, settings)
        row = row_of(task, facts, report)
        starved = "MemoryError" in str(row["error"])
        return {"row": row, "page": page(facts, report) if question["page"] else None, "last": starved}
    except SttdoctorError as error:
        return {"row": error_row(task, str(error))}
    except MemoryError:
        return {"row": error_row(task, OUT_OF_MEMORY), "last": True}
    except Exception as error:
        return {"row": error_row(task, f"{type(error).__name__}: {error}; please report this")}


def limit_memory(size: int) -> None:
    """Let allocations beyond this many bytes fail, where the system can (Linux).

    The limit is that of data and not of address space: files are mapped into memory, and cost none.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until there are no more questions. A capture that takes too long ends the process."""
    with open(os.devnull, "wb") as nowhere:
        for line in questions:
            question = json.loads(line)
            limit_memory(question["settings"]["memory_limit_bytes"])
            # a thread in C that needs nothing of the interpreter, so it ends a process that hangs in C as well
            faulthandler.dump_traceback_later(question["settings"]["time_limit_s"], exit=True, file=nowhere)
            reply = json.dumps(answer(question))
            faulthandler.cancel_dump_traceback_later()
            answers.write(reply.encode("ascii") + b"\n")
            answers.flush()


def main() -> None:
    """Serve on the standard streams; nothing else may write to standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        serve(sys.stdin.buffer, answers)

"""The process that judges, started by `sttdoctor.triage.sandbox`: one line of JSON in, one out.

It is a process of its own because a capture may break it: whatever it does, the one that asked lives on and knows which
capture it was. What is imported stays imported from one capture to the next.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from sttdoctor.analysis.facts import Facts
from sttdoctor.api import Progress, audio_facts, examine, session_facts
from sttdoctor.errors import InputError, SttdoctorError
from sttdoctor.listen import build_repeat
from sttdoctor.program import keep_memory
from sttdoctor.readers.capture import holds_session
from sttdoctor.readers.stream import StreamError, unpack_gzip
from sttdoctor.report import Report
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.triage import archives
from sttdoctor.triage.overview import page
from sttdoctor.triage.row import error_row, row_of
from sttdoctor.triage.task import Settings, Task

AUDIO_SUFFIXES = (".raw", ".pcm", ".ulaw", ".mulaw", ".ul", ".alaw", ".al", ".s16", ".s16le", ".f32", ".f32le", ".wav")
"""Names of audio; a session under such a name is still seen by its content."""

_HEAD_BYTES = 1 << 16


def judge(
    task: Task, settings: Settings, transcript: str | None = None, progress: Progress | None = None
) -> tuple[Facts, Report]:
    """Read and examine a capture.

    Args:
        task: The capture.
        settings: How to judge it.
        transcript: The text that the application ended up with, where it is a session.
        progress: As `sttdoctor.api.examine` takes it.

    Raises:
        InputError: It cannot be read.
        UsageError: The settings make no sense.
    """
    with _open(task) as stream:
        facts = _read(task, stream, settings, transcript)
    return facts, examine(facts, settings.select, settings.ignore, progress)


@contextmanager
def _open(task: Task) -> Iterator[io.BufferedReader[Any]]:
    if task.member:
        with archives.open_task(task) as member:
            yield io.BufferedReader(member, _HEAD_BYTES)
        return
    try:
        stream = io.BufferedReader(io.FileIO(task.path), _HEAD_BYTES)
    except OSError as error:
        raise InputError(f"cannot read {task.path}: {error.strerror or error}") from None
    with stream:
        yield stream


def _read(task: Task, stream: io.BufferedReader, settings: Settings, transcript: str | None) -> Facts:
    """Read a file of its own by its path, so that it is mapped into memory and the report can name it."""
    head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    packed = head.startswith(b"\x1f\x8b")
    head = _unpack(head) if packed else head
    if task.member and (head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar"):
        raise InputError("an archive inside an archive is not opened")
    name = task.name or None
    if _is_session(name or task.member or task.path, head):
        whole = stream if task.member else task.path
        return session_facts(whole, transcript, None, None, settings.thresholds, name=name)
    source = io.BufferedReader(unpack_gzip(stream)) if packed else stream
    by_path = not task.member and not packed
    try:
        return audio_facts(
            task.path if by_path else source, settings.encoding, settings.sample_rate, settings.thresholds, name
        )
    except StreamError as error:
        raise InputError(str(error)) from None


def _unpack(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD_BYTES)
    except zlib.error:
        return b""


def _is_session(name: str, head: bytes) -> bool:
    """Whether to read it as a session: by its content, else text under any name but that of audio."""
    if holds_session(head):
        return True
    return not name.lower().removesuffix(".gz").endswith(AUDIO_SUFFIXES) and _is_text(head)


def _is_text(head: bytes) -> bool:
    """Without control characters, as no audio of some length is."""
    return not any(head.count(code) for code in range(32) if code not in b"\t\n\f\r\x1b")


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
        return {
            "row": row,
            "page": page(facts, report, _repeat(task, report, settings)) if question["page"] else None,
            "last": starved,
        }
    except SttdoctorError as error:
        return {"row": error_row(task, str(error))}
    except MemoryError:
        return {"row": error_row(task, OUT_OF_MEMORY), "last": True}
    except Exception as error:
        return {"row": error_row(task, f"{type(error).__name__}: {error}; please report this")}


def _repeat(task: Task, report: Report, settings: Settings) -> str:
    """The command that makes the report of a file again; a member of an archive has none."""
    if task.member:
        return ""
    is_audio = report.subject["kind"] == "audio"
    declared = {"--encoding": settings.encoding, "--sample-rate": settings.sample_rate} if is_audio else {}
    options = {**declared, "--select": settings.select, "--ignore": settings.ignore}
    command = build_repeat("check" if is_audio else "replay", (task.path,), options, settings.thresholds)
    return command if for_terminal(command) == command else ""


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
    keep_memory()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        serve(sys.stdin.buffer, answers)

"""One capture to a report: what kind it is, and the checks of that kind."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sttdoctor.analysis.facts import Facts
from sttdoctor.api import audio_facts, examine, session_facts
from sttdoctor.errors import InputError
from sttdoctor.readers.capture import holds_session
from sttdoctor.readers.stream import StreamError, unpacked_gzip
from sttdoctor.report import Report
from sttdoctor.triage import archives
from sttdoctor.triage.task import Settings, Task

AUDIO_SUFFIXES = (".raw", ".pcm", ".ulaw", ".mulaw", ".ul", ".alaw", ".al", ".s16", ".s16le", ".f32", ".f32le", ".wav")
"""Names of audio; a session under such a name is still seen by its content."""

_HEAD_BYTES = 1 << 16


def judge(task: Task, settings: Settings) -> tuple[Facts, Report]:
    """Read and examine a capture.

    Raises:
        InputError: It cannot be read.
        UsageError: The settings make no sense.
    """
    with _opened(task) as stream:
        facts = _case(task, stream, settings)
    return facts, examine(facts, settings.select, settings.ignore)


@contextmanager
def _opened(task: Task) -> Iterator[io.BufferedReader[Any]]:
    if task.member:
        with archives.opened(task) as member:
            yield io.BufferedReader(member, _HEAD_BYTES)
        return
    try:
        stream = io.BufferedReader(io.FileIO(task.path), _HEAD_BYTES)
    except OSError as error:
        raise InputError(f"cannot read {task.path}: {error.strerror or error}") from None
    with stream:
        yield stream


def _case(task: Task, stream: io.BufferedReader, settings: Settings) -> Facts:
    """Read a file of its own by its path, so that it is mapped into memory and the report can name it."""
    head = stream.peek(_HEAD_BYTES)[:_HEAD_BYTES]
    packed = head.startswith(b"\x1f\x8b")
    head = _unpacked(head) if packed else head
    if task.member and (head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar"):
        raise InputError("an archive inside an archive is not opened")
    if _is_session(task.member or task.path, head):
        return session_facts(stream if task.member else task.path, None, None, None, settings.thresholds)
    source = io.BufferedReader(unpacked_gzip(stream)) if packed else stream
    by_path = not task.member and not packed
    try:
        return audio_facts(
            task.path if by_path else source, settings.encoding, settings.sample_rate, settings.thresholds
        )
    except StreamError as error:
        raise InputError(str(error)) from None


def _unpacked(head: bytes) -> bytes:
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

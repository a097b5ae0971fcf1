"""Judging one capture in a process of its own, which ends with whoever waits for it."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sttdoctor.program import build_command
from sttdoctor.triage.sandbox import describe_death

_CHUNK_BYTES = 1 << 16


class Judging:
    """A process that judges.

    Attributes:
        ended: Whether it ended by itself, with an answer or not.
    """

    def __init__(self, process: asyncio.subprocess.Process, question: dict[str, Any]) -> None:
        self.ended = False
        self._process = process
        self._question = question

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield what the process writes (lines as `sttdoctor.serve.worker.work` has them, in any pieces).

        Where it dies, a last line tells so after what may be half of one.
        """
        began = time.monotonic()
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(ConnectionError):  # it has died; its code tells
            self._process.stdin.write(json.dumps(self._question).encode("ascii") + b"\n")
            await self._process.stdin.drain()
        while chunk := await self._process.stdout.read(_CHUNK_BYTES):
            yield chunk
        code = await self._process.wait()
        self.ended = True
        if code:
            limit = self._question["settings"]["time_limit_s"]
            death = describe_death(code, time.monotonic() - began, limit)
            subject = self._question["name"] + (" " if death.startswith("took") else ": ")
            yield b"\n" + json.dumps({"error": subject + death}).encode("ascii") + b"\n"


@asynccontextmanager
async def judge(question: dict[str, Any]) -> AsyncIterator[Judging]:
    """Start a process that judges; at the end of the context it is gone.

    Args:
        question: As `sttdoctor.serve.worker.work` takes it.
    """
    process = await asyncio.create_subprocess_exec(
        *build_command("sttdoctor.serve.worker"),
        stdin=asyncio.subprocess.PIPE,  # stays open: the process ends with it
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"OPENBLAS_NUM_THREADS": "1", **os.environ},  # threads that wait for each other cost more than they save
        start_new_session=True,  # Ctrl-C is for the server, which ends it itself
    )
    try:
        yield Judging(process, question)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

"""What the tests of triage share: small captures, and judging processes that break where a test wants it."""

import os
from pathlib import Path

from common import HEADER, OPEN, jsonl

BREAKER = """
import os, signal, sys, time

def broken(event, arguments):
    if event != "open" or not isinstance(arguments[0], str):
        return
    name = os.path.basename(arguments[0])
    if name.startswith("segfault"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if name.startswith("exit"):
        os._exit(3)
    if name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("hang"):
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            pass
    if name.startswith("slow"):
        time.sleep(0.3)

sys.addaudithook(broken)
"""
"""Runs in each judging process before anything else."""


def break_by_name(folder: Path, monkeypatch) -> None:
    """Let every judging process die or hang over captures that are called so."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(BREAKER)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH")))))


def capture(client: str = "sdk/1", encoding: str = "pcm_s16le", close: bool = True) -> bytes:
    """Two seconds of a session without sound, judged in milliseconds; without `close` it leaves an open turn."""
    url = f"wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding={encoding}&sample_rate=16000"
    sent = [{"type": "send", "t": 0.2 + 0.1 * i, "bytes": 3200} for i in range(20)]
    last = "turn.end" if close else "turn.update"
    events = [
        {"type": "receive", "t": 0.5, "json": {"type": "turn.start", "request_id": "r1"}},
        {"type": "receive", "t": 2.15, "json": {"type": last, "request_id": "r1", "transcript": "Hi."}},
    ]
    end = [{"type": "send", "t": 2.2, "json": {"type": "close"}}] if close else []
    end.append({"type": "close", "t": 2.5, "by": "server" if close else "client", "code": 1000})
    rows = sorted([*sent, *events], key=lambda row: row["t"])
    return jsonl({**HEADER, "url": url, "client": client}, OPEN, *rows, *end)


def fleet(folder: Path, count: int, name: str = "call") -> list[str]:
    """Write captures, every third of them with a fault, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}-{number:03}.jsonl" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(capture(f"sdk/{number % 3}", close=number % 3 != 0))
    return [str(path) for path in paths]

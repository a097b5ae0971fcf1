"""What most tests share: where things are, rows of a capture, and what a command line answered."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
HEADER = {"type": "session", "schema": "sttdoctor.session/1", "url": URL}
OPEN = {"type": "open", "t": 0.1, "status": 101}
AUDIO = {"type": "send", "t": 0.2, "audio": "AAABAP//"}


def jsonl(*rows: object) -> bytes:
    """Rows as lines; bytes stand as they are."""
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


@dataclass
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


def one_sentence(outcome: Outcome) -> str:
    """The sentence of a refused command line or input, after asserting that there is nothing else."""
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("sttdoctor: ") and outcome.err.endswith("\n") and outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err
    return outcome.err.removeprefix("sttdoctor: ").strip()

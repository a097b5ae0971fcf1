"""What the tests of readers, renderers and the command line share: captures as bytes, the command line in process."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it: the tests run in two processes

import io
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

# how long an example takes says nothing on a machine that is shared
hypothesis.settings.register_profile("shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("shared")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job; the processes under test inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

FIXTURES = Path(__file__).parent.parent / "fixtures"
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


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `sttdoctor ARGS` in this process."""
    from sttdoctor.cli import main

    def call(*args: object, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["sttdoctor", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, *capsys.readouterr())

    return call


def one_sentence(outcome: Outcome) -> str:
    """The sentence of a refused command line or input, after asserting that there is nothing else."""
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("sttdoctor: ") and outcome.err.endswith("\n") and outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err
    return outcome.err.removeprefix("sttdoctor: ").strip()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that nobody trusts, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key

"""Fixtures that several folders use: the command line in process, a certificate."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it: the tests run in two processes
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process that they start would compile the package again

import io
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
from common import Outcome, Run

# how long an example takes says nothing on a machine that is shared
hypothesis.settings.register_profile("shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("shared")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job; the processes under test inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


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

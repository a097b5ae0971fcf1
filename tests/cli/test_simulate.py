"""`sttdoctor simulate` as a process: what it prints, how it ends, what it refuses."""

import json
import re
import signal
import socket
import subprocess
import sys

import pytest
from common import one_sentence
from websockets.sync.client import connect

from sttdoctor.cli.simulate import simulate
from sttdoctor.simulate.faults import BORDERS, FAULTS

QUERY = "model=ink-2&encoding=pcm_mulaw&sample_rate=8000&cartesia_version=2026-03-01&access_token=canary"


class Running:
    """A simulator in a process of its own."""

    def __init__(self, *args):
        command = [sys.executable, "-m", "sttdoctor", "simulate", "--listen", "127.0.0.1:0", *args]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.first = self.process.stdout.readline()
        self.port = int(re.search(r"ws://127\.0\.0\.1:(\d+)", self.first)[1])

    def end(self, number=signal.SIGTERM):
        """(exit code, output, errors) after a signal, which it obeys at once."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def start():
    running = []

    def begin(*args):
        running.append(Running(*args))
        return running[-1]

    yield begin
    for one in running:
        one.process.kill()
        one.process.communicate()


def test_a_client_talks_and_a_signal_ends_it(start, tmp_path):
    script = tmp_path / "script.txt"
    script.write_text("Only this.\n")
    running = start("--script", str(script))
    with connect(f"ws://127.0.0.1:{running.port}/stt/turns/websocket?{QUERY}") as connection:
        connection.send(b"\x00\x80" * 4000)  # as loud as can be
        connection.send(json.dumps({"type": "close"}))
        events = [json.loads(message) for message in connection]
    assert events[-1]["transcript"] == "Only this."
    with connect(f"ws://127.0.0.1:{running.port}/stt/turns/websocket?{QUERY}"):
        code, out, err = running.end(signal.SIGTERM)
    assert (code, err) == (143, "")
    assert "closed by server with code 1000" in out and "canary" not in out
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what has ended may still be counted out
        free.bind(("127.0.0.1", running.port))
        free.listen()


def test_ctrl_c_is_130(start):
    assert start().end(signal.SIGINT)[0] == 130


def test_a_refused_client_is_told_of(start):
    running = start("--fault", "rejected=403")
    with pytest.raises(Exception, match="403"), connect(f"ws://127.0.0.1:{running.port}/stt/turns/websocket?{QUERY}"):
        pass
    assert "refused with status 403" in running.end()[1]


def test_a_port_in_use_is_one_sentence(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sentence = one_sentence(run("simulate", "--listen", f"127.0.0.1:{port}"))
    assert sentence == f"cannot listen at 127.0.0.1:{port}: Address already in use; try another address with --listen"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--listen", "8766"), "HOST:PORT"),
        (("--listen", "127.0.0.1:70000"), "HOST:PORT"),
        (("--listen", "nowhere.invalid:0"), "cannot listen at nowhere.invalid:0"),
        (("--fault", "slwo"), "did you mean slow?"),
        (("--allow-origin", "app.example"), "app.example is no origin"),
        (("--script", "/nowhere"), "cannot read the script /nowhere"),
        (("--asr", "--script", "x"), "exclude each other"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_one_sentence(run, args, says):
    assert says in one_sentence(run("simulate", *args))


def test_the_help_lists_every_fault(run):
    text = run("simulate", "--help").out
    assert all(f"\n  {name}" in text for name in FAULTS)


def test_listening_for_others_is_warned_of():
    command = [sys.executable, "-m", "sttdoctor", "simulate", "--listen", "0.0.0.0:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert "ws://0.0.0.0:" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert "others can connect" in process.communicate(timeout=20)[1]


def test_borders_that_can_be_asked_for_are_those_that_there_are():
    (option,) = (parameter for parameter in simulate.params if parameter.name == "borders")
    assert tuple(option.type.choices) == BORDERS

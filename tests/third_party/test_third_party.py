"""Clients of others, unchanged from the registries, through the recorder to the stand-in, in real time.

`python tests/third_party/install.py` installs them; those that are not there are skipped. Who does nothing wrong is
not accused; of the others their fault is named.
"""

import asyncio
import json
import os
import shutil
import sys
import threading
import wave
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

sys.path.append(str(Path(__file__).parent))

from install import node_modules, python_of
from proxying import proxy
from stand_in import TEXT, Format, recorded, speech

import sttdoctor
from sttdoctor.record.shelf import Keeping
from sttdoctor.simulate.faults import Behaviour

pytestmark = [pytest.mark.third_party, pytest.mark.realtime]

CLIENTS = Path(__file__).parent / "clients"
S16 = Format("pcm_s16le", 16000)
SPOKEN = ("mary", 0.9, "bobby", 0.2)  # the last turn is open when the client has sent everything


@dataclass(frozen=True)
class Client:
    """One of them.

    Attributes:
        script: In `clients`.
        environment: Where it is installed; None for the environment of the tests.
        faults: What it does wrong, by the name of the cause.
        ignore: Checks of time, since a busy machine makes a client late.
        text: What reaches its application.
    """

    script: str
    environment: str | None
    faults: frozenset[str] = frozenset()
    ignore: tuple[str, ...] = ("pacing", "continuity", "latency")
    text: str = TEXT


MANUAL = "Mary rolled the barrel."  # no turn ends there: the whole file is one utterance up to a silence of 1.5 s
WORLD = {
    "cartesia for Python, asynchronous": Client("cartesia_async.py", None),
    "cartesia for Python, synchronous": Client("cartesia_sync.py", None),
    "cartesia 2 for Python": Client("cartesia_2.py", "cartesia-2", frozenset({"connection.key-in-url"}), text=MANUAL),
    "cartesia-mcp": Client("cartesia_mcp_server.py", "cartesia-mcp", frozenset({"pacing.burst"}), ("latency",)),
    "cartesia-js": Client("cartesia_js.cjs", "node"),
    "livekit for Python": Client("livekit_python.py", "livekit"),
    "livekit for Node": Client("livekit_node.cjs", "node"),
    "pipecat": Client("pipecat_turns.py", "pipecat"),
    "vision-agents": Client(
        "vision_agents_plugin.py", "vision-agents", frozenset({"drain.no-close"}), text="Mary rolled the barrel."
    ),
}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A file of 16-bit samples at 16 kHz."""
    return write_wav(tmp_path_factory.mktemp("spoken") / "spoken.wav", speech(*SPOKEN, fmt=S16), 16000)


def write_wav(path: Path, samples: bytes, rate: int) -> Path:
    """Write 16-bit samples of one channel; returns the path."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)
    return path


def command_of(client):
    """The command line of a client; skips where it is not installed."""
    script = str(CLIENTS / client.script)
    if client.environment is None:
        return [sys.executable, script]
    if client.environment == "node":
        if shutil.which("node") is None or not node_modules().is_dir():
            pytest.skip("not installed; python tests/third_party/install.py node")
        return ["node", script]
    python = python_of(client.environment)
    if not python.exists():
        pytest.skip(f"not installed; python tests/third_party/install.py {client.environment}")
    return [str(python), script]


async def run(command, port, path):
    """Let a client talk; returns the text of its application."""
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = await asyncio.create_subprocess_exec(
        *command,
        f"http://127.0.0.1:{port}",
        str(path),
        env={**known, "NODE_PATH": str(node_modules())},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(90):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()[-2000:]
    return json.loads(out.decode().splitlines()[-1])["text"]


@pytest.mark.parametrize("name", ["livekit for Python", "livekit for Node", "pipecat"])
def test_who_connects_anew_is_one_call_and_what_that_costs_is_named(name, spoken, tmp_path):
    """They show the last update of a turn that is lost as its end, and begin again with an empty one."""
    client = WORLD[name]
    command = command_of(client)

    async def main():
        behaviour = Behaviour(faults={"connection-lost": 0.0}, fault_after_s=1.0)
        keeping = Keeping(f"{tmp_path}/", calls=True)
        async with (
            recorded(behaviour) as service,
            proxy(f"ws://127.0.0.1:{service.port}", keeping) as recorder,
        ):
            text = await run(command, recorder.port, spoken)
            await recorder.finished(2)
            return text

    text = asyncio.run(main())
    (call,) = tmp_path.iterdir()
    assert len(list(call.iterdir())) > 1
    report = sttdoctor.replay(str(call), transcript=text, ignore=client.ignore)
    causes = {found.cause for found in report.diagnoses}
    assert "connection.reconnected" in causes and causes & {"joining.partial-kept", "joining.updates-joined"}


async def through_both(talk, folder):
    """Let a client talk to the recorder before the stand-in; returns its text and the bytes of the recording."""
    async with (
        recorded() as service,
        proxy(f"ws://127.0.0.1:{service.port}", folder / "s.jsonl") as recorder,
    ):
        text = await talk(recorder.port)
        await recorder.finished()
    return text, (folder / "s.jsonl").read_bytes()


@pytest.mark.parametrize("name", WORLD)
def test_who_does_nothing_wrong_is_not_accused_and_faults_are_named(name, spoken, tmp_path):
    client = WORLD[name]
    command = command_of(client)
    text, recording = asyncio.run(through_both(lambda port: run(command, port, spoken), tmp_path))
    report = sttdoctor.replay(recording, transcript=text, ignore=client.ignore)
    assert {found.cause for found in report.diagnoses} == client.faults
    assert text == client.text


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium")
def test_a_page_with_a_microphone_is_not_accused(tmp_path):
    """Chromium with a file in place of the microphone, and a token in place of the key."""
    from browser import Page

    samples = speech(0.5, *SPOKEN, 2.0, fmt=Format("pcm_s16le", 48000))
    path = write_wav(tmp_path / "spoken.wav", samples, 48000)
    flags = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    )

    def mint(port):
        headers = {"Authorization": "Bearer any", "Cartesia-Version": "2026-03-01"}
        body = json.dumps({"grants": {"stt": True}, "expires_in": 60}).encode()
        with urlopen(Request(f"http://127.0.0.1:{port}/access-token", body, headers)) as answer:
            return json.load(answer)["token"]

    async def talk(port):
        handler = partial(SimpleHTTPRequestHandler, directory=str(CLIENTS))
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as pages:
            threading.Thread(target=pages.serve_forever, daemon=True).start()
            async with Page(tmp_path, flags).opened() as page:
                await page.call("Page.navigate", url=f"http://127.0.0.1:{pages.server_port}/microphone.html")
                while not await page.evaluate("typeof listen === 'function' && document.readyState === 'complete'"):
                    await asyncio.sleep(0.1)
                token = await asyncio.to_thread(mint, port)
                call = f"listen('ws://127.0.0.1:{port}', {json.dumps(token)}, 5)"
                text, code = await page.evaluate(call)
            pages.shutdown()
        assert code == 1000
        return text

    text, recording = asyncio.run(through_both(talk, tmp_path))
    report = sttdoctor.replay(recording, transcript=text, ignore=("pacing", "continuity", "latency"))
    assert {found.cause for found in report.diagnoses} == set()
    assert text.startswith("Mary rolled the barrel.") and report.subject["declared"]["encoding"] == "pcm_f32le"

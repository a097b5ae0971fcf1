"""Real clients talk to the stand-in in real time: the vendor's SDKs, `websockets`, Node, a browser."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from stand_in import CLOSE, QUERY, ROOT, TEXT, TURNS, chunks, recorded, sdk_for, speech, talk, talk_sync

from sttdoctor.net import Door

TWO_TURNS = ("mary", 0.9, "bobby", 0.3)


NODE_CLIENT = str(ROOT / "benchmarks" / "faults" / "real_clients" / "client.js")


@pytest.fixture(scope="module")
def python_clients():
    """A synchronous and an asynchronous client of the vendor's SDK at once: what they heard, and the reports."""

    async def run():
        data = speech(*TWO_TURNS)
        async with recorded() as first, recorded() as second:
            sdk = sdk_for(first.port)
            heard = await asyncio.gather(
                talk(first.port, data, sdk=sdk), asyncio.to_thread(talk_sync, second.port, data)
            )
        return heard, [*first.reports(heard[0].text), *second.reports(heard[1].text)]

    return asyncio.run(run())


@pytest.mark.realtime
def test_python_clients_get_every_turn(python_clients):
    for heard in python_clients[0]:
        assert heard.text == TEXT
        assert [kind for kind, _ in heard if kind in ("connected", "turn.start", "turn.end")] == [
            "connected",
            *["turn.start", "turn.end"] * 2,
        ]


@pytest.mark.realtime
def test_healthy_python_clients_are_not_accused(python_clients):
    for report in python_clients[1]:
        assert not [found for found in report.diagnoses if not found.cause.startswith("latency.")]


@pytest.fixture(scope="session")
def node_sdk():
    """An environment in which Node finds the vendor's SDK."""
    installed = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sttdoctor" / "real_clients"
    known = {"NODE_PATH": str(installed / "node_modules"), **os.environ}
    look = ["node", "-e", "require.resolve('@cartesia/cartesia-js')"]
    if subprocess.run(look, env=known, capture_output=True, check=False).returncode:
        pytest.skip("the SDK for Node is not installed; .ci/run does it")
    return known


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_the_javascript_sdk(node_sdk):
    async def run():
        async with recorded() as server:
            job = {
                "port": server.port,
                "parameters": {"model": "ink-2", "encoding": "pcm_mulaw", "sample_rate": 8000},
                "plan": node_plan(speech(*TWO_TURNS)),
                "leave_after": None,
                "patience_s": 8,
            }
            process = await asyncio.create_subprocess_exec(
                "node", NODE_CLIENT, env=node_sdk, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            out, _ = await process.communicate(json.dumps(job).encode())
            return json.loads(out), server

    heard, server = asyncio.run(run())
    text = "".join(text for kind, text in heard if kind == "turn.end")
    assert text == TEXT
    (report,) = server.reports(text)
    assert not [found for found in report.diagnoses if not found.cause.startswith("latency.")]


def node_plan(data):
    audio = [[due, "audio", base64.b64encode(chunk).decode()] for due, chunk in chunks(data)]
    return [*audio, [audio[-1][0], "command", CLOSE]]


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium")
def test_a_page_in_a_browser(tmp_path):
    from browser import Page

    code = """
const socket = new WebSocket(url);
const heard = [];
socket.onmessage = (event) => heard.push(JSON.parse(event.data));
socket.onopen = () => {
  let at = 0;
  const timer = setInterval(() => {
    if (at >= audio.length) { clearInterval(timer); socket.send(JSON.stringify({type: "close"})); return; }
    socket.send(audio.subarray(at, at + 800));
    at += 800;
  }, 100);
};
new Promise((done) => { socket.onclose = (event) => done([heard, event.code]); })
"""

    async def run():
        door = Door.of("127.0.0.1", ["null"])  # a page of no site
        async with recorded(door=door) as server, Page(tmp_path).opened() as page:
            audio = json.dumps(list(speech(*TWO_TURNS)))
            url = json.dumps(f"ws://127.0.0.1:{server.port}{TURNS}?{QUERY}")
            return await page.evaluate(f"const url = {url}, audio = Uint8Array.from({audio});\n{code}"), server

    (heard, code), server = asyncio.run(run())
    assert "".join(event["transcript"] for event in heard if event["type"] == "turn.end") == TEXT
    assert code == 1000
    (report,) = server.reports()
    assert report.status in ("pass", "warn")

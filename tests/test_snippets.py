"""The recorders of docs/recording.md, really run against the stand-in."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "fixtures"))

from browser import Page  # noqa: E402
from cartesia import AsyncCartesia  # noqa: E402
from server import stand_in  # noqa: E402
from websockets.asyncio.client import connect  # noqa: E402

from sttdoctor.live.behaviour import Behaviour  # noqa: E402
from sttdoctor.live.words import Script  # noqa: E402

BLOCKS = re.findall(r"```(python|javascript)\n(.*?)```", (ROOT / "docs" / "recording.md").read_text("utf-8"), re.DOTALL)
PYTHON, SDK = [code for language, code in BLOCKS if language == "python"]
JAVASCRIPT, IN_NODE, _IN_BROWSER = [code for language, code in BLOCKS if language == "javascript"]
CHUNK = bytes(range(256)) + b"\xff\x80" * 72
CHUNKS = 6
TALK = """
const socket = new WebSocket(url);
const rows = record(socket, url);
socket.onopen = () => {
  const chunk = Uint8Array.from({length: 400}, (_, i) => i < 256 ? i : i % 2 ? 128 : 255);
  for (let i = 0; i < 6; i++) socket.send(i % 2 ? chunk : chunk.buffer);
  socket.send(JSON.stringify({type: "close"}));
};
"""
URL = (
    "ws://127.0.0.1:{port}/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
    "&cartesia_version=2026-03-01&access_token=geheim"
)


def recorder(code):
    names = {}
    exec(compile(code, "docs/recording.md", "exec"), names)
    return names["Recorded"]


async def against_the_stand_in(client):
    async with stand_in(Script(("Hello.",), 2.0).words, Behaviour(latency_s=0.0, flush_s=0.05)) as server:
        await client(URL.format(port=server.port))
    (rows,) = server.sessions
    return rows


def content(rows):
    """What was exchanged, in each direction, and the close."""
    kept = ("json", "audio", "by", "code", "reason")
    ways = {
        kind: [{key: row[key] for key in kept if key in row} for row in rows if row["type"] == kind]
        for kind in ("send", "receive", "close")
    }
    assert len(ways["send"]) == CHUNKS + 1 and ways["receive"] and len(ways["close"]) == 1
    return ways


def assert_the_same(text, rows):
    recorded = [json.loads(line) for line in text.splitlines()]
    assert [row["type"] for row in recorded[:2]] == ["session", "open"]
    assert content(recorded) == content(rows)
    times = [row["t"] for row in recorded[1:]]
    assert times == sorted(times) and 0 <= times[-1] < 30


@pytest.mark.parametrize("code", [PYTHON, SDK, JAVASCRIPT])
def test_a_snippet_is_short(code):
    assert len([line for line in code.splitlines() if line.strip()]) <= 25


def test_python_websockets(tmp_path):
    async def client(url):
        async with connect(url) as connection:
            recorded = recorder(PYTHON)(connection, url, tmp_path / "s")
            for _ in range(CHUNKS):
                await recorded.send(CHUNK)
            await recorded.send('{"type":"close"}')
            async for _ in recorded:
                pass
            recorded.done()

    rows = asyncio.run(against_the_stand_in(client))
    assert_the_same((tmp_path / "s").read_text(), rows)


def test_the_sdk(tmp_path):
    async def client(url):
        base = url.partition("/stt")[0]
        async with AsyncCartesia(api_key="sk_car_test", websocket_base_url=base) as sdk:
            options = {"model": "ink-2", "encoding": "pcm_mulaw", "sample_rate": 8000}
            async with sdk.stt.auto_finalize.websocket(**options) as connection:
                recorded = recorder(SDK)(connection, url, tmp_path / "s")
                for _ in range(CHUNKS):
                    await recorded.send_raw(CHUNK)
                await recorded.send({"type": "close"})
                async for _ in recorded:
                    pass
                recorded.done()

    rows = asyncio.run(against_the_stand_in(client))
    assert_the_same((tmp_path / "s").read_text(), rows)


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_node(tmp_path):
    async def client(url):
        save = f"socket.addEventListener('close', () => {{ {IN_NODE} }});"
        (tmp_path / "talk.js").write_text(f"const url = {json.dumps(url)};\n{JAVASCRIPT}\n{TALK}\n{save}")
        version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
        flags = ["--experimental-websocket"] if int(version[1:].split(".")[0]) < 22 else []
        process = await asyncio.create_subprocess_exec("node", *flags, "talk.js", cwd=tmp_path)
        assert await process.wait() == 0

    rows = asyncio.run(against_the_stand_in(client))
    text = (tmp_path / "session.jsonl").read_text()
    assert_the_same(text, rows)
    assert "geheim" not in text


@pytest.mark.chromium
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium")
def test_a_browser(tmp_path):
    found = []

    async def client(url):
        async with Page(tmp_path).opened() as page:
            finished = "new Promise((done) => socket.addEventListener('close', () => done(rows.join('\\n'))))"
            found.append(await page.evaluate(f"const url = {json.dumps(url)};\n{JAVASCRIPT}\n{TALK}\n{finished}"))

    rows = asyncio.run(against_the_stand_in(client))
    assert_the_same(found[0], rows)
    assert "geheim" not in found[0]

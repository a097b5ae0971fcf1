"""The recorders of docs/recording.md, really run against the stand-in."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
from common import FIXTURES, ROOT

sys.path.append(str(FIXTURES))

from browser import Page
from cartesia import AsyncCartesia
from common import jsonl
from server import stand_in
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError

from sttdoctor.evidence import Close, Frame
from sttdoctor.readers.capture import read_capture
from sttdoctor.simulate.faults import Behaviour
from sttdoctor.simulate.words import Script

BLOCKS = re.findall(r"```(python|javascript)\n(.*?)```", (ROOT / "docs" / "recording.md").read_text("utf-8"), re.DOTALL)
PYTHON, _USE = [code for language, code in BLOCKS if language == "python"]
JAVASCRIPT, IN_NODE, IN_BROWSER = [code for language, code in BLOCKS if language == "javascript"]
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


TEXT = "Hello."


@contextmanager
def recorded(connection, url, path):
    names = {}
    exec(compile(PYTHON, "docs/recording.md", "exec"), names)
    with path.open("w", buffering=1) as file:
        yield names["record"](connection, url, file)


async def against_the_stand_in(client):
    async with stand_in(Script(("Hello.",), 2.0).words, Behaviour(latency_s=0.0, flush_s=0.05)) as server:
        await client(URL.format(port=server.port))
    (rows,) = server.sessions
    return rows


def content(session):
    """What was exchanged, in each direction, and the close."""
    frames = [event for event in session.events if isinstance(event, Frame)]
    sent = [frame.audio or frame.message for frame in frames if frame.sent]
    received = [frame.message for frame in frames if not frame.sent]
    closes = [replace(event, line=0, t=None) for event in session.events if isinstance(event, Close)]
    assert len(sent) == CHUNKS + 1 and received[-1]["type"] == "turn.end" and len(closes) == 1
    return sent, received, closes


def assert_the_same(text, rows):
    recorded = read_capture(text.encode())
    assert [json.loads(line)["type"] for line in text.splitlines()[:2]] == ["session", "open"]
    assert content(recorded) == content(read_capture(jsonl(*rows)))
    times = [event.t for event in recorded.events]
    assert times == sorted(times) and 0 <= times[-1] < 30
    assert recorded.damage.lines == 0 and recorded.transcript.text == TEXT


@pytest.mark.parametrize("code", [PYTHON, JAVASCRIPT])
def test_a_snippet_is_short(code):
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 20 and max(map(len, lines)) <= 120


def test_python_websockets(tmp_path):
    async def client(url):
        async with connect(url) as connection:
            with recorded(connection, url, tmp_path / "s") as done:
                for _ in range(CHUNKS):
                    await connection.send(CHUNK)
                await connection.send('{"type":"close"}')
                async for _ in connection:
                    pass
                done(TEXT)

    rows = asyncio.run(against_the_stand_in(client))
    assert_the_same((tmp_path / "s").read_text(), rows)


def test_a_connection_that_is_lost_and_words_that_are_no_json(tmp_path):
    async def talk(connection):
        await connection.recv()
        connection.transport.abort()

    async def client():
        async with serve(talk, "127.0.0.1", 0) as server:
            connection = await connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            with recorded(connection, "wss://a", tmp_path / "s") as done:
                await connection.send("finalize")
                with pytest.raises(ConnectionClosedError):
                    await connection.recv()
                done("")

    asyncio.run(client())
    _, word, close = read_capture(tmp_path / "s").events
    assert word.text == "finalize" and (close.by, close.code) == ("unknown", 1006)


def test_the_sdk(tmp_path):
    async def client(url):
        base = url.partition("/stt")[0]
        async with AsyncCartesia(api_key="sk_car_test", websocket_base_url=base) as sdk:
            options = {"model": "ink-2", "encoding": "pcm_mulaw", "sample_rate": 8000}
            async with sdk.stt.auto_finalize.websocket(**options) as connection:
                with recorded(connection._connection, url, tmp_path / "s") as done:
                    for _ in range(CHUNKS):
                        await connection.send_raw(CHUNK)
                    await connection.send({"type": "close"})
                    async for _ in connection:
                        pass
                    done(TEXT)

    rows = asyncio.run(against_the_stand_in(client))
    assert_the_same((tmp_path / "s").read_text(), rows)


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_node(tmp_path):
    async def client(url):
        save = f"const transcript = {json.dumps(TEXT)};\nsocket.addEventListener('close', () => {{ {IN_NODE} }});"
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
            # the file that the link of the snippet downloads, read from where the link points to
            saved = f"{IN_BROWSER.replace('link.click();', 'fetch(link.href).then((file) => file.text()).then(done);')}"
            finished = f"new Promise((done) => socket.addEventListener('close', () => {{ {saved} }}))"
            start = f"const url = {json.dumps(url)}, transcript = {json.dumps(TEXT)};"
            found.append(await page.evaluate(f"{start}\n{JAVASCRIPT}\n{TALK}\n{finished}"))

    rows = asyncio.run(against_the_stand_in(client))
    assert_the_same(found[0], rows)
    assert "geheim" not in found[0]

"""Clients that are not ours through the proxy: each sees what it sees without it, and what it did is recorded."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from common import FIXTURES, ROOT
from proxying import QUERY, hears, proxy
from websockets.exceptions import InvalidStatus

sys.path.append(str(FIXTURES))

from browser import Page
from cartesia import AsyncCartesia, Cartesia
from proxying import closes, refuses, service

from sttdoctor.net import Door

FORMAT = {"model": "ink-2", "encoding": "pcm_s16le", "sample_rate": 16000}
AUDIO = (FIXTURES / "audio" / "s16-16k.raw").read_bytes()[:64_000]
CHUNKS = [AUDIO[start : start + 3200] for start in range(0, len(AUDIO), 3200)]
INSTALLED = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sttdoctor" / "real_clients"
NODE = {"NODE_PATH": str(INSTALLED / "node_modules"), **os.environ}
PACE_S = 0.02  # faster than it is spoken: the stand-in does not mind, and the tests are over sooner


def without_ids(events):
    return [{key: value for key, value in event.items() if key != "request_id"} for event in events]


async def asynchronous(port):
    async with (
        AsyncCartesia(api_key="sk_car_canary", websocket_base_url=f"ws://127.0.0.1:{port}") as sdk,
        sdk.stt.auto_finalize.websocket(**FORMAT) as connection,
    ):
        for chunk in CHUNKS:
            await connection.send_raw(chunk)
            await asyncio.sleep(PACE_S)
        await connection.send({"type": "close"})
        heard = [json.loads(event.to_json()) async for event in connection]
        below = connection._connection
        return heard, below.close_code, below.close_reason


def talk_synchronously(port):
    with (
        Cartesia(api_key="sk_car_canary", base_url=f"http://127.0.0.1:{port}") as sdk,
        sdk.stt.auto_finalize.websocket(**FORMAT) as connection,
    ):
        for chunk in CHUNKS:
            connection.send_raw(chunk)
        connection.send({"type": "close"})
        heard = [json.loads(event.to_json()) for event in connection]
        return heard, connection._connection.protocol.close_code, connection._connection.protocol.close_reason


async def synchronous(port):
    return await asyncio.to_thread(talk_synchronously, port)


async def node(port):
    plan = [[PACE_S * n, "audio", base64.b64encode(chunk).decode()] for n, chunk in enumerate(CHUNKS)]
    plan.append([PACE_S * len(CHUNKS), "command", {"type": "close"}])
    job = {"port": port, "parameters": FORMAT, "plan": plan, "leave_after": None, "patience_s": 20}
    client = ROOT / "benchmarks" / "faults" / "real_clients" / "client.js"
    process = await asyncio.create_subprocess_exec(
        "node", client, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=NODE
    )
    out, _ = await process.communicate(json.dumps(job).encode())
    assert process.returncode == 0
    return [dict(zip(("type", "transcript"), event, strict=True)) for event in json.loads(out)], None, None


PAGE = """
new Promise((done) => {
  const socket = new WebSocket(%s), heard = [];
  socket.onopen = () => {
    for (const chunk of %s) socket.send(Uint8Array.from(atob(chunk), (char) => char.charCodeAt(0)));
    socket.send(JSON.stringify({type: "close"}));
  };
  socket.onmessage = (event) => heard.push(JSON.parse(event.data));
  socket.onclose = ({code, reason, wasClean}) => done([heard, code, reason, wasClean]);
})
"""


def in_chromium(folder):
    async def page(port):
        url = f"ws://127.0.0.1:{port}/stt/turns/websocket?{QUERY}&access_token=canary1234"
        chunks = [base64.b64encode(chunk).decode() for chunk in CHUNKS]
        async with Page(folder / str(port)).opened() as browser:
            return tuple(await browser.evaluate(PAGE % (json.dumps(url), json.dumps(chunks))))

    return page


def has_sdk():
    if shutil.which("node") is None:
        return False
    command = ["node", "-e", "require.resolve('@cartesia/cartesia-js')"]
    return subprocess.run(command, env=NODE, capture_output=True).returncode == 0


CLIENTS = {
    "async": lambda _folder: asynchronous,
    "sync": lambda _folder: synchronous,
    "node": lambda _folder: node,
    "chromium": in_chromium,
}


def only_where_there(name):
    missing = "the SDK for Node is not installed; .ci/run does it"
    marks = {
        "node": [pytest.mark.node, pytest.mark.skipif(not has_sdk(), reason=missing)],
        "chromium": [
            pytest.mark.chromium,
            pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium"),
        ],
    }
    return pytest.param(name, marks=marks.get(name, []))


@pytest.mark.parametrize("name", [only_where_there(name) for name in CLIENTS])
def test_a_real_client(name, tmp_path):
    client = CLIENTS[name](tmp_path)

    async def main():
        async with (
            hears("Good morning to you.") as server,
            proxy(f"ws://127.0.0.1:{server.port}", tmp_path / "s.jsonl", Door.of("127.0.0.1", ["null"])) as running,
        ):
            direct, through = await client(server.port), await client(running.port)
            await running.finished()
            return direct, through, running.sessions()[0]

    direct, through, session = asyncio.run(main())
    assert without_ids(direct[0]) == without_ids(through[0])
    assert through[0][-1] == {**through[0][-1], "type": "turn.end", "transcript": "Good morning to you."}
    assert direct[1:] == through[1:]
    received = [frame.message for frame in session.events[1:-1] if not frame.sent]
    assert [event["type"] for event in received] == [event["type"] for event in through[0]]
    assert b"".join(frame.audio or b"" for frame in session.events[1:-1] if frame.sent) == AUDIO
    assert (session.events[-1].by, session.events[-1].code) == ("server", 1000)
    assert "canary" not in (tmp_path / "s.jsonl").read_text()


@pytest.mark.parametrize("status", [401, 429])
def test_the_sdk_is_refused_as_without_the_proxy(status, tmp_path):
    body = json.dumps({"title": "No", "message": "not now", "error_code": "concurrency_limited"}).encode()

    async def refused(port):
        with pytest.raises(InvalidStatus) as refusal:
            await asynchronous(port)
        answer = refusal.value.response
        return answer.status_code, answer.reason_phrase, answer.body, answer.headers["Retry-After"]

    async def main():
        answer = refuses(status, body, [("Retry-After", "3"), ("Content-Type", "application/json")])
        async with (
            service(closes(1000), process_request=answer) as port,
            proxy(f"ws://127.0.0.1:{port}", tmp_path / "s.jsonl") as running,
        ):
            direct, through = await refused(port), await refused(running.port)
            await running.finished()
            return direct, through, running.sessions()[0].events

    direct, through, (opened,) = asyncio.run(main())
    assert direct == through == (status, through[1], body, "3")
    assert (opened.status, json.loads(opened.body)["message"]) == (status, "not now")

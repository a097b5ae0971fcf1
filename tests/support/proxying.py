"""What the tests of the proxy share: it, in this process, and what a client sees of a session."""

import asyncio
import contextlib
import http
import json
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response

sys.path.append(str(Path(__file__).parents[2] / "fixtures"))

from server import stand_in

from sttdoctor.evidence import Session
from sttdoctor.net import Door
from sttdoctor.readers.capture import read_capture
from sttdoctor.record.desk import Entry
from sttdoctor.record.proxy import listen
from sttdoctor.record.shelf import Keeping
from sttdoctor.record.upstream import Upstream
from sttdoctor.simulate.faults import Behaviour
from sttdoctor.simulate.words import Script

QUERY = "model=ink-2&encoding=pcm_s16le&sample_rate=16000&cartesia_version=2026-03-01"
TARGET = f"/stt/turns/websocket?{QUERY}"


@dataclass
class Proxy:
    """A running proxy and what it told."""

    port: int = 0
    running: list[Entry] = field(default_factory=list)
    done: list[Entry] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def began(self, entry: Entry) -> None:
        self.running.append(entry)

    def ended(self, entry: Entry) -> None:
        self.running.remove(entry)
        self.done.append(entry)

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    def sessions(self) -> list[Session]:
        return [read_capture(str(entry.path)) for entry in self.done]

    async def finished(self, count: int = 1) -> None:
        """Wait until so many connections are over."""
        async with asyncio.timeout(20):
            while len(self.done) < count:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def proxy(
    upstream: str | Upstream, output: Path | str | Keeping, door: Door | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Proxy]:
    running, service = Proxy(), upstream if isinstance(upstream, Upstream) else Upstream.parse(upstream)
    keeping = output if isinstance(output, Keeping) else Keeping(str(output))
    async with listen("127.0.0.1", 0, service, keeping, running, door, tls) as listens:
        running.port = listens.port
        yield running


def hears(*turns: str) -> Any:
    """The stand-in for the service: it hears these turns, and answers at once."""
    return stand_in(Script(turns, 20.0).words, Behaviour(latency_s=0.0, flush_s=0.05))


Talk = Callable[[Any], Awaitable[None]]


async def talk(connection: Any) -> None:
    """Send three chunks and the close command."""
    for number in range(3):
        await connection.send(bytes([number]) * 320)
    await connection.send('{"type":"close"}')


async def seen(port: int, client: Talk = talk, **options: Any) -> dict[str, Any]:
    """What a client sees: the answer, the messages and the close."""
    found: dict[str, Any] = {"messages": []}
    try:
        at = f"wss://localhost:{port}" if "ssl" in options else f"ws://127.0.0.1:{port}"
        async with connect(f"{at}{TARGET}", **options) as connection:
            found["subprotocol"] = connection.subprotocol
            found["extensions"] = [extension.name for extension in connection.protocol.extensions]
            with contextlib.suppress(ConnectionClosed):
                await client(connection)
            with contextlib.suppress(ConnectionClosed):
                async for message in connection:
                    found["messages"].append(message)
            await connection.wait_closed()
            found["close"] = (connection.protocol.close_code, connection.protocol.close_reason)
            found["first"] = connection.protocol.close_rcvd_then_sent
    except InvalidStatus as error:
        answer = error.response
        headers = sorted((name, value) for name, value in answer.headers.raw_items() if name.lower() != "date")
        found |= {"status": answer.status_code, "phrase": answer.reason_phrase, "headers": headers, "body": answer.body}
    return found


REQUEST = (
    f"GET {TARGET} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


EVENTS = [{"type": "connected"}, {"type": "turn.start"}, {"type": "turn.end", "transcript": "Grüße."}]


@contextlib.asynccontextmanager
async def service(handle, **options):
    async with serve(handle, "127.0.0.1", 0, ping_interval=None, max_size=None, **options) as server:
        yield server.sockets[0].getsockname()[1]


def closes(code, reason=""):
    async def handle(connection):
        await connection.send(json.dumps(EVENTS[0]))
        async for message in connection:
            if isinstance(message, str):
                for event in EVENTS[1:]:
                    await connection.send(json.dumps(event, ensure_ascii=False))
                await connection.close(code, reason)

    return handle


async def drops(connection):
    await connection.send(json.dumps(EVENTS[0]))
    await connection.recv()
    connection.transport.abort()


def refuses(status, body, headers):
    def answer(_connection, _request):
        known = [("Content-Length", str(len(body))), *headers]
        return Response(status, http.HTTPStatus(status).phrase, Headers(known), body)

    return answer


async def echo(connection):
    async for message in connection:
        await connection.send(message)

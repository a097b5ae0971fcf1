"""The proxy over real sockets on loopback: what the client sees, what is recorded, and how connections end."""

import asyncio
import contextlib
import json
from importlib.resources import files

import jsonschema
import pytest
from proxying import EVENTS, QUERY, REQUEST, TARGET, closes, drops, echo, proxy, refuses, seen, service
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

JSON = [("Content-Type", "application/json"), ("Retry-After", "3"), ("X-Twice", "1"), ("X-Twice", "2")]
SERVICES = {
    "1000": (closes(1000), {}),
    "1011 with a reason": (closes(1011, "internal error"), {}),
    "4000": (closes(4000, "übel"), {}),
    "1001, no compression": (closes(1001, "idle timeout"), {"compression": None}),
    "dropped": (drops, {}),
    "401": (closes(1000), {"process_request": refuses(401, b'{"title":"no key"}', JSON)}),
    "429": (closes(1000), {"process_request": refuses(429, b"Too many: concurrency", JSON)}),
    "302": (closes(1000), {"process_request": refuses(302, b"", [])}),
    "a subprotocol": (closes(1000), {"subprotocols": ["stt"]}),
}


@pytest.mark.parametrize("name", SERVICES)
def test_the_client_sees_what_it_sees_without_the_proxy(name, tmp_path):
    handle, options = SERVICES[name]
    client = {"subprotocols": ["other", "stt"]} if "subprotocols" in options else {}

    async def main():
        async with service(handle, **options) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path) as running:
            assert await seen(running.port, **client) == await seen(port, **client)
            await running.finished()
            return running.sessions()[0]

    session = asyncio.run(main())
    opened, *events = session.events
    if name in ("401", "429", "302"):
        assert (opened.status, events) == (int(name), [])
        assert opened.body == options["process_request"](None, None).body.decode()
    else:
        close = events[-1]
        assert opened.status == 101 and close.by == "server"
        assert close.code == {"dropped": 1006}.get(name, int(name[:4]) if name[:4].isdigit() else 1000)
        if name != "dropped":
            assert [frame.message for frame in events[:-1] if not frame.sent] == EVENTS
            assert [frame.audio for frame in events if getattr(frame, "audio", None)] == [
                bytes([number]) * 320 for number in range(3)
            ]


def test_the_request_passes_unchanged_but_for_the_host(tmp_path):
    requests = []

    def note(_connection, request):
        requests.append(request)

    async def main():
        async with (
            service(closes(1000), process_request=note) as port,
            proxy(f"http://127.0.0.1:{port}/eu/", tmp_path) as running,
        ):
            headers = {"Authorization": "Bearer sk_car_canary", "Cartesia-Version": "2026-03-01"}
            await seen(running.port, additional_headers=headers, origin="http://localhost:3000")
            await seen(port, additional_headers=headers, origin="http://localhost:3000")
            await running.finished()
            return port, running.sessions()[0], running.done[0].path.read_text()

    port, session, text = asyncio.run(main())
    through, direct = (list(request.headers.raw_items()) for request in requests)
    keys = ("Sec-WebSocket-Key",)
    assert [item for item in through if item[0] not in keys] == [item for item in direct if item[0] not in keys]
    assert requests[0].path == f"/eu{TARGET}" and requests[0].headers["Host"] == f"127.0.0.1:{port}"
    assert session.url == f"ws://127.0.0.1:{port}/eu{TARGET}" and session.clock == "proxy"
    assert session.headers["authorization"] == "Bearer REDACTED" and "canary" not in text


def leaves(code=1000, reason=""):
    async def client(connection):
        await connection.send(b"\0\0")
        await connection.close(code, reason)

    return client


async def vanishes(connection):
    await connection.send(b"\0\0")
    connection.transport.abort()


@pytest.mark.parametrize(
    ("client", "expected"),
    [(leaves(), (1000, "")), (leaves(4001, "enough"), (4001, "enough")), (vanishes, (1006, ""))],
)
def test_the_service_sees_how_the_client_leaves(client, expected, tmp_path):
    closed = []

    async def handle(connection):
        with contextlib.suppress(ConnectionClosed):
            async for _ in connection:
                pass
        await connection.wait_closed()
        closed.append((connection.protocol.close_code, connection.protocol.close_reason))

    async def main():
        async with service(handle) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path) as running:
            await seen(running.port, client)
            await running.finished()
            return running.sessions()[0]

    close = asyncio.run(main()).events[-1]
    assert closed == [expected]
    assert (close.by, close.code, close.reason) == ("client", *expected)


@pytest.mark.parametrize("compression", ["deflate", None])
def test_frames_of_any_size_pass_in_order(compression, tmp_path):
    sizes = [1] * 50 + [0, 125, 126, 65_535, 65_536, 1 << 20, 16 << 20, 1]
    contents = [bytes([128 | number]) * size for number, size in enumerate(sizes)]  # no text

    async def main():
        async with (
            service(echo, compression=compression) as port,
            proxy(f"ws://127.0.0.1:{port}", tmp_path) as running,
            connect(f"ws://127.0.0.1:{running.port}{TARGET}", max_size=None, compression=compression) as connection,
        ):

            async def send():
                for content in contents:
                    await connection.send(content)
                await connection.send(iter(["frag", "", "ments"]))

            sending = asyncio.create_task(send())
            answers = [await connection.recv() for _ in [*contents, None]]
            await sending
            await connection.close()
            await running.finished()
            return answers, running.sessions()[0]

    answers, session = asyncio.run(main())
    assert answers == [*contents, "fragments"]
    sent = [frame for frame in session.events if getattr(frame, "sent", False)]
    assert [frame.audio for frame in sent[:-1]] == contents and sent[-1].text == "fragments"


def test_a_message_beyond_what_can_be_recorded_passes_and_keeps_its_size(tmp_path):
    size = 24 << 20

    async def main():
        async with (
            service(echo) as port,
            proxy(f"ws://127.0.0.1:{port}", tmp_path) as running,
            connect(f"ws://127.0.0.1:{running.port}{TARGET}", max_size=None, compression=None) as connection,
        ):
            await connection.send(bytes(size))
            assert await connection.recv() == bytes(size)
            await connection.send("after")
            assert await connection.recv() == "after"
            await connection.close()
            await running.finished()
            return running.sessions()[0]

    frames = [event for event in asyncio.run(main()).events if hasattr(event, "sent")]
    assert [(frame.size, frame.audio, frame.text) for frame in frames if frame.sent] == [
        (size, None, None),
        (5, None, "after"),
    ]


def test_a_slow_reader_holds_the_sender_back(tmp_path):
    """The service sends 64 MiB to a client that does not read: the proxy takes no more than its buffers."""
    sent = []

    async def floods(connection):
        for _ in range(64):
            await connection.send(bytes(1 << 20))
            sent.append(1)

    async def main():
        async with service(floods, compression=None) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path) as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
            writer.write(REQUEST.encode())
            await reader.readuntil(b"\r\n\r\n")
            before = -1
            while before != len(sent):  # until nothing moves any more
                before = len(sent)
                await asyncio.sleep(0.5)
            held = len(sent)
            total = 0
            while total < 64 << 20:
                total += len(await reader.read(1 << 20))
            writer.close()
            return held

    held = asyncio.run(main())
    assert held < 32 and len(sent) == 64


def test_pings_are_answered_by_the_other_end(tmp_path):
    """A client that pings reaches the service, and one that does not answer is noticed by it."""

    async def main():
        async with (
            serve(echo, "127.0.0.1", 0, ping_interval=0.1, ping_timeout=0.3) as server,
            proxy(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", tmp_path) as running,
        ):
            async with connect(f"ws://127.0.0.1:{running.port}{TARGET}", ping_interval=None) as connection:
                await (await connection.ping())
                async with asyncio.timeout(20):
                    while not [other for other in server.connections if other.latency]:  # a pong came back
                        await asyncio.sleep(0.01)
                await connection.send("still there")
                assert await connection.recv() == "still there"
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)  # answers no ping: half open
            writer.write(REQUEST.encode())
            data = await asyncio.wait_for(reader.read(), 20)
            writer.close()
            await running.finished(2)
            return data, running.sessions()[1].events[-1]

    data, close = asyncio.run(main())
    assert b"keepalive ping timeout" in data
    assert (close.by, close.code) == ("server", 1011)


def test_connections_at_once_get_a_file_each(tmp_path):
    all_open = asyncio.Barrier(20)

    async def client(connection):
        await asyncio.wait_for(all_open.wait(), 20)
        await connection.send('{"type":"close"}')

    async def main():
        async with service(closes(1000)) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path / "s.jsonl") as running:
            await asyncio.gather(*[seen(running.port, client) for _ in range(20)])
            await running.finished(20)
            return running.sessions()

    sessions = asyncio.run(main())
    assert {path.name for path in tmp_path.iterdir()} == {"s.jsonl", *(f"s-{number}.jsonl" for number in range(2, 21))}
    assert all(session.events[-1].code == 1000 for session in sessions)


def test_refused_then_accepted_share_nothing(tmp_path):
    answers = iter([refuses(429, b"later", []), lambda _connection, _request: None])

    async def main():
        async with (
            service(closes(1000), process_request=lambda *args: next(answers)(*args)) as port,
            proxy(f"ws://127.0.0.1:{port}", tmp_path) as running,
        ):
            with pytest.raises(InvalidStatus):
                await connect(f"ws://127.0.0.1:{running.port}{TARGET}")
            assert (await seen(running.port))["close"] == (1000, "")
            await running.finished(2)
            return [session.events[0].status for session in running.sessions()]

    assert asyncio.run(main()) == [429, 101]


def test_the_query_is_recorded_as_it_was_sent(tmp_path):
    async def main():
        async with service(closes(1000)) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path) as running:
            await seen(running.port)
            await running.finished()
            return running.sessions()[0].url

    assert asyncio.run(main()).endswith(QUERY)


def test_what_is_recorded_keeps_to_the_schema(tmp_path):
    async def main():
        refuse = refuses(401, b"no", [])
        async with (
            service(closes(1000)) as port,
            service(closes(1000), process_request=refuse) as refusing,
            proxy(f"ws://127.0.0.1:{port}", tmp_path) as first,
            proxy(f"ws://127.0.0.1:{refusing}", tmp_path) as second,
        ):
            await asyncio.gather(seen(first.port), seen(second.port))

    asyncio.run(main())
    schema = json.loads((files("sttdoctor") / "schemas" / "session.schema.json").read_text())
    rows = [json.loads(line) for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert len(rows) == 2 + 1 + 1 + 3 + 3 + 1 + 1  # headers, openings, events, audio, the command, the close
    for row in rows:
        jsonschema.validate(row, schema)

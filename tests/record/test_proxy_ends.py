"""The way to the service, other requests, and ends that nobody planned: of a client, of the proxy, of the disk."""

import asyncio
import contextlib
import gc
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from proxying import REQUEST, TARGET, closes, drops, echo, proxy, seen, service
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


@pytest.mark.parametrize("at", ["127.0.0.1:1", "host.invalid:80"])
def test_an_upstream_that_cannot_be_reached_is_told_to_the_client(at, tmp_path):
    async def main():
        async with proxy(f"ws://{at}", tmp_path) as running:
            answer = await seen(running.port)
            await running.finished()
            return answer, running

    answer, running = asyncio.run(main())
    (sentence,) = running.told
    assert answer["status"] == 502 and sentence in answer["body"].decode() and sentence.startswith("cannot reach ws://")
    assert running.sessions()[0].events[0].status == 502


def test_tls_that_is_not_accepted_is_told(tmp_path, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    async def main():
        async with (
            service(closes(1000), ssl=context) as port,
            service(closes(1000)) as plain,
            proxy(f"wss://localhost:{port}", tmp_path) as first,
            proxy(f"wss://localhost:{plain}", tmp_path) as second,
        ):
            return [(await seen(running.port))["status"] for running in (first, second)], first.told + second.told

    statuses, told = asyncio.run(main())
    assert statuses == [502, 502]
    assert "certificate" in told[0] and "without TLS" in told[1]


def test_tls_to_the_service(tmp_path, certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))

    async def main():
        async with (
            service(closes(1000), ssl=context) as port,
            service(drops, ssl=context) as dropping,
            service(closes(1000)) as plain,
            proxy(f"wss://localhost:{port}", tmp_path) as running,
            proxy(f"wss://localhost:{dropping}", tmp_path) as dropped,
        ):
            assert (await seen(dropped.port))["close"] == (1006, "")
            return await seen(running.port), await seen(plain)

    through, direct = asyncio.run(main())
    assert through == direct


def test_a_full_disk_ends_the_recording_and_not_the_session():
    async def main():
        async with service(closes(1000)) as port, proxy(f"ws://127.0.0.1:{port}", "/dev/full") as running:
            assert await seen(running.port) == await seen(port)
            await running.finished()
            return running.told

    (sentence,) = asyncio.run(main())
    assert "No space left on device" in sentence and "/dev/full" in sentence


def test_nothing_of_a_refused_connection_stays_in_memory(tmp_path):
    async def main():
        async with proxy("ws://127.0.0.1:1", tmp_path) as running:
            before = kept()
            for _ in range(20):
                reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
                writer.write(REQUEST.replace("\r\n\r\n", "\r\nHost: another\r\n\r\n").encode())
                assert b" 400 " in await reader.readline()
                writer.close()
            async with asyncio.timeout(5):  # the end of the last one is still on its way
                while kept() > before + 1:
                    await asyncio.sleep(0.01)

    def kept():
        gc.collect()
        return sum(isinstance(held, asyncio.Transport) for held in gc.get_objects())

    asyncio.run(main())


def test_a_client_that_goes_while_the_service_is_slow_to_answer(tmp_path):
    asked, gone = asyncio.Event(), asyncio.Event()

    async def handle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        assert await reader.read() == b""
        writer.close()
        gone.set()

    async def main():
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server, proxy(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", tmp_path) as running:
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(REQUEST.encode())
            await asyncio.wait_for(asked.wait(), 10)
            writer.transport.abort()
            await asyncio.wait_for(gone.wait(), 10)
            await running.finished()
            return running.sessions()[0].events

    (close,) = asyncio.run(main())
    assert (close.by, close.code) == ("client", 1006)


def test_leaving_cuts_connections_and_keeps_what_was_captured(tmp_path):
    async def main():
        async with service(echo) as port:
            async with proxy(f"ws://127.0.0.1:{port}", tmp_path / "s.jsonl") as running:
                connection = await connect(f"ws://127.0.0.1:{running.port}{TARGET}")
                await connection.send("one")
                assert await connection.recv() == "one"
            with pytest.raises(ConnectionClosed):
                await connection.recv()
            assert connection.protocol.close_code == 1006
            with socket.create_server(("127.0.0.1", running.port)):
                pass  # the port is free
            return running.sessions()[0].events

    events = asyncio.run(main())
    assert [getattr(event, "text", None) for event in events[1:]] == ["one", "one"]  # and no close: nobody closed


def test_many_connections_one_after_another_leave_nothing_behind():
    async def main():
        async with service(closes(1000)) as port, proxy(f"ws://127.0.0.1:{port}", "/dev/null") as running:
            counts = []
            for _ in range(2):
                for _ in range(100):
                    await seen(running.port, compression=None)
                await running.finished(100)
                running.done.clear()
                counts.append(_open_files())
            return counts

    first, second = asyncio.run(main())
    assert second <= first + 2


def _open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_name_that_nobody_answers_for_does_not_hold_up_the_end(tmp_path, monkeypatch):
    asked, answer = threading.Event(), threading.Event()

    def slow(*_args, **_keys):
        asked.set()
        answer.wait(30)
        return []

    async def main():
        async with proxy("ws://host.invalid", tmp_path) as running:
            monkeypatch.setattr(socket, "getaddrinfo", slow)
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(REQUEST.encode())
            while not asked.is_set():
                await asyncio.sleep(0.01)
            began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        return time.monotonic() - began

    took = asyncio.run(main())
    answer.set()
    assert took < 1


def test_other_requests_pass_and_are_not_recorded(tmp_path):
    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(300_000)
        assert b"Connection: close" in head and head.startswith(b"POST /access-token HTTP/1.1")
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\n%06d" % len(body))
        writer.close()

    async def main():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server, proxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", tmp_path) as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            head = b"POST /access-token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n"
            writer.write(head + bytes(300_000))
            data = await reader.read()
            writer.close()
            return data, running.running + running.done

    data, recorded = asyncio.run(main())
    assert data.endswith(b"300000") and b"201 Created" in data and not recorded
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"\x16\x03\x01\x02", "ws:// instead of wss://"),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", "not an HTTP proxy"),
        (b"hello there\r\n\r\n", "no HTTP"),
        (b"GET / HTTP/1.1\r\n" + b"a" * 70_000, "no end"),
    ],
)
def test_what_is_no_request_gets_an_answer(sent, sentence, tmp_path):
    async def main():
        async with proxy("ws://127.0.0.1:1", tmp_path) as running:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(sent)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            return running.told

    assert sentence in asyncio.run(main())[0]

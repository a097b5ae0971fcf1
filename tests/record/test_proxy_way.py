"""TLS to the client, a proxy on the way to the service, and a service whose name leads here."""

import asyncio
import contextlib
import socket
import ssl
from dataclasses import replace

import pytest
from proxying import Proxy, closes, drops, proxy, refuses, seen, service

from sttdoctor.errors import UsageError
from sttdoctor.net import Door
from sttdoctor.record import upstream
from sttdoctor.record.proxy import listen
from sttdoctor.record.shelf import Keeping
from sttdoctor.record.upstream import HttpProxy, Upstream, server_tls


@contextlib.asynccontextmanager
async def forward_proxy(answer="200 Connection established", asked=None):
    """An HTTP proxy: connects on after CONNECT, whatever the name, to this machine."""

    async def pipe(reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def take(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if asked is not None:
            asked.append(head)
        writer.write(f"HTTP/1.1 {answer}\r\n\r\n".encode())
        if answer.startswith("200"):
            port = int(head.split()[1].rpartition(":")[2])
            there = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("handle", [closes(1000), closes(4000, "\u00fcbel"), drops])
def test_a_client_that_speaks_tls_sees_what_it_sees_without_the_proxy(handle, tmp_path, certificate):
    trusting = ssl.create_default_context(cafile=certificate[0])
    tls = server_tls(*map(str, certificate))

    async def main():
        async with (
            service(handle, ssl=tls) as port,
            service(handle) as plain,
            proxy(f"ws://127.0.0.1:{plain}", tmp_path, tls=tls) as running,
        ):
            through = await seen(running.port, ssl=trusting)
            await running.finished()
            return through, await seen(port, ssl=trusting), running.sessions()[0]

    through, direct, session = asyncio.run(main())
    assert through == direct and through["messages"]
    assert session.clock == "proxy" and session.events[0].status == 101


def test_the_way_leads_through_a_proxy(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    asked = []

    async def main():
        async with (
            forward_proxy(asked=asked) as way,
            service(closes(1000), ssl=server_tls(*map(str, certificate))) as secure,
            service(closes(1000)) as plain,
        ):
            found = []
            for url in (f"wss://localhost:{secure}", f"ws://service.invalid:{plain}"):
                there = replace(Upstream.parse(url), proxy=HttpProxy("127.0.0.1", way, "Basic dTpw"))
                async with proxy(there, tmp_path) as running:
                    found.append(await seen(running.port))
            return found, await seen(plain), secure

    found, direct, secure = asyncio.run(main())
    assert found == [direct, direct]
    assert (
        asked[0].startswith(f"CONNECT localhost:{secure} HTTP/1.1\r\n")
        and "Proxy-Authorization: Basic dTpw" in asked[0]
    )


@pytest.mark.parametrize("answer", ["407 Proxy Authentication Required", "403 Forbidden"])
def test_a_proxy_that_refuses_is_told_to_the_client(answer, tmp_path):
    async def main():
        async with forward_proxy(answer) as way:
            there = replace(Upstream.parse("ws://service.invalid"), proxy=HttpProxy("127.0.0.1", way))
            async with proxy(there, tmp_path) as running:
                return await seen(running.port), running.told

    found, (told,) = asyncio.run(main())
    assert found["status"] == 502 and f"the proxy on the way answers {answer[:3]}" in told


def test_a_name_that_leads_here_is_reached_at_its_address(tmp_path):
    """As with the name of the service in the hosts file of a client whose address cannot be changed."""

    async def main():
        async with service(closes(1000)) as port:
            there = replace(Upstream.parse(f"ws://service.invalid:{port}"), address="127.0.0.1")
            door = Door.of("127.0.0.1", (), ["service.invalid"])
            async with proxy(there, tmp_path, door) as running:
                return await seen(running.port, additional_headers={"X-Own": "1"}), await seen(port)

    through, direct = asyncio.run(main())
    assert through == direct


def test_a_refusal_passes_through_all_of_it(tmp_path, certificate):
    trusting, tls = ssl.create_default_context(cafile=certificate[0]), server_tls(*map(str, certificate))

    async def main():
        answers = {"process_request": refuses(401, b"no", [])}
        async with forward_proxy() as way, service(closes(1000), **answers) as port:
            there = replace(Upstream.parse(f"ws://127.0.0.1:{port}"), proxy=HttpProxy("127.0.0.1", way))
            async with proxy(there, tmp_path, tls=tls) as running:
                return await seen(running.port, ssl=trusting)

    assert asyncio.run(main())["status"] == 401


@pytest.mark.parametrize("url", ["socks5://h:1", "https://h", "http://", "http://h/path", "http://h:x", "http://[::1"])
def test_what_is_no_proxy_is_refused(url):
    with pytest.raises(UsageError):
        HttpProxy.parse(url)


def test_the_login_of_a_proxy_is_not_shown():
    found = HttpProxy.parse("user:p%40ss@proxy:3128")
    assert (found.host, found.port, found.login) == ("proxy", 3128, "Basic dXNlcjpwQHNz")
    with pytest.raises(UsageError) as refused:
        HttpProxy.parse("ftp://user:hunter22secret@proxy")
    assert "hunter22secret" not in str(refused.value)


def test_a_certificate_that_is_none_is_one_sentence(tmp_path, certificate):
    (tmp_path / "none.pem").write_text("nothing")
    for path, key in (("none.pem", None), ("missing.pem", None)):
        with pytest.raises(UsageError, match="cannot be used"):
            server_tls(str(tmp_path / path), key)
    with pytest.raises(UsageError, match="cannot be used"):
        server_tls(str(certificate[0]), str(tmp_path / "none.pem"))


def test_a_proxy_that_cannot_be_reached_is_named(tmp_path):
    async def main():
        there = replace(Upstream.parse("ws://127.0.0.1:1"), proxy=HttpProxy("nowhere.invalid", 3128))
        async with proxy(there, tmp_path) as running:
            return await seen(running.port), running.told

    found, (told,) = asyncio.run(main())
    assert found["status"] == 502 and "the proxy on the way, nowhere.invalid:3128, cannot be reached" in told


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.mark.parametrize(("listens", "host"), [("127.0.0.1", "localhost"), ("0.0.0.0", "127.0.0.1")])
def test_a_recorder_that_is_led_to_itself_does_not_begin(tmp_path, listens, host):
    async def main():
        port = free_port()
        there = Upstream.parse(f"ws://{host}:{port}")
        with pytest.raises(UsageError, match="leads back to this recorder"):
            async with listen(listens, port, there, Keeping(str(tmp_path)), Proxy()):
                pass

    asyncio.run(main())
    assert not list(tmp_path.iterdir())


def test_a_connection_that_comes_back_is_refused_with_one_sentence(tmp_path, monkeypatch):
    """The name of the service leads here only after the recorder has begun."""

    async def look_up(_host, _port):
        return ["127.0.0.1" if begun else "192.0.2.1"]

    begun = []
    monkeypatch.setattr(upstream, "_addresses", look_up)

    async def main():
        port = free_port()
        running = Proxy()
        there = Upstream.parse(f"ws://service.invalid:{port}")
        door = Door.of("127.0.0.1", (), ["service.invalid"])
        async with listen("127.0.0.1", port, there, Keeping(str(tmp_path)), running, door):
            begun.append(True)
            found = await seen(port)
            await running.finished()
            return found, running

    found, running = asyncio.run(main())
    assert found["status"] == 508 and b"leads back to this recorder" in found["body"]
    assert len(running.told) == len(running.done) == 1

import asyncio
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxying import TARGET, closes, echo, proxy, seen, service
from stand_in import recorded
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from sttdoctor.errors import UsageError
from sttdoctor.net import Door, stop_signals

ALONE, OPEN = Door.of("127.0.0.1"), Door.of("0.0.0.0")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8765", "localhost:1", "LOCALHOST", "a.localhost", "[::1]:8765", "127.9.9.9", "192.168.1.7:80"]
)
def test_whoever_names_this_machine_or_an_address_comes_in(host):
    assert ALONE.refusal(host, "", "") is OPEN.refusal(host, "", "") is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8765",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8765",
        "evil.com.",
    ],
)
def test_a_name_that_a_stranger_can_own_stays_out(host):
    for door in (ALONE, OPEN):
        assert "--allow-host" in door.refusal(host, "", "")
    assert Door.of("127.0.0.1", hosts=[host.partition(":")[0].rstrip(".")]).refusal(host, "", "") is None


@pytest.mark.parametrize("host", ["recorder:8765", "mac.local:8765", "host.docker.internal"])
def test_names_of_a_home_or_a_cluster_reach_a_server_that_is_open_to_others(host):
    assert OPEN.refusal(host, "", "") is None
    assert "--allow-host" in ALONE.refusal(host, "", "")


@pytest.mark.parametrize("host", ["", "a b", "user@localhost", "localhost:port", "localhost/x", "localhost?x", "[::1"])
def test_what_is_no_host_stays_out(host):
    assert "no name" in ALONE.refusal(host, "", "")


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173", "http://a.localhost"]
)
def test_pages_of_this_machine_come_in(origin):
    assert ALONE.refusal("127.0.0.1:8765", origin, "same-site") is None


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "file://",
        "http://localhost.evil.example",
        "http://localhost@evil.example",
        "http://evil.example#localhost",
        "https://evil.example, http://localhost",
        "chrome-extension://abc",
        "http://[::1",
    ],
)
def test_pages_of_others_stay_out_unless_they_are_allowed(origin):
    assert f"--allow-origin {origin}" in ALONE.refusal("127.0.0.1:8765", origin, "cross-site")
    assert Door.of("127.0.0.1", ["*"]).refusal("127.0.0.1", origin, "") is None


def test_an_allowed_page_comes_in_and_no_other():
    door = Door.of("127.0.0.1", ["https://App.example:8443", "null"])
    assert door.refusal("localhost", "https://app.example:8443", "") is door.refusal("localhost", "null", "") is None
    assert door.refusal("localhost", "https://app.example", "") is not None


def test_a_page_that_the_server_itself_shows_comes_in():
    assert OPEN.refusal("192.168.1.7:8765", "http://192.168.1.7:8765", "same-origin") is None
    assert OPEN.refusal("192.168.1.7:8765", "http://192.168.1.8:8765", "cross-site") is not None


def test_a_page_that_asks_without_an_origin_is_told_by_the_browser():
    assert ALONE.refusal("localhost", "", "cross-site") is not None
    assert ALONE.refusal("localhost", "", "none") is None


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/", "https://", "https://a@b", "http://x:port"])
def test_what_is_no_origin_is_refused_as_an_option(origin):
    with pytest.raises(UsageError, match="no origin"):
        Door.of("127.0.0.1", [origin])


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20))
def test_any_request_is_taken_or_refused(host, origin, site):
    assert ALONE.refusal(host, origin, site) is None or ALONE.refusal(host, origin, site)


async def answer_to(port, host, origin=None):
    """The status and the body with which a handshake is refused, None where it is not."""
    headers = {"Host": host} if host else {}
    try:
        async with connect(
            f"ws://127.0.0.1:{port}{TARGET}&access_token=any", origin=origin, additional_headers=headers
        ):
            return None
    except InvalidStatus as error:
        return error.response.status_code, error.response.body.decode()


def test_the_recorder_lets_no_page_of_others_in_and_makes_no_file_of_it(tmp_path):
    async def main():
        async with service(echo) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path) as running:
            refused = await answer_to(running.port, None, "https://evil.example")
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: evil.example:8765\r\n\r\n")
            rebound = await reader.read()
            writer.close()
            return refused, rebound, running.told

    (status, body), rebound, told = asyncio.run(main())
    assert status == 403 and "--allow-origin https://evil.example" in body
    assert rebound.startswith(b"HTTP/1.1 403 ") and b"--allow-host evil.example" in rebound
    assert len(told) == 2 and not list(tmp_path.iterdir())


def test_an_allowed_page_is_recorded(tmp_path):
    async def main():
        door = Door.of("127.0.0.1", ["https://app.example"])
        async with service(closes(1000)) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path, door) as running:
            found = await seen(running.port, origin="https://app.example")
            await running.finished()
            return found, running.sessions()[0]

    found, session = asyncio.run(main())
    assert found["close"] == (1000, "") and session.headers["origin"] == "https://app.example"


def test_the_stand_in_lets_no_page_of_others_in():
    async def main():
        async with recorded() as server:
            return await answer_to(server.port, None, "https://evil.example"), await answer_to(server.port, None)

    refused, taken = asyncio.run(main())
    assert refused[0] == 403 and "--allow-origin" in refused[1] and taken is None


@pytest.mark.parametrize("name", ["http://app.example", "app.example:8080", "", "a b", "a/b", "[::1]"])
def test_what_is_no_host_name_is_refused_as_an_option(name):
    with pytest.raises(UsageError, match="no host name"):
        Door.of("127.0.0.1", hosts=[name])


def test_a_second_signal_is_told_apart_from_the_first():
    async def main():
        first, again = stop_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await first == 128 + signal.SIGTERM
        assert not again.done()
        os.kill(os.getpid(), signal.SIGINT)
        return await again, await first

    assert asyncio.run(main()) == (128 + signal.SIGINT, 128 + signal.SIGTERM)

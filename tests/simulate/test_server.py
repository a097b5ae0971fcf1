"""The stand-in: what it accepts, sends, refuses and survives."""

import asyncio
import contextlib
import json
import time

import pytest
from stand_in import CLOSE, KEY, MANUAL, QUERY, SCRIPT, TEXT, TURNS, recorded, sdk_for, speech, talk
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sttdoctor.readers.capture import read_capture
from sttdoctor.simulate.faults import Behaviour
from sttdoctor.simulate.words import ScriptedWords


def socket(port, path=TURNS, query=QUERY):
    return connect(f"ws://127.0.0.1:{port}{path}?{query}")


async def read_all(connection):
    events = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            events.append(json.loads(await connection.recv()))
    return events, connection.close_code


def test_no_key_is_recorded():
    async def run():
        async with recorded() as server:
            async with socket(server.port) as connection:
                await connection.send(json.dumps(CLOSE))
                await read_all(connection)
            sdk = sdk_for(server.port)
            await talk(server.port, b"\xff" * 800, sdk=sdk)
        return [file.getvalue() for file in server.files]

    recordings = asyncio.run(run())
    assert len(recordings) == 2
    assert not [data for data in recordings if b"canary" in data or KEY.encode() in data]


def test_the_close_handshake_is_recorded_as_it_was():
    async def run():
        async with recorded() as server, socket(server.port) as connection:
            await connection.send(speech("mary"))
            await connection.send(json.dumps(CLOSE))
            events, code = await read_all(connection)
        return events, code, read_capture(server.files[0].getvalue())

    events, code, session = asyncio.run(run())
    assert [event["type"] for event in events][:: len(events) - 1] == ["connected", "turn.end"]
    assert code == 1000
    assert (session.events[-1].by, session.events[-1].code) == ("server", 1000)
    assert session.clock == "server"


def test_an_unknown_model_is_an_error_event_after_the_upgrade():
    async def run():
        async with recorded() as server, socket(server.port, query=QUERY.replace("ink-2", "nova-3")) as connection:
            return await read_all(connection)

    events, code = asyncio.run(run())
    assert [event["type"] for event in events] == ["connected", "error"]
    assert (events[1]["status_code"], events[1]["error_code"], code) == (400, "model_not_found", 1008)


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        (("encoding=pcm_mulaw", "encoding=linear16"), 400, "application/json"),
        (("access_token=canary", ""), 401, "application/json"),
    ],
)
def test_a_refusal_is_an_http_answer(change, status, kind):
    async def run():
        async with recorded() as server:
            with pytest.raises(InvalidStatus) as refused:
                async with socket(server.port, query=QUERY.replace(*change)):
                    pass
        return refused.value.response, server

    response, server = asyncio.run(run())
    assert (response.status_code, response.headers["Content-Type"]) == (status, kind)
    (report,) = server.reports()
    assert (report.status, report.diagnoses[0].cause.partition(".")[0]) == ("fail", "connection")


def test_an_old_version_gets_plain_text():
    async def run():
        async with recorded() as server:
            with pytest.raises(InvalidStatus) as refused:
                async with socket(server.port, query=QUERY.replace("2026-03-01", "2025-04-16").replace("ink-2", "")):
                    pass
            return refused.value.response

    response = asyncio.run(run())
    assert response.status_code == 400
    assert response.body == b"Missing parameter: model is missing"


def test_audio_keeps_a_connection_alive_and_silence_ends_it():
    async def run():
        async with recorded(Behaviour(idle_timeout_s=0.6)) as server, socket(server.port) as connection:
            began = time.monotonic()
            for _ in range(4):
                await asyncio.sleep(0.25)
                await connection.send(b"\xff" * 80)
            await connection.send('{"type":"KeepAlive"}')
            _, code = await read_all(connection)
            return code, connection.close_reason, time.monotonic() - began

    code, reason, seconds = asyncio.run(run())
    assert (code, reason) == (1001, "idle timeout")
    assert seconds > 1.5


def test_a_flood_is_an_internal_error():
    async def run():
        async with recorded(Behaviour(buffer_s=2.0)) as server:
            async with socket(server.port) as connection:
                await connection.send(speech("mary", "mary"))
                events, code = await read_all(connection)
            return events, code, server

    events, code, server = asyncio.run(run())
    assert (events[-1]["type"], events[-1]["status_code"], code) == ("error", 500, 1011)
    (report,) = server.reports()
    assert "server.error-event" in {report.diagnoses[0].cause, *report.diagnoses[0].explains}


def test_a_huge_frame_is_a_flood_and_not_the_end_of_the_server():
    async def run():
        async with recorded() as server:
            async with connect(f"ws://127.0.0.1:{server.port}{TURNS}?{QUERY}") as connection:
                await connection.send(bytes(2**24))
                flooded = await read_all(connection)
            async with socket(server.port) as connection:
                await connection.send(json.dumps(CLOSE))
                return flooded[1], (await read_all(connection))[1]

    assert asyncio.run(run()) == (1011, 1000)


@pytest.mark.realtime
def test_a_burst_waits_for_the_service():
    async def run():
        async with recorded(Behaviour(latency_s=0.0, flush_s=0.0)) as server, socket(server.port) as connection:
            began = time.monotonic()
            await connection.send(speech("mary", 0.9))
            await connection.send(json.dumps(CLOSE))
            await read_all(connection)
            return time.monotonic() - began

    assert asyncio.run(run()) > 1.2  # 2.8 s of audio at twice realtime


def test_concurrency_counts_open_connections():
    async def run():
        async with recorded(Behaviour(faults={"concurrency": 1.0})) as server:
            async with socket(server.port) as first:
                with pytest.raises(InvalidStatus) as refused:
                    async with socket(server.port):
                        pass
                await first.send(json.dumps(CLOSE))
                await read_all(first)
            async with socket(server.port):
                return refused.value.response

    response = asyncio.run(run())
    assert response.status_code == 429
    assert json.loads(response.body)["error_code"] == "concurrency_limited"


@pytest.mark.realtime
def test_the_manual_endpoint():
    async def run():
        async with recorded() as server, socket(server.port, MANUAL) as connection:
            await connection.send(speech("mary"))
            await connection.send("finalize")
            await connection.send(speech("bobby"))
            await connection.send("done")
            return (*await read_all(connection), server)

    events, code, server = asyncio.run(run())
    text = "".join(event["text"] for event in events if event.get("is_final"))
    assert (text, code) == (TEXT, 1000)
    kinds = [event["type"] for event in events]
    assert kinds.count("flush_done") == kinds.count("done") == 1 and kinds[-1] == "done"
    (report,) = server.reports(text)
    assert report.subject["transcript"]["expected"] == TEXT


def test_a_client_that_vanishes_leaves_a_readable_recording():
    async def run():
        async with recorded() as server, socket(server.port) as connection:
            await connection.send(speech("mary"))
            await connection.recv()
            connection.transport.abort()
        return read_capture(server.files[0].getvalue())

    assert asyncio.run(run()).events[-1].code == 1006


class SlowWords(ScriptedWords):
    """A recogniser that takes long for the end of an utterance."""

    blocking = True

    def end(self):
        time.sleep(1.5)
        return super().end()


class BrokenWords(ScriptedWords):
    """A defect."""

    def begin(self):
        raise ZeroDivisionError


def test_a_defect_ends_the_connection_and_not_the_server(caplog):
    async def run():
        async with recorded(words=lambda _rate: BrokenWords(SCRIPT)) as server, socket(server.port) as connection:
            await connection.send(speech("mary"))
            return (await read_all(connection))[1]

    assert asyncio.run(run()) == 1011
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.realtime
def test_other_connections_do_not_wait_for_a_slow_recogniser():
    async def run():
        async with recorded(words=lambda _rate: SlowWords(SCRIPT)) as server, socket(server.port) as connection:
            await connection.send(speech("mary"))
            await connection.send(json.dumps(CLOSE))
            reading = asyncio.create_task(read_all(connection))
            longest, last = 0.0, time.monotonic()
            while not reading.done():
                await asyncio.sleep(0.005)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
            return longest, (await reading)[0]

    longest, events = asyncio.run(run())
    assert events[-1]["transcript"] == SCRIPT.turns[0]
    assert longest < 1.0


def test_leaving_ends_open_connections_within_a_second():
    async def run():
        async with recorded() as server:
            connection = await socket(server.port)
            deaf = await connect(f"ws://127.0.0.1:{server.port}{TURNS}?{QUERY}")
            deaf.transport.pause_reading()
            await connection.recv()
            reader = asyncio.create_task(read_all(connection))
            began = time.monotonic()
        seconds = time.monotonic() - began
        deaf.transport.abort()
        return seconds, (await reader)[1]

    seconds, code = asyncio.run(run())
    assert seconds < 1.0 and code == 1001


def test_the_answer_names_the_request_as_its_events_do():
    async def run():
        async with recorded() as server, socket(server.port) as connection:
            named = connection.response.headers["cartesia-request-id"]
            return named, json.loads(await connection.recv())["request_id"]

    named, told = asyncio.run(run())
    assert named == told


def test_a_close_without_audio_is_answered_with_an_error():
    async def run():
        async with recorded() as server, socket(server.port) as connection:
            await connection.send(json.dumps(CLOSE))
            return await read_all(connection)

    (_, error), code = asyncio.run(run())
    assert (error["type"], error["status_code"], code) == ("error", 400, 1000)


async def ask(port, head, body=b"", pieces=1):
    """The status and the body of the answer to a plain request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    length = "" if head.startswith("GET") else f"Content-Length: {len(body)}\r\n"
    request = f"{head} HTTP/1.1\r\nHost: 127.0.0.1\r\n{length}X-API-Key: any\r\n\r\n".encode() + body
    step = -(-len(request) // pieces)
    for start in range(0, len(request), step):
        writer.write(request[start : start + step])
        await writer.drain()
        await asyncio.sleep(0)
    answer = await reader.read()
    writer.close()
    top, _, content = answer.partition(b"\r\n\r\n")
    return int(top.split(b" ")[1]), content


@pytest.mark.parametrize("pieces", [1, 7, 200])
def test_a_token_is_minted_and_taken(pieces):
    async def run():
        async with recorded() as server:
            status, body = await ask(server.port, "POST /access-token", b'{"grants":{"stt":true}}', pieces)
            token = json.loads(body)["token"]
            async with socket(server.port, query=QUERY.replace("access_token=canary", f"access_token={token}")) as one:
                await one.recv()
            status_of_another, body = await ask(server.port, "POST /access-token", b'{"grants":{"tts":true}}')
            wrong = json.loads(body)["token"]
            with pytest.raises(InvalidStatus) as refused:
                async with socket(server.port, query=QUERY.replace("access_token=canary", f"access_token={wrong}")):
                    pass
            return status, status_of_another, refused.value.response.status_code, server

    status, status_of_another, refused, server = asyncio.run(run())
    assert (status, status_of_another, refused) == (200, 200, 403)
    assert len(server.files) == 2  # sessions; minting is none
    assert not [file for file in server.files if b"simulated_token" in file.getvalue()]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /", 404),
        ("GET /favicon.ico", 404),
        ("POST /stt/turns/websocket", 405),
        ("PUT /access-token", 405),
        ("POST /access-token?x=1", 405),
        ("HEAD /", 405),
        (f"GET {TURNS}?{QUERY}", 426),
    ],
)
def test_every_plain_request_gets_an_answer(head, status):
    async def run():
        async with recorded() as server:
            return await ask(server.port, head)

    assert asyncio.run(run())[0] == status


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00", b"nonsense", b"POST /" + b"x" * 70_000, b"1 2 3\r\n\r\n"])
def test_what_is_no_request_leaves_the_server_as_it_was(sent):
    async def run():
        async with recorded() as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(sent)
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            async with socket(server.port) as connection:
                return json.loads(await connection.recv())["type"]

    assert asyncio.run(run()) == "connected"

"""`sttdoctor resend SESSION --to URL`, really sent to the stand-in of `fixtures/server.py`."""

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

import pytest
from common import FIXTURES, HEADER, OPEN, Outcome, jsonl, one_sentence
from proxying import QUERY, closes, hears, proxy, refuses, service

sys.path.append(str(FIXTURES))


from sttdoctor.readers.capture import read_capture
from sttdoctor.record.upstream import Destination
from sttdoctor.resend.send import PLACEHOLDER, _key

TOO_HIGH = FIXTURES / "sessions" / "format-24k-declared-16k.jsonl.gz"
KEY = "sk_car_canary1234"


async def tool(*args, key=KEY):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sttdoctor", "resend", *map(str, args)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "CARTESIA_API_KEY": key},
    )
    out, err = await process.communicate()
    return Outcome(process.returncode, out.decode(), err.decode())


def short(tmp_path, *rows, query="model=ink-2&encoding=pcm_s16le&sample_rate=16000"):
    path = tmp_path / "short.jsonl"
    url = f"wss://api.cartesia.ai/stt/turns/websocket?{query}&access_token=REDACTED"
    path.write_bytes(jsonl({**HEADER, "url": url}, OPEN, *rows))
    return path


def chunk(t, seconds=0.1):
    return {"type": "send", "t": t, "audio": "AAAA" * round(16000 * 2 * seconds / 3)}


@pytest.mark.realtime
def test_before_and_after(tmp_path):
    """The wrong rate through the recorder; its session sent again repaired is healthy, as it was it is not."""

    async def main():
        async with hears("Good morning.", "How are you?") as server:
            to = f"ws://127.0.0.1:{server.port}"
            async with proxy(to, tmp_path / "recorded.jsonl") as running:
                again = await tool(TOO_HIGH, "--to", f"ws://127.0.0.1:{running.port}", "--record", tmp_path / "a.jsonl")
                await running.finished()
            recorded = tmp_path / "recorded.jsonl"
            repaired = await asyncio.gather(
                tool(recorded, "--to", to, "--repair", "--format", "json"),
                tool(recorded, "--to", to, "--repair", "--record", tmp_path / "text.jsonl", "--ignore", "language"),
            )
            return again, *repaired, server.sessions

    again, by_json, by_text, rows = asyncio.run(main())
    assert again.code == 1 and "1. sample-rate.mismatch (fail" in again.out
    assert (by_text.code, by_json.code) == (0, 0), by_text.out
    shown = {line[:13].strip(): line[13:].split() for line in by_text.out.splitlines()[1:]}
    assert shown["status"] == ["FAIL", "*", "PASS"] and shown["causes"] == ["sample-rate.mismatch", "*", "none"]
    assert shown["format"] == ["pcm_s16le", "at", "16000", "Hz,", "sounds", "*", "pcm_s16le", "at", "24000", "Hz"]
    assert "'Good morning. How are you?'" in by_text.out
    assert "instead of pcm_s16le at 16000 Hz" in by_text.err
    report = json.loads(by_json.out)
    before = report["against"]
    assert (report["status"], before["status"], before["causes"][0]) == ("pass", "fail", "sample-rate.mismatch")
    assert before["transcript"]["got"] is None and isinstance(before["transcript"]["expected"], str)
    assert report["subject"]["declared"]["sample_rate"] == 24000
    assert report["subject"]["transcript"]["got"] == "Good morning. How are you?"
    assert (tmp_path / "recorded-repaired.jsonl").exists()
    authorized = [row[0]["headers"].get("authorization") for row in rows]
    assert authorized == ["Bearer REDACTED"] * 3
    everything = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "canary" not in everything + by_json.out + by_json.err


def test_a_session_is_sent_as_it_was(tmp_path):
    rows = [
        chunk(0.2),
        {"type": "send", "t": 0.3, "json": {"type": "KeepAlive"}},
        {"type": "send", "t": 0.35, "text": "junk\ud800"},
        chunk(0.6),
        {"type": "close", "t": 0.7, "by": "client", "code": 4001, "reason": "enough"},
    ]
    source = short(tmp_path, *rows)

    async def main():
        async with hears() as server:
            done = await tool(source, "--to", f"ws://127.0.0.1:{server.port}")
        return done, server.sessions

    done, (served,) = asyncio.run(main())
    new = read_capture(str(tmp_path / "short-again.jsonl"))
    for session in (read_capture(jsonl(*served)), new):
        sent = [frame for frame in session.events if getattr(frame, "sent", False)]
        assert [(frame.binary, frame.type or frame.text) for frame in sent] == [
            (True, None),
            (False, "KeepAlive"),
            (False, "junk?"),
            (True, None),
        ]
        assert sent[3].t - sent[0].t == pytest.approx(0.4, abs=0.2)
        close = session.events[-1]
        assert (close.by, close.code, close.reason) == ("client", 4001, "enough")
    assert new.clock == "client" and new.transcript is None and "access_token" not in new.url
    assert done.code == 1


def test_a_killed_client_is_played_as_one(tmp_path):
    source = short(tmp_path, chunk(0.2), {"type": "close", "t": 0.3, "by": "client", "code": 1006})

    async def main():
        async with hears() as server:
            await tool(source, "--to", f"ws://127.0.0.1:{server.port}")
        return server.sessions[0][-1]

    assert asyncio.run(main())["code"] == 1006


def test_a_refusal_is_recorded_and_judged(tmp_path):
    source = short(tmp_path, chunk(0.2), {"type": "close", "t": 0.3, "by": "client", "code": 1000})

    async def main():
        answer = refuses(401, b'{"title":"no key"}', [])
        async with service(closes(1000), process_request=answer) as port:
            return await tool(source, "--to", f"ws://127.0.0.1:{port}", "--repair")

    done = asyncio.run(main())
    (opened,) = read_capture(str(tmp_path / "short-repaired.jsonl")).events
    assert (opened.status, opened.body) == (401, '{"title":"no key"}')
    assert done.code == 1 and "connection.bad-auth" in done.out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--repair",), "Missing option '--to'"),
        (("--to", "ftp://x"), "no address of a service"),
        (("--to", "ws://127.0.0.1:1"), "cannot reach ws://127.0.0.1:1/stt/turns/websocket: Connection refused"),
        (("--to", "ws://api.example"), "without encryption"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence(options, sentence, tmp_path, run, monkeypatch):
    monkeypatch.setenv("CARTESIA_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    done = run("resend", short(tmp_path, chunk(0.2)), *options)
    last = done.err.splitlines()[-1]
    assert (done.code, done.out) == (2, "") and sentence in last and KEY not in done.err
    with contextlib.suppress(FileNotFoundError):
        assert KEY not in Path("short-again.jsonl").read_text()


def test_a_service_that_is_not_there_leaves_no_recording(tmp_path, run):
    source = short(tmp_path, chunk(0.2))
    for _ in range(2):
        done = run("resend", source, "--to", "ws://127.0.0.1:1", "--record", tmp_path / "new.jsonl")
        assert done.code == 2 and "Connection refused" in done.err
    assert not (tmp_path / "new.jsonl").exists()


def test_without_audio_there_is_one_sentence(tmp_path, run):
    source = short(tmp_path, {"type": "send", "t": 0.2, "bytes": 3200})
    assert "no audio content" in one_sentence(run("resend", source, "--to", "ws://127.0.0.1:1", "--repair"))


def test_a_file_that_is_there_is_not_written_over(tmp_path, run):
    source = short(tmp_path, chunk(0.2))
    before = source.read_bytes()
    assert "is there already" in one_sentence(run("resend", source, "--to", "ws://127.0.0.1:1", "--record", source))
    assert source.read_bytes() == before


def test_without_a_key_this_machine_gets_a_placeholder(tmp_path):
    source = short(tmp_path, chunk(0.2), {"type": "close", "t": 0.3, "by": "client", "code": 1000})

    async def main():
        async with hears() as server:
            to = f"ws://127.0.0.1:{server.port}"
            await tool(source, "--to", to, key="")
            await tool(source, "--to", f"{to}/stt/turns/websocket?{QUERY}&access_token=own", key="")
        return server.sessions

    bare, own = asyncio.run(main())
    assert [rows[1]["status"] for rows in (bare, own)] == [101, 101]
    assert bare[0]["headers"]["authorization"] == "Bearer REDACTED"
    assert "authorization" not in own[0]["headers"]


@pytest.mark.parametrize(
    ("to", "key"),
    [
        ("ws://127.0.0.1:8766", PLACEHOLDER),
        ("ws://localhost:8766", PLACEHOLDER),
        ("ws://[::1]:8766", PLACEHOLDER),
        ("ws://127.0.0.1:8766?access_token=own", ""),
        ("wss://api.cartesia.ai", ""),
        ("ws://192.168.1.2:8766", ""),
    ],
)
def test_the_placeholder_goes_to_this_machine_alone(to, key, monkeypatch):
    monkeypatch.delenv("CARTESIA_API_KEY", raising=False)
    assert _key(Destination.parse(to)) == key
    monkeypatch.setenv("CARTESIA_API_KEY", KEY)
    assert _key(Destination.parse(to)) == KEY


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/stt/turns/websocket/", (), "/stt/turns/websocket"),
        ("/../..//evil.example/x@y:z/stt/websocket", (), "/stt/websocket"),
        ("/stt/turns HTTP/1.1/x", ("--repair",), "/stt/turns/websocket"),
    ],
)
def test_the_key_goes_to_an_endpoint_of_the_service_alone(path, options, expected, tmp_path):
    source = tmp_path / "s.jsonl"
    url = f"wss://api.cartesia.ai{path}?model=ink-2&encoding=pcm_s16le&sample_rate=16000&x=a%0d%0ab%20c"
    rows = [chunk(0.2), {"type": "close", "t": 0.3, "by": "client", "code": 1000}]
    source.write_bytes(jsonl({**HEADER, "url": url}, OPEN, *rows))
    lines = []

    async def note(reader, writer):
        lines.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n"))
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def main():
        server = await asyncio.start_server(note, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await tool(source, "--to", f"ws://127.0.0.1:{port}", "--sample-rate", "16000", *options), port

    _, port = asyncio.run(main())
    ((request, *headers),) = lines
    method, target, version = request.split(" ")
    assert (method, target.partition("?")[0], version) == ("GET", expected, "HTTP/1.1")
    assert f"Host: 127.0.0.1:{port}" in headers and f"Authorization: Bearer {KEY}" in headers


@pytest.mark.parametrize("path", ["/v1/listen", "/stt/turns", "//evil.example/", "/stt/websocket/x"])
def test_a_session_of_another_path_is_not_sent_unless_the_url_names_one(path, tmp_path, run, monkeypatch):
    monkeypatch.setenv("CARTESIA_API_KEY", KEY)
    source = tmp_path / "s.jsonl"
    url = f"wss://api.cartesia.ai{path}?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
    source.write_bytes(jsonl({**HEADER, "url": url}, OPEN, chunk(0.2)))
    assert "no endpoint of the service" in one_sentence(run("resend", source, "--to", "ws://127.0.0.1:1"))
    assert not (tmp_path / "s-again.jsonl").exists()
    done = run("resend", source, "--to", "ws://127.0.0.1:1/own")
    assert "cannot reach ws://127.0.0.1:1/own" in done.err


def test_a_version_that_no_header_can_hold_is_said_for_what_it_is(tmp_path, run):
    source = tmp_path / "s.jsonl"
    headers = {"cartesia-version": "2026-03-01\r\nX-Injected: 1"}
    url = "wss://x/stt/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
    source.write_bytes(jsonl({**HEADER, "url": url, "headers": headers}, OPEN, chunk(0.2)))
    assert "the cartesia-version of the capture" in one_sentence(run("resend", source, "--to", "ws://127.0.0.1:1"))


def test_where_a_service_sends_on_to_the_key_does_not_go(tmp_path):
    source = short(tmp_path, chunk(0.2), {"type": "close", "t": 0.3, "by": "client", "code": 1000})
    visits = []

    async def main():
        async with service(closes(1000), process_request=lambda _c, request: visits.append(request)) as elsewhere:
            answer = refuses(302, b"", [("Location", f"ws://localhost:{elsewhere}/stt/websocket")])
            async with service(closes(1000), process_request=answer) as port:
                return await tool(source, "--to", f"ws://127.0.0.1:{port}")

    done = asyncio.run(main())
    (opened,) = read_capture(str(tmp_path / "short-again.jsonl")).events
    assert opened.status == 302 and visits == [] and done.code == 1


@pytest.mark.parametrize("refused", [False, True])
def test_no_key_is_in_what_is_recorded_although_the_service_quotes_it(tmp_path, refused):
    key = "Zephyr-Quartz-Violin"  # like no key that anybody issues
    source = short(tmp_path, chunk(0.2), {"type": "send", "t": 0.3, "json": {"type": "close"}})

    async def quote(connection):
        told = connection.request.headers["Authorization"]
        await connection.recv()
        await connection.send(json.dumps({"type": "error", "message": f"what is <{told}> for?", key: 1}))
        await connection.send(json.dumps({"type": "turn.end", "transcript": f"So {told}."}))
        await connection.send(f"no {key}no")
        await connection.close(1008, f"not {key}")

    async def main():
        answer = refuses(401, f'{{"title": "never {key}"}}'.encode(), [("X-Why", f"<{key}>")]) if refused else None
        async with service(quote, process_request=answer) as port:
            to = f"ws://127.0.0.1:{port}"
            return await tool(source, "--to", to, "-o", tmp_path / "page.html", key=key)

    done = asyncio.run(main())
    written = (tmp_path / "short-again.jsonl").read_text()
    assert written.count("REDACTED") >= (3 if refused else 5) and (tmp_path / "page.html").exists()
    everything = [path.read_text() for path in tmp_path.glob("*") if path != source]
    assert "Quartz" not in "".join([*everything, done.out, done.err])


@pytest.mark.parametrize(("code", "reason"), [(5, ""), (1006, "x"), (1005, "x"), (1000, "ü" * 200), (70_000, "")])
def test_a_close_that_no_client_can_send_is_sent_as_near_as_can_be(code, reason, tmp_path):
    source = short(tmp_path, chunk(0.2), {"type": "close", "t": 0.3, "by": "client", "code": code, "reason": reason})

    async def main():
        async with hears() as server:
            return await tool(source, "--to", f"ws://127.0.0.1:{server.port}")

    assert "Traceback" not in asyncio.run(main()).err


def test_a_whole_address_is_taken_as_it_is(tmp_path):
    source = short(tmp_path, chunk(0.2), {"type": "close", "t": 0.3, "by": "client", "code": 1000})

    async def main():
        async with hears() as server:
            own = f"ws://127.0.0.1:{server.port}/eu/stt/turns/websocket?encoding=pcm_mulaw&sample_rate=8000&access_token={KEY}"
            done = await tool(source, "--to", own)
        return done, server.sessions[0][0]["url"]

    done, url = asyncio.run(main())
    assert url.partition("/eu")[2] == "/stt/turns/websocket?encoding=pcm_mulaw&sample_rate=8000&access_token=REDACTED"
    assert KEY not in done.out + done.err + (tmp_path / "short-again.jsonl").read_text()

"""`sttdoctor record` as a process: how it starts, what it prints, how it ends."""

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import socket
import sys
import time

import pytest
from common import one_sentence
from proxying import TARGET, closes, echo, seen, service
from websockets.asyncio.client import connect

from sttdoctor.readers.capture import read_capture
from sttdoctor.record.desk import REST_S

TOOL = (sys.executable, "-m", "sttdoctor", "record", "--listen", "127.0.0.1:0")


@contextlib.asynccontextmanager
async def recorder(upstream, *options):
    """Start it; yields the process and its port."""
    process = await asyncio.create_subprocess_exec(
        *TOOL,
        "--upstream",
        upstream,
        *map(str, options),
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        first = (await asyncio.wait_for(process.stderr.readline(), 30)).decode()
        yield process, int(re.search(r"http://127\.0\.0\.1:(\d+)", first)[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process, pattern):
    """Wait for a line on standard error."""
    async with asyncio.timeout(30):
        while text := (await process.stderr.readline()).decode():
            if re.search(pattern, text):
                return text
    raise AssertionError(f"no line {pattern}")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_though_a_connection_is_open(number, code, tmp_path):
    path = tmp_path / "s.jsonl"

    async def main():
        async with service(echo) as port, recorder(f"ws://127.0.0.1:{port}", "-o", path) as (process, own):
            connection = await connect(f"ws://127.0.0.1:{own}{TARGET}")
            await connection.send("one")
            await connection.recv()
            process.send_signal(number)
            async with asyncio.timeout(REST_S / 2):  # nothing waits for what still lies there
                _, told = await process.communicate()
            with socket.create_server(("127.0.0.1", own)):
                pass
            return process.returncode, told.decode()

    returned, told = asyncio.run(main())
    assert returned == code
    assert "stopped while the connection was open" in told and "Traceback" not in told
    assert f"next: sttdoctor replay {path}" in told
    assert len(read_capture(str(path)).events) == 3


def test_a_killed_recorder_leaves_a_file_that_can_be_read(tmp_path):
    path = tmp_path / "s.jsonl"

    async def main():
        async with service(echo) as port, recorder(f"ws://127.0.0.1:{port}", "-o", path) as (process, own):
            connection = await connect(f"ws://127.0.0.1:{own}{TARGET}")
            for number in range(20):
                await connection.send(bytes([number]) * 3200)
                await connection.recv()
            process.kill()
            await process.wait()
            async with asyncio.timeout(30):
                while path.read_bytes().count(b'"type":"receive"') < 20:  # what was handed over is still written
                    await asyncio.sleep(0.01)

    asyncio.run(main())
    session = read_capture(str(path))
    sent = [frame.audio[0] for frame in session.events[1:] if frame.sent]
    assert sent == list(range(20)) and session.damage.lines == 0


def test_lines_and_a_report_when_a_connection_ends(tmp_path):
    async def main():
        async with (
            service(closes(1000)) as port,
            recorder(f"ws://127.0.0.1:{port}", "-o", tmp_path / "s.jsonl", "--diagnose") as (process, own),
        ):
            await seen(own)
            told = [await line(process, "connected"), await line(process, "closed with code 1000")]
            async with asyncio.timeout(60):
                report = (await process.stdout.readuntil(b"s.jsonl")).decode()
            process.send_signal(signal.SIGINT)
            rest, _ = await process.communicate()
            return told, report + rest.decode()

    told, report = asyncio.run(main())
    assert "0.0 s of audio; the service closed" in told[1]
    assert str(tmp_path / "s.jsonl") in report and "\x1b" not in report


def test_a_signal_ends_it_while_a_report_is_made(tmp_path):
    async def main():
        async with (
            service(closes(1000)) as port,
            recorder(f"ws://127.0.0.1:{port}", "-o", tmp_path / "s.jsonl", "--diagnose") as (process, own),
        ):
            await seen(own)
            await line(process, "closed with code")
            process.send_signal(signal.SIGINT)
            report, told = await process.communicate()
            return process.returncode, report.decode(), told.decode()

    code, report, told = asyncio.run(main())
    assert code == 130
    assert str(tmp_path / "s.jsonl") in report or f"not diagnosed yet; next: sttdoctor replay {tmp_path}" in told


def test_a_terminal_shows_a_line_that_is_drawn_again(tmp_path):
    events = [{"type": "turn.start"}, {"type": "turn.update", "transcript": "Good \x1b[31mmorning"}]

    async def handle(connection):
        for event in events:
            await connection.send(json.dumps(event))
        async for _ in connection:
            pass

    async def main():
        ours, theirs = pty.openpty()
        async with service(handle) as port:
            process = await asyncio.create_subprocess_exec(
                *TOOL, "--upstream", f"ws://127.0.0.1:{port}", "-o", tmp_path / "s.jsonl", stderr=theirs, env=ENV
            )
            os.close(theirs)
            screen = await asyncio.to_thread(until, ours, r"127\.0\.0\.1:(\d+)")
            own = int(re.search(r"http://127\.0\.0\.1:(\d+)", screen)[1])
            async with connect(f"ws://127.0.0.1:{own}{TARGET}") as connection:
                await connection.send(bytes(32_000))
                screen = await asyncio.to_thread(until, ours, r"1\.0 s of audio, backlog [0-9.]+ s, turn: Good")
            screen += await asyncio.to_thread(until, ours, "next:")
            process.send_signal(signal.SIGINT)
            await process.wait()
            os.close(ours)
            return screen

    screen = asyncio.run(main())
    assert "\x1b[1F\x1b[J" in screen and r"\x1b[31m" in screen and "\x1b[31m" not in screen


ENV = {**os.environ, "TERM": "xterm", "COLUMNS": "200", "LINES": "30"}


def until(terminal, pattern):
    text, deadline = "", time.monotonic() + 30
    while not re.search(pattern, text):
        assert time.monotonic() < deadline, text
        text += os.read(terminal, 4096).decode()
    return text


def test_calls_stand_in_folders_and_the_oldest_go_when_the_recorder_ends(tmp_path):
    folder = tmp_path / "calls"

    async def main():
        options = ("-o", f"{folder}/", "--calls", "--keep-connections", 2)
        async with service(closes(1000)) as port, recorder(f"ws://127.0.0.1:{port}", *options) as (process, own):
            for agent in ("first", "second", "second"):
                await seen(own, user_agent_header=agent)
                told = await line(process, "closed with code")
                said = await line(process, "next:")
            process.terminate()
            await process.wait()
            return told, said

    told, said = asyncio.run(main())
    (call,) = folder.iterdir()
    assert sorted(path.name for path in call.iterdir()) == ["connection-1.jsonl", "connection-2.jsonl"]
    assert f"{call}/connection-2.jsonl" in told and said.strip() == f"next: sttdoctor replay {call}"
    assert {read_capture(str(path)).client for path in call.iterdir()} == {"second"}


def test_a_port_in_use_is_one_sentence(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        told = f"cannot listen at {at}: Address already in use; try another address with --listen"
        assert one_sentence(run("record", "--listen", at)) == told


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--listen", "8765"), "write HOST:PORT"),
        (("--listen", "127.0.0.1:99999"), "write HOST:PORT"),
        (("--listen", "host.invalid:0"), "cannot listen at host.invalid:0"),
        (("--upstream", "ftp://x"), "no address of a service"),
        (("--allow-origin", "app.example"), "app.example is no origin"),
        (("--upstream", "wss://x/?api_key=geheim"), "the rest comes from the client"),
        (("--upstream", "wss://x:port"), "is no address"),
        (("-o", "/dev"), ""),
        (("-o", __file__), "is there already"),
        (("-o", "/none/s.jsonl"), "there is no directory /none"),
        (("-o", "s.jsonl", "--calls"), "want a directory (-o s.jsonl/)"),
        (("-o", "s.jsonl", "--keep-bytes", "1G"), "want a directory (-o s.jsonl/)"),
        (("--keep-bytes", "much"), "'much' is no size; write it as 500M or 20G"),
        (("--keep-bytes", "0"), "'0' is no size"),
        (("--keep-connections", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(run, options, sentence):
    if options == ("-o", "/dev"):
        options = ("-o", "/dev", "--upstream", "http://")
    told = one_sentence(run("record", *options))
    assert sentence in told and "geheim" not in told


def test_a_warning_where_keys_go_in_clear(tmp_path):
    async def main():
        async with recorder("ws://api.example", "-o", f"{tmp_path}/") as (process, _):
            return await line(process, "without encryption")

    assert "wss://" in asyncio.run(main())

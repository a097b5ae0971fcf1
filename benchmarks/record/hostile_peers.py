"""Hundreds of hostile WebSocket peers through `sttdoctor record`: no exception, no warning, files that can be read.

    python benchmarks/record/hostile_peers.py [--peers 400] [--seed 1] [--at-once 20]

Each peer is a client and a service that do something wrong or odd, drawn by chance: heads and answers with bytes
changed or missing, frames of any opcode, flags and length, masked or not, fragments in any order, compressed garbage,
text that is no UTF-8 or no JSON or nested deeply, closes with any code and reason, in pieces of any size, ended
properly, by a reset or not at all. Then it is asserted that the recorder still serves an ordinary client, that it told
of no exception and no warning, that it ends when it is asked to, that every line of every file is a row, and that each
file is read and judged within five seconds without a warning and without a check that crashed.
"""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import struct
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

from attacks import CONTINUATION, SHAPES, answers, frame
from proxy import ANSWER, REQUEST, free_port

from sttdoctor.api import examine, session_facts

LIMIT_S = 5.0
JSONS = (
    '{"type":"turn.end","transcript":"Grüße."}',
    '{"type":"turn.start","type":null,"transcript":[1]}',
    '{"a":1e999}',
    '{"status":101,"type":"error","status_code":{"a":[]}}',
    "[" * 3000,
    '"\\ud800"',
    "{" + '"a":' * 5000,
    "nul",
    '{"type":"config","x":NaN}',
)


def payload(chance: random.Random) -> bytes:
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.choice((0, 1, 2, 125, 126, 3200, 70_000)))
    if kind == 1:
        return chance.choice(JSONS).encode(errors="surrogatepass")
    if kind == 2:
        return SHAPES[chance.choice(list(SHAPES))](chance.choice((10, 1000, 50_000)))
    if kind == 3:
        return struct.pack(">H", chance.choice((0, 5, 1000, 1005, 1006, 1015, 4000, 65_535))) + chance.randbytes(9)
    if kind == 4:
        return zlib.compress(bytes(chance.randrange(100_000)))[2:-4]
    return chance.choice(JSONS).encode()[: chance.randrange(40)] + b"\xff\xfe\0\x1b[2J"


def frames(chance: random.Random, masked: bool) -> Iterator[bytes]:
    """Some frames, most of them wrong in one way or another."""
    for _ in range(chance.randrange(12)):
        opcode = chance.choice((CONTINUATION, 1, 1, 2, 2, 3, 8, 9, 10, 15))
        data = bytearray(frame(opcode, payload(chance), chance.random() < 0.7, masked ^ (chance.random() < 0.1)))
        if chance.random() < 0.3:
            data[0] |= chance.choice((0x10, 0x20, 0x40, 0x70))
        if chance.random() < 0.1:
            data[1] = data[1] & 0x80 | chance.randrange(128)
        yield bytes(data)


def changed(data: bytes, chance: random.Random) -> bytes:
    """A head with some of it changed, doubled or missing."""
    found = bytearray(data)
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        at = chance.randrange(len(found) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            found[at : at + 1] = chance.randbytes(1)
        elif kind == 1:
            found[at:at] = chance.choice((b"\n", b"\r\n", b"\0", b" ", b"\r\n\r\n", b":", b"a: b\r\n" * 300))
        elif kind == 2:
            del found[at : at + chance.randrange(20)]
        else:
            found += b"x"
    return bytes(found)


ANSWERS = (
    ANSWER,
    ANSWER,
    ANSWER,
    ANSWER[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    ANSWER[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover, x\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER,
    b"HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nno ke",
    b"HTTP/1.1 429 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8bjunk",
    b"HTTP/1.1 302 Found\r\nLocation: ws://x\r\n\r\n",
    b"junk",
    b"",
)


async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, chance: random.Random) -> None:
    """Send in pieces, read for a while, and leave in one way or another."""
    reading = asyncio.create_task(reader.read(1 << 24))
    with contextlib.suppress(OSError):
        at = 0
        while at < len(data):
            step = chance.choice((1, 7, 1000, 100_000))
            writer.write(data[at : at + step])
            await asyncio.wait_for(writer.drain(), 5)
            at += step
            if step == 1 and chance.random() < 0.2:
                await asyncio.sleep(0)
        await asyncio.sleep(chance.choice((0, 0.05, 0.3)))
        if chance.random() < 0.3:
            writer.transport.abort()
        elif chance.random() < 0.5 and writer.can_write_eof():
            writer.write_eof()
            await asyncio.sleep(0.2)
    reading.cancel()
    with contextlib.suppress(asyncio.CancelledError, OSError):
        await reading
    writer.close()


async def attack(port: int, chance: random.Random, at_once: asyncio.Semaphore) -> None:
    async with at_once:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            data = changed(REQUEST, chance) + b"".join(frames(chance, masked=True))
            await asyncio.wait_for(play(reader, writer, data, chance), 30)


async def run(peers: int, seed: int, at_once: int, folder: Path) -> str:
    """Let all peers through; returns what the recorder told."""
    chance = random.Random(seed)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = random.Random(chance.random())
        request = b""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 1)
        if b"ordinary" in request:
            writer.write(ANSWER + frame(1, b'{"type":"connected"}', masked=False) + frame(8, b"\x03\xe8", masked=False))
            await reader.read(100)
            writer.close()
            return
        answer = changed(mine.choice(ANSWERS) or b"x", mine)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(play(reader, writer, answer + b"".join(frames(mine, masked=False)), mine), 30)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 24)
    port = free_port()
    with (folder / "told").open("w+b") as log:
        command = [sys.executable, "-m", "sttdoctor", "record", "--listen", f"127.0.0.1:{port}", "-o", f"{folder}/s/"]
        upstream = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        recorder = await asyncio.create_subprocess_exec(*command, "--upstream", upstream, stdout=log, stderr=log)
        try:
            await answers(port)
            gate = asyncio.Semaphore(at_once)
            await asyncio.gather(*(attack(port, random.Random(chance.random()), gate) for _ in range(peers)))
            await ordinary(port)
            recorder.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(recorder.wait(), 60)
            assert code == 143, code
        finally:
            if recorder.returncode is None:
                recorder.kill()
                await recorder.wait()
            server.close()
        log.seek(0)
        return log.read().decode(errors="replace")


async def ordinary(port: int) -> None:
    """Be a client that does nothing wrong."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST.replace(b"websocket?", b"websocket?ordinary=1&", 1))
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 101")
    assert b"connected" in await asyncio.wait_for(reader.readuntil(b"}"), 5)
    writer.close()


def judge(path: Path) -> None:
    """Read and judge one file."""
    for line in path.read_bytes().splitlines(keepends=True):
        assert line.endswith(b"\n") and isinstance(json.loads(line)["type"], str), line[:300]
    began = time.monotonic()
    report = examine(session_facts(str(path), None, None, None, {}))
    report.to_json()
    took = time.monotonic() - began
    assert took < LIMIT_S, f"{path} took {took:.1f} s"
    assert not [check for check in report.checks if "please report" in check.answer], path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=20)
    asked = parser.parse_args()
    warnings.simplefilter("error")
    with tempfile.TemporaryDirectory() as folder:
        told = asyncio.run(run(asked.peers, asked.seed, asked.at_once, Path(folder)))
        assert not any(word in told for word in ("Traceback", "Warning", "Error", "Exception")), told
        files = sorted(Path(folder, "s").iterdir())
        for path in files:
            judge(path)
        print(f"{asked.peers} peers (seed {asked.seed}), {len(files)} recordings: no exception, no warning, whole rows")


if __name__ == "__main__":
    main()

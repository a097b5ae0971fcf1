"""Whether `sttdoctor record` runs for days: memory, open files, what it keeps, and whether a row is lost.

    python benchmarks/record/days.py [--hours 24] [--connections 10] [--keep 2G] [--minutes 30]

So many clients at a time, each with one connection after another, until each has sent so many hours of audio (G.711 at
8 kHz in chunks of 100 ms, an event for every tenth): most of half a minute to four, one in ten of half an hour to two
hours. They send as fast as the recorder takes it, so a day is over in minutes. The recorder keeps as much as `--keep`
says. Each recording is read once its connection is over: every chunk has a number, every event too, and all have to be
there, in order, with the close. `--minutes` ends the run early; the figures then are of what has passed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import re
import struct
import sys
import tempfile
import time
from base64 import b64decode
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from proxy import ANSWER, KEY, free_port, memory_and_files, proxy

CHUNK, CHUNK_S, EVENT_EACH, BATCH = 800, 0.1, 10, 64
FRAME = 8 + CHUNK  # of a chunk on the wire
COMMAND = b'{"type":"close"}'
CLOSE_COMMAND = bytes((0x81, 0x80 | len(COMMAND))) + bytes(4) + COMMAND
CLOSED = b"\x88\x02\x03\xe8"
SOUND = random.Random(1).randbytes(CHUNK - 6)
_AUDIO = re.compile(rb'"audio":"(.{8})')
_EVENT = re.compile(rb'"type":"turn.update".{0,60}?"number":(\d+)')
_NAME = re.compile(rb"[?&]name=(\d+)")


def request(name: int) -> bytes:
    target = f"/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000&name={name}".encode()
    head = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    return b"GET " + target + head + b"Sec-WebSocket-Key: " + KEY + b"\r\n\r\n"


def event(number: int) -> bytes:
    text = json.dumps({"type": "turn.update", "request_id": "1", "transcript": "Good morning", "number": number})
    return bytes((0x81, len(text))) + text.encode()


class Service(asyncio.Protocol):
    """Counts what comes, says so, and closes at the close command."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client comes."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._head, self._came, self._said = transport, b"", -1, 0

    def data_received(self, data: bytes) -> None:
        """Take the handshake, then frames."""
        if self._came < 0:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            self._transport.write(ANSWER)
            data, self._came = self._head.partition(b"\r\n\r\n")[2], 0
        self._came += len(data)
        due = self._came // FRAME // EVENT_EACH
        self._transport.write(b"".join(event(number) for number in range(self._said, due)))
        self._said = due
        if self._came % FRAME == len(CLOSE_COMMAND) and data.endswith(COMMAND[-len(data) :]):
            self._transport.write(CLOSED)
            self._transport.close()


async def send(port: int, name: int, chunks: int) -> None:
    """One connection, from its request to the close of the service."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(name))
    await reader.readuntil(b"\r\n\r\n")

    async def read() -> None:
        while await reader.read(1 << 16):
            pass

    reading = asyncio.create_task(read())
    head = b"\x82\xfe" + struct.pack(">H", CHUNK) + bytes(4)
    for first in range(0, chunks, BATCH):
        numbers = range(first, min(first + BATCH, chunks))
        writer.write(b"".join(head + struct.pack(">Q", number)[2:] + SOUND for number in numbers))
        await writer.drain()
    writer.write(CLOSE_COMMAND)
    await reading
    writer.close()


def look_at(path: Path) -> tuple[int, int, int, bool]:
    """The name of the connection in a file, its chunks and events in a row from the first on, and whether it closed."""
    data = path.read_bytes()
    named = _NAME.search(data[:2000])
    numbers = [int.from_bytes(b64decode(text)) for text in _AUDIO.findall(data)]
    events = [int(number) for number in _EVENT.findall(data)]
    whole = numbers == list(range(len(numbers))) and events == list(range(len(events)))
    closed = data.rfind(b'"type":"close","t"') > data.rfind(b'"audio"') and b'"code":1000' in data[-200:]
    return int(named[1]) if named else -1, len(numbers) if whole else -1, len(events) if whole else -1, closed


@dataclass
class Day:
    """What is going on."""

    hours: float
    sent_s: float = 0.0
    expected: dict[int, int] = field(default_factory=dict)
    connections: int = 0
    seen: set[str] = field(default_factory=set)
    whole: int = 0
    torn: list[str] = field(default_factory=list)


async def talk(day: Day, port: int, seed: int, until: float) -> None:
    """One client with one connection after another."""
    chance = random.Random(seed)
    left_s = day.hours * 3600
    while left_s > 0 and time.monotonic() < until:
        length = chance.uniform(1800, 7200) if chance.random() < 0.1 else chance.uniform(30, 240)
        chunks = max(1, int(min(length, left_s) / CHUNK_S))
        name = day.connections
        day.connections += 1
        day.expected[name] = chunks
        await send(port, name, chunks)
        left_s -= chunks * CHUNK_S
        day.sent_s += chunks * CHUNK_S


async def check(day: Day, folder: Path, pool: ProcessPoolExecutor) -> None:
    """Look at the recordings whose connection is over."""
    loop = asyncio.get_running_loop()
    for path in list(folder.glob("session-*.jsonl")):
        if path.name in day.seen or not path.exists():  # the recorder deletes what is old
            continue
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 200))
            if b'"type":"close","t"' not in file.read():
                continue
        day.seen.add(path.name)
        name, chunks, events, closed = await loop.run_in_executor(pool, look_at, path)
        expected = day.expected.pop(name, -1)
        if closed and chunks == expected and events == expected // EVENT_EACH:
            day.whole += 1
        else:
            day.torn.append(f"{path.name}: {chunks} of {expected} chunks, {events} events, closed: {closed}")


def measure(folder: Path) -> int:
    """Bytes of all files."""
    size = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


async def main(hours: float, count: int, keep: str, minutes: float) -> int:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Service, "127.0.0.1", 0, backlog=1024)
    upstream = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    port, day = free_port(), Day(hours)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        command = [sys.executable, "-m", "sttdoctor", "record", "--listen", f"127.0.0.1:{port}", "-o", f"{folder}/"]
        async with proxy([*command, "--upstream", upstream, "--keep-bytes", keep], port) as process:
            began = time.monotonic()
            until = began + 60 * minutes
            lanes = [asyncio.create_task(talk(day, port, seed, until)) for seed in range(count)]
            print("hours  minutes  connections  whole  torn  MiB  open files  kept, GiB", flush=True)
            shown = 0.0
            while True:
                over = all(lane.done() for lane in lanes)
                await check(day, Path(folder), pool)
                passed = day.sent_s / 3600 / count
                if over or passed >= shown:
                    shown = passed + hours / 24
                    mib, files = memory_and_files(process)
                    kept = measure(Path(folder)) / 2**30
                    spent = (time.monotonic() - began) / 60
                    row = f"{passed:5.1f}  {spent:7.1f}  {day.connections:11}  {day.whole:5}  {len(day.torn):4}"
                    print(f"{row}  {mib:.1f}  {files}  {kept:.2f}", flush=True)
                if over and (not day.expected or time.monotonic() > until + 60):
                    break
                await asyncio.sleep(0.2 if not over else 0.5)
            for lane in lanes:
                lane.result()
    server.close()
    for torn in day.torn[:10]:
        print(torn)
    print(f"{day.whole} of {day.connections} recordings are whole; {len(day.expected)} were not seen")
    return 0 if day.whole == day.connections else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0, help="of audio, for each client")
    parser.add_argument("--connections", type=int, default=10, help="clients at a time")
    parser.add_argument("--keep", default="2G", help="--keep-bytes of the recorder")
    parser.add_argument("--minutes", type=float, default=30.0, help="begin nothing new after so many")
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.hours, asked.connections, asked.keep, asked.minutes)))

"""What `sttdoctor record` costs, beside mitmproxy in the same run: added delay, CPU and memory.

    python benchmarks/record/proxy.py --mitmdump PATH [--connections 1 20 200] [--seconds 10] [--rounds 3]

Every connection sends 3200 bytes each 100 ms in real time, as a client at 16 kHz does, and gets an event for every
tenth chunk. Clients begin at random phases. A message carries the time when it was written; its delay is the time until
the other end has it. Service and clients run in one process here, so one clock serves both, and each proxy in a process
of its own. The delay of a direct run of the same round is subtracted, percentile by percentile; of several rounds the
median is shown, and the spread. The first second is not counted.

CPU is that of the proxy's processes, all their threads, in milliseconds a connection and second, from the moment when
its port answers: start-up is not in it, for neither; the handshakes, the first second and what is loaded at first use
are, for both. Memory is the sum of their peaks. Both proxies write what they see to a file. `busy` is the share of one
core that this process needed: near 1 its own queue is what is measured, and the count is too high for the machine.
`arrived` is the share of the messages that came through in the time; below 1 the proxy is what is too slow.
"""

import argparse
import asyncio
import contextlib
import random
import socket
import statistics
import struct
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from sttdoctor.readers.wire.tap import Message, Tap

CHUNK, EVERY_S, EVENT_EACH = 3200, 0.1, 10
WARM_UP_S = 1.0
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b64encode(sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
REQUEST = (
    b"GET /stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
)
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
ANSWER += b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\n\r\n"
AUDIO = random.Random(1).randbytes(CHUNK - 8)
EVENT = (
    b'{"type":"turn.update","request_id":"2ff8af53","transcript":"And Mr. John Dashwood had then leisure","t":%16.6f}'
)


@dataclass(frozen=True)
class Figures:
    """Of one run: delays in ms, CPU in ms a connection and second, memory in MiB, our share of a core, what arrived."""

    median: float
    p99: float
    cpu: float
    memory: float
    busy: float
    came: float


class End(asyncio.Protocol):
    """One end of a connection: collects the delays of what it receives."""

    def __init__(self, delays: list[float], is_server: bool) -> None:
        self.opened = asyncio.get_running_loop().create_future()
        self._delays, self._is_server = delays, is_server
        self._tap, self._head, self._count = Tap(), b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the WebSocket, at the client's end."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not self._is_server:
            transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        """Read the handshake, then messages."""
        now = time.monotonic()
        if not self.opened.done():
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            assert self._is_server or self._head.startswith(b"HTTP/1.1 101"), self._head
            if self._is_server:
                self.transport.write(ANSWER)
            data = self._head.partition(b"\r\n\r\n")[2]
            self.opened.set_result(None)
        for message in self._tap.feed(data):
            if isinstance(message, Message) and message.content is not None:
                self._take(message.content, now)

    def _take(self, content: bytes, now: float) -> None:
        if self._is_server:
            sent = struct.unpack_from("d", content)[0]
            self._count += 1
            if self._count % EVENT_EACH == 0:
                event = EVENT % time.monotonic()
                self.transport.write(bytes([0x81, len(event)]) + event)
        else:
            sent = float(content[-17:-1])
        self._delays.append(now - sent)

    def send(self) -> None:
        """Write a chunk; a mask of zeros leaves the content as it is."""
        content = struct.pack("d", time.monotonic()) + AUDIO
        self.transport.write(b"\x82\xfe" + struct.pack(">H", CHUNK) + bytes(4) + content)


async def clients(port: int, count: int, seconds: float, delays: list[float]) -> None:
    """Send from so many clients for a while."""
    loop = asyncio.get_running_loop()
    ends = []
    for _ in range(count):
        _, end = await loop.create_connection(lambda: End(delays, is_server=False), "127.0.0.1", port)
        await end.opened
        ends.append(end)
    began = loop.time()

    def tick(end: End, due: float) -> None:
        end.send()
        if due + EVERY_S < began + WARM_UP_S + seconds:
            loop.call_at(due + EVERY_S, tick, end, due + EVERY_S)

    for end in ends:
        due = began + random.random() * EVERY_S
        loop.call_at(due, tick, end, due)
    await asyncio.sleep(WARM_UP_S)
    delays.clear()
    yield_point = time.process_time()
    await asyncio.sleep(seconds)
    clients.busy = (time.process_time() - yield_point) / seconds  # type: ignore[attr-defined]
    await asyncio.sleep(0.3)
    for end in ends:
        end.transport.abort()


async def measured(port: int, through: int | None, process: int | None, count: int, seconds: float) -> Figures:
    """Run clients against a port; `process` is the proxy's."""
    delays = DELAYS
    delays.clear()
    running = asyncio.create_task(clients(through or port, count, seconds, delays))
    before = cpu_s(process)
    await running
    spent = cpu_s(process) - before
    ordered = sorted(delays)
    return Figures(
        1000 * ordered[len(ordered) // 2],
        1000 * ordered[int(0.99 * len(ordered))],
        1000 * spent / (count * (seconds + WARM_UP_S)),
        peak_mib(process),
        clients.busy,  # type: ignore[attr-defined]
        len(ordered) / (count * seconds / EVERY_S * (1 + 1 / EVENT_EACH)),
    )


DELAYS: list[float] = []


def family(process: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, children)]


def memory_and_files(process: int) -> tuple[float, int]:
    resident, files = 0.0, 0
    for one in family(process):
        lines = Path(f"/proc/{one}/status").read_text().splitlines()
        resident += next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
        files += len(list(Path(f"/proc/{one}/fd").iterdir()))
    return resident, files


def cpu_s(process: int | None) -> float:
    """Seconds of CPU that a process and its children have used."""
    if process is None:
        return 0.0
    # the clock of a process on Linux; /proc counts in steps of 10 ms
    return sum(time.clock_gettime(~one << 3 | 2) for one in family(process))


def peak_mib(process: int | None) -> float:
    """Largest resident memory of a process and its children so far, added up."""
    if process is None:
        return 0.0
    lines = [line for one in family(process) for line in Path(f"/proc/{one}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@contextlib.asynccontextmanager
async def proxy(command: list[str], port: int) -> AsyncIterator[int]:
    """A proxy's process; yields its id when the port answers."""
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
        )
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.1)
            yield process.pid
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def commands(mitmdump: str | None, upstream: int, port: int, folder: str) -> dict[str, list[str]]:
    """The proxies to compare."""
    ours = [sys.executable, "-m", "sttdoctor", "record", "--listen", f"127.0.0.1:{port}", "-o", f"{folder}/"]
    found = {"sttdoctor record": [*ours, "--upstream", f"ws://127.0.0.1:{upstream}"]}
    if mitmdump is not None:
        where = [
            "--listen-host",
            "127.0.0.1",
            "--listen-port",
            str(port),
            "--mode",
            f"reverse:http://127.0.0.1:{upstream}",
        ]
        found["mitmproxy"] = [mitmdump, "-q", *where, "-w", f"{folder}/flows"]
    return found


async def one_round(count: int, seconds: float, mitmdump: str | None) -> dict[str, Figures]:
    """Measure direct, and through each proxy."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: End(DELAYS, is_server=True), "127.0.0.1", 0, backlog=1024)
    upstream = server.sockets[0].getsockname()[1]
    found = {"direct": await measured(upstream, None, None, count, seconds)}
    for name in commands(mitmdump, 0, 0, ""):
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            async with proxy(commands(mitmdump, upstream, port, folder)[name], port) as process:
                found[name] = await measured(upstream, port, process, count, seconds)
    server.close()
    return found


def show(count: int, rounds: list[dict[str, Figures]]) -> None:
    for name in rounds[0]:
        runs = [(found[name], found["direct"]) for found in rounds]
        direct = name == "direct"
        medians = sorted(run.median - (0.0 if direct else base.median) for run, base in runs)
        tails = sorted(run.p99 - (0.0 if direct else base.p99) for run, base in runs)
        middle = len(runs) // 2
        keys = ("cpu", "memory", "busy", "came")
        cpu, memory, busy, came = (statistics.median(getattr(run, key) for run, _ in runs) for key in keys)
        print(
            f"| {count} | {name} | {medians[middle]:.2f} | {tails[middle]:.2f} ({tails[0]:.2f} to {tails[-1]:.2f}) "
            f"| {cpu:.2f} | {memory:.0f} | {busy:.2f} | {min(1.0, came):.2f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mitmdump", help="path of mitmdump, in an environment of its own")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 20, 200])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    print("| connections | | added median, ms | added p99, ms (of the rounds) | CPU, ms | peak MiB | busy | arrived |")
    print("|---|---|---|---|---|---|---|---|")
    for count in asked.connections:
        show(count, [asyncio.run(one_round(count, asked.seconds, asked.mitmdump)) for _ in range(asked.rounds)])


if __name__ == "__main__":
    main()

"""What hostile peers of `sttdoctor record` do to others: delay of ordinary connections, and memory, beside each attack.

    python benchmarks/record/attacks.py [NAMES] [--connections 10] [--seconds 8] [--all-at-once] [--markdown]

Ordinary connections send 3200 bytes each 100 ms in real time and get events, as in `benchmarks/record/proxy.py`, whose
ends they are. Beside them an attacker works with all its might through the same recorder: its client in a process of
its own, its service in another. Shown are the median, the 99th percentile and the longest of what the recorder adds to
a message (percentile by percentile beside a direct run without an attack), the share of messages that came through in
the time, the longest that the recorder's event loop was held in one round (its CPU time, which other programs of a busy
machine do not make longer, without the start), the peak memory of its two processes together, and the seconds until
everything was written.

A run fails where a message of an ordinary connection is missing in its file or where the recorder tells of an exception
or a warning. Everything is on loopback; what an attack makes the recorder write is taken from the disk as it comes.
"""

import argparse
import asyncio
import atexit
import contextlib
import itertools
import os
import select
import selectors
import signal
import socket
import statistics
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy import ANSWER, DELAYS, EVENT_EACH, EVERY_S, REQUEST, WARM_UP_S, End, clients, free_port, peak_mib

MIB = 1 << 20
HERE = str(Path(__file__).resolve())
NICE = 19
"""Of the attacker's processes: peers seldom share the cores of a recorder, and it is not their CPU that is measured."""

DIRECT_S = 20.0
"""Of the run without recorder and attack, at most."""

KEPT_BYTES = MIB
"""Of a recording of an attack, before the disk gets it back."""

Chunks = Callable[[], Iterable[bytes]]
TEXT, BINARY, PING, CONTINUATION = 1, 2, 9, 0


def frame(opcode: int, payload: bytes, fin: bool = True, masked: bool = True, packed: bool = False) -> bytes:
    """One frame; a mask of zeros leaves the payload as it is."""
    first = opcode | (0x80 if fin else 0) | (0x40 if packed else 0)
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = bytes([first, bit | len(payload)])
    elif len(payload) < 65_536:
        head = bytes([first, bit | 126]) + len(payload).to_bytes(2)
    else:
        head = bytes([first, bit | 127]) + len(payload).to_bytes(8)
    return head + (bytes(4) if masked else b"") + payload


def filled(piece: str, size: int, begin: str = "", end: str = "") -> bytes:
    """A text of about a size, made of one piece again and again."""
    return (begin + piece * ((size - len(begin) - len(end)) // len(piece)) + end).encode()


SHAPES: dict[str, Callable[[int], bytes]] = {
    "encoded": lambda size: filled("%41", size),
    "bearer": lambda size: filled("bearer ", size),
    "names": lambda size: filled('api_key\\"\\"', size),
    "pairs": lambda size: filled('"=",[""],', size, "[", "0]"),
    "addresses": lambda size: filled("://a", size),
    "nested": lambda size: filled("[", size),
    "objects": lambda size: filled("{},", size, "[", "0]"),
    "cookies": lambda size: filled("cookie=", size),
    "keys": lambda size: filled("sk_car_", size),
    "tokens": lambda size: filled("eyJaaaaaaaa.", size),
    "queries": lambda size: filled("?a=b", size),
    "digits": lambda size: filled("1", size),
    "escapes": lambda size: filled("\\u0041", size, '"', '"'),
    "words": lambda size: filled("an invalid API key was given, ", size, '{"message":"', '"}'),
}


@dataclass(frozen=True)
class Attack:
    """What both ends of a hostile connection do.

    Attributes:
        client: Bytes of the client after the handshake.
        service: Bytes of the service, from its answer on.
        request: Of the client.
        connections: How many at a time.
        again: Whether a connection ends with its answer, and the next one begins.
        waits: Whether the client waits for the answer.
        reads: Whether the client takes what comes.
    """

    client: Chunks = tuple
    service: Chunks = lambda: (ANSWER,)
    request: bytes = REQUEST
    connections: int = 1
    again: bool = False
    waits: bool = True
    reads: bool = True


def client(make: Callable[[], bytes], times: int = 1, **options: Any) -> Attack:
    """A client that sends the same again and again, after an ordinary handshake."""
    return Attack(lambda: itertools.repeat(make() * times), **options)


def service(make: Callable[[], bytes], begin: bytes = ANSWER, **options: Any) -> Attack:
    """A service that answers and then sends the same again and again."""
    return Attack(service=lambda: itertools.chain((begin,), itertools.repeat(make())), **options)


def text(name: str, size: int, masked: bool = True) -> Callable[[], bytes]:
    return lambda: frame(TEXT, SHAPES[name](size), masked=masked)


def zeros(size: int) -> Callable[[], bytes]:
    return lambda: frame(BINARY, bytes(size))


def packed_zeros(size: int) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    packed = b"".join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush(zlib.Z_SYNC_FLUSH)
    return frame(BINARY, packed[:-4], packed=True)


def with_headers(count: int) -> bytes:
    return REQUEST[:-2] + b"a:\r\n" * count + b"\r\n"


def fragments(payload: bytes) -> Chunks:
    """One message of endless fragments."""
    begin, go_on = frame(BINARY, payload, fin=False), frame(CONTINUATION, payload, fin=False)
    return lambda: itertools.chain((begin,), itertools.repeat(go_on * 10_000))


DEFLATE = ANSWER[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
WHOLE = MIB - 64  # of a text that is kept
ATTACKS: dict[str, Attack] = {
    "none": Attack(),
    **{f"text-{name}": client(text(name, WHOLE)) for name in SHAPES},
    **{f"short-text-{name}": client(text(name, 2000), 32) for name in ("encoded", "objects", "words")},
    "binary-text": client(lambda: frame(BINARY, SHAPES["bearer"](20 * MIB))),
    "text-too-long": client(text("encoded", 20 * MIB)),
    "text-of-the-service": service(text("encoded", WHOLE, masked=False)),
    "empty-fragments": Attack(fragments(b"")),
    "empty-fragments-of-the-service": service(lambda: bytes(2) * 30_000, ANSWER + bytes([2, 0])),
    "small-fragments": Attack(fragments(b"aa")),
    "pings": client(lambda: frame(PING, b""), 10_000),
    "small-frames": client(zeros(2), 4000),
    "audio-of-20-mib": client(zeros(20 * MIB)),
    "audio-too-large": client(zeros(24 * MIB)),
    "half-sent-audio": Attack(lambda: (zeros(20 * MIB)()[: 19 * MIB],), connections=20),
    "packed-zeros": client(lambda: packed_zeros(19 * MIB), service=lambda: (DEFLATE,)),
    "packed-bombs": client(lambda: packed_zeros(200 * MIB), service=lambda: (DEFLATE,)),
    "answer-without-end": service(lambda: b"a: " + b"b" * 65_000 + b"\r\n", ANSWER[:-2], waits=False),
    "answer-in-bytes": service(lambda: b"b", ANSWER[:-2] + b"a: ", waits=False),
    "answers-before-the-answer": service(lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, b"", waits=False),
    "before-the-answer": client(lambda: bytes(65_536), service=tuple, waits=False),
    "requests": Attack(again=True),
    "requests-of-190-headers": Attack(request=with_headers(190), again=True),
    "requests-of-16000-headers": Attack(request=with_headers(16_000), again=True),
    "request-in-bytes": Attack(
        lambda: itertools.chain((b"GET / HTTP/1.1\r\na: ",), itertools.repeat(b"b")), request=b"", waits=False
    ),
    "slow-reader": service(lambda: frame(BINARY, bytes(MIB), masked=False), reads=False),
}


# the attacker's processes


def pump(end: socket.socket, chunks: Iterable[bytes], reads: bool, until: float) -> None:
    """Send and take as fast as it goes, until the time or the connection ends."""
    end.setblocking(False)
    waiting, left = memoryview(b""), iter(chunks)
    with contextlib.suppress(OSError):
        while time.monotonic() < until:
            if not waiting:
                waiting = memoryview(next(left, b""))
            readable, writable, _ = select.select([end] if reads else [], [end] if waiting else [], [], 0.05)
            if readable and not end.recv(MIB):
                break
            if writable:
                waiting = waiting[end.send(waiting[:MIB]) :]


def attack(name: str, port: int, seconds: float) -> None:
    """Be the client of an attack."""
    made, until = ATTACKS[name], time.monotonic() + seconds
    request = made.request.replace(b"/stt/turns/websocket?", b"/stt/turns/websocket?attack=" + name.encode() + b"&", 1)
    os.nice(NICE)
    for _ in range(made.connections - 1):
        if os.fork() == 0:
            break
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as end:
            end.sendall(request)
            end.settimeout(10)
            if made.again or made.waits:
                end.recv(65_536)
            if made.again:
                continue
            pump(end, made.client(), made.reads, until)
        time.sleep(0.05)
    with contextlib.suppress(ChildProcessError):  # the last one has none
        while True:
            os.wait()


def serve_attacks(passed: socket.socket) -> None:
    """Be the service of each hostile connection that is passed on, each in a process of its own."""
    os.nice(NICE)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        name, ends, _, _ = socket.recv_fds(passed, 1000, 1)
        if not name:
            return
        if os.fork() == 0:
            made = ATTACKS[name.decode()]
            with socket.socket(fileno=ends[0]) as end:
                end.recv(MIB)
                pump(end, made.service(), True, time.monotonic() + 3600)
            return
        os.close(ends[0])


def give_back(folder: str) -> None:
    """Take from the disk, again and again, what attacks made the recorder write, until it is killed."""
    os.nice(NICE)
    hostile: dict[str, float] = {}
    while True:
        for name in os.listdir(folder):
            path = f"{folder}/{name}"
            if name not in hostile:
                with open(path, "rb") as file:
                    head = file.readline(MIB)
                if not head.endswith(b"\n"):
                    continue
                hostile[name] = time.monotonic() if b"attack=" in head else float("inf")
            if time.monotonic() - hostile[name] > 30 and time.time() - os.stat(path).st_mtime > 30:
                os.unlink(path)  # it is over
            elif hostile[name] < float("inf") and os.stat(path).st_blocks * 512 > KEPT_BYTES:
                os.truncate(path, 0)  # the recorder goes on behind the hole
        time.sleep(0.5)


START_S = 1.0
LONGEST = "longest round of the event loop, ms: "


def record() -> None:
    """Run the command line, and tell at its end how long one round of its event loop took, in CPU time."""
    select, longest, began = selectors.DefaultSelector.select, 0.0, time.thread_time()
    started = time.monotonic()

    def measured(selector: Any, timeout: float | None = None) -> Any:
        nonlocal longest, began
        if time.monotonic() > started + START_S:
            longest = max(longest, time.thread_time() - began)
        found = select(selector, timeout)
        began = time.thread_time()
        return found

    from sttdoctor.cli import main as command_line

    atexit.register(lambda: print(f"{LONGEST}{1000 * longest:.2f}", file=sys.stderr))
    selectors.DefaultSelector.select = measured  # type: ignore[method-assign]
    began = time.thread_time()
    command_line()


# the ordinary connections


class Service:
    """Serves the ordinary connections here and passes the hostile ones on."""

    def __init__(self) -> None:
        self._passing, passed = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            self._passing.close()
            serve_attacks(passed)
            os._exit(0)
        passed.close()
        self._taking: set[asyncio.Task[None]] = set()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listening.setblocking(False)
        self.port = self._listening.getsockname()[1]

    async def run(self) -> None:
        """Take connections for ever."""
        loop = asyncio.get_running_loop()
        while True:
            end, _ = await loop.sock_accept(self._listening)
            taking = asyncio.create_task(self._take(end))
            self._taking.add(taking)
            taking.add_done_callback(self._taking.discard)

    async def _take(self, end: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:  # until the first line is there
            came = loop.create_future()
            loop.add_reader(end, lambda came=came: came.done() or came.set_result(None))
            await came
            loop.remove_reader(end)
            try:
                begin = end.recv(4096, socket.MSG_PEEK)
            except OSError:
                begin = b""
            if b"\r\n" in begin or not begin:
                break
        name = begin.partition(b"attack=")[2].partition(b"&")[0].decode()
        if not name:
            await loop.connect_accepted_socket(lambda: End(DELAYS, is_server=True), end)
            return
        socket.send_fds(self._passing, [name.encode()], [end.fileno()])
        end.close()

    def close(self) -> None:
        """Take no more."""
        self._listening.close()
        self._passing.close()


@dataclass(frozen=True)
class Figures:
    """Of one run: delays in ms, the share of messages that came, ms of a round, MiB, seconds until all was written."""

    median: float
    p99: float
    longest: float
    came: float
    round: float
    memory: float
    wrote_s: float


async def through(port: int, count: int, seconds: float) -> tuple[float, float, float, float]:
    """Run ordinary clients; returns median, 99th percentile, longest (ms) and the share that came."""
    DELAYS.clear()
    await clients(port, count, seconds, DELAYS)
    ordered = sorted(DELAYS)
    expected = count * seconds / EVERY_S * (1 + 1 / EVENT_EACH)
    return (
        1000 * statistics.median(ordered),
        1000 * ordered[int(0.99 * len(ordered))],
        1000 * ordered[-1],
        min(1.0, len(ordered) / expected),
    )


async def beside(names: list[str], count: int, seconds: float, service: Service) -> Figures:
    """Measure ordinary connections beside attacks at a time."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        command = [sys.executable, HERE, "--as-recorder", "record", "--listen", f"127.0.0.1:{port}", "-o", f"{folder}/"]
        recorder = await asyncio.create_subprocess_exec(
            *command, "--upstream", f"ws://127.0.0.1:{service.port}", stdout=log, stderr=log
        )
        attackers = []
        janitor = await asyncio.create_subprocess_exec(sys.executable, HERE, "--as-janitor", folder)
        try:
            await answers(port)
            attackers = [
                await asyncio.create_subprocess_exec(
                    *(sys.executable, HERE, "--as-attacker", name, str(port), str(seconds + WARM_UP_S + 2))
                )
                for name in names
                if name != "none"
            ]
            await asyncio.sleep(1)
            median, p99, longest, came = await through(port, count, seconds)
            memory = peak_mib(recorder.pid)
            for attacker in attackers:
                await attacker.wait()
            began = time.monotonic()
            recorder.terminate()
            await recorder.wait()
            wrote_s = time.monotonic() - began
        finally:
            for process in (janitor, recorder, *attackers):
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        log.seek(0)
        told = log.read().decode(errors="replace")
        complain(folder, told, count, seconds)
        held = float(told.rpartition(LONGEST)[2])
    return Figures(median, p99, longest, came, held, memory, wrote_s)


async def answers(port: int) -> None:
    """Wait until somebody listens."""
    for _ in range(300):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the recorder does not start")


def complain(folder: str, told: str, count: int, seconds: float) -> None:
    """Fail where the recorder told of a defect, or an ordinary recording is not whole."""
    for word in ("Traceback", "Warning", "Exception", "Error", "has ended"):
        assert word not in told, told[max(0, told.find(word) - 1000) :][:3000]
    whole = 0
    for path in Path(folder).iterdir():
        with path.open("rb") as file:
            head = file.readline(MIB)
            if not head.startswith(b"{") or b"attack=" in head:
                continue
            rows = sum(1 for line in file if line.startswith(b'{"type":"send"'))
            whole += abs(rows - (seconds + WARM_UP_S) / EVERY_S) <= 2
    assert whole == count, f"{whole} of {count} recordings are whole"


async def measure(asked: argparse.Namespace) -> None:
    service = Service()
    serving = asyncio.create_task(service.run())
    names = asked.names or list(ATTACKS)
    rounds = [names] if asked.all_at_once else [[name] for name in names]
    direct = await through(service.port, asked.connections, min(asked.seconds, DIRECT_S))
    line = "|" + 8 * " {} |" if asked.markdown else "{:32}" + 7 * "{:>9}"
    print(line.format("attack", "median", "p99", "longest", "came", "round", "MiB", "wrote"), flush=True)
    print(line.format("direct (ms)", *(f"{figure:.2f}" for figure in direct), "", "", ""), flush=True)
    try:
        for beside_names in rounds:
            found = await beside(beside_names, asked.connections, asked.seconds, service)
            added = [found.median - direct[0], found.p99 - direct[1], found.longest - direct[2]]
            figures = [
                *(f"{figure:.2f}" for figure in (*added, found.came, found.round)),
                f"{found.memory:.0f}",
                f"{found.wrote_s:.1f}",
            ]
            name = beside_names[0] if len(beside_names) == 1 else f"{len(beside_names)} at once"
            print(line.format(name, *figures), flush=True)
    finally:
        serving.cancel()
        service.close()


def main() -> None:
    if sys.argv[1:2] == ["--as-attacker"]:
        attack(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
        return
    if sys.argv[1:2] == ["--as-recorder"]:
        del sys.argv[1]
        record()
        return
    if sys.argv[1:2] == ["--as-janitor"]:
        give_back(sys.argv[2])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(ATTACKS)}")
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--all-at-once", action="store_true", help="one attacker of each name at a time")
    parser.add_argument("--markdown", action="store_true")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()

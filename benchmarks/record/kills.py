"""Whether a kill -9 at any moment breaks, loses or doubles a row: of `record`, `resend`, `simulate` and `triage`.

    python benchmarks/record/kills.py [--times 30] [--connections 8] [--seed 1]

**record**: connections send numbered audio each 20 ms and get a numbered event for each; after a random time of half a
second to two seconds the recorder is killed, in every third run together with the process that writes its files. Then
every line of every file has to be a row, the numbers have to go up by one, and what a client sent and the service got,
or the service sent and the client got, has to be in the file. Where both processes were killed at once, what passed
last may be missing; how many messages that were is shown.

**resend**: a session of numbered audio is sent again and killed; its recording has to be rows, numbered without a gap,
and may lack the message that was under way.

**simulate**: clients talk to it through a recorder when it is killed; the recordings have to end with a row that says
that the service was gone, and it has to be there again at once on the same port.

**triage**: one table of small captures is begun with `--resume` again and again and killed after a random time, until
it has been killed that often; a last run finishes it. It has to have one row for each capture, equal to the row of a
run that nobody disturbed.
"""

import argparse
import asyncio
import contextlib
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from pathlib import Path

from attacks import answers
from proxy import family, free_port
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake

ROOT = Path(__file__).parents[2]
TARGET = "/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000&connection="
CHUNK = 640
EVERY_S = 0.02


class Seen:
    """What one connection's ends saw, by number: what the service got of the client, the client of the service."""

    def __init__(self) -> None:
        self.by_service: list[int] = []
        self.by_client: list[int] = []


async def client(port: int, number: int, seen: Seen) -> None:
    with contextlib.suppress(ConnectionClosed, OSError):
        async with connect(f"ws://127.0.0.1:{port}{TARGET}{number}", compression=None) as connection:

            async def read() -> None:
                async for message in connection:
                    seen.by_client.append(json.loads(message)["n"])

            reading = asyncio.create_task(read())
            try:
                for count in range(100_000):
                    await connection.send(count.to_bytes(4) * (CHUNK // 4))
                    await asyncio.sleep(EVERY_S)
            finally:
                reading.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                    await reading


async def one_kill(folder: Path, connections: int, chance: random.Random, both: bool) -> int:
    """Record, kill, and check; returns how many messages passed that are in no file."""
    seen = [Seen() for _ in range(connections)]

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        mine = seen[int(connection.request.path.rpartition("=")[2])]
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                count = int.from_bytes(bytes(message[:4]))  # type: ignore[arg-type]
                mine.by_service.append(count)
                await connection.send(json.dumps({"type": "turn.update", "transcript": "so far", "n": count}))

    port = free_port()
    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        upstream = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        command = [sys.executable, "-m", "sttdoctor", "record", "--listen", f"127.0.0.1:{port}"]
        recorder = await asyncio.create_subprocess_exec(
            *command, "--upstream", upstream, "-o", f"{folder}/", stderr=subprocess.DEVNULL
        )
        await answers(port)
        running = [asyncio.create_task(client(port, number, mine)) for number, mine in enumerate(seen)]
        await asyncio.sleep(chance.uniform(0.5, 2.0))
        processes = family(recorder.pid)
        for process in processes if both else processes[:1]:
            os.kill(process, signal.SIGKILL)
        await asyncio.gather(*running, recorder.wait())
        while any(Path(f"/proc/{process}/cmdline").exists() for process in processes[1:]):
            await asyncio.sleep(0.01)
    return sum(check(path, seen, exact=not both) for path in sorted(folder.iterdir()))


def check(path: Path, seen: list[Seen], exact: bool) -> int:
    """Check one file; returns how many messages are missing that have passed."""
    data = path.read_bytes()
    assert data.endswith(b"\n") or not exact, f"{path} ends in the middle of a row"
    url, sent, received = messages_in(path, data)
    number = int(url.rpartition("=")[2])
    missing = len(set(seen[number].by_service) - set(sent)) + len(set(seen[number].by_client) - set(received))
    assert missing == 0 or not exact, f"{path}: {missing} messages passed and are not in it"
    return missing


def messages_in(path: Path, data: bytes) -> tuple[str, list[int], list[int]]:
    """The URL of a recording, and the numbers of its messages by their ways, after asserting that none is left out."""
    rows = [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
    sent = [int.from_bytes(b64decode(row["audio"][:8])[:4]) for row in rows if row["type"] == "send"]
    received = [row["json"]["n"] for row in rows if row["type"] == "receive"]
    for what in (sent, received):
        assert what == list(range(len(what))), f"{path}: rows are missing or doubled: {what}"
    return rows[0]["url"], sent, received


def kill_record(times: int, connections: int, chance: random.Random) -> None:
    missing = []
    for number in range(times):
        with tempfile.TemporaryDirectory() as folder:
            both = number % 3 == 2
            found = asyncio.run(one_kill(Path(folder), connections, chance, both))
            missing += [found] if both else []
    print(
        f"record: killed {times} times with {connections} connections: no row is broken, doubled or lost between others"
    )
    print(
        f"  where both processes were killed at once, messages that passed and were not written: {missing}", flush=True
    )


async def one_resend(session: Path, path: Path, chance: random.Random) -> int:
    """Send again, kill, and check; returns how many messages the service got that are not in the recording."""
    got: list[int] = []
    begun = asyncio.Event()

    async def handle(connection: ServerConnection) -> None:
        begun.set()
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                got.append(int.from_bytes(bytes(message[:4])))  # type: ignore[arg-type]
                await connection.send(json.dumps({"type": "turn.update", "transcript": "so far", "n": got[-1]}))

    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        to = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        command = [sys.executable, "-m", "sttdoctor", "resend", str(session), "--to", to, "--record", str(path)]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        await asyncio.wait_for(begun.wait(), 60)
        await asyncio.sleep(chance.uniform(0.0, 2.0))
        process.kill()
        await process.wait()
    _, sent, _ = messages_in(path, path.read_bytes())
    missing = len(set(got) - set(sent))
    assert missing <= 1, f"{path}: {missing} messages passed and are not in it"
    return missing


def kill_resend(times: int, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        session = Path(folder) / "session.jsonl"
        head = {"type": "session", "schema": "sttdoctor.session/1", "url": f"wss://api.cartesia.ai{TARGET}0"}
        rows = [head, {"type": "open", "t": 0.0, "status": 101}]
        for count in range(200):
            audio = b64encode(count.to_bytes(4) * (CHUNK // 4)).decode()
            rows.append({"type": "send", "t": EVERY_S * count, "audio": audio})
        session.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        missing = [
            asyncio.run(one_resend(session, Path(folder) / f"again-{number}.jsonl", chance)) for number in range(times)
        ]
    print(
        f"resend: killed {times} times: no row is broken, doubled or lost between others; under way were {sum(missing)}"
    )


async def one_simulate(port: int, recorder: int, chance: random.Random, connections: int) -> None:
    command = [sys.executable, "-m", "sttdoctor", "simulate", "--listen", f"127.0.0.1:{port}"]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await answers(port)
    running = [asyncio.create_task(speak(recorder)) for _ in range(connections)]
    await asyncio.sleep(chance.uniform(0.1, 2.0))
    process.kill()
    await process.wait()
    await asyncio.gather(*running)


async def speak(port: int) -> None:
    """One client of the stand-in, until it is gone."""
    query = "model=ink-2&encoding=pcm_s16le&sample_rate=16000&cartesia_version=2026-03-01&access_token=any"
    with contextlib.suppress(ConnectionClosed, InvalidHandshake, OSError):
        async with connect(f"ws://127.0.0.1:{port}/stt/turns/websocket?{query}", compression=None) as connection:
            for count in range(1000):
                await connection.send(count.to_bytes(4) * (CHUNK // 4))
                await asyncio.sleep(EVERY_S)


async def kill_simulate(times: int, connections: int, chance: random.Random) -> None:
    port, own = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sttdoctor", "record", "--listen", f"127.0.0.1:{own}", "-o", f"{folder}/"]
        recorder = await asyncio.create_subprocess_exec(
            *command, "--upstream", f"ws://127.0.0.1:{port}", stderr=subprocess.DEVNULL
        )
        await answers(own)
        for _ in range(times):
            await one_simulate(port, own, chance, connections)
        recorder.terminate()
        await recorder.wait()
        ends = [json.loads(path.read_bytes().splitlines()[-1]) for path in Path(folder).iterdir()]
    lost = [row for row in ends if row.get("code") == 1006 or row.get("status") == 502]  # or gone before it was reached
    assert len(ends) == len(lost) == times * connections, f"{len(lost)} of {len(ends)} tell of the lost service"
    print(f"simulate: killed {times} times with {connections} connections, and each time there again on its port:")
    print(f"  all {len(lost)} recordings of a recorder before it are whole", flush=True)


def kill_triage(times: int, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as at:
        captures = Path(at) / "captures"
        captures.mkdir()
        sources = sorted((ROOT / "fixtures" / "sessions").glob("*.jsonl*"))[:12]
        for source in sources:
            for copy in range(4):
                shutil.copy(source, captures / f"{copy}-{source.name}")
        whole = Path(at) / "whole.csv"
        subprocess.run(triage(captures, whole), check=True, capture_output=True)
        expected = table(whole)
        killed = runs = 0
        while killed < times:
            runs += 1
            path = Path(at) / f"killed-{runs}.csv"
            while killed < times:
                process = subprocess.Popen(
                    triage(captures, path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
                )
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(1.0, 3.0))
                    break  # it was through
                process.kill()
                process.wait()
                killed += 1
            subprocess.run(triage(captures, path), check=True, capture_output=True)
            assert table(path) == expected, "rows are missing, doubled or others"
        print(
            f"triage --resume, killed {times} times, {runs} tables of {len(expected)} rows: all are whole", flush=True
        )


def triage(captures: Path, path: Path) -> list[str]:
    command = [sys.executable, "-m", "sttdoctor", "triage", str(captures), "-o", str(path), "--resume"]
    return [*command, "--jobs", "2", "--fail-on", "never"]


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a table by their captures, without what differs between runs."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted(({key: row[key] for key in row if key != "seconds"} for row in rows), key=lambda row: row["path"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    kill_record(asked.times, asked.connections, random.Random(asked.seed))
    kill_resend(asked.times, random.Random(asked.seed))
    asyncio.run(kill_simulate(asked.times, asked.connections, random.Random(asked.seed)))
    kill_triage(asked.times, random.Random(asked.seed))
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

"""Whether `sttdoctor record` keeps anything of connections that are over.

    python benchmarks/record/proxy_leak.py [COUNT]

COUNT connections (10000) one after another, each with a chunk of audio, an event and a close, every tenth cut without
one. Shown are memory and open files of the recorder's processes after each tenth of them, and whether each has its
file.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from pathlib import Path

from proxy import free_port, memory_and_files, proxy
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

TARGET = "/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"


async def answer(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        await connection.recv()
        await connection.send('{"type":"connected","request_id":"1"}')
        await connection.wait_closed()


async def one(port: int, number: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}{TARGET}") as connection:
        await connection.send(bytes(3200))
        await connection.recv()
        if number % 10 == 0:
            connection.transport.abort()


async def main(count: int) -> None:
    port = free_port()
    async with serve(answer, "127.0.0.1", 0) as server:
        upstream = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "sttdoctor", "record", "--listen", f"127.0.0.1:{port}"]
            async with proxy([*command, "--upstream", upstream, "-o", f"{folder}/"], port) as process:
                print("connections  MiB  open files")
                for number in range(1, count + 1):
                    await one(port, number)
                    if number % max(1, count // 10) == 0:
                        resident, files = memory_and_files(process)
                        print(f"{number:11}  {resident:.1f}  {files}", flush=True)
                await asyncio.sleep(1)  # for the end of the last one
            complete = sum(b'"type":"close"' in path.read_bytes() for path in Path(folder).iterdir())
            print(f"{complete} of {count} files are complete")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    asyncio.run(main(parser.parse_args().count))

"""From a fault to its cure, with a real recogniser: what a user does with three commands."""

import asyncio
import contextlib
import importlib.util
import json
import re
import sys

import pytest
from common import FIXTURES
from websockets.asyncio.client import connect

AUDIO = (FIXTURES / "audio" / "s16-24k.raw").read_bytes()
CHUNK = 4800  # 100 ms
KEY = "sk_car_canary"
RECOGNISES = importlib.util.find_spec("pocketsphinx") is not None


@contextlib.asynccontextmanager
async def started(*args):
    """Run a command that listens; yields its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sttdoctor", *map(str, args), "--listen", "127.0.0.1:0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            while not (found := re.search(rb"127\.0\.0\.1:(\d+)", await process.stdout.readline())):
                pass
        yield int(found[1])
    finally:
        process.terminate()
        await process.communicate()


async def text_of(port, rate):
    """A client that speaks in real time and drains; what it hears."""
    query = f"model=ink-2&encoding=pcm_s16le&sample_rate={rate}&cartesia_version=2026-03-01"
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"ws://127.0.0.1:{port}/stt/turns/websocket?{query}"
    ends = []
    async with connect(url, additional_headers=headers, ping_interval=None) as connection:

        async def read():
            async for message in connection:
                event = json.loads(message)
                ends.extend([event["transcript"]] if event["type"] == "turn.end" else [])

        reading = asyncio.create_task(read())
        clock = asyncio.get_running_loop().time
        began = clock()
        for start in range(0, len(AUDIO), CHUNK):
            await asyncio.sleep(began + (start + CHUNK) / 48_000 - clock())
            await connection.send(AUDIO[start : start + CHUNK])
        await connection.send('{"type":"close"}')
        await reading
    return "".join(ends)


async def judged(command, path, *options):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sttdoctor", command, path, "--format", "json", *options),
        stdout=asyncio.subprocess.PIPE,
        env={"CARTESIA_API_KEY": KEY},
    )
    out, _ = await process.communicate()
    return process.returncode, json.loads(out)


@pytest.mark.asr
@pytest.mark.realtime
@pytest.mark.skipif(not RECOGNISES, reason="PocketSphinx is not installed (extra asr)")
def test_a_wrong_rate_garbles_and_its_repair_heals(tmp_path):
    path = tmp_path / "session.jsonl"

    async def main():
        async with started("simulate", "--asr") as service:
            upstream = f"ws://127.0.0.1:{service}"
            async with started("record", "--upstream", upstream, "-o", path) as recorder:
                garbled, right = await asyncio.gather(text_of(recorder, 16_000), text_of(service, 24_000))
            return (
                garbled,
                right,
                await judged("replay", path),
                await judged("resend", path, "--to", upstream, "--repair"),
            )

    garbled, right, (code, report), (new_code, new) = asyncio.run(main())
    assert code == 1 and report["diagnoses"][0]["cause"] == "sample-rate.mismatch"
    assert report["subject"]["transcript"]["expected"] == garbled != right
    assert new_code == 0 and new["diagnoses"] == []
    assert new["subject"]["declared"]["sample_rate"] == 24_000
    assert new["subject"]["transcript"]["expected"] == right != ""

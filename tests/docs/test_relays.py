"""docs/relays.md, really run: the relay that does it right, the faults of its table on both sides, and its test."""

import asyncio
import re
import subprocess
import sys
import wave

import pytest
from proxying import proxy
from stand_in import CLOSE as _CLOSE
from stand_in import ROOT, Format, recorded, sounds
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

import sttdoctor
from sttdoctor.checks import all_causes

pytestmark = pytest.mark.realtime

PAGE = (ROOT / "docs" / "relays.md").read_text("utf-8")
RELAY, TEST = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
S16 = Format("pcm_s16le", 16000)
SPEECH = sounds.scene(("mary", 0.9, "bobby", 0.9), 16000)
DATA = sounds.encode(SPEECH, "pcm_s16le")
CLOSE = '{"type":"close"}'
assert _CLOSE == {"type": "close"}

PASS = "            await service.send(message)\n"
LARGE = """            held = globals().setdefault("held", bytearray())
            held += message
            if len(held) > 50_000:
                await service.send(bytes(held))
                held.clear()
"""
UNEVEN = """            held = globals().setdefault("held", bytearray())
            held += message
            size = len(held) // 1601 * 1601
            await service.send(bytes(held[:size]))
            del held[:size]
"""
BUSY = """            number = globals()["number"] = globals().get("number", 0) + 1
            await asyncio.sleep(2.2 if number == 25 else 0)
            await service.send(message)
"""
JSON = """            import base64, json
            await service.send(json.dumps({"event": "media", "media": {"payload": base64.b64encode(message).decode()}}))
"""
END = "    with contextlib.suppress(ConnectionClosed):\n        await service.send(CLOSE)\n"
CHANGES = {
    "healthy": {},
    "drain.no-close": {END: "    await service.close()\n"},
    "messages.command-as-binary": {"await service.send(CLOSE)": "await service.send(CLOSE.encode())"},
    "messages.audio-as-text": {PASS: JSON},
    "chunking.too-large": {PASS: LARGE},
    "messages.partial-samples": {PASS: UNEVEN},
    "continuity.stalled": {PASS: BUSY},
    "sample-rate.mismatch": {"sample_rate=16000": "sample_rate=48000"},
}


async def speak(port, data=DATA):
    """A client of the relay as it should be."""
    async with connect(f"ws://127.0.0.1:{port}/listen") as client:

        async def read():
            async for _ in client:
                pass

        reader = asyncio.create_task(read())
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            for start in range(0, len(data), 3200):
                await asyncio.sleep(began + start / 32000 - loop.time())
                await client.send(data[start : start + 3200])
            await client.send(CLOSE)
            async with asyncio.timeout(8):
                await reader
        except (ConnectionClosed, TimeoutError):
            pass


async def meet(changes, folder):
    """Let a client talk to a relay; returns the reports of side A and B."""
    code = RELAY
    for old, new in changes.items():
        assert old in code
        code = code.replace(old, new)
    names = {"__name__": "relay"}
    exec(compile(code, "docs/relays.md", "exec"), names)
    async with recorded() as service, serve(names["relay"], "127.0.0.1", 0) as server:
        names["SERVICE"] = f"ws://127.0.0.1:{service.port}/stt/turns/websocket"
        port = server.sockets[0].getsockname()[1]
        async with proxy(f"ws://127.0.0.1:{port}", folder / "a.jsonl") as before:
            await speak(before.port)
            await before.finished()
    a = sttdoctor.replay(str(folder / "a.jsonl"), encoding="pcm_s16le", sample_rate=16000)
    return a, sttdoctor.replay(service.files[0].getvalue())


@pytest.fixture(scope="module")
def met(tmp_path_factory):
    async def all_of_them():
        runs = [meet(changes, tmp_path_factory.mktemp("relay")) for changes in CHANGES.values()]
        return dict(zip(CHANGES, await asyncio.gather(*runs), strict=True))

    return asyncio.run(all_of_them())


def causes(report):
    """All but what a busy machine brings about."""
    return [found.cause for found in report.diagnoses if not found.cause.startswith("latency.")]


def test_a_relay_that_does_it_right_is_healthy_on_both_sides(met):
    assert [causes(report) for report in met["healthy"]] == [[], []]


@pytest.mark.parametrize("cause", [name for name in CHANGES if name != "healthy"])
def test_a_fault_of_the_relay_is_named_on_its_side_of_the_service(met, cause):
    (first, *_) = met[cause][1].diagnoses
    assert cause in (first.cause, *first.explains)


@pytest.mark.parametrize("cause", [name for name in CHANGES if name != "healthy"])
def test_the_client_is_not_accused_of_what_the_relay_does(met, cause):
    assert cause not in causes(met[cause][0])


def test_every_cause_of_the_page_is_one_and_what_is_tried_stands_there():
    named = {name for name in re.findall(r"`([a-z-]+\.[a-z-]+)`", PAGE) if not name.endswith((".py", ".wav"))}
    assert named <= set(all_causes())
    assert set(CHANGES) - {"healthy"} <= named


def test_the_test_of_the_page_passes_and_fails_with_a_relay_that_hangs_up(tmp_path):
    (tmp_path / "test_relay.py").write_text(TEST)
    with wave.open(str(tmp_path / "sentence.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(DATA)
    busy = "\npytestmark = pytest.mark.sttdoctor(ignore=['pacing', 'continuity', 'latency'])\n"
    (tmp_path / "test_relay.py").write_text(TEST + busy)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    for code, expected in ((RELAY, "2 passed"), (RELAY.replace(END, "    await service.close()\n"), "2 failed")):
        (tmp_path / "relay.py").write_text(code)
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert expected in done.stdout
    assert "drain.no-close" in done.stdout

"""The code in the guides, really run: Python on the vendor's SDK against the stand-in, JavaScript in Node."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import wave
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from common import FIXTURES

from sttdoctor.checks import all_checks
from sttdoctor.guides import load_guide

RUFF = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
sys.path.append(str(FIXTURES))

from cartesia import AsyncCartesia  # noqa: E402
from server import stand_in  # noqa: E402
from websockets.exceptions import ConnectionClosedError, InvalidStatus  # noqa: E402

from sttdoctor.simulate.faults import Behaviour  # noqa: E402
from sttdoctor.simulate.words import Script  # noqa: E402

IDS = [check.id for check in all_checks()]
AUDIO = (FIXTURES / "audio" / "s16-16k.raw").read_bytes()
WORDS = "The whole of it."


def python(check):
    """What the Python code of a guide defines."""
    names = {}
    exec(compile(load_guide(check).code["Python"], f"guides/{check}.toml", "exec"), names)
    return SimpleNamespace(**names)


@pytest.mark.parametrize("check", IDS)
def test_python_defines_functions(check):
    assert any(callable(value) for value in vars(python(check)).values())


@pytest.mark.skipif(RUFF is None, reason="there is no ruff")
@pytest.mark.parametrize("check", IDS)
def test_python_is_laid_out_like_the_rest(check):
    code = load_guide(check).code["Python"] + "\n"
    for command in (["format", "--check"], ["check"]):
        line = [RUFF, *command, "--isolated", "--line-length", "120", "-"]
        done = subprocess.run(line, input=code, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
@pytest.mark.parametrize("check", IDS)
def test_javascript_is_parsed_by_node(tmp_path, check):
    path = tmp_path / f"{check}.js"
    path.write_text("'use strict';\n" + load_guide(check).code["JavaScript"])
    done = subprocess.run(["node", "--check", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def with_sdk(client):
    """Run `client(connection, sdk)` on a connection of the SDK to the stand-in; return its result and the rows."""
    async with stand_in(Script((WORDS,), 3.0).words, Behaviour(latency_s=0.0, flush_s=0.05)) as server:
        base = f"ws://127.0.0.1:{server.port}"
        async with AsyncCartesia(api_key="sk_car_test", websocket_base_url=base) as sdk:
            options = {"model": "ink-2", "encoding": "pcm_s16le", "sample_rate": 16000}
            async with sdk.stt.auto_finalize.websocket(**options) as connection:
                result = await client(connection)
    (rows,) = server.sessions
    return result, rows


async def each(items):
    for item in items:
        yield item


def chunks():
    return list(python("chunking").chunks(AUDIO, 16000))


def sent(rows):
    return [row for row in rows if row["type"] == "send"]


def test_the_last_words_are_drained():
    text, rows = asyncio.run(with_sdk(lambda connection: python("drain").transcribe(connection, each(chunks()))))
    assert text == WORDS and sent(rows)[-1]["json"] == {"type": "close"}
    assert rows[-1]["type"] == "close" and rows[-1]["by"] == "server"


def test_whole_samples_are_sent_and_joined():
    pieces = [AUDIO[i : i + 3201] for i in range(0, len(AUDIO), 3201)]

    async def client(connection):
        _, text = await asyncio.gather(
            python("messages").talk(connection, pieces), python("joining").text_of(connection, lambda _text: None)
        )
        return text

    text, rows = asyncio.run(with_sdk(client))
    assert text == WORDS and "".join(row.get("audio", "") for row in sent(rows))


def test_the_turns_of_a_session_and_the_one_that_never_ended():
    async def client(connection):
        await python("messages").talk(connection, chunks())
        return [turn async for turn in python("turns").turns_of(connection)]

    assert asyncio.run(with_sdk(client))[0] == [(WORDS, True)]
    events = [event("turn.start"), event("turn.update", "Half a")]
    assert asyncio.run(listed(python("turns").turns_of(each(events)))) == [("Half a", False)]


def event(kind, transcript=None):
    return SimpleNamespace(type=kind, transcript=transcript)


async def listed(items):
    return [item async for item in items]


@pytest.mark.parametrize(
    ("events", "answers", "cancelled"),
    [
        ([event("turn.end", "Yes.")], ["Yes."], []),
        ([event("turn.eager_end", "Yes."), event("turn.end", "Yes.")], ["Yes."], []),
        ([event("turn.eager_end", "Ye"), event("turn.end", "Yes.")], ["Yes."], ["Ye"]),
        ([event("turn.eager_end", "Ye"), event("turn.resume"), event("turn.end", "Yes.")], ["Yes."], ["Ye"]),
    ],
)
def test_an_answer_begins_early_and_is_taken_back(events, answers, cancelled):
    stopped = []

    async def answer(text):
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            stopped.append(text)
            raise
        return text

    async def paused():
        for item in events:
            yield item
            await asyncio.sleep(0)

    async def run():
        return [await begun async for begun in python("latency").converse(paused(), answer)]

    assert asyncio.run(run()) == answers
    assert stopped == cancelled


class Kept:
    """A connection that keeps what is sent, with the time."""

    def __init__(self):
        self.sent = []

    async def send_raw(self, data):
        self.sent.append((asyncio.get_running_loop().time(), data))


def test_audio_is_paced_by_the_clock():
    kept = Kept()
    asyncio.run(python("pacing").paced(kept, [b"x"] * 6, 0.05))
    times = [time for time, _ in kept.sent]
    assert len(times) == 6 and times[-1] - times[0] >= 0.24


def test_a_muted_microphone_sends_silence():
    kept, muted = Kept(), iter([False, True])
    asyncio.run(python("continuity").send_always(kept, each([b"ab", b"cd"]), lambda: next(muted)))
    assert [data for _, data in kept.sent] == [b"ab", b"\0\0"]


def test_samples_are_made_as_declared(tmp_path):
    assert python("encoding").as_pcm_s16le(np.array([0, 0.5, -1, 2])).hex() == "0000ff3f0180ff7f"
    assert python("channels").mono(np.array([1, 3, -5, -7], "<i2").tobytes()) == np.array([2, -6], "<i2").tobytes()
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 24000, 0, "NONE", ""))
        file.writeframes(AUDIO)
    assert b"".join(python("container").chunks_of(str(path))) == AUDIO
    sdk = AsyncCartesia(api_key="sk_car_test")
    manager = python("sample-rate").connect_for(sdk, str(path))
    assert "24000" in str(vars(manager))


def test_levels_and_silence():
    signal = python("signal")
    assert -30 < signal.level_dbfs(AUDIO) < -10 and signal.level_dbfs(bytes(100)) == -120
    assert [signal.silence(name, 2) for name in ("pcm_mulaw", "pcm_alaw", "pcm_s16le")] == [
        b"\xff\xff",
        b"\xd5\xd5",
        bytes(4),
    ]


def test_what_may_pass_is_tried_again():
    server = python("server")
    lost, refused = ConnectionClosedError(None, None), InvalidStatus(SimpleNamespace(status_code=400))
    assert server.may_pass(lost) and not server.may_pass(refused)
    outcomes = iter([lost, "text"])

    async def talk():
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert asyncio.run(server.with_patience(talk, first_wait_s=0.01)) == "text"
    outcomes = iter([refused])
    with pytest.raises(InvalidStatus):
        asyncio.run(server.with_patience(talk))


IN_NODE = """
const texts = [];
const on = joiner((text) => texts.push(text));
const events = [["turn.update", "Hi"], ["turn.end", "Hi."], ["turn.update", " Yo"], ["turn.end", " You."]];
for (const [type, transcript] of events) on({ data: JSON.stringify({ type, transcript }) });
const sizes = [];
const push = collector(1000, (chunk) => sizes.push(chunk.length));
for (let i = 0; i < 4; i++) push(new Float32Array(64));
console.log(JSON.stringify({ texts, sizes, mixed: [...mono(new Int16Array([1, 3, -5, -7]))],
  bytes: Buffer.from(asPcmS16le(new Float32Array([0, 0.5, -1, 2]))).toString("hex"),
  level: levelDbfs(new Float32Array(10)), close: command("wss://a/stt/turns/websocket?x=1", "close") }));
"""


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
def test_javascript_does_what_it_says():
    used = ("joining", "chunking", "channels", "encoding", "signal", "endpoint")
    code = "\n".join(load_guide(check).code["JavaScript"] for check in used) + IN_NODE
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        "texts": ["Hi", "Hi.", "Hi. Yo", "Hi. You."],
        "sizes": [100, 100],
        "mixed": [2, -6],
        "bytes": "0000ff3f0180ff7f",
        "level": -120,
        "close": '{"type":"close"}',
    }

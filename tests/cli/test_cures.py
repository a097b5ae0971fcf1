"""From a fault to its cure, live: a client that has it talks to the stand-in through the recorder, `replay` names it,
and what `resend --repair` sends, or the text joined as it should be, leaves nothing to find.
"""

import asyncio
import base64
import contextlib
import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from proxying import proxy
from stand_in import KEY, Format, plans, recorded, sounds
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import sttdoctor
from sttdoctor.api import examine, session_facts
from sttdoctor.checks import all_causes
from sttdoctor.record.recording import Heading, Recording, to_file
from sttdoctor.resend.mend import plan_mended
from sttdoctor.resend.send import send
from sttdoctor.simulate.words import Script

live, muted, stalled, burst = plans.live, plans.muted, plans.stalled, plans.burst
pytestmark = [pytest.mark.realtime, pytest.mark.long]

WORDS = Script(("Mary rolled the barrel.", "Bobby ripped the ledger.", "Please call back."), 2.5)
SCENE = sounds.scene((0.3, "mary", 0.9, "bobby", 0.9, "mary", 0.5), 16000)
OTHER = sounds.scene((0.1, "bobby", 0.3, "bobby", 0.4, "mary", 0.9, "bobby", 0.9), 16000)[: len(SCENE)]
S16 = Format("pcm_s16le", 16000)
DATA = sounds.encode(SCENE, "pcm_s16le")
SAMPLES = np.frombuffer(DATA, "<i2")
CLOSE = '{"type":"close"}'
TIMED = ("pacing", "continuity", "latency")


@dataclass(frozen=True)
class Client:
    """What a client does wrong.

    Attributes:
        plan: (seconds, what goes out); a text is a text frame.
        declared: What it tells the service.
        ending: How it leaves.
        join: What it makes of the texts of updates and of ends, where its text is what is judged.
    """

    plan: list[tuple[float, bytes | str]] = field(default_factory=lambda: live(DATA, S16))
    declared: Format = S16
    ending: str = "drains"
    join: Callable[[list[str], list[str]], str] | None = None


def each(change, plan=None):
    """A plan whose messages are changed."""
    return [(due, change(number, chunk)) for number, (due, chunk) in enumerate(plan or live(DATA, S16))]


def as_json(_number, chunk):
    return json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(chunk).decode()})


def wav(data):
    return b"RIFF" + struct.pack("<I4s4sIHHIIHH4sI", len(data) + 36, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16,
                                 b"data", len(data)) + data  # fmt: skip


def rtp(number, chunk):
    return b"\x80\0" + struct.pack(">HII", number, 320 * number, 0x5EED) + chunk


def two(first, second):
    pairs = zip(live(first, S16), live(second, S16), strict=True)
    return [item for mine, others in pairs for item in (mine, others)]


def odd(data):
    """Chunks that cut a sample, each when its audio has been spoken."""
    return [((start + 3201) / 32000, data[start : start + 3201]) for start in range(0, len(data), 3201)]


def hasty(plan):
    """The close command jumps the queue of what waits to be sent."""
    due = plan[-9][0]
    return [*plan[:-8], (due, CLOSE), *((due, chunk) for _, chunk in plan[-8:-4])]


def short_reads(data):
    """Buffers of 150 ms that are sent whole, however much was read into them."""
    lengths = [(1600, 3200, 4800)[number % 3] for number in range(len(data) // 3200)]
    ends = np.cumsum(lengths).tolist()
    return [(end / 32000, data[end - size : end].ljust(4800, b"\0")) for end, size in zip(ends, lengths, strict=True)]


def swapped_pairs(plan):
    order = [number ^ 1 if number ^ 1 < len(plan) else number for number in range(len(plan))]
    return [(due, plan[number][1]) for (due, _), number in zip(plan, order, strict=True)]


def end_of(plan):
    return plan[-1][0]


LIVE = live(DATA, S16)
S24K = Format("pcm_s16le", 24000)
FAULTS = {
    "container.wav-header": Client(live(wav(DATA), S16)),
    "container.text": Client(each(lambda _, chunk: base64.b64encode(chunk))),
    "encoding.mismatch": Client(live(sounds.encode(SCENE, "pcm_f32le"), Format("pcm_f32le", 16000))),
    "encoding.byte-order": Client(live(SAMPLES.astype(">i2").tobytes(), S16)),
    "encoding.unsupported": Client(live(sounds.encode(SCENE, "s24le"), Format("s24le", 16000))),
    "encoding.misaligned": Client(live(DATA[1:-1], S16)),
    "encoding.swapped": Client(live(SAMPLES[: len(SAMPLES) // 2 * 2].reshape(-1, 2)[:, ::-1].tobytes(), S16)),
    "encoding.doubled": Client(
        live(np.repeat(SAMPLES, 2).tobytes(), Format("pcm_s16le", 32000)), Format("pcm_s16le", 32000)
    ),
    "sample-rate.mismatch": Client(
        live(sounds.encode(sounds.scene((0.3, "mary", 0.9, "bobby", 0.9, "mary", 0.5), 24000), "pcm_s16le"), S24K)
    ),
    "channels.interleaved": Client(live(np.repeat(SAMPLES, 2).reshape(-1, 2).tobytes(), Format("pcm_s16le", 32000))),
    "frames.header": Client(each(rtp)),
    "frames.two-streams": Client(two(DATA, sounds.encode(OTHER, "pcm_s16le"))),
    "frames.repeated": Client([item for item in LIVE for _ in range(2)]),
    "frames.zero-filled": Client(short_reads(DATA)),
    "frames.out-of-order": Client(swapped_pairs(live(DATA, S16, 0.04))),
    "messages.audio-as-text": Client(each(as_json)),
    "messages.partial-samples": Client(odd(DATA)),
    "messages.unknown-command": Client(sorted([*LIVE, (1.5, '{"type":"KeepAlive"}')], key=lambda item: item[0])),
    "messages.command-as-binary": Client([*LIVE, (end_of(LIVE), CLOSE.encode())]),
    "messages.audio-after-close": Client(hasty(LIVE)),
    "chunking.too-large": Client(live(DATA, S16, 1.5)),
    "pacing.burst": Client(burst(live(DATA + DATA, S16), 4.0, 4.5, 0.2)),
    "pacing.too-fast": Client(live(DATA + DATA, S16, speed=1.6)),
    "continuity.muted": Client(muted(LIVE, 1.0, 2.5)),
    "continuity.stalled": Client(stalled(live(DATA + DATA, S16), 4.0, 2.5)),
    "drain.no-close": Client(LIVE[:-7], ending="leaves"),
    "drain.hung-up": Client(LIVE[:-7], ending="hangs up"),
    "joining.updates-joined": Client(join=lambda updates, _: "".join(updates)),
    "joining.separator-added": Client(join=lambda _, ends: " ".join(ends)),
    "joining.whitespace-stripped": Client(join=lambda _, ends: "".join(text.strip() for text in ends)),
    "joining.turns-missing": Client(join=lambda _, ends: ends[-1]),
}


async def talk(port, client):
    """Let a client talk; returns the texts of updates and ends."""
    updates, ends = [], []
    query = f"model=ink-2&encoding={client.declared.encoding}&sample_rate={client.declared.rate}"
    url = f"ws://127.0.0.1:{port}/stt/turns/websocket?{query}"
    headers = {"Cartesia-Version": "2026-03-01", "X-API-Key": KEY}
    with contextlib.suppress(ConnectionClosed):
        async with connect(url, additional_headers=headers) as connection:

            async def read():
                async for message in connection:
                    event = json.loads(message)
                    texts = {"turn.update": updates, "turn.end": ends}.get(event["type"])
                    if texts is not None:
                        texts.append(event["transcript"])

            reader = asyncio.create_task(read())
            clock = asyncio.get_running_loop().time
            began = clock()
            for due, content in client.plan:
                await asyncio.sleep(began + due - clock())
                await connection.send(content)
            if client.ending != "leaves" and not any(content in (CLOSE, CLOSE.encode()) for _, content in client.plan):
                await connection.send(CLOSE)
            if client.ending == "drains":
                async with asyncio.timeout(8):
                    await reader
    return updates, ends


async def meet(client, folder):
    """Record a client; returns the recording and the text of its application."""
    path = folder / "s.jsonl"
    async with recorded(words=WORDS.words) as service, proxy(f"ws://127.0.0.1:{service.port}", path) as recorder:
        texts = [], []
        with contextlib.suppress(TimeoutError):
            texts = await talk(recorder.port, client)
        await recorder.finished()
    return path.read_bytes(), client.join(*texts) if client.join else None


async def send_again(plan):
    """Carry out a plan against a stand-in; returns the recording."""
    file = io.BytesIO()
    async with recorded(words=WORDS.words) as service:
        url = f"ws://127.0.0.1:{service.port}{plan.path}?{plan.query}"
        headers = {**plan.headers, "Authorization": f"Bearer {KEY}", "Cartesia-Version": "2026-03-01"}
        recording = Recording(Heading(url, headers, "sttdoctor resend", "client"), to_file(file))
        await send(plan, url, headers, recording, lambda _t: None)
    return file.getvalue()


@pytest.fixture(scope="module")
def met(tmp_path_factory):
    """Cause to facts, report and text of the client that has it."""

    async def all_of_them():
        runs = [meet(client, tmp_path_factory.mktemp("cure")) for client in FAULTS.values()]
        return await asyncio.gather(*runs)

    found = {}
    for cause, (recording, text) in zip(FAULTS, asyncio.run(all_of_them()), strict=True):
        facts = session_facts(recording, text, None, None, None)
        found[cause] = facts, examine(facts), recording
    return found


@pytest.fixture(scope="module")
def cured(met):
    """Cause to the report of the cure."""
    by_sending = {cause: facts for cause, (facts, _, _) in met.items() if not cause.startswith("joining.")}

    async def all_of_them():
        return await asyncio.gather(*(send_again(plan_mended(facts)) for facts in by_sending.values()))

    recordings = dict(zip(by_sending, asyncio.run(all_of_them()), strict=True))
    reports = {cause: sttdoctor.replay(recording, ignore=TIMED) for cause, recording in recordings.items()}
    for cause, (_, report, recording) in met.items():
        if cause not in by_sending:
            expected = report.subject["transcript"]["expected"]
            reports[cause] = sttdoctor.replay(recording, transcript=expected, ignore=TIMED)
    return reports


def test_there_are_25_and_more():
    assert len(FAULTS) >= 25 and set(FAULTS) <= set(all_causes())


@pytest.mark.parametrize("cause", FAULTS)
def test_the_cause_is_named(met, cause):
    first, *_ = [found for found in met[cause][1].diagnoses if not found.cause.startswith("latency.")]
    assert cause in (first.cause, *first.explains)


@pytest.mark.parametrize("cause", FAULTS)
def test_its_cure_leaves_nothing_to_find(cured, cause):
    assert [found.cause for found in cured[cause].diagnoses if not all_causes()[found.cause].informational] == []
    assert cured[cause].status in ("pass", "warn")

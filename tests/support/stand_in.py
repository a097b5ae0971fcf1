"""What the tests of the stand-in share: short speech, real clients of the vendor's SDK, verdicts on recordings."""

import asyncio
import contextlib
import io
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "fixtures"))  # its modules import each other by name, as a script's do

import plans  # noqa: E402
import sounds  # noqa: E402
from cartesia import AsyncCartesia, Cartesia  # noqa: E402
from plans import Format  # noqa: E402
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI  # noqa: E402

from sttdoctor.api import replay  # noqa: E402
from sttdoctor.record.recording import to_file  # noqa: E402
from sttdoctor.simulate.server import serve_simulator  # noqa: E402
from sttdoctor.simulate.words import Script  # noqa: E402

MULAW = Format("pcm_mulaw", 8000)
KEY = "sk_car_canary"
CLOSE = {"type": "close"}
SCRIPT = Script(("Mary rolled the barrel.", "Bobby ripped the ledger."), 2.5)
TEXT = "Mary rolled the barrel. Bobby ripped the ledger."
QUERY = "model=ink-2&encoding=pcm_mulaw&sample_rate=8000&cartesia_version=2026-03-01&access_token=canary"
TURNS, MANUAL = "/stt/turns/websocket", "/stt/websocket"


NEXT = {
    "turn.start": {"idle"},
    "turn.update": {"speaking"},
    "turn.eager_end": {"speaking"},
    "turn.resume": {"eager"},
    "turn.end": {"speaking", "eager"},
}
STATE = {"turn.start": "speaking", "turn.eager_end": "eager", "turn.resume": "speaking", "turn.end": "idle"}


def check_turns(events):
    """Assert that turn events follow the documented states and texts only grow; returns the last state."""
    state, shown = "idle", ""
    for event in events:
        kind = event["type"]
        assert state in NEXT[kind]
        state = STATE.get(kind, state)
        shown = "" if kind == "turn.start" else shown
        if "transcript" in event:
            assert event["transcript"].startswith(shown)
            shown = event["transcript"]
    return state


def speech(*parts: "str | float", fmt: Format = MULAW) -> bytes:
    """Clips and pauses as bytes."""
    return sounds.encode(sounds.scene(parts or ("mary", 0.9), fmt.rate), fmt.encoding)


def chunks(data: bytes, fmt: Format = MULAW) -> plans.Plan:
    """100 ms each, when they are due."""
    return plans.live(data, fmt)


class Heard(list):
    """(type, text) of the events that an application got, and how its connection failed."""

    error: "BaseException | None" = None

    @property
    def text(self) -> str:
        return "".join(text for kind, text in self if kind == "turn.end")


def sdk_for(port):
    """The asynchronous SDK, loaded: it takes a while, which no other client should feel."""
    sdk = AsyncCartesia(api_key=KEY, websocket_base_url=f"ws://127.0.0.1:{port}")
    assert sdk.stt.auto_finalize
    return sdk


async def talk(port, data, fmt=MULAW, patience_s=60.0, sdk=None, **options) -> Heard:
    """A healthy application on the asynchronous SDK: paced, drained, verbatim."""
    heard = Heard()
    sdk = sdk or sdk_for(port)
    socket = sdk.stt.auto_finalize.websocket(model="ink-2", encoding=fmt.encoding, sample_rate=fmt.rate, **options)
    try:
        async with socket as connection:

            async def read():
                async for event in connection:
                    heard.append((event.type, getattr(event, "transcript", "")))

            reader = asyncio.create_task(read())
            began = time.monotonic()
            with contextlib.suppress(ConnectionClosed):
                for due, chunk in chunks(data, fmt):
                    await asyncio.sleep(began + due - time.monotonic())
                    await connection.send_raw(chunk)
                await connection.send(CLOSE)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader, patience_s)
    except (ConnectionClosed, InvalidHandshake, InvalidURI) as error:
        heard.error = error
    await sdk.close()
    return heard


def talk_sync(port, data, fmt=MULAW) -> Heard:
    """The same on the synchronous SDK."""
    heard = Heard()
    with (
        Cartesia(api_key=KEY, websocket_base_url=f"ws://127.0.0.1:{port}") as sdk,
        sdk.stt.auto_finalize.websocket(model="ink-2", encoding=fmt.encoding, sample_rate=fmt.rate) as connection,
    ):

        def listen():
            heard.extend((event.type, getattr(event, "transcript", "")) for event in connection)

        reader = threading.Thread(target=listen)
        reader.start()
        began = time.monotonic()
        for due, chunk in chunks(data, fmt):
            time.sleep(max(0.0, began + due - time.monotonic()))
            connection.send_raw(chunk)
        connection.send(CLOSE)
        reader.join()
    return heard


class Recorded:
    """A stand-in that keeps its recordings."""

    def __init__(self):
        self.files = []
        self.port = 0

    def new(self):
        self.files.append(io.BytesIO())
        return to_file(self.files[-1])

    def reports(self, *transcripts):
        """Verdicts; a machine that is busy makes clients late, which is not what these tests are about."""
        texts = transcripts or [None] * len(self.files)
        return [
            replay(file.getvalue(), transcript=text, ignore=("pacing", "continuity"))
            for file, text in zip(self.files, texts, strict=True)
        ]


@contextlib.asynccontextmanager
async def recorded(behaviour=None, words=SCRIPT.words, door=None):
    kept = Recorded()
    async with serve_simulator(words, behaviour, make_sink=kept.new, door=door) as running:
        kept.port = running.port
        yield kept

"""One connection to the stand-in: audio comes in, is heard at its pace, and the events go out when they are due."""

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sttdoctor.analysis.decoding import decode
from sttdoctor.encodings import ENCODINGS
from sttdoctor.record.recording import Recording
from sttdoctor.simulate.detectors import ManualDetector, TurnDetector
from sttdoctor.simulate.faults import Behaviour, make_distortion
from sttdoctor.simulate.handshake import Accepted, error_event
from sttdoctor.simulate.words import Words
from sttdoctor.values import immutable

PIECE_S = 0.1
"""Audio is heard in pieces of this length, whatever the frames are."""

QUEUE_S = 600.0
"""Audio that may wait for a recogniser which is slower than the client; it bounds the memory."""


LEAST_AUDIO_S = 0.1
"""A session that is closed with less is answered with an error."""

MAX_COMMAND, MAX_COMMANDS = 65536, 1000
"""Characters of a text frame that are kept, and text frames that may wait: no command is as long, none are as many."""


_TORN = b'\x81\x7e\x01\x2c{"type": "turn.update", "transcript": "'
"""A text frame of 300 bytes, up to the middle of an event."""


class Backlog:
    """What waits, in order.

    Args:
        byte_rate: Bytes a second, as declared.
        width: Bytes a sample.
        speed: The service takes so many seconds of audio out of its buffer in a second.
        buffer_s: What the buffer holds.
    """

    def __init__(self, byte_rate: int, width: int, speed: float, buffer_s: float) -> None:
        self._byte_rate, self._width = byte_rate, width
        self._speed, self._buffer_s = speed, buffer_s
        self._items: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._partial = b""
        self._commands = 0  # that wait
        self._filled_s = self._queued_s = self._heard_until = 0.0
        self._updated = time.monotonic()

    def seconds(self, data: bytes) -> float:
        """The length of audio bytes as declared."""
        return len(data) / self._byte_rate

    def command(self, text: str) -> bool:
        """Add a command; it is obeyed when the audio before it has been heard. False when too many wait."""
        if self._commands >= MAX_COMMANDS:
            return False
        self._commands += 1
        self._items.put_nowait(text[:MAX_COMMAND])
        return True

    def audio(self, message: bytes) -> bool:
        """Add the bytes of a frame, of which a part of a sample waits for the next; False when they do not fit."""
        data = self._partial + message
        whole = len(data) // self._width * self._width
        self._partial = data[whole:]
        now = time.monotonic()
        self._filled_s = max(0.0, self._filled_s - (now - self._updated) * self._speed) + whole / self._byte_rate
        self._updated = now
        if self._filled_s > self._buffer_s or self._queued_s > QUEUE_S:
            return False
        step = max(1, round(self._byte_rate * PIECE_S / self._width)) * self._width
        for start in range(0, whole, step):
            self._items.put_nowait(data[start : min(start + step, whole)])
        self._queued_s += whole / self._byte_rate
        return True

    async def next(self) -> bytes | str:
        """Take the next piece of audio or command, at the service's speed."""
        ahead_s = self._heard_until - time.monotonic()
        if ahead_s > PIECE_S / 2:
            await asyncio.sleep(ahead_s)
        item = await self._items.get()
        if isinstance(item, bytes):
            self._queued_s -= self.seconds(item)
            self._heard_until = max(time.monotonic(), self._heard_until) + self.seconds(item) / self._speed
        else:
            self._commands -= 1
        return item


Event = dict[str, Any]
T = TypeVar("T")


@immutable
class _Goodbye:
    """The end of a connection; code None cuts the TCP connection without a WebSocket close, maybe within a frame."""

    code: int | None
    reason: str = ""
    torn: bool = False


class Conversation:
    """Serves one accepted connection to its end with `run`.

    Args:
        connection: The open WebSocket.
        accepted: What its URL asks for.
        behaviour: How to treat it.
        words: Where the text comes from.
        recording: Takes what is received and sent.
        request_id: Names the connection in its events.
        die: From its call on nothing goes out any more, not even a pong.
    """

    def __init__(
        self,
        connection: ServerConnection,
        accepted: Accepted,
        behaviour: Behaviour,
        words: Words,
        recording: Recording,
        request_id: str,
        die: Callable[[], None] = lambda: None,
    ) -> None:
        self._die, self._is_dead = die, False
        self._connection = connection
        self._accepted = accepted
        self._behaviour = behaviour
        self._recording = recording
        self._request_id = request_id
        self._in_thread = words.blocking
        make_ear = TurnDetector if accepted.endpoint.ends_turns else ManualDetector
        self._ear = make_ear(words, accepted.sample_rate, accepted.turn_options, request_id, behaviour.borders)
        width = ENCODINGS[accepted.encoding].width
        self._backlog = Backlog(width * accepted.sample_rate, width, behaviour.speed, behaviour.buffer_s)
        self._outbox: asyncio.Queue[tuple[float, Event | _Goodbye]] = asyncio.Queue()
        self._distort = make_distortion(behaviour.faults)
        self._silent = "silent" in behaviour.faults
        self._heard_s = 0.0

    async def run(self) -> None:
        """Listen, hear and answer until the connection is closed."""
        tasks = [asyncio.create_task(work()) for work in (self._listen, self._hear, self._deliver)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except ConnectionClosed:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        """Take what the client sends, until the connection ends."""
        loop = asyncio.get_running_loop()
        last_audio, flooded = loop.time(), False
        cut_s = self._behaviour.faults.get("idle-cut", math.inf)
        while True:
            idle, cut = last_audio + self._behaviour.idle_timeout_s, loop.time() + cut_s
            try:
                async with asyncio.timeout_at(min(idle, cut)):
                    message = await self._connection.recv()
            except TimeoutError:
                if cut < idle:
                    self._connection.transport.abort()
                else:
                    await self._connection.close(1001, "idle timeout")
                return
            self._recording.message(True, message)
            if isinstance(message, bytes):
                last_audio = loop.time()
            if flooded:
                continue
            if isinstance(message, str) and not self._backlog.command(message):
                flooded = True
                self._fail(500, "Internal server error", "too many commands wait for the audio before them")
            elif isinstance(message, bytes) and not self._backlog.audio(message):
                flooded = True
                self._fail(500, "Internal server error", "the audio buffer is full: audio came faster than realtime")

    async def _hear(self) -> None:
        """Hear to the end, then leave the end of the conversation to those who listen and deliver."""
        await self._hear_all()
        await asyncio.Event().wait()

    async def _hear_all(self) -> None:
        """Hear the audio in order, and obey commands where they stand in it."""
        self._say(self._ear.greeting(), 0.0)
        if not self._accepted.model_known:
            self._fail(400, "Model not found", f"there is no model {self._accepted.model[:40]} here", "model_not_found")
            return
        ended = False
        while not ended:
            item = await self._backlog.next()
            try:
                if isinstance(item, bytes):
                    await self._hear_piece(item)
                    self._heard_s += self._backlog.seconds(item)
                else:
                    ended = await self._obey(item)
            except (OSError, EOFError):  # the recogniser's process is gone
                self._fail(500, "Internal server error", "the recogniser does not answer")
                return
            if self._heard_s >= self._behaviour.fault_after_s:
                self._strike()

    async def _hear_piece(self, piece: bytes) -> None:
        samples = decode(piece, self._accepted.encoding)
        self._say(await self._run(lambda: list(self._ear.hear(samples))), self._behaviour.latency_s)

    async def _obey(self, command: str) -> bool:
        """Do what a text frame asks for; whether it ends the session."""
        events, ends = await self._run(lambda: self._ear.obey(command))
        if ends and self._heard_s < LEAST_AUDIO_S and self._accepted.endpoint.ends_turns:
            told = f"the session holds less than {LEAST_AUDIO_S:g} s of audio"
            events = [error_event(400, "No audio", told, None, self._request_id)]
        hasty = ends and "no-drain" in self._behaviour.faults
        self._say([] if hasty else events, self._behaviour.flush_s)
        if ends:
            self._post(_Goodbye(1000), 0.0 if hasty else self._behaviour.flush_s)
        return ends

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work) if self._in_thread else work()

    def _strike(self) -> None:
        """The faults in mid-session."""
        faults = self._behaviour.faults
        if "error-event" in faults:
            self._fail(int(faults["error-event"]), "Simulated error", "this error was asked for with --fault")
        if "closed-abnormally" in faults:
            self._post(_Goodbye(int(faults["closed-abnormally"]), "simulated"), 0.0)
        if "connection-lost" in faults:
            self._post(_Goodbye(None), 0.0)
        if "torn-frame" in faults:
            self._post(_Goodbye(None, torn=True), 0.0)
        if "half-open" in faults:
            self._is_dead = True
            self._die()
        if "quota" in faults:
            self._fail(int(faults["quota"]), "Insufficient credits", "the credits of this account are used up")
        if "expired" in faults:
            self._fail(401, "Unauthorized", "the access token has expired")
        self._silent = self._silent or "stopped-answering" in faults

    def _fail(self, status: int, title: str, message: str, code: str | None = None) -> None:
        """Send an error event and close; an error of the request is not worth another try, which 1008 says."""
        self._post(error_event(status, title, message, code, self._request_id), 0.0)
        self._post(_Goodbye(1011 if status >= 500 else 1008, title), 0.0)

    def _say(self, events: Iterable[Event], delay_s: float) -> None:
        for event in events:
            for changed in self._distort(event):
                self._post(changed, delay_s)

    def _post(self, item: Event | _Goodbye, delay_s: float) -> None:
        if not self._silent:
            self._outbox.put_nowait((time.monotonic() + delay_s + self._behaviour.faults.get("slow", 0.0), item))

    async def _deliver(self) -> None:
        """Send events when they are due, in order, and close."""
        while True:
            due, item = await self._outbox.get()
            await asyncio.sleep(due - time.monotonic())
            if self._is_dead:
                continue
            if isinstance(item, _Goodbye):
                if item.torn:
                    self._connection.transport.write(_TORN)
                    self._connection.transport.close()  # which sends it first
                elif item.code is None:
                    self._connection.transport.abort()
                else:
                    await self._connection.close(item.code, item.reason)
                return
            text = json.dumps(item)
            await self._connection.send(text)
            self._recording.message(False, text)

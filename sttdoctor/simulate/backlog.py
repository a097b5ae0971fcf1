"""The audio that a connection has brought and that is not heard yet, and the commands between it."""

import asyncio
import time

PIECE_S = 0.1
"""Audio is heard in pieces of this length, whatever the frames are."""

QUEUE_S = 600.0
"""Audio that may wait for a recogniser which is slower than the client; it bounds the memory."""


MAX_COMMAND, MAX_COMMANDS = 65536, 1000
"""Characters of a text frame that are kept, and text frames that may wait: no command is as long, none are as many."""


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

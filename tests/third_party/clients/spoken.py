"""What the clients share: a file as it is spoken, and the text that they end up with."""

import asyncio
import json
import time
import wave
from collections.abc import AsyncIterator, Iterator


def speak(path: str, seconds: float) -> Iterator[bytes]:
    """Yield chunks of so many seconds when they are due."""
    began = time.monotonic()
    with wave.open(path) as file:
        size = round(file.getframerate() * seconds)
        for number in range(-(-file.getnframes() // size)):
            time.sleep(max(0.0, began + number * seconds - time.monotonic()))
            yield file.readframes(size)


async def speak_async(path: str, seconds: float) -> AsyncIterator[bytes]:
    """The same, without holding up what else there is to do."""
    began = time.monotonic()
    with wave.open(path) as file:
        size = round(file.getframerate() * seconds)
        for number in range(-(-file.getnframes() // size)):
            await asyncio.sleep(began + number * seconds - time.monotonic())
            yield file.readframes(size)


def tell(text: str) -> None:
    """Print the text that the application has, as the last line."""
    print(json.dumps({"text": text}), flush=True)

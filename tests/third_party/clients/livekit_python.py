"""The plugin of LiveKit's agents for Python: a stream of 20 ms frames, as a room gives them."""

import asyncio
import sys

import aiohttp
from livekit import rtc
from livekit.agents import stt
from livekit.plugins import cartesia
from spoken import speak_async, tell


async def main(base_url: str, path: str) -> None:
    async with aiohttp.ClientSession() as http:
        ears = cartesia.STT(api_key="any", base_url=base_url, http_session=http)
        stream = ears.stream()

        async def send() -> None:
            async for chunk in speak_async(path, 0.02):
                stream.push_frame(rtc.AudioFrame(chunk, 16000, 1, len(chunk) // 2))
            stream.end_input()

        sending = asyncio.create_task(send())
        final = stt.SpeechEventType.FINAL_TRANSCRIPT
        texts = [event.alternatives[0].text async for event in stream if event.type == final]
        await sending
    tell("".join(texts))


asyncio.run(main(*sys.argv[1:]))

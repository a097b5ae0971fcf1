"""The vendor's SDK for Python, asynchronous."""

import asyncio
import sys

from cartesia import AsyncCartesia
from spoken import speak_async, tell


async def main(base_url: str, path: str) -> None:
    async with (
        AsyncCartesia(api_key="any", base_url=base_url) as sdk,
        sdk.stt.auto_finalize.websocket(model="ink-2", encoding="pcm_s16le", sample_rate=16000) as connection,
    ):

        async def send() -> None:
            async for chunk in speak_async(path, 0.1):
                await connection.send_raw(chunk)
            await connection.send({"type": "close"})

        sending = asyncio.create_task(send())
        text = "".join([event.transcript async for event in connection if event.type == "turn.end"])
        await sending
    tell(text)


asyncio.run(main(*sys.argv[1:]))

"""The plugin of Vision Agents: 20 ms of audio of a participant at a time."""

import asyncio
import sys

from getstream.video.rtc.track_util import AudioFormat, PcmData
from spoken import speak_async, tell
from vision_agents.core.edge.types import Participant
from vision_agents.core.stt.stt import Transcript
from vision_agents.plugins import cartesia


async def main(base_url: str, path: str) -> None:
    url = base_url.replace("http://", "ws://") + "/stt/turns/websocket"
    ears = cartesia.STT(api_key="any", websocket_url=url)
    await ears.start()
    text = ""

    async def listen() -> None:
        nonlocal text
        async for item in ears.output:
            if isinstance(item, Transcript) and item.final:
                text += item.text

    listening = asyncio.create_task(listen())
    somebody = Participant(original=None, user_id="somebody", id="1")
    async for chunk in speak_async(path, 0.02):
        await ears.process_audio(
            PcmData.from_bytes(chunk, sample_rate=16000, format=AudioFormat.S16, channels=1), somebody
        )
    await ears.close()
    await listening
    tell(text)


asyncio.run(main(*sys.argv[1:]))

"""Pipecat's service for the turns endpoint, in a pipeline that gets 20 ms frames, as a transport gives them."""

import asyncio
import sys

from pipecat.frames.frames import EndFrame, Frame, InputAudioRawFrame, TranscriptionFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.cartesia.turns.stt import CartesiaTurnsSTTService
from pipecat.workers.runner import WorkerRunner
from spoken import speak_async, tell


class Listener(FrameProcessor):
    """Keeps the final texts."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            self.text += frame.text
        await self.push_frame(frame, direction)


async def main(base_url: str, path: str) -> None:
    url = base_url.replace("http://", "ws://") + "/stt/turns/websocket"
    listener = Listener()
    pipeline = Pipeline([CartesiaTurnsSTTService(api_key="any", url=url, sample_rate=16000), listener])
    params = PipelineParams(audio_in_sample_rate=16000)
    worker = PipelineWorker(pipeline, params=params, cancel_on_idle_timeout=False)
    started = asyncio.Event()

    @worker.event_handler("on_pipeline_started")
    async def on_started(_worker: PipelineWorker, _frame: Frame) -> None:
        started.set()

    async def send() -> None:
        await started.wait()
        async for chunk in speak_async(path, 0.02):
            await worker.queue_frame(InputAudioRawFrame(audio=chunk, sample_rate=16000, num_channels=1))
        await worker.queue_frame(EndFrame())

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await asyncio.gather(runner.run(), send())
    tell(listener.text)


asyncio.run(main(*sys.argv[1:]))

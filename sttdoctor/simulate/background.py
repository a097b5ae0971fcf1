"""The stand-in in a thread of its own, for clients that block: a test, a notebook, a synchronous program."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future

from sttdoctor.net.strangers import Door
from sttdoctor.simulate.behaviour import Behaviour
from sttdoctor.simulate.server import MakeSink, Simulator, simulator
from sttdoctor.simulate.words import MakeWords


@contextlib.contextmanager
def in_background(
    make_words: MakeWords, behaviour: Behaviour, make_sink: MakeSink, door: Door | None = None
) -> Iterator[Simulator]:
    """Run the stand-in on a free port of 127.0.0.1; leaving the context ends it, recordings included.

    Args:
        make_words: Where each connection's text comes from.
        behaviour: How to treat a connection.
        make_sink: Takes the recording of each connection; it is called in the thread.
        door: Who may connect; by default programs and pages of this machine.
    """
    started: Future[tuple[Simulator, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        ended = asyncio.Event()
        async with simulator(make_words, behaviour, make_sink=make_sink, door=door) as running:
            started.set_result((running, asyncio.get_running_loop(), ended))
            await ended.wait()

    def thread() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
                return
            raise

    worker = threading.Thread(target=thread, name="sttdoctor-simulator", daemon=True)
    worker.start()
    running, loop, ended = started.result()
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(ended.set)
        worker.join()

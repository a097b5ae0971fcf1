"""Sends a plan to a service in real time and records the new session."""

import asyncio
import contextlib
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import EXTERNAL_CLOSE_CODES

from sttdoctor.errors import InputError
from sttdoctor.readers.wire.tap import MAX_AUDIO_BYTES
from sttdoctor.record.recording import Recording
from sttdoctor.record.upstream import why
from sttdoctor.redact import redact_text
from sttdoctor.resend.plan import Leaving, Leg, Plan

OPEN_TIMEOUT_S = 20.0
_LONGEST_REASON = 123  # bytes, of a close
PATIENCE_S = 30.0  # for a server that neither answers nor closes after the last message

Progress = Callable[[float], None]


async def send(plan: Plan, url: str, headers: dict[str, str], recording: Recording, progress: Progress) -> None:
    """Send all connections of a plan, one after another.

    Args:
        plan: What to send when.
        url: The whole address.
        headers: Of the handshake, with a key.
        recording: Takes what happens, secrets redacted.
        progress: Is called with the seconds of the plan that are done.

    Raises:
        InputError: The service cannot be reached.
    """
    began = None
    for leg in plan.legs:
        loop = asyncio.get_running_loop()
        if began is not None:
            await asyncio.sleep(began + leg.begin_s - loop.time())
        connection = await _opened(url, headers, recording)
        if connection is None:
            return
        began = loop.time() - leg.begin_s if began is None else began
        await _converse(connection, leg, recording, lambda t, leg=leg: progress(leg.begin_s + t))  # type: ignore[misc]


class _Connect(connect):
    """Connects to the service that was named, and not to where it sends on: the key goes nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _opened(url: str, headers: dict[str, str], recording: Recording) -> ClientConnection | None:
    """Connect; None where the handshake was refused, which is recorded."""
    agent = headers.get("User-Agent")
    others = {name: value for name, value in headers.items() if name != "User-Agent"}
    try:
        connection = await _Connect(
            url,
            additional_headers=others,
            user_agent_header=agent,
            compression=None,
            max_size=MAX_AUDIO_BYTES,
            ping_interval=None,  # a service that does not answer is to be seen in the recording
            open_timeout=OPEN_TIMEOUT_S,
        )
    except InvalidStatus as error:
        answer = error.response
        body = (answer.body or b"").decode(errors="replace")
        recording.opened(answer.status_code, dict(answer.headers.raw_items()), body)
        return None
    except (OSError, InvalidHandshake) as error:
        raise InputError(f"cannot reach {url.partition('?')[0]}: {redact_text(why(error))}") from None
    response = connection.response
    recording.opened(101, dict(response.headers.raw_items()) if response is not None else None)
    return connection


async def _converse(connection: ClientConnection, leg: Leg, recording: Recording, progress: Progress) -> None:
    reader = asyncio.create_task(_read(connection, recording))
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        with contextlib.suppress(ConnectionClosed):
            for step in leg.steps:
                await asyncio.sleep(began + step.t - clock())
                await connection.send(step.content)
                recording.message(True, step.content)
                progress(step.t)
        await _end(connection, leg.leaving, reader, began)
    finally:
        reader.cancel()
        connection.transport.abort()
    recording.closed(*_close(connection, leg.leaving))


async def _read(connection: ClientConnection, recording: Recording) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            recording.message(False, message)


async def _end(
    connection: ClientConnection, leaving: Leaving | None, reader: "asyncio.Task[None]", began: float
) -> None:
    """Leave as planned, or read until the server closes."""
    now = asyncio.get_running_loop().time()
    wait_s = PATIENCE_S if leaving is None else max(0.0, began + leaving.t - now)
    await asyncio.wait([reader], timeout=wait_s)
    if reader.done():
        await connection.wait_closed()
    elif leaving is not None and leaving.code is None:
        connection.transport.abort()
    else:
        with contextlib.suppress(ConnectionClosed):
            await connection.close(*_sendable(leaving))


def _sendable(leaving: Leaving | None) -> tuple[int, str]:
    """Return the code and the reason of a close as near to the planned one as a close frame can have them."""
    if leaving is None or leaving.code is None:
        return 1000, ""
    sendable = leaving.code in EXTERNAL_CLOSE_CODES or 3000 <= leaving.code < 5000
    reason = leaving.reason.encode(errors="replace")[:_LONGEST_REASON].decode(errors="ignore")
    return (leaving.code, reason) if sendable else (1000, reason)


def _close(connection: ClientConnection, leaving: Leaving | None) -> tuple[str, int, str]:
    """Who closed, the code and the reason."""
    received, sent = connection.protocol.close_rcvd, connection.protocol.close_sent
    if received is not None and connection.protocol.close_rcvd_then_sent:
        return "server", received.code, received.reason
    if sent is not None:
        return "client", sent.code, sent.reason
    return "client" if leaving is not None and leaving.code is None else "server", 1006, ""

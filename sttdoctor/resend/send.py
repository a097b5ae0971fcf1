"""Sends a plan to a service in real time and records the new session."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import EXTERNAL_CLOSE_CODES

from sttdoctor import __version__
from sttdoctor.errors import InputError, UsageError
from sttdoctor.evidence import Session
from sttdoctor.net import is_loopback
from sttdoctor.readers.wire.tap import MAX_AUDIO_BYTES
from sttdoctor.record.journal import Journal, free_names, number_names
from sttdoctor.record.recording import Heading, Recording
from sttdoctor.record.upstream import Destination, say_why
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
        connection = await _open(url, headers, recording)
        if connection is None:
            return
        began = loop.time() - leg.begin_s if began is None else began
        await _converse(connection, leg, recording, lambda t, leg=leg: progress(leg.begin_s + t))  # type: ignore[misc]


class _Connect(connect):
    """Connects to the service that was named, and not to where it sends on: the key goes nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _open(url: str, headers: dict[str, str], recording: Recording) -> ClientConnection | None:
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
        raise InputError(f"cannot reach {url.partition('?')[0]}: {redact_text(say_why(error))}") from None
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


KEY = "CARTESIA_API_KEY"
PLACEHOLDER = "placeholder"  # the stand-in wants a key and takes any


def resend(
    plan: Plan,
    to: str,
    free: Iterator[Path],
    is_repaired: bool,
    tell: Callable[[str], None],
    show: Callable[[float], None],
) -> Path:
    """Send a plan, in real time, and record the new session.

    Args:
        plan: What to send when.
        to: Where to send it.
        free: Names for the recording, as `choose_names` makes them.
        is_repaired: Whether the plan is that of a healthy client, whose text is every final one as it is.
        tell: Is given each sentence for the user.
        show: Is given the seconds that were sent, as they pass.

    Returns:
        The recording.

    Raises:
        InputError: The service cannot be reached.
        UsageError: The address or the file cannot be used, or a key would be sent in clear.
    """
    destination = Destination.parse(to)
    key = _key(destination)
    if key and destination.upstream.in_clear:
        raise UsageError(f"{KEY} would be sent to {destination.upstream.host} without encryption; use wss://")
    url = destination.url(plan.path, plan.query)
    headers = {"User-Agent": f"sttdoctor/{__version__}", **plan.headers}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    for note in plan.notes:
        tell(f"- {note}")
    tell(f"sending {plan.seconds:.1f} s in real time to {destination.upstream.url}")
    ends: list[str] = []
    journal = Journal(Heading(url, headers, "sttdoctor resend", "client"), free, tell, ends=ends)
    if journal.path is None:
        raise UsageError("the new session cannot be recorded, so it was not sent")
    try:
        asyncio.run(send(plan, url, headers, journal.recording, show))
        if is_repaired:
            journal.recording.transcript("".join(ends))  # joined verbatim
    except InputError:
        if journal.status is None:  # nothing answered, so there is nothing to keep
            journal.path.unlink(missing_ok=True)
        raise
    finally:
        journal.end()
    tell(f"recorded in {journal.path}")
    return journal.path


def _key(destination: Destination) -> str:
    """Return the user's key; where there is none, a placeholder for this machine, empty for any other."""
    named = {name for name, _ in parse_qsl(destination.query, keep_blank_values=True)}
    wanting = is_loopback(destination.upstream.host) and not named & {"access_token", "api_key"}
    return os.environ.get(KEY, "").strip() or (PLACEHOLDER if wanting else "")


def choose_names(session: Session, record: str | None, is_repaired: bool) -> Iterator[Path]:
    """Return names for the recording of a session that is sent again; where none is given, free ones beside it."""
    if record is not None:
        return free_names(record)
    source = Path(session.path or "session.jsonl")
    stem = source.name.removesuffix(".gz").removesuffix(".jsonl")
    return number_names(source.with_name(f"{stem}-{'repaired' if is_repaired else 'again'}.jsonl"))

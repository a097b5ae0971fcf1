"""Connecting to the service."""

import asyncio
import contextlib
import socket
import ssl
import threading
from typing import Any

from sttdoctor.record.upstream import Upstream


async def dial(protocol: asyncio.BaseProtocol, upstream: Upstream, tls: ssl.SSLContext | None) -> None:
    """Connect a protocol to the first address of a service that answers.

    Raises:
        OSError: None does, or TLS fails.
    """
    loop = asyncio.get_running_loop()
    failed: OSError = OSError("the name has no address")
    for address in await _addresses(upstream.host, upstream.port):
        try:
            name = upstream.host if tls is not None else None
            await loop.create_connection(lambda: protocol, address, upstream.port, ssl=tls, server_hostname=name)
            return
        except OSError as error:
            failed = error
    raise failed


async def _addresses(host: str, port: int) -> list[str]:
    """Look a name up in a thread of its own, for which nobody waits when the program ends before the answer comes."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str], error: OSError | UnicodeError | None) -> None:
        if found.done():
            return
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(addresses)

    def look() -> None:
        addresses: list[Any] = []
        failed = None
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(answer[4][0] for answer in answers))
        except (OSError, UnicodeError) as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, addresses, failed)

    threading.Thread(target=look, daemon=True).start()
    return await found

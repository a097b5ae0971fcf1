"""The service to connect on to, from the command line: dialing it, and why it cannot be reached."""

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from sttdoctor.errors import UsageError
from sttdoctor.net import is_loopback
from sttdoctor.redact import redact_text

_SCHEMES = {"ws": 80, "http": 80, "wss": 443, "https": 443}


@dataclass(frozen=True, slots=True)
class Upstream:
    """A service.

    Attributes:
        host: Name or address, without brackets.
        port: Its TCP port.
        secure: Whether it speaks TLS.
        prefix: Path before every path of a client, without a slash at its end.
        authority: Host and port as in the URL, for the Host header.
    """

    host: str
    port: int
    secure: bool
    prefix: str
    authority: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take a URL apart; without a scheme it is `wss`.

        Raises:
            UsageError: It is no address of a service.
        """
        shown = redact_text(url)
        try:
            parts = urlsplit(url if "://" in url else f"wss://{url}")
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise UsageError(f"{shown} is no address: {error}") from None
        if parts.scheme not in _SCHEMES or not host:
            raise UsageError(f"{shown} is no address of a service; write wss://HOST or ws://HOST:PORT")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise UsageError(f"{shown}: only scheme, host, port and a path; the rest comes from the client")
        known = port or _SCHEMES[parts.scheme]
        return cls(host, known, parts.scheme in ("wss", "https"), parts.path.rstrip("/"), parts.netloc)

    @property
    def url(self) -> str:
        """The address as a WebSocket URL, to which path and query are appended."""
        return f"{'wss' if self.secure else 'ws'}://{self.authority}{self.prefix}"

    @property
    def in_clear(self) -> bool:
        """Whether what is sent there can be read on the way."""
        return not self.secure and not is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a session is sent again: a service, and a path and a query that replace those of the session."""

    upstream: Upstream
    path: str
    query: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take a URL apart; path and query may be missing.

        Raises:
            UsageError: It is no address of a service.
        """
        base, _, query = url.partition("?")
        scheme, mark, rest = base.rpartition("://")
        host, _, path = rest.partition("/")
        return cls(Upstream.parse(f"{scheme}{mark}{host}"), path.rstrip("/"), query)

    def url(self, path: str, query: str) -> str:
        """Return the whole address, with path and query of the session where none was given.

        Raises:
            UsageError: Neither has a path.
        """
        own = f"/{self.path}" if self.path else path
        if not own:
            raise UsageError("the path of the session is no endpoint of the service; write one into the URL")
        return f"{self.upstream.url}{own}?{self.query or query}"


def cannot_listen(where: str, error: BaseException) -> UsageError:
    """Return the error to raise for an address (host and port) that cannot be bound."""
    return UsageError(f"cannot listen at {where}: {say_why(error)}; try another address with --listen")


def say_why(error: BaseException) -> str:
    """Return what a network error says, for a person."""
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: its certificate is not accepted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(getattr(error, 'reason', None) or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    if isinstance(error, ConnectionError):
        return "it broke the connection off; does it speak what the URL says, with or without TLS?"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


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

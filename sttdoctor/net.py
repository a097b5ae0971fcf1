"""Where a server of this package listens, and who may use it: not any web page that a browser here happens to show.

A page may open a WebSocket to any address, also to this machine, and says in `Origin` where it comes from. A page may
also give its own host name the address of this machine (DNS rebinding); then the name stands in `Host`.
"""

import asyncio
import contextlib
import ipaddress
import re
import signal
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from sttdoctor.errors import UsageError
from sttdoctor.values import immutable

_HOST = re.compile(r"[a-z0-9._:\[\]-]+")
_NOT_PUBLIC = ("local", "internal", "lan", "home.arpa")
"""Ends of names that no public name server answers for."""


@immutable
class Door:
    """Whom a server lets in.

    Attributes:
        alone: Whether it listens on loopback.
        origins: Of pages that may use it, in lower case; `*` is any.
        hosts: Further names under which it is reached, in lower case.
    """

    alone: bool
    origins: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, host: str, origins: Collection[str] = (), hosts: Collection[str] = ()) -> "Door":
        """Return the door of a server that listens at a host.

        Raises:
            UsageError: An origin is none, or a host name.
        """
        for name in hosts:
            if _name_of(name.lower()) != name.lower():
                raise UsageError(f"{name} is no host name; write it alone, for instance stt.example")
        for origin in origins:
            if origin not in ("*", "null") and not _is_origin(origin):
                raise UsageError(f"{origin} is no origin; write it as a browser does, for instance https://app.example")
        return cls(is_loopback(host), frozenset(map(str.lower, origins)), frozenset(map(str.lower, hosts)))

    def refusal(self, host: str, origin: str, site: str) -> str | None:
        """Return why a request is refused, None where it is not.

        Args:
            host: Its Host.
            origin: Its Origin, empty where it has none.
            site: Its Sec-Fetch-Site, empty where it has none; a browser tells by it of a page that has no Origin.
        """
        name = _name_of(host.lower())
        if name is None:
            return "the Host of the request is no name or address"
        if not self._knows(name):
            return f"{name}, the Host of the request, is not this machine; if it is, add --allow-host {name}"
        if origin and not self._welcomes(origin.lower(), host.lower()):
            page = "a page without a site" if origin == "null" else f"a page of {origin}"
            return f"{page} may not connect here; if it should, add --allow-origin {origin}"
        if not origin and site.lower() == "cross-site" and "*" not in self.origins:
            return "a page of another site may not ask for this"
        return None

    def _knows(self, name: str) -> bool:
        if name in self.hosts or is_this_machine(name) or is_address(name):
            return True
        return not self.alone and (_is_not_public(name) or name == socket.gethostname().lower())

    def _welcomes(self, origin: str, host: str) -> bool:
        if "*" in self.origins or origin in self.origins:
            return True
        if not _is_origin(origin):
            return False
        where = urlsplit(origin)
        return where.netloc == host or is_this_machine(where.hostname or "")


def is_this_machine(name: str) -> bool:
    """Whether a host name or address, in lower case, can be no other machine than this one."""
    return is_loopback(name) or name.endswith(".localhost")


def _name_of(host: str) -> str | None:
    """The name or address of a Host header, without port and brackets; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    name = parts.hostname
    return name.removesuffix(".") if name and parts.netloc == host and _HOST.fullmatch(host) else None


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.scheme and parts.hostname) and text == f"{parts.scheme}://{parts.netloc}" and "@" not in text


def is_address(name: str) -> bool:
    """Whether a text is an IP address, without brackets."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_not_public(name: str) -> bool:
    return "." not in name or name.endswith(tuple(f".{end}" for end in _NOT_PUBLIC))


def host_port(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`, with an IPv6 address in brackets; port 0 is any free one.

    Raises:
        UsageError: It is none.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        raise UsageError(f"{text} is no address to listen at; write HOST:PORT, for instance 127.0.0.1:8766")
    return host.removeprefix("[").removesuffix("]"), int(port)


def show_host(host: str) -> str:
    """Return a host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def stop_signal() -> "asyncio.Future[int]":
    """Catch SIGINT and SIGTERM; returns what will be the exit code: 128 and the number of the one that came."""
    return stop_signals()[0]


def stop_signals() -> "tuple[asyncio.Future[int], asyncio.Future[int]]":
    """Catch SIGINT and SIGTERM; returns the exit codes of the first one and of the second, as `stop_signal` does."""
    loop = asyncio.get_running_loop()
    first: asyncio.Future[int] = loop.create_future()
    again: asyncio.Future[int] = loop.create_future()

    def tell(number: int) -> None:
        told = again if first.done() else first
        if not told.done():
            told.set_result(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C is a KeyboardInterrupt there
            loop.add_signal_handler(number, tell, number)
    return first, again

"""What the live commands share: where to listen, and running until a signal ends it."""

import asyncio
import contextlib
import ipaddress
import signal

from sttdoctor.errors import UsageError


def host_port(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`, with an IPv6 address in brackets; port 0 is any free one.

    Raises:
        UsageError: It is none.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        raise UsageError(f"{text} is no address to listen at; write HOST:PORT, for instance 127.0.0.1:8766")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def stop_signal() -> "asyncio.Future[int]":
    """Catch SIGINT and SIGTERM; returns what will be the exit code: 128 and the number of the one that came."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[int] = loop.create_future()

    def tell(number: int) -> None:
        if not told.done():
            told.set_result(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C is a KeyboardInterrupt there
            loop.add_signal_handler(number, tell, number)
    return told

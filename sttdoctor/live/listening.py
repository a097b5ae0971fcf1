"""What the live commands share: where to listen, and running until a signal ends it."""

import asyncio
import contextlib
import ipaddress
import signal
from collections.abc import Awaitable, Callable

from sttdoctor.errors import InputError, UsageError


def parse_listen(text: str) -> tuple[str, int]:
    """Take `HOST:PORT` apart; the host of an IPv6 address stands in brackets.

    Raises:
        UsageError: It is not of that form.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port[:6]) < 65536):
        raise UsageError(f"--listen takes HOST:PORT such as 127.0.0.1:8766, not {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def cannot_listen(host: str, port: int, error: OSError) -> InputError:
    """The sentence for a port that cannot be had."""
    reason = "another program listens there" if error.errno in (48, 98, 10048) else error.strerror or str(error)
    return InputError(f"cannot listen on {host}:{port}: {reason}; choose another with --listen HOST:PORT")


def run_until_signal(work: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    """Run `work` with an event that SIGINT and SIGTERM set; returns the exit code, 130 or 143 after one of them."""

    async def run() -> int:
        stop, code = asyncio.Event(), 0

        def stopped(number: int) -> None:
            nonlocal code
            code = 128 + number
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: there Ctrl-C raises KeyboardInterrupt
                asyncio.get_running_loop().add_signal_handler(number, stopped, number)
        await work(stop)
        return code

    return asyncio.run(run())

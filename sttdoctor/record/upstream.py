"""The service to connect on to, from the command line: dialing it, and why it cannot be reached."""

import asyncio
import base64
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterable
from typing import Any, Self
from urllib.parse import SplitResult, unquote, urlsplit

from sttdoctor.errors import UsageError
from sttdoctor.net import is_loopback, show_host
from sttdoctor.readers.wire.http_head import END, MAX_HEAD_BYTES, BadHeadError, Head
from sttdoctor.redact import redact_text
from sttdoctor.values import immutable

_SCHEMES = {"ws": 80, "http": 80, "wss": 443, "https": 443}


def _split(url: str, scheme: str) -> tuple[SplitResult, str, int | None, str]:
    """The parts of a URL, which has a scheme by default, its host and port, and how it may be shown.

    Raises:
        UsageError: It is no URL.
    """
    shown = redact_text(url)
    try:
        parts = urlsplit(url if "://" in url else f"{scheme}://{url}")
        return parts, parts.hostname or "", parts.port, shown
    except ValueError as error:
        raise UsageError(f"{shown} is no address: {error}") from None


@immutable
class HttpProxy:
    """A proxy on the way to a service, which is asked by CONNECT (RFC 9110, section 9.3.6).

    Attributes:
        host: Name or address, without brackets.
        port: Its TCP port.
        login: What goes into Proxy-Authorization, empty where it wants none.
    """

    host: str
    port: int
    login: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take a URL apart; without a scheme it is `http`.

        Raises:
            UsageError: It is no address of such a proxy.
        """
        parts, host, port, shown = _split(url, "http")
        if parts.scheme != "http" or not host or parts.path.strip("/") or parts.query:
            raise UsageError(
                f"{shown} is no address of a proxy; write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"
            )
        user = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        login = f"Basic {base64.b64encode(user.encode()).decode()}" if parts.username else ""
        return cls(host, port or 8080, login)

    def blame(self, error: BaseException) -> OSError:
        """Return the error to raise where it is the proxy that cannot be reached."""
        return OSError(f"the proxy on the way, {show_host(self.host)}:{self.port}, cannot be reached: {say_why(error)}")


@immutable
class Upstream:
    """A service.

    Attributes:
        host: Name or address, without brackets.
        port: Its TCP port.
        secure: Whether it speaks TLS.
        prefix: Path before every path of a client, without a slash at its end.
        authority: Host and port as in the URL, for the Host header.
        address: Where to connect instead of looking the name up, empty where it is looked up.
        proxy: On the way there, None where there is none.
    """

    host: str
    port: int
    secure: bool
    prefix: str
    authority: str
    address: str = ""
    proxy: HttpProxy | None = None

    @classmethod
    def parse(cls, url: str) -> Self:
        """Take a URL apart; without a scheme it is `wss`.

        Raises:
            UsageError: It is no address of a service.
        """
        parts, host, port, shown = _split(url, "wss")
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


@immutable
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
    name = upstream.host if tls is not None else None
    through = upstream.proxy
    host, port = (upstream.address or upstream.host, upstream.port) if through is None else (through.host, through.port)
    failed: OSError = OSError("the name has no address")
    try:
        addresses = await _addresses(host, port)
    except (OSError, UnicodeError) as error:
        raise error if through is None else through.blame(error) from None
    for address in addresses:
        try:
            if through is not None:
                way = await _ask_proxy(address, through, upstream)
                await loop.create_connection(lambda: protocol, sock=way, ssl=tls, server_hostname=name)
            else:
                await loop.create_connection(lambda: protocol, address, port, ssl=tls, server_hostname=name)
            return
        except OSError as error:
            failed = error
    raise failed


async def refuse_itself(upstream: Upstream, sockets: Iterable[socket.socket]) -> None:
    """Refuse a service that is what listens here: each connection would make the next one.

    Args:
        upstream: The service.
        sockets: What listens.

    Raises:
        UsageError: It is.
    """
    hosts = [host for host, port in (each.getsockname()[:2] for each in sockets) if port == upstream.port]
    if not hosts or upstream.proxy is not None:
        return
    try:
        async with asyncio.timeout(_LOOK_UP_S):
            addresses = await _addresses(upstream.address or upstream.host, upstream.port)
    except (OSError, UnicodeError):
        return  # a client will be told
    if any(host == address or (host in _ANY and _is_own(address)) for host in hosts for address in addresses):
        raise UsageError(tell_loop(upstream))


def tell_loop(upstream: Upstream) -> str:
    """Return what to say where the address of the service leads to the recorder itself."""
    return (
        f"{upstream.url} leads back to this recorder; name the service with --upstream, or its address with "
        "--upstream-address"
    )


_LOOK_UP_S = 5.0
_ANY = ("0.0.0.0", "::")


def _is_own(address: str) -> bool:
    """Whether an address is one of this machine: only those can be bound."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


async def _ask_proxy(address: str, proxy: HttpProxy, upstream: Upstream) -> socket.socket:
    """Return the connection that a proxy has made.

    Raises:
        OSError: It has made none.
    """
    loop = asyncio.get_running_loop()
    way = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    way.setblocking(False)
    try:
        try:
            await loop.sock_connect(way, (address, proxy.port))
        except OSError as error:
            raise proxy.blame(error) from None
        host = upstream.address or upstream.host
        there = f"{show_host(host)}:{upstream.port}"
        login = f"Proxy-Authorization: {proxy.login}\r\n" if proxy.login else ""
        await loop.sock_sendall(way, f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n{login}\r\n".encode())
        answer = b""
        while END not in answer and len(answer) <= MAX_HEAD_BYTES:  # the service says nothing before it is asked
            came = await loop.sock_recv(way, 4096)
            if not came:
                raise OSError("the proxy on the way hung up")
            answer += came
        try:
            status = Head.parse(answer.partition(END)[0]).status
        except BadHeadError:
            status = 0
        if not 200 <= status < 300:
            raise OSError(f"the proxy on the way answers {status or 'something that is no HTTP'}")
    except BaseException:
        way.close()
        raise
    return way


def server_tls(certificate: str, key: str | None) -> ssl.SSLContext:
    """Return what a server needs to speak TLS.

    Args:
        certificate: PEM file of the certificate and of those that vouch for it; it may hold the key as well.
        key: PEM file of the key, None where it stands with the certificate.

    Raises:
        UsageError: The files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:  # among them ssl.SSLError
        why = say_why(error) if not isinstance(error, ssl.SSLError) else "no certificate in PEM with its key, or locked"
        raise UsageError(f"the certificate {certificate} cannot be used: {why}") from None
    return context


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

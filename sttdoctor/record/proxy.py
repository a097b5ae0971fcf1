"""The recording proxy: the client's bytes go to the service and the service's to the client, unchanged and at once.

Only the first lines of a request are changed (the Host header, a path prefix). Everything after them, both ways, is
passed on as it came: frames and their fragments, pings and pongs, the close handshake, refusals, compression, the end
of the TCP connection. So what the client sees is what it would see without the proxy, who keeps alive and who closes
stays with client and service, and order is that of the bytes. What passes is read along and written in a process of its
own (`desk.py`), whatever it holds: here nothing is done with it that takes longer for one content than for another.
When one side cannot take more, or the process that reads along is far behind with a connection, it is not read.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from sttdoctor.net import Door
from sttdoctor.readers.wire.http_head import END, MAX_HEAD_BYTES, BadHeadError, Head, answer
from sttdoctor.record.desk import Desk, Line, Watcher, desk
from sttdoctor.record.recording import Heading
from sttdoctor.record.shelf import Keeping
from sttdoctor.record.slips import Kind
from sttdoctor.record.upstream import Upstream, dial, refuse_itself, say_why, tell_loop
from sttdoctor.values import immutable

HIGH_WATER_BYTES = 256 << 10  # waiting to be sent to one side, before the other is no longer read
LINGER_S = 10.0  # for a side that does not take its last bytes
_BUFFER = memoryview(bytearray(64 << 10))  # so much of one side before it is the turn of the next


class Link(Protocol):
    """What holds the pair."""

    def made(self, side: "RelayPeer") -> None:
        """A side is connected."""

    def going(self, side: "RelayPeer") -> None:
        """A side begins to end."""

    def lost(self) -> None:
        """A side is gone."""


class RelayPeer(asyncio.BufferedProtocol):
    """One TCP connection of a pair.

    All of them read into one buffer, whose content is taken before anything else is read: a buffer of its own for each
    read, as `asyncio.Protocol` has it, costs more than sending the bytes on.
    """

    def __init__(self, link: Link, take: Callable[[bytes], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: RelayPeer | None = None
        self.ended = False
        self._held: set[str] = set()
        self._link = link
        self._linger: asyncio.TimerHandle | None = None
        self.take = take

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the connection up."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        _keep_alive(transport.get_extra_info("socket"))
        self._link.made(self)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of the other end, None where they are not known."""
        peer = self.transport.get_extra_info("peername") if self.transport is not None else None
        return (peer[0], peer[1]) if peer else None

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # the interface of asyncio
        """Return where to read to."""
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self.take(bytes(_BUFFER[:nbytes]))

    def hold(self, reason: str, holds: bool) -> None:
        """Read no more from this side while there is a reason for it."""
        self._held = self._held | {reason} if holds else self._held - {reason}
        if self.transport is not None and self._held:
            self.transport.pause_reading()
        elif self.transport is not None:
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        """Read no more from the other side: this one does not take it."""
        if self.other is not None:
            self.other.hold("the other side", True)

    def resume_writing(self) -> None:
        """Read on from the other side."""
        if self.other is not None:
            self.other.hold("the other side", False)

    def eof_received(self) -> bool:
        """Pass the end on; returns whether this side stays open for what still comes from the other."""
        self.ended = True
        self._link.going(self)
        other = self.other
        if other is None:
            return False
        if other.ended or other.transport is None or not other.transport.can_write_eof():
            other.close_softly()
            return False
        other.transport.write_eof()
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side as this one ended."""
        self.ended = True
        if self._linger is not None:
            self._linger.cancel()  # which would keep all that belongs to the connection in memory
        self._link.going(self)
        if self.other is not None and exc is not None:
            self.other.reset()
        elif self.other is not None:
            self.other.close_softly()
        self._link.lost()

    def close_softly(self) -> None:
        """Close after what waits was sent, but do not wait for ever."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
            self._linger = asyncio.get_running_loop().call_later(LINGER_S, self.transport.abort)

    def reset(self) -> None:
        """Pass on that the connection broke: without a proper end, unless there is still something to deliver first."""
        transport = self.transport
        if transport is not None and transport.get_write_buffer_size() > 0:
            self.close_softly()
        elif transport is not None:
            with contextlib.suppress(OSError):
                end = transport.get_extra_info("socket")
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()


def _keep_alive(connected: socket.socket) -> None:
    """Let the system notice a peer that is gone without a word; neither side sees anything of it."""
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)


HEAD_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 30.0


class _Link:
    """A client and its connection to the service."""

    def __init__(self, proxy: "_Proxy") -> None:
        self.client = RelayPeer(self, self._take_head)
        self._proxy = proxy
        self._upstream: RelayPeer | None = None
        self._way: tuple[str, int] | None = None  # from where the service is reached
        self._held = bytearray()  # from the client, before the service is reached
        self._line: Line | None = None  # where the connection is recorded
        self._gone = "unknown"
        self._open_sides = 0
        self._connecting: asyncio.Task[None] | None = None
        self._patience = asyncio.get_running_loop().call_later(HEAD_TIMEOUT_S, self.cut)

    # the life of the two TCP connections

    def made(self, side: RelayPeer) -> None:
        """A side is connected."""
        self._open_sides += 1
        if side is self.client:
            self._proxy.links.add(self)

    def going(self, side: RelayPeer) -> None:
        """A side begins to end; the first one is remembered."""
        if self._gone == "unknown":
            self._gone = "client" if side is self.client else "server"
            if self._line is not None:
                self._line.note(Kind.GOING)
        if self._connecting is not None and self._upstream is None:
            self._connecting.cancel()

    def lost(self) -> None:
        """A side is gone; after the last one the recording ends."""
        self._open_sides -= 1
        self._patience.cancel()
        if self._open_sides == 0 and (self._upstream is not None or self._connecting is None):
            self._finish()

    def cut(self) -> None:
        """End both sides at once."""
        for side in (self.client, self._upstream):
            if side is not None and side.transport is not None:
                side.transport.abort()

    def _finish(self) -> None:
        self._proxy.links.discard(self)
        self._proxy.ways.discard(self._way)
        line, self._line = self._line, None
        if line is not None:
            line.end("" if self._proxy.stopping else self._gone)

    def _hold(self, holds: bool) -> None:
        """Hold both sides back while what they said waits to be read."""
        for side in (self.client, self._upstream):
            if side is not None:
                side.hold("the recording", holds)

    # the request

    def _take_head(self, data: bytes) -> None:
        searched = max(0, len(self._held) - len(END) + 1)
        self._held += data
        end = self._held.find(END, searched)
        if end < 0:
            if self._held[:1] == b"\x16":
                self._refuse(
                    "400 Bad Request",
                    "a client speaks TLS to this port; give it ws:// instead of wss://, or record with TLS "
                    "(--tls-certificate)",
                )
            elif len(self._held) > MAX_HEAD_BYTES:
                self._refuse("431 Request Header Fields Too Large", "the request has no end")
            return
        self._patience.cancel()
        upstream = self._proxy.upstream
        try:
            head = Head.parse(bytes(self._held[:end]))
            request = head.towards(upstream.authority, upstream.prefix)
        except BadHeadError as error:
            self._refuse("400 Bad Request", str(error))
            return
        stranger = self._proxy.door.refusal(head.get("host"), head.get("origin"), head.get("sec-fetch-site"))
        if stranger is not None:
            self._refuse("403 Forbidden", stranger)
            return
        if self._proxy.has_sent(self.client):
            self._refuse("508 Loop Detected", tell_loop(upstream))
            return
        del self._held[: end + len(END)]
        self.client.take = self._take_early
        if head.upgrades:
            peer = self.client.address
            host = str(peer[0]) if peer else ""
            heading = Heading(upstream.url + head.target, head.headers(), "sttdoctor record", "proxy", host)
            self._line = self._proxy.desk.begin(heading, self._hold)
        self._connecting = asyncio.create_task(self._connect(request))

    def _take_early(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > HIGH_WATER_BYTES:
            self.client.hold("the service is not reached", True)

    async def _connect(self, request: bytes) -> None:
        side = RelayPeer(self, lambda _data: None)
        upstream = self._proxy.upstream
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await dial(side, upstream, self._proxy.tls)
        except (OSError, UnicodeError) as error:
            self._connecting = None
            self._refuse("502 Bad Gateway", f"cannot reach {upstream.url}: {say_why(error)}")
            if self._open_sides == 0:
                self._finish()
        except asyncio.CancelledError:  # the client is gone
            self._finish()
        else:
            self._join(side, request)

    def _refuse(self, status: str, sentence: str) -> None:
        """Answer in place of the service."""
        told = f"sttdoctor record: {sentence}"
        self._proxy.watcher.tell(sentence)
        if self._line is not None:
            self._line.refused(int(status[:3]), told)
        self.client.take = lambda _data: None
        if self.client.transport is not None:
            self.client.transport.write(answer(status, told))
        self.client.close_softly()

    # what passes

    def _join(self, upstream: RelayPeer, request: bytes) -> None:
        """Let everything pass from here on; it is handed over first, so that nothing that has passed is lost."""
        client = self.client
        assert upstream.transport is not None and client.transport is not None
        self._upstream, client.other, upstream.other = upstream, upstream, client
        self._way = upstream.transport.get_extra_info("sockname")[:2]
        self._proxy.ways.add(self._way)
        to_server, to_client, line = upstream.transport.write, client.transport.write, self._line
        if line is None:
            client.take, upstream.take = to_server, to_client
        else:

            def from_client(data: bytes) -> None:
                line.note(Kind.CLIENT, data)
                to_server(data)

            def from_server(data: bytes) -> None:
                line.note(Kind.SERVER, data)
                to_client(data)

            client.take, upstream.take = from_client, from_server
        to_server(request)
        if self._held:
            client.take(bytes(self._held))
        client.hold("the service is not reached", False)


class _Proxy:
    """What all connections share."""

    def __init__(self, upstream: Upstream, door: Door, desk: Desk, watcher: Watcher) -> None:
        self.upstream = upstream
        self.door = door
        self.desk = desk
        self.watcher = watcher
        self.tls = ssl.create_default_context() if upstream.secure else None
        self.links: set[_Link] = set()
        self.ways: set[tuple[str, int] | None] = set()
        self.stopping = False

    def has_sent(self, client: RelayPeer) -> bool:
        """Whether a client is this proxy: the other end of one of its own connections to the service."""
        return client.address is not None and client.address in self.ways


@immutable
class Listening:
    """A running proxy.

    Attributes:
        port: Where it listens.
        look: Asks for how the connections look; the watcher's entries tell it soon after.
    """

    port: int
    look: Callable[[], None]


@contextlib.asynccontextmanager
async def listen(
    host: str,
    port: int,
    upstream: Upstream,
    keeping: Keeping,
    watcher: Watcher,
    door: Door | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Listening]:
    """Run the proxy inside the context; leaving it cuts all connections, frees the port and ends the files.

    Args:
        host: Where to listen.
        port: 0 for any free one.
        upstream: The service.
        keeping: What is kept and where.
        watcher: Is told what happens.
        door: Who may connect; by default those whom the host lets in.
        tls: To speak TLS to the clients.

    Raises:
        OSError: The address cannot be had.
        UsageError: The output cannot be used, or the service is this proxy.
    """
    keeping.check()
    async with desk(keeping, watcher) as scribe:
        proxy = _Proxy(upstream, door or Door.of(host), scribe, watcher)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Link(proxy).client, host, port, backlog=1024, ssl=tls)
        try:
            await refuse_itself(upstream, server.sockets)
            yield Listening(server.sockets[0].getsockname()[1], scribe.look)
        finally:
            proxy.stopping = True
            server.close()
            for link in list(proxy.links):
                link.cut()
            while proxy.links:  # each is told of its end in the next round of the loop
                await asyncio.sleep(0)

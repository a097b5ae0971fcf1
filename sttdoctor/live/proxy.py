"""The recording proxy: the client's bytes go to the service and the service's to the client, unchanged and at once.

Only the first lines of a request are changed (the Host header, a path prefix). Everything after them, both ways, is
passed on as it came: frames and their fragments, pings and pongs, the close handshake, refusals, compression, the end
of the TCP connection. So what the client sees is what it would see without the proxy, who keeps alive and who closes
stays with client and service, and order is that of the bytes. What passes is read along (`tap.py`) after it was sent
on. When one side cannot take more, the other is not read.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Protocol

from sttdoctor.live.http_head import END, MAX_HEAD_BYTES, BadHeadError, Head, agreed, answer, body_of
from sttdoctor.live.journal import Journal
from sttdoctor.live.recording import Heading
from sttdoctor.live.tap import Closing, Message, Tap
from sttdoctor.live.upstream import Upstream, why

HIGH_WATER_BYTES = 256 << 10  # waiting to be sent to one side, before the other is no longer read
HEAD_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 30.0
LINGER_S = 10.0  # for a side that does not take its last bytes
MAX_BODY_BYTES = 64 << 10  # of a refusal, that is recorded
_BUFFER = memoryview(bytearray(256 << 10))
MAX_EARLY_BYTES = 1 << 20  # from the client before the handshake is answered


class Watcher(Protocol):
    """What the proxy tells while it runs."""

    def began(self, journal: Journal) -> None:
        """A client asked for a WebSocket."""

    def ended(self, journal: Journal) -> None:
        """Its connection is over, or the handshake was refused."""

    def tell(self, sentence: str) -> None:
        """Something went wrong."""


class _Side(asyncio.BufferedProtocol):
    """One TCP connection of a pair.

    All of them read into one buffer, whose content is taken before anything else is read: a buffer of its own for each
    read, as `asyncio.Protocol` has it, costs more than sending the bytes on.
    """

    def __init__(self, link: "_Link", take: Callable[[bytes], None]) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self.ended = False
        self._link = link
        self.take = take

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        _keep_alive(transport.get_extra_info("socket"))
        self._link.made(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # the interface of asyncio
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self.take(bytes(_BUFFER[:nbytes]))

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass the end on; returns whether this side stays open for what still comes from the other."""
        self.ended = True
        other = self.other.transport if self.other is not None else None
        self._link.going(self)
        if self.other is None or other is None or self.other.ended or not other.can_write_eof():
            _close_softly(other)
            return False
        other.write_eof()
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self._link.going(self)
        other = self.other.transport if self.other is not None else None
        if exc is not None:
            _reset(other)
        else:
            _close_softly(other)
        self._link.lost()


class _Link:
    """A client and its connection to the service."""

    def __init__(self, proxy: "_Proxy") -> None:
        self.client = _Side(self, self._take_head)
        self._proxy = proxy
        self._upstream: _Side | None = None
        self._held = bytearray()  # from the client, not yet read
        self._answered = bytearray()  # from the service, not yet read
        self._journal: Journal | None = None
        self._to_server: Tap | None = None
        self._to_client: Tap | None = None
        self._refusal: tuple[Head, float] | None = None
        self._closing: tuple[str, Closing, float] | None = None
        self._gone: str = "unknown"
        self._open_sides = 0
        self._connecting: asyncio.Task[None] | None = None
        self._patience = asyncio.get_running_loop().call_later(HEAD_TIMEOUT_S, self._give_up)

    # the life of the two TCP connections

    def made(self, side: _Side) -> None:
        """A side is connected."""
        self._open_sides += 1
        if side is self.client:
            self._proxy.links.add(self)

    def going(self, side: _Side) -> None:
        """A side ends; the first one to do so is remembered."""
        if self._gone == "unknown" and not self._proxy.stopping:
            self._gone = "client" if side is self.client else "server"
        if self._connecting is not None and self._upstream is None:
            self._connecting.cancel()

    def lost(self) -> None:
        """A side is gone; after the last one the recording ends."""
        self._open_sides -= 1
        self._patience.cancel()
        if self._open_sides == 0 and (self._upstream is not None or self._connecting is None):
            self.finish()

    def cut(self) -> None:
        """End both sides at once."""
        for side in (self.client, self._upstream):
            if side is not None and side.transport is not None:
                side.transport.abort()

    def finish(self) -> None:
        """Write what is known about the end; nobody closed what ends because the proxy stops."""
        self._proxy.links.discard(self)
        journal, self._journal = self._journal, None
        if journal is None:
            return
        self._note_refusal()
        if self._closing is not None:
            by, closing, at = self._closing
            journal.recording.closed(by, closing.code, closing.reason, at)
        elif journal.status in (None, 101) and not self._proxy.stopping:
            journal.recording.closed(self._gone, 1006)
        journal.end()
        self._proxy.watcher.ended(journal)

    def _give_up(self) -> None:
        if self.client.transport is not None:
            self.client.transport.abort()

    # the request

    def _take_head(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(END)
        if end < 0:
            if self._held[:1] == b"\x16":
                self._refuse("400 Bad Request", "a client speaks TLS to this port; give it ws:// instead of wss://")
            elif len(self._held) > MAX_HEAD_BYTES:
                self._refuse("431 Request Header Fields Too Large", "the request has no end")
            return
        self._patience.cancel()
        try:
            head = Head.parse(bytes(self._held[:end]))
            request = head.towards(self._proxy.upstream.authority, self._proxy.upstream.prefix)
            target = head.target
        except BadHeadError as error:
            self._refuse("400 Bad Request", str(error))
            return
        del self._held[: end + len(END)]
        self.client.take = self._take_early
        if head.upgrades:
            heading = Heading(self._proxy.upstream.url + target, head.headers(), "sttdoctor record", clock="proxy")
            self._journal = Journal(heading, self._proxy.names, self._proxy.watcher.tell)
            self._proxy.watcher.began(self._journal)
        self._connecting = asyncio.create_task(self._connect(request))

    def _take_early(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > HIGH_WATER_BYTES and self.client.transport is not None:
            self.client.transport.pause_reading()

    async def _connect(self, request: bytes) -> None:
        side = _Side(self, self._take_answer)
        upstream = self._proxy.upstream
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: side,
                    upstream.host,
                    upstream.port,
                    ssl=self._proxy.tls,
                    server_hostname=upstream.host if upstream.secure else None,
                )
        except (OSError, UnicodeError) as error:
            self._refuse("502 Bad Gateway", f"cannot reach {upstream.url}: {why(error)}")
            return
        except asyncio.CancelledError:
            self.finish()
            return
        assert side.transport is not None and self.client.transport is not None
        self._upstream, self.client.other, side.other = side, side, self.client
        early, self._held = bytes(self._held), bytearray()
        side.transport.write(request + early)
        if self._journal is None:
            self.client.take = side.transport.write
        else:
            self._held += early
            self.client.take = self._pass_to_server
        self.client.transport.resume_reading()

    def _refuse(self, status: str, sentence: str) -> None:
        """Answer in place of the service."""
        told = f"sttdoctor record: {sentence}"
        self._proxy.watcher.tell(sentence)
        if self._journal is not None:
            self._journal.recording.opened(int(status[:3]), None, told)
        if self.client.transport is not None and not self.client.transport.is_closing():
            self.client.take = lambda _data: None
            self.client.transport.write(answer(status, told))
            _close_softly(self.client.transport)
        elif self._open_sides == 0:
            self.finish()
        self._connecting = None

    # what passes

    def _pass_to_server(self, data: bytes) -> None:
        assert self._upstream is not None and self._upstream.transport is not None
        self._upstream.transport.write(data)
        if self._to_server is not None:
            self._note(True, self._to_server.feed(data))
        elif self._journal is not None and len(self._held) < MAX_EARLY_BYTES:
            self._held += data

    def _pass_to_client(self, data: bytes) -> None:
        assert self.client.transport is not None and self._to_client is not None
        self.client.transport.write(data)
        self._note(False, self._to_client.feed(data))

    def _take_answer(self, data: bytes) -> None:
        """Pass on the answer to the handshake, and read it."""
        assert self.client.transport is not None and self._upstream is not None
        self.client.transport.write(data)
        if self._journal is None:
            self._upstream.take = self.client.transport.write
            return
        self._answered += data
        while self._refusal is None and (end := self._answered.find(END)) >= 0:
            try:
                head = Head.parse(bytes(self._answered[:end]))
                status = head.status
            except BadHeadError as error:
                self._proxy.watcher.tell(f"the answer to the handshake cannot be read: {error}")
                self._upstream.take = self.client.transport.write
                return
            del self._answered[: end + len(END)]
            if status == 101:
                self._upgraded(head)
                return
            if status >= 200:
                self._refusal = head, time.monotonic()
        if self._refusal is not None and len(self._answered) >= int(self._refusal[0].get("content-length") or 1 << 62):
            self._note_refusal()
        del self._answered[MAX_BODY_BYTES:]

    def _upgraded(self, head: Head) -> None:
        assert self._journal is not None and self._upstream is not None
        self._journal.recording.opened(101, head.headers())
        packed = agreed(head)
        self._to_server, self._to_client = Tap(packed.to_server), Tap(packed.to_client)
        self._note(True, self._to_server.feed(bytes(self._held)))
        self._note(False, self._to_client.feed(bytes(self._answered)))
        self._held, self._answered = bytearray(), bytearray()
        self._upstream.take = self._pass_to_client

    def _note_refusal(self) -> None:
        if self._refusal is not None and self._journal is not None and self._journal.status is None:
            head, at = self._refusal
            self._journal.recording.opened(head.status, head.headers(), body_of(head, bytes(self._answered)), at)

    def _note(self, sent: bool, items: list[Message | Closing]) -> None:
        assert self._journal is not None
        for item in items:
            if isinstance(item, Closing):
                if self._closing is None:
                    self._closing = "client" if sent else "server", item, time.monotonic()
            elif item.content is None:
                self._journal.recording.left_out(sent, item.binary, item.size)
            else:
                content = item.content if item.binary else item.content.decode(errors="replace")
                self._journal.recording.message(sent, content)


class _Proxy:
    """What all connections share."""

    def __init__(self, upstream: Upstream, names: Iterator[Path], watcher: Watcher) -> None:
        self.upstream = upstream
        self.names = names
        self.watcher = watcher
        self.tls = ssl.create_default_context() if upstream.secure else None
        self.links: set[_Link] = set()
        self.stopping = False


@contextlib.asynccontextmanager
async def listening(
    host: str, port: int, upstream: Upstream, names: Iterator[Path], watcher: Watcher
) -> AsyncIterator[int]:
    """Run the proxy inside the context; leaving it cuts all connections and frees the port.

    Args:
        host: Where to listen.
        port: 0 for any free one.
        upstream: The service.
        names: For the files, from `naming.names`.
        watcher: Is told what happens.

    Yields:
        The port.

    Raises:
        OSError: The address cannot be had.
    """
    proxy = _Proxy(upstream, names, watcher)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Link(proxy).client, host, port, backlog=1024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        proxy.stopping = True
        server.close()
        for link in list(proxy.links):
            link.cut()
        while proxy.links:  # each is told of its end in the next round of the loop
            await asyncio.sleep(0)


def _close_softly(transport: asyncio.Transport | None) -> None:
    """Close after what waits was sent, but do not wait for ever."""
    if transport is not None and not transport.is_closing():
        transport.close()
        asyncio.get_running_loop().call_later(LINGER_S, transport.abort)


def _reset(transport: asyncio.Transport | None) -> None:
    """Pass on that the connection broke: without a proper end."""
    if transport is not None:
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _keep_alive(connected: socket.socket) -> None:
    """Let the system notice a peer that is gone without a word; neither side sees anything of it."""
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)

"""One TCP connection of a pair: backpressure, the end and a break on one side are passed on to the other."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Protocol

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
        self.take = take

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Set the connection up."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        _keep_alive(transport.get_extra_info("socket"))
        self._link.made(self)

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
        other = self.other.transport if self.other is not None else None
        self._link.going(self)
        if self.other is None or other is None or self.other.ended or not other.can_write_eof():
            close_softly(other)
            return False
        other.write_eof()
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other side as this one ended."""
        self.ended = True
        self._link.going(self)
        other = self.other.transport if self.other is not None else None
        if exc is not None:
            _reset(other)
        else:
            close_softly(other)
        self._link.lost()


def close_softly(transport: asyncio.Transport | None) -> None:
    """Close after what waits was sent, but do not wait for ever."""
    if transport is not None and not transport.is_closing():
        transport.close()
        asyncio.get_running_loop().call_later(LINGER_S, transport.abort)


def _reset(transport: asyncio.Transport | None) -> None:
    """Pass on that the connection broke: without a proper end, unless there is still something to deliver before it."""
    if transport is not None and transport.get_write_buffer_size() > 0:
        close_softly(transport)
    elif transport is not None:
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

"""Packet captures (pcap and pcapng, by tcpdump or Wireshark) of unencrypted WebSockets.

Segments are put in order again, each direction by itself: those that come early wait, those that come twice are left
out. Where packets were dropped by the capture, what follows of their connection is not read: the frames behind a hole
cannot be found again.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from typing import TYPE_CHECKING

from sttdoctor.evidence import Session
from sttdoctor.readers.collector import FullError, Loss
from sttdoctor.readers.conversation import without_relayed
from sttdoctor.readers.sockets import Wanted, choose
from sttdoctor.readers.stream import StreamError
from sttdoctor.readers.wire.packets import DamagedError, Packet, Segment, is_capture_file, read_packets, segment_of

if TYPE_CHECKING:
    from sttdoctor.readers.wire.websocket import Wire, Wires

DECRYPT = (
    "let the client write its TLS keys (SSLKEYLOGFILE=keys.log for browsers, Python and curl; node "
    "--tls-keylog=keys.log), then decrypt with tshark -r FILE -o tls.keylog_file:keys.log -Y 'http or websocket' "
    "-T json > FILE.json and give that; or record with sttdoctor record"
)
_NOTHING = (
    "the packet capture holds no WebSocket connection from its handshake on; start tcpdump -i any -s 0 -w FILE before "
    "the client connects"
)
_HOLE = "the capture lacks packets of this connection (dropped, or cut by a snap length: tcpdump -s 0 -B 65536)"
_RESOLUTION_S = 1e-6
_MAX_WAITING_BYTES = 1 << 20  # of one direction, until a missing segment comes
_MAX_EARLY_BYTES = 1 << 16  # the same before a handshake was seen
_MAX_OPENING = 1024  # connections without a handshake so far
_PATIENCE = 50  # packets of a connection after which what its receiver has, and the capture not, will not come
_SPACE, _HALF = 1 << 32, 1 << 31
_HANDSHAKE = ((True, True), (False, True), (True, False))  # whether the client sends, whether it is a SYN
_NEAR_S = 0.0005  # who answers sooner is the machine of the capture
_TLS = b"\x16\x03"
_REQUESTS = (b"GET ", b"CONNECT ")


def holds_packets(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are those of a pcap or pcapng file."""
    return is_capture_file(head)


def read_pcap(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one WebSocket of a packet capture.

    Args:
        stream: Binary.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket that can be read, or several without a choice.
        OSError: The file cannot be read.
    """
    return read_conversations(read_packets(stream), "packet capture", path, connection, _NOTHING)


def read_conversations(
    packets: Iterator[Packet], source: str, path: str | None, connection: Wanted, nothing: str
) -> Session:
    """Read one WebSocket of packets.

    Args:
        packets: In the order of their times.
        source: What captured them.
        path: Where they came from.
        connection: As for `read_pcap`.
        nothing: Says that there is no WebSocket in them.

    Raises:
        InputError: No socket that can be read, or several without a choice.
        OSError: The file cannot be read.
    """
    from sttdoctor.readers.wire.websocket import Wires

    wires, loss = Wires(connection), None
    capture = _Capture(wires)
    try:
        for packet in packets:
            capture.add(packet)
    except (FullError, StreamError, DamagedError) as error:
        loss = Loss(capture.number + 1, str(error))
    capture.finish()
    meant = wires.conversations if isinstance(connection, int) else without_relayed(wires.conversations)
    sockets = [item.socket(source, _RESOLUTION_S, path, loss) for item in meant]
    if capture.is_encrypted:
        nothing = f"the packet capture holds encrypted connections only; {DECRYPT}"
    return choose(sockets, connection, path or "the capture", loss, nothing)


@dataclass(slots=True)
class _Side:
    """One direction of a connection; positions count its bytes from the first one on.

    Attributes:
        first: Sequence number of the first byte.
        position: Of the next byte that is to come.
        waiting: (position, bytes) of what came early, as a heap.
        size: Bytes in it.
        since: Number of the packet that came first of them.
        heard: Up to where the receiver says that it has everything.
        doubt: For how many packets of the connection the receiver has had what the capture has not.
    """

    first: int
    position: int = 0
    heard: int = 0
    doubt: int = 0
    waiting: list[tuple[int, bytes]] = field(default_factory=list)
    size: int = 0
    since: int = 0

    def place(self, sequence: int) -> int:
        """Return the position that a sequence number means, near to the current one."""
        return self.position + (sequence - self.first - self.position + _HALF) % _SPACE - _HALF

    def take(self, sequence: int, data: bytes, number: int) -> Sequence[bytes]:
        """Return what is in order with these bytes of a packet."""
        if not data:
            return ()
        place = self.place(sequence)
        if place == self.position and not self.waiting:  # as nearly all are
            self.position += len(data)
            return (data,)
        if place > self.position:
            self.since = self.since if self.waiting else number
            heapq.heappush(self.waiting, (place, data))
            self.size += len(data)
            return ()
        return list(self._fill(place, data))

    def _fill(self, place: int, data: bytes) -> Iterator[bytes]:
        yield from self._new(place, data)
        while self.waiting and self.waiting[0][0] <= self.position:
            place, data = heapq.heappop(self.waiting)
            self.size -= len(data)
            yield from self._new(place, data)

    def _new(self, place: int, data: bytes) -> Iterator[bytes]:
        fresh = data[self.position - place :]
        if fresh:
            self.position += len(fresh)
            yield fresh


@dataclass(slots=True)
class _Flow:
    """One TCP connection.

    Attributes:
        client: Address and port of who opened it.
        wire: Reads its bytes.
        sides: The directions, by whether the client sends.
        handshake: Times of SYN, SYN and ACK, ACK, as far as they were seen.
    """

    client: bytes
    wire: "Wire"
    sides: dict[bool, _Side] = field(default_factory=dict)
    handshake: list[float] = field(default_factory=list)

    def add(self, segment: Segment, packet: Packet) -> None:
        """Take a segment in."""
        sent = segment.source == self.client
        if len(self.handshake) < len(_HANDSHAKE):
            self._look_at_clock(segment, sent, packet.t)
        begin = segment.sequence + segment.begins  # which counts as a byte
        side = self.sides.get(sent)
        if side is None or (segment.begins and not side.position):
            side = self.sides[sent] = _Side(begin % _SPACE)
        for data in side.take(begin, segment.data, packet.number):
            self.wire.feed(sent, data, packet.number, packet.t)
        if segment.ends:
            self.wire.end("client" if sent else "server", packet.number, packet.t)
        if segment.missing or self._lacks_packets(segment, sent):
            self._give_up(packet.number)

    def _give_up(self, number: int) -> None:
        holes = [side.since for side in self.sides.values() if side.waiting]
        self.wire.lose(min([number, *holes]), _HOLE)

    def finish(self, number: int) -> None:
        """Nothing more comes."""
        if any(side.waiting for side in self.sides.values()):
            self._give_up(number)
        self.wire.finish()
        if self.wire.conversation is not None:
            self.wire.conversation.clock = self._clock
            self.wire.conversation.who = self.client[:-2].hex()  # without the port

    def _look_at_clock(self, segment: Segment, sent: bool, t: float | None) -> None:
        if t is not None and (sent, segment.begins) == _HANDSHAKE[len(self.handshake)]:
            self.handshake.append(t)

    @property
    def _clock(self) -> str:
        """Where the packets were captured: who sees the other's answer late is far from it."""
        if len(self.handshake) < 3:
            return "client"
        asked, answered, confirmed = self.handshake
        late = confirmed - answered
        return "server" if late > _NEAR_S and late > 2 * (answered - asked) else "client"

    def _lacks_packets(self, segment: Segment, sent: bool) -> bool:
        other = self.sides.get(not sent)
        if other is not None and segment.acknowledged is not None:
            place = other.place(segment.acknowledged)
            if place > other.heard:
                other.heard = place
        for side in self.sides.values():
            if side.heard <= side.position + 1 and not side.waiting:  # the end of a direction counts as a byte
                side.doubt = 0
                continue
            side.doubt = side.doubt + 1 if side.heard > side.position + 1 else 0
            most = _MAX_EARLY_BYTES if self.wire.conversation is None else _MAX_WAITING_BYTES
            if side.doubt > _PATIENCE or side.size > most:
                return True
        return False


@dataclass(slots=True)
class _Capture:
    """All connections of a capture.

    Attributes:
        wires: Takes the WebSockets.
        number: Of the last packet.
        is_encrypted: There was a connection with TLS.
        opening: Connections without a handshake so far, the oldest first.
        open: WebSockets.
    """

    wires: "Wires"
    number: int = 0
    is_encrypted: bool = False
    opening: dict[tuple[bytes, bytes], _Flow] = field(default_factory=dict)
    open: dict[tuple[bytes, bytes], _Flow] = field(default_factory=dict)

    def add(self, packet: Packet) -> None:
        """Take a packet in.

        Raises:
            FullError: Nothing more can be held.
        """
        self.number = packet.number
        segment = segment_of(packet)
        if segment is None:
            return
        source, target = segment.source, segment.target
        key = (source, target) if source < target else (target, source)
        flow = self.open.get(key) or self.opening.get(key)
        asks = segment.begins and segment.acknowledged is None
        if flow is not None and asks and any(side.position for side in flow.sides.values()):
            self._drop(key, flow)  # the port is used again
            flow = None
        if flow is None:
            self.is_encrypted |= segment.data.startswith(_TLS)
            if not (asks or segment.data.startswith(_REQUESTS)):
                return
            flow = self.opening[key] = _Flow(segment.source, self.wires.begin())
            if len(self.opening) > _MAX_OPENING:
                del self.opening[next(iter(self.opening))]
        flow.add(segment, packet)
        if flow.wire.is_done:
            self.is_encrypted |= segment.data.startswith(_TLS)
            self._drop(key, flow)
        elif flow.wire.conversation is not None and key in self.opening:
            self.open[key] = self.opening.pop(key)

    def _drop(self, key: tuple[bytes, bytes], flow: _Flow) -> None:
        flow.finish(self.number)
        self.open.pop(key, None)
        self.opening.pop(key, None)

    def finish(self) -> None:
        """Nothing more comes."""
        for flow in (*self.open.values(), *self.opening.values()):
            flow.finish(self.number)

"""Packets of a capture file, and the TCP segments in them.

Files: pcap (https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/) and pcapng
(https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcapng/), as tcpdump and Wireshark write them. Links: Ethernet with
VLANs, Linux cooked, loopback, bare IP. Checksums are not looked at: network cards fill them in after the capture.
"""

import struct
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

MAX_PACKET_BYTES = 16 << 20
"""Of a packet, or of another block of a file; what is longer is damage."""

_PCAP = {b"\xa1\xb2\xc3\xd4": (">", 1e-6), b"\xd4\xc3\xb2\xa1": ("<", 1e-6)} | {
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
}
"""By the first bytes: the order of bytes, and seconds of a unit of the times' fractions."""

_PCAPNG = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 1, 2, 3, 6
_TIME_UNIT, _TIME_OFFSET = 9, 14  # options of an interface
_MAX_INTERFACES = 10_000

_ETHERNET, _COOKED, _COOKED_2 = 1, 113, 276
_LOOPBACK = (0, 108)
_BARE = (12, 14, 101, 228, 229)
_VLANS = (0x8100, 0x88A8, 0x9100)
_IPV4, _IPV6, _TCP, _FRAGMENT = 0x0800, 0x86DD, 6, 44
_OPTIONS_6 = (0, 43, 60)  # headers of IPv6 that may stand before TCP
_HEADER_4 = struct.Struct(">2xH2xHxB2x4s4s")
_HEADER_TCP = struct.Struct(">2s2sIIBB")
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


class DamagedError(ValueError):
    """The file is no capture from here on, or ends too early."""


class Packet(NamedTuple):
    """One packet.

    Attributes:
        number: From 1, as Wireshark counts.
        t: Seconds since the epoch, None where the file does not tell.
        link: Type of the link layer.
        data: As much of it as was captured.
        size: Bytes of the whole.
    """

    number: int
    t: float | None
    link: int
    data: bytes
    size: int


class Segment(NamedTuple):
    """One TCP segment.

    Attributes:
        source: Address and port of the sender.
        target: Address and port of the receiver.
        sequence: Number of the first byte, modulo 2**32.
        acknowledged: Number of the byte that the sender waits for, None where it does not say.
        begins: It opens the connection.
        ends: It closes the sender's direction, or resets the connection.
        data: As much of it as was captured.
        missing: Bytes of it that were not captured.
    """

    source: bytes
    target: bytes
    sequence: int
    acknowledged: int | None
    begins: bool
    ends: bool
    data: bytes
    missing: int


def is_capture_file(head: bytes) -> bool:
    """Whether these are the first bytes of a pcap or pcapng file."""
    return head[:4] in _PCAP or (head[:4] == _PCAPNG and head[8:12] in _ORDERS)


def read_packets(stream: BufferedReader) -> Iterator[Packet]:
    """Yield the packets of a file.

    Raises:
        DamagedError: The file is damaged; the packets before that have been yielded.
    """
    head = _take(stream, 4)
    if head == _PCAPNG:
        yield from _pcapng(stream)
    elif head in _PCAP:
        yield from _pcap(stream, *_PCAP[head])
    else:
        raise DamagedError("no file of packets")


def _pcap(stream: BufferedReader, order: str, unit: float) -> Iterator[Packet]:
    (link,) = struct.unpack(f"{order}16xI", _take(stream, 20))
    header, read, number = struct.Struct(f"{order}IIII"), stream.read, 0
    link &= 0xFFFF
    while head := read(16):
        if len(head) < 16:
            raise DamagedError("the file ends within a packet")
        seconds, fraction, captured, size = header.unpack(head)
        if captured > MAX_PACKET_BYTES:
            raise DamagedError("a length that no packet has")
        data = read(captured)
        if len(data) < captured:
            raise DamagedError("the file ends within a packet")
        number += 1
        yield Packet(number, seconds + fraction * unit, link, data, size)


class _Interface(NamedTuple):
    """Where packets of a pcapng file were captured: link layer, most bytes of a packet, and the clock."""

    link: int
    most: int
    unit: float
    offset: float


def _pcapng(stream: BufferedReader) -> Iterator[Packet]:
    """Yield packets from behind the type of the first block on."""
    order, interfaces, number = _section(stream), list[_Interface](), 0
    while head := stream.read(4):
        if head == _PCAPNG:
            order, interfaces = _section(stream), []
            continue
        (kind,) = struct.unpack(f"{order}I", _whole(head, 4))
        body = _block(stream, order)
        if kind == _INTERFACE:
            interfaces.append(_interface(body, order))
            if len(interfaces) > _MAX_INTERFACES:
                raise DamagedError("more interfaces than any machine has")
        elif kind in (_PACKET, _OLD_PACKET, _SIMPLE_PACKET):
            number += 1
            yield _packet(number, kind, body, order, interfaces)


def _section(stream: BufferedReader) -> str:
    """Read the head of a section behind its type; it says the order of bytes."""
    head = _take(stream, 8)
    order = _ORDERS.get(head[4:])
    if order is None:
        raise DamagedError("a section without an order of bytes")
    (length,) = struct.unpack(f"{order}I", head[:4])
    _take(stream, length - 12)
    return order


def _block(stream: BufferedReader, order: str) -> bytes:
    (length,) = struct.unpack(f"{order}I", _take(stream, 4))
    return _take(stream, length - 8)[:-4]


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        raise DamagedError("an interface without a link layer")
    link, most = struct.unpack(f"{order}H2xI", body[:8])
    unit, offset, at = 1e-6, 0.0, 8
    while at + 4 <= len(body):
        code, length = struct.unpack(f"{order}HH", body[at : at + 4])
        value = body[at + 4 : at + 4 + length]
        if code == _TIME_UNIT and value:
            unit = 2.0 ** -(value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** -value[0]
        elif code == _TIME_OFFSET and len(value) == 8:
            offset = float(struct.unpack(f"{order}q", value)[0])
        at += 4 + length + -length % 4
    return _Interface(link, most, unit, offset)


def _packet(number: int, kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Packet:
    """Read the block of a packet; a simple one has no time."""
    if kind == _SIMPLE_PACKET:
        which, ticks = 0, None
        (size,) = struct.unpack(f"{order}I", _whole(body[:4], 4))
        at, captured = 4, min(size, interfaces[0].most or size) if interfaces else size
    else:
        fields = "HHIIII" if kind == _OLD_PACKET else "IIIII"
        which, *others = struct.unpack(f"{order}{fields}", _whole(body[:20], 20))
        high, low, captured, size = others[-4:]
        at, ticks = 20, high << 32 | low
    if which >= len(interfaces):
        raise DamagedError("a packet of an interface that is not described")
    interface = interfaces[which]
    t = None if ticks is None else ticks * interface.unit + interface.offset
    return Packet(number, t, interface.link, body[at : at + captured], size)


def _whole(content: bytes, size: int) -> bytes:
    if len(content) < size:
        raise DamagedError("the file ends too early")
    return content


def _take(stream: BufferedReader, size: int) -> bytes:
    if not 0 <= size <= MAX_PACKET_BYTES:
        raise DamagedError("a length that no packet has")
    return _whole(stream.read(size), size)


def segment_of(packet: Packet) -> Segment | None:
    """Return the TCP segment in a packet; None where it holds none, or only a part of one."""
    data = packet.data
    kind, at = _network(packet.link, data)
    if kind == _IPV4 and len(data) >= at + 20:
        total, fragment, protocol, source, target = _HEADER_4.unpack_from(data, at)
        if data[at] >> 4 != 4 or protocol != _TCP or fragment & 0x3FFF:  # more follow, or others stand before
            return None
        # a total of 0: the network card cuts it, so it is as long as the packet
        return _tcp(source, target, data, at + 4 * (data[at] & 15), at + total if total else packet.size)
    if kind == _IPV6 and len(data) >= at + 40 and data[at] >> 4 == 6:
        return _in_ipv6(data, at, packet.size)
    return None


def _network(link: int, data: bytes) -> tuple[int, int]:
    """Return the protocol of the network layer, 0 for an unknown one, and where it begins."""
    if link == _ETHERNET:
        at = 12
        kind = int.from_bytes(data[at : at + 2])
        while kind in _VLANS and at < len(data):
            at += 4
            kind = int.from_bytes(data[at : at + 2])
        return kind, at + 2
    if link == _COOKED:
        return int.from_bytes(data[14:16]), 16
    if link == _COOKED_2:
        return int.from_bytes(data[:2]), 20
    at = 4 if link in _LOOPBACK else 0
    if not at and link not in _BARE:
        return 0, 0
    return {4: _IPV4, 6: _IPV6}.get(data[at] >> 4 if len(data) > at else 0, 0), at


def _in_ipv6(data: bytes, at: int, size: int) -> Segment | None:
    length = int.from_bytes(data[at + 4 : at + 6])
    kind, begin, end = data[at + 6], at + 40, at + 40 + length if length else size
    while kind in _OPTIONS_6 and begin + 2 <= len(data):
        kind, begin = data[begin], begin + 8 * (data[begin + 1] + 1)
    return _tcp(data[at + 8 : at + 24], data[at + 24 : at + 40], data, begin, end) if kind == _TCP else None


def _tcp(source: bytes, target: bytes, data: bytes, at: int, end: int) -> Segment | None:
    if len(data) < at + 20:
        return None
    from_port, to_port, sequence, acknowledged, offset, flags = _HEADER_TCP.unpack_from(data, at)
    begin = at + 4 * (offset >> 4)
    content = data[begin:end]
    return Segment(
        source + from_port,
        target + to_port,
        sequence,
        acknowledged if flags & _ACK else None,
        bool(flags & _SYN),
        bool(flags & (_FIN | _RST)),
        content,
        max(0, end - begin - len(content)),
    )

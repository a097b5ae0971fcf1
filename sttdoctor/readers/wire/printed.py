r"""Packets and streams as tools print them in hexadecimal: tcpdump, tshark, the streams that Wireshark follows.

    19:07:12.256762 IP 127.0.0.1.52968 > 127.0.0.1.7002: Flags [P.], seq 1:349, ack 1, win 64, length 348
            0x0000:  4500 0190 a511 4000 4006 9654 7f00 0001  E.....@.@..T....

    00000000  47 45 54 20 2f 73 74 74  2f 74 75 72 6e 73 2f 77  GET /stt /turns/w
        00000000  48 54 54 50 2f 31 2e 31  20 31 30 31 20 53 77 69  HTTP/1.1  101 Swi

What is printed with its bytes is as good as the packets themselves; a stream that is followed has times as YAML only.
What says above each part which way it went is read by `relayed`.
Sources: https://www.tcpdump.org/manpages/tcpdump.1.html and
https://www.wireshark.org/docs/wsug_html_chunked/ChAdvFollowStreamSection.html
"""

import re
from collections.abc import Callable, Iterator
from io import BufferedReader, BytesIO
from typing import NamedTuple

from pybase64 import b64decode

from sttdoctor.errors import InputError
from sttdoctor.evidence import Session
from sttdoctor.readers.collector import FullError, Loss
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.sockets import Wanted, choose
from sttdoctor.readers.stream import StreamError, numbered_lines
from sttdoctor.readers.wire.packets import MAX_PACKET_BYTES, Packet, segment_of
from sttdoctor.readers.wire.pcap import read_conversations
from sttdoctor.readers.wire.relayed import holds_relayed, read_relayed

_OFFSET = rb"(?P<indent>[ \t]{0,16})(?:0x)?(?P<offset>[0-9a-fA-F]{4,8})(?::|(?= ))[ \t]{1,3}"
_PAIRS = rb"(?P<pairs>(?:[0-9a-fA-F]{2} ){0,7}[0-9a-fA-F]{2}(?: {1,2}(?:[0-9a-fA-F]{2} ){0,7}[0-9a-fA-F]{2})?)"
_FOURS = rb"(?P<fours>(?:[0-9a-fA-F]{4} ){0,7}[0-9a-fA-F]{2}(?:[0-9a-fA-F]{2})?)"
_ROW = re.compile(_OFFSET + rb"(?:" + _PAIRS + rb"|" + _FOURS + rb")(?:[ \t]{2}|[ \t]{0,99}\r?\Z)")
_PLAIN = re.compile(rb"(\t?)([0-9a-fA-F]{4,})\r?\Z")
_ARRAY = re.compile(rb"(?:static )?(?:const )?(?:unsigned )?(?:char|uint8_t) peer([01])_\d{1,9}\[\] = \{")
_BYTE = re.compile(rb"0x([0-9a-fA-F]{2})")
_BINARY = re.compile(rb"\s{1,20}data: !!binary \|")
_MEMBER = re.compile(rb"\s{1,20}(?:- )?(peer|timestamp): (\d{1,12}(?:\.\d{1,12})?)\s{0,20}\Z")
_CODED = re.compile(rb"\s{4,20}([A-Za-z0-9+/]{1,200}={0,2})\s{0,20}\Z")
_SUMMARY = re.compile(rb"\s{0,8}\d{1,9}\s{1,4}(\d{1,9}\.\d{3,9})\s")
_EPOCH = re.compile(rb"\s{1,20}Epoch (?:Arrival )?Time: (\d{1,12}\.\d{1,9}) ")
_FOLLOWED = re.compile(
    rb"\s{0,20}={20,100}\r?\nFollow: tcp,(?:hex|raw)|\s{0,20}(?:#[^\n]{0,200}\n)?peers:\r?\n {1,20}- peer: 0|"
    + _ARRAY.pattern
)
_BEGIN_OF_ROWS = re.compile(rb"^[ \t]{0,16}(?:0x)?0{4,8}[: ]", re.MULTILINE)
_OTHER = re.compile(rb"^(?:=>|<=|== Info)", re.MULTILINE)  # curl, which marks its ways otherwise
_STREAM_BEGINS = (b"GET ", b"HTTP/1.1 ")
_LINKS = (101, 1, 113, 276, 0)  # bare IP, Ethernet, Linux cooked in both kinds, loopback
_DAY_S = 86_400.0
_TIME_WITHIN = 80  # characters of a line
_MAX_CHUNK = 1 << 16
_RESOLUTION_S = 1e-6
_NOTHING = (
    "the packets hold no WebSocket connection from its handshake on; start tcpdump -i any -s 0 -w FILE before the "
    "client connects"
)


class _Chunk(NamedTuple):
    """Bytes of one side of a stream: `side` is 1 for the one that is indented; its line, and its time, None without."""

    side: int
    data: bytes
    line: int
    t: float | None


def holds_dump(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked) are packets or a stream with a request, in hexadecimal."""
    if holds_relayed(head):
        return True
    if b"\0" in head or _OTHER.search(head) is not None:
        return False
    if _FOLLOWED.match(head) is not None:
        return next(_chunks(BufferedReader(BytesIO(head))), None) is not None
    if _BEGIN_OF_ROWS.search(head) is None:
        return False
    packets = _packets(BufferedReader(BytesIO(head)))
    first = next(packets, None)
    return first is not None and (segment_of(first) is not None or _is_stream(first.data))


def _is_stream(data: bytes) -> bool:
    return data.startswith(_STREAM_BEGINS)


def read_dump(stream: BufferedReader, path: str | None = None, connection: Wanted = None) -> Session:
    """Read one WebSocket of what a tool printed of packets.

    Args:
        stream: Binary.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket that can be read, or several without a choice.
        OSError: The file cannot be read.
    """
    head = stream.peek(1 << 16)[: 1 << 16]
    if holds_relayed(head):
        return read_relayed(stream, path, connection)
    first = None if _FOLLOWED.match(head) else next(_packets(BufferedReader(BytesIO(head))), None)
    if first is not None and not _is_stream(first.data):
        return read_conversations(_packets(stream), "packets in hexadecimal", path, connection, _NOTHING)
    return _read_streams(stream, path, connection)


def _read_streams(stream: BufferedReader, path: str | None, connection: Wanted) -> Session:
    from sttdoctor.readers.wire.websocket import Wires

    wires, loss, client = Wires(connection), None, 0
    wire = wires.begin()
    try:
        for number, chunk in enumerate(_chunks(stream)):
            if b"\r\n\r\nHTTP/1." in chunk.data and chunk.data.startswith(b"GET "):
                raise InputError(
                    f"{path or 'the capture'} is bytes in hexadecimal that do not say which side sent them; let socat "
                    "print them (socat -x), or tcpdump write the packets: tcpdump -i any -s 0 -w FILE"
                )
            if not number:
                client = chunk.side if not chunk.data.startswith(b"HTTP/") else 1 - chunk.side
            wire.feed(chunk.side == client, chunk.data, chunk.line, chunk.t)
    except FullError as error:
        loss = Loss(1, str(error))
    except StreamError as error:
        loss = Loss(error.line, str(error))
    wire.finish()
    sockets = [item.socket("stream in hexadecimal", _RESOLUTION_S, path, loss) for item in wires.conversations]
    return choose(sockets, connection, path or "the capture", loss, _NOTHING)


def _bytes_of(row: re.Match[bytes]) -> bytes:
    return bytes.fromhex((row["pairs"] or row["fours"]).decode("ascii"))


def _packets(stream: BufferedReader) -> Iterator[Packet]:
    """Yield each block of rows whose offsets begin at 0, with the time that stands above it."""
    block, moment, number, clock = bytearray(), None, 0, _Clock()
    for _, line in numbered_lines(stream):
        row = _ROW.match(line) if line is not None else None
        if row is not None:
            offset = int(row["offset"], 16)
            if not offset and block:
                number += 1
                yield _packet(number, bytes(block), moment)
                block.clear()
            if offset == len(block) and len(block) < MAX_PACKET_BYTES:
                block += _bytes_of(row)
            continue
        if block:
            number += 1
            yield _packet(number, bytes(block), moment)
            block.clear()
            moment = None
        if line and (moment is None or _EPOCH.match(line)):
            moment = clock.told_by(line)
    if block:
        yield _packet(number + 1, bytes(block), moment)


def _packet(number: int, data: bytes, t: float | None) -> Packet:
    """A packet with the link layer that makes it one of TCP."""
    packets = (Packet(number, t, link, data, len(data)) for link in _LINKS)
    return next((packet for packet in packets if segment_of(packet) is not None), Packet(number, t, 1, data, len(data)))


class _Clock:
    """Tells the times of lines above packets; a time of day goes on past midnight."""

    def __init__(self) -> None:
        self._day_s = 0.0
        self._last_s = 0.0

    def told_by(self, line: bytes) -> float | None:
        """Return the time that a line tells, None where it tells none."""
        plain = _EPOCH.match(line) or _SUMMARY.match(line)
        if plain is not None:
            return float(plain[1])
        stamp = log_line.stamp_of(line[:_TIME_WITHIN].decode(errors="replace")) if line[:1].strip() else None
        if stamp is None or not stamp.of_day:
            return None if stamp is None else stamp.seconds
        if self._last_s - stamp.seconds > _DAY_S / 2:
            self._day_s += _DAY_S
        self._last_s = stamp.seconds
        return self._day_s + stamp.seconds


def _chunks(stream: BufferedReader) -> Iterator[_Chunk]:
    """Yield what each side of a stream sent, in order."""
    pieces = _pieces(stream)
    begun = next(pieces, None)
    while begun is not None:
        parts, size = [begun.data], len(begun.data)
        following = next(pieces, None)
        while following is not None and (following.side, following.t) == (begun.side, begun.t) and size < _MAX_CHUNK:
            parts.append(following.data)
            size += len(following.data)
            following = next(pieces, None)
        yield begun._replace(data=b"".join(parts))
        begun = following


def _pieces(stream: BufferedReader) -> Iterator[_Chunk]:
    side = 0
    moment: float | None = None
    read: Callable[[bytes], bytes] = _no_bytes
    for number, line in numbered_lines(stream):
        if line is None:
            continue
        if (row := _ROW.match(line)) is not None and read is _no_bytes:
            yield _Chunk(int(bool(row["indent"])), _bytes_of(row), number, None)
        elif (plain := _PLAIN.match(line)) is not None and len(plain[2]) % 2 == 0 and read is _no_bytes:
            yield _Chunk(int(bool(plain[1])), bytes.fromhex(plain[2].decode("ascii")), number, None)
        elif (array := _ARRAY.match(line)) is not None:
            side, moment, read = int(array[1]), None, _bytes_of_array
        elif (member := _MEMBER.match(line)) is not None:
            side, moment = (int(member[2]), None) if member[1] == b"peer" else (side, float(member[2]))
            read = _no_bytes
        elif _BINARY.match(line) is not None:
            read = _bytes_of_code
        elif data := read(line):
            yield _Chunk(side, data, number, moment)


def _no_bytes(_: bytes) -> bytes:
    return b""


def _bytes_of_array(line: bytes) -> bytes:
    return bytes(int(found[1], 16) for found in _BYTE.finditer(line))


def _bytes_of_code(line: bytes) -> bytes:
    found = _CODED.match(line)
    try:
        return b64decode(found[1], validate=True) if found is not None else b""
    except ValueError:
        return b""

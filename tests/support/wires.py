"""Captures of bytes as tools write them: frames, TCP segments, packets, files of packets, net logs, flows."""

import base64
import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from captures import EPOCH, HEADERS, URL, steps
from websockets.frames import CloseCode, Frame, Opcode

from sttdoctor.readers.wire.tap import Closing, Message, Tap

CLIENT, SERVER = ("10.0.0.2", 50000), ("10.0.0.9", 80)
SYN, ACK, PUSH, FIN, RST = 2, 16, 8, 1, 4


class Bytes(NamedTuple):
    """What one side put on the wire at a time; t is seconds since `EPOCH`."""

    t: float
    sent: bool
    data: bytes


def frame(sent: bool, opcode: Opcode, payload: bytes, fin: bool = True, packed: bool = False) -> bytes:
    first, *rest = Frame(opcode, payload, fin).serialize(mask=sent)
    return bytes([first | 0x40 * packed, *rest])


def request(url: str = URL, headers: dict[str, str] = HEADERS, extra: str = "") -> bytes:
    _, _, rest = url.partition("://")
    fields = {**headers, "Upgrade": "websocket", "Connection": "Upgrade"}
    lines = [f"GET /{rest.partition('/')[2]} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + f"\r\n{extra}\r\n").encode()


def answer(extra: str = "", status: str = "101 Switching Protocols") -> bytes:
    return f"HTTP/1.1 {status}\r\nServer: x\r\n{extra}\r\n".encode()


def conversation(packed: bool = False) -> list[Bytes]:
    """The session of `captures`, in bytes; `packed`: with permessage-deflate and its context kept."""
    packers = {sent: zlib.compressobj(wbits=-15) for sent in (True, False)}
    found = [
        Bytes(0.0, True, request()),
        Bytes(0.05, False, answer("Sec-WebSocket-Extensions: permessage-deflate\r\n" if packed else "")),
    ]
    for t, sent, content in steps():
        opcode, payload = (Opcode.BINARY, content) if isinstance(content, bytes) else (Opcode.TEXT, content.encode())
        if packed:
            packer = packers[sent]
            payload = (packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        found.append(Bytes(t, sent, frame(sent, opcode, payload, packed=packed)))
    closing = struct.pack(">H", CloseCode.NORMAL_CLOSURE)
    return [*found, *(Bytes(3.6, sent, frame(sent, Opcode.CLOSE, closing)) for sent in (False, True))]


class Tcp:
    """Makes the packets of one connection, as (t, packet from the IP header on).

    Attributes:
        packets: So far.
    """

    def __init__(self, client: tuple[str, int] = CLIENT, server: tuple[str, int] = SERVER) -> None:
        self.packets: list[tuple[float, bytes]] = []
        self._ends = {True: client, False: server}
        self.next = {True: 1_000, False: 4_294_967_000}  # the server's numbers begin anew within the session

    def send(self, t: float, sent: bool, data: bytes = b"", flags: int = ACK | PUSH) -> None:
        """Add a segment, in order."""
        self.packets.append((t, self.segment(sent, self.next[sent], data, flags)))
        self.next[sent] += len(data) + bool(flags & (SYN | FIN))

    def segment(self, sent: bool, sequence: int, data: bytes, flags: int = ACK | PUSH) -> bytes:
        """Return an IPv4 packet."""
        source, target = self._ends[sent], self._ends[not sent]
        numbers = sequence % 2**32, self.next[not sent] % 2**32 if flags & ACK else 0
        tcp = struct.pack(">HHIIBBHHH", source[1], target[1], *numbers, 5 << 4, flags, 65535, 0, 0) + data
        addresses = bytes(int(part) for end in (source, target) for part in end[0].split("."))
        return struct.pack(">BBHIBBH", 0x45, 0, 20 + len(tcp), 0, 64, 6, 0) + addresses + tcp

    def open(self, t: float = 0.0) -> "Tcp":
        """Add the handshake of TCP."""
        self.send(t, True, flags=SYN)
        self.send(t, False, flags=SYN | ACK)
        self.send(t, True, flags=ACK)
        return self

    def say(self, items: Iterable[Bytes], most: int = 1400) -> "Tcp":
        """Add segments of at most so many bytes."""
        for t, sent, data in items:
            for at in range(0, len(data), most):
                self.send(t, sent, data[at : at + most])
        return self

    def close(self, t: float = 3.7, sent: bool = True) -> "Tcp":
        """Add the end of both directions."""
        self.send(t, sent, flags=FIN | ACK)
        self.send(t, not sent, flags=FIN | ACK)
        return self


Packets = Sequence[tuple[float, bytes]]


def pcap(packets: Packets, link: int = 101, order: str = "<", nanoseconds: bool = False, header: bytes = b"") -> bytes:
    """A pcap file; `header` is the link layer's, before each packet."""
    unit = 1e-9 if nanoseconds else 1e-6
    out = [struct.pack(f"{order}IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 262144, link)]
    for t, packet in packets:
        whole, moment = header + packet, EPOCH + t
        out.append(struct.pack(f"{order}IIII", int(moment), round(moment % 1 / unit), len(whole), len(whole)) + whole)
    return b"".join(out)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + length + body + length


def pcapng(packets: Packets, link: int = 101, order: str = "<", nanoseconds: bool = True) -> bytes:
    """A pcapng file."""
    options = struct.pack(f"{order}HHB3xHH", 9, 1, 9 if nanoseconds else 6, 0, 0)
    out = [block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)]
    out.append(block(1, struct.pack(f"{order}HHI", link, 0, 0) + options, order))
    for t, packet in packets:
        ticks = round((EPOCH + t) * (1e9 if nanoseconds else 1e6))
        fields = struct.pack(f"{order}IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
        out.append(block(6, fields + packet, order))
    return b"".join(out)


def net_log(items: Iterable[Bytes], secure: bool = False, ends: bool = True, whole: bool = True) -> bytes:
    """A net log of Chromium with one socket; `whole` False: without the bytes."""
    types = {"SOCKET_ALIVE": 1, "SOCKET_BYTES_SENT": 77, "SOCKET_BYTES_RECEIVED": 78}
    types |= {"SSL_SOCKET_BYTES_SENT": 80, "SSL_SOCKET_BYTES_RECEIVED": 81, "WEBSOCKET_SENT_FRAME_HEADER": 300}
    constants = {
        "logEventTypes": types,
        "logEventPhase": {"PHASE_BEGIN": 1, "PHASE_END": 2, "PHASE_NONE": 0},
        "timeTickOffset": round(EPOCH * 1000) - 5000,
    }
    source = {"id": 102, "type": 10}
    events: list[dict[str, Any]] = [{"type": 1, "phase": 1, "source": source, "time": "5000"}]
    for t, sent, data in items:
        name = f"{'SSL_' if secure else ''}SOCKET_BYTES_{'SENT' if sent else 'RECEIVED'}"
        content = {"bytes": base64.b64encode(data).decode()} if whole else {}
        params = {"byte_count": len(data), **content}
        time = str(5000 + round(t * 1000))
        events.append({"type": types[name], "phase": 0, "source": source, "time": time, "params": params})
    if ends:
        events.append({"type": 1, "phase": 2, "source": source, "time": "8700"})
    rows = ",\n".join(json.dumps(event) for event in events)
    return f'{{"constants":{json.dumps(constants)},\n"events": [\n{rows}],\n"polledData":{{}}}}\n'.encode()


def tnetstring(value: Any) -> bytes:
    """Text with `;`, as mitmproxy does."""
    if isinstance(value, dict):
        content, letter = b"".join(tnetstring(item) for pair in value.items() for item in pair), b"}"
    elif isinstance(value, list):
        content, letter = b"".join(map(tnetstring, value)), b"]"
    elif isinstance(value, bool) or value is None:
        content, letter = (b"", b"~") if value is None else (str(value).lower().encode(), b"!")
    elif isinstance(value, bytes):
        content, letter = value, b","
    else:
        content = str(value).encode()
        letter = b";" if isinstance(value, str) else b"#" if isinstance(value, int) else b"^"
    return b"%d:%b%b" % (len(content), content, letter)


def flow(**changes: Any) -> dict[str, Any]:
    """A flow of mitmproxy of the session of `captures`."""
    messages = [
        [2 if isinstance(content, bytes) else 1, sent, _raw(content), EPOCH + t, False, False]
        for t, sent, content in steps()
    ]
    closing = {"timestamp_end": EPOCH + 3.6, "close_reason": "", "close_code": 1000, "closed_by_client": False}
    path = "/" + URL.partition("://")[2].partition("/")[2]
    headers = [[name.encode(), value.encode()] for name, value in [*HEADERS.items(), ("Upgrade", "websocket")]]
    return {
        "websocket": {**closing, "messages": messages},
        "response": {"status_code": 101, "headers": [[b"Server", b"x"]], "content": b"", "timestamp_end": EPOCH + 0.05},
        "request": {"path": path.encode(), "scheme": b"https", "authority": b"", "port": 443, "host": "api.cartesia.ai"}
        | {"headers": headers, "timestamp_start": EPOCH, "content": b""},
        "version": 21,
        "type": "http",
    } | changes


def _raw(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def tshark(items: Iterable[Bytes], packed: bool = False) -> bytes:
    """What `tshark -T json` prints of a conversation whose frames are all whole; duplicates stand as it prints them."""
    return ("[\n" + ",\n".join(_packet(item, packed) for item in items) + "\n]\n").encode()


def _packet(item: Bytes, packed: bool) -> str:
    frame_ = {"frame.time_epoch": f"{EPOCH + item.t:.9f}"}
    layers = [f'"frame": {json.dumps(frame_)}', '"ip": {"ip.src": "10.0.0.2"}', '"tcp": {"tcp.stream": "0"}']
    if b"HTTP/1.1" in item.data[:300]:
        layers.append(f'"http": {_http(item.data.decode())}')
    else:
        layers += _frame_layers(item, packed)
    return f'{{"_index": "packets-2026-11-30", "_type": "doc", "_source": {{"layers": {{{", ".join(layers)}}}}}}}'


def _http(head: str) -> str:
    start, *lines = head.rstrip("\r\n").split("\r\n")
    way = "response" if start.startswith("HTTP") else "request"
    fields = [f'"http.{way}.line": {json.dumps(line)}' for line in lines] + [f'"http.{way}": "1"']
    if way == "request":
        url = f"https://api.cartesia.ai{start.split(' ')[1]}"
        fields += ['"http.upgrade": "websocket"', f'"http.request.full_uri": {json.dumps(url)}']
    else:
        fields.append(f'{json.dumps(start)}: {{"http.response.code": "{start.split(" ")[1]}"}}')
    return "{" + ", ".join(fields) + "}"


def _frame_layers(item: Bytes, packed: bool) -> list[str]:
    (content,) = Tap().feed(item.data)
    frame_: dict[str, Any] = {"websocket.fin": "1", "websocket.rsv": "0x04" if packed else "0x00"}
    frame_ |= {"websocket.mask": str(int(item.sent)), "websocket.payload_length": "126", "websocket.payload": ""}
    frame_["websocket.opcode"] = str(item.data[0] & 15)
    if isinstance(content, Closing):
        closing = {"websocket.payload.close.status_code": str(content.code)}
        return [f'"websocket": {json.dumps(frame_ | {"websocket.payload": {"websocket.payload.close": closing}})}']
    assert isinstance(content, Message) and content.content is not None
    if not content.binary:
        frame_["websocket.payload"] = {"websocket.payload.text": content.content.decode()}
        return [f'"websocket": {json.dumps(frame_)}']
    frame_["websocket.payload_length_ext_16"] = str(content.size)
    return [f'"websocket": {json.dumps(frame_)}', f'"data": {{"data.data": "{content.content.hex(":")}"}}']


def _packets_of(listed: bytes) -> list[list[tuple[str, Any]]]:
    """The layers of each packet of `tshark`, with all their members."""
    packets = json.loads(listed, object_pairs_hook=list)
    return [dict(dict(packet)["_source"])["layers"] for packet in packets]


def _flat(fields: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for name, value in fields:
        found += [(name, ""), *_flat(value)] if isinstance(value, list) else [(name, value)]
    return found


def tshark_bulk(listed: bytes) -> bytes:
    """The same packets as `tshark -T ek` prints them."""
    out = []
    for layers in _packets_of(listed):
        told: dict[str, Any] = {}
        for layer, fields in layers:
            members: dict[str, Any] = {}
            for name, value in _flat(fields):
                key = f"{layer}_{name.replace('.', '_')}"
                shown = value == "1" if name in ("websocket.fin", "websocket.mask", "http.request") else value or None
                members[key] = [*members[key], shown] if isinstance(members.get(key), list) else shown
                if name.endswith(".line") and not isinstance(members[key], list):
                    members[key] = [shown]
            told[layer] = members if layer not in told else [told[layer], members]
        out += [
            '{"index":{"_index":"packets-2026-11-30","_type":"doc"}}',
            json.dumps({"timestamp": "1", "layers": told}),
        ]
    return "".join(f"{line}\n" for line in out).encode()


def tshark_xml(listed: bytes) -> bytes:
    """The same packets as `tshark -T pdml` prints them."""
    out = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<?xml-stylesheet type="text/xsl" href="pdml2html.xsl"?>',
        "<!-- x -->",
    ]
    out.append('<pdml version="0" creator="wireshark/4.0.17" time="x" capture_file="x.pcap">')
    for layers in _packets_of(listed):
        out.append("<packet>")
        for layer, fields in layers:
            out.append(f'<proto name="{"fake-field-wrapper" if layer == "data" else layer}" size="2" pos="66">')
            for name, value in _flat(fields):
                out.append(f'<field name={quoteattr(name)} size="1" pos="1" show={quoteattr(value)} value="00"/>')
            out.append("</proto>")
        out.append("</packet>\n")
    return "\n".join([*out, "</pdml>", ""]).encode()


FORMATS = {
    "flow": tnetstring(flow()),
    "net-log": net_log(conversation()),
    "net-log-packed": net_log(conversation(packed=True), secure=True),
    "pcap": pcap(Tcp().open().say(conversation()).close().packets),
    "tshark": tshark(conversation()),
    "tshark-bulk": tshark_bulk(tshark(conversation())),
    "tshark-xml": tshark_xml(tshark(conversation())),
    "pcapng": pcapng(Tcp().open().say(conversation(packed=True)).close().packets),
}
"""The session of `captures` in every format of bytes."""

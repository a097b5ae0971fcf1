"""The forms in which people have such a session: a log of `websockets`, a trace, packets, a flow, a HAR, or our own."""

import base64
import json
import struct
from collections.abc import Callable, Iterator

from faults_bench import _har, jsonl
from faults_recipe import Row
from websockets.frames import Frame, Opcode
from wires import tnetstring

EPOCH = 1_789_000_000.0
LIMIT = 75  # what `websockets` prints of a frame
SEGMENT = 1400
SYN, ACK, PUSH, FIN = 2, 16, 8, 1
ENDS = {True: (b"\x0a\x00\x00\x02", 50000), False: (b"\x0a\x00\x00\x09", 80)}
MEANINGS = {1000: "OK", 1001: "going away", 1011: "internal error"}


def written(rows: list[Row], form: str = "jsonl") -> bytes:
    """The session in one of `FORMS`."""
    return FORMS[form](rows)


def _payload(row: Row) -> bytes | str:
    if "audio" in row:
        return base64.b64decode(row["audio"])
    return str(row["text"]) if "text" in row else json.dumps(row["json"])


def _request(head: Row) -> tuple[str, dict[str, str]]:
    _, _, rest = head["url"].partition("://")
    host, _, path = rest.partition("/")
    fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade"}
    return f"/{path}", fields | {name.title(): value for name, value in head["headers"].items()}


def _clock(t: float) -> str:
    whole = int(t)
    return f"{14 + whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{int(t % 1 * 1000):03}"


def _shown(content: bytes | str) -> str:
    if isinstance(content, bytes):
        cut = (LIMIT // 3 - 1) // 3
        short = len(content) <= LIMIT // 3
        digits = content.hex(" ") if short else f"{content[: 2 * cut].hex(' ')} ... {content[-cut:].hex(' ')}"
        return f"BINARY {digits} [{len(content)} bytes]"
    data, cut = repr(content), LIMIT // 3 - 1
    data = data if len(data) <= LIMIT else f"{data[: 2 * cut]}...{data[-cut:]}"
    return f"TEXT {data} [{len(content.encode())} bytes]"


def websockets_log(rows: list[Row]) -> bytes:
    """What the Python library logs at DEBUG; rows of type `log` are lines of its own."""

    def lines() -> Iterator[tuple[float, str]]:
        path, fields = _request(rows[0])
        yield 0.0, "= connection is CONNECTING"
        yield 0.0, f"> GET {path} HTTP/1.1"
        yield from ((0.0, f"> {name}: {value}") for name, value in fields.items())
        for row in rows[1:]:
            t = row.get("t", 0.0)
            if row["type"] == "open":
                yield t, f"< HTTP/1.1 {row['status']} {'Switching Protocols' if row['status'] == 101 else 'Refused'}"
                yield from ((t, f"< {name}: {value}") for name, value in row.get("headers", {}).items())
                yield t, "= connection is OPEN" if row["status"] == 101 else f"< [body] ({len(row['body'])} bytes)"
            elif row["type"] in ("send", "receive"):
                yield t, f"{'>' if row['type'] == 'send' else '<'} {_shown(_payload(row))}"
            elif row["type"] == "log":
                yield t, row["line"]
            elif row["type"] == "close" and row["code"] == 1006:
                yield from ((t, line) for line in ("< EOF", "> EOF", "x half-closing TCP connection"))
                yield t + 0.001, "= connection is CLOSED"
            elif row["type"] == "close":
                way = ">" if row["by"] == "client" else "<"
                said = f"CLOSE {row['code']} ({MEANINGS.get(row['code'], 'private use')}) {row['reason']}"
                yield t, f"{way} {said.strip()} [{2 + len(row['reason'])} bytes]"
                yield t, "= connection is CLOSED"

    return "".join(f"2026-09-21 {_clock(t)} websockets.client DEBUG {line}\n" for t, line in lines()).encode()


def trace(rows: list[Row]) -> bytes:
    """What `websocket-client` traces, with a handler that prints times; it holds the bytes of every frame."""

    def lines() -> Iterator[tuple[float, str]]:
        path, fields = _request(rows[0])
        yield 0.0, "--- request header ---"
        yield 0.0, f"GET {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
        yield 0.0, "-----------------------"
        for row in rows[1:]:
            t = row.get("t", 0.0)
            if row["type"] == "open":
                answer = "HTTP/1.1 101 Switching Protocols"
                yield from ((t, x) for x in ("--- response header ---", answer, "-----------------------"))
            elif row["type"] in ("send", "receive"):
                content = _payload(row)
                data = content if isinstance(content, bytes) else content.encode()
                way = "Sent" if row["type"] == "send" else "Rcv"
                yield t, f"++{way} decoded: fin=1 opcode={1 + isinstance(content, bytes)} data={data!r}"
            elif row["type"] == "close" and row["code"] != 1006:
                data = struct.pack(">H", row["code"]) + row["reason"].encode()
                way = "Sent" if row["by"] == "client" else "Rcv"
                yield t, f"++{way} decoded: fin=1 opcode=8 data={data!r}"

    return "".join(f"2026-09-21 {_clock(t)} DEBUG websocket {line}\n" for t, line in lines()).encode()


def app_log(rows: list[Row]) -> bytes:
    """What an application prints of its own: sizes of what it sends, messages as they come, the end."""

    def lines() -> Iterator[tuple[float, str]]:
        yield 0.0, f"INFO  [stt] connecting to {rows[0]['url']}"
        for row in rows[1:]:
            t = row.get("t", 0.0)
            if row["type"] == "open":
                yield t, "INFO  [stt] websocket open" if row["status"] == 101 else f"ERROR [stt] HTTP {row['status']}"
            elif row["type"] == "send":
                content = _payload(row)
                yield t, f"DEBUG [stt] sent {len(content)} bytes" if isinstance(content, bytes) else f"-> {content}"
            elif row["type"] == "receive":
                yield t, f"DEBUG [stt] <- {_payload(row)!s}"
            elif row["type"] == "close":
                yield t, f"WARN  [stt] websocket closed code={row['code']} reason={row['reason']!r}"

    return "".join(f"2026-09-21T{_clock(t).replace(',', '.')}Z {line}\n" for t, line in lines()).encode()


def _conversation(rows: list[Row]) -> Iterator[tuple[float, bool, bytes]]:
    path, fields = _request(rows[0])
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    yield 0.0, True, f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
    for row in rows[1:]:
        if row["type"] == "open":
            head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
            yield row["t"], False, head.encode()
        elif row["type"] in ("send", "receive"):
            sent, content = row["type"] == "send", _payload(row)
            opcode = Opcode.BINARY if isinstance(content, bytes) else Opcode.TEXT
            data = content if isinstance(content, bytes) else content.encode()
            yield row["t"], sent, Frame(opcode, data).serialize(mask=sent)
        elif row["type"] == "close" and row["code"] != 1006:
            sent = row["by"] == "client"
            data = struct.pack(">H", row["code"]) + row["reason"].encode()
            yield row["t"], sent, Frame(Opcode.CLOSE, data).serialize(mask=sent)


def pcap(rows: list[Row]) -> bytes:
    """The packets of an unencrypted connection, as `tcpdump` keeps them."""
    numbers = {True: 1000, False: 5000}
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)]

    def put(t: float, sent: bool, flags: int, data: bytes = b"") -> None:
        (source, port), (target, other) = ENDS[sent], ENDS[not sent]
        acked = numbers[not sent] if flags & ACK else 0
        tcp = struct.pack(">HHIIBBHHH", port, other, numbers[sent], acked, 5 << 4, flags, 65535, 0, 0) + data
        packet = struct.pack(">BBHIBBH", 0x45, 0, 20 + len(tcp), 0, 64, 6, 0) + source + target + tcp
        moment = EPOCH + t
        times = struct.pack("<II", int(moment), round(moment % 1 * 1e6))
        out.append(times + struct.pack("<II", len(packet), len(packet)) + packet)
        numbers[sent] += len(data) + bool(flags & (SYN | FIN))

    for sent, flags in ((True, SYN), (False, SYN | ACK), (True, ACK)):
        put(0.0, sent, flags)
    last = 0.0
    for t, sent, data in _conversation(rows):
        last = t
        for at in range(0, len(data), SEGMENT):
            put(t, sent, ACK | PUSH, data[at : at + SEGMENT])
    for sent in (False, True):
        put(last + 0.001, sent, FIN | ACK)
    return b"".join(out)


def flow(rows: list[Row]) -> bytes:
    """A flow of mitmproxy, with the close."""
    path, fields = _request(rows[0])
    close = next((row for row in rows if row["type"] == "close"), {"t": 0.0, "code": 1006, "reason": "", "by": "x"})
    messages = []
    for row in rows:
        if row["type"] in ("send", "receive"):
            content = _payload(row)
            data = content if isinstance(content, bytes) else content.encode()
            kind = 2 if isinstance(content, bytes) else 1
            messages.append([kind, row["type"] == "send", data, EPOCH + row["t"], False, False])
    ended = {"timestamp_end": EPOCH + close["t"], "close_code": close["code"], "close_reason": close["reason"]}
    opened = next(row["t"] for row in rows if row["type"] == "open")
    return tnetstring({
        "websocket": {**ended, "closed_by_client": close["by"] == "client", "messages": messages},
        "response": {"status_code": 101, "headers": [], "content": b"", "timestamp_end": EPOCH + opened},
        "request": {"path": path.encode(), "scheme": b"https", "authority": b"", "port": 443, "host": fields["Host"],
                    "headers": [[name.encode(), value.encode()] for name, value in fields.items()],
                    "timestamp_start": EPOCH, "content": b""},
        "version": 21, "type": "http",
    })  # fmt: skip


FORMS: dict[str, Callable[[list[Row]], bytes]] = {
    "jsonl": jsonl, "har": lambda rows: _har(rows, (0.0,)) if rows[-1]["type"] != "again" else jsonl(rows),
    "log": websockets_log, "app": app_log, "trace": trace, "pcap": pcap, "mitm": flow,
    "raw": lambda rows: b"".join(base64.b64decode(row["audio"]) for row in rows if "audio" in row),
}  # fmt: skip
"""By the suffix of the file."""

"""What reading costs: time against a bare decode of the same file, and the peak of memory.

`python benchmarks/readers/readers.py FOLDER [--megabytes 100 1000]` writes captures of these sizes into the folder
(left there) and prints a table. The bare decode is `json.loads` of the file (of each line, where lines are what it has)
and base64 of each audio. A log has neither: there it is one regular expression over each line, the time as `datetime`,
and the size as a number; the row `expression` has the regular expression alone. Of a trace the bare decode is
`ast.literal_eval` of the bytes of each frame, and what stands round the lines of a log is taken off as bare:
`json.loads` of each record, or decoding UTF-16. Of packets and flows it is the headers by `struct`, of a net log JSON
and base64, and the unmasking of each frame by `websockets`; of tshark's JSON `bytes.fromhex`. Each measurement is a
process of its own and counts the seconds of its processor.
"""

import argparse
import ast
import base64
import json
import re
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))

CHUNK = bytes(range(200)) * 16
URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
FRAME = re.compile(r"([<>]) (TEXT|BINARY|CONT|CLOSE|PING|PONG) (.*) \[.*?(\d+) bytes?.*\]$")
TIMED = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})[^<>]* " + FRAME.pattern)


def har(count: int) -> Iterator[str]:
    yield json.dumps({"log": {"creator": {"name": "WebInspector"}, "entries": []}})[:-3]
    yield json.dumps({"request": {"url": URL}, "response": {"status": 101}})[:-1] + ', "_webSocketMessages": ['
    audio = base64.b64encode(CHUNK).decode()
    for number in range(count):
        message = {"type": "send", "time": 1.79e9 + number / 10, "opcode": 2, "data": audio}
        yield (",\n" if number else "") + json.dumps(message)
    yield "]}]}}"


def session(count: int) -> Iterator[str]:
    yield json.dumps({"type": "session", "url": URL}) + "\n"
    audio = base64.b64encode(CHUNK).decode()
    for number in range(count):
        yield json.dumps({"type": "send", "t": number / 10, "audio": audio}) + "\n"


def log(count: int) -> Iterator[str]:
    shown = f"BINARY {CHUNK[:16].hex(' ')} ... {CHUNK[-8:].hex(' ')} [{len(CHUNK)} bytes]"
    for number in range(count):
        seconds = number // 10
        clock = f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{number % 10}00"
        yield f"2026-09-21 {clock} websockets.client DEBUG > {shown}\n"


def trace(count: int) -> Iterator[str]:
    for number in range(count):
        clock = f"2026-09-21 {number // 36000 % 24:02}:{number // 600 % 60:02}:{number // 10 % 60:02},{number % 10}00"
        yield f"{clock} DEBUG websocket ++Sent raw: {b'x' + CHUNK!r}\n"
        yield f"{clock} DEBUG websocket ++Sent decoded: fin=1 opcode=2 data={CHUNK!r}\n"


def docker(count: int) -> Iterator[str]:
    for line in log(count):
        yield json.dumps({"log": line, "stream": "stderr", "time": "2026-09-21T14:13:20.123456789Z"}) + "\n"


def formatter(count: int) -> Iterator[str]:
    for line in log(count):
        yield json.dumps({"asctime": line[:23], "name": "websockets.client", "message": line[48:-1]}) + "\n"


def noise(count: int) -> Iterator[str]:
    for number in range(count):
        yield f"2026-09-21 14:00:00,000 app.worker INFO request {number} was handled in 3 ms\n"
    yield from log(100)


def pcap(count: int) -> Iterator[bytes]:
    from wires import EPOCH, Bytes, Tcp, answer, frame, request
    from wires import pcap as file_of

    tcp = Tcp().open().say([Bytes(0.0, True, request(URL)), Bytes(0.1, False, answer())])
    yield file_of(tcp.packets)
    message, header = frame(True, 2, CHUNK), struct.Struct("<IIII")
    for number in range(count):
        tcp.packets.clear()
        tcp.say([Bytes(0.2 + number / 10, True, message)], 1448)
        tcp.send(0.2 + number / 10, False, flags=16)
        for t, packet in tcp.packets:
            yield header.pack(int(EPOCH + t), int(t % 1 * 1e6), len(packet), len(packet)) + packet


def flow(count: int) -> Iterator[bytes]:
    from wires import EPOCH, tnetstring
    from wires import flow as flow_of

    messages = [[2, True, CHUNK, EPOCH + number / 10, False, False] for number in range(count)]
    yield tnetstring(flow_of(websocket={"close_code": 1000, "closed_by_client": False, "messages": messages}))


def net_log(count: int) -> Iterator[bytes]:
    from wires import Bytes, answer, frame, request
    from wires import net_log as log_of

    message = frame(True, 2, CHUNK)
    frames = (Bytes(0.2 + number / 10, True, message) for number in range(count))
    yield log_of([Bytes(0.0, True, request(URL)), Bytes(0.1, False, answer()), *frames])


def tshark(count: int) -> Iterator[bytes]:
    from wires import Bytes, answer, frame, request
    from wires import tshark as list_of

    message = frame(True, 2, CHUNK)
    frames = (Bytes(0.2 + number / 10, True, message) for number in range(count))
    yield list_of([Bytes(0.0, True, request(URL)), Bytes(0.1, False, answer()), *frames])


MAKERS = {
    "har": (har, 4400),
    "session": (session, 4330),
    "log": (log, 150),
    "noise": (noise, 75),
    "trace": (trace, 22000),
    "docker": (docker, 240),
    "formatter": (formatter, 220),
    "utf16": (log, 300),
    "expression": (log, 150),
    "pcap": (pcap, 3440),
    "flow": (flow, 3260),
    "net-log": (net_log, 4420),
    "tshark": (tshark, 10060),
}


def bare(kind: str, path: Path) -> None:
    if kind == "har":
        with path.open(encoding="utf-8") as file:
            entries = json.load(file)["log"]["entries"]
        held: list[Any] = [base64.b64decode(message["data"]) for message in entries[0]["_webSocketMessages"]]
    elif kind == "session":
        with path.open("rb") as lines:
            held = [base64.b64decode(row["audio"]) for row in map(json.loads, lines) if "audio" in row]
    elif kind == "trace":
        with path.open(encoding="utf-8") as lines:
            found = (re.search(r"^(.{23}).* decoded: fin=. opcode=. data=(.*)$", line) for line in lines)
            held = [(datetime.fromisoformat(item[1]), ast.literal_eval(item[2])) for item in found if item]
    elif kind in ("docker", "formatter"):
        with path.open(encoding="utf-8") as lines:
            records = map(json.loads, lines)
            texts = (item.get("log") or f"{item['asctime']} {item['message']}" for item in records)
            held = [fields(match) for match in map(TIMED.search, texts) if match]
    elif kind in BARE:
        held = BARE[kind](path)
    elif kind == "expression":
        with path.open(encoding="utf-8") as lines:
            held = [match[3] for match in map(FRAME.search, lines) if match]
    else:
        with path.open(encoding="utf-16" if kind == "utf16" else "utf-8") as lines:
            held = [fields(match) for match in map(TIMED.search, lines) if match]
    assert held


def bare_pcap(path: Path) -> list[Any]:
    from websockets.frames import apply_mask

    header, ip, tcp = struct.Struct("<IIII"), struct.Struct(">BxH5xB2x4s4s"), struct.Struct(">HHIIBB")
    content, at, stream, times = path.read_bytes(), 24, bytearray(), []
    while at < len(content):
        seconds, fraction, length, _ = header.unpack_from(content, at)
        packet = memoryview(content)[at + 16 : at + 16 + length]
        at += 16 + length
        ip.unpack_from(packet)
        source, *_, offset, _ = tcp.unpack_from(packet, 20)
        if source == 50000:
            times.append(seconds + fraction * 1e-6)
            stream += packet[20 + 4 * (offset >> 4) :]
    at = stream.find(b"\r\n\r\n") + 4
    held: list[Any] = [times]
    while at < len(stream):
        length = int.from_bytes(stream[at + 2 : at + 4])
        held.append(apply_mask(bytes(stream[at + 8 : at + 8 + length]), bytes(stream[at + 4 : at + 8])))
        at += 8 + length
    return held


def bare_flow(path: Path) -> list[Any]:
    def value(content: memoryview, at: int) -> tuple[Any, int]:
        digits = bytes(content[at : at + 12]).partition(b":")[0]
        begin = at + len(digits) + 1
        end = begin + int(digits)
        part, letter = content[begin:end], chr(content[end])
        if letter in "]}":
            found, place = [], 0
            while place < len(part):
                item, place = value(part, place)
                found.append(item)
            return found, end + 1
        return (float(part) if letter in "#^" else bytes(part)), end + 1

    return [value(memoryview(path.read_bytes()), 0)]


def bare_net_log(path: Path) -> list[Any]:
    from websockets.frames import apply_mask

    with path.open(encoding="utf-8") as file:
        events = json.load(file)["events"]
    raw = [base64.b64decode(event["params"]["bytes"]) for event in events if "params" in event]
    return [apply_mask(data[8:], data[4:8]) for data in raw]


def bare_tshark(path: Path) -> list[Any]:
    with path.open(encoding="utf-8") as file:
        layers = [packet["_source"]["layers"] for packet in json.load(file)]
    return [bytes.fromhex(layer["data"]["data.data"].replace(":", "")) for layer in layers if "data" in layer]


BARE = {"pcap": bare_pcap, "flow": bare_flow, "net-log": bare_net_log, "tshark": bare_tshark}


def fields(match: re.Match[str]) -> tuple[float, str, str, str, int]:
    clock = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    return clock.timestamp(), match[2], match[3], match[4], int(match[5])


def ours(path: Path) -> str:
    from sttdoctor.readers.capture import read_capture

    session = read_capture(path)
    assert session.events
    return "; ".join(note for _, note in session.damage.examples)


def one(how: str, kind: str, path: Path) -> None:
    if how == "ours":
        import sttdoctor.readers  # noqa: F401  # the time of imports is not that of reading
    began = time.process_time()
    note = ours(path) if how == "ours" else bare(kind, path)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": round(seconds, 2), "peak_mb": round(peak), "note": note or ""}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100])
    parser.add_argument("--kinds", nargs="+", default=list(MAKERS))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one, arguments.folder)
        return
    arguments.folder.mkdir(parents=True, exist_ok=True)
    print(f"{'file':<16}{'bare s':>8}{'ours s':>8}{'ratio':>7}{'bare MB':>9}{'ours MB':>9}")
    for kind in arguments.kinds:
        for size in arguments.megabytes:
            maker, line = MAKERS[kind]
            path = arguments.folder / f"{kind}-{size}"
            if not path.exists():
                encoding = "utf-16-le" if kind == "utf16" else "utf-8"
                with path.open("wb") as file:
                    file.write("\ufeff".encode(encoding) if kind == "utf16" else b"")
                    made = maker(size * 1_000_000 // line)
                    file.writelines(part if isinstance(part, bytes) else part.encode(encoding) for part in made)
            results = {}
            for how in ("bare", "ours"):
                command = [sys.executable, __file__, str(path), "--one", how, kind]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                results[how] = json.loads(done.stdout)
            a, b = results["bare"], results["ours"]
            ratio = b["seconds"] / max(a["seconds"], 0.01)
            costs = f"{a['seconds']:>8}{b['seconds']:>8}{ratio:>7.1f}{a['peak_mb']:>9}{b['peak_mb']:>9}"
            print(f"{f'{kind} {size} MB':<16}{costs}  {b['note']}")


if __name__ == "__main__":
    main()

"""Captures that want to cost more than their size: named shapes, each made at any size.

A shape is a function from a size in bytes to a capture of about that size. `SHAPES` is the table; a new shape is one
function with `@shape`. `benchmarks/readers/hostile.py` measures time and memory of each, and `tests/test_cost.py`
counts the steps of small ones.
"""

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle, product
from random import Random
from typing import Any

URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
REPLAY = ("replay", "{}", "--format", "json", "-o", "{}.out.json")
PAGE = ("replay", "{}", "--format", "html", "-o", "{}.out.html")
CONVERT = ("convert", "{}", "-o", "{}.out.jsonl")

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Shape:
    """A kind of capture.

    Attributes:
        make: From a size in bytes to the capture.
        command: What reads it; `{}` is its path.
        suffix: Of its file.
    """

    make: Callable[[int], bytes]
    command: tuple[str, ...] = REPLAY
    suffix: str = ".jsonl"


SHAPES: dict[str, Shape] = {}


def shape(
    name: str, command: tuple[str, ...] = REPLAY, suffix: str = ".jsonl"
) -> Callable[[Callable[[int], bytes]], Callable[[int], bytes]]:
    """Enter a function into `SHAPES`."""

    def enter(make: Callable[[int], bytes]) -> Callable[[int], bytes]:
        SHAPES[name] = Shape(make, command, suffix)
        return make

    return enter


# What shapes are made of


def line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"


def filled(rows: Rows, size: int) -> bytes:
    """The usual beginning of a session, and as many of the rows as fit."""
    parts = [line({"type": "session", "url": URL}), line({"type": "open", "t": 0.0, "status": 101})]
    length = sum(map(len, parts))
    for row in rows:
        parts.append(line(row))
        length += len(parts[-1])
        if length >= size:
            break
    return b"".join(parts)


def session(*rows: dict[str, Any]) -> bytes:
    return filled(iter(rows), 1 << 60)


def received(t: float, message: Any) -> dict[str, Any]:
    return {"type": "receive", "t": round(t, 3), "json": message}


def turn(t: float, text: str) -> Rows:
    """A turn without updates."""
    yield received(t, {"type": "turn.start"})
    yield received(t + 0.01, {"type": "turn.end", "transcript": text})


def joined(turns: list[str], text: str) -> bytes:
    """Turns, and the text that the application made of them."""
    rows = [row for number, said in enumerate(turns) for row in turn(number / 10, said)]
    return session(*rows, {"type": "transcript", "text": text})


def repeated(piece: str, size: int) -> str:
    return piece * max(1, size // len(piece))


def har(*entries: bytes) -> bytes:
    return b'{"log":{"version":"1.2","creator":{"name":"WebInspector"},"entries":[' + b",".join(entries) + b"]}}"


def socket(messages: list[dict[str, Any]], other: bytes = b"") -> bytes:
    """An entry of a HAR; what stands in `other` (`"name":value,`) comes first."""
    entry = {"_resourceType": "websocket", "_webSocketMessages": messages, "request": {"url": URL}}
    entry["response"] = {"status": 101, "headers": []}
    return b"{" + other + json.dumps(entry).encode()[1:]


def message(t: float, data: str, kind: str = "receive", opcode: int = 1) -> dict[str, Any]:
    return {"type": kind, "time": 1.79e9 + t, "opcode": opcode, "data": data}


def stamped(text: str, second: float = 0.0) -> str:
    """A line of a `websockets` log."""
    clock = (
        f"{int(second) // 3600 % 24:02}:{int(second) // 60 % 60:02}:{int(second) % 60:02},{round(second % 1 * 999):03}"
    )
    return f"2026-09-21 {clock} websockets.client DEBUG {text}\n"


HANDSHAKE = (
    stamped("> GET /stt/turns/websocket?encoding=pcm_s16le&sample_rate=16000 HTTP/1.1")
    + stamped("< HTTP/1.1 101 Switching Protocols")
    + stamped("= connection is OPEN")
)


def log(text: str) -> bytes:
    return (HANDSHAKE + text + stamped("> TEXT '{}' [2 bytes]")).encode()


def packed(unit: bytes, size: int, before: bytes = b"") -> bytes:
    """A gzip file of about `size` bytes that repeats a unit as often as it can: each member unpacks to a MiB."""
    member = gzip.compress(unit * ((1 << 20) // len(unit)), 9, mtime=0)
    return gzip.compress(before, 9, mtime=0) + member * max(1, size // len(member))


def speech(seconds: float) -> bytes:
    """Something that is no silence: 20 ms of 16 kHz a frame, 16 bits."""
    number = int(seconds * 50)
    return bytes((number * 7 + place * 13) % 251 for place in range(640))


# Natural ones, to compare with


@shape("natural-session")
def natural_session(size: int) -> bytes:
    def rows() -> Rows:
        for number in count():
            yield {"type": "send", "t": number / 50, "audio": base64.b64encode(speech(number / 50)).decode()}
            if number % 100 == 99:
                yield from turn(number / 50, f"This is sentence {number}. ")

    return filled(rows(), size)


@shape("natural-har", suffix=".har")
def natural_har(size: int) -> bytes:
    audio = base64.b64encode(speech(0)).decode()
    return har(socket([message(number / 50, audio, "send", 2) for number in range(max(1, size // 930))]))


@shape("natural-log", suffix=".log")
def natural_log(size: int) -> bytes:
    frame = "> BINARY 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f ... 70 71 72 73 74 75 76 77 [640 bytes]"
    return log("".join(stamped(frame, number / 50) for number in range(size // 150)))


@shape("natural-noise", suffix=".log")
def natural_noise(size: int) -> bytes:
    """An application's own log round a short session."""
    return log("2026-09-21 14:00:00,000 app.worker INFO a -> b: request 7 was handled in 3 ms\n" * (size // 78))


@shape("natural-transcript")
def natural_transcript(size: int) -> bytes:
    turns = [f"Sentence {number} is about {number * 7 % 100} apples. " for number in range(max(1, size // 190))]
    return joined(turns, "".join(said.strip() for said in turns))


# Several sockets in one file


@shape("har-sockets", command=(*REPLAY, "--connection", "2"), suffix=".har")
def har_sockets(size: int) -> bytes:
    entry = socket([message(0.1, '{"type":"connected"}'), message(0.2, '{"type":"close"}', "send")])
    return har(*[entry] * max(2, size // (len(entry) + 1)))


@shape("log-sockets", command=(*REPLAY, "--connection", "2"), suffix=".log")
def log_sockets(size: int) -> bytes:
    one = HANDSHAKE + stamped("< CLOSE 1000 (OK) [2 bytes]") + stamped("= connection is CLOSED")
    return (one * max(2, size // len(one))).encode()


@shape("log-handshakes", command=(*REPLAY, "--connection", "2"), suffix=".log")
def log_handshakes(size: int) -> bytes:
    return b"> GET / HTTP/1.1\n" * max(2, size // 17)


@shape("log-sdk-connects", command=(*REPLAY, "--connection", "2"), suffix=".log")
def log_sdk_connects(size: int) -> bytes:
    one = f"Connecting to {URL}\nReceived WebSocket message: '{{}}'\n"
    return (one * max(2, size // len(one))).encode()


@shape("log-reconnects", suffix=".log")
def log_reconnects(size: int) -> bytes:
    again = "x Reconnecting to WebSocket API\n" + HANDSHAKE + stamped("= connection is CLOSED")
    return log(again * max(1, size // len(again)))


@shape("rows-reconnects")
def rows_reconnects(size: int) -> bytes:
    return filled(({"type": "open", "t": number / 10, "status": 101} for number in count(1)), size)


@shape("rows-connections")
def rows_connections(size: int) -> bytes:
    """Connections that each bring a turn which the application does not have, and are lost."""

    def rows() -> Rows:
        for number in count():
            yield {"type": "open", "t": number, "status": 101}
            yield {"type": "send", "t": number + 0.1, "bytes": 640}
            yield from turn(number + 0.2, f"word{number} ")
            yield {"type": "close", "t": number + 0.3, "by": "client", "code": 1000}

    return filled(rows(), size) + line({"type": "transcript", "text": "word0"})


@shape("rows-resent-audio")
def rows_resent_audio(size: int) -> bytes:
    """Each of twenty connections sends the same audio again."""
    audio = base64.b64encode(speech(0) * max(1, size // 20 // 4 * 3 // 640)).decode()
    rows = [({"type": "open", "t": i, "status": 101}, {"type": "send", "t": i, "audio": audio}) for i in range(1, 21)]
    return session(*(row for pair in rows for row in pair))


# Lines and rows that are hard to read, or hold nothing


@shape("rows-damaged")
def rows_damaged(size: int) -> bytes:
    return session() + b"x\n" * (size // 2)


@shape("rows-blank")
def rows_blank(size: int) -> bytes:
    return session() + b"\n" * size


@shape("rows-line-breaks")
def rows_line_breaks(size: int) -> bytes:
    return b"\n" * size + session()


@shape("rows-bytes")
def rows_bytes(size: int) -> bytes:
    return filled(({"type": "send", "t": number / 50, "bytes": 640} for number in count()), size)


@shape("rows-empty-audio")
def rows_empty_audio(size: int) -> bytes:
    return filled(({"type": "send", "t": number / 50, "audio": ""} for number in count()), size)


@shape("rows-lists")
def rows_lists(size: int) -> bytes:
    return session(received(1, [[]] * (size // 4)))


@shape("rows-objects")
def rows_objects(size: int) -> bytes:
    return session(received(1, [{"a": {}}] * (size // 11)))


@shape("rows-keys")
def rows_keys(size: int) -> bytes:
    return session(received(1, {f"k{number}": number for number in range(size // 16)}))


@shape("rows-nested")
def rows_nested(size: int) -> bytes:
    return session() + b'{"type":"receive","json":' + b'{"a":' * (size // 6) + b"1" + b"}" * (size // 6) + b"}\n"


@shape("rows-astral")
def rows_astral(size: int) -> bytes:
    text = json.dumps({"type": "receive", "t": 1, "text": "x" * size + "\U0001f600"}, ensure_ascii=False)
    return session() + text.encode() + b"\n"


@shape("rows-elided")
def rows_elided(size: int) -> bytes:
    text = '{"type":"turn.end","transcript":"' + "a" * size + "...b"
    return session({"type": "receive", "t": 1, "text": text, "elided": True})


@shape("rows-elided-pairs")
def rows_elided_pairs(size: int) -> bytes:
    text = '{"type":"turn.end",' + '"a":1,' * (size // 6) + "...}"
    return session({"type": "receive", "t": 1, "text": text, "elided": True})


@shape("rows-text-lists")
def rows_text_lists(size: int) -> bytes:
    """JSON inside a string: what it costs shows only when it is parsed once more."""
    return session({"type": "receive", "t": 1, "text": '{"a":[' + "[]," * (size // 3) + "[]]}"})


@shape("har-text-lists", suffix=".har")
def har_text_lists(size: int) -> bytes:
    return har(socket([message(0.1, "[" + "[]," * (size // 3) + "[]]")]))


@shape("har-skipped-depth", suffix=".har")
def har_skipped_depth(size: int) -> bytes:
    return har(socket([message(0.1, "{}")], b'"x":' + b"[" * (size // 2) + b"]" * (size // 2) + b","))


@shape("har-skipped-lists", suffix=".har")
def har_skipped_lists(size: int) -> bytes:
    return har(socket([message(0.1, "{}")], b'"x":[' + b"[]," * (size // 3) + b"[]],"))


@shape("har-skipped-quotes", suffix=".har")
def har_skipped_quotes(size: int) -> bytes:
    return har(socket([message(0.1, "{}")], b'"x":[' + b'"",' * (size // 3) + b'"\\""],'))


@shape("har-skipped-members", suffix=".har")
def har_skipped_members(size: int) -> bytes:
    return har(socket([message(0.1, "{}")], b'"x":1,' * (size // 6)))


@shape("har-no-entries", suffix=".har")
def har_no_entries(size: int) -> bytes:
    return har(socket([message(0.1, "{}")]), *[b"1"] * (size // 2))


@shape("har-empty-entries", suffix=".har")
def har_empty_entries(size: int) -> bytes:
    return har(socket([message(0.1, "{}")]), *[b"{}"] * (size // 3))


@shape("har-no-messages", suffix=".har")
def har_no_messages(size: int) -> bytes:
    return har(b'{"_webSocketMessages":[' + b"1," * (size // 2) + json.dumps(message(0.1, "{}")).encode() + b"]}")


@shape("log-marks", suffix=".log")
def log_marks(size: int) -> bytes:
    return log(stamped(repeated("< TEXT a ", size)))


@shape("log-marks-and-end", suffix=".log")
def log_marks_and_end(size: int) -> bytes:
    return log(stamped(repeated("< TEXT a ", size) + "[1 bytes]"))


@shape("log-sizes", suffix=".log")
def log_sizes(size: int) -> bytes:
    return log(stamped("< TEXT " + repeated("a [1 bytes] ", size)))


@shape("log-sdk-marks", suffix=".log")
def log_sdk_marks(size: int) -> bytes:
    return log(stamped(repeated("Received WebSocket message: 'a", size)))


@shape("log-requests", suffix=".log")
def log_requests(size: int) -> bytes:
    return log(stamped(repeated("> GET a", size)))


@shape("log-headers", suffix=".log")
def log_headers(size: int) -> bytes:
    return ("> GET / HTTP/1.1\n" + repeated("> a", size) + "\n" + "> x: y\n" * (size // 7)).encode()


@shape("log-colours", suffix=".log")
def log_colours(size: int) -> bytes:
    return log("\x1b[" + "1;" * (size // 4) + " > TEXT " + "\x1b[1" * (size // 8) + "\n")


@shape("log-prefixes", suffix=".log")
def log_prefixes(size: int) -> bytes:
    """Each line has a long prefix of its own."""
    length = max(100, size // 20)
    return log(
        "".join(f"{i} {'x' * length} 12:00:00.000 > TEXT '{{}}' [2 bytes]\n" for i in range(max(1, size // length)))
    )


@shape("log-digits", suffix=".log")
def log_digits(size: int) -> bytes:
    return log(repeated("1", size) + " > TEXT '{}' [2 bytes]\n" + repeated("12:00:", size) + " > TEXT '{}' [2 bytes]\n")


@shape("log-escapes", suffix=".log")
def log_escapes(size: int) -> bytes:
    return log(
        stamped("< TEXT '" + r"\x41" * (size // 8) + "' [1 bytes]")
        + stamped("< TEXT '" + r"\d" * (size // 4) + "' [1 bytes]")
    )


@shape("log-pings", suffix=".log")
def log_pings(size: int) -> bytes:
    return log(stamped("> PING '' [0 bytes]") * (size // 63))


@shape("log-hollow-marks", suffix=".log")
def log_hollow_marks(size: int) -> bytes:
    return log("> TEXT x\n" * (size // 9))


@shape("log-fragments", suffix=".log")
def log_fragments(size: int) -> bytes:
    part = stamped("< CONT '' [0 bytes, continued]")
    return log(stamped("< TEXT 'a' [1 bytes, continued]") + part * (size // len(part)))


@shape("log-long-fragments", suffix=".log")
def log_long_fragments(size: int) -> bytes:
    part = stamped(f"< CONT '{'x' * (size // 10)}' [1 bytes, continued]")
    return log(stamped("< TEXT 'a' [1 bytes, continued]") + part * 10)


# Packed: what unpacks to a thousand times its size


@shape("gzip-brackets", suffix=".har.gz")
def gzip_brackets(size: int) -> bytes:
    return packed(b"[", size, b'{"log":{"entries":[' + socket([message(0.1, "{}")]) + b',{"x":')


@shape("gzip-lists", suffix=".har.gz")
def gzip_lists(size: int) -> bytes:
    return packed(b"[],", size, b'{"log":{"entries":[' + socket([message(0.1, "{}")]) + b',{"x":[')


@shape("gzip-values", suffix=".har.gz")
def gzip_values(size: int) -> bytes:
    return packed(b"1,", size, b'{"log":{"entries":[' + socket([message(0.1, "{}")]) + b",")


@shape("gzip-blank", suffix=".jsonl.gz")
def gzip_blank(size: int) -> bytes:
    return packed(b"\n", size, session())


@shape("gzip-damaged", suffix=".jsonl.gz")
def gzip_damaged(size: int) -> bytes:
    return packed(b"x\n", size, session())


@shape("gzip-one-line", suffix=".jsonl.gz")
def gzip_one_line(size: int) -> bytes:
    return packed(b"x", size, session())


@shape("gzip-frames", suffix=".jsonl.gz")
def gzip_frames(size: int) -> bytes:
    return packed(line({"type": "send", "t": 1.0, "bytes": 640}), size, session())


@shape("gzip-messages", suffix=".jsonl.gz")
def gzip_messages(size: int) -> bytes:
    rows = b"".join(line(row) for row in turn(1.0, "Yes. "))
    return packed(rows, size, session())


@shape("gzip-texts", suffix=".jsonl.gz")
def gzip_texts(size: int) -> bytes:
    return packed(line({"type": "send", "t": 1.0, "text": "Please mind the names. " * 15}), size, session())


@shape("gzip-objects", suffix=".jsonl.gz")
def gzip_objects(size: int) -> bytes:
    return packed(line({"type": "send", "t": 1.0, "json": {"type": "hello", "note": "x y" * 60}}), size, session())


@shape("gzip-silence", suffix=".jsonl.gz")
def gzip_silence(size: int) -> bytes:
    """A muted session: long, natural, and it packs well."""
    return packed(line({"type": "send", "t": 1.0, "audio": "A" * 4268}), size, session())


@shape("gzip-log-marks", suffix=".log.gz")
def gzip_log_marks(size: int) -> bytes:
    return packed(b"> TEXT x\n", size, log(""))


@shape("gzip-log-pings", suffix=".log.gz")
def gzip_log_pings(size: int) -> bytes:
    return packed(stamped("> PING '' [0 bytes]").encode(), size, log(""))


@shape("gzip-log-noise", suffix=".log.gz")
def gzip_log_noise(size: int) -> bytes:
    return packed(b"2026-09-21 14:00:00,000 app.worker INFO a -> b: handled in 3 ms\n", size, log(""))


@shape("gzip-log-prefixes", suffix=".log.gz")
def gzip_log_prefixes(size: int) -> bytes:
    return packed(b"x" * ((1 << 20) - 30) + b" > TEXT '{}' [2 bytes]\n", size, log(""))


# What the judgement looks at, in masses


@shape("rows-turn-starts")
def rows_turn_starts(size: int) -> bytes:
    return filled((received(number / 10, {"type": "turn.start"}) for number in count()), size)


@shape("rows-updates")
def rows_updates(size: int) -> bytes:
    """One turn whose updates take back what was said."""
    return filled((received(i / 10, {"type": "turn.update", "transcript": f"word{i} " * 3}) for i in count()), size)


@shape("rows-connected")
def rows_connected(size: int) -> bytes:
    return filled((received(i / 10, {"type": "connected", "request_id": f"id-{i}"}) for i in count()), size)


@shape("rows-errors")
def rows_errors(size: int) -> bytes:
    return filled(
        (received(i / 10, {"type": "error", "status_code": 400 + i % 200, "message": f"no {i}"}) for i in count()), size
    )


@shape("rows-closes")
def rows_closes(size: int) -> bytes:
    return filled(({"type": "close", "t": i / 10, "by": "client", "code": 1000 + i % 4000} for i in count()), size)


@shape("rows-commands")
def rows_commands(size: int) -> bytes:
    return filled(({"type": "send", "t": i / 10, "json": {"type": f"KeepAlive{i}"}} for i in count()), size)


@shape("rows-close-commands")
def rows_close_commands(size: int) -> bytes:
    """Audio after each close command."""
    rows = cycle(({"json": {"type": "close"}}, {"bytes": 640}))
    return filled(({"type": "send", "t": i / 10, **next(rows)} for i in count()), size)


@shape("rows-transcripts")
def rows_transcripts(size: int) -> bytes:
    return filled(({"type": "transcript", "text": f"text {i}"} for i in count()), size)


@shape("rows-url")
def rows_url(size: int) -> bytes:
    return line({"type": "session", "url": URL + "&a=b" * (size // 4)}) + line({"type": "open", "t": 0, "status": 101})


@shape("rows-headers")
def rows_headers(size: int) -> bytes:
    headers = {f"x-{i}": "y" for i in range(size // 15)}
    return line({"type": "session", "url": URL, "headers": headers}) + line({"type": "open", "t": 0, "status": 101})


@shape("rows-base64")
def rows_base64(size: int) -> bytes:
    return session({"type": "send", "t": 1, "text": "QUFB" * (size // 4)}, {"type": "send", "t": 2, "text": "QUFB"})


@shape("rows-base64-frames")
def rows_base64_frames(size: int) -> bytes:
    return filled(({"type": "send", "t": i / 50, "json": {"audio": "QUFB" * 40}} for i in count()), size)


@shape("rows-numbers")
def rows_numbers(size: int) -> bytes:
    text = ["1", "[1]", "1.", "1 ", "-", "[[(", "1e1,", "1,...,"]
    return session(*({"type": "send", "t": i, "text": part * (size // 8 // len(part))} for i, part in enumerate(text)))


@shape("rows-number-lists")
def rows_number_lists(size: int) -> bytes:
    return session({"type": "send", "t": 1, "json": [0.5] * (size // 5)}, {"type": "send", "t": 2, "text": "0.5," * 20})


@shape("rows-literals")
def rows_literals(size: int) -> bytes:
    return session(
        *({"type": "send", "t": i, "text": part * (size // 16)} for i, part in enumerate(("b'", "\\x00", 'b"\\')))
    )


@shape("rows-holes")
def rows_holes(size: int) -> bytes:
    """Every frame is followed by a hole, or by a burst."""
    return filled(({"type": "send", "t": i // 2 * 3.0, "bytes": 640 if i % 2 else 64000} for i in count()), size)


@shape("rows-sizes")
def rows_sizes(size: int) -> bytes:
    return filled(({"type": "send", "t": i / 50, "bytes": i * 7919 % 2**40} for i in count()), size)


def sounding(name: str, sound: Callable[[int], bytes], url: str = URL) -> None:
    """Enter a shape whose audio, so many bytes of it, is this."""

    def make(size: int) -> bytes:
        audio = sound(size // 4 * 3)
        frames = (audio[at : at + 640] for at in range(0, len(audio), 640))
        rows = [
            {"type": "send", "t": i / 50, "audio": base64.b64encode(frame).decode()} for i, frame in enumerate(frames)
        ]
        return session(*rows).replace(URL.encode(), url.encode())

    SHAPES[f"sound-{name}"] = Shape(make)


SOUNDS: dict[str, Callable[[int], bytes]] = {
    "zeros": bytes,
    "noise": lambda size: Random(1).randbytes(size),
    "edges": lambda size: (b"\xff\x7f\x00\x80" * (size // 4 + 1))[:size],
    "blocks": lambda size: (b"\xff\x7f" * 320 + bytes(640)) * (size // 1280),
    "steps": lambda size: b"".join(bytes([i % 256]) * 40 for i in range(size // 40)),
    "clicks": lambda size: (bytes(638) + b"\xff\x7f") * (size // 640),
    "headers": lambda size: b"RIFF\x24\x00\x00\x00WAVEfmt " * (size // 16),
    "magic": lambda size: b"OggSfLaCID3\xff\xfb\x1aE\xdf\xa3" * (size // 17),
    "text": lambda size: b"<html>" + b"{" * size,
    "base64": lambda size: b"QUFB" * (size // 4),
}
for _name, _sound in SOUNDS.items():
    sounding(_name, _sound)
sounding("undeclared", SOUNDS["noise"], URL.partition("?")[0])
sounding("fast", SOUNDS["noise"], URL.replace("16000", "1"))


# Times


@shape("times-huge")
def times_huge(size: int) -> bytes:
    times = cycle((1e308, -1e308, 1e300, 1e18, -5.0, 0.0))
    return filled(({"type": "send", "t": next(times), "bytes": 640} for _ in count()), size)


@shape("times-falling")
def times_falling(size: int) -> bytes:
    return filled(({"type": "send", "t": -number / 50, "bytes": 640} for number in count()), size)


@shape("times-huge-page", command=PAGE)
def times_huge_page(size: int) -> bytes:
    return times_huge(size)


# Joining


@shape("joining-mixed")
def joining_mixed(size: int) -> bytes:
    n = max(2, size // 160)
    return joined(["a "] * n, "a" * (n - 1) + "b")


@shape("joining-yes")
def joining_yes(size: int) -> bytes:
    n = max(2, size // 160)
    return joined(["Yes. "] * n, "Yes. " * (n - 1) + "No.")


@shape("joining-alternating")
def joining_alternating(size: int) -> bytes:
    n = size // 14
    return joined([" ".join(f"a x{i}" for i in range(n))], " ".join(f"a y{i}" for i in range(n)))


@shape("joining-unrelated")
def joining_unrelated(size: int) -> bytes:
    n = max(2, size // 165)
    return joined([f"word{i} " for i in range(n)], "Something that is not at all alike.")


@shape("joining-updates")
def joining_updates(size: int) -> bytes:
    """Updates that grow, as the service sends them, and an application that keeps them all."""
    words = [f"word{i}" for i in range(int((size / 5) ** 0.5) + 2)]
    texts = [" ".join(words[: i + 1]) for i in range(len(words))]
    rows = [received(i / 10, {"type": "turn.update", "transcript": text}) for i, text in enumerate(texts)]
    end = received(len(texts), {"type": "turn.end", "transcript": texts[-1]})
    return session(received(0, {"type": "turn.start"}), *rows, end, {"type": "transcript", "text": " ".join(texts)})


@shape("joining-half-missing")
def joining_half_missing(size: int) -> bytes:
    n = max(2, size // 160)
    return joined(["Yes. "] * n, "Yes. " * (n // 2))


@shape("joining-some-twice")
def joining_some_twice(size: int) -> bytes:
    """Equal turns of which a quarter stand twice: each reading costs the same."""
    n = max(2, size // 165)
    return joined(["Yes. "] * n, "Yes. " * (n + n // 4))


@shape("joining-lengths")
def joining_lengths(size: int) -> bytes:
    """Turns that fit anywhere, in lengths that have to add up."""
    n = max(2, size // 160)
    return joined(["a" * (1 + i % 3) + " " for i in range(n)], "a" * n)


@shape("joining-prefixes")
def joining_prefixes(size: int) -> bytes:
    """Updates of one letter, two, three and so on up to thirty, each of which fits everywhere."""
    rows, n = [], max(2, size // 115)
    for number in range(n):
        rows.append(received(number / 10, {"type": "turn.update", "transcript": "a" * (1 + number % 30)}))
        if number % 30 == 29:
            rows.append(received(number / 10, {"type": "turn.end", "transcript": "a" * 30 + "c"}))
    return session(*rows, {"type": "transcript", "text": "a" * (n // 2) + "b"})


@shape("joining-display")
def joining_display(size: int) -> bytes:
    """An application that appends all it shows at each turn: the text grows with the square of the turns."""
    n = max(2, int((size / 8) ** 0.5))
    turns = [f"turn {number:04} " for number in range(n)]
    return joined(turns, "".join("".join(turns[: i + 1]) for i in range(n)))


@shape("joining-tiny-turns")
def joining_tiny_turns(size: int) -> bytes:
    n = max(2, size // 155)
    return joined(["" if i % 2 else "a" for i in range(n)], "b" * n)


@shape("joining-escapes")
def joining_escapes(size: int) -> bytes:
    """A text that looks escaped, labelled and misread in every way, and is none of it."""
    n = max(2, size // 220)
    text = repeated("&amp;#39; %2541 \\\\u00e9 \u00c3\u00a9 [x] *y* um, Z: 0:01 - 7\n", size // 3)
    return joined([f"um, twenty caf\u00e9 [z] {i} " for i in range(n)], text)


@shape("joining-brackets")
def joining_brackets(size: int) -> bytes:
    """What labels, numbers and fillers begin with, over and over, and one mask without an end."""
    part = size // 16
    runs = "[" * part + "&" * part + "1:" * part + "\\" * part + " " + "m" * part + "x " + "*" * part + "ab"
    return joined(["twenty " * part + "m" * part + "x um, so"], runs)


@shape("joining-quotes")
def joining_quotes(size: int) -> bytes:
    """A list of texts that never ends, with a quote behind each backslash."""
    return joined(["it is. "] * max(2, size // 300), "['" + "\\'" * (size // 4))


@shape("joining-order")
def joining_order(size: int) -> bytes:
    """Turns that fit at nearly every place, in an order that there is none of."""
    n = max(4, size // 160)
    return joined([("ab" if i % 2 else "aba") + " " for i in range(n)], "b" + "aab" * (n // 2) + "ab" * (n // 2) + "a")


@shape("joining-overlap")
def joining_overlap(size: int) -> bytes:
    """Each turn begins with much of what the one before ended with."""
    n = max(2, int((size / 12) ** 0.5))
    turns = ["a " * n + f"b{i} " + "a " * n for i in range(n)]
    return joined(turns, "a " * n + "".join(f"b{i} " + "a " * n for i in range(n)))


@shape("joining-twice")
def joining_twice(size: int) -> bytes:
    """Phrases in phrases that stand twice."""
    words = "a"
    while len(words) < size // 3:
        words = f"{words} {words} b"
    return joined([words], words.replace("a a b", "a b"))


@shape("joining-edges")
def joining_edges(size: int) -> bytes:
    """Turns whose words are all alike, with some of them missing."""
    n = max(2, size // 200)
    return joined(["a " * 12] * n, "a" * (10 * n - 1) + "b")


@shape("joining-one-word")
def joining_one_word(size: int) -> bytes:
    return joined(["a" * (size // 2)], "a" * (size // 2 - 1) + "b")


# The page


@shape("page-anchors", command=PAGE)
def page_anchors(size: int) -> bytes:
    return joined(["b " + "a " * (size // 12)], "a " * (size // 12 * 5))


@shape("page-added", command=PAGE)
def page_added(size: int) -> bytes:
    """Another word behind each word of one long turn."""
    n = size // 20
    return joined([" ".join(f"w{i}" for i in range(n))], " ".join(f"w{i} x{i}" for i in range(n)))


@shape("page-nowhere", command=PAGE)
def page_nowhere(size: int) -> bytes:
    """Turns that are nearly found at every place."""
    n = min(2000, size // 200)
    return joined([f"a a b{i} " for i in range(n)], "a " * (size // 2 - 100 * n))


@shape("page-glued", command=PAGE)
def page_glued(size: int) -> bytes:
    """Words without spaces between them, which can be taken apart in very many ways."""
    known = ["".join(letters) for length in range(1, 9) for letters in product("ab", repeat=length)]
    n = size // 90
    glued = (format(i * 0x9E3779B97F4A7C15 % (1 << 58), "058b").replace("0", "a").replace("1", "b") for i in range(n))
    return joined([" ".join(known[: max(2, size // 40)])], " ".join(glued))


@shape("page-display", command=PAGE)
def page_display(size: int) -> bytes:
    return joining_display(size)


@shape("page-punctuation", command=PAGE)
def page_punctuation(size: int) -> bytes:
    return joined(["a . " * (size // 8)], "a , " * (size // 8))


@shape("page-frames", command=PAGE)
def page_frames(size: int) -> bytes:
    return rows_bytes(size)


@shape("page-connections", command=PAGE)
def page_connections(size: int) -> bytes:
    return rows_reconnects(size)


@shape("page-updates", command=PAGE)
def page_updates(size: int) -> bytes:
    return joining_updates(size)


@shape("page-turns", command=PAGE)
def page_turns(size: int) -> bytes:
    return natural_transcript(size)


# Redaction


def redacted(name: str, piece: str) -> None:
    """Enter shapes that hold a text that is costly to search for secrets: as a text message, and inside JSON."""
    SHAPES[f"secrets-{name}"] = Shape(
        lambda size: session({"type": "receive", "t": 1, "text": repeated(piece, size)}), CONVERT
    )
    SHAPES[f"secrets-{name}-json"] = Shape(
        lambda size: session(received(1, {"type": "error", "message": repeated(piece, size)})), CONVERT
    )


for _name, _piece in {
    "percent": "%41",
    "bearer": "bearer ",
    "quotes": 'api_key\\"\\"',
    "addresses": "://a",
    "users": "://a@",
    "pairs": "?a=b&",
    "equals": "=",
    "names": "key",
    "cookies": "cookie: ",
    "tokens": "eyJaaaaaaaaa.",
    "keys": "sk_car_",
}.items():
    redacted(_name, _piece)


@shape("secrets-list", command=CONVERT)
def secrets_list(size: int) -> bytes:
    return session(received(1, {"=": [["="], [""]] * (size // 14)}))

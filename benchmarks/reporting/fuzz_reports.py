"""Mutated captures through every check and every renderer.

    python benchmarks/reporting/fuzz_reports.py --number 100000 --seed 1

Captures of `fixtures/` are shortened, and rows, keys, values, texts and bytes of them are changed, left out, repeated
and brought to extremes; some are judged against another text, another declaration or a limit at one of its bounds. A
find is a capture that

- raises anything but the errors that a user is told, or a warning, in reading, judging or rendering,
- has a check that crashed or an exhibit that could not be made,
- takes longer than `SLOW` seconds of the processor,
- gives a report that is no JSON, no row of a table that reads back, or text that could control a terminal.

Pages and pictures are made of one in `--pages`. Each find is printed with its number; `--only NUMBER --keep FILE`
makes the same capture again and keeps it.
"""

import argparse
import base64
import gzip
import json
import math
import os
import random
import signal
import struct
import time
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line sets it

from sttdoctor.analysis.facts import Facts
from sttdoctor.api import audio_facts, examine, session_facts
from sttdoctor.errors import SttdoctorError
from sttdoctor.report import Report
from sttdoctor.reporting import FORMATS
from sttdoctor.reporting.data.collect import collect
from sttdoctor.reporting.figures.pictures import picture
from sttdoctor.thresholds import THRESHOLDS
from sttdoctor.triage.row import COLUMNS, is_row, row_of
from sttdoctor.triage.table import line_of, row_of_line
from sttdoctor.triage.task import Task

FIXTURES = Path(__file__).parents[2] / "fixtures"
SLOW = 5.0
GIVEN_UP = 60  # seconds of the processor, as `SLOW`
CONTROLS = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")

NUMBERS = (
    0, -0.0, 1, -1, 0.5, 2, 8, 1e-9, 1e-300, 5e-324, 1e3, 1e6, 3.1e7, 3.2e9, -3.1e9, 1e15, 1e300, -1e308, 2**63, 2**70,
)  # fmt: skip
TEXTS = (
    "", " ", "\0", "a", "Yes.", "Hello there. ", "\u202eabc", "\x1b[2J", "e\u0301", "\ud800", "=1+1;=2", "<b>&",
    "a b " * 200,
)  # fmt: skip
ENCODINGS = ("pcm_s16le", "pcm_s32le", "pcm_f16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw", "linear16", "u8", "opus", "")
TYPES = (
    "turn.start", "turn.update", "turn.eager_end", "turn.resume", "turn.end", "error", "connected", "transcript",
    "flush_done", "done", "close", "finalize", "config", "session", "open", "send", "receive", "KeepAlive",
    "CloseStream",
)  # fmt: skip
CODES = (1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4000, 4400, 65535, 0, -1, 99999)
WORDS = (
    b"NaN", b"Infinity", b"1e999", b"null", b"...", b"[9 bytes]", b"101", b"\xff", b"\r", b"\\u0000", b'"', b"{}",
    b"[[", b"--",
)  # fmt: skip

Rows = list[dict[str, Any]]


def seeds() -> list[tuple[str, Any]]:
    """(kind, content): `rows` of a session, a `har`, lines of a `log`, `bytes` of other captures, or `audio`."""
    found: list[tuple[str, Any]] = [("audio", path.read_bytes()) for path in sorted(FIXTURES.glob("audio/*"))]
    for path in sorted([*FIXTURES.glob("sessions/*"), *FIXTURES.glob("captures/*")]):
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        name = path.name.removesuffix(".gz")
        if name.endswith(".har"):
            found.append(("har", json.loads(data)))
        elif name.endswith(".log"):
            found.append(("log", data.splitlines(keepends=True)))
        elif name.endswith(".session.jsonl") or path.parent.name == "sessions":
            found.append(("rows", [json.loads(line) for line in data.splitlines()]))
        else:
            found.append(("bytes", data))
    return found


def made(number: int, seed: int, found: list[tuple[str, Any]]) -> tuple[bytes, dict[str, Any], random.Random]:
    """A capture, the arguments that it is judged with, and what goes on choosing."""
    chosen = random.Random(f"{seed}-{number}")
    kind, content = chosen.choice(found)
    options = arguments(chosen)
    if kind == "audio":
        del options["transcript"], options["connection"]
        return sound(content, chosen), options, chosen
    if kind == "rows":
        data = as_lines(changed(shortened(content, chosen), chosen), chosen)
    elif kind == "har":
        data = json.dumps(changed_har(json.loads(json.dumps(content)), chosen)).encode()
    elif kind == "log":
        data = b"".join(mixed(shortened(content, chosen), chosen))
    else:
        data = content
    if kind in ("log", "bytes") or chosen.random() < 0.15:
        data = spoilt(data, chosen)
    return data, options, chosen


def sound(content: bytes, chosen: random.Random) -> bytes:
    """A piece of a recording, or what is none: noise, constants, a pattern, odd floats; and some bytes spoilt."""
    size = chosen.choice((1, 2, 3, 8, 31, 33, 48, 64, 321, 640, 3200, 20_000))
    floats = (math.nan, math.inf, -math.inf, 0.0, 1e38, -3e38, 1e-45, 0.5, -32768.0)
    start = chosen.randrange(len(content))
    made = chosen.choice(
        (
            content[start : start + size],
            content[start : start + size],
            chosen.randbytes(size),
            bytes([chosen.randrange(256)]) * size,
            chosen.randbytes(chosen.choice((2, 4, 7, 64))) * (size // 4),
            struct.pack(f"<{size}f", *chosen.choices(floats, k=size)),
            struct.pack(f"<{size}h", *(int(20_000 * math.sin(i * i * 1e-5)) for i in range(size))),
        )
    )
    return spoilt(made, chosen)[: 1 << 16] or b"\0"


def shortened(rows: list[Any], chosen: random.Random) -> list[Any]:
    """The beginning, a stretch, and the end."""
    head, length = chosen.choice((2, 4, 8)), chosen.choice((0, 5, 20, 60))
    start = chosen.randrange(head, max(head + 1, len(rows)))
    return (
        json.loads(json.dumps([*rows[:head], *rows[start : start + length], *rows[-chosen.choice((1, 4, 12)) :]]))
        if (rows and isinstance(rows[0], dict))
        else [*rows[:40], *rows[start : start + length], *rows[-6:]]
    )


def mixed(rows: list[Any], chosen: random.Random) -> list[Any]:
    """Some rows left out, repeated or moved."""
    for _ in range(chosen.choice((0, 1, 1, 3, 8))):
        if rows:
            at, to = chosen.randrange(len(rows)), chosen.randrange(len(rows))
            how = chosen.randrange(4)
            if how == 0:
                del rows[at]
            elif how == 1:
                rows[to:to] = [rows[at]] * chosen.choice((1, 2, 40))
            elif how == 2:
                rows[at], rows[to] = rows[to], rows[at]
            else:
                rows[min(at, to) : max(at, to)] = rows[min(at, to) : max(at, to)][::-1]
    return rows


def changed(rows: Rows, chosen: random.Random) -> Rows:
    rows = [dict(row) for row in mixed(rows, chosen)]
    for _ in range(chosen.choice((0, 1, 2, 5, 20))):
        if rows:
            chosen.choice(CHANGES)(chosen.choice(rows), chosen)
    if chosen.random() < 0.3:
        rescaled(rows, chosen)
    how = chosen.random()
    for row in rows if how < 0.9 else ():
        if isinstance(row.get("audio"), str):
            if how < 0.5:  # most of the time is spent with sound
                row["bytes"] = len(row.pop("audio")) * 3 // 4
            else:
                row["audio"] = row["audio"][: chosen.choice((0, 4, 40, 80, 400))]
    return rows


def rescaled(rows: Rows, chosen: random.Random) -> None:
    """All times another scale and beginning."""
    scale = chosen.choice((0.0, 1e-9, 1e-3, 0.5, 0.97, 1.1, 3.0, 60.0, 1e4, 1e6, -1.0, 1e300))
    shift = chosen.choice((0.0, 0.0, -5.0, 1e3, 1.7e9, 3.1e9, -3.1e9, 1e15))
    for row in rows:
        if isinstance(row.get("t"), int | float):
            row["t"] = row["t"] * scale + shift


def any_value(chosen: random.Random) -> Any:
    how = chosen.randrange(8)
    if how < 3:
        return chosen.choice(NUMBERS)
    if how < 5:
        return chosen.choice(TEXTS)
    return chosen.choice(
        (None, True, [], {}, [1], {"type": "close"}, {"a": {"b": []}}, chosen.choice(TYPES), chosen.random() * 100)
    )


def change_a_value(row: dict[str, Any], chosen: random.Random) -> None:
    if row:
        row[chosen.choice(list(row))] = any_value(chosen)


def drop_a_key(row: dict[str, Any], chosen: random.Random) -> None:
    if row:
        del row[chosen.choice(list(row))]


def change_the_time(row: dict[str, Any], chosen: random.Random) -> None:
    base = row.get("t")
    row["t"] = (
        chosen.choice(NUMBERS)
        if not isinstance(base, int | float) or chosen.random() < 0.3
        else (base + chosen.choice((0.0, 1e-6, -1e-6, 0.5, -0.5, 3, 10, 200, 4000, 1e6)))
    )


def change_the_message(row: dict[str, Any], chosen: random.Random) -> None:
    message = row.get("json")
    if not isinstance(message, dict):
        row["json"] = {"type": chosen.choice(TYPES), "transcript": chosen.choice(TEXTS)}
        return
    key = chosen.choice([*message, "type", "transcript", "is_final", "message", "status_code", "turn_end_timeout_ms"])
    row["json"] = {**message, key: chosen.choice(TYPES) if key == "type" else any_value(chosen)}


def change_the_audio(row: dict[str, Any], chosen: random.Random) -> None:
    size = chosen.choice((0, 1, 2, 3, 7, 44, 640, 3200, 6400))
    makers: tuple[Callable[[], bytes], ...] = (
        lambda: bytes(size),
        lambda: chosen.randbytes(size),
        lambda: bytes([chosen.randrange(256)]) * size,
        lambda: b"\x00\x00\x80\x7f" * (size // 4),
        lambda: b"RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + chosen.randbytes(size),
        lambda: chosen.choice(
            (b'{"type":"close"}', b"OggS", b"\x1aE\xdf\xa3", b"AAAA" * 90, b"\x80\x00" + chosen.randbytes(size))
        ),
    )
    for key in ("json", "text", "bytes"):
        row.pop(key, None)
    row.update(type="send", audio=base64.b64encode(chosen.choice(makers)()).decode())


def change_to_bytes(row: dict[str, Any], chosen: random.Random) -> None:
    row.pop("audio", None)
    row.update(
        type=chosen.choice(("send", "receive")), bytes=chosen.choice((0, 1, 640, 10**6, 10**9, 10**12, 2**62, 1e18))
    )


def change_the_declaration(row: dict[str, Any], chosen: random.Random) -> None:
    rate = chosen.choice((1, 2, 8, 100, 7999, 8000, 16000, 44100, 10**6, 10**7, 0, -1, "x", ""))
    path = chosen.choice(("/stt/turns/websocket", "/stt/websocket", "/", ""))
    row.update(
        type="session",
        url=f"wss://api.cartesia.ai{path}?model=ink-2&encoding={chosen.choice(ENCODINGS)}&sample_rate={rate}",
        clock=chosen.choice(("client", "proxy", "server", "none", 5, None)),
        resolution=chosen.choice((0, 0.001, 1, 60, 1e9, -1, "x")),
        lacks=chosen.choice(([], ["audio"], ["send", "receive"], ["text"], "audio", [1], None)),
    )


def change_the_end(row: dict[str, Any], chosen: random.Random) -> None:
    row.update(
        type="close",
        code=chosen.choice(CODES),
        by=chosen.choice(("client", "server", "unknown", 3)),
        reason=chosen.choice(TEXTS),
    )


def change_the_handshake(row: dict[str, Any], chosen: random.Random) -> None:
    row.update(
        type="open",
        status=chosen.choice((101, 200, 301, 400, 401, 403, 404, 429, 500, 0, -1, 10**9)),
        body=chosen.choice(TEXTS),
    )


def change_to_transcript(row: dict[str, Any], chosen: random.Random) -> None:
    row.update(type="transcript", text=" ".join(chosen.choices(TEXTS, k=chosen.choice((0, 1, 5, 40)))))


CHANGES = (
    change_a_value,
    change_a_value,
    drop_a_key,
    change_the_time,
    change_the_time,
    change_the_message,
    change_the_message,
    change_the_audio,
    change_to_bytes,
    change_the_declaration,
    change_the_end,
    change_the_handshake,
    change_to_transcript,
)


def changed_har(document: Any, chosen: random.Random) -> Any:
    """Messages mixed, shortened and changed; other values of the document brought to extremes."""
    for entry in document["log"]["entries"]:
        messages = entry.get("_webSocketMessages")
        if isinstance(messages, list):
            messages = mixed(messages[:20] + messages[-8:], chosen)
            entry["_webSocketMessages"] = [dict(message) for message in messages]
            for message in entry["_webSocketMessages"]:
                if chosen.random() < 0.05:
                    change_a_value(message, chosen)
                if chosen.random() < 0.05:
                    message["time"] = (
                        message.get("time", 0) * chosen.choice((0, 1e-3, 1e3, 1e300, -1))
                        if isinstance(message.get("time"), int | float)
                        else any_value(chosen)
                    )
        if chosen.random() < 0.2:
            change_a_value(entry, chosen)
    if chosen.random() < 0.1:
        document["log"]["entries"] *= 2
    return document


def as_lines(rows: Rows, chosen: random.Random) -> bytes:
    break_ = chosen.choice((b"\n", b"\n", b"\n", b"\r\n"))
    return (
        break_.join(
            json.dumps(row, ensure_ascii=chosen.random() < 0.9).encode("utf-8", "surrogatepass") for row in rows
        )
        + break_
    )


def spoilt(data: bytes, chosen: random.Random) -> bytes:
    """Bytes changed, left out and put in."""
    content = bytearray(data)
    for _ in range(chosen.choice((0, 1, 3, 10))):
        at = chosen.randrange(len(content) + 1)
        how = chosen.randrange(4)
        if how == 0:
            content[at : at + 1] = chosen.randbytes(1)
        elif how == 1:
            del content[at : at + chosen.choice((1, 5, 200))]
        elif how == 2:
            content[at:at] = chosen.choice(WORDS)
        else:
            content[at:at] = content[at : at + chosen.choice((20, 400))]
    return bytes(content) if chosen.random() < 0.95 else gzip.compress(bytes(content), 1)


def arguments(chosen: random.Random) -> dict[str, Any]:
    limits = chosen.sample(THRESHOLDS, chosen.choice((0, 0, 0, 1, 5)))
    return {
        "transcript": chosen.choice((None, None, None, "", "Hello.", " ".join(chosen.choices(TEXTS, k=9)))),
        "encoding": chosen.choice((None,) * 9 + ENCODINGS[:6]),
        "sample_rate": chosen.choice((None,) * 9 + (1, 8, 8000, 16000, 10**6)),
        "thresholds": {limit.name: chosen.choice(limit.bounds) for limit in limits},
        "connection": chosen.choice((None, None, 1, 1, 2)),
    }


def judged(data: bytes, options: dict[str, Any], pages: bool) -> Iterator[str]:
    """What is wrong with how a capture, or audio, is judged."""
    try:
        facts = session_facts(data, **options) if "transcript" in options else audio_facts(data, **options)
    except SttdoctorError as error:
        if "\n" in str(error) or len(str(error)) > 4000:
            yield f"not one sentence: {str(error)[:200]!r}"
        return
    report = examine(facts)
    for check in report.checks:
        if check.crashed:
            yield f"{check.id}: {check.answer}"
    exhibits = collect(facts, report) if pages else None
    if exhibits is not None:
        yield from (f"exhibit: {what}" for what in exhibits.failed)
    for name, form in FORMATS.items():
        if exhibits is not None or "exhibits" not in form.takes:
            text = form.render(report, width=79, colour=False, verbose=True, failing={"fail"}, exhibits=exhibits)
            yield from checked(name, text)
    if exhibits is not None:
        yield from drawn(report, exhibits)
    yield from tabled(facts, report)


def checked(name: str, text: str) -> Iterator[str]:
    text.encode()
    if name == "json":
        json.loads(text, parse_constant=refuse)
    bad = {char for char in text if unicodedata.category(char) in CONTROLS and char not in "\n\t"}
    if bad - ({"\u200b"} if name == "html" else set()):
        yield f"{name} holds {sorted(bad)[:5]}"


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def drawn(report: Report, exhibits: Any) -> Iterator[str]:
    for suffix in (".png", ".svg"):
        try:
            picture(report, exhibits, suffix)
        except SttdoctorError:
            return
    yield from ()


def tabled(facts: Facts, report: Report) -> Iterator[str]:
    row = row_of(Task("a;=b", "c"), facts, report) | {"seconds": 0.1}
    if not is_row(row) or row_of_line(line_of(row[name] for name in COLUMNS)) != row:
        yield f"no row: {row}"
    json.dumps(row, allow_nan=False)


class TooSlowError(Exception):
    """A capture was given up."""


def give_up(*_: object) -> None:
    raise TooSlowError


def tried(number: int, arguments_: argparse.Namespace, found: list[tuple[str, Any]]) -> Iterator[str]:
    data, options, chosen = made(number, arguments_.seed, found)
    if arguments_.keep:
        Path(arguments_.keep).write_bytes(data)
        print(options)
    signal.setitimer(signal.ITIMER_PROF, GIVEN_UP)
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield from judged(data, options, chosen.random() * arguments_.pages < 1)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | GeneratorExit):
            raise
        lines = traceback.format_exc().strip().splitlines()
        yield f"{type(error).__name__}: {lines[-1][:300]} at {[line.strip() for line in lines if 'File' in line][-1]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - began
    if seconds > SLOW:
        yield f"took {seconds:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pages", type=int, default=100, help="pages and pictures of one in so many")
    parser.add_argument("--only", type=int, help="this capture alone")
    parser.add_argument("--keep", help="where to put it")
    options = parser.parse_args()
    signal.signal(signal.SIGPROF, give_up)
    found, began, finds, known = seeds(), time.time(), 0, set()
    numbers = [options.only] if options.only is not None else range(options.first, options.first + options.number)
    if options.only is not None:
        options.pages = 1
    for done, number in enumerate(numbers, start=1):
        for what in tried(number, options, found):
            finds += 1
            if what[:160] not in known:
                known.add(what[:160])
                print(f"{number}: {what}", flush=True)
        if done % 5000 == 0:
            print(f"{done} captures, {finds} finds, {time.time() - began:.0f} s", flush=True)
    print(f"{len(numbers)} captures, {finds} finds, {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()

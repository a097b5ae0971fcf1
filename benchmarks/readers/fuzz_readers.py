"""Coverage-guided fuzzing of the readers.

    python benchmarks/readers/fuzz_readers.py har CORPUS_FOLDER -max_total_time=600

Needs atheris. The target is one of `TARGETS`, `bounds`, `archive`, `audio` or `redact`; what follows the folder goes to
libFuzzer. `bounds` reads with bounds so small that each is met. The folder is filled with shortened captures of
`fixtures/captures` and `fixtures/sessions` first. Each target calls its reader itself, so nothing is hidden by a
recogniser or a general `except`. A find is an input that

- raises anything but InputError, takes longer than 20 s or more than 1.5 GB,
- gives a session that cannot be written, or that reads otherwise when it is read again,
- is read otherwise by the quick path of its reader than by the thorough one,
- lists or reads a member of an archive otherwise than with an error that is told (`archive`),
- lets a secret through (the corpus holds some): a key by its shape, a query parameter, a header, user information.
"""

import contextlib
import gzip
import io
import json
import re
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import atheris

sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))

with atheris.instrument_imports(include=["sttdoctor"]):
    from sttdoctor.analysis.container.contents import find_containers
    from sttdoctor.errors import InputError
    from sttdoctor.evidence import Session
    from sttdoctor.readers import collector, json_stream, session_jsonl, stream
    from sttdoctor.readers.audio_file import read_audio
    from sttdoctor.readers.capture import keep_real_times, read_capture
    from sttdoctor.readers.har.archive import read_har
    from sttdoctor.readers.har.protocol import read_protocol
    from sttdoctor.readers.logs import base as log_base
    from sttdoctor.readers.logs import library
    from sttdoctor.readers.logs.log import read_log
    from sttdoctor.readers.mitmproxy import read_flows
    from sttdoctor.readers.session_jsonl import read_rows, write_rows
    from sttdoctor.readers.wire.net_log import read_net_log
    from sttdoctor.readers.wire.pcap import read_pcap
    from sttdoctor.readers.wire.tshark import read_packet_list
    from sttdoctor.redact import redact_text
    from sttdoctor.triage import archives

FIXTURES = Path(__file__).parents[2] / "fixtures"
KEY = "sk_car_c4n4ry"
SECRETS = f"wss://me:{KEY}@a.b/stt/turns/websocket?model=ink-2&API_KEY={KEY}&access_token={KEY}&encoding=pcm_s16le"
LEAKS = re.compile(
    rf"{KEY}|[?&](?:api_key|access_token)=[^&;\s\"'<>]*c4n4ry|\"(?:authorization|x-api-key|cookie)\":\"[^\"]*c4n4ry",
    re.IGNORECASE,
)
MAX_SEED = 4096
WORDS = """_webSocketMessages startedDateTime opcode "log":{"entries":[ "request":{"url": "data":"AAAA" CONT~00~[
>~GET~/~HTTP/1.1 <~HTTP/1.1~101~ =~connection~is~OPEN >~BINARY~00~[1~bytes] ,~continued] text,~ >~TEXT~'{}'~[2~bytes]
<~CLOSE~1000~(OK)~[2~bytes] 2026-09-21~14:13:20,000 1790000000.5 websockets.client HTTP~429 Connecting~to~wss://
Received~WebSocket~message:~b' Reconnecting~to~WebSocket~API "type":" "audio":" "json":{ "elided":true "transcript":"
++Sent~decoded:~fin=1~opcode=2~data=b' ---~request~header~--- ----------------------- ~-~reconnect
Connecting~to~Cartesia~Ink-2~ASR:~wss:// Cartesia~Ink-2~ASR~turn.end:~ size:~640, {"log":" \\n","stream":"stderr"
~stderr~P~ {"events":[ timestamp,message\n DEBUG~~~~ "length": 1e999 NaN ... wss://u:p@h/ %3D ?api~key=KEY
{'type':~'turn.end',~'transcript':~' {~type:~'turn.update' Type:turn.start~RequestID: TurnEnd( is_final sent~3200~bytes
closed~code=1000 Unexpected~server~response:~401 Optional(" received_at [turn.eager_end]~ type=turn.resume
Authorization:~Bearer~KEY "token":"KEY" """.replace("KEY", KEY)


def from_stream(reader: Callable[..., Session]) -> Callable[[bytes], Session]:
    return lambda data: keep_real_times(reader(io.BufferedReader(io.BytesIO(data))))


def packed(data: bytes) -> Session:
    """The first byte says how the rest is packed: whole, cut, with junk behind, in two members, or not at all."""
    how, content = data[:1] or b"\0", data[1:]
    whole = gzip.compress(content, 1, mtime=0)
    ways = (
        whole,
        whole[: len(whole) * how[0] // 256],
        whole + content[:40],
        gzip.compress(content[:100], 1, mtime=0) + gzip.compress(content[100:], 1, mtime=0),
        b"\x1f\x8b" + content,
    )
    return read_capture(ways[how[0] % len(ways)])


_COOKED = b"\x08\0" + bytes(18)
DRESSED = tuple(f"captures/*-{dress}.log.gz" for dress in ("jsonlogger", "structlog-*", "rich", "utf16"))

TARGETS: dict[str, tuple[Callable[[bytes], Session], tuple[str, ...]]] = {
    "session": (from_stream(read_rows), ("captures/*.jsonl", "sessions/*.jsonl")),
    "har": (from_stream(read_har), ("captures/*.har",)),
    "websockets": (from_stream(read_log), ("captures/*-websockets.log",)),
    "sdk": (from_stream(read_log), ("captures/*-sdk.log", "captures/*-both.log")),
    "trace": (read_capture, ("captures/*-websocket-client.log.gz",)),
    "pipecat": (read_capture, ("captures/*-pipecat-*",)),
    "program": (read_capture, ()),
    "wrapped": (read_capture, ("captures/*-websockets.log", *DRESSED)),
    "flow": (from_stream(read_flows), ()),
    "net-log": (from_stream(read_net_log), ()),
    "pcap": (from_stream(read_pcap), ("captures/*.pcap.gz",)),
    "tshark": (from_stream(read_packet_list), ()),
    "devtools": (from_stream(read_protocol), ()),
    "zip": (read_capture, ()),
    "any": (read_capture, ("captures/*",)),
    "gzip": (packed, ("captures/*",)),
}


@contextmanager
def thorough() -> Iterator[None]:
    """Switch the quick paths of the readers off."""
    kept = library._MAX_SHAPES, session_jsonl._AUDIO_END
    library._MAX_SHAPES, session_jsonl._AUDIO_END = 0, b"\n"
    try:
        yield
    finally:
        library._MAX_SHAPES, session_jsonl._AUDIO_END = kept


def read(reader: Callable[[bytes], Session], data: bytes) -> tuple[list[str], str]:
    """The rows of what is read, and the sentence where nothing is."""
    try:
        return list(write_rows(reader(data))), ""
    except InputError as error:
        return [], str(error)


def one_session(reader: Callable[[bytes], Session], data: bytes) -> None:
    rows, error = read(reader, data)
    assert not LEAKS.search(error), "a secret in the error"
    with thorough():
        assert read(reader, data) == (rows, error), "read otherwise by the quick path"
    if error:
        return
    text = "\n".join(rows)
    leak = LEAKS.search(text)
    assert not leak, f"a secret: {text[max(0, leak.start() - 80) : leak.end() + 80]}"
    again = read_capture(text.encode())
    assert again.damage.lines == 0, f"damaged on the way back: {again.damage.examples}"
    for before, after in zip(rows, write_rows(again), strict=True):
        place = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
        assert before == after, (
            f"other on the way back: {before[place - 60 : place + 60]} {after[place - 60 : place + 60]}"
        )


BOUNDS = (
    (collector, "MAX_HELD_BYTES", 12_000),
    (collector, "MAX_DAMAGED", 4),
    (stream, "MAX_LINE_BYTES", 400),
    (stream, "FREE_BYTES", 2000),
    (stream, "MAX_RATIO", 2),
    (json_stream, "MAX_VALUE_CHARACTERS", 300),
    (json_stream, "_BLOCK_BYTES", 64),
    (json_stream, "_MAX_BLOCK_BYTES", 128),
    (json_stream, "_MAX_PARTS", 20),
    (json_stream, "MAX_ITEMS", 120),
    (json_stream, "MAX_SKIPPED", 40),
    (log_base, "MAX_LINES", 30),
    (session_jsonl, "_MAX_LINES", 40),
)


def one_bounded(data: bytes) -> None:
    """The first byte says which bound is small, or that all are, and which connection is wanted."""
    choice, content = data[:1] or b"\0", data[1:]
    which, wanted = choice[0] % (len(BOUNDS) + 1), (None, 1, 2, 3)[choice[0] // 64]
    small = BOUNDS[which : which + 1] or BOUNDS
    kept = [getattr(module, name) for module, name, _ in small]
    try:
        for module, name, value in small:
            setattr(module, name, value)
        with contextlib.suppress(InputError):
            session = read_capture(content, wanted)
            assert session.damage.lines >= len(session.damage.examples)
    finally:
        for (module, name, _), value in zip(small, kept, strict=True):
            setattr(module, name, value)


def one_archive(data: bytes) -> None:
    suffix = (".zip", ".tar", ".tgz")[data[0] % 3] if data else ".zip"
    with tempfile.NamedTemporaryFile(suffix=suffix, dir="/dev/shm") as file:
        file.write(data[1:])
        file.flush()
        for task in list(archives.members(file.name, archives.Room()))[:20]:
            if not task.error:
                with contextlib.suppress(InputError), archives.open_task(task) as member:
                    member.read(100_000)
        archives.close()


def small_archives() -> Iterator[bytes]:
    for kind, how in enumerate(("", "w:", "w:gz")):
        packed = io.BytesIO()
        if how:
            with tarfile.open(fileobj=packed, mode=how) as tar:  # type: ignore[call-overload]
                for name in ("a.jsonl", "long" * 40):
                    info = tarfile.TarInfo(name)
                    info.size = 5
                    tar.addfile(info, io.BytesIO(b"12345"))
        else:
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("a.jsonl", b"12345")
                archive.writestr("long" * 40, bytes(1000))
        yield bytes([kind]) + packed.getvalue()


def one_audio(data: bytes) -> None:
    if data:
        find_containers(read_audio(data).data)


def one_text(data: bytes) -> None:
    text = data.decode("utf-8", errors="replace")
    redacted = redact_text(text)
    assert not LEAKS.search(redacted), f"a secret: {redacted}"
    assert redact_text(redacted) == redacted, f"redacted twice: {redacted} {redact_text(redacted)}"


def seeds(patterns: tuple[str, ...]) -> Iterator[bytes]:
    """Yield captures of the fixtures, shortened, and each once more with secrets in it."""
    for pattern in patterns:
        for path in sorted(FIXTURES.glob(pattern)):
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
            try:
                text = content.decode("utf-16" if content[:2] == b"\xff\xfe" else "utf-8")
            except UnicodeDecodeError:
                yield content[:MAX_SEED]
                continue
            for whole in (text, leaky(text)):
                yield (short_har(whole) if path.suffix == ".har" else short_lines(whole)).encode()[:MAX_SEED]


def of_bytes(name: str) -> Iterator[bytes]:
    """Yield small captures of bytes with secrets in them, made as the tools make them."""
    import devtools
    import wires

    words = '{"type":"turn.end","request_id":"a","transcript":"api_key=' + KEY + '"}'
    heads = [wires.Bytes(0.0, True, wires.request(SECRETS, {"Host": "a.b", "X-API-Key": KEY}))]
    heads.append(wires.Bytes(0.1, False, wires.answer(f"Set-Cookie: {KEY}\r\n")))
    frames = [(True, 2, b"\0\1" * 8), (False, 1, words.encode()), (True, 9, b"x"), (False, 8, b"\3\xe8" + KEY.encode())]
    items = heads + [
        wires.Bytes(0.2 + number / 10, sent, wires.frame(sent, opcode, payload))
        for number, (sent, opcode, payload) in enumerate(frames)
    ]
    refused = [heads[0], wires.Bytes(0.1, False, wires.answer("", "401 No") + f"Invalid API key {KEY}".encode())]
    messages = [[2 - (not sent), sent, payload, wires.EPOCH, False, False] for sent, _, payload in frames[:2]]
    closing = {"timestamp_end": wires.EPOCH, "close_reason": f"token={KEY}", "close_code": 1000}
    flow = wires.flow(websocket={**closing, "closed_by_client": True, "messages": messages})
    flow["request"] |= {"path": f"/stt?api_key={KEY}".encode(), "headers": [[b"X-API-Key", KEY.encode()]]}
    for made in (items, refused):
        packets = wires.Tcp().open().say(made, 200).close().packets
        yield from {
            "net-log": (wires.net_log(made), wires.net_log(made, secure=True)),
            "pcap": (
                wires.pcap(packets),
                wires.pcapng(packets),
                wires.pcap(packets, 1, ">", header=bytes(12) + b"\x08\0"),
            ),
            "tshark": (wires.tshark([item for item in made if item not in items[-2:-1]]),),
            "flow": (wires.tnetstring(flow), wires.tnetstring(flow | {"websocket": None})),
        }.get(name, ())
    if name == "devtools":
        told = devtools.events()[:8] + devtools.events()[-4:]
        told[1]["params"]["url"] = SECRETS
        yield from (make(told).replace(b"sk_car_secret", KEY.encode()) for make in devtools.FORMS.values())
    if name == "zip":
        har = short_har(leaky((FIXTURES / "captures" / "healthy-playwright.har").read_text("utf-8")))
        entry = json.loads(har)["log"]["entries"][-1]
        lines = "".join(json.dumps(message) + "\n" for message in entry.pop("_webSocketMessages"))
        entry["response"]["content"] = {"_file": "a.jsonl"}
        row = json.dumps({"type": "resource-snapshot", "snapshot": entry}, separators=(",", ":"))
        for files in ({"har.har": json.dumps({"log": {"entries": [entry]}})}, {"trace.network": row}):
            packed_files = io.BytesIO()
            with zipfile.ZipFile(packed_files, "w") as archive:
                for member, content in (files | {"a.jsonl": lines}).items():
                    archive.writestr(member, content)
            yield packed_files.getvalue()


def printed() -> Iterator[bytes]:
    """Yield logs of programs that print events, in the forms that languages have, with secrets in them."""
    from printed import BARE, PRINTS, STAMPS, print_session

    session = read_capture(FIXTURES / "sessions" / "healthy-eager-end-taken-back.jsonl")
    stamps = [*STAMPS.values()] * 2
    for make, stamp in zip({**PRINTS, **BARE}.values(), stamps, strict=False):
        whole = print_session(session, make, stamp, "recv: ", sends=True, commands=True, close=True, url=True)
        lines = leaky(whole.decode()).splitlines()
        yield "\n".join([*lines[:14], f">> {json.dumps({'type': 'config', 'token': KEY})}", *lines[-12:]]).encode()
    error = {"type": "error", "title": "Bad key", "message": f"Invalid API key {KEY}", "status_code": 401}
    yield "\n".join(json.dumps({"ts": 1.5, "event": item}) for item in (error, error)).encode()
    yield f"connecting to {SECRETS}\nError: Unexpected server response: 401\n".encode()


def wrapped(seed: bytes) -> Iterator[bytes]:
    """Yield lines of a log in what stands round them in a container and in exports, and in UTF-16."""
    lines = seed.decode(errors="replace").splitlines()
    times = [f"2026-09-21T14:13:{number % 60:02}.5Z" for number in range(len(lines))]
    pairs = list(zip(times, lines, strict=True))
    yield "".join(
        json.dumps({"log": f"{line}\n", "stream": "stderr", "time": time}) + "\n" for time, line in pairs
    ).encode()
    yield "".join(f"{time} stderr {'FP'[time[-3] == '5']} {line}\n" for time, line in pairs).encode()
    yield json.dumps([{"timestamp": time, "jsonPayload": {"message": line}} for time, line in pairs[::-1]]).encode()
    yield json.dumps({"events": [{"timestamp": 1, "message": line} for line in lines]}, indent=1).encode()
    yield ("timestamp,message\n" + "".join(f"{time},{json.dumps(line)}\n" for time, line in pairs)).encode()
    yield "\n".join(lines).encode("utf-16")


def leaky(text: str) -> str:
    text = re.sub(r"wss?://[^\s\"]*", SECRETS, text)
    text = re.sub(r" /stt/\S*", f" /stt/turns/websocket?token={KEY}", text)
    return text.replace('"transcript":"', f'"api_key":"{KEY}","transcript":"{KEY} ', 1)


def short_lines(text: str) -> str:
    lines = [re.sub(r'("audio":")[^"]{40,}', r"\1AAABAP//", line) for line in text.splitlines()]
    return "\n".join([*lines[:24], *lines[-12:]])


def short_har(text: str) -> str:
    archive: dict[str, Any] = json.loads(text)
    for item in archive["log"]["entries"]:
        messages = item.get("_webSocketMessages", [])
        item["_webSocketMessages"] = [
            message | {"data": "AAABAP//"} if message["opcode"] == 2 else message
            for message in messages[:4] + messages[-6:]
        ]
        item.pop("timings", None)
    return json.dumps(archive, separators=(",", ":"))


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    if name == "audio":
        target: Callable[[bytes], None] = one_audio
        found = [path.read_bytes()[:MAX_SEED] for path in sorted(FIXTURES.glob("audio/*"))]
    elif name == "bounds":
        target = one_bounded
        seeded = enumerate(seeds(("captures/*",)))
        found = [bytes([number * 37 % 256]) + seed for number, seed in seeded]
    elif name == "archive":
        target = one_archive
        found = list(small_archives())
    elif name == "redact":
        target = one_text
        found = [*seeds(("captures/*-sdk.log", "captures/*-websockets.log")), SECRETS.encode()]
    else:
        reader, patterns = TARGETS[name]
        target = lambda data: one_session(reader, data)  # noqa: E731
        found = [(b"\0" if name == "gzip" else b"") + seed for seed in seeds(patterns)]
        found += [seed[:MAX_SEED] for seed in printed()] if name == "program" else []
        found += [seed[:MAX_SEED] for seed in of_bytes(name)]
        if name == "wrapped":
            found += [dressed[:MAX_SEED] for seed in found for dressed in wrapped(seed[:1500])]
    for number, seed in enumerate(found):
        (folder / f"seed-{number:03}").write_bytes(seed)
    words = folder.with_suffix(".words")
    words.write_text("".join(json.dumps(word.replace("~", " ")) + "\n" for word in WORDS.split()))
    options = [f"-dict={words}", f"-max_len={MAX_SEED}", "-timeout=20", "-rss_limit_mb=1500", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], str(folder), *options, *sys.argv[3:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Keys are planted in every place of every format and looked for in everything that is written."""

import asyncio
import contextlib
import json
import re
import string
from functools import cache

import captures
import pytest
import wires
from captures import FORMATS
from common import HEADER, OPEN, jsonl
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from planting import HEADERS, NAMES, in_percent, messages, refused, seen, session, texts
from proxying import proxy, refuses, service
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode

import sttdoctor
from sttdoctor.api import examine, session_facts
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows
from sttdoctor.reporting import FORMATS as REPORTS
from sttdoctor.reporting.data.collect import collect

CANARY = "c4n4ryXq7"
SECRET_URL = captures.URL.replace("://", f"://me:p@{CANARY}@") + (
    "".join(f"&{name}={CANARY}" for name in (*NAMES, "API_KEY", "x%5Bapi_key%5D", "api%5Fkey"))
    + f"&next=https%3A%2F%2Fa%2F%3Faccess_token%3D{CANARY}&{in_percent(f'sk_car_{CANARY}')}=1#access_token={CANARY}"
)
SECRET_HEADERS = {
    **dict.fromkeys(HEADERS, CANARY),
    **{f"x-{number}": " ".join(text.split()) for number, text in enumerate(texts(CANARY))},
    "Cookie": f"session={CANARY}; b={CANARY}",
    "Referer": f"https://me:{CANARY}@a/?token={CANARY}",
    "Sec-WebSocket-Protocol": f"token, {CANARY}",
}
WIRE_HEADERS = {name: value for name, value in SECRET_HEADERS.items() if value.isascii()}
TOLD = [json.dumps(message) for message in messages(CANARY)] + texts(CANARY)


def leaky_har() -> bytes:
    archive = captures.har(url=SECRET_URL, headers=SECRET_HEADERS)
    archive["log"]["creator"]["name"] = f"tool sk_car_{CANARY}"
    entry = archive["log"]["entries"][0]
    entry["response"] = {
        "status": 403,
        "headers": [{"name": name, "value": value} for name, value in SECRET_HEADERS.items()],
        "content": {"text": "\n".join(texts(CANARY))},
    }
    entry["startedDateTime"] = f"token={CANARY}"
    for number, text in enumerate(TOLD):
        message = {"type": ("send", "receive")[number % 2], "time": captures.EPOCH + 4, "opcode": 1, "data": text}
        entry["_webSocketMessages"] += [message, {**message, "type": "error", "data": f"failed: {text}"}]
    entry["_webSocketMessages"].append({"type": f"sk_car_{CANARY}", "time": CANARY, "data": CANARY})
    return json.dumps(archive).encode()


def leaky_log(limit: int) -> bytes:
    log = captures.websockets_log(limit=limit, url=SECRET_URL)
    mark = "2026-09-21 14:13:24,000 websockets.client DEBUG "
    headers = "".join(f"{mark}> {name}: {value}\n" for name, value in SECRET_HEADERS.items())
    told = [text for text in TOLD if limit > 75 or "is not a valid" not in text]  # which is cut before "valid"
    more = [f"{'<>'[number % 2]} {captures.shown(text, limit)}" for number, text in enumerate(told)]
    more += [f"< CLOSE 1008 (policy violation) bad key {CANARY} [9 bytes]"]
    log = log.replace(b"> Host: api.cartesia.ai\n", b"> Host: api.cartesia.ai\n" + headers.encode())
    place = log.index(b"2026-09-21 14:13:23,600")
    return log[:place] + "".join(f"{mark}{line}\n" for line in more).encode() + log[place:]


def leaky_sdk() -> bytes:
    log = captures.sdk_log().replace(captures.URL.encode(), SECRET_URL.encode())
    line = "[2026-09-21 14:13:25 - cartesia.x:1 - DEBUG] Received WebSocket message: {!r}\n"
    return log + "".join(line.format(text.encode()) for text in TOLD).encode()


def leaky_bytes() -> list[wires.Bytes]:
    """What goes over the wire of a session that quotes the key everywhere."""
    told = [(number % 2 == 0, text.encode()) for number, text in enumerate(TOLD)]
    frames = [wires.Bytes(0.2, sent, wires.frame(sent, Opcode.TEXT, text)) for sent, text in told]
    config = json.dumps({"type": "config", "api_key": CANARY}).encode()
    reason = (1008).to_bytes(2) + f"bad key {CANARY}".encode()
    return [
        wires.Bytes(0.0, True, wires.request(SECRET_URL.partition("#")[0], WIRE_HEADERS)),
        wires.Bytes(0.1, False, wires.answer(f"X-Reason: bad key {CANARY}\r\nSet-Cookie: a={CANARY}\r\n")),
        wires.Bytes(0.2, True, wires.frame(True, Opcode.BINARY, config)),
        *frames,
        wires.Bytes(0.3, False, wires.frame(False, Opcode.CLOSE, reason)),
    ]


def leaky_flow() -> bytes:
    known = wires.flow()
    headers = [[name.encode(), value.encode()] for name, value in WIRE_HEADERS.items()]
    path = SECRET_URL.partition(".ai")[2].encode()
    told = [[1, number % 2 == 0, text.encode(), captures.EPOCH + 1, False, False] for number, text in enumerate(TOLD)]
    closing = {"close_reason": f"bad key {CANARY}", "messages": told}
    return wires.tnetstring(
        wires.flow(
            request=known["request"] | {"headers": [*known["request"]["headers"], *headers], "path": path},
            response=known["response"] | {"headers": headers},
            websocket=known["websocket"] | closing,
        )
    )


LEAKY = {
    "flow": leaky_flow(),
    "net log": wires.net_log(leaky_bytes()),
    "packets": wires.pcap(wires.Tcp().open().say(leaky_bytes()).close().packets),
    "session": session(CANARY),
    "har": leaky_har(),
    "two sockets": leaky_har().replace(
        b'"entries": [', b'"entries": [' + json.dumps(captures.har(url=SECRET_URL)["log"]["entries"][0]).encode() + b","
    ),
    "cut har": leaky_har()[:-300],
    "no frames": json.dumps({"log": {"entries": [{"request": {"url": SECRET_URL}}]}}).encode(),
    "log": leaky_log(75),
    "whole log": leaky_log(1_000_000),
    "two connections": 2 * leaky_log(75),
    "sdk": leaky_sdk(),
    "both": leaky_log(75) + leaky_sdk(),
    "nothing known": f"api_key={CANARY}\n".encode(),
    "address": FORMATS["session"].replace(captures.URL.encode(), SECRET_URL.encode()),
}
LIGHT = ["--ignore", "encoding,sample-rate,channels,signal"]


@pytest.mark.parametrize(
    "command",
    [
        ["convert"],
        ["convert", "--no-audio", "--no-text"],
        *(["replay", *LIGHT, "--format", name] for name in REPORTS if name != "html"),
        ["replay", *LIGHT, "-v"],
    ],
)
@pytest.mark.parametrize("name", LEAKY)
def test_no_key_is_in_any_output(run, name, command):
    assert name == "net log" or CANARY.encode() in LEAKY[name]
    for connection in ([], ["--connection", 1]):
        done = run(command[0], "-", *command[1:], *connection, stdin=LEAKY[name])
        assert seen(done.out + done.err, CANARY) == ""
        assert done.code == 2 or done.out


@pytest.mark.parametrize("name", ["session", "log", "har"])
def test_no_key_is_in_a_page_or_a_picture_or_in_a_file_beside_it(run, name, tmp_path):
    path = tmp_path / "leaky"
    path.write_bytes(LEAKY[name])
    connection = ["--connection", 1]
    done = run("replay", path, *connection, "-o", tmp_path / "a.html", "--plot", tmp_path / "a.svg")
    assert done.code == 1
    assert run("convert", path, *connection, "-o", tmp_path / "a.raw").code in (0, 2)
    for made in [path for path in tmp_path.iterdir() if path.name != "leaky"]:
        assert seen(made.read_text(encoding="latin-1"), CANARY) == ""


@pytest.mark.long
def test_no_key_is_in_a_table_or_an_overview(run, tmp_path):
    folder = tmp_path / "captures"
    folder.mkdir()
    for name in ("session", "har", "log", "sdk", "no frames", "address"):
        (folder / f"{name}.jsonl").write_bytes(LEAKY[name])
    for number, text in enumerate(texts(CANARY)[:20]):
        (folder / f"refused-{number}.jsonl").write_bytes(refused(CANARY, text))
    table, rows, pages = tmp_path / "t.csv", tmp_path / "t.jsonl", tmp_path / "pages"
    done = run("triage", folder, "-o", table, "-o", rows, "--html", pages, "--group-by", "client")
    assert done.code in (0, 1) and len(table.read_text().splitlines()) == 27
    made = [table, rows, *(path for path in pages.rglob("*") if path.is_file())]
    assert len(made) > 3
    for path in made:
        assert seen(path.read_text(encoding="utf-8"), CANARY) == "", path
    assert seen(done.out + done.err, CANARY) == ""


@pytest.mark.parametrize("text", texts(CANARY), ids=range(len(texts(CANARY))))
def test_a_refusal_is_quoted_without_the_key(text):
    capture = refused(CANARY, text)
    facts = session_facts(capture, f"api_key={CANARY}", None, None, None)
    report = examine(facts)
    assert "connection.rejected" in [finding.cause for check in report.checks for finding in check.findings]
    options = {"width": 200, "colour": False, "verbose": True, "failing": ("fail", "warn")}
    pages = [
        form.render(report, exhibits=collect(facts, report) if "exhibits" in form.takes else None, **options)
        for form in REPORTS.values()
    ]
    assert seen("\n".join([*write_rows(read_capture(capture)), report.to_json(), *pages]), CANARY) == ""


def test_what_was_converted_is_converted_to_the_same():
    once = list(write_rows(read_capture(session(CANARY))))
    assert list(write_rows(read_capture("\n".join(once).encode()))) == once


def test_no_key_is_in_what_is_recorded(tmp_path):
    async def echo(connection):
        async for message in connection:
            await connection.send(message)
            if isinstance(message, str) and message.endswith("bye"):
                await connection.close(1008, f"bad key {CANARY}")

    async def client(port):
        address = f"ws://127.0.0.1:{port}{SECRET_URL.partition('.ai')[2].partition('#')[0]}"
        plain = {name: value for name, value in WIRE_HEADERS.items() if name != "Sec-WebSocket-Protocol"}
        async with connect(address, additional_headers=plain, max_size=None) as connection:
            for text in TOLD:
                await connection.send(text)
            await connection.send(json.dumps({"type": "config", "api_key": CANARY}).encode())
            await connection.send("bye")
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await connection.recv()

    async def main():
        async with service(echo) as port, proxy(f"ws://127.0.0.1:{port}", tmp_path / "a.jsonl") as running:
            await client(running.port)
            await running.finished()
            told = "\n".join(running.told)
        body = "\n".join(texts(CANARY)).encode()
        refusal = refuses(401, body, [("X-Reason", f"bad key {CANARY}")])
        async with (
            service(echo, process_request=refusal) as port,
            proxy(f"ws://127.0.0.1:{port}", tmp_path / "b.jsonl") as running,
        ):
            with pytest.raises(InvalidStatus):
                await client(running.port)
            await running.finished()
            return told + "\n".join(running.told)

    told = asyncio.run(main())
    first, second = ((tmp_path / name).read_text() for name in ("a.jsonl", "b.jsonl"))
    assert first.count('"receive"') == len(TOLD) + 2 and '"status":401' in second
    for output in (told, *first.splitlines(), *second.splitlines()):
        assert seen(output, CANARY) == ""


def test_a_key_in_the_name_of_a_capture_is_in_no_report(tmp_path):
    path = tmp_path / f"sk_car_{CANARY}.jsonl"
    path.write_bytes(captures.session_jsonl())
    facts = session_facts(str(path), None, None, None, None)
    report = examine(facts)
    assert report.subject["path"] and report.listen["convert"]
    options = {"width": 200, "colour": False, "verbose": True, "failing": ("fail", "warn")}
    pages = [
        form.render(report, exhibits=collect(facts, report) if "exhibits" in form.takes else None, **options)
        for form in REPORTS.values()
    ]
    assert seen("\n".join([report.to_json(), *pages]), CANARY) == ""


LETTERS = string.ascii_letters + string.digits
KEYS = (
    st.text(LETTERS, min_size=16, max_size=48)
    | st.text("0123456789abcdef", min_size=32, max_size=40)
    | st.uuids().map(str)
    | st.tuples(st.text(LETTERS, min_size=10), st.sampled_from("-_"), st.text(LETTERS + "-_", max_size=30)).map("".join)
).filter(lambda key: re.search("(?=[a-zA-Z]*[0-9])(?=[0-9]*[a-zA-Z])[a-zA-Z0-9]{8}", key) and len(set(key)) > 7)
"""As they are issued: somewhere letters and digits stand together."""


@cache
def written(capture):
    """Everything that is told of a capture."""
    report = sttdoctor.replay(capture, select=["connection", "server", "messages"])
    return "\n".join([*write_rows(read_capture(capture)), report.to_json()])


@given(KEYS, st.integers(0), st.integers(0))
@settings(max_examples=60)
def test_neither_a_key_nor_half_of_it_comes_out_of_any_capture(key, place, other):
    assume(not seen(written(refused("", "")) + written(jsonl(HEADER, OPEN)), key))
    known, told = texts(key), messages(key)
    refusal = refused(key, f"{known[place % len(known)]} {known[other % len(known)]}")
    assert seen(written(refusal), key) == ""
    row = {"type": "send", "t": 1, "json": [told[place % len(told)], told[other % len(told)]]}
    assert seen(written(jsonl(HEADER, OPEN, row)), key) == ""

"""Streams below lines that say which way they went are read as the bytes themselves, whatever tool printed them."""

import contextlib
from datetime import UTC, datetime

import pytest
from captures import URL
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from wires import answer, conversation, frame, request

from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame, Open
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.wire.relayed import holds_relayed

ZERO = datetime(2026, 11, 30, 22, 7, 54, tzinfo=UTC).timestamp()


def moment(t: float, digits: str = "%f") -> str:
    return datetime.fromtimestamp(ZERO + t, UTC).strftime(f"%Y/%m/%d %H:%M:%S.{digits}")


def text_of(data: bytes) -> str:
    return "".join(chr(code) if 32 <= code < 127 else "." for code in data)


def rows(data: bytes, size: int = 16) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def socat(items, is_long=False, zeros=""):
    begins, shown = {True: 0, False: 0}, ""
    for t, sent, data in items:
        begin = begins[sent]
        begins[sent] += len(data)
        span = f"length={len(data)} from={begin} to={begins[sent] - 1}"
        shown += f"{'>' if sent else '<'} {moment(t, zeros + '%f')}  {span}\n"
        parts = [data] if is_long else rows(data)
        shown += "".join(
            f" {part.hex(' ')}" + ("\n" if is_long else f"{'':{(17 - len(part)) * 3 - 1}}{text_of(part)}\n")
            for part in parts
        )
    return shown


def ngrep(items):
    shown = "input: x.pcap\n\n"
    for number, (t, sent, data) in enumerate(items):
        ends = ("10.0.0.2:50000", "10.0.0.9:80") if sent else ("10.0.0.9:80", "10.0.0.2:50000")
        shown += f"T {moment(t)} {ends[0]} -> {ends[1]} [AP] #{number}\n"
        for part in rows(data):
            halves = (part[:8].hex(" "), part[8:].hex(" "))
            shown += f"  {halves[0]:23}    {halves[1]:23}    {text_of(part)}\n"
        shown += "\n"
    return shown


def tcpflow(items):
    client, server = "010.000.000.002.50000", "010.000.000.009.00080"
    return "".join(
        f"{f'{client}-{server}' if sent else f'{server}-{client}'}: \n"
        + "".join(f"{at * 32:04x}: {part.hex(' ', -2):79}  {text_of(part)}\n" for at, part in enumerate(rows(data, 32)))
        for _, sent, data in items
    )


def curl(items):
    shown = "22:07:54.000000 == Info: Connected to 10.0.0.9\n"
    for t, sent, data in items:
        way = "=> Send" if sent else "<= Recv"
        kind = "header" if data[:4] in (b"GET ", b"HTTP") else "data"
        shown += f"{moment(t)[11:]} {way} {kind}, {len(data)} bytes (0x{len(data):x})\n"
        shown += "".join(
            f"{at * 16:04x}: {part.hex(' ') + ' ':48}{text_of(part)}\n" for at, part in enumerate(rows(data))
        )
    return shown


TOOLS = {
    "socat -x -v": socat,
    "socat -x": lambda items: socat(items, is_long=True),
    "socat with nine digits": lambda items: socat(items, zeros="000"),
    "ngrep -x": ngrep,
    "tcpflow -c -D": tcpflow,
    "curl --trace": curl,
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_stream_says_the_same_whatever_tool_printed_it(tool):
    items = conversation()
    session = read_capture(TOOLS[tool](items).encode())
    frames = [event for event in session.events if isinstance(event, Frame)]
    expected = [(item.t, item.sent) for item in items[2:-2]]
    assert [frame.sent for frame in frames] == [sent for _, sent in expected]
    assert sum(frame.size for frame in frames if frame.audio is not None) == 24_000
    assert session.url.partition("?")[2] == URL.partition("?")[2]
    if tool.startswith("tcpflow"):
        assert session.clock == "none"
    else:
        assert [frame.t for frame in frames] == pytest.approx([t for t, _ in expected], abs=1e-3)


def test_connections_of_one_relay_are_told_apart_by_where_they_begin():
    with pytest.raises(InputError, match="holds 2 connections"):
        read_capture(
            (socat(conversation()) + socat([item._replace(t=item.t + 600) for item in conversation()])).encode()
        )


def test_the_key_of_a_stream_never_comes_out():
    assert "sk_car_secret" not in repr(read_capture(socat(conversation()).encode()))


REFUSAL = b'{"type":"error","title":"Unauthorized","status_code":401}'
HEADS = (request().decode(), f"HTTP/1.1 401 Unauthorized\r\nContent-Length: {len(REFUSAL)}\r\n\r\n")


def trace_ascii():
    offset, shown = 0, f"=> Send header, {len(HEADS[0])} bytes (0x1)\n"
    for line in HEADS[0].removesuffix("\r\n").split("\r\n"):
        for part in rows(line.encode(), 64) or [b""]:
            shown += f"{offset:04x}: {part.decode()}\n"
            offset += len(part)
        offset += 2
    lines = HEADS[1].removesuffix("\r\n").split("\r\n")
    shown += "".join(f"<= Recv header, {len(line) + 2} bytes (0x1)\n0000: {line}\n" for line in lines)
    return (
        shown + f"<= Recv data, {len(REFUSAL)} bytes (0x1)\n0000: {REFUSAL.decode()}\n== Info: Connection left intact\n"
    )


PRINTED = {
    "curl --trace-ascii": trace_ascii(),
    "HTTPie": "".join(HEADS[0].replace("\r\n", "\n") + "\n\n" + HEADS[1].replace("\r\n", "\n") + REFUSAL.decode()),
    "http.client": f"send: {HEADS[0].encode()!r}\nreply: 'HTTP/1.1 401 Unauthorized\\r\\n'\n"
    f"header: Content-Length: {len(REFUSAL)}\n401 {REFUSAL.decode()}\n",
}


@pytest.mark.parametrize("tool", PRINTED)
def test_a_refused_handshake_is_read_from_what_a_program_printed(tool):
    session = read_capture(PRINTED[tool].encode())
    opened = next(event for event in session.events if isinstance(event, Open))
    assert opened.status == 401 and "Unauthorized" in (opened.body or "")
    assert session.url.startswith("wss:") and session.url.endswith(URL.partition("?")[2])
    assert "sk_car_secret" not in repr(session)


def test_frames_that_a_trace_shows_as_text_are_no_messages():
    shown = trace_ascii().partition("<= Recv")[0]
    text = (
        frame(False, Opcode.TEXT, b'{"type":"connected"}').decode("latin-1").replace("\x81", ".").replace("\x14", ".")
    )
    accepted = answer().decode().removesuffix("\r\n").split("\r\n")
    shown += "".join(f"<= Recv header, 9 bytes (0x9)\n0000: {line}\n" for line in accepted)
    session = read_capture(f"{shown}<= Recv data, 22 bytes (0x16)\n0000: {text}\n".encode())
    assert [type(event) for event in session.events] == [Open]


@given(
    st.lists(
        st.sampled_from(
            [
                b"> 2026/11/30 22:07:54.000770189  length=4 from=0 to=3",
                b" 47 45 54 20",
                b"T 1.1.1.1:1 -> 1.1.1.2:2 [AP]",
                b"0000: 4745 5420",
                b"=> Send header, 4 bytes (0x4)",
                b"<= Recv data, 4 bytes (0x4)",
                b"",
                b"reply: 'HTTP/1.1 401 x\\r\\n'",
                b"send: b'GET /x HTTP/1.1\\r\\n'",
            ]
        ),
        max_size=30,
    )
)
def test_whatever_looks_like_it_is_read_or_refused(lines):
    content = b"\n".join(lines) + b"\nx"
    holds_relayed(content)
    with contextlib.suppress(InputError):
        read_capture(content)

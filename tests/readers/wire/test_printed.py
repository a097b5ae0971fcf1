"""What tools print of packets and streams in hexadecimal is read as the packets themselves."""

import base64
import contextlib
from datetime import UTC, datetime

import pytest
from captures import URL
from hypothesis import given
from hypothesis import strategies as st
from wires import Tcp, conversation, pcap

from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.wire.printed import holds_dump

ZERO = datetime(2026, 11, 30, 23, 59, 58, tzinfo=UTC).timestamp()  # midnight is within the session
PACKED = Tcp().open().say(conversation()).close().packets
PLAIN = [(ZERO + t, packet) for t, packet in PACKED]
ETHERNET = bytes(12) + b"\x08\x00"
EXPECTED = read_capture(pcap(PACKED))


def clock(t: float) -> str:
    return datetime.fromtimestamp(t, UTC).strftime("%H:%M:%S.%f")


def fours(data: bytes) -> str:
    """As tcpdump prints them."""
    lines = []
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        shown = "".join(chr(code) if 32 < code < 127 else "." for code in part)
        lines.append(f"\t0x{at:04x}:  {part.hex(' ', -2):<39}  {shown}\n")
    return "".join(lines)


def pairs(data: bytes, indent: str = "", gap: str = " ", digits: int = 4) -> str:
    """As tshark does."""
    lines = []
    for at in range(0, len(data), 16):
        part = data[at : at + 16]
        shown = "".join(chr(code) if 32 <= code < 127 else "." for code in part)
        halves = gap.join(half.hex(" ") for half in (part[:8], part[8:]) if half)
        lines.append(f"{indent}{at:0{digits}x}  {halves:<49}  {shown}\n")
    return "".join(lines)


PACKETS = {
    "tcpdump -X": lambda t, data: f"{clock(t)} IP 10.0.0.2.40000 > 10.0.0.1.80: Flags [P.], seq 1\n{fours(data)}",
    "tcpdump -XX -tt": lambda t, data: f"{t:.6f} IP 10.0.0.2.40000 > 10.0.0.1.80: tcp\n{fours(ETHERNET + data)}",
    "tshark -V -x": lambda t, data: (
        f"Frame 1: 80 bytes on wire\n    Epoch Arrival Time: {t:.9f} seconds\n"
        f"Ethernet II, Src: 00:00:00_00:00:00\n\n{pairs(ETHERNET + data)}\n"
    ),
    "tshark -P -x": lambda t, data: f"   12 {t - ZERO:.9f}  10.0.0.2 → 10.0.0.1 TCP\n\n{pairs(ETHERNET + data)}\n",
}


@pytest.mark.parametrize("style", PACKETS)
def test_packets_in_hexadecimal_read_as_packets(style):
    session = read_capture("".join(PACKETS[style](t, data) for t, data in PLAIN).encode())
    assert [(event.t, event) for event in session.events] == [(event.t, event) for event in EXPECTED.events]
    assert (session.url, session.headers, session.lacks) == (EXPECTED.url, EXPECTED.headers, EXPECTED.lacks)


@pytest.mark.parametrize(("style", "is_dated"), [("tcpdump -X", False), ("tcpdump -XX -tt", True)])
def test_a_time_of_day_is_no_date(style, is_dated):
    session = read_capture("".join(PACKETS[style](t, data) for t, data in PLAIN).encode())
    assert (session.started_at is not None) == is_dated


def test_packets_without_times_have_none():
    session = read_capture("\n".join(pairs(ETHERNET + data) for _, data in PLAIN).encode())
    assert session.clock == "none"
    assert len(session.events) == len(EXPECTED.events)


HEAD = (
    "\n======================\nFollow: tcp,{}\nFilter: tcp.stream eq 0\nNode 0: 10.0.0.2:40000\nNode 1: 10.0.0.1:80\n"
)


def yaml(items) -> str:
    text = "peers:\n  - peer: 0\n    host: 10.0.0.2\n  - peer: 1\n    host: 10.0.0.1\npackets:\n"
    for number, (t, sent, data) in enumerate(items):
        coded = base64.b64encode(data).decode()
        rows = "".join(f"      {coded[at : at + 76]}\n" for at in range(0, len(coded), 76))
        text += f"  - packet: {number}\n    peer: {int(not sent)}\n    timestamp: {ZERO + t:.9f}\n"
        text += f"    data: !!binary |\n{rows}"
    return text


def array(data: bytes) -> str:
    return ", \n".join(", ".join(f"0x{code:02x}" for code in data[at : at + 8]) for at in range(0, len(data), 8))


STREAMS = {
    "hex": lambda items: (
        HEAD.format("hex") + "".join(pairs(data, "" if sent else "\t", "  ", 8) for _, sent, data in items)
    ),
    "window": lambda items: "".join(pairs(data, "" if sent else "    ", "  ", 8) for _, sent, data in items),
    "raw": lambda items: (
        HEAD.format("raw") + "".join(f"{'' if sent else chr(9)}{data.hex()}\n" for _, sent, data in items)
    ),
    "yaml": yaml,
    "arrays": lambda items: "".join(
        f"char peer{int(not sent)}_{number}[] = {{ /* Packet {number} */\n{array(data)} }};\n"
        for number, (_, sent, data) in enumerate(items)
    ),
}


@pytest.mark.parametrize("style", STREAMS)
def test_a_stream_that_is_followed_holds_its_messages(style):
    session = read_capture(STREAMS[style](conversation()).encode())
    frames = [event for event in session.events if isinstance(event, Frame)]
    expected = [event for event in EXPECTED.events if isinstance(event, Frame)]
    assert [(item.sent, item.size, item.message, item.audio) for item in frames] == [
        (item.sent, item.size, item.message, item.audio) for item in expected
    ]
    assert session.url == URL.replace("wss://api.cartesia.ai", session.url.split("/stt")[0])
    assert session.clock == ("client" if style == "yaml" else "none")


def test_a_stream_with_the_server_first_has_the_client_on_the_other_side():
    swapped = "".join(pairs(data, "    " if sent else "", "  ", 8) for _, sent, data in conversation())
    session = read_capture(swapped.encode())
    assert sum(isinstance(event, Frame) and event.sent for event in session.events) == sum(
        isinstance(event, Frame) and event.sent for event in EXPECTED.events
    )


def test_the_text_of_a_stream_is_refused_with_what_reads():
    text = HEAD.format("ascii") + "GET / HTTP/1.1\n"
    with pytest.raises(InputError, match=r"Wireshark.*; save it as YAML"):
        read_capture(text.encode())


@given(
    st.lists(
        st.sampled_from([b"0000  47 45 54 20", b"\t0x0000:  4500 0034", b"00000010: zz", b"", b"peers:", b"\x00"]),
        max_size=30,
    )
)
def test_whatever_looks_like_it_is_read_or_refused(lines):
    content = b"\n".join(lines) + b"\nx"
    holds_dump(content)
    with contextlib.suppress(InputError):
        read_capture(content)

"""Packets become the frames that were sent, whatever order and shape they were captured in."""

import random
import struct

import pytest
from captures import URL
from common import one_sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from wires import ACK, FIN, RST, Bytes, Tcp, answer, block, conversation, frame, pcap, pcapng, request

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Control, Frame, Open
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows

PLAIN = Tcp().open().say(conversation()).close().packets


def rows(capture):
    return list(write_rows(read_capture(capture)))


EXPECTED = rows(pcap(PLAIN))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("make", [pcap, pcapng])
def test_every_kind_of_file_reads_alike(make, order, nanoseconds):
    assert rows(make(PLAIN, order=order, nanoseconds=nanoseconds)) == EXPECTED


@pytest.mark.parametrize(
    ("link", "header"),
    [
        (1, bytes(12) + b"\x08\x00"),
        (1, bytes(12) + b"\x81\x00\x00\x05\x08\x00"),
        (113, bytes(14) + b"\x08\x00"),
        (276, b"\x08\x00" + bytes(18)),
        (0, b"\x02\x00\x00\x00"),
        (228, b""),
    ],
)
def test_every_link_layer_reads_alike(link, header):
    assert rows(pcap(PLAIN, link, header=header)) == EXPECTED


def as_ipv6(packet: bytes) -> bytes:
    """The segment of an IPv4 packet in one of IPv6, behind a header of options."""
    options = bytes([6, 0]) + bytes(6)
    head = struct.pack(">IHBB", 6 << 28, len(packet) - 20 + len(options), 0, 64)
    return head + packet[12:16] * 4 + packet[16:20] * 4 + options + packet[20:]


def test_ipv6_reads_alike():
    assert rows(pcap([(t, as_ipv6(packet)) for t, packet in PLAIN])) == EXPECTED


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3000), st.booleans())
def test_out_of_order_repeated_and_overlapping_segments_give_the_same_frames(seed, most, packed):
    rng = random.Random(seed)
    tcp = Tcp().open().say(conversation(packed), most)
    packets = tcp.packets[:]
    for place in rng.sample(range(4, len(packets)), min(20, len(packets) - 4)):
        t, packet = packets[place]
        if rng.random() < 0.5:
            packets.insert(rng.randrange(place, len(packets)), (t, packet))  # sent again
        elif len(packet) > 42:  # sent again with what stands before and behind: here from its middle on
            keep = rng.randrange(1, len(packet) - 40)
            sequence = int.from_bytes(packet[24:28]) + keep
            again = packet[:24] + struct.pack(">I", sequence % 2**32) + packet[28:40] + packet[40 + keep :]
            packets.insert(
                rng.randrange(place, len(packets)), (t, again[:2] + struct.pack(">H", len(again)) + again[4:])
            )
    for place in rng.sample(range(3, len(packets) - 3), min(10, len(packets) - 6)):
        packets[place], packets[place + 1] = packets[place + 1], packets[place]
    plain = read_capture(pcap(tcp.packets))
    mixed = read_capture(pcap(packets))
    assert mixed.damage.lines == 0
    assert contents(mixed, True) == contents(plain, True) and contents(mixed, False) == contents(plain, False)


def contents(session, sent):
    return [(e.audio, e.message) for e in session.events if isinstance(e, Frame) and e.sent == sent]


def test_a_connection_with_dropped_packets_is_read_up_to_the_hole():
    packets = [packet for number, packet in enumerate(PLAIN) if number != 20]
    session = read_capture(pcap(packets))
    assert "lacks packets" in session.damage.examples[-1][1] and {"close", "text"} <= session.lacks
    assert 5 < len(session.events) < 37


def test_packets_that_were_cut_are_told():
    whole = pcap(PLAIN)
    assert len(snapped(600)) < len(whole)
    session = read_capture(snapped(600))
    assert "-s 0" in session.damage.examples[-1][1] and [type(event) for event in session.events] == [Open, Frame]
    with pytest.raises(InputError, match="-s 0"):
        read_capture(snapped(100))


def snapped(most):
    """The capture with packets cut to a length."""
    out = [pcap([])]
    for packet in PLAIN:
        file = pcap([packet])[24:]
        out.append(file[:8] + struct.pack("<I", min(most, len(packet[1]))) + file[12 : 16 + most])
    return b"".join(out)


def test_a_file_that_ends_within_a_packet_keeps_what_there_is():
    session = read_capture(pcap(PLAIN)[:12_000])
    assert session.damage.lines and "close" in session.lacks and len(session.events) > 5


@pytest.mark.parametrize(("flags", "sent", "by"), [(FIN, True, "client"), (RST, False, "server")])
def test_a_connection_that_ends_without_a_close_frame_was_lost_by_who_ended_it(flags, sent, by):
    tcp = Tcp().open().say(conversation()[:-2])
    tcp.send(3.7, sent, flags=flags | ACK)
    last = read_capture(pcap(tcp.packets)).events[-1]
    assert isinstance(last, Close) and (last.by, last.code, last.t) == (by, 1006, 3.7)


def test_a_capture_that_ends_before_the_connection_lacks_the_close():
    assert read_capture(pcap(Tcp().open().say(conversation()[:-2]).packets)).lacks == {"close"}


def test_a_capture_without_the_handshake_of_tcp_is_read_from_the_request_on():
    assert rows(pcap(PLAIN[3:])) == EXPECTED


def test_encrypted_connections_say_how_to_decrypt(run):
    hello = [Bytes(t, sent, b"\x16\x03\x01" + data) for t, sent, data in conversation()]
    sentence = one_sentence(run("replay", "-", stdin=pcap(Tcp().open().say(hello).packets)))
    assert "encrypted connections only" in sentence and "tls.keylog_file" in sentence


def test_a_capture_without_a_websocket_says_when_to_begin():
    with pytest.raises(InputError, match="before the client connects"):
        read_capture(pcap(PLAIN[10:]))
    with pytest.raises(InputError, match="before the client connects"):
        read_capture(pcap([]))


def test_a_websocket_through_a_tunnel_of_a_proxy():
    tunnel = [Bytes(0, True, b"CONNECT a:80 HTTP/1.1\r\n\r\n"), Bytes(0, False, b"HTTP/1.1 200 Fine\r\n\r\n")]
    session = read_capture(pcap(Tcp().open().say([*tunnel, *conversation()]).packets))
    assert contents(session, True) == contents(read_capture(pcap(PLAIN)), True)


def test_a_request_to_a_proxy_names_the_host():
    whole = request().replace(b"GET /", b"GET http://b.example/")
    assert read_capture(pcap(Tcp().open().say([Bytes(0, True, whole)]).packets)).url.startswith("ws://b.example/stt")


def test_a_refused_handshake_has_its_status_and_text():
    refusal = answer("Content-Length: 22\r\n", "401 Unauthorized") + b"Invalid API key abc123"
    tcp = Tcp().open().say([Bytes(0, True, request()), Bytes(0.1, False, refusal)], 30).close()
    (opened,) = read_capture(pcap(tcp.packets)).events
    assert isinstance(opened, Open) and opened.status == 401 and opened.body.startswith("Invalid API key")
    assert "abc123" not in opened.body


def test_times_taken_beside_the_server_are_the_servers():
    tcp = Tcp()
    tcp.send(0.0, True, flags=2)
    tcp.send(0.0, False, flags=2 | ACK)
    tcp.send(0.04, True, flags=ACK)
    assert read_capture(pcap(tcp.say(conversation()).packets)).clock == "server"


def test_pings_are_control_events():
    items = [*conversation()[:5], Bytes(0.3, True, frame(True, 9, b"x")), Bytes(0.31, False, frame(False, 10, b"x"))]
    found = [e for e in read_capture(pcap(Tcp().open().say(items).packets)).events if isinstance(e, Control)]
    assert [(event.kind, event.sent) for event in found] == [("ping", True), ("pong", False)]


def test_fragments_are_one_message():
    parts = [frame(True, 2, b"ab", fin=False), frame(True, 0, b"cd", fin=False), frame(True, 0, b"")]
    items = [*conversation()[:2], *(Bytes(0.2, True, part) for part in parts)]
    assert contents(read_capture(pcap(Tcp().open().say(items).packets)), True) == [(b"abcd", None)]


def test_a_connection_seen_on_both_sides_of_a_proxy_is_one():
    later = [Bytes(t + 0.001 * (1 if sent else -1), sent, data) for t, sent, data in conversation(packed=True)]
    inner = Tcp(("10.0.0.2", 50001), ("10.0.0.7", 8080)).open(0.001).say(later)
    both = sorted([*PLAIN, *inner.packets], key=lambda item: item[0])
    assert read_capture(pcap(both)).url == URL.replace("wss:", "ws:")
    assert rows(pcap(both)) == EXPECTED


def test_other_blocks_of_a_file_are_passed():
    file = pcapng(PLAIN)
    first = len(block(0x0A0D0D0A, bytes(16)))
    assert rows(file[:first] + block(0xBAD, b"notes") + file[first:]) == EXPECTED


@pytest.mark.parametrize("tail", [b"\xff" * 40, block(6, struct.pack("<5I", 9, 0, 0, 0, 0)), block(1, b"")])
def test_damage_ends_the_reading_and_keeps_what_there_is(tail):
    session = read_capture(pcapng(PLAIN) + tail)
    assert session.damage.lines == 0 or session.damage.lines == 1
    assert len(session.events) == len(EXPECTED) - 1


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_behind_the_head_are_refused_or_read(content):
    for head in (pcap([]), pcapng([])):
        with pytest.raises(InputError):
            read_capture(head + content)

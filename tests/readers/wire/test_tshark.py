"""What tshark's JSON of packets tells."""

import json
import re

import pytest
import wires
from wires import Bytes, answer, conversation, request, tshark

from sttdoctor.errors import InputError
from sttdoctor.evidence import Control, Frame
from sttdoctor.readers.capture import read_capture

HEADS = [Bytes(0.0, True, request()), Bytes(0.05, False, answer())]


def packet(*layers, t=0.3):
    """A packet with these layers, pairs of a name and its fields; names may stand in it twice."""
    frame_ = {"frame.time_epoch": f"{wires.EPOCH + t}"}
    shown = [("frame", frame_), ("tcp", {"tcp.stream": "0"}), *layers]
    inner = ", ".join(f'"{name}": {json.dumps(fields)}' for name, fields in shown)
    return f'{{"_index": "packets-x", "_source": {{"layers": {{{inner}}}}}}}'.encode()


def with_packets(*packets):
    return read_capture(tshark(HEADS)[:-3] + b",\n" + b",\n".join(packets) + b"]")


def websocket(opcode, fin=1, rsv=0, length=2, mask=1):
    return "websocket", {
        "websocket.fin": str(fin),
        "websocket.rsv": hex(rsv),
        "websocket.opcode": str(opcode),
        "websocket.mask": str(mask),
        "websocket.payload_length": str(length),
    }


def sent(session):
    return [(event.size, event.audio) for event in session.events if isinstance(event, Frame)]


def test_two_frames_of_one_packet_are_two():
    data = ("data", {"data.data": "61:62"}), ("data", {"data.data": "63:64"})
    session = with_packets(packet(websocket(2), data[0], websocket(2), data[1]))
    assert sent(session) == [(2, b"ab"), (2, b"cd")]


def test_fragments_are_one_message_with_its_length_or_its_content():
    parts = [packet(websocket(2, fin=0, length=3)), packet(websocket(0, fin=0, length=4))]
    assert sent(with_packets(*parts, packet(websocket(0, length=0)))) == [(7, None)]
    whole = packet(websocket(0, length=1), ("data", {"data.data": "61:62:63"}))
    assert sent(with_packets(*parts, whole)) == [(3, b"abc")]


def test_fragments_of_a_packed_message_end_the_reading():
    session = with_packets(packet(websocket(2, fin=0, rsv=4)), packet(websocket(0), ("data", {"data.data": "61"})))
    assert "give the packet capture itself" in session.damage.examples[-1][1] and "close" in session.lacks


def test_without_the_handshake_there_is_no_address():
    session = read_capture(tshark(conversation()[2:]))
    assert session.url is None and "headers" in session.lacks and len(session.events) == 36


def test_a_refused_handshake():
    (opened,) = read_capture(tshark([HEADS[0], Bytes(0.1, False, answer(status="401 Unauthorized"))])).events
    assert opened.status == 401


def test_a_ping_is_a_control_event():
    session = with_packets(packet(websocket(9)), packet(websocket(10, mask=0)))
    found = [(event.kind, event.sent) for event in session.events if isinstance(event, Control)]
    assert found == [("ping", True), ("pong", False)]


def test_json_without_a_websocket_says_how_to_print_it():
    with pytest.raises(InputError, match=r"tshark -r FILE -Y 'http or websocket' -T json"):
        read_capture(b'[{"_index": "packets-x", "_source": {"layers": {"frame": {}}}}]')


def test_what_is_cut_keeps_what_there_is():
    whole = tshark(conversation())
    session = read_capture(whole[: len(whole) // 2])
    assert session.damage.lines == 1 and 5 < len(session.events) < 37


@pytest.mark.parametrize("value", [None, 3, [], "x", {"websocket.opcode": 2}, {"websocket.opcode": "x"}])
def test_layers_of_a_wrong_type_are_passed(value):
    assert len(with_packets(packet(("websocket", value), ("data", value), ("http", value))).events) <= 2


@pytest.mark.parametrize("dialect", [wires.tshark_bulk, wires.tshark_xml])
def test_two_frames_of_one_packet_are_two_in_every_dialect(dialect):
    data = ("data", {"data.data": "61:62"}), ("data", {"data.data": "63:64"})
    whole = tshark(HEADS)[:-3] + b",\n" + packet(websocket(2), data[0], websocket(2), data[1]) + b"]"
    assert sent(read_capture(dialect(whole))) == [(2, b"ab"), (2, b"cd")]


@pytest.mark.parametrize("dialect", [wires.tshark_bulk, wires.tshark_xml])
def test_what_is_cut_keeps_what_there_is_in_every_dialect(dialect):
    whole = dialect(tshark(conversation()))
    session = read_capture(whole[: len(whole) * 2 // 3])
    assert sum(isinstance(event, Frame) for event in session.events) > 5
    assert "close" in session.lacks


def test_no_entity_is_expanded():
    whole = wires.tshark_xml(tshark(conversation())).replace(b'show="https:', b'show="&b;https:')
    begin = whole.index(b"<pdml")
    bomb = b'<!DOCTYPE pdml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    assert "aaaa" not in repr(read_capture(whole[:begin] + bomb + whole[begin:]))
    with pytest.raises(InputError, match="holds no WebSocket"):
        read_capture(whole)


def test_a_value_of_xml_that_never_ends_is_not_held(monkeypatch):
    monkeypatch.setattr("sttdoctor.readers.wire.packet_lists.MAX_LINE_BYTES", 1 << 20)
    whole = wires.tshark_xml(tshark(conversation()))
    session = read_capture(
        whole.replace(b"</pdml>", b'<packet><proto name="' + b"a" * (3 << 20) + b'"/></packet></pdml>')
    )
    assert "MiB" in session.damage.examples[-1][1]


@pytest.mark.parametrize("coding", ["nonsense", "rot13", "utf-7", "shift_jis"])
def test_what_xml_says_of_its_encoding_does_not_matter(coding):
    whole = wires.tshark_xml(tshark(conversation()))
    told = re.sub(rb"<\?xml[^>]*\?>", f'<?xml version="1.0" encoding="{coding}"?>'.encode(), whole, count=1)
    assert read_capture(told).events == read_capture(whole).events


def test_a_document_type_behind_a_word_for_a_program_is_damage_and_expands_nothing():
    whole = wires.tshark_xml(tshark(conversation()))
    begin = whole.index(b"<pdml")
    bomb = b'<?x ><pdml ?><!DOCTYPE pdml [<!ENTITY a "aaaa">]>'
    with pytest.raises(InputError) as refused:
        read_capture(whole[:begin] + bomb + whole[begin:])
    assert "aaaa" not in str(refused.value)

"""Rows out of the bytes of both sides, and what a hostile one of them cannot do."""

import itertools

import pytest
from websockets.frames import Close, Frame, Opcode

from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.wire.http_head import MAX_HEAD_BYTES
from sttdoctor.readers.wire.tap import Room
from sttdoctor.record.journal import Journal, free_names
from sttdoctor.record.recording import Heading
from sttdoctor.record.session_writer import MAX_EARLY_BYTES, SessionWriter

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
HEADING = Heading("ws://127.0.0.1/stt/turns/websocket?model=ink-2", {}, "test", "proxy")


class Reading:
    """A connection that is read along, into a file."""

    def __init__(self, folder):
        self.told = []
        self.journal = Journal(HEADING, free_names(f"{folder}/s.jsonl"), self.told.append, began=100.0)
        self.along = SessionWriter(self.journal, self.told.append, Room())

    def events(self):
        self.along.end("client", 200.0)
        self.journal.end()
        return read_capture(str(self.journal.path)).events


def masked(opcode, payload):
    return Frame(opcode, payload).serialize(mask=True)


def test_times_are_those_of_the_bytes_and_not_of_the_reading(tmp_path):
    reading = Reading(tmp_path)
    reading.along.from_client(masked(Opcode.TEXT, b"early"), 101.0)
    reading.along.from_server(ANSWER, 102.0)
    reading.along.from_client(masked(Opcode.BINARY, b"\0\0"), 103.5)
    reading.along.from_server(Frame(Opcode.CLOSE, Close(1000, "").serialize()).serialize(mask=False), 104.0)
    assert [event.t for event in reading.events()] == [2.0, 2.0, 3.5, 4.0]


@pytest.mark.parametrize("pieces", [[7], [1, 100_000], [MAX_HEAD_BYTES]])
def test_an_answer_without_an_end_is_given_up(pieces, tmp_path):
    reading = Reading(tmp_path)
    for size in itertools.islice(itertools.cycle(pieces), MAX_HEAD_BYTES // min(pieces) + 2):
        reading.along.from_server(b"HTTP/1.1 101 x\r\na: " + b"b" * size, 101.0)
    reading.along.from_server(b"\r\n\r\n", 101.0)
    reading.along.from_client(bytes(1000), 101.0)
    assert reading.told == ["the answer to the handshake cannot be read: it has no end"]
    assert len(reading.along._answer) == len(reading.along._early) == 0
    assert [event.code for event in reading.events()] == [1006]


def test_an_answer_that_comes_byte_by_byte_is_searched_once(tmp_path):
    searched = 0

    class Counted(bytearray):
        def find(self, what, start=0):
            nonlocal searched
            searched += len(self) - start
            return super().find(what, start)

    reading = Reading(tmp_path)
    reading.along._answer = Counted()
    for byte in ANSWER[:-4] + b"\r\na: " + b"b" * 20_000:
        reading.along.from_server(bytes([byte]), 101.0)
    reading.events()
    assert searched < 5 * 21_000


def test_a_client_that_does_not_wait_for_the_answer_is_bounded(tmp_path):
    reading = Reading(tmp_path)
    for _ in range(3 * MAX_EARLY_BYTES // 100_000):
        reading.along.from_client(masked(Opcode.BINARY, bytes(100_000)), 101.0)
    assert len(reading.along._early) == 0
    reading.along.from_server(ANSWER + b"\x81\x02hi", 102.0)
    assert len(reading.told) == 1 and "not recorded" in reading.told[0]
    assert [getattr(event, "text", None) for event in reading.events()] == [None, "hi", None]


def test_a_long_reason_of_a_close_is_cut(tmp_path):
    reading = Reading(tmp_path)
    reading.along.from_server(ANSWER, 101.0)
    payload = (1000).to_bytes(2) + b"x" * 60_000
    reading.along.from_client(bytes([0x88, 126]) + len(payload).to_bytes(2) + payload, 102.0)
    close = reading.events()[-1]
    assert close.code == 1000 and close.reason == "x" * 123

import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Frame, Opcode

from sttdoctor.readers.frames import MAX_FRAME_BYTES
from sttdoctor.readers.wire.tap import Closing, Message, Room, Tap, inflater

payloads = st.one_of(
    st.binary(max_size=200),
    st.integers(65_500, 65_700).map(
        lambda size: random.Random(size).randbytes(size)
    ),  # on both sides of a longer header
)


def wire(opcode, payload, fin=True, mask=True, extensions=None):
    return Frame(opcode, payload, fin=fin).serialize(mask=mask, extensions=extensions)


def fed(tap, data, sizes):
    """Feed in pieces, as TCP delivers."""
    found, at = [], 0
    for size in sizes:
        found += tap.feed(data[at : at + size])
        at += size
    return found + tap.feed(data[at:])


@given(
    st.lists(st.tuples(st.booleans(), payloads, st.booleans()), max_size=8),
    st.lists(st.integers(0, 70_000), max_size=30),
)
def test_every_message_comes_out_whole_whatever_the_pieces(messages, sizes):
    opcodes = {True: Opcode.BINARY, False: Opcode.TEXT}
    data = b"".join(wire(opcodes[binary], payload, mask=mask) for binary, payload, mask in messages)
    assert fed(Tap(), data, sizes) == [Message(binary, payload, len(payload)) for binary, payload, _ in messages]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Opcode.BINARY, Opcode.TEXT, Opcode.CONT]),
            st.one_of(payloads, st.binary(min_size=120, max_size=1000)),
            st.booleans(),
            st.booleans(),
        ),
        max_size=8,
    ),
    st.integers(100, 70_000),
    st.lists(st.integers(0, 70_000), max_size=30),
)
def test_frames_read_one_by_one_are_the_same_as_in_any_pieces(frames, limit, sizes):
    wires = [wire(opcode, payload, fin, mask) for opcode, payload, fin, mask in frames]
    alone = Tap(limit=limit)
    expected = [item for data in wires for item in alone.feed(data)]
    assert fed(Tap(limit=limit), b"".join(wires), [1, *sizes]) == expected


@given(st.binary(max_size=300), st.sampled_from([b"\x82\xfe", b"\x82\x7e", b"\xc2\xfe", b"\x82\xff", b"\x02\xfe"]))
def test_bytes_that_are_nearly_a_frame_of_audio(rest, start):
    data = start + b"\x00" + rest
    assert Tap().feed(data) == fed(Tap(), data, [1])


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=6), st.lists(st.integers(0, 300), max_size=10))
def test_fragments_are_joined_and_pings_between_them_left_out(parts, sizes):
    data = b""
    for number, part in enumerate(parts):
        opcode = Opcode.BINARY if number == 0 else Opcode.CONT
        data += wire(opcode, part, fin=number == len(parts) - 1) + wire(Opcode.PING, b"ping")
    whole = b"".join(parts)
    assert fed(Tap(), data, sizes) == [Message(True, whole, len(whole))]


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=6), st.booleans())
def test_packed_messages_are_unpacked(payloads, keeps_context):
    packer = PerMessageDeflate(not keeps_context, not keeps_context, 15, 15)
    data = b"".join(wire(Opcode.BINARY, payload, extensions=[packer]) for payload in payloads)
    tap = Tap(inflater(keeps_context))
    assert tap.feed(data) == [Message(True, payload, len(payload)) for payload in payloads]


def test_a_bomb_is_not_unpacked_and_nothing_after_it_is_trusted():
    packer = zlib.compressobj(wbits=-15)
    bomb = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    inflate = inflater(True, limit=1 << 16)
    assert inflate(bomb[:-4]) is None
    assert inflate(b"\x02\x00") is None


def test_a_packed_message_without_an_agreement_keeps_its_size_only():
    packer = PerMessageDeflate(False, False, 15, 15)
    (message,) = Tap().feed(wire(Opcode.TEXT, b"words", extensions=[packer]))
    assert message.content is None and message.size > 0


@given(st.integers(101, 1000), st.lists(st.integers(0, 200), max_size=8), st.booleans())
def test_what_is_too_large_keeps_its_size_and_the_next_message_is_read(size, sizes, fragmented):
    tap = Tap(limit=100)
    if fragmented:
        data = wire(Opcode.BINARY, bytes(60), fin=False) + wire(Opcode.CONT, bytes(size - 60))
    else:
        data = wire(Opcode.BINARY, bytes(size))
    data += wire(Opcode.TEXT, b"next")
    assert fed(tap, data, sizes) == [Message(True, None, size), Message(False, b"next", 4)]
    assert len(tap._held) <= 100


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (Close(1001, "idle timeout").serialize(), Closing(1001, "idle timeout")),
        (b"", Closing(1005, "")),
        (b"\x03", Closing(1005, "")),
        (b"\x00\x05hm", Closing(5, "hm")),
        (b"\x03\xe8\xff", Closing(1000, "\ufffd")),
    ],
)
def test_close_frames(payload, expected):
    data = bytes([0x88, len(payload)]) + payload
    assert Tap().feed(data) == [expected]


@given(st.integers(0, 3000), st.lists(st.integers(0, 3000), max_size=8), st.booleans())
def test_a_text_beyond_its_own_bound_keeps_its_size(size, sizes, packs):
    extensions = [PerMessageDeflate(False, False, 15, 15)] if packs else None
    tap = Tap(inflater(True) if packs else None, text_limit=1000)
    data = wire(Opcode.TEXT, b"a" * size, extensions=extensions) + wire(Opcode.TEXT, b"next", extensions=extensions)
    text = b"a" * size if size <= 1000 else None
    assert fed(tap, data, sizes) == [Message(False, text, size), Message(False, b"next", 4)]


def test_a_packed_message_that_is_left_out_leaves_those_after_it_out():
    packer = PerMessageDeflate(False, False, 15, 15)
    payloads = [random.Random(1).randbytes(2000), random.Random(1).randbytes(500)]
    data = b"".join(wire(Opcode.BINARY, payload, extensions=[packer]) for payload in payloads)
    assert [message.content for message in Tap(inflater(True), limit=1000).feed(data)] == [None, None]


def test_empty_fragments_hold_nothing():
    tap = Tap()
    tap.feed(wire(Opcode.BINARY, b"", fin=False))
    empty = wire(Opcode.CONT, b"", fin=False, mask=False) * 10_000
    tracemalloc.start()
    for _ in range(10):
        tap.feed(empty)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 10_000
    assert tap.feed(wire(Opcode.CONT, b"end")) == [Message(True, b"end", 3)]


def test_messages_that_are_coming_share_a_room():
    """Of three large messages the one for which there is no more room keeps its size; all is given back."""
    room = Room(5 << 20)
    taps = [Tap(room=room) for _ in range(3)]
    datas = [wire(Opcode.BINARY, bytes([number]) * (2 << 20)) for number in range(3)]
    begun = [tap.feed(data[:-1]) for tap, data in zip(taps, datas, strict=True)]
    assert begun == [[], [], [Message(True, None, 2 << 20)]]
    kept = [tap.feed(data[-1:]) for tap, data in zip(taps, datas, strict=True)]
    assert [len(message.content) for message, *_ in kept[:2]] == [2 << 20] * 2 and kept[2] == []
    assert room.free == 5 << 20


@pytest.mark.parametrize("fragmented", [False, True])
def test_what_is_given_up_is_skipped_to_its_end(fragmented):
    tap = Tap(room=Room(1 << 20))
    if fragmented:
        data = wire(Opcode.BINARY, bytes(1_500_000), fin=False) + wire(Opcode.CONT, bytes(500_000))
    else:
        data = wire(Opcode.BINARY, bytes(2_000_000))
    found = fed(tap, data + wire(Opcode.TEXT, b"next"), [100_000] * 20)
    assert found == [Message(True, None, 2_000_000), Message(False, b"next", 4)]


def test_closing_gives_the_room_back():
    room = Room()
    tap, before = Tap(room=room), room.free
    tap.feed(wire(Opcode.BINARY, bytes(100_000))[:-1])
    assert room.free < before
    tap.close()
    assert room.free == before


def test_a_length_that_no_frame_has_is_no_size():
    (message,) = Tap(limit=1000).feed(b"\x82\x7f" + b"\xff" * 8)
    assert message.size == MAX_FRAME_BYTES


@given(st.binary(max_size=2000), st.lists(st.integers(0, 100), max_size=10))
def test_junk_never_raises(data, sizes):
    fed(Tap(inflater(True), limit=1000), data, sizes)


def test_a_byte_at_a_time():
    data = wire(Opcode.BINARY, random.Random(1).randbytes(70_000)) + wire(Opcode.CLOSE, Close(1000, "").serialize())
    assert [type(item) for item in fed(Tap(), data, [1] * 70_100)] == [Message, Closing]

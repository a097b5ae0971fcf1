"""The log of tungstenite at TRACE, as its source prints frames."""

import contextlib
import json

import pytest
from captures import EVENTS
from dresses import DRESSES, each, iso
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Control, Frame
from sttdoctor.readers.capture import read_capture

AUDIO = bytes(range(256))
DONE = (0.0, "DEBUG tungstenite::handshake::client: Client handshake done.")


def frame(t, way, opcode, payload, final=True, digits="02x"):
    rows = (
        f"TRACE tungstenite::protocol::frame: {way} frame ",
        "<FRAME>",
        f"final: {str(final).lower()}",
        "reserved: false false false",
        f"opcode: {opcode}",
        f"length: {len(payload) + 2}",
        f"payload length: {len(payload)}",
        f"payload: 0x{''.join(format(byte, digits) for byte in payload)}",
        "            ",
    )
    return t, "\n".join(rows)


def lines(digits="02x"):
    texts = [json.dumps(event).encode() for event in EVENTS]
    found = [DONE, frame(0.1, "writing", "BINARY", AUDIO, digits=digits)]
    found += [frame(1.0 + number, "received", "TEXT", text, digits=digits) for number, text in enumerate(texts)]
    found += [frame(6.0, "writing", "TEXT", b'{"type":"close"}', digits=digits)]
    found += [frame(6.1, "received", "PING", b"", digits=digits)]
    return [*found, frame(6.2, "received", "CLOSE", b"\x03\xe8", digits=digits)]


def plain(found):
    return each(lambda t, message: f"{iso(t)}Z {message}")(found)


@pytest.mark.parametrize("digits", ["02x", "x"])
def test_frames_of_both_directions_and_the_close(digits):
    session = read_capture(plain(lines(digits)))
    frames = [event for event in session.events if isinstance(event, Frame)]
    assert [item.message for item in frames[1:-1]] == list(EVENTS) and frames[-1].message == {"type": "close"}
    assert (frames[0].sent, frames[0].size, frames[0].audio) == (True, 256, AUDIO if digits == "02x" else None)
    assert ("audio" in session.lacks) == (digits == "x") and "headers" in session.lacks
    assert isinstance(session.events[-1], Close) and (session.events[-1].by, session.events[-1].code) == (
        "server",
        1000,
    )
    assert any(isinstance(event, Control) for event in session.events) and session.damage.lines == 0
    assert (session.clock, session.client) == ("client", "tungstenite")


@pytest.mark.parametrize(
    "name", [name for name in DRESSES if name != "behind" and name != "keys" and "utf" not in name]
)
def test_it_says_the_same_in_every_dress(name):
    session, bare = read_capture(DRESSES[name](lines())), read_capture(plain(lines()))
    shown = [[(type(event), getattr(event, "audio", None)) for event in item.events] for item in (session, bare)]
    assert shown[0] == shown[1]


def test_fragments_are_one_message():
    parts = frame(1.0, "writing", "BINARY", b"ab", final=False), frame(1.1, "writing", "CONTINUE", b"cd")
    (event,) = read_capture(plain([DONE, *parts])).events
    assert isinstance(event, Frame) and event.audio == b"abcd"


def test_on_the_side_of_a_server_what_is_written_is_received():
    done = (0.0, DONE[1].replace("Client", "Server"))
    (event,) = read_capture(plain([done, frame(1.0, "writing", "TEXT", b"{}")])).events
    assert isinstance(event, Frame) and not event.sent


def test_a_frame_without_its_payload_is_counted():
    cut = frame(1.0, "writing", "TEXT", b"{}")[1].split("payload length")[0]
    session = read_capture(plain([DONE, (1.0, cut + "\n".join(["x"] * 20)), frame(2.0, "writing", "TEXT", b"{}")]))
    assert session.damage.lines == 1 and len(session.events) == 1


def test_no_key_comes_out():
    session = read_capture(plain([DONE, frame(1.0, "writing", "TEXT", b'{"api_key": "sk_car_canary"}')]))
    assert "canary" not in repr(session)


@given(st.integers(0, 4000), st.binary(max_size=30), st.integers(0, 60))
def test_damage_costs_what_it_hits(place, junk, lost):
    log = plain(lines())
    with contextlib.suppress(InputError):
        session = read_capture(log[:place] + junk + log[place + lost :])
        assert sum(isinstance(event, Frame) for event in session.events) <= 6

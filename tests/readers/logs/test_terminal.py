"""Lines that a terminal wrapped are those that were printed, whatever printed them."""

import pytest
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import BARE, PRINTS, RECEIVED, STAMPS, print_session

import sttdoctor
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.logs.pieces import Piece
from sttdoctor.readers.logs.terminal import wraps_in

SESSIONS = {
    name: read_capture(FIXTURES / "sessions" / f"{name}.jsonl") for name in ("healthy-several-turns", "healthy-jitter")
}
DRESSES = {**PRINTS, **BARE}


def wrapped(log, width, trims=False, end="\n"):
    rows = [line[begin : begin + width] for line in log for begin in range(0, len(line), width)]
    return end.join(row.rstrip(" ") if trims else row for row in rows).encode()


def lines_of(session, dress="json", stamp="logging", **shown):
    return print_session(session, DRESSES[dress], STAMPS[stamp], url=True, sends=True, **shown).decode().splitlines()


def unwrapped(text):
    pieces = [Piece(number, line) for number, line in enumerate(text.split(b"\n"), start=1)]
    layer = wraps_in(pieces)
    return None if layer is None else [piece.text.decode() for piece in layer(iter(pieces))]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("width", [80, 121])
def test_a_wrapped_log_is_whole_again(stamp, width, end):
    log = lines_of(SESSIONS["healthy-jitter"], stamp=stamp)
    assert unwrapped(wrapped(log, width, end=end)) == log


def test_spaces_that_a_copy_left_out_at_the_width_are_back():
    log = [*lines_of(SESSIONS["healthy-jitter"]), f"2026-09-21 14:13:29,900 INFO app - {'word ' * 30}end"]
    width = log[-1].index(" word", 80) + 1
    cut = wrapped(log, width, trims=True)
    assert cut != wrapped(log, width) and unwrapped(cut) == log


def test_columns_are_characters_and_not_bytes():
    log = [line.replace("a", "ä") for line in lines_of(SESSIONS["healthy-jitter"])]
    assert unwrapped(wrapped(log, 90)) == log


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("dress", DRESSES)
def test_a_log_that_was_not_wrapped_is_left_alone(dress, stamp):
    log = lines_of(SESSIONS["healthy-jitter"], dress, stamp, commands=True, close=True)
    assert unwrapped("\n".join(log).encode()) in (None, log)


def test_rows_of_one_width_are_no_wrapped_line():
    rows = [f"{place:08x}  " + " ".join(f"{(place + n) % 256:02x}" for n in range(16)) for place in range(0, 512, 16)]
    assert unwrapped("\n".join(rows).encode()) is None


def test_where_one_line_alone_was_cut_a_text_is_compared_up_to_there():
    log = [
        "12:00:00.000 listening",
        "12:00:01.000 recv {Type:turn.end RequestId:1a2b3c4d Transcript:ask what you can do",
        "for}",
    ]
    assert unwrapped("\n".join(log).encode())[-1].endswith("do***for}")


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(sorted(SESSIONS)),
    st.sampled_from(sorted(DRESSES)),
    st.sampled_from(sorted(STAMPS)),
    st.sampled_from(RECEIVED),
    st.integers(80, 200),
    st.booleans(),
)
def test_a_healthy_session_stays_healthy_where_a_terminal_wrapped_it(name, dress, stamp, before, width, trims):
    session = SESSIONS[name]
    log = print_session(session, DRESSES[dress], STAMPS[stamp], before, url=True, sends=True, commands=True, close=True)
    report = sttdoctor.replay(wrapped(log.decode().splitlines(), width, trims), transcript=session.transcript.text)
    assert not [cause for check in report.checks for cause in check.findings if cause.status in ("warn", "fail")]


@given(st.lists(st.binary(max_size=60), max_size=40))
def test_whatever_lines_there_are_no_byte_of_them_is_lost(lines):
    text = b"\n".join(lines)
    told = unwrapped(text) if b"\xff" not in text and text.isascii() else None
    if told is not None:
        assert "".join(told).replace(" ", "").replace("***", "").count("a") == text.count(b"a")

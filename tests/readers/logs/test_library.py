import re

import captures
import pytest
from captures import websockets_log
from hypothesis import given
from hypothesis import strategies as st

from sttdoctor.errors import InputError
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.logs.library import shape_of, stamp_of_clock
from sttdoctor.readers.session_jsonl import write_rows

PREFIXES = [
    "2026-09-21 {clock} websockets.client DEBUG ",
    "{clock} ",
    "[2026-09-21T{clock}+00:00] DEBUG:websockets.client:",
    "Sep 21 {clock} host app[12]: ",
    "\x1b[36m2026-09-21 {clock}\x1b[0m DEBUG    protocol.py:176 ",
    "z\u00fcrich {clock} ",
    "[14:13:20] DEBUG ",
    "",
]


def both_ways(data: bytes) -> tuple[list[str], list[str]]:
    """What is read with the shapes of lines, and without."""
    quick = list(write_rows(read_capture(data)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sttdoctor.readers.logs.library._MAX_SHAPES", 0)
        return quick, list(write_rows(read_capture(data)))


@pytest.mark.parametrize("limit", [75, 100_000])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_lines_taken_by_their_shape_give_what_they_give_one_by_one(prefix, limit):
    quick, thorough = both_ways(websockets_log(prefix, limit))
    assert quick == thorough


@given(
    st.sampled_from(PREFIXES),
    st.lists(
        st.sampled_from(
            [
                "> BINARY 00 01 ... 02 [3200 bytes]",
                "> BINARY 00 01 [2 bytes]",
                "> BINARY 00 01 [2 bytes, continued]",
                "> CONT 02 [binary, 1 byte]",
                '< TEXT \'{"type": "turn.start"}\' [22 bytes]',
                "< TEXT 'x > TEXT y [3 bytes]' [20 bytes]",
                "> TEXT '\x1b[0m' [4 bytes]",
                "< PING '' [0 bytes]",
                "> BINARY 00 [text, 1 byte]",
                "> GET / HTTP/1.1",
                "= connection is CLOSED",
                "> BINARY 00 [1 bytes] ",
            ]
        ),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.integers(0, 200_000), min_size=12, max_size=12),
)
def test_any_order_of_lines_gives_the_same_both_ways(prefix, lines, times):
    stamped = [prefix.replace("{clock}", captures.clock(t / 4)) + line for line, t in zip(lines, times, strict=False)]
    data = "".join(f"{line}\n" for line in ["> BINARY 00 [1 bytes]", *stamped]).encode()
    try:
        quick, thorough = both_ways(data)
    except InputError:
        return
    assert quick == thorough


@pytest.mark.parametrize("prefix", ["", "DEBUG ", "[14:13:20] ", "\u00fc 14:13:20,5 "])
def test_a_prefix_without_a_fraction_or_beyond_ascii_has_no_shape(prefix):
    assert shape_of(prefix) is None


@pytest.mark.parametrize("clock", [b"2026-13-21 14:13:20", b"aa:bb:cc", b"1790000000", b"\xff\xff:00:00"])
def test_what_stands_where_the_time_was_may_be_none(clock):
    assert stamp_of_clock(clock) is None


def test_a_shape_knows_its_logger_and_how_fine_its_times_are():
    shape = shape_of("14:13:20.250 websockets.server ")
    assert (shape.logger, shape.per_second, shape.resolution) == (("server", ""), 1000, 0.001)
    found = shape.pattern.fullmatch(b"14:13:21.5 websockets.server > TEXT '' [0 bytes]")
    assert found is None and isinstance(shape.pattern, re.Pattern)


def test_the_list_of_containers_above_a_log_names_no_columns():
    log = websockets_log()
    read, plain = (read_capture(head + log) for head in (b"Attaching to stt-1, redis-1\n", b""))
    assert [event.t for event in read.events] == [event.t for event in plain.events]
    assert plain.clock == read.clock == "client"

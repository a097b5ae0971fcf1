"""What a flow file of mitmproxy tells."""

import io

import pytest
import wires
from captures import EPOCH
from hypothesis import given
from hypothesis import strategies as st
from wires import flow, tnetstring

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.mitmproxy import DamagedError, OddValueError, Tnetstrings


def read(**changes):
    return read_capture(tnetstring(flow(**changes)))


def test_other_flows_in_the_file_do_not_count():
    other = tnetstring(flow(websocket=None, request={"headers": [], "path": b"/", "host": "a"}))
    assert len(read_capture(other + wires.FORMATS["flow"] + other).events) == len(read().events)
    with pytest.raises(InputError, match=r"holds no WebSocket; .*mitmdump --mode"):
        read_capture(other)


def test_several_sockets_are_listed_and_one_is_chosen():
    other = [[2, True, bytes(800), EPOCH + number, False, False] for number in range(4)]
    both = wires.FORMATS["flow"] + tnetstring(flow(websocket={"messages": other, "close_code": 1000}))
    with pytest.raises(InputError, match=r"holds 2 connections; .*1: wss://api.cartesia.ai"):
        read_capture(both)
    assert len(read_capture(both, 2).events) == 6 and len(read_capture(both, 1).events) == len(read().events)


def test_a_refused_handshake_has_its_status_and_text():
    response = {"status_code": 401, "headers": [], "content": b"Invalid API key abc123", "timestamp_end": EPOCH + 1}
    (opened,) = read(websocket=None, response=response).events
    assert (opened.status, opened.t) == (401, 1.0) and "abc123" not in opened.body


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        ({"close_code": 1011, "close_reason": "token=geheim", "closed_by_client": False}, ("server", 1011)),
        ({"close_code": 1000, "closed_by_client": True}, ("client", 1000)),
        ({"close_code": None, "closed_by_client": None}, ("unknown", 1006)),
    ],
)
def test_the_close_says_who_and_why(closing, expected):
    last = read(websocket={"messages": [], "timestamp_end": EPOCH + 2, **closing}).events[-1]
    assert isinstance(last, Close) and (last.by, last.code) == expected and "geheim" not in last.reason


def test_a_flow_that_was_saved_while_it_ran_lacks_the_close():
    session = read(websocket={"messages": [], "timestamp_end": None, "close_code": None})
    assert session.lacks == {"close"}


def test_a_file_that_ends_early_keeps_what_there_is():
    session = read_capture(wires.FORMATS["flow"][:9000])
    assert session.damage.lines and {"close", "text"} <= session.lacks
    assert sum(isinstance(event, Frame) for event in session.events) == 12


@pytest.mark.parametrize("message", [None, [], [2, True], [2, True, None, 0.0, False, False], [2] * 30])
def test_a_message_that_is_none_is_damage(message):
    good = [2, True, b"ab", EPOCH, False, False]
    session = read(websocket={"messages": [good, message, good]})
    assert session.damage.lines == 1 and sum(isinstance(event, Frame) for event in session.events) == 2


@pytest.mark.parametrize("time", [None, "x", -1.0, 1e300, True])
def test_a_time_that_is_none_leaves_the_message(time):
    session = read(
        websocket={"messages": [[2, True, b"ab", EPOCH, False, False], [2, True, b"ab", time, False, False]]}
    )
    assert [event.t for event in session.events if isinstance(event, Frame)] == [0.0, None]


def test_a_request_of_another_time_does_not_move_the_messages():
    session = read(request=flow()["request"] | {"timestamp_start": 1.0})
    assert session.events[0].t == 0.0 and session.damage.lines == 1


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(codec="utf-8")) | st.binary(),
    lambda items: st.lists(items, max_size=5) | st.dictionaries(st.text("abc", max_size=4), items, max_size=4),
    max_leaves=12,
)


def over(content: bytes) -> Tnetstrings:
    return Tnetstrings(io.BufferedReader(io.BytesIO(content)))


@given(st.lists(values, max_size=4))
def test_values_one_behind_the_other_come_back(items):
    strings = over(b"".join(map(tnetstring, items)))
    found = []
    while not strings.is_done:
        found.append(strings.value())
    assert found == items


def test_a_dictionary_is_walked_through_and_a_null_is_an_empty_one():
    strings = over(tnetstring({"a": [1, 2.5], "b": b"x", "c": None}) + b"0:~")
    found = {}
    for key in strings.members():
        found[key] = [strings.value() for _ in strings.elements()] if key == "a" else strings.skip()
    assert found == {"a": [1, 2.5], "b": None, "c": None}
    assert list(strings.members()) == [] and strings.is_done


@pytest.mark.parametrize("content", [b"", b"x:1,", b"5:ab,", b"-1:a,", b"9999999999999:", b"3:abc", b":,", b"1"])
def test_what_is_no_tnetstring_is_damage(content):
    with pytest.raises(DamagedError):
        over(content).value()


@pytest.mark.parametrize("content", [b"3:abc#", b"3:inf^", b"3:abc?", b"4:9:a,]", tnetstring([0] * 9)])
def test_a_value_that_cannot_be_used_is_passed(content):
    strings = over(content + b"1:7#")
    with pytest.raises((OddValueError, DamagedError)):
        strings.value(parts=5)
    assert strings.value() == 7


def test_values_nested_deep_are_refused_without_recursion():
    nested = b"0:]"
    for _ in range(3000):
        nested = b"%d:%b]" % (len(nested), nested)
    with pytest.raises(OddValueError):
        over(nested).value()


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_damage(content):
    strings = over(content)
    try:
        while not strings.is_done:
            strings.value()
    except (DamagedError, OddValueError):
        pass

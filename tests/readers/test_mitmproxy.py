"""What a flow file of mitmproxy tells."""

import pytest
import wires
from captures import EPOCH
from wires import flow, tnetstring

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame
from sttdoctor.readers import read_capture


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

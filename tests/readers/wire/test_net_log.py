"""What a net log of Chromium tells."""

import json

import pytest
from wires import Bytes, answer, conversation, frame, net_log, request

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close
from sttdoctor.readers.capture import read_capture


def test_a_log_without_bytes_says_which_setting_gives_them():
    with pytest.raises(InputError, match=r"holds no bytes of a WebSocket; .*--net-log-capture-mode=Everything"):
        read_capture(net_log(conversation(), whole=False))


def test_a_socket_that_ends_without_a_close_frame_was_lost():
    last = read_capture(net_log(conversation()[:-2])).events[-1]
    assert isinstance(last, Close) and (last.by, last.code, last.t) == ("unknown", 1006, 3.7)


def test_a_log_that_ends_before_the_socket_lacks_the_close():
    assert read_capture(net_log(conversation()[:-2], ends=False)).lacks == {"close"}


def test_a_log_that_is_cut_keeps_what_there_is():
    log = net_log(conversation())
    session = read_capture(log[: len(log) * 2 // 3])
    assert session.damage.lines == 1 and 10 < len(session.events) < 37 and {"close", "text"} <= session.lacks


def test_of_tls_the_decrypted_bytes_count():
    log = json.loads(net_log(conversation(), secure=True))
    raw = json.loads(net_log([Bytes(t, sent, b"\x16\x03\x01" + data) for t, sent, data in conversation()]))
    log["events"] += raw["events"]
    session = read_capture(json.dumps(log).encode())
    assert session.url.startswith("wss://") and session.damage.lines == 0


def test_other_requests_of_the_browser_do_not_count():
    page = [Bytes(0, True, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Bytes(0, False, b"HTTP/1.1 200 OK\r\n\r\nhello")]
    with pytest.raises(InputError, match="no bytes of a WebSocket"):
        read_capture(net_log(page))


def test_bytes_that_are_no_base64_end_the_connection():
    log = json.loads(net_log(conversation()))
    log["events"][20]["params"]["bytes"] = "%"
    session = read_capture(json.dumps(log).encode())
    assert session.damage.examples[-1][1] == "bytes that are not base64" and "close" in session.lacks


def test_a_key_in_the_request_does_not_come_out():
    url = "ws://a/stt/turns/websocket?api_key=geheim"
    session = read_capture(net_log([Bytes(0, True, request(url, {"Host": "a", "X-API-Key": "geheim"}))]))
    assert "geheim" not in repr(session) and session.url.endswith("api_key=REDACTED")


def test_a_value_of_the_address_ends_where_the_service_lets_it_end():
    url = "ws://a/stt/turns/websocket?access_token=abc\u0085geheim&model=ink-2"
    head = request(url, {"Host": "a"}).decode().encode("latin-1")
    session = read_capture(net_log([Bytes(0, True, head)]))
    assert session.url == "ws://a/stt/turns/websocket?access_token=REDACTED&model=ink-2"


@pytest.mark.parametrize("sent", [True, False])
def test_a_ping_is_a_control_event(sent):
    items = [Bytes(0, True, request()), Bytes(0.1, False, answer()), Bytes(0.2, sent, frame(sent, 9, b"x"))]
    event = read_capture(net_log(items)).events[-2]
    assert (event.kind, event.sent, event.t) == ("ping", sent, 0.2)

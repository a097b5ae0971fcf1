"""What a HAR tells, and what one of a browser cannot."""

import json

import captures
import pytest
from captures import URL, har

import sttdoctor
from sttdoctor.errors import InputError
from sttdoctor.evidence import Close
from sttdoctor.readers.capture import read_capture


@pytest.mark.parametrize(
    "entries", [[], [{"request": {"url": "https://a/"}}], [{"_resourceType": "websocket", "request": {"url": URL}}]]
)
def test_a_har_without_frames_says_how_to_get_one(entries):
    with pytest.raises(InputError, match=r"no WebSocket messages; export it with Chrome.*hardump"):
        read_capture(json.dumps({"log": {"entries": entries}}).encode())


def test_a_refused_handshake_is_evidence_without_frames():
    archive = har()
    entry = archive["log"]["entries"][0]
    del entry["_webSocketMessages"]
    entry["response"] = {"status": 429, "headers": [], "content": {"text": "too many, token=geheim"}}
    session = read_capture(json.dumps(archive).encode())
    assert session.events[0].status == 429 and session.events[0].body == "too many, token=REDACTED"
    assert sttdoctor.replay(json.dumps(archive).encode()).diagnoses[0].cause == "server.concurrency"


def test_a_browsers_har_without_a_key_proves_nothing_about_the_key():
    archive = har(headers={"Host": "a"})
    archive["log"]["entries"][0]["response"] = {"status": 401, "headers": []}
    del archive["log"]["entries"][0]["_webSocketMessages"]
    session = read_capture(json.dumps(archive).encode())
    assert "headers" in session.lacks and session.headers == {}


def test_an_error_message_of_a_har_is_a_lost_connection():
    archive = har()
    archive["log"]["entries"][0]["_webSocketMessages"].append(
        {"type": "error", "time": captures.EPOCH + 4, "opcode": -1, "data": "net::ERR_CONNECTION_RESET token=geheim"}
    )
    last = read_capture(json.dumps(archive).encode()).events[-1]
    assert isinstance(last, Close) and last.code == 1006 and last.reason.endswith("token=REDACTED")


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ("Error during WebSocket handshake: Unexpected response code: 403", 403),
        ("HTTP Authentication failed; no valid credentials available", 401),
    ],
)
def test_chrome_tells_a_refused_handshake_in_an_error_message_only(says, status):
    archive = har(headers={})
    entry = archive["log"]["entries"][0]
    entry["response"] = {"status": 0, "headers": []}
    entry["_webSocketMessages"] = [{"type": "error", "time": captures.EPOCH + 0.2, "opcode": -1, "data": says}]
    assert read_capture(json.dumps(archive).encode()).events[0].status == status
    found = sttdoctor.replay(json.dumps(archive).encode()).diagnoses
    assert "connection.bad-auth" in [diagnosis.cause for diagnosis in found]
    entry["response"]["status"] = status
    assert len(read_capture(json.dumps(archive).encode()).events) == 1  # once, though two places tell it


def test_chrome_has_no_wall_clock_for_a_socket_that_never_connected():
    archive = har()
    entry = archive["log"]["entries"][0]
    entry["startedDateTime"] = "1969-12-31T23:59:59.000Z"
    entry["_webSocketMessages"] = [
        {"type": "error", "time": 2731.7, "opcode": -1, "data": "net::ERR_CONNECTION_REFUSED"}
    ]
    session = read_capture(json.dumps(archive).encode())
    assert session.started_at is None and session.events[-1].t == 0


@pytest.mark.parametrize(
    ("told", "code", "reason", "t"),
    [
        ({"code": 1011, "reason": "token=geheim", "timestamp": captures.EPOCH + 5}, 1011, "token=REDACTED", 5.0),
        ({"code": 1000, "reason": 7, "timestamp": 12.5}, 1000, "", None),  # a clock that is not the messages'
        ({}, None, "", None),
        ("aborted", 1006, "", None),
    ],
)
def test_the_close_is_read_where_a_har_has_one(told, code, reason, t):
    archive = har()
    archive["log"]["entries"][0]["_webSocketClose"] = told
    session = read_capture(json.dumps(archive).encode())
    last = session.events[-1]
    assert isinstance(last, Close) and "close" not in session.lacks
    assert (last.by, last.code, last.reason, last.t) == ("unknown", code, reason, t)


@pytest.mark.parametrize("told", [None, 7, "open", []])
def test_what_tells_no_close_is_none(told):
    archive = har()
    archive["log"]["entries"][0]["_webSocketClose"] = told
    assert "close" in read_capture(json.dumps(archive).encode()).lacks


def test_a_trace_without_snapshots_says_how_to_get_one_with_them():
    row = {"type": "resource-snapshot", "snapshot": {"request": {"url": URL}, "response": {"status": 101}}}
    with pytest.raises(InputError, match=r"snapshots: true"):
        read_capture(json.dumps(row, separators=(",", ":")).encode())

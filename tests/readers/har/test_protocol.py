"""Events of the DevTools protocol: what a browser told the program that drove it."""

import json

import pytest
from captures import EPOCH, FORMATS
from devtools import FORMS, event, events, frame, lines
from hypothesis import given, settings
from hypothesis import strategies as st

import sttdoctor
from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame, Open
from sttdoctor.readers.capture import read_capture

CANARY = "sk_car_canary_0123456789abcdef"


def frames(session):
    return [
        (event.sent, event.audio, event.message, event.text) for event in session.events if isinstance(event, Frame)
    ]


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_what_the_har_of_the_session_gives(form):
    session, har = read_capture(FORMS[form](events())), read_capture(FORMATS["chrome"])
    assert frames(session) == frames(har)
    assert [e.t for e in session.events[1:-1]] == pytest.approx([e.t for e in har.events[1:]], abs=1e-5)
    assert (session.url, session.headers, session.started_at[:19]) == (har.url, har.headers, har.started_at[:19])
    assert (session.clock, session.source) == ("client", "events of the DevTools protocol")
    assert session.events[0] == Open(session.events[0].line, None, 101, {"server": "x"})


def test_the_close_has_a_time_and_no_code():
    last = read_capture(lines(events())).events[-1]
    assert isinstance(last, Close) and (last.by, last.code, last.t) == ("unknown", None, pytest.approx(3.6, abs=1e-5))


def test_a_session_that_begins_before_the_events_has_the_times_of_the_browser():
    session = read_capture(lines(events()[4:]))
    assert session.events[0].t == 0 and len(frames(session)) == len(frames(read_capture(FORMATS["chrome"])))
    assert session.started_at is None and session.url is None and "headers" in session.lacks


def test_a_lost_connection_ends_once():
    lost = event("FrameError", 3.55, errorMessage="net::ERR_CONNECTION_RESET")
    closes = [e for e in read_capture(lines([*events()[:-1], lost, events()[-1]])).events if isinstance(e, Close)]
    assert [close.code for close in closes] == [1006]


def test_a_refused_handshake_is_told():
    refused = event("FrameError", 0.1, errorMessage="Error during WebSocket handshake: Unexpected response code: 429")
    data = lines([*events()[:3], refused, event("Closed", 0.2)])
    assert read_capture(data).events[0].status == 429
    assert sttdoctor.replay(data).diagnoses[0].cause == "server.concurrency"


def test_of_several_sockets_the_service_is_judged():
    other = json.loads(lines(events()).decode().replace("1420.1", "1420.2").replace("\n", ",")[:-1].join("[]"))
    for item in other:
        if "url" in item["params"]:
            item["params"]["url"] = "wss://example.com/hot-reload"
    assert len(read_capture(lines([*other, *events()])).events) == len(read_capture(lines(events())).events)


def test_events_without_a_socket_say_how_to_get_some():
    with pytest.raises(InputError, match=r"of no WebSocket; .*goog:loggingPrefs"):
        read_capture(lines(events()[:1]))


def test_an_event_that_is_cut_is_counted():
    text = FORMS["puppeteer"](events()).decode().split("\n")
    text[4 + 3 * 9] = text[4 + 3 * 9][:200] + "'... 4000 more characters"
    session = read_capture("\n".join(text).encode())
    assert session.damage.lines == 1 and len(frames(session)) == len(frames(read_capture(FORMATS["chrome"]))) - 1


@pytest.mark.parametrize("form", FORMS)
def test_no_key_comes_out(form):
    asked = event("WillSendHandshakeRequest", 0.0, wallTime=EPOCH, request={"headers": {"X-API-Key": CANARY}})
    created = event("Created", 0.0, url=f"wss://api.cartesia.ai/stt/turns/websocket?api_key={CANARY}")
    answered = event("HandshakeResponseReceived", 0.0, response={"status": 101, "headers": {"Set-Cookie": CANARY}})
    lost = event("FrameError", 3.0, errorMessage=f"token={CANARY}")
    said = frame(0.1, False, json.dumps({"type": "error", "message": f"Invalid API key {CANARY}"}))
    session = read_capture(FORMS[form]([created, asked, answered, said, lost]))
    assert len(session.events) == 3 and CANARY not in repr(session)


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, {"a": 1}, {"message": {"message": {}}}, 1e400, -1, True])
def test_parts_of_an_event_may_be_anything(value):
    whole = events()
    for name in ("params", "method"):
        survive([*whole[:9], {**whole[9], name: value}, *whole[9:], value])
    for number in (1, 2, 3, 4, -1):
        for key in whole[number]["params"]:
            changed = {**whole[number], "params": {**whole[number]["params"], key: value}}
            survive([*whole[:number], changed, *whole[4:][:3]])


def survive(found):
    for form in ("lines", "list", "puppeteer"):
        try:
            read_capture(FORMS[form](found))
        except InputError:
            continue


WHOLE = {form: make(events()) for form, make in FORMS.items()}


@settings(max_examples=60)
@given(st.sampled_from(sorted(FORMS)), st.integers(0, 1 << 20), st.binary(max_size=12), st.integers(0, 40))
def test_damage_costs_little(form, place, junk, lost):
    data = WHOLE[form]
    place %= len(data)
    try:
        read_capture(data[:place] + junk + data[place + lost :])
    except InputError:
        return

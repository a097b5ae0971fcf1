"""Messages with their ways, by the names that recorders and clients for trying things out give them."""

import base64
import io
import json
from dataclasses import replace

import pytest
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st

import sttdoctor
from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.exchange import holds_exchange, read_exchange
from sttdoctor.readers.formats import FORMATS

EPOCH = 1_790_000_000
SESSION = read_capture(FIXTURES / "sessions" / "healthy-several-turns.jsonl")
TURNS = [event for event in SESSION.events if isinstance(event, Frame | Close)]


def _text(frame):
    return json.dumps(frame.message)


def _ms(frame):
    return (EPOCH + frame.t) * 1000


def _base64(content):
    return base64.b64encode(content).decode()


# fmt: off
FORMS = {
    "sizes": (
        lambda f: {"ts": EPOCH + f.t, "dir": "out", "type": "binary", "size": f.size},
        lambda f: {"ts": EPOCH + f.t, "dir": "out" if f.sent else "in", "type": "text", "data": _text(f)},
    ),
    "base64": (
        lambda f: {"t": f.t, "direction": "send", "opcode": 2, "payload": _base64(f.audio)},
        lambda f: {"t": f.t, "direction": "send" if f.sent else "recv", "opcode": 1, "payload": _text(f)},
    ),
    "base64 without a kind": (
        lambda f: {"time": round(f.t * 1000), "from": "client", "message": _base64(f.audio)},
        lambda f: {"time": round(f.t * 1000), "from": "client" if f.sent else "server", "message": f.message},
    ),
    "Node's buffers": (
        lambda f: {"timestamp": _ms(f), "direction": "OUTGOING", "data": {"type": "Buffer", "data": list(f.audio)}},
        lambda f: {"timestamp": _ms(f), "direction": "OUTGOING" if f.sent else "INCOMING", "data": _text(f)},
    ),
    "hexadecimal": (
        lambda f: {"at": EPOCH + f.t, "from_client": True, "binary": True, "raw": f.audio.hex()},
        lambda f: {"at": EPOCH + f.t, "from_client": f.sent, "binary": False, "raw": _text(f)},
    ),
    "words for the size": (
        lambda f: {"ts": EPOCH + f.t, "way": ">", "kind": "bin", "content": f"<{f.size} bytes>"},
        lambda f: {"ts": EPOCH + f.t, "way": ">" if f.sent else "<", "kind": "text", "content": _text(f)},
    ),
}
# fmt: on
KEEPS_AUDIO = ("base64", "base64 without a kind", "Node's buffers", "hexadecimal")


END = '{"type":"turn.end","transcript":"a"}'


def recorded(form, events=TURNS, **more):
    audio, text = FORMS[form]
    rows = [(audio if event.binary else text)(event) for event in events if isinstance(event, Frame)]
    closes = [{"type": "close", "code": event.code, "reason": ""} for event in events if isinstance(event, Close)]
    return [{"type": "connect", "url": SESSION.url, **more}, *rows, *closes]


def lines(records):
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


@pytest.mark.parametrize("form", FORMS)
def test_every_message_is_read_whatever_its_members_are_called(form):
    session = read_capture(lines(recorded(form)))
    frames = [event for event in session.events if isinstance(event, Frame)]
    whole = [event for event in TURNS if isinstance(event, Frame)]
    assert [(f.sent, f.binary, f.message) for f in frames] == [(f.sent, f.binary, f.message) for f in whole]
    assert [f.size for f in frames if f.binary] == [f.size for f in whole if f.binary]
    assert [f.t - frames[0].t for f in frames] == pytest.approx([f.t - whole[0].t for f in whole], abs=0.002)
    if form in KEEPS_AUDIO:
        assert [f.audio for f in frames if f.binary] == [f.audio for f in whole if f.binary]
    assert ("audio" in session.lacks) is (form not in KEEPS_AUDIO)
    assert session.url == SESSION.url and not {"send", "commands", "close"} & session.lacks


@pytest.mark.parametrize("form", ["sizes", "base64"])
def test_a_healthy_session_is_accused_of_nothing(form):
    report = sttdoctor.replay(lines(recorded(form)), transcript=SESSION.transcript.text)
    assert not report.diagnoses and not any(check.crashed for check in report.checks)
    assert {check.id: check.status for check in report.checks}["pacing"] == "pass"


@pytest.mark.parametrize("dress", [lambda rows: rows, lambda rows: {"url": SESSION.url, "frames": rows[1:]}])
def test_a_list_is_read_as_lines_are(dress):
    whole, by_lines = (
        read_capture(given)
        for given in (json.dumps(dress(recorded("base64")), indent=1).encode(), lines(recorded("base64")))
    )
    assert [replace(event, line=0) for event in whole.events] == [replace(event, line=0) for event in by_lines.events]
    assert whole.url == SESSION.url


def test_what_the_client_said_is_missing_where_no_text_of_its_is_kept():
    heard = [event for event in TURNS if isinstance(event, Frame) and (event.binary or not event.sent)]
    session = read_capture(lines(recorded("sizes", heard)))
    assert {"commands", "close", "audio"} <= session.lacks and "send" not in session.lacks


def test_sockets_are_told_apart_by_their_names():
    ours = [{**record, "socket": "stt"} for record in recorded("base64")]
    other = [{"type": "connect", "url": "wss://tts.example.com/", "socket": "tts"}]
    other += [{"t": 1.0, "direction": "send", "opcode": 1, "payload": "hello", "socket": "tts"}]
    session = read_capture(lines(ours[:9] + other + ours[9:]))
    assert session.url == SESSION.url and "hello" not in repr(session.events)


def test_pings_and_the_close_are_told_by_their_opcodes():
    rows = [*recorded("base64")[:-1], {"t": 9.3, "direction": "recv", "opcode": 9, "payload": "x"}]
    rows.append({"t": 9.5, "direction": "recv", "opcode": 8, "code": 1008, "reason": "quota"})
    session = read_capture(lines(rows))
    assert session.events[-2].kind == "ping"
    assert (session.events[-1].by, session.events[-1].code, session.events[-1].reason) == ("server", 1008, "quota")


def test_no_key_comes_out():
    rows = recorded("base64", headers={"X-API-Key": "sk_car_canary_1234567890"})
    rows[0]["url"] += "&api_key=sk_car_canary_1234567890"
    rows.append({"t": 9.0, "direction": "send", "opcode": 1, "payload": '{"api_key":"sk_car_canary_1234567890"}'})
    rows.append({"t": 9.1, "type": "close", "code": 1008, "reason": "bad key sk_car_canary_1234567890"})
    assert "canary" not in repr(read_capture(lines(rows)))


@pytest.mark.parametrize(
    "records",
    [
        [{"level": 20, "dir": "in", "msg": END}, {"level": 20, "dir": "out", "size": 9}],
        [{"direction": "in", "data": END}],
        [{"dir": "out", "size": 3200}, {"dir": "in", "data": "hello"}],
        [{"type": "turn.end", "transcript": "a"}, {"type": "close"}],
    ],
    ids=["a logger's", "one way", "no event", "no way"],
)  # fmt: skip
def test_other_records_are_for_other_readers(records):
    assert not holds_exchange(lines(records))


def test_session_jsonl_stays_what_it_is():
    head = (FIXTURES / "sessions" / "healthy-several-turns.jsonl").read_bytes()[: 1 << 16]
    assert next(form for form in FORMATS if form.holds(head)).label == "session JSONL"
    body = head.partition(b"\n")[2]  # the first line is lost
    assert next(form for form in FORMATS if form.holds(body)).label == "session JSONL"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
KEYS = st.sampled_from(["type", "data", "t"])
VALUES = st.recursive(
    SCALARS | st.sampled_from(["out", "in", "text", "turn.end"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    ["dir", "type", "opcode", "data", "t", "size", "code", "url", "headers", "conn", "binary", "status"]
)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=6) | VALUES, max_size=5))
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_a_record_it_is_read_or_refused_in_a_sentence(records):
    whole = lines([*recorded("sizes")[:12], *records])
    assert holds_exchange(whole)
    session = read_capture(whole)
    assert all(isinstance(line, int) for line, _ in session.damage.examples)
    with pytest.raises(InputError):
        read_exchange(io.BufferedReader(io.BytesIO(b"[]")))


def test_audio_that_fills_the_beginning_before_anybody_is_heard_is_enough_to_tell():
    rows = [json.dumps({"t": 0.1 * i, "dir": "out", "data": _base64(bytes(range(200)) * 16)}) for i in range(40)]
    assert holds_exchange("\n".join(rows).encode())
    assert not holds_exchange("\n".join(rows[:3]).encode())


def test_audio_alone_is_no_sign_where_bytes_came_in_which_the_service_never_sends():
    content = lines([{"ts": n, "direction": ("in", "out")[n % 2], "payload": "0a1b" * 100} for n in range(40)])
    assert not holds_exchange(content)
    assert holds_exchange(content.replace(b'"in"', b'"out"'))


@pytest.mark.parametrize("swap", [("+/", "+/"), ("+/", "-_")])
def test_base64_without_padding_is_read_whole(swap):
    audio = bytes(range(256)) * 12 + b"\xfb\xff\xfe\x01"
    sent = _base64(audio).rstrip("=").translate(str.maketrans(*swap))
    rows = [{"t": 0.1 * i, "dir": "out", "opcode": 2, "data": sent} for i in range(12)]
    rows.append({"t": 2.0, "dir": "in", "opcode": 1, "data": json.dumps({"type": "connected", "request_id": "r"})})
    session = read_exchange(io.BufferedReader(io.BytesIO("\n".join(map(json.dumps, rows)).encode())))
    assert {event.audio for event in session.events if isinstance(event, Frame) and event.sent} == {audio}


def test_a_binary_message_of_which_nothing_was_kept_is_damage_and_no_empty_frame():
    rows = [{"t": 0.1 * i, "dir": "out", "opcode": 2, "data": "<binary>"} for i in range(5)]
    rows.append({"t": 2.0, "dir": "in", "opcode": 1, "data": json.dumps({"type": "connected", "request_id": "r"})})
    session = read_exchange(io.BufferedReader(io.BytesIO("\n".join(map(json.dumps, rows)).encode())))
    assert not [event for event in session.events if isinstance(event, Frame) and event.sent]
    assert session.damage.lines == 5


@pytest.mark.parametrize("form", KEEPS_AUDIO)
def test_a_row_that_it_was_opened_makes_no_session_jsonl_of_it(form):
    opened = {"type": "open", "t": EPOCH, "status": 101, "url": SESSION.url}
    session = read_capture(lines([opened, *recorded(form)[1:]]))
    assert session.source == "messages that a program recorded"
    assert len([event for event in session.events if isinstance(event, Frame)]) == len(TURNS) - 1

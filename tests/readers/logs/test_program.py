"""The log of a program that prints the events it receives."""

import html
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from captures import EVENTS, ID, URL
from common import FIXTURES
from dresses import DRESSES
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import BARE, PRINTS, RECEIVED, STAMPS, print_session

import sttdoctor
from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Frame, Open
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows

SESSIONS = {path.name.partition(".")[0]: path for path in sorted((FIXTURES / "sessions").iterdir())}
HEALTHY = [name for name in SESSIONS if name.startswith("healthy-")]


def lines(*pairs):
    return "".join(f"2026-09-21 14:13:{20 + t:06.3f} {text}\n" for t, text in pairs).encode()


def frames(session):
    return [event for event in session.events if isinstance(event, Frame)]


def received(session):
    return [frame.message for frame in frames(session) if not frame.sent]


def verdicts(report):
    return {check.id: (check.status, [finding.cause for finding in check.findings]) for check in report.checks}


def causes(report):
    return [diagnosis.cause for diagnosis in report.diagnoses]


def told(*events, prefix="got "):
    return [(float(number), prefix + json.dumps(event)) for number, event in enumerate(events)]


TALK = (
    {"type": "connected", "request_id": ID},
    {"type": "turn.start", "request_id": ID},
    {"type": "turn.update", "request_id": ID, "transcript": 'Well, it\'s "me"'},
    {"type": "turn.eager_end", "request_id": ID, "transcript": 'Well, it\'s "me"'},
    {"type": "turn.resume", "request_id": ID},
    {"type": "turn.update", "request_id": ID, "transcript": 'Well, it\'s "me", caf\u00e9 (2): yes'},
    {"type": "turn.end", "request_id": ID, "transcript": 'Well, it\'s "me", caf\u00e9 (2): yes.'},
    {"type": "turn.start", "request_id": ID},
    {"type": "turn.end", "request_id": ID, "transcript": " Bye {} then: 10:30."},
)


@pytest.mark.parametrize("stamp", STAMPS)
@pytest.mark.parametrize("dress", PRINTS)
def test_whole_events_are_read_as_they_came_however_they_are_printed(dress, stamp):
    rows = [{"type": "receive", "t": number / 4, "json": event} for number, event in enumerate(TALK)]
    session = read_capture("".join(f"{json.dumps(row)}\n" for row in rows).encode())
    read = read_capture(print_session(session, PRINTS[dress], STAMPS[stamp], "recv: "))
    assert received(read) == list(TALK)
    times = [frame.t for frame in frames(read)]
    if stamp == "none":
        assert read.clock == "none"
    else:
        assert [t - times[0] for t in times] == pytest.approx([number / 4 for number in range(len(TALK))], abs=0.002)


@pytest.mark.parametrize("dress", BARE)
def test_types_and_texts_alone_are_read_too(dress):
    rows = [{"type": "receive", "t": number / 4, "json": event} for number, event in enumerate(TALK)]
    session = read_capture("".join(f"{json.dumps(row)}\n" for row in rows).encode())
    read = read_capture(print_session(session, BARE[dress], STAMPS["iso"]))
    texts = [event.get("transcript") for event in TALK[1:]]
    assert [message.get("transcript") for message in received(read)] == texts


# fmt: off
SAMPLES = {
    "Firefox": 'Received: Object {{ type: "{0}", request_id: "r1", transcript: "Hello, (you)" }} app.js:31:13',
    "Chrome": "app.js:31 Received: {{type: '{0}', request_id: 'r1', transcript: 'Hello, (you)'}}",
    "a browser's event": 'MessageEvent {{isTrusted: true, data: \'{{"type":"{0}","transcript":"Hello, (you)"}}\', x: null, …}}',  # noqa: E501
    "Swift's message": '2026-11-30 09:22:15.1+0100 App[1:2] string("{{\\"type\\":\\"{0}\\",\\"transcript\\":\\"Hello, (you)\\"}}")',  # noqa: E501
    "Go with types": '2026/11/30 09:22:15 &main.Event{{Type:"{0}", RequestID:"r1", Transcript:"Hello, (you)"}}',
    "slog": 'time=2026-11-30T09:22:15.123Z level=INFO msg="ws event" type={0} transcript="Hello, (you)"',
    "C#": "09:22:15.12 TurnEvent {{ Type = {0}, RequestId = r1, Transcript = Hello, (you) }}",
    "Ruby": '{{"type"=>"{0}", "request_id"=>"r1", "transcript"=>"Hello, (you)"}}',
    "symbols of Ruby": '{{:type=>"{0}", :request_id=>"r1", :transcript=>"Hello, (you)"}}',
    "PHP": 'array(2) {{\n  ["type"]=>\n  string(8) "{0}"\n  ["transcript"]=>\n  string(12) "Hello, (you)"\n}}',
    "Elixir": '%{{"type" => "{0}", "transcript" => "Hello, (you)"}}',
    "aiohttp's message": 'WSMessage(type=<WSMsgType.TEXT: 1>, data=\'{{"type":"{0}","transcript":"Hello, (you)"}}\', extra=\'\')',  # noqa: E501
    "events of a server": 'event: message\ndata: {{"type":"{0}","transcript":"Hello, (you)"}}\n',
    "colours": "\x1b[32m{{ type: \x1b[32m'{0}'\x1b[39m, transcript: \x1b[32m'Hello, (you)'\x1b[39m }}\x1b[0m",
    "Swift's dictionary": '[AnyHashable("type"): {0}, AnyHashable("transcript"): Hello, (you), AnyHashable("request_id"): r1]',  # noqa: E501
    "Erlang": '#{{<<"type">> => <<"{0}">>,<<"transcript">> => <<"Hello, (you)">>}}',
    ".NET's JSON": '{{"Type":"{0}","RequestId":"r1","Transcript":"Hello, (you)"}}',
    "camel case": '{{"eventType":"{0}","requestId":"r1","transcript":"Hello, (you)"}}',
    "AM and PM": '[11/30/2026, 9:22:15 AM] {{"type":"{0}","transcript":"Hello, (you)"}}',
}
# fmt: on


@pytest.mark.parametrize("name", SAMPLES)
def test_other_forms_of_an_event(name):
    kinds = ("turn.update", "turn.eager_end", "turn.end")
    session = read_capture("".join(SAMPLES[name].format(kind) + "\n" for kind in kinds).encode())
    assert [(message["type"], message["transcript"]) for message in received(session)] == [
        (kind, "Hello, (you)") for kind in kinds
    ]


@pytest.mark.parametrize(
    "form",
    [
        "TurnEnd(requestId=r1, transcript={0})",
        "Received TurnEnd[requestId=r1, transcript={0}]",
        "TurnEnd {{ RequestId = r1, Transcript = {0} }}",
        "TurnEnd(transcript={0}, requestId=r1)",
        "{{type: turn.end, transcript: {0}}}",
    ],
)
def test_spaces_of_a_text_without_quotes_are_its_own(form):
    texts = ["Hello.", " Could you?", "  Two", "Bye, all"]
    session = read_capture(lines((0.0, URL), *((1.0 + n, form.format(text)) for n, text in enumerate(texts))))
    assert [message["transcript"] for message in received(session)] == texts


def test_a_counted_text_may_have_quotes_in_it():
    said = 'Say "caf\u00e9", please'
    size = len(said.encode())
    form = f'array(2) {{\n  ["type"]=>\n  string(8) "turn.end"\n  ["transcript"]=>\n  string({size}) "{said}"\n}}'
    session = read_capture(lines((0.0, URL), (1.0, form)))
    assert [message["transcript"] for message in received(session)] == [said]


@pytest.mark.parametrize("text", ["***", "My number is ****", "I am [NAME_1].", "<42 chars>", "[redacted]"])
def test_a_masked_text_is_missing(text):
    session = read_capture(lines(*told(*EVENTS[:-1], {**EVENTS[-1], "transcript": text})))
    assert "text" in session.lacks and frames(session)[-1].elided
    assert (
        causes(sttdoctor.replay(lines(*told(*EVENTS[:-1], {**EVENTS[-1], "transcript": text})), transcript="x")) == []
    )


@pytest.mark.parametrize("text", ["Well... I...", " okay\u2026", "It is [A] or <b>", "5 * 3 ** 2 #1"])
def test_a_short_text_may_end_in_dots_and_have_signs_in_it(text):
    session = read_capture(lines(*told(*EVENTS[:-1], {**EVENTS[-1], "transcript": text})))
    assert received(session)[-1]["transcript"] == text


def test_an_error_is_read_where_it_is_all_that_was_received():
    error = {"type": "error", "title": "Not found", "message": "no such model", "status_code": 400}
    report = sttdoctor.replay(lines((0.0, f"connecting to {URL}"), *told({**error, "error_code": "model_not_found"})))
    assert "server.error-event" in [finding.cause for check in report.checks for finding in check.findings]


@pytest.mark.parametrize(
    "above", ["{0} info: App.Stt.Client[0]\n      {1}", "Nov 22, 2026 10:00:{2} AM app.Stt onText\nINFO: {1}"]
)
def test_a_time_in_the_line_above_is_the_messages(above):
    shown = [(f"2026-11-22 10:00:{n:02}.500", json.dumps(event), f"{n:02}") for n, event in enumerate(EVENTS)]
    session = read_capture("".join(above.format(*item) + "\n" for item in shown).encode())
    times = [frame.t for frame in frames(session)]
    assert times == pytest.approx([times[0] + n for n in range(len(EVENTS))])


def test_an_indented_object_with_a_list_is_read_event_by_event():
    rows = [{"t": number + 0.25, "data": event} for number, event in enumerate(EVENTS)]
    content = json.dumps({"session": "abc", "events": rows, "note": "x"}, indent=2)
    session = read_capture(content.encode())
    assert [frame.t for frame in frames(session)] == pytest.approx(list(range(len(EVENTS))))


def test_an_id_that_is_cut_at_the_end_of_a_line_is_of_no_other_connection():
    name = "2ff8af53-9d1e-4c1a-8f6e-0b7f3d1f2a10"
    whole = lines(*told(*({**event, "request_id": name} for event in EVENTS))).decode().splitlines()
    copied = [line[place : place + 80] for line in whole for place in range(0, len(line), 80)]
    assert len(received(read_capture("\n".join(copied).encode()))) == len(EVENTS)


def test_escapes_of_any_language_are_taken_back():
    said = [f'{number}. café 😀 "x" it\'s\n' for number in range(5)]
    wholes = [{"type": "turn.end", "transcript": text} for text in said]
    texts = [json.dumps(whole) for whole in wholes]
    forms = (texts[0], repr(texts[1]), repr(texts[2].encode()), json.dumps(texts[3]), repr(wholes[4]))
    session = read_capture("".join(f"got {form}\n" for form in forms).encode())
    assert [message["transcript"] for message in received(session)] == said


def test_texts_of_the_manual_endpoint_are_read():
    url = URL.replace("/turns", "")
    texts = [{"type": "transcript", "request_id": ID, "text": text, "is_final": True} for text in ("Hello", " there.")]
    session = read_capture(lines((0.0, url), *told(*texts), (3.0, "sent finalize"), (4.0, "closed code=1000")))
    assert [frame.text for frame in frames(session) if frame.sent] == ["finalize"]
    assert causes(sttdoctor.replay(lines((0.0, url), *told(*texts)), transcript="Hello there.")) == []


def test_what_was_said_long_before_the_first_event_is_of_something_else():
    early = [(number / 10, "sent 800 bytes") for number in range(30)]
    session = read_capture(lines(*early, *((25 + t, text) for t, text in told(*EVENTS))))
    assert not any(frame.sent for frame in frames(session))


@pytest.mark.parametrize("dress", DRESSES)
def test_it_is_read_in_what_stands_round_it(dress):
    read = read_capture(DRESSES[dress](told(*EVENTS)))
    assert received(read) == list(EVENTS) and read.clock == "client"


RECORDS = {
    "bare": lambda _, event: event,
    "beside members of the record": lambda t, event: {"level": "info", "ts": 1790000000 + t, **event},
    "as the message": lambda t, event: (
        {"timestamp": f"2026-09-21T14:13:{20 + t:06.3f}Z", "event": event["type"]}
        | {key: value for key, value in event.items() if key != "type"}
    ),
    "in a member": lambda t, event: {"received_at": 1790000000 + t, "direction": "in", "data": event},
    "as text in a member": lambda t, event: {"t": t + 0.25, "dir": "recv", "payload": json.dumps(event)},
}


@pytest.mark.parametrize("is_list", [False, True], ids=["lines", "list"])
@pytest.mark.parametrize("record", RECORDS)
def test_events_in_a_file_of_json(record, is_list):
    made = [RECORDS[record](t + 0.5, event) for t, event in enumerate(EVENTS)]
    content = json.dumps(made, indent=1) if is_list else "\n".join(map(json.dumps, made))
    read = read_capture(content.encode())
    assert [message["type"] for message in received(read)] == [event["type"] for event in EVENTS]
    assert received(read)[-1]["transcript"] == EVENTS[-1]["transcript"]
    assert (read.clock == "none") == (record == "bare")


def test_what_a_log_does_not_show_is_lacking():
    session = read_capture(lines(*told(*EVENTS)))
    assert session.lacks == {"send", "audio", "headers", "close", "commands"}
    assert session.events[0].status == 101 and session.source == "log of a program"


def test_the_address_the_command_and_the_close_are_taken_from_lines_that_tell_them():
    said = [(0.0, f"connecting to {URL}"), *told(*EVENTS), (3.5, '>> {"type": "close"}'), (4.0, "ws closed 1000")]
    session = read_capture(lines(*said))
    assert session.url == URL and session.lacks == {"send", "audio", "headers"}
    assert session.events[-1] == Close(session.events[-1].line, 4.0, "unknown", 1000)
    assert [frame.message for frame in frames(session) if frame.sent] == [{"type": "close"}]


@pytest.mark.parametrize(
    ("line", "close"),
    [
        ("closed: code=1006 reason=", ("unknown", 1006, "")),
        ("onclose 1011 internal error", ("unknown", 1011, "")),
        (
            "CloseEvent {isTrusted: true, wasClean: true, code: 1001, reason: 'bye', type: 'close'}",
            ("unknown", 1001, "bye"),
        ),
        ("websockets.exceptions.ConnectionClosedError: no close frame received or sent", ("unknown", 1006, "")),
        ("received 1011 (internal error) oops; then sent 1011 (internal error) oops", ("server", 1011, "oops")),
        ("sent 1000 (OK); then received 1000 (OK)", ("client", 1000, "")),
        ("websocket: close 1006 (abnormal closure): unexpected EOF", ("unknown", 1006, "")),
    ],
)
def test_how_a_connection_closed_is_taken_from_its_line(line, close):
    last = read_capture(lines(*told(*EVENTS), (5.0, line))).events[-1]
    assert (last.by, last.code, last.reason) == close


@pytest.mark.parametrize(
    "line", ["closing", "closed 1000 files", "disconnecting from wss://api.cartesia.ai", "file closed"]
)
def test_a_line_without_a_code_closes_nothing(line):
    session = read_capture(lines(*told(*EVENTS), (5.0, line)))
    assert "close" in session.lacks or line.startswith("closed 1000")


@pytest.mark.parametrize(
    "send",
    [
        "sent {0} bytes",
        "sending chunk {1}: {0} bytes",
        "-> audio {0} B",
        "send_audio len={0}",
        "sent {0}",
        "wrote {0} bytes",
    ],
)
def test_lines_that_say_how_much_was_sent_are_its_audio(send):
    audio = [(0.1 * number, send.format(1600 + number % 3, number)) for number in range(40)]
    session = read_capture(lines((0.0, URL), *sorted([*audio, *told(*EVENTS)])))
    assert [frame.size for frame in frames(session) if frame.sent] == [1600 + number % 3 for number in range(40)]
    assert session.lacks == {"audio", "headers", "close", "commands"}


@pytest.mark.parametrize("half", [True, False])
def test_sizes_have_the_time_of_their_own_line_however_alike_the_lines_are(half):
    def clock(second):
        return f"{11 + second // 3600 if half else 23 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}"

    starts = [f"{clock(3580 + n)}" + (" AM" if half and n < 20 else " PM" if half else "") for n in range(40)]
    starts = [start.replace("24:", "00:") for start in starts]
    shown = [f"{start} sent 16000 bytes" for start in starts]
    shown[20:20] = [f"{starts[20]} got {json.dumps(event)}" for event in EVENTS]
    session = read_capture((f"{starts[0]} connecting to {URL}\n" + "\n".join(shown) + "\n").encode())
    assert [frame.t for frame in frames(session) if frame.sent] == pytest.approx(list(range(40)))


@pytest.mark.parametrize(
    ("send", "every"),
    [
        ("sent chunk {1}: 800 bytes", 10),
        ("sent 800 bytes", 20),
        ("sent {2} bytes", 1),
        ("sent 800 bytes in all", 1),
        ("received 800 bytes", 1),
    ],
    ids=["counted", "rare", "sums", "in words", "received"],
)
def test_lines_that_do_not_tell_all_that_was_sent_tell_none_of_it(send, every):
    numbers = range(0, 400, every)
    audio = [(0.1 * number, send.format(0, number, 800 * (number + 1))) for number in numbers]
    session = read_capture(lines((0.0, URL), *sorted([*audio, *told(*EVENTS)])))
    assert "send" in session.lacks and not any(frame.sent for frame in frames(session))


def test_lines_of_audio_that_end_before_the_last_turn_are_a_part_of_it():
    audio = [(0.1 * number, "sent 800 bytes") for number in range(20)]
    late = [(20.0 + t, text) for t, text in told(*EVENTS[1:])]
    assert "send" in read_capture(lines((0.0, URL), *audio, *late)).lacks


@pytest.mark.parametrize("kinds", [("turn.end",), ("turn.start", "turn.update"), ("turn.update", "turn.end")])
def test_kinds_of_events_that_are_not_printed_are_lacking_and_not_missed(kinds):
    session = read_capture(SESSIONS["healthy-several-turns"])
    log = print_session(session, PRINTS["json"], STAMPS["iso"], kinds=kinds, close=True, url=True)
    report = sttdoctor.replay(log, transcript=session.transcript.text)
    assert "events" in read_capture(log).lacks
    assert verdicts(report)["turns"] == verdicts(report)["drain"] == ("unknown", [])


def test_a_text_without_its_end_is_elided():
    whole = lines(*told(*EVENTS))
    cut = whole.replace(b"enough to be elided by the library.", b"...").replace(b'..."}', b"")
    session = read_capture(cut)
    assert "text" in session.lacks and frames(session)[-1].elided


def test_connections_are_told_apart_by_their_requests():
    first, second = (told(*({**event, "request_id": name} for event in EVENTS)) for name in "ab")
    mixed = sorted([*first, *((t + 0.5, text) for t, text in second)])
    with pytest.raises(InputError, match="holds 2 connections"):
        read_capture(lines(*mixed))
    assert {message["request_id"] for message in received(read_capture(lines(*mixed), 2))} == {"b"}


def test_a_reconnect_is_one_session():
    first, second = (told(*({**event, "request_id": name} for event in EVENTS)) for name in "ab")
    session = read_capture(lines(*first, *((t + 6, text) for t, text in second)))
    assert [event.status for event in session.events if isinstance(event, Open)] == [101, 101]
    report = sttdoctor.replay(lines(*first, *((t + 6, text) for t, text in second)))
    assert not any(check.crashed for check in report.checks)


@pytest.mark.parametrize(
    "refused",
    [
        "websockets.exceptions.InvalidStatus: server rejected WebSocket connection: HTTP 401",
        "Error: Unexpected server response: 401",
        "aiohttp.client_exceptions.WSServerHandshakeError: 401, message='Invalid response status'",
        "websocket._exceptions.WebSocketBadStatusException: Handshake status 401 Unauthorized",
    ],
)
def test_a_refused_handshake_is_taken_from_the_error_of_the_library(refused):
    report = sttdoctor.replay(lines((0.0, f"connecting to {URL}"), (0.3, refused)))
    assert "connection.bad-auth" in causes(report) or "connection.rejected" in causes(report)


def test_an_error_event_is_one_also_where_the_capture_shows_nothing_else_of_the_server():
    error = {"type": "error", "title": "Oops", "message": "it failed", "status_code": 500, "request_id": ID}
    assert "server.error-event" in causes(sttdoctor.replay(lines(*told(EVENTS[0], error))))


NOT_OURS = {
    "another vendor": [{"type": "Results", "is_final": True}, {"type": "UtteranceEnd"}] * 5,
    "an agent": [{"type": "turn.started", "id": 1}, {"type": "turn.completed", "usage": {}}] * 5,
    "a browser": [{"type": "error", "isTrusted": True}, {"type": "close", "code": 1000}] * 5,
    "Twilio": [{"event": "connected", "protocol": "Call"}, {"event": "media", "media": {}}] * 5,
    "a transcript of another": [{"type": "transcript", "text": "a", "is_final": True}] * 5,
    "one event": [{"type": "turn.update", "transcript": "Hello"}],
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_other_logs_are_no_capture(name):
    with pytest.raises(InputError):
        read_capture(lines(*told(*NOT_OURS[name])))


def test_talk_about_events_is_none():
    code = 'if event.type == "turn.end":\n    text += event.transcript  # turn.update holds it too\n' * 20
    with pytest.raises(InputError):
        read_capture(code.encode())


def test_a_frame_log_wins_over_what_the_program_prints_beside_it():
    frame = 'websockets.client DEBUG < TEXT \'{"type":"connected"}\' [20 bytes]'
    session = read_capture(lines((0.0, frame), *told(*EVENTS)))
    assert session.source.startswith("websockets")


def test_keys_do_not_come_out():
    key = "sk_car_" + "a1B2" * 6
    said = [(0.0, f"connecting to {URL}&api_key={key}"), (0.1, f"sending {json.dumps({'type': 'config', 'key': key})}")]
    session = read_capture(
        lines(*said, *told(*EVENTS, {"type": "error", "title": "x", "message": key, "status_code": 1}))
    )
    assert key not in repr(session) and len(frames(session)) == len(EVENTS) + 2


def test_what_is_read_is_written_and_read_again():
    session = read_capture(lines((0.0, URL), *told(*EVENTS), (9.0, "closed 1000")))
    again = read_capture("".join(f"{row}\n" for row in write_rows(session)).encode())
    assert (received(again), again.lacks, again.url) == (received(session), session.lacks, session.url)


@given(
    name=st.sampled_from(HEALTHY),
    dress=st.sampled_from(sorted({**PRINTS, **BARE})),
    stamp=st.sampled_from(sorted(STAMPS)),
    prefix=st.sampled_from(RECEIVED),
    kinds=st.sampled_from([None, ("turn.end",), ("turn.start", "turn.end"), ("turn.start", "turn.update")]),
    said=st.fixed_dictionaries({name: st.booleans() for name in ("sends", "commands", "close")}),
)
@settings(max_examples=25, deadline=None)
def test_a_healthy_session_is_accused_of_nothing_in_any_dress(name, dress, stamp, prefix, kinds, said):
    session = read_capture(SESSIONS[name])
    log = print_session(session, {**PRINTS, **BARE}[dress], STAMPS[stamp], prefix, kinds=kinds, url=True, **said)
    report = sttdoctor.replay(log, transcript=session.transcript.text if session.transcript else None)
    assert causes(report) == [] and not any(check.crashed for check in report.checks)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("joining-updates-joined", "joining.updates-joined"),
        ("joining-handled-twice", "joining.turns-repeated"),
        ("joining-stripped", "joining.whitespace-stripped"),
        ("stream-connection-lost", "drain.connection-lost"),
        ("stream-hung-up", "turns.left-open"),
        ("stream-muted", "continuity.muted"),
        ("stream-burst", "pacing.burst"),
    ],
)
def test_a_fault_shows_where_the_lines_show_it(name, cause):
    session = read_capture(SESSIONS[name])
    shown = {"sends": True, "commands": True, "close": True, "url": True}
    log = print_session(session, PRINTS["python"], STAMPS["logging"], **shown)
    text = session.transcript.text if session.transcript else None
    assert cause in [
        finding.cause for check in sttdoctor.replay(log, transcript=text).checks for finding in check.findings
    ]


COMMANDS = {
    "Python": "sent {'type': 'close'}",
    "Ruby": 'sent {"type"=>"close"}',
    "Elixir": '-> %{"type" => "close"}',
    "Dart": "sending {type: close}",
    "Go": "send map[type:close]",
    "PHP": "sent Array ( [type] => close )",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_one_in_any_language(name):
    log = lines(
        *((number / 4, f"recv {json.dumps(event)}") for number, event in enumerate(TALK)), (3.0, COMMANDS[name])
    )
    session = read_capture(log)
    assert [frame.message for frame in frames(session) if frame.sent] == [{"type": "close"}]
    assert "commands" not in session.lacks


def test_a_close_that_was_received_is_no_command():
    talk = [(number / 4, f"recv {json.dumps(event)}") for number, event in enumerate(TALK)]
    session = read_capture(lines(*talk, (3.0, "recv { type: 'close' }"), (3.1, "sent { type: 'close', code: 1000 }")))
    assert not [frame for frame in frames(session) if frame.sent]


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "behind"])
@pytest.mark.parametrize("stamp", ["time of day", "none"])
def test_sentences_about_events_are_none_beside_a_log_that_shows_them_whole(stamp, is_first):
    rows = [{"type": "receive", "t": number / 4, "json": event} for number, event in enumerate(TALK)]
    log = print_session(
        read_capture("".join(f"{json.dumps(row)}\n" for row in rows).encode()), json.dumps, STAMPS[stamp]
    )
    sentences = (
        b"### Expected\n\nA `turn.end` for each sentence.\nturn.update is fine, but I get\nturn.end: nothing at all\n"
    )
    read = read_capture(sentences + log if is_first else log + sentences)
    assert received(read) == list(TALK)


def test_members_that_stand_below_their_record_are_its():
    def record(t, message, members):
        return f"[14:13:{20 + t:06.3f}] DEBUG (1): {message}\n" + "".join(f"    {item}\n" for item in members)

    events = (
        record(
            number / 4, "received", ["data: {", *(f"  {item}" for item in json.dumps(event, indent=2)[2:].split("\n"))]
        )
        for number, event in enumerate(TALK)
    )
    sends = (record(number / 10, "audio sent", ["bytes: 3200"]) for number in range(20))
    whole = sorted((entry for group in (events, sends) for entry in group), key=lambda entry: entry[:20])
    session = read_capture("".join(whole).encode())
    assert received(session) == list(TALK)
    assert [frame.size for frame in frames(session) if frame.sent] == [3200] * 20
    assert all(frame.t is not None for frame in frames(session))


@pytest.mark.parametrize("count", [lambda number: number + 1, lambda _: 4711, lambda number: 900 - 7 * number])
def test_a_number_before_a_line_that_is_no_clock_is_no_time(count):
    log = "".join(f"[{count(number)}] recv {json.dumps(event)}\n" for number, event in enumerate(TALK * 2))
    assert read_capture(log.encode()).clock == "none"


def _talk_in_lines(stamp=lambda t: f"2026-09-21 14:13:{20 + t:06.3f}", send="sent 3200 bytes"):
    heard = ((number / 4, f"recv {json.dumps(event)}") for number, event in enumerate(TALK))
    sends = ((number / 10, send) for number in range(20))
    return [f"{stamp(t)} {text}" for t, text in sorted((*heard, *sends))]


def test_lines_that_were_pasted_as_one_are_read_one_by_one():
    whole, pasted = ("\n".join(_talk_in_lines()), " ".join(_talk_in_lines()))
    read = [read_capture(f"{text}\n".encode()) for text in (whole, pasted)]
    assert [replace(event, line=0) for event in read[0].events] == [replace(event, line=0) for event in read[1].events]


def test_an_address_without_its_end_has_no_part_of_a_parameter():
    url = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mul\u2026"
    session = read_capture("\n".join([f"2026-09-21 14:13:19.900 connecting to {url}", *_talk_in_lines()]).encode())
    assert session.url == "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2"


@pytest.mark.parametrize("stamp", ["time of day", "none"])
def test_sentences_are_no_events_beside_words_of_lines_either(stamp):
    rows = [{"type": "receive", "t": number / 4, "json": event} for number, event in enumerate(TALK * 2)]
    session = read_capture("".join(f"{json.dumps(row)}\n" for row in rows).encode())
    log = print_session(session, BARE["words"], STAMPS[stamp], "recv ")
    told = read_capture(b"It does not end. turn.end: never comes\n" + log + b"I expect `turn.end`.\n")
    assert received(told) == received(read_capture(log))


@pytest.mark.parametrize("width", [60, 83, 120])
def test_lines_that_a_terminal_wrapped_are_whole_again(width):
    url = "connecting to wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
    log = [f"2026-09-21 14:13:19.900 {url}", *_talk_in_lines()]
    wrapped = [line[begin : begin + width] for line in log for begin in range(0, len(line), width)]
    session = read_capture("\n".join(wrapped).encode())
    assert received(session) == list(TALK) and session.url in url


def test_a_time_in_a_message_begins_no_line():
    log = [line.replace('{"type"', '{"at": "2026-09-21T14:13:20.100Z", "type"') for line in _talk_in_lines()]
    log = [line.replace("sent 3200 bytes", "sent 3200 bytes ts=14:13:20.100") for line in log]
    session = read_capture("\n".join(log).encode())
    assert len(received(session)) == len(TALK) and sum(frame.sent for frame in frames(session)) == 20


def test_entities_of_a_web_page_are_what_they_stand_for():
    text = "\n".join(
        ["2026-09-21 14:13:19.900 connecting to wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=x"]
    )
    text += "\n" + "\n".join(_talk_in_lines())
    plain, escaped = read_capture(f"{text}\n".encode()), read_capture(f"<pre>{html.escape(text)}\n</pre>".encode())
    assert escaped.url == plain.url and received(escaped) == received(plain) == list(TALK)


def test_a_time_is_in_the_zone_that_stands_behind_it():
    zones = ("Z", "+02:00", "-0530", " +0100")
    ahead = (0, 2, -5.5, 1)

    def stamp(t):
        number = round(t * 20) % 4
        moment = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC) + timedelta(hours=ahead[number], seconds=t)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{zones[number]}"

    session = read_capture("".join(f"{line}\n" for line in _talk_in_lines(stamp)).encode())
    assert session.started_at == "2026-09-21T14:13:20.000"
    times = [event.t for event in frames(session)]
    assert times == sorted(times) and times[-1] == pytest.approx(1.9, abs=0.2)
    assert sum(frame.sent for frame in frames(session)) == 20


def test_bytes_that_are_shown_beside_a_size_do_not_part_its_lines():
    blocks = (" ".join(f"{(37 * number + place) % 256:02x}" for place in range(8)) for number in range(1000))
    log = [line.replace("3200 bytes", f"binary len=3200: {next(blocks)} ...") for line in _talk_in_lines()]
    assert sum(frame.sent for frame in frames(read_capture("\n".join(log).encode()))) == 20


def test_audio_that_was_sent_at_once_is_all_of_it_although_turns_begin_later():
    rows = [{"type": "receive", "t": 4.0 * number, "json": event} for number, event in enumerate(TALK)]
    heard = [(row["t"], f"recv {json.dumps(row['json'])}") for row in rows]
    url = "connecting to wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate=16000"
    sends = [(0.1 + number / 100, "sent 32000 bytes of audio") for number in range(40)]
    session = read_capture(lines((0.0, url), *sorted((*heard, *sends))))
    assert sum(frame.sent for frame in frames(session)) == 40


EPOCH_S = 1_790_000_000


def dumped_by_kcat(number, event):
    ts = 1000 * EPOCH_S + 250 * number
    return json.dumps({"topic": "stt", "offset": number, "ts": ts, "payload": json.dumps(event)}) + "\n"


DUMPS = {
    "server-sent events": lambda number, event: f"id: {number}\nevent: message\ndata: {json.dumps(event)}\n\n",
    "redis MONITOR": lambda number, event: (
        f'{EPOCH_S + number / 4:.6f} [0 127.0.0.1:5000] "PUBLISH" "stt" {json.dumps(json.dumps(event))}\n'
    ),
    "kcat": dumped_by_kcat,
    "kcat without -J": lambda number, event: (
        f"{json.dumps(event)}\n% Reached end of topic stt [0] at offset {number}\n"
    ),
}


@pytest.mark.parametrize("name", DUMPS)
def test_events_that_a_tool_dumped_are_read_and_what_it_does_not_show_is_lacking(name):
    dump = "".join(DUMPS[name](number, event) for number, event in enumerate(TALK))
    session = read_capture(dump.encode())
    assert received(session) == list(TALK) and {"send", "audio", "commands", "close"} <= session.lacks
    assert session.clock == ("none" if name in ("server-sent events", "kcat without -J") else "client")

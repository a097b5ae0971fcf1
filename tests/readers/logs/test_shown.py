"""What of the log of a program is the service's conversation."""

import json

import pytest
from captures import EVENTS, URL
from common import FIXTURES
from company import AGAIN, OTHERS, SIZES
from hypothesis import given, settings
from hypothesis import strategies as st
from printed import BARE, PRINTS, RECEIVED, STAMPS, print_session

import sttdoctor
from sttdoctor.evidence import Close, Frame
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.logs.printed import events_in

SESSION = read_capture(FIXTURES / "sessions" / "healthy-several-turns.jsonl")
COMPANY = {**AGAIN, **OTHERS, **SIZES, "nobody": lambda _: ()}
WHOLE = {"sends": True, "commands": True, "close": True, "url": True}


def accused(log, text=SESSION.transcript.text):
    report = sttdoctor.replay(log, transcript=text)
    assert not any(check.crashed for check in report.checks)
    return [finding.cause for check in report.checks for finding in check.findings if finding.status != "unknown"]


def kinds(session):
    return [event.message["type"] for event in session.events if isinstance(event, Frame) and not event.sent]


def sizes(session):
    return [event.size for event in session.events if isinstance(event, Frame) and event.sent and event.binary]


def lines(*pairs):
    return "".join(f"2026-09-21 14:13:{20 + t:06.3f} {text}\n" for t, text in pairs).encode()


def told(*events):
    return [(float(number), "got " + json.dumps(event)) for number, event in enumerate(events)]


@pytest.mark.parametrize("name", COMPANY)
def test_whatever_else_a_program_prints_the_conversation_is_the_same(name):
    log = print_session(SESSION, PRINTS["json"], STAMPS["iso"], "recv ", company=COMPANY[name], **WHOLE)
    read = read_capture(log)
    assert kinds(read) == kinds(SESSION)
    assert "send" in read.lacks or sizes(read) == sizes(SESSION)
    assert not any(isinstance(event, Close) and event.code != 1000 for event in read.events)
    assert accused(log) == []


@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_what_went_elsewhere_are_not_taken_for_audio(name):
    log = print_session(SESSION, PRINTS["json"], STAMPS["iso"], "recv ", company=COMPANY[name], url=True)
    assert sizes(read_capture(log)) == []
    assert accused(log) == []


@given(
    company=st.sampled_from(sorted(COMPANY.keys() - {"a voice that ends, unlabelled"})),
    dress=st.sampled_from(sorted({**PRINTS, **BARE})),
    stamp=st.sampled_from(sorted(STAMPS)),
    prefix=st.sampled_from(RECEIVED),
    shown=st.sampled_from([None, ("turn.end",), ("turn.start", "turn.end")]),
    said=st.fixed_dictionaries({name: st.booleans() for name in ("sends", "commands", "close")}),
    times=st.sampled_from([1, 1, 2]),
)
@settings(max_examples=40, deadline=None)
def test_nobody_is_accused_for_what_else_a_program_prints(company, dress, stamp, prefix, shown, said, times):
    log = print_session(
        SESSION,
        {**PRINTS, **BARE}[dress],
        STAMPS[stamp],
        prefix,
        kinds=shown,
        company=COMPANY[company],
        times=times,
        url=True,
        **said,
    )
    assert accused(log) == []


@pytest.mark.parametrize("dress", ["json", "python in lines", "words"])
def test_a_log_whose_lines_stand_twice_is_read_once(dress):
    once, twice = (
        read_capture(print_session(SESSION, {**PRINTS, **BARE}[dress], STAMPS["iso"], times=times, **WHOLE))
        for times in (1, 2)
    )
    assert kinds(twice) == kinds(once)
    assert sizes(twice) == sizes(once)


def test_a_close_after_which_the_conversation_goes_on_is_anothers():
    said = [*told(*EVENTS[:3]), (2.5, "closed code=1006"), *((t + 4, text) for t, text in told(*EVENTS[3:]))]
    assert "close" in read_capture(lines(*said)).lacks
    session = read_capture(lines(*said, (30.0, "closed code=1000")))
    assert [event.code for event in session.events if isinstance(event, Close)] == [1000]


def test_an_event_that_is_printed_a_moment_after_the_close_came_before_it():
    early = [(t, text) for t, text in told(*EVENTS[:-1])]
    session = read_capture(lines(*early, (8.0, "closed code=1011"), (8.2, "got " + json.dumps(EVENTS[-1]))))
    assert [event.code for event in session.events if isinstance(event, Close)] == [1011]


def test_a_session_that_ends_with_its_command_is_not_revoked_by_late_events():
    said = [(0.0, URL), *told(*EVENTS), (30.0, '>> {"type": "close"}'), (30.2, "got " + json.dumps(EVENTS[-1]))]
    session = read_capture(lines(*said))
    assert [event.message for event in session.events if isinstance(event, Frame) and event.sent] == [{"type": "close"}]


def test_a_foreign_command_without_a_sign_of_another_socket_is_the_clients_own():
    said = [(0.0, f"connecting to {URL}"), *told(*EVENTS), (20.0, '>> {"type": "KeepAlive"}')]
    assert "messages.unknown-command" in accused(lines(*said), None)


def test_an_error_of_the_service_counts_whoever_else_has_errors():
    error = {"type": "error", "title": "Oops", "message": "it failed", "status_code": 500}
    voice = {**error, "message": "no voice", "context_id": "c1", "done": True}
    said = [*told(EVENTS[0], error), (5.0, f"tts got {json.dumps(voice)}")]
    assert kinds(read_capture(lines((0.0, URL), *said))) == ["connected", "error"]
    assert "server.error-event" in accused(lines((0.0, URL), *said), None)


@pytest.mark.parametrize("name", ["e", "err", "row", "job", "db.record"])
def test_members_of_an_object_that_is_no_event_are_none(name):
    assert events_in(f'INFO {name}.kind = "error" {name}.title="no row" {name}.message="x"')[0] == []
    assert [e.type for e in events_in(f'{name}.x=1 event.type=error event.title="no" event.message="x"')[0]] == [
        "error"
    ]


def test_members_behind_the_name_of_their_event_are_read():
    (event,) = events_in('INFO stt.event.type=turn.update stt.event.transcript="hello there" stt.event.request_id=a')[0]
    assert event.message == {"type": "turn.update", "transcript": "hello there", "request_id": "a"}

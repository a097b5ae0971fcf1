from dataclasses import replace
from difflib import get_close_matches

import numpy as np
import pytest
from builders import causes, drained, report, session, steady, turn
from common import FIXTURES, ROOT, jsonl
from hypothesis import given
from hypothesis import strategies as st

import sttdoctor
from sttdoctor.api import check
from sttdoctor.endpoints.cartesia import AUTO
from sttdoctor.evidence import Close, Frame, Open, Session
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows
from sttdoctor.redact import NO_SCHEME

AUDIO = FIXTURES / "audio" / "s16-16k.raw"

BASE = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
HEADERS = {"authorization": "Bearer REDACTED", "cartesia-version": "2026-03-01"}


def of_url(url, headers=HEADERS, status=101, body=None):
    """Cause to status of a session with this handshake: a healthy one where it was accepted, nothing more where not."""
    subject = drained(url=url, headers=headers)
    opened = replace(subject.events[0], status=status, body=body)
    return causes(replace(subject, events=(opened, *(subject.events[1:] if status == 101 else ()))), "connection")


def refused(status, body=None, url=BASE, headers=HEADERS):
    """The report of a refused handshake."""
    return report(Session((Open(2, 0.1, status, {}, body),), url=url, headers=headers))


@pytest.mark.parametrize(
    "url",
    [
        BASE,
        BASE + "&keyterm=New+York&keyterm=Cartesia&turn_end_timeout_ms=2000&turn_start_threshold=0.6",
        BASE + "&cartesia_version=2026-03-01&access_token=REDACTED&cartesia_client=js",
        BASE.replace("api.cartesia.ai", "proxy.example/prefix"),
        BASE.replace("wss://api.cartesia.ai", "ws://127.0.0.1:8765"),
        "wss://api.cartesia.ai/stt/websocket?model=ink-whisper&encoding=pcm_s16le&sample_rate=16000&language=de",
    ],
)
def test_right_parameters_pass(url):
    assert of_url(url) == {}


ACQUITTED = [
    (("model=ink-2&", ""), "model is missing", "Add model=ink-2"),
    (("&sample_rate=8000", ""), "sample_rate is missing", "Add sample_rate"),
    (("ink-2", "ink-whisper"), "ink-2", "Write model=ink-2"),
    (("8000", "8000" + "&keyterm=x" * 101), "101 keyterms", "most important"),
    (("8000", "8000&keyterm=" + "x" * 1201), "1201 characters", "most important"),
]
"""Parameters that the service refuses: (change of the URL, words of the summary, words of the fix)."""

IGNORED = [
    (("pcm_mulaw", "mulaw"), "called pcm_mulaw", "encoding=pcm_mulaw", "fail"),
    (("pcm_mulaw", "linear16"), "called pcm_s16le", "encoding=pcm_s16le", "fail"),
    (("pcm_mulaw", "opus"), "decode before sending", "Decode", "fail"),
    (("8000", "8k"), "not a whole number", "sample_rate=16000", "warn"),
    (("8000", "8000&turn_end_threshold=0.9"), "outside 0.05 to 0.5", "0.05 to 0.5 (default 0.2)", "fail"),
    (("8000", "8000&turn_end_threshold=0.45&turn_eager_end_threshold=0.35"), "must fall", "defaults 0.8", "fail"),
    (("8000", "8000&turn_end_timeout_ms=soon"), "outside", "640 to 11200", "fail"),
    (("8000", "8000&eot_threshold=0.7"), "Deepgram Flux", "turn_end_threshold", "warn"),
    (("8000", "8000&audio_format=pcm_16000"), "ElevenLabs", "encoding and sample_rate", "warn"),
    (("8000", "8000&multichannel=true"), "Deepgram", "one mono stream", "warn"),
    (("8000", "8000&punctuate=true"), "has no effect", "Remove punctuate", "warn"),
    (("8000", "8000&turn_end_treshold=0.3"), "turn_end_threshold is", "Write turn_end_threshold", "warn"),
    (("8000", "8000&min_volume=0.1"), "belongs to the manual", "Remove min_volume", "warn"),
    (("sample_rate", "sampleRate"), "instead use sample_rate", "use sample_rate", "fail"),
]
"""Parameters that it takes without looking at them, and what they count then."""


@pytest.mark.parametrize(("change", "words", "fix"), ACQUITTED)
def test_an_accepted_handshake_acquits_what_the_service_would_have_refused(change, words, fix):
    url = BASE.replace(*change)
    assert of_url(url) == {}
    (first, *_) = refused(400, url=url).diagnoses
    assert (first.cause, first.status, first.explains) == ("connection.bad-parameter", "fail", ("connection.rejected",))
    assert words in first.summary and "HTTP status 400" in first.summary and fix in first.fix


@pytest.mark.parametrize(("change", "words", "fix", "status"), IGNORED)
def test_what_the_service_takes_without_a_word_stays_a_finding(change, words, fix, status):
    subject = drained(url=BASE.replace(*change), headers=HEADERS)
    (finding,) = report(subject, "connection").checks[0].findings
    assert (finding.cause, finding.status) == ("connection.bad-parameter", status)
    assert words in finding.summary and fix in finding.fix
    assert finding.confidence == (0.95 if status == "fail" else 0.7)


def test_a_rate_with_a_point_is_the_number_that_it_says():
    assert of_url(BASE.replace("8000", "8000.0")) == {}
    assert report(drained(url=BASE.replace("8000", "8000.0"))).subject["declared"]["sample_rate"] == 8000
    assert "connection.bad-parameter" in of_url(BASE.replace("8000", "8000.0"), status=400)


def test_a_model_of_another_endpoint_is_told_where_nothing_is_heard():
    subject = session(steady(8), url=BASE.replace("ink-2", "ink-whisper"))
    (first,) = report(subject, "connection").diagnoses
    assert (first.cause, first.explains) == ("connection.bad-parameter", ("connection.intermediary",))


@pytest.mark.parametrize("key", ["colour", "session_id", "token", "version", "y" * 60])
def test_an_undocumented_parameter_is_told_only_of_a_handshake_that_was_not_accepted(key):
    assert of_url(f"{BASE}&{key}=1") == {}
    assert "connection.bad-parameter" in of_url(f"{BASE}&{key}=1", status=400)


def test_a_missing_version_matters_only_in_a_handshake_that_was_refused():
    without = {"authorization": "Bearer REDACTED"}
    assert of_url(BASE, without, status=400)["connection.bad-parameter"] == "fail"
    assert of_url(BASE, without) == {}
    assert set(of_url(BASE, {}, status=400)) == {"connection.rejected"}


def test_masked_parameters_say_nothing():
    for mask in ("REDACTED", "***", "%5BFILTERED%5D", "<hidden>"):
        url = f"wss://api.cartesia.ai/stt/turns/websocket?model={mask}&encoding={mask}&sample_rate={mask}"
        assert of_url(url) == {}
        assert set(of_url(url, status=400)) == {"connection.rejected"}
        assert set(of_url(f"wss://api.cartesia.ai/stt/turns/websocket?{mask}", status=400)) == {"connection.rejected"}
        assert report(drained(url=url)).subject["declared"] == {"encoding": None, "sample_rate": None}


@pytest.mark.parametrize("count", [999, 1001, 30_000])
def test_a_url_of_many_parameters_is_a_url(count):
    url = BASE + "&a=1" * count
    assert judged(url).status == "pass"
    assert judged(url.replace("mulaw", "ulaw")).findings[0].cause == "connection.bad-parameter"
    many = BASE + "".join(f"&a{n}=1" for n in range(count))
    (finding, _) = report(Session((Open(1, 0.0, 400),), url=many), "connection").checks[0].findings
    assert len(finding.evidence) < 30


TOLD = [
    ({"authorization": "Token REDACTED"}, "", "Token, which is Deepgram's; here it is Bearer"),
    ({"authorization": "Basic REDACTED"}, "", "Basic; here it is Bearer"),
    ({"authorization": "a" * 30 + " REDACTED"}, "", "a" * 20 + "; here"),
    ({"authorization": "REDACTED", NO_SCHEME: "none"}, "", "a key without a scheme"),
    ({"xi-api-key": "REDACTED"}, "", "ElevenLabs' header"),
    ({"cartesia-api-key": "REDACTED"}, "", "key is in the header cartesia-api-key"),
    ({}, "&key=REDACTED", "key is in the parameter key"),
    ({"authorization": "Bearer null"}, "", "'null' is where the key should be, in Bearer"),
    ({"x-api-key": "undefined"}, "", "'undefined' is where the key should be, in X-API"),
    ({"x-api-key": "${CARTESIA_API_KEY}"}, "", "CARTESIA_API_KEY"),
    ({}, "&access_token=undefined", "'undefined' is where the key should be, in acc"),
]
"""Handshakes that show what is wrong with the key, whoever wrote them down."""

EMPTY = [
    ({"authorization": "Bearer"}, "", "no key follows Bearer"),
    ({"x-api-key": "Bearer REDACTED"}, "", "without Bearer"),
    ({"x-api-key": ""}, "", "no key follows X-API-Key"),
    ({}, "&access_token=", "no key follows access_token"),
    ({"user-agent": "x"}, "", "carries no key"),
]
"""Handshakes without a key, or with a strange one, which may be the recorder's work."""

VERSION = {"cartesia-version": "2026-03-01"}


@pytest.mark.parametrize(("headers", "query", "words"), TOLD + EMPTY)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_told_with_what_is_wrong_with_it(headers, query, words, status):
    diagnosis, *rest = refused(status, url=BASE + query, headers={**headers, **VERSION}).diagnoses
    assert [each.cause for each in rest] == ["connection.bad-parameter"] * ("&key=" in query)
    assert (diagnosis.cause, diagnosis.status) == ("connection.bad-auth", "fail")
    assert diagnosis.explains == ("connection.rejected",)
    assert words in diagnosis.summary and f"HTTP status {status}" in diagnosis.summary


@pytest.mark.parametrize(("headers", "query", "words"), TOLD)
def test_a_key_in_the_wrong_place_is_told_also_where_the_answer_is_not_known(headers, query, words):
    unanswered = Session((Open(2, 0.1, None),), url=BASE + query, headers={**headers, **VERSION})
    finding = report(unanswered, "connection").checks[0].findings[0]
    assert finding.cause == "connection.bad-auth" and words in finding.summary


@pytest.mark.parametrize(("headers", "query"), [case[:2] for case in EMPTY])
def test_a_key_that_the_recorder_may_have_left_out_is_missed_only_in_a_refusal(headers, query):
    unanswered = Session((Open(2, 0.1, None),), url=BASE + query, headers={**headers, **VERSION})
    assert causes(unanswered, "connection") == {}
    assert "connection.bad-auth" not in of_url(BASE + query, {**headers, **VERSION}, status=404)
    assert "connection.bad-auth" not in of_url(BASE + query, {**headers, **VERSION}, status=502)
    assert of_url(BASE + query, {**headers, **VERSION}, status=400)["connection.bad-auth"] == "fail"


@pytest.mark.parametrize(("headers", "query"), [case[:2] for case in TOLD + EMPTY])
def test_an_accepted_handshake_acquits_the_key(headers, query):
    assert of_url(BASE + query, {**headers, **VERSION}) == {}


MASKS = [
    "REDACTED",
    "***",
    "<hidden>",
    "[FILTERED]",
    "xxxx",
    "****abcd",
    "Bearer:REDACTED",
    "Bearer ****",
]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
def test_a_redaction_mark_says_nothing(mask, name):
    def rows(status):
        head = {"type": "session", "url": BASE, "headers": {name: mask, **VERSION}}
        return jsonl(head, {"type": "open", "t": 0.1, "status": status})

    assert found_in(rows(101)) == []
    assert found_in(rows(None)) == []
    assert found_in(rows(500)) == ["connection.rejected"]
    (diagnosis,) = sttdoctor.replay(rows(401), select=["connection"]).diagnoses
    assert diagnosis.cause == "connection.bad-auth"
    assert "scheme" not in diagnosis.summary and "no key" not in diagnosis.summary


@given(
    st.dictionaries(st.sampled_from(["authorization", "x-api-key", "xi-api-key", "cookie"]), st.text(max_size=30)),
    st.text(st.characters(codec="ascii", exclude_characters="&=#"), max_size=12),
    st.text(st.characters(codec="ascii", exclude_characters="&=#"), max_size=12),
)
def test_nothing_in_the_headers_and_no_unknown_parameter_accuses_an_accepted_session(headers, name, value):
    head = {"type": "session", "url": f"{BASE}&x{name}={value}", "headers": headers}
    rows = jsonl(head, {"type": "open", "t": 0.1, "status": 101})
    found = dict.fromkeys(found_in(rows))
    assert not found.keys() & {"connection.bad-auth", "connection.wrong-path", "connection.rejected"}
    assert "connection.bad-parameter" not in found or get_close_matches(f"x{name}", AUTO.parameters, cutoff=0.7)


def test_the_example_of_the_session_format_is_right():
    rows = (ROOT / "docs" / "session-format.md").read_text("utf-8").split("```json")[1]
    assert found_in(rows.split("```")[0].strip().encode()) == []


def found_in(rows):
    return [finding.cause for finding in sttdoctor.replay(rows, select=["connection"]).checks[0].findings]


def test_a_key_without_a_scheme_is_told_from_a_mark_also_when_the_capture_was_converted():
    head = {"type": "session", "url": BASE, "headers": {"Authorization": "sk_car_abcd1234", **VERSION}}
    raw = jsonl(head, {"type": "open", "t": 0.1, "status": 401})
    converted = "\n".join(write_rows(read_capture(raw))).encode()
    for capture in (raw, converted):
        (diagnosis,) = sttdoctor.replay(capture, select=["connection"]).diagnoses
        assert "without a scheme" in diagnosis.summary


@pytest.mark.parametrize("other", [{"x-api-key": "REDACTED"}, {"xi-api-key": "REDACTED", "x-api-key": "REDACTED"}])
def test_a_key_in_its_place_is_enough(other):
    headers = {**HEADERS, "authorization": "Basic REDACTED", **other}
    assert causes(Session((Open(2, 0.1, None),), url=BASE, headers=headers), "connection") == {}


def test_a_key_that_was_accepted_before_has_expired():
    subject = two(drained(url=BASE, headers=HEADERS), Session((Open(1, 0.0, 401), Open(2, 5.0, 401))))
    (first, *_) = report(subject, "connection").diagnoses
    assert first.cause == "connection.expired"
    assert "had been accepted 9 s before" in first.summary and "1 more time" in first.summary
    assert "fresh access token" in first.fix


def test_a_key_in_the_url_is_a_warning():
    assert of_url(BASE + "&api_key=REDACTED") == {"connection.key-in-url": "warn"}
    assert of_url(BASE + "&api_key=") == {}


@pytest.mark.parametrize(
    ("path", "words"),
    [("/v1/listen", "Deepgram"), ("/stt/turns", "'/stt/turns'"), ("/tts/websocket", "text-to-speech")],
)
def test_a_wrong_path(path, words):
    url = BASE.replace("/stt/turns/websocket", path)
    (diagnosis,) = refused(404, url=url).diagnoses
    assert (diagnosis.cause, diagnosis.explains) == ("connection.wrong-path", ("connection.rejected",))
    assert words in diagnosis.summary and "HTTP status 404" in diagnosis.summary
    silent = session(steady(8), url=url)
    assert "connection.wrong-path" in causes(silent, "connection")  # anybody may accept a handshake there
    assert causes(drained(url=url), "connection") == {}  # events of the service came


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "relay.example"])
def test_at_an_unknown_host_any_path_that_is_accepted_is_right(host):
    assert causes(session(steady(8), url=f"ws://{host}/voice?x=1"), "connection") == {}


def test_an_unencrypted_address_of_the_service_is_told_unless_it_answers():
    url = BASE.replace("wss://", "ws://")
    assert of_url(url) == {}
    (first, *_) = refused(301, url=url).diagnoses
    assert (first.cause, first.explains) == (
        "connection.wrong-path",
        ("connection.intermediary", "connection.rejected"),
    )
    assert of_url("REDACTED", status=500) == {"connection.rejected": "fail"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, {"connection.rejected"}),
        (403, {"connection.rejected", "connection.bad-auth"}),
        (404, {"connection.rejected", "connection.wrong-path"}),
        (500, {"connection.rejected"}),
    ],
)
def test_a_refused_handshake(status, expected):
    assert set(of_url(BASE, status=status, body='{"title":"no"}')) == expected


def test_too_many_streams_explain_the_refusal():
    subject = Session((Open(1, 0.1, 429, {}, "concurrency_limited"),), url=BASE, headers=HEADERS)
    (diagnosis,) = report(subject).diagnoses
    assert (diagnosis.cause, diagnosis.explains) == ("server.concurrency", ("connection.rejected",))


FAULTY = BASE.replace("pcm_mulaw", "linear16").replace("&sample_rate=8000", "")


@pytest.mark.parametrize(
    ("status", "body", "first"),
    [
        (401, None, "connection.bad-auth"),
        (403, '{"message": "no stt grant"}', "connection.bad-auth"),
        (404, None, "connection.wrong-path"),
        (404, '{"error_code": "model_not_found", "message": "x"}', "connection.bad-parameter"),
        (400, None, "connection.bad-parameter"),
        (400, "Invalid API key", "connection.bad-auth"),
        (422, None, "connection.bad-parameter"),
        (429, None, "server.concurrency"),
        (500, None, "connection.rejected"),
        (502, "<html>", "connection.intermediary"),
    ],
)
@pytest.mark.parametrize("headers", [HEADERS, {"authorization": "Token REDACTED"}])
def test_what_the_server_said_comes_first_and_the_rest_below_it(status, body, first, headers):
    found = refused(status, body, FAULTY, headers).diagnoses
    assert found[0].cause == first
    assert "connection.rejected" in (found[0].cause, *found[0].explains)
    assert "connection.bad-parameter" in {cause for each in found for cause in (each.cause, *each.explains)}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"title": "Bad request", "message": "encoding is wrong"}', "'Bad request: encoding is wrong'"),
        ('{"message": "no such model", "error_code": "model_not_found"}', "'no such model (model_not_found)'"),
        ("Unsupported sample rate", "'Unsupported sample rate'"),
    ],
)
def test_a_parameter_that_only_the_server_names_is_told_in_its_words(body, words):
    (diagnosis,) = refused(400, body).diagnoses
    assert (diagnosis.cause, diagnosis.confidence) == ("connection.bad-parameter", 0.95 + 0.02)
    assert diagnosis.summary == f"The service refused a parameter (HTTP status 400: {words})."
    below = refused(400, body, BASE + "&colour=red").diagnoses[0]
    assert below.summary.endswith("besides, the parameter 'colour' is not documented.") and below.status == "fail"


def test_the_parameter_that_the_server_names_is_told_first():
    (diagnosis,) = refused(400, "sample_rate is missing", FAULTY).diagnoses
    assert diagnosis.summary.startswith("The required parameter sample_rate is missing (and 1 more); the service ref")
    assert diagnosis.fix.startswith("Add sample_rate=16000")


def with_error(status, message, at=0.2, **fields):
    """An accepted handshake that is followed by an error event."""
    error = {"type": "error", "title": "Error", "message": message, "status_code": status}
    frames = session(steady(3), **fields).events
    late = [frame for frame in frames[1:] if frame.t > at]
    events = (frames[0], Frame(90, at, False, 9, message=error), *late, Close(99, 3.0, "server", 1008))
    return Session(events, url=fields.get("url", BASE), headers=HEADERS)


@pytest.mark.parametrize(
    ("status", "message", "cause"),
    [
        (401, "no", "connection.bad-auth"),
        (400, "the model does not exist", "connection.bad-parameter"),
        (400, "Invalid API key", "connection.bad-auth"),
    ],
)
def test_an_error_event_at_the_beginning_is_a_refusal(status, message, cause):
    (first, *_) = report(with_error(status, message)).diagnoses
    assert first.cause == cause
    assert {"server.error-event", "server.closed-abnormally"} <= set(first.explains)


@pytest.mark.parametrize(
    ("code", "reason", "cause"),
    [
        (1008, "Invalid API key", "connection.bad-auth"),
        (1008, "unknown encoding", "connection.bad-parameter"),
        (4401, "", "connection.bad-auth"),
        (4400, "sample rate", "connection.bad-parameter"),
    ],
)
def test_a_close_at_the_beginning_is_a_refusal_where_it_says_so(code, reason, cause):
    (first, *_) = report(session(steady(1), close=(1.0, "server", code, reason))).diagnoses
    assert (first.cause, first.explains) == (cause, ("server.closed-abnormally",))
    assert f"close code {code}" in first.summary


@pytest.mark.parametrize(
    "fields",
    [
        {"close": (1.0, "server", 1008, "policy")},
        {"close": (1.0, "server", 1011, "API key")},
        {"close": (1.0, "client", 1008, "API key")},
        {"close": (1.0, "server", 4400)},
    ],
)
def test_any_other_close_is_none(fields):
    assert causes(session(steady(1), **fields), "connection") == {}


def test_an_error_event_about_something_else_is_none():
    assert causes(with_error(400, "Something"), "connection") == {}
    assert causes(with_error(500, "model server down"), "connection") == {}
    later = session(steady(3), events=turn(0.5, "Hello"))
    error = Frame(95, 2.9, False, 9, message={"type": "error", "message": "model", "status_code": 400})
    assert causes(replace(later, events=(*later.events, error)), "connection") == {}
    command = session(steady(3), sends=[(0.3, {"type": "finalize"})])
    assert causes(replace(command, events=(*command.events, error)), "connection") == {}


def two(first, second, gap=0.3):
    """Two connections in one session, the second one `gap` seconds after the end of the first."""
    start = max(e.t for e in first.events) + gap
    shifted = tuple(replace(e, t=e.t + start, line=e.line + 1000) for e in second.events)
    return Session((*first.events, *shifted), url=first.url, headers=first.headers)


def test_a_reconnect_in_mid_turn_loses_the_turn():
    first = session(steady(4), events=turn(1.0, "Hello"), close=(4.0, "unknown", 1006))
    found = report(two(first, drained()))
    assert found.diagnoses[0].cause == "connection.reconnected"
    assert "drain.connection-lost" in found.diagnoses[0].explains
    assert "a turn was open" in found.diagnoses[0].summary


def test_a_session_after_a_complete_one_is_no_reconnect():
    assert causes(two(drained(), drained(), gap=5.0), "connection") == {}


def test_audio_that_is_sent_again_is_seen():
    rng = np.random.default_rng(0)
    chunks = [rng.integers(0, 256, 800, dtype=np.uint8).tobytes() for _ in range(60)]

    def rows(part, start, line):
        return [Frame(line + i, start + 0.1 * i, True, 800, binary=True, content=c) for i, c in enumerate(part)]

    events = (Open(1, 0.0, 101), *rows(chunks[:40], 0.0, 2), Close(50, 4.0, "unknown", 1006))
    events += (Open(51, 4.1, 101), *rows(chunks[20:], 4.2, 52))
    findings = report(Session(events, url=BASE), "connection").checks[0].findings
    finding = next(each for each in findings if each.cause == "connection.reconnected")
    assert "2.0 s of audio were sent again" in finding.summary


def test_without_url_and_handshake_it_is_unknown():
    assert report(Session((Frame(1, 0.0, True, 9, binary=True),)), "connection").checks[0].status == "unknown"


@pytest.mark.parametrize("url", ["", "http://[", "not a url", "wss://x/stt/turns/websocket?" + "a=1&" * 2000])
def test_hostile_urls_get_an_answer(url):
    assert not report(drained(url=url), "connection").checks[0].crashed


@pytest.mark.parametrize("name", ["s16le", "linear16", "PCM_S16LE"])
def test_of_bare_audio_the_declared_name_is_judged(name):
    result = check(AUDIO, encoding=name, sample_rate=16000, select=["connection", "encoding"])
    assert [(each.id, each.status) for each in result.checks] == [("encoding", "pass"), ("connection", "fail")]
    assert [each.cause for each in result.diagnoses] == ["connection.bad-parameter"]
    assert "here it is called pcm_s16le" in result.diagnoses[0].summary


@pytest.mark.parametrize("name", ["pcm_s16le", None])
def test_bare_audio_with_a_name_that_is_taken_has_no_parameters_to_judge(name):
    assert "connection" not in [each.id for each in check(AUDIO, encoding=name).checks]


def judged(url=BASE, headers=HEADERS, opened=None):
    """The check's result of a healthy session with another address, headers or answer to the handshake."""
    subject = drained(url=url, headers=headers)
    first = opened or subject.events[0]
    return report(replace(subject, events=(first, *subject.events[1:])), "connection").checks[0]


def test_a_url_or_a_handshake_alone_is_judged_as_far_as_it_goes():
    frames = drained().events[1:]
    assert report(Session(frames, url=BASE), "connection").checks[0].status == "pass"
    unjudged = report(Session((Open(1, 0.0, 101), *frames)), "connection").checks[0]
    assert unjudged.status == "unknown" and unjudged.answer.startswith("The capture has no URL")
    refused = report(Session((Open(1, 0.0, 500),)), "connection").checks[0]
    assert [f.cause for f in refused.findings] == ["connection.rejected"]
    neither = report(Session(frames), "connection").checks[0]
    assert neither.status == "unknown" and neither.answer.startswith("The capture has neither URL nor handshake")


def test_the_refused_handshake_is_told_though_an_earlier_one_was_accepted():
    found = report(two(drained(), Session((Open(1, 0.0, 500),))), "connection").checks[0].findings
    assert [f.cause for f in found] == ["connection.rejected"]
    assert found[0].evidence[0].line == 1001


@pytest.mark.parametrize(
    ("refusals", "expected"),
    [
        ([(0.0, 429)], set()),
        ([(0.0, 503), (1.0, 429)], set()),
        ([(None, 503)], set()),
        ([(1.9, 429)], {"server.concurrency"}),  # tried again at once
        ([(0.0, 500), (0.1, 500)], {"connection.rejected"}),
        ([(0.0, 401)], {"connection.bad-auth"}),  # does not pass by itself
        ([(t, 429) for t in np.arange(-8.0, 1.5)], {"server.concurrency"}),
    ],
)
def test_a_refusal_that_passes_by_itself_is_overcome_by_trying_again_later(refusals, expected):
    before = tuple(Open(number, t, status) for number, (t, status) in enumerate(refusals, 1))
    healthy = drained()
    after = tuple(replace(event, line=event.line + 100, t=event.t + 2) for event in healthy.events)
    judged = report(replace(healthy, events=(*before, *after)))
    assert {diagnosis.cause for diagnosis in judged.diagnoses} == expected
    answer = next(item.answer for item in judged.checks if item.id == "connection")
    assert expected or f"status {refusals[0][1]}; it was accepted" in answer


@pytest.mark.parametrize(
    ("body", "words"),
    [(None, "500."), ("", "500."), ("no\n  room", "500: 'no room'."), ("x" * 201, f"500: '{'x' * 200}'.")],
)
def test_the_body_of_a_refusal_is_quoted(body, words):
    (finding,) = judged(opened=Open(7, 0.5, 500, {}, body)).findings
    assert finding.summary == f"The handshake was refused with HTTP status {words}"
    assert (finding.confidence, finding.evidence[0].line, finding.evidence[0].t) == (0.97, 7, 0.5)


def test_a_long_path_is_cut():
    found = refused(404, url=BASE.replace("stt/turns/websocket", "p" * 100)).diagnoses[0]
    assert found.summary == f"The server knows no such path (HTTP status 404): the path is '/{'p' * 99}'."


@pytest.mark.parametrize(
    ("url", "summary"),
    [
        (BASE + "&colour=red&tint=blue", "The parameter 'colour' is not documented (and 1 more)"),
        (BASE + f"&{'y' * 41}=1", f"The parameter '{'y' * 40}' is not documented"),
        (BASE + "&a=1&a=3&model_id=x", "The parameter model_id comes from ElevenLabs; instead use model (and 1 more)"),
        (
            BASE.replace("pcm_mulaw", "flute"),
            "encoding=flute is not one of the service's six encodings; use pcm_s16le, pcm_s32le, pcm_f16le, pcm_f32le, "
            "pcm_mulaw, pcm_alaw",
        ),
    ],
)
def test_the_worst_parameter_is_the_sentence(url, summary):
    found = report(Session((Open(1, 0.0, None),), url=url), "connection").checks[0].findings
    assert [finding.summary for finding in found] == [f"{summary}."]


def test_a_parameter_of_the_manual_endpoint_is_right_there():
    manual = BASE.replace("stt/turns", "stt")
    assert causes(Session((Open(1, 0.0, None),), url=manual + "&min_volume=0.1"), "connection") == {}
    unanswered = Session((Open(1, 0.0, None),), url=manual + "&turn_end_timeout_ms=900")
    assert causes(unanswered, "connection") == {"connection.bad-parameter": "warn"}


@pytest.mark.parametrize(
    ("gap", "status", "words"), [(0.4, "warn", "nothing seems to be lost"), (0.7, "fail", "0.7 s passed without audio")]
)
def test_a_reconnect_is_judged_by_what_was_lost(gap, status, words):
    shut = session(steady(4), events=turn(1.0, "Hello", end=2.0), close=(4.0, "unknown", 1006))
    (finding,) = report(two(shut, drained(), gap), "connection").checks[0].findings
    assert (finding.status, finding.confidence) == (status, 0.9)
    assert finding.summary == f"The client reconnected mid-session: {words}."
    assert finding.evidence[0].t == pytest.approx(4.0 + gap)


def test_a_capture_that_ends_before_the_handshake_was_answered_accuses_nobody():
    (check,) = report(replace(drained(url="wss://api.cartesia.ai/stt/tu"), events=()), "connection").checks
    assert check.status == "unknown" and check.findings == ()


def test_a_second_question_mark_is_told_and_what_it_swallows_is_not_called_missing():
    url = BASE.replace("&encoding", "?encoding")
    found = refused(400, "Unknown model", url=url).diagnoses[0]
    assert found.cause == "connection.bad-parameter"
    assert "second question mark stands before encoding" in found.summary
    assert "write &encoding= for ?encoding=" in found.fix and "Add encoding" not in found.fix


def test_an_address_escaped_for_html_is_told():
    found = refused(400, url=BASE.replace("&", "&amp;")).diagnoses[0]
    assert "&amp; where & belongs" in found.summary and "Write & alone" in found.fix


@pytest.mark.parametrize(("url", "quoted"), [(BASE.partition("&")[0], True), (BASE.rpartition("&")[0], False)])
def test_an_address_that_ends_at_its_first_parameter_may_have_been_cut_by_a_shell(url, quoted):
    found = refused(400, "encoding is required", url=url).diagnoses[0]
    assert ("put it in quotes" in found.fix) is quoted


TWO = "You must only send one of protocol api key and Authorization header."


def test_two_credentials_at_once_are_told_where_the_service_refused_that():
    both = HEADERS | {"sec-websocket-protocol": "realtime, insecure-api-key.REDACTED"}
    found = refused(400, TWO, headers=both).diagnoses[0]
    assert found.cause == "connection.bad-auth"
    assert "authorization and sec-websocket-protocol" in found.summary
    assert "not accepted" not in found.summary and "one of them only" in found.fix


def test_two_credentials_of_which_nobody_complains_are_no_fault_of_their_own():
    both = HEADERS | {"x-api-key": "REDACTED"}
    assert "two credentials" not in refused(401, "Unauthorized", headers=both).diagnoses[0].summary
    assert of_url(BASE, both) == {}


@pytest.mark.parametrize("status", [400, 404])
def test_a_client_of_socket_io_is_told_that_it_speaks_another_protocol(status):
    url = "wss://api.cartesia.ai/socket.io/?EIO=4&transport=websocket"
    (found,) = [d for d in refused(status, url=url).diagnoses if d.cause == "connection.wrong-path"]
    assert "Socket.IO is a protocol of its own" in found.fix


def test_connections_that_each_live_for_a_moment_are_told_as_such():
    events = []
    for n in range(6):
        events += [Open(3 * n + 2, 1.0 * n, 101), Frame(3 * n + 3, n + 0.2, True, 800, binary=True)]
        events.append(Close(3 * n + 4, n + 0.5, "unknown", 1006))
    (finding,) = report(Session(tuple(events), url=BASE), "connection").checks[0].findings
    assert finding.cause == "connection.reconnected"
    assert "6 times" in finding.summary and "0.5 s" in finding.summary and "wait longer" in finding.fix


@pytest.mark.parametrize(("path", "words"), [("//stt", "two slashes"), ("/stt", "a slash at its end"), ("/stt", "")])
def test_a_path_that_is_not_known_is_searched_for_slashes(path, words):
    url = BASE.replace("/stt", path, 1).replace("?", "/?" if "end" in words else "?")
    (diagnosis,) = refused(404, url=url).diagnoses
    assert words in diagnosis.summary and ("slash" in diagnosis.summary) == bool(words)


@pytest.mark.parametrize(
    ("scheme", "status", "body", "fix"),
    [
        ("ws", 400, "<center>The plain HTTP request was sent to HTTPS port</center><hr>nginx", "wss://"),
        ("http", 400, "Client sent an HTTP request to an HTTPS server.\n", "wss://"),
        ("ws", 497, "<html>nginx</html>", "wss://"),
        ("wss", 400, "<center>The plain HTTP request was sent to HTTPS port</center><hr>nginx", "proxy_pass https"),
    ],
)
def test_a_request_without_tls_to_a_port_that_speaks_it_is_told(scheme, status, body, fix):
    (found,) = refused(status, body, url=BASE.replace("wss", scheme)).diagnoses
    assert (found.cause, found.explains) == ("connection.wrong-path", ("connection.rejected",))
    assert "unencrypted" in found.summary and fix in found.fix


def test_a_query_that_the_service_misses_although_the_address_has_it_was_dropped_on_the_way():
    (found,) = refused(400, '{"title": "Bad Request", "message": "Missing required parameter: model"}').diagnoses
    assert (found.cause, found.explains) == ("connection.intermediary", ("connection.rejected",))
    assert "model" in found.summary and "drops the query" in found.summary and "proxy_pass" in found.fix


@pytest.mark.parametrize("url", [BASE.replace("model=ink-2&", ""), BASE.replace("ink-2", "")])
def test_a_query_without_what_the_service_misses_lost_nothing(url):
    (found, *_) = refused(400, '{"message": "Missing required parameter: model"}', url=url).diagnoses
    assert found.cause == "connection.bad-parameter"


@pytest.mark.parametrize(("code", "by", "reason"), [(1012, "server", "service restart"), (1001, "server", "")])
@pytest.mark.parametrize(("turn_ends", "expected"), [(2.0, set()), (None, {"connection.reconnected"})])
def test_a_restart_of_the_service_that_loses_nothing_is_no_fault(code, by, reason, turn_ends, expected):
    shut = session(steady(4), events=turn(1.0, "Hello", "Hello.", end=turn_ends), close=(4.0, by, code, reason))
    found = report(two(shut, drained(), 0.3))
    assert {diagnosis.cause for diagnosis in found.diagnoses} == expected


def test_audio_that_was_kept_while_the_client_connected_anew_is_not_missing():
    shut = session(steady(4), events=turn(1.0, "Hello", end=2.0), close=(4.0, "unknown", 1006))
    kept = session(0.05 + np.maximum(np.arange(80) * 0.1 - 1.0, 0.0), events=turn(1.0, "Hello", "Hello.", end=7.0))
    (finding,) = report(two(shut, kept, 1.0), "connection").checks[0].findings
    assert (finding.status, "nothing seems to be lost" in finding.summary) == ("warn", True)
    (finding,) = report(two(shut, drained(), 1.0), "connection").checks[0].findings
    assert finding.status == "fail"


def test_a_token_that_is_replaced_when_it_has_expired_is_how_it_should_be():
    refused_once = Open(1, 0.0, 401, {}, "Token expired")
    healthy = drained()
    assert causes(replace(healthy, events=(refused_once, *healthy.events)), "connection") == {}
    again = [replace(refused_once, t=0.1 * n) for n in range(3)]
    assert "connection.expired" in causes(replace(healthy, events=(*again, *healthy.events)), "connection")


@pytest.mark.parametrize(("t", "code", "expected"), [(12.0, 1006, True), (12.0, 1000, False), (900.0, 1006, False)])
def test_the_end_of_a_session_alone_is_no_handshake_that_nobody_answered(t, code, expected):
    found = causes(Session((Close(2, t, "unknown", code),), url=BASE), "connection")
    assert ("connection.unanswered" in found) == expected


def test_a_query_that_is_encoded_as_a_whole_is_told_before_what_it_seems_to_lack():
    url = "wss://api.cartesia.ai/stt/turns/websocket?model%3Dink-2%26encoding%3Dpcm_s16le%26sample_rate%3D16000"
    finding, *_ = report(Session((Open(2, 0.1, 400),), url=url, headers=HEADERS), "connection").checks[0].findings
    assert finding.cause == "connection.bad-parameter" and "percent-encoded as a whole" in finding.summary
    assert "urlencode" in finding.fix and "more)" not in finding.summary


@pytest.mark.parametrize(
    ("term", "expected"), [("San%2520Francisco", "warn"), ("San%20Francisco", None), ("50%25%20off", None)]
)
def test_a_keyterm_that_is_encoded_twice_arrives_with_its_signs(term, expected):
    assert of_url(f"{BASE}&keyterm={term}", HEADERS).get("connection.bad-parameter") == expected


def test_a_status_of_a_load_balancer_alone_is_its_own():
    assert "connection.intermediary" in of_url(BASE, HEADERS, status=464)

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders import causes, drained, report, session, steady, turn

from sttdoctor.api import check
from sttdoctor.evidence import Close, Frame, Open, Session

AUDIO = Path(__file__).parent.parent / "fixtures" / "audio" / "s16-16k.raw"

BASE = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
HEADERS = {"authorization": "Bearer REDACTED", "cartesia-version": "2026-03-01"}


def of_url(url, headers=HEADERS, status=101, body=None):
    subject = drained(url=url, headers=headers)
    opened = replace(subject.events[0], status=status, body=body)
    return causes(replace(subject, events=(opened, *subject.events[1:])), "connection")


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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("model=ink-2&", ""), "model is missing"),
        (("&sample_rate=8000", ""), "sample_rate is missing"),
        (("pcm_mulaw", "mulaw"), "called pcm_mulaw"),
        (("pcm_mulaw", "linear16"), "called pcm_s16le"),
        (("pcm_mulaw", "opus"), "decode before sending"),
        (("8000", "8k"), "not a number"),
        (("ink-2", "ink-whisper"), "ink-2"),
        (("8000", "8000&eot_threshold=0.7"), "Deepgram Flux"),
        (("8000", "8000&audio_format=pcm_16000"), "ElevenLabs"),
        (("8000", "8000&multichannel=true"), "Deepgram"),
        (("8000", "8000&turn_end_threshold=0.9"), "outside 0.05 to 0.5"),
        (("8000", "8000&turn_end_threshold=0.45&turn_eager_end_threshold=0.35"), "must fall"),
        (("8000", "8000&turn_end_timeout_ms=soon"), "outside"),
        (("8000", "8000" + "&keyterm=x" * 101), "101 keyterms"),
        (("8000", "8000&keyterm=" + "x" * 1201), "1201 characters"),
    ],
)
def test_a_wrong_parameter_is_named(change, words):
    subject = drained(url=BASE.replace(*change), headers=HEADERS)
    (finding,) = report(subject, "connection").checks[0].findings
    assert (finding.cause, finding.status) == ("connection.bad-parameter", "fail")
    assert words in finding.summary


def test_an_undocumented_parameter_is_a_warning():
    assert of_url(BASE + "&colour=red") == {"connection.bad-parameter": "warn"}


def test_a_missing_version_matters_only_where_the_handshake_is_known():
    without = {"authorization": "Bearer REDACTED"}
    assert of_url(BASE, without, status=400)["connection.bad-parameter"] == "fail"
    assert of_url(BASE, without) == {"connection.bad-parameter": "warn"}
    assert of_url(BASE, {}) == {}


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"authorization": "Token REDACTED"}, "Deepgram"),
        ({"authorization": "REDACTED"}, "no scheme"),
        ({"xi-api-key": "REDACTED"}, "ElevenLabs"),
        ({"user-agent": "x"}, "no key"),
    ],
)
def test_a_key_in_the_wrong_place(headers, words):
    subject = drained(url=BASE, headers={**headers, "cartesia-version": "2026-03-01"})
    refused = replace(subject, events=(Open(2, 0.1, 401),))
    (diagnosis,) = report(refused, "connection").diagnoses
    assert diagnosis.cause == "connection.bad-auth"
    assert diagnosis.explains == ("connection.rejected",)
    findings = report(replace(refused, events=(Open(2, 0.1, None),)), "connection").checks[0].findings
    assert [f.cause for f in findings] == ["connection.bad-auth"]
    assert words in findings[0].summary


def test_a_key_in_the_url_is_a_warning():
    assert of_url(BASE + "&api_key=REDACTED") == {"connection.key-in-url": "warn"}


@pytest.mark.parametrize(
    ("path", "words"),
    [("/v1/listen", "Deepgram"), ("/stt/turns", "'/stt/turns'"), ("/tts/websocket", "text-to-speech")],
)
def test_a_wrong_path(path, words):
    subject = drained(url=f"wss://api.cartesia.ai{path}?model=ink-2&encoding=pcm_mulaw&sample_rate=8000")
    finding = report(subject, "connection").checks[0].findings[0]
    assert finding.cause == "connection.wrong-path"
    assert words in finding.summary


def test_an_unencrypted_address_of_the_service():
    assert of_url(BASE.replace("wss://", "ws://")) == {"connection.wrong-path": "fail"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, {"connection.rejected"}),
        (403, {"connection.rejected", "connection.bad-auth"}),
        (404, {"connection.rejected", "connection.wrong-path"}),
        (503, {"connection.rejected"}),
    ],
)
def test_a_refused_handshake(status, expected):
    assert set(of_url(BASE, status=status, body='{"title":"no"}')) == expected


def test_too_many_streams_explain_the_refusal():
    subject = Session((Open(1, 0.1, 429, {}, "concurrency_limited"),), url=BASE, headers=HEADERS)
    (diagnosis,) = report(subject).diagnoses
    assert (diagnosis.cause, diagnosis.explains) == ("server.concurrency", ("connection.rejected",))


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
        return [Frame(line + i, start + 0.1 * i, True, 800, binary=True, audio=c) for i, c in enumerate(part)]

    events = (Open(1, 0.0, 101), *rows(chunks[:40], 0.0, 2), Close(50, 4.0, "unknown", 1006))
    events += (Open(51, 4.1, 101), *rows(chunks[20:], 4.2, 52))
    (finding,) = report(Session(events, url=BASE), "connection").checks[0].findings
    assert finding.cause == "connection.reconnected"
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
    refused = report(Session((Open(1, 0.0, 503),)), "connection").checks[0]
    assert [f.cause for f in refused.findings] == ["connection.rejected"]
    neither = report(Session(frames), "connection").checks[0]
    assert neither.status == "unknown" and neither.answer.startswith("The capture has neither URL nor handshake")


def test_the_refused_handshake_is_told_though_an_earlier_one_was_accepted():
    found = report(two(drained(), Session((Open(1, 0.0, 503),))), "connection").checks[0].findings
    assert [f.cause for f in found] == ["connection.rejected"]
    assert found[0].evidence[0].line == 1001


@pytest.mark.parametrize(
    ("body", "words"),
    [(None, "503."), ("", "503."), ("no\n  room", "503: 'no room'."), ("x" * 201, f"503: '{'x' * 200}'.")],
)
def test_the_body_of_a_refusal_is_quoted(body, words):
    (finding,) = judged(opened=Open(7, 0.5, 503, {}, body)).findings
    assert finding.summary == f"The handshake was refused with HTTP status {words}"
    assert (finding.confidence, finding.evidence[0].line, finding.evidence[0].t) == (0.97, 7, 0.5)


@pytest.mark.parametrize(
    ("url", "summary"),
    [
        (BASE + "&colour=red", "the parameter 'colour' is not documented."),
        (BASE + "&min_volume=0.1", "the parameter min_volume belongs to the manual endpoint."),
        (BASE + f"&{'x' * 41}=1", f"the parameter '{'x' * 40}' is not documented."),
        (BASE + "&a=1&b=2", "the parameter 'a' is not documented (and 1 more)."),
        (
            BASE + "&a=1&b=2&a=3&model_id=x",
            "the parameter model_id comes from ElevenLabs; instead use model (and 2 more).",
        ),
        (
            BASE.replace("pcm_mulaw", "flute"),
            "encoding=flute is not one of the six; use pcm_s16le, pcm_s32le, pcm_f16le, pcm_f32le, pcm_mulaw, "
            "pcm_alaw.",
        ),
    ],
)
def test_the_worst_parameter_is_the_sentence(url, summary):
    (finding,) = judged(url).findings
    assert finding.summary == summary
    assert finding.confidence == (0.95 if finding.status == "fail" else 0.7)


def test_a_parameter_of_the_manual_endpoint_is_right_there():
    assert judged(BASE.replace("stt/turns", "stt") + "&min_volume=0.1").status == "pass"
    (finding,) = judged(BASE.replace("stt/turns", "stt") + "&turn_end_timeout_ms=900").findings
    assert finding.summary == "the parameter 'turn_end_timeout_ms' is not documented."


def test_a_long_path_is_cut():
    (finding,) = judged(BASE.replace("stt/turns/websocket", "p" * 100)).findings
    assert (finding.summary, finding.confidence) == (f"The path is '/{'p' * 99}'.", 0.95)


@pytest.mark.parametrize("scheme", ["Basic", "Digest", "token", "a" * 21])
def test_any_scheme_but_bearer_is_a_wrong_place(scheme):
    (finding,) = judged(headers={**HEADERS, "authorization": f"{scheme} REDACTED"}).findings
    assert (finding.cause, finding.status, finding.confidence) == ("connection.bad-auth", "warn", 0.9)
    assert f"has the scheme '{scheme.lower()[:20]}'" in finding.summary


@pytest.mark.parametrize("other", [{"x-api-key": "REDACTED"}, {"xi-api-key": "REDACTED", "x-api-key": "REDACTED"}])
def test_a_key_in_its_place_is_enough(other):
    assert judged(headers={**HEADERS, "authorization": "Basic REDACTED", **other}).status == "pass"


@pytest.mark.parametrize(
    ("gap", "status", "words"), [(0.4, "warn", "nothing seems to be lost"), (0.7, "fail", "0.7 s passed without audio")]
)
def test_a_reconnect_is_judged_by_what_was_lost(gap, status, words):
    shut = session(steady(4), events=turn(1.0, "Hello", end=2.0), close=(4.0, "unknown", 1006))
    (finding,) = report(two(shut, drained(), gap), "connection").checks[0].findings
    assert (finding.status, finding.confidence) == (status, 0.9)
    assert finding.summary == f"The client connected again in mid-session: {words}."
    assert finding.evidence[0].t == pytest.approx(4.0 + gap)

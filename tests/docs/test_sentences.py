"""Every sentence of every report can be read: nothing is left open, and articles, plurals and units are right."""

import sys

import pytest
from builders import URL
from common import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from sentences import FAULTS, faults

from sttdoctor.analysis.facts import Facts
from sttdoctor.api import audio_facts, examine, session_facts
from sttdoctor.checks import all_causes, all_checks
from sttdoctor.checks.base import Finding
from sttdoctor.evidence import Close, Frame, Open, Session, Transcript
from sttdoctor.report import CheckResult, Report
from sttdoctor.thresholds import DEFAULTS

AUDIO_CHECKS = {"container", "encoding", "sample-rate", "channels", "signal", "latency"}
CHEAP = [check.id for check in all_checks() if check.id not in AUDIO_CHECKS]


@pytest.mark.parametrize(
    "text",
    [
        "The server reported an error (): .",
        "It fits when the first 1 bytes are skipped.",
        "A AIFF header of 54 bytes stands in the stream.",
        "It should be ''.",
        "It is None channels.",
        "It takes nan s.",
        "It takes 12.5ms.",
        "Two  spaces.",
        "A word , and a stop.",
        "3 frame is cut.",
        "no capital.",
        "No stop",
        "It says: .",
    ],
)
def test_what_cannot_be_read_is_seen(text):
    finding = Finding("pacing.burst", "fail", 0.9, text, "Do it.")
    check = CheckResult("pacing", "Is it?", "fail", "It is.", (finding,), {}, "https://a.b")
    assert faults(Report({}, (), (check,)))


@pytest.mark.parametrize("cause", all_causes().values(), ids=lambda cause: cause.id)
def test_what_a_cause_says_can_be_read(cause):
    finding = Finding(cause.id, "fail", 0.9, cause.what, cause.fix)
    check = CheckResult("pacing", "Is it?", "fail", "It is.", (finding,), {}, "https://a.b")
    assert faults(Report({}, (), (check,))) == []


@pytest.fixture(scope="module")
def bench():
    pytest.importorskip("soundfile")
    path = str(ROOT / "benchmarks" / "faults")
    sys.path.append(path)
    import faults_bench

    yield faults_bench
    sys.path.remove(path)


@pytest.mark.long
@pytest.mark.parametrize("cause", all_causes())
def test_a_session_with_a_fault(bench, cause):
    facts = next(bench.fault_cases(11, cause, 1, None))
    own = session_facts(bench.jsonl(facts.rows), None, None, None, None)
    assert faults(examine(own, {cause.partition(".")[0], *CHEAP})) == []


_said = st.sampled_from([None, "", " ", "Word", "Two words.", " Three more words", "a: b", 3, 400, 429, [], {}, True])
_time = st.none() | st.floats(-5, 400) | st.sampled_from([0.0, 1.0, 5.0])
_line = st.integers(1, 99)
_KINDS = ["connected", "turn.start", "turn.update", "turn.eager_end", "turn.resume", "turn.end", "error", "transcript"]
_message = st.fixed_dictionaries(
    {"type": st.sampled_from([*_KINDS, "close", "config", "KeepAlive", "finalize", "done", "", "speech_started"])},
    optional=dict.fromkeys(
        ("transcript", "is_final", "request_id", "status_code", "error_code", "title", "message", "turn", "audio"),
        _said,
    ),
)
_event = st.one_of(
    st.builds(
        Open,
        _line,
        _time,
        st.sampled_from([101, 401, 404, 429, 500, None]),
        st.just({}),
        st.sampled_from([None, "", "No."]),
    ),
    st.builds(
        Close,
        _line,
        _time,
        st.sampled_from(["client", "server", "unknown"]),
        st.sampled_from([None, 1000, 1001, 1005, 1006, 1009, 1011, 1013, 4000]),
        st.sampled_from(["", " ", "Bye.", "ping timeout"]),
    ),
    st.builds(Frame, _line, _time, st.booleans(), st.integers(0, 9), binary=st.just(True)),
    st.builds(
        lambda line, t, audio: Frame(line, t, True, len(audio), binary=True, content=audio),
        _line,
        _time,
        st.binary(max_size=40),
    ),
    st.builds(Frame, _line, _time, st.booleans(), st.integers(0, 50), message=_message | _said),
    st.builds(Frame, _line, _time, st.booleans(), st.integers(0, 50), text=st.sampled_from(["", " ", "x", "finalize"])),
)
_PARAMETERS = [
    "model=",
    "model=ink-whisper",
    "encoding=linear16",
    "encoding=",
    "sample_rate=x",
    "channels=1",
    "keyterm=",
]
_PARAMETERS += ["turn_end_threshold=9", "turn_start_threshold=", "language=", "language=de", "api_key=", "x=", "mode=a"]
_query = st.lists(st.sampled_from(_PARAMETERS), max_size=4).map("&".join)
_BASES = [URL, "wss://api.cartesia.ai/stt/turns/websocket", "ws://api.cartesia.ai/v1/listen", "wss://x/stt/websocket"]
_url = st.none() | st.tuples(st.sampled_from(_BASES), _query).map("&".join)
_headers = st.dictionaries(
    st.sampled_from(["authorization", "x-api-key", "xi-api-key", "cartesia-version"]),
    st.sampled_from(["", "Bearer", "Bearer ", "Token x", "REDACTED", "undefined"]),
    max_size=2,
)


@settings(max_examples=200)
@given(
    st.lists(_event, max_size=14),
    _url,
    _headers,
    st.sampled_from(["client", "none"]),
    st.sampled_from([None, "", "Word", "Two words. Three more words"]),
    st.frozensets(st.sampled_from(["send", "receive", "audio", "text", "headers", "close"]), max_size=2),
)
def test_any_session(events, url, headers, clock, transcript, lacks):
    text = Transcript(transcript) if transcript is not None else None
    session = Session(tuple(events), url=url, headers=headers, clock=clock, transcript=text, lacks=lacks)
    assert faults(examine(Facts(DEFAULTS, session=session))) == []


@settings(max_examples=40)
@given(
    st.binary(min_size=1, max_size=40) | st.integers(1, 3000).map(bytes) | st.sampled_from([b"\xff" * 999, b"RIFF"]),
    st.sampled_from([None, "pcm_s16le", "pcm_mulaw", "linear16"]),
    st.sampled_from([None, 1, 8000, 16000]),
)
def test_any_audio(data, encoding, rate):
    assert faults(examine(audio_facts(data, encoding, rate, None))) == []


def test_every_kind_of_fault_has_a_name():
    assert len(FAULTS) == len(set(FAULTS.values()))

"""What must hold for all sessions: a healthy one stays healthy, and no events make a check raise."""

import json
from dataclasses import replace

import numpy as np
import pytest
from builders import URL
from common import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.analysis.facts import Facts
from sttdoctor.api import examine
from sttdoctor.evidence import Close, Frame, Open, Session, Transcript
from sttdoctor.readers.capture import read_capture
from sttdoctor.thresholds import DEFAULTS

SESSIONS = FIXTURES / "sessions"
HEALTHY = read_capture(SESSIONS / "healthy-several-turns.jsonl")
SOUNDLESS = ["connection", "endpoint", "messages", "chunking", "pacing", "continuity", "drain", "joining", "turns"]


def wrong(session, select=()):
    report = examine(Facts(DEFAULTS, session=session), select)
    json.loads(report.to_json())
    return {check.id: check.answer for check in report.checks if check.crashed or check.status in ("warn", "fail")}


def test_the_session_that_the_properties_start_from_is_healthy():
    assert wrong(HEALTHY) == {}


@settings(max_examples=10)
@given(st.floats(-1e6, 1e6))
def test_a_shift_in_time(shift):
    moved = tuple(event if event.t is None else replace(event, t=event.t + shift) for event in HEALTHY.events)
    assert wrong(replace(HEALTHY, events=moved), [*SOUNDLESS, "server", "latency"]) == {}


_unknown = st.one_of(
    st.dictionaries(st.sampled_from(["kind", "x"]), st.integers()),
    st.sampled_from(["mood", "turn.mood", "metrics", ""]).map(lambda kind: {"type": kind}),
    st.lists(st.integers(), max_size=3),
    st.text(max_size=5),
)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.floats(0, 1), _unknown), max_size=5),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=3),
)
def test_unknown_events_and_keys(extra, keys):
    events = [
        replace(e, message={**keys, **e.message}) if isinstance(e, Frame) and isinstance(e.message, dict) else e
        for e in HEALTHY.events
    ]
    for place, message in extra:
        index = 2 + int(place * (len(events) - 4))
        events.insert(index, Frame(0, events[index].t, False, 5, message=message))
    assert wrong(replace(HEALTHY, events=tuple(events)), SOUNDLESS) == {}


@settings(max_examples=20)
@given(st.sampled_from([0.02, 0.04, 0.06, 0.1, 0.15, 0.2]))
def test_frames_split_or_merged_within_20_to_200_ms(chunk_s):
    frames = [e for e in HEALTHY.events if isinstance(e, Frame) and e.sent and e.binary]
    data, start = b"".join(frame.audio for frame in frames), frames[0].t
    size = int(chunk_s * 8000)
    cut = [
        Frame(0, start + i / 8000, True, len(data[i : i + size]), binary=True, content=data[i : i + size])
        for i in range(0, len(data), size)
    ]
    rest = [e for e in HEALTHY.events if not (isinstance(e, Frame) and e.sent and e.binary)]
    command = next(e for e in rest if isinstance(e, Frame) and e.sent)
    before = [e for e in rest if e.t < command.t] + [e for e in cut if e.t < command.t]
    last = [replace(e, t=command.t) for e in cut if e.t >= command.t]
    events = [*sorted(before, key=lambda e: e.t), *last, *(e for e in rest if e.t >= command.t)]
    assert wrong(replace(HEALTHY, events=tuple(events))) == {}


_time = st.one_of(st.none(), st.floats(-1e9, 1e9), st.sampled_from([0.0, 1.0, 1.0, 5.0, 200.0]))
_text = st.text(max_size=12)
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 600), st.floats(allow_nan=False), _text),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(_text, inner, max_size=2)),
    max_leaves=4,
)
_types = [
    "connected",
    "turn.start",
    "turn.update",
    "turn.eager_end",
    "turn.resume",
    "turn.end",
    "error",
    "transcript",
    "close",
]
_message = st.one_of(
    _json,
    st.fixed_dictionaries(
        {"type": st.sampled_from([*_types, "config", "KeepAlive", "flush_done", "done"])},
        optional={"transcript": _json, "text": _json, "is_final": _json, "request_id": _json, "status_code": _json},
    ),
)
_event = st.one_of(
    st.builds(
        Open,
        st.integers(0, 99),
        _time,
        st.sampled_from([101, 401, 404, 429, 500, None]),
        st.just({}),
        st.none() | _text,
    ),
    st.builds(
        Close,
        st.integers(0, 99),
        _time,
        st.sampled_from(["client", "server", "unknown"]),
        st.none() | st.integers(0, 5000),
        _text,
    ),
    st.builds(Frame, st.integers(0, 99), _time, st.booleans(), st.integers(0, 9000), binary=st.just(True)),
    st.builds(
        lambda line, t, audio: Frame(line, t, True, len(audio), binary=True, content=audio),
        st.integers(0, 99),
        _time,
        st.binary(max_size=900),
    ),
    st.builds(Frame, st.integers(0, 99), _time, st.booleans(), st.integers(0, 50), message=_message),
    st.builds(Frame, st.integers(0, 99), _time, st.booleans(), st.integers(0, 50), text=_text),
)
_url = st.one_of(
    st.none(),
    st.just(URL),
    st.just("wss://x/stt/websocket?encoding=pcm_s16le&sample_rate=16000&language=de"),
    st.text(max_size=40),
    st.text(max_size=20).map(lambda text: URL + "&" + text),
)


@settings(max_examples=150)
@given(
    st.lists(_event, max_size=30),
    _url,
    st.sampled_from(["client", "none", "server"]),
    st.none() | st.text(max_size=30),
    st.frozensets(st.sampled_from(["send", "receive", "audio", "text", "headers", "close"]), max_size=2),
)
def test_no_events_make_a_check_raise(events, url, clock, transcript, lacks):
    text = Transcript(transcript) if transcript is not None else None
    session = Session(tuple(events), url=url, clock=clock, transcript=text, lacks=lacks)
    report = examine(Facts(DEFAULTS, session=session))
    assert [f"{check.id}: {check.answer}" for check in report.checks if check.crashed] == []
    json.loads(report.to_json())


@pytest.mark.parametrize("events", [(), (Open(1, 0.0, 101),), (Close(1, 0.0, "client", 1000),)])
def test_almost_nothing_gets_a_report(events):
    assert wrong(Session(events)) == {}


def test_an_hour_of_silence_is_judged():
    frames = tuple(Frame(i, i * 0.1, True, 800, binary=True, content=bytes([255]) * 800) for i in range(3600))
    found = wrong(Session(frames, url=URL), SOUNDLESS)
    assert found == {}
    assert np.isfinite(Facts(DEFAULTS, session=Session(frames, url=URL)).longest_speed.ratio)

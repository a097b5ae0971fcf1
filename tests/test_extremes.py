"""Whatever a capture holds and a user sets: no check crashes, nothing warns, every form of a report can be made."""

import json
from dataclasses import replace

import numpy as np
import pytest
from builders import URL
from common import FIXTURES, HEADER, OPEN, jsonl
from hypothesis import given, settings
from hypothesis import strategies as st

from sttdoctor.analysis.facts import Facts
from sttdoctor.api import audio_facts, examine, session_facts
from sttdoctor.encodings import SUPPORTED
from sttdoctor.evidence import Frame, Session
from sttdoctor.readers.capture import read_capture
from sttdoctor.reporting import FORMATS
from sttdoctor.reporting.data.collect import collect
from sttdoctor.reporting.figures.pictures import picture
from sttdoctor.reporting.figures.sheet import drawings
from sttdoctor.thresholds import DEFAULTS, THRESHOLDS
from sttdoctor.triage.row import COLUMNS, is_row, row_of
from sttdoctor.triage.table import line_of, row_of_line
from sttdoctor.triage.task import Task

HEALTHY = read_capture(FIXTURES / "sessions" / "healthy-several-turns.jsonl")


SPEECH = (FIXTURES / "audio" / "s16-16k.raw").read_bytes()


def crashed(facts, select=()):
    return [f"{check.id}: {check.answer}" for check in examine(facts, select).checks if check.crashed]


def shown(facts, figures=True):
    """Every form of a report, and a row of a table; nothing of them may warn or fail."""
    report = examine(facts)
    assert [f"{check.id}: {check.answer}" for check in report.checks if check.crashed] == []
    exhibits = collect(facts, report) if figures else None
    options = {"width": 79, "colour": False, "verbose": True, "failing": {"fail"}, "exhibits": exhibits}
    texts = {
        name: form.render(report, **options)
        for name, form in FORMATS.items()
        if figures or "exhibits" not in form.takes
    }
    json.loads(texts["json"], parse_constant=pytest.fail)
    row = row_of(Task("a"), facts, report) | {"seconds": 0.0}
    assert is_row(row) and row_of_line(line_of(row[name] for name in COLUMNS)) == row
    if figures:
        assert exhibits.failed == ()
        if list(drawings(exhibits)):
            assert picture(report, exhibits, ".png").startswith(b"\x89PNG")
    return texts


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_no_limit_at_one_of_its_bounds_makes_a_check_crash(name):
    bounds = next(limit.bounds for limit in THRESHOLDS if limit.name == name)
    for bound in bounds:
        assert crashed(Facts(DEFAULTS | {name: bound}, session=HEALTHY), [name.partition(".")[0]]) == []


@settings(max_examples=6)
@given(st.fixed_dictionaries({limit.name: st.sampled_from(limit.bounds) for limit in THRESHOLDS}))
def test_no_limits_together_make_a_check_crash(limits):
    assert crashed(Facts(limits, session=HEALTHY)) == []


@pytest.mark.parametrize("rate", [1, 2, 8, 100, 999, 1_000_000])
@pytest.mark.parametrize("encoding", [*sorted(SUPPORTED), None])
def test_no_sample_rate_makes_a_check_crash(encoding, rate):
    for length in (1, 48, 640, 6400):
        assert crashed(audio_facts(SPEECH[:length], encoding, rate, None)) == []


@settings(max_examples=40)
@given(st.binary(min_size=1, max_size=3000), st.sampled_from([*sorted(SUPPORTED), None]), st.integers(1, 1_000_000))
def test_no_bytes_make_a_check_crash(data, encoding, rate):
    assert crashed(audio_facts(data, encoding, rate, None)) == []


@pytest.mark.parametrize(
    "values", [[np.nan, np.inf, -np.inf], [3e38, -3e38], [1e-45, 0.0], [1e30, 1e-30], [0.0, np.nan]]
)
def test_no_floats_make_a_check_crash(values):
    data = np.resize(np.array(values, "<f4"), 8000).tobytes()
    shown(audio_facts(data, "pcm_f32le", 16000, None), figures=False)


def test_a_sample_rate_of_millions_is_survived():
    url = URL.replace("sample_rate=8000", "sample_rate=10000000")
    assert crashed(Facts(DEFAULTS, session=replace(HEALTHY, url=url))) == []


YEAR_S = 3.2e7


@pytest.mark.parametrize(
    ("scale", "shift"),
    [(0.0, 0.0), (1e-9, 0.0), (YEAR_S / 10, -100 * YEAR_S), (-1.0, 100 * YEAR_S)],
)
def test_times_at_the_limits_can_be_shown(scale, shift):
    moved = tuple(event if event.t is None else replace(event, t=event.t * scale + shift) for event in HEALTHY.events)
    shown(Facts(DEFAULTS, session=replace(HEALTHY, events=moved)))


@pytest.mark.parametrize("t", [1e308, -1e308, 1e300, 1e18])
def test_a_time_that_is_none_makes_no_report_fail(t):
    rows = [HEADER, {**OPEN, "t": -t}, {"type": "send", "t": 1, "bytes": 640}, {"type": "send", "t": t, "bytes": 640}]
    shown(session_facts(jsonl(*rows), None, None, None, None))


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            lambda t, size: Frame(3, t, True, size, binary=True),
            st.floats(-100 * YEAR_S, 100 * YEAR_S),
            st.sampled_from([0, 1, 640, 10**9, 2**40]),
        ),
        max_size=12,
    ),
    st.sampled_from([1, 8000, 10**6]),
)
def test_no_frames_make_a_report_fail(frames, rate):
    url = URL.replace("sample_rate=8000", f"sample_rate={rate}")
    shown(Facts(DEFAULTS, session=Session(tuple(frames), url=url)), figures=False)


def test_what_a_capture_leaves_empty_is_an_empty_cell():
    header = {**HEADER, "url": URL.replace("pcm_mulaw", ""), "client": "", "started_at": ""}
    message = {"type": "receive", "t": 1, "json": {"type": "turn.start", "request_id": ""}}
    shown(session_facts(jsonl(header, OPEN, message), None, None, None, None), figures=False)

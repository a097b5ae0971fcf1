"""The shipped JSON Schemas describe what is written."""

import json

import pytest
from common import FIXTURES
from schemas import undescribed, validator

import sttdoctor
from sttdoctor.comparison import compare_with_older
from sttdoctor.readers.capture import read_capture
from sttdoctor.readers.session_jsonl import write_rows

ENTRIES = json.loads((FIXTURES / "manifest.json").read_text())
SESSIONS = [entry["path"] for entry in ENTRIES if entry["kind"] == "session"]


def test_the_report_schema_tells_what_every_key_means():
    assert undescribed(validator("report").schema) == []


@pytest.mark.parametrize(
    "change",
    [
        {"news": 1},
        {"status": "fine"},
        {"diagnoses": [{"cause": "pacing.burst"}]},
        {"against": {"path": None, "status": "pass", "differences": [{"check": "pacing"}]}},
    ],
)
def test_what_is_no_report_is_refused(change):
    report = sttdoctor.check(FIXTURES / "audio" / "s16-16k.raw", select=["container"]).to_dict()
    strict = validator("report", strict=True)
    assert strict.is_valid(report) and not strict.is_valid({**report, **change})


def test_a_report_with_a_comparison():
    report = sttdoctor.replay(FIXTURES / "sessions" / "stream-muted.jsonl", select=["continuity"])
    other = sttdoctor.replay(FIXTURES / "sessions" / "healthy-jitter.jsonl", select=["continuity"])
    values = json.loads(compare_with_older(report, other).to_json())
    assert values["against"]["differences"]
    validator("report", strict=True).validate(values)


@pytest.mark.parametrize("path", SESSIONS[::8])
def test_sessions_as_they_are_written(path):
    rows = validator("session")
    for row in write_rows(read_capture(FIXTURES / path)):
        rows.validate(json.loads(row))


@pytest.mark.parametrize("row", [{}, {"type": "news"}, {"type": "send"}, {"type": "send", "audio": "", "bytes": 3}])
def test_what_is_no_row_is_refused(row):
    assert not validator("session").is_valid(row)

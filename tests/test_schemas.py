"""The shipped JSON Schemas describe what is written."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

import sttdoctor
from sttdoctor.readers import read_capture
from sttdoctor.session_jsonl import write_rows

FIXTURES = Path(__file__).parent.parent / "fixtures"
ENTRIES = json.loads((FIXTURES / "manifest.json").read_text())
SESSIONS = [entry["path"] for entry in ENTRIES if entry["kind"] == "session"]


def validator(name):
    schema = json.loads(files("sttdoctor").joinpath("schemas", f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", [*SESSIONS[::6], "audio/s16-16k.raw", "audio/silence.raw", "audio/u8.raw"])
def test_reports(path):
    judge = sttdoctor.check if path.startswith("audio") else sttdoctor.replay
    validator("report").validate(json.loads(judge(FIXTURES / path).to_json()))


@pytest.mark.parametrize("path", SESSIONS[::8])
def test_sessions_as_they_are_written(path):
    rows = validator("session")
    for row in write_rows(read_capture(FIXTURES / path)):
        rows.validate(json.loads(row))


@pytest.mark.parametrize("row", [{}, {"type": "news"}, {"type": "send"}, {"type": "send", "audio": "", "bytes": 3}])
def test_what_is_no_row_is_refused(row):
    assert not validator("session").is_valid(row)

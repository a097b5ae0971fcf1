"""Every shipped fixture gets the diagnosis that its manifest promises, in a report that its schema describes."""

import json

import pytest
from common import FIXTURES
from schemas import validator
from sentences import faults

import sttdoctor
from sttdoctor.guides import load_guide

ENTRIES = json.loads((FIXTURES / "manifest.json").read_text())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["path"])
def test_the_first_diagnosis_is_right(entry):
    path = FIXTURES / entry["path"]
    judge = {"audio": lambda: sttdoctor.check(path, **entry["declared"]), "session": lambda: sttdoctor.replay(path)}
    report = judge[entry["kind"]]()
    assert [check.answer for check in report.checks if check.crashed] == []
    first = report.diagnoses[0].cause if report.diagnoses else None
    assert (report.status, first) == (entry["expected"]["status"], entry["expected"]["first_cause"])
    validator("report", strict=True).validate(json.loads(report.to_json()))
    assert faults(report) == []
    unnamed = [set(check.measurements) - set(load_guide(check.id).measurements) for check in report.checks]
    assert not any(unnamed), unnamed


def test_all_fixtures_together_stay_small():
    assert (
        sum(path.stat().st_size for path in FIXTURES.rglob("*") if path.is_file() and path.suffix != ".pyc")
        < 16_000_000
    )

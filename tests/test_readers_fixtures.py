"""Captures by the real tools give the verdicts of the session that the server recorded of the same run."""

import json
from functools import cache
from pathlib import Path

import pytest
from conftest import FIXTURES

import sttdoctor
from sttdoctor.readers import read_capture

CAPTURES = FIXTURES / "captures"
LOGS = {"websockets.log", "sdk.log", "both.log"}
UNTOLD = {
    "chromium.har": {"drain"},
    "playwright.har": {"drain"},
    "mitmproxy.har": {"drain"},
    "websockets.log": {"container", "encoding", "sample-rate", "channels", "signal", "frames", "joining", "latency"},
    "both.log": {"container", "encoding", "sample-rate", "channels", "signal", "frames", "latency"},
    "sdk.log": {
        "container",
        "encoding",
        "sample-rate",
        "channels",
        "signal",
        "frames",
        "messages",
        "chunking",
        "pacing",
    }
    | {"continuity", "drain", "latency"},
}
FILES = sorted(path for path in CAPTURES.iterdir() if not path.name.endswith(".session.jsonl"))


@cache
def report(path: Path, transcript: str | None):
    return sttdoctor.replay(path, transcript=transcript)


def verdicts(report):
    return {check.id: (check.status, [finding.cause for finding in check.findings]) for check in report.checks}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_verdicts_agree_wherever_the_format_carries_the_evidence(path):
    case, _, tool = path.name.partition("-")
    kind = "logs" if tool in LOGS else tool.partition(".")[0]
    reference = CAPTURES / f"{case}-{kind}.session.jsonl"
    stored = read_capture(reference).transcript
    text = stored.text if stored else None
    expected, judged = verdicts(report(reference, text)), verdicts(report(path, text))
    differing = {check for check in expected if judged[check] != expected[check]}
    assert differing <= UNTOLD[tool] and all(judged[check][0] == "unknown" for check in differing)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_key_of_the_recording_is_in_no_report(path):
    assert "local_test" not in json.dumps([repr(read_capture(path))])


def test_captures_stay_small():
    assert sum(path.stat().st_size for path in CAPTURES.iterdir()) < 2_000_000

"""Captures by the real tools give the verdicts of the session that the server recorded of the same run."""

import json
from functools import cache
from pathlib import Path

import pytest
from common import FIXTURES

import sttdoctor
from sttdoctor.readers.capture import read_capture

CAPTURES = FIXTURES / "captures"
REFERENCES = {
    **dict.fromkeys(("websockets", "sdk", "both"), "logs"),
    **dict.fromkeys(("jsonlogger", "structlog-json", "structlog-console", "rich", "utf16"), "dressed"),
    **dict.fromkeys(("pipecat-debug", "pipecat-trace"), "pipecat"),
    **dict.fromkeys(("flow", "tcpdump"), "wire"),
    **dict.fromkeys(("attach", "trace", "net-log", "devtools"), "browser"),
}
PROGRAM = ("print", "logging", "pprint", "structlog", "events", "table", "received")
REFERENCES |= dict.fromkeys(PROGRAM, "program")
SOUND = {"container", "encoding", "sample-rate", "channels", "signal"}
ELIDED = SOUND | {"frames", "joining", "latency"}
UNTOLD = {
    "chromium.har": {"drain"},
    "playwright.har": {"drain"},
    "mitmproxy.har": {"drain"},
    "websockets.log": ELIDED,
    "both.log": SOUND | {"frames", "latency"},
    "sdk.log": SOUND | {"frames", "messages", "chunking", "pacing", "continuity", "drain", "latency"},
    "jsonlogger.log.gz": ELIDED,
    "structlog-json.log.gz": ELIDED,
    "structlog-console.log.gz": ELIDED,
    "rich.log.gz": ELIDED | {"chunking", "pacing", "continuity"},
    "utf16.log.gz": ELIDED,
    "websocket-client.log.gz": set(),
    "pipecat-debug.log": {"messages", "chunking", "pacing", "continuity", "drain"},
    "pipecat-trace.log.gz": {"drain"},
    "flow.mitm.gz": set(),
    "tcpdump.pcap.gz": set(),
    "net-log.json.gz": set(),
    "devtools.json.gz": set(),
    "attach.har.zip": {"drain"},
    "trace.zip": {"drain"},
}
UNSENT = {"sample-rate", "messages", "chunking", "pacing", "continuity", "latency"}
UNCLOSED = UNSENT | {"connection", "drain", "turns", "server"}
UNTOLD |= {
    "print.log": {"messages", "drain"},
    "logging.log": UNCLOSED,
    "pprint.log": UNSENT | {"drain"},
    "structlog.log": {"messages", "drain"},
    "events.json.log": {"messages", "drain"},
    "table.log": UNCLOSED,
    "received.jsonl": UNCLOSED,
    "node-objects.log": UNSENT,
    "node-labelled.log": {"drain"},
    "node-words.log": UNSENT,
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
    kind = tool.partition(".")[0]
    kind = REFERENCES.get(kind, kind)
    reference = CAPTURES / f"{case}-{kind}.session.jsonl"
    stored = read_capture(reference).transcript
    text = stored.text if stored else None
    expected, judged = verdicts(report(reference, text)), verdicts(report(path, text))
    differing = {check for check in expected if judged[check] != expected[check]}
    assert differing <= UNTOLD[tool]
    # a log without the close has what an error event says, and not how the server closed after it
    assert all(judged[c][0] == "unknown" or set(judged[c][1]) < set(expected[c][1]) for c in differing)
    assert all(judged[c][0] in ("unknown", expected[c][0]) for c in differing)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_key_of_the_recording_is_in_no_report(path):
    assert "local_test" not in json.dumps([repr(read_capture(path))])


def test_captures_stay_small():
    assert sum(path.stat().st_size for path in CAPTURES.iterdir()) < 4_200_000

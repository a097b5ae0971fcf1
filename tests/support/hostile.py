"""Hostile text in every place of a capture or a report that can hold text of somebody else."""

import unicodedata
from functools import cache

from common import HEADER, OPEN, URL, jsonl
from hypothesis import strategies as st

import sttdoctor
from sttdoctor.checks.base import Evidence, Finding
from sttdoctor.report import CheckResult, Diagnosis, Report

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"
MARKDOWN = (
    "[a](http://b.example) ![i](c) **bold** `code` | cell | <!-- @someone #12 GH-3 :tada: www.example.com $x^2$ ~~s~~"
)
TERMINAL = "\x1b[31mred\x1b]0;x\x07 \u202eabc\u2066 nul\0 \ud800 \x9b2J\r\nnew line"
XML = "]]><![CDATA[ &amp; &#0; <!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y; \ufffe\uffff"
TEXTS = {"script": SCRIPT, "markdown": MARKDOWN, "terminal": TERMINAL, "xml": XML, "long": "a" * 200_000}
PIECES = [
    *"\\`*_[]<>|~&!$^#@:-+=.()1 \n\ta",
    "http://a.example",
    "www.a.example",
    "a@b.example",
    "```",
    "<b>",
    "&lt;",
    "]]>",
    "\x00",
    "\u202e",
    "\ud800",
]

# no longer than what every place of a report shows whole
texts = (
    st.text(st.characters(codec=None), min_size=1, max_size=40)
    | st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map(
        lambda parts: "".join(parts)[:80]
    )  # else shortened
).filter(str.strip)


def session(text: str) -> bytes:
    """A session in which everything that can be text is this one."""
    return jsonl(
        {**HEADER, "client": text, "source": text, "schema": text, "url": URL.replace("pcm_s16le", "%1b[31m%3Cb%3E")},
        {**OPEN, "status": 400, "body": text, "headers": {text: text}},
        {"type": "send", "t": 1, "json": {"type": text}},
        {"type": "send", "t": 1.1, "text": text},
        {"type": "receive", "t": 1.15, "json": {"type": "turn.start", "request_id": text}},
        {"type": "receive", "t": 1.2, "json": {"type": "error", "message": text, "code": text, "title": text}},
        {"type": "receive", "t": 1.3, "json": {"type": "turn.end", "request_id": text, "transcript": text}},
        {"type": "close", "t": 2, "by": "server", "code": 1011, "reason": text},
        {"type": "transcript", "text": text + " more"},
    )


@cache
def judged(name: str) -> Report:
    """The report of a session full of one of `TEXTS`."""
    return sttdoctor.replay(session(TEXTS[name]))


def report(text: str) -> Report:
    """A report with this text wherever one of a capture can stand."""
    subject = {
        "kind": "session",
        "path": text,
        "client": text,
        "request_ids": [text],
        "declared": {"encoding": text, "sample_rate": 8000},
        "estimated": {"encoding": "pcm_s16le", "sample_rate": None, "sample_rates": None, "channels": 1},
        "transcript": {"expected": text, "got": text, "turns": [text]},
        "capture": {"damaged_lines": 1, "damage": [{"line": 1, "note": text}]},
    }
    finding = Finding("pacing.burst", "fail", 0.9, text, text, (Evidence(text), Evidence(text, 1)))
    checks = tuple(
        CheckResult(status, "Is it so?", status, text, found, {"what": text}, "https://docs.example", crashed)
        for status, found, crashed in (
            ("fail", (finding,), False),
            ("unknown", (), False),
            ("unknown", (), True),
            ("not_applicable", (), False),
            ("pass", (), False),
            ("warn", (), False),
        )
    )
    difference = {"check": "pacing", "what": text, "this": text, "other": text}
    told = [{"what": what, "this": text, "other": text, "better": "this"} for what in ("format", "text")]
    against = {"path": text, "status": "pass", "summary": told, "differences": [difference]}
    listen = {"convert": text, "declared": text, "estimated": text + " "}
    return Report(subject, (Diagnosis(finding),), checks, listen, against)


def controls(text: str) -> set[str]:
    """What in a text could control a terminal or reorder its line."""
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}

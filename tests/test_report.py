import json

import pytest

from sttdoctor import __version__
from sttdoctor.checks.base import Evidence, Finding
from sttdoctor.report import CheckResult, Diagnosis, Report

SUBJECT = {"kind": "audio", "path": None, "bytes": 3}
FINDING = Finding(
    "pacing.too-fast", "fail", 0.9, "Twice as fast.", "Slow down.", (Evidence("here", 12, 3.2), Evidence("x", offset=0))
)


def result(status, findings=()):
    return CheckResult("pacing", "Question?", status, "Answer.", tuple(findings), {"ratio": 2.0}, "https://a.b")


def report(*statuses):
    return Report(SUBJECT, (), tuple(result(status) for status in statuses))


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["pass", "fail", "warn", "unknown"], "fail"),
        (["pass", "warn", "unknown"], "warn"),
        (["unknown", "pass", "not_applicable"], "pass"),
        (["unknown", "not_applicable"], "unknown"),
        (["not_applicable"], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_status_is_the_worst_that_was_judged(statuses, expected):
    assert report(*statuses).status == expected


def missing(status, noun=""):
    return CheckResult("pacing", "Question?", status, "Answer.", (), {}, "https://a.b", missing=noun)


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([], "Nothing could be judged."),
        ([missing("not_applicable")], "Nothing could be judged."),
        ([missing("pass")], "The check passed."),
        ([missing("fail"), missing("not_applicable")], "The check failed."),
        ([missing("pass")] * 2, "Both checks passed."),
        ([missing("warn"), missing("fail")], "Checks: 1 failed, 1 warned."),
        ([missing("pass"), missing("fail")], "Checks: 1 failed, 1 passed."),
        ([missing("pass"), missing("unknown")], "Checks: 1 passed, 1 not judged (pacing)."),
        (
            [missing("fail"), missing("unknown", "times"), missing("unknown", "times")],
            "Checks: 1 failed, 2 not judged (pacing and pacing).",
        ),
        (
            [missing("pass"), *(missing("unknown", noun) for noun in "abcd")],
            "Checks: 1 passed, 4 not judged (pacing, pacing, pacing and more).",
        ),
        (
            [missing("unknown", "a"), missing("unknown", "b")],
            "Nothing could be judged (missing: a and b).",
        ),
    ],
)
def test_the_tally_says_how_many_found_no_fault_and_what_was_missing(checks, expected):
    assert Report(SUBJECT, (), tuple(checks)).tally == expected


def test_the_tally_names_joining_first_of_what_was_not_judged():
    names = ("pacing", "signal", "frames", "turns", "joining")
    checks = tuple(CheckResult(name, "?", "unknown", "", (), {}, "") for name in names)
    passed = CheckResult("language", "?", "pass", "", (), {}, "")
    assert "5 not judged (joining, pacing, signal and more)" in Report(SUBJECT, (), (passed, *checks)).tally


def test_the_json_form():
    diagnosis = Diagnosis(FINDING, ("chunking.too-small",))
    listen = {"declared": None, "estimated": "ffplay x"}
    whole = Report(SUBJECT, (diagnosis,), (result("fail", [FINDING]),), listen)
    finding = {
        "cause": "pacing.too-fast",
        "status": "fail",
        "confidence": 0.9,
        "summary": "Twice as fast.",
        "fix": "Slow down.",
    }
    evidence = [
        {"line": 12, "t": 3.2, "offset": None, "note": "here"},
        {"line": None, "t": None, "offset": 0, "note": "x"},
    ]
    assert json.loads(whole.to_json()) == {
        "schema": "sttdoctor.report/1",
        "version": __version__,
        "status": "fail",
        "tally": "The check failed.",
        "subject": SUBJECT,
        "diagnoses": [{**finding, "explains": ["chunking.too-small"]}],
        "checks": [
            {
                "id": "pacing",
                "question": "Question?",
                "status": "fail",
                "answer": "Answer.",
                "findings": [{**finding, "evidence": evidence}],
                "measurements": {"ratio": 2.0},
                "docs": "https://a.b",
            }
        ],
        "listen": listen,
    }


def test_a_comparison_is_a_further_key():
    assert "against" not in report("pass").to_dict()
    assert Report(SUBJECT, (), (), against={"path": "b"}).to_dict()["against"] == {"path": "b"}


def test_json_is_ascii_so_that_it_cannot_control_a_terminal():
    hostile = Report({**SUBJECT, "path": "\x1b[31m\u202e\ud800\x9b"}, (), ())
    text = hostile.to_json()
    assert text.isascii() and "\x1b" not in text
    assert json.loads(text)["subject"]["path"] == hostile.subject["path"]


def test_a_number_that_json_has_no_word_for_is_not_told():
    odd = Report({**SUBJECT, "duration_s": float("inf")}, (), (), {}, {"other": [float("nan"), 1.5]})
    values = json.loads(odd.to_json(), parse_constant=pytest.fail)
    assert values["subject"]["duration_s"] is None and values["against"] == {"other": [None, 1.5]}

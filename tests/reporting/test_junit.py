import re
from xml.etree import ElementTree

import hostile
import pytest
from common import FIXTURES
from hypothesis import given, settings

import sttdoctor
from sttdoctor.checks.base import Evidence, Finding
from sttdoctor.report import CheckResult, Diagnosis, Report
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.reporting.junit import render

# What the schemas of Ant (JUnit.xsd) and of Jenkins (junit-10.xsd) both take:
# element: (attributes that must be there, that may be there, children in their order, of which one at most).
SUITE = {"name", "timestamp", "hostname", "package", "id", "tests", "failures", "errors", "time"}
STRUCTURE = {
    "testsuites": (set(), set(), ["testsuite"], set()),
    "testsuite": (
        SUITE,
        {"skipped"},
        ["properties", "testcase", "system-out", "system-err"],
        {"properties", "system-out", "system-err"},
    ),
    "properties": (set(), set(), ["property"], set()),
    "property": ({"name", "value"}, set(), [], set()),
    "testcase": ({"name", "classname", "time"}, set(), ["skipped", "error", "failure"], set()),
    "skipped": (set(), {"message"}, [], set()),
    "error": ({"type"}, {"message"}, [], set()),
    "failure": ({"type"}, {"message"}, [], set()),
    "system-out": (set(), set(), [], set()),
    "system-err": (set(), set(), [], set()),
}
DECIMAL = re.compile(r"[0-9]+\.[0-9]{3}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")


def parsed(text):
    """The root, after asserting that every element is one that readers know, where they expect it."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        required, allowed, children, single = STRUCTURE[element.tag]
        assert required <= set(element.attrib) <= required | allowed
        places = [children.index(child.tag) for child in element]
        assert places == sorted(places)
        assert all(len(element.findall(tag)) == 1 for tag in single)
        assert element.tag != "testcase" or len(element) <= 1
        assert "time" not in element.attrib or DECIMAL.fullmatch(element.get("time"))
    (suite,) = root
    assert TIME.fullmatch(suite.get("timestamp")) and suite.get("name")
    counted = {tag: str(len(list(suite.iter(tag)))) for tag in ("testcase", "failure", "error", "skipped")}
    given = zip(counted, ("tests", "failures", "errors", "skipped"), strict=True)
    assert counted == {tag: suite.get(name) for tag, name in given}
    return root


def case(status, findings=(), crashed=False):
    result = CheckResult(
        "pacing", "At the right pace?", status, "So.", tuple(findings), {}, "https://a.b", crashed, 0.25
    )
    diagnoses = tuple(Diagnosis(finding) for finding in findings)
    subject = {"path": "a.jsonl", "declared": FORMAT, "estimated": {**FORMAT, "sample_rates": None}}
    return Report(subject, diagnoses, (result,))


FORMAT = {"encoding": None, "sample_rate": None}
FINDING = Finding("pacing.burst", "warn", 0.9, "A burst.", "Pace it.", (Evidence("here", 3),))


@pytest.mark.parametrize(
    ("status", "failing", "becomes"),
    [
        ("pass", {"fail"}, []),
        ("fail", {"fail"}, ["failure"]),
        ("warn", {"fail"}, []),
        ("warn", {"fail", "warn"}, ["failure"]),
        ("unknown", {"fail", "warn"}, ["skipped"]),
        ("unknown", {"fail", "warn", "unknown"}, ["failure"]),
        ("not_applicable", {"fail", "warn", "unknown"}, ["skipped"]),
    ],
)
def test_what_a_status_becomes(status, failing, becomes):
    findings = [FINDING] if status in ("fail", "warn") else []
    root = parsed(render(case(status, findings), failing=failing))
    (shown,) = root.iter("testcase")
    assert [child.tag for child in shown] == becomes
    warned = "\n\npacing.burst (warn, 90 % sure): A burst." in root[0].find("system-out").text
    assert warned == (status == "warn" and not becomes)
    assert (shown.get("classname"), shown.get("name")) == ("sttdoctor.pacing", "At the right pace?")
    if becomes == ["skipped"]:
        assert shown[0].get("message") == "So."


def test_a_check_that_crashed_is_an_error():
    (shown,) = parsed(render(case("unknown", crashed=True), failing={"fail", "unknown"})).iter("testcase")
    assert [(child.tag, child.get("message")) for child in shown] == [("error", "So.")]


def test_a_failure_says_what_to_do_and_what_it_comes_from():
    root = Diagnosis(Finding("sample-rate.mismatch", "fail", 0.9, "s", "f"), ("pacing.burst",))
    report = Report({**case("warn").subject}, (root,), case("warn", [FINDING]).checks)
    (failure,) = parsed(render(report, failing={"warn"})).iter("failure")
    assert failure.get("type") == "pacing.burst"
    assert failure.text.splitlines() == [
        "pacing.burst (warn, 90 % sure): A burst.",
        "Fix: Pace it.",
        "At: line 3: here",
        "Explained by sample-rate.mismatch.",
        "See https://a.b",
    ]


def test_times_are_those_of_the_checks():
    root = parsed(render(case("pass")))
    assert {element.get("time") for element in root.iter() if element.get("time")} == {"0.250"}
    report = sttdoctor.check(FIXTURES / "audio" / "s16-16k.raw", select=["encoding"])
    assert 0 < float(parsed(render(report))[0].get("time")) < 60


@pytest.mark.parametrize("path", ["format-24k-declared-16k.jsonl.gz", "healthy-several-turns.jsonl"])
def test_a_report_of_a_session(path):
    report = sttdoctor.replay(FIXTURES / "sessions" / path)
    (suite,) = parsed(render(report))
    statuses = [check.status for check in report.checks]
    assert (suite.get("failures"), suite.get("errors")) == (str(statuses.count("fail")), "0")
    assert suite.get("skipped") == str(statuses.count("unknown") + statuses.count("not_applicable"))
    told = {item.get("name"): item.get("value") for item in suite.iter("property")}
    assert told["tally"] == report.tally and suite.find("system-out").text.startswith(report.tally)


@pytest.mark.parametrize("limit", ["fail", "warn", "unknown", "never"])
def test_failures_follow_fail_on(run, limit):
    path = FIXTURES / "sessions" / "stream-chunks-too-small.jsonl.gz"
    done = run("replay", path, "--format", "junit", "--fail-on", limit)
    (suite,) = parsed(done.out)
    assert done.code == int(suite.get("failures") != "0")
    assert (suite.get("failures") == "0") == (limit in ("fail", "never"))


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_a_hostile_session_is_valid(name):
    text = render(hostile.judged(name))
    parsed(text)
    assert hostile.controls(text) == {"\n"} and len(text) < 50_000


@settings(max_examples=200)
@given(text=hostile.texts)
def test_whatever_stands_in_a_capture_is_text(text):
    root = parsed(render(hostile.report(text)))
    shown = [element.text for element in root.iter("failure")]
    assert for_terminal(text) in shown[0] and root[0].get("name") == for_terminal(text)

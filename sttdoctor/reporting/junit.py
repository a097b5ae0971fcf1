"""A report for continuous integration: JUnit XML, a check is a test case.

What fails the run is a failure, a warning that does not is a test that passed and stands in the suite's output, what
could not be judged is skipped with the reason, and a check that crashed is an error. The structure is valid by both
schemas in wide use, that of Ant (https://github.com/windyroad/JUnit-Schema), which is the strictest, and that of
Jenkins (junit-10.xsd of https://github.com/jenkinsci/xunit-plugin); GitLab and GitHub's reporters read the same.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from sttdoctor import __version__
from sttdoctor.checks.base import Finding, pick_worst
from sttdoctor.report import CheckResult, Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.escape import for_terminal

_SHOWN_EVIDENCE = 10
_SUITE = {
    "id": "0",
    "package": "sttdoctor",
    "hostname": "localhost",
}  # the schema wants a host; it is nobody's business


def render(report: Report, *, failing: Collection[str] = ("fail",)) -> str:
    """Render a report as JUnit XML.

    Args:
        report: The report.
        failing: Statuses that are failures; those for which the exit code is 1, and `fail`.
    """
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", {"name": for_terminal(phrases.get_path(report)), **_SUITE})
    suite.set("timestamp", time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()))
    _add_properties(suite, report)
    for check in report.checks:
        _add_case(suite, check, report, failing)
    _count(suite, report)
    SubElement(suite, "system-out").text = "\n\n".join([report.tally, *_list_warnings(report, failing)])
    SubElement(suite, "system-err")
    return _write(root)


def join(rendered: Sequence[str]) -> str:
    """Return several reports as one, a suite each."""
    root = Element("testsuites")
    root.extend(suite for text in rendered for suite in ElementTree.fromstring(text))
    for number, suite in enumerate(root):
        suite.set("id", str(number))
    return _write(root)


def _write(root: Element) -> str:
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _count(element: Element, report: Report) -> None:
    element.set("tests", str(len(report.checks)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(1 for _ in element.iter(tag))))
    element.set("time", f"{sum(check.seconds for check in report.checks):.3f}")


def _add_properties(suite: Element, report: Report) -> None:
    properties = SubElement(suite, "properties")
    subject = report.subject
    values = {
        "version": __version__,
        "formats": phrases.describe_formats(report),
        "tally": report.tally,
        "damage": phrases.describe_damage(report),
        "client": subject.get("client"),
        "request_ids": ", ".join(subject.get("request_ids") or []),
    }
    for name, value in values.items():
        if value:
            SubElement(properties, "property", {"name": name, "value": for_terminal(phrases.shorten(str(value)))})


def _add_case(suite: Element, check: CheckResult, report: Report, failing: Collection[str]) -> None:
    names = {"classname": f"sttdoctor.{check.id}", "name": check.question, "time": f"{check.seconds:.3f}"}
    facts = SubElement(suite, "testcase", names)
    answer = for_terminal(phrases.shorten(check.answer))
    if check.crashed:
        SubElement(facts, "error", {"message": answer, "type": "crash"})
    elif check.status in failing:
        cause = pick_worst(list(check.findings)).cause if check.findings else check.id
        failure = SubElement(facts, "failure", {"message": answer, "type": cause})
        failure.text = _write_text(check, report)
    elif check.status in ("unknown", "not_applicable"):
        SubElement(facts, "skipped", {"message": answer})


def _list_warnings(report: Report, failing: Collection[str]) -> Iterator[str]:
    """What was found and does not fail the run."""
    passed = [check for check in report.checks if check.findings and check.status not in failing and not check.crashed]
    return (_write_text(check, report) for check in passed)


def _write_text(check: CheckResult, report: Report) -> str:
    """What the check found, a line each, so that a reader of a build log needs nothing else."""
    lines = [line for finding in check.findings for line in _write_finding(finding)] or [check.answer]
    roots = [report.diagnoses[number - 1].cause for number in phrases.list_numbers(check, report)]
    others = [root for root in roots if root not in {finding.cause for finding in check.findings}]
    if others:
        lines.append(f"Explained by {', '.join(others)}.")
    lines.append(f"See {check.docs}")
    return "\n".join(for_terminal(phrases.shorten(line)) for line in lines)


def _write_finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.cause} ({finding.status}, {phrases.describe_sureness(finding.confidence)}): {finding.summary}"
    yield f"Fix: {finding.fix}"
    yield from (f"At: {phrases.place(item)}" for item in finding.evidence[:_SHOWN_EVIDENCE])

"""Two reports side by side: what differs in the answers and in the measurements."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sttdoctor.report import CheckResult, Report


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two reports differ.

    Attributes:
        check: Id of the check.
        what: `status`, `findings`, or the name of a measurement.
        first: Its value in the first report.
        second: Its value in the second report.
    """

    check: str
    what: str
    first: Any
    second: Any


def compare_with_older(report: Report, other: Report) -> Report:
    """Return a report that also says what differs from another one."""
    differences = [
        {"check": item.check, "what": item.what, "this": item.first, "other": item.second}
        for item in compare(report, other)
    ]
    summary = {
        "path": other.subject.get("path"),
        "status": other.status,
        "causes": [diagnosis.cause for diagnosis in other.diagnoses],
        "transcript": other.subject.get("transcript"),
        "differences": differences,
    }
    return replace(report, against=summary)


def compare(first: Report, second: Report, tolerance: float = 0.1) -> list[Difference]:
    """List the differences, in the order of the checks.

    Args:
        first: A report.
        second: Another one.
        tolerance: Numbers that are closer than this (relative) count as the same.
    """
    others = {check.id: check for check in second.checks}
    return [
        difference
        for check in first.checks
        if check.id in others
        for difference in _differences(check, others[check.id], tolerance)
    ]


def _differences(first: CheckResult, second: CheckResult, tolerance: float) -> Iterator[Difference]:
    if first.status != second.status:
        yield Difference(first.id, "status", first.status, second.status)
    causes = [[finding.cause for finding in check.findings] for check in (first, second)]
    if causes[0] != causes[1]:
        yield Difference(first.id, "findings", *causes)
    for name, value, other in _pairs(first.measurements, second.measurements):
        if not _is_alike(value, other, tolerance):
            yield Difference(first.id, name, value, other)


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Plain values under one name; tables (probabilities) are told by the answers already."""
    for name in dict.fromkeys((*first, *second)):
        value, other = first.get(name), second.get(name)
        if not isinstance(value, dict) and not isinstance(other, dict):
            yield name, value, other


def _is_alike(value: Any, other: Any, tolerance: float) -> bool:
    numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in (value, other))
    if numbers:
        return bool(abs(value - other) <= tolerance * max(abs(value), abs(other)))
    return bool(value == other)

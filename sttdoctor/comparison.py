"""Two reports side by side: what a reader compares first and which side is better, then all that differs."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sttdoctor.checks.base import SEVERITY
from sttdoctor.report import CheckResult, Report
from sttdoctor.values import immutable


@immutable
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
    against = {
        "path": other.subject.get("path"),
        "status": other.status,
        "causes": [diagnosis.cause for diagnosis in other.diagnoses],
        "transcript": other.subject.get("transcript"),
        "summary": list(summarize(report, other)),
        "differences": differences,
    }
    return replace(report, against=against)


_MEASURED = {
    "pace": ("pacing", "speed"),
    "chunk_ms": ("chunking", "median_ms"),
    "backlog_s": ("pacing", "max_backlog_s"),
    "end_of_turn_s": ("latency", "end_of_turn_median_s"),
}
"""What is compared, to the check and its measurement."""

_LESS_IS_BETTER = ("backlog_s", "end_of_turn_s")
_FORMAT = ("container", "encoding", "sample-rate", "channels")


def summarize(report: Report, other: Report) -> Iterator[dict[str, Any]]:
    """Yield what a reader compares first, each as `what`, `this`, `other` and `better` (`this`, `other` or None).

    Status, causes, format, pace (times realtime), length of a chunk, backlog and end of a turn (by the middle one), and
    the text; what neither report has is left out.
    """
    told = "unknown" not in (report.status, other.status)
    yield _row("status", report.status, other.status, _rank(report) if told else None, _rank(other))
    causes, other_causes = ([diagnosis.cause for diagnosis in side.diagnoses] for side in (report, other))
    yield _row("causes", causes, other_causes, _weigh(report) if told else None, _weigh(other))
    yield _row("format", _describe_format(report), _describe_format(other), _miss(report), _miss(other))
    for what, (check, name) in _MEASURED.items():
        yield from _compare_measured(what, _find(report, check), _find(other, check), name)
    text, other_text = _get_text(report), _get_text(other)
    if text is not None or other_text is not None:
        yield _row("text", text, other_text, _judge(_find(report, "joining")), _judge(_find(other, "joining")))


def _row(what: str, this: Any, other: Any, bad: Any, other_bad: Any) -> dict[str, Any]:
    """A row; the side that is less bad is the better one, where both can be told."""
    better = None
    if bad is not None and other_bad is not None and bad != other_bad:
        better = "this" if bad < other_bad else "other"
    return {"what": what, "this": this, "other": other, "better": better}


def _rank(report: Report) -> int:
    return SEVERITY[report.status]


def _weigh(report: Report) -> tuple[int, int]:
    """How many diagnoses fail, and how many there are."""
    return sum(diagnosis.status == "fail" for diagnosis in report.diagnoses), len(report.diagnoses)


def _find(report: Report, check: str) -> CheckResult | None:
    return next((result for result in report.checks if result.id == check), None)


def _judge(check: CheckResult | None) -> int | None:
    """How bad an answer is, None where there is none."""
    return SEVERITY[check.status] if check is not None and check.status in ("pass", "warn", "fail") else None


def _describe_format(report: Report) -> str:
    declared = report.subject["declared"]
    said = " at ".join(
        filter(None, (declared["encoding"], f"{declared['sample_rate']} Hz" if declared["sample_rate"] else ""))
    )
    wrong = [check.reading for check in report.checks if check.id in _FORMAT and check.findings and check.reading]
    verb = "is" if any(check.id == "container" and check.reading in wrong for check in report.checks) else "sounds like"
    return f"{said or 'nothing declared'}, {verb} {', '.join(wrong)}" if wrong else said or "nothing declared"


def _miss(report: Report) -> int | None:
    """How bad the worst answer on the format is."""
    judged = [rank for check in report.checks if check.id in _FORMAT if (rank := _judge(check)) is not None]
    return max(judged, default=None)


def _compare_measured(
    what: str, check: CheckResult | None, other: CheckResult | None, name: str
) -> Iterator[dict[str, Any]]:
    values = [side.measurements.get(name) if side is not None else None for side in (check, other)]
    if all(value is None for value in values):
        return
    ranks: list[Any] = [_judge(check), _judge(other)]
    this, that = values
    if this is None or that is None or None in ranks or math.isclose(this, that, rel_tol=0.05, abs_tol=0.05):
        ranks = [None, None]
    elif what in _LESS_IS_BETTER:
        # a check may be worse for another reason than this number; then neither side is better
        is_opposed = ranks[0] != ranks[1] and (ranks[0] < ranks[1]) != (this < that)
        ranks = [None, None] if is_opposed else values
    yield _row(what, this, that, *ranks)


def _get_text(report: Report) -> str | None:
    """The text that the application had, else the one that the events give."""
    transcript = report.subject.get("transcript") or {}
    got: str | None = transcript.get("got")
    return transcript.get("expected") if got is None else got


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

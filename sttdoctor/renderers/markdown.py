"""A report for a ticket: short, the diagnosis first, and safe against markup in what was captured."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sttdoctor.renderers.escape import as_code, fence_of, for_markdown, for_terminal
from sttdoctor.renderers.words import (
    STATUS,
    answered,
    commands,
    damage,
    formats,
    path,
    place,
    shortened,
    sureness,
)
from sttdoctor.report import CheckResult, Diagnosis, Report

_SHOWN_EVIDENCE = 3
_SHOWN_IDS = 10
_TRUNCATED = 200


def render(report: Report) -> str:
    """Render a report as Markdown with GitHub's tables."""
    lines = [f"## sttdoctor: {report.status.upper()}", "", *_subject(report)]
    for number, diagnosis in enumerate(report.diagnoses, start=1):
        lines += _diagnosis(number, diagnosis)
    lines += [*_answers(report), *_against(report), *_listen(report)]
    return "\n".join(lines) + "\n"


def _subject(report: Report) -> Iterator[str]:
    subject = report.subject
    about = [as_code(path(report)), for_markdown(formats(report))]
    if subject.get("client"):
        about.append(f"client {as_code(shortened(str(subject['client']), _TRUNCATED))}")
    ids = subject.get("request_ids") or []
    if ids:
        shown = ", ".join(as_code(shortened(str(name), _TRUNCATED)) for name in ids[:_SHOWN_IDS])
        about.append(f"request {shown}" + (f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""))
    yield "; ".join(about) + "."
    broken = damage(report)
    if broken:
        yield ""
        yield for_markdown(broken)


def _diagnosis(number: int, diagnosis: Diagnosis) -> Iterator[str]:
    yield ""
    yield f"### {number}. {diagnosis.cause} ({diagnosis.status}, {sureness(diagnosis.confidence)})"
    yield ""
    yield for_markdown(shortened(diagnosis.summary))
    yield ""
    yield f"**Fix:** {for_markdown(shortened(diagnosis.fix))}"
    evidence = diagnosis.root.evidence
    if evidence:
        yield ""
        yield "**Where:**"
        yield ""
        yield from (f"- {for_markdown(place(item))}" for item in evidence[:_SHOWN_EVIDENCE])
        if len(evidence) > _SHOWN_EVIDENCE:
            yield f"- and {len(evidence) - _SHOWN_EVIDENCE} more"
    if diagnosis.explains:
        yield ""
        yield f"This also explains {', '.join(diagnosis.explains)}."


def _answers(report: Report) -> Iterator[str]:
    """What did not pass as a table, what passed by name; all as a table when there is no diagnosis to read first."""
    told = [check for check in report.checks if not report.diagnoses or check.status not in ("pass", "not_applicable")]
    rows = [
        (STATUS[check.status], check.question, answered(check, report))
        for status in ("fail", "warn", "unknown", "pass", "not_applicable")
        for check in told
        if check.status == status
    ]
    if rows:
        yield ""
        yield from _table(("Status", "Question", "Answer"), rows)
    yield from _named("Passed", [check for check in report.checks if check.status == "pass"], told)
    yield from _named("Not applicable", [check for check in report.checks if check.status == "not_applicable"], told)


def _named(title: str, checks: Sequence[CheckResult], told: Sequence[CheckResult]) -> Iterator[str]:
    ids = [check.id for check in checks if check not in told]
    if ids:
        yield ""
        yield f"{title}: {', '.join(ids)}."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(for_markdown(cell) for cell in row)} |"


def _against(report: Report) -> Iterator[str]:
    other = report.against
    if other is None:
        return
    yield ""
    yield f"### Against {as_code(shortened(str(other['path'] or 'the other capture')))} ({other['status']})"
    yield ""
    rows = [tuple(_value(item[key]) for key in ("check", "what", "this", "other")) for item in other["differences"]]
    if rows:
        yield from _table(("Check", "What", "This", "Other"), rows)
    else:
        yield "No difference."


def _value(value: Any) -> str:
    return shortened(value if isinstance(value, str) else json.dumps(value), _TRUNCATED)


def _listen(report: Report) -> Iterator[str]:
    """Commands that would have to be escaped would not run, so they are left out."""
    runnable = [(what, command) for what, command in commands(report) if for_terminal(command) == command]
    if not runnable:
        return
    fence = fence_of("".join(command for _, command in runnable))
    yield ""
    yield "Listen:"
    yield ""
    yield f"{fence}sh"
    for what, command in runnable:
        yield f"# {what}"
        yield command
    yield fence

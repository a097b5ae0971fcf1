"""A report for a ticket: short, the diagnosis first, and safe against markup in what was captured."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sttdoctor.report import Diagnosis, Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.escape import as_code, fence_of, for_markdown

_SHOWN_EVIDENCE = 3
_SHOWN_IDS = 10
_TRUNCATED = 200
_NAMED = {"pass": "Passed", "not_applicable": "Not applicable"}


def render(report: Report) -> str:
    """Render a report as Markdown with GitHub's tables."""
    lines = [f"## {report.status.upper()} {for_markdown(phrases.answer(report))}", "", *_subject(report)]
    for number, diagnosis in enumerate(report.diagnoses, start=1):
        lines += _diagnosis(number, diagnosis)
    lines += [*_answers(report), *_against(report), *_listen(report)]
    return "\n".join(lines) + "\n"


def _subject(report: Report) -> Iterator[str]:
    subject = report.subject
    about = [as_code(phrases.path(report)), for_markdown(phrases.formats(report))]
    if subject.get("client"):
        about.append(f"client {as_code(phrases.shortened(str(subject['client']), _TRUNCATED))}")
    ids = subject.get("request_ids") or []
    if ids:
        shown = ", ".join(as_code(phrases.shortened(str(name), _TRUNCATED)) for name in ids[:_SHOWN_IDS])
        about.append(f"request {shown}" + (f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""))
    yield "; ".join(about) + "."
    if phrases.tally(report):
        yield from ("", for_markdown(phrases.tally(report)))
    broken = phrases.damage(report)
    if broken:
        yield ""
        yield for_markdown(broken)


def _diagnosis(number: int, diagnosis: Diagnosis) -> Iterator[str]:
    yield ""
    yield f"### {number}. {diagnosis.cause} ({diagnosis.status}, {phrases.sureness(diagnosis.confidence)})"
    yield ""
    yield for_markdown(phrases.shortened(diagnosis.summary))
    yield ""
    yield f"**Fix:** {for_markdown(phrases.shortened(diagnosis.fix))}"
    evidence = diagnosis.root.evidence
    if evidence:
        yield ""
        yield "**Where:**"
        yield ""
        yield from (f"- {for_markdown(phrases.place(item))}" for item in evidence[:_SHOWN_EVIDENCE])
        if len(evidence) > _SHOWN_EVIDENCE:
            yield f"- and {len(evidence) - _SHOWN_EVIDENCE} more"
    if diagnosis.explains:
        yield ""
        yield f"This also explains {', '.join(diagnosis.explains)}."


def _answers(report: Report) -> Iterator[str]:
    """Answers as a table, and what is only named."""
    found = phrases.groups(report)
    rows = [(phrases.STATUS[group.status], group.subject, group.text) for group in found if group.text]
    if rows:
        yield from ("", *_table(("Status", "Question", "Answer"), rows))
    for group in found:
        if not group.text:
            yield from ("", f"{_NAMED[group.status]}: {group.ids}.")


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
    yield f"### Against {as_code(phrases.shortened(str(other['path'] or 'the other capture')))} ({other['status']})"
    yield ""
    rows = [tuple(_value(item[key]) for key in ("check", "what", "this", "other")) for item in other["differences"]]
    if rows:
        yield from _table(("Check", "What", "This session", "The other"), rows)
    else:
        yield "No difference."


def _value(value: Any) -> str:
    return phrases.shortened(value if isinstance(value, str) else json.dumps(value), _TRUNCATED)


def _listen(report: Report) -> Iterator[str]:
    code = "\n".join(f"# {what}\n{command}" for what, command in phrases.commands(report))
    if code:
        yield from ("", "Listen:", "", f"{fence_of(code)}sh", code, fence_of(code))

"""A report for a ticket: short, the diagnosis first, and safe against markup in what was captured."""

from collections.abc import Iterator, Sequence

from sttdoctor.report import Diagnosis, Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.escape import as_code, fence_of, for_markdown

_SHOWN_EVIDENCE = 3
_SHOWN_IDS = 10
_TRUNCATED = 200
_NAMED = {"pass": "Passed", "not_applicable": "Not applicable"}


def render(report: Report) -> str:
    """Render a report as Markdown with GitHub's tables."""
    lines = [f"## {report.status.upper()} {for_markdown(phrases.answer(report))}", "", *_write_subject(report)]
    for number, diagnosis in enumerate(report.diagnoses, start=1):
        lines += _write_diagnosis(number, diagnosis)
    lines += [*_write_answers(report), *_write_against(report), *_write_listen(report)]
    return "\n".join(lines) + "\n"


def _write_subject(report: Report) -> Iterator[str]:
    subject = report.subject
    about = [as_code(phrases.get_path(report)), for_markdown(phrases.describe_formats(report))]
    if subject.get("client"):
        about.append(f"client {as_code(phrases.shorten(str(subject['client']), _TRUNCATED))}")
    ids = subject.get("request_ids") or []
    if ids:
        shown = ", ".join(as_code(phrases.shorten(str(name), _TRUNCATED)) for name in ids[:_SHOWN_IDS])
        about.append(f"request {shown}" + (f" and {len(ids) - _SHOWN_IDS} more" if len(ids) > _SHOWN_IDS else ""))
    yield "; ".join(about) + "."
    if phrases.get_tally(report):
        yield from ("", for_markdown(phrases.get_tally(report)))
    broken = phrases.describe_damage(report)
    if broken:
        yield ""
        yield for_markdown(broken)


def _write_diagnosis(number: int, diagnosis: Diagnosis) -> Iterator[str]:
    yield ""
    yield f"### {number}. {diagnosis.cause} ({diagnosis.status}, {phrases.describe_sureness(diagnosis.confidence)})"
    yield ""
    yield for_markdown(phrases.shorten(diagnosis.summary))
    yield ""
    yield f"**Fix:** {for_markdown(phrases.shorten(diagnosis.fix))}"
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


def _write_answers(report: Report) -> Iterator[str]:
    """Answers as a table, and what is only named."""
    found = phrases.group_answers(report)
    rows = [(phrases.STATUS[group.status], group.subject, group.text) for group in found if group.text]
    if rows:
        yield from ("", *_write_table(("Status", "Question", "Answer"), rows))
    for group in found:
        if not group.text:
            yield from ("", f"{_NAMED[group.status]}: {group.ids}.")


def _write_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(for_markdown(cell) for cell in row)} |"


def _write_against(report: Report) -> Iterator[str]:
    other = report.against
    if other is None:
        return
    yield ""
    yield f"### Against {as_code(phrases.shorten(str(other['path'] or 'the other capture')))} ({other['status']})"
    yield ""
    rows = [(row.what, *_mark_better(row)) for row in phrases.list_compared(report)]
    if rows:
        yield from _write_table(("", "This session", "The other"), rows)
    if other["differences"]:
        yield from ("", f"{phrases.count_differences(report)}.")
    else:
        yield from ("", "No difference.")


def _mark_better(row: phrases.Compared) -> tuple[str, str]:
    sides = {"this": row.this, "other": row.other}
    this, other = (f"{value} (better)" if row.better == side else value for side, value in sides.items())
    return this, other


def _write_listen(report: Report) -> Iterator[str]:
    code = "\n".join(f"# {what}\n{command}" for what, command in phrases.list_commands(report))
    if code:
        yield from ("", "Listen:", "", f"{fence_of(code)}sh", code, fence_of(code))

"""A report for a person at a terminal: the diagnosis, what failed, what could not be judged, then what passed.

Two reports stand in two columns: what a repair changed.
"""

import json
import re
import textwrap
from collections.abc import Callable, Iterator

import click

from sttdoctor.checks.base import Finding
from sttdoctor.report import Diagnosis, Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.escape import for_terminal

_COLOURS = {"fail": "red", "warn": "yellow", "pass": "green", "unknown": "cyan", "not_applicable": "bright_black"}
_INDENT = " " * 9
_UNIT = re.compile(r"(?<=\d) (?=(?:s|ms|Hz|dBFS|%)(?![a-z]))")
_SHOWN_EVIDENCE = 2
_LONGEST_MEASUREMENT = 4000

Paint = Callable[[str, str], str]

_NAME_COLUMNS = 13


def render(report: Report, *, width: int = 80, colour: bool = False, verbose: bool = False) -> str:
    """Render a report as plain text.

    Equal answers stand once, and beside a diagnosis the checks that passed are only named: a report fits a screen.

    Args:
        report: The report.
        width: Columns of the terminal.
        colour: Whether to use ANSI colours.
        verbose: Whether to show all evidence, all answers and the measurements.
    """

    def paint(text: str, status: str) -> str:
        return click.style(text, fg=_COLOURS[status], bold=status == "fail") if colour else text

    lines = [*_write_head(report, width, paint), "", *_write_diagnoses(report, width, paint, verbose)]
    if verbose:
        lines += _write_all_answers(report, width, paint)
    else:
        lines += _write_answers(report, width, paint)
    lines += [*_write_against(report, width, verbose), *_write_listen(report)]
    return "\n".join(lines) + "\n"


def _wrap(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Break text into lines; a number stays with its unit."""
    indent = " " * len(first) if rest is None else rest
    safe = _UNIT.sub("\0", for_terminal(text))
    lines = textwrap.wrap(safe, max(width, 40), initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines] or [first.rstrip()]


def _write_head(report: Report, width: int, paint: Paint) -> Iterator[str]:
    word = report.status.upper()
    first, *rest = _wrap(phrases.answer(report), width, f"{word}  ")
    yield paint(word, report.status) + first[len(word) :]
    yield from rest
    yield for_terminal(phrases.get_path(report))
    yield for_terminal(phrases.describe_formats(report))
    if phrases.get_tally(report):
        yield from _wrap(phrases.get_tally(report), width)
    broken = phrases.describe_damage(report)
    if broken:
        yield from _wrap(broken, width)


def _write_diagnoses(report: Report, width: int, paint: Paint, verbose: bool) -> Iterator[str]:
    for number, diagnosis in enumerate(report.diagnoses, start=1):
        title = f"{diagnosis.cause} ({diagnosis.status}, {phrases.describe_sureness(diagnosis.confidence)})"
        yield f"{number}. {paint(title, diagnosis.status)}"
        yield from _wrap(phrases.shorten(diagnosis.summary), width, "   ")
        yield from _wrap(phrases.shorten(diagnosis.fix), width, "   Fix: ")
        shown = diagnosis.root.evidence if verbose else diagnosis.root.evidence[:_SHOWN_EVIDENCE]
        for evidence in shown:
            yield from _wrap(phrases.place(evidence), width, "   At:  ")
        yield from _write_explained(diagnosis, width)
        yield ""


def _write_explained(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    if diagnosis.explains:
        yield from _wrap(f"This also explains {', '.join(diagnosis.explains)}.", width, "   ")


def _mark(status: str, text: str, width: int, paint: Paint) -> Iterator[str]:
    """Yield text beside a status."""
    word = phrases.STATUS[status]
    first, *rest = _wrap(text, width, _INDENT)
    yield paint(word, status) + first[len(word) :]
    yield from rest


def _write_answers(report: Report, width: int, paint: Paint) -> Iterator[str]:
    """What a diagnosis explains, and what passed, stand on a line each: the screen is for the rest."""
    groups = phrases.group_answers(report)
    explained = {id(group) for group in groups if all(phrases.is_explained(check, report) for check in group.checks)}
    for status in phrases.STATUS:
        for group in groups:
            if group.status == status and group.text and id(group) not in explained:
                yield from _mark(status, group.line, width, paint)
        checks = [
            check for group in groups if id(group) in explained and group.status == status for check in group.checks
        ]
        if checks:
            numbers = sorted({number for check in checks for number in phrases.list_numbers(check, report)})
            names = ", ".join(check.id for check in checks)
            yield from _mark(status, f"{names}: explained by problem {', '.join(map(str, numbers))}", width, paint)
    for group in groups:
        if not group.text:
            first, *rest = _mark(group.status, group.ids, width, paint)
            yield first if not rest else _cut_names(group, width, paint)


def _cut_names(group: phrases.Group, width: int, paint: Paint) -> str:
    """As many names as stand on a line, and the number of the others."""
    names = [check.id for check in group.checks]
    for shown in range(len(names) - 1, 0, -1):
        text = f"{', '.join(names[:shown])} and {len(names) - shown} more (-v)"
        if len(text) + len(_INDENT) <= width or shown == 1:
            return next(_mark(group.status, text, width, paint))
    raise AssertionError("a group has more than one check where its names need more than one line")


def _write_all_answers(report: Report, width: int, paint: Paint) -> Iterator[str]:
    for check in report.checks:
        yield from _mark(check.status, f"{check.question} {phrases.tell_answer(check, report)}", width, paint)
        for finding in check.findings:
            yield from _write_finding(finding, width)
        for name, value in check.measurements.items():
            yield from _wrap(
                phrases.shorten(f"{name}: {json.dumps(value)}", _LONGEST_MEASUREMENT), width, f"{_INDENT}- "
            )
        yield f"{_INDENT}{check.docs}"


def _write_finding(finding: Finding, width: int) -> Iterator[str]:
    yield from _wrap(f"{finding.cause} ({finding.status}): {phrases.shorten(finding.summary)}", width, f"{_INDENT}* ")
    for evidence in finding.evidence:
        yield from _wrap(phrases.place(evidence), width, f"{_INDENT}    ")


def _write_against(report: Report, width: int, verbose: bool) -> Iterator[str]:
    """Another report beside this one; one difference a line where all are asked for."""
    other = report.against
    if other is None:
        return
    yield ""
    yield f"Against {for_terminal(phrases.shorten(str(other['path'] or 'the other capture')))} ({other['status']})"
    yield from _write_columns(phrases.list_compared(report), ("this session", "the other"), width)
    if not other["differences"]:
        yield "  no difference"
    elif not verbose:
        yield f"  {phrases.count_differences(report)}; -v lists them"
    else:
        yield "  check and what differs: this session | the other"
        for item in other["differences"]:
            values = " | ".join(json.dumps(item[side]) for side in ("this", "other"))
            yield from _wrap(phrases.shorten(f"{item['check']} {item['what']}: {values}"), width, "  ", "      ")


def _write_columns(rows: list[phrases.Compared], heads: tuple[str, str], width: int) -> list[str]:
    """Both sides in two columns, the better one marked."""
    column = max(20, (width - _NAME_COLUMNS - 2) // 2)
    lines = _write_row("", heads[0], heads[1], column) if rows else []
    for row in rows:
        marks = ("* " if row.better == side else "" for side in ("this", "other"))
        this, other = (mark + value for mark, value in zip(marks, (row.this, row.other), strict=True))
        lines += _write_row(row.what, this, other, column)
    return [*lines, "* the better side"] if any(row.better for row in rows) else lines


def _write_listen(report: Report) -> Iterator[str]:
    """Commands stand on one line each, whatever the width, so that they can be copied."""
    listed = [f"  {what:<14}{command}" for what, command in phrases.list_commands(report)]
    if listed:
        yield from ("", "Listen", *listed)


def show_side_by_side(report: Report, width: int = 80) -> str:
    """Render what a session was and what it is now, as plain text in two columns.

    Args:
        report: Of the new session, compared with the old one.
        width: Columns of the terminal.
    """
    swapped = {"this": "other", "other": "this", None: None}
    rows = [
        phrases.Compared(row.what, row.other, row.this, swapped[row.better]) for row in phrases.list_compared(report)
    ]
    return "\n".join(_write_columns(rows, ("before", "after"), width)) + "\n"


def _write_row(name: str, left: str, right: str, column: int) -> list[str]:
    columns = [_fill_column(text, column) for text in (left, right)]
    height = max(map(len, columns))
    padded = [side + [""] * (height - len(side)) for side in columns]
    names = [name] + [""] * (height - 1)
    return [f"{a:<{_NAME_COLUMNS}}{b:<{column}}  {c}".rstrip() for a, b, c in zip(names, *padded, strict=True)]


def _fill_column(text: str, column: int) -> list[str]:
    return textwrap.wrap(for_terminal(text), column, subsequent_indent="  ", break_on_hyphens=False) or [""]

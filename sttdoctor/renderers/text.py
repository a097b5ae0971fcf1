"""A report for a person at a terminal: the diagnosis first, then the questions and their answers."""

import json
import textwrap
from collections.abc import Callable, Iterator

import click

from sttdoctor.checks.base import Evidence, Finding
from sttdoctor.renderers.escape import for_terminal
from sttdoctor.report import CheckResult, Diagnosis, Report

_COLOURS = {"fail": "red", "warn": "yellow", "pass": "green", "unknown": "cyan", "not_applicable": "bright_black"}
_WORDS = {"not_applicable": "n/a"}
_STATUS_WIDTH = 8
_LONGEST_ANSWER = 600

Paint = Callable[[str, str], str]


def render(report: Report, *, width: int = 80, colour: bool = False, verbose: bool = False) -> str:
    """Render a report as plain text.

    Args:
        report: The report.
        width: Columns of the terminal.
        colour: Whether to use ANSI colours.
        verbose: Whether to show evidence beyond the first piece, measurements and what passed in full.
    """

    def paint(text: str, status: str) -> str:
        return click.style(text, fg=_COLOURS[status], bold=status == "fail") if colour else text

    lines = [*_head(report, paint), "", *_diagnoses(report, width, paint, verbose)]
    lines += [*_answers(report, width, paint, verbose), *_against(report, width), *_listen(report)]
    return "\n".join(lines) + "\n"


def _wrap(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    indent = " " * len(first) if rest is None else rest
    safe = for_terminal(text)
    return textwrap.wrap(
        safe, max(width, 40), initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    ) or [first.rstrip()]


def _head(report: Report, paint: Paint) -> Iterator[str]:
    subject = report.subject
    path = for_terminal(str(subject.get("path") or "the capture"))
    yield f"{paint(report.status.upper(), report.status)}  {path}"
    declared, estimated = subject["declared"], subject["estimated"]
    told = declared["encoding"] or declared["sample_rate"]
    yield f"declared {_format(declared['encoding'], declared['sample_rate']) if told else 'nothing'}, " + (
        f"sounds like {_format(estimated['encoding'], *(estimated['sample_rates'] or [None]))}"
    )
    capture = subject.get("capture")
    if capture and capture["damaged_lines"]:
        first = capture["damage"][0]
        note = for_terminal(f"line {first['line']}: {first['note']}")
        count = capture["damaged_lines"]
        yield f"{count} damaged {'line' if count == 1 else 'lines'}, not or only partly read ({note})"


def _format(encoding: str | None, *rates: int | None) -> str:
    known = [str(rate) for rate in rates if rate]
    rate = " or ".join(known) + " Hz" if known else "unknown rate"
    return f"{for_terminal(encoding) if encoding else 'unknown encoding'} at {rate}"


def _diagnoses(report: Report, width: int, paint: Paint, verbose: bool) -> Iterator[str]:
    for number, diagnosis in enumerate(report.diagnoses, start=1):
        title = f"{diagnosis.cause} ({diagnosis.status}, {sureness(diagnosis.confidence)})"
        yield f"{number}. {paint(title, diagnosis.status)}"
        yield from _wrap(diagnosis.summary, width, "   ")
        yield from _wrap(diagnosis.fix, width, "   Fix: ", "        ")
        shown = diagnosis.root.evidence if verbose else diagnosis.root.evidence[:2]
        for evidence in shown:
            yield from _wrap(place(evidence), width, "   At:  ", "        ")
        yield from _explained(diagnosis, width)
        yield ""


def _explained(diagnosis: Diagnosis, width: int) -> Iterator[str]:
    if diagnosis.explains:
        yield from _wrap(f"This also explains {', '.join(diagnosis.explains)}.", width, "   ")


def sureness(confidence: float) -> str:
    """Return a confidence (0..1) in words; nothing measured here is ever certain."""
    return f"{min(99, max(1, round(100 * confidence)))} % sure"


def place(evidence: Evidence) -> str:
    """Return where a piece of evidence stands, and what it says."""
    where = []
    if evidence.line is not None:
        where.append(f"line {evidence.line}")
    if evidence.t is not None:
        where.append(f"{evidence.t:.2f} s")
    if evidence.offset is not None:
        where.append(f"byte {evidence.offset}")
    return f"{', '.join(where)}: {evidence.note}" if where else evidence.note


def _answers(report: Report, width: int, paint: Paint, verbose: bool) -> Iterator[str]:
    for check in report.checks:
        word = _WORDS.get(check.status, check.status)
        indent = " " * _STATUS_WIDTH
        text = check.answer if len(check.answer) <= _LONGEST_ANSWER else check.answer[: _LONGEST_ANSWER - 3] + "..."
        told = any(diagnosis.summary == check.answer for diagnosis in report.diagnoses)
        lines = _wrap(check.question if told else f"{check.question} {text}", width, indent)
        yield f"{paint(word, check.status)}{lines[0][len(word) :]}"
        yield from lines[1:]
        if verbose:
            yield from _details(check, width, indent)


def _details(check: CheckResult, width: int, indent: str) -> Iterator[str]:
    for finding in check.findings:
        yield from _finding(finding, width, indent)
    for name, value in check.measurements.items():
        yield from _wrap(f"{name}: {json.dumps(value)}", width, indent + "- ", indent + "  ")
    yield f"{indent}{check.docs}"


def _finding(finding: Finding, width: int, indent: str) -> Iterator[str]:
    yield from _wrap(f"{finding.cause} ({finding.status}): {finding.summary}", width, indent + "* ", indent + "  ")
    for evidence in finding.evidence:
        yield from _wrap(place(evidence), width, indent + "    ")


def _against(report: Report, width: int) -> Iterator[str]:
    """What differs from another report, one difference a line."""
    other = report.against
    if other is None:
        return
    yield ""
    yield f"Against {for_terminal(str(other['path'] or 'the other capture'))} ({other['status']})"
    if not other["differences"]:
        yield "  no difference"
    for item in other["differences"]:
        values = " | ".join(json.dumps(item[side]) for side in ("this", "other"))
        yield from _wrap(f"{item['check']} {item['what']}: {values}", width, "  ", "      ")


def _listen(report: Report) -> Iterator[str]:
    """Commands stand on one line each, whatever the width, so that they can be copied.

    One that would have to be escaped for the terminal would not run, so it is left out.
    """
    commands = {
        name: command for name, command in report.listen.items() if command and for_terminal(command) == command
    }
    if not commands:
        return
    yield ""
    yield "Listen"
    if "convert" in commands:
        yield f"  the bytes     {commands['convert']}"
    if "declared" in commands:
        yield f"  as declared   {commands['declared']}"
    if "estimated" in commands and commands["estimated"] != commands.get("declared"):
        yield f"  as estimated  {commands['estimated']}"

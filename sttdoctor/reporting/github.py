"""A report as annotations of a GitHub workflow: one line a diagnosis, which the run shows beside the capture.

Lines and their escapes are those of "Workflow commands for GitHub Actions" and of `command.ts` in actions/toolkit.
"""

from collections.abc import Iterator, Sequence

from sttdoctor.report import Diagnosis, Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.escape import for_terminal

_COMMANDS = {"fail": "error", "warn": "warning"}


def render(report: Report) -> str:
    """Render a report as workflow commands, and one line of text without a fault."""
    lines = [*_annotate(report)] or [f"::notice title=sttdoctor::{_escape(phrases.answer(report))}"]
    return "\n".join(lines) + "\n"


def join(rendered: Sequence[str]) -> str:
    """Return the annotations of several reports as those of one run."""
    return "".join(rendered)


def _annotate(report: Report) -> Iterator[str]:
    for diagnosis in report.diagnoses:
        properties = {"title": f"sttdoctor: {diagnosis.cause}", **_locate(report, diagnosis)}
        said = ",".join(f"{name}={_escape(value, ':,')}" for name, value in properties.items())
        text = f"{phrases.shorten(diagnosis.summary)}\nFix: {phrases.shorten(diagnosis.fix)}"
        yield f"::{_COMMANDS[diagnosis.status]} {said}::{_escape(text)}"


def _locate(report: Report, diagnosis: Diagnosis) -> dict[str, str]:
    """Where the fault stands, as far as the workflow can show it: the capture, and a line of it."""
    if not report.subject.get("path"):
        return {}
    lines = [item.line for item in diagnosis.root.evidence if item.line is not None]
    return {"file": phrases.get_path(report), **({"line": str(lines[0])} if lines else {})}


def _escape(text: str, more: str = "") -> str:
    lines = (for_terminal(line) for line in text.split("\n"))
    escaped = "\n".join(lines).replace("%", "%25").replace("\n", "%0A")
    for char in more:
        escaped = escaped.replace(char, f"%{ord(char):02X}")
    return escaped

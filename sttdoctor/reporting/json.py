"""A report for programs: `sttdoctor.report/1`, by the schema in `sttdoctor/schemas/`."""

from collections.abc import Sequence

from sttdoctor.report import Report


def render(report: Report) -> str:
    """Render a report as JSON, ASCII only."""
    return report.to_json() + "\n"


def join(rendered: Sequence[str]) -> str:
    """Return several reports as one list."""
    return f"[\n{','.join(rendered)}]\n"

"""A report for programs: `sttdoctor.report/1`, by the schema in `sttdoctor/schemas/`."""

from sttdoctor.report import Report


def render(report: Report) -> str:
    """Render a report as JSON, ASCII only."""
    return report.to_json() + "\n"

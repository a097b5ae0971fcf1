"""Two reports in two columns: what a repair changed."""

import textwrap
from collections.abc import Iterator

from sttdoctor.report import Report
from sttdoctor.reporting import phrases
from sttdoctor.reporting.escape import for_terminal

_MARGIN = 9
_LONGEST_TEXT = 400  # characters


def show_side_by_side(before: Report, after: Report, width: int = 80) -> str:
    """Render status, causes and text of two reports as plain text.

    Args:
        before: Of the session as it was.
        after: Of the new session.
        width: Columns of the terminal.
    """
    column = max(20, (width - _MARGIN - 2) // 2)
    lines = _write_row("", ["before"], ["after"], column)
    for name, (left, right) in (
        ("status", ([before.status.upper()], [after.status.upper()])),
        ("format", ([phrases.describe_declared(before)], [phrases.describe_declared(after)])),
        ("causes", (_list_causes(before), _list_causes(after))),
        ("text", (_write_text(before), _write_text(after))),
    ):
        lines += _write_row(name, left, right, column)
    return "\n".join(lines) + "\n"


def _write_row(name: str, left: list[str], right: list[str], column: int) -> list[str]:
    columns = [[line for text in side for line in _wrap(text, column)] for side in (left, right)]
    height = max(map(len, columns))
    padded = [side + [""] * (height - len(side)) for side in columns]
    names = [name] + [""] * (height - 1)
    return [f"{a:<{_MARGIN}}{b:<{column}}  {c}".rstrip() for a, b, c in zip(names, *padded, strict=True)]


def _wrap(text: str, column: int) -> list[str]:
    return textwrap.wrap(for_terminal(text), column, break_on_hyphens=False) or [""]


def _list_causes(report: Report) -> list[str]:
    return [f"{diagnosis.cause} ({diagnosis.status})" for diagnosis in report.diagnoses] or ["none"]


def _write_text(report: Report) -> list[str]:
    transcript = report.subject["transcript"]
    return list(_write_texts(transcript["expected"], transcript["got"]))


def _write_texts(expected: str | None, got: str | None) -> Iterator[str]:
    """The text of the events joined verbatim, and that of the application where it is another one."""
    yield "not in the capture" if expected is None else repr(_cut(expected))
    if got is not None and got != expected:
        yield f"the application had {_cut(got)!r}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 3] + "..."

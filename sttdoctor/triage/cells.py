"""Values as cells of a CSV table, and back.

A record stands on one line, so that a table that was cut off in the middle can be told and mended. A cell that a
spreadsheet would take for a formula (text that begins with =, +, -, @ or ') gets an apostrophe in front.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from sttdoctor.renderers.escape import for_terminal
from sttdoctor.triage.row import COLUMNS, Row

csv.field_size_limit(1 << 20)  # the longest names of members, escaped, are beyond the default

_FORMULA = ("=", "+", "-", "@", "'")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([ntr\\]))")


def encoded(text: str) -> str:
    r"""Return a text as a cell: control characters as `\n` or `\x1b`, a backslash doubled, no formula."""
    safe = for_terminal(text.replace("\\", "\\\\"))
    return f"'{safe}" if safe.startswith(_FORMULA) else safe


def decoded(cell: str) -> str:
    """Return the text of a cell."""
    return _ESCAPE.sub(_character, cell.removeprefix("'"))


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    return chr(int(digits, 16)) if digits else _NAMED[match[4]]


def line_of(values: Iterable[Any]) -> str:
    """Return values as one line of CSV; None is an empty cell."""
    cells = [encoded(value) if isinstance(value, str) else value for value in values]
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def row_of_line(line: str) -> Row | None:
    """Return the row of a line of CSV, None where it is none."""
    try:
        cells = next(csv.reader([line], strict=True))
        if len(cells) != len(COLUMNS):
            return None
        return {
            name: _value(kind, cell) if cell or name == "member" else None
            for (name, (kind, _)), cell in zip(COLUMNS.items(), cells, strict=True)
        }
    except (csv.Error, ValueError, OverflowError, StopIteration):
        return None


def _value(kind: Any, cell: str) -> Any:
    return decoded(cell) if kind is str else kind(cell)

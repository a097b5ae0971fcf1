"""Values as cells of a CSV table, and back.

A record stands on one line, so that a table that was cut off in the middle can be told and mended. A text that a
spreadsheet would take for a formula (it begins with =, +, -, @, in any width, or ') gets an apostrophe in front. Where
a spreadsheet splits lines at semicolons the quotes of a cell do not hold it together: what would begin a formula behind
one is written as an escape. All cells are quoted, which a table of an earlier version need not be.
"""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from sttdoctor.reporting.escape import for_terminal
from sttdoctor.triage.row import COLUMNS, Row

csv.field_size_limit(1 << 20)  # the longest names of members, escaped, are beyond the default

_SIGNS = "[=+@\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b-]"
_FORMULA = re.compile(rf"[\s\"]*(?:{_SIGNS}|')")
_SECOND = re.compile(rf"([;\uff1b][\s\"]*)({_SIGNS})")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([ntr\\]))")


def encoded(text: str) -> str:
    r"""Return a text as a cell: control characters as `\n` or `\x1b`, a backslash doubled, no formula."""
    safe = for_terminal(text.replace("\\", "\\\\"))
    safe = _SECOND.sub(lambda match: match[1] + _escaped(match[2]), safe)
    return f"'{safe}" if _FORMULA.match(safe) else safe


def _escaped(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


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
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(cells)
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

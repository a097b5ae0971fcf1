"""Tables on disk: a line a row, written as it comes, and read again where a run goes on.

A record of CSV stands on one line, so that a table that was cut off in the middle can be told and mended. A text that a
spreadsheet would take for a formula (it begins with =, +, -, @, in any width, or ') gets an apostrophe in front. Where
a spreadsheet splits lines at semicolons the quotes of a cell do not hold it together: what would begin a formula behind
one is written as an escape. All cells are quoted, which a table of an earlier version need not be.
"""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from sttdoctor.errors import UsageError, make_unwritable
from sttdoctor.outputs import check_spared
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.triage.row import COLUMNS, Row, is_row

csv.field_size_limit(1 << 20)  # the longest names of members, escaped, are beyond the default

_SIGNS = "[=+@\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b-]"
_FORMULA = re.compile(rf"[\s\"]*(?:{_SIGNS}|')")
_SECOND = re.compile(rf"([;\uff1b][\s\"]*)({_SIGNS})")
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([ntr\\]))")


def encode_cell(text: str) -> str:
    r"""Return a text as a cell: control characters as `\n` or `\x1b`, a backslash doubled, no formula."""
    safe = for_terminal(text.replace("\\", "\\\\"))
    safe = _SECOND.sub(lambda match: match[1] + _escape(match[2]), safe)
    return f"'{safe}" if _FORMULA.match(safe) else safe


def _escape(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


def decode_cell(cell: str) -> str:
    """Return the text of a cell."""
    return _ESCAPE.sub(_character, cell.removeprefix("'"))


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    return chr(int(digits, 16)) if digits else _NAMED[match[4]]


def line_of(values: Iterable[Any]) -> str:
    """Return values as one line of CSV; None is an empty cell."""
    cells = [encode_cell(value) if isinstance(value, str) else value for value in values]
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
    return decode_cell(cell) if kind is str else kind(cell)


SUFFIXES = (".csv", ".jsonl", ".ndjson")


class Table:
    """A table that grows.

    Args:
        path: Ends in one of `SUFFIXES`.
        resume: Go on with rows that stand there; a last line that was cut off is dropped.
        force: Begin anew where rows stand.

    Raises:
        UsageError: Another suffix; or it holds rows, or is a link, and neither is asked for; or has other columns.
        InputError: It cannot be written.

    Attributes:
        done: Keys of the captures that stand in it.
    """

    def __init__(self, path: str, resume: bool = False, force: bool = False) -> None:
        if not path.lower().endswith(SUFFIXES):
            raise UsageError(f"a table ends in .csv or .jsonl, not {os.path.basename(path)}")
        self.path = path
        self.done: set[tuple[str, str]] = set()
        self._is_csv = path.lower().endswith(".csv")
        check_spared((path,), (), resume or force)
        try:
            self._file = self._open(resume, force)
        except OSError as error:
            raise make_unwritable(path, error) from None

    def _open(self, resume: bool, force: bool) -> BinaryIO:
        if os.path.exists(self.path) and not resume:
            if not force and not self._has_no_rows():
                raise UsageError(f"{self.path} exists; --resume goes on with it, --force writes over it")
            os.truncate(self.path, 0)
        elif resume and os.path.exists(self.path):
            _mend(self.path)
            self._check_columns()
            self.done = {(row["path"], row["member"]) for row in self.rows()}
        file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - open as long as the table grows
        if self._is_csv and file.tell() == 0:
            try:
                _append(file, line_of(COLUMNS).encode())
            except OSError:
                file.close()
                raise
        return file

    def _has_no_rows(self) -> bool:
        """Whether a run ended before its first row, or the file was made empty."""
        with open(self.path, "rb") as file:
            return not (head := file.read(1 << 16)) or (self._is_csv and _is_head(head))

    def _check_columns(self) -> None:
        with open(self.path, "rb") as file:
            first = file.readline()
        if self._is_csv and first and not _is_head(first):
            raise UsageError(f"{self.path} is no table of this version: its columns are others")

    def add(self, row: Row) -> None:
        """Write a row that does not stand in the table yet, at once.

        Raises:
            InputError: It cannot be written.
        """
        key = row["path"], row["member"]
        if key in self.done:
            return
        line = line_of(row[name] for name in COLUMNS) if self._is_csv else json.dumps(row) + "\n"
        try:
            _append(self._file, line.encode("utf-8"))
        except OSError as error:
            raise make_unwritable(self.path, error) from None
        self.done.add(key)

    def rows(self) -> Iterator[Row]:
        """Yield the rows that stand in the file; lines that are none are passed over."""
        with open(self.path, encoding="utf-8", errors="replace", newline="\n") as file:
            if self._is_csv:
                file.readline()
            for line in file:
                row = row_of_line(line) if self._is_csv else _row_of_json(line)
                if row is not None and is_row(row):
                    yield row

    def close(self) -> None:
        """Write no more."""
        self._file.close()


def _append(file: BinaryIO, line: bytes) -> None:
    """Write a line whole, or nothing of it: on a full disk a part of it may find room."""
    left = memoryview(line)
    try:
        while left:
            left = left[file.write(left) :]
    except OSError:
        if len(left) < len(line):
            file.truncate(file.tell() - (len(line) - len(left)))
        raise


def _is_head(line: bytes) -> bool:
    """Whether this is the line of the columns alone; earlier versions wrote it without quotes."""
    return line.decode("utf-8", "replace").replace('"', "") == ",".join(COLUMNS) + "\n"


def _row_of_json(line: str) -> Row | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return dict.fromkeys(COLUMNS) | row if isinstance(row, dict) else None


def _mend(path: str) -> None:
    """Drop a last line without an end: its row was being written when the run ended."""
    with open(path, "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        position, step = end, 1 << 16
        while position > 0:
            start = max(0, position - step)
            file.seek(start)
            found = file.read(position - start).rfind(b"\n")
            if found >= 0:
                file.truncate(start + found + 1)
                return
            position = start
        file.truncate(0)

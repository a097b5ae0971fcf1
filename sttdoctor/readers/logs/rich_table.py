"""A log that `rich` printed: columns of time, level, message and place, and messages that go on in the next row.

Source: https://github.com/Textualize/rich/blob/master/rich/_log_render.py
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from sttdoctor.readers.logs.pieces import Layer, Piece, time_in
from sttdoctor.readers.stream import MAX_LINE_BYTES
from sttdoctor.values import immutable

_TIME = r"\[[^\]]{4,40}\] |(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})? "
_LEVEL = r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL|TRACE) {1,6}"
_FIRST = re.compile(rf"({_TIME})?({_LEVEL})?(?=\S)")
_PLACE = re.compile(r" (\S{1,200}:\d{1,7})\s*$")
_LEVEL_NAME = re.compile(_LEVEL)
_TERMINAL = re.compile(r"\x1b\[[\d;]{0,40}m|\x1b\]8;[^\x1b]{0,2000}\x1b\\")  # colours and links
_MAX_LAYOUTS = 8  # each costs a look at every row
_LEAST_ROWS = 3
_LEVEL_WIDTH = 9  # the level filled to eight characters, and a space


@immutable
class _Columns:
    """Where the columns of a table stand.

    Attributes:
        level: Of the levels, None where there are none.
        message: Of the messages.
        width: Of the table, which counts where a record names no place.
        has_places: Whether records name one.
    """

    level: int | None
    message: int
    width: int
    has_places: bool = True

    def place(self, row: str) -> re.Match[str] | None:
        """The place that stands at the end of a row."""
        return _PLACE.search(row, self.message) if self.has_places else None

    def begins(self, row: str) -> bool:
        """Whether a record begins in a row: by its level, else by its time or its place."""
        if self.level is not None:
            return _LEVEL_NAME.match(row, self.level) is not None
        first = _FIRST.match(row)
        is_timed = first is not None and first[1] is not None and first.end(1) == self.message
        return is_timed or (row.startswith(" " * self.message) and self.place(row) is not None)

    def goes_on(self, row: str) -> bool:
        """Whether a message goes on in a row."""
        return row.startswith(" " * self.message) and row[self.message : self.message + 1].strip() != ""


@dataclass(slots=True)
class _Record:
    """A message whose rows are coming in.

    Attributes:
        number: Line of its first row.
        text: What was joined so far.
        last: The last row.
        width: Of the column of messages.
        time: As the record or one before it has it.
        logger: As the layer outside told it.
    """

    number: int
    parts: list[str]
    last: str
    width: int
    time: bytes
    logger: bytes
    length: int = 0

    def add(self, row: str) -> None:
        """Join a further row: after a full one that is a single word the word goes on, after any other a space was."""
        is_cut = len(self.last) >= self.width and " " not in self.last
        if self.last.endswith(":") or row.startswith("HTTP/"):  # a word that fits by chance: a header, a request
            is_cut = False
        self.length += len(row) + 1
        if self.length <= MAX_LINE_BYTES // 4:  # a character is up to four bytes
            self.parts.append(row if is_cut else f" {row}")
        self.last = row

    def piece(self) -> Piece:
        too_long = self.length > MAX_LINE_BYTES // 4
        text = None if too_long else "".join(self.parts).encode(errors="replace")
        return Piece(self.number, text, self.time, self.logger)


def table_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of a table whose columns stand where the first lines have them; None where they have none."""
    rows = [_row(piece) for piece in pieces]
    width = max(map(len, rows), default=0)
    tried: set[_Columns] = set()
    for first in filter(None, map(_FIRST.match, rows)):
        time, level = first[1] or "", first[2]
        message = len(time) + (_LEVEL_WIDTH if level else 0)
        columns = _Columns(len(time) if level else None, message, width)
        if not (time or level) or columns in tried:
            continue
        tried.add(columns)
        if len(tried) > _MAX_LAYOUTS:
            return None
        if _is_table(rows, columns):
            begun = [row for row in rows if columns.begins(row)]
            named = sum(columns.place(row) is not None for row in begun)
            columns = replace(columns, has_places=2 * named > len(begun))
            return partial(_out_of_table, columns=columns)
    return None


def _is_table(rows: list[str], columns: _Columns) -> bool:
    """Whether a record begins in a row, and a message goes on in the next, or a time is left out as it was before.

    Where neither comes up, every row reaches to the place at its end.
    """
    for row, following in pairwise(rows):
        if row[:1] in ("", " ") or not columns.begins(row) or not row[columns.message :].strip():
            continue
        goes_on = columns.goes_on(following) and not (columns.level is not None and columns.begins(following))
        left_out = bool(columns.level) and not following[: columns.level].strip() and columns.begins(following)
        if goes_on or left_out:
            return True
    begun = [row for row in rows if row[:1] not in ("", " ") and columns.begins(row)]
    return len(begun) >= _LEAST_ROWS and all(_fills(row, columns) for row in begun)


def _fills(row: str, columns: _Columns) -> bool:
    """Whether a row has its place at the very end of the table."""
    return len(row) == columns.width and columns.place(row) is not None


def _row(piece: Piece) -> str:
    row = (piece.text or b"").decode("utf-8", errors="replace")
    return (_TERMINAL.sub("", row) if "\x1b" in row else row).rstrip("\r")


def _out_of_table(pieces: Iterator[Piece], columns: _Columns) -> Iterator[Piece]:
    """Join the rows of each message."""
    begin = columns.message
    record: _Record | None = None
    time = b""
    for piece in pieces:
        row = _row(piece)
        if columns.begins(row) and row[begin:].strip():
            if record is not None:
                yield record.piece()
            time = piece.time or time_in(row[:begin].encode(errors="replace")) or time
            place = columns.place(row)
            message = row[begin : place.start() if place else len(row)].rstrip()
            width = (place.start() if place else columns.width) - begin
            record = _Record(piece.number, [message], message, width, time, piece.logger, len(message))
        elif record is not None and columns.goes_on(row):
            record.add(row[begin:].rstrip())
        else:
            if record is not None:
                yield record.piece()
                record = None
            yield piece
    if record is not None:
        yield record.piece()

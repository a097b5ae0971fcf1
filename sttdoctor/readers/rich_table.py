"""A log that `rich` printed: columns of time, level, message and place, and messages that go on in the next row.

Source: https://github.com/Textualize/rich/blob/master/rich/_log_render.py
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sttdoctor.readers.pieces import Layer, Piece, time_in
from sttdoctor.readers.stream import MAX_LINE_BYTES

_FIRST = re.compile(r"(\[[^\]]{4,40}\] |[^\S\n]*)(DEBUG|INFO|WARNING|ERROR|CRITICAL|TRACE) {1,6}(?=\S)")
_PLACE = re.compile(r" (\S{1,200}:\d{1,7})\s*$")
_LEVEL_WIDTH = 9  # the level filled to eight characters, and a space
_LEAST_TIME_WIDTH = 6
_MAX_ROWS = 1_000_000


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
    for row in rows:
        first = _FIRST.match(row)
        if first is None or not first[1].startswith("["):
            continue
        column = first.start(2)
        blank = " " * column
        others = [other for other in rows if other.startswith(blank)]
        goes_on = " " * (column + _LEVEL_WIDTH)
        if any(_FIRST.match(other) or (other.startswith(goes_on) and other.strip()) for other in others):
            width = max(len(other) for other in rows)
            return lambda inner: _out_of_table(inner, column, width)
    return None


def _row(piece: Piece) -> str:
    return (piece.text or b"").decode("utf-8", errors="replace").rstrip()


def _out_of_table(pieces: Iterator[Piece], column: int, whole: int) -> Iterator[Piece]:
    """Join the rows of each message.

    Args:
        pieces: Rows.
        column: Where the levels stand.
        whole: Width of the table, which counts where a record names no place.
    """
    begin = column + _LEVEL_WIDTH
    blank = " " * begin
    record: _Record | None = None
    time = b""
    for piece in pieces:
        row = _row(piece)
        first = _FIRST.match(row)
        if first is not None and first.start(2) == column and len(row) > begin:
            if record is not None:
                yield record.piece()
            time = piece.time or (time_in(first[1].encode(errors="replace")) if first[1].strip() else time)
            place = _PLACE.search(row, begin)
            message = row[begin : place.start() if place else len(row)].rstrip()
            width = (place.start() if place else whole) - begin
            record = _Record(piece.number, [message], message, width, time, piece.logger, len(message))
        elif record is not None and row.startswith(blank):
            record.add(row[begin:].rstrip())
        else:
            if record is not None:
                yield record.piece()
                record = None
            yield piece
    if record is not None:
        yield record.piece()

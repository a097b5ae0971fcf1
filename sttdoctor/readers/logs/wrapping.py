"""What stands round the lines of a log: records of JSON or CSV, keys and values, container prefixes, tables of `rich`.

Layers are told by the first bytes and taken off one after the other, so that a JSON formatter inside of docker's
json-file is two of them. What is left is a line as its logger would have written it into a file: the time and the
logger, where a layer tells them, and the message.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import BufferedReader, BytesIO
from itertools import islice

from sttdoctor.readers.collector import FullError
from sttdoctor.readers.logs.layout import (
    casts_in,
    counts_in,
    dumps_in,
    entities_in,
    indents_in,
    joined_in,
    literals_in,
    quoted_printable_in,
    tags_in,
)
from sttdoctor.readers.logs.marks import ANY
from sttdoctor.readers.logs.pieces import Layer, Piece, above_in, journal_in, keys_in, runtime_in
from sttdoctor.readers.logs.records import (
    Fields,
    falls,
    fields_of_records,
    is_document,
    is_near,
    is_table,
    lines_of_json_in,
    path_in,
    pieces_of,
    records_along,
    records_of_csv,
    records_of_document,
    turn_round,
)
from sttdoctor.readers.logs.rich_table import table_in
from sttdoctor.readers.logs.terminal import wraps_in
from sttdoctor.readers.stream import Reader, StreamError, marked_lines, numbered_lines
from sttdoctor.values import immutable

HEAD_BYTES = 1 << 16
"""From so many bytes the wrapping is told."""

_HEAD_RECORDS = 2000
_MAX_LAYERS = 4
_LIST = re.compile(rb"\s*+\{[^{}\[]*+(?:\[(?!\s*+\{)[^{}\[]*+)*+\[\s*+\{")
_OWN_TIME = re.compile(rb"\d\d:\d\d:\d\d[.,]\d")
_FINDERS = (
    quoted_printable_in,
    casts_in,
    runtime_in,
    journal_in,
    table_in,
    wraps_in,
    lines_of_json_in,
    keys_in,
    above_in,
    tags_in,
    literals_in,
    entities_in,
    dumps_in,
    joined_in,
    indents_in,
    counts_in,
)

Records = Callable[[BufferedReader], Iterator[tuple[int, object]]]
Front = Callable[[BufferedReader], Iterator[Piece]]


@immutable
class Wrapping:
    """What stands round the lines of a log.

    Attributes:
        front: Cuts a stream into pieces; None where the stream is a log's own lines.
        layers: Taken off one after the other.
        head: The first of what is left, as lines.
    """

    front: Front | None
    layers: tuple[Layer, ...]
    head: bytes

    def pieces(self, stream: BufferedReader) -> Iterator[Piece]:
        """Yield what is left of a stream.

        Raises:
            FullError: It has too many parts.
            StreamError: It is damaged.
        """
        pieces = (self.front or _lines)(stream)
        for layer in self.layers:
            pieces = _split_all(layer(pieces))
        return pieces


def wrapping_of(head: bytes) -> Wrapping | None:
    """Return what stands round the lines of a log that begins with these bytes; None where nothing does."""
    front, pieces = _front_of(head)
    layers: list[Layer] = []
    while len(layers) < _MAX_LAYERS:
        layer = next((layer for find in _FINDERS if (layer := find(pieces)) is not None), None)
        if layer is None:
            break
        layers.append(layer)
        pieces = list(_split_all(layer(iter(pieces))))
    if front is None and not layers:
        return None
    lines = (_render(piece, ANY.search(piece.text or b"")) or b"" for piece in pieces)
    return Wrapping(front, tuple(layers), b"\n".join(lines))


def _front_of(head: bytes) -> tuple[Front | None, list[Piece]]:
    for records_of in _records_in(head):
        records = list(_as_far(islice(records_of(BufferedReader(BytesIO(head))), _HEAD_RECORDS)))
        fields = fields_of_records([record for _, record in records])
        # objects one after the other are what a program prints, and may have words between
        is_object = head.lstrip()[:1] == b"{" and _LIST.match(head) is None
        if fields is not None and (fields.message or not is_object or records_of is not records_of_document):
            pieces = list(pieces_of(iter(records), fields))
            newest_first = falls(pieces)
            front: Front = partial(_read_export, records_of, fields, newest_first)
            return front, list(_split_all(turn_round(iter(pieces)) if newest_first else iter(pieces)))
    lines = head.split(b"\n")
    if len(head) >= HEAD_BYTES:
        lines = lines[:-1] or lines  # the last one is cut
    return None, [Piece(number, line) for number, line in enumerate(lines, start=1)]


def _records_in(head: bytes) -> Iterator[Records]:
    """Yield what may read the records of an export that begins with these bytes."""
    if is_document(head):
        path = path_in(head)
        if path is not None and not is_near(path):
            yield partial(records_along, path)
        yield records_of_document
    if is_table(head):
        yield records_of_csv


def _read_export(records_of: Records, fields: Fields, newest_first: bool, stream: BufferedReader) -> Iterator[Piece]:
    pieces = pieces_of(records_of(stream), fields)
    return _split_all(turn_round(pieces) if newest_first else pieces)


def _lines(stream: BufferedReader) -> Iterator[Piece]:
    return (Piece(number, line) for number, line in numbered_lines(stream))


def _as_far(records: Iterator[tuple[int, object]]) -> Iterator[tuple[int, object]]:
    """The records of a document that is cut, up to there."""
    with suppress(StreamError, FullError):
        yield from records


def _split_all(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Cut texts of several lines; as in a file, only the first line has a time and a logger before it."""
    for piece in pieces:
        text = piece.text
        if text is not None and b"\n" in text:
            first, *others = text.removesuffix(b"\n").split(b"\n")
            yield Piece(piece.number, first, piece.time, piece.logger)
            yield from (Piece(piece.number, line) for line in others)
        else:
            yield piece


def lines_of(stream: BufferedReader, wrapping: Wrapping | None, reader: Reader) -> Iterator[tuple[int, bytes | None]]:
    """Yield the number and the text of each line with a mark; None stands for one that is too long.

    Args:
        stream: Binary, unpacked.
        wrapping: What stands round the lines.
        reader: Says what to look for, anew for each line.

    Raises:
        FullError: There is more than can be held or walked through.
        StreamError: The stream is damaged; the lines before that have been yielded.
    """
    if wrapping is None:
        yield from marked_lines(stream, reader)
        return
    for piece in wrapping.pieces(stream):
        mark = reader.marks.search(piece.text) if piece.text is not None else None
        if piece.text is None or mark is not None:
            yield piece.number, _render(piece, mark)


def _render(piece: Piece, mark: re.Match[bytes] | None) -> bytes | None:
    """A line as its logger would have written it: a time of its own goes before the one that was told from outside."""
    if piece.text is None or not piece.text.strip():
        return piece.text
    own = mark is not None and _OWN_TIME.search(piece.text, 0, mark.start())
    before = (b"" if own else piece.time, piece.logger)
    return b" ".join((*filter(None, before), piece.text))

"""Lines that a terminal wrapped at its width, as they are when somebody copies a log from its window.

What shows it: no line is longer than the widest ones, and what stands below those begins in the middle of something.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from sttdoctor.readers.logs.marks import ANY
from sttdoctor.readers.logs.pieces import Layer, Piece

_NARROWEST, _WIDEST = 40, 500  # columns
_LEAST_WRAPPED, _LEAST_TIMED = 3, 2  # different lines, where no brackets or quotes show it
_LEAST_ALIKE = 2  # lines that show how one begins
_MOST_LINES = 200
_MOST_TRIMMED = 3  # columns, where the copy left out the spaces at the end of a line
_SHAPE_WITHIN = 32  # bytes
_DIGITS, _BLANKS = re.compile(rb"\d+"), re.compile(rb"\s+")
_SHAPE = re.compile(rb"(?:.{0,5}?0 |.{1,6})", re.DOTALL)  # as far as the first time or date
_INNER = re.compile(rb"[\s})\]]")  # begins a line that belongs to the one above it
_ADDRESS = re.compile(rb"wss?://[^\s\"'<>]{1,2000}\Z")
_REST_OF_ADDRESS = re.compile(rb"(?:[\d&=%]|[\w.%+-]{1,60}[&=])[^\s\"'<>]{0,2000}\Z")
_WORD = re.compile(rb"[^\s:]{1,500}\Z")
_IN_TEXT = re.compile(rb"(?i:transcript|\btext)[\"']?\s?[:=]|\bturn\.\w{3,9}\W{1,3}\s?\w")
_MARK = b"***"  # from here on a text is not compared
_ESCAPED = re.compile(rb"\\.")


class _Width(NamedTuple):
    """Where lines were wrapped, and how they begin: `is_timed` where nearly all do with a number in one way.

    It is not sure where one line alone shows it: the copy may have left out a space at its end.
    """

    columns: int
    shapes: frozenset[bytes]
    is_timed: bool
    is_sure: bool = True


def wraps_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of lines that a terminal wrapped at its width; None where nothing shows that one did."""
    if any(piece.time for piece in pieces):
        return None
    lines = [_plain(piece.text) for piece in pieces if piece.text is not None]
    columns = max(map(_columns, lines), default=0)
    if not _NARROWEST <= columns <= _WIDEST:
        return None
    width = _width_of(lines, columns)
    below = [(line, after) for line, after in pairwise(lines) if _columns(line) == columns]
    cut = [(line, after) for line, after in below if not _begins(after, width) and _is_below(line, after)]
    shown = sum(_is_open(line) or _is_cut_address(line, after, width) for line, after in cut)
    tells = width.is_timed or any(ANY.search(line) for line, _ in cut)  # no rows of a dump
    is_text = width.is_timed and any(_IN_TEXT.search(line) for line, _ in cut)
    is_many = tells and len({line for line, _ in cut}) >= (_LEAST_TIMED if width.is_timed else _LEAST_WRAPPED)
    ended = sum(_begins(after, width) for _, after in below)
    if len(cut) < ended or not (2 * shown > len(cut) or is_many or is_text):
        return None
    is_sure = len({line for line, _ in cut}) > 1 or any(line.endswith(b" ") for line in lines)
    return partial(_unwrapped, width=width._replace(is_sure=is_sure))


def _plain(text: bytes) -> bytes:
    return text.removesuffix(b"\r")


def _columns(line: bytes) -> int:
    return len(line) if line.isascii() else len(line.decode(errors="replace"))


def _shape(line: bytes) -> bytes:
    found = _SHAPE.match(_BLANKS.sub(b" ", _DIGITS.sub(b"0", line[:_SHAPE_WITHIN])))
    return found[0] if found is not None else b""


def _width_of(lines: list[bytes], columns: int) -> _Width:
    above = [b"", *lines]
    first = [line for before, line in zip(above, lines, strict=False) if _columns(before) < columns and line.strip()]
    outer = [line for line in first if not _INNER.match(line) or _shape(line)[1:2].isdigit()]
    counts = Counter(map(_shape, outer)).most_common()
    if counts and b"0" in counts[0][0] and counts[0][1] >= _LEAST_WRAPPED and 2 * counts[0][1] > len(outer):
        return _Width(columns, frozenset({counts[0][0]}), True)
    return _Width(columns, frozenset(shape for shape, count in counts if count >= _LEAST_ALIKE), False)


def _begins(line: bytes, width: _Width) -> bool:
    """Whether a line begins as others do."""
    return _shape(line) in width.shapes


def _is_below(line: bytes, after: bytes) -> bool:
    """Whether a line goes on in the middle of something: no member of an object that stands below its beginning."""
    return bool(after.strip()) and not (line.rstrip().endswith((b"{", b"(", b"[", b",")) and _INNER.match(after))


def _is_open(line: bytes) -> bool:
    """Whether a bracket or a quote in a line has no end there."""
    bare = _ESCAPED.sub(b"", line)
    opened = sum(bare.count(sign) for sign in (b"{", b"(", b"["))
    closed = sum(bare.count(sign) for sign in (b"}", b")", b"]"))
    return opened > closed or bare.count(b'"') % 2 == 1


def _is_cut_address(line: bytes, after: bytes, width: _Width) -> bool:
    """Whether an address goes on below, which is a part of one; where lines have times, any word may be that."""
    rest = _WORD if width.is_timed else _REST_OF_ADDRESS
    return _ADDRESS.search(line) is not None and rest.match(after) is not None


def _unwrapped(pieces: Iterator[Piece], width: _Width) -> Iterator[Piece]:
    begun: Piece | None = None
    parts: list[bytes] = []
    for piece in pieces:
        if piece.text is None:
            yield piece
            continue
        text = _plain(piece.text)
        missing = width.columns - _columns(parts[-1]) if parts else 0
        is_more = begun is not None and not _begins(text, width) and len(parts) < _MOST_LINES
        if begun is not None and is_more and (not missing or _is_trimmed(missing, text, width)):
            parts[-1] += b" " * missing + (_MARK if _may_lack_space(parts[-1], text, width) else b"")
            parts.append(text)
            continue
        if begun is not None:
            yield begun._replace(text=b"".join(parts))
        begun, parts = piece, [text]
    if begun is not None:
        yield begun._replace(text=b"".join(parts))


def _is_trimmed(missing: int, after: bytes, width: _Width) -> bool:
    """Whether a line that lacks so many columns lost them as spaces at its end."""
    return width.is_timed and 0 < missing <= _MOST_TRIMMED and not _INNER.match(after) and bool(after)


def _may_lack_space(line: bytes, after: bytes, width: _Width) -> bool:
    """Whether nobody can tell if a space stood between two parts of a text."""
    is_between = line[-1:].isalnum() and after[:1].isalnum()
    return is_between and not width.is_sure and _IN_TEXT.search(line) is not None

"""How lines of text are laid out: a count of milliseconds before each, a record on several lines, several on one.

Where a log was pasted into a form, its lines may have become one, and its signs entities of HTML.
"""

import html
import re
from binascii import a2b_qp
from collections.abc import Iterator
from itertools import islice, pairwise
from statistics import median

from sttdoctor.readers.frames import DECODER, number
from sttdoctor.readers.logs.marks import ANY
from sttdoctor.readers.logs.pieces import ESCAPE, QUOTED, Layer, Piece, finer, time_in, time_of, unescape

_COUNT = re.compile(rb"\s{0,8}(?:\x1b\[[\d;]{0,20}m){0,3}(?:[A-Z] )?[\[(+]?(\d{1,9})(?: ?ms)?[\])]?(?=[\s:|])")
_LEAST_COUNTS = 5
_MOST_WITHOUT = 0.1  # of the lines
_SHORTEST_MS, _LEAST_STEP_MS = 1000, 5

_INDENTED = re.compile(rb"(?:\t| {2,})[^\s\d]| [\"'{]|[\[\](){}]{1,4},?\s*$")
_OPENS = (b"{", b"(", b"[", b",")
_TOLD = re.compile(rb"\b(?:bytes|size|length|len|type|code)\b", re.IGNORECASE)
_TIME_WITHIN = 60  # bytes from the beginning of a line
_LEAST_RECORDS = 2
_FULL_TIME = re.compile(rb"(?<![^\s|;])[\[(]?(?:\d{4}[-/]\d\d[-/]\d\d[T ])?\d\d:\d\d:\d\d[.,]\d{1,9}(?![\d\"'])")
_LEAST_JOINED = 3
_MOST_JOINED = 100_000  # in a line
_WORDS = re.compile(rb"\b(?:sent|send|sending|recv|received|connect)", re.IGNORECASE)
_ENTITY = re.compile(rb"&(?:quot|#0?3[49]|#x27);|wss?://[^\s<>\"]{1,2000}?&amp;")
_MARKUP, _SIGN = re.compile(rb"<\?xml |</(?:system-(?:out|err)|message|msg|pre)>"), re.compile(rb"&(?:lt|gt|amp);")
_ELEMENT = re.compile(rb"\s{0,40}<(?:message|msg)>|</(?:message|msg)>\s{0,8}\Z")
_TAG_OF_TIME = re.compile(
    rb"<(?:date|millis|timestamp|time|instant)>([^<>]{8,60})</|<[\w:]{1,60}+[^<>]{0,300}?"
    rb"(\s(?:timestamp|time|ts|date|t)=[\"']([^\"'<>]{8,60})[\"'])[^<>]{0,300}>"
)
_IN_QUOTED_PRINTABLE = re.compile(rb"Content-Transfer-Encoding: ?quoted-printable\s{0,8}\Z", re.IGNORECASE)
_QUOTE = re.compile(rb"[\"']")
_LEAST_IN_LITERAL, _FIRST_LINES = 3, 20
_DUMP_ROW = re.compile(
    rb"\s{0,16}(?:0x)?([0-9a-fA-F]{4,8}):?[ \t]{1,3}"
    rb"((?:[0-9a-fA-F]{2} {1,3}){0,31}[0-9a-fA-F]{2}|(?:[0-9a-fA-F]{4} ){0,7}[0-9a-fA-F]{2,4})"
    rb"(?:[ \t]{1,99}\||[ \t]{2,99}|\s*\Z)"
)
_LONGEST_DUMP = 1 << 20  # digits
_CURLY = re.compile(rb"[{,]\s{0,4}\xe2\x80[\x9c\x9d\x9e]\w{1,40}\xe2\x80[\x9c\x9d]\s{0,4}:")
_STRAIGHT = str.maketrans("\u201c\u201d\u201e", '"""')
_CAST = re.compile(rb'\{"version": ?([23]),')
_CAST_LINE = re.compile(rb'\[\d{1,9}(?:\.\d{1,9})?, ?"[a-z]", ?"')
_MOST_LINES, _LONGEST = 200, 1 << 17


def counts_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of lines that begin with milliseconds since the program began; None where they do not.

    The number of a line, of a message or of a process is none: it grows by one, or not at all.
    """
    if any(piece.time for piece in pieces):
        return None
    lines = [piece.text for piece in pieces if piece.text and piece.text.strip() and not _goes_on(piece.text)]
    found = [_COUNT.match(line) for line in lines]
    counts = [int(item[1]) for item in found if item is not None]
    if len(counts) < max(_LEAST_COUNTS, (1 - _MOST_WITHOUT) * len(lines)) or any(map(time_in, lines)):
        return None
    steps = [after - before for before, after in pairwise(counts)]
    grown = [step for step in steps if step]
    is_clock = min(steps) >= 0 and counts[-1] - counts[0] >= _SHORTEST_MS and median(grown) >= _LEAST_STEP_MS
    return _with_seconds if is_clock else None


def _with_seconds(pieces: Iterator[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        found = _COUNT.match(piece.text) if piece.text is not None else None
        if found is None or piece.text is None:
            yield piece
        else:
            seconds, milliseconds = divmod(int(found[1]), 1000)
            yield piece._replace(text=piece.text[found.end() :].lstrip(), time=b"%d.%03ds" % (seconds, milliseconds))


def indents_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of records whose members stand indented below a line with a time; None where there are none."""
    texts = (piece.text or b"" for piece in pieces)
    records = (True for above, below in pairwise(texts) if _begins(above) and _goes_on(below) and _tells(below))
    return _on_one_line if sum(islice(records, _LEAST_RECORDS)) == _LEAST_RECORDS else None


def _begins(text: bytes) -> bool:
    """Whether a line begins a record, and no object that goes on below it."""
    return bool(time_in(text[:_TIME_WITHIN])) and not text.rstrip().endswith(_OPENS)


def _goes_on(text: bytes) -> bool:
    return _INDENTED.match(text) is not None and not time_in(text[:_TIME_WITHIN])


def _tells(text: bytes) -> bool:
    return _TOLD.search(text) is not None or ANY.search(text) is not None or text.strip() == b"("


def _on_one_line(pieces: Iterator[Piece]) -> Iterator[Piece]:
    begun: Piece | None = None
    parts: list[bytes] = []
    length = 0
    for piece in pieces:
        text = piece.text
        is_more = begun is not None and text is not None and _goes_on(text)
        if is_more and text is not None and len(parts) < _MOST_LINES and length < _LONGEST:
            parts.append(text.strip())
            length += len(text)
            continue
        if begun is not None:
            yield begun._replace(text=b" ".join(parts))
        begun, parts, length = None, [], 0
        if text is not None and _begins(text):
            begun, parts, length = piece, [text.rstrip()], len(text)
        else:
            yield piece
    if begun is not None:
        yield begun._replace(text=b" ".join(parts))


def joined_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of lines that hold several records, each with its time; None where they do not."""
    lines = [piece.text for piece in pieces if piece.text and piece.text.strip()]
    joints = sum(len(_joints(line)) for line in lines)
    return _one_by_one if joints >= max(_LEAST_JOINED, len(lines) // 3) else None


def _joints(text: bytes) -> list[int]:
    """Where further records begin in a line: at a time, where one before it has told something."""
    if len(text) < _TIME_WITHIN or text.count(b":") < 2 * _LEAST_RECORDS:
        return []
    times = list(islice(_FULL_TIME.finditer(text), _MOST_JOINED))
    joints, begin, has_told = [], 0, False
    for time in times[1:] if times and times[0].start() < _TIME_WITHIN else times:
        end = time.start()
        has_told = has_told or bool(_WORDS.search(text, begin, end) or ANY.search(text, begin, end))
        begin = end
        if has_told:
            joints.append(end)
            has_told = False
    return joints


def _one_by_one(pieces: Iterator[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        joints = _joints(piece.text) if piece.text is not None else []
        if not joints or piece.text is None:
            yield piece
            continue
        for begin, end in pairwise([0, *joints, len(piece.text)]):
            yield piece._replace(text=piece.text[begin:end].rstrip(b" |;,"))


def tags_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of XML that has the time of a message in a tag above it or round it; None without."""
    tags = (piece for piece in pieces if piece.text and _TAG_OF_TIME.search(piece.text))
    has_tags = len(list(islice(tags, _LEAST_RECORDS))) == _LEAST_RECORDS
    return (lambda inner: _with_signs(_with_tags(inner))) if has_tags else None


def _with_tags(pieces: Iterator[Piece]) -> Iterator[Piece]:
    time, is_near = b"", False  # a tag of a time above this line
    for piece in pieces:
        found = _TAG_OF_TIME.search(piece.text) if piece.text else None
        if found is None or piece.text is None:
            is_near = False
            text = piece.text or b""
            is_element = text.lstrip().startswith(b"<")  # other lines go on with the text of one
            bare = _ELEMENT.sub(b"", text) if piece.text is not None else None
            yield piece._replace(text=bare, time=piece.time or (time if is_element else b""))
            continue
        told = time_of((found[1] or found[3]).decode("ascii", errors="replace"))
        begin, end = found.span(2 if found[2] else 0)  # what else a tag says stays
        time = finer(time, told) if is_near else told
        is_near = True
        yield Piece(piece.number, piece.text[:begin] + piece.text[end:], time, piece.logger)


def quoted_printable_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of a mail or a saved page in quoted-printable (RFC 2045, section 6.7); None where it is none."""
    is_coded = any(piece.text is not None and _IN_QUOTED_PRINTABLE.match(piece.text) for piece in pieces)
    return _out_of_quoted_printable if is_coded else None


def _out_of_quoted_printable(pieces: Iterator[Piece]) -> Iterator[Piece]:
    begun: Piece | None = None
    parts, length = list[bytes](), 0
    for piece in pieces:
        text = (piece.text or b"").rstrip()
        if _IN_QUOTED_PRINTABLE.match(text):
            continue  # it is so no longer
        begun = begun or piece
        goes_on = text.endswith(b"=") and length < _LONGEST
        parts.append(text[:-1] if goes_on else text)
        length += len(text)
        if not goes_on:
            yield begun._replace(text=a2b_qp(b"".join(parts)))
            begun, parts, length = None, [], 0
    if begun is not None:
        yield begun._replace(text=a2b_qp(b"".join(parts)))


def literals_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of lines that stand in one literal of JSON, Python or JavaScript; None where they do not."""
    return _out_of_literals if any(map(_literal_of, islice(pieces, _FIRST_LINES))) else None


def _literal_of(piece: Piece) -> bytes | None:
    """What lines a piece has in a literal, which is nearly all of it."""
    text = piece.text
    if text is None or text.count(b"\\n") < _LEAST_IN_LITERAL or ANY.search(text) is None:
        return None
    begin, end = max(_quoted_in(text), key=lambda span: span[1] - span[0], default=(0, 0))
    if 2 * (end - begin) < len(text) or text.count(b"\\n", begin, end) < _LEAST_IN_LITERAL:
        return None
    # what stands before it makes it a value in a line of a log, as a library prints bytes
    first = ANY.search(text, 0, end) if ANY.search(text, 0, begin) is None else None
    has_lines = first is not None and ANY.search(text, first.end(), end) is not None
    return text[begin + 1 : end].removesuffix(text[begin : begin + 1]) if has_lines else None


def _quoted_in(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield where what stands in quotes begins and ends, one after the other; the last may be cut."""
    begin = _QUOTE.search(text)
    while begin is not None:
        found = QUOTED.match(text, begin.start())
        yield begin.start(), len(text) if found is None else found.end()
        begin = _QUOTE.search(text, found.end()) if found is not None else None


def _out_of_literals(pieces: Iterator[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        inside = _literal_of(piece)
        yield piece if inside is None else piece._replace(text=ESCAPE.sub(unescape, inside))


def dumps_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of lines below which the bytes of a message stand, in hexadecimal on rows; None without."""
    begun = (True for above, below in pairwise(pieces) if _is_dump_of(above.text, below.text))
    return _with_dumps if sum(islice(begun, _LEAST_RECORDS)) == _LEAST_RECORDS else None


def _is_dump_of(above: bytes | None, below: bytes | None) -> bool:
    row = _DUMP_ROW.match(below or b"")
    return row is not None and not int(row[1], 16) and bool(above) and _DUMP_ROW.match(above or b"") is None


def _with_dumps(pieces: Iterator[Piece]) -> Iterator[Piece]:
    above, parts, length = None, list[bytes](), 0
    for piece in pieces:
        row = _DUMP_ROW.match(piece.text) if piece.text is not None and above is not None else None
        if row is not None and int(row[1], 16) == length // 2 and length < _LONGEST_DUMP:
            digits = row[2].replace(b" ", b"")
            parts.append(digits)
            length += len(digits)
            continue
        if above is not None:
            yield above._replace(text=b"%b %b" % (above.text or b"", b"".join(parts))) if parts else above
        above, parts, length = piece, [], 0
    if above is not None:
        yield above._replace(text=b"%b %b" % (above.text or b"", b"".join(parts))) if parts else above


def entities_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of text whose signs are entities of HTML; None where they are not."""
    texts = [piece.text for piece in pieces if piece.text]
    if any(map(_CURLY.search, texts)):
        return lambda inner: _with_straight_quotes(_with_signs(inner))
    is_markup = any(map(_MARKUP.search, texts)) and any(map(_SIGN.search, texts))
    return _with_signs if is_markup or any(map(_ENTITY.search, texts)) else None


def _with_straight_quotes(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Quotes as JSON has them, where a form made round ones of them."""
    for piece in pieces:
        text = piece.text
        if text is None or _CURLY.search(text) is None:
            yield piece
        else:
            yield piece._replace(text=text.decode(errors="replace").translate(_STRAIGHT).encode(errors="replace"))


def casts_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of a terminal that asciinema recorded; None where it did not."""
    texts = [piece.text for piece in pieces if piece.text]
    is_cast = len(texts) > 1 and _CAST.match(texts[0]) is not None and _CAST_LINE.match(texts[1]) is not None
    return _of_terminal if is_cast else None


def _of_terminal(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The lines that were shown, each with the time at which it was complete."""
    began, moment, sums = 0.0, 0.0, False
    shown, length = list[str](), 0  # of the line that is not complete
    for piece in pieces:
        value = _json_of(piece.text)
        if isinstance(value, dict):
            sums, told = value.get("version") == 3, number(value.get("timestamp"))
            began = told if told is not None else 0.0
        step = number(value[0]) if isinstance(value, list) and len(value) > 2 else None
        if step is None or not isinstance(value, list):
            continue
        moment = moment + step if sums else step
        if value[1] != "o" or not isinstance(value[2], str):
            continue
        shown.append(value[2])
        length += len(value[2])
        if "\n" not in value[2] and length < _LONGEST:
            continue
        *lines, rest = "".join(shown).split("\n")
        shown, length = [rest] if lines else [], len(rest) if lines else 0  # of a line that never ends nothing is kept
        time = b"%.6f" % (began + moment) if began else b"%.3fs" % moment
        yield from (Piece(piece.number, line.rstrip("\r").encode(errors="replace"), time) for line in lines)
    if shown:
        yield Piece(0, "".join(shown).encode(errors="replace"))


def _json_of(text: bytes | None) -> object:
    try:
        return DECODER.decode((text or b"").decode(errors="replace"))
    except (ValueError, RecursionError):
        return None


def _with_signs(pieces: Iterator[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        if piece.text is None or b"&" not in piece.text:
            yield piece
        else:
            yield piece._replace(
                text=html.unescape(piece.text.decode("utf-8", errors="replace")).encode(errors="replace")
            )

"""Lines of a log on their way out of what stands round them."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import NamedTuple

from sttdoctor.readers.logs.marks import ANY
from sttdoctor.readers.stream import MAX_LINE_BYTES

_TIME_TEXT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?|(?<![\d:])\d\d:\d\d:\d\d(?:[.,]\d{1,9})?")
_TIME = re.compile(_TIME_TEXT.pattern.encode())
_LONGEST_TIME = 200
_EPOCH = re.compile(r"1\d{9}(?:\.\d+)?|1\d{12}(?:\.\d+)?|1\d{15}|1\d{18}")
_FRACTION = re.compile(rb"[.,]\d")
_RUNTIME = re.compile(rb"(\d{4}-\d\d-\d\dT\S{8,40}) (stdout|stderr) ([FP])(?: (.*))?", re.DOTALL)

_KEY = re.compile(rb"(?<!\S)(?:event|msg|message)=(?=[\"'])")
QUOTED = re.compile(rb"\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\"|'[^'\\]*+(?:\\.[^'\\]*+)*+'")
_FIRST_LINES = 20
ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_LOGGER = re.compile(rb"websockets\.(?:client|server)")


_LONGEST_CLOSE = 200  # bytes of a message beside the code of a close
_CLOSED = re.compile(rb"clos(?:e|ed|ing)(?![a-z])|close_?code|disconnected", re.IGNORECASE)
_CODE = re.compile(
    rb"(?:code|status)[\"']?\s?[=:]\s?[\"']?[14]\d{3}(?![\d.])|clos\w{0,4}[\"'\s:(=]{1,4}[14]\d{3}(?!\d)", re.IGNORECASE
)

# of .NET's console logger, and of Java's own
_ABOVE = re.compile(
    rb"(?:\S.{4,60} )?(?:trce|dbug|info|warn|fail|crit): [\w.+`]{1,200}\[\d{1,9}\]\s*"
    rb"|[A-Z][a-z]{2} \d\d?, \d{4},? \d\d?:\d\d:\d\d[ \xa0\xc2\xe2\x80\xaf]{1,3}[AP]M [\w.$]{1,200} [\w$<>]{1,100}\s*"
)
_LEAST_ABOVE = 2


class Piece(NamedTuple):
    """A line, or the text of a record, which may hold several.

    Attributes:
        number: Line of the capture, from 1.
        text: What is left of it; None where it was too long.
        time: As what stood round it tells it, empty where that tells none.
        logger: Likewise.
    """

    number: int
    text: bytes | None
    time: bytes = b""
    logger: bytes = b""


_JOURNAL_TIME = re.compile(rb"__REALTIME_TIMESTAMP=(\d{16})")
_JOURNAL_MESSAGE = b"MESSAGE"
_LENGTH_BYTES = 8

Layer = Callable[[Iterator[Piece]], Iterator[Piece]]
"""Takes off what stands round the text of each piece."""


def time_in(text: bytes) -> bytes:
    """Return the first date with a time, or time of day, in a text as it stands there; empty where there is none."""
    found = _TIME.search(text[:_LONGEST_TIME])
    return found[0] if found else b""


def time_of(value: object) -> bytes:
    """Return a value of a record as a time that a line may have; empty where it is none.

    Numbers are seconds, milliseconds, microseconds or nanoseconds since the epoch, told by their size.
    """
    if isinstance(value, dict):
        value = _in_parts(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return b""
    if isinstance(value, str):
        value = value[:_LONGEST_TIME]
        found = _TIME_TEXT.search(value)
        if found is not None:
            return found[0].encode()
    text = f"{value:.6f}" if isinstance(value, float) else str(value)[:_LONGEST_TIME]
    if _EPOCH.fullmatch(text) is None:
        return b""
    whole, _, fraction = text.partition(".")
    digits = (whole[10:] + fraction)[:9]
    return f"{whole[:10]}.{digits}".encode() if digits else whole.encode()


def _in_parts(value: Mapping[str, object]) -> object:
    """Seconds since the epoch that stand as two numbers (log4j's, protobuf's); None where they do not."""
    parts = {name.lower(): part for name, part in value.items()}
    whole = next((parts[name] for name in ("epochsecond", "seconds") if name in parts), None)
    nanos = next((parts[name] for name in ("nanoofsecond", "nanos") if name in parts), 0)
    if not isinstance(whole, int | str) or not isinstance(nanos, int) or not 0 <= nanos < 10**9:
        return None
    return f"{whole}.{nanos:09}"


def finer(inner: bytes, outer: bytes) -> bytes:
    """Return the inner of two times, unless only the outer one has parts of a second."""
    return inner if inner and (_FRACTION.search(inner) or not _FRACTION.search(outer)) else outer or inner


def tells_close(message: bytes, show: Callable[[], bytes]) -> bool:
    """Whether a record tells the end of a connection, and its code stands beside the message.

    Args:
        message: Of the record.
        show: Gives the whole of it.
    """
    if len(message) > _LONGEST_CLOSE or ANY.search(message) or _CODE.search(message):
        return False
    whole = show()
    return _CODE.search(whole) is not None and _CLOSED.search(whole) is not None


class Joining:
    """Joins a line that a container runtime cut into pieces of 16 KiB; the streams of a container are apart."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[Piece, list[bytes], int]] = {}

    def take(self, stream: str, piece: Piece, goes_on: bool) -> Piece | None:
        """Return the whole line, None where more of it follows."""
        if not goes_on and not self._begun:
            return piece
        key = stream if stream in ("stdout", "stderr") else ""
        first, parts, length = self._begun.pop(key, (piece, [], 0))
        text = piece.text or b""
        length += len(text)
        if length <= MAX_LINE_BYTES:
            parts.append(text)
        if goes_on:
            self._begun[key] = first, parts, length
            return None
        return first._replace(text=b"".join(parts) if length <= MAX_LINE_BYTES else None)

    def rest(self) -> Iterator[Piece]:
        """Yield what was begun and never ended."""
        for first, parts, length in self._begun.values():
            yield first._replace(text=b"".join(parts) if length <= MAX_LINE_BYTES else None)


def runtime_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of a container runtime (CRI: time, stream, `F` or `P`), None where the lines have none."""
    return _without_runtime if any(piece.text and _RUNTIME.match(piece.text) for piece in pieces[:3]) else None


def _without_runtime(pieces: Iterator[Piece]) -> Iterator[Piece]:
    joining = Joining()
    for piece in pieces:
        found = _RUNTIME.fullmatch(piece.text) if piece.text is not None else None
        if found is None:
            yield piece
            continue
        inner = piece._replace(text=(found[4] or b"").rstrip(b"\r"), time=time_in(found[1]))
        whole = joining.take(found[2].decode(), inner, found[3] == b"P")
        if whole is not None:
            yield whole
    yield from joining.rest()


def journal_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of a journal's export, a field a line; None where the lines are none."""
    first = [piece.text for piece in pieces[:_FIRST_LINES] if piece.text]
    return _without_fields if any(_JOURNAL_TIME.fullmatch(text) for text in first) else None


def _without_fields(pieces: Iterator[Piece]) -> Iterator[Piece]:
    time, binary = b"", _Binary()
    for piece in pieces:
        text = piece.text
        if binary.is_begun:
            whole = binary.take(text)
            if whole is not None:
                yield piece._replace(text=whole, time=time)
        elif text is None:
            yield piece
        elif text.startswith(_JOURNAL_MESSAGE + b"="):
            yield piece._replace(text=text[len(_JOURNAL_MESSAGE) + 1 :], time=time)
        elif (found := _JOURNAL_TIME.fullmatch(text)) is not None:
            time = time_of(found[1].decode())
        else:
            binary.is_begun = text == _JOURNAL_MESSAGE


class _Binary:
    """A value of a journal's export that is no plain text: its length in eight bytes, the value, the end of the line.

    Attributes:
        is_begun: The lines that come are its.
    """

    def __init__(self) -> None:
        self.is_begun = False
        self._held = bytearray()

    def take(self, text: bytes | None) -> bytes | None:
        """Take a line in and return the value once it is whole; one that is too long or damaged is empty."""
        self._held += (text or b"") + b"\n"
        length = int.from_bytes(self._held[:_LENGTH_BYTES], "little")
        if len(self._held) <= _LENGTH_BYTES + length and length <= MAX_LINE_BYTES:
            return None
        value = bytes(self._held[_LENGTH_BYTES : _LENGTH_BYTES + length]) if length <= MAX_LINE_BYTES else b""
        self.is_begun = False
        self._held.clear()
        return value


def above_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of a logger that writes time, level and name into a line of their own, above the message."""
    above = (piece for piece in pieces if piece.text is not None and _ABOVE.fullmatch(piece.text) is not None)
    return _with_line_above if sum(1 for _ in islice(above, _LEAST_ABOVE)) == _LEAST_ABOVE else None


def _with_line_above(pieces: Iterator[Piece]) -> Iterator[Piece]:
    above: bytes | None = None
    for piece in pieces:
        text = piece.text
        if text is not None and _ABOVE.fullmatch(text) is not None:
            above = text.rstrip()
        elif text is not None and above is not None:
            yield piece._replace(text=b"%b %b" % (above, text.lstrip()))
            above = None
        else:
            yield piece


def keys_in(pieces: list[Piece]) -> Layer | None:
    """Return the layer of lines of keys and values (logfmt), of which one is the message; None where they are none."""
    lines = [piece.text for piece in pieces if piece.text]
    marked = [line for line in lines if ANY.search(line)]
    asked = marked[:1] or lines[:_FIRST_LINES]
    return _without_keys if asked and all(_holds_message(line, bool(marked)) for line in asked) else None


def _holds_message(text: bytes, is_marked: bool) -> bool:
    """Whether the value of a key is the message, and what marks the line stands in it."""
    found = _read_key(text)
    return found is not None and (not is_marked or ANY.search(found[1][0]) is not None)


def _read_key(text: bytes) -> tuple[int, re.Match[bytes]] | None:
    """Where the key of the message begins, and its value in quotes."""
    key = _KEY.search(text)
    value = QUOTED.match(text, key.end()) if key is not None else None
    return None if key is None or value is None else (key.start(), value)


def _without_keys(pieces: Iterator[Piece]) -> Iterator[Piece]:
    for piece in pieces:
        found = _read_key(piece.text) if piece.text else None
        if found is None or piece.text is None:
            yield piece
            continue
        begin, value = found
        others = piece.text[:begin] + piece.text[value.end() :]
        logger = _LOGGER.search(others[:_LONGEST_TIME])
        message = ESCAPE.sub(unescape, value[0][1:-1])
        message = piece.text if tells_close(message, partial(bytes, piece.text)) else message
        time = finer(time_in(others), piece.time)
        yield Piece(piece.number, message, time, logger[0] if logger is not None else piece.logger)


def unescape(found: re.Match[bytes]) -> bytes:
    """What an escape in a literal stands for, as `ESCAPE` matches it."""
    if found[1]:
        return chr(int(found[1], 16)).encode(errors="replace")
    return {b"n": b"\n", b"t": b"\t", b"r": b"\r"}.get(found[2], found[2])

"""One line of a debug log: its time, and the message that a library wrote behind any prefix."""

import re
from datetime import datetime
from functools import lru_cache

from sttdoctor.literals import read_literal
from sttdoctor.values import immutable

_PARTS = r"(?:(?:[.,]|:(?=\d{3,6}(?!\d)))(\d{1,9}))?"
DATED = re.compile(rf"(\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d){_PARTS}")
CLOCK = re.compile(rf"(?<!\d)(?<!\d[:.])(\d\d):(\d\d):(\d\d){_PARTS}(?!\d|:\d)")
_OFFSET = re.compile(r" ?([+-])(0\d|1[0-4]):?([0134][05])(?!\d)")
"""Of a time zone behind a time."""
_ZONE = re.compile(rf"Z(?![\w.])|{_OFFSET.pattern}")

_EPOCH = re.compile(r"(?<![\d.])(1\d{9})(?:(\d{9}|\d{6}|\d{3})(?!\d)|[.,](\d{1,9}))?(?![\d.])")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")

REQUEST = re.compile(r"(?:^|[\s:|\]])([<>]) GET (\S+) HTTP/1\.1(?!\S)")
RESPONSE = re.compile(r"(?:^|[\s:|\]])([<>]) HTTP/1\.1 (\d{3})\b")
HEADER = re.compile(r"(?:^|[\s:|\]])([<>]) ([A-Za-z0-9!#$%&'*+.^_`|~-]+): ")
STATE = re.compile(r"(?:^|[\s:|\]])= connection is (OPEN|CLOSING|CLOSED)(?!\S)")

SDK_CONNECT = re.compile(r"\bConnecting to (wss?://\S+)")
SDK_AGAIN = re.compile(r"\bReconnecting to WebSocket API\b")
REFUSED = re.compile(r"server rejected WebSocket connection: HTTP (\d{3})\b")

_FRAME = re.compile(r"(?:^|[\s:|\]])([<>]) (TEXT|BINARY|CONT|CLOSE|PING|PONG) ")
_SIZE = re.compile(r"\[(?:(text|binary), )?(\d{1,12}) bytes?(, continued)?\](?!\S)")
_LITERAL = re.compile(r"b?(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\")(?!\S)")
_SDK_MESSAGE = re.compile(r"\bReceived WebSocket message: (?=b?(['\"]))")
_ESCAPE = re.compile(r"\\(?!['\"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")

_SIDE = re.compile(r"websockets\.(client|server)")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

USUAL_PREFIX = 1000
"""Characters; of a longer prefix of a line only the beginning and the end are looked at."""

_LONGEST_TAIL = 200

Time = tuple[float, float] | None
"""Seconds and their resolution, None where a line has no time."""


@immutable
class Stamp:
    """A time as a log prints it: seconds, how fine they are, and whether they count from midnight only."""

    seconds: float
    resolution: float
    of_day: bool


@immutable
class FrameLine:
    """A frame as the library prints it.

    Attributes:
        prefix: What stands before it in the line, as `prefix_of` gives it.
        begin: Where its mark stands.
        mark: `<` or `>`.
        opcode: Name of it.
        content: As shown.
        coding: `text` or `binary` of a fragment, None of another frame.
        size: Bytes, as digits.
        continued: Whether more fragments follow.
    """

    prefix: str
    begin: int
    mark: str
    opcode: str
    content: str
    coding: str | None
    size: str
    continued: bool


def frame_of(text: str) -> FrameLine | None:
    """Return the frame that a line tells, from the first mark to the last size; None where it tells none.

    Words may stand behind the size, as some formats of logs have the logger there.
    """
    at = text.rfind(" [")
    size = _SIZE.fullmatch(text, at + 1) if at >= 0 else None
    if size is None:
        at = text.rfind(" [", 0, max(text.rfind(" byte"), 0))
        size = _SIZE.match(text, at + 1) if at >= 0 else None
    found = _FRAME.search(text, 0, at) if size is not None else None
    if size is None or found is None:
        return None
    shown = (found[1], found[2], text[found.end() : at], size[1], size[2], bool(size[3]))
    return FrameLine(prefix_of(found), found.start(1), *shown)


def sdk_message_of(text: str) -> tuple[str, str] | None:
    """Return (prefix, message as a Python literal) of a line of the SDK; None where it is none."""
    found = _SDK_MESSAGE.search(text)
    if found is None:
        return None
    whole = _LITERAL.match(text, found.end())
    if whole is not None:
        return prefix_of(found), whole[0]
    if not text.endswith(found[1]) or found.end(1) == len(text):
        return None
    return prefix_of(found), text[found.end() :]


def plain(line: bytes) -> str:
    """Decode a line without its end and without colours; wrong bytes become U+FFFD."""
    text = line.decode("utf-8", errors="replace").rstrip("\r\n")
    return _COLOUR.sub("", text).rstrip() if "\x1b" in text else text.rstrip()


def tail_of(words: str) -> re.Pattern[str] | None:
    """Return how the words look that a log's format puts behind every message, None where there are none.

    Args:
        words: As they stood behind one message; numbers in them may be others behind the next.
    """
    bare = words.strip()[:_LONGEST_TAIL]
    return re.compile(re.sub(r"\d+", r"\\d+", re.escape(bare)) + "$") if bare else None


def without_tail(text: str, tail: re.Pattern[str] | None) -> str:
    """Return a text without the words that `tail_of` found behind another."""
    found = tail.search(text, max(0, len(text) - 2 * _LONGEST_TAIL)) if tail is not None else None
    return text[: found.start()].rstrip() if found is not None else text


def prefix_of(found: re.Match[str]) -> str:
    """Return what stands before a match in its line, without the middle where it is longer than usual."""
    end = found.start()
    if end <= USUAL_PREFIX:
        return found.string[:end]
    return f"{found.string[: USUAL_PREFIX // 2]}\n{found.string[end - USUAL_PREFIX // 2 : end]}"


@lru_cache(maxsize=1024)
def logger_of(prefix: str) -> tuple[str, str]:
    """Return (`client`, `server` or empty, connection id or empty) as the prefix of a line names them."""
    side, name = _SIDE.search(prefix), _UUID.search(prefix)
    return side[1] if side else "", name[0] if name else ""


def without_time(prefix: str) -> str:
    """Return a prefix without its date, time and zone, so that the prefixes of one logger are alike."""
    time = time_of(prefix)
    if time is None:
        return prefix
    zone = _ZONE.match(prefix, time.end())
    return prefix[: time.start()] + prefix[zone.end() if zone is not None else time.end() :]


def time_of(prefix: str) -> re.Match[str] | None:
    """Return the match of `DATED` or `CLOCK` that tells the time of a line, None where a prefix has neither.

    Where there are several, as behind the time of a journal, one with parts of a second counts, then one with a date,
    then the first.
    """
    found = [*DATED.finditer(prefix), *CLOCK.finditer(prefix)]
    return max(found, key=lambda item: (item.group(item.re.groups) is not None, item.re is DATED), default=None)


def stamp_of(prefix: str) -> Stamp | None:
    """Return the time in a prefix: a date with a time, a time of day, or seconds since the epoch."""
    time = time_of(prefix)
    if time is not None:
        return stamp_of_match(time)
    epoch = _EPOCH.search(prefix)
    if epoch:
        digits = epoch[2] or epoch[3]
        return Stamp(int(epoch[1]) + _fraction(digits), _fineness(digits), False)
    return None


def stamp_of_match(time: re.Match[str]) -> Stamp | None:
    """Return the time that a match of `DATED` or `CLOCK` tells; None for a date that there is not."""
    if time.re is DATED:
        epoch = _epoch_s(time[1])
        return None if epoch is None else Stamp(epoch - _offset_s(time) + _fraction(time[2]), _fineness(time[2]), False)
    hours, minutes, seconds = (int(part) for part in time.groups()[:3])
    return Stamp(hours * 3600 + minutes * 60 + seconds + _fraction(time[4]), _fineness(time[4]), True)


def _offset_s(time: re.Match[str]) -> float:
    """Seconds by which the zone of a time is ahead of UTC; none where it does not tell."""
    found = _OFFSET.match(time.string, time.end())
    seconds = int(found[2]) * 3600.0 + int(found[3]) * 60 if found is not None else 0.0
    return -seconds if found is not None and found[1] == "-" else seconds


@lru_cache(maxsize=64)
def _epoch_s(moment: str) -> float | None:
    try:
        return datetime.fromisoformat(f"{moment}+00:00").timestamp()
    except ValueError:
        return None


def _fraction(digits: str | None) -> float:
    return int(digits) / 10 ** len(digits) if digits else 0.0


def _fineness(digits: str | None) -> float:
    return 10.0 ** -len(digits) if digits else 1.0


def literal(text: str) -> str:
    r"""Return the text that a Python literal of a string or of bytes stands for; the inside where it is not one.

    A literal is one as `repr` writes it. Python takes others too, with a warning for `\d` and the like.
    """
    is_bytes = text.startswith("b")
    inside = text[2:-1] if is_bytes else text[1:-1]
    if "\\" not in inside or _ESCAPE.search(inside.replace("\\\\", "__")):
        return inside
    value = read_literal(text)
    if value is None:
        return inside
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def hexadecimal(text: str, size: int) -> bytes | None:
    """Return the content of a binary frame, None where its middle was left out."""
    if "..." in text:
        return None
    try:
        content = bytes.fromhex(text)
    except ValueError:
        return None
    return content if len(content) == size else None

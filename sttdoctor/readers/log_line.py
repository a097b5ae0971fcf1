"""One line of a debug log: its time, and the message that a library wrote behind any prefix."""

import ast
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

DATED = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?")
CLOCK = re.compile(r"(?<!\d)(?<!\d[:.])(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?!\d|:\d)")
_EPOCH = re.compile(r"(?<![\d.])(1\d{9})(?:(\d{3})(?!\d)|[.,](\d{1,9}))?(?![\d.])")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")

FRAME = re.compile(
    r"(?:^|[\s:|\]])([<>]) (TEXT|BINARY|CONT|CLOSE|PING|PONG) (.*) "
    r"\[(?:(text|binary), )?(\d{1,12}) bytes?(, continued)?\]$"
)
REQUEST = re.compile(r"(?:^|[\s:|\]])([<>]) GET (\S+) HTTP/1\.1$")
RESPONSE = re.compile(r"(?:^|[\s:|\]])([<>]) HTTP/1\.1 (\d{3})\b.*$")
HEADER = re.compile(r"(?:^|[\s:|\]])([<>]) ([A-Za-z0-9!#$%&'*+.^_`|~-]+): (.*)$")
STATE = re.compile(r"(?:^|[\s:|\]])= connection is (OPEN|CLOSING|CLOSED)$")

SDK_CONNECT = re.compile(r"\bConnecting to (wss?://\S+)$")
SDK_MESSAGE = re.compile(r"\bReceived WebSocket message: (b?(?:'.*'|\".*\"))$", re.DOTALL)
SDK_AGAIN = re.compile(r"\bReconnecting to WebSocket API\b")
REFUSED = re.compile(r"server rejected WebSocket connection: HTTP (\d{3})$")

_SIDE = re.compile(r"websockets\.(client|server)")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

Time = tuple[float, float] | None
"""Seconds and their resolution, None where a line has no time."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as a log prints it: seconds, how fine they are, and whether they count from midnight only."""

    seconds: float
    resolution: float
    of_day: bool


def plain(line: bytes) -> str:
    """Decode a line without its end and without colours; wrong bytes become U+FFFD."""
    text = line.decode("utf-8", errors="replace").rstrip("\r\n")
    return _COLOUR.sub("", text).rstrip() if "\x1b" in text else text.rstrip()


@lru_cache(maxsize=1024)
def logger_of(prefix: str) -> tuple[str, str]:
    """Return (`client`, `server` or empty, connection id or empty) as the prefix of a line names them."""
    side, name = _SIDE.search(prefix), _UUID.search(prefix)
    return side[1] if side else "", name[0] if name else ""


def without_time(prefix: str) -> str:
    """Return a prefix without its date and time, so that the prefixes of one logger are alike."""
    return DATED.sub("", prefix, count=1) if "-" in prefix else CLOCK.sub("", prefix, count=1)


def stamp_of(prefix: str) -> Stamp | None:
    """Return the first time in a prefix: a date with a time, a time of day, or seconds since the epoch."""
    dated = DATED.search(prefix)
    if dated:
        seconds = _epoch_s(dated[1])
        return None if seconds is None else Stamp(seconds + _fraction(dated[2]), _fineness(dated[2]), False)
    clock = CLOCK.search(prefix)
    if clock:
        hours, minutes, seconds = (int(part) for part in clock.groups()[:3])
        return Stamp(hours * 3600 + minutes * 60 + seconds + _fraction(clock[4]), _fineness(clock[4]), True)
    epoch = _EPOCH.search(prefix)
    if epoch:
        digits = epoch[2] or epoch[3]
        return Stamp(int(epoch[1]) + _fraction(digits), _fineness(digits), False)
    return None


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
    """Return the text that a Python literal of a string or of bytes stands for; the inside where it is not one."""
    is_bytes = text.startswith("b")
    inside = text[2:-1] if is_bytes else text[1:-1]
    if "\\" not in inside:
        return inside
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
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

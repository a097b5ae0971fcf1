"""What a line of a program says beside events: its time, where it connects, what it sends, how a connection ended."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sttdoctor.endpoints.cartesia import AUTO
from sttdoctor.endpoints.foreign import FOREIGN_COMMANDS
from sttdoctor.readers.frames import number
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs.pieces import time_of

_URL = re.compile(r"(?<![a-z])wss?://[^\s\"'<>\\`)\]}]{1,8000}(?<![.,;])")
_SENT = re.compile(
    r"(?:^|[\s\[(:|])(?:>{1,3}|-{1,2}>|=>|\u2192|\u21d2|\u2191|\u2b06)(?=\s|$|\W)"
    r"|(?<![A-Za-z])(?:sen[dt]|sends|sending|wrote|write|writing|outgoing|outbound|tx|c2s|out)(?![a-z])",
    re.IGNORECASE,
)
_RECEIVED = re.compile(
    r"<-|<<|<=|(?:^|\s)<\s|\u2190|\u2193|(?<![A-Za-z])(?:recv|received?|receiving|incoming|inbound|got|rx|s2c|on_?message)(?![a-z])",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"(?<![\w.])(\d{2,8}) ?(?:bytes?|B)\b(?!/)"
    r"|(?<![A-Za-z])(?:len|length|size|n?_?bytes|byte_?(?:length|count)|payload_?length)[\"']?\s?[=:]\s?(\d{2,8})(?![\w.])"
    r"|\b(?:sent|sending|send|wrote):? (\d{2,8})$",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"total|so far|\bsum\b|overall|/s\b|per second|kbps|queue|(?<!byte)(?<!array)buffer|remain|cumulat|in all|receiv"
    r"|\brecv",
    re.IGNORECASE,
)
_BARE_COMMAND = re.compile(
    r"(?:(?<![A-Za-z])(?:sen[dt]|sending)|>|->|\u2192)\s{0,3}:?\s{0,3}(?:the |a )?[\"'`]?(close|done|finalize)[\"'`]?"
    r"(?: (?:command|message|msg))?[\s.!\u2026]{0,8}$",
    re.IGNORECASE,
)
_LOOSE_COMMAND = re.compile(
    r"(?:\b(?:map|[Aa]rray|[Oo]bject|[Hh]ash) ?)?[({\[]\s{0,8}\[?[\"':]?type[\"'\]]?\s{0,4}(?::|=>?)\s{0,4}"
    r"[\"'`]?(close|done|finalize)[\"'`]?,?\s{0,8}[)}\]]"
)
"""Alone in an object that is no JSON."""
_CLOSED = re.compile(
    r"(?<![A-Za-z])(?:on_?)?clos(?:e|ed|ing)(?![a-z])|(?<![A-Za-z])close_?(?:code|status)|\bdisconnected\b|ConnectionClosed|CloseEvent|onclose",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:(?<![A-Za-z])(?:close_?)?(?:code|status)[\"']?\s?[=:(]?\s{0,2}"
    r"|(?<![A-Za-z])(?:on_?)?closed?\b\s?[:(=]?\s?(?:with )?"
    r"|\bdisconnected\b\s?[:(]?\s?)\(?(1\d{3}|4\d{3})(?!\d|[.]\d|\s?(?:ms|s|bytes)\b)",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\breason[\"']?\s?[=:]\s?(?:b?\"([^\"]{0,123})\"|b?'([^']{0,123})'|([^,;})\]\"']{1,123}))", re.IGNORECASE
)
_BOTH_CLOSES = re.compile(
    r"\b(received|sent) ([14]\d{3}) \([^)]{0,60}\)(?: ([^;]{0,123}))?; then (?:received|sent) \d{4}"
)
_LOST = re.compile(
    r"\bno close frame received or sent|\babnormal closure\b|without (?:a )?(?:close frame|closing handshake)"
    r"|Connection to remote host was lost",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"(?:rejected WebSocket connection: HTTP|Unexpected server response:|Unexpected response code:|[Hh]andshake status"
    r"|[Ii]nvalid (?:response )?status(?: code)?:?|WSServerHandshakeError: |bad handshake.{0,40}?|HTTP error:?"
    r"|[Rr]esponse status code does not indicate success:|status code '101' was expected[^\d]{0,40}|got status:?) ?"
    r"'?([345]\d\d)\b"
)
_RELATIVE = re.compile(r"^(?:[\s\[(+]|T(?=[+ ])){0,12}(\d{1,7}(?:\.(\d{1,9}))?)\s?(s|sec|ms)?[\])]?(?=[\s:|,]|$)")
_MERIDIEM = re.compile(r"(?<!\d)(1[0-2]|0?\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?[\s\u202f]?([AaPp])\.?[Mm]\b")
_MONTHS = {
    name: f"{number}"
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_UNUSUAL = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<y>\d{4})\.(?P<m>\d\d)\.(?P<d>\d\d)-(?P<h>\d\d)\.(?P<min>\d\d)\.(?P<s>\d\d)[:.](?P<part>\d{1,9})(?!\d)",
        r"^[\s\[(]{0,8}(?P<y>20\d\d)-?(?P<m>\d\d)-?(?P<d>\d\d)[T_-](?P<h>[0-2]\d)-?(?P<min>[0-5]\d)-?(?P<s>[0-5]\d)"
        r"(?:[.,](?P<part>\d{1,9}))?(?!\d)",
        rf"(?<!\d)(?P<d>\d\d)/(?P<m>{'|'.join(_MONTHS)})/(?P<y>\d{{4}}):(?P<h>\d\d):(?P<min>\d\d):(?P<s>\d\d)"
        r"(?:[.,](?P<part>\d{1,9}))?(?!\d)",
        r"(?<!\d)(?P<y>\d{4})\u5e74(?P<m>\d\d?)\u6708(?P<d>\d\d?)\u65e5\s?(?P<h>\d\d?)[\u6642\u65f6](?P<min>\d\d)\u5206"
        r"(?P<s>\d\d)(?:[.,](?P<part>\d{1,9}))?",
    )
)
"""Dates and times without colons, as web servers have them, in Japanese and Chinese."""
_TIME_NAMES = frozenset(
    {"received_at", "receivedat", "recv_at", "recv_ts", "received", "arrived", "arrived_at", "when"}
    | {"time", "timestamp", "@timestamp", "ts", "t", "at", "date", "datetime", "created", "asctime", "_time", "_ts"}
    | {"elapsed", "offset", "epoch", "t_s", "time_s", "t_ms", "ts_ms", "time_ms", "elapsed_ms"}
)
_COMMANDS = AUTO.commands | FOREIGN_COMMANDS.keys()
_BROWSER = frozenset({"isTrusted", "wasClean", "code", "target"})
_DEEPEST = 4
_HALF_DAY_S = 43_200
_SMALL = 1e8  # of seconds or milliseconds since a program began


def address_in(text: str) -> re.Match[str] | None:
    """Return the address of a WebSocket that a line names, None where it names none."""
    return _URL.search(text)


def refusal_in(text: str) -> re.Match[str] | None:
    """Return the words of a library that name the status of a refused handshake, its first group; None without."""
    return _REFUSED.search(text)


def is_sent(text: str) -> bool:
    """Whether words before a message say that the program sent it."""
    found, other = _SENT.search(text), _RECEIVED.search(text)
    return found is not None and other is None


def size_in(text: str) -> int | None:
    """Return how many bytes a line says that were sent, None where it says nothing of it, or gives a sum."""
    if not is_sent(text) or _SUM.search(text) is not None:
        return None
    found = _SIZE.search(text)
    return None if found is None else int(next(digits for digits in found.groups() if digits))


def command_in(text: str, values: list[tuple[int, Any]]) -> tuple[int, Any] | None:
    """Return a message of the client's that a line shows, as JSON or a bare word, and where it begins; None without."""
    for begin, value in values:
        said = next(_messages_of(value), None)
        if said is None:
            continue
        is_close = said["type"] in AUTO.commands and not _RECEIVED.search(text[:begin])
        if is_close or is_sent(text[:begin]) or (said is not value and is_sent(text)):
            return begin, said
    loose = _LOOSE_COMMAND.search(text)
    if loose is not None and is_sent(text[: loose.start()]):
        return loose.start(), {"type": loose[1]}
    bare = _BARE_COMMAND.search(text)
    return None if bare is None else (bare.start(), bare[1].lower())


def _messages_of(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a value that have the type of a command; a browser's event of a close is none."""
    if isinstance(value, dict) and depth < _DEEPEST:
        kind = value.get("type")
        if isinstance(kind, str) and kind in _COMMANDS and not _BROWSER & value.keys():
            yield value
        for item in value.values():
            yield from _messages_of(item, depth + 1)


def close_in(text: str) -> tuple[str, int, str] | None:
    """Return who closed, the code and the reason, where a line tells the end of a connection with its code."""
    told = _BOTH_CLOSES.search(text)
    if told is not None:
        return "server" if told[1] == "received" else "client", int(told[2]), told[3] or ""
    if _LOST.search(text) is not None:
        return "unknown", 1006, ""
    code = _CODE.search(text) if _CLOSED.search(text) is not None else None
    if code is None:
        return None
    why = _REASON.search(text)
    reason = "" if why is None else next((part for part in why.groups() if part), "").strip()
    return "unknown", int(code[1]), reason


def without_reason(text: str) -> str:
    """Return a line that tells the end of a connection without the words of the other side in it."""
    return _REASON.sub("", _BOTH_CLOSES.sub("closed", text))


def stamp_of(prefix: str) -> log_line.Stamp | None:
    """Return the time before a message: as `log_line.stamp_of` does, also one with AM or PM, or without colons."""
    half = _MERIDIEM.search(prefix)
    if half is None:
        stamp = log_line.stamp_of(prefix)
        found = next(filter(None, (form.search(prefix) for form in _UNUSUAL)), None) if stamp is None else None
        if found is None:
            return stamp
        month = _MONTHS.get(found["m"].lower(), found["m"])
        date = f"{found['y']}-{month:0>2}-{found['d']:0>2} {found['h']:0>2}:{found['min']}:{found['s']}"
        zone = found.string[found.end() :][:6]
        return log_line.stamp_of(f"{date}.{found['part']}{zone}" if found["part"] else f"{date}{zone}")
    hours = int(half[1]) % 12 * 3600 + (_HALF_DAY_S if half[5] in "pP" else 0)
    digits = half[4] or ""
    seconds = hours + int(half[2]) * 60 + int(half[3]) + (int(digits) / 10 ** len(digits) if digits else 0.0)
    return log_line.Stamp(seconds, 10.0 ** -len(digits), True)


def since_in(prefix: str) -> tuple[log_line.Stamp, bool] | None:
    """Return the time since the program began that a line begins with, and whether it has a unit; None without.

    A number without a unit is taken for seconds.
    """
    since = _RELATIVE.match(prefix)
    if since is None or not (since[2] or since[3]):
        return None
    unit = 0.001 if since[3] == "ms" else 1.0
    fineness = unit * 10.0 ** -len(since[2] or "")
    return log_line.Stamp(float(since[1]) * unit, fineness, False), bool(since[3])


def time_in(record: Any) -> tuple[log_line.Stamp, bool] | None:
    """Return the time that a member of a record tells, and whether its unit is known; None where none tells it.

    A small whole number is milliseconds since the program began, any other small one is taken for seconds.
    """
    if not isinstance(record, dict):
        return None
    for name, value in record.items():
        if name.lower() not in _TIME_NAMES:
            continue
        stamp = log_line.stamp_of(time_of(value).decode())
        if stamp is None and isinstance(value, str):
            stamp = stamp_of(value[:100])
        if stamp is not None:
            return stamp, True
        small = number(value)
        if small is not None and 0 <= small < _SMALL:
            is_ms = isinstance(value, int) or name.lower().endswith("ms")
            return log_line.Stamp(small * (0.001 if is_ms else 1.0), 0.001, False), is_ms
    return None

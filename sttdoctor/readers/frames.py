"""Text and binary messages of a capture as frames, secrets redacted."""

import json
import math
import re
from typing import Any

from sttdoctor.evidence import Frame
from sttdoctor.readers.collector import json_cost, refuse_costly
from sttdoctor.redact import redact_cut, redact_json, redact_message, redact_text

MAX_FRAME_BYTES = 1 << 40
"""A larger frame is none: nobody ever sent one, and the sum of many would be no number of 64 bits."""

_MAX_PAIRS = 100  # at the beginning of an elided object; no event of the service has as many
_COLON = re.compile(r"\s*:\s*")
_COMMA = re.compile(r"\s*,\s*")
_SCALAR = '"-0123456789tfn'  # how a value begins that is no list and no object


class NotJsonError(ValueError):
    """JSON with a number that JSON does not have."""


def finite(text: str) -> float:
    """Return a number of JSON; for `json.JSONDecoder`.

    Raises:
        NotJsonError: Infinite, too large or not a number.
    """
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError(f"{text[:20]} is not a number of JSON, or too large for one")
    return number


def number(value: Any) -> float | None:
    """Return a JSON value as a finite float; None where it is no number (a truth value is none) or too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


DECODER = json.JSONDecoder(parse_constant=finite, parse_float=finite)


def frame_size(value: Any) -> int | None:
    """Return a JSON value as the number of bytes of a frame; None where it is none."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= MAX_FRAME_BYTES else None


def text_frame(line: int, t: float | None, sent: bool, text: str) -> Frame:
    """Return the frame of a whole text message; `text` is JSON or not.

    Raises:
        CostlyError: It holds too many values.
    """
    content = text.encode(errors="replace")
    refuse_costly(json_cost(content))
    try:
        message: Any = redact_message(DECODER.decode(text), text)
    except (ValueError, RecursionError):
        hidden = redact_text(text)
        if hidden == text:
            return Frame(line, t, sent, len(content), text=text)
        try:
            message = DECODER.decode(hidden)  # what made it no JSON may have been in the secret
        except (ValueError, RecursionError):
            return Frame(line, t, sent, len(content), text=hidden)
    return Frame(line, t, sent, len(content), message=message)


def elided_frame(line: int, t: float | None, sent: bool, text: str, size: int | None = None) -> Frame:
    """Return the frame of a text whose middle is missing, with what its beginning still tells.

    Args:
        line: In the capture.
        t: Seconds.
        sent: From client to server.
        text: What is left, with `...` in the gap.
        size: Bytes of the whole, None where it is not known.
    """
    text = redact_cut(text)
    length = len(text.encode(errors="replace")) if size is None else size
    return Frame(line, t, sent, length, message=beginning(text), text=text, elided=True)


def beginning(text: str) -> dict[str, Any] | None:
    """Return the pairs at the beginning of an elided JSON object, None where no `type` is among them.

    A value with `...` in it may have lost its middle, so it and what follows is left out, as is what is no scalar.
    """
    if not text.startswith("{"):
        return None
    known: dict[str, Any] = {}
    place: int | None = len(text) - len(text[1:].lstrip())
    while place is not None and len(known) < _MAX_PAIRS:
        place = _take_pair(text, place, known)
    return redact_json(known) if isinstance(known.get("type"), str) else None


def _take_pair(text: str, start: int, known: dict[str, Any]) -> int | None:
    """Take a pair that a comma follows, and return where the next one begins; None where there is no such pair."""
    try:
        key, end = DECODER.raw_decode(text, start)
        colon = _COLON.match(text, end)
        if not isinstance(key, str) or colon is None or text[colon.end() : colon.end() + 1] not in _SCALAR:
            return None
        value, end = DECODER.raw_decode(text, colon.end())
    except (ValueError, RecursionError):
        return None
    comma = _COMMA.match(text, end)
    if comma is None or text.find("...", start, end) >= 0:
        return None
    known[key] = value
    return comma.end()

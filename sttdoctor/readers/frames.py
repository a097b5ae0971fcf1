"""Text and binary messages of a capture as frames, secrets redacted."""

import json
import math
import re
from typing import Any

from sttdoctor.evidence import Frame
from sttdoctor.redact import redact_json, redact_message, redact_text

_PAIR = re.compile(r'\s*("(?:[^"\\]|\\.){0,200}")\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null)\s*,')


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


def text_frame(line: int, t: float | None, sent: bool, text: str) -> Frame:
    """Return the frame of a whole text message; `text` is JSON or not."""
    size = len(text.encode(errors="replace"))
    try:
        message: Any = redact_message(DECODER.decode(text), text)
    except (ValueError, RecursionError):
        return Frame(line, t, sent, size, text=redact_text(text))
    return Frame(line, t, sent, size, message=message)


def elided_frame(line: int, t: float | None, sent: bool, text: str, size: int | None = None) -> Frame:
    """Return the frame of a text whose middle is missing, with what its beginning still tells.

    Args:
        line: In the capture.
        t: Seconds.
        sent: From client to server.
        text: What is left, with `...` in the gap.
        size: Bytes of the whole, None where it is not known.
    """
    text = redact_text(text)
    length = len(text.encode(errors="replace")) if size is None else size
    return Frame(line, t, sent, length, message=beginning(text), text=text, elided=True)


def beginning(text: str) -> dict[str, Any] | None:
    """Return the pairs at the beginning of an elided JSON object, None where no `type` is among them.

    A value with `...` in it may have lost its middle, so it and what follows is left out.
    """
    if not text.startswith("{"):
        return None
    known: dict[str, Any] = {}
    position = 1
    while (pair := _PAIR.match(text, position)) and "..." not in pair[0]:
        try:
            known[json.loads(pair[1])] = json.loads(pair[2])
        except ValueError:
            break
        position = pair.end()
    return redact_json(known) if isinstance(known.get("type"), str) else None

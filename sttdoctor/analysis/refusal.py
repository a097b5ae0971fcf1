"""What the service refused: a handshake, or a session by an error event before it said anything of the audio.

The status decides what it is about, unless the words that come with it name something else. Statuses as in
https://docs.cartesia.ai/use-the-api/api-errors: an unknown model is an error event with 400, too many streams are 429.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sttdoctor.analysis.send_timeline import Connection
from sttdoctor.evidence import Frame

Subject = Literal["key", "path", "parameter", "streams"]

_BY_STATUS: dict[int, Subject] = {
    400: "parameter",
    401: "key",
    403: "key",
    404: "path",
    422: "parameter",
    429: "streams",
}
_PARAMETER = re.compile(
    r"model|encoding|sample[ _-]?rate|(?:cartesia|api)[ _-]version|missing version|keyterm|threshold|turn_\w+"
    r"|parameter|query",
    re.IGNORECASE,
)
_KEY = re.compile(r"api[ _-]?key|access[ _-]?token|unauthori[sz]ed|authenticat|credential", re.IGNORECASE)
_MAX_BODY = 100_000
_SPOKEN = frozenset({"turn.start", "turn.update", "turn.eager_end", "turn.end", "transcript"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal.

    Attributes:
        status: HTTP status of the handshake, or of the error event.
        about: What the service objects to, None where it does not tell.
        named: Whether its words name that.
        words: What it said, on one line, at most 200 characters; empty where it said nothing.
        in_handshake: Whether the handshake was refused; an error event followed it otherwise.
        line: Line in the capture, from 1.
        t: Seconds since the session began.
    """

    status: int
    about: Subject | None
    named: bool
    words: str
    in_handshake: bool
    line: int
    t: float | None


def first_refusal(connections: Iterable[Connection]) -> Refusal | None:
    """Return the first refusal of a session, None where there is none."""
    return next((found for connection in connections if (found := _refusal(connection)) is not None), None)


def is_accepted(connection: Connection) -> bool:
    """Whether the handshake was accepted: the capture says so, or a message came."""
    status = connection.open.status if connection.open is not None else None
    return status == 101 or (status is None and bool(connection.received))


def _refusal(connection: Connection) -> Refusal | None:
    opened = connection.open
    if opened is not None and opened.status is not None and opened.status != 101:
        return _made(opened.status, words_of(opened.body or ""), True, opened.line, opened.t)
    error = _first_error(connection)
    status = error.message.get("status_code") if error is not None else None
    if error is None or not isinstance(status, int) or not 400 <= status < 500:
        return None
    return _made(status, _said(error.message), False, error.line, error.t)


def _first_error(connection: Connection) -> Frame | None:
    """The error event that came before anything was heard or commanded, None where another message was first."""
    for frame in connection.frames:
        if frame.sent and not frame.binary:
            return None  # what follows may be about this message
        if not frame.sent and frame.type == "error":
            return frame
        if not frame.sent and frame.type in _SPOKEN:
            return None
    return None


def words_of(body: str) -> str:
    """Return what the body of a refusal says: title and message of the service's JSON, anything else as it is."""
    try:
        message = json.loads(body[:_MAX_BODY])
    except (ValueError, RecursionError):
        return body
    return (_said(message) if isinstance(message, dict) else "") or body


def _said(message: dict[str, Any]) -> str:
    code = f" ({message['error_code']})" if message.get("error_code") else ""
    return ": ".join(str(message[key]) for key in ("title", "message") if message.get(key)) + code


def _made(status: int, words: str, in_handshake: bool, line: int, t: float | None) -> Refusal:
    words = " ".join(words[:_MAX_BODY].split())[:200]
    about, named = _about(status, words)
    if not (in_handshake or named):
        about = None  # an error may be about much else than how the session was opened
    return Refusal(status, about, named, words, in_handshake, line, t)


def _about(status: int, words: str) -> tuple[Subject | None, bool]:
    usual = _BY_STATUS.get(status)
    if usual in ("key", "streams"):
        return usual, True
    if usual is not None and _PARAMETER.search(words):
        return "parameter", True
    if usual is not None and _KEY.search(words):
        return "key", True
    return usual, False

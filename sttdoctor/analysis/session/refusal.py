"""What was refused or ended, and what that is about: a handshake, an error event, a close.

The words decide, then who answered, then the status. Statuses as in
https://docs.cartesia.ai/use-the-api/api-errors: an unknown model is an error event with 400, too many streams are 429.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

from sttdoctor.analysis.session.answerer import find_answerer
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.evidence import Frame
from sttdoctor.values import immutable

Subject = Literal["key", "expired", "path", "parameter", "streams", "quota", "session", "between"]
How = Literal["handshake", "event", "close"]

_BY_STATUS: dict[int, Subject] = {
    400: "parameter",
    401: "key",
    402: "quota",
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
_CREDENTIAL = r"(?:token|jwt|credential|api[ _-]?key|signature|grant)"
_PATTERNS: tuple[tuple[Subject, str], ...] = (
    (
        "expired",
        rf"{_CREDENTIAL}\b.{{0,40}}\b(?:expir|no longer valid|too old|revoked|lifetime)"
        rf"|expired?.{{0,20}}\b{_CREDENTIAL}|token_expired|\bexp\b claim",
    ),
    ("streams", r"concurren|too many (?:open |active |simultaneous )?(?:streams|connections|sessions|sockets)"),
    (
        "quota",
        r"quota|credit|billing|payment|balance|insufficient funds|subscription|upgrade your plan|usage limit"
        r"|\btrial|free ?tier|(?:monthly|daily) limit|rate[ _-]?limit|too many requests|out of (?:minutes|characters)",
    ),
    (
        "session",
        r"max(?:imum)?\.? (?:session|connection|stream|audio)? ?(?:duration|length|time|age)|session (?:limit|time)"
        r"|session (?:has )?expired|time limit|duration limit|longest (?:session|duration)|going away|restart"
        r"|deploy|shutting down|shutdown|maintenance|drain|scal(?:e|ing) (?:in|down)|overload|try again later|capacity"
        r"|unavailable",
    ),
)
_MAX_BODY = 100_000
_TRIES = 5
"""More refusals than these in a row are a fault, whatever follows."""
_WAIT_S = 0.4
"""Waits between tries begin with half a second to a second."""
_SPOKEN = frozenset({"turn.start", "turn.update", "turn.eager_end", "turn.end", "transcript"})


@immutable
class Refusal:
    """One refusal.

    Attributes:
        status: HTTP status of the handshake or of the error event, or the code of the close.
        about: What the service objects to, None where it does not tell.
        named: Whether its words name that.
        words: What it said, on one line, at most 200 characters; empty where it said nothing.
        how: The handshake was refused, or an error event or a close followed it.
        line: Line in the capture, from 1.
        t: Seconds since the session began.
    """

    status: int
    about: Subject | None
    named: bool
    words: str
    how: How
    line: int
    t: float | None


def find_refusal(connections: Iterable[Connection]) -> Refusal | None:
    """Return the first refusal of a session, None where there is none."""
    return next((found for connection in connections if (found := _find_refusal(connection)) is not None), None)


def count_overcome(connections: Sequence[Connection]) -> int:
    """Return how many handshakes at the beginning were refused for a while, until the client had waited long enough.

    That is what a client should do about a limit of rates or a server that is down; nothing was lost by it. One that
    tries again at once, or that never gets in, has overcome nothing. A token that had expired may be replaced at once.
    """
    if len(connections) > 1 and _has_expired(connections[0]) and is_accepted(connections[1]):
        return 1
    count = next((number for number, item in enumerate(connections) if not _is_put_off(item)), len(connections))
    if not 0 < count <= _TRIES or count == len(connections) or not is_accepted(connections[count]):
        return 0
    times = [item.open.t for item in connections[: count + 1] if item.open is not None]
    known = [t for t in times if t is not None]
    has_waited = len(known) < len(times) or all(later - t >= _WAIT_S for t, later in pairwise(known))
    return count if has_waited else 0


def _has_expired(connection: Connection) -> bool:
    refusal = _find_refusal(connection)
    return refusal is not None and refusal.how == "handshake" and refusal.about == "expired"


def _is_put_off(connection: Connection) -> bool:
    """Whether a handshake was refused in a way that passes by itself."""
    status = connection.open.status if connection.open is not None else None
    return status is not None and (status == 429 or status >= 500) and not connection.frames


def is_accepted(connection: Connection) -> bool:
    """Whether the handshake was accepted: the capture says so, or a message came."""
    status = connection.open.status if connection.open is not None else None
    return status == 101 or (status is None and bool(connection.received))


def _find_refusal(connection: Connection) -> Refusal | None:
    opened, close = connection.open, connection.close
    if opened is not None and opened.status is not None and opened.status != 101:
        refusal = _make("handshake", opened.status, extract_words(opened.body or ""), opened.line, opened.t)
        return replace(refusal, about="between") if find_answerer(opened).who == "between" else refusal
    error = _find_first_error(connection)
    if error is not None:
        status = error.message.get("status_code")
        is_refused = isinstance(status, int) and 400 <= status < 500
        return _make("event", status, _join_words(error.message), error.line, error.t) if is_refused else None
    if close is not None and close.by != "client" and close.code is not None and _has_heard_nothing(connection):
        found = _make("close", close.code, close.reason, close.line, close.t)
        return found if found.about is not None else None
    return None


def _find_first_error(connection: Connection) -> Frame | None:
    """The error event that came before anything was heard or commanded, None where another message was first."""
    for frame in connection.frames:
        if frame.sent and not frame.binary:
            return None  # what follows may be about this message
        if not frame.sent and frame.type == "error":
            return frame
        if not frame.sent and frame.type in _SPOKEN:
            return None
    return None


def _has_heard_nothing(connection: Connection) -> bool:
    return not any(frame.type in _SPOKEN or frame.type == "error" for frame in connection.received)


def extract_words(body: str) -> str:
    """Return what the body of a refusal says: title and message of the service's JSON, anything else as it is."""
    try:
        message = json.loads(body[:_MAX_BODY])
    except (ValueError, RecursionError):
        return body
    return (_join_words(message) if isinstance(message, dict) else "") or body


def _join_words(message: dict[str, Any]) -> str:
    code = f" ({message['error_code']})" if message.get("error_code") else ""
    return ": ".join(str(message[key]) for key in ("title", "message") if message.get(key)) + code


def tell_words(words: str) -> Subject | None:
    """Return what words say that a session or handshake ended about, where they name one of the known reasons."""
    return next((subject for subject, pattern in _PATTERNS if re.search(pattern, words, re.IGNORECASE)), None)


def _make(how: How, status: int, words: str, line: int, t: float | None) -> Refusal:
    words = " ".join(words[:_MAX_BODY].split())[:200]
    about, named = _tell_subject(_convert_to_http(status) if how == "close" else status, words)
    if how != "handshake" and not named:
        about = None  # it may be about much else than how the session was opened
    return Refusal(status, about, named, words, how, line, t)


def _convert_to_http(code: int) -> int:
    """The status that a close code stands for: those from 4000 on repeat it, 1008 is any fault of the client."""
    if code >= 4000:
        return code - 4000 if code >= 4300 else code - 3600  # 4401 and 4001 are both 401
    return {1008: 400, 3000: 401, 3003: 403}.get(code, code)


def _tell_subject(status: int, words: str) -> tuple[Subject | None, bool]:
    said = tell_words(words)
    if said is not None:
        return said, True
    usual = _BY_STATUS.get(status)
    if usual in ("key", "streams", "quota"):
        return usual, True
    if usual is not None and _PARAMETER.search(words):
        return "parameter", True
    if usual is not None and _KEY.search(words):
        return "key", True
    return usual, False

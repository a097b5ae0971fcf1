"""How a connection ended that the client did not end: by which close, and what code and reason say it was about.

The reason outweighs what the code usually means. Codes as in RFC 6455 and the registry of
https://www.iana.org/assignments/websocket/; those from 4000 on repeat an HTTP status, as services of this field do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sttdoctor.analysis.session.ping_timeout import is_ping_timeout
from sttdoctor.analysis.session.refusal import tell_words
from sttdoctor.analysis.session.timeline import Connection

About = Literal["expired", "streams", "quota", "session", "wire", "between", "key", "unknown"]

CODES: Mapping[int, tuple[About, str]] = {
    1000: ("unknown", ""),
    1001: ("session", "going away"),
    1002: ("wire", "a protocol error"),
    1003: ("wire", "data of a kind that it does not take"),
    1007: ("wire", "text that is not UTF-8"),
    1008: ("unknown", "a policy"),
    1010: ("unknown", "an extension that was not agreed on"),
    1011: ("unknown", "an internal error"),
    1012: ("session", "a restart"),
    1013: ("session", "overload; try again later"),
    1014: ("between", "a bad gateway"),
    1015: ("between", "a failed TLS handshake"),
    3000: ("key", "unauthorized"),
    3003: ("key", "forbidden"),
    3008: ("session", "a timeout"),
}
"""What a close code is about, and what it is called."""

_BY_STATUS: Mapping[int, About] = {401: "key", 402: "quota", 403: "key", 429: "quota", 502: "between", 503: "session"}
_WIRE = re.compile(
    r"\brsv\d?\b|\bmask|opcode|utf-?8|fragment|(?:invalid|bad|corrupt|malformed) (?:websocket )?frame", re.I
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended.

    Attributes:
        about: What ended it.
        code: Of the close.
        meaning: What the code is called; empty for one that has no name.
        reason: As it was sent, at most 123 bytes.
        line: Of the close, from 1.
        t: Seconds since the session began, None where no clock was kept.
    """

    about: About
    code: int
    meaning: str
    reason: str
    line: int
    t: float | None


def find_ending(connection: Connection) -> Ending | None:
    """Return how the other side ended a connection; None where the client did, nobody closed, or a ping timed out."""
    close = connection.close
    if close is None or close.by == "client" or close.code in (None, 1005, 1006, 1009) or is_ping_timeout(close):
        return None
    assert close.code is not None
    return Ending(_tell(close.code, close.reason), close.code, _name(close.code), close.reason, close.line, close.t)


def _tell(code: int, reason: str) -> About:
    said = tell_words(reason)
    if said in ("expired", "streams", "quota", "session"):
        return said
    if _WIRE.search(reason) and code != 1000:
        return "wire"
    if code in CODES:
        return CODES[code][0]
    return _BY_STATUS.get(_as_status(code), "unknown")


def _name(code: int) -> str:
    return CODES[code][1] if code in CODES else ""


def _as_status(code: int) -> int:
    """The HTTP status that a code from 4000 on repeats: 4429 and 4029 are both 429."""
    return code - 4000 if code >= 4300 else code - 3600

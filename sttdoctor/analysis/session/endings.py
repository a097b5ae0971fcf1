"""How a connection ended that the client did not end: by which close, and what code and reason say it was about.

The reason outweighs what the code usually means. Codes as in RFC 6455 and the registry of
https://www.iana.org/assignments/websocket/; those from 4000 on repeat an HTTP status, as services of this field do.

When a side closed because its ping was not answered, somebody is at fault. A library answers a ping by itself, as long
as it gets to read the socket: not while its process is blocked, and not while messages wait that nobody takes
(`websockets` stops reading behind 16 of them). So an unanswered ping alone says nothing; what came in and what went out
until then does. Source: https://websockets.readthedocs.io/en/stable/topics/keepalive.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Literal

from sttdoctor.analysis.session.refusal import tell_words
from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.analysis.session.turns import Turn
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.evidence import Close, Frame
from sttdoctor.values import immutable

Who = Literal["peer", "reader", "process", "link", "unknown"]

_REASON = re.compile(r"\bping\b.*\btime|\bpong\b|\bheartbeat\b", re.IGNORECASE)
_RECENT_S = 3.0
"""Updates come several times a second while somebody speaks, so what came in this long ago was just now."""
_FLOWING_S = 1.0
_STILL_S = 5.0

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

_RACE_S = 0.3
"""A `turn.end` that came so shortly before the client left may not have been read."""


@immutable
class PingTimeout:
    """An unanswered ping.

    Attributes:
        who: `peer`: the other side, or what is between, answered no ping although it was there. `reader`: the client
            went on sending and took nothing in. `process`: the client neither sent nor read. `link`: the connection
            was dead. `unknown`: the capture does not tell.
        silent_s: Seconds in which nothing came to the client before the close, None without a clock.
        unsent_s: Seconds in which it sent no message.
    """

    who: Who
    silent_s: float | None = None
    unsent_s: float | None = None


def is_ping_timeout(close: Close) -> bool:
    """Whether the reason of a close is a ping without an answer."""
    return _REASON.search(close.reason) is not None


def find_ping_timeout(connection: Connection, clock: str) -> PingTimeout | None:
    """Judge the end of a connection; None where it was no ping timeout.

    Args:
        connection: The connection.
        clock: Where the capture was taken, as in `Session.clock`. What passed a proxy or left a server need not have
            been read by the client.
    """
    close = connection.close
    if close is None or not is_ping_timeout(close):
        return None
    sent = [frame.t for frame in connection.frames if frame.sent and frame.t is not None]
    if close.t is None or not sent:
        return PingTimeout("unknown")
    opened = connection.open.t if connection.open is not None and connection.open.t is not None else 0.0
    came = [opened, *(item.t for item in connection.received if item.t is not None)]
    came += [item.t for item in connection.controls if not item.sent and item.t is not None]
    silent_s, unsent_s = close.t - max(came), close.t - max(sent)
    is_due = _is_due(connection, sorted(came), silent_s)
    if close.by == "server":
        who = _judge_by_server(connection, sent, unsent_s)
    elif clock == "client":
        who = _judge_by_client(connection, close.t, sent, silent_s, unsent_s, is_due)
    else:
        who = _judge_from_between(sent, silent_s, unsent_s, is_due)
    return PingTimeout(who, silent_s, unsent_s)


def _is_due(connection: Connection, came: list[float], silent_s: float) -> bool:
    """Whether something should have come: a turn was open, or it was never that quiet before."""
    is_open = bool(connection.turns) and connection.turns[-1].end is None
    longest_s = max((after - before for before, after in pairwise(came)), default=0.0)
    return is_open or silent_s > max(_STILL_S, 2 * longest_s)


def _judge_by_client(
    connection: Connection, closed: float, sent: list[float], silent_s: float, unsent_s: float, is_due: bool
) -> Who:
    """The client gave up, and recorded itself."""
    pings = [item.t for item in connection.controls if item.sent and item.kind == "ping" and item.t is not None]
    waited_s = closed - pings[-1] if pings else _RECENT_S + _FLOWING_S
    if silent_s < waited_s - _FLOWING_S:
        return "peer"
    if unsent_s >= _STILL_S:
        lived = bool(pings) and pings[-1] - max(sent) >= _STILL_S  # a process that stands still sends no ping
        return "process" if _stopped_at_once(sent, silent_s, unsent_s) and not lived else "link"
    return "reader" if is_due else "unknown"


def _judge_by_server(connection: Connection, sent: list[float], unsent_s: float) -> Who:
    """The server gave up on the client."""
    if any(item.sent and item.kind == "pong" for item in connection.controls):
        return "link"  # the client did answer, as far as it goes
    if unsent_s < _RECENT_S:
        return "reader"
    return "process" if _stopped_at_once(sent, unsent_s, unsent_s) else "link"


def _judge_from_between(sent: list[float], silent_s: float, unsent_s: float, is_due: bool) -> Who:
    """The client gave up, and the capture was taken elsewhere: events there show that the service is alive."""
    if unsent_s >= _STILL_S and silent_s < unsent_s:
        return "process" if _stopped_at_once(sent, unsent_s, unsent_s) else "link"
    if silent_s < _STILL_S:
        return "reader"
    return "link" if is_due else "unknown"


def _stopped_at_once(sent: list[float], silent_s: float, unsent_s: float) -> bool:
    """Whether messages flowed until what was sent and what came stopped together."""
    flowed = len(sent) > 2 and sent[-1] - sent[-3] <= 2 * _FLOWING_S
    return flowed and abs(silent_s - unsent_s) <= 2 * _FLOWING_S


@immutable
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
    return _BY_STATUS.get(_convert_to_status(code), "unknown")


def _name(code: int) -> str:
    return CODES[code][1] if code in CODES else ""


def _convert_to_status(code: int) -> int:
    """The HTTP status that a code from 4000 on repeats: 4429 and 4029 are both 429."""
    return code - 4000 if code >= 4300 else code - 3600


@immutable
class UnusedEnd:
    """A finished turn that the application does not have.

    Attributes:
        number: Of the turn in the session, from 1.
        turn: The turn.
        left_after_s: Seconds from its `turn.end` to the client's leaving: to its close command, else to its close;
            None where the capture has no times, or the client did not leave.
        readable: It came while the client was still there, so not its leaving is why it is missing.
    """

    number: int
    turn: Turn
    left_after_s: float | None
    readable: bool


def find_unused_ends(
    connections: Sequence[Connection], lacking: Sequence[int], endpoint: Endpoint | None
) -> Iterator[UnusedEnd]:
    """Tell of each turn that is missing whether its end could have been read.

    Args:
        connections: Of the session, in order.
        lacking: Indices of the missing turns among all turns of the session.
        endpoint: `auto` or `manual`, None where it is not known.
    """
    owners = [(number, turn) for number, connection in enumerate(connections) for turn in connection.turns]
    left = [_find_leaving(connection, endpoint) for connection in connections] if lacking else []
    for index in lacking:
        number, turn = owners[index]
        yield _judge_end(index + 1, turn, left[number])


def _find_leaving(connection: Connection, endpoint: Endpoint | None) -> Frame | Close | None:
    """With what the client left: its close command, else the close."""
    command = next((frame for frame in connection.texts if is_close_command(frame, endpoint)), None)
    return command or connection.close


def _judge_end(number: int, turn: Turn, left: Frame | Close | None) -> UnusedEnd:
    if left is None or turn.end_line is None:
        return UnusedEnd(number, turn, None, True)
    if left.t is None or turn.end_t is None:
        return UnusedEnd(number, turn, None, turn.end_line < left.line)
    after_s = left.t - turn.end_t
    return UnusedEnd(number, turn, after_s, after_s > _RACE_S)

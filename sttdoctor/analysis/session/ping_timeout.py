"""Who is at fault when a side closed because its ping was not answered.

A library answers a ping by itself, as long as it gets to read the socket: not while its process is blocked, and not
while messages wait that nobody takes (`websockets` stops reading behind 16 of them). So an unanswered ping alone says
nothing; what came in and what went out until then does.
Source: https://websockets.readthedocs.io/en/stable/topics/keepalive.html
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.evidence import Close

Who = Literal["peer", "reader", "process", "link", "unknown"]

_REASON = re.compile(r"\bping\b.*\btime|\bpong\b|\bheartbeat\b", re.IGNORECASE)
_RECENT_S = 3.0
"""Updates come several times a second while somebody speaks, so what came in this long ago was just now."""
_FLOWING_S = 1.0
_STILL_S = 5.0


@dataclass(frozen=True, slots=True)
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
        return "process" if _stopped_at_once(sent, silent_s, unsent_s) else "link"
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

"""How a connection was lost that nobody closed: cut while it was idle, cut in one direction, or dead.

What stands between client and service (a proxy, a load balancer, a NAT) ends connections on which nothing passes for
a fixed time. Most count a frame of either direction, pings too.
haproxy with `option independent-streams` and lighttpd count each direction by itself.
Sources: the defaults in the manuals of nginx (`proxy_read_timeout` 60 s), haproxy (`timeout client` 50 s in packages),
Apache (`Timeout` 60 or 300 s), squid (`read_timeout` 15 min), tinyproxy (`Timeout` 600 s), lighttpd
(`max-read-idle` 60 s, `max-write-idle` 360 s), and of the load balancers of AWS, Azure and Cloudflare.
"""

from dataclasses import dataclass
from typing import Literal

from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.endpoints.base import Endpoint

How = Literal["idle", "one-sided", "dead"]

LIMITS_S = (50, 60, 100, 240, 300, 350, 360, 600, 900)
"""Usual limits; 100 s is Cloudflare's, 240 s Azure's, 350 s that of a network load balancer of AWS."""
_EARLY_S = 0.5
"""nginx does not set a timer anew that was set less than 0.3 s ago; the rest is the way to the client."""
_LATE_S = 1.6
"""A client's own loop may see the end a second later."""
_EXACT_S = 0.35
_FLOWING_S = 2.0
_DEAF_S = 5.0
"""Updates come several times a second while somebody speaks."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How a connection was lost.

    Attributes:
        how: `idle`: nothing passed for as long as something between allows. `one-sided`: audio was sent to the end, and
            nothing came for that long. `dead`: a turn was open and audio was sent, but nothing came any more.
        silent_s: Seconds from the last frame that counts to the end: of either side; for the others, a received one.
        limit_s: The limit that this is, None for `dead`.
        unsent_s: Seconds from the last frame that was sent to the end.
        line: Of the close, from 1.
        t: Of the close, seconds since the session began.
    """

    how: How
    silent_s: float
    limit_s: float | None
    unsent_s: float
    line: int
    t: float


def find_loss(connection: Connection, endpoint: Endpoint | None, resolution: float = 0.0) -> Loss | None:
    """Tell how a connection was lost; None where somebody closed it or the times tell nothing.

    Args:
        connection: The connection.
        endpoint: `auto`, `manual` or None, as in `is_close_command`.
        resolution: Seconds between two times that the clock can tell apart.
    """
    close = connection.close
    if close is None or close.t is None or not _is_lost(close.code, close.by):
        return None
    if not connection.audio_frames or any(is_close_command(frame, endpoint) for frame in connection.frames):
        return None
    passed = [(frame.t, frame.sent) for frame in connection.frames if frame.t is not None]
    passed += [(control.t, control.sent) for control in connection.controls if control.t is not None]
    sent = max((t for t, is_sent in passed if is_sent), default=None)
    came = max((t for t, is_sent in passed if not is_sent), default=None)
    if sent is None or came is None:
        return None
    unsent_s, silent_s = close.t - sent, close.t - came
    if _is_turn_open(connection) and sent - came >= _DEAF_S:
        return Loss("dead", silent_s, None, unsent_s, close.line, close.t)
    if unsent_s < _FLOWING_S:
        limit = _find_limit(silent_s, resolution, is_exact=True)
        return Loss("one-sided", silent_s, limit, unsent_s, close.line, close.t) if limit else None
    idle_s = min(unsent_s, silent_s)
    limit = _find_limit(idle_s, resolution)
    return Loss("idle", idle_s, limit, unsent_s, close.line, close.t) if limit else None


def _is_lost(code: int | None, by: str) -> bool:
    return code == 1006 or (code is None and by != "client")


def _is_turn_open(connection: Connection) -> bool:
    return bool(connection.turns) and connection.turns[-1].end is None


def _find_limit(seconds: float, resolution: float, is_exact: bool = False) -> float | None:
    """The usual limit that ran out, None where the time is like none; what else somebody set cannot be told."""
    late_s = (_EXACT_S if is_exact else _LATE_S) + resolution
    usual = [limit for limit in LIMITS_S if limit - _EARLY_S - resolution <= seconds <= limit + late_s]
    return float(min(usual, key=lambda limit: abs(limit - seconds))) if usual else None


@dataclass(frozen=True, slots=True)
class Sleep:
    """A connection that lay still for long and was dead when it was used again.

    Attributes:
        since_s: When the last frame passed before, seconds since the session began.
        still_s: For how long nothing passed, in either direction.
        sent_s: Seconds over which audio was sent afterwards.
        deaf_s: Seconds from the first of it to the end, in which nothing came.
        line: Of the first frame that was sent into the dead connection, from 1.
        t: Its time.
    """

    since_s: float
    still_s: float
    sent_s: float
    deaf_s: float
    line: int
    t: float


def find_sleep(connection: Connection) -> Sleep | None:
    """Tell whether a connection was used again after a long silence of both sides, and nothing came any more."""
    sent = [(frame.t, frame.line) for frame in connection.audio_frames if frame.t is not None]
    passed = [frame.t for frame in connection.frames if frame.t is not None]
    passed += [control.t for control in connection.controls if control.t is not None]
    if len(sent) < _LEAST_FRAMES or not connection.received:
        return None
    passed = sorted(passed)
    still = [i for i in range(1, len(passed)) if passed[i] - passed[i - 1] >= _STILL_S]
    if not still:
        return None
    since, until = passed[still[-1] - 1], passed[still[-1]]
    came = [item.t for item in connection.received] + [item.t for item in connection.controls if not item.sent]
    later = [(t, line) for t, line in sent if t >= until]
    if not later or any(t is not None and t >= until for t in came):
        return None
    first, line = later[0]
    close = connection.close
    end = close.t if close is not None and close.t is not None else max(passed)
    if later[-1][0] - first < _SPOKEN_S or end - first < _DEAF_S:
        return None
    return Sleep(since, first - since, later[-1][0] - first, end - first, line, first)


_STILL_S = 120.0
"""Shorter silence ends no connection that is not cut by a limit of its own."""
_SPOKEN_S = 2.0
_LEAST_FRAMES = 10

"""How a connection was lost that nobody closed, and what is lost or sent twice when the client connects again.

What stands between client and service (a proxy, a load balancer, a NAT) ends connections on which nothing passes for
a fixed time. Most count a frame of either direction, pings too.
haproxy with `option independent-streams` and lighttpd count each direction by itself.
Sources: the defaults in the manuals of nginx (`proxy_read_timeout` 60 s), haproxy (`timeout client` 50 s in packages),
Apache (`Timeout` 60 or 300 s), squid (`read_timeout` 15 min), tinyproxy (`Timeout` 600 s), lighttpd
(`max-read-idle` 60 s, `max-write-idle` 360 s), and of the load balancers of AWS, Azure and Cloudflare.

"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from sttdoctor.analysis.session.answerer import SETTINGS, find_passed
from sttdoctor.analysis.session.endings import is_ping_timeout
from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.evidence import Frame
from sttdoctor.values import immutable

How = Literal["idle", "one-sided", "pinged", "dead", "left"]

LIMITS_S = (50, 60, 100, 240, 300, 350, 360, 600, 900)
"""Usual limits; 100 s is Cloudflare's, 240 s Azure's, 350 s that of a network load balancer of AWS."""
SET_S = (10, 15, 20, 30, 45, 90, 120)
"""Limits that people set: they count to a third of a second where the handshake passed a product that has one, and
something other than the client ended the connection."""
_EARLY_S = 0.5
"""nginx does not set a timer anew that was set less than 0.3 s ago; the rest is the way to the client."""
_LATE_S = 1.6
"""A client's own loop may see the end a second later."""
_EXACT_S = 0.35
_COARSE_S = 0.2
"""Where times are told to no better, limits that people set lie too close to each other."""
_FLOWING_S = 2.0
_DEAF_S, _SURELY_DEAF_S = 5.0, 15.0
"""Updates come several times a second while somebody speaks, and within 7 s of silence a turn is ended: with a turn
open nothing is that quiet. The longer of them counts where nothing else says that the connection was lost."""
_IDLE_S = 15.0
"""No proxy or load balancer that is known cuts earlier."""


@immutable
class Loss:
    """How a connection was lost.

    Attributes:
        how: `idle`: nothing passed for as long as something between allows. `one-sided`: audio was sent to the end, and
            nothing came for that long. `pinged`: no message passed for long, pings did and were answered, then one was
            not. `dead`: a turn was open and audio was sent, but nothing came any more. `left`: the same, until the
            client closed by itself.
        silent_s: Seconds from the last frame that counts to the end: of either side; for the others, a received one.
            For `pinged`, from the last message to the ping that nobody answered.
        limit_s: The limit that this is, None where it is none of the usual.
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
    if close is None or close.t is None or (close.by != "client" and not _is_lost(close.code, close.by)):
        return None
    if not connection.audio_frames or any(is_close_command(frame, endpoint) for frame in connection.texts):
        return None
    passed = [(frame.t, frame.sent) for frame in connection.frames if frame.t is not None]
    passed += [(control.t, control.sent) for control in connection.controls if control.t is not None]
    sent = max((t for t, is_sent in passed if is_sent), default=None)
    came = max((t for t, is_sent in passed if not is_sent), default=None)
    if sent is None or came is None:
        return None
    unsent_s, silent_s = close.t - sent, close.t - came
    if is_ping_timeout(close):
        idle_s = _find_idle_before_ping(connection)
        return Loss("pinged", idle_s, None, unsent_s, close.line, close.t) if idle_s is not None else None
    if not _is_lost(close.code, close.by):
        is_left = close.code in (None, 1000, 1001, 1005)  # another code says why the client closed
        is_deaf = is_left and _is_turn_open(connection) and sent - came >= _SURELY_DEAF_S
        return Loss("left", silent_s, None, unsent_s, close.line, close.t) if is_deaf else None
    if _is_turn_open(connection) and sent - came >= _DEAF_S:
        return Loss("dead", silent_s, None, unsent_s, close.line, close.t)
    if unsent_s < _FLOWING_S:
        limit = _find_limit(silent_s, resolution, is_exact=True)
        return Loss("one-sided", silent_s, limit, unsent_s, close.line, close.t) if limit else None
    idle_s = min(unsent_s, silent_s)
    name = find_passed(connection.open)
    is_told = close.by != "client" and close.code is not None and resolution <= _COARSE_S
    limit = _find_limit(idle_s, resolution, is_settable=is_told and "idle" in SETTINGS.get(name or "", {}))
    return Loss("idle", idle_s, limit, unsent_s, close.line, close.t) if limit else None


def _find_idle_before_ping(connection: Connection) -> float | None:
    """Seconds without a message until the client's ping that nobody answered; None where pings show no idle cut.

    The one before was answered, or the connection lay idle no longer than a ping's period: so it died in between. Some
    load balancers count messages only, and no pings.
    """
    pings = [control.t for control in connection.controls if control.sent and control.kind == "ping"]
    came = [control.t for control in connection.controls if not control.sent and control.t is not None]
    passed = [frame.t for frame in connection.frames if frame.t is not None]
    if not pings or pings[-1] is None or not passed or max([*came, *passed]) > pings[-1]:
        return None
    idle_s = pings[-1] - max(passed)
    return idle_s if idle_s >= _IDLE_S else None


def _is_lost(code: int | None, by: str) -> bool:
    return code == 1006 or (code is None and by != "client")


def _is_turn_open(connection: Connection) -> bool:
    return bool(connection.turns) and connection.turns[-1].end is None


def _find_limit(seconds: float, resolution: float, is_exact: bool = False, is_settable: bool = False) -> float | None:
    """The limit that ran out, None where the time is like none; what else somebody set cannot be told."""
    late_s = (_EXACT_S if is_exact else _LATE_S) + resolution
    usual = [limit for limit in LIMITS_S if limit - _EARLY_S - resolution <= seconds <= limit + late_s]
    if is_settable:
        usual += [limit for limit in SET_S if abs(seconds - limit) <= _EXACT_S + resolution]
    return float(min(usual, key=lambda limit: abs(limit - seconds))) if usual else None


@immutable
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
    passed = [frame.t for frame in connection.frames if frame.t is not None]
    passed += [control.t for control in connection.controls if control.t is not None]
    if not connection.received:
        return None
    passed = sorted(passed)
    still = [i for i in range(1, len(passed)) if passed[i] - passed[i - 1] >= _STILL_S]
    if not still:
        return None
    sent = [(frame.t, frame.line) for frame in connection.audio_frames if frame.t is not None]
    if len(sent) < _LEAST_FRAMES:
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


@immutable
class Reconnect:
    """One further handshake.

    Attributes:
        line: Of the second handshake.
        t: Seconds of it.
        turn_open: A turn was open when the first connection ended.
        audio_missing_s: Clock time between the audio of the two connections beyond one chunk, less what of it was sent
            at once when the second began.
        sent_again_s: Audio of the second connection that repeats the end of the first.
        number: Of the first connection, from 0.
    """

    line: int
    t: float | None
    turn_open: bool
    audio_missing_s: float
    sent_again_s: float
    number: int = 0


def find_reconnects(connections: Sequence[Connection], bytes_per_s: float | None) -> Iterator[Reconnect]:
    """Find the handshakes that interrupt a session.

    A connection that was refused, carried no audio, was drained to its end, or was ended by the client itself with no
    turn open is complete: what follows it is a session of its own.

    Args:
        connections: In order.
        bytes_per_s: Declared byte rate, None where it is not known.
    """
    for number, (before, after) in enumerate(pairwise(connections)):
        if before.audio_frames and after.open is not None and not _is_complete(before):
            known = before.turns
            gap = _measure_gap(before, after, bytes_per_s)
            again = _count_repeated_bytes(before, after) / bytes_per_s if bytes_per_s else 0.0
            yield Reconnect(after.open.line, after.open.t, bool(known) and known[-1].end is None, gap, again, number)


def _is_complete(connection: Connection) -> bool:
    close, known = connection.close, connection.turns
    commanded = any(is_close_command(frame) for frame in connection.texts)
    nothing_open = not known or known[-1].end is not None
    if close is None:
        return commanded and nothing_open
    if close.by == "client":
        return nothing_open and (commanded or connection.was_left)
    return commanded and close.code == 1000


def _measure_gap(before: Connection, after: Connection, bytes_per_s: float | None) -> float:
    last, first = before.audio_frames[-1], next(iter(after.audio_frames), None)
    if first is None or first.t is None or last.t is None:
        return 0.0
    gap_s = max(0.0, first.t - last.t - (last.size / bytes_per_s if bytes_per_s else 0.0))
    return gap_s if not bytes_per_s else max(0.0, gap_s - _measure_kept(after.audio_frames, first.t, bytes_per_s))


def _measure_kept(frames: Sequence[Frame], since_s: float, bytes_per_s: float) -> float:
    """Seconds of audio beyond what the clock allows that come at the beginning of a connection: they were kept."""
    sent_s, most_s = 0.0, 0.0
    for frame in frames:
        if frame.t is None or frame.t - since_s > _AT_ONCE_S:
            break
        most_s = max(most_s, sent_s - (frame.t - since_s))
        sent_s += frame.size / bytes_per_s
    return most_s


_AT_ONCE_S = 2.0


def _count_repeated_bytes(before: Connection, after: Connection, longest: int = 4 << 20) -> int:
    """Bytes at the start of the second connection that stand in the last part of the first."""
    old = b"".join([*_take_enough(reversed(before.audio_frames), longest)][::-1])[-longest:]
    new = b"".join(_take_enough(after.audio_frames, longest))[:longest]
    start = _find_varied(new)
    probe = new[start : start + 512]
    at = old.find(probe) if len(probe) == 512 and len(set(probe)) > 8 else -1
    if at < 0:
        return 0
    length = min(len(old) - at, len(new) - start)
    same = np.frombuffer(old, np.uint8, length, at) == np.frombuffer(new, np.uint8, length, start)
    return length if same.all() else int(same.argmin())


def _take_enough(frames: Iterable[Frame], longest: int) -> Iterator[bytes]:
    """Yield the content of frames until it is as long as that."""
    length = 0
    for frame in frames:
        if length >= longest:
            return
        yield frame.audio or b""
        length += frame.size


def _find_varied(data: bytes, block: int = 512) -> int:
    """Offset of the first block that is not silence, which repeats without being sent again."""
    return next((i for i in range(0, len(data) - block, block) if len(set(data[i : i + block])) > 8), 0)

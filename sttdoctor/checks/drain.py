"""Did you drain all events?

Needs the commands of the client, the events and the close. To end a session the client sends the close command and
reads on until the server closes the socket; otherwise the words of about the last second are lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.endings import PingTimeout, Who
from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.checks.base import (
    TROUBLESHOOTING,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    describe_code,
    not_applicable,
    pick_worst,
    unknown,
)
from sttdoctor.evidence import Close, Frame
from sttdoctor.values import immutable

_DRAIN = (
    'Send {"type":"close"} after the last chunk, keep reading events, and stop only when the server closes the socket.'
)
_ONE_TURN = (
    "It left at a turn.end while audio was flowing: that ends a turn, and the user may have more to say. Leave when "
    "the user is done."
)

CHECK = Check(
    id="drain",
    order=100,
    question="Did you drain all events?",
    kinds=("session",),
    needs="what the client sent, the events, and the close with its side and code",
    why="After the last chunk the service still holds about a second of audio. The close command makes it finish that "
    "audio; a client that does not send it, or stops reading, loses the last words.",
    how="Whether the close command was sent, whether the server closed first, and whether words were on their way: a "
    "turn was open, or speech was sent in the last second. Where only silence was sent, leaving early is a warning.",
    causes=(
        Cause("drain.no-close", "fail", "The client closed the socket without the close command.", _DRAIN),
        Cause(
            "drain.hung-up", "fail", "The client left right after its close command, before the server closed.", _DRAIN
        ),
        Cause(
            "drain.left-at-turn-end",
            "fail",
            "The client took the end of one turn for the end of the session, and left while the user was still "
            "speaking.",
            "Keep sending and reading after a turn.end: it ends a turn, not the session. " + _DRAIN,
        ),
        Cause(
            "drain.stopped-reading",
            "fail",
            "The client stopped reading events while the connection was open.",
            "Read events in a separate task from the handshake to the close, not only once everything is sent.",
        ),
        Cause(
            "drain.connection-lost",
            "fail",
            "The connection broke before everything was answered.",
            "Reconnect, send the unanswered audio again, and show the open turn as unfinished.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=lambda facts: _judge(facts),
)

_READ = (
    "Read events in a separate task from the handshake to the close, not only once everything is sent. If the client "
    "already does that, the network was gone: reconnect."
)
_UNBLOCK = (
    "Find the call that blocked the process (a model, a file, a database, time.sleep) and move it off the event loop, "
    "in Python with asyncio.to_thread. If nothing blocks, the machine was asleep or the network was gone: reconnect."
)
_RECONNECT = "Reconnect, send the unanswered audio again, and check the network between client and service."
_ALLOW = (
    "Find out what swallows pings or pongs between client and service (a proxy, a gateway). Until then allow for it: "
    "ping_timeout=None in websockets, or a longer timeout; and reconnect when the socket closes."
)
_LOOK = "Record pings with their times (websockets logs them at DEBUG), and reconnect when the socket closes."
_Ping = Mapping[Who, tuple[str, float, str, str]]
_PING_BY_CLIENT: _Ping = {
    "peer": (
        "connection-lost",
        0.85,
        "no pong came back, although the client still read and events came until {silent} before; the server, or what "
        "is between, answered no ping",
        _ALLOW,
    ),
    "reader": (
        "stopped-reading",
        0.75,
        "it went on sending, but took nothing in for {silent}; it no longer read what the server sent, or the "
        "connection was dead",
        _READ,
    ),
    "process": (
        "stopped-reading",
        0.85,
        "for {unsent} it neither sent nor read, although audio was flowing before; its process was blocked",
        _UNBLOCK,
    ),
    "link": ("connection-lost", 0.8, "nothing came for {silent}; the connection was dead", _RECONNECT),
    "unknown": (
        "connection-lost",
        0.6,
        "no pong came back; the capture does not tell whether the client stopped reading or the network was gone",
        _LOOK,
    ),
}
_PING_SEEN_FROM_BETWEEN: _Ping = {
    **_PING_BY_CLIENT,
    "reader": (
        "stopped-reading",
        0.75,
        "it went on sending, and events went out to it until {silent} before, but it took in no pong; it no longer "
        "read what the server sent, or the connection was dead",
        _READ,
    ),
}
_PING_BY_SERVER: _Ping = {
    **_PING_BY_CLIENT,
    "reader": (
        "stopped-reading",
        0.7,
        "the client went on sending, but answered no ping; it no longer read what the server sent",
        _READ,
    ),
    "process": (
        "stopped-reading",
        0.8,
        "the client sent nothing for {unsent} and answered no ping; its process was blocked, or the network gone",
        _UNBLOCK,
    ),
    "link": ("connection-lost", 0.8, "no pong of the client reached it; the connection was dead", _RECONNECT),
}

_LONG_S = 1.0
"""Nothing came to a client for as long: only then is that a sign that it did not read."""

_LIMITED = (
    "Look for a time limit of what the client runs in or passes through (a serverless function, a relay, a "
    "proxy, a load balancer, a token), and open the next connection in a pause before it is reached. Send again what "
    "was not answered, and show the open turn as unfinished."
)
_LIFETIMES_S = (30, 60, 300, 600, 900, 1800, 3600, 7200)
"""30 s: load balancers of Google Cloud; 5 minutes: Cloud Run; 15: AWS Lambda; 60: Cloud Run at most; 120: API Gateway
of AWS; the others are set by hand."""
_MINUTES_S, _SHORT_EXACT_S = 120.0, 0.2  # short connections are lost near such a limit by chance
_EXACT_S, _STILL_FLOWING_S = 0.6, 2.0
_AT_END_S = 1.0
_FLOWING_S = 0.5


@immutable
class _End:
    """How a connection ended.

    Attributes:
        close: The close.
        command: The last close command.
        turn_open: The last turn had not ended.
        says_last: Tells whether speech was still on its way, None where the capture cannot tell; asked only where it
            matters, as it needs the sound.
        unread: Number of the first turn whose end came as the client left and is not in the application's text.
        waited_s: Seconds from the command to the close.
        turn_end: The end of a turn at which the client left while audio was flowing, None where it left otherwise.
        is_empty: The last binary frame holds no byte.
    """

    close: Close
    command: Frame | None
    turn_open: bool
    says_last: Callable[[], bool | None]
    unread: int | None
    waited_s: float | None
    turn_end: Frame | None
    is_empty: bool

    @property
    def said_last(self) -> bool | None:
        """Whether speech was still on its way."""
        return self.says_last()

    @property
    def loss(self) -> Status:
        """`fail` where words were on their way when the connection ended."""
        return "fail" if self.turn_open or self.said_last or self.unread else "warn"

    @property
    def state(self) -> str:
        """What was on its way, for the end of a sentence."""
        if self.turn_open:
            return " while a turn was open"
        if self.unread:
            return f"; the end of turn {self.unread}, which came then, is not in the application's text"
        said_last = self.said_last
        if said_last:
            return "; it had just sent speech that is in no turn"
        return "" if said_last is None else "; no turn was open, and what it sent last was silence"


def _judge(facts: Facts) -> Answer:
    session = facts.session
    why = _say_what_lacks(facts)
    if session is None or why is not None:
        return unknown(why or missing.SENDS)
    # what was heard was sent, although the capture may not show it
    unseen = bool(session.lacks & {"send", "audio"})
    used = [
        (number, connection)
        for number, connection in enumerate(facts.connections)
        if connection.audio_frames or (unseen and connection.turns)
    ]
    if not used:
        return not_applicable("No audio was sent, so there was nothing to drain.")
    unread = {id(end.turn): end.number for end in facts.unused_ends if not end.readable}
    judged = [_judge_connection(facts, number, connection, unread) for number, connection in used]
    findings = _keep_one_a_cause([item for item in judged if isinstance(item, Finding)], len(used))
    if findings:
        return answer(pick_worst(findings).summary, findings, {})
    texts = [item for item in judged if isinstance(item, Answer)]
    return min(texts, key=lambda item: ("unknown", "pass", "not_applicable").index(item.status))


def _say_what_lacks(facts: Facts) -> missing.Missing | None:
    """What is missing for a judgement, None where nothing is."""
    lacks = facts.session.lacks if facts.session is not None else frozenset({"send"})
    ends_turns = [connection for connection in facts.connections if connection.audio_frames or connection.turns]
    is_told = bool(ends_turns) and all(_is_told(facts, connection) for connection in ends_turns)
    if lacks & {"send", "commands"} and not is_told:
        return missing.SENDS if "send" in lacks else missing.COMMANDS
    if "close" in lacks:
        return missing.CLOSE
    return None if facts.shows_turns else missing.KINDS


def _is_told(facts: Facts, connection: Connection) -> bool:
    """Whether an end can be judged where not everything is seen that was sent: a lost turn is lost in any case."""
    is_lost = connection.close is not None and connection.close.code == 1006
    return facts.has_close_command(connection) or (is_lost and facts.is_turn_open(connection))


def _keep_one_a_cause(findings: list[Finding], connections: int) -> list[Finding]:
    """The worst finding of each cause, with the places of all (the first five)."""
    merged: list[Finding] = []
    for cause in dict.fromkeys(finding.cause for finding in findings):
        same = [finding for finding in findings if finding.cause == cause]
        told = pick_worst(same)
        places = [place for finding in (told, *(f for f in same if f is not told)) for place in finding.evidence]
        often = f" The same happened on {len(same)} of {connections} connections." if len(same) > 1 else ""
        merged.append(replace(told, summary=told.summary + often, evidence=tuple(places[:5])))
    return merged


def _judge_connection(facts: Facts, number: int, connection: Connection, unread: Mapping[int, int]) -> Finding | Answer:
    close = connection.close
    if close is None:
        if connection is not facts.connections[-1]:
            return _has_lost(connection, None)
        return unknown(missing.END)
    end = _end(facts, number, connection, close, unread)
    ping = facts.find_ping_timeout(connection)
    if ping is not None:
        return _tell_ping_timeout(facts, connection, end, ping)
    if close.code == 1009:
        return not_applicable("A message that was too big ended the connection.")
    if close.by == "client":
        return _tell_left(facts, end)
    if close.code == 1006 or (close.code == 1005 and close.by == "unknown" and end.command is None):
        return _has_lost(connection, end)  # 1005 stands for a close frame without a code, or for none at all
    if end.command is not None and end.turn_open and close.by == "unknown":
        return unknown(missing.SIDE)  # whoever closed did so before the turn had ended
    if end.command is not None:
        return answer("The close command was sent and the events were read until the server closed.", [], {})
    if close.by == "server":
        return not_applicable("The server closed the connection first.")
    return unknown(missing.SIDE)


def _end(facts: Facts, number: int, connection: Connection, close: Close, unread: Mapping[int, int]) -> _End:
    command = next((frame for frame in reversed(connection.texts) if is_close_command(frame, facts.endpoint)), None)
    known = connection.turns
    timed = command is not None and command.t is not None and close.t is not None
    waited = max(0.0, close.t - command.t) if timed else None  # type: ignore[operator,union-attr]
    turn_open = bool(known) and known[-1].end is None
    first = next((unread[id(turn)] for turn in known if id(turn) in unread), None)
    said_last = partial(_find_last_command, facts, number, connection, close)
    turn_end = _find_turn_end(connection, command, close)
    is_empty = any(frame.size == 0 for frame in connection.audio_frames[-1:])
    return _End(close, command, turn_open, said_last, first, waited, turn_end, is_empty)


def _find_turn_end(connection: Connection, command: Frame | None, close: Close) -> Frame | None:
    """The end of a turn right before the client left, by command or close, where it had sent audio until then."""
    left_s = close.t if command is None else command.t
    ends = [frame for frame in connection.texts if not frame.sent and frame.type == "turn.end" and frame.t is not None]
    audio_s = [frame.t for frame in connection.audio_frames if frame.t is not None]
    if left_s is None or not ends or not audio_s or ends[-1].t is None:
        return None
    is_at_end = 0.0 <= left_s - ends[-1].t <= _AT_END_S and left_s - audio_s[-1] <= _FLOWING_S
    return ends[-1] if is_at_end else None


def _find_last_command(facts: Facts, number: int, connection: Connection, close: Close) -> bool | None:
    times = [close.t, *(frame.t for frame in connection.audio_frames[-1:])]
    left_s = next((t for t in times if t is not None), None)
    return facts.has_unanswered_speech(number, left_s) if left_s is not None else None


def _tell_ping_timeout(facts: Facts, connection: Connection, end: _End, ping: PingTimeout) -> Finding:
    """A side gave up because its ping was not answered."""
    side = "server" if end.close.by == "server" else "client's library"
    what, confidence, summary, fix = _choose_ping_words(facts, end, ping)[ping.who]
    seconds = {"silent": _format_seconds(ping.silent_s), "unsent": _format_seconds(ping.unsent_s)}
    received = connection.received[-1:]
    places = [Evidence("the last event that the capture shows", last.line, last.t) for last in received]
    places.append(Evidence(f"closed here {describe_code(end.close.code)}", end.close.line, end.close.t))
    text = f"The {side} closed with a ping timeout: {summary.format(**seconds)}."
    is_drained = what == "connection-lost" and end.command is not None and not end.turn_open
    return CHECK.find(what, "warn" if is_drained else "fail", confidence, text, tuple(places), fix)


def _choose_ping_words(facts: Facts, end: _End, ping: PingTimeout) -> _Ping:
    if end.close.by == "server":
        return _PING_BY_SERVER
    seen = facts.session is not None and facts.session.clock == "client"
    return _PING_BY_CLIENT if seen and (ping.silent_s or 0.0) >= _LONG_S else _PING_SEEN_FROM_BETWEEN


def _format_seconds(value: float | None) -> str:
    return "some time" if value is None else f"{value:.1f} s"


def _has_lost(connection: Connection, end: _End | None) -> Finding:
    close = end.close if end else None
    status: Status = "fail" if end is None else end.loss
    last = connection.frames[-1]
    place = Evidence("the connection was lost here", close.line if close else last.line, close.t if close else last.t)
    summary = f"The connection was lost without a close frame{_tell_what_is_gone(end)}."
    lifetime = _find_lifetime(connection)
    if lifetime is None:
        return CHECK.find("connection-lost", status, 0.9, summary, (place,))
    length = f"{lifetime / 60:.0f} minutes to the second" if lifetime > _MINUTES_S else f"{lifetime:.0f} s to the tenth"
    told = f"It had lasted {lifetime:.1f} s, which is {length}."
    return CHECK.find("connection-lost", status, 0.9, f"{summary} {told}", (place,), _LIMITED)


def _tell_what_is_gone(end: _End | None) -> str:
    if end is not None and end.loss == "warn":
        return end.state or "; no turn was open, but what it sent last may be lost"
    turn = " while a turn was open" if end is None or end.turn_open else ""
    return f"{turn}; what had not been answered by then is lost"


def _find_lifetime(connection: Connection) -> float | None:
    """Seconds that a connection lived on which audio flowed to the end, where they are a usual longest duration."""
    opened, close = connection.open, connection.close
    sent = [frame.t for frame in connection.audio_frames[-1:] if frame.t is not None]
    if close is None or close.t is None or opened is None or opened.t is None or not sent:
        return None
    lived = close.t - opened.t
    exact = _EXACT_S if lived > _MINUTES_S else _SHORT_EXACT_S
    is_usual = any(abs(lived - limit) <= exact for limit in _LIFETIMES_S)
    return lived if is_usual and close.t - sent[0] <= _STILL_FLOWING_S else None


def _tell_left(facts: Facts, end: _End) -> Finding | Answer:
    dropped = end.close.code == 1006
    note = "the client dropped the connection here" if dropped else "the client closed here"
    place = Evidence(f"{note} {describe_code(end.close.code)}", end.close.line, end.close.t)
    is_drained = end.waited_s is not None and end.waited_s >= facts.limits["drain.hang_up_s"]
    if end.turn_end is not None and not is_drained and (end.turn_open or end.said_last):
        state = " and the next turn was open" if end.turn_open else end.state
        summary = f"The client left at the end of a turn while audio was still flowing{state}."
        at = Evidence("the end of the turn", end.turn_end.line, end.turn_end.t)
        return CHECK.find("left-at-turn-end", "fail", 0.85, summary, (at, place))
    if end.command is None:
        how = "dropped the connection" if dropped else "closed the socket"
        summary = f"The client {how} without the close command{end.state}."
        if end.is_empty:
            summary += " Its last frame is empty, which is the end for other services, but not for this one."
        fix = f"{_DRAIN} {_ONE_TURN}" if end.turn_end is not None else None
        return CHECK.find("no-close", end.loss, 0.97, summary, (place,), fix)
    sent = Evidence("the close command", end.command.line, end.command.t)
    if end.waited_s is None and end.loss != "fail":
        return unknown(missing.TIMES)  # it may have waited for long
    if end.waited_s is None:
        summary = f"The client closed before the server did{end.state}."
        return CHECK.find("hung-up", end.loss, 0.7, summary, (sent, place))
    if end.waited_s < facts.limits["drain.hang_up_s"]:
        turn, rest = (" while a turn was open and", "") if end.turn_open else ("", end.state)
        summary = (
            f"The client left {end.waited_s:.2f} s after its close command,{turn} before the server had closed{rest}."
        )
        return CHECK.find("hung-up", end.loss, 0.95, summary, (sent, place))
    text = f"The client waited {end.waited_s:.1f} s for the server to close before it left."
    return answer(text, [], {"waited_s": round(end.waited_s, 3)})

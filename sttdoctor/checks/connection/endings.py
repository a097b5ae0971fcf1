"""How a connection ended that nobody closed, and what further connections lost or doubled."""

from collections.abc import Iterator, Mapping

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.answerer import SETTINGS, find_passed
from sttdoctor.analysis.session.loss import SET_S, Loss, Reconnect, Sleep, find_loss, find_sleep
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.checks.base import Cause, Evidence, Finding, Status, pick_worst
from sttdoctor.evidence import Open

_KEEP_PASSING = (
    "Keep sending silence (zero samples; 0xFF in mu-law, 0xD5 in A-law) in real time while there is nothing to hear, "
    "or have the client ping every 20 s (Python's websockets does so by default, its threading client from version 15 "
    "on; ws and aiohttp have to be configured, a browser cannot). TCP keepalive does not help, and reconnecting helps "
    "only until the next pause. If the proxy or load balancer is yours, raise its idle timeout too."
)
_KEEP_ANSWERING = (
    "Have the client send a WebSocket ping every 20 s: the pong counts as traffic towards the client. Sending silence "
    "is not enough here, as each direction has its own timer (haproxy with independent-streams, lighttpd). If the "
    "proxy is yours, raise its timeouts."
)
_KEEP_SENDING = (
    "Go on sending silence (zero samples; 0xFF in mu-law, 0xD5 in A-law) at realtime while there is nothing to hear: "
    "pings went out and did not keep this connection, as some load balancers count messages only. If the load balancer "
    "is yours, raise its timeout (timeoutSec of a BackendConfig in GKE, 30 s unless it is set)."
)
_SLEPT = (
    "Open a new connection when the machine wakes, and before the first audio whenever nothing was sent or received "
    "for a minute. It slept, or something in between dropped the idle connection; the service itself ends a session "
    "after three minutes without audio. On macOS listen for NSWorkspace.didWakeNotification, in a browser for online "
    "and visibilitychange. Ping every 20 s and give up when no pong comes back within 20 s (a browser cannot: give up "
    "when speech is sent and no event comes for 5 s). Send again the audio that went into the dead connection."
)

IDLE_CUT = Cause(
    "connection.idle-cut",
    "fail",
    "The connection was idle for about as long as a proxy or load balancer allows, then it was gone.",
    _KEEP_PASSING,
)
DEAD = Cause(
    "connection.dead",
    "fail",
    "The connection was half-open: nothing came in any more, and sending went on or blocked until it was lost.",
    "Notice a dead connection sooner: ping every 10 to 20 s, and give up when no pong comes back within that time, or "
    "when a turn is open and no event has come for 5 s; give each send a timeout. Then reconnect, send the unanswered "
    "audio again at the pace it was spoken, and show the open turn as unfinished.",
)
RECONNECTED = Cause(
    "connection.reconnected",
    "fail",
    "The client reconnected mid-session; a session cannot be resumed.",
    "Keep the text of finished turns, show the open turn as unfinished, and send again, at the pace it was spoken, the "
    "audio for which no turn.end had come.",
)
DOUBLED = Cause(
    "connection.doubled",
    "fail",
    "Two connections carry the same audio at the same time.",
    "Open one connection for each stream: with two, every word comes back twice, and both count against the plan. "
    "Look for code that runs twice (a React effect under StrictMode, a second mount, a start button without a guard, "
    "a retry while the old connection is alive), close the connection on cleanup, and do not open one while another "
    "is open or opening.",
)


_NEEDED = frozenset({"send", "receive", "commands", "events"})
"""Where nothing is seen of one of them, nobody can say that nothing passed."""


def find_losses(facts: Facts) -> list[Finding]:
    """The first connection that was cut while idle, and the first that was dead."""
    if facts.session is None or facts.session.lacks & _NEEDED:
        return []
    told: dict[str, Finding] = {}
    losses = [find_loss(connection, facts.endpoint, facts.session.resolution) for connection in facts.connections]
    limits = [loss.limit_s for loss in losses if loss is not None and loss.how == "idle"]
    for connection, loss in zip(facts.connections, losses, strict=True):
        slept = find_sleep(connection)
        if slept is not None:
            told.setdefault("connection.dead", _tell_slept(slept))
        if loss is not None:
            again = limits.count(loss.limit_s) > 1
            if loss.how == "pinged":
                finding = _tell_cut_before_ping(loss)
            else:
                finding = _tell_dead(loss) if loss.how in ("dead", "left") else _tell_cut(loss, connection, again)
            told.setdefault(finding.cause, finding)
    return list(told.values())


def _tell_cut(loss: Loss, connection: Connection, again: bool) -> Finding:
    name = find_passed(connection.open)
    between = f"{name}, which the handshake passed," if name else "a proxy or load balancer in between"
    if loss.how == "idle":
        passed, cuts, fix = "Nothing was sent or received", "cuts a connection that is idle", _KEEP_PASSING
    else:
        passed, fix = "Audio was sent, but nothing came back", _KEEP_ANSWERING
        cuts = "times each direction by itself, and cuts a connection of which one is idle"
    gone = f"{passed} for {loss.silent_s:.1f} s, then the connection was gone"
    summary = f"{gone}: {between} {cuts} for {loss.limit_s:.0f} s."
    fix += _name_idle_setting(name, loss.limit_s)
    is_usual = loss.how == "one-sided" or loss.limit_s in (50, 60, 300, 600, 900)
    place = (Evidence("the connection was lost here", loss.line, loss.t),)
    if loss.how == "idle" and loss.limit_s in SET_S and not again:
        summary = f"{gone}: it may be {name}'s timeout, or a heartbeat of either side that had no answer."
        return IDLE_CUT.find("warn", 0.5, summary, place, fix)
    return IDLE_CUT.find("fail", 0.9 if is_usual else 0.75, summary, place, fix)


_IDLE_AT: Mapping[int, tuple[str, ...]] = {
    50: ("haproxy",),
    60: ("nginx", "Apache", "lighttpd", "Varnish"),
    300: ("Apache",),
    360: ("lighttpd",),
    600: ("tinyproxy",),
    900: ("squid",),
}
"""Whose default a limit is."""


def _name_idle_setting(name: str | None, limit_s: float | None) -> str:
    """What to raise, in the words of the product that the handshake names, or of those that have this limit."""
    names = (name,) if name is not None else _IDLE_AT.get(int(limit_s or 0), ())
    said = [f"in {item} {SETTINGS[item]['idle']}" for item in names if "idle" in SETTINGS.get(item, {})]
    lead = "That is" if name is not None else "For instance"
    return f" {lead}: {'; '.join(said)}." if said else ""


def _tell_cut_before_ping(loss: Loss) -> Finding:
    summary = (
        f"No message passed for {loss.silent_s:.0f} s, in neither direction; the ping after that had no answer, and "
        f"the client gave up: something in between (a proxy, a load balancer) had cut the idle connection."
    )
    place = (Evidence("given up here", loss.line, loss.t),)
    return IDLE_CUT.find("fail", 0.75, summary, place, _KEEP_SENDING)


def _tell_slept(slept: Sleep) -> Finding:
    summary = (
        f"The connection was dead: nothing passed for {slept.still_s:.0f} s (from {slept.since_s:.1f} s on); then "
        f"audio was sent for {slept.sent_s:.1f} s, and for {slept.deaf_s:.1f} s nothing came back. The socket still "
        f"looked open, but the other side was gone."
    )
    return DEAD.find(
        "fail", 0.9, summary, (Evidence("sent into the dead connection from here", slept.line, slept.t),), _SLEPT
    )


def _tell_dead(loss: Loss) -> Finding:
    heard_s = loss.silent_s - loss.unsent_s
    after = "and the connection was lost at last"
    if loss.unsent_s >= 2:
        after = f"then sending stood still too, and {loss.unsent_s:.0f} s later the connection was given up"
    elif loss.how == "left":
        after = "then the client closed the socket"
    summary = (
        f"The connection was dead: nothing came in for {loss.silent_s:.0f} s while a turn was open, although audio was "
        f"still sent for {heard_s:.0f} s of them; {after}."
    )
    confidence, where = (0.7, "closed here") if loss.how == "left" else (0.85, "gone here")
    return DEAD.find("fail", confidence, summary, (Evidence(where, loss.line, loss.t),))


def find_reconnect(facts: Facts) -> list[Finding]:
    """The worst of the reconnects."""
    reconnects = facts.reconnects
    if not reconnects:
        return []
    harmful = [item for item in reconnects if item.number not in facts.survived]
    worst = pick_worst([_tell_reconnect(facts, item) for item in harmful or reconnects])
    flapping = _tell_flapping(facts, worst, len(reconnects))
    return [flapping] if flapping else [worst] if harmful else []


def _tell_flapping(facts: Facts, worst: Finding, count: int) -> Finding | None:
    """Say of many connections in a row that none of them lives long."""
    lives = [
        connection.close.t - connection.open.t
        for connection in facts.connections
        if connection.open is not None and connection.close is not None
        if connection.open.t is not None and connection.close.t is not None
    ]
    if count < _OFTEN or len(lives) <= count or max(lives) > _SHORT_LIFE_S:
        return None
    summary = (
        f"The client connected {count + 1} times, and no connection lived longer than {max(lives):.1f} s: each is lost "
        "soon after it opened, and the client opens the next one, on and on."
    )
    return RECONNECTED.find(worst.status, 0.95, summary, worst.evidence, _BACK_OFF)


_OFTEN, _SHORT_LIFE_S = 4, 10.0
_BACK_OFF = (
    "Find out what ends the connections so soon: the close code and reason, an error event right before, a proxy or "
    "load balancer in between; try once from another network. And wait longer after each loss (1, 2, 4 s, up to a "
    "minute), give up after some tries, and count from the beginning again only when a connection has lasted, not when "
    "it opened."
)


def _tell_reconnect(facts: Facts, reconnect: Reconnect) -> Finding:
    losses = []
    if reconnect.turn_open:
        losses.append("a turn was open and its text is gone")
    if reconnect.audio_missing_s > facts.limits["connection.gap_s"]:
        losses.append(f"{reconnect.audio_missing_s:.1f} s passed without audio")
    if reconnect.sent_again_s > facts.limits["connection.gap_s"]:
        losses.append(f"{reconnect.sent_again_s:.1f} s of audio were sent again")
    status: Status = "fail" if losses else "warn"
    detail = "; ".join(losses) if losses else "nothing seems to be lost"
    place = (Evidence("the second handshake", reconnect.line, reconnect.t),)
    return RECONNECTED.find(status, 0.9, f"The client reconnected mid-session: {detail}.", place)


def find_doubled(facts: Facts) -> Iterator[Finding]:
    """Further connections that ran beside this one with the same audio."""
    beside = facts.session.beside if facts.session is not None else ()
    if not beside:
        return
    together = "" if facts.duration_s is None else f" for about {facts.duration_s:.0f} s"
    how_many = "Two" if len(beside) == 1 else f"{len(beside) + 1}"
    opened = next((event for event in beside[0].events if isinstance(event, Open)), None)
    place = () if opened is None else (Evidence("the second handshake", opened.line, None),)
    summary = (
        f"{how_many} connections ran at the same time{together} and carried the same audio; one of them is judged here."
    )
    yield DOUBLED.find("fail", 0.97, summary, place)

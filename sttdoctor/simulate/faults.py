"""What the stand-in can do wrong on request: one row a fault, and what it makes of the events. No I/O.

Each fault is what one cause of `sttdoctor explain` is about, so that a client, and sttdoctor, can be tried with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from http import HTTPStatus
from typing import Any, Literal, get_args

from sttdoctor.errors import UsageError, suggest
from sttdoctor.values import immutable

Borders = Literal["leading", "trailing", "none", "inside-word"]
"""Where the space between two turns stands: before the second, behind the first, nowhere; or a turn ends inside a word,
and the next one begins with the rest of it. A client that joins the texts as they are is right with all four."""

BORDERS: tuple[Borders, ...] = get_args(Borders)

Event = dict[str, Any]
Faults = Mapping[str, float]
"""Name to value of each fault that is asked for."""


@immutable
class Fault:
    """One fault.

    Attributes:
        name: As `--fault` takes it.
        what: What the server does; `VALUE` stands for the value.
        causes: What `replay` may say about a client that meets it, though that client does nothing wrong.
        value: The default of its value, None where it takes none.
        low: Smallest value.
        high: Largest value.
    """

    name: str
    what: str
    causes: tuple[str, ...]
    value: float | None = None
    low: float = 0.0
    high: float = 0.0


_OPEN = "turns.left-open"
_LIMITS = ("server.concurrency", "server.quota")
_REFUSED = ("connection.rejected", "connection.bad-auth", "connection.wrong-path", *_LIMITS)
_ERROR = ("server.error-event", "server.closed-abnormally", *_LIMITS, _OPEN)
_BY_CODE = ("server.session-limit", "connection.intermediary", "messages.broken-frame", "messages.too-big", *_LIMITS)
_CLOSED = ("server.closed-abnormally", *_BY_CODE, _OPEN)
_NO_ANSWER = ("server.stopped-answering", "drain.hung-up", _OPEN)
_NOTHING = "sends nothing more from mid-session on, and does not answer the close command"
_MORE = "takes VALUE connections at once and refuses more with 429"

_BETWEEN = ("connection.intermediary",)
_PORTAL = "answers the handshake as a login page between client and service does, with status VALUE"
_GATEWAY = "answers the handshake as a proxy does that passes no WebSocket on, with a page and status VALUE"
_CUT = "cuts the TCP connection when nothing has come from the client for VALUE seconds, as a proxy does"
_QUOTA = "sends an error event with status VALUE mid-session (credits used up), then closes"
_EXPIRED = "sends an error event with status 401 mid-session (token expired), then closes"
_MUTE = "takes the connection and never sends anything"
_DEAD = "sends nothing more from mid-session on, no pong and no close either, as a peer that is gone without a word"
_TORN = "cuts the TCP connection mid-session, in the middle of an event"
_BIG = "sends one update of VALUE kB"

_ALL = (
    Fault("rejected", "refuses the handshake with HTTP status VALUE", _REFUSED, 400, 400, 599),
    Fault("bad-auth", "refuses the key with HTTP status VALUE", ("connection.bad-auth",), 401, 401, 403),
    Fault("concurrency", _MORE, ("server.concurrency",), 0, 0, 1e6),
    Fault("login-page", _PORTAL, _BETWEEN, 302, 200, 307),
    Fault("gateway", _GATEWAY, (*_BETWEEN, "connection.rejected"), 426, 400, 599),
    Fault("slow-handshake", "answers the handshake after VALUE seconds", (), 1, 0, 60),
    Fault("error-event", "sends an error event with status VALUE mid-session, then closes", _ERROR, 500, 400, 599),
    Fault("closed-abnormally", "closes with code VALUE mid-session", _CLOSED, 1011, 1000, 4999),
    Fault("connection-lost", "cuts the TCP connection mid-session", ("drain.connection-lost", _OPEN)),
    Fault("stopped-answering", _NOTHING, _NO_ANSWER),
    Fault("silent", _MUTE, ("connection.dead", "server.stopped-answering", *_BETWEEN, *_NO_ANSWER)),
    Fault("half-open", _DEAD, ("connection.dead", *_NO_ANSWER)),
    Fault("torn-frame", _TORN, ("drain.connection-lost", _OPEN)),
    Fault("idle-cut", _CUT, ("connection.idle-cut", "drain.connection-lost", _OPEN), 60, 0.1, 3600),
    Fault("quota", _QUOTA, ("server.quota", *_ERROR), 402, 400, 599),
    Fault("expired", _EXPIRED, ("connection.expired", *_ERROR)),
    Fault("big-event", _BIG, ("messages.too-big", "drain.hung-up", _OPEN), 2000, 1, 20_000),
    Fault("event-storm", "sends each update VALUE times", (), 20, 2, 1000),
    Fault("slow", "answers VALUE seconds late", ("latency.end-of-turn",), 4, 0, 60),
    Fault("no-drain", "closes at the close command at once, without the last events", (_OPEN,)),
    Fault("left-open", "never ends a turn", (_OPEN,)),
    Fault("out-of-order", "sends turn.start after the first text of the turn", ("turns.out-of-order",)),
    Fault("not-cumulative", "takes back words of a turn that it sent", ("turns.not-cumulative",)),
    Fault("mixed-connections", "sends events with another connection's request_id", ("turns.mixed-connections",)),
)

FAULTS = {fault.name: fault for fault in _ALL}

PORTALS = (200, 302, 303, 307)
"""How a login page answers: by itself, or with the way to it."""

_STATUSES = tuple(status.value for status in HTTPStatus)
_CLOSE_CODES = (*range(1000, 1004), *range(1007, 1015), *range(3000, 5000))
"""Codes that a close frame may carry (RFC 6455, 7.4, and the registry of IANA)."""


def parse(settings: Iterable[str]) -> dict[str, float]:
    """Return the faults of `NAME` or `NAME=VALUE` settings.

    Raises:
        UsageError: An unknown fault, or a value that it cannot have.
    """
    return dict(_setting(text) for text in settings)


def _setting(text: str) -> tuple[str, float]:
    name, equals, given = text.strip().partition("=")
    fault = FAULTS.get(name)
    if fault is None:
        hint = suggest(name, FAULTS, f"there are {', '.join(FAULTS)}")
        raise UsageError(f"there is no fault {name!r}; {hint}")
    if not equals:
        return name, fault.value or 0.0
    if fault.value is None:
        raise UsageError(f"the fault {name} takes no value")
    try:
        value = float(given)
    except ValueError:
        value = float("nan")
    if not fault.low <= value <= fault.high:
        raise UsageError(f"the value of {name} is a number from {fault.low:g} to {fault.high:g}, not {given!r}")
    if name == "login-page" and value not in PORTALS:
        raise UsageError(f"a login page answers with {', '.join(map(str, PORTALS))}, not {given}")
    if name in ("rejected", "bad-auth", "gateway") and value not in _STATUSES:
        raise UsageError(f"{given} is not a status of HTTP; try {fault.value:g}")
    if name == "closed-abnormally" and value not in _CLOSE_CODES:
        raise UsageError(f"{given} is not a code that a WebSocket close may carry; try 1011")
    return name, value


Distort = Callable[[Event], Iterator[Event]]


def make_distortion(faults: Faults) -> Distort:
    """Return what the faults make of one connection's events, which come to it one by one."""
    steps = [make(int(faults[name])) for name, make in _DISTORTIONS.items() if name in faults]

    def distort(event: Event) -> Iterator[Event]:
        events = [event]
        for step in steps:
            events = [changed for item in events for changed in step(item)]
        yield from events

    return distort


def _drop_ends() -> Distort:
    """Nothing comes from the first `turn.end` on."""
    ended = False

    def distort(event: Event) -> Iterator[Event]:
        nonlocal ended
        ended = ended or event["type"] == "turn.end"
        if not ended:
            yield event

    return distort


def _reorder() -> Distort:
    """A `turn.start` waits for the event after it."""
    held: list[Event] = []

    def distort(event: Event) -> Iterator[Event]:
        if event["type"] == "turn.start":
            held.append(event)
        else:
            yield event
            yield from held
            held.clear()

    return distort


def _take_back() -> Distort:
    """Of two updates of a turn the second has another first word."""
    updates = 0

    def distort(event: Event) -> Iterator[Event]:
        nonlocal updates
        updates = updates + 1 if event["type"] == "turn.update" else 0 if event["type"] == "turn.start" else updates
        if event["type"] == "turn.update" and updates % 2 == 0:
            event = event | {"transcript": f"Well, {event['transcript'].strip()}"}
        yield event

    return distort


def _mix() -> Distort:
    """Every third event carries the id of somebody else."""
    number = 0

    def distort(event: Event) -> Iterator[Event]:
        nonlocal number
        number += 1
        yield event | {"request_id": "00000000-0000-4000-8000-000000000000"} if number % 3 == 0 else event

    return distort


def _swell(kilobytes: int) -> Distort:
    """One update is as long as is asked for."""
    is_done = False

    def distort(event: Event) -> Iterator[Event]:
        nonlocal is_done
        yield event
        if event["type"] == "turn.update" and not is_done:
            is_done = True
            yield event | {"padding": "x" * 1000 * kilobytes}

    return distort


def _repeat(count: int) -> Distort:
    """Each update comes again and again."""

    def distort(event: Event) -> Iterator[Event]:
        yield from [event] * (count if event["type"] == "turn.update" else 1)

    return distort


_DISTORTIONS: Mapping[str, Callable[[int], Distort]] = {
    "left-open": lambda _: _drop_ends(),
    "out-of-order": lambda _: _reorder(),
    "not-cumulative": lambda _: _take_back(),
    "mixed-connections": lambda _: _mix(),
    "big-event": _swell,
    "event-storm": _repeat,
}


@immutable
class Behaviour:
    """How the stand-in treats a connection.

    Attributes:
        latency_s: From hearing something to saying so.
        flush_s: From the close command to the last events.
        idle_timeout_s: Without audio for so long, the server closes (1001); documented are 3 minutes.
        speed: Audio is heard at so many times realtime at most; more waits.
        buffer_s: So many seconds of audio may wait, then comes an error event and a close with 1011.
        borders: Where the space between two turns stands.
        faults: What to do wrong, from `sttdoctor.simulate.faults.parse`.
        fault_after_s: Seconds of audio before mid-session faults strike.
    """

    latency_s: float = 0.15
    flush_s: float = 0.3
    idle_timeout_s: float = 180.0
    speed: float = 2.0
    buffer_s: float = 10.0
    borders: Borders = "leading"
    faults: Faults = field(default_factory=dict)
    fault_after_s: float = 2.0

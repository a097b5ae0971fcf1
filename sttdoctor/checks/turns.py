"""Do the turn events make sense?

Needs the received events of the turns endpoint. A broken guarantee points first at a capture that lost or reordered
events, or at two connections in one log, and only then at the service.
"""

from collections.abc import Iterator
from itertools import pairwise

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.analysis.session.turns import TURN_EVENTS, Turn
from sttdoctor.checks.base import (
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    count_noun,
    not_applicable,
    pick_worst,
    unknown,
)
from sttdoctor.evidence import Frame

CHECK = Check(
    id="turns",
    order=120,
    question="Do the turn events make sense?",
    kinds=("session",),
    needs="the received events",
    why="A turn that never ends has no final text. Events out of order, or text that does not grow, mean that "
    "the log or the reader loses or mixes events.",
    how="The events are run through the documented state machine, the text of each turn must continue what came "
    "before, and all events of a connection carry one request_id.",
    causes=(
        Cause(
            "turns.out-of-order",
            "warn",
            "Turn events do not follow the documented order.",
            "Check that one task reads the socket and handles messages in order, and that only one writer writes the "
            "log.",
        ),
        Cause(
            "turns.not-cumulative",
            "warn",
            "The text of a turn does not grow.",
            "Look for events of two connections in one log, or for texts that were changed before they were logged.",
        ),
        Cause(
            "turns.left-open",
            "fail",
            "A turn began and never ended.",
            'When the audio is over, send {"type":"close"} and keep reading until the server closes. To keep the '
            "connection open, send silence until the turn ends.",
        ),
        Cause(
            "turns.mixed-connections",
            "fail",
            "Events of several connections are mixed.",
            "Keep the events of each connection apart, by request_id.",
        ),
    ),
    docs="https://docs.cartesia.ai/use-the-api/stt/turns",
    judge=lambda facts: _judge(facts),
)

_NEXT = {
    "idle": {"turn.start": "speaking"},
    "speaking": {"turn.update": "speaking", "turn.eager_end": "eager", "turn.end": "idle"},
    "eager": {"turn.resume": "speaking", "turn.end": "idle"},
}
"""The documented state machine: https://docs.cartesia.ai/use-the-api/stt/turns"""

_AFTER = {
    "turn.start": "speaking",
    "turn.update": "speaking",
    "turn.resume": "speaking",
    "turn.eager_end": "eager",
    "turn.end": "idle",
}


def _judge(facts: Facts) -> Answer:
    session = facts.session
    if session is None or "receive" in session.lacks:
        return unknown(missing.EVENTS)
    if not facts.ends_turns:
        return not_applicable("The manual endpoint has no turns.")
    if not any(_list_turn_events(connection) for connection in facts.connections):
        return unknown(missing.TURNS)
    findings: list[Finding] = []
    is_whole = "events" not in session.lacks
    for number, connection in enumerate(facts.connections):
        findings += _find_mixed(connection)
        findings += _order(connection) if is_whole else ()
        findings += _measure_growth(connection)
        if facts.shows_turns:
            findings += _find_left_open(connection, last=number == len(facts.connections) - 1)
    findings = list({finding.cause: finding for finding in reversed(findings)}.values())[::-1]
    measured = {"turns": len(facts.turns), "finished": sum(turn.end is not None for turn in facts.turns)}
    if findings:
        return answer(pick_worst(findings).summary, findings, measured)
    if not is_whole:
        return unknown(missing.KINDS, measured)
    if "close" in session.lacks and facts.turns[-1].end is None:
        return unknown(missing.CLOSE, measured)
    return answer(f"{count_noun(measured['finished'], 'turn')} began, grew and ended in order.", [], measured)


def _list_turn_events(connection: Connection) -> list[Frame]:
    return [frame for frame in connection.received if frame.type in TURN_EVENTS]


def _get_request_id(frame: Frame) -> str | None:
    name = frame.message.get("request_id")
    return " ".join(name.split()) if isinstance(name, str) else None


def _find_mixed(connection: Connection) -> Iterator[Finding]:
    events = [frame for frame in connection.received if isinstance(frame.message, dict)]
    named = [(frame, name) for frame in events if (name := _get_request_id(frame))]
    ids = list(dict.fromkeys(name for _, name in named))
    if len(ids) > 1:
        frame = next(frame for frame, name in named if name != ids[0])
        summary = f"Events of {len(ids)} connections ({', '.join(ids[:3])[:90]}) are mixed in one log."
        place = (Evidence("the first event of another connection", frame.line, frame.t),)
        yield CHECK.find("mixed-connections", "fail", 0.95, summary, place)


def _order(connection: Connection) -> Iterator[Finding]:
    events, broken = _list_turn_events(connection), []
    began = connection.shows_begin
    state = "idle" if began or not events else _AFTER[events[0].type or ""]  # in a turn, where the capture begins there
    for frame in events if began else events[1:]:
        kind = frame.type or ""
        following = _NEXT[state].get(kind)
        if following is None:
            broken.append(Evidence(f"{kind} while the turn is {state}", frame.line, frame.t))
        state = following or _AFTER[kind]
    if broken:
        verb = "is" if len(broken) == 1 else "are"
        summary = f"{count_noun(len(broken), 'turn event')} {verb} out of order; the first is {broken[0].note}."
        yield CHECK.find("out-of-order", "warn", 0.9, summary, tuple(broken[:5]))


def _measure_growth(connection: Connection) -> Iterator[Finding]:
    shrunk = [place for turn in connection.turns if not turn.elided and (place := _find_shrink(turn))]
    if shrunk:
        turns = count_noun(len(shrunk), "turn")
        summary = (
            f"In {turns} a text does not continue the one before it, although text that was sent is never revised."
        )
        yield CHECK.find("not-cumulative", "warn", 0.9, summary, tuple(shrunk[:5]))


def _find_shrink(turn: Turn) -> Evidence | None:
    texts = [text for _, text in turn.pieces]
    for before, after in pairwise(texts):
        # an empty text does happen (silence that ends a turn) and revises nothing
        if after and not after.startswith(before):
            return Evidence(f"{before[-60:]!r} is followed by {after[-60:]!r}", turn.line, turn.start_t)
    return None


def _find_left_open(connection: Connection, last: bool) -> Iterator[Finding]:
    known = connection.turns
    if not known or known[-1].end is not None:
        return
    if connection.close is None and last:
        return  # the capture ends in mid-session, which says nothing about the turn
    turn = known[-1]
    status: Status = "fail"
    text = f"; its last text is {turn.partial[-80:]!r}" if turn.partial else ""
    place = (Evidence("the turn began here", turn.line, turn.start_t),)
    yield CHECK.find("left-open", status, 0.9, f"The last turn never ended{text}.", place)

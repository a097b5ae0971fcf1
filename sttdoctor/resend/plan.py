"""What to send when: a recorded session as a plan that can be sent again. No I/O."""

import json
import re
from urllib.parse import quote, urlencode

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.endpoint import Address, match_path
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame
from sttdoctor.redact import is_mask
from sttdoctor.values import immutable

VERSION = "2026-03-01"  # of the service's interface, where a session names none: the first with structured errors

_PLAIN = re.compile(r"[\x20-\x7e]{1,200}")


@immutable
class Step:
    """One message: `t` is seconds since the handshake was answered, bytes are a binary frame."""

    t: float
    content: bytes | str


@immutable
class Leaving:
    """The client's own close; `code` None leaves without one, as a process that was killed does."""

    t: float
    code: int | None
    reason: str = ""


@immutable
class Leg:
    """One connection.

    Attributes:
        begin_s: Seconds from the first connection's handshake to this one's.
        steps: In order.
        leaving: How the client ends it; None reads on until the server closes.
    """

    begin_s: float
    steps: tuple[Step, ...]
    leaving: Leaving | None = None


@immutable
class Plan:
    """A session to be sent.

    Attributes:
        path: Of the URL: of one of the two endpoints; empty where the session was sent to neither.
        query: Of the URL, without a question mark.
        headers: Of the handshake, without a key.
        legs: The connections, one after another.
        notes: What was changed against the recorded session, or cannot be sent, a sentence each.
    """

    path: str
    query: str
    headers: dict[str, str]
    legs: tuple[Leg, ...]
    notes: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long sending takes."""
        return max((leg.begin_s + (leg.steps[-1].t if leg.steps else 0.0) for leg in self.legs), default=0.0)


def plan_unchanged(facts: Facts) -> Plan:
    """Plan the same frames and messages at the same times; what a capture does not keep (keys) is left out.

    Raises:
        InputError: The capture holds no audio content, no times or no URL.
    """
    require_audio(facts)
    where = require_address(facts)
    if any(frame.t is None for connection in facts.connections for frame in connection.frames if frame.sent):
        raise InputError("the capture has no times, so it cannot be sent again as it was; add --repair")
    first = _find_beginning(facts.connections[0])
    legs = tuple(_leg(connection, first) for connection in facts.connections if connection.frames or connection.open)
    elided = sum(frame.elided for connection in facts.connections for frame in connection.frames if frame.sent)
    notes = (f"{elided} text messages are left out: the capture holds only a part of them",) if elided else ()
    query = [(name, value) for name, value in where.query if not is_mask(value)]
    return Plan(path_of(where), query_of(query), headers_of(facts, query), legs, notes)


def require_audio(facts: Facts) -> None:
    """Refuse a session without audio content.

    Raises:
        InputError: There is none.
    """
    if facts.audio is None:
        raise InputError("the capture holds no audio content, so there is nothing to send again")


def require_address(facts: Facts) -> Address:
    """Return the address of the session in parts.

    Raises:
        InputError: The capture has none.
    """
    if facts.address is None:
        raise InputError("the capture has no URL, so it is not known what to ask the service for")
    return facts.address


def path_of(where: Address) -> str:
    """Return the path of the endpoint that a session was sent to, empty where it was sent to neither.

    It is never the capture's own: a key goes with it, and a stranger may have written the capture.
    """
    endpoint = match_path(where.path)
    return endpoint.path if endpoint is not None else ""


def headers_of(facts: Facts, query: list[tuple[str, str]], repairs: bool = False) -> dict[str, str]:
    """Return what the handshake needs beside a key: the version, where the query does not hold it.

    Raises:
        InputError: The capture's is none that a header can hold.
    """
    if any(name == "cartesia_version" for name, _ in query):
        return {}
    known = facts.session.headers.get("cartesia-version") if facts.session is not None else None
    if known and not _PLAIN.fullmatch(known):
        if repairs:
            return {"Cartesia-Version": VERSION}
        raise InputError(
            "the cartesia-version of the capture holds characters that no header may hold; "
            "correct it in the capture, or add --repair"
        )
    return {"Cartesia-Version": known or VERSION}


def query_of(pairs: list[tuple[str, str]]) -> str:
    """Return a query; spaces as `%20`, as the service's documentation has them."""
    return urlencode(pairs, quote_via=quote)


def _find_beginning(connection: Connection) -> float:
    """When the handshake was answered."""
    if connection.open is not None and connection.open.t is not None:
        return connection.open.t
    return next((frame.t for frame in connection.frames if frame.t is not None), 0.0)


def _leg(connection: Connection, first: float) -> Leg:
    began = _find_beginning(connection)
    sent = [frame for frame in connection.frames if frame.sent and not frame.elided]
    steps = tuple(Step(max(0.0, (frame.t or 0.0) - began), _content(frame)) for frame in sent)
    close, leaving = connection.close, None
    if close is not None and close.by == "client" and close.t is not None:
        leaving = Leaving(max(0.0, close.t - began), None if close.code == 1006 else close.code, close.reason)
    return Leg(max(0.0, began - first), steps, leaving)


def _content(frame: Frame) -> bytes | str:
    if frame.audio is not None:
        return frame.audio
    text = frame.text if frame.text is not None else json.dumps(frame.message)
    return text.encode(errors="replace").decode()  # a capture may hold half a character

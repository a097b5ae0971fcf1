"""Who answered the handshake, and how: the service, something in between, or nobody; and what no longer counts."""

import json
import re
from collections.abc import Iterator

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.answerer import (
    PORTAL,
    STATUSES,
    Answerer,
    describe_page,
    find_answerer,
    name_setting,
    wants_tls,
)
from sttdoctor.analysis.session.endings import find_ending
from sttdoctor.analysis.session.refusal import Refusal, Subject, extract_words, is_accepted, tell_words
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.checks.base import Cause, Evidence, Finding
from sttdoctor.evidence import Frame, Open

_SUBPROTOCOL = "sec-websocket-protocol"
_LOOK_AT_NETWORK = (
    "Check the network first: does the name resolve, and can that machine open a TLS connection to "
    "api.cartesia.ai:443 (openssl s_client -connect api.cartesia.ai:443)? Behind a proxy or firewall, configure the "
    "proxy in the client: many WebSocket libraries do not read HTTPS_PROXY. Give the handshake a timeout of 10 s and "
    "try again. Nothing reached the service, so the vendor cannot help here."
)
_NODE_DIRECT = (
    "In Node the built-in WebSocket takes no proxy agent and connects directly: use the package ws with an "
    "HttpsProxyAgent, or set NODE_USE_ENV_PROXY=1. "
)
_SWALLOWED = (
    "Look between client and service first: try once without HTTP(S)_PROXY, from another network, or straight to "
    "wss://api.cartesia.ai. A proxy that accepts the upgrade must relay frames in both directions at once, without "
    "buffering. The session never reached the service, so the vendor cannot help here."
)
_ONE_WAY = " If the recorder writes only what the client sends, record both directions before you look any further."
_LEAVE_ALONE = (
    "Pass the service's messages on byte by byte, without writing them anew: what lies between client and service (a "
    "relay of your own, a proxy, a logger) makes text of them and replaces characters, or puts JSON together by hand. "
    "Where a message must be changed, parse it, change the value, and write it with a JSON library."
)
_IF_RECORDER = (
    f"If the application shows these turns, the recorder wrote them so, and nothing is wrong. If it lacks them: "
    f"{_LEAVE_ALONE[0].lower()}{_LEAVE_ALONE[1:]}"
)
_LET_PASS = (
    "Find out what answered (its headers and body are in the capture) and make it let wss://api.cartesia.ai through; "
    "try once without HTTP(S)_PROXY, or from another network."
)
_IN_A_PAGE = (
    "Look at the request in the developer tools: its status and body (Network, WS), and the error in the console "
    "(net::ERR_CERT...: a proxy or virus scanner opens TLS with a certificate of its own). A page itself is told only "
    "1006, whether the key, the quota or the network is the reason. Or open the same address outside of a browser "
    "(websocat, Python); only where that gets no answer either, look at proxies and firewalls."
)

REJECTED = Cause(
    "connection.rejected",
    "fail",
    "The server refused the handshake.",
    "Correct what the answer's status and body name: 401 and 403 mean the key, 400 a parameter, 404 the path, 429 too "
    "many streams. 5xx is a failure on the other side: try again after 1, 2, 4 s, and if it goes on, send the vendor "
    "the time and the body.",
)
EXPIRED = Cause(
    "connection.expired",
    "fail",
    "The credential has expired: it worked before, or was issued too long ago.",
    "Get a fresh access token right before each connection and each reconnect, and give it a lifetime (expires_in) "
    "longer than the session; for a longer session, reconnect before it ends. Do not retry with the same token: it "
    "stays expired.",
)
INTERMEDIARY = Cause(
    "connection.intermediary",
    "fail",
    "Something between client and service answered, changed or swallowed the handshake or the frames.",
    _LET_PASS,
)
UNANSWERED = Cause("connection.unanswered", "fail", "No answer came to the handshake.", _LOOK_AT_NETWORK)
SUBPROTOCOL = Cause(
    "connection.subprotocol",
    "fail",
    "The client offers a subprotocol that the other side does not confirm.",
    "Leave out the second argument of new WebSocket(): the service has no subprotocol, and the token belongs in the "
    "URL (access_token). If a relay of your own takes a token in the header Sec-WebSocket-Protocol, it has to repeat "
    "one of the offered names in its answer.",
)


def get_refusal(facts: Facts, subject: Subject) -> Refusal | None:
    """What the service refused, None where that was not about this subject."""
    refusal = facts.refusal
    return refusal if refusal is not None and refusal.about == subject else None


def quote(refusal: Refusal) -> str:
    """The status of a refusal and its words."""
    what = "close code" if refusal.how == "close" else "HTTP status"
    return f"{what} {refusal.status}" + (f": {refusal.words!r}" if refusal.words else "")


def place_of(refusal: Refusal) -> tuple[Evidence, ...]:
    """Where a refusal stands in the capture."""
    what = {"handshake": "the handshake was refused here", "event": "the error event", "close": "closed here"}
    return (Evidence(what[refusal.how], refusal.line, refusal.t),)


def has_worked_before(facts: Facts, refusal: Refusal) -> bool:
    """Whether the same credential had been accepted: all connections of a capture are one client's."""
    return refusal.how == "handshake" and _find_accepted(facts, refusal.line) is not None


def _find_accepted(facts: Facts, line: int) -> Open | None:
    """The last handshake before a line that was accepted."""
    before = [item.open for item in facts.connections if is_accepted(item) and item.open and item.open.line < line]
    return before[-1] if before else None


def find_expired(facts: Facts) -> Iterator[Finding]:
    """A credential that worked, and no longer does; or one of which the service says that its time is over."""
    refusal = facts.refusal
    is_refused = refusal is not None and refusal.about in ("key", "expired")
    if refusal is not None and is_refused and (refusal.about == "expired" or has_worked_before(facts, refusal)):
        yield _tell_expired(facts, refusal)
        return
    for connection in facts.connections:
        said = _find_said_expired(connection) or _find_closed_expired(connection)
        if said is not None:
            yield said
            return


def _tell_expired(facts: Facts, refusal: Refusal) -> Finding:
    summary = f"The credential is no longer accepted ({quote(refusal)})"
    worked = _find_accepted(facts, refusal.line)
    if worked is not None and worked.t is not None and refusal.t is not None:
        summary += f"; it had been accepted {refusal.t - worked.t:.0f} s before"
    again = sum(1 for item in facts.connections if item.open and item.open.status == refusal.status) - 1
    if again > 0:
        summary += f", and was used {again} more {'time' if again == 1 else 'times'}"
    return EXPIRED.find("fail", 0.95, f"{summary}.", place_of(refusal))


def _find_said_expired(connection: Connection) -> Finding | None:
    for frame in connection.received:
        if frame.type != "error":
            continue
        words = " ".join(str(frame.message.get(key) or "") for key in ("title", "message", "error_code"))
        if tell_words(words) == "expired":
            place = (Evidence("the error event", frame.line, frame.t),)
            return EXPIRED.find("fail", 0.95, f"The service reported: {words.strip()[:200]}.", place)
    return None


def _find_closed_expired(connection: Connection) -> Finding | None:
    ending, opened = find_ending(connection), connection.open
    if ending is None or ending.about != "expired":
        return None
    summary = f"The service closed with code {ending.code}" + (f", reason {ending.reason!r}" if ending.reason else "")
    if ending.t is not None and opened is not None and opened.t is not None:
        summary += f", {ending.t - opened.t:.0f} s after it had accepted the credential"
    place = (Evidence("closed here", ending.line, ending.t),)
    return EXPIRED.find("fail", 0.95, f"{summary}.", place)


def find_unanswered(facts: Facts) -> Iterator[Finding]:
    """A handshake to which no answer came: no status, no frame, and then the end."""
    session = facts.session
    if session is None or session.lacks & {"send", "receive"} or session.damage.lines:
        return
    for connection in facts.connections:
        opened, close = connection.open, connection.close
        if close is None or connection.frames or (opened is not None and opened.status):
            continue
        was_open = close.code not in _NO_CLOSE_FRAME or (close.t is not None and close.t > _LONGEST_TRY_S)
        if opened is None and was_open:
            continue  # it had been open, before the capture began
        first = connection is facts.connections[0]
        who = "the other side closed" if close.by == "server" else "the client gave up"
        after = f": {who} after {close.t:.1f} s" if close.t is not None and first else ""
        summary = f"The handshake was never answered: no status and no frame came{after}."
        fix = _NODE_DIRECT + _LOOK_AT_NETWORK if _is_of_node(session.client or "") else None
        if facts.is_browser and opened is None:
            summary = f"The page saw no answer to the handshake{after.replace('the client', 'it')}."
            fix = _IN_A_PAGE
        place = (Evidence("given up here", close.line, close.t),)
        yield UNANSWERED.find("fail", 0.9, summary, place, fix)
        return


_NO_CLOSE_FRAME = (None, 1006)
_LONGEST_TRY_S = 130.0
"""Linux gives up a connection that nobody answers after 127 s, other systems earlier."""


def _is_of_node(client: str) -> bool:
    return re.search(r"\bnode\b|undici|\bjs\b", client, re.IGNORECASE) is not None


def find_unconfirmed(facts: Facts) -> Iterator[Finding]:
    """A subprotocol that the client offers and the answer does not take up: browsers then close at once."""
    session = facts.session
    offered = session.headers.get(_SUBPROTOCOL) if session is not None else None
    for connection in facts.connections:
        opened, close = connection.open, connection.close
        if not offered or opened is None or opened.status != 101 or not opened.headers or connection.frames:
            continue
        chosen = opened.headers.get(_SUBPROTOCOL)
        if close is None or close.by == "server" or chosen in [name.strip() for name in offered.split(",")]:
            continue
        said = f"chose {chosen!r}" if chosen else "confirmed none"
        first = offered.split(",")[0].strip()[:40]
        summary = (
            f"The client offered a subprotocol ({first!r}), the answer {said}, and the client closed at once, as it "
            f"must."
        )
        place = (Evidence("the answer to the handshake", opened.line, opened.t),)
        yield SUBPROTOCOL.find("fail", 0.95, summary, place)
        return


_WSS = (
    "Begin the address with wss:// instead of https://: a plain request is answered with a page, and only a WebSocket "
    "client asks for the upgrade."
)


def find_between(facts: Facts) -> Iterator[Finding]:
    """Something between the client and the service answered, or let nothing pass."""
    connections = facts.connections[facts.overcome :]
    refused = [item.open for item in connections if item.open and item.open.status not in (None, 101)]
    for opened in refused:
        if wants_tls(opened):
            return  # it is the port's own server, and the client did not speak TLS to it
        answerer = find_answerer(opened)
        if answerer.who == "between":
            yield _tell_between(opened, answerer, len(refused), _begins_with_http(facts))
            return
    for connection in facts.connections:
        ending = find_ending(connection)
        if ending is not None and ending.about == "between":
            reason = f", reason {ending.reason[:100]!r}" if ending.reason else ""
            summary = f"The socket was closed with code {ending.code} ({ending.meaning or 'from between'}{reason})."
            yield INTERMEDIARY.find("fail", 0.85, summary, (Evidence("closed here", ending.line, ending.t),))
            return
    broken = [frame for connection in facts.connections for frame in connection.received if _is_broken_event(frame)]
    if len(broken) >= _FEWEST_BROKEN:
        received = sum(not frame.binary for connection in facts.connections for frame in connection.received)
        summary = (
            f"{len(broken)} of {received} messages of the service are not valid JSON, though they begin as its events "
            f"do: something between client and service changed them"
        )
        place = (Evidence("the first of them", broken[0].line, broken[0].t),)
        if _lacks_broken(facts, broken):
            yield INTERMEDIARY.find("fail", 0.85, f"{summary}, and the application lacks them.", place, _LEAVE_ALONE)
        else:
            yield INTERMEDIARY.find("warn", 0.6, f"{summary}, or what recorded them did.", place, _IF_RECORDER)
        return
    silent = next((item for item in facts.connections if _is_swallowed(facts, item)), None)
    if silent is not None and silent.open is not None:
        end = silent.close.t if silent.close is not None and silent.close.t is not None else silent.frames[-1].t
        lasted = f" in {end - silent.open.t:.1f} s" if end is not None and silent.open.t is not None else ""
        summary = (
            f"The handshake was accepted, but then nothing at all was received{lasted}: not even connected, which the "
            f"service sends at once."
        )
        place = (Evidence("accepted here", silent.open.line, silent.open.t),)
        sure, fix = 0.85, _SWALLOWED
        if silent.close is None or silent.close.by == "client":  # as where only what is sent was recorded
            sure, fix = 0.7, _SWALLOWED + _ONE_WAY
        yield INTERMEDIARY.find("fail", sure, summary, place, fix)


_FEWEST_BROKEN = 2
_EVENT = re.compile(r'\s*\{\s*"type"\s*:\s*"(?:turn\.[a-z_]+|connected|error|transcript)"\s*,.*\}\s*', re.DOTALL)


_SHORTENED = re.compile(
    r"\.\.\.|\u2026|\*\*\*|<\w[^<>]{0,40}>|\[\w[^\[\]\"]{0,40}\]|redacted|truncated|omitted|\bmore chars", re.IGNORECASE
)
"""What a recorder or a person leaves where something was taken out of a message."""
_TOLD = re.compile(r'"type"\s*:\s*"turn\.end".*?"transcript"\s*:\s*"([^"]{4,})', re.DOTALL)


def _is_broken_event(frame: Frame) -> bool:
    """Whether a message begins and ends as an event of the service does, and is no JSON; one that is cut has no end."""
    if frame.text is None or frame.elided or _EVENT.fullmatch(frame.text) is None or _SHORTENED.search(frame.text):
        return False
    try:
        json.JSONDecoder().raw_decode(frame.text.lstrip())
    except json.JSONDecodeError as error:
        return error.pos < len(frame.text.strip())  # at the end: it was cut
    except (ValueError, RecursionError):  # JSON, with a number too long for Python or too deep
        return False
    return False  # what is refused here all the same, such as NaN, or two messages in one


def _lacks_broken(facts: Facts, broken: list[Frame]) -> bool:
    """Whether the application's text does not hold what the broken ends of turns say."""
    text = facts.session.transcript.text if facts.session is not None and facts.session.transcript is not None else ""
    told = [found[1].strip() for frame in broken if (found := _TOLD.search(frame.text or "")) is not None]
    return bool(text.strip()) and bool(told) and not any(words in text for words in told)


def _begins_with_http(facts: Facts) -> bool:
    url = facts.session.url if facts.session is not None else None
    return url is not None and url.lower().startswith(("http:", "https:"))


def _tell_between(opened: Open, answerer: Answerer, tries: int, is_http: bool) -> Finding:
    advice = STATUSES.get(opened.status or 0)
    page = describe_page(opened)
    fix = advice.fix if advice is not None else _LET_PASS
    if page == "login" and opened.status not in (407, 426, 502, 504, 505):
        fix = PORTAL
    elif opened.status == 403 or (page == "block" and opened.status not in (407, 426, 502, 503, 504, 505)):
        fix = STATUSES[403].fix
    if is_http and opened.status == 200:
        fix = f"{_WSS} If that is how the capture writes it: {fix[0].lower()}{fix[1:]}"
    who = (
        f"A proxy or load balancer between client and service ({answerer.name})"
        if answerer.name
        else ("Something between client and service (a proxy, a load balancer, a login page of the network)")
    )
    where = f", to {opened.headers['location'][:100]!r}" if "location" in opened.headers else ""
    meaning = advice.meaning if advice is not None else "answered"
    summary = f"{who} {meaning}: HTTP status {opened.status}{where}"
    summary += f", {tries} times." if tries > 1 else "."
    later = " The same handshake may work later." if advice is not None and advice.again == "later" else ""
    place = (Evidence(f"refused here; who answered shows in: {answerer.proof}", opened.line, opened.t),)
    return INTERMEDIARY.find("fail", 0.95, summary, place, fix + later + name_setting(answerer.name, opened.status))


def _is_swallowed(facts: Facts, connection: Connection) -> bool:
    """Whether a handshake was accepted, audio was sent for some seconds, and no frame ever came back."""
    session, opened = facts.session, connection.open
    if (
        session is None
        or "receive" in session.lacks
        or facts.endpoint is None
        or not facts.endpoint.ends_turns
        or opened is None
        or opened.status != 101
    ):
        return False
    if connection.received or not connection.audio_frames:
        return False
    times = [frame.t for frame in connection.frames if frame.t is not None]
    if not times or opened.t is None:
        return False
    end = connection.close.t if connection.close is not None and connection.close.t is not None else times[-1]
    return end - opened.t >= facts.limits["connection.silent_s"]


def find_rejection(facts: Facts) -> Iterator[Finding]:
    """The first handshake that was refused, whatever for."""
    opens = (connection.open for connection in facts.connections[facts.overcome :])
    refused = next((opened for opened in opens if opened is not None and opened.status not in (None, 101)), None)
    if refused is not None:
        words = " ".join(extract_words(refused.body or "").split())[:200]
        summary = f"The handshake was refused with HTTP status {refused.status}" + (f": {words!r}." if words else ".")
        place = (Evidence("the handshake was refused here", refused.line, refused.t),)
        yield REJECTED.find("fail", 0.97, summary, place)

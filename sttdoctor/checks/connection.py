"""Did you connect with the right parameters?

Needs the URL; for the key and the version also the headers of the handshake, for a refusal its answer, for a
reconnect the rows of both connections. Bare audio has none of these: there a declared encoding is judged by its name.

What the service accepted is right: after an accepted handshake only those parameters are told that it takes without
looking at them. What it refused is named first, by its status and its words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.answerer import PORTAL, STATUSES, Answerer, describe_page, find_answerer, find_name
from sttdoctor.analysis.session.endings import find_ending
from sttdoctor.analysis.session.endpoint import Address, by_events, of_path
from sttdoctor.analysis.session.loss import Loss, Reconnect, Sleep, find_loss, find_sleep, reconnects
from sttdoctor.analysis.session.refusal import Refusal, Subject, is_accepted, tell_words, words_of
from sttdoctor.analysis.session.timeline import Connection
from sttdoctor.checks.base import Answer, Cause, Check, Evidence, Finding, Status, answer, unknown, worst
from sttdoctor.encodings import SUPPORTED, meant_by
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.endpoints.cartesia import (
    AUTO,
    ENDPOINTS,
    MANUAL,
    REQUIRED,
    TURN_OPTIONS,
    is_rate,
    keyterm_problem,
    rate_of,
    turn_option_problems,
)
from sttdoctor.endpoints.foreign import (
    COMMON_WORDS,
    FOREIGN_PARAMETERS,
    FOREIGN_PATHS,
    INSTEAD_OF_PARAMETERS,
    UNSUPPORTED_CODECS,
)
from sttdoctor.evidence import Open
from sttdoctor.redact import NO_SCHEME, is_mask, is_unset

_SCHEMES = {"token": "Deepgram's"}
_KEY_NAME = re.compile(r"(?:[\w-]*[-_])?(?:api[-_]?key|access[-_]?token|auth[-_]?token)|token|key|auth", re.IGNORECASE)
_KEY_PLACES = (
    "On a server send X-API-Key: KEY or Authorization: Bearer KEY; in a browser use a short-lived access_token with "
    "the stt grant in the URL."
)
_SHOWN = 20  # problems of one URL that are listed
_JUDGED = 100  # unknown names of one URL that are looked at


@dataclass(frozen=True, slots=True)
class _Problem:
    """What is wrong with a parameter.

    Attributes:
        parameter: Its name.
        text: One sentence without its full stop.
        fix: The same, what to do.
        accepted: What it counts after an accepted handshake; None where the service would have refused it.
        status: What it counts otherwise.
    """

    parameter: str
    text: str
    fix: str
    accepted: Status | None
    status: Status = "fail"


def _applies_to(facts: Facts) -> bool:
    """Of bare audio only a name that the service does not take is asked about."""
    return facts.session is not None or facts.declared.encoding not in (None, *SUPPORTED)


def _judge(facts: Facts) -> Answer:
    if facts.session is None:
        found = [_tell_parameters(list(_find_wrong_encoding(facts)))]
        return answer(worst(found).summary, found, {})
    where = facts.address
    if where is None and not any(connection.open for connection in facts.connections):
        return unknown(missing.URL)
    if not facts.session.events:
        return unknown(missing.HANDSHAKE)
    findings = [
        *_find_unanswered(facts),
        *_find_unconfirmed(facts),
        *_find_between(facts),
        *_find_expired(facts),
        *_judge_key(facts),
        *_judge_path(facts),
        *_judge_parameters(facts),
        *_find_rejection(facts),
        *_find_losses(facts),
        *_find_reconnect(facts),
        *_find_doubled(facts),
    ]
    if findings:
        return answer(worst(findings).summary, findings, {})
    if where is None:
        return unknown(missing.NO_URL)
    return answer("The address and its parameters are right.", [], {"endpoint": facts.endpoint_name})


def _get_refusal(facts: Facts, subject: Subject) -> Refusal | None:
    refusal = facts.refusal
    return refusal if refusal is not None and refusal.about == subject else None


def _quote(refusal: Refusal) -> str:
    """The status of a refusal and its words."""
    what = "close code" if refusal.how == "close" else "HTTP status"
    return f"{what} {refusal.status}" + (f": {refusal.words!r}" if refusal.words else "")


def _place_of(refusal: Refusal) -> tuple[Evidence, ...]:
    what = {"handshake": "the handshake was refused here", "event": "the error event", "close": "closed here"}
    return (Evidence(what[refusal.how], refusal.line, refusal.t),)


def _judge_key(facts: Facts) -> Iterator[Finding]:
    where = facts.address
    if where is not None and not is_unset(where.first("api_key") or ""):
        yield CHECK.finding("key-in-url", "warn", 0.99, "The API key is a part of the URL (api_key).")
    refusal = _get_refusal(facts, "key")
    fault = None if facts.is_accepted else _find_key_fault(facts, where)
    if refusal is not None:
        if not _worked_before(facts, refusal):
            yield _tell_refused_key(refusal, fault)
    elif fault is not None:
        yield CHECK.finding("bad-auth", "fail", 0.9, f"{_capitalize(fault[0])}.", fix=fault[1])


def _tell_refused_key(refusal: Refusal, fault: tuple[str, str] | None) -> Finding:
    place = _place_of(refusal)
    summary = f"The key was not accepted ({_quote(refusal)})"
    if fault is not None:
        return CHECK.finding("bad-auth", "fail", 0.97, f"{summary}: {fault[0]}.", place, fault[1])
    return CHECK.finding("bad-auth", "fail", 0.97, f"{summary}.", place)


def _worked_before(facts: Facts, refusal: Refusal) -> bool:
    """Whether the same credential had been accepted: all connections of a capture are one client's."""
    return refusal.how == "handshake" and _find_accepted(facts, refusal.line) is not None


def _find_accepted(facts: Facts, line: int) -> Open | None:
    """The last handshake before a line that was accepted."""
    before = [item.open for item in facts.connections if is_accepted(item) and item.open and item.open.line < line]
    return before[-1] if before else None


def _find_expired(facts: Facts) -> Iterator[Finding]:
    """A credential that worked, and no longer does; or one of which the service says that its time is over."""
    refusal = facts.refusal
    is_refused = refusal is not None and refusal.about in ("key", "expired")
    if refusal is not None and is_refused and (refusal.about == "expired" or _worked_before(facts, refusal)):
        yield _tell_expired(facts, refusal)
        return
    for connection in facts.connections:
        said = _find_said_expired(connection) or _find_closed_expired(connection)
        if said is not None:
            yield said
            return


def _tell_expired(facts: Facts, refusal: Refusal) -> Finding:
    summary = f"The credential is no longer accepted ({_quote(refusal)})"
    worked = _find_accepted(facts, refusal.line)
    if worked is not None and worked.t is not None and refusal.t is not None:
        summary += f"; it had been accepted {refusal.t - worked.t:.0f} s before"
    again = sum(1 for item in facts.connections if item.open and item.open.status == refusal.status) - 1
    if again > 0:
        summary += f", and was presented {again} more {'time' if again == 1 else 'times'}"
    return CHECK.finding("expired", "fail", 0.95, f"{summary}.", _place_of(refusal))


def _find_said_expired(connection: Connection) -> Finding | None:
    for frame in connection.received:
        if frame.type != "error":
            continue
        words = " ".join(str(frame.message.get(key) or "") for key in ("title", "message", "error_code"))
        if tell_words(words) == "expired":
            place = (Evidence("the error event", frame.line, frame.t),)
            return CHECK.finding("expired", "fail", 0.95, f"The service reported: {words.strip()[:200]}.", place)
    return None


def _find_closed_expired(connection: Connection) -> Finding | None:
    ending, opened = find_ending(connection), connection.open
    if ending is None or ending.about != "expired":
        return None
    summary = f"The service closed with code {ending.code}" + (f", reason {ending.reason!r}" if ending.reason else "")
    if ending.t is not None and opened is not None and opened.t is not None:
        summary += f", {ending.t - opened.t:.0f} s after it had accepted the credential"
    place = (Evidence("closed here", ending.line, ending.t),)
    return CHECK.finding("expired", "fail", 0.95, f"{summary}.", place)


def _find_unanswered(facts: Facts) -> Iterator[Finding]:
    """A handshake to which no answer came: no status, no frame, and then the end."""
    session = facts.session
    if session is None or session.lacks & {"send", "receive"} or session.damage.lines:
        return
    for connection in facts.connections:
        opened, close = connection.open, connection.close
        if close is None or connection.frames or (opened is not None and opened.status):
            continue
        first = connection is facts.connections[0]
        after = f": the client gave up after {close.t:.1f} s" if close.t is not None and first else ""
        summary = f"The handshake was never answered, by no status and no frame{after}."
        fix = _NODE_DIRECT + _UNANSWERED if _is_of_node(session.client or "") else _UNANSWERED
        place = (Evidence("given up here", close.line, close.t),)
        yield CHECK.finding("unanswered", "fail", 0.9, summary, place, fix)
        return


def _is_of_node(client: str) -> bool:
    return re.search(r"\bnode\b|undici|\bjs\b", client, re.IGNORECASE) is not None


_UNANSWERED = (
    "Look at the network first: does the name resolve, and does a TLS connection to api.cartesia.ai:443 come up from "
    "that machine (openssl s_client -connect api.cartesia.ai:443)? Behind a proxy or firewall the client has to be "
    "told of the proxy; many WebSocket libraries do not read HTTPS_PROXY by themselves. Give the handshake a time "
    "limit of 10 s and try again. Nothing reached the service, so there is nothing to ask the vendor about."
)
_NODE_DIRECT = (
    "In Node the built-in WebSocket takes no proxy agent and connects directly: use the package ws with an "
    "HttpsProxyAgent, or set NODE_USE_ENV_PROXY=1. "
)


def _find_unconfirmed(facts: Facts) -> Iterator[Finding]:
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
        yield CHECK.finding("subprotocol", "fail", 0.95, summary, place)
        return


_SUBPROTOCOL = "sec-websocket-protocol"


def _find_between(facts: Facts) -> Iterator[Finding]:
    """Something between the client and the service answered, or let nothing pass."""
    refused = [item.open for item in facts.connections if item.open and item.open.status not in (None, 101)]
    for opened in refused:
        answerer = find_answerer(opened)
        if answerer.who == "between":
            yield _tell_between(opened, answerer, len(refused))
            return
    for connection in facts.connections:
        ending = find_ending(connection)
        if ending is not None and ending.about == "between":
            reason = f", reason {ending.reason[:100]!r}" if ending.reason else ""
            summary = f"The socket was closed with code {ending.code} ({ending.meaning or 'from between'}{reason})."
            yield CHECK.finding(
                "intermediary", "fail", 0.85, summary, (Evidence("closed here", ending.line, ending.t),)
            )
            return
    silent = next((item for item in facts.connections if _is_swallowed(facts, item)), None)
    if silent is not None and silent.open is not None:
        end = silent.close.t if silent.close is not None and silent.close.t is not None else silent.frames[-1].t
        lasted = f" in {end - silent.open.t:.1f} s" if end is not None and silent.open.t is not None else ""
        summary = (
            f"The handshake was accepted, and then nothing at all was received{lasted}: not even connected, which the "
            f"service sends at once."
        )
        place = (Evidence("accepted here", silent.open.line, silent.open.t),)
        yield CHECK.finding("intermediary", "fail", 0.85, summary, place, _SWALLOWED)


def _tell_between(opened: Open, answerer: Answerer, tries: int) -> Finding:
    advice = STATUSES.get(opened.status or 0)
    page = describe_page(opened)
    fix = advice.fix if advice is not None else _DEFAULT
    if page == "login" and opened.status not in (407, 426, 502, 504, 505):
        fix = PORTAL
    elif opened.status == 403 or (page == "block" and opened.status not in (407, 426, 502, 503, 504, 505)):
        fix = STATUSES[403].fix
    who = (
        f"A proxy or load balancer between client and service ({answerer.name})"
        if answerer.name
        else ("Something between client and service (a proxy, a load balancer, a network's login page)")
    )
    where = f", to {opened.headers['location'][:100]!r}" if "location" in opened.headers else ""
    meaning = advice.meaning if advice is not None else "answered"
    summary = f"{who} {meaning}: HTTP status {opened.status}{where}"
    summary += f", {tries} times." if tries > 1 else "."
    later = " The same handshake may work later." if advice is not None and advice.again == "later" else ""
    place = (Evidence(f"refused here; what shows who: {answerer.proof}", opened.line, opened.t),)
    return CHECK.finding("intermediary", "fail", 0.95, summary, place, fix + later)


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


_SWALLOWED = (
    "Look between client and service first: try once without HTTP(S)_PROXY, from another network, or straight to "
    "wss://api.cartesia.ai. A proxy that accepts the upgrade must relay frames in both directions at once, without "
    "buffering. The service never heard this session, so there is nothing to ask the vendor about."
)
_DEFAULT = (
    "Find out what answered (its headers and body stand in the capture) and let it pass wss://api.cartesia.ai; try "
    "once without HTTP(S)_PROXY, or from another network."
)


def _find_key_fault(facts: Facts, where: Address | None) -> tuple[str, str] | None:
    """What is wrong with the key as the handshake shows it, and what is right; a redaction mark shows nothing.

    Some recorders leave a key out, so that it is missing counts where the service refused the handshake for it.
    """
    headers = facts.session.headers if facts.session is not None else {}
    refusal = facts.refusal
    is_doubtful = refusal is None or not (refusal.about == "key" or (refusal.status == 400 and not refusal.named))
    authorization = headers.get("authorization", "").strip()
    scheme, _, credential = authorization.partition(" ")
    bearer = credential if scheme.lower() == "bearer" else None
    places = {
        "X-API-Key": headers.get("x-api-key"),
        "Bearer": bearer,
        "access_token": where.first("access_token") if where else None,
        "api_key": where.first("api_key") if where else None,
    }
    given = {place: value.strip() for place, value in places.items() if value is not None}
    if not is_doubtful and given.get("X-API-Key", "").lower().startswith("bearer ") and bearer is None:
        return "X-API-Key takes the key alone, without Bearer before it", _KEY_PLACES
    if any(not is_unset(value) for value in given.values()):
        return None
    if bearer is None and credential:
        whose = f", which is {_SCHEMES[scheme.lower()]}" if scheme.lower() in _SCHEMES else ""
        text = f"the Authorization header has the scheme {scheme[:20]}{whose}; here it is Bearer"
        return text, _KEY_PLACES
    if NO_SCHEME in headers:
        text = "the Authorization header holds a key without a scheme, as AssemblyAI has it; here it is Bearer"
        return text, _KEY_PLACES
    elsewhere = _find_key_elsewhere(headers, where)
    if elsewhere is not None:
        return f"the key is in {elsewhere}, where the service does not look", _KEY_PLACES
    if is_doubtful and not any(given.values()):
        return None
    if given:
        place, value = max(given.items(), key=lambda item: bool(item[1]))
        text = f"{value[:40]!r} stands where the key should, in {place}" if value else f"no key follows {place}"
        return text, "Set the variable that the key is read from; it was empty when the client connected."
    if not headers or not is_unset(authorization):
        return None
    return "the handshake in the capture carries no key", _KEY_PLACES


def _find_key_elsewhere(headers: Mapping[str, str], where: Address | None) -> str | None:
    """A header or a parameter that looks as if it held a key."""
    if "xi-api-key" in headers:
        return "ElevenLabs' header xi-api-key"
    header = next((name for name, value in headers.items() if _KEY_NAME.fullmatch(name) and not is_unset(value)), None)
    if header is not None:
        return f"the header {header[:40]}"
    query = where.query if where is not None else ()
    name = next((name for name, value in query if _KEY_NAME.fullmatch(name) and not is_unset(value)), None)
    return f"the parameter {name[:40]}" if name is not None else None


def _judge_path(facts: Facts) -> Iterator[Finding]:
    where, refusal = facts.address, _get_refusal(facts, "path")
    fault = _find_path_fault(where) if where is not None and not _is_right_place(facts, where) else None
    if refusal is not None:
        summary = f"The server knows no such path ({_quote(refusal)})" + (f": {fault}." if fault else ".")
        yield CHECK.finding("wrong-path", "fail", 0.97, summary, _place_of(refusal))
    elif fault is not None:
        yield CHECK.finding("wrong-path", "fail", 0.95, f"{_capitalize(fault)}.")


def _is_right_place(facts: Facts, where: Address) -> bool:
    """Whether the service answers there, or a host of which nothing is known accepted the handshake."""
    if by_events(frame for connection in facts.connections for frame in connection.received) is not None:
        return True
    return facts.is_accepted and not where.host.endswith("cartesia.ai") and _vendor_of(where) is None


def _vendor_of(where: Address) -> str | None:
    return next((name for path, name in FOREIGN_PATHS.items() if where.path.endswith(path)), None)


def _find_path_fault(where: Address) -> str | None:
    if where.host and where.path and of_path(where.path) is None:
        vendor = _vendor_of(where)
        return f"the path is {where.path[:100]!r}" + (f", which is {vendor}'s" if vendor else "")
    if where.scheme in ("ws", "http") and where.host.endswith("cartesia.ai"):
        return f"the scheme is {where.scheme}://, which is not encrypted; use wss://"
    return None


def _judge_parameters(facts: Facts) -> Iterator[Finding]:
    where, refusal = facts.address, _get_refusal(facts, "parameter")
    problems: list[_Problem] = []
    if where is not None and facts.endpoint is not None and not any(is_mask(name) for name, _ in where.query):
        problems = [
            *_find_missing(facts, where),
            *_find_wrong_values(facts, where),
            *_find_foreign(facts.endpoint, where),
        ]
    if facts.is_accepted and refusal is None:
        problems = [replace(item, status=item.accepted) for item in problems if item.accepted is not None]
    if problems or (refusal is not None and refusal.named):
        yield _tell_parameters(problems, refusal)


def _tell_parameters(problems: list[_Problem], refusal: Refusal | None = None) -> Finding:
    """All problems as one finding; what the service named comes first, then what is worst."""
    named = _find_named(refusal.words) if refusal is not None else []
    problems = sorted(problems, key=lambda item: (item.parameter not in named, item.status != "fail"))
    told = "".join(problem.text for problem in problems[:1])
    told += f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if refusal is None:
        summary = told
    elif not problems or (named and problems[0].parameter not in named):
        summary = f"the service refused a parameter ({_quote(refusal)})" + (f"; besides, {told}" if told else "")
    else:
        summary = f"{told}; the service refused it ({_quote(refusal)})"
    is_named = refusal is not None and refusal.named
    status: Status = "fail" if is_named or any(problem.status == "fail" for problem in problems) else "warn"
    evidence = [Evidence(problem.text) for problem in problems[:_SHOWN]] if len(problems) > 1 else []
    evidence += _place_of(refusal) if refusal is not None else ()
    fix = " ".join(dict.fromkeys(f"{problem.fix}." for problem in problems[:3])) or None
    confidence = 0.97 if is_named else 0.95 if status == "fail" else 0.7
    return CHECK.finding("bad-parameter", status, confidence, f"{_capitalize(summary)}.", tuple(evidence), fix)


def _find_named(words: str) -> list[str]:
    """The parameters that a refusal names."""
    plain = words.lower().replace("_", " ").replace("-", " ")
    return [key for key in (*REQUIRED, "version", "keyterm", *TURN_OPTIONS) if key.replace("_", " ") in plain]


def _capitalize(text: str) -> str:
    """Begin a sentence; a name at its beginning stays as it is written."""
    return text if "=" in text.split(" ")[0] or "_" in text.split(" ")[0] else text[:1].upper() + text[1:]


def _find_missing(facts: Facts, where: Address) -> Iterator[_Problem]:
    for key in REQUIRED:
        if not where.first(key):
            yield _Problem(key, f"the required parameter {key} is missing", f"Add {key}={_EXAMPLES[key]}", None)
    session = facts.session
    versioned = where.first("cartesia_version") or (session is not None and "cartesia-version" in session.headers)
    if session is not None and session.headers and not versioned:
        text = "no API version is given (header Cartesia-Version or parameter cartesia_version)"
        yield _Problem("version", text, "Add cartesia_version=2026-03-01", None)


_EXAMPLES = {
    "model": "ink-2",
    "encoding": "pcm_s16le (as you send)",
    "sample_rate": "16000 (in Hz, as you send)",
}


def _find_wrong_encoding(facts: Facts) -> Iterator[_Problem]:
    encoding = facts.declared.encoding
    if encoding and encoding not in SUPPORTED:
        said, fix = _right_encoding(encoding)
        yield _Problem("encoding", f"encoding={encoding[:40]} is not one of the six; {said}", fix, "fail")


def _right_encoding(name: str) -> tuple[str, str]:
    meant = meant_by(name)
    if meant is not None:
        return f"here it is called {meant}", f"Write encoding={meant}"
    if name.strip().lower() in UNSUPPORTED_CODECS:
        text = "the service takes bare samples only: decode before sending, as pcm_s16le"
        return text, "Decode to 16-bit samples before sending and write encoding=pcm_s16le"
    return "use " + ", ".join(SUPPORTED), "Write the encoding of the samples that you send"


def _find_wrong_values(facts: Facts, where: Address) -> Iterator[_Problem]:
    yield from _find_wrong_encoding(facts)
    rate, model = where.first("sample_rate"), where.first("model")
    if rate and not (is_rate(rate) or is_mask(rate)):
        problem = f"sample_rate={rate[:40]} is not a whole number of Hz"
        fix = "Write the rate in Hz: sample_rate=16000"
        yield _Problem("sample_rate", problem, fix, None if rate_of(rate) else "warn")
    if model and _belongs_to_manual(facts.endpoint, model):
        problem = f"model={model[:40]} belongs to the manual and batch endpoints; this one takes ink-2"
        fix = "Write model=ink-2, or connect to /stt/websocket"
        yield _Problem("model", problem, fix, None if facts.turns else "fail")
    wrong_terms = keyterm_problem(where.values("keyterm"))
    if wrong_terms:
        yield _Problem("keyterm", wrong_terms, "Send the most important keyterms only", None)
    said = {name: text for name in TURN_OPTIONS if (text := where.first(name)) is not None and not is_mask(text)}
    for problem, fix in turn_option_problems(said):
        yield _Problem(problem.partition("=")[0], problem, fix, "fail")


def _belongs_to_manual(endpoint: Endpoint | None, model: str) -> bool:
    return endpoint is AUTO and not AUTO.models.fullmatch(model) and MANUAL.models.fullmatch(model) is not None


def _find_foreign(endpoint: Endpoint, where: Address) -> Iterator[_Problem]:
    """Names that the endpoint does not document; it is not known to refuse any, so they have no effect at worst."""
    known, others = endpoint.parameters, {key for other in ENDPOINTS for key in other.parameters}
    for key in islice((key for key in dict.fromkeys(name for name, _ in where.query) if key not in known), _JUDGED):
        vendor, instead = FOREIGN_PARAMETERS.get(key), INSTEAD_OF_PARAMETERS.get(key)
        close = get_close_matches(key[:40].lower().replace("-", "_"), known, n=1, cutoff=0.8)
        if vendor or instead:
            whose = f" comes from {vendor}" if vendor else " is not known here"
            text = f"the parameter {key}{whose}" + (f"; instead use {instead}" if instead else " and has no effect")
            needed = instead in REQUIRED and not where.first(instead)
            fix = f"Instead of {key} use {instead}" if instead else f"Remove {key}"
            yield _Problem(key, text, fix, None if key in COMMON_WORDS else "fail" if needed else "warn")
        elif key in others:
            yield _Problem(key, f"the parameter {key} belongs to the manual endpoint", f"Remove {key}", "warn", "warn")
        elif close and not where.first(close[0]):
            text = f"the parameter {key[:40]!r} is not known here; {close[0]} is"
            yield _Problem(key, text, f"Write {close[0]} instead of {key[:40]}", "warn", "warn")
        else:
            yield _Problem(key, f"the parameter {key[:40]!r} is not documented", f"Remove {key[:40]}", None, "warn")


def _find_rejection(facts: Facts) -> Iterator[Finding]:
    opens = (connection.open for connection in facts.connections)
    refused = next((opened for opened in opens if opened is not None and opened.status not in (None, 101)), None)
    if refused is not None:
        words = " ".join(words_of(refused.body or "").split())[:200]
        summary = f"The handshake was refused with HTTP status {refused.status}" + (f": {words!r}." if words else ".")
        place = (Evidence("the handshake was refused here", refused.line, refused.t),)
        yield CHECK.finding("rejected", "fail", 0.97, summary, place)


def _find_losses(facts: Facts) -> list[Finding]:
    """The first connection that was cut while idle, and the first that was dead."""
    if facts.session is None or facts.session.lacks & {"send", "receive"}:
        return []
    told: dict[str, Finding] = {}
    for connection in facts.connections:
        slept = find_sleep(connection)
        if slept is not None:
            told.setdefault("connection.dead", _tell_slept(slept))
        loss = find_loss(connection, facts.endpoint, facts.session.resolution)
        if loss is not None:
            finding = _tell_dead(loss) if loss.how == "dead" else _tell_cut(loss, connection)
            told.setdefault(finding.cause, finding)
    return list(told.values())


def _tell_cut(loss: Loss, connection: Connection) -> Finding:
    name = find_name(connection.open.headers, "") if connection.open is not None else None
    between = f"{name}, which the handshake passed" if name else "a proxy or load balancer in between"
    limit = f"an idle limit of {loss.limit_s:.0f} s, as {between} has it"
    if loss.how == "idle":
        summary = f"Nothing was sent or received for {loss.silent_s:.1f} s, then the connection was gone: {limit}."
        fix = _KEEP_PASSING
    else:
        summary = (
            f"Audio was sent, but nothing came back for {loss.silent_s:.1f} s, then the connection was gone: {limit}, "
            f"and here for each direction by itself."
        )
        fix = _KEEP_ANSWERING
    is_usual = loss.how == "one-sided" or loss.limit_s in (50, 60, 300, 600, 900)
    place = (Evidence("gone here", loss.line, loss.t),)
    return CHECK.finding("idle-cut", "fail", 0.9 if is_usual else 0.75, summary, place, fix)


def _tell_slept(slept: Sleep) -> Finding:
    summary = (
        f"The connection was dead: nothing passed for {slept.still_s:.0f} s (from {slept.since_s:.1f} s on), then "
        f"audio was sent for {slept.sent_s:.1f} s and nothing came back for {slept.deaf_s:.1f} s. The socket still "
        f"looked open, but the other side was gone."
    )
    return CHECK.finding("dead", "fail", 0.9, summary, (Evidence("sent into nothing", slept.line, slept.t),), _SLEPT)


_SLEPT = (
    "The machine slept, or something between forgot the idle connection. Open a new connection when the machine wakes "
    "(NSWorkspace.didWakeNotification, online and visibilitychange in a browser) and whenever nothing passed for a "
    "minute, before the first audio; the service itself ends a session after three minutes without audio. A ping every "
    "20 s, given up when no pong comes in as long, shows a dead socket that looks open. Send again what was spoken "
    "into it."
)


def _tell_dead(loss: Loss) -> Finding:
    heard_s = loss.silent_s - loss.unsent_s
    after = (
        "and the connection was lost at last"
        if loss.unsent_s < 2
        else f"then sending stood still too, and {loss.unsent_s:.0f} s later the connection was given up"
    )
    summary = (
        f"The connection was dead: nothing came in for {loss.silent_s:.0f} s with a turn open, while audio was still "
        f"sent for {heard_s:.0f} s of them; {after}."
    )
    return CHECK.finding("dead", "fail", 0.85, summary, (Evidence("gone here", loss.line, loss.t),))


_KEEP_PASSING = (
    "Go on sending silence (zero samples; 0xFF in mu-law, 0xD5 in A-law) at realtime while there is nothing to hear, "
    "or let the client ping every 20 s (websockets from 15 on does so by itself, ws and aiohttp have to be told, a "
    "browser cannot). TCP keepalive does not help, and to connect again does not help at the next pause. If the proxy "
    "or load balancer is yours, raise its idle timeout too."
)
_KEEP_ANSWERING = (
    "Let the client send a WebSocket ping every 20 s: its pong counts as traffic towards the client. Silence is not "
    "enough here, as each direction has a timer of its own (haproxy with independent-streams, lighttpd). If the proxy "
    "is yours, raise its timeouts."
)


def _find_reconnect(facts: Facts) -> list[Finding]:
    """The worst of the reconnects."""
    found = [_tell_reconnect(facts, item) for item in reconnects(facts.connections, facts.declared.bytes_per_s)]
    return [worst(found)] if found else []


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
    return CHECK.finding("reconnected", status, 0.9, f"The client connected again in mid-session: {detail}.", place)


def _find_doubled(facts: Facts) -> Iterator[Finding]:
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
    yield CHECK.finding("doubled", "fail", 0.97, summary, place)


CHECK = Check(
    id="connection",
    order=60,
    question="Did you connect with the right parameters?",
    kinds=("audio", "session"),
    needs="the URL, the headers of the handshake, its answer, and the rows of every connection; of bare audio the name "
    "of the declared encoding, which is all that is judged there",
    why="Everything about a connection is fixed by its URL. A missing or misspelled parameter may be refused, or "
    "ignored without a word, and names that another vendor uses mean nothing here.",
    how="Path, required parameters, values and ranges are compared with the documentation; names of other vendors are "
    "recognised. What the service accepted is right, and what it refused is told first. A second handshake is judged "
    "by what was lost between the connections, a lost connection by what passed last, and how long before.",
    causes=(
        Cause(
            "connection.rejected",
            "fail",
            "The server refused the handshake.",
            "Read the status and the body: 401 and 403 mean the key, 400 a parameter, 404 the path, 429 too many "
            "streams.",
        ),
        Cause(
            "connection.bad-parameter",
            "fail",
            "A parameter of the URL is missing, unknown, out of range or another vendor's.",
            "Give model=ink-2, encoding, sample_rate and cartesia_version; correct what is named here.",
        ),
        Cause(
            "connection.bad-auth",
            "fail",
            "The key is missing, not accepted, or in a place where the service does not look for it.",
            _KEY_PLACES,
        ),
        Cause(
            "connection.expired",
            "fail",
            "A credential that worked before, or was minted too long ago, is presented.",
            "Get a fresh access token right before each connection, also before each reconnect, and give it a lifetime "
            "(expires_in) that is longer than the session; for longer ones connect again before it ends. Do not try "
            "the same token again: it stays expired.",
        ),
        Cause(
            "connection.intermediary",
            "fail",
            "Something between client and service answered, changed or swallowed the handshake or the frames.",
            _DEFAULT,
        ),
        Cause(
            "connection.unanswered",
            "fail",
            "No answer came to the handshake.",
            _UNANSWERED,
        ),
        Cause(
            "connection.subprotocol",
            "fail",
            "The client offers a subprotocol that the other side does not confirm.",
            "Leave out the second argument of new WebSocket(): the service knows no subprotocol, and its token belongs "
            "into the URL (access_token). A relay of your own that takes a token by the header Sec-WebSocket-Protocol "
            "has to repeat one of the offered names in its answer.",
        ),
        Cause(
            "connection.idle-cut",
            "fail",
            "Nothing passed for about as long as a proxy or load balancer allows, then the connection was gone.",
            _KEEP_PASSING,
        ),
        Cause(
            "connection.dead",
            "fail",
            "The connection was half-open: nothing came in any more, and sending went on or blocked until it was lost.",
            "Notice it sooner: send a ping every 10 to 20 s and give up when no pong comes in as long, or when a turn "
            "is open and no event came for 5 s; give each send a timeout. Then connect again, send what was not "
            "answered at the pace it was spoken, and show the open turn as unfinished.",
        ),
        Cause(
            "connection.key-in-url",
            "warn",
            "The API key stands in the URL, where logs and proxies keep it.",
            "Send it as a header; in a browser use a short-lived access_token instead, and rotate the key.",
        ),
        Cause(
            "connection.wrong-path",
            "fail",
            "The address is not that of a realtime speech-to-text endpoint.",
            "Connect to wss://api.cartesia.ai/stt/turns/websocket (turns) or /stt/websocket (manual).",
        ),
        Cause(
            "connection.reconnected",
            "fail",
            "The client connected again in mid-session; there is no resume.",
            "Keep the text of finished turns, show the open turn as unfinished, keep the audio that was not answered "
            "and send it again at the pace it was spoken.",
        ),
        Cause(
            "connection.doubled",
            "fail",
            "Two connections at a time carry the same audio.",
            "Open one connection for each stream: as it is, every word comes back twice, and each counts as a stream. "
            "Look for code that runs twice (a React effect under StrictMode, a second mount, a start button without a "
            "guard, a retry beside a connection that lives), close the connection where it is cleaned up, and do not "
            "open one while another is open or opening.",
        ),
    ),
    docs="https://docs.cartesia.ai/api-reference/stt/turns/websocket",
    judge=_judge,
    applies_to=_applies_to,
    of_handshake=True,
)

"""What the URL and the headers of a handshake say: key, path and parameters, against what the service documents."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.answerer import wants_tls
from sttdoctor.analysis.session.endpoint import Address, match_events, match_path
from sttdoctor.analysis.session.refusal import Refusal
from sttdoctor.checks.base import Cause, Evidence, Finding, Status, join_list
from sttdoctor.checks.connection.handshake import INTERMEDIARY, get_refusal, has_worked_before, place_of, quote
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
from sttdoctor.redact import NO_SCHEME, is_mask, is_unset
from sttdoctor.values import immutable

_SCHEMES = {"token": "Deepgram's"}
_KEY_NAME = re.compile(r"(?:[\w-]*[-_])?(?:api[-_]?key|access[-_]?token|auth[-_]?token)|token|key|auth", re.IGNORECASE)
_KEY_PLACES = (
    "On a server send X-API-Key: KEY or Authorization: Bearer KEY; in a browser use a short-lived access_token with "
    "the stt grant in the URL."
)
_ONE_KEY = (
    "Send one of them only. Where headers can be set, leave out the second argument of new WebSocket(); in a browser "
    "put a short-lived access_token with the stt grant in the URL. A library that takes both headers and protocols "
    "sends both."
)
_ONE_ONLY = re.compile(
    r"\bonly (?:send |use |provide |give )?one\b|\bone of\b|\bboth\b|more than one|multiple", re.IGNORECASE
)
_KEY_PROTOCOL = re.compile(r"api[-_]?key|token|bearer|auth", re.IGNORECASE)
_SOCKET_IO = (
    "Socket.IO is a protocol of its own: its client speaks to Socket.IO servers only. Use a plain WebSocket (new "
    "WebSocket(url) in a browser, the package ws in Node) instead of io(url)."
)
_ENCRYPT = (
    "Begin the address with wss:// (ws:// and http:// are not encrypted). A library that takes host and port apart has "
    "a switch for it (secure, ssl, tls); the port alone does not turn it on."
)
_ENCRYPT_BEHIND = (
    "Let the proxy or relay that the client connects to speak TLS to what is behind it: wss:// or https:// as its "
    "target (in nginx proxy_pass https://...), not http:// with port 443."
)
_QUOTED = "Where the address is given in a shell, put it in quotes: an & outside them ends it"
_SHOWN = 20  # problems of one URL that are listed
_JUDGED = 100  # unknown names of one URL that are looked at
_EXAMPLES = {
    "model": "ink-2",
    "encoding": "pcm_s16le (as you send)",
    "sample_rate": "16000 (in Hz, as you send)",
}

_MISSED = re.compile(r"\bmissing\b|\brequired\b|not (?:given|provided|specified|found|present)", re.IGNORECASE)
_KEEP_QUERY = (
    "Let the proxy or relay pass the whole address on, with what stands behind the question mark: in nginx proxy_pass "
    "without a path of its own or with $is_args$args, in a relay of your own the query of the request. To prove it, "
    "connect once straight to wss://api.cartesia.ai."
)
_NOT_YET = re.compile(
    r"not (?:yet )?(?:valid|active)(?: yet)?\b.*\byet|not valid yet|\bnbf\b|issued in the future|before it", re.I
)
_SET_CLOCK = (
    "The clock of the machine that makes the token is ahead of the service's: let it follow NTP, and compare it with "
    "the Date header of any answer. Until then mint the token some seconds before you connect."
)

BAD_PARAMETER = Cause(
    "connection.bad-parameter",
    "fail",
    "A URL parameter is missing, unknown, out of range or another vendor's.",
    "Give model=ink-2, encoding, sample_rate and cartesia_version; correct what is named here.",
)
BAD_AUTH = Cause(
    "connection.bad-auth",
    "fail",
    "The key is missing, not accepted, or in a place where the service does not look for it.",
    _KEY_PLACES,
)
KEY_IN_URL = Cause(
    "connection.key-in-url",
    "warn",
    "The API key is in the URL, where logs and proxies keep it.",
    "Send the key as a header, or in a browser use a short-lived access_token instead. Then rotate the key.",
)
WRONG_PATH = Cause(
    "connection.wrong-path",
    "fail",
    "The address is not that of a realtime speech-to-text endpoint.",
    "Connect to wss://api.cartesia.ai/stt/turns/websocket (turns) or /stt/websocket (manual).",
)


@immutable
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


def judge_key(facts: Facts) -> Iterator[Finding]:
    """Whether the key stands where the service looks for it, and was accepted."""
    where = facts.address
    if where is not None and not is_unset(where.first("api_key") or ""):
        yield KEY_IN_URL.find("warn", 0.99, "The API key is in the URL (api_key).")
    refusal = get_refusal(facts, "key")
    fault = None if facts.is_accepted else _find_two_keys(facts, where) or _find_key_fault(facts, where)
    if refusal is not None:
        if not has_worked_before(facts, refusal):
            yield _tell_refused_key(facts, refusal, fault)
    elif fault is not None:
        yield BAD_AUTH.find("fail", 0.9, f"{_capitalize(fault[0])}.", fix=fault[1])


def _find_two_keys(facts: Facts, where: Address | None) -> tuple[str, str] | None:
    """That several credentials go out at once, where the service refused that."""
    refusal = facts.refusal
    if refusal is None or facts.session is None or not _ONE_ONLY.search(refusal.words):
        return None
    headers = facts.session.headers
    given = [name for name in ("authorization", "x-api-key") if headers.get(name)]
    given += ["sec-websocket-protocol"] if _KEY_PROTOCOL.search(headers.get("sec-websocket-protocol", "")) else []
    given += [name for name in ("access_token", "api_key") if where is not None and where.first(name)]
    return (f"two credentials are sent at once ({' and '.join(given[:3])})", _ONE_KEY) if len(given) > 1 else None


def _tell_refused_key(facts: Facts, refusal: Refusal, fault: tuple[str, str] | None) -> Finding:
    place = place_of(refusal)
    if _NOT_YET.search(refusal.words):
        return BAD_AUTH.find("fail", 0.95, f"The token is not valid yet ({quote(refusal)}).", place, _SET_CLOCK)
    if fault is not None and fault[1] is _ONE_KEY:
        return BAD_AUTH.find(
            "fail", 0.97, f"{_capitalize(fault[0])}; the service refused it ({quote(refusal)}).", place, _ONE_KEY
        )
    summary = f"The key was not accepted ({quote(refusal)})"
    if fault is not None:
        return BAD_AUTH.find("fail", 0.97, f"{summary}: {fault[0]}.", place, fault[1])
    origin = facts.session.headers.get("origin", "") if facts.session is not None else ""
    if refusal.status == 403 and origin and not refusal.words:
        fix = f"{_KEY_PLACES} If the same key works from elsewhere, the page's origin ({origin[:80]}) may be what "
        fix += "is refused: connect from your server, or from a page whose origin is allowed."
        return BAD_AUTH.find("fail", 0.8, f"{summary}.", place, fix)
    return BAD_AUTH.find("fail", 0.97, f"{summary}.", place)


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
        text = (
            "the Authorization header holds a key without a scheme, as AssemblyAI expects it; here the scheme is Bearer"
        )
        return text, _KEY_PLACES
    elsewhere = _find_key_elsewhere(headers, where)
    if elsewhere is not None:
        return f"the key is in {elsewhere}, where the service does not look", _KEY_PLACES
    if is_doubtful and not any(given.values()):
        return None
    if given:
        place, value = max(given.items(), key=lambda item: bool(item[1]))
        text = f"{value[:40]!r} is where the key should be, in {place}" if value else f"no key follows {place}"
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


def judge_path(facts: Facts) -> Iterator[Finding]:
    """Whether the address is that of an endpoint."""
    where, refusal = facts.address, get_refusal(facts, "path")
    unencrypted = next((item.open for item in facts.connections if item.open and wants_tls(item.open)), None)
    if unencrypted is not None:
        summary = f"The request went out unencrypted to a port that speaks TLS (HTTP status {unencrypted.status})."
        place = (Evidence("the handshake was refused here", unencrypted.line, unencrypted.t),)
        is_plain = where is None or where.scheme not in ("wss", "https")
        yield WRONG_PATH.find("fail", 0.97, summary, place, _ENCRYPT if is_plain else _ENCRYPT_BEHIND)
        return
    fault = _find_path_fault(where) if where is not None and not _is_right_place(facts, where) else None
    fix = f"{_SOCKET_IO} {WRONG_PATH.fix}" if where is not None and _is_socket_io(where) else None
    if refusal is not None:
        fault = fault or _find_slashes(facts)
        summary = f"The server knows no such path ({quote(refusal)})" + (f": {fault}." if fault else ".")
        yield WRONG_PATH.find("fail", 0.97, summary, place_of(refusal), fix)
    elif fault is not None:
        yield WRONG_PATH.find("fail", 0.95, f"{_capitalize(fault)}.", fix=fix)


def _is_right_place(facts: Facts, where: Address) -> bool:
    """Whether the service answers there, or a host of which nothing is known accepted the handshake."""
    if match_events(frame for connection in facts.connections for frame in connection.received) is not None:
        return True
    return facts.is_accepted and not where.host.endswith("cartesia.ai") and _find_vendor(where) is None


def _is_socket_io(where: Address) -> bool:
    return where.path.endswith("/socket.io") or (
        where.first("EIO") is not None and where.first("transport") is not None
    )


def _find_vendor(where: Address) -> str | None:
    return next((name for path, name in FOREIGN_PATHS.items() if where.path.endswith(path)), None)


def _find_slashes(facts: Facts) -> str | None:
    """A slash too many in the path, as of a base address and a path that were joined."""
    url = facts.session.url if facts.session is not None else None
    path = (url or "").partition("?")[0].partition("://")[2].partition("/")[2]
    if path.startswith("/") or "//" in path:
        return "the path has two slashes in a row; leave out the one at the end of the base address"
    return "the path has a slash at its end" if path.endswith("/") else None


def _find_path_fault(where: Address) -> str | None:
    if where.host and where.path and match_path(where.path) is None:
        vendor = _find_vendor(where)
        return f"the path is {where.path[:100]!r}" + (f", which is {vendor}'s" if vendor else "")
    if where.scheme in ("ws", "http") and where.host.endswith("cartesia.ai"):
        return f"the scheme is {where.scheme}://, which is not encrypted; use wss://"
    return None


def judge_parameters(facts: Facts) -> Iterator[Finding]:
    """What is wrong with the parameters of the URL, as one finding."""
    where, refusal = facts.address, get_refusal(facts, "parameter")
    problems: list[_Problem] = []
    if where is not None and facts.endpoint is not None and not any(is_mask(name) for name, _ in where.query):
        problems = [
            *_find_torn(where),
            *_find_missing(facts, where),
            *_find_wrong_values(facts, where),
            *_find_foreign(facts.endpoint, where),
        ]
    if where is not None and refusal is not None and _is_query_lost(where, refusal, problems):
        yield _tell_lost_query(where, refusal)
        return
    if facts.is_accepted and refusal is None:
        problems = [replace(item, status=item.accepted) for item in problems if item.accepted is not None]
    if problems or (refusal is not None and refusal.named):
        yield tell_parameters(problems, refusal)


def _is_query_lost(where: Address, refusal: Refusal, problems: list[_Problem]) -> bool:
    """Whether the service misses what the address has, and nothing is wrong with it there."""
    named = [key for key in _find_named(refusal.words) if key in (*REQUIRED, "version")]
    given = [where.first("cartesia_version" if key == "version" else key) for key in named]
    wrong = {problem.parameter for problem in problems}
    is_missed = refusal.how == "handshake" and _MISSED.search(refusal.words) is not None
    return is_missed and bool(named) and all(given) and wrong.isdisjoint(named)


def _tell_lost_query(where: Address, refusal: Refusal) -> Finding:
    names = [name for name, _ in where.query if name in (*REQUIRED, "cartesia_version")]
    summary = (
        f"The service misses what the address has ({join_list(names)}): {quote(refusal)}. Something between client and "
        "service passes the path on and drops the query."
    )
    return INTERMEDIARY.find("fail", 0.85, summary, place_of(refusal), _KEEP_QUERY)


def tell_parameters(problems: list[_Problem], refusal: Refusal | None = None) -> Finding:
    """All problems as one finding; what the service named comes first, then what is worst."""
    named = _find_named(refusal.words) if refusal is not None else []
    problems = sorted(problems, key=lambda item: (item.parameter not in named, item.status != "fail"))
    told = "".join(problem.text for problem in problems[:1])
    told += f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if refusal is None:
        summary = told
    elif not problems or (named and problems[0].parameter not in named):
        summary = f"the service refused a parameter ({quote(refusal)})" + (f"; besides, {told}" if told else "")
    else:
        summary = f"{told}; the service refused it ({quote(refusal)})"
    is_named = refusal is not None and refusal.named
    status: Status = "fail" if is_named or any(problem.status == "fail" for problem in problems) else "warn"
    evidence = [Evidence(problem.text) for problem in problems[:_SHOWN]] if len(problems) > 1 else []
    evidence += place_of(refusal) if refusal is not None else ()
    fix = " ".join(dict.fromkeys(f"{problem.fix}." for problem in problems[:3])) or None
    confidence = 0.97 if is_named else 0.95 if status == "fail" else 0.7
    return BAD_PARAMETER.find(status, confidence, f"{_capitalize(summary)}.", tuple(evidence), fix)


def _find_named(words: str) -> list[str]:
    """The parameters that a refusal names."""
    plain = words.lower().replace("_", " ").replace("-", " ")
    return [key for key in (*REQUIRED, "version", "keyterm", *TURN_OPTIONS) if key.replace("_", " ") in plain]


def _capitalize(text: str) -> str:
    """Begin a sentence; a name at its beginning stays as it is written."""
    return text if "=" in text.split(" ")[0] or "_" in text.split(" ")[0] else text[:1].upper() + text[1:]


_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_ENCODE_VALUES = (
    "Encode each value once, and the signs = and & between them not at all: urllib.parse.urlencode(PARAMETERS) or new "
    "URLSearchParams(PARAMETERS), without quote() or encodeURIComponent() around what comes out"
)


def _find_torn(where: Address) -> Iterator[_Problem]:
    """An address whose parameters do not part where they should: a second question mark, or HTML's way to write &."""
    for name, value in where.query:
        swallowed = next((key for key in (*REQUIRED, "cartesia_version") if f"?{key}=" in value), None)
        if swallowed is not None:
            text = f"a second question mark stands before {swallowed}, so that it is a part of the value of {name[:40]}"
            yield _Problem(name, text, f"Join parameters by &: write &{swallowed}= for ?{swallowed}=", None)
        packed = next((key for key in (*REQUIRED, "cartesia_version") if f"{key}=" in name), None)
        if packed is not None:
            text = f"the query is percent-encoded as a whole, so that it is one name ({name[:40]!r}) without a value"
            yield _Problem(packed, text, _ENCODE_VALUES, None)
        if name.startswith("amp;"):
            text = f"the address has &amp; where & belongs, so that {name[4:40]} is not read"
            yield _Problem(name[4:], text, "Write & alone: &amp; is for HTML only", None)


def _find_missing(facts: Facts, where: Address) -> Iterator[_Problem]:
    swallowed = [f"?{part}" for pair in where.query for part in pair]
    lacking = [
        key
        for key in REQUIRED
        if not where.first(key) and not any(f"{sign}{key}=" in part for sign in "?&" for part in swallowed)
    ]
    is_cut = len(where.query) == 1 and len(lacking) > 1
    for key in lacking:
        fix = f"Add {key}={_EXAMPLES[key]}" + (f". {_QUOTED}" if is_cut and key == lacking[-1] else "")
        yield _Problem(key, f"the required parameter {key} is missing", fix, None)
    session = facts.session
    versioned = where.first("cartesia_version") or (session is not None and "cartesia-version" in session.headers)
    if session is not None and session.headers and not versioned:
        text = "no API version is given (header Cartesia-Version or parameter cartesia_version)"
        yield _Problem("version", text, "Add cartesia_version=2026-03-01", None)


def find_wrong_encoding(facts: Facts) -> Iterator[_Problem]:
    """A declared encoding that the service does not take."""
    encoding = facts.declared.encoding
    if encoding and encoding not in SUPPORTED:
        said, fix = _tell_right_encoding(encoding)
        yield _Problem(
            "encoding", f"encoding={encoding[:40]} is not one of the service's six encodings; {said}", fix, "fail"
        )


def _tell_right_encoding(name: str) -> tuple[str, str]:
    meant = meant_by(name)
    if meant is not None:
        return f"here it is called {meant}", f"Write encoding={meant}"
    if name.strip().lower() in UNSUPPORTED_CODECS:
        text = "the service takes bare samples only: decode before sending, as pcm_s16le"
        return text, "Decode to 16-bit samples before sending and write encoding=pcm_s16le"
    return "use " + ", ".join(SUPPORTED), "Write the encoding of the samples that you send"


def _find_wrong_values(facts: Facts, where: Address) -> Iterator[_Problem]:
    yield from find_wrong_encoding(facts)
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
    twice = next((term for term in where.values("keyterm") if _ENCODED.search(term)), None)
    if twice is not None and not wrong_terms:
        problem = f"a keyterm is percent-encoded twice: it arrives as {twice[:40]!r}"
        yield _Problem("keyterm", problem, _ENCODE_VALUES, "warn", "warn")
    said = {name: text for name in TURN_OPTIONS if (text := where.first(name)) is not None and not is_mask(text)}
    for problem, fix in turn_option_problems(said):
        yield _Problem(problem.partition("=")[0], problem, fix, "fail")


def _belongs_to_manual(endpoint: Endpoint | None, model: str) -> bool:
    return endpoint is AUTO and not AUTO.models.fullmatch(model) and MANUAL.models.fullmatch(model) is not None


def _find_foreign(endpoint: Endpoint, where: Address) -> Iterator[_Problem]:
    """Names that the endpoint does not document; it is not known to refuse any, so they have no effect at worst."""
    known, others = endpoint.parameters, {key for other in ENDPOINTS for key in other.parameters}
    names = dict.fromkeys(name for name, _ in where.query if name not in known and "=" not in name)
    for key in islice(names, _JUDGED):
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

"""Did you connect with the right parameters?

Needs the URL; for the key and the version also the headers of the handshake, for a refusal its answer, for a
reconnect the rows of both connections. Bare audio has none of these: there a declared encoding is judged by its name.
What the service does not document (its reaction to unknown keys) is a warning at most.
"""

from collections.abc import Iterator

from sttdoctor import missing
from sttdoctor.analysis.endpoint import Address, of_path
from sttdoctor.analysis.reconnects import Reconnect, reconnects
from sttdoctor.case import Case
from sttdoctor.checks.base import Answer, Cause, Check, Evidence, Finding, Status, answer, unknown, worst
from sttdoctor.encodings import SUPPORTED, meant_by
from sttdoctor.evidence import Open
from sttdoctor.protocol import (
    AUTO,
    FOREIGN_PARAMETERS,
    FOREIGN_PATHS,
    INSTEAD_OF_PARAMETERS,
    MANUAL,
    PARAMETERS,
    REQUIRED,
    TURN_OPTIONS,
    UNSUPPORTED_CODECS,
    is_rate,
    keyterm_problem,
    turn_option_problems,
)

Problem = tuple[Status, str]


def _arises(case: Case) -> bool:
    """Of bare audio only a name that the service does not take is asked about."""
    return case.session is not None or case.declared.encoding not in (None, *SUPPORTED)


def _judge(case: Case) -> Answer:
    if case.session is None:
        found = _bad_parameters(list(_encoding(case)))
        return answer(worst(found).summary, found, {})
    where, opened = case.address, _refused(case) or _opened(case)
    if where is None and opened is None:
        return unknown(missing.URL)
    findings: list[Finding] = []
    if where is not None:
        findings += _path(where)
        findings += _parameters(case, where)
        findings += _key(case, where)
    findings += _refusal(opened)
    findings += [_reconnected(case, item) for item in reconnects(case.connections, case.declared.bytes_per_s)]
    findings = _one_each(findings)
    if findings:
        return answer(worst(findings).summary, findings, {})
    if where is None:
        return unknown(missing.NO_URL)
    return answer("The address and its parameters are right.", [], {"endpoint": case.endpoint})


def _one_each(findings: list[Finding]) -> list[Finding]:
    """Keep the worst finding of each cause."""
    kept: dict[str, Finding] = {}
    for finding in findings:
        known = kept.get(finding.cause)
        if known is None or worst([known, finding]) is not known:
            kept[finding.cause] = finding
    return list(kept.values())


def _opened(case: Case) -> Open | None:
    return next((connection.open for connection in case.connections if connection.open), None)


def _refused(case: Case) -> Open | None:
    opens = [connection.open for connection in case.connections if connection.open]
    return next((opened for opened in opens if opened.status not in (None, 101)), None)


def _path(where: Address) -> Iterator[Finding]:
    if where.path and of_path(where.path) is None:
        vendor = next((name for path, name in FOREIGN_PATHS.items() if where.path.endswith(path)), None)
        theirs = f", which is {vendor}'s" if vendor else ""
        yield CHECK.finding("wrong-path", "fail", 0.95, f"The path is {where.path[:100]!r}{theirs}.")
    elif where.scheme in ("ws", "http") and where.host.endswith("cartesia.ai"):
        yield CHECK.finding(
            "wrong-path", "fail", 0.9, f"The scheme is {where.scheme}://, which is not encrypted; use wss://."
        )


def _parameters(case: Case, where: Address) -> list[Finding]:
    if case.endpoint is None:
        return []
    return _bad_parameters([*_missing(case, where), *_values(case, where), *_foreign(case.endpoint, where)])


def _bad_parameters(problems: list[Problem]) -> list[Finding]:
    """All problems as one finding."""
    if not problems:
        return []
    status: Status = "fail" if any(found == "fail" for found, _ in problems) else "warn"
    first = [text for found, text in problems if found == status]
    evidence = tuple(Evidence(text) for _, text in problems) if len(problems) > 1 else ()
    summary = first[0] + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "") + "."
    return [CHECK.finding("bad-parameter", status, 0.95 if status == "fail" else 0.7, summary, evidence)]


def _missing(case: Case, where: Address) -> Iterator[Problem]:
    for key in REQUIRED:
        if not where.first(key):
            yield "fail", f"the required parameter {key} is missing"
    session = case.session
    versioned = where.first("cartesia_version") or (session is not None and "cartesia-version" in session.headers)
    if session is not None and session.headers and not versioned:
        yield _as_refused(case), "no API version is given (header Cartesia-Version or parameter cartesia_version)"


def _as_refused(case: Case) -> Status:
    """What an accepted handshake proves harmless is a warning."""
    opened = _opened(case)
    return "warn" if opened is not None and opened.status == 101 else "fail"


def _encoding(case: Case) -> Iterator[Problem]:
    encoding = case.declared.encoding
    if encoding and encoding not in SUPPORTED:
        yield "fail", f"encoding={encoding[:40]} is not one of the six; {_right_encoding(encoding)}"


def _values(case: Case, where: Address) -> Iterator[Problem]:
    yield from _encoding(case)
    rate = where.first("sample_rate")
    if rate and not is_rate(rate):
        yield "fail", f"sample_rate={rate[:40]} is not a number of Hz"
    model = where.first("model")
    if model and case.endpoint == AUTO and model.startswith("ink-whisper"):
        yield "fail", f"model={model[:40]} belongs to the manual and batch endpoints; this one takes ink-2"
    wrong_terms = keyterm_problem(where.values("keyterm"))
    if wrong_terms:
        yield "fail", wrong_terms
    said = {name: text for name in TURN_OPTIONS if (text := where.first(name)) is not None}
    yield from (("fail", problem) for problem in turn_option_problems(said))


def _right_encoding(name: str) -> str:
    meant = meant_by(name)
    if meant is not None:
        return f"here it is called {meant}"
    if name.strip().lower() in UNSUPPORTED_CODECS:
        return "the service takes bare samples only: decode before sending, as pcm_s16le"
    return "use " + ", ".join(SUPPORTED)


def _foreign(endpoint: str, where: Address) -> Iterator[Problem]:
    for key in dict.fromkeys(name for name, _ in where.query):
        if key in PARAMETERS[endpoint]:
            continue
        vendor, instead = FOREIGN_PARAMETERS.get(key), INSTEAD_OF_PARAMETERS.get(key)
        if vendor or instead:
            whose = f" comes from {vendor}" if vendor else " is not known here"
            yield (
                "fail",
                f"the parameter {key}{whose}" + (f"; instead use {instead}" if instead else " and has no effect"),
            )
        elif endpoint == AUTO and key in PARAMETERS[MANUAL]:
            yield "warn", f"the parameter {key} belongs to the manual endpoint"
        else:
            yield "warn", f"the parameter {key[:40]!r} is not documented"


def _key(case: Case, where: Address) -> Iterator[Finding]:
    if where.first("api_key") is not None:
        yield CHECK.finding("key-in-url", "warn", 0.99, "The API key is a part of the URL (api_key).")
    session = case.session
    if session is None or not session.headers:
        return
    scheme = session.headers.get("authorization", "").split(" ")[0].lower()
    has_key = "x-api-key" in session.headers or where.first("api_key") or where.first("access_token")
    status = _as_refused(case)
    if scheme and scheme != "bearer" and not has_key:
        vendor = {"token": " (Deepgram's)", "redacted": " (no scheme, as AssemblyAI has it)"}.get(scheme, "")
        yield CHECK.finding(
            "bad-auth", status, 0.9, f"The Authorization header has the scheme {scheme[:20]!r}{vendor}, not Bearer."
        )
    elif "xi-api-key" in session.headers and not (scheme or has_key):
        yield CHECK.finding(
            "bad-auth", status, 0.9, "The key is in ElevenLabs' header xi-api-key; here it is X-API-Key."
        )
    elif not (scheme or has_key) and status == "fail":
        yield CHECK.finding(
            "bad-auth", status, 0.8, "The handshake carries no key (X-API-Key, or Authorization: Bearer)."
        )


def _refusal(opened: Open | None) -> Iterator[Finding]:
    if opened is None or opened.status in (None, 101):
        return
    body = f": {' '.join((opened.body or '').split())[:200]!r}" if opened.body else ""
    place = (Evidence("the handshake was refused here", opened.line, opened.t),)
    summary = f"The handshake was refused with HTTP status {opened.status}{body}."
    yield CHECK.finding("rejected", "fail", 0.97, summary, place)
    if opened.status in (401, 403):
        yield CHECK.finding("bad-auth", "fail", 0.95, f"The key was not accepted (HTTP status {opened.status}).", place)
    elif opened.status == 404:
        yield CHECK.finding("wrong-path", "fail", 0.9, "The server knows no such path (HTTP status 404).", place)


def _reconnected(case: Case, reconnect: Reconnect) -> Finding:
    losses = []
    if reconnect.turn_open:
        losses.append("a turn was open and its text is gone")
    if reconnect.audio_missing_s > case.limits["connection.gap_s"]:
        losses.append(f"{reconnect.audio_missing_s:.1f} s passed without audio")
    if reconnect.sent_again_s > case.limits["connection.gap_s"]:
        losses.append(f"{reconnect.sent_again_s:.1f} s of audio were sent again")
    status: Status = "fail" if losses else "warn"
    detail = "; ".join(losses) if losses else "nothing seems to be lost"
    place = (Evidence("the second handshake", reconnect.line, reconnect.t),)
    return CHECK.finding("reconnected", status, 0.9, f"The client connected again in mid-session: {detail}.", place)


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
    "recognised. A second handshake is judged by what was lost between the connections.",
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
            "On a server send X-API-Key: KEY or Authorization: Bearer KEY; in a browser use a short-lived access_token "
            "with the stt grant in the URL.",
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
    ),
    docs="https://docs.cartesia.ai/api-reference/stt/turns/websocket",
    judge=_judge,
    arises=_arises,
    of_handshake=True,
)

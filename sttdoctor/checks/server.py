"""Did the server report an error?

Needs the received events, the close, and for silence of the server the audio with its times. What the client did
before an error is often its cause; then the diagnosis names that first.
"""

import re
from collections.abc import Iterator

import numpy as np

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.answerer import find_answerer
from sttdoctor.analysis.session.endings import find_ending
from sttdoctor.analysis.session.latency import measure_spoken
from sttdoctor.analysis.session.refusal import extract_words, tell_words
from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.checks.base import (
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    end_sentence,
    pick_worst,
    unknown,
)
from sttdoctor.evidence import Frame

CHECK = Check(
    id="server",
    order=150,
    question="Did the server report an error?",
    kinds=("session",),
    needs="the received events, the close with its side and code, and the audio with its times",
    why="A server error ends the transcript. Many are caused by what the client did just before: a burst, a wrong "
    "parameter, too many streams.",
    how="Error events, refused handshakes and close codes are read as documented. Five seconds of sent speech without "
    "any event, or five seconds after the close command, count as silence of the server.",
    causes=(
        Cause(
            "server.error-event",
            "fail",
            "The server sent an error event.",
            "Try again with a new connection; if the error persists, send the request_id and this report to the "
            "vendor.",
        ),
        Cause(
            "server.closed-abnormally",
            "fail",
            "The server closed the connection mid-session.",
            "Reconnect; if it happens again, send the request_id and this report to the vendor's support.",
        ),
        Cause(
            "server.concurrency",
            "fail",
            "More streams are open at once than the plan allows.",
            "Close connections when they are done, limit how many are open, or ask for a larger plan.",
        ),
        Cause(
            "server.quota",
            "fail",
            "Credits, plan or rate limit are used up.",
            "Check the account's usage and plan: top up or raise the limit, then reconnect. For a rate limit, retry "
            "with pauses that double; retrying at once only makes it worse.",
        ),
        Cause(
            "server.session-limit",
            "fail",
            "The service ended the session: a longest duration, a restart, a deploy, or overload.",
            "Reconnect at once, and if that fails after 1, 2, 4 s and so on; keep the text of finished turns, show the "
            "open turn as unfinished, and send its audio again (keep it until its turn ends). For calls longer than "
            "the limit, open the next connection during a pause, before the limit is reached. With code 1001 or 1012 "
            "it may also be a load balancer or proxy that restarts.",
        ),
        Cause(
            "server.stopped-answering",
            "fail",
            "The server sent no event although speech was sent, or after the close command.",
            "If this report finds anything else, mend that first. Otherwise try again; if the server falls silent "
            "again, send the request_id and this report to the vendor.",
        ),
    ),
    docs="https://docs.cartesia.ai/use-the-api/api-errors",
    judge=lambda facts: _judge(facts),
)

_WORD_S = 1.0  # less sound holds no words that the service would answer
_NO_SPEECH = re.compile(r"\b(?:no|without|empty) (?:speech|audio)|audio (?:is|was) empty|too short", re.IGNORECASE)

_UNPACED = (
    "Check first that audio is sent as it is spoken, in chunks of about 100 ms: too much at once is a usual cause of "
    "such errors, and this capture cannot show that (record both directions with their times). If the pace is right, "
    "try again with a new connection; if the error persists, send the request_id and this report to the vendor."
)
_UNASKED = (
    "Treat a close that you did not ask for as an error, even with code 1000: the SDK ends silently. Reconnect, and "
    "show the open turn as unfinished. Some proxies close with 1000 when the server behind them crashed: look there "
    "too."
)
_SPOKEN = (
    "Correct what the reason names before you reconnect. If it names nothing of yours, send the request_id and this "
    "report to the vendor's support."
)
_FAILED = (
    "Reconnect, and show the open turn as unfinished: the server failed. Send the request_id and this report to the "
    "vendor's support if it happens again. Too much audio at once is a usual cause: pace it as it was spoken."
)
_CORRECT = (
    "Correct what the message names, and do not send the same again. If it names nothing of yours, check the last "
    "message before it, and send the request_id and this report to the vendor's support."
)


def _judge(facts: Facts) -> Answer:
    session = facts.session
    if session is None or "receive" in session.lacks:
        return unknown(missing.EVENTS)
    findings: list[Finding] = []
    for number, connection in enumerate(facts.connections):
        if number >= facts.overcome:
            findings += _find_refused(connection)
        if not _is_empty(facts, number, connection):
            findings += _find_errors(facts, connection)
            findings += _find_closed(facts, number, connection)
        findings += _find_stopped(facts, number, connection)
    findings = list({finding.cause: finding for finding in reversed(findings)}.values())[::-1]
    if findings:
        return answer(pick_worst(findings).summary, findings, {})
    if "events" in session.lacks:
        return unknown(missing.KINDS)
    return answer("The server reported no error and answered to the end.", [], {})


def _find_refused(connection: Connection) -> Iterator[Finding]:
    opened = connection.open
    if opened is None or opened.status in (None, 101) or find_answerer(opened).who == "between":
        return
    words = " ".join(extract_words(opened.body or "").split())[:200]
    about, place = tell_words(words), (Evidence("refused here", opened.line, opened.t),)
    said = f"The handshake was refused with HTTP status {opened.status}"
    if about == "quota" or (opened.status == 402 and about is None):
        yield CHECK.find("quota", "fail", 0.95, f"{said}: {words!r}." if words else f"{said}.", place)
    elif about == "session":
        yield CHECK.find("session-limit", "fail", 0.9, f"{said}: {words!r}.", place)
    elif opened.status == 429 or about == "streams":
        summary = f"{said}: too many streams at once for the plan."
        yield CHECK.find("concurrency", "fail", 0.95, summary, place)


def _is_empty(facts: Facts, number: int, connection: Connection) -> bool:
    """Whether the close command ended a session in which nothing was said: the service answers it with 400 or 500.

    So a button that was pressed for a moment, or without a word, ends in an error event that means no fault (seen of
    the service by the vendor's own client, https://github.com/cartesia-ai/InkIt).
    """
    ends = [frame for frame in connection.texts if is_close_command(frame, facts.endpoint) or _is_error(frame)]
    unseen = facts.session is not None and bool(facts.session.lacks & {"send", "commands"})
    unseen = unseen or not any(frame.sent for frame in connection.frames)
    if connection.turns or not ends or not (ends[0].sent or unseen):
        return False
    error = next((frame for frame in ends[:2] if _is_error(frame)), None)
    if error is None or error.message.get("status_code") not in (400, 500):
        return False
    if _NO_SPEECH.search(" ".join(_get_words(error))):
        return True
    return ends[0].sent and _count_speech_s(facts, number, connection) < _WORD_S


def _is_error(frame: Frame) -> bool:
    return not frame.sent and frame.type == "error"


def _get_words(error: Frame) -> tuple[str, str]:
    title, message = (_quote_plainly(error.message.get(key)) for key in ("title", "message"))
    return title, message


def _quote_plainly(value: object) -> str:
    """Return what an event says under a key, on one line; nothing where that is no text and no number."""
    is_word = isinstance(value, str | int | float) and not isinstance(value, bool)
    return " ".join(str(value).split())[:200] if is_word else ""


def _count_speech_s(facts: Facts, number: int, connection: Connection) -> float:
    """Seconds of speech that were sent, of any sound where that is not known, of audio where it cannot be read."""
    if facts.audio is not None and facts.sound.layout is not None:
        rate = facts.sound.rate
        if rate is not None and rate.speech_s < _WORD_S:
            return rate.speech_s  # of all connections
        return sum(end - start for start, end in facts.active_spans(number))
    size = sum(frame.size for frame in connection.audio_frames)
    return size / facts.declared.bytes_per_s if size and facts.declared.bytes_per_s else float(size)


_PRINT_IT = "Print the whole error event (message, status, request_id), then run it again."


def _find_errors(facts: Facts, connection: Connection) -> Iterator[Finding]:
    for frame in filter(_is_error, connection.texts):
        status, code = frame.message.get("status_code"), frame.message.get("error_code")
        title, message = _get_words(frame)
        place = (Evidence("the error event", frame.line, frame.t),)
        about = tell_words(f"{title} {message} {code or ''}")
        if about == "expired":
            continue  # told by the check of the connection
        if about == "quota" or (status == 402 and about is None):
            said = title or message or f"status {status}"
            yield CHECK.find("quota", "fail", 0.95, end_sentence(f"The service reported: {said}"), place)
            continue
        if about == "session" and status != 500:
            said = message or title
            yield CHECK.find("session-limit", "fail", 0.9, end_sentence(f"The service reported: {said}"), place)
            continue
        if status == 429 or code == "concurrency_limited" or about == "streams":
            summary = end_sentence(f"Too many streams at once: {title or message}")
            yield CHECK.find("concurrency", "fail", 0.97, summary, place)
            continue
        details = ", ".join(filter(None, (_quote_plainly(status), _quote_plainly(code))))
        words = ": ".join(text for text in (title, message) if text)
        reported = f"The server reported an error{f' ({details})' if details else ''}"
        summary = end_sentence(
            f"{reported}: {words}" if words else f"{reported}; the capture does not show its message"
        )
        fix = _fix(facts, status) or (None if words or details else _PRINT_IT)
        yield CHECK.find("error-event", "fail", 0.97, summary, place, fix)


def _fix(facts: Facts, status: object) -> str | None:
    if not isinstance(status, int):
        return None
    if 400 <= status < 500:
        return _CORRECT
    return _UNPACED if facts.why_no_timeline is not None else None


def _find_closed(facts: Facts, number: int, connection: Connection) -> Iterator[Finding]:
    ending, close = find_ending(connection), connection.close
    if ending is None or close is None:
        return
    commanded, turn_open = facts.has_close_command(connection), facts.is_turn_open(connection)
    if ending.code == 1000 and (close.by == "unknown" or commanded or not turn_open):
        return
    if ending.code == 1001 and _was_idle(facts, connection):
        return
    if ending.about in ("expired", "wire", "between"):
        return  # told by the checks that ask about the connection and the messages
    if ending.about == "session" and number in facts.survived:
        return  # what the service plans, and what the client is made for
    meaning = f" ({ending.meaning})" if ending.meaning else ""
    reason = f", reason {ending.reason.strip()[:100]!r}" if ending.reason.strip() else ""
    after = f" after {_put_in_words(ending.t)}" if ending.about == "session" and ending.t else ""
    where = " while a turn was open" if turn_open else ""
    summary = f"The server closed with code {ending.code}{meaning}{reason}{after}{where}."
    place = (Evidence("closed here", ending.line, ending.t),)
    status: Status = "fail" if turn_open or ending.code not in (1001, 1012) else "warn"
    if ending.about in ("unknown", "key"):
        failed = ending.code == 1011 and (not ending.reason or "internal" in ending.reason.lower())
        fix = _UNASKED if ending.code == 1000 else _FAILED if failed else _SPOKEN if ending.reason else None
        yield CHECK.find("closed-abnormally", status, 0.95, summary, place, fix)
    else:
        what = {"session": "session-limit", "quota": "quota", "streams": "concurrency"}[ending.about]
        yield CHECK.find(what, status if what == "session-limit" else "fail", 0.95, summary, place)


def _put_in_words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} minutes"


def _was_idle(facts: Facts, connection: Connection) -> bool:
    is_seen = facts.session is None or "send" not in facts.session.lacks
    passed = connection.audio_frames if is_seen else connection.received  # which comes while audio is sent
    times = [frame.t for frame in passed if frame.t is not None]
    end = connection.close.t if connection.close else None
    return bool(times) and end is not None and end - times[-1] >= 0.9 * facts.limits["continuity.idle_limit_s"]


def _find_stopped(facts: Facts, number: int, connection: Connection) -> Iterator[Finding]:
    limit = facts.limits["server.silence_s"]
    received = [frame for frame in connection.received if frame.t is not None]
    yield from _find_silent_after_close(facts, number, connection, received, limit)
    if not facts.ends_turns:
        return  # there nothing is promised before the client asks by finalize
    if facts.lacks_updates:
        return  # what came may not have been captured
    if facts.audio is None or not facts.timelines or not len(facts.timelines[number]):
        return
    timeline = facts.timelines[number]
    active = facts.active_spans(number)
    times = [frame.t for frame in received if frame.t is not None]
    start = connection.open.t if connection.open and connection.open.t is not None else float(timeline.t_s[0])
    end = float(timeline.t_s[-1])
    before, after = [start, *times], [*times, end]
    speech = measure_spoken(timeline, active, before, after)
    for i in map(int, np.flatnonzero(speech >= limit)):
        if _is_passed_over(received, i) or not facts.is_speech_between(number, before[i], after[i]):
            continue  # music, ringing and noise are sound that no service answers
        summary = f"No event came for {after[i] - before[i]:.1f} s, in which {speech[i]:.1f} s of speech were sent."
        yield CHECK.find(
            "stopped-answering", "fail", 0.8, summary, (Evidence("no event from the server after this", t=before[i]),)
        )
        return


def _is_passed_over(received: list[Frame], following: int) -> bool:
    """Whether no turn was open before an event, and with it a new one begins: the service heard no speech until then.

    Hold music sounds like speech to the estimate now and then; a service that stopped does not go on with a new turn.
    """
    if not 0 < following < len(received) or received[following].type != "turn.start":
        return False
    return received[following - 1].type in ("turn.end", "connected")


def _find_silent_after_close(
    facts: Facts, number: int, connection: Connection, received: list[Frame], limit: float
) -> Iterator[Finding]:
    """Words were waiting when the client said close, and nothing came; a socket that merely stays open loses none."""
    command = next((frame for frame in connection.texts if is_close_command(frame, facts.endpoint)), None)
    close = connection.close
    if command is None or command.t is None:
        return
    known_end = close.t if close is not None and close.t is not None else None
    if known_end is None or (close is not None and close.by == "server" and known_end - command.t < limit):
        return
    if facts.session is not None and "events" in facts.session.lacks:
        return  # what came may not have been printed
    turn_open = facts.is_turn_open(connection)
    if received and not turn_open and not facts.has_unanswered_speech(number, command.t):
        return
    last = max([command.t, *(frame.t for frame in received if frame.t is not None and frame.t > command.t)])
    if known_end - last >= limit:
        summary = f"After the close command nothing came for {known_end - last:.1f} s."
        place = (Evidence("the close command", command.line, command.t),)
        yield CHECK.find("stopped-answering", "fail", 0.85, summary, place)

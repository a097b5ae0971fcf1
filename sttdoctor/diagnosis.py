"""From findings to root causes: which cause explains which symptom, and what to fix first.

`RULES` is meant to be read: each line says that where the first cause is found, the others are what it produces and
not faults of their own.
"""

from collections.abc import Callable, Mapping, Sequence

from sttdoctor.analysis.facts import Facts
from sttdoctor.checks import all_causes
from sttdoctor.checks.base import SEVERITY, Finding, pick_worst
from sttdoctor.report import Diagnosis
from sttdoctor.values import immutable


def _applies_always(_case: Facts) -> bool:
    return True


def _pace_is_right_in_truth(facts: Facts) -> bool:
    """With the true format in place of the declared one the audio flows at realtime."""
    return facts.true_speed is not None and abs(facts.true_speed - 1) <= 0.1


def _header_is_at_odds(facts: Facts) -> bool:
    """The file header in front of the samples names another format than the client declared."""
    first = facts.sound.contents.first if facts.sound.contents is not None else None
    header = first.header if first is not None else None
    if header is None:
        return False
    said = (facts.declared.meant, facts.declared.sample_rate, 1)
    return (header.encoding, header.sample_rate, header.channels) != said


def _stand_headers_in_mid_stream(facts: Facts) -> bool:
    """File headers come again and again, each of which is heard as a click, and tell the declared rate."""
    contents = facts.sound.contents
    rates = {start.header.sample_rate for start in contents.starts if start.header is not None} if contents else set()
    return contents is not None and len(contents.starts) >= _MANY_HEADERS and rates == {facts.declared.sample_rate}


_MANY_HEADERS = 5


def _one_side_is_silent(facts: Facts) -> bool:
    return facts.sound.slot is not None


def _are_planes(facts: Facts) -> bool:
    return facts.sound.planes is not None


def _are_single_bits(facts: Facts) -> bool:
    disguise = facts.sound.disguise
    return disguise is not None and disguise.kind == "one bit"


def _chunks_are_right_in_truth(facts: Facts) -> bool:
    """With the true format in place of the declared one the frames have a usual length."""
    length_ms = facts.true_chunk_ms
    return length_ms is not None and facts.limits["chunking.min_ms"] <= length_ms <= facts.limits["chunking.warn_ms"]


def _is_refused_for(subject: str) -> Callable[[Facts], bool]:
    """The service refused the handshake, or the session at its beginning, for this."""
    return lambda facts: facts.refusal is not None and facts.refusal.about == subject


def _is_refused_for_something(facts: Facts) -> bool:
    """The service refused the handshake as a fault of the client, and not in so many words for anything."""
    refusal = facts.refusal
    return refusal is not None and 400 <= refusal.status < 500 and not refusal.named


def _is_redirected(facts: Facts) -> bool:
    return facts.refusal is not None and 300 <= facts.refusal.status < 400


def _was_never_heard(facts: Facts) -> bool:
    """No turn ever began."""
    return not facts.turns


def _was_accepted_and_never_heard(facts: Facts) -> bool:
    return facts.refusal is None and not facts.turns


def _has_ping_timed_out(*at_fault: str) -> Callable[[Facts], bool]:
    """A ping without an answer ended a connection, and one of these is at fault."""

    def holds(facts: Facts) -> bool:
        pings = map(facts.find_ping_timeout, facts.connections)
        return any(ping is not None and ping.who in at_fault for ping in pings)

    return holds


@immutable
class Rule:
    """`root` explains `symptoms`, because of `why`, where `when` holds."""

    root: str
    symptoms: tuple[str, ...]
    why: str
    when: Callable[[Facts], bool] = _applies_always


def _is_habit_of_cutting(facts: Facts) -> bool:
    """Three frames or more cut a sample: then that is the fault, and the shifts are what it makes."""
    return len(facts.cut_frames) >= 3


def _is_one_cut(facts: Facts) -> bool:
    return not _is_habit_of_cutting(facts)


def _was_close_binary(facts: Facts) -> bool:
    """A command that was to end the session, or the audio, went out in a binary frame."""
    sent = [command for connection in facts.connections for command in connection.commands]
    return any(command.frame.binary and command.means in ("close", "flush") for command in sent)


def _has_client_ended_each(facts: Facts) -> bool:
    """Every connection, the last one too, was closed by the client as one does that is done with it."""
    used = [connection for connection in facts.connections if connection.audio_frames]
    return len(used) > 1 and all(connection.was_left for connection in used)


def _was_command_refused(facts: Facts) -> bool:
    return bool(facts.refused_commands)


def _was_no_command_refused(facts: Facts) -> bool:
    return not facts.refused_commands


def _ends_by_unknown_word(facts: Facts) -> bool:
    return facts.ends_by_unknown_word


_REFUSED: Mapping[str, str] = {
    "key": "connection.bad-auth",
    "expired": "connection.expired",
    "between": "connection.intermediary",
    "quota": "server.quota",
    "session": "server.session-limit",
    "path": "connection.wrong-path",
    "parameter": "connection.bad-parameter",
    "streams": "server.concurrency",
}
_PACE = ("pacing.too-fast", "pacing.too-slow", "pacing.burst")
_CHUNKS = ("chunking.too-large", "chunking.too-small")
_LATE = ("latency.backlog", "latency.end-of-turn")
_SERVER = ("server.error-event", "server.closed-abnormally", "server.stopped-answering")
_LOST_TEXT = ("joining.turns-missing", "joining.partial-kept", "turns.left-open")
_NO_MORE_AUDIO = ("continuity.stopped", "continuity.capture-died")
_NOT_ENDED = ("drain.no-close", "drain.hung-up", *_NO_MORE_AUDIO, "server.stopped-answering", *_LOST_TEXT)
_GONE = ("continuity.idle-timeout", *_NOT_ENDED, "server.error-event", "server.closed-abnormally")
_WRONG_FORMAT = "seconds of audio are counted in the declared format, and that is wrong"
_NOT_HEARD = "the service hears nothing that it could answer"
_WORDS_LOST = "what is not received cannot be joined, and the turn stays open"
_OVERLOAD = "a large batch can overload the server's buffer"
_NO_AUDIO = "without audio a turn cannot end"

_FORMAT = (
    "encoding.mismatch",
    "encoding.unsupported",
    "encoding.byte-order",
    "encoding.scaled",
    "sample-rate.mismatch",
    "sample-rate.changed",
    "channels.interleaved",
)
_CUT = ("encoding.misaligned", "encoding.changed", "messages.partial-samples")
_SIGNAL = (
    "signal.silent",
    "signal.too-quiet",
    "signal.noise",
    "signal.clipped",
    "signal.wrapped",
    "signal.not-numbers",
    "signal.dc-offset",
    "signal.dropouts",
    "signal.discontinuities",
    "signal.false-silence",
    "signal.muted",
    "signal.echoed",
)
_NO_SAMPLES = (*_FORMAT, *_CUT, *_SIGNAL, "sample-rate.upsampled", *_PACE)

RULES = (
    Rule("container.text", _NO_SAMPLES, "the bytes are letters, not samples"),
    Rule("container.compressed", _NO_SAMPLES, "the bytes are compressed, not samples"),
    Rule(
        "container.wav-header",
        (*_CUT, "signal.discontinuities", "signal.dropouts"),
        "header bytes are played as samples, and shift what follows",
    ),
    Rule(
        "container.wav-header",
        ("sample-rate.mismatch",),
        "the headers name the declared rate, and each of them is heard as a click",
        _stand_headers_in_mid_stream,
    ),
    Rule("container.wav-header", _FORMAT, "the header names the format that the samples have", _header_is_at_odds),
    Rule("container.wav-header", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule(
        "encoding.swapped",
        ("sample-rate.mismatch", "signal.discontinuities"),
        "the order of the samples changes their sound",
    ),
    Rule("encoding.doubled", ("signal.discontinuities",), "each second step of the waveform is none"),
    Rule("container.compressed", ("frames.header", "server.stopped-answering", *_LATE, *_CHUNKS), "packets of a codec"),
    *(
        Rule(
            f"frames.{what}",
            (*_NO_SAMPLES, *_CHUNKS, *_LATE, "endpoint.batch-fits", "server.stopped-answering"),
            "what is no new audio looks like noise, clicks and another pace",
        )
        for what in ("header", "repeated", "two-streams", "out-of-order", "scaled")
    ),
    Rule(
        "frames.zero-filled",
        ("signal.dropouts", "signal.discontinuities", "signal.false-silence", *_PACE, *_LATE),
        "the zeros are the holes",
    ),
    Rule("frames.header", ("frames.out-of-order",), "first the samples alone, then in their order"),
    Rule("frames.empty", _CHUNKS, "frames without a byte are the short ones"),
    Rule("channels.interleaved", ("sample-rate.mismatch", *_PACE), _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule(
        "channels.interleaved",
        ("signal.discontinuities", "signal.dropouts", "signal.echoed", "sample-rate.changed", *_LATE),
        "what is said at one time comes again and again",
        _are_planes,
    ),
    Rule(
        "channels.interleaved",
        ("encoding.mismatch", "encoding.unsupported", "encoding.byte-order", "encoding.misaligned", "encoding.changed"),
        "with a silent channel the bytes look like wider samples",
        _one_side_is_silent,
    ),
    Rule("signal.silent", ("signal.false-silence", "signal.dc-offset"), "the constant that was sent is all there is"),
    Rule("signal.false-silence", ("signal.dc-offset", "signal.clipped"), "zero bytes are loud there"),
    Rule(
        "signal.not-numbers",
        ("signal.discontinuities", "signal.dropouts", "sample-rate.mismatch", "frames.scaled"),
        "what is no number is a hole or a click",
    ),
    Rule(
        "signal.wrapped",
        ("signal.clipped", "signal.discontinuities", "sample-rate.mismatch", "sample-rate.changed"),
        "what overflows jumps to the other end, and sounds like nothing that was said",
    ),
    *(
        Rule(cause, ("connection.rejected", *_SERVER), "the service refuses it", _is_refused_for(subject))
        for subject, cause in _REFUSED.items()
    ),
    *(
        Rule(cause, ("connection.rejected",), "the refusal does not say what it is about", _is_refused_for_something)
        for cause in ("connection.wrong-path", "connection.bad-auth", "connection.bad-parameter")
    ),
    Rule(
        "connection.intermediary",
        ("connection.rejected", *_NOT_ENDED, *_SERVER, "latency.end-of-turn"),
        "nothing reaches the service, or comes back",
    ),
    Rule(
        "connection.expired",
        ("connection.rejected", "connection.reconnected", "drain.connection-lost", *_NOT_ENDED, *_SERVER),
        "the service ends and refuses what an expired token opened",
    ),
    Rule(
        "connection.idle-cut",
        ("drain.connection-lost", "connection.reconnected", "continuity.muted", *_GONE),
        "what lies idle is cut by something in between",
    ),
    *(
        Rule(cause, ("connection.intermediary", "drain.connection-lost", *_NOT_ENDED, *_SERVER), "nothing was opened")
        for cause in ("connection.unanswered", "connection.subprotocol")
    ),
    Rule(
        "connection.dead",
        ("drain.connection-lost", "connection.reconnected", "continuity.muted", *_LATE, *_GONE),
        "nothing passes a dead connection",
    ),
    *(
        Rule(cause, ("drain.connection-lost", *_NOT_ENDED, *_SERVER), "the other side ended the session")
        for cause in ("server.quota", "server.session-limit", "messages.broken-frame")
    ),
    Rule(
        "connection.wrong-path",
        ("connection.rejected", "connection.intermediary"),
        "the answer leads elsewhere",
        _is_redirected,
    ),
    Rule(
        "connection.bad-parameter",
        ("connection.intermediary",),
        "a service that is asked for something else may say nothing",
        _was_accepted_and_never_heard,
    ),
    Rule("connection.bad-parameter", _SERVER, "the service heard nothing that it understood", _was_never_heard),
    Rule("connection.wrong-path", ("connection.bad-parameter", *_SERVER), "nobody answers there", _was_never_heard),
    Rule("server.concurrency", _SERVER, "the service refuses one more stream"),
    Rule(
        "endpoint.mixed-up",
        ("messages.unknown-command", *_NOT_ENDED, *_SERVER),
        "the command means nothing there",
    ),
    Rule("messages.command-as-binary", _NOT_ENDED, "the service takes the command for audio", _was_close_binary),
    Rule(
        "messages.unknown-command",
        (*_NOT_ENDED, "continuity.keepalive", *_SERVER),
        "the service answers a message that it does not know with an error, and says nothing more",
        _was_command_refused,
    ),
    Rule("messages.unknown-command", _NOT_ENDED, "the word does not end the session", _ends_by_unknown_word),
    Rule(
        "messages.audio-as-text",
        (
            "messages.unknown-command",
            "messages.too-big",
            *_PACE,
            "continuity.keepalive",
            "continuity.muted",
            *_NO_MORE_AUDIO,
            "continuity.nothing-sent",
            "continuity.idle-timeout",
            "turns.left-open",
            *_SERVER,
        ),
        _NOT_HEARD,
    ),
    Rule("messages.partial-samples", ("encoding.misaligned",), "each cut shifts the rest", _is_habit_of_cutting),
    Rule("encoding.changed", ("messages.partial-samples",), "whole samples of one encoding are parts of another's"),
    Rule("encoding.misaligned", ("messages.partial-samples",), "the cut is where the shift begins", _is_one_cut),
    Rule("encoding.mismatch", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule("encoding.unsupported", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule(
        "encoding.unsupported",
        ("sample-rate.mismatch", "sample-rate.changed", *_PACE, *_CHUNKS, "endpoint.batch-fits"),
        "bits are no samples, and as many as the clock of the microphone makes",
        _are_single_bits,
    ),
    *(
        Rule(f"encoding.{what}", ("server.stopped-answering", *_LATE), _NOT_HEARD)
        for what in ("mismatch", "unsupported", "byte-order", "misaligned", "changed", "scaled")
    ),
    Rule(
        "encoding.scaled",
        (*_SIGNAL, "sample-rate.mismatch", "sample-rate.changed", "channels.interleaved"),
        "what misses its scale is silent, off centre or noise",
    ),
    *(
        Rule(cause, ("sample-rate.mismatch", "sample-rate.changed", *_SIGNAL), "no single format fits the bytes")
        for cause in ("encoding.changed", "encoding.misaligned")
    ),
    Rule("encoding.changed", _PACE, "no single format fits the bytes"),
    Rule("sample-rate.changed", (*_PACE, *_LATE, "server.stopped-answering"), _WRONG_FORMAT),
    Rule("sample-rate.mismatch", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    *(
        Rule(cause, _CHUNKS, _WRONG_FORMAT, _chunks_are_right_in_truth)
        for cause in (
            "encoding.mismatch",
            "encoding.unsupported",
            "encoding.changed",
            "channels.interleaved",
            "sample-rate.mismatch",
            "sample-rate.changed",
        )
    ),
    Rule("sample-rate.mismatch", (*_LATE, "server.stopped-answering"), "the service hears speech at the wrong speed"),
    Rule("chunking.too-large", ("pacing.burst", "pacing.too-fast", *_LATE), "a long chunk arrives at once"),
    Rule("pacing.burst", (*_LATE, *_SERVER), _OVERLOAD),
    Rule("pacing.too-fast", (*_LATE, *_SERVER), _OVERLOAD),
    Rule("pacing.too-slow", _LATE, "the audio itself is late"),
    Rule("latency.backlog", ("latency.end-of-turn",), "the turn ends late because its audio came late"),
    Rule(
        "continuity.keepalive",
        ("messages.unknown-command", "messages.command-as-binary"),
        "messages came instead of audio",
        _was_no_command_refused,
    ),
    Rule(
        "continuity.keepalive",
        (
            "continuity.idle-timeout",
            "continuity.muted",
            *_NO_MORE_AUDIO,
            "drain.no-close",
            "turns.left-open",
            *_LATE,
        ),
        "messages came instead of audio",
    ),
    Rule(
        "continuity.idle-timeout",
        ("turns.left-open", "continuity.muted", "server.session-limit", *_SERVER),
        "the server closed the idle socket",
    ),
    Rule("continuity.muted", _LATE, _NO_AUDIO),
    *(
        Rule(cause, (*_LATE, "pacing.burst"), "the audio itself is late")
        for cause in ("continuity.stalled", "continuity.blocked")
    ),
    Rule(
        "continuity.blocked",
        ("continuity.stalled", "latency.slow-reader", "server.stopped-answering"),
        "a process that stands still neither sends nor reads",
    ),
    Rule("continuity.nothing-sent", ("drain.no-close", *_SERVER), "without audio there is nothing to answer"),
    Rule(
        "continuity.capture-died",
        ("drain.no-close", "drain.hung-up", "continuity.idle-timeout", "turns.left-open", *_LATE),
        "no audio comes any more, so the turn cannot end",
    ),
    Rule("continuity.stopped", ("drain.no-close", "turns.left-open", *_LATE), "the client waited instead of closing"),
    Rule(
        "drain.no-close",
        ("connection.reconnected", *_LOST_TEXT),
        "the client itself ends each connection so",
        _has_client_ended_each,
    ),
    Rule(
        "connection.reconnected",
        ("drain.connection-lost", "server.closed-abnormally", "server.session-limit", *_LOST_TEXT),
        "the end of the first connection is why there is a second, and there is no resume",
    ),
    Rule(
        "connection.reconnected",
        ("drain.no-close",),
        "the connection was given up, not ended",
        lambda facts: not _has_client_ended_each(facts),
    ),
    Rule("connection.reconnected", ("pacing.burst", *_LATE), "what was kept meanwhile is sent at once"),
    Rule(
        "connection.doubled",
        ("server.concurrency", "turns.mixed-connections", "joining.turns-repeated", "joining.unrelated"),
        "everything is sent, and comes back, twice",
    ),
    Rule("signal.too-quiet", _LATE, "the end of speech that is hardly heard is hard to find"),
    Rule(
        "turns.mixed-connections", ("turns.out-of-order", "turns.not-cumulative", "turns.left-open"), "two logs in one"
    ),
    Rule("messages.audio-after-close", ("turns.left-open", *_SERVER), "the service no longer takes audio"),
    Rule(
        "server.error-event",
        ("server.closed-abnormally", "drain.connection-lost", *_LOST_TEXT),
        "the error ends the session",
    ),
    Rule("server.closed-abnormally", ("drain.connection-lost", *_LOST_TEXT), "the server ended the session"),
    Rule("server.stopped-answering", ("drain.hung-up", "latency.end-of-turn", *_LOST_TEXT), "nothing came to read"),
    Rule(
        "latency.slow-reader",
        ("latency.end-of-turn", "latency.backlog", "server.stopped-answering"),
        "the events were there, but read late",
    ),
    Rule(
        "messages.too-big",
        ("server.closed-abnormally", "chunking.too-large", *_NOT_ENDED, *_LOST_TEXT),
        "the message that was too big ended the connection",
    ),
    Rule("drain.no-close", _LOST_TEXT, _WORDS_LOST),
    Rule("drain.hung-up", _LOST_TEXT, _WORDS_LOST),
    Rule("drain.left-at-turn-end", _LOST_TEXT, _WORDS_LOST),
    Rule(
        "drain.stopped-reading",
        (*_NO_MORE_AUDIO, "continuity.muted"),
        "a blocked process sends nothing",
        _has_ping_timed_out("process"),
    ),
    Rule(
        "drain.stopped-reading",
        (*_LOST_TEXT, "latency.slow-reader", "server.stopped-answering"),
        "what is not read is not seen, and its words are lost",
    ),
    Rule("drain.connection-lost", _LOST_TEXT, _WORDS_LOST),
    Rule(
        "drain.connection-lost",
        ("server.stopped-answering", "continuity.stopped"),
        "nothing passes a dead connection",
        _has_ping_timed_out("link"),
    ),
)


def diagnose(findings: Sequence[Finding], facts: Facts) -> tuple[Diagnosis, ...]:
    """Combine findings into root causes.

    A finding explains only what is no worse than itself: a warning never explains a failure.

    Args:
        findings: Of all checks, in the order of the checks.
        facts: What they were found in.

    Returns:
        One diagnosis a root cause, the first to fix first: `fail` before `warn`, what the service refused, then by
        confidence; remarks last. Every cause that is `warn` or `fail` belongs to exactly one.
    """
    found: dict[str, Finding] = {}  # the worst of each cause
    for finding in findings:
        known = found.get(finding.cause)
        if finding.status in ("warn", "fail") and (known is None or pick_worst([known, finding]) is not known):
            found[finding.cause] = finding
    explained_by = {cause: _find_explainer(finding, found, facts) for cause, finding in found.items()}
    roots = [finding for cause, finding in found.items() if explained_by[cause] is None]
    diagnoses = [Diagnosis(root, _list_symptoms(root.cause, explained_by)) for root in roots]
    return tuple(sorted(diagnoses, key=lambda diagnosis: _rank_urgency(diagnosis, facts)))


def _find_explainer(finding: Finding, found: Mapping[str, Finding], facts: Facts) -> str | None:
    """The cause that explains a finding: the root of the first rule that holds and is no less severe."""
    for rule in RULES:
        root = found.get(rule.root)
        if root is None or SEVERITY[root.status] < SEVERITY[finding.status]:
            continue
        if _explains(rule, finding.cause, facts):
            return rule.root
    return None


def _explains(rule: Rule, cause: str, facts: Facts) -> bool:
    if cause not in rule.symptoms or not _holds(rule.when, facts):
        return False
    return cause not in _FINAL_TEXTS or rule.root in _KEEPS_FROM_READING or not _holds(_has_come_in_time, facts)


_FINAL_TEXTS = ("joining.turns-missing", "joining.partial-kept")
_KEEPS_FROM_READING = ("drain.stopped-reading", "connection.reconnected")


def _has_come_in_time(facts: Facts) -> bool:
    """Whether a final text is lacking that came while the client was there: whatever ended the session is not why."""
    return any(end.readable for end in facts.unused_ends)


def _holds(condition: Callable[[Facts], bool], facts: Facts) -> bool:
    """Whether a condition holds; what cannot be computed does not hold (its check has told the error)."""
    try:
        return condition(facts)
    except Exception:
        return False


def _list_symptoms(root: str, explained_by: Mapping[str, str | None]) -> tuple[str, ...]:
    """Causes that lead back to the root, directly or through another symptom, in the order of the checks."""

    def leads_back(cause: str) -> bool:
        while (above := explained_by[cause]) is not None:
            if above == root:
                return True
            cause = above
        return False

    return tuple(cause for cause in explained_by if leads_back(cause))


def _rank_urgency(diagnosis: Diagnosis, facts: Facts) -> tuple[bool, int, bool, float]:
    """What was refused comes first: until the service takes that, nothing else matters."""
    about = facts.refusal.about if facts.refusal is not None else None
    refused = (about is not None and diagnosis.cause == _REFUSED[about]) or (
        "connection.rejected" in (diagnosis.cause, *diagnosis.explains)
    )
    return all_causes()[diagnosis.cause].informational, -SEVERITY[diagnosis.status], not refused, -diagnosis.confidence

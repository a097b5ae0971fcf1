"""From findings to root causes: which cause explains which symptom, and what to fix first.

`RULES` is meant to be read: each line says that where the first cause is found, the others are what it produces and
not faults of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sttdoctor.case import Case
from sttdoctor.checks import all_causes
from sttdoctor.checks.base import SEVERITY, Finding
from sttdoctor.report import Diagnosis


def _always(_case: Case) -> bool:
    return True


def _pace_is_right_in_truth(case: Case) -> bool:
    """With the true format in place of the declared one the audio flows at realtime."""
    return case.true_speed is not None and abs(case.true_speed - 1) <= 0.1


def _header_is_at_odds(case: Case) -> bool:
    """The file header in front of the samples names another format than the client declared."""
    first = case.sound.contents.first if case.sound.contents is not None else None
    header = first.header if first is not None else None
    if header is None:
        return False
    said = (case.declared.meant, case.declared.sample_rate, 1)
    return (header.encoding, header.sample_rate, header.channels) != said


def _one_side_is_silent(case: Case) -> bool:
    return case.sound.silent_side is not None


def _chunks_are_right_in_truth(case: Case) -> bool:
    """With the true format in place of the declared one the frames have a usual length."""
    length_ms = case.true_chunk_ms
    return length_ms is not None and case.limits["chunking.min_ms"] <= length_ms <= case.limits["chunking.warn_ms"]


@dataclass(frozen=True, slots=True)
class Rule:
    """`root` explains `symptoms`, because of `why`, where `when` holds."""

    root: str
    symptoms: tuple[str, ...]
    why: str
    when: Callable[[Case], bool] = _always


def _a_habit_of_cutting(case: Case) -> bool:
    """Three frames or more cut a sample: then that is the fault, and the shifts are what it makes."""
    return len(case.cut_frames) >= 3


def _one_cut(case: Case) -> bool:
    return not _a_habit_of_cutting(case)


def _a_close_was_binary(case: Case) -> bool:
    """A command that was to end the session, or the audio, went out in a binary frame."""
    sent = [command for connection in case.connections for command in connection.commands]
    return any(command.frame.binary and command.means in ("close", "flush") for command in sent)


def _a_command_was_refused(case: Case) -> bool:
    return bool(case.refused_commands)


def _no_command_was_refused(case: Case) -> bool:
    return not case.refused_commands


def _ends_by_unknown_word(case: Case) -> bool:
    return case.ends_by_unknown_word


_PACE = ("pacing.too-fast", "pacing.too-slow", "pacing.burst")
_CHUNKS = ("chunking.too-large", "chunking.too-small")
_LATE = ("latency.backlog", "latency.end-of-turn")
_SERVER = ("server.error-event", "server.closed-abnormally", "server.stopped-answering")
_LOST_TEXT = ("joining.turns-missing", "joining.partial-kept", "turns.left-open")
_NOT_ENDED = ("drain.no-close", "drain.hung-up", "continuity.stopped", "server.stopped-answering", *_LOST_TEXT)
_WRONG_FORMAT = "seconds of audio are counted in the declared format, and that is wrong"
_NOT_HEARD = "the service hears nothing that it could answer"
_WORDS_LOST = "what is not received cannot be joined, and the turn stays open"
_OVERLOAD = "a large batch can overload the server's buffer"
_NO_AUDIO = "without audio a turn cannot end"

_FORMAT = (
    "encoding.mismatch",
    "encoding.unsupported",
    "encoding.byte-order",
    "sample-rate.mismatch",
    "sample-rate.changed",
    "channels.interleaved",
)
_CUT = ("encoding.misaligned", "encoding.changed", "messages.partial-samples")
_SIGNAL = (
    "signal.silent",
    "signal.too-quiet",
    "signal.clipped",
    "signal.dc-offset",
    "signal.dropouts",
    "signal.discontinuities",
    "signal.false-silence",
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
    Rule("container.wav-header", _FORMAT, "the header names the format that the samples have", _header_is_at_odds),
    Rule("container.wav-header", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule("channels.interleaved", ("sample-rate.mismatch", *_PACE), _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule(
        "channels.interleaved",
        ("encoding.mismatch", "encoding.unsupported", "encoding.byte-order", "encoding.misaligned", "encoding.changed"),
        "with a silent channel the bytes look like wider samples",
        _one_side_is_silent,
    ),
    Rule("signal.silent", ("signal.false-silence", "signal.dc-offset"), "the constant that was sent is all there is"),
    Rule("signal.false-silence", ("signal.dc-offset", "signal.clipped"), "zero bytes are loud in G.711"),
    Rule("connection.bad-auth", ("connection.rejected", *_SERVER), "the service refuses the key"),
    Rule("connection.bad-parameter", ("connection.rejected", *_SERVER), "the service refuses the parameter"),
    Rule(
        "connection.wrong-path", ("connection.rejected", "connection.bad-parameter", *_SERVER), "nobody answers there"
    ),
    Rule("server.concurrency", ("connection.rejected", *_SERVER), "the service refuses one more stream"),
    Rule(
        "endpoint.mixed-up",
        ("messages.unknown-command", *_NOT_ENDED, *_SERVER),
        "the command means nothing there",
    ),
    Rule("messages.command-as-binary", _NOT_ENDED, "the service takes the command for audio", _a_close_was_binary),
    Rule(
        "messages.unknown-command",
        (*_NOT_ENDED, "continuity.keepalive", *_SERVER),
        "the service answers a message that it does not know with an error, and says nothing more",
        _a_command_was_refused,
    ),
    Rule("messages.unknown-command", _NOT_ENDED, "the word does not end the session", _ends_by_unknown_word),
    Rule(
        "messages.audio-as-text",
        (
            "messages.unknown-command",
            *_PACE,
            "continuity.keepalive",
            "continuity.muted",
            "continuity.stopped",
            "continuity.idle-timeout",
            *_SERVER,
        ),
        _NOT_HEARD,
    ),
    Rule("messages.partial-samples", ("encoding.misaligned",), "each cut shifts the rest", _a_habit_of_cutting),
    Rule("encoding.changed", ("messages.partial-samples",), "whole samples of one encoding are parts of another's"),
    Rule("encoding.misaligned", ("messages.partial-samples",), "the cut is where the shift begins", _one_cut),
    Rule("encoding.mismatch", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule("encoding.unsupported", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    *(
        Rule(f"encoding.{what}", ("server.stopped-answering", *_LATE), _NOT_HEARD)
        for what in ("mismatch", "unsupported", "byte-order", "misaligned", "changed")
    ),
    *(
        Rule(cause, ("sample-rate.mismatch", "sample-rate.changed"), "no single format fits the bytes")
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
    Rule(
        "continuity.keepalive",
        ("messages.unknown-command", "messages.command-as-binary"),
        "messages came instead of audio",
        _no_command_was_refused,
    ),
    Rule(
        "continuity.keepalive",
        (
            "continuity.idle-timeout",
            "continuity.muted",
            "continuity.stopped",
            "drain.no-close",
            "turns.left-open",
            *_LATE,
        ),
        "messages came instead of audio",
    ),
    Rule(
        "continuity.idle-timeout",
        ("turns.left-open", "continuity.muted", *_SERVER),
        "the server closed the idle socket",
    ),
    Rule("continuity.muted", _LATE, _NO_AUDIO),
    Rule("continuity.stalled", (*_LATE, "pacing.burst"), "the audio itself is late"),
    Rule("continuity.stopped", ("drain.no-close", "turns.left-open", *_LATE), "the client waited instead of closing"),
    Rule(
        "connection.reconnected",
        ("drain.connection-lost", "drain.no-close", "server.closed-abnormally", *_LOST_TEXT),
        "the end of the first connection is why there is a second, and there is no resume",
    ),
    Rule("connection.reconnected", ("pacing.burst", *_LATE), "what was kept meanwhile is sent at once"),
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
    Rule("latency.slow-reader", ("latency.end-of-turn", "latency.backlog"), "the turn.end was there, but read late"),
    Rule("drain.no-close", _LOST_TEXT, _WORDS_LOST),
    Rule("drain.hung-up", _LOST_TEXT, _WORDS_LOST),
    Rule("drain.stopped-reading", (*_LOST_TEXT, "latency.slow-reader"), _WORDS_LOST),
    Rule("drain.connection-lost", _LOST_TEXT, _WORDS_LOST),
)


def diagnose(findings: Sequence[Finding], case: Case) -> tuple[Diagnosis, ...]:
    """Combine findings into root causes.

    Args:
        findings: Of all checks, in the order of the checks.
        case: What they were found in.

    Returns:
        One diagnosis a root cause, the first to fix first: `fail` before `warn`, then by confidence; remarks last.
        Every finding that is `warn` or `fail` belongs to exactly one.
    """
    wrong = [finding for finding in findings if finding.status in ("warn", "fail")]
    present = {finding.cause for finding in wrong}
    explained_by = {cause: _explainer(cause, present, case) for cause in present}
    roots = [finding for finding in wrong if explained_by[finding.cause] is None]
    diagnoses = [Diagnosis(root, _symptoms(root.cause, wrong, explained_by)) for root in roots]
    worst = {finding.cause: SEVERITY[finding.status] for finding in wrong}
    return tuple(sorted(diagnoses, key=lambda diagnosis: _urgency(diagnosis, worst)))


def _explainer(cause: str, present: set[str], case: Case) -> str | None:
    return next(
        (rule.root for rule in RULES if rule.root in present and cause in rule.symptoms and _holds(rule, case)), None
    )


def _holds(rule: Rule, case: Case) -> bool:
    """Whether a rule holds; an estimate that cannot be computed explains nothing (its check has told the error)."""
    try:
        return rule.when(case)
    except Exception:
        return False


def _symptoms(root: str, wrong: Sequence[Finding], explained_by: dict[str, str | None]) -> tuple[str, ...]:
    """Causes that lead back to the root, directly or through another symptom."""

    def leads_back(cause: str) -> bool:
        while (above := explained_by[cause]) is not None:
            if above == root:
                return True
            cause = above
        return False

    return tuple(dict.fromkeys(finding.cause for finding in wrong if leads_back(finding.cause)))


def _urgency(diagnosis: Diagnosis, severity: dict[str, int]) -> tuple[bool, int, float]:
    """A root is as urgent as the worst that it explains."""
    worst = max(severity[cause] for cause in (diagnosis.cause, *diagnosis.explains))
    return all_causes()[diagnosis.cause].remark, -worst, -diagnosis.confidence

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


@dataclass(frozen=True, slots=True)
class Rule:
    """`root` explains `symptoms`, because of `why`, where `when` holds."""

    root: str
    symptoms: tuple[str, ...]
    why: str
    when: Callable[[Case], bool] = _always


_PACE = ("pacing.too-fast", "pacing.too-slow", "pacing.burst", "chunking.too-large", "chunking.too-small")
_LOST_TEXT = ("joining.turns-missing", "joining.partial-kept")
_WRONG_FORMAT = "seconds of audio are counted in the declared format, and that is wrong"
_WORDS_LOST = "what is not received cannot be joined"

RULES = (
    Rule("encoding.mismatch", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule("encoding.unsupported", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule(
        "encoding.changed", ("sample-rate.mismatch", "sample-rate.changed", *_PACE), "no single format fits the bytes"
    ),
    Rule("sample-rate.changed", _PACE, _WRONG_FORMAT),
    Rule("sample-rate.mismatch", _PACE, _WRONG_FORMAT, _pace_is_right_in_truth),
    Rule("chunking.too-large", ("pacing.burst", "pacing.too-fast"), "a long chunk arrives at once"),
    Rule(
        "continuity.keepalive",
        ("continuity.idle-timeout", "continuity.muted", "continuity.stopped", "drain.no-close"),
        "messages came instead of audio",
    ),
    Rule("continuity.muted", ("continuity.idle-timeout",), "the same silence, later"),
    Rule("continuity.stopped", ("drain.no-close",), "the client waited for the turn instead of closing it"),
    Rule("drain.no-close", _LOST_TEXT, _WORDS_LOST),
    Rule("drain.hung-up", _LOST_TEXT, _WORDS_LOST),
    Rule("drain.stopped-reading", _LOST_TEXT, _WORDS_LOST),
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
        (rule.root for rule in RULES if rule.root in present and cause in rule.symptoms and rule.when(case)), None
    )


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

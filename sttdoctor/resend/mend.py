"""From a session to how it should have been sent: what its findings know to mend, one root after another. No I/O.

Each round judges the session, carries out the remedy of the first root cause that has one, and judges what comes of it,
since one fault may hide another. What then is right goes out in real time (`repair.py`); of the rest it is said why it
stays.
"""

from collections.abc import Iterator
from dataclasses import replace

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import Remedy, mend_session
from sttdoctor.api import examine
from sttdoctor.evidence import Declared
from sttdoctor.listen import pick_format
from sttdoctor.report import Report
from sttdoctor.resend.plan import Plan, require_address, require_audio
from sttdoctor.resend.repair import plan_repair
from sttdoctor.values import immutable

_ROUNDS = 8
_TIMES = 2  # that one cause is mended: what hides another may leave some of it
_JUDGED = ("container", "encoding", "sample-rate", "channels", "signal", "messages", "frames")
"""The checks that are about what is sent."""

_GONE = "what is missing of it is not in the capture; mend it where it is recorded"
_BETWEEN = (
    "what stands between client and service stays; run this on the client's machine to see whether it lets it pass"
)
_SERVICE = "what the service does is not in the client's hands"

WHY_NOT = {
    "joining": "what the application makes of the text is not sent; join it as the report says",
    "turns": _SERVICE,
    "latency": _SERVICE,
    "server": _SERVICE,
    "language": "other words are not in the capture",
    "connection.intermediary": _BETWEEN,
    "connection.idle-cut": _BETWEEN,
    "connection.dead": _BETWEEN,
    "connection.unanswered": _BETWEEN,
    "connection.subprotocol": _BETWEEN,
    "messages.early-finalize": "when to finalize is the application's decision",
    "connection.rejected": "the handshake is made anew, and the service may refuse it again",
    "container.compressed": "decode it first: only samples can be sent",
    "container.text": "the text holds no audio, and where a message among samples ends is not known to the byte",
    "continuity.capture-died": _GONE,
    "continuity.nothing-sent": "the capture holds no audio",
    "encoding.scaled": _GONE,
    "frames.two-streams": _GONE,
    "messages.audio-as-text": _GONE,
    "signal": _GONE,
}
"""Why sending cannot mend a cause, or all of a check's that are not named, for the end of a sentence."""

_SENT_RIGHT = (
    "chunking",
    "connection.bad-auth",
    "connection.bad-parameter",
    "connection.doubled",
    "connection.expired",
    "connection.key-in-url",
    "connection.reconnected",
    "connection.wrong-path",
    "continuity",
    "drain",
    "encoding",
    "endpoint",
    "latency.backlog",
    "latency.slow-reader",
    "messages",
    "pacing",
    "sample-rate",
    "turns.left-open",
    "turns.mixed-connections",
)
"""What a plan by `plan_repair` does right, whatever the session did; a cause alone, or all of a check's."""


@immutable
class Mended:
    """A session as it should have been sent.

    Attributes:
        facts: Of it.
        report: What is still found in it.
        done: (cause, remedy) of each change, in order.
    """

    facts: Facts
    report: Report
    done: tuple[tuple[str, Remedy], ...] = ()


def plan_mended(facts: Facts) -> Plan:
    """Plan the session as a healthy client would have sent it.

    Raises:
        InputError: There is no audio content, or it is no samples; the capture has no URL.
    """
    require_address(facts)
    found = examine(facts)
    mended = mend(facts, found)
    require_audio(mended.facts)
    plan = plan_repair(mended.facts, *pick_format(mended.facts, mended.report.checks), facts.declared)
    changes = (f"for {cause}: {remedy.words}" for cause, remedy in mended.done if type(remedy) is not Remedy)
    return replace(plan, notes=(*changes, *plan.notes, *_list_what_stays(found, mended)))


def mend(facts: Facts, report: Report) -> Mended:
    """Carry out the remedies of the root causes, one after another.

    Args:
        facts: A session.
        report: Of it.
    """
    done: list[tuple[str, Remedy]] = []
    for _ in range(_ROUNDS):
        root = next((d.root for d in report.diagnoses if d.root.remedy and _is_new(d.cause, done)), None)
        if root is None or root.remedy is None or facts.session is None:
            break
        done.append((root.cause, root.remedy))
        said, now = root.remedy.declares, facts.declared
        declared = Declared(said.encoding or now.encoding, said.sample_rate or now.sample_rate)
        facts = Facts(facts.limits, session=mend_session(facts.session, root.remedy), declared=declared)
        report = examine(facts, _JUDGED)
    return Mended(facts, report, tuple(done))


def _is_new(cause: str, done: list[tuple[str, Remedy]]) -> bool:
    return sum(mended == cause for mended, _ in done) < _TIMES


def _list_what_stays(found: Report, mended: Mended) -> Iterator[str]:
    """Of each root cause that is still there: why."""
    still, tried = {d.cause for d in mended.report.diagnoses}, {cause for cause, _ in mended.done}
    for cause in (diagnosis.cause for diagnosis in found.diagnoses):
        why = tell_why_not(cause) if cause in still or cause.partition(".")[0] not in _JUDGED else None
        if cause in still & tried:
            yield f"{cause} is still found: look at the sound itself (--wav)"
        elif why is not None:
            yield f"{cause} is not mended: {why}"


def tell_why_not(cause: str) -> str | None:
    """Return why sending alone does not mend a cause, for the end of a sentence; None where it does."""
    check = cause.partition(".")[0]
    if cause in WHY_NOT:
        return WHY_NOT[cause]
    return None if cause in _SENT_RIGHT or check in _SENT_RIGHT else WHY_NOT.get(check, _GONE)

"""What a check is: one question, the evidence it needs, its causes, and one function from facts to an answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, Literal

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.remedies import Remedy
from sttdoctor.missing import SPEECH, Missing
from sttdoctor.values import immutable

Status = Literal["pass", "warn", "fail", "unknown", "not_applicable"]

SEVERITY: Mapping[str, int] = {"fail": 4, "warn": 3, "pass": 2, "unknown": 1, "not_applicable": 0}

TROUBLESHOOTING = "https://docs.cartesia.ai/use-the-api/stt/troubleshooting/auto"
AUDIO_INPUT = "https://docs.cartesia.ai/build-with-cartesia/stt/audio-input"


@immutable
class Evidence:
    """Where in the capture something shows.

    Attributes:
        note: What shows there.
        line: Line in the capture, from 1.
        t: Seconds since the session began.
        offset: Byte of the audio, from 0.
    """

    note: str
    line: int | None = None
    t: float | None = None
    offset: int | None = None


@immutable
class Finding:
    """One thing that a check saw.

    Attributes:
        cause: Id of the cause.
        status: `warn`, `fail` or `unknown`.
        confidence: 0..1, how sure it is that the cause is present.
        summary: One sentence with the measured values.
        fix: What to do.
        evidence: Where it shows.
        remedy: The fix as a value that can be carried out; None where sending cannot mend it, or any client knows how.
    """

    cause: str
    status: Status
    confidence: float
    summary: str
    fix: str
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None


@immutable
class Cause:
    """Something that can be wrong.

    Attributes:
        id: `check.what`.
        worst: The worst status that it may have.
        what: One sentence that says what it is.
        fix: What to do about it.
        informational: It is worth knowing and needs no repair; it comes last in a report.
    """

    id: str
    worst: Literal["warn", "fail"]
    what: str
    fix: str
    informational: bool = False

    def find(
        self,
        status: Status,
        confidence: float,
        summary: str,
        evidence: tuple[Evidence, ...] = (),
        fix: str | None = None,
        remedy: Remedy | None = None,
    ) -> Finding:
        """Make a finding of this cause; the fix is the cause's own unless another is given."""
        limited: Status = "warn" if status == "fail" and self.worst == "warn" else status
        sure = round(min(max(confidence, 0.0), 1.0), 3)
        return Finding(self.id, limited, sure, summary, fix or self.fix, evidence, remedy)


@immutable
class Answer:
    """What a check has to say.

    Attributes:
        text: One sentence.
        findings: All but what passes.
        status: Of the worst finding; `pass` without any, `unknown` where the evidence is missing.
        measurements: Plain values of JSON by name, units in the names.
        missing: What the evidence lacks, as it stands in a list; empty where it lacks nothing.
        reading: What the check takes the audio for, as a reader calls it: a kind of file, an encoding (the declared one
            where nothing is wrong), a rate (likewise), more than one channel; empty where it cannot tell, and of checks
            that are not about it.
        quiet: No capture could tell, and nothing makes the question urgent: a report for people only names the check.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    status: Status = "pass"
    measurements: Mapping[str, Any] = field(default_factory=dict)
    missing: str = ""
    reading: str = ""
    quiet: bool = False


@immutable
class Check:
    """One question about the evidence.

    Attributes:
        id: Its stable name.
        order: Place in lists and reports.
        question: In the words of the vendor's troubleshooting page.
        kinds: Subjects that it applies to, of `audio` and `session`.
        needs: The evidence it needs, for a reader.
        why: Why it matters.
        how: How it is judged.
        causes: What it can find.
        docs: The vendor's page.
        judge: From facts to an answer; missing evidence is an answer with status `unknown`. A module names it in
            a lambda, so that its declaration can stand before its functions.
        applies_to: Whether a subject of these kinds gives rise to the question; where not, no report shows the check.
        of_handshake: The question arises for a refused handshake too.
    """

    id: str
    order: int
    question: str
    kinds: tuple[str, ...]
    needs: str
    why: str
    how: str
    causes: tuple[Cause, ...]
    docs: str
    judge: Callable[[Facts], Answer]
    applies_to: Callable[[Facts], bool] = lambda _case: True
    of_handshake: bool = False

    def find(
        self,
        what: str,
        status: Status,
        confidence: float,
        summary: str,
        evidence: tuple[Evidence, ...] = (),
        fix: str | None = None,
        remedy: Remedy | None = None,
    ) -> Finding:
        """Make a finding of this check's cause `what`, as `Cause.find` does."""
        cause = next(cause for cause in self.causes if cause.id == f"{self.id}.{what}")
        return cause.find(status, confidence, summary, evidence, fix, remedy)


def answer(text: str, findings: list[Finding], measurements: Mapping[str, Any], reading: str = "") -> Answer:
    """Make an answer whose status is that of its worst finding, or `pass` without any; `reading` as in `Answer`."""
    status: Status = max((finding.status for finding in findings), key=SEVERITY.__getitem__, default="pass")
    return Answer(text, tuple(findings), status, measurements, reading=reading)


def round_probabilities(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Return probabilities with six digits for a report; the largest one takes up the rest, so they still sum to 1."""
    short = {name: round(value, 6) for name, value in probabilities.items()}
    top = max(short, key=short.__getitem__)
    short[top] = round(short[top] + 1 - sum(short.values()), 6)
    return short


def join_list(items: Iterable[str], link: str = "and") -> str:
    """Return items as a reader lists them: `a`, `a and b`, `a, b and c`."""
    *first, last = [*items] or [""]
    return f"{', '.join(first)} {link} {last}" if first else last


def count_noun(number: int, noun: str) -> str:
    """Return a number with its noun, which is regular: `1 frame`, `2 frames`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def end_sentence(text: str) -> str:
    """Return text with one full stop at its end, whatever the words of a capture at its end bring along."""
    text = text.rstrip(" :;,")
    return text if text.endswith((".", "!", "?")) else f"{text}."


def describe_code(code: int | None) -> str:
    """Return the code of a close, for a reader."""
    return f"with code {code}" if code is not None else "without a code"


def unknown(why: Missing | str, measurements: Mapping[str, Any] | None = None) -> Answer:
    """Make an answer that the evidence cannot give, because of what is missing, or for a reason of its own."""
    missing = why if isinstance(why, Missing) else Missing("", why)
    return Answer(missing.sentence, (), "unknown", measurements or {}, missing.noun)


def want_speech(text: str, measurements: Mapping[str, Any] | None = None) -> Answer:
    """Make an answer that the sound cannot give; `text` says why, and what to capture follows."""
    return unknown(Missing(SPEECH.noun, f"{text} {SPEECH.sentence}"), measurements)


def not_applicable(text: str) -> Answer:
    """Make an answer to a question that does not arise."""
    return Answer(text, (), "not_applicable")


def pick_worst(findings: list[Finding]) -> Finding:
    """Return the finding that an answer's sentence should be about."""
    return max(findings, key=lambda finding: (SEVERITY[finding.status], finding.confidence))

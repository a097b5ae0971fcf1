"""What a diagnosis results in: plain values that any renderer can show, and their JSON form (`sttdoctor.report/1`)."""

import json
import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from sttdoctor import __version__
from sttdoctor.checks.base import SEVERITY, Evidence, Finding, Status, join_list
from sttdoctor.values import immutable

SCHEMA = "sttdoctor.report/1"

_SHOWN = 3  # names of what is missing or not judged


@immutable
class CheckResult:
    """The answer of one check.

    Attributes:
        id: Of the check.
        question: That it asks.
        status: Of the answer.
        answer: One sentence.
        findings: All but what passes.
        measurements: Plain values of JSON by name, units in the names.
        docs: URL of the vendor's page.
        crashed: The check failed itself; the answer names the error.
        seconds: How long it took, with the analysis that it was the first to need.
        missing: What the evidence lacks, as it stands in a list; empty where it lacks nothing.
        reading: What the check takes the audio for, as a reader calls it; empty where it does not say.
        quiet: A report for people only names the check.
    """

    id: str
    question: str
    status: Status
    answer: str
    findings: tuple[Finding, ...]
    measurements: Mapping[str, Any]
    docs: str
    crashed: bool = False
    seconds: float = 0.0
    missing: str = ""
    reading: str = ""
    quiet: bool = False


@immutable
class Diagnosis:
    """A root cause: one finding (`root`), and the ids of the causes that it explains."""

    root: Finding
    explains: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """Id of the cause."""
        return self.root.cause

    @property
    def status(self) -> Status:
        """`fail` or `warn`."""
        return self.root.status

    @property
    def confidence(self) -> float:
        """0..1."""
        return self.root.confidence

    @property
    def summary(self) -> str:
        """One sentence with the measured values."""
        return self.root.summary

    @property
    def fix(self) -> str:
        """What to do."""
        return self.root.fix


@immutable
class Report:
    """The answers of all checks and the diagnoses, root cause first.

    Attributes:
        subject: What was examined; keys as in the JSON form.
        diagnoses: What the user should fix, in that order; empty when nothing is wrong.
        checks: One result a check.
        listen: Commands that play the audio as declared and as detected (`estimated`).
        against: What differs from another report, from `sttdoctor.comparison`; None without a comparison.
    """

    subject: Mapping[str, Any]
    diagnoses: tuple[Diagnosis, ...]
    checks: tuple[CheckResult, ...]
    listen: Mapping[str, str | None] = field(default_factory=dict)
    against: Mapping[str, Any] | None = None

    @property
    def status(self) -> Status:
        """The worst status of the checks (fail > warn > pass > unknown); `unknown` when nothing could be judged."""
        judged = [check.status for check in self.checks if check.status != "not_applicable"]
        return max(judged, key=SEVERITY.__getitem__, default="unknown")

    @property
    def tally(self) -> str:
        """How many of the checks that apply failed, warned and passed, and which could not be judged."""
        checks = [check for check in self.checks if check.status != "not_applicable"]
        unjudged = [check for check in checks if check.status == "unknown"]
        if len(unjudged) == len(checks):
            nouns = list(dict.fromkeys(check.missing for check in checks if check.missing))
            lacked = f" (missing: {join_list(_list_first(nouns))})" if nouns else ""
            return f"Nothing could be judged{lacked}."
        statuses = [check.status for check in checks]
        words: dict[Status, str] = {"fail": "failed", "warn": "warned", "pass": "passed"}
        told = [f"{count} {word}" for status, word in words.items() if (count := statuses.count(status))]
        if unjudged:
            # whether the text is right is what most people came for, so it is not left to "more"
            ids = sorted((check.id for check in unjudged), key=lambda name: name != "joining")
            told.append(f"{len(unjudged)} not judged ({join_list(_list_first(ids))})")
        elif len(told) == 1:
            named = {1: "The check", 2: "Both checks"}.get(len(checks), f"All {len(checks)} checks")
            return f"{named} {words[statuses[0]]}."
        return f"Checks: {', '.join(told)}."

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form as plain values."""
        values: dict[str, Any] = {
            "schema": SCHEMA,
            "version": __version__,
            "status": self.status,
            "tally": self.tally,
            "subject": dict(self.subject),
            "diagnoses": [_diagnosis(diagnosis) for diagnosis in self.diagnoses],
            "checks": [_check(check) for check in self.checks],
            "listen": dict(self.listen),
        }
        if self.against is not None:
            values["against"] = dict(self.against)
        return {key: _finite(value) for key, value in values.items()}

    def to_json(self) -> str:
        """Return the JSON form; ASCII only, so that nothing in it can control a terminal."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)


def _finite(value: Any) -> Any:
    """A value of JSON; a number that JSON has no word for is not told."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    values = _finding(diagnosis.root)
    del values["evidence"]
    return {**values, "explains": list(diagnosis.explains)}


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "id": check.id,
        "question": check.question,
        "status": check.status,
        "answer": check.answer,
        "findings": [_finding(finding) for finding in check.findings],
        "measurements": dict(check.measurements),
        "docs": check.docs,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause,
        "status": finding.status,
        "confidence": finding.confidence,
        "summary": finding.summary,
        "fix": finding.fix,
        "evidence": [_evidence(evidence) for evidence in finding.evidence],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {"line": evidence.line, "t": evidence.t, "offset": evidence.offset, "note": evidence.note}


def _list_first(names: list[str]) -> list[str]:
    return [*names[:_SHOWN], "more"] if len(names) > _SHOWN else names

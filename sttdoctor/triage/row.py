"""One row of the table: what is worth comparing across captures, as flat values under stable names."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sttdoctor.triage.task import Task

if TYPE_CHECKING:
    from sttdoctor.analysis.facts import Facts
    from sttdoctor.report import Report

Row = dict[str, Any]
"""Column to value; None where a capture does not tell."""

COLUMNS: Mapping[str, tuple[type[Any], str]] = {
    "path": (str, "the file, or the archive"),
    "member": (str, "name inside the archive; empty for a file of its own"),
    "kind": (str, "`audio` or `session`"),
    "status": (str, "of the report: `fail`, `warn`, `pass` or `unknown`; `error` where the capture cannot be judged"),
    "cause": (str, "the first diagnosis; empty when nothing is wrong"),
    "confidence": (float, "of the first diagnosis, 0..1"),
    "causes": (str, "all diagnoses, separated by spaces"),
    "unjudged": (str, "checks that answered `unknown`, separated by spaces"),
    "client": (str, "the `client` of the capture, else its `x-cartesia-client` or `user-agent` header"),
    "started_at": (str, "ISO 8601, as the capture says it"),
    "request_id": (str, "of the first connection"),
    "endpoint": (str, "`auto` or `manual`"),
    "encoding": (str, "declared"),
    "sample_rate": (int, "declared, Hz"),
    "estimated_encoding": (str, "from the bytes"),
    "estimated_sample_rate": (int, "from the sound and the byte rate, Hz"),
    "channels": (int, "estimated"),
    "duration_s": (float, "seconds of clock of a session, of audio as estimated for audio"),
    "speech_s": (float, "seconds of speech found"),
    "loud_dbfs": (float, "level of the loud parts, dB of full scale"),
    "speed": (float, "audio seconds, as declared, per clock second"),
    "chunk_ms": (float, "median length of an audio frame"),
    "max_backlog_s": (float, "the most audio that had to wait"),
    "longest_hole_s": (float, "the longest time without audio"),
    "turns": (int, "turns that began"),
    "end_of_turn_s": (float, "median time from the end of speech to `turn.end`"),
    "damaged_lines": (int, "of the capture, not or only partly read"),
    "error": (str, "why the capture, or a check of it, could not be judged"),
    "seconds": (float, "that judging took"),
}
"""Name to type and meaning, in the order of the table. Columns may be added at the end, never renamed."""

STATUSES = ("fail", "warn", "unknown", "pass", "error")
"""Of rows."""

_LONGEST_CLIENT = 120
_LONGEST_TEXT = 500
_MEASURED = {
    "speech_s": ("sample-rate", "speech_s"),
    "speed": ("pacing", "speed"),
    "chunk_ms": ("chunking", "median_ms"),
    "max_backlog_s": ("pacing", "max_backlog_s"),
    "longest_hole_s": ("continuity", "longest_hole_s"),
    "turns": ("turns", "turns"),
    "end_of_turn_s": ("latency", "end_of_turn_median_s"),
}


def row_of(task: Task, facts: "Facts", report: "Report") -> Row:
    """Return the row of a judged capture, without `seconds`."""
    subject = report.subject
    declared, estimated = subject["declared"], subject["estimated"]
    measured = {check.id: check.measurements for check in report.checks}
    first = report.diagnoses[0] if report.diagnoses else None
    row = dict.fromkeys(COLUMNS) | {
        "path": task.path,
        "member": task.member,
        "kind": subject["kind"],
        "status": report.status,
        "cause": first and first.cause,
        "confidence": first and first.confidence,
        "causes": " ".join(diagnosis.cause for diagnosis in report.diagnoses) or None,
        "unjudged": " ".join(check.id for check in report.checks if check.status == "unknown") or None,
        "client": client_of(facts),
        "started_at": subject.get("started_at"),
        "request_id": next(iter(subject.get("request_ids", ())), None),
        "endpoint": facts.endpoint_name,
        "encoding": declared["encoding"],
        "sample_rate": declared["sample_rate"],
        "estimated_encoding": estimated["encoding"],
        "estimated_sample_rate": estimated["sample_rate"],
        "channels": estimated["channels"],
        "duration_s": subject.get("duration_s", measured.get("signal", {}).get("seconds")),
        "loud_dbfs": _decibels(measured.get("signal", {}).get("loud_rms")),
        "damaged_lines": subject.get("capture", {}).get("damaged_lines"),
        "error": " ".join(f"{check.id}: {check.answer}" for check in report.checks if check.crashed) or None,
    }
    return _bound(row | {column: measured.get(check, {}).get(name) for column, (check, name) in _MEASURED.items()})


def error_row(task: Task, error: str) -> Row:
    """Return the row of a capture that cannot be judged."""
    error = error.removeprefix(f"{task.path} ").replace(f"cannot read {task.path}: ", "cannot read: ", 1)
    return _bound(
        dict.fromkeys(COLUMNS) | {"path": task.path, "member": task.member, "status": "error", "error": error}
    )


def _bound(row: Row) -> Row:
    """Cut what a capture says to a length that fits a cell; names stay whole.

    A number that is none, and a text without a character, tell nothing.
    """
    return {name: _cell(name, value) for name, value in row.items()}


def _cell(name: str, value: Any) -> Any:
    if name in ("path", "member"):
        return value
    if isinstance(value, str):
        return value[:_LONGEST_TEXT] or None
    return value if _is_finite(value) else None


def _is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def is_row(values: Row) -> bool:
    """Whether values that were read from a table can be a row: each of its type, the status a known one."""
    typed = all(
        values[name] is None or isinstance(values[name], (int, float) if kind is float else kind)
        for name, (kind, _) in COLUMNS.items()
    )
    typed = typed and all(map(_is_finite, values.values()))
    return typed and None not in (values["path"], values["member"]) and values["status"] in STATUSES


def client_of(facts: "Facts") -> str | None:
    """Return what the client calls itself, on one line of at most 120 characters; nothing else is changed."""
    if facts.session is None:
        return None
    headers = facts.session.headers
    name = facts.session.client or headers.get("x-cartesia-client") or headers.get("user-agent") or ""
    return re.sub(r"\s+", " ", name).strip()[:_LONGEST_CLIENT] or None


def _decibels(level: float | None) -> float | None:
    if not level:
        return None
    return round(20 * math.log10(level), 1)

"""Rows of a table of triage, and a summary of them."""

from sttdoctor.triage.row import COLUMNS
from sttdoctor.triage.summary import Summary


def row(path="a", status="pass", cause=None, confidence=None, **values):
    return dict.fromkeys(COLUMNS) | {
        "path": path, "member": "", "status": status, "cause": cause, "confidence": confidence, **values,
    }  # fmt: skip


def summed(rows, *group_by, keep=5, listed=0):
    summary = Summary(group_by, keep, listed)
    for each in rows:
        summary.add(each)
    return summary


MIXED = [
    row("1", "fail", "pacing.burst", 0.8, client="sdk/2"),
    row("2", "fail", "pacing.burst", 0.9, client="sdk/2"),
    row("3", "warn", "pacing.burst", 0.99, client="sdk/2"),
    row("4", "fail", "drain.no-close", 0.9, client="sdk/1"),
    row("5", client="sdk/1"),
    row("6", "unknown", client=None),
    row("7", "error", error="is empty"),
]

"""A summary as text."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from sttdoctor.redact import redact_tokens
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.triage.row import STATUSES, Row
from sttdoctor.triage.summary import Summary

MAX_GROUPS = 20
"""Groups that are shown; the table itself has all."""

_SHOWN = 3
_LONGEST = 60


def render(summary: Summary) -> str:
    """Return the causes, how often, their worst examples, and the groups."""
    return "\n".join([head(summary), "", *_outcomes(summary), *_groups(summary)]) + "\n"


def head(summary: Summary) -> str:
    """Return how many captures there are of each status, in one line."""
    parts = [f"{summary.statuses[status]} {words(status)}" for status in STATUSES if summary.statuses[status]]
    return f"{summary.count} {'capture' if summary.count == 1 else 'captures'}: {', '.join(parts)}"


def words(status: str) -> str:
    """Return a status for a reader."""
    return "could not be judged" if status == "error" else status


def share(count: int, whole: int) -> str:
    """Return a part in percent; what is there is never shown as nothing."""
    percent = 100 * count / whole
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def name_of(row: Row) -> str:
    """Return where a capture stands, as it may be told: a key in a file's name is one as well."""
    return redact_tokens(f"{row['path']}: {row['member']}" if row["member"] else str(row["path"]))


def mix(outcomes: Counter[str]) -> str:
    """Return the outcomes of a group with their shares, the most frequent first."""
    whole = outcomes.total()
    ranked = sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{words(what)} {share(count, whole)}" for what, count in ranked)


def group_name(values: Iterable[Any]) -> str:
    """Return the values that make a group."""
    return ", ".join("(not told)" if value is None else str(value) for value in values)


def _outcomes(summary: Summary) -> Iterator[str]:
    for what, count in summary.ranked():
        yield f"{for_terminal(words(what)):<32}{count:>9}{share(count, summary.count):>7}"
        for row in summary.worst(what)[:_SHOWN]:
            yield f"    {for_terminal(name_of(row))}{_note(row)}"


def _note(row: Row) -> str:
    if row["status"] == "error":
        text = for_terminal(str(row["error"]))
        return f": {text if len(text) <= 2 * _LONGEST else text[: 2 * _LONGEST - 3] + '...'}"
    return f" ({row['status']}, {row['confidence']:.2f})" if row["confidence"] is not None else ""


def _groups(summary: Summary) -> Iterator[str]:
    if not summary.group_by:
        return
    yield ""
    yield f"By {', '.join(summary.group_by)}"
    groups = list(summary.trends())
    for values, outcomes in groups[:MAX_GROUPS]:
        yield f"  {for_terminal(group_name(values))}: {outcomes.total()}"
        yield f"      {for_terminal(mix(outcomes))}"
    if len(groups) > MAX_GROUPS:
        yield f"  and {len(groups) - MAX_GROUPS} groups more"

"""What a table says as a whole, and as text: how often each cause comes first, the worst examples, and both by group.

Memory grows with the number of causes and groups, not with that of rows.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sttdoctor.errors import UsageError, suggest
from sttdoctor.redact import redact_tokens
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.triage.row import COLUMNS, STATUSES, Row

_SEVERITY = {"error": 4, "fail": 3, "warn": 2, "unknown": 1, "pass": 0}


def outcome(row: Row) -> str:
    """Return what a row counts as: its first cause, else its status."""
    return str(row["cause"] or row["status"])


@dataclass(slots=True)
class Summary:
    """Counts of a table.

    Attributes:
        group_by: Columns whose values make a group.
        keep: Worst examples to keep of each outcome.
        statuses: Rows by status.
        outcomes: Rows by outcome.
        groups: Outcomes of the rows by group.
    """

    group_by: tuple[str, ...] = ()
    keep: int = 5
    statuses: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    groups: dict[tuple[Any, ...], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _worst: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))
    _unjudged: int = 0

    def __post_init__(self) -> None:
        """Refuse columns that there are not."""
        for name in self.group_by:
            if name not in COLUMNS:
                hint = suggest(name, COLUMNS, f"there are {', '.join(COLUMNS)}")
                raise UsageError(f"there is no column {name!r} to group by; {hint}")

    def add(self, row: Row) -> None:
        """Take a row in."""
        what = outcome(row)
        self.statuses[row["status"]] += 1
        self.outcomes[what] += 1
        self._unjudged += bool(row["unjudged"]) or row["status"] == "error"
        if self.group_by:
            self.groups[tuple(row[name] for name in self.group_by)][what] += 1
        if what != "pass" and self.keep:
            self._keep(what, row)

    def _keep(self, what: str, row: Row) -> None:
        worst = self._worst[what]
        # the count breaks ties without looking at the rows; of equals the first by name is kept
        entry = (_SEVERITY[row["status"]], row["confidence"] or 0.0, _Reversed(row), row)
        heapq.heappush(worst, entry) if len(worst) < self.keep else heapq.heappushpop(worst, entry)

    @property
    def count(self) -> int:
        """Rows so far."""
        return self.outcomes.total()

    def ranked(self) -> list[tuple[str, int]]:
        """Return (outcome, rows) of what is wrong, the most frequent first; then what is not."""
        last = {"error": 1, "unknown": 2, "pass": 3}
        return sorted(self.outcomes.items(), key=lambda item: (last.get(item[0], 0), -item[1], item[0]))

    def worst(self, what: str) -> list[Row]:
        """Return the examples of an outcome, the worst first."""
        return [entry[-1] for entry in sorted(self._worst.get(what, []), reverse=True)]

    def examples(self) -> list[tuple[str, str]]:
        """Return path and member of the examples that can be judged once more, in their order."""
        rows = [row for what, _ in self.ranked() for row in self.worst(what) if row["status"] != "error"]
        return sorted({(row["path"], row["member"]) for row in rows})

    def trends(self) -> Iterator[tuple[tuple[Any, ...], Counter[str]]]:
        """Yield groups with their outcomes, those with the most faults first."""
        yield from sorted(self.groups.items(), key=lambda item: (-faults(item[1]), -item[1].total(), str(item[0])))

    def reaches(self, fail_on: Sequence[str]) -> bool:
        """Whether a row has one of these statuses; `unknown` is also a check that could not be judged."""
        return any(self.statuses[status] for status in fail_on) or ("unknown" in fail_on and self._unjudged > 0)


def faults(outcomes: Counter[str]) -> int:
    """Return how many of a group's rows have a diagnosis."""
    return outcomes.total() - sum(outcomes[what] for what in ("pass", "unknown", "error"))


class _Reversed:
    """Orders rows by name, backwards."""

    def __init__(self, row: Row) -> None:
        self.key = row["path"], row["member"]

    def __lt__(self, other: "_Reversed") -> bool:
        return self.key > other.key


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

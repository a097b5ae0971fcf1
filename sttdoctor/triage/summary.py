"""What a table says as a whole: how often each cause comes first, when, in which groups, and the worst examples.

Memory grows with the number of causes and groups, not with that of rows; of these the worst are kept to be listed, up
to a limit.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sttdoctor.errors import UsageError, suggest
from sttdoctor.redact import redact_tokens
from sttdoctor.triage.row import COLUMNS, STATUSES, Row
from sttdoctor.triage.timeline import Timeline

_SEVERITY = {"error": 4, "fail": 3, "warn": 2, "unknown": 1, "pass": 0}


LISTED = (
    "path",
    "member",
    "status",
    "cause",
    "causes",
    "confidence",
    "client",
    "started_at",
    "encoding",
    "sample_rate",
    "duration_s",
    "error",
)
"""Columns that a list of rows shows."""


def outcome(row: Row) -> str:
    """Return what a row counts as: its first cause, else its status."""
    return str(row["cause"] or row["status"])


@dataclass(slots=True)
class Summary:
    """Counts of a table.

    Attributes:
        group_by: Columns whose values make a group.
        keep: Worst examples to keep of each outcome.
        listed: Rows to keep for a list, the worst.
        statuses: Rows by status.
        outcomes: Rows by outcome.
        counts: Rows by outcome and status.
        anywhere: Rows by each of their causes, also where another one comes first.
        groups: Outcomes of the rows by group.
        timeline: Rows by when their capture began.
    """

    group_by: tuple[str, ...] = ()
    keep: int = 5
    listed: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    anywhere: Counter[str] = field(default_factory=Counter)
    groups: dict[tuple[Any, ...], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    timeline: Timeline = field(default_factory=Timeline)
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
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
        self.counts[what, row["status"]] += 1
        self.anywhere.update(set(str(row["causes"] or what).split()))
        self.timeline.add(row["started_at"], what, row["status"])
        self._unjudged += bool(row["unjudged"]) or row["status"] == "error"
        if self.group_by:
            self.groups[tuple(row[name] for name in self.group_by)][what] += 1
        if what != "pass":
            _keep(self._worst[what], row, self.keep)
        if self.listed:
            _keep(self._rows, {name: row[name] for name in LISTED}, self.listed)

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

    def rows(self) -> list[Row]:
        """Return the rows that are listed, the worst first."""
        return [entry[-1] for entry in sorted(self._rows, reverse=True)]

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


def _keep(worst: list[tuple[Any, ...]], row: Row, most: int) -> None:
    """Keep a row where it is among the worst; of equals the first by name."""
    if most > 0:
        entry = (_SEVERITY[row["status"]], row["confidence"] or 0.0, _Reversed(row), row)
        heapq.heappush(worst, entry) if len(worst) < most else heapq.heappushpop(worst, entry)


class _Reversed:
    """Orders rows by name, backwards."""

    def __init__(self, row: Row) -> None:
        self.key = row["path"], row["member"]

    def __lt__(self, other: "_Reversed") -> bool:
        return self.key > other.key


MAX_LISTED = 20_000
"""Rows that a page lists, the worst; the table itself has all."""

MAX_GROUPS = 20
"""Groups that are shown; the table itself has all."""


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


_MIXED = 6


def mix(outcomes: Counter[str]) -> str:
    """Return the outcomes of a group with their shares, the most frequent first."""
    whole = outcomes.total()
    ranked = sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))
    told = ", ".join(f"{words(what)} {share(count, whole)}" for what, count in ranked[:_MIXED])
    return told if len(ranked) <= _MIXED else f"{told}, {len(ranked) - _MIXED} more"


def group_name(values: Iterable[Any]) -> str:
    """Return the values that make a group."""
    return ", ".join("(not told)" if value is None else str(value) for value in values)

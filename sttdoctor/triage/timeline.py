"""How captures are spread over time: at most some bars, of hours, days, months or years as their span asks for."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

_MOST_BARS = 62
_FIRST, _LAST = 2000, 2100
"""Years; a clock that was never set says 1970."""
_EPOCH = date(1970, 1, 1)
STEPS = ("hour", "day", "month", "year")

Found = tuple[str, str]
"""Outcome and status of a capture."""


@dataclass(slots=True)
class Timeline:
    """Captures by when they began; memory is bounded, and the order in which they come changes nothing.

    Attributes:
        count: Captures with a time.
    """

    count: int = 0
    _step: int = 0
    _bars: dict[int, Counter[Found]] = field(default_factory=dict)

    def add(self, started_at: str | None, outcome: str, status: str) -> None:
        """Take a capture in; one without a time that can be meant is left out."""
        t = _parse(started_at)
        if t is None:
            return
        self.count += 1
        place = t.toordinal() * 24 + t.hour - _EPOCH.toordinal() * 24
        for step in range(self._step):
            place = _coarsen(place, step)
        self._bars.setdefault(place, Counter())[outcome, status] += 1
        while max(self._bars) - min(self._bars) >= _MOST_BARS and self._step < len(STEPS) - 1:
            self._widen()

    def _widen(self) -> None:
        wider: dict[int, Counter[Found]] = {}
        for place, counts in self._bars.items():
            wider.setdefault(_coarsen(place, self._step), Counter()).update(counts)
        self._bars, self._step = wider, self._step + 1

    @property
    def step(self) -> str:
        """One of `STEPS`: what a bar stands for."""
        return STEPS[self._step]

    def bars(self) -> Iterator[tuple[str, Counter[Found]]]:
        """Yield each period (UTC) from the first to the last with its captures; a period without any is there too."""
        if self._bars:
            for place in range(min(self._bars), max(self._bars) + 1):
                yield _label(place, self._step), self._bars.get(place, Counter())


def _parse(started_at: str | None) -> datetime | None:
    try:
        t = datetime.fromisoformat(started_at or "")
        t = t.astimezone(UTC) if t.tzinfo else t
    except (ValueError, OverflowError):
        return None
    return t if _FIRST <= t.year < _LAST else None


def _coarsen(place: int, step: int) -> int:
    """The place of a period on the next wider step: hours and days count from 1970, months and years from 0."""
    if step == 0:
        return place // 24
    if step == 1:
        day = _EPOCH + timedelta(place)
        return day.year * 12 + day.month - 1
    return place // 12


def _label(place: int, step: int) -> str:
    if step == 0:
        return f"{_EPOCH + timedelta(place // 24)} {place % 24:02}:00"
    if step == 1:
        return str(_EPOCH + timedelta(place))
    return f"{place // 12}-{place % 12 + 1:02}" if step == 2 else str(place)

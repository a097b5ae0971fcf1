"""Events that the log of a program shows more than once.

A program prints an event as it comes, and once more where it has parsed it, handles it, hands it on to a browser or a
queue, or lists what was said; and with two handlers every line stands twice. The service sends each once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_SPOKEN = frozenset({"turn.update", "turn.eager_end", "turn.end", "transcript"})
_ENDS = frozenset({"turn.end", "transcript"})
_MOST_LOOKS = 200
_LEAST_TEXTS = 2
_LEAST_ALIKE = 3
_LEAST_DOUBLED = 6
_DOUBLED = 0.9
_NEAR_S = 0.25
_AT_ONCE_S = 0.05


@dataclass(frozen=True, slots=True)
class Told:
    """An event that a line shows.

    Attributes:
        kind: Its type.
        text: Its text, None where it has none or the line does not show it.
        look: How its line looks.
        t: Seconds, None without a time.
        is_named: It carries a request.
        is_listed: It stands in a list, or beside others in its line.
    """

    kind: str
    text: str | None
    look: str
    t: float | None
    is_named: bool
    is_listed: bool


def first_shown(told: Sequence[Told]) -> dict[int, int]:
    """Return the places of the events that are shown for the first time, each with that of its best showing.

    Args:
        told: The events of one connection, in the order of the log.
    """
    copies = _copied_streams(told)
    walk = _Walk(told, doubled_looks(told), any(event.kind == "turn.start" for event in told))
    for place in range(len(told)):
        if place not in copies:
            walk.take(place)
    return walk.kept


def doubled_looks(told: Sequence[Told]) -> frozenset[str]:
    """Return the looks of lines of which each stands twice."""
    last: dict[str, tuple[str, str | None] | None] = {}
    pairs: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for event in told:
        known = (event.kind, event.text)
        count[event.look] += 1
        if last.get(event.look) == known:
            pairs[event.look] += 2
            last[event.look] = None
        else:
            last[event.look] = known
    return frozenset(look for look, size in count.items() if size >= _LEAST_DOUBLED and pairs[look] >= _DOUBLED * size)


def _copied_streams(told: Sequence[Told]) -> set[int]:
    """The events of the looks that show nothing but what lines of another look show as well."""
    groups: dict[str, list[int]] = {}
    for place, event in enumerate(told):
        groups.setdefault(event.look, []).append(place)
    if not 1 < len(groups) <= _MOST_LOOKS:
        return set()
    ranked = sorted(groups.values(), key=lambda group: _rank(told, group), reverse=True)
    best = _contents(told, ranked[0])
    known, kinds = set(best), Counter(told[place].kind for place in ranked[0])
    named = Counter(event.kind for event in told if event.is_named)
    copies: set[int] = set()
    for group in ranked[1:]:
        contents = _contents(told, group)
        own = Counter(told[place].kind for place in group)
        if contents:
            is_copy = known.issuperset(contents) and (
                len({text for kind, text in contents if kind in _ENDS}) >= _LEAST_TEXTS
                or (len(contents) >= _LEAST_ALIKE and contents == [item for item in best if item[0] in own])
            )
        else:  # words of a line, beside messages that are printed whole
            is_copy = not any(told[place].is_named for place in group)
        there = kinds if contents else named
        is_told = {kind for kind, size in own.items() if there[kind] >= size * _DOUBLED}
        copied = (
            {place for place in group if told[place].text is not None or told[place].kind in is_told}
            if is_copy
            else set()
        )
        copies |= copied
        known.update(contents)
        kinds.update(told[place].kind for place in group if place not in copied)
    return copies


def _rank(told: Sequence[Told], group: Sequence[int]) -> tuple[int, int, int]:
    """How much lines of one look tell: texts, requests; of those that tell as much the first."""
    texts = sum(told[place].text is not None for place in group)
    return texts, sum(told[place].is_named for place in group), -group[0]


def _contents(told: Sequence[Told], group: Sequence[int]) -> list[tuple[str, str]]:
    return [(told[place].kind, text) for place in group if (text := told[place].text) is not None]


class _Walk:
    """Follows the events in their order, and leaves out each that shows one before it again.

    Args:
        told: All of them.
        doubled: Looks of lines that stand twice.
        tells_starts: The beginnings of turns are shown, so that a turn cannot end twice.

    Attributes:
        kept: The places of those that are kept, each with that of its best showing.
    """

    def __init__(self, told: Sequence[Told], doubled: frozenset[str], tells_starts: bool) -> None:
        self.kept: dict[int, int] = {}
        self._told = told
        self._doubled = doubled
        self._tells_starts = tells_starts
        self._last: dict[str, int] = {}  # by type
        self._before = -1
        self._ends: set[str | None] = {None}
        self._alone: set[str] = set()  # texts of the ends that were shown each for itself
        self._is_open = False

    def take(self, place: int) -> None:
        """Take the next one in."""
        event = self._told[place]
        before = self._last.get(event.kind)
        if before is not None and self._is_again(event, before):
            if event.text is not None and self._told[self.kept[before]].text is None:
                self.kept[before] = place
            return
        self.kept[place] = self._last[event.kind] = self._before = place
        if event.kind in ("turn.start", "turn.end"):
            self._is_open = event.kind == "turn.start"
        if event.kind in _ENDS:
            self._ends.add(event.text)
            if event.text is not None and not event.is_listed:
                self._alone.add(event.text)

    def _is_again(self, event: Told, before: int) -> bool:
        """Whether an event shows the last one of its type, or an earlier end of a turn, once more."""
        other = self._told[self.kept[before]]
        is_other_look = event.look != self._told[before].look
        is_next = before == self._before
        is_near = _apart(event, self._told[before]) <= (_NEAR_S if is_other_look else _AT_ONCE_S)
        if event.kind == "error":
            return event.text == other.text
        if event.kind not in _SPOKEN:
            return is_next or (is_near and is_other_look)
        is_known = event.is_listed and event.text in self._alone
        if event.kind == "turn.end" and self._tells_starts and not self._is_open:
            return event.text in self._ends
        if event.kind in _ENDS and is_known:
            return True
        if event.text is None and other.text is None and not is_other_look:
            return False
        alike = event.text == other.text or event.text is None or other.text is None
        if event.kind in _ENDS and not is_near:
            return alike and is_next and (is_other_look or event.look in self._doubled)
        return alike and (is_next or is_near)


def _apart(event: Told, other: Told) -> float:
    """Seconds between two events, infinite without times."""
    return float("inf") if event.t is None or other.t is None else abs(event.t - other.t)

"""Events that the log of a program shows more than once.

A program prints an event as it comes, and once more where it has parsed it, handles it, hands it on to a browser or a
queue, or lists what was said; and with two handlers every line stands twice. The service sends each once.
"""

from collections import Counter
from collections.abc import Sequence

from sttdoctor.values import immutable

_SPOKEN = frozenset({"turn.update", "turn.eager_end", "turn.end", "transcript"})
_ENDS = frozenset({"turn.end", "transcript"})
_MOST_LOOKS = 50
_LEAST_TEXTS = 2
_LEAST_ALIKE = 3
_DOUBLED = 0.9
_TELLING = 4
"""Characters at the beginning of a text; it only grows while a turn is open."""
_NEAR_S = 0.25
_AT_ONCE_S = 0.05


@immutable
class Told:
    """An event that a line shows.

    Attributes:
        kind: Its type.
        text: Its text, None where it has none or the line does not show it.
        look: How its line looks.
        t: Seconds, None without a time.
        is_named: It carries a request.
        is_listed: It stands in a list, or beside others in its line.
        is_again: Its line is the one before it once more, with its time.
    """

    kind: str
    text: str | None
    look: str
    t: float | None
    is_named: bool
    is_listed: bool
    is_again: bool


def first_shown(told: Sequence[Told]) -> dict[int, int]:
    """Return the places of the events that are shown for the first time, each with that of its best showing.

    Args:
        told: The events of one connection, in the order of the log.
    """
    copies = _copied_streams(told)
    walk = _Walk(
        told, are_doubled([event.is_again for event in told]), any(event.kind == "turn.start" for event in told)
    )
    for place in range(len(told)):
        if place not in copies:
            walk.take(place)
    return walk.kept


def are_doubled(again: Sequence[bool]) -> bool:
    """Whether every line stands twice, by which of them are the one before once more."""
    return bool(again) and 2 * sum(again) >= _DOUBLED * len(again)


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
        copied: set[int] = set()
        if contents and told[group[0]].is_listed and _lists_again(contents, known, kinds):
            copied.update(group)
        elif contents and _tells_again(contents, best, known, kinds):
            is_told = {kind for kind, size in own.items() if kinds[kind] >= size * _DOUBLED}
            copied.update(place for place in group if told[place].text is not None or told[place].kind in is_told)
        elif not contents and all(named[kind] >= size * _DOUBLED for kind, size in own.items()):
            # words of a line, beside messages that are printed whole
            copied.update(place for place in group if not told[place].is_named)
        copies |= copied
        known.update(contents)
        kinds.update(told[place].kind for place in group if place not in copied)
    return copies


def _tells_again(
    contents: list[tuple[str, str]], best: list[tuple[str, str]], known: set[tuple[str, str]], kinds: Counter[str]
) -> bool:
    """Whether texts of one look are those that others show: several, or all that the best look shows."""
    if not known.issuperset(contents):
        return False
    if len({text for kind, text in contents if kind in _ENDS}) >= _LEAST_TEXTS:
        return True
    own = {kind for kind, _ in contents}
    is_whole = len(contents) >= _LEAST_ALIKE or kinds["turn.start"] == kinds["turn.end"]
    return is_whole and contents == [item for item in best if item[0] in own]


def _lists_again(contents: list[tuple[str, str]], known: set[tuple[str, str]], kinds: Counter[str]) -> bool:
    """Whether a list has the ends of turns that were shown before, or as many where those were without their text."""
    ends = {item for item in contents if item[0] in _ENDS}
    has_texts = any(kind in _ENDS for kind, _ in known)
    return ends <= known or (not has_texts and sum(kinds[kind] for kind in _ENDS) >= len(ends))


def _rank(told: Sequence[Told], group: Sequence[int]) -> tuple[bool, int, int]:
    """How much lines of one look tell: each event for itself, texts; of those that tell as much the first."""
    is_single = not any(told[place].is_listed for place in group)
    return is_single, len(set(_contents(told, group))), -group[0]


def _contents(told: Sequence[Told], group: Sequence[int]) -> list[tuple[str, str]]:
    return [(told[place].kind, text) for place in group if (text := told[place].text) is not None]


class _Walk:
    """Follows the events in their order, and leaves out each that shows one before it again.

    Args:
        told: All of them.
        are_doubled: Every line stands twice.
        tells_starts: The beginnings of turns are shown, so that a turn cannot end twice.

    Attributes:
        kept: The places of those that are kept, each with that of its best showing.
    """

    def __init__(self, told: Sequence[Told], are_doubled: bool, tells_starts: bool) -> None:
        self.kept: dict[int, int] = {}
        self._told = told
        self._are_doubled = are_doubled
        self._tells_starts = tells_starts
        self._last: dict[str, int] = {}  # by type
        self._before = -1
        self._ends: set[str | None] = {None}
        self._alone: set[str] = set()  # texts of the ends that were shown each for itself
        self._is_open = False
        self._said: str | None = None  # in the turn that is open

    def take(self, place: int) -> None:
        """Take the next one in."""
        event = self._told[place]
        before = self._last.get(event.kind)
        if before is not None and self._is_again(event, before):
            # a text that is known is that of an earlier turn, in a list
            if self._told[self.kept[before]].text is None and event.text not in self._ends:
                self.kept[before] = place
                self._ends.add(event.text)
            return
        self.kept[place] = self._last[event.kind] = self._before = place
        self._said = event.text
        if event.kind in ("turn.start", "turn.end"):
            self._is_open = event.kind == "turn.start"
        if event.kind in _ENDS:
            self._ends.add(event.text)
            if event.text is not None and not event.is_listed:
                self._alone.add(event.text)

    def _says_other(self, text: str | None) -> bool:
        """Whether the turn that is open has another text than one that it is said to end with."""
        return bool(self._said and text) and str(text)[:_TELLING] != str(self._said)[:_TELLING]

    def _is_again(self, event: Told, before: int) -> bool:
        """Whether an event shows the last one of its type, or an earlier end of a turn, once more."""
        other = self._told[self.kept[before]]
        is_other_look = event.look != self._told[before].look
        is_next = before == self._before
        is_near = _apart(event, self._told[before]) <= (_NEAR_S if is_other_look else _AT_ONCE_S)
        if event.kind == "error":
            return event.text == other.text
        if event.is_again and is_next and (event.t is not None or self._are_doubled):
            return True
        if event.kind not in _SPOKEN:
            return is_next or (is_near and is_other_look)
        is_known = event.text in self._alone and (event.is_listed or (is_other_look and self._says_other(event.text)))
        if event.kind == "turn.end" and self._tells_starts and not self._is_open:
            return event.text in self._ends or (is_next and other.text is None)
        if event.kind in _ENDS and is_known:
            return True
        if event.text is None and other.text is None and not is_other_look:
            return False
        alike = event.text == other.text or event.text is None or other.text is None
        if event.kind in _ENDS and not is_near:
            return alike and is_next and is_other_look
        return alike and (is_next or is_near)


def _apart(event: Told, other: Told) -> float:
    """Seconds between two events, infinite without times."""
    return float("inf") if event.t is None or other.t is None else abs(event.t - other.t)

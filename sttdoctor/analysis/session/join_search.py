"""Read a text as turns of which some are missing, repeated or stand in an unfinished version.

Each turn may stand in the text as it ended, two to four times, in a version before its end, or not at all; the reading
with the fewest deviations wins. Every turn may be missing, so where the text can be read at all is a question of how
few turns lead to each place in it, which one pass answers. Only where it can, the simplest reading is searched, the
likeliest places first (A*, Hart, Nilsson and Raphael 1968). Both count their steps: texts in which every part fits
everywhere have more readings than can be looked at.
"""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sttdoctor.analysis.session.turns import Turn
from sttdoctor.values import immutable

MAX_STEPS = 100_000
"""Versions that are held against the text, a quarter of a second; `_STEPS_A_TEXT` more for each text of an event."""
_STEPS_A_TEXT = 12

_MISSING, _PARTIAL = 2, 3  # what a deviation costs; a turn n times over costs n + 1
_MOST_TIMES = 4
_HEADS = (64, 32, 16, 8, 4, 2, 1)  # letters by which versions are found: the most that a version has
_COMPARED = 1 << 12  # letters that are compared in one step


class TooManyStepsError(Exception):
    """The search was given up: whether the text can be read so, or how, is not known."""


@immutable
class Part:
    """What stands in the text: the number of the turn, from 0, and as what: `end`, `repeated` or `partial`."""

    turn: int
    kind: str
    text: str


@dataclass(slots=True)
class _Version:
    """Letters of one or more turns, all at their end or all before it.

    Of turns that are alike the next one serves best: any that follow can be left out for the same cost. An open turn
    costs nothing where it is left out, so it is like no turn that ended.
    """

    letters: str
    is_end: bool
    turns: list[int] = field(default_factory=list)


@immutable
class _Step:
    """A version at a place of the text."""

    turn: int
    version: _Version
    times: int
    skipped: int

    @property
    def cost(self) -> int:
        own = 0 if self.version.is_end and self.times == 1 else self.times + 1 if self.version.is_end else _PARTIAL
        return own + _MISSING * self.skipped


def find_simplest_reading(
    letters: str, turns: Sequence[Turn], letters_of: Callable[[str], str], share: int = 1
) -> list[Part] | None:
    """Find the reading of a text that departs least from every turn as it ended.

    Args:
        letters: The text, as `letters_of` gives it.
        turns: All turns, in order.
        letters_of: What of a text is compared.
        share: One in so many of `MAX_STEPS` may be taken.

    Returns:
        The turns that stand in the text, in order, or None where it cannot be read so.

    Raises:
        TooManyStepsError: The search was given up.
    """
    search = _Search(letters, turns, letters_of, share)
    if not search.can_be_read():
        return None
    return [search.part(step) for step in search.steps()]


class _Search:
    def __init__(self, letters: str, turns: Sequence[Turn], letters_of: Callable[[str], str], share: int = 1) -> None:
        self._letters = letters
        self._turns = turns
        self._letters_of = letters_of
        self._left = MAX_STEPS // share + _STEPS_A_TEXT * sum(len(turn.pieces) for turn in turns)
        self._by_head: dict[str, list[_Version]] = {}
        # turns, and letters of their ends, before each turn
        self._ended, self._lengths = [0], [0]
        self._collect()
        self._heads = sorted({len(head) for head in self._by_head})

    def _collect(self) -> None:
        known: dict[tuple[str, bool, bool], _Version] = {}
        for number, turn in enumerate(self._turns):
            end = self._letters_of(turn.end or "")
            self._ended.append(self._ended[-1] + bool(end))
            self._lengths.append(self._lengths[-1] + len(end))
            partials = dict.fromkeys(text for kind, text in turn.pieces if kind != "end")
            for letters, is_end in [(end, True), *((self._letters_of(text), False) for text in partials)]:
                if letters:
                    version = known.setdefault((letters, is_end, bool(end)), _Version(letters, is_end))
                    if not version.turns or version.turns[-1] != number:
                        version.turns.append(number)
        for version in known.values():
            size = next(size for size in _HEADS if size <= len(version.letters))
            self._by_head.setdefault(version.letters[:size], []).append(version)
        ends = [len(version.letters) for version in known.values() if version.is_end]
        partials_ = [len(version.letters) for version in known.values() if not version.is_end]
        self._longest = max(ends, default=0)
        # letters that one unit of cost adds at most
        self._gain = max((_MOST_TIMES - 1) * self._longest / (_MOST_TIMES + 1), max(partials_, default=0) / _PARTIAL)

    def can_be_read(self) -> bool:
        """Whether there is any reading: the fewest turns that lead to each place of the text."""
        fewest = {0: 0}
        waiting = [0]
        while waiting:
            place = heapq.heappop(waiting)
            if place == len(self._letters):
                return True
            for step, end in self._list_options(fewest[place], place):
                if end not in fewest:
                    heapq.heappush(waiting, end)
                if step.turn + 1 < fewest.get(end, len(self._turns) + 1):
                    fewest[end] = step.turn + 1
        return False

    def steps(self) -> list[_Step]:
        """The steps of the simplest reading; there is one."""
        goal, start = (len(self._turns), len(self._letters)), (0, 0)
        costs = {start: 0}
        came: dict[tuple[int, int], tuple[tuple[int, int], _Step | None]] = {}
        waiting = [(self._bound_cost(*start), 0, start)]
        while True:
            bound, _, state = heapq.heappop(waiting)
            if state == goal:
                break
            turn, place = state
            if bound > costs[state] + self._bound_cost(turn, place):
                continue  # a cheaper way to it was found since
            options: list[tuple[tuple[int, int], _Step | None, int]] = [
                ((step.turn + 1, end), step, step.cost) for step, end in self._list_options(turn, place)
            ]
            if place == len(self._letters):
                options.append((goal, None, _MISSING * (self._ended[-1] - self._ended[turn])))
            for following, step, cost in options:
                total = costs[state] + cost
                if total < costs.get(following, total + 1):
                    costs[following], came[following] = total, (state, step)
                    heapq.heappush(waiting, (total + self._bound_cost(*following), -following[1], following))
        found = []
        while state != start:
            state, step = came[state]
            found += [step] if step is not None else []
        return found[::-1]

    def _bound_cost(self, turn: int, place: int) -> int:
        """What the rest costs at least: turns that have no room, or letters that no turn is there for."""
        more = self._lengths[-1] - self._lengths[turn] - (len(self._letters) - place)
        if more > 0:
            return _MISSING * -(-more // self._longest)
        return int(-(more / self._gain)) if more else 0

    def _list_options(self, turn: int, place: int) -> Iterator[tuple[_Step, int]]:
        """What may stand at a place, from a turn on: of each version the next turn that has it; and where it ends."""
        for length in self._heads:
            if place + length > len(self._letters):
                break
            for version in self._by_head.get(self._letters[place : place + length], ()):
                size = len(version.letters)
                self._count(size)
                if not self._letters.startswith(version.letters, place):
                    continue
                at = bisect_left(version.turns, turn)
                if at == len(version.turns):
                    continue
                number = version.turns[at]
                skipped = self._ended[number] - self._ended[turn]
                end = place
                for times in range(1, _MOST_TIMES + 1 if version.is_end else 2):
                    if times > 1 and not self._letters.startswith(version.letters, end):
                        break
                    self._count(size)
                    end += size
                    yield _Step(number, version, times, skipped), end

    def _count(self, compared: int) -> None:
        self._left -= 1 + compared // _COMPARED
        if self._left < 0:
            raise TooManyStepsError

    def part(self, step: _Step) -> Part:
        """What a step puts into the text."""
        turn = self._turns[step.turn]
        if step.version.is_end:
            return Part(step.turn, "end" if step.times == 1 else "repeated", (turn.end or "") * step.times)
        texts = (text for kind, text in turn.pieces if kind != "end" and self._letters_of(text) == step.version.letters)
        return Part(step.turn, "partial", next(texts))

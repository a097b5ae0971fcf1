"""The part of a text that a capture can show, where it holds only a part of the session.

A capture that began after the first turn, or stopped before the last, knows nothing of what the application has from
elsewhere. So the part is looked for that its own turns may have given; what stands before or behind it is left alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sttdoctor.analysis.session.join_spelling import cut_beginning, extract_letters, list_words
from sttdoctor.analysis.session.turns import Turn
from sttdoctor.values import immutable

_MOST_PLACES = 8  # at which a turn may stand
_MOST_WORDS, _LONGER = 8_000, 1.1
_BEFORE, _BEHIND = re.compile(r"^[\W_]+"), re.compile(r"[\W_]+$")


@immutable
class Shown:
    """Which part of the session a capture holds.

    Attributes:
        begins: It holds the beginning of the session.
        ends: It holds the end of the session.
    """

    begins: bool = True
    ends: bool = True

    @property
    def whole(self) -> bool:
        """Whether nothing of the session can be missing."""
        return self.begins and self.ends


@immutable
class Excerpt:
    """A part of a text, and the turns that it is compared with: both without the signs at edges that are cut."""

    got: str
    turns: Sequence[Turn]


def excerpts(got: str, turns: Sequence[Turn], shown: Shown) -> Iterator[Excerpt]:
    """Yield the parts of a text that the turns of a capture may have given, the longest of what is sure first.

    Args:
        got: The application's text.
        turns: All turns of the capture, in order.
        shown: Which part of the session they are; not the whole.
    """
    letters, spoken = (
        extract_letters(got),
        [turn for turn in turns if any(extract_letters(text) for _, text in turn.pieces)],
    )
    if not letters or not spoken:
        return
    firsts = [extract_letters(text) for _, text in spoken[0].pieces]
    lasts = [extract_letters(text) for _, text in spoken[-1].pieces]
    starts = [0] if shown.begins else _places(letters, firsts)
    stops = [len(letters)] if shown.ends else [_end(letters, place, lasts) for place in _places(letters, lasts)][::-1]
    for start in starts:
        for stop in stops:
            if start < stop and stop - start < len(letters):
                yield _excerpt(got, turns, start, stop, shown)


def _places(letters: str, texts: Sequence[str]) -> list[int]:
    """Where a turn may stand in a text: the places of its final text, else of the longest one before, last first."""
    for text in sorted(filter(None, texts), key=len, reverse=True):
        found: list[int] = []
        at = letters.rfind(text)
        while at >= 0 and len(found) < _MOST_PLACES:
            found.append(at)
            at = letters.rfind(text, 0, at + len(text) - 1)
        if found:
            return found
    return []


def _end(letters: str, place: int, texts: Sequence[str]) -> int:
    return place + max((len(text) for text in texts if letters.startswith(text, place)), default=0)


def _excerpt(got: str, turns: Sequence[Turn], start: int, stop: int, shown: Shown) -> Excerpt:
    text = got[len(cut_beginning(got, start)) : None if shown.ends else len(cut_beginning(got, stop))]
    cut = list(turns)
    spoken = [number for number, turn in enumerate(turns) if any(extract_letters(text) for _, text in turn.pieces)]
    if not shown.begins:
        text = _BEFORE.sub("", text)
        if spoken:
            cut[spoken[0]] = _without(cut[spoken[0]], _BEFORE)
    if not shown.ends:
        text = _BEHIND.sub("", text)
        if spoken:
            cut[spoken[-1]] = _without(cut[spoken[-1]], _BEHIND)
    return Excerpt(text, cut)


def _without(turn: Turn, signs: re.Pattern[str]) -> Turn:
    pieces = [(kind, signs.sub("", text)) for kind, text in turn.pieces]
    return replace(turn, pieces=pieces, end=None if turn.end is None else signs.sub("", turn.end))


def is_longer(got: str, right: str, least: float) -> bool:
    """Whether a text holds clearly more words than another, and that one's in order.

    Args:
        got: The text.
        right: The other one.
        least: Share (0..1) of its words that must stand in the text; what stands between them does not count.
    """
    from rapidfuzz.distance import LCSseq

    ours, theirs = list_words(right)[:_MOST_WORDS], list_words(got)[:_MOST_WORDS]
    if len(theirs) <= _LONGER * len(ours):
        return False
    return not ours or LCSseq.similarity(ours, theirs) >= least * len(ours)

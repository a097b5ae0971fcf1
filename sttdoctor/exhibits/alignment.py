"""Two texts word by word: which word of one is which word of the other.

Words are compared without case. Stretches of one text that stand whole in the other are found first, the longest before
the others, so that what was put in between shows as one piece; what is left is aligned by the longest common
subsequence (rapidfuzz).
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_BORDER = "\x00"
_LONGEST_GLUED = 60  # characters; and how many such words are looked at
_MOST_GLUED = 5_000
_MAX_CELLS = 500_000_000  # words times words; a bit each in memory

Match = tuple[int, int]
"""(word of the right text, word of the application's text)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text as words and what stands between them: gap 0, word 0, gap 1, word 1, ..., last gap."""

    words: list[str]
    gaps: list[str]
    keys: list[str]
    starts: list[int]


def key_of(word: str) -> str:
    """Return a word as it is compared."""
    return word.casefold().replace("\u2019", "'")


def split(text: str) -> Text:
    """Split a text into words and what stands between them."""
    words, gaps, starts, end = [], [], [], 0
    for match in WORD.finditer(text):
        words.append(match.group())
        gaps.append(text[end : match.start()])
        starts.append(match.start())
        end = match.end()
    return Text(words, [*gaps, text[end:]], [key_of(word) for word in words], starts)


def unglued(text: Text, known: set[str]) -> Text:
    """Take words apart that are two or more known words without a space.

    Args:
        text: The text; its starts are lost.
        known: Words as `key_of` gives them.
    """
    unknown = list(dict.fromkeys(key for key in text.keys if key not in known and len(key) <= _LONGEST_GLUED))
    apart = {key: parts for key in unknown[:_MOST_GLUED] if (parts := _parts(key, known))}
    if not apart:
        return text
    words, gaps = [], []
    for gap, word, key in zip(text.gaps, text.words, text.keys, strict=False):
        parts = apart.get(key) if len(key) == len(word) else None
        cuts = [0, *accumulate(map(len, parts or [word]))]
        words += [word[a:b] for a, b in pairwise(cuts)]
        gaps += [gap, *[""] * (len(cuts) - 2)]
    return Text(words, [*gaps, text.gaps[-1]], [key_of(word) for word in words], [])


def _parts(key: str, known: set[str]) -> list[str] | None:
    """The fewest known words that a word is made of; None where it is not."""
    best: dict[int, list[str]] = {0: []}
    for end in range(1, len(key) + 1):
        options = [[*best[start], key[start:end]] for start in range(end) if start in best and key[start:end] in known]
        if options:
            best[end] = min(options, key=len)
    return best.get(len(key))


def matches(right: Text, theirs: Text, of_turn: list[int]) -> Iterator[Match]:
    """Pairs of words, both sides rising.

    Args:
        right: The right text.
        theirs: The other one.
        of_turn: Of each word of the right text the turn that it stands in; a turn is searched as a whole.
    """
    i = j = 0
    for start, stop, at in [*_anchors(right.keys, theirs.keys, of_turn), (len(right.keys), len(right.keys), None)]:
        upto = len(theirs.keys) if at is None else at
        yield from _aligned(right.keys, theirs.keys, (i, start), (j, upto))
        if at is not None:
            yield from zip(range(start, stop), range(at, at + stop - start), strict=True)
            i, j = stop, at + stop - start


def _anchors(right: list[str], theirs: list[str], of_turn: list[int]) -> list[tuple[int, int, int]]:
    """(first word, end, first word there) of each turn of three words or more that stands whole in the other text."""
    text = _BORDER + _BORDER.join(theirs) + _BORDER
    starts = list(accumulate((len(word) + 1 for word in theirs), initial=0))
    edges = [i for i in range(len(right)) if i == 0 or of_turn[i] != of_turn[i - 1]]
    ranges = [(a, b) for a, b in pairwise([*edges, len(right)]) if b - a >= 3]
    placed: list[tuple[int, int, int]] = []
    for a, b in sorted(ranges, key=lambda part: part[0] - part[1]):
        where = bisect_left(placed, (a, b, 0))
        low = placed[where - 1][2] + placed[where - 1][1] - placed[where - 1][0] if where else 0
        high = placed[where][2] if where < len(placed) else len(theirs)
        # the last place: what led up to a final text stands before it
        at = text.rfind(_BORDER + _BORDER.join(right[a:b]) + _BORDER, starts[low], starts[high] + 1)
        if at >= 0:
            placed.insert(where, (a, b, bisect_left(starts, at)))
    return placed


def _aligned(right: list[str], theirs: list[str], one: tuple[int, int], other: tuple[int, int]) -> Iterator[Match]:
    from rapidfuzz.distance import Indel

    size = (one[1] - one[0]) * (other[1] - other[0])
    if not 0 < size <= _MAX_CELLS:
        return
    for part in Indel.opcodes(right[slice(*one)], theirs[slice(*other)]):
        if part.tag == "equal":
            for step in range(part.src_end - part.src_start):
                yield one[0] + part.src_start + step, other[0] + part.dest_start + step

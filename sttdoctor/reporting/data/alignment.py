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
from random import Random

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_BORDER = "\x00"
_LONGEST_GLUED = 60  # characters; and how many such words are looked at
_MOST_GLUED = 5_000
_MAX_CELLS = 500_000_000  # words times words; a bit each in memory
_MAX_SEARCHED = 100_000_000  # characters, over all turns that are looked for

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
    fewest = {0: (0, 0)}  # where a word ends: how many end there, and where the last of them begins
    for end in range(1, len(key) + 1):
        options = [(fewest[start][0] + 1, start) for start in range(end) if start in fewest and key[start:end] in known]
        if options:
            fewest[end] = min(options)
    if len(key) not in fewest:
        return None
    cuts = [len(key)]
    while cuts[-1]:
        cuts.append(fewest[cuts[-1]][1])
    return [key[a:b] for a, b in pairwise(reversed(cuts))]


def matches(right: Text, theirs: Text, of_turn: list[int]) -> tuple[list[Match], bool]:
    """Find pairs of words, both sides rising.

    Args:
        right: The right text.
        theirs: The other one.
        of_turn: Of each word of the right text the turn that it stands in; a turn is searched as a whole.

    Returns:
        The pairs, and whether all of both texts could be compared.
    """
    i = j = 0
    anchors, whole = _anchors(right.keys, theirs.keys, of_turn)
    found: list[Match] = []
    for start, stop, at in [*anchors, (len(right.keys), len(right.keys), len(theirs.keys))]:
        if (start - i) * (at - j) <= _MAX_CELLS:
            found += _aligned(right.keys, theirs.keys, (i, start), (j, at))
        else:
            whole = False
        found += zip(range(start, stop), range(at, at + stop - start), strict=True)
        i, j = stop, at + stop - start
    return found, whole


def _anchors(right: list[str], theirs: list[str], of_turn: list[int]) -> tuple[list[tuple[int, int, int]], bool]:
    """(first word, end, first word there) of each turn of three words or more that stands whole in the other text.

    Of several places the last: what led up to a final text stands before it. The texts are searched backwards, since
    looking for the first place takes a time that grows with the length alone; for the last it does not.

    Returns:
        The places in their order, and whether all turns could be looked for.
    """
    backwards = (_BORDER + _BORDER.join(theirs) + _BORDER)[::-1]
    starts = list(accumulate((len(word) + 1 for word in theirs), initial=0))
    edges = [i for i in range(len(right)) if i == 0 or of_turn[i] != of_turn[i - 1]]
    ranges = [(a, b) for a, b in pairwise([*edges, len(right)]) if b - a >= 3]
    placed: list[tuple[int, int, int]] = []
    left = _MAX_SEARCHED
    # the longest first; those that are equally long in any order but their own, so that what is left is soon short
    for a, b in sorted(Random(0).sample(ranges, len(ranges)), key=lambda part: part[0] - part[1]):
        where = bisect_left(placed, (a, b, 0))
        low = starts[placed[where - 1][2] + placed[where - 1][1] - placed[where - 1][0] if where else 0]
        high = starts[placed[where][2] if where < len(placed) else len(theirs)] + 1
        left -= high - low
        if left < 0:
            return placed, False
        wanted = (_BORDER + _BORDER.join(right[a:b]) + _BORDER)[::-1]
        at = backwards.find(wanted, len(backwards) - high, len(backwards) - low)
        if at >= 0:
            placed.insert(where, (a, b, bisect_left(starts, len(backwards) - at - len(wanted))))
    return placed, True


def _aligned(right: list[str], theirs: list[str], one: tuple[int, int], other: tuple[int, int]) -> Iterator[Match]:
    from rapidfuzz.distance import Indel

    for part in Indel.opcodes(right[slice(*one)], theirs[slice(*other)]):
        if part.tag == "equal":
            for step in range(part.src_end - part.src_start):
                yield one[0] + part.src_start + step, other[0] + part.dest_start + step

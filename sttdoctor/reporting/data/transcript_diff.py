"""The transcript turn by turn, with the application's text aligned to it.

White space and punctuation between two words are compared where both words have their partner in the other text.

Words are compared without case. Stretches of one text that stand whole in the other are found first, the longest before
the others, so that what was put in between shows as one piece; what is left is aligned by the longest common
subsequence (rapidfuzz).
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from random import Random

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.turns import Turn
from sttdoctor.reporting.data.values import Piece, TurnText, Wording
from sttdoctor.values import immutable

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_BORDER = "\x00"
_LONGEST_GLUED = 60  # characters; and how many such words are looked at
_MOST_GLUED = 5_000
_MAX_CELLS = 500_000_000  # words times words; a bit each in memory
_MAX_SEARCHED = 100_000_000  # characters, over all turns that are looked for

Match = tuple[int, int]
"""(word of the right text, word of the application's text)."""

MAX_TURNS = 2000
MAX_TEXT = 200_000
"""Characters of the final texts that are compared and shown."""
MAX_GOT = 1_000_000
"""Characters of the application's text that are compared: appended updates make it many times longer."""
MAX_PIECE = 2_000
"""Characters of one piece that are shown."""

_Run = tuple[str, str, str]
"""Kind, text as it should be, text as it is: what a piece is joined from."""
_ALONE = ("glued", "spaced")


@immutable
class Text:
    """A text as words and what stands between them: gap 0, word 0, gap 1, word 1, ..., last gap."""

    words: list[str]
    gaps: list[str]
    keys: list[str]
    starts: list[int]


def fold_word(word: str) -> str:
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
    return Text(words, [*gaps, text[end:]], [fold_word(word) for word in words], starts)


def unglue(text: Text, known: set[str]) -> Text:
    """Take words apart that are two or more known words without a space.

    Args:
        text: The text; its starts are lost.
        known: Words as `fold_word` gives them.
    """
    unknown = list(dict.fromkeys(key for key in text.keys if key not in known and len(key) <= _LONGEST_GLUED))
    apart = {key: parts for key in unknown[:_MOST_GLUED] if (parts := _split_parts(key, known))}
    if not apart:
        return text
    words, gaps = [], []
    for gap, word, key in zip(text.gaps, text.words, text.keys, strict=False):
        parts = apart.get(key) if len(key) == len(word) else None
        cuts = [0, *accumulate(map(len, parts or [word]))]
        words += [word[a:b] for a, b in pairwise(cuts)]
        gaps += [gap, *[""] * (len(cuts) - 2)]
    return Text(words, [*gaps, text.gaps[-1]], [fold_word(word) for word in words], [])


def _split_parts(key: str, known: set[str]) -> list[str] | None:
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


def match_words(right: Text, theirs: Text, of_turn: list[int]) -> tuple[list[Match], bool]:
    """Find pairs of words, both sides rising.

    Args:
        right: The right text.
        theirs: The other one.
        of_turn: Of each word of the right text the turn that it stands in; a turn is searched as a whole.

    Returns:
        The pairs, and whether all of both texts could be compared.
    """
    i = j = 0
    anchors, whole = _find_anchors(right.keys, theirs.keys, of_turn)
    found: list[Match] = []
    for start, stop, at in [*anchors, (len(right.keys), len(right.keys), len(theirs.keys))]:
        if (start - i) * (at - j) <= _MAX_CELLS:
            found += _align(right.keys, theirs.keys, (i, start), (j, at))
        else:
            whole = False
        found += zip(range(start, stop), range(at, at + stop - start), strict=True)
        i, j = stop, at + stop - start
    return found, whole


def _find_anchors(right: list[str], theirs: list[str], of_turn: list[int]) -> tuple[list[tuple[int, int, int]], bool]:
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


def _align(right: list[str], theirs: list[str], one: tuple[int, int], other: tuple[int, int]) -> Iterator[Match]:
    from rapidfuzz.distance import Indel

    for part in Indel.opcodes(right[slice(*one)], theirs[slice(*other)]):
        if part.tag == "equal":
            for step in range(part.src_end - part.src_start):
                yield one[0] + part.src_start + step, other[0] + part.dest_start + step


def diff_transcript(facts: Facts) -> Wording | None:
    """Compare the texts of a session; None where there is no text at all."""
    session = facts.session
    if session is None:
        return None
    finished = [turn for turn in facts.turns if turn.end is not None][:MAX_TURNS]
    got = session.transcript.text if session.transcript is not None else None
    if not finished and got is None:
        return None
    ends = _is_within([turn.end or "" for turn in finished])
    compared = got[:MAX_GOT] if got is not None else None
    pieces, whole = [_is_same(end) for end in ends], True
    if compared is not None:
        pieces, whole = _compare_words(finished, ends, compared)
    counts = Counter(piece.kind for turn in pieces for piece in turn if piece.kind != "same")
    texts = [
        TurnText(i, turn.start_t, turn.end_t, turn.end_line, sum(kind != "end" for kind, _ in turn.pieces), tuple(part))
        for i, (turn, part) in enumerate(zip(finished, pieces, strict=True), start=1)
    ]
    if compared is not None and not finished:
        texts = [TurnText(0, None, None, None, 0, (_make_piece("added", "", compared),))]
    return Wording(tuple(texts), compared, counts, " ".join(_list_remarks(facts, ends, got, whole)))


def _is_within(ends: list[str]) -> list[str]:
    """Cut the texts where they are longer together than what is compared."""
    left, kept = MAX_TEXT, []
    for end in ends:
        kept.append(end[:left])
        left -= len(kept[-1])
    return kept


def _list_remarks(facts: Facts, ends: list[str], got: str | None, whole: bool) -> Iterator[str]:
    turns = [turn.end for turn in facts.turns if turn.end is not None]
    long = sum(map(len, turns)) > sum(map(len, ends)) or (got is not None and len(got) > MAX_GOT)
    if len(turns) > MAX_TURNS or long:
        yield (
            f"Only the first {MAX_TURNS} turns, {MAX_TEXT} characters of the final texts and {MAX_GOT} of the "
            "application's text are compared."
        )
    if not whole:
        yield "Where the texts differ for very long they are not compared word by word."


def _is_same(text: str) -> list[Piece]:
    return [_make_piece("same", text, text)] if text else []


def _make_piece(kind: str, text: str, got: str) -> Piece:
    return Piece(kind, _clip(text), _clip(got))


def _clip(text: str) -> str:
    if len(text) <= MAX_PIECE:
        return text
    half = MAX_PIECE // 2
    return f"{text[:half]} [... {len(text) - 2 * half} characters left out ...] {text[-half:]}"


def _compare_words(turns: Sequence[Turn], ends: list[str], got: str) -> tuple[list[list[Piece]], bool]:
    """The pieces of each turn, and whether all of the texts could be compared."""
    borders = list(accumulate(map(len, ends)))
    right = split("".join(ends))
    known = set(right.keys)
    known.update(
        fold_word(word) for turn in turns for _, text in turn.pieces[-200:] for word in WORD.findall(text[:10_000])
    )
    theirs = unglue(split(got), known)
    of_turn = [bisect_right(borders, start) for start in right.starts]
    pairs, whole = match_words(right, theirs, of_turn)
    found: list[list[_Run]] = [[] for _ in ends]
    for where, run in _find_runs(right, theirs, pairs, of_turn, borders):
        if found:
            found[min(where, len(found) - 1)].append(run)
    return [_join(runs) for runs in found], whole


def _find_runs(
    right: Text, theirs: Text, pairs: list[Match], of_turn: list[int], borders: list[int]
) -> Iterator[tuple[int, _Run]]:
    """(turn, run) in order."""
    nearby = _Nearby(right, of_turn)
    i = j = 0
    turn = 0
    for a, b in [*pairs, (len(right.words), len(theirs.words))]:
        last = a == len(right.words)
        straight = (a, b) == (i, j)
        if j < b:
            yield turn, _find_extra(theirs, nearby.words(turn), (j, b), right.gaps[i])
        for k in range(i, a):
            # the stop of the turn before the first missing word is there as long as any stop is
            kept = (of_turn[i - 1], "same") if k == i > 0 and j == b and theirs.gaps[b].strip() else None
            yield from _compare_gap(right, k, borders, "missing", kept)
            yield of_turn[k], ("missing", right.words[k], "")
        if straight:
            yield from _compare_between(right, a, theirs.gaps[b], of_turn, borders)
        else:
            lost = j == b and right.gaps[a].strip() and not theirs.gaps[b].strip()
            gone = (of_turn[a - 1], "missing") if i < a and j == b and of_turn[a - 1] > of_turn[max(i - 1, 0)] else None
            yield from _compare_gap(right, a, borders, "missing" if lost else "same", gone)
        if last:
            return
        turn = of_turn[a]
        same = right.words[a] == theirs.words[b]
        yield turn, ("same" if same else "changed", right.words[a], theirs.words[b])
        i, j = a + 1, b + 1


class _Nearby:
    """The words of a turn and of those beside it; what is asked for again and again is the turn that was asked last."""

    def __init__(self, right: Text, of_turn: list[int]) -> None:
        self._right = right
        self._of_turn = of_turn
        self._turn = -1
        self._words: set[str] = set()

    def words(self, turn: int) -> set[str]:
        if turn != self._turn:
            first, stop = bisect_left(self._of_turn, turn - 1), bisect_right(self._of_turn, turn + 1)
            self._turn, self._words = turn, set(self._right.keys[first:stop])
        return self._words


def _find_extra(theirs: Text, nearby: set[str], span: tuple[int, int], ours: str) -> _Run:
    """Words that the application has beyond the right text; repeated where they are words of a turn nearby.

    Punctuation before them that the right text has in this place (`ours`) is no part of what was added.
    """
    known = sum(key in nearby for key in theirs.keys[slice(*span)])
    text = "".join(theirs.gaps[k] + theirs.words[k] for k in range(*span))
    text = text.removeprefix(ours.rstrip()) if span[0] else text
    return "repeated" if known >= 0.8 * (span[1] - span[0]) else "added", "", text


def _compare_between(
    right: Text, number: int, theirs: str, of_turn: list[int], borders: list[int]
) -> Iterator[tuple[int, _Run]]:
    """What stands before a word (or at the end), compared where the words on both sides have partners."""
    ours = right.gaps[number]
    edge = number in (0, len(right.words))  # white space at the ends of the text is no matter of joining
    if theirs == ours or (edge and theirs.strip() == ours.strip()):
        yield from _compare_gap(right, number, borders, "same")
        return
    ours_bare, theirs_bare = "".join(ours.split()), "".join(theirs.split())
    more = (len(theirs) - len(theirs_bare)) - (len(ours) - len(ours_bare))
    kind = "changed" if ours_bare != theirs_bare or not more else "glued" if more < 0 else "spaced"
    # a difference at a border of turns belongs to the turn before it
    yield of_turn[number - 1] if number else 0, (kind, ours, theirs)


def _compare_gap(
    right: Text, number: int, borders: list[int], kind: str, of_one: tuple[int, str] | None = None
) -> Iterator[tuple[int, _Run]]:
    """A gap cut at the borders of turns; the part of one turn may be of another kind."""
    text = right.gaps[number]
    start = right.starts[number - 1] + len(right.words[number - 1]) if number else 0
    inside = borders[bisect_right(borders, start) : bisect_left(borders, start + len(text))]
    for a, b in pairwise([start, *inside, start + len(text)]):
        if b > a:
            turn, part = bisect_right(borders, a), text[a - start : b - start]
            what = of_one[1] if of_one and of_one[0] == turn else kind
            yield turn, (what, part, part if what == "same" else "")


def _join(runs: list[_Run]) -> list[Piece]:
    """Neighbours of one kind as one piece; marks of white space stay on their own."""
    pieces = []
    for (kind, _), group in groupby(enumerate(runs), key=lambda item: (item[1][0], item[1][0] in _ALONE and item[0])):
        texts = [run[1:] for _, run in group]
        pieces.append(_make_piece(kind, *("".join(parts) for parts in zip(*texts, strict=True))))
    return pieces

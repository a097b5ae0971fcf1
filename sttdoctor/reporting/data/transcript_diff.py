"""The transcript turn by turn, with the application's text aligned to it.

White space and punctuation between two words are compared where both words have their partner in the other text.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby, pairwise

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.turns import Turn
from sttdoctor.reporting.data.alignment import WORD, Match, Text, key_of, matches, split, unglued
from sttdoctor.reporting.data.values import Piece, TurnText, Wording

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


def wording(facts: Facts) -> Wording | None:
    """Compare the texts of a session; None where there is no text at all."""
    session = facts.session
    if session is None:
        return None
    finished = [turn for turn in facts.turns if turn.end is not None][:MAX_TURNS]
    got = session.transcript.text if session.transcript is not None else None
    if not finished and got is None:
        return None
    ends = _within([turn.end or "" for turn in finished])
    compared = got[:MAX_GOT] if got is not None else None
    pieces, whole = [_same(end) for end in ends], True
    if compared is not None:
        pieces, whole = _compared(finished, ends, compared)
    counts = Counter(piece.kind for turn in pieces for piece in turn if piece.kind != "same")
    texts = [
        TurnText(i, turn.start_t, turn.end_t, turn.end_line, sum(kind != "end" for kind, _ in turn.pieces), tuple(part))
        for i, (turn, part) in enumerate(zip(finished, pieces, strict=True), start=1)
    ]
    if compared is not None and not finished:
        texts = [TurnText(0, None, None, None, 0, (_piece("added", "", compared),))]
    return Wording(tuple(texts), compared, counts, " ".join(_remarks(facts, ends, got, whole)))


def _within(ends: list[str]) -> list[str]:
    """Cut the texts where they are longer together than what is compared."""
    left, kept = MAX_TEXT, []
    for end in ends:
        kept.append(end[:left])
        left -= len(kept[-1])
    return kept


def _remarks(facts: Facts, ends: list[str], got: str | None, whole: bool) -> Iterator[str]:
    turns = [turn.end for turn in facts.turns if turn.end is not None]
    long = sum(map(len, turns)) > sum(map(len, ends)) or (got is not None and len(got) > MAX_GOT)
    if len(turns) > MAX_TURNS or long:
        yield (
            f"Only the first {MAX_TURNS} turns, {MAX_TEXT} characters of the final texts and {MAX_GOT} of the "
            "application's text are compared."
        )
    if not whole:
        yield "Where the texts differ for very long they are not compared word by word."


def _same(text: str) -> list[Piece]:
    return [_piece("same", text, text)] if text else []


def _piece(kind: str, text: str, got: str) -> Piece:
    return Piece(kind, _clipped(text), _clipped(got))


def _clipped(text: str) -> str:
    if len(text) <= MAX_PIECE:
        return text
    half = MAX_PIECE // 2
    return f"{text[:half]} [... {len(text) - 2 * half} characters left out ...] {text[-half:]}"


def _compared(turns: Sequence[Turn], ends: list[str], got: str) -> tuple[list[list[Piece]], bool]:
    """The pieces of each turn, and whether all of the texts could be compared."""
    borders = list(accumulate(map(len, ends)))
    right = split("".join(ends))
    known = set(right.keys)
    known.update(
        key_of(word) for turn in turns for _, text in turn.pieces[-200:] for word in WORD.findall(text[:10_000])
    )
    theirs = unglued(split(got), known)
    of_turn = [bisect_right(borders, start) for start in right.starts]
    pairs, whole = matches(right, theirs, of_turn)
    found: list[list[_Run]] = [[] for _ in ends]
    for where, run in _runs(right, theirs, pairs, of_turn, borders):
        if found:
            found[min(where, len(found) - 1)].append(run)
    return [_joined(runs) for runs in found], whole


def _runs(
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
            yield turn, _extra(theirs, nearby.words(turn), (j, b), right.gaps[i])
        for k in range(i, a):
            # the stop of the turn before the first missing word is there as long as any stop is
            kept = (of_turn[i - 1], "same") if k == i > 0 and j == b and theirs.gaps[b].strip() else None
            yield from _gap(right, k, borders, "missing", kept)
            yield of_turn[k], ("missing", right.words[k], "")
        if straight:
            yield from _between(right, a, theirs.gaps[b], of_turn, borders)
        else:
            lost = j == b and right.gaps[a].strip() and not theirs.gaps[b].strip()
            gone = (of_turn[a - 1], "missing") if i < a and j == b and of_turn[a - 1] > of_turn[max(i - 1, 0)] else None
            yield from _gap(right, a, borders, "missing" if lost else "same", gone)
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


def _extra(theirs: Text, nearby: set[str], span: tuple[int, int], ours: str) -> _Run:
    """Words that the application has beyond the right text; repeated where they are words of a turn nearby.

    Punctuation before them that the right text has in this place (`ours`) is no part of what was added.
    """
    known = sum(key in nearby for key in theirs.keys[slice(*span)])
    text = "".join(theirs.gaps[k] + theirs.words[k] for k in range(*span))
    text = text.removeprefix(ours.rstrip()) if span[0] else text
    return "repeated" if known >= 0.8 * (span[1] - span[0]) else "added", "", text


def _between(
    right: Text, number: int, theirs: str, of_turn: list[int], borders: list[int]
) -> Iterator[tuple[int, _Run]]:
    """What stands before a word (or at the end), compared where the words on both sides have partners."""
    ours = right.gaps[number]
    edge = number in (0, len(right.words))  # white space at the ends of the text is no matter of joining
    if theirs == ours or (edge and theirs.strip() == ours.strip()):
        yield from _gap(right, number, borders, "same")
        return
    ours_bare, theirs_bare = "".join(ours.split()), "".join(theirs.split())
    more = (len(theirs) - len(theirs_bare)) - (len(ours) - len(ours_bare))
    kind = "changed" if ours_bare != theirs_bare or not more else "glued" if more < 0 else "spaced"
    # a difference at a border of turns belongs to the turn before it
    yield of_turn[number - 1] if number else 0, (kind, ours, theirs)


def _gap(
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


def _joined(runs: list[_Run]) -> list[Piece]:
    """Neighbours of one kind as one piece; marks of white space stay on their own."""
    pieces = []
    for (kind, _), group in groupby(enumerate(runs), key=lambda item: (item[1][0], item[1][0] in _ALONE and item[0])):
        texts = [run[1:] for _, run in group]
        pieces.append(_piece(kind, *("".join(parts) for parts in zip(*texts, strict=True))))
    return pieces

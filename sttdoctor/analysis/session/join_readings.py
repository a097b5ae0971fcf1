"""Read a text as the final texts of all turns, where it is not these one after the other.

Turns in another order, words that stood twice and stand once, or a part alone. Each reading gives back the whole text
letter by letter, or there is none. What is tried is counted, so that a text in which everything fits everywhere takes
no longer than its length allows.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from sttdoctor.analysis.session.join_spelling import cut_beginning, extract_letters, list_words
from sttdoctor.values import immutable

_LEAST_END, _LEAST_INSIDE = 6, 20  # letters of a part that can be told from chance
_MOST_LOST = 5  # words at the edge of a turn
_MOST_PLACES = 16  # to which a turn may lead
_HEADS = (4, 3, 2, 1)  # letters by which turns are found
_STEPS, _STEPS_A_TURN = 20_000, 20
_MOST_MARKS, _FEWEST_CUT = 32, 2
_BORDERS = 64  # ways to overlap that are tried at one border
_LONGEST_PHRASE = 6  # words that may stand twice in a row
_COMPARED = 1 << 12
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


@immutable
class Reading:
    """How a text comes out of the final texts.

    Attributes:
        habit: What follows `joining.` in the cause.
        text: What the habit gives.
        detail: A clause for the reader: what, and where.
        sure: 0..1, that it is this habit, where no other gives the text.
        turn: Index of the turn where it shows, None where it is no single one.
    """

    habit: str
    text: str
    detail: str
    sure: float
    turn: int | None = None


def read_rearranged(got: str, ends: Sequence[str]) -> Iterator[Reading]:
    """Yield the ways in which a text comes out of all final texts, simplest first.

    Args:
        got: The application's text.
        ends: The final text of each turn, in order; "" where it has none.
    """
    letters = extract_letters(got)
    turns = [extract_letters(end) for end in ends]
    if letters and any(turns):
        yield from _skip_none(
            _read_reordered(letters, turns, ends),
            _read_overlapping(letters, turns, ends),
            _read_once(letters, got, ends),
            _read_doubled(got, ends),
        )


def read_parts(got: str, ends: Sequence[str]) -> Iterator[Reading]:
    """Yield the ways in which a text is the final texts with words missing: cut, or without the edges of turns.

    Args:
        got: The application's text.
        ends: The final text of each turn, in order; "" where it has none.
    """
    letters = extract_letters(got)
    turns = [extract_letters(end) for end in ends]
    if letters and any(turns):
        cut, edges = read_part(got, letters, turns, ends), _read_without_edges(letters, ends)
        at_mark = _read_cut_at_mark(letters, ends)
        yield from _skip_none(at_mark, cut, edges) if is_limited(got) else _skip_none(at_mark, edges, cut)


def is_limited(got: str) -> bool:
    """Whether a text is as long as limits often are, or ends with an ellipsis."""
    bare = got.rstrip()
    return len(bare) in _LIMITS or bare.endswith(("...", "\u2026"))


_LIMITS = frozenset({*(1 << n for n in range(5, 17)), *((1 << n) - 1 for n in range(5, 17)), *range(50, 10_001, 50)})


def _skip_none(*possible: Reading | None) -> Iterator[Reading]:
    return (reading for reading in possible if reading is not None)


def _read_reordered(letters: str, turns: list[str], ends: Sequence[str]) -> Reading | None:
    order = _find_permutation(letters, turns)
    if order is None or order == sorted(order):
        return None
    if order == sorted(order, reverse=True):
        detail = "the newest turn comes first"
    else:
        at = next(i for i, (a, b) in enumerate(zip(order, sorted(order), strict=True)) if a != b)
        detail = f"turn {order[at] + 1} comes before turn {sorted(order)[at] + 1}"
    return Reading("order", "".join(ends[i] for i in order), detail, 0.97, order[0])


def _find_permutation(letters: str, turns: list[str]) -> list[int] | None:
    """The order in which all turns stand in a text, None where they do not or it takes too many steps."""
    if len(letters) != sum(map(len, turns)):
        return None
    free: dict[str, list[int]] = {}  # turns of each text that are not placed yet, the next one last
    for number in range(len(turns) - 1, -1, -1):
        if turns[number]:
            free.setdefault(turns[number], []).append(number)
    by_head: dict[str, list[str]] = {}
    for turn in free:
        by_head.setdefault(turn[: next(size for size in _HEADS if size <= len(turn))], []).append(turn)
    steps = _STEPS + _STEPS_A_TURN * len(turns)
    order: list[int] = []
    place = 0
    waiting = [_find_standing(letters, 0, by_head)]
    while place < len(letters):
        said = next(waiting[-1], None)
        steps -= 1 if said is None else 1 + len(said) // _COMPARED
        if steps < 0:
            return None
        if said is None:
            waiting.pop()
            if not order:
                return None
            free[turns[order[-1]]].append(order[-1])
            place -= len(turns[order.pop()])
        elif free[said] and letters.startswith(said, place):
            order.append(free[said].pop())
            place += len(said)
            waiting.append(_find_standing(letters, place, by_head))
    return order


def _find_standing(letters: str, place: int, by_head: dict[str, list[str]]) -> Iterator[str]:
    """Texts of turns that may stand at a place, by how they begin."""
    for size in _HEADS:
        if place + size <= len(letters):
            yield from by_head.get(letters[place : place + size], ())


def _read_overlapping(letters: str, turns: list[str], ends: Sequence[str]) -> Reading | None:
    """Turns joined so that an end and a beginning that are alike stand once."""
    place, first, text = 0, None, []
    for number, turn in enumerate(turns):
        eaten = 0
        if not letters.startswith(turn, place):
            eaten = _count_eaten(letters, place, turn)
            if not eaten:
                return None
            first = number if first is None else first
        text.append(ends[number][len(cut_beginning(ends[number], eaten)) :] if eaten else ends[number])
        place += len(turn) - eaten
    if first is None or place != len(letters):
        return None
    eaten_text = ends[first][: len(ends[first]) - len(text[first])].strip()
    detail = f"turn {first + 1} begins as the text before it ends, and {eaten_text!r} is there once"
    return Reading("words-merged", "".join(text), detail, 0.9, first)


def _count_eaten(letters: str, place: int, turn: str) -> int:
    """Letters at the beginning of a turn that end the text before it, and without which it goes on; 0 for none."""
    before = letters[max(0, place - len(turn)) : place]
    borders = _find_borders(turn + "\x00" + before)
    length = borders[-1]
    for _ in range(_BORDERS):
        if not length:
            break
        if letters.startswith(turn[length:], place):
            return length
        length = borders[length - 1]
    return 0


def _find_borders(text: str) -> list[int]:
    """For each beginning of a text, the length of its longest end that is also its beginning (Knuth, Morris, Pratt)."""
    found = [0] * len(text)
    for i in range(1, len(text)):
        length = found[i - 1]
        while length and text[i] != text[length]:
            length = found[length - 1]
        found[i] = length + (text[i] == text[length])
    return found


def _read_once(letters: str, got: str, ends: Sequence[str]) -> Reading | None:
    """Words or sentences that were said twice stand once."""
    whole = "".join(ends)
    if len(letters) >= len(extract_letters(whole)):
        return None
    sentences = dict.fromkeys(extract_letters(sentence) for sentence in _SENTENCE.findall(whole))
    if "".join(sentences) == letters:
        return Reading("words-merged", got, "sentences that were said more than once appear once", 0.9)
    if "".join(collapse(list_words(whole))) == "".join(collapse(list_words(got))):
        return Reading("words-merged", got, "words that were said twice in a row appear once", 0.9)
    return None


def _read_doubled(got: str, ends: Sequence[str]) -> Reading | None:
    """All turns, with words or phrases behind which they stand once more."""
    told, right = list_words(got), [(word, number) for number, end in enumerate(ends) for word in list_words(end)]
    if not 0 < len(told) - len(right) <= len(right):
        return None
    doubled: list[tuple[str, int]] = []
    place = at = 0
    while place < len(told):
        if at < len(right) and told[place] == right[at][0]:
            place, at = place + 1, at + 1
            continue
        size = _count_again(told, place)
        if not size:
            return None
        doubled.append((" ".join(told[place : place + size]), right[at - 1][1]))
        place += size
    if at < len(right):
        return None
    phrase, turn = doubled[0]
    more = f", and so do {len(doubled) - 1} more" if len(doubled) > 1 else ""
    return Reading(
        "turns-repeated", got, f"{phrase!r} in turn {turn + 1} stands there twice in a row{more}", 0.85, turn
    )


def _count_again(words: list[str], place: int) -> int:
    """Words from a place on that are those just before it, the fewest; 0 where there are none."""
    sizes = range(1, min(_LONGEST_PHRASE, place) + 1)
    return next((size for size in sizes if words[place : place + size] == words[place - size : place]), 0)


def collapse(words: list[str]) -> list[str]:
    """Leave one of each run of equal words, then of each run of equal phrases up to six words."""
    for size in range(1, _LONGEST_PHRASE + 1):
        kept: list[str] = []
        at = 0
        while at < len(words):
            phrase = words[at : at + size]
            if len(phrase) == size and kept[-size:] == phrase:
                at += size
            else:
                kept.append(words[at])
                at += 1
        words = kept
    return words


def read_part(got: str, letters: str, turns: list[str], ends: Sequence[str]) -> Reading | None:
    """One stretch of the right text alone.

    Args:
        got: The application's text.
        letters: Its letters.
        turns: The letters of the turns.
        ends: The final texts.
    """
    whole = "".join(turns)
    if len(letters) < _LEAST_END or len(letters) >= len(whole):
        return None
    borders = list(accumulate(map(len, turns)))
    stop = len(letters)
    if whole.startswith(letters):
        turn = next(i for i, border in enumerate(borders) if border > stop)
        place = _describe_place(ends[turn], stop - (borders[turn] - len(turns[turn])), turn)
        detail = f"it ends after {_describe_size(got)}, {place}"
        return Reading("truncated", cut_beginning("".join(ends), stop), detail, 0.9, turn)
    if whole.endswith(letters):
        start, told, sure = len(whole) - len(letters), "it begins", 0.9
    elif len(letters) >= _LEAST_INSIDE and (start := whole.find(letters)) >= 0:
        told, sure = "it is a piece out of the middle, and begins", 0.7
    else:
        return None
    turn = next(i for i, border in enumerate(borders) if border > start)
    at = start - (borders[turn] - len(turns[turn]))
    text = "".join(ends)
    text = text[len(cut_beginning(text, start)) : len(cut_beginning(text, start + len(letters)))]
    return Reading(
        "truncated",
        text,
        f"{told} {_describe_place(ends[turn], at, turn)} and is {_describe_size(got)} long",
        sure,
        turn,
    )


def _read_cut_at_mark(letters: str, ends: Sequence[str]) -> Reading | None:
    """Each turn up to a mark: one that ends a text in code, or that ends a sentence or a line."""
    marks = sorted({letter for end in ends for letter in end if not letter.isalnum() and letter != " "})
    for mark in marks[:_MOST_MARKS]:
        kept = [end.split(mark)[0] for end in ends]
        lost = [i for i, end in enumerate(ends) if extract_letters(end[len(kept[i]) :])]
        if len(lost) >= _FEWEST_CUT and extract_letters("".join(kept)) == letters:
            of_all = f"{len(lost)} of {len(ends)} turns"
            if mark in _ENDS:
                kind = "line" if mark in "\r\n" else "sentence"
                detail = f"in {of_all} only the first {kind} is there, and what follows it is missing"
            else:
                detail = f"{of_all} end where {mark!r} stood, and what follows it is missing"
            sure = 0.95 if mark in MARKS_OF_CODE and len(lost) > _FEWEST_CUT else 0.85
            return Reading("truncated", "".join(kept), detail, sure, lost[0])
    return None


MARKS_OF_CODE = "'\"`;&|$#\\"
"""What ends a text in a shell, a query or an address."""
_ENDS = ".?!\u3002\uff1f\uff01\u0964\u061f\n\r"  # of sentences and lines


def _describe_size(got: str) -> str:
    size = len(got.encode("utf-8", "replace"))
    return f"{len(got)} characters" + (f" ({size} bytes)" if size != len(got) else "")


def _describe_place(end: str, count: int, turn: int) -> str:
    """Where in a turn a number of its letters is over."""
    at = len(cut_beginning(end, count))
    before, after = end[:at].split(" ")[-1], end[at:].split(" ")[0]
    if not count:
        return f"with turn {turn + 1}"
    if extract_letters(before) and extract_letters(after):
        return f"inside {(before + after).strip()!r} in turn {turn + 1}"
    return f"after {(before or end[:at].strip().split(' ')[-1]).strip()!r} in turn {turn + 1}"


def _read_without_edges(letters: str, ends: Sequence[str]) -> Reading | None:
    """All turns, some of them without a few words at their beginning; or at their end."""
    words = [list_words(end) for end in ends]
    for told, first in (("first", True), ("last", False)):
        lost = _find_edges(letters, words, first)
        if lost is not None:
            turn = next(i for i, count in enumerate(lost) if count)
            of_turn = words[turn][: lost[turn]] if first else words[turn][-lost[turn] :]
            kept = (own[count:] if first else own[: len(own) - count] for own, count in zip(words, lost, strict=True))
            numbers = [str(i + 1) for i, count in enumerate(lost) if count]
            where = f"turn{'s' if len(numbers) > 1 else ''} {', '.join(numbers[:8])}{' ...' * (len(numbers) > 8)}"
            detail = f"the {told} words of {where} are missing, such as {' '.join(of_turn)!r}"
            if first and _stand_before(words, lost):
                detail = f"{detail}, and they stand at the end of the turn before"
                return Reading("words-merged", " ".join(word for own in kept for word in own), detail, 0.85, turn)
            return Reading("truncated", " ".join(word for own in kept for word in own), detail, 0.85, turn)
    return None


def _stand_before(words: list[list[str]], lost: list[int]) -> bool:
    """Whether the words that some turns lack at their beginning all stand at the end of what was said before."""
    said: list[str] = []
    for own, count in zip(words, lost, strict=True):
        if not set(own[:count]) <= set(said[-_NEAR_WORDS:]):
            return False
        said += own
    return sum(count > 0 for count in lost) >= _FEWEST_SEAMS


_NEAR_WORDS, _FEWEST_SEAMS = 6, 2  # words that an application compares; turns of which that is no chance


def _find_edges(letters: str, turns: list[list[str]], first: bool) -> list[int] | None:
    """How many words each turn lacks at one edge, None where that does not give the text."""
    steps: list[dict[int, tuple[int, int]]] = []  # place behind each turn: the place before it, and the words it lacks
    places = [0]
    for words in turns:
        following: dict[int, tuple[int, int]] = {}
        for count in range(min(_MOST_LOST, max(len(words) - 1, 0)) + 1):
            text = "".join(words[count:] if first else words[: len(words) - count])
            for place in places:
                if letters.startswith(text, place):
                    following.setdefault(place + len(text), (place, count))
        steps.append(following)
        places = list(following)[:_MOST_PLACES]
        if not places:
            return None
    place, lost = len(letters), []
    for step in reversed(steps):
        if place not in step:
            return None
        place, count = step[place]
        lost.append(count)
    return lost[::-1] if any(lost) else None

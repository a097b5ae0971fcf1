"""Which joining habit makes the application's text out of the events.

Works by hypothesis. First the words: which events would have to be appended so that the letters of the
application's text come out, white space, case and punctuation aside. Then the spelling: what happened to white space,
case and punctuation at the borders and inside. The simplest habit that fits is named; where none does, the nearest.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, islice

from sttdoctor.analysis.session.join_search import TooManyStepsError, simplest_reading
from sttdoctor.analysis.session.turns import Turn, expected_text

_WORDS = 4_000
_BEGINNING = 400_000  # characters: the words that are compared stand in them
_DIFFERING = 2_000
_RUNNING = 1_000_000  # characters, or twice the application's text: appended displays grow with the square of the turns


@dataclass(frozen=True, slots=True)
class Join:
    """How a text comes about.

    Attributes:
        habit: `ends` (right), or what follows `joining.` in the cause that it stands for.
        text: What the habit gives, verbatim.
        exact: Whether it gives the application's text, spelling aside.
        similarity: 0..1, of the two texts as sequences of words.
        detail: A clause for the reader: which turns, how many updates.
        rival: Another habit that gives the same text from these events, "" where there is none.
        searched: Whether all ways in which the turns may stand in the text were looked at; where not, some habit may
            give it all the same.
        lacking: Index of each finished turn whose final text is not in the application's.
    """

    habit: str
    text: str
    exact: bool
    similarity: float
    detail: str = ""
    rival: str = ""
    searched: bool = True
    lacking: tuple[int, ...] = ()


_PIECE = 1 << 16
_LETTERS = re.compile(r"[^\W_]+")


def words_of(text: str) -> str:
    """Return the letters and digits alone, case folded: what stays when only the spelling changes."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # piece by piece: of a text of single letters the list of its words takes thirty times its room
    pieces = (folded[start : start + _PIECE] for start in range(0, len(folded), _PIECE))
    return "".join("".join(_LETTERS.findall(piece)) for piece in pieces)


def updates_text(turns: Sequence[Turn]) -> str:
    """Return what appending every update and every end gives."""
    return "".join(_texts(turns, ("update", "end")))


def _texts(turns: Iterable[Turn], kinds: Iterable[str]) -> list[str]:
    wanted = set(kinds)
    return [text for turn in turns for kind, text in turn.pieces if kind in wanted]


def _distinct(texts: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for text in texts:
        if not kept or kept[-1] != text:
            kept.append(text)
    return kept


def _candidates(turns: Sequence[Turn], most: int) -> Iterator[tuple[str, str, str]]:
    """(habit, text, detail) of the habits that are the same for all turns, simplest first.

    Args:
        turns: All turns.
        most: Characters after which the text of an appended display is cut.
    """
    every = ("update", "eager_end", "end")
    lists = (
        ("updates-joined", ("update", "end"), "every update and every final text was appended"),
        ("updates-joined", every, "every event with a transcript was appended"),
        ("updates-joined", ("update",), "every update was appended"),
        ("updates-joined", ("update", "eager_end"), "every event before the final one was appended"),
        ("eager-ends-joined", ("eager_end", "end"), "every eager end and every end was appended"),
        ("eager-ends-joined", ("eager_end",), "every eager end was appended"),
    )
    for habit, kinds, detail in lists:
        yield habit, "".join(_texts(turns, kinds)), detail
    for habit, kinds, detail in lists[:4]:
        yield habit, "".join(_distinct(_texts(turns, kinds))), detail + ", repeats left out"
    twice = (turn.end * 2 for turn in turns if turn.end is not None)
    yield "turns-repeated", "".join(twice), "every final text was appended twice"
    yield "turns-repeated", expected_text(turns) * 2, "the whole text stands twice"
    yield "updates-joined", "".join(_running(turns, most)), "the text so far was appended with each event"


def _running(turns: Sequence[Turn], most: int) -> Iterator[str]:
    """Texts of an application that appends its whole display each time a turn ends, until they are long enough."""
    total = 0
    for text in accumulate(turn.end for turn in turns if turn.end is not None):
        if total > most:
            return
        total += len(text)
        yield text


def explain(got: str, turns: Sequence[Turn]) -> Join:
    """Name the habit that gives the application's text, or the nearest one.

    Args:
        got: The application's text.
        turns: All turns of the session, in order.
    """
    ends = expected_text(turns)
    letters = words_of(got)
    if letters == words_of(ends):
        return Join("ends", ends, True, 1.0)
    candidates = _candidates(turns, max(_RUNNING, 2 * len(got)))
    fitting = [join for join in candidates if join[1] and words_of(join[1]) == letters]
    mixed, searched = None, True
    try:
        mixed = _mixed(letters, turns)
    except TooManyStepsError:
        searched = False
    missing = mixed is not None and mixed.habit == "turns-missing"
    if mixed is not None and missing and fitting and fitting[0][0] == "eager-ends-joined":
        # all turns with an eager end, and no other: leaving out a turn is the more usual mistake
        return replace(mixed, rival="eager-ends-joined")
    if fitting:
        habit, text, detail = fitting[0]
        rival = next((other for other, _, _ in fitting if other != habit), "")
        return Join(habit, text, True, 1.0, detail, rival)
    return mixed or replace(_nearest(got, turns), searched=searched)


def _mixed(letters: str, turns: Sequence[Turn]) -> Join | None:
    """Read the text as turns of which some are missing, repeated or stand in an unfinished version.

    Raises:
        TooManyStepsError: It is not known whether it can be read so.
    """
    parts = simplest_reading(letters, turns, words_of)
    if parts is None:
        return None
    numbers = {kind: [part.turn for part in parts if part.kind == kind] for kind in ("partial", "repeated")}
    there = {part.turn for part in parts}
    missing = [i for i, turn in enumerate(turns) if i not in there and turn.end and words_of(turn.end)]
    text = "".join(part.text for part in parts)
    habit, detail = _reading(numbers["partial"], numbers["repeated"], missing)
    lacking = sorted({*missing, *(i for i in numbers["partial"] if turns[i].end is not None)})
    return Join(habit, text, True, 1.0, detail, lacking=tuple(lacking))


def _reading(partial: Sequence[int], repeated: Sequence[int], missing: Sequence[int]) -> tuple[str, str]:
    if partial:
        return "partial-kept", f"{_numbers(partial)} in an unfinished version"
    if repeated:
        return "turns-repeated", f"{_numbers(repeated)} more than once"
    return "turns-missing", f"{_numbers(missing)} not there"


def _numbers(chosen: Sequence[int]) -> str:
    shown = ", ".join(str(number + 1) for number in chosen[:8])
    return ("turn " if len(chosen) == 1 else "turns ") + shown + (" ..." if len(chosen) > 8 else "")


def _nearest(got: str, turns: Sequence[Turn]) -> Join:
    """The habit whose text is most similar in words; `ends` wins a tie."""
    options = chain([("ends", expected_text(turns), "")], _candidates(turns, _RUNNING))
    last = next((turn.partial for turn in reversed(turns) if turn.end is None and turn.partial), None)
    if last:
        unfinished = expected_text(turns) + last
        options = chain(options, [("partial-kept", unfinished, "the open turn in an unfinished version")])
    joins = (Join(habit, text, False, similarity(got, text), detail) for habit, text, detail in options if text)
    return max(joins, key=lambda join: join.similarity, default=Join("ends", "", False, 0.0))


def similarity(a: str, b: str) -> float:
    """Share (0..1) of words that two texts have in common in order, by `rapidfuzz`; of the first 4,000 words each.

    Twice the longest common subsequence over the words of both.
    """
    words_a, words_b = _words(a), _words(b)
    if not words_a or not words_b or min(len(words_a), len(words_b)) * 8 < max(len(words_a), len(words_b)):
        return 0.0
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(words_a, words_b)


def _words(text: str) -> list[str]:
    beginning = unicodedata.normalize("NFKC", text[:_BEGINNING]).casefold()
    return [match.group() for match in islice(re.finditer(r"\w+", beginning), _WORDS)]


def first_differences(got: str, right: str, most: int = 3) -> list[tuple[str, str]]:
    """Return the first places at which the application's text departs from the right one: (right, the application's).

    Words between single spaces are compared, 2,000 from the first on that differs. Where one of the two has nothing
    there, the words around the place are a part of both.

    Args:
        got: The application's text.
        right: The right one.
        most: Places that are returned.
    """
    from rapidfuzz.distance import Indel

    alike = _alike(right, got)
    border = right.rfind(" ", 0, alike)  # in front of the first word that differs
    start = right.rfind(" ", 0, border) + 1 if border >= 0 else 0
    ours, theirs = (text[start:].split(" ", _DIFFERING + 1)[: _DIFFERING + 1] for text in (right, got))
    equal = [part for part in Indel.opcodes(ours, theirs) if part.tag == "equal"]
    starts = [(0, 0), *((part.src_end, part.dest_end) for part in equal)]
    ends = [*((part.src_start, part.dest_start) for part in equal), (len(ours), len(theirs))]
    between = ((slice(a, c), slice(b, d)) for (a, b), (c, d) in zip(starts, ends, strict=True) if (a, b) != (c, d))
    return [_around(ours, theirs, one, other) for one, other in islice(between, most)]


def _alike(a: str, b: str) -> int:
    """Count the characters that two texts have in common at their beginning."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a.startswith(b[low:middle], low):
            low = middle
        else:
            high = middle - 1
    return low


def _around(ours: list[str], theirs: list[str], one: slice, other: slice) -> tuple[str, str]:
    texts = " ".join(ours[one]), " ".join(theirs[other])
    if all(text.strip() for text in texts):
        return texts
    before = 1 if one.start and other.start else 0
    return (
        " ".join(ours[one.start - before : one.stop + 1]),
        " ".join(theirs[other.start - before : other.stop + 1]),
    )


def spelling(got: str, turns: Sequence[Turn], verbatim: str) -> tuple[str, str] | None:
    """Say what an application with the right words did to white space, case or punctuation.

    Args:
        got: The application's text; its letters are those of `verbatim`.
        turns: The turns.
        verbatim: The text as it should be.

    Returns:
        (what follows `joining.` in the cause, detail), or None where the texts are the same. Line ends at the very
        end of the text, which editors add, do not count.
    """
    if got == verbatim or got.rstrip("\r\n") == verbatim.rstrip("\r\n"):
        return None
    if got.strip() == verbatim.strip():
        return _at_the_ends(got, verbatim)
    ends = [turn.end for turn in turns if turn.end is not None]
    for habit, detail, join in _SPELLINGS:
        if join(ends).strip() == got.strip():
            return habit, detail
    if _packed(got) == _packed(verbatim):
        return _white_space(got, verbatim)
    return "normalized", _normalization(got, verbatim)


def keeps_apart(got: str, turns: Sequence[Turn]) -> bool:
    """Whether a text is the turns with white space put only where they have none, so that words do not run together.

    Nothing else may be changed. False where no border lacks white space.
    """
    ends = [turn.end for turn in turns if turn.end]
    position, before, repaired = 0, " ", False
    for end in ends:
        if not before[-1].isspace() and not end[0].isspace():
            start = position
            while got[position : position + 1].isspace():
                position += 1
            if position == start:
                return False
            repaired = True
        if not got.startswith(end, position):
            return False
        position, before = position + len(end), end
    return repaired and not got[position:].strip("\r\n")


def _joined(separator: str, strip: Callable[[str], str]) -> Callable[[list[str]], str]:
    def join(ends: list[str]) -> str:
        return separator.join(strip(end) for end in ends)

    return join


def _same(text: str) -> str:
    return text


_SEPARATORS = ((" ", "a space"), ("\n", "a line break"), ("\n\n", "an empty line"), (", ", "a comma"), (". ", "a stop"))
_SPELLINGS = (
    ("whitespace-stripped", "each turn was stripped before it was appended", _joined("", str.strip)),
    ("whitespace-stripped", "the start of each turn was stripped", _joined("", str.lstrip)),
    ("whitespace-stripped", "the end of each turn was stripped", _joined("", str.rstrip)),
    *(("separator-added", f"the turns were joined with {name}", _joined(sep, _same)) for sep, name in _SEPARATORS),
    *(
        ("separator-added", f"the turns were stripped and joined with {name}", _joined(sep, str.strip))
        for sep, name in _SEPARATORS
    ),
)


def _packed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _characters(count: int) -> str:
    return f"{count} character{'s' if count != 1 else ''}"


def _at_the_ends(got: str, verbatim: str) -> tuple[str, str]:
    """The texts differ in white space at their ends alone."""
    if len(got) > len(verbatim):
        return "separator-added", "there is more white space at the ends of the text than the events hold"
    return "whitespace-stripped", "white space at the ends of the text is gone"


def _white_space(got: str, verbatim: str) -> tuple[str, str]:
    """The texts differ in white space alone, in no regular way."""
    difference = len(re.findall(r"\s", got)) - len(re.findall(r"\s", verbatim))
    if difference > 0:
        return "separator-added", f"it holds {_characters(difference)} of white space more than the events"
    if difference < 0 and " ".join(verbatim.split()) != " ".join(got.split()):
        return "whitespace-stripped", f"it holds {_characters(-difference)} of white space less than the events"
    return "normalized", "white space was changed inside the text"


def _normalization(got: str, verbatim: str) -> str:
    if got.casefold().strip() == verbatim.casefold().strip():
        return "upper and lower case were changed"
    if _packed(got).casefold() == _packed(verbatim).casefold():
        return "case and white space were changed"
    bare = re.sub(r"[^\w\s]", "", verbatim)
    if " ".join(got.split()) == " ".join(bare.split()):
        return "punctuation was removed"
    if " ".join(got.casefold().split()) == " ".join(bare.casefold().split()):
        return "punctuation was removed and case was changed"
    return "punctuation, case or white space was changed"

"""Which joining habit makes the application's text out of the events.

Works by hypothesis. First the words: which events would have to be appended so that the letters of the
application's text come out, white space, case and punctuation aside. Then the spelling: what happened to white space,
case and punctuation at the borders and inside. The simplest habit that fits is named; where none does, the nearest.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sttdoctor.analysis.turns import Turn, expected_text

MAX_TEXT = 200_000
"""Longer texts are compared for equality only (characters)."""


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
    """

    habit: str
    text: str
    exact: bool
    similarity: float
    detail: str = ""
    rival: str = ""


def words_of(text: str) -> str:
    """Return the letters and digits alone, case folded: what stays when only the spelling changes."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if char.isalnum())


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


def _candidates(turns: Sequence[Turn]) -> list[tuple[str, str, str]]:
    """(habit, text, detail) of the habits that are the same for all turns, simplest first."""
    ends = expected_text(turns)
    every = ("update", "eager_end", "end")
    lists: list[tuple[str, list[str], str]] = [
        ("updates-joined", _texts(turns, ("update", "end")), "every update and every final text was appended"),
        ("updates-joined", _texts(turns, every), "every event with a transcript was appended"),
        ("updates-joined", _texts(turns, ("update",)), "every update was appended"),
        ("updates-joined", _texts(turns, ("update", "eager_end")), "every event before the final one was appended"),
        ("eager-ends-joined", _texts(turns, ("eager_end", "end")), "every eager end and every end was appended"),
        ("eager-ends-joined", _texts(turns, ("eager_end",)), "every eager end was appended"),
    ]
    lists += [(habit, _distinct(texts), detail + ", repeats left out") for habit, texts, detail in lists[:4]]
    twice = [turn.end * 2 for turn in turns if turn.end is not None]
    lists.append(("turns-repeated", twice, "every final text was appended twice"))
    lists.append(("turns-repeated", [ends, ends], "the whole text stands twice"))
    lists.append(("updates-joined", _running(turns), "the text so far was appended with each event"))
    return [(habit, "".join(texts), detail) for habit, texts, detail in lists]


def _running(turns: Sequence[Turn]) -> list[str]:
    """Texts of an application that appends its whole display each time a turn ends."""
    return [expected_text(turns[: i + 1]) for i, turn in enumerate(turns) if turn.end is not None][:200]


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
    if max(len(got), len(ends)) <= MAX_TEXT:
        fitting = [join for join in _candidates(turns) if join[1] and words_of(join[1]) == letters]
        mixed = _mixed(letters, turns)
        missing = mixed is not None and mixed.habit == "turns-missing"
        if mixed is not None and missing and fitting and fitting[0][0] == "eager-ends-joined":
            # all turns with an eager end, and no other: leaving out a turn is the more usual mistake
            return replace(mixed, rival="eager-ends-joined")
        if fitting:
            habit, text, detail = fitting[0]
            rival = next((other for other, _, _ in fitting if other != habit), "")
            return Join(habit, text, True, 1.0, detail, rival)
        if mixed is not None:
            return mixed
    return _nearest(got, turns)


def _mixed(letters: str, turns: Sequence[Turn]) -> Join | None:
    """Read the text as turns of which some are missing, repeated or stand in an unfinished version.

    Dynamic programming over (turn, position in the text); the cost counts deviations, so the simplest reading wins.
    """
    best: dict[int, tuple[int, tuple[tuple[int, str, str], ...]]] = {0: (0, ())}
    for number, turn in enumerate(turns):
        following: dict[int, tuple[int, tuple[tuple[int, str, str], ...]]] = {}
        options = _options(turn)
        for position, (cost, path) in best.items():
            for kind, text, key, extra in options:
                if letters.startswith(key, position):
                    end = position + len(key)
                    candidate = (cost + extra, (*path, (number, kind, text)))
                    if end not in following or candidate[0] < following[end][0]:
                        following[end] = candidate
        best = following
        if len(best) > 10_000:
            return None
    if len(letters) not in best:
        return None
    path = best[len(letters)][1]
    kinds = {kind for _, kind, _ in path} - {"end", "none"}
    text = "".join(text for _, _, text in path)
    habit, detail = _reading(kinds, path)
    return Join(habit, text, True, 1.0, detail)


def _options(turn: Turn) -> list[tuple[str, str, str, int]]:
    """(kind, text, letters, cost) of each way in which one turn may stand in the text."""
    if turn.end is None:
        options = [("none", "", "", 0)]
    else:
        key = words_of(turn.end)
        options = [("end", turn.end, key, 0)]
        options.append(("missing" if key else "none", "", "", 2 if key else 0))
        options += [("repeated", turn.end * times, key * times, 1 + times) for times in (2, 3, 4) if key]
    partials = dict.fromkeys(text for kind, text in turn.pieces if kind != "end")
    options += [("partial", text, words_of(text), 3) for text in partials]
    return options


def _reading(kinds: set[str], path: Sequence[tuple[int, str, str]]) -> tuple[str, str]:
    def numbers(kind: str) -> str:
        chosen = [str(number + 1) for number, what, _ in path if what == kind]
        return ("turn " if len(chosen) == 1 else "turns ") + ", ".join(chosen[:8]) + (" ..." if len(chosen) > 8 else "")

    if "partial" in kinds:
        return "partial-kept", f"{numbers('partial')} in an unfinished version"
    if "repeated" in kinds:
        return "turns-repeated", f"{numbers('repeated')} more than once"
    return "turns-missing", f"{numbers('missing')} not there"


def _nearest(got: str, turns: Sequence[Turn]) -> Join:
    """The habit whose text is most similar in words; `ends` wins a tie."""
    options = [("ends", expected_text(turns), ""), *_candidates(turns)]
    last = next((turn.partial for turn in reversed(turns) if turn.end is None and turn.partial), None)
    if last:
        options.append(("partial-kept", expected_text(turns) + last, "the open turn in an unfinished version"))
    joins = [Join(habit, text, False, similarity(got, text), detail) for habit, text, detail in options if text]
    return max(joins, key=lambda join: join.similarity, default=Join("ends", "", False, 0.0))


def similarity(a: str, b: str) -> float:
    """Share (0..1) of words that two texts have in common in order, by `rapidfuzz`; capped at 4,000 words each.

    Twice the longest common subsequence over the words of both.
    """
    words_a, words_b = _words(a)[:4000], _words(b)[:4000]
    if not words_a or not words_b or min(len(words_a), len(words_b)) * 8 < max(len(words_a), len(words_b)):
        return 0.0
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(words_a, words_b)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


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

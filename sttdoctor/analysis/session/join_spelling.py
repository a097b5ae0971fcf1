"""What an application with the right words did to white space, case and punctuation.

Texts are compared by their letters, by their words, or by all but how a character is written.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from sttdoctor.analysis.session.turns import Turn

_PIECE = 1 << 16
_WORDS = re.compile(r"[^\W_]+")
_SAME = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u2032"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2009\u202f\u3000"), " "),
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None),
    0x2026: "...",
}


def extract_letters(text: str) -> str:
    """Return the letters and digits alone, case folded: what stays when only the spelling changes.

    >>> extract_letters("Don't stop -- it's 9.")
    'dontstopits9'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    # piece by piece: of a text of single letters the list of its words takes thirty times its room
    pieces = (folded[start : start + _PIECE] for start in range(0, len(folded), _PIECE))
    return "".join("".join(_WORDS.findall(piece)) for piece in pieces)


def list_words(text: str) -> list[str]:
    """Return the words, case folded."""
    return _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())


def lacks_words(text: str, right: str) -> bool:
    """Whether a text is the words of the right one, in order, with some of them missing and no other put in.

    >>> lacks_words("I am, thank you", "I am fine, thank you."), lacks_words("I'm fine", "I am fine.")
    (True, False)
    """
    words = iter(list_words(right))
    return all(word in words for word in list_words(text))


def tidy(text: str) -> str:
    """Return a text without what only looks different: composed, with straight quotes, plain spaces and line ends."""
    return unicodedata.normalize("NFC", text).translate(_SAME).replace("--", "-").replace("\r\n", "\n")


def cut_beginning(text: str, count: int) -> str:
    """Return the shortest beginning of a text that holds a number of its letters."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        if len(extract_letters(text[:middle])) < count:
            low = middle + 1
        else:
            high = middle
    return text[:low]


class Spelling(NamedTuple):
    """What was done to white space, case and punctuation.

    Attributes:
        habit: What follows `joining.` in the cause.
        detail: A clause for the reader.
        harmless: Whether an application may well want it.
        plain: Whether white space is all that differs.
    """

    habit: str
    detail: str
    harmless: bool = False
    plain: bool = False


def find_spelling(got: str, turns: Sequence[Turn], verbatim: str) -> Spelling | None:
    """Say what an application with the right words did to white space, case or punctuation.

    Args:
        got: The application's text; its letters are those of `verbatim`.
        turns: The turns.
        verbatim: The text as it should be.

    Returns:
        None where the texts are the same to a reader: how quotes and accents are encoded does not count, nor line ends
        at the very end, nor lines that are wrapped or begin with a turn, nor, of several turns, white space at the two
        ends of the text.
    """
    got, verbatim = tidy(got), tidy(verbatim)
    if got.rstrip("\n") == verbatim.rstrip("\n"):
        return None
    ends = [tidy(turn.end) for turn in turns if turn.end is not None]
    if got.strip() == verbatim.strip():
        # white space that still stands between turns shows that only the whole text was trimmed
        return None if _is_spaced([end for end in ends if end.strip()]) else _describe_ends(got, verbatim)
    if _is_laid_out(got, ends, verbatim):
        return None
    found = _compare_white_space(got, ends, verbatim)
    if found is not None:
        return found._replace(plain=True)
    for fold, change in _FOLDS:
        folded = [fold(end) for end in ends]
        found = _compare_white_space(fold(got), folded, fold(verbatim))
        if found is not None:
            right = not found.detail or keeps_apart(fold(got), folded)
            clause = change(got, verbatim)
            if right:
                return Spelling("normalized", clause, change is _describe_case or "added" in clause)
            return Spelling(found.habit, f"{found.detail}, and {clause}")
    return Spelling("normalized", "punctuation, case or white space was changed")


def _is_spaced(ends: Sequence[str]) -> bool:
    return any(before[-1].isspace() or after[0].isspace() for before, after in pairwise(ends))


def _is_laid_out(got: str, ends: Sequence[str], verbatim: str) -> bool:
    """Whether the words stand apart where they should, in lines of the application's own."""
    if got.split() != verbatim.split():
        return False
    if len(_SPACE.findall(got)) <= len(_SPACE.findall(verbatim)):
        return True
    lines = [end.strip() for end in ends if end.strip()]
    return got.strip() in ("\n".join(lines), "\n\n".join(lines))


def _compare_white_space(got: str, ends: list[str], verbatim: str) -> Spelling | None:
    """What differs in white space alone, `normalized` where nothing does, None where more differs."""
    if got.strip() == verbatim.strip() or _is_laid_out(got, ends, verbatim):
        return Spelling("normalized", "")
    for habit, detail, join in _SPELLINGS:
        if join(ends).strip() == got.strip():
            return Spelling(habit, detail)
    return _describe_white_space(got, ends, verbatim) if _drop_space(got) == _drop_space(verbatim) else None


def _describe_case(_got: str, _verbatim: str) -> str:
    return "upper and lower case were changed"


def _describe_punctuation(got: str, verbatim: str) -> str:
    more = len(_MARKS.findall(got)) - len(_MARKS.findall(verbatim))
    done = "added" if more > 0 else "removed" if more < 0 else "changed"
    case = "" if _drop_marks(got).split() == _drop_marks(verbatim).split() else " and case was changed"
    return f"punctuation was {done}{case}"


def _drop_marks(text: str) -> str:
    return _MARKS.sub("", text)


def keeps_apart(got: str, ends: Sequence[str]) -> bool:
    """Whether a text is the turns with white space put only where they have none, so that words do not run together.

    Nothing else may be changed. False where no border lacks white space.
    """
    position, before, repaired = 0, " ", False
    for end in filter(None, ends):
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


def _join_by(separator: str, strip: Callable[[str], str]) -> Callable[[list[str]], str]:
    def join(ends: list[str]) -> str:
        return separator.join(strip(end) for end in ends)

    return join


def _keep(text: str) -> str:
    return text


_SEPARATORS = ((" ", "a space"), ("\n", "a line break"), ("\n\n", "an empty line"), (", ", "a comma"), (". ", "a stop"))
_SPELLINGS = (
    (
        "whitespace-stripped",
        "each turn was stripped before it was appended, so that no space stands between them",
        _join_by("", str.strip),
    ),
    ("whitespace-stripped", "the start of each turn was stripped", _join_by("", str.lstrip)),
    ("whitespace-stripped", "the end of each turn was stripped", _join_by("", str.rstrip)),
    *(("separator-added", f"the turns were joined with {name}", _join_by(sep, _keep)) for sep, name in _SEPARATORS),
    *(
        ("separator-added", f"the turns were stripped and joined with {name}", _join_by(sep, str.strip))
        for sep, name in _SEPARATORS
    ),
)
_SPACE, _MARKS = re.compile(r"\s"), re.compile(r"[^\w\s]")
_FOLDS: tuple[tuple[Callable[[str], str], Callable[[str, str], str]], ...] = (
    (str.casefold, _describe_case),
    (lambda text: _drop_marks(text).casefold(), _describe_punctuation),
)


def _drop_space(text: str) -> str:
    return _SPACE.sub("", text)


def _count_characters(count: int) -> str:
    return f"{count} character{'s' if count != 1 else ''}"


def _describe_ends(got: str, verbatim: str) -> Spelling:
    """The texts differ in white space at their ends alone."""
    if len(got) > len(verbatim):
        return Spelling(
            "separator-added", "there is more white space at the ends of the text than the events hold", True
        )
    return Spelling("whitespace-stripped", "white space at the ends of the text is gone", True, True)


_WIDE = re.compile(r"\s{2,}")
_BEFORE_MARK = re.compile(r"[^\S\n]+(?=[.,!?;:\u2026])")


def _describe_white_space(got: str, ends: Sequence[str], verbatim: str) -> Spelling:
    """The texts differ in white space alone, in no way that comes from joining turns alone."""
    if _BEFORE_MARK.sub("", got).strip() == _BEFORE_MARK.sub("", verbatim).strip():
        return Spelling("normalized", "white space was put before punctuation")
    words, right = got.split(), " ".join(ends).split()
    if len(words) > len(right) and max(map(len, words)) == 1:
        return Spelling("separator-added", "each letter stands by itself: a text was joined as if it were a list")
    if len(words) > len(right):
        return Spelling("normalized", "white space or line ends were put inside words")
    if words == right and len(_WIDE.findall(got)) > len(_WIDE.findall(verbatim)) + len(ends):
        return Spelling("normalized", "white space between words was made wider")
    difference = len(_SPACE.findall(got)) - len(_SPACE.findall(verbatim))
    if difference > 0:
        return Spelling(
            "separator-added", f"it holds {_count_characters(difference)} of white space more than the events"
        )
    if difference < 0:
        return Spelling(
            "whitespace-stripped", f"it holds {_count_characters(-difference)} of white space less than the events"
        )
    return Spelling("normalized", "white space was changed inside the text")

"""What of two texts is compared: their letters, their words, or all but how a character is written."""

import re
import unicodedata

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


def words_of(text: str) -> str:
    """Return the letters and digits alone, case folded: what stays when only the spelling changes."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # piece by piece: of a text of single letters the list of its words takes thirty times its room
    pieces = (folded[start : start + _PIECE] for start in range(0, len(folded), _PIECE))
    return "".join("".join(_WORDS.findall(piece)) for piece in pieces)


def word_list(text: str) -> list[str]:
    """Return the words, case folded."""
    return _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())


def tidy(text: str) -> str:
    """Return a text without what only looks different: composed, with straight quotes, plain spaces and line ends."""
    return unicodedata.normalize("NFC", text).translate(_SAME).replace("--", "-").replace("\r\n", "\n")


def beginning(text: str, count: int) -> str:
    """Return the shortest beginning of a text that holds a number of its letters."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high) // 2
        if len(words_of(text[:middle])) < count:
            low = middle + 1
        else:
            high = middle
    return text[:low]

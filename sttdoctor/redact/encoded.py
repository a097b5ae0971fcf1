"""Text without its codes: percent-encoding, entities of HTML, escapes, characters that do not show."""

import html
import re
from html.entities import html5
from urllib.parse import quote

from sttdoctor.redact.shapes import MOST, Redact
from sttdoctor.redact.values import REDACTED

# a word of some length in which characters are percent-encoded; begun where a word begins, to stay linear
_WORD = re.compile(r"(?<![\w.~+%-])(?=[\w.~+%-]{9})[\w.~+-]*+%[0-9a-fA-F]{2}[\w.~+%-]*+")
_NO_CODE = re.compile(r"%(?![0-9a-fA-F]{2})")
_PERCENT_AGAIN = re.compile(r"%(?:25)++(?=[0-9a-fA-F]{2})")  # as of an address within an address
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_CHARACTERS = {f"&{name}": character for name, character in html5.items()}  # `html.unescape` needs longer
_CHARACTERS |= {f"&#{number};": chr(number) for number in range(32, 127)}
_AMPERSAND_AGAIN = re.compile(r"&(?:amp;)++(?=[#a-zA-Z])")
_ESCAPE_OF_TWO = re.compile(r"(?<!\\)\\++x(?=[0-9a-fA-F]{2})")
_ESCAPE_OF_FOUR = re.compile(r"(?<!\\)\\++u(?=[0-9a-fA-F]{4})")
_TWO, _FOUR = "\x00", "\x01"  # before two and four hexadecimal digits of a character
_SIGN = "\x02"  # a percent sign that is none of a code
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e01ef]+"
)


def redact_words(text: str, redact: Redact) -> str:
    """Replace percent-encoded words of a text that hold a secret; what is kept of them is encoded again."""
    left = MOST

    def replaced(found: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        if left < 0:
            return REDACTED
        plain = _unquoted(found[0])
        redacted = redact(plain)
        return found[0] if redacted == plain else quote(redacted, safe="")

    return _WORD.sub(replaced, text) if "%" in text else text


def plain_reading(text: str) -> str:
    """Return a text as somebody reads it: entities and escapes as their characters, without what does not show."""
    if "&" in text:
        text = _ENTITY.sub(_character, _AMPERSAND_AGAIN.sub("&", text))
    if "\\u" in text or "\\x" in text:
        text = _with_characters(_ESCAPE_OF_TWO.sub(_TWO, _ESCAPE_OF_FOUR.sub(_FOUR, text)))
    return text if text.isascii() else _INVISIBLE.sub("", text)


def _character(found: re.Match[str]) -> str:
    return _CHARACTERS.get(found[0]) or html.unescape(found[0])


def _unquoted(word: str) -> str:
    """Return a word without percent-encoding, however often it was encoded; faster than `urllib.parse.unquote`."""
    if "%25" in word:
        word = _PERCENT_AGAIN.sub("%", word)
    end = word.rfind("%", -2)  # a code that was cut
    word, rest = (word[:end], word[end:]) if end >= 0 else (word, "")
    try:
        plain = _with_characters(word.replace("%", _TWO), errors="strict")
    except UnicodeDecodeError:
        codes = _NO_CODE.sub(_SIGN, word).replace("%", _TWO)
        plain = _with_characters(codes).replace(_SIGN, "%")
    try:
        return plain.encode("latin-1").decode("utf-8", errors="replace") + rest
    except UnicodeEncodeError:
        return plain + rest


def _with_characters(text: str, errors: str = "replace") -> str:
    """Return a text with the characters whose hexadecimal digits stand behind `_TWO` and `_FOUR`.

    Args:
        text: With these marks.
        errors: As for `bytes.decode`: what to do where no digits follow.
    """
    escaped = text.replace("\\", "\\\\").replace(_TWO, "\\x").replace(_FOUR, "\\u")
    return escaped.encode("ascii", errors="backslashreplace").decode("unicode_escape", errors=errors)

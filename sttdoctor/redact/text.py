"""Secrets in text, plain or in codes (percent-encoding, entities, escapes): what finds them, put together."""

import html
import re
from collections.abc import Iterable, Iterator
from functools import partial
from html.entities import html5
from itertools import islice
from urllib.parse import quote

from sttdoctor.redact import shapes
from sttdoctor.redact.names import any_of
from sttdoctor.redact.shapes import MOST, Redact, Span
from sttdoctor.redact.values import REDACTED, is_opaque, is_unset

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
        plain = _unquote(found[0])
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


def _unquote(word: str) -> str:
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


# up to the last @ of the authority, since a password may hold one, and a slash
_USERINFO = re.compile(r"://(?:([^/?#\s\"'<>]+)@|([^/?#\s:@\"'<>]++:(?![0-9]++[/?#])[^\s@\"'<>]{1,200})@)")
_PASSWORD = re.compile(r":([^\s@:\"'<>]{4,100})@")  # without the scheme of an address
PASSES = 4
"""Times that a text is gone through at most, until nothing is replaced any more."""

_DEEPEST = 4  # codes within codes that are looked into
# without any of these nothing is a secret
_KINDS = "key|token|ticket|secret|sess|sid|sig|pass|pwd|auth|jwt|cred|cookie|csrf|xsrf|hmac|otp|dbpass|digest|sec-w"
_COMMANDS = ("curl", "login", "mysql", "mariadb")  # besides those that tell it by their options
_OPTIONS = (
    rf"{shapes.OPTION}(?:-(?:proxy-)?|{shapes.FLAGS.lower()}{{0,10}})u",
    rf"{shapes.OPTION}a",
    "-auth[ \t=\"',\\\\]",
)  # of a command line
_HINT = re.compile(
    any_of(*_KINDS.split("|"), *_COMMANDS, *shapes.HINTS, "@", "%[0-9a-f]", "&[#a-z]", *_OPTIONS) + r"|\\[ux]"
)

_PIECE, _LONGEST_HINT = 1 << 16, 32  # characters


def may_hold_secret(text: str) -> bool:
    """Whether a text could hold a secret: a quick look that is never wrongly no."""
    if not text.isascii():
        return True
    if len(text) <= _PIECE:
        return _HINT.search(text.lower()) is not None
    pieces = range(0, len(text), _PIECE)  # of a long text, not all of which is worth a copy in lower case
    return any(_HINT.search(text[at : at + _PIECE + _LONGEST_HINT].lower()) for at in pieces)


def replace_secrets(text: str, spoken: bool, depth: int = 0) -> str:
    """Replace what is a secret in a text.

    Args:
        text: Any.
        spoken: Whether somebody said it: what only mentions a password stays as it is.
        depth: How often it was unpacked.
    """
    if depth > _DEEPEST or not may_hold_secret(text):
        return text
    for _ in range(PASSES):
        redacted = _replace_in_codes(text, spoken, depth)
        if redacted == text:
            break
        text = redacted
    return text


def _replace_in_codes(text: str, spoken: bool, depth: int) -> str:
    redacted, plain = _replace(text, spoken, depth), plain_reading(text)
    if plain != text:
        more = _replace(plain, spoken, depth)
        if more not in (plain, plain_reading(redacted)):
            redacted = more
    return redact_words(redacted, partial(replace_secrets, spoken=spoken, depth=depth + 1))


def _replace(text: str, spoken: bool, depth: int) -> str:
    # their patterns take long to compile, and most texts hold no hint
    from sttdoctor.redact import assignments, commands

    low = _lower(text)
    found = [
        *shapes.find(text, low, spoken, partial(replace_secrets, spoken=False, depth=depth + 1)),
        *assignments.find(text, low, spoken),
        *_find_userinfo(text),
    ]
    if "%" in text:
        found += assignments.find_named_in_code(text)
    if not spoken:
        found += assignments.find_protocols(text, low)
        found += assignments.find_denied(text, low)
        found += assignments.find_logins(text)
        found += commands.find(text)
    return _replace_spans(text, sorted(found)) if found else text


def _find_userinfo(text: str) -> Iterator[Span]:
    if "@" not in text:
        return
    for found in islice(_USERINFO.finditer(text), MOST):
        begin, end = found.span(found.lastindex or 0)
        if not is_unset(text[begin:end]):
            yield begin, end
    for found in islice(_PASSWORD.finditer(text), MOST):
        if is_opaque(found[1]):
            yield found.span(1)


def _replace_spans(text: str, spans: Iterable[Span]) -> str:
    """Return a text with one mark for each span, or for several that overlap."""
    pieces: list[str] = []
    at = -1
    for begin, end in spans:
        if begin >= at:
            pieces += [text[max(0, at) : begin], REDACTED]
        at = max(at, end)
    return "".join([*pieces, text[max(0, at) :]])


def _lower(text: str) -> str:
    """Return a text in lower case, of the same length; what looks like a letter of ASCII is one."""
    return text.lower() if text.isascii() else text.replace("\u0130", "I").replace("\u017f", "s").lower()

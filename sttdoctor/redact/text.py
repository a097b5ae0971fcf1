"""Secrets in text, plain or encoded: what finds them, put together."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice

from sttdoctor.redact import encoded, named, shapes
from sttdoctor.redact.names import any_of
from sttdoctor.redact.shapes import MOST, Span
from sttdoctor.redact.values import REDACTED, is_opaque, is_unset

# up to the last @ of the authority, since a password may hold one, and a slash
_USERINFO = re.compile(r"://(?:([^/?#\s\"'<>]+)@|([^/?#\s:@\"'<>]++:(?![0-9]++[/?#])[^\s@\"'<>]{1,200})@)")
_PASSWORD = re.compile(r":([^\s@:\"'<>]{4,100})@")  # without the scheme of an address
PASSES = 4
"""Times that a text is gone through at most, until nothing is replaced any more."""

_DEEPEST = 4  # codes within codes that are looked into
# without any of these nothing is a secret
_KINDS = "key|token|ticket|secret|sess|sid|sig|pass|pwd|auth|jwt|cred|cookie|csrf|xsrf|hmac|otp|dbpass|digest|sec-w"
_HINT = re.compile(
    any_of(*_KINDS.split("|"), *shapes.HINTS, "@", "%[0-9a-f]", "&[#a-z]", "-u", "-a[ \t=]") + r"|\\[ux]"
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
        redacted = _replaced_in_codes(text, spoken, depth)
        if redacted == text:
            break
        text = redacted
    return text


def _replaced_in_codes(text: str, spoken: bool, depth: int) -> str:
    redacted, plain = _replaced(text, spoken, depth), encoded.plain_reading(text)
    if plain != text:
        more = _replaced(plain, spoken, depth)
        if more not in (plain, encoded.plain_reading(redacted)):
            redacted = more
    return encoded.redact_words(redacted, partial(replace_secrets, spoken=spoken, depth=depth + 1))


def _replaced(text: str, spoken: bool, depth: int) -> str:
    low = _lowered(text)
    found = [
        *shapes.find(text, low, spoken, partial(replace_secrets, spoken=False, depth=depth + 1)),
        *named.find(text, low, spoken),
        *_find_userinfo(text),
    ]
    if "%" in text:
        found += named.find_named_in_code(text)
    if not spoken:
        found += named.find_protocols(text, low)
        found += named.find_denied(text, low)
        found += named.find_logins(text)
    return _without(text, sorted(found)) if found else text


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


def _without(text: str, spans: Iterable[Span]) -> str:
    """Return a text with one mark for each span, or for several that overlap."""
    pieces: list[str] = []
    at = -1
    for begin, end in spans:
        if begin >= at:
            pieces += [text[max(0, at) : begin], REDACTED]
        at = max(at, end)
    return "".join([*pieces, text[max(0, at) :]])


def _lowered(text: str) -> str:
    """Return a text in lower case, of the same length; what looks like a letter of ASCII is one."""
    return text.lower() if text.isascii() else text.replace("\u0130", "I").replace("\u017f", "s").lower()

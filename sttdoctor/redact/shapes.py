"""Secrets that show by their own shape: keys as vendors issue them, tokens, credentials, in plain or in base64."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator

from pybase64 import b64decode

from sttdoctor.redact.names import any_of
from sttdoctor.redact.values import is_opaque

Span = tuple[int, int]
"""Begin and end of a secret in a text."""

Redact = Callable[[str], str]

MOST = 2000
"""Places of a text that are looked at closely; from there on it is hidden, since nobody has so many keys."""


def _in_base64(word: str) -> list[str]:
    """Return what a word is in base64, by which of three bytes it begins at; in lower case."""
    coded = [(lead, b64encode(bytes(lead) + word.encode()).decode().lower()) for lead in range(3)]
    return [text[-(-8 * lead // 6) : 8 * (lead + len(word)) // 6] for lead, text in coded]


# a line break within, and a blank that came of one, where what follows is no word
_BREAK = r"(?:[ \t]*+[\r\n]\s*+|(?:\\[rn])++[ \t]*+|[ \t]{1,8}(?=[a-z_-]*[0-9])(?=[\w-]{6}))?"
_KEYS = [
    rf"sk[-_](?:car|proj|ant|svcacct|admin|live|test|or)[-_]{_BREAK}[\w+=-]+",
    r"sk_(?<![a-z0-9]sk_)[\w-]{8,}[\w+=-]*",
    r"eyj[\w+/-]{5,}\.[\w+/=-]+\.[\w+/=.-]*",  # a web token; up to its dot as `_JSON`, to stay linear
    *(rf"{coded}[\w+/=-]*" for coded in _in_base64("sk_car_")),
    "736b5f6361725f[0-9a-f]*",  # the same in hexadecimal digits
    "73([ :])6b[ :]5f[ :]63[ :]61[ :]72[ :]5f[ :0-9a-f]*",
]
_ISSUED = (
    *("gh[opsur]", "github_pat", "glpat", "xox[a-z]", "xapp", "hf", "npm", "pypi", "dop_v1", "shp[a-z]{2}", "whsec"),
    *("nvapi", "rk", "gk", "gsk", "xai", "pplx", "tvly"),
)
_IN_STANDARD_BASE64 = r"[\w-]{0,5}[+/][\w+/=-]{8,}"
_MAYBE_KEYS = [
    rf"sk-(?:[\w-]{{6,}}[\w+=-]*|{_IN_STANDARD_BASE64})",
    *(rf"{prefix}[-_](?:[\w-]{{4,}}[\w+=-]*|{_IN_STANDARD_BASE64})" for prefix in _ISSUED),
    "akia[a-z0-9]{6,}",
    "asia[a-z0-9]{16,}",
    r"aiza[\w-]{30,}",
    r"ya29\.[\w-]{10,}",
]
_JSON = r"[\w+/-]{12,}+={0,2}(?P<json>)"  # in base64, by what it begins with
_SHAPES = re.compile(
    any_of(
        *[
            *(rf"{pattern}(?P<key{number}>)" for number, pattern in enumerate(_KEYS)),
            *_MAYBE_KEYS,
            rf"e(?:yj|wo|yai){_JSON}",
            rf"w(?:3si|yj){_JSON.replace('json', 'json_list')}",
            rf"zxlk{_JSON.replace('json', 'json_again')}",
            r"basic[ \t]++(?P<basic>[\w+/-]{6,}+={0,2})",
            r"bearer[ \t]++(?=[a-z._~+/-]*+[0-9]|[\w.~+/-]{24})(?P<bearer>[\w.~+/-]{6,}+={0,2})",
        ]
    )
)
_CERTAIN = re.compile(any_of(*(pattern for pattern in _KEYS if not pattern.startswith("eyj"))))
_BEGINNINGS = (
    *("sk[-_]", "eyj", "ewo", "eyai", "w3si", "wyj", "zxlk", "basic", "bearer", "73[ :]6b", "736b"),
    *("akia", "asia", "aiza", r"ya29\."),
)
OPTION = r"-(?:(?<![^\s\"'`\[,(=]-)|(?<=\\[bfnrt]-))"
"""A pattern of how an option of a command line begins: at the begin of a word, or behind an escape such as \\n."""
FLAGS = "[#0-9aBfgGiIjJklLnNOpqRsSvVZ]"
"""A pattern of curl's options without a value, which may stand before -u in one word."""
HINTS = (*_BEGINNINGS, *(f"{prefix}[-_]" for prefix in _ISSUED), *_in_base64("sk_car_"))
"""Patterns of what these shapes begin with."""

# the end of a key whose middle was left out, and the next line of a key that was broken
_TAIL = re.compile(r"(?:(?:\.{2,}|…|\*{2,}|\[\.{3}\]|<\.{3}>)[\w+/=~-]*+)++")
_NEXT_PART = re.compile(r"/([\w+=~-]{4,})")
_NEXT_LINE = re.compile(r"(?:[ \t]*+[\r\n]\s*+|(?:\\[rn])++[ \t]*+)([\w+/=-]{6,}+)(?!\s*[:=])")
_READABLE = 24  # characters at the beginning of what base64 holds that tell text
_DIVIDER = re.compile("[-_]")
_LONG_RUN = re.compile(r"[\w-]{25}")
_RUN_OF_BASE64 = re.compile(r"[\w+/-]{25}")
_LONG_PART = re.compile(r"[A-Za-z0-9]{16,}")
_PART = re.compile(r"[A-Za-z0-9]{6,}")
_MADE_UP = re.compile(r"[A-Za-z][0-9]+[A-Za-z]")


def find(text: str, low: str, spoken: bool, redact: Redact) -> Iterator[Span]:
    """Yield where secrets stand that show by their shape.

    Args:
        text: As it is.
        low: The same in lower case, of the same length.
        spoken: Whether somebody said it, so that a word is more likely a word.
        redact: For what is found in base64.
    """
    done = 0
    for number, found in enumerate(_SHAPES.finditer(low)):
        if number >= MOST:
            yield found.start(), len(text)
            return
        if found.end() <= done:
            continue  # the next line of a key
        kind = found.lastgroup or ""
        begin, end = found.span(kind if kind in ("basic", "bearer") else 0)
        word = text[begin:end]
        if kind == "basic":
            told = _is_pair(word)
        elif kind == "bearer":
            told = _is_bearer(word)
        elif kind.startswith("json"):
            told = _holds_secret(word, redact)
        else:
            told = kind.startswith("key") or _looks_issued(word, text[max(0, begin - 25) : begin], spoken)
        if told:
            done = end_of(text, end)
            yield begin, done
        else:  # a key within what is none, as in "gsk_car_..."
            at = max(begin, done)
            while at < end and (inner := _CERTAIN.search(low, at, end)) is not None:
                whole = _CERTAIN.match(low, inner.start()) or inner
                at = done = end_of(text, whole.end())
                yield inner.start(), done


def end_of(text: str, end: int) -> int:
    """Return where a secret ends, with what follows a gap in it or stands on its next line."""
    following = text[end : end + 1]
    if following in (".", "…", "*", "[", "<") and (tail := _TAIL.match(text, end)) is not None:
        end = tail.end()
        following = text[end : end + 1]
    while following == "/" and (part := _NEXT_PART.match(text, end)) is not None and is_opaque(part[1]):
        end = part.end()
        following = text[end : end + 1]
    if following in ("\r", "\n", "\\", " ", "\t"):
        while (line := _NEXT_LINE.match(text, end)) is not None and is_opaque(line[1]):
            end = line.end()
    return end


def _looks_issued(word: str, before: str, spoken: bool) -> bool:
    """Whether what begins as many keys do is one: its rest is opaque, and it is no part of a longer text in base64."""
    if _LONG_RUN.fullmatch(before) or _is_amid_base64(before):
        return False
    if word[:4].lower() in ("akia", "asia"):
        return word[:4].isupper() and is_opaque(word)
    body = _DIVIDER.split(word, maxsplit=1)[-1]
    if "/" in body[:6] and not _is_base64(body):
        return False  # a path
    if before[-1:].isalnum():  # within a word, as of "risk-free"
        return any(is_opaque(part) for part in _LONG_PART.findall(body))
    return is_opaque(body) and len(body) >= (12 if spoken else 4)


def _is_amid_base64(before: str) -> bool:
    """Whether what stands before a word is base64 that it goes on with; a path goes on with a slash."""
    if not _RUN_OF_BASE64.fullmatch(before):
        return False
    return before[-1].isalnum() or "+" in before or _is_base64(before)


def _is_base64(text: str) -> bool:
    """Whether letters of both cases and digits are mixed as in no path."""
    parts = re.split("[+/]", text)
    return sum(map(len, filter(is_opaque, parts))) > len(text) / 2 and not text.islower()


def _is_pair(word: str) -> bool:
    """Whether base64 holds `user:password`."""
    plain = _unpack(word)
    return ":" in plain and plain.isprintable()


def _is_bearer(word: str) -> bool:
    return (len(word) >= 24 and is_opaque(word)) or any(_MADE_UP.search(part) for part in _PART.findall(word))


def _holds_secret(word: str, redact: Redact) -> bool:
    """Whether base64 holds text with a secret in it; what begins like JSON by chance, as in audio, is no text."""
    plain = _unpack(word)
    head = "".join(plain[:_READABLE].split())
    return head.isprintable() and "\ufffd" not in head and redact(plain) != plain


def _unpack(word: str) -> str:
    standard = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4)).decode(errors="replace")
    except ValueError:
        return ""

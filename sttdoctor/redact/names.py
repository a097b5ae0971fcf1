"""Names under which secrets stand: of headers, of query parameters, of JSON keys, of variables.

A name is that of a secret when it ends in a kind of secret (`key`, `token`, `password`), alone or in the plural, behind
which only what leaves it a secret may follow (`access_token_v2`, `secretKeyId`, `private_key_pem`). What is said about
a secret is none (`token_type`), and neither is `keyterm`, `monkey` or the nonce of a WebSocket handshake.
"""

import re
from functools import lru_cache

LONGEST_NAME = 100
"""Characters of a name that are looked at, from its end."""

# no secrets, although they end in "key"
_OTHER_KEYS = (
    "mon tur don hoc joc whis lac mic hic flun hot low off turn public primary foreign websocket idempotency isolation"
)
_OTHER_KEYS += " anonymization cache sort partition routing surrogate"
_BEFORE_OTHER_KEYS = tuple(word + mark for word in _OTHER_KEYS.split() for mark in ("", "-", "_", "."))
_NO_WORD = frozenset(" \t\r\n&?;,\"'=:({[")
_STILL = (
    "id|value|val|v(?=[0-9])|[0-9]+|string|str|text|data|raw|pem|der|base64(?:url)?|b64|hex|encrypted|enc|header|hdr"
    "|parameter|param|field|old|new|current|previous|prev|next|primary|secondary|backup|main|production|prod|dev|test"
    "|live|staging|sandbox|local|env|plain|hash|part|code|info|key|token|secret|auth|password"
)


def any_of(*patterns: str) -> str:
    """Return a pattern of any of several, each of which begins with a letter as it is.

    They are sorted by that letter, so that a search is quick: it jumps to the next such letter and tries few there.
    """
    rests: dict[str, list[str]] = {}
    for pattern in patterns:
        rests.setdefault(pattern[0], []).append(pattern[1:])
    return "|".join(f"{letter}(?:{'|'.join(rest)})" for letter, rest in rests.items())


KINDS = (
    "key",
    "token",
    "ticket",
    "secret",
    "session(?<![a-z]session)",
    "sess(?:ion)?(?=_?id)",
    "sid(?<![a-z]sid)",
    "sig(?:nature)?",
    "passw(?:or)?d",
    "passphrase",
    "passcode",
    "pass(?<![a-z]pass)",
    "pwd",
    "dbpass",
    "userpass",
    "auth(?:entication|orization)?",
    "jwt",
    "credential",
    "cred(?<![a-z]cred)",
    "cookie",
    "csrf",
    "xsrf",
    "bearer",
    "hmac",
    "otp",
)
"""Patterns of the kinds of secrets, for text in lower case; `is_other_key` tells of a key whether it is one."""

TAIL = rf"s?(?:[_.\[\]-]?(?=[a-z0-9])(?:{_STILL})s?){{0,3}}+"
"""A pattern of what may follow one of `KINDS` in the name of a secret."""

_NAME = re.compile(rf"(?:{any_of(*KINDS)}){TAIL}[\W_]*$")
# secrets whatever stands behind them, unless it says that something else is meant
_PLAIN = re.compile(
    r"(?:passw(?:or)?d|passphrase|secret|credential|(?:api|private|access)[_-]?key|(?:access|auth)[_-]?token)s?[\W_]"
)
_ABOUT = re.compile(
    r"[\W_](?:type|kind|count|limit|usage|used|length|len|size|bytes|expiry|expire|expired|expiration|exp|ttl|timeout|ms"
    r"|at|in|age|url|uri|endpoint|host|path|file|method|mode|scheme|status|state|error|message|reason|required|enabled"
    r"|disabled|valid|invalid|ok|version|algorithm|alg|format|provider|user|username|email|scope|realm|issuer|index|num"
    r"|number|total|max|min|budget|rate|policy|config|option|setting|name|label|duration|date|time|created|updated|get"
    r"|create)s?[\W_]*$"
)
_COUNTED = re.compile(r"(?:token|key|session|ticket|credential|cookie|secret|password|sig|signature|jwt)s[\W_]*$")
_SHORT = re.compile(r"(?:key|token|session|sid|ticket|pass|sig|cred)[a-z0-9]{0,3}[\W_]*$")
_GUARDED = re.compile(r"api[\W_]?key|access|auth")


def is_secret_name(name: str) -> bool:
    """Whether what stands under a name is a secret; upper and lower case, `-`, `_` and spaces are all one."""
    return _is_secret(name[-LONGEST_NAME:])


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    lower = name.lower().replace(" ", "_")
    found = _NAME.search(lower)
    if found is not None and not is_other_key(lower, found.start()):
        return True
    return _PLAIN.search(lower) is not None and _ABOUT.search(lower) is None


def is_other_key(low: str, begin: int) -> bool:
    """Whether one of `KINDS`, found in text in lower case, is no secret: a monkey, the nonce of a handshake."""
    if begin == 0 or low[begin] != "k" or low[begin - 1] in _NO_WORD:
        return False
    return low[max(0, begin - 14) : begin].endswith(_BEFORE_OTHER_KEYS)


def is_counted(name: str) -> bool:
    """Whether a number under the name of a secret says how many: `max_tokens`."""
    return bool(_COUNTED.search(name[-LONGEST_NAME:].lower()))


def may_be_count(name: str, digits: str) -> bool:
    """Whether digits under the name of a secret are just a number: `max_tokens=100`, `key: 3`; never of a password."""
    lower = name[-LONGEST_NAME:].lower()
    return is_counted(name) or (len(digits) < 6 and bool(_SHORT.search(lower)) and not _GUARDED.search(lower))

"""What stands where a secret is expected: a secret, or a mask, an unset variable, a placeholder, which are evidence."""

import re

REDACTED = "REDACTED"

SCHEMES = (
    "bearer|token|basic|digest|api[-_]?key|access[-_]?(?:token|key)|key|jwt|dpop|gnap|hawk|hoba|hmac[-a-z0-9]*|mutual"
    "|negotiate|ntlm|oauth|privatetoken|scram-sha-[0-9]{1,3}|vapid|sharedkey|signature|session|secret|ssws"
    "|aws4-hmac-sha256"
)
"""A pattern of authorization schemes: of IANA's registry, and others that are in use."""

_SCHEME = re.compile(rf"\s*({SCHEMES})(?=\s|$)\s*", re.IGNORECASE)
_LONGEST = 80  # characters of a mark, or of what stands in place of a secret
# what recorders and loggers write in the place of something, secret or not
_MASK = re.compile(
    r"(?:\W*(?:redacted|masked|hidden|filtered|removed|omitted|elided|censored|scrubbed|stripped|obfuscated|sanitized"
    r"|sanitised|secret|private))+\W*|[\"'<(\[]?([*x\u2022\u25cf\u2588#])\1{2,}\S{0,8}",
    re.IGNORECASE,
)
# nothing, a variable that was never set, or one that was never put in
_UNSET = re.compile(
    r"([\"']?)(?:undefined|null|none|nil|nan|true|false|unset|missing|\[object \w+\]"
    r"|(?:process\.env|import\.meta\.env|os\.environ|env)\W{1,2}[a-z_]+\W{0,2}"
    r"|(?:\$\{?|\{\{?|<|%|\[)[a-z_.\- ]*(?:key|token|secret|auth|pass|cred|jwt|bearer)[a-z_.\- ]*[}>%\]]*"
    r"|\$\{[a-z_]\w{0,60}\}|(?:your|insert|enter)[_\- ][a-z_\- ]+)?\1",
    re.IGNORECASE,
)


def is_mask(value: str) -> bool:
    """Whether a value is only a mark that something stood there: `REDACTED`, `***`, `[FILTERED]`, `****abcd`."""
    return len(value) <= _LONGEST and _MASK.fullmatch(value) is not None


def is_unset(value: str) -> bool:
    """Whether what stands for a secret shows that there was none: empty, `null`, `undefined`, `${API_KEY}`."""
    value = value.strip()
    return len(value) <= _LONGEST and _UNSET.fullmatch(value) is not None


def hide(value: str) -> str:
    """Return what may be shown of the value of a secret: its scheme, and that there was no secret."""
    scheme, rest = split_scheme(value)
    secret = rest.strip() if is_unset(rest) else REDACTED
    return f"{scheme} {secret}".rstrip() if scheme else secret


def split_scheme(value: str) -> tuple[str, str]:
    """Return the authorization scheme, empty where there is none, and what stands behind it."""
    found = _SCHEME.match(value)
    return (found[1], value[found.end() :]) if found is not None else ("", value)


def is_scheme(value: str) -> bool:
    """Whether a value is an authorization scheme alone, with no key behind it."""
    found = _SCHEME.match(value) if len(value) <= _LONGEST else None
    return found is not None and found.end() == len(value)


_CAMEL = re.compile(r"[a-z]*+(?:[A-Z][a-z]++|[A-Z]{2,3}(?![a-z]))*+")
_BOTH_CASES = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]")
_LETTERS = re.compile(r"[A-Za-z]{6,}")
_DIGITS = re.compile(r"[0-9](?:[A-Za-z]|[0-9]{7})|[A-Za-z][0-9]")
_TECHNICAL = re.compile(  # an encoding, an algorithm, a version; a word with a number, an amount, a date
    r"(?i:(?:pcm_)?[suif](?:8|16|24|32|64)(?:le|be)?"
    r"|(?:linear|utf|sha|md|[rehp]s|base|https?|v|ed|x|iso|mp|h|ipv|oauth|aes|rsa|tls|ink|web)[-_/]?[0-9]{1,4}"
    r"(?:[-_.][a-z0-9]{1,6}){0,2})|[A-Z]?[a-z]{1,12}[0-9]|[0-9.,]{1,8}[A-Za-z%]{1,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}\S*"
)
_LONGEST_TECHNICAL = 32


_LONGEST_KEY = 4096
_ONE_WORD = re.compile(r"[\w+/=~.-]+")
_PART = re.compile(r"[A-Za-z0-9]{8,}")
_MIXED = re.compile(r"[A-Za-z][0-9]+[A-Za-z]|[0-9][A-Za-z]+[0-9]")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def is_made_up(word: str) -> bool:
    """Whether a word is made up by a machine beyond doubt: letters and digits mixed in one long run, and no UUID."""
    return (
        len(word) <= _LONGEST_KEY
        and _ONE_WORD.fullmatch(word) is not None
        and any(_MIXED.search(part) for part in _PART.findall(word))
        and not (_UUID.search(word) or _TECHNICAL.fullmatch(word))
    )


def is_opaque(word: str) -> bool:
    """Whether a word looks made up by a machine: letters and digits mixed, or long, or cases that no word mixes."""
    if _DIGITS.search(word):
        return len(word) >= 4 and not (len(word) <= _LONGEST_TECHNICAL and _TECHNICAL.fullmatch(word))
    return any(
        len(letters) >= 20 or (_BOTH_CASES.search(letters) and not _CAMEL.fullmatch(letters))
        for letters in _LETTERS.findall(word)
    )

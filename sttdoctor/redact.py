"""Secrets leave the evidence the moment it is read: in headers, URLs, JSON messages and free text."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

REDACTED = "REDACTED"

_NAMES = r"authorization|api[-_]?key|access[-_]?token|refresh[-_]?token|id[-_]?token|auth[-_]?token|x[-_]auth|bearer"
_NAMES += r"|token|secret|password|passwd|cookie|signature|private[-_]key|subscription[-_]key"
_SCHEMES = "bearer|token|basic|digest|api[-_]?key"
_SPOKEN = ("transcript", "text")

_SECRET_NAME = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)
_SECRET_KEY = re.compile(rf"(?:{_NAMES})$", re.IGNORECASE)
_SCHEME = re.compile(rf"^\s*({_SCHEMES})(?=\s|$)", re.IGNORECASE)
# nothing, a variable that was never set, or one that was never put in: there was no secret
_UNSET = re.compile(
    r"\s*([\"']?)(?:null|undefined|none|nil|\$\{[a-z_]\w{0,60}\}|<?your[-_ ](?:cartesia[-_ ])?api[-_ ]?key>?)?\1\s*",
    re.IGNORECASE,
)
# what recorders and loggers write in the place of something, secret or not
_MASK = re.compile(
    r"\W*(?:redacted|masked|hidden|filtered|removed|omitted|censored|scrubbed|obfuscated|sanitized|secret|private)\W*"
    r"|[\"'<(\[]?([*x\u2022\u25cf\u2588#])\1{2,}\S{0,8}",
    re.IGNORECASE,
)
_QUERY = re.compile(r"([?&;#])([^?&;#=\s\"'<>]{1,200})=([^&;#\s\"'<>]*)")
# a word in which characters are percent-encoded; possessive and begun where a word begins, to stay linear
_ENCODED = re.compile(r"(?<![\w.~+-])[\w.~+-]*+(?:%[0-9a-fA-F]{2}[\w.~+-]*+)+")
# up to the last @ of the authority, since a password may hold one
_USERINFO = re.compile(r"(://)[^/?#\s]+@")
_COOKIE = re.compile(r"(cookie[\\\"']*\s*[:=]\s*[\\\"']*)[^\r\n\\\"']+", re.IGNORECASE)
_IN_TEXT = re.compile(
    rf"((?:{_NAMES})[\\\"']*\s*(?:[:=]|%3a|%3d)\s*)(\\*[\"'])?((?:{_SCHEMES})\s+)?"
    r"((?(2)[^\\\"'\r\n]+|[^\s\\\"',;&<>]+))",
    re.IGNORECASE,
)
# a key of the service, a JSON web token, and what follows "bearer" when it is no word ("the bearer certificate")
_BARE = re.compile(
    r"\bsk_(?:car_|(?=[a-z0-9_-]{8}))[a-z0-9_-]+"
    r"|(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|\b(bearer\s+)(?=[a-z._~+/=-]*\d|\S{24})[a-z0-9._~+/=-]{8,}",
    re.IGNORECASE,
)

# without any of these, JSON in ASCII (an escaped letter shows as a backslash) holds nothing to replace
_HINTS = ("auth", "key", "token", "bearer", "secret", "passw", "cookie", "signature", "sk_", "eyj", "@", "=", "%", "\\")
_SHALLOW = 100  # levels at most, far from what Python can follow


def may_hold_secret(text: str) -> bool:
    """Whether the text of JSON could hold a secret: a quick look that is never wrongly no.

    What may be nested deeply is left to `redact_json`, which refuses it before anything else meets it.
    """
    lower = text.lower()
    deep = text.count("[") + text.count("{") > _SHALLOW
    return deep or not text.isascii() or any(hint in lower for hint in _HINTS)


def redact_message(value: Any, text: str) -> Any:
    """Return what `redact_json` does of a JSON value, the value itself where its text holds no hint of a secret.

    Raises:
        RecursionError: It is nested too deep.
    """
    return redact_json(value) if may_hold_secret(text) else value


def is_unset(value: str) -> bool:
    """Whether what stands for a secret shows that there was none: empty, `null`, `undefined`, `${API_KEY}`."""
    return _UNSET.fullmatch(value) is not None


def is_mask(value: str) -> bool:
    """Whether a value is only a mark that something stood there: `REDACTED`, `***`, `[FILTERED]`, `****abcd`."""
    return _MASK.fullmatch(value) is not None


def _masked(value: str) -> str:
    """What is written for the value of a secret: where there was none, that stays to be seen."""
    return value if is_unset(value) else REDACTED


def redact_text(text: str) -> str:
    """Replace secrets in technical text: a log line, an error body, a close reason, a URL."""
    if _SECRET_NAME.search(text):
        text = _COOKIE.sub(rf"\1{REDACTED}", redact_tokens(text))
        text = _IN_TEXT.sub(lambda m: f"{m[1]}{m[2] or ''}{m[3] or ''}{_masked(m[4])}", text)
    return redact_tokens(text)


def redact_tokens(text: str) -> str:
    """Replace what is a secret by its own shape; spoken words that only mention a password stay as they are."""
    text = _redact_shapes(text)
    return _ENCODED.sub(_encoded, text) if "%" in text else text


def _redact_shapes(text: str) -> str:
    if "@" in text:
        text = _USERINFO.sub(rf"\1{REDACTED}@", text)
    if "=" in text:
        text = _QUERY.sub(_parameter, text)
    return _BARE.sub(lambda m: f"{m[1] or ''}{REDACTED}", text)


def _parameter(found: re.Match[str]) -> str:
    name = unquote(found[2]).rstrip("]")  # as of "headers[api_key]"
    return f"{found[1]}{found[2]}={_masked(found[3])}" if _SECRET_KEY.search(name) else found[0]


def _encoded(found: re.Match[str]) -> str:
    plain = unquote(unquote(found[0]))  # an address within an address is encoded twice
    redacted = _redact_shapes(plain)
    return found[0] if redacted == plain else quote(redacted, safe="")


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names; secret values are replaced.

    An authorization scheme is kept, and a value that shows that there was no secret.
    """
    return {redact_text(name.lower()).lower(): _header_value(name.lower(), value) for name, value in headers.items()}


def _header_value(name: str, value: str) -> str:
    if name == "sec-websocket-protocol":  # browsers, which cannot set headers, pass a key as the second protocol
        first, comma, _rest = value.partition(",")
        return redact_text(first) + (f", {REDACTED}" if comma else "")
    if not _SECRET_NAME.search(name):
        return redact_text(value)
    scheme = _SCHEME.match(value)
    secret = _masked(value[scheme.end() :] if scheme else value).strip()
    return f"{scheme[1]} {secret}".rstrip() if scheme else secret


def redact_json(value: Any, key: str = "") -> Any:
    """Return a JSON value without the secrets that stand under a telling key or show by their shape.

    Args:
        value: Of any JSON type.
        key: Under which it stands; what was spoken (`transcript`, `text`) is not searched for talk of passwords.

    Raises:
        RecursionError: It is nested too deep.
    """
    if isinstance(value, dict):
        return {
            redact_tokens(name): REDACTED if _is_secret(name, item) else redact_json(item, name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [redact_json(item, key) for item in value]
    if isinstance(value, str):
        return redact_tokens(value) if key in _SPOKEN else redact_text(value)
    return value


def _is_secret(name: str, value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and bool(_SECRET_KEY.search(name))

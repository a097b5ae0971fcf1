"""Secrets in headers of HTTP."""

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from sttdoctor.redact.message import redact_text
from sttdoctor.redact.names import is_counted, is_secret_name
from sttdoctor.redact.values import REDACTED, hide, is_mask, is_opaque, is_unset, split_scheme

NO_SCHEME = "authorization-scheme"
"""Stands beside an `authorization` that is `REDACTED`, with the value `none`, where a key stood without a scheme.

Else nobody could tell it from a mask that the capture held already, which says nothing.
"""

_LONG, _SURE = 8, 16  # characters of an opaque secret, and of any


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names; secret values are replaced, an authorization scheme is kept.

    Kept is also what shows that there was no secret.
    """
    redacted = {}
    for name, value in headers.items():
        low = name.lower()
        shown = redact_text(low).lower()
        # a name that is secret only after a secret in it was replaced is so when it is read again, too
        redacted[shown] = _value(shown if shown != low and is_secret_name(shown) else low, value)
    if any(name.lower() == "authorization" and _stands_alone(value) for name, value in headers.items()):
        redacted[NO_SCHEME] = "none"
    return redacted


def secrets_of(headers: Mapping[str, str], url: str) -> tuple[str, ...]:
    """Return the secrets of a handshake, to be hidden wherever they are repeated; only such as no word is.

    Args:
        headers: Of the request, as they were sent.
        url: With its query.
    """
    named = [*headers.items(), *parse_qsl(url.partition("?")[2])]
    values = [split_scheme(value)[1].strip() for name, value in named if is_secret_name(name)]
    protocols = next((value for name, value in named if name.lower() == "sec-websocket-protocol"), "")
    values += [item.strip() for item in protocols.split(",") if REDACTED in _redact_protocols(item)]
    found = {value for value in values if len(value) >= _SURE or (len(value) >= _LONG and is_opaque(value))}
    return tuple(sorted(found, key=len, reverse=True))


def hide_known(text: str, secrets: Collection[str]) -> str:
    """Replace secrets that are known, whatever stands around them."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, REDACTED)
    return text


def hide_known_bytes(content: bytes, secrets: Collection[str]) -> bytes:
    """Replace secrets that are known in the content of a binary frame."""
    for secret in secrets:
        if (known := secret.encode(errors="replace")) in content:
            content = content.replace(known, REDACTED.encode())
    return content


def _stands_alone(value: str) -> bool:
    """Whether a key stands without a scheme; what may be masked in part is not sure to be a key."""
    scheme, key = split_scheme(value)
    return not scheme and is_opaque(key) and "..." not in key and not is_unset(key) and not is_mask(key)


def _redact_protocols(value: str) -> str:
    if not value:
        return value
    from sttdoctor.redact.assignments import redact_protocols  # its patterns take long to compile, see `text`

    return redact_protocols(value)


def _value(name: str, value: str) -> str:
    if name.strip() == "sec-websocket-protocol":
        return _redact_protocols(value)
    if not is_secret_name(name):
        return redact_text(value)
    return value if value.strip().isdigit() and is_counted(name) else hide(value)

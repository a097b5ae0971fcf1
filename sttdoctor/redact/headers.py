"""Secrets in headers of HTTP."""

from collections.abc import Mapping

from sttdoctor.redact.message import redact_text
from sttdoctor.redact.names import is_counted, is_secret_name
from sttdoctor.redact.protocols import redact_protocols
from sttdoctor.redact.values import hide, is_mask, is_opaque, is_unset, split_scheme

NO_SCHEME = "authorization-scheme"
"""Stands beside an `authorization` that is `REDACTED`, with the value `none`, where a key stood without a scheme.

Else nobody could tell it from a mask that the capture held already, which says nothing.
"""


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names; secret values are replaced, an authorization scheme is kept.

    Kept is also what shows that there was no secret.
    """
    redacted = {redact_text(name.lower()).lower(): _value(name.lower(), value) for name, value in headers.items()}
    if any(name.lower() == "authorization" and _stands_alone(value) for name, value in headers.items()):
        redacted[NO_SCHEME] = "none"
    return redacted


def _stands_alone(value: str) -> bool:
    """Whether a key stands without a scheme; what may be masked in part is not sure to be a key."""
    scheme, key = split_scheme(value)
    return not scheme and is_opaque(key) and "..." not in key and not is_unset(key) and not is_mask(key)


def _value(name: str, value: str) -> str:
    if name.strip() == "sec-websocket-protocol":
        return redact_protocols(value)
    if not is_secret_name(name):
        return redact_text(value)
    return value if value.strip().isdigit() and is_counted(name) else hide(value)

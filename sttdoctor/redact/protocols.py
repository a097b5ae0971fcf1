"""Values of Sec-WebSocket-Protocol: browsers, which cannot set headers, pass keys among the names of protocols."""

import re

from sttdoctor.redact.names import is_secret_name
from sttdoctor.redact.values import REDACTED, SCHEMES, is_unset

_WORD = r"(?:[a-z]{1,16}|[A-Z][a-z]{1,15}|[A-Z]{1,8}|[vV]?[0-9]{1,2}|[a-z]{1,8}[0-9])"
_PLAIN = re.compile(rf"{_WORD}(?:[-_+:/]{_WORD}){{0,5}}")
_MOST = 100  # names that are kept at most
_ANNOUNCES = re.compile(rf"{SCHEMES}", re.IGNORECASE)


def redact_protocols(value: str) -> str:
    """Keep names of protocols (`graphql-ws`, `v1.stt`, `token`), replace what is none or follows that of a secret.

    Args:
        value: Of the header: names, with commas between them.
    """
    kept: list[str] = []
    announced = False
    for item in value.split(",", _MOST)[:_MOST]:
        shown = item.strip() if not announced or is_unset(item) else REDACTED
        shown = _without_key(shown)
        announced = bool(_ANNOUNCES.fullmatch(shown)) or is_secret_name(shown)
        kept.append(shown)
    return ", ".join(kept)


def _without_key(name: str) -> str:
    """Return a name up to the first part that no name would have: `api-key.REDACTED`."""
    parts = name.split(".")
    for number, part in enumerate(parts):
        if (number and is_secret_name(parts[number - 1])) or not (_PLAIN.fullmatch(part) or is_unset(part)):
            return ".".join([*parts[:number], REDACTED])
    return name

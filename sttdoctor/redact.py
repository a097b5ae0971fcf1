"""Secrets leave the evidence the moment it is read: in headers, URLs, JSON messages and free text."""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "REDACTED"

_NAMES = r"authorization|api[-_]?key|x[-_]api[-_]key|xi[-_]api[-_]key|access[-_]?token|refresh[-_]?token|id[-_]?token"
_NAMES += r"|auth[-_]?token|bearer|token|secret|client[-_]secret|password|passwd|cookie|set[-_]cookie|signature"
_SECRET_NAME = re.compile(rf"(?:{_NAMES})", re.IGNORECASE)
_SCHEME = re.compile(r"^\s*(bearer|token|basic|apikey)\s+\S", re.IGNORECASE)
_QUERY = re.compile(rf"([?&;#](?:{_NAMES})=)[^&;#\s\"'<>]*", re.IGNORECASE)
_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/?#\s@]+@", re.IGNORECASE)
_IN_TEXT = re.compile(rf"((?:{_NAMES})[\"']?\s*[:=]\s*[\"']?)((?:bearer|token|basic)\s+)?[^\s\"',;&<>]+", re.IGNORECASE)
_BARE = re.compile(r"\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}|\bsk_[A-Za-z0-9_]{8,}", re.IGNORECASE)


def redact_text(text: str) -> str:
    """Replace secrets in technical text: a log line, an error body, a close reason, a URL."""
    if _SECRET_NAME.search(text):
        text = _IN_TEXT.sub(lambda m: f"{m[1]}{m[2] or ''}{REDACTED}", redact_tokens(text))
    return redact_tokens(text)


def redact_tokens(text: str) -> str:
    """Replace what is a secret by its own shape; spoken words that only mention a password stay as they are."""
    if "@" in text:
        text = _USERINFO.sub(rf"\1{REDACTED}@", text)
    text = _QUERY.sub(rf"\1{REDACTED}", text)
    return _BARE.sub(lambda m: f"{m[1] or ''}{REDACTED}", text)


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers with lower-case names; secret values are replaced, an authorization scheme is kept."""
    return {name.lower(): _header_value(name, value) for name, value in headers.items()}


def _header_value(name: str, value: str) -> str:
    if not _SECRET_NAME.search(name):
        return redact_text(value)
    scheme = _SCHEME.match(value)
    return f"{scheme[1]} {REDACTED}" if scheme else REDACTED


def redact_json(value: Any) -> Any:
    """Return a JSON value without the secrets that stand under a telling key or show by their shape."""
    if isinstance(value, dict):
        return {key: REDACTED if _SECRET_NAME.fullmatch(key) else redact_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [redact_json(item) for item in value]
    return redact_tokens(value) if isinstance(value, str) else value

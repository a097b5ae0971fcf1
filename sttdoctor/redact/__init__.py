"""Secrets leave the evidence the moment it is read: in headers, URLs, JSON messages, text and binary frames.

What is a secret is told by kinds: by its name, by the words that announce it, by its shape. What holds no secret stays
as it stands, since it may be the fault: an empty value, what an unset variable left.
"""

from sttdoctor.redact.binary import holds_text, is_text, redact_bytes
from sttdoctor.redact.headers import NO_SCHEME, hide_known, hide_known_bytes, redact_headers, secrets_of
from sttdoctor.redact.message import redact_cut, redact_json, redact_message, redact_text, redact_tokens
from sttdoctor.redact.text import may_hold_secret
from sttdoctor.redact.values import REDACTED, is_mask, is_unset

__all__ = [
    "NO_SCHEME",
    "REDACTED",
    "hide_known",
    "hide_known_bytes",
    "holds_text",
    "is_mask",
    "is_text",
    "is_unset",
    "may_hold_secret",
    "redact_bytes",
    "redact_cut",
    "redact_headers",
    "redact_json",
    "redact_message",
    "redact_text",
    "redact_tokens",
    "secrets_of",
]

"""Secrets in binary frames: a client may send its configuration as bytes."""

import re

from sttdoctor.redact.message import redact_text

_PRINTABLE = bytes((9, 10, 13, *range(0x20, 0x7F)))
_OTHERS = bytes(set(range(256)) - set(_PRINTABLE))
_KINDS = bytes(ord("t") if code in _PRINTABLE else 0 for code in range(256))
_PIECE = 16  # bytes that tell text
_LEAD = 8  # of a binary head, behind which the text may begin
_RUN = re.compile(rb"[\t\n\r\x20-\x7e]{12,}")
# words that no samples make; half of those of speech in G.711 are printable, in runs as long as half a period
_TELLING = re.compile(
    rb"sk_car_|sk-proj-|_pat_|eyjhbgci|api.?key|token|secret|passw|bearer|authori[sz]|cookie|credential", re.IGNORECASE
)
# how keys begin that are told in the midst of samples too
_BEGINNINGS = (b"github_pat_", b"eyJhbGciOiJ")
_SHORT_BEGINNINGS = re.compile(rb"sk[_-](?:car_|proj-)")  # in one look; for longer ones `in` is faster


def redact_bytes(content: bytes) -> bytes:
    """Return the content of a binary frame without the secrets of its text; samples are no text and stay as they are.

    Looked at is a frame that begins or ends as text does, or holds what keys of vendors begin with, so that one of
    samples costs next to nothing.
    """
    if not _may_be_text(content):
        return _without_keys(content)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return _RUN.sub(_without_secrets, content)
    redacted = redact_text(text)
    return content if redacted == text else redacted.encode()


def _without_keys(content: bytes) -> bytes:
    if _BEGINNINGS[0] in content or _BEGINNINGS[1] in content or _SHORT_BEGINNINGS.search(content):
        return _RUN.sub(_without_secrets, content)
    return content


def holds_text(content: bytes, size: int) -> bool:
    """Whether the content of a binary frame is text, or holds as many bytes of ASCII in a row."""
    if not _may_be_text(content):
        return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return b"t" * size in content.translate(_KINDS)
    return True


def _may_be_text(content: bytes) -> bool:
    """Whether it begins or ends as text does."""
    enough = min(_PIECE, len(content) * 3 // 4) or 1
    begin, end = content[: _PIECE + _LEAD], content[-_PIECE:]
    return len(begin.translate(None, _OTHERS)) >= enough or len(end.translate(None, _OTHERS)) >= enough


def _without_secrets(run: re.Match[bytes]) -> bytes:
    return redact_text(run[0].decode("ascii")).encode() if _TELLING.search(run[0]) else run[0]


def is_text(content: bytes) -> bool:
    """Whether the content of a binary frame is text of ASCII and nothing else."""
    return not content.translate(None, _PRINTABLE)

"""Secrets in binary frames: a client may send its configuration as bytes."""

import re

from sttdoctor.redact.message import redact_text

_PRINTABLE = bytes((9, 10, 13, *range(0x20, 0x7F)))
_RUN = re.compile(rb"[\t\n\r\x20-\x7e]{8,}")
_START, _PIECE = 4, 16  # bytes that tell text of UTF-8 as a whole, and text in part
_LEAD = 8  # of a binary head, behind which the text may begin


def redact_bytes(content: bytes) -> bytes:
    """Return the content of a binary frame without the secrets of its text; samples are no text and stay as they are.

    Looked at is a frame that begins or ends as text does.
    """
    if _is_text(content[:_START]) and (text := _decoded(content)) is not None:
        redacted = redact_text(text)
        return content if redacted == text else redacted.encode()
    if _is_text(content[_LEAD : _LEAD + _PIECE]) or _is_text(content[-_PIECE:]) or _is_text(content[:_PIECE]):
        return _RUN.sub(lambda run: redact_text(run[0].decode("ascii")).encode(), content)
    return content


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def is_text(content: bytes) -> bool:
    """Whether the content of a binary frame is text and nothing else."""
    return _is_text(content[:_PIECE]) and _is_text(content)


def _is_text(piece: bytes) -> bool:
    return piece.isascii() and not piece.translate(None, _PRINTABLE)

"""Secrets in binary frames: a client may send its configuration as bytes."""

import re

from sttdoctor.redact.message import redact_text

_PRINTABLE = bytes((9, 10, 13, *range(0x20, 0x7F)))
_OTHERS = bytes(set(range(256)) - set(_PRINTABLE))
_RUN = re.compile(rb"[\t\n\r\x20-\x7e]{8,}")
_PIECE = 16  # bytes that tell text
_TEXT = 0.9  # printable share of text with a binary head; of speech in G.711 half of the samples are
_LEAD = 8  # of a binary head, behind which the text may begin


def redact_bytes(content: bytes) -> bytes:
    """Return the content of a binary frame without the secrets of its text; samples are no text and stay as they are.

    Looked at is a frame that begins or ends as text does, so that one of samples costs next to nothing.
    """
    enough = min(_PIECE, len(content) * 3 // 4) or 1
    if (
        len(content[: _PIECE + _LEAD].translate(None, _OTHERS)) < enough
        and len(content[-_PIECE:].translate(None, _OTHERS)) < enough
    ):
        return content
    try:
        text = content.decode()
    except UnicodeDecodeError:
        if len(content.translate(None, _OTHERS)) < _TEXT * len(content):
            return content  # samples of 8 bits have printable runs as long as half a period of the voice
        return _RUN.sub(lambda run: redact_text(run[0].decode("ascii")).encode(), content)
    redacted = redact_text(text)
    return content if redacted == text else redacted.encode()


def is_text(content: bytes) -> bool:
    """Whether the content of a binary frame is text of ASCII and nothing else."""
    return not content.translate(None, _PRINTABLE)

"""Text in UTF-16, as PowerShell and some editors write it, as the UTF-8 that every reader expects."""

import codecs
import io
from typing import Any

_BOMS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOKED_AT = 64  # bytes, from which text without a byte order mark is told


def utf16_of(head: bytes) -> str | None:
    """Return `utf-16-le` or `utf-16-be` where the first bytes are such text, None where they are none.

    Without a byte order mark it is told by zeros in every second byte alone, as Latin letters have them.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    low, high = head[:_LOOKED_AT:2], head[1:_LOOKED_AT:2]
    if len(low) != _LOOKED_AT // 2 or len(high) != len(low):
        return None
    for text, zeros, name in ((low, high, "utf-16-le"), (high, low, "utf-16-be")):
        if not zeros.strip(b"\0") and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in text):
            return name
    return None


def utf8_of(head: bytes, name: str) -> bytes:
    """Return the first bytes in UTF-8, without a byte order mark; what is cut at the end is left out."""
    text = codecs.getincrementaldecoder(name)("replace").decode(head)
    return text.removeprefix("\ufeff").encode(errors="replace")


class Transcoded(io.RawIOBase):
    """A stream of UTF-16 as UTF-8; what is no character becomes U+FFFD.

    Args:
        stream: Binary, has `read1`.
        name: Of the encoding, as `utf16_of` gives it.
    """

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(name)("replace")
        self._begun = False
        self._ready = b""

    def readable(self) -> bool:
        """True."""
        return True

    def read1(self, size: int) -> bytes:
        """Return what is there, at most so many bytes; empty at the end."""
        while not self._ready:
            block = self._stream.read1(max(size, 2))
            text = self._decoder.decode(block, final=not block)
            if text and not self._begun:
                self._begun, text = True, text.removeprefix("\ufeff")
            self._ready = text.encode(errors="replace")
            if not block:
                break
        content, self._ready = self._ready[:size], self._ready[size:]
        return content

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, or the beginning of it."""
        content = self.read1(len(buffer))
        buffer[: len(content)] = content
        return len(content)

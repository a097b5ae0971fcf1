"""Tnetstrings read piece by piece: `LENGTH:DATA` and a letter for the type, of which only one value is in memory.

Source of the letters: https://github.com/mitmproxy/mitmproxy/blob/main/mitmproxy/io/tnetstring.py
"""

import math
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

MAX_VALUE_BYTES = 32 << 20
"""A longer value is not built: it is a frame of several minutes of audio, or no frame at all."""

_MAX_DIGITS = 12
_MAX_DEPTH = 20
_MAX_NUMBER = 60  # characters
_BLOCK = 1 << 16


class DamagedError(ValueError):
    """What follows is no tnetstring, or ends too early."""


class OddValueError(ValueError):
    """A whole value that cannot be used: too large, too deep, of too many parts; it has been passed."""


class Tnetstrings:
    """Walks through tnetstrings that stand one behind the other.

    Args:
        stream: Binary, read to its end.
    """

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._position = 0
        self._block = b""
        self._at = 0  # in the block

    @property
    def is_done(self) -> bool:
        """Whether nothing follows."""
        return self._at >= len(self._block) and not self._more()

    def members(self) -> Iterator[Any]:
        """Yield the keys of the dictionary that begins here, none of a null; the caller takes or skips each value.

        Raises:
            DamagedError: It is none.
        """
        begin, end = self._span()
        while self._position < end:
            yield self.value()
        self._leave(begin, end, b"}")

    def elements(self) -> Iterator[None]:
        """Yield for each item of the list that begins here; the caller takes or skips it.

        Raises:
            DamagedError: It is none.
        """
        begin, end = self._span()
        while self._position < end:
            yield
        self._leave(begin, end, b"]")

    def value(self, parts: int = 20_000) -> Any:
        """Take the next value.

        Args:
            parts: How many values it may consist of.

        Raises:
            DamagedError: It is none.
            OddValueError: It cannot be built.
        """
        length = self._length()
        if length > MAX_VALUE_BYTES:
            self._pass(length + 1)
            raise OddValueError(f"longer than {MAX_VALUE_BYTES >> 20} MiB")
        content = self._take(length)
        return _Value(parts).of(content, self._take(1), 0)

    def skip(self) -> None:
        """Pass over the next value.

        Raises:
            DamagedError: It ends too early.
        """
        self._pass(self._length() + 1)

    def _span(self) -> tuple[int, int]:
        length = self._length()
        return self._position, self._position + length

    def _length(self) -> int:
        while (colon := self._block.find(b":", self._at, self._at + _MAX_DIGITS + 1)) < 0:
            if len(self._block) - self._at > _MAX_DIGITS or not self._more():
                raise DamagedError("no tnetstring" if len(self._block) > self._at else "the file ends too early")
        return _length_of(self._take(colon + 1 - self._at)[:-1])

    def _more(self) -> bool:
        """Read on; what was passed is forgotten."""
        content = self._stream.read1(_BLOCK)  # unlike read, it gives what stands before damage
        self._block, self._at = self._block[self._at :] + content, 0
        return bool(content)

    def _leave(self, begin: int, end: int, letter: bytes) -> None:
        if self._position != end or self._take(1) not in (letter, b"~" if begin == end else letter):
            raise DamagedError("no tnetstring")

    def _take(self, size: int) -> bytes:
        content = self._block[self._at : self._at + size]
        self._at += size
        if len(content) < size:
            content += self._stream.read(size - len(content))
            self._block, self._at = b"", 0
            if len(content) < size:
                raise DamagedError("the file ends too early")
        self._position += size
        return content

    def _pass(self, size: int) -> None:
        while size > 0:
            size -= len(self._take(min(size, _BLOCK)))


class _Value:
    """Builds one value of so many parts at most."""

    def __init__(self, parts: int) -> None:
        self._left = parts

    def of(self, content: bytes, letter: bytes, depth: int) -> Any:
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise OddValueError("of too many parts, or nested too deep")
        if letter == b",":
            return content
        if letter == b";":
            return content.decode(errors="replace")
        if letter in (b"]", b"}"):
            items = self._items(content, depth + 1)
            return items if letter == b"]" else _dictionary(items)
        if letter == b"!":
            return content == b"true"
        if letter == b"~":
            return None
        return _number(content, letter)

    def _items(self, content: bytes, depth: int) -> list[Any]:
        items, at = [], 0
        while at < len(content):
            colon = content.find(b":", at, at + _MAX_DIGITS + 1)
            begin = colon + 1
            end = begin + _length_of(content[at:colon] if colon >= 0 else b"")
            if end >= len(content):
                raise OddValueError("an item is longer than its list")
            items.append(self.of(content[begin:end], content[end : end + 1], depth))
            at = end + 1
        return items


def _dictionary(items: list[Any]) -> dict[Any, Any]:
    return {key: value for key, value in zip(items[::2], items[1::2], strict=False) if isinstance(key, str | bytes)}


def _length_of(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > _MAX_DIGITS:
        raise DamagedError("no tnetstring")
    return int(digits)


def _number(content: bytes, letter: bytes) -> float | int:
    try:
        found = (int if letter == b"#" else float)(content[:_MAX_NUMBER])
    except ValueError:
        raise OddValueError("a number that is none") from None
    if letter not in (b"#", b"^") or not math.isfinite(found):
        raise OddValueError("a value of unknown type")
    return found

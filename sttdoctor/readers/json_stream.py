"""A large JSON document read piece by piece: only one value of it is in memory at a time."""

import codecs
import json
import re
import sys
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from sttdoctor.readers.collector import UNREAD, FullError, Loss
from sttdoctor.readers.stream import StreamError

MAX_VALUE_CHARACTERS = 32 << 20
"""A longer value is not built: it is a frame of several minutes of audio, or no frame at all."""

MAX_ITEMS = 1_500_000
"""Members and items of one document that are walked through: twice as many as messages can be held."""

MAX_SKIPPED = 5_000_000
"""Brackets and strings of one document in values that are too large to be built."""

_BLOCK_BYTES, _MAX_BLOCK_BYTES = 1 << 20, 1 << 22
_MAX_PARTS = 1_000_000  # of lists and objects in one value; each takes far more memory than its character
_SPACE = re.compile(r"[ \t\r\n\x1e]*")  # with the separator of RFC 7464
_STRUCTURE = re.compile(r'"|[\[{]+|[\]}]+')
_PLAIN = re.compile(r'[^"\\]*')
_SCALAR = re.compile(r"[^\s,\[\]{}\"]+")
_COMMENT_ENDS = {"//": "\n", "/*": "*/"}
_DECODER = json.JSONDecoder(strict=False)


class DamagedError(ValueError):
    """The document is not JSON from here on, or ends too early."""


ENDS = (FullError, StreamError, DamagedError)
"""What ends the reading of a document before it is over; see `JsonStream.lost`."""


class TooLargeError(ValueError):
    """A value is too large to be built; it can still be skipped."""


class JsonStream:
    """Walks through a JSON document in UTF-8; wrong bytes become U+FFFD.

    Args:
        stream: Binary, read to the end of the document.
        line: In which it begins.
    """

    def __init__(self, stream: BufferedReader, line: int = 1) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._text = ""
        self._spare = ""
        self._position = 0
        self._counted = 0
        self._line = line
        self._ended = False
        self._items = 0
        self._skipped = 0

    @property
    def line(self) -> int:
        """The line of the next character, from 1."""
        self._line += self._text.count("\n", self._counted, self._position)
        self._counted = self._position
        return self._line

    def lost(self, error: ValueError) -> Loss:
        """Return what one of `ENDS`, raised here, leaves unread."""
        return Loss(self.line, f"damaged from here on: {error}" if isinstance(error, DamagedError) else str(error))

    def peek(self) -> str:
        """Return the next character that is no white space and in no comment, empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._position)
            self._position = space.end() if space else self._position
            if self._position < len(self._text):
                following = self._text[self._position]
                if following != "/" or not self._skip_comment():
                    return following
            elif not self._more():
                return ""

    def _skip_comment(self) -> bool:
        """Pass over a comment, as JSON with comments has them; false where none begins here."""
        while self._position + 2 > len(self._text) and self._more():
            pass
        end = _COMMENT_ENDS.get(self._text[self._position : self._position + 2])
        if end is None:
            return False
        self._position += 2
        while (place := self._text.find(end, self._position)) < 0:
            self._position = max(self._position, len(self._text) - 1)
            if not self._more():
                self._position = len(self._text)
                return True
        self._position = place + len(end)
        return True

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; the caller takes or skips each value.

        Raises:
            DamagedError: It is no object, or it is not JSON.
            FullError: There are too many members and items in the document.
        """
        self._expect("{")
        following = self.peek()
        while following != "}":
            key = self.value()
            if not isinstance(key, str):
                raise DamagedError("a key that is not a string")
            self._expect(":")
            self.peek()
            self._count_item()
            yield key
            following = self._after_value("}")
        self._position += 1

    def elements(self) -> Iterator[int]:
        """Yield the line of each item of the list that begins here; the caller takes or skips the item.

        Raises:
            DamagedError: It is no list, or it is not JSON.
            FullError: There are too many members and items in the document.
        """
        self._expect("[")
        following = self.peek()
        while following != "]":
            self._count_item()
            yield self.line
            following = self._after_value("]")
        self._position += 1

    def value(self, decoder: json.JSONDecoder | None = None) -> Any:
        """Take the next value.

        Args:
            decoder: Builds it, the usual one where None.

        Raises:
            TooLargeError: It is longer than `MAX_VALUE_CHARACTERS` or has too many parts; the position stays.
            DamagedError: It is not JSON, or nested too deep.
        """
        self.peek()
        while True:
            self._refuse_large()
            try:
                value, end = (decoder or _DECODER).raw_decode(self._text, self._position)
            except RecursionError:
                raise TooLargeError("nested too deep") from None
            except ValueError:
                if self._grow():
                    continue
                raise DamagedError("not JSON") from None
            if end < len(self._text) or not self._more():  # a number may go on in the next block
                self._position = end
                self._narrow()
                return value

    def value_or_none(self) -> Any:
        """Take the next value; None for one that is too large, which is passed over.

        Raises:
            DamagedError: It is not JSON, or nested too deep.
            FullError: Too many values of the document were passed over.
        """
        try:
            return self.value()
        except TooLargeError:
            self.skip()
            return None

    def skip(self) -> None:
        """Pass over the next value, whatever its size and depth.

        Raises:
            DamagedError: The document ends before it does.
            FullError: Too many values of the document were passed over.
        """
        try:
            self.value()  # the quick way
            return
        except TooLargeError:
            depth = 0
        if self.peek() not in ('"', "[", "{"):
            self._skip_scalar()
            return
        while True:
            mark = _STRUCTURE.search(self._text, self._position)
            self._position = mark.end() if mark else len(self._text)
            if mark is None:
                self._need_more()
                continue
            self._skipped += 1
            if self._skipped > MAX_SKIPPED:
                raise FullError(f"more than {MAX_SKIPPED} values to pass over; {UNREAD}")
            if mark[0] == '"':
                self._skip_string()
            elif mark[0][0] in "[{":
                depth += len(mark[0])
            else:
                self._position -= max(0, len(mark[0]) - depth)  # what closes lists and objects round the value
                depth -= len(mark[0])
            if depth <= 0:
                return

    def _skip_scalar(self) -> None:
        while True:
            scalar = _SCALAR.match(self._text, self._position)
            if scalar is None:
                raise DamagedError("not JSON")
            if scalar.end() < len(self._text) or not self._more():
                self._position = scalar.end()
                return

    def _skip_string(self) -> None:
        """Pass over the rest of a string, its first quote is behind."""
        while True:
            plain = _PLAIN.match(self._text, self._position)
            self._position = plain.end() if plain else self._position
            if self._position >= len(self._text):
                self._need_more()
            elif self._text[self._position] == '"':
                self._position += 1
                return
            else:
                while self._position + 2 > len(self._text):
                    self._need_more()
                self._position += 2

    def _count_item(self) -> None:
        self._items += 1
        if self._items > MAX_ITEMS:
            raise FullError(f"more than {MAX_ITEMS} items; {UNREAD}")

    def _refuse_large(self) -> None:
        pending = len(self._text) - self._position
        # one character beyond the usual makes each of them four bytes wide
        if pending > MAX_VALUE_CHARACTERS or sys.getsizeof(self._text) > 2 * MAX_VALUE_CHARACTERS + 4 * _BLOCK_BYTES:
            raise TooLargeError(f"longer than {MAX_VALUE_CHARACTERS >> 20} MiB")
        if pending > 2 * _BLOCK_BYTES:
            parts = sum(self._text.count(mark, self._position) for mark in "[{,")
            if parts > _MAX_PARTS:
                raise TooLargeError(f"more than {_MAX_PARTS} values in one")

    def _expect(self, character: str) -> None:
        if self.peek() != character:
            raise DamagedError(f"{character} is missing")
        self._position += 1

    def _after_value(self, closing: str) -> str:
        following = self.peek()
        if following == closing:
            return following
        self._expect(",")
        return self.peek()  # behind a comma too many, as people and JavaScript write it, comes the end

    def _need_more(self) -> None:
        if not self._more():
            raise DamagedError("the document ends too early")

    def _grow(self) -> bool:
        """Read on until twice as much is pending: a pipe gives little at a time, and each try begins anew."""
        wanted = 2 * (len(self._text) - self._position)
        grown = self._more()
        while grown and len(self._text) < wanted and self._more():
            pass
        return grown

    def _more(self) -> bool:
        """Read on; what was passed is forgotten."""
        if self._ended:
            return False
        self._line = self.line
        pending = self._text[self._position :]
        size = min(max(_BLOCK_BYTES, len(pending)), _MAX_BLOCK_BYTES)  # each block copies what is pending
        block, self._spare = self._spare[:size], self._spare[size:]
        if not block:
            content = self._stream.read1(size)  # unlike read, it gives what stands before damage
            self._ended = not content
            block = self._decode(content, final=self._ended)
        self._text = pending + block
        self._position = self._counted = 0
        return True

    def _narrow(self) -> None:
        """Set aside what a large value brought with it, so that the next value is judged by its own size."""
        end = self._position + _BLOCK_BYTES
        if len(self._text) > end + _BLOCK_BYTES:
            self._text, self._spare = self._text[:end], self._text[end:] + self._spare

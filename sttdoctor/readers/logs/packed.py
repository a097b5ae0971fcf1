r"""Bytes as a line of a log shows them: hexadecimal, base64, numbers, Node's buffers, literals of Python and Go.

send <Buffer 42 00 92 00 ... 1550 more bytes>        recv [123 34 116 121 112 101 34 58 ...]
TX QgCSAIMA0wBsAXcB...                               recv 7b2274797065223a22636f6e6e65637465642...
"""

import re
from collections.abc import Callable

from pybase64 import b64decode

from sttdoctor.values import immutable

PACKED = rb"eyJ0eXBl|7b2274797065|7b 22 74 79 70 65|\[123,? 34,? 116,? 121,? 112,? 101"
"""How an event begins that is shown so."""

_MARK = re.compile(PACKED.decode())
_BUFFER = re.compile(r"<Buffer ((?:[0-9a-f]{2} ){0,1000000}[0-9a-f]{2})(?: \.\.\. (\d{1,8}) more bytes?)?>")
_SPACED = re.compile(r"(?<![0-9A-Za-z])((?:[0-9a-fA-F]{2}[ :]){15,1000000}[0-9a-fA-F]{2})(?![0-9A-Za-z])()")
_NUMBERS = re.compile(r"\[((?:-?\d{1,3},? ){15,1000000}-?\d{1,3})\]()")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x|\\x)?([0-9a-fA-F]{32,1000000})(?![0-9A-Za-z])()")
_BASE64 = re.compile(
    r"(?<![0-9A-Za-z+/=])((?:[0-9A-Za-z+/]{44,1000000}|eyJ0eXBl[0-9A-Za-z+/]{8,44})={0,2})(?![0-9A-Za-z+/=])()"
)
_QUOTED = re.compile(r"(?<!\\)(?:b'((?:[^'\\]|\\.){16,1000000})'|b?\"((?:[^\"\\]|\\.){16,1000000})\")")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_OF_ESCAPE = {"n": 10, "r": 13, "t": 9, "a": 7, "b": 8, "f": 12, "v": 11, "0": 0}
_LEAST_AUDIO = 80  # bytes: ten milliseconds at 8 kHz; no hash is as long


@immutable
class Blob:
    """Bytes in a line.

    Attributes:
        begin: Where they begin.
        end: Where they end.
        content: As far as they are shown.
        size: Of the whole.
    """

    begin: int
    end: int
    content: bytes
    size: int


def unpacked(text: str) -> str:
    """Return a line with the text of the JSON object in it that is shown as bytes."""
    if _MARK.search(text) is None:
        return text
    blob = blob_in(text)
    if blob is None or not blob.content.startswith(b'{"type'):
        return text
    shown = blob.content.decode(errors="replace") + ("" if blob.size == len(blob.content) else "...")
    return text[: blob.begin] + shown + text[blob.end :]


def audio_in(text: str) -> Blob | None:
    """Return the bytes of audio that a line shows, None where it shows none."""
    blob = blob_in(text) if len(text) > _LEAST_AUDIO else None
    return blob if blob is not None and blob.size >= _LEAST_AUDIO and not blob.content.startswith(b'{"') else None


def blob_in(text: str) -> Blob | None:
    """Return the first bytes that a line shows in one of the ways; None where it shows none."""
    for pattern, decode in _KINDS:
        found = pattern.search(text)
        content = decode(found) if found is not None else None
        if found is not None and content is not None:
            more = int(found[2] or 0) if pattern is _BUFFER else 0
            return Blob(found.start(), found.end(), content, len(content) + more)
    return None


def _of_pairs(found: re.Match[str]) -> bytes | None:
    digits = found[1].replace(":", " ")
    return bytes.fromhex(digits) if " " in digits or len(digits) % 2 == 0 else None


def _of_numbers(found: re.Match[str]) -> bytes | None:
    values = [int(number) for number in found[1].replace(",", " ").split()]
    return bytes(value & 255 for value in values) if all(-129 < value < 256 for value in values) else None


def _of_base64(found: re.Match[str]) -> bytes | None:
    word = found[1]
    is_mixed = any(map(str.isdigit, word)) and any(map(str.isupper, word)) and any(map(str.islower, word))
    try:
        return b64decode(word + "=" * (-len(word) % 4), validate=True) if is_mixed else None
    except ValueError:
        return None


def _of_literal(found: re.Match[str]) -> bytes | None:
    inside = found[1] or found[2]
    if "\\x" not in inside:
        return None
    parts, place = bytearray(), 0
    for escape in _ESCAPE.finditer(inside):
        parts += inside[place : escape.start()].encode(errors="replace")
        place = escape.end()
        if escape[1]:
            parts.append(int(escape[1], 16))
        elif escape[2]:
            parts += chr(int(escape[2], 16)).encode(errors="replace")
        else:
            code = _OF_ESCAPE.get(escape[3])
            parts += escape[3].encode(errors="replace") if code is None else bytes([code])
    return bytes(parts + inside[place:].encode(errors="replace"))


_KINDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], bytes | None]], ...] = (
    (_BUFFER, _of_pairs),
    (_NUMBERS, _of_numbers),
    (_QUOTED, _of_literal),
    (_SPACED, _of_pairs),
    (_HEX, _of_pairs),
    (_BASE64, _of_base64),
)

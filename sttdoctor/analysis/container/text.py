"""Text where samples should be: base64, hexadecimal digits, JSON, HTML, an HTTP answer, bytes that were made a string.

Samples pass through all byte values, so text is told by what it lacks. Runs of printable bytes are common in 8-bit
audio; whole pages of them without the rare marks between the letters and digits are not.
"""

import base64
import codecs
import re
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import find_long_stretches

SHORTEST_TEXT = 48
"""Fewer bytes are told as text by an unmistakable opening only."""
_PAGE = 2048
_PAGES = 32
_TEXTY = 0.97
_RARE_SHARE = 0.02

PRINTABLE = np.zeros(256, dtype=bool)
PRINTABLE[[9, 10, 13, *range(0x20, 0x7F)]] = True
"""Which byte values are printable ASCII or white space, shape (256,)."""
RARE = np.zeros(256, dtype=bool)
RARE[list(b"@\\^`|~$*")] = True
"""The marks between letters and digits of which text has few; a waveform cannot avoid them. Shape (256,)."""

_OPENINGS = (
    ("http", re.compile(rb"HTTP/[0-9.]+ [0-9]{3}")),
    ("data-url", re.compile(rb"data:[a-z]+/[a-z0-9.+-]+[;,]", re.I)),
    ("html", re.compile(rb"\s*<(!doctype|html|\?xml|head|body|error)\b", re.I)),
    ("numbers", re.compile(rb'\s*(\[\s*-?\d+(\.\d+)?\s*,|\{\s*"0"\s*:\s*-?\d|\{"type":\s*"Buffer",\s*"data":\s*\[)')),
    ("json", re.compile(rb'\s*[\[{]\s*("[^"\x00-\x1f\x7f-\xff]+"\s*[:,\]]|[\[{]\s*")')),
    ("literal", re.compile(rb"""\s*(bytearray\()?b['"]([^\\'"]{0,60}\\x[0-9a-f]{2}){4}""")),
)
_NUMBERS = re.compile(rb"[-+0-9.eE,;\s]+")
_LEAST_STRING = 2048
"""Bytes: fewer are not told as bytes that were made a string."""
_ALL_OF_ASCII = 110  # different bytes, of 128: text has fewer, and samples have others, too
_HIGH, _CONTROL, _LOST = 0.05, 0.01, 0.02
"""Shares: of bytes beyond ASCII, of control characters, and of characters that could not be decoded."""
SHORTEST_NOTE = 40
"""Bytes: what is printable for a shorter time among samples may be samples."""
MOST_NOTES = 1000
"""Notes that are listed."""
_MANY_LETTERS = 32  # of the 64 of base64
_FEWEST_ENDS, _ALWAYS = 32, 0.99  # newlines, and how many of them have a carriage return before: by chance 1 in 256
_LENGTH = re.compile(rb"([0-9a-fA-F]{1,8})\r\n")
_LINE_END = re.compile(rb"\r\n")
_WORD = re.compile(rb"(?<=[\s(,;:=/.'\"-])[A-Za-z][a-z]{2,}(?=[\s),;:=/.'\"-])")
_SPACES = 0.04
_BITS = np.frombuffer(b"01 \r\n,", np.uint8)
_ALPHABET = 40  # different bytes
_RELATED = 0.5  # correlation with the next byte, which 8-bit samples have
_SMOOTH, _IN_WORDS = 0.35, 0.2  # shares: of neighbours that are alike, and of what stands in words
_HEX = re.compile(rb"[0-9a-fA-F\s]+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-\s]+={0,2}[A-Za-z0-9+/_\-=\s]*")


def find_text(data: NDArray[np.uint8]) -> str | None:
    """Tell whether bytes are text.

    Args:
        data: Shape (n,) of uint8; of long data pages spread over the whole are read.

    Returns:
        `base64`, `hex`, `numbers`, `json`, `html`, `http`, `data-url`, `literal` (bytes as Python shows them), `text`,
        `utf-16` (any of them, with two bytes a letter), `bits` (zeros and ones), `escapes` (any other that stands for
        bytes, such as base85, uuencode, quoted-printable or escapes of JSON), or for bytes that were taken for
        characters and encoded as UTF-8 `string`, and where that lost some of them `lossy-string`; None for anything
        else.
    """
    head = data[:_PAGE].tobytes()
    printable = int(np.argmin(np.append(PRINTABLE[data[:_PAGE]], False)))
    for kind, opening in _OPENINGS:
        if opening.match(head[:printable]) and (printable >= SHORTEST_TEXT or printable == len(data)):
            return kind
    if len(data) < SHORTEST_TEXT:
        return None
    string = _find_string(data[: _PAGES * _PAGE])
    if string is not None:
        return string
    starts = np.unique(np.linspace(0, max(0, len(data) - _PAGE), _PAGES).astype(np.int64) // 2 * 2)
    pages = [data[start : start + _PAGE] for start in starts]
    is_marked = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    # all pages: one may be a pause whose samples are all about 73
    if _is_wide(pages[0][2 * is_marked :]) and all(map(_is_wide, pages[1:])):
        return "utf-16"
    if is_marked and not any(page[1 + 2 * (start == 0) :: 2].any() for start, page in zip(starts, pages, strict=True)):
        return "utf-16"  # whatever the letters are: no samples begin with a byte order mark and have empty upper bytes
    if sum(_is_text(page) for page in pages) < 0.9 * len(pages) or not _is_text(pages[0]):
        return _find_escapes(pages)
    return _tell_kind(head) or _find_escapes(pages)


def _find_escapes(pages: list[NDArray[np.uint8]]) -> str | None:
    """Tell text that stands for bytes: nothing but letters and marks, which follow each other as no samples do."""
    content = np.concatenate(pages)
    if len(content) < _LEAST_STRING or not is_printable(content):
        return None
    if bool(np.isin(content, _BITS).all()) and 0 < (content == ord("1")).sum() < len(content):
        return "bits"
    if len(np.unique(content)) < _ALPHABET:
        return None  # as of a hiss that is off centre
    values = content - content.mean()
    next_to = float(values[1:] @ values[:-1])
    is_smooth = float((np.abs(np.diff(content.astype(np.int16))) <= 2).mean()) >= _SMOOTH
    return None if is_smooth or next_to > _RELATED * float(values @ values) else "escapes"


def _find_string(data: NDArray[np.uint8]) -> str | None:
    """Tell bytes that were decoded as characters and encoded as UTF-8: no samples are UTF-8 for long.

    Latin-1 keeps every byte, as one character; a decoder of UTF-8 puts U+FFFD for what it cannot decode, and one of
    ASCII a question mark, or nothing.
    """
    if len(data) < _LEAST_STRING:
        return None
    high = float((data >= 0x80).mean())
    if high == 0.0 and len(np.unique(data)) >= _ALL_OF_ASCII:
        return "lossy-string"
    if high < _HIGH:
        return None
    content = data.tobytes().replace(b"\xc0\x80", b"\0")  # as Java writes it
    try:
        text, _ = codecs.utf_8_decode(content, "strict", False)
    except UnicodeDecodeError:
        return None
    controls = sum(char < " " and char not in "\t\n\r" for char in text)
    if controls < _CONTROL * len(text):
        return None
    return "lossy-string" if text.count("\ufffd") > _LOST * len(text) else "string"


def _is_wide(page: NDArray[np.uint8]) -> bool:
    """Text with an empty byte before or behind each letter; samples of a faint hiss may be letters, but few of them."""
    pairs = page[: len(page) // 2 * 2].reshape(-1, 2)
    for empty in (0, 1):
        letters = pairs[:, 1 - empty]
        if not pairs[:, empty].any() and _is_text(letters):
            kind = _tell_kind(letters.tobytes())
            return kind is not None and (kind != "base64" or len(set(letters.tolist())) >= _MANY_LETTERS)
    return False


class Note(NamedTuple):
    """Text among samples.

    Attributes:
        kind: `lengths` of the chunks of an HTTP body, `messages` of a program, or `newlines`: what a text mode put
            before each byte that is one.
        start: Its first byte.
        stop: The byte behind it.
        text: What it says, as far as it is ASCII.
    """

    kind: Literal["lengths", "messages", "newlines"]
    start: int
    stop: int
    text: str


def find_notes(data: NDArray[np.uint8]) -> list[Note]:
    """Find text that stands among samples.

    Lengths of chunks prove themselves: each leads to the next one. Messages are told by their words: samples of 16 bits
    and more are not printable for so long, and those of 8 bits go by small steps, which letters do not.

    Args:
        data: Shape (n,) of uint8.

    Returns:
        The notes in order, at most `MOST_NOTES`: newlines, or of lengths two or more, else the messages.
    """
    content = data.data
    ends = np.flatnonzero(data == ord("\n"))
    if len(ends) >= _FEWEST_ENDS and (data[ends - 1] == ord("\r")).mean() > _ALWAYS:
        return [Note("newlines", at - 1, at, "") for at in ends[:MOST_NOTES].tolist() if at]
    begins = (0, *(end.end() for end in _LINE_END.finditer(content)))
    found = [match for at in begins if (match := _LENGTH.match(content, at)) and _leads_on(content, match)]
    if len(found) > 1:
        notes = [Note("lengths", max(0, match.start() - 2), match.end(), match[1].decode()) for match in found]
    else:
        long = find_long_stretches(data, PRINTABLE, SHORTEST_NOTE).tolist()
        notes = [Note("messages", a, b, content[a:b].tobytes().decode()) for a, b in long if _is_message(data[a:b])]
    return notes[:MOST_NOTES]


def _leads_on(content: memoryview, match: re.Match[bytes]) -> bool:
    behind = match.end() + int(match[1], 16)
    return behind > match.end() and content[behind : behind + 2].tobytes() == b"\r\n"


def _is_message(part: NDArray[np.uint8]) -> bool:
    steps = np.abs(np.diff(part.astype(np.int16)))
    words = _WORD.findall(part.tobytes())
    if (part == ord(" ")).mean() < _SPACES:
        return False  # floats of two equal channels are short words with = behind each
    return bool((steps <= 2).mean() < _SMOOTH and len(words) > 1 and sum(map(len, words)) >= _IN_WORDS * len(part))


def is_printable(data: NDArray[np.uint8]) -> bool:
    """Whether all bytes, shape (n,) of uint8, are printable ASCII or white space."""
    return bool(PRINTABLE[data].all())


def _is_text(page: NDArray[np.uint8]) -> bool:
    """Printable, few rare marks or many words, and not the few values of a quiet 8-bit line.

    Silence in A-law is 0x55, which is `U`.
    """
    counts = np.bincount(page, minlength=256)
    return bool(
        counts[PRINTABLE].sum() >= _TEXTY * len(page)
        and (counts[RARE].sum() <= _RARE_SHARE * len(page) or _is_message(page))
        and (counts > 0).sum() >= 10
        and counts.max() < 0.9 * len(page)
    )


def _tell_kind(head: bytes) -> str | None:
    if _HEX.fullmatch(head):
        return "hex"
    if _BASE64.fullmatch(head):
        return "base64"
    if _NUMBERS.fullmatch(head):
        return "numbers"
    words = head.count(b" ") + head.count(b"\n") + head.count(b",")
    return "text" if words >= 0.02 * len(head) else None


def decode_text(data: bytes, kind: str) -> bytes:
    """What text of base64 or hexadecimal digits, or a string, holds; as much as can be decoded, maybe nothing.

    Text that was padded piece by piece is decoded so.
    """
    if kind == "data-url":
        data, kind = data.partition(b",")[2], "base64"
    plain = re.sub(rb"\s", b"", data)
    try:
        if kind == "string":
            return codecs.utf_8_decode(data, "strict", False)[0].encode("latin-1")
        if kind == "hex":
            return bytes.fromhex(plain[: len(plain) // 2 * 2].decode("ascii"))
        if kind == "base64":
            standard = plain.replace(b"-", b"+").replace(b"_", b"/")
            return b"".join(map(_decode_base64, re.split(rb"=+", standard)))
    except ValueError:
        return b""
    return b""


def _decode_base64(letters: bytes) -> bytes:
    last = len(letters) % 4  # one letter alone stands for no whole byte
    return base64.b64decode(letters[:-1] if last == 1 else letters + b"=" * (-last % 4))

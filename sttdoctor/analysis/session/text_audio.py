"""Audio that went out as text: how it came to be text, told from what one text message looks like.

Each form is what one habit of programming makes of bytes or samples, so naming the form names what to change.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sttdoctor.evidence import Frame

_LEAST_NUMBERS = 16
"""A message of so many numbers is audio: no command of any service has more than a few."""

_LEAST_BASE64 = 200
"""Characters of a bare text in the alphabet of base64: shorter ones may be a word or an id."""

_LEAST_BASE64_IN_JSON = 40
"""The same under a key that is named like audio."""

_LEAST_UNREADABLE = 32
_HEAD = 2000  # characters that tell whether a text can be read

_AUDIO_KEYS = frozenset(
    {"audio", "audiobase64", "audiodata", "audiochunk", "audiobytes", "inputaudio", "payload", "data", "chunk"}
    | {"buffer", "bytes", "pcm", "samples", "frame", "blob", "content", "body"}
)
"""Keys that hold audio in messages of clients and vendors, in lower case, without `_` and `-`."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_HEX = re.compile(r"[0-9a-fA-F]+")
# without a way back in any repeat, which would take a hundred bytes of memory a character
_NUMBER = r"-?\d++(?:\.\d*+)?+(?:[eE][+-]?\d++)?+"
_MORE = rf"(?:[\s,;]++{_NUMBER})"
_NUMBERS = re.compile(rf"[\s\[(]*+{_NUMBER}{_MORE}{{{_LEAST_NUMBERS - 1},}}+[\s\])]*+")
_CUT_NUMBERS = re.compile(rf"[\s\[(]*+{_NUMBER}{_MORE}*+[\s,;]++\.\.\.[\s,;]++{_NUMBER}{_MORE}*+[\s\])]*+")
"""Numbers with a gap, as NumPy prints a long array."""
_PYTHON = re.compile(
    r"b'(?:[^'\\]++|\\.)*+'|b\"(?:[^\"\\]++|\\.)*+\"|(?:bytearray\(b|array\(|tensor\(|<memory at |<_io\.).*", re.DOTALL
)
_OBJECT = re.compile(r"\[object (?:ArrayBuffer|SharedArrayBuffer|Blob|Buffer|DataView|AudioBuffer|\w+Array)\]")
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+[^,]{0,100};base64,")


def text_form(frame: Frame) -> str | None:
    """Return the form in which a sent text message carries audio, None where it carries none.

    Args:
        frame: A text frame.

    Returns:
        `base64` (in JSON or bare), `data-url`, `hex`, `numbers` (separated, without brackets), `list` (JSON array of
        numbers), `buffer` (a Node.js Buffer through JSON), `typed-array` (a typed array through JSON), `python` (the
        `str` of bytes or of an array), `object` (the JavaScript text of an object: its content is lost) or `raw`
        (bytes that were taken for text).
    """
    if frame.elided and frame.text:
        return _form_of_cut(frame.text, frame.size)
    if frame.elided and isinstance(frame.message, list) and frame.size >= _LEAST_BASE64:
        return "list"
    if isinstance(frame.message, dict | list):
        return json_form(frame.message)
    text = frame.message if isinstance(frame.message, str) else frame.text
    return _form_of_text(text, frame.size) if text else None


def json_form(value: Any, depth: int = 0) -> str | None:
    """Return the form (of `text_form`) in which a JSON list or object carries audio, None where it carries none."""
    if isinstance(value, list):
        return "list" if _are_numbers(value) else None
    if not isinstance(value, dict) or depth > 2:
        return None
    if value.get("type") == "Buffer" and isinstance(value.get("data"), list):
        return "buffer"
    if _is_indexed(value):
        return "typed-array"
    for key, item in value.items():
        if isinstance(item, str):
            if (form := _form_of_value(key, item)) is not None:
                return form
        elif (form := json_form(item, depth + 1)) is not None:
            return form
    return None


def _are_numbers(values: list[Any]) -> bool:
    if values and isinstance(values[0], list):
        return _are_numbers(values[0])  # one list a channel
    return len(values) >= _LEAST_NUMBERS and all(type(value) in (int, float) for value in values)


def _is_indexed(value: Mapping[str, Any]) -> bool:
    """Whether the keys are 0, 1, 2 and so on, as `JSON.stringify` writes a typed array."""
    if len(value) < _LEAST_NUMBERS or "0" not in value:
        return False
    return all(key.isdigit() for key in value) and all(type(item) in (int, float) for item in value.values())


def _form_of_value(key: str, text: str) -> str | None:
    if _DATA_URL.match(text):
        return "data-url"
    if len(text) < _LEAST_BASE64_IN_JSON or key.lower().replace("_", "").replace("-", "") not in _AUDIO_KEYS:
        return None
    return _letters(text) or (_form_of_text(text, len(text)) if len(text) >= _LEAST_BASE64 else None)


def _form_of_text(text: str, size: int) -> str | None:
    """Return the form of a text that was `size` bytes long, of which redaction may have left less."""
    form = next((form for form, fits in _FORMS if fits(text)), None)
    return form or (_letters(text) if max(size, len(text)) >= _LEAST_BASE64 else None)


def _letters(text: str) -> str | None:
    """`hex` or `base64`, None for any other text; line breaks do not count."""
    packed = text.replace("\r", "").replace("\n", "")
    if _HEX.fullmatch(packed):
        return "hex"
    return "base64" if _BASE64.fullmatch(packed) else None


def _is_unreadable(text: str) -> bool:
    if len(text) < _LEAST_UNREADABLE:
        return False
    head = text[:_HEAD]
    strange = head.count("\ufffd")
    if not head.isprintable():
        strange += sum(not (char.isprintable() or char.isspace()) for char in head)
    return strange > 0.1 * len(head)


_FORMS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("object", lambda text: _OBJECT.fullmatch(text.strip()) is not None),
    ("python", lambda text: _PYTHON.fullmatch(text.strip()) is not None or _CUT_NUMBERS.fullmatch(text) is not None),
    ("data-url", lambda text: _DATA_URL.match(text) is not None),
    ("numbers", lambda text: _NUMBERS.fullmatch(text) is not None),
    ("raw", _is_unreadable),
)


_CUT_FORMS = (
    ("buffer", re.compile(r'\{\s*"type"\s*:\s*"Buffer"\s*,\s*"data"')),
    ("typed-array", re.compile(r'\{\s*"0"\s*:\s*-?[\d.]+\s*,\s*"1"\s*:')),
    ("list", re.compile(rf"\[\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{3}}")),
    ("numbers", re.compile(rf"{_NUMBER}(?:\s*,\s*{_NUMBER}){{3}}")),
    ("python", re.compile(r"b'\\x|b\"\\x|bytearray\(b|array\(")),
    ("data-url", _DATA_URL),
)
_CUT_PAIR = re.compile(r'"([^"\\]{1,40})"\s*:\s*"([A-Za-z0-9+/_-]{8,})')


def _form_of_cut(text: str, size: int) -> str | None:
    """The form of a message whose middle the capture dropped, by its beginning."""
    if size < _LEAST_BASE64:
        return None
    head = text.partition("...")[0]
    for form, pattern in _CUT_FORMS:
        if pattern.match(head):
            return form
    for key, value in _CUT_PAIR.findall(head):
        if head.endswith(value) and key.lower().replace("_", "").replace("-", "") in _AUDIO_KEYS:
            return "base64"
    return _letters(head) if len(head) >= _LEAST_BASE64_IN_JSON and head == text[: len(head)] else None

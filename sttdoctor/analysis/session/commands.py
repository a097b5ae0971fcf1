"""What a client said beside its audio: which messages are commands, of which service, and how they were answered.

Audio that went out as text is told from what one text message looks like. Each form is what one habit of programming
makes of bytes or samples, so naming the form names what to change.
"""

import json
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from sttdoctor.analysis.container.text import decode_text
from sttdoctor.encodings import ENCODINGS
from sttdoctor.endpoints.base import Endpoint, Meaning
from sttdoctor.endpoints.cartesia import ENDPOINTS
from sttdoctor.endpoints.foreign import FOREIGN_COMMANDS, meaning_of
from sttdoctor.evidence import Frame
from sttdoctor.literals import read_literal
from sttdoctor.redact import REDACTED
from sttdoctor.values import immutable

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

_LONGEST_BINARY, _LONGEST_WORD = 4096, 40
"""Bytes: a command that is longer is audio, or carries it; a bare word and its quotes."""

_BEFORE_JSON = b"{ \t\r\n"
_NAME_KEYS = ("type", "message_type", "event", "message", "action", "command", "cmd", "op")
_OWN_WORDS = frozenset().union(*(endpoint.commands for endpoint in ENDPOINTS))
_WORDS = frozenset({*_OWN_WORDS, *FOREIGN_COMMANDS})
_BROKEN_NAME = re.compile(r"""\{\s*['"]?(?:type|event|action|command)['"]?\s*[:=]\s*['"]?([\w.-]{1,40})""")

Form = Literal["json", "other-key", "word", "twice", "broken"]

_REFUSAL = re.compile(
    r"invalid client message|unrecogni[sz]ed|(unknown|unsupported|invalid|unexpected) (client )?(message|command|type)"
    r"|message type|(invalid|malformed|parse|decode)\b.{0,20}\bjson|not valid json|expected one of",
    re.IGNORECASE,
)
"""What the service says about a message that it does not know; seen: title "Invalid client message", message
`Unrecognized message type "finalize". Expected one of: "done", "close", "config".`"""

_MOST_WAITING = 64
_ANSWER_S = 1.0
"""An error of status 400 that comes so soon after a message is about it, whatever it says."""


def tell_text_form(frame: Frame) -> str | None:
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
        return _tell_form_of_cut(frame.text, frame.size)
    if frame.elided and isinstance(frame.message, list) and frame.size >= _LEAST_BASE64:
        return "list"
    if isinstance(frame.message, dict | list):
        return tell_json_form(frame.message)
    text = frame.message if isinstance(frame.message, str) else frame.text
    return _tell_form_of_text(text, frame.size) if text else None


def tell_json_form(value: Any, depth: int = 0) -> str | None:
    """The form (of `tell_text_form`) in which a JSON list or object carries audio, None where it carries none."""
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
            if (form := _tell_form_of_value(key, item)) is not None:
                return form
        elif (form := tell_json_form(item, depth + 1)) is not None:
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


def _tell_form_of_value(key: str, text: str) -> str | None:
    if _DATA_URL.match(text):
        return "data-url"
    if len(text) < _LEAST_BASE64_IN_JSON or key.lower().replace("_", "").replace("-", "") not in _AUDIO_KEYS:
        return None
    return _match_letters(text) or (_tell_form_of_text(text, len(text)) if len(text) >= _LEAST_BASE64 else None)


def _tell_form_of_text(text: str, size: int) -> str | None:
    """Return the form of a text that was `size` bytes long, of which redaction may have left less."""
    form = next((form for form, fits in _FORMS if fits(text)), None)
    return form or (_match_letters(text) if max(size, len(text)) >= _LEAST_BASE64 else None)


def _match_letters(text: str) -> str | None:
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


def _tell_form_of_cut(text: str, size: int) -> str | None:
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
    return _match_letters(head) if len(head) >= _LEAST_BASE64_IN_JSON and head == text[: len(head)] else None


def read_audio_text(frame: Frame, encoding: str) -> bytes | None:
    """Return the bytes that a sent text message stands for, None where it carries no audio.

    They are empty where a part of it was redacted, or all of it is lost.

    Args:
        frame: A text frame.
        encoding: What samples that are written as numbers become; bytes that are written so stay what they are.
    """
    form = tell_text_form(frame)
    if form is None:
        return None
    value = frame.message if frame.message is not None else frame.text
    if frame.elided or form in ("object", "raw") or (isinstance(value, str | dict) and REDACTED in str(value)):
        return b""
    return _read(value, encoding) or b""


def read_json_audio(data: bytes, encoding: str) -> bytes:
    """Return what all JSON messages in bytes, one behind the other, carry; arguments as of `read_audio_text`."""
    return b"".join(content for value in _list_json(data) if (content := _read(value, encoding)) is not None)


def _list_json(data: bytes) -> Iterator[Any]:
    text, at = data.decode("utf-8", "replace"), 0
    decoder = json.JSONDecoder()
    while (at := text.find("{", at)) >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value


def _read(value: Any, encoding: str, depth: int = 0) -> bytes | None:
    """The bytes that a string, a list of numbers or a JSON object stands for, None where it stands for none."""
    if isinstance(value, str):
        return _read_text(value, encoding)
    if isinstance(value, list):
        if value and isinstance(value[0], list):
            return _read(value[0], encoding, depth + 1)  # the first of one list a channel
        return _pack_numbers(value, encoding) if _are_numbers(value) else None
    if not isinstance(value, dict) or depth > 2:
        return None
    if value.get("type") == "Buffer" and isinstance(value.get("data"), list):
        return _pack_numbers(value["data"], encoding)
    if _is_indexed(value):
        return _pack_numbers([value[key] for key in sorted(value, key=int)], encoding)
    for key, item in value.items():
        if not isinstance(item, str) or _tell_form_of_value(key, item) is not None:
            content = _read(item, encoding, depth + 1)
            if content is not None:
                return content
    return None


def _read_text(text: str, encoding: str) -> bytes | None:
    form = _tell_form_of_text(text, len(text)) or _match_letters(text)
    if form == "numbers":
        return _pack_numbers([float(word) for word in re.findall(_NUMBER, text)], encoding)
    if form == "python":
        return _read_python(text)
    if form in ("base64", "hex", "data-url"):
        return decode_text(text.encode("ascii", "ignore"), form) or None
    return None


def _read_python(text: str) -> bytes | None:
    """The bytes of a literal; NumPy prints the first and last numbers of an array alone."""
    value = read_literal(text.strip())
    return value if isinstance(value, bytes) else None


def _pack_numbers(values: list[Any], encoding: str) -> bytes | None:
    """Numbers as bytes where they are bytes, else as samples of an encoding that is no G.711."""
    numbers = np.nan_to_num(np.array([v if type(v) in (int, float) else 0 for v in values], dtype=np.float64))
    whole = bool((numbers == np.rint(numbers)).all())
    if whole and numbers.min(initial=0.0) >= 0 and numbers.max(initial=0.0) <= 255:
        return numbers.astype(np.uint8).tobytes()
    how = ENCODINGS["pcm_s16le" if ENCODINGS[encoding].is_g711 else encoding]
    if whole == how.is_float:  # floats are of full scale 1, integers of 16 bits, whatever was declared
        numbers = numbers / 32768.0 if whole else numbers * how.full_scale
    if not how.is_float:
        numbers = np.clip(np.rint(numbers), -how.full_scale, how.full_scale - 1)
    with np.errstate(all="ignore"):
        return numbers.astype(how.dtype).tobytes()


@immutable
class Command:
    """One message of a client that is no audio.

    Attributes:
        frame: The message.
        word: The command, as the client wrote it; a description where the message names none.
        named: Whether it names one.
        form: How it is written: `json` (an object with a type), `other-key` (an object that names it under another
            key), `word` (bare), `twice` (an object in a JSON string), `broken` (like an object, and no JSON).
        audio_follows: Audio was sent after it on the same connection.
    """

    frame: Frame
    word: str
    named: bool
    form: Form
    audio_follows: bool = True

    @property
    def is_meant_here(self) -> bool:
        """Whether it is a word of the realtime endpoints, however it is written."""
        return self.named and self.word.lower() in _OWN_WORDS

    @property
    def means(self) -> Meaning:
        """What it is meant to do."""
        return meaning_of(self.word) if self.named else "other"


def is_command_bytes(frame: Frame) -> bool:
    """Whether a sent binary frame holds a command instead of audio: a JSON message, or a bare word of some service."""
    first = frame.first_byte if 0 < frame.size <= _LONGEST_BINARY else None
    if first is None:
        return False
    if first in _BEFORE_JSON:
        message = _parse_object(frame.audio or b"")
        name = get_command_name(message)
        return name is not None and meaning_of(name) != "audio" and tell_json_form(message) is None
    if frame.size > _LONGEST_WORD:
        return False
    content = frame.audio or b""
    return content.isascii() and _strip_quotes(content.decode("ascii")) in _WORDS


def is_audio(frame: Frame) -> bool:
    """Whether a frame carries audio to the service: binary, from the client, and no command by mistake."""
    return frame.sent and frame.binary and not is_command_bytes(frame)


def _parse_object(content: bytes | str) -> dict[str, Any]:
    """A JSON object, empty where the content is none."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _strip_quotes(text: str) -> str:
    return text.strip().strip("\"'")


def get_command_name(message: dict[str, Any]) -> str | None:
    """Return what a JSON message is called, in at most 40 characters; None where it has no name."""
    names = (message.get(key) for key in _NAME_KEYS)
    found = next((name for name in names if isinstance(name, str) and name), None)
    if found is None and len(message) <= 2:
        found = next((key for key in message if key in FOREIGN_COMMANDS), None)
    return found[:40] if found is not None else None


def find_audio_texts(frames: Iterable[Frame]) -> dict[int, str]:
    """Return the form (of `tell_text_form`) of each sent text that carries audio, by the place of its frame."""
    texts = ((place, frame) for place, frame in enumerate(frames) if frame.sent and not frame.binary)
    return {place: form for place, frame in texts if (form := tell_text_form(frame)) is not None}


def list_commands(frames: Sequence[Frame], audio: Container[int]) -> list[Command]:
    """Return the messages of one connection that are commands, or were meant to be, in order.

    A text of which the capture kept nothing that names a command is none.

    Args:
        frames: Of one connection, in order.
        audio: Places of the frames that carry audio, and of the texts that do (`find_audio_texts`).
    """
    found: list[tuple[int, _Told]] = []
    last_audio = -1
    for position, frame in enumerate(frames):
        if not frame.sent:
            continue
        told = None if position in audio else _read_command(frame)
        if told is not None:
            found.append((position, told))
        elif frame.size:
            last_audio = position
    return [Command(*told, audio_follows=position < last_audio) for position, told in found]


_Told = tuple[Frame, str, bool, Form]
"""The first attributes of a `Command`."""


def _read_command(frame: Frame) -> _Told | None:
    if frame.binary:
        if not is_command_bytes(frame):
            return None
        content = frame.audio or b""
        message = _parse_object(content)
        return (
            _read_object(frame, message) if message else (frame, _strip_quotes(content.decode("ascii")), True, "word")
        )
    if isinstance(frame.message, dict):
        return _read_object(frame, frame.message)
    within = frame.message if isinstance(frame.message, str) else _read_string(frame.text)
    if within is not None:
        message = _parse_object(within) if within.lstrip()[:1] == "{" else {}
        found = _read_object(frame, message) if message else None
        return (frame, found[1], found[2], "twice") if found else (frame, within[:40], True, "word")
    if frame.text is None:
        return frame, _describe_object(frame.message), False, "word"
    broken = _BROKEN_NAME.match(frame.text.lstrip()) if "{" in frame.text else None
    if broken is not None:
        return frame, broken[1], True, "broken"
    return None if frame.elided else (frame, frame.text[:40], True, "word")


def _read_string(text: str | None) -> str | None:
    """What a text holds that is a string of JSON, None where it is none."""
    if text is None or len(text) > _LONGEST_BINARY or text[:1] != '"':
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _read_object(frame: Frame, message: dict[str, Any]) -> _Told | None:
    name = get_command_name(message)
    if name is None:
        return None if frame.elided else (frame, _describe_object(message), False, "json")
    return frame, name, True, "json" if isinstance(message.get("type"), str) else "other-key"


def _describe_object(value: Any) -> str:
    """A JSON message that names no command, for a reader."""
    keys = [key for key in list(value)[:3] if key.strip()] if isinstance(value, dict) else []
    if keys:
        return f"an object with {', '.join(keys)[:60]}"
    if not value and isinstance(value, dict | list):
        return f"an empty {'object' if isinstance(value, dict) else 'list'}"
    return f"the JSON value {json.dumps(value)[:40]}"


def is_mixed_up(command: Command, endpoint: Endpoint | None) -> bool:
    """Whether a text message has the form of the other endpoint: a bare word instead of JSON, or JSON instead of one.

    Args:
        command: A command.
        endpoint: None where it is not known.
    """
    if command.frame.binary or command.form not in ("json", "word"):
        return False
    if endpoint is None or command.form == endpoint.command_form:
        return False
    words = _OWN_WORDS if command.form == "json" else _list_words("word")
    return command.word in words


def is_known(command: Command, endpoint: Endpoint | None) -> bool:
    """Whether a command is one of the endpoint's own, or of the other one's by its form, which is a mix-up."""
    if command.frame.binary or command.form not in ("json", "word"):
        return False
    return command.word in _list_words(command.form) or is_mixed_up(command, endpoint)


def _list_words(form: Form) -> frozenset[str]:
    """The commands of the endpoints that write them in this form."""
    return frozenset().union(*(endpoint.commands for endpoint in ENDPOINTS if endpoint.command_form == form))


def match_refused(
    frames: Iterable[Frame], told: Iterable[Command], endpoint: Endpoint | None
) -> list[tuple[Command, Frame]]:
    """Return the messages that the service answered with an error as unknown, each with the error event.

    Args:
        frames: Of one connection, in order.
        told: Its commands.
        endpoint: None where it is not known.
    """
    unknown = {id(command.frame): command for command in told if not is_known(command, endpoint)}
    found: list[tuple[Command, Frame]] = []
    waiting: list[Command] = []
    for frame in frames if unknown else ():
        if id(frame) in unknown:
            waiting.append(unknown[id(frame)])
            del waiting[:-_MOST_WAITING]
        elif not frame.sent and frame.type == "error" and waiting:
            found += [(command, frame) for command in _match_error(frame, waiting)]
    return found


def _match_error(error: Frame, waiting: list[Command]) -> list[Command]:
    """The message that an error is about, taken from those that wait for an answer; empty where it is about none."""
    status = error.message.get("status_code")
    if isinstance(status, int) and not 400 <= status < 500:
        return []
    said = get_error_text(error)
    place = next((i for i, command in enumerate(waiting) if command.named and f'"{command.word}"' in said), None)
    if place is None and (_REFUSAL.search(said) or (status == 400 and _answers_at_once(error, waiting[-1].frame))):
        place = 0
    return [waiting.pop(place)] if place is not None else []


def _answers_at_once(error: Frame, message: Frame) -> bool:
    return error.t is not None and message.t is not None and 0 <= error.t - message.t <= _ANSWER_S


def get_error_text(error: Frame) -> str:
    """Return title and message of an error event."""
    parts = (error.message.get(key) for key in ("title", "message"))
    return ", ".join(part[:300] for part in parts if isinstance(part, str) and part)

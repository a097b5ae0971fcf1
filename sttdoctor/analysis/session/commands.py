"""What a client said beside its audio: which messages are commands, of which service, and how they were answered."""

import json
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sttdoctor.analysis.session.text_audio import json_form, text_form
from sttdoctor.endpoints.base import Endpoint, Meaning
from sttdoctor.endpoints.cartesia import ENDPOINTS
from sttdoctor.endpoints.foreign import FOREIGN_COMMANDS, meaning_of
from sttdoctor.evidence import Frame

_LONGEST_BINARY = 4096
"""Bytes: a command that is longer is audio, or carries it."""

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


@dataclass(frozen=True, slots=True)
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
    content = frame.audio
    if content is None or not 0 < len(content) <= _LONGEST_BINARY:
        return False
    if content[0] in b"{ \t\r\n":
        message = _object(content)
        name = command_name(message)
        return name is not None and meaning_of(name) != "audio" and json_form(message) is None
    return len(content) <= 40 and content.isascii() and _bare(content.decode("ascii")) in _WORDS


def is_audio(frame: Frame) -> bool:
    """Whether a frame carries audio to the service: binary, from the client, and no command by mistake."""
    return frame.sent and frame.binary and not is_command_bytes(frame)


def _object(content: bytes | str) -> dict[str, Any]:
    """A JSON object, empty where the content is none."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _bare(text: str) -> str:
    return text.strip().strip("\"'")


def command_name(message: dict[str, Any]) -> str | None:
    """Return what a JSON message is called, in at most 40 characters; None where it has no name."""
    names = (message.get(key) for key in _NAME_KEYS)
    found = next((name for name in names if isinstance(name, str) and name), None)
    if found is None and len(message) <= 2:
        found = next((key for key in message if key in FOREIGN_COMMANDS), None)
    return found[:40] if found is not None else None


def audio_texts(frames: Iterable[Frame]) -> dict[int, str]:
    """Return the form (of `text_form`) of each sent text that carries audio, by the place of its frame."""
    texts = ((place, frame) for place, frame in enumerate(frames) if frame.sent and not frame.binary)
    return {place: form for place, frame in texts if (form := text_form(frame)) is not None}


def commands(frames: Sequence[Frame], audio: Container[int]) -> list[Command]:
    """Return the messages of one connection that are commands, or were meant to be, in order.

    A text of which the capture kept nothing that names a command is none.

    Args:
        frames: Of one connection, in order.
        audio: Places of the texts that carry audio, as `audio_texts` has them.
    """
    found: list[tuple[int, _Told]] = []
    last_audio = -1
    for position, frame in enumerate(frames):
        if not frame.sent:
            continue
        told = None if position in audio else _told(frame)
        if told is not None:
            found.append((position, told))
        elif frame.size:
            last_audio = position
    return [Command(*told, audio_follows=position < last_audio) for position, told in found]


_Told = tuple[Frame, str, bool, Form]
"""The first attributes of a `Command`."""


def _told(frame: Frame) -> _Told | None:
    if frame.binary:
        if not is_command_bytes(frame):
            return None
        content = frame.audio or b""
        message = _object(content)
        return _of_object(frame, message) if message else (frame, _bare(content.decode("ascii")), True, "word")
    if isinstance(frame.message, dict):
        return _of_object(frame, frame.message)
    if isinstance(frame.message, str):
        message = _object(frame.message) if frame.message.lstrip()[:1] == "{" else {}
        found = _of_object(frame, message) if message else None
        return (frame, found[1], found[2], "twice") if found else (frame, frame.message[:40], True, "word")
    if frame.text is None:
        return frame, _described(frame.message), False, "word"
    broken = _BROKEN_NAME.match(frame.text.lstrip()) if "{" in frame.text else None
    if broken is not None:
        return frame, broken[1], True, "broken"
    return None if frame.elided else (frame, frame.text[:40], True, "word")


def _of_object(frame: Frame, message: dict[str, Any]) -> _Told | None:
    name = command_name(message)
    if name is None:
        return None if frame.elided else (frame, _described(message), False, "json")
    return frame, name, True, "json" if isinstance(message.get("type"), str) else "other-key"


def _described(value: Any) -> str:
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
    words = _OWN_WORDS if command.form == "json" else _words_written("word")
    return command.word in words


def is_known(command: Command, endpoint: Endpoint | None) -> bool:
    """Whether a command is one of the endpoint's own, or of the other one's by its form, which is a mix-up."""
    if command.frame.binary or command.form not in ("json", "word"):
        return False
    return command.word in _words_written(command.form) or is_mixed_up(command, endpoint)


def _words_written(form: Form) -> frozenset[str]:
    """The commands of the endpoints that write them in this form."""
    return frozenset().union(*(endpoint.commands for endpoint in ENDPOINTS if endpoint.command_form == form))


def refused(frames: Iterable[Frame], told: Iterable[Command], endpoint: Endpoint | None) -> list[tuple[Command, Frame]]:
    """Return the messages that the service answered with an error as unknown, each with the error event.

    Args:
        frames: Of one connection, in order.
        told: Its commands.
        endpoint: None where it is not known.
    """
    unknown = {id(command.frame): command for command in told if not is_known(command, endpoint)}
    found: list[tuple[Command, Frame]] = []
    waiting: list[Command] = []
    for frame in frames:
        if id(frame) in unknown:
            waiting.append(unknown[id(frame)])
            del waiting[:-_MOST_WAITING]
        elif not frame.sent and frame.type == "error" and waiting:
            found += [(command, frame) for command in _refused_by(frame, waiting)]
    return found


def _refused_by(error: Frame, waiting: list[Command]) -> list[Command]:
    """The message that an error is about, taken from those that wait for an answer; empty where it is about none."""
    status = error.message.get("status_code")
    if isinstance(status, int) and not 400 <= status < 500:
        return []
    said = error_text(error)
    place = next((i for i, command in enumerate(waiting) if command.named and f'"{command.word}"' in said), None)
    if place is None and (_REFUSAL.search(said) or (status == 400 and _answers_at_once(error, waiting[-1].frame))):
        place = 0
    return [waiting.pop(place)] if place is not None else []


def _answers_at_once(error: Frame, message: Frame) -> bool:
    return error.t is not None and message.t is not None and 0 <= error.t - message.t <= _ANSWER_S


def error_text(error: Frame) -> str:
    """Return title and message of an error event."""
    parts = (error.message.get(key) for key in ("title", "message"))
    return ", ".join(part[:300] for part in parts if isinstance(part, str) and part)

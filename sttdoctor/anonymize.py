"""A session without what is private in it, sound or words: what is left shows when something was sent or received."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from sttdoctor.endpoints.cartesia import ENDPOINTS, MANUAL
from sttdoctor.endpoints.foreign import FOREIGN_COMMANDS
from sttdoctor.evidence import Event, Frame, Session
from sttdoctor.redact import REDACTED

_PROTOCOL_KEYS = frozenset({"type", "request_id", "status_code", "error_code", "is_final", "duration", "turn"})
_TERMS = re.compile(r"key_?(?:term|word)|word_?boost|phrase|hint|prompt|vocabulary|custom_?word", re.IGNORECASE)
_COMMANDS = frozenset(FOREIGN_COMMANDS).union(*(endpoint.commands for endpoint in ENDPOINTS))
# two words, or one alone: which samples do not make, although in some encodings many are letters
_WORDS = re.compile(r"\b[^\W\d_]{2,}+[^\w\s]?\s[^\w\s]?[^\W\d_]{2}|\A\W*[^\W\d_]{4,40}+\W*+\Z")
_LONG = 200  # characters; a longer string in a text message may be audio in base64
_MANY = 16  # numbers


def drop_audio(session: Session) -> Session:
    """Return the session with lengths instead of audio, in binary frames and in long strings of text frames."""
    return _change(session, "audio", _mute)


def drop_text(session: Session) -> Session:
    """Return the session without spoken words: messages keep their type, their ids and their place."""
    quiet = _change(session, "text", _silence)
    return replace(quiet, transcript=None, url=_without_keyterms(session.url))


def _change(session: Session, lacks: str, change: Callable[[Frame], Frame]) -> Session:
    events: tuple[Event, ...] = tuple(change(event) if isinstance(event, Frame) else event for event in session.events)
    return replace(session, events=events, lacks=session.lacks | {lacks})


def _mute(frame: Frame) -> Frame:
    if frame.binary:
        return replace(frame, content=None)
    message = _shorten(frame.message)
    text = frame.text if frame.text is None or len(frame.text) < _LONG else ""
    changed = message != frame.message or text != frame.text
    return replace(frame, message=message, text=text, elided=frame.elided or changed)


def _shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {} if _are_samples(value.values()) else {k: _shorten(v) for k, v in value.items() if len(k) < _LONG}
    if isinstance(value, list):
        return [] if _are_samples(value) else [_shorten(item) for item in value]
    return "" if isinstance(value, str) and len(value) >= _LONG else value


def _are_samples(values: Collection[Any]) -> bool:
    """Whether so many numbers stand side by side that they may be audio."""
    return len(values) >= _MANY and all(isinstance(value, int | float) for value in values)


def _silence(frame: Frame) -> Frame:
    if frame.binary:
        return frame if frame.audio is None else _without_words(frame, frame.audio)
    if isinstance(frame.message, dict):
        kept = {key: value for key, value in frame.message.items() if key in _PROTOCOL_KEYS and _is_technical(value)}
        return replace(frame, message=kept, text=None, elided=frame.elided or kept != frame.message)
    word = frame.message if isinstance(frame.message, str) else frame.text
    if word in MANUAL.commands:
        return frame
    return replace(frame, message=None, text="", elided=True)


def _without_words(frame: Frame, content: bytes) -> Frame:
    """Return a binary frame of the same size without what is private of a JSON message, or of words alone."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return frame
    message = _json_object(text)
    if message is None and (text.strip().strip("\"'") in _COMMANDS or not _WORDS.search(text)):
        return frame
    kept = {
        key: value
        for key, value in (message or {}).items()
        if (isinstance(value, str) and value in _COMMANDS) or (key in _PROTOCOL_KEYS and _is_technical(value))
    }
    audio = (b"" if message is None else json.dumps(kept).encode()).ljust(len(content))
    return replace(frame, content=audio, size=len(audio))


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_technical(value: Any) -> bool:
    """Whether a value of a protocol key is what the protocol has there: a number, a short name, turn options."""
    if isinstance(value, dict):
        return all(isinstance(item, int | float) for item in value.values())
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 64 and " " not in value)


def _without_keyterms(url: str | None) -> str | None:
    if url is None or "?" not in url:
        return url
    base, _, query = url.partition("?")
    return f"{base}?{'&'.join(map(_without_term, query.split('&')))}"


def _without_term(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}={REDACTED}" if equals and _TERMS.match(unquote(name)) else parameter

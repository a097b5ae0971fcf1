"""Secrets in JSON messages: under a telling name, beside one, or in text."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import repeat
from json import JSONDecoder, dumps
from typing import Any

from sttdoctor.redact.names import LONGEST_NAME, is_secret_name, may_be_count
from sttdoctor.redact.shapes import MOST, Span
from sttdoctor.redact.text import PASSES, may_hold_secret, replace_secrets
from sttdoctor.redact.values import REDACTED, hide, is_made_up, is_opaque

SPOKEN = frozenset({"transcript", "text", "word", "words"})
"""Keys under which stands what was said; it is not searched for talk of passwords."""

_NAMING = (
    "name",
    "key",
    "header",
    "field",
    "param",
    "k",
    "property",
    "attribute",
    "variable",
    "type",
    "id",
    "Name",
    "Key",
)
_VALUE = frozenset({"value", "val", "v", "values", "content", "Value"})
_MOST = 5000  # strings of a message that are looked at closely; what holds more hints is hidden
_BRACE = re.compile(r"[\[{]")
_WORD = re.compile(r"[\w+/=~-]{4,}")
_OF_AN_ID = re.compile(r"(?:[0-9a-f]{1,8}-){0,4}[0-9a-f]{1,12}")  # the end of a UUID
_SHORTEST = 6  # characters of a string that can hold a secret
_SHALLOW = 100  # levels at most, far from what Python can follow
_decode = JSONDecoder().raw_decode


def redact_text(text: str) -> str:
    """Replace secrets in technical text: a log line, an error body, a close reason, a URL, JSON within text."""
    for _ in range(PASSES):  # what is left may be JSON only now
        if not may_hold_secret(text):
            break
        redacted = _redact(text)
        if redacted == text:
            break
        text = redacted
    return text


def _redact(text: str) -> str:
    pieces: list[str] = []
    at = 0
    while len(pieces) < MOST and (brace := _BRACE.search(text, at)) is not None:
        try:
            message, end = _decode(text, brace.start())
            redacted = redact_json(message)
        except (ValueError, RecursionError):
            break
        shown = text[brace.start() : end]
        shown = shown if redacted == message else _dump(redacted, shown)
        if brace.start() == 0 and end == len(text):
            return shown
        pieces += [text[at : brace.start()], shown]
        at = end
    return replace_secrets("".join([*pieces, text[at:]]) if pieces else text, spoken=False)


def _dump(value: Any, before: str) -> str:
    """Return a value as JSON, with blanks and letters as what it was before."""
    separators = (", ", ": ") if '": ' in before or '", ' in before else (",", ":")
    return dumps(value, separators=separators, ensure_ascii=before.isascii())


def redact_cut(text: str) -> str:
    """Replace secrets in technical text whose middle was left out, and what may be the end of one behind the gap."""
    head, gap, tail = text.partition("...")
    return redact_text(f"{head}{gap}{_WORD.sub(_without_end, tail)}")


def _without_end(found: re.Match[str]) -> str:
    return REDACTED if is_opaque(found[0]) and not _OF_AN_ID.fullmatch(found[0]) else found[0]


def redact_tokens(text: str) -> str:
    """Replace what is a secret by its own shape; spoken words that only mention a password stay as they are."""
    return replace_secrets(text, spoken=True)


def redact_message(value: Any, text: str) -> Any:
    """Return what `redact_json` does of a JSON value, the value itself where its text holds no hint of a secret.

    Raises:
        RecursionError: It is nested too deep.
    """
    deep = text.count("[") + text.count("{") > _SHALLOW and _is_deep(value)
    return redact_json(value) if deep or may_hold_secret(text) else value


def _is_deep(value: Any) -> bool:
    """Whether a value is nested deeper than `_SHALLOW`."""
    level: list[Any] = [[value]]
    for _ in range(_SHALLOW):
        if not level:
            return False
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if item and isinstance(item, dict | list)
        ]
    return True


def redact_json(value: Any, key: str = "") -> Any:
    """Return a JSON value without the secrets that stand under a telling name or beside one, or show in its text.

    Args:
        value: Of any JSON type.
        key: Under which it stands; what was spoken (`SPOKEN`) is not searched for talk of passwords.

    Raises:
        RecursionError: It is nested too deep.
    """
    return _Walk().redact(value, key)


class _Walk:
    """Goes through one message."""

    def __init__(self) -> None:
        self._left = _MOST
        self._in_session = False
        self._names: dict[str, tuple[bool, str]] = {}

    def redact(self, value: Any, key: str) -> Any:
        """Return a value without secrets that stands under a key."""
        if isinstance(value, str):
            return self._text(value, key in SPOKEN)
        if isinstance(value, dict):
            return self._object(value, key) if value else value
        if isinstance(value, list):
            return self._list(value, key) if value else value
        return value

    def _text(self, text: str, spoken: bool) -> str:
        if self._in_session and is_made_up(text):
            return REDACTED
        if len(text) < _SHORTEST or not may_hold_secret(text):
            return text
        self._left -= 1
        if self._left < 0:
            return REDACTED
        return _redact_short(text, spoken) if len(text) <= LONGEST_NAME else _redact_string(text, spoken)

    def _object(self, value: dict[str, Any], key: str) -> dict[str, Any]:
        paired = not _VALUE.isdisjoint(value)
        owner = next((value[name] for name in _NAMING if _is_name(value.get(name))), "") if paired else ""
        faulty = "error" in str(value.get("type")) or bool(value.get("error"))
        within = "session_" if key == "session" else ""
        redacted: dict[str, Any] = {}
        for name, item in value.items():
            secret, shown = self._known(name)
            if paired and name in _NAMING and isinstance(item, str) and not is_opaque(item):
                secret = False  # it names what stands beside it
            if owner and name in _VALUE:
                redacted[shown] = self._hide(owner, item)
            elif secret or (within and is_secret_name(within + name)):
                redacted[shown] = self._hide(name, item)
            else:
                redacted[shown] = self.redact(item, "" if faulty else name)
        return redacted

    def _list(self, value: list[Any], key: str) -> list[Any]:
        if key in SPOKEN:
            return [self.redact(item, key) for item in value]
        redacted: list[Any] = []
        announced = key == "session"
        option = ""
        for item, span in zip(value, _secrets_of_command(value), strict=True):
            if isinstance(item, str):
                is_option = item.startswith("-")
                if span is not None:
                    redacted.append(f"{item[: span[0]]}{REDACTED}{item[span[1] :]}")
                elif option and _is_login(option, item):
                    redacted.append(REDACTED)
                else:
                    redacted.append(hide(item) if announced else self._text(item, spoken=False))
                announced = key == "session" or (len(item) > 2 and _announces(item, len(value)))
                option = item if is_option else ""
            else:
                redacted.append(self.redact(item, key) if item else item)
                announced = key == "session"
                option = ""
        return redacted

    def _hide(self, name: str, value: Any) -> Any:
        """Return what may be shown of the value of a secret's name."""
        if not value or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return value if value.isdigit() and may_be_count(name, value) else hide(value)
        if isinstance(value, int | float):
            return value if may_be_count(name, str(value)) else REDACTED
        if name.lower() in ("session", "sessions"):
            return self._session(value)
        if name.lower() == "auth" and isinstance(value, dict):
            known = {key: self._known(key) for key in value}
            return {known[key][1]: self._hide(key if known[key][0] else name, item) for key, item in value.items()}
        return REDACTED

    def _session(self, value: Any) -> Any:
        """Return what belongs to a session: its parts have names of their own, and no key stands among them."""
        outside, self._in_session = self._in_session, True
        redacted = self.redact(value, "session")
        self._in_session = outside
        return redacted

    def _known(self, name: str) -> tuple[bool, str]:
        """Whether a name is that of a secret, and the name without the secret that it may be itself."""
        known = self._names.get(name)
        if known is None:
            self._left -= may_hold_secret(name)
            known = _look_at(name) if self._left >= 0 else (True, REDACTED)
            self._names[name] = known
        return known


def _secrets_of_command(words: list[Any]) -> Iterable[Span | None]:
    """Return for each item of a list where a secret stands in it, if it is a word of a command line."""
    if not any(isinstance(word, str) and (word.startswith("-") or " -" in word) for word in words):
        return repeat(None, len(words))
    from sttdoctor.redact.commands import find_in_words  # its patterns take long to compile

    return find_in_words(words)


def _is_login(option: str, word: str) -> bool:
    """Whether a word behind an option holds a user and a password."""
    from sttdoctor.redact.assignments import is_login  # its patterns take long to compile

    return ":" in word and is_login(option, word)


def _redact_string(text: str, spoken: bool) -> str:
    return redact_tokens(text) if spoken else redact_text(text)


# ids and kinds come again in every message of a session
_redact_short = lru_cache(maxsize=1024)(_redact_string)


def _look_at(name: str) -> tuple[bool, str]:
    return _look_at_short(name) if len(name) <= LONGEST_NAME else (is_secret_name(name), redact_tokens(name))


@lru_cache(maxsize=4096)
def _look_at_short(name: str) -> tuple[bool, str]:
    return is_secret_name(name), redact_tokens(name)


def _is_name(value: Any) -> bool:
    return type(value) is str and len(value) <= LONGEST_NAME and is_secret_name(value)


def _announces(name: str, length: int) -> bool:
    """Whether a string of a list is the name of the secret that follows: of a pair, or such as no word is."""
    return _is_name(name) and (length == 2 or "-" in name or "_" in name or "auth" in name.lower())

"""Events of the service as programs print them: JSON, literals of Python, objects of JavaScript, keys and values.

    {"type":"turn.end","request_id":"2ff8af53","transcript":"Hello there."}
    {'type': 'turn.end', 'transcript': 'Hello there.'}
    { type: 'turn.end', transcript: 'Hello there.' }
    TurnEnd(type='turn.end', request_id='2ff8af53', transcript='Hello there.')
    {Type:turn.end RequestID:2ff8af53 Transcript:Hello there.}
    msg=event type=turn.end transcript="Hello there."
    [turn.end] Hello there.

Only JSON is decoded as a whole. Of anything else the members that an event of the service has are looked for by their
names, whatever stands round them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from sttdoctor.endpoints.cartesia import AUTO, ENDPOINTS
from sttdoctor.readers.collector import CostlyError, json_cost, refuse_costly
from sttdoctor.readers.frames import DECODER
from sttdoctor.values import immutable

LONGEST = 1 << 20
"""Characters of a line in which an event is looked for; none of the service is longer."""

TYPES = frozenset[str]().union(*(endpoint.events for endpoint in ENDPOINTS)) | {"error"}
"""Of what the service sends, on either endpoint."""

_TURN = "|".join(re.escape(name) for name in sorted(AUTO.turn_events, key=len, reverse=True))
_NAMES = ("type", "event", "event_type", "kind", "name", "msg", "message")
_OF_ERROR = ("title", "message", "status_code", "error_code")
_MEMBERS = {
    **dict.fromkeys(AUTO.turn_events, ("request_id", "turn_id", "transcript")),
    "connected": ("request_id",),
    "error": ("request_id", *_OF_ERROR, "doc_url"),
    "transcript": ("request_id", "text", "is_final", "duration", "language"),
    "flush_done": ("request_id",),
    "done": ("request_id",),
}
"""Names of the members of an event, by its type."""

_TEXTS = frozenset({"request_id", "transcript", "text", "title", "message", "error_code"})
_SPELLINGS = sorted({name for names in _MEMBERS.values() for name in names})
_BY_LETTERS = {name.replace("_", ""): name for name in _SPELLINGS}
_TELLING = frozenset(_BY_LETTERS) - {"message", "title"}
_ANY_BY_LETTERS = {name.replace("_", ""): name for name in (*_SPELLINGS, *_NAMES)}
_WORDS = "|".join(name.replace("_", "[_-]?") for name in _SPELLINGS)
_OBJECTS = "msg|message|event|evt|ev|data|payload|response|frame|body|json|stt|cartesia|turn"
_BEFORE_KEY = rf"(?<![\w.\"'-])[\"']?(?:(?:\w{{1,20}}\.){{0,3}}(?:{_OBJECTS})\.)?"
"""Before the name of a member: that of the object, where it may be an event; `err`, `row` and `job` are none."""
_SEP = r"[\"']?(?:[\])]|>>)?\s{0,4}(?::|=>?)(\s{0,40})(?:string\((\d{1,7})\) |<<)?"
_TYPE = re.compile(
    rf"{_BEFORE_KEY}(?:type|event|event[_-]?type|kind|name){_SEP}(?:\w{{1,20}}\()?[\"'`]?"
    rf"({_TURN}|connected|error|transcript|flush_done|done)[\"'`]?(?![\w.])",
    re.IGNORECASE,
)
_BARE = re.compile(rf"(?<![\w./-])[\"'`]?({_TURN})[\"'`]?(?![\w./])")
_BARE_ERROR = re.compile(r"(?<![\w./-])[\"'`]?error[\"'`]?(?=[\s:|\])}>]|$)")
_CLASS = re.compile(r"(?<![\w])[Tt]urn(Start|Update|EagerEnd|Resume|End)(?:Event)?(?=\s?[({]|\[\w{1,20}=)")
_OF_CLASS = {"Start": "start", "Update": "update", "EagerEnd": "eager_end", "Resume": "resume", "End": "end"}
_MEMBER = re.compile(rf"{_BEFORE_KEY}({_WORDS}){_SEP}", re.IGNORECASE)
_NEXT = re.compile(
    r"\s[A-Za-z_][\w.]{0,40}:(?!//)(?=\S)|(?:,\s?|\s)[\"']?[A-Za-z_][\w.]{0,40}[\"']?=(?=\S)"
    rf"|,\s(?:AnyHashable\()?[\"']?[A-Za-z_][\w.]{{0,40}}[\"']?\)?(?::|\s=)\s|(?:,\s?|\s)(?:{_WORDS})[:=]"
    r"|\s\[\w{1,40}\] => ",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[[\"']?\w{1,40}[\"']?\] =")
_WRAPPER = re.compile(r"(?:Optional|Some|String|Str)\(")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*+)(\"?)|'((?:[^'\\]|\\.)*+)('?)|`((?:[^`\\]|\\.)*+)(`?)", re.DOTALL)
_GOES_ON = re.compile(r"[ \t]{0,8}(?:\+[ \t]{0,8})?\r?\n\s{0,200}(?=[\"'`])")
_MORE = re.compile(r"\s*\.\.\. \d+ more characters?")
_PLAIN = re.compile(
    r"(-?\d{1,18}(?:\.\d{1,18})?|true|false|null|none|nil|undefined|<nil>)(?=[\s,)}\]]|$)", re.IGNORECASE
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_CODE = re.compile(r"(?:==|!=|\b(?:case|if|in|when|on))\s{0,3}[\[({]?$")
_BYTES = re.compile(r"(?:\\x[89a-fA-F][0-9a-fA-F]){2,400}")
_AFTER_BARE = re.compile(r"[\"'`\])}>]{0,4}(?:\s{0,20}(?:[:|,=>-]{1,8}|\u2192|\u2013|\u2014))?\s?")
_BRACKETS = re.compile(r"[{(\[\])}]")
_OBJECT = re.compile(r"[{\[]\s*[\"{]")
_MOST_OBJECTS = 50  # in a line that begin like JSON
_MOST_EVENTS = 10_000  # in a line
_DEEPEST = 6
_LONGEST_BARE = 4000  # characters of a text without quotes
_SHORTEST_CUT = 20  # characters of a text that a program cuts
_MASKED = re.compile(
    r"([*\u2022\u25cf\u2588#])\1\1|\bREDACTED\b|[\[<({](?:[A-Z]{3,20}(?:_[A-Z]{1,20}|_?\d{1,3}){0,2}"
    r"|(?i:redacted|masked|hidden|filtered|removed|omitted|\d{1,6} char(?:acter)?s))[\]>)}]"
)
"""A mark in a text that something stood there which is kept from the log."""
_OF_OTHERS = frozenset({"context_id", "done", "event_id", "response_id", "streamSid", "callSid", "protocol"})
"""Members that messages of other services have, and those of this one never."""
_OTHERS = re.compile(rf"{_BEFORE_KEY}(?:{'|'.join(sorted(_OF_OTHERS))})[\"']?\s{{0,4}}(?::|=)")
_BROWSER = frozenset({"isTrusted", "target", "wasClean", "bubbles", "timeStamp"})
"""Members of what a browser hands to a handler: such an `error` or `close` is not one of the service."""


@immutable
class Printed:
    """An event as it was printed.

    Attributes:
        begin: Where it begins in the text.
        mark: Where its type stands.
        message: Its members.
        is_object: Its type is a member; otherwise it is a word of a line.
        is_cut: A text of it is missing or not complete.
    """

    begin: int
    mark: int
    message: dict[str, Any]
    is_object: bool
    is_cut: bool

    @property
    def type(self) -> str:
        """Its type."""
        return str(self.message["type"])


def events_in(text: str) -> tuple[list[Printed], list[tuple[int, Any]]]:
    """Return the events that a text holds, in order, and the JSON values in it, each with where it begins."""
    values = list(_values_in(text))
    found = [event for begin, value in values for event in _events_of(value, begin)]
    if found or not _might_hold(text):
        return found, values
    unescaped = _decode(text) if "\\" in text else ""  # JSON in a literal
    found = [event for begin, value in _values_in(unescaped) for event in _events_of(value, begin)]
    return found or _loose_events(text) or _loose_events(unescaped) or _bare_event(text), values


def _might_hold(text: str) -> bool:
    return any(
        word in text for word in ("turn.", "onnected", "rror", "ranscript", "one", "urnE", "urnS", "urnU", "urnR")
    )


def _values_in(text: str) -> Iterator[tuple[int, Any]]:
    """Yield each JSON object or list of a text that holds one."""
    begin = 0
    for _ in range(_MOST_OBJECTS):
        found = _OBJECT.search(text, begin)
        if found is None:
            return
        try:
            if len(text) > LONGEST // 8:
                refuse_costly(json_cost(text.encode(errors="replace")))
            value, begin = DECODER.raw_decode(text, found.start())
            yield found.start(), value
        except CostlyError:
            return
        except (ValueError, RecursionError):
            begin = found.start() + 1


def _events_of(value: Any, begin: int, depth: int = 0) -> Iterator[Printed]:
    """Yield the events in a JSON value, which may be strings of JSON in it."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        event = _event_of(value)
        if event is not None:
            yield Printed(begin, begin, event, True, _is_cut(event))
            return
        for item in value.values():
            yield from _events_of(item, begin, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _events_of(item, begin, depth + 1)
    elif isinstance(value, str) and value.lstrip()[:1] == "{" and _might_hold(value):
        try:
            inner = DECODER.decode(value)
        except (ValueError, RecursionError):
            return
        yield from _events_of(inner, begin, depth + 1)
    elif isinstance(value, str) and "turn." in value and depth:
        yield from (replace(item, begin=begin, mark=begin) for item in _loose_events(value) or _bare_event(value))


def _event_of(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """The event that an object is, alone or with what a logger put beside its members; None where it is none."""
    if not all(map(str.islower, value)):
        value = {_name_of(name) or name: item for name, item in value.items()}
    kind = value.get("type")
    if isinstance(kind, str) and kind in TYPES and _has_members(kind, value):
        return dict(value)
    for name in _NAMES:
        kind = value.get(name)
        is_named = kind == "connected" and isinstance(value.get("request_id"), str)
        if isinstance(kind, str) and (kind in AUTO.turn_events or is_named):
            return {"type": kind} | {key: value[key] for key in _MEMBERS[kind] if key in value}
    return None


def _letters_of(spelling: str) -> str:
    return re.sub("[_-]", "", spelling).lower()


def _name_of(spelling: str) -> str | None:
    """The name of a member that is spelled as other languages do: `requestId`, `RequestID`, `request-id`."""
    return _ANY_BY_LETTERS.get(_letters_of(spelling))


def is_member(spelling: str) -> bool:
    """Whether a name is one that a member of an event has, and a logger's record hardly, however it is spelled."""
    return _letters_of(spelling) in _TELLING


def _has_members(kind: str, value: Mapping[str, Any]) -> bool:
    """Whether an object has what tells an event of the service from others with the same name."""
    if _BROWSER & value.keys() or (kind not in AUTO.turn_events and _OF_OTHERS & value.keys()):
        return False
    if kind == "connected":
        return isinstance(value.get("request_id"), str) or len(value) == 1
    if kind == "error":
        return any(isinstance(value.get(name), str) for name in ("title", "message")) and (
            sum(name in value for name in _OF_ERROR) > 1
        )
    if kind == "transcript":
        return isinstance(value.get("is_final"), bool) and isinstance(value.get("text"), str)
    return True


def _is_cut(event: Mapping[str, Any]) -> bool:
    kind = event["type"]
    name = "text" if kind == "transcript" else "transcript"
    text = event.get(name)
    is_spoken = kind in ("turn.update", "turn.eager_end", "turn.end", "transcript")
    if not is_spoken or not isinstance(text, str):
        return is_spoken
    is_short = len(text) < _SHORTEST_CUT
    return (text.endswith(("\u2026", "...")) and not is_short) or _MASKED.search(text) is not None


def shown_of(text: str) -> str:
    """Return what of a text that is cut can be compared: what stands before a mark, and before the dots at its end."""
    mask = _MASKED.search(text)
    return text[: mask.start()] if mask is not None else text.rstrip(".\u2026")


def _loose_events(text: str) -> list[Printed]:
    """The events of a text that is no JSON, by the types that are members or names of classes."""
    marks = list(islice(_TYPE.finditer(text), _MOST_EVENTS))
    kinds = [found[3].lower() for found in marks]
    if not marks:
        marks = list(islice(_CLASS.finditer(text), _MOST_EVENTS))
        kinds = [f"turn.{_OF_CLASS[found[1]]}" for found in marks]
    if not marks:
        return []
    starts = _starts(text, [found.start() for found in marks])
    events = []
    for kind, mark, start, stop in zip(kinds, marks, starts, [*starts[1:], len(text)], strict=True):
        event, is_cut = _members_in(kind, text[start:stop], len(mark[1]) if mark.re is _TYPE else None)
        is_event = kind in AUTO.turn_events or (_has_members(kind, event) and _OTHERS.search(text, start, stop) is None)
        if is_event:
            events.append(Printed(start, mark.start(), event, True, is_cut or _is_cut(event)))
    return events


def _starts(text: str, marks: list[int]) -> list[int]:
    """Where the objects of some marks begin: at the bracket before each; the first of several at its own mark."""
    starts: list[int] = []
    before = 0
    for mark in marks:
        bracket = _opened_before(text, before, mark - 1 if _BRACKETED.match(text, mark - 1) else mark)
        starts.append(bracket if bracket is not None else mark if starts else _first_key(text, mark))
        before = mark + 1
    return starts


def _opened_before(text: str, begin: int, mark: int) -> int | None:
    """Where the bracket stands in which a mark is, None without one."""
    depth = 0
    for found in reversed(list(_BRACKETS.finditer(text, begin, mark))):
        depth += 1 if found[0] in "})]" else -1
        if depth < 0:
            return found.start()
    return None


def _first_key(text: str, mark: int) -> int:
    """Where keys and values begin that stand before a mark."""
    found = _MEMBER.search(text, 0, mark)
    return found.start() if found is not None else mark


def bare_error_in(text: str) -> Printed | None:
    """Return the `error` that a line has as a word before its text: an event, if others stand in lines that look so."""
    bare = _BARE_ERROR.search(text)
    if bare is None:
        return None
    rest = text[bare.end() :]
    after = _AFTER_BARE.match(rest)
    said = rest[after.end() :] if after is not None else rest
    return Printed(bare.start(), bare.start(), {"type": "error", "message": said}, False, False)


def _bare_event(text: str) -> list[Printed]:
    """The event of a line that has the type as a word, and then the text."""
    bare = _BARE.search(text)
    if bare is None or _CODE.search(text[max(0, bare.start() - 20) : bare.start()]) is not None:
        return []
    kind = bare[1]
    rest = text[bare.end() :]
    if _MEMBER.search(rest):
        event, is_cut = _members_in(kind, rest, 0)
        return [Printed(bare.start(), bare.start(), event, False, is_cut or _is_cut(event))]
    after = _AFTER_BARE.match(rest)
    said = rest[after.end() :] if after is not None else rest
    event = {"type": kind}
    is_cut = False
    if kind in ("turn.update", "turn.eager_end", "turn.end") and said.strip():
        event["transcript"], is_cut, _ = _value_at(said, 0) if said[0] in "\"'`" else (said, said.endswith("..."), 0)
    elif said.strip() or bare[0][0] in "\"'`":
        return []  # a sentence about turns, or code
    return [Printed(bare.start(), bare.start(), event, False, is_cut or _is_cut(event))]


def _members_in(kind: str, text: str, space: int | None) -> tuple[dict[str, Any], bool]:
    """The members of an event in a text, and whether one of them is cut.

    So many spaces stand before a value; with None as many as before one that cannot begin with a space, or as the
    sign before it has usually.
    """
    event: dict[str, Any] = {"type": kind}
    names, is_cut, place = _MEMBERS[kind], False, 0
    while (found := _MEMBER.search(text, place)) is not None:
        name = _BY_LETTERS[_letters_of(found[1])]
        place = found.end()
        if name not in names or name in event:
            continue
        begin = place
        if space is None:
            is_text = name in ("transcript", "text")
            space = (found[0].rstrip()[-1:] == ":" or " =" in found[0]) if is_text else len(found[2])
        counted = _counted_at(text, place, int(found[3])) if found[3] else None
        value, is_short, place = counted or _value_at(text, place, max(0, len(found[2]) - space))
        if name in _TEXTS and isinstance(value, int | float):
            value = text[begin:place]
        if value is not None and not (is_short and name == "request_id"):  # a part of it would be another's
            event[name] = value
            is_cut |= is_short
    return event, is_cut


def _counted_at(text: str, begin: int, size: int) -> tuple[str, bool, int] | None:
    """The text in quotes that has so many bytes, whatever signs are in it; None where it does not end there."""
    inside = text[begin + 1 : begin + 1 + size].encode(errors="replace")[:size].decode(errors="ignore")
    end = begin + 1 + len(inside)
    return (inside, False, end + 1) if text[begin : begin + 1] == text[end : end + 1] == '"' else None


def _value_at(text: str, begin: int, before: int = 0) -> tuple[Any, bool, int]:
    """Return the value that stands somewhere, whether it is cut, and where it ends.

    Args:
        text: It stands in it.
        begin: Where.
        before: So many of the spaces before it belong to it, if it has no quotes.
    """
    wrapper = _WRAPPER.match(text, begin)
    place = wrapper.end() if wrapper is not None else begin
    if text[place : place + 1] in ('"', "'", "`"):
        return _quoted_at(text, place)
    plain = _PLAIN.match(text, place)
    if plain is not None:
        return _plain(plain[1]), False, plain.end()
    place -= before
    rest = text[place : place + _LONGEST_BARE]
    found = _NEXT.search(rest)
    if found is not None:
        value = rest[: found.start()]
    else:
        value = rest.rstrip()
        closed = sum(1 if sign[0] in "})]" else -1 for sign in _BRACKETS.finditer(value))
        while closed > 0 and value[-1:] in (")", "}", "]"):
            value, closed = value[:-1], closed - 1
            opened = _BRACKETS.search(text)
            is_spaced = opened is not None and text[opened.end() : opened.end() + 1] == " "
            value = value.removesuffix(" ") if is_spaced else value
    is_cut = value.endswith(("...", "\u2026")) or len(rest) == _LONGEST_BARE
    return value, is_cut, place + len(value)


def _quoted_at(text: str, begin: int) -> tuple[str, bool, int]:
    parts: list[str] = []
    place, is_cut = begin, False
    while (found := _QUOTED.match(text, place)) is not None:
        inside = next(part for part in found.groups()[::2] if part is not None)
        is_cut = not any(found.groups()[1::2])
        parts.append(_decode(inside) if "\\" in inside else inside)
        place = found.end()
        following = _GOES_ON.match(text, place)
        if following is None or is_cut:
            break
        place = following.end()
    more = _MORE.match(text, place)
    return "".join(parts), is_cut or more is not None or "".join(parts[-1:]).endswith("\u2026"), place


def _plain(word: str) -> Any:
    lower = word.lower()
    if lower in ("true", "false"):
        return lower == "true"
    if lower in ("null", "none", "nil", "undefined", "<nil>"):
        return None
    try:
        return json.loads(word)
    except ValueError:  # digits with a zero before them
        return word


def _of_bytes(found: re.Match[str]) -> str:
    try:
        return bytes.fromhex(found[0].replace("\\x", "")).decode()
    except UnicodeDecodeError:
        return found[0]


def _unescape(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return {"n": "\n", "t": "\t", "r": "\r"}.get(found[4], found[4])


def _decode(inside: str) -> str:
    """What an escaped text stands for: bytes of UTF-8 are a character, and so are the halves of one beyond 16 bits."""
    text = _ESCAPE.sub(_unescape, _BYTES.sub(_of_bytes, inside))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

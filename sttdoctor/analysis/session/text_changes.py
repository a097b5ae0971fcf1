"""What applications do to a text besides joining it, and how to see what was there before.

Each change is either taken back in the application's text, or done to both sides so that it no longer matters. A change
is believed only where the text then comes out of the events, letter by letter, so trying a wrong one does no harm.
"""

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote

from sttdoctor.analysis.session.join_spelling import extract_letters, list_words
from sttdoctor.analysis.session.turns import Turn, join_expected
from sttdoctor.values import immutable


@immutable
class Change:
    """What was done to a text.

    Attributes:
        cause: What follows `joining.` in the cause.
        detail: A clause for the reader: what, and an example.
        harmless: Whether an application may well want it.
        loose: Whether white space and punctuation can no longer be told behind it.
        fix: What to do, "" where the cause says it.
    """

    cause: str
    detail: str
    harmless: bool = False
    loose: bool = False
    fix: str = ""


@immutable
class Before:
    """The application's text and the turns as if a change had not been made, or had been made to both."""

    got: str
    turns: Sequence[Turn]
    change: Change


def list_changes(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """Yield each change that the text may have gone through, the most certain ones first."""
    for look in _LOOKS:
        yield from look(got, turns)


def _map_turns(turns: Sequence[Turn], change: Callable[[str], str]) -> list[Turn]:
    return [
        replace(
            turn,
            end=None if turn.end is None else change(turn.end),
            pieces=[(kind, change(text)) for kind, text in turn.pieces],
        )
        for turn in turns
    ]


_QUOTED = re.compile(r"""'(?:[^'\\]|\\.?)*(?:'|\Z)|"(?:[^"\\]|\\.?)*(?:"|\Z)""", re.DOTALL)  # never fails half-way
_LONGEST_VALUE, _MOST_COLUMNS = 200_000, 3
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}\d{0,2});")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ESCAPE = re.compile(r"""\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U000[0-9a-fA-F]{5}|["'\\/bfnrt])""")  # JSON, Python
_UNESCAPED = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _unescape_html(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    yield from _unescape(got, turns, _ENTITY, html.unescape, "HTML")


def _unescape_url(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    if "+" in got and " " not in got:
        change = Change("escaped", "it is escaped for a URL, with '+' for each space", True)
        yield Before(unquote(got.replace("+", " "), errors="replace"), turns, change)
    yield from _unescape(got, turns, _PERCENT, lambda text: unquote(text, errors="replace"), "a URL")


def _unescape_json(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    for strings in _list_columns(_parse_value(got.strip())):
        yield Before("".join(strings), turns, Change("escaped", "it is there as a value, with its quotes", True))
    yield from _unescape(got, turns, _ESCAPE, _drop_backslashes, "JSON")


def _parse_value(text: str) -> object:
    """The value that a text is, in JSON or as Python prints it; None where it is none."""
    if text[:1] not in ("[", "{", '"', "'", "(") or len(text) > _LONGEST_VALUE:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return [_drop_backslashes(quoted[1:-1]) for quoted in _QUOTED.findall(text)]


def _list_columns(value: object) -> list[list[str]]:
    """The texts of a value, in order: those of each key apart, and those without a key."""
    found: dict[str, list[str]] = {}
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        key, one = waiting.pop()
        if isinstance(one, str):
            found.setdefault(key, []).append(one)
        elif isinstance(one, list | tuple):
            waiting += ((key, item) for item in reversed(one))
        elif isinstance(one, dict):
            waiting += ((str(name), item) for name, item in reversed(one.items()))
    return sorted(found.values(), key=lambda texts: -sum(map(len, texts)))[:_MOST_COLUMNS]


def _drop_backslashes(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        sign = match.group()[1:]
        return _UNESCAPED[sign] if len(sign) == 1 else chr(min(int(sign[1:], 16), 0x10FFFF))

    return _ESCAPE.sub(plain, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(
    got: str, turns: Sequence[Turn], escape: re.Pattern[str], plain: Callable[[str], str], name: str
) -> Iterator[Before]:
    """What a text was before it was escaped once, or twice, which no reader wants."""
    found = escape.search(got)
    if found is None:
        return
    once = plain(got)
    yield Before(once, turns, Change("escaped", f"it is escaped for {name} ({found.group()!r})", True))
    if escape.search(once):
        yield Before(plain(once), turns, Change("escaped", f"it is escaped for {name} twice ({found.group()!r})"))


_BEYOND = re.compile(r"[^\x00-\x7f]+")
_CHARSETS = (
    ("Windows-1252", "cp1252"),
    ("Mac Roman", "mac_roman"),
    ("code page 437", "cp437"),
    ("code page 850", "cp850"),
)


def _read_in_another_charset(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """UTF-8 that was read as something else, once or twice, and UTF-16 that was read byte by byte."""
    if "\0" in got:
        detail = "a zero character stands beside each letter: its UTF-16 bytes were read one by one"
        yield Before(got.replace("\0", ""), turns, Change("wrong-charset", detail))
    if got.isascii():
        return
    for name, encoding in _CHARSETS:
        before = got
        for times in ("", " twice"):
            text = _read_again(before, encoding)
            if text == before:
                break
            first = _BEYOND.search(got)
            example = first.group()[:6] if first else ""
            detail = f"its UTF-8 bytes were read as {name}{times} ({example!r})"
            yield Before(text, turns, Change("wrong-charset", detail))
            before = text


def _read_again(text: str, encoding: str) -> str:
    """Take back that UTF-8 was read in another encoding, wherever that is possible."""

    def plain(match: re.Match[str]) -> str:
        try:
            read = _encode(match.group(), encoding).decode("utf-8")
        except UnicodeError:
            return match.group()
        return match.group() if any(unicodedata.category(char) in ("Cn", "Co") for char in read) else read

    return _BEYOND.sub(plain, text)


def _encode(text: str, encoding: str) -> bytes:
    """Encode a text; bytes that Windows-1252 lacks stand for themselves, as browsers read them."""
    if encoding != "cp1252":
        return text.encode(encoding)
    return b"".join(char.encode("latin-1" if "\x80" <= char <= "\x9f" else "cp1252") for char in text)


_HOLE = "\ufffd"


def _compare_lost_characters(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """Characters beyond ASCII that became a sign for something unknown, or nothing, or lost their accents."""
    right = join_expected(turns)
    found = _BEYOND.search(right)
    if found is None:
        return
    example = repr(found.group()[:6])
    if _HOLE in got:
        change = Change("wrong-charset", f"characters such as {example} became '\ufffd': the bytes are not UTF-8")
        yield Before(_BEYOND.sub(_HOLE, got), _map_turns(turns, lambda text: _BEYOND.sub(_HOLE, text)), change)
    elif got.count("?") > right.count("?"):
        change = Change("wrong-charset", f"characters such as {example} became '?'")
        yield Before(_mark_foreign(got), _map_turns(turns, _mark_foreign), change)
    elif got.isascii():
        change = Change("normalized", f"accents were taken away, as in {example}", harmless=True)
        yield Before(got, _map_turns(turns, _drop_accents), change)
        change = Change("wrong-charset", f"characters beyond ASCII are gone, such as {example}")
        yield Before(got, _map_turns(turns, lambda text: _BEYOND.sub("", text)), change)


def _mark_foreign(text: str) -> str:
    return re.sub(r"[?\x80-\U0010ffff]+", "?", text)


def _drop_accents(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))


_TAG = re.compile(r"[\[(<{][^\[\](){}<>\n]{1,60}[\])>}]")
_TIME = r"[\[(]?(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,6})?Z?"
_CUE = re.compile(rf"^[ \t]*(?:\d{{1,6}}|WEBVTT[^\n]{{0,40}}|{_TIME}[ \t]*-->[^\n]{{0,80}})[ \t]*$", re.MULTILINE)
_STAMP = re.compile(rf"^[ \t]*{_TIME}(?:[ \t]*(?:-->|-|\u2013)[ \t]*{_TIME})?[\])]?[ \t]*[-:|]?", re.MULTILINE)
_BULLET = re.compile(r"^[ \t]*(?:[-*\u2022>#]{1,6}|\d{1,3}[.)])[ \t]", re.MULTILINE)
_NAME = re.compile(r"^[ \t]*[*_]{0,2}([A-Za-z][^:\n]{0,40}):[*_]{0,2}[ \t]", re.MULTILINE)
_SIGNS = re.compile(r"[*_#`~|>\u2022]|[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]+")


def _drop_labels(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """Names, times, tags, bullets and pictures that stand between the words."""
    right = join_expected(turns)
    tags = len(_TAG.findall(got)) - len(_TAG.findall(right))
    if tags < 0:
        change = Change("normalized", "marks in brackets were removed", True, True)
        yield Before(_TAG.sub(" ", got), _map_turns(turns, lambda text: _TAG.sub(" ", text)), change)
    text, shown = got, ""
    for pattern in (_CUE, _TAG, _STAMP, _BULLET, _STAMP, _NAME):
        name = pattern.search(text) if pattern is not _TAG or tags > 0 else None
        if name is not None:
            shown = shown or name.group().strip()
            text = pattern.sub(" ", text)
            if pattern is _NAME:  # the same name, with any number, wherever it stands
                same = re.sub(r"\\?\d+", r"\\d+", re.escape(name.group(1)))
                text = re.sub(rf"[*_]{{0,2}}{same}:[*_]{{0,2}}[ \t]", " ", text)
    sign = _SIGNS.search(text)
    if sign is not None and sign.group() not in right:
        shown = shown or sign.group()
        text = _SIGNS.sub("", text)
    if shown:
        yield Before(text, turns, Change("labels-added", f"labels or marks were put in, such as {shown!r}", True, True))


def split_by_turns(got: str, turns: Sequence[Turn]) -> list[str] | None:
    """Return what stands around the final texts of all turns, None where one of them is not there as it is."""
    ends = [end for turn in turns if (end := (turn.end or "").strip())]
    apart, position = [], 0
    for end in ends:
        at = got.find(end, position)
        if at < 0:
            return None
        apart.append(got[position:at])
        position = at + len(end)
    return [*apart, got[position:]] if ends else None


_DIGITS = re.compile(r"\d+")
_LEAST_LABELLED, _LONGEST_LABEL = 2, 120


def _drop_frames(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """The same around each turn but for its numbers: a row of a table, a line of a log, a name of another form."""
    apart = split_by_turns(got, turns)
    if apart is None or len(apart) <= _LEAST_LABELLED:
        return
    first, between, last = apart[0], apart[1:-1], apart[-1]
    kinds = {_DIGITS.sub("0", text).strip() for text in between}
    label = next(iter(kinds))
    if len(kinds) != 1 or not label or len(label) > _LONGEST_LABEL:
        return
    around = _DIGITS.sub("0", f"{last}\n{first}")
    if "".join(around.split()) in ("".join(label.split()), "") and "\n" in between[0]:
        shown = first.strip() or between[0].strip()
        detail = f"labels or marks were put in, such as {shown[:_SHOWN_LABEL]!r}"
        right = join_expected(turns)
        yield Before(right, turns, Change("labels-added", detail, True, True))


_SHOWN_LABEL = 60
_NOTHING = re.compile(r"undefined|null|None|NaN|\[object Object\]")


def _drop_nothings(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """What a program writes for a value that is none."""
    found = _NOTHING.findall(got)
    if len(found) > len(_NOTHING.findall(join_expected(turns))):
        detail = f"{found[0]!r} is in it: something was appended that had no text"
        change = Change("labels-added", detail, loose=True, fix=_HAS_TEXT)
        yield Before(_NOTHING.sub("", got), _map_turns(turns, lambda text: _NOTHING.sub("", text)), change)


_HAS_TEXT = (
    'Begin with an empty text (text = "") and append event.transcript of turn.end only: other events have none, and '
    "an object is not text."
)
_FILLERS = "|".join(  # bounded, so that a long run of one letter costs no more than its length
    re.sub("[a-z]", r"\g<0>{1,8}", sounds) for sounds in ("um", "uh", "uhm", "er", "erm", "ah", "eh", "hm", "mhm", "mm")
)
_PHRASES = r"like|you know|i mean|sort of|kind of|basically|actually|literally|well|so"


def _drop_fillers(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    right = join_expected(turns)
    for words in (_FILLERS, f"{_FILLERS}|{_PHRASES}"):
        filler = re.compile(rf"\b(?:{words})\b[,.]?", re.IGNORECASE)
        found = filler.findall(right)
        if len(found) > len(filler.findall(got)):
            detail = f"filler words were left out, such as {found[0].strip(',.')!r}"
            change = Change("normalized", detail, True, True)
            yield Before(filler.sub(" ", got), _map_turns(turns, lambda text, f=filler: f.sub(" ", text)), change)  # type: ignore[misc]


# fmt: off
_NAMES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth",
)
# fmt: on
_POWERS = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_VALUES = {
    **{name: value for value, name in enumerate(_NAMES)},
    **{name: 10 * value for value, name in enumerate(_TENS, start=2)},
    **{name: value for value, name in enumerate(_ORDINALS, start=1)},
}
_NUMBER = "(?:" + "|".join((*_VALUES, *_POWERS)) + ")"
_NUMBERS = re.compile(rf"\b{_NUMBER}(?:(?:[ -]|, | and ){_NUMBER})*\b", re.IGNORECASE)
_BETWEEN = re.compile(r"(?<=\d)(?:[ ,.:/-]{1,2}| point )(?=\d)")
_MEASURES = re.compile(
    r"[$\u20ac\u00a3%]|\b(?:dollars?|euros?|pounds?|percent|per cent)\b|(?<=\d)(?:st|nd|rd|th)\b", re.I
)


def _write_in_digits(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    right = join_expected(turns)
    ours, theirs = (sum(char.isdigit() for char in text) for text in (right, got))
    if ours != theirs:
        how = "numbers were written with digits" if theirs > ours else "digits were written as words"
        yield Before(
            _convert_to_digits(got), _map_turns(turns, _convert_to_digits), Change("normalized", how, True, True)
        )


def _convert_to_digits(text: str) -> str:
    """A text with its numbers in digits, without what stands between digits and without units of money."""
    return _BETWEEN.sub("", _MEASURES.sub(" ", _NUMBERS.sub(_convert_number, text))).replace("  ", " ")


def _convert_number(match: re.Match[str]) -> str:
    written: list[str] = []
    total = current = 0
    room = 1 << 63  # a number that is smaller may follow: 10 behind tens, 100 behind a hundred, none behind a unit
    for word in list_words(match.group()):
        if word in _POWERS:
            room = _POWERS[word]
            current = max(current, 1) * room
            if room > 100:
                total, current = total + current, 0
        elif word in _VALUES:
            if _VALUES[word] >= room:
                written.append(str(total + current))
                total = current = 0
            current += _VALUES[word]
            room = 10 if _VALUES[word] >= 20 else 0
    return " ".join([*written, str(total + current)])


_LONGEST_MASKED = 40
_MASKED = re.compile(
    r"^\W*\w?[*#\u2022_\u2588-]{2,}\w?\W*$|^\W*(?:\[|<|\()(?:censored|redacted|bleep|beep|expletive)(?:\]|>|\))\W*$",
    re.I,
)


def _unmask(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """Single words behind asterisks."""
    theirs, ours = re.split(r"(\s+)", got), re.split(r"(\s+)", join_expected(turns))
    if len(theirs) != len(ours):
        return
    shown, text = "", []
    for their, our in zip(theirs, ours, strict=True):
        masked = (
            len(their) <= _LONGEST_MASKED
            and _MASKED.match(their) is not None
            and extract_letters(their) != extract_letters(our)
        )
        shown = shown or (their if masked else "")
        text.append(our if masked else their)
    if shown:
        yield Before("".join(text), turns, Change("normalized", f"words were masked ({shown!r})", harmless=True))


_MOST_KEYS, _SHOWN_KEYS = 12, 3


def _restore_keys(got: str, turns: Sequence[Turn]) -> Iterator[Before]:
    """A few characters of which each became another one, always the same: as of keys in another layout."""
    right = join_expected(turns)
    theirs, ours = got.strip(), right.strip()
    if len(theirs) != len(ours) or not ours:
        return
    keys: dict[str, str] = {}
    if any(keys.setdefault(our, their) != their for our, their in zip(ours, theirs, strict=True)):
        return
    changed = [(our, their) for our, their in keys.items() if our.casefold() != their.casefold()]
    if changed and len(changed) <= _MOST_KEYS and len(set(keys.values())) == len(keys):
        shown = ", ".join(f"{our!r} by {their!r}" for our, their in changed[:_SHOWN_KEYS])
        yield Before(right, turns, Change("normalized", f"characters were replaced: {shown}", fix=_SET_LAYOUT))


_SET_LAYOUT = (
    "Where the text is typed into another program as keys (dotool, ydotool, wtype, a macro), tell the tool the user's "
    "keyboard layout, or put the text in by the clipboard. Else look for a table that replaces characters."
)
_LOOKS = (
    _unescape_html,
    _unescape_url,
    _unescape_json,
    _read_in_another_charset,
    _compare_lost_characters,
    _restore_keys,
    _unmask,
    _drop_nothings,
    _drop_labels,
    _drop_frames,
    _write_in_digits,
    _drop_fillers,
)

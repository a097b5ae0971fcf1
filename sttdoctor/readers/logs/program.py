"""The log of a program itself: the events that it received, as it prints them, and what else it says of the connection.

Every event that is printed proves a text, an order and, where the line has one, a time. What was sent is known only
where lines say so: sizes of audio, commands. A program prints what it likes and leaves out the rest, so what its log
never shows is lacking: `commands` where no message of the client's stands in it, `events` where some are missing that
the service sends in every turn.
"""

import json
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from sttdoctor.endpoints.cartesia import AUTO, MANUAL
from sttdoctor.readers.collector import CONNECTION_BYTES, LONGEST_S, Collector
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs import marks as log_marks
from sttdoctor.readers.logs import said as log_said
from sttdoctor.readers.logs.base import Log
from sttdoctor.readers.logs.connection import LogConnection
from sttdoctor.readers.logs.packed import PACKED, Blob, audio_in, unpacked
from sttdoctor.readers.logs.printed import LONGEST, TYPES, Printed, bare_error_in, events_in, is_member, shown_of
from sttdoctor.readers.logs.shown import Shown, look_of
from sttdoctor.readers.sockets import Wanted, is_service

SOURCE = "log of a program"

MARKS = re.compile(
    log_marks.EVENT
    + b"|"
    + PACKED
    + rb"|\b[TR]X\b| > |[Tt]ype\W|wss?://|[Cc]los[ei]|(?:(?<![A-Za-z])|(?<=[\d\[]m))(?:[Ss]en[dt]|SEN[DT]|[Ww]r[io]t|error\b)|\bHTTP\b"
    rb"|[Hh]andshake|[Rr]esponse|onnect|[Rr]eceiv|[Rr]ecv|>>|->|\xe2\x86\x92|[{(]\s*(?:\x1b\[[\d;]{0,20}m)?\r?$|,\r?$",
    re.MULTILINE,
)
"""What a line has that may tell something."""

_ANY_LINE = re.compile(rb"\S")  # a mark is never empty
_OPENING = re.compile(r"(?<!dis)connect|\bopen|\bdial", re.IGNORECASE)
_ESCAPED = re.compile(r"\\.")
_LITERALS = re.compile(r"\"[^\"]{0,20000}\"|'[^']{0,20000}'|`[^`]{0,20000}`")
_TIME_AT_START = re.compile(r"^(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\s")
_HALF_DAY = re.compile(r"[\s\u202f]?[AaPp]\.?[Mm]\b")
_DIGITS = re.compile(r"\d+")
_BLOB = re.compile(r"\b[0-9a-fA-F]{2}(?:[ :][0-9a-fA-F]{2}){3,400}\b|\b[0-9A-Za-z+/]{40,1000}={0,2}")
_PREFIX = re.compile(r"[\w\s\[\]()<>:|*-]{0,40}")
_LEVEL = re.compile(r"\b(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|[VDIWE])\b\s{0,8}|\s", re.IGNORECASE)
_MOST_BLOCK_LINES, _MOST_BLOCK = 200, 1 << 17
_LONGEST_ALIKE, _MOST_ALIKE = 300, 1000
_MOST_MEMBERS, _LONGEST_MEMBER = 20, 40
_LEAST_POINTS, _LEAST_ALIKE = 2.0, 3.0


class ProgramLog(Log):
    """Follows the connections of which a program prints the events."""

    label = "programs that print the events they receive"

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.marks = MARKS
        self._all: list[Shown] = []
        self._current: Shown | None = None
        self._by_request: dict[str, Shown] = {}
        # when the program said where it connects, and where
        self._asked: tuple[log_line.Time, str | None] | None = None
        self._address = ""  # what stands before the address
        self._has_others = False  # one of another socket was printed
        self._is_service = False  # an address of the service was printed
        self._guesses_unit = False  # of times since the program began
        self._is_mixed = False  # several connections at once
        self._block: list[tuple[int, str]] = []  # lines of an object that is not complete
        self._depth = 0
        self._alike: dict[str, int] = {}  # sizes by their line without its time
        self._last_text, self._is_again = "", False  # the last line, and whether this one is it once more
        self._before = (0, "")  # the last line that was read and shows no event, and its number
        self._shows_event = False

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a line may show an event; how many agree is for the log to tell."""
        return len(text) <= LONGEST and any(event.type in AUTO.turn_events for event in events_in(unpacked(text))[0])

    @classmethod
    def holds(cls, texts: Sequence[str]) -> bool:
        """Whether lines show events enough that agree."""
        log = cls(None)
        for number, text in enumerate(texts, start=1):
            log.take(number, text.encode(errors="replace"))
        return bool(log.connections)

    def _add(self, line: int, content: bytes) -> None:
        text = log_line.plain(content)
        if len(text) > LONGEST:
            return
        if self._block:
            self._go_on(line, text)
        elif not self._begins_block(line, text):
            self._shows_event = False
            self._read(line, text)
            self._before = (line, "" if self._shows_event else text)

    def _begins_block(self, line: int, text: str) -> bool:
        """Whether an object begins in a line that ends in another."""
        if text[-1:] not in ("{", "(", "[", ",") or not ("{" in text or "(" in text):
            return False
        self._depth = _balance(text)
        if self._depth <= 0:
            return False
        self._block, self.marks = [(line, text)], _ANY_LINE
        return True

    def _go_on(self, line: int, text: str) -> None:
        text = _TIME_AT_START.sub("", text)
        self._block.append((line, text))
        self._depth += _balance(text)
        if self._depth <= 0:
            first, whole = self._block[0][0], "\n".join(text for _, text in self._block)
            self._end_block()
            self._read(first, whole)
        elif len(self._block) > _MOST_BLOCK_LINES or len(text) > _MOST_BLOCK:
            self._give_up_block()

    def _give_up_block(self) -> None:
        lines = self._block
        self._end_block()
        for line, text in lines:
            self._read(line, text)

    def _end_block(self) -> None:
        self._block, self._depth, self.marks = [], 0, MARKS

    def _read(self, line: int, text: str) -> None:
        self._is_again = text == self._last_text and not self._is_again
        if not self._read_alike(line, text):
            self._read_line(line, text)
        self._last_text = text

    def _read_alike(self, line: int, text: str) -> bool:
        """Take a size in whose line is one before it at another time, in one step; False where it is none."""
        found = log_line.DATED.match(text) or log_line.CLOCK.match(text)
        known = self._alike.get(text[found.end() :]) if found is not None else None
        stamp = log_line.stamp_of_match(found) if found is not None and known is not None else None
        if known is None or stamp is None:
            return False
        self._take_audio(line, text, known, self._moment(stamp))
        return True

    def _keep_alike(self, text: str, size: int) -> None:
        """Remember what a line tells whose only time stands at its beginning."""
        found = log_line.DATED.match(text) or log_line.CLOCK.match(text)
        if found is None or len(text) > _LONGEST_ALIKE or len(self._alike) >= _MOST_ALIKE:
            return
        if _HALF_DAY.match(text, found.end()) is None and log_said.stamp_of(text) == log_line.stamp_of_match(found):
            self._alike[text[found.end() :]] = size

    def _read_line(self, line: int, text: str) -> None:
        text = unpacked(text)
        events, values = events_in(text)
        current = self._current
        if not events and current is not None and current.looks and (error := bare_error_in(text)) is not None:
            events = [error] if _look_of(text[: error.begin]) in current.looks else []
        if not events:
            self._read_rest(line, text, values)
            return
        self._shows_event = True
        time = self._time_of(text, events[0].begin, values) or self._time_of(text, events[0].mark, [])
        if time is None and self._before[0] == line - 1:  # a record of several lines has its time in the first
            time = self._time_of(self._before[1], len(self._before[1]), [])
        look, is_listed = _look(text, events[0].begin, values), len(events) > 1 or _is_list(values)
        for event in events:
            self._take_event(line, time, text, event, look, is_listed)

    def _take_event(
        self, line: int, time: log_line.Time, text: str, event: Printed, look: str, is_listed: bool
    ) -> None:
        kind, request = event.type, event.message.get("request_id")
        name = request if isinstance(request, str) else None
        if kind == "done" and log_said.is_sent(text[: event.begin]):
            self._take_command(line, time, dict(event.message), look)
            return
        shown = self._of(time, name, kind, is_listed)
        if shown is None:
            return
        if not shown.kinds:
            shown.forget_early(time)
            if shown.is_begun or kind == "connected":
                shown.to.answered(line, time, 101 if kind == "connected" else None)
        message = _without_end(event) if event.is_cut else json.dumps(event.message)
        held = len(shown.to.found.events)
        shown.to.text(line, time, False, message, len(message.encode()) + event.is_cut)
        if len(shown.to.found.events) == held:  # it was too costly
            return
        says_text = bool(event.message.get("transcript"))
        shown.event(
            kind,
            look,
            is_listed=is_listed,
            is_again=self._is_again,
            says_text=says_text,
            is_word=not event.is_object,
        )
        shown.objects += event.is_object
        shown.raw += event.is_object and name is not None
        self._weigh(shown, event, text[: event.begin][: log_line.USUAL_PREFIX], name is not None)

    def _weigh(self, shown: Shown, event: Printed, before: str, is_named: bool) -> None:
        if event.type in AUTO.turn_events:
            shown.points += (1.0 if event.is_object else 0.75) + 0.5 * is_named + 0.5 * ("transcript" in event.message)
        elif is_named:
            shown.points += 1.0
        if self._is_service:
            shown.points = max(shown.points, _LEAST_POINTS)
        if not event.is_object:
            is_timed = log_said.stamp_of(before) is not None or log_said.since_in(before) is not None
            if not is_timed and _PREFIX.fullmatch(before) is None:
                return  # a word in a sentence, or in code
            shown.looks.setdefault(_look_of(before), set()).add(event.type)
        is_varied = shown.objects > 0 or self._is_service or any(len(kinds) > 1 for kinds in shown.looks.values())
        if shown.points >= (_LEAST_POINTS if is_varied else _LEAST_ALIKE):
            self._prove(shown)

    def _prove(self, shown: Shown) -> None:
        if not shown.is_proven:
            shown.is_proven = True
            self.connections[:] = [item.to for item in self._all if item.is_proven]

    def _of(self, time: log_line.Time, request: str | None, kind: str, is_listed: bool) -> Shown | None:
        """The connection of an event: by its request, else the current one; None where it is of none."""
        current = self._current
        known = self._by_request.get(request) if request is not None else None
        if known is not None:
            if is_listed and current is not None:
                return known  # what was said before
            self._is_mixed |= known is not current
            self._current = known
            return known
        is_other = current is not None and request is not None and current.request is not None
        if is_other and kind == "error":
            return None
        if current is None or is_other or (kind == "connected" and self._is_anew(current, request, is_listed)):
            current = self._begin(time)
        if request is not None:
            current.request = current.request or request
            self._by_request[request] = current
        return current

    def _is_anew(self, current: Shown, request: str | None, is_listed: bool) -> bool:
        """Whether a `connected` is of another connection than the current one, and not that of it, shown late."""
        is_late = is_listed or (request is not None and current.request is None and not current.is_closed)
        return bool(current.kinds - {"connected"}) and not is_late

    def _begin(self, time: log_line.Time) -> Shown:
        asked, url = self._asked or (None, None)
        if asked is None or time is None or abs(time[0] - asked[0]) > LONGEST_S:  # told by another clock
            asked = time
        connection = LogConnection("client", asked, None, url, self._collector(len(url or "")), source=SOURCE)
        self._current = Shown(connection, address=self._address, is_begun=self._asked is not None)
        self._asked = None
        self._all.append(self._current)
        return self._current

    def _collector(self, length: int) -> Collector:
        """The place of one more connection; its number is known only once those before it are proven."""
        self._budget.take(CONNECTION_BYTES + length)
        return Collector(self._budget)

    def _read_rest(self, line: int, text: str, values: list[tuple[int, Any]]) -> None:
        """Read what a line says that shows no event."""
        address = log_said.address_in(text)
        if address is not None and is_service(address[0]):
            self._take_address(text, address, values)
        elif address is not None:
            self._has_others = True
        refusal = log_said.refusal_in(text)
        if refusal is not None and self._is_service:
            self._take_refusal(line, self._time_of(text, refusal.start(), values), int(refusal[1]))
        elif (command := log_said.command_in(text, values)) is not None:
            self._take_command(
                line, self._time_of(text, command[0], values), command[1], _look(text, command[0], values)
            )
        elif (blob := audio_in(text)) is not None and log_said.is_sent(text[: blob.begin]):
            self._take_content(line, text, blob, self._time_of(text, blob.begin, []))
        elif (size := log_said.size_in(text)) is not None:
            self._take_audio(line, text, size, self._time_of(text, len(text), values))
            if not values:
                self._keep_alike(text, size)
        elif (self._current or self._asked) and (close := log_said.close_in(text)) is not None:
            self._take_close(line, text, self._time_of(text, len(text), values), close)

    def _take_address(self, text: str, address: re.Match[str], values: list[tuple[int, Any]]) -> None:
        """A program says where it connects, before it does; any other mention tells nothing."""
        current = self._current
        if current is not None and not (current.is_closed or _OPENING.search(text)):
            is_said_again = current.has_sent and current.to.was_asked(address[0])
            if current.kinds or is_said_again:
                return
        self._is_service, self._address = True, _look(text, address.start(), values)
        url = (
            _whole_of(address[0]) if "?" in address[0] else None
        )  # parameters may have been added after it was printed
        self._asked, self._current = (self._time_of(text, address.start(), values), url), None

    def _take_refusal(self, line: int, time: log_line.Time, status: int) -> None:
        current = self._current
        if current is None or current.kinds or current.is_closed:
            current = self._begin(time)
        current.to.answered(line, time, status)
        current.is_closed = current.is_refused = True
        self._prove(current)

    def _take_command(self, line: int, time: log_line.Time, said: Any, words: str) -> None:
        current = self._current or self._begin(time)
        is_manual = current.kinds & MANUAL.events or current.to.is_at(MANUAL.path)
        if isinstance(said, str) and said in AUTO.commands and not is_manual:
            said = {"type": said}
        text = said if isinstance(said, str) else json.dumps(said)
        current.command(line, time, said, text, words)

    def _take_audio(self, line: int, text: str, size: int, time: log_line.Time) -> None:
        current = self._current or self._begin(time)
        bare = _BLOB.sub("", log_line.without_time(text[: log_line.USUAL_PREFIX]))
        current.audio(line, time, size, bare, is_again=self._is_again)

    def _take_content(self, line: int, text: str, blob: Blob, time: log_line.Time) -> None:
        current = self._current or self._begin(time)
        bare = log_line.without_time(text[: blob.begin][: log_line.USUAL_PREFIX]) + text[blob.end :][:_LONGEST_ALIKE]
        content = blob.content if len(blob.content) == blob.size else None
        current.audio(line, time, blob.size, bare, is_again=self._is_again, content=content)

    def _take_close(self, line: int, text: str, time: log_line.Time, told: tuple[str, int, str]) -> None:
        current = self._current or self._begin(time)
        current.end(line, time, told, log_said.without_reason(log_line.without_time(text[: log_line.USUAL_PREFIX])))
        if self._is_service:
            self._prove(current)

    def _time_of(self, text: str, end: int, values: list[tuple[int, Any]]) -> log_line.Time:
        """The time before something in a line, or a member of the record, whichever is finer."""
        prefix = text[: min(end, log_line.USUAL_PREFIX)]
        stamp, is_told = log_said.stamp_of(prefix), True
        since = log_said.since_in(prefix) if stamp is None else None
        own = log_said.time_in(values[0][1]) if values else None
        if since is not None:
            stamp, is_told = since
        if own is not None and (stamp is None or own[0].resolution < stamp.resolution):
            stamp, is_told = own
        if stamp is None:
            return None
        self._guesses_unit |= not is_told
        return self._moment(stamp)

    def end(self) -> None:
        """Tell of each connection what the log has not shown."""
        if self._block:
            self._give_up_block()
        for shown in self._all:
            if shown.is_proven:
                shown.finish(is_mixed=self._is_mixed, guesses_unit=self._guesses_unit, has_others=self._has_others)
        told = (item for item in self._all if item.is_proven and (item.is_refused or item.to.found.events))
        self.connections[:] = [item.to for item in told]


def _look_of(before: str) -> str:
    """What stands before a word in a line, without its time and its level."""
    return _LEVEL.sub("", _DIGITS.sub("0", before[: log_line.USUAL_PREFIX]))


def _look(text: str, begin: int, values: list[tuple[int, Any]]) -> str:
    """How the line of a message looks: what stands before it and behind it, and in the record that holds it."""
    look = look_of(log_line.without_time(text[: min(begin, log_line.USUAL_PREFIX)]))
    around = next((value for place, value in values if place == begin and isinstance(value, dict)), None)
    if around is not None:
        end = text.rfind("}")
        tail = text[end + 1 : end + 1 + _LONGEST_MEMBER]
        short = (
            f" {key}={value}" if isinstance(value, str) else f" {key}"
            for key, value in around.items()
            if _is_look(key, value)
        )
        look = f"{look} {''.join(islice(short, _MOST_MEMBERS))} {tail}"
    return look


def _is_look(key: str, value: Any) -> bool:
    """Whether a member of a record is as in others of its kind, and no part of an event."""
    if is_member(key):
        return False
    return not isinstance(value, str) or (
        len(value) <= _LONGEST_MEMBER and not _DIGITS.search(value) and value not in TYPES
    )


def _whole_of(url: str) -> str:
    """What of an address is whole that a program cut at its end."""
    cut = url.rstrip(".\u2026")
    return url if not url.endswith("\u2026") else cut[: max(cut.rfind("&"), cut.rfind("?"), 0)]


def _is_list(values: list[tuple[int, Any]]) -> bool:
    return bool(values) and isinstance(values[0][1], list)


def _balance(text: str) -> int:
    """How many brackets a line opens more than it closes."""
    bare = _LITERALS.sub("", _ESCAPED.sub("", text))
    return bare.count("{") + bare.count("(") - bare.count("}") - bare.count(")")


def _without_end(event: Printed) -> str:
    """An event as JSON that is cut in its text."""
    known = {name: value for name, value in event.message.items() if name not in ("transcript", "text")}
    text = event.message.get("transcript", event.message.get("text"))
    name = "text" if event.type == "transcript" else "transcript"
    said = "" if text is None else shown_of(str(text))
    return f'{json.dumps(known)[:-1]}, "{name}": {json.dumps(said)[:-1]}...'

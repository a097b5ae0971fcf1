"""The log of a program itself: the events that it received, as it prints them, and what else it says of the connection.

Every event that is printed proves a text, an order and, where the line has one, a time. What was sent is known only
where lines say so: sizes of audio, commands. A program prints what it likes and leaves out the rest, so what its log
never shows is lacking: `commands` where no message of the client's stands in it, `events` where some are missing that
the service sends in every turn.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from sttdoctor.endpoints.cartesia import AUTO, MANUAL
from sttdoctor.evidence import Event, Frame
from sttdoctor.readers.collector import CONNECTION_BYTES, LONGEST_S, Collector
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs import marks as log_marks
from sttdoctor.readers.logs import said as log_said
from sttdoctor.readers.logs.base import Log
from sttdoctor.readers.logs.connection import LogConnection
from sttdoctor.readers.logs.printed import LONGEST, Printed, bare_error_in, events_in
from sttdoctor.readers.sockets import Wanted, is_service

SOURCE = "log of a program"

MARKS = re.compile(
    log_marks.EVENT
    + rb"|[Tt]ype\W|wss?://|[Cc]los[ei]|(?<![A-Za-z])(?:[Ss]en[dt]|SEN[DT]|[Ww]r[io]t)|\bHTTP\b|[Hh]andshake|[Rr]esponse"
    rb"|onnect|[Rr]eceiv|[Rr]ecv|(?<![A-Za-z])error\b|>>|->|\xe2\x86\x92|[{(]\s*(?:\x1b\[[\d;]{0,20}m)?\r?$|,\r?$",
    re.MULTILINE,
)
"""What a line has that may tell something."""

_ANY_LINE = re.compile(rb"\S")  # a mark is never empty
_OPENING = re.compile(r"(?<!dis)connect|\bopen|\bdial", re.IGNORECASE)
_ESCAPED = re.compile(r"\\.")
_LITERALS = re.compile(r"\"[^\"]{0,20000}\"|'[^']{0,20000}'|`[^`]{0,20000}`")
_TIME_AT_START = re.compile(r"^(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\s")
_DIGITS = re.compile(r"\d+")
_PREFIX = re.compile(r"[\w\s\[\]<>:|*-]{0,40}")
_LEVEL = re.compile(r"\b(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|[VDIWE])\b\s{0,8}|\s", re.IGNORECASE)
_MOST_BLOCK_LINES, _MOST_BLOCK = 200, 1 << 17
_MOST_LOOKS, _MOST_NUMBERS = 20, 8
_LEAST_SENDS = 8
_LEAST_POINTS, _LEAST_ALIKE = 2.0, 3.0
_SLOWEST = 0.2
"""Audio that lines show at less than this part of realtime: they are some of the sends."""
_LEAST_BYTES_PER_S = 8000.0
_STILL_SENT_S, _EARLY_S, _MOST_EARLY = 5.0, 10.0, 1000
_LONGEST_GAP_S = 30.0
"""Times whose usual gap is longer are milliseconds."""


@dataclass(slots=True)
class _Sends:
    """Lines of one look that say how many bytes were sent.

    Attributes:
        places: Of the frames among the events of the connection.
        size: Bytes in all.
        steps: By how much each number in the line grew every time, None where it did not.
        grows: Each size is larger than the one before, so they are sums.
        span: First and last time, None without.
    """

    places: list[int] = field(default_factory=list)
    size: int = 0
    steps: list[int | None] = field(default_factory=list)
    grows: bool = True
    span: tuple[float, float] | None = None
    _last: tuple[int, ...] = ()
    _last_size: int = -1

    def add(self, place: int, numbers: tuple[int, ...], size: int, t: float | None) -> None:
        """Take a line in."""
        grown = [after - before for before, after in zip(self._last, numbers, strict=False)]
        if len(self.places) > 1:
            grown = [now if now == before else None for before, now in zip(self.steps, grown, strict=False)]  # type: ignore[misc]
        self.steps = list(grown)
        self.grows &= size > self._last_size
        self.places.append(place)
        self.size += size
        self._last, self._last_size = numbers, size
        if t is not None:
            self.span = (t, t) if self.span is None else (self.span[0], t)

    def is_whole(self, bytes_per_s: float, last_turn_s: float | None) -> bool:
        """Whether they can be all that was sent: none is left out between, and they go on to the last turn."""
        if len(self.places) < _LEAST_SENDS or self.grows or any(step is not None and step > 1 for step in self.steps):
            return False
        if self.span is None:
            return True
        length_s = self.span[1] - self.span[0]
        goes_on = last_turn_s is None or last_turn_s - self.span[1] < _STILL_SENT_S
        return goes_on and self.size >= _SLOWEST * bytes_per_s * length_s


@dataclass(slots=True)
class _Shown:
    """What a log has shown of one connection.

    Attributes:
        to: Takes what is found.
        points: How sure it is that the events are those of the service.
        request: The id that its events carry.
        kinds: Types of the events, in the order of the first of each.
        objects: How many events were objects, not words of a line.
        raw: How many were objects with the id: messages that are printed whole.
        starts: How many were the start of a turn.
        says_text: A turn ended that had a text.
        looks: Types of events that are words of a line, by what stands before them.
        sends: By the look of the line.
        says: A message of the client's was shown.
        is_begun: The program said that it connects, or the service that it did.
        is_closed: The end was shown.
        is_proven: The events agree.
        leaps: A turn went on after an eager end without `turn.resume`.
        last: Type of the last event.
    """

    to: LogConnection
    points: float = 0.0
    request: str | None = None
    kinds: dict[str, None] = field(default_factory=dict)
    objects: int = 0
    raw: int = 0
    starts: int = 0
    says_text: bool = False
    looks: dict[str, set[str]] = field(default_factory=dict)
    sends: dict[str, _Sends] = field(default_factory=dict)
    says: bool = False
    is_begun: bool = False
    is_closed: bool = False
    is_proven: bool = False
    leaps: bool = False
    last: str = ""
    last_turn_s: float | None = None

    def forget_early(self, time: log_line.Time) -> None:
        """Forget what was sent long before the first event: another program's, or of another connection."""
        spans = [sends.span for sends in self.sends.values() if sends.span is not None]
        is_early = any(time is not None and time[0] - span[0] > _EARLY_S for span in spans)
        is_early |= len(self.to.found.events) > _MOST_EARLY
        if not self.is_begun and is_early:
            self.to.found.events.clear()
            self.sends.clear()
            self.says = False

    @property
    def is_filtered(self) -> bool:
        """Whether events are left out that the service sends: only some kinds of them are printed."""
        kinds = self.kinds.keys() & AUTO.turn_events
        if not kinds:
            return False
        # the first turn has not ended: a program that prints whole messages, the first one too, prints its end
        prints_all = self.raw > 1 and self.starts == 1 and "connected" in self.kinds
        lacks_ends = "turn.start" not in kinds or ("turn.end" not in kinds and not prints_all)
        return (
            lacks_ends
            or (self.says_text and "turn.update" not in kinds)
            or ("turn.resume" in kinds and "turn.eager_end" not in kinds)
            or self.leaps
        )


class ProgramLog(Log):
    """Follows the connections of which a program prints the events."""

    label = "programs that print the events they receive"

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.marks = MARKS
        self._all: list[_Shown] = []
        self._current: _Shown | None = None
        self._by_request: dict[str, _Shown] = {}
        # when the program said where it connects, and where
        self._asked: tuple[log_line.Time, str | None] | None = None
        self._is_service = False  # an address of the service was printed
        self._guesses_unit = False  # of times since the program began
        self._is_mixed = False  # several connections at once
        self._block: list[tuple[int, str]] = []  # lines of an object that is not complete
        self._depth = 0
        self._before = (0, "")  # the last line that was read, and its number

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a line may show an event; how many agree is for the log to tell."""
        return len(text) <= LONGEST and any(event.type in AUTO.turn_events for event in events_in(text)[0])

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
            self._read(line, text)
            self._before = (line, text)

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
        events, values = events_in(text)
        current = self._current
        if not events and current is not None and current.looks and (error := bare_error_in(text)) is not None:
            events = [error] if _look_of(text[: error.begin]) in current.looks else []
        if not events:
            self._read_rest(line, text, values)
            return
        time = self._time_of(text, events[0].begin, values) or self._time_of(text, events[0].mark, [])
        if time is None and self._before[0] == line - 1:  # a record of several lines has its time in the first
            time = self._time_of(self._before[1], len(self._before[1]), [])
        for event in events:
            self._take_event(line, time, text, event)

    def _take_event(self, line: int, time: log_line.Time, text: str, event: Printed) -> None:
        kind, request = event.type, event.message.get("request_id")
        name = request if isinstance(request, str) else None
        if kind == "done" and log_said.is_sent(text[: event.begin]):
            self._take_command(line, time, dict(event.message))
            return
        shown = self._of(time, name, kind)
        if not shown.kinds:
            shown.forget_early(time)
            if shown.is_begun or kind == "connected":
                shown.to.answered(line, time, 101 if kind == "connected" else None)
        message = json.dumps(event.message)
        if event.is_cut:
            message = _without_end(event)
            shown.to.text(line, time, False, message, len(message.encode()) + 1)
        else:
            shown.to.text(line, time, False, message, len(message.encode()))
        shown.says_text |= kind == "turn.end" and bool(event.message.get("transcript"))
        shown.leaps |= kind == "turn.update" and shown.last == "turn.eager_end"
        shown.last = kind
        shown.kinds[kind] = None
        shown.objects += event.is_object
        shown.raw += event.is_object and name is not None
        if kind == "turn.start":
            shown.starts += 1
            shown.last_turn_s = shown.last_turn_s if time is None else time[0]
        self._weigh(shown, event, text[: event.begin][: log_line.USUAL_PREFIX], name is not None)

    def _weigh(self, shown: _Shown, event: Printed, before: str, is_named: bool) -> None:
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

    def _prove(self, shown: _Shown) -> None:
        if not shown.is_proven:
            shown.is_proven = True
            self.connections[:] = [item.to for item in self._all if item.is_proven]

    def _of(self, time: log_line.Time, request: str | None, kind: str) -> _Shown:
        """The connection of an event: by its request, else the current one."""
        current = self._current
        known = self._by_request.get(request) if request is not None else None
        if known is not None:
            self._is_mixed |= known is not current
            self._current = known
            return known
        is_other = current is not None and request is not None and kind != "error" and current.request is not None
        if current is None or is_other or (kind == "connected" and current.kinds):
            current = self._begin(time)
        if request is not None:
            current.request = current.request or request
            self._by_request[request] = current
        return current

    def _begin(self, time: log_line.Time) -> _Shown:
        asked, url = self._asked or (None, None)
        if asked is None or time is None or abs(time[0] - asked[0]) > LONGEST_S:  # told by another clock
            asked = time
        connection = LogConnection("client", asked, None, url, self._collector(len(url or "")), source=SOURCE)
        self._current = _Shown(connection, is_begun=self._asked is not None)
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
        refusal = log_said.refusal_in(text)
        if refusal is not None and self._is_service:
            self._take_refusal(line, self._time_of(text, refusal.start(), values), int(refusal[1]))
        elif (command := log_said.command_in(text, values)) is not None:
            self._take_command(line, self._time_of(text, command[0], values), command[1])
        elif (size := log_said.size_in(text)) is not None:
            self._take_audio(line, text, size, self._time_of(text, len(text), values))
        elif (self._current or self._asked) and (close := log_said.close_in(text)) is not None:
            self._take_close(line, self._time_of(text, len(text), values), *close)

    def _take_address(self, text: str, address: re.Match[str], values: list[tuple[int, Any]]) -> None:
        """A program says where it connects, before it does; any other mention tells nothing."""
        current = self._current
        if current is not None and current.kinds and not (current.is_closed or _OPENING.search(text)):
            return
        self._is_service = True
        url = address[0] if "?" in address[0] else None  # parameters may have been added after it was printed
        self._asked, self._current = (self._time_of(text, address.start(), values), url), None

    def _take_refusal(self, line: int, time: log_line.Time, status: int) -> None:
        current = self._current
        if current is None or current.kinds or current.is_closed:
            current = self._begin(time)
        current.to.answered(line, time, status)
        current.is_closed = True
        self._prove(current)

    def _take_command(self, line: int, time: log_line.Time, said: Any) -> None:
        current = self._current or self._begin(time)
        is_manual = current.kinds.keys() & MANUAL.events or current.to.is_at(MANUAL.path)
        if isinstance(said, str) and said in AUTO.commands and not is_manual:
            said = {"type": said}
        text = said if isinstance(said, str) else json.dumps(said)
        current.to.text(line, time, True, text, len(text.encode()))
        current.says = True

    def _take_audio(self, line: int, text: str, size: int, time: log_line.Time) -> None:
        current = self._current or self._begin(time)
        bare = log_line.without_time(text[: log_line.USUAL_PREFIX])
        look = _DIGITS.sub("0", bare)
        if look not in current.sends and len(current.sends) >= _MOST_LOOKS:
            return
        numbers = tuple(int(digits[:12]) for digits in _DIGITS.findall(bare)[:_MOST_NUMBERS])
        sends = current.sends.setdefault(look, _Sends())
        sends.add(len(current.to.found.events), numbers, size, None if time is None else time[0])
        current.to.binary(line, time, True, size, None)

    def _take_close(self, line: int, time: log_line.Time, by: str, code: int, reason: str) -> None:
        current = self._current or self._begin(time)
        if current.is_closed or self._is_mixed:
            return
        current.is_closed = True
        current.to.close(line, time, by, code, reason)
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
        return (self._on(stamp.seconds) if stamp.of_day else stamp.seconds), stamp.resolution

    def end(self) -> None:
        """Tell of each connection what the log has not shown."""
        if self._block:
            self._give_up_block()
        for shown in self._all:
            if shown.is_proven:
                self._finish(shown)

    def _finish(self, shown: _Shown) -> None:
        to = shown.to
        most = max(shown.sends.values(), key=lambda sends: len(sends.places), default=None)
        rate = to.bytes_per_s or _LEAST_BYTES_PER_S
        is_shown = most is not None and not self._is_mixed and most.is_whole(rate, shown.last_turn_s)
        others = {place for sends in shown.sends.values() if not (is_shown and sends is most) for place in sends.places}
        events = to.found.events
        events[:] = [event for place, event in enumerate(events) if place not in others]
        if self._guesses_unit:
            events[:] = _in_seconds(events)
        to.lacks = {"headers"}
        to.lacks |= set() if is_shown else {"send", "audio"}
        to.lacks |= set() if shown.says else {"commands"}
        to.lacks |= set() if shown.is_closed else {"close"}
        to.lacks |= {"events"} if shown.is_filtered else set()


def _look_of(before: str) -> str:
    """What stands before a word in a line, without its time and its level."""
    return _LEVEL.sub("", _DIGITS.sub("0", before[: log_line.USUAL_PREFIX]))


def _balance(text: str) -> int:
    """How many brackets a line opens more than it closes."""
    bare = _LITERALS.sub("", _ESCAPED.sub("", text))
    return bare.count("{") + bare.count("(") - bare.count("}") - bare.count(")")


def _without_end(event: Printed) -> str:
    """An event as JSON that is cut in its text."""
    known = {name: value for name, value in event.message.items() if name not in ("transcript", "text")}
    text = event.message.get("transcript", event.message.get("text"))
    name = "text" if event.type == "transcript" else "transcript"
    said = "" if text is None else str(text).rstrip(".\u2026")
    return f'{json.dumps(known)[:-1]}, "{name}": {json.dumps(said)[:-1]}...'


def _in_seconds(events: list[Event]) -> list[Event]:
    """Times that can only be milliseconds since the program began, as seconds."""
    came = [event.t for event in events if isinstance(event, Frame) and event.t is not None]
    gaps = sorted(abs(after - before) for before, after in pairwise(came))
    if not gaps or gaps[len(gaps) // 2] < _LONGEST_GAP_S:
        return events
    return [event if event.t is None else replace(event, t=round(event.t / 1000, 6)) for event in events]

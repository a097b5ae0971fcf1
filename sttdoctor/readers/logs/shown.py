"""What the log of a program has shown of one connection, and what of it is the service's conversation.

Each line is kept with its look. Which looks are those of the service's socket is told only when the log is at its end:
an event that is shown again is left out, and so are commands, sizes and closes of other sockets. Where that stays
unclear, the evidence is lacking.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sttdoctor.endpoints.cartesia import AUTO, CLOSE_WORDS, MANUAL
from sttdoctor.evidence import Close, Event, Frame
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs import parties
from sttdoctor.readers.logs.connection import LogConnection
from sttdoctor.readers.logs.copies import Told, are_doubled, first_shown
from sttdoctor.values import immutable

_HALF_DAY = re.compile(r"(?:^|\s)[AaPp]\.?[Mm]\b")
_PADDED = re.compile(r"\s{0,20}\d+")
_DIGITS = re.compile(r"\d+")
_MOST_LOOKS, _MOST_NUMBERS = 20, 8
_MOST_CLOSES = 1000
_LEAST_SENDS = 8
_SLOWEST = 0.2
"""Audio that lines show at less than this part of realtime: they are some of the sends."""
_LEAST_BYTES_PER_S = 8000.0
_FITTING = (0.85, 1.15)
"""Audio at such a part of realtime is what the service was sent, where several lines may tell it."""
_STILL_SENT_S, _EARLY_S, _MOST_EARLY = 5.0, 10.0, 1000
_MOSTLY, _USUAL = 3, 5
"""So many events with a time for one without, or whole for one as a word, or in lines of one look, show how they are
printed here."""
_LATE_S = 1.0
"""Events this long after a close were received before it and are printed late."""
_GOES_ON_S = 3.0
"""Where events come and audio is sent this long after a command that ends the session, it went elsewhere."""
_LONGEST_GAP_S = 30.0
"""Times whose usual gap is longer are milliseconds."""


@dataclass(slots=True)
class _Sends:
    """Lines of one look that say how many bytes were sent.

    Attributes:
        text: One of them.
        places: Of the frames among the events of the connection.
        again: Places of those whose line is the one before it once more.
        size: Bytes in all.
        steps: By how much each number in the line grew every time, None where it did not.
        grows: Each size is larger than the one before, so they are sums.
        since: The time of the first, None without.
    """

    text: str
    places: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    size: int = 0
    steps: list[int | None] = field(default_factory=list)
    grows: bool = True
    since: float | None = None
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
        self.since = t if self.since is None else self.since

    @property
    def is_each(self) -> bool:
        """Whether each line can tell of what it sent, and none is left out between."""
        skips = any(step is not None and step > 1 for step in self.steps)
        return len(self.places) >= _LEAST_SENDS and not self.grows and not skips


@immutable
class _Seen:
    """An event of the service in a line, as an object or a word; its place is that among the connection's events."""

    place: int
    kind: str
    look: str
    is_listed: bool
    is_again: bool
    says_text: bool
    is_word: bool


@immutable
class _Command:
    """A message of the client's in a line; `words` is what stands round it."""

    place: int
    said: Any
    words: str


@immutable
class _Ended:
    """A line that tells the end of a connection; it comes before the event at its place."""

    place: int
    close: Close
    words: str


@dataclass(slots=True)
class Shown:
    """What a log has shown of one connection.

    Attributes:
        to: Takes what is found.
        points: How sure it is that the events are those of the service.
        request: The id that its events carry.
        kinds: Types of the events.
        objects: How many events were objects, not words of a line.
        raw: How many were objects with the id: messages that are printed whole.
        looks: Types of events that are words of a line, by what stands before them.
        address: What stands before the address, where the program says where it connects.
        is_begun: The program said that it connects, or the service that it did.
        is_closed: An end was shown.
        is_refused: The handshake was refused.
        is_proven: The events agree.
    """

    to: LogConnection
    points: float = 0.0
    request: str | None = None
    kinds: set[str] = field(default_factory=set)
    objects: int = 0
    raw: int = 0
    looks: dict[str, set[str]] = field(default_factory=dict)
    address: str = ""
    is_begun: bool = False
    is_closed: bool = False
    is_refused: bool = False
    is_proven: bool = False
    _seen: list[_Seen] = field(default_factory=list)
    _sends: dict[str, _Sends] = field(default_factory=dict)
    _commands: list[_Command] = field(default_factory=list)
    _ends: list[_Ended] = field(default_factory=list)

    @property
    def has_sent(self) -> bool:
        """Whether a line told of something that was sent."""
        return bool(self._sends)

    def forget_early(self, time: log_line.Time) -> None:
        """Forget what was sent long before the first event: another program's, or of another connection."""
        since = [sends.since for sends in self._sends.values() if sends.since is not None]
        is_early = any(time is not None and time[0] - began > _EARLY_S for began in since)
        is_early |= len(self.to.found.events) > _MOST_EARLY
        if not self.is_begun and is_early:
            self.to.found.events.clear()
            self._sends.clear()
            self._commands.clear()
            self._ends.clear()

    def event(
        self, kind: str, look: str, *, is_listed: bool, is_again: bool, says_text: bool, is_word: bool = False
    ) -> None:
        """Take in how an event was shown that was added as the last one."""
        self.kinds.add(kind)
        place = len(self.to.found.events) - 1
        self._seen.append(_Seen(place, kind, look, is_listed, is_again, says_text, is_word))

    def command(self, line: int, time: log_line.Time, said: Any, text: str, words: str) -> None:
        """Take a message of the client's in."""
        self._commands.append(_Command(len(self.to.found.events), said, words))
        self.to.text(line, time, True, text, len(text.encode()))

    def audio(
        self, line: int, time: log_line.Time, size: int, bare: str, is_again: bool, content: bytes | None = None
    ) -> None:
        """Take a line in that tells a size, or shows the bytes; `bare` is the line without its time and them."""
        look, numbers = _look_and_numbers(bare)
        if look not in self._sends and len(self._sends) >= _MOST_LOOKS:
            return
        sends = self._sends.setdefault(look, _Sends(bare))
        place = len(self.to.found.events)
        sends.add(place, numbers, size, None if time is None else time[0])
        if is_again:
            sends.again.append(place)
        self.to.binary(line, time, True, size, content)

    def end(self, line: int, time: log_line.Time, told: tuple[str, int, str], words: str) -> None:
        """Take a line in that tells the end of a connection, which may be another's."""
        self.is_closed = True
        if len(self._ends) < _MOST_CLOSES:
            close = self.to.told_close(line, time, *told)
            self._ends.append(_Ended(len(self.to.found.events), close, words))

    def finish(self, *, is_mixed: bool, guesses_unit: bool, has_others: bool) -> None:
        """Keep what is the service's conversation, and tell what the log has not shown.

        Args:
            is_mixed: Events of several connections stand among each other.
            guesses_unit: Times may be milliseconds.
            has_others: The log speaks of other sockets.
        """
        events = self.to.found.events
        if guesses_unit:
            events[:], self._ends = _in_seconds(events, self._ends)
        kept, best = self._first_shown()
        ours = parties.words_of(self.address).union(
            *(parties.words_of(look) for look in {item.look for item in kept if item.kind != "error"})
        )
        kept = [
            item for item in kept if item.kind != "error" or not parties.is_anothers(parties.words_of(item.look), ours)
        ]
        is_doubled = are_doubled([item.is_again for item in self._seen])
        talk = _Talk(events, [item.place for item in kept], ours, has_others)
        sends, again = self._sent(talk, is_mixed, is_doubled)
        commands = {item.place for item in talk.commands(self._commands, sends)}
        close = None if is_mixed else talk.close(self._ends, sorted(commands))
        told = {item.place for item in self._seen} | {item.place for item in self._commands}
        told.update(place for item in self._sends.values() for place in item.places)
        self._rebuild(best, told - {item.place for item in kept} - (sends - again) - commands, close)
        self.to.lacks = {"headers"}
        self.to.lacks |= set() if sends else {"send", "audio"}
        self.to.lacks |= set() if commands else {"commands"}
        self.to.lacks |= set() if close is not None or self.is_refused else {"close"}
        self.to.lacks |= {"events"} if self._is_filtered(kept) else set()

    def _rebuild(self, best: dict[int, int], gone: set[int], close: _Ended | None) -> None:
        """Put together the events that stay, each as its best showing has it, and the close at its place."""
        events = self.to.found.events
        for old, new in best.items():
            if old != new:
                events[old] = replace(events[new], line=events[old].line, t=events[old].t)
        place = 0 if close is None else close.place - sum(item < close.place for item in gone)
        events[:] = [event for number, event in enumerate(events) if number not in gone]
        if close is not None:
            self.to.end_with(place, close.close)

    def _first_shown(self) -> tuple[list[_Seen], dict[int, int]]:
        """The events of the service's endpoint that are shown for the first time, and where their best showing is."""
        foreign, talk = self._foreign_kinds(), self._talk()
        seen = [item for item in self._seen if item.kind not in foreign and item.place not in talk]
        first = first_shown([self._told(item) for item in seen])
        return [seen[place] for place in first], {seen[old].place: seen[new].place for old, new in first.items()}

    def _talk(self) -> set[int]:
        """The places of words in sentences about events, as in a report that holds a log: that shows them otherwise."""
        events = self.to.found.events
        timed = sum(events[item.place].t is not None for item in self._seen)
        words = [item for item in self._seen if item.is_word and events[item.place].t is None]
        if timed:
            return {item.place for item in words} if timed >= _MOSTLY * len(words) else set()
        if len(words) < len(self._seen):
            return {item.place for item in words} if len(self._seen) > _MOSTLY * len(words) else set()
        looks = Counter(item.look for item in words)
        is_usual = max(looks.values(), default=0) >= _USUAL
        return {item.place for item in words if is_usual and looks[item.look] == 1}

    def _told(self, seen: _Seen) -> Told:
        frame = self.to.found.events[seen.place]
        assert isinstance(frame, Frame)
        message: Mapping[str, Any] = frame.message if isinstance(frame.message, dict) else {}
        text = None if frame.elided else message.get("text" if seen.kind == "transcript" else "transcript")
        if seen.kind == "error":
            text = str(message.get("message"))
        is_named = isinstance(message.get("request_id"), str)
        text = text if isinstance(text, str) else None
        return Told(seen.kind, text, seen.look, frame.t, is_named, seen.is_listed, seen.is_again)

    def _foreign_kinds(self) -> frozenset[str]:
        """Types of the endpoint that it is not: the program's own messages, or those of another service."""
        if self.to.is_at(MANUAL.path):
            return AUTO.turn_events if "transcript" in self.kinds else frozenset()
        return MANUAL.events if self.kinds & AUTO.turn_events else frozenset()

    def _sent(self, talk: "_Talk", is_mixed: bool, is_doubled: bool) -> tuple[set[int], set[int]]:
        """The places of the audio that was sent, and those of them that are shown twice; empty where it is unclear."""
        sends = None if is_mixed else talk.sends(list(self._sends.values()), self.to.bytes_per_s)
        if sends is None:
            return set(), set()
        again = set(sends.again) if is_doubled else set()
        if is_doubled and 2 * len(again) != len(sends.places):
            return set(), set()
        return set(sends.places), again

    def _is_filtered(self, kept: list[_Seen]) -> bool:
        """Whether events are left out that the service sends: only some kinds of them are printed."""
        kinds = {item.kind for item in kept}
        if not kinds & AUTO.turn_events:
            return False
        # the first turn has not ended: a program that prints whole messages, the first one too, prints its end
        starts = sum(item.kind == "turn.start" for item in kept)
        prints_all = self.raw > 1 and starts == 1 and "connected" in kinds
        lacks_ends = "turn.start" not in kinds or ("turn.end" not in kinds and not prints_all)
        says_text = any(item.kind == "turn.end" and item.says_text for item in kept)
        leaps = any(a.kind == "turn.eager_end" and b.kind == "turn.update" for a, b in pairwise(kept))
        return (
            lacks_ends
            or (says_text and "turn.update" not in kinds)
            or ("turn.resume" in kinds and "turn.eager_end" not in kinds)
            or leaps
        )


class _Talk:
    """The service's conversation, by which lines are told whose they are.

    Args:
        events: Of the connection.
        heard: Places of what was received, in order.
        ours: Words of the lines in which it stands.
        has_others: The log speaks of other sockets.
    """

    def __init__(self, events: list[Event], heard: list[int], ours: frozenset[str], has_others: bool) -> None:
        self._events = events
        self._heard = heard
        self._ours = ours
        self._has_others = has_others
        self._last_start = max(filter(self._is_start, heard), default=-1)

    def sends(self, sends: list[_Sends], bytes_per_s: float | None) -> _Sends | None:
        """Return the lines that tell what was sent to the service, None where none does or it is unclear."""
        whole = [item for item in sends if self._is_whole(item, bytes_per_s) and not self._goes_elsewhere(item.text)]
        clear = [item for item in whole if parties.may_be_ours(parties.words_of(item.text), self._ours)]
        if not clear and not self._has_others:
            clear = [item for item in whole if parties.says_sent(item.text)]
        if len(clear) == 1 and (not self._has_others or self._is_ours(clear[0].text)):
            return clear[0]
        return next((item for item in clear if self._fits(item, bytes_per_s)), None)

    def _is_whole(self, sends: _Sends, bytes_per_s: float | None) -> bool:
        """Whether lines can be all that was sent: none is left out between, and they go on to the last turn."""
        span = self._span(sends)
        if not sends.is_each or span is None:
            return sends.is_each
        last_s = None if self._last_start < 0 else self._events[self._last_start].t
        goes_on = last_s is None or last_s - span[1] < _STILL_SENT_S
        # a file that is sent at once holds what is heard later
        goes_on |= last_s is not None and bytes_per_s is not None and sends.size >= bytes_per_s * (last_s - span[0])
        return goes_on and sends.size >= _SLOWEST * (bytes_per_s or _LEAST_BYTES_PER_S) * (span[1] - span[0])

    def _fits(self, sends: _Sends, bytes_per_s: float | None) -> bool:
        """Whether lines tell of audio in realtime, as the URL declares it."""
        span = self._span(sends)
        if span is None or bytes_per_s is None or span[1] <= span[0]:
            return False
        return _FITTING[0] <= sends.size / (bytes_per_s * (span[1] - span[0])) <= _FITTING[1]

    def _span(self, sends: _Sends) -> tuple[float, float] | None:
        first, last = (self._events[sends.places[end]].t for end in (0, -1))
        return None if first is None or last is None else (first, last)

    def _is_start(self, place: int) -> bool:
        event = self._events[place]
        return isinstance(event, Frame) and event.type == "turn.start"

    def _goes_elsewhere(self, text: str) -> bool:
        words = parties.words_of(text)
        return parties.is_anothers(words, self._ours) or parties.goes_elsewhere(text, self._ours)

    def _is_ours(self, text: str) -> bool:
        return parties.is_ours(parties.words_of(text), self._ours)

    def commands(self, commands: list[_Command], sent: set[int]) -> Iterator[_Command]:
        """Yield the messages that went to the service."""
        ours = [item for item in commands if self._is_command(item)]
        last = max((item.place for item in ours if _closes(item.said)), default=-1)
        last_sent = max(sent, default=-1)
        for item in ours:
            if not _closes(item.said) or self._is_end(item.place, item.place == last, last_sent):
                yield item

    def _is_command(self, command: _Command) -> bool:
        words, said = parties.words_of(command.words), command.said
        if self._goes_elsewhere(command.words):
            return False
        if _closes(said) and isinstance(said, dict) and len(said) > 1:
            return False  # a message of the program's own
        named = said.get("type") if isinstance(said, dict) else said
        if not parties.may_be_ours(words, self._ours | parties.words_of(str(named))):
            return False
        is_known = named in AUTO.commands | MANUAL.commands
        return is_known or not self._has_others or "cartesia" in words

    def _is_end(self, place: int, is_last: bool, last_sent: int) -> bool:
        """Whether the conversation can end with the command at a place: it does not go on long after it."""
        t = self._events[place].t
        hears = bool(self._heard) and self._is_after(self._heard[-1], place, t)
        sends = last_sent >= 0 and self._is_after(last_sent, place, t)
        return not (hears and sends if is_last else hears or sends)

    def _is_after(self, after: int, place: int, t: float | None) -> bool:
        later = self._events[after].t
        return after > place and (t is None or later is None or later - t > _GOES_ON_S)

    def close(self, ends: list[_Ended], commands: list[int]) -> _Ended | None:
        """Return the line that tells how the connection ended: after it nothing of the conversation comes."""
        left = [item for item in ends if not parties.is_anothers(parties.words_of(item.words), self._ours)]
        left = [item for item in left if self._is_over(item, commands)]
        clear = [item for item in left if parties.may_be_ours(parties.words_of(item.words), self._ours)]
        if self._has_others and not clear:
            return None
        return next(iter(clear or left), None)

    def _is_over(self, end: _Ended, commands: list[int]) -> bool:
        """Whether nothing of the conversation comes after a line that tells its end."""
        if commands and commands[-1] >= end.place:
            return False
        if not self._heard or self._heard[-1] < end.place:
            return True
        last = self._events[self._heard[-1]].t
        if end.close.t is None or last is None:
            return self._last_start < end.place
        return last - end.close.t <= _LATE_S


def look_of(text: str) -> str:
    """How a line looks, whatever numbers stand in it and however they are padded."""
    return " ".join(_PADDED.sub("0", _HALF_DAY.sub(" ", text)).split())


@lru_cache(maxsize=1024)
def _look_and_numbers(bare: str) -> tuple[str, tuple[int, ...]]:
    return look_of(bare), tuple(int(digits[:12]) for digits in _DIGITS.findall(bare)[:_MOST_NUMBERS])


def _closes(said: Any) -> bool:
    return (said.get("type") if isinstance(said, dict) else said) in CLOSE_WORDS


def _in_seconds(events: list[Event], ends: list[_Ended]) -> tuple[list[Event], list[_Ended]]:
    """Times that can only be milliseconds since the program began, as seconds."""
    came = [event.t for event in events if isinstance(event, Frame) and event.t is not None]
    gaps = sorted(abs(after - before) for before, after in pairwise(came))
    if not gaps or gaps[len(gaps) // 2] < _LONGEST_GAP_S:
        return events, ends
    closes = [replace(item, close=replace(item.close, t=_less(item.close.t))) for item in ends]
    return [replace(event, t=_less(event.t)) for event in events], closes


def _less(t: float | None) -> float | None:
    return None if t is None else round(t / 1000, 6)

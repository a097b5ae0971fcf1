"""Lines of the `websockets` library and of the Cartesia SDK, apart or in one log.

A `websockets` log holds the handshake, each frame with its size, and the close; content is elided in the middle unless
WEBSOCKETS_MAX_LOG_SIZE was raised. An SDK log (CARTESIA_LOG=debug) holds the URL and every received message in full,
but nothing that was sent. Where both stand in one file, the messages of the SDK replace the elided ones.
Sources: https://websockets.readthedocs.io/en/stable/topics/logging.html and
https://github.com/cartesia-ai/cartesia-python/blob/main/src/cartesia/_utils/_logs.py
"""

import re
from functools import lru_cache

from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs import marks as log_marks
from sttdoctor.readers.logs.base import Log
from sttdoctor.readers.logs.connection import LogConnection
from sttdoctor.readers.logs.line import (
    CLOCK,
    DATED,
    USUAL_PREFIX,
    Stamp,
    logger_of,
    stamp_of_match,
    time_of,
    without_time,
)
from sttdoctor.readers.sockets import Wanted
from sttdoctor.values import immutable

_FRAME = rb"([<>]) (TEXT|BINARY|PING|PONG) ([^\x1b]*) \[(\d{1,12}) bytes?\]\r?"


@immutable
class Shape:
    """How the lines of one logger look.

    Attributes:
        pattern: Matches a whole line; its groups are the time without its fraction, the digits of the fraction, and
            of the frame its mark, opcode, content and size.
        logger: As `log_line.logger_of` names it.
        per_second: How many of the last digit of a time make a second.
        resolution: Seconds that the last digit of a time stands for.
    """

    pattern: re.Pattern[bytes]
    logger: tuple[str, str]
    per_second: int
    resolution: float


def shape_of(prefix: str) -> Shape | None:
    """Return the shape of the lines with this prefix, which ends where the frame's mark begins.

    None where it has no time with a fraction, where wrong bytes or colours were taken out of it, or where it is longer
    than usual.
    """
    if len(prefix) > USUAL_PREFIX:
        return None
    time = time_of(prefix)
    fraction = time.group(time.re.groups) if time is not None else None
    if time is None or fraction is None or not prefix.isascii():
        return None
    clock = prefix[time.start() : time.end() - len(fraction) - 1]
    mark = prefix[time.end() - len(fraction) - 1]
    parts = (
        re.escape(prefix[: time.start()]),
        rf"(.{{{len(clock)}}}){re.escape(mark)}",
        rf"(\d{{{len(fraction)}}})",
        re.escape(prefix[time.end() :]),
    )
    pattern = re.compile("".join(parts).encode("ascii") + _FRAME)
    return Shape(pattern, logger_of(without_time(prefix)), 10 ** len(fraction), 10.0 ** -len(fraction))


@lru_cache(maxsize=256)
def stamp_of_clock(clock: bytes) -> Stamp | None:
    """Return the time of whole seconds that stands where a shape has it; None where it is none."""
    text = clock.decode("ascii", errors="replace")
    found = DATED.fullmatch(text) or CLOCK.fullmatch(text)
    return stamp_of_match(found) if found is not None else None


_MAX_SHAPES = 4  # each costs a try on every line that none before it fits
_MARKS = re.compile(log_marks.LIBRARY % b"")
_MARKS_IN_HEAD = re.compile(log_marks.LIBRARY % rb"|[A-Za-z0-9!#$%&'*+.^_`|~-]+: ")


class LibraryLog(Log):
    """Follows the connections that the library and the SDK tell of."""

    label = "websockets at DEBUG, the Cartesia SDK with CARTESIA_LOG=debug"

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self.marks = _MARKS
        self._current: dict[tuple[str, str], LogConnection] = {}
        self._client: LogConnection | None = None  # the one that was opened last
        self._in_head: set[LogConnection] = set()  # whose handshake is not complete
        self._announced: tuple[log_line.Time, str] | None = None  # by the SDK: time, URL
        self._again = False
        self._shapes: dict[str, Shape | None] = {}  # by prefix without its time
        self._tail: re.Pattern[str] | None = None  # of lines with words behind the message

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a line is one that either wrote."""
        if log_line.frame_of(text) is not None or log_line.sdk_message_of(text) is not None:
            return True
        return any(pattern.search(text) for pattern in (log_line.REQUEST, log_line.STATE, log_line.SDK_CONNECT))

    def _add(self, line: int, content: bytes) -> None:
        if not self._add_alike(line, content):
            self._add_text(line, log_line.plain(content))
            self.marks = _MARKS_IN_HEAD if self._in_head else _MARKS

    def _add_alike(self, line: int, content: bytes) -> bool:
        """Take a frame in whose line is like one before it: what `_add_text` does, in one step; False where none is."""
        for shape in self._shapes.values():
            if shape is None or (found := shape.pattern.fullmatch(content)) is None:
                continue
            clock, fraction, mark, opcode, shown, size = found.groups()
            stamp = stamp_of_clock(clock)
            connection = self._current.get(shape.logger)
            if stamp is None or connection is None:
                return False
            seconds = stamp.seconds + int(fraction) / shape.per_second
            time = (self._on(seconds) if stamp.of_day else seconds), shape.resolution
            if opcode == b"BINARY" and b"..." in shown:
                connection.cut_frame(line, time, mark.decode(), int(size))
            else:
                text = shown.decode("utf-8", errors="replace")
                connection.frame(line, time, mark.decode(), opcode.decode(), text, None, int(size), False)
            if self._in_head:
                self._in_head.discard(connection)
                self.marks = _MARKS_IN_HEAD if self._in_head else _MARKS
            return True
        return False

    def _learn(self, prefix: str) -> None:
        bare = log_line.without_time(prefix)
        if bare not in self._shapes and len(self._shapes) < _MAX_SHAPES:
            self._shapes[bare] = shape_of(prefix)

    def _add_text(self, line: int, text: str) -> None:
        if (frame := log_line.frame_of(text)) is not None:
            connection = self._of(frame.prefix)
            parts = (frame.mark, frame.opcode, frame.content, frame.coding, int(frame.size), frame.continued)
            connection.frame(line, self._time(frame.prefix), *parts)
            self._in_head.discard(connection)
            self._learn(text[: frame.begin])
        elif (message := log_line.sdk_message_of(text)) is not None:
            self._sdk().sdk_message(line, self._time(message[0]), log_line.literal(message[1]))
        elif (found := log_line.REQUEST.search(text)) is not None:
            self._tail = log_line.tail_of(text[found.end() :])
            self._begin(log_line.prefix_of(found), found[1], found[2])
        elif not self._add_answer(line, text):
            self._add_sdk(line, text)

    def _add_answer(self, line: int, text: str) -> bool:
        """Take a line in that tells more of a handshake or of the state; False where it is none."""
        for pattern in (log_line.RESPONSE, log_line.STATE, *((log_line.HEADER,) if self._in_head else ())):
            if (found := pattern.search(text)) is None:
                continue
            prefix = log_line.prefix_of(found)
            current = self._current.get(_logger(prefix))
            if current is None:
                return True
            if pattern is log_line.RESPONSE:
                current.answer(line, self._time(prefix), int(found[2]))
                self._in_head.add(current)
            elif pattern is log_line.STATE:
                current.state(line, self._time(prefix), found[1])
                self._in_head.discard(current)
            else:
                current.header(line, found[2], log_line.without_tail(text[found.end() :], self._tail))
            return True
        return False

    def _add_sdk(self, line: int, text: str) -> None:
        if (found := log_line.SDK_CONNECT.search(text)) is not None:
            self._announced = self._time(log_line.prefix_of(found)), found[1]
        elif log_line.SDK_AGAIN.search(text):
            self._again = True
        elif (found := log_line.REFUSED.search(text)) is not None and self._announced is not None:
            self._sdk().refused(line, int(found[1]))

    def _begin(self, prefix: str, mark: str, path: str) -> None:
        """A handshake: a new connection, or the next one of the same client where the SDK says so."""
        side = "client" if mark == ">" else "server"
        key = _logger(prefix)
        before = self._current.get(key)
        time = self._time(prefix)
        if before is not None and self._again and side == "client":
            before.again()
            self._in_head.discard(before)
            self._again, self._announced = False, None
            return
        url = self._announced[1] if self._announced and side == "client" else None
        self._announced = None
        connection = self._new(side, time, path, url)
        if before is not None and before.is_open:
            before.mixed = connection.mixed = True
        self._current[key] = connection
        self._in_head.add(connection)

    def _new(
        self, side: str, time: log_line.Time, path: str | None, url: str | None, only_sdk: bool = False
    ) -> LogConnection:
        found = self._collector(len(path or "") + len(url or ""))
        connection = LogConnection(side, time, path, url, found, only_sdk)
        self.connections.append(connection)
        if side == "client":
            self._client = connection
        return connection

    def _of(self, prefix: str) -> LogConnection:
        """The connection that a line belongs to; a log that begins later has one without a handshake."""
        key = _logger(prefix)
        if key not in self._current:
            self._current[key] = self._new(key[0] or "client", self._time(prefix), None, None)
        return self._current[key]

    def _sdk(self) -> LogConnection:
        """The connection of the SDK's next message: the client's that was opened last."""
        last = self._client
        if self._announced is None and last is not None:
            return last
        time, url = self._announced or (None, None)
        self._announced = None
        if self._again and last is not None and last.only_sdk:
            self._again = False
            last.sdk_again()
            return last
        return self._new("client", time, None, url, only_sdk=True)


def _logger(prefix: str) -> tuple[str, str]:
    return log_line.logger_of(log_line.without_time(prefix))

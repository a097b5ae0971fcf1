"""Debug logs of the `websockets` library and of the Cartesia SDK, apart or in one file.

A `websockets` log holds the handshake, each frame with its size, and the close; content is elided in the middle unless
WEBSOCKETS_MAX_LOG_SIZE was raised. An SDK log (CARTESIA_LOG=debug) holds the URL and every received message in full,
but nothing that was sent. Where both stand in one file, the messages of the SDK replace the elided ones.
Sources: https://websockets.readthedocs.io/en/stable/topics/logging.html and
https://github.com/cartesia-ai/cartesia-python/blob/main/src/cartesia/_utils/_logs.py
"""

import gzip
import zlib
from io import BufferedIOBase

from sttdoctor.errors import InputError
from sttdoctor.evidence import Session
from sttdoctor.readers import log_line
from sttdoctor.readers.collector import FullError
from sttdoctor.readers.log_connection import LogConnection
from sttdoctor.readers.log_shape import Shape, shape_of, stamp_of_clock
from sttdoctor.readers.sockets import choose
from sttdoctor.readers.stream import numbered_lines

UNKNOWN_FORMAT = (
    "is not a session capture (session JSONL, a HAR, or a debug log of the websockets library or the Cartesia SDK; log "
    "at level DEBUG, or set CARTESIA_LOG=debug); sttdoctor check reads audio"
)
_HALF_DAY_S = 43_200.0
_MARKS = (log_line.FRAME, log_line.REQUEST, log_line.STATE, log_line.SDK_CONNECT, log_line.SDK_MESSAGE)
_MAX_SHAPES = 4  # each costs a try on every line that none before it fits


def read_log(stream: BufferedIOBase, path: str | None = None, connection: int | None = None) -> Session:
    """Read one connection of a log.

    Args:
        stream: Binary, unpacked.
        path: Where it came from.
        connection: Which connection, from 1; None where there is one that can be meant.

    Raises:
        InputError: No line of a known library, or several connections without a choice.
        OSError: The file cannot be read.
    """
    log = _Log()
    name = path or "the capture"
    try:
        for number, line in numbered_lines(stream):
            log.last_line = number
            if line is None:
                log.damage = log.damage or (number, "a line that is too long")
            elif b"> " in line or b"< " in line:
                if not log.add_alike(number, line):
                    log.add(number, log_line.plain(line))
            elif b"= connection is " in line or b"WebSocket" in line or b"Connecting to ws" in line:
                log.add(number, log_line.plain(line))
    except FullError as error:
        log.damage = log.last_line + 1, str(error)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        log.damage = log.last_line + 1, f"the gzip stream is damaged: {error}"
    if log.last_line == 0:
        raise InputError(f"{name} is empty" if log.damage is None else f"{name} is not a readable capture")
    if not log.connections:
        raise InputError(f"{name} {UNKNOWN_FORMAT}")
    return choose([item.socket(path, log.damage) for item in log.connections], connection, name)


def holds_log(head: bytes) -> bool:
    """Whether a line of the first bytes of a capture (unpacked) is one that a library wrote."""
    return any(pattern.search(line) for line in map(log_line.plain, head.splitlines()) for pattern in _MARKS)


class _Log:
    """Follows the connections of a log line by line."""

    def __init__(self) -> None:
        self.connections: list[LogConnection] = []
        self.damage: tuple[int, str] | None = None
        self.last_line = 0
        self._current: dict[tuple[str, str], LogConnection] = {}
        self._announced: tuple[log_line.Time, str] | None = None  # by the SDK: time, URL
        self._again = False
        self._day_s = 0.0
        self._last_s: float | None = None
        self._shapes: dict[str, Shape | None] = {}  # by prefix without its time

    def add_alike(self, line: int, content: bytes) -> bool:
        """Take a frame in whose line is like one before it: what `add` does, in one step; False where none is."""
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
            text = "..." if b"..." in shown and opcode == b"BINARY" else shown.decode("utf-8", errors="replace")
            connection.frame(line, time, mark.decode(), opcode.decode(), text, None, size, None)
            return True
        return False

    def _learn(self, prefix: str) -> None:
        bare = log_line.without_time(prefix)
        if bare not in self._shapes and len(self._shapes) < _MAX_SHAPES:
            self._shapes[bare] = shape_of(prefix)

    def add(self, line: int, text: str) -> None:
        """Take a line in."""
        if (found := log_line.FRAME.search(text)) is not None:
            prefix = text[: found.start()]
            self._of(prefix).frame(line, self._time(prefix), *found.groups())
            self._learn(text[: found.start(1)])
        elif (found := log_line.SDK_MESSAGE.search(text)) is not None:
            self._sdk().sdk_message(line, self._time(text[: found.start()]), log_line.literal(found[1]))
        elif (found := log_line.REQUEST.search(text)) is not None:
            self._begin(text[: found.start()], found[1], found[2])
        elif (found := log_line.RESPONSE.search(text)) is not None:
            current = self._current.get(_logger(text[: found.start()]))
            if current is not None:
                current.answer(line, self._time(text[: found.start()]), int(found[2]))
        elif (found := log_line.STATE.search(text)) is not None:
            current = self._current.get(_logger(text[: found.start()]))
            if current is not None:
                current.state(line, self._time(text[: found.start()]), found[1])
        elif (found := log_line.HEADER.search(text)) is not None:
            current = self._current.get(_logger(text[: found.start()]))
            if current is not None:
                current.header(found[2], found[3])
        else:
            self._add_sdk(line, text)

    def _add_sdk(self, line: int, text: str) -> None:
        if (found := log_line.SDK_CONNECT.search(text)) is not None:
            self._announced = self._time(text[: found.start()]), found[1]
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
            self._again, self._announced = False, None
            return
        url = self._announced[1] if self._announced and side == "client" else None
        self._announced = None
        connection = LogConnection(side, time, path, url, self._held())
        if before is not None and before.is_open:
            before.mixed = connection.mixed = True
        self._current[key] = connection
        self.connections.append(connection)

    def _of(self, prefix: str) -> LogConnection:
        """The connection that a line belongs to; a log that begins later has one without a handshake."""
        key = _logger(prefix)
        if key not in self._current:
            side = key[0] or "client"
            self._current[key] = LogConnection(side, self._time(prefix), None, None, self._held())
            self.connections.append(self._current[key])
        return self._current[key]

    def _sdk(self) -> LogConnection:
        """The connection of the SDK's next message: the client's that was opened last."""
        clients = [item for item in self.connections if item.side == "client"]
        if self._announced is None and clients:
            return clients[-1]
        time, url = self._announced or (None, None)
        self._announced = None
        if self._again and clients and clients[-1].only_sdk:
            self._again = False
            clients[-1].sdk_again()
            return clients[-1]
        connection = LogConnection("client", time, None, url, self._held(), only_sdk=True)
        self.connections.append(connection)
        return connection

    def _held(self) -> int:
        return sum(item.found.held for item in self.connections)

    def _time(self, prefix: str) -> log_line.Time:
        """(seconds, resolution) of a line; a time of day goes on past midnight."""
        stamp = log_line.stamp_of(prefix)
        if stamp is None:
            return None
        return (self._on(stamp.seconds) if stamp.of_day else stamp.seconds), stamp.resolution

    def _on(self, seconds: float) -> float:
        """Return a time of day on the log's own clock, which goes on past midnight."""
        seconds += self._day_s
        if self._last_s is not None and self._last_s - seconds > _HALF_DAY_S:
            self._day_s += 2 * _HALF_DAY_S
            seconds += 2 * _HALF_DAY_S
        self._last_s = seconds
        return seconds


def _logger(prefix: str) -> tuple[str, str]:
    return log_line.logger_of(log_line.without_time(prefix))

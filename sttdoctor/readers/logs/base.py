"""A log of any library, line by line: its connections, its clock, its bounds."""

import re
from collections.abc import Sequence
from typing import ClassVar

from sttdoctor.readers.collector import CONNECTION_BYTES, UNREAD, Budget, Collector, FullError, Loss
from sttdoctor.readers.logs import line as log_line
from sttdoctor.readers.logs.connection import LogConnection
from sttdoctor.readers.sockets import Wanted, is_wanted

MAX_LINES = 700_000
"""With a mark: more than frames that can be held."""

_HALF_DAY_S = 43_200.0


class Log:
    """Follows the connections of a log line by line.

    Args:
        wanted: Number of the connection that is asked for, from 1; None for all.

    Attributes:
        label: Whose log it is and what makes one, in words.
        connections: In their order.
        marks: What to look for in the next line.
        loss: Why the log was not read to its end, None where it was.
        long_line: The first line that was too long.
        last_line: Number of the last line with a mark.
    """

    label: ClassVar[str]
    marks: re.Pattern[bytes]

    def __init__(self, wanted: Wanted) -> None:
        self.connections: list[LogConnection] = []
        self.loss: Loss | None = None
        self.long_line: Loss | None = None
        self.last_line = 0
        self._wanted = wanted
        self._budget = Budget()
        self._lines = 0
        self._day_s = 0.0
        self._last_s: float | None = None

    @staticmethod
    def knows(text: str) -> bool:
        """Whether a line, as `log_line.plain` gives it, is one that its library wrote."""
        raise NotImplementedError

    @classmethod
    def holds(cls, texts: Sequence[str]) -> bool:
        """Whether lines, as `log_line.plain` gives them, are those of its library, or some of them are."""
        return any(map(cls.knows, texts))

    def end(self) -> None:
        """Take in that there are no more lines."""

    def take(self, line: int, content: bytes | None) -> None:
        """Take a line with a mark in; None stands for one that is too long.

        Raises:
            FullError: Nothing more can be held.
        """
        self.last_line = line
        self._lines += 1
        if self._lines > MAX_LINES:
            raise FullError(f"more than {MAX_LINES} lines of a library; {UNREAD}")
        if content is None:
            self.long_line = self.long_line or Loss(line, "a line that is too long", is_end=False)
        else:
            self._add(line, content)

    def _add(self, line: int, content: bytes) -> None:
        raise NotImplementedError

    def _collector(self, length: int) -> Collector:
        """The place of one more connection.

        Args:
            length: Characters of what is known of it.

        Raises:
            FullError: Nothing more can be held.
        """
        self._budget.take(CONNECTION_BYTES + length)
        return Collector(self._budget, is_wanted(self._wanted, len(self.connections) + 1))

    def _time(self, prefix: str) -> log_line.Time:
        """(seconds, resolution) of a line, None without a time."""
        stamp = log_line.stamp_of(prefix)
        return None if stamp is None else self._moment(stamp)

    def _moment(self, stamp: log_line.Stamp) -> tuple[float, float]:
        """(seconds, resolution) of a time that a line has; a time of day goes on past midnight."""
        return (self._on(stamp.seconds) if stamp.of_day else stamp.seconds), stamp.resolution

    def _on(self, seconds: float) -> float:
        """Return a time of day on the log's own clock, which goes on past midnight."""
        seconds += self._day_s
        if self._last_s is not None and self._last_s - seconds > _HALF_DAY_S:
            self._day_s += 2 * _HALF_DAY_S
            seconds += 2 * _HALF_DAY_S
        self._last_s = seconds
        return seconds

"""The shape of a log's lines: beside the digits of its time a prefix is the same on line after line.

Once the prefix of a frame was understood, one regular expression takes the next line apart, time and all.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

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

_FRAME = rb"([<>]) (TEXT|BINARY|PING|PONG) ([^\x1b]*) \[(\d{1,12}) bytes?\]\r?"


@dataclass(frozen=True, slots=True)
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

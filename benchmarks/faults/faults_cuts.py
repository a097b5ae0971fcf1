"""What a capture may be without: each function takes one part of the evidence out of the rows of a whole session.

A fault of which only half is captured has to be told right or not at all; a healthy session stays healthy.
"""

import math
from collections.abc import Callable

from faults_recipe import Row

Cut = Callable[[list[Row]], list[Row]]
CUTS: dict[str, Cut] = {}
CLOCK_S = 1.0


def cut(take: Cut) -> Cut:
    """Register a cut under its name."""
    CUTS[take.__name__.replace("_", "-")] = take
    return take


def _told(rows: list[Row], **keys: object) -> list[Row]:
    return [{**rows[0], **keys}, *rows[1:]]


def _without(rows: list[Row], *kinds: str) -> list[Row]:
    return [row for row in rows if row["type"] not in kinds]


@cut
def audio(rows: list[Row]) -> list[Row]:
    """Only the length of each binary frame was kept."""
    made = []
    for row in rows:
        row = dict(row)
        if "audio" in row:
            data = row.pop("audio")
            row["bytes"] = len(data) * 3 // 4 - data.count("=", -2)
        made.append(row)
    return _told(made, lacks=["audio"])


@cut
def times(rows: list[Row]) -> list[Row]:
    """The order is known, and no time."""
    return _told([{key: value for key, value in row.items() if key != "t"} for row in rows], clock="none")


@cut
def exact_times(rows: list[Row]) -> list[Row]:
    """Times in whole seconds, as many logs print them, and nothing that says so."""
    return [{**row, "t": float(math.floor(row["t"]))} if "t" in row else row for row in rows]


@cut
def sent(rows: list[Row]) -> list[Row]:
    """Only what came was captured, and the capture says so."""
    return _told(_without(rows, "send"), lacks=["send"])


@cut
def sent_untold(rows: list[Row]) -> list[Row]:
    """Only what came was captured, and nothing says so."""
    return _without(rows, "send")


@cut
def received(rows: list[Row]) -> list[Row]:
    """Only what was sent was captured, and the capture says so."""
    return _told(_without(rows, "receive"), lacks=["receive"])


@cut
def received_untold(rows: list[Row]) -> list[Row]:
    """Only what was sent was captured, and nothing says so."""
    return _without(rows, "receive")


@cut
def messages_sent(rows: list[Row]) -> list[Row]:
    """Of what was sent only the audio was captured: no close command, no config; nothing says so."""
    return [row for row in rows if row["type"] != "send" or "audio" in row or "bytes" in row]


@cut
def address(rows: list[Row]) -> list[Row]:
    """Neither URL nor headers: nothing is declared."""
    return [{key: value for key, value in rows[0].items() if key not in ("url", "headers", "client")}, *rows[1:]]


@cut
def text(rows: list[Row]) -> list[Row]:
    """The text that the application ended up with is not there."""
    return _without(rows, "transcript")


@cut
def close(rows: list[Row]) -> list[Row]:
    """How the socket closed was not captured."""
    return _without(rows, "close")


@cut
def beginning(rows: list[Row]) -> list[Row]:
    """The first third is missing: handshake, first turn."""
    at = max((row.get("t", 0.0) for row in rows), default=0.0) / 3
    return [row for row in rows if row["type"] in ("session", "transcript") or row.get("t", 0.0) >= at]


@cut
def end(rows: list[Row]) -> list[Row]:
    """The last third is missing."""
    at = max((row.get("t", 0.0) for row in rows), default=0.0) * 2 / 3
    return [row for row in rows if row["type"] == "session" or row.get("t", 0.0) < at]

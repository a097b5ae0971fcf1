"""The sockets of one capture, and which of them is meant."""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from sttdoctor.errors import InputError
from sttdoctor.evidence import Session
from sttdoctor.readers.collector import Collector, Loss
from sttdoctor.redact import redact_text
from sttdoctor.values import immutable

Wanted = int | Literal["all"] | None
"""Which connection of a capture: its number from 1, all of one client, or None for the one that can be meant."""

_CARTESIA = re.compile(r"://[^/?#]*cartesia\.ai\b|/stt/(?:turns/)?websocket\b|[?&]cartesia_version=", re.IGNORECASE)
_LISTED = 20
_LONGEST_URL = 120


@immutable
class Socket:
    """One connection of a capture.

    Attributes:
        url: Of it, secrets and all; None where the capture does not tell.
        found: What was collected of it.
        session: Makes the session of it.
        note: Why it cannot be judged although it is there, None where it can.
        who: The address of the client, None where the capture does not tell.
    """

    url: str | None
    found: Collector
    session: Callable[[], Session]
    note: str | None = None
    who: str | None = None

    @property
    def is_cartesia(self) -> bool:
        """Whether its URL is the service's, or names a path or parameter of its."""
        return is_service(self.url or "")


def is_service(url: str) -> bool:
    """Whether a URL is the service's, or names a path or parameter of its."""
    return _CARTESIA.search(url) is not None


def is_wanted(connection: Wanted, number: int) -> bool:
    """Whether the connection with a number, from 1, is asked for."""
    return connection in (None, "all", number)


def and_more(loss: Loss | None) -> str:
    """Return the end of a sentence that says where more may stand; empty where all was read."""
    return "" if loss is None else f"; more may stand {loss}"


def choose(sockets: Sequence[Socket], connection: Wanted, name: str, loss: Loss | None, nothing: str = "") -> Session:
    """Return the session of the socket that is meant, or of several that are one client's.

    Args:
        sockets: In the order of the capture.
        connection: Which one; None leaves the choice to the capture.
        name: Of the capture, for an error.
        loss: What of the capture could not be read, None where all was: further sockets may stand there.
        nothing: What a capture without sockets is, or what to do about it; not needed where there always is one.

    Raises:
        InputError: There is no such socket, there are several and no choice was made (they are listed), they are not
            one client's although all are asked for, or the socket cannot be judged.
    """
    if not sockets and nothing:
        raise InputError(f"{name}: {nothing}{and_more(loss)}")
    if isinstance(connection, int):
        if not 1 <= connection <= len(sockets):
            raise InputError(f"{name} has no connection {connection}; {_listing(sockets, loss)}")
        return _usable(sockets[connection - 1], name)
    meant = [socket for socket in sockets if socket.is_cartesia] or list(sockets)
    if len(meant) == 1:
        return _usable(meant[0], name)
    why = ""
    if loss is None or connection == "all":
        from sttdoctor.readers.joining import MAX_JOINED, ApartError, Part, join

        parts = [Part(socket.session(), socket.who) for socket in meant[: MAX_JOINED + 1] if socket.note is None]
        if meant and not parts:
            return _usable(meant[0], name)  # none can be judged: the first says why
        try:
            return join(parts, is_told=connection == "all")
        except ApartError as error:
            why = f", which are not one session: {error}" if connection == "all" else ""
    many = f"{'at least ' if loss else ''}{len(meant)}"
    raise InputError(f"{name} holds {many} connections{why}; choose with --connection N: {_listing(sockets, loss)}")


def _usable(socket: Socket, name: str) -> Session:
    if socket.note is not None:
        raise InputError(f"{name}: {socket.note}")
    return socket.session()


def _listing(sockets: Sequence[Socket], loss: Loss | None) -> str:
    listed = [f"{number}: {_summary(socket)}" for number, socket in enumerate(sockets[:_LISTED], start=1)]
    more = [f"and {len(sockets) - _LISTED} more"] if len(sockets) > _LISTED else []
    return "; ".join(listed + more) + and_more(loss)


def _summary(socket: Socket) -> str:
    messages, seconds = socket.found.extent
    length = "" if seconds is None else f", {seconds:.1f} s"
    url = redact_text(socket.url or "unknown URL")
    shown = url if len(url) <= _LONGEST_URL else f"{url[: _LONGEST_URL - 3]}..."
    return f"{shown} ({messages} messages{length})"

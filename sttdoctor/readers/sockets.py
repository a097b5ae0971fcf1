"""The sockets of one capture, and which of them is meant."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sttdoctor.errors import InputError
from sttdoctor.evidence import Session
from sttdoctor.readers.collector import Collector, Loss
from sttdoctor.redact import redact_text

_CARTESIA = re.compile(r"://[^/?#]*cartesia\.ai\b|/stt/(?:turns/)?websocket\b|[?&]cartesia_version=", re.IGNORECASE)
_LISTED = 20
_LONGEST_URL = 120


@dataclass(frozen=True, slots=True)
class Socket:
    """One connection of a capture.

    Attributes:
        url: Of it, secrets and all; None where the capture does not tell.
        found: What was collected of it.
        session: Makes the session of it.
        note: Why it cannot be judged although it is there, None where it can.
    """

    url: str | None
    found: Collector
    session: Callable[[], Session]
    note: str | None = None

    @property
    def is_cartesia(self) -> bool:
        """Whether its URL is the service's, or names a path or parameter of its."""
        return bool(_CARTESIA.search(self.url or ""))


def choose(sockets: Sequence[Socket], connection: int | None, name: str, loss: Loss | None) -> Session:
    """Return the session of the socket that is meant.

    Args:
        sockets: In the order of the capture.
        connection: Number of the socket, from 1; None leaves the choice to the capture.
        name: Of the capture, for an error.
        loss: What of the capture could not be read, None where all was: further sockets may stand there.

    Raises:
        InputError: There is no such socket, there are several and no choice was made (they are listed), or the
            socket cannot be judged.
    """
    if connection is not None:
        if not 1 <= connection <= len(sockets):
            raise InputError(f"{name} has no connection {connection}; {_listing(sockets, loss)}")
        return _usable(sockets[connection - 1], name)
    meant = [socket for socket in sockets if socket.is_cartesia] or list(sockets)
    if len(meant) == 1:
        return _usable(meant[0], name)
    many = f"{'at least ' if loss else ''}{len(meant)}"
    raise InputError(f"{name} holds {many} connections; choose with --connection N: {_listing(sockets, loss)}")


def _usable(socket: Socket, name: str) -> Session:
    if socket.note is not None:
        raise InputError(f"{name}: {socket.note}")
    return socket.session()


def _listing(sockets: Sequence[Socket], loss: Loss | None) -> str:
    listed = [f"{number}: {_summary(socket)}" for number, socket in enumerate(sockets[:_LISTED], start=1)]
    more = [f"and {len(sockets) - _LISTED} more"] if len(sockets) > _LISTED else []
    return "; ".join(listed + more + ([f"more may stand {loss}"] if loss else []))


def _summary(socket: Socket) -> str:
    messages, seconds = socket.found.extent
    length = "" if seconds is None else f", {seconds:.1f} s"
    url = redact_text(socket.url or "unknown URL")
    shown = url if len(url) <= _LONGEST_URL else f"{url[: _LONGEST_URL - 3]}..."
    return f"{shown} ({messages} messages{length})"

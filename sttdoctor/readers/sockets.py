"""The sockets of one capture, and which of them is meant."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sttdoctor.errors import InputError
from sttdoctor.evidence import Frame, Session
from sttdoctor.redact import redact_text

_CARTESIA = re.compile(r"://[^/?#]*cartesia\.ai\b|/stt/(?:turns/)?websocket\b|[?&]cartesia_version=", re.IGNORECASE)
_LISTED = 20
_LONGEST_URL = 120


@dataclass(frozen=True, slots=True)
class Socket:
    """One connection of a capture.

    Attributes:
        session: What it holds.
        note: Why it cannot be judged although it is there, None where it can.
    """

    session: Session
    note: str | None = None

    @property
    def is_cartesia(self) -> bool:
        """Whether its URL is the service's, or names a path or parameter of its."""
        return bool(_CARTESIA.search(self.session.url or ""))


def choose(sockets: Sequence[Socket], connection: int | None, name: str) -> Session:
    """Return the session of the socket that is meant.

    Args:
        sockets: In the order of the capture.
        connection: Number of the socket, from 1; None leaves the choice to the capture.
        name: Of the capture, for an error.

    Raises:
        InputError: There is no such socket, there are several and no choice was made (they are listed), or the
            socket cannot be judged.
    """
    if connection is not None:
        if not 1 <= connection <= len(sockets):
            raise InputError(f"{name} has no connection {connection}; {_listing(sockets)}")
        return _usable(sockets[connection - 1], name)
    meant = [socket for socket in sockets if socket.is_cartesia] or list(sockets)
    if len(meant) == 1:
        return _usable(meant[0], name)
    raise InputError(f"{name} holds {len(meant)} connections; choose with --connection N: {_listing(sockets)}")


def _usable(socket: Socket, name: str) -> Session:
    if socket.note is not None:
        raise InputError(f"{name}: {socket.note}")
    return socket.session


def _listing(sockets: Sequence[Socket]) -> str:
    listed = [f"{number}: {_summary(socket.session)}" for number, socket in enumerate(sockets[:_LISTED], start=1)]
    more = [f"and {len(sockets) - _LISTED} more"] if len(sockets) > _LISTED else []
    return "; ".join(listed + more)


def _summary(session: Session) -> str:
    frames = [event for event in session.events if isinstance(event, Frame)]
    times = [event.t for event in session.events if event.t is not None]
    length = f", {max(times) - min(times):.1f} s" if times else ""
    url = redact_text(session.url or "unknown URL")
    shown = url if len(url) <= _LONGEST_URL else f"{url[: _LONGEST_URL - 3]}..."
    return f"{shown} ({len(frames)} messages{length})"

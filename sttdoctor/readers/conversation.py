"""One WebSocket whose handshake, messages and close a capture holds: what was found of it, and the session of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote

from sttdoctor.evidence import Close, Frame, Open, Session
from sttdoctor.readers.collector import LONGEST_S, Collector, Loss
from sttdoctor.readers.sockets import Socket
from sttdoctor.redact import redact_headers, redact_text

MAX_URL = 1 << 16
"""Characters of a URL that are read."""

_MAX_BODY = 10_000
_EPOCH_S = 1e9  # smaller times are of a day, or since something began
_UNUSUAL = re.compile(r"[^!-~]+")  # in no URL that is sent


@dataclass(slots=True, eq=False)
class Conversation:
    """Collects one connection; all times are seconds since the epoch.

    Attributes:
        found: The messages.
        line: Of the request, in the capture.
        url: Secrets and all; None where the capture does not tell.
        headers: Of the request, redacted, names in lower case.
        began: When the request was sent.
        opened: The answer to it.
        closed: The close.
        clock: Where the times were taken.
        who: The address of the client, None where the capture does not tell.
        loss: What of it could not be read.
        lacks: What the capture does not hold of it.
    """

    found: Collector
    line: int
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    began: float | None = None
    opened: Open | None = None
    closed: Close | None = None
    clock: str = "client"
    who: str | None = None
    loss: Loss | None = None
    lacks: set[str] = field(default_factory=set)

    def ask(self, url: str, headers: Mapping[str, str], began: float | None) -> None:
        """Note the request."""
        # a value has to end where the service lets it end, or a part of a secret would stay
        plain = _UNUSUAL.sub(lambda found: quote(found[0], errors="replace"), url[:MAX_URL])
        self.url, self.headers, self.began = plain, redact_headers(headers), began

    def answer(self, line: int, t: float | None, status: int, headers: Mapping[str, str], body: str | None) -> None:
        """Note the answer; `body` is that of a refusal."""
        text = redact_text(body[:_MAX_BODY]) if body else None
        self.opened = Open(line, t, status, redact_headers(headers), text)

    def close(self, line: int, t: float | None, by: str, code: int, reason: str = "") -> None:
        """Note the close; the first one counts."""
        if self.closed is None:
            self.closed = Close(line, t, by, code, redact_text(reason))

    def lose(self, line: int, what: str) -> None:
        """Forget what stands behind a line of the capture, since something is missing there."""
        self.loss = Loss(line, what)
        self.found.events[:] = [event for event in self.found.events if event.line <= line]
        if self.closed is not None and self.closed.line > line:
            self.closed = None

    def socket(self, source: str, resolution: float, path: str | None, loss: Loss | None) -> Socket:
        """Return it as one of the sockets of a capture.

        Args:
            source: What captured it.
            resolution: Seconds that the clock can tell apart.
            path: Of the capture.
            loss: What of the capture could not be read, which may be this one's.
        """
        return Socket(self.url, self.found, lambda: self._session(source, resolution, path, loss), who=self.who)

    def _session(self, source: str, resolution: float, path: str | None, loss: Loss | None) -> Session:
        lost = self.loss or loss
        if lost is not None:
            self.found.lose(lost, is_complete=self.closed is not None)
        told = [event for event in (self.opened, *self.found.events, self.closed) if event is not None]
        times = [event.t for event in told if event.t is not None]
        zero = self.began if self.began is not None and _is_near(self.began, times) else min(times, default=0.0)
        told = [event if _is_near(event.t, times) else replace(event, t=None) for event in told]
        lacks = self.found.lacks | self.lacks
        lacks |= set() if self.closed is not None or self._refused else {"close"}
        return Session(
            events=tuple(replace(event, t=None if event.t is None else round(event.t - zero, 6)) for event in told),
            url=redact_text(self.url) if self.url else None,
            headers=self.headers,
            started_at=_iso(zero) if times and zero >= _EPOCH_S else None,
            client=self.headers.get("x-cartesia-client") or self.headers.get("user-agent"),
            source=source,
            clock=self.clock if times else "none",
            resolution=resolution,
            lacks=lacks if self.headers else lacks | {"headers"},
            damage=self.found.losses,
            path=path,
        )

    @property
    def _refused(self) -> bool:
        return self.opened is not None and self.opened.status not in (None, 101)


def _is_near(t: float | None, times: Sequence[float]) -> bool:
    """Whether a time can be one of a session of which some are known, by the first of them."""
    return t is None or not times or abs(t - times[0]) <= LONGEST_S


def _iso(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None


_LEAST_FRAMES = 3
_MAX_COMPARED = 50


def without_relayed(conversations: Sequence[Conversation]) -> list[Conversation]:
    """Return the conversations without those in which a proxy says what another one told it.

    Such a connection lies within the other: what is sent comes later in it, what is received earlier.
    """
    if len(conversations) > _MAX_COMPARED:
        return list(conversations)
    return [
        inner for inner in conversations if not any(_relays(outer, inner) for outer in conversations if outer != inner)
    ]


def _relays(outer: Conversation, inner: Conversation) -> bool:
    sent, received = list(_frames(outer, True)), list(_frames(outer, False))
    passed_on, answered = list(_frames(inner, True)), list(_frames(inner, False))
    if min(len(sent), len(passed_on)) < _LEAST_FRAMES:
        return False
    return _follow(passed_on, sent) and _follow(received, answered)


def _follow(later: list[Frame], earlier: list[Frame]) -> bool:
    """Whether the same frames come in a second place, each after it came in the first; the last may be missing."""
    return len(later) <= len(earlier) and all(
        first.t is not None and second.t is not None and second.t >= first.t and _content(first) == _content(second)
        for first, second in zip(earlier, later, strict=False)
    )


def _frames(conversation: Conversation, sent: bool) -> Iterator[Frame]:
    return (event for event in conversation.found.events if isinstance(event, Frame) and event.sent == sent)


def _content(frame: Frame) -> tuple[object, ...]:
    return frame.size, frame.audio, frame.message, frame.text

"""One socket of a HAR: what its entry says, message by message, and the session that this makes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pybase64 import b64decode

from sttdoctor.evidence import Close, Event, Frame, Open, Session
from sttdoctor.readers.collector import Collector, Loss, json_cost
from sttdoctor.readers.frames import number, text_frame
from sttdoctor.readers.har.files import FILE_NAME
from sttdoctor.readers.sockets import Socket
from sttdoctor.redact import redact_headers, redact_text
from sttdoctor.values import immutable

_EXPORT = (
    "export it with Chrome's developer tools (open the Network panel before the page connects, then Export HAR) or "
    "with mitmdump --set hardump=FILE.har"
)
_PROXIES = ("mitmproxy", "http toolkit", "proxyman", "charles", "fiddler", "reqable")
_MILLISECONDS_FROM = 1e11  # as seconds that is the year 5138, as milliseconds 1973
_NO_TIME = -1.0  # what Playwright writes where it has none
_MAX_NAME, _MAX_BODY, _MAX_URL = 100, 10_000, 1 << 16  # characters
_MAX_HEADERS, _MAX_HEADER = 200, 1 << 16
_A_DAY_S = 86400.0
_LOST = 1006  # the code of a connection that ended without a close frame
_FIRST_S = 1e9  # 2001; Chrome dates a socket that never connected one second before the epoch
# how Chrome's error message names the status of a refused handshake, whose answer it leaves out
_REFUSED = re.compile(r"Unexpected response code: (\d{3})\b|HTTP Authentication failed")


def no_frames(creator: str) -> str:
    """Return why a HAR of a tool holds no messages, and how to get one that does."""
    tool = creator.lower()
    if tool.startswith("firefox"):
        return f"Firefox writes no WebSocket messages into a HAR; {_EXPORT}"
    if tool.startswith("playwright"):
        return (
            "the HAR holds no WebSocket messages; let Playwright record it with recordHar: {path: 'FILE.har', content: "
            "'embed', mode: 'full'} (Python: record_har_path, record_har_content, record_har_mode), or as a trace with "
            "tracing.start({snapshots: true})"
        )
    return f"the HAR holds no WebSocket messages; {_EXPORT}"


class BadMessageError(ValueError):
    """A message that is not what a HAR promises; the text says why."""


@immutable
class Part:
    """What is read of a request or a response; each is cut to a length that no real one reaches.

    Attributes:
        url: Of a request, secrets and all.
        status: Of a response.
        headers: Redacted, names in lower case.
        body: Redacted.
        file: Of a response, the name of a file beside the HAR that holds its content.
    """

    url: str | None = None
    status: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    file: str | None = None

    @classmethod
    def of(cls, value: Any) -> "Part":
        """Return the part that a value of a HAR holds."""
        if not isinstance(value, dict):
            return cls()
        url, content = value.get("url"), value.get("content")
        body, file = (content.get("text"), content.get("_file")) if isinstance(content, dict) else (None, None)
        return cls(
            url[:_MAX_URL] if isinstance(url, str) else None,
            _number(value.get("status")),
            _headers(value.get("headers")),
            redact_text(body[:_MAX_BODY]) if isinstance(body, str) and body else None,
            file if isinstance(file, str) and FILE_NAME.fullmatch(file) else None,
        )

    @property
    def length(self) -> int:
        """Characters in it."""
        return len(self.url or "") + len(self.body or "") + sum(len(k) + len(v) for k, v in self.headers.items())


@immutable
class Ending:
    """How a socket ended.

    Attributes:
        code: Of the close, None where it had none; 1006 where there was no close.
        reason: Redacted.
        time: Seconds since the epoch, None where the HAR does not say it.
    """

    code: int | None
    reason: str = ""
    time: float | None = None

    @classmethod
    def of(cls, value: Any) -> "Ending | None":
        """Return the ending that a value of a HAR tells, None where it tells none."""
        if value == "aborted":
            return cls(_LOST)
        if not isinstance(value, dict):
            return None
        code, reason = _number(value.get("code")), value.get("reason")
        said = redact_text(reason[:_MAX_NAME]) if isinstance(reason, str) else ""
        return cls(None if code is None else int(code), said, _number(value.get("timestamp")))


@dataclass(slots=True)
class Entry:
    """What an entry says beside its messages.

    Attributes:
        line: In the HAR.
        request: What was asked.
        response: What was answered.
        started: When, as the HAR says it.
        kind: What kind of resource it is.
        close: How the socket ended, where the HAR says it (HTTP Toolkit's does).
    """

    line: int
    request: Part = field(default_factory=Part)
    response: Part = field(default_factory=Part)
    started: str | None = None
    kind: str | None = None
    close: "Ending | None" = None

    def learn(self, key: str, value: Any) -> None:
        """Take a member of the entry in that is one of `MEMBERS`."""
        if key in ("request", "response"):
            setattr(self, key, Part.of(value))
        elif key == _CLOSE:
            self.close = Ending.of(value)
        else:
            name = value[:_MAX_NAME] if isinstance(value, str) else None
            setattr(self, MEMBERS[key], name)

    @property
    def is_socket(self) -> bool:
        """Whether it is a socket's."""
        by_url = (self.request.url or "").lower().startswith(("ws:", "wss:"))
        return by_url or self.kind == "websocket" or self.response.status == 101


_CLOSE = "_webSocketClose"
MEMBERS = {
    "request": "request",
    "response": "response",
    "startedDateTime": "started",
    "_resourceType": "kind",
    _CLOSE: "close",
}
"""Of an entry, what is read beside the messages, and where it is kept."""


class HarSocket:
    """Collects the messages of one entry.

    Args:
        entry: It may learn more after them.
        found: Takes the events.
        source: What it was captured as, None where the HAR names the tool.

    Attributes:
        has_messages: There is a list of them, which may be empty.
        missing: The file that holds them, where it is not there.
    """

    def __init__(self, entry: Entry, found: Collector, source: str | None = None) -> None:
        self.entry = entry
        self.found = found
        self._source = source
        self.has_messages = False
        self.missing: str | None = None
        self._scale: float | None = None

    def add(self, line: int, message: Any) -> None:
        """Take a message in.

        Raises:
            BadMessageError: It is none.
            CostlyError: It holds too many values.
            FullError: Nothing more can be held.
        """
        if not isinstance(message, dict) or not isinstance(message.get("data"), str):
            raise BadMessageError("a message that is no object with data")
        event = _event(line, self._seconds(line, message.get("time")), message)
        binary = isinstance(event, Frame) and event.content is not None
        self.found.add(event, 0 if binary else json_cost(message["data"].encode(errors="replace")))

    def _seconds(self, line: int, value: Any) -> float | None:
        time = _number(value)
        if time is None or time == _NO_TIME:
            if time is None and value is not None:
                self.found.damage(line, "a time that is no number")
            return None
        if self._scale is None:
            self._scale = 1000.0 if abs(time) > _MILLISECONDS_FROM else 1.0
        t = time / self._scale
        if t < 0 or not self.found.is_time(t):
            self.found.damage(line, "a time out of range")
            return None
        return t

    def socket(self, creator: str, path: str | None, loss: Loss | None, is_last: bool) -> Socket:
        """Return what was found as a socket of the HAR.

        Args:
            creator: The tool that wrote it.
            path: Where it came from.
            loss: What of the HAR could not be read, None where all was.
            is_last: Nothing stands behind it, so what could not be read may be its.
        """
        status = self.entry.response.status
        usable = self.has_messages or (status is not None and 100 <= status < 600 and status != 101)
        return Socket(
            self.entry.request.url,
            self.found,
            lambda: self._session(creator, path, loss, is_last),
            None if usable else self._why(creator),
        )

    def _why(self, creator: str) -> str:
        if self.missing is None:
            return no_frames(creator)
        name = redact_text(self.missing)
        return f"the messages of the HAR lie in a file of their own, {name}, which is not beside it; keep them together"

    def _session(self, creator: str, path: str | None, loss: Loss | None, is_last: bool) -> Session:
        if loss is not None:
            self.found.lose(loss, is_complete=not is_last)
        entry, events = self.entry, self.found.events
        began = _epoch(entry.started)
        first = next((event.t for event in events if event.t is not None), None)
        zero = began if began is not None and (first is None or abs(first - began) < _A_DAY_S) else first or 0.0
        if entry.close is not None:
            events = [*events, self._read_close(entry.line, entry.close)]
        events = [replace(event, t=None if event.t is None else round(event.t - zero, 6)) for event in events]
        opened = _open(entry)
        if opened is not None:  # an error message that names the same refusal tells nothing new
            events = [opened, *(event for event in events if not isinstance(event, Open))]
        headers, url = entry.request.headers, entry.request.url
        lacks = self.found.lacks | ({"close"} if entry.close is None else set())
        proxied = creator.lower().startswith(_PROXIES)
        if not headers or not (proxied or _carries_key(headers, url)):
            # browsers leave the authorization out of a HAR, so its absence proves nothing
            headers, lacks = {}, lacks | {"headers"}
        return Session(
            events=tuple(events),
            url=redact_text(_socket_url(url)) if url else None,
            headers=headers,
            started_at=redact_text(str(entry.started))[:60] if began is not None else None,
            client=headers.get("x-cartesia-client") or headers.get("user-agent"),
            source=self._source or redact_text(f"HAR by {creator or 'an unnamed tool'}"),
            clock="none" if first is None else "proxy" if proxied else "client",
            resolution=0.001,
            lacks=frozenset(lacks),
            damage=self.found.losses,
            path=path,
        )

    def _read_close(self, line: int, ending: Ending) -> Close:
        t = ending.time if ending.time is not None and self.found.is_time(ending.time) else None
        return Close(line, t, "unknown", ending.code, ending.reason)


def _event(line: int, t: float | None, message: Mapping[str, Any]) -> Event:
    kind, data = message.get("type"), message["data"]
    if kind == "error":
        refused = _REFUSED.search(data)
        if refused is not None:
            return Open(line, t, int(refused[1] or 401), {}, redact_text(data[:_MAX_BODY]))
        return Close(line, t, "unknown", 1006, redact_text(data))
    if kind not in ("send", "receive"):
        raise BadMessageError("a message of unknown type")
    if _number(message.get("opcode")) != 2:
        return text_frame(line, t, kind == "send", data)
    try:
        audio = b64decode(data, validate=True)
    except ValueError:
        raise BadMessageError("a binary message that is not base64") from None
    return Frame(line, t, kind == "send", len(audio), binary=True, content=audio if kind == "send" else None)


def _open(entry: Entry) -> Open | None:
    status = entry.response.status
    if status is None or not 100 <= status < 600:
        return None
    return Open(entry.line, None, int(status), entry.response.headers, entry.response.body)


def _headers(items: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items[:_MAX_HEADERS] if isinstance(items, list) else []:
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            found[item["name"].lstrip(":")[:_MAX_HEADER]] = str(item.get("value", ""))[:_MAX_HEADER]
    return redact_headers(found)


def _carries_key(headers: Mapping[str, str], url: str | None) -> bool:
    in_header = any(name in headers for name in ("authorization", "x-api-key", "xi-api-key"))
    return in_header or any(f"{name}=" in (url or "") for name in ("access_token", "api_key"))


def _socket_url(url: str) -> str:
    """Proxies write the address of the upgrade request (http), a browser that of the socket (ws)."""
    return "ws" + url[4:] if url.lower().startswith(("http:", "https:")) else url


def _epoch(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds > _FIRST_S else None


def _number(value: Any) -> float | None:
    """A number small enough to be a time or a code."""
    found = number(value)
    return found if found is not None and abs(found) < 1e18 else None

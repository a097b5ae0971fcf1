"""HTTP Archive (HAR) with `_webSocketMessages`, as Chrome, mitmproxy, Playwright and others write it.

Each entry of a socket holds its messages with `type` (`send`, `receive`, `error`), `time`, `opcode` (1 text, 2 binary,
then `data` is base64) and `data`. Times are seconds since the epoch in Chrome and mitmproxy, milliseconds in
Playwright. A HAR holds no close frame.
Sources: https://chromedevtools.github.io/devtools-protocol/tot/Network/#type-WebSocketFrame and
https://github.com/mitmproxy/mitmproxy/blob/main/mitmproxy/addons/savehar.py
"""

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BufferedReader
from typing import Any

from pybase64 import b64decode

from sttdoctor.errors import InputError
from sttdoctor.evidence import Close, Damage, Event, Frame, Open, Session
from sttdoctor.readers.collector import Collector, FullError
from sttdoctor.readers.frames import number, text_frame
from sttdoctor.readers.json_stream import DamagedError, JsonStream, TooLargeError
from sttdoctor.readers.sockets import Socket, choose
from sttdoctor.redact import redact_headers, redact_text

NO_FRAMES = (
    "the HAR holds no WebSocket messages; export it with Chrome's developer tools (open the Network panel before the "
    "page connects, then Export HAR) or with mitmdump --set hardump=FILE.har"
)
_PROXIES = ("mitmproxy", "http toolkit", "proxyman", "charles", "fiddler", "reqable")
_MILLISECONDS_FROM = 1e11  # as seconds that is the year 5138, as milliseconds 1973
_MAX_BODY = 10_000  # characters
_A_DAY_S = 86400.0
_FIRST_S = 1e9  # 2001; Chrome dates a socket that never connected one second before the epoch
_HEAD = re.compile(rb'\s*\{\s*(?:"(?!type")[^"]*"\s*:\s*(?:"[^"]*"|\d+|null)\s*,\s*)*"log"\s*:\s*\{')
# how Chrome's error message names the status of a refused handshake, whose answer it leaves out
_REFUSED = re.compile(r"Unexpected response code: (\d{3})\b|HTTP Authentication failed")


@dataclass(slots=True)
class _Entry:
    """What an entry says about its socket."""

    line: int
    found: Collector
    has_messages: bool = False
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Archive:
    """What was read so far."""

    creator: str = ""
    entries: list[_Entry] = field(default_factory=list)
    damage: tuple[int, str] | None = None


def holds_har(head: bytes) -> bool:
    """Whether the first bytes of a capture (unpacked, without a byte order mark) are those of a HAR."""
    return bool(_HEAD.match(head))


def read_har(stream: BufferedReader, path: str | None = None, connection: int | None = None) -> Session:
    """Read one socket of a HAR.

    Args:
        stream: Binary; large archives are read piece by piece.
        path: Where it came from.
        connection: Which socket, from 1; None where there is one that can be meant.

    Raises:
        InputError: No socket, several without a choice, or none with messages.
        OSError: The file cannot be read.
    """
    archive = _Archive()
    har = JsonStream(stream)
    try:
        _read(har, archive)
    except FullError as error:
        archive.damage = har.line, str(error)
    except DamagedError as error:
        archive.damage = har.line, f"damaged from here on: {error}"
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        archive.damage = har.line, f"the gzip stream is damaged: {error}"
    name = path or "the capture"
    sockets = [_socket(archive, entry, path) for entry in archive.entries]
    if not sockets or all(socket.note for socket in sockets):
        raise InputError(f"{name}: {NO_FRAMES}")
    return choose(sockets, connection, name)


def _read(har: JsonStream, archive: _Archive) -> None:
    for key in har.members():
        if key == "log" and har.peek() == "{":
            _read_log(har, archive)
        else:
            har.skip()


def _read_log(har: JsonStream, archive: _Archive) -> None:
    for key in har.members():
        if key == "entries" and har.peek() == "[":
            for line in har.elements():
                if har.peek() == "{":
                    _read_entry(har, archive, line)
                else:
                    har.skip()
        elif key == "creator":
            creator = _small(har)
            archive.creator = str(creator.get("name", ""))[:100] if isinstance(creator, dict) else ""
        else:
            har.skip()


def _read_entry(har: JsonStream, archive: _Archive, line: int) -> None:
    entry = _Entry(line, Collector(held=sum(other.found.held for other in archive.entries)))
    kept = False
    for key in har.members():
        if key == "_webSocketMessages" and har.peek() == "[":
            entry.has_messages = kept = True
            archive.entries.append(entry)  # now, so that a file that ends within keeps what there is
            _read_messages(har, entry)
        elif key in ("request", "response", "startedDateTime", "_resourceType"):
            entry.fields[key] = _small(har)
        else:
            har.skip()
    if not kept and _is_socket(entry.fields):
        archive.entries.append(entry)


def _small(har: JsonStream) -> Any:
    try:
        return har.value()
    except TooLargeError:
        har.skip()
        return None


def _read_messages(har: JsonStream, entry: _Entry) -> None:
    for line in har.elements():
        try:
            message = har.value()
            event = _event(line, message)
        except TooLargeError as error:
            har.skip()
            entry.found.damage(line, f"a message {error}")
            continue
        except (ValueError, RecursionError) as error:
            if isinstance(error, DamagedError):
                raise
            entry.found.damage(line, str(error))
            continue
        data = message["data"] if isinstance(message, dict) else ""
        entry.found.add(event, 0 if isinstance(event, Frame) and event.audio is not None else 10 * len(data))


class _BadMessageError(ValueError):
    """A message that is not what a HAR promises; the text says why."""


def _event(line: int, message: Any) -> Event:
    if not isinstance(message, dict) or not isinstance(message.get("data"), str):
        raise _BadMessageError("a message that is no object with data")
    kind, data = message.get("type"), message["data"]
    t = _number(message.get("time"))
    if kind == "error":
        refused = _REFUSED.search(data)
        if refused is not None:
            return Open(line, t, int(refused[1] or 401), {}, redact_text(data[:_MAX_BODY]))
        return Close(line, t, "unknown", 1006, redact_text(data))
    if kind not in ("send", "receive"):
        raise _BadMessageError("a message of unknown type")
    if _number(message.get("opcode")) != 2:
        return text_frame(line, t, kind == "send", data)
    try:
        audio = b64decode(data, validate=True)
    except ValueError:
        raise _BadMessageError("a binary message that is not base64") from None
    return Frame(line, t, kind == "send", len(audio), binary=True, audio=audio if kind == "send" else None)


def _is_socket(fields: Mapping[str, Any]) -> bool:
    url = _part(fields, "request").get("url")
    by_url = isinstance(url, str) and url.lower().startswith(("ws:", "wss:"))
    return by_url or fields.get("_resourceType") == "websocket" or _part(fields, "response").get("status") == 101


def _part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _socket(archive: _Archive, entry: _Entry, path: str | None) -> Socket:
    request, response = _part(entry.fields, "request"), _part(entry.fields, "response")
    scale = _scale(entry.found.events)
    started = entry.fields.get("startedDateTime")
    began = _epoch(started)
    times = [event.t / scale for event in entry.found.events if event.t is not None]
    zero = began if began is not None and (not times or abs(times[0] - began) < _A_DAY_S) else next(iter(times), 0.0)
    events = [
        replace(event, t=None if event.t is None else round(event.t / scale - zero, 6)) for event in entry.found.events
    ]
    opened = _open(entry, response)
    if opened is not None:  # an error message that names the same refusal tells nothing new
        events = [event for event in events if not isinstance(event, Open)]
    headers, url = _headers(request), request.get("url")
    url = url if isinstance(url, str) else None
    losses = _losses(archive, entry)
    lacks = {"close"} | entry.found.lacks | ({"text"} if archive.damage and archive.entries[-1] is entry else set())
    proxied = archive.creator.lower().startswith(_PROXIES)
    if not headers or not (proxied or _carries_key(headers, url)):
        # browsers leave the authorization out of a HAR, so its absence proves nothing
        headers, lacks = {}, lacks | {"headers"}
    session = Session(
        events=tuple(([opened] if opened else []) + events),
        url=redact_text(_socket_url(url)) if url else None,
        headers=headers,
        started_at=redact_text(str(started))[:60] if began is not None else None,
        client=headers.get("x-cartesia-client") or headers.get("user-agent"),
        source=redact_text(f"HAR by {archive.creator or 'an unnamed tool'}"),
        clock="none" if not times else "proxy" if proxied else "client",
        resolution=0.001,
        lacks=frozenset(lacks),
        damage=losses,
        path=path,
    )
    refused = opened is not None and opened.status not in (None, 101)
    return Socket(session, None if entry.has_messages or refused else NO_FRAMES)


def _losses(archive: _Archive, entry: _Entry) -> Damage:
    if archive.damage is not None:
        entry.found.damage(*archive.damage)
    return entry.found.losses


def _open(entry: _Entry, response: Mapping[str, Any]) -> Open | None:
    status = _number(response.get("status"))
    if status is None or not 100 <= status < 600:
        return None
    content = response.get("content")
    body = content.get("text") if isinstance(content, dict) else None
    text = redact_text(body[:_MAX_BODY]) if isinstance(body, str) and body else None
    return Open(entry.line, None, int(status), _headers(response), text)


def _headers(part: Mapping[str, Any]) -> dict[str, str]:
    items = part.get("headers")
    found: dict[str, str] = {}
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and isinstance(item.get("name"), str):
            found[item["name"].lstrip(":")] = str(item.get("value", ""))
    return redact_headers(found)


def _carries_key(headers: Mapping[str, str], url: str | None) -> bool:
    in_header = any(name in headers for name in ("authorization", "x-api-key", "xi-api-key"))
    return in_header or any(f"{name}=" in (url or "") for name in ("access_token", "api_key"))


def _socket_url(url: str) -> str:
    """Proxies write the address of the upgrade request (http), a browser that of the socket (ws)."""
    return "ws" + url[4:] if url.lower().startswith(("http:", "https:")) else url


def _scale(events: list[Event]) -> float:
    first = next((event.t for event in events if event.t is not None), 0.0)
    return 1000.0 if abs(first) > _MILLISECONDS_FROM else 1.0


def _epoch(value: Any) -> float | None:
    if not isinstance(value, str):
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

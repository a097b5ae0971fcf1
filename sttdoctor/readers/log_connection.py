"""One connection of a debug log, as its lines tell it."""

import re
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

from sttdoctor.evidence import Close, Control, Frame, Open, Session
from sttdoctor.readers.collector import Collector
from sttdoctor.readers.frames import elided_frame, text_frame
from sttdoctor.readers.log_line import Time, hexadecimal, literal
from sttdoctor.readers.sockets import Socket
from sttdoctor.redact import redact_headers, redact_text

MIXED = (
    "two connections were open at once and the log lines do not say which is which; log one connection for each file, "
    "or put the connection's id into the log format"
)
_CLOSE = re.compile(r"(\d{4}) \([^)]*\)(?: (.*))?$", re.DOTALL)
_CONTROL = ("CLOSE", "PING", "PONG")
_AHEAD = 8  # messages of the library that the SDK may leave out


class LogConnection:
    """Collects the events of one connection.

    Args:
        side: `client` or `server`, whichever wrote the log.
        time: Of its first line.
        path: Path and query of the handshake, None where the log begins later.
        url: As the SDK announced it.
        held: Bytes that other connections of the log take already.
        only_sdk: There are no lines of the library.
    """

    def __init__(
        self, side: str, time: Time, path: str | None, url: str | None, held: int, only_sdk: bool = False
    ) -> None:
        self.side = side
        self._sent_mark = ">" if side == "client" else "<"  # from client to server
        self.only_sdk = only_sdk
        self.mixed = False
        self.is_open = False
        self.found = Collector(held=held)
        self._began = time
        self._path = path
        self._url = url
        self._request: dict[str, str] = {}
        self._response: dict[str, str] = {}
        self._headers = self._request
        self._in_headers = path is not None
        self._open: tuple[int, Time, int] | None = None
        self._closed = False
        self._opened_once = only_sdk
        self._resolution = 0.0
        self._fragments: dict[str, list[tuple[str, str, int]]] = {}
        self._unread: deque[int] = deque()  # indices of received texts that the SDK has not told yet
        self._timed = False

    def frame(
        self,
        line: int,
        time: Time,
        mark: str,
        opcode: str,
        content: str,
        coding: str | None,
        size: str | bytes,
        continued: str | None,
    ) -> None:
        """Take a frame in, in the parts of `log_line.FRAME`; fragments wait for the last of them."""
        if self._in_headers or self._open is not None:
            self._end_headers()
        if opcode in _CONTROL:
            if opcode == "CLOSE":
                self._close(line, time, mark, content)
            else:
                self.found.add(Control(line, self._seconds(time), mark == self._sent_mark, opcode.lower()))
            return
        kind = coding.upper() if coding else opcode
        sent, length = mark == self._sent_mark, int(size)
        begun = self._fragments.get(mark)
        if begun and opcode != "CONT":
            begun.clear()
        if begun or continued:
            self._fragment(line, time, mark, (kind, content, length), bool(continued))
        elif kind == "TEXT":
            self._text(line, time, sent, literal(content), length)
        else:
            audio = hexadecimal(content, length) if sent else None
            self.found.add(Frame(line, self._seconds(time), sent, length, True, audio))

    def _fragment(self, line: int, time: Time, mark: str, part: tuple[str, str, int], continued: bool) -> None:
        parts = self._fragments.setdefault(mark, [])
        parts.append(part)
        if not continued:
            self._joined(line, time, mark == self._sent_mark, parts)
            parts.clear()
        elif len(parts) > 100_000:
            parts.clear()
            self.found.damage(line, "a message of too many fragments")

    def _joined(self, line: int, time: Time, sent: bool, parts: list[tuple[str, str, int]]) -> None:
        size = sum(part[2] for part in parts)
        if parts[0][0] == "TEXT":
            self._text(line, time, sent, "".join(literal(part[1]) for part in parts), size)
        else:
            audio = _bytes_of(parts) if sent else None
            self.found.add(Frame(line, self._seconds(time), sent, size, True, audio))

    def _text(self, line: int, time: Time, sent: bool, text: str, size: int) -> None:
        t = self._seconds(time)
        elided = len(text.encode(errors="replace")) != size
        frame = elided_frame(line, t, sent, text, size) if elided else text_frame(line, t, sent, text)
        if not sent:
            self._unread.append(len(self.found.events))
        self.found.add(frame, 10 * len(text))

    def sdk_message(self, line: int, time: Time, text: str) -> None:
        """Take a received message in as the SDK logged it; the library's line of it comes first where there is one."""
        if self.only_sdk:
            t = self._seconds(time)
            if self._opened_once:
                self.found.add(Open(line, t, None))
                self._opened_once = False
            self.found.add(text_frame(line, t, False, text), 10 * len(text))
            return
        size = len(text.encode(errors="replace"))
        for place in range(min(_AHEAD, len(self._unread))):
            index = self._unread[place]
            event = self.found.events[index]
            if isinstance(event, Frame) and event.size == size and _fits(event, text):
                if event.elided:
                    self.found.events[index] = text_frame(event.line, event.t, False, text)
                for _ in range(place + 1):
                    self._unread.popleft()
                return

    def answer(self, line: int, time: Time, status: int) -> None:
        """Take the status line of the handshake's answer in."""
        self._open = line, time, status
        self._headers, self._in_headers = self._response, True

    def refused(self, line: int, status: int) -> None:
        """The SDK's error names the status of a refused handshake."""
        if self.only_sdk:
            self.found.add(Open(line, None, status))

    def header(self, name: str, value: str) -> None:
        """Take a header line of the handshake in; any other line that looks like one is ignored."""
        if self._in_headers and len(self._headers) < 200:
            self._headers[name] = value

    def state(self, line: int, time: Time, name: str) -> None:
        """Follow the state that the library reports."""
        self._end_headers()
        self.is_open = name == "OPEN" or (self.is_open and name == "CLOSING")
        if name == "CLOSED" and not self._closed and self._accepted:
            self._closed = True
            self.found.add(Close(line, self._seconds(time), "unknown", 1006))

    def again(self) -> None:
        """The same client connects once more."""
        self._end_headers()
        self._closed, self._in_headers, self._headers = False, False, {}
        self._unread.clear()
        self._fragments.clear()

    def sdk_again(self) -> None:
        """The SDK connects once more; its next message shows that it worked."""
        self._opened_once = True

    @property
    def _accepted(self) -> bool:
        opens = [event for event in self.found.events if isinstance(event, Open)]
        return not opens or opens[-1].status in (None, 101)

    def _end_headers(self) -> None:
        """The handshake's answer is complete."""
        self._in_headers = False
        if self._open is not None:
            line, time, status = self._open
            self._open = None
            self.found.add(Open(line, self._seconds(time), status, redact_headers(self._response)))
            self._response = {}

    def _close(self, line: int, time: Time, mark: str, content: str) -> None:
        if self._closed:
            return  # the second close frame answers the first
        self._closed = True
        by = "client" if mark == self._sent_mark else "server"
        parts = _CLOSE.match(content)
        code, reason = (int(parts[1]), parts[2] or "") if parts else (None, "")
        self.found.add(Close(line, self._seconds(time), by, code, redact_text(reason)))

    def _seconds(self, time: Time) -> float | None:
        if time is None:
            return None
        if self._began is None:
            self._began = time
        self._timed = True
        if time[1] > self._resolution:
            self._resolution = time[1]
        return round(time[0] - self._began[0], 6)

    def socket(self, path: str | None, damage: tuple[int, str] | None) -> Socket:
        """Return what was found as a session."""
        self._end_headers()
        if damage is not None:
            self.found.damage(*damage)
        headers = redact_headers(self._request)
        session = Session(
            events=tuple(self.found.events),
            url=redact_text(self._full_url()) if self._url or self._path else None,
            headers=headers,
            started_at=_iso(self._began),
            client=headers.get("x-cartesia-client") or headers.get("user-agent"),
            source="Cartesia SDK debug log" if self.only_sdk else f"websockets debug log, {self.side} side",
            clock=self.side if self._timed else "none",
            resolution=self._resolution,
            lacks=frozenset(self._lacks(headers)),
            path=path,
            damage=self.found.losses,
        )
        if not self._timed:
            session = replace(session, resolution=0.0)
        return Socket(session, MIXED if self.mixed else None)

    def _lacks(self, headers: dict[str, str]) -> set[str]:
        if self.only_sdk:
            return {"send", "audio", "headers", "close"} | self.found.lacks
        frames = [event for event in self.found.events if isinstance(event, Frame)]
        lacks = set(self.found.lacks)
        if any(frame.sent and frame.binary and frame.audio is None for frame in frames):
            lacks.add("audio")
        if any(frame.elided for frame in frames):
            lacks.add("text")
        if not headers:
            lacks.add("headers")
        return lacks

    def _full_url(self) -> str:
        if self._url:
            return self._url
        host = next((value for name, value in self._request.items() if name.lower() == "host"), "unknown")
        name, _, port = host.partition(":")
        secure = port in ("", "443") and name not in ("localhost", "127.0.0.1")
        return f"{'wss' if secure else 'ws'}://{host}{self._path}"


def _bytes_of(parts: list[tuple[str, str, int]]) -> bytes | None:
    """Return the content of a binary message, None where any of it was left out or is shown as text."""
    pieces = [hexadecimal(content, size) if kind != "TEXT" else None for kind, content, size in parts]
    whole = [piece for piece in pieces if piece is not None]
    return b"".join(whole) if len(whole) == len(pieces) else None


def _fits(event: Frame, text: str) -> bool:
    """Whether a text is the whole of what the library shows, complete or with a gap."""
    if not event.elided:
        return True
    head, _, tail = (event.text or "").partition("...")
    return text.startswith(head[:20]) and text.endswith(tail[-10:])


def _iso(time: Time) -> str | None:
    if time is None or time[0] < 1e9:
        return None
    return datetime.fromtimestamp(time[0], UTC).isoformat(timespec="milliseconds").replace("+00:00", "")

"""One connection of a debug log, as its lines tell it."""

import re
from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import Close, Control, Frame, Open, Session
from sttdoctor.readers.collector import LONGEST_S, Collector, CostlyError, FullError, Loss, json_cost
from sttdoctor.readers.frames import elided_frame, text_frame
from sttdoctor.readers.logs.line import Time, hexadecimal, literal
from sttdoctor.readers.sockets import Socket
from sttdoctor.redact import redact_headers, redact_text

MIXED = (
    "two connections were open at once and the log lines do not say which is which; log one connection for each file, "
    "or put the connection's id into the log format"
)
_CLOSE = re.compile(r"(\d{4}) \([^)]*\)(?: (.*))?$", re.DOTALL)
_ENCODING, _RATE = re.compile(r"[?&]encoding=(\w{1,20})"), re.compile(r"[?&]sample_rate=(\d{1,6})\b")
_CONTROL = ("CLOSE", "PING", "PONG")
_AHEAD = 8  # messages of the library that the SDK may leave out
_MAX_FRAGMENTS = 100_000  # of a message; they are held as they stand in the log until it is whole
_MAX_SHOWN = 32 << 20  # characters of them
_MAX_HEADERS = 200
_MAX_HEADER = 1 << 16  # characters; servers refuse a head of that length


class LogConnection:
    """Collects the events of one connection.

    Args:
        side: `client` or `server`, whichever wrote the log.
        time: Of its first line.
        path: Path and query of the handshake, None where the log begins later.
        url: As the SDK announced it.
        found: Takes its events.
        only_sdk: There are no lines of the library.
        source: Of which library's log it is, None for the two above.
        client: Who wrote it, where the headers do not say it.

    Attributes:
        lacks: What a log of this kind cannot hold.
    """

    def __init__(
        self,
        side: str,
        time: Time,
        path: str | None,
        url: str | None,
        found: Collector,
        only_sdk: bool = False,
        source: str | None = None,
        client: str | None = None,
    ) -> None:
        self.side = side
        self._sent_mark = ">" if side == "client" else "<"  # from client to server
        self.only_sdk = only_sdk
        self.lacks = {"send", "audio", "headers", "close"} if only_sdk else set()
        self._client = client
        self._source = source or ("Cartesia SDK debug log" if only_sdk else f"websockets debug log, {side} side")
        self.mixed = False
        self.is_open = False
        self.found = found
        self._began = time if time is not None and found.is_time(time[0]) else None
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
        self._accepted = True  # by the last handshake that is known
        self._fragments: dict[str, list[tuple[str, str, int]]] = {}
        self._shown = 0  # characters of the fragments
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
        length: int,
        continued: bool,
    ) -> None:
        """Take a frame in, in the parts of `log_line.FrameLine`; fragments wait for the last of them."""
        if self._in_headers or self._open is not None:
            self.end_headers()
        if opcode in _CONTROL:
            if opcode == "CLOSE":
                parts = _CLOSE.match(content)
                code, reason = (int(parts[1]), parts[2] or "") if parts else (None, "")
                self.close(line, time, "client" if mark == self._sent_mark else "server", code, reason)
            else:
                self.control(line, time, mark == self._sent_mark, opcode.lower())
            return
        kind = coding.upper() if coding else opcode
        sent = mark == self._sent_mark
        begun = self._fragments.get(mark)
        if begun and opcode != "CONT":
            self._forget(begun)
        if begun or continued:
            self._fragment(line, time, mark, (kind, content, length), continued)
        elif kind == "TEXT":
            self.text(line, time, sent, literal(content), length)
        else:
            self.binary(line, time, sent, length, hexadecimal(content, length) if sent else None)

    def cut_frame(self, line: int, time: Time, mark: str, length: int) -> None:
        """Take a binary frame in whose middle was left out: what `frame` does, in one step where nothing is begun."""
        if self._fragments or self._in_headers or self._open is not None:
            self.frame(line, time, mark, "BINARY", "...", None, length, False)
        else:
            self.found.add(Frame(line, self._seconds(line, time), mark == self._sent_mark, length, True))

    def _fragment(self, line: int, time: Time, mark: str, part: tuple[str, str, int], continued: bool) -> None:
        parts = self._fragments.setdefault(mark, [])
        parts.append(part)
        self._shown += len(part[1])
        if not continued:
            self._join(line, time, mark == self._sent_mark, parts)
            self._forget(parts)
        elif len(parts) > _MAX_FRAGMENTS or self._shown > _MAX_SHOWN:
            self._forget(parts)
            self.found.damage(line, "a message of too many fragments")

    def _forget(self, parts: list[tuple[str, str, int]]) -> None:
        self._shown -= sum(len(part[1]) for part in parts)
        parts.clear()

    def _join(self, line: int, time: Time, sent: bool, parts: list[tuple[str, str, int]]) -> None:
        size = sum(part[2] for part in parts)
        if parts[0][0] == "TEXT":
            self.text(line, time, sent, "".join(literal(part[1]) for part in parts), size)
        else:
            self.binary(line, time, sent, size, _bytes_of(parts) if sent else None)

    def text(self, line: int, time: Time, sent: bool, text: str, size: int) -> None:
        """Take a text message in; `size` is that of the whole, which the log may not show."""
        t = self._seconds(line, time)
        elided = len(text.encode(errors="replace")) != size
        try:
            frame = elided_frame(line, t, sent, text, size) if elided else text_frame(line, t, sent, text)
        except CostlyError as error:
            self.found.damage(line, str(error))
            return
        if not sent and self.found.wanted:
            self._unread.append(len(self.found.events))
        self.found.add(frame, _cost(text))

    def sdk_message(self, line: int, time: Time, text: str) -> None:
        """Take a received message in as the SDK logged it; the library's line of it comes first where there is one."""
        try:
            self._tell(text_frame(line, self._seconds(line, time), False, text), text)
        except CostlyError as error:
            self.found.damage(line, str(error))

    def _tell(self, message: Frame, text: str) -> None:
        if self.only_sdk:
            if self._opened_once:
                self.found.add(Open(message.line, message.t, None))
                self._opened_once = False
            self.found.add(message, _cost(text))
            return
        for place in range(min(_AHEAD, len(self._unread))):
            index = self._unread[place]
            event = self.found.events[index]
            if isinstance(event, Frame) and event.size == message.size and _fits(event, text):
                if event.elided:
                    self.found.events[index] = replace(message, line=event.line, t=event.t)
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
            self._take_answer(Open(line, None, status))

    def _take_answer(self, event: Open) -> None:
        self._accepted = event.status in (None, 101)
        self.found.add(event)

    def answered(self, line: int, time: Time, status: int | None) -> None:
        """Take the answer of the handshake in where its headers, and with None its status, are not known."""
        self._take_answer(Open(line, self._seconds(line, time), status))

    def header(self, line: int, name: str, value: str) -> None:
        """Take a header line of the handshake in; any other line that looks like one is ignored."""
        if not self._in_headers:
            return
        if len(self._headers) >= _MAX_HEADERS or len(name) + len(value) > _MAX_HEADER:
            self.found.damage(line, "a header that is too long, or one too many")
            return
        self.found.budget.take(len(name) + len(value))
        self._headers[name] = value

    def state(self, line: int, time: Time, name: str) -> None:
        """Follow the state that the library reports."""
        self.end_headers()
        self.is_open = name == "OPEN" or (self.is_open and name == "CLOSING")
        if name == "CLOSED":
            self.lost(line, time)

    def again(self) -> None:
        """The same client connects once more."""
        self.end_headers()
        self._closed, self._in_headers, self._headers = False, False, {}
        self._unread.clear()
        self._fragments.clear()

    def sdk_again(self) -> None:
        """The SDK connects once more; its next message shows that it worked."""
        self._opened_once = True

    def end_headers(self) -> None:
        """The handshake's answer is complete."""
        self._in_headers = False
        if self._open is not None:
            line, time, status = self._open
            self._open = None
            self._take_answer(Open(line, self._seconds(line, time), status, redact_headers(self._response)))
            self._response = {}

    def binary(self, line: int, time: Time, sent: bool, size: int, audio: bytes | None) -> None:
        """Take a binary message in; None for the audio where the log shows its size only."""
        self.found.add(Frame(line, self._seconds(line, time), sent, size, True, audio if sent else None))

    def control(self, line: int, time: Time, sent: bool, kind: str) -> None:
        """Take a `ping` or a `pong` in."""
        self.found.add(Control(line, self._seconds(line, time), sent, kind))

    def close(self, line: int, time: Time, by: str, code: int | None, reason: str = "") -> None:
        """Take the first close frame in; the second answers it."""
        if self._closed:
            return
        self._closed = True
        self.found.add(self.told_close(line, time, by, code, reason))

    def told_close(self, line: int, time: Time, by: str, code: int | None, reason: str) -> Close:
        """Return the close that a line tells, which may be another's, without taking it in."""
        return Close(line, self._seconds(line, time), by, code, redact_text(reason))

    def end_with(self, place: int, close: Close) -> None:
        """Put the close in before the event at a place."""
        self._closed = True
        self.found.events.insert(place, close)

    def lost(self, line: int, time: Time) -> None:
        """The connection ended; where it was open and no close frame was seen, it was lost."""
        if not self._closed and self._accepted:
            self.close(line, time, "unknown", 1006)

    def _seconds(self, line: int, time: Time) -> float | None:
        if time is None:
            return None
        seconds, fineness = time
        began = self._began
        if began is None or abs(seconds - began[0]) > LONGEST_S:
            if not self.found.is_time(seconds):
                self.found.damage(line, "a time out of range")
                return None
            began = self._began = time
        self._timed = True
        if fineness > self._resolution:
            self._resolution = fineness
        return round(seconds - began[0], 6)

    def was_asked(self, url: str) -> bool:
        """Whether the log said that it connects there."""
        return self._url == url

    @property
    def bytes_per_s(self) -> float | None:
        """Byte rate that the URL declares, None where it declares none."""
        encoding, rate = _ENCODING.search(self._url or ""), _RATE.search(self._url or "")
        kind = ENCODINGS.get(encoding[1]) if encoding is not None else None
        return float(kind.width * int(rate[1])) if kind is not None and rate is not None else None

    def is_at(self, path: str) -> bool:
        """Whether the URL has a path."""
        return f"{path}?" in (self._url or "")

    def socket(self, path: str | None, loss: Loss | None) -> Socket:
        """Return what was found as a socket of the log."""
        url = self._full_url() if self._url or self._path else None
        return Socket(url, self.found, lambda: self._session(path, loss, url), MIXED if self.mixed else None)

    def _session(self, path: str | None, loss: Loss | None, url: str | None) -> Session:
        with suppress(FullError):  # the last event is kept all the same
            self.end_headers()
        if loss is not None:
            self.found.lose(loss, is_complete=self._closed)
        headers = redact_headers(self._request)
        session = Session(
            events=tuple(self.found.events),
            url=redact_text(url) if url else None,
            headers=headers,
            started_at=_iso(self._began),
            client=headers.get("x-cartesia-client") or headers.get("user-agent") or self._client,
            source=self._source,
            clock=self.side if self._timed else "none",
            resolution=self._resolution,
            lacks=frozenset(self._lacks(headers)),
            path=path,
            damage=self.found.losses,
        )
        return session if self._timed else replace(session, resolution=0.0)

    def _lacks(self, headers: dict[str, str]) -> set[str]:
        lacks = self.lacks | self.found.lacks
        frames = [event for event in self.found.events if isinstance(event, Frame)]
        if any(frame.sent and frame.binary and frame.content is None for frame in frames):
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


def _cost(text: str) -> int:
    return json_cost(text.encode(errors="replace"))


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

"""Session JSONL, `sttdoctor.session/1`: one JSON object a line, plain or gzip: read, and written again.

A line that cannot be read is counted and told, never fatal; only a capture without a single readable row is refused.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from io import BufferedIOBase
from typing import Any

from pybase64 import b64decode, b64encode_as_string

from sttdoctor.errors import InputError, NoCaptureError
from sttdoctor.evidence import SESSION_SCHEMA, Close, Control, Event, Frame, Open, Session, Transcript
from sttdoctor.readers.collector import (
    CONNECTION_BYTES,
    EVENT_BYTES,
    LONGEST_S,
    UNREAD,
    Collector,
    CostlyError,
    FullError,
    Loss,
    json_cost,
    refuse_costly,
)
from sttdoctor.readers.frames import DECODER, NotJsonError, elided_frame, frame_size, number, text_frame
from sttdoctor.readers.message_record import is_size, said_size
from sttdoctor.readers.sockets import Wanted, and_more, is_wanted
from sttdoctor.readers.stream import MAX_LINE_BYTES, StreamError, numbered_lines
from sttdoctor.redact import redact_headers, redact_message, redact_text, redact_tokens

_CLOCKS = ("client", "proxy", "server", "none")
_LACKS = ("send", "receive", "audio", "text", "headers", "close", "commands", "events")

_FIRST_ROW = re.compile(rb'\s*+\{"type": ?"session", ?"schema": ?"sttdoctor\.session/')
_ROW = re.compile(rb'"type"\s*:\s*"(?:session|open|send|receive|close|transcript)"')
_SESSION = re.compile(rb'"type"\s*:\s*"session"')
_OPEN, _STATUS = re.compile(rb'"type"\s*:\s*"open"'), re.compile(rb'"(?:status|t)"\s*:')
_MESSAGE, _CONTENT = re.compile(rb'"type"\s*:\s*"(?:send|receive)"'), re.compile(rb'"(?:audio|bytes|json|text)"\s*:')
_WAY = re.compile(rb'"(?:dir|direction|way|flow|side|from|from_client|outgoing|incoming)"\s{0,4}:')
_EVENT = re.compile(rb'"type\\?"\s*:\s*\\?"turn\.|"is_final\\?"\s*:')
# a row of sent audio as writers of JSON lay it out; anything else about such a row is for the JSON decoder
_AUDIO_ROW = re.compile(rb'\{"type": ?"send", ?"t": ?((?:0|[1-9]\d{0,9})(?:\.\d{1,20})?), ?"audio": ?"')
_AUDIO_END = b'"}'
_BRACKETS = ("<", "[", "(")
_MAX_LINES = 4_000_000  # far more than rows that can be held; the rest would be blank


class _BadRowError(ValueError):
    """A row that is JSON but not what its type promises; the message says why."""


def begins_with_header(head: bytes) -> bool:
    """Whether the first row of a capture (unpacked) says that it is session JSONL."""
    return _FIRST_ROW.match(head) is not None


def holds_rows(head: bytes) -> bool:
    """Whether a line of the first bytes of a capture (unpacked) looks like a row of session JSONL."""
    rows = [line for line in head.splitlines() if line.lstrip().startswith(b"{") and _ROW.search(line)]
    # a program that prints events alone may print its own close command, too, and texts of the manual endpoint
    is_others = _WAY.search(head) is not None  # messages with their direction, of which one may say that it was opened
    is_plain = not is_others and bool(rows) and _EVENT.search(head) is None
    return is_plain or any(_is_row(row, is_others) for row in rows)


def _is_row(line: bytes, is_others: bool) -> bool:
    """Whether a line has what no other line has that a program prints: also others say that something was opened."""
    is_message = _MESSAGE.search(line) is not None and _CONTENT.search(line) is not None
    is_open = not is_others and _OPEN.search(line) is not None and _STATUS.search(line) is not None
    return is_message or is_open or _SESSION.search(line) is not None


def read_rows(stream: BufferedIOBase, path: str | None = None, connection: Wanted = None) -> Session:
    """Read a session from an open stream.

    Args:
        stream: Binary, unpacked.
        path: Where it came from.
        connection: 1, the only one that there is, all, or None.

    Raises:
        InputError: The capture has no readable row, or another connection is asked for.
        OSError: It cannot be read.
    """
    name = path or "the capture"
    builder = _Builder()
    loss = None
    try:
        for number, line in numbered_lines(stream):
            builder.add(number, line)
    except FullError as error:
        loss = Loss(builder.last_line + 1, str(error))
    except StreamError as error:
        loss = Loss(error.line, str(error))
    if not builder.rows:
        raise NoCaptureError(
            f"{name} is not a session capture: none of its lines is a row of session JSONL{and_more(loss)}"
        )
    if not is_wanted(connection, 1):
        raise InputError(f"{name} is one session; it has no connection {connection}")
    if loss is not None:
        builder.found.lose(loss)
    return builder.session(path)


class _Builder:
    """Collects rows line by line."""

    def __init__(self) -> None:
        self.header: dict[str, Any] = {}
        self.found = Collector()
        self.damage = self.found.damage
        self.transcript: Transcript | None = None
        self.rows = 0
        self.last_line = 0

    def add(self, line: int, content: bytes | None) -> None:
        self.last_line = line
        if content is None:
            self.damage(line, f"longer than {MAX_LINE_BYTES >> 20} MiB")
            return
        if line > _MAX_LINES:
            raise FullError(f"more than {_MAX_LINES} lines; {UNREAD}")
        if content.endswith(_AUDIO_END) and self._add_audio(line, content):
            return
        if not content.strip():
            return
        cost = json_cost(content)
        try:
            refuse_costly(cost)
            self._add_row(line, DECODER.decode(content.decode("utf-8-sig" if line == 1 else "utf-8")), cost)
        except FullError:
            raise
        except UnicodeDecodeError:
            self.damage(line, "not UTF-8")
        except (_BadRowError, NotJsonError, CostlyError) as error:
            self.damage(line, str(error))
        except RecursionError:
            self.damage(line, "JSON that is nested too deep")
        except ValueError:
            self.damage(line, "not JSON")

    def _add_audio(self, line: int, content: bytes) -> bool:
        """Take a row of sent audio in without decoding it as JSON; False where it is no such row, or damaged."""
        begin = _AUDIO_ROW.match(content, 0, len(content) - len(_AUDIO_END))
        if begin is None:
            return False
        try:
            audio = b64decode(memoryview(content)[begin.end() : -len(_AUDIO_END)], validate=True)
        except ValueError:
            return False
        t = float(begin[1])
        if not self.found.is_time(t):
            return False
        self.rows += 1
        self.found.add_audio(line, t, True, audio)
        return True

    def _add_row(self, line: int, row: Any, cost: int) -> None:
        if not isinstance(row, dict):
            raise _BadRowError("not a JSON object")
        kind = row.get("type")
        if kind == "session":
            self._add_header(line, row)
        elif kind == "transcript":
            self.found.budget.take(EVENT_BYTES)
            self.transcript = Transcript(redact_tokens(_text(row, "text")), line)
        elif isinstance(kind, str) and kind in _ROWS:
            time = number(row.get("t"))
            wrong = "is not a number of seconds" if time is None and row.get("t") is not None else ""
            if time is not None and not self.found.is_time(time):
                time, wrong = None, "is out of range"
            if kind == "open":
                self.found.budget.take(CONNECTION_BYTES)
            event = _ROWS[kind](line, time, row)
            self.rows += 1
            self.found.add(event, 0 if isinstance(event, Frame) and event.content is not None else cost)
            if wrong:
                self.damage(line, f"t {wrong}, so the row has no time")
            return
        else:
            raise _BadRowError("a row of unknown type")
        self.rows += 1

    def _add_header(self, line: int, row: dict[str, Any]) -> None:
        if self.header:
            raise _BadRowError("a second session row")
        self.header = row
        schema = row.get("schema")
        if schema not in (None, "sttdoctor.session/1"):
            self.damage(line, f"schema {redact_text(str(schema))[:60]!r} is not sttdoctor.session/1")

    def session(self, path: str | None) -> Session:
        header = self.header
        clock = header.get("clock", "client")
        lacks = header.get("lacks")
        resolution = number(header.get("resolution")) or 0.0
        return Session(
            events=tuple(self.found.events),
            url=_optional(header, "url"),
            headers=_headers(header.get("headers")),
            started_at=_optional(header, "started_at"),
            client=_optional(header, "client"),
            source=_optional(header, "source"),
            clock=clock if clock in _CLOCKS else "client",
            resolution=resolution if 0 <= resolution <= LONGEST_S else 0.0,
            lacks=self.found.lacks | {item for item in (lacks if isinstance(lacks, list) else ()) if item in _LACKS},
            transcript=self.transcript,
            damage=self.found.losses,
            path=path,
        )


def _open_row(line: int, t: float | None, row: Mapping[str, Any]) -> Open:
    body = row.get("body")
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return Open(line, t, _integer(row.get("status")), _headers(row.get("headers")), text and redact_text(text))


def _close_row(line: int, t: float | None, row: Mapping[str, Any]) -> Close:
    by = row.get("by")
    known = by if by in ("client", "server") else "unknown"
    return Close(line, t, known, _integer(row.get("code")), _optional(row, "reason") or "")


def _send_row(line: int, t: float | None, row: Mapping[str, Any]) -> Frame:
    if row.get("audio") is not None:
        audio = _base64(row["audio"])
        return Frame(line, t, True, len(audio), binary=True, content=audio)
    return _other_frame(line, t, True, row)


def _receive_row(line: int, t: float | None, row: Mapping[str, Any]) -> Frame:
    return _other_frame(line, t, False, row)


def _other_frame(line: int, t: float | None, sent: bool, row: Mapping[str, Any]) -> Frame:
    """Read content of the first key that has any: some writers put a null under each key without a value."""
    elided = row.get("elided") is True
    content = row.get("json")
    whole = frame_size(row.get("length")) if elided else None
    if content is None and row.get("text") is not None:
        if elided:
            return elided_frame(line, t, sent, _text(row, "text"), whole)
        text = _text(row, "text")
        if text.startswith("{"):  # JSON all the same: a recorder need not look into what it records
            return text_frame(line, t, sent, text)
        if sent and text.startswith(_BRACKETS) and is_size(text):  # a recorder's word in place of the bytes
            return Frame(line, t, sent, frame_size(said_size(text)) or 0, binary=True)
        text = redact_text(text)
        return Frame(line, t, sent, len(text.encode(errors="replace")), text=text)
    size = frame_size(row.get("bytes"))
    if content is None and size is not None:
        return Frame(line, t, sent, size, binary=True)
    if "json" not in row:
        raise _BadRowError("a frame without content or length")
    text = json.dumps(content)
    message = redact_message(content, text)
    if whole is None:
        whole = len(text if message is content else json.dumps(message))
    return Frame(line, t, sent, whole, message=message, elided=elided)


_ROWS: dict[str, Callable[[int, float | None, Mapping[str, Any]], Event]] = {
    "open": _open_row,
    "send": _send_row,
    "receive": _receive_row,
    "close": _close_row,
}


def _base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _BadRowError("audio that is not a base64 string")
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise _BadRowError("audio that is not base64") from None


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise _BadRowError(f"{key} is not a string")
    return value


def _optional(row: Mapping[str, Any], key: str) -> str | None:
    value = row.get(key)
    return redact_text(value) if isinstance(value, str) else None


def _headers(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return redact_headers({str(name): str(item) for name, item in value.items()})


def _integer(value: Any) -> int | None:
    found = number(value)
    return int(found) if found is not None and abs(found) < 2**53 else None


_encode = json.JSONEncoder(separators=(",", ":")).encode  # made once: a recorder writes thousands of rows a second


def write_rows(session: Session) -> Iterator[str]:
    """Yield the lines of a session, each without its line end; absent values are left out."""
    header = {
        "type": "session",
        "schema": SESSION_SCHEMA,
        "started_at": session.started_at,
        "url": session.url,
        "headers": dict(session.headers) or None,
        "client": session.client,
        "source": session.source,
        "clock": session.clock,
        "resolution": session.resolution or None,
        "lacks": sorted(session.lacks) or None,
    }
    yield line_of(header)
    for event in session.events:
        if not isinstance(event, Control):  # the format has no row for pings
            yield line_of(_row(event))
    if session.transcript is not None:
        yield line_of({"type": "transcript", "text": session.transcript.text})


def _row(event: Open | Frame | Close) -> dict[str, Any]:
    if isinstance(event, Open):
        headers = dict(event.headers) or None
        return {"type": "open", "t": event.t, "status": event.status, "headers": headers, "body": event.body}
    if isinstance(event, Close):
        return {"type": "close", "t": event.t, "by": event.by, "code": event.code, "reason": event.reason}
    return {"type": "send" if event.sent else "receive", "t": event.t, **content_of(event)}


def content_of(frame: Frame | bytes) -> dict[str, Any]:
    """Return the keys of a row that hold what a frame carries; bytes stand for a binary frame."""
    audio = frame if isinstance(frame, bytes) else frame.audio
    if audio is not None:
        return {"audio": b64encode_as_string(audio)}
    assert isinstance(frame, Frame)
    elided = True if frame.elided else None
    if frame.binary:
        return {"bytes": frame.size}
    if frame.text is not None:
        return {"text": frame.text, "elided": elided, "length": frame.size if elided else None}
    # the length of what is left out stands beside it, as a key that readers need not know
    return {"json": frame.message, "elided": elided, "length": frame.size if elided else None}


def line_of(row: Mapping[str, Any]) -> str:
    """Return a row as one line of ASCII, without its end; absent values are left out."""
    if len(row) == 3 and row.get("audio") is not None and row.get("t") is not None:
        # nearly all rows are such ones, and base64 needs no escaping: looking for what does takes longer than the rest
        return f'{{"type":"{row["type"]}","t":{row["t"]!r},"audio":"{row["audio"]}"}}'
    return _encode({key: value for key, value in row.items() if value is not None or key == "json"})

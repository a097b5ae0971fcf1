"""A session as it happens: one row of session JSONL for each thing that happens, secrets replaced before it is kept."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from pybase64 import b64encode_as_string

from sttdoctor.evidence import SESSION_SCHEMA, Frame
from sttdoctor.readers.frames import text_frame
from sttdoctor.readers.session_jsonl import content_of, line_of
from sttdoctor.readers.wire.tap import MAX_TEXT_BYTES
from sttdoctor.redact import (
    hide_known,
    hide_known_bytes,
    holds_text,
    redact_bytes,
    redact_headers,
    redact_text,
    redact_tokens,
    secrets_of,
)
from sttdoctor.values import immutable

Row = dict[str, Any]
Sink = Callable[[Row], None]


@immutable
class Heading:
    """What the first row of a session says.

    Attributes:
        url: The address that the client asked for, with its query.
        headers: Of the handshake; secret values are replaced when the row is made.
        source: How the session was captured.
        clock: Where its times were taken: `client`, `proxy` or `server`.
        peer: Address of the client, which is not written.
    """

    url: str
    headers: Mapping[str, str]
    source: str
    clock: str
    peer: str = ""


class Recording:
    """The rows of one session, handed to a sink in the order in which things happen.

    Args:
        heading: For the first row.
        sink: Takes each row: `list.append`, or `to_file(file)`.
        began: When the session began, on the clock of `time.monotonic`; None is now.
    """

    def __init__(self, heading: Heading, sink: Sink, began: float | None = None) -> None:
        now = time.monotonic()
        self._sink = sink
        self._began = now if began is None else began
        self._last_t = 0.0
        self._secrets = secrets_of(heading.headers, heading.url)  # which a service may quote, whatever it says
        headers = redact_headers(heading.headers)
        sink(
            {
                "type": "session",
                "schema": SESSION_SCHEMA,
                "started_at": _iso(datetime.now(UTC) - timedelta(seconds=now - self._began)),
                "url": redact_text(heading.url),
                "headers": headers,
                "client": headers.get("x-cartesia-client") or headers.get("user-agent"),
                "source": heading.source,
                "clock": heading.clock,
            }
        )

    def opened(
        self, status: int, headers: Mapping[str, str] | None = None, body: str | None = None, at: float | None = None
    ) -> None:
        """Note the answer to the handshake: its HTTP status, 101 when it worked, and the body of a refusal."""
        told = {name: self._hide(value) for name, value in redact_headers(headers or {}).items()} or None
        self._add("open", at, status=status, headers=told, body=None if body is None else redact_text(self._hide(body)))

    def message(self, sent: bool, content: str | bytes, at: float | None = None) -> None:
        """Note a message.

        Args:
            sent: From client to server.
            content: Text of a text frame, bytes of a binary one. Of bytes from the server, which are no audio of the
                client's, the length is kept, and so it is of a text above `MAX_TEXT_BYTES`, in whichever frame.
            at: When, on the clock of `time.monotonic`; None is now.
        """
        if isinstance(content, str):
            if len(content) > MAX_TEXT_BYTES:
                self.left_out(sent, False, len(content.encode(errors="replace")), at)
                return
            frame = text_frame(0, None, sent, self._hide(content))
            self._add("send" if sent else "receive", at, **content_of(frame))
        elif sent and len(content) > MAX_TEXT_BYTES and holds_text(content, MAX_TEXT_BYTES):
            self.left_out(True, True, len(content), at)
        elif sent:
            kept = redact_bytes(hide_known_bytes(content, self._secrets))
            self._sink({"type": "send", "t": self._stamp(at), "audio": b64encode_as_string(kept)})
        else:
            self._add("receive", at, bytes=len(content))

    def left_out(self, sent: bool, binary: bool, size: int, at: float | None = None) -> None:
        """Note a message whose content is not kept: its size in bytes stands for it."""
        frame = Frame(0, None, sent, size, binary, text=None if binary else "", elided=not binary)
        self._add("send" if sent else "receive", at, **content_of(frame))

    def closed(self, by: str, code: int, reason: str = "", at: float | None = None) -> None:
        """Note the close of the WebSocket; `by` is `client`, `server` or `unknown`."""
        self._add("close", at, by=by, code=code, reason=redact_text(self._hide(reason)))

    def transcript(self, text: str) -> None:
        """Note the text that the application ended up with."""
        self._add("transcript", None, text=redact_tokens(self._hide(text)))

    def _hide(self, text: str) -> str:
        return hide_known(text, self._secrets)

    def _add(self, kind: str, at: float | None, **keys: Any) -> None:
        self._sink({"type": kind, "t": self._stamp(at), **keys})

    def _stamp(self, at: float | None) -> float:
        """Return the seconds of a row; never before the row above it, whatever order the notes come in."""
        t = (time.monotonic() if at is None else at) - self._began
        t = round(1e6 * t) / 1e6  # microseconds; round(t, 6) takes three times as long
        if t > self._last_t:
            self._last_t = t
        return self._last_t


def _iso(time_: datetime) -> str:
    return time_.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_file(file: BinaryIO) -> Sink:
    """Return a sink that writes each row as one line and flushes it, so that a killed process loses at most one.

    Args:
        file: Best without a buffer: then a line is one call of the system, and not cut where the buffer is full.
    """

    def write(row: Row) -> None:
        line = f"{line_of(row)}\n".encode("ascii")
        written = file.write(line)
        while written < len(line):  # without a buffer: the disk is getting full, and the next write tells
            written += file.write(line[written:])
        file.flush()

    return write

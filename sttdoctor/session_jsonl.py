"""A session as session JSONL: the way back from `sttdoctor.readers`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pybase64 import b64encode_as_string

from sttdoctor.evidence import SESSION_SCHEMA, Close, Control, Frame, Open, Session

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

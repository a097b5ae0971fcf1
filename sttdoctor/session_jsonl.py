"""A session as session JSONL: the way back from `sttdoctor.readers`."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from sttdoctor.evidence import SESSION_SCHEMA, Close, Event, Frame, Open, Session


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
    yield _line(header)
    for event in session.events:
        yield _line(_row(event))
    if session.transcript is not None:
        yield _line({"type": "transcript", "text": session.transcript.text})


def _row(event: Event) -> dict[str, Any]:
    if isinstance(event, Open):
        headers = dict(event.headers) or None
        return {"type": "open", "t": event.t, "status": event.status, "headers": headers, "body": event.body}
    if isinstance(event, Close):
        return {"type": "close", "t": event.t, "by": event.by, "code": event.code, "reason": event.reason}
    return {"type": "send" if event.sent else "receive", "t": event.t, **_content(event)}


def _content(frame: Frame) -> dict[str, Any]:
    elided = True if frame.elided else None
    if frame.audio is not None:
        return {"audio": base64.b64encode(frame.audio).decode("ascii")}
    if frame.binary:
        return {"bytes": frame.size}
    if frame.text is not None:
        return {"text": frame.text, "elided": elided, "length": frame.size if elided else None}
    # the length of what is left out stands beside it, as a key that readers need not know
    return {"json": frame.message, "elided": elided, "length": frame.size if elided else None}


def _line(row: dict[str, Any]) -> str:
    kept = {key: value for key, value in row.items() if value is not None or key == "json"}
    return json.dumps(kept, separators=(",", ":"))

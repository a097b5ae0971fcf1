"""Every row of session JSONL, and sessions as bytes."""

import base64

from common import HEADER

from sttdoctor.evidence import Session
from sttdoctor.readers.session_jsonl import write_rows

EVERY_ROW = (
    {
        **HEADER,
        "started_at": "2026-11-22T10:00:00Z",
        "headers": {"Cartesia-Version": "2026-03-01"},
        "client": "cartesia-python/4.2.0",
        "source": "a proxy",
        "clock": "proxy",
        "resolution": 0.001,
        "lacks": ["close", "headers", "colour"],
    },
    {"type": "open", "t": 0.1, "status": 101, "headers": {"Server": "x"}, "body": "hello"},
    {"type": "receive", "t": 0.2, "json": {"type": "connected", "request_id": "r1"}},
    {"type": "send", "t": 1, "audio": base64.b64encode(b"\x01\x02\xff").decode()},
    {"type": "send", "t": 1.5, "bytes": 320},
    {"type": "send", "t": 2.0, "text": "finalize"},
    {"type": "send", "t": 2.1, "json": {"type": "close"}},
    {"type": "receive", "t": 2.2, "text": "Zü", "elided": True},
    {"type": "receive", "bytes": 7},
    {"type": "close", "t": 3.0, "by": "server", "code": 1000, "reason": "bye"},
    {"type": "transcript", "t": 3.1, "text": "Hello there."},
)


def written(session: Session) -> bytes:
    return "".join(row + "\n" for row in write_rows(session)).encode()


def same(a: Session, b: Session) -> bool:
    keys = ("events", "url", "headers", "started_at", "client", "source", "clock", "resolution", "lacks", "transcript")
    return all(getattr(a, key) == getattr(b, key) for key in keys)

"""Captures and options that several tests of the command line use."""

import sys

from common import FIXTURES, HEADER, OPEN, jsonl

HEALTHY = FIXTURES / "audio" / "s16-16k.raw"
FAULTY = FIXTURES / "audio" / "mulaw-declared-s16.raw"
WITH_AUDIO = FIXTURES / "sessions" / "healthy-one-turn-trimmed.jsonl"
EVENTS = [
    {"type": "receive", "t": 0.5, "json": {"type": "turn.start", "request_id": "r1"}},
    {"type": "receive", "t": 5.5, "json": {"type": "turn.end", "request_id": "r1", "transcript": "Hi there."}},
    {"type": "receive", "t": 5.6, "json": {"type": "turn.start", "request_id": "r1"}},
    {"type": "receive", "t": 6.2, "json": {"type": "turn.end", "request_id": "r1", "transcript": " Bye."}},
]
SENT = [{"type": "send", "t": 0.2 + 0.1 * i, "bytes": 3200} for i in range(60)]
END = [{"type": "send", "t": 6.3, "json": {"type": "close"}}, {"type": "close", "t": 6.5, "by": "server", "code": 1000}]
ROWS = jsonl(HEADER, OPEN, *sorted([*SENT, *EVENTS], key=lambda row: row["t"]), *END)
DECLARED = ("--encoding", "pcm_s16le", "--sample-rate", "16000")
ENCODING_ONLY = ("--select", "encoding")
TOOL = [sys.executable, "-m", "sttdoctor"]

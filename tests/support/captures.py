"""One small session in every format that is read, written by hand as the tools write it."""

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any

URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
ID = "5c3d2b1a-0000-4000-8000-1234567890ab"
SPOKEN = "Hello there, this is a text that is long enough to be elided by the library."
CHUNK = bytes(range(256)) * 3 + bytes(32)
EVENTS: Sequence[dict[str, Any]] = (
    {"type": "connected", "request_id": ID},
    {"type": "turn.start", "request_id": ID},
    {"type": "turn.update", "request_id": ID, "transcript": SPOKEN[:40]},
    {"type": "turn.end", "request_id": ID, "transcript": SPOKEN},
)
HEADERS = {
    "Host": "api.cartesia.ai",
    "Authorization": "Bearer sk_car_secret",
    "cartesia-version": "2026-08-14",
    "User-Agent": "cartesia-python/4.2.0",
}
EPOCH = 1_790_000_000.0  # 2026-09-21T14:13:20Z

Step = tuple[float, bool, bytes | str]


def steps() -> list[Step]:
    """(seconds, sent, content): three seconds at realtime, the events, the close command."""
    found: list[Step] = [(0.1 * number + 0.2, True, CHUNK) for number in range(30)]
    found += [(t, False, json.dumps(event)) for t, event in zip((0.1, 1.0, 1.51, 3.5), EVENTS, strict=True)]
    found.append((3.2, True, '{"type":"close"}'))
    return sorted(found, key=lambda step: step[0])


def har(
    creator: str = "WebInspector", unit: float = 1.0, url: str = URL, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """A HAR with one socket; `unit` is 1000 where times are milliseconds."""
    messages = [
        {
            "type": "send" if sent else "receive",
            "time": (EPOCH + t) * unit,
            "opcode": 2 if isinstance(content, bytes) else 1,
            "data": base64.b64encode(content).decode() if isinstance(content, bytes) else content,
        }
        for t, sent, content in steps()
    ]
    names = HEADERS if headers is None else headers
    request = {"method": "GET", "url": url, "headers": [{"name": k, "value": v} for k, v in names.items()]}
    entry = {
        "_resourceType": "websocket",
        "startedDateTime": "2026-09-21T14:13:20.000Z",
        "request": request,
        "response": {"status": 101, "headers": []},
        "_webSocketMessages": messages,
    }
    return {"log": {"version": "1.2", "creator": {"name": creator, "version": "1"}, "entries": [entry]}}


def shown(content: bytes | str, limit: int = 75) -> str:
    """A frame as the library prints it: the middle of what is longer than `limit` is left out."""
    if isinstance(content, bytes):
        cut = (limit // 3 - 1) // 3
        if len(content) > limit // 3:
            return f"BINARY {content[: 2 * cut].hex(' ')} ... {content[-cut:].hex(' ')} [{len(content)} bytes]"
        return f"BINARY {content.hex(' ')} [{len(content)} bytes]"
    data = repr(content)
    if len(data) > limit:
        cut = limit // 3 - 1
        data = data[: 2 * cut] + "..." + data[-cut:]
    return f"TEXT {data} [{len(content.encode())} bytes]"


def clock(t: float) -> str:
    """A time of day with milliseconds, as `logging` prints it."""
    whole = 14 * 3600 + 13 * 60 + 20 + t
    return (
        f"{int(whole // 3600):02}:{int(whole // 60 % 60):02}:{int(whole % 60):02},{round(whole % 1 * 1000) % 1000:03}"
    )


def websockets_log(
    prefix: str = "2026-09-21 {clock} websockets.client DEBUG ", limit: int = 75, url: str = URL
) -> bytes:
    """The log of a client; `{clock}` in the prefix is the time."""
    _, _, rest = url.partition("://")
    path = "/" + rest.partition("/")[2]
    lines = [(0.0, "= connection is CONNECTING"), (0.0, f"> GET {path} HTTP/1.1")]
    lines += [(0.0, f"> {name}: {value}") for name, value in HEADERS.items()]
    lines += [(0.05, "< HTTP/1.1 101 Switching Protocols"), (0.05, "< Server: x"), (0.05, "= connection is OPEN")]
    lines += [(t, f"{'>' if sent else '<'} {shown(content, limit)}") for t, sent, content in steps()]
    lines += [
        (3.6, "< CLOSE 1000 (OK) [2 bytes]"),
        (3.6, "> CLOSE 1000 (OK) [2 bytes]"),
        (3.6, "= connection is CLOSED"),
    ]
    return "".join(f"{prefix.replace('{clock}', clock(t))}{line}\n" for t, line in lines).encode()


def sdk_lines() -> list[tuple[float, str]]:
    found = [(0.0, f"Connecting to {URL}")]
    found += [(t, f"Received WebSocket message: {content.encode()!r}") for t, sent, content in steps() if not sent]  # type: ignore[union-attr]
    return found


def sdk_log() -> bytes:
    """The log of the SDK, with times of whole seconds."""
    name = "cartesia.resources.stt.auto_finalize"
    return "".join(f"[2026-09-21 {clock(t)[:8]} - {name}:244 - DEBUG] {line}\n" for t, line in sdk_lines()).encode()


def both_logs() -> bytes:
    """Both libraries in one file: what the SDK reads is logged after the library's line of it."""
    out: list[str] = []
    texts = [line for _, line in sdk_lines()]
    for line in websockets_log().decode().splitlines():
        if "> GET" in line:
            out.append(f"2026-09-21 {clock(0)} cartesia DEBUG {texts.pop(0)}")
        out.append(line)
        if " < TEXT" in line:
            out.append(f"2026-09-21 {clock(4)} cartesia DEBUG {texts.pop(0)}")
    return "".join(f"{line}\n" for line in out).encode()


def session_jsonl() -> bytes:
    """The same as session JSONL."""
    rows: list[dict[str, Any]] = [
        {"type": "session", "url": URL, "headers": HEADERS},
        {"type": "open", "t": 0.05, "status": 101},
    ]
    for t, sent, content in steps():
        key = (
            {"audio": base64.b64encode(content).decode()}
            if isinstance(content, bytes)
            else {"json": json.loads(content)}
        )
        rows.append({"type": "send" if sent else "receive", "t": t, **key})
    rows.append({"type": "close", "t": 3.6, "by": "server", "code": 1000})
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


FORMATS = {
    "session": session_jsonl(),
    "chrome": json.dumps(har(), indent=2).encode(),
    "compact": json.dumps(har("mitmproxy")).encode(),
    "playwright": json.dumps(har("Playwright", 1000.0)).encode(),
    "websockets": websockets_log(),
    "websockets-whole": websockets_log(limit=100_000),
    "no-times": websockets_log(""),
    "sdk": sdk_log(),
    "both": both_logs(),
}
FORMATS["gzip"] = gzip.compress(FORMATS["chrome"], mtime=0)

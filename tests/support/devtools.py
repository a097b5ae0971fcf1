"""Events of the DevTools protocol, written by hand as the tools that drive a browser write them."""

import base64
import json
from collections.abc import Callable
from typing import Any

from captures import EPOCH, HEADERS, URL, steps

CLOCK = 26_883.119963  # of the browser, when the session began


def event(name: str, t: float, **more: Any) -> dict[str, Any]:
    return {"method": f"Network.webSocket{name}", "params": {"requestId": "1420.1", "timestamp": CLOCK + t, **more}}


def frame(t: float, sent: bool, content: bytes | str) -> dict[str, Any]:
    is_binary = isinstance(content, bytes)
    payload = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    told = {"opcode": 1 + is_binary, "mask": sent, "payloadData": payload}
    return event("FrameSent" if sent else "FrameReceived", t, response=told)


def events() -> list[dict[str, Any]]:
    """The session of `captures`, with its handshake and its close."""
    created = event("Created", 0.0, url=URL, initiator={"type": "script"})
    del created["params"]["timestamp"]
    return [
        {"method": "Page.frameStartedLoading", "params": {"frameId": "A"}},
        created,
        event("WillSendHandshakeRequest", 0.0, wallTime=EPOCH, request={"headers": HEADERS}),
        event("HandshakeResponseReceived", 0.05, response={"status": 101, "headers": {"Server": "x"}}),
        *(frame(*step) for step in steps()),
        event("Closed", 3.6),
    ]


def selenium(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`driver.get_log("performance")`."""
    return [
        {"level": "INFO", "message": json.dumps({"message": item, "webview": "A"}), "timestamp": 1} for item in found
    ]


def lines(made: list[Any], before: str = "") -> bytes:
    return "".join(f"{before}{json.dumps(item, separators=(',', ':'))}\n" for item in made).encode()


def literal(text: str) -> str:
    """As JavaScript shows a text that holds double quotes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def puppeteer(found: list[dict[str, Any]]) -> bytes:
    heads = "2026-09-21T14:13:20.000Z puppeteer:protocol:RECV ◀ [\n"
    shown = (literal(json.dumps(item, separators=(",", ":"))) for item in found)
    return "".join(f"{heads}  {item}\n]\n" for item in shown).encode()


FORMS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "list": lambda found: json.dumps(found, indent=1).encode(),
    "lines": lines,
    "selenium": lambda found: json.dumps(selenium(found)).encode(),
    "selenium-lines": lambda found: lines(selenium(found)),
    "objects": lambda found: json.dumps([{"message": item} for item in found]).encode(),
    "playwright": lambda found: lines(found, "2026-09-21T14:13:20.000Z pw:protocol ◀ RECV "),
    "puppeteer": puppeteer,
}

"""Canaries are planted in every format and looked for in everything that is written."""

import json

import captures
import pytest
from captures import FORMATS

CANARY = "c4n4ry"
KEY = f"sk_car_{CANARY}"
PERCENT = "".join(f"%{ord(character):02X}" for character in "sk_car_") + CANARY
SECRET_URL = captures.URL.replace("://", f"://me:p@{CANARY}@") + (
    f"&API_KEY={CANARY}&access_token={CANARY}&Token={PERCENT}&x%5Bapi_key%5D={CANARY}&api%5Fkey={CANARY}"
    f"&next=https%3A%2F%2Fa%2F%3Faccess_token%3D{CANARY}&{PERCENT}=1#access_token={CANARY}"
)
SECRET_HEADERS = {
    "AUTHORIZATION": f"Bearer {CANARY}",
    "x-api-KEY": CANARY,
    "Cookie": f"session={CANARY}; b={CANARY}",
    "Referer": f"https://me:{CANARY}@a/?token={CANARY}",
    "Sec-WebSocket-Protocol": f"token, {CANARY}",
}
ERROR = json.dumps(
    {"type": "error", "title": "x", "message": f"bad api_key: {CANARY}", "status_code": 401, "token": CANARY}
)


def leaky_har() -> bytes:
    archive = captures.har(url=SECRET_URL, headers=SECRET_HEADERS)
    archive["log"]["creator"]["name"] = f"tool {KEY}"
    entry = archive["log"]["entries"][0]
    entry["response"] = {
        "status": 403,
        "headers": [{"name": "Set-Cookie", "value": CANARY}],
        "content": {"text": f"Authorization: Token {CANARY}"},
    }
    entry["startedDateTime"] = f"token={CANARY}"
    entry["_webSocketMessages"] += [
        {"type": "receive", "time": captures.EPOCH + 4, "opcode": 1, "data": ERROR},
        {"type": "send", "time": captures.EPOCH + 5, "opcode": 1, "data": f"api_key={CANARY}"},
        {"type": "error", "time": captures.EPOCH + 6, "opcode": -1, "data": f"failed: {SECRET_URL}"},
        {"type": f"{KEY}", "time": KEY, "data": KEY},
    ]
    return json.dumps(archive).encode()


def leaky_log(limit: int) -> bytes:
    log = captures.websockets_log(limit=limit, url=SECRET_URL)
    mark = b"2026-09-21 14:13:24,000 websockets.client DEBUG "
    headers = b"".join(mark + f"> {name}: {value}\n".encode() for name, value in SECRET_HEADERS.items())
    more = [f"< {captures.shown(ERROR, limit)}", f"> {captures.shown(f'token={CANARY}', limit)}"]
    more += [f"< CLOSE 1008 (policy violation) bad api_key={CANARY} [9 bytes]"]
    log = log.replace(b"> Host: api.cartesia.ai\n", b"> Host: api.cartesia.ai\n" + headers)
    frames = b"".join(mark + line.encode() + b"\n" for line in more)
    place = log.index(b"2026-09-21 14:13:23,600")
    return log[:place] + frames + log[place:]


def leaky_sdk() -> bytes:
    log = captures.sdk_log().replace(captures.URL.encode(), SECRET_URL.encode())
    return (
        log + f"[2026-09-21 14:13:25 - cartesia.x:1 - DEBUG] Received WebSocket message: {ERROR.encode()!r}\n".encode()
    )


LEAKY = {
    "har": leaky_har(),
    "two sockets": leaky_har().replace(
        b'"entries": [', b'"entries": [' + json.dumps(captures.har(url=SECRET_URL)["log"]["entries"][0]).encode() + b","
    ),
    "cut har": leaky_har()[:-300],
    "no frames": json.dumps({"log": {"entries": [{"request": {"url": SECRET_URL}}]}}).encode(),
    "log": leaky_log(75),
    "whole log": leaky_log(100_000),
    "two connections": 2 * leaky_log(75),
    "sdk": leaky_sdk(),
    "both": leaky_log(75) + leaky_sdk(),
    "nothing known": f"api_key={CANARY}\n".encode(),
    "session": FORMATS["session"].replace(captures.URL.encode(), SECRET_URL.encode()),
}


@pytest.mark.parametrize(
    "command", [["convert"], ["convert", "--no-audio", "--no-text"], ["replay", "-v"], ["replay", "--format", "json"]]
)
@pytest.mark.parametrize("name", LEAKY)
def test_no_canary_is_in_any_output(run, name, command):
    assert CANARY.encode() in LEAKY[name]
    checks = ["--ignore", "encoding,sample-rate,channels,signal"] if command[0] == "replay" else []
    for connection in ([], ["--connection", 1]):
        done = run(command[0], "-", *command[1:], *checks, *connection, stdin=LEAKY[name])
        assert CANARY not in done.out + done.err
        assert done.code == 2 or done.out

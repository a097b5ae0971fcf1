"""Keys planted in captures: where and how they can stand, and whether something of them is to be seen."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

from common import URL, jsonl


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def in_hex(text: str) -> str:
    return text.encode().hex()


def in_percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


TEXTS: tuple[str, ...] = (
    # words that announce it
    "Invalid API key {}",
    "Invalid API key: {}",
    "Invalid API key '{}'.",
    'API-Key "{}"',
    "api key: {}",
    "key '{}'",
    "bad key {}",
    "token {}",
    "the key {} has expired",
    "The API key ({}) is invalid",
    "Incorrect API key provided: {}. You can find yours on the page.",
    "Your token is {}",
    "unknown key {}",
    "wrong password {}",
    "{} is not a valid API key",
    "api_key, {}",
    "curl --api-key {} https://a",
    "curl -u user:{} https://a",
    "curl -u {}: https://a",
    "curl --user 'me:{}' https://a",
    # a name, and a value behind it
    "api_key={}",
    "accessKeyId = {}",
    "X-Cartesia-Key: {}",
    "Authorization: {}",
    "Authorization: Bearer {}",
    "authorization=Token {}, next",
    'authorization: Digest username="u", response="{}"',
    "AWS4-HMAC-SHA256 Credential={}/2013/aws4_request, Signature={}",
    "X-API-Key:\r\n {}",
    "> GET /a HTTP/1.1\\r\\nX-API-Key: {}\\r\\nHost: a",
    "Cookie: a={}; b={}",
    "Sec-WebSocket-Protocol: token, {}",
    "Sec-WebSocket-Protocol: {}",
    "token => '{}'",
    "{{'token': '{}', 'a': 1}}",
    '{{\\"apiKey\\": \\"{}\\"}}',
    '{{"credentials": {{"a": "{}"}} cut',
    '{{"tokens": ["{}"] cut',
    "<apiKey>{}</apiKey>",
    "export CARTESIA_API_KEY={}",
    "password=a,{}",
    "SET api_key = 'a''{}' next",
    "INSERT INTO a VALUES ('api_key', '{}''b')",
    '{{""api_key"": ""{}""}}',
    # pairs of a name and a value
    '{{"name": "X-Api-Key", "value": "{}"}} cut',
    "{{'name': 'X-Api-Key', 'value': '{}'}}",
    "('x-api-key', '{}')",
    "(b'x-api-key', b'{}')",
    '<input name="api_key" value="{}">',
    # an authorization scheme
    "Bearer {}",
    "sent bearer {}.",
    # an address
    "wss://user:{}@a/b",
    "wss://user:p@{}@a/b",
    "user:{}@a",
    "wss://a/?key={}&x=1",
    "wss://a/?sig={}",
    "wss://a/?x=1;access_token_v2={}",
    "wss://a/?headers%5Bapi_key%5D={}",
    "wss://a/?%61pi_key={}",
    "wss://a/?next=%2F%3Fx%253Dsk%255Fcar_{}",
    "wss://a/?h=%7B%22token%22%3A%22{}%22%7D",
    "https://a/b#access_token={}",
    # a key of the service, whatever is before or in it
    "xsk_car_{}",
    "_sk_car_{}",
    "sk_car_\n{}",
    "sk_car_\r\n  {}",
    "sk_car_ab\u200b{}",
    "s\u00adk_car_{}",
    "&#115;k_car_{}",
    "&amp;#115;k_car_{}",
    "\\u0073k_car_{}",
    "%73k_car_{}",
    "%25252573k_car_{}",
    "api_key&#61;{}",
    "note sk_car_abcdefgh...zq{}",
    "sk_car_abcd…{}",
    # keys of others
    "sk-proj-{}",
    "ghp_{}",
    "ghp_Ab3/{}4Xy/9zQ",
    "eyJhbGciOiJIUzI1NiJ9.{}.{}",
)
"""Technical text with a key in it, as it stands in errors, close reasons, bodies, text frames and headers."""

CODED: tuple[Callable[[str], str], ...] = (
    lambda key: f"Basic {in_base64(f'user:{key}')}",
    lambda key: in_base64(json.dumps({"api_key": key})),
    lambda key: in_base64(in_base64(json.dumps({"api_key": key}))),
    lambda key: in_base64(f"sk_car_{key}"),
    lambda key: in_base64(f"ab sk_car_{key}"),
    lambda key: in_hex(f"sk_car_{key}"),
    lambda key: f"wss://a/?x={in_percent(f'sk_car_{key}')}",
    lambda key: "wss://a/?x=" + quote(quote(json.dumps({"token": key}))),
    lambda key: json.dumps({"a": json.dumps({"b": json.dumps({"api_key": key})})}),
)
"""The same, coded."""

NAMES: tuple[str, ...] = (
    *("key", "auth", "jwt", "sig", "pwd", "session", "ticket", "credential", "credentials", "tokens", "api_keys"),
    *("accessTokens", "secretKey", "secretKeyId", "access_token_v2", "cartesia_key", "private_key_pem", "passphrase"),
    *("X-Cartesia-Key", "x-key", "X-Functions-Key", "client_secret_of_app", "sid", "session_id", "csrf_token"),
)
"""Names of secrets, of a query and of JSON."""

HEADERS: tuple[str, ...] = (
    *("X-Cartesia-Key", "X-Key", "X-Functions-Key", "Authentication", "X-Credentials", "X-JWT", "X-Session"),
    *("X-Session-Id", "X-Passphrase", "Authorization", "X-API-KEY", "Proxy-Authorization", "Set-Cookie", "X-Auth"),
)
"""Names of headers."""


def texts(key: str) -> list[str]:
    """Every technical text with this key."""
    return [text.format(*[key] * text.count("{}")) for text in TEXTS] + [coded(key) for coded in CODED]


def messages(key: str) -> list[object]:
    """JSON messages with this key under a name, beside one, or in text."""
    return [
        *({"type": "config", name: key} for name in NAMES),
        *({"type": "config", name: [key]} for name in NAMES),
        {"type": "config", "credentials": {"a": key}, "auth": {"x": [key]}, "session": {"id": key, "token": key}},
        {"type": "config", "headers": dict.fromkeys(HEADERS, key)},
        {"type": "config", "headers": [[name, key] for name in HEADERS]},
        {"type": "config", "headers": [{"name": name, "value": key} for name in HEADERS]},
        {"type": "config", "headers": [part for name in HEADERS for part in (name, f"Bearer {key}")]},
        {"type": "config", "env": [{"key": "PASSWORD", "value": key}], f"sk_car_{key}": 1},
        *({"type": "error", "message": text, "title": text, "error_code": text} for text in texts(key)),
        *({"type": "x", "note": [text]} for text in texts(key)),
    ]


def session(key: str) -> bytes:
    """Session JSONL with this key in every place."""
    names = "&".join(f"{name}={key}" for name in NAMES)
    url = URL.replace("://", f"://me:p@{key}@") + f"&{names}&%73k_car_{key}=1#access_token={key}"
    plain = dict.fromkeys(HEADERS, key)
    others = {f"x-{number}": text for number, text in enumerate(texts(key))}
    binary = json.dumps({"type": "config", "api_key": key})
    rows: list[object] = [
        {
            "type": "session",
            "schema": f"sk_car_{key}",
            "url": url,
            "headers": plain | others,
            "client": f"me api_key={key}",
            "source": f"by sk_car_{key}",
            "started_at": f"token={key}",
        },
        {"type": "open", "t": 0.05, "status": 101, "headers": plain | others},
        {"type": "send", "t": 0.1, "audio": in_base64(binary)},
        {"type": "send", "t": 0.1, "audio": base64.b64encode(b"\0\0\0\x2f" + binary.encode() + bytes(3000)).decode()},
        *({"type": "send", "t": 0.2, "json": message} for message in messages(key)),
        *({"type": "receive", "t": 0.3, "json": message} for message in messages(key)),
        *({"type": kind, "t": 0.4, "text": text} for text in texts(key) for kind in ("send", "receive")),
        {"type": "receive", "t": 0.5, "text": f'{{"note":"sk_car_abcdefgh...zq{key}"', "elided": True, "length": 999},
        {"type": "receive", "t": 0.5, "text": f'{{"type":"error","api_k...{key}"', "elided": True, "length": 999},
        {"type": "receive", "t": 0.6, "json": {"type": "turn.start", "request_id": f"sk_car_{key}"}},
        {"type": "receive", "t": 0.7, "json": {"type": "turn.end", "transcript": f"Hi sk_car_{key}."}},
        f'{{"type": "send", "api_key": "{key}"'.encode(),
        {"type": key},
        {"type": "close", "t": 0.8, "by": "server", "code": 1008, "reason": f"bad key {key}"},
        {"type": "transcript", "text": f"Hi sk_car_{key}. api_key={key} and Basic {in_base64(f'me:{key}')}"},
    ]
    return jsonl(*rows)


def refused(key: str, text: str) -> bytes:
    """A refused handshake that quotes a text, once as it is and once as JSON."""
    body = json.dumps({"type": "error", "message": text, "token": key})
    return jsonl(
        {"type": "session", "url": URL, "headers": {"authorization": key}},
        {"type": "open", "t": 0.1, "status": 401, "body": text},
        {"type": "open", "t": 0.2, "status": 401, "body": body, "headers": {"x-reason": text}},
        {"type": "close", "t": 0.3, "by": "server", "code": 1008, "reason": text},
    )


def seen(output: str, key: str) -> str:
    """What of the key, or of more than half of it, is to be seen in an output, plain or coded; empty if nothing is."""
    half = len(key) // 2 + 1
    parts = [key[start : start + half] for start in range(len(key) - half + 1)]
    low = output.lower()
    found = [part for part in parts if part.lower() in low]
    # of base64 what does not depend on where it begins
    codes = [in_base64("\0" * lead + key)[4:-4] for lead in range(3)]
    return next(
        (code for code in [*found, *codes, in_hex(key), in_percent(key)] if code in output or code in found), ""
    )

"""Faults of the handshake: `connection`."""

import json
from collections.abc import Callable

from faults_recipe import Recipe, Row
from faults_registry import fault
from faults_stream import mid_turn


def error_body(status: int, title: str, message: str, code: str = "") -> str:
    """The body with which the service refuses a handshake, as JSON."""
    body = {"type": "error", "title": title, "message": message, "status_code": status}
    return json.dumps({**body, "error_code": code} if code else body)


@fault("connection.rejected", "handshake", solo=True)
def rejected(recipe: Recipe) -> None:
    """A refusal that says nothing about key, path or parameters."""
    recipe.refused = (
        (400, "Bad Request"),
        (500, ""),
        (500, error_body(500, "Internal Server Error", "An internal error occurred.")),
    )[recipe.rng.integers(3)]
    recipe.text = False
    recipe.note = str(recipe.refused[0])
    if recipe.refused[0] >= 500:
        recipe.also |= {"server.error-event", "server.closed-abnormally"}


@fault("connection.intermediary", "handshake", solo=True)
def intermediary(recipe: Recipe) -> None:
    """A proxy, a load balancer or a portal answers; or it accepts the upgrade and passes nothing on."""
    recipe.text = False
    page = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>{1}</body></html>"
    html = {"content-type": "text/html"}
    kinds: tuple[tuple[int, dict[str, str], str], ...] = (
        (502, {**html, "server": "nginx/1.22.1"}, page.format("502 Bad Gateway", "nginx/1.22.1")),
        (503, html, page.format("503 Service Unavailable", "No server is available to handle this request.")),
        (504, {"server": "awselb/2.0"}, ""),
        (426, {"server": "nginx/1.31.5"}, "Upgrade Required"),
        (505, {"server": "nginx/1.22.1"}, "unsupported HTTP version: HTTP/1.0."),
        (403, {**html, "server": "squid/5.7", "x-squid-error": "ERR_ACCESS_DENIED 0"}, ""),
        (407, {"proxy-authenticate": "NTLM"}, ""),
        (302, {"location": "https://login.office.example/portal"}, ""),
        (200, html, page.format("Sign in to this network", "")),
        (522, {"server": "cloudflare", "cf-ray": "8a1b2c"}, "error code: 522"),
        (0, {}, ""),
    )
    status, headers, body = kinds[recipe.rng.integers(len(kinds))]
    recipe.note = str(status or "swallowed")
    if status == 0:
        recipe.service.hears, recipe.service.closes = "nothing", False
        recipe.leave_after = float(recipe.rng.uniform(1.0, 8.0))
        recipe.rows.append(lambda made: [row for row in made if row["type"] != "receive"])
        return
    recipe.refused = (status, body)
    recipe.also.add("connection.rejected")
    recipe.rows.append(lambda made: [{**row, "headers": headers} if row["type"] == "open" else row for row in made])


@fault("connection.unanswered", "handshake", solo=True)
def unanswered(recipe: Recipe) -> None:
    """A firewall drops the packets, or the client does not know of the proxy: no status, and the client gives up."""
    recipe.text = False
    waited = float(recipe.rng.uniform(5.0, 60.0))
    by, code = (("unknown", 1006), ("client", 1006), ("client", 1000))[recipe.rng.integers(3)]
    recipe.note = f"{waited:.0f} s"
    end = {"type": "close", "t": waited, "by": by, "code": code, "reason": ""}
    recipe.rows.append(lambda made: [made[0], end])


@fault("connection.subprotocol", "handshake", solo=True)
def subprotocol(recipe: Recipe) -> None:
    """A page passes its token as a subprotocol, and the answer takes up none or another."""
    recipe.text = False
    other = bool(recipe.rng.random() < 0.3)
    recipe.note = "another" if other else "none"
    recipe.headers["sec-websocket-protocol"] = str(recipe.rng.choice(["bearer, REDACTED", "token, REDACTED", "v1.stt"]))
    answer = {"upgrade": "websocket"} | ({"sec-websocket-protocol": "json"} if other else {})
    end = {"type": "close", "t": 0.06, "by": "client", "code": 1006, "reason": ""}
    recipe.rows.append(lambda made: [made[0], {**made[1], "headers": answer}, end])


@fault("connection.expired", "handshake", solo=True)
def expired(recipe: Recipe) -> None:
    """A token that worked: refused at the next handshake, or its end closes the session."""
    recipe.text = False
    kind = recipe.note = str(recipe.rng.choice(["close", "4401", "reconnect"]))
    words = str(recipe.rng.choice(["access token expired", "Token has expired", "JWT expired"]))
    recipe.lost_at = mid_turn(recipe)
    recipe.lost = {
        "close": ("server", 1008, words),
        "4401": ("server", 4401, words),
        "reconnect": ("unknown", 1006, ""),
    }[kind]
    if kind == "reconnect":
        said = error_body(401, "Unauthorized", words if recipe.rng.random() < 0.5 else "Invalid credentials")

        def refuse(made: list[Row]) -> list[Row]:
            end = max(row.get("t", 0.0) for row in made)
            again = [{"type": "open", "t": end + wait, "status": 401, "body": said} for wait in (1.0, 3.0, 7.0)]
            return [*(row for row in made if row["type"] != "transcript"), *again]

        recipe.rows.append(refuse)


PARAMETERS: dict[str, Callable[[Recipe], None]] = {}


def parameter(apply: Callable[[Recipe], None]) -> Callable[[Recipe], None]:
    """One kind of wrong parameter."""
    PARAMETERS[apply.__name__] = apply
    return apply


def _refuse(recipe: Recipe, message: str, code: str = "") -> None:
    """The service refuses it: in the handshake, with or without words, or by an error event behind an accepted one."""
    how = int(recipe.rng.integers(4))
    body = error_body(400, "Bad Request", message, code)
    recipe.refused = (400, (body, f"Bad Request: {message}", "", body)[how])
    recipe.refused_late = how == 3
    recipe.text = False


@parameter
def deepgram_encoding(recipe: Recipe) -> None:  # M1
    if recipe.rng.random() < 0.5:
        _refuse(recipe, "encoding is not supported")
    names = {"pcm_s16le": "linear16", "pcm_s32le": "linear32", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}
    recipe.said_encoding = names.get(recipe.encoding, recipe.encoding.removeprefix("pcm_"))


@parameter
def opus_encoding(recipe: Recipe) -> None:  # M2
    recipe.said_encoding = str(recipe.rng.choice(["opus", "ogg-opus", "flac", "amr-nb", "speex", "g729"]))
    recipe.refused = (400, error_body(400, "Bad Request", "unsupported encoding"))


@parameter
def flux_thresholds(recipe: Recipe) -> None:  # M7
    recipe.query += [("eot_threshold", "0.7"), ("eager_eot_threshold", "0.5"), ("eot_timeout_ms", "5000")]
    recipe.status = ""


@parameter
def out_of_range(recipe: Recipe) -> None:  # M7
    name, value = (("turn_end_threshold", "0.7"), ("turn_start_threshold", "0.3"), ("turn_end_timeout_ms", "300"),
                   ("turn_eager_end_threshold", "0.9"), ("turn_end_timeout_ms", "60000"))[
        recipe.rng.integers(5)]  # fmt: skip
    recipe.query.append((name, value))


@parameter
def wrong_order(recipe: Recipe) -> None:
    recipe.query += [("turn_eager_end_threshold", "0.3"), ("turn_end_threshold", "0.45")]


@parameter
def nova_keys(recipe: Recipe) -> None:  # M10
    recipe.query += [
        ("punctuate", "true"),
        ("smart_format", "true"),
        ("interim_results", "true"),
        ("endpointing", "300"),
    ]
    recipe.status = ""


@parameter
def elevenlabs_format(recipe: Recipe) -> None:  # M16
    recipe.drop_query |= {"encoding", "sample_rate"}
    recipe.query.append(("audio_format", f"pcm_{recipe.scene.rate}"))
    _refuse(recipe, "encoding is missing")


@parameter
def model_id(recipe: Recipe) -> None:  # M18
    recipe.drop_query.add("model")
    recipe.query.append(("model_id", "scribe_v2_realtime"))
    recipe.refused = (400, error_body(400, "Bad Request", "missing model"))


@parameter
def missing_model(recipe: Recipe) -> None:
    recipe.drop_query.add("model")
    _refuse(recipe, "model is missing")


@parameter
def missing_rate(recipe: Recipe) -> None:
    recipe.drop_query.add("sample_rate")
    _refuse(recipe, "sample_rate is missing")


@parameter
def misspelled_rate(recipe: Recipe) -> None:
    """Accepted without a word, and what the service then takes for the rate nobody knows."""
    recipe.drop_query.add("sample_rate")
    recipe.query.append((str(recipe.rng.choice(["sampleRate", "rate", "samplerate"])), str(recipe.scene.rate)))


@parameter
def rate_in_words(recipe: Recipe) -> None:
    recipe.drop_query.add("sample_rate")
    recipe.query.append(("sample_rate", f"{recipe.scene.rate // 1000}k"))
    if recipe.rng.random() < 0.5:
        _refuse(recipe, "sample_rate must be an integer")
    else:
        recipe.status = "warn"


@parameter
def missing_version(recipe: Recipe) -> None:
    recipe.drop_headers.add("cartesia-version")
    recipe.drop_query.add("cartesia_version")
    recipe.refused = (400, "Bad Request: the header Cartesia-Version is missing")


@parameter
def too_many_keyterms(recipe: Recipe) -> None:
    recipe.query += [("keyterm", f"product {n}") for n in range(120)]
    _refuse(recipe, "too many keyterms")


@parameter
def unknown_model(recipe: Recipe) -> None:
    recipe.drop_query.add("model")
    recipe.query.append(("model", str(recipe.rng.choice(["nova-3", "whisper-1", "flux-general-en", "ink-3"]))))
    recipe.also |= {"server.error-event"}
    recipe.refused = (400, error_body(400, "Bad Request", "The requested model does not exist.", "model_not_found"))


@parameter
def second_question_mark(recipe: Recipe) -> None:
    recipe.rows.append(lambda made: [made[0] | {"url": made[0]["url"].replace("&", "?", 1)}, *made[1:]])
    _refuse(recipe, "unknown model")


@parameter
def whisper_on_auto(recipe: Recipe) -> None:
    recipe.drop_query.add("model")
    recipe.query.append(("model", str(recipe.rng.choice(["ink-whisper", "ink-whisper-2025-06-04"]))))
    _refuse(recipe, "model not available on this endpoint", "model_not_found")


@fault("connection.bad-parameter", "handshake")
def bad_parameter(recipe: Recipe) -> None:
    name = recipe.note = str(recipe.rng.choice(sorted(PARAMETERS)))
    PARAMETERS[name](recipe)
    if recipe.refused:
        recipe.also.add("connection.rejected")
        recipe.text = False


@fault("connection.bad-auth", "handshake", solo=True)
def bad_auth(recipe: Recipe) -> None:
    recipe.refused = (int(recipe.rng.choice([401, 401, 403])), error_body(401, "Unauthorized", "Invalid API key."))
    recipe.text = False
    kinds = ["none", "token", "bare", "xi-api-key", "wrong key", "null", "empty", "masked", "two"]
    kind = recipe.note = str(recipe.rng.choice(kinds))
    if kind == "two":
        recipe.headers["sec-websocket-protocol"] = "realtime, api-key.REDACTED"
        recipe.refused = (400, "Send only one of the API key in the protocol and the Authorization header.")
    elif kind != "wrong key":
        recipe.drop_headers |= {"authorization", "x-api-key"} - (
            {"authorization"} if kind in ("token", "bare") else set()
        )
    if kind == "token":
        recipe.headers["authorization"] = "Token REDACTED"  # M3
    elif kind == "bare":
        recipe.headers["authorization"] = "REDACTED"  # M19
    elif kind in ("null", "empty"):
        value = "Bearer null" if kind == "null" else ""
        recipe.headers["authorization" if kind == "null" else "x-api-key"] = value
        recipe.drop_headers -= set(recipe.headers)
    elif kind == "masked":
        recipe.headers["authorization"] = str(recipe.rng.choice(["***", "[FILTERED]", "Bearer ****abcd"]))
        recipe.drop_headers.discard("authorization")
    elif kind == "xi-api-key":
        recipe.headers["xi-api-key"] = "REDACTED"  # M18


@fault("connection.key-in-url", "key", status="warn")
def key_in_url(recipe: Recipe) -> None:
    recipe.query.append(("api_key", "REDACTED"))
    recipe.drop_headers |= {"authorization", "x-api-key"}
    if recipe.rng.random() < 0.5:  # a native WebSocket: no headers of its own
        recipe.drop_headers |= {"cartesia-version", "x-cartesia-client"}
        recipe.query += [("cartesia_version", "2026-08-14")] * (recipe.profile != "websockets")


@fault("connection.wrong-path", "handshake", solo=True)
def wrong_path(recipe: Recipe) -> None:
    paths = ["/v1/listen", "/v2/listen", "/stt/turn/websocket", "/stt/turns", "/turns/websocket", "/v1/realtime",
             "/v1/speech-to-text/realtime", "/tts/websocket", "/v1/stt/turns/websocket"]  # fmt: skip
    recipe.path = recipe.note = str(recipe.rng.choice(paths))
    recipe.refused = (404, error_body(404, "Not Found", "") if recipe.rng.random() < 0.5 else "404 page not found")
    recipe.text = False


@fault("connection.reconnected", "reconnect", solo=True)
def reconnected(recipe: Recipe) -> None:
    """The connection breaks in mid-turn, the client opens another and goes on."""
    at = mid_turn(recipe)
    gap = float(recipe.rng.uniform(0.3, 2.0))
    kind = recipe.note = str(recipe.rng.choice(["audio lost", "audio sent again"]))
    code = int(recipe.rng.choice([1000, 1000, 1006, 1011, 1012, 1001]))
    by = {1000: "client", 1006: "unknown"}.get(code, "server")  # 1000: the client itself, say to change a setting (M15)
    recipe.note += f", {code}"
    recipe.also |= {"drain.connection-lost"} if code == 1006 else {"server.closed-abnormally"} if code > 1000 else set()
    again = recipe.rng.uniform(1.0, 3.0) if kind == "audio sent again" else 0.0

    def rows(made: list[Row]) -> list[Row]:
        head, body = made[:2], made[2:]
        cut = next(row["t"] for row in body if row["type"] == "send" and row["t"] > at)
        before = [row for row in body if row["t"] <= cut and row["type"] != "transcript"]
        close = {
            "type": "close",
            "t": cut + 0.01,
            "by": by,
            "code": code,
            "reason": "",
        }
        reopened = cut + gap
        opened = [{**made[1], "t": reopened},
                  {"type": "receive", "t": reopened + 0.01,
                   "json": {"type": "connected", "request_id": "77aa01b2"}}]  # fmt: skip
        sent = [row for row in body if row["type"] == "send"]
        later = [row for row in sent if row["t"] > (reopened if again == 0 else cut - again)]
        after = [{**row, "t": max(row["t"], reopened + 0.02)} for row in later]
        lost_turn = _open_turn(before)
        heard = [_renamed(row) for row in body if row["type"] == "receive" and row["t"] > reopened + 0.02]
        heard = _heard_anew(heard, _shown(before)) if lost_turn else heard
        heard = [row for row in heard if row["json"]["type"] != "connected"]
        ended = [row for row in body if row["type"] == "close"]
        return head + before + [close] + opened + sorted(after + heard + ended, key=lambda row: row["t"])

    recipe.text = False
    recipe.rows.append(rows)


@fault("connection.doubled", "reconnect", solo=True)
def doubled(recipe: Recipe) -> None:
    """The code that connects runs twice: a second connection beside the first one, a moment later."""
    shift = float(recipe.rng.uniform(0.0, 0.5))
    recipe.note = f"{1000 * shift:.0f} ms later"
    recipe.text = False
    recipe.rows.append(lambda made: [*made, {"type": "again", "t": made[-1]["t"], "shift": shift}])


def _open_turn(rows: list[Row]) -> bool:
    kinds = [row["json"]["type"] for row in rows if row["type"] == "receive"]
    return kinds.count("turn.start") > kinds.count("turn.end")


def _renamed(row: Row) -> Row:
    return {**row, "json": {**row["json"], "request_id": "77aa01b2"}}


def _shown(rows: list[Row]) -> str:
    return str(next((row["json"]["transcript"] for row in reversed(rows) if "transcript" in row.get("json", {})), ""))


def _heard_anew(rows: list[Row], lost: str) -> list[Row]:
    """The rest of the open turn: the new connection hears it as a turn of its own, and has no text of before."""
    rest: list[Row] = []
    for number, row in enumerate(rows):
        event = row["json"]
        if event["type"] == "turn.start":
            return rest + rows[number:]
        if "transcript" in event:
            event = {**event, "transcript": event["transcript"].removeprefix(lost).lstrip()}
            rest += [{**row, "json": {"type": "turn.start", "request_id": "77aa01b2"}}] * (not rest)
        if rest:
            rest.append({**row, "json": event})
    return rest

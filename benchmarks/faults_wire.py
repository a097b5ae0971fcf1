"""Faults of the handshake and of the protocol: `connection`, `messages`, `endpoint`, `server`."""

import base64
import json
from collections.abc import Callable
from typing import Any

from faults_recipe import WIDTHS, Frame, Recipe, Row
from faults_registry import fault
from faults_stream import Frames, mid_turn, shifted

S16 = (("pcm_s16le", 16000), ("pcm_s16le", 24000), ("pcm_s16le", 48000))


def _error(status: int, title: str, message: str, code: str = "") -> str:
    body = {"type": "error", "title": title, "message": message, "status_code": status}
    return json.dumps({**body, "error_code": code} if code else body)


@fault("connection.rejected", "handshake", solo=True)
def rejected(recipe: Recipe) -> None:
    """A refusal that says nothing about key, path or parameters."""
    recipe.refused = (
        (400, "Bad Request"),
        (402, _error(402, "Payment Required", "Your plan has no credits left.")),
        (502, "<html><head><title>502 Bad Gateway</title></head></html>"),
        (503, _error(503, "Service Unavailable", "Please try again later.")),
        (500, ""),
        (426, "Upgrade Required"),
    )[recipe.rng.integers(6)]
    recipe.text = False
    recipe.note = str(recipe.refused[0])
    if recipe.refused[0] >= 500:
        recipe.also |= {"server.error-event", "server.closed-abnormally"}


PARAMETERS: dict[str, Callable[[Recipe], None]] = {}


def parameter(apply: Callable[[Recipe], None]) -> Callable[[Recipe], None]:
    """One kind of wrong parameter."""
    PARAMETERS[apply.__name__] = apply
    return apply


@parameter
def deepgram_encoding(recipe: Recipe) -> None:  # M1
    names = {"pcm_s16le": "linear16", "pcm_s32le": "linear32", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}
    recipe.said_encoding = names.get(recipe.encoding, recipe.encoding.removeprefix("pcm_"))


@parameter
def opus_encoding(recipe: Recipe) -> None:  # M2
    recipe.said_encoding = str(recipe.rng.choice(["opus", "ogg-opus", "flac", "amr-nb", "speex", "g729"]))
    recipe.refused = (400, _error(400, "Bad Request", "unsupported encoding"))


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


@parameter
def model_id(recipe: Recipe) -> None:  # M18
    recipe.drop_query.add("model")
    recipe.query.append(("model_id", "scribe_v2_realtime"))
    recipe.refused = (400, _error(400, "Bad Request", "missing model"))


@parameter
def missing_model(recipe: Recipe) -> None:
    recipe.drop_query.add("model")


@parameter
def missing_rate(recipe: Recipe) -> None:
    recipe.drop_query.add("sample_rate")


@parameter
def rate_in_words(recipe: Recipe) -> None:
    recipe.drop_query.add("sample_rate")
    recipe.query.append(("sample_rate", f"{recipe.scene.rate // 1000}k"))


@parameter
def missing_version(recipe: Recipe) -> None:
    recipe.drop_headers.add("cartesia-version")
    recipe.status = ""  # it is required, but this session was not refused


@parameter
def too_many_keyterms(recipe: Recipe) -> None:
    recipe.query += [("keyterm", f"product {n}") for n in range(120)]


@parameter
def unknown_model(recipe: Recipe) -> None:
    recipe.drop_query.add("model")
    recipe.query.append(("model", str(recipe.rng.choice(["nova-3", "whisper-1", "flux-general-en", "ink-3"]))))
    recipe.also |= {"server.error-event"}
    recipe.refused = (400, _error(400, "Bad Request", "The requested model does not exist.", "model_not_found"))


@fault("connection.bad-parameter", "handshake")
def bad_parameter(recipe: Recipe) -> None:
    name = recipe.note = str(recipe.rng.choice(sorted(PARAMETERS)))
    PARAMETERS[name](recipe)
    if recipe.refused:
        recipe.also.add("connection.rejected")
        recipe.text = False


@fault("connection.bad-auth", "handshake", solo=True)
def bad_auth(recipe: Recipe) -> None:
    recipe.refused = (int(recipe.rng.choice([401, 401, 403])), _error(401, "Unauthorized", "Invalid API key."))
    recipe.text = False
    kind = recipe.note = str(recipe.rng.choice(["none", "token", "bare", "xi-api-key", "wrong key"]))
    if kind != "wrong key":
        recipe.drop_headers |= {"authorization", "x-api-key"} - (
            {"authorization"} if kind in ("token", "bare") else set()
        )
    if kind == "token":
        recipe.headers["authorization"] = "Token REDACTED"  # M3
    elif kind == "bare":
        recipe.headers["authorization"] = "REDACTED"  # M19
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
    recipe.refused = (404, _error(404, "Not Found", "") if recipe.rng.random() < 0.5 else "404 page not found")
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


@fault("messages.audio-as-text", "format", formats=S16)
def audio_as_text(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["openai", "elevenlabs", "bare base64", "twilio", "deepgram-like"]))
    recipe.service.hears = "nothing"

    def wrap(data: bytes) -> Any:
        text = base64.b64encode(data).decode()
        return {
            "openai": {"type": "input_audio_buffer.append", "audio": text},  # M12
            "elevenlabs": {"message_type": "input_audio_chunk", "audio_base_64": text, "commit": False,
                           "sample_rate": recipe.scene.rate},  # M17
            "twilio": {"event": "media", "media": {"payload": text}},
            "deepgram-like": {"type": "audio", "data": text},
        }.get(kind, text)  # fmt: skip

    def pace(frames: Frames) -> Frames:
        for frame in frames:
            if isinstance(frame.data, bytes):
                frame.data, frame.until = wrap(frame.data), None
        return frames

    recipe.pace.append(pace)


def _inserted(recipe: Recipe, commands: list[tuple[float, Any]]) -> None:
    def pace(frames: Frames) -> Frames:
        end = frames[-1].t
        extra = [Frame(min(at, end), command) for at, command in commands]
        return sorted(frames + extra, key=lambda frame: frame.t)

    recipe.pace.append(pace)


@fault("messages.unknown-command", "command")
def unknown_command(recipe: Recipe) -> None:
    kind = recipe.note = str(
        recipe.rng.choice(
            [
                "KeepAlive",
                "Finalize",
                "CloseStream",
                "session.update",
                "commit",
                "Terminate",
                "ForceEndpoint",
                "Configure",
            ]
        )
    )
    end = recipe.scene.duration
    if kind in ("CloseStream", "Terminate"):  # M4, M19: in place of the close command
        recipe.close_command = {"type": kind}
        recipe.service.closes = False
        recipe.leave_after = float(recipe.rng.uniform(1.0, 4.0))
        recipe.also |= {"drain.no-close", "server.stopped-answering"}
    elif kind == "KeepAlive":
        _inserted(recipe, [(at, {"type": "KeepAlive"}) for at in range(3, int(end), 4)])
    elif kind in ("Finalize", "ForceEndpoint"):
        _inserted(recipe, [(turn[-1].end + 0.2, {"type": kind}) for turn in recipe.scene.turns])  # M6
        recipe.also.add("endpoint.manual-fits")
    elif kind == "commit":
        _inserted(
            recipe, [(turn[-1].end + 0.2, {"type": "input_audio_buffer.commit"}) for turn in recipe.scene.turns]
        )  # M14
        recipe.also.add("endpoint.manual-fits")
    elif kind == "session.update":
        _inserted(recipe, [(0.07, {"type": "session.update", "session": {"input_audio_format": "pcm16"}})])  # M15
    else:
        _inserted(recipe, [(2.0, {"type": "Configure", "thresholds": {"eot_threshold": 0.8}})])


@fault(
    "messages.partial-samples",
    "chunk",
    formats=(("pcm_s16le", 44100), ("pcm_s16le", 16000), ("pcm_f32le", 16000), ("pcm_s32le", 44100)),
)
def partial_samples(recipe: Recipe) -> None:
    """Frames of a byte count that cuts a sample; the stream as a whole is right."""
    width = WIDTHS[recipe.encoding]
    size = int(recipe.rng.uniform(0.015, 0.1) * recipe.scene.rate) * width + int(recipe.rng.integers(1, width))
    recipe.status = ""

    def pace(frames: Frames) -> Frames:
        data = b"".join(frame.data for frame in frames if isinstance(frame.data, bytes))
        end = frames[-1].until or 0.0
        untils = [min(len(data), at + size) / len(data) * end for at in range(0, len(data), size)]
        return [Frame(0.08 + u, data[n * size : (n + 1) * size], u) for n, u in enumerate(untils)]

    recipe.pace.insert(0, pace)


@fault("messages.audio-after-close", "ending")
def audio_after_close(recipe: Recipe) -> None:
    """The close command overtakes the audio queue (F84)."""
    recipe.end_mid_turn()
    seconds = float(recipe.rng.uniform(0.3, 1.5))
    recipe.service.flush_s = 0.8
    recipe.close_after = -seconds
    recipe.note = f"{seconds:.1f} s"

    def pace(frames: Frames) -> Frames:
        end = frames[-1].t
        for frame in frames:
            if frame.t > end - seconds:  # the queue is emptied right after the command
                frame.t = end - seconds + 0.01 + (frame.t - end + seconds) * 0.3
        recipe.close_after = -(frames[-1].t - (end - seconds)) - 0.001
        return frames

    recipe.pace.append(pace)


@fault(
    "endpoint.manual-fits",
    "hole",
    also=("continuity.muted", "messages.unknown-command"),
    status="warn",
    remark=True,
    turns=(5, 6),
)
def manual_fits(recipe: Recipe) -> None:
    """Push to talk, or a local voice detector: audio stops in every pause, for seconds, and no turn is open then."""
    recipe.service.end_s = min(recipe.service.end_s, 0.4)
    gaps = [(turn[-1].end + 0.75, float(recipe.rng.uniform(3.0, 15.0))) for turn in recipe.scene.turns[:-1]]

    def moved(t: float) -> float:
        return t + sum(gap for at, gap in gaps if t > at + 0.08)

    recipe.pace.append(shifted(moved))


@fault("endpoint.batch-fits", "pace", also=("pacing.burst", "pacing.too-fast"), status="", remark=True)
def batch_fits(recipe: Recipe) -> None:
    """A whole file as fast as the socket takes it, or several times realtime."""
    recipe.remake(turns=6)
    speed = float(recipe.rng.choice([200.0, 50.0, recipe.rng.uniform(4, 12)]))
    recipe.note = f"{speed:.0f} times"
    recipe.pace.append(shifted(lambda t: 0.08 + (t - 0.08) / speed))


@fault("endpoint.mixed-up", "ending")
def mixed_up(recipe: Recipe) -> None:
    kind = recipe.note = str(
        recipe.rng.choice(["bare close", "bare finalize", "bare done", "json on manual", "whisper on auto"])
    )
    if kind in ("bare close", "bare done"):  # M20
        recipe.close_command = kind.split()[1]
        recipe.service.closes = False
        recipe.leave_after = float(recipe.rng.uniform(1.0, 4.0))
        recipe.also |= {"drain.no-close", "messages.unknown-command"}
    elif kind == "bare finalize":
        _inserted(recipe, [(turn[-1].end + 0.2, "finalize") for turn in recipe.scene.turns])
        recipe.also |= {"messages.unknown-command", "endpoint.manual-fits"}
    elif kind == "json on manual":
        recipe.path, recipe.manual = "/stt/websocket", True
        recipe.close_command = {"type": "close"}
        recipe.service.closes = False
        recipe.leave_after = float(recipe.rng.uniform(1.0, 4.0))
        recipe.also |= {"drain.no-close", "messages.unknown-command"}
    else:
        recipe.drop_query.add("model")
        recipe.query.append(("model", str(recipe.rng.choice(["ink-whisper", "ink-whisper-2025-06-04"]))))
        recipe.refused = (400, _error(400, "Bad Request", "model not available on this endpoint", "model_not_found"))
        recipe.text = False
        recipe.also |= {"connection.bad-parameter"}


def _server_says(recipe: Recipe, event: Row, at: float) -> None:
    def rows(made: list[Row]) -> list[Row]:
        return sorted([*made, {"type": "receive", "t": at, "json": event}], key=lambda row: row.get("t", -1.0))

    recipe.rows.append(rows)


@fault("server.error-event", "server")
def error_event(recipe: Recipe) -> None:
    status = int(recipe.rng.choice([500, 503, 400]))
    recipe.note = str(status)
    event = {"type": "error", "title": "Internal Server Error" if status >= 500 else "Bad Request",
             "message": "An internal error occurred.", "status_code": status}  # fmt: skip
    at = mid_turn(recipe)
    if status >= 500:
        recipe.lost_at, recipe.lost = at + 0.1, ("server", 1011, "")
        recipe.also.add("server.closed-abnormally")
    recipe.service.stop_after = at if status >= 500 else None
    _server_says(recipe, event, at)


@fault("server.closed-abnormally", "ending")
def closed_abnormally(recipe: Recipe) -> None:
    recipe.lost_at = mid_turn(recipe)
    code = int(recipe.rng.choice([1011, 1012, 1013, 1008, 4000]))
    recipe.lost = ("server", code, {1011: "internal error", 1012: "service restart"}.get(code, ""))
    recipe.note = str(code)


@fault("server.concurrency", "handshake", solo=True)
def concurrency(recipe: Recipe) -> None:
    recipe.text = False
    body = _error(429, "Too Many Requests", "Concurrency limit reached.", "concurrency_limited")
    if recipe.rng.random() < 0.6:
        recipe.refused = (429, body)
        recipe.note = "handshake"
        return
    recipe.note = "event"
    recipe.scene = recipe.scene.cut(min(1.0, recipe.scene.duration))
    recipe.service.hears, recipe.service.closes = "nothing", False
    recipe.close_after = None
    recipe.leave_after, recipe.leave = 0.05, ("server", 1008, "")
    _server_says(recipe, json.loads(body), 0.3)


@fault("server.stopped-answering", "ending")
def stopped_answering(recipe: Recipe) -> None:
    """No event for long although speech is sent, or nothing at all after the close command."""
    if recipe.rng.random() < 0.5:
        recipe.note = "in speech"
        recipe.remake(turns=7)
        recipe.service.stop_after = float(recipe.rng.uniform(2.0, 6.0))
        recipe.service.closes = False
        recipe.leave_after = float(recipe.rng.uniform(6.0, 12.0))
    else:
        recipe.note = "after close"
        recipe.end_mid_turn()
        recipe.service.closes = False
        recipe.leave_after = float(recipe.rng.uniform(6.0, 20.0))

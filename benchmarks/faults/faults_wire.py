"""Faults of the protocol: `messages`, `endpoint`, `server`."""

import base64
import json
from typing import Any

import numpy as np
from faults_handshake import error_body
from faults_recipe import WIDTHS, Frame, Recipe, Row
from faults_registry import fault
from faults_stream import Frames, mid_turn, shifted

S16 = (("pcm_s16le", 16000), ("pcm_s16le", 24000), ("pcm_s16le", 48000))


@fault("messages.audio-as-text", "format", formats=S16)
def audio_as_text(recipe: Recipe) -> None:
    kinds = ["openai", "elevenlabs", "bare base64", "twilio", "deepgram-like",
             "numbers", "list", "buffer", "typed array", "python", "object"]  # fmt: skip
    kind = recipe.note = str(recipe.rng.choice(kinds))
    recipe.service.hears = "nothing"

    def wrap(data: bytes) -> Any:
        text = base64.b64encode(data).decode()
        samples = np.frombuffer(data, "<i2").tolist()
        return {
            "openai": {"type": "input_audio_buffer.append", "audio": text},  # M12
            "elevenlabs": {"message_type": "input_audio_chunk", "audio_base_64": text, "commit": False,
                           "sample_rate": recipe.scene.rate},  # M17
            "twilio": {"event": "media", "media": {"payload": text}},
            "deepgram-like": {"type": "audio", "data": text},
            "numbers": ",".join(map(str, samples)),
            "list": {"type": "audio", "samples": samples},
            "buffer": {"type": "Buffer", "data": list(data)},
            "typed array": {str(i): sample for i, sample in enumerate(samples)},
            "python": str(data),
            "object": "[object ArrayBuffer]",
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


def _refuse(recipe: Recipe, word: str) -> None:
    """The service answers with its error, and says nothing more."""
    at = mid_turn(recipe)
    _inserted(recipe, [(at, {"type": word})])
    recipe.service.stop_after = at + 0.1
    recipe.service.closes = False
    recipe.leave_after = float(recipe.rng.uniform(0.5, 6.0))
    recipe.also.add("server.error-event")
    said = f'Unrecognized message type "{word}". Expected one of: "done", "close", "config".'
    event = {"type": "error", "title": "Invalid client message", "message": said, "status_code": 400}
    _server_says(recipe, event, at + 0.15)


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
    if recipe.rng.random() < 0.3:
        _refuse(recipe, kind)
        return
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


@fault("messages.command-as-binary", "ending")
def command_as_binary(recipe: Recipe) -> None:
    """The close command goes out as bytes: a string that was encoded, or a Buffer that a relay handed on."""
    words = ['{"type":"close"}', '{"type": "close"}', '{"type": "close"}\n', '{"type":"done"}']
    word = recipe.note = str(recipe.rng.choice(words))
    recipe.end_mid_turn()
    recipe.close_command = word.encode()
    recipe.service.closes = False
    recipe.leave_after = float(recipe.rng.uniform(0.5, 6.0))


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
    kind = recipe.note = str(recipe.rng.choice(["bare close", "bare finalize", "bare done", "json on manual"]))
    if kind in ("bare close", "bare done"):  # M20
        recipe.close_command = kind.split()[1]
        recipe.service.closes = False
        recipe.leave_after = float(recipe.rng.uniform(1.0, 4.0))
        recipe.also |= {"drain.no-close", "messages.unknown-command"}
    elif kind == "bare finalize":
        _inserted(recipe, [(turn[-1].end + 0.2, "finalize") for turn in recipe.scene.turns])
        recipe.also |= {"messages.unknown-command", "endpoint.manual-fits"}
    else:
        recipe.path, recipe.manual = "/stt/websocket", True
        recipe.close_command = {"type": "close"}
        recipe.service.closes = False
        recipe.leave_after = float(recipe.rng.uniform(1.0, 4.0))
        recipe.also |= {"drain.no-close", "messages.unknown-command"}


@fault("messages.early-finalize", "pace", status="warn")
def early_finalize(recipe: Recipe) -> None:
    """The client of the manual endpoint finalizes by a timer, or as soon as its detector hears a breath."""
    recipe.path, recipe.manual = "/stt/websocket", True
    before = float(recipe.rng.uniform(0.45, 0.8))
    _inserted(recipe, [(turn[-1].end - before, "finalize") for turn in recipe.scene.turns])


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
    code = int(recipe.rng.choice([1011, 1000, 1008, 4000]))
    recipe.lost = ("server", code, {1011: "internal error", 1008: "policy violation"}.get(code, ""))
    recipe.note = str(code)


@fault("server.session-limit", "ending")
def session_limit(recipe: Recipe) -> None:
    recipe.lost_at = mid_turn(recipe)
    code, reason = (
        (1001, ""),
        (1012, "service restart"),
        (1013, "try again later"),
        (1000, "maximum session duration reached"),
        (1008, "session time limit exceeded"),
        (1011, "server is shutting down"),
    )[recipe.rng.integers(6)]
    recipe.lost, recipe.note = ("server", code, reason), f"{code} {reason}"


@fault("server.quota", "handshake", solo=True)
def quota(recipe: Recipe) -> None:
    recipe.text = False
    kinds = (("Payment Required", "Your plan has no credits left."), ("Quota", "Monthly quota exceeded."))
    words = kinds[recipe.rng.integers(2)]
    kind = recipe.note = str(recipe.rng.choice(["handshake", "event", "close"]))
    if kind == "handshake":
        recipe.refused = (402, error_body(402, *words))
        recipe.also.add("connection.rejected")
        return
    at = mid_turn(recipe)
    recipe.lost_at = at + 0.1
    recipe.lost = ("server", 1008, words[1] if kind == "close" else "")
    recipe.service.stop_after = at
    if kind == "event":
        _server_says(recipe, json.loads(error_body(402, *words)), at)
        recipe.also.add("server.closed-abnormally")


@fault("messages.broken-frame", "ending", solo=True)
def broken_frame(recipe: Recipe) -> None:
    """Two tasks write to one socket; what arrives is no frame."""
    recipe.lost_at = mid_turn(recipe)
    code, reason = (
        (1002, "Invalid WebSocket frame: RSV2 and RSV3 must be clear"),
        (1002, "invalid opcode: 0x0B"),
        (1002, ""),
        (1003, "unsupported data"),
        (1007, "invalid start byte at position 3"),
    )[recipe.rng.integers(5)]
    recipe.lost, recipe.note = ("server", code, reason), f"{code} {reason}"


@fault("server.concurrency", "handshake", solo=True)
def concurrency(recipe: Recipe) -> None:
    recipe.text = False
    body = error_body(429, "Too Many Requests", "Concurrency limit reached.", "concurrency_limited")
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


@fault("messages.too-big", "ending", solo=True)
def too_big(recipe: Recipe) -> None:
    """An event is larger than the client's library takes, or a chunk larger than the server does."""
    recipe.lost_at = mid_turn(recipe)
    if recipe.rng.random() < 0.6:
        size, limit = int(recipe.rng.integers(1 << 20, 1 << 22)), 1 << 20
        reason = f"frame with {size} bytes exceeds limit of {limit} bytes" if recipe.rng.random() < 0.7 else ""
        recipe.lost, recipe.note = ("client", 1009, reason), "by the client"
    else:
        recipe.chunk_s = float(recipe.rng.uniform(1.5, 3.0))
        recipe.lost, recipe.note = (str(recipe.rng.choice(["server", "unknown"])), 1009, ""), "by the server"
        recipe.also.add("chunking.too-large")

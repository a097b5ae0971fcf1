"""Plays a recipe on a virtual clock: what the client sends when, what the service says when, and the rows of it."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
from faults_recipe import WIDTHS, Frame, Recipe, Row, Segment
from faults_scene import Samples, sounds
from faults_service import listen

FLOATS = {"f64le": "<f8", "f32be": ">f4"}
PROFILE_HEADERS = {
    "python": {"authorization": "Bearer REDACTED", "cartesia-version": "2026-08-14",
               "user-agent": "cartesia-python/4.2.0", "x-cartesia-client": "cartesia-python/4.2.0"},
    "js": {"authorization": "Bearer REDACTED", "cartesia-version": "2026-08-14", "user-agent": "cartesia-js/4.2.0",
           "x-cartesia-client": "cartesia-js/4.2.0"},
    "pipecat": {"x-api-key": "REDACTED", "cartesia-version": "2026-03-01",
                "user-agent": "Python/3.11 websockets/15.0.1"},
    "livekit": {"x-api-key": "REDACTED", "cartesia-version": "2025-04-16",
                "user-agent": "LiveKit Agents Cartesia Plugin/1.8.9"},
    "websockets": {"x-api-key": "REDACTED", "user-agent": "Python/3.12 websockets/15.0.1"},
}  # fmt: skip


def encode(samples: Samples, encoding: str) -> bytes:
    """Samples in any of the encodings that a client might write."""
    if encoding in FLOATS:
        return samples.astype(FLOATS[encoding]).tobytes()
    if encoding == "s64le":
        return np.rint(samples * 32767).astype("<i8").tobytes()
    if encoding == "s8":
        return np.clip(np.round(samples * 128), -128, 127).astype(np.int8).tobytes()
    if encoding == "s32be":
        return np.frombuffer(sounds.encode(samples, "pcm_s32le"), "<i4").astype(">i4").tobytes()
    return sounds.encode(samples, encoding)


def rows(recipe: Recipe) -> list[Row]:
    """The session as rows of session JSONL."""
    head = [_header(recipe), *_open(recipe)]
    if recipe.refused is not None:
        return _changed(recipe, head)
    sent = frames(recipe)
    end = sent[-1].t if sent else 0.5
    close_at = None if recipe.close_after is None else end + recipe.close_after
    lost_at = _lost_at(recipe, sent)
    events = listen(recipe, sent, close_at)
    for change_events in recipe.events:
        events = change_events(events)
    body = [_sent(frame) for frame in sent]
    if close_at is not None:
        body.append(_sent(Frame(close_at, _command(recipe))))
    body += events
    left = recipe.leave_after is not None and (close_at or end) + recipe.leave_after
    body = _ended(recipe, body, lost_at, float(left) if left is not False else None, close_at)
    body.sort(key=lambda row: row["t"])
    for row in body:
        row["t"] = round(row["t"], 4)
    return _changed(recipe, head + body + _text(recipe, body))


def _changed(recipe: Recipe, made: list[Row]) -> list[Row]:
    for change in recipe.rows:
        made = change(made)
    return made


def _header(recipe: Recipe) -> Row:
    headers = {**PROFILE_HEADERS[recipe.profile], **recipe.headers}
    headers = {name: value for name, value in headers.items() if name not in recipe.drop_headers}
    query = [("model", "ink-2"), ("encoding", recipe.said_encoding or recipe.encoding),
             ("sample_rate", str(recipe.said_rate or recipe.scene.rate))]  # fmt: skip
    if recipe.profile == "websockets" and "cartesia-version" not in recipe.drop_headers:
        query.append(("cartesia_version", "2026-03-01"))
    query = [pair for pair in query if pair[0] not in recipe.drop_query] + recipe.query
    how: Any = quote if recipe.profile in ("js", "pipecat") else None
    text = urlencode(query, quote_via=how) if how else urlencode(query)
    return {
        "type": "session", "schema": "sttdoctor.session/1", "started_at": "2026-11-20T09:30:00Z",
        "url": f"wss://api.cartesia.ai{recipe.path}?{text}", "headers": headers,
        "client": headers.get("user-agent", ""), "source": "fault bench", "clock": recipe.clock,
    }  # fmt: skip


def _open(recipe: Recipe) -> list[Row]:
    accepted = [{"type": "open", "t": 0.05, "status": 101}]
    if recipe.refused is None:
        return accepted
    status, body = recipe.refused
    if recipe.refused_late:
        close = {"type": "close", "t": 0.08, "by": "server", "code": 1008, "reason": ""}
        return [*accepted, {"type": "receive", "t": 0.07, "json": json.loads(body)}, close]
    return [{"type": "open", "t": 0.09, "status": status, "headers": {}, "body": body}]


def _segments(recipe: Recipe) -> list[Segment]:
    samples = recipe.scene.samples
    for change in recipe.shape:
        samples = change(samples)
    samples = np.clip(samples, -1, 1)
    if recipe.segments is not None:
        return recipe.segments(samples)
    data = recipe.write(samples) if recipe.write else encode(samples, recipe.encoding)
    for damage in recipe.damage:
        data = damage(data)
    return [Segment(data, recipe.scene.duration, 1 if recipe.write else WIDTHS[recipe.encoding])]


def frames(recipe: Recipe) -> list[Frame]:
    """What the client sends when, all faults of pace included."""
    made = _frames(recipe)
    for change in recipe.pace:
        made = change(made)
    return made


def _frames(recipe: Recipe) -> list[Frame]:
    """Chunks, each sent once it has been spoken: by a microphone, or a file player that trusts its declaration."""
    frames: list[Frame] = []
    passed = 0.0
    for segment in _segments(recipe):
        count = max(1, round(segment.seconds / recipe.chunk_s))
        size = max(segment.frame, round(len(segment.data) / count / segment.frame) * segment.frame)
        for start in range(0, len(segment.data), size):
            chunk = segment.data[start : start + size]
            until = passed + (start + len(chunk)) / len(segment.data) * segment.seconds
            frames.append(Frame(until, chunk, until))
        passed += segment.seconds
    speed = _declared_speed(recipe, frames) if recipe.file_pacing else 1.0
    offsets = recipe.rng.uniform(-recipe.jitter_s, recipe.jitter_s, len(frames))
    held = recipe.start_burst_s
    last = 0.0
    for frame, offset in zip(frames, offsets, strict=True):
        due = frame.t / speed * (1 + recipe.drift) + offset
        last = frame.t = max(last, 0.08 + max(due, held))
    return frames


def _declared_speed(recipe: Recipe, frames: list[Frame]) -> float:
    width = WIDTHS.get(recipe.said_encoding or recipe.encoding, 2)
    declared_s = sum(len(frame.data) for frame in frames) / (width * (recipe.said_rate or recipe.scene.rate))
    return float((frames[-1].until or 1.0) / declared_s)


def _lost_at(recipe: Recipe, frames: list[Frame]) -> float | None:
    if recipe.lost_at is None:
        return None
    return next((frame.t for frame in frames if (frame.until or 0) >= recipe.lost_at), frames[-1].t) + 0.01


def _sent(frame: Frame) -> Row:
    if isinstance(frame.data, bytes):
        return {"type": "send", "t": frame.t, "audio": base64.b64encode(frame.data).decode("ascii")}
    kind = "json" if isinstance(frame.data, dict) else "text"
    return {"type": "send", "t": frame.t, kind: frame.data}


def _command(recipe: Recipe) -> Any:
    return recipe.close_command or ("close" if recipe.manual else {"type": "close"})


def _ended(
    recipe: Recipe, body: list[Row], lost_at: float | None, left_at: float | None, close_at: float | None
) -> list[Row]:
    """Cut the session where somebody ends it, and say who."""
    if recipe.read_until is not None:
        body = [row for row in body if row["type"] != "receive" or row["t"] < recipe.read_until]
    last = max(row["t"] for row in body)
    if lost_at is not None:
        at, keys = lost_at, recipe.lost
    elif left_at is not None:
        at, keys = left_at, recipe.leave
    elif close_at is not None and recipe.service.closes:
        at, keys = max(last, close_at + recipe.service.flush_s) + 0.01, ("server", 1000, "")
    else:
        at, keys = last + 0.5, recipe.leave
    kept = [row for row in body if row["t"] <= at]
    if recipe.read_every is not None:
        step = recipe.read_every
        for row in kept:
            if row["type"] == "receive":
                row["t"] = min(at, np.ceil(row["t"] / step) * step + 0.001)
    return [*kept, {"type": "close", "t": at, "by": keys[0], "code": keys[1], "reason": keys[2]}]


def _text(recipe: Recipe, body: list[Row]) -> list[Row]:
    if not recipe.text:
        return []
    received = [row["json"] for row in body if row["type"] == "receive" and "json" in row]
    if recipe.manual:
        heard = [("final", event["text"]) for event in received if event.get("is_final")]
    else:
        heard = [(event["type"], event.get("transcript", "")) for event in received]
    text = recipe.join(heard) if recipe.join else "".join(t for kind, t in heard if kind in ("turn.end", "final"))
    return [{"type": "transcript", "t": max((row["t"] for row in body), default=0.0), "text": text}]

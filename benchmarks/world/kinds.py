"""What goes wrong in the world: small functions that put one fault into a healthy recipe.

Each takes the recipe and its own parameters, and does nothing but what the report tells. `FAULTS` holds them by name.
"""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from faults_format import _by_hand, _wav_header
from faults_format import opus_packets as packets_of
from faults_handshake import error_body
from faults_make import encode
from faults_recipe import WIDTHS, Frame, Heard, Recipe, Row, Segment
from faults_scene import Samples
from faults_stream import shifted
from scipy import signal

Fault = Callable[..., None]
FAULTS: dict[str, Fault] = {}
HELLO = {"type": "connected", "request_id": "5d0c9e2a"}


def fault(put: Fault) -> Fault:
    """Register a function under its name."""
    FAULTS[put.__name__] = put
    return put


# --- what the bytes are


def _misheard(recipe: Recipe, stretch: float = 1.0) -> None:
    recipe.service.hears, recipe.service.stretch = "garbage", stretch


def _paced(recipe: Recipe, write: Callable[[Samples], bytes], width: int = 2) -> None:
    """Bytes of another length than the scene's, which take just as long as the scene."""
    recipe.segments = lambda samples: [Segment(write(samples), recipe.scene.duration, width)]


@fault
def rate(recipe: Recipe, said: int) -> None:
    recipe.said_rate = said
    _misheard(recipe, recipe.scene.rate / said)


@fault
def encoding(recipe: Recipe, said: str, said_rate: int = 0) -> None:
    recipe.said_encoding, recipe.said_rate = said, said_rate or None
    _misheard(recipe, WIDTHS[recipe.encoding] / WIDTHS[said])


@fault
def unsupported(recipe: Recipe, encoding: str, said: str) -> None:
    recipe.encoding, recipe.said_encoding = encoding, said
    _misheard(recipe, WIDTHS[encoding] / WIDTHS[said])


@fault
def halved(recipe: Recipe) -> None:
    _misheard(recipe, 0.5)
    _paced(recipe, lambda x: encode(x[: len(x) // 2 * 2].reshape(-1, 2).mean(axis=1), recipe.encoding))


@fault
def cast(recipe: Recipe) -> None:
    recipe.service.hears = "nothing"
    recipe.write = lambda x: np.clip(np.rint(x / np.abs(x).max()), -1, 1).astype("<i2").tobytes()


def _pairs(first: Samples, second: Samples, kind: str) -> bytes:
    return encode(np.clip(np.stack([first, second], axis=1), -1, 1).reshape(-1), kind)


@fault
def big_endian_stereo(recipe: Recipe) -> None:
    _misheard(recipe, 2.0)
    _paced(recipe, lambda x: _pairs(x, x * 0.8, "s16be"), 4)


@fault
def stereo(recipe: Recipe) -> None:
    noise = recipe.rng.standard_normal(len(recipe.scene.samples)) * 1e-3
    _misheard(recipe, 2.0)
    _paced(recipe, lambda x: _pairs(x, x * 0.85 + noise, recipe.encoding), 2 * WIDTHS[recipe.encoding])


@fault
def noise_channel(recipe: Recipe) -> None:
    noise = recipe.rng.standard_normal(len(recipe.scene.samples)) * 0.2
    _misheard(recipe, 2.0)
    _paced(recipe, lambda x: _pairs(x, noise, recipe.encoding), 2 * WIDTHS[recipe.encoding])


@fault
def some_frames_turned(recipe: Recipe) -> None:
    def pace(frames: list[Frame]) -> list[Frame]:
        turned = False
        for frame in frames:
            turned = recipe.rng.random() < (0.7 if turned else 0.08)
            if turned and isinstance(frame.data, bytes):
                frame.data = np.frombuffer(frame.data, "<i2").byteswap().tobytes()
        return frames

    _misheard(recipe)
    recipe.pace.append(pace)


@fault
def container(recipe: Recipe, form: str) -> None:
    recipe.service.hears = "nothing"
    recipe.write = lambda x: _by_hand(recipe, form, len(x) / recipe.scene.rate)


@fault
def opus_packets(recipe: Recipe, start: float = 0.0) -> None:
    def pace(frames: list[Frame]) -> list[Frame]:
        first = int(start * len(frames))
        packets = iter(packets_of(recipe.scene.samples, recipe.scene.rate)[first:])
        for frame in frames[first:]:
            frame.data = next(packets, b"\xf8\xff\xfe")
        return frames

    if start:
        recipe.scene = _said_until(recipe, start * recipe.scene.duration)
    else:
        recipe.service.hears = "nothing"
    recipe.pace.append(pace)


@fault
def then_opus(recipe: Recipe) -> None:
    opus_packets(recipe, 0.4)


@fault
def quiet(recipe: Recipe, db: float) -> None:
    recipe.shape.append(lambda x: x * 10 ** (db / 20))


@fault
def wrapped(recipe: Recipe, gain: float) -> None:
    recipe.shape.append(lambda x: (x * (0.9 * gain / np.abs(x).max()) + 1) % 2 - 1)


@fault
def top_wraps(recipe: Recipe) -> None:
    def write(samples: Samples) -> bytes:
        loud = np.clip(samples * (2.2 / np.abs(samples).max()), -1, 1)
        return np.rint(loud * 32768).astype(np.int32).astype("<i2").tobytes()

    recipe.write = write


# --- frames


def _each(recipe: Recipe, change: Callable[[int, bytes], bytes]) -> None:
    def pace(frames: list[Frame]) -> list[Frame]:
        for number, frame in enumerate(frames):
            if isinstance(frame.data, bytes):
                frame.data = change(number, frame.data)
        return frames

    recipe.pace.append(pace)


@fault
def prefix(recipe: Recipe, hex: str) -> None:
    _misheard(recipe)
    _each(recipe, lambda _number, data: bytes.fromhex(hex) + data)


@fault
def wav_header_each(recipe: Recipe) -> None:
    _each(recipe, lambda _number, data: _wav_header(recipe, len(data))[-44:] + data)


@fault
def part_again(recipe: Recipe, share: float) -> None:
    _misheard(recipe)
    _each(recipe, lambda _number, data: data + data[: int(len(data) * share) // 4 * 4])


def _said_until(recipe: Recipe, at: float, sound: Callable[[Samples, int], None] | None = None) -> Any:
    """The whole scene's sound, of which only what is said before `at` counts as said."""
    whole = recipe.scene
    samples = whole.samples.copy()
    if sound is not None:
        sound(samples, round(at * whole.rate))
    return replace(whole, samples=samples, turns=whole.cut(at).turns)


def _mid_word(recipe: Recipe, share: float) -> float:
    """A time inside an utterance, near this share of the scene."""
    parts = [part for turn in recipe.scene.turns for part in turn]
    near = min(parts, key=lambda part: abs((part.start + part.end) / 2 - share * recipe.scene.duration))
    return float(near.start + 0.55 * (near.end - near.start))


@fault
def last_frame_for_ever(recipe: Recipe, at: float) -> None:
    moment = _mid_word(recipe, at)
    recipe.scene = _said_until(recipe, moment)

    def pace(frames: list[Frame]) -> list[Frame]:
        first = next(n for n, frame in enumerate(frames) if (frame.until or 0) > moment)
        for frame in frames[first:]:
            frame.data = frames[first].data
        return frames

    recipe.pace.append(pace)


@fault
def overtaken(recipe: Recipe, share: float) -> None:
    def pace(frames: list[Frame]) -> list[Frame]:
        number = 0
        while number < len(frames) - 2:
            if recipe.rng.random() < share:
                frames[number].data, frames[number + 1].data = frames[number + 1].data, frames[number].data
                number += 1
            number += 1
        return frames

    recipe.pace.append(pace)


@fault
def frame_size(recipe: Recipe, size: int) -> None:
    def pace(frames: list[Frame]) -> list[Frame]:
        data = b"".join(frame.data for frame in frames if isinstance(frame.data, bytes))
        end = frames[-1].until or 0.0
        untils = [min(len(data), at + size) / len(data) * end for at in range(0, len(data), size)]
        return [Frame(0.08 + u, data[n * size : (n + 1) * size], u) for n, u in enumerate(untils)]

    recipe.pace.append(pace)


@fault
def frames_lost(recipe: Recipe, share: float) -> None:
    _misheard(recipe)
    recipe.pace.append(lambda frames: [frame for frame in frames if recipe.rng.random() >= share])


def _blocks(samples: Samples, size: int) -> list[Samples]:
    return [samples[at : at + size] for at in range(0, len(samples), size)]


@fault
def shortened(recipe: Recipe, block: int, lost: int) -> None:
    _misheard(recipe)
    _paced(
        recipe,
        lambda x: encode(np.concatenate([part[: block - lost] for part in _blocks(x, block)]), recipe.encoding),
        WIDTHS[recipe.encoding],
    )


@fault
def pieces_cut(recipe: Recipe, every: float, length: float) -> None:
    def write(samples: Samples) -> bytes:
        rate, parts, at = recipe.scene.rate, [], 0
        while at < len(samples):
            step = round(every * recipe.rng.uniform(0.7, 1.3) * rate)
            parts.append(samples[at : at + step])
            at += step + round(length * recipe.rng.uniform(0.6, 1.4) * rate)
        return encode(np.concatenate(parts), recipe.encoding)

    _paced(recipe, write)


@fault
def zeros_between(recipe: Recipe, every: float, length: float) -> None:
    def write(samples: Samples) -> bytes:
        size, gap = round(every * recipe.scene.rate), np.zeros(round(length * recipe.scene.rate))
        return encode(np.concatenate([x for part in _blocks(samples, size) for x in (part, gap)]), recipe.encoding)

    _paced(recipe, write)


@fault
def half_and_zeros(recipe: Recipe) -> None:
    _misheard(recipe)
    low = signal.resample_poly(recipe.scene.samples, 1, 2)
    size = round(0.02 * recipe.scene.rate)

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        for at in range(len(samples) // 3 // size * size, len(samples) - size, size):
            out[at : at + size] = 0
            out[at : at + size // 2] = low[at // 2 : at // 2 + size // 2]
        return out

    recipe.shape.append(shape)


# --- resampling


@fault
def interpolated_anew(recipe: Recipe, source: int, block: int) -> None:
    rate = recipe.scene.rate
    high = signal.resample_poly(recipe.scene.samples, source, rate)
    count = int(block * rate / source)

    def write(_samples: Samples) -> bytes:
        at = np.arange(count) * source / rate
        parts = [np.interp(at, np.arange(len(part)), part) for part in _blocks(high, block)]
        return encode(np.concatenate(parts), recipe.encoding)

    _paced(recipe, write)


@fault
def dip_at_ends(recipe: Recipe, block: int) -> None:
    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        out[block - 1 :: block] *= 1 / 3
        return out

    recipe.shape.append(shape)


@fault
def folded(recipe: Recipe) -> None:
    wide = recipe.wide  # type: ignore[attr-defined]
    recipe.shape.append(lambda samples: wide[::3][: len(samples)])


# --- capture


@fault
def silent(recipe: Recipe) -> None:
    recipe.service.hears = "nothing"
    recipe.shape.append(np.zeros_like)


@fault
def zeros_from(recipe: Recipe, at: float) -> None:
    def mute(samples: Samples, first: int) -> None:
        samples[first:] = 0

    recipe.scene = _said_until(recipe, _mid_word(recipe, at), mute)


def _rows(recipe: Recipe, change: Callable[[list[Row]], list[Row]]) -> None:
    recipe.rows.append(change)


def _closed(t: float, by: str, code: int, reason: str = "") -> Row:
    return {"type": "close", "t": t, "by": by, "code": code, "reason": reason}


@fault
def only_first(recipe: Recipe, count: int, stay: float) -> None:
    def change(made: list[Row]) -> list[Row]:
        sent = [row for row in made if "audio" in row][:count]
        return [*made[:2], {"type": "receive", "t": 0.07, "json": HELLO}, *sent, _closed(stay, "client", 1000)]

    _rows(recipe, change)


@fault
def press_without_audio(recipe: Recipe) -> None:
    def change(made: list[Row]) -> list[Row]:
        rows, t = [made[0]], 0.0
        for held in (2.1, 3.4, 2.8):
            rows += [{**made[1], "t": t + 0.05}, {"type": "receive", "t": t + 0.07, "json": HELLO},
                     {"type": "send", "t": t + held, "json": {"type": "close"}},
                     _closed(t + held + 0.2, "server", 1000)]  # fmt: skip
            t += held + 4.0
        return rows

    _rows(recipe, change)


@fault
def gated(recipe: Recipe, late: float, early: float) -> None:
    parts = [part for turn in recipe.scene.turns for part in turn]

    def pace(frames: list[Frame]) -> list[Frame]:
        def spoken(at: float) -> bool:
            return any(part.start + late <= at <= part.end - early for part in parts)

        return [frame for frame in frames if spoken(frame.until or 0.0)]

    recipe.pace.append(pace)


# --- time


@fault
def stalls(recipe: Recipe, hole: float, spots: Iterable[float] = (), period: float = 0.0) -> None:
    length = recipe.scene.duration
    starts = [_mid_word(recipe, spot) for spot in spots] or list(np.arange(period, length - hole, period))
    ends = [(at, at + hole) for at in starts]
    recipe.pace.append(shifted(lambda t: max([t] + [b for a, b in ends if a < t < b])))


@fault
def speed(recipe: Recipe, factor: float) -> None:
    recipe.pace.append(shifted(lambda t: 0.08 + (t - 0.08) / factor))


@fault
def at_once(recipe: Recipe, chunk: float) -> None:
    recipe.chunk_s = chunk
    speed(recipe, 300.0)


@fault
def uplink(recipe: Recipe, share: float) -> None:
    """The client's library takes each frame in time; the network brings them later and later."""
    punctual: list[float] = []

    def pace(frames: list[Frame]) -> list[Frame]:
        punctual.extend(frame.t for frame in frames)
        return shifted(lambda t: t / share)(frames)

    def change(made: list[Row]) -> list[Row]:
        times = iter(punctual)
        for row in made:
            if "audio" in row:
                row["t"] = round(next(times), 4)
        return [made[0], *sorted(made[1:], key=lambda row: row["t"])]

    recipe.clock = "client"
    recipe.pace.append(pace)
    _rows(recipe, change)


@fault
def silence_and_late(recipe: Recipe, spots: Iterable[float], hole: float) -> None:
    starts = [_mid_word(recipe, spot) for spot in spots]

    def pace(frames: list[Frame]) -> list[Frame]:
        late = shifted(lambda t: max([t] + [a + hole for a in starts if a < t < a + hole]))(frames)
        width, rate = WIDTHS[recipe.encoding], recipe.scene.rate
        filled = [Frame(a + hole - 0.01, bytes(width * round(hole * rate)), a) for a in starts]
        return sorted([*late, *filled], key=lambda frame: frame.t)

    recipe.pace.append(pace)


# --- connection


@fault
def refused(
    recipe: Recipe, status: int, headers: dict[str, str], body: str, times: int = 1, send_headers: Any = None
) -> None:
    recipe.refused = (status, body)

    def change(made: list[Row]) -> list[Row]:
        head = made[0] | ({"headers": made[0]["headers"] | send_headers} if send_headers else {})
        waits = (0.0, 1.0, 3.0, 7.0, 15.0)[:times]
        return [head, *({**made[1], "t": made[1]["t"] + wait, "headers": headers} for wait in waits)]

    _rows(recipe, change)


@fault
def never_answered(recipe: Recipe, waited: float) -> None:
    _rows(recipe, lambda made: [made[0], _closed(waited, "unknown", 1006)])


@fault
def subprotocol(recipe: Recipe) -> None:
    def change(made: list[Row]) -> list[Row]:
        head = made[0] | {"headers": made[0]["headers"] | {"sec-websocket-protocol": "bearer, REDACTED"}}
        answer = {"connection": "Upgrade", "upgrade": "websocket"}
        return [head, made[1] | {"headers": answer}, _closed(made[1]["t"] + 0.004, "client", 1006)]

    _rows(recipe, change)


@fault
def ends(recipe: Recipe, at: float, by: str, code: int, reason: str) -> None:
    recipe.lost_at = max(0.3, at * recipe.scene.duration)
    recipe.lost = (by, code, reason)


@fault
def token_ended(recipe: Recipe) -> None:
    def change(made: list[Row]) -> list[Row]:
        cut = [row for row in tiled(made, 3590.0) if row.get("t", 0.0) < 3590.0 and row["type"] != "close"]
        again = [
            {"type": "open", "t": 3590.0 + wait, "status": 401, "headers": {}, "body": ""} for wait in (1, 3, 7, 15)
        ]
        return [*cut, _closed(3590.0, "unknown", 1006), *again]

    _rows(recipe, change)


def tiled(made: list[Row], seconds: float) -> list[Row]:
    """The session's audio and events again and again, for so long."""
    hello = [row for row in made if row.get("json", {}).get("type") == "connected"]
    turns = [row for row in made if "turn." in row.get("json", {}).get("type", "")]
    body = [row for row in made if "audio" in row or "bytes" in row] + turns
    step = max(row["t"] for row in body if row["type"] == "send")
    later = [row | {"t": round(row["t"] + n * step, 4)} for n in range(int(seconds / step) + 1) for row in body]
    return [*made[:2], *hello, *sorted(later, key=lambda row: row["t"])]


@fault
def long_then_lost(recipe: Recipe, seconds: float, by: str, code: int, reason: str) -> None:
    def change(made: list[Row]) -> list[Row]:
        return [
            *(row for row in tiled(made, seconds) if row.get("t", 0.0) < seconds),
            _closed(seconds, by, code, reason),
        ]

    _rows(recipe, change)


@fault
def idle(recipe: Recipe, seconds: float, by: str, code: int, reason: str) -> None:
    recipe.close_after, recipe.leave_after = None, seconds
    recipe.leave = (by, code, reason)


@fault
def nothing_then_closed(recipe: Recipe, seconds: float, code: int, reason: str, keepalive: float = 0.0) -> None:
    def change(made: list[Row]) -> list[Row]:
        times = np.arange(keepalive, seconds, keepalive) if keepalive else ()
        pings = [{"type": "send", "t": float(t), "json": {"type": "KeepAlive"}} for t in times]
        hello = {"type": "receive", "t": 0.07, "json": HELLO}
        return [*made[:2], hello, *pings, _closed(seconds, "server", code, reason)]

    _rows(recipe, change)


@fault
def zombie(recipe: Recipe, slept: float) -> None:
    """A turn, a night, a press with audio that nobody answers; the client gives up after a while."""

    def change(made: list[Row]) -> list[Row]:
        first = next(row["t"] for row in made if row.get("json", {}).get("type") == "turn.end") + 0.4
        before = [row for row in made if row.get("t", 0.0) <= first]
        again = [row for row in made if "audio" in row and first < row["t"] < first + 5.0]
        later = [row | {"t": row["t"] + slept} for row in again]
        return [*before, *later, _closed(later[-1]["t"] + 20.0, "client", 1000)]

    recipe.clock = "client"
    _rows(recipe, change)


@fault
def deaf(recipe: Recipe, at: float) -> None:
    recipe.clock, recipe.service.closes = "client", False
    recipe.read_until = _mid_word(recipe, at)
    recipe.close_after, recipe.leave, recipe.leave_after = None, ("client", 1000, ""), 0.2


@fault
def two_sockets(recipe: Recipe, shift: float) -> None:
    _rows(recipe, lambda made: [*made, {"type": "again", "t": made[-1]["t"], "shift": shift}])


# --- messages


@fault
def one_message(recipe: Recipe) -> None:
    def change(made: list[Row]) -> list[Row]:
        data = b"".join(base64.b64decode(row["audio"]) for row in made if "audio" in row)
        row = {"type": "send", "t": 0.1, "audio": base64.b64encode(data).decode()}
        hello = {"type": "receive", "t": 0.07, "json": HELLO}
        return [*made[:2], hello, row, _closed(0.31, "server", 1009, "CLOSE_TOO_BIG")]

    _rows(recipe, change)


@fault
def as_text(recipe: Recipe) -> None:
    recipe.service.hears, recipe.service.closes = "nothing", False
    recipe.leave_after = 1.0
    said = json.loads(error_body(400, "Invalid client message", "No JSON object could be decoded"))
    _each(recipe, lambda _number, data: data.decode("utf-8", "replace"))  # type: ignore[arg-type, return-value]
    _rows(
        recipe, lambda made: sorted([*made, {"type": "receive", "t": 0.4, "json": said}], key=lambda r: r.get("t", -1))
    )


@fault
def end_first(recipe: Recipe) -> None:
    def change(made: list[Row]) -> list[Row]:
        sent = [row for row in made if "audio" in row]
        late = [row | {"t": round(1.43 + 0.001 * n, 4)} for n, row in enumerate(sent)]
        end = {"type": "send", "t": 1.2, "json": {"type": "close"}}
        hello = {"type": "receive", "t": 1.42, "json": HELLO}
        return [*made[:2], end, hello, *late, _closed(late[-1]["t"] + 0.1, "server", 1000)]

    _rows(recipe, change)


@fault
def left_at_release(recipe: Recipe) -> None:
    recipe.end_mid_turn()
    recipe.close_after, recipe.leave_after, recipe.leave = None, 0.02, ("client", 1000, "")


# --- text


def _ended(heard: Heard) -> list[str]:
    return [text for kind, text in heard if kind == "turn.end"]


@fault
def equal_turns_dropped(recipe: Recipe) -> None:
    def join(heard: Heard) -> str:
        kept: list[str] = []
        for text in _ended(heard):
            if not kept or kept[-1].strip() != text.strip():
                kept.append(text)
        return "".join(kept)

    recipe.join = join


@fault
def turns_twice(recipe: Recipe) -> None:
    recipe.join = lambda heard: "".join(text * 2 for text in _ended(heard))


@fault
def last_turn_missing(recipe: Recipe) -> None:
    recipe.join = lambda heard: "".join(_ended(heard)[:-1])

"""What else goes wrong: the kinds of the second round of reports, in the form of `kinds`."""

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import g722
import numpy as np
from faults_handshake import error_body
from faults_make import encode
from faults_recipe import WIDTHS, Frame, Heard, Recipe, Row
from faults_scene import Samples, Utterance
from faults_stream import shifted
from kinds import _blocks, _closed, _each, _ended, _mid_word, _misheard, _paced, _rows, fault, refused, tiled
from scipy import signal

TALKING = "turn.update"

# --- what the bytes are


@fault
def g722_bytes(recipe: Recipe) -> None:
    recipe.service.hears = "nothing"
    wide = signal.resample_poly(recipe.scene.samples, 16000, recipe.scene.rate)
    _paced(recipe, lambda _x: g722.encode(wide), 1)


@fault
def random_bytes(recipe: Recipe, size: int) -> None:
    recipe.service.hears = "nothing"
    _each(recipe, lambda _number, _data: recipe.rng.integers(0, 256, size, dtype=np.uint8).tobytes())


@fault
def float_stereo(recipe: Recipe, said: str, said_rate: int) -> None:
    recipe.said_encoding, recipe.said_rate = said, said_rate
    recipe.service.hears = "nothing"
    _paced(recipe, lambda x: np.repeat(x.astype("<f4"), 2).tobytes(), 8)


@fault
def byte_lost(recipe: Recipe, at: float) -> None:
    _misheard(recipe)

    def pace(frames: list[Frame]) -> list[Frame]:
        number = int(at * len(frames))
        data = frames[number].data
        frames[number].data = data[:-1] if isinstance(data, bytes) else data
        return frames

    recipe.pace.append(pace)


# --- frames


@fault
def whole_buffer(recipe: Recipe, size: int) -> None:
    """A buffer of `size` bytes is sent whole, however many were recorded into it: the rest is of the message before."""

    def pace(frames: list[Frame]) -> list[Frame]:
        data = b"".join(frame.data for frame in frames if isinstance(frame.data, bytes))
        length, at, buffer, made = frames[-1].until or 0.0, 0, bytes(size), []
        while at < len(data):
            count = int(recipe.rng.integers(int(0.55 * size) // 4, size // 4)) * 4
            part = data[at : at + count]
            buffer, at = part + buffer[len(part) :], at + count
            until = min(1.0, at / len(data)) * length
            made.append(Frame(0.08 + until, buffer, until))
        return made

    _misheard(recipe)
    recipe.pace.append(pace)


@fault
def block_again(recipe: Recipe, every: float, length: float) -> None:
    rate = recipe.scene.rate

    def write(samples: Samples) -> bytes:
        parts, at = [], 0
        while at < len(samples):
            end = at + round(every * rate * recipe.rng.uniform(0.8, 1.2))
            parts += [samples[at:end], samples[max(at, end - round(length * rate)) : end]]
            at = end
        return encode(np.concatenate(parts), recipe.encoding)

    _paced(recipe, write, WIDTHS[recipe.encoding])
    recipe.pace.append(shifted(lambda t: t * (1 + length / every)))


@fault
def event_stream(recipe: Recipe) -> None:
    """Each chunk in an envelope of AWS's event stream: lengths, checksum, headers, payload, checksum."""
    said = {":content-type": "application/octet-stream", ":event-type": "AudioEvent", ":message-type": "event"}
    head = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in said.items()
    )

    def wrap(_number: int, data: bytes) -> bytes:
        lengths = struct.pack(">II", 16 + len(head) + len(data), len(head))
        begun = lengths + struct.pack(">I", zlib.crc32(lengths)) + head + data
        return begun + struct.pack(">I", zlib.crc32(begun))

    _misheard(recipe)
    _each(recipe, wrap)


@fault
def last_packet_again(recipe: Recipe, share: float, most: int) -> None:
    """Lost packets sound like the last one that came, a few times, then like nothing."""

    def pace(frames: list[Frame]) -> list[Frame]:
        kept, lost = b"", 0
        for frame in frames:
            if isinstance(frame.data, bytes):
                lost = lost + 1 if recipe.rng.random() < (0.55 if lost else share) else 0
                if not lost:
                    kept = frame.data
                elif kept:
                    frame.data = kept if lost <= most else bytes(len(kept))
        return frames

    recipe.pace.append(pace)


@fault
def wrong_offset(recipe: Recipe, front: int) -> None:
    _misheard(recipe)
    _each(recipe, lambda _number, data: bytes(front) + data[:-front])


# --- sound


@fault
def gated_to_zero(recipe: Recipe) -> None:
    """A denoiser that writes exact zeros where it hears no speech, also in soft parts of words."""
    size = recipe.scene.rate // 125

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        blocks = out[: len(out) // size * size].reshape(-1, size)
        levels = np.sqrt((blocks**2).mean(axis=1))
        smooth = np.convolve(levels, np.ones(3) / 3, "same")
        blocks[smooth < 0.22 * np.quantile(levels, 0.8)] = 0
        return out

    recipe.shape.append(shape)


@fault
def drift_corrected(recipe: Recipe, block: int, step: int) -> None:
    def shape(samples: Samples) -> Samples:
        parts = []
        for number, part in enumerate(_blocks(samples, block)):
            parts.append(part[:-step] if number % 2 else np.concatenate([part, part[-step:]]))
        return np.concatenate(parts)[: len(samples)]

    recipe.shape.append(shape)


@fault
def cancelled(recipe: Recipe, left: float) -> None:
    noise = recipe.rng.standard_normal(len(recipe.scene.samples)) * 2e-5
    recipe.service.hears = "nothing"
    recipe.shape.append(lambda x: x * left + noise)


@fault
def beginning_lost(recipe: Recipe, seconds: float) -> None:
    """Who speaks at once is not heard as long as the socket is being opened."""
    scene, first = recipe.scene, recipe.scene.turns[0][0]
    cut = first.start + seconds
    length = (first.end - cut) / (first.end - first.start)
    words = first.words[-max(1, int(length * len(first.words))) :]
    turns = [tuple(_moved(part, -cut) for part in turn) for turn in scene.turns]
    turns[0] = (Utterance(0.0, turns[0][0].end, words), *turns[0][1:])
    recipe.scene = replace(scene, samples=scene.samples[round(cut * scene.rate) :], turns=tuple(turns))


def _moved(part: Utterance, by: float) -> Utterance:
    return Utterance(part.start + by, part.end + by, part.words)


@fault
def noise_first(recipe: Recipe, seconds: float) -> None:
    """What a decoder makes of bytes that were not decrypted: noise as loud as speech, another level each frame."""
    scene, rate = recipe.scene, recipe.scene.rate
    count, size = round(seconds * 50), rate // 50
    levels = np.repeat(recipe.rng.uniform(0.02, 0.3, count), size)
    noise = recipe.rng.standard_normal(count * size) * levels
    turns = tuple(tuple(_moved(part, seconds) for part in turn) for turn in scene.turns)
    recipe.scene = replace(scene, samples=np.concatenate([noise, scene.samples]), turns=turns)


@fault
def only_noise(recipe: Recipe, level: float) -> None:
    recipe.service.hears = "nothing"
    recipe.shape.append(lambda x: recipe.rng.standard_normal(len(x)) * level)


@fault
def taken_for_a_while(recipe: Recipe, at: float, length: float) -> None:
    """Exact zeros while another application has the microphone; what is said then is lost."""
    start = _mid_word(recipe, at)
    scene = recipe.scene
    samples = scene.samples.copy()
    samples[round(start * scene.rate) : round((start + length) * scene.rate)] = 0
    before = [turn for turn in scene.cut(start).turns if turn[0].start < start]
    after = [turn for turn in scene.turns if turn[0].start > start + length]
    recipe.scene = replace(scene, samples=samples, turns=(*before, *after))


@fault
def amplified(recipe: Recipe, full: float) -> None:
    """As much gain as brings this share of the samples of speech to full scale."""
    recipe.shape.append(lambda x: np.clip(x / np.quantile(np.abs(x), 1 - full), -1, 1))


@fault
def twice_and_clipped(recipe: Recipe, delay: float, gain: float) -> None:
    shift = round(delay * recipe.scene.rate)

    def shape(samples: Samples) -> Samples:
        loud = samples * (gain / np.abs(samples).max())
        return np.clip(loud + np.concatenate([np.zeros(shift), loud[: len(loud) - shift]]), -1, 1)

    recipe.shape.append(shape)


@fault
def collapses(recipe: Recipe, db: float) -> None:
    """A radio link gives up 0.2 s after a word began: faint remains and chirps for a second or two."""
    scene, rate = recipe.scene, recipe.scene.rate
    samples = scene.samples.copy()
    for part in (part for turn in scene.turns for part in turn if part.end - part.start > 1.8):
        start = round((part.start + 0.25) * rate)
        count = round(recipe.rng.uniform(1.0, 1.5) * rate)
        chirp = signal.chirp(np.arange(count) / rate, 300, count / rate, 2400) * 6e-4
        fade = np.minimum(1, np.arange(count) / (0.02 * rate))
        samples[start : start + count] *= 1 - fade * (1 - 10 ** (db / 20))
        samples[start : start + count] += chirp * fade
    recipe.scene = replace(scene, samples=samples)


# --- time


@fault
def resets(recipe: Recipe, every: float, length: float) -> None:
    """While one message is stuck the buffer overflows and is thrown away."""
    end = recipe.scene.duration
    starts = np.cumsum(recipe.rng.uniform(0.6, 1.4, int(end / every)) * every)

    def pace(frames: list[Frame]) -> list[Frame]:
        return [frame for frame in frames if not any(a < frame.t < a + length for a in starts)]

    _misheard(recipe)
    recipe.pace.append(pace)


@fault
def one_frame_in(recipe: Recipe, seconds: float, after: float) -> None:
    def pace(frames: list[Frame]) -> list[Frame]:
        kept, last = [], 0.0
        for frame in frames:
            if frame.t < after or frame.t - last >= seconds:
                kept.append(frame)
                last = frame.t
        return kept

    recipe.service.hears = "nothing"
    recipe.pace.append(pace)


@fault
def chunks(recipe: Recipe, seconds: float) -> None:
    recipe.chunk_s = seconds


# --- connection


@fault
def redirected(recipe: Recipe, status: int, location: str) -> None:
    refused(recipe, status, {"server": "nginx", "location": location}, "<html>Moved</html>")


@fault
def query(recipe: Recipe, text: str, message: str) -> None:
    """The address has this query; the service refuses it."""
    recipe.refused = (400, error_body(400, "Bad Request", message))
    _address(recipe, lambda url: url.split("?")[0] + "?" + text)


@fault
def path(recipe: Recipe, text: str, status: int) -> None:
    recipe.refused = (status, "")
    _address(recipe, lambda url: "wss://" + url.split("/")[2] + text)


def _address(recipe: Recipe, change: Callable[[str], str]) -> None:
    _rows(recipe, lambda made: [made[0] | {"url": change(made[0]["url"])}, *made[1:]])


@fault
def idle_pinged(recipe: Recipe, seconds: float) -> None:
    """Nothing to send, pings go out; between them something cuts the connection, and no pong comes to the next one."""
    recipe.close_after, recipe.leave_after = None, seconds
    recipe.leave = ("client", 1011, "keepalive ping timeout")

    def change(made: list[Row]) -> list[Row]:
        last = max(row["t"] for row in made if "audio" in row)
        lines = [(last + 9.0, "> PING 3e 51 c8 07 [binary, 4 bytes]"), (last + 9.001, "% sent keepalive ping"),
                 (last + 9.03, "< PONG 3e 51 c8 07 [binary, 4 bytes]"),
                 (last + 9.031, "% received keepalive pong")]  # fmt: skip
        lines += [(last + 29.0, "> PING 1c 9a 22 0e [binary, 4 bytes]"), (last + 29.001, "% sent keepalive ping")]
        lines += [(last + 49.0, "- timed out waiting for keepalive pong")]
        return _with_lines(made, lines)

    _rows(recipe, change)


@fault
def no_pongs(recipe: Recipe) -> None:
    """Events go on to come, but the other side answers no ping; the library gives up 40 s after the opening."""

    def change(made: list[Row]) -> list[Row]:
        kept = [row for row in tiled(made, 40.0) if row.get("t", 0.0) < 40.0 and row["type"] != "close"]
        lines = [(20.0, "> PING 1c 9a 22 0e [binary, 4 bytes]"), (20.001, "% sent keepalive ping")]
        lines += [(40.0, "- timed out waiting for keepalive pong")]
        return _with_lines([*kept, _closed(40.001, "client", 1011, "keepalive ping timeout")], lines)

    recipe.clock = "client"
    _rows(recipe, change)


def _with_lines(made: list[Row], lines: list[tuple[float, str]]) -> list[Row]:
    said: list[Row] = [{"type": "log", "t": t, "line": line} for t, line in lines]
    return [made[0], *sorted([*made[1:], *said], key=lambda row: row.get("t", 0.0))]


@fault
def opened_when_spoken(recipe: Recipe, pause: float, late: float) -> None:
    """The session is ended in each pause and opened anew once somebody speaks: the first words are too early for it."""

    def change(made: list[Row]) -> list[Row]:
        rows, shift = [made[0]], 0.0
        for number, turn in enumerate(recipe.scene.turns):
            start, end = turn[0].start + late * (number > 0), turn[-1].end + 0.9
            sent = [row for row in made if "audio" in row and start < row["t"] - 0.08 <= end]
            began = sent[0]["t"] - 0.1
            heard = [
                row | {"t": max(row["t"], began + 0.2)}
                for row in made
                if "turn." in row.get("json", {}).get("type", "") and turn[0].start < row["t"] < end
            ]
            hello = {"type": "connected", "request_id": f"5d0c9e2{number}"}
            heard = [row | {"json": row["json"] | {"request_id": hello["request_id"]}} for row in heard]
            over = max(row["t"] for row in [*sent, *heard])
            rows += [made[1] | {"t": began + shift}, {"type": "receive", "t": began + shift + 0.03, "json": hello}]
            rows += [row | {"t": row["t"] + shift} for row in sorted([*sent, *heard], key=lambda row: row["t"])]
            rows += [{"type": "send", "t": over + shift + 0.1, "json": {"type": "close"}},
                     _closed(over + shift + 0.4, "server", 1000)]  # fmt: skip
            shift += pause
        return [row | {"t": round(row["t"], 4)} if "t" in row else row for row in rows]

    _rows(recipe, change)


@fault
def timed_out(recipe: Recipe, seconds: float, message: str) -> None:
    """The audio ends, and after a while the service says that it waited in vain."""
    recipe.close_after, recipe.leave_after = None, seconds
    recipe.leave = ("server", 1011, "")

    def change(made: list[Row]) -> list[Row]:
        said = json.loads(error_body(408, "Request Timeout", message))
        close = made[-1]
        return [*made[:-1], {"type": "receive", "t": close["t"] - 0.005, "json": said}, close]

    _rows(recipe, change)


# --- messages


@fault
def emptied(recipe: Recipe) -> None:
    """Each chunk goes through a serializer of JSON that makes `{}` of bytes."""
    recipe.service.hears, recipe.service.closes = "nothing", False
    recipe.leave_after = 1.0
    said = json.loads(error_body(400, "Invalid client message", "Unknown message"))

    def change(made: list[Row]) -> list[Row]:
        rows = [{"type": "send", "t": row["t"], "json": ["audio", {}]} if "audio" in row else row for row in made]
        return sorted([*rows, {"type": "receive", "t": 0.4, "json": said}], key=lambda row: row.get("t", -1.0))

    _rows(recipe, change)


# --- text


@fault
def only_last_turn(recipe: Recipe) -> None:
    recipe.join = lambda heard: _ended(heard)[-1].strip()


@fault
def turns_swapped(recipe: Recipe) -> None:
    def join(heard: Heard) -> str:
        texts = _ended(heard)
        texts[1], texts[2] = texts[2], texts[1]
        return "".join(texts)

    recipe.join = join


@fault
def running_total(recipe: Recipe) -> None:
    def join(heard: Heard) -> str:
        texts = _ended(heard)
        return " ".join("".join(texts[: count + 1]).strip() for count in range(len(texts)))

    recipe.join = join


@fault
def typed_by_length(recipe: Recipe) -> None:
    """Updates are typed as they grow; at the end a filler is dropped, and the rest is typed from the old length on."""

    def join(heard: Heard) -> str:
        out, typed = "", ""
        for kind, text in heard:
            if kind == TALKING:
                typed += text[len(typed) :]
            elif kind == "turn.end":
                words = text.split(" ")
                tidy = " ".join(words[:2] + words[3:])
                out, typed = out + typed + tidy[len(typed) :], ""
        return out

    recipe.join = join


@fault
def not_decoded_whole(recipe: Recipe) -> None:
    """Bytes are decoded piece by piece: a character that a border cuts becomes marks of replacement."""

    def named(part: Utterance, number: int) -> Utterance:
        words = list(part.words)
        words[len(words) // 2] = ("café", "naïve", "Zoë", "piñata")[number % 4]
        return Utterance(part.start, part.end, tuple(words))

    scene = recipe.scene
    turns = tuple(tuple(named(part, n + m) for m, part in enumerate(turn)) for n, turn in enumerate(scene.turns))
    recipe.scene = replace(scene, turns=turns)
    recipe.join = lambda heard: "".join(
        letter if letter.isascii() else "\ufffd" * len(letter.encode()) for letter in "".join(_ended(heard))
    )

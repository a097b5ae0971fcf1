"""What else goes wrong: the kinds of the sixth round of reports, in the form of `kinds`."""

import base64
import itertools
import json
import re
from dataclasses import replace

import numpy as np
from faults_handshake import error_body
from faults_make import encode
from faults_recipe import WIDTHS, Frame, Heard, Recipe, Row
from faults_scene import Samples, Scene, Utterance, scene
from faults_stream import shifted
from further import _address, _moved
from kinds import HELLO, _blocks, _closed, _each, _ended, _misheard, _paced, _rows, fault, refused
from scipy import signal
from third import _said

# --- what the bytes are


@fault
def hot_alaw(recipe: Recipe) -> None:
    """An encoder of A-law whose segments are one too high up to half of full scale."""

    def shape(samples: Samples) -> Samples:
        sized = samples * (0.85 / np.abs(samples).max())
        size = np.abs(sized) * 32768
        wrong = np.where(size < 256, size, np.where(size < 16384, np.maximum(2 * size, 768), size))
        return np.sign(sized) * wrong / 32768

    recipe.shape.append(shape)


@fault
def unsigned_big_endian(recipe: Recipe) -> None:
    _misheard(recipe)
    recipe.write = lambda x: (np.rint(x * 32767) + 32767).astype(">u2").tobytes()


@fault
def low_byte_subtracted(recipe: Recipe) -> None:
    """`(high << 8) + low` with a low byte that has a sign."""

    def write(samples: Samples) -> bytes:
        right = np.frombuffer(encode(samples, "pcm_s16le"), "<i2").astype(np.int32)
        return (right - 256 * ((right & 255) > 127)).astype("<i2").tobytes()

    recipe.write = write


@fault
def json_as_binary(recipe: Recipe) -> None:
    recipe.service.hears = "nothing"
    _each(recipe, lambda _n, data: json.dumps({"audio_data": base64.b64encode(data).decode()}).encode())


# --- frames


@fault
def ring_from_zero(recipe: Recipe) -> None:
    """As many samples as are new are read at each poll, and always from the first place of a ring of one second."""
    recipe.service.hears = "nothing"

    def pace(frames: list[Frame]) -> list[Frame]:
        data = np.frombuffer(b"".join(f.data for f in frames if isinstance(f.data, bytes)), "<i2")
        rate, length = recipe.scene.rate, frames[-1].until or 0.0
        made, last = [], 0
        for at in np.cumsum(recipe.rng.uniform(0.014, 0.02, int(length / 0.017) - 2)):
            now = int(at * rate)
            lap = now // rate * rate
            ring = np.concatenate([data[lap:now], data[max(0, now - rate) : lap]])
            made.append(Frame(0.08 + at, ring[: now - last].tobytes(), at))
            last = now
        return made

    recipe.pace.append(pace)


@fault
def ring_overtaken(recipe: Recipe, lap: float, block: float, ahead: float) -> None:
    """The reader runs a little fast; where it is ahead of the writer it reads what was written a lap before."""
    _misheard(recipe)

    def shape(samples: Samples) -> Samples:
        rate = recipe.scene.rate
        at = np.arange(len(samples))
        read = at + (ahead * at).astype(int) - round(1.5 * block * rate) - int(ahead * len(samples) / 2)
        size = round(block * rate)
        stale = read >= at // size * size
        return samples[np.clip(np.where(stale, read - round(lap * rate), read), 0, len(samples) - 1)]

    recipe.shape.append(shape)


@fault
def shared_by_clients(recipe: Recipe, late: float) -> None:
    """Another client's frames, at its own moments, on the same socket."""
    said = recipe.scene
    other = scene(np.random.default_rng(23), said.rate, 6).samples
    _misheard(recipe)

    def pace(frames: list[Frame]) -> list[Frame]:
        made, at = [], 0
        for frame in frames:
            size = len(frame.data) // WIDTHS[recipe.encoding]
            piece = np.take(other, np.arange(at, at + size), mode="wrap")
            made += [frame, Frame(frame.t + late, encode(piece, recipe.encoding), frame.until)]
            at += size
        return made

    recipe.pace.append(pace)


@fault
def padded_packets(recipe: Recipe, share: float) -> None:
    """Some packets end in padding: zeros, and how many bytes it has."""

    def pad(_number: int, data: bytes) -> bytes:
        if recipe.rng.random() > share:
            return data
        count = int(recipe.rng.integers(1, 4)) * 4
        return data + bytes(count - 1) + bytes([count])

    _each(recipe, pad)


@fault
def header_extension(recipe: Recipe) -> None:
    """The eight bytes of an extension with the level of the sound are taken for payload."""
    level = iter(recipe.rng.integers(0, 128, 1 << 16).tolist())
    _misheard(recipe)
    _each(recipe, lambda _n, data: bytes.fromhex("bede000110") + bytes([next(level), 0, 0]) + data)


@fault
def stale_rests(recipe: Recipe, block: float, share: float) -> None:
    """Where too little has come, a block keeps what it held before from there on."""
    rate = recipe.scene.rate
    size, rng = round(block * rate), recipe.rng
    grown = 1 + share / 2

    def write(samples: Samples) -> bytes:
        held, at, made = np.zeros(size), 0, []
        while at < len(samples):
            count = int(rng.integers(0, size)) if rng.random() < share else size
            part = samples[at : at + count]
            held = np.concatenate([part, held[len(part) :]])
            made.append(held)
            at += count
        return encode(np.concatenate(made), recipe.encoding)

    _paced(recipe, write, WIDTHS[recipe.encoding])
    recipe.pace.append(shifted(lambda t: t * grown))


# --- resampling and levels


@fault
def held(recipe: Recipe) -> None:
    """Half the rate, each sample twice."""
    recipe.shape.append(lambda x: np.repeat(signal.resample_poly(x, 1, 2), 2)[: len(x)])


@fault
def rest_discarded(recipe: Recipe, block: int, quanta: int) -> None:
    """Blocks end with a whole quantum; every third sample of `block` is sent, what lies beyond is dropped."""
    taken = -(-block // quanta) * quanta

    def write(samples: Samples) -> bytes:
        high = signal.resample_poly(samples, 3, 1)
        return encode(np.concatenate([part[:block:3] for part in _blocks(high, taken)]), recipe.encoding)

    _paced(recipe, write, WIDTHS[recipe.encoding])


@fault
def faded_each(recipe: Recipe, count: int) -> None:
    def shape(samples: Samples) -> Samples:
        size = round(recipe.chunk_s * recipe.scene.rate)
        gain = np.ones(size)
        gain[:count] = np.arange(count) / count
        gain[-count:] = gain[:count][::-1]
        return samples * np.resize(gain, len(samples))

    recipe.shape.append(shape)


@fault
def taken_for_echo(recipe: Recipe, db: float, zeros: float) -> None:
    """Soft remains of the voice, and zeros in most places."""
    size = recipe.scene.rate // 250

    def shape(samples: Samples) -> Samples:
        out = samples * 10 ** (db / 20)
        blocks = out[: len(out) // size * size].reshape(-1, size)
        levels = np.sqrt((blocks**2).mean(axis=1)) * np.exp(recipe.rng.normal(0, 0.7, len(blocks)))
        blocks[levels < np.quantile(levels, zeros)] = 0
        return out

    _misheard(recipe)
    recipe.shape.append(shape)


@fault
def byte_in_pauses(recipe: Recipe, byte: int) -> None:
    """Nothing comes from the line in pauses, and this byte is put in."""
    turns = recipe.scene.turns
    pauses = [(before[-1].end + 0.3, turn[0].start - 0.2) for before, turn in itertools.pairwise(turns)]

    def pace(frames: list[Frame]) -> list[Frame]:
        for frame in frames:
            if any(a < (frame.until or 0.0) < b for a, b in pauses):
                frame.data = bytes([byte]) * len(frame.data)
        return frames

    recipe.pace.append(pace)


@fault
def on_hold(recipe: Recipe, seconds: float) -> None:
    """After the first turn a line plays music for a while; what is said next comes after it."""
    said = recipe.scene
    cut = said.turns[0][-1].end + 1.2
    at = np.arange(round(seconds * said.rate)) / said.rate
    beat = 0.45
    notes = recipe.rng.choice([196.0, 220.0, 246.9, 261.6, 293.7, 329.6, 392.0], int(seconds / beat) + 1)
    pitch, age = notes[(at / beat).astype(int)], at % beat
    tune = sum(np.sin(2 * np.pi * k * pitch * at) / k**1.5 for k in range(1, 6)) * np.exp(-3 * age)
    music = np.asarray(tune) * 0.12
    place = round(cut * said.rate)
    samples = np.concatenate([said.samples[:place], music, said.samples[place:]])
    later = tuple(tuple(_moved(part, seconds) for part in turn) for turn in said.turns[1:])
    recipe.scene = Scene(samples, said.rate, (said.turns[0], *later), said.voice)


# --- time


@fault
def kept_until_stop(recipe: Recipe) -> None:
    """Chunks are collected while somebody speaks, and sent when the button is pressed again."""
    length = recipe.scene.duration
    recipe.pace.append(shifted(lambda t: length + 0.1 + t / 400))


# --- connection and messages


@fault
def plain_to_tls(recipe: Recipe) -> None:
    title = "400 The plain HTTP request was sent to HTTPS port"
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n"
    body += f"<center>{title[4:]}</center>\r\n<hr><center>nginx/1.14.1</center>\r\n</body>\r\n</html>\r\n"
    refused(recipe, 400, {"server": "nginx/1.14.1", "content-type": "text/html"}, body)
    _address(recipe, lambda url: url.replace("wss://api.cartesia.ai", "ws://api.cartesia.ai:443"))


@fault
def query_dropped(recipe: Recipe) -> None:
    """The service is asked without a query, and says what it misses."""
    body = error_body(400, "Bad Request", "Missing required query parameter: model")
    refused(recipe, 400, {"server": "Microsoft-HTTPAPI/2.0", "content-type": "application/json"}, body)


@fault
def token_used_up(recipe: Recipe) -> None:
    """The connection is lost, and the token that opened it opens no other one."""

    def change(made: list[Row]) -> list[Row]:
        cut = 0.6 * made[-1]["t"]
        kept = [row for row in made if row.get("t", 0.0) < cut]
        body = error_body(401, "Unauthorized", "Access token has already been used")
        again = [{"type": "open", "t": cut + wait, "status": 401, "headers": {}, "body": body} for wait in (0.6, 1.7)]
        return [*kept, _closed(cut, "unknown", 1006), *again]

    _rows(recipe, change)


@fault
def json_pings(recipe: Recipe, every: float) -> None:
    def change(made: list[Row]) -> list[Row]:
        said = json.loads(error_body(400, "Invalid client message", "Unknown message type: ping"))
        end = max(row["t"] for row in made if "audio" in row)
        rows = []
        for at in np.arange(every, end, every):
            rows.append({"type": "send", "t": float(at), "json": {"type": "ping", "t": 1789000000000 + int(1000 * at)}})
            rows.append({"type": "receive", "t": float(at) + 0.06, "json": said})
        return [made[0], *sorted([*made[1:], *rows], key=lambda row: row.get("t", 0.0))]

    _rows(recipe, change)


# --- text


@fault
def last_word_twice(recipe: Recipe) -> None:
    recipe.join = lambda heard: "".join(f"{text} {text.split()[-1]}" for text in _ended(heard))


@fault
def updates_in_small_letters(recipe: Recipe) -> None:
    def join(heard: Heard) -> str:
        return " ".join(text.strip().lower() for kind, text in heard if kind in ("turn.update", "turn.end"))

    recipe.join = join


def _bare(word: str) -> str:
    return re.sub(r"\W", "", word).lower()


@fault
def seams_cleaned(recipe: Recipe) -> None:
    """A turn's first word is dropped where the turn before ends in the same one, and here each does."""
    scene_ = recipe.scene
    turns: list[tuple[Utterance, ...]] = [scene_.turns[0]]
    for turn in scene_.turns[1:]:
        first = _bare(turns[-1][-1].words[-1]).capitalize()
        turns.append((replace(turn[0], words=(first, *turn[0].words)), *turn[1:]))
    recipe.scene = replace(scene_, turns=tuple(turns))

    def join(heard: Heard) -> str:
        out = ""
        for text in _ended(heard):
            words = text.split()
            tail = {_bare(word) for word in out.split()[-4:]}
            while words and _bare(words[0]) in tail:
                words.pop(0)
            out += (" " if out else "") + " ".join(words)
        return out

    recipe.join = join


@fault
def sorted_by_own_clock(recipe: Recipe) -> None:
    """Two connections, and the text in the order of the times at which its turns began in their connection."""

    def change(made: list[Row]) -> list[Row]:
        ends = [row for row in made if row.get("json", {}).get("type") == "turn.end"]
        cut = ends[1]["t"] + 0.2
        first = [row for row in made if row.get("t", 0.0) <= cut and row["type"] != "transcript"]
        rest = [row | {"t": row["t"] + 1.0} for row in made if row.get("t", 0.0) > cut and row["type"] != "transcript"]
        for row in rest:
            if "request_id" in row.get("json", {}):
                row["json"] = row["json"] | {"request_id": HELLO["request_id"]}
        opened = [{"type": "open", "t": cut + 0.9, "status": 101}, {"type": "receive", "t": cut + 0.95, "json": HELLO}]
        over = [{"type": "send", "t": cut + 0.05, "json": {"type": "close"}}, _closed(cut + 0.3, "server", 1000)]
        own = [row["t"] - (cut if row["t"] > cut else 0.0) for row in ends]
        text = "".join(ends[n]["json"]["transcript"] for n in np.argsort(own))
        return [*first, *over, *opened, *rest, {"type": "transcript", "t": rest[-1]["t"], "text": text}]

    _rows(recipe, change)


@fault
def cut_at_length(recipe: Recipe, length: int) -> None:
    recipe.join = lambda heard: "".join(_ended(heard))[:length]


@fault
def stuck_together(recipe: Recipe) -> None:
    recipe.join = lambda heard: "".join(text.strip() for text in _ended(heard))


@fault
def numbers_rewritten(recipe: Recipe) -> None:
    _said(recipe, lambda words: (*words[:2], "twenty", "three", "percent", *words[2:]))
    recipe.join = lambda heard: "".join(_ended(heard)).replace("twenty three percent", "203%")


@fault
def speakers_named(recipe: Recipe) -> None:
    recipe.join = lambda heard: "\n".join(f"Speaker {n % 2 + 1}: {x.strip()}" for n, x in enumerate(_ended(heard)))


@fault
def undefined_for_none(recipe: Recipe) -> None:
    """The text of each event is appended, and the beginning of a turn has none."""
    starts = ("turn.start", "turn.end")
    recipe.join = lambda heard: " ".join(text.strip() or "undefined" for kind, text in heard if kind in starts)


@fault
def last_partial_too(recipe: Recipe) -> None:
    def join(heard: Heard) -> str:
        last = [text for kind, text in heard if kind == "turn.update"][-1]
        return "".join(_ended(heard)) + " " + last.strip()

    recipe.join = join


TEXT = ("last_word_twice", "updates_in_small_letters", "seams_cleaned", "sorted_by_own_clock", "cut_at_length",
        "stuck_together", "numbers_rewritten", "speakers_named", "undefined_for_none", "last_partial_too")  # fmt: skip
"""Those whose twin has the application's text, too."""

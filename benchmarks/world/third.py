"""What else goes wrong: the kinds of the third round of reports, in the form of `kinds`."""

import itertools
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from faults_handshake import error_body
from faults_make import encode
from faults_recipe import Frame, Heard, Recipe, Row
from faults_scene import SENTENCES, Samples, Utterance
from kinds import HELLO, _blocks, _closed, _each, _ended, _mid_word, _misheard, _paced, _rows, fault
from scipy import signal

STEPS = np.rint([min(32767.0, 7 * 1.1**n) for n in range(89)])
MOVES = (-1, -1, -1, -1, 2, 4, 6, 8)
BANNER = (
    "ffmpeg version 6.1.1 Copyright (c) 2000-2023 the FFmpeg developers\n"
    "  built with gcc 13 (Debian 13.2.0-9)\n  configuration: --prefix=/usr --enable-gpl --enable-libopus\n"
    "Input #0, alsa, from 'default':\n  Duration: N/A, start: 1789000000.000000, bitrate: 256 kb/s\n"
    "Output #0, s16le, to 'pipe:1':\n  Stream #0:0: Audio: pcm_s16le, 16000 Hz, mono, s16, 256 kb/s\n"
)

# --- what the bytes are


def _mulaw(codes: bytes) -> Samples:
    values = ~np.frombuffer(codes, np.uint8) & 255
    size = ((((values & 15) << 3) + 132).astype(np.int32) << ((values & 112) >> 4)) - 132
    return np.where(values & 128, -size, size) / 32768


@fault
def wrong_law(recipe: Recipe) -> None:
    """A line's A-law goes through the table for mu-law, and the result is sent as 16 bits."""
    _misheard(recipe)
    recipe.write = lambda x: encode(_mulaw(encode(x, "pcm_alaw")), "pcm_s16le")


@fault
def signed_low_byte(recipe: Recipe) -> None:
    """`high << 8 | low` with a low byte that has a sign."""

    def write(samples: Samples) -> bytes:
        right = np.frombuffer(encode(samples, "pcm_s16le"), "<i2")
        low = (right & 255).astype(np.uint8).view(np.int8).astype(np.int16)
        return ((right & ~255) | low).astype("<i2").tobytes()

    _misheard(recipe)
    recipe.write = write


@fault
def log_in_stream(recipe: Recipe) -> None:
    """A tool's messages stand in its output: a banner first, then a line about its progress each second."""

    def write(samples: Samples) -> bytes:
        parts = [BANNER.encode()]
        for n, part in enumerate(_blocks(samples, recipe.scene.rate)):
            line = f"size= {32 * n:7}kB time=00:00:{n:02}.00 bitrate= 256.0kbits/s speed=   1x    \r"
            parts += [encode(part, recipe.encoding), line.encode()]
        return b"".join(parts)

    _misheard(recipe)
    recipe.write = write


@fault
def int64(recipe: Recipe) -> None:
    _misheard(recipe, 4.0)
    _paced(recipe, lambda x: np.rint(x * 32767).astype("<i8").tobytes(), 8)


@fault
def divided_by(recipe: Recipe, factor: float) -> None:
    _misheard(recipe)
    recipe.write = lambda x: (np.rint(x * 32767) / factor).astype("<f4").tobytes()


@fault
def ima_adpcm(recipe: Recipe) -> None:
    def write(samples: Samples) -> bytes:
        guess, index, codes = 0.0, 0, []
        for value in np.rint(samples * 32767).tolist():
            step = float(STEPS[index])
            code = min(7, int(abs(value - guess) * 4 / step))
            sign = value < guess
            guess += (-1 if sign else 1) * (code + 0.5) * step / 4
            guess = min(32767.0, max(-32768.0, guess))
            index = min(88, max(0, index + MOVES[code]))
            codes.append(code | (8 if sign else 0))
        nibbles = np.array(codes[: len(codes) // 2 * 2], np.uint8).reshape(-1, 2)
        return (nibbles[:, 0] | nibbles[:, 1] << 4).tobytes()

    recipe.service.hears = "nothing"
    _paced(recipe, write, 2)


@fault
def constant(recipe: Recipe, value: int) -> None:
    recipe.service.hears = "nothing"
    recipe.write = lambda x: np.full(len(x), value, "<i2").tobytes()


@fault
def http_chunks(recipe: Recipe, size: int) -> None:
    """The body of an HTTP answer is passed on with the lengths of its chunks."""

    def damage(data: bytes) -> bytes:
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)

    recipe.damage.append(damage)


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


@fault
def protobuf(recipe: Recipe) -> None:
    """Each chunk is a field of a message, with a number, a name, rate and channels around it."""

    def field(tag: int, content: bytes) -> bytes:
        return bytes([tag << 3 | 2]) + _varint(len(content)) + content

    def wrap(number: int, data: bytes) -> bytes:
        name = field(2, f"InputAudioRawFrame#{number}".encode())
        tail = b"\x20" + _varint(recipe.scene.rate) + b"\x28\x01"
        return field(2, b"\x08" + _varint(number + 31) + name + field(3, data) + tail)

    _misheard(recipe)
    _each(recipe, wrap)


# --- frames


@fault
def blocks_twice(recipe: Recipe, size: int) -> None:
    """Of two buffers that change places, the same one is read each time: every second block is the one before."""

    def shape(samples: Samples) -> Samples:
        blocks = samples[: len(samples) // (2 * size) * 2 * size].reshape(-1, 2, size)
        return np.repeat(blocks[:, :1], 2, axis=1).reshape(-1)

    _misheard(recipe)
    recipe.shape.append(shape)


@fault
def scattered(recipe: Recipe, size: int, stride: int) -> None:
    """Packets of `size` samples lie in a buffer at every `stride`, zeros between; the buffer is sent as it is."""

    def write(samples: Samples) -> bytes:
        blocks = samples[: len(samples) // size * size].reshape(-1, size)
        return encode(np.pad(blocks, ((0, 0), (0, stride - size))).reshape(-1), recipe.encoding)

    _misheard(recipe, stride / size)
    _paced(recipe, write)


@fault
def tail_first(recipe: Recipe, seconds: float) -> None:
    """A buffer that was not emptied: each turn begins with the end of the one before."""
    scene = recipe.scene
    samples, turns = scene.samples.copy(), [scene.turns[0]]
    size = round(seconds * scene.rate)
    for before, turn in zip(scene.turns, scene.turns[1:], strict=False):
        end, start = round(before[-1].end * scene.rate), round((turn[0].start - 0.05) * scene.rate)
        samples[start - size : start] = scene.samples[end - size : end]
        first = Utterance(turn[0].start - 0.05 - seconds, turn[0].end, (*before[-1].words[-2:], *turn[0].words))
        turns.append((first, *turn[1:]))
    recipe.scene = replace(scene, samples=samples, turns=tuple(turns))


@fault
def all_again(recipe: Recipe, pause: float) -> None:
    """A list of chunks is never emptied: the second connection begins with all that the first one sent."""

    def change(made: list[Row]) -> list[Row]:
        first = next(row["t"] for row in made if row.get("json", {}).get("type") == "turn.end") + 0.5
        before = [row for row in made if row.get("t", 0.0) <= first]
        begun = first + pause
        hello = {"type": "receive", "t": begun + 0.08, "json": HELLO}
        again = [row | {"t": begun + 0.1 + row["t"] / 200} for row in before if "audio" in row]
        heard = [
            row | {"t": begun + 0.5 + row["t"] / 20, "json": row["json"] | {"request_id": HELLO["request_id"]}}
            for row in before
            if "turn." in row.get("json", {}).get("type", "")
        ]
        rest = [row | {"t": row["t"] + pause + 1.0} for row in made if row.get("t", 0.0) > first and row["type"] != "x"]
        for row in rest:
            if "request_id" in row.get("json", {}):
                row["json"] = row["json"] | {"request_id": HELLO["request_id"]}
        end = {"type": "send", "t": first + 0.05, "json": {"type": "close"}}
        opened = {"type": "open", "t": begun + 0.05, "status": 101}
        return [*before, end, _closed(first + 0.3, "server", 1000), opened, hello,
                *sorted([*again, *heard], key=lambda row: row["t"]), *rest]  # fmt: skip

    _rows(recipe, change)


# --- sound


@fault
def settling(recipe: Recipe, seconds: float) -> None:
    """A microphone that has just got its power: it comes back from the rail."""

    def shape(samples: Samples) -> Samples:
        at = np.arange(len(samples)) / recipe.scene.rate
        return samples - 0.9 * np.exp(-at * 5 / seconds)

    recipe.shape.append(shape)


@fault
def beeps(recipe: Recipe) -> None:
    """A browser's fake microphone: a short beep twice a second."""
    rate = recipe.scene.rate

    def shape(samples: Samples) -> Samples:
        at = np.arange(len(samples)) / rate
        return 0.5 * np.sin(2 * np.pi * 400 * at) * (at % 0.5 < 0.02)

    recipe.service.hears = "nothing"
    recipe.shape.append(shape)


@fault
def buzz(recipe: Recipe, level: float) -> None:
    """A buzz much louder than the voice."""
    _misheard(recipe)
    rng = recipe.rng

    def shape(samples: Samples) -> Samples:
        at = np.arange(len(samples)) / recipe.scene.rate
        wave = signal.sawtooth(2 * np.pi * 100 * at) + 0.3 * rng.standard_normal(len(at))
        return samples * (0.05 / np.abs(samples).max()) + level * wave

    recipe.shape.append(shape)


@fault
def interpolated_up(recipe: Recipe) -> None:
    """Sound of half the rate, drawn out by straight lines."""

    def shape(samples: Samples) -> Samples:
        low = signal.resample_poly(samples, 1, 2)
        return np.interp(np.arange(len(samples)) / 2, np.arange(len(low)), low)

    recipe.shape.append(shape)


# --- time


@fault
def part_delivered(recipe: Recipe, gap: float, run: float) -> None:
    """Nothing comes for some tenths of a second, again and again, and what was said meanwhile never does."""

    def pace(frames: list[Frame]) -> list[Frame]:
        kept, at = [], 0.0
        while at < frames[-1].t:
            end = at + run * recipe.rng.uniform(0.5, 1.5)
            kept += [frame for frame in frames if at <= frame.t < end]
            at = end + gap * float(np.exp(recipe.rng.normal(0, 0.5)))
        return kept

    _misheard(recipe)
    recipe.pace.append(pace)


@fault
def oldest_dropped(recipe: Recipe, spot: float, stall: float, queue: float) -> None:
    """The sender waits; its queue holds some seconds and gives up what is oldest."""
    start = _mid_word(recipe, spot)

    def pace(frames: list[Frame]) -> list[Frame]:
        kept = [frame for frame in frames if not start < frame.t < start + stall - queue]
        for n, frame in enumerate(kept):
            if start < frame.t < start + stall:
                frame.t = start + stall + 0.001 * (n % 100)
        return sorted(kept, key=lambda frame: frame.t)

    recipe.pace.append(pace)


@fault
def zeros_too_long(recipe: Recipe, factor: int) -> None:
    """In pauses zeros of a wider type are sent: as many samples, several times as many bytes."""

    def pace(frames: list[Frame]) -> list[Frame]:
        turns = recipe.scene.turns
        pauses = [(before[-1].end + 0.3, turn[0].start - 0.2) for before, turn in itertools.pairwise(turns)]
        for frame in frames:
            if isinstance(frame.data, bytes) and any(a < (frame.until or 0.0) < b for a, b in pauses):
                frame.data = bytes(factor * len(frame.data))
        return frames

    recipe.pace.append(pace)


@fault
def lockstep(recipe: Recipe, stay: float) -> None:
    """The client waits for a message after each chunk: the first one is the greeting, and another does not come."""

    def change(made: list[Row]) -> list[Row]:
        sent = [row for row in made if "audio" in row][:2]
        return [*made[:2], {"type": "receive", "t": 0.07, "json": HELLO}, *sent, _closed(stay, "client", 1000)]

    _rows(recipe, change)


# --- connection and messages


@fault
def unready_token(recipe: Recipe) -> None:
    message = "invalid token: validation failed, token not valid yet (nbf)"
    recipe.refused = (401, error_body(401, "Unauthorized", message))


@fault
def ended_otherwise(recipe: Recipe, text: str, stay: float) -> None:
    """The end is told as another vendor wants it: in a binary frame, perhaps an empty one."""
    recipe.service.closes, recipe.leave_after = False, stay
    recipe.close_command = text.encode() or b"-"

    def change(made: list[Row]) -> list[Row]:
        last = max(n for n, row in enumerate(made) if "audio" in row)
        made[last] = made[last] if text else made[last] | {"audio": ""}
        return made

    _rows(recipe, change)


# --- text


def _said(recipe: Recipe, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
    turns = tuple(tuple(replace(part, words=change(part.words)) for part in turn) for turn in recipe.scene.turns)
    recipe.scene = replace(recipe.scene, turns=turns)


@fault
def equal_words_dropped(recipe: Recipe) -> None:
    def doubled(words: tuple[str, ...]) -> tuple[str, ...]:
        return (*words[:2], *(("very",) * 2), *words[2:])

    def join(heard: Heard) -> str:
        words = "".join(_ended(heard)).split(" ")
        return " ".join(word for n, word in enumerate(words) if n == 0 or word.lower() != words[n - 1].lower())

    _said(recipe, doubled)
    recipe.join = join


@fault
def fillers_dropped(recipe: Recipe) -> None:
    _said(recipe, lambda words: (*words[:2], "um,", *words[2:5], "uh,", *words[5:]))
    recipe.join = lambda heard: "".join(_ended(heard)).replace(" um,", "").replace(" uh,", "")


@fault
def earlier_text_first(recipe: Recipe) -> None:
    recipe.join = lambda heard: f"{SENTENCES[9]} {SENTENCES[13]} " + "".join(_ended(heard))


@fault
def only_first_turn(recipe: Recipe) -> None:
    recipe.join = lambda heard: _ended(heard)[0]


@fault
def other_layout(recipe: Recipe) -> None:
    keys = str.maketrans({",": "ö", "?": "ä", ".": "ü"})
    recipe.join = lambda heard: "".join(_ended(heard)).translate(keys)


@fault
def accents_dropped(recipe: Recipe) -> None:
    names = iter(("café", "naïve", "Zoë", "piñata", "Müller", "déjà", "Peña", "crème") * 4)
    _said(recipe, lambda words: (*words[:2], next(names), *words[2:]))

    def join(heard: Heard) -> str:
        text = unicodedata.normalize("NFKD", "".join(_ended(heard)))
        return "".join(letter for letter in text if not unicodedata.combining(letter))

    recipe.join = join


# --- telephone lines and sockets that are replaced


@fault
def dtmf_payloads(recipe: Recipe, presses: int) -> None:
    """While a key is pressed, events of four bytes stand in place of packets of sound."""

    def pace(frames: list[Frame]) -> list[Frame]:
        for n, start in enumerate(np.linspace(0.2, 0.8, presses)):
            first = int(start * len(frames))
            for k, frame in enumerate(frames[first : first + 8]):
                frame.data = bytes([n, 0x8A if k > 5 else 0x0A]) + (160 * k).to_bytes(2, "big")
        return frames

    recipe.pace.append(pace)


@fault
def replaced_and_mute(recipe: Recipe, stay: float) -> None:
    """The token is renewed by another connection, and the old one's close marks the new one as closed."""

    def change(made: list[Row]) -> list[Row]:
        ended = [row for row in made if row["type"] != "close" and row.get("json", {}).get("type") != "close"]
        last = max(row["t"] for row in ended if "t" in row)
        opened = {"type": "open", "t": last + 0.6, "status": 101}
        hello = {"type": "receive", "t": last + 0.63, "json": HELLO}
        return [*ended, _closed(last + 0.5, "client", 1000), opened, hello, _closed(last + stay, "client", 1000)]

    _rows(recipe, change)

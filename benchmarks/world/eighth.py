"""What else goes wrong: the kinds of the eighth round of reports, in the form of `kinds`."""

import html
import json
import re
import textwrap
from urllib.parse import urlencode

import numpy as np
from faults_handshake import error_body
from faults_make import encode
from faults_recipe import WIDTHS, Frame, Heard, Recipe, Row, Segment
from faults_scene import Samples
from faults_stream import shifted
from further import TALKING, _address
from kinds import HELLO, _blocks, _closed, _each, _ended, _mid_word, _misheard, _paced, _rows, fault, refused
from scipy import signal
from seventh import _close_with, _pauses, _within
from third import _said

# --- what the bytes are


@fault
def planes_averaged(recipe: Recipe, block: int) -> None:
    """One channel behind the other in each block, read as pairs: means of two neighbours, of both channels in turn."""

    def shape(samples: Samples) -> Samples:
        whole = samples[: len(samples) // block * block].reshape(-1, block // 2, 2).mean(axis=2)
        return np.concatenate([whole, 0.93 * whole], axis=1).reshape(-1)

    _misheard(recipe)
    recipe.shape.append(shape)


@fault
def unsigned_as_signed(recipe: Recipe) -> None:
    """Samples of 8 bits without a sign are taken for signed ones, and widened."""

    def write(samples: Samples) -> bytes:
        codes = np.clip(np.rint(samples * 127 + 128), 0, 255).astype(np.uint8)
        return (codes.view(np.int8).astype(np.int16) << 8).astype("<i2").tobytes()

    _misheard(recipe)
    recipe.write = write


@fault
def scaled_twice(recipe: Recipe) -> None:
    """Floats that are in 16-bit units already are multiplied by 32767 again, and cast."""

    def write(samples: Samples) -> bytes:
        units = np.frombuffer(encode(samples, "pcm_s16le"), "<i2").astype(np.int64)
        return (units * 32767 & 0xFFFF).astype("<u2").tobytes()

    _misheard(recipe)
    recipe.write = write


@fault
def six_channels(recipe: Recipe) -> None:
    """An array: the processed channel, four microphones, and what the loudspeaker plays (nothing)."""

    def write(samples: Samples) -> bytes:
        raw = [0.4 * np.roll(samples, n) + recipe.rng.standard_normal(len(samples)) * 2e-3 for n in (1, 3, 4, 2)]
        return encode(np.stack([samples, *raw, np.zeros_like(samples)], axis=1).reshape(-1), recipe.encoding)

    _misheard(recipe, 6.0)
    _paced(recipe, write, 6 * WIDTHS[recipe.encoding])


@fault
def overdriven_law(recipe: Recipe) -> None:
    """The encoder expects samples of 14 bits and is given 16: what is above a quarter becomes the loudest code."""
    recipe.shape.append(lambda samples: np.clip(samples * (3.6 / np.abs(samples).max()), -1, 1))


@fault
def biased(recipe: Recipe, offset: float) -> None:
    recipe.shape.append(lambda samples: 0.5 * samples / np.abs(samples).max() + offset)


@fault
def rest_of_header(recipe: Recipe) -> None:
    """44 bytes were skipped, and the header is longer: its end stands in front of the samples."""
    rate = recipe.scene.rate
    rest = b"fmt " + (18).to_bytes(4, "little") + b"\x01\0\x01\0" + rate.to_bytes(4, "little")
    rest += (2 * rate).to_bytes(4, "little") + b"\x02\0\x10\0\0\0" + b"data" + (1_480_320).to_bytes(4, "little")
    recipe.damage.append(lambda data: rest + data)


# --- frames


@fault
def plane_padding(recipe: Recipe, size: int) -> None:
    """A plane of a frame is longer than its samples: zeros for the processor's sake are sent, too."""
    _misheard(recipe)
    _each(recipe, lambda _n, data: data + bytes(size))


@fault
def half_of_each(recipe: Recipe) -> None:
    """The number of samples is taken for the number of bytes."""
    _misheard(recipe, 0.5)
    _each(recipe, lambda _n, data: data[: len(data) // 4 * 2])


@fault
def zero_at_seams(recipe: Recipe, piece: int) -> None:
    """Pieces of base64 are joined and decoded at once: where padding stood, a zero byte comes out."""

    def join(_number: int, data: bytes) -> bytes:
        pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
        return b"".join(part + bytes(-len(part) % 3) for part in pieces[:-1]) + pieces[-1]

    _misheard(recipe)
    _each(recipe, join)


@fault
def stale_when_silent(recipe: Recipe, ring: int) -> None:
    """Buffers that are marked as silent hold what they held before, and the mark is not looked at."""
    spans = _pauses(recipe, 0.05, 0.05)

    def pace(frames: list[Frame]) -> list[Frame]:
        held: list[bytes | dict | str] = [frame.data for frame in frames[:ring]]
        for number, frame in enumerate(frames):
            if _within(frame, spans):
                frame.data = held[number % ring]
            else:
                held[number % ring] = frame.data
        return frames

    recipe.pace.append(pace)


@fault
def flushed_twice(recipe: Recipe, share: float) -> None:
    """A flush at the end of what is said sends what is left and keeps it, and the next flush sends it again."""
    ends = [part.end - 0.12 for turn in recipe.scene.turns for part in turn]

    def pace(frames: list[Frame]) -> list[Frame]:
        made: list[Frame] = []
        for frame in frames:
            before = made[-1].until if made else 0.0
            if isinstance(frame.data, bytes) and any((before or 0.0) < end <= (frame.until or 0.0) for end in ends):
                rest = frame.data[: int(len(frame.data) * share) // 4 * 4]
                made += [Frame(frame.t - 0.01, rest, before), Frame(frame.t - 0.009, rest, before)]
                frame.data = frame.data[len(rest) :]
            made.append(frame)
        return made

    recipe.pace.append(pace)


@fault
def comfort_noise(recipe: Recipe, every: float) -> None:
    """In pauses nothing comes but now and then a packet of 11 bytes that describes the noise."""
    spans = _pauses(recipe, 0.2, 0.1)

    def pace(frames: list[Frame]) -> list[Frame]:
        made, due = [], 0.0
        for frame in frames:
            if not _within(frame, spans):
                made.append(frame)
            elif frame.t >= due:
                due = frame.t + every
                made.append(Frame(frame.t, bytes([71, *recipe.rng.integers(90, 160, 10)]), frame.until))
        return made

    recipe.pace.append(pace)


@fault
def loudest_channel(recipe: Recipe, block: int) -> None:
    """For each block the louder of two inputs is taken, and the other one is a line with the noise of a machine."""
    noise = signal.lfilter([1.0], [1.0, -0.9], recipe.rng.standard_normal(len(recipe.scene.samples)))
    swell = 0.55 + 0.45 * np.sin(np.arange(len(noise)) / recipe.scene.rate * 2.3)
    noise *= swell * 0.3 * np.abs(recipe.scene.samples).max() / np.abs(noise).max()

    def shape(samples: Samples) -> Samples:
        pairs = zip(_blocks(samples, block), _blocks(noise, block), strict=True)
        return np.concatenate([max(a, b, key=lambda x: float(x @ x)) for a, b in pairs])

    _misheard(recipe)
    recipe.shape.append(shape)


# --- sound and time


@fault
def own_cue(recipe: Recipe, seconds: float) -> None:
    """The tone that says that recording has begun is recorded."""

    def shape(samples: Samples) -> Samples:
        rate, out = recipe.scene.rate, samples.copy()
        at = np.arange(round(seconds * rate)) / rate
        tone = signal.chirp(at, 380, seconds, 1150) * np.sin(np.pi * at / seconds) ** 0.5
        out[round(0.12 * rate) :][: len(tone)] += 0.5 * np.abs(samples).max() * tone
        return out

    recipe.shape.append(shape)


@fault
def rate_after_call(recipe: Recipe, rate: int, pause: float) -> None:
    """A telephone call interrupts; afterwards the microphone has another rate."""
    at = recipe.scene.turns[1][0].start - 0.3

    def segments(samples: Samples) -> list[Segment]:
        cut = round(at * recipe.scene.rate)
        rest = np.clip(signal.resample_poly(samples[cut:], rate, recipe.scene.rate), -1, 1)
        return [Segment(encode(samples[:cut], recipe.encoding), at, 2),
                Segment(encode(rest, recipe.encoding), recipe.scene.duration - at, 2)]  # fmt: skip

    _misheard(recipe)
    recipe.segments = segments
    recipe.pace.append(shifted(lambda t: t + pause if t > at + 0.09 else t))


# --- connection and messages


@fault
def asked_for(recipe: Recipe, pairs: list[list[str]], refused: bool = True) -> None:
    """More is asked for in the address than the service takes."""
    _address(recipe, lambda url: f"{url}&{urlencode([tuple(pair) for pair in pairs])}")
    if refused:
        recipe.refused = (400, error_body(400, "Bad Request", "Invalid request"))
    else:
        _misheard(recipe)


@fault
def many_keyterms(recipe: Recipe, count: int) -> None:
    asked_for(recipe, [["keyterm", f"Product {n:03}"] for n in range(count)])


@fault
def token_misnamed(recipe: Recipe, name: str) -> None:
    refused(recipe, 401, {}, error_body(401, "Unauthorized", "Missing credentials"), 3)
    _address(recipe, lambda url: url.replace("access_token=", f"{name}="))


@fault
def restarted_mid_word(recipe: Recipe, pause: float) -> None:
    """The client opens another connection when its time is over, in mid-word; what is said meanwhile is dropped."""
    at = _mid_word(recipe, 0.5)

    def change(made: list[Row]) -> list[Row]:
        kept = [row for row in made if row.get("t", 0.0) <= at]
        later = [row for row in made if row.get("t", 0.0) > at + pause + 0.08]
        for row in later:
            if "request_id" in row.get("json", {}):
                row["json"] = row["json"] | {"request_id": HELLO["request_id"]}
        opened = [{"type": "open", "t": at + pause, "status": 101},
                  {"type": "receive", "t": at + pause + 0.02, "json": HELLO}]  # fmt: skip
        return [*kept, _closed(at + 0.01, "client", 1000), *opened, *later]

    _rows(recipe, change)


@fault
def events_requoted(recipe: Recipe) -> None:
    """Something between writes each event anew and turns every apostrophe into a quote."""
    _said(recipe, lambda words: (*words[:1], "that's", *words[1:]))

    def change(made: list[Row]) -> list[Row]:
        out = []
        for row in made:
            text = json.dumps(row["json"]) if row["type"] == "receive" else ""
            broken = {"type": "receive", "t": row.get("t"), "text": text.replace("'", '"')}
            out.append(broken if "'" in text else row)
        return out

    _rows(recipe, change)


@fault
def rest_behind_command(recipe: Recipe, text: str) -> None:
    """The buffer of a message is longer than the message: what stood there before is sent, too."""
    _close_with(recipe, text, "Could not parse the message")


@fault
def once_more_each_time(recipe: Recipe, pause: float) -> None:
    """At each new connection the handler of the microphone is registered again, and the old ones stay."""

    def change(made: list[Row]) -> list[Row]:
        cuts = [row["t"] + 0.2 for row in made if row.get("json", {}).get("type") == "turn.end"][:2]
        out: list[Row] = []
        for row in made:
            number = sum(row.get("t", 0.0) > cut for cut in cuts)
            while number > sum(row["type"] == "open" for row in out) - 1 and row.get("t"):
                at = cuts[sum(row["type"] == "open" for row in out) - 1] + 0.01
                out += [_closed(at, "unknown", 1006), {"type": "open", "t": at + pause, "status": 101},
                        {"type": "receive", "t": at + pause + 0.02, "json": HELLO}]  # fmt: skip
            if number and row["t"] < cuts[number - 1] + pause + 0.05:
                continue
            if number and "request_id" in row.get("json", {}):
                row = row | {"json": row["json"] | {"request_id": HELLO["request_id"]}}
            times = number + 1 if "audio" in row else 1
            out += [row | {"t": round(row["t"] + 0.0004 * n, 4)} if n else row for n in range(times)]
        return out

    _misheard(recipe)
    _rows(recipe, change)


# --- text


@fault
def nth_turn_n_times(recipe: Recipe) -> None:
    """After each new connection one more handler takes in the same event."""
    recipe.join = lambda heard: "".join(text * (n + 1) for n, text in enumerate(_ended(heard)))


@fault
def entities(recipe: Recipe) -> None:
    _said(recipe, lambda words: (*words[:2], "don't", *words[2:]))
    recipe.join = lambda heard: html.escape("".join(_ended(heard))).replace("&#x27;", "&#39;")


@fault
def double_letters_dropped(recipe: Recipe) -> None:
    recipe.join = lambda heard: re.sub(r"([a-z])\1", r"\1", "".join(_ended(heard)))


@fault
def shift_lost(recipe: Recipe) -> None:
    """Letters are typed without their shift key, on a German keyboard."""
    _said(recipe, lambda words: (*words[:2], "it's", *words[2:]))
    recipe.join = lambda heard: "".join(_ended(heard)).lower().translate(str.maketrans({"?": "ß", "'": "#", "!": "1"}))


@fault
def first_space_lost(recipe: Recipe) -> None:
    """What is new in each update is typed, and its first character, a space, comes before the window listens."""

    def join(heard: Heard) -> str:
        out, typed = "", ""
        for kind, text in heard:
            if kind not in (TALKING, "turn.end"):
                continue
            new = text[len(typed) :] if text.startswith(typed) else text
            out += new.lstrip(" ")
            typed = "" if kind == "turn.end" else text
        return out

    recipe.join = join


@fault
def instead_of_it(recipe: Recipe, text: str) -> None:
    """Another text altogether stands where the transcript should be."""
    recipe.join = lambda _heard: text


@fault
def cut_at_apostrophe(recipe: Recipe) -> None:
    _said(recipe, lambda words: (*words[:3], "don't", *words[3:]))
    recipe.join = lambda heard: "".join(text.split("'")[0] for text in _ended(heard))


@fault
def typed_into_each_other(recipe: Recipe) -> None:
    """The second turn is typed while the last letters of the first are not yet."""

    def join(heard: Heard) -> str:
        first, second, *rest = _ended(heard)
        return "".join([first[:-6], second, first[-6:], *rest])

    recipe.join = join


@fault
def mojibake(recipe: Recipe) -> None:
    """The bytes of UTF-8 are read as letters of one byte."""
    names = iter(("café", "naïve", "Zoë", "piñata", "Müller", "déjà", "Peña", "crème") * 4)
    _said(recipe, lambda words: (*words[:2], next(names), *words[2:]))
    recipe.join = lambda heard: "".join(_ended(heard)).encode().decode("cp1252", "replace")


@fault
def word_as_command(recipe: Recipe) -> None:
    """The word for a mark becomes the mark, also where the word was meant."""
    _said(recipe, lambda words: (*words[:2], "grace", "period", *words[2:]))
    recipe.join = lambda heard: "".join(_ended(heard)).replace(" period", ".")


@fault
def marks_doubled(recipe: Recipe) -> None:
    recipe.join = lambda heard: re.sub(r"([.?!])", r"\1\1", "".join(_ended(heard)))


@fault
def wrapped_lines(recipe: Recipe, width: int) -> None:
    recipe.join = lambda heard: textwrap.fill("".join(_ended(heard)), width)


TEXT = ("nth_turn_n_times", "entities", "double_letters_dropped", "shift_lost", "first_space_lost", "instead_of_it",
        "cut_at_apostrophe", "typed_into_each_other", "mojibake", "word_as_command", "marks_doubled",
        "wrapped_lines")  # fmt: skip
"""Those whose twin has the application's text, too."""

"""What else goes wrong: the kinds of the fourth round of reports, in the form of `kinds`."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from faults_format import _wav_header
from faults_handshake import error_body
from faults_make import encode
from faults_recipe import Frame, Recipe, Row, Segment
from faults_scene import Samples, Scene, Utterance, scene
from faults_stream import shifted
from further import _address, beginning_lost
from kinds import HELLO, _blocks, _closed, _mid_word, _misheard, _paced, _rows, fault, refused
from scipy import signal

# --- what the bytes are


@fault
def bytes_as_floats(recipe: Recipe) -> None:
    """Each byte of 16-bit samples became a float of 0 to 255."""
    _misheard(recipe, 2.0)
    _paced(recipe, lambda x: np.frombuffer(encode(x, "pcm_s16le"), np.uint8).astype("<f4").tobytes(), 4)


@fault
def float_halves(recipe: Recipe) -> None:
    """Floats are read every two bytes where they have four, two are averaged and cast to 16 bits."""

    def write(samples: Samples) -> bytes:
        data = (np.rint(samples * 32767) / 32768).astype("<f4").tobytes() + b"\0\0"
        right = np.frombuffer(data[:-2], "<f4").astype(np.float64)
        shifted_by_two = np.frombuffer(data[2:], "<f4").astype(np.float64)
        with np.errstate(all="ignore"):
            mean = np.trunc((right + shifted_by_two) / 2)
        fits = np.isfinite(mean) & (np.abs(mean) < 2**31)
        return (np.where(fits, mean, 0).astype(np.int64) & 0xFFFF).astype("<u2").tobytes()

    recipe.service.hears = "nothing"
    recipe.write = write


@fault
def wav_of_another_rate(recipe: Recipe, said: int) -> None:
    """A file is sent as it is, with its header; its rate is not the declared one."""
    recipe.said_rate = said
    _misheard(recipe, recipe.scene.rate / said)
    recipe.damage.append(lambda data: _wav_header(recipe, len(data)) + data)


@fault
def rate_halves(recipe: Recipe, at: float) -> None:
    """From some time on the device gives half as many samples a second; the client goes on as before."""

    def segments(samples: Samples) -> list[Segment]:
        cut = int(at * len(samples))
        low = signal.resample_poly(samples[cut:], 1, 2)
        rate = recipe.scene.rate
        return [
            Segment(encode(samples[:cut], recipe.encoding), cut / rate, 2),
            Segment(encode(low, recipe.encoding), (len(samples) - cut) / rate, 2),
        ]

    _misheard(recipe)
    recipe.segments = segments


# --- resampling and levels


@fault
def resampled_each(recipe: Recipe, block: float) -> None:
    """Each block is brought from twice the rate by itself, with zeros assumed around it."""
    high = signal.resample_poly(recipe.scene.samples, 2, 1)
    size = round(block * recipe.scene.rate) * 2

    def shape(samples: Samples) -> Samples:
        parts = [signal.resample_poly(part, 1, 2) for part in _blocks(high, size)]
        return np.concatenate(parts)[: len(samples)]

    recipe.shape.append(shape)


@fault
def decimated_by_lines(recipe: Recipe, source: int) -> None:
    """Straight lines between samples of the wider rate, without a filter."""
    wide = recipe.wide  # type: ignore[attr-defined]

    def shape(samples: Samples) -> Samples:
        at = np.arange(len(samples)) * source / recipe.scene.rate
        return np.interp(at, np.arange(len(wide)), wide)

    recipe.shape.append(shape)


@fault
def normalised_each(recipe: Recipe) -> None:
    """Each message is stretched so that its lowest sample is -1 and its highest 1, silence too."""

    def shape(samples: Samples) -> Samples:
        size = round(recipe.chunk_s * recipe.scene.rate)
        parts = [np.interp(part, (part.min(), part.max()), (-1, 1)) for part in _blocks(samples, size)]
        return np.concatenate(parts)

    _misheard(recipe)
    recipe.shape.append(shape)


@fault
def noisy(recipe: Recipe, snr_db: float) -> None:
    """The noise of the room nearly as loud as the voice."""

    def shape(samples: Samples) -> Samples:
        loud = np.sqrt(np.mean(np.sort(samples**2)[-len(samples) // 3 :]))
        room = signal.lfilter([1], [1, -0.7], recipe.rng.standard_normal(len(samples)))
        return samples + room / room.std() * loud * 10 ** (-snr_db / 20)

    _misheard(recipe)
    recipe.shape.append(shape)


@fault
def pumped(recipe: Recipe, most_db: float) -> None:
    """A gain that is slow to rise and high: what is left of the room in pauses becomes as loud as the voice."""

    def shape(samples: Samples) -> Samples:
        size = recipe.scene.rate // 50
        blocks = samples[: len(samples) // size * size].reshape(-1, size)
        gains, held = [], 1.0
        for level in np.sqrt((blocks**2).mean(axis=1)):
            wanted = min(10 ** (most_db / 20), 0.08 / max(float(level), 1e-6))
            held = wanted if wanted < held else held + (wanted - held) * 0.06
            gains.append(held)
        smooth = np.interp(np.arange(blocks.size), np.arange(len(gains)) * size, gains)
        return np.clip(np.concatenate([blocks.reshape(-1) * smooth, samples[blocks.size :]]), -1, 1)

    recipe.shape.append(shape)


@fault
def echoed(recipe: Recipe, db: float) -> None:
    """The loudspeaker's voice comes back through the microphone between the turns, and is heard as turns."""
    said = recipe.scene
    other = scene(np.random.default_rng(5), said.rate, 6)
    samples, turns = said.samples.copy(), [said.turns[0]]
    room = np.exp(-np.arange(round(0.15 * said.rate)) / (0.03 * said.rate)) * recipe.rng.standard_normal(
        round(0.15 * said.rate)
    )
    for number, (before, turn) in enumerate(zip(said.turns, said.turns[1:], strict=False)):
        start, end = before[-1].end + 0.25, turn[0].start - 0.15
        part = other.turns[number][0]
        length = min(end - start, part.end - part.start)
        piece = other.samples[round(part.start * said.rate) :][: round(length * said.rate)]
        wet = signal.fftconvolve(piece, room)[: len(piece)]
        wet *= 10 ** (db / 20) * np.abs(said.samples).max() / np.abs(wet).max()
        samples[round(start * said.rate) :][: len(wet)] += wet
        turns += [(Utterance(start, start + length, part.words),), turn]
    recipe.scene = replace(said, samples=samples, turns=tuple(turns))


# --- frames


@fault
def whole_slab(recipe: Recipe, size: int) -> None:
    """The memory behind a chunk is sent, which holds other chunks as well."""

    def pace(frames: list[Frame]) -> list[Frame]:
        slab, at = bytearray(size), 0
        for frame in frames:
            data = frame.data if isinstance(frame.data, bytes) else b""
            if at + len(data) > size:
                slab, at = bytearray(size), 0
            slab[at : at + len(data)] = data
            at += len(data)
            frame.data = bytes(slab)
        return frames

    _misheard(recipe, 20.0)
    recipe.pace.append(pace)


@fault
def two_speakers(recipe: Recipe) -> None:
    """Packets of a second speaker stand between those of the first while both speak."""
    said = recipe.scene
    other = scene(np.random.default_rng(11), said.rate, 6).samples
    spans = [(turn[0].start, turn[-1].end) for turn in said.turns[1:]]

    def pace(frames: list[Frame]) -> list[Frame]:
        made = []
        for frame in frames:
            made.append(frame)
            until = frame.until or 0.0
            if any(a < until < b for a, b in spans):
                size = len(frame.data) // 2
                piece = other[round(until * said.rate) % (len(other) - size) :][:size]
                made.append(Frame(frame.t + 0.0006, encode(piece, recipe.encoding), until))
        return made

    _misheard(recipe)
    recipe.pace.append(pace)


@fault
def json_audio(recipe: Recipe, key: str) -> None:
    """Each chunk goes out as base64 within a JSON message, as another service has it."""
    recipe.service.hears, recipe.service.closes = "nothing", False
    recipe.leave_after = 1.0
    said = json.loads(error_body(400, "Invalid client message", "Unknown message"))

    def change(made: list[Row]) -> list[Row]:
        rows = [
            {"type": "send", "t": row["t"], "json": {"message_type": "input_audio_chunk", key: row["audio"]}}
            if "audio" in row
            else row
            for row in made
        ]
        return sorted([*rows, {"type": "receive", "t": 0.4, "json": said}], key=lambda row: row.get("t", -1.0))

    _rows(recipe, change)


# --- time


def _without(said: Scene, pieces: Sequence[tuple[float, float]]) -> Scene:
    """The scene without these pieces of sound (start, length), and everything behind them earlier."""

    def moved(at: float) -> float:
        return at - sum(min(length, max(0.0, at - start)) for start, length in pieces)

    keep = np.ones(len(said.samples), bool)
    for start, length in pieces:
        keep[round(start * said.rate) : round((start + length) * said.rate)] = False
    turns = tuple(tuple(replace(p, start=moved(p.start), end=moved(p.end)) for p in turn) for turn in said.turns)
    return replace(said, samples=said.samples[keep], turns=turns)


@fault
def forgotten(recipe: Recipe, gap: float, lost: float) -> None:
    """Whenever the source waits for more than 0.2 s the resampler is emptied, and what it still held is lost."""
    starts = sorted({_mid_word(recipe, share) for share in np.linspace(0.1, 0.9, 9)})
    recipe.scene = _without(recipe.scene, [(start, lost) for start in starts])
    now = [start - lost * n for n, start in enumerate(starts)]
    recipe.pace.append(shifted(lambda t: max([t] + [a + gap for a in now if a < t < a + gap])))


@fault
def compensated_hard(recipe: Recipe, every: float, step: float) -> None:
    """Samples are cut out or zeros put in wherever time stamps and samples disagree."""

    def shape(samples: Samples) -> Samples:
        rate, parts, at, number = recipe.scene.rate, [], 0, 0
        size = round(step * rate)
        while at < len(samples):
            length = round(every * rate * recipe.rng.uniform(0.5, 1.5))
            parts.append(samples[at : at + length])
            at += length
            if number % 2:
                parts.append(np.zeros(size))
            else:
                at += size
            number += 1
        return np.pad(np.concatenate(parts), (0, size))[: len(samples)]

    recipe.shape.append(shape)


@fault
def dead_head(recipe: Recipe, seconds: float) -> None:
    """The microphone gives zeros until it is awake, and somebody already speaks."""
    beginning_lost(recipe, seconds)
    said = recipe.scene
    moved = tuple(tuple(replace(p, start=p.start + seconds, end=p.end + seconds) for p in t) for t in said.turns)
    samples = np.concatenate([np.zeros(round(seconds * said.rate)), said.samples])
    recipe.scene = replace(said, samples=samples, turns=moved)


@fault
def cut_at_release(recipe: Recipe) -> None:
    """The transfer ends before the microphone does: the end of the last word is never sent."""
    recipe.end_mid_turn()
    recipe.close_after = 0.01


# --- connection and messages


@fault
def left_after_budget(recipe: Recipe, seconds: float, flush: float) -> None:
    """The client waits a fixed time for the rest, and the rest takes longer."""
    recipe.end_mid_turn()
    recipe.service.flush_s = flush
    recipe.leave_after, recipe.leave = seconds, ("client", 1000, "")


@fault
def page_instead(recipe: Recipe) -> None:
    """The address begins with https, and the answer is a page."""
    refused(recipe, 200, {"content-type": "text/html", "server": "Microsoft-IIS/10.0"}, "<html><body>OK</body></html>")
    _address(recipe, lambda url: url.replace("wss://", "https://"))


@fault
def other_commands(recipe: Recipe, pause: str, end: str, stay: float) -> None:
    """Commands of another endpoint: a word in each pause, a word at the end."""
    recipe.service.closes, recipe.leave_after = False, stay
    recipe.close_command = end
    turns = recipe.scene.turns

    def change(made: list[Row]) -> list[Row]:
        said = [{"type": "send", "t": round(turn[-1].end + 0.4, 3), "text": pause} for turn in turns[:-1]]
        return [made[0], *sorted([*made[1:], *said], key=lambda row: row.get("t", 0.0))]

    _rows(recipe, change)


@fault
def never_read(recipe: Recipe, stay: float) -> None:
    """The client waits for a word that this service never says before it sends anything."""

    def change(made: list[Row]) -> list[Row]:
        end = {"type": "send", "t": stay - 0.3, "json": {"type": "close"}}
        return [*made[:2], {"type": "receive", "t": 0.07, "json": HELLO}, end, _closed(stay, "server", 1000)]

    _rows(recipe, change)

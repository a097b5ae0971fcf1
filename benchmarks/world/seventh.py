"""What else goes wrong: the kinds of the seventh round of reports, in the form of `kinds`."""

import gzip
import itertools
import json
from dataclasses import replace

import numpy as np
from faults_handshake import error_body
from faults_make import encode
from faults_recipe import WIDTHS, Frame, Heard, Recipe, Row
from faults_scene import Samples, scene
from faults_stream import shifted
from further import TALKING, _address
from kinds import HELLO, _blocks, _closed, _each, _ended, _mid_word, _misheard, _paced, _pairs, _rows, fault
from third import _said

EMPTY_LAW = {"pcm_mulaw": 0xFF, "pcm_alaw": 0xD5}


def _pauses(recipe: Recipe, after: float = 0.3, before: float = 0.2) -> list[tuple[float, float]]:
    turns = recipe.scene.turns
    return [(a[-1].end + after, b[0].start - before) for a, b in itertools.pairwise(turns)]


def _within(frame: Frame, spans: list[tuple[float, float]]) -> bool:
    return any(a < (frame.until or 0.0) < b for a, b in spans)


def _sorted(made: list[Row], more: list[Row]) -> list[Row]:
    return [made[0], *sorted([*made[1:], *more], key=lambda row: row.get("t", 0.0))]


def _close_with(recipe: Recipe, command: str, answer: str) -> None:
    """The close command goes out in these words, and the service answers it with an error and goes on."""
    recipe.service.closes, recipe.leave_after = False, 6.0
    recipe.close_command = command
    said = json.loads(error_body(400, "Invalid client message", answer))

    def change(made: list[Row]) -> list[Row]:
        at = next(row["t"] for row in made if row["type"] == "send" and "audio" not in row)
        return _sorted(made, [{"type": "receive", "t": at + 0.05, "json": said}])

    _rows(recipe, change)


# --- what the bytes are


@fault
def nan_in_silence(recipe: Recipe) -> None:
    """Each chunk is divided by its loudest sample, and silence by nothing."""
    spans = _pauses(recipe)

    def pace(frames: list[Frame]) -> list[Frame]:
        for frame in frames:
            if isinstance(frame.data, bytes):
                part = np.frombuffer(frame.data, "<f4")
                quiet = _within(frame, spans)
                scaled = np.full(len(part), np.nan) if quiet else part / max(1e-6, float(np.abs(part).max()))
                frame.data = scaled.astype("<f4").tobytes()
        return frames

    recipe.pace.append(pace)


@fault
def bytes_widened(recipe: Recipe) -> None:
    """Each byte of 16-bit samples became a sample of 16 bits by itself."""
    _misheard(recipe, 2.0)
    _paced(recipe, lambda x: np.frombuffer(encode(x, "pcm_s16le"), np.uint8).astype("<u2").tobytes(), 2)


@fault
def low_bytes(recipe: Recipe) -> None:
    """A list of 16-bit numbers became a list of bytes: of each number the low byte is left."""
    recipe.service.hears = "nothing"
    _paced(recipe, lambda x: encode(x, "pcm_s16le")[::2], 2)


@fault
def chunks_backwards(recipe: Recipe) -> None:
    """Whole chunks are turned round where the two bytes of each sample were meant."""
    recipe.service.hears = "nothing"
    _each(recipe, lambda _n, data: data[::-1])


@fault
def byte_moved_on(recipe: Recipe) -> None:
    """Swapping goes on by one byte instead of two: what comes out is moved by one, the first byte at the end."""
    _misheard(recipe)
    _each(recipe, lambda _n, data: (swapped := np.frombuffer(data, "<i2").byteswap().tobytes())[1:] + swapped[:1])


@fault
def binary_string(recipe: Recipe) -> None:
    """Bytes were read as a string of letters, and the string is sent as UTF-8."""
    _misheard(recipe, 1.5)
    _each(recipe, lambda _n, data: data.decode("latin-1").encode())


@fault
def gzip_framed(recipe: Recipe) -> None:
    """Each chunk is compressed and has a header of another service: version, kind, number, length."""
    recipe.service.hears = "nothing"

    def wrap(number: int, data: bytes) -> bytes:
        packed = gzip.compress(data, mtime=0)
        head = bytes.fromhex("11210100") + (number + 1).to_bytes(4, "big")
        return head + len(packed).to_bytes(4, "big") + packed

    _each(recipe, wrap)


@fault
def half_twice(recipe: Recipe) -> None:
    """Of each chunk the first half is sent, every sample twice."""
    _misheard(recipe, 1.0)
    size = round(recipe.chunk_s * recipe.scene.rate)

    def shape(samples: Samples) -> Samples:
        return np.concatenate([np.repeat(x[: (len(x) + 1) // 2], 2)[: len(x)] for x in _blocks(samples, size)])

    recipe.shape.append(shape)


@fault
def two_voices(recipe: Recipe) -> None:
    """A call's two sides as pairs of samples; while one speaks the other is still."""
    other = scene(np.random.default_rng(29), recipe.scene.rate, 4).samples
    still = np.random.default_rng(3).standard_normal(len(recipe.scene.samples)) * 2e-4

    def write(samples: Samples) -> bytes:
        second = still[: len(samples)].copy()
        for start, end in _pauses(recipe, 0.2, 0.1):
            part = slice(round(start * recipe.scene.rate), round(end * recipe.scene.rate))
            second[part] += np.resize(other, part.stop - part.start)
        return _pairs(samples, second, recipe.encoding)

    _misheard(recipe, 2.0)
    _paced(recipe, write, 2 * WIDTHS[recipe.encoding])


# --- frames


@fault
def both_tracks(recipe: Recipe) -> None:
    """Packets of both sides of a call in turn; the other side speaks in the pauses and is silent otherwise."""
    said = recipe.scene
    other = scene(np.random.default_rng(31), said.rate, 4).samples
    spans = _pauses(recipe, 0.2, 0.1)
    _misheard(recipe, 2.0)

    def pace(frames: list[Frame]) -> list[Frame]:
        made = []
        for frame in frames:
            size = len(frame.data) // WIDTHS[recipe.encoding]
            at = round((frame.until or 0.0) * said.rate)
            piece = np.take(other, np.arange(at, at + size), mode="wrap")
            silence = bytes([EMPTY_LAW.get(recipe.encoding, 0)]) * len(frame.data)
            track = encode(piece, recipe.encoding) if _within(frame, spans) else silence
            made += [frame, Frame(frame.t + 0.004, track, frame.until)]
        return made

    recipe.pace.append(pace)


@fault
def wrap_misplaced(recipe: Recipe, ring: float) -> None:
    """Where a read goes over the end of the ring, its second part is put over the first one, and the rest is old."""
    size = round(ring * recipe.scene.rate) * WIDTHS[recipe.encoding]

    def pace(frames: list[Frame]) -> list[Frame]:
        at, held = 0, b""
        for frame in frames:
            data = frame.data if isinstance(frame.data, bytes) else b""
            first = (size - at) % size
            if 0 < first < len(data):
                second = data[first:]
                out = bytearray(data[:first] + held[first:])
                out[: len(second)] = second
                frame.data = bytes(out)
            at, held = (at + len(data)) % size, data
        return frames

    recipe.pace.append(pace)


@fault
def overwritten_in_queue(recipe: Recipe, share: float) -> None:
    """A converter hands out its own buffer: what waits to be sent is overwritten by what comes next."""

    def pace(frames: list[Frame]) -> list[Frame]:
        whole = [frame.data for frame in frames]
        for n, frame in enumerate(frames[:-1]):
            after = whole[n + 1]
            if isinstance(after, bytes) and isinstance(frame.data, bytes) and recipe.rng.random() < share:
                count = min(len(after), int(recipe.rng.integers(len(after) // 4, len(after))) // 4 * 4)
                frame.data = after[:count] + frame.data[count:]
        return frames

    _misheard(recipe)
    recipe.pace.append(pace)


@fault
def lapped_by_writer(recipe: Recipe, ring: float, every: float) -> None:
    """Sending blocks now and then for longer than the ring of the microphone is: what was not read is overwritten."""
    _misheard(recipe)
    spots = [_mid_word(recipe, share) for share in np.arange(every, 0.95, every)]
    spans = [(at, at + 1.2 * ring) for at in sorted(set(spots))]

    def pace(frames: list[Frame]) -> list[Frame]:
        kept = [frame for frame in frames if not any(a < frame.t < a + ring for a, _ in spans)]
        return shifted(lambda t: max([t] + [b for a, b in spans if a < t < b]))(kept)

    recipe.pace.append(pace)


@fault
def clamped(recipe: Recipe, most: int, every: float, hitch: float) -> None:
    """The game's loop halts now and then; of what was recorded meanwhile only the first samples fit into the buffer."""
    _misheard(recipe)
    length = recipe.scene.duration
    starts = [at for at in np.cumsum(recipe.rng.uniform(0.6, 1.4, int(length / every)) * every) if at < length - 1]

    def pace(frames: list[Frame]) -> list[Frame]:
        made: list[Frame] = []
        held: list[Frame] = []
        for frame in frames:
            if any(a < frame.t < a + hitch for a in starts):
                held.append(frame)
                continue
            if held:
                data = b"".join(x.data for x in held if isinstance(x.data, bytes))[: most * WIDTHS[recipe.encoding]]
                made.append(Frame(frame.t - 0.001, data, held[-1].until))
                held = []
            made.append(frame)
        return made

    recipe.pace.append(pace)


@fault
def state_of_another(recipe: Recipe) -> None:
    """Two calls share a resampler's state: a chunk begins between the other's last sample and its own first."""
    other = scene(np.random.default_rng(37), recipe.scene.rate, 4).samples
    size = round(recipe.chunk_s * recipe.scene.rate)

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        for at in range(size, len(out), size):
            out[at] = (out[at] + other[at % len(other)]) / 2
        return out

    recipe.shape.append(shape)


@fault
def rtcp_among(recipe: Recipe, every: float) -> None:
    """Reports about the reception stand among the packets, without their first twelve bytes."""

    def pace(frames: list[Frame]) -> list[Frame]:
        made, due = [], 1.7
        for frame in frames:
            made.append(frame)
            if frame.t > due:
                due += every
                made.append(Frame(frame.t + 0.003, bytes(recipe.rng.integers(0, 256, 40, dtype=np.uint8)), frame.until))
        return made

    recipe.pace.append(pace)


@fault
def empty_now_and_then(recipe: Recipe, every: float) -> None:
    def pace(frames: list[Frame]) -> list[Frame]:
        made, due = [], 1.1
        for frame in frames:
            made.append(frame)
            if frame.t > due:
                due += every
                made.append(Frame(frame.t + 0.002, b"", frame.until))
        return made

    recipe.pace.append(pace)


# --- time


@fault
def flushed_at_open(recipe: Recipe, seconds: float) -> None:
    """What was spoken while the connection was being opened goes out at once when it is open."""
    recipe.pace.append(shifted(lambda t: max(0.08 + t / 500, t - seconds)))


@fault
def zeros_too_fast(recipe: Recipe, factor: int) -> None:
    """While the microphone is muted, silence comes several times as fast as time goes by."""
    spans = _pauses(recipe, 0.5, 0.4)

    def pace(frames: list[Frame]) -> list[Frame]:
        made = []
        for frame in frames:
            muted = isinstance(frame.data, bytes) and _within(frame, spans)
            if not muted:
                made.append(frame)
                continue
            made += [Frame(frame.t + 0.001 * n, bytes(len(frame.data)), frame.until) for n in range(factor)]
        return made

    recipe.pace.append(pace)


@fault
def slow_handler(recipe: Recipe, seconds: float) -> None:
    """The handler of a finished turn waits for an answer of another service, and no event is read meanwhile."""

    def change(made: list[Row]) -> list[Row]:
        free, out = 0.0, []
        for row in made:
            if row["type"] in ("receive", "close") and "t" in row:
                row = row | {"t": max(row["t"], free)}
                if row.get("json", {}).get("type") == "turn.end":
                    free = row["t"] + seconds
            out.append(row)
        return [out[0], *sorted(out[1:], key=lambda row: row.get("t", 0.0))]

    recipe.clock = "client"
    _rows(recipe, change)


# --- connection and messages


@fault
def retried_at_once(recipe: Recipe, times: int, gap: float) -> None:
    """Refused for its key, the client asks again at once, and again."""
    recipe.refused = (401, error_body(401, "Unauthorized", "Invalid API key"))

    def change(made: list[Row]) -> list[Row]:
        return [made[0], *({**made[1], "t": round(made[1]["t"] + n * gap, 3)} for n in range(times))]

    _rows(recipe, change)


@fault
def page_sees_1006(recipe: Recipe) -> None:
    """A page is told nothing of a refused handshake but 1006."""
    _rows(recipe, lambda made: [made[0] | {"lacks": ["headers"]}, _closed(0.34, "unknown", 1006)])


@fault
def opened_and_closed(recipe: Recipe, code: int, reason: str, times: int) -> None:
    """The service takes the connection and ends it with a reason; the client connects again at once."""

    def change(made: list[Row]) -> list[Row]:
        rows, sent = [made[0]], [row for row in made if "audio" in row]
        for n in range(times):
            at = 1.1 * n
            rows += [{"type": "open", "t": at + 0.05, "status": 101},
                     {"type": "receive", "t": at + 0.07, "json": HELLO},
                     *(row | {"t": at + 0.08 + 0.1 * k} for k, row in enumerate(sent[3 * n : 3 * n + 3])),
                     _closed(at + 0.36, "server", code, reason)]  # fmt: skip
        return rows

    _rows(recipe, change)


@fault
def model_of_another_mode(recipe: Recipe, model: str) -> None:
    message = f'Model "{model}" is not supported on this endpoint.'
    recipe.refused, recipe.refused_late = (400, error_body(400, "Bad Request", message)), True
    _address(recipe, lambda url: url.replace("model=ink-2", f"model={model}"))


@fault
def config_midway(recipe: Recipe) -> None:
    """Another language is asked for in the middle of a session."""
    at = recipe.scene.turns[0][-1].end + 1.0
    said = json.loads(error_body(400, "Invalid client message", "config: unknown field 'language'"))

    def change(made: list[Row]) -> list[Row]:
        return _sorted(made, [{"type": "send", "t": at, "json": {"type": "config", "language": "de"}},
                              {"type": "receive", "t": at + 0.06, "json": said}])  # fmt: skip

    _rows(recipe, change)


@fault
def closed_twice(recipe: Recipe) -> None:
    def change(made: list[Row]) -> list[Row]:
        first = next(row for row in made if row.get("json", {}).get("type") == "close")
        return _sorted(made, [first | {"t": round(first["t"] + 0.03, 4)}])

    _rows(recipe, change)


@fault
def left_at_first_end(recipe: Recipe) -> None:
    """The first final text is taken for the end."""

    def change(made: list[Row]) -> list[Row]:
        end = next(row["t"] for row in made if row.get("json", {}).get("type") == "turn.end") + 0.01
        kept = [row for row in made if row.get("t", 0.0) <= end and row["type"] not in ("close", "transcript")]
        return [*kept, _closed(end + 0.01, "client", 1000)]

    _rows(recipe, change)


@fault
def reused_after_close(recipe: Recipe) -> None:
    """The end was told after the first phrase, and the next phrases go out on the same socket."""

    def change(made: list[Row]) -> list[Row]:
        end = next(row["t"] for row in made if row.get("json", {}).get("type") == "turn.end") + 0.2
        sent = [row for row in made if "audio" in row and row["t"] > end + 0.05]
        kept = [row for row in made if row.get("t", 0.0) <= end and row["type"] not in ("close", "transcript")]
        close = {"type": "send", "t": end + 0.01, "json": {"type": "close"}}
        late = [row for row in sent if row["t"] < end + 4.0]
        return [*kept, close, *late, _closed(end + 4.0, "server", 1000)]

    recipe.clock = "client"
    _rows(recipe, change)


@fault
def stringified_twice(recipe: Recipe) -> None:
    """The message is JSON within a string of JSON."""
    _close_with(recipe, json.dumps(json.dumps({"type": "close"})), "Expected an object")


@fault
def object_named(recipe: Recipe, text: str) -> None:
    """Something on the way makes a string of each chunk, and the string is only its name."""
    recipe.service.hears, recipe.service.closes = "nothing", False
    recipe.leave_after = 1.0
    _each(recipe, lambda _n, _data: text)  # type: ignore[arg-type, return-value]
    said = json.loads(error_body(400, "Invalid client message", "No JSON object could be decoded"))
    _rows(recipe, lambda made: _sorted(made, [{"type": "receive", "t": 0.4, "json": said}]))


@fault
def finalized_in_pauses(recipe: Recipe, gap: float) -> None:
    """On the other endpoint: what is spoken is ended at each breath."""
    recipe.path, recipe.manual = "/stt/websocket", True
    parts = [part for turn in recipe.scene.turns for part in turn]

    def pace(frames: list[Frame]) -> list[Frame]:
        inside = [part.start + share * (part.end - part.start) for part in parts for share in (0.35, 0.7)]
        return sorted([*frames, *(Frame(at + gap, "finalize") for at in inside)], key=lambda frame: frame.t)

    recipe.pace.append(pace)


# --- text


@fault
def space_before_marks(recipe: Recipe) -> None:
    def join(heard: Heard) -> str:
        out = "".join(_ended(heard))
        for mark in ".,?!":
            out = out.replace(mark, f" {mark}")
        return out

    recipe.join = join


@fault
def newest_first(recipe: Recipe) -> None:
    recipe.join = lambda heard: "\n".join(text.strip() for text in reversed(_ended(heard)))


@fault
def dictionary_too_wide(recipe: Recipe) -> None:
    """A word of the user's dictionary takes the place of words that only resemble it."""
    _said(recipe, lambda words: (*words[:3], "mean", *words[3:]))
    recipe.join = lambda heard: "".join(_ended(heard)).replace(" mean", " Shaun")


@fault
def short_turns_dropped(recipe: Recipe) -> None:
    """Short answers are thought to be invented by the model and left out."""
    said = recipe.scene
    turns = [tuple(replace(part, words=("Yes.",)) for part in turn[:1]) if n == 1 else turn
             for n, turn in enumerate(said.turns)]  # fmt: skip
    recipe.scene = replace(said, turns=tuple(turns))
    recipe.join = lambda heard: "".join(text for text in _ended(heard) if len(text.split()) > 1)


@fault
def masked(recipe: Recipe) -> None:
    _said(recipe, lambda words: (*words[:2], "damn", *words[2:]))
    recipe.join = lambda heard: "".join(_ended(heard)).replace("damn", "d**n")


@fault
def each_stage_a_line(recipe: Recipe) -> None:
    """The text of a turn is a line of the list at each stage: its last update, its eager end, its end."""
    recipe.service.eager_share = 1.0

    def join(heard: Heard) -> str:
        lines, update = [], ""
        for kind, text in heard:
            if kind == TALKING:
                update = text
            elif kind in ("turn.eager_end", "turn.end"):
                lines += [update, text] if update else [text]
                update = ""
        return "\n".join(line.strip() for line in lines)

    recipe.join = join


@fault
def cleared_mid_turn(recipe: Recipe) -> None:
    """The end of a reply clears the buffer of what is being said: a turn lacks its first half."""

    def join(heard: Heard) -> str:
        texts = _ended(heard)
        words = texts[1].split(" ")
        texts[1] = " " + " ".join(words[len(words) // 2 :])
        return "".join(texts)

    recipe.join = join


@fault
def older_written_last(recipe: Recipe) -> None:
    """What was written while somebody spoke arrives after the final text and takes its place."""

    def join(heard: Heard) -> str:
        done, update = [], ""
        for kind, text in heard:
            if kind == "turn.end":
                done.append(text)
            elif kind == TALKING and len(text.split()) > 1 and len(done) == len(_ended(heard)) - 1:
                update = update or text
        return "".join([*done[:-1], update])

    recipe.join = join


@fault
def key_typed_first(recipe: Recipe, key: str) -> None:
    """The letter of the shortcut is typed before the text."""
    recipe.join = lambda heard: key + "".join(_ended(heard))


@fault
def all_four_times(recipe: Recipe, times: int) -> None:
    """The final event is taken in again and again."""
    recipe.join = lambda heard: " ".join(["".join(_ended(heard)).strip()] * times)


TEXT = ("space_before_marks", "newest_first", "dictionary_too_wide", "short_turns_dropped", "masked",
        "each_stage_a_line", "cleared_mid_turn", "older_written_last", "key_typed_first", "all_four_times")  # fmt: skip
"""Those whose twin has the application's text, too."""

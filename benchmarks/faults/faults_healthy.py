"""Healthy sessions of many kinds: none of them may be accused. Each function makes one recipe from a seed.

One file, though long: a list of independent kinds, in which a new one is compared with those that are there.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from faults_recipe import Frame, Recipe, Row, healthy
from faults_scene import Rng, Samples, Utterance, scene
from faults_stream import Frames, mid_turn, shifted
from scipy import signal

Kind = Callable[[Rng, Path | None], Recipe]
KINDS: dict[str, Kind] = {}


def kind(make: Kind) -> Kind:
    """Register one kind of healthy session."""
    KINDS[make.__name__.replace("_", "-")] = make
    return make


@kind
def plain(rng: Rng, corpus: Path | None) -> Recipe:
    return healthy(rng, corpus)


@kind
def chunks_20_to_200_ms(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.chunk_s = float(rng.uniform(0.02, 0.2))
    return recipe


@kind
def jitter_80_ms(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.jitter_s = 0.08
    return recipe


@kind
def start_burst(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.start_burst_s = float(rng.uniform(0.6, 1.8))
    return recipe


@kind
def stall_caught_up(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    at, hole = mid_turn(recipe), rng.uniform(0.5, 0.8)
    recipe.pace.append(shifted(lambda t: max(t, at + hole) if t > at else t))
    return recipe


@kind
def several_stalls_caught_up(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus, turns=6)
    spots = [(at, at + rng.uniform(0.2, 0.6)) for at in np.arange(3.0, recipe.scene.duration, 3.7)]
    recipe.pace.append(shifted(lambda t: max([t] + [b for a, b in spots if a < t < b])))
    return recipe


@kind
def long_pause_with_silence(rng: Rng, corpus: Path | None) -> Recipe:
    """A muted microphone that sends digital silence for long."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=2, pause_s=(8.0, 25.0))
    first = recipe.scene.turns[0][-1].end + 1.0
    last = recipe.scene.turns[1][0].start - 0.3

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        out[round(first * recipe.scene.rate) : round(last * recipe.scene.rate)] = 0
        return out

    recipe.shape.append(shape)
    return recipe


def _format(encoding: str, rate: int) -> None:
    def make(rng: Rng, corpus: Path | None) -> Recipe:
        return healthy(rng, corpus, encoding, rate)

    make.__name__ = f"{encoding.removeprefix('pcm_')}_{rate}"
    kind(make)


for _encoding, _rate in (
    ("pcm_s16le", 8000), ("pcm_s16le", 11025), ("pcm_s16le", 16000), ("pcm_s16le", 22050), ("pcm_s16le", 24000),
    ("pcm_s16le", 32000), ("pcm_s16le", 44100), ("pcm_s16le", 48000), ("pcm_f32le", 8000), ("pcm_f32le", 16000),
    ("pcm_f32le", 44100), ("pcm_f32le", 48000), ("pcm_f16le", 16000), ("pcm_f16le", 24000), ("pcm_s32le", 16000),
    ("pcm_s32le", 48000), ("pcm_mulaw", 8000), ("pcm_mulaw", 16000), ("pcm_alaw", 8000),
):  # fmt: skip
    _format(_encoding, _rate)


@kind
def keyterms(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    names = ["Cartesia", "Ink", "Harriet Collins", "order number", "São Tomé", "R&D", "C++"]
    recipe.query += [("keyterm", str(name)) for name in rng.choice(names, 4, replace=False)]
    return recipe


@kind
def turn_options(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.query += [("turn_start_threshold", "0.85"), ("turn_eager_end_threshold", "0.5"),
                     ("turn_end_threshold", "0.3"),
                     ("turn_end_timeout_ms", str(rng.integers(2000, 9000)))]  # fmt: skip
    command = {"type": "config", "turn": {"end_threshold": 0.25, "end_timeout_ms": 4000}}
    recipe.pace.append(lambda frames: sorted([*frames, Frame(2.0, command)], key=lambda frame: frame.t))
    return recipe


@kind
def many_turns(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.remake(turns=9, turn_s=(0.8, 2.0))
    return recipe


@kind
def eager_ends_taken_back(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.service.end_s, recipe.service.eager_s = 0.55, 0.2
    recipe.remake(turns=8)
    turns = tuple(turn for turn in recipe.scene.turns if len(turn) > 1) or recipe.scene.turns
    recipe.note = f"{len(turns)} resumes"
    return recipe


@kind
def empty_transcripts(rng: Rng, corpus: Path | None) -> Recipe:
    """A cough: a turn without words."""
    recipe = healthy(rng, corpus, turns=3)
    first = recipe.scene.turns[0][-1]
    at = first.end + 0.75

    def shape(samples: Samples) -> Samples:
        out, rate = samples.copy(), recipe.scene.rate
        length = round(0.25 * rate)
        out[round(at * rate) : round(at * rate) + length] += rng.standard_normal(length) * np.hanning(length) * 0.1
        return out

    def events(made: list[Row]) -> list[Row]:
        end = next(n for n, row in enumerate(made) if row["json"]["type"] == "turn.end")
        t, request_id = max(made[end]["t"] + 0.1, at + 0.35), made[end]["json"]["request_id"]
        extra = [{"type": "receive", "t": t + 0.02 * n, "json": {"type": name, "request_id": request_id, **keys}}
                 for n, (name, keys) in enumerate((("turn.start", {}), ("turn.update", {"transcript": ""}),
                                                   ("turn.end", {"transcript": ""})))]  # fmt: skip
        extra[2]["t"] = t + 0.3
        later = [{**row, "t": max(row["t"], t + 0.31)} for row in made[end + 1 :]]
        return made[: end + 1] + extra + later

    recipe.shape.append(shape)
    recipe.events.append(events)
    return recipe


@kind
def drift_over_an_hour(rng: Rng, corpus: Path | None) -> Recipe:
    """An hour of lengths and times only; the client's clock runs 0.1 % fast or slow."""
    recipe = healthy(rng, corpus, "pcm_mulaw", 8000)
    recipe.scene = scene(rng, 8000, 12, corpus)
    recipe.chunk_s, recipe.jitter_s = 0.1, 0.005
    recipe.drift = float(rng.choice([-0.001, 0.001]))
    once = recipe.scene
    times = int(3600 / once.duration)
    turns = [_later(turn, n * once.duration) for n in range(times) for turn in once.turns]
    recipe.scene = type(once)(np.tile(once.samples.astype(np.float32), times), 8000, tuple(turns), once.voice)
    recipe.rows.append(lengths_only)
    recipe.clock = "client"
    return recipe


def _later(turn: tuple[Utterance, ...], by: float) -> tuple[Utterance, ...]:
    return tuple(Utterance(part.start + by, part.end + by, part.words) for part in turn)


def lengths_only(made: list[Row]) -> list[Row]:
    """A capture that kept only the length of each binary frame."""
    for row in made:
        if "audio" in row:
            data = row.pop("audio")
            row["bytes"] = len(data) * 3 // 4 - data.count("=", -2)
    made[0]["lacks"] = ["audio"]
    return made


@kind
def drift_with_sound(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus, "pcm_mulaw", 8000)
    recipe.remake(turns=40)
    recipe.drift = float(rng.choice([-0.001, 0.001]))
    return recipe


@kind
def pipecat_watchdog(rng: Rng, corpus: Path | None) -> Recipe:
    """The transport stops for a while in a turn; the service class sends one block of zeros as long as the gap."""
    recipe = healthy(rng, corpus, "pcm_s16le", 16000, turns=3)
    recipe.profile, recipe.chunk_s = "pipecat", 0.02
    gap = float(rng.uniform(0.5, 0.9))
    at = recipe.scene.turns[0][-1].end + 0.1

    def pace(frames: Frames) -> Frames:
        kept = [frame for frame in frames if not at + 0.08 < frame.t <= at + gap + 0.08]
        until = max(frame.until or 0 for frame in frames if frame.t <= at + gap + 0.08)
        block = Frame(at + gap + 0.085, bytes(2 * round(gap * 16000)), until)
        return sorted([*kept, block], key=lambda frame: frame.t)

    recipe.service.end_s, recipe.service.eager_s = 0.5, 0.3
    recipe.pace.append(pace)
    return recipe


@kind
def push_to_talk(rng: Rng, corpus: Path | None) -> Recipe:
    """Between turns nothing is sent for up to 1.8 s; every turn had ended."""
    recipe = healthy(rng, corpus)
    recipe.service.end_s = min(recipe.service.end_s, 0.4)
    gaps = [(turn[-1].end + 0.8, float(rng.uniform(0.5, 1.7))) for turn in recipe.scene.turns[:-1]]
    recipe.pace.append(shifted(lambda t: t + sum(gap for at, gap in gaps if t > at + 0.08)))
    return recipe


@kind
def push_to_talk_with_silence(rng: Rng, corpus: Path | None) -> Recipe:
    """A released button sends zeros."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(4.0, 8.0))
    spans = [(turn[-1].end + 0.3, following[0].start - 0.2)
             for turn, following in zip(recipe.scene.turns, recipe.scene.turns[1:], strict=False)]  # fmt: skip

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        for a, b in spans:
            out[round(a * recipe.scene.rate) : round(b * recipe.scene.rate)] = 0
        return out

    recipe.shape.append(shape)
    return recipe


@kind
def reverberant_room(rng: Rng, corpus: Path | None) -> Recipe:
    """A hall: each sound goes on in thousands of echoes, and repeats itself in none."""
    recipe = healthy(rng, corpus)
    rate = recipe.scene.rate
    times = np.arange(round(rng.uniform(0.3, 1.5) * rate)) / rate
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / times[-1])
    tail *= rng.uniform(0.2, 0.8) / np.sqrt((tail**2).sum())
    tail[0] += 1.0

    def shape(samples: Samples) -> Samples:
        wet = np.asarray(signal.fftconvolve(samples, tail))[: len(samples)]
        return wet * (np.abs(samples).max() / np.abs(wet).max())

    recipe.shape.append(shape)
    return recipe


@kind
def voice_gate(rng: Rng, corpus: Path | None) -> Recipe:
    """Between utterances exact zeros, from 60 ms behind the last word on, with a fade of 5 ms."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(3.5, 7.0))
    rate = recipe.scene.rate

    def shape(samples: Samples) -> Samples:
        gate = np.zeros(len(samples))
        for turn in recipe.scene.turns:
            for part in turn:
                gate[round((part.start - 0.05) * rate) : round((part.end + 0.06) * rate)] = 1.0
        soft = np.convolve(gate, np.ones(rate // 200) / (rate // 200), "same")
        return np.where(soft > 1e-9, soft, 0.0) * samples

    recipe.shape.append(shape)
    return recipe


@kind
def livekit_160_ms(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus, "pcm_s16le", 16000)
    recipe.profile, recipe.chunk_s = "livekit", 0.16
    return recipe


@kind
def trailing_newline(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.join = lambda heard: "".join(text for name, text in heard if name == "turn.end") + "\n"
    return recipe


@kind
def proxy_clock(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.clock = str(rng.choice(["proxy", "client"]))
    return recipe


@kind
def sizes_only(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.rows.append(lengths_only)
    return recipe


@kind
def without_application_text(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.text = False
    return recipe


@kind
def ends_in_mid_turn(rng: Rng, corpus: Path | None) -> Recipe:
    """The close command flushes the open turn, as it should."""
    recipe = healthy(rng, corpus)
    recipe.end_mid_turn()
    return recipe


@kind
def manual_endpoint(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.path, recipe.manual = "/stt/websocket", True
    recipe.query.append(("language", "en"))
    ends = [turn[-1].end + 0.3 for turn in recipe.scene.turns]
    commands = [Frame(at + 0.08, "finalize") for at in ends]
    recipe.pace.append(lambda frames: sorted([*frames, *commands], key=lambda frame: frame.t))
    recipe.close_command = str(rng.choice(["close", "close", "done"]))
    return recipe


@kind
def done_instead_of_close(rng: Rng, corpus: Path | None) -> Recipe:
    """The older name of the command, which the service still takes."""
    recipe = healthy(rng, corpus)
    recipe.close_command = {"type": "done"}
    return recipe


@kind
def turns_without_space(rng: Rng, corpus: Path | None) -> Recipe:
    """The turns carry no white space, and the application joins them with a space."""
    recipe = healthy(rng, corpus)

    def events(made: list[Row]) -> list[Row]:
        for row in made:
            if "transcript" in row["json"]:
                row["json"]["transcript"] = row["json"]["transcript"].strip()
        return made

    recipe.events.append(events)
    recipe.join = lambda heard: " ".join(text for name, text in heard if name == "turn.end")
    return recipe


@kind
def noisy_room(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    level = 10 ** (rng.uniform(-48, -38) / 20)
    recipe.shape.append(lambda samples: samples + rng.standard_normal(len(samples)) * level)
    return recipe


@kind
def file_player(rng: Rng, corpus: Path | None) -> Recipe:
    """A well-behaved file player: chunks on a timer that is always a little late, never early."""
    recipe = healthy(rng, corpus)
    recipe.pace.append(lambda frames: [Frame(f.t * 1.02 + 0.002, f.data, f.until) for f in frames])
    return recipe


MASKS = {
    "stars": "***",
    "word": "REDACTED",
    "hidden": "<hidden>",
    "filtered": "[FILTERED]",
    "crosses": "xxxx",
    "tail": "****abcd",
}
"""How recorders and loggers hide a secret."""


def _masked(style: str, place: str) -> None:
    """A session whose recorder hid the key."""

    def make(rng: Rng, corpus: Path | None) -> Recipe:
        recipe = healthy(rng, corpus)
        recipe.drop_headers |= {"authorization", "x-api-key"} - {place}
        recipe.note = MASKS[style]
        if place == "access_token":
            recipe.query.append((place, recipe.note))
            return recipe
        if place == "authorization":
            recipe.note = str(rng.choice(["{}", "Bearer {}", "Bearer:{}", "Bearer"])).format(recipe.note)
        recipe.headers[place] = recipe.note
        return recipe

    make.__name__ = f"masked_{style}_in_{place}"
    kind(make)


for _style in MASKS:
    for _place in ("authorization", "x-api-key", "access_token"):
        _masked(_style, _place)


@kind
def parameters_of_a_relay(rng: Rng, corpus: Path | None) -> Recipe:
    """Parameters that only the application's own relay knows."""
    recipe = healthy(rng, corpus)
    recipe.query += [("session", f"{rng.integers(1 << 30):x}"), ("mode", "call"), ("v", "3")]
    return recipe


@kind
def press_without_speech(rng: Rng, corpus: Path | None) -> Recipe:
    """A button that is released at once: the service answers the close command with an error."""
    recipe = healthy(rng, corpus)
    recipe.text = False
    status = int(rng.choice([400, 500]))
    length = float(rng.uniform(0.0, 0.5))

    def rows(made: list[Row]) -> list[Row]:
        sent = [row for row in made if "audio" in row and row["t"] < length]
        at = (sent[-1]["t"] if sent else 0.3) + 0.05
        error = {"type": "error", "title": "Bad request", "message": "The audio is empty", "status_code": status}
        return [*made[:2], {"type": "receive", "t": 0.06, "json": {"type": "connected", "request_id": "a"}}, *sent,
                {"type": "send", "t": at, "json": {"type": "close"}},
                {"type": "receive", "t": at + 0.1, "json": error},
                {"type": "close", "t": at + 0.11, "by": "server", "code": 1000, "reason": ""}]  # fmt: skip

    recipe.rows.append(rows)
    return recipe


# What looks like a fault, and is none


def _added(recipe: Recipe, sound: Samples, at: float) -> None:
    """Put a sound into the scene, from a second on."""
    first = round(at * recipe.scene.rate)

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        stop = min(len(out), first + len(sound))
        out[first:stop] += sound[: stop - first]
        return out

    recipe.shape.append(shape)


def _pauses(recipe: Recipe) -> list[tuple[float, float]]:
    """Where nobody speaks between the turns, as the service has told their ends."""
    turns = recipe.scene.turns
    return [(one[-1].end + 1.0, other[0].start - 0.2) for one, other in pairwise(turns)]


@kind
def telephone_keys(rng: Rng, corpus: Path | None) -> Recipe:
    """Digits of a menu, each two tones that are switched on and off."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(4.0, 6.0))
    rate = recipe.scene.rate
    t = np.arange(round(rng.uniform(0.06, 0.12) * rate)) / rate
    for start, stop in _pauses(recipe):
        keys = [(rng.choice([697, 770, 852, 941]), rng.choice([1209, 1336, 1477])) for _ in range(rng.integers(1, 9))]
        tones = [(0.15 * (np.sin(2 * np.pi * a * t) + np.sin(2 * np.pi * b * t)), np.zeros(len(t))) for a, b in keys]
        sound = np.concatenate([part for pair in tones for part in pair])
        _added(recipe, sound[: round((stop - start) * rate)], start)
    return recipe


@kind
def hold_music(rng: Rng, corpus: Path | None) -> Recipe:
    """Struck notes on a beat in the pauses, which no turn begins on."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(5.0, 9.0))
    rate = recipe.scene.rate
    beat = float(rng.choice([0.2, 0.25, 0.3]))
    for start, stop in _pauses(recipe):
        music = np.zeros(round((stop - start) * rate))
        for at in np.arange(0.0, stop - start - beat, beat):
            t = np.arange(min(round(4 * beat * rate), len(music) - round(at * rate))) / rate
            tone = 220 * 2 ** (int(rng.choice([0, 2, 4, 5, 7, 9, 11, 12])) / 12)
            note = sum(np.sin(2 * np.pi * tone * k * t) / k for k in range(1, 5)) * np.exp(-t / (0.6 * beat))
            music[round(at * rate) : round(at * rate) + len(t)] += 0.05 * note * np.minimum(1.0, (t[-1] - t) / 0.02)
        _added(recipe, music, start)
    return recipe


@kind
def comfort_noise_of_one_frame(rng: Rng, corpus: Path | None) -> Recipe:
    """A gateway fills the pauses with one piece of faint noise, again and again."""
    recipe = healthy(rng, corpus, "pcm_mulaw", 8000)
    recipe.remake(turns=3, pause_s=(3.0, 6.0))
    recipe.chunk_s = 0.02
    piece = rng.standard_normal(160) * 0.002
    spans = [(round(a * 50) * 160, round(b * 50) * 160) for a, b in _pauses(recipe)]

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        for first, stop in spans:
            out[first:stop] = np.resize(piece, max(0, stop - first))
        return out

    recipe.shape.append(shape)
    return recipe


@kind
def frame_gate(rng: Rng, corpus: Path | None) -> Recipe:
    """A detector zeroes whole frames in the pauses, from 0.2 s behind the last word on, without a fade."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(2.5, 5.0))
    hop = recipe.scene.rate // 50

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        for a, b in pairwise(recipe.scene.turns):
            out[round((a[-1].end + 0.2) * 50) * hop : round((b[0].start - 0.1) * 50) * hop] = 0
        return out

    recipe.shape.append(shape)
    return recipe


@kind
def far_end_in_the_pauses(rng: Rng, corpus: Path | None) -> Recipe:
    """A speakerphone: the answer of another voice comes back faintly between the turns."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(4.0, 6.0))
    rate = recipe.scene.rate
    other = scene(rng, rate, 3, corpus, pause_s=(0.2, 0.4)).samples
    for start, stop in _pauses(recipe):
        _added(recipe, 0.01 * other[: round((stop - start) * rate)], start)
    return recipe


@kind
def two_people_in_turn(rng: Rng, corpus: Path | None) -> Recipe:
    """Each turn is of another voice, over one microphone."""
    recipe = healthy(rng, corpus)
    first = recipe.scene
    second = scene(rng, first.rate, 2, corpus)
    turns = (*first.turns, *(_later(turn, first.duration) for turn in second.turns))
    recipe.scene = type(first)(np.concatenate([first.samples, second.samples]), first.rate, turns, first.voice)
    return recipe


@kind
def one_recording_again_and_again(rng: Rng, corpus: Path | None) -> Recipe:
    """A test bench, or a synthetic voice, says the very same thing three times, to the sample."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=1)
    once = recipe.scene
    turns = tuple(_later(once.turns[0], n * once.duration) for n in range(3))
    recipe.scene = type(once)(np.tile(once.samples, 3), once.rate, turns, once.voice)
    return recipe


@kind
def quiet_speaker(rng: Rng, corpus: Path | None) -> Recipe:
    """Far from the microphone: loud parts at -46 to -34 dBFS."""
    recipe = healthy(rng, corpus, *(("pcm_f32le", 16000) if rng.random() < 0.5 else ("pcm_s16le", 16000)))
    target = 10 ** (rng.uniform(-46, -34) / 20)
    hop = recipe.scene.rate // 50

    def shape(samples: Samples) -> Samples:
        levels = np.sqrt((samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1))
        return samples * (target / np.quantile(levels, 0.9))

    recipe.shape.append(shape)
    return recipe


@kind
def limiter(rng: Rng, corpus: Path | None) -> Recipe:
    """A radio's sound: loud, near full scale, rounded and not cut."""
    recipe = healthy(rng, corpus)
    recipe.shape.append(lambda samples: 0.97 * np.tanh(rng.uniform(1.5, 3.0) * samples / np.abs(samples).max()))
    return recipe


@kind
def eight_bits_in_sixteen(rng: Rng, corpus: Path | None) -> Recipe:
    """An old sound card's 8 bits, or G.711 that was decoded, at full scale in 16-bit samples."""
    recipe = healthy(rng, corpus, "pcm_s16le", 8000)
    if rng.random() < 0.5:
        recipe.shape.append(lambda samples: np.round(samples * 127) / 128)
    else:
        recipe.shape.append(_companded)
    return recipe


def _companded(samples: Samples) -> Samples:
    codes = np.round(127 * np.log1p(255 * np.abs(samples)) / np.log(256))
    return np.asarray(np.sign(samples) * (256 ** (codes / 127) - 1) / 255)


@kind
def fewer_bits_at_the_high_end(rng: Rng, corpus: Path | None) -> Recipe:
    """16 or 24 bits at the high end of 32, as a right shift of the driver leaves them."""
    recipe = healthy(rng, corpus, "pcm_s32le", 16000)
    step = 2.0 ** -(int(rng.choice([16, 24])) - 1)
    recipe.shape.append(lambda samples: np.round(samples / step) * step)
    return recipe


@kind
def lumps_of_a_socket(rng: Rng, corpus: Path | None) -> Recipe:
    """A relay hands on what came in the last 150 to 300 ms at once."""
    recipe = healthy(rng, corpus)
    step = float(rng.uniform(0.15, 0.3))
    recipe.pace.append(shifted(lambda t: float(np.ceil(t / step) * step)))
    return recipe


@kind
def a_minute_on_hold(rng: Rng, corpus: Path | None) -> Recipe:
    """Longer than many an idle limit, with silence that is sent."""
    recipe = healthy(rng, corpus, "pcm_mulaw", 8000)
    recipe.remake(turns=2, pause_s=(62.0, 75.0))
    return recipe


def _split(made: list[Row], at: float, gap_s: float) -> list[Row]:
    """The session on two connections: the first is closed as it should be, the next opens `gap_s` later."""
    head, text = made[0], made[-1:] if made[-1]["type"] == "transcript" else []
    rows = made[1 : len(made) - len(text)]
    ready = next(row for row in rows if row["type"] == "receive")
    before = [row for row in rows if row["t"] <= at]
    behind = [{**row, "t": round(row["t"] + gap_s + 0.2, 4)} for row in rows if row["t"] > at]
    for row in behind:
        if row["type"] == "receive":
            row["json"] = {**row["json"], "request_id": "5ec09d00"}
    between = [
        {"type": "send", "t": at + 0.01, "json": {"type": "close"}},
        {"type": "close", "t": at + 0.15, "by": "server", "code": 1000, "reason": ""},
        {"type": "open", "t": at + gap_s + 0.16, "status": 101},
        {"type": "receive", "t": at + gap_s + 0.17, "json": {**ready["json"], "request_id": "5ec09d00"}},
    ]
    return [head, *before, *between, *behind, *text]


def _between_turns(made: list[Row]) -> float:
    """A moment at which the first turn is over and the second has not begun."""
    ends = [row["t"] for row in made if row.get("json", {}).get("type") == "turn.end"]
    starts = [row["t"] for row in made if row.get("json", {}).get("type") == "turn.start" and row["t"] > ends[0]]
    return float(min(ends[0] + 0.05, starts[0]))


@kind
def connected_anew_between_turns(rng: Rng, corpus: Path | None) -> Recipe:
    """A client that closes and opens again in a pause, at once."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(2.5, 4.0))
    recipe.rows.append(lambda made: _split(made, _between_turns(made), 0.1))
    return recipe


@kind
def refused_for_a_while(rng: Rng, corpus: Path | None) -> Recipe:
    """Too many streams, or a server that starts: the client waits, and gets in at the second or third handshake."""
    recipe = healthy(rng, corpus)
    statuses = [int(rng.choice([429, 500, 503])) for _ in range(rng.integers(1, 3))]
    waits = [float(rng.uniform(0.5, 1.0)) * 2**i for i in range(len(statuses))]

    def rows(made: list[Row]) -> list[Row]:
        at = next(i for i, row in enumerate(made) if row["type"] == "open")
        begun = made[at].get("t", 0.0)
        tries = [{"type": "open", "t": begun + sum(waits[:i]), "status": s} for i, s in enumerate(statuses)]
        later = [{**row, "t": round(row["t"] + sum(waits), 4)} if "t" in row else row for row in made[at:]]
        return [*made[:at], *tries, *later]

    recipe.rows.append(rows)
    return recipe


@kind
def two_calls_in_one_capture(rng: Rng, corpus: Path | None) -> Recipe:
    """The next call begins half a minute after the last."""
    recipe = healthy(rng, corpus)
    recipe.remake(turns=3, pause_s=(2.5, 4.0))
    recipe.rows.append(lambda made: _split(made, _between_turns(made), float(rng.uniform(20, 60))))
    return recipe


@kind
def capture_that_begins_late(rng: Rng, corpus: Path | None) -> Recipe:
    """Recorded from somewhere in the session on, with the whole text of the application."""
    recipe = healthy(rng, corpus, turns=4)
    at = float(rng.uniform(0.25, 0.7)) * recipe.scene.duration
    recipe.rows.append(lambda made: [row for row in made if row["type"] in ("session", "transcript") or row["t"] >= at])
    return recipe


@kind
def capture_that_stops_early(rng: Rng, corpus: Path | None) -> Recipe:
    """Recorded up to somewhere in the session, with the application's text of the end, or of that moment."""
    recipe = healthy(rng, corpus, turns=4)
    at = float(rng.uniform(0.3, 0.9)) * recipe.scene.duration
    kinds = ("whole", "so far", "so far, with what is not final yet")
    recipe.note = str(rng.choice(kinds))

    def rows(made: list[Row]) -> list[Row]:
        kept = [row for row in made if row["type"] == "session" or row["t"] < at]
        if recipe.note == kinds[0]:
            return [*kept, made[-1]]
        final, shown = "", ""
        for event in (row["json"] for row in kept if row["type"] == "receive"):
            shown = event.get("transcript", shown)
            if event["type"] == "turn.end":
                final, shown = final + shown, ""
        return [*kept, {"type": "transcript", "text": final + (shown if recipe.note == kinds[2] else "")}]

    recipe.rows.append(rows)
    return recipe


@kind
def text_trimmed_for_display(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus, turns=3)
    recipe.join = lambda heard: "".join(text for name, text in heard if name == "turn.end").strip()
    return recipe


SIGNS = (
    "R&D's 100%",
    "Zoë",
    "C:\\new\\table",
    "<b>",
    "Note: 1 < 2",
    "café [sic]",
    "null",
    "a+b=c",
    "e.g. \u201cso\u201d",
)
"""Words that look escaped, labelled or read in another charset, and are right as they stand."""


@kind
def words_that_look_changed(rng: Rng, corpus: Path | None) -> Recipe:
    recipe = healthy(rng, corpus)
    recipe.note = str(rng.choice(SIGNS))

    def events(made: list[Row]) -> list[Row]:
        for row in made:
            words = row["json"].get("transcript", "").split(" ")
            if row["json"].get("transcript", "").strip():
                row["json"]["transcript"] = " ".join([*words[:1], recipe.note, *words[1:]])
        return made

    recipe.events.append(events)
    return recipe


@kind
def said_twice(rng: Rng, corpus: Path | None) -> Recipe:
    """Every turn says the same, and the text holds all of them."""
    recipe = healthy(rng, corpus, turns=3)

    def events(made: list[Row]) -> list[Row]:
        said = next(row["json"]["transcript"] for row in made if row["json"]["type"] == "turn.end").strip()
        turn = 0
        for row in made:
            turn += row["json"]["type"] == "turn.start"
            if row["json"].get("transcript", "").strip():
                row["json"]["transcript"] = f" {said}" if turn > 1 else said
        return made

    recipe.events.append(events)
    return recipe

"""Sessions of right clients, of many kinds and in many captures: is any of them accused?

    python benchmarks/world/healthy.py [--seed 7] [--each 3] [--only WORD] [--save DIR] [--details FILE]

Each session is one way of being right (`WAYS`) of a kind of client (`dress.py`), in a capture of one form (`forms.py`)
that may lack a part of the evidence (`faults_cuts.py`). Way, client, form and lack are drawn apart from each other.
A `warn` or `fail` is printed; what is `unknown` is counted. Other than the healthy kinds of the fault bench, which vary
sound and format, these vary what the client does and what was captured of it.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "faults"))  # the generators of the fault bench
sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))  # forms that the tests write, too

import argparse
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

import faults_make
import numpy as np
from dress import AGENTS, dress
from faults_bench import Case, Verdict, generator, is_accused, judge
from faults_cuts import CUTS
from faults_healthy import _added, _pauses
from faults_recipe import Frame, Recipe, Row, healthy
from faults_scene import Samples
from faults_stream import Frames, shifted
from forms import FORMS, written
from scipy import signal

Way = Callable[[Recipe], None]
WAYS: dict[str, Way] = {}
SESSIONS = ("jsonl", "jsonl", *(form for form in FORMS if form not in ("jsonl", "raw")))
WRITTEN = ("sent-untold", "received-untold", "messages-sent", "text", "exact-times")
"""Lacks that every form can have."""


def way(make: Way) -> Way:
    """Register one way of being right."""
    WAYS[make.__name__.replace("_", "-")] = make
    return make


# --- how the audio is cut and paced


@way
def chunks_of_10_ms(recipe: Recipe) -> None:
    recipe.chunk_s = 0.01


@way
def chunks_of_300_ms(recipe: Recipe) -> None:
    recipe.chunk_s = float(recipe.rng.uniform(0.25, 0.295))
    recipe.jitter_s = 0.0


@way
def blocks_of_a_worklet(recipe: Recipe) -> None:
    """A multiple of 128 samples at the rate of the device, resampled or not."""
    device = max(recipe.scene.rate, 44100)
    recipe.chunk_s = 128 * int(recipe.rng.choice([4, 8, 16, 32, 64])) / device


@way
def chunks_of_any_length(recipe: Recipe) -> None:
    """As a pipe or a network stack hands them out: now 20 ms, now 250."""

    def pace(frames: Frames) -> Frames:
        made: list[Frame] = []
        held: list[Frame] = []
        for frame in frames:
            held.append(frame)
            length_s = (held[-1].until or 0) - (held[0].until or 0)
            if recipe.rng.random() < 0.35 or length_s > 0.2 or frame is frames[-1]:
                data = b"".join(part.data for part in held if isinstance(part.data, bytes))
                made.append(Frame(frame.t, data, frame.until))
                held = []
        return made

    recipe.chunk_s = 0.02
    recipe.pace.append(pace)


@way
def a_clock_off(recipe: Recipe) -> None:
    """A sound card's clock beside the computer's: up to 1 %."""
    recipe.drift = float(recipe.rng.uniform(-0.01, 0.01))


@way
def a_file_a_little_fast(recipe: Recipe) -> None:
    recipe.drift = -float(recipe.rng.uniform(0.01, 0.05))


@way
def a_file_a_little_slow(recipe: Recipe) -> None:
    """Sleep after each chunk, without what the work took."""
    recipe.drift = float(recipe.rng.uniform(0.01, 0.06))


@way
def pauses_of_the_collector(recipe: Recipe) -> None:
    """Every few seconds the process stands still for 0.1 to 0.4 s, and catches up."""
    spots = [(at, at + recipe.rng.uniform(0.1, 0.4)) for at in np.arange(1.0, recipe.scene.duration, 2.3)]
    recipe.pace.append(shifted(lambda t: max([t] + [b for a, b in spots if a < t < b])))


@way
def a_network_that_stood_still(recipe: Recipe) -> None:
    """Once, for 0.5 to 0.9 s, and all came then."""
    at = float(recipe.rng.uniform(0.3, 0.8)) * recipe.scene.duration
    hole = float(recipe.rng.uniform(0.5, 0.9))
    recipe.pace.append(shifted(lambda t: max(t, at + hole) if t > at else t))


@way
def what_was_said_while_connecting(recipe: Recipe) -> None:
    """Recorded before the socket was open, sent at once then."""
    recipe.start_burst_s = float(recipe.rng.uniform(0.3, 1.9))


# --- silence


@way
def muted_sends_zeros(recipe: Recipe) -> None:
    recipe.remake(turns=3, pause_s=(6.0, 14.0))
    _silenced(recipe)


@way
def gated_by_a_detector(recipe: Recipe) -> None:
    """Zeros wherever nobody speaks, the pauses being as long as they are."""
    recipe.remake(turns=4, pause_s=(2.2, 5.0))
    _silenced(recipe)


def _silenced(recipe: Recipe) -> None:
    spans, rate = _pauses(recipe), recipe.scene.rate

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        for start, stop in spans:
            out[round(start * rate) : round(stop * rate)] = 0
        return out

    recipe.shape.append(shape)


@way
def silence_before_and_behind(recipe: Recipe) -> None:
    """The user thinks for long first, and does not hang up at once."""
    rate, said = recipe.scene.rate, recipe.scene
    before, behind = float(recipe.rng.uniform(3, 9)), float(recipe.rng.uniform(3, 12))
    noise = [recipe.rng.standard_normal(round(s * rate)) * 4e-4 for s in (before, behind)]
    turns = tuple(tuple(type(p)(p.start + before, p.end + before, p.words) for p in turn) for turn in said.turns)
    recipe.scene = type(said)(np.concatenate([noise[0], said.samples, noise[1]]), rate, turns, said.voice)


@way
def zeros_until_the_microphone_starts(recipe: Recipe) -> None:
    recipe.shape.append(lambda x: np.where(np.arange(len(x)) < 0.25 * recipe.scene.rate, 0.0, x))


@way
def nobody_speaks(recipe: Recipe) -> None:
    """A room, and no word in it; the service says nothing but that it is connected."""
    recipe.service.hears = "nothing"
    said = recipe.scene
    noise = recipe.rng.standard_normal(round(recipe.rng.uniform(5, 20) * said.rate)) * 10 ** (
        recipe.rng.uniform(-62, -50) / 20
    )
    recipe.scene = type(said)(noise, said.rate, (), said.voice)


# --- what is said


@way
def one_word(recipe: Recipe) -> None:
    recipe.remake(turns=1, turn_s=(0.4, 0.6))


@way
def many_short_answers(recipe: Recipe) -> None:
    recipe.remake(turns=8, turn_s=(0.5, 1.2))


@way
def one_long_story(recipe: Recipe) -> None:
    recipe.remake(turns=1, turn_s=(25.0, 40.0))


@way
def turns_taken_back(recipe: Recipe) -> None:
    """Many an eager end that was none."""
    recipe.service.eager_share = 1.0
    recipe.remake(turns=7)


@way
def other_words(recipe: Recipe) -> None:
    """Numbers, names, accents, other scripts in what is heard."""
    said = ("It's 4:30 p.m.", "São Paulo, naïve café", "$1,250.00", "e-mail: a.b@example.com", "Ähm, ja.", "東京", "…")
    recipe.events.append(lambda made: _in_front(made, str(recipe.rng.choice(said))))


def _in_front(made: list[Row], word: str) -> list[Row]:
    for row in made:
        text = row["json"].get("transcript", "")
        if text.strip():
            space = " " if text.startswith(" ") else ""
            row["json"]["transcript"] = f"{space}{word} {text.lstrip()}"
    return made


@way
def a_child(recipe: Recipe) -> None:
    _pitched(recipe, float(recipe.rng.uniform(1.06, 1.12)))


@way
def a_deep_slow_voice(recipe: Recipe) -> None:
    _pitched(recipe, float(recipe.rng.uniform(0.9, 0.95)))


def _pitched(recipe: Recipe, by: float) -> None:
    said = recipe.scene
    at = np.arange(int(len(said.samples) / by)) * by
    samples = np.interp(at, np.arange(len(said.samples)), said.samples)
    turns = tuple(tuple(type(p)(p.start / by, p.end / by, p.words) for p in turn) for turn in said.turns)
    recipe.scene = type(said)(samples, said.rate, turns, said.voice)


# --- the room and the microphone


@way
def in_a_car(recipe: Recipe) -> None:
    rate = recipe.scene.rate
    level = 10 ** (recipe.rng.uniform(-42, -33) / 20)

    def shape(samples: Samples) -> Samples:
        low = signal.sosfilt(signal.butter(2, 300, fs=rate, output="sos"), recipe.rng.standard_normal(len(samples)))
        return np.asarray(samples + low * (level / low.std()))

    recipe.shape.append(shape)


@way
def keys_of_a_keyboard(recipe: Recipe) -> None:
    rate = recipe.scene.rate
    for at in np.sort(recipe.rng.uniform(0.2, recipe.scene.duration - 0.2, int(2 * recipe.scene.duration))):
        length = round(0.012 * rate)
        click = recipe.rng.standard_normal(length) * np.exp(-np.arange(length) / (0.003 * rate)) * 0.06
        _added(recipe, click, float(at))


@way
def a_click_at_the_start(recipe: Recipe) -> None:
    """The supply of the microphone settles: a jump that fades in half a second."""
    rate = recipe.scene.rate
    _added(recipe, 0.3 * np.exp(-np.arange(rate) / (0.12 * rate)), 0.0)


@way
def mains_hum(recipe: Recipe) -> None:
    rate = recipe.scene.rate
    t = np.arange(len(recipe.scene.samples)) / rate
    hum = sum(a * np.sin(2 * np.pi * 50 * n * t) for n, a in ((1, 0.004), (2, 0.002), (3, 0.003)))
    _added(recipe, np.asarray(hum), 0.0)


@way
def a_radio_behind(recipe: Recipe) -> None:
    """Music under the voice, well below it."""
    rate = recipe.scene.rate
    t = np.arange(len(recipe.scene.samples)) / rate
    music = np.zeros(len(t))
    for at in np.arange(0.0, t[-1], 0.4):
        tone = 220 * 2 ** (int(recipe.rng.choice([0, 3, 5, 7, 10, 12])) / 12)
        part = slice(round(at * rate), round((at + 0.8) * rate))
        local = t[part] - at
        music[part] += np.sin(2 * np.pi * tone * local) * np.exp(-local / 0.3)
    _added(recipe, 0.012 * music, 0.0)


@way
def high_passed(recipe: Recipe) -> None:
    sos = signal.butter(2, 120, "highpass", fs=recipe.scene.rate, output="sos")
    recipe.shape.append(lambda x: np.asarray(signal.sosfilt(sos, x)))


# --- the protocol


@way
def config_at_the_start(recipe: Recipe) -> None:
    command = {"type": "config", "turn": {"end_threshold": 0.3}}
    recipe.pace.append(lambda frames: [Frame(0.08, command), *frames])


@way
def close_a_while_later(recipe: Recipe) -> None:
    """The close command comes when the last turn has ended."""
    recipe.close_after = float(recipe.rng.uniform(0.2, 0.8))


@way
def leaves_behind_the_answer(recipe: Recipe) -> None:
    """Close, read until the last turn has ended and for a moment more, then close the socket itself."""
    recipe.leave_after = 5.5


@way
def a_relay_of_their_own(recipe: Recipe) -> None:
    """The client talks to its own backend, which hands on everything."""
    address = str(recipe.rng.choice(["ws://localhost:8765", "wss://voice.example.com", "ws://10.0.0.7:9000"]))
    recipe.rows.append(lambda made: [{**made[0], "url": made[0]["url"].replace("wss://api.cartesia.ai", address)},
                                     *made[1:]])  # fmt: skip


@way
def headers_of_a_proxy(recipe: Recipe) -> None:
    fields = {"via": "1.1 varnish", "server": "cloudflare", "cf-ray": "8c1f-FRA", "connection": "Upgrade"}

    def rows(made: list[Row]) -> list[Row]:
        return [{**row, "headers": fields} if row["type"] == "open" else row for row in made]

    recipe.rows.append(rows)


@way
def far_from_the_service(recipe: Recipe) -> None:
    """Everything comes back 0.3 to 0.5 s later."""
    recipe.service.delay_s = float(recipe.rng.uniform(0.3, 0.5))


@way
def a_manual_client(recipe: Recipe) -> None:
    recipe.path, recipe.manual = "/stt/websocket", True
    commands = [Frame(turn[-1].end + 0.38, "finalize") for turn in recipe.scene.turns]
    recipe.pace.append(lambda frames: sorted([*frames, *commands], key=lambda frame: frame.t))


@way
def a_connection_for_each_press(recipe: Recipe) -> None:
    """Push to talk: connect, speak, close, read to the end; a while later again."""
    count = int(recipe.rng.integers(2, 5))
    recipe.remake(turns=1)
    recipe.rows.append(lambda made: _again(recipe, made, count, float(recipe.rng.uniform(0.5, 20))))


@way
def a_day_of_calls(recipe: Recipe) -> None:
    """The same process, call after call, minutes apart."""
    recipe.rows.append(lambda made: _again(recipe, made, 2, float(recipe.rng.uniform(60, 900))))


def _again(recipe: Recipe, made: list[Row], more: int, gap_s: float) -> list[Row]:
    """The session, and others of the same client behind it."""
    text = made[-1]["text"] if made[-1]["type"] == "transcript" else None
    rows = made if text is None else made[:-1]
    for _ in range(more):
        other = healthy(recipe.rng, None, recipe.encoding, recipe.scene.rate, len(recipe.scene.turns))
        other.profile, other.chunk_s, other.jitter_s = recipe.profile, recipe.chunk_s, recipe.jitter_s
        later = rows[-1]["t"] + gap_s
        body = faults_make.rows(other)[1:]
        text = None if text is None else text + body[-1]["text"]
        rows = [*rows, *({**row, "t": round(row["t"] + later, 4)} for row in body[:-1])]
    return rows if text is None else [*rows, {"type": "transcript", "t": rows[-1]["t"], "text": text}]


# --- the text


@way
def text_trimmed_and_ended(recipe: Recipe) -> None:
    recipe.join = lambda heard: "".join(text for kind, text in heard if kind == "turn.end").strip() + "\n"


@way
def plain(recipe: Recipe) -> None:
    """Nothing but what every client does."""


def case(name: str, seed: int, number: int) -> tuple[Case, bytes, str]:
    """One session, as rows and in its form, and which form that is."""
    rng = generator(seed, "world", name, number)
    recipe = healthy(rng)
    client = str(rng.choice(list(AGENTS)))
    WAYS[name](recipe)
    recipe.rows.append(lambda made: dress(made, client))
    lack = str(rng.choice(list(CUTS))) if rng.random() < 0.55 else "nothing"
    form = str(rng.choice(SESSIONS)) if lack in ("nothing", *WRITTEN) else "jsonl"
    rows = faults_make.rows(recipe)
    if recipe.manual or sum(row["type"] == "open" for row in rows) != 1:
        form = "jsonl"  # the other writers know one connection, and JSON in its messages
    rows = CUTS[lack](rows) if lack != "nothing" else rows
    sound = f"{recipe.encoding} {recipe.scene.rate} Hz {1000 * recipe.chunk_s:.0f} ms"
    note = f"{client}, {form}, without {lack}; {sound}"
    return Case(f"world-{name}-{number}", rows, (), note=note), written(rows, form), form


def task(job: tuple[str, int, int, Path | None]) -> list[Verdict]:
    """Make and judge the sessions of one way."""
    name, seed, each, save = job
    verdicts = []
    for number in range(each):
        made, data, form = case(name, seed, number)
        verdict = judge(made, data)
        verdicts.append(verdict)
        if save and is_accused(verdict):
            save.mkdir(parents=True, exist_ok=True)
            (save / f"{made.name}.{form}").write_bytes(data)
    return verdicts


def main() -> None:
    """Judge all, print what is accused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=20261201)
    parser.add_argument("--each", type=int, default=3, help="sessions of each way")
    parser.add_argument("--only", default="", help="ways with this word")
    parser.add_argument("--save", type=Path, help="write the sessions that were accused there")
    parser.add_argument("--details", type=Path, help="write every verdict as a JSON line")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    jobs = [(name, options.seed, options.each, options.save) for name in WAYS if options.only in name]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        verdicts = [verdict for part in pool.imap(task, jobs) for verdict in part]
    if options.details:
        options.details.write_text("".join(json.dumps(asdict(v)) + "\n" for v in verdicts), encoding="utf-8")
    accused = [verdict for verdict in verdicts if is_accused(verdict)]
    for verdict in accused:
        said = ", ".join(f"{cause} ({status} {sure})" for cause, status, sure, _ in verdict.said)
        print(f"{verdict.name:42} {said}  [{verdict.note}]")
    for verdict in verdicts:
        for crash in verdict.crashed:
            print(f"crashed: {verdict.name}: {crash}")
    status = Counter(verdict.status for verdict in verdicts)
    print(f"{len(verdicts)} sessions of {len(jobs)} ways: {len(accused)} accused; {dict(status)}; seed {options.seed}")


if __name__ == "__main__":
    main()

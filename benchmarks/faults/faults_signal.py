"""Faults of the sound itself, in a right format: `signal`. And speech in another language, as far as evidence goes."""

from dataclasses import replace

import numpy as np
from faults_recipe import Recipe
from faults_registry import fault
from faults_scene import Samples, Utterance
from scipy import signal

Turns = tuple[tuple[Utterance, ...], ...]
LINEAR = (("pcm_s16le", 16000), ("pcm_s16le", 8000), ("pcm_s16le", 24000), ("pcm_f32le", 16000), ("pcm_s16le", 48000))
G711 = (("pcm_mulaw", 8000), ("pcm_alaw", 8000))


@fault("signal.silent", "sound", solo=True, formats=(*LINEAR, *G711))
def silent(recipe: Recipe) -> None:
    """A dead input: zeros, or the hiss of a muted line (peak under 0.0005)."""
    zeros = bool(recipe.rng.random() < 0.5) or recipe.encoding in ("pcm_mulaw", "pcm_alaw")
    level = 10 ** (recipe.rng.uniform(-96, -82) / 20)
    recipe.note = "zeros" if zeros else "hiss"
    recipe.service.hears = "nothing"
    recipe.shape.append(lambda x: np.zeros(len(x)) if zeros else recipe.rng.standard_normal(len(x)) * level)


@fault("signal.too-quiet", "sound", formats=LINEAR, status="warn")
def too_quiet(recipe: Recipe) -> None:
    """Speech whose loud parts are at -62 to -54 dBFS."""
    target = 10 ** (recipe.rng.uniform(-62, -54) / 20)

    def shape(samples: Samples) -> Samples:
        hop = recipe.scene.rate // 50
        levels = np.sqrt((samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1))
        return samples * (target / np.quantile(levels, 0.9))

    recipe.shape.append(shape)


@fault("signal.noise", "sound", solo=True, formats=(*LINEAR, *G711), status="warn")
def noise(recipe: Recipe) -> None:
    """Hiss or a buzz at -28 to -12 dBFS, and at most a voice far below it."""
    level, voice = 10 ** (recipe.rng.uniform(-28, -12) / 20), 10 ** (recipe.rng.uniform(-60, -26) / 20)
    hertz = float(recipe.rng.choice([50.0, 60.0, 100.0, 217.0]))
    buzzes = bool(recipe.rng.random() < 0.5)
    recipe.note = f"buzz of {hertz:.0f} Hz" if buzzes else "hiss"
    if (recipe.encoding, recipe.scene.rate) in G711:
        recipe.also.add("encoding.unsupported")  # bytes without order may as well be encrypted
    recipe.service.hears = "nothing"

    def shape(samples: Samples) -> Samples:
        hiss = recipe.rng.standard_normal(len(samples))
        wave = signal.sawtooth(2 * np.pi * hertz * np.arange(len(samples)) / recipe.scene.rate) * 1.7
        return level * ((0.9 * wave + 0.2 * hiss if buzzes else hiss) + voice * samples / np.std(samples))

    recipe.shape.append(shape)


@fault("signal.clipped", "sound", formats=(*LINEAR, *G711), status="warn")
def clipped(recipe: Recipe) -> None:
    """Gain until 4 to 20 % of the samples of speech are at full scale."""
    share = recipe.rng.uniform(0.04, 0.2)

    def shape(samples: Samples) -> Samples:
        loud = np.abs(samples)[np.abs(samples) > 0.02 * np.abs(samples).max()]
        return np.clip(samples / np.quantile(loud, 1 - share), -1, 1)

    recipe.shape.append(shape)


@fault("signal.wrapped", "sound", formats=(("pcm_s16le", 16000), ("pcm_s16le", 8000), ("pcm_s16le", 24000)))
def wrapped(recipe: Recipe) -> None:
    """Gain beyond full scale and a cast that does not limit: 0.1 to 1 % of the samples of speech wrap."""
    share = recipe.rng.uniform(0.001, 0.01)

    def shape(samples: Samples) -> Samples:
        loud = np.abs(samples)[np.abs(samples) > 0.02 * np.abs(samples).max()]
        return (samples / np.quantile(loud, 1 - share) + 1) % 2 - 1

    recipe.shape.append(shape)


@fault("signal.not-numbers", "sound", formats=(("pcm_f32le", 16000), ("pcm_f32le", 24000), ("pcm_f32le", 48000)))
def not_numbers(recipe: Recipe) -> None:
    """A gate silences the quiet chunks of 20 to 100 ms, and what brings each to a level divides by its peak: 0 / 0."""
    size = round(recipe.rng.uniform(0.02, 0.1) * recipe.scene.rate)

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        gate = 0.05 * np.abs(out).max()
        for first in range(0, len(out), size):
            chunk = out[first : first + size]
            chunk[:] = np.nan if np.abs(chunk).max() < gate else chunk
        return out

    recipe.shape.append(shape)


@fault("signal.dc-offset", "sound", formats=LINEAR, status="warn")
def dc_offset(recipe: Recipe) -> None:
    offset = recipe.rng.choice([-1, 1]) * recipe.rng.uniform(0.08, 0.3)
    recipe.shape.append(lambda samples: samples * 0.7 + offset)


@fault("signal.dropouts", "sound", formats=(*LINEAR, *G711))
def dropouts(recipe: Recipe) -> None:
    """Holes of 20 to 250 ms inside speech, one to three a second, of digital zero."""
    rng, rate = recipe.rng, recipe.scene.rate
    every, length = rng.uniform(0.35, 1.0), rng.uniform(0.02, 0.25)
    length = min(length, every / 2.5)
    recipe.note = f"{1000 * length:.0f} ms every {every:.1f} s"

    def shape(samples: Samples) -> Samples:
        out = samples.copy()
        for turn in recipe.scene.turns:
            for part in turn:
                at = part.start + 0.2
                while at + length < part.end - 0.1:
                    out[round(at * rate) : round((at + length) * rate)] = 0
                    at += every * rng.uniform(0.7, 1.3)
        return out

    recipe.shape.append(shape)


@fault("signal.discontinuities", "sound", formats=LINEAR, status="warn")
def discontinuities(recipe: Recipe) -> None:
    """Each chunk resampled on its own, or the end of each chunk lost: a click at every border."""
    rng, rate = recipe.rng, recipe.scene.rate
    period = float(rng.choice([0.01, 0.02, 0.03, 0.04, 0.06]))
    kind = str(rng.choice(["lost end", "stateless resampler"]))
    recipe.note = f"{kind}, {1000 * period:.0f} ms"
    size = round(period * rate)

    def shape(samples: Samples) -> Samples:
        parts = [samples[at : at + size] for at in range(0, len(samples), size)]
        if kind == "lost end":
            lost = max(2, round(size * rng.uniform(0.02, 0.06)))
            return np.concatenate([part[:-lost] for part in parts if len(part) > lost])
        high = signal.resample_poly(samples, 3, 1)  # as the device gives it; each block then comes down on its own
        blocks = [high[at : at + 3 * size] for at in range(0, len(high), 3 * size)]
        return np.concatenate([signal.resample_poly(block, 1, 3) for block in blocks])

    recipe.shape.append(shape)


@fault("signal.muted", "sound", formats=(*LINEAR, *G711), status="warn", also=("turns.left-open",))
def muted(recipe: Recipe) -> None:
    """A microphone that the system mutes in the middle of a word: exact zeros for 4 to 20 s, to the end or not."""
    recipe.remake(turns=3, pause_s=(2.0, 5.0))
    rng, rate = recipe.rng, recipe.scene.rate
    samples = recipe.scene.samples
    hop = rate // 50
    levels = np.sqrt((samples[: len(samples) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1))
    loud = np.flatnonzero(levels > np.quantile(levels, 0.9))
    middle = loud[(loud * hop > 2 * rate) & (loud * hop < len(samples) - 5 * rate)]
    at = int(rng.choice(middle if len(middle) else loud)) * hop + int(rng.integers(hop))
    stop = len(samples) if rng.random() < 0.6 else at + round(rng.uniform(4, 8) * rate)
    recipe.note = f"{(min(stop, len(samples)) - at) / rate:.1f} s"
    recipe.scene = replace(recipe.scene, turns=_heard(recipe.scene.turns, at / rate, stop / rate))

    def shape(x: Samples) -> Samples:
        out = x.copy()
        out[at:stop] = 0
        return out

    recipe.shape.append(shape)


@fault("signal.starts-late", "sound", formats=LINEAR, status="warn", solo=True)
def starts_late(recipe: Recipe) -> None:
    """The first word and some more are missing; or the microphone gives zeros for about a second instead of them."""
    rng, scene = recipe.rng, recipe.scene
    rate, first = scene.rate, scene.turns[0][0]
    hop = rate // 50
    levels = np.sqrt((scene.samples[: len(scene.samples) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1))
    loud = np.flatnonzero(levels > 0.5 * np.quantile(levels, 0.95)) * hop / rate
    inside = loud[(loud > first.start + 0.2) & (loud < first.end - 0.3)]
    cut = float(rng.choice(inside)) if len(inside) else first.start + 0.3
    zeros = float(rng.uniform(0.4, 1.5)) if rng.random() < 0.4 else 0.0
    recipe.note = f"{zeros:.1f} s of zeros"
    kept = [tuple(_moved(part, zeros - cut) for part in turn if part.end > cut + 0.3) for turn in scene.turns]
    samples = np.concatenate([np.zeros(round(zeros * rate)), scene.samples[round(cut * rate) :]])
    recipe.scene = replace(scene, samples=samples, turns=tuple(turn for turn in kept if turn))


def _moved(part: Utterance, by: float) -> Utterance:
    return Utterance(max(0.0, part.start + by), part.end + by, part.words)


def _heard(turns: Turns, start: float, stop: float) -> Turns:
    """What the service hears of turns when the time between is silent."""
    kept = []
    for turn in turns:
        parts = []
        for part in turn:
            if start < part.end and part.start < stop:
                if part.start >= start:
                    continue
                share = (start - part.start) / (part.end - part.start)
                part = replace(part, end=start, words=part.words[: int(share * len(part.words))])
            parts.append(part)
        kept += [tuple(parts)] if parts else []
    return tuple(kept)


@fault("signal.echoed", "sound", formats=(*LINEAR, *G711), status="warn")
def echoed(recipe: Recipe) -> None:
    """A second route: the same sound 0.2 to 1.2 s later, as loud as the first or down to a third of it."""
    delay, gain = recipe.rng.uniform(0.2, 1.2), recipe.rng.uniform(0.33, 1.0)
    recipe.note = f"{1000 * delay:.0f} ms at {gain:.2f}"
    lag = round(delay * recipe.scene.rate)
    recipe.also.add("latency.end-of-turn")  # the service hears the echo, too, and ends the turn behind it
    recipe.remake(turns=3, pause_s=(3.0, 4.0))
    turns = tuple((*turn[:-1], replace(turn[-1], end=turn[-1].end + delay)) for turn in recipe.scene.turns)
    recipe.scene = replace(recipe.scene, turns=turns)

    def shape(samples: Samples) -> Samples:
        late = np.concatenate([np.zeros(lag), samples[:-lag]])
        return (samples + gain * late) / (1 + gain)

    recipe.shape.append(shape)


@fault("signal.false-silence", "sound", formats=G711)
def false_silence(recipe: Recipe) -> None:
    """Pauses are filled with zero bytes, which in G.711 are near full scale."""
    rng = recipe.rng
    recipe.remake(turns=4, pause_s=(1.5, 3.0))
    edges = [(turn[-1].end + 0.15, 0.0) for turn in recipe.scene.turns]
    starts = [turn[0].start - 0.05 for turn in recipe.scene.turns[1:]] + [recipe.scene.duration]
    chosen = [(a, b) for (a, _), b in zip(edges, starts, strict=True) if rng.random() < 0.9]
    rate = recipe.scene.rate

    def damage(data: bytes) -> bytes:
        out = bytearray(data)
        for a, b in chosen or [(edges[0][0], starts[0])]:
            first, last = round(a * rate), min(len(out), round(b * rate))
            out[first:last] = bytes(max(0, last - first))
        return bytes(out)

    recipe.damage.append(damage)


@fault("language.not-english", "language", also=("connection.bad-parameter", "joining.unrelated"))
def not_english(recipe: Recipe) -> None:
    """A `language` parameter that is not English, or an application text in another script."""
    if recipe.rng.random() < 0.6:
        recipe.note = str(recipe.rng.choice(["de", "fr", "ja", "es", "hi", "pt-BR"]))
        recipe.query.append(("language", recipe.note))
        return
    texts = {
        "russian": "Здравствуйте, я хотел бы узнать, когда придёт моя посылка. Номер заказа четыре семь один.",
        "japanese": "もしもし、予約の時間を木曜日の午後に変更していただけますか。よろしくお願いします。",
        "german": "Guten Tag, ich möchte gern wissen, wann mein Paket ankommt und ob ich es abholen kann.",
        "french": "Bonjour, je voudrais savoir quand mon colis va arriver et si je peux le chercher.",
    }
    recipe.note = str(recipe.rng.choice(list(texts)))
    text = texts[recipe.note]  # another fault of the session may have a note of its own
    recipe.join = lambda _heard: text

"""What telephone tones and mains hum add to the sample rate of speech, and how often they mislead.

    python benchmarks/accuracy/anchors.py CORPUS [--nets build/rate] [--seconds 10] [--seed 3]

Speakers are judged by the net that has not heard them (see `rate.py`), with and without the anchors. Tones and hum are
synthesised at the true rate and mixed in at random levels, some calls go through mu-law and noise. The last table is
the sound as it is: every anchor that is found in speech, music and noise, and whether it stands at the true rate (a
recording may hold real hum).
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import corpus
import numpy as np
import voices
from corpus import SPED_UP, Clip, Floats

from sttdoctor.analysis.rate.anchors import LONGEST, find_anchors, weigh_anchors
from sttdoctor.analysis.rate.estimate import estimate_with, finite_mono
from sttdoctor.analysis.rate.net import Model
from sttdoctor.encodings import STANDARD_RATES

SEVEN = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
KEYS = {
    key: (row, column)
    for row, keys in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for column, key in zip((1209, 1336, 1477, 1633), keys, strict=True)
}

Mix = Callable[[np.random.Generator, Floats, int], Floats]


def beside(rng: np.random.Generator, samples: Floats, parts: Sequence[Floats]) -> Floats:
    """Tones before the speech, at -12 to +6 dB of it; half of them with noise 15 to 30 dB below and through mu-law."""
    tone = np.concatenate(parts)
    loud = float(np.sqrt((tone[tone != 0] ** 2).mean())) or 1.0
    tone = tone / loud * samples.std() * 10 ** (rng.uniform(-12, 6) / 20)
    both = np.concatenate([tone.astype(np.float32), samples])
    if rng.random() < 0.5:
        both = both + (rng.normal(size=len(both)) * both.std() * 10 ** (-rng.uniform(15, 30) / 20)).astype(np.float32)
        both = corpus.g711(both)
    return both


def sines(hertz: Sequence[float], seconds: float, rate: int, rng: np.random.Generator) -> Floats:
    times = np.arange(int(seconds * rate)) / rate
    made = sum(10 ** (rng.uniform(-2, 2) / 20) * np.sin(2 * np.pi * f * times + rng.uniform(0, 6)) for f in hertz)
    return np.asarray(made, np.float32)


def keys(count: int) -> Mix:
    def mix(rng: np.random.Generator, samples: Floats, rate: int) -> Floats:
        off, on, gap = 1 + rng.normal(0, 0.002), rng.uniform(0.06, 0.2), rng.uniform(0.05, 0.2)
        parts = []
        for key in rng.choice(list(KEYS), count, replace=False):
            parts += [sines([f * off for f in KEYS[key]], on, rate, rng), np.zeros(int(gap * rate), np.float32)]
        return beside(rng, samples, parts)

    return mix


def progress(hertz: Sequence[float], on_s: float, off_s: float, times: int) -> Mix:
    def mix(rng: np.random.Generator, samples: Floats, rate: int) -> Floats:
        off = 1 + rng.normal(0, 0.002)
        part = [sines([f * off for f in hertz], on_s, rate, rng), np.zeros(int(off_s * rate), np.float32)]
        return beside(rng, samples, part * times)

    return mix


def hum(level_db: float) -> Mix:
    def mix(rng: np.random.Generator, samples: Floats, rate: int) -> Floats:
        mains = float(rng.choice([50.0, 60.0])) * (1 + rng.normal(0, 0.0008))
        times = np.arange(len(samples)) / rate
        made = sum(
            rng.exponential() / n**0.5 * np.sin(2 * np.pi * mains * n * times + rng.uniform(0, 6)) for n in range(1, 8)
        )
        hiss = rng.normal(size=len(samples)) * samples.std() * 10 ** (-rng.uniform(35, 55) / 20)
        return (samples + hiss + made / made.std() * samples.std() * 10 ** (level_db / 20)).astype(np.float32)

    return mix


MIXES: dict[str, Mix] = {
    "speech alone": lambda _rng, samples, _rate: samples,
    "DTMF, one key": keys(1),
    "DTMF, four keys": keys(4),
    "ringing 440 + 480 Hz": progress((440, 480), 2.0, 4.0, 1),
    "busy 480 + 620 Hz": progress((480, 620), 0.5, 0.5, 4),
    "ringing 425 Hz, 1 s of 5": progress((425,), 1.0, 4.0, 3),
    "busy 425 Hz, 0.48 s of 0.96": progress((425,), 0.48, 0.48, 5),
    "hum at -20 dB of the speech": hum(-20),
    "hum at -30 dB": hum(-30),
    "hum at -40 dB": hum(-40),
}


def compare(clips: list[Clip], nets: list[Model], seconds: float, seed: int) -> None:
    fold_of = corpus.folds([clip for clip in clips if "speech" in clip.kind])
    natural = [clip for clip in clips if clip.group != SPED_UP]
    people = list(corpus.excerpts(natural, seconds, 1, seed))
    print("| | cases | found | at the true rate | exact before | exact after | within 10 % before | after |")
    print("|---|---|---|---|---|---|---|---|")
    for name, mix in MIXES.items():
        rng = np.random.default_rng(seed)
        told = []
        for i, (clip, samples) in enumerate(people):
            rate = SEVEN[i % len(SEVEN)]
            made = finite_mono(mix(rng, corpus.resampled(samples, clip.rate, rate), rate).astype(np.float64))
            before = estimate_with(nets[fold_of[clip.group]], made.astype(np.float64), STANDARD_RATES).probabilities
            anchors = find_anchors(made[:LONGEST], STANDARD_RATES)
            after = weigh_anchors(before, anchors)
            best = [max(p, key=p.__getitem__) for p in (before, after)]
            near = [abs(np.log(rate / guess)) < np.log(1.1) for guess in best]
            told.append((bool(anchors), any(a.rate == rate for a in anchors), *(b == rate for b in best), *near))
        shares = " | ".join(f"{share:.3f}" for share in np.mean(np.array(told, float), axis=0))
        print(f"| {name} | {len(told)} | {shares} |", flush=True)


def false_alarms(clips: list[Clip], seed: int) -> None:
    """Anchors in the sound as it is, in pieces of up to 20 s of one speaker or recording, and in random sounds."""
    pools: dict[tuple[str, str, int], list[Clip]] = {}
    for i, clip in enumerate(clips):
        pools.setdefault((clip.kind, clip.speaker if "speech" in clip.kind else str(i), clip.rate), []).append(clip)
    sounds: list[tuple[str, Floats, int]] = []
    for (kind, _, rate), pool in pools.items():
        joined = np.concatenate([clip.samples / (clip.samples.std() + 1e-9) for clip in pool])
        sounds += [(kind, joined[i : i + 20 * rate], rate) for i in range(0, len(joined), 20 * rate)]
    rng = np.random.default_rng(seed)
    sounds += [("random tones, beeps, noises", voices.sound(rng, 16000.0, 10.0), 16000) for _ in range(300)]
    sounds += [("rendered music", clip.samples[: 20 * clip.rate], clip.rate) for clip in voices.music(20, seed)]
    count: Counter[str] = Counter()
    lasts: Counter[str] = Counter()
    found: Counter[tuple[str, str, bool]] = Counter()
    for kind, samples, rate in sounds:
        if len(samples) >= 2 * rate:
            count[kind] += 1
            lasts[kind] += round(len(samples) / rate)
            for anchor in find_anchors(finite_mono(samples.astype(np.float64)), STANDARD_RATES):
                what = "keys" if "DTMF" in anchor.name else "hum" if "hum" in anchor.name else "other tones"
                found[kind, what, anchor.rate == rate] += 1
    print("\n| as it is | pieces | seconds | found, at the true rate | found at another rate |\n|---|---|---|---|---|")
    for kind in count:
        right, wrong = (
            ", ".join(f"{n} {what}" for (k, what, is_true), n in found.items() if k == kind and is_true == truth) or "0"
            for truth in (True, False)
        )
        print(f"| {kind} | {count[kind]} | {lasts[kind]} | {right} | {wrong} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--nets", type=Path, default=Path("build/rate"), help="where training left its nets")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    clips = corpus.load(options.corpus)
    compare(clips, corpus.held_out_nets(options.nets), options.seconds, options.seed)
    false_alarms(clips, options.seed)


if __name__ == "__main__":
    main()

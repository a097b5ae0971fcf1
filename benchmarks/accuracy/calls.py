"""The sample rate of calls of several speakers, by their length, and when one voice of them misleads.

    python benchmarks/accuracy/calls.py CORPUS [--nets build/rate] [--seed 11] [--calls 70]

A call is made of the turns (2 to 6 s) of two to four speakers of one fold, at levels up to 6 dB apart; it is judged as
`sttdoctor check` judges it, by the net that has heard none of them (see `rate.py`). Long calls use the clips of their
speakers again. True rates are the seven in turn, made by resampling. "Led astray" is a call in which a fifth of the
time, and the loudest, is a voice that was played 1.5 times as fast (a cartoon voice, an advertisement).
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import corpus
import numpy as np
from corpus import SPED_UP, Clip, Floats

import sttdoctor.analysis.rate.estimate as rate_estimate
from sttdoctor.analysis.audio_facts import AudioFacts
from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.analysis.rate.evidence import list_most_probable
from sttdoctor.analysis.rate.net import Model
from sttdoctor.evidence import Audio, Declared
from sttdoctor.thresholds import DEFAULTS

SEVEN = (8000, 16000, 22050, 24000, 32000, 44100, 48000)
FAIL, WARN = (DEFAULTS[name] / (2 - DEFAULTS[name]) for name in ("sample-rate.fail_below", "sample-rate.warn_below"))
WRONG_BY = 1.449
LENGTHS = (10.0, 20.0, 60.0, 600.0)
MADE_AT = 16000


class Heard(AudioFacts):
    """Audio whose encoding is known."""

    encoding = None  # type: ignore[assignment]

    @property
    def layout(self) -> Layout | None:  # noqa: D102
        return self.declared_layout


@dataclass(frozen=True, slots=True)
class Call:
    """A call of some length in seconds: its true rate in Hz, and the estimate."""

    true: int
    estimate: RateEstimate


def turns(pool: dict[str, list[Clip]], seconds: float, rng: np.random.Generator, astray: bool) -> Floats:
    """One call at `MADE_AT`, with pauses of 0.2 to 0.8 s of faint noise."""
    names = rng.choice(sorted(pool), min(len(pool), int(rng.integers(2, 5))), replace=False)
    levels = 10 ** (rng.uniform(-6, 0, len(names)) / 20)
    parts: list[Floats] = []
    missing, turn = int(seconds * MADE_AT), 0
    while missing > 0:
        which = int(turn % len(names))
        fast = astray and turn % 5 == 2
        clips = pool[names[which]]
        length = rng.uniform(2.0, 6.0)
        spoken = corpus.joined(clips, length, rng)
        if clips[0].rate != MADE_AT:
            spoken = corpus.resampled(spoken, clips[0].rate, MADE_AT)
        if fast:
            spoken = corpus.resampled(spoken, 24000, 16000)
        spoken = spoken / (spoken.std() + 1e-9) * np.float32(0.08 * (1.6 if fast else levels[which]))
        pause = np.zeros(int(rng.uniform(0.2, 0.8) * MADE_AT), np.float32)
        parts += [spoken.astype(np.float32), pause]
        missing -= len(spoken) + len(pause)
        turn += 1
    call = np.concatenate(parts)[: int(seconds * MADE_AT)]
    return (call + rng.normal(size=len(call)).astype(np.float32) * np.float32(0.0005)).astype(np.float32)


def judge(samples: Floats, rate: int, model: Model) -> RateEstimate:
    """As `check` does, with a model of the caller's choice."""
    made = corpus.resampled(samples, MADE_AT, rate) if rate != MADE_AT else samples
    data = (np.clip(made, -1, 1) * 32767).astype("<i2").view(np.uint8)
    facts = Heard(Audio(data, "call"), Declared("pcm_s16le", rate), 0.0)
    model_of: Callable[[], Model] = lambda: model  # noqa: E731
    with mock.patch.object(rate_estimate, "load_model", model_of):
        told = facts.rate
    assert told is not None
    return told


def make_calls(
    pools: list[dict[str, list[Clip]]], nets: list[Model], seconds: float, count: int, seed: int, astray: bool
) -> Iterator[Call]:
    rng = np.random.default_rng(seed)
    for i in range(count):
        fold = i % len(pools)
        rate = SEVEN[i // len(pools) % len(SEVEN)]
        samples = turns(pools[fold], seconds, rng, astray)
        yield Call(rate, judge(samples, rate, nets[fold]))


def make_monologues(pools: list[dict[str, list[Clip]]], nets: list[Model], seconds: float, seed: int) -> Iterator[Call]:
    """Two recordings of each speaker who spoke for 15 s or more."""
    rng = np.random.default_rng(seed)
    alone = [
        (fold, {name: own})
        for fold, pool in enumerate(pools)
        for name, own in sorted(pool.items())
        if sum(len(clip.samples) / clip.rate for clip in own) >= 15
    ]
    for i, (fold, pool) in enumerate(alone * 2):
        rate = SEVEN[i % len(SEVEN)]
        yield Call(rate, judge(turns(pool, seconds, rng, astray=False), rate, nets[fold]))


def row(name: str, calls: list[Call]) -> None:
    right = np.array([call.estimate.sum_near(call.true) for call in calls])
    pairs = [(c, rate) for c in calls for rate in SEVEN if abs(np.log(rate / c.true)) >= np.log(WRONG_BY)]
    wrong = np.array([call.estimate.sum_near(rate) for call, rate in pairs])
    off = np.array([abs(np.log(call.estimate.best / call.true)) for call in calls])
    sets = [list_most_probable(call.estimate.probabilities) for call in calls]
    held = np.mean([call.true in chosen for call, chosen in zip(calls, sets, strict=True)])
    size = np.mean([len(chosen) for chosen in sets])
    values = (np.mean(off == 0), np.mean(off < np.log(1.1)), np.mean(wrong < FAIL), np.mean(wrong < WARN))
    values += (np.mean(right < FAIL), np.mean(right < WARN), held, size)
    print(f"| {name} | {len(calls)} |", " | ".join(f"{value:.3f}" for value in values), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--nets", type=Path, default=Path("build/rate"), help="where training left its nets")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--calls", type=int, default=70)
    options = parser.parse_args()
    nets = corpus.held_out_nets(options.nets)
    clips = [c for c in corpus.load(options.corpus) if "speech" in c.kind]
    fold_of = corpus.folds(clips)
    pools: list[dict[str, list[Clip]]] = [{} for _ in range(corpus.FOLDS)]
    for clip in clips:
        plain = clip.kind == "speech" and clip.group != SPED_UP and "rate-inferred" not in clip.flags
        if plain and clip.rate >= MADE_AT:
            pools[fold_of[clip.group]].setdefault(f"{clip.speaker} {clip.rate}", []).append(clip)
    pools = [
        {name: own for name, own in pool.items() if sum(len(c.samples) / c.rate for c in own) >= 6} for pool in pools
    ]
    print(
        "| | calls | exact | within 10 % | wrong by 1.45: fail | warn | right: fail | warn | true in set | set size |"
    )
    print("|---" * 10 + "|")
    for seconds in LENGTHS:
        count = options.calls if seconds < 100 else options.calls // 2
        for astray in (False, True):
            name = f"{seconds:.0f} s{', led astray' if astray else ''}"
            row(name, list(make_calls(pools, nets, seconds, count, options.seed, astray)))
    row("40 s of one speaker", list(make_monologues(pools, nets, 40.0, options.seed)))


if __name__ == "__main__":
    main()

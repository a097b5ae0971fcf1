"""What is said in a made session: real speech in turns, with pauses, and the words that go with it.

Samples are float64 of shape (n,), mono, full scale at +-1. Times are seconds of the scene. The words are made up, at
the speed of speech: nothing in the tool can hear them.
"""

import csv
import importlib
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import signal

FIXTURES = Path(__file__).parents[2] / "fixtures"
sys.path.append(str(FIXTURES))  # its helpers for writing and joining serve here too
joins = importlib.import_module("joins")
sounds = importlib.import_module("sounds")

Samples = NDArray[np.float64]
Rng = np.random.Generator

WORDS_PER_SECOND = 2.7
ROOM_DB = (-72.0, -58.0)
NARROW = {"kennedy": 8000}  # recordings that hold less than their rate allows
SENTENCES = (
    "Could you move my appointment to Thursday afternoon, please?",
    "I would like to check the balance of my savings account.",
    "The package was supposed to arrive last week, but nothing came.",
    "Yes, that is right.",
    "No, I never received the second letter from your office.",
    "My order number is four seven one, nine two six.",
    "Please tell me which train leaves after nine in the morning.",
    "We have been waiting here for almost an hour now.",
    "Thank you, that was all I wanted to know.",
    "There is water coming through the ceiling of the kitchen.",
    "She said that the doctor would call back before lunch.",
    "Let me think about it for a moment.",
    "Can you repeat the last part a little more slowly?",
    "It started yesterday evening, right after the update.",
    "My name is Harriet Collins and I live in Bristol.",
    "The blue one, if you still have it in a medium size.",
)


@dataclass(frozen=True)
class Voice:
    """One speaker: clips with their ends trimmed, all at `rate` Hz, with energy up to near half of it."""

    name: str
    rate: int
    clips: tuple[Samples, ...]


@dataclass(frozen=True)
class Utterance:
    """Speech without a pause that could end a turn, and its words."""

    start: float
    end: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """Sound and what is said in it; each turn is a tuple of utterances."""

    samples: Samples
    rate: int
    turns: tuple[tuple[Utterance, ...], ...]
    voice: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.rate

    def cut(self, at: float) -> "Scene":
        """The scene up to `at`; an utterance that is cut keeps the words said until then."""
        turns = []
        for turn in self.turns:
            kept = [_cut(utterance, at) for utterance in turn if utterance.start < at - 0.3]
            if kept:
                turns.append(tuple(kept))
        return replace(self, samples=self.samples[: round(at * self.rate)], turns=tuple(turns))


def _cut(utterance: Utterance, at: float) -> Utterance:
    if utterance.end <= at:
        return utterance
    share = (at - utterance.start) / (utterance.end - utterance.start)
    return Utterance(utterance.start, at, utterance.words[: max(1, int(share * len(utterance.words)))])


@cache
def voices(corpus: Path | None = None) -> tuple[Voice, ...]:
    """The speakers of the repository's clips, or of a corpus folder (`index.tsv` and `audio/`)."""
    groups: dict[tuple[str, int], list[Samples]] = {}
    for name, path in _repository() if corpus is None else _listed(corpus):
        samples, rate = soundfile.read(path)
        if path.stem in NARROW:
            samples, rate = signal.resample_poly(samples, NARROW[path.stem], rate), NARROW[path.stem]
        groups.setdefault((name, rate), []).append(trimmed(samples - samples.mean(), rate))
    made = [
        Voice(name, rate, tuple(c for c in clips if len(c) >= 0.5 * rate)) for (name, rate), clips in groups.items()
    ]
    return tuple(voice for voice in made if sum(len(clip) for clip in voice.clips) >= 2.5 * voice.rate)


def _repository() -> list[tuple[str, Path]]:
    paths = sorted((FIXTURES / "source").glob("*.flac"))
    names = {"mary": "praat", "bobby": "praat"}
    return [(names.get(path.stem, path.stem.split("-a0")[0].split("-0")[0] + path.stem[-1:]), path) for path in paths]


def _listed(corpus: Path) -> list[tuple[str, Path]]:
    with (corpus / "index.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    wide = [r for r in rows if not r["flags"] and float(r["bandwidth_hz"] or 0) >= 0.42 * float(r["rate_hz"])]
    return [(row["speaker"], corpus / "audio" / row["file"]) for row in wide if row["kind"] == "speech"]


def trimmed(samples: Samples, rate: int, below_db: float = 35.0) -> Samples:
    """Without the ends whose 10 ms level is `below_db` under the loudest 10 ms, brought to a peak of 0.5."""
    hop = rate // 100
    count = len(samples) // hop
    level = (samples[: count * hop].reshape(count, hop) ** 2).mean(axis=1)
    loud = np.flatnonzero(level > level.max() * 10 ** (-below_db / 10))
    kept = samples[max(0, loud[0] - 1) * hop : (loud[-1] + 2) * hop]
    return np.asarray(kept * (0.5 / np.abs(kept).max()), dtype=np.float64)


def fitting(rng: Rng, rate: int, corpus: Path | None) -> Voice:
    """A voice whose recording fills the band of `rate` (the rest would be an upsampled voice)."""
    able = [voice for voice in voices(corpus) if voice.rate >= min(rate, 44100)]
    return able[rng.integers(len(able))]


def speech(rng: Rng, voice: Voice, rate: int, seconds: float) -> Samples:
    """Clips of one voice at `rate` in a row, at least `seconds` long."""
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * rate:
        clip = voice.clips[rng.integers(len(voice.clips))]
        parts.append(clip if voice.rate == rate else signal.resample_poly(clip, rate, voice.rate))
        parts.append(np.zeros(round(0.06 * rate)))
    return np.concatenate(parts[:-1])


def words(rng: Rng, seconds: float) -> tuple[str, ...]:
    """About as many words as are spoken in this time; the last one ends a sentence."""
    count = max(2, round(seconds * WORDS_PER_SECOND))
    text = " ".join(str(sentence) for sentence in rng.permutation(SENTENCES)).split(" ") * (count // 80 + 1)
    return (*text[: count - 1], text[count - 1].rstrip(".,?") + ".")


def scene(
    rng: Rng,
    rate: int,
    turns: int = 3,
    corpus: Path | None = None,
    pause_s: tuple[float, float] = (1.2, 2.5),
    turn_s: tuple[float, float] = (2.2, 5.0),
    voice: Voice | None = None,
) -> Scene:
    """Turns of one voice over the noise of a room; some turns hold a short pause."""
    voice = voice or fitting(rng, rate, corpus)
    gain = 10 ** (rng.uniform(-8, 3) / 20)
    parts: list[Samples] = [np.zeros(round(rng.uniform(0.3, 1.0) * rate))]
    said = []
    for _ in range(turns):
        spoken = [_utterance(rng, voice, rate, rng.uniform(*turn_s), parts)]
        if rng.random() < 0.35:
            parts.append(np.zeros(round(rng.uniform(0.3, 0.55) * rate)))
            spoken.append(_utterance(rng, voice, rate, rng.uniform(1.0, 2.0), parts))
        said.append(tuple(spoken))
        parts.append(np.zeros(round(rng.uniform(*pause_s) * rate)))
    samples = np.concatenate(parts) * gain
    samples += rng.standard_normal(len(samples)) * 10 ** (rng.uniform(*ROOM_DB) / 20)
    return Scene(samples, rate, tuple(said), voice.name)


def _utterance(rng: Rng, voice: Voice, rate: int, seconds: float, parts: list[Samples]) -> Utterance:
    start = sum(map(len, parts)) / rate
    parts.append(speech(rng, voice, rate, seconds))
    length = len(parts[-1]) / rate
    return Utterance(start, start + length, words(rng, length))

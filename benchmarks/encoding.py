"""Measure how well `sttdoctor.analysis.encoding` tells encodings, on the speech of a corpus.

    python benchmarks/encoding.py CORPUS [--count 200] [--seed 1] [--tables lengths,mistakes,...]

Prints accuracy for each encoding against length (all hypotheses compete), for each mistake, for unusual but right
audio, mono against stereo, what cannot be decided, changes along a stream, calibration of the top answer, the time, and a
reading of Audacity's published method as the baseline. Compressed cases need FFmpeg.
"""

import argparse
import pickle
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from audacity import audacity_guess
from corpus import Clip, load
from encoding_cases import STEREO, TEXTS, UNUSUAL, Bytes, codecs, compressed, encoded, speech, stereo, text

from sttdoctor.analysis.encoding import EncodingEstimate, estimate_encoding, find_changes
from sttdoctor.encodings import ENCODINGS, STANDARD_RATES, SUPPORTED

LENGTHS = (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
BASELINE = ("pcm_s16le", "pcm_s32le", "pcm_f32le")

Case = tuple[str, str, str, Bytes]
"""Row and column of the table, the true key (or the word that counts as right), and the bytes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one case."""

    row: str
    column: str
    truth: str
    estimate: EncodingEstimate
    seconds: float
    size: int

    @property
    def best(self) -> str:
        if not self.estimate.decidable:
            return "unknown"
        return max(self.estimate.probabilities, key=lambda key: self.estimate.probabilities[key])

    @property
    def right(self) -> bool:
        if self.truth in ("mono", "stereo"):
            return (self.estimate.stereo > 0.5) == (self.truth == "stereo")
        return self.best == self.truth


def lengths(clips: list[Clip], count: int, rng: np.random.Generator) -> Iterator[Case]:
    for seconds in LENGTHS:
        for name in ENCODINGS:
            for _ in range(count):
                yield name, f"{seconds:g} s", name, encoded(speech(clips, seconds, rng)[0], name)


def mistakes(clips: list[Clip], count: int, rng: np.random.Generator) -> Iterator[Case]:
    for seconds in (0.1, 0.5, 1.0):
        column = f"{seconds:g} s"
        for name in SUPPORTED:
            width = ENCODINGS[name].width
            for shift in range(1, width):
                for _ in range(max(1, count // (width - 1))):
                    data = encoded(speech(clips, seconds, rng)[0], name)
                    yield f"{name} shifted", column, f"{name}+{width - shift}", data[shift:]
        for kind in TEXTS:
            for _ in range(count if kind != "HTML" else 1):
                yield kind, column, "text", text(kind, speech(clips, seconds, rng)[0])
        for _ in range(count):
            size = int(seconds * 4000)
            yield "ciphertext", column, "not-pcm", rng.integers(0, 256, size, dtype=np.uint8)
        for codec in codecs():
            for _ in range(count):
                clip = clips[int(rng.integers(len(clips)))]
                data = compressed(clip, codec)
                size = int(seconds * len(data) / (len(clip.samples) / clip.rate))
                start = int(rng.integers(max(1, len(data) - size)))
                yield codec, column, "not-pcm", data[start : start + max(size, 96)]


def unusual(clips: list[Clip], count: int, rng: np.random.Generator) -> Iterator[Case]:
    for row, (name, change) in UNUSUAL.items():
        for seconds in (0.1, 0.5):
            for _ in range(count):
                yield row, f"{seconds:g} s", name, encoded(change(speech(clips, seconds, rng)[0]), name)


def channels(clips: list[Clip], count: int, rng: np.random.Generator) -> Iterator[Case]:
    for seconds in (0.25, 1.0, 3.0):
        column = f"{seconds:g} s"
        for name in ENCODINGS:
            for _ in range(count):
                one, rate = speech(clips, seconds, rng)
                yield f"{name} mono", column, "mono", encoded(one, name)
                kind = STEREO[int(rng.integers(len(STEREO)))]
                both = stereo(kind, one, speech_at(clips, seconds, rate, rng), rng)
                yield f"{name} stereo", column, "stereo", encoded(both, name)
                yield f"{name} stereo, encoding", column, name, encoded(both, name)
        for kind in STEREO:
            for _ in range(count):
                one, rate = speech(clips, seconds, rng)
                both = stereo(kind, one, speech_at(clips, seconds, rate, rng), rng)
                yield f"s16 {kind}", column, "stereo", encoded(both, "pcm_s16le")
        for low in (8000, 16000):
            for _ in range(count):
                yield (
                    f"{low} upsampled to 48000",
                    column,
                    "mono",
                    encoded(upsampled(clips, seconds, low, rng), "pcm_s16le"),
                )
        for _ in range(count):
            samples, _ = speech(clips, seconds, rng)
            places = np.arange(2 * len(samples) - 1) / 2
            linear = np.interp(places, np.arange(len(samples)), samples)
            yield "linear interpolation by 2", column, "mono", encoded(linear, "pcm_s16le")


def speech_at(clips: list[Clip], seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Another voice at a given rate."""
    while True:
        samples, other = speech(clips, seconds, rng)
        if other == rate:
            return samples


def upsampled(clips: list[Clip], seconds: float, low: int, rng: np.random.Generator) -> np.ndarray:
    samples = speech_at(clips, seconds, low, rng)
    size = len(samples)
    spectrum = np.fft.rfft(samples)
    return np.fft.irfft(spectrum, size * 48000 // low) * (48000 // low)


def undecidable(clips: list[Clip], count: int, rng: np.random.Generator) -> Iterator[Case]:
    del clips
    for value in (0x00, 0xFF, 0xD5, 0x7F, 0x80, 0x55):
        yield "constant", f"{value:02X}", "unknown", np.full(32000, value, dtype=np.uint8)
    for name in ENCODINGS:
        yield "digital silence", name, "unknown", encoded(np.zeros(16000), name)
        for _ in range(max(1, count // 20)):
            rate, hz = int(rng.choice(STANDARD_RATES)), rng.uniform(50, 3500)
            level = 10 ** (-rng.uniform(0, 30) / 20)
            tone = level * np.sin(2 * np.pi * np.round(hz, int(rng.integers(-2, 2))) * np.arange(rate) / rate)
            yield "tone", name, "unknown", encoded(tone, name)


TABLES: dict[str, Callable[[list[Clip], int, np.random.Generator], Iterator[Case]]] = {
    "lengths": lengths,
    "mistakes": mistakes,
    "unusual": unusual,
    "channels": channels,
    "undecidable": undecidable,
}


def judged(cases: Iterator[Case]) -> list[Outcome]:
    outcomes = []
    for row, column, truth, data in cases:
        start = time.perf_counter()
        estimate = estimate_encoding(data)
        outcomes.append(Outcome(row, column, truth, estimate, time.perf_counter() - start, len(data)))
    return outcomes


def show(title: str, outcomes: list[Outcome]) -> None:
    columns = list(dict.fromkeys(outcome.column for outcome in outcomes))
    columns = columns if len(columns) < 9 else []
    print(f"\n## {title}: share right\n\n| case | {' | '.join(columns)} | all | said instead |")
    print("|---|" + "---|" * (len(columns) + 2))
    for row in dict.fromkeys(outcome.row for outcome in outcomes):
        mine = [outcome for outcome in outcomes if outcome.row == row]
        cells = [share([o for o in mine if o.column == column]) for column in columns]
        wrong = Counter(outcome.best for outcome in mine if not outcome.right).most_common(4)
        print(f"| {row} | {' | '.join([*cells, share(mine)])} | {', '.join(f'{key} {n}' for key, n in wrong)} |")


def share(outcomes: list[Outcome]) -> str:
    return f"{np.mean([outcome.right for outcome in outcomes]):.3f}" if outcomes else ""


def calibration(outcomes: list[Outcome], bins: int = 10) -> float:
    """Expected calibration error of the top answer, equal-width bins."""
    sure = np.array([max(o.estimate.probabilities.values()) for o in outcomes])
    right = np.array([o.right for o in outcomes])
    place = np.minimum((sure * bins).astype(int), bins - 1)
    return float(sum(abs(sure[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--count", type=int, default=100, help="cases of each row and column")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    clips = [
        clip
        for clip in load(options.corpus)
        if "speech" in clip.kind and clip.rate <= 48000 and len(clip.samples) > 2000
    ]
    saved = {}
    for title in options.tables.split(","):
        outcomes = judged(TABLES[title](clips, options.count, np.random.default_rng(options.seed)))
        show(title, outcomes)
        times = np.array([outcome.seconds for outcome in outcomes]) * 1e3
        print(
            f"\n{len(outcomes)} cases, {np.median(times):.0f} ms median, {np.quantile(times, 0.99):.0f} ms 99th percentile"
        )
        saved[title] = outcomes
    if options.save:
        options.save.write_bytes(pickle.dumps(saved))


if __name__ == "__main__":
    main()

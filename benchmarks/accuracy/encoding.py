"""Measure how well `sttdoctor.analysis.encoding` tells encodings, on the speech of a corpus.

    python benchmarks/accuracy/encoding.py CORPUS [--count 40] [--seed 1] [--tables lengths,mistakes,...] [--fit]

Prints accuracy for each encoding against length (all hypotheses compete), for each mistake, for unusual but right
audio, mono against stereo, what cannot be decided, music and noise, changes along a stream, the calibration of the top
answer, the time, and our reading of Audacity's published method as the baseline. Speakers are those that the
calibration was not fitted on; `--fit` takes the others, and prints the fitted constants. Compressed cases need FFmpeg.

One file, though long: each table is a function of its own on the same measured rows.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from audacity import audacity_guess
from corpus import Clip, folds, load
from encoding_cases import STEREO, TEXTS, UNUSUAL, Bytes, codecs, compressed, encoded, speech, stereo, text

from sttdoctor.analysis.encoding.changes import find_changes
from sttdoctor.analysis.encoding.estimate import EncodingEstimate, estimate_encoding
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
        """The top answer."""
        if not self.estimate.decidable:
            return "unknown"
        return max(self.estimate.probabilities, key=lambda key: self.estimate.probabilities[key])

    @property
    def right(self) -> bool:
        """Whether the top answer, or the number of channels, is the true one."""
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
            for _ in range(count // 2):
                one, rate = speech(clips, seconds, rng)
                yield f"{name} mono", column, "mono", encoded(one, name)
                kind = STEREO[int(rng.integers(len(STEREO)))]
                both = stereo(kind, one, speech_at(clips, seconds, rate, rng), rng)
                yield f"{name} stereo", column, "stereo", encoded(both, name)
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
        start = time.process_time()
        estimate = estimate_encoding(data)
        outcomes.append(Outcome(row, column, truth, estimate, time.process_time() - start, len(data)))
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


def calibration(outcomes: list[Outcome], bins: int = 10) -> tuple[float, float]:
    """Expected calibration error of the top answer (equal-width bins), and its mean probability."""
    decided = [
        outcome for outcome in outcomes if outcome.estimate.decidable and outcome.truth not in ("mono", "stereo")
    ]
    sure = np.array([max(outcome.estimate.probabilities.values()) for outcome in decided])
    right = np.array([outcome.right for outcome in decided])
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(sure[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place.tolist())]
    return float(sum(gaps)), float(sure.mean())


def fitted(outcomes: list[Outcome]) -> tuple[float, float]:
    """The two constants of the weight (1 + bits / half) ** -power that make the truth most probable."""
    excesses = []
    for outcome in outcomes:
        if outcome.estimate.decidable and outcome.truth in outcome.estimate.bits_per_byte:
            bits = {key: value * outcome.estimate.judged_bytes for key, value in outcome.estimate.bits_per_byte.items()}
            values = np.array([bits[outcome.truth], *(value for key, value in bits.items() if key != outcome.truth)])
            excesses.append(values - values.min())
    table = np.stack(excesses)
    losses = {}
    for half in (2.0, 4.0, 8.0, 16.0, 32.0):
        for power in (0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0):
            weights = (1.0 + table / half) ** -power
            losses[half, power] = float(-np.log(weights[:, 0] / weights.sum(axis=1)).mean())
    print("\nlog loss of the best:", sorted((round(loss, 4), pair) for pair, loss in losses.items())[:5])
    return min(losses, key=lambda pair: losses[pair])


def baseline(clips: list[Clip], count: int, rng: np.random.Generator) -> None:
    print("\n## Audacity's method on what it knows: share right (ours beside it)\n")
    for name in BASELINE:
        for seconds in (0.1, 0.25, 1.0, 3.0):
            cases = [encoded(speech(clips, seconds, rng)[0], name) for _ in range(count)]
            theirs = np.mean([audacity_guess(data) == (name, 1) for data in cases])
            format_only = np.mean([audacity_guess(data)[0] == name for data in cases])
            layouts = [estimate_encoding(data).layout for data in cases]
            ours = np.mean([(layout.encoding, layout.offset, layout.channels) == (name, 0, 1) for layout in layouts])
            print(f"{name} {seconds:g} s: {theirs:.2f}, format without channels {format_only:.2f} ({ours:.2f})")


def changes(clips: list[Clip], others: list[Clip], count: int, rng: np.random.Generator) -> None:
    """Changes found in whole recordings, and false ones."""
    false, total, found, place = 0, 0, 0, []
    for clip in others:
        name = str(rng.choice(SUPPORTED))
        level = 10 ** (-rng.uniform(0, 30) / 20) / (np.abs(clip.samples).max() + 1e-9)
        total += 1
        false += bool(find_changes(encoded(np.tile(clip.samples, 3).astype(np.float64) * level, name)))
    for _ in range(count):
        samples, rate = speech(clips, 6.0, rng)
        first, second = (str(name) for name in rng.choice(SUPPORTED, 2, replace=False))
        width = ENCODINGS[first].width
        cut = int(rng.uniform(2, 4) * rate)
        whole = encoded(samples, first)
        total += 1
        false += bool(find_changes(whole))
        lost = int(rng.integers(1, width)) if width > 1 else 0
        after = whole[cut * width + lost :] if lost and rng.random() < 0.5 else encoded(samples[cut:], second)
        seen = find_changes(np.concatenate([whole[: cut * width], after]))
        if len(seen) == 1 and seen[0].before == first:
            place.append(abs(seen[0].offset - cut * width) / width / rate)
            found += place[-1] <= 0.2
    print(
        f"\n## Changes\n\nfound and placed within 0.2 s: {found} of {count}; false: {false} of {total} healthy streams"
    )
    print(f"placed within {np.median(place):.3f} s (median), {np.quantile(place, 0.95):.3f} s (95th percentile)")


def speed(clips: list[Clip], rng: np.random.Generator) -> None:
    print("\n## CPU time for 10 s at 16 kHz, best of 7\n")
    samples = np.concatenate([speech_at(clips, 2.5, 16000, rng) for _ in range(4)])
    for name in SUPPORTED:
        data = encoded(samples, name)
        print(f"{name}: {best_ms(estimate_encoding, data):.0f} ms, changes {best_ms(find_changes, data):.0f} ms")


def best_ms(function: Callable[[Bytes], object], data: Bytes) -> float:
    times = []
    for _ in range(7):
        start = time.process_time()
        function(data)
        times.append(time.process_time() - start)
    return 1e3 * min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--count", type=int, default=40, help="cases of each row and column")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tables", default=",".join([*TABLES, "others"]))
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    every = [clip for clip in load(options.corpus) if clip.rate <= 48000 and len(clip.samples) > 2000]
    place = folds(every)
    clips = [clip for clip in every if "speech" in clip.kind and (place[clip.group] < 3) == options.fit]
    outcomes: list[Outcome] = []
    for title in options.tables.split(","):
        rng = np.random.default_rng(options.seed)
        if title in TABLES:
            outcomes += (mine := judged(TABLES[title](clips, options.count, rng)))
            show(title, mine)
            times = np.array([outcome.seconds for outcome in mine]) * 1e3
            tail = np.quantile(times, 0.99)
            print(f"\n{len(mine)} cases, {np.median(times):.0f} ms median, {tail:.0f} ms 99th percentile", flush=True)
        else:
            baseline(clips, options.count, rng)
            changes(clips, [clip for clip in every if "speech" not in clip.kind], 2 * options.count, rng)
            speed(clips, rng)
    if any(outcome.estimate.decidable and outcome.truth not in ("mono", "stereo") for outcome in outcomes):
        error, mean = calibration(outcomes)
        print(f"\nexpected calibration error of the top answer {error:.4f}, mean top probability {mean:.4f}")
    if options.fit:
        print("fitted half and power:", fitted(outcomes))


if __name__ == "__main__":
    main()

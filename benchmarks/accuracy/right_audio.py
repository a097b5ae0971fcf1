"""How often rightly declared audio is accused, and whether wrong declarations of the same files are named.

    python benchmarks/accuracy/right_audio.py CORPUS [--voices 20] [--seed 5] [--jobs 2] [--only NAME,...] [-o FILE]

The audio is what real tools write: every line of code by which coarse samples get into a finer encoding
(`right_audio_idioms.py`, with random scales), FFmpeg, SoX, GStreamer, libsndfile, the resamplers of PulseAudio, SoX and
FFmpeg, codecs there and back, espeak-ng and flite, DTMF and call progress tones, hold music, old tapes, noise gates
(`right_audio_tools.py`). Tools that are not installed are left out, and the first line says which; the package soxr
(`pip install soxr`) is needed here alone.

Each file is judged three times. As declared: a finding of `warn` or `fail` is an accusation, but for what really holds
(an empty upper band in audio that was upsampled, a peak under -40 dBFS). With another of the six encodings declared,
and with its bytes swapped: the encoding must be named. `-o` writes each accusation and each wrong declaration that was
not named.
"""

import argparse
import csv
import zlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpus import SPED_UP, excerpts, load, resampled
from encoding_cases import encoded
from right_audio_idioms import FLOAT, S16, S32, Coarse
from right_audio_tools import MAKERS, NEEDS, QUIET, Right, Source, Voice, missing

import sttdoctor
from sttdoctor.encodings import ENCODINGS, SUPPORTED

SECONDS = 4.0
TOOL_VOICES = 8
RATES = (16000, 8000, 16000, 24000, 48000)
QUIET_PEAK = 0.01  # -40 dBFS: a random volume makes some of the sources that quiet
SWAPPED = {"pcm_s16le": "s16be", "pcm_s32le": "s32be", "pcm_f32le": "f32be"}


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file: its findings as declared, and those of wrong declarations that were not named."""

    kind: str
    name: str
    accused: tuple[tuple[str, str, str], ...]
    tried: int
    unnamed: tuple[str, ...]


def voices(folder: Path, count: int, seed: int) -> list[Voice]:
    """Speech of different speakers at various rates."""
    clips = [clip for clip in load(folder) if clip.group != SPED_UP]
    found = [(clip, samples) for clip, samples in excerpts(clips, SECONDS, 1, seed) if clip.rate >= 16000]
    chosen = [found[int(i)] for i in np.random.default_rng(seed).permutation(len(found))[:count]]
    made = []
    for i, (clip, samples) in enumerate(chosen):
        rate = min(RATES[i % len(RATES)], clip.rate)
        changed = resampled(samples, clip.rate, rate) if rate != clip.rate else samples
        made.append(Voice(clip.speaker.split("/")[-1] or clip.package, changed.astype(np.float64), rate))
    return made


def idioms(source: Source) -> Iterator[Right]:
    """Every idiom with every voice, at a peak of 0 to -30 dB of the coarse source."""
    sources = {
        "pcm_s16le": (S16, (8, 12)),
        "pcm_s32le": (S32, (16, 8, 24)),
        "pcm_f32le": (FLOAT, (16, 8)),
        "pcm_f16le": (FLOAT, (8, 16)),
    }
    for encoding, (table, depths) in sources.items():
        for name, idiom in table.items():
            for i, voice in enumerate(source.voices):
                bits = depths[0] if i % 2 == 0 else depths[i // 2 % len(depths)]
                most = 2.0 ** (bits - 1)
                peak = 10 ** (-source.rng.uniform(0, 12 if bits < 12 else 30) / 20)
                x = voice.samples / np.abs(voice.samples).max() * peak
                whole = idiom(Coarse(np.clip(np.rint(x * most), -most, most - 1), bits, source.rng))
                scale = {"pcm_s16le": 2.0**15, "pcm_s32le": 2.0**31}.get(encoding, 1.0)
                data = encoded(whole / scale, encoding).tobytes()
                true = QUIET if np.abs(whole).max() < QUIET_PEAK * scale else frozenset()
                yield Right(f"{voice.name}, {bits} bits", f"{encoding}: {name}", data, encoding, voice.rate, true)


def judged(right: Right) -> Row:
    report = sttdoctor.check(right.data, encoding=right.encoding, sample_rate=right.rate)
    accused = [
        (finding.cause, finding.status, finding.summary)
        for check in report.checks
        for finding in check.findings
        if finding.status in ("warn", "fail") and finding.cause not in right.true
    ]
    others = [name for name in SUPPORTED if name != right.encoding]
    wrong = [(right.data, others[zlib.crc32(right.data[:4096]) % len(others)], right.encoding)]
    if right.encoding in SWAPPED:
        width = ENCODINGS[right.encoding].width
        turned = np.frombuffer(right.data[: len(right.data) // width * width], np.uint8).reshape(-1, width)[:, ::-1]
        wrong.append((turned.tobytes(), right.encoding, SWAPPED[right.encoding]))
    unnamed = [
        f"{truth} declared as {said}: {what}"
        for data, said, truth in wrong
        if (what := _called(data, said, right.rate)) != truth
    ]
    return Row(right.kind, right.name, tuple(accused), len(wrong), tuple(unnamed))


def _called(data: bytes, said: str, rate: int) -> str:
    """The encoding that a report names beside a `fail`, else its status and answer."""
    report = sttdoctor.check(data, encoding=said, sample_rate=rate, select=["encoding", "channels"])
    check = report.checks[0]
    probabilities = check.measurements.get("probabilities", {})
    if check.status in ("fail", "warn") and probabilities:
        return max(probabilities, key=probabilities.__getitem__)
    return f"{check.status} {check.answer}"


def made(options: argparse.Namespace) -> Iterator[Right]:
    chosen = voices(options.corpus, options.voices, options.seed)
    absent = missing()
    print(
        "left out, for the tool is missing:",
        ", ".join(name for name, need in NEEDS.items() if need in absent) or "nothing",
    )
    for name, make in {"idioms": idioms, **MAKERS}.items():
        wanted = not options.only or name in options.only.split(",")
        if wanted and NEEDS.get(name, "") not in absent:
            some = chosen if name == "idioms" else chosen[:TOOL_VOICES]
            for right in make(Source(some, np.random.default_rng([options.seed, zlib.crc32(name.encode())]))):
                if len(right.data):
                    yield right
                else:
                    print("left out, for the tool wrote nothing:", right.kind, right.name)


def show(rows: list[Row]) -> None:
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row.kind].append(row)
    print(f"{'kind':56} {'files':>5} {'fail':>5} {'warn':>5} {'wrong':>6} {'named':>6}")
    for kind, some in [*kinds.items(), ("all", rows)]:
        worst = ["fail" if any(f[1] == "fail" for f in row.accused) else "warn" if row.accused else "" for row in some]
        tried, unnamed = sum(row.tried for row in some), sum(len(row.unnamed) for row in some)
        print(f"{kind:56} {len(some):5} {worst.count('fail'):5} {worst.count('warn'):5} {tried:6} {tried - unnamed:6}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--voices", type=int, default=20)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="names of makers, comma-separated; idioms is one")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        rows = list(pool.map(judged, made(options), chunksize=4))
    show(rows)
    if options.output:
        with options.output.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, delimiter="\t")
            for row in rows:
                for finding in row.accused:
                    table.writerow([row.kind, row.name, *finding])
                for what in row.unnamed:
                    table.writerow([row.kind, row.name, "not named", "", what])


if __name__ == "__main__":
    main()

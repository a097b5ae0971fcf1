"""Long recordings: speech with pauses, made the same way each time, and faults of two seconds planted into them.

    python benchmarks/accuracy/long_audio.py CORPUS [--hours 1] [--count 10] [--seed 1]

Plants one fault of 2 s at a random place of a healthy 16-bit stream at 16 kHz, for each kind of fault and `--count`
times, and prints how often the check that it belongs to sees it where it is. Places are drawn from all of the stream
(`anywhere`) and from those of which most is speech. Then the healthy streams: what is said of them without a fault.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
from encoding_cases import encoded
from numpy.typing import NDArray
from scipy.signal import resample_poly

import sttdoctor
from sttdoctor.analysis.encoding.changes import find_changes
from sttdoctor.encodings import ENCODINGS

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

RATE = 16000
FAULT_S = 2.0


def clips(folder: Path, most: int = 300) -> list[Floats]:
    """Speech at 16 kHz with a peak of 1, every so many of the FLAC files below a folder."""
    paths = sorted(folder.rglob("*.flac"))
    found = []
    for path in paths[:: max(1, len(paths) // most)]:
        samples, rate = soundfile.read(path)
        if samples.ndim == 1 and np.abs(samples).max() > 0.01:
            common = int(np.gcd(RATE, rate))
            samples = resample_poly(samples, RATE // common, rate // common)
            found.append(samples / np.abs(samples).max())
    return found


def long_speech(voices: list[Floats], seconds: float, rng: np.random.Generator) -> Iterator[Floats]:
    """Pieces of a recording: voices at -3 to -25 dBFS, pauses of a second on average, and the noise of a room."""
    left = int(seconds * RATE)
    while left > 0:
        voice = voices[int(rng.integers(len(voices)))] * 10 ** (-rng.uniform(3, 25) / 20)
        piece = np.concatenate([voice, np.zeros(int(RATE * rng.exponential(1.0)))])[:left]
        left -= len(piece)
        yield piece + rng.normal(size=len(piece)) * 3e-4


def write_long(path: Path, voices: list[Floats], seconds: float, seed: int = 1) -> None:
    """Write such a recording as 16-bit samples."""
    with path.open("wb") as file:
        for piece in long_speech(voices, seconds, np.random.default_rng(seed)):
            file.write(encoded(np.clip(piece, -1, 1), "pcm_s16le").tobytes())


def planted(samples: Floats, at: int, kind: str, rng: np.random.Generator, encoding: str) -> Bytes:
    """The bytes of the part from `at` on that a fault of `FAULT_S` takes the place of."""
    part = samples[at : at + int(FAULT_S * RATE)]
    if kind in ENCODINGS:
        return encoded(part, kind)
    if kind == "out of step":
        return encoded(part, encoding)[1:]
    if kind == "holes of 20 ms":
        part, size = part.copy(), RATE // 50
        for start in rng.integers(0, len(part) - size, 12):
            part[start : start + size] = 0.0
    if kind == "clipped by 12 dB":
        part = np.clip(4 * part / (np.abs(part).max() + 1e-9), -1, 1)
    if kind == "zero bytes":
        return np.zeros(len(part) * ENCODINGS[encoding].width, np.uint8)
    return encoded(part, encoding)


CAUSES = {
    "holes of 20 ms": "signal.dropouts",
    "clipped by 12 dB": "signal.clipped",
    "zero bytes": "signal.false-silence",
}


def seen(data: Bytes, at: int, until: int, kind: str, encoding: str) -> bool:
    """Whether the fault between two bytes is found, and there."""
    if kind not in CAUSES:
        near = ENCODINGS[encoding].width * RATE
        return any(at - near <= change.offset <= until + near for change in find_changes(data))
    report = sttdoctor.check(data.tobytes(), encoding=encoding, sample_rate=RATE, select=["signal"])
    return any(finding.cause == CAUSES[kind] for check in report.checks for finding in check.findings)


def places(samples: Floats, count: int, speech: bool, rng: np.random.Generator) -> list[int]:
    size, found = int(FAULT_S * RATE), []
    while len(found) < count:
        at = int(rng.integers(0, len(samples) - size))
        steps = samples[at : at + size].reshape(-1, RATE // 50).std(axis=1)
        if not speech or (steps > 0.01).mean() > 0.5:
            found.append(at)
    return found


def detection(samples: Floats, encoding: str, count: int, rng: np.random.Generator) -> None:
    healthy, width = encoded(np.clip(samples, -1, 1), encoding), ENCODINGS[encoding].width
    formats = [name for name in ENCODINGS if name != encoding]
    kinds = [*formats, *(["out of step"] if width > 1 else ["zero bytes"]), "holes of 20 ms", "clipped by 12 dB"]
    print(f"\n{encoding}, {len(samples) / RATE / 60:.0f} minutes: found of {count} anywhere, of {count} in speech")
    for kind in kinds:
        hits = []
        for speech in (False, True):
            found = 0
            for at in places(samples, count, speech, rng):
                bad = planted(samples, at, kind, rng, encoding)
                first, stop = at * width, at * width + int(FAULT_S * RATE) * width
                data = np.concatenate([healthy[:first], bad, healthy[stop + (kind == "out of step") :]])
                found += seen(data, first, first + len(bad), kind, encoding)
            hits.append(found)
        print(f"  {kind:18} {hits[0]:3} {hits[1]:3}", flush=True)


def healthy_streams(voices: list[Floats], seconds: float, encodings: tuple[str, ...], seed: int) -> None:
    print("\nhealthy streams")
    for number, encoding in enumerate(encodings):
        pieces = long_speech(voices, seconds, np.random.default_rng(seed + 100 + number))
        data = np.concatenate([encoded(np.clip(piece, -1, 1), encoding) for piece in pieces]).tobytes()
        began = time.process_time()
        report = sttdoctor.check(data, encoding=encoding, sample_rate=RATE)
        causes = [finding.cause for check in report.checks for finding in check.findings]
        print(
            f"  {encoding:10} {report.status} {causes} {time.process_time() - began:.1f} s of a processor", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder with FLAC files of speech")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=10, help="places of each kind of fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--encodings", default="pcm_s16le,pcm_mulaw,pcm_f32le")
    options = parser.parse_args()
    voices, rng = clips(options.corpus), np.random.default_rng(options.seed)
    encodings = tuple(options.encodings.split(","))
    healthy_streams(voices, 3600 * options.hours, encodings, options.seed)
    samples = np.concatenate(list(long_speech(voices, 3600 * options.hours, rng)))
    for encoding in encodings:
        detection(samples, encoding, options.count, rng)


if __name__ == "__main__":
    main()

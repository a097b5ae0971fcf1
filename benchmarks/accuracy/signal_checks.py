"""How often the checks `container`, `channels` and `signal` accuse healthy clips, and how many faults they see.

    python benchmarks/accuracy/signal_checks.py CORPUS [--every N]

Healthy: every clip of the corpus at peaks of 0, -10, -20 and -30 dBFS, in s16 and, in turn, the others. Faults go into
speech of 3 s and longer at -6 dBFS: holes of zeros, clipping, offset, clicks of a resampler without memory, zero bytes
in G.711, stereo.
"""

import argparse
import csv
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE
from sttdoctor.api import audio_facts
from sttdoctor.checks import all_checks

Floats = NDArray[np.float64]
CHECKS = ("container", "channels", "signal")


def encoded(samples: Floats, encoding: str) -> bytes:
    if encoding in ("pcm_mulaw", "pcm_alaw"):
        table = MULAW_TABLE if encoding == "pcm_mulaw" else ALAW_TABLE
        order = np.argsort(table, kind="stable")
        middle = (table[order][1:] + table[order][:-1]) / 2
        return order[np.searchsorted(middle, samples)].astype(np.uint8).tobytes()
    if encoding in ("pcm_f32le", "pcm_f16le"):
        return samples.astype("<f4" if encoding == "pcm_f32le" else "<f2").tobytes()
    bits = 16 if encoding == "pcm_s16le" else 32
    whole = np.clip(np.round(samples * 2.0 ** (bits - 1)), -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1)
    return whole.astype(f"<i{bits // 8}").tobytes()


def found(data: bytes, encoding: str, rate: int) -> tuple[dict[str, str], float]:
    """Cause to status, and the seconds it took beside the estimate of the encoding, which other checks need anyway."""
    facts = audio_facts(data, encoding, rate, None)
    _ = facts.sound.encoding
    start = time.perf_counter()
    answers = [check.judge(facts) for check in all_checks() if check.id in CHECKS]
    return {f.cause: f.status for answer in answers for f in answer.findings}, time.perf_counter() - start


def clips(folder: Path, every: int) -> Iterator[tuple[str, str, Floats, int]]:
    with (folder / "index.tsv").open(encoding="utf-8") as file:
        for row in list(csv.DictReader(file, delimiter="\t"))[::every]:
            samples, rate = soundfile.read(folder / "audio" / row["file"])
            if np.abs(samples).max() > 0:
                yield row["file"], row["kind"], samples / np.abs(samples).max(), rate


def with_holes(samples: Floats, rate: int, rng: np.random.Generator, length_s: float) -> Floats:
    holed, size = samples.copy(), int(length_s * rate)
    for _ in range(max(3, int(3 * len(samples) / rate))):
        start = int(rng.integers(0, len(samples) - size))
        holed[start : start + size] = 0.0
    return holed


def in_chunks(samples: Floats, rate: int, chunk_s: float) -> tuple[Floats, int]:
    target = 16000 if rate != 16000 else 8000
    common, size = gcd(rate, target), int(chunk_s * rate)
    parts = [samples[i : i + size] for i in range(0, len(samples) - size + 1, size)]
    return np.concatenate([resample_poly(part, target // common, rate // common) for part in parts]), target


def quiet_zeroed(samples: Floats, rate: int, encoding: str) -> bytes:
    data = bytearray(encoded(samples, encoding))
    step = rate // 50
    for start in range(0, len(samples) - step, step):
        if np.abs(samples[start : start + step]).max() < 0.02:
            data[start : start + step] = bytes(step)
    return bytes(data)


def faults(samples: Floats, rate: int, rng: np.random.Generator) -> Iterator[tuple[str, str, bytes, str, int]]:
    """(name, cause, bytes, encoding, rate) of each fault."""
    x = 0.5 * samples
    for length_s in (0.005, 0.01, 0.02, 0.1):
        for encoding in ("pcm_s16le", "pcm_mulaw"):
            name = f"holes of {1000 * length_s:g} ms, {encoding}"
            yield name, "signal.dropouts", encoded(with_holes(x, rate, rng, length_s), encoding), encoding, rate
    for db in (3, 6, 12):
        loud = np.clip(10 ** (db / 20) * samples, -1, 1)
        yield f"clipped by {db} dB", "signal.clipped", encoded(loud, "pcm_s16le"), "pcm_s16le", rate
    for offset in (0.1, 0.3):
        yield f"offset {offset}", "signal.dc-offset", encoded(x + offset, "pcm_s16le"), "pcm_s16le", rate
    for chunk_s in (0.01, 0.02, 0.1):
        name = f"resampled in chunks of {1000 * chunk_s:g} ms"
        bad, target = in_chunks(x, rate, chunk_s)
        yield name, "signal.discontinuities", encoded(bad, "pcm_s16le"), "pcm_s16le", target
    padded = np.concatenate([np.zeros(rate // 2), x, np.zeros(rate // 2)])
    for encoding in ("pcm_mulaw", "pcm_alaw"):
        data = quiet_zeroed(padded, rate, encoding)
        yield f"zero bytes in pauses, {encoding}", "signal.false-silence", data, encoding, rate
    noise = rng.normal(size=(2, len(x))) * 2e-4
    sides = {"same": (x, x), "panned": (x, 0.4 * x + noise[0]), "silent left": (0 * x, x), "silent right": (x, 0 * x)}
    sides["another voice"] = (x, np.roll(x, len(x) // 3)[::-1])
    for name, pair in sides.items():
        for encoding in ("pcm_s16le", "pcm_f32le", "pcm_mulaw"):
            both = encoded(np.stack(pair, axis=1).reshape(-1), encoding)
            yield f"stereo, {name}, {encoding}", "channels.interleaved", both, encoding, rate
    muted = rng.normal(size=len(x)) * 1.5e-4
    yield "muted line", "signal.silent", encoded(muted, "pcm_s16le"), "pcm_s16le", rate
    yield "peak at -56 dBFS", "signal.too-quiet", encoded(samples * 10 ** (-56 / 20), "pcm_s16le"), "pcm_s16le", rate


def healthy(folder: Path, every: int) -> None:
    causes: Counter[tuple[str, str, str]] = Counter()
    clip_names: dict[str, set[str]] = {}
    total: Counter[str] = Counter()
    rest = itertools.cycle(("pcm_s32le", "pcm_f16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw"))
    for name, kind, samples, rate in clips(folder, every):
        kind = "speech" if "speech" in kind else kind
        for peak_db in (0, -10, -20, -30):
            for encoding in ("pcm_s16le", next(rest)):
                data = encoded(10 ** (peak_db / 20) * samples, encoding)
                total[kind] += 1
                for cause, status in found(data, encoding, rate)[0].items():
                    causes[kind, cause, status] += 1
                    clip_names.setdefault(cause, set()).add(name)
    print("healthy clips:", dict(total))
    for (kind, cause, status), count in sorted(causes.items()):
        print(f"  {kind:8} {cause:24} {status}: {count} of {total[kind]} ({100 * count / total[kind]:.2f} %)")
    for cause, names in clip_names.items():
        print(f"  {cause}: {len(names)} clips, such as {sorted(names)[:6]}")


def detection(folder: Path, every: int) -> None:
    rng = np.random.default_rng(1)
    seen: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    others: Counter[str] = Counter()
    seconds = []
    for _, kind, samples, rate in clips(folder, every):
        if "speech" not in kind or len(samples) < 3 * rate:
            continue
        for name, cause, data, encoding, at in faults(samples, rate, rng):
            causes, took = found(data, encoding, at)
            tried[name] += 1
            seen[name] += cause in causes
            others.update(f"{name}: {other}" for other in causes if other != cause)
            seconds.append(took)
    for name, count in tried.items():
        print(f"  {name:44} {seen[name]:4} of {count} ({100 * seen[name] / count:.1f} %)")
    print("  beside it:", others.most_common(12))
    print(f"  the three checks took {1000 * np.median(seconds):.1f} ms (median), {1000 * max(seconds):.1f} ms at most")


def main(measure: tuple[Callable[[Path, int], None], ...] = (detection, healthy)) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every Nth clip")
    options = parser.parse_args()
    for part in measure:
        print(part.__name__)
        part(options.corpus, options.every)


if __name__ == "__main__":
    main()

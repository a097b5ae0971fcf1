"""The sample rate on voices from sources that nothing was fitted on, and how often right audio of them is accused.

    python benchmarks/accuracy/other_voices.py FOLDER [--seconds 6] [--excerpts 2] [--accused] [-o FILE]

FOLDER is laid out as a corpus (`index.tsv` and `audio/*.flac`, see `corpus.py`); recordings have the kind `speech`,
voices of synthesisers `synthetic-speech`. The shipped model judges as `check` does, at seven true rates made by
resampling. Every speaker counts the same; each package has a row of its own. Declarations are judged as by the check,
with its rule for unusual voices; "told" is a warning at least.

With `--accused` each clip is checked instead as it is and resampled to 16 and 8 kHz, rightly declared, and every
finding of `warn` or `fail` of any check is counted.
"""

import argparse
import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import corpus
import numpy as np
from calls import Heard
from corpus import Clip, Floats
from rate import SEVEN, WRONG_BY, Case, accuracy, weights_of

import sttdoctor
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.analysis.rate.evidence import list_most_probable
from sttdoctor.checks.sample_rate import _reach_verdict
from sttdoctor.evidence import Audio, Declared
from sttdoctor.thresholds import DEFAULTS

BROAD = 8000.0
"""Content above this frequency in Hz needs a recording above 16 kHz."""
ACCUSED_AT = (16000, 8000)


def written(samples: Floats) -> bytes:
    """As `pcm_s16le`, no louder than full scale."""
    loudest = max(1.0, float(np.abs(samples).max()))
    return (samples / loudest * 32767).astype("<i2").tobytes()


def heard(samples: Floats, rate: int) -> RateEstimate:
    """What `check` says of the rate, told nothing but the encoding."""
    data = np.frombuffer(written(samples), np.uint8)
    told = Heard(Audio(data, "voice"), Declared("pcm_s16le", rate), 0.0).rate
    assert told is not None
    return told


def judged(clips: list[Clip], seconds: float, most: int) -> Iterator[Case]:
    for clip, samples in corpus.excerpts([replace(clip, kind="speech") for clip in clips], seconds, most, seed=5):
        for rate in SEVEN:
            made = corpus.resampled(samples, clip.rate, rate) if rate != clip.rate else samples
            yield Case(clip, rate, heard(made, rate))


def shares(cases: list[Case], chosen: Callable[[float], bool]) -> tuple[float, float]:
    """Of declarations that are so many times off: the share that fails, and that is warned of at least."""
    said, weights = [], []
    for case, weight in zip(cases, weights_of(cases), strict=True):
        for rate in SEVEN:
            if chosen(max(rate / case.true, case.true / rate)):
                said.append(status(case.estimate, rate))
                weights.append(weight)
    whole = np.array(weights) / np.sum(weights)
    return float(whole @ (np.array(said) == "fail")), float(whole @ (np.array(said) != "pass"))


def status(estimate: RateEstimate, declared: int) -> str:
    """What the check says of a declared rate where there is nothing but this sound."""
    likely, nothing = list_most_probable(estimate.probabilities), SimpleNamespace(anchors=(), is_long=False)
    facts = SimpleNamespace(
        rate_probabilities=estimate.probabilities,
        likely_rates=likely,
        limits=DEFAULTS,
        declared=Declared(sample_rate=declared),
        wire_rate=None,
        rate_is_anchored=False,
        sound=nothing,
    )
    return str(_reach_verdict(cast(Facts, facts), declared).status)


def show(name: str, cases: list[Case]) -> None:
    found = accuracy(cases, True)
    del found["ECE"]
    values = [*found.values(), *shares(cases, lambda off: off >= WRONG_BY), *shares(cases, lambda off: off == 1.0)]
    speakers = len({case.clip.speaker for case in cases})
    print(f"| {name} | {len(cases)} | {speakers} |", " | ".join(f"{value:.3f}" for value in values), "|", flush=True)


def show_all(cases: list[Case], kinds: dict[str, str], broad: set[str]) -> None:
    columns = "cases, speakers, exact, within 10 %, within 1.4, true in set, set size, wrong: fail, wrong: told"
    columns += ", right: fail, right: told"
    print("| |", " | ".join(columns.split(", ")), "|\n" + "|---" * 12 + "|")
    groups = {
        "all": cases,
        "recorded": [case for case in cases if kinds[case.clip.speaker] == "speech"],
        "synthetic": [case for case in cases if kinds[case.clip.speaker] != "speech"],
        "recorded above 16 kHz": [case for case in cases if case.clip.speaker in broad],
        "at the rate of the file or below": [case for case in cases if case.true <= case.clip.rate],
    }
    for package in sorted({case.clip.package for case in cases}):
        groups[package] = [case for case in cases if case.clip.package == package]
    for name, some in groups.items():
        if some:
            show(name, some)


def accusations(clips: Iterable[Clip]) -> Iterator[tuple[Clip, int, list[tuple[str, str, str]]]]:
    """Each clip of a second or more as it is and lower, rightly declared, with what its findings accuse it of."""
    for clip in clips:
        for rate in (clip.rate, *(lower for lower in ACCUSED_AT if lower < clip.rate)):
            made = corpus.resampled(clip.samples, clip.rate, rate) if rate != clip.rate else clip.samples
            if len(made) >= rate:
                report = sttdoctor.check(written(made), encoding="pcm_s16le", sample_rate=rate)
                found = [finding for check in report.checks for finding in check.findings]
                yield clip, rate, [(f.cause, f.status, f.summary) for f in found if f.status in ("warn", "fail")]


def show_accusations(clips: list[Clip], output: Path | None) -> None:
    rows = list(accusations(clips))
    print("| | speakers | rightly declared | fail | warn |\n|---|---|---|---|---|")
    names = sorted({(clip.kind, clip.package) for clip in clips})
    groups = [(package, [row for row in rows if row[0].package == package]) for _, package in names]
    groups += [(kind, [row for row in rows if row[0].kind == kind]) for kind in ("speech", "synthetic-speech")]
    for name, some in groups:
        fail, warn = (sum(any(f[1] == status for f in row[2]) for row in some) for status in ("fail", "warn"))
        print(f"| {name} | {len({row[0].speaker for row in some})} | {len(some)} | {fail} | {warn} |")
    if output:
        with output.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, delimiter="\t")
            table.writerows([c.speaker, c.rate, len(c.samples) / c.rate, rate, *f] for c, rate, fs in rows for f in fs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--excerpts", type=int, default=2, help="at most, of each speaker")
    parser.add_argument("--accused", action="store_true")
    parser.add_argument("-o", "--output", type=Path, help="accusations, one a line")
    options = parser.parse_args()
    clips = [clip for clip in corpus.load(options.folder) if "speech" in clip.kind]
    if options.accused:
        show_accusations(clips, options.output)
        return
    with (options.folder / "index.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    kinds = {row["speaker"]: row["kind"] for row in rows}
    broad = {row["speaker"] for row in rows if float(row["bandwidth_hz"] or 0) > BROAD}
    show_all(list(judged(clips, options.seconds, options.excerpts)), kinds, broad)


if __name__ == "__main__":
    main()

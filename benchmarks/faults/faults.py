"""The fault bench: does `sttdoctor replay` name the right cause first, and does it leave healthy sessions alone?

    python benchmarks/faults/faults.py                          # all causes, healthy sessions and pairs
    python benchmarks/faults/faults.py --seed 7 --only drain    # causes that begin with this
    python benchmarks/faults/faults.py --real DIR               # the same with sessions of real clients, recorded by
                                                                # `python benchmarks/faults/faults_real.py DIR`
    python benchmarks/faults/faults.py --without all            # half of the evidence: each session lacks a part of it

Sessions are made by a generator with a virtual clock from real speech, a model of the service and a model of the client
(`faults_*.py`). The cause whose fault was put in is the right answer. Strict: it is the first diagnosis. Lenient: the
first diagnosis is one that the specification makes as good a name; these are listed with each fault. Top 3 is the same
for the first three. The figures say how well the tool knows what this generator makes, not how often faults happen.
"""

import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads cost more than they bring in matrices this small

import argparse
import json
import multiprocessing
import secrets
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

from faults_bench import (
    Case,
    Verdict,
    fault_cases,
    healthy_cases,
    is_accused,
    is_wrong,
    jsonl,
    judge,
    pair_cases,
)
from faults_cuts import CUTS
from faults_registry import FAULTS

Job = tuple[str, str, int, int, Path | None, Path | None, tuple[str, ...]]


def task(job: Job) -> list[Verdict]:
    """Make and judge the cases of one kind; sessions that are judged wrongly are saved."""
    what, name, seed, count, corpus, save, without = job
    if what == "fault":
        cases: Iterable[Case] = fault_cases(seed, name, count, corpus)
    elif what == "healthy":
        cases = (case for case in healthy_cases(seed, count, corpus, only=name))
    elif what == "pair":
        cases = pair_cases(seed, count, corpus)
    else:
        cases = real_cases(Path(name))
    if without:
        cases = (_halved(case, number, without) for number, case in enumerate(cases))
    verdicts = []
    for case in cases:
        verdict = judge(case)
        verdicts.append(verdict)
        if save and is_wrong(verdict):
            save.mkdir(parents=True, exist_ok=True)
            (save / f"{case.name}.jsonl").write_bytes(jsonl(case.rows))
    return verdicts


def _halved(case: Case, number: int, without: tuple[str, ...]) -> Case:
    """The session without a part of the evidence; another one for each session of a cause."""
    what = without[(number + zlib.crc32(case.causes[0].encode() if case.causes else b"")) % len(without)]
    if case.rows[-1]["type"] == "again":
        return case  # two sockets of one HAR, which is written from whole rows
    return replace(case, name=f"{case.name}-without-{what}", rows=CUTS[what](case.rows), note=f"{what}; {case.note}")


def real_cases(folder: Path) -> Iterator[Case]:
    """Recorded sessions, with their right answers in `manifest.json`."""
    for entry in json.loads((folder / "manifest.json").read_text(encoding="utf-8")):
        rows = [json.loads(line) for line in (folder / entry["path"]).read_text(encoding="utf-8").splitlines()]
        causes = tuple(entry["causes"])
        remark = bool(causes) and FAULTS[causes[0]].remark
        yield Case(entry["name"], rows, causes, frozenset(entry["also"]), entry["status"], remark, entry["note"])


def run(jobs: list[Job], workers: int) -> list[Verdict]:
    verdicts: list[Verdict] = []
    if workers == 1:
        for job in jobs:
            verdicts += task(job)
        return verdicts
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for part in pool.imap(task, jobs):
            verdicts += part
    return verdicts


def share(values: Iterable[bool]) -> str:
    known = list(values)
    return f"{100 * sum(known) / len(known):5.1f} %" if known else "    -  "


def first(verdict: Verdict) -> str:
    return verdict.said[0][0] if verdict.said else f"({verdict.status})"


def print_causes(verdicts: list[Verdict]) -> None:
    """One line a cause: n, first and first three, how often the status is as meant, and what was said instead."""
    grouped: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        grouped[verdict.causes[0]].append(verdict)
    print(f"{'cause':34} {'n':>3} {'top-1':>6} {'lenient':>7} {'top-3':>6} {'status':>6}  said first instead")
    for cause, own in grouped.items():
        missed = Counter(first(v) for v in own if not v.strict)
        confused = ", ".join(f"{name} {n}" for name, n in missed.most_common())
        status = sum(v.wanted_status in ("", v.status) for v in own)
        print(f"{cause:34} {len(own):3} {sum(v.strict for v in own):6} {sum(v.lenient for v in own):7} "
              f"{sum(v.top3 for v in own):6} {status:6}  {confused}")  # fmt: skip
    print(f"top-1 {share(v.strict for v in verdicts)} strict, {share(v.lenient for v in verdicts)} lenient;  "
          f"top-3 {share(v.top3 for v in verdicts)} strict, {share(v.top3_lenient for v in verdicts)} lenient;  "
          f"n = {len(verdicts)}")  # fmt: skip


def print_healthy(verdicts: list[Verdict]) -> None:
    accused = sorted(filter(is_accused, verdicts), key=lambda verdict: verdict.status != "fail")
    for verdict in accused:
        said = ", ".join(f"{cause} ({status} {sure})" for cause, status, sure, _ in verdict.said)
        print(f"{verdict.name:42} {said}  [{verdict.note}]")
    failed = sum(v.status == "fail" for v in accused)
    print(f"{len(verdicts)} healthy sessions: {len(accused)} accused ({failed} fail, {len(accused) - failed} warn), "
          f"{sum(v.status == 'unknown' for v in verdicts)} unknown")  # fmt: skip


def print_pairs(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        if not verdict.strict:
            told = {name for cause, _, _, explains in verdict.said for name in (cause, *explains)}
            lost = [cause for cause in verdict.causes if cause not in told]
            said = "; ".join(
                f"{cause} {status}" + (f" > {', '.join(e)}" if e else "") for cause, status, _, e in verdict.said
            )
            print(
                f"{verdict.name:8} {' + '.join(verdict.causes)}: not told {lost or 'apart'}; said {said or '(nothing)'}"
            )
    print(f"{len(verdicts)} pairs: both as diagnoses {share(v.strict for v in verdicts)}, "
          f"both told somewhere {share(v.lenient for v in verdicts)}")  # fmt: skip


def print_confidence(verdicts: list[Verdict]) -> None:
    """How sure the first diagnosis was, beside how often it was right; of a healthy session it never is."""
    firsts = [(v.said[0][0], v.said[0][2], v.said[0][0] in {*v.causes, *v.also}) for v in verdicts if v.said]
    edges = (0.0, 0.6, 0.8, 0.9, 0.95, 0.98, 1.01)
    print("told with         n  mean   right")
    for low, high in pairwise(edges):
        inside = [(sure, right) for _, sure, right in firsts if low <= sure < high]
        if inside:
            mean = sum(sure for sure, _ in inside) / len(inside)
            print(
                f"{low:.2f} to {min(high, 1.0):.2f} {len(inside):6}  {mean:.2f}  {share(right for _, right in inside)}"
            )
    grouped: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for cause, sure, right in firsts:
        grouped[cause].append((sure, right))
    for cause, told in sorted(grouped.items()):
        mean, rate = (sum(column) / len(told) for column in zip(*told, strict=True))
        if len(told) >= 4 and abs(mean - rate) > 0.15:
            print(f"{cause:34} told {len(told):3} times with {mean:.2f}, right in {rate:.2f}")


def print_halves(verdicts: list[Verdict]) -> None:
    """By what was taken out: how often the cause is told, nothing, or another one; each other one is listed."""
    grouped: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict in verdicts:
        answer = "right" if verdict.lenient else f"other {verdict.said[0][1]}" if verdict.said else "nothing"
        if verdict.causes:
            grouped[verdict.note.partition(";")[0]][answer] += 1
        if verdict.said and not verdict.lenient:
            said = ", ".join(f"{cause} ({status} {sure})" for cause, status, sure, _ in verdict.said)
            print(f"{verdict.name:64} {said}  [{verdict.note}]")
    for what, count in grouped.items():
        print(
            f"without {what:16} n {count.total():4}", *(f"{answer} {n}" for answer, n in count.most_common()), sep="  "
        )


def print_all(verdicts: list[Verdict], heading: str) -> None:
    print(f"\n== {heading}")
    if faults := [v for v in verdicts if len(v.causes) == 1]:
        print_causes(faults)
    if healthy := [v for v in verdicts if not v.causes]:
        print_healthy(healthy)
    if pairs := [v for v in verdicts if len(v.causes) == 2]:
        print_pairs(pairs)
    print_confidence([v for v in verdicts if len(v.causes) < 2])
    for verdict in verdicts:
        for crash in verdict.crashed:
            print(f"crashed: {verdict.name}: {crash}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=None, help="default: a fresh one")
    parser.add_argument("--per-cause", type=int, default=8)
    parser.add_argument("--healthy-each", type=int, default=2, help="sessions of each healthy kind")
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--only", default=None, help="causes that begin with this; or 'healthy', 'pairs', 'real'")
    parser.add_argument("--without", choices=("all", *CUTS), help="take this part of the evidence out of each session")
    parser.add_argument("--corpus", type=Path, default=None, help="more voices: a folder with index.tsv and audio/")
    parser.add_argument("--real", type=Path, default=None, help="a folder of recorded sessions")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--details", type=Path, default=None, help="write every verdict as a JSON line")
    parser.add_argument("--save", type=Path, default=None, help="write the sessions that were judged wrongly there")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"seed {seed}")
    began = time.monotonic()
    verdicts = run(planned(options, seed), options.jobs)
    if options.details:
        lines = (json.dumps(asdict(verdict)) for verdict in verdicts)
        options.details.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if options.without:
        print_halves(verdicts)
        return
    print_all([v for v in verdicts if not v.name.startswith("real-")], "generator")
    if real := [v for v in verdicts if v.name.startswith("real-")]:
        print_all(real, "real clients")
    busy = sum(v.seconds for v in verdicts)
    print(f"\n{len(verdicts)} sessions, {busy / max(1, len(verdicts)):.2f} s each in replay, "
          f"{time.monotonic() - began:.0f} s in all with {options.jobs} jobs; seed {seed}")  # fmt: skip


def planned(options: argparse.Namespace, seed: int) -> list[Job]:
    """The tasks that the command line asks for."""
    from faults_healthy import KINDS

    only, corpus, save = options.only, options.corpus, options.save
    without = () if options.without is None else tuple(CUTS) if options.without == "all" else (options.without,)
    jobs: list[Job] = []
    causes = [cause for cause in FAULTS if only is None or cause.startswith(only)]
    jobs += [("fault", cause, seed, options.per_cause, corpus, save, without) for cause in causes]
    if only in (None, "healthy"):
        jobs += [("healthy", kind, seed, options.healthy_each, corpus, save, without) for kind in KINDS]
    if only in (None, "pairs"):
        jobs.append(("pair", "", seed, options.pairs, corpus, save, without))
    if options.real is not None and only in (None, "real"):
        jobs.append(("real", str(options.real), seed, 0, None, save, without))
    if not jobs:
        sys.exit(f"no cause begins with {only!r}")
    return jobs


if __name__ == "__main__":
    main()

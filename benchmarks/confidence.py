"""How sure the first diagnosis was, and how often it was right: over all benches together.

    python benchmarks/faults/faults.py --seed 20261124 --per-cause 6 --healthy-each 2 --pairs 0 --details a.jsonl
    python benchmarks/faults/faults.py --seed 20261201 --per-cause 1 --without all --details b.jsonl
    python benchmarks/world/healthy.py --details c.jsonl
    python benchmarks/confidence.py a.jsonl b.jsonl c.jsonl

Each file holds a verdict a line. Right is the cause whose fault was put in, or one that the specification makes as good
a name; of a healthy session no diagnosis is. Printed is a table for the docs, then each check, and each cause that was
told four times or more and was right more rarely than it said. Who says less than he knows is listed, too: it is the
smaller fault, but one.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

EDGES = (0.0, 0.6, 0.8, 0.9, 0.95, 1.01)
OFTEN, APART = 4, 0.1
Told = tuple[str, str, float, bool]
"""Bench, cause, confidence, and whether it was right."""


def read(path: Path) -> Iterator[Told]:
    """The first diagnosis of each session in a file of verdicts."""
    for line in path.read_text(encoding="utf-8").splitlines():
        verdict = json.loads(line)
        if verdict["said"] and len(verdict["causes"]) < 2:
            cause, _, sure, _ = verdict["said"][0]
            yield path.stem, cause, sure, verdict["strict"] or verdict["lenient"]


def table(told: list[Told], benches: Iterable[str]) -> Iterator[str]:
    """Rows by confidence, a column for each bench and one for all: right of told."""
    names = [*benches]
    yield f"| sure | mean | {' | '.join(names)} | all | right |"
    yield "|---" * (len(names) + 4) + "|"
    for low, high in pairwise(EDGES):
        inside = [item for item in told if low <= item[2] < high]
        if not inside:
            continue
        cells = [[right for bench, _, _, right in inside if bench == name] for name in names]
        every = [right for *_, right in inside]
        mean = sum(sure for _, _, sure, _ in inside) / len(inside)
        shown = " | ".join(f"{sum(cell)} of {len(cell)}" for cell in [*cells, every])
        yield f"| {low:.2f} to {min(high, 1.0):.2f} | {mean:.2f} | {shown} | {sum(every) / len(every):.3f} |"


def group(told: list[Told], by_check: bool) -> Iterator[tuple[str, int, float, float]]:
    """Name, number, mean confidence and share of right ones: of each cause, or of each check."""
    grouped: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for _, cause, sure, right in told:
        grouped[cause.partition(".")[0] if by_check else cause].append((sure, right))
    for name, own in sorted(grouped.items()):
        yield name, len(own), sum(sure for sure, _ in own) / len(own), sum(right for _, right in own) / len(own)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("details", type=Path, nargs="+", help="what the benches wrote with --details")
    options = parser.parse_args()
    told = [item for path in options.details for item in read(path)]
    print("\n".join(table(told, [path.stem for path in options.details])))
    print("\n| check | told | mean sureness | right |\n|---|---|---|---|")
    for name, count, sure, right in group(told, by_check=True):
        print(f"| {name} | {count} | {sure:.2f} | {right:.2f} |")
    for what, sign in (("over-sure", 1), ("under-sure", -1)):
        print(f"\n{what}:")
        for name, count, sure, right in group(told, by_check=False):
            if count >= OFTEN and sign * (sure - right) > APART:
                print(f"{name:34} told {count:3} times with {sure:.2f}, right in {right:.2f}")


if __name__ == "__main__":
    main()

"""In how many public reports does the first diagnosis help the person who has the fault?

    python benchmarks/world/score.py FOLDER [--half build] [--round 2] [-v] [--answers FILE]

FOLDER is what `build.py` wrote. Right: what has to be said stands in summary or fix of the first diagnosis, and nothing
that misleads; or nothing is said of a capture that is no fault (`or_healthy`). Near: it is said, with advice that
misleads beside it. Wrong: another first diagnosis. Nothing: none.
A twin is accused when it has any diagnosis. Of the held half only figures are shown, unless asked for with
`--half held -v`.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

import argparse
import json
import multiprocessing
import re
from collections import Counter
from typing import Any

from sttdoctor.api import check, replay
from sttdoctor.errors import InputError

ROUNDS = (1, 2, 3, 4, 6, 7, 8)
Case = dict[str, Any]
Answer = tuple[str, str, str]
"""Verdict, what was said, and what the twin was accused of."""


def judge(job: tuple[Path, Case]) -> Answer:
    """One report and its twin."""
    folder, case = job
    found, text = _first(folder / case["file"])
    accused, _ = _first(folder / case["twin"])
    if not found:
        return "right" if case.get("or_healthy") else "nothing", text, accused
    low = text.lower()
    said = any(re.search(pattern, low) for pattern in case["must_say"])
    misleads = [pattern for pattern in case.get("must_not_say", ()) if re.search(pattern, low)]
    verdict = "wrong" if not said else "near" if misleads else "right"
    return verdict, f"{found}: {text}" + (f" | misleads: {misleads}" if misleads else ""), accused


def _first(path: Path) -> tuple[str, str]:
    """The first diagnosis: its cause and status, and what is said; the name of bare audio holds what is declared."""
    try:
        if path.suffix == ".raw":
            encoding, rate = path.stem.split("-")[-1].rsplit("_", 1)
            report = check(path, encoding=encoding, sample_rate=int(rate))
        else:
            report = replay(path)
    except InputError as error:
        return "", f"refused: {error}"
    if not report.diagnoses:
        return "", report.status
    first = report.diagnoses[0]
    return f"{first.cause} {first.status}", f"{first.summary} {first.fix}"


def main() -> None:
    """Print the figures of both halves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=("build", "held"))
    parser.add_argument("--round", type=int, choices=ROUNDS, action="append", help="default: all, one by one")
    parser.add_argument("--only", default="")
    parser.add_argument("--answers", type=Path, help="write what was said of each report as JSON")
    parser.add_argument("-v", action="store_true")
    options = parser.parse_args()
    answers: dict[str, dict[str, str | int]] = {}
    halves = (options.half,) if options.half else ("build", "held")
    for part, half in ((part, half) for part in options.round or ROUNDS for half in halves):
        listed = json.loads((options.folder / half / "index.json").read_text(encoding="utf-8"))
        cases = {key: case for key, case in listed.items()
                 if case.get("round", 1) == part and options.only in f"{key} {case['description']}"}  # fmt: skip
        if not cases:
            continue
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            found = dict(
                zip(cases, pool.map(judge, [(options.folder / half, c) for c in cases.values()], 1), strict=True)
            )
        count = Counter(verdict for verdict, _, _ in found.values())
        twins = sum(bool(accused) for _, _, accused in found.values())
        for key, (verdict, text, accused) in found.items():
            answers[cases[key]["link"]] = {"round": part, "half": half, "verdict": verdict, "said": text}
            if options.v and (verdict != "right" or accused) and (half == "build" or options.half == "held"):
                print(f"{verdict:8}{key} {cases[key]['description']}\n        {text}")
                print(f"        TWIN {accused}" * bool(accused), end="\n" * bool(accused))
        print(
            f"round {part}, {half}: right {count['right']}/{len(cases)} near {count['near']} wrong {count['wrong']} "
            f"nothing {count['nothing']}, twins accused {twins}"
        )
    if options.answers:
        options.answers.write_text(json.dumps(answers, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Builds the captures of `reports.toml`: a faulty one and a healthy twin of each, from the repository's speech.

    python benchmarks/world/build.py FOLDER [--only WORD] [--round N]

Reports are divided by chance, by a hash of their link: the half `build` is what the tool is improved by, the half
`held` is looked at only to see what that was worth. `round` 2 are those that were sought out after the tool had been
improved by the first ones, `round` 3, 4, 6, 7 and 8 those after that (the fifth tried kinds, not reports). Nothing of a
report is copied: words, times and sound are others.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "faults"))  # the generators of the fault bench
sys.path.append(str(Path(__file__).parents[2] / "tests" / "support"))  # forms that the tests write, too

import argparse
import hashlib
import json
import tomllib
from dataclasses import replace
from typing import Any

import eighth  # its kinds are registered, and some are of text
import faults_make
import fourth  # noqa: F401  its kinds are registered
import further  # noqa: F401  likewise
import numpy as np
import seventh  # likewise
import sixth  # likewise
import third  # noqa: F401  likewise
from dress import dress
from faults_healthy import lengths_only
from faults_recipe import Recipe, Row, healthy
from faults_scene import Scene, scene, voices
from forms import written
from kinds import FAULTS, tiled
from scipy import signal
from scipy.interpolate import make_interp_spline

REPORTS = Path(__file__).parent / "reports.toml"
TEXT = ("equal_turns_dropped", "turns_twice", "last_turn_missing", "only_last_turn", "turns_swapped", "running_total",
        "typed_by_length", "not_decoded_whole", "equal_words_dropped", "fillers_dropped", "earlier_text_first",
        "only_first_turn", "other_layout", "accents_dropped", *sixth.TEXT, *seventh.TEXT, *eighth.TEXT)  # fmt: skip
LONG_TWIN_S = 240.0
Report = dict[str, Any]


def reports(only: str = "") -> list[Report]:
    """What `reports.toml` holds; `only`: those whose link, kind or fault has this word."""
    listed: list[Report] = tomllib.loads(REPORTS.read_text(encoding="utf-8"))["report"]
    return [report for report in listed if only in f"{report['link']} {report['kind']} {report['fault']}"]


def name(report: Report) -> str:
    """A short name that stays with the report."""
    return hashlib.sha256(report["link"].encode()).hexdigest()[:6]


def half(report: Report) -> str:
    """Which half a report is in."""
    return ("build", "held")[hashlib.sha256(f"half {report['link']}".encode()).digest()[0] % 2]


def client(report: Report) -> Recipe:
    """The client as it would be without its fault."""
    base = report["base"]
    rng = np.random.default_rng(int(name(report), 16))
    encoding, rate = base.get("encoding", "pcm_s16le"), base.get("rate", 16000)
    recipe = healthy(rng, None, encoding, rate, base.get("turns", 3))
    recipe.profile, recipe.jitter_s = "websockets", base.get("jitter", 0.002)
    recipe.chunk_s = base.get("chunk", 0.1)
    recipe.text = report["fault"] in TEXT
    if "voice_rate" in base:
        wide = scene(rng, base["voice_rate"], 3, voice=next(v for v in voices() if v.rate >= 44100))
        recipe.wide = wide.samples  # type: ignore[attr-defined]
        low = signal.resample_poly(wide.samples, rate, base["voice_rate"])
        recipe.scene = Scene(low, rate, wide.turns, wide.voice)
    recipe.scene = _unlike(recipe.scene)
    if report["fault"] == "equal_turns_dropped":
        recipe.scene = _equal_turns(recipe.scene)
    recipe.rows.append(lambda made: dress(made, base["profile"]))
    if base.get("lengths"):
        recipe.rows.append(lengths_only)
    return recipe


def _unlike(said: Scene) -> Scene:
    """The same scene, now faster and now slower: the clips are few, and nobody repeats himself so well."""
    at = np.arange(len(said.samples)) / said.rate
    warped = at + 0.1 * np.sin(2 * np.pi * at / 13.0)
    samples = make_interp_spline(at, said.samples, k=3)(np.clip(warped, 0, at[-1]))
    return replace(said, samples=np.asarray(samples))


def _equal_turns(said: Scene) -> Scene:
    """The third turn has the words of the second."""
    turns = [tuple(replace(part, words=("Yes.",)) for part in turn[:1]) if n in (1, 2) else turn
             for n, turn in enumerate(said.turns)]  # fmt: skip
    return replace(said, turns=tuple(turns))


def faulty(report: Report) -> bytes:
    """The client with its fault."""
    recipe = client(report)
    FAULTS[report["fault"]](recipe, **report.get("with", {}))
    return written(faults_make.rows(recipe), form(report))


def form(report: Report) -> str:
    """The kind of file that the person has."""
    return str(report["base"].get("form", "jsonl"))


def twin(report: Report) -> bytes:
    """The same client without it."""
    recipe = client(report)
    if report["base"].get("lengths"):
        recipe.rows.append(_longer)
    return written(faults_make.rows(recipe), form(report))


def _longer(made: list[Row]) -> list[Row]:
    """A session of minutes that ends as it should."""
    body = tiled(made, LONG_TWIN_S)
    end = body[-1]["t"] + 0.1
    done = {"type": "close", "t": end + 0.4, "by": "server", "code": 1000, "reason": ""}
    return [*body, {"type": "send", "t": end, "json": {"type": "close"}}, done]


def main() -> None:
    """Write the captures and an index of each half."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--round", type=int, help="those of one round")
    options = parser.parse_args()
    index: dict[str, dict[str, Any]] = {"build": {}, "held": {}}
    for report in reports(options.only):
        if options.round not in (None, report.get("round", 1)):
            continue
        ends = f".{form(report)}"
        if ends == ".raw":
            recipe = client(report)
            said = report.get("with", {}).get("said_rate") or recipe.scene.rate
            ends = f"-{report.get('with', {}).get('said', recipe.encoding)}_{said}.raw"
        files = {"file": f"{name(report)}-faulty{ends}", "twin": f"{name(report)}-healthy{ends}"}
        folder = options.folder / half(report)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / files["file"]).write_bytes(faulty(report))
        (folder / files["twin"]).write_bytes(twin(report))
        keys = ("must_say", "must_not_say", "or_healthy", "link", "round")
        index[half(report)][name(report)] = files | {"description": f"{report['kind']}: {report['cause']}"} | {
            key: report[key] for key in keys if key in report}  # fmt: skip
    for part, cases in index.items():
        if cases:
            (options.folder / part / "index.json").write_text(json.dumps(cases, indent=1), encoding="utf-8")
    print({part: len(cases) for part, cases in index.items()})


if __name__ == "__main__":
    main()

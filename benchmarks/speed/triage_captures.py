"""Many different sessions of 20 s with audio, made quickly: some hundred are made for real, the rest are variants.

A variant has another client, another request id and audio of its own: in 2 % of its samples the lowest bit is flipped,
which changes every frame and no verdict.
"""

import base64
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "faults"))

import numpy as np
from faults_bench import generator, recipe_for
from faults_make import rows
from faults_recipe import WIDTHS, healthy
from faults_registry import FAULTS

SEED = 8
PER_FOLDER = 100
HEALTHY = 100
CAUSES = (
    "encoding.mismatch", "sample-rate.mismatch", "pacing.burst", "continuity.muted", "continuity.stalled",
    "drain.no-close", "drain.hung-up", "joining.updates-joined", "joining.turns-missing", "chunking.too-large",
)  # fmt: skip
EACH = 10
STEP = 37  # shares no factor with the number of bases, so healthy and faulty ones are mixed
LENGTH_S = (18.0, 22.0)


@cache
def base(number: int) -> tuple[list[dict[str, Any]], int]:
    """One of the sessions that are made for real, and the bytes of a sample; the first ones are healthy."""
    cause = None if number < HEALTHY else CAUSES[(number - HEALTHY) // EACH]
    rng = generator(SEED, "triage", number)
    while True:
        recipe = healthy(rng, turns=3) if cause is None else recipe_for((FAULTS[cause],), rng, None)
        if LENGTH_S[0] <= recipe.scene.duration <= LENGTH_S[1]:
            break
    if cause is not None:
        FAULTS[cause].apply(recipe)
    made = rows(recipe)
    # one version of the SDK brings one fault, so that there is a trend to be seen
    made[0]["client"] = f"voice-sdk/1.{0 if cause is None else 1 + (number - HEALTHY) // EACH % 5}"
    return made, WIDTHS[recipe.encoding]


def variant(number: int) -> str:
    """The session of a number as session JSONL."""
    made, width = base(number * STEP % (HEALTHY + EACH * len(CAUSES)))
    rng = np.random.default_rng([SEED, number])
    lines = []
    for row in made:
        if "audio" in row:
            row = row | {"audio": _varied(row["audio"], width, rng)}
        elif row["type"] == "receive" and "json" in row:
            row = row | {"json": row["json"] | {"request_id": f"r{number:07}"}}
        lines.append(json.dumps(row))
    return "\n".join(lines) + "\n"


def _varied(audio: str, width: int, rng: np.random.Generator) -> str:
    data = np.frombuffer(base64.b64decode(audio), dtype=np.uint8).copy()
    count = len(data) // width
    if count:
        data[rng.integers(count, size=max(1, count // 50)) * width] ^= 1
    return base64.b64encode(data.tobytes()).decode("ascii")


def folders(root: Path, count: int) -> Iterator[Path]:
    """Write what is missing of this many captures, 100 to a folder, and yield the folders."""
    for first in range(0, count, PER_FOLDER):
        folder = root / f"{first:06}"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + PER_FOLDER):
            path = folder / f"{number:06}.jsonl"
            if not path.exists():
                path.write_text(variant(number), encoding="ascii")
        yield folder

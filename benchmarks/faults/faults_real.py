"""Sessions of real clients for the fault bench: `python benchmarks/faults/faults_real.py DIR [--seed N] [--each 2]`.

The vendor's Python SDK and JavaScript SDK (`npm install` in `benchmarks/faults/real_clients/` first) send what the
recipes of the generator say, in real time and several at once, to the stand-in, which records them. The stand-in finds
turns by loudness; its words are made up and never run out. `DIR/manifest.json` then holds the right answers;
`faults.py --real DIR` reads it.
Faults that need a server which refuses, or a network, are left to the generator.
"""

import argparse
import asyncio
import base64
import contextlib
import importlib
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

import faults_bench
import faults_make
from faults_recipe import Frame, Recipe, healthy
from faults_registry import FAULTS
from faults_scene import FIXTURES, SENTENCES

from sttdoctor.simulate.faults import Behaviour
from sttdoctor.simulate.words import Script, ScriptedWords

assert str(FIXTURES) in sys.path
clients, plans, server = map(importlib.import_module, ("clients", "plans", "server"))

HERE = Path(__file__).parent / "real_clients"
GROUPS = ("container", "encoding", "sample-rate", "channels", "signal", "chunking", "pacing", "continuity", "joining")
MORE = ("drain.no-close", "drain.hung-up", "drain.connection-lost", "messages.unknown-command",
        "messages.partial-samples", "messages.audio-after-close", "endpoint.manual-fits",
        "endpoint.batch-fits")  # fmt: skip
NOT_HERE = (
    "continuity.idle-timeout",  # three minutes each
    "continuity.blocked",  # what is lacking shows on the client's own clock, and the stand-in records
    *(
        "continuity.nothing-sent",
        "joining.words-merged",
        "joining.wrong-charset",
    ),  # changes what the service says
)
HEALTHY_EACH = 12


def causes() -> list[str]:
    """The causes that a client alone can show."""
    return [c for c in FAULTS if (c.split(".")[0] in GROUPS or c in MORE) and c not in NOT_HERE]


def sent_by(recipe: Recipe) -> list[Frame]:
    """What the recipe's client sends when, the close command included."""
    frames = faults_make.frames(recipe)
    if recipe.close_after is not None:
        command = recipe.close_command or {"type": "close"}
        frames.append(Frame(frames[-1].t + recipe.close_after, command))
    return sorted(frames, key=lambda frame: frame.t)


class EndlessWords(ScriptedWords):
    """Words for turns of any length: there is always another one, and none is held back to the end."""

    def end(self) -> str:
        """As many words as the speech had time for."""
        pool = " ".join(SENTENCES[self._number % 5 :] + SENTENCES * 3).split(" ")
        return " ".join(pool[: 1 + self._heard()])


async def record(recipe: Recipe, sdk: str) -> list[dict[str, Any]]:
    """Run one client against a stand-in of its own; returns the rows."""
    plan = sent_by(recipe)
    lost = recipe.lost_at
    pace = 1.0 if recipe.service.hears == "garbage" else 2.7
    faults = {} if lost is None else {"connection-lost": 0.0}
    behaviour = Behaviour(flush_s=recipe.service.flush_s, latency_s=recipe.service.delay_s, faults=faults,
                          fault_after_s=lost or 0.0)  # fmt: skip
    async with server.stand_in(lambda _rate: EndlessWords(Script(tuple(SENTENCES), pace)), behaviour) as running:
        heard = await (talk_js if sdk == "js" else talk_python)(running.port, recipe, plan)
    rows = [row for session in running.sessions for row in session]
    if recipe.text:
        text = recipe.join(heard) if recipe.join else "".join(t for kind, t in heard if kind == "turn.end")
        rows.append({"type": "transcript", "t": rows[-1].get("t", 0.0), "text": text})
    return rows


async def talk_python(port: int, recipe: Recipe, plan: list[Frame]) -> list[tuple[str, str]]:
    """The asynchronous Python SDK; how it ends follows the recipe."""
    heard: list[tuple[str, str]] = []

    async def ending(connection: Any, reader: "asyncio.Task[None]") -> None:
        if recipe.leave_after is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(reader, 15)
        else:
            await asyncio.sleep(recipe.leave_after)
            await connection.close()

    declared = plans.Format(recipe.said_encoding or recipe.encoding, recipe.said_rate or recipe.scene.rate)
    client = clients.Client(declared, [(f.t, f.data) for f in plan], ending, lambda got: heard.extend(got) or "")
    await clients.talk(port, client)
    return heard


async def talk_js(port: int, recipe: Recipe, plan: list[Frame]) -> list[tuple[str, str]]:
    """The JavaScript SDK in a Node process."""
    parameters = {"model": "ink-2", "encoding": recipe.said_encoding or recipe.encoding,
                  "sample_rate": recipe.said_rate or recipe.scene.rate}  # fmt: skip
    sent = [
        [f.t, "audio", base64.b64encode(f.data).decode()] if isinstance(f.data, bytes) else [f.t, "command", f.data]
        for f in plan
    ]
    job = {"port": port, "parameters": parameters, "plan": sent, "leave_after": recipe.leave_after, "patience_s": 15}
    process = await asyncio.create_subprocess_exec(
        "node", "client.js", cwd=HERE, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(json.dumps(job).encode())
    return [(kind, text) for kind, text in json.loads(out)]


def recipes(seed: int, each: int, only: str | None) -> list[tuple[str, str, Recipe]]:
    """(name, cause or "", recipe) of every session to be recorded; the SDKs take turns."""
    made = []
    for cause in causes():
        for number in range(each):
            if only is None or cause.startswith(only):
                fault = FAULTS[cause]
                rng = faults_bench.generator(seed, "real", cause, number)
                recipe = faults_bench.recipe_for((fault,), rng, None)
                recipe.status = fault.status
                fault.apply(recipe)
                made.append((f"real-{cause}-{number}", cause, recipe))
    for number in range(HEALTHY_EACH if only in (None, "healthy") else 0):
        rng = faults_bench.generator(seed, "real healthy", number)
        made.append((f"real-healthy-{number}", "", healthy(rng)))
    return made


async def record_all(folder: Path, seed: int, each: int, at_once: int, only: str | None) -> list[dict[str, Any]]:
    places = asyncio.Semaphore(at_once)
    entries: list[dict[str, Any]] = []

    async def one(name: str, cause: str, recipe: Recipe, sdk: str) -> None:
        async with places:
            try:
                rows = await record(recipe, sdk)
            except Exception as error:
                print(f"{name} ({sdk}): not recorded: {error!r}", flush=True)
                return
        (folder / f"{name}.jsonl").write_bytes(faults_bench.jsonl(rows))
        also = sorted(recipe.also | set(FAULTS[cause].also)) if cause else []
        entries.append({"name": name, "path": f"{name}.jsonl", "causes": [cause] if cause else [], "also": also,
                        "status": recipe.status if cause else "", "note": f"{sdk}; {recipe.note}"})  # fmt: skip

    async with asyncio.TaskGroup() as tasks:
        for number, (name, cause, recipe) in enumerate(recipes(seed, each, only)):
            tasks.create_task(one(name, cause, recipe, ("python", "js")[number % 2]))
    return sorted(entries, key=lambda entry: str(entry["name"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--each", type=int, default=2)
    parser.add_argument("--at-once", type=int, default=10)
    parser.add_argument("--only", default=None)
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    options.folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    entries = asyncio.run(record_all(options.folder, seed, options.each, options.at_once, options.only))
    (options.folder / "manifest.json").write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    print(f"{len(entries)} sessions, {len({c for e in entries for c in e['causes']})} causes, "
          f"{time.monotonic() - began:.0f} s, seed {seed}")  # fmt: skip


if __name__ == "__main__":
    main()

"""Making the cases of the fault bench from a seed, and judging what the tool says of them."""

import itertools
import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import faults_format
import faults_frames
import faults_healthy
import faults_make
import faults_signal
import faults_stream
import faults_text
import faults_wire
import numpy as np
from faults_recipe import Recipe, Row, healthy
from faults_registry import FAULTS, Fault

MODULES = (faults_format, faults_frames, faults_signal, faults_stream, faults_wire, faults_text)


@dataclass(frozen=True)
class Case:
    """A session with its right answer: one cause, two (a pair), or none."""

    name: str
    rows: list[Row]
    causes: tuple[str, ...]
    also: frozenset[str] = frozenset()
    status: str = ""
    remark: bool = False
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the tool said of a case."""

    name: str
    causes: tuple[str, ...]
    also: tuple[str, ...]
    note: str
    status: str
    wanted_status: str
    said: tuple[tuple[str, str, float, tuple[str, ...]], ...]
    unknown: tuple[str, ...]
    crashed: tuple[str, ...]
    seconds: float
    strict: bool = False
    lenient: bool = False
    top3: bool = False
    top3_lenient: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


def jsonl(rows: list[Row]) -> bytes:
    """Rows as the bytes of a session file; of a HAR, where the session ran twice side by side."""
    if rows[-1]["type"] == "again":
        return _har(rows[:-1], (0.0, rows[-1]["shift"]))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")


def _har(rows: list[Row], shifts: tuple[float, ...]) -> bytes:
    """A HAR in which the session has a socket for each shift of the clock, in seconds."""
    head, began = rows[0], datetime(2026, 9, 21, 12, tzinfo=UTC)
    request = {"url": head["url"], "headers": [{"name": k, "value": v} for k, v in head["headers"].items()]}
    entries = []
    for shift in shifts:
        moment = began + timedelta(seconds=shift)
        messages = [
            {
                "type": row["type"],
                "time": moment.timestamp() + row["t"],
                "opcode": 2 if "audio" in row else 1,
                "data": row["audio"] if "audio" in row else json.dumps(row["json"]),
            }
            for row in rows
            if row["type"] in ("send", "receive")
        ]
        entry = {"startedDateTime": moment.isoformat(), "request": request, "response": {"status": 101, "headers": []}}
        entries.append(entry | {"_resourceType": "websocket", "_webSocketMessages": messages})
    return json.dumps({"log": {"creator": {"name": "WebInspector"}, "entries": entries}}).encode()


def generator(seed: int, *names: object) -> np.random.Generator:
    """A generator of its own for each case, so that leaving out one case changes no other."""
    return np.random.default_rng([seed, zlib.crc32("/".join(map(str, names)).encode())])


def recipe_for(faults: tuple[Fault, ...], rng: np.random.Generator, corpus: Path | None) -> Recipe:
    """A healthy recipe in a format that all the faults can have."""
    formats = _common(faults)
    encoding, rate = formats[rng.integers(len(formats))] if formats else ("", 0)
    low = max(fault.turns[0] for fault in faults)
    return healthy(rng, corpus, encoding, rate, turns=int(rng.integers(low, low + 2)))


def _common(faults: tuple[Fault, ...]) -> list[tuple[str, int]]:
    lists = [fault.formats for fault in faults if fault.formats]
    return [value for value in lists[0] if all(value in other for other in lists)] if lists else []


def fault_cases(seed: int, cause: str, count: int, corpus: Path | None) -> Iterator[Case]:
    """Sessions with one fault."""
    fault = FAULTS[cause]
    for number in range(count):
        rng = generator(seed, cause, number)
        recipe = recipe_for((fault,), rng, corpus)
        recipe.status = fault.status
        fault.apply(recipe)
        rows = faults_make.rows(recipe)
        also = frozenset(recipe.also | set(fault.also))
        yield Case(f"{cause}-{number}", rows, (cause,), also, recipe.status, fault.remark, _note(recipe))


def healthy_cases(seed: int, each: int, corpus: Path | None, only: str | None = None) -> Iterator[Case]:
    """Sessions with nothing wrong."""
    for name in [only] if only else list(faults_healthy.KINDS):
        for number in range(each):
            rng = generator(seed, name, number)
            recipe = faults_healthy.KINDS[name](rng, corpus)
            yield Case(f"healthy-{name}-{number}", faults_make.rows(recipe), (), note=_note(recipe))


def _note(recipe: Recipe) -> str:
    form = f"{recipe.encoding} {recipe.scene.rate} Hz, {1000 * recipe.chunk_s:.0f} ms"
    sizes = f"{form}, {recipe.profile}, {recipe.scene.voice}"
    return f"{recipe.note}; {sizes}" if recipe.note else sizes


AMBIGUOUS = (
    {"format", "pace"},  # a wrong declaration and a wrong pace add up to one byte rate
    {"format", "sound"},  # sound cannot be judged in bytes of unknown form
    {"format", "upsampled"},
    {"format", "container"},
    {"format", "events"},
    {"format", "service"},
    {"chunk", "container"},
    {"pace", "hole"},
    {"pace", "service"},
    {"hole", "reader"},
    {"pace", "reader"},
    {"chunk", "reader"},
    {"service", "reader"},
    {"service", "hole"},
    {"service", "ending"},
    {"server", "ending"},
    {"server", "hole"},  # the error may end the session before the other fault begins
    {"server", "pace"},
    {"server", "text"},
    {"ending", "text"},
    {"events", "text"},
    {"events", "hole"},
    {"events", "ending"},
    {"events", "reader"},
    {"language", "text"},
    {"chunk", "hole"},
    {"chunk", "service"},  # a long chunk makes the end of a turn late
    {"chunk", "pace"},
    {"sound", "upsampled"},
)
"""Pairs of stages whose faults hide or imitate each other."""


def compatible(one: Fault, other: Fault) -> bool:
    """Whether a session can have both, each for itself plain to see."""
    if one.solo or other.solo or one.remark or other.remark or one.stage == other.stage:
        return False
    if {one.stage, other.stage} in AMBIGUOUS or {one.cause, other.cause} & {"messages.audio-as-text"}:
        return False
    if {one.cause, other.cause} == {"messages.unknown-command", "endpoint.mixed-up"}:
        return False  # both may stand in for the one close command
    both = (one, other)
    return not (one.formats and other.formats) or bool(_common(both))


def pair_cases(seed: int, count: int, corpus: Path | None) -> Iterator[Case]:
    """Sessions with two faults that do not know of each other."""
    able = [pair for pair in itertools.combinations(FAULTS.values(), 2) if compatible(*pair)]
    order = generator(seed, "pairs").permutation(len(able))
    made = 0
    for index in order:
        if made == count:
            return
        one, other = able[index]
        rng = generator(seed, "pair", one.cause, other.cause)
        recipe = recipe_for((one, other), rng, corpus)
        for fault in sorted(
            (one, other), key=lambda f: f.stage != "service"
        ):  # a fault that remakes the scene comes first
            fault.apply(recipe)
        if recipe.refused is not None:
            continue  # nothing but the handshake is left to be wrong
        if recipe.join is not None and not recipe.text:
            continue  # one fault is in the text that the other one took away
        if recipe.lost_at is not None and recipe.close_command is not None:
            continue  # the command of one fault never goes out
        if recipe.lost_at is not None:
            recipe.lost_at = 0.9 * recipe.scene.duration  # after the other fault
        made += 1
        yield Case(
            f"pair-{made}",
            faults_make.rows(recipe),
            (one.cause, other.cause),
            frozenset(recipe.also),
            note=_note(recipe),
        )


def judge(case: Case, data: bytes | None = None) -> Verdict:
    """Run the tool on a case; `data` is the session in another form than `jsonl`."""
    import sttdoctor

    data = jsonl(case.rows) if data is None else data
    began = time.perf_counter()
    report = sttdoctor.replay(data)
    seconds = time.perf_counter() - began
    said = tuple((d.cause, str(d.status), round(float(d.confidence), 2), tuple(d.explains)) for d in report.diagnoses)
    judged = json.loads(report.to_json())["checks"]
    unknown = tuple(check["id"] for check in judged if check["status"] == "unknown")
    crashed = tuple(f"{c['id']}: {c['answer']}" for c in judged if "rror" in c["answer"] and c["status"] == "unknown")
    return _scored(case, Verdict(
        case.name, case.causes, tuple(sorted(case.also)), case.note, report.status, case.status, said, unknown, crashed,
        round(seconds, 2),
    ))  # fmt: skip


def is_accused(verdict: Verdict) -> bool:
    """Whether anything was said of a healthy session; a warning is a false alarm like any other."""
    return not verdict.causes and (bool(verdict.said) or verdict.status in ("fail", "warn"))


def is_wrong(verdict: Verdict) -> bool:
    """A healthy session that was accused, or a fault that was not told first."""
    return not verdict.strict if verdict.causes else is_accused(verdict)


def _scored(case: Case, verdict: Verdict) -> Verdict:
    names = [cause for cause, *_ in verdict.said]
    everywhere = {name for cause, _, _, explains in verdict.said for name in (cause, *explains)}
    if not case.causes:
        return verdict
    if len(case.causes) == 2:
        own = set(case.causes) <= set(names)
        told = set(case.causes) <= everywhere
        return Verdict(**{**asdict(verdict), "strict": own, "lenient": told, "said": verdict.said})
    cause = case.causes[0]
    good = {cause, *case.also}
    strict = names[:1] == [cause] or (case.remark and cause in everywhere and names[0] in good)
    scores = {
        "strict": strict,
        "lenient": bool(names) and names[0] in good,
        "top3": cause in names[:3] or strict,
        "top3_lenient": bool(good & set(names[:3])),
    }
    return Verdict(**{**asdict(verdict), **scores, "said": verdict.said})

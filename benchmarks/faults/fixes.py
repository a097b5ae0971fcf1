"""The trial of fixes: does what the report says to change leave a capture with nothing found?

    python benchmarks/faults/fixes.py                     # some 400 faulty captures, from a fresh seed
    python benchmarks/faults/fixes.py --seed 7 --only frames --save DIR

Each faulty session of the fault bench whose fix is a change of what is declared, sent or joined is judged; its fix is
carried out as `sttdoctor resend --repair` plans it (and its text joined as the report says); what a client that follows
the plan sends is judged again. A fix is right where its cause is gone, and clean where no other finding is left.
In some captures sound is lost (floats that were cast to -1, 0 and 1): no sending mends those, and the plan has to say
so.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads cost more than they bring in matrices this small

import argparse
import base64
import json
import multiprocessing
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults_bench import Case, fault_cases, jsonl
from faults_recipe import Row

from sttdoctor.api import examine, session_facts
from sttdoctor.errors import InputError
from sttdoctor.report import Report
from sttdoctor.resend.mend import plan_mended
from sttdoctor.resend.plan import Plan

BY_SENDING = (
    "container.wav-header", "container.text",
    "encoding.mismatch", "encoding.unsupported", "encoding.byte-order", "encoding.misaligned", "encoding.changed",
    "encoding.scaled", "encoding.swapped", "encoding.doubled",
    "sample-rate.mismatch", "sample-rate.changed", "channels.interleaved",
    "signal.false-silence", "signal.dc-offset",
    "frames.header", "frames.two-streams", "frames.repeated", "frames.zero-filled", "frames.out-of-order",
    "frames.empty",
    "messages.audio-as-text", "messages.partial-samples", "messages.unknown-command", "messages.command-as-binary",
    "messages.audio-after-close",
    "chunking.too-large", "chunking.too-small", "pacing.burst", "pacing.too-fast", "pacing.too-slow",
    "continuity.muted", "continuity.stalled", "continuity.keepalive", "endpoint.mixed-up",
)  # fmt: skip
BY_JOINING = (
    "joining.updates-joined", "joining.eager-ends-joined", "joining.separator-added", "joining.whitespace-stripped",
    "joining.normalized", "joining.turns-missing", "joining.turns-repeated", "joining.partial-kept",
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """What came of one fix.

    Attributes:
        name: Of the capture.
        cause: That it has.
        note: Its variant.
        named: Whether a diagnosis names the cause, or one that is as good.
        refused: Why nothing could be sent, empty where it could.
        left: Causes that are found in what was mended; remarks that need no repair do not count.
        gone: Whether none of them is the cause.
        changes: What was changed, a sentence each.
        lost: Whether it is told that what the cause took away is not in the capture, so that sending cannot mend it.
    """

    name: str
    cause: str
    note: str
    named: bool
    refused: str
    left: tuple[str, ...]
    gone: bool
    changes: tuple[str, ...]
    lost: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether nothing is found any more."""
        return not self.refused and not self.left


def list_causes(report: Report) -> tuple[str, ...]:
    """Causes of the diagnoses, but for remarks, which need no repair."""
    from sttdoctor.checks import all_causes

    return tuple(d.cause for d in report.diagnoses if not all_causes()[d.cause].informational)


def write_rows(plan: Plan) -> list[Row]:
    """What a client that follows a plan sends, as a recording that does not hold what the service says."""
    url = f"wss://api.cartesia.ai{plan.path}?{plan.query}"
    headers = {"authorization": "Bearer REDACTED", **plan.headers}
    head: Row = {"type": "session", "schema": "sttdoctor.session/1", "url": url, "headers": headers}
    rows = [{**head, "clock": "client", "lacks": ["receive", "text", "close"]}]
    for leg in plan.legs:
        rows.append({"type": "open", "t": leg.begin_s, "status": 101})
        rows += [{"type": "send", "t": leg.begin_s + step.t, **_content(step.content)} for step in leg.steps]
    return rows


def _content(content: bytes | str) -> dict[str, Any]:
    if isinstance(content, bytes):
        return {"audio": base64.b64encode(content).decode("ascii")}
    return {"json": json.loads(content)} if content.startswith("{") else {"text": content}


def try_fix(case: Case) -> Trial:
    """Judge a capture, carry out its fix, and judge what comes of it."""
    facts = session_facts(jsonl(case.rows), None, None, None, None)
    report = examine(facts)
    told = {cause for d in report.diagnoses for cause in (d.cause, *d.explains)}
    cause = case.causes[0]
    named = bool(told & {cause, *case.also})
    if cause in BY_JOINING:
        expected = report.subject["transcript"]["expected"]
        rows = [*(row for row in case.rows if row["type"] != "transcript"), {"type": "transcript", "text": expected}]
        changes: tuple[str, ...] = ("join as the report says",)
        left = tuple(c for c in list_causes(examine(session_facts(jsonl(rows), None, None, None, None), ("joining",))))
    else:
        try:
            plan = plan_mended(facts)
        except InputError as error:
            return Trial(case.name, cause, case.note, named, str(error), (), False, (), lost=True)
        changes = plan.notes
        left = list_causes(examine(session_facts(jsonl(write_rows(plan)), None, None, None, None)))
    lost = any(change.startswith(f"{cause} is not mended") for change in changes)
    return Trial(case.name, cause, case.note, named, "", left, cause not in left, changes, lost)


def task(job: tuple[str, int, int, Path | None]) -> list[Trial]:
    """Try the fixes of some captures of one cause; those that leave a finding are saved."""
    cause, seed, count, save = job
    trials = []
    for case in fault_cases(seed, cause, count, None):
        trials.append(try_fix(case))
        if save and not trials[-1].is_clean:
            save.mkdir(parents=True, exist_ok=True)
            (save / f"{case.name}.jsonl").write_bytes(jsonl(case.rows))
    return trials


def run(causes: list[str], seed: int, each: int, save: Path | None, workers: int) -> Iterator[list[Trial]]:
    """The trials of each cause, in order."""
    jobs = [(cause, seed, each, save) for cause in causes]
    if workers == 1:
        yield from map(task, jobs)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(task, jobs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=None, help="default: a fresh one")
    parser.add_argument("--each", type=int, default=9, help="captures of each cause")
    parser.add_argument("--only", default="", help="causes that begin with this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--save", type=Path, default=None, help="write the captures whose fix leaves a finding there")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    print(f"seed {seed}")
    began = time.monotonic()
    causes = [cause for cause in (*BY_SENDING, *BY_JOINING) if cause.startswith(options.only)]
    trials: list[Trial] = []
    print(f"{'cause':28} {'n':>3} {'named':>5} {'lost':>5} {'gone':>5} {'clean':>5}  left")
    for own in run(causes, seed, options.each, options.save, options.jobs):
        trials += own
        left = Counter(cause for trial in own for cause in trial.left) + Counter(t.refused for t in own if t.refused)
        print(f"{own[0].cause:28} {len(own):3} {sum(t.named for t in own):5} {sum(t.lost for t in own):5} "
              f"{sum(t.gone for t in own):5} "
              f"{sum(t.is_clean for t in own):5}  {', '.join(f'{c} {n}' for c, n in left.most_common())}",
              flush=True)  # fmt: skip
    for trial in trials:
        if not trial.is_clean:
            print(f"{trial.name}: {trial.note}: {'; '.join(trial.changes)} -> {trial.refused or ', '.join(trial.left)}")
    print(f"{len(trials)} captures: {sum(t.named for t in trials)} named; {sum(t.lost for t in trials)} lost sound, "
          f"and that is told; cause gone in {sum(t.gone for t in trials)}, "
          f"nothing left in {sum(t.is_clean for t in trials)}; "
          f"{time.monotonic() - began:.0f} s, seed {seed}")  # fmt: skip


if __name__ == "__main__":
    main()

"""A whole triage: collect, judge what does not stand in the tables yet, write rows as they come, sum up."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sttdoctor.triage.collect import collect
from sttdoctor.triage.row import Row
from sttdoctor.triage.run import run
from sttdoctor.triage.summary import Summary
from sttdoctor.triage.table import Table
from sttdoctor.triage.task import Settings, Task

Bar = Callable[..., Any]
"""A progress bar as tqdm makes one: a context with `update()`, made with `total` and `initial`."""


@dataclass(slots=True)
class Batch:
    """What a triage was asked for, and how far it is.

    Attributes:
        settings: How captures are judged.
        outputs: Tables to write, each .csv or .jsonl.
        resume: Go on with tables that exist.
        force: Write over tables that exist.
        jobs: Captures at a time; -1 is one a core.
        dask: Address of a Dask scheduler.
        done: Rows that stand in the tables.
        total: Rows that will.
    """

    settings: Settings = field(default_factory=Settings)
    outputs: tuple[str, ...] = ()
    resume: bool = False
    force: bool = False
    jobs: int = -1
    dask: str | None = None
    done: int = 0
    total: int = 0

    def triage(self, paths: Iterable[str], summary: Summary, bar: Bar) -> None:
        """Judge captures and add all rows, with those that stood in the tables before, to the summary.

        Raises:
            SttdoctorError: A path, table, setting or cluster cannot be used.
        """
        _try(self.settings)
        tasks = collect(paths, self.outputs)
        with self._tables() as tables:
            before = set.intersection(*(table.done for table in tables)) if tables else set()
            for row in tables[0].rows() if before else ():
                if (row["path"], row["member"]) in before:
                    summary.add(row)
            todo = [task for task in tasks if task.key not in before]
            self.done, self.total = len(before), len(before) + len(todo)
            with bar(total=self.total, initial=self.done) as shown:
                for row in self._judged(todo):
                    for table in tables:
                        table.add(row)
                    summary.add(row)
                    self.done += 1
                    shown.update()

    def _judged(self, tasks: list[Task]) -> Iterator[Row]:
        for row, _ in run(tasks, self.settings, self.jobs, self.dask):
            yield row

    @contextmanager
    def _tables(self) -> Iterator[list[Table]]:
        with ExitStack() as stack:
            tables = []
            for path in self.outputs:
                tables.append(Table(path, self.resume, self.force))
                stack.callback(tables[-1].close)
            yield tables

    def pages(self, summary: Summary) -> Iterator[tuple[tuple[str, str], str]]:
        """Judge the worst examples of a summary once more; yield path and member with the page of each."""
        wanted = set(summary.examples())
        # rows of an earlier run may be of captures that are gone
        there = sorted({path for path, _ in wanted if os.path.exists(path)})
        tasks = [task for task in (collect(there) if there else ()) if task.key in wanted]
        for row, page in run(tasks, self.settings, self.jobs, self.dask, wants_pages=True):
            if page is not None:
                yield (row["path"], row["member"]), page


def _try(settings: Settings) -> None:
    """Refuse settings that make no sense before the first capture is read: the checks are run on one byte.

    Raises:
        UsageError: An unknown encoding, check or threshold.
    """
    from sttdoctor.api import audio_facts, examine

    facts = audio_facts(b"\x00", settings.encoding, settings.sample_rate, settings.thresholds)
    examine(facts, settings.select, settings.ignore)

"""A whole triage: collect, judge what does not stand in the tables yet, write rows as they come, sum up.

Captures are judged in parallel on this machine or on a Dask cluster; joblib does the work, the same for both. A worker
is a thread that asks a judging process of its own (`sttdoctor.triage.sandbox`). Tasks name files, so the workers of a
cluster have to see the captures under the same paths.
"""

import glob
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sttdoctor.errors import InputError, SttdoctorError, UsageError
from sttdoctor.triage.archives import Room, is_archive, members
from sttdoctor.triage.row import Row
from sttdoctor.triage.sandbox import close_all, judge_apart
from sttdoctor.triage.summary import Summary
from sttdoctor.triage.table import Table
from sttdoctor.triage.task import Settings, Task

_CONNECT_S = 10


def run(
    tasks: Iterable[Task], settings: Settings, jobs: int = -1, dask: str | None = None, wants_pages: bool = False
) -> Iterator[tuple[Row, str | None]]:
    """Judge captures and yield each row as soon as it is there, with its page where pages are wanted.

    Args:
        tasks: Taken as workers become free.
        settings: How to judge them.
        jobs: Captures at a time; -1 is one a core. A cluster decides itself.
        dask: Address of a Dask scheduler.
        wants_pages: Whether to render each report.

    Raises:
        UsageError: Dask is not installed.
        SttdoctorError: The scheduler or its workers cannot be reached.
    """
    from joblib import Parallel, delayed

    with _cluster(dask) if dask else _here():
        parallel = Parallel(jobs, prefer="threads", return_as="generator_unordered", pre_dispatch="4*n_jobs")
        done = parallel(delayed(judge_apart)(task, settings, wants_pages) for task in tasks)
        try:
            for judgement in done:  # noqa: UP028 - `yield from` would close the generator without what follows
                yield judgement
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # that work is thrown away, which is what was asked for
                done.close()


@contextmanager
def _here() -> Iterator[None]:
    try:
        yield
    finally:
        close_all()


@contextmanager
def _cluster(address: str) -> Iterator[None]:
    from joblib import parallel_config

    client = _client(address)
    try:
        with parallel_config(backend="dask", client=client, wait_for_workers_timeout=_CONNECT_S):
            yield
    except TimeoutError:
        raise SttdoctorError(f"the Dask scheduler at {address} has no workers") from None
    finally:
        client.run(close_all, on_error="ignore")
        client.close()


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--dask needs the package distributed: pip install distributed") from None
    try:
        return Client(address, timeout=_CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SttdoctorError(f"cannot reach a Dask scheduler at {address}: {error}") from None


def collect(paths: Iterable[str], leave_out: Iterable[str] = ()) -> list[Task]:
    """Return one task a capture, in the order of the paths and by name inside a folder; each capture once.

    Folders are searched with all that is below them; links to folders are not followed, hidden files and what is no
    regular file are left out. A pattern (`*`, `?`, `[`, `**`) is matched where no file has that name.

    Args:
        paths: Of files, folders and archives, or patterns.
        leave_out: Files that are no captures whatever folder they stand in: the tables to be written.

    Raises:
        InputError: A path does not exist or a pattern matches nothing, or there is no capture at all.
        UsageError: A path is one of `leave_out`.
    """
    unwanted = {os.path.realpath(path) for path in leave_out}
    found: dict[tuple[str, str], Task] = {}
    room = Room()
    for path in paths:
        for name in _matches(path):
            if os.path.realpath(name) in unwanted:
                raise UsageError(f"{name} is an input; choose another file to write")
            for file in _files(name):
                if os.path.realpath(file) not in unwanted:
                    for task in _tasks(os.path.normpath(file), room):
                        if task.member:  # the last of one name, at its own place: a packed archive is read forwards
                            found.pop(task.key, None)
                        found[task.key] = task
    if not found:
        raise InputError(f"there are no captures in {', '.join(paths)}")
    return list(found.values())


def _matches(path: str) -> list[str]:
    if os.path.lexists(path):
        return [path]
    names = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
    if not names:
        what = "no file matches" if glob.has_magic(path) else "there is no"
        raise InputError(f"{what} {path}")
    return names


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            file = os.path.join(folder, name)
            if not name.startswith(".") and os.path.isfile(file):
                yield file


def _tasks(path: str, room: Room) -> Iterator[Task]:
    if is_archive(path) and os.path.isfile(path):
        yield from members(path, room)
    else:
        yield Task(path)


Bar = Callable[..., Any]
"""A progress bar as click makes one: a context with `update(rows)`, made with `length`."""


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
        try_settings(self.settings)
        tasks = collect(paths, self.outputs)
        with self._tables() as tables:
            before = set.intersection(*(table.done for table in tables)) if tables else set()
            for row in tables[0].rows() if before else ():
                if (row["path"], row["member"]) in before:
                    summary.add(row)
            todo = [task for task in tasks if task.key not in before]
            self.done, self.total = len(before), len(before) + len(todo)
            with bar(length=self.total) as shown:
                shown.update(self.done)
                for row in self._judge(todo):
                    for table in tables:
                        table.add(row)
                    summary.add(row)
                    self.done += 1
                    shown.update(1)

    def _judge(self, tasks: list[Task]) -> Iterator[Row]:
        for row, _ in self._run(tasks):
            yield row

    def _run(self, tasks: list[Task], wants_pages: bool = False) -> Iterator[tuple[Row, str | None]]:
        jobs = min(self.jobs, max(len(tasks), 1))  # each is a thread and a process
        return run(tasks, self.settings, jobs, self.dask, wants_pages)

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
        for row, page in self._run(tasks, wants_pages=True):
            if page is not None:
                yield (row["path"], row["member"]), page


def try_settings(settings: Settings) -> None:
    """Refuse settings that make no sense before the first capture is read: the checks are run on one byte.

    Raises:
        UsageError: An unknown encoding, check or threshold.
    """
    from sttdoctor.api import audio_facts, examine

    facts = audio_facts(b"\x00", settings.encoding, settings.sample_rate, settings.thresholds)
    examine(facts, settings.select, settings.ignore)

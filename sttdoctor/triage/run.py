"""All captures, in parallel on this machine or on a Dask cluster; joblib does the work, the same for both.

A worker is a thread that asks a judging process of its own (`sttdoctor.triage.sandbox`). Tasks name files, so the
workers of a cluster have to see the captures under the same paths.
"""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sttdoctor.errors import SttdoctorError, UsageError
from sttdoctor.triage.row import Row
from sttdoctor.triage.sandbox import close_all, judged
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
        done = parallel(delayed(judged)(task, settings, wants_pages) for task in tasks)
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
        raise UsageError("--dask needs the package distributed: pip install 'sttdoctor[dask]'") from None
    try:
        return Client(address, timeout=_CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise SttdoctorError(f"cannot reach a Dask scheduler at {address}: {error}") from None

"""What a fleet costs: rows a second with 1 and 2 workers, memory over the run, growth with the number of captures.

    python benchmarks/speed/triage.py FOLDER                                  # 100 and 1,000 captures; 2 GB of disk
    python benchmarks/speed/triage.py FOLDER --counts 10000 --dask            # the long run; 22 GB of disk

Captures are sessions of about 20 s with audio (`triage_captures.py`); they are left in the folder. Each run is a whole
process, start-up included. Memory is the resident set of the process that hands out (`parent`) and of the largest
judging process, the most in the first and in the last third of the run. With --dask the same captures go to a local
cluster of two workers. All tables of one count have to be the same, row for row, but for the seconds. With --earlier
the build in that checkout judges the same captures in turn with this one; its table may differ.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triage_captures import PER_FOLDER, folders

Rows = list[dict[str, object]]


def resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found


def watch(process: "subprocess.Popen[bytes]", samples: list[tuple[float, float]]) -> None:
    while process.poll() is None:
        samples.append((resident_mb(process.pid), max(map(resident_mb, children(process.pid)), default=0.0)))
        time.sleep(0.25)


def triage(
    paths: list[Path], *options: str, source: Path | None = None
) -> tuple[float, float, list[tuple[float, float]], Rows]:
    """Run the command, of another build where its source is given.

    Returns:
        Seconds of clock and of CPU, memory samples, and the table sorted by name.
    """
    with tempfile.TemporaryDirectory() as work:
        table = Path(work) / "t.jsonl"
        command = [sys.executable, "-m", "sttdoctor", "triage", *map(str, paths), "-o", str(table), *options]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        environment = os.environ | ({"PYTHONPATH": str(source)} if source else {})
        # elsewhere than in a checkout, whose package would stand before that of another build
        process = subprocess.Popen(
            [*command, "--fail-on", "never"], stdout=subprocess.DEVNULL, env=environment, cwd=work
        )
        samples: list[tuple[float, float]] = []
        watcher = threading.Thread(target=watch, args=(process, samples))
        watcher.start()
        code = process.wait()
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        watcher.join()
        if code:
            sys.exit(f"triage ended with {code}")
        rows = [json.loads(line) for line in table.read_text(encoding="ascii").splitlines()]
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, busy, samples, sorted(rows, key=lambda row: str(row["path"]))


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A scheduler and workers of one thread each, as processes on loopback; yields the address."""
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "scheduler.json"
        common = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
        options = ["--nthreads", "1", "--no-nanny"]
        dask = [sys.executable, "-m"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        made = [subprocess.Popen([*dask, "distributed.cli.dask_scheduler", "--port", "0", *common], **quiet)]
        try:
            while not (file.exists() and file.read_text().endswith("}")):
                time.sleep(0.05)
            made += [
                subprocess.Popen([*dask, "distributed.cli.dask_worker", *options, *common], **quiet)
                for _ in range(workers)
            ]
            from distributed import Client

            address = json.loads(file.read_text())["address"]
            with Client(address, set_as_default=False) as client:
                client.wait_for_workers(workers)
            yield address
        finally:
            for process in made:
                process.terminate()
                process.wait()


def told(count: int, name: str, result: tuple[float, float, list[tuple[float, float]], Rows]) -> float:
    seconds, busy, samples, rows = result
    third = max(1, len(samples) // 3)
    parent, worker = ((max(side[:third]), max(side[-third:])) for side in zip(*samples, strict=True))
    faults = Counter(str(row["cause"] or row["status"]) for row in rows)
    print(
        f"{count:>7,} {name:<15}{seconds:9.1f} s {count / seconds:7.2f} a second {1000 * busy / count:6.0f} ms CPU each"
        f"  parent {parent[0]:.0f} -> {parent[1]:.0f} MB  judging {worker[0]:.0f} -> {worker[1]:.0f} MB"
        f"  {len(rows)} rows, {faults['pass']} pass, {faults['error']} errors",
        flush=True,
    )
    return seconds


def same(one: Rows, other: Rows) -> bool:
    return [row | {"seconds": 0} for row in one] == [row | {"seconds": 0} for row in other]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000], help=f"multiples of {PER_FOLDER}")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--dask", action="store_true", help="also on a local cluster of two workers")
    parser.add_argument("--earlier", type=Path, help="a checkout of an earlier build")
    options = parser.parse_args()
    for count in options.counts:
        began = time.perf_counter()
        paths = list(folders(options.folder.resolve(), count))
        print(f"{count:>7,} captures are there after {time.perf_counter() - began:.0f} s", flush=True)
        seconds, tables = {}, []
        for jobs in options.jobs:
            result = triage(paths, "--jobs", str(jobs))
            seconds[jobs] = told(count, f"{jobs} jobs", result)
            tables.append(result[-1])
            if options.earlier:
                told(count, f"{jobs} jobs, earlier", triage(paths, "--jobs", str(jobs), source=options.earlier))
        if options.dask:
            with cluster(2) as address:
                result = triage(paths, "--dask", address)
            told(count, "dask", result)
            tables.append(result[-1])
        if 1 in seconds and 2 in seconds:
            print(f"        speed-up of 2 workers {seconds[1] / seconds[2]:.2f}")
        print(f"        tables the same, row for row: {all(same(tables[0], table) for table in tables)}", flush=True)


if __name__ == "__main__":
    main()

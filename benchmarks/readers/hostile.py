"""What hostile captures cost: time and memory beside size, and the growth for each doubling.

`python benchmarks/readers/hostile.py FOLDER [--shapes log- joining-] [--from 10000] [--to 10000000] [--jobs 1]` writes
each shape of `hostile_shapes.py` into the folder at doubling sizes, judges it by a process of its own and prints a line
for each: seconds of its processor without those of a small healthy session, the peak of its memory, and by how much the
seconds grew. A `!` marks what breaks a promise: growth over 2.5 for a doubling (from a second on), more than 5 s up to
1 MB, more than 500 MB, a traceback or anything on standard error that is no sentence. A shape that took more than
`--limit` seconds is not doubled again.
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hostile_shapes import PAGE, REPLAY, SHAPES, Shape

GROWTH, SECONDS, MEGABYTES = 2.5, 5.0, 500
CODE = "import sys, sttdoctor.cli; sttdoctor.cli.main()"


def judge(shape: Shape, path: Path, limit: float, page: bool = False) -> tuple[float, int, str]:
    """(seconds of the processor, peak in MB, what is wrong) of one process."""
    is_replay = shape.command[: len(REPLAY)] == REPLAY
    parts = PAGE + shape.command[len(REPLAY) :] if page and is_replay else shape.command
    command = [sys.executable, "-c", CODE, *(part.replace("{}", str(path)) for part in parts)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2)),
        env={"OPENBLAS_NUM_THREADS": "1", **os.environ},
    )
    assert process.stderr is not None
    said = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    wrong = ""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        wrong = "stopped"
    elif code not in (0, 1, 2) or "Traceback" in said or "Warning" in said:
        wrong = f"code {code}: {said[-300:]}"
    elif code == 2:
        wrong = f"({said.strip()[:120]})"
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024, wrong


def measure(name: str, arguments: argparse.Namespace, start: float) -> Iterator[str]:
    shape = SHAPES[name]
    before, size = None, arguments.start
    while size <= arguments.stop:
        path = arguments.folder / f"{name}-{size}{shape.suffix}"
        length = path.write_bytes(shape.make(size))
        seconds, megabytes, wrong = judge(shape, path, arguments.limit, arguments.page)
        for made in arguments.folder.glob(f"{path.name}*"):
            made.unlink()
        own = max(0.0, seconds - start)
        growth = own / before if before else 0.0
        broken = (
            (wrong != "" and not wrong.startswith("("))
            or (growth > GROWTH and own > 1)
            or (length <= 1_100_000 and seconds > SECONDS)
            or megabytes > MEGABYTES
        )
        figures = f"{length:>10}{seconds:>8.2f}{megabytes:>7}{growth:>7.2f}"
        yield f"{name:<24}{figures} {'!' if broken else ' '} {wrong}".rstrip()
        if seconds > arguments.limit:
            return
        before, size = (own if own > 0.05 else None), 2 * size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shapes", nargs="+", default=[""], help="beginnings of names")
    parser.add_argument("--from", dest="start", type=int, default=10_000)
    parser.add_argument("--to", dest="stop", type=int, default=10_500_000)
    parser.add_argument("--page", action="store_true", help="make the HTML report instead of JSON")
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    small = arguments.folder / "start.jsonl"
    small.write_bytes(SHAPES["natural-session"].make(2000))
    start = judge(SHAPES["natural-session"], small, arguments.limit)[0]
    print(f"{'shape':<24}{'bytes':>10}{'s':>8}{'MB':>7}{'growth':>7}   (a small session: {start:.2f} s)", flush=True)
    names = [name for name in SHAPES if name.startswith(tuple(arguments.shapes))]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for lines in pool.map(lambda name: list(measure(name, arguments, start)), names):
            print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    main()

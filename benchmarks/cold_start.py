"""What `sttdoctor --help` costs beside a bare `import click`, in turn: `python benchmarks/cold_start.py`."""

import subprocess
import sys
import time
from statistics import median

COMMANDS = {
    "import click": [sys.executable, "-c", "import click"],
    "sttdoctor --help": [sys.executable, "-m", "sttdoctor", "--help"],
}
RUNS = 20


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for run in range(RUNS + 1):
        for name, command in COMMANDS.items():
            took = seconds(command)
            if run:  # the first one warms the file cache
                times[name].append(took)
    for name, values in times.items():
        print(f"{name:<18}{1000 * median(values):7.1f} ms (median of {RUNS})")
    print(f"ratio {median(times['sttdoctor --help']) / median(times['import click']):.2f}")


if __name__ == "__main__":
    main()

"""Time and peak memory of whole processes, each beside its peers in turn.

    python benchmarks/speed/speed.py CLIPS FOLDER [--runs 5] [--parts help,short,call,1h,10h,session] [--earlier SOURCE]

CLIPS is a folder with FLAC files of speech (a corpus, or `fixtures/source`). The recordings are made from them once and
written into FOLDER: an hour takes 115 MB, ten hours 1.15 GB, a session of an hour 156 MB. `call` is a session of 20 s.
Peers that are not installed (sox, ffmpeg, jq) are left out. SOURCE is a checkout of an earlier build, which is run in
turn with this one. `wall` is what a user waits, `cpu` what the processors worked: on a busy machine the second is the
steadier one.
"""

import argparse
import base64
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.append(str(Path(__file__).parents[1] / "accuracy"))

from long_audio import RATE, clips, write_long

FRAME = 3200  # bytes: 100 ms
RAW = ["-r", str(RATE), "-e", "signed", "-b", "16", "-c", "1"]
BARE = """
import base64, json, sys
for line in open(sys.argv[1], "rb"):
    row = json.loads(line)
    if "audio" in row:
        base64.b64decode(row["audio"])
"""

Commands = dict[str, list[str]]


def write_session(path: Path, audio: bytes) -> None:
    """A healthy session: a frame every 100 ms, a turn every 6 s with an update every 0.4 s."""
    rng, words = (
        random.Random(1),
        ["and", "then", "the", "answer", "came", "as", "it", "always", "does", "when", "nobody", "waits", "for", "it"],
    )
    request, text = "made-up-request", ""
    with path.open("w", encoding="utf-8") as file:

        def row(**keys: object) -> None:
            file.write(json.dumps(keys, separators=(",", ":")) + "\n")

        def receive(t: float, kind: str, **keys: object) -> None:
            row(type="receive", t=round(t, 4), json={"type": kind, "request_id": request, **keys})

        url = f"wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate={RATE}"
        headers = {"authorization": "REDACTED", "cartesia-version": "2026-03-01"}
        row(type="session", schema="sttdoctor.session/1", url=url, headers=headers, client="made up")
        row(type="open", t=0.08, status=101)
        receive(0.083, "connected")
        count = len(audio) // FRAME
        for number in range(count):
            t = 0.1 + 0.1 * number
            content = base64.b64encode(audio[number * FRAME : (number + 1) * FRAME]).decode()
            row(type="send", t=round(t + abs(rng.gauss(0, 0.004)), 4), audio=content)
            place = number % 60
            if place == 5:
                receive(t + 0.05, "turn.start")
                text = ""
            elif 5 < place < 50 and place % 4 == 0:
                text += (" " if text else "") + rng.choice(words)
                receive(t + 0.05, "turn.update", transcript=text)
            elif place == 55:
                receive(t + 0.05, "turn.end", transcript=text + ". ")
        row(type="send", t=round(0.1 * count + 0.2, 4), json={"type": "close"})
        row(type="close", t=round(0.1 * count + 0.5, 4), by="server", code=1000, reason="")


def made(folder: Path, corpus: Path, part: str) -> Path:
    """The file that a part reads, made where it is missing."""
    seconds = {"short": 10, "1h": 3600, "10h": 36000}
    path = folder / {"session": "1h.jsonl", "call": "call.jsonl"}.get(part, f"{part}.raw")
    if path.exists():
        return path
    if part == "session":
        write_session(path, made(folder, corpus, "1h").read_bytes())
    elif part == "call":
        write_session(path, made(folder, corpus, "1h").read_bytes()[: 20 * 2 * RATE])
    else:
        write_long(path, clips(corpus), seconds[part])
    return path


def commands(part: str, path: Path | None) -> Commands:
    """The command first, then what it is held against."""
    tool = [sys.executable, "-m", "sttdoctor"]
    python = [sys.executable, "-c"]
    if path is None:
        return {"sttdoctor --help": [*tool, "--help"], "import click": [*python, "import click"]}
    file = str(path)
    if part in ("call", "session"):
        return {
            "sttdoctor replay": [*tool, "replay", file],
            "json.loads and b64decode": [*python, BARE, file],
            "jq -c .type": ["jq", "-c", ".type", file],
            "import numpy": [*python, "import numpy"],
        }
    check = {"sttdoctor check": [*tool, "check", file, "--encoding", "pcm_s16le", "--sample-rate", str(RATE)]}
    if part == "short":
        return {**check, "import numpy, scipy.fft": [*python, "import numpy, scipy.fft"]}
    astats = ["-hide_banner", "-nostats", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", file, "-af", "astats"]
    return {
        **check,
        "sox stats": ["sox", "-t", "raw", *RAW, file, "-n", "stats"],
        "ffmpeg astats": ["ffmpeg", *astats, "-f", "null", "-"],
        "import numpy": [*python, "import numpy"],
    }


RUNNER = """
import json, os, sys, time
nowhere = os.open(os.devnull, os.O_WRONLY)
actions = [(os.POSIX_SPAWN_DUP2, nowhere, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)]
began = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
usage = os.wait4(process, 0)[2]
unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
print(json.dumps([time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit]))
"""


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds of clock, seconds of processor and peak MB of one process.

    A small process starts it: the peak of a process counts that of the one that it was forked from.
    """
    runner = [sys.executable, "-S", "-c", RUNNER, *command]
    # elsewhere than in a checkout, whose package would stand before that of another build
    elsewhere = tempfile.gettempdir()
    done = subprocess.run(runner, capture_output=True, text=True, check=True, env=environment, cwd=elsewhere)
    wall, cpu, memory = json.loads(done.stdout)
    return wall, cpu, memory


def compare(title: str, chosen: Commands, runs: int, earlier: Path | None) -> None:
    # without byte code every start would compile all of the package
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = {**environment, "PYTHONPATH": str(earlier)}
    present = {name: (command, environment) for name, command in chosen.items() if shutil.which(command[0])}
    if earlier:
        present |= {
            f"{name}, earlier": (command, before) for name, command in chosen.items() if name.startswith("sttdoctor")
        }
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in present}
    for number in range(runs + 1):
        for name, (command, variables) in present.items():
            measured = run(command, variables)
            if number:  # the first one warms the file cache
                figures[name].append(measured)
    print(f"\n{title} (medians of {runs}; least and most)")
    for name, values in figures.items():
        wall, cpu, memory = zip(*values, strict=True)
        print(
            f"  {name:26} wall {median(wall):7.2f} s ({min(wall):.2f} to {max(wall):.2f})  "
            f"cpu {median(cpu):6.2f} s ({min(cpu):.2f} to {max(cpu):.2f})  {max(memory):5.0f} MB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--parts", default="help,short,call,1h,10h,session")
    parser.add_argument("--earlier", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for part in options.parts.split(","):
        path = None if part == "help" else made(options.folder.resolve(), options.clips, part)
        compare(part, commands(part, path), options.runs, options.earlier)


if __name__ == "__main__":
    main()

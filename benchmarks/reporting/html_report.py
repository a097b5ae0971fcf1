"""What the HTML report and the picture of an hour cost: time, size and memory on top of the analysis.

`python benchmarks/reporting/html_report.py FOLDER [--minutes 60]` writes a session of that length into the folder (left
there): 16-bit audio at 16 kHz in frames of 100 ms, speech from the fixtures with pauses, a turn every six seconds with
its updates, a burst and a gap. Each row of the table is a process of its own: the application's text right, joined with
line breaks, and with every update appended.
"""

import argparse
import base64
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
RATE, FRAME_S = 16000, 0.1
URL = f"wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_s16le&sample_rate={RATE}"
CLIPS = ("mary", "bobby", "austen-0870", "austen-0880", "austen-0890", "austen-0920", "kennedy", "arctic-a0007")
WORDS = (
    "the",
    "barrel",
    "was",
    "rolled",
    "by",
    "Mary",
    "and",
    "nobody",
    "could",
    "say",
    "why",
    "she",
    "had",
    "not",
    "asked",
)
TURN_S = 6.0
TEXTS = ("right", "lines", "updates")


def audio(seconds: float) -> bytes:
    sys.path.insert(0, str(ROOT))
    from fixtures.sounds import encode, scene

    parts = [part for name in CLIPS for part in (name, 1.4)]
    loop = encode(scene(parts, RATE), "pcm_s16le")
    wanted = int(seconds * RATE) * 2
    return (loop * (wanted // len(loop) + 1))[:wanted]


def sent_at(number: int) -> float:
    """The clock of a frame: steady, with a gap of 3 s at 10 minutes and a burst of 5 s at 20 minutes."""
    t = 0.2 + number * FRAME_S + 0.004 * ((number * 7919) % 11)
    t += 3.0 if number >= 6000 else 0.0
    return t - min(5.0, max(0, number - 12000) * FRAME_S * 0.9)


def turn_texts(seconds: float) -> list[str]:
    order = np.random.default_rng(5)
    lengths = order.integers(6, len(WORDS), size=int(seconds / TURN_S))
    texts = [" ".join(order.permutation(WORDS)[:length]).capitalize() + "." for length in lengths]
    return [texts[0], *(" " + text for text in texts[1:])]


def events(texts: list[str]) -> Iterator[tuple[float, dict[str, object]]]:
    for number, text in enumerate(texts):
        start = 1.0 + number * TURN_S
        yield start, {"type": "turn.start"}
        words = text.split(" ")
        for i in range(1, len(words)):
            part = " ".join(words[: i + 1])
            yield start + 4.0 * i / len(words), {"type": "turn.update", "transcript": part}
        yield start + 4.5, {"type": "turn.end", "transcript": text}


def rows(minutes: float) -> Iterator[tuple[float, dict[str, object]]]:
    seconds = minutes * 60
    data = audio(seconds)
    size = int(FRAME_S * RATE) * 2
    for number, start in zip(count(), range(0, len(data), size), strict=False):
        chunk = base64.b64encode(data[start : start + size]).decode()
        yield sent_at(number), {"type": "send", "t": round(sent_at(number), 3), "audio": chunk}
    for t, message in events(turn_texts(seconds)):
        yield t, {"type": "receive", "t": round(t, 3), "json": {**message, "request_id": "hour"}}


def write(path: Path, minutes: float) -> None:
    ordered = sorted(rows(minutes), key=lambda row: row[0])
    last = ordered[-1][0]
    with path.open("w") as file:
        file.write(json.dumps({"type": "session", "schema": "sttdoctor.session/1", "url": URL}) + "\n")
        file.write(json.dumps({"type": "open", "t": 0.1, "status": 101}) + "\n")
        file.writelines(json.dumps(row) + "\n" for _, row in ordered)
        file.write(json.dumps({"type": "send", "t": last + 0.1, "json": {"type": "close"}}) + "\n")
        file.write(json.dumps({"type": "close", "t": last + 0.4, "by": "server", "code": 1000}) + "\n")


def application_text(kind: str, minutes: float) -> str:
    texts = turn_texts(minutes * 60)
    if kind == "right":
        return "".join(texts)
    if kind == "lines":
        return "\n".join(texts)
    return "".join(str(message.get("transcript", "")) for _, message in events(texts))


def measure(path: Path, kind: str, minutes: float, picture: Path | None) -> None:
    """One process: read, judge, compute the exhibits, render; seconds of each on the clock, and of the processor."""
    from sttdoctor.api import examine, session_facts

    clock, used = [time.perf_counter()], [time.process_time()]
    facts = session_facts(str(path), application_text(kind, minutes), None, None, None)
    clock.append(time.perf_counter())
    used.append(time.process_time())
    report = examine(facts)
    clock.append(time.perf_counter())
    used.append(time.process_time())
    before = peak_mb()
    from sttdoctor.reporting.data.collect import collect

    exhibits = collect(facts, report)
    clock.append(time.perf_counter())
    used.append(time.process_time())
    if picture is not None:
        from sttdoctor.reporting.figures.pictures import plot

        plot(report, exhibits, str(picture))
        size = picture.stat().st_size
    else:
        from sttdoctor.reporting.html import render

        page = render(report, exhibits=exhibits)
        path.with_suffix(f".{kind}.html").write_text(page)
        size = len(page.encode())
    clock.append(time.perf_counter())
    used.append(time.process_time())
    names = ("read", "judge", "exhibits", "render")
    seconds = {name: round(value, 2) for name, value in zip(names, np.diff(clock).tolist(), strict=True)}
    seconds["cpu"] = round(used[-1] - used[2], 2)
    cause = report.diagnoses[0].cause if report.diagnoses else "-"
    peaks = {"before_mb": before, "peak_mb": peak_mb()}
    print(json.dumps({**seconds, "mb": round(size / 1e6, 3), **peaks, "cause": cause, "failed": exhibits.failed}))


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--one", nargs=2, metavar=("TEXT", "PICTURE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    path = args.folder / f"session-{args.minutes:g}-min.jsonl"
    if args.one:
        measure(path, args.one[0], args.minutes, Path(args.one[1]) if args.one[1] else None)
        return
    if not path.exists():
        write(path, args.minutes)
    columns = (
        "output",
        "text",
        "judge s",
        "exhibits s",
        "render s",
        "both, processor s",
        "MB",
        "peak MB",
        "before",
        "first",
    )
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for kind, picture in [*((kind, "") for kind in TEXTS), ("right", str(path.with_suffix(".png")))]:
        command = [sys.executable, __file__, str(args.folder), "--minutes", str(args.minutes), "--one", kind, picture]
        done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        assert not done["failed"], done["failed"]
        values = (done[key] for key in ("judge", "exhibits", "render", "cpu", "mb", "peak_mb", "before_mb", "cause"))
        print(f"| {' | '.join(map(str, ('PNG' if picture else 'HTML', kind, *values)))} |")


if __name__ == "__main__":
    main()

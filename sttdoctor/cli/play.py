"""`--play`: the excerpts of a report, one after the other, through ffplay."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from sttdoctor.report import Report
from sttdoctor.reporting.data.values import Exhibits, Version

_PATIENCE_S = 15
"""A player that is not done so long after the end of the sound hangs."""


def play(report: Report, exhibits: Exhibits) -> None:
    """Play the loudest stretch as declared, then as detected; say on standard error which one plays.

    Where there is no ffplay, say what to run where there is. What cannot be played changes nothing about the verdict.

    Args:
        report: The report.
        exhibits: Its exhibits.
    """
    versions = list(_versions(exhibits))
    if not versions:
        _say(exhibits.no_sound or "There is nothing to play.")
        return
    player = shutil.which("ffplay")
    if player is None:
        _advise(report)
        return
    with tempfile.TemporaryDirectory(prefix="sttdoctor-") as folder:
        for number, (title, version) in enumerate(versions):
            path = Path(folder) / f"{number}.wav"
            path.write_bytes(version.wav or b"")
            _say(f"Playing {title}: {version.reading} ({version.seconds:.1f} s)")
            problem = _run(player, path, version.seconds)
            if problem:
                _say(problem)


def _versions(exhibits: Exhibits) -> Iterator[tuple[str, Version]]:
    excerpt = exhibits.excerpt
    if excerpt is None:
        return
    declared = "as declared, which is also what was detected" if excerpt.fits else "as declared"
    for title, version in ((declared, excerpt.declared), ("as detected", excerpt.detected)):
        if version is not None and version.wav is None:
            _say(f"Not played {title}: {version.reading}. {version.remark}")
        elif version is not None:
            yield title, version


def _run(player: str, path: Path, seconds: float) -> str | None:
    """Play a file to its end; return what went wrong."""
    command = [player, "-nodisp", "-autoexit", "-loglevel", "error", str(path)]
    try:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=seconds + _PATIENCE_S).returncode
    except subprocess.TimeoutExpired:
        return "ffplay did not come to an end and was stopped."
    except OSError as error:
        return f"ffplay cannot be run: {error.strerror or error}."
    return f"ffplay could not play it (exit code {code})." if code else None


def _advise(report: Report) -> None:
    """What to run on a machine with ffplay."""
    names = ("convert", "declared", "estimated")
    commands = [report.listen[name] for name in names if report.listen.get(name)]
    _say("There is no ffplay here; it comes with FFmpeg. " + ("Run:" if commands else "--wav FILE writes the audio."))
    for command in dict.fromkeys(commands):
        _say(f"  {command}")


def _say(text: str) -> None:
    from sttdoctor.reporting.escape import for_terminal

    click.echo(for_terminal(text), err=True)

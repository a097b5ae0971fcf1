"""`--play`: the excerpts through ffplay, one after the other."""

import os
import shutil
import sys

import pytest
from common import FIXTURES

WRONG = FIXTURES / "audio" / "mulaw-declared-s16.raw"
DECLARED = ("--encoding", "pcm_s16le", "--sample-rate", "8000", "--select", "encoding")
FAKE = """#!{python}
import os, sys, wave
with wave.open(sys.argv[-1]) as file, open(os.environ["PLAYED"], "a") as log:
    print(*sys.argv[1:-1], file.getframerate(), file.getnframes() / file.getframerate(), file=log)
sys.exit(int(os.environ.get("CODE", "0")))
"""


@pytest.fixture
def player(tmp_path, monkeypatch):
    """A stand-in for ffplay that notes what it is asked to play; returns the file with its notes."""
    path = tmp_path / "bin" / "ffplay"
    path.parent.mkdir()
    path.write_text(FAKE.format(python=sys.executable))
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED", str(tmp_path / "played"))
    return tmp_path / "played"


def test_two_versions_are_played_one_after_the_other(run, player):
    done = run("check", WRONG, *DECLARED, "--play")
    assert done.code == 1 and done.out.startswith("FAIL")
    played = [line.rsplit(" ", 1) for line in player.read_text().splitlines()]
    assert [options for options, _ in played] == ["-nodisp -autoexit -loglevel error 8000"] * 2
    assert [round(float(seconds)) for _, seconds in played] == [3, 6]
    assert done.err.splitlines() == [
        "Playing as declared: pcm_s16le at 8000 Hz (3.0 s)",
        "Playing as detected: pcm_mulaw at 8000 Hz (6.0 s)",
    ]


def test_a_right_declaration_is_played_once_and_json_stays_alone(run, player):
    path = FIXTURES / "sessions" / "healthy-mulaw-20ms.jsonl"
    done = run("replay", path, "--select", "encoding", "--play", "--format", "json")
    assert done.out.startswith("{") and done.out.endswith("}\n")
    assert done.err.startswith("Playing as declared, which is also what was detected: pcm_mulaw at 8000 Hz")
    assert len(player.read_text().splitlines()) == 1


@pytest.mark.usefixtures("player")
def test_a_player_that_fails_changes_nothing_about_the_verdict(run, monkeypatch):
    monkeypatch.setenv("CODE", "3")
    done = run("check", WRONG, *DECLARED, "--play", "--fail-on", "never")
    assert done.code == 0 and done.err.count("ffplay could not play it (exit code 3).") == 2


def test_without_ffplay_it_says_what_to_run(run, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    done = run("check", WRONG, *DECLARED, "--play")
    assert "There is no ffplay here" in done.err
    assert f"  ffplay -f s16le -ar 8000 {WRONG}" in done.err and f"  ffplay -f mulaw -ar 8000 {WRONG}" in done.err
    piped = run("check", "-", *DECLARED, "--play", stdin=WRONG.read_bytes())
    assert "--wav FILE writes the audio" in piped.err


def test_without_sound_it_says_so(run):
    done = run("check", "-", *DECLARED, "--play", stdin=bytes(10))
    assert "too short" in done.err


@pytest.mark.skipif(shutil.which("ffplay") is None, reason="there is no ffplay")
def test_the_real_player_plays_it(run, monkeypatch):
    monkeypatch.setenv("SDL_AUDIODRIVER", "dummy")
    audio = WRONG.read_bytes()[:8000]
    done = run("check", "-", *DECLARED, "--play", stdin=audio)
    assert done.err.splitlines()[0].startswith("Playing as declared") and "could not" not in done.err

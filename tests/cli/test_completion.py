"""Completion by click's protocol: what a shell asks and what it gets."""

import os
import subprocess
import sys

import pytest

from sttdoctor.checks import all_causes, all_checks
from sttdoctor.encodings import SUPPORTED
from sttdoctor.reporting import FORMATS
from sttdoctor.simulate.faults import FAULTS
from sttdoctor.thresholds import THRESHOLDS


@pytest.fixture
def offered(run, monkeypatch):
    """What bash is offered for the last word of a line."""

    def ask(line):
        words = line.split(" ")
        monkeypatch.setenv("_STTDOCTOR_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        done = run()
        assert (done.code, done.err) == (0, "")
        return [row.partition(",")[2] for row in done.out.splitlines()]

    return ask


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("sttdoctor check --encoding ", list(SUPPORTED)),
        ("sttdoctor replay --encoding pcm_s", ["pcm_s16le", "pcm_s32le"]),
        ("sttdoctor check --sample-rate 4", ["44100", "48000"]),
        ("sttdoctor replay --select ", [check.id for check in all_checks()]),
        ("sttdoctor replay --ignore drain,drain,ch", ["drain,drain,channels", "drain,drain,chunking"]),
        ("sttdoctor replay --format ", list(FORMATS)),
        ("sttdoctor triage --fail-on w", ["warn"]),
        ("sttdoctor simulate --fault ", list(FAULTS)),
        ("sttdoctor replay --set ", [f"{limit.name}={limit.default:g}" for limit in THRESHOLDS]),
        ("sttdoctor triage --group-by client,en", ["client,endpoint", "client,encoding", "client,end_of_turn_s"]),
        ("sttdoctor replay --connection a", ["all"]),
        ("sttdoctor ex", ["explain"]),
        ("sttdoctor replay --trans", ["--transcript"]),
    ],
)
def test_names_are_offered_where_one_is_typed(offered, line, names):
    assert offered(line) == names


def test_explain_offers_every_check_and_cause(offered):
    assert offered("sttdoctor explain ") == [*(check.id for check in all_checks()), *all_causes(), "sources", "quirks"]
    assert offered("sttdoctor explain pacing.too") == ["pacing.too-fast", "pacing.too-slow"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_a_few_words_beside_a_name(run, monkeypatch, shell):
    monkeypatch.setenv("_STTDOCTOR_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", "sttdoctor simulate --fault ")
    monkeypatch.setenv("COMP_CWORD", "3" if shell == "zsh" else "")
    assert "cuts the TCP connection" in run().out


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_script_of_a_shell_names_the_command(run, monkeypatch, shell):
    monkeypatch.setenv("_STTDOCTOR_COMPLETE", f"{shell}_source")
    done = run()
    assert done.code == 0 and f"_STTDOCTOR_COMPLETE={shell}_complete" in done.out


@pytest.mark.parametrize(
    "line", ["sttdoctor explain ", "sttdoctor triage --plot x.png --group-by ", "sttdoctor replay --set "]
)
def test_nothing_heavy_is_imported_for_it(tmp_path, line):
    (tmp_path / "sttdoctor.toml").write_text("broken")
    asked = {"_STTDOCTOR_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    command = [sys.executable, "-X", "importtime", "-m", "sttdoctor"]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and "plain," in done.stdout
    imported = {row.rpartition("|")[2].strip().partition(".")[0] for row in done.stderr.splitlines()}
    assert "click" in imported and imported.isdisjoint({"numpy", "matplotlib", "jinja2", "joblib", "websockets"})

"""Annotations of a workflow, read back as the runner reads them."""

import re
from urllib.parse import unquote

import hostile
import numpy as np
import pytest
from common import FIXTURES

import sttdoctor
from sttdoctor.reporting.github import render

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def read(text):
    """Each command as (name, properties, message); the runner decodes as a browser does."""
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        name, properties, message = COMMAND.fullmatch(line).groups()
        pairs = (part.partition("=") for part in properties.split(","))
        yield name, {key: unquote(value) for key, _, value in pairs}, unquote(message)


def test_a_diagnosis_is_an_error_with_its_fix_beside_the_capture():
    path = str(FIXTURES / "sessions" / "joining-stripped.jsonl")
    ((name, properties, message),) = read(render(sttdoctor.replay(path)))
    assert (name, properties["file"], properties["line"]) == ("error", path, "112")
    assert properties["title"] == "sttdoctor: joining.whitespace-stripped"
    assert "stripped" in message and "\nFix: Append the transcript" in message


def test_a_warning_is_one_and_no_fault_is_a_notice():
    quiet = (np.fromfile(FIXTURES / "audio" / "s16-16k.raw", "<i2") // 300).tobytes()
    assert [name for name, *_ in read(render(sttdoctor.check(quiet, encoding="pcm_s16le", sample_rate=16000)))] == [
        "warning"
    ]
    ((name, _, message),) = read(render(sttdoctor.replay(FIXTURES / "sessions" / "healthy-several-turns.jsonl")))
    assert name == "notice" and message.startswith("Checks: 17 passed, 1 not judged (language)")


@pytest.mark.parametrize("name", hostile.TEXTS)
def test_nothing_in_a_capture_makes_a_command_of_its_own(name):
    judged = hostile.judged(name)
    assert len(list(read(render(judged)))) == max(1, len(judged.diagnoses))
    assert hostile.controls(render(judged)) == {"\n"}

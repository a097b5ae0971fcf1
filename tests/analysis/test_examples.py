"""The examples in the docstrings of `sttdoctor.analysis` run, and give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

import sttdoctor.analysis

ROOT = Path(sttdoctor.analysis.__file__).parent
MODULES = [
    ".".join(("sttdoctor.analysis", *path.relative_to(ROOT).with_suffix("").parts))
    for path in sorted(ROOT.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted and not outcome.failed

"""The generated excerpts and pages are what `docs/build.py` would write today."""

import importlib.util

import pytest
from common import ROOT

from sttdoctor.checks import all_checks
from sttdoctor.guides import load_guide


def _build():
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _build()
PAGES = build.pages()
STALE = "run python docs/build.py"


def test_there_is_a_page_for_each_check_and_no_other():
    assert {path.name for path in build.PAGES.iterdir()} == set(PAGES), STALE


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name):
    assert (build.PAGES / name).read_text("utf-8") == PAGES[name], STALE


def test_the_pages_of_sources_and_quirks_are_up_to_date():
    assert build.SOURCES_PAGE.read_text("utf-8") == build.list_sources(), STALE
    assert build.QUIRKS_PAGE.read_text("utf-8") == build.list_quirks(), STALE


def test_the_names_of_checks_and_causes_are_up_to_date():
    assert build.NAMES.read_text("utf-8") == build.list_names(), STALE


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.id)
def test_an_excerpt_is_what_the_tool_prints(check):
    guide = load_guide(check.id)
    now = build.excerpt_of(guide)
    assert {"bad": guide.bad.report.splitlines(), "good": guide.good.report.splitlines()} == now, STALE
    question = f"{check.question} "
    bad, good = (" ".join(" ".join(now[kind]).split()) for kind in ("bad", "good"))
    assert f"1. {check.id}." in bad
    passed = good.partition(" pass ")[2]  # by its answer, or only by its name beside others
    assert good.startswith("PASS ") and passed.startswith((question, check.id)) and "1. " not in good

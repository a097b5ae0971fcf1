"""Which libraries are known for what a report names."""

import re

from click.testing import CliRunner
from common import ROOT

from sttdoctor.checks import all_causes
from sttdoctor.cli import cli
from sttdoctor.quirks import QUIRKS, find_quirks

SCRIPTS = {script.stem: script.read_text("utf-8") for script in (ROOT / "findings").glob("*.sh")}


def test_each_script_has_a_row_and_each_row_a_script_of_the_same_version():
    assert sorted(quirk.script for quirk in QUIRKS) == sorted(SCRIPTS)
    for quirk in QUIRKS:
        pinned = re.findall(r"(@?[\w/-]+) (\d[\w.]*)", quirk.library)
        assert pinned and all(
            re.search(rf"{name}(\[\w+])?(==|@){version}\b", SCRIPTS[quirk.script]) for name, version in pinned
        )


def test_the_page_of_the_scripts_says_what_each_shows():
    page = (ROOT / "findings" / "README.md").read_text("utf-8")
    assert all(f"| {quirk.script} | {quirk.does} | {quirk.cause and f'`{quirk.cause}`'}" in page for quirk in QUIRKS)


def test_every_cause_is_one_and_rows_of_one_stand_together():
    order = list(dict.fromkeys(quirk.cause for quirk in QUIRKS))
    assert {*order} <= {*all_causes(), ""} and order[-1] == ""
    assert [quirk for cause in order for quirk in find_quirks(cause)] == list(QUIRKS)


def test_a_cause_is_explained_with_the_libraries_that_are_known_for_it():
    told = CliRunner().invoke(cli, ["explain", "messages.command-as-binary"]).output
    assert "Known for it" in told and "simple-websocket" in told
    assert "Known for it" not in CliRunner().invoke(cli, ["explain", "pacing.burst"]).output


def test_the_list_holds_every_library():
    told = " ".join(CliRunner().invoke(cli, ["explain", "quirks"]).output.split())
    assert all(quirk.library in told and quirk.instead in told for quirk in QUIRKS)

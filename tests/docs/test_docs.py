"""What the pages show is what the commands beside it print, on a terminal of 80 columns."""

import contextlib
import re
import shlex

import pytest
from click.testing import CliRunner
from common import ROOT

from sttdoctor.cli import cli

README = (ROOT / "README.md").read_text("utf-8")
TICKETS = (ROOT / "docs" / "tickets.md").read_text("utf-8")
TRIAGE = (ROOT / "docs" / "triage.md").read_text("utf-8")


def printed(command):
    with contextlib.chdir(ROOT):
        return CliRunner().invoke(cli, shlex.split(command)[1:], env={"COLUMNS": "80"}).stdout


def blocks(page, language=""):
    """The fenced blocks of a language; without one, those that name none."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [text for name, text in fenced if name == language]


@pytest.mark.parametrize("number", [0, 1])
def test_readme_shows_what_its_commands_print(number):
    command = re.findall(r"\bsttdoctor [^;&\n]+", blocks(README, "sh")[0])[number].strip()
    assert blocks(README)[number] == printed(command)


@pytest.mark.long
def test_the_page_on_triage_shows_what_its_command_prints():
    command = re.search(r"^    (sttdoctor triage fixtures.*)$", TRIAGE, re.MULTILINE)[1]
    assert blocks(TRIAGE)[0] == printed(command)


@pytest.mark.parametrize("shown", blocks(TICKETS, "console"))
def test_the_tickets_show_what_their_commands_print(shown):
    command, report = shown.partition("\n")[::2]
    assert report.rstrip() == printed(command.removeprefix("$ ")).partition("\nListen\n")[0].rstrip()

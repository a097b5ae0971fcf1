"""A name of a file, or of a member of an archive, controls no terminal, page, table or picture."""

import csv
import re
import shutil
from html.parser import HTMLParser

import pytest
from common import FIXTURES
from packing import as_zip

NAME = "a\x1b[2J\u202e<img src=x>\x9b\n&;=1+1\u2028.raw"
AUDIO = FIXTURES / "audio" / "f32-declared-s16.raw"
CONTROLS = ("\x1b", "\u202e", "\x9b", "\u2028", "\r")


@pytest.fixture
def capture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(AUDIO, NAME)
    return NAME


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs).get("src")))

    def handle_data(self, data):
        self.text += data


def harmless(text):
    return not any(char in text for char in CONTROLS)


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit", "html"])
def test_no_report_is_controlled_by_the_name_of_its_capture(run, capture, form):
    done = run("check", capture, "--encoding", "pcm_s16le", "--format", form, "-v")
    assert done.code == 1 and done.err == "" and harmless(done.out)
    assert "202e" in done.out  # it is told all the same
    if form == "html":
        page = Tags(done.out)
        assert ("img", "x") not in page.found and "<img src=x>" in page.text and harmless(page.text)


def test_no_picture_warns_of_a_name_that_its_font_cannot_draw(run, capture, tmp_path):
    assert run("check", capture, "--encoding", "pcm_s16le", "--plot", tmp_path / "p.svg").err == ""


def test_no_sentence_is_controlled_by_a_name(run, tmp_path):
    for arguments in (
        ("check", tmp_path / NAME),
        ("replay", tmp_path / NAME),
        ("check", AUDIO, "-o", tmp_path / NAME / "r.txt"),
        ("check", AUDIO, "--config", tmp_path / NAME),
        ("check", AUDIO, "--set", NAME),
        ("check", AUDIO, "--select", NAME),
        ("triage", tmp_path / NAME),
        ("triage", AUDIO, "-o", tmp_path / (NAME + ".csv") / "t.csv"),
        ("convert", AUDIO, "-o", tmp_path / NAME / "x.jsonl"),
    ):
        done = run(*arguments)
        assert done.code == 2 and harmless(done.err) and done.err.count("\n") == 1, arguments


@pytest.mark.long
def test_no_triage_is_controlled_by_a_name(run, capture, tmp_path):
    as_zip(tmp_path / "calls.zip", {NAME: AUDIO.read_bytes()})
    done = run("triage", capture, "calls.zip", "-o", "t.csv", "--html", "out", "--encoding", "pcm_s16le")
    assert done.code == 1 and harmless(done.out) and harmless(done.err)
    table = (tmp_path / "t.csv").read_text()
    assert harmless(table) and table.count("\n") == 3
    for separator in ",;\t":
        for row in csv.reader(table.splitlines(), delimiter=separator):
            assert not any(cell.startswith(("=", "+", "@")) or re.match(r"-\D", cell) for cell in row)
    for page in (tmp_path / "out").rglob("*.html"):
        found = Tags(page.read_text())
        assert harmless(page.read_text()) and ("img", "x") not in found.found
    assert "<img src=x>" in Tags((tmp_path / "out" / "index.html").read_text()).text

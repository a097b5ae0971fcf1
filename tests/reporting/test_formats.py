"""The registry of report formats."""

import importlib
import inspect

import pytest

from sttdoctor.errors import UsageError
from sttdoctor.report import Report
from sttdoctor.reporting import FORMATS, format_of


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("r.json", "json"),
        ("R.JSON", "json"),
        ("r.md", "markdown"),
        ("r.markdown", "markdown"),
        ("r.xml", "junit"),
        ("r.html", "html"),
        ("r.HTM", "html"),
        ("r.txt", "text"),
        ("report", "text"),
        ("/dev/stdout", "text"),
        ("", "text"),
    ],
)
def test_the_suffix_of_a_file_asks_for_a_format(path, name):
    assert format_of(path).name == name


@pytest.mark.parametrize("path", ["r.docx", "r.pdf", "2026.json.bak"])
def test_a_suffix_that_no_format_has_is_refused(path):
    with pytest.raises(UsageError, match=r"there are \.txt, \.json, \.md, \.markdown, \.xml, \.html, \.htm, or say"):
        format_of(path)


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_a_format_takes_what_its_renderer_takes(form):
    parameters = inspect.signature(importlib.import_module(f"sttdoctor.reporting.{form.name}").render).parameters
    assert tuple(parameters) == ("report", *form.takes)


def test_a_renderer_gets_what_it_takes_and_nothing_else():
    report = Report({"path": "x", "declared": {}, "estimated": {}}, (), ())
    assert FORMATS["json"].render(report, width=80, news=True) == report.to_json() + "\n"
    with pytest.raises(KeyError):
        FORMATS["text"].render(report, width=80)


def test_no_two_formats_share_a_suffix():
    suffixes = [suffix for form in FORMATS.values() for suffix in form.suffixes]
    assert len(suffixes) == len(set(suffixes))

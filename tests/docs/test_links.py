"""What the pages, the code and the tests point at is there."""

import re
from pathlib import Path

import pytest
from common import ROOT

import sttdoctor

PACKAGE = Path(sttdoctor.__file__).parent  # which may be installed elsewhere

PAGES = sorted(
    {ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"}
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")
PLACE = re.compile(r"(?<![\w/.-])(?:docs|benchmarks|fixtures|tests|sttdoctor)/[\w./-]*\w\.(?:py|md|toml|js)\b")
HEADINGS = re.compile(r"^#+ (.*)$", re.MULTILINE)
WRITTEN = [
    *PAGES,
    *PACKAGE.rglob("*.py"),
    *(p for folder in ("tests", "benchmarks", "fixtures", "docs") for p in (ROOT / folder).rglob("*.py")),
    ROOT / "pyproject.toml",
]


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    titles = HEADINGS.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        place = (page.parent / target).resolve() if target else page
        assert place.exists(), link
        assert not anchor or place.suffix != ".md" or anchor in anchors(place), link


def test_every_page_of_a_folder_is_in_its_index():
    for index in ("docs/README.md", "docs/checks/README.md", "docs/methods/README.md"):
        page = ROOT / index
        text = page.read_text("utf-8")
        assert [p.name for p in page.parent.glob("*.md") if p != page and f"({p.name}" not in text] == []


def test_files_that_are_named_are_there():
    wrong = {
        (str(path), place)
        for path in WRITTEN
        if path.name != Path(__file__).name and "real_clients/node_modules" not in str(path)
        for place in PLACE.findall(path.read_text("utf-8"))
        if not ((PACKAGE.parent if place.startswith("sttdoctor/") else ROOT) / place).exists()
    }
    assert wrong == set()

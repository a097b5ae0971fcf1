"""The pictures of the docs are those that `docs/pictures.py` takes, of elements that the report has."""

import importlib.util
import re
import sys

from common import ROOT
from pages import session_page

SPEC = importlib.util.spec_from_file_location("docs_pictures", ROOT / "docs" / "pictures.py")
pictures = sys.modules["docs_pictures"] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pictures)
NAMES = {f"{shot.name}.png" for shot in pictures.SHOTS}


def test_every_picture_is_taken_and_shown():
    shown = {
        name
        for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for name in re.findall(r"images/([\w-]+\.png)\)", page.read_text("utf-8"))
    }
    assert {path.name for path in pictures.IMAGES.iterdir()} == NAMES == shown


def test_a_picture_shows_elements_that_the_report_has():
    for shot in pictures.SHOTS:
        page = session_page(shot.session)
        for selector in (shot.first, shot.last):
            for kind, name in re.findall(r"([#.])([\w-]+)", selector):
                assert f'{"id" if kind == "#" else "class"}="{name}' in page, (shot.name, selector)

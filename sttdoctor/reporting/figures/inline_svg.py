"""Figures as SVG that stands inside an HTML page and follows its light or dark colours.

Figures are drawn with stand-in colours, which become CSS variables; text stays text, in the font of the page. What
matplotlib writes into `style` attributes becomes attributes of its own, so that the page can forbid inline styles.
"""

import io
import re
from typing import TYPE_CHECKING

from sttdoctor.reporting.figures.pictures import settings
from sttdoctor.reporting.figures.sound import Palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_VARIABLES = {
    f"#0{number}0{number}0{number}": name
    for number, name in enumerate(("ink", "muted", "grid", "main", "other", "warm", "good"), start=1)
}
STAND_INS = Palette(**{name: colour for colour, name in _VARIABLES.items()})
"""A colour that no drawing uses for each role."""

_COLOUR = re.compile("|".join(_VARIABLES))
_STYLE = re.compile(r' style="([^"]*)"')
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_DROPPED = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<style .*?</style>|<!--.*?-->", re.DOTALL)


def inline(figure: "Figure", name: str) -> str:
    """Return a figure as an `svg` element without width and height.

    Args:
        figure: Drawn in the colours of `STAND_INS`.
        name: Unique on the page; ids begin with it.
    """
    file = io.StringIO()
    with settings({"svg.fonttype": "none", "svg.hashsalt": name, "svg.image_inline": True}):
        figure.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    return _page_ready(file.getvalue(), name)


def _page_ready(svg: str, name: str) -> str:
    body = _DROPPED.sub("", svg)
    body = _STYLE.sub(lambda match: _attributes(match[1]), body)
    body = _COLOUR.sub(lambda match: f"var(--{_VARIABLES[match[0]]})", body)
    body = re.sub(r' (?:d|transform|x|y|width|height|points)="[^"]*"', lambda match: _short(match[0]), body)
    body = _with_ids(body, name)
    size = re.search(r'viewBox="[^"]*"', body)
    body = re.sub(r"<svg [^>]*>", "", body, count=1).replace("</svg>", "")
    box = size[0] if size else ""
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} aria-hidden="true" focusable="false">{_packed(body)}</svg>'


def _attributes(style: str) -> str:
    """Inline style as attributes; the font is the page's own, only its size is kept."""
    kept = []
    for item in style.split(";"):
        key, _, value = (part.strip() for part in item.partition(":"))
        if key == "font":
            size = re.search(r"([\d.]+)px", value)
            key, value = "font-size", size[1] if size else "9"
        if key and key not in ("font-family", "image-rendering"):
            kept.append(f' {key}="{value}"')
    return "".join(kept)


def _short(text: str) -> str:
    return _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), text)


def _with_ids(body: str, name: str) -> str:
    """Keep the ids that something refers to, made unique on the page."""
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", body)
    return re.sub(r'(href="|url\()#', rf"\1#{name}-", body)


def _packed(body: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", body)).strip()

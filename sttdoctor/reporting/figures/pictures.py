"""Figures as files (`--plot`) and as SVG that stands inside an HTML page.

Inside a page figures follow its light or dark colours: they are drawn with stand-in colours, which become CSS
variables; text stays text, in the font of the page. What matplotlib writes into `style` attributes becomes attributes
of its own, so that the page can forbid inline styles.
"""

import io
import re
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sttdoctor.errors import InputError, UsageError, suggest
from sttdoctor.outputs import write_whole
from sttdoctor.report import Report
from sttdoctor.reporting.data.values import Exhibits
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.reporting.figures.sheet import Drawing, drawings
from sttdoctor.reporting.figures.sound import PAPER, Palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
WIDTH = 10.0  # inches
DPI = 120  # 1200 pixels
_HEAD = 0.85  # inches
_TITLE = 0.32
_NAME = 60  # characters of the capture's path, from its end
_SUMMARY = 300  # characters of the diagnosis that are shown

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


def suffix_of(path: str) -> str:
    """Return the suffix that says the kind of picture.

    Raises:
        UsageError: It is none of `SUFFIXES`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        hint = suggest(suffix, SUFFIXES, "try .png")
        raise UsageError(f"a picture is {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, not {path}; {hint}")
    return suffix


def plot(report: Report, exhibits: Exhibits, path: str, force: bool = False) -> None:
    """Write all figures of a report on one page.

    Args:
        report: The report.
        exhibits: What is drawn.
        path: The file; its suffix says the kind.
        force: Whether it may be written over.

    Raises:
        UsageError: The suffix is unknown, or the file is there already and holds something else.
        InputError: There is nothing to draw, or the file cannot be written.
    """
    content = picture(report, exhibits, suffix_of(path))
    with write_whole(path, force) as file:
        file.write(content)


def picture(report: Report, exhibits: Exhibits, suffix: str) -> bytes:
    """Return all figures of a report on one page, as a file of one of `SUFFIXES`.

    Raises:
        InputError: There is nothing to draw.
    """
    shown = list(drawings(exhibits))
    if not shown:
        raise InputError("there is nothing to draw: the capture holds neither audio nor times")
    content = io.BytesIO()
    with settings({"pdf.fonttype": 42, "svg.hashsalt": "sttdoctor"}):
        _draw_page(report, shown).savefig(content, format=suffix[1:], dpi=DPI, metadata=_collect_metadata(suffix))
    return content.getvalue()


def _collect_metadata(suffix: str) -> dict[str, Any]:
    """No date and no program: the same report gives the same picture."""
    return {".png": {"Software": None}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}[suffix]


_LOCK = threading.Lock()


@contextmanager
def settings(values: Any) -> Iterator[None]:
    """Change settings of matplotlib that have no other place than its global table, one thread at a time."""
    from matplotlib import rc_context

    with _LOCK, rc_context({**values, "hatch.linewidth": 0.7}):
        yield


def _draw_page(report: Report, shown: list[Drawing]) -> "Figure":
    from matplotlib.figure import Figure

    heights = [_HEAD, *(drawing.height + _TITLE for drawing in shown)]
    figure = Figure(figsize=(WIDTH, sum(heights)), facecolor="white")
    head, *parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    first = report.diagnoses[0] if report.diagnoses else None
    name = _strip_plain(str(report.subject.get("path") or "the capture"))
    name = name if len(name) <= _NAME else "…" + name[1 - _NAME :]
    title = f"{report.status.upper()}   {first.cause}" if first else report.status.upper()
    head.text(0.012, 0.95, title, fontsize=14, weight="bold", color=PAPER.ink, va="top", parse_math=False)
    words = textwrap.fill(_strip_plain(first.summary if first else report.tally), 125)
    head.text(0.012, 0.62, words, fontsize=9.5, color=PAPER.ink, va="top", parse_math=False)
    head.text(0.988, 0.95, name, fontsize=9, color=PAPER.muted, va="top", ha="right", parse_math=False)
    for part, drawing in zip(parts, shown, strict=True):
        heading, body = part.subfigures(2, 1, height_ratios=[_TITLE, drawing.height], squeeze=False)[:, 0]
        heading.text(0.012, 0.3, drawing.title, fontsize=11, color=PAPER.ink, weight="bold")
        drawing.draw(body, PAPER, True)
    return figure


def _strip_plain(text: str) -> str:
    """Text that every font can draw: what the bundled one may lack is written as an escape."""
    short = for_terminal(text if len(text) <= _SUMMARY else text[:_SUMMARY] + " ...")
    return "".join(char if char < "\u0250" else char.encode("unicode_escape").decode() for char in short)


def inline(figure: "Figure", name: str) -> str:
    """Return a figure as an `svg` element without width and height.

    Args:
        figure: Drawn in the colours of `STAND_INS`.
        name: Unique on the page; ids begin with it.
    """
    file = io.StringIO()
    with settings({"svg.fonttype": "none", "svg.hashsalt": name, "svg.image_inline": True}):
        figure.savefig(file, format="svg", metadata={"Date": None}, transparent=True)
    return _fit_for_page(file.getvalue(), name)


def _fit_for_page(svg: str, name: str) -> str:
    body = _DROPPED.sub("", svg)
    body = _STYLE.sub(lambda match: _convert_attributes(match[1]), body)
    body = _COLOUR.sub(lambda match: f"var(--{_VARIABLES[match[0]]})", body)
    body = re.sub(r' (?:d|transform|x|y|width|height|points)="[^"]*"', lambda match: _shorten_number(match[0]), body)
    body = _prefix_ids(body, name)
    size = re.search(r'viewBox="[^"]*"', body)
    body = re.sub(r"<svg [^>]*>", "", body, count=1).replace("</svg>", "")
    box = size[0] if size else ""
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} aria-hidden="true" focusable="false">{_pack(body)}</svg>'


def _convert_attributes(style: str) -> str:
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


def _shorten_number(text: str) -> str:
    return _NUMBER.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), text)


def _prefix_ids(body: str, name: str) -> str:
    """Keep the ids that something refers to, made unique on the page."""
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", body)
    return re.sub(r'(href="|url\()#', rf"\1#{name}-", body)


def _pack(body: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r">\s+<", "><", body)).strip()

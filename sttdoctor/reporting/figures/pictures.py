"""Figures as files (`--plot`) and as SVG that stands inside an HTML page."""

import io
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sttdoctor.errors import InputError, UsageError
from sttdoctor.outputs import whole
from sttdoctor.report import Report
from sttdoctor.reporting.data.values import Exhibits
from sttdoctor.reporting.escape import for_terminal
from sttdoctor.reporting.figures.sheet import Drawing, drawings
from sttdoctor.reporting.figures.sound import PAPER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
WIDTH = 10.0  # inches
DPI = 120  # 1200 pixels
_HEAD = 0.85  # inches
_TITLE = 0.32
_SUMMARY = 300  # characters of the diagnosis that are shown


def suffix_of(path: str) -> str:
    """Return the suffix that says the kind of picture.

    Raises:
        UsageError: It is none of `SUFFIXES`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"a picture is {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}, not {path}")
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
    with whole(path, force) as file:
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
        _page(report, shown).savefig(content, format=suffix[1:], dpi=DPI, metadata=_metadata(suffix))
    return content.getvalue()


def _metadata(suffix: str) -> dict[str, Any]:
    """No date and no program: the same report gives the same picture."""
    return {".png": {"Software": None}, ".pdf": {"CreationDate": None}, ".svg": {"Date": None}}[suffix]


_LOCK = threading.Lock()


@contextmanager
def settings(values: Any) -> Iterator[None]:
    """Change settings of matplotlib that have no other place than its global table, one thread at a time."""
    from matplotlib import rc_context

    with _LOCK, rc_context({**values, "hatch.linewidth": 0.7}):
        yield


def _page(report: Report, shown: list[Drawing]) -> "Figure":
    from matplotlib.figure import Figure

    heights = [_HEAD, *(drawing.height + _TITLE for drawing in shown)]
    figure = Figure(figsize=(WIDTH, sum(heights)), facecolor="white")
    head, *parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    first = report.diagnoses[0] if report.diagnoses else None
    name = _plain(str(report.subject.get("path") or "the capture"))
    title = f"{report.status.upper()}   {first.cause}" if first else report.status.upper()
    head.text(0.012, 0.95, title, fontsize=14, weight="bold", color=PAPER.ink, va="top", parse_math=False)
    words = textwrap.fill(_plain(first.summary if first else report.tally), 125)
    head.text(0.012, 0.62, words, fontsize=9.5, color=PAPER.ink, va="top", parse_math=False)
    head.text(0.988, 0.95, name[-60:], fontsize=9, color=PAPER.muted, va="top", ha="right", parse_math=False)
    for part, drawing in zip(parts, shown, strict=True):
        heading, body = part.subfigures(2, 1, height_ratios=[_TITLE, drawing.height], squeeze=False)[:, 0]
        heading.text(0.012, 0.3, drawing.title, fontsize=11, color=PAPER.ink, weight="bold")
        drawing.draw(body, PAPER, True)
    return figure


def _plain(text: str) -> str:
    """Text that every font can draw: what the bundled one may lack is written as an escape."""
    short = for_terminal(text if len(text) <= _SUMMARY else text[:_SUMMARY] + " ...")
    return "".join(char if char < "\u0250" else char.encode("unicode_escape").decode() for char in short)

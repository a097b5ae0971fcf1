"""Drawings of the exhibits, on figures or parts of figures of matplotlib; no pyplot, no global state.

Each `draw_*` takes a figure (or subfigure), one exhibit, a palette and, where its form depends on it, whether there
is room for panels side by side. Colours are near the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), which
colour-blind people tell apart; what a colour says, a shape, a hatch or a word says too.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from sttdoctor.reporting.captions import format_percent
from sttdoctor.reporting.data.values import Candidate, Excerpt, Floats, Odds, Span, Version, Waveform
from sttdoctor.values import immutable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

FONT = 9.0
"""Points of all text in a figure."""


@immutable
class Palette:
    """Colours by what they stand for."""

    ink: str = "#1b2430"
    muted: str = "#5b6776"
    grid: str = "#d5dae1"
    main: str = "#0072b2"
    other: str = "#d55e00"
    warm: str = "#b87500"
    good: str = "#00805e"


PAPER = Palette()
"""For pictures with a white ground."""


def tidy(axes: "Axes", palette: Palette, title: str = "") -> None:
    """Bring axes to the house style: a frame of two lines, a faint grid, quiet labels."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(palette.muted)
    axes.tick_params(colors=palette.muted, labelsize=FONT, length=3)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=palette.muted, fontsize=FONT)
    axes.grid(visible=True, color=palette.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(title, loc="left", fontsize=FONT + 1, color=palette.ink, parse_math=False)


def margins(figure: "Figure | SubFigure", left: float, top: float, bottom: float = 0.46, between: float = 0.0) -> None:
    """Leave room around the axes, in inches; measuring every label instead would take as long as drawing.

    Args:
        figure: The figure.
        left: For the labels of the vertical axis.
        top: For a title or a legend.
        bottom: For the labels of the horizontal axis.
        between: Between two axes side by side or one above the other, whichever there are.
    """
    width, height = (float(side) / figure.dpi for side in (figure.bbox.width, figure.bbox.height))
    grid = figure.axes[0].get_gridspec()
    rows, columns = grid.get_geometry() if grid is not None else (1, 1)
    inner = ((width - left - 0.12) / columns, (height - top - bottom) / rows)
    figure.subplots_adjust(
        left=left / width,
        right=1 - 0.12 / width,
        top=1 - top / height,
        bottom=bottom / height,
        wspace=between / max(inner[0] - between, 0.1) if columns > 1 else None,
        hspace=between / max(inner[1] - between, 0.1) if rows > 1 else None,
    )


def strokes(spans: Iterable[Span], height: float) -> tuple[Floats, Floats]:
    """Return horizontal strokes as one broken line: a thousand bars cost a page as much as a thousand shapes."""
    x = np.array([value for start, end in spans for value in (start, end, np.nan)])
    return x, np.full(len(x), height)


def ticks(times: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    """Return upright ticks at `times`, shape (n,), from `low` to `high`, as x and y of one broken line, shape (3n,)."""
    x = np.repeat(np.asarray(times, dtype=np.float64), 3)
    return x, np.tile([low, high, np.nan], len(times))


def legend(axes: "Axes", palette: Palette, columns: int) -> None:
    """Put a legend without a frame above the axes, on the right."""
    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return
    box = axes.legend(
        handles, labels, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, ncols=columns, frameon=False,
        fontsize=FONT, handlelength=1.4,
    )  # fmt: skip
    for text in box.get_texts():
        text.set_color(palette.ink)


def draw_waveform(figure: "Figure | SubFigure", wave: Waveform, palette: Palette) -> None:
    """The waveform: speech dark over a strip of its own, the rest grey, the stretch that the players play framed."""
    axes = figure.subplots()
    t = (np.arange(len(wave.low)) + 0.5) * wave.column_s
    if len(t) == 1:
        t, low, high = np.array([0.0, wave.column_s]), np.repeat(wave.low, 2), np.repeat(wave.high, 2)
    else:
        low, high = wave.low, wave.high
    speech = np.zeros(len(t), dtype=bool)
    for start, end in wave.speech:
        speech |= (t >= start - wave.column_s / 2) & (t <= end + wave.column_s / 2)
    axes.fill_between(t, low, high, color=palette.muted, linewidth=0.4, alpha=0.55, label="quiet")
    if speech.any():
        axes.fill_between(t, low, high, where=speech, color=palette.main, linewidth=0.5, label="speech")
        axes.plot(*strokes(wave.speech, -1.12), color=palette.main, linewidth=3.5, solid_capstyle="butt")
    start, end = wave.excerpt
    for edge in (start, end):
        axes.axvline(edge, color=palette.other, linewidth=1, linestyle=(0, (4, 2)))
    axes.plot(
        [start, end],
        [1.08, 1.08],
        color=palette.other,
        linewidth=2,
        solid_capstyle="butt",
        label="what the players play",
    )
    axes.set(xlim=(0, wave.duration_s), ylim=(-1.2, 1.15), xlabel="seconds of audio", ylabel="of full scale")
    axes.set_yticks([-1, 0, 1])
    tidy(axes, palette)
    legend(axes, palette, columns=3)
    margins(figure, left=0.55, top=0.3)


def draw_spectrograms(figure: "Figure | SubFigure", excerpt: Excerpt, palette: Palette, wide: bool) -> None:
    """The excerpt as declared beside as detected, on the same axes, so that a wrong rate shows as another size."""
    shown = [
        (title, version)
        for title, version in (("as declared", excerpt.declared), ("as detected", excerpt.detected))
        if version is not None and version.spectrogram is not None
    ]
    if len(shown) == 1 and excerpt.fits:
        shown = [("as declared, which fits here", shown[0][1])]
    across = (1, len(shown)) if wide else (len(shown), 1)
    panels = np.ravel(figure.subplots(*across, sharex=True, sharey=True, squeeze=False))
    longest = max(_label_seconds(version) for _, version in shown)
    highest = max(version.spectrogram.top_hz for _, version in shown if version.spectrogram)
    for number, (axes, (title, version)) in enumerate(zip(panels, shown, strict=True)):
        _draw_spectrogram(axes, version)
        axes.set(xlim=(0, longest), ylim=(0, highest / 1000))
        tidy(axes, palette, f"{title}: {version.reading}")
        axes.grid(visible=False)
        if number == 0 or not wide:
            axes.set_ylabel("kHz")
        if wide or number == len(shown) - 1:
            axes.set_xlabel("seconds as played")
    margins(figure, left=0.5, top=0.3, between=0.25 if wide else 0.32)


def _label_seconds(version: Version) -> float:
    return version.spectrogram.duration_s if version.spectrogram else 0.0


def _draw_spectrogram(axes: "Axes", version: Version) -> None:
    picture = version.spectrogram
    assert picture is not None
    axes.imshow(
        picture.level_db,
        origin="lower",
        aspect="auto",
        extent=(0, picture.duration_s, 0, picture.top_hz / 1000),
        cmap="cividis",
        vmin=-70,
        vmax=0,
        interpolation="nearest",
    )


def draw_odds(figure: "Figure | SubFigure", odds: Odds, palette: Palette, wide: bool) -> None:
    """A bar for each candidate format; the declared one says so."""
    groups = [(name, rows) for name, rows in (("Encoding", odds.encodings), ("Sample rate", odds.rates)) if rows]
    across = (1, len(groups)) if wide else (len(groups), 1)
    heights = None if wide else [len(rows) for _, rows in groups]
    panels = np.ravel(figure.subplots(*across, squeeze=False, height_ratios=heights))
    for axes, (title, rows) in zip(panels, groups, strict=True):
        _draw_bars(axes, rows, palette, max(len(rows) for _, rows in groups) if wide else len(rows))
        tidy(axes, palette, title)
        axes.grid(visible=False, axis="y")
    margins(figure, left=1.75, top=0.3, between=1.75 if wide else 0.7)


def _draw_bars(axes: "Axes", rows: tuple[Candidate, ...], palette: Palette, room: int) -> None:
    places = np.arange(len(rows))
    shares = np.array([row.probability for row in rows])
    axes.barh(places, shares, height=0.62, color=palette.main)
    for place, row in enumerate(rows):
        axes.text(
            row.probability + 0.015,
            place,
            format_percent(row.probability),
            va="center",
            fontsize=FONT,
            color=palette.ink,
        )
    names = [row.name + (" (declared)" if row.declared else "") for row in rows]
    axes.set_yticks(places, names, parse_math=False)
    axes.set(xlim=(0, 1.26), ylim=(room - 0.5, -0.5), xlabel="probability")
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])

"""Which figures a report has, and what each shows in words; for the HTML report and for pictures alone."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sttdoctor.reporting.captions import (
    describe_latency,
    describe_odds,
    describe_spectrograms,
    describe_stream,
    describe_waveform,
)
from sttdoctor.reporting.data.values import Excerpt, Exhibits, Latency, Odds, Stream, Waveform
from sttdoctor.reporting.figures.sound import Palette, draw_odds, draw_spectrograms, draw_waveform
from sttdoctor.reporting.figures.stream import draw_latency, draw_stream
from sttdoctor.values import immutable

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


@immutable
class Drawing:
    """One figure.

    Attributes:
        name: Short and stable: `waveform`, `spectrograms`, `odds`, `stream` or `latency`.
        title: What it shows.
        words: What is seen in it, for those who do not see it.
        draw: Draws it on a figure, in a palette, in its wide or its narrow form.
        height: Inches, in the wide form.
        narrow_height: Inches, in the narrow form.
    """

    name: str
    title: str
    words: str
    draw: "Callable[[Figure | SubFigure, Palette, bool], None]"
    height: float
    narrow_height: float


def drawings(exhibits: Exhibits) -> Iterator[Drawing]:
    """Return the figures that there is evidence for, in the order of a page."""
    if exhibits.stream is not None and (exhibits.stream.sending or exhibits.stream.turns or exhibits.stream.events):
        yield _show_stream(exhibits.stream)
    if exhibits.latency is not None:
        yield _show_latency(exhibits.latency)
    if exhibits.waveform is not None:
        yield _show_waveform(exhibits.waveform)
    if exhibits.excerpt is not None and (rows := _list_spectrograms(exhibits.excerpt)):
        yield _show_spectrograms(exhibits.excerpt, rows)
    if exhibits.odds is not None:
        yield _show_odds(exhibits.odds)


def _show_stream(stream: Stream) -> Drawing:
    lanes = len(stream.events) + bool(stream.turns)
    height = 4.4 + 0.25 * lanes if stream.sending else 0.9 + 0.3 * lanes
    return Drawing(
        "stream",
        "Audio and events on the clock",
        describe_stream(stream),
        lambda figure, palette, wide: draw_stream(figure, stream, palette, wide),
        height,
        height + 0.3,
    )


def _show_latency(latency: Latency) -> Drawing:
    return Drawing(
        "latency",
        "From the end of speech to the end of the turn",
        describe_latency(latency),
        lambda figure, palette, wide: draw_latency(figure, latency, palette, wide),
        2.5,
        2.9,
    )


def _show_waveform(wave: Waveform) -> Drawing:
    return Drawing(
        "waveform",
        "The audio, speech and silence",
        describe_waveform(wave),
        lambda figure, palette, _wide: draw_waveform(figure, wave, palette),
        2.1,
        2.1,
    )


def _list_spectrograms(excerpt: Excerpt) -> int:
    return sum(
        version is not None and version.spectrogram is not None for version in (excerpt.declared, excerpt.detected)
    )


def _show_spectrograms(excerpt: Excerpt, rows: int) -> Drawing:
    return Drawing(
        "spectrograms",
        "The loudest stretch: frequencies over time",
        describe_spectrograms(excerpt),
        lambda figure, palette, wide: draw_spectrograms(figure, excerpt, palette, wide),
        2.8,
        0.6 + 2.0 * rows,
    )


def _show_odds(odds: Odds) -> Drawing:
    rows = (len(odds.encodings), len(odds.rates))
    return Drawing(
        "odds",
        "How probable each format is",
        describe_odds(odds),
        lambda figure, palette, wide: draw_odds(figure, odds, palette, wide),
        0.9 + 0.24 * max(rows),
        0.9 + 0.26 * sum(rows) + 0.4 * all(rows),
    )

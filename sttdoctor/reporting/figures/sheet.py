"""Which figures a report has, and what each shows in words; for the HTML report and for pictures alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sttdoctor.reporting.captions import of_latency, of_odds, of_spectrograms, of_stream, of_waveform
from sttdoctor.reporting.data.values import Excerpt, Exhibits, Latency, Odds, Stream, Waveform
from sttdoctor.reporting.figures.sound import Palette, draw_odds, draw_spectrograms, draw_waveform
from sttdoctor.reporting.figures.stream import draw_latency, draw_stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


@dataclass(frozen=True, slots=True)
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
        yield _stream(exhibits.stream)
    if exhibits.latency is not None:
        yield _latency(exhibits.latency)
    if exhibits.waveform is not None:
        yield _waveform(exhibits.waveform)
    if exhibits.excerpt is not None and (rows := _spectrogram_rows(exhibits.excerpt)):
        yield _spectrograms(exhibits.excerpt, rows)
    if exhibits.odds is not None:
        yield _odds(exhibits.odds)


def _stream(stream: Stream) -> Drawing:
    lanes = len(stream.events) + bool(stream.turns)
    height = 4.4 + 0.25 * lanes if stream.sending else 0.9 + 0.3 * lanes
    return Drawing(
        "stream",
        "Audio and events on the clock",
        of_stream(stream),
        lambda figure, palette, wide: draw_stream(figure, stream, palette, wide),
        height,
        height + 0.3,
    )


def _latency(latency: Latency) -> Drawing:
    return Drawing(
        "latency",
        "From the end of speech to the end of the turn",
        of_latency(latency),
        lambda figure, palette, wide: draw_latency(figure, latency, palette, wide),
        2.5,
        2.9,
    )


def _waveform(wave: Waveform) -> Drawing:
    return Drawing(
        "waveform",
        "The audio, speech and silence",
        of_waveform(wave),
        lambda figure, palette, _wide: draw_waveform(figure, wave, palette),
        2.1,
        2.1,
    )


def _spectrogram_rows(excerpt: Excerpt) -> int:
    return sum(
        version is not None and version.spectrogram is not None for version in (excerpt.declared, excerpt.detected)
    )


def _spectrograms(excerpt: Excerpt, rows: int) -> Drawing:
    return Drawing(
        "spectrograms",
        "The loudest stretch: frequencies over time",
        of_spectrograms(excerpt),
        lambda figure, palette, wide: draw_spectrograms(figure, excerpt, palette, wide),
        2.8,
        0.6 + 2.0 * rows,
    )


def _odds(odds: Odds) -> Drawing:
    rows = (len(odds.encodings), len(odds.rates))
    return Drawing(
        "odds",
        "How probable each format is",
        of_odds(odds),
        lambda figure, palette, wide: draw_odds(figure, odds, palette, wide),
        0.9 + 0.24 * max(rows),
        0.9 + 0.26 * sum(rows) + 0.4 * all(rows),
    )

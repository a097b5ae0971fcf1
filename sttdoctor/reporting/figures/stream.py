"""Drawings of a session on its clock: what was sent when, what the service reported, how long answers took."""

from typing import TYPE_CHECKING

import numpy as np

from sttdoctor.reporting.data.values import Latency, Sending, Stream
from sttdoctor.reporting.figures.sound import FONT, Palette, legend, margins, strokes, ticks, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_MOST_LABELS = 30


def draw_stream(figure: "Figure | SubFigure", stream: Stream, palette: Palette, wide: bool) -> None:
    """Three panels on one clock: audio sent, how far it is ahead of the clock, and the events."""
    lanes = _draw_lanes(stream)
    if not stream.sending:
        axes = figure.subplots()
        _draw_events(axes, stream, palette, lanes)
        axes.set_xlabel("seconds on the clock")
        margins(figure, left=1.15, top=0.08)
        return
    panels = figure.subplots(3, 1, sharex=True, height_ratios=[2.2, 1.5, 0.45 + 0.3 * len(lanes)])
    _draw_sent(panels[0], stream, palette, wide)
    _draw_ahead(panels[1], stream, palette)
    _draw_events(panels[2], stream, palette, lanes)
    panels[2].set_xlabel("seconds on the clock")
    margins(figure, left=1.15, top=0.3 if wide else 0.55, between=0.24)


def _span(stream: Stream) -> tuple[float, float]:
    room = 0.01 * max(stream.last_t_s - stream.first_t_s, 1.0)
    return min(0.0, stream.first_t_s) - room, stream.last_t_s + room


def _draw_sent(axes: "Axes", stream: Stream, palette: Palette, wide: bool) -> None:
    for first, part in zip([True] + [False] * len(stream.sending), stream.sending, strict=False):
        end = np.array([part.start_t_s, part.end_t_s])
        axes.plot(
            end, end - end[0], color=palette.muted, linewidth=1, linestyle=(0, (5, 3)), label="realtime" * first or None
        )
        axes.plot(part.t_s, part.sent_s, color=palette.main, linewidth=1.8, label="as declared" * first or None)
        if abs(stream.speed_as_detected - 1) > 0.02:
            axes.plot(
                part.t_s,
                part.sent_s * stream.speed_as_detected,
                color=palette.good,
                linewidth=1.6,
                linestyle=(0, (1, 1)),
                label="as detected" * first or None,
            )
    _draw_marks(axes, stream, palette, labels=True)
    axes.set(xlim=_span(stream), ylabel="seconds of audio sent")
    axes.set_ylim(bottom=0)
    tidy(axes, palette)
    legend(axes, palette, columns=6 if wide else 2)


def _draw_marks(axes: "Axes", stream: Stream, palette: Palette, labels: bool) -> None:
    """Bursts and gaps as hatched columns: the hatch tells them apart without colour."""
    least = 0.003 * (stream.last_t_s - stream.first_t_s)
    kinds = (("burst or backlog", palette.other, "////", "bursts"), ("gap", palette.warm, "\\\\\\\\", "gaps"))
    for name, colour, hatch, field in kinds:
        spans = [span for part in stream.sending for span in getattr(part, field)]
        for number, (start, end) in enumerate(spans):
            axes.axvspan(
                start,
                max(end, start + least),
                facecolor=colour,
                alpha=0.22,
                hatch=hatch,
                edgecolor=colour,
                linewidth=0,
                label=name if labels and number == 0 else None,
            )


def _draw_ahead(axes: "Axes", stream: Stream, palette: Palette) -> None:
    for part in stream.sending:
        t_s, ahead = _append_end(part)
        axes.plot(t_s, ahead, color=palette.main, linewidth=1.3)
    axes.axhline(0, color=palette.muted, linewidth=1, linestyle=(0, (5, 3)))
    _draw_marks(axes, stream, palette, labels=False)
    if sum(len(part.bursts) + len(part.gaps) for part in stream.sending) <= _MOST_LABELS:
        _draw_lengths(axes, stream, palette)
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, -0.5), max(high, 0.5))
    axes.set_ylabel("ahead (+) or\nbehind (-), s")
    tidy(axes, palette)


def _append_end(part: Sending) -> tuple[np.ndarray, np.ndarray]:
    """The line, to the moment when no more audio was owed: without audio it falls with the clock."""
    if part.end_t_s <= part.t_s[-1]:
        return part.t_s, part.ahead_s
    last = part.ahead_s[-1] - (part.end_t_s - part.t_s[-1])
    return np.append(part.t_s, part.end_t_s), np.append(part.ahead_s, last)


def _draw_lengths(axes: "Axes", stream: Stream, palette: Palette) -> None:
    """How much audio each burst left waiting and how long each gap is."""
    for part in stream.sending:
        notes = [(span, f"{waiting:.1f} s waited") for span, waiting in zip(part.bursts, part.burst_s, strict=True)]
        notes += [(span, f"{span[1] - span[0]:.1f} s") for span in part.gaps]
        for (start, end), note in notes:
            axes.text(
                (start + end) / 2, 1.01, note, transform=axes.get_xaxis_transform(), fontsize=FONT, color=palette.ink,
                ha="center", va="bottom",
            )  # fmt: skip


def _draw_lanes(stream: Stream) -> list[str]:
    return [*(["turns"] if stream.turns else []), *stream.events]


def _draw_events(axes: "Axes", stream: Stream, palette: Palette, lanes: list[str]) -> None:
    for place, name in enumerate(lanes):
        if name == "turns":
            _draw_turns(axes, stream, palette, place)
        else:
            colour = palette.other if name == "errors" else palette.muted if name == "client messages" else palette.main
            axes.plot(*ticks(stream.events[name], place - 0.3, place + 0.3), color=colour, linewidth=1)
    axes.set_yticks(range(len(lanes)), lanes)
    axes.set(xlim=_span(stream), ylim=(len(lanes) - 0.4, -0.6))
    tidy(axes, palette)
    axes.grid(visible=False, axis="y")


def _draw_turns(axes: "Axes", stream: Stream, palette: Palette, place: int) -> None:
    """Finished turns as bars between two ticks, open ones hatched to the end of the session."""
    finished = [(turn.start_t_s, turn.end_t_s) for turn in stream.turns if turn.end_t_s is not None]
    still_open = [(turn.start_t_s, stream.last_t_s - turn.start_t_s) for turn in stream.turns if turn.end_t_s is None]
    axes.plot(*strokes(finished, place), color=palette.good, alpha=0.45, linewidth=12, solid_capstyle="butt")
    edges = np.array(finished).ravel()
    axes.plot(*ticks(edges, place - 0.32, place + 0.32), color=palette.good, linewidth=1)
    axes.broken_barh(still_open, (place - 0.32, 0.64), facecolor="none", edgecolor=palette.good, hatch="////")
    width = stream.last_t_s - stream.first_t_s
    if len(stream.turns) > _MOST_LABELS:
        return
    for turn in stream.turns:
        end = turn.end_t_s if turn.end_t_s is not None else stream.last_t_s
        if end - turn.start_t_s > 0.02 * width:
            middle = (turn.start_t_s + end) / 2
            axes.text(middle, place, str(turn.number), ha="center", va="center", fontsize=FONT, color=palette.ink)


def draw_latency(figure: "Figure | SubFigure", latency: Latency, palette: Palette, wide: bool) -> None:
    """A bar for each turn, stacked by where the time went."""
    axes = figure.subplots()
    count = len(latency.number)
    parts = (
        (latency.service_s, palette.main, "turn detection, service", None),
        (latency.silent_s, palette.warm, "no audio sent", "\\\\\\\\"),
        (latency.waiting_s, palette.other, "audio waited", "////"),
    )
    # all bars of a part are one shape: steps that are nothing high between two bars
    edges = (np.arange(count)[:, None] + [-0.35, 0.35]).ravel()
    bottom = np.zeros(count)
    for seconds, colour, name, hatch in parts:
        low, high = (np.stack([side, np.zeros(count)], axis=1).ravel()[:-1] for side in (bottom, bottom + seconds))
        if name.startswith("turn") or seconds.max(initial=0) > 0:
            axes.stairs(
                high, edges, baseline=low, fill=True, facecolor=colour, edgecolor=palette.ink, hatch=hatch, linewidth=0,
                label=name,
            )  # fmt: skip
        bottom = bottom + seconds
    late = f"late from {latency.warn_s:g} s on"
    axes.axhline(latency.warn_s, color=palette.ink, linewidth=1, linestyle=(0, (5, 3)), label=late)
    step = max(1, -(-count // (20 if wide else 8)))
    axes.set_xticks(np.arange(count)[::step], [str(number) for number in latency.number[::step]])
    several = "" if latency.turns == count else ", the slowest of each group"
    # few bars stand in the middle and are not as wide as a page
    middle, room = (count - 1) / 2, max(count, 4) / 2 + 0.2
    axes.set(xlim=(middle - room, middle + room), xlabel=f"turn{several}", ylabel="seconds")
    axes.set_ylim(0, max(float(bottom.max()), latency.warn_s) * 1.12)
    tidy(axes, palette)
    axes.grid(visible=False, axis="x")
    legend(axes, palette, columns=4 if wide else 2)
    margins(figure, left=0.5, top=0.3 if wide else 0.5)

"""How the sending of audio relates to the clock: holes, backlog and speed.

The service expects about one second of audio per second of clock. Times are seconds on the session's clock, audio is
measured in seconds as declared.

A client that sends by a slow timer has a beat of its own: how often it comes, since when, and what each beat brings.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import find_stretches
from sttdoctor.analysis.session.timeline import Timeline
from sttdoctor.values import immutable

Floats = NDArray[np.float64]

_HOLE_FLOOR_S = 0.25
"""Shorter pauses between two frames are jitter."""

_SAME_S = 1e-6
"""Times so close are the same: what a clock counts from changes the last digits of a difference."""

_LEAST_BEATS = 5
_LEAST_S = 0.4  # timers that are held back fire once a second or a minute; audio devices are far below
_STEADY = 0.06  # of the period, and at least
_STEADY_S = 0.05


_SOON_S, _LATE_S = 1.0, 1.0  # within which, and how much of, what is missing comes at once


@immutable
class Hole:
    """Clock time without audio between two frames.

    Attributes:
        index: Of the frame that ends it.
        start_s: When the audio ran out.
        end_s: When audio was sent again.
        filled: Whether the missing audio was sent later.
        caught_up: Index of the frame at which it was made up for; `index` where it was not.
        late_s: Seconds that came at once behind a hole which was not filled, a second or more; else 0.
    """

    index: int
    start_s: float
    end_s: float
    filled: bool
    caught_up: int
    late_s: float = 0.0

    @property
    def length_s(self) -> float:
        """Seconds."""
        return self.end_s - self.start_s


@immutable
class Speed:
    """Audio seconds per clock second where audio flows without holes, bursts and catching up.

    Attributes:
        ratio: Audio seconds per clock second.
        seconds: Clock seconds that it was measured on.
        spread: Largest relative distance of a part of about 4 s from the whole.
    """

    ratio: float
    seconds: float
    spread: float


@immutable
class Backlog:
    """A stretch in which more audio was sent than the clock had time for.

    Attributes:
        first: Index of the frame with which it began to build.
        peak: Index of the frame at which it was highest.
        seconds: Audio that waits at the peak.
        before_s: Of it, seconds that waited before it began to build.
        sudden: Made within about a second of clock.
    """

    first: int
    peak: int
    seconds: float
    before_s: float
    sudden: bool


def find_holes(timeline: Timeline, speed: float = 1.0) -> list[Hole]:
    """Find the clock time between frames beyond the longer of their audio.

    A single frame much longer than the others that ends a pause is what fills it (a watchdog that sends the missed
    time as one block of silence), so it does not shorten the hole.

    Args:
        timeline: The audio frames.
        speed: The steady speed of the client; a wrong declaration makes every frame look shorter or longer.
    """
    if len(timeline) < 2:
        return []
    audio_s = timeline.audio_s / speed
    gaps = np.diff(timeline.t_s)
    typical_audio = float(np.median(audio_s))
    # a client that sends in batches pauses as long as a batch lasts, within reason
    typical_gap = min(float(np.median(gaps)), max(4 * typical_audio, 0.3))
    block = audio_s[1:] > 3 * max(typical_audio, typical_gap, 0.1)
    cover = np.maximum(np.where(block, 0.0, audio_s[1:]), np.maximum(audio_s[:-1], typical_gap))
    lengths = gaps - cover
    found = np.flatnonzero(lengths > _HOLE_FLOOR_S)
    own = min(float(np.median(audio_s)), 0.3)
    return [_make_hole(timeline, audio_s, int(i) + 1, float(lengths[i]), own) for i in found]


def _make_hole(timeline: Timeline, audio_s: Floats, index: int, length_s: float, own: float) -> Hole:
    """Decide whether the audio that is missing after a hole was sent later; `own`: seconds of a usual frame."""
    t = timeline.t_s
    horizon = int(np.searchsorted(t, t[index] + 2 * length_s + 5, side="right"))
    sent = np.cumsum(audio_s[index - 1 : horizon])
    # how far the audio is behind the clock right before each frame, and after it
    lag = (t[index:horizon] - t[index - 1]) - sent[:-1]
    after = np.append(lag[1:], (t[horizon - 1] - t[index - 1]) - sent[-1])
    # of what was missing behind the hole, the most that had been made up for by each frame
    recovered = lag[0] - np.minimum.accumulate(after)
    # two thirds: a client that caught up may still be a chunk or two behind when the capture ends
    enough = np.flatnonzero(recovered >= 0.67 * length_s + own)
    filled = len(enough) > 0
    whole = np.flatnonzero(recovered >= 0.95 * float(recovered[-1])) if filled else enough
    caught_up = index + int(whole[0]) if filled else index
    soon = recovered[: max(1, int(np.searchsorted(t, t[index] + _SOON_S, side="right")) - index)]
    late_s = float(soon.max())
    if filled or late_s < _LATE_S:
        return Hole(index, float(t[index]) - length_s, float(t[index]), filled, caught_up)
    caught_up = index + int(np.argmax(soon))
    return Hole(index, float(t[index]) - length_s, float(t[index]), filled, caught_up, late_s)


def measure_speed(timeline: Timeline, start_window_s: float = 1.5) -> Speed | None:
    """Measure the client's usual speed, robust against holes, bursts and jitter.

    Slopes of windows of about 1 s vote; the windows near their median are fitted again as a whole, so that the result
    is exact to a fraction of a percent where the client is steady.

    Args:
        timeline: The audio frames.
        start_window_s: Frames within this time of the first are left out where enough others are there, because a
            queue may be flushed in it.
    """
    t, total = timeline.t_s, np.cumsum(timeline.audio_s)
    if len(timeline) < 5 or t[-1] - t[0] < 1:
        return None
    if t[-1] - t[0] > 3 * start_window_s:
        keep = t > t[0] + start_window_s + _SAME_S
        t, total = t[keep], total[keep]
    if len(t) < 5:
        return None
    windows = split_runs(t, find_runs(t, total), 1.0)
    if not windows:
        return None
    slopes = measure_slopes(t, total, windows)
    lengths = np.array([t[b - 1] - t[a] for a, b in windows])
    middle = _take_weighted_median(slopes, lengths)
    if middle <= 0:
        return None
    # windows with a hole or a burst in them are far from the median: they have no vote on the digits
    near = [window for window, slope in zip(windows, slopes, strict=True) if abs(slope / middle - 1) < 0.25]
    runs = _join(near, {a for a, _ in find_runs(t, total)})
    run_slopes = measure_slopes(t, total, runs)
    run_lengths = np.array([t[b - 1] - t[a] for a, b in runs])
    if not len(runs) or run_lengths.sum() <= 0:
        return None
    ratio = float(np.average(run_slopes, weights=run_lengths))
    # parts of 4 s, in which jitter averages out
    parts = measure_slopes(t, total, split_runs(t, runs, 4.0))
    spread = float(np.abs(parts / ratio - 1).max()) if len(parts) else 1.0
    return Speed(ratio, float(run_lengths.sum()), spread)


def find_runs(t: Floats, total: Floats) -> list[tuple[int, int]]:
    """Return index ranges of frames without a pause of more than half a second beyond the usual.

    What comes at once behind a pause is not part of them: it makes up for the pause, and says nothing of the pace. A
    client that sends in batches pauses all the time: then the whole is one range.

    Args:
        t: Shape (n,), seconds of each frame.
        total: Shape (n,), seconds of audio up to and with each frame.
    """
    gaps = np.diff(t)
    cuts = (np.flatnonzero(gaps > float(np.percentile(gaps, 90)) + 0.5) + 1).tolist()
    usual = np.delete(gaps, np.array(cuts, dtype=np.int64) - 1)
    # the gap in which half of the clock passes: many frames at once do not change it
    at_once = gaps < 0.5 * _take_weighted_median(usual, usual) if len(usual) else np.zeros(len(gaps), dtype=bool)
    # the first frame behind each pause that did not come at once
    begins = [a + int(np.argmin(at_once[a : b - 1])) if b - a > 1 else a for a, b in pairwise([0, *cuts, len(t)])]
    spans = zip(begins, [*cuts, len(t)], strict=True)
    runs = [(a, b) for a, b in spans if b - a >= 3 and t[b - 1] - t[a] > 0.5]
    batches = sum(t[b - 1] - t[a] for a, b in runs) < 0.2 * (total[-1] - total[0])
    return [(0, len(t))] if batches else runs


def split_runs(t: Floats, runs: Iterable[tuple[int, int]], seconds: float, intervals: int = 8) -> list[tuple[int, int]]:
    """Return index ranges cut into equal parts of at least the given seconds and frame intervals."""
    # eight intervals or more, so that one late frame does not tilt a window
    seconds = max(seconds, intervals * float(np.percentile(np.diff(t), 95)))
    parts = []
    for a, b in runs:
        count = max(1, int(min((t[b - 1] - t[a]) / seconds, b - a)))
        edges = np.searchsorted(t[a:b], np.linspace(t[a], t[b - 1], count + 1)[1:-1]) + a
        bounds = [a, *edges.tolist(), b]
        parts += [(lo, hi) for lo, hi in pairwise(bounds) if hi - lo >= 3 and t[hi - 1] > t[lo]]
    return parts


def _join(parts: list[tuple[int, int]], starts: set[int]) -> list[tuple[int, int]]:
    """Merge index ranges that touch, but not across the start of a run."""
    runs: list[tuple[int, int]] = []
    for a, b in parts:
        if runs and runs[-1][1] == a and a not in starts:
            runs[-1] = (runs[-1][0], b)
        else:
            runs.append((a, b))
    return runs


def measure_slopes(t: Floats, total: Floats, windows: Sequence[tuple[int, int]]) -> Floats:
    """Return the least-squares slope of audio over clock in each window.

    Args:
        t: Shape (n,), seconds.
        total: Shape (n,), seconds.
        windows: Index ranges; none is empty.

    Returns:
        Shape (windows,); 0 where all times are the same.
    """
    if not windows:
        return np.empty(0)
    starts, stops = np.array(windows).T
    counts = stops - starts
    ends = np.cumsum(counts)
    firsts = ends - counts
    places = np.repeat(starts - firsts, counts) + np.arange(ends[-1])
    # about the middle of each window, so that nothing is lost to the length of the whole
    times = t[places] - np.repeat(np.add.reduceat(t[places], firsts) / counts, counts)
    norms = np.add.reduceat(times * times, firsts)
    sums = np.add.reduceat(times * (total[places] - np.repeat(total[starts], counts)), firsts)
    return np.divide(sums, norms, out=np.zeros(len(windows)), where=norms > 0)


def _take_weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])


def measure_waiting(timeline: Timeline, drain_speed: float, start_burst_s: float, start_window_s: float) -> Floats:
    """Return the seconds of audio that wait at the service after each frame.

    A bucket filled by the audio of each frame and emptied at `drain_speed`. Up to `start_burst_s` of what was made
    within `start_window_s` of the first frame does not count for as long as the bucket has not run empty since.
    Frames longer than the usual jitter are the matter of the chunk size: a typical frame's own length beyond 0.3 s is
    not counted as waiting.

    Returns:
        Shape (n,), seconds.
    """
    if not len(timeline):
        return np.empty(0)
    audio_s, t = timeline.audio_s, timeline.t_s - timeline.t_s[0]
    # a bucket that cannot run below empty: the running minimum is the last time it was empty
    net = np.concatenate([[0.0], np.cumsum(audio_s)[:-1]]) - drain_speed * t
    before = net - np.minimum.accumulate(net)
    level = before + audio_s
    started = t <= start_window_s + _SAME_S
    credit = min(start_burst_s, float(level[started].max()))
    # once the bucket was lower than the start burst, only that much of the burst is still in it
    floor = np.minimum.accumulate(np.where(started, np.inf, before))
    excused = np.where(started, start_burst_s, np.minimum(credit, floor))
    typical = float(np.median(audio_s))
    own = typical if typical > 0.3 else 0.0
    counted: Floats = np.maximum(level - excused - own, 0.0)
    return counted


def find_backlogs(timeline: Timeline, waiting_s: Floats, limit_s: float) -> list[Backlog]:
    """Find each stretch in which more than `limit_s` of audio waits.

    Args:
        timeline: The audio frames.
        waiting_s: Shape (frames,), from `measure_waiting`.
        limit_s: Seconds.
    """
    return [_make_backlog(timeline, waiting_s, a, b) for a, b in find_stretches(waiting_s > limit_s).tolist()]


def _make_backlog(timeline: Timeline, waiting_s: Floats, start: int, stop: int) -> Backlog:
    peak = start + int(np.argmax(waiting_s[start:stop]))
    height = float(waiting_s[peak])
    ahead = np.maximum(waiting_s[: peak + 1] - timeline.audio_s[: peak + 1], 0.0)
    first = _find_last_lowest(ahead, 0.25 * height)
    t, level = timeline.t_s[first : peak + 1], waiting_s[first : peak + 1]
    before = np.searchsorted(t, t - 1.0)
    # the level one second before each frame: sudden is what was built within it
    base = np.where(before == 0, ahead[first], level[np.maximum(before - 1, 0)])
    return Backlog(first, peak, height, float(ahead[first]), bool((level - base).max() >= 0.6 * height))


def _find_last_lowest(ahead_s: Floats, limit_s: float) -> int:
    """Index of the lowest value, the last of equals, in the last stretch of values up to a limit; the first is 0."""
    stop = int(np.flatnonzero(ahead_s <= limit_s)[-1]) + 1
    above = np.flatnonzero(ahead_s[:stop] > limit_s)
    start = int(above[-1]) + 1 if len(above) else 0
    stretch = ahead_s[start:stop]
    return start + int(np.flatnonzero(stretch <= stretch.min() + _SAME_S)[-1])


@immutable
class Rhythm:
    """Frames that come in steady beats, each of them late.

    Attributes:
        period_s: Seconds from one beat to the next.
        count: How many beats were seen, at least five.
        since_s: Time of the first one.
        line: Of its first frame in the capture.
        frames: How many frames a beat usually brings.
    """

    period_s: float
    count: int
    since_s: float
    line: int
    frames: int


def find_rhythm(timeline: Timeline) -> Rhythm | None:
    """Return the beat of the frames that end a pause; None where there is none, or it is the pace of the frames itself.

    Args:
        timeline: The audio frames of one connection, or a part of them.
    """
    if len(timeline) <= _LEAST_BEATS:
        return None
    own_s = float(np.median(timeline.audio_s))
    # a beat begins behind each pause that is longer than a frame and than any usual jitter
    starts = np.flatnonzero(np.diff(timeline.t_s) > max(_LEAST_S, 1.5 * own_s)) + 1
    if len(starts) < _LEAST_BEATS:
        return None
    apart = np.diff(timeline.t_s[starts])
    period_s = float(np.median(apart))
    steady = np.abs(apart - period_s) <= max(_STEADY_S, _STEADY * period_s)
    if steady.sum() < _LEAST_BEATS - 1 or steady.mean() < 0.8:
        return None
    first = int(np.flatnonzero(steady)[0])
    beats = starts[first:]
    frames = int(np.median(np.diff(beats)))
    return Rhythm(
        float(apart[steady].mean()),
        len(beats),
        float(timeline.t_s[beats[0]]),
        int(timeline.line[beats[0]]),
        frames,
    )


@immutable
class Pauses:
    """Short pauses that explain why audio is slow: between them it flows at realtime.

    Attributes:
        after: Number of the frame before each pause, at least five.
        usual_s: Clock time that passes in one of them beyond the audio of the next frame.
    """

    after: tuple[int, ...]
    usual_s: float

    @property
    def borders(self) -> tuple[int, ...]:
        """The frames at whose ends audio may be missing: before a pause, and the first one behind it.

        What was recorded in a pause comes in one frame behind it, as far as it fitted into a buffer.
        """
        return tuple(sorted({*self.after, *(number + 1 for number in self.after)}))


def find_pauses(timeline: Timeline) -> Pauses | None:
    """Return the pauses in which the missing audio is missing; None where it is missing everywhere, or made up for.

    Args:
        timeline: The audio frames of one connection, or a part of them.
    """
    if len(timeline) <= _LEAST_BEATS:
        return None
    beyond = np.diff(timeline.t_s) - timeline.audio_s[1:]
    is_pause = beyond > max(_LEAST_PAUSE_S, 1.5 * float(np.median(timeline.audio_s)))
    paused, missing = float(beyond[is_pause].sum()), float(beyond.sum())
    is_rule = is_pause.mean() > 0.5  # then it is slow everywhere, and not by its pauses
    if is_rule or is_pause.sum() < _LEAST_BEATS or missing < 0.8 * paused or paused < 0.8 * missing:
        return None
    return Pauses(tuple(map(int, np.flatnonzero(is_pause))), float(np.median(beyond[is_pause])))


def find_left_out(timeline: Timeline) -> tuple[int, ...]:
    """Numbers of the frames before each place where whole chunks are left out; empty where fewer than four are.

    Chunks of one length come each when it is due, and where some are missing the next comes on the same beat. A sender
    that is slow loses the beat.

    Args:
        timeline: The audio frames of one connection, or a part of them.
    """
    if len(timeline) <= _LEAST_BEATS:
        return ()
    chunk_s = float(np.median(timeline.audio_s))
    apart = np.diff(timeline.t_s) / max(chunk_s, 1e-9)
    beats = np.rint(apart)
    off = np.abs(np.cumsum(apart) - np.cumsum(beats))
    is_even = np.abs(timeline.audio_s - chunk_s) <= 0.01 * chunk_s
    is_left_out = beats >= 2
    if is_even.mean() < 0.95 or np.quantile(off, 0.95) > _ON_THE_BEAT or (beats == 1).mean() < 0.5:
        return ()
    return tuple(map(int, np.flatnonzero(is_left_out))) if is_left_out.sum() >= _LEAST_LEFT_OUT else ()


_LEAST_LEFT_OUT, _ON_THE_BEAT = 4, 0.25  # places; chunks
_LEAST_PAUSE_S = 0.04

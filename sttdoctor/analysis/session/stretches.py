"""Where the pace of a client changes for good: stretches of its audio that each flow at one speed of their own.

A headset that switches its profile, a tab that goes to the background or a source that is exchanged changes how many
bytes come in a second, from one frame on. One speed for the whole would be that of neither part.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.session.pacing import Speed, find_runs, measure_slopes, measure_speed, split_runs
from sttdoctor.analysis.session.timeline import Timeline
from sttdoctor.values import immutable

Floats = NDArray[np.float64]

_WINDOW_S = 0.5
_BESIDE = 4  # windows on each side of a border that are compared
_LEAST_WINDOWS = 3
_LEAST_S = 3.0
_LEAST_SPEED_S = 2.0
_SAME_S = 1e-6
_LEAST_FRAMES = 10
_STEADY = 0.1  # spread of the speed within a stretch
_MOST = 16  # a client that changes more often has no stretches
_APART = math.log(1.25)


@immutable
class Stretch:
    """Consecutive audio frames of one connection.

    Attributes:
        first: Index of its first frame.
        stop: Index behind its last frame.
        speed: Of the audio in it, None where it is too short to show one.
        frame_s: Its usual length of a frame, seconds as declared.
        seconds: From its first frame to its last.
    """

    first: int
    stop: int
    speed: Speed | None
    frame_s: float
    seconds: float


def split_stretches(timeline: Timeline, start_window_s: float = 1.5) -> list[Stretch]:
    """Divide the audio of a connection where its pace changes for good by a factor of 1.25 or more.

    Each side of a change is steady for 3 s or more; pauses do not count as a pace.

    Args:
        timeline: The audio frames.
        start_window_s: As in `measure_speed`, for the first stretch.

    Returns:
        One stretch for all frames where the pace does not change; empty without frames.
    """
    if not len(timeline):
        return []
    borders = _find_borders(timeline) if len(timeline) >= 2 * _LEAST_FRAMES else []
    while True:
        edges = [0, *borders, len(timeline)]
        parts = [_measure_stretch(timeline, a, b, start_window_s if a == 0 else 0.0) for a, b in pairwise(edges)]
        kept = [border for border, (left, right) in zip(borders, pairwise(parts), strict=True) if _differ(left, right)]
        if len(kept) == len(borders):
            return parts
        borders = kept


def _measure_stretch(timeline: Timeline, first: int, stop: int, start_window_s: float) -> Stretch:
    line = timeline.part(first, stop)
    seconds = float(line.t_s[-1] - line.t_s[0])
    return Stretch(first, stop, measure_speed(line, start_window_s), float(np.median(line.audio_s)), seconds)


def _differ(left: Stretch, right: Stretch) -> bool:
    ratios = []
    for part in (left, right):
        known = part.speed
        if (
            known is None
            or known.seconds < _LEAST_SPEED_S
            or part.seconds < _LEAST_S - _SAME_S
            or known.spread > _STEADY
            or known.ratio <= 0
        ):
            return False
        if part.stop - part.first < _LEAST_FRAMES:
            return False
        ratios.append(known.ratio)
    return abs(math.log(ratios[1] / ratios[0])) >= _APART


def _find_borders(timeline: Timeline) -> list[int]:
    """Indices of the frames at which a new pace may begin."""
    t, total = timeline.t_s, np.cumsum(timeline.audio_s)
    if t[-1] - t[0] < 2 * _LEAST_S - 1:
        return []
    windows = split_runs(t, find_runs(t, total), _WINDOW_S, intervals=4)
    if len(windows) < 2 * _LEAST_WINDOWS:
        return []
    slopes = measure_slopes(t, total, windows)
    # on a log scale a factor is a step of the same size both ways; the median takes out single windows
    values = _smooth(np.log(np.clip(slopes, 1 / 64, 64.0)))
    found = sorted(_find_splits(values, 0, len(values)))
    return [] if len(found) >= _MOST else [_place_border(timeline, windows, at) for at in found]


def _smooth(values: Floats) -> Floats:
    """Median of each value and its neighbours."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    middle: Floats = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return middle


def _find_splits(values: Floats, first: int, stop: int, depth: int = 0) -> list[int]:
    """Where a sequence of levels steps from one to another: the best place, then those on each side of it."""
    count = stop - first
    if count < 2 * _LEAST_WINDOWS or depth > 5:
        return []
    part = values[first:stop]
    sizes = np.arange(1, count)
    sums = np.cumsum(part)
    # by how much two means explain the levels better than one, for every place of the border at once
    gain = (sums[:-1] / sizes - (sums[-1] - sums[:-1]) / (count - sizes)) ** 2 * sizes * (count - sizes)
    inside = gain[_LEAST_WINDOWS - 1 : count - _LEAST_WINDOWS]
    at = first + _LEAST_WINDOWS + int(np.argmax(inside))
    left, right = values[max(first, at - _BESIDE) : at], values[at : min(stop, at + _BESIDE)]
    if abs(float(np.median(left)) - float(np.median(right))) < _APART:
        return []
    return [*_find_splits(values, first, at, depth + 1), at, *_find_splits(values, at, stop, depth + 1)]


def _place_border(timeline: Timeline, windows: Sequence[tuple[int, int]], at: int) -> int:
    """The frame at which the pace changes, near the border of two windows.

    By the length of the frames where that changes too, as it does with a new capture device; else where audio over
    clock bends most.
    """
    first, stop = windows[max(at - 2, 0)][0], windows[min(at + 1, len(windows) - 1)][1]
    size = timeline.size[first:stop].astype(np.float64)
    quarter = max(len(size) // 4, 1)
    old, new = float(np.median(size[:quarter])), float(np.median(size[-quarter:]))
    if min(old, new) > 0 and abs(math.log(new / old)) >= _APART:
        is_old = np.flatnonzero(np.abs(size - old) < np.abs(size - new))
        return first + (int(is_old[-1]) + 1 if len(is_old) else 0)
    t, total = timeline.t_s[first:stop], np.cumsum(timeline.audio_s[first:stop])
    # the bend is where audio over clock is farthest from the straight line between both ends
    chord = (total[-1] - total[0]) / max(t[-1] - t[0], 1e-9)
    return first + int(np.argmax(np.abs(total - total[0] - chord * (t - t[0]))))

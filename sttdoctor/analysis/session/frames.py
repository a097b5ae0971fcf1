"""Frames as frames: which of them hold sound, and how each goes on with those before it.

A short read ends in zeros that the next frame does not go on with; frames that overtook one another fit the other way
round; two sources in turn fit together across one frame and not next to each other. What frames hold besides samples is
in `frame_headers`, what was sent before in `repeats`.

Only frames with sound are looked at, as silence is alike everywhere; and at most `MOST` of them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import read_numbers
from sttdoctor.analysis.encoding.non_pcm import count_bytes
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

MOST = 600
FEWEST = 12  # frames with sound below which nothing is told
SEEN = 8192  # bytes of a frame that are compared
_AT_ONCE = 1 << 16  # bytes of frames that are read at once
_COUNTED = 64  # frames whose bytes are counted at once
_NEARLY = 0.6  # share of the bytes of a frame that one value has nearly everywhere
Bytes = NDArray[np.uint8]
_FITS, _MISFIT = 2.5, 4.0  # steps across a border, in units of the usual error of extrapolation
Edge = tuple[float, float, float, float]
_LEAST_BORDERS, _LEAST_CHOSEN = 20, 5
_TORN, _MENDED = 0.1, 0.25  # share of borders that are torn, and what of it may be left once pairs are exchanged


@immutable
class Tail:
    """Frames that end in zeros although the sound goes on: how many, which share, and the first, from 0."""

    count: int
    share: float
    filled: float
    first: int


def read_values(frame: bytes, encoding: str) -> NDArray[np.float64]:
    """Read the samples of a frame as they stand, shape (n,), NaN and infinity included."""
    with np.errstate(invalid="ignore"):
        values = read_numbers(frame, encoding).astype(np.float64)
    values[np.isnan(values)] = np.nan  # a signalling one in hostile bytes would make later arithmetic warn
    return values


def read_rows(
    frames: Sequence[bytes], encoding: str, most: int | None = None
) -> Iterator[tuple[list[int], NDArray[np.float64]]]:
    """Read the samples of many frames at a time, as numpy takes as long for one short frame as for many.

    Args:
        frames: In any order, of any sizes.
        encoding: Of the samples.
        most: Bytes of each that are read, None for all.

    Yields:
        Numbers of frames of one length, and their samples as of `read_values`, shape (frames, samples).
    """
    width = ENCODINGS[encoding].width
    for numbers, size in group_by_size([len(frame) for frame in frames]):
        whole = (size if most is None else min(size, most)) // width * width
        content = b"".join([frames[i][:whole] for i in numbers])
        yield numbers, read_values(content, encoding).reshape(len(numbers), whole // width)


def group_by_size(sizes: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Yield numbers that have one size, and that size; as many at once as stay in the processor's cache."""
    numbers_of: dict[int, list[int]] = {}
    for number, size in enumerate(sizes):
        numbers_of.setdefault(size, []).append(number)
    for size, numbers in numbers_of.items():
        count = max(1, _AT_ONCE // max(1, size))
        for first in range(0, len(numbers), count):
            yield numbers[first : first + count], size


def select_active(frames: Sequence[bytes], encoding: str) -> list[int]:
    """Return the numbers of up to `MOST` frames that hold sound: more than a few values, none nearly everywhere."""
    width = ENCODINGS[encoding].width
    chosen: list[int] = []
    for first in range(0, len(frames), _COUNTED):
        some = [frames[number][:SEEN] for number in range(first, min(first + _COUNTED, len(frames)))]
        active = []
        for numbers, size in group_by_size(list(map(len, some))):
            if size >= max(32, 8 * width):
                rows = np.frombuffer(b"".join([some[i] for i in numbers]), np.uint8).reshape(len(numbers), size)
                active += [numbers[i] for i in np.flatnonzero(_are_active(rows)).tolist()]
        chosen += [first + number for number in sorted(active)]
        if len(chosen) >= MOST:
            break
    return chosen[:MOST]


def is_active(frame: bytes) -> bool:
    """Whether a frame holds sound: many values, and none nearly everywhere but in zeros that fill its end."""
    return bool(_are_active(np.frombuffer(frame[:SEEN], dtype=np.uint8)[None, :])[0])


def _are_active(rows: Bytes) -> NDArray[np.bool_]:
    counts, filled = count_bytes(rows), np.full(len(rows), rows.shape[1])
    padded = np.flatnonzero(counts[:, 0] > _NEARLY * rows.shape[1])
    if len(padded):
        sounds = rows[padded, ::-1] != 0
        zeros = np.where(sounds.any(axis=1), sounds.argmax(axis=1), rows.shape[1])
        counts[padded, 0] -= zeros
        filled[padded] -= zeros
    return np.asarray((np.count_nonzero(counts, axis=1) >= 12) & (counts.max(axis=1) <= _NEARLY * filled))


def measure_same_peaks(frames: Sequence[bytes], encoding: str) -> tuple[float, float] | None:
    """Return the share of frames whose largest value is the same, 0..1, and that value, of full scale.

    Frames that were each brought to one peak have it in pauses, too, where sound has not. None where there are few
    frames, where they are silent, or where all are as loud, as of a tone or of noise.
    """
    chosen = [frame for frame in frames[:MOST] if _LEAST_VALUES <= len(frame) <= _MOST_VALUES]
    peaks, powers = np.empty(len(chosen)), np.empty(len(chosen))
    for numbers, rows in read_rows(chosen, encoding):
        values = rows / ENCODINGS[encoding].full_scale
        with np.errstate(all="ignore"):
            peaks[numbers], powers[numbers] = np.abs(values).max(axis=1), np.square(values).mean(axis=1)
    if len(chosen) < _LEAST_BORDERS or not np.isfinite([peaks, powers]).all():
        return None
    usual = float(np.median(peaks))
    if not 0.0 < usual <= 1.0 + _SAME_PEAK or powers.min() <= 0.0:
        return None
    if np.log10(powers).std() < _AS_LOUD:
        return None
    return float(np.mean(np.abs(peaks - usual) <= _SAME_PEAK * usual)), usual


_LEAST_VALUES, _MOST_VALUES = 128, 1 << 18  # bytes
_AS_LOUD = 0.12  # of a decade of power: tones keep to their level, and noise has no single peak
_SAME_PEAK = 2e-3  # what rounding and a second scaling leave


def are_halves_swapped(frames: Sequence[bytes], encoding: str) -> bool:
    """Whether frames with sound go on from their end to their beginning, and break in the middle or near it."""
    across = [np.empty((0, 2 * _NEAR_MIDDLE + 1))]
    for _, rows in read_rows(frames[:: max(1, len(frames) // _ASKED)], encoding):
        middle = rows.shape[1] // 2
        if rows.shape[1] <= 4 * _NEAR_MIDDLE:
            continue
        with np.errstate(invalid="ignore"):  # of numbers that are none
            steps = np.abs(np.diff(rows, axis=1))
            usual = np.median(steps, axis=1)
            inside = steps[:, middle - _NEAR_MIDDLE : middle + _NEAR_MIDDLE]
            ends = np.column_stack([inside, np.abs(rows[:, 0] - rows[:, -1])])
        known = np.isfinite(usual) & (usual > 0.0)
        across.append(ends[known] / usual[known, None])
    steps_across = np.concatenate(across)
    if len(steps_across) < FEWEST:
        return False
    *inside_steps, outside = np.median(steps_across, axis=0).tolist()
    *others, largest = sorted(inside_steps)
    # what is read in a wrong encoding jumps everywhere, and any distance
    return bool(outside <= _FITS and _MISFIT <= largest <= _FARTHEST and others[-1] <= _FITS)


_FARTHEST = 200.0  # usual steps: sound swings no farther
_NEAR_MIDDLE = 8  # samples: halves may differ by a few
_ASKED = 60  # frames, spread evenly, whose median says as much as that of all


def find_disorder(edges: Sequence[Edge | None]) -> list[int]:
    """Find frames that were swapped with the one before them, told by the sound: their numbers, the later ones of each.

    Of four frames in a row the borders are compared as they are and with the two in the middle exchanged. Where the
    exchange makes all three borders fit, and nowhere the other way round, they were swapped.

    Args:
        edges: As `list_edges` has them.
    """
    found = []
    steps = _measure_steps(edges)
    as_is_of = np.stack([steps[at : max(0, len(steps) - 2 + at)] for at in range(3)], axis=1)
    torn = ~np.isnan(as_is_of).any(axis=1) & ((as_is_of > _MISFIT).sum(axis=1) >= 2)
    for i in (np.flatnonzero(torn) + 1).tolist():
        as_is = as_is_of[i - 1].tolist()
        p, a, b, n = edges[i - 1 : i + 3]
        exchanged = [measure_misfit(p, b), measure_misfit(b, a), measure_misfit(a, n)]
        if max(exchanged) < _FITS and min(as_is) > max(exchanged):
            found.append(i + 1)
    return found


def are_pairs_swapped(edges: Sequence[Edge | None]) -> bool:
    """Whether each two frames stand in the wrong order: borders are torn, and fit once the two are exchanged.

    Then no frame has neighbours to which it fits in either order, as `find_disorder` needs them.

    Args:
        edges: As `list_edges` has them.
    """
    as_is = _measure_torn(edges)
    ways = ([*edges[:first], *_exchange_pairs(edges[first:])] for first in (0, 1))
    return as_is > _TORN and any(_measure_torn(way) < _MENDED * as_is for way in ways)


def _exchange_pairs(edges: Sequence[Edge | None]) -> list[Edge | None]:
    return [edges[i ^ 1] for i in range(len(edges) // 2 * 2)]


def _measure_torn(edges: Sequence[Edge | None]) -> float:
    """The share of borders over which the sound does not go on; 0 where there are few."""
    steps = _measure_steps(edges)
    steps = steps[~np.isnan(steps)]
    return float(np.mean(steps > _MISFIT)) if len(steps) >= _LEAST_BORDERS else 0.0


def _measure_steps(edges: Sequence[Edge | None]) -> NDArray[np.float64]:
    """`measure_misfit` of each frame and the next one, shape (edges - 1,); NaN where either has no edge."""
    known = np.array([edge or _NO_EDGE for edge in edges]).reshape(-1, 4)
    with np.errstate(all="ignore"):  # of bytes that are no samples of this encoding
        scale = np.maximum(np.maximum(known[:-1, 3], known[1:, 2]), 1e-9)
        return np.asarray(np.abs(known[1:, 1] - known[:-1, 0]) / scale)


_NO_EDGE = (np.nan,) * 4


def list_edges(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> list[Edge | None]:
    """What `extrapolate_edges` says of each frame; None also for frames without sound."""
    edges: list[Edge | None] = [None] * min(len(frames), 4 * MOST)
    known = [i for i in active if i < len(edges)]
    for i, edge in zip(known, extrapolate_edges([frames[i] for i in known], encoding), strict=True):
        edges[i] = edge
    return edges


def extrapolate_edges(frames: Sequence[bytes], encoding: str) -> list[Edge | None]:
    """Where each frame's sound would go on, where it began, and how far extrapolation usually errs near either end.

    None for frames of fewer than 48 samples, or with samples that are no numbers.
    """
    found: list[Edge | None] = [None] * len(frames)
    for numbers, rows in read_rows(frames, encoding):
        if rows.shape[1] < 48:
            continue
        ends = [2 * rows[:, -1] - rows[:, -2], rows[:, 0]]
        for near in (rows[:, :18], rows[:, -18:]):
            # the second difference: what a straight line through the last two samples misses
            errors = near[:, 2:] - 2 * near[:, 1:-1] + near[:, :-2]
            ends.append(np.sqrt(np.mean(errors**2, axis=1)))
        known = np.flatnonzero(np.isfinite(rows).all(axis=1))
        for i, edge in zip(known.tolist(), zip(*(end[known].tolist() for end in ends), strict=True), strict=True):
            found[numbers[i]] = edge
    return found


def measure_misfit(one: Edge | None, other: Edge | None) -> float:
    """How badly a frame goes on with another."""
    assert one is not None and other is not None
    scale = max(one[3], other[2], 1e-9)
    return abs(other[1] - one[0]) / scale


def find_tails(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> Tail | None:
    """Find frames whose end is zeros while the next one goes on with sound: short reads of a whole buffer."""
    width = ENCODINGS[encoding].width
    if len(active) < FEWEST:
        return None
    least = 8 * width
    hits: list[tuple[int, float]] = []
    inner = 0
    for i in active:
        frame = frames[i]
        run = len(frame) - len(frame.rstrip(b"\0"))
        if count_trailing_zeros(frame, frames[i + 1] if i + 1 < len(frames) else b"", width):
            hits.append((i, 1 - run / len(frame)))
        inner += bytes(least) in frame[: len(frame) - run].rstrip(b"\0")
    if len(hits) < max(3, 0.03 * len(active)) or inner > 0.5 * len(hits):
        return None
    return Tail(len(hits), len(hits) / len(active), float(np.mean([share for _, share in hits])), hits[0][0])


def count_trailing_zeros(frame: bytes, after: bytes, width: int) -> int:
    """How many bytes of zero samples end a frame with sound, with which the next one does not go on; else 0."""
    run = (len(frame) - len(frame.rstrip(b"\0"))) // width * width
    if run < max(8 * width, 0.02 * len(frame)) or not after or after.startswith(bytes(2 * width)):
        return 0
    return run if is_active(frame[: len(frame) - run]) else 0


def is_two_streams(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> float:
    """Return how sure it is, 0..1, that two sources come in turn: each frame goes on with the one before the last.

    Levels decide: of speech, neighbours are alike, and more so than frames that are further apart. Where two speakers
    or tracks take turns it is the other way round.
    """
    usual = Counter(len(frames[i]) for i in active).most_common(1)
    if not usual or usual[0][1] < 60:
        return 0.0
    levels = _measure_levels(frames[: 4 * MOST], encoding)
    near, far = _correlate(levels, 1), _correlate(levels, 2)
    if near > 0.5 or far - near < 0.25:
        return 0.0
    steps_near, steps_far = (
        _measure_border_steps(frames, active, encoding, 1),
        _measure_border_steps(frames, active, encoding, 2),
    )
    fits = steps_far < 0.9 * steps_near
    return min(0.97, 0.6 + 0.5 * (far - near)) if fits else 0.0


def _measure_levels(frames: Sequence[bytes], encoding: str) -> NDArray[np.float64]:
    levels = np.zeros(len(frames))
    for numbers, rows in read_rows(frames, encoding, SEEN):
        is_number = np.isfinite(rows)
        count = np.maximum(1, np.count_nonzero(is_number, axis=1))
        levels[numbers] = np.log1p(np.sqrt(np.square(np.where(is_number, rows, 0.0)).sum(axis=1) / count))
    return levels


def _correlate(levels: NDArray[np.float64], lag: int) -> float:
    a, b = levels[lag:], levels[:-lag]
    if len(a) < 8 or np.std(a) == 0 or np.std(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _measure_border_steps(frames: Sequence[bytes], active: Sequence[int], encoding: str, lag: int) -> float:
    """The usual step from the last sample of a frame to the first of the one that is `lag` further on."""
    width = ENCODINGS[encoding].width
    pairs = [(frames[i], frames[i + lag]) for i in active if i + lag < len(frames)]
    pairs = [(one, other) for one, other in pairs if len(one) >= width and len(other) >= width]
    last = read_values(b"".join(_take_last(one, width) for one, _ in pairs), encoding)
    first = read_values(b"".join(other[:width] for _, other in pairs), encoding)
    with np.errstate(invalid="ignore"):  # of infinite ones
        return _find_usual(np.abs(last - first))


def _take_last(frame: bytes, width: int, count: int = 1) -> bytes:
    """The last whole samples of a frame."""
    whole = len(frame) // width * width
    return frame[whole - count * width : whole]


def _find_usual(steps: NDArray[np.float64]) -> float:
    finite = steps[np.isfinite(steps)]
    return float(np.median(finite)) if len(finite) else 0.0


def measure_border_jump(frames: Sequence[bytes], encoding: str, at: Sequence[int] | None = None) -> float | None:
    """Return the usual step across the border of two frames, as a multiple of the step between two samples.

    About 1 where each frame goes on with the one before; 2 and more where samples between them are missing. None where
    fewer than `_LEAST_BORDERS` frames of one channel hold sound.

    Args:
        frames: The audio frames.
        encoding: Of the samples.
        at: Numbers of the frames whose end counts, None for all. Of these `_LEAST_CHOSEN` are enough.
    """
    active = [i for i in select_active(frames, encoding) if i + 1 < len(frames)]
    width = ENCODINGS[encoding].width
    chosen = active if at is None else sorted(set(active) & set(at))
    if len(active) < _LEAST_BORDERS or len(chosen) < _LEAST_CHOSEN:
        return None
    last = read_values(b"".join(_take_last(frames[i], width, 2) for i in active), encoding).reshape(-1, 2)
    with np.errstate(invalid="ignore"):
        usual = _find_usual(np.abs(last[:, 1] - last[:, 0]))
    return _measure_border_steps(frames, chosen, encoding, 1) / usual if usual > 0 else None


def measure_broken_borders(frames: Sequence[bytes], encoding: str, at: Sequence[int] | None = None) -> float | None:
    """Return the share of borders, 0..1, across which the sound does not go on, beyond what cuts within frames show.

    Cutting each frame in its middle and looking at that border in the same way tells what sound and noise do alone.
    None where fewer than `_LEAST_BORDERS` frames with sound follow one another. Arguments as in `border_jump`.
    """
    width = ENCODINGS[encoding].width
    active = select_active(frames, encoding)
    chosen = set(active)
    middle = [len(frames[i]) // 2 // width * width for i in active]
    firsts = extrapolate_edges([frames[i][:half] for i, half in zip(active, middle, strict=True)], encoding)
    seconds = extrapolate_edges([frames[i][half:] for i, half in zip(active, middle, strict=True)], encoding)
    edges = dict(zip(active, zip(firsts, seconds, strict=True), strict=True))
    ends = chosen if at is None else chosen & set(at)
    between = [(edges[i][1], edges[i + 1][0]) for i in ends if i + 1 in chosen]
    within = [edges[i] for i in chosen if i + 1 in chosen]
    steps = [[measure_misfit(*pair) for pair in pairs if None not in pair] for pairs in (between, within)]
    if len(steps[1]) < _LEAST_BORDERS or len(steps[0]) < (_LEAST_BORDERS if at is None else _LEAST_CHOSEN):
        return None
    across, inside = (float(np.mean(np.array(found) > _MISFIT)) for found in steps)
    return max(0.0, across - inside)

"""Stretches of sound that are sent twice in a row: A B B C, wherever frames begin.

Who reads a recording on from a place of his own (a fragment, a position, a time) and takes the last piece again sends
it twice. A stretch that comes round more often is a tone or a loop, and one that comes again later is a prompt that is
played again: of neither anything is wrong. Sound of a microphone is never the same twice, by its noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.encodings import ENCODINGS

_SHORTEST_S, _LONGEST_S = 0.15, 12.0
_FEWEST = 2
_APART = 256  # samples from one place that is looked for to the next
_KEY = 8  # bytes
_LIVELY = 5  # different values among these, as silence and small numbers are alike everywhere
_OFTEN = 3
_BLOCK = 1 << 20  # samples, so that memory stays small
_COMPARED = 1 << 28  # bytes, so that no input takes long
_MOST = 16 << 20  # bytes that are looked at

_Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Replays:
    """Stretches that are sent twice in a row.

    Attributes:
        count: How many, at least two.
        usual_s: Seconds of one, as declared.
        share: 0..1, how much of the audio is such a second time.
        first: Number of the frame in which the first one begins again, from 0.
    """

    count: int
    usual_s: float
    share: float
    first: int


def find_replays(frames: Sequence[bytes], encoding: str, bytes_per_s: float) -> Replays | None:
    """Find stretches that are sent twice in a row, byte for byte; None where fewer than two are.

    Args:
        frames: The audio frames, in order.
        encoding: Of the samples.
        bytes_per_s: The declared byte rate.
    """
    data = b"".join(frames)[:_MOST]
    width = ENCODINGS[encoding].width
    found: list[tuple[int, int]] = []
    left = _COMPARED
    for at, lag in _find_places(data, width):
        is_known = bool(found) and at < found[-1][0] + 2 * found[-1][1]
        if is_known or left <= 0 or not _SHORTEST_S <= lag / bytes_per_s <= _LONGEST_S:
            continue
        left -= 3 * lag
        start, length = _extend(data, at, lag)
        if abs(length - lag) <= max(16 * width, 0.02 * lag):
            found.append((start, lag))
    if len(found) < _FEWEST:
        return None
    ends = np.cumsum([len(frame) for frame in frames])
    again = found[0][0] + found[0][1]
    lags = [lag for _, lag in found]
    number = int(np.searchsorted(ends, again, side="right"))
    return Replays(len(found), float(np.median(lags)) / bytes_per_s, sum(lags) / len(data), number)


def _find_places(data: bytes, width: int) -> Iterator[tuple[int, int]]:
    """Yield places whose bytes come again, and after how many bytes they do, in order."""
    count = (len(data) - _KEY) // width + 1
    if count < 1:
        return
    # the eight bytes from each sample on, as one number; a view, so that it takes no room
    keys: _Keys = np.ndarray(count, "<u8", data, 0, (width,))
    lively = [i for i in range(0, count, _APART) if len(set(data[i * width : i * width + _KEY])) >= _LIVELY]
    wanted, rank = np.unique(keys[lively], return_inverse=True)
    if not lively:
        return
    parts = [_find_hits(keys[at : at + _BLOCK], wanted, at) for at in range(0, count, _BLOCK)]
    hits, of_key = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(of_key, kind="stable")  # of each key the places in order
    starts = np.searchsorted(of_key[order], np.arange(len(wanted) + 1))
    for place, key in zip(lively, rank.tolist(), strict=True):
        same = hits[order[starts[key] : starts[key + 1]]] if starts[key + 1] - starts[key] <= _OFTEN else hits[:0]
        later = same[same > place]
        if len(later):
            yield place * width, int(later[0] - place) * width


def _find_hits(keys: _Keys, wanted: _Keys, offset: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places whose key is wanted, and the number of that."""
    own = np.ascontiguousarray(keys)
    near = np.minimum(np.searchsorted(wanted, own), len(wanted) - 1)
    hits = np.flatnonzero(wanted[near] == own)
    return hits + offset, near[hits]


def _extend(data: bytes, at: int, lag: int) -> tuple[int, int]:
    """Where the stretch begins that is the same `lag` bytes later, and how long it is, at most three lags."""
    start, stop = max(0, at - lag), min(len(data) - lag, at + 2 * lag)
    here = np.frombuffer(data, np.uint8, stop - start, start)
    there = np.frombuffer(data, np.uint8, stop - start, start + lag)
    differs = np.flatnonzero(here != there) + start
    before, after = differs[differs < at], differs[differs > at]
    first = int(before[-1]) + 1 if len(before) else start
    end = int(after[0]) if len(after) else stop
    return first, end - first

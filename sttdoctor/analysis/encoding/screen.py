"""Which windows of a long stream are worth a full score.

A window costs a millisecond to score in all layouts, and an hour has ten thousand of them. Most look alike. So each
window is described by a few cheap numbers of its loudest probe, read in the encoding that fits the stream best: its
level, how fast it moves, and how the bytes of each place in a word lie. Windows of one cell of these numbers look
alike: two of them are scored, and stand for the others when they agree. Bytes in another encoding look strange in this
reading, so they fall into cells of their own; round each of them, every window is scored.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import numbers
from sttdoctor.analysis.encoding.excerpts import ALIGNMENT
from sttdoctor.analysis.encoding.quantization import Floats
from sttdoctor.analysis.mapped import blocks, release

_PLACES = 4  # probes that are looked at in each window
_BATCH = 64  # windows described at once
_CELL = np.array([2.0, 1.0, 1.0, 32.0, 32.0, 32.0, 32.0, 32.0])  # see `_described`
_AGREE = 2.0  # nats: two windows of a cell say the same within it
_NEAR = 6  # windows on each side of a strange one that are scored too
_LOUDEST = 2.0**40  # floats beyond it are no samples in any scale

Scorer = Callable[[NDArray[np.uint8]], Floats]


def screened_scores(
    data: NDArray[np.uint8], window: int, probe: int, encoding: str, score: Scorer
) -> tuple[Floats, NDArray[np.bool_]]:
    """Score the windows of a long stream, most of them by others that look alike.

    Args:
        data: Bytes, shape (n,); may be a memory map of any size.
        window: Bytes of a window, a multiple of `ALIGNMENT`.
        probe: Bytes of a probe, a multiple of `ALIGNMENT`.
        encoding: What most of the stream is.
        score: From probes, shape (n, probe), to the scores of each key, shape (n, keys), 0 for the best.

    Returns:
        Scores of each window, shape (windows, keys), and which windows were scored themselves.
    """
    places, cell = _looked_at(data, window, probe, encoding)

    def scored(chosen: NDArray[np.int64]) -> Floats:
        return score(np.stack([data[place : place + probe] for place in places[chosen]]))

    judged = _two_of_each(cell)
    chosen = np.flatnonzero(judged)
    found = scored(chosen)
    scores = np.zeros((len(places), found.shape[1]))
    scores[chosen] = found
    typical, agree = _of_cells(scores, cell, judged)
    usual = int(np.argmax(typical[cell].sum(axis=0)))
    strange = np.where(judged, scores[:, usual] < -_AGREE, ~agree[cell] & (typical[cell, usual] < -0.1 * _AGREE))
    more = np.flatnonzero(_widened(strange, _NEAR) & ~judged)
    if len(more):
        scores[more] = scored(more)
        judged[more] = True
    rest = ~judged
    scores[rest] = typical[cell[rest]]
    release(data)
    return scores, judged


def _looked_at(
    data: NDArray[np.uint8], window: int, probe: int, encoding: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the loudest of a few probes of each window begins, and the number of the window's cell."""
    starts = np.linspace(0, window - probe, _PLACES).astype(np.int64) // ALIGNMENT * ALIGNMENT
    count = len(data) // window
    places, described = np.empty(count, dtype=np.int64), np.empty((count, len(_CELL)), dtype=np.float32)
    first = 0
    for block in blocks(data[: count * window], _BATCH * window):
        rows = block.reshape(-1, window)
        looks = np.stack([rows[:, start : start + probe] for start in starts], axis=1)
        last = first + len(rows)
        alike = bool((looks == looks[0, 0, 0]).all())  # silence: one window speaks for all of the block
        loudest, described[first:last] = _described(looks[:1] if alike else looks, encoding)
        places[first:last] = np.arange(first, last) * window + starts[loudest]
        first = last
    steps = np.floor(described / _CELL).astype(np.int64)
    steps -= steps.min(axis=0)
    key = np.ravel_multi_index(tuple(steps.T), tuple(steps.max(axis=0) + 1))
    return places, np.unique(key, return_inverse=True)[1].reshape(-1)


def _described(looks: NDArray[np.uint8], encoding: str) -> tuple[NDArray[np.int64], Floats]:
    """Which probe of each window is the loudest, and its numbers, shape (windows, 8).

    Octaves of its level, of the distance of neighbours against the level, and of next neighbours against that; then
    mean distances of bytes: of neighbours, and from 0 at each of four places.
    """
    rows, places, size = looks.shape
    with np.errstate(all="ignore"):
        x = numbers(looks.reshape(-1), encoding).astype(np.float32).reshape(rows, places, -1)
        x = np.where(np.abs(x) < _LOUDEST, x, np.float32(0.0)) if encoding.startswith(("pcm_f", "f")) else x
    x -= x.mean(axis=2, keepdims=True)
    levels = np.abs(x).mean(axis=2)
    loudest = levels.argmax(axis=1)
    every = np.arange(rows)
    probe, x, level = looks[every, loudest], x[every, loudest], levels[every, loudest] + 1e-9
    step = np.abs(x[:, 1:] - x[:, :-1]).mean(axis=1) + 0.1 * level
    skip = np.abs(x[:, 2:] - x[:, :-2]).mean(axis=1) + 0.1 * level
    beside = np.abs((probe[:, 1:] - probe[:, :-1]).view(np.int8).astype(np.float32)).mean(axis=1)
    each = np.abs(probe.view(np.int8).astype(np.float32)).reshape(rows, size // 4, 4).mean(axis=1)
    octaves = np.log2([level, step / level, skip / step])
    return loudest, np.column_stack([octaves.T, beside, each]).astype(np.float64)


def _two_of_each(cell: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The first and the last window of each cell."""
    chosen = np.zeros(len(cell), dtype=bool)
    chosen[np.unique(cell, return_index=True)[1]] = True
    chosen[len(cell) - 1 - np.unique(cell[::-1], return_index=True)[1]] = True
    return chosen


def _of_cells(scores: Floats, cell: NDArray[np.int64], judged: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """The mean scores of the judged windows of each cell, shape (cells, keys), and whether they agree."""
    count = int(cell.max()) + 1
    own, seen = cell[judged], scores[judged]
    sums = np.stack([np.bincount(own, weights=column, minlength=count) for column in seen.T], axis=1)
    mean: Floats = sums / np.bincount(own, minlength=count)[:, None]
    apart = np.abs(seen - mean[own]).max(axis=1) > _AGREE
    return mean, np.bincount(own, weights=apart, minlength=count) == 0


def _widened(mask: NDArray[np.bool_], near: int) -> NDArray[np.bool_]:
    return np.convolve(mask, np.ones(2 * near + 1), mode="same")[: len(mask)] > 0.5

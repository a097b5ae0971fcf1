"""The parts of a capture that are worth judging: bounded in bytes, spread over the capture, the most active first."""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.non_pcm import measure_byte_entropy

ALIGNMENT = 48
"""Bytes: a multiple of every width times one or two channels, so that an excerpt begins as the capture does."""

EXCERPT = 4080
"""Bytes of one excerpt: 510 ms of G.711 at 8 kHz, 127 ms of 16-bit audio at 16 kHz."""

_EXCERPTS = 6
_LOOKED_AT = 256  # places at most whose activity is measured
_LOOK = 2048  # bytes read at each
_RANKS = (1.0, 0.97, 0.92, 0.85, 0.7, 0.5)  # loud parts tell most readings apart, quieter ones the one-byte shift


def pick_excerpts(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Choose what to judge.

    Activity is the entropy of the bytes: it grows with level in every encoding and needs none to be known.

    Args:
        data: Bytes, shape (n,), at least 1; may be a memory map.

    Returns:
        Shape (excerpts, bytes). A short capture comes whole but for a remainder, as few long rows.
    """
    data = data[: len(data)]
    if len(data) < (_EXCERPTS + 1) * EXCERPT:
        rows = max(1, len(data) // EXCERPT)
        length = len(data) // rows // ALIGNMENT * ALIGNMENT if rows > 1 else len(data)
        return np.ascontiguousarray(data[: rows * length]).reshape(rows, length)
    places = len(data) // EXCERPT
    starts = np.unique(np.linspace(0, places - 1, min(places, _LOOKED_AT)).astype(np.int64)) * EXCERPT
    middle = (EXCERPT - _LOOK) // 2
    looks = np.stack([data[start + middle : start + middle + _LOOK] for start in starts])
    activity = measure_byte_entropy(looks)
    order = np.argsort(activity, kind="stable")
    # silence and half-empty places tell nothing
    order = order[activity[order] >= 0.5 * activity[order[-1]]]
    picked = sorted({int(order[int(rank * (len(order) - 1))]) for rank in _RANKS})
    return np.stack([data[starts[place] : starts[place] + EXCERPT] for place in picked])


def pick_busiest_parts(rows: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The most active part of each row.

    Args:
        rows: Shape (rows, bytes).
        size: Bytes of a part, a multiple of `ALIGNMENT`.

    Returns:
        Shape (rows, size), or the rows themselves where they are not longer.
    """
    spare = rows.shape[1] - size
    if spare < ALIGNMENT:
        return np.ascontiguousarray(rows[:, :size])
    starts = np.unique(np.linspace(0, spare, 2 + spare // size).astype(np.int64) // ALIGNMENT) * ALIGNMENT
    parts = np.stack([rows[:, start : start + size] for start in starts], axis=1)
    # entropy grows with level in every encoding, so none has to be known
    busiest = measure_byte_entropy(parts.reshape(-1, size)).reshape(len(rows), -1).argmax(axis=1)
    chosen: NDArray[np.uint8] = parts[np.arange(len(rows)), busiest]
    return chosen

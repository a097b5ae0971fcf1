"""Channels that stand one after the other: all samples of one in a piece, then those of the next (planar buffers).

In each piece the sound goes on from where the same channel left off some pieces before, and not from the piece before
it, which is of another time. So the borders tell: of one channel each piece fits the one before; of planes each fits
the one that is their number before, and fits the one before no better than chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Bytes, decode
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

MOST = 8
_EDGE = 18  # samples at either end of a piece that are looked at
_LOUD = 0.15  # of the level of loud pieces
_FITS = 4.0  # steps across a border, in units of the usual error of extrapolation
_FEWEST = 24  # borders with sound
_CLEARLY, _TIMES = 0.05, 4  # how many more of the borders fit at the number of channels than nearer by
_WHOLE = 0.85  # of the cuts inside pieces fit, where pieces are of one channel
_AS_INSIDE = 0.05  # how many fewer of the borders may fit at the number of channels
_ONE = 0.85  # of the halves of frames that go on, where there is one channel
_SAME = 0.3  # of the pieces that are sent again as the first of the next frame: frames overlap, and are no planes
_WINDOWS, _WINDOW = 8, 128  # parts of a long session that are looked at, and their frames


@immutable
class Planes:
    """Channels one after the other.

    Attributes:
        channels: Their number.
        samples: Of each piece, the usual number.
        loudest: Which of them is the loudest, from 0.
    """

    channels: int
    samples: int
    loudest: int


def find_planes(data: Bytes, sizes: Sequence[int], encoding: str) -> Planes | None:
    """Tell whether each frame holds several channels, one after the other.

    Args:
        data: The joined audio, shape (n,).
        sizes: Bytes of each frame, in order.
        encoding: Of the samples.

    Returns:
        None where the sound goes on through each frame, and where nothing tells.
    """
    width = ENCODINGS[encoding].width
    ends = np.array(list(accumulate(sizes)), dtype=np.int64)
    if len(ends) < _FEWEST or np.any(ends % width):
        return None
    windows = [_read_window(data, ends, int(first), width, encoding) for first in _place_windows(len(ends))]
    for channels in range(2, MOST + 1):
        found = _Borders.join([_split(*window, channels) for window in windows])
        if found is not None and channels == 2 and found.goes_on():
            return None
        if found is not None and found.are_planes(channels):
            usual = int(np.median(np.diff(ends, prepend=0))) // width // channels
            return Planes(channels, usual, found.loudest(channels))
    return None


def take_plane(data: Bytes, sizes: Sequence[int], channels: int, channel: int, width: int) -> list[Bytes]:
    """Return of each frame the piece of one channel.

    Args:
        data: The joined audio, shape (n,).
        sizes: Bytes of each frame, in order.
        channels: Pieces of a frame.
        channel: Which one, from 0.
        width: Bytes of a sample.
    """
    starts = [0, *accumulate(sizes)]
    lengths = [size // (channels * width) * width for size in sizes]
    begins = [start + channel * length for start, length in zip(starts, lengths, strict=False)]
    return [data[begin : begin + length] for begin, length in zip(begins, lengths, strict=True)]


def _place_windows(count: int) -> Places:
    last = max(0, count - _WINDOW)
    return np.unique(np.linspace(0, last, min(_WINDOWS, 1 + last // _WINDOW)).astype(np.int64))


def _read_window(data: Bytes, ends: Places, first: int, width: int, encoding: str) -> tuple[Floats, Places]:
    """Samples of some frames in a row, and where each ends."""
    stop = min(len(ends), first + _WINDOW)
    begin = int(ends[first - 1]) if first else 0
    samples = decode(np.asarray(data[begin : int(ends[stop - 1])]), encoding)
    return np.clip(np.nan_to_num(samples), -1e6, 1e6), (ends[first:stop] - begin) // width


@dataclass(frozen=True, slots=True, eq=False)
class _Borders:
    """Pieces of sound in a row, each row of one frame after the other.

    Attributes:
        ahead: Where each would go on, shape (frames, pieces), as all that follow.
        begin: With which sample each begins.
        error: How far extrapolation usually errs near its begin, and near its end, shape (frames, pieces, 2).
        level: Of each.
        inside: How badly each goes on at its own middle, in units of that error.
        again: Whether the second piece of a frame is the first of the next one, shape (frames - 1,).
    """

    ahead: Floats
    begin: Floats
    error: Floats
    level: Floats
    inside: Floats
    again: NDArray[np.bool_]

    @staticmethod
    def join(parts: "Sequence[_Borders | None]") -> "_Borders | None":
        """All windows as one; a border between two of them is one wrong border among many."""
        known = [part for part in parts if part is not None]
        if not known:
            return None
        names = ("ahead", "begin", "error", "level", "inside", "again")
        return _Borders(*(np.concatenate([getattr(part, name) for part in known]) for name in names))

    def are_planes(self, channels: int) -> bool:
        """Whether the sound goes on over this number of pieces, and over no fewer."""
        loud = self.level > max(_LOUD * float(np.percentile(self.level, 90)), 1e-7)
        if np.count_nonzero(loud) < _FEWEST or np.mean(self.again) >= _SAME:
            return False
        if not self.level.any(axis=0).all():
            return False  # zeros that pad each frame
        inside = float(np.mean(self.inside[loud] < _FITS))
        far = self._measure_fit(channels, loud)
        near = max(self._measure_fit(lag, loud) for lag in range(1, channels))
        if inside < _WHOLE or far < inside - _AS_INSIDE:
            return False
        return far - near >= _CLEARLY and 1 - near >= _TIMES * (1 - far)

    def goes_on(self) -> bool:
        """Whether the sound goes on over halves of frames: of planes half of these borders at most are no borders."""
        loud = self.level > max(_LOUD * float(np.percentile(self.level, 90)), 1e-7)
        return int(np.count_nonzero(loud)) >= _FEWEST and self._measure_fit(1, loud) >= _ONE

    def _measure_fit(self, lag: int, loud: NDArray[np.bool_]) -> float:
        """The share of loud pieces with which the one `lag` pieces later goes on."""
        ahead, begin, chosen = (values.reshape(-1) for values in (self.ahead, self.begin, loud))
        before, behind = (self.error[..., side].reshape(-1) for side in (0, 1))
        scale = np.maximum(np.maximum(behind[:-lag], before[lag:]), 1e-9)
        steps = (np.abs(begin[lag:] - ahead[:-lag]) / scale)[chosen[:-lag]]
        return float(np.mean(steps < _FITS)) if len(steps) else 0.0

    def loudest(self, channels: int) -> int:
        """The piece of a frame that is the loudest."""
        return int(np.argmax(np.mean(self.level[:, :channels] ** 2, axis=0)))


def _split(samples: Floats, ends: Places, channels: int) -> _Borders | None:
    """Cut each frame into as many pieces of the same length; None where frames are too short for it."""
    starts = np.concatenate([[0], ends[:-1]])
    lengths = (ends - starts) // channels
    whole = lengths >= 3 * _EDGE
    if np.mean(whole) < 0.9 or len(ends) < 2:
        return None
    starts, lengths = starts[whole], lengths[whole]
    first = starts[:, None] + lengths[:, None] * np.arange(channels)
    stop = first + lengths[:, None]
    near, far = samples[first[..., None] + np.arange(_EDGE)], samples[stop[..., None] - 1 - np.arange(_EDGE)]
    middle = samples[((first + stop) // 2)[..., None] + np.arange(-_EDGE, _EDGE)]
    levels = np.sqrt(np.maximum(near.var(axis=2), far.var(axis=2)) + middle.var(axis=2))
    error = np.stack([_measure_error(near), _measure_error(far)], axis=2)
    turn = np.abs(middle[..., _EDGE] - 2 * middle[..., _EDGE - 1] + middle[..., _EDGE - 2])
    halves = np.maximum(_measure_error(middle[..., :_EDGE]), _measure_error(middle[..., _EDGE:]))
    again = np.all(near[:-1, 1] == near[1:, 0], axis=1) & (near[1:, 0].var(axis=1) > 0)
    return _Borders(2 * far[..., 0] - far[..., 1], near[..., 0], error, levels, turn / np.maximum(halves, 1e-9), again)


def _measure_error(pieces: Floats) -> Floats:
    """The usual error of linear extrapolation within short pieces, shape (frames, pieces)."""
    errors: Floats = np.sqrt(np.mean(np.diff(pieces, 2, axis=2) ** 2, axis=2))
    return errors

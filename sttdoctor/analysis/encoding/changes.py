"""Where the encoding, or the alignment of its samples, changes along a stream.

Every window of the stream is scored in all layouts by the cheap description length; a change must pay for itself
over the windows that follow (Viterbi), and both sides are then judged in full: only two clear and different answers
make a change. The place is where the summed difference of the two description lengths turns.

Of a long stream only some windows are worth a full score: one costs a millisecond to score in all layouts, and an hour
has ten thousand of them. Most look alike. So each window is described by a few cheap numbers of its loudest probe, read
in the encoding that fits the stream best: its level, how fast it moves, and how the bytes of each place in a word lie.
Windows of one cell of these numbers look alike: two of them are scored, and stand for the others when they agree. Bytes
in another encoding look strange in this reading, so they fall into cells of their own; round each of them, every window
is scored.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import Layout, decode, read_numbers
from sttdoctor.analysis.encoding.estimate import (
    KEYS,
    LAYOUTS,
    NOT_PCM,
    TEXT,
    count_layouts_bits,
    estimate_encoding,
    find_highest_line,
    score_cheaply,
)
from sttdoctor.analysis.encoding.excerpts import ALIGNMENT, pick_busiest_parts, pick_excerpts
from sttdoctor.analysis.encoding.non_pcm import count_non_pcm_bits, count_text_bits
from sttdoctor.analysis.encoding.quantization import Floats, read_samples
from sttdoctor.analysis.excerpt import read_blocks, release
from sttdoctor.encodings import ENCODINGS, SUPPORTED
from sttdoctor.values import immutable

_PLACES = 4  # probes that are looked at in each window
_SCREENED_AT_ONCE = 256  # windows described at once
_CELL = np.array([2.0, 1.0, 1.0, 32.0, 32.0, 32.0, 32.0, 32.0])  # see `_describe_looks`
_AGREE = 2.0  # nats: two windows of a cell say the same within it
_NEAR = 6  # windows on each side of a strange one that are scored too
_FAINTEST = 2.0**-16  # of full scale; sound in another encoding is far louder than it in any reading
_STILL = 0.9  # share of one value: so a stretch that a gate has nearly closed tells no encoding
_FEW_VALUES = 20  # as of the pauses of sound that had 8 bits before it was encoded: any reading fits so few
_LOUDEST = 2.0**40  # floats beyond it are no samples in any scale

Scorer = Callable[[NDArray[np.uint8]], Floats]


@immutable
class EncodingChange:
    """One place where the format or the alignment changes.

    Attributes:
        offset: Byte offset in the stream.
        before: Key of `EncodingEstimate.probabilities` that holds before it; shifts count from the stream's first byte.
        after: The key that holds after it.
        confidence: Probability (0..1) that both sides are what they are called.
    """

    offset: int
    before: str
    after: str
    confidence: float


_WINDOWS = {1: 8160, 2: 12240, 3: 12240, 4: 20400, 8: 20400}
"""Bytes of a window by the width of the encoding that fits best: multiples of 48, and at most half of 2 s at 8 kHz."""

_PROBE = 480  # bytes judged in each window: its most active part
_HALF = slice(2 * ALIGNMENT, 2 * ALIGNMENT + _PROBE // 2)
_BATCH = 96  # windows scored at once: what they take stays near the processor
_MOST_SCORED = 400  # windows that are all scored: about two minutes of 16-bit audio; of longer streams see the screen
_SETTLED = 0.5  # nats that a window may say against the usual key and still be taken for it
_FINE = 384  # bytes: step in which a change is located, 48 ms of G.711 at 8 kHz
_SWITCH = 5.0  # nats a change must gain; both sides are judged in full afterwards
_SLOPE, _KNEE = 2.5, 8.0  # nats a window says for an excess of bits: _SLOPE * log(1 + excess / _KNEE)
_CAP = 12.0  # nats at most that one window can say
_BESIDE = 20  # windows behind a change: about 2 s of 48 kHz floats, longer of anything else
_SURE = 0.95
_FEW = 8  # readings one after the other: nobody changes the format as often, and for as short as this
_HELD = 5  # windows at least that a reading holds in the mean, about 2 s of 16-bit audio at 16 kHz
_MOSTLY = 0.6  # share of the windows that one encoding fits, in or out of step
_OFTEN = 0.1  # share of these that it fits at another step than the usual one
_ONCE = 2  # to something that is not taken, and back
_TOLD = 32  # slips at most
_AT_ONCE = 1 << 13  # windows
_MARGIN_OF_BYTES = 1.0  # bits a byte, to and from samples of 8 bits, where true changes differ by 1.8 to 4
_MARGIN = 0.05  # bits a byte; true changes differ by 0.1 (s32 and s16) to 3 (a shift)


def find_changes(data: NDArray[np.uint8], known: Mapping[str, float] | None = None) -> list[EncodingChange]:
    """Find where the encoding or the alignment changes.

    A change that lasts about 2 s or longer is seen anywhere. Silence and other stretches that cannot tell their
    encoding never make one.

    Args:
        data: Bytes, shape (n,) of uint8; may be a memory map of any size.
        known: Bits a byte by key, as `estimate_encoding` told them of these bytes; measured where it told none.

    Returns:
        The changes in their order; empty for a healthy stream.
    """
    if len(data) < 8 * _PROBE:
        return []
    excerpts = pick_excerpts(data)
    lengths = known or score_cheaply(excerpts)
    usual = LAYOUTS[min(LAYOUTS, key=lambda key: lengths[key])]
    coarse = read_samples(excerpts, usual.encoding, usual.offset).header_bits > 0.0
    encoding = usual.encoding
    window = min(_WINDOWS[ENCODINGS[encoding].width], max(2 * _PROBE, len(data) // 12 // ALIGNMENT * ALIGNMENT))
    if len(data) // window > _MOST_SCORED:
        path = _find_long_path(score_screened(data, window, _PROBE, encoding, partial(_score_probes, coarse=coarse))[0])
    else:
        probes = _pick_probes(data, window)
        # half of each says enough where nothing changes, which is nearly always
        path = _find_best_path(2.0 * _score_probes(probes[:, _HALF], coarse))
        if np.ptp(path):
            path = _find_best_path(_score_probes(probes, coarse))
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    if len(edges) == 2:
        return []
    if len(edges) - 1 > _FEW and len(path) < _HELD * (len(edges) - 1):
        return _find_slips(data, window, path, coarse)
    segments = _judge_segments(data, window, edges, usual)
    changes: list[EncodingChange] = []
    for one, two in pairwise(segments):
        if one.key != two.key and _differ_clearly(one, two):
            # the path is exact to a window; the place is looked for in two windows on each side
            low, high = max(one.start, one.end - 2) * window, min(two.end, two.start + 2) * window
            low = max([low, *(change.offset for change in changes[-1:])])
            place = low + _find_turning_point(data[low:high], one.key, two.key, coarse)
            start = -(-place // ALIGNMENT) * ALIGNMENT  # shifts count from the stream's first byte
            if not _goes_on(data[start : min(start + _BESIDE * window, two.end * window)], two.key):
                continue
            changes.append(EncodingChange(place, one.key, two.key, one.probability * two.probability))
    return _drop_excursions(changes)


def are_credible(changes: Sequence[EncodingChange], declared: str | None) -> bool:
    """Whether a client may have sent that: garbage that begins at once reads as this in speech, as that in pauses.

    Args:
        changes: As found.
        declared: The encoding that the client meant to send, None where it did not say.
    """
    keys = {key for change in changes for key in (change.before, change.after)}
    names = {key.partition("+")[0] for key in keys}
    if len(names) > 1 and not names <= {declared or NOT_PCM, *SUPPORTED}:
        return len(changes) <= _ONCE and (declared is None or declared in keys)
    return True


def _find_slips(data: NDArray[np.uint8], window: int, path: NDArray[np.int64], coarse: bool) -> list[EncodingChange]:
    """Where the samples of one encoding get out of step, when that happens again and again; else none.

    Frames that lose or gain a part of a sample each read well for as long as the slip does not fall into a window. Any
    other reading that changes with every breath is that of garbage, which no change explains.
    """
    keys = [KEYS[key] for key in path]
    names = [key.partition("+")[0] for key in keys]
    name = max(dict.fromkeys(names), key=names.count)
    fitting = [at for at, one in enumerate(names) if one == name and keys[at] in LAYOUTS]
    own = [keys[at] for at in fitting]
    usual = max(own.count(key) for key in {*own, ""})
    if len(fitting) < _MOSTLY * len(path) or len(own) - usual < _OFTEN * len(own):
        return []
    changes: list[EncodingChange] = []
    for one, two in pairwise(fitting):
        if keys[one] != keys[two] and len(changes) < _TOLD:
            low, high = max(0, one - 1) * window, (two + 2) * window
            low = max([low, *(change.offset for change in changes[-1:])])
            place = low + _find_turning_point(data[low:high], keys[one], keys[two], coarse)
            changes.append(EncodingChange(place, keys[one], keys[two], _SURE))
    return changes


def _goes_on(beside: NDArray[np.uint8], key: str) -> bool:
    """Whether what follows a change may be what the whole rest is called; steady noise further on can mislead.

    White noise in floats is described in fewer bits as integers out of step, so much of it outvotes a few words.
    """
    found = estimate_encoding(beside)
    best = max(found.probabilities, key=lambda key: found.probabilities[key])
    return best == key or not found.decidable or found.probabilities[best] < _SURE


def _drop_excursions(changes: list[EncodingChange]) -> list[EncodingChange]:
    """Leave out a change that is taken back at the very place where it is said to happen."""
    kept: list[EncodingChange] = []
    for change in changes:
        if kept and kept[-1].offset == change.offset and kept[-1].before == change.after:
            kept.pop()
        else:
            kept.append(change)
    return kept


@immutable
class _Segment:
    start: int  # windows
    end: int
    key: str
    probability: float
    bits_per_byte: dict[str, float]


def _differ_clearly(one: _Segment, two: _Segment) -> bool:
    """Whether each side is described much worse by the other's key.

    In a quiet stretch with an offset two readings are almost the same numbers on two scales: their descriptions differ
    by a few bits in all, which is enough for a probability but not for an accusation. Samples of 16 bits on plateaus
    that a hum moves look like two channels of 8, of which one stands still.
    """
    are_bytes = any(segment.key in ENCODINGS and ENCODINGS[segment.key].width == 1 for segment in (one, two))
    least = _MARGIN_OF_BYTES if are_bytes else _MARGIN
    return (
        one.bits_per_byte.get(two.key, np.inf) - one.bits_per_byte[one.key] >= least
        and two.bits_per_byte.get(one.key, np.inf) - two.bits_per_byte[two.key] >= least
    )


def _judge_segments(data: NDArray[np.uint8], window: int, edges: list[int], usual: Layout) -> list[_Segment]:
    """The segments that are surely of one key, equal neighbours joined; without silence and tones in the usual one.

    In a sweep or a note, where each sample follows from the one before the last, words of two fit as well. So they do
    in what a gate leaves of floats, far below the steps of 16 bits: few numbers, whose bytes are nearly all 0.
    """
    segments: list[_Segment] = []
    for start, end in pairwise(edges):
        found = estimate_encoding(data[start * window : end * window])
        key = max(found.probabilities, key=lambda key: found.probabilities[key])
        if not found.decidable or found.probabilities[key] < _SURE:
            continue
        excerpts = pick_excerpts(data[start * window : end * window])
        heard = decode(excerpts.reshape(-1)[usual.offset :], usual.encoding)
        if (
            np.abs(heard).max() < _FAINTEST
            or len(np.unique(heard)) < _FEW_VALUES
            or np.mean(heard == np.median(heard)) > _STILL
        ):
            continue
        if find_highest_line(read_samples(excerpts, usual.encoding, usual.offset)) is not None:
            continue
        start = start if not segments or segments[-1].key != key else segments.pop().start
        segments.append(_Segment(start, end, key, found.probabilities[key], found.bits_per_byte))
    return segments


def _count_key_bits(rows: NDArray[np.uint8], keys: Sequence[str], coarse: bool) -> Floats:
    """Bits of each row under each key, shape (rows, keys), by the cheap score; `coarse`: look for their scale."""
    others = {NOT_PCM: count_non_pcm_bits, TEXT: count_text_bits}
    samples = [key for key in keys if key in LAYOUTS]
    bits = dict(zip(samples, count_layouts_bits([(rows, LAYOUTS[key]) for key in samples], coarse), strict=True))
    return np.stack([bits[key] if key in LAYOUTS else others[key](rows) for key in keys], axis=1)


def _pick_probes(data: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    """The most active part of each window, shape (windows, `_PROBE`)."""
    rows = data[: len(data) // window * window].reshape(-1, window)
    parts = [pick_busiest_parts(rows[first : first + _BATCH], _PROBE) for first in range(0, len(rows), _BATCH)]
    return np.concatenate(parts)


def _score_probes(probes: NDArray[np.uint8], coarse: bool) -> Floats:
    """The same for probes of windows, shape (probes, bytes)."""
    parts = []
    for first in range(0, len(probes), _BATCH):
        part = probes[first : first + _BATCH]
        bits = _count_key_bits(part, KEYS, coarse)
        excess = bits - bits.min(axis=1, keepdims=True)
        parts.append(np.maximum(-_SLOPE * np.log1p(excess / _KNEE), -_CAP))
    return np.concatenate(parts)


def _find_long_path(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """`_find_best_path` for many windows: those in a row that all fit the usual key are one step of the search."""
    usual = scores[:, int(np.argmax(scores.sum(axis=0, dtype=np.float64)))] > -_SETTLED
    # a window begins a new step unless it and the one before it fit the usual key
    first = np.flatnonzero(~(usual & np.concatenate([[False], usual[:-1]])))
    # key by key: doubles of all of a day's scores would be most of the memory
    steps = np.stack([np.add.reduceat(column, first, dtype=np.float64) for column in scores.T], axis=1)
    path = _find_best_path(steps)
    return np.repeat(path, np.diff(np.append(first, len(scores))))


def _find_best_path(scores: Floats) -> NDArray[np.int64]:
    """The most probable key of each window when every change of key costs `_SWITCH` (Viterbi), shape (windows,)."""
    came_from = np.empty(scores.shape, dtype=np.uint8)
    total = np.zeros(scores.shape[1])
    keys = np.arange(scores.shape[1])
    for place, score in enumerate(scores):
        # a change costs the same whatever the keys, so the best predecessor is the key itself or the best of all
        best = int(np.argmax(total))
        switched = total[best] - _SWITCH > total
        came_from[place] = np.where(switched, best, keys)
        total = np.where(switched, total[best] - _SWITCH, total) + score
    path = np.empty(len(scores), dtype=np.int64)
    key = int(np.argmax(total))
    for place in range(len(scores) - 1, -1, -1):
        path[place] = key
        key = int(came_from[place, key])
    return path


def _find_turning_point(data: NDArray[np.uint8], before: str, after: str, coarse: bool) -> int:
    """Byte at which the description turns from one key to the other."""
    rows = data[: len(data) // _FINE * _FINE].reshape(-1, _FINE)
    gain = -np.diff(_count_key_bits(rows, [before, after], coarse), axis=1)[:, 0]
    # the sum falls while `before` fits and rises while `after` does: its lowest place is the border
    return _FINE * int(np.argmin(np.concatenate([[0.0], np.cumsum(gain)])))


def score_screened(
    data: NDArray[np.uint8], window: int, probe: int, encoding: str, score: Scorer
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
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
    places, cell = _place_looks(data, window, probe, encoding)

    def scored(chosen: NDArray[np.int64]) -> Floats:
        probes = np.stack([data[place : place + probe] for place in places[chosen]])
        release(data)  # a look at a mapped file brings the 64 KiB round it
        return score(probes)

    judged = _take_two_of_each(cell)
    chosen = np.flatnonzero(judged)
    found = scored(chosen)
    scores = np.zeros((len(places), found.shape[1]), dtype=np.float32)
    scores[chosen] = found
    typical, agree = _average_cells(scores, cell, judged)
    usual = int(np.argmax(np.bincount(cell) @ typical))
    # a window that was not scored is strange where its cell is of two minds and does not fit the usual key
    strange = np.where(judged, scores[:, usual] < -_AGREE, ~agree[cell] & (typical[cell, usual] < -0.1 * _AGREE))
    more = np.flatnonzero(_widen(strange, _NEAR) & ~judged)
    if len(more):
        scores[more] = scored(more)
        judged[more] = True
    rest = np.flatnonzero(~judged)
    for at in range(0, len(rest), _AT_ONCE):  # all at once would be the scores of ten hours once more
        some = rest[at : at + _AT_ONCE]
        scores[some] = typical[cell[some]]
    return scores, judged


def _place_looks(
    data: NDArray[np.uint8], window: int, probe: int, encoding: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the loudest of a few probes of each window begins, and the number of the window's cell."""
    starts = np.linspace(0, window - probe, _PLACES).astype(np.int64) // ALIGNMENT * ALIGNMENT
    count = len(data) // window
    places, described = np.empty(count, dtype=np.int64), np.empty((count, len(_CELL)), dtype=np.float32)
    first = 0
    for block in read_blocks(data[: count * window], _SCREENED_AT_ONCE * window):
        rows = block.reshape(-1, window)
        looks = np.stack([rows[:, start : start + probe] for start in starts], axis=1)
        last = first + len(rows)
        alike = bool((looks == looks[0, 0, 0]).all())  # silence: one window speaks for all of the block
        loudest, described[first:last] = _describe_looks(looks[:1] if alike else looks, encoding)
        places[first:last] = np.arange(first, last) * window + starts[loudest]
        first = last
    # windows whose numbers fall into one box of this grid share a cell
    steps = np.floor(described / _CELL).astype(np.int64)
    steps -= steps.min(axis=0)
    key = np.ravel_multi_index(tuple(steps.T), tuple(steps.max(axis=0) + 1))
    return places, np.unique(key, return_inverse=True)[1].reshape(-1)


def _describe_looks(looks: NDArray[np.uint8], encoding: str) -> tuple[NDArray[np.int64], Floats]:
    """Which probe of each window is the loudest, and its numbers, shape (windows, 8).

    Octaves of its level, of the distance of neighbours against the level, and of next neighbours against that; then
    mean distances of bytes: of neighbours, and from 0 at each of four places.
    """
    rows, places, size = looks.shape
    with np.errstate(all="ignore"):
        x = read_numbers(looks.reshape(-1), encoding).astype(np.float32).reshape(rows, places, -1)
        x = np.where(np.abs(x) < _LOUDEST, x, np.float32(0.0)) if encoding.startswith(("pcm_f", "f")) else x
    # an offset is no level
    x -= _average(x)[..., None]
    levels = _average(np.abs(x))
    loudest = levels.argmax(axis=1)
    every = np.arange(rows)
    probe, x, level = looks[every, loudest], x[every, loudest], levels[every, loudest] + 1e-9
    step = _average(np.abs(x[:, 1:] - x[:, :-1])) + 0.1 * level
    skip = _average(np.abs(x[:, 2:] - x[:, :-2])) + 0.1 * level
    beside = _average(np.abs((probe[:, 1:] - probe[:, :-1]).view(np.int8).astype(np.float32)))
    # by the place in a word of four bytes: shifts and other widths move what stands where
    words = np.abs(probe.view(np.int8).astype(np.float32)).reshape(rows, size // 4, 4)
    each = _average(words.swapaxes(1, 2))
    octaves = np.log2([level, step / level, skip / step])
    return loudest, np.column_stack([octaves.T, beside, each]).astype(np.float64)


def _average(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean over the last axis: a product is faster than `mean` of rows as short as these."""
    count = values.shape[-1]
    return values @ np.full(count, 1.0 / count, dtype=np.float32)


def _take_two_of_each(cell: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The first and the last window of each cell."""
    chosen = np.zeros(len(cell), dtype=bool)
    chosen[np.unique(cell, return_index=True)[1]] = True
    chosen[len(cell) - 1 - np.unique(cell[::-1], return_index=True)[1]] = True
    return chosen


def _average_cells(
    scores: NDArray[np.float32], cell: NDArray[np.int64], judged: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """The mean scores of the judged windows of each cell, shape (cells, keys), and whether they agree."""
    count = int(cell.max()) + 1
    own, seen = cell[judged], scores[judged]
    sums = np.stack([np.bincount(own, weights=column, minlength=count) for column in seen.T], axis=1)
    mean: Floats = sums / np.bincount(own, minlength=count)[:, None]
    apart = np.abs(seen - mean[own]).max(axis=1) > _AGREE
    return mean, np.bincount(own, weights=apart, minlength=count) == 0


def _widen(mask: NDArray[np.bool_], near: int) -> NDArray[np.bool_]:
    return np.convolve(mask, np.ones(2 * near + 1), mode="same")[: len(mask)] > 0.5

"""Audio that was sent before: frames that hold bytes of those shortly before, and stretches sent twice in a row.

A pool repeats the frame before at the same place, a retry sends a frame again, an overlap begins a frame with the end
of the one before. Who reads a recording on from a place of his own (a fragment, a position, a time) and takes the last
piece again sends a stretch twice, A B B C, wherever frames begin. Short pieces that all stood in the stream one and the
same time before come from a ring buffer that is read where it has not been written anew. A stretch that comes round
more often is a tone or a loop, and one that comes again later is a prompt that is played again: of neither anything is
wrong. Sound of a microphone is never the same twice, by its noise.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import autocorrelate
from sttdoctor.analysis.session.frames import FEWEST, SEEN, group_by_size, is_active, read_values
from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import FrameContents
from sttdoctor.values import immutable

_NEAR = 8  # frames within which one that is sent again follows the first
_FILLERS = 2
_OFTEN_WHOLE, _OFTEN_PART, _UNEVEN = 0.03, 0.3, 0.03
_STUCK = 15
_LEAST_REST = 32  # bytes
_STUCK_BYTES = 4000  # half a second of G.711

_SHORTEST_S, _LONGEST_S = 0.15, 12.0
_SHORTEST_BLOCK_S, _BLOCKS = 0.008, 0.1  # of blocks, as a device has them, and what share of the audio they then are
_SOON_S = 3.0  # after it ended, what a buffer still holds is sent again
_FEWEST_REPLAYS = 2
_LONGEST_BLOCK_S, _LEAST_OF_REST = 0.1, 24  # of a device's blocks; samples that are the same by no chance
_FEWEST_RESTS, _MOST_OF_RESTS, _AT_END = 6, 0.7, 2  # rests; share of what comes again soon; samples off the same end
_SAME_LAP = 0.005  # of a lap
_BESIDE, _UNLIKE = 64, 0.5  # samples beside a piece, and how alike those of two times may be
_AS_LOUD = 0.3  # of the usual level
_APART = 256  # samples from one place that is looked for to the next
_KEY = 8  # bytes
_LIVELY = 5  # different values among these, as silence and small numbers are alike everywhere
_OFTEN = 3
_INFORMATIVE = 16  # samples that tell whether two frames are alike
_BLOCK = 1 << 16  # samples, so that a block stays in the cache
_SPARSE = 64  # places of the table of hashes for each key that is wanted, so that few others are taken for one
_COMPARED = 1 << 28  # bytes, so that no input takes long
_MOST = 16 << 20  # bytes that are looked at

_Keys = NDArray[np.uint64]


@immutable
class Repeat:
    """Bytes that were sent before.

    Attributes:
        kind: `place` (the same bytes at the same place of the frame before), `whole` (a frame sent again), `overlap`
            (a frame begins with the end of the one before), `grown` (a frame is the one before and more), `rest` (a
            frame ends with what stood there before), `front` (a frame begins as the next one does, and goes on with its
            own sound), `own` (a frame ends with bytes that it began with), `stuck` (one
            frame again and again, to the end or for long).
        count: Frames that it shows in.
        share: 0..1, of the frames with sound.
        alike: 0..1, how much of such a frame is alike.
        first: Number of the first such frame, from 0.
    """

    kind: str
    count: int
    share: float
    alike: float
    first: int


def find_repeats(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> Repeat | None:
    """Find bytes that were sent before, other than silence and tones; None where there are none."""
    if len(active) < FEWEST:
        return None
    stuck = _find_stuck(frames, encoding)
    if stuck is not None:
        return stuck
    grown = [i for i in active if i and len(frames[i]) > len(frames[i - 1]) and frames[i].startswith(frames[i - 1])]
    if len(grown) >= max(3, 0.5 * len(active)):
        share = float(np.mean([len(frames[i - 1]) / len(frames[i]) for i in grown]))
        return Repeat("grown", len(grown), len(grown) / len(active), share, grown[0])
    width = ENCODINGS[encoding].width
    # whether a frame is a tone costs more than whether anything comes again at all
    if _find_again(frames, active, width, (0.0, 0.0, -1.0)) is None:
        return None
    lively = _drop_filler(frames, [i for i in active if not _is_periodic(frames[i], encoding)])
    return _find_again(frames, lively, width, (_OFTEN_WHOLE, _OFTEN_PART, _UNEVEN)) if len(lively) >= FEWEST else None


def _find_again(
    frames: Sequence[bytes], lively: Sequence[int], width: int, least: tuple[float, float, float]
) -> Repeat | None:
    """Find frames that hold bytes of those shortly before.

    Args:
        frames: All of them.
        lively: Numbers of those that count.
        width: Bytes of a sample.
        least: What share of these must be sent again, or be alike in part, and how uneven what is left over must be;
            three of them in any case.
    """
    share_whole, share_part, uneven = least
    again = find_whole(frames, lively)
    if len(again) >= max(3, share_whole * len(lively)):
        return Repeat("whole", len(again), len(again) / len(lively), 1.0, again[0])
    pairs = [(i, frames[i - 1], frames[i]) for i in lively if i and len(frames[i]) == len(frames[i - 1])]
    shares = _measure_likeness([before for _, before, _ in pairs], [frame for _, _, frame in pairs], width)
    alike = [(i, share) for (i, _, _), share in zip(pairs, shares, strict=True)]
    hits = [(i, share) for i, share in alike if share >= 0.5]
    if len(hits) >= max(3, share_part * len(alike)):
        return Repeat("place", len(hits), len(hits) / len(lively), float(np.mean([s for _, s in hits])), hits[0][0])
    own = [(i, share) for i in lively if (share := 1 - find_own_start(frames[i], width) / len(frames[i])) > 0]
    if len(own) >= max(3, share_part * len(lively)):
        return Repeat("own", len(own), len(own) / len(lively), float(np.mean([s for _, s in own])), own[0][0])
    overlaps = [
        (i, share) for i in lively if i and (share := measure_overlap(frames[i - 1], frames[i]) / len(frames[i])) > 0
    ]
    if len(overlaps) >= max(3, share_part * len(lively)):
        share = float(np.mean([s for _, s in overlaps]))
        return Repeat("overlap", len(overlaps), len(overlaps) / len(lively), share, overlaps[0][0])
    rests = [(i, share) for i, before, frame in pairs if (share := _measure_old_rest(before, frame)) > 0]
    shares = [share for _, share in rests]
    # as much at the end of each frame is a field of a protocol, and not what was not written anew
    if len(rests) >= max(3, share_part * len(pairs)) and float(np.std(shares)) > uneven:
        return Repeat("rest", len(rests), len(rests) / len(lively), float(np.mean(shares)), rests[0][0])
    fronts = [(i - 1, share) for i, before, frame in pairs if (share := _measure_same_front(before, frame)) > 0]
    shares = [share for _, share in fronts]
    # as much at the beginning of each frame is a header
    if len(fronts) >= max(3, share_whole * len(pairs)) and float(np.std(shares)) > uneven:
        return Repeat("front", len(fronts), len(fronts) / len(lively), float(np.mean(shares)), fronts[0][0])
    return None


def _measure_same_front(before: bytes, frame: bytes) -> float:
    """The share of a frame's bytes with which the one before it begins, too; 0 for hardly any."""
    if before[:_LEAST_REST] != frame[:_LEAST_REST]:
        return 0.0
    one, other = np.frombuffer(before, np.uint8), np.frombuffer(frame, np.uint8)
    same = _count_same(one, other)
    return same / len(frame) if len(set(frame[:same])) >= 12 else 0.0


def _measure_old_rest(before: bytes, frame: bytes) -> float:
    """The share of a frame's bytes, at its end, that stood at the same place of the one before; 0 for hardly any."""
    if before[-_LEAST_REST:] != frame[-_LEAST_REST:]:
        return 0.0
    one, other = np.frombuffer(before, np.uint8), np.frombuffer(frame, np.uint8)
    differs = np.flatnonzero(one != other)
    old = len(frame) - 1 - int(differs[-1]) if len(differs) else 0
    return old / len(frame) if old >= _LEAST_REST and len(set(frame[-old:])) >= 12 else 0.0


def _drop_filler(frames: Sequence[bytes], lively: list[int]) -> list[int]:
    """Leave out one frame or two that come again and again between others: comfort noise, which fills pauses."""
    counts = Counter(frames[i] for i in lively)
    often = {content for content, count in counts.items() if count > _NEAR}
    others = [i for i in lively if frames[i] not in often]
    return others if len(often) <= _FILLERS and len(others) >= FEWEST else lively


def _find_stuck(frames: Sequence[bytes], encoding: str) -> Repeat | None:
    """The longest run of one frame, at least `_STUCK` long; of a tone all frames may be alike with nothing wrong."""
    # so long a run holds two of these
    apart = _STUCK // 2
    if all(frames[i] != frames[i + apart] for i in range(0, len(frames) - apart, apart)):
        return None
    best, start = (0, 0), 0
    begun = frames[0] if frames else b""
    for i, frame in enumerate(frames):
        if frame != begun:
            best = max(best, (i - start, -start))
            start, begun = i, frame
    best = max(best, (len(frames) - start, -start))
    length, first = best[0], -best[1]
    frame = frames[first] if frames else b""
    if length < _STUCK or length * len(frame) < _STUCK_BYTES or len(frame) < 64 or not is_active(frame):
        return None
    if _is_tone(frame, encoding) or _has_shorter_period(frame, encoding):
        return None
    if sum(other != frame and is_active(other) for other in frames[first + length :]) >= FEWEST:
        return None  # the sound goes on: a gate that fills pauses with one piece of noise
    return Repeat("stuck", length - 1, (length - 1) / len(frames), 1.0, first)


def _is_tone(frame: bytes, encoding: str) -> bool:
    """Whether a frame that follows itself goes on without a step, as a tone does whose period divides it."""
    values = read_values(frame, encoding)
    if len(values) < 16 or not np.all(np.isfinite(values)):
        return True
    spectrum = np.abs(np.fft.rfft(values - values.mean())) ** 2  # of the frame's own period: a tone is a few lines
    top = np.sort(spectrum)[::-1]
    return bool(top[:4].sum() >= 0.995 * max(top.sum(), 1e-30))


def _has_shorter_period(frame: bytes, encoding: str) -> bool:
    """Whether a frame that follows itself has a shorter period, exactly: a tone of whatever shape."""
    values = read_values(frame[:SEEN], encoding)
    values = values - values.mean()
    # circular autocorrelation (Wiener-Khinchin): of the frame as it follows itself
    lags = np.fft.irfft(np.abs(np.fft.rfft(values)) ** 2, len(values))[: len(values) // 2 + 1]
    # first away from the peak at 0, which is wide of smooth sound
    away = np.flatnonzero(lags < 0.7 * lags[0])
    return bool(len(away) and lags[away[0] :].max() >= 0.995 * lags[0])


def find_own_start(frame: bytes, width: int) -> int:
    """Where in a frame the bytes with which it begins come again, to its end; its length where they do not."""
    head = frame[:32]
    if len(set(head)) < 8:
        return len(frame)
    at = frame.find(head, 32)
    while at > 0:
        if at % width == 0 and frame.startswith(frame[at:]):
            return at
        at = frame.find(head, at + 1)
    return len(frame)


def was_sent_before(frames: Sequence[bytes], number: int) -> bool:
    """Whether a frame with sound holds the bytes of one shortly before."""
    frame = frames[number]
    return frame in frames[max(0, number - _NEAR) : number] and is_active(frame)


def find_whole(frames: Sequence[bytes], lively: Sequence[int]) -> list[int]:
    """Return the numbers of frames that hold the bytes of one shortly before.

    A recording that is played in a loop comes round much later.

    Args:
        frames: All of them.
        lively: Numbers of those that count.
    """
    seen: dict[bytes, int] = {}
    again: list[int] = []
    for i in lively:
        if i - seen.get(frames[i], i - _NEAR - 1) <= _NEAR:
            again.append(i)
        seen[frames[i]] = i
    return again


def find_doubled(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> list[int]:
    """Return the numbers of frames with sound that hold what the one right before holds; tones and fillers are none."""
    again = [i for i in active if i and frames[i] == frames[i - 1]]
    if not again:
        return []
    return _drop_filler(frames, [i for i in again if not _is_periodic(frames[i], encoding)])


def _measure_likeness(ones: Sequence[bytes], others: Sequence[bytes], width: int) -> list[float]:
    """The share of samples that are the same, of pairs of one size: high bytes alone are alike in any quiet sound."""
    found = np.zeros(len(ones))
    for numbers, size in group_by_size([min(len(one), SEEN) // width * width for one in ones]):
        a, b = (
            np.frombuffer(b"".join([side[i][:size] for i in numbers]), np.uint8).reshape(len(numbers), size)
            for side in (ones, others)
        )
        same, plain = a == b, (a == 0) | (a == 0xFF)
        # byte by byte of the samples, as rows of so few are slow; those of silence and small numbers are alike anywhere
        same = np.logical_and.reduce([same[:, i::width] for i in range(width)])
        informative = ~np.logical_and.reduce([plain[:, i::width] for i in range(width)])
        count = np.count_nonzero(informative, axis=1)
        shares = np.count_nonzero(same & informative, axis=1) / np.maximum(count, 1)
        found[numbers] = np.where(count >= _INFORMATIVE, shares, 0.0)
    return found.tolist()


def measure_overlap(before: bytes, frame: bytes) -> int:
    """How many bytes a frame begins with that ended the one before it; 0 where it begins anew."""
    at = before.find(frame[:32], 1)
    if at < 1 or len(set(frame[:32])) < 8:
        return 0
    part = before[at:]
    return len(part) if len(part) >= 32 and frame.startswith(part) else 0


def _is_periodic(frame: bytes, encoding: str) -> bool:
    """Whether a frame repeats within itself: a tone, of which two frames may be the same with nothing wrong."""
    values = read_values(frame[:SEEN], encoding)
    values = np.nan_to_num(values[np.isfinite(values)] if not np.all(np.isfinite(values)) else values)
    if len(values) < 32:
        return False
    values = values - values.mean()
    energy = float(values @ values)
    if energy <= 0:
        return True
    half = len(values) // 2
    lags = autocorrelate(values, half)[4:]
    # of a lag fewer products are summed
    norm = 1 - np.arange(4, half) / len(values)
    return bool(np.max(lags / norm, initial=0.0) >= 0.97 * energy)


@immutable
class Replays:
    """Stretches that are sent twice in a row.

    Attributes:
        count: How many, at least two.
        usual_s: Seconds of one, as declared.
        share: 0..1, how much of the audio is such a second time.
        first: Number of the frame in which the first one begins again, from 0.
        gap_s: Seconds of other audio that stand between both times, 0 where they are in a row.
        block_s: Seconds of the blocks of which they are what was not written anew, 0 where they are no rests of blocks.
        lap_s: Seconds of a ring buffer in which they still stand from one lap before, 0 where they are no such pieces.
    """

    count: int
    usual_s: float
    share: float
    first: int
    gap_s: float = 0.0
    block_s: float = 0.0
    lap_s: float = 0.0


def find_replays(frames: FrameContents, encoding: str, bytes_per_s: float) -> Replays | None:
    """Find stretches that are sent twice in a row, byte for byte; None where fewer than two are.

    Args:
        frames: The audio frames, in order.
        encoding: Of the samples.
        bytes_per_s: The declared byte rate.
    """
    data = frames.join(_MOST)
    width = ENCODINGS[encoding].width
    found: list[tuple[int, int]] = []
    later: list[tuple[int, int, int]] = []
    rests: list[tuple[int, int, int]] = []
    laps: list[tuple[int, int, int]] = []
    left = _COMPARED
    for at, lag in _find_places(data, width):
        is_known = bool(found) and at < found[-1][0] + 2 * found[-1][1]
        is_known |= bool(later) and at < later[-1][0] + later[-1][2]
        if is_known or left <= 0 or not _SHORTEST_BLOCK_S <= lag / bytes_per_s <= _LONGEST_S:
            continue
        left -= 3 * lag
        start, length = _extend(data, at, lag)
        if abs(length - lag) <= max(16 * width, 0.02 * lag):
            found.append((start, lag))
        elif length >= _SHORTEST_S * bytes_per_s and lag - length <= _SOON_S * bytes_per_s:
            later.append((start, lag, length))
        elif lag <= _LONGEST_BLOCK_S * bytes_per_s and _LEAST_OF_REST * width <= length < lag:
            rests.append((start, lag, length))
        elif lag > _LONGEST_BLOCK_S * bytes_per_s and length >= _LEAST_OF_REST * width:
            laps.append((start, lag, length))
    old = _find_old_rests(rests, width, len(data), bytes_per_s, np.cumsum(frames.sizes))
    if old is not None and len(found) + len(later) < old.count:
        return old
    lapped = _find_lapped(laps, data, encoding, bytes_per_s, np.cumsum(frames.sizes))
    if lapped is not None and len(found) + len(later) < lapped.count:
        return lapped
    long = [(start, lag) for start, lag in found if lag >= _SHORTEST_S * bytes_per_s]
    if sum(lag for _, lag in found) < _BLOCKS * len(data):  # a few short ones are tones, or coarse sound
        found = long
    if len(found) + len(later) < _FEWEST_REPLAYS:
        return None
    ends = np.cumsum(frames.sizes)
    if len(found) < _FEWEST_REPLAYS:
        # a gate or a codec fills pauses with one piece of noise
        least = _AS_LOUD * _measure_level(bytes(data[: _MOST // 16]), encoding) if later else 0.0
        loud = [
            (start, lag, length)
            for start, lag, length in later
            if _measure_level(bytes(data[(at := start // width * width) : at + length]), encoding) > least
        ]
        return _find_leftovers(loud, ends, len(data), bytes_per_s)
    again = found[0][0] + found[0][1]
    lags = [lag for _, lag in found]
    number = int(np.searchsorted(ends, again, side="right"))
    return Replays(len(found), float(np.median(lags)) / bytes_per_s, sum(lags) / len(data), number)


def _find_old_rests(
    rests: Sequence[tuple[int, int, int]], width: int, size: int, bytes_per_s: float, ends: NDArray[np.int64]
) -> Replays | None:
    """Ends of blocks that stood at the same place of the block before: all end where blocks do, however long."""
    if len(rests) < _FEWEST_RESTS:
        return None
    lag, _ = Counter(lag for _, lag, _ in rests).most_common(1)[0]
    of_lag = list(dict.fromkeys(rest for rest in rests if rest[1] == lag))
    place, _ = Counter((start + length) % lag // width for start, _, length in of_lag).most_common(1)[0]
    near = [one for one in of_lag if abs((one[0] + one[2]) % lag // width - place) <= _AT_END]
    uneven = float(np.std([length for _, _, length in near])) > _UNEVEN * lag
    if len(near) < max(_FEWEST_RESTS, _MOST_OF_RESTS * len(rests)) or not uneven:
        return None
    number = int(np.searchsorted(ends, near[0][0] + lag, side="right"))
    lengths = [length for _, _, length in near]
    share = sum(lengths) / size
    return Replays(len(near), float(np.median(lengths)) / bytes_per_s, share, number, block_s=lag / bytes_per_s)


def _find_lapped(
    laps: Sequence[tuple[int, int, int]],
    data: memoryview,
    encoding: str,
    bytes_per_s: float,
    ends: NDArray[np.int64],
) -> Replays | None:
    """Pieces that stood in the stream a fixed time before: a ring is read where it has not been written anew.

    Two clocks, of the reader and the writer, make that time one that differs by a sample or two. What is beside a piece
    has nothing to do with what was beside it then; of a recording that is played twice and coded anew, all is alike.
    """
    pieces = list(dict.fromkeys(laps))
    if len(pieces) < _FEWEST_RESTS:
        return None
    lag = float(np.median([lag for _, lag, _ in pieces]))
    near = [one for one in pieces if abs(one[1] - lag) <= _SAME_LAP * lag]
    if len(near) < max(_FEWEST_RESTS, _MOST_OF_RESTS * len(pieces)):
        return None
    if float(np.median([_measure_likeness_beside(data, encoding, *piece) for piece in near])) > _UNLIKE:
        return None
    lengths = [length for _, _, length in near]
    number = int(np.searchsorted(ends, near[0][0] + near[0][1], side="right"))
    usual_s = float(np.median(lengths)) / bytes_per_s
    return Replays(len(near), usual_s, sum(lengths) / len(data), number, lap_s=lag / bytes_per_s)


def _measure_likeness_beside(data: memoryview, encoding: str, start: int, lag: int, length: int) -> float:
    """How alike, -1..1, the sound before and behind a piece is to that beside the same piece a lap later."""
    width = ENCODINGS[encoding].width
    reach = _BESIDE * width
    found = []
    for at in (start - reach, start + length):
        at = at // width * width
        if at < 0 or at + lag + reach > len(data):
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            here, there = (
                np.nan_to_num(read_values(bytes(data[place : place + reach]), encoding), posinf=0.0, neginf=0.0)
                for place in (at, (at + lag) // width * width)
            )
            here, there = here - here.mean(), there - there.mean()
            found.append(float(here @ there / max(np.sqrt((here @ here) * (there @ there)), 1e-30)))
    return float(np.mean(found)) if found else 1.0


def _measure_level(data: bytes, encoding: str) -> float:
    """Mean distance of samples from zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.nan_to_num(read_values(data, encoding), nan=0.0, posinf=0.0, neginf=0.0)
        return float(np.abs(values).mean())


def _find_leftovers(
    later: Sequence[tuple[int, int, int]], ends: NDArray[np.int64], size: int, bytes_per_s: float
) -> Replays | None:
    """Stretches that come once more shortly after, all of one length, which is that of a buffer and of no prompts."""
    lengths = [length for _, _, length in later]
    if len(later) < _FEWEST_REPLAYS or max(lengths) > 1.02 * min(lengths):
        return None
    start, lag, _ = later[0]
    number = int(np.searchsorted(ends, start + lag, side="right"))
    gap_s = float(np.median([lag - length for _, lag, length in later])) / bytes_per_s
    return Replays(len(later), float(np.median(lengths)) / bytes_per_s, sum(lengths) / size, number, gap_s)


def count_sent_again(before: FrameContents, frames: FrameContents) -> int:
    """Bytes with which one connection began and with which another one begins again; 0 where they are silent."""
    one, other = (np.frombuffer(part.join(_MOST), np.uint8) for part in (before, frames))
    same = _count_same(one, other)
    return same if is_active(one[:same].tobytes()) else 0


def _find_places(data: memoryview, width: int) -> Iterator[tuple[int, int]]:
    """Yield places whose bytes come again, and after how many bytes they do, in order."""
    count = (len(data) - _KEY) // width + 1
    if count < 1:
        return
    # the eight bytes from each sample on, as one number; a view, so that it takes no room
    keys: _Keys = np.ndarray(count, "<u8", data, 0, (width,))
    lively = np.flatnonzero(_count_values(keys[::_APART]) >= _LIVELY) * _APART
    wanted, rank = np.unique(keys[lively], return_inverse=True)
    if not len(lively):
        return
    hits, of_key = _find_hits(keys, wanted)
    order = np.argsort(of_key, kind="stable")  # of each key the places in order
    starts = np.searchsorted(of_key[order], np.arange(len(wanted) + 1))
    counts = np.diff(starts)[rank]
    come_again = (counts > 1) & (counts <= _OFTEN)
    for place, key in zip(lively[come_again].tolist(), rank[come_again].tolist(), strict=True):
        same = hits[order[starts[key] : starts[key + 1]]]
        later = same[same > place]
        if len(later):
            yield place * width, int(later[0] - place) * width


def _count_values(keys: _Keys) -> NDArray[np.int64]:
    """How many different bytes each key has."""
    sorted_bytes = np.sort(np.ascontiguousarray(keys).view(np.uint8).reshape(-1, _KEY), axis=1)
    different: NDArray[np.int64] = 1 + np.count_nonzero(np.diff(sorted_bytes, axis=1), axis=1)
    return different


def _find_hits(keys: _Keys, wanted: _Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places whose key is wanted, in order, and the number of that key."""
    bits = (_SPARSE * len(wanted)).bit_length()
    is_hashed = np.zeros(1 << bits, dtype=bool)
    is_hashed[_hash_keys(wanted, bits)] = True
    found: list[NDArray[np.int64]] = []
    for at in range(0, len(keys), _BLOCK):
        block = np.ascontiguousarray(keys[at : at + _BLOCK])
        found.append(np.flatnonzero(is_hashed.take(_hash_keys(block, bits))) + at)
    places = np.concatenate(found)
    hashed = keys[places]
    near = np.minimum(np.searchsorted(wanted, hashed), len(wanted) - 1)
    is_hit = wanted[near] == hashed
    return places[is_hit], near[is_hit]


def _hash_keys(keys: _Keys, bits: int) -> NDArray[np.int64]:
    """A number of so many bits for each key (Knuth's multiplicative hash, by the golden ratio)."""
    return (keys * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(64 - bits)).view(np.int64)


def _extend(data: memoryview, at: int, lag: int) -> tuple[int, int]:
    """Where the stretch begins that is the same `lag` bytes later, and how long it is, at most three lags."""
    start, stop = max(0, at - lag), min(len(data) - lag, at + 2 * lag)
    here = np.frombuffer(data, np.uint8, stop - start, start)
    there = np.frombuffer(data, np.uint8, stop - start, start + lag)
    before = _count_same(here[: at - start][::-1], there[: at - start][::-1])
    return at - before, before + _count_same(here[at - start :], there[at - start :])


def _count_same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """How many bytes are the same until the first that differs; looked at is little more than these."""
    count = min(len(one), len(other))
    at, size = 0, 1 << 12
    while at < count:
        stop = min(count, at + size)
        differs = np.flatnonzero(one[at:stop] != other[at:stop])
        if len(differs):
            return at + int(differs[0])
        at, size = stop, 2 * size
    return count

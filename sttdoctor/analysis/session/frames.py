"""Frames as frames: what of each is no new audio.

A frame of a healthy client holds samples and nothing else, and none that were sent before. What does not belong is told
by statistics over many frames: a field of a header is constant or counts while samples vary, a pool repeats the frame
before at the same place, a short read ends in zeros that the next frame does not go on with, two sources in turn fit
together across one frame and not next to each other.

Only frames with sound are looked at, as silence is alike everywhere; and at most `MOST` of them.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import read_numbers
from sttdoctor.encodings import ENCODINGS

MOST = 600
_FEWEST = 12  # frames with sound below which nothing is told
_DEEPEST = 64  # bytes into a frame that a header may reach
_SEEN = 8192  # bytes of a frame that are compared
_NEAR = 8  # frames within which one that is sent again follows the first

_DUMP, _NEAR_DUMP = 1 << 16, 4096  # bytes of a dump that are read, and within which its first packet begins
_RTP_START = re.compile(rb"[\x80-\x9f]")  # version 2, without padding
_FEWEST_PACKETS, _LONGEST_PACKET = 8, 2048  # packets in a row; bytes of one, more than a network carries in one piece

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Field:
    """Bytes at one end of each frame that are no samples.

    Attributes:
        at_end: Behind the samples, not before them.
        length: Bytes.
        kind: What it is known as (`RTP`, `AudioSocket`, `length`, `padding`), or `` where no format is recognised.
        counts: Whether a part of it counts up.
        share: 0..1, how much of all bytes it takes.
        disorder: How many frames come out of the order that its sequence number tells.
    """

    at_end: bool
    length: int
    kind: str
    counts: bool
    share: float
    disorder: int = 0


@dataclass(frozen=True, slots=True)
class Repeat:
    """Bytes that were sent before.

    Attributes:
        kind: `place` (the same bytes at the same place of the frame before), `whole` (a frame sent again), `overlap`
            (a frame begins with the end of the one before), `own` (a frame ends with bytes that it began with), `stuck`
            (one frame again and again, to the end or for seconds).
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


@dataclass(frozen=True, slots=True)
class Tail:
    """Frames that end in zeros although the sound goes on: how many, which share, and the first, from 0."""

    count: int
    share: float
    filled: float
    first: int


def _read_values(frame: bytes, encoding: str) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        values = read_numbers(frame, encoding).astype(np.float64)
    values[np.isnan(values)] = np.nan  # a signalling one in hostile bytes would make later arithmetic warn
    return values


def select_active(frames: Sequence[bytes], encoding: str) -> list[int]:
    """Return the numbers of up to `MOST` frames that hold sound: more than a few values, none nearly everywhere."""
    width = ENCODINGS[encoding].width
    chosen: list[int] = []
    for number, frame in enumerate(frames):
        if len(frame) >= max(32, 8 * width) and is_active(frame):
            chosen.append(number)
            if len(chosen) == MOST:
                break
    return chosen


def is_active(frame: bytes) -> bool:
    """Whether a frame holds sound: many values, and none nearly everywhere."""
    counts = np.bincount(np.frombuffer(frame[:_SEEN], dtype=np.uint8), minlength=256)
    return bool(np.count_nonzero(counts) >= 12 and counts.max() <= 0.6 * counts.sum())


def find_field(frames: Sequence[bytes], active: Sequence[int]) -> Field | None:
    """Find a header or padding that stands in nearly every frame with sound; None where there is none."""
    if len(active) < _FEWEST:
        return None
    chosen = [frames[i] for i in active]
    shortest = min(map(len, chosen))
    depth = min(_DEEPEST, shortest // 2)
    mean = sum(map(len, chosen)) / len(chosen)
    length = _find_length_field(frames, active)
    heads = np.array([np.frombuffer(frame[:depth], dtype=np.uint8) for frame in chosen])
    body = _cut_bodies(chosen, shortest, depth)
    taken = max(_count_structured(heads, active, body), length)
    if taken:
        kind = _name_head(heads, taken, length)
        taken = {"RTP": measure_rtp_header(chosen), "AudioSocket": 3}.get(kind, taken)
        disorder = _count_disorder(heads) if kind == "RTP" else 0
        counts = any(_is_counting(heads[:, i], active) for i in range(min(taken, depth)))
        return Field(False, taken, kind, counts, taken / mean, disorder)
    tails = np.array([np.frombuffer(frame[-depth:], dtype=np.uint8)[::-1] for frame in chosen])
    taken = _count_structured(tails, active, body)
    padding = _find_padding(chosen)
    if padding > taken:
        return Field(True, padding, "padding", False, padding / mean)
    return Field(True, taken, "", False, taken / mean) if taken else None


def split_rtp(data: Bytes) -> list[bytes]:
    """Split bytes that are packets of RTP (RFC 3550), one behind the other, as a dump of a media socket holds them.

    A packet begins where the source's number of 32 bits stands again with the next sequence number of 16.

    Args:
        data: Shape (n,); the first 64 KiB are read.

    Returns:
        The whole packets from the first on, headers included; empty where fewer than eight follow each other.
    """
    content = data[:_DUMP].tobytes()
    for start in _RTP_START.finditer(content, 0, _NEAR_DUMP):
        places = _follow_rtp(content, start.start())
        if len(places) > _FEWEST_PACKETS:
            return [content[begin:end] for begin, end in pairwise(places)]
    return []


def _follow_rtp(content: bytes, place: int) -> list[int]:
    source, kind = content[place + 8 : place + 12], content[place + 1] & 0x7F if place + 1 < len(content) else 0
    places = [place]
    while len(source) == 4:
        place = content.find(source, places[-1] + 12, places[-1] + _LONGEST_PACKET) - 8
        if place < 0 or content[place] >> 6 != 2 or content[place + 1] & 0x7F != kind:
            break
        number, before = (int.from_bytes(content[at + 2 : at + 4]) for at in (place, places[-1]))
        if (number - before) % 65536 != 1:
            break
        places.append(place)
    return places


def _cut_bodies(chosen: Sequence[bytes], shortest: int, depth: int) -> NDArray[np.uint8]:
    """Bytes from the middle of each frame: the same places of all, as many as a header may have."""
    start = (shortest - depth) // 2
    return np.array([np.frombuffer(frame[start : start + depth], dtype=np.uint8) for frame in chosen])


def _count_structured(columns: NDArray[np.uint8], active: Sequence[int], body: NDArray[np.uint8]) -> int:
    """How many places from the edge on hold the same or a counting value, where places in the middle do not."""
    inside = [_measure_regularity(body[:, i], active) for i in range(body.shape[1])]
    usual = float(np.quantile(inside, 0.95))
    if usual > 0.8:
        return 0  # quiet or coarse sound is regular itself
    taken = 0
    for i in range(columns.shape[1]):
        if _measure_regularity(columns[:, i], active) >= 0.95:
            taken = i + 1
        elif i >= taken + 2:
            break  # up to two bytes of a check sum or a random part may stand within
    return taken


def _measure_regularity(column: NDArray[np.uint8], active: Sequence[int]) -> float:
    """The share of neighbours of which one follows from the other: the same step, or that step and a carry."""
    # only frames that follow one another: over a left-out one a counter takes two steps
    steps = np.diff(column.astype(np.int16))[np.diff(np.asarray(active)) == 1] % 256
    if len(steps) < _FEWEST // 2:
        return 0.0
    counts = np.bincount(steps.astype(np.int64), minlength=256)
    # the upper byte of a counter steps by one more whenever the lower one overflows
    top = int(counts.argmax())
    return float(counts[top] + counts[(top + 1) % 256]) / len(steps)


def _is_counting(column: NDArray[np.uint8], active: Sequence[int]) -> bool:
    return bool(np.ptp(column)) and _measure_regularity(column, active) >= 0.95


def _find_length_field(frames: Sequence[bytes], active: Sequence[int]) -> int:
    """Bytes of a prefix that tells the length of what follows, in either order; 0 where there is none."""
    sizes = [len(frames[i]) for i in active]
    for width in (2, 4):
        for order in ("big", "little"):
            for skip in (0, 1):
                told = [int.from_bytes(frames[i][skip : skip + width], order) for i in active]
                rest = {size - skip - width - said for size, said in zip(sizes, told, strict=True)}
                if rest in ({0}, {-width}, {-width - skip}):
                    return skip + width
    return 0


def _name_head(heads: NDArray[np.uint8], taken: int, length: int) -> str:
    if length == 3 and taken <= 3 and len(set(heads[:, 0].tolist())) == 1:
        return "AudioSocket"
    if taken >= 8 and heads.shape[1] >= 12 and np.all(heads[:, 0] >> 6 == 2):
        sequence = heads[:, 2].astype(np.int64) * 256 + heads[:, 3]
        steps = np.diff(sequence) % 65536
        if np.mean(steps <= 64) > 0.8 or np.mean(steps >= 65536 - 64) > 0.2:
            return "RTP"
    return "length" if length else ""


def measure_rtp_header(chosen: Sequence[bytes]) -> int:
    """Bytes of an RTP header (RFC 3550): 12, the contributing sources, and an extension."""
    first = chosen[0]
    length = 12 + 4 * (first[0] & 0x0F)
    if first[0] & 0x10 and len(first) >= length + 4:
        length += 4 + 4 * int.from_bytes(first[length + 2 : length + 4], "big")
    return min(length, len(first))


def _count_disorder(heads: NDArray[np.uint8]) -> int:
    sequence = heads[:, 2].astype(np.int64) * 256 + heads[:, 3]
    return int(np.count_nonzero(np.diff(sequence) % 65536 > 32768))


def _find_padding(chosen: Sequence[bytes]) -> int:
    """Zero bytes that end every frame: the same number of them, or nearly."""
    runs = np.array([len(frame) - len(frame.rstrip(b"\0")) for frame in chosen])
    usual = int(np.median(runs))
    if usual < 16 or np.mean(np.abs(runs - usual) <= 8) < 0.9:
        return 0
    return int(runs[np.abs(runs - usual) <= 8].min())


def find_repeats(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> Repeat | None:
    """Find bytes that were sent before, other than silence and tones; None where there are none."""
    if len(active) < _FEWEST:
        return None
    stuck = _find_stuck(frames, encoding)
    if stuck is not None:
        return stuck
    lively = _drop_filler(frames, [i for i in active if not _is_periodic(frames[i], encoding)])
    if len(lively) < _FEWEST:
        return None
    whole = _find_whole(frames, lively)
    if whole is not None:
        return whole
    width = ENCODINGS[encoding].width
    pairs = [(i, frames[i - 1], frames[i]) for i in lively if i and len(frames[i]) == len(frames[i - 1])]
    alike = [(i, _measure_likeness(before, frame, width)) for i, before, frame in pairs]
    hits = [(i, share) for i, share in alike if share >= 0.5]
    if len(hits) >= max(3, 0.3 * len(alike)):
        return Repeat("place", len(hits), len(hits) / len(lively), float(np.mean([s for _, s in hits])), hits[0][0])
    own = [(i, share) for i in lively if (share := 1 - find_own_start(frames[i], width) / len(frames[i])) > 0]
    if len(own) >= max(3, 0.3 * len(lively)):
        return Repeat("own", len(own), len(own) / len(lively), float(np.mean([s for _, s in own])), own[0][0])
    overlaps = [
        (i, share) for i in lively if i and (share := measure_overlap(frames[i - 1], frames[i]) / len(frames[i])) > 0
    ]
    if len(overlaps) >= max(3, 0.3 * len(lively)):
        share = float(np.mean([s for _, s in overlaps]))
        return Repeat("overlap", len(overlaps), len(overlaps) / len(lively), share, overlaps[0][0])
    return None


def _drop_filler(frames: Sequence[bytes], lively: list[int]) -> list[int]:
    """Leave out one frame or two that come again and again between others: comfort noise, which fills pauses."""
    counts = Counter(frames[i] for i in lively)
    often = {content for content, count in counts.items() if count > _NEAR}
    others = [i for i in lively if frames[i] not in often]
    return others if len(often) <= _FILLERS and len(others) >= _FEWEST else lively


_FILLERS = 2


def _find_stuck(frames: Sequence[bytes], encoding: str) -> Repeat | None:
    """The longest run of one frame, at least `_STUCK` long; of a tone all frames may be alike with nothing wrong."""
    best, start = (0, 0), 0
    for i in range(1, len(frames) + 1):
        if i == len(frames) or frames[i] != frames[start]:
            best = max(best, (i - start, -start))
            start = i
    length, first = best[0], -best[1]
    frame = frames[first] if frames else b""
    if length < _STUCK or length * len(frame) < _STUCK_BYTES or len(frame) < 64 or not is_active(frame):
        return None
    if _is_tone(frame, encoding) or _has_shorter_period(frame, encoding):
        return None
    if sum(other != frame and is_active(other) for other in frames[first + length :]) >= _FEWEST:
        return None  # the sound goes on: a gate that fills pauses with one piece of noise
    return Repeat("stuck", length - 1, (length - 1) / len(frames), 1.0, first)


_STUCK = 15
_STUCK_BYTES = 4000  # half a second of G.711


def _is_tone(frame: bytes, encoding: str) -> bool:
    """Whether a frame that follows itself goes on without a step, as a tone does whose period divides it."""
    values = _read_values(frame, encoding)
    if len(values) < 16 or not np.all(np.isfinite(values)):
        return True
    spectrum = np.abs(np.fft.rfft(values - values.mean())) ** 2  # of the frame's own period: a tone is a few lines
    top = np.sort(spectrum)[::-1]
    return bool(top[:4].sum() >= 0.995 * max(top.sum(), 1e-30))


def _has_shorter_period(frame: bytes, encoding: str) -> bool:
    """Whether a frame that follows itself has a shorter period, exactly: a tone of whatever shape."""
    values = _read_values(frame[:_SEEN], encoding)
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


def find_disorder(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> list[int]:
    """Find frames that were swapped with the one before them, told by the sound: their numbers, the later ones of each.

    Of four frames in a row the borders are compared as they are and with the two in the middle exchanged. Where the
    exchange makes all three borders fit, and nowhere the other way round, they were swapped.
    """
    chosen = set(active)
    edges = [_extrapolate_edges(frame, encoding) if i in chosen else None for i, frame in enumerate(frames[: 4 * MOST])]
    found = []
    for i in range(1, len(edges) - 2):
        four = edges[i - 1 : i + 3]
        if any(edge is None for edge in four):
            continue
        p, a, b, n = four
        as_is = [_measure_misfit(p, a), _measure_misfit(a, b), _measure_misfit(b, n)]
        exchanged = [_measure_misfit(p, b), _measure_misfit(b, a), _measure_misfit(a, n)]
        if max(exchanged) < _FITS and sum(step > _MISFIT for step in as_is) >= 2 and min(as_is) > max(exchanged):
            found.append(i + 1)
    return found


_FITS, _MISFIT = 2.5, 4.0  # steps across a border, in units of the usual error of extrapolation
_Edge = tuple[float, float, float, float]


def _extrapolate_edges(frame: bytes, encoding: str) -> _Edge | None:
    """Where a frame's sound would go on, where it began, and how far extrapolation usually errs near either end."""
    values = _read_values(frame, encoding)
    if len(values) < 48 or not np.all(np.isfinite(values)):
        return None
    # the second difference: what a straight line through the last two samples misses
    errors = values[2:] - 2 * values[1:-1] + values[:-2]
    before, after = float(np.sqrt(np.mean(errors[:16] ** 2))), float(np.sqrt(np.mean(errors[-16:] ** 2)))
    return 2 * float(values[-1]) - float(values[-2]), float(values[0]), before, after


def _measure_misfit(one: _Edge | None, other: _Edge | None) -> float:
    """How badly a frame goes on with another."""
    assert one is not None and other is not None
    scale = max(one[3], other[2], 1e-9)
    return abs(other[1] - one[0]) / scale


def was_sent_before(frames: Sequence[bytes], number: int) -> bool:
    """Whether a frame with sound holds the bytes of one shortly before."""
    frame = frames[number]
    return frame in frames[max(0, number - _NEAR) : number] and is_active(frame)


def _find_whole(frames: Sequence[bytes], lively: Sequence[int]) -> Repeat | None:
    """Frames that hold the bytes of one shortly before; a recording that is played in a loop comes round much later."""
    seen: dict[bytes, int] = {}
    again: list[int] = []
    for i in lively:
        if i - seen.get(frames[i], i - _NEAR - 1) <= _NEAR:
            again.append(i)
        seen[frames[i]] = i
    if len(again) >= max(3, 0.03 * len(lively)):
        return Repeat("whole", len(again), len(again) / len(lively), 1.0, again[0])
    return None


def _measure_likeness(one: bytes, other: bytes, width: int) -> float:
    """The share of samples that are the same: their high bytes alone are alike in any quiet sound."""
    whole = min(len(one), _SEEN) // width * width
    a, b = (np.frombuffer(part[:whole], dtype=np.uint8).reshape(-1, width) for part in (one, other))
    same = (a == b).all(axis=1)
    # the samples of silence and of small numbers are alike in any two frames
    informative = ((a != 0) & (a != 0xFF)).any(axis=1)
    return float(np.mean(same[informative])) if np.count_nonzero(informative) >= 16 else 0.0


def measure_overlap(before: bytes, frame: bytes) -> int:
    """How many bytes a frame begins with that ended the one before it; 0 where it begins anew."""
    at = before.find(frame[:32], 1)
    if at < 1 or len(set(frame[:32])) < 8:
        return 0
    part = before[at:]
    return len(part) if len(part) >= 32 and frame.startswith(part) else 0


def _is_periodic(frame: bytes, encoding: str) -> bool:
    """Whether a frame repeats within itself: a tone, of which two frames may be the same with nothing wrong."""
    values = _read_values(frame[:_SEEN], encoding)
    values = np.nan_to_num(values[np.isfinite(values)] if not np.all(np.isfinite(values)) else values)
    if len(values) < 32:
        return False
    values = values - values.mean()
    energy = float(values @ values)
    if energy <= 0:
        return True
    half = len(values) // 2
    # padded to twice the length: a lag must not wrap round
    spectrum = np.fft.rfft(values, 2 * len(values))
    lags = np.fft.irfft(np.abs(spectrum) ** 2)[4:half]
    # of a lag fewer products are summed
    norm = 1 - np.arange(4, half) / len(values)
    return bool(np.max(lags / norm, initial=0.0) >= 0.97 * energy)


def find_tails(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> Tail | None:
    """Find frames whose end is zeros while the next one goes on with sound: short reads of a whole buffer."""
    width = ENCODINGS[encoding].width
    if len(active) < _FEWEST:
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
    levels = np.array([_measure_level(frame, encoding) for frame in frames[: 4 * MOST]])
    near, far = _correlate(levels, 1), _correlate(levels, 2)
    if near > 0.5 or far - near < 0.25:
        return 0.0
    steps_near, steps_far = (
        _measure_border_steps(frames, active, encoding, 1),
        _measure_border_steps(frames, active, encoding, 2),
    )
    fits = steps_far < 0.9 * steps_near
    return min(0.97, 0.6 + 0.5 * (far - near)) if fits else 0.0


def _measure_level(frame: bytes, encoding: str) -> float:
    values = _read_values(frame[:_SEEN], encoding)
    values = values[np.isfinite(values)]
    return float(np.log1p(np.sqrt(np.mean(np.square(values)))) if len(values) else 0.0)


def _correlate(levels: NDArray[np.float64], lag: int) -> float:
    a, b = levels[lag:], levels[:-lag]
    if len(a) < 8 or np.std(a) == 0 or np.std(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _measure_border_steps(frames: Sequence[bytes], active: Sequence[int], encoding: str, lag: int) -> float:
    """The usual step from the last sample of a frame to the first of the one that is `lag` further on."""
    width = ENCODINGS[encoding].width
    steps = []
    for i in active:
        if i + lag < len(frames) and len(frames[i]) >= width and len(frames[i + lag]) >= width:
            whole = len(frames[i]) // width * width
            last, first = (
                _read_values(frames[i][whole - width : whole], encoding),
                _read_values(frames[i + lag][:width], encoding),
            )
            steps.append(abs(float(last[0]) - float(first[0])))
    finite = [step for step in steps if np.isfinite(step)]
    return float(np.median(finite)) if finite else 0.0


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
    inner = []
    for i in active:
        whole = len(frames[i]) // width * width
        last = _read_values(frames[i][whole - 2 * width : whole], encoding)
        inner.append(abs(float(last[1] - last[0])))
    usual = float(np.median([step for step in inner if np.isfinite(step)] or [0.0]))
    return _measure_border_steps(frames, chosen, encoding, 1) / usual if usual > 0 else None


def measure_broken_borders(frames: Sequence[bytes], encoding: str, at: Sequence[int] | None = None) -> float | None:
    """Return the share of borders, 0..1, across which the sound does not go on, beyond what cuts within frames show.

    Cutting each frame in its middle and looking at that border in the same way tells what sound and noise do alone.
    None where fewer than `_LEAST_BORDERS` frames with sound follow one another. Arguments as in `border_jump`.
    """
    width = ENCODINGS[encoding].width
    chosen = set(select_active(frames, encoding))
    halves = {i: (frames[i][: (h := len(frames[i]) // 2 // width * width)], frames[i][h:]) for i in chosen}
    edges = {
        i: (_extrapolate_edges(one, encoding), _extrapolate_edges(other, encoding))
        for i, (one, other) in halves.items()
    }
    ends = chosen if at is None else chosen & set(at)
    between = [(edges[i][1], edges[i + 1][0]) for i in ends if i + 1 in chosen]
    within = [edges[i] for i in chosen if i + 1 in chosen]
    steps = [[_measure_misfit(*pair) for pair in pairs if None not in pair] for pairs in (between, within)]
    if len(steps[1]) < _LEAST_BORDERS or len(steps[0]) < (_LEAST_BORDERS if at is None else _LEAST_CHOSEN):
        return None
    across, inside = (float(np.mean(np.array(found) > _MISFIT)) for found in steps)
    return max(0.0, across - inside)


_LEAST_BORDERS, _LEAST_CHOSEN = 20, 5

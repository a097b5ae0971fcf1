"""Bytes at the ends of frames that are no samples: headers, lengths, padding, checksums.

A field of a header is constant or counts while samples vary, which shows over many frames with sound. A checksum is
any number; it shows by the sound, which goes on from before it to behind it.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.session.frames import FEWEST, extrapolate_edges, measure_misfit, read_values
from sttdoctor.encodings import ENCODINGS
from sttdoctor.values import immutable

_DEEPEST = 160  # bytes into a frame that a header may reach
_FEWEST_PADDED = 4  # frames with two bytes of padding or more
_ALONE = 4  # bytes that vary, each between two that do not
_REGULAR, _QUIET = 0.95, 0.8  # of the steps from frame to frame: at places that are no samples; at those that are


@immutable
class Field:
    """Bytes at one end of each frame that are no samples.

    Attributes:
        at_end: Behind the samples, not before them.
        length: Bytes.
        kind: What it is known as (`RTP`, `AudioSocket`, `event stream`, `protobuf`, `length`, `padding`, `checksum`,
            `rest`: more than a checksum has, and sound of another time, `RTP padding`), or `` where no format is
            recognised.
        counts: Whether a part of it counts up.
        share: 0..1, how much of all bytes it takes.
        disorder: How many frames come out of the order that its sequence number tells.
        behind: Of one before the samples, the bytes that stand behind them as well, such as a checksum.
    """

    at_end: bool
    length: int
    kind: str
    counts: bool
    share: float
    disorder: int = 0
    behind: int = 0


def find_field(frames: Sequence[bytes], active: Sequence[int], encoding: str) -> Field | None:
    """Find a header, padding or a checksum that stands in nearly every frame with sound; None where there is none.

    Args:
        frames: Of one connection.
        active: Numbers of those with sound.
        encoding: Of the samples.
    """
    if len(active) < FEWEST:
        return None
    chosen = [frames[i] for i in active]
    shortest = min(map(len, chosen))
    depth = min(_DEEPEST, shortest // 2)
    mean = sum(map(len, chosen)) / len(chosen)
    length = _find_length_field(frames, active)
    heads = np.array([np.frombuffer(frame[:depth], dtype=np.uint8) for frame in chosen])
    # quiet or coarse sound is regular itself
    plain = bool(np.quantile(_measure_regularity(_cut_bodies(chosen, shortest, depth), active), 0.95) > _QUIET)
    taken = max(0 if plain else _count_structured(heads, active), length)
    if taken:
        kind = _name_head(heads, taken, length, list(map(len, chosen)))
        taken = {"RTP": measure_rtp_header(chosen), "AudioSocket": 3}.get(kind, taken)
        if kind == "event stream":  # the length of the headers stands behind that of the whole, a checksum behind both
            taken = min(shortest, 12 + int.from_bytes(chosen[0][4:8], "big"))
        disorder = _count_disorder(heads) if kind == "RTP" else 0
        regular = _measure_regularity(heads[:, :taken], active) >= _REGULAR
        counts = bool((regular & (np.ptp(heads[:, :taken], axis=0) > 0)).any())
        behind = _find_behind([frame[taken:] for frame in frames], active, encoding, kind, plain)
        return Field(False, taken, kind, counts, (taken + behind) / mean, disorder, behind)
    taken = 0 if plain else _count_behind(chosen, active)
    padding = _find_padding(chosen)
    if padding and padding >= taken:
        return Field(True, padding, "padding", False, padding / mean)
    if taken:
        counted = taken > 1 and all(
            frame[-1] == taken for frame in chosen
        )  # RFC 3550, 5.1: the last byte says how many
        return Field(True, taken, "RTP padding" if counted else "", False, taken / mean)
    return _find_checksum(frames, active, encoding, mean)


def _find_behind(frames: Sequence[bytes], active: Sequence[int], encoding: str, kind: str, plain: bool) -> int:
    """Bytes that stand behind the samples of frames of which a header was taken off."""
    if kind == "event stream":
        return _EVENT_CHECKSUM
    if kind == "protobuf" or min(len(frames[i]) for i in active) < _EVENT_CHECKSUM:
        return 0
    taken = 0 if plain else _count_behind([frames[i] for i in active], active)
    checksum = _find_checksum(frames, active, encoding, 1.0) if not taken else None
    return checksum.length if checksum is not None and checksum.kind == "checksum" and checksum.at_end else taken


def _count_behind(chosen: Sequence[bytes], active: Sequence[int]) -> int:
    """How many places at the end of frames hold the same or a counting value."""
    depth = min(_DEEPEST, min(map(len, chosen)) // 2)
    tails = np.array([np.frombuffer(frame[-depth:], dtype=np.uint8)[::-1] for frame in chosen])
    return _count_structured(tails, active)


def _find_checksum(frames: Sequence[bytes], active: Sequence[int], encoding: str, mean: float) -> Field | None:
    """Bytes of any value, before or behind the samples of each frame, over which the sound goes on."""
    width = ENCODINGS[encoding].width
    chosen = set(active)
    pairs, apart = ([(frames[i], frames[i + step]) for i in active if i + step in chosen] for step in (1, 2))
    if len(pairs) < FEWEST:
        return None
    plain = _share_of_fits(pairs, encoding, 0, 0) if all(len(one) % width == 0 for one, _ in pairs) else 0.0
    if plain > _SELDOM:
        return None
    for length in range(1, _LONGEST_CHECKSUM + 1):
        if any((len(one) - length) % width for one, _ in pairs):
            continue
        for at_end in (True, False):
            ends = [one[-length:] if at_end else one[:length] for one, _ in pairs]
            cuts = length * (not at_end), length * at_end
            # what is read in another encoding than it has is noise, which goes on over any border
            if (
                _are_any_bytes(ends)
                and _share_of_fits(pairs, encoding, *cuts) >= _MOSTLY
                and _share_of_fits(apart, encoding, *cuts) <= _SELDOM
            ):
                return Field(at_end, length, "checksum", False, length / mean)
    rest = _measure_rest(pairs, encoding)
    if (
        rest > _LONGEST_CHECKSUM
        and _share_of_fits(pairs, encoding, 0, rest) >= _MOSTLY
        and _share_of_fits(apart, encoding, 0, rest) <= _SELDOM
    ):
        return Field(True, rest, "rest", False, rest / mean)
    return None


def _measure_rest(pairs: Sequence[tuple[bytes, bytes]], encoding: str) -> int:
    """The bytes at the end of each frame before which the sound goes on best into the next one; 0 if too short.

    A buffer that is longer than what was written into it ends with what it held before, which may be sound as well.
    """
    width = ENCODINGS[encoding].width
    depth = min(_LONGEST_REST, min(len(one) for one, _ in pairs) // 4) // width
    if depth < 2 or any(len(one) % width for one, _ in pairs):
        return 0
    asked = pairs[: FEWEST * 10]
    starts = extrapolate_edges([other[: _EDGE * width] for _, other in asked], encoding)
    steps = []
    for (one, _), start in zip(asked, starts, strict=True):
        values = read_values(one[-(depth + _EDGE) * width :], encoding)
        if start is None or len(values) < depth + _EDGE or not np.isfinite(values).all():
            continue
        with np.errstate(all="ignore"):  # of bytes that are no samples of this encoding
            errors = np.concatenate([[0.0, 0.0], np.cumsum(np.square(np.diff(values, 2)))])
            # as `extrapolate_edges` measures them, for each place at which the frame might end
            ends = np.arange(len(values) - depth, len(values))
            usual = np.sqrt((errors[ends - 1] - errors[ends - 17]) / 16)
            reached = 2 * values[ends - 1] - values[ends - 2]
            steps.append(np.abs(start[1] - reached) / np.maximum(np.maximum(usual, start[2]), 1e-9))
    if len(steps) < FEWEST:
        return 0
    return int(depth - np.nan_to_num(np.median(steps, axis=0), nan=np.inf).argmin()) * width


_LONGEST_REST = 1024  # bytes
_LONGEST_CHECKSUM = 8  # bytes
_EDGE = 64  # samples at either end that are looked at: all that tells how sound goes on
# shares of borders over which the sound goes on, as the frames are and without those bytes
_SELDOM, _MOSTLY = 0.85, 0.93
_GOES_ON = 3.0  # steps across a border, in units of the usual error of extrapolation
_BINS, _UNEVEN = 16, (45.0, 0.1)
"""Chi-squared of 15 degrees of freedom: 1 in 10,000 is beyond 45; what each frame may add, of samples 0.4 to 6."""


def _share_of_fits(pairs: Sequence[tuple[bytes, bytes]], encoding: str, head: int, tail: int) -> float:
    """Share of borders over which the sound goes on, with so many bytes cut from both ends of each frame."""
    width = ENCODINGS[encoding].width
    edge = _EDGE * width

    def cut(frame: bytes) -> bytes:
        samples = frame[head : len(frame) - tail]
        short = len(samples) <= 2 * edge or len(samples) % width
        return samples if short else samples[:edge] + samples[-edge:]

    ones = extrapolate_edges([cut(one) for one, _ in pairs], encoding)
    others = extrapolate_edges([cut(other) for _, other in pairs], encoding)
    steps = [measure_misfit(a, b) for a, b in zip(ones, others, strict=True) if a and b]
    return float(np.mean(np.array(steps) < _GOES_ON)) if len(steps) >= FEWEST else 0.0


def is_torn(pairs: Sequence[tuple[bytes, bytes]], encoding: str) -> bool:
    """Whether the sound breaks off between the frames of pairs; False where too few of them tell."""
    return 0.0 < _share_of_fits(pairs, encoding, 0, 0) <= _SELDOM


def _are_any_bytes(ends: Sequence[bytes]) -> bool:
    """Whether at each place all values are as frequent, as of numbers that have nothing to do with sound."""
    columns = np.array([list(end) for end in ends]).T
    usual = columns.shape[1] / _BINS
    counts = np.array([np.bincount(column * _BINS // 256, minlength=_BINS) for column in columns])
    most = _UNEVEN[0] + _UNEVEN[1] * columns.shape[1]
    return bool((((counts - usual) ** 2 / usual).sum(axis=1) < most).all())


def _cut_bodies(chosen: Sequence[bytes], shortest: int, depth: int) -> NDArray[np.uint8]:
    """Bytes from the middle of each frame: the same places of all, as many as a header may have."""
    start = (shortest - depth) // 2
    return np.array([np.frombuffer(frame[start : start + depth], dtype=np.uint8) for frame in chosen])


def _count_structured(columns: NDArray[np.uint8], active: Sequence[int]) -> int:
    """How many places from the edge on hold the same or a counting value."""
    taken, alone = 0, 0
    for i, regular in enumerate(_measure_regularity(columns, active)):
        if regular >= _REGULAR:
            alone += i == taken + 1
            taken = i + 1
        elif i >= taken + 2:
            break  # up to two bytes of a check sum or a random part may stand within
    # of sound with a period of its own, such as the pilots of a modem, the high bytes come again and the low ones vary
    return taken if alone < _ALONE else 0


def _measure_regularity(columns: NDArray[np.uint8], active: Sequence[int]) -> NDArray[np.float64]:
    """The share of neighbours of which one follows from the other, by the same step or that step and a carry.

    Args:
        columns: Shape (frames, places).
        active: Number of each frame.

    Returns:
        Shape (places,), 0..1; 0 where too few frames follow one another.
    """
    # only frames that follow one another: over a left-out one a counter takes two steps
    steps = np.diff(columns.astype(np.int16), axis=0)[np.diff(np.asarray(active)) == 1] % 256
    count, places = steps.shape
    if count < FEWEST // 2:
        return np.zeros(places)
    counts = np.bincount((steps + 256 * np.arange(places)).ravel(), minlength=256 * places).reshape(places, 256)
    # the upper byte of a counter steps by one more whenever the lower one overflows
    top, every = counts.argmax(axis=1), np.arange(places)
    return np.asarray((counts[every, top] + counts[every, (top + 1) % 256]) / count)


def _find_length_field(frames: Sequence[bytes], active: Sequence[int]) -> int:
    """Bytes of a prefix that tells the length of what follows, in either order; 0 where there is none."""
    sizes = np.array([len(frames[i]) for i in active])
    heads = np.array([np.frombuffer(frames[i][:5], dtype=np.uint8) for i in active])
    for width in (2, 4):
        for order in (">", "<"):
            for skip in (0, 1):
                told = np.ascontiguousarray(heads[:, skip : skip + width]).view(f"{order}u{width}")[:, 0]
                rest = sizes - skip - width - told.astype(np.int64)
                if rest[0] in (0, -width, -width - skip) and np.all(rest == rest[0]):
                    return skip + width
    return 0


def _is_protobuf(head: NDArray[np.uint8], size: int) -> bool:
    """Whether a frame is one field with a length (wire type 2 of Protocol Buffers), which is that of all the rest."""
    length = 0
    for i, byte in enumerate(head[1:].tolist()):
        length |= (byte & 127) << 7 * i
        if byte < 128:
            return bool(head[0] & 7 == 2 and head[0] >> 3) and size == 2 + i + length
    return False


_TAG_AND_LENGTH = 5  # bytes


def _name_head(heads: NDArray[np.uint8], taken: int, length: int, sizes: Sequence[int]) -> str:
    if length == 3 and taken <= 3 and len(set(heads[:, 0].tolist())) == 1:
        return "AudioSocket"
    if _EVENT_STREAM in heads[0].tobytes():
        return "event stream"
    if all(map(_is_protobuf, heads[:, :_TAG_AND_LENGTH], sizes)):
        return "protobuf"
    if taken >= 8 and heads.shape[1] >= 12 and np.all(heads[:, 0] >> 6 == 2):
        sequence = heads[:, 2].astype(np.int64) * 256 + heads[:, 3]
        steps = np.diff(sequence) % 65536
        if np.mean((steps > 0) & (steps <= 64)) > 0.8 or np.mean(steps >= 65536 - 64) > 0.2:
            return "RTP"
    return "length" if length else ""


_EVENT_CHECKSUM = 4  # bytes, behind what an event of a stream holds
_EVENT_STREAM = b":message-type"
"""A header of the event streams of AWS: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html"""


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


def find_counted_padding(frames: Sequence[bytes], active: Sequence[int]) -> list[int]:
    """Numbers of the frames that are longer than the others by bytes of which the last one says how many they are.

    Padding of packets (RFC 3550, 5.1) and of blocks (PKCS #7, ANSI X9.23): zeros, or that number again and again.

    Args:
        frames: Of one connection.
        active: Numbers of those with sound.
    """
    if len(active) < FEWEST:
        return []
    usual = Counter(len(frames[i]) for i in active).most_common(1)[0][0]
    longer = [i for i in active if len(frames[i]) > usual]
    are_counted = all(
        frames[i][-1] == len(frames[i]) - usual and set(frames[i][usual:-1]) <= {0, frames[i][-1]} for i in longer
    )
    many = [i for i in longer if len(frames[i]) - usual > 1]
    return longer if are_counted and len(many) >= _FEWEST_PADDED else []


def _find_padding(chosen: Sequence[bytes]) -> int:
    """Zero bytes that end every frame: the same number of them, or nearly."""
    runs = np.array([len(frame) - len(frame.rstrip(b"\0")) for frame in chosen])
    usual = int(np.median(runs))
    if usual < 16 or np.mean(np.abs(runs - usual) <= 8) < 0.9:
        return 0
    return int(runs[np.abs(runs - usual) <= 8].min())

"""Where the pieces begin in which a dump of bare bytes was sent: what each of them has comes again at their length.

Packets of RTP count. A header has the same bytes at the same distance; a piece that stands twice is what stood its
length before; zeros that fill up a buffer end at the same distance. A checksum has nothing of its own, but it breaks
the sound: the waveform jumps at a period, or, where a piece is no whole number of samples, the place of their highest
byte changes at one.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import fast_length, find_stretches
from sttdoctor.analysis.signal.clicks import Clicks
from sttdoctor.encodings import ENCODINGS

Bytes = NDArray[np.uint8]
_DUMP, _NEAR_DUMP = 1 << 16, 4096  # bytes of a dump that are read, and within which its first packet begins
_RTP_START = re.compile(rb"[\x80-\x9f]")  # version 2, without padding
_FEWEST_PACKETS, _LONGEST_PACKET = 8, 2048  # packets in a row; bytes of one, more than a network carries in one piece
_LOOKED_AT, _FILLED_LOOKED_AT = 1 << 17, 1 << 19  # bytes: of a buffer that is filled up most may be zeros
_SHORTEST, _LONGEST, _LONGEST_FILLED = 24, 1 << 13, 1 << 15  # bytes of a piece
_FEWEST = 12  # pieces
_MOSTLY = 0.8  # share of pieces in which two bytes of a header come again; in silence they do elsewhere, too
_OFTEN = 3  # times that two bytes may stand in one header
_PROBES, _PROBE, _VALUES = 64, 32, 8  # places that are looked at; bytes at each, and different ones of them
_TWICE = 0.25  # share of places that come again a piece later, where each piece stands twice: half of them
_ZEROS = 16  # bytes
_REGULAR = 0.6  # share of runs of zeros that end a piece apart
_MOST_PARTS = 8
_STEP = 48  # bytes in which the place of the highest byte is looked for: a multiple of every width
_CLEAR, _SLIPPED = 0.6, 0.1  # share of its moves in those of any other byte; of the steps in which it stands elsewhere
_BLUR = 3  # bytes by which that length may be off, of few pieces
_LOW = 0.5  # of the agreement with itself, in the middle of a piece
_NEAR = 64  # bytes: a dump begins with a piece, so what returns so near its start stands in the first one's header


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


def list_pieces(data: Bytes, encoding: str, jumps: Clicks | None, slips: bool) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the ways in which a dump may be cut into pieces of one length: where the first begins, and all of them.

    Args:
        data: Shape (n,); the first 128 KiB are read, 512 where zeros fill up buffers.
        encoding: Of the samples.
        jumps: Where the waveform jumps at a period, None where it does not.
        slips: Whether samples may get out of step between two pieces.
    """
    for find, most in ((_find_header, _LOOKED_AT), (_find_twice, _LOOKED_AT), (_find_filled, _FILLED_LOOKED_AT)):
        head = np.asarray(data[:most])
        start, size = find(head) if len(head) >= _FEWEST * _SHORTEST else (0, 0)
        yield from _cut(head, start, size)
    head, width = np.asarray(data[:_LOOKED_AT]), ENCODINGS[encoding].width
    if jumps is not None:
        for parts in range(_MOST_PARTS, 0, -1):  # clicks at a period are some at a multiple of it, too
            yield from _cut(head, 0, jumps.period // parts * width if jumps.period % parts == 0 else 0)
    usual = _find_slips(head, encoding) if width > 1 and slips else 0
    for size in sorted(range(usual - _BLUR, usual + _BLUR + 1), key=lambda size: abs(size - usual)) if usual else ():
        yield from _cut(head, 0, size if size % width else 0)


def _cut(head: Bytes, start: int, size: int) -> Iterator[tuple[int, list[bytes]]]:
    if size >= _SHORTEST and (len(head) - start) // size >= _FEWEST:
        content = head[start:].tobytes()
        yield start, [content[at : at + size] for at in range(0, len(content) - size + 1, size)]


def _find_slips(head: Bytes, encoding: str) -> int:
    """Length of pieces that are no whole number of samples, by their highest bytes, which move least; 0 without."""
    how = ENCODINGS[encoding]
    width, mask = how.width, 0x7F if how.is_float else 0xFF
    if len(head) < _FEWEST * _SHORTEST:
        return 0
    values = (head & mask).astype(np.int16)
    moves = np.abs((values[width:] - values[:-width]).astype(np.int8).astype(np.float64))
    rows = moves[: len(moves) // _STEP * _STEP].reshape(-1, _STEP // width, width).mean(axis=1)
    places, ordered = rows.argmin(axis=1), np.sort(rows, axis=1)
    clear = ordered[:, 0] < _CLEAR * ordered[:, 1]
    counts = np.bincount(places[clear], minlength=width)
    if counts.sum() - counts.max() < _SLIPPED * counts.sum() or counts.sum() < _FEWEST:
        return 0  # as of samples that stay in step, or get out of it now and then
    # at a place that stays the same a sum over one sample has a phase, which turns with each slip
    turned = np.convolve(moves * np.exp(2j * np.pi * np.arange(len(moves)) / width), np.ones(width), "valid")
    size = fast_length(2 * len(moves))
    again = np.abs(np.fft.ifft(np.abs(np.fft.fft(turned, size)) ** 2))[: min(_LONGEST, len(moves) // _FEWEST)]
    low = np.flatnonzero(again < _LOW * again[width])
    return int(low[0] + np.argmax(again[low[0] :])) if len(low) else 0


def _find_header(head: Bytes) -> tuple[int, int]:
    """Start and length of pieces in which two bytes stand at one place of nearly each; length 0 where none do."""
    pairs: NDArray[np.uint16] = head[:-1].astype(np.uint16) << np.uint16(8) | head[1:]
    order = np.argsort(pairs, kind="stable")
    keys = np.sort(np.concatenate([_pair_up(pairs, order, further) for further in range(1, _OFTEN + 1)]))
    edges = np.flatnonzero(np.diff(keys, prepend=-1, append=-1))
    counts, found = np.diff(edges), keys[edges[:-1]]
    starts, sizes = np.divmod(found, 2 * _LONGEST)
    good = (counts >= _FEWEST) & (counts >= _MOSTLY * (len(head) / np.maximum(sizes, 1) - 1))
    if not good.any():
        return 0, 0
    size = int(sizes[good][np.argmax(counts[good])])
    start = int(starts[good & (sizes == size)].min())
    return (0 if start < _NEAR else start), size


def _pair_up(pairs: NDArray[np.uint16], order: NDArray[np.intp], further: int) -> NDArray[np.intp]:
    """Place in a piece and length of the piece, as one number, for all that comes again so many occurrences later."""
    gaps = order[further:] - order[:-further]
    chosen = (pairs[order[further:]] == pairs[order[:-further]]) & (gaps >= _SHORTEST) & (gaps <= _LONGEST)
    keys: NDArray[np.intp] = order[further:][chosen] % gaps[chosen] * (2 * _LONGEST) + gaps[chosen]
    return keys


def _find_twice(head: Bytes) -> tuple[int, int]:
    """Start and length of pieces that stand twice, one behind the other; length 0 where none do."""
    content = head.tobytes()
    probes = [(at, content[at : at + _PROBE]) for at in range(0, len(head) - _PROBE, max(1, len(head) // _PROBES))]
    lively = [(at, probe) for at, probe in probes if len(set(probe)) >= _VALUES]
    again = [content.find(probe, at + _SHORTEST, at + _LONGEST + _PROBE) - at for at, probe in lively]
    size, many = Counter(gap for gap in again if gap > 0).most_common(1)[0] if max(again, default=0) > 0 else (0, 0)
    if not size or many < max(_FEWEST // 2, _TWICE * len(lively)):
        return 0, 0
    runs = find_stretches(head[:-size] == head[size:])
    long = runs[runs[:, 1] - runs[:, 0] >= size // 2]
    return (int(long[0, 0]) % size, size) if len(long) else (0, 0)


def _find_filled(head: Bytes) -> tuple[int, int]:
    """Start and length of pieces that end with zeros; length 0 where none do."""
    runs = find_stretches(head == 0)
    ends = runs[runs[:, 1] - runs[:, 0] >= _ZEROS, 1]
    gaps = np.diff(ends)
    if len(gaps) < _FEWEST:
        return 0, 0
    size = int(np.median(gaps))
    is_piece = _SHORTEST <= size <= _LONGEST_FILLED and (gaps == size).mean() >= _REGULAR
    return (int(ends[np.flatnonzero(gaps == size)[0]]) % size, size) if is_piece else (0, 0)

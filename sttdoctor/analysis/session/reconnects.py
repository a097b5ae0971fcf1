"""What is lost, or sent twice, when a client connects a second time in mid-session."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sttdoctor.analysis.session.timeline import Connection, is_close_command
from sttdoctor.evidence import Frame


@dataclass(frozen=True, slots=True)
class Reconnect:
    """One further handshake.

    Attributes:
        line: Of the second handshake.
        t: Seconds of it.
        turn_open: A turn was open when the first connection ended.
        audio_missing_s: Clock time between the audio of the two connections beyond one chunk.
        sent_again_s: Audio of the second connection that repeats the end of the first.
    """

    line: int
    t: float | None
    turn_open: bool
    audio_missing_s: float
    sent_again_s: float


def reconnects(connections: Sequence[Connection], bytes_per_s: float | None) -> Iterator[Reconnect]:
    """Find the handshakes that interrupt a session.

    A connection that was refused, carried no audio, was drained to its end, or was ended by the client itself with no
    turn open is complete: what follows it is a session of its own.

    Args:
        connections: In order.
        bytes_per_s: Declared byte rate, None where it is not known.
    """
    for before, after in pairwise(connections):
        if before.audio_frames and after.open is not None and not _complete(before):
            known = before.turns
            gap = _gap(before, after, bytes_per_s)
            again = _repeated_bytes(before, after) / bytes_per_s if bytes_per_s else 0.0
            yield Reconnect(after.open.line, after.open.t, bool(known) and known[-1].end is None, gap, again)


def _complete(connection: Connection) -> bool:
    close, known = connection.close, connection.turns
    commanded = any(is_close_command(frame) for frame in connection.frames)
    nothing_open = not known or known[-1].end is not None
    if close is None:
        return commanded and nothing_open
    if close.by == "client":
        return nothing_open and (commanded or connection.was_left)
    return commanded and close.code == 1000


def _gap(before: Connection, after: Connection, bytes_per_s: float | None) -> float:
    last, first = before.audio_frames[-1], next(iter(after.audio_frames), None)
    if first is None or first.t is None or last.t is None:
        return 0.0
    return max(0.0, first.t - last.t - (last.size / bytes_per_s if bytes_per_s else 0.0))


def _repeated_bytes(before: Connection, after: Connection, longest: int = 4 << 20) -> int:
    """Bytes at the start of the second connection that stand in the last part of the first."""
    old = b"".join([*_enough(reversed(before.audio_frames), longest)][::-1])[-longest:]
    new = b"".join(_enough(after.audio_frames, longest))[:longest]
    start = _first_varied(new)
    probe = new[start : start + 512]
    at = old.find(probe) if len(probe) == 512 and len(set(probe)) > 8 else -1
    if at < 0:
        return 0
    length = min(len(old) - at, len(new) - start)
    same = np.frombuffer(old, np.uint8, length, at) == np.frombuffer(new, np.uint8, length, start)
    return length if same.all() else int(same.argmin())


def _enough(frames: Iterable[Frame], longest: int) -> Iterator[bytes]:
    """Yield the content of frames until it is as long as that."""
    length = 0
    for frame in frames:
        if length >= longest:
            return
        yield frame.audio or b""
        length += frame.size


def _first_varied(data: bytes, block: int = 512) -> int:
    """Offset of the first block that is not silence, which repeats without being sent again."""
    return next((i for i in range(0, len(data) - block, block) if len(set(data[i : i + block])) > 8), 0)

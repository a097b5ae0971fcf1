"""What the relay hands to the process that writes: slips of bytes through a pipe, and whose comes next. No I/O."""

import struct
from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from typing import BinaryIO, NamedTuple

_HEAD = struct.Struct("<BQdI")


class Kind(IntEnum):
    """What a slip says."""

    BEGUN = 1
    """A client asks for a WebSocket; the heading as JSON."""
    CLIENT = 2
    """Bytes of the client, from behind its request on."""
    SERVER = 3
    """Bytes of the service."""
    REFUSED = 4
    """The recorder answered in place of the service; status and sentence as JSON."""
    ENDED = 5
    """Both sides are gone; the one that was gone first, nothing where the recorder stops."""
    GOING = 7
    """A side begins to end."""
    LOOK = 6
    """Tell how all connections look."""


class Slip(NamedTuple):
    """One thing that happened.

    Attributes:
        kind: Of `Kind`.
        number: Of the connection.
        at: When, on the clock of `time.monotonic`, which is one for all processes.
        data: As the kind says.
    """

    kind: int
    number: int
    at: float
    data: bytes

    @property
    def size(self) -> int:
        """Bytes of it in the pipe."""
        return _HEAD.size + len(self.data)


def pack(slip: Slip) -> bytes:
    """Return a slip as bytes."""
    return _HEAD.pack(slip.kind, slip.number, slip.at, len(slip.data)) + slip.data


def read_slips(file: BinaryIO) -> Iterator[Slip]:
    """Yield the slips of a file until it ends; one that is cut is left out."""
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        kind, number, at, length = _HEAD.unpack(head)
        data = file.read(length)
        if len(data) == length:
            yield Slip(kind, number, at, data)


_SAVED_S = 1.0
"""What a connection that says little may have had less than others, at most."""


class _Queue:
    """What one connection waits for, and what its slips have cost (s)."""

    def __init__(self, cost_s: float) -> None:
        self.slips: deque[Slip] = deque()
        self.cost_s = cost_s


class Fair:
    """Slips of all connections; the next is of the one that has cost least.

    A peer can make its bytes as hard to read as it likes. So one that is hard to read waits for itself: who has had
    less of the time comes first, and who had nothing to say for a while has not saved its time up.
    """

    def __init__(self) -> None:
        self._queues: dict[int, _Queue] = {}
        self._waiting: dict[int, _Queue] = {}
        self._floor_s = 0.0  # what the connection that was last read had cost

    def __bool__(self) -> bool:
        """Whether a slip waits."""
        return bool(self._waiting)

    def add(self, slip: Slip) -> None:
        """Add a slip, the last one of its connection."""
        queue = self._of(slip.number)
        if not queue.slips:
            queue.cost_s = max(queue.cost_s, self._floor_s - _SAVED_S)
            self._waiting[slip.number] = queue
        queue.slips.append(slip)

    def take(self) -> Slip:
        """Take the next slip; one waits."""
        number = min(self._waiting, key=lambda number: self._waiting[number].cost_s)
        queue = self._waiting[number]
        self._floor_s = max(self._floor_s, queue.cost_s)
        slip = queue.slips.popleft()
        if not queue.slips:
            del self._waiting[number]
        return slip

    def charge(self, number: int, seconds: float) -> None:
        """Note what a slip of a connection has cost."""
        self._of(number).cost_s += seconds

    def _of(self, number: int) -> _Queue:
        queue = self._queues.get(number)
        if queue is None:
            queue = self._queues[number] = _Queue(self._floor_s)
        return queue

    def forget(self, number: int) -> None:
        """A connection is over."""
        self._queues.pop(number, None)
        self._waiting.pop(number, None)

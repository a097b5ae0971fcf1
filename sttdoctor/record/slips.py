"""What the relay hands to the process that writes: slips of bytes through a pipe, in the order of time."""

import struct
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


def packed(slip: Slip) -> bytes:
    """Return a slip as bytes."""
    return _HEAD.pack(slip.kind, slip.number, slip.at, len(slip.data)) + slip.data


def slips(file: BinaryIO) -> Iterator[Slip]:
    """Yield the slips of a file until it ends; one that is cut is left out."""
    while len(head := file.read(_HEAD.size)) == _HEAD.size:
        kind, number, at, length = _HEAD.unpack(head)
        data = file.read(length)
        if len(data) == length:
            yield Slip(kind, number, at, data)

"""Audio that is read once from start to end, in memory that stays bounded however long it is."""

import mmap
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_KEPT = 32 << 20  # bytes of a mapped file that may stay in memory


def blocks(data: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the bytes in order in blocks of `size`, the last one shorter; what was read of a mapped file is let go.

    Args:
        data: Shape (n,); may be a memory map of any size.
        size: Bytes of a block, at least 1.
    """
    held = 0
    for start in range(0, len(data), size):
        block = np.asarray(data[start : start + size])
        yield block
        held += len(block)
        if held >= _KEPT:
            release(data)
            held = 0
    if held:
        release(data)


def release(data: NDArray[np.uint8]) -> None:
    """Let go of the pages of a mapped file: they count as memory of the process, and are read again when needed.

    Args:
        data: Shape (n,) of uint8, a view of the map or of bytes in memory, of which nothing is let go.
    """
    base: object = data
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)

"""Two interleaved channels of which one is silent: every other sample is one and the same silent code.

Such bytes are easily taken for something else: 16-bit stereo for 32-bit samples with an empty low half (they are the
same bytes), G.711 stereo for 16-bit samples.
"""

import numpy as np
from numpy.typing import NDArray

_SILENT_CODES = {"pcm_s16le": (0,), "pcm_mulaw": (0xFF, 0x7F), "pcm_alaw": (0xD5, 0x55)}
_LOOKED_AT = 1 << 22  # bytes
_FEWEST = 1000  # samples of the other side
_DIFFERENT = 10  # values that a side with sound has at least


def silent_side(data: NDArray[np.uint8], encoding: str | None) -> int | None:
    """Which of two interleaved channels is silent.

    Args:
        data: Bytes, shape (n,) of uint8; of long data the first 4 MiB are read.
        encoding: The declared one; the question arises for 16-bit PCM and G.711 only.

    Returns:
        0 for the first, 1 for the second, None where the bytes are anything else.
    """
    if encoding is None or encoding not in _SILENT_CODES:
        return None
    head = np.ascontiguousarray(data[: min(len(data), _LOOKED_AT) // 4 * 4])
    samples = head.view("<i2") if encoding == "pcm_s16le" else head
    pair = samples[: len(samples) // 2 * 2].reshape(-1, 2)
    if len(pair) < _FEWEST:
        return None
    for side in (0, 1):
        if any((pair[:, side] == code).all() for code in _SILENT_CODES[encoding]):
            other = pair[:, 1 - side]
            return side if len(np.unique(other)) >= _DIFFERENT else None
    return None

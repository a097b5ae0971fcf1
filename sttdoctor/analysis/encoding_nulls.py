"""What bytes cost when they are no samples: compressed or encrypted data, and text.

Both are codes of single bytes in the same unit (bits) as `sttdoctor.analysis.code_length`, so that "this is not PCM"
competes with every reading as samples.
"""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding_cells import Floats

_TEXT = np.zeros(256, dtype=bool)
_TEXT[[9, 10, 13]] = True
_TEXT[0x20:0x7F] = True
_FOREIGN_BITS = 16.0  # a byte outside the printable characters: rare in text, and then part of UTF-8


def not_pcm_bits(excerpts: NDArray[np.uint8]) -> Floats:
    """Bits for bytes that are anything: the cheaper of raw bytes and an adaptive code of their frequencies.

    Args:
        excerpts: Shape (excerpts, bytes).

    Returns:
        Bits of each excerpt.
    """
    bits: Floats = 1.0 + np.minimum(8.0 * excerpts.shape[1], adaptive_bits(byte_counts(excerpts)))
    return bits


def text_bits(excerpts: NDArray[np.uint8]) -> Floats:
    """Bits for bytes that are text, such as base64, hexadecimal digits, JSON or HTML.

    Args:
        excerpts: Shape (excerpts, bytes).

    Returns:
        Bits of each excerpt.
    """
    counts = byte_counts(excerpts)
    bits: Floats = 1.0 + adaptive_bits(counts[:, _TEXT]) + _FOREIGN_BITS * counts[:, ~_TEXT].sum(axis=1)
    return bits


def adaptive_bits(counts: NDArray[np.int64]) -> Floats:
    """Length of the Krichevsky-Trofimov code (1981): each symbol is charged by how often it has come before.

    Args:
        counts: How often each symbol of the alphabet comes in each sequence, shape (sequences, symbols).

    Returns:
        Bits for each whole sequence; they depend on the counts alone.
    """
    totals, symbols = counts.sum(axis=1), counts.shape[1]
    longest = int(totals.max(initial=0))
    seen = np.concatenate([[0.0], np.cumsum(np.log2(np.arange(longest) + 0.5))])
    all_seen = np.concatenate([[0.0], np.cumsum(np.log2(np.arange(longest) + 0.5 * symbols))])
    bits: Floats = all_seen[totals] - seen[counts].sum(axis=1)
    return bits


def byte_counts(blocks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each byte value comes in each row, shape (rows, 256).

    Args:
        blocks: Shape (rows, bytes).
    """
    places = blocks.astype(np.int64) + 256 * np.arange(len(blocks))[:, None]
    return np.bincount(places.reshape(-1), minlength=256 * len(blocks)).reshape(-1, 256)


def byte_entropy(blocks: NDArray[np.uint8]) -> Floats:
    """Entropy of the bytes of each row, in bits a byte (0..8).

    Args:
        blocks: Shape (rows, bytes).
    """
    shares = byte_counts(blocks) / blocks.shape[1]
    entropy: Floats = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(axis=1)
    return entropy

"""What bytes cost when they are no samples: compressed or encrypted data, and text.

Both are codes of single bytes in the same unit (bits) as `sttdoctor.analysis.encoding.code_length`, so that "this is
not PCM" competes with every reading as samples.
"""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.container.text import PRINTABLE, RARE
from sttdoctor.analysis.decoding import Samples as Floats

_FOREIGN_BITS = 16.0  # a byte outside the printable characters: rare in text, and then part of UTF-8
_FOREIGN, _ODD = 0.1, 0.005  # shares of bytes outside the printable characters, and of rare ones, that text may have
_STRUCTURE = 0.5  # share of its order-0 length that structured text (JSON, numbers, base64 of pauses) comes down to
_DENSE = 5.5  # bits a byte: what compressed or encrypted data never falls below for long (G.722 of quiet speech: 6.1)


def count_non_pcm_bits(excerpts: NDArray[np.uint8]) -> Floats:
    """Bits for bytes that are no samples, such as compressed or encrypted audio.

    Raw bytes or an adaptive code of their frequencies, whichever is cheaper; but such data is dense, so that bytes of a
    low entropy (quiet 8-bit samples, for example) are charged as dense ones.

    Args:
        excerpts: Shape (excerpts, bytes).

    Returns:
        Bits of each excerpt.
    """
    size = excerpts.shape[1]
    bits: Floats = 1.0 + np.clip(count_adaptive_bits(count_bytes(excerpts)), _DENSE * size, 8.0 * size)
    return bits


def count_text_bits(excerpts: NDArray[np.uint8]) -> Floats:
    """Bits for bytes that are text, such as base64, hexadecimal digits, JSON or HTML.

    Args:
        excerpts: Shape (excerpts, bytes).

    Returns:
        Bits of each excerpt.
    """
    counts = count_bytes(excerpts)
    foreign = counts[:, ~PRINTABLE].sum(axis=1)
    bits = count_adaptive_bits(counts[:, PRINTABLE])
    size = excerpts.shape[1]
    plain = (foreign <= _FOREIGN * size) & (counts[:, RARE].sum(axis=1) <= _ODD * size)
    total: Floats = 1.0 + np.where(plain, _STRUCTURE, 1.0) * bits + _FOREIGN_BITS * foreign
    return total


def count_adaptive_bits(counts: NDArray[np.int64]) -> Floats:
    """Length of the Krichevsky-Trofimov code (1981): each symbol is charged by how often it has come before.

    Args:
        counts: How often each symbol of the alphabet comes in each sequence, shape (sequences, symbols).

    Returns:
        Bits for each whole sequence; they depend on the counts alone.
    """
    totals, symbols = counts.sum(axis=1), counts.shape[1]
    longest = int(totals.max(initial=0))
    # sums of logs: the code of a whole sequence depends on how often each symbol comes, not on the order
    seen = np.concatenate([[0.0], np.cumsum(np.log2(np.arange(longest) + 0.5))])
    all_seen = np.concatenate([[0.0], np.cumsum(np.log2(np.arange(longest) + 0.5 * symbols))])
    bits: Floats = all_seen[totals] - seen[counts].sum(axis=1)
    return bits


def count_bytes(blocks: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each byte value comes in each row, shape (rows, 256).

    Args:
        blocks: Shape (rows, bytes).
    """
    # one count for all rows: the values of each row are moved to a range of their own
    places = blocks.astype(np.int64) + 256 * np.arange(len(blocks))[:, None]
    return np.bincount(places.reshape(-1), minlength=256 * len(blocks)).reshape(-1, 256)


def measure_byte_entropy(blocks: NDArray[np.uint8]) -> Floats:
    """Entropy of the bytes of each row, in bits a byte (0..8).

    Args:
        blocks: Shape (rows, bytes).
    """
    shares = count_bytes(blocks) / blocks.shape[1]
    entropy: Floats = -(shares * np.log2(np.maximum(shares, 1e-12))).sum(axis=1)
    return entropy

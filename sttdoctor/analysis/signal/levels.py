"""What the levels of a pass over the samples add up to: offset, clipping, modulation, the loudest stretch.

Plain functions of the `Levels` that `sttdoctor.analysis.signal.damage.measure` returns; nothing here knows a limit.
"""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import decode
from sttdoctor.analysis.encoding import Layout
from sttdoctor.analysis.signal.damage import STEP_S, Levels
from sttdoctor.analysis.signal.runs import Floats
from sttdoctor.encodings import ENCODINGS

WORST_S = 2.0
"""Length of the part of which `worst_clipping` tells."""

_LOUD = 0.1  # of the level of the loud parts, -20 dB
_FLAT_MODULATION = 2.0  # 6 dB: speech moves by 15 dB and more between its loud and quiet parts, steady noise by 1 to 3


def dc_offset(levels: Levels) -> float:
    """The mean of the sound, of full scale; constant stretches (a fill, false silence) have none of its offset."""
    moving = levels.offset[levels.rms > 0]
    return float(np.median(moving)) if len(moving) else 0.0


def is_modulated(levels: Levels) -> bool:
    """Whether there is sound that moves between loud and quiet, as speech does and steady noise does not."""
    return bool((levels.rms > 0).any()) and levels.loud > _FLAT_MODULATION * levels.active_rms(20)


def clipped_share(levels: Levels) -> float:
    """The share of the loud samples (0..) that is cut off."""
    loud = int((levels.rms > _LOUD * levels.loud).sum()) * STEP_S * levels.rate
    return (levels.flat + levels.beyond) / loud if loud else 0.0


def worst_clipping(levels: Levels) -> tuple[float, float]:
    """The share of the loud samples that is cut off in the worst `WORST_S`, and where that begins in seconds."""
    steps = round(WORST_S / STEP_S)
    if len(levels.rms) <= steps or not levels.clipped.any():
        return 0.0, 0.0
    sums = [np.cumsum(np.concatenate([[0], values])) for values in (levels.clipped, levels.rms > _LOUD * levels.loud)]
    clipped, loud = (total[steps:] - total[:-steps] for total in sums)
    shares = clipped / (np.maximum(loud, steps // 4) * levels.step)
    worst_at = int(np.argmax(shares))
    return float(shares[worst_at]), worst_at * STEP_S


def zero_runs(levels: Levels, encoding: str) -> NDArray[np.bool_]:
    """Which constant stretches are runs of zero bytes in G.711, shape (runs,); none in another encoding."""
    if not ENCODINGS[encoding].is_g711:
        return np.zeros(len(levels.runs.start), dtype=bool)
    return np.asarray(levels.runs.value == float(decode(b"\0", encoding)[0]))


def loudest(data: NDArray[np.uint8], layout: Layout, levels: Levels, most: int) -> tuple[Floats, int]:
    """Decode the stretch with most sound.

    Args:
        data: Bytes from the first whole sample on, of which `levels` were measured.
        layout: How they are read; its offset does not count.
        levels: Of all of it.
        most: Samples of the stretch.

    Returns:
        Its samples, shape (n,), of the louder channel, finite and within +-1e6, and their place in samples.
    """
    step = levels.step
    wanted = max(1, most // step)
    sums = np.concatenate([[0.0], np.cumsum(np.minimum(levels.rms, levels.loud), dtype=np.float64)])
    first = int(np.argmax(sums[wanted:] - sums[:-wanted])) * step if len(levels.rms) > wanted else 0
    frame = ENCODINGS[layout.encoding].width * layout.channels
    part = data[first * frame : (first + wanted * step) * frame]
    part = part[: len(part) // frame * frame]
    samples = decode(np.asarray(part), layout.encoding).reshape(-1, layout.channels)
    samples = np.clip(np.nan_to_num(samples), -1e6, 1e6)
    return np.ascontiguousarray(samples[:, int(np.argmax(samples.var(axis=0))) if len(samples) else 0]), first

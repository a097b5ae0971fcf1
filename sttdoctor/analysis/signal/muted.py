"""Sound that turns to exact silence in the middle of speech and stays so, as of a microphone that something mutes.

A client that sends silence between turns does so after the words, behind a pause or a gate that closes softly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding import Layout
from sttdoctor.analysis.signal.damage import Levels
from sttdoctor.analysis.signal.holes import beside, is_tonal
from sttdoctor.analysis.signal.levels import zero_runs

_STEPS = 3  # 60 ms of sound before the silence
_VOICE, _EDGE = 0.35, 0.2  # of the level of loud parts: theirs, and that of the last 2 ms
_MOST = 500  # silences that are looked at
_SILENCE = 0.001  # of full scale: value of silence, also in A-law


@dataclass(frozen=True, slots=True)
class Muted:
    """The longest silence that cuts speech off.

    Attributes:
        start: Its first sample.
        length: Samples.
        to_end: Whether it lasts to the end of the audio.
        count: How many such silences there are.
    """

    start: int
    length: int
    to_end: bool
    count: int


def find_muted(data: NDArray[np.uint8], layout: Layout, levels: Levels, least_s: float) -> Muted | None:
    """Find silence of `least_s` seconds or more that begins in full voice, and not where a tone is switched off.

    Args:
        data: Bytes from the first whole sample on, of which `levels` were measured; may be a memory map.
        layout: How they are read; its offset does not count.
        levels: Of all of it.
        least_s: Seconds.

    Returns:
        None where there is none, or where most long silences begin behind the words: then pauses are sent as silence.
    """
    runs = levels.runs
    long = (
        (runs.length >= least_s * levels.rate) & (np.abs(runs.value) <= _SILENCE) & ~zero_runs(levels, layout.encoding)
    )
    place = runs.start // levels.step
    long &= place >= _STEPS
    chosen = np.flatnonzero(long)
    before = np.array([levels.rms[at - _STEPS : at].mean() for at in place[chosen]])
    cut = chosen[(before >= _VOICE * levels.loud) & (runs.before[chosen] >= _EDGE * levels.loud)]
    cut = cut[:_MOST]
    if len(cut):
        cut = cut[~is_tonal(beside(data, layout, levels, cut)[0])]
    if not len(cut) or 2 * len(cut) < min(len(chosen), _MOST):
        return None
    first = int(cut[np.argmax(runs.length[cut])])
    stop = int(runs.start[first] + runs.length[first])
    return Muted(int(runs.start[first]), int(runs.length[first]), stop >= levels.samples - levels.step, len(cut))

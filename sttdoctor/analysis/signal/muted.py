"""Sound that turns to exact silence in the middle of speech and stays so, as of a microphone that something mutes.

A client that sends silence between turns does so after the words, behind a pause or a gate that closes softly.
"""

from dataclasses import dataclass

import numpy as np

from sttdoctor.analysis.signal.damage import Levels
from sttdoctor.analysis.signal.levels import zero_runs

_STEPS = 3  # 60 ms of sound before the silence
_VOICE, _EDGE = 0.35, 0.2  # of the level of loud parts: theirs, and that of the last 2 ms
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


def find_muted(levels: Levels, encoding: str, least_s: float) -> Muted | None:
    """Find silence of `least_s` seconds or more that begins in full voice.

    Returns:
        None where there is none, or where most long silences begin behind the words: then pauses are sent as silence.
    """
    runs = levels.runs
    long = (runs.length >= least_s * levels.rate) & (np.abs(runs.value) <= _SILENCE) & ~zero_runs(levels, encoding)
    place = runs.start // levels.step
    long &= place >= _STEPS
    chosen = np.flatnonzero(long)
    before = np.array([levels.rms[at - _STEPS : at].mean() for at in place[chosen]])
    cut = chosen[(before >= _VOICE * levels.loud) & (runs.before[chosen] >= _EDGE * levels.loud)]
    if not len(cut) or 2 * len(cut) < len(chosen):
        return None
    first = int(cut[np.argmax(runs.length[cut])])
    stop = int(runs.start[first] + runs.length[first])
    return Muted(int(runs.start[first]), int(runs.length[first]), stop >= levels.samples - levels.step, len(cut))

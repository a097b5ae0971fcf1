"""Beeps of a fake device or a test source: one tone that is switched on and off by a timer, and nothing else.

Live sound of which most chunks are lost comes as regularly, and a loop of speech is the same each time. So each sound
must be a tone of one level, and all of them equally loud. The digits of a telephone (DTMF) and the tones of its line
are that too, but each lasts longer: 40 ms and more (ITU-T Q.24), where Chromium's fake device beeps for 20 ms.
"""

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.arrays import autocorrelate
from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.signal.levels import Levels
from sttdoctor.analysis.signal.runs import Floats
from sttdoctor.values import immutable


@immutable
class Beeps:
    """Short tones of one length and level that come at one period, with constant silence between them.

    Attributes:
        count: How many, at least eight.
        length_s: Seconds of one.
        period_s: Seconds from one to the next.
    """

    count: int
    length_s: float
    period_s: float


_FEWEST, _LONGEST_S, _MOSTLY_STILL = 8, 0.035, 0.9
_SAME_S, _SAME_PERIOD, _STILL_VALUE = 0.002, 0.01, 0.001
_HEARD = 32  # sounds that are listened to
_SAME_LEVEL = 1.12  # 1 dB: from sound to sound, and from half to half of one
_TONE = 0.95  # of the power comes again one period later


def find_beeps(data: NDArray[np.uint8], layout: Layout, levels: Levels) -> Beeps | None:
    """Find out whether all there is are beeps.

    Args:
        data: Bytes from the first whole sample on, of which `levels` were measured; may be a memory map.
        layout: How they are read; its offset does not count.
        levels: Of all of it.
    """
    runs, rate = levels.runs, levels.rate
    still = np.abs(runs.value) < _STILL_VALUE
    start, length = runs.start[still], runs.length[still]
    if len(start) <= _FEWEST or length.sum() < _MOSTLY_STILL * levels.samples:
        return None
    begins, ends = start[:-1] + length[:-1], start[1:]
    sounds, periods = (ends - begins) / rate, np.diff(start)[1:] / rate
    period = float(np.median(periods))
    is_steady = np.ptp(periods) <= max(_SAME_S, _SAME_PERIOD * period) and np.ptp(sounds) <= _SAME_S
    if not is_steady or sounds.max() > _LONGEST_S:
        return None
    chosen = np.unique(np.linspace(0, len(sounds) - 1, _HEARD).astype(np.int64))
    frame = layout.frame_bytes
    parts = [layout.decode(np.asarray(data[begins[i] * frame : ends[i] * frame])) for i in chosen]
    heard = [np.clip(np.nan_to_num(part[:, levels.channel]), -1e6, 1e6) for part in parts]
    halves = [_measure_level(half) for sound in heard for half in np.array_split(sound, 2)]
    if min(halves) <= 0.0 or max(halves) > _SAME_LEVEL * min(halves) or not all(map(_is_tone, heard)):
        return None
    return Beeps(len(sounds), float(np.median(sounds)), period)


def _measure_level(sound: Floats) -> float:
    return float(np.sqrt(np.mean(sound**2))) if len(sound) else 0.0


def _is_tone(sound: Floats) -> bool:
    """Whether the waveform comes again and again; the first sound of speech does so with less."""
    centred, half = sound - sound.mean(), len(sound) // 2
    if half < 8:
        return False
    lags = autocorrelate(centred, half)[4:] / (1 - np.arange(4, half) / len(sound))
    return bool(lags.max() >= _TONE * float(centred @ centred))

"""Facts whose sound says what a test wants."""

import numpy as np
from builders import session, steady

from sttdoctor.analysis.audio_facts import Sound
from sttdoctor.analysis.facts import Case
from sttdoctor.evidence import Audio, Declared
from sttdoctor.thresholds import DEFAULTS


class _Heard(Sound):
    """Sound whose bytes are read as declared."""

    @property
    def layout(self):
        return self.declared_layout


def told(sound, declared, pace=None):
    """A case in which the sound, and with a pace the wire, say what the test wants."""
    subject = session(steady(10), 0.1 * pace) if pace else None
    declaration = Declared("pcm_mulaw" if pace else "pcm_s16le", declared)
    case = Case(DEFAULTS, session=subject, declared=declaration)
    case.audio = Audio(np.zeros(9, np.uint8))
    case.sound, case.rate_change = _Heard(case.audio, declaration, 0.0), None
    case.sound.rate = sound
    return case

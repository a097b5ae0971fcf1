"""Facts whose sound says what a test wants."""

import numpy as np
from builders import session, steady

from sttdoctor.analysis.audio_facts import AudioFacts
from sttdoctor.analysis.facts import Facts
from sttdoctor.evidence import Audio, Declared
from sttdoctor.thresholds import DEFAULTS


class _Heard(AudioFacts):
    """Sound whose bytes are read as declared."""

    @property
    def layout(self):
        return self.declared_layout


def told(sound, declared, pace=None):
    """A case in which the sound, and with a pace the wire, say what the test wants."""
    subject = session(steady(10), 0.1 * pace) if pace else None
    declaration = Declared("pcm_mulaw" if pace else "pcm_s16le", declared)
    facts = Facts(DEFAULTS, session=subject, declared=declaration)
    facts.audio = Audio(np.zeros(9, np.uint8))
    facts.sound, facts.rate_change = _Heard(facts.audio, declaration, 0.0), None
    facts.sound.rate = sound
    return facts

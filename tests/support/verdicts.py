"""What each capture format lacks, and what the checks say of a capture."""

from dataclasses import replace
from functools import cache

import captures
import wires
from captures import SPOKEN

from sttdoctor.analysis.facts import Facts
from sttdoctor.checks import all_checks
from sttdoctor.evidence import Transcript
from sttdoctor.readers.capture import read_capture
from sttdoctor.thresholds import DEFAULTS

FORMATS = captures.FORMATS | wires.FORMATS
LACKS = dict.fromkeys(wires.FORMATS, frozenset()) | {
    "session": set(),
    "chrome": {"close"},
    "compact": {"close"},
    "playwright": {"close"},
    "gzip": {"close"},
    "websockets": {"audio", "text"},
    "websockets-whole": set(),
    "no-times": {"audio", "text"},
    "sdk": {"send", "audio", "headers", "close"},
    "both": {"audio"},
}
AUDIO_CHECKS = ("container", "encoding", "sample-rate", "channels", "signal", "language", "latency", "server")


@cache
def answers(capture: bytes):
    """What the checks answer; those of the sound take seconds and are left to the fixtures."""
    facts = Facts(DEFAULTS, session=replace(read_capture(capture), transcript=Transcript(SPOKEN)))
    chosen = [check for check in all_checks() if "session" in check.kinds and check.id not in AUDIO_CHECKS]
    return {check.id: check.judge(facts) for check in chosen}


def verdicts(capture):
    return {
        check: (answer.status, [item.cause for item in answer.findings]) for check, answer in answers(capture).items()
    }

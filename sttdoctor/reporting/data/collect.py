"""From facts and their report to the exhibits."""

import logging
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sttdoctor import thresholds
from sttdoctor.analysis.encoding.estimate import Layout
from sttdoctor.analysis.facts import Facts
from sttdoctor.encodings import ENCODINGS
from sttdoctor.listen import is_audible, pick_format
from sttdoctor.missing import AUDIO
from sttdoctor.report import Report
from sttdoctor.reporting.data.playback import PLAYABLE, version
from sttdoctor.reporting.data.probabilities import odds
from sttdoctor.reporting.data.sound import loudest, profile, reading, waveform
from sttdoctor.reporting.data.stream import bytes_per_s, latency, stream
from sttdoctor.reporting.data.transcript_diff import wording
from sttdoctor.reporting.data.values import Excerpt, Exhibits, Limit, Waveform

logger = logging.getLogger(__name__)
Value = TypeVar("Value")
AudioFacts = tuple[Waveform | None, Excerpt | None, str]
_SILENCE: AudioFacts = (None, None, "All of the audio is silent, so there is nothing to hear.")


def collect(facts: Facts, report: Report) -> Exhibits:
    """Compute everything that can be shown.

    One exhibit that cannot be made (a defect, or evidence that nobody thought of) leaves the others in place.

    Args:
        facts: The subject.
        report: Its report.
    """
    failed: list[str] = []

    def tried(what: str, make: Callable[[], Value], otherwise: Value) -> Value:
        try:
            return make()
        except Exception as error:
            logger.debug("%s could not be made", what, exc_info=True)
            failed.append(f"{what} ({type(error).__name__}: {error})")
            return otherwise

    layout, rate = pick_format(facts, report.checks)
    known = bytes_per_s(layout.encoding, layout.channels, rate) if layout and rate else None
    nothing: AudioFacts = (None, None, "The sound could not be decoded.")
    shape, excerpt, no_sound = _SILENCE
    if is_audible(report.checks):
        shape, excerpt, no_sound = tried("the sound", lambda: _sound(facts, layout, rate), nothing)
    return Exhibits(
        shape,
        excerpt,
        no_sound,
        tried("the probabilities", lambda: odds(facts), None),
        tried("the stream", lambda: stream(facts, known), None),
        tried("the latency", lambda: latency(facts), None),
        tried("the transcript", lambda: wording(facts), None),
        {check.id: _limits(facts, check.id) for check in report.checks},
        tuple(failed),
    )


def _limits(facts: Facts, check: str) -> tuple[Limit, ...]:
    return tuple(
        Limit(item.name, facts.limits[item.name], item.default, item.unit, item.reason)
        for item in thresholds.of_check(check)
    )


def _sound(facts: Facts, layout: Layout | None, rate: int | None) -> AudioFacts:
    """The waveform, the excerpt, and why there is neither."""
    if facts.audio is None:
        return None, None, (facts.why_no_audio or AUDIO).sentence
    declared, declared_rate = facts.sound.declared_layout, facts.declared.sample_rate
    shown, shown_rate = layout or declared, rate or declared_rate
    if shown is None:
        return None, None, "The bytes cannot be read as samples, and no format was declared that they could be read by."
    if shown_rate is None:
        return None, None, "The sample rate is not known, so nothing is played; give --sample-rate."
    if not PLAYABLE[0] <= shown_rate <= PLAYABLE[1]:
        return None, None, f"Nothing plays audio at {shown_rate} Hz."
    data = facts.audio.data[: facts.sound.end_of_layout(shown.offset)]
    sound = profile(data, shown, shown_rate)
    if sound is None:
        return None, None, "The audio is too short to be shown."
    first, blocks = loudest(sound)
    start = sound.first_byte + first * sound.block_bytes
    stretch = data[start : start + blocks * sound.block_bytes]
    at_s = first * sound.block_s
    shape = None  # bytes that are no samples have no waveform
    if layout is not None:
        shape = waveform(sound, (at_s, at_s + blocks * sound.block_s), reading(shown, shown_rate))
    as_detected = version(stretch, layout, rate) if layout and rate else None
    as_declared = None
    if declared is not None and declared_rate is not None:
        if as_detected is not None and (declared, declared_rate) == (layout, rate):
            return shape, Excerpt(start, at_s, as_detected, None, True), ""
        as_declared = version(_aligned(data, start, len(stretch), declared), declared, declared_rate)
    return shape, Excerpt(start, at_s, as_declared, as_detected, False), ""


def _aligned(data: NDArray[np.uint8], start: int, length: int, layout: Layout) -> NDArray[np.uint8]:
    """The same stretch from the sample border before it, as the declared reading has it."""
    first = start // ENCODINGS[layout.encoding].width * ENCODINGS[layout.encoding].width
    return data[first : first + length]

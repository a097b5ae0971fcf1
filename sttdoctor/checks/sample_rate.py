"""Are you using the right sample rate?

Needs a second or more of speech. A wrong rate multiplies every pitch, formant and tempo by one factor; the sound is
compared with speech at each candidate rate, and where there are telephone tones or mains hum, with where these belong.
In a live session the byte rate on the wire is weighed with the sound.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.rate.anchors import Anchor
from sttdoctor.analysis.rate.changes import RateChange
from sttdoctor.analysis.rate.estimate import RateEstimate
from sttdoctor.analysis.rate.evidence import is_steady
from sttdoctor.analysis.remedies import Remedy
from sttdoctor.checks.base import (
    AUDIO_INPUT,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    join_list,
    round_probabilities,
    unknown,
    want_speech,
)
from sttdoctor.encodings import ENCODINGS, STANDARD_RATES
from sttdoctor.evidence import Declared
from sttdoctor.values import immutable

CHECK = Check(
    id="sample-rate",
    order=30,
    question="Are you using the right sample rate?",
    kinds=("audio", "session"),
    needs="a second or more of speech; in a session also the time of each frame",
    why="The service trusts the declared rate. When it is wrong, the voice sounds too deep and slow, or too high and "
    "fast, and the words come out wrong, often without any error.",
    how="Pitch, formants, spectrum and rhythm of the speech are compared with speech at each candidate rate. Telephone "
    "tones (keys, ringing, busy) and mains hum have known frequencies: where they stand says the rate too. In a live "
    "session a steady byte rate that fits another rate is weighed with the sound. Rates less than 10 % apart (22050 "
    "and 24000, 44100 and 48000) often cannot be told apart by sound: then the report names both.",
    causes=(
        Cause(
            "sample-rate.mismatch",
            "fail",
            "The audio does not have the declared sample rate.",
            "Read the rate from the source (AudioContext.sampleRate, the WAV header, the device) and declare that.",
        ),
        Cause(
            "sample-rate.changed",
            "fail",
            "The sample rate changes mid-stream.",
            "Resample to one rate, or open a new connection when the device changes (a headset that switches profile).",
        ),
        Cause(
            "sample-rate.upsampled",
            "warn",
            "The band above some frequency is empty: the audio was upsampled from a lower rate.",
            "Send the audio at its original rate to save bandwidth; the transcript does not suffer either way.",
            informational=True,
        ),
    ),
    docs=AUDIO_INPUT,
    judge=lambda facts: _judge(facts),
)

_VOICES = math.log(1.4)
"""By so much may an unusual voice differ from a usual one: cartoon voices, voice changers, speech played fast."""
_EDGE_OFF = 0.11
"""Resamplers leave the edge within this distance of half the rate that the audio had."""
_SAMPLE_BITS = (8, 16, 24, 32)


@immutable
class _Verdict:
    """What the evidence says about the declared rate; every sentence about it is made from this.

    Attributes:
        status: `pass`, `warn` or `fail`.
        better: Rates (Hz) that fit better, most probable first; none that sounds like the declared one.
        alike: Other rates (Hz) that cannot be told from the declared one.
        possible: The declared rate, or one alike, is among those that hold 95 % of the probability.
    """

    status: Status
    better: tuple[int, ...]
    alike: tuple[int, ...]
    possible: bool


def _judge(facts: Facts) -> Answer:
    measured = _collect_measurements(facts)
    if facts.rate_probabilities is None or facts.audio is None:
        return _judge_wire_alone(facts, measured)
    if facts.rate_change is not None:
        finding = _judge_change(facts, facts.rate_change)
        reading = f"{facts.rate_change.before} Hz, later {facts.rate_change.after} Hz"
        return answer(finding.summary, [finding], measured, reading)
    declared = facts.declared.sample_rate
    if declared is None:
        return _judge_undeclared(facts, measured)
    if facts.order == "twice":  # of the probabilities above, which are those of each sample once, the half is right
        return answer(f"Each sample stands twice, so the sound has its right speed at {declared} Hz.", [], measured)
    if facts.sound.stuffed is not None:
        return answer(f"Zeros stand between the samples, so that the speed is right at {declared} Hz.", [], measured)
    if facts.sound.held is not None:
        return answer(f"Samples are repeated, so that the sound has its right speed at {declared} Hz.", [], measured)
    if not facts.rate_is_told:
        reason = _tell_why_silent(facts.sound.rate, facts.limits["sample-rate.min_speech_s"])
        return want_speech(f"The sound cannot tell: {reason}.", measured)
    verdict = _reach_verdict(facts, declared)
    if verdict.status != "pass":
        finding = _judge_mismatch(facts, declared, verdict)
        return answer(finding.summary, [finding], measured, format_hz(verdict.better))
    findings = _judge_upsampled(facts, declared)
    text = findings[0].summary if findings else _is_plausible(declared, verdict, facts.sound.anchors)
    return answer(text, findings, measured, format_hz([declared]))


def _reach_verdict(facts: Facts, declared: int) -> _Verdict:
    probabilities, near = facts.rate_probabilities or {}, _is_near(facts, declared)
    held = max((probabilities[rate] for rate in near), default=0.0)
    better = tuple(rate for rate in facts.likely_rates if rate not in near and probabilities[rate] > held)
    alike = tuple(rate for rate in near if rate != declared and rate in facts.likely_rates)
    possible = any(rate in near for rate in facts.likely_rates)
    plausible, limits = weigh_plausibility(facts), facts.limits
    if plausible >= limits["sample-rate.warn_below"] or not better:
        return _Verdict("pass", better, alike, True)
    excluded = plausible < limits["sample-rate.fail_below"] and not possible
    return _Verdict(
        "fail" if excluded and not _may_be_the_voice(facts, declared, better) else "warn", better, alike, possible
    )


def _may_be_the_voice(facts: Facts, declared: int, better: Sequence[int]) -> bool:
    """Whether a voice that is a third higher, lower or faster than usual explains the sound at the declared rate.

    Such voices are rare, but sound like usual ones at another rate. A rate farther off, another kind of evidence or a
    longer recording excludes that.
    """
    if facts.wire_rate is not None or any(anchor.speaks_for(better[0]) for anchor in facts.sound.anchors):
        return False
    if facts.sound.is_long:
        return False
    far = sum(p for rate, p in (facts.rate_probabilities or {}).items() if abs(math.log(rate / declared)) > _VOICES)
    return far < facts.limits["sample-rate.fail_far"]


def weigh_plausibility(facts: Facts) -> float:
    """Probability (0..1) of the declared rate.

    The declared rate has twice the prior weight of each other rate: most clients declare right, yet the evidence must
    win. Rates that cannot be told from the declared one count as that.
    """
    probabilities, declared = facts.rate_probabilities, facts.declared.sample_rate
    if not probabilities or not declared:
        return 1.0
    mass = sum(probabilities[rate] for rate in _is_near(facts, declared))
    return 2 * mass / (1 + mass)


def _is_near(facts: Facts, declared: int) -> list[int]:
    """Candidates (Hz) within 10 % of the declared rate, which sound like it, unless wire or tones tell them apart."""
    near = 0.02 if facts.wire_rate is not None or facts.rate_is_anchored else 0.1
    return [rate for rate in facts.rate_probabilities or {} if abs(rate / declared - 1) <= near]


def format_hz(rates: Iterable[int]) -> str:
    """Return rates (Hz) of which one is right, for a reader: `24000, 22050 or 16000 Hz`."""
    return f"{join_list(map(str, rates), 'or')} Hz"


def _is_plausible(declared: int, verdict: _Verdict, anchors: Sequence[Anchor]) -> str:
    text = f"The sound is plausible for {declared} Hz, as declared"
    known = [_place_anchor(anchor, declared, declared) for anchor in anchors if anchor.speaks_for(declared)]
    text += f": {join_list(known)}" if known else ""
    if verdict.better:
        return f"{text}, though {format_hz(verdict.better)} would fit better."
    return f"{text}; {format_hz(verdict.alike)} sounds alike." if verdict.alike else f"{text}."


def _tell_why_silent(rate: RateEstimate | None, wanted_s: float) -> str:
    if rate is None or rate.speech_s <= 0:
        return "no speech was found"
    if rate.speech_s < wanted_s:
        return f"only {rate.speech_s:.1f} s of speech were found"
    return "the sound is not clearly speech"


def _collect_measurements(facts: Facts) -> dict[str, Any]:
    probabilities, rate, speed = facts.rate_probabilities, facts.sound.rate, facts.longest_speed
    measured: dict[str, Any] = {"probabilities": None}
    if probabilities:
        measured["probabilities"] = _key_by_hz(probabilities)
    if rate is not None:
        measured["speech_s"] = round(rate.speech_s, 2)
        measured["speech_like"] = round(rate.speech_like, 3)
        measured["band_edge"] = round(facts.sound.band_edge, 4) if facts.sound.band_edge is not None else None
        measured["anchors"] = {anchor.name: anchor.rate for anchor in facts.sound.anchors}
        measured["sound_probabilities"] = _key_by_hz(rate.probabilities)
    if speed is not None and facts.declared.bytes_per_s:
        measured["wire_bytes_per_s"] = round(speed.ratio * facts.declared.bytes_per_s, 1)
        measured["wire_ratio"] = round(speed.ratio, 4)
        measured["wire_steady"] = is_steady(speed)
    return measured


def _key_by_hz(probabilities: Mapping[int, float]) -> dict[str, float]:
    return round_probabilities({str(hz): p for hz, p in sorted(probabilities.items())})


def _judge_undeclared(facts: Facts, measured: dict[str, Any]) -> Answer:
    rates = facts.likely_rates
    if not facts.rate_is_told or not rates:
        reason = _tell_why_silent(facts.sound.rate, facts.limits["sample-rate.min_speech_s"])
        return want_speech(f"No rate was declared, and the sound cannot tell: {reason}.", measured)
    return answer(f"No rate was declared; by the sound it is {format_hz(rates)}.", [], measured, format_hz(rates))


def _judge_mismatch(facts: Facts, declared: int, verdict: _Verdict) -> Finding:
    better, best = format_hz(verdict.better), verdict.better[0]
    probably = "" if verdict.status == "fail" else "probably "
    summary = f"The audio was {probably}recorded at {better}, not at {declared} Hz as declared"
    remedy = Remedy(declares=Declared(sample_rate=best))
    change = remedy.words + (
        f" (or {join_list(map(str, verdict.better[1:]), 'or')})" if len(verdict.better) > 1 else ""
    )
    change += f", or resample to {declared} Hz before you send."
    layout = facts.sound.layout
    told = layout is not None and layout.encoding != facts.declared.meant  # where the encoding is wrong, that says it
    fix = change[0].upper() + change[1:] + ("" if told else facts.origin)
    if verdict.possible:
        summary = f"The audio fits {better} better than {declared} Hz as declared, which cannot be excluded"
        fix = f"Play it at both rates. If {best} Hz sounds right, {change}"
    evidence, reasons = [], []
    if facts.wire_rate is not None and facts.longest_speed is not None and facts.declared.bytes_per_s:
        ratio = facts.longest_speed.ratio
        wire_bytes = ratio * facts.declared.bytes_per_s
        reasons.append(f"{wire_bytes:.0f} bytes a second come in, {ratio:.2f} times what the declaration promises")
        evidence.append(Evidence(f"steady at {wire_bytes:.0f} bytes a second of clock"))
    for anchor in facts.sound.anchors:
        place = _place_anchor(anchor, best, declared)
        evidence.append(Evidence(place))
        if anchor.speaks_for(best):
            reasons.append(place)
    if reasons:
        summary += (";" if verdict.possible else ":") + f" {join_list(reasons)}"
    confidence = 1 - sum((facts.rate_probabilities or {})[rate] for rate in _is_near(facts, declared))
    return CHECK.find("mismatch", verdict.status, confidence, summary + ".", tuple(evidence), fix, remedy)


def _place_anchor(anchor: Anchor, rate: int, declared: int) -> str:
    """Where a sound of known frequencies stands as declared, by a rate (Hz) that it speaks for, or by its own."""
    right = rate if anchor.speaks_for(rate) else anchor.rate
    if abs(right / declared - 1) <= 0.02:
        return f"{anchor.names[right]} stand where they belong at {declared} Hz"
    return f"{anchor.names[right]} stand at {declared / right:.2f} times their frequencies"


def _judge_wire_alone(facts: Facts, measured: dict[str, Any]) -> Answer:
    """Sizes and times without sound: a steady known ratio is a wrong declaration more often than a pacing fault."""
    ratio = facts.format_ratio
    if facts.audio is not None:
        return unknown(missing.SAMPLES, measured)
    if facts.rate_change is not None:
        finding = _judge_change(facts, facts.rate_change)
        summary = f"{finding.summary} The capture holds no sound, so only the number of bytes per second can tell."
        return answer(summary, [replace(finding, summary=summary)], measured)
    if ratio is None or facts.longest_speed is None:
        return unknown(facts.why_no_audio or missing.AUDIO, measured)
    summary = (
        f"Bytes come in at {facts.longest_speed.ratio:.2f} times the declared rate, steadily: as if the audio were "
        f"{join_list(_list_explanations(facts.declared, ratio), 'or')}. The capture holds no sound to tell which."
    )
    finding = CHECK.find("mismatch", "warn" if 0.8 <= ratio <= 1.3 else "fail", 0.6, summary)
    return answer(summary, [finding], measured)


def _list_explanations(declared: Declared, ratio: float) -> Iterator[str]:
    """What makes so many times the bytes a second that were declared: more of them, or fewer."""
    assert declared.sample_rate and declared.meant
    yield f"{declared.sample_rate * ratio:.0f} Hz"
    bits = 8 * ENCODINGS[declared.meant].width * ratio
    if bits in _SAMPLE_BITS:
        yield f"of {bits:.0f}-bit samples"
    if ratio == 2.0:
        yield "of two channels"
    yield "sent faster than it is spoken" if ratio > 1 else "not all sent"


def _judge_change(facts: Facts, change: RateChange) -> Finding:
    line, t = facts.find_frame(change.offset)
    summary = f"The audio is {change.before} Hz at first and {change.after} Hz from byte {change.offset} on"
    summary += f" (line {line}, {t:.1f} s)." if line is not None and t is not None else "."
    places = [Evidence(f"{change.before} Hz becomes {change.after} Hz", line, t, change.offset)]
    places += [Evidence(f"becomes {rate} Hz", *facts.find_frame(offset), offset) for offset, rate in change.later[:4]]
    return CHECK.find("changed", "fail", change.confidence, summary, tuple(places))


def _judge_upsampled(facts: Facts, declared: int) -> list[Finding]:
    edge = facts.sound.band_edge
    if edge is None or 2 * edge >= facts.limits["sample-rate.upsampled_below"] or not facts.rate_is_told:
        return []
    # elsewhere it is the edge of a lossy codec, which says nothing of a rate
    if not any(abs(2 * edge * declared / rate - 1) <= _EDGE_OFF for rate in STANDARD_RATES):
        return []
    summary = (
        f"There is nothing above {edge * declared:.0f} Hz: the audio was made at a lower rate and upsampled "
        f"to {declared} Hz."
    )
    return [CHECK.find("upsampled", "warn", 0.8, summary)]

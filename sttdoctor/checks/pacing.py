"""Do you send at the rate it is spoken?

Needs the time and length of each binary frame and the declared format. A bucket is filled by each frame's audio and
emptied a little faster than realtime; what waits in it is the backlog. Backlog that grows steadily means that the
client is too fast, backlog made at once is a burst, and backlog right after a hole belongs to the hole (`continuity`).
The overall speed is measured where audio flows, without holes, bursts and the flush after the handshake.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session import pacing
from sttdoctor.analysis.session.pacing import find_left_out, find_pauses, find_rhythm
from sttdoctor.analysis.session.stretches import Stretch
from sttdoctor.analysis.session.timeline import Timeline
from sttdoctor.checks.base import (
    TROUBLESHOOTING,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    pick_worst,
    unknown,
)
from sttdoctor.checks.slow_sender import explain_borders, explain_left_out, explain_pauses, fix_rhythm, tell_rhythm
from sttdoctor.evidence import FrameContents

CHECK = Check(
    id="pacing",
    order=80,
    question="Do you send at the rate it is spoken?",
    kinds=("session",),
    needs="the time and length of each binary frame that the client sent, and the declared format",
    why="The service expects about one second of audio per second of clock. A large batch can overload its buffer and "
    "end in a server error; audio that falls behind delays every answer.",
    how="A bucket is filled by each frame's audio and emptied at 1.1 times realtime: what waits in it is the backlog. "
    "Speed is measured where audio flows, without holes, bursts and the flush after the handshake. A steady ratio near "
    "a ratio of two formats points to a wrong declaration instead (see sample-rate and encoding).",
    causes=(
        Cause(
            "pacing.burst",
            "fail",
            "Several seconds of audio were sent within about one second.",
            "Send audio no faster than it was spoken: after each chunk of 100 ms wait until 100 ms have passed. If it "
            "was held back while the connection opened or the program stood still, connect before you record. Where "
            "you need no live text of a file, use the batch endpoint.",
        ),
        Cause(
            "pacing.too-fast",
            "fail",
            "Audio is sent faster than it is spoken, and the backlog grows.",
            "Pace by the clock: after n chunks of 100 ms, n times 0.1 s must have passed. For a whole file at once, "
            "use the batch endpoint.",
        ),
        Cause(
            "pacing.too-slow",
            "fail",
            "Audio is sent slower than it is spoken.",
            "Pace by the clock: send chunk n at the start plus n times its length, instead of sleeping for a fixed "
            "time after each chunk. If chunks come on time, each holds less than you think: count samples, not bytes. "
            "If the source is live, find what slows the sender down.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=lambda facts: _judge(facts),
)


def _judge(facts: Facts) -> Answer:
    why = facts.why_no_timeline
    if why is not None:
        return unknown(why)
    findings: list[Finding] = []
    measured: dict[str, Any] = {"speed": None, "max_backlog_s": 0.0}
    changes: list[str] = []
    paced = zip(facts.timelines, facts.speeds, facts.stretches, strict=True)
    for number, (timeline, speed, parts) in enumerate(paced):
        if not len(timeline):
            continue
        found = _judge_backlogs(facts.limits, timeline, speed, measured)
        times = _measure_silence(facts, number) if found else 1.0
        findings += [_explain_silence(finding, times) for finding in found]
        if len(parts) == 1:
            found = _judge_speed(facts.limits, timeline, speed, findings)
            findings += [_explain(facts, number, 0, timeline, finding) for finding in found]
        else:
            changes += _list_speeds(timeline, parts)
            measured["stretches"] = [
                *measured.get("stretches", []),
                *(_measure_stretch(timeline, part) for part in parts),
            ]
            findings += _judge_stretches(facts, number, parts, findings)
    if facts.longest_speed is not None:
        measured["speed"] = round(facts.longest_speed.ratio, 4)
        measured["speed_measured_s"] = round(facts.longest_speed.seconds, 2)
    if findings:
        return answer(pick_worst(findings).summary, findings, measured)
    if measured["speed"] is None:
        return answer("No burst; the audio is too short to show a speed.", [], measured)
    if changes:
        return answer(f"Audio flows at {', '.join(changes)}.", [], measured)
    return answer(f"Audio flows at {measured['speed']:.2f} times realtime.", [], measured)


def _measure_silence(facts: Facts, number: int) -> float:
    """How many times as long as the others the frames are that hold zero bytes alone; 1 where few are longer."""
    contents = FrameContents(facts.connections[number].audio_frames)
    sizes = [(len(content), any(content)) for content in contents if content]
    zeros, others = ([size for size, has_sound in sizes if has_sound is wanted] for wanted in (False, True))
    if len(zeros) < _FEWEST_ZERO or len(others) < _FEWEST_ZERO:
        return 1.0
    return float(np.median(zeros)) / float(np.median(others))


def _explain_silence(finding: Finding, times: float) -> Finding:
    """Say of audio that is too much that it is silence of another type."""
    if times < _WIDER:
        return finding
    summary = f"{finding.summary} Frames of zeros are {times:.3g} times as long as the others."
    return replace(finding, summary=summary, fix=_ZEROS)


_FEWEST_ZERO, _WIDER = 5, 1.9
_ZEROS = (
    "Fill silence with as many bytes as the audio would have had. Zeros of a wider type are longer: np.zeros(n) makes "
    "64-bit floats, so np.zeros(n, dtype='<i2'), or bytes(2 * n)."
)


def _list_speeds(timeline: Timeline, parts: Sequence[Stretch]) -> Iterator[str]:
    """The speed of each stretch, and from when on."""
    for part in parts:
        since = f"from {timeline.t_s[part.first]:.1f} s on" if part.first else "times realtime at first"
        yield f"{part.speed.ratio:.2f} {since}" if part.speed else f"an unknown speed {since}"


def _measure_stretch(timeline: Timeline, part: Stretch) -> dict[str, Any]:
    return {
        "from_s": round(float(timeline.t_s[part.first]), 3),
        "line": int(timeline.line[part.first]),
        "speed": round(part.speed.ratio, 4) if part.speed else None,
        "chunk_ms": round(part.frame_s * 1000, 3),
    }


def _judge_stretches(facts: Facts, number: int, parts: Sequence[Stretch], known: list[Finding]) -> list[Finding]:
    """The first stretch at a wrong speed, for each kind of wrong."""
    timeline = facts.timelines[number]
    found: dict[str, Finding] = {}
    for part in parts:
        line = timeline.part(part.first, part.stop)
        for finding in _judge_speed(facts.limits, line, part.speed, [*known, *found.values()]):
            pace = f" The pace changes on the way: {', '.join(_list_speeds(timeline, parts))}."
            told = replace(finding, summary=finding.summary + pace)
            found.setdefault(finding.cause, _explain(facts, number, part.first, line, told))
    return list(found.values())


def _explain(facts: Facts, number: int, first: int, line: Timeline, finding: Finding) -> Finding:
    """Say of slow audio why it is slow, where its beat or the borders of its frames tell."""
    if finding.cause != "pacing.too-slow":
        return finding
    left_out = find_left_out(line)
    torn = facts.find_torn(number, [first + index + 1 for index in left_out])
    if torn is not None and torn[1] <= _LOUD * torn[2]:
        return explain_left_out(finding, len(left_out))
    rhythm = find_rhythm(line)
    if rhythm is not None:
        summary = f"{finding.summary} {tell_rhythm(rhythm)}"
        return replace(finding, summary=summary, fix=fix_rhythm(rhythm, facts.is_browser))
    speed = facts.speeds[number]
    if facts.audio is None and speed is not None and speed.ratio < _COMPRESSED:
        few, fix = _explain_few(line, speed.ratio * (facts.declared.bytes_per_s or 0.0))
        return replace(
            finding,
            confidence=0.5,
            summary=f"{finding.summary} {few}",
            fix=f"{fix} {finding.fix[0].lower()}{finding.fix[1:]}",
        )
    pauses = find_pauses(line)
    if pauses is not None:
        return explain_pauses(finding, facts.measure_borders(number, first, len(line), pauses.borders), pauses)
    half = abs(float(np.median(line.audio_s)) / max(float(np.median(np.diff(line.t_s))), 1e-9) - 0.5) < _STEADY / 2
    return explain_borders(finding, facts.measure_borders(number, first, len(line)), facts.is_browser, half)


_LOUD = 0.1  # of the places where chunks are left out; a sender that is merely late stops in mid-word as often as not
_COMPRESSED = 0.3  # times the declared bytes: Opus and MP3 have so few, and samples of a telephone line
_OF_ONE_SIZE, _AS_MANY = 0.95, 0.02  # share of the frames; of the bytes a second
_KNOWN_FLOWS = {
    8000: (
        "samples of G.711 at 8000 Hz (of a telephone line)",
        "encoding=pcm_mulaw (or pcm_alaw) and sample_rate=8000",
    ),
    16000: ("16-bit samples at 8000 Hz or those of G.711 at 16000 Hz", "its encoding and sample_rate"),
    32000: ("16-bit samples at 16000 Hz", "encoding=pcm_s16le and sample_rate=16000"),
}
"""Bytes a second of audio that is often sent: what it is, and what to declare if it is that."""
_DECODE = (
    "Look first at what you send: if it comes compressed (MediaRecorder, Opus, MP3), decode it and send samples. If "
    "it is not,"
)


def _explain_few(line: Timeline, bytes_per_s: float) -> tuple[str, str]:
    """What very few bytes may be whose content is not known, and what to look at first."""
    usual = np.mean(line.size == np.median(line.size))
    for flow, (what, how) in _KNOWN_FLOWS.items():
        if usual >= _OF_ONE_SIZE and abs(bytes_per_s - flow) <= _AS_MANY * flow:
            few = f"That is {flow} bytes a second, in frames of one size, as many as {what} have."
            fix = f"Look first at what you send: if it is that audio, declare {how}; if it comes compressed, decode it."
            return f"{few} The capture holds no audio to tell.", f"{fix} If it is neither,"
    few = "So few bytes are compressed audio more often than slow samples; the capture holds no audio to tell."
    return few, _DECODE


def _judge_backlogs(
    limits: Mapping[str, float], timeline: Timeline, speed: pacing.Speed | None, measured: dict[str, Any]
) -> list[Finding]:
    waiting = pacing.measure_waiting(
        timeline, limits["pacing.drain_speed"], limits["pacing.start_burst_s"], limits["pacing.start_window_s"]
    )
    measured["max_backlog_s"] = max(measured["max_backlog_s"], round(float(waiting.max()), 3))
    holes = [hole for hole in pacing.find_holes(timeline, speed.ratio if speed else 1.0) if hole.filled or hole.late_s]
    findings: dict[str, Finding] = {}
    for backlog in pacing.find_backlogs(timeline, waiting, limits["pacing.backlog_warn_s"]):
        caught_up = sum(hole.late_s or hole.length_s for hole in holes if _overlaps(timeline, hole, backlog))
        excess = backlog.seconds - caught_up
        if excess <= limits["pacing.backlog_warn_s"] and caught_up:
            continue
        what = "burst" if backlog.sudden else "too-fast"
        status: Status = "fail" if excess > limits["pacing.backlog_fail_s"] else "warn"
        known = findings.get(what)
        if known is None or (status == "fail" and known.status == "warn"):
            findings[what] = CHECK.find(
                what, status, 0.95, _describe_backlog(timeline, backlog), _place(timeline, backlog)
            )
    return list(findings.values())


def _overlaps(timeline: Timeline, hole: pacing.Hole, backlog: pacing.Backlog) -> bool:
    """Whether a backlog was made while a hole was being caught up."""
    return (
        hole.index - 1 <= backlog.peak
        and backlog.first <= hole.caught_up + 1
        and (timeline.t_s[backlog.peak] - hole.end_s < hole.length_s + 2)
    )


def _describe_backlog(timeline: Timeline, backlog: pacing.Backlog) -> str:
    first, peak = backlog.first, backlog.peak
    audio = timeline.audio_s[first : peak + 1].sum()
    clock = timeline.t_s[peak] - timeline.t_s[first]
    sent = f"within {clock:.2f} s" if backlog.sudden else f"in {clock:.1f} s"
    on_top = f", while {backlog.before_s:.1f} s waited already" if backlog.before_s >= 0.05 else ""
    return f"{audio:.1f} s of audio were sent {sent}{on_top}; by then {backlog.seconds:.1f} s of it waited to be heard."


def _place(timeline: Timeline, backlog: pacing.Backlog) -> tuple[Evidence, ...]:
    first, peak = backlog.first, backlog.peak
    return (
        Evidence("the backlog begins to build here", int(timeline.line[first]), float(timeline.t_s[first])),
        Evidence(f"here {backlog.seconds:.1f} s of audio wait", int(timeline.line[peak]), float(timeline.t_s[peak])),
    )


_STEADY = 0.03


def _judge_speed(
    limits: Mapping[str, float], timeline: Timeline, speed: pacing.Speed | None, known: list[Finding]
) -> list[Finding]:
    if speed is None or speed.seconds < limits["pacing.min_s"]:
        return []
    fast = speed.ratio > limits["pacing.fast_warn"]
    if not fast and speed.ratio >= limits["pacing.slow_warn"]:
        return []
    if fast and any(finding.cause == "pacing.too-fast" for finding in known):
        return []
    excluded = speed.ratio > limits["pacing.fast_fail"] if fast else speed.ratio < limits["pacing.slow_fail"]
    summary = f"Audio flows at {speed.ratio:.2f} times realtime, measured over {speed.seconds:.1f} s."
    chunk_s, each_s = float(np.median(timeline.audio_s)), float(np.median(np.diff(timeline.t_s)))
    if abs(chunk_s - speed.ratio * each_s) < _STEADY * chunk_s:  # the usual chunk tells the whole
        summary += f" A chunk holds {1000 * chunk_s:.0f} ms, and one comes each {1000 * each_s:.0f} ms."
    place = Evidence(
        f"from here on, {speed.ratio:.2f} s of audio a second", int(timeline.line[0]), float(timeline.t_s[0])
    )
    status: Status = "fail" if excluded else "warn"
    return [CHECK.find("too-fast" if fast else "too-slow", status, 0.95, summary, (place,))]

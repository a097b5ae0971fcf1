"""Where does the time go?

Needs times on both directions, the audio itself (for where speech ends) and the turn events. The delay from the end
of speech to `turn.end` is split into audio that still waited at the service, clock time without audio (both the
client's) and the rest, which is turn detection and the service.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session import pacing
from sttdoctor.analysis.session.latency import TurnLatency, measure_first_text_s, measure_latencies, read_timeout_ms
from sttdoctor.analysis.session.timeline import Connection, Timeline
from sttdoctor.checks.base import (
    TROUBLESHOOTING,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    not_applicable,
    pick_worst,
    unknown,
)
from sttdoctor.checks.slow_sender import explain_borders, explain_pauses
from sttdoctor.endpoints.cartesia import TURN_OPTIONS

CHECK = Check(
    id="latency",
    order=130,
    question="Where does the time go?",
    kinds=("session",),
    needs="times in both directions, the audio and the turn events",
    why="Turn detection costs about half a second. What comes on top is often the client's: audio that was sent late, "
    "or faster than realtime so that it queues, or events that were not read.",
    how="The time from sending the last active audio to the turn.end is split into audio that waited, clock time "
    "without audio, and the rest.",
    causes=(
        Cause(
            "latency.end-of-turn",
            "fail",
            "A turn ended late although audio kept coming.",
            "Check the turn settings: a lower turn_end_timeout_ms and a higher turn_end_threshold end turns sooner. "
            "Or start the answer at turn.eager_end and cancel it at turn.resume.",
        ),
        Cause(
            "latency.backlog",
            "fail",
            "The answer waited for audio that was still queued.",
            "Pace by the clock: send chunk n at the start plus n times its length (100 ms is a good one), instead of "
            "sleeping for a fixed time after each. If the source is live, find what slows the sender down.",
        ),
        Cause(
            "latency.slow-reader",
            "fail",
            "The client reads events late.",
            "Receive events in a task of their own, and hand slow work (a database, a model, the page) to another. If "
            "the client does read all the time, a relay or proxy in between holds events back.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=lambda facts: _judge(facts),
)

_TIMEOUT = TURN_OPTIONS["turn_end_timeout_ms"]

_ENOUGH = 20
"""Percentiles of fewer turns say nothing."""


def _judge(facts: Facts) -> Answer:
    why = facts.why_no_timeline
    if why is not None:
        return unknown(why)
    if not facts.ends_turns:
        return not_applicable("On the manual endpoint the client decides when a text is final.")
    findings: list[Finding] = []
    latencies: list[TurnLatency] = []
    limits_s: list[float] = []
    measured: dict[str, Any] = {"event_gap_max_s": _find_longest_event_gap(facts)}
    for number, (connection, timeline) in enumerate(zip(facts.connections, facts.timelines, strict=True)):
        findings += _find_slow_reader(facts, connection)
        findings += _find_backlog(facts, number, timeline, measured)
        findings += _find_uplink(facts, connection, timeline)
        if facts.audio is not None and len(timeline):
            found = _list_latencies(facts, number, connection, timeline, measured)
            latencies += found
            limits_s += _get_limits_s(facts, connection, found)
    findings += _find_late_turns(facts, latencies, limits_s)
    measured |= _summarize(latencies)
    if findings:
        return answer(pick_worst(findings).summary, findings, measured)
    if facts.audio is None:
        return unknown(facts.why_no_audio or missing.AUDIO, measured)
    if not latencies:
        faint = any(map(facts.is_faint, range(len(facts.connections))))
        return unknown(missing.LOUDER if faint else missing.ENDED_TURN, measured)
    return answer(f"A turn ends {measured['end_of_turn_median_s']:.2f} s after its speech (median).", [], measured)


def _list_latencies(
    facts: Facts, number: int, connection: Connection, timeline: Timeline, measured: dict[str, Any]
) -> list[TurnLatency]:
    waiting = pacing.measure_waiting(
        timeline,
        facts.limits["pacing.drain_speed"],
        facts.limits["pacing.start_burst_s"],
        facts.limits["pacing.start_window_s"],
    )
    known = connection.turns
    active = facts.active_spans(number)
    texts = [frame.t for frame in connection.texts if _has_text(frame) and frame.t is not None]
    first = measure_first_text_s(timeline, active, texts)
    if first is not None and "first_text_s" not in measured:
        measured["first_text_s"] = round(first, 3)
    return [] if facts.is_faint(number) else measure_latencies(timeline, waiting, active, known)


def _has_text(frame: Any) -> bool:
    return not frame.sent and isinstance(frame.message, dict) and bool(frame.message.get("transcript"))


def _find_longest_event_gap(facts: Facts) -> float | None:
    gaps = []
    for connection in facts.connections:
        times = [frame.t for frame in connection.received if frame.t is not None]
        gaps += np.diff(times).tolist()
    return round(max(gaps), 3) if gaps else None


def _summarize(latencies: list[TurnLatency]) -> dict[str, Any]:
    if not latencies:
        return {}
    total = [latency.total_s for latency in latencies]
    waiting, silent, service = np.median([latency.shares_s for latency in latencies], axis=0).tolist()
    summary = {
        "turns_measured": len(latencies),
        "end_of_turn_median_s": round(float(np.median(total)), 3),
        "end_of_turn_max_s": round(max(total), 3),
        "of_it_waiting_s": round(waiting, 3),
        "of_it_without_audio_s": round(silent, 3),
        "of_it_service_s": round(service, 3),
    }
    if len(latencies) >= _ENOUGH:
        summary["end_of_turn_p90_s"] = round(float(np.percentile(total, 90)), 3)
    return summary


def _get_limits_s(facts: Facts, connection: Connection, latencies: list[TurnLatency]) -> list[float]:
    """How long each turn may take to end: its timeout, changed by `config` messages or not, and a margin."""
    declared, changes = _get_declared_timeout_ms(facts), _list_changed_timeouts(connection)
    margin = facts.limits["latency.end_of_turn_margin_s"]
    return [read_timeout_ms(latency, declared, changes) / 1000 + margin for latency in latencies]


def _get_declared_timeout_ms(facts: Facts) -> float:
    text = facts.address.first("turn_end_timeout_ms") if facts.address else None
    try:
        return float(text) if text else _TIMEOUT.default
    except ValueError:
        return _TIMEOUT.default


def _list_changed_timeouts(connection: Connection) -> list[tuple[float, float]]:
    """When a `config` message set a timeout that the service takes, and its milliseconds."""
    found = []
    for frame in connection.texts:
        turn = frame.message.get("turn") if frame.sent and frame.type == "config" else None
        value = turn.get("end_timeout_ms") if isinstance(turn, dict) else None
        if frame.t is not None and isinstance(value, int | float) and _TIMEOUT.low <= value <= _TIMEOUT.high:
            found.append((frame.t, float(value)))
    return found


def _find_late_turns(facts: Facts, latencies: list[TurnLatency], limits_s: list[float]) -> Iterator[Finding]:
    """The slowest turn of each kind: audio that waited, and time that the service took."""
    if not latencies:
        return
    backlog = max(latencies, key=lambda latency: latency.waiting_s)
    if backlog.waiting_s > facts.limits["pacing.backlog_warn_s"]:
        status: Status = "fail" if backlog.waiting_s > facts.limits["pacing.backlog_fail_s"] else "warn"
        summary = (
            f"When all speech of a turn was sent, {backlog.waiting_s:.1f} s of audio still waited; "
            f"the turn ended {backlog.total_s:.1f} s later."
        )
        yield CHECK.find("backlog", status, 0.85, summary, (Evidence("the late turn.end", backlog.line, backlog.t),))
    timed = zip(latencies, limits_s, strict=True)
    late, slow = max(
        ((turn.service_s > limit, turn) for turn, limit in timed), key=lambda pair: (pair[0], pair[1].service_s)
    )
    if slow.service_s > facts.limits["latency.end_of_turn_warn_s"]:
        status = "fail" if late else "warn"
        summary = f"A turn ended {slow.service_s:.1f} s after its speech, although audio kept coming at realtime."
        yield CHECK.find("end-of-turn", status, 0.8, summary, (Evidence("the late turn.end", slow.line, slow.t),))


def _find_backlog(facts: Facts, number: int, timeline: Timeline, measured: dict[str, Any]) -> Iterator[Finding]:
    """Audio that falls further and further behind the clock, a little at a time: the source's backlog."""
    parts = facts.stretches[number]
    whole = facts.speeds[number] if len(parts) == 1 else None
    speeds = [(0.0, whole)] if whole else [(float(timeline.t_s[part.first]), part.speed) for part in parts]
    known = [(since_s, speed) for since_s, speed in speeds if speed is not None]
    if sum(speed.seconds for _, speed in known) < facts.limits["pacing.min_s"]:
        return
    slow = [(since_s, speed) for since_s, speed in known if speed.ratio <= facts.limits["latency.behind_speed"]]
    behind_s = sum((1 - speed.ratio) * speed.seconds for _, speed in slow or known)
    measured["audio_behind_clock_s"] = round(max(behind_s, 0.0), 3)
    if not slow or behind_s <= facts.limits["pacing.backlog_warn_s"]:
        return
    since_s, speed = slow[0]
    status: Status = "fail" if behind_s > facts.limits["pacing.backlog_fail_s"] else "warn"
    since = f" from {since_s:.1f} s on" if len(parts) > 1 else ""
    summary = f"Audio is sent at {speed.ratio:.2f} times realtime{since}, and is {behind_s:.1f} s late by the end."
    place = (Evidence(f"{behind_s:.1f} s behind", int(timeline.line[-1]), float(timeline.t_s[-1])),)
    fix = _OTHER_CLOCK.format(facts.declared.sample_rate) if abs(speed.ratio - _TO_44100) < _EXACT else None
    finding = CHECK.find("backlog", status, 0.75, summary, place, fix)
    pauses = pacing.find_pauses(timeline)
    if pauses is not None:
        yield explain_pauses(finding, facts.measure_borders(number, 0, len(timeline), pauses.borders), pauses)
        return
    yield explain_borders(finding, facts.measure_borders(number, 0, len(timeline)), facts.is_browser)


_TO_44100, _EXACT = 44100 / 48000, 0.004
_OTHER_CLOCK = (
    "Ask the device for its rate and resample from that: the speed is 44100 to 48000, as if a device at 44100 Hz were "
    "resampled to {} Hz as one at 48000. Otherwise send audio at the pace it was spoken, in chunks of about 100 ms."
)


def _find_uplink(facts: Facts, connection: Connection, timeline: Timeline) -> Iterator[Finding]:
    """Turns that begin long after the last audio went out: it waited on the way, though it was sent in time."""
    starts = [frame for frame in connection.received if frame.type == "turn.start" and frame.t is not None]
    if not starts or not len(timeline):
        return
    last, first = float(timeline.t_s[-1]), float(timeline.t_s[0])
    start = starts[-1]
    late_s = (start.t or 0.0) - last
    if late_s <= facts.limits["latency.late_start_s"]:
        return
    arrived = float(timeline.audio_s.sum()) / ((start.t or 0.0) - first)
    rate = facts.declared.bytes_per_s or 0
    got = f" The way carried at most {min(arrived, 1.0) * rate * 8 / 1000:.0f} of {rate * 8 / 1000:.0f} kbit/s."
    summary = (
        f"Turns went on to begin for {late_s:.1f} s after the last audio had been handed over, at "
        f"{facts.longest_speed.ratio if facts.longest_speed else 1.0:.2f} times realtime: the audio waited on the way, "
        f"and every answer comes later than the one before.{got}"
    )
    place = (
        Evidence("a turn begins here", start.line, start.t),
        Evidence("the last audio", int(timeline.line[-1]), last),
    )
    yield CHECK.find("backlog", "fail", 0.8, summary, place, _fix_uplink(facts, rate))


def _fix_uplink(facts: Facts, rate: float) -> str:
    less = f"pcm_s16le at 16000 Hz needs 256 kbit/s instead of {rate * 8 / 1000:.0f}. " if rate > 32000 else ""
    where = "bufferedAmount of the WebSocket" if facts.is_browser is not False else "the bytes that wait behind send()"
    return (
        f"The uplink, or a queue behind send(), is slower than the audio. {less}Watch {where}: where more than a "
        "second waits, tell the user and drop or re-encode, instead of letting it grow. Look for a slow network, "
        "another upload, or a relay that handles one message at a time."
    )


def _find_slow_reader(facts: Facts, connection: Connection) -> Iterator[Finding]:
    """Events that come in lumps at the client: it did not read while they waited."""
    if facts.session is None or facts.session.clock != "client":
        return
    came = (connection.open, *filter(_has_text, connection.texts))
    read = [(event.t, event.line) for event in came if event is not None and event.t is not None]
    times = [t for t, _ in read]
    sent = np.array([frame.t for frame in connection.audio_frames if frame.t is not None])
    for i in range(1, len(times) - 3):
        gap = times[i] - times[i - 1]
        lump = times[i + 3] - times[i]
        if gap > facts.limits["latency.reader_gap_s"] and lump < 0.05:
            flowing = int(((sent > times[i - 1]) & (sent < times[i])).sum()) > 3
            if flowing:
                summary = (
                    f"No event was read for {gap:.1f} s, then several at once: most likely the client was not reading."
                )
                place = (Evidence("the events that came at once", read[i][1], times[i]),)
                yield CHECK.find(
                    "slow-reader",
                    "fail" if gap > 2 * facts.limits["latency.reader_gap_s"] else "warn",
                    0.7,
                    summary,
                    place,
                )
                return

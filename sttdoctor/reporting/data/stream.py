"""A session on its clock: sending, server events and turns, thinned to what a page can show."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session import pacing
from sttdoctor.analysis.session.commands import is_audio
from sttdoctor.analysis.session.latency import TurnLatency, measure_latencies
from sttdoctor.analysis.session.timeline import Connection, Timeline, is_close_command
from sttdoctor.analysis.session.turns import TURN_EVENTS, collect_turns
from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import Frame
from sttdoctor.reporting.data.values import Floats, Latency, Sending, Span, Stream, TurnSpan

_POINTS = 400  # bins of a line, each with its least and its greatest value
_TICKS = 1000  # moments of a lane that can be told apart
_MOST = 60  # marks, bars or connections of one kind
SHORTEST_GAP_S = 0.5
_LATENCY_BARS = 120

_LANES = {
    "turn.update": "text updates",
    "transcript": "text updates",
    "turn.eager_end": "eager ends",
    "turn.resume": "taken back",
    "error": "errors",
}


def show_stream(facts: Facts, detected_bytes_per_s: float | None) -> Stream | None:
    """Lay out a session; None where it has no times.

    Args:
        facts: The subject.
        detected_bytes_per_s: The byte rate of the detected format, None where none is.
    """
    session = facts.session
    if session is None or session.clock == "none":
        return None
    times = [event.t for event in session.events if event.t is not None]
    if not times:
        return None
    declared = facts.declared.bytes_per_s
    sending = [
        _show_sending(facts, connection, line, speed.ratio if speed else 1.0)
        for connection, line, speed in zip(facts.connections, facts.timelines, facts.speeds, strict=False)
        if len(line) > 1
    ]
    return Stream(
        tuple(sending[:_MOST]),
        declared / detected_bytes_per_s if declared and detected_bytes_per_s else 1.0,
        _list_turns(facts),
        _list_events(facts, min(times), max(times)),
        min(times),
        max(times),
    )


def _show_sending(facts: Facts, connection: Connection, line: Timeline, speed: float) -> Sending:
    sent = np.cumsum(line.audio_s)
    ahead = sent - (line.t_s - line.t_s[0])
    limits = facts.limits
    waiting = measure_waiting(facts, line)
    bursts = pacing.find_backlogs(line, waiting, limits["pacing.backlog_warn_s"])
    bursts = sorted(sorted(bursts, key=lambda burst: -burst.seconds)[:_MOST], key=lambda burst: burst.first)
    holes = [hole for hole in pacing.find_holes(line, speed) if hole.length_s >= SHORTEST_GAP_S]
    holes = sorted(sorted(holes, key=lambda hole: -hole.length_s)[:_MOST], key=lambda hole: hole.index)
    marked = [i for burst in bursts for i in (burst.first, burst.peak)]
    marked += [i for hole in holes for i in (hole.index - 1, hole.index)]
    chosen = _thin(line.t_s, ahead, marked)
    end_s = _end_s(facts, connection, line)
    last_s = float(line.t_s[-1] + line.audio_s[-1] / speed)
    gaps: list[Span] = [(hole.start_s, hole.end_s) for hole in holes]
    if end_s - last_s >= SHORTEST_GAP_S:
        gaps.append((last_s, end_s))
    return Sending(
        line.t_s[chosen],
        sent[chosen],
        ahead[chosen],
        float(line.t_s[0]),
        max(end_s, float(line.t_s[-1])),
        tuple((float(line.t_s[burst.first]), float(line.t_s[burst.peak])) for burst in bursts),
        tuple(burst.seconds for burst in bursts),
        tuple(gaps),
        len(line),
    )


def measure_waiting(facts: Facts, line: Timeline) -> Floats:
    """Return the seconds of audio that wait after each frame, shape (frames,), by the limits of the facts."""
    limits = facts.limits
    return pacing.measure_waiting(
        line, limits["pacing.drain_speed"], limits["pacing.start_burst_s"], limits["pacing.start_window_s"]
    )


def _end_s(facts: Facts, connection: Connection, line: Timeline) -> float:
    """When no more audio was owed."""
    ends = [frame.t for frame in connection.frames if is_close_command(frame, facts.endpoint) and frame.t is not None]
    ends += [connection.close.t] if connection.close and connection.close.t is not None else []
    later = [end for end in ends if end >= line.t_s[-1]]
    times = [frame.t for frame in connection.frames if frame.t is not None]
    return min(later, default=max(times))


def _thin(t_s: Floats, values: Floats, marked: Iterable[int]) -> NDArray[np.int64]:
    """Indices that keep the line's look: of each bin its least and greatest value, and what is marked."""
    count = len(t_s)
    if count <= 2 * _POINTS:
        return np.arange(count)
    bins = np.array_split(np.arange(count), _POINTS)
    extremes = [part[pick(values[part])] for part in bins for pick in (np.argmin, np.argmax)]
    return np.unique(np.array([0, count - 1, *extremes, *marked], dtype=np.int64))


def _list_turns(facts: Facts) -> tuple[TurnSpan, ...]:
    known = [
        TurnSpan(number, turn.start_t, turn.end_t)
        for number, turn in enumerate(facts.turns, start=1)
        if turn.start_t is not None
    ]
    return tuple(known[: 50 * _MOST])


def _list_events(facts: Facts, first_s: float, last_s: float) -> dict[str, Floats]:
    """Times of what is neither audio nor a turn, by lane."""
    lanes: dict[str, list[float]] = {}
    for connection in facts.connections:
        for frame in connection.frames:
            name = _pick_lane(frame)
            if name is not None and frame.t is not None:
                lanes.setdefault(name, []).append(frame.t)
    order = (*dict.fromkeys(_LANES.values()), "client messages")
    return {name: _keep_apart(lanes[name], (last_s - first_s) / _TICKS) for name in order if name in lanes}


def _pick_lane(frame: Frame) -> str | None:
    if frame.sent:
        return None if is_audio(frame) else "client messages"
    return _LANES.get(frame.type or "") if frame.type in _LANES or frame.type not in TURN_EVENTS else None


def _keep_apart(times: list[float], step_s: float) -> Floats:
    """One time of each step."""
    values = np.sort(np.array(times, dtype=np.float64))
    if step_s <= 0:
        return values[:1]
    return values[np.unique((values // step_s).astype(np.int64), return_index=True)[1]]


def show_latency(facts: Facts) -> Latency | None:
    """Measure the answer to each turn; None where no turn can be measured."""
    if facts.audio is None or not facts.ends_turns or facts.why_no_timeline:
        return None
    found: list[tuple[int, TurnLatency]] = []
    before = 0
    for number, (connection, line) in enumerate(zip(facts.connections, facts.timelines, strict=True)):
        known = collect_turns(connection.frames)
        by_line = {turn.end_line: before + i for i, turn in enumerate(known, start=1)}
        if len(line) and not facts.is_faint(number):
            measured = measure_latencies(line, measure_waiting(facts, line), facts.active_spans(number), known)
            found += [(by_line[item.line], item) for item in measured]
        before += len(known)
    return _show_latency(found, facts.limits["latency.end_of_turn_warn_s"]) if found else None


def _show_latency(found: list[tuple[int, TurnLatency]], warn_s: float) -> Latency:
    """Of each group of neighbours the slowest turn."""
    groups = np.array_split(np.arange(len(found)), min(len(found), _LATENCY_BARS))
    slowest = [found[max(group.tolist(), key=lambda i: found[i][1].total_s)] for group in groups]
    waiting, silent, service = np.array([item.shares_s for _, item in slowest]).T
    return Latency(
        np.array([number for number, _ in slowest], dtype=np.int64),
        waiting,
        silent,
        service,
        warn_s,
        len(found),
    )


def count_bytes_per_s(encoding: str, channels: int, rate: int) -> float:
    """Return the byte rate of a format."""
    return float(ENCODINGS[encoding].width * channels * rate)

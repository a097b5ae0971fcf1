"""Did you stop sending audio?

Needs the time and length of each binary frame, the declared format, and the turn events. The service runs on audio:
while none comes, an open turn cannot end. A hole in the audio is judged by whether it was filled later and whether a
turn was open in it.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session import pacing
from sttdoctor.analysis.session.commands import Command, is_known
from sttdoctor.analysis.session.loss import find_loss
from sttdoctor.analysis.session.pacing import Rhythm, find_rhythm
from sttdoctor.analysis.session.timeline import Connection, Timeline, is_close_command
from sttdoctor.analysis.session.turns import TURN_EVENTS
from sttdoctor.checks.base import (
    TROUBLESHOOTING,
    Answer,
    Cause,
    Check,
    Evidence,
    Finding,
    Status,
    answer,
    count_noun,
    pick_worst,
    unknown,
)
from sttdoctor.checks.slow_sender import fix_rhythm, tell_rhythm
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.evidence import Close, Frame
from sttdoctor.values import immutable

_ANY_SILENCE = "zero samples; 0xFF in mu-law, 0xD5 in A-law"
_SEND_SILENCE = f"Send silence ({_ANY_SILENCE}) for as long as there is nothing to hear."

_NO_KEEP_ALIVE = "The protocol has no keep-alive message; only audio counts."

CHECK = Check(
    id="continuity",
    order=90,
    question="Did you stop sending audio?",
    kinds=("session",),
    needs="the time and length of each binary frame that the client sent, the declared format, and the turn events",
    why="Turn detection runs on audio. When audio stops mid-turn, the service waits: the turn does not end and no "
    "text comes until audio resumes, and after three minutes the service closes the socket.",
    how="A hole is clock time between two frames beyond the longer of the two. What counts is whether the missing "
    "audio came later, and whether a turn stayed open meanwhile. Silence that is sent counts as audio.",
    causes=(
        Cause(
            "continuity.muted",
            "fail",
            "Audio stopped, or only comfort noise came; then it resumed where it had left off.",
            _SEND_SILENCE,
        ),
        Cause(
            "continuity.stalled",
            "fail",
            "Audio stopped, then the missing part was sent all at once.",
            "Find what blocks the sender (a slow callback, garbage collection, a lock, the network), and send from a "
            "separate thread or task.",
        ),
        Cause(
            "continuity.stopped",
            "fail",
            "Audio ended while a turn was open, but the socket stayed open.",
            'Send {"type":"close"} right after the last chunk and keep reading until the server closes; or, to wait '
            "for the turn to end by itself, keep sending silence.",
        ),
        Cause(
            "continuity.keepalive",
            "fail",
            "The client sent keep-alive messages instead of audio.",
            f"{_SEND_SILENCE} {_NO_KEEP_ALIVE}",
        ),
        Cause(
            "continuity.nothing-sent",
            "fail",
            "The client was connected but never sent any audio.",
            "Log at each step from the recorder to the socket, and see where the audio stops: may the app use the "
            "microphone, is the sender attached to this socket, does it wait for the socket to be open? In a browser "
            "also: does the AudioContext run (call resume() after a click)? Queue chunks that come before the socket "
            "is open: a first chunk that is lost may hold the header that the rest needs.",
        ),
        Cause(
            "continuity.capture-died",
            "fail",
            "Audio broke off mid-speech, but the socket stayed open: recording died, or was stopped without closing.",
            "Restart recording when it stops: when no chunk has come for 0.5 s, or the system reports that the device "
            "or track ended, changed or was interrupted. Earbuds, a phone call and an app in the background do that: "
            "listen for ended and mute of a track, and for changes of device or route. Send silence meanwhile, so that "
            'the turn ends. If recording was stopped on purpose, send {"type":"close"} right after the last chunk.',
        ),
        Cause(
            "continuity.blocked",
            "fail",
            "Sending and reading stopped together, then everything came at once.",
            "Move what blocks the event loop into a thread or a worker (await asyncio.to_thread(...) in Python, a "
            "worker thread in Node): time.sleep, requests, a model's inference, access to a file or a database in "
            "async code. asyncio's debug mode logs slow callbacks. A long garbage collection, or a machine that slept, "
            "looks the same.",
        ),
        Cause(
            "continuity.idle-timeout",
            "fail",
            "The server closed a socket on which no audio had come for about three minutes.",
            "If the user was done, send close as soon as the session ends (a telephone service says stop, a page is "
            "left) and read until the server closes. If not, send silence in between, or close and open a new "
            "connection later.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=lambda facts: _judge(facts),
)

_UNBLOCK = {
    "Python": (
        "Move what blocks the event loop into a thread: await asyncio.to_thread(f, ...) for time.sleep, requests, a "
        "model's inference, a file or a database. asyncio's debug mode logs slow callbacks. A long garbage "
        "collection, or a machine that slept, looks the same."
    ),
    "JavaScript": (
        "Move what blocks the event loop into a worker: a model's inference, a large JSON, files read with Sync "
        "functions, a long loop. A page in the background and a machine that slept look the same."
    ),
}
_PRESS_S = 1.0
_A_FEW, _A_MOMENT_S = 3, 0.6
_DIED_AT_ONCE = (
    "Check what the recorder does with its second buffer: an exception in the callback (look in the browser's console "
    "or the log) ends it silently. In an AudioWorklet a buffer that was transferred by postMessage(buffer, [buffer]) "
    "is gone: copy it first (slice()), and return true from process()."
)

_ANSWERED = (
    "Look first whether the client waits for an answer to each chunk (send, then recv, in one loop): the service "
    "answers when something is said, not to each chunk. Read events in a task or thread of its own."
)

_OVERFLOWS = (
    "Let nothing wait in the loop that sends audio: a slow call (a translation, a model, a database) belongs into a "
    "task of its own. The queue before the sender overflowed meanwhile; where it must, let it hold more, or tell the "
    "user."
)
_AT_ONCE_S = 0.04
_CHUNK_S = 0.3  # it may read on until the next chunk is due
_BESIDE_S = 0.1
_VOICE_END_S = 0.05
_VOICE_S = 0.2
_SAID_IDLE_S = 10.0  # less is the way of a message, or a pause
_IDLE = re.compile(r"tim(?:ed|e)[ -]?out|inactiv|idle|(?:no|not receive) (?:new |more )?(?:audio|data)", re.IGNORECASE)


@immutable
class _Gap:
    """A time without audio on one connection.

    `ended` tells that audio went on after it, `index` with which frame, `rest_s` for how many seconds of audio;
    `flushed` that the client said in it that something had been said to its end.
    """

    start_s: float
    end_s: float
    line: int
    filled: bool
    ended: bool
    turn_open: bool
    messages: tuple[str, ...]
    flushed: bool = False
    late_s: float = 0.0
    index: int = 0
    rest_s: float = 0.0

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


def _judge(facts: Facts) -> Answer:
    silent = _find_nothing_sent(facts) or _find_one_frame(facts)
    if silent is not None:
        return answer(silent.summary, [silent], {})
    why = facts.why_no_timeline
    if why is not None:
        return unknown(why)
    findings: list[Finding] = []
    measured: dict[str, Any] = {"holes": 0, "longest_hole_s": 0.0}
    parts = zip(facts.connections, facts.timelines, facts.speeds, strict=True)
    for number, (connection, timeline, speed) in enumerate(parts):
        if not len(timeline):
            continue
        gaps = _list_gaps(facts, connection, timeline, speed.ratio if speed else 1.0)
        inner = [gap.length_s for gap in gaps if gap.ended]
        measured["holes"] += len([length for length in inner if length > facts.limits["continuity.turn_warn_s"]])
        measured["longest_hole_s"] = max([measured["longest_hole_s"], *(round(length, 3) for length in inner)])
        found = [finding for gap in gaps if (finding := _judge_gap(facts, gap, number))]
        described = _find_comfort_noise(facts, number, timeline, speed.ratio if speed else 1.0)
        if described is not None:
            found = [described, *(finding for finding in found if finding.cause != "continuity.muted")]
        elif any(finding.cause == "continuity.muted" for finding in found):
            lost = _tell_lost(facts, number, [gap for gap in gaps if _is_unfilled(gap)])
            found = [_explain_lost(finding, lost) for finding in found]
        rhythm = find_rhythm(timeline) if any(finding.cause == "continuity.stalled" for finding in found) else None
        if rhythm is not None:
            found = [_explain_beats(finding, rhythm, facts.is_browser) for finding in found]
        found += _find_idle_timeout(facts, connection, gaps)
        findings = _merge([*findings, *found])
    findings += _find_unused(facts)
    if findings:
        return answer(pick_worst(findings).summary, findings, measured)
    if any(_is_end_untold(facts, *part) for part in zip(facts.connections, facts.timelines, strict=True)):
        return unknown(missing.COMMANDS, measured)
    return answer("Audio was sent without any holes that matter.", [], measured)


def _is_end_untold(facts: Facts, connection: Connection, timeline: Timeline) -> bool:
    """Whether audio ended some time before the connection did, and a close command may have followed it or not."""
    if facts.session is None or "commands" not in facts.session.lacks or not len(timeline):
        return False
    times = [event.t for event in (*connection.frames, connection.close) if event is not None and event.t is not None]
    audio_end_s = float(timeline.t_s[-1] + timeline.audio_s[-1])
    return max(times) - audio_end_s > facts.limits["continuity.turn_fail_s"]


def _find_nothing_sent(facts: Facts) -> Finding | None:
    """The service was ready, the client stayed for some seconds, and not one frame of audio went out."""
    session = facts.session
    if session is None or session.lacks & {"send", "audio"} or session.damage.lines:
        return None
    if any(connection.audio_frames for connection in facts.connections):
        return None
    for connection in facts.connections:
        opened, close = connection.open, connection.close
        if opened is None or opened.status != 101 or opened.t is None or close is None or close.t is None:
            continue
        said = [frame for frame in connection.frames if frame.sent and not is_close_command(frame, facts.endpoint)]
        is_refused = any(frame.type == "error" for frame in connection.received)
        length_s = close.t - opened.t
        if said or is_refused or not connection.received or length_s < facts.limits["continuity.nothing_s"]:
            continue
        summary = f"The client was connected for {length_s:.1f} s, but never sent any audio."
        place = (Evidence("closed here, without any audio", close.line, close.t),)
        return CHECK.find("nothing-sent", "fail", 0.95 if _holds_sent(facts) else _NONE_SENT, summary, place)
    held = [item.close.t - item.open.t for item in facts.connections if _is_press(facts, item)]  # type: ignore[union-attr,operator]
    if len(held) < 2 or len(held) < len(facts.connections) or sum(held) < facts.limits["continuity.nothing_s"]:
        return None
    close = facts.connections[-1].close
    summary = f"The client connected {len(held)} times for {sum(held):.1f} s in all, but never sent any audio."
    places = () if close is None else (Evidence("closed here, without any audio", close.line, close.t),)
    return CHECK.find("nothing-sent", "fail", 0.85 if _holds_sent(facts) else _NONE_SENT, summary, places)


def _holds_sent(facts: Facts) -> bool:
    """Whether anything that the client sent was captured; if nothing was, the capture may lack it."""
    return any(frame.sent for connection in facts.connections for frame in connection.frames)


_NONE_SENT = 0.7


def _find_unused(facts: Facts) -> list[Finding]:
    """A connection on which nothing was sent, though audio had flowed on the one before until just then."""
    session = facts.session
    if session is None or session.lacks & {"send", "audio"} or session.damage.lines:
        return []
    for before, connection in pairwise(facts.connections):
        opened, close, sent = connection.open, connection.close, before.audio_frames
        if connection.audio_frames or not connection.received or not sent or opened is None or close is None:
            continue
        if opened.t is None or close.t is None or sent[-1].t is None or opened.t - sent[-1].t > _JUST_NOW_S:
            continue
        length_s = close.t - opened.t
        if length_s < facts.limits["continuity.nothing_s"]:
            continue
        summary = (
            f"Audio flowed until {opened.t - sent[-1].t:.1f} s before the client opened another connection; on that "
            f"one, which lived for {length_s:.1f} s, it never sent any."
        )
        place = (Evidence("opened here", opened.line, opened.t), Evidence("closed here", close.line, close.t))
        return [CHECK.find("nothing-sent", "warn", 0.75, summary, place, _BIND)]
    return []


_JUST_NOW_S = 3.0
_BIND = (
    "If recording went on, bind each handler to its own socket, and ignore events of one that was replaced: the close "
    "of the old socket comes late, and a shared handler marks the new one as closed. If the connection was opened in "
    "advance, nothing is wrong."
)


def _is_press(facts: Facts, connection: Connection) -> bool:
    """Whether a connection was opened and ended again, a second later or more, with nothing but the close command."""
    opened, close = connection.open, connection.close
    if opened is None or opened.status != 101 or opened.t is None or close is None or close.t is None:
        return False
    said = [frame for frame in connection.frames if frame.sent and not is_close_command(frame, facts.endpoint)]
    is_refused = any(frame.type == "error" for frame in connection.received)
    return not said and not is_refused and bool(connection.received) and close.t - opened.t >= _PRESS_S


def _find_one_frame(facts: Facts) -> Finding | None:
    """A frame or two at the beginning, and nothing more while the client stayed: the capture died at once."""
    session, rate = facts.session, facts.declared.bytes_per_s
    if session is None or rate is None or session.lacks & {"send"} or session.damage.lines:
        return None
    if len(facts.connections) != 1:
        return None
    connection = facts.connections[0]
    sent, close = connection.audio_frames, connection.close
    if not 1 <= len(sent) <= _A_FEW or sum(frame.size for frame in sent) > _A_MOMENT_S * rate:
        return None
    if close is None or close.t is None or sent[-1].t is None or connection.turns or len(connection.received) > 1:
        return None
    after_s = close.t - sent[-1].t
    said = [frame for frame in connection.frames if frame.sent and frame.line > sent[-1].line]
    if said or after_s < facts.limits["continuity.nothing_s"]:
        return None
    what = "Only one frame" if len(sent) == 1 else f"Only {len(sent)} frames"
    seconds = sum(frame.size for frame in sent) / rate
    summary = f"{what} of audio ({1000 * seconds:.0f} ms) went out, and none in the {after_s:.1f} s after it."
    place = (Evidence("the last audio", sent[-1].line, sent[-1].t), Evidence("closed here", close.line, close.t))
    fix = f"{_ANSWERED} {_DIED_AT_ONCE}" if _is_one_each(connection) else _DIED_AT_ONCE
    return CHECK.find("capture-died", "fail", 0.85, summary, place, fix)


def _is_one_each(connection: Connection) -> bool:
    """Whether frames and messages came in turn: as of a client that waits for a message after each frame."""
    sent = [frame.sent for frame in connection.frames]
    return len(connection.audio_frames) == len(connection.received) + 1 and len(sent) > 1 and sent[-1]


class _Clock:
    """One connection in the order of its times, so that each gap costs no pass over all frames."""

    def __init__(self, connection: Connection, endpoint: Endpoint | None) -> None:
        timed = [frame for frame in connection.frames if frame.t is not None]
        self._frames = sorted(timed, key=lambda frame: frame.t or 0.0)
        self._times = [frame.t or 0.0 for frame in self._frames]
        events = [frame for frame in self._frames if not frame.sent and frame.type in TURN_EVENTS]
        is_told = endpoint is None or endpoint.ends_turns
        self._turns = [] if not is_told else [(frame.t or 0.0, frame.type != "turn.end") for frame in events]
        said = [command for command in connection.commands if command.frame.t is not None]
        self._said = sorted((command.frame.t or 0.0, i) for i, command in enumerate(said))
        self._commands = said
        self._last_line = connection.frames[-1].line
        self._endpoint = endpoint

    def gap(self, start_s: float, end_s: float, filled: bool, ended: bool) -> _Gap:
        known = bisect_left(self._turns, (end_s,))
        # a turn that ends while no audio comes had all the audio that it needed
        turn_open = known > 0 and self._turns[known - 1][1]
        at = bisect_left(self._times, end_s)
        line = self._frames[at].line if at < len(self._frames) else self._last_line
        first, stop = bisect_right(self._said, (start_s, len(self._said))), bisect_left(self._said, (end_s,))
        inside = [self._commands[i] for _, i in self._said[first:stop]]
        flushed = any(command.means == "flush" for command in inside)
        return _Gap(start_s, end_s, line, filled, ended, turn_open, self._list_keep_alives(inside), flushed)

    def _list_keep_alives(self, inside: list[Command]) -> tuple[str, ...]:
        """What was sent to stay connected: by its name, or a message of no other meaning again and again."""
        unknown = [command for command in inside if not is_known(command, self._endpoint)]
        alive = [command for command in unknown if command.means == "keep-alive"]
        other = [command for command in unknown if command.means == "other"]
        told = alive + other if alive or len(other) > 1 else []
        return tuple(command.word if command.word.strip() else "empty" for command in told)


_DESCRIPTION, _SMALL = 16, 0.2  # bytes of a description of noise at most; of the audio of a usual frame
_FEWEST_DESCRIBED, _ONE_IN_S, _IN_PAUSES = 3, 0.08, 0.8  # frames; seconds of pause for each; share that is in pauses
_AGAIN, _LEVELS, _SID = 2, 128, 2  # frames in the usual such pause; values of a first byte; bytes in G.729 (annex B)
_MAKE_NOISE = (
    " The short packets are comfort noise (RFC 3389, payload type 13; of G.729 its SID frames), a description of the "
    "noise and no audio: leave them out by their payload type, or switch silence suppression off on the telephone side "
    "(VAD, DTX, annexb=no)."
)


def _find_comfort_noise(facts: Facts, number: int, timeline: Timeline, speed: float) -> Finding | None:
    """Pauses in which nothing comes but now and then a few bytes that describe the noise of the line.

    The rest of an utterance, an empty frame or what keeps a connection open is as small: it comes once in a pause, or
    is the same byte all over, or text.
    """
    small = (timeline.size <= _DESCRIPTION) & (timeline.audio_s < _SMALL * np.median(timeline.audio_s))
    if np.count_nonzero(small) < _FEWEST_DESCRIBED:
        return None
    large = np.flatnonzero(~small)
    inside = np.diff(large) - 1
    paused_s = np.diff(timeline.t_s[large]) - timeline.audio_s[large[:-1]]
    sparse = (inside > 0) & (paused_s > _ONE_IN_S * inside)
    count = int(inside[sparse].sum())
    if count < max(_FEWEST_DESCRIBED, _IN_PAUSES * np.count_nonzero(small)) or np.median(inside[sparse]) < _AGAIN:
        return None
    connection = facts.connections[number]
    lines = set(timeline.line[small].tolist())
    if not all(_may_describe(frame) for frame in connection.audio_frames if frame.line in lines):
        return None
    # those are no audio: what would be said of the pauses if they were not there
    audio = Timeline(timeline.t_s[large], timeline.audio_s[large], timeline.size[large], timeline.line[large])
    gaps = [gap for gap in _list_gaps(facts, connection, audio, speed) if gap.ended]
    found = [(gap, finding) for gap in gaps if (finding := _judge_gap(facts, gap, number))]
    muted = [(gap.length_s, finding.status) for gap, finding in found if finding.cause == "continuity.muted"]
    if not muted:
        return None
    first = int(large[np.flatnonzero(sparse)[0]]) + 1
    summary = (
        f"In pauses no audio is sent, for up to {max(muted)[0]:.1f} s, but {count_noun(count, 'frame')} of "
        f"{int(np.median(timeline.size[small]))} bytes: they describe noise, and are heard as clicks."
    )
    status: Status = "fail" if any(status == "fail" for _, status in muted) else "warn"
    place = (Evidence("the first of them", int(timeline.line[first]), float(timeline.t_s[first])),)
    return CHECK.find("muted", status, 0.9, summary, place, _tell_silence(facts) + _MAKE_NOISE)


def _may_describe(frame: Frame) -> bool:
    """Whether a frame may hold a description of noise: its first byte is a level below full scale (RFC 3389)."""
    content = frame.audio
    if not frame.size or not content:
        return frame.size > 0  # only its size is known
    is_text = len(content) > _SID and content.isascii() and content.decode("ascii").isprintable()
    is_filler = len(content) > 1 and len(set(content)) == 1
    return not is_text and not is_filler and (content[0] < _LEVELS or len(content) == _SID)


def _list_gaps(facts: Facts, connection: Connection, timeline: Timeline, speed: float) -> list[_Gap]:
    clock = _Clock(connection, facts.endpoint)
    holes = pacing.find_holes(timeline, speed)
    left_s = np.cumsum(timeline.audio_s[::-1])[::-1]  # from each frame on
    found = [
        replace(
            clock.gap(hole.start_s, hole.end_s, hole.filled, True),
            late_s=hole.late_s,
            index=hole.index,
            rest_s=float(left_s[hole.index]),
        )
        for hole in holes
    ]
    if facts.session is not None and "commands" in facts.session.lacks:
        return found  # the close command may have followed the last audio
    last_s = float(timeline.t_s[-1] + timeline.audio_s[-1] / speed)
    ends = [frame.t for frame in connection.texts if is_close_command(frame, facts.endpoint) and frame.t is not None]
    ends += [connection.close.t] if connection.close and connection.close.t is not None else []
    times = [frame.t for frame in connection.frames if frame.t is not None]
    end_s = min([end for end in ends if end >= timeline.t_s[-1]], default=max(times))
    if end_s > last_s:
        found.append(clock.gap(last_s, end_s, False, False))
    return found


def _judge_gap(facts: Facts, gap: _Gap, number: int) -> Finding | None:
    status = _rate_gap(facts, gap)
    if status is None:
        return None
    place = (Evidence(f"end of the gap of {gap.length_s:.1f} s", gap.line, gap.end_s),)
    where = " while a turn was open" if gap.turn_open else ""
    begin = f"No audio was sent for {gap.length_s:.1f} s{where} (from {gap.start_s:.1f} s)"
    if gap.messages:
        names = ", ".join(sorted(set(gap.messages)))
        instead = f"{count_noun(len(gap.messages), 'message')} ({names}) {'was' if len(gap.messages) == 1 else 'were'}"
        summary = f"{begin}; {instead} sent instead, which the service does not know."
        return CHECK.find("keepalive", status, 0.95, summary, place, f"{_tell_silence(facts)} {_NO_KEEP_ALIVE}")
    if gap.filled and _has_stood_still(facts, gap, facts.connections[number]):
        summary = (
            f"{begin}, and nothing was read either; then everything was sent and received at once: the process "
            f"was blocked."
        )
        return CHECK.find("blocked", status, 0.85, summary, place, _UNBLOCK.get(facts.language))
    if gap.filled:
        return CHECK.find("stalled", status, 0.9, f"{begin}; the missing audio was sent later.", place)
    if gap.late_s:
        lost = gap.length_s - gap.late_s
        summary = f"{begin}; then {gap.late_s:.1f} s of it came at once, and {lost:.1f} s never: what was said is lost."
        return CHECK.find("stalled", status, 0.85, summary, place, _OVERFLOWS)
    if not gap.ended and _ends_in_full_voice(facts, number):
        summary = f"{begin}; the last frame breaks off mid-speech, and the socket stayed open: recording died."
        return CHECK.find("capture-died", status, 0.8, summary, place)
    if not gap.ended and not facts.ends_turns:
        return None  # the client decides when something has been said to its end
    if not gap.ended:
        return CHECK.find("stopped", status, 0.95, f"{begin}, and the socket stayed open.", place)
    summary = f"{begin}; then it resumed where it had left off."
    return CHECK.find("muted", status, 0.95, summary, place, _tell_silence(facts))


def _tell_silence(facts: Facts) -> str:
    """What silence is in the declared encoding, and when to send it."""
    silence = _SILENCES.get(facts.declared.meant or "")
    return _SEND_SILENCE.replace(_ANY_SILENCE, silence) if silence else _SEND_SILENCE


_SILENCES = {
    "pcm_mulaw": "bytes 0xFF",
    "pcm_alaw": "bytes 0xD5",
    **dict.fromkeys(("pcm_s16le", "pcm_s32le", "pcm_f16le", "pcm_f32le"), "zero bytes"),
}


def _is_unfilled(gap: _Gap) -> bool:
    """Whether audio went on after a hole, and nothing of it came later."""
    return gap.ended and not gap.filled and gap.length_s > _NOTICED_S


def _tell_lost(facts: Facts, number: int, holes: list[_Gap]) -> str:
    """What says that something was said in the holes of a connection; empty where nothing does."""
    torn = facts.find_torn(number, [hole.index for hole in holes])
    if torn is None:
        return ""
    both, broken, of = torn
    if both >= _TORN and both >= _MOSTLY_TORN * of:
        return f"at {both} of {of} holes the sound breaks off mid-speech and goes on mid-speech"
    lengths = sorted(hole.length_s for hole in holes)
    if broken >= _FEW and broken >= _MOSTLY_BROKEN * of and lengths[-1] <= _ALIKE * lengths[0]:
        usual_s = lengths[len(lengths) // 2]
        return f"at {broken} of {of} holes, all of about {usual_s:.2f} s, the sound breaks off mid-speech"
    sent_s = float(facts.timelines[number].audio_s.sum())
    spoken_s = sum(stop - start for start, stop in facts.active_spans(number))
    if both and len(holes) >= _MANY and lengths[len(holes) // 2] < _SHORT_S and spoken_s < _WITH_PAUSES * sent_s:
        return f"there are {len(holes)} such holes, mid-speech too, while pauses are sent as they are"
    return ""


def _explain_lost(finding: Finding, lost: str) -> Finding:
    """Say of audio that stopped that what was spoken meanwhile is lost."""
    if finding.cause != "continuity.muted" or not lost:
        return finding
    begin = finding.summary.partition("; then")[0]
    return replace(finding, summary=f"{begin}; {lost}: what was said in them is lost.", fix=_DROPPED)


_NOTICED_S = 0.2
_TORN, _MOSTLY_TORN = 2, 0.4
_FEW, _MOSTLY_BROKEN, _ALIKE = 3, 0.6, 1.2  # holes; of all; the longest beside the shortest: nobody mutes so evenly
_MANY, _SHORT_S, _WITH_PAUSES = 5, 1.5, 0.85  # holes; as short; of the audio, speech: who sends speech alone has more
_DROPPED = (
    "Find what drops audio before it is sent. Work in the audio callback (a model, a file, a lock) makes the sound "
    "system overflow: only copy there, and work in a task of its own. A queue or ring that is full throws chunks away, "
    "or writes over them, while a send blocks: let it hold a few seconds, and send from a task of its own. A detector "
    "that sends speech alone cuts words: let half a second before and after them pass, or send everything."
)


def _explain_beats(finding: Finding, rhythm: Rhythm, is_browser: bool | None) -> Finding:
    """A stall that comes again and again is one timer and not many accidents."""
    if finding.cause != "continuity.stalled":
        return finding
    longest = f"The longest wait: {finding.summary[0].lower()}{finding.summary[1:]}"
    summary = f"Audio comes in bursts. {tell_rhythm(rhythm)} {longest}"
    return replace(finding, summary=summary, fix=fix_rhythm(rhythm, is_browser))


def _has_stood_still(facts: Facts, gap: _Gap, connection: Connection) -> bool:
    """Whether the client also read nothing in a hole, and at its end had at once what had come meanwhile.

    The service cannot have answered the first new frame so soon. Only a client's own clock shows when it read.
    """
    if facts.session is None or facts.session.clock != "client" or facts.session.resolution > _AT_ONCE_S:
        return False
    times = [item.t for item in (*connection.received, *connection.frames) if item.t is not None]
    times += [item.t for item in connection.controls if item.t is not None]
    if any(gap.start_s + _CHUNK_S < t < gap.end_s - _BESIDE_S for t in times):
        return False
    came = [item.t for item in connection.received if item.t is not None]
    return any(gap.end_s - _BESIDE_S <= t <= gap.end_s + _AT_ONCE_S for t in came)


def _ends_in_full_voice(facts: Facts, number: int) -> bool:
    """Whether the audio of a connection ends in the middle of sound, with a connection that lived on."""
    if facts.audio is None or facts.sound.layout is None:
        return False
    connection, audio_s = facts.connections[number], float(facts.timelines[number].audio_s.sum())
    if facts.find_ping_timeout(connection) is not None or find_loss(connection, facts.endpoint) is not None:
        return False
    spans = facts.active_spans(number)
    return bool(spans) and spans[-1][1] >= audio_s - _VOICE_END_S and spans[-1][1] - spans[-1][0] >= _VOICE_S


def _rate_gap(facts: Facts, gap: _Gap) -> Status | None:
    limits = facts.limits
    length = gap.length_s - (facts.session.resolution if facts.session else 0.0)
    if length >= 0.95 * limits["continuity.idle_limit_s"]:
        return "fail"
    if gap.ended and not gap.filled and gap.rest_s < length <= limits["continuity.stall_fail_s"]:
        return None  # too little came behind it to tell audio that is late from audio that was not sent
    if gap.filled:
        warn, fail = limits["continuity.stall_warn_s"], limits["continuity.stall_fail_s"]
    elif gap.turn_open:
        if not gap.ended and _is_end_cut(facts) and length <= _CUT_S:
            return None  # what came next is not known
        warn, fail = limits["continuity.turn_warn_s"], limits["continuity.turn_fail_s"]
    elif gap.ended if facts.ends_turns else not gap.ended and not gap.flushed:
        # where the client decides when to flush, it may pause, and need not wait for what it has flushed
        warn, fail = limits["continuity.pause_warn_s"], float("inf")
    else:
        return None
    return "fail" if length > fail else "warn" if length > warn else None


def _is_end_cut(facts: Facts) -> bool:
    """Whether the capture stops before the session ended."""
    last = facts.connections[-1]
    return last.close is None and not facts.has_close_command(last)


_CUT_S = 5.0  # behind it audio is late, or gone on, in no healthy session


def _find_idle_timeout(facts: Facts, connection: Connection, gaps: list[_Gap]) -> list[Finding]:
    """The server closed the socket after about three minutes without audio."""
    close = connection.close
    if close is None or close.by == "client" or close.t is None or not gaps:
        return []
    last = gaps[-1]
    said = _find_idle_words(connection, close)
    is_said = bool(said) and last.length_s >= _SAID_IDLE_S
    if last.ended or (last.length_s < 0.9 * facts.limits["continuity.idle_limit_s"] and not is_said):
        return []
    reason = f", {said}" if is_said else ""
    summary = f"The server closed the socket (code {close.code}{reason}) after {last.length_s:.0f} s without audio."
    return [CHECK.find("idle-timeout", "fail", 0.95, summary, (Evidence("closed here", close.line, close.t),))]


def _find_idle_words(connection: Connection, close: Close) -> str:
    """What the server said of audio that did not come: the reason of its close, or the error before it."""
    if close.by == "server" and _IDLE.search(close.reason):
        return f"reason {close.reason[:100]!r}"
    last = connection.received[-1] if connection.received else None
    if last is None or last.type != "error":
        return ""
    words = " ".join(str(last.message.get("message") or last.message.get("title") or "").split())
    return f"error {words[:100]!r}" if _IDLE.search(words) else ""


def _merge(findings: list[Finding]) -> list[Finding]:
    """One finding a cause, the worst one first in line, with the evidence of all (the first five)."""
    merged: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: f.status != "fail"):
        known = merged.get(finding.cause)
        if known is None:
            merged[finding.cause] = finding
        else:
            evidence = (known.evidence + finding.evidence)[:5]
            merged[finding.cause] = Finding(
                known.cause, known.status, known.confidence, known.summary, known.fix, evidence
            )
    idle = "continuity.idle-timeout"
    if idle in merged and "continuity.stopped" in merged:
        del merged["continuity.stopped"]  # the same hole, and the time-out says more
    return list(merged.values())

"""Are you using the right endpoint?

Needs the URL or the events, and what the client sent. Speaking the language of one endpoint to the other is an error;
that another endpoint would fit better is a remark.
"""

from collections.abc import Iterator

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session import pacing
from sttdoctor.analysis.session.commands import is_mixed_up
from sttdoctor.analysis.session.endpoint import match_events
from sttdoctor.checks.base import Answer, Cause, Check, Evidence, Finding, answer, count_noun, pick_worst, unknown
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.endpoints.cartesia import ENDPOINTS

CHECK = Check(
    id="endpoint",
    order=62,
    question="Are you using the right endpoint?",
    kinds=("session",),
    needs="the URL or the events, and what the client sent with its times",
    why="The two realtime endpoints have different commands and events; a client that uses the wrong ones gets no "
    "answer that it understands. The manual endpoint suits push-to-talk, the batch endpoint suits recordings.",
    how="Commands and events are compared with those of the endpoint in the URL; the remarks come from the pace of the "
    "audio.",
    causes=(
        Cause(
            "endpoint.mixed-up",
            "fail",
            "The client uses one endpoint's commands or events with the other.",
            "Use the commands and events of the endpoint that you connect to.",
        ),
        Cause(
            "endpoint.manual-fits",
            "warn",
            "The client decides for itself when the user speaks; the manual endpoint is made for that.",
            "For push-to-talk or your own voice detector, use /stt/websocket and send finalize at the end.",
            informational=True,
        ),
        Cause(
            "endpoint.batch-fits",
            "warn",
            "A whole recording was sent at once; the batch endpoint is made for that.",
            "For a recorded file use POST /stt with model=ink-whisper, which also takes WAV, MP3 and other containers.",
            informational=True,
        ),
    ),
    docs="https://docs.cartesia.ai/use-the-api/stt/compare-endpoints",
    judge=lambda facts: _judge(facts),
)


def _judge(facts: Facts) -> Answer:
    if facts.endpoint is None:
        return unknown(missing.URL)
    findings = [*_find_mixed_up(facts, facts.endpoint), *_find_batch_fits(facts), *_find_manual_fits(facts)]
    measured = {"endpoint": facts.endpoint.name}
    if findings:
        return answer(pick_worst(findings).summary, findings, measured)
    return answer(f"The client uses the language of {facts.endpoint.path}.", [], measured)


def _find_mixed_up(facts: Facts, endpoint: Endpoint) -> Iterator[Finding]:
    other = next(known for known in ENDPOINTS if known is not endpoint)
    said = [command for connection in facts.connections for command in connection.commands]
    wrong = next((command for command in said if is_mixed_up(command, endpoint)), None)
    if wrong is not None:
        form = "a JSON message" if wrong.form == "json" else "a bare word"
        summary = f"{wrong.word!r} was sent as {form} to {endpoint.path}; that command belongs to {other.path}."
        place = (Evidence("the first such message", wrong.frame.line, wrong.frame.t),)
        yield CHECK.find("mixed-up", "fail", 0.95, summary, place, endpoint.advice)
        return
    received = match_events(frame for connection in facts.connections for frame in connection.texts)
    if received is not None and received is not endpoint:
        summary = f"The URL is that of {endpoint.path}, but the events are those of {received.path}."
        yield CHECK.find("mixed-up", "fail", 0.8, summary)


def _find_batch_fits(facts: Facts) -> Iterator[Finding]:
    """A whole recording was sent far faster than it was spoken."""
    truth = facts.true_speed / facts.longest_speed.ratio if facts.true_speed and facts.longest_speed else 1.0
    for timeline in facts.timelines:
        audio_s = float(timeline.audio_s.sum()) * truth
        clock_s = float(timeline.t_s[-1] - timeline.t_s[0]) if len(timeline) else 0.0
        if audio_s > max(facts.limits["endpoint.batch_s"], facts.limits["endpoint.batch_speed"] * clock_s):
            summary = (
                f"{audio_s:.0f} s of audio were sent in {clock_s:.1f} s; the batch endpoint suits a whole recording."
            )
            yield CHECK.find("batch-fits", "warn", 0.8, summary)
            return


def _find_manual_fits(facts: Facts) -> Iterator[Finding]:
    """Audio pauses again and again between turns: the client decides itself when the user speaks."""
    if facts.endpoint is None or not facts.endpoint.ends_turns:
        return
    pauses = 0
    for timeline, speed in zip(facts.timelines, facts.speeds, strict=True):
        found = pacing.find_holes(timeline, speed.ratio if speed else 1.0)
        pauses += sum(not hole.filled and hole.length_s > facts.limits["endpoint.pause_s"] for hole in found)
    finished = sum(turn.end is not None for turn in facts.turns)
    if pauses >= facts.limits["endpoint.pauses"] and finished >= 1:
        summary = f"Audio pauses {count_noun(pauses, 'time')}: the client itself seems to know when the user speaks."
        yield CHECK.find("manual-fits", "warn", 0.7, summary)

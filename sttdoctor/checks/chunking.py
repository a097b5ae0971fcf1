"""Are you chunking audio?

Needs the length of each binary frame and the declared format. The service recommends chunks of about 100 ms: large
ones delay every answer by their length, tiny ones cost more in headers than in audio. Median and 95th percentile
decide, so that a short last chunk or one block of silence does not count.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sttdoctor import missing
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.timeline import Timeline, make_timeline
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
from sttdoctor.values import immutable

CHECK = Check(
    id="chunking",
    order=70,
    question="Are you chunking audio?",
    kinds=("session",),
    needs="the length of each binary frame that the client sent, and the declared format",
    why="The service answers as audio comes in. Chunks of a second make every answer up to a second late, and a whole "
    "file in one chunk can overload the server's buffer.",
    how="The median and the 95th percentile of the frame lengths, in audio time, against about 100 ms.",
    causes=(
        Cause(
            "chunking.too-large",
            "fail",
            "Audio is sent in chunks much longer than 100 ms.",
            "Send about 100 ms at a time: sample_rate // 10 samples every 0.1 s.",
        ),
        Cause(
            "chunking.too-small",
            "warn",
            "Audio is sent in chunks of a few milliseconds.",
            "Collect about 100 ms (at least 20 ms) before you send: sample_rate // 10 samples per message.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=lambda facts: _judge(facts),
)


def _judge(facts: Facts) -> Answer:
    lengths = np.concatenate([[f.size for f in c.audio_frames] for c in facts.connections] or [[]])
    if not len(lengths):
        return unknown(facts.why_no_timeline or missing.SENT_AUDIO)
    promised = facts.declared.bytes_per_s
    if promised is None:
        return unknown(missing.FORMAT)
    lengths_ms = lengths / promised * 1000
    measured = {
        "frames": len(lengths_ms),
        "median_ms": round(float(np.median(lengths_ms)), 3),
        "p95_ms": round(float(np.percentile(lengths_ms, 95)), 3),
        "min_ms": round(float(lengths_ms.min()), 3),
        "max_ms": round(float(lengths_ms.max()), 3),
    }
    parts = _split_parts(facts) or [_Part(lengths_ms, "")]
    findings = [finding for part in parts for finding in _judge_part(facts, part, promised)]
    if findings:
        return answer(pick_worst(findings).summary, [pick_worst(findings)], measured)
    told = [f"{_format_ms(float(np.median(part.lengths_ms)))}{part.since}" for part in parts]
    text = f"Chunks are {told[0]} long." if len(told) == 1 else f"Chunks last {', '.join(told)}."
    return answer(text, [], measured)


@immutable
class _Part:
    """Lengths of frames, and from when on they were sent: empty where they are all."""

    lengths_ms: NDArray[np.float64]
    since: str


def _split_parts(facts: Facts) -> list[_Part]:
    """The stretches of a stream whose pace changes on the way, empty where it does not."""
    if all(len(parts) <= 1 for parts in facts.stretches):
        return []
    return [
        _Part(
            line.audio_s[part.first : part.stop] * 1000,
            f" from {line.t_s[part.first]:.1f} s on" if part.first else " at first",
        )
        for line, parts in zip(facts.timelines, facts.stretches, strict=True)
        for part in parts
    ]


def _judge_part(facts: Facts, part: _Part, promised: float) -> Iterator[Finding]:
    median, high = float(np.median(part.lengths_ms)), float(np.percentile(part.lengths_ms, 95))
    # the 95th percentile of a few frames is the longest one, and one long frame says nothing about the habit
    judged = high if len(part.lengths_ms) >= 20 else median
    if judged > facts.limits["chunking.warn_ms"]:
        status: Status = "fail" if judged > facts.limits["chunking.fail_ms"] else "warn"
        summary = f"Audio is sent in chunks of {_format_ms(median)}{part.since} (95 % are up to {_format_ms(high)})"
        yield CHECK.find(
            "too-large", status, 0.95, f"{summary}; about 100 ms is right.", _find_longest(facts, promised)
        )
    elif median < facts.limits["chunking.min_ms"]:
        summary = f"Audio is sent in chunks of {_format_ms(median)}{part.since}; about 100 ms is right."
        yield CHECK.find("too-small", "warn", 0.95, summary)


def _format_ms(value: float) -> str:
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.3g} ms"


def _find_longest(facts: Facts, promised: float) -> tuple[Evidence, ...]:
    lines: list[Timeline] = [make_timeline(connection, promised) for connection in facts.connections]
    longest = max((line for line in lines if len(line)), key=lambda line: line.audio_s.max(), default=None)
    if longest is None:
        return ()
    index = int(np.argmax(longest.audio_s))
    note = f"the longest chunk holds {longest.audio_s[index]:.2f} s of audio"
    return (Evidence(note, int(longest.line[index]), float(longest.t_s[index])),)

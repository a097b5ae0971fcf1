"""Are you chunking audio?

Needs the length of each binary frame and the declared format. The service recommends chunks of about 100 ms: large
ones delay every answer by their length, tiny ones cost more in headers than in audio. Median and 95th percentile
decide, so that a short last chunk or one block of silence does not count.
"""

import numpy as np

from sttdoctor import missing
from sttdoctor.analysis.send_timeline import Timeline, timeline
from sttdoctor.case import Case
from sttdoctor.checks.base import TROUBLESHOOTING, Answer, Cause, Check, Evidence, Status, answer, unknown


def _judge(case: Case) -> Answer:
    promised = case.declared.bytes_per_s
    if promised is None:
        return unknown(missing.FORMAT)
    lengths_ms = np.concatenate([[f.size for f in c.audio_frames] for c in case.connections] or [[]]) / promised * 1000
    if not len(lengths_ms):
        return unknown(case.why_no_timeline or missing.SENT_AUDIO)
    median, high = float(np.median(lengths_ms)), float(np.percentile(lengths_ms, 95))
    measured = {
        "frames": len(lengths_ms),
        "median_ms": round(median, 3),
        "p95_ms": round(high, 3),
        "min_ms": round(float(lengths_ms.min()), 3),
        "max_ms": round(float(lengths_ms.max()), 3),
    }
    # the 95th percentile of a few frames is the longest one, and one long frame says nothing about the habit
    judged = high if len(lengths_ms) >= 20 else median
    findings = []
    if judged > case.limits["chunking.warn_ms"]:
        status: Status = "fail" if judged > case.limits["chunking.fail_ms"] else "warn"
        summary = f"Audio is sent in chunks of {_ms(median)} (95 % are up to {_ms(high)}); about 100 ms is right."
        findings.append(CHECK.finding("too-large", status, 0.95, summary, _longest(case, promised)))
    elif median < case.limits["chunking.min_ms"]:
        summary = f"Audio is sent in chunks of {_ms(median)}; about 100 ms is right."
        findings.append(CHECK.finding("too-small", "warn", 0.95, summary))
    text = findings[0].summary if findings else f"Chunks are {_ms(median)} long."
    return answer(text, findings, measured)


def _ms(value: float) -> str:
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.3g} ms"


def _longest(case: Case, promised: float) -> tuple[Evidence, ...]:
    lines: list[Timeline] = [timeline(connection, promised) for connection in case.connections]
    longest = max((line for line in lines if len(line)), key=lambda line: line.audio_s.max(), default=None)
    if longest is None:
        return ()
    index = int(np.argmax(longest.audio_s))
    note = f"the longest chunk holds {longest.audio_s[index]:.2f} s of audio"
    return (Evidence(note, int(longest.line[index]), float(longest.t_s[index])),)


CHECK = Check(
    id="chunking",
    order=70,
    question="Are you chunking audio?",
    kinds=("session",),
    needs="the length of each binary frame that the client sent, and the declared format",
    why="The service answers as audio comes in. A chunk that holds a second of audio makes every answer up to a second "
    "late, and a whole file in one chunk can overload the server's buffer.",
    how="The median and the 95th percentile of the frame lengths, in audio time, against about 100 ms.",
    causes=(
        Cause(
            "chunking.too-large",
            "fail",
            "Audio is sent in chunks that are far longer than 100 ms.",
            "Send about 100 ms at a time: sample_rate // 10 samples every 0.1 s.",
        ),
        Cause(
            "chunking.too-small",
            "warn",
            "Audio is sent in chunks of a few milliseconds.",
            "Collect about 100 ms (20 ms at least) before you send: sample_rate // 10 samples a message.",
        ),
    ),
    docs=TROUBLESHOOTING,
    judge=_judge,
)

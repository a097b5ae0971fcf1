"""Sessions with a virtual clock: frame lengths and times without sound, for what does not depend on the sound."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.session.timeline import Timeline
from sttdoctor.api import examine
from sttdoctor.evidence import Close, Event, Frame, Open, Session, Transcript
from sttdoctor.report import Report
from sttdoctor.thresholds import DEFAULTS

URL = "wss://api.cartesia.ai/stt/turns/websocket?model=ink-2&encoding=pcm_mulaw&sample_rate=8000"
BYTES_PER_S = 8000

Times = Sequence[float] | np.ndarray


def steady(seconds: float, chunk_s: float = 0.1) -> np.ndarray:
    """Times of chunks sent at realtime."""
    return np.arange(round(seconds / chunk_s)) * chunk_s


def timeline(t: Times, audio_s: Times | float = 0.1) -> Timeline:
    t_s = np.asarray(t, dtype=float)
    lengths = np.broadcast_to(np.asarray(audio_s, dtype=float), t_s.shape).copy()
    return Timeline(t_s, lengths, (lengths * BYTES_PER_S).astype(np.int64), np.arange(len(t_s)) + 2)


def turn(start: float, *texts: str, end: float | None = None, step: float = 0.3) -> list[tuple[float, str, str | None]]:
    """Events of one turn: an update for each text, and with `end` a `turn.end` with the last text."""
    events: list[tuple[float, str, str | None]] = [(start, "turn.start", None)]
    events += [(start + step * (i + 1), "turn.update", text) for i, text in enumerate(texts)]
    if end is not None:
        events.append((end, "turn.end", texts[-1]))
    return events


def session(
    t: Times,
    audio_s: Times | float = 0.1,
    events: Iterable[tuple[float, str, str | None]] = (),
    sends: Iterable[tuple[float, object]] = (),
    command: float | None = None,
    close: tuple[float, str, int] | tuple[float, str, int, str] | None = None,
    transcript: str | None = None,
    url: str = URL,
    **fields: object,
) -> Session:
    """A session of one connection; rows stand in the order of their times, the close last."""
    lengths = np.broadcast_to(np.asarray(audio_s, dtype=float), np.shape(t))
    rows: list[tuple[float, int, dict]] = [
        (float(at), 0, {"sent": True, "size": round(float(length) * BYTES_PER_S), "binary": True})
        for at, length in zip(t, lengths, strict=True)
    ]
    for at, kind, text in events:
        message = {"type": kind, "request_id": "r1", **({"transcript": text} if text is not None else {})}
        rows.append((at, 1, {"sent": False, "size": 0, "message": message}))
    rows += [(at, 2, {"sent": True, "size": 0, "message": message}) for at, message in sends]
    if command is not None:
        rows.append((command, 3, {"sent": True, "size": 17, "message": {"type": "close"}}))
    rows.sort(key=lambda row: row[:2])
    frames: list[Event] = [Open(2, 0.0, 101)]
    frames += [Frame(line, at, **row) for line, (at, _, row) in enumerate(rows, start=3)]
    if close is not None:
        frames.append(Close(len(frames) + 2, *close))
    text = Transcript(transcript, len(frames) + 2) if transcript is not None else None
    return Session(tuple(frames), url=url, transcript=text, **fields)  # type: ignore[arg-type]


def with_audio(subject: Session, data: bytes) -> Session:
    """The same session with content in its audio frames, taken from the bytes in order."""
    events, position = [], 0
    for event in subject.events:
        if isinstance(event, Frame) and event.sent and event.binary:
            event, position = replace(event, content=data[position : position + event.size]), position + event.size
        events.append(event)
    return replace(subject, events=tuple(events))


def drained(seconds: float = 8.0, **fields: object) -> Session:
    """A healthy session: one turn, closed and drained."""
    events = turn(1.0, "Hello", "Hello there.", end=seconds + 0.2)
    return session(
        steady(seconds),
        events=events,
        command=seconds,
        close=(seconds + 0.3, "server", 1000),
        **fields,  # type: ignore[arg-type]
    )


def report(subject: Session, check: str | None = None, **limits: float) -> Report:
    changed = {name.replace("__", "."): value for name, value in limits.items()}
    return examine(Facts(DEFAULTS | changed, session=subject), [check] if check else [])


def causes(subject: Session, check: str | None = None) -> dict[str, str]:
    """Cause to status of everything found."""
    return {f.cause: f.status for result in report(subject, check).checks for f in result.findings}


def status(subject: Session, check: str) -> str:
    return report(subject, check).checks[0].status

"""Several connections of one client as one session: one after the other, or at a time with the same audio.

The clocks are shifted by when each began. Connections of different clients, and what a client sends at a time on two
connections with different audio (the two sides of a call), are several sessions.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

from sttdoctor.encodings import ENCODINGS, SUPPORTED
from sttdoctor.evidence import Damage, Event, Frame, Open, Session, Transcript
from sttdoctor.values import immutable

MAX_JOINED = 200
"""Connections of one client that are looked at."""

MOST_SEEN = 10
"""More connections are several sessions, if nobody says otherwise."""

MOST_BETWEEN_S = 60.0
"""A connection that begins later after the end of the one before is another session, if nobody says otherwise."""

MOST_IN_FOLDER_S = 3600.0
"""The same in a folder: who keeps the captures of a day in one has not said that they are one session."""

_OVERLAP_S = 1.0  # of sound on both, more than a client that connects anew before it lets the old connection go
FORMAT = ("model", "encoding", "sample_rate")


class ApartError(ValueError):
    """Connections that are not one session; the message says why."""


@immutable
class Part:
    """One connection.

    Attributes:
        session: Of it.
        who: The address of the client, None where the capture does not tell.
    """

    session: Session
    who: str | None = None


class _Placed(NamedTuple):
    """A session on the common clock: shifted by so many seconds, and when it and its audio began and ended."""

    session: Session
    shift: float
    begin: float
    end: float
    audio: tuple[float, float]


def join(parts: Sequence[Part], is_told: bool, most_between_s: float = math.inf) -> Session:
    """Return one session of several connections.

    Args:
        parts: In the order of the capture.
        is_told: Somebody says that they are one client's; else it has to be seen.
        most_between_s: A connection that begins later after the end of the one before is another session.

    Raises:
        ApartError: They are not.
    """
    if len(parts) > (MAX_JOINED if is_told else MOST_SEEN):
        raise ApartError(f"more than {MAX_JOINED} connections")
    if not is_told and any(part.session.clock == "server" and part.who is None for part in parts):
        raise ApartError("a server has many clients")
    if not is_told and any(part.session.started_at is None for part in parts):
        raise ApartError("nothing says when each of them began")
    if len({(is_told or part.who, *_client(part.session, is_told)) for part in parts}) > 1:
        raise ApartError("they differ in the address, the declared format or the client")
    chain: list[_Placed] = []
    beside: list[Session] = []
    for item in _place([part.session for part in parts]):
        before = next((other for other in chain if _overlap(other, item) > _OVERLAP_S), None)
        if before is not None:
            if not have_same_audio(before.session, item.session):
                if any(part.session.started_at is None for part in parts):
                    raise ApartError("not all of them say when they began (started_at)")
                raise ApartError("they ran at the same time, and not with the same audio")
            beside.append(item.session)
            continue
        if chain and item.begin - chain[-1].end > (most_between_s if is_told else MOST_BETWEEN_S):
            raise ApartError(f"there is more than {'an hour' if is_told else 'a minute'} between them")
        chain.append(item)
    return replace(_chain(chain), beside=tuple(beside))


def _client(session: Session, is_told: bool) -> tuple[object, ...]:
    """Return what the connections of one client have in common."""
    try:
        url = urlsplit(session.url or "")
        query = parse_qs(url.query)
        where: tuple[object, ...] = url.hostname, url.path.rstrip("/")
    except ValueError:
        return (session.url,)
    declared = tuple(tuple(query.get(name, ())) for name in FORMAT)
    return declared if is_told else (*where, *declared, session.client)


def _place(sessions: Sequence[Session]) -> list[_Placed]:
    """Place sessions on the clock of the first; one that does not say when it began follows the one before."""
    known = [_epoch(session.started_at) for session in sessions]
    zero = min((moment for moment in known if moment is not None), default=0.0)
    placed: list[_Placed] = []
    for session, moment in zip(sessions, known, strict=True):
        times = [event.t for event in session.events if event.t is not None] or [0.0]
        shift = moment - zero if moment is not None else placed[-1].end - min(times) if placed else 0.0
        silent = times if "send" in session.lacks else times[:1]  # what cannot be seen may be at any time
        audio = [event.t for event in session.events if _is_audio(event) and event.t is not None] or silent
        span = min(audio) + shift, max(audio) + shift
        placed.append(_Placed(session, shift, min(times) + shift, max(times) + shift, span))
    return sorted(placed, key=lambda item: item.begin) if None not in known else placed


def _is_audio(event: Event) -> bool:
    return isinstance(event, Frame) and event.sent and event.binary


def _overlap(one: _Placed, other: _Placed) -> float:
    return min(one.audio[1], other.audio[1]) - max(one.audio[0], other.audio[0])


def _chain(chain: Sequence[_Placed]) -> Session:
    """Return sessions that follow each other as one; each begins with an `Open`."""
    first = chain[0].session
    if len(chain) == 1:
        return first
    sessions = [item.session for item in chain]
    first_s = chain[0].shift
    events = tuple(event for item in chain for event in _shift(item.session, item.shift - first_s))
    clocks = {session.clock for session in sessions}
    return replace(
        first,
        events=events,
        clock="none" if clocks == {"none"} else next(s.clock for s in sessions if s.clock != "none"),
        resolution=max(session.resolution for session in sessions),
        lacks=frozenset().union(*(session.lacks for session in sessions)),
        transcript=_whole_text([session.transcript for session in sessions]),
        damage=Damage(
            sum(session.damage.lines for session in sessions),
            tuple(example for session in sessions for example in session.damage.examples)[:5],
        ),
    )


def _shift(session: Session, shift: float) -> Sequence[Event]:
    events = [replace(event, t=None if event.t is None else round(event.t + shift, 6)) for event in session.events]
    if any(isinstance(event, Open) for event in events):
        return events
    line, t = (events[0].line, events[0].t) if events else (1, None)
    return [Open(line, t, None), *events]


def _whole_text(texts: Sequence[Transcript | None]) -> Transcript | None:
    """Return the text of the application: its last one where that goes on, else what each session added."""
    known = [text for text in texts if text is not None]
    if len(known) < len(texts):
        return known[-1] if known else None
    goes_on = all(after.text.startswith(before.text) for before, after in pairwise(known))
    return known[-1] if goes_on else Transcript("".join(text.text for text in known), known[-1].line)


def _epoch(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


_PROBES, _PROBE_BYTES = 16, 512
_VARIED = 8  # different bytes in a probe; silence is the same everywhere
_LEAST_BYTES = 16_000
_MOST_BYTES = 8 << 20
_MOST_SAMPLES = 1 << 20
_ALIKE = 0.6
"""Correlation of what one microphone gives to two readers, each with its own gain; other speech reaches 0.2."""


def have_same_audio(one: Session, other: Session) -> bool:
    """Whether two sessions carry the same audio, shifted by any time; False where the captures cannot tell."""
    first, second = _audio(one), _audio(other)
    if min(len(first), len(second)) < _LEAST_BYTES:
        return False
    return _has_same_bytes(first, second) or _sounds_alike(first, second, one.url)


def _audio(session: Session) -> bytes:
    return b"".join(_contents(session))


def _contents(session: Session) -> Iterator[bytes]:
    length = 0
    for event in session.events:
        if isinstance(event, Frame) and event.sent and event.content is not None and length < _MOST_BYTES:
            length += event.size
            yield event.audio or b""


def _has_same_bytes(one: bytes, other: bytes) -> bool:
    short, long = sorted((one, other), key=len)
    step = max(_PROBE_BYTES, (len(short) - _PROBE_BYTES) // _PROBES)
    probes = [short[at : at + _PROBE_BYTES] for at in range(0, len(short) - _PROBE_BYTES, step)]
    varied = [probe for probe in probes if len(set(probe)) > _VARIED]
    return len(varied) > 1 and 2 * sum(probe in long for probe in varied) > len(varied)


def _sounds_alike(one: bytes, other: bytes, url: str | None) -> bool:
    kind = next((ENCODINGS[name].dtype for name in SUPPORTED if f"encoding={name}" in (url or "")), "")
    if not kind:
        return False
    a, b = _samples(one, kind), _samples(other, kind)
    power = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    if not power > 0.0 or not np.isfinite(power):
        return False
    size = len(a) + len(b)
    spectrum = np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size))
    return bool(np.abs(np.fft.irfft(spectrum, size)).max() / power > _ALIKE)


def _samples(content: bytes, kind: str) -> NDArray[np.float64]:
    width = np.dtype(kind).itemsize
    raw = np.frombuffer(content, kind, min(len(content) // width, _MOST_SAMPLES))
    samples: NDArray[np.float64] = np.nan_to_num(np.clip(raw.astype(np.float64), -(2.0**31), 2.0**31))
    samples -= samples.mean()
    return samples

"""The values behind figures, players and the transcript; renderers need nothing else besides the report.

Times are seconds on the session's clock where a name ends in `t_s`, seconds of audio elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sttdoctor.values import immutable

Floats = NDArray[np.float64]
Span = tuple[float, float]
"""(start, end) in seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """The whole audio at a glance.

    Attributes:
        column_s: Seconds of one column.
        low: Shape (n,), the least sample of each column, -1..1.
        high: Shape (n,), the greatest one.
        speech: Stretches with sound that may be speech.
        speech_s: Seconds of them.
        excerpt: The stretch that the players play.
        duration_s: Of the whole audio.
        reading: How the bytes are read, for a reader.
    """

    column_s: float
    low: Floats
    high: Floats
    speech: tuple[Span, ...]
    speech_s: float
    excerpt: Span
    duration_s: float
    reading: str


@dataclass(frozen=True, slots=True, eq=False)
class Spectrogram:
    """Levels by frequency and time.

    Attributes:
        level_db: Shape (frequencies, times) of float, 0 dB is the loudest cell; rows from low to high frequencies.
        duration_s: Seconds that the columns span.
        top_hz: The frequency at the upper edge of the last row.
    """

    level_db: NDArray[np.float32]
    duration_s: float
    top_hz: float


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """The excerpt, read in one way.

    Attributes:
        reading: How the bytes are read, for a reader.
        wav: A 16-bit WAV file, levels limited so that noise does not hurt; None where this reading cannot be played.
        seconds: Length of what is played.
        spectrogram: Of the same sound, None where there is none.
        remark: Why it cannot be played, or that it was cut; empty otherwise.
    """

    reading: str
    wav: bytes | None
    seconds: float
    spectrogram: Spectrogram | None
    remark: str = ""


@immutable
class Excerpt:
    """The loudest stretch, as declared and as detected.

    Attributes:
        first_byte: Where in the audio it begins.
        start_s: The same in seconds of audio as detected.
        declared: None where nothing was declared.
        detected: None where the bytes cannot be read as samples, or where the declaration is right.
        fits: The declaration is right.
    """

    first_byte: int
    start_s: float
    declared: Version | None
    detected: Version | None
    fits: bool


@immutable
class Candidate:
    """A format that comes into question: what it is called, its probability (0..1), whether it was declared."""

    name: str
    probability: float
    declared: bool


@immutable
class Odds:
    """The probability of each candidate encoding and sample rate; empty where the evidence cannot tell.

    Attributes:
        encodings: The likeliest ones, and the declared one.
        rates: All candidates, from low to high.
        alike: The declared rate is not the most probable one, but cannot be told from it by sound.
    """

    encodings: tuple[Candidate, ...]
    rates: tuple[Candidate, ...]
    alike: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sending:
    """When which audio was sent on one connection.

    Attributes:
        t_s: Shape (n,), the clock at chosen frames.
        sent_s: Shape (n,), audio sent by then, in seconds as declared.
        ahead_s: Shape (n,), how far that is ahead of the clock; below 0 the audio is behind.
        start_t_s: When the first frame was sent.
        end_t_s: When no more audio was owed: the close command, the close, or the last event.
        bursts: (start, end) on the clock in which more audio was sent than the clock had time for.
        burst_s: Audio that waited at the end of each burst.
        gaps: (start, end) on the clock without audio.
        frames: Number of frames.
    """

    t_s: Floats
    sent_s: Floats
    ahead_s: Floats
    start_t_s: float
    end_t_s: float
    bursts: tuple[Span, ...]
    burst_s: tuple[float, ...]
    gaps: tuple[Span, ...]
    frames: int


@immutable
class TurnSpan:
    """One turn on the clock; `end_t_s` is None while it is open."""

    number: int
    start_t_s: float
    end_t_s: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A session on its clock.

    Attributes:
        sending: One a connection; empty without a declaration, a clock or audio.
        speed_as_detected: Seconds of audio as detected in one second of audio as declared; 1 where both are the same.
        turns: The turns with a start.
        events: Name of a lane to the times in it, shape (n,), thinned where they cannot be told apart.
        first_t_s: The first time of the session.
        last_t_s: The last one.
    """

    sending: tuple[Sending, ...]
    speed_as_detected: float
    turns: tuple[TurnSpan, ...]
    events: Mapping[str, Floats]
    first_t_s: float
    last_t_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Latency:
    """The answer to each finished turn with speech before it, split into its parts; arrays of shape (n,), seconds.

    Attributes:
        number: Of the turn (or of the last one, where several stand in one place), from 1.
        waiting_s: Audio that waited at the service.
        silent_s: Clock time without audio.
        service_s: Turn detection and the service.
        warn_s: From which total on it is late.
        turns: Number of turns behind it.
    """

    number: NDArray[np.int64]
    waiting_s: Floats
    silent_s: Floats
    service_s: Floats
    warn_s: float
    turns: int


@immutable
class Piece:
    """A run of text in which the application's text and the right one relate in one way.

    Attributes:
        kind: `same`; `missing` (the application lacks it); `repeated` (it has it once more); `added` (it is in no final
            text nearby); `changed` (spelt otherwise); `glued` (white space is gone); `spaced` (white space was added).
        text: As it should be; empty for what is repeated or added.
        got: As the application has it; empty for what is missing.
    """

    kind: str
    text: str
    got: str = ""


@immutable
class TurnText:
    """The final text of one turn, compared.

    Attributes:
        number: From 1.
        start_t_s: Of its first event, None without a clock.
        end_t_s: Of its end.
        line: Of its end in the capture.
        updates: Number of texts before the final one.
        pieces: Its text in order; one piece of kind `same` where the application's text is not known.
    """

    number: int
    start_t_s: float | None
    end_t_s: float | None
    line: int | None
    updates: int
    pieces: tuple[Piece, ...]


@immutable
class Wording:
    """The transcript.

    Attributes:
        turns: Every finished turn, at most `wording.MAX_TURNS`.
        got: The application's text, cut to what is compared; None where it is not known.
        counts: Kind of piece to how many there are, `same` left out.
        remark: What was left out of the comparison; empty where nothing was.
    """

    turns: tuple[TurnText, ...]
    got: str | None
    counts: Mapping[str, int]
    remark: str = ""


@immutable
class Limit:
    """A threshold as it was applied, its unit, and the reason for its default."""

    name: str
    value: float
    default: float
    unit: str
    reason: str


@immutable
class Explanation:
    """What there is to know about the causes of one check.

    Attributes:
        question: Of the check.
        causes: Cause that was found to what it is.
        why: Why it matters.
        how: How it is judged.
    """

    question: str
    causes: Mapping[str, str]
    why: str
    how: str


@immutable
class Exhibits:
    """Everything that can be shown of a capture; None where the evidence holds nothing to show.

    Attributes:
        no_sound: Why there is nothing to hear; empty where there is.
        limits: Check id to its thresholds.
        failed: What could not be made, each with the error named.
        explanations: Of the checks whose causes belong to a diagnosis, in the order of these.
        meanings: Check id to the names of its measurements with what they mean.
        made_at: When, UTC, as `2026-11-22 10:00 UTC`; empty where that is not told.
        command: What makes the same report; empty where that is not told.
    """

    waveform: Waveform | None = None
    excerpt: Excerpt | None = None
    no_sound: str = ""
    odds: Odds | None = None
    stream: Stream | None = None
    latency: Latency | None = None
    wording: Wording | None = None
    limits: Mapping[str, tuple[Limit, ...]] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    made_at: str = ""
    command: str = ""

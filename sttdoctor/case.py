"""Everything that is known about one subject, analysed once and on demand; what the checks look at."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis import pacing, wire
from sttdoctor.analysis.activity import active_spans
from sttdoctor.analysis.band_edge import steep_edge
from sttdoctor.analysis.endpoint import Address, address, endpoint_of
from sttdoctor.analysis.excerpt import MAX_SAMPLES, active_samples, silent_as
from sttdoctor.analysis.rate_changes import (
    MOST_PARTS,
    PART_SAMPLES,
    RateChange,
    change_by_pace,
    change_by_sound,
    hear_parts,
)
from sttdoctor.analysis.rate_evidence import Flow, most_probable, weighed
from sttdoctor.analysis.send_timeline import Connection, Timeline, connections, timeline
from sttdoctor.analysis.turns import Turn
from sttdoctor.encodings import ENCODINGS, STANDARD_RATES, meant_by
from sttdoctor.evidence import Audio, Declared, Frame, Session

if TYPE_CHECKING:
    from sttdoctor.analysis.container import Contents
    from sttdoctor.analysis.encoding import EncodingChange, EncodingEstimate, Layout
    from sttdoctor.analysis.rate import RateEstimate

Samples = NDArray[np.float64]

_QUICK_S = 5.0  # heard of a part, at the rate of the whole, to see whether it has another one


class Case:
    """One subject and its analysis.

    Args:
        limits: Thresholds by name.
        audio: The audio, None where a session holds none.
        session: The session, None for audio alone.
        declared: What the client told the service about the audio.
    """

    def __init__(
        self,
        limits: Mapping[str, float],
        audio: Audio | None = None,
        session: Session | None = None,
        declared: Declared | None = None,
    ) -> None:
        self.limits = limits
        self.session = session
        self.audio = session_audio(session) if session is not None else audio
        self.declared = _declared(session, declared or Declared())
        self._active_spans: dict[int, list[tuple[float, float]]] = {}

    @property
    def declared_encoding(self) -> str | None:
        """The encoding of the six that the declared name means, None where it means none."""
        return meant_by(self.declared.encoding)

    @cached_property
    def contents(self) -> "Contents | None":
        """Media files and text among the bytes, None without audio."""
        from sttdoctor.analysis.container import find_containers

        return find_containers(self.audio.data) if self.audio is not None else None

    @property
    def payload_offset(self) -> int:
        """The first byte of the samples: behind the file header that they begin with, else 0."""
        if self.contents is None or self.audio is None:
            return 0
        return self.contents.payload if self.contents.payload < len(self.audio.data) else 0

    @cached_property
    def silent_side(self) -> int | None:
        """Which of two interleaved channels in the declared encoding is silent, None where there are no two such."""
        from sttdoctor.analysis.silent_side import silent_side

        if self.audio is None:
            return None
        return silent_side(self.audio.data[self.payload_offset :], self.declared_encoding)

    @cached_property
    def encoding(self) -> "EncodingEstimate | None":
        """What the bytes say about their encoding, None without audio."""
        from sttdoctor.analysis.encoding import estimate_encoding

        if self.audio is None:
            return None
        data = self.audio.data[self.payload_offset :]
        estimate = estimate_encoding(data)
        if estimate.decidable and silent_as(data, self.declared_encoding, self.limits["signal.silent_peak"]):
            return replace(estimate, decidable=False, stereo=0.0, reason="read as declared they are silent")
        return estimate

    @cached_property
    def encoding_changes(self) -> "list[EncodingChange]":
        """Where the encoding or the alignment of samples changes along the audio."""
        from sttdoctor.analysis.encoding import find_changes

        first = self.payload_offset
        found = find_changes(self.audio.data[first:]) if self.audio is not None else []
        return [replace(change, offset=change.offset + first) for change in found]

    @property
    def layout(self) -> "Layout | None":
        """How the bytes are best read: as estimated where they tell, else as declared, None where nothing does.

        Its offset counts from the first byte of the audio, a file header included.
        """
        if self.contents is not None and not self.contents.holds_samples:
            return None
        behind = self._payload_layout
        return replace(behind, offset=behind.offset + self.payload_offset) if behind is not None else None

    @property
    def _payload_layout(self) -> "Layout | None":
        from sttdoctor.analysis.encoding import Layout

        if self.silent_side is not None and self.declared_encoding is not None:
            return Layout(self.declared_encoding, 0, 2)
        estimate = self.encoding
        before, _, shift = self.encoding_changes[0].before.partition("+") if self.encoding_changes else ("", "", "")
        if before in ENCODINGS:  # the sound is judged up to the first change
            return Layout(before, int(shift or 0))
        if estimate is not None and estimate.decidable and estimate.probabilities.get("not-pcm", 0) < 0.5:
            if estimate.probabilities.get("text", 0) >= 0.5:
                return None
            return self._prefer_declared(estimate)
        if estimate is not None and estimate.decidable:
            return None
        return self.declared_layout

    def _prefer_declared(self, estimate: "EncodingEstimate") -> "Layout":
        """Twins (the same bytes under two names) go to the declared one."""
        name = self.declared_encoding
        if name and name != estimate.layout.encoding and estimate.probabilities[name] > 0.3:
            return replace(estimate.layout, encoding=name, offset=0, channels=1)
        return estimate.layout

    @property
    def declared_layout(self) -> "Layout | None":
        """How the bytes are to be read by the declaration alone, None without one."""
        from sttdoctor.analysis.encoding import Layout

        return Layout(self.declared_encoding) if self.declared_encoding else None

    def samples(self, first_byte: int = 0, stop_byte: int | None = None, most: int = MAX_SAMPLES) -> Samples:
        """Decode a part of the audio as it is best read, mixed to one channel.

        Args:
            first_byte: Offset of the part.
            stop_byte: Its end, None for the end of the audio or the place where the encoding changes.
            most: Samples at most: of a longer part its most active stretches.
        """
        layout = self.layout
        if layout is None or self.audio is None:
            return np.empty(0)
        first = layout.whole_from(first_byte)
        stop = self._end_of_layout(first) if stop_byte is None else stop_byte
        return active_samples(self.audio.data[first:stop], layout.encoding, layout.channels, most)

    def _end_of_layout(self, first: int) -> int | None:
        """Where the encoding changes for the first time, when there is enough before it; behind it is noise."""
        changes = [change.offset for change in self.encoding_changes]
        return changes[0] if changes and changes[0] - first >= 1 << 15 else None

    @cached_property
    def candidates(self) -> tuple[int, ...]:
        """Sample rates that come into question, Hz: the standard ones and the declared one."""
        declared = self.declared.sample_rate
        return tuple(sorted({*STANDARD_RATES, declared} if declared else STANDARD_RATES))

    @cached_property
    def rate(self) -> "RateEstimate | None":
        """What the sound says about its sample rate, None where it cannot be decoded."""
        from sttdoctor.analysis.rate import estimate_rate

        return estimate_rate(self._excerpt, self.candidates) if self.layout is not None else None

    @cached_property
    def _excerpt(self) -> Samples:
        """The most active stretches of all of the audio."""
        return self.samples()

    @cached_property
    def band_edge(self) -> float | None:
        """Frequency above which the audio is empty, as a share of the sample rate; None without a steep edge."""
        return steep_edge(self._excerpt)

    @cached_property
    def connections(self) -> list[Connection]:
        """The connections of the session, in order."""
        return connections(self.session) if self.session is not None else []

    @cached_property
    def declared_bytes_per_s(self) -> float | None:
        """Byte rate that the declaration promises, None where it is not complete."""
        encoding, rate = self.declared_encoding, self.declared.sample_rate
        return float(ENCODINGS[encoding].width * rate) if encoding and rate else None

    @cached_property
    def timelines(self) -> list[Timeline]:
        """Sent audio of each connection, in seconds as declared; empty without a declaration or a clock."""
        if self.session is None or self.declared_bytes_per_s is None or self.session.clock == "none":
            return []
        return [timeline(connection, self.declared_bytes_per_s) for connection in self.connections]

    @property
    def why_no_timeline(self) -> str | None:
        """What is missing for a judgement of when audio was sent, for a reader; None where nothing is."""
        session = self.session
        if session is None or not any(connection.audio_frames for connection in self.connections):
            return "The capture holds no sent audio; record the binary frames with their times."
        if self.declared_bytes_per_s is None:
            return "The declared format is not known; give --encoding and --sample-rate."
        if session.clock == "none" or not any(len(timeline) > 1 for timeline in self.timelines):
            return "The capture has no times; record when each frame was sent."
        if session.resolution > 0.25:
            return f"The capture's clock is too coarse ({session.resolution:g} s); record times to a millisecond."
        return None

    @cached_property
    def speeds(self) -> list[pacing.Speed | None]:
        """The usual speed of each connection, None where it is too short to show one."""
        return [pacing.speed(line, self.limits["pacing.start_window_s"]) for line in self.timelines]

    @cached_property
    def longest_speed(self) -> pacing.Speed | None:
        """The speed that was measured on the longest stretch, None where there is none."""
        known = [speed for speed in self.speeds if speed is not None]
        return max(known, key=lambda speed: speed.seconds, default=None)

    @cached_property
    def flow(self) -> Flow | None:
        """The measured byte rate of the session beside the declared one, None where either is not known."""
        speed, promised, layout = self.longest_speed, self.declared_bytes_per_s, self.layout
        return Flow(speed, promised, layout.frame_bytes) if speed and promised and layout else None

    @cached_property
    def rate_probabilities(self) -> dict[int, float] | None:
        """Probability of each candidate rate (Hz) from sound and wire together, flat prior; None without either."""
        heard = self.rate.probabilities if self.rate is not None else None
        return weighed(heard, self.flow, self.candidates)

    @cached_property
    def likely_rates(self) -> list[int]:
        """The smallest list of rates (Hz), most probable first, that holds 95 % of the probability."""
        return most_probable(self.rate_probabilities or {})

    @cached_property
    def format_ratio(self) -> float | None:
        """The ratio of two formats (real to declared byte rate) that the steady pace sits on, None where on none."""
        speed = self.longest_speed
        return wire.format_ratio(speed) if speed is not None else None

    @cached_property
    def wire_rate(self) -> int | None:
        """The sample rate (Hz) that the byte rate on the wire implies, where it is not the declared one."""
        implied = self.flow.implied_rate(self.candidates) if self.flow is not None else None
        return implied if implied != self.declared.sample_rate else None

    @cached_property
    def true_speed(self) -> float | None:
        """Seconds of true audio per clock second, by the likely rate that comes nearest to realtime; None if untold."""
        rates = self.likely_rates if self.rate_is_told else [self.declared.sample_rate or 0]
        return self.flow.true_speed(rates) if self.flow is not None else None

    @property
    def true_chunk_ms(self) -> float | None:
        """The usual length of a frame in true audio, by the format that is believed; None where that is not told."""
        lengths = [timeline.audio_s for timeline in self.timelines if len(timeline)]
        speed = self.longest_speed
        if not lengths or self.true_speed is None or speed is None:
            return None
        return float(np.median(np.concatenate(lengths))) * self.true_speed / speed.ratio * 1000

    @cached_property
    def rate_is_told(self) -> bool:
        """Whether the evidence says anything about the rate: enough speech, or a byte rate that fits another rate."""
        if self.wire_rate is not None:
            return True
        rate = self.rate
        return rate is not None and rate.speech_s >= self.limits["sample-rate.min_speech_s"] and rate.speech_like >= 0.5

    @cached_property
    def rate_change(self) -> RateChange | None:
        """Where the sample rate changes along the stream, None where it does not."""
        if self.layout is None or self.audio is None:
            return None
        return self._rate_change_by_wire() or change_by_sound(self._rate_parts())

    def _rate_change_by_wire(self) -> RateChange | None:
        """A pace that changes for good, where both paces fit a standard rate and the sound does not object."""
        promised, layout = self.declared_bytes_per_s, self.layout
        if promised is None or layout is None:
            return None
        samples_per_s = promised / layout.frame_bytes
        for start, line in zip(self.audio_starts, self.timelines, strict=False):
            found = change_by_pace(line, samples_per_s, start, self.candidates, self._sound_of)
            if found is not None:
                return found
        return None

    def _sound_of(self, first: int, stop: int | None, most: int = PART_SAMPLES) -> "RateEstimate":
        from sttdoctor.analysis.rate import estimate_rate

        return estimate_rate(self.samples(first, stop, most), self.candidates)

    def _rate_parts(self) -> "list[tuple[int, RateEstimate]]":
        """The sound of equal parts of 3 s or more each, for a stream of 12 s or more."""
        rate, layout = self.rate, self.layout
        if self.audio is None or rate is None or layout is None or rate.speech_s < 4:
            return []
        seconds = len(self.audio.data) / (rate.best * layout.frame_bytes)
        count = min(MOST_PARTS, int(seconds / (3 if seconds >= 18 else 6)))
        edges = np.linspace(0, len(self.audio.data), count + 1).astype(np.int64).tolist()
        return hear_parts(list(pairwise(edges)), self._sound_of, quick=round(_QUICK_S * rate.best))

    @cached_property
    def address(self) -> Address | None:
        """The URL in parts, None where the capture has none."""
        return address(self.session.url) if self.session is not None else None

    @cached_property
    def endpoint(self) -> str | None:
        """`auto` or `manual`, None where neither the URL nor an event tells."""
        return endpoint_of(self.session) if self.session is not None else None

    @cached_property
    def turns(self) -> list[Turn]:
        """The turns of all connections, in order."""
        return [turn for connection in self.connections for turn in connection.turns]

    def active_spans(self, number: int) -> list[tuple[float, float]]:
        """(start, end) of each active stretch of one connection's audio, in seconds as declared; empty without audio.

        Sound is judged as the bytes are best read, the seconds are those of the timeline.
        """
        if number not in self._active_spans:
            self._active_spans[number] = self._find_active(number)
        return self._active_spans[number]

    def _find_active(self, number: int) -> list[tuple[float, float]]:
        layout, promised = self.layout, self.declared_bytes_per_s
        if self.audio is None or layout is None or promised is None:
            return []
        first, stop = self.audio_starts[number : number + 2]
        data = self.audio.data[max(first, layout.offset) : stop]
        return active_spans(data, layout.encoding, layout.channels, promised / layout.frame_bytes)

    @cached_property
    def cut_frames(self) -> list[Frame]:
        """Binary frames from the client that are no whole number of samples as declared."""
        width = ENCODINGS[self.declared_encoding].width if self.declared_encoding else 1
        return [f for connection in self.connections for f in connection.audio_frames if f.size % width]

    @property
    def request_ids(self) -> list[str]:
        """The ids that the service gave the connections, in order of appearance."""
        received = (frame.message for connection in self.connections for frame in connection.received)
        ids = (message.get("request_id") for message in received if isinstance(message, dict))
        return list(dict.fromkeys(name for name in ids if isinstance(name, str)))

    @property
    def duration_s(self) -> float | None:
        """Seconds from the first to the last time in the session, None without times."""
        times = [event.t for event in self.session.events if event.t is not None] if self.session else []
        return round(max(times) - min(0.0, min(times)), 6) if times else None

    @cached_property
    def audio_starts(self) -> list[int]:
        """Offset of each connection's first byte in the audio, and the length of all at the end."""
        sizes = [sum(frame.size for frame in connection.audio_frames) for connection in self.connections]
        return [0, *accumulate(sizes)]

    @cached_property
    def _audio_frames(self) -> tuple[list[Frame], list[int]]:
        """All frames of the audio, and the offset behind each."""
        frames = [frame for connection in self.connections for frame in connection.audio_frames]
        return frames, list(accumulate(frame.size for frame in frames))

    def frame_at(self, offset: int) -> tuple[int | None, float | None]:
        """(line, seconds) of the frame that holds a byte of a session's audio; (None, None) for audio alone."""
        frames, ends = self._audio_frames
        index = bisect_right(ends, offset)
        return (frames[index].line, frames[index].t) if index < len(frames) else (None, None)


def session_audio(session: Session) -> Audio | None:
    """Join the audio of all binary frames; None where a frame was kept without its content, or there is none."""
    frames = [event for event in session.events if getattr(event, "sent", False) and getattr(event, "binary", False)]
    contents: list[Any] = [getattr(frame, "audio", None) for frame in frames]
    if not contents or any(content is None for content in contents):
        return None
    joined = b"".join(contents)
    return Audio(np.frombuffer(joined, dtype=np.uint8), session.path) if joined else None


def _declared(session: Session | None, override: Declared) -> Declared:
    """What the URL of a session says, unless the caller says otherwise."""
    if session is None or session.url is None:
        return override
    where = address(session.url)
    if where is None:
        return override
    encoding = override.encoding or where.first("encoding")
    text = where.first("sample_rate") or ""
    rate = int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 8 and int(text) > 0 else None
    return Declared(encoding, override.sample_rate or rate)

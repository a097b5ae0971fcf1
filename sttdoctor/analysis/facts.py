"""What can be known of one capture: its evidence, its sound, and when things happened; what the checks look at.

Everything is analysed once and on demand. The sound by itself is in `sttdoctor.analysis.audio_facts`; here is what the
session adds to it: its connections and turns, the clock, the byte rate, and what sound and byte rate say together.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from sttdoctor.analysis.audio_facts import USUAL_RATE, AudioFacts
from sttdoctor.analysis.container.contents import Start
from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.encoding.misfit import Order
from sttdoctor.analysis.rate.changes import RateChange, SoundOf, find_change_by_pace, find_change_by_sound
from sttdoctor.analysis.rate.evidence import Flow, format_ratio, list_most_probable, weigh_evidence
from sttdoctor.analysis.session import pacing
from sttdoctor.analysis.session.clock import mend_clock
from sttdoctor.analysis.session.commands import Command, is_audio, is_known, match_refused
from sttdoctor.analysis.session.endings import (
    PingTimeout,
    UnusedEnd,
    find_ending,
    find_ping_timeout,
    find_unused_ends,
)
from sttdoctor.analysis.session.endpoint import Address, find_endpoint, parse_address, read_declared
from sttdoctor.analysis.session.frames import measure_border_jump, measure_broken_borders
from sttdoctor.analysis.session.join_excerpts import Shown
from sttdoctor.analysis.session.latency import measure_spoken
from sttdoctor.analysis.session.loss import Reconnect, find_reconnects
from sttdoctor.analysis.session.refusal import Refusal, count_overcome, find_refusal, is_accepted
from sttdoctor.analysis.session.stretches import Stretch, split_stretches
from sttdoctor.analysis.session.timeline import (
    Connection,
    Timeline,
    is_close_command,
    make_timeline,
    split_connections,
)
from sttdoctor.analysis.session.turns import Turn
from sttdoctor.analysis.session.unseen import state_unseen
from sttdoctor.analysis.signal.activity import Activity, find_activity, get_block_size, is_broken_off, judge_levels
from sttdoctor.analysis.signal.levels import Levels, measure
from sttdoctor.encodings import ENCODINGS
from sttdoctor.endpoints.base import Endpoint
from sttdoctor.evidence import Audio, Declared, Frame, FrameContents, Session, join_contents
from sttdoctor.missing import AUDIO, FORMAT, PACE, SENDS, SENT_AUDIO, TIMES, Missing
from sttdoctor.sources import name_sources

if TYPE_CHECKING:
    from sttdoctor.analysis.session.join_hypotheses import Join

_BROWSERS = re.compile(r"\b(?:Mozilla|Chrom(?:e|ium)|Safari|Firefox|Edg|OPR)\b", re.IGNORECASE)
_NAMING = ("user-agent", "x-cartesia-client")
_PYTHON = re.compile(r"python|\baiohttp\b|\bpipecat\b", re.IGNORECASE)
_JAVASCRIPT = re.compile(r"\bnode\b|\bundici\b|\bdeno\b|\bbun\b|-js/", re.IGNORECASE)
_ON_ITS_WAY_S = 1.5
"""The service holds about the last second of audio; what is older is in an event."""
_BESIDE_S, _BORDERS = 1.0, 200  # heard on both sides of a border, of so many at most

_TAIL_S = 0.3
"""Speech in the last moment before a turn.end belongs to the next turn: silence has ended this one."""

_LONG_TURN_WORDS = 6  # two seconds of speech: updates come several times a second
_WORD_S = 0.15
"""Less sound is no word."""


class Facts:
    """One subject and its analysis.

    Args:
        limits: Thresholds by name, all of them.
        audio: The audio of a subject without a session; that of a session is taken from its frames.
        session: The session, None for audio alone.
        declared: What the client told the service about the audio; it wins over what the URL of the session says.
    """

    def __init__(
        self,
        limits: Mapping[str, float],
        audio: Audio | None = None,
        session: Session | None = None,
        declared: Declared | None = None,
    ) -> None:
        self.limits = limits
        self.session = session = mend_clock(state_unseen(session)) if session is not None else None
        self.audio = _join(self._audio_frames[0], session.path) if session is not None else audio
        self.declared = _read_declared(session, declared or Declared())
        self.sound = AudioFacts(
            self.audio,
            self.declared,
            limits["signal.silent_peak"],
            limits["encoding.warn_below"],
            limits["sample-rate.min_speech_s"],
            lambda: [frame.size for connection in self.connections for frame in connection.audio_frames],
        )
        self._activity: dict[int, Activity] = {}

    @cached_property
    def connections(self) -> list[Connection]:
        """The connections of the session, in order."""
        return split_connections(self.session) if self.session is not None else []

    @cached_property
    def is_browser(self) -> bool | None:
        """Whether the client runs in a browser; None where nothing of the capture tells."""
        session = self.session
        names = [] if session is None else [session.client or "", session.headers.get("user-agent", "")]
        told = " ".join(names).strip()
        return bool(_BROWSERS.search(told)) if told else None

    @cached_property
    def language(self) -> str:
        """`Python` or `JavaScript`: what the client is written in; empty where nothing of the capture tells."""
        session = self.session
        names = [] if session is None else [session.client or "", *map(session.headers.get, _NAMING)]
        told = " ".join(filter(None, names))
        if self.is_browser or _JAVASCRIPT.search(told):
            return "JavaScript"
        return "Python" if _PYTHON.search(told) else ""

    @cached_property
    def timelines(self) -> list[Timeline]:
        """Sent audio of each connection, in seconds as declared; empty without a declaration or a clock."""
        if self.session is None or self.declared.bytes_per_s is None or self.session.clock == "none":
            return []
        return [make_timeline(connection, self.declared.bytes_per_s) for connection in self.connections]

    def is_read_as(self, encoding: str) -> bool:
        """Whether the bytes are best read in an encoding, from the first one on."""
        layout = self.sound.layout
        return layout is not None and (layout.encoding, layout.offset) == (encoding, 0)

    @cached_property
    def origin(self) -> str:
        """A sentence on what gives just this audio when nothing is asked of it; empty where nothing or much does."""
        layout = self.sound.layout
        if layout is None:
            return ""
        return name_sources(
            layout.encoding, self.likely_rates, layout.channels, self.is_browser, self.declared.sample_rate
        )

    @property
    def attached(self) -> Start | None:
        """The one file of samples that the audio is, where nothing is declared: how a ticket carries a recording."""
        contents = self.sound.contents
        if self.session is not None or self.declared != Declared() or contents is None or len(contents.starts) != 1:
            return None
        start = contents.starts[0]
        return start if start.offset == 0 and start.header is not None and start.header.encoding is not None else None

    @property
    def refused(self) -> bool:
        """Whether every handshake of the session was refused, so that nothing was ever sent or received."""
        statuses = [connection.open.status if connection.open else None for connection in self.connections]
        idle = not any(connection.frames for connection in self.connections)
        return idle and bool(statuses) and all(status not in (None, 101) for status in statuses)

    @property
    def why_no_audio(self) -> Missing | None:
        """What is missing for a judgement of the audio; None where there is audio."""
        if self.audio is not None:
            return None
        return AUDIO if self._sent_audio else self._why_none_sent

    @property
    def why_no_timeline(self) -> Missing | None:
        """What is missing for a judgement of when audio was sent; None where nothing is."""
        session = self.session
        if session is None or not self._sent_audio:
            return self._why_none_sent
        if self.declared.bytes_per_s is None:
            return FORMAT
        if session.clock == "none" or not any(map(len, self.timelines)):
            return TIMES
        if not any(len(timeline) > 1 for timeline in self.timelines):
            return PACE
        if session.resolution > 0.25:
            coarse = f"The capture's clock is too coarse ({session.resolution:g} s); record times to a millisecond."
            return Missing("finer times", coarse)
        return None

    @property
    def _sent_audio(self) -> bool:
        return any(connection.audio_frames for connection in self.connections)

    @property
    def _why_none_sent(self) -> Missing:
        blind = self.session is not None and bool(self.session.lacks & {"send", "audio"})
        return SENDS if blind else SENT_AUDIO

    @cached_property
    def speeds(self) -> list[pacing.Speed | None]:
        """The usual speed of each connection, None where it is too short to show one."""
        return [pacing.measure_speed(line, self.limits["pacing.start_window_s"]) for line in self.timelines]

    @cached_property
    def longest_speed(self) -> pacing.Speed | None:
        """The speed that was measured on the longest stretch, None where there is none."""
        known = [speed for speed in self.speeds if speed is not None]
        return max(known, key=lambda speed: speed.seconds, default=None)

    @cached_property
    def flow(self) -> Flow | None:
        """The measured byte rate of the session beside the declared one, None where either is not known."""
        speed, promised, row = self.longest_speed, self.declared.bytes_per_s, self.sound.row_bytes
        return Flow(speed, promised, row) if speed and promised and row else None

    @cached_property
    def rate_probabilities(self) -> dict[int, float] | None:
        """Probability of each candidate rate (Hz) from sound and wire together, flat prior; None without either."""
        heard = self.sound.rate.probabilities if self.sound.rate is not None else None
        return weigh_evidence(heard, self.flow, self.sound.candidates)

    @cached_property
    def likely_rates(self) -> list[int]:
        """The smallest list of rates (Hz), most probable first, that holds 95 % of the probability."""
        return list_most_probable(self.rate_probabilities or {})

    @cached_property
    def format_ratio(self) -> float | None:
        """The ratio of two formats (real to declared byte rate) that the steady pace sits on, None where on none."""
        speed = self.longest_speed
        return format_ratio(speed) if speed is not None else None

    @cached_property
    def wire_rate(self) -> int | None:
        """The sample rate (Hz) that the byte rate on the wire implies, where it is not the declared one."""
        implied = self.flow.find_implied_rate(self.sound.candidates) if self.flow is not None else None
        return implied if implied != self.declared.sample_rate else None

    @cached_property
    def true_speed(self) -> float | None:
        """Seconds of true audio per clock second, by the likely rate that comes nearest to realtime; None if untold."""
        rates = self.likely_rates if self.rate_is_told else [self.declared.sample_rate or 0]
        return self.flow.find_true_speed(rates) if self.flow is not None else None

    @property
    def true_chunk_ms(self) -> float | None:
        """The usual length of a frame in true audio, by the detected format; None where that is not told."""
        lengths = [timeline.audio_s for timeline in self.timelines if len(timeline)]
        speed = self.longest_speed
        if not lengths or self.true_speed is None or speed is None:
            return None
        return float(np.median(np.concatenate(lengths))) * self.true_speed / speed.ratio * 1000

    @cached_property
    def order(self) -> Order | None:
        """In which wrong order the samples of one channel stand, as far as rate and pace exclude two true channels.

        The half of one channel has half the declared rate, and its bytes flow as declared; two channels that are the
        same, or a sample apart, look alike but for that.
        """
        order, rate, declared = self.sound.order, self.sound.rate, self.declared.sample_rate
        if order is None or rate is None or not declared or self.format_ratio not in (None, 1.0):
            return None
        halved = self.rate_is_heard and 0.45 <= rate.best / declared <= 0.56
        return order if halved or (order == "swapped" and self.format_ratio == 1.0) else None

    @cached_property
    def rate_is_told(self) -> bool:
        """Whether anything tells the rate: enough speech, known tones, or a byte rate that fits another rate."""
        return self.wire_rate is not None or self.rate_is_heard or self.rate_is_anchored

    @property
    def rate_is_anchored(self) -> bool:
        """Whether tones of known frequencies tell the rate, to a percent."""
        return self.sound.rate is not None and any(anchor.is_sufficient for anchor in self.sound.anchors)

    @cached_property
    def rate_is_heard(self) -> bool:
        """Whether there is enough speech to tell the rate by its sound."""
        rate = self.sound.rate
        return rate is not None and rate.is_speech(self.limits["sample-rate.min_speech_s"])

    @cached_property
    def levels(self) -> Levels | None:
        """What one pass over all samples says, as they are best read; None where they cannot be read.

        Seconds are those of the declared rate, or else of the most probable one.
        """
        layout = self.sound.layout
        if self.audio is None or layout is None:
            return None
        rate = self.declared.sample_rate or (self.likely_rates[0] if self.rate_is_told else USUAL_RATE)
        data = self.audio.data[layout.offset :]
        silent_peak = self.limits["signal.silent_peak"]
        return measure(data, layout.encoding, layout.channels, rate, self.sound.factor, silent_peak)

    @cached_property
    def stretches(self) -> list[list[Stretch]]:
        """The audio of each connection, divided where its pace changes for good."""
        return [split_stretches(line, self.limits["pacing.start_window_s"]) for line in self.timelines]

    @cached_property
    def rate_change(self) -> RateChange | None:
        """Where the sample rate changes along the stream, None where it does not; without sound by the pace alone."""
        if self.audio is None:
            return self._find_rate_change_by_wire(self.sound.declared_layout, None)
        if self.sound.layout is None:
            return None
        by_wire = self._find_rate_change_by_wire(self.sound.layout, self.sound.estimate_rate)
        return by_wire or find_change_by_sound(self.sound.rate_parts)

    def _find_rate_change_by_wire(self, layout: Layout | None, sound_of: SoundOf | None) -> RateChange | None:
        """A pace that changes for good, where both paces fit a standard rate and the sound does not object."""
        promised = self.declared.bytes_per_s
        if promised is None or layout is None:
            return None
        samples_per_s = promised / (self.sound.row_bytes or layout.frame_bytes)
        for start, line, parts in zip(self.audio_starts, self.timelines, self.stretches, strict=False):
            found = find_change_by_pace(line, parts, samples_per_s, start, self.sound.candidates, sound_of)
            if found is not None:
                return found
        return None

    @cached_property
    def address(self) -> Address | None:
        """The URL in parts, None where the capture has none."""
        return parse_address(self.session.url) if self.session is not None else None

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """`auto` or `manual`, None where neither the URL nor an event tells."""
        return find_endpoint(self.session) if self.session is not None else None

    @property
    def endpoint_name(self) -> str | None:
        """Its name, None where it is not known."""
        return None if self.endpoint is None else self.endpoint.name

    @property
    def ends_turns(self) -> bool:
        """Whether the service says when a turn ends; taken for granted where the endpoint is not known."""
        return self.endpoint is None or self.endpoint.ends_turns

    @cached_property
    def refusal(self) -> Refusal | None:
        """What the service refused first, None where it refused nothing that the client did not overcome."""
        return find_refusal(self.connections[self.overcome :])

    @cached_property
    def overcome(self) -> int:
        """How many handshakes at the beginning were refused until the client had waited long enough."""
        return count_overcome(self.connections)

    @cached_property
    def is_accepted(self) -> bool:
        """Whether a handshake of the session was accepted."""
        return any(map(is_accepted, self.connections))

    def find_ping_timeout(self, connection: Connection) -> PingTimeout | None:
        """Return the ping without an answer that ended a connection, None where none did."""
        session = self.session
        found = find_ping_timeout(connection, session.clock if session is not None else "none")
        if found is not None and session is not None and "receive" in session.lacks:
            return PingTimeout("unknown")  # what came, and when, is not seen
        return found

    @cached_property
    def turns(self) -> list[Turn]:
        """The turns of all connections, in order."""
        return [turn for connection in self.connections for turn in connection.turns]

    @cached_property
    def join(self) -> "Join | None":
        """How the application's text comes out of the turns, None where the capture lacks either or a part of it."""
        session = self.session
        if session is None or session.transcript is None or session.lacks & {"receive", "text"}:
            return None
        from sttdoctor.analysis.session import join_hypotheses  # loaded for what has a text to explain

        return (
            None
            if any(turn.elided for turn in self.turns)
            else join_hypotheses.explain(session.transcript.text, self.turns, self.shown)
        )

    @property
    def shown(self) -> Shown:
        """Which part of the session the capture holds."""
        parts = self.connections
        return Shown(not parts or parts[0].shows_begin, not parts or parts[-1].close is not None)

    @cached_property
    def unused_ends(self) -> list[UnusedEnd]:
        """The finished turns whose final text the application does not have."""
        lacking = self.join.lacking if self.join is not None else ()
        return list(find_unused_ends(self.connections, lacking, self.endpoint))

    def measure_borders(
        self, number: int, first: int, count: int, at: Sequence[int] | None = None
    ) -> tuple[float, float] | None:
        """The usual step between frames of a connection, beside that within them, and the share of broken borders.

        None where it cannot be told.

        Args:
            number: Of the connection, from 0.
            first: Number of the first timed audio frame that counts.
            count: How many count.
            at: Numbers of the frames among these whose end counts, None for all.
        """
        layout = self.sound.layout if self.audio is not None else None
        if layout is None or layout.channels != 1:
            return None
        frames = [frame for frame in self.connections[number].audio_frames if frame.t is not None]
        contents = FrameContents(frames[first : first + count]).hold()
        jump, broken = (
            measure_border_jump(contents, layout.encoding, at),
            measure_broken_borders(contents, layout.encoding, at),
        )
        return None if jump is None else (jump, broken or 0.0)

    def find_torn(self, number: int, at: Sequence[int]) -> tuple[int, int, int] | None:
        """At borders of frames of a connection: how often sound is loud on both sides, how often before, and how many.

        None where the capture has no audio that can be read, or there are none.

        Args:
            number: Of the connection, from 0.
            at: Numbers of the timed audio frames that begin there.
        """
        layout, line = self.sound.layout if self.audio is not None else None, self.timelines[number]
        if layout is None or not len(at):
            return None
        starts = np.concatenate([[0], np.cumsum(line.size)]) + self.audio_starts[number]
        rate = self.declared.sample_rate or USUAL_RATE
        reach = round(_BESIDE_S * rate) * layout.frame_bytes
        broken = torn = 0
        for border in (int(starts[index]) for index in at[:_BORDERS]):
            sides = self.sound.samples(max(0, border - reach), border), self.sound.samples(border, border + reach)
            breaks_off, goes_on = is_broken_off(*sides, rate)
            broken, torn = broken + breaks_off, torn + goes_on
        return torn, broken, len(at[:_BORDERS])

    def active_spans(self, number: int) -> Sequence[tuple[float, float]]:
        """(start, end) of each active stretch of one connection's audio, in seconds as declared; empty without audio.

        Sound is judged as the bytes are best read, the seconds are those of the timeline.
        """
        return self._activity_of(number).spans

    def is_faint(self, number: int) -> bool:
        """Whether the sound of one connection is too quiet to see where its words end."""
        return self._activity_of(number).is_faint

    def _activity_of(self, number: int) -> Activity:
        if number not in self._activity:
            self._activity[number] = self._find_activity(number)
        return self._activity[number]

    def measure_spoken(self, number: int, since_s: float | None, until_s: float | None) -> float | None:
        """Seconds of active audio that one connection sent from a moment on the clock to another.

        Args:
            number: Of the connection, from 0.
            since_s: What was sent at that very moment counts; None is the first moment.
            until_s: None is the last.

        Returns:
            None where the capture holds no audio that can be read, or no times.
        """
        line = self.timelines[number] if self.timelines else None
        if self.audio is None or self.sound.layout is None or line is None or not len(line):
            return None
        since = -np.inf if since_s is None else since_s - 1e-9
        return float(
            measure_spoken(line, self.active_spans(number), [since], [np.inf if until_s is None else until_s])[0]
        )

    def is_speech_between(self, number: int, since_s: float, until_s: float) -> bool:
        """Whether what one connection sent after a moment on the clock, up to another, sounds like speech.

        Args:
            number: Of the connection, from 0; it has audio that can be read, and times.
            since_s: What was sent at that very moment does not count.
            until_s: What was sent at that very moment counts.
        """
        return self.sound.is_speech(*self._find_bytes(number, since_s, until_s))

    def measure_level(self, number: int, since_s: float, until_s: float) -> float:
        """RMS, of full scale, of what one connection sent after a moment on the clock, up to another; 0 of nothing.

        Args:
            number: Of the connection, from 0; it has audio that can be read, and times.
            since_s: What was sent at that very moment does not count.
            until_s: What was sent at that very moment counts.
        """
        samples = self.sound.samples(*self._find_bytes(number, since_s, until_s))
        return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0

    def measure_usual_level(self, number: int) -> float:
        """The RMS, of full scale, that half of the 20 ms of one connection's sound stay below; 0 of nothing.

        Args:
            number: Of the connection, from 0; it has audio that can be read, and times.
        """
        samples = self.sound.samples(*self._find_bytes(number, -np.inf, np.inf))
        size = round(0.02 * (self.declared.sample_rate or USUAL_RATE))
        steps = samples[: len(samples) // size * size].reshape(-1, size)
        return float(np.median(np.sqrt(np.mean(steps**2, axis=1)))) if len(steps) else 0.0

    def _find_bytes(self, number: int, since_s: float, until_s: float) -> tuple[int, int]:
        """The first byte that was sent after a moment, and the first one after another."""
        line = self.timelines[number]
        sent = np.concatenate([[0], np.cumsum(line.size)]) + self.audio_starts[number]
        first, stop = (int(sent[np.searchsorted(line.t_s, at, side="right")]) for at in (since_s, until_s))
        return first, stop

    def has_unanswered_speech(self, number: int, until_s: float) -> bool | None:
        """Whether one connection sent speech after its last turn.end, just before a moment on the clock.

        Speech that is older would have begun a turn, so what sounds like it was none.

        Args:
            number: Of the connection, from 0.
            until_s: The moment.

        Returns:
            None where the capture cannot tell.
        """
        if not self.shows_turns or (self.session is not None and "receive" in self.session.lacks):
            return None
        ended = [turn.end_t for turn in self.connections[number].turns[-1:] if turn.end_t is not None]
        spoken = self.measure_spoken(number, max([until_s - _ON_ITS_WAY_S, *(t - _TAIL_S for t in ended)]), until_s)
        return None if spoken is None else spoken > _WORD_S

    @cached_property
    def reconnects(self) -> list[Reconnect]:
        """The handshakes that interrupt the session."""
        return list(find_reconnects(self.connections, self.declared.bytes_per_s))

    def loses_nothing(self, reconnect: Reconnect) -> bool:
        """Whether the capture shows that no word was lost and none sent twice when the client connected anew.

        What was sent last must be known to be no speech, unless the service ended the session as it plans to do.
        """
        limit, session = self.limits["connection.gap_s"], self.session
        if session is None or session.clock == "none" or session.lacks & {"receive", "events"} or reconnect.turn_open:
            return False
        if max(reconnect.audio_missing_s, reconnect.sent_again_s) > limit:
            return False
        before = self.connections[reconnect.number]
        last_s = before.audio_frames[-1].t
        spoken = self.has_unanswered_speech(reconnect.number, last_s) if last_s is not None else None
        ending = find_ending(before)
        return spoken is False or (spoken is None and ending is not None and ending.about == "session")

    @cached_property
    def survived(self) -> frozenset[int]:
        """Numbers of the connections after whose end the client went on at once, with nothing lost."""
        return frozenset(item.number for item in self.reconnects if self.loses_nothing(item))

    def _find_activity(self, number: int) -> Activity:
        layout, promised = self.sound.layout, self.declared.bytes_per_s
        if self.audio is None or layout is None or promised is None:
            return Activity()
        rate, levels = promised / layout.frame_bytes, self.levels
        is_whole = len(self.connections) == 1 and layout.channels == 1
        if is_whole and levels is not None and levels.factor == 1.0 and levels.step == get_block_size(rate):
            return judge_levels(levels.rms, rate)  # which spares a second pass over all samples
        first, stop = self.audio_starts[number : number + 2]
        data = self.audio.data[max(first, layout.offset) : stop]
        return find_activity(data, layout.encoding, layout.channels, rate)

    @cached_property
    def cut_frames(self) -> list[Frame]:
        """Binary frames from the client that are no whole number of samples as declared."""
        width = ENCODINGS[self.declared.meant].width if self.declared.meant else 1
        return [f for connection in self.connections for f in connection.audio_frames if f.size % width]

    @cached_property
    def refused_commands(self) -> list[tuple[Command, Frame]]:
        """Messages that the service answered as unknown, each with the error event."""
        parts = self.connections
        return [pair for part in parts for pair in match_refused(part.frames, part.commands, self.endpoint)]

    @cached_property
    def ends_by_unknown_word(self) -> bool:
        """Whether the last connection was to be ended by a message that the service does not know as its close."""
        unknown = [
            command
            for connection in self.connections[-1:]
            for command in connection.commands
            if not is_known(command, self.endpoint)
        ]
        return any(c.means == "close" or (c.means == "flush" and not c.audio_follows) for c in unknown)

    @cached_property
    def shows_turns(self) -> bool:
        """Whether the capture tells which turns are open: it holds how they begin and how they end."""
        session = self.session
        kinds = {frame.type for connection in self.connections for frame in connection.received}
        return session is None or "events" not in session.lacks or kinds >= {"turn.start", "turn.end"}

    @cached_property
    def lacks_updates(self) -> bool:
        """Whether the capture leaves out kinds of events: it says so, or long turns have no text before their end."""
        if self.session is not None and "events" in self.session.lacks:
            return True
        ended = [turn for turn in self.turns if turn.end is not None]
        long = any(len((turn.end or "").split()) >= _LONG_TURN_WORDS for turn in ended)
        return long and all(turn.partial is None for turn in ended)

    def is_turn_open(self, connection: Connection) -> bool:
        """Whether the last turn of a connection had not ended, as far as the capture holds the ends of turns."""
        return self.shows_turns and any(turn.end is None for turn in connection.turns[-1:])

    def has_close_command(self, connection: Connection) -> bool:
        """Whether the capture shows that the client sent its close command on a connection."""
        return any(is_close_command(frame, self.endpoint) for frame in connection.texts)

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

    def find_frame(self, offset: int) -> tuple[int | None, float | None]:
        """(line, seconds) of the frame that holds a byte of a session's audio; (None, None) for audio alone."""
        frames, ends = self._audio_frames
        index = bisect_right(ends, offset)
        return (frames[index].line, frames[index].t) if index < len(frames) else (None, None)


def join_audio(session: Session) -> Audio | None:
    """Join the audio of all binary frames; None where a frame was kept without its content, or there is none."""
    return _join([event for event in session.events if isinstance(event, Frame) and is_audio(event)], session.path)


def _join(frames: Sequence[Frame], path: str | None) -> Audio | None:
    contents = [frame.content for frame in frames if frame.content is not None]
    joined = join_contents(contents) if len(contents) == len(frames) else None
    return Audio(np.frombuffer(joined, dtype=np.uint8), path) if joined else None


def _read_declared(session: Session | None, override: Declared) -> Declared:
    """What the URL of a session says, unless the caller says otherwise."""
    said = read_declared(parse_address(session.url)) if session is not None else Declared()
    return Declared(override.encoding or said.encoding, override.sample_rate or said.sample_rate)

"""What the bytes of one subject's audio are: files among them, their encoding, how they are best read, their rate.

All of it is found from the bytes and the declaration alone, once and on demand; what the clock of a session adds is in
`sttdoctor.analysis.facts`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.container.contents import Contents, find_containers
from sttdoctor.analysis.decoding import Bytes, Layout, Samples, read_numbers
from sttdoctor.analysis.encoding.changes import EncodingChange, are_credible, find_changes
from sttdoctor.analysis.encoding.codecs import Codec, name_codec
from sttdoctor.analysis.encoding.disguise import Disguise, find_disguise
from sttdoctor.analysis.encoding.estimate import LAYOUTS, NOT_PCM, EncodingEstimate, estimate_encoding
from sttdoctor.analysis.encoding.held import find_held
from sttdoctor.analysis.encoding.misfit import (
    LOW_END,
    Misfit,
    Order,
    find_faint_factor,
    find_gap,
    find_loud_factor,
    find_misfit,
    find_order,
    find_single_bytes,
    has_few_codes,
    is_low_end,
)
from sttdoctor.analysis.excerpt import MAX_SAMPLES, decode_active, pick_stretches, probe_levels
from sttdoctor.analysis.rate.anchors import LONGEST, Anchor, find_anchors, weigh_anchors
from sttdoctor.analysis.rate.changes import MOST_PARTS, hear_parts
from sttdoctor.analysis.rate.estimate import (
    RateEstimate,
    estimate_rate,
    find_steep_edge,
    finite_mono,
    pool_estimates,
)
from sttdoctor.analysis.signal.channels import Slot, count_channels, find_empty_slot, find_slot
from sttdoctor.analysis.signal.clicks import Clicks, find_clicks, measure_jumps
from sttdoctor.analysis.signal.planes import MOST as MOST_CHANNELS
from sttdoctor.analysis.signal.planes import Planes, find_planes, take_plane
from sttdoctor.encodings import ENCODINGS, STANDARD_RATES, SUPPORTED
from sttdoctor.evidence import Audio, Declared

_EXACT = 20_000  # samples of which the lowest bits are looked at
_PART_SAMPLES = 600_000  # judged of a part: more than the 8 s at 48 kHz that are heard of it
_SURE = 0.9
_CODES = 200_000  # of which the scale of integers is told
_ORDERED = 1 << 18  # pairs of samples at most that are looked at for their order
_SPLIT = 0.7  # of the declared rate: one of several channels sounds right at it, one of several copies at a part of it
_CLICKED = 160_000  # samples in which jumps at a period are looked for: 10 s at 16 kHz
_FLOOR, _JUMP = 0.003, 1.5  # of the sound's level; times as far as speech jumps
_LONG_PART_S = 6.0  # of two or three parts: twice that is a long recording
_QUICK_S = 5.0  # heard of a part, at the rate of the whole, to see whether it has another one


USUAL_RATE = 16_000
"""Hz, taken where no rate was declared."""
DEFAULT_PLAUSIBLE = 0.2
DEFAULT_SPEECH_S = 1.0
_HELD = 0.6  # share of neighbours that are equal, beside silence
_NAN = 0x7FC00000  # what arithmetic makes, without its sign
_TAME, _MOSTLY = 1e3, 0.99  # largest number of sound in any usual unit but those of integers; share of numbers below it
_SEARCHED = 1 << 24  # bytes
_NEARLY = 0.5  # bits a byte, that the declared encoding costs more than the best one at most
_FULL, _WHITE = 0.25, 0.05  # mean square of noise up to full scale (0.33), and its agreement with itself a sample later
_CLEARLY = 0.25  # bits a byte that another reading saves where silence is a misreading; where it is silence, under 0.05


class AudioFacts:
    """The audio of one subject, analysed.

    Args:
        audio: The audio, None where there is none; then nothing is known.
        declared: What the client told the service about it.
        silent_peak: Peak below which samples are silent, of full scale.
        plausible: Probability from which on the declared encoding counts as right, also where another one fits better.
        speech_s: How much speech, in seconds, says that there is speech.
        frame_sizes: Gives the bytes of each frame that the audio was sent in; none for audio alone.
    """

    def __init__(
        self,
        audio: Audio | None,
        declared: Declared,
        silent_peak: float,
        plausible: float = DEFAULT_PLAUSIBLE,
        speech_s: float = DEFAULT_SPEECH_S,
        frame_sizes: Callable[[], Sequence[int]] = tuple,
    ) -> None:
        self.audio = audio
        self.declared = declared
        self._silent_peak = silent_peak
        self._plausible = plausible
        self._speech_s = speech_s
        self._frame_sizes = frame_sizes
        self._levels: dict[tuple[int, str], tuple[float, float]] = {}

    @cached_property
    def contents(self) -> Contents | None:
        """Media files and text among the bytes, None without audio."""
        return find_containers(self.audio.data) if self.audio is not None else None

    @property
    def payload_offset(self) -> int:
        """The first byte of the samples: behind the file header that they begin with, else 0."""
        if self.contents is None or self.audio is None:
            return 0
        return self.contents.payload if self.contents.payload < len(self.audio.data) else 0

    @cached_property
    def _slot(self) -> Slot | None:
        """The only one of each few samples that is not silent in the declared encoding; None where there are more."""
        if self.audio is None:
            return None
        if self._empty_slot is not None and self.declared.meant == self._empty_slot[1].layout.encoding:
            return Slot(2, 1 - self._empty_slot[0])
        return find_slot(self.audio.data[self.payload_offset :], self.declared.meant)

    @property
    def slot(self) -> Slot | None:
        """The only one of several interleaved channels in the declared encoding that holds sound; None without any."""
        return None if self.stuffed is not None else self._slot

    @cached_property
    def stuffed(self) -> Slot | None:
        """Where samples stand among zeros that were put between them to reach the declared rate; None without any.

        The silent channels beside one with sound are the same bytes; but then that one sounds right at the declared
        rate, and not at a part of it.
        """
        slot, name, rate = self._slot, self.declared.meant, self.declared.sample_rate
        if slot is None or name is None or rate is None or self.audio is None or self._empty_slot is not None:
            return None
        data = self.audio.data[self.payload_offset :]
        once = estimate_rate(decode_active(data, name, slot.channels) * slot.channels, self.candidates)
        at_part = sum(share for other, share in once.probabilities.items() if other <= _SPLIT * rate)
        return slot if once.is_speech(self._speech_s) and at_part >= _SURE else None

    @cached_property
    def _plain_encoding(self) -> EncodingEstimate:
        """What all bytes behind a header say about their encoding."""
        assert self.audio is not None
        return estimate_encoding(self.audio.data[self.payload_offset :])

    @cached_property
    def _empty_slot(self) -> tuple[int, EncodingEstimate] | None:
        """Which of two channels of 32 bits is empty, and what the other one says; None where there are no two such."""
        data = self.audio.data[self.payload_offset :] if self.audio is not None else np.empty(0, np.uint8)
        slot = find_empty_slot(data)
        if slot is None or self._plain_encoding.layout.encoding == "f64le":
            return None  # 64-bit floats that were made of 16-bit samples have an empty half, too
        one = estimate_encoding(np.asarray(data[: len(data) // 8 * 8]).reshape(-1, 2, 4)[:, 1 - slot].reshape(-1))
        fits = one.decidable and one.layout.offset == 0 and ENCODINGS[one.layout.encoding].width == 4
        return (slot, one) if fits else None

    @cached_property
    def encoding(self) -> EncodingEstimate | None:
        """What the bytes say about their encoding, None without audio."""
        if self.audio is None:
            return None
        if self._empty_slot is not None:
            one = self._empty_slot[1]
            return replace(one, layout=replace(one.layout, channels=2), stereo=1.0)
        data = self.audio.data[self.payload_offset :]
        estimate = self._plain_encoding if self._numbers is None else estimate_encoding(self._numbers)
        if estimate.decidable and self._is_muted(data, estimate):
            return replace(estimate, decidable=False, stereo=0.0, reason="read as declared they are silent")
        if estimate.decidable and self._is_noise_alone(data, estimate):
            return replace(estimate, decidable=False, stereo=0.0, reason="in any reading they are noise alone")
        if estimate.decidable and self._is_stepped(data, estimate):
            return replace(
                estimate, decidable=False, stereo=0.0, reason="read as declared they are steps of a few levels"
            )
        return estimate

    def _is_stepped(self, data: NDArray[np.uint8], estimate: EncodingEstimate) -> bool:
        """Whether the bytes look like single samples of 8 bits and are, as declared, levels that hold, as of a game.

        The two bytes of a level change together, so that they look like two channels.
        """
        if self.declared.meant != "pcm_s16le" or ENCODINGS[estimate.layout.encoding].width > 1 or len(data) < 2:
            return False
        codes = np.asarray(data[: min(len(data), _SEARCHED) // 2 * 2]).view("<i2")
        before, behind = codes[:-1], codes[1:]
        sounding = before != np.bincount(codes.view("<u2"), minlength=1 << 16).argmax().astype(np.uint16).view(np.int16)
        return bool(sounding.any() and (before == behind)[sounding].mean() > _HELD)

    @cached_property
    def _numbers(self) -> Bytes | None:
        """The declared 32-bit floats without those that are none, which would count against them; None without any."""
        if self.audio is None or self.declared.meant != "pcm_f32le":
            return None
        data = self.audio.data[self.payload_offset :]
        words = np.asarray(data[: min(len(data), _SEARCHED) // 4 * 4]).view("<u4")
        is_none = words & 0x7FFFFFFF == _NAN
        if not is_none.any() or is_none.all():
            return None
        values = words[~is_none].view("<f4")
        return values.view(np.uint8) if bool((np.abs(values) < _TAME).mean() > _MOSTLY) else None

    def _is_noise_alone(self, data: NDArray[np.uint8], estimate: EncodingEstimate) -> bool:
        """Whether the best reading is white noise up to full scale, as no microphone gives, and the declared fits."""
        name, layout = self.declared.meant, estimate.layout
        if name is None or layout.encoding == name or ENCODINGS[name].width == 1:
            return False
        best = min(estimate.bits_per_byte, key=lambda key: estimate.bits_per_byte[key])
        if best not in LAYOUTS or estimate.bits_per_byte[name] - estimate.bits_per_byte[best] >= _NEARLY:
            return False  # among the rest, bytes that are no samples: packed or encrypted
        samples = np.nan_to_num(layout.decode(data[layout.offset :][: _ORDERED * layout.frame_bytes])[:, 0])
        with np.errstate(over="ignore", invalid="ignore"):
            power, next_to = float(samples @ samples), abs(float(samples[1:] @ samples[:-1]))
        return power > _FULL * len(samples) and next_to < _WHITE * power

    def _is_muted(self, data: NDArray[np.uint8], estimate: EncodingEstimate) -> bool:
        """Whether the bytes are, as declared, the hiss of a muted line, whose few lowest bits fit any reading."""
        name = self.declared.meant
        if name is None or ENCODINGS[name].width == 1:
            return False
        peak, _ = self._probe_levels(self.payload_offset, name)
        if peak >= self._silent_peak:
            return False
        if has_few_codes(peak, name):
            return True
        if estimate.bits_per_byte[name] - min(estimate.bits_per_byte.values()) >= _CLEARLY:
            return False
        faint = estimate_rate(decode_active(data, name, 1), self.candidates)
        return not faint.is_speech(self._speech_s)

    @cached_property
    def disguise(self) -> Disguise | None:
        """What was done to the bits of the samples, so that they fit no encoding; None where nothing was."""
        if self.audio is None or self.encoding is None or (self.contents is not None and self.contents.first):
            return None
        return (
            find_disguise(self.audio.data, self.encoding) if self._empty_slot is None and self._slot is None else None
        )

    @cached_property
    def codec(self) -> Codec:
        """The codec whose bare codes the bytes are, empty where none tells; asked of what is not as declared."""
        if self.audio is None or self.encoding is None:
            return ""
        best = max(self.encoding.probabilities, key=self.encoding.probabilities.__getitem__)
        return name_codec(self.audio.data[self.payload_offset :], best == NOT_PCM)

    @cached_property
    def misfit(self) -> Misfit | None:
        """How integers miss the scale of the declared encoding, or else of the best one; None where they do not."""
        if (
            self.audio is None
            or self.disguise is not None
            or (self.contents is not None and not self.contents.holds_samples)
        ):
            return None
        layout = self.declared_layout or self.layout
        single = self._find_single_bytes(layout) if layout is not None else ""
        if layout is not None and single:
            return Misfit("single bytes", 8 * layout.frame_bytes, encoding=single)
        if layout is not None and ENCODINGS[layout.encoding].is_g711 and self._is_right(layout):
            return find_gap(self._read_codes(layout).astype(np.int64), layout.encoding)
        if layout is None or layout.encoding not in ("pcm_s16le", "pcm_s32le"):
            return None
        estimate = self.encoding
        if estimate is not None and estimate.decidable and estimate.layout != layout and _is_sure(estimate):
            return None  # read otherwise it is plain sound: big endian or out of step, whose codes wrap like these
        codes = self._read_codes(layout)
        return find_misfit(codes.astype(np.int64), 8 * layout.frame_bytes) if len(codes) else None

    def _is_right(self, layout: Layout) -> bool:
        """Whether the bytes are surely of this encoding."""
        return self.encoding is not None and self.encoding.layout == layout and _is_sure(self.encoding)

    def _find_single_bytes(self, layout: Layout) -> str:
        """The encoding of bytes of which each became a sample; empty where that did not happen."""
        assert self.audio is not None
        width = ENCODINGS[layout.encoding].width
        head = self.audio.data[layout.find_whole(self.payload_offset) :][: _CODES * width]
        return find_single_bytes(read_numbers(np.asarray(head), layout.encoding)) if len(head) >= width > 1 else ""

    @cached_property
    def held(self) -> Fraction | None:
        """By how much the samples were drawn out by repeating them, None where they were not, or by two.

        What is sent twice, two channels of the same sound, looks alike; `order` tells it apart.
        """
        name, rate = self.declared.meant, self.declared.sample_rate
        if self.audio is None or name is None or self.disguise is not None or self.contents is None:
            return None
        codes = self._read_codes(Layout(name)) if self.contents.holds_samples else np.empty(0)
        found = find_held(codes, rate, STANDARD_RATES)
        if found is None or found == 2:
            return None
        # words of a wider sample repeat too, those of 64-bit floats that were made of 16-bit samples; but never all of
        # three and more, while such threes look like samples of 24 bits
        other = self.encoding is not None and self.encoding.layout.encoding != name and _is_sure(self.encoding)
        if found.denominator > 1 and other:
            return None
        if rate is None or found.denominator > 1:
            return found
        once = estimate_rate(codes[:: int(found)] / ENCODINGS[name].full_scale, self.candidates)
        are_channels = once.is_speech(self._speech_s) and once.best > _SPLIT * rate
        return None if are_channels else found

    def _read_codes(self, layout: Layout) -> NDArray[Any]:
        """Numbers of the most active stretches as they stand, shape (n,), all channels in turn."""
        assert self.audio is not None
        width = ENCODINGS[layout.encoding].width
        data = self.audio.data[layout.find_whole(self.payload_offset) :]
        frames = data[: len(data) // width * width].reshape(-1, width)
        chosen = pick_stretches(frames, layout.encoding, 1, _CODES)
        parts = [read_numbers(np.asarray(piece).reshape(-1), layout.encoding) for piece in chosen]
        return np.concatenate(parts) if parts else np.empty(0)

    def _probe_levels(self, first: int, encoding: str) -> tuple[float, float]:
        """Of all audio from a byte on, see `probe_levels`; the same is asked of how it is declared and is read best."""
        assert self.audio is not None
        if (first, encoding) not in self._levels:
            self._levels[first, encoding] = probe_levels(self.audio.data[first:], encoding)
        return self._levels[first, encoding]

    @cached_property
    def factor(self) -> float:
        """What brings the samples to full scale where they stand at another scale of their encoding; else 1."""
        layout = self.layout
        if layout is None or self.audio is None:
            return 1.0
        peak, level = self._probe_levels(layout.offset, layout.encoding)
        if peak > LOW_END or has_few_codes(peak, layout.encoding):
            return find_loud_factor(level, peak, layout.encoding)
        if self.rate is None or not self.rate.is_speech(self._speech_s):
            return 1.0
        if peak < self._silent_peak or is_low_end(self._excerpt[:_EXACT], layout.encoding):
            return find_faint_factor(peak, layout.encoding)
        return 1.0

    @cached_property
    def encoding_changes(self) -> list[EncodingChange]:
        """Where the encoding or the alignment of samples changes along the audio."""
        first = self.payload_offset
        if self.audio is None or self.encoding is None or self.disguise is not None or self.held is not None:
            return []
        if self._empty_slot is not None or self._slot is not None or self._numbers is not None:
            return []  # as other samples such bytes are now this and now that
        found = find_changes(self.audio.data[first:], self.encoding.bits_per_byte)
        if not are_credible(found, self.declared.meant):
            return []
        return [replace(change, offset=change.offset + first) for change in found]

    @property
    def layout(self) -> Layout | None:
        """How the bytes are best read: as estimated where they tell, else as declared, None where nothing does.

        Its offset counts from the first byte of the audio, a file header included.
        """
        if (self.contents is not None and not self.contents.holds_samples) or self.disguise is not None:
            return None
        behind = self._payload_layout
        return replace(behind, offset=behind.offset + self.payload_offset) if behind is not None else None

    @property
    def later_layout(self) -> Layout | None:
        """How the bytes are best read from the first change of encoding or alignment on, None where there is none.

        Its offset is the first byte of a sample behind the change.
        """
        change = self.encoding_changes[0] if self.encoding_changes else None
        after = LAYOUTS.get(change.after) if change is not None else None
        if change is None or after is None:
            return None
        first = self.payload_offset
        return replace(after, offset=first + after.find_whole(change.offset - first))

    @cached_property
    def _payload_layout(self) -> Layout | None:
        layout = self._plain_layout
        many = self._count_channels(layout) if layout is not None and self._slot is None else 1
        return replace(layout, channels=many) if layout is not None and many > 2 else layout

    def _count_channels(self, layout: Layout) -> int:
        """How many channels of speech are interleaved, by the sound alone."""
        if self.audio is None or self.encoding is None or not self.encoding.decidable or self.encoding.tones:
            return 1
        data = self.audio.data[self.payload_offset + layout.offset :]
        number = count_channels(decode_active(data, layout.encoding, 1, _ORDERED))
        if number <= 2:
            return number
        one = estimate_rate(decode_active(data, layout.encoding, number), self.candidates)
        return number if one.is_speech(self._speech_s) else 1

    @property
    def _plain_layout(self) -> Layout | None:
        if self.slot is not None and self.declared.meant is not None:
            return Layout(self.declared.meant, 0, self.slot.channels)
        if self.stuffed is not None or self.held is not None:
            return self.declared_layout
        estimate = self.encoding
        before = LAYOUTS.get(self.encoding_changes[0].before) if self.encoding_changes else None
        if before is not None:  # the sound is judged up to the first change
            return before
        if estimate is None or not estimate.decidable:
            return self.declared_layout
        return self._keep_declared(estimate) or (_get_estimated(estimate) if not self._is_codec(estimate) else None)

    def _is_codec(self, estimate: EncodingEstimate) -> bool:
        """Whether bytes that are not as declared are codes of a codec, which read as some samples or other."""
        return bool((self.declared.meant is not None or estimate.layout.encoding not in SUPPORTED) and self.codec)

    def _keep_declared(self, estimate: EncodingEstimate) -> Layout | None:
        """The declared encoding where the bytes do not speak against it; twins are the same bytes under two names."""
        name = self.declared.meant
        if name is None or estimate.probabilities[name] < self._plausible:
            return None
        is_best = (estimate.layout.encoding, estimate.layout.offset) == (name, 0)
        return estimate.layout if is_best else Layout(name)

    @property
    def planes(self) -> Planes | None:
        """The channels that stand one after the other, None where there is one, or they are interleaved."""
        return self._planes[0] if self._planes is not None else None

    @cached_property
    def _planes(self) -> tuple[Planes, Sequence[int]] | None:
        """Channels one after the other, and the bytes of each stretch that holds a piece of all of them."""
        layout, estimate = self.layout, self.encoding
        if self.audio is None or layout is None or layout.offset or layout.channels != 1 or estimate is None:
            return None
        if not estimate.decidable or estimate.tones:
            return None
        sent = self._frame_sizes()
        for sizes in [sent] if len(sent) else self._list_periods(layout):
            found = find_planes(self.audio.data, sizes, layout.encoding)
            if found is not None:
                return found, sizes
        return None

    def _list_periods(self, layout: Layout) -> Iterator[list[int]]:
        """Stretches of equal length, in bytes, that end where the sound of audio without frames jumps at a period."""
        assert self.audio is not None
        if self.jumps is None:
            return
        # clicks at a period are some at twice and more of it, too
        periods = [self.jumps.period // parts for parts in (1, 2, 4) if self.jumps.period % parts == 0]
        sizes = [many * period * layout.frame_bytes for period in periods for many in range(1, MOST_CHANNELS + 1)]
        for size in dict.fromkeys(sizes):
            yield [size] * (len(self.audio.data) // size)

    @cached_property
    def jumps(self) -> Clicks | None:
        """At which period the sound of audio without frames jumps, also to other sound; None where it does not."""
        layout = self.layout
        if self.audio is None or layout is None or layout.offset or layout.channels != 1:
            return None
        data = self.audio.data[: _CLICKED * layout.frame_bytes]
        samples = np.nan_to_num(decode_active(data, layout.encoding, 1, _CLICKED), posinf=0.0, neginf=0.0)
        if not len(samples):
            return None
        rate = self.declared.sample_rate or USUAL_RATE
        jumps = measure_jumps(samples, rate, _FLOOR * float(samples.std()))
        clicks = find_clicks(samples, rate, jumps, goes_on=False)
        return clicks if clicks is not None and clicks.ratio >= _JUMP else None

    @cached_property
    def borders(self) -> NDArray[np.int64]:
        """Bytes at which the frames end that the audio was sent in; empty for audio alone."""
        return np.cumsum(np.asarray(self._frame_sizes(), np.int64))

    @property
    def row_bytes(self) -> int | None:
        """Bytes of one sample of all channels, None where the bytes cannot be read."""
        if self.layout is None:
            return None
        return self.layout.frame_bytes * (self.planes.channels if self.planes is not None else 1)

    @cached_property
    def _one_plane(self) -> Bytes | None:
        """The audio of the loudest of several planes, None where there are none."""
        if self.audio is None or self._planes is None or self.layout is None:
            return None
        planes, sizes = self._planes
        return np.concatenate(
            take_plane(self.audio.data, sizes, planes.channels, planes.loudest, self.layout.frame_bytes)
        )

    @property
    def declared_layout(self) -> Layout | None:
        """How the bytes are to be read by the declaration alone, None without one."""
        return Layout(self.declared.meant) if self.declared.meant else None

    def samples(self, first_byte: int = 0, stop_byte: int | None = None, most: int = MAX_SAMPLES) -> Samples:
        """Decode a part of the audio as it is best read, mixed to one channel.

        Args:
            first_byte: Offset of the part.
            stop_byte: Its end, None for the end of the audio or the place where the encoding changes.
            most: Samples at most: of a longer part its most active stretches.

        Returns:
            Shape (n,), of full scale; empty where the bytes cannot be read.
        """
        layout = self.layout
        if layout is None or self.audio is None:
            return np.empty(0)
        first = layout.find_whole(first_byte)
        stop = self.end_of_layout(first) if stop_byte is None else stop_byte
        data = self.audio.data
        if self.planes is not None and self._one_plane is not None:
            data, count = self._one_plane, self.planes.channels
            first, stop = layout.find_whole(first // count), stop // count if stop is not None else None
        return decode_active(data[first:stop], layout.encoding, layout.channels, most)

    @cached_property
    def order(self) -> Order | None:
        """In which wrong order the samples of one channel stand, None where in the right one or nothing tells."""
        layout = self.layout
        if layout is None or self.audio is None or layout.channels != 2 or self.slot is not None:
            return None
        frame = layout.frame_bytes
        data = self.audio.data[layout.offset : self.end_of_layout(layout.offset)]
        first = max(0, len(data) // frame - _ORDERED) // 2 * frame
        middle = data[first : first + _ORDERED * frame]
        return find_order(np.nan_to_num(layout.decode(np.asarray(middle)).reshape(-1)))

    def end_of_layout(self, first: int) -> int | None:
        """Where the encoding changes for the first time, when enough stands before it from byte `first` on."""
        changes = [change.offset for change in self.encoding_changes]
        return changes[0] if changes and changes[0] - first >= 1 << 15 else None

    @cached_property
    def _excerpt(self) -> Samples:
        """The most active stretches of all of the audio, decoded once."""
        return self.samples()

    @cached_property
    def band_edge(self) -> float | None:
        """Frequency above which the audio is empty, as a share of the sample rate; None without a steep edge."""
        return find_steep_edge(self._excerpt)

    @cached_property
    def candidates(self) -> tuple[int, ...]:
        """Sample rates that come into question, Hz: the standard ones and the declared one."""
        declared = self.declared.sample_rate
        return tuple(sorted({*STANDARD_RATES, declared} if declared else STANDARD_RATES))

    @cached_property
    def rate(self) -> RateEstimate | None:
        """What the sound says about its sample rate, None where it cannot be decoded."""
        if self._loudest_rate is None:
            return None
        pooled = pool_estimates(self._loudest_rate, [part for _, part in self.rate_parts] if self.is_long else [])
        return replace(pooled, probabilities=weigh_anchors(pooled.probabilities, self.anchors))

    @cached_property
    def _loudest_rate(self) -> RateEstimate | None:
        """What the most active sound says."""
        if self.layout is None:
            return None
        if self.encoding is not None and self.encoding.tones:
            return RateEstimate(dict.fromkeys(self.candidates, 1.0 / len(self.candidates)), 0.0, 0.0)
        return estimate_rate(self._excerpt, self.candidates)

    @cached_property
    def anchors(self) -> list[Anchor]:
        """Sounds whose frequencies are known, and what their places say about the sample rate."""
        return find_anchors(finite_mono(self._excerpt[:LONGEST]), self.candidates)

    def estimate_rate(self, first: int, stop: int | None) -> RateEstimate:
        """What a part of the audio, in bytes, sounds like."""
        return estimate_rate(self.samples(first, stop, _PART_SAMPLES), self.candidates)

    def is_speech(self, first: int, stop: int | None) -> bool:
        """Whether a part of the audio, in bytes, holds speech for long enough to be sure of it."""
        return self.estimate_rate(first, stop).is_speech(self._speech_s)

    @cached_property
    def is_long(self) -> bool:
        """Whether there are several parts of some seconds: by the sound, and at the declared rate as well.

        By a rate that is far too low, a short sound would be a long one, and its parts would make sure of the error.
        """
        declared = self.declared.sample_rate
        return len(self.rate_parts) > 1 and (not declared or self._measure_length(declared) >= 2 * _LONG_PART_S)

    def _measure_length(self, rate: int) -> float:
        """Seconds of all of the audio at a rate (Hz)."""
        assert self.audio is not None and self.layout is not None
        return len(self.audio.data) / (rate * (self.row_bytes or self.layout.frame_bytes))

    @cached_property
    def rate_parts(self) -> list[tuple[int, RateEstimate]]:
        """(first byte, its rate by sound) of equal parts of 3 s or more each, for audio of 12 s or more."""
        rate = self._loudest_rate
        if self.audio is None or rate is None or self.layout is None or rate.speech_s < 4:
            return []
        seconds = self._measure_length(rate.best)
        count = min(MOST_PARTS, int(seconds / (3 if seconds >= 18 else _LONG_PART_S)))
        edges = np.linspace(0, len(self.audio.data), count + 1).astype(np.int64).tolist()
        most = round(_QUICK_S * rate.best)

        def quick_of(first: int, stop: int) -> RateEstimate:
            return estimate_rate(self.samples(first, stop, most), self.candidates)

        return hear_parts(list(pairwise(edges)), self.estimate_rate, quick_of)


def _get_estimated(estimate: EncodingEstimate) -> Layout | None:
    """The most probable layout, None where no samples at all are more probable."""
    best = max(estimate.probabilities, key=estimate.probabilities.__getitem__)
    return estimate.layout if best in LAYOUTS else None


def _is_sure(estimate: EncodingEstimate) -> bool:
    return max(estimate.probabilities.values()) >= _SURE

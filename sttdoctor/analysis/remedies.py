"""What to change in what a client sends, as plain values: the fix of a finding in a form that can be carried out.

A check that knows from its measurements what mends a fault says so by one of these. The sentence of its fix holds the
`words` of the value, `resend --repair` carries it out, and the trial of fixes (`benchmarks/faults/fixes.py`) judges
what comes of it, so that none of the three can differ from the others.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from itertools import accumulate, pairwise

import numpy as np

from sttdoctor.analysis.container.text import decode_text
from sttdoctor.analysis.decoding import Bytes, read_numbers
from sttdoctor.analysis.encoding.disguise import Disguise, undo
from sttdoctor.analysis.session.commands import is_audio, read_audio_text, read_json_audio
from sttdoctor.analysis.session.frames import count_trailing_zeros, is_active
from sttdoctor.analysis.session.repeats import find_own_start, measure_overlap, was_sent_before
from sttdoctor.analysis.signal.planes import take_plane
from sttdoctor.encodings import ENCODINGS
from sttdoctor.evidence import Declared, Event, Frame, Session
from sttdoctor.redact import REDACTED
from sttdoctor.values import immutable


@immutable
class Remedy:
    """Something to change; this one changes the declaration alone.

    Attributes:
        declares: What to tell the service instead; what is None in it stays.
    """

    declares: Declared = field(default=Declared(), kw_only=True)

    @property
    def words(self) -> str:
        """What to do, as a part of a sentence that begins with a verb."""
        said = (self.declares.encoding, self.declares.sample_rate)
        parts = [f"{name}={value}" for name, value in zip(("encoding", "sample_rate"), said, strict=True) if value]
        return f"declare {' and '.join(parts)}"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames of audio as they should have been; what should not have been sent is empty.

        Args:
            frames: The contents of all frames of audio of a session, in order.
        """
        return list(frames)


@immutable
class CutFrames(Remedy):
    """Take bytes off each frame: a header, a length, padding.

    Attributes:
        head: Bytes at the beginning.
        tail: Bytes at the end.
        in_sequence: The header is RTP's: the frames are put in the order of its numbers first, none of them twice.
    """

    head: int = 0
    tail: int = 0
    in_sequence: bool = False

    @property
    def words(self) -> str:
        """What to do."""
        size, end = (self.head, "beginning") if self.head else (self.tail, "end")
        code = f"frame[{self.head or ''}:{-self.tail if self.tail else ''}]"
        order = "put the packets in the order of their sequence numbers, then " if self.in_sequence else ""
        both = f" and {self.tail} from the end" if self.head and self.tail else ""
        return f"{order}cut {size} byte{'' if size == 1 else 's'} from the {end}{both} of each frame ({code})"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames without those bytes."""
        ordered = _order_packets(frames) if self.in_sequence else frames
        return [frame[self.head : len(frame) - self.tail] for frame in ordered]


def _order_packets(frames: Sequence[bytes]) -> list[bytes]:
    """Packets of RTP by their numbers, which begin anew after 65535."""
    numbered: dict[int, bytes] = {}
    at = 0
    for frame in frames:
        at += (int.from_bytes(frame[2:4], "big") - at + 32768) % 65536 - 32768
        numbered.setdefault(at, frame)
    ordered = [numbered[place] for place in sorted(numbered)]
    return [*ordered, *[b""] * (len(frames) - len(ordered))]


@immutable
class CutStream(Remedy):
    """Leave out parts of the stream: the headers of files.

    Attributes:
        spans: (first byte, byte behind the last) of each, in the joined audio, in order.
    """

    spans: tuple[tuple[int, int], ...]

    @property
    def words(self) -> str:
        """What to do."""
        first, stop = self.spans[0]
        one = f"leave out bytes {first} to {stop - 1}"
        return one if len(self.spans) == 1 else f"{one}, and {len(self.spans) - 1} more such parts"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames without those parts."""
        starts = [0, *accumulate(map(len, frames))]
        return [self._cut(frame, start) for frame, start in zip(frames, starts, strict=False)]

    def _cut(self, frame: bytes, start: int) -> bytes:
        stop = start + len(frame)
        kept, at = [], start
        for first, behind in self.spans:
            if behind > start and first < stop:
                kept.append(frame[at - start : max(first, at) - start])
                at = max(at, behind)
        return b"".join([*kept, frame[min(at, stop) - start :]])


@immutable
class TakeStream(Remedy):
    """Send one of two streams whose frames come in turn."""

    @property
    def words(self) -> str:
        """What to do."""
        return "send the frames of one stream only, every other one"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames of the stream that holds more sound; those of the other are empty."""
        kept = max((0, 1), key=lambda first: sum(map(is_active, frames[first::2])))
        return [frame if number % 2 == kept else b"" for number, frame in enumerate(frames)]


@immutable
class SendOnce(Remedy):
    """Send nothing again that was sent before.

    Attributes:
        kind: As of `sttdoctor.analysis.session.frames.Repeat`.
        encoding: Of the samples.
        first: Number of the first frame that repeats.
    """

    kind: str
    encoding: str
    first: int = 0

    @property
    def words(self) -> str:
        """What to do."""
        return {
            "place": "send of each frame only the bytes that are new",
            "overlap": "send of each frame only what follows the last sample that was sent",
            "grown": "send of each frame only what it holds beyond the one before",
            "own": "leave out the end of each frame, with which it begins anew",
            "stuck": "send only what was read: nothing from the frame on that is sent again and again",
        }.get(self.kind, "send each frame once")

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames without what was sent before."""
        width = ENCODINGS[self.encoding].width
        if self.kind == "place":
            return _keep_new(frames, width)
        if self.kind == "overlap":
            return [frame[measure_overlap(before, frame) :] for before, frame in pairwise([b"", *frames])]
        if self.kind == "grown":
            return [frame.removeprefix(before) for before, frame in pairwise([b"", *frames])]
        if self.kind == "own":
            return [frame[: find_own_start(frame, width)] for frame in frames]
        if self.kind == "stuck":
            again = frames[self.first]
            return [b"" if n > self.first and frame == again else frame for n, frame in enumerate(frames)]
        pairs = list(zip(frames[::2], frames[1::2], strict=False))
        if sum(one == other for one, other in pairs) >= 0.9 * len(pairs):  # silence twice is told by its pair alone
            return [b"" if n % 2 and frame == frames[n - 1] else frame for n, frame in enumerate(frames)]
        return [b"" if was_sent_before(frames, n) else frame for n, frame in enumerate(frames)]


def _keep_new(frames: Sequence[bytes], width: int) -> list[bytes]:
    """Of frames that are a whole buffer, the part of it that was filled since the frame before."""
    spans = [_find_changed(before, frame, width) for before, frame in pairwise([bytes(len(frames[0])), *frames])]
    lengths = [stop - first for first, stop in spans if stop > first]
    if not lengths:
        return list(frames)
    least = int(np.percentile(lengths, 90))
    usual = Counter(map(len, frames)).most_common(1)[0][0]
    size = next((n for n in range(least, usual + 1) if usual % n == 0 and n % width == 0), usual)
    slots = [(first // size * size, -(-stop // size) * size) for first, stop in spans]
    return [frame[first:stop] for frame, (first, stop) in zip(frames, slots, strict=True)]


def _find_changed(before: bytes, frame: bytes, width: int) -> tuple[int, int]:
    """The first byte, and the one behind the last, in which a frame differs from the one before."""
    if len(before) != len(frame):
        return 0, len(frame)
    places = np.flatnonzero(np.frombuffer(before, np.uint8) != np.frombuffer(frame, np.uint8)) // width
    return (int(places[0]) * width, int(places[-1] + 1) * width) if len(places) else (0, 0)


@immutable
class CutZeros(Remedy):
    """Send only the filled part of each frame."""

    encoding: str

    @property
    def words(self) -> str:
        """What to do."""
        return "send of each frame only the part that was filled, without the zeros at its end"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames without zeros at their ends where the next one goes on with sound."""
        width = ENCODINGS[self.encoding].width
        following = [*frames[1:], b""]
        return [
            frame[: len(frame) - count_trailing_zeros(frame, after, width)]
            for frame, after in zip(frames, following, strict=True)
        ]


@immutable
class Exchange(Remedy):
    """Put frames that were overtaken back in their order.

    Attributes:
        later: The number of the later one of each two neighbours that change places.
    """

    later: tuple[int, ...]

    @property
    def words(self) -> str:
        """What to do."""
        return "put the frames in the order of the sound"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames in their order."""
        ordered = list(frames)
        for number in self.later:
            ordered[number - 1], ordered[number] = ordered[number], ordered[number - 1]
        return ordered


@immutable
class DropEmpty(Remedy):
    """Send no frame without a byte."""

    @property
    def words(self) -> str:
        """What to do."""
        return "skip the frames without a byte"


@immutable
class SwapPairs(Remedy):
    """Put each two neighbouring samples the other way round."""

    encoding: str
    offset: int = 0

    @property
    def words(self) -> str:
        """What to do."""
        return "swap each pair of samples back (numpy.flip(samples.reshape(-1, 2), 1))"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames with their samples in order."""
        width = ENCODINGS[self.encoding].width

        def swap(data: Bytes) -> Bytes:
            pairs = data[self.offset :]
            whole = pairs[: len(pairs) // (2 * width) * 2 * width].reshape(-1, 2, width)
            return whole[:, ::-1].reshape(-1)

        return restream(frames, swap, width)


@immutable
class ChangeBits(Remedy):
    """Undo what was done to the bits of all samples.

    Attributes:
        disguise: What was done; not `one bit`, which nothing undoes.
    """

    disguise: Disguise

    @property
    def words(self) -> str:
        """What to do."""
        if self.disguise.kind == "reversed":
            return "turn the bits of each byte round (the lowest one comes last)"
        if self.disguise.kind in _BITS_BACK:
            return _BITS_BACK[self.disguise.kind]
        mask = int.from_bytes(self.disguise.mask, "little" if self.disguise.encoding.endswith("le") else "big")
        what = "sample" if len(self.disguise.mask) > 1 else "byte"
        take = f", which takes {mask} off it" if self.disguise.kind == "unsigned" else ""
        return f"change the bits of each {what} back (x ^ {mask:#x}{take})"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames with their bits changed back."""
        return restream(frames, lambda data: undo(data, self.disguise), ENCODINGS[self.disguise.encoding].width)


_BITS_BACK = {
    "padded": "shift each sample up by 8 bits (x << 8)",
    "half of a float": "make 32-bit floats of the samples, two zero bytes below each (x.float() in PyTorch, "
    "astype('float32') in NumPy and JAX)",
    "big endian": "turn the bytes of each sample round (samples.byteswap() in NumPy)",
    "sign and size": "make two's complement of the samples (-(x & 0x7fff) where the top bit is set)",
    "shifted down": "shift each sample up by one bit (x << 1)",
    "scaled twice": "leave out one of the two multiplications by 32767",
    "in order": "turn the codes of the upper half round (383 - x where x is 128 or more)",
}


@immutable
class TakeChannel(Remedy):
    """Keep one of several samples: one channel, or one of two that are the same.

    Attributes:
        encoding: Of the samples.
        channel: Which one of each row to keep.
        channels: Samples of a row.
        offset: Bytes before the first row.
    """

    encoding: str
    channel: int
    channels: int
    offset: int = 0

    @property
    def code(self) -> str:
        """How to take it, in the words of NumPy."""
        return f"samples[{self.channel}::{self.channels}]"

    @property
    def words(self) -> str:
        """What to do."""
        rate = self.declares.sample_rate
        return f"keep {self.code}" + (f" and declare sample_rate={rate}" if rate else "")

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames with that channel alone."""
        width = ENCODINGS[self.encoding].width

        def take(data: Bytes) -> Bytes:
            behind = data[self.offset :]
            row = width * self.channels
            return behind[: len(behind) // row * row].reshape(-1, self.channels, width)[:, self.channel].reshape(-1)

        return restream(frames, take, width)


@immutable
class TakePlane(Remedy):
    """Keep one of several channels that stand one after the other in each frame.

    Attributes:
        encoding: Of the samples.
        channel: Which one to keep.
        channels: Their number.
        samples: Of each piece, where no frames are known; else 0.
    """

    encoding: str
    channel: int
    channels: int
    samples: int = 0

    @property
    def code(self) -> str:
        """How to take it, in the words of NumPy."""
        if self.samples:
            return f"samples.reshape(-1, {self.channels}, {self.samples})[:, {self.channel}]"
        return f"samples.reshape({self.channels}, -1)[{self.channel}] of each frame"

    @property
    def words(self) -> str:
        """What to do."""
        return f"keep {self.code}"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames with that channel alone."""
        data = np.frombuffer(b"".join(frames), np.uint8)
        width = ENCODINGS[self.encoding].width
        return [part.tobytes() for part in take_plane(data, [*map(len, frames)], self.channels, self.channel, width)]


@immutable
class Rescale(Remedy):
    """Bring samples to the scale of their encoding, or its centre.

    Attributes:
        encoding: Of the samples: integers or floats.
        factor: What each is multiplied by.
        centre: What is taken off before, in the encoding's own numbers.
        offset: Bytes before the first sample.
    """

    encoding: str
    factor: float
    centre: float = 0.0
    offset: int = 0

    @property
    def words(self) -> str:
        """What to do."""
        inside = f"(x - {self.centre:g})" if self.centre else "x"
        return f"send {inside}" + (f" * {self.factor:g}" if self.factor != 1.0 else "")

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames with their samples at that scale, limited to what the encoding holds."""
        how = ENCODINGS[self.encoding]

        def scale(data: Bytes) -> Bytes:
            with np.errstate(all="ignore"):
                values = (
                    read_numbers(data[self.offset :], self.encoding).astype(np.float64) - self.centre
                ) * self.factor
            if not how.is_float:
                values = np.clip(np.rint(np.nan_to_num(values)), -how.full_scale, how.full_scale - 1)
            with np.errstate(all="ignore"):
                return values.astype(how.dtype).view(np.uint8)

        return restream(frames, scale, how.width)


@immutable
class FillSilence(Remedy):
    """Put silence in place of runs of zero bytes that are none, or of what became of them.

    Attributes:
        encoding: Of the samples.
        spans: (first byte, byte behind the last) of each run, in the joined audio.
    """

    encoding: str
    spans: tuple[tuple[int, int], ...]

    @property
    def words(self) -> str:
        """What to do."""
        if not ENCODINGS[self.encoding].is_g711:
            return "fill pauses with zeros"
        return f"fill pauses with 0x{ENCODINGS[self.encoding].silence.hex().upper()} instead of 0x00"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames with silence there."""

        def fill(data: Bytes) -> Bytes:
            out = data.copy()
            for first, stop in self.spans:
                out[first:stop] = np.resize(np.frombuffer(ENCODINGS[self.encoding].silence, np.uint8), stop - first)
            return out

        return restream(frames, fill, 1)


@immutable
class DecodeText(Remedy):
    """Send the bytes that text stands for.

    Attributes:
        kind: Of text in binary frames (`base64`, `hex`, `data-url`, `json`); empty where each text frame is one piece.
        encoding: What samples that are written as numbers become.
    """

    kind: str = ""
    encoding: str = "pcm_s16le"

    @property
    def words(self) -> str:
        """What to do."""
        return "decode the text, and send the bytes that it stands for in binary frames"

    def apply(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return the frames of bytes; where text goes on from frame to frame, it is decoded as one."""
        if not self.kind:
            return list(frames)
        whole = b"".join(_fill_masked(frames))
        content = read_json_audio(whole, self.encoding) if self.kind == "json" else decode_text(whole, self.kind)
        return restream(frames, lambda _: np.frombuffer(content, np.uint8), ENCODINGS[self.encoding].width)

    def read(self, frame: Frame) -> Frame:
        """Return the binary frame that a text frame with audio should have been; another one as it is."""
        content = read_audio_text(frame, self.encoding) if frame.sent and not frame.binary else None
        if content is None:
            return frame
        return replace(frame, size=len(content), binary=True, content=content, message=None, text=None)


def _fill_masked(frames: Sequence[bytes]) -> list[bytes]:
    """Text in which as many letters stand for what was redacted: else all that follows would be out of step."""
    usual, mask = max(map(len, frames), default=0), REDACTED.encode()
    return [frame.replace(mask, b"A" * (usual - len(frame) + len(mask)), 1) for frame in frames]


def restream(frames: Sequence[bytes], change: Callable[[Bytes], Bytes], width: int) -> list[bytes]:
    """Change the joined audio, and cut it again where the frames were.

    Args:
        frames: In order.
        change: From the bytes of all, shape (n,), to other ones, of any number.
        width: Bytes that a cut is a whole number of.
    """
    joined = b"".join(frames)
    changed = change(np.frombuffer(joined, np.uint8)).tobytes()
    share = len(changed) / max(1, len(joined))
    ends = [round(end * share / width) * width for end in accumulate(map(len, frames))]
    return [changed[first:stop] for first, stop in pairwise([0, *ends[:-1], len(changed)])]


def mend_session(session: Session, remedy: Remedy) -> Session:
    """Return the session with what a remedy changes in the audio; frames that are left empty are not sent."""
    events: list[Event] = list(session.events)
    if isinstance(remedy, DecodeText) and not remedy.kind:
        events = [remedy.read(event) if isinstance(event, Frame) else event for event in events]
    audio = [(place, event) for place, event in enumerate(events) if isinstance(event, Frame) and is_audio(event)]
    for (place, frame), content in zip(audio, remedy.apply([e.audio or b"" for _, e in audio]), strict=True):
        if content != frame.audio:
            events[place] = replace(frame, content=content, size=len(content))
    kept = (event for event in events if not (isinstance(event, Frame) and is_audio(event) and not event.size))
    return replace(session, events=tuple(kept))

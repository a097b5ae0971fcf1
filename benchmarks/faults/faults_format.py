"""Faults of what the bytes are: `container`, `encoding`, `sample-rate`, `channels`."""

import base64
import io
import struct

import numpy as np
import soundfile
from faults_make import encode
from faults_recipe import SIX, WIDTHS, Frame, Recipe, Segment
from faults_registry import fault
from faults_scene import Samples, scene
from scipy import signal

S16 = (("pcm_s16le", 16000), ("pcm_s16le", 24000), ("pcm_s16le", 48000), ("pcm_s16le", 8000), ("pcm_s16le", 44100))
COMPRESSED_BYTE_RATE = 4000


def _garbage(recipe: Recipe, stretch: float = 1.0) -> None:
    recipe.service.hears = "garbage"
    recipe.service.stretch = stretch


def _wav_header(recipe: Recipe, length: int) -> bytes:
    rate, width = recipe.scene.rate, 2
    fmt = struct.pack("<HHIIHH", 1, 1, rate, rate * width, width, 16)
    extra = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf61.1.100\0\0"
    extra = extra if recipe.rng.random() < 0.5 else b""
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + extra + b"data" + struct.pack("<I", length)
    return b"RIFF" + struct.pack("<I", 4 + len(body) + length) + body


@fault("container.wav-header", "container", formats=S16)
def wav_header(recipe: Recipe) -> None:
    recipe.note = str(recipe.rng.choice(["once", "every utterance"], p=[0.7, 0.3]))

    def damage(data: bytes) -> bytes:
        if recipe.note == "once":
            return _wav_header(recipe, len(data)) + data
        cuts = [0] + [round(turn[0].start * recipe.scene.rate) * 2 - 2000 for turn in recipe.scene.turns[1:]]
        pieces = [data[a:b] for a, b in zip(cuts, [*cuts[1:], len(data)], strict=True)]
        return b"".join(_wav_header(recipe, len(piece)) + piece for piece in pieces)

    recipe.damage.append(damage)


@fault("container.compressed", "format", formats=(("pcm_s16le", 16000), ("pcm_s16le", 48000)), solo=True)
def compressed(recipe: Recipe) -> None:
    kinds = ["flac", "ogg-opus", "ogg-vorbis", "mp3", "webm", "mp4", "aac", "amr", "packets"]
    kind = recipe.note = str(recipe.rng.choice(kinds))
    recipe.service.hears = "nothing"
    recipe.chunk_s = float(recipe.rng.uniform(0.1, 0.25))

    if kind == "packets":
        recipe.pace.append(lambda frames: _replaced(frames, opus_packets(recipe.scene.samples, recipe.scene.rate)))
        recipe.chunk_s = 0.02
        return

    def write(samples: Samples) -> bytes:
        rate = recipe.scene.rate
        if kind in ("flac", "ogg-opus", "ogg-vorbis", "mp3"):
            out = io.BytesIO()
            form, sub = {"flac": ("FLAC", "PCM_16"), "mp3": ("MP3", "MPEG_LAYER_III")}.get(
                kind, ("OGG", kind[4:].upper())
            )
            soundfile.write(out, samples, rate, format=form, subtype=sub)
            return out.getvalue()
        return _by_hand(recipe, kind, len(samples) / rate)

    recipe.write = write


def _replaced(frames: list, packets: list[bytes]) -> list:
    """The same frames with other contents, as many as there are."""
    for frame, packet in zip(frames, packets, strict=False):
        frame.data = packet
    return frames[: len(packets)]


def opus_packets(samples: Samples, rate: int) -> list[bytes]:
    """The packets of a true encoder, 20 ms each, without their pages (RFC 3533)."""
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="OGG", subtype="OPUS")
    data, at, packets, rest = out.getvalue(), 0, [], b""
    while at < len(data):
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(lacing)
        for size in lacing:
            rest, at = rest + data[at : at + size], at + size
            if size < 255:
                packets.append(rest)
                rest = b""
    return packets[2:]


def _by_hand(recipe: Recipe, kind: str, seconds: float) -> bytes:
    """Containers that no library here writes: true framing round payloads of noise, as coded speech looks."""

    def payload(size: int) -> bytes:
        return recipe.rng.integers(0, 256, size, dtype=np.uint8).tobytes()

    if kind == "webm":
        head = bytes.fromhex(
            "1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff"
        )
        count = int(seconds / 0.06)
        return head + b"".join(
            b"\xa3\x40\xf4\x81" + struct.pack(">H", n * 60 % 32000) + b"\x80" + payload(241) for n in range(count)
        )
    if kind == "mp4":
        head = struct.pack(">I", 28) + b"ftypiso5" + struct.pack(">I", 512) + b"iso5iso6mp41"
        part = int(COMPRESSED_BYTE_RATE)
        return head + b"".join(
            struct.pack(">I", 16) + b"moof" + payload(8) + struct.pack(">I", 8 + part) + b"mdat" + payload(part)
            for _ in range(int(seconds))
        )
    if kind == "aac":
        size = 7 + 250
        head = bytes([0xFF, 0xF1, 0x60, 0x40 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC])
        return b"".join(head + payload(250) for _ in range(int(seconds * 15.6)))
    return b"#!AMR\n" + b"".join(b"\x3c" + payload(31) for _ in range(int(seconds * 50)))


@fault("container.text", "format", formats=S16, solo=True)
def text(recipe: Recipe) -> None:
    kind = recipe.note = str(recipe.rng.choice(["base64", "hex", "json", "html", "messages", "lengths"]))
    recipe.service.hears = "nothing"

    def write(samples: Samples) -> bytes:
        data = encode(samples, "pcm_s16le")
        if kind in ("messages", "lengths"):
            return _among_samples(recipe, data, kind)
        if kind == "base64":
            return base64.b64encode(data)
        if kind == "hex":
            return data.hex().encode()
        if kind == "html":
            return b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body>Bad Gateway</body></html>\n" * 40
        step = recipe.scene.rate // 5
        parts = (base64.b64encode(data[at : at + step]).decode() for at in range(0, len(data), step))
        return b"".join(b'{"event":"media","media":{"payload":"' + part.encode() + b'"}}' for part in parts)

    recipe.write = write


def _among_samples(recipe: Recipe, data: bytes, kind: str) -> bytes:
    """What a program says, or the lengths of the chunks of an HTTP body, between the samples."""
    size = 2 * int(recipe.rng.integers(2000, 12000))
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    if kind == "lengths":
        return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)
    said = ("WARNING: the input buffer is nearly full", "In: 0.00% 00:00:04.10 [00:00:00.00] Out: 65.5k Clip: 0",
            "Recording raw data 'stdin': Signed 16 bit Little Endian, Rate 16000 Hz, Mono")  # fmt: skip
    line = str(recipe.rng.choice(said)).encode() + b"\n"
    return line + b"".join(part + line * bool(recipe.rng.random() < 0.4) for part in parts)


@fault("encoding.mismatch", "format")
def mismatch(recipe: Recipe) -> None:
    others = [name for name in SIX if name != recipe.encoding]
    recipe.said_encoding = str(recipe.rng.choice(others))
    _declared(recipe)


def _declared(recipe: Recipe) -> None:
    stretch = WIDTHS[recipe.encoding] / WIDTHS[recipe.said_encoding or recipe.encoding]
    recipe.file_pacing = bool(recipe.rng.random() < 0.25)
    recipe.note = f"{recipe.encoding} as {recipe.said_encoding}" + (", file" if recipe.file_pacing else "")
    _garbage(recipe, stretch)


@fault("encoding.unsupported", "format", formats=S16)
def unsupported(recipe: Recipe) -> None:
    recipe.encoding = str(recipe.rng.choice(["u8", "s8", "s24le", "f64le", "s64le"]))
    usual = {"u8": ["pcm_mulaw", "pcm_s16le"], "s8": ["pcm_mulaw", "pcm_s16le"], "s24le": ["pcm_s16le", "pcm_s32le"]}
    recipe.said_encoding = str(recipe.rng.choice(usual.get(recipe.encoding, ["pcm_f32le", "pcm_s16le"])))
    _declared(recipe)


@fault("encoding.byte-order", "format", formats=S16)
def byte_order(recipe: Recipe) -> None:
    recipe.encoding = str(recipe.rng.choice(["s16be", "s16be", "f32be", "s32be"]))
    recipe.said_encoding = {"s16be": "pcm_s16le", "f32be": "pcm_f32le", "s32be": "pcm_s32le"}[recipe.encoding]
    _declared(recipe)


@fault(
    "encoding.scaled",
    "format",
    formats=(
        ("pcm_s32le", 16000),
        ("pcm_f32le", 16000),
        ("pcm_f32le", 48000),
        ("pcm_s16le", 16000),
        ("pcm_s16le", 8000),
    ),
)
def scaled(recipe: Recipe) -> None:
    """Samples cast to another encoding without a factor, a converter's raw values, the low half of 32-bit words."""
    _garbage(recipe)
    kinds = {
        "pcm_s32le": ("16 in 32", "24 in 32"),
        "pcm_f32le": ("floats in 16-bit units", "divided twice"),
        "pcm_s16le": ("12-bit converter", "low half of 32", "floats cast"),
    }[recipe.encoding]
    kind = recipe.note = str(recipe.rng.choice(kinds))
    rest = recipe.rng.uniform(1850, 2200)

    def write(samples: Samples) -> bytes:
        if kind == "12-bit converter":
            return np.clip(np.rint(samples / np.abs(samples).max() * 1500 + rest), 0, 4095).astype("<i2").tobytes()
        if kind == "floats cast":
            return np.clip(np.rint(samples / np.abs(samples).max()), -1, 1).astype("<i2").tobytes()
        whole = np.clip(np.rint(samples * 32767), -32768, 32767)
        fine = np.rint(samples * 0.99 * 2**23).astype(np.int64)
        if kind == "low half of 32":
            return (fine << 8 & 0xFFFF).astype("<u2").tobytes()
        if kind == "24 in 32":
            return fine.astype("<i4").tobytes()
        if kind == "16 in 32":
            return whole.astype("<i4").tobytes()
        return (whole if kind == "floats in 16-bit units" else whole / 2.0**30).astype("<f4").tobytes()

    width = WIDTHS[recipe.encoding]
    recipe.segments = lambda samples: [Segment(write(samples), recipe.scene.duration, width)]


WIDE_FORMATS = (*S16, ("pcm_f32le", 16000), ("pcm_s32le", 16000), ("pcm_f16le", 16000))


@fault("encoding.misaligned", "format", formats=WIDE_FORMATS, also=("messages.partial-samples",))
def misaligned(recipe: Recipe) -> None:
    """A few bytes of one frame are lost: everything after it is shifted."""
    width = WIDTHS[recipe.encoding]
    lost = int(recipe.rng.integers(1, width))
    place = recipe.rng.uniform(0, 0.6) if recipe.rng.random() < 0.7 else 0.0
    recipe.note = f"{lost} of {width} bytes at {place:.0%}"
    _garbage(recipe)
    if place == 0.0:  # a stream that begins in the middle of a sample
        recipe.damage.append(lambda data: data[lost:])
        return

    def lose(frames: list) -> list:
        frame = frames[int(place * len(frames))]
        frame.data = frame.data[:-lost]
        return frames

    recipe.pace.insert(0, lose)


@fault(
    "encoding.changed",
    "format",
    formats=(("pcm_s16le", 16000), ("pcm_s16le", 8000), ("pcm_mulaw", 8000), ("pcm_f32le", 16000)),
)
def changed(recipe: Recipe) -> None:
    recipe.remake(turns=4)
    after = str(
        recipe.rng.choice(
            [name for name in ("pcm_s16le", "pcm_mulaw", "pcm_f32le", "pcm_alaw") if name != recipe.encoding]
        )
    )
    if {after, recipe.encoding} == {"pcm_mulaw", "pcm_alaw"}:
        after = "pcm_s16le"
    recipe.note = f"{recipe.encoding}, then {after}"
    _switch(recipe, after, recipe.scene.rate)


def _switch(recipe: Recipe, encoding: str, rate: int) -> None:
    """From some turn on the bytes are of another format; the microphone paces both."""
    _garbage(recipe)
    turn = recipe.scene.turns[len(recipe.scene.turns) // 2]
    at = turn[0].start - 0.3

    def segments(samples: Samples) -> list[Segment]:
        cut = round(at * recipe.scene.rate)
        rest = samples[cut:]
        if rate != recipe.scene.rate:
            rest = np.clip(signal.resample_poly(rest, rate, recipe.scene.rate), -1, 1)
        first = Segment(encode(samples[:cut], recipe.encoding), at, WIDTHS[recipe.encoding])
        return [first, Segment(encode(rest, encoding), recipe.scene.duration - at, WIDTHS[encoding])]

    recipe.segments = segments


RATES = (8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000)


@fault("sample-rate.mismatch", "format")
def wrong_rate(recipe: Recipe) -> None:
    """The declared rate differs from the true one by a quarter or more; mostly a microphone paces, sometimes a file."""
    true = recipe.scene.rate
    recipe.remake(turns=4)
    far = [rate for rate in (8000, 16000, 16000, 24000, 44100, 48000) if abs(rate / true - 1) > 0.25]
    recipe.said_rate = int(recipe.rng.choice(far))
    recipe.file_pacing = bool(recipe.rng.random() < 0.25)
    recipe.note = f"{true} as {recipe.said_rate}" + (", file" if recipe.file_pacing else "")
    _garbage(recipe, true / recipe.said_rate)


@fault(
    "sample-rate.changed",
    "format",
    formats=(("pcm_s16le", 48000), ("pcm_s16le", 16000), ("pcm_s16le", 44100), ("pcm_f32le", 48000)),
)
def rate_changed(recipe: Recipe) -> None:
    """A headset switches its profile: from here on fewer (or more) samples a second."""
    recipe.remake(turns=4, turn_s=(3.5, 6.0))
    rates = {48000: (16000, 8000, 24000), 44100: (16000, 8000), 16000: (8000, 48000, 24000)}[recipe.scene.rate]
    after = int(recipe.rng.choice(rates))
    recipe.note = f"{recipe.scene.rate}, then {after}"
    _switch(recipe, recipe.encoding, after)


@fault(
    "sample-rate.upsampled",
    "upsampled",
    formats=(("pcm_s16le", 16000), ("pcm_s16le", 24000), ("pcm_s16le", 48000), ("pcm_f32le", 48000)),
    status="warn",
    remark=True,
)
def upsampled(recipe: Recipe) -> None:
    low = 8000 if recipe.scene.rate < 32000 else int(recipe.rng.choice([8000, 16000]))
    recipe.remake(turns=4)
    recipe.note = f"{low} to {recipe.scene.rate}"

    def shape(samples: Samples) -> Samples:
        narrow = signal.resample_poly(samples, low, recipe.scene.rate)
        return np.asarray(signal.resample_poly(narrow, recipe.scene.rate, low))[: len(samples)]

    recipe.shape.append(shape)


@fault("encoding.swapped", "format", formats=(("pcm_s16le", 16000), ("pcm_s16le", 24000), ("pcm_s16le", 48000)))
def swapped(recipe: Recipe) -> None:
    """Each pair of neighbouring samples the wrong way round."""
    _garbage(recipe)
    recipe.shape.append(lambda samples: samples[: len(samples) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1))


@fault("encoding.doubled", "format", formats=(("pcm_s16le", 16000), ("pcm_s16le", 48000)), status="warn")
def doubled(recipe: Recipe) -> None:
    """Each sample twice: sound of half the rate at the declared rate, which the service understands."""
    recipe.shape.append(lambda samples: np.repeat(signal.resample_poly(samples, 1, 2), 2)[: len(samples)])


@fault("channels.interleaved", "format")
def interleaved(recipe: Recipe) -> None:
    """Two channels (the same, near, another speaker's, an empty one), or the three to eight of an array, as one.

    Sample by sample in turn, or in planes: each frame holds all samples of one, then those of the next.
    """
    kind = str(recipe.rng.choice(["same", "near", "other voice", "silent", "array"]))
    rng, rate = recipe.rng, recipe.scene.rate
    many = int(rng.integers(3, 9)) if kind == "array" else 2
    are_planes = bool(rng.random() < 0.35)
    recipe.note = f"{kind}, {many}, {recipe.encoding}{', planes' if are_planes else ''}"
    _garbage(recipe, float(many))

    def heard_by(samples: Samples) -> Samples:
        """What one microphone of an array hears: a little later, softer, with a noise of its own."""
        late = np.roll(samples, int(rng.integers(0, 6)))
        return late * rng.uniform(0.3, 1.0) + rng.standard_normal(len(samples)) * 10 ** (-62 / 20)

    def write(samples: Samples) -> bytes:
        if kind == "array":
            channels = np.stack([samples, *(heard_by(samples) for _ in range(many - 1))], axis=1)
            return encode(np.clip(channels, -1, 1).reshape(-1), recipe.encoding)
        if kind == "same":
            second = samples
        elif kind == "near":
            second = samples * rng.uniform(0.6, 0.95) + rng.standard_normal(len(samples)) * 10 ** (-65 / 20)
        elif kind == "silent":
            second = rng.standard_normal(len(samples)) * 10 ** (-70 / 20)
        else:
            other = scene(rng, rate, 6, recipe.corpus).samples
            second = np.resize(other, len(samples))
        return encode(np.clip(np.stack([samples, second], axis=1), -1, 1).reshape(-1), recipe.encoding)

    recipe.write = write
    width = many * WIDTHS[recipe.encoding]
    recipe.segments = lambda samples: [Segment(write(samples), recipe.scene.duration, width)]
    if are_planes:
        recipe.pace.append(lambda frames: [_in_planes(frame, many, WIDTHS[recipe.encoding]) for frame in frames])


def _in_planes(frame: Frame, many: int, width: int) -> Frame:
    """The samples of a frame, channel after channel."""
    assert isinstance(frame.data, bytes)
    whole = len(frame.data) // (many * width) * (many * width)  # another fault may have cut samples
    rows = np.frombuffer(frame.data[:whole], np.uint8).reshape(-1, many, width)
    return Frame(frame.t, rows.transpose(1, 0, 2).tobytes(), frame.until)

"""What real tools make of speech, and sound that is no speech: one function a tool, each a source of `Right` audio.

A tool that is not installed is left out, and `missing` names it.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import soundfile
from encoding_cases import encoded
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt

Floats = NDArray[np.float64]
Rng = np.random.Generator

RAW = {"pcm_s16le": "s16le", "pcm_s32le": "s32le", "pcm_f32le": "f32le", "pcm_mulaw": "mulaw", "pcm_alaw": "alaw"}
GST = {"pcm_s16le": "S16LE", "pcm_s32le": "S32LE", "pcm_f32le": "F32LE"}
SOX = {
    "pcm_s16le": "-e signed -b 16",
    "pcm_s32le": "-e signed -b 32",
    "pcm_f32le": "-e float -b 32",
    "pcm_mulaw": "-e mu-law -b 8",
    "pcm_alaw": "-e a-law -b 8",
}
UPSAMPLED = frozenset({"sample-rate.upsampled"})
QUIET = frozenset({"signal.too-quiet"})


@dataclass(frozen=True, slots=True)
class Voice:
    """Speech of one speaker: samples of full scale, shape (n,), and their rate in Hz."""

    name: str
    samples: Floats
    rate: int


@dataclass(frozen=True, slots=True)
class Right:
    """Audio with its right declaration.

    Attributes:
        name: Of the file.
        kind: The row of the table that it belongs to.
        data: The bytes.
        encoding: What they are, and what is declared.
        rate: Hz.
        true: Causes that really hold, such as an empty upper band.
    """

    name: str
    kind: str
    data: bytes
    encoding: str
    rate: int
    true: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Source:
    """What makers make audio from: voices, and random numbers of their own."""

    voices: list[Voice]
    rng: Rng


Maker = Callable[[Source], Iterator[Right]]
MAKERS: dict[str, Maker] = {}
NEEDS: dict[str, str] = {}


def maker(needs: str = "") -> Callable[[Maker], Maker]:
    """Register one source of audio, and the program or package that it needs."""

    def add(make: Maker) -> Maker:
        MAKERS[make.__name__] = make
        NEEDS[make.__name__] = needs
        return make

    return add


def missing() -> list[str]:
    """The programs and packages that are not there."""
    wanted = sorted({name for name in NEEDS.values() if name})
    return [name for name in wanted if shutil.which(name) is None and find_spec(name) is None]


def run(command: str, source: Path | None = None) -> bytes:
    """What a command writes to standard output; `{in}` in it is the source.

    Raises:
        subprocess.CalledProcessError: The command failed.
    """
    words = [str(source) if word == "{in}" else word for word in command.split()]
    return subprocess.run(words, check=True, capture_output=True, timeout=60).stdout


def wav(voice: Voice, folder: Path, subtype: str = "PCM_16", gain: float = 0.9) -> Path:
    """Write a voice as a WAV file."""
    path = folder / f"{voice.name}-{subtype}.wav"
    soundfile.write(path, gain * voice.samples / np.abs(voice.samples).max(), voice.rate, subtype=subtype)
    return path


@maker("ffmpeg")
def ffmpeg(source: Source) -> Iterator[Right]:
    """Formats, volumes and dithers of FFmpeg, from 8-bit, 16-bit and float files."""
    with tempfile.TemporaryDirectory() as folder:
        for i, voice in enumerate(source.voices):
            subtype = ("PCM_U8", "PCM_16", "PCM_24", "FLOAT")[i % 4]
            path = wav(voice, Path(folder), subtype)
            for encoding, raw in RAW.items():
                for options in ("", f"-af volume={source.rng.uniform(0.05, 1):.3f}"):
                    data = run(f"ffmpeg -v error -i {{in}} {options} -f {raw} -", path)
                    yield Right(
                        f"{voice.name} {options}", f"FFmpeg {subtype} to {encoding}", data, encoding, voice.rate
                    )
            eight = wav(voice, Path(folder), "PCM_U8")
            for method in ("rectangular", "triangular", "shibata", "triangular_hp"):
                dither = f"-af volume=0.5,aresample=osf=s16:dither_method={method}:async=0"
                data = run(f"ffmpeg -v error -i {{in}} {dither} -f s16le -", eight)
                yield Right(f"{voice.name} {method}", "FFmpeg 8 bits, dithered", data, "pcm_s16le", voice.rate)


@maker("sox")
def sox(source: Source) -> Iterator[Right]:
    """Formats and volumes of SoX, which dithers where precision is lost."""
    with tempfile.TemporaryDirectory() as folder:
        for i, voice in enumerate(source.voices):
            for subtype in ("PCM_U8", "PCM_16" if i % 2 else "PCM_24"):
                path = wav(voice, Path(folder), subtype)
                for encoding, options in SOX.items():
                    volume = source.rng.uniform(0.05, 1) if source.rng.random() < 0.5 else 1.0
                    data = run(f"sox -v {volume:.3f} {{in}} -t raw {options} -", path)
                    name = f"{voice.name} -v {volume:.3f}"
                    yield Right(name, f"SoX {subtype} to {encoding}", data, encoding, voice.rate)


@maker("gst-launch-1.0")
def gstreamer(source: Source) -> Iterator[Right]:
    """Audioconvert by way of floats, with each of its dithers, and the volume element."""
    with tempfile.TemporaryDirectory() as folder:
        for i, voice in enumerate(source.voices):
            for subtype in ("PCM_U8", "PCM_16"):
                path = wav(voice, Path(folder), subtype)
                head = f"gst-launch-1.0 -q filesrc location={path} ! wavparse"
                volumes = source.rng.uniform(0.1, 1, 2)
                floats = "! audioconvert ! audio/x-raw,format=F32LE"
                chains = [f"{floats} ! audioconvert ! audio/x-raw,format={f}" for f in GST.values()] + [
                    f"{floats.replace('F32', 'F64')} ! audioconvert dithering=none ! audio/x-raw,format=S16LE",
                    f"{floats} ! audioconvert dithering=rpdf noise-shaping=medium ! audio/x-raw,format=S16LE",
                    f"{floats} ! volume volume={volumes[0]:.3f} ! audioconvert ! audio/x-raw,format=S16LE",
                    f"! audioconvert ! audio/x-raw,format=S16LE ! volume volume={volumes[1]:.3f}",
                ]
                for number, chain in enumerate(chains[i % 2 :: 2] if i > 3 else chains):
                    target = Path(folder) / "out.raw"
                    run(f"{head} {chain} ! filesink location={target}")
                    encoding = next((e for e, f in GST.items() if chain.endswith(f"format={f}")), "pcm_s16le")
                    kind = f"GStreamer {subtype} to {encoding}"
                    yield Right(f"{voice.name} {number}", kind, target.read_bytes(), encoding, voice.rate)


@maker()
def libsndfile(source: Source) -> Iterator[Right]:
    """8-bit and 16-bit files read by soundfile as each type, and written as each subtype."""
    with tempfile.TemporaryDirectory() as folder:
        for voice in source.voices:
            for subtype in ("PCM_U8", "PCM_16", "ULAW"):
                path = wav(voice, Path(folder), subtype)
                for dtype, encoding in (("int16", "pcm_s16le"), ("int32", "pcm_s32le"), ("float32", "pcm_f32le")):
                    data = soundfile.read(path, dtype=dtype)[0].tobytes()
                    yield Right(voice.name, f"soundfile {subtype} as {dtype}", data, encoding, voice.rate)
                x = soundfile.read(path)[0]
                half = x.astype("<f2").tobytes()
                yield Right(voice.name, f"soundfile {subtype} as float16", half, "pcm_f16le", voice.rate)
                for name, encoding in (
                    ("PCM_16", "pcm_s16le"), ("PCM_32", "pcm_s32le"), ("ULAW", "pcm_mulaw"), ("ALAW", "pcm_alaw"),
                ):  # fmt: skip
                    raw = Path(folder) / "out.raw"
                    soundfile.write(raw, x * source.rng.uniform(0.1, 1), voice.rate, subtype=name, format="RAW")
                    yield Right(voice.name, f"soundfile {subtype} to {name}", raw.read_bytes(), encoding, voice.rate)


_RESAMPLED = (
    (48000, 16000),
    (44100, 16000),
    (16000, 8000),
    (8000, 16000),
    (16000, 48000),
    (24000, 16000),
    (16000, 24000),
)


def _resampled(voices: list[Voice], convert: Callable[[Voice, int, int], bytes], kind: str) -> Iterator[Right]:
    for i, voice in enumerate(voices):
        for rate, target in (_RESAMPLED[i % len(_RESAMPLED)], _RESAMPLED[(i + 3) % len(_RESAMPLED)]):
            start = Voice(voice.name, resample_poly(voice.samples, *_ratio(rate, voice.rate)), rate)
            data = convert(start, target, i)
            true = UPSAMPLED if target > min(rate, voice.rate) else frozenset[str]()
            yield Right(f"{voice.name} {rate} to {target}", kind, data, "pcm_s16le", target, true)


def _ratio(target: int, source: int) -> tuple[int, int]:
    common = int(np.gcd(target, source))
    return target // common, source // common


@maker("gst-launch-1.0")
def speex(source: Source) -> Iterator[Right]:
    """The windows of the Speex resampler, which PulseAudio uses, in qualities 0 to 10, by GStreamer's audioresample."""
    with tempfile.TemporaryDirectory() as folder:

        def convert(voice: Voice, target: int, number: int) -> bytes:
            path, out = wav(voice, Path(folder)), Path(folder) / "out.raw"
            run(
                f"gst-launch-1.0 -q filesrc location={path} ! wavparse ! audioconvert "
                f"! audioresample resample-method=kaiser quality={number % 11} "
                f"! audio/x-raw,rate={target},format=S16LE ! filesink location={out}"
            )
            return out.read_bytes()

        yield from _resampled(source.voices, convert, "resampled as Speex does")


@maker("soxr")
def soxr(source: Source) -> Iterator[Right]:
    """Libsoxr in its five qualities."""
    import soxr as library

    def convert(voice: Voice, target: int, number: int) -> bytes:
        quality = ("QQ", "LQ", "MQ", "HQ", "VHQ")[number % 5]
        whole = np.rint(0.9 * 32767 * voice.samples / np.abs(voice.samples).max()).astype(np.int16)
        return library.resample(whole, voice.rate, target, quality=quality).astype("<i2").tobytes()

    yield from _resampled(source.voices, convert, "resampled by soxr")


@maker("ffmpeg")
def swresample(source: Source) -> Iterator[Right]:
    """FFmpeg's own resampler."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _resampled(
            source.voices,
            lambda voice, target, _: run(
                f"ffmpeg -v error -i {{in}} -ar {target} -f s16le -", wav(voice, Path(folder))
            ),
            "resampled by FFmpeg",
        )


@maker("sox")
def sox_rate(source: Source) -> Iterator[Right]:
    """SoX's resampler from quick to very high quality."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _resampled(
            source.voices,
            lambda voice, target, i: run(
                f"sox {{in}} -t raw -b 16 -e signed -r {target} - rate {('-q', '-l', '-m', '-h', '-v')[i % 5]}",
                wav(voice, Path(folder)),
            ),
            "resampled by SoX",
        )


_CODECS = {  # name: options, suffix, rate, whether the band is narrower than the rate allows
    "G.711 mu-law": ("-ar 8000 -c:a pcm_mulaw", "wav", 8000, False),
    "G.711 A-law": ("-ar 8000 -c:a pcm_alaw", "wav", 8000, False),
    "G.722": ("-ar 16000 -c:a g722", "wav", 16000, True),
    "G.726": ("-ar 8000 -c:a g726 -b:a 32k", "wav", 8000, False),
    "GSM": ("-ar 8000 -c:a libgsm", "gsm", 8000, False),
    "Opus 8 kb/s": ("-ar 16000 -c:a libopus -b:a 8k -application voip", "ogg", 16000, True),
    "Opus 16 kb/s": ("-ar 16000 -c:a libopus -b:a 16k -application voip", "ogg", 16000, True),
    "Opus 32 kb/s": ("-ar 48000 -c:a libopus -b:a 32k", "ogg", 48000, True),
    "MP3 32 kb/s": ("-ar 24000 -c:a libmp3lame -b:a 32k", "mp3", 24000, True),
    "MP3 64 kb/s": ("-ar 44100 -c:a libmp3lame -b:a 64k", "mp3", 44100, True),
    "AAC 32 kb/s": ("-ar 16000 -c:a aac -b:a 32k", "m4a", 16000, True),
    "Vorbis": ("-ar 16000 -c:a libvorbis -q:a 1", "ogg", 16000, True),
    "Speex": ("-ar 16000 -c:a libspeex", "ogg", 16000, True),
    "IMA ADPCM": ("-ar 16000 -c:a adpcm_ima_wav", "wav", 16000, False),
    "SBC": ("-ar 16000 -c:a sbc -b:a 64k", "sbc", 16000, True),
}


@maker("ffmpeg")
def codecs(source: Source) -> Iterator[Right]:
    """Through a codec and back, then in one of the service's encodings."""
    with tempfile.TemporaryDirectory() as folder:
        for i, voice in enumerate(source.voices):
            path = wav(voice, Path(folder), gain=0.5)  # codecs overshoot
            for number, (name, (options, suffix, rate, narrow)) in enumerate(_CODECS.items()):
                if (i + number) % 3:
                    continue
                packed = Path(folder) / f"packed.{suffix}"
                run(f"ffmpeg -v error -y -i {{in}} {options} {packed}", path)
                encoding = list(RAW)[(i + number) // 3 % 3] if not name.startswith("G.711") else list(RAW)[i % 5]
                data = run(f"ffmpeg -v error -i {{in}} -ar {rate} -f {RAW[encoding]} -", packed)
                yield Right(voice.name, f"codec {name}", data, encoding, rate, UPSAMPLED if narrow else frozenset())


_TEXTS = {
    "en": "The harbour was quiet. Please send the invoice before Friday, and stop: at Peter's back door, tick tock.",
    "de": "Guten Tag, bitte packen Sie die acht Pakete nach Potsdam. Der Zug kommt um zehn nach sechs, hat man gesagt.",
    "fr": "Bonjour, je voudrais changer mon billet de mardi pour jeudi matin, s'il vous plaît.",
    "es": "Buenos días, quisiera cambiar mi vuelo del martes al jueves por la mañana.",
}


@maker("espeak-ng")
def espeak(_: Source) -> Iterator[Right]:
    """espeak-ng at its own rate, in many voices and speeds."""
    variants = ("", "+m1", "+m3", "+m7", "+f2", "+f4", "+whisper", "+croak", "+klatt2", "+f5")
    spoken = [
        *(f"en{variant}" for variant in variants),
        *(f"de{v}" for v in variants[:7]),
        "fr",
        "es",
        "fr+f3",
        "es+m4",
    ]
    for voice in spoken:
        for speed in (130, 175, 220):
            text = _TEXTS[voice[:2]]
            command = ["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", text]
            data = subprocess.run(command, check=True, capture_output=True).stdout[44:]
            yield Right(f"{voice} -s {speed}", "espeak-ng", data, "pcm_s16le", 22050)
            x = np.frombuffer(data[: len(data) // 2 * 2], "<i2") / 32768
            if speed == 175:
                yield Right(voice, "espeak-ng in floats", x.astype("<f4").tobytes(), "pcm_f32le", 22050)
                eight = resample_poly(x, 160, 441)
                yield Right(voice, "espeak-ng by telephone", encoded(eight, "pcm_mulaw").tobytes(), "pcm_mulaw", 8000)


@maker("flite")
def flite(_: Source) -> Iterator[Right]:
    """Flite at its own rate, in all voices."""
    with tempfile.TemporaryDirectory() as folder:
        for voice in ("kal", "kal16", "awb", "rms", "slt"):
            for number, text in enumerate((_TEXTS["en"], "Stop. Back up. Tick, tock, pat, cat. Yes! No?")):
                path = Path(folder) / "out.wav"
                command = ["flite", "-voice", voice, "-t", text, "-o", str(path)]
                subprocess.run(command, check=True, capture_output=True)
                whole, rate = soundfile.read(path, dtype="int16")
                name = f"{voice} {number}"
                yield Right(name, "flite", whole.astype("<i2").tobytes(), "pcm_s16le", rate)
                yield Right(
                    name,
                    "flite in 8 bits",
                    np.rint(whole / 256).clip(-128, 127).astype("<i2").__mul__(256).tobytes(),
                    "pcm_s16le",
                    rate,
                )


_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)


@maker()
def tones(source: Source) -> Iterator[Right]:
    """DTMF with gaps, call progress tones, and speech round them."""
    for rate in (8000, 16000, 48000):
        for on_s, off_s in ((0.1, 0.1), (0.05, 0.05), (0.07, 0.03), (0.2, 0.02), (0.08, 0.3)):
            parts = []
            for digit in source.rng.integers(0, 16, 20):
                t = np.arange(round(on_s * rate)) / rate
                parts += [
                    0.35 * (np.sin(2 * np.pi * _ROWS[digit // 4] * t) + np.sin(2 * np.pi * _COLUMNS[digit % 4] * t))
                ]
                parts += [np.zeros(round(off_s * rate))]
            x = np.concatenate(parts)
            speech = resample_poly(source.voices[0].samples, *_ratio(rate, source.voices[0].rate))
            both = np.concatenate([0.5 * speech, x, 0.5 * speech])
            for encoding in ("pcm_s16le", "pcm_f32le", "pcm_mulaw", "pcm_alaw") if rate == 8000 else ("pcm_s16le",):
                name = f"{1000 * on_s:.0f} ms, gaps of {1000 * off_s:.0f} ms"
                yield Right(name, "DTMF", encoded(x, encoding).tobytes(), encoding, rate)
                yield Right(name, "DTMF amid speech", encoded(both, encoding).tobytes(), encoding, rate)
    for name, hertz, cadence in (
        ("busy", (480, 620), (0.5, 0.5)),
        ("reorder", (480, 620), (0.25, 0.25)),
        ("ringback", (440, 480), (2, 4)),
        ("German busy", (425,), (0.48, 0.48)),
        ("call waiting", (440,), (0.3, 2)),
        ("beeps", (1000,), (0.05, 0.15)),
    ):
        t = np.arange(round(cadence[0] * 8000)) / 8000
        tone = np.concatenate([0.3 * sum(np.sin(2 * np.pi * f * t) for f in hertz), np.zeros(round(cadence[1] * 8000))])
        x = np.tile(tone, max(3, round(12 / sum(cadence))))
        for encoding in ("pcm_s16le", "pcm_mulaw", "pcm_f32le"):
            yield Right(name, "call progress", encoded(x, encoding).tobytes(), encoding, 8000)


@maker("sox")
def music(_: Source) -> Iterator[Right]:
    """Hold music: plucked strings and chords, plain and by telephone."""
    notes = ("C3", "E3", "G3", "A3", "C4", "D4", "E4", "G4")
    for number in range(8):
        chord = " ".join(f"pluck {notes[(number * 3 + i * 2) % 8]}" for i in range(3))
        data = b"".join(
            run(f"sox -n -r 16000 -t raw -e signed -b 16 -c 1 - synth 0.8 {chord} remix - gain -{number + 2} ")
            for _ in range(6)
        )
        yield Right(f"strings {number}", "hold music", data, "pcm_s16le", 16000)
        x = resample_poly(np.frombuffer(data, "<i2") / 32768, 1, 2)
        yield Right(f"strings {number}", "hold music by telephone", encoded(x, "pcm_alaw").tobytes(), "pcm_alaw", 8000)


@maker()
def tape(source: Source) -> Iterator[Right]:
    """Old tapes, small loudspeakers and voices through a wall: a slope of 12 to 48 dB an octave, and hiss."""
    for i, voice in enumerate(source.voices):
        cut = source.rng.uniform(0.12, 0.26) * voice.rate
        order = (2, 4, 6, 8)[i % 4]
        x = sosfilt(butter(order, cut, fs=voice.rate, output="sos"), voice.samples)
        x = 0.7 * x / np.abs(x).max()
        hiss_db = (-45, -55, -65, -75, -200)[i % 5]
        x = x + 10 ** (hiss_db / 20) * source.rng.normal(size=len(x))
        name = f"{voice.name}, {6 * order} dB an octave from {cut:.0f} Hz, hiss at {hiss_db} dB"
        yield Right(name, "old tape", encoded(x.clip(-1, 1), "pcm_s16le").tobytes(), "pcm_s16le", voice.rate)


@maker()
def gated(source: Source) -> Iterator[Right]:
    """A noise gate or a voice detector of the client, which replaces pauses by zeros after a hold time, with a fade."""
    for i, voice in enumerate(source.voices):
        step = voice.rate // 100
        count = len(voice.samples) // step
        level = np.sqrt((voice.samples[: count * step].reshape(count, step) ** 2).mean(axis=1))
        loud = level > (0.03, 0.06)[i % 2] * np.percentile(level, 95)
        hold = (5, 15)[i // 2 % 2]
        held = np.convolve(loud, np.ones(hold), "full")[:count] > 0
        gate = np.repeat(held, step).astype(float)
        fade = round((0.002, 0.005, 0.01)[i % 3] * voice.rate)
        gate = np.convolve(gate, np.ones(fade) / fade, "same")
        x = 0.6 * voice.samples[: len(gate)] * gate / np.abs(voice.samples).max()
        encoding = ("pcm_s16le", "pcm_f32le", "pcm_mulaw", "pcm_s32le")[i % 4]
        yield Right(voice.name, "noise gate", encoded(x, encoding).tobytes(), encoding, voice.rate)

"""Cases for `benchmarks/accuracy/encoding.py`: speech of a corpus as bytes in every encoding and with every mistake."""

import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from corpus import Clip, equalised, noisy, resampled
from numpy.typing import NDArray

from sttdoctor.analysis.decoding import ALAW_TABLE, MULAW_TABLE
from sttdoctor.encodings import ENCODINGS, STANDARD_RATES

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]


def encoded(samples: Floats, name: str) -> Bytes:
    """Samples (full scale +-1) as bytes of an encoding."""
    if name in ("pcm_mulaw", "pcm_alaw"):
        table = MULAW_TABLE if name == "pcm_mulaw" else ALAW_TABLE
        order = np.argsort(table, kind="stable")
        levels = table[order]
        return order[np.searchsorted((levels[1:] + levels[:-1]) / 2, samples)].astype(np.uint8)
    floats = {"pcm_f16le": "<f2", "pcm_f32le": "<f4", "f32be": ">f4", "f64le": "<f8"}
    if name in floats:
        return np.ascontiguousarray(samples.astype(floats[name])).view(np.uint8).reshape(-1)
    width = ENCODINGS[name].width
    bits = 16 if name == "s64le" else 8 * width
    whole = np.clip(np.rint(samples * 2.0 ** (bits - 1)), -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1).astype(np.int64)
    if name == "u8":
        whole += 128
    little = np.ascontiguousarray(whole.astype("<i8")).view(np.uint8).reshape(-1, 8)[:, :width]
    return np.ascontiguousarray(little[:, ::-1] if name.endswith("be") else little).reshape(-1)


def speech(clips: list[Clip], seconds: float, rng: np.random.Generator) -> tuple[Floats, int]:
    """Active speech of a random speaker at a random rate, microphone, noise and level (peak 0 to -30 dB)."""
    groups = sorted({clip.group for clip in clips})
    group = groups[int(rng.integers(len(groups)))]
    mine = [clip for clip in clips if clip.group == group]
    clip = mine[int(rng.integers(len(mine)))]
    rates = [rate for rate in STANDARD_RATES if rate <= clip.rate or rng.random() < 0.1]
    rate = int(rng.choice(rates)) if rates else clip.rate
    samples = clip.samples
    samples = equalised(samples, clip.rate, rng) if rng.random() < 0.3 else samples
    samples = noisy(samples, clip.rate, rng) if rng.random() < 0.5 else samples
    samples = resampled(samples, clip.rate, rate) if rate != clip.rate else samples
    count = max(1, int(seconds * rate))
    while len(samples) < count:
        samples = np.concatenate([samples, samples])
    power = np.cumsum(np.concatenate([[0.0], samples.astype(np.float64) ** 2]))
    energy = power[count:] - power[:-count]
    starts = np.flatnonzero(energy >= 0.05 * energy.max())
    start = int(rng.choice(starts))
    part = samples[start : start + count].astype(np.float64)
    return part / (np.abs(part).max() + 1e-12) * 10 ** (-rng.uniform(0, 30) / 20), rate


def stereo(kind: str, left: Floats, other: Floats, rng: np.random.Generator) -> Floats:
    """Two channels interleaved: `identical`, `panned`, `delayed`, `two-voices`, `left-only` or `right-only`."""
    right = {
        "identical": left,
        "panned": left * rng.uniform(0.3, 0.9) + rng.normal(0, 0.003, len(left)) * np.abs(left).max(),
        "delayed": np.concatenate([np.zeros(5), left[:-5]]) * 0.8
        + rng.normal(0, 0.003, len(left)) * np.abs(left).max(),
        "two-voices": other[: len(left)],
        "left-only": np.zeros(len(left)),
        "right-only": left,
    }[kind]
    if kind == "right-only":
        left = np.zeros(len(left))
    count = min(len(left), len(right))
    return np.stack([left[:count], right[:count]], axis=1).reshape(-1)


STEREO = ("identical", "panned", "delayed", "two-voices")


def _whole(samples: Floats, scale: float) -> Floats:
    return np.clip(np.rint(samples * scale), -scale, scale - 1)


# Real audio that uses its encoding in an unusual way: name of the case, its encoding, and how it is made.
UNUSUAL: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
    "16 bit in 32": ("pcm_s32le", lambda x: _whole(x, 32768) / 32768),
    "24 bit in 32": ("pcm_s32le", lambda x: _whole(x, 2**23) / 2**23),
    "float in 32": ("pcm_s32le", lambda x: x.astype(np.float32).astype(np.float64)),
    "f32 k/32768": ("pcm_f32le", lambda x: _whole(x, 32768) / 32768),
    "f32 k/32767": ("pcm_f32le", lambda x: _whole(x, 32768) / 32767),
    "f32 +-32768": ("pcm_f32le", lambda x: _whole(x, 32768)),
    "f32 +-32768, scaled": ("pcm_f32le", lambda x: x * 32768),
    "f16 k/32768": ("pcm_f16le", lambda x: _whole(x, 32768) / 32768),
    "f64 of f32": ("f64le", lambda x: x.astype(np.float32).astype(np.float64)),
    "s16 of mu-law": ("pcm_s16le", lambda x: MULAW_TABLE[encoded(x, "pcm_mulaw")]),
    "s16 of 8 bit": ("pcm_s16le", lambda x: _whole(x / np.abs(x).max(), 128) / 128),
    "s16 of 8 bit, scaled": ("pcm_s16le", lambda x: _whole(x / np.abs(x).max(), 128) / 128 * np.abs(x).max()),
    "f32 of 8 bit, scaled": ("pcm_f32le", lambda x: _whole(x / np.abs(x).max(), 128) / 128 * np.abs(x).max()),
    "s16 DC offset": ("pcm_s16le", lambda x: 0.5 * x + 0.3),
    "mu-law DC offset": ("pcm_mulaw", lambda x: 0.5 * x + 0.1),
    "s16 clipped": ("pcm_s16le", lambda x: np.clip(x / np.abs(x).max() * 8, -1, 1)),
    "mu-law clipped": ("pcm_mulaw", lambda x: np.clip(x / np.abs(x).max() * 8, -1, 1)),
    "s16 peak 0.001": ("pcm_s16le", lambda x: x / np.abs(x).max() * 0.001),
    "s32 peak 0.001": ("pcm_s32le", lambda x: x / np.abs(x).max() * 0.001),
    "f32 peak 0.001": ("pcm_f32le", lambda x: x / np.abs(x).max() * 0.001),
    "f16 peak 0.001": ("pcm_f16le", lambda x: x / np.abs(x).max() * 0.001),
    "s16 16 bit unscaled in 32": ("pcm_s32le", lambda x: _whole(x, 32768) / 2**31),
    "s16 silent start": ("pcm_s16le", lambda x: np.concatenate([np.zeros(5 * len(x)), x])),
    "s16 silent end": ("pcm_s16le", lambda x: np.concatenate([x, np.zeros(5 * len(x))])),
    "mu-law silent start": ("pcm_mulaw", lambda x: np.concatenate([np.zeros(5 * len(x)), x])),
    "A-law silent end": ("pcm_alaw", lambda x: np.concatenate([x, np.zeros(5 * len(x))])),
    "f32 silent end": ("pcm_f32le", lambda x: np.concatenate([x, np.zeros(5 * len(x))])),
}

_CODECS = {  # name: FFmpeg options, suffix, bytes of header to leave out
    "G.722": ("-ar 16000 -c:a g722", "g722", 0),
    "Opus": ("-ar 48000 -c:a libopus -b:a 24k", "ogg", 0),
    "MP3": ("-ar 24000 -c:a libmp3lame -write_xing 0 -id3v2_version 0", "mp3", 0),
    "AAC": ("-ar 16000 -c:a aac -b:a 32k", "adts", 0),
    "GSM": ("-ar 8000 -c:a libgsm", "gsm", 0),
    "IMA ADPCM": ("-ar 16000 -c:a adpcm_ima_wav", "wav", 128),
    "FLAC": ("-ar 16000 -c:a flac", "flac", 9000),
}


def compressed(clip: Clip, codec: str) -> Bytes:
    """A clip through a codec, containers removed."""
    options, suffix, header = _CODECS[codec]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.wav", Path(folder) / f"out.{suffix}"
        soundfile.write(source, clip.samples, clip.rate)
        command = ["ffmpeg", "-v", "error", "-i", str(source), "-ac", "1", *options.split(), str(target)]
        subprocess.run(command, check=True)
        data = target.read_bytes()[header:]
    return np.frombuffer(b"".join(_ogg_packets(data)[2:]) if suffix == "ogg" else data, dtype=np.uint8)


def _ogg_packets(data: bytes) -> list[bytes]:
    packets, part, place = [], b"", 0
    while data[place : place + 4] == b"OggS":
        sizes = data[place + 27 : place + 27 + data[place + 26]]
        place += 27 + len(sizes)
        for size in sizes:
            part += data[place : place + size]
            place += size
            if size < 255:
                packets.append(part)
                part = b""
    return packets


def codecs() -> list[str]:
    """The codecs that can be made here."""
    return list(_CODECS) if shutil.which("ffmpeg") else []


def text(kind: str, samples: Floats) -> Bytes:
    """Audio or other content written as text."""
    audio = base64.b64encode(encoded(samples, "pcm_s16le").tobytes()).decode()
    content = {
        "base64": audio,
        "hex": encoded(samples, "pcm_s16le").tobytes().hex(),
        "JSON base64": "".join(
            json.dumps({"type": "input_audio_buffer.append", "audio": audio[i : i + 3200]})
            for i in range(0, len(audio), 3200)
        ),
        "JSON numbers": json.dumps([round(float(value), 5) for value in samples]),
        "HTML": "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>"
        "<p>The server was not able to answer. Try again in some minutes.</p><hr>nginx/1.25</body></html>\r\n",
    }[kind]
    return np.frombuffer(content.encode(), dtype=np.uint8)


TEXTS = ("base64", "hex", "JSON base64", "JSON numbers", "HTML")

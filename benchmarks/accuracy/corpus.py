"""Speech for training and measuring: loading a corpus, folds by speaker, joining clips, and making recordings worse.

A corpus is a folder with `index.tsv` (columns `file`, `kind`, `speaker`, `rate_hz` and more) and `audio/*.flac`.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import fft, linalg, signal

from sttdoctor.analysis.rate.net import Model, read_model

Floats = NDArray[np.float32]

FOLDS = 5
SPED_UP = "hedgewars"
"""Group of cartoon voices that their makers played fast: the rate of the file is not that of the voice."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording: samples of shape (n,), their rate in Hz, whose voice it is; a `group` is never split by a fold."""

    samples: Floats
    rate: int
    kind: str
    speaker: str
    group: str
    language: str
    gender: str
    flags: str
    package: str


def fold_group(speaker: str, package: str) -> str:
    """Labels that may share a person: volunteers of one language, the actors of one game, a voice and its synthesis."""
    name = speaker.split("/")[-1] or package
    for pattern, group in (
        (r"(klettres|tuxpaint)-(.+)", r"volunteer-\2"),
        (r"drascula-(\w\w)-.+", r"drascula-\1"),
        (r"hedgewars-.+", "hedgewars"),
        (r"fillets-(\w\w)-.+", r"fillets-\1"),
        (r"(pocketsphinx|tidigits)-dhd", "dhd"),
        (r".*(arctic-slt|flite-slt|festival-slt).*", "slt"),
        (r"synth-(flite|festival)-kal.*", "kal"),
        (r"codec2-(hts|m2400|f2400|morig|forig).*", "codec2-pairs"),
        (r"captcha-.+", "captcha"),
        (r"webrtcvad.*", "webrtcvad"),
    ):
        if re.fullmatch(pattern, name):
            return re.sub(pattern, group, name)
    return name


def load(folder: Path) -> list[Clip]:
    """All clips of a corpus; silence at both ends of speech is cut off."""
    clips = []
    with (folder / "index.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            samples, rate = soundfile.read(folder / "audio" / row["file"], dtype="float32")
            samples -= samples.mean()
            speech = "speech" in row["kind"]
            group = fold_group(row["speaker"], row["package"])
            if speech:
                samples = trimmed(samples, rate)
            keep = ("kind", "speaker", "language", "gender", "flags", "package")
            clips.append(Clip(samples, rate, group=group, **{key: row[key] for key in keep}))
    return clips


def trimmed(samples: Floats, rate: int, below_db: float = 40.0) -> Floats:
    """Without the ends whose 10 ms level is `below_db` under the loudest 10 ms."""
    hop = rate // 100
    count = len(samples) // hop
    if count < 3:
        return samples
    level = (samples[: count * hop].reshape(count, hop) ** 2).mean(axis=1)
    loud = np.flatnonzero(level > level.max() * 10 ** (-below_db / 10))
    return samples[max(0, loud[0] - 3) * hop : (loud[-1] + 4) * hop]


def folds(clips: list[Clip], count: int = FOLDS) -> dict[str, int]:
    """Fold of every group, so that the folds hold about the same seconds of speech and the same number of groups."""
    seconds: dict[str, float] = {}
    for clip in clips:
        seconds[clip.group] = seconds.get(clip.group, 0.0) + len(clip.samples) / clip.rate
    order = sorted(seconds, key=lambda group: (-seconds[group], group))
    return {group: (i % count if i // count % 2 == 0 else count - 1 - i % count) for i, group in enumerate(order)}


def held_out_nets(folder: Path) -> list[Model]:
    """The nets that `train_rate.py` left in its work folder, by the fold whose speakers each has not heard."""
    return [read_model(folder / f"held{fold}.npz") for fold in range(FOLDS)]


def joined(clips: list[Clip], seconds: float, rng: np.random.Generator) -> Floats:
    """Clips of one rate in random order with pauses of 50 to 250 ms, cut to a length; less where that is all."""
    rate = clips[0].rate
    parts: list[Floats] = []
    missing = int(seconds * rate)
    for i in rng.permutation(len(clips)):
        samples = clips[i].samples
        spare = len(samples) - missing
        start = int(rng.integers(0, spare + 1)) if spare > 0 else 0
        part = samples[start : start + missing]
        level = float(np.sqrt((part**2).mean())) + 1e-9
        parts.append(part * np.float32(0.1 / level))
        missing -= len(part)
        if missing < rate // 4:
            break
        pause = min(missing, int(rng.uniform(0.05, 0.25) * rate))
        parts.append(np.zeros(pause, np.float32))
        missing -= pause
    return np.concatenate(parts)


def excerpts(clips: list[Clip], seconds: float, most: int, seed: int) -> Iterator[tuple[Clip, Floats]]:
    """For every speaker up to `most` excerpts of real speech, joined from clips of one rate; the first clip says whose.

    A speaker's rate of at least 16 kHz with the most speech is taken. Speakers with less than half of the length, and
    clips whose rate is only inferred, are left out.
    """
    rng = np.random.default_rng(seed)
    pools: dict[str, dict[int, list[Clip]]] = {}
    for clip in clips:
        if clip.kind == "speech" and "rate-inferred" not in clip.flags and len(clip.samples) > 0.15 * clip.rate:
            pools.setdefault(clip.speaker, {}).setdefault(clip.rate, []).append(clip)
    for speaker in sorted(pools):
        lengths = {rate: sum(len(clip.samples) for clip in pool) / rate for rate, pool in pools[speaker].items()}
        rate = max(lengths, key=lambda rate: (rate >= 16000, lengths[rate]))
        if lengths[rate] >= 0.5 * seconds:
            for _ in range(min(most, max(1, int(lengths[rate] / seconds + 0.3)))):
                yield pools[speaker][rate][0], joined(pools[speaker][rate], seconds, rng)


def resampled(samples: Floats, rate: float, target: float, softness: float = 0.05) -> Floats:
    """Band-limited change of rate by the Fourier transform; `softness` is the edge's width as a part of the band."""
    count = max(1, round(len(samples) * target / rate))
    n_in = fft.next_fast_len(len(samples), real=True)
    n_out = max(2, round(n_in * target / rate))
    spectrum = fft.rfft(samples, n_in)
    bins = min(len(spectrum), n_out // 2 + 1)
    edge = np.clip((bins - np.arange(bins)) / max(1.0, softness * bins), 0.0, 1.0).astype(np.float32)
    result = fft.irfft(spectrum[:bins] * edge, n_out) * (n_out / n_in)
    return result[:count].astype(np.float32)


def _shape(samples: Floats, gain: Floats) -> Floats:
    """Filter by a zero-phase gain given on a grid of 0 to half the rate."""
    n_fft = fft.next_fast_len(len(samples) + 512, real=True)
    spectrum = fft.rfft(samples, n_fft)
    grid = np.linspace(0.0, 1.0, len(gain))
    return fft.irfft(spectrum * np.interp(np.linspace(0, 1, len(spectrum)), grid, gain), n_fft)[: len(samples)].astype(
        np.float32
    )


def equalised(samples: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """Another microphone and room: a random smooth curve over log frequency, sometimes with telephone band edges."""
    hz = np.linspace(0, rate / 2, 2048)
    knots = np.log(np.geomspace(60, 20000, 8))
    db = np.interp(np.log(np.maximum(hz, 20)), knots, rng.normal(0, rng.uniform(0, 6), 8))
    db += rng.normal(0, 2.0) * np.log2(np.maximum(hz, 60) / 1000)
    if rng.random() < 0.25:
        low = rng.choice([60, 100, 150, 200, 300])
        db -= rng.uniform(12, 48) * np.maximum(0, np.log2(low / np.maximum(hz, 5)))
    if rng.random() < 0.3:
        high = rng.choice([3400, 3600, 4000, 5500, 7000, 8000, rng.uniform(3300, 12000)])
        db -= rng.uniform(40, 300) * np.maximum(0, np.log2(np.maximum(hz, 1) / high))
    return _shape(samples, (10 ** (np.clip(db, -90, 40) / 20)).astype(np.float32))


def reverberant(samples: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """With an exponentially decaying random tail: 0.1 to 0.8 s to -60 dB, direct sound 0 to 12 dB stronger."""
    decay = rng.uniform(0.1, 0.8)
    tail = rng.normal(size=int(decay * rate)) * 10 ** (-3 * np.arange(int(decay * rate)) / (decay * rate))
    tail *= 10 ** (-rng.uniform(0, 12) / 20) / np.sqrt((tail**2).sum())
    tail[0] += 1.0
    n_fft = fft.next_fast_len(len(samples) + len(tail), real=True)
    return fft.irfft(fft.rfft(samples, n_fft) * fft.rfft(tail, n_fft), n_fft)[: len(samples)].astype(np.float32)


def noisy(samples: Floats, rate: float, rng: np.random.Generator, snr_db: float | None = None) -> Floats:
    """With stationary noise of a random spectral slope (0 to -6 dB an octave), now and then mains hum."""
    snr_db = rng.uniform(5, 45) if snr_db is None else snr_db
    n_fft = fft.next_fast_len(len(samples), real=True)
    hz = np.maximum(np.arange(n_fft // 2 + 1) * rate / n_fft, 30.0)
    noise = fft.irfft(fft.rfft(rng.normal(size=n_fft).astype(np.float32)) * hz ** -rng.uniform(0, 1), n_fft)[
        : len(samples)
    ]
    if rng.random() < 0.15:
        times = np.arange(len(samples)) / rate
        mains = rng.choice([50.0, 60.0])
        hum = sum(
            rng.exponential() / k * np.sin(2 * np.pi * mains * k * times + rng.uniform(0, 6)) for k in (1, 2, 3, 5)
        )
        noise = noise / noise.std() + hum * rng.uniform(0.2, 3)
    gain = float(np.sqrt((samples**2).mean() / max(float((noise**2).mean()), 1e-20))) * 10 ** (-snr_db / 20)
    return (samples + noise * gain).astype(np.float32)


def g711(samples: Floats) -> Floats:
    """Through mu-law steps at a peak of 0.5."""
    peak = float(np.abs(samples).max()) * 2 + 1e-9
    code = np.sign(samples) * np.log1p(255 * np.abs(samples) / peak) / np.log(256)
    code = np.round(code * 127) / 127
    return (np.sign(code) * np.expm1(np.abs(code) * np.log(256)) / 255).astype(np.float32)


def effected(samples: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """Through an effect of games and radios: overdriven, ring modulated, doubled with a delay, or a swept comb."""
    kind = rng.integers(4)
    times = np.arange(len(samples)) / rate
    if kind == 0:
        return np.tanh(samples * np.float32(rng.uniform(3, 20) / (samples.std() * 5 + 1e-9))).astype(np.float32)
    if kind == 1:
        return (samples * (rng.uniform(0, 0.7) + np.sin(2 * np.pi * rng.uniform(20, 120) * times))).astype(np.float32)
    delay = rng.uniform(0.002, 0.03) * (
        1.0 + (0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 3) * times) if kind == 2 else 0)
    )
    late = np.interp(times - delay, times, samples)
    return (samples + rng.choice([-1, 1]) * rng.uniform(0.4, 0.9) * late).astype(np.float32)


def shelved(samples: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """With the lows or the highs turned up or down by 6 to 16 dB, as by a tone control."""
    hz = np.linspace(0, rate / 2, 2048)
    low = rng.random() < 0.7
    corner = rng.uniform(100, 350) if low else rng.uniform(1500, 4000)
    share = 1.0 / (1.0 + (np.maximum(hz, 1.0) / corner) ** rng.uniform(2, 4))
    db = rng.choice([-1, 1]) * rng.uniform(6, 16) * (share if low else 1.0 - share)
    return _shape(samples, (10 ** (db / 20)).astype(np.float32))


def compressed(samples: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """With its level evened out within 20 to 150 ms, by half in dB to nearly all."""
    keep = float(np.exp(-1.0 / (rng.uniform(0.02, 0.15) * rate)))
    level = np.sqrt(signal.lfilter([1.0 - keep], [1.0, -keep], samples.astype(np.float64) ** 2))
    return (samples / (level + 0.01 * level.max() + 1e-9) ** rng.uniform(0.5, 0.95)).astype(np.float32)


def whispered(samples: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """Noise through the envelope of each 30 ms (linear prediction), with weaker lows, as of a voice without pitch."""
    order, length = int(rate / 1000) + 4, int(0.03 * rate) // 2 * 2
    window = np.hanning(length)
    result = np.zeros(len(samples) + length)
    for start in range(0, len(samples) - length, length // 2):
        frame = samples[start : start + length] * window
        lags = np.correlate(frame, frame, "full")[length - 1 : length + order]
        if lags[0] > 1e-9:
            lags[0] *= 1.001
            filtered = signal.lfilter(
                [1.0], np.r_[1.0, -linalg.solve_toeplitz(lags[:-1], lags[1:])], rng.normal(size=length)
            )
            gain = np.sqrt((frame @ frame) / (filtered @ filtered + 1e-12))
            result[start : start + length] += filtered * gain * window
    hz = np.linspace(0, rate / 2, 2048)
    weaker = 10 ** (-rng.uniform(0, 20) / 20 / (1.0 + (hz / 500) ** 2))
    return _shape(result[: len(samples)].astype(np.float32), weaker.astype(np.float32))


def worsened(samples: Floats, rate: float, rng: np.random.Generator) -> Floats:
    """Another recording chain, by chance: effect, room, microphone, tone control, compressor, noise, quantiser."""
    if rng.random() < 0.1:
        samples = effected(samples, rate, rng)
    if rng.random() < 0.25:
        samples = reverberant(samples, rate, rng)
    if rng.random() < 0.8:
        samples = equalised(samples, rate, rng)
    if rng.random() < 0.15:
        samples = shelved(samples, rate, rng)
    if rng.random() < 0.1:
        samples = compressed(samples, rate, rng)
    if rng.random() < 0.6:
        samples = noisy(samples, rate, rng)
    if rng.random() < 0.1:
        samples = g711(samples)
    return samples

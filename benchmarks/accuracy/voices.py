"""More voices, and what is no voice, for training the sample rate model; none of it is used for measuring.

Few speakers are the limit of that model. New ones are made from real ones by analysis and synthesis (WORLD, Morise
2016), moving pitch and formants along their joint law: the logarithm of the formant scale grows by 0.31 of the
logarithm of the pitch, with a residual (Hillenbrand 1995: slope 0.30 to 0.33, residual 5 to 6 %). Speech synthesisers
and rendered music are used where they are installed (festival, flite, espeak-ng; fluidsynth with a sound font).
"""

import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from corpus import Clip, Floats, noisy, resampled
from scipy import ndimage

MADE = ("usual", "usual", "high", "mannered", "drawl", "drawl")
"""Voices made of each speaker."""
WORLD_RATE, WORLD_S = 24000, 8.0
"""Most rate in Hz and seconds of a speaker that analysis and synthesis get."""
LOG_PITCH = (4.25, 6.11)
"""Natural logarithm of the mean pitch of made voices: 70 to 450 Hz."""
LOG_HIGH = (5.5, 6.11)
"""The same of children's and cartoon-like voices: from 245 Hz."""
SENTENCES = (
    "The harbour was quiet when the first boats came in with their nets full of silver fish.",
    "Please send the invoice to our office before Friday, and do not forget the purchase number.",
    "My sister keeps seven bees in a wooden box behind the garage.",
    "Could you tell me how far it is from the station to the museum?",
    "Yes, I would like to change my flight from Tuesday to Thursday morning.",
    "A thick fog rolled over the valley, and nobody could see the bridge any more.",
    "She measured the flour, cracked two eggs, and whistled an old tune.",
    "The number is five five zero, nine one seven, three eight four two.",
    "He shook his head and laughed at the strange shape of the clouds.",
    "Children were jumping over puddles while their teachers waited under umbrellas.",
    "The judge chose a short and simple sentence to close the hearing.",
    "Every evening the baker gives away the bread that he could not sell.",
)
FESTIVAL = (
    *("kal_diphone", "ked_diphone", "lp_diphone", "pc_diphone", "suo_fi_lj_diphone", "hy_fi_mv_diphone"),
    *("upc_ca_ona_hts", "msu_ru_nsh_clunits"),
)
FLITE = ("kal", "kal16", "awb", "rms", "slt")
ESPEAK = (
    *("en-us", "en-gb+m3", "en-us+f2", "en-gb+f4", "en-us+m7", "en-us+klatt2", "fr+f5", "de+m4", "it+f3", "cs+f1"),
    *("pl+m2", "es+klatt", "sv+f2", "fi+m1"),
)
SAME_PERSON = {"slt": "slt", "kal": "kal", "kal16": "kal", "kal_diphone": "kal"}
"""Synthesisers whose voice is also that of a label in the corpus."""


def _warped(columns: np.ndarray, factor: float) -> np.ndarray:
    """Each row read at frequencies divided by the factor."""
    top = columns.shape[1] - 1
    source = np.minimum(np.arange(top + 1) / factor, top)
    low = np.floor(source).astype(int)
    weight = source - low
    return np.ascontiguousarray(columns[:, low] * (1 - weight) + columns[:, np.minimum(low + 1, top)] * weight)


def made_voices(clips: list[Clip], seed: int) -> list[list[Clip]]:
    """New voices from the clips of one speaker (all of one rate), one list a voice; none where there is no pitch.

    Usual ones keep to the joint law of pitch and formants; high ones are those of children and cartoons; mannered ones
    stray further from the law and in tempo, and who drawls is deeper and slower. One in four is smoothed as vocoders of
    synthesisers do.
    """
    import pyworld

    rng = np.random.default_rng(seed)
    rate = min(clips[0].rate, WORLD_RATE)
    parts, left = [], int(WORLD_S * rate)
    for number in rng.permutation(len(clips)):
        clip = clips[int(number)]
        samples = np.asarray(resampled(clip.samples, clip.rate, rate) if clip.rate > rate else clip.samples, np.float64)
        samples = samples[:left]
        if len(samples) > 0.2 * rate:
            left -= len(samples)
            pitch, times = pyworld.dio(samples, rate, f0_floor=60.0, f0_ceil=600.0)
            pitch = pyworld.stonemask(samples, pitch, times, rate)
            spectra = pyworld.cheaptrick(samples, pitch, times, rate)
            parts.append((pitch, spectra, pyworld.d4c(samples, pitch, times, rate)))
    voiced = np.concatenate([part[0][part[0] > 0] for part in parts]) if parts else np.zeros(0)
    if len(voiced) < 20:
        return []
    middle = float(np.log(voiced).mean())
    voices = []
    for kind in MADE:
        spread, stray, hurry = (0.35, 0.065, 0.26) if kind == "mannered" else (0.28, 0.045, 0.13)
        wanted = rng.uniform(*LOG_HIGH) if kind == "high" else middle + rng.normal(0, spread)
        deeper, slower = rng.uniform([0.05, 0.05], [0.4, 0.4]) if kind == "drawl" else (0.0, 0.0)
        shift = float(np.clip(wanted - deeper, *LOG_PITCH)) - middle
        formants = float(np.exp(0.31 * (shift - deeper) + rng.normal(0, stray)))
        liveliness, tempo = np.exp(rng.normal([0.0, slower], [0.25, hurry]))
        breath = rng.uniform(-0.05, 0.2) if rng.random() < 0.3 else 0.0
        smooth = rng.random() < 0.25
        voice = []
        for pitch, spectra, noise in parts:
            tune = middle + shift + (np.log(np.maximum(pitch, 1.0)) - middle) * liveliness
            tune = np.ascontiguousarray(np.where(pitch > 0, np.clip(np.exp(tune), 50, 800), 0.0))
            logs = _warped(np.log(spectra + 1e-16), formants)
            if smooth:
                logs = ndimage.uniform_filter(logs, (9, max(3, round(250 / (rate / 2 / logs.shape[1])))))
            breathy = np.ascontiguousarray(np.clip(_warped(noise, formants) + breath, 1e-3, 1.0))
            samples = pyworld.synthesize(tune, np.ascontiguousarray(np.exp(logs)), breathy, rate, 5.0 * float(tempo))
            voice.append(Clip(samples.astype(np.float32), rate, "made", *_identity(clips[0])))
        voices.append(voice)
    return voices


def _identity(clip: Clip) -> tuple[str, str, str, str, str, str]:
    return clip.speaker, clip.group, clip.language, clip.gender, clip.flags, clip.package


def synthesised() -> list[list[Clip]]:
    """Voices of the speech synthesisers that are installed, a few sentences each."""
    voices = []
    for program, names in (("flite", FLITE), ("text2wave", FESTIVAL), ("espeak-ng", ESPEAK)):
        for name in names if shutil.which(program) else ():
            clips = [clip for sentence in SENTENCES if (clip := _spoken(program, name, sentence)) is not None]
            if clips:
                voices.append(clips)
    return voices


def _spoken(program: str, name: str, sentence: str) -> Clip | None:
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder) / "spoken.wav")
        command = {
            "flite": ["flite", "-voice", name, "-t", sentence, "-o", wav],
            "text2wave": ["text2wave", "-eval", f"(voice_{name})", "-o", wav],
            "espeak-ng": ["espeak-ng", "-v", name, "-w", wav, sentence],
        }[program]
        subprocess.run(command, input=sentence.encode(), capture_output=True, check=False, timeout=120)
        try:
            samples, rate = soundfile.read(wav, dtype="float32")
        except (OSError, soundfile.LibsndfileError):
            return None
    if len(samples) < 0.4 * rate or np.abs(samples).max() < 0.01:
        return None
    group = SAME_PERSON.get(name, f"{program}-{name}")
    group = f"synth-flite-{name}" if name in ("awb", "rms") else group
    return Clip(samples, rate, "synthetic-speech", name, group, "", "", "", program)


def _length(value: int) -> bytes:
    """A number as MIDI files write it, seven bits a byte."""
    out = [value & 127]
    while value := value >> 7:
        out.insert(0, (value & 127) | 128)
    return bytes(out)


def _tune(rng: np.random.Generator, seconds: float) -> bytes:
    """A MIDI file of random notes of one scale on one to four instruments, half of the time with drums."""
    ticks = 480
    tempo = rng.uniform(60, 180)
    end = seconds * ticks * tempo / 60
    scale = rng.choice([[0, 2, 4, 5, 7, 9, 11], [0, 2, 3, 5, 7, 8, 10], [0, 2, 4, 7, 9, 12, 14]])
    events = []
    for channel in range(int(rng.integers(1, 5))):
        events.append((0, bytes([0xC0 | channel, int(rng.integers(0, 104))])))
        base, unit, voices, now = rng.integers(36, 84), rng.choice([0.25, 0.5, 1, 2]), rng.integers(1, 4), 0.0
        while now < end:
            duration = unit * rng.choice([0.5, 1, 1, 2]) * ticks
            for _ in range(voices):
                note = int(min(100, base + rng.choice(scale)))
                events.append((int(now), bytes([0x90 | channel, note, int(rng.integers(50, 120))])))
                events.append((int(now + 0.95 * duration), bytes([0x80 | channel, note, 0])))
            now += duration
    if rng.random() < 0.5:
        beats = np.arange(0, end, ticks / 4)[:: int(rng.integers(1, 3))].astype(int)
        drums, force = rng.choice([36, 38, 42, 42, 46, 49], len(beats)), rng.integers(60, 120, len(beats))
        events += [(int(t), bytes([0x99, int(d), int(f)])) for t, d, f in zip(beats, drums, force, strict=True)]
    events.sort(key=lambda event: event[0])
    track, last = b"\0\xff\x51\x03" + int(6e7 / tempo).to_bytes(3, "big"), 0
    for when, message in events:
        track += _length(when - last) + message
        last = when
    track += b"\0\xff\x2f\0"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, ticks) + b"MTrk" + struct.pack(">I", len(track)) + track


def music(count: int, seed: int, font: str = "/usr/share/sounds/sf2/default-GM.sf2") -> list[Clip]:
    """Rendered pieces of 28 s at 48 kHz; none without fluidsynth and a sound font."""
    rng = np.random.default_rng(seed)
    pieces: list[Clip] = []
    if not (shutil.which("fluidsynth") and Path(font).exists()):
        return pieces
    with tempfile.TemporaryDirectory() as folder:
        midi = Path(folder) / "tune.mid"
        for _ in range(count):
            midi.write_bytes(_tune(rng, 28))
            wav = str(midi.with_suffix(".wav"))
            command = ["fluidsynth", "-ni", "-q", "-F", wav, "-r", "48000", "-T", "wav", font, str(midi)]
            subprocess.run(command, capture_output=True, check=True, timeout=120)
            samples, rate = soundfile.read(wav, dtype="float32")
            pieces.append(Clip(samples[: 28 * rate].mean(axis=1), rate, "music", "", "", "-", "", "", "rendered"))
    return pieces


def _random_walk(rng: np.random.Generator, times: np.ndarray, a_second: float) -> np.ndarray:
    """Values of 0 to 1 drawn some times a second, with straight lines between them."""
    count = int(times[-1] * a_second) + 2
    return np.interp(times, np.arange(count) / a_second, rng.random(count))


def sound(rng: np.random.Generator, rate: float, seconds: float) -> Floats:
    """A random sound that is not speech: noises, tones, beeps, sweeps, engines, clicks, beats."""
    count = int(seconds * rate)
    times = np.arange(count) / rate
    hiss = noisy(np.zeros(count, np.float32) + np.float32(1e-6), rate, rng, -60.0).astype(np.float64)
    hiss /= hiss.std()
    kind = rng.integers(7)
    if kind == 0:
        result = hiss
    elif kind == 1:
        tones = np.exp(rng.uniform(np.log(60), np.log(6000), int(rng.integers(1, 5))))
        result = np.sin(2 * np.pi * np.outer(times, tones) + rng.uniform(0, 6, len(tones))).sum(axis=1) + 0.01 * hiss
    elif kind == 2:
        result = np.zeros(count)
        for start in np.cumsum(rng.uniform(0.04, 0.6, int(seconds / 0.04))) * rate:
            part = times[int(start) : int(start + rng.uniform(0.03, 0.5) * rate)]
            pair = rng.uniform(200, 3500, 2)
            result[int(start) : int(start) + len(part)] = np.sin(2 * np.pi * np.outer(part, pair)).sum(axis=1)
    elif kind == 3:
        result = hiss * _random_walk(rng, times, rng.uniform(1, 24)) ** 3
    elif kind == 4:
        hz = 200 * 30 ** _random_walk(rng, times, 4)
        result = np.sin(2 * np.pi * np.cumsum(hz) / rate) * (_random_walk(rng, times, 5) > 0.4) + 0.003 * hiss
    elif kind == 5:
        hz = rng.uniform(30, 300) * (1 + 0.05 * _random_walk(rng, times, 3))
        result = np.diff(np.floor(np.cumsum(hz) / rate), prepend=0.0) * rng.uniform(1, 10) + 0.1 * hiss
    else:
        beat, decay = rng.uniform(0.05, 0.6), rng.uniform(0.005, 0.08)
        result = hiss * np.exp(-np.mod(times, beat) / decay) * (np.sin(times / beat * 7) > rng.uniform(-1, 0.5))
    return (result / (np.abs(result).max() + 1e-12)).astype(np.float32)

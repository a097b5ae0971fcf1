"""From facts and their report to the exhibits.

Beside what other modules make: the probability of each format that comes into question, and the loudest stretch as
declared and as detected, the same bytes ready to be heard and seen.
"""

import io
import logging
import time
import wave
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sttdoctor import thresholds
from sttdoctor.analysis.arrays import fast_length
from sttdoctor.analysis.decoding import Layout
from sttdoctor.analysis.excerpt import decode_mono
from sttdoctor.analysis.facts import Facts
from sttdoctor.analysis.rate.estimate import TOLERANCE
from sttdoctor.checks import all_causes, all_checks
from sttdoctor.encodings import ENCODINGS
from sttdoctor.guides import load_guide
from sttdoctor.listen import is_audible, pick_format, pick_later
from sttdoctor.missing import AUDIO
from sttdoctor.report import Report
from sttdoctor.reporting.data.sound import find_loudest, make_waveform, measure_profile, name_reading
from sttdoctor.reporting.data.stream import count_bytes_per_s, show_latency, show_stream
from sttdoctor.reporting.data.transcript_diff import diff_transcript
from sttdoctor.reporting.data.values import (
    Candidate,
    Excerpt,
    Exhibits,
    Explanation,
    Floats,
    Limit,
    Odds,
    Spectrogram,
    Version,
    Waveform,
)

logger = logging.getLogger(__name__)
Value = TypeVar("Value")
_Shown = tuple[Waveform | None, Excerpt | None, str]
_SILENCE: _Shown = (None, None, "All of the audio is silent, so there is nothing to hear.")

_MOST = 6
_LEAST = 0.005
_WORDS = {"not-pcm": "no plain samples", "text": "text"}

MAX_PLAYED_S = 8.0
"""Longer play of one stretch says no more, and noise is tiresome."""
MAX_RATE = 24_000
"""Hz; excerpts above it are brought down, which keeps the band of speech and halves the size."""
PLAYABLE = (3_000, 768_000)
"""Sample rates (Hz) that browsers play: https://webaudio.github.io/web-audio-api/#sample-rates"""

_PEAK = 0.5
_RMS = 0.08  # white noise at -22 dBFS is about as loud as speech that peaks at -6 dBFS
_FADE_S = 0.01
_TOP_HZ = 8_000.0
_FLOOR_DB = -70.0
_ROWS, _TIMES = 128, 320


def collect(facts: Facts, report: Report, command: str = "") -> Exhibits:
    """Compute everything that can be shown.

    One exhibit that cannot be made (a defect, or evidence that nobody thought of) leaves the others in place.

    Args:
        facts: The subject.
        report: Its report.
        command: What makes the same report.
    """
    failed: list[str] = []

    def tried(what: str, make: Callable[[], Value], otherwise: Value) -> Value:
        try:
            return make()
        except Exception as error:
            logger.debug("%s could not be made", what, exc_info=True)
            failed.append(f"{what} ({type(error).__name__}: {error})")
            return otherwise

    layout, rate = pick_format(facts, report.checks)
    known = count_bytes_per_s(layout.encoding, layout.channels, rate) if layout and rate else None
    nothing: _Shown = (None, None, "The sound could not be decoded.")
    shape, excerpt, no_sound = _SILENCE
    if is_audible(report.checks):
        heard = pick_later(facts, report.checks) or (layout, rate)
        shape, excerpt, no_sound = tried("the sound", lambda: _show_sound(facts, *heard), nothing)
    return Exhibits(
        shape,
        excerpt,
        no_sound,
        tried("the probabilities", lambda: show_odds(facts), None),
        tried("the stream", lambda: show_stream(facts, known), None),
        tried("the latency", lambda: show_latency(facts), None),
        tried("the transcript", lambda: diff_transcript(facts), None),
        {check.id: _list_limits(facts, check.id) for check in report.checks},
        tuple(failed),
        _explain(report),
        {check.id: load_guide(check.id).measurements for check in report.checks},
        tell_now(),
        command,
    )


def tell_now() -> str:
    """Return the time of day, UTC, for a page."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())


def _explain(report: Report) -> tuple[Explanation, ...]:
    found = [name for diagnosis in report.diagnoses for name in (diagnosis.cause, *diagnosis.explains)]
    by_check: dict[str, list[str]] = {}
    for name in found:
        by_check.setdefault(name.partition(".")[0], []).append(name)
    checks, causes = {check.id: check for check in all_checks()}, all_causes()
    return tuple(
        Explanation(checks[id].question, {name: causes[name].what for name in names}, checks[id].why, checks[id].how)
        for id, names in by_check.items()
    )


def _list_limits(facts: Facts, check: str) -> tuple[Limit, ...]:
    return tuple(
        Limit(item.name, facts.limits[item.name], item.default, item.unit, item.reason)
        for item in thresholds.of_check(check)
    )


def _show_sound(facts: Facts, layout: Layout | None, rate: int | None) -> _Shown:
    """The waveform, the excerpt, and why there is neither."""
    if facts.audio is None:
        return None, None, (facts.why_no_audio or AUDIO).sentence
    declared, declared_rate = facts.sound.declared_layout, facts.declared.sample_rate
    shown, shown_rate = layout or declared, rate or declared_rate
    if shown is None:
        return None, None, "The bytes cannot be read as samples, and no format was declared that they could be read by."
    if shown_rate is None:
        return None, None, "The sample rate is not known, so nothing is played; give --sample-rate."
    if not PLAYABLE[0] <= shown_rate <= PLAYABLE[1]:
        return None, None, f"Nothing plays audio at {shown_rate} Hz."
    data = facts.audio.data[: facts.sound.end_of_layout(shown.offset)]
    sound = measure_profile(data, shown, shown_rate)
    if sound is None:
        return None, None, "The audio is too short to be shown."
    first, blocks = find_loudest(sound)
    start = sound.first_byte + first * sound.block_bytes
    stretch = data[start : start + blocks * sound.block_bytes]
    at_s = first * sound.block_s
    shape = None  # bytes that are no samples have no waveform
    if layout is not None:
        shape = make_waveform(sound, (at_s, at_s + blocks * sound.block_s), name_reading(shown, shown_rate))
    as_detected = read_version(stretch, layout, rate) if layout and rate else None
    as_declared = None
    if declared is not None and declared_rate is not None:
        if as_detected is not None and (declared, declared_rate) == (layout, rate):
            return shape, Excerpt(start, at_s, as_detected, None, True), ""
        as_declared = read_version(_align(data, start, len(stretch), declared), declared, declared_rate)
    return shape, Excerpt(start, at_s, as_declared, as_detected, False), ""


def _align(data: NDArray[np.uint8], start: int, length: int, layout: Layout) -> NDArray[np.uint8]:
    """The same stretch from the sample border before it, as the declared reading has it."""
    first = start // ENCODINGS[layout.encoding].width * ENCODINGS[layout.encoding].width
    return data[first : first + length]


def show_odds(facts: Facts) -> Odds | None:
    """Collect the candidates; None where neither encoding nor rate can be told."""
    estimate = facts.sound.encoding
    encodings: tuple[Candidate, ...] = ()
    if estimate is not None and estimate.decidable:
        encodings = _likeliest(estimate.probabilities, facts.declared.meant)
    heard = facts.audio is not None and facts.sound.layout is not None
    told = facts.rate_probabilities if heard and facts.rate_is_told else None
    rates = tuple(
        Candidate(f"{rate} Hz", probability, rate == facts.declared.sample_rate)
        for rate, probability in sorted((told or {}).items())
    )
    return Odds(encodings, rates, _are_alike(facts)) if encodings or rates else None


def _are_alike(facts: Facts) -> bool:
    if not facts.declared.sample_rate or not facts.likely_rates:
        return False
    return 0 < abs(facts.likely_rates[0] / facts.declared.sample_rate - 1) <= TOLERANCE


def _likeliest(probabilities: dict[str, float], declared: str | None) -> tuple[Candidate, ...]:
    ordered = sorted(probabilities, key=lambda key: -probabilities[key])
    shown = [key for i, key in enumerate(ordered) if i < _MOST and (probabilities[key] >= _LEAST or i < 3)]
    if declared is not None and declared not in shown:
        shown.append(declared)
    return tuple(Candidate(_name(key), probabilities[key], key == declared) for key in shown)


def _name(key: str) -> str:
    name, plus, shift = key.partition("+")
    if not plus:
        return _WORDS.get(key, key) if key not in ENCODINGS else key
    return f"{name}, {shift} byte{'s' if shift != '1' else ''} off"


def read_version(data: NDArray[np.uint8], layout: Layout, rate: int) -> Version:
    """Read a stretch of bytes in one way.

    Args:
        data: Shape (n,) of uint8; a partial sample at the end is left out.
        layout: How it is read; its offset does not count here.
        rate: Hz.
    """
    words = name_reading(layout, rate)
    frame = layout.frame_bytes
    rows = data[: len(data) // frame * frame].reshape(-1, frame)
    if not PLAYABLE[0] <= rate <= PLAYABLE[1]:
        return Version(words, None, 0.0, None, f"Nothing plays audio at {rate} Hz.")
    if len(rows) < rate // 20:
        return Version(words, None, 0.0, None, "Too short to be heard.")
    cut = rows[: int(MAX_PLAYED_S * rate)]
    samples = _limit_level(decode_mono(cut, layout.encoding, layout.channels), rate)
    remark = f"Cut after {MAX_PLAYED_S:.0f} s; in this reading it is longer." if len(cut) < len(rows) else ""
    return Version(words, _write_wav(samples, rate), len(samples) / rate, make_spectrogram(samples, rate), remark)


def _limit_level(samples: Floats, rate: int) -> Floats:
    """Bring a reading to a level that ears stand, whatever its units; quiet sound stays as quiet as it is."""
    clean: Floats = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    high = float(np.percentile(np.abs(clean), 99.5))
    if high > 1:
        clean = clean / high
    clean = np.clip(clean, -1, 1)
    clean = clean - clean.mean()
    peak, rms = float(np.abs(clean).max()), float(np.sqrt(np.mean(clean * clean)))
    if peak > 0:
        clean = clean * min(1.0, _PEAK / peak, _RMS / rms)
    fade = min(len(clean) // 2, max(1, int(_FADE_S * rate)))
    ramp = np.linspace(0, 1, fade)
    clean[:fade] *= ramp
    clean[len(clean) - fade :] *= ramp[::-1]
    return clean


def _write_wav(samples: Floats, rate: int) -> bytes:
    factor = -(-rate // MAX_RATE)
    if factor > 1:
        samples = _lower_rate(samples, factor)
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(round(rate / factor))
        wav.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return file.getvalue()


def _lower_rate(samples: Floats, factor: int) -> Floats:
    """Lower the sample rate to a fraction: only the frequencies that it can hold are kept.

    The sound is faded at both ends, so that its transform sees no jump from the end to the beginning.
    """
    count = -(-len(samples) // factor)
    fast = fast_length(count)
    spectrum = np.fft.rfft(samples, fast * factor)
    lowered: Floats = np.fft.irfft(spectrum[: fast // 2 + 1], fast)[:count] / factor
    return lowered


def make_spectrogram(samples: Floats, rate: int) -> Spectrogram:
    """Return the levels of at most 128 frequencies up to 8 kHz at 320 times.

    Args:
        samples: Shape (n,), at least 50 ms of sound.
        rate: Hz.
    """
    size = min(len(samples), max(32, int(rate * 0.032)))
    starts = np.linspace(0, len(samples) - size, _TIMES).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[starts] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    top = min(_TOP_HZ, rate / 2)
    bins = max(1, int(top / rate * size))
    edges = np.unique(np.linspace(0, bins, _ROWS + 1).astype(np.int64))[:-1]
    pooled = np.maximum.reduceat(power[:, :bins], edges, axis=1).T
    level = 10 * np.log10(np.maximum(pooled, 1e-20) / max(float(pooled.max()), 1e-20))
    return Spectrogram(np.maximum(level, _FLOOR_DB).astype(np.float32), len(samples) / rate, top)

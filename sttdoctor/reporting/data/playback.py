"""The loudest stretch as declared and as detected: the same bytes, ready to be heard and seen."""

import io
import wave

import numpy as np
from numpy.typing import NDArray

from sttdoctor.analysis.encoding.estimate import Layout
from sttdoctor.analysis.excerpt import mono
from sttdoctor.analysis.fast_length import fast_length
from sttdoctor.encodings import ENCODINGS
from sttdoctor.reporting.data.sound import reading
from sttdoctor.reporting.data.values import Floats, Spectrogram, Version

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


def version(data: NDArray[np.uint8], layout: Layout, rate: int) -> Version:
    """Read a stretch of bytes in one way.

    Args:
        data: Shape (n,) of uint8; a partial sample at the end is left out.
        layout: How it is read; its offset does not count here.
        rate: Hz.
    """
    words = reading(layout, rate)
    frame = ENCODINGS[layout.encoding].width * layout.channels
    rows = data[: len(data) // frame * frame].reshape(-1, frame)
    if not PLAYABLE[0] <= rate <= PLAYABLE[1]:
        return Version(words, None, 0.0, None, f"Nothing plays audio at {rate} Hz.")
    if len(rows) < rate // 20:
        return Version(words, None, 0.0, None, "Too short to be heard.")
    cut = rows[: int(MAX_PLAYED_S * rate)]
    samples = _limited(mono(cut, layout.encoding, layout.channels), rate)
    remark = f"Cut after {MAX_PLAYED_S:.0f} s; in this reading it is longer." if len(cut) < len(rows) else ""
    return Version(words, _wav(samples, rate), len(samples) / rate, spectrogram(samples, rate), remark)


def _limited(samples: Floats, rate: int) -> Floats:
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


def _wav(samples: Floats, rate: int) -> bytes:
    factor = -(-rate // MAX_RATE)
    if factor > 1:
        samples = _brought_down(samples, factor)
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(round(rate / factor))
        wav.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
    return file.getvalue()


def _brought_down(samples: Floats, factor: int) -> Floats:
    """Lower the sample rate to a fraction: only the frequencies that it can hold are kept.

    The sound is faded at both ends, so that its transform sees no jump from the end to the beginning.
    """
    count = -(-len(samples) // factor)
    fast = fast_length(count)
    spectrum = np.fft.rfft(samples, fast * factor)
    lowered: Floats = np.fft.irfft(spectrum[: fast // 2 + 1], fast)[:count] / factor
    return lowered


def spectrogram(samples: Floats, rate: int) -> Spectrogram:
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
